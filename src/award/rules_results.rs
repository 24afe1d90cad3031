//! What came of judging a lot's bids in one round: who stands where, and the derivation from which anybody can find that again. Pure.

use crate::bids::rules::BidId;
use crate::books::rules::{BookId, LotId};
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;

crate::ids! {
    /// A round of judging the bids for a lot, concluded.
    EvaluationId "evaluation"
}

/// Rounds of judging one lot at most.
pub const ROUNDS_MAX: i64 = 20;
/// Bytes of a stored derivation at most.
pub const DERIVATION_BYTES_MAX: usize = 8_388_608;

/// What came of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The bids are ranked.
    Ranked,
    /// 废标: too few bids were left.
    Unsuccessful,
}

impl Outcome {
    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ranked => "ranked",
            Self::Unsuccessful => "unsuccessful",
        }
    }

    /// The outcome of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Ranked, Self::Unsuccessful]
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }
}

/// Where one bid stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The bid.
    pub bid_id: BidId,
    /// Whose it is.
    pub supplier_id: OrganisationId,
    /// From 1 for the best; `None` if the bid was put out.
    pub place: Option<i64>,
    /// What the contract would cost: the bid's price, corrected, without any deduction of the evaluation.
    pub price: Money,
}

/// A round of judging, concluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// Its id.
    pub id: EvaluationId,
    /// The lot.
    pub lot_id: LotId,
    /// Its book.
    pub book_id: BookId,
    /// Counts the rounds, from 1.
    pub round: i64,
    /// What came of it.
    pub outcome: Outcome,
    /// When, UTC.
    pub concluded_at: Instant,
    /// The derivation as it was written.
    pub content: String,
    /// SHA-256 of it, as the log has it.
    pub sha256: [u8; 32],
    /// The bids, the best first and those that were put out last.
    pub places: Vec<Place>,
}
