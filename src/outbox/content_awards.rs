//! Mail about what follows the opening of bids: awards, what is said against them, and contracts.

use serde::{Deserialize, Serialize};

use crate::kernel::text::Text;
use crate::outbox::content::Facts;
use crate::outbox::content_matters::{look, of_your_duties};
use crate::outbox::letter::Letterhead;
use crate::outbox::rules::Category;
use crate::outbox::wording::{Both, Wording};
use crate::text;

/// Why one gets mail about a lot for which one's organisation has bid.
fn of_your_bid() -> Text {
    Text::fixed(
        "您收到此邮件，是因为您的单位参加了本次投标。",
        "You receive this because your organisation has bid.",
    )
}

/// A lot came to nothing for which the reader's organisation has bid.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotEnded {
    /// The book's title.
    pub book: Both,
    /// The lot's code in the book.
    pub lot: String,
    /// Why, or how that begins.
    pub reason: Both,
    /// Where the lot is.
    pub path: String,
}

impl Facts for LotEnded {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (Both { zh, en }, lot) = (&self.book, &self.lot);
        let (reason_zh, reason_en) = (&self.reason.zh, &self.reason.en);
        Wording::new(
            text!("“{zh}”标段 {lot} 废标", "Lot {lot} of {en} is unsuccessful"),
            of_your_bid(),
        )
        .says(text!(
            "本标段不产生中标人，不签订合同。投标保证金将按期退还。",
            "Nobody gets the contract for this lot. Bid securities go back in their time."
        ))
        .says(text!("原因：{reason_zh}", "The reason: {reason_en}"))
        .leads_to(look(), &self.path)
    }
}

/// Something happened between the evaluation of a lot and its contract that the reader has to know of.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotHappened {
    /// The book's title.
    pub book: Both,
    /// The lot's code in the book.
    pub lot: String,
    /// What happened, in a sentence without its full stop.
    pub happened: Both,
    /// What follows for the reader, or why it happened.
    pub details: Option<Both>,
    /// Where to look at it.
    pub path: String,
    /// True if the reader has to act on it or decide about it; otherwise their organisation has bid.
    pub is_duty: bool,
}

impl Facts for LotHappened {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (Both { zh, en }, lot) = (&self.book, &self.lot);
        let (happened_zh, happened_en) = (&self.happened.zh, &self.happened.en);
        let why = if self.is_duty {
            of_your_duties()
        } else {
            of_your_bid()
        };
        let wording = Wording::new(
            text!(
                "“{zh}”标段 {lot}：{happened_zh}",
                "Lot {lot} of {en}: {happened_en}"
            ),
            why,
        )
        .says(text!(
            "“{zh}”标段 {lot}：{happened_zh}。",
            "Lot {lot} of {en}: {happened_en}."
        ));
        let wording = match &self.details {
            Some(details) => {
                let (details_zh, details_en) = (&details.zh, &details.en);
                wording.says(text!("{details_zh}", "{details_en}"))
            }
            None => wording,
        };
        wording.leads_to(look(), &self.path)
    }
}
