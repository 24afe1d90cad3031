//! The certificate of an acceptance: the bytes that are signed, hashed into the log and shown to everybody, and never written again. Data only, without a
//! name of anybody; what it says was checked by `rules_acceptance_findings.rs`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::rules_documents::SourceKind;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptances::{AcceptanceId, Conclusion};
use crate::contracts::rules_inspections::InspectionId;
use crate::contracts::rules_source_scores::State as ScoreState;
use crate::kernel::refusal::Fault;
use crate::kernel::score::Score;
use crate::kernel::weight::Weight;
use crate::standards::rules::StandardVersionId;
use crate::standards::rules_evaluation::Outcome;
use crate::standards::rules_units::Unit;

/// What a certificate of this form begins with.
pub const FORMAT: &str = "wardbook/acceptance/v1";
/// Characters of a stored certificate at most.
pub const CONTENT_LENGTH_MAX: usize = 4_194_304;

/// Whether what a standard demands was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AcceptanceFindingKind)]
pub enum Finding {
    /// It was.
    Met,
    /// It was not.
    NotMet,
    /// It was not inspected.
    NotInspected,
}

/// A value that was measured in an inspection, as it holds with the contests that were decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptanceValue, example = json!({"inspection_id": "inspection_01jd3n8f5teqkrzvq1c0m6h2ax", "item": 1, "inspected_on": "2026-05-08", "value": "7", "measured_in": "piece", "outcome": "not_met"}))]
pub struct ValueDocument {
    /// The inspection.
    pub inspection_id: InspectionId,
    /// The number of its item, from 1.
    #[schema(minimum = 1, maximum = 300)]
    pub item: i64,
    /// The day, by the ward's zone.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub inspected_on: NaiveDate,
    /// What was measured.
    #[schema(max_length = 20)]
    pub value: String,
    /// In which unit.
    pub measured_in: Unit,
    /// How it stands to what is demanded.
    pub outcome: Outcome,
}

/// What inspections say of an indicator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptanceBasis, example = json!({
    "indicator": "cigarette_ends", "name_zh": "烟蒂", "name_en": "Cigarette ends", "met": 3, "not_met": 1, "suggested": "not_met", "values": []
}))]
pub struct BasisDocument {
    /// The code of the indicator: of the standard's version that the lot fixed, or of the lot's own.
    #[schema(max_length = 40)]
    pub indicator: String,
    /// Its Chinese name.
    #[schema(max_length = 100)]
    pub name_zh: String,
    /// Its English name.
    #[schema(max_length = 100)]
    pub name_en: String,
    /// How often it was found as it should be in the period.
    pub met: u32,
    /// How often it was not.
    pub not_met: u32,
    /// What follows from that: met if it was found so each time, not inspected if never.
    pub suggested: Finding,
    /// What was measured: what was not met first, then the latest; up to twenty of all.
    #[schema(max_items = 20)]
    pub values: Vec<ValueDocument>,
}

/// What the certificate finds of an indicator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptanceFinding)]
pub struct FindingDocument {
    /// What inspections say.
    pub basis: BasisDocument,
    /// What is found.
    pub finding: Finding,
    /// Why, in the officer's words; where it differs from what inspections say there always are some.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub words: Option<String>,
}

/// The score of a source as it stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptanceScore, example = json!({"source": "daily_inspection", "kind": "inspection", "name_zh": "日常考核", "name_en": "Daily inspections", "weight": "50", "state": "settled", "score": "89.45", "count": 3}))]
pub struct ScoreDocument {
    /// The code of the source.
    #[schema(max_length = 20)]
    pub source: String,
    /// What it is.
    pub kind: SourceKind,
    /// In Chinese.
    #[schema(max_length = 200)]
    pub name_zh: String,
    /// In English.
    #[schema(max_length = 200)]
    pub name_en: String,
    /// Its weight in the period's score.
    pub weight: Weight,
    /// How far it was settled.
    pub state: ScoreState,
    /// The score, 0 to 100; `null` if there was no data.
    #[serde(default)]
    pub score: Option<Score>,
    /// Of how many inspections, ballots or reports it was made.
    pub count: u32,
}

/// A grade of performance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PerformanceGrade, example = json!({"code": "good", "name_zh": "良", "name_en": "good"}))]
pub struct GradeDocument {
    /// Its code in the statutes.
    #[schema(max_length = 60)]
    pub code: String,
    /// In Chinese.
    #[schema(max_length = 200)]
    pub name_zh: String,
    /// In English.
    #[schema(max_length = 200)]
    pub name_en: String,
}

/// What the residents' rating of the period gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptanceRating, example = json!({"score": "87.6", "count": 200, "is_settled": true}))]
pub struct RatingDocument {
    /// The score, 0 to 100.
    pub score: Score,
    /// Of how many ballots.
    pub count: u32,
    /// Whether it stays so.
    pub is_settled: bool,
}

