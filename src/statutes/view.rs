//! How statutes are shown: as JSON in both languages, and as a table with a line for each rule.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::Fault;
use crate::statutes::acts::Loaded;
use crate::statutes::codes;
use crate::statutes::profile::{Citation, Rule, Standing};
use crate::statutes::rules::{Difference, Part, Statute, StatuteId};
use crate::statutes::value::{Kind, RuleValue};
use crate::web::format::csv_table;

/// A version of a jurisdiction's rules, without the rules.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatuteHead)]
pub struct HeadView {
    /// Its id; a matter keeps that of the version under which it was published.
    pub id: StatuteId,
    /// Whose rules they are.
    #[schema(example = "cn")]
    pub jurisdiction: String,
    /// The first day on which they apply, in the ward's zone.
    #[schema(value_type = String, format = Date, example = "2026-02-01")]
    pub effective_from: NaiveDate,
    /// Counts the corrections of this version, from 1. The last one counts.
    #[schema(example = 1)]
    pub revision: i64,
    /// Chinese name.
    #[schema(example = "中国内地政府购买公共服务规则（2026-02-01 起）")]
    pub name_zh: String,
    /// English name.
    #[schema(example = "Rules of public purchase in mainland China, from 2026-02-01")]
    pub name_en: String,
    /// Why there is this version, in Chinese.
    #[schema(example = "异常低价的数值标准按财库〔2026〕2号。")]
    pub note_zh: String,
    /// Why there is this version, in English.
    #[schema(example = "Abnormally low prices by the numbers of Caiku [2026] No. 2.")]
    pub note_en: String,
    /// True if it came with the program.
    #[schema(example = true)]
    pub built_in: bool,
    /// SHA-256 of what is stored, as the event in the log has it.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub sha256: String,
    /// The event that records it; in a trial one that does not stay.
    #[schema(example = "event_01jd3n8f5teqkrzvq1c0m6h2ax")]
    pub event_id: String,
    /// When it was loaded, UTC.
    #[schema(example = "2026-01-05T08:00:00.000000Z")]
    pub loaded_at: String,
}

impl From<&Statute> for HeadView {
    fn from(statute: &Statute) -> Self {
        let profile = &statute.profile;
        Self {
            id: statute.id.clone(),
            jurisdiction: profile.jurisdiction.clone(),
            effective_from: profile.effective_from,
            revision: statute.revision,
            name_zh: profile.name_zh.clone(),
            name_en: profile.name_en.clone(),
            note_zh: profile.note_zh.clone(),
            note_en: profile.note_en.clone(),
            built_in: statute.built_in,
            sha256: hex::encode(statute.sha256),
            event_id: statute.event_id.to_string(),
            loaded_at: rfc3339(statute.loaded_at),
        }
    }
}

/// One rule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatuteRule)]
pub struct RuleView {
    /// Which rule.
    #[schema(example = "tender.period_days_min")]
    pub code: String,
    /// What sort of value it has; `null` for a rule that this version of the program does not know.
    #[schema(required = true)]
    pub kind: Option<Kind>,
    /// What it says, an object with the kind as its one member; `null` if this version does not set it.
    #[schema(required = true)]
    pub value: Option<RuleValue>,
    /// Since when these rules say so; what is cited may be older.
    #[schema(value_type = String, format = Date, example = "2025-06-01")]
    pub effective_from: NaiveDate,
    /// The last day, where the law says one.
    #[schema(required = true, value_type = Option<String>, format = Date, example = "2027-08-31")]
    pub effective_to: Option<NaiveDate>,
    /// How well it is founded.
    pub standing: Standing,
    /// What it says, in Chinese.
    #[schema(example = "自采购文件发出至投标截止不少于 20 日")]
    pub text_zh: String,
    /// What it says, in English.
    #[schema(example = "From issue to bid deadline at least 20 days")]
    pub text_en: String,
    /// Where it stands.
    pub citations: Vec<Citation>,
}

impl From<&Rule> for RuleView {
    fn from(rule: &Rule) -> Self {
        Self {
            code: rule.code.clone(),
            kind: codes::entry(&rule.code).map(|entry| entry.kind),
            value: rule.value.clone(),
            effective_from: rule.effective_from,
            effective_to: rule.effective_to,
            standing: rule.standing,
            text_zh: rule.text_zh.clone(),
            text_en: rule.text_en.clone(),
            citations: rule.citations.clone(),
        }
    }
}

