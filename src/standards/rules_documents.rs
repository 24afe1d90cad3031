//! What a version of a standard says, as it is written in JSON: sent by keepers, stored, shown, and brought along with the program.
//! Whether it is good is judged in `rules_indicators.rs`. Data only.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::refusal::Fault;
use crate::kernel::score::Score;
use crate::standards::rules_units::Unit;

/// Indicators of one version at most.
pub const INDICATORS_MAX: usize = 200;
/// Grades of one version at most.
pub const GRADES_MAX: usize = 12;
/// Characters of a code.
pub const CODE_LENGTH_MAX: usize = 40;
/// Characters of a name.
pub const NAME_LENGTH_MAX: usize = 100;
/// Characters of what an indicator demands, or how it is inspected, or why there is a version.
pub const TEXT_LENGTH_MAX: usize = 500;
/// Characters of an indicator's source.
pub const SOURCE_LENGTH_MAX: usize = 200;
/// Inspections in one period at most.
pub const TIMES_MAX: u32 = 1_000;

/// What a version of a standard says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StandardContent, example = json!({
    "note_zh": "城管局 2026 年修订", "note_en": "Revised by Urban Management in 2026",
    "grades": [{"code": "class_1", "name_zh": "一级道路", "name_en": "Class 1 road"}, {"code": "class_2", "name_zh": "二级道路", "name_en": "Class 2 road"}],
    "indicators": [{
        "code": "cigarette_ends", "name_zh": "烟蒂", "name_en": "Cigarette ends",
        "text_zh": "每 1000 平方米路面上的烟蒂数", "text_en": "Cigarette ends on 1000 m² of road",
        "unit": "piece_per_thousand_m2", "operator": "at_most",
        "limits": [{"grade": "class_1", "threshold": "4"}, {"grade": "class_2", "threshold": "8"}],
        "method_zh": "随机抽取路段，清点并拍照", "method_en": "A random segment, counted, with a photo",
        "frequency": {"times": 4, "per": "month"}, "points": "5", "loss": {"kind": "per_excess", "points": "0.5", "step": "1"}
    }]
}))]
pub struct ContentDocument {
    /// Why there is this version, in Chinese; in both languages or in none.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub note_zh: Option<String>,
    /// Why there is this version, in English.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub note_en: Option<String>,
    /// The grades that indicators may tell apart, such as classes of road, the strictest first; none where all places are alike.
    #[schema(max_items = 12)]
    pub grades: Vec<GradeDocument>,
    /// The indicators, in their order.
    #[schema(max_items = 200)]
    pub indicators: Vec<IndicatorDocument>,
}

/// A grade of places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StandardGrade)]
pub struct GradeDocument {
    /// Its code in this standard.
    #[schema(max_length = 40, example = "class_1")]
    pub code: String,
    /// Chinese name.
    #[schema(min_length = 1, max_length = 100, example = "一级道路")]
    pub name_zh: String,
    /// English name.
    #[schema(min_length = 1, max_length = 100, example = "Class 1 road")]
    pub name_en: String,
}

/// Something that is measured, and what it is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Indicator, example = json!({
    "code": "rain_water", "name_zh": "雨后积水", "name_en": "Rain water",
    "text_zh": "雨停后积水清除时限", "text_en": "How soon standing water is cleared after rain",
    "unit": "hour", "operator": "at_most", "limits": [{"grade": null, "threshold": "4", "threshold_to": null}],
    "method_zh": "现场检查并拍照", "method_en": "Looked at on site, with a photo",
    "frequency": null, "counts_from": "occurrence", "points": null, "loss": null, "source_zh": null, "source_en": null
}))]
pub struct IndicatorDocument {
    /// Its code, by which books, inspections and other versions know it again.
    #[schema(max_length = 40, example = "rain_water")]
    pub code: String,
    /// Chinese name. Texts are without invisible characters, and do not begin with `=`, `+`, `-` or `@`.
    #[schema(min_length = 1, max_length = 100, example = "雨后积水")]
    pub name_zh: String,
    /// English name.
    #[schema(min_length = 1, max_length = 100, example = "Rain water")]
    pub name_en: String,
    /// What it demands, in Chinese.
    #[schema(min_length = 1, max_length = 500, example = "雨停后积水清除时限")]
    pub text_zh: String,
    /// What it demands, in English.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "How soon standing water is cleared after rain"
    )]
    pub text_en: String,
    /// In what it is measured.
    pub unit: Unit,
    /// How a measured value is compared with the threshold.
    pub operator: Operator,
    /// The thresholds: one without a grade for all places, or one for each grade of the version.
    #[schema(min_items = 1, max_items = 12)]
    pub limits: Vec<LimitDocument>,
    /// How it is inspected, in Chinese.
    #[schema(min_length = 1, max_length = 500, example = "现场检查并拍照")]
    pub method_zh: String,
    /// How it is inspected, in English.
    #[schema(min_length = 1, max_length = 500, example = "Looked at on site, with a photo")]
    pub method_en: String,
    /// How often it is inspected; `null` where the book says.
    #[serde(default)]
    pub frequency: Option<Frequency>,
    /// For a limit of time that runs for each case by itself: from when. `null` for everything else.
    #[serde(default)]
    pub counts_from: Option<CountsFrom>,
    /// The points that it is worth, its weight among the others: 0 to 100; `null` where the book says.
    #[serde(default)]
    pub points: Option<Score>,
    /// How points are lost; `null` where the book says.
    #[serde(default)]
    pub loss: Option<LossDocument>,
    /// Where it stands, in Chinese, if that is not the source of the standard; in both languages or in none.
    #[serde(default)]
    #[schema(max_length = 200, example = "城市道路清扫保洁合同")]
    pub source_zh: Option<String>,
    /// Where it stands, in English.
    #[serde(default)]
    #[schema(max_length = 200, example = "Contract for street cleaning")]
    pub source_en: Option<String>,
}

