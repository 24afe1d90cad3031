//! What the items of an inspection are worth, and what it scores. Pure.
//!
//! An indicator counts in one of three ways. With points of its own it is *weighted*: it gives what it is worth less what is lost. With a rule of
//! loss and no points of its own it is a *deduction* from the score itself (visitor check missed −3). With neither it is weighted with one point,
//! all or nothing, so that a standard that names no points still scores as the share of what is met. What is not demanded of a place of this grade, and
//! what was not inspected, does not count. The score is 100 × obtained ÷ possible of what is weighted, less the deductions, and never below 0; it is
//! computed exactly and rounded once, half up, to two places.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::contracts::rules_inspections_document::ItemDocument;
use crate::kernel::fixed::{Rounding, divide, units_of};
use crate::kernel::refusal::Fault;
use crate::kernel::score::{SCORE_PLACES_MAX, Score};
use crate::standards::rules_evaluation::{Evaluation, Outcome};
use crate::standards::rules_indicators::Indicator;

/// Decimals of a score.
pub const SCORE_PLACES: u32 = 2;
/// What an indicator is worth that says neither what it is worth nor how points are lost.
const USUAL_POINTS: Score = Score::ONE;

/// How an item counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = InspectionItemBasis)]
pub enum Basis {
    /// With the points that it is worth, of which some are lost.
    Weighted,
    /// As points off the score itself.
    Deduction,
    /// Not at all: nothing is demanded of a place of this grade.
    NotDemanded,
}

/// What an item is worth, and what of it is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Points {
    /// How it counts.
    pub basis: Basis,
    /// The points that it is worth, if it is weighted.
    pub possible: Score,
    /// The points lost.
    pub lost: Score,
}

/// The points of an evaluated indicator.
pub fn points(indicator: &Indicator, evaluation: &Evaluation) -> Points {
    if evaluation.outcome == Outcome::NoRequirement {
        return Points {
            basis: Basis::NotDemanded,
            possible: Score::ZERO,
            lost: Score::ZERO,
        };
    }
    let all_or_nothing = |worth: Score| match evaluation.outcome {
        Outcome::NotMet => worth,
        Outcome::Met | Outcome::NoRequirement => Score::ZERO,
    };
    match (indicator.points, evaluation.points_lost) {
        (None, Some(lost)) => Points {
            basis: Basis::Deduction,
            possible: Score::ZERO,
            lost,
        },
        (worth, lost) => {
            let possible = worth.unwrap_or(USUAL_POINTS);
            Points {
                basis: Basis::Weighted,
                possible,
                lost: lost.unwrap_or_else(|| all_or_nothing(possible)).min(possible),
            }
        }
    }
}

/// The sums from which a score follows, in points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// What everything weighted was worth.
    pub possible: Decimal,
    /// What of it was obtained.
    pub obtained: Decimal,
    /// What is taken off the score.
    pub deducted: Decimal,
    /// The score; `None` if nothing counts.
    pub score: Option<Score>,
}

/// Adds up the points of items.
///
/// # Errors
/// A fault of arithmetic, which no inspection of so few items can come to.
pub fn tally<'i>(items: impl IntoIterator<Item = &'i ItemDocument>) -> Result<Tally, Fault> {
    let broken = || Fault::broken("the points of an inspection do not add up");
    let (mut possible, mut lost, mut deducted, mut is_anything) = (0_i128, 0_i128, 0_i128, false);
    for item in items {
        let millionths = |score: Score| units_of(score.points(), SCORE_PLACES_MAX).ok_or_else(broken);
        let sum = |sum: i128, score: Score| sum.checked_add(millionths(score)?).ok_or_else(broken);
        match item.basis {
            Basis::Weighted => {
                possible = sum(possible, item.possible)?;
                lost = sum(lost, item.lost)?;
            }
            Basis::Deduction => {
                deducted = sum(deducted, item.lost)?;
                is_anything = true;
            }
            Basis::NotDemanded => {}
        }
    }
    let obtained = possible.checked_sub(lost).ok_or_else(broken)?;
    let decimal = |millionths: i128| {
        let decimal = Decimal::try_from_i128_with_scale(millionths, SCORE_PLACES_MAX);
        decimal.map(|decimal| decimal.normalize()).map_err(|_| broken())
    };
    Ok(Tally {
        possible: decimal(possible)?,
        obtained: decimal(obtained)?,
        deducted: decimal(deducted)?,
        score: if possible > 0 || is_anything {
            Some(score(possible, obtained, deducted).ok_or_else(broken)?)
        } else {
            None
        },
    })
}

