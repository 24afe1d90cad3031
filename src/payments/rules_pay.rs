//! What the pay of a period goes in with, and its derivation: the public form that `wardbook recompute payment` reads. Data only; what it must be is in
//! `rules_pay_reading.rs`, what comes of it in `rules_pay_deriving.rs`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::award::rules_evaluation::Yuan;
use crate::books::rules_documents::WithoutScore;
use crate::kernel::refusal::Fault;
use crate::kernel::score::Score;
use crate::kernel::weight::Weight;

/// What a derivation calls itself.
pub const FORMAT: &str = "wardbook/period-pay/v1";
/// Sources of a score at most.
pub const SOURCES_MAX: usize = 10;
/// Tables at most: one of the whole score and one of each source.
pub const TABLES_MAX: usize = 11;
/// Bands of a table at most.
pub const BANDS_MAX: usize = 20;
/// Kinds of penalties at most.
pub const PENALTIES_MAX: usize = 50;
/// Characters of the code of a source.
pub const CODE_LENGTH_MAX: usize = 20;
/// Characters of what a penalty is for.
pub const NAME_LENGTH_MAX: usize = 200;
/// Cases or days that a penalty counts at most.
pub const COUNT_MAX: u32 = 10_000;
/// Decimals of a score.
pub const SCORE_PLACES: u32 = 2;

/// What a period's pay goes in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PeriodPayInput)]
pub struct Input {
    /// The price of the period as it is now.
    pub fee: Yuan,
    /// What becomes of the weight of a source without a score; redistributed if it is left out.
    #[schema(required = false)]
    pub without_score: WithoutScore,
    /// What the score is made of; the weights add up to 100.
    #[schema(required = false, max_items = 10)]
    pub sources: Vec<Source>,
    /// What is paid for which score. Their deductions are added up.
    #[schema(required = false, max_items = 11)]
    pub tables: Vec<Table>,
    /// What single failures cost.
    #[schema(required = false, max_items = 50)]
    pub penalties: Vec<Penalty>,
    /// What of an advance is taken back with this period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advance_recovery: Option<Yuan>,
}

/// A source of the score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PeriodPaySource)]
pub struct Source {
    /// Its code.
    #[schema(max_length = 20)]
    pub code: String,
    /// Its weight in percent.
    pub weight: Weight,
    /// Its score, 0 to 100; `null` if there is none.
    pub score: Option<Score>,
    /// True of a rating to which too few came: it is shown and counts for nothing.
    #[schema(required = false)]
    pub non_binding: bool,
}

impl Source {
    /// The score, if it counts.
    pub fn counted(&self) -> Option<Score> {
        self.score.filter(|_| !self.non_binding)
    }
}

/// What is paid for which score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PeriodPayTable)]
pub struct Table {
    /// The source whose score it looks at; `null` for the whole score.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20)]
    pub source: Option<String>,
    /// The bands, from the lowest up. They cover 0 to 100 with neither gap nor overlap.
    #[schema(min_items = 1, max_items = 20)]
    pub bands: Vec<Band>,
}

/// What is paid for scores from `from` up to, but without, `to`; 100 belongs to the top band.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PeriodPayBand)]
pub struct Band {
    /// Where it begins.
    pub from: Score,
    /// Where it ends.
    pub to: Score,
    /// What of the fee is paid at its upper end, in percent; all of it if it is left out.
    #[schema(required = false)]
    pub base_rate: Weight,
    /// How much less for each point below the upper end, in percent of the fee.
    #[schema(required = false)]
    pub rate_per_point: Weight,
    /// How much less for each point below the upper end, in yuan.
    #[schema(required = false)]
    pub amount_per_point: Yuan,
    /// How much less in any case, in yuan.
    #[schema(required = false)]
    pub flat_amount: Yuan,
    /// Only so many points at once count, each time as one of the steps above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point_step: Option<Score>,
}

/// What single failures cost: for each case or day an amount, or a part of the fee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PeriodPayPenalty)]
pub struct Penalty {
    /// For what.
    #[schema(max_length = 200)]
    pub name: String,
    /// How many cases or days.
    #[schema(maximum = 10_000)]
    pub count: u32,
    /// What each costs, in yuan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Yuan>,
    /// Or in percent of the fee.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<Weight>,
}

/// What a derivation is of, if it is one of a ward's periods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The contract.
    pub contract_id: Option<String>,
    /// The number of the period.
    pub period: Option<u32>,
}

/// A derivation: what it went in with, each step, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PeriodPayDerivation)]
pub struct Derivation {
    /// `wardbook/period-pay/v1`.
    #[schema(pattern = "^wardbook/period-pay/v1$")]
    pub format: String,
    /// The contract, if it is one of a ward's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 80)]
    pub contract_id: Option<String>,
    /// The number of the period.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 120)]
    pub period: Option<u32>,
    /// What it goes in with.
    pub input: Input,
    /// How the result follows, one step after the other.
    pub steps: Vec<Step>,
    /// What comes of it.
    pub result: Pay,
}

impl Derivation {
    /// The bytes that are stored and hashed: compact JSON, members in the order of the schema.
    ///
    /// # Errors
    /// A fault if it cannot be written as JSON.
    pub fn written(&self) -> Result<String, Fault> {
        serde_json::to_string(self).map_err(|error| Fault::caused("write a derivation of pay", error))
    }
}

/// What a step finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PeriodPayStepKind)]
pub enum StepKind {
    /// That a source has no score, or none that binds, and what becomes of its weight.
    WithoutScore,
    /// The period's score.
    Score,
    /// What a table deducts.
    Deduction,
    /// What a penalty costs.
    Penalty,
    /// All deductions, and no more than the fee.
    Deducted,
    /// What of an advance is taken back, and no more than is left.
    Recovered,
    /// What is paid.
    Payable,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PeriodPayStep)]
pub struct Step {
    /// What it finds.
    pub step: StepKind,
    /// Of which source, table or penalty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// How it is found, in the names of the input and of earlier steps.
    pub formula: String,
    /// The same with the numbers in it.
    pub numbers: String,
    /// What that comes to.
    pub result: String,
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PeriodPayResult)]
pub struct Pay {
    /// The period's score, half up to two places; `null` if no source has one, and then nothing is deducted for it.
    pub score: Option<String>,
    /// What each table and each penalty takes off, in yuan.
    pub deductions: Vec<Deduction>,
    /// All of that together, and no more than the fee.
    pub deducted: Yuan,
    /// What of an advance is taken back.
    pub recovered: Yuan,
    /// What is paid.
    pub payable: Yuan,
}

/// What is taken off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PeriodPayDeduction)]
pub struct Deduction {
    /// `score`, the code of a source, or what a penalty is for.
    pub of: String,
    /// How much, in yuan.
    pub amount: Yuan,
}
