//! Which prices are abnormally low (财库〔2026〕2号): three tests, strict, of prices as they were bid, against the bids that are not out. Pure.

use crate::award::rules_evaluation::{AbnormallyLow, Yuan};
use crate::award::rules_evaluation_exact::Exact;
use crate::kernel::weight::Weight;

/// A test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Test {
    /// Against the average.
    Average,
    /// Against the second-lowest price.
    SecondLowest,
    /// Against the ceiling, or the budget.
    Ceiling,
}

impl Test {
    /// The name in derivations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Average => "average",
            Self::SecondLowest => "second_lowest",
            Self::Ceiling => "ceiling",
        }
    }

    /// How the limit is found.
    pub const fn formula(self) -> &'static str {
        match self {
            Self::Average => "average_percent ÷ 100 × (sum of original_price ÷ bids that are not out)",
            Self::SecondLowest => "second_lowest_percent ÷ 100 × second-lowest original_price",
            Self::Ceiling => "ceiling_percent ÷ 100 × ceiling, or budget if there is no ceiling",
        }
    }
}

/// Below what a price is abnormally low by a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The test.
    pub test: Test,
    /// The formula with its numbers.
    pub numbers: String,
    /// The limit, in yuan.
    pub yuan: Exact,
}

impl Limit {
    /// Whether a price lies below it.
    pub fn is_above(&self, price: Yuan) -> bool {
        Exact::yuan(price.0) < self.yuan
    }
}

/// The limits of the tests that can be made: nothing is second-lowest of one bid. `prices` are as they were bid, `cap` is the ceiling or
/// the budget.
pub fn limits(percents: AbnormallyLow, prices: &[Yuan], cap: Option<Yuan>) -> Vec<Limit> {
    let mut sorted = prices.to_vec();
    sorted.sort();
    let sum = sorted
        .iter()
        .fold(Exact::zero(), |sum, price| sum.plus(&Exact::yuan(price.0)));
    let average = sum.over(&Exact::count(sorted.len()));
    let shown = format!("({} ÷ {})", sum.text(2), sorted.len());
    let second = sorted.get(1).map(|price| Exact::yuan(price.0));
    let cap = cap.map(|price| Exact::yuan(price.0));
    [
        limit(Test::Average, percents.average_percent, average, Some(shown)),
        limit(Test::SecondLowest, percents.second_lowest_percent, second, None),
        limit(Test::Ceiling, percents.ceiling_percent, cap, None),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn limit(test: Test, percent: Option<Weight>, of: Option<Exact>, shown: Option<String>) -> Option<Limit> {
    let (percent, of) = (percent?, of?);
    let shown = shown.unwrap_or_else(|| of.text(2));
    Some(Limit {
        test,
        numbers: format!("{percent} ÷ 100 × {shown}"),
        yuan: Exact::part(percent).times(&of),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LAW: [&str; 3] = ["50", "50", "45"];

    fn yuan(text: &str) -> Yuan {
        Yuan(text.parse().unwrap())
    }

    fn tests(prices: &[&str], cap: Option<&str>, of: &str) -> Vec<&'static str> {
        let prices: Vec<Yuan> = prices.iter().map(|price| yuan(price)).collect();
        let [average, second, ceiling] = LAW.map(|percent| percent.parse().ok());
        let percents = AbnormallyLow {
            average_percent: average,
            second_lowest_percent: second,
            ceiling_percent: ceiling,
        };
        let limits = limits(percents, &prices, cap.map(yuan));
        let below = limits.iter().filter(|limit| limit.is_above(yuan(of)));
        below.map(|limit| limit.test.name()).collect()
    }

    #[test]
    fn each_test_is_strict_and_of_its_own() {
        // The average of 40, 100 and 100 is 80, half of which is 40: not below.
        assert_eq!(tests(&["40", "100", "100"], None, "40"), ["second_lowest"]);
        assert_eq!(
            tests(&["39.99", "100", "100"], None, "39.99"),
            ["average", "second_lowest"]
        );
        assert_eq!(
            tests(&["50", "100", "100"], Some("111.11"), "50"),
            Vec::<&str>::new()
        );
        assert_eq!(tests(&["50", "60", "100"], Some("111.12"), "50"), ["ceiling"]);
        assert_eq!(tests(&["49.99", "100", "40"], None, "49.99"), Vec::<&str>::new());
        assert_eq!(tests(&["1"], None, "1"), Vec::<&str>::new());
        assert_eq!(tests(&["44.99"], Some("100"), "44.99"), ["ceiling"]);
    }

    proptest! {
        #[test]
        fn only_the_lowest_can_be_low_beside_the_second_lowest(fen in prop::collection::vec(1_i64..1_000_000, 2..8)) {
            let mut prices: Vec<Yuan> = fen.iter().map(|fen| Yuan(crate::kernel::money::Money::from_fen(*fen).unwrap())).collect();
            let percents = AbnormallyLow { second_lowest_percent: "50".parse().ok(), ..AbnormallyLow::default() };
            let limits = limits(percents, &prices, None);
            prices.sort();
            prop_assert!(prices.iter().skip(1).all(|price| !limits[0].is_above(*price)));
        }
    }
}
