//! What differs between two versions of a standard: indicators that were added, removed or changed, each change field by field,
//! and whether it allows more or less than before, where that can be told. Pure.

use serde::Serialize;
use utoipa::ToSchema;

use crate::standards::rules_evaluation::{Strictness, grades_of, strictness, strictness_in};
use crate::standards::rules_indicators::{Content, Indicator};
use crate::standards::table::{Column, cell};

/// What became of an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = IndicatorChange)]
pub enum Change {
    /// Only the newer version has it.
    Added,
    /// Only the older version has it.
    Removed,
    /// Both have it, and they do not say the same.
    Changed,
}

/// A field of an indicator that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDifference {
    /// The field, as the column of the table is called.
    pub field: &'static str,
    /// The grade, for a threshold that is one grade's.
    pub grade: Option<String>,
    /// What the older version says, as it stands in the table.
    pub before: String,
    /// What the newer version says.
    pub after: String,
    /// Whether that allows more or less; neutral for whatever does not decide what is allowed.
    pub direction: Strictness,
}

/// An indicator that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its code.
    pub code: String,
    /// What became of it.
    pub change: Change,
    /// Whether more or less is allowed, in all grades together.
    pub direction: Strictness,
    /// What differs, if both versions have it.
    pub fields: Vec<FieldDifference>,
}

/// What differs between two versions, in the order of the older one's indicators, then of the newer one's.
pub fn differences(before: &Content, after: &Content) -> Vec<Difference> {
    let mut found = Vec::new();
    for indicator in &before.indicators {
        match after.indicator(&indicator.code) {
            None => found.push(Difference {
                code: indicator.code.clone(),
                change: Change::Removed,
                direction: Strictness::Looser,
                fields: Vec::new(),
            }),
            Some(later) if later != indicator => {
                let fields = fields(indicator, later);
                // The same amounts, written with other decimals, are no difference.
                if !fields.is_empty() {
                    found.push(Difference {
                        code: indicator.code.clone(),
                        change: Change::Changed,
                        direction: strictness(indicator, later),
                        fields,
                    });
                }
            }
            Some(_) => {}
        }
    }
    let added = |later: &&Indicator| before.indicator(&later.code).is_none();
    found.extend(after.indicators.iter().filter(added).map(|later| Difference {
        code: later.code.clone(),
        change: Change::Added,
        direction: Strictness::Tighter,
        fields: Vec::new(),
    }));
    found
}

fn fields(before: &Indicator, after: &Indicator) -> Vec<FieldDifference> {
    let overall = strictness(before, after);
    let mut found = Vec::new();
    for column in Column::PLAIN {
        let (from, to) = (cell(before, column), cell(after, column));
        let is_same = match column {
            Column::Points => before.points == after.points,
            Column::Loss => before.loss == after.loss,
            _ => from == to,
        };
        if is_same {
            continue;
        }
        found.push(FieldDifference {
            field: column.name(),
            grade: None,
            before: from,
            after: to,
            direction: match column {
                Column::Unit | Column::Operator => overall,
                _ => Strictness::Neutral,
            },
        });
    }
    for grade in grades_of(before, after) {
        let (from, to) = (before.demanded(grade), after.demanded(grade));
        if from != to {
            found.push(FieldDifference {
                field: "threshold",
                grade: grade.map(str::to_owned),
                before: before.threshold_cell(from),
                after: after.threshold_cell(to),
                direction: strictness_in(before, after, grade),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::standards::rules_documents::ContentDocument;

    fn content(indicators: Value) -> Content {
        let document: ContentDocument = serde_json::from_value(json!({
            "grades": [{"code": "a", "name_zh": "甲", "name_en": "A"}, {"code": "b", "name_zh": "乙", "name_en": "B"}],
            "indicators": indicators,
        }))
        .unwrap();
        Content::checked(&document).unwrap()
    }

    fn named(code: &str, change: impl FnOnce(&mut Value)) -> Value {
        let mut one = json!({
            "code": code, "name_zh": "一", "name_en": "one", "text_zh": "一", "text_en": "one", "unit": "hour",
            "operator": "at_most", "limits": [{"grade": "a", "threshold": "4"}, {"grade": "b", "threshold": "6"}],
            "method_zh": "看", "method_en": "looked at",
        });
        change(&mut one);
        one
    }

    #[test]
    fn every_field_that_differs_is_told_with_its_direction() {
        let before = content(json!([
            named("kept", |_| {}),
            named("gone", |_| {}),
            named("changed", |_| {}),
            named("unit", |_| {})
        ]));
        let after = content(json!([
            named(
                "kept",
                |one| one["limits"] =
                    json!([{"grade": "a", "threshold": "4.0"}, {"grade": "b", "threshold": "6"}])
            ),
            named("changed", |one| {
                one["limits"] = json!([{"grade": "a", "threshold": "3"}, {"grade": "b", "threshold": null}]);
                one["name_en"] = json!("another");
                one["points"] = json!("5");
            }),
            named("unit", |one| {
                one["unit"] = json!("minute");
                one["limits"] =
                    json!([{"grade": "a", "threshold": "240"}, {"grade": "b", "threshold": "300"}]);
            }),
            named("new", |_| {}),
        ]));
        let found = differences(&before, &after);
        let heads: Vec<_> = found
            .iter()
            .map(|one| (one.code.as_str(), one.change, one.direction))
            .collect();
        use Strictness::{Looser, Neutral, NotComparable, Tighter};
        let expected = [
            ("gone", Change::Removed, Looser),
            ("changed", Change::Changed, NotComparable),
            ("unit", Change::Changed, Tighter),
            ("new", Change::Added, Tighter),
        ];
        assert_eq!(heads, expected);
        let told = |of: &Difference| -> Vec<(&'static str, Option<String>, String, String, Strictness)> {
            let fields = of.fields.iter().cloned();
            fields
                .map(|one| (one.field, one.grade, one.before, one.after, one.direction))
                .collect()
        };
        let text = str::to_owned;
        assert_eq!(
            told(&found[1]),
            [
                ("name_en", None, text("one"), text("another"), Neutral),
                ("points", None, text(""), text("5"), Neutral),
                ("threshold", Some(text("a")), text("4"), text("3"), Tighter),
                ("threshold", Some(text("b")), text("6"), text("–"), Looser),
            ]
        );
        assert_eq!(
            told(&found[2]),
            [
                ("unit", None, text("hour"), text("minute"), Tighter),
                ("threshold", Some(text("a")), text("4"), text("240"), Neutral),
                ("threshold", Some(text("b")), text("6"), text("300"), Tighter),
            ]
        );
        assert_eq!(differences(&before, &before), []);
        let back = differences(&after, &before);
        assert_eq!(
            back.iter().find(|one| one.code == "unit").unwrap().direction,
            Looser
        );
    }
}
