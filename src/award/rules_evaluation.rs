//! What the evaluation of a lot's bids goes in with: the method, the rounding, the criteria, the bids and their scores. It is the public
//! form that `wardbook recompute evaluation` reads and that a derivation carries along. Data only; what it must be is in
//! `rules_evaluation_reading.rs`, what comes of it in `rules_evaluation_deriving.rs`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::books::rules_documents::{CriterionKind, Method, RoundingDocument, TieRule};
use crate::kernel::money::Money;
use crate::kernel::score::Score;
use crate::kernel::weight::Weight;

/// Bids in one evaluation at most.
pub const BIDS_MAX: usize = 1_000;
/// Criteria in one evaluation at most.
pub const CRITERIA_MAX: usize = 30;
/// Evaluators in one evaluation at most.
pub const EVALUATORS_MAX: usize = 50;
/// Characters of the name of a bidder.
pub const BIDDER_LENGTH_MAX: usize = 80;
/// Characters of the code of a criterion, or of a reason.
pub const CODE_LENGTH_MAX: usize = 60;
/// Characters of a sentence that gives a reason.
pub const REASON_LENGTH_MAX: usize = 2_000;
/// Characters of the seed of a draw.
pub const SEED_LENGTH_MAX: usize = 200;
/// Decimals that a result is rounded to at most.
pub const PLACES_MAX: u32 = 6;

/// The regular expression of an amount of yuan.
pub const YUAN_PATTERN: &str =
    r"^((0|[1-9][0-9]{0,12}|[1-8][0-9]{13})(\.[0-9]{1,2})?|90000000000000(\.0{1,2})?)$";

/// An amount of yuan as it stands in an evaluation: a plain decimal in a string. An evaluation has one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Yuan(pub Money);

impl fmt::Display for Yuan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Serialize for Yuan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl PartialSchema for Yuan {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Yuan in plain decimal digits, with at most two decimals."))
            .pattern(Some(YUAN_PATTERN))
            .examples(["2248000.00"])
            .into()
    }
}

impl ToSchema for Yuan {}

/// What an evaluation goes in with. What is left out is not asked for, but for the number of bids that are needed and the percentages
/// of the test for low prices, which the command line takes from the rules that the program brings along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EvaluationInput)]
pub struct Input {
    /// How the bids are judged.
    pub method: Method,
    /// How scores are rounded; half up to two places after each factor if it is left out.
    #[schema(required = false)]
    pub rounding: RoundingDocument,
    /// The highest price. A bid above it is out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<Yuan>,
    /// What the test for low prices looks at where there is no ceiling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Yuan>,
    /// The most points that the price gives. Needed by `comprehensive_scoring` and `quality_and_cost_based`, used by no other method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_points: Option<Score>,
    /// What all points together must come to; not checked if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points_total: Option<Score>,
    /// With fewer bids that are not out, nothing is evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub min_bidders: Option<u32>,
    /// By how much the prices of small and micro enterprises are judged as if they were lower.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sme_deduction_percent: Option<Weight>,
    /// And those of a consortium with one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consortium_deduction_percent: Option<Weight>,
    /// How many evaluators score each criterion; if it is left out, as many as the first score has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 50)]
    pub evaluators: Option<u32>,
    /// The points below which a bid's quality puts it out: of `quality_and_cost_based`; nobody is put out if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technical_threshold: Option<Score>,
    /// What the points for quality weigh, for `quality_and_cost_based`; without weights, points are added up as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technical_weight_percent: Option<Weight>,
    /// What the points for the price weigh; both weights add up to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub financial_weight_percent: Option<Weight>,
    /// Below what a price is abnormally low.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abnormally_low: Option<AbnormallyLow>,
    /// The meeting whose points the criteria of the residents' appraisal have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meeting: Option<Meeting>,
    /// Who goes before whom when totals are equal; `price_then_draw` if it is left out.
    #[schema(required = false)]
    pub tie_rule: TieRule,
    /// What the draw is made from. Needed where a draw decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200)]
    pub draw_seed: Option<String>,
    /// What is judged beside the price.
    #[schema(max_items = 30, required = false)]
    pub criteria: Vec<Criterion>,
    /// The bids.
    #[schema(min_items = 1, max_items = 1000)]
    pub bids: Vec<Bid>,
}

