//! Mail about ballots: to residents who have a vote.

use serde::{Deserialize, Serialize};

use crate::kernel::clock::Instant;
use crate::kernel::text::Text;
use crate::outbox::content::Facts;
use crate::outbox::letter::Letterhead;
use crate::outbox::rules::Category;
use crate::outbox::wording::{Both, Wording, moment};
use crate::text;

/// A ballot is open in which the reader has a vote.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BallotOpened {
    /// What it is about.
    pub ballot: Both,
    /// Until when one can vote, UTC.
    pub closes_at: Instant,
    /// Whether the reader was written to before.
    pub is_reminder: bool,
    /// Where one votes.
    pub path: String,
    /// True if that is a link that lets in whoever has it.
    pub is_link: bool,
}

impl Facts for BallotOpened {
    fn category(&self) -> Category {
        Category::News
    }

    fn is_secret(&self) -> bool {
        self.is_link
    }

    fn wording(&self, head: &Letterhead) -> Wording {
        let (zh, en) = (&self.ballot.zh, &self.ballot.en);
        let until = moment(self.closes_at, head.zone);
        let (until_zh, until_en) = (&until.zh, &until.en);
        let subject = if self.is_reminder {
            text!("提醒：{zh}", "A reminder: {en}")
        } else {
            text!("请您评价：{zh}", "Your rating is asked for: {en}")
        };
        Wording::new(
            subject,
            Text::fixed(
                "您收到此邮件，是因为您在本次投票的居民名册上。",
                "You receive this because you are on the roll of residents who may vote.",
            ),
        )
        .says(text!(
            "“{zh}”正在投票，{until_zh} 截止。",
            "The ballot “{en}” is open until {until_en}."
        ))
        .says(Text::fixed(
            "截止前可用同一链接更改，以最后一次为准。计票后，任何人都无法得知您投了什么。请勿转发此邮件：持有链接者可以代您投票。",
            "Until then you can change your vote by the same link; the last one counts. Once it is counted nobody can learn how you have voted. Do not pass this mail on: whoever has the link can vote in your place.",
        ))
        .leads_to(Text::fixed("投票", "Vote"), &self.path)
    }
}
