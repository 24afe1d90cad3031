//! Mail about enquiries to those who have to answer them. Nothing here says who asked.

use serde::{Deserialize, Serialize};

use crate::outbox::content::Facts;
use crate::outbox::content_matters::{look, of_your_duties};
use crate::outbox::letter::Letterhead;
use crate::outbox::rules::Category;
use crate::outbox::wording::{Both, Wording};
use crate::text;

/// Something was asked about a book. By whom is not said to anybody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnquiryMade {
    /// About which book.
    pub book: Both,
    /// Where everything is that waits for an answer.
    pub path: String,
}

impl Facts for EnquiryMade {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let Both { zh, en } = &self.book;
        Wording::new(
            text!("“{zh}”有新的提问", "An enquiry about {en}"),
            of_your_duties(),
        )
        .says(text!(
            "有供应商就“{zh}”提出问题，请在答疑截止前答复。答复公开，不得透露提问人。",
            "A supplier has asked about {en}. Answer before the deadline for answers. The answer is public and does not tell who asked."
        ))
        .leads_to(look(), &self.path)
    }
}

/// Something was not answered by the deadline for answers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnquiriesUnanswered {
    /// About which book.
    pub book: Both,
    /// How many enquiries.
    pub count: i64,
    /// Where they are.
    pub path: String,
}

impl Facts for EnquiriesUnanswered {
    fn category(&self) -> Category {
        Category::Duty
    }

    fn wording(&self, _: &Letterhead) -> Wording {
        let (Both { zh, en }, count) = (&self.book, self.count);
        Wording::new(
            text!(
                "“{zh}”有提问逾期未答复",
                "Enquiries about {en} were not answered in time"
            ),
            of_your_duties(),
        )
        .says(text!(
            "“{zh}”的答疑截止时间已到，尚未答复的提问：{count} 个。请督促经办人尽快答复；影响投标的，以补遗修改。",
            "The deadline for answers about {en} has come. Enquiries without an answer: {count}. See that they are answered, and change by an addendum what affects bids."
        ))
        .leads_to(look(), &self.path)
    }
}