/// How a measured value is compared with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = IndicatorOperator)]
pub enum Operator {
    /// ≤
    AtMost,
    /// <
    LessThan,
    /// ≥
    AtLeast,
    /// >
    MoreThan,
    /// =
    EqualTo,
    /// From the threshold to the second one, both counted in.
    Between,
}

impl Operator {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::AtMost,
        Self::LessThan,
        Self::AtLeast,
        Self::MoreThan,
        Self::EqualTo,
        Self::Between,
    ];

    /// The name in the API and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AtMost => "at_most",
            Self::LessThan => "less_than",
            Self::AtLeast => "at_least",
            Self::MoreThan => "more_than",
            Self::EqualTo => "equal_to",
            Self::Between => "between",
        }
    }
}

/// The threshold for one grade, or for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IndicatorLimit, example = json!({"grade": "class_1", "threshold": "4", "threshold_to": null}))]
pub struct LimitDocument {
    /// The code of the grade; `null` for all.
    #[serde(default)]
    #[schema(max_length = 40, example = "class_1")]
    pub grade: Option<String>,
    /// The threshold, an exact decimal, or a time of day; `null` if nothing is demanded of this grade.
    #[serde(default)]
    #[schema(
        pattern = "^((0|[1-9][0-9]{0,8})(\\.[0-9]{1,6})?|([01][0-9]|2[0-3]):[0-5][0-9])$",
        example = "4"
    )]
    pub threshold: Option<String>,
    /// The upper end, for `between` alone.
    #[serde(default)]
    #[schema(
        pattern = "^((0|[1-9][0-9]{0,8})(\\.[0-9]{1,6})?|([01][0-9]|2[0-3]):[0-5][0-9])$",
        example = "6"
    )]
    pub threshold_to: Option<String>,
}

/// How often something is inspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InspectionFrequency)]
pub struct Frequency {
    /// So many times.
    #[schema(minimum = 1, maximum = 1000, example = 4)]
    pub times: u32,
    /// In each such period.
    pub per: Period,
}

/// A period of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = InspectionPeriod)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Period {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Period {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year];

    /// The name in the API and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

/// From when a limit of time runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = IndicatorCountsFrom)]
pub enum CountsFrom {
    /// From what happened: the rain stopped, the post fell vacant.
    Occurrence,
    /// From when it was reported or found.
    Report,
}

impl CountsFrom {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Occurrence, Self::Report];

    /// The name in the API and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Occurrence => "occurrence",
            Self::Report => "report",
        }
    }
}

/// By which rule points are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PointsLossKind)]
pub enum LossKind {
    /// All points of the indicator at once.
    AllOrNothing,
    /// So many for each step beyond the threshold, a step that was begun counted whole.
    PerExcess,
    /// So many for each single thing that was counted.
    PerOccurrence,
}

/// How points are lost where an indicator is not met; never more than it has, or than 100 if it has none of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PointsLoss, example = json!({"kind": "per_excess", "points": "0.5", "step": "1"}))]
pub struct LossDocument {
    /// By which rule.
    pub kind: LossKind,
    /// Points for each step or thing; `null` for `all_or_nothing`.
    #[serde(default)]
    pub points: Option<Score>,
    /// How much is one step, in the unit of the indicator (minutes for a time of day), for `per_excess` alone.
    #[serde(default)]
    #[schema(pattern = "^(0|[1-9][0-9]{0,8})(\\.[0-9]{1,6})?$", example = "1")]
    pub step: Option<String>,
}

impl ContentDocument {
    /// The bytes that are stored and hashed.
    ///
    /// # Errors
    /// A fault if it cannot be written, which it always can.
    pub fn written(&self) -> Result<String, Fault> {
        serde_json::to_string(self).map_err(|error| Fault::caused("write a standard", error))
    }

    /// What was stored.
    ///
    /// # Errors
    /// A fault if it is no such document.
    pub fn stored(content: &str) -> Result<Self, Fault> {
        serde_json::from_str(content).map_err(|error| Fault::caused("read a stored standard", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standards::rules_units::AMOUNT_PATTERN;
    use utoipa::PartialSchema;

    #[test]
    fn names_are_those_of_the_api() {
        let written = |value: serde_json::Value| value.as_str().unwrap().to_owned();
        for operator in Operator::ALL {
            assert_eq!(written(serde_json::to_value(operator).unwrap()), operator.name());
        }
        for period in Period::ALL {
            assert_eq!(written(serde_json::to_value(period).unwrap()), period.name());
        }
        for from in CountsFrom::ALL {
            assert_eq!(written(serde_json::to_value(from).unwrap()), from.name());
        }
        // A macro takes no constants, so the pattern and the limits stand there twice.
        let limit = serde_json::to_value(LimitDocument::schema()).unwrap();
        assert_eq!(limit["properties"]["threshold"]["pattern"], AMOUNT_PATTERN);
        assert_eq!(limit["properties"]["threshold_to"]["pattern"], AMOUNT_PATTERN);
        let content = serde_json::to_value(ContentDocument::schema()).unwrap();
        assert_eq!(content["properties"]["indicators"]["maxItems"], INDICATORS_MAX);
        assert_eq!(content["properties"]["grades"]["maxItems"], GRADES_MAX);
    }
}
