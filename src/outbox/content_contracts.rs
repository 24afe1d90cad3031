//! Mail about what happens under a signed contract.

use serde::{Deserialize, Serialize};

use crate::kernel::text::Text;
use crate::outbox::content::Facts;
use crate::outbox::content_matters::{look, of_your_duties};
use crate::outbox::letter::Letterhead;
use crate::outbox::rules::Category;
use crate::outbox::wording::{Both, Wording};
use crate::text;

/// Something happened under a signed contract: to an inspection, a variation, a notice of rectification, or to the contract itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectionHappened {
    /// The title of the contract's book.
    pub book: Both,
    /// The lot's code in the book.
    pub lot: String,
    /// What happened, in a sentence without its full stop.
    pub happened: Both,
    /// What of it concerns the reader most.
    pub details: Option<Both>,
    /// Where to look at it.
    pub path: String,
    /// True if the reader works for the contractor; otherwise for the buyer.
    pub is_contractor: bool,
}

impl Facts for InspectionHappened {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (Both { zh, en }, lot) = (&self.book, &self.lot);
        let (happened_zh, happened_en) = (&self.happened.zh, &self.happened.en);
        let why = if self.is_contractor {
            Text::fixed(
                "您收到此邮件，是因为您的单位承接了该合同。可在邮件偏好中改为每日汇总。",
                "You receive this because your organisation is the contractor. \
                 Your mail preferences let you have such messages once a day.",
            )
        } else {
            of_your_duties()
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

/// Something about payments that go to a bank waits for the reader, a finance officer, or has happened to them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankPaymentsHappened {
    /// What happened, in a sentence without its full stop.
    pub happened: Both,
    /// What the reader has to do.
    pub details: Option<Both>,
    /// Where to look at it.
    pub path: String,
}

impl Facts for BankPaymentsHappened {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (zh, en) = (&self.happened.zh, &self.happened.en);
        let wording = Wording::new(text!("{zh}", "{en}"), of_your_duties()).says(text!("{zh}。", "{en}."));
        let wording = match &self.details {
            Some(details) => {
                let (zh, en) = (&details.zh, &details.en);
                wording.says(text!("{zh}", "{en}"))
            }
            None => wording,
        };
        wording.leads_to(look(), &self.path)
    }
}
