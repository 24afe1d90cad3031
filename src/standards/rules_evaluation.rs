//! Judging one measured value by an indicator, and one indicator by another. What an indicator demands is a range of values; a
//! value meets it that lies in the range, and an indicator is at least as strict as another whose range its own lies in. So
//! nothing that a looser one fails can pass a stricter one. Pure; everything is compared as exact fractions.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::refusal::Objection;
use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::standards::rules_documents::{CountsFrom, Operator};
use crate::standards::rules_indicators::{Content, Indicator, Limits, Loss, Threshold};
use crate::standards::rules_units::{Amount, Exact, Unit};
use crate::text;

/// A value that was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// In which unit.
    pub unit: Unit,
    /// How much, as it was written down.
    pub value: String,
    /// On how many square metres it was counted, for what is so many on 1000 m².
    pub sample_area_m2: Option<String>,
}

/// How a measured value stands to what is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EvaluationOutcome)]
pub enum Outcome {
    /// It is as it should be.
    Met,
    /// It is not.
    NotMet,
    /// Nothing is demanded of places of this grade.
    NoRequirement,
}

/// What came of judging a measured value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// Whether it is met.
    pub outcome: Outcome,
    /// The value in the unit of the indicator, and whether its six decimals are all of it.
    pub measured: (Decimal, bool),
    /// By how much it is not met, and whether the six decimals are all of it; in the unit of differences.
    pub shortfall: Option<(Decimal, bool)>,
    /// Points lost; `None` where the indicator does not say how points are lost.
    pub points_lost: Option<Score>,
}

/// An end of a range.
#[derive(Clone, Copy, Debug)]
struct End {
    at: Exact,
    /// True if the end itself lies in the range.
    is_in: bool,
}

/// The values that an indicator allows, in the smallest unit of its dimension; without an end it goes on for ever.
#[derive(Clone, Copy, Debug, Default)]
struct Range {
    low: Option<End>,
    high: Option<End>,
}

impl Range {
    fn of(indicator: &Indicator, grade: Option<&str>) -> Option<Self> {
        let Some(threshold) = indicator.demanded(grade) else {
            return Some(Self::default());
        };
        let (from, to) = match threshold {
            Threshold::At(at) => (at, at),
            Threshold::Between(from, to) => (from, to),
        };
        let end = |amount: Amount, is_in| -> Option<End> {
            let at = indicator.unit.exact(amount)?;
            Some(End { at, is_in })
        };
        let (low, high) = match indicator.operator {
            Operator::AtMost => (None, Some(end(to, true)?)),
            Operator::LessThan => (None, Some(end(to, false)?)),
            Operator::AtLeast => (Some(end(from, true)?), None),
            Operator::MoreThan => (Some(end(from, false)?), None),
            Operator::EqualTo | Operator::Between => (Some(end(from, true)?), Some(end(to, true)?)),
        };
        Some(Self { low, high })
    }

    /// How far a value lies beyond an end of the range; `Some(None)` if it lies in it.
    fn beyond(&self, value: Exact) -> Option<Option<Exact>> {
        if let Some(high) = self.high {
            match value.compare(high.at)? {
                Ordering::Greater => return value.minus(high.at).map(Some),
                Ordering::Equal if !high.is_in => return value.minus(high.at).map(Some),
                _ => {}
            }
        }
        if let Some(low) = self.low {
            match value.compare(low.at)? {
                Ordering::Less => return low.at.minus(value).map(Some),
                Ordering::Equal if !low.is_in => return low.at.minus(value).map(Some),
                _ => {}
            }
        }
        Some(None)
    }

    /// True if every value of `self` is one of `other`'s.
    fn lies_in(&self, other: &Self) -> Option<bool> {
        let inside = |mine: Option<End>, theirs: Option<End>, beyond: Ordering| match (mine, theirs) {
            (_, None) => Some(true),
            (None, Some(_)) => Some(false),
            (Some(mine), Some(theirs)) => {
                let order = mine.at.compare(theirs.at)?;
                Some(order != beyond && (order != Ordering::Equal || theirs.is_in || !mine.is_in))
            }
        };
        Some(
            inside(self.high, other.high, Ordering::Greater)? && inside(self.low, other.low, Ordering::Less)?,
        )
    }
}

fn fault(pointer: &str, code: &'static str, detail: Text) -> Objection {
    Objection {
        pointer: pointer.to_owned(),
        code,
        detail,
    }
}

fn out_of_range() -> Objection {
    fault(
        "/value",
        "out_of_range",
        Text::fixed("数值过大，无法比较", "is too large to be compared"),
    )
}

