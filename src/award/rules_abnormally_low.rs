//! Whether a price is abnormally low (财库〔2026〕2号): three tests, each strict, of prices before any deduction. The percentages come from
//! the statutes; a version that does not set one does not test by it. Pure, in whole numbers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::money::Money;
use crate::kernel::refusal::Fault;
use crate::statutes::codes;
use crate::statutes::profile::Profile;
use crate::statutes::value::Percent;

/// By which test a price is abnormally low.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AbnormallyLowTest)]
pub enum Test {
    /// Below so much of the average of all responsive bids.
    Average,
    /// Below so much of the second-lowest of them.
    SecondLowest,
    /// Below so much of the ceiling.
    Ceiling,
}

impl Test {
    /// The code of its rule in the statutes.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Average => codes::EVALUATION_ABNORMALLY_LOW_AVERAGE_PERCENT.code(),
            Self::SecondLowest => codes::EVALUATION_ABNORMALLY_LOW_SECOND_LOWEST_PERCENT.code(),
            Self::Ceiling => codes::EVALUATION_ABNORMALLY_LOW_CEILING_PERCENT.code(),
        }
    }
}

/// Below which parts a price is abnormally low; `None` where nothing is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Thresholds {
    /// Of the average.
    pub average: Option<Percent>,
    /// Of the second-lowest.
    pub second_lowest: Option<Percent>,
    /// Of the ceiling.
    pub ceiling: Option<Percent>,
}

impl Thresholds {
    /// Those of a version of the statutes.
    ///
    /// # Errors
    /// A fault if a rule is of another kind.
    pub fn of(profile: &Profile) -> Result<Self, Fault> {
        Ok(Self {
            average: profile.rule_if_set(codes::EVALUATION_ABNORMALLY_LOW_AVERAGE_PERCENT)?,
            second_lowest: profile.rule_if_set(codes::EVALUATION_ABNORMALLY_LOW_SECOND_LOWEST_PERCENT)?,
            ceiling: profile.rule_if_set(codes::EVALUATION_ABNORMALLY_LOW_CEILING_PERCENT)?,
        })
    }
}

/// Whether `price × count` is strictly below so many percent of `whole`. A hundred percent are a million ten-thousandths of a percent.
fn is_below(price: Money, count: usize, percent: Percent, whole: i128) -> bool {
    let count = i128::try_from(count).unwrap_or(i128::MAX);
    let part = i128::from(percent.0.ten_thousandths()).saturating_mul(whole);
    i128::from(price.fen())
        .saturating_mul(count)
        .saturating_mul(1_000_000)
        < part
}

/// By which tests a price is abnormally low, in the order of [`Test`]. `responsive` are the prices of all responsive bids, this one
/// among them; `ceiling` is the lot's, or its budget where it has none.
pub fn tests(
    price: Money,
    responsive: &[Money],
    ceiling: Option<Money>,
    thresholds: Thresholds,
) -> Vec<Test> {
    let mut found = Vec::new();
    let sum: i128 = responsive
        .iter()
        .map(|price| i128::from(price.fen()))
        .fold(0, i128::saturating_add);
    if thresholds
        .average
        .is_some_and(|percent| is_below(price, responsive.len(), percent, sum))
    {
        found.push(Test::Average);
    }
    let mut sorted: Vec<i64> = responsive.iter().map(|price| price.fen()).collect();
    sorted.sort_unstable();
    let second = sorted.get(1).copied();
    if let (Some(percent), Some(second)) = (thresholds.second_lowest, second)
        && is_below(price, 1, percent, i128::from(second))
    {
        found.push(Test::SecondLowest);
    }
    if let (Some(percent), Some(ceiling)) = (thresholds.ceiling, ceiling)
        && is_below(price, 1, percent, i128::from(ceiling.fen()))
    {
        found.push(Test::Ceiling);
    }
    found
}