/// What the people served think of the service (条例 art 45).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptanceOpinion, example = json!({"rating": null, "invited": 5, "took_part": 3, "statements": ["早上很干净"], "summary_zh": "总体满意", "summary_en": "Content on the whole"}))]
pub struct OpinionDocument {
    /// The residents' rating, where there was one.
    #[serde(default)]
    pub rating: Option<RatingDocument>,
    /// How many of the people served were invited.
    #[schema(maximum = 100)]
    pub invited: u32,
    /// How many of them took part.
    #[schema(maximum = 100)]
    pub took_part: u32,
    /// What those who took part said, without who.
    #[schema(max_items = 100)]
    pub statements: Vec<String>,
    /// What that comes to, in Chinese.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub summary_zh: Option<String>,
    /// In English.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub summary_en: Option<String>,
}

/// A certificate of acceptance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptanceDocument, example = json!({
    "format": "wardbook/acceptance/v1", "acceptance_id": "acceptance_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax",
    "contract_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "standard_version_id": null, "period": 1, "first_day": "2026-05-01",
    "last_day": "2026-05-31", "round": 1, "draft": 1, "handed_over_at": "2026-06-01T02:00:00.000000Z", "findings": [], "scores": [], "score": null, "grade": null,
    "unsettled": ["rating"], "opinion": {"rating": null, "invited": 5, "took_part": 3, "statements": ["早上很干净"], "summary_zh": "总体满意", "summary_en": "Content on the whole"},
    "conclusion": "accepted", "undisputed_percent": "100", "reason_zh": null, "reason_en": null, "drafted_at": "2026-06-03T02:00:00.000000Z"
}))]
pub struct AcceptanceDocument {
    /// `wardbook/acceptance/v1`
    #[schema(max_length = 40)]
    pub format: String,
    /// The round of the acceptance.
    pub acceptance_id: AcceptanceId,
    /// The contract.
    pub contract_id: ContractId,
    /// SHA-256 of the contract's bytes, which fix what is demanded.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub contract_sha256: String,
    /// The version of the standard that the lot fixed.
    #[serde(default)]
    pub standard_version_id: Option<StandardVersionId>,
    /// The number of the period.
    #[schema(minimum = 1, maximum = 120)]
    pub period: i64,
    /// The first day that was served in it.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub first_day: NaiveDate,
    /// The last day that was served in it.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub last_day: NaiveDate,
    /// The number of the round, from 1.
    #[schema(minimum = 1, maximum = 50)]
    pub round: i64,
    /// The number of the draft, from 1.
    #[schema(minimum = 1, maximum = 20)]
    pub draft: i64,
    /// When the contractor had handed the period over, UTC; `null` if it had not.
    #[serde(default)]
    #[schema(max_length = 40)]
    pub handed_over_at: Option<String>,
    /// What is found of each indicator of the contract's standard, and of its lot's own.
    #[schema(max_items = 400)]
    pub findings: Vec<FindingDocument>,
    /// What the period scored by source.
    #[schema(max_items = 10)]
    pub scores: Vec<ScoreDocument>,
    /// What it scored in all; `null` where a source was not settled.
    #[serde(default)]
    pub score: Option<Score>,
    /// The grade of that, by the statutes.
    #[serde(default)]
    pub grade: Option<GradeDocument>,
    /// The codes of the sources that were not settled.
    #[schema(max_items = 10)]
    pub unsettled: Vec<String>,
    /// What the people served think of it.
    pub opinion: OpinionDocument,
    /// What is concluded.
    pub conclusion: Conclusion,
    /// The part of the period that is undisputed, in percent.
    pub undisputed_percent: Weight,
    /// What is outstanding, or why it is refused, in Chinese.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub reason_zh: Option<String>,
    /// In English.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub reason_en: Option<String>,
    /// When it was drafted, UTC.
    #[schema(max_length = 40)]
    pub drafted_at: String,
}

impl AcceptanceDocument {
    /// Its bytes.
    ///
    /// # Errors
    /// A fault if they are more than [`CONTENT_LENGTH_MAX`], which no form that was checked leads to.
    pub fn written(&self) -> Result<String, Fault> {
        let written =
            serde_json::to_string(self).map_err(|error| Fault::caused("write a certificate", error))?;
        if written.chars().count() > CONTENT_LENGTH_MAX {
            return Err(Fault::broken(format!("{} is too long", self.acceptance_id)));
        }
        Ok(written)
    }

    /// A certificate that was stored.
    ///
    /// # Errors
    /// A fault if it is none.
    pub fn stored(content: &str) -> Result<Self, Fault> {
        serde_json::from_str(content).map_err(|error| Fault::caused("read a certificate", error))
    }
}
