//! Lots that come to nothing after their bids were opened (废标, 87号令 arts 43, 63; 政府采购法 art 36): once, for good, and with a reason. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::rules::{BookId, LotId};
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Kind, Reason};
use crate::standards::rules_indicators::Line;

/// Characters of a reason at most, in each language.
pub const REASON_LENGTH_MAX: usize = 2_000;

/// The lot has come to its end.
pub static LOT_ENDED: Reason = Reason::new(
    Kind::Conflict,
    "lot_ended",
    "该标段已经终结",
    "The lot has come to its end",
);

/// Every lot of the book has its contract or its end.
pub static NOTHING_LEFT: Reason = Reason::new(
    Kind::Conflict,
    "cancellation_nothing_left",
    "各标段均已签订合同或已终结，无可取消",
    "Every lot has its contract, or has come to nothing; there is nothing left to cancel",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 2] = [&LOT_ENDED, &NOTHING_LEFT];

/// What a lot came to nothing by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LotEndingCause)]
pub enum Cause {
    /// Too few bids answered the book when they were judged.
    TooFewResponsive,
    /// Nobody is left in the ranking to whom the contract could be given.
    NobodyLeft,
    /// The regulator has decided so about a complaint.
    ComplaintUpheld,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::TooFewResponsive, Self::NobodyLeft, Self::ComplaintUpheld];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooFewResponsive => "too_few_responsive",
            Self::NobodyLeft => "nobody_left",
            Self::ComplaintUpheld => "complaint_upheld",
        }
    }

    /// The cause of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

/// That a lot came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The lot.
    pub lot_id: LotId,
    /// Its book.
    pub book_id: BookId,
    /// What by.
    pub cause: Cause,
    /// Why, in words.
    pub reason: Line,
    /// When, UTC.
    pub ended_at: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_read_as_they_are_written() {
        for cause in Cause::ALL {
            assert_eq!(Cause::named(cause.name()), Some(cause));
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.name());
        }
        assert_eq!(Cause::named("no_mood"), None);
    }
}
