//! How the catalogue is shown.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::clock::rfc3339;
use crate::kernel::score::Score;
use crate::standards::acts::Imported;
use crate::standards::rules::{
    Category, CategoryState, Standard, StandardId, StandardVersionId, State, Version,
};
use crate::standards::rules_differences::{Change, Difference, FieldDifference};
use crate::standards::rules_documents::ContentDocument;
use crate::standards::rules_evaluation::{Evaluation, Outcome, Strictness};
use crate::standards::rules_indicators::Indicator;
use crate::standards::rules_units::{Dimension, Unit};

/// A category of public services.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceCategory)]
pub struct CategoryView {
    /// Its code, which never changes.
    #[schema(example = "sanitation")]
    pub code: String,
    /// Chinese name.
    #[schema(example = "环卫")]
    pub name_zh: String,
    /// English name.
    #[schema(example = "Sanitation")]
    pub name_en: String,
    /// Whether it takes new standards.
    pub state: CategoryState,
    /// Counts the changes, from 1; also the `ETag`.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was added, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub created_at: String,
    /// When it was last changed, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub updated_at: String,
}

impl From<Category> for CategoryView {
    fn from(category: Category) -> Self {
        Self {
            code: category.code,
            name_zh: category.name.zh,
            name_en: category.name.en,
            state: category.state,
            version: category.version,
            created_at: rfc3339(category.created_at),
            updated_at: rfc3339(category.updated_at),
        }
    }
}

/// A service standard.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Standard)]
pub struct StandardView {
    /// Its id.
    pub id: StandardId,
    /// The code of its category.
    #[schema(example = "sanitation")]
    pub category: String,
    /// Its code, which never changes.
    #[schema(example = "street_sanitation")]
    pub code: String,
    /// Where it holds.
    #[schema(example = "cn")]
    pub jurisdiction: String,
    /// Chinese title.
    #[schema(example = "城市道路清扫保洁标准")]
    pub title_zh: String,
    /// English title.
    #[schema(example = "Street cleaning")]
    pub title_en: String,
    /// Where its figures come from, in Chinese.
    #[schema(example = "CJJ/T 126 系列")]
    pub source_zh: String,
    /// Where its figures come from, in English.
    #[schema(example = "The CJJ/T 126 family")]
    pub source_en: String,
    /// Counts the changes of title and source, from 1; also the `ETag`. The versions of what it demands are counted by themselves.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was added, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub created_at: String,
    /// When it was last changed, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub updated_at: String,
}

impl From<Standard> for StandardView {
    fn from(standard: Standard) -> Self {
        Self {
            id: standard.id,
            category: standard.category,
            code: standard.code,
            jurisdiction: standard.jurisdiction,
            title_zh: standard.title.zh,
            title_en: standard.title.en,
            source_zh: standard.source.zh,
            source_en: standard.source.en,
            version: standard.version,
            created_at: rfc3339(standard.created_at),
            updated_at: rfc3339(standard.updated_at),
        }
    }
}

/// A version of a standard, without what it demands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StandardVersionHead)]
pub struct HeadView {
    /// Its id, which a book keeps.
    pub id: StandardVersionId,
    /// Of which standard.
    pub standard_id: StandardId,
    /// Counts the versions of the standard, from 1.
    #[schema(example = 1)]
    pub number: i64,
    /// How far it has come.
    pub state: State,
    /// True if it came with the program.
    #[schema(example = true)]
    pub built_in: bool,
    /// How many indicators it has.
    #[schema(example = 14)]
    pub indicators: usize,
    /// SHA-256 of what is stored, as the event of its publication has it; `null` for a draft.
    #[schema(
        required = true,
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    pub sha256: Option<String>,
    /// Counts the changes, from 1; also the `ETag`.
    #[schema(example = 2)]
    pub revision: i64,
    /// When it was begun, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub created_at: String,
    /// When it was last changed, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub updated_at: String,
    /// When it was published, UTC.
    #[schema(required = true, example = "2026-03-01T08:00:00.000000Z")]
    pub published_at: Option<String>,
    /// When it was withdrawn from further use, UTC.
    #[schema(required = true, example = "2026-09-01T08:00:00.000000Z")]
    pub withdrawn_at: Option<String>,
    /// Why it was withdrawn, in Chinese.
    #[schema(required = true, example = "由第 2 版取代")]
    pub withdrawal_zh: Option<String>,
    /// Why it was withdrawn, in English.
    #[schema(required = true, example = "Version 2 takes its place")]
    pub withdrawal_en: Option<String>,
}