/// A version of a jurisdiction's rules, whole.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Statute)]
pub struct StatuteView {
    /// Which version.
    pub statute: HeadView,
    /// What it says.
    pub rules: Vec<RuleView>,
}

impl From<&Statute> for StatuteView {
    fn from(statute: &Statute) -> Self {
        Self {
            statute: statute.into(),
            rules: statute.profile.rules.iter().map(RuleView::from).collect(),
        }
    }
}

/// A rule that two versions do not have alike.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatuteDifference)]
pub struct DifferenceView {
    /// Which rule.
    #[schema(example = "tender.period_days_min")]
    pub code: String,
    /// What differs; everything if only one version has the rule.
    pub parts: Vec<Part>,
    /// As it was; `null` if the older version does not have it.
    #[schema(required = true)]
    pub before: Option<RuleView>,
    /// As it is; `null` if the newer version does not have it.
    #[schema(required = true)]
    pub after: Option<RuleView>,
}

impl From<&Difference> for DifferenceView {
    fn from(difference: &Difference) -> Self {
        Self {
            code: difference.code.clone(),
            parts: difference.parts.clone(),
            before: difference.before.as_ref().map(RuleView::from),
            after: difference.after.as_ref().map(RuleView::from),
        }
    }
}

/// What differs between two versions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatuteComparison)]
pub struct ComparisonView {
    /// The version that is compared with.
    pub from: HeadView,
    /// The version that was asked about.
    pub to: HeadView,
    /// The rules that they do not have alike.
    pub differences: Vec<DifferenceView>,
}

/// What loading a version did, or would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatuteReport)]
pub struct LoadedView {
    /// True if nothing was done.
    #[schema(example = false)]
    pub dry_run: bool,
    /// The version; with `dry_run` its id is not the one it will get.
    pub statute: HeadView,
    /// The version that applies until then; `null` if there is none.
    #[schema(required = true)]
    pub before: Option<StatuteId>,
    /// What changes on its first day.
    pub differences: Vec<DifferenceView>,
}

impl LoadedView {
    /// The report of a load.
    pub fn of(loaded: &Loaded, dry_run: bool) -> Self {
        Self {
            dry_run,
            statute: (&loaded.statute).into(),
            before: loaded.before.clone(),
            differences: loaded.differences.iter().map(DifferenceView::from).collect(),
        }
    }
}

/// The columns of the table.
const COLUMNS: [&str; 14] = [
    "statute_id",
    "jurisdiction",
    "statute_effective_from",
    "revision",
    "code",
    "kind",
    "value",
    "effective_from",
    "effective_to",
    "standing",
    "text_zh",
    "text_en",
    "citations_zh",
    "citations_en",
];

/// The rules of some versions as a table.
///
/// # Errors
/// A fault if it cannot be written, which memory always can.
pub fn table(statutes: &[Statute]) -> Result<Vec<u8>, Fault> {
    let lines = statutes
        .iter()
        .flat_map(|statute| statute.profile.rules.iter().map(move |rule| line(statute, rule)));
    csv_table(&COLUMNS, lines)
}

fn line(statute: &Statute, rule: &Rule) -> [String; 14] {
    let cited = |name: fn(&Citation) -> &str, articles: fn(&str) -> String| {
        let all = rule.citations.iter().map(|citation| {
            let name = name(citation);
            match &citation.articles {
                Some(numbers) => format!("{name} {}", articles(numbers)),
                None => name.to_owned(),
            }
        });
        all.collect::<Vec<_>>().join("; ")
    };
    [
        statute.id.to_string(),
        statute.profile.jurisdiction.clone(),
        statute.profile.effective_from.to_string(),
        statute.revision.to_string(),
        rule.code.clone(),
        codes::entry(&rule.code).map_or_else(String::new, |entry| entry.kind.name().to_owned()),
        rule.value.as_ref().map(RuleValue::cell).unwrap_or_default(),
        rule.effective_from.to_string(),
        rule.effective_to.map(|to| to.to_string()).unwrap_or_default(),
        rule.standing.name().to_owned(),
        rule.text_zh.clone(),
        rule.text_en.clone(),
        cited(|one| &one.instrument_zh, |numbers| format!("第 {numbers} 条")),
        cited(|one| &one.instrument_en, |numbers| format!("art. {numbers}")),
    ]
}