#[cfg(test)]
mod tests_of_tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::kernel::weight::Weight;
    use crate::statutes::built_in;
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    fn fen(amount: i64) -> Money {
        Money::from_fen(amount).unwrap()
    }

    fn thresholds() -> Thresholds {
        static OF_CN: LazyLock<Thresholds> =
            LazyLock::new(|| Thresholds::of(built_in::profiles_for("cn").unwrap().last().unwrap()).unwrap());
        *OF_CN
    }

    fn found(price: i64, others: &[i64], ceiling: i64) -> Vec<Test> {
        let mut all: Vec<Money> = others.iter().copied().map(fen).collect();
        all.push(fen(price));
        tests(fen(price), &all, Some(fen(ceiling)), thresholds())
    }

    #[test]
    fn each_test_is_strict() {
        // Half of the second-lowest to the fen is not below it, a fen less is.
        assert!(found(50_000, &[100_000, 100_000], 100_001).is_empty());
        assert_eq!(found(49_999, &[100_000, 100_000], 100_001), [Test::SecondLowest]);
        // The average of 30, 90 and 60 is 60: half of it is 30.
        assert!(found(3_000, &[9_000, 6_000], 6_600).is_empty());
        assert_eq!(
            found(2_999, &[9_001, 6_000], 6_600),
            [Test::Average, Test::SecondLowest]
        );
        // 45 % of the ceiling of 1000.00.
        assert!(found(45_000, &[46_000, 47_000], 100_000).is_empty());
        assert_eq!(found(44_999, &[46_000, 47_000], 100_000), [Test::Ceiling]);
        // A price alone has no second-lowest, and is its own average.
        assert!(found(1, &[], 2).is_empty());
    }

    #[test]
    fn a_version_without_numbers_tests_nothing() {
        let first = Thresholds::of(built_in::profiles_for("cn").unwrap().first().unwrap()).unwrap();
        assert_eq!(first, Thresholds::default());
        assert_eq!(
            tests(fen(1), &[fen(1), fen(100), fen(100)], Some(fen(100)), first),
            []
        );
    }

    proptest! {
        #[test]
        fn it_is_what_exact_decimals_say(price in 1_i64..10_000_000_000, others in proptest::collection::vec(1_i64..10_000_000_000, 0..12), ceiling in 1_i64..10_000_000_000) {
            let mut all = others.clone();
            all.push(price);
            let sum: Decimal = all.iter().copied().map(Decimal::from).sum();
            let mut expected = Vec::new();
            if Decimal::from(price) * Decimal::from(all.len()) * Decimal::TWO < sum {
                expected.push(Test::Average);
            }
            all.sort_unstable();
            if all.get(1).is_some_and(|second| Decimal::from(price) * Decimal::TWO < Decimal::from(*second)) {
                expected.push(Test::SecondLowest);
            }
            if Decimal::from(price) * Decimal::from(100) < Decimal::from(ceiling) * Decimal::from(45) {
                expected.push(Test::Ceiling);
            }
            prop_assert_eq!(found(price, &others, ceiling), expected);
        }

        #[test]
        fn a_higher_percentage_never_finds_less(price in 1_i64..1_000_000, others in proptest::collection::vec(1_i64..1_000_000, 1..8), low in 0_u32..100, more in 0_u32..50) {
            let percent = |value: u32| Some(Percent(Weight::new(Decimal::from(value.min(100))).unwrap()));
            let of = |value| Thresholds { average: percent(value), second_lowest: percent(value), ceiling: percent(value) };
            let mut all: Vec<Money> = others.iter().copied().map(fen).collect();
            all.push(fen(price));
            let (fewer, most) = (tests(fen(price), &all, Some(fen(1_000_000)), of(low)), tests(fen(price), &all, Some(fen(1_000_000)), of(low + more)));
            prop_assert!(fewer.iter().all(|test| most.contains(test)));
        }
    }
}