impl From<&Version> for HeadView {
    fn from(version: &Version) -> Self {
        let (withdrawn_at, reason) = version.withdrawn.clone().unzip();
        let (withdrawal_zh, withdrawal_en) = reason.map(|line| (line.zh, line.en)).unzip();
        Self {
            id: version.id.clone(),
            standard_id: version.standard_id.clone(),
            number: version.number,
            state: version.state,
            built_in: version.built_in,
            indicators: version.content.indicators.len(),
            sha256: (version.state != State::Draft).then(|| hex::encode(version.sha256)),
            revision: version.revision,
            created_at: rfc3339(version.created_at),
            updated_at: rfc3339(version.updated_at),
            published_at: version.published_at.map(rfc3339),
            withdrawn_at: withdrawn_at.map(rfc3339),
            withdrawal_zh,
            withdrawal_en,
        }
    }
}

/// A version of a standard, whole.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StandardVersion)]
pub struct VersionView {
    /// Which version.
    pub version: HeadView,
    /// What it says.
    pub content: ContentDocument,
}

impl From<&Version> for VersionView {
    fn from(version: &Version) -> Self {
        Self {
            version: version.into(),
            content: version.content.document(),
        }
    }
}

/// A field of an indicator that differs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IndicatorFieldDifference)]
pub struct FieldView {
    /// Which field, as the column of the table is called.
    #[schema(example = "threshold")]
    pub field: &'static str,
    /// The grade, for a threshold that is one grade's.
    #[schema(required = true, example = "class_1")]
    pub grade: Option<String>,
    /// What the older version says, as it stands in the table.
    #[schema(example = "4")]
    pub before: String,
    /// What the newer version says.
    #[schema(example = "3")]
    pub after: String,
    /// Whether the newer one allows more or less thereby; `neutral` for whatever does not decide what is allowed.
    pub direction: Strictness,
}

impl From<FieldDifference> for FieldView {
    fn from(field: FieldDifference) -> Self {
        Self {
            field: field.field,
            grade: field.grade,
            before: field.before,
            after: field.after,
            direction: field.direction,
        }
    }
}

/// An indicator that two versions do not have alike.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IndicatorDifference)]
pub struct DifferenceView {
    /// Its code.
    #[schema(example = "cigarette_ends")]
    pub code: String,
    /// What became of it.
    pub change: Change,
    /// Whether the newer version allows more or less, in all grades together.
    pub direction: Strictness,
    /// What differs, if both versions have it.
    pub fields: Vec<FieldView>,
}

impl From<Difference> for DifferenceView {
    fn from(difference: Difference) -> Self {
        Self {
            code: difference.code,
            change: difference.change,
            direction: difference.direction,
            fields: difference.fields.into_iter().map(FieldView::from).collect(),
        }
    }
}

/// What differs between two versions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StandardComparison)]
pub struct ComparisonView {
    /// The version that is compared with.
    pub from: HeadView,
    /// The version that was asked about.
    pub to: HeadView,
    /// Codes of grades that only the newer one has.
    #[schema(example = json!(["class_5"]))]
    pub grades_added: Vec<String>,
    /// Codes of grades that only the older one has.
    #[schema(example = json!([]))]
    pub grades_removed: Vec<String>,
    /// The indicators that they do not have alike.
    pub differences: Vec<DifferenceView>,
}

