//! The record of an inspection: the bytes that are stored, hashed into the log and shown to everybody, and never written again. Data only; what it
//! says was checked by `rules_inspections.rs`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::contracts::rules::ContractId;
use crate::contracts::rules_inspections::InspectionId;
use crate::contracts::rules_plans::InspectionPlanId;
use crate::contracts::rules_points::Basis;
use crate::files::rules::AttachmentId;
use crate::kernel::refusal::Fault;
use crate::kernel::score::Score;
use crate::standards::rules::StandardVersionId;
use crate::standards::rules_documents::Operator;
use crate::standards::rules_evaluation::Outcome;
use crate::standards::rules_units::Unit;

/// What a record of this form begins with.
pub const FORMAT: &str = "wardbook/inspection/v1";
/// Characters of a stored record at most.
pub const CONTENT_LENGTH_MAX: usize = 1_048_576;

/// A photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InspectionPhoto)]
pub struct PhotoDocument {
    /// The attachment.
    pub id: AttachmentId,
    /// SHA-256 of its bytes.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
}

/// Something that was inspected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InspectionItem, example = json!({
    "indicator": "cigarette_ends", "name_zh": "烟蒂", "name_en": "Cigarette ends", "operator": "at_most", "demanded": "4", "unit": "piece_per_thousand_m2",
    "value": "7", "measured_in": "piece", "sample_area_m2": "1000", "outcome": "not_met", "basis": "weighted", "possible": "5", "lost": "1.5",
    "note": null, "photos": []
}))]
pub struct ItemDocument {
    /// The code of the indicator: of the standard's version that the lot fixed, or of the lot's own.
    #[schema(max_length = 40)]
    pub indicator: String,
    /// Its Chinese name.
    #[schema(max_length = 100)]
    pub name_zh: String,
    /// Its English name.
    #[schema(max_length = 100)]
    pub name_en: String,
    /// How the value is compared with what is demanded.
    pub operator: Operator,
    /// What is demanded of places of this grade, in the unit of the indicator: `4`, `07:30`, `2..5`; `–` for nothing.
    #[schema(max_length = 40)]
    pub demanded: String,
    /// The unit of the indicator.
    pub unit: Unit,
    /// The value, as it was measured: an exact decimal, or a time of day.
    #[schema(max_length = 20)]
    pub value: String,
    /// In which unit it was measured.
    pub measured_in: Unit,
    /// On how many square metres it was counted, for what is so many on 1000 m².
    #[serde(default)]
    #[schema(max_length = 20)]
    pub sample_area_m2: Option<String>,
    /// How it stands to what is demanded.
    pub outcome: Outcome,
    /// How it counts.
    pub basis: Basis,
    /// The points that it is worth, if `weighted`.
    pub possible: Score,
    /// The points lost.
    pub lost: Score,
    /// What the inspector says of it.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub note: Option<String>,
    /// Photos.
    #[schema(max_items = 50)]
    pub photos: Vec<PhotoDocument>,
}

/// An inspection as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InspectionDocument, example = json!({
    "format": "wardbook/inspection/v1", "inspection_id": "inspection_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax",
    "contract_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "standard_version_id": null, "period": 1,
    "source": "daily_inspection", "plan_id": null, "stop": null, "place": 1, "location": "梧桐大道 12 号门前", "grade": "class_1",
    "inspected_on": "2026-05-08", "started_at": "2026-05-08T01:00:00.000000Z", "recorded_at": "2026-05-08T01:30:00.000000Z", "photos_are_public": false,
    "items": [{"indicator": "cigarette_ends", "name_zh": "烟蒂", "name_en": "Cigarette ends", "operator": "at_most", "demanded": "4",
        "unit": "piece_per_thousand_m2", "value": "7", "measured_in": "piece", "sample_area_m2": "1000", "outcome": "not_met", "basis": "weighted",
        "possible": "5", "lost": "1.5", "note": null, "photos": []}],
    "score": "70.00", "note": null, "contest_until": "2026-05-15"
}))]
pub struct InspectionDocument {
    /// `wardbook/inspection/v1`
    #[schema(max_length = 40)]
    pub format: String,
    /// The inspection.
    pub inspection_id: InspectionId,
    /// The contract.
    pub contract_id: ContractId,
    /// SHA-256 of the contract's bytes, which fix what is demanded.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub contract_sha256: String,
    /// The version of the standard that the lot fixed.
    #[serde(default)]
    pub standard_version_id: Option<StandardVersionId>,
    /// The number of the period in which it lies.
    #[schema(minimum = 1, maximum = 120)]
    pub period: i64,
    /// The code of the source of the period's score to which it counts.
    #[schema(max_length = 20)]
    pub source: String,
    /// The plan by which it was made; `null` if it was unannounced.
    #[serde(default)]
    pub plan_id: Option<InspectionPlanId>,
    /// The stop of that plan.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 50)]
    pub stop: Option<i64>,
    /// The number of the lot's place, from 1.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100)]
    pub place: Option<i64>,
    /// Where exactly.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub location: Option<String>,
    /// The grade of the place.
    #[serde(default)]
    #[schema(max_length = 40)]
    pub grade: Option<String>,
    /// The day, by the ward's zone.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub inspected_on: NaiveDate,
    /// When it began, UTC.
    #[schema(max_length = 40)]
    pub started_at: String,
    /// When it was recorded, UTC.
    #[schema(max_length = 40)]
    pub recorded_at: String,
    /// Whether everybody may see the photos, or the parties and auditors alone.
    pub photos_are_public: bool,
    /// What was inspected; the first has the number 1.
    #[schema(min_items = 1, max_items = 100)]
    pub items: Vec<ItemDocument>,
    /// What it scores, 0 to 100; `null` if nothing of it counts.
    #[serde(default)]
    pub score: Option<Score>,
    /// What the inspector says of it.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub note: Option<String>,
    /// The last day on which the contractor may contest an item.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub contest_until: NaiveDate,
}

impl InspectionDocument {
    /// The bytes that are stored and hashed.
    ///
    /// # Errors
    /// A fault if it cannot be written, or is longer than [`CONTENT_LENGTH_MAX`].
    pub fn written(&self) -> Result<String, Fault> {
        let written =
            serde_json::to_string(self).map_err(|error| Fault::caused("write an inspection", error))?;
        if written.chars().count() > CONTENT_LENGTH_MAX {
            return Err(Fault::broken(format!("{} is too long", self.inspection_id)));
        }
        Ok(written)
    }

    /// What was stored.
    ///
    /// # Errors
    /// A fault if it cannot be read.
    pub fn stored(content: &str) -> Result<Self, Fault> {
        serde_json::from_str(content).map_err(|error| Fault::caused("read a stored inspection", error))
    }

    /// The item of that number, from 1.
    pub fn item(&self, number: i64) -> Option<&ItemDocument> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.items.get(index)
    }
}