/// Judges a measured value of a place of this grade by an indicator of `content`.
///
/// # Errors
/// The first of: a grade that is missing or that the version does not have; a unit of another dimension; a value or sample that
/// cannot be read; a sample where none belongs. Each with its place in the measurement.
pub fn evaluate(
    content: &Content,
    indicator: &Indicator,
    grade: Option<&str>,
    measured: &Measured,
) -> Result<Evaluation, Objection> {
    check_grade(content, indicator, grade)?;
    let value = exact_of(indicator.unit, measured)?;
    let in_unit = value.in_unit(indicator.unit).ok_or_else(out_of_range)?;
    if indicator.demanded(grade).is_none() {
        return Ok(Evaluation {
            outcome: Outcome::NoRequirement,
            measured: in_unit,
            shortfall: None,
            points_lost: indicator.loss.map(|_| Score::ZERO),
        });
    }
    let range = Range::of(indicator, grade).ok_or_else(out_of_range)?;
    let Some(beyond) = range.beyond(value).ok_or_else(out_of_range)? else {
        return Ok(Evaluation {
            outcome: Outcome::Met,
            measured: in_unit,
            shortfall: None,
            points_lost: indicator.loss.map(|_| Score::ZERO),
        });
    };
    Ok(Evaluation {
        outcome: Outcome::NotMet,
        measured: in_unit,
        shortfall: Some(
            beyond
                .in_unit(indicator.unit.difference())
                .ok_or_else(out_of_range)?,
        ),
        points_lost: match indicator.loss {
            None => None,
            Some(loss) => Some(lost(indicator, loss, value, beyond).ok_or_else(out_of_range)?),
        },
    })
}

fn check_grade(content: &Content, indicator: &Indicator, grade: Option<&str>) -> Result<(), Objection> {
    let graded = matches!(indicator.limits, Limits::ByGrade(_));
    match grade {
        None if graded => Err(fault(
            "/grade",
            "required",
            Text::fixed(
                "该指标分等级，请注明等级",
                "is required: the indicator tells grades apart",
            ),
        )),
        Some(grade) if !content.grades.iter().any(|known| known.code == grade) => Err(fault(
            "/grade",
            "unknown_grade",
            Text::fixed("本版没有这个等级", "the version has no such grade"),
        )),
        _ => Ok(()),
    }
}

/// The measured value in the smallest unit of the indicator's dimension.
fn exact_of(unit: Unit, measured: &Measured) -> Result<Exact, Objection> {
    let counted = unit.counted() == Some(measured.unit);
    if !counted && measured.unit.dimension() != unit.dimension() {
        let (wanted, given) = (unit.name(), measured.unit.name());
        return Err(fault(
            "/unit",
            "wrong_dimension",
            text!(
                "{given} 不能换算为 {wanted}",
                "{given} cannot be converted into {wanted}"
            ),
        ));
    }
    let read =
        |pointer: &str, amount: Result<Amount, Text>| amount.map_err(|why| fault(pointer, "not_valid", why));
    let value = read("/value", measured.unit.read(&measured.value))?;
    let exact = match (&measured.sample_area_m2, counted) {
        (None, false) => measured.unit.exact(value),
        (Some(area), true) => {
            let area = read("/sample_area_m2", Amount::read(area))?;
            if area == Amount::ZERO {
                let detail = Text::fixed("应大于 0", "must be more than 0");
                return Err(fault("/sample_area_m2", "out_of_range", detail));
            }
            unit.scaled(value, area)
        }
        (None, true) => {
            let detail = Text::fixed(
                "计数须注明抽查面积（平方米）",
                "is required: on how many square metres it was counted",
            );
            return Err(fault("/sample_area_m2", "required", detail));
        }
        (Some(_), false) => {
            let detail = Text::fixed("此单位不需要抽查面积", "does not belong to a value in this unit");
            return Err(fault("/sample_area_m2", "not_wanted", detail));
        }
    };
    exact.ok_or_else(out_of_range)
}