/// What an import did, or would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IndicatorImport)]
pub struct ImportView {
    /// True if nothing was done.
    #[schema(example = true)]
    pub dry_run: bool,
    /// What to send as `preview` to have exactly this done.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015")]
    pub preview: String,
    /// The draft as it is then.
    pub version: HeadView,
    /// What differs from the draft as it was.
    pub differences: Vec<DifferenceView>,
}

impl ImportView {
    /// The report of an import.
    pub fn of(imported: Imported, dry_run: bool) -> Self {
        Self {
            dry_run,
            preview: imported.preview,
            version: (&imported.version).into(),
            differences: imported
                .differences
                .into_iter()
                .map(DifferenceView::from)
                .collect(),
        }
    }
}

/// A unit of measurement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnitOfMeasurement)]
pub struct UnitView {
    /// Its name in the API.
    pub unit: Unit,
    /// How it is written in Chinese.
    #[schema(example = "个/1000 平方米")]
    pub label_zh: &'static str,
    /// How it is written in English.
    #[schema(example = "pieces per 1000 m²")]
    pub label_en: &'static str,
    /// What it measures: units of the same dimension are converted into each other.
    pub dimension: Dimension,
    /// What may be counted instead, with the area of the sample, where this is so many on 1000 m².
    #[schema(required = true)]
    pub counted: Option<Unit>,
}

impl From<Unit> for UnitView {
    fn from(unit: Unit) -> Self {
        let (label_zh, label_en) = unit.label();
        Self {
            unit,
            label_zh,
            label_en,
            dimension: unit.dimension(),
            counted: unit.counted(),
        }
    }
}

/// What came of judging one measured value.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EvaluatedMeasurement)]
pub struct EvaluationView {
    /// The indicator.
    #[schema(example = "cigarette_ends")]
    pub indicator: String,
    /// The grade of the place.
    #[schema(required = true, example = "class_1")]
    pub grade: Option<String>,
    /// Whether it is met.
    pub outcome: Outcome,
    /// The unit of the indicator.
    pub unit: Unit,
    /// What is demanded, as it stands in the table; `–` if nothing.
    #[schema(example = "4")]
    pub threshold: String,
    /// The measured value in that unit.
    #[schema(example = "14")]
    pub measured: String,
    /// False if `measured` has more than six decimals and was rounded to them, half up; the outcome never rests on that.
    #[schema(example = true)]
    pub measured_is_exact: bool,
    /// By how much it is not met; `null` if it is.
    #[schema(required = true, example = "10")]
    pub shortfall: Option<String>,
    /// The unit of the shortfall: minutes for a time of day.
    pub shortfall_unit: Unit,
    /// False if `shortfall` was rounded.
    #[schema(example = true)]
    pub shortfall_is_exact: bool,
    /// Points lost by the rule of the indicator; `null` if it has none.
    #[schema(required = true)]
    pub points_lost: Option<Score>,
}

impl EvaluationView {
    /// What is told of a judged value.
    pub fn of(indicator: &Indicator, grade: Option<String>, evaluation: Evaluation) -> Self {
        let (measured, measured_is_exact) = evaluation.measured;
        Self {
            indicator: indicator.code.clone(),
            outcome: evaluation.outcome,
            unit: indicator.unit,
            threshold: indicator.threshold_cell(indicator.demanded(grade.as_deref())),
            measured: indicator.unit.written(measured),
            measured_is_exact,
            shortfall: evaluation.shortfall.map(|(by, _)| by.to_string()),
            shortfall_unit: indicator.unit.difference(),
            shortfall_is_exact: evaluation.shortfall.is_none_or(|(_, is_all)| is_all),
            points_lost: evaluation.points_lost,
            grade,
        }
    }
}

/// What came of judging some measured values.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StandardEvaluation)]
pub struct EvaluationsView {
    /// Each of them, in the order in which they were sent.
    pub evaluations: Vec<EvaluationView>,
    /// The points lost by all of them that lose points.
    pub points_lost: Score,
}
