//! Mail about ballots: to residents who have a vote; and about what they say in words, to those who decide and to whom it is about.

use serde::{Deserialize, Serialize};

use crate::kernel::clock::Instant;
use crate::kernel::refusal::Fault;
use crate::kernel::text::Text;
use crate::outbox::content::{Content, Facts};
use crate::outbox::content_matters::{look, of_your_duties};
use crate::outbox::letter::Letterhead;
use crate::outbox::rules::Category;
use crate::outbox::wording::{Both, Wording, moment};
use crate::text;

/// Opens what a mail keeps sealed until it is sent, such as a link that lets in whoever has it. Whoever reads the database alone cannot.
pub trait Unsealing: Send + Sync {
    /// What was sealed.
    ///
    /// # Errors
    /// A fault if it was sealed otherwise, or was changed.
    fn unsealed(&self, sealed: &str) -> Result<String, Fault>;
}

impl Content {
    /// Whether it is written to voters, of whom nobody learns who was written to, and when.
    pub const fn is_to_voter(&self) -> bool {
        matches!(self, Self::BallotOpened(_) | Self::BallotLetterReplaced(_))
    }

    /// The same with what it keeps sealed until it is sent.
    ///
    /// # Errors
    /// Those of [`Unsealing::unsealed`].
    pub fn opened(&self, by: &dyn Unsealing) -> Result<Self, Fault> {
        match self {
            Self::BallotOpened(facts) if facts.is_link => Ok(Self::BallotOpened(BallotOpened {
                path: by.unsealed(&facts.path)?,
                ..facts.clone()
            })),
            other => Ok(other.clone()),
        }
    }
}

/// A ballot is open in which the reader has a vote.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BallotOpened {
    /// What it is about.
    pub ballot: Both,
    /// Until when one can vote, UTC.
    pub closes_at: Instant,
    /// Whether the reader was written to before.
    pub is_reminder: bool,
    /// Where one votes: sealed until it is sent, if it is a link that lets in whoever has it.
    pub path: String,
    /// True if it is.
    pub is_link: bool,
}

impl BallotOpened {
    /// The name of its kind.
    pub const KIND: &'static str = "ballot.opened";
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

/// A letter was printed for the reader, and makes their older one void if they had one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BallotLetterReplaced {
    /// What it is about.
    pub ballot: Both,
    /// Until when one can vote, UTC.
    pub closes_at: Instant,
    /// Whether they had none.
    #[serde(default)]
    pub is_first: bool,
}

impl BallotLetterReplaced {
    /// The name of its kind.
    pub const KIND: &'static str = "ballot.letter_replaced";
}

impl Facts for BallotLetterReplaced {
    fn category(&self) -> Category {
        Category::Security
    }

    fn wording(&self, head: &Letterhead) -> Wording {
        let (zh, en) = (&self.ballot.zh, &self.ballot.en);
        let until = moment(self.closes_at, head.zone);
        let (until_zh, until_en) = (&until.zh, &until.en);
        let (subject, printed) = if self.is_first {
            (
                text!("已为您打印投票函：{zh}", "A letter was printed for you: {en}"),
                text!(
                    "社区单独为您打印了“{zh}”的投票函。",
                    "Your community has printed a letter for you alone to vote in “{en}”."
                ),
            )
        } else {
            (
                text!(
                    "您的投票函已重新打印：{zh}",
                    "Another letter was printed for you: {en}"
                ),
                text!(
                    "社区为您重新打印了“{zh}”的投票函，先前的投票函随即作废。",
                    "Your community has printed another letter for you to vote in “{en}”; the one before is void."
                ),
            )
        };
        Wording::new(
            subject,
            Text::fixed(
                "您收到此邮件，是因为您在本次投票的居民名册上。",
                "You receive this because you are on the roll of residents who may vote.",
            ),
        )
        .says(printed)
        .says(text!(
            "如果不是您要求的，或您没有收到新的投票函：请在 {until_zh} 前用账户、邮件中的链接或再次索取的投票函投票，以最后一次为准，并告知街道办事处。",
            "If you have not asked for it, or have not received it: vote before {until_en} with your account, by the link in your mail or with yet another letter, because the last vote counts, and tell your street office."
        ))
    }
}

/// The roll of a ballot was found changed when the votes were counted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BallotRollChanged {
    /// What it is about.
    pub ballot: Both,
    /// Where the tally is read.
    pub path: String,
}

impl Facts for BallotRollChanged {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (zh, en) = (&self.ballot.zh, &self.ballot.en);
        Wording::new(
            text!("投票名册被改动：{zh}", "The roll of a ballot was changed: {en}"),
            of_your_duties(),
        )
        .says(text!(
            "“{zh}”计票时，投票名册与冻结时不一致：有人绕过系统改动了数据库。结果不产生效力，被改动的记录未计入。请核查数据库的访问情况。",
            "When the votes of “{en}” were counted, the roll was not the one that had been frozen: somebody has changed the database behind the service’s back. The result binds nobody, and the entries that were changed are not counted. Please find out who has had access to the database."
        ))
        .leads_to(look(), &self.path)
    }
}

/// The terms of a ballot were found changed when the votes were counted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BallotTermsChanged {
    /// What it is about.
    pub ballot: Both,
    /// Where the tally is read.
    pub path: String,
}

impl Facts for BallotTermsChanged {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (zh, en) = (&self.ballot.zh, &self.ballot.en);
        Wording::new(
            text!("投票规则被改动：{zh}", "The terms of a ballot were changed: {en}"),
            of_your_duties(),
        )
        .says(text!(
            "“{zh}”计票时，投票的时间、问题、选项或有效条件与发起时不一致：有人绕过系统改动了数据库。结果不产生效力。请核查数据库的访问情况。",
            "When the votes of “{en}” were counted, its times, questions, choices or conditions were not those under which it had been called: somebody has changed the database behind the service’s back. The result binds nobody. Please find out who has had access to the database."
        ))
        .leads_to(look(), &self.path)
    }
}

/// Comments on a period wait for an officer. How many, and what they say, is not told by mail.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatingCommentsWaiting {
    /// What was rated.
    pub ballot: Both,
    /// Where they are read.
    pub path: String,
}

impl Facts for RatingCommentsWaiting {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (zh, en) = (&self.ballot.zh, &self.ballot.en);
        Wording::new(
            text!("居民意见待审核：{zh}", "Residents’ words wait for you: {en}"),
            of_your_duties(),
        )
        .says(text!(
            "居民对“{zh}”提出了意见，请审核后公开，或注明理由不予公开。",
            "Residents have said something about “{en}”. Please read it and make it public, or withhold it for a reason."
        ))
        .leads_to(look(), &self.path)
    }
}

/// A comment on a period became public.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatingCommentReleased {
    /// What was rated.
    pub ballot: Both,
    /// Where it is read, and replied to.
    pub path: String,
}

impl Facts for RatingCommentReleased {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (zh, en) = (&self.ballot.zh, &self.ballot.en);
        Wording::new(
            text!("居民意见已公开：{zh}", "A resident’s words are public: {en}"),
            of_your_duties(),
        )
        .says(text!(
            "居民对“{zh}”的一条意见已公开，您可以回复一次。",
            "What a resident has said about “{en}” is public. You may reply to it once."
        ))
        .leads_to(look(), &self.path)
    }
}