/// A criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EvaluationCriterion)]
pub struct Criterion {
    /// Its code, unique.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,60}$", example = "T1")]
    pub code: String,
    /// What it is about, never `price`; `technical` if it is left out. An `appraisal` has one score, the meeting's.
    #[schema(required = false)]
    pub kind: CriterionKind,
    /// The most points it gives.
    pub max_points: Score,
}

/// Below what a price is abnormally low, in percent; a test that is left out is not made. Every comparison is strict, and of prices as they
/// were bid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EvaluationAbnormallyLow)]
pub struct AbnormallyLow {
    /// Of the average of the bids that are not out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_percent: Option<Weight>,
    /// Of the second-lowest of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_lowest_percent: Option<Weight>,
    /// Of the ceiling, or of the budget if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceiling_percent: Option<Weight>,
}

/// A meeting that appraised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EvaluationMeeting)]
pub struct Meeting {
    /// How many may come.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub eligible: u32,
    /// How many came.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub present: u32,
    /// How many of them had to.
    pub quorum: Quorum,
}

/// A part of a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EvaluationQuorum)]
pub struct Quorum {
    /// Above the line.
    #[schema(minimum = 0, maximum = 1000)]
    pub numerator: u32,
    /// Below it.
    #[schema(minimum = 1, maximum = 1000)]
    pub denominator: u32,
    /// True if it must be exceeded and not only reached; false if it is left out.
    #[schema(required = false)]
    pub exceeded: bool,
}

impl Meeting {
    /// Whether enough came.
    pub fn is_quorate(&self) -> bool {
        let came = u64::from(self.present).saturating_mul(u64::from(self.quorum.denominator));
        let needed = u64::from(self.eligible).saturating_mul(u64::from(self.quorum.numerator));
        if self.quorum.exceeded {
            came > needed
        } else {
            came >= needed
        }
    }
}

/// A bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EvaluationBid)]
pub struct Bid {
    /// Whose it is, or its id; unique.
    #[schema(min_length = 1, max_length = 80, example = "A")]
    pub bidder: String,
    /// Its price, corrected, without any deduction.
    pub price: Yuan,
    /// Its price as it was bid, where a correction changed it: what the test for low prices looks at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_price: Option<Yuan>,
    /// True for a small or micro enterprise; false if it is left out.
    #[schema(required = false)]
    pub sme: bool,
    /// True for a consortium with one of them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub sme_consortium: bool,
    /// The scores that each evaluator gave, by the criterion's code, each bid's evaluators in one order.
    #[schema(required = false)]
    pub scores: BTreeMap<String, Vec<Score>>,
    /// Why the bid is out, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out: Option<Out>,
}

impl Bid {
    /// The price as it was bid.
    pub fn original(&self) -> Yuan {
        self.original_price.unwrap_or(self.price)
    }

    /// Whether the bid is out before anything is reckoned: put out by the panel, or above the ceiling.
    pub fn is_out(&self, ceiling: Option<Yuan>) -> bool {
        self.out.is_some() || ceiling.is_some_and(|ceiling| self.price > ceiling)
    }
}

/// Why a bid is out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EvaluationOut)]
pub struct Out {
    /// The reason's code.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,60}$", example = "not_responsive")]
    pub code: String,
    /// In Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub reason_zh: Option<String>,
    /// In English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub reason_en: Option<String>,
}

impl Input {
    /// Whether the method gives points for the price.
    pub const fn scores_price(&self) -> bool {
        matches!(
            self.method,
            Method::ComprehensiveScoring | Method::QualityAndCostBased
        )
    }

    /// Whether the method looks at criteria at all.
    pub const fn scores_criteria(&self) -> bool {
        !matches!(self.method, Method::LowestEvaluatedPrice)
    }
}
