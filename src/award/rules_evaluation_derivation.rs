//! A derivation: what an evaluation went in with, each step of it, and what came of it, in a form that a person can check with a pocket
//! calculator and a program byte by byte. Data only.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::award::rules_evaluation::{Input, Out};
use crate::kernel::refusal::Fault;

/// What a derivation calls itself.
pub const FORMAT: &str = "wardbook/evaluation/v1";

/// A derivation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EvaluationDerivation)]
pub struct Derivation {
    /// `wardbook/evaluation/v1`.
    #[schema(pattern = "^wardbook/evaluation/v1$")]
    pub format: String,
    /// The lot, if it is one of a ward's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 80)]
    pub lot_id: Option<String>,
    /// Its book.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 80)]
    pub book_id: Option<String>,
    /// Counts the rounds of judging the lot, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 20)]
    pub round: Option<u32>,
    /// What the evaluation goes in with.
    pub input: Input,
    /// How the result follows, one step after the other.
    pub steps: Vec<Step>,
    /// What comes of it.
    pub result: Judgement,
}

impl Derivation {
    /// The bytes that are stored and hashed: compact JSON, members in the order of the schema, codes of criteria in the order of their
    /// characters.
    ///
    /// # Errors
    /// A fault if it cannot be written as JSON.
    pub fn written(&self) -> Result<String, Fault> {
        serde_json::to_string(self).map_err(|error| Fault::caused("write a derivation", error))
    }
}

/// What a step finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EvaluationStepKind)]
pub enum StepKind {
    /// Whether enough came to the meeting.
    Quorum,
    /// Why a bid is out.
    Out,
    /// Whether enough bids are left.
    ResponsiveBids,
    /// Below what a price is abnormally low, by one test.
    AbnormallyLowLimit,
    /// That a price is.
    AbnormallyLow,
    /// The price that is judged.
    EvaluatedPrice,
    /// The points for a criterion.
    CriterionScore,
    /// The points for quality, and whether they are enough.
    TechnicalScore,
    /// The price that others are held against.
    BenchmarkPrice,
    /// The points for the price.
    PriceScore,
    /// All points.
    Total,
    /// What decides where totals are equal.
    Tie,
    /// What the draw gives a bid; the lowest goes first.
    Draw,
    /// Where a bid stands.
    Rank,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EvaluationStep)]
pub struct Step {
    /// What it finds.
    pub step: StepKind,
    /// For which bid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bidder: Option<String>,
    /// For which criterion, or by which test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// How it is found, in the names of the input and of earlier steps.
    pub formula: String,
    /// The same with the numbers in it.
    pub numbers: String,
    /// What that comes to: exact, or rounded where the formula says so.
    pub result: String,
}

/// What comes of an evaluation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EvaluationResult)]
pub struct Judgement {
    /// `ranked`, or `unsuccessful` if too few bids are left.
    #[schema(pattern = "^(ranked|unsuccessful)$")]
    pub outcome: String,
    /// The price that others were held against; `null` where prices give no points.
    pub benchmark_price: Option<String>,
    /// The bids, as the input has them.
    pub bids: Vec<JudgedBid>,
    /// Who is ranked, the best first.
    pub ranking: Vec<String>,
}

/// What comes of a bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EvaluationJudgedBid)]
pub struct JudgedBid {
    /// Which it is.
    pub bidder: String,
    /// The price that is judged: after the deduction, exact. `null` if it was not reckoned.
    pub evaluated_price: Option<String>,
    /// The points for the price. With rounding once, of the total, they are shown rounded, and the total comes of the exact ones.
    pub price_score: Option<String>,
    /// The points for each criterion, likewise.
    pub scores: BTreeMap<String, String>,
    /// All points.
    pub total: Option<String>,
    /// From 1 for the best; `null` if the bid is out.
    pub rank: Option<u32>,
    /// What is remarkable about it.
    pub flags: Vec<Flag>,
    /// Why it is out, if it is.
    pub out: Option<Out>,
}

/// Something remarkable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EvaluationFlag)]
pub struct Flag {
    /// `abnormally_low`.
    #[schema(pattern = "^abnormally_low$")]
    pub flag: String,
    /// By which test: `average`, `second_lowest`, `ceiling`.
    #[schema(pattern = "^(average|second_lowest|ceiling)$")]
    pub test: String,
    /// What the price, as it was bid, lies below; exact.
    pub limit: String,
}