/// What is lost where a value lies beyond the range: never more than the indicator is worth, or 100 if it does not say.
fn lost(indicator: &Indicator, loss: Loss, value: Exact, beyond: Exact) -> Option<Score> {
    let most = indicator.points.unwrap_or(Score::HUNDRED);
    let (points, times) = match loss {
        Loss::AllOrNothing => return Some(most),
        Loss::PerExcess(points, step) => {
            let step = indicator.unit.difference().exact(step)?;
            // What lies on the end of a range without that end is not met either: one step, though it is beyond by nothing.
            (points, beyond.steps(step)?.max(1))
        }
        Loss::PerOccurrence(points) => (points, value.steps(Unit::Occurrence.exact(Amount::ONE)?)?),
    };
    let lost = points.points().checked_mul(Decimal::from(times));
    let lost = lost.and_then(|lost| Score::new(lost.normalize()).ok());
    // More than a score can say is more than there is to lose.
    Some(lost.map_or(most, |lost| lost.min(most)))
}

/// Until when something is to be done that counts from an instant: how long, or how many working days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeLimit {
    /// So many seconds, rounded up.
    Seconds(u64),
    /// So many working days of the ward's calendar, a part of one counted whole.
    WorkingDays(u64),
}

/// The limit of time that runs for each case of a place of this grade, and from when; `None` for every other indicator.
pub fn time_limit(indicator: &Indicator, grade: Option<&str>) -> Option<(CountsFrom, TimeLimit)> {
    let from = indicator.counts_from?;
    let Threshold::At(limit) = indicator.demanded(grade)? else {
        return None;
    };
    let exact = indicator.unit.exact(limit)?;
    let one = indicator.unit.difference();
    let limit = match one {
        Unit::WorkingDay => TimeLimit::WorkingDays(exact.steps(one.exact(Amount::ONE)?)?),
        _ => TimeLimit::Seconds(exact.steps(Exact::part_of_one(60)?)?),
    };
    Some((from, limit))
}

/// How one indicator stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Strictness)]
pub enum Strictness {
    /// It allows less.
    Tighter,
    /// It allows the same, or it is not a question of more or less.
    Neutral,
    /// It allows more.
    Looser,
    /// It allows something that the other does not, and the other something that it does not; or they measure different things.
    NotComparable,
}

impl Strictness {
    /// True if nothing is allowed that was not allowed before.
    pub const fn is_at_least_as_strict(self) -> bool {
        matches!(self, Self::Tighter | Self::Neutral)
    }

    /// Both together: tighter in one grade and looser in another is neither.
    const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Neutral, one) | (one, Self::Neutral) => one,
            (Self::Tighter, Self::Tighter) => Self::Tighter,
            (Self::Looser, Self::Looser) => Self::Looser,
            _ => Self::NotComparable,
        }
    }
}

/// How `after` stands to `before` for places of one grade, or of none.
pub fn strictness_in(before: &Indicator, after: &Indicator, grade: Option<&str>) -> Strictness {
    if before.unit.dimension() != after.unit.dimension() {
        return Strictness::NotComparable;
    }
    let ranges = Range::of(before, grade).zip(Range::of(after, grade));
    let judged = ranges.and_then(|(before, after)| after.lies_in(&before).zip(before.lies_in(&after)));
    match judged {
        Some((true, true)) => Strictness::Neutral,
        Some((true, false)) => Strictness::Tighter,
        Some((false, true)) => Strictness::Looser,
        _ => Strictness::NotComparable,
    }
}

/// The grades that two indicators tell apart between them; the one without a grade if neither does.
pub fn grades_of<'i>(before: &'i Indicator, after: &'i Indicator) -> Vec<Option<&'i str>> {
    let mut grades = Vec::new();
    for (grade, _) in before.thresholds().into_iter().chain(after.thresholds()) {
        if !grades.contains(&grade) {
            grades.push(grade);
        }
    }
    if grades.len() > 1 {
        // What holds without a grade holds for each of the others.
        grades.retain(Option::is_some);
    }
    grades
}

/// How `after` stands to `before` in all grades together: a grade of which one of them knows nothing is one of which it demands
/// nothing.
pub fn strictness(before: &Indicator, after: &Indicator) -> Strictness {
    grades_of(before, after)
        .into_iter()
        .map(|grade| strictness_in(before, after, grade))
        .fold(Strictness::Neutral, Strictness::and)
}

/// Where a book's indicators fall short of the standard that it is to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// The indicator of the standard.
    pub code: String,
    /// How the book's stands to it; `None` if the book does not have it.
    pub strictness: Option<Strictness>,
}