/// 100 × obtained ÷ possible − deducted, all in millionths of a point; where nothing is weighted, 100 − deducted.
fn score(possible: i128, obtained: i128, deducted: i128) -> Option<Score> {
    const MILLION: i128 = 1_000_000;
    let (obtained, possible) = if possible > 0 {
        (obtained, possible)
    } else {
        (1, 1)
    };
    let full = obtained.checked_mul(100)?.checked_mul(MILLION)?;
    let dividend = full.checked_sub(deducted.checked_mul(possible)?)?.max(0);
    let hundredths = dividend.checked_mul(100)?;
    let rounded = divide(hundredths, possible.checked_mul(MILLION)?, Rounding::HalfUp)?;
    let decimal = Decimal::try_from_i128_with_scale(rounded, SCORE_PLACES).ok()?;
    Score::new(decimal).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::rules_inspections::tests::{check, item, new};
    use crate::contracts::rules_inspections::{ITEMS_MAX, NewInspection};
    use proptest::prelude::*;

    fn scored(new: &NewInspection) -> (String, String, String, Option<String>) {
        let checked = check(new, None).unwrap();
        let tally = tally(&checked.items).unwrap();
        (
            tally.possible.to_string(),
            tally.obtained.to_string(),
            tally.deducted.to_string(),
            tally.score.map(|score| score.to_string()),
        )
    }

    #[test]
    fn points_are_lost_by_each_indicators_own_rule() {
        // 7 ends on 1000 m² where 4 are allowed: 3 steps of half a point. Everything else is met.
        let inspection = new(vec![
            item("ends", "7", Some("1000")),
            item("washing", "3", None),
            item("bins", "95", None),
            item("first_sweep", "07:30", None),
        ]);
        assert_eq!(
            scored(&inspection),
            ("10".into(), "8.5".into(), "0".into(), Some("85.00".into()))
        );
        // Three guards asleep are nine points off, whatever else was looked at; nothing falls below zero.
        let asleep = |times: &str| {
            new(vec![
                item("bins", "94", None),
                item("washing", "3", None),
                item("asleep", times, None),
            ])
        };
        assert_eq!(
            scored(&asleep("3")),
            ("4".into(), "1".into(), "9".into(), Some("16.00".into()))
        );
        assert_eq!(scored(&asleep("30")).3.unwrap(), "0.00");
        assert_eq!(scored(&new(vec![item("asleep", "1", None)])).3.unwrap(), "97.00");
        // Two of three that name no points are met.
        let plain = new(vec![
            item("washing", "2", None),
            item("first_sweep", "07:31", None),
            item("bins", "100", None),
        ]);
        assert_eq!(scored(&plain).3.unwrap(), "60.00");
    }

    #[test]
    fn what_is_not_demanded_of_a_place_does_not_count() {
        let mut inspection = new(vec![item("washing", "0", None)]);
        inspection.grade = Some("class_4".to_owned());
        let checked = check(&inspection, None).unwrap();
        assert_eq!(
            (checked.items[0].basis, &*checked.items[0].demanded),
            (Basis::NotDemanded, "–")
        );
        assert_eq!(tally(&checked.items).unwrap().score, None);
        inspection.items.push(item("ends", "15", Some("1000")));
        assert_eq!(scored(&inspection).3.unwrap(), "100.00");
    }

    fn any_item() -> impl Strategy<Value = ItemDocument> {
        let template = check(&new(vec![item("bins", "95", None)]), None)
            .unwrap()
            .items
            .remove(0);
        let basis = prop::sample::select(vec![Basis::Weighted, Basis::Deduction, Basis::NotDemanded]);
        (basis, 0_i64..=100_000_000, 0_i64..=100_000_000).prop_map(move |(basis, possible, lost)| {
            let points = |millionths: i64| Score::new(Decimal::new(millionths, 6)).unwrap();
            let (possible, lost) = match basis {
                Basis::Weighted => (possible, lost.min(possible)),
                Basis::Deduction => (0, lost),
                Basis::NotDemanded => (0, 0),
            };
            ItemDocument {
                basis,
                possible: points(possible),
                lost: points(lost),
                ..template.clone()
            }
        })
    }

    proptest! {
        #[test]
        fn a_score_lies_between_nothing_and_a_hundred_and_order_does_not_matter(items in prop::collection::vec(any_item(), 0..ITEMS_MAX)) {
            let sum = tally(&items).unwrap();
            let counts = items.iter().any(|item| item.basis == Basis::Deduction || item.possible > Score::ZERO);
            prop_assert_eq!(sum.score.is_some(), counts);
            if let Some(score) = sum.score {
                prop_assert!((Score::ZERO..=Score::HUNDRED).contains(&score));
            }
            prop_assert_eq!(tally(items.iter().rev()).unwrap(), sum);
        }

        #[test]
        fn who_loses_less_scores_no_less(items in prop::collection::vec(any_item(), 1..20), at in 0_usize..20) {
            let before = tally(&items).unwrap().score;
            let mut better = items.clone();
            let at = at % better.len();
            better[at].lost = Score::ZERO;
            let after = tally(&better).unwrap().score;
            prop_assert!(after >= before);
        }
    }
}
