//! Combining scores: weighted sums, means, and the proportion of two amounts of money.
//!
//! Nothing here may round more than once: the exact result is brought to the places and by the rule
//! that the caller names, and never before.

use super::fixed::Rounding;
use super::money::Money;
use super::score::{MILLIONTHS, Score, ScoreError};
use super::weight::{Weight, weights_sum_to_hundred};

/// The most scores that are combined in one sum or mean.
pub const SCORES_MAX: usize = 10_000;

/// What [`Score::proportion`] relates; two amounts of the same type need names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proportion {
    /// The amount above the line, the benchmark price.
    pub part: Money,
    /// The amount below the line, the price of the bid.
    pub whole: Money,
    /// What a part equal to the whole scores.
    pub full_marks: Score,
}

impl Score {
    /// The sum of scores multiplied by their weights (Σ Fi × Ai with Σ Ai = 1, 87号令 art 55),
    /// computed exactly and rounded once to `places` decimals.
    ///
    /// # Errors
    /// In this order: [`ScoreError::TooMany`], [`ScoreError::Weights`],
    /// [`ScoreError::OutOfRange`].
    pub fn weighted_sum(
        parts: &[(Self, Weight)],
        places: u32,
        rounding: Rounding,
    ) -> Result<Self, ScoreError> {
        if parts.len() > SCORES_MAX {
            return Err(ScoreError::TooMany);
        }
        let weights: Vec<Weight> = parts.iter().map(|(_, weight)| *weight).collect();
        weights_sum_to_hundred(&weights)?;
        let mut sum = 0_i128;
        for (score, weight) in parts {
            sum = add_product(sum, score.millionths()?, weight.ten_thousandths())?;
        }
        let unit = MILLIONTHS.saturating_mul(i128::from(Weight::HUNDRED.ten_thousandths()));
        Self::quotient(sum, unit, places, rounding)
    }

    /// The mean of scores, each given with how often it occurs: the result of a survey from its
    /// ballots, or of a panel from its members' scores. Computed exactly and rounded once to
    /// `places` decimals.
    ///
    /// # Errors
    /// In this order: [`ScoreError::TooMany`], [`ScoreError::NothingToDivideBy`] when all counts
    /// are zero, [`ScoreError::OutOfRange`].
    pub fn mean(counted: &[(Self, u32)], places: u32, rounding: Rounding) -> Result<Self, ScoreError> {
        if counted.len() > SCORES_MAX {
            return Err(ScoreError::TooMany);
        }
        let count = counted.iter().map(|(_, count)| i128::from(*count)).sum::<i128>();
        if count == 0 {
            return Err(ScoreError::NothingToDivideBy);
        }
        let mut sum = 0_i128;
        for (score, count) in counted {
            sum = add_product(sum, score.millionths()?, u64::from(*count))?;
        }
        Self::quotient(sum, MILLIONTHS.saturating_mul(count), places, rounding)
    }

    /// `part / whole` of the full marks, computed exactly and rounded once to `places` decimals.
    ///
    /// With the benchmark price as the part and a bid as the whole this is the price score of
    /// comprehensive scoring (87号令 art 55).
    ///
    /// # Errors
    /// [`ScoreError::NothingToDivideBy`] when the whole is zero or negative;
    /// [`ScoreError::OutOfRange`].
    pub fn proportion(of: Proportion, places: u32, rounding: Rounding) -> Result<Self, ScoreError> {
        if of.whole <= Money::ZERO {
            return Err(ScoreError::NothingToDivideBy);
        }
        let part = i128::from(of.part.fen()).checked_mul(of.full_marks.millionths()?);
        let whole = i128::from(of.whole.fen()).saturating_mul(MILLIONTHS);
        Self::quotient(part.ok_or(ScoreError::OutOfRange)?, whole, places, rounding)
    }
}

fn add_product(sum: i128, millionths: i128, count: u64) -> Result<i128, ScoreError> {
    let product = millionths
        .checked_mul(i128::from(count))
        .ok_or(ScoreError::OutOfRange)?;
    sum.checked_add(product).ok_or(ScoreError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::*;

    fn score(text: &str) -> Score {
        text.parse().unwrap()
    }

    fn weight(text: &str) -> Weight {
        text.parse().unwrap()
    }

    #[test]
    fn what_cannot_be_combined_is_refused() {
        let two_thirds = [(score("90"), weight("66.6667"))];
        let error = Score::weighted_sum(&two_thirds, 2, Rounding::HalfUp).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the weights add up to 66.6667 percent instead of 100"
        );
        assert!(matches!(
            Score::weighted_sum(&[], 2, Rounding::HalfUp),
            Err(ScoreError::Weights(_))
        ));
        assert_eq!(
            Score::mean(&[], 2, Rounding::HalfUp),
            Err(ScoreError::NothingToDivideBy)
        );
        assert_eq!(
            Score::mean(&[(score("80"), 0)], 2, Rounding::HalfUp),
            Err(ScoreError::NothingToDivideBy)
        );
        let crowd = vec![(score("80"), 1); SCORES_MAX + 1];
        assert_eq!(Score::mean(&crowd, 2, Rounding::HalfUp), Err(ScoreError::TooMany));
        assert_eq!(
            score("1000").checked_add(score("0.1")),
            Err(ScoreError::OutOfRange)
        );
        assert_eq!(
            score("-1000").checked_sub(score("0.1")),
            Err(ScoreError::OutOfRange)
        );
        let of = Proportion {
            part: Money::MAX,
            whole: Money::ZERO,
            full_marks: Score::HUNDRED,
        };
        assert_eq!(
            Score::proportion(of, 2, Rounding::HalfUp),
            Err(ScoreError::NothingToDivideBy)
        );
        let of = Proportion {
            part: Money::MAX,
            whole: Money::from_fen(1).unwrap(),
            full_marks: score("1000"),
        };
        assert_eq!(
            Score::proportion(of, 6, Rounding::HalfUp),
            Err(ScoreError::OutOfRange)
        );
    }

    #[test]
    fn a_mean_is_rounded_once() {
        let thirds = [(score("80"), 1), (score("90"), 2)];
        assert_eq!(
            Score::mean(&thirds, 2, Rounding::HalfUp).unwrap().to_string(),
            "86.67"
        );
    }

    proptest! {
        #[test]
        fn a_weighted_sum_lies_between_its_scores(
            first in -1_000_000_000_i64..=1_000_000_000,
            second in -1_000_000_000_i64..=1_000_000_000,
            share in 0_i64..=1_000_000,
        ) {
            let (first, second) = (Score::new(Decimal::new(first, 6)).unwrap(), Score::new(Decimal::new(second, 6)).unwrap());
            let share = Weight::new(Decimal::new(share, 4)).unwrap();
            let rest = Weight::new(Decimal::ONE_HUNDRED - share.percent()).unwrap();
            let sum = Score::weighted_sum(&[(first, share), (second, rest)], 6, Rounding::HalfEven).unwrap();
            prop_assert!(first.min(second) <= sum && sum <= first.max(second));
        }
    }
}