/// Every indicator of the standard that `set` lost, or that is there less strict than it was. A book may tighten and add; it
/// never loses anything silently.
pub fn departures(standard: &[Indicator], set: &[Indicator]) -> Vec<Departure> {
    let judge = |demanded: &Indicator| {
        let kept = set.iter().find(|indicator| indicator.code == demanded.code);
        let strictness = kept.map(|kept| strictness(demanded, kept));
        let falls_short = strictness.is_none_or(|strictness| !strictness.is_at_least_as_strict());
        falls_short.then(|| Departure {
            code: demanded.code.clone(),
            strictness,
        })
    };
    standard.iter().filter_map(judge).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::standards::rules_documents::ContentDocument;

    fn content(indicator: Value) -> Content {
        let document: ContentDocument = serde_json::from_value(json!({
            "grades": [{"code": "a", "name_zh": "甲", "name_en": "A"}, {"code": "b", "name_zh": "乙", "name_en": "B"}],
            "indicators": [indicator],
        }))
        .unwrap();
        Content::checked(&document).unwrap()
    }

    fn indicator(unit: &str, operator: &str, limits: Value) -> Value {
        json!({
            "code": "one", "name_zh": "一", "name_en": "one", "text_zh": "一", "text_en": "one", "unit": unit,
            "operator": operator, "limits": limits, "method_zh": "看", "method_en": "looked at",
        })
    }

    fn simple(unit: &str, operator: &str, threshold: &str) -> Value {
        indicator(unit, operator, json!([{ "threshold": threshold }]))
    }

    fn typed(value: Value) -> Indicator {
        content(value).indicators.remove(0)
    }

    fn judged(
        of: &Value,
        grade: Option<&str>,
        unit: Unit,
        value: &str,
        area: Option<&str>,
    ) -> Result<Evaluation, (String, &'static str)> {
        let content = content(of.clone());
        let measured = Measured {
            unit,
            value: value.to_owned(),
            sample_area_m2: area.map(str::to_owned),
        };
        evaluate(&content, &content.indicators[0], grade, &measured)
            .map_err(|fault| (fault.pointer, fault.code))
    }

    #[test]
    fn each_operator_has_its_own_ends() {
        use Outcome::{Met, NotMet};
        for (operator, below, at, above) in [
            ("at_most", Met, Met, NotMet),
            ("less_than", Met, NotMet, NotMet),
            ("at_least", NotMet, Met, Met),
            ("more_than", NotMet, NotMet, Met),
            ("equal_to", NotMet, Met, NotMet),
        ] {
            let of = simple("percent", operator, "2");
            let outcome = |value: &str| judged(&of, None, Unit::Percent, value, None).unwrap().outcome;
            assert_eq!(
                (outcome("1.999999"), outcome("2.0"), outcome("2.000001")),
                (below, at, above),
                "{operator}"
            );
        }
        let of = indicator(
            "percent",
            "between",
            json!([{"threshold": "2", "threshold_to": "5"}]),
        );
        let outcome = |value: &str| judged(&of, None, Unit::Percent, value, None).unwrap().outcome;
        assert_eq!(
            [outcome("1.9"), outcome("2"), outcome("5"), outcome("5.1")],
            [NotMet, Met, Met, NotMet]
        );
    }

    #[test]
    fn units_of_the_same_dimension_are_converted_and_others_refused() {
        let of = simple("hour", "at_most", "4");
        let late = judged(&of, None, Unit::Minute, "250", None).unwrap();
        assert_eq!(late.outcome, Outcome::NotMet);
        // Ten minutes of an hour have no end as a decimal, and it says so.
        assert_eq!(late.shortfall, Some((Decimal::new(166_667, 6), false)));
        assert_eq!(
            judged(&of, None, Unit::Minute, "240", None).unwrap().outcome,
            Outcome::Met
        );
        let refused = |unit, value: &str, area| judged(&of, None, unit, value, area).unwrap_err();
        assert_eq!(
            refused(Unit::Percent, "4", None),
            ("/unit".to_owned(), "wrong_dimension")
        );
        assert_eq!(
            refused(Unit::WorkingDay, "4", None),
            ("/unit".to_owned(), "wrong_dimension")
        );
        assert_eq!(
            refused(Unit::Hour, "-4", None),
            ("/value".to_owned(), "not_valid")
        );
        assert_eq!(
            refused(Unit::Hour, "4", Some("1000")),
            ("/sample_area_m2".to_owned(), "not_wanted")
        );
        let sweep = simple("time_of_day", "at_most", "07:30");
        let late = judged(&sweep, None, Unit::TimeOfDay, "07:42", None).unwrap();
        assert_eq!(
            (late.outcome, late.shortfall),
            (Outcome::NotMet, Some((Decimal::from(12), true)))
        );
    }

    #[test]
    fn a_count_is_judged_by_the_area_it_was_made_on() {
        let limits = json!([{"grade": "a", "threshold": "4"}, {"grade": "b", "threshold": null}]);
        let mut of = indicator("piece_per_thousand_m2", "at_most", limits);
        let go = |of: &Value, grade, unit, value: &str, area| judged(of, grade, unit, value, area);
        let twice = go(&of, Some("a"), Unit::Piece, "4", Some("500")).unwrap();
        assert_eq!(
            (twice.outcome, twice.measured),
            (Outcome::NotMet, (Decimal::from(8), true))
        );
        assert_eq!(twice.shortfall, Some((Decimal::from(4), true)));
        assert_eq!(
            go(&of, Some("a"), Unit::Piece, "2", Some("500")).unwrap().outcome,
            Outcome::Met
        );
        assert_eq!(
            go(&of, Some("b"), Unit::Piece, "9", Some("500")).unwrap().outcome,
            Outcome::NoRequirement
        );
        let refused = |grade, unit, area| go(&of, grade, unit, "1", area).unwrap_err();
        assert_eq!(
            refused(None, Unit::Piece, Some("500")),
            ("/grade".to_owned(), "required")
        );
        assert_eq!(
            refused(Some("c"), Unit::Piece, Some("500")),
            ("/grade".to_owned(), "unknown_grade")
        );
        assert_eq!(
            refused(Some("a"), Unit::Piece, None),
            ("/sample_area_m2".to_owned(), "required")
        );
        assert_eq!(
            refused(Some("a"), Unit::Piece, Some("0")),
            ("/sample_area_m2".to_owned(), "out_of_range")
        );
        assert_eq!(
            refused(Some("a"), Unit::Spot, Some("500")),
            ("/unit".to_owned(), "wrong_dimension")
        );

        // Each piece over it that was begun costs half a point, and five points are all there are.
        of["points"] = json!("5");
        of["loss"] = json!({"kind": "per_excess", "points": "0.5", "step": "1"});
        let lost = |value: &str, area| {
            go(&of, Some("a"), Unit::Piece, value, Some(area))
                .unwrap()
                .points_lost
                .unwrap()
                .to_string()
        };
        assert_eq!(
            [
                lost("4", "1000"),
                lost("5", "1000"),
                lost("2", "300"),
                lost("999", "1")
            ],
            ["0", "0.5", "1.5", "5"]
        );
    }

    #[test]
    fn points_are_lost_by_the_rule_and_never_more_than_there_are() {
        let mut of = simple("occurrence", "at_most", "0");
        let lost = |of: &Value, value: &str| {
            judged(of, None, Unit::Occurrence, value, None)
                .unwrap()
                .points_lost
                .map(|lost| lost.to_string())
        };
        assert_eq!(lost(&of, "3"), None, "where no rule is, nothing is said");
        of["loss"] = json!({"kind": "per_occurrence", "points": "3"});
        assert_eq!(
            ["0", "1", "7", "40", "999999999"].map(|value| lost(&of, value).unwrap()),
            ["0", "3", "21", "100", "100"]
        );
        of["points"] = json!("10");
        assert_eq!(lost(&of, "7").unwrap(), "10");
        of["loss"] = json!({"kind": "all_or_nothing"});
        assert_eq!(lost(&of, "1").unwrap(), "10");
        // On the end of a range without its end: not met by nothing, and yet not met.
        let mut rare = simple("percent", "less_than", "2");
        rare["loss"] = json!({"kind": "per_excess", "points": "1", "step": "0.5"});
        let evaluation = judged(&rare, None, Unit::Percent, "2", None).unwrap();
        assert_eq!(
            (evaluation.shortfall, evaluation.points_lost.unwrap().to_string()),
            (Some((Decimal::ZERO, true)), "1".to_owned())
        );
    }

    #[test]
    fn a_limit_of_time_says_from_when_and_how_long() {
        let mut of = simple("hour", "at_most", "0.5");
        assert_eq!(time_limit(&typed(of.clone()), None), None);
        of["counts_from"] = json!("report");
        assert_eq!(
            time_limit(&typed(of), None),
            Some((CountsFrom::Report, TimeLimit::Seconds(1_800)))
        );
        let mut of = simple("working_day", "at_most", "7");
        of["counts_from"] = json!("occurrence");
        assert_eq!(
            time_limit(&typed(of), None),
            Some((CountsFrom::Occurrence, TimeLimit::WorkingDays(7)))
        );
    }

    #[test]
    fn strictness_is_told_across_units_operators_and_grades() {
        use Strictness::{Looser, Neutral, NotComparable, Tighter};
        let go = |before: &Value, after: &Value| strictness(&typed(before.clone()), &typed(after.clone()));
        let four = simple("hour", "at_most", "4");
        for (after, expected) in [
            (simple("minute", "at_most", "240"), Neutral),
            (simple("minute", "at_most", "180"), Tighter),
            (simple("hour", "at_most", "4.000001"), Looser),
            (simple("hour", "less_than", "4"), Tighter),
            (simple("hour", "at_least", "4"), NotComparable),
            (simple("hour", "equal_to", "3"), Tighter),
            (
                indicator(
                    "hour",
                    "between",
                    json!([{"threshold": "1", "threshold_to": "5"}]),
                ),
                NotComparable,
            ),
            (simple("percent", "at_most", "4"), NotComparable),
            (
                indicator(
                    "hour",
                    "at_most",
                    json!([{"grade": "a", "threshold": "4"}, {"grade": "b", "threshold": "3"}]),
                ),
                Tighter,
            ),
            (
                indicator(
                    "hour",
                    "at_most",
                    json!([{"grade": "a", "threshold": "4"}, {"grade": "b", "threshold": null}]),
                ),
                Looser,
            ),
            (
                indicator(
                    "hour",
                    "at_most",
                    json!([{"grade": "a", "threshold": "3"}, {"grade": "b", "threshold": "5"}]),
                ),
                NotComparable,
            ),
        ] {
            assert_eq!(go(&four, &after), expected, "{after}");
            let back = match expected {
                Tighter => Looser,
                Looser => Tighter,
                other => other,
            };
            assert_eq!(go(&after, &four), back, "{after}");
        }
    }

    #[test]
    fn nothing_is_lost_or_loosened_silently() {
        let named = |code: &str, threshold: &str| {
            let mut one = typed(simple("hour", "at_most", threshold));
            one.code = code.to_owned();
            one
        };
        let standard = [named("rain", "4"), named("waste", "1"), named("snow", "6")];
        assert_eq!(departures(&standard, &standard), []);
        let set = [named("rain", "3"), named("waste", "2"), named("more", "1")];
        let found = departures(&standard, &set);
        let expected = [("waste", Some(Strictness::Looser)), ("snow", None)];
        assert_eq!(
            found
                .iter()
                .map(|one| (one.code.as_str(), one.strictness))
                .collect::<Vec<_>>(),
            expected
        );
    }

    const OPERATORS: [&str; 6] = [
        "at_most",
        "less_than",
        "at_least",
        "more_than",
        "equal_to",
        "between",
    ];

    prop_compose! {
        fn any_indicator()(operator in 0_usize..6, from in 0_u32..40, more in 0_u32..20, unit in 0_usize..3) -> Indicator {
            let unit = ["minute", "hour", "day"][unit];
            let limit = if operator == 5 { json!({"threshold": from.to_string(), "threshold_to": (from + more).to_string()}) } else { json!({"threshold": from.to_string()}) };
            typed(indicator(unit, OPERATORS[operator], json!([limit])))
        }
    }

    proptest! {
        /// Whatever is at least as strict lets nothing pass that failed before.
        #[test]
        fn tightening_never_turns_not_met_into_met(before in any_indicator(), after in any_indicator(), value in 0_u64..60_000, places in 0_u32..3) {
            let measured = Measured { unit: Unit::Minute, value: Decimal::new(i64::try_from(value).unwrap(), places).to_string(), sample_area_m2: None };
            let content = Content::default();
            let outcome = |indicator: &Indicator| evaluate(&content, indicator, None, &measured).unwrap().outcome;
            if strictness(&before, &after).is_at_least_as_strict() && outcome(&before) == Outcome::NotMet {
                prop_assert_eq!(outcome(&after), Outcome::NotMet);
            }
        }

        /// A worse value never costs less.
        #[test]
        fn points_lost_grow_with_the_excess(limit in 0_u32..50, value in 0_u32..200, worse in 0_u32..50, step in 1_u32..9) {
            let mut of = simple("piece", "at_most", &limit.to_string());
            of["points"] = json!("20");
            of["loss"] = json!({"kind": "per_excess", "points": "0.7", "step": step.to_string()});
            let lost = |value: u32| judged(&of, None, Unit::Piece, &value.to_string(), None).unwrap().points_lost.unwrap();
            prop_assert!(lost(value) <= lost(value + worse));
            prop_assert!(lost(value) <= "20".parse().unwrap());
        }
    }
}
