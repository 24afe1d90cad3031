//! Splitting an amount of money into parts.
//!
//! No split may ever lose or make a fen: the parts always add up to the amount, and the same input
//! always gives the same parts.

use super::money::{Money, MoneyError};

/// The most parts an amount is split into.
pub const PARTS_MAX: usize = 1_000;

impl Money {
    /// `parts` equal parts, each rounded down (towards zero) to the fen; the last also takes what
    /// is left. So 826,600.00 in 12 is eleven times 68,883.33 and then 68,883.37.
    ///
    /// # Errors
    /// [`MoneyError::PartsOutOfRange`] for no part or more than [`PARTS_MAX`].
    pub fn split_evenly(self, parts: usize) -> Result<Vec<Self>, MoneyError> {
        if parts > PARTS_MAX {
            return Err(MoneyError::PartsOutOfRange);
        }
        let count = i64::try_from(parts).map_err(|_| MoneyError::PartsOutOfRange)?;
        let (Some(part), Some(left)) = (self.fen().checked_div(count), self.fen().checked_rem(count)) else {
            return Err(MoneyError::PartsOutOfRange);
        };
        let mut split = vec![Self::from_fen(part)?; parts];
        if let Some(last) = split.last_mut() {
            *last = last.checked_add(Self::from_fen(left)?)?;
        }
        Ok(split)
    }

    /// One part for each weight, in proportion to the weights, by the method of the largest
    /// remainder: every part is first rounded down (towards zero), then the fen left over go one
    /// each to the parts that lost most; of parts that lost the same, the earlier comes first. A
    /// weight of zero gets nothing.
    ///
    /// Weights are relative and of any one unit: square metres, households,
    /// [`Weight::ten_thousandths`](super::score::Weight::ten_thousandths) of a percent.
    ///
    /// # Errors
    /// [`MoneyError::PartsOutOfRange`] for no weight or more than [`PARTS_MAX`];
    /// [`MoneyError::NoWeight`] when all weights are zero.
    pub fn split_by_weights(self, weights: &[u64]) -> Result<Vec<Self>, MoneyError> {
        if weights.is_empty() || weights.len() > PARTS_MAX {
            return Err(MoneyError::PartsOutOfRange);
        }
        let total = weights.iter().copied().map(i128::from).sum::<i128>();
        let mut shares = Vec::with_capacity(weights.len());
        let mut left = i128::from(self.fen().unsigned_abs());
        for (position, weight) in weights.iter().enumerate() {
            let share = Share::of(self, *weight, total).ok_or(MoneyError::NoWeight)?;
            left = left.saturating_sub(share.fen);
            shares.push((position, share));
        }
        shares.sort_by_key(|(position, share)| (std::cmp::Reverse(share.remainder), *position));
        for (_, share) in &mut shares {
            // The remainders add up to `left` totals and each is less than one, so the fen run out
            // before the parts that lost something do.
            let extra = left.min(1);
            share.fen = share.fen.saturating_add(extra);
            left = left.saturating_sub(extra);
        }
        shares.sort_by_key(|(position, _)| *position);
        let sign = i128::from(self.fen().signum());
        shares
            .into_iter()
            .map(|(_, share)| Self::from_wide(share.fen.saturating_mul(sign)))
            .collect()
    }
}

/// A part before the fen left over are handed out, without the sign.
struct Share {
    fen: i128,
    /// What rounding down took away, in units of one `total`-th of a fen.
    remainder: i128,
}

impl Share {
    /// `None` when the total of the weights is zero.
    fn of(amount: Money, weight: u64, total: i128) -> Option<Self> {
        let product = i128::from(amount.fen().unsigned_abs()).checked_mul(i128::from(weight))?;
        Some(Self {
            fen: product.checked_div(total)?,
            remainder: product.checked_rem(total)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    #[test]
    fn twelve_payments_of_a_contract() {
        let payments = money("826600.00").split_evenly(12).unwrap();
        let (last, others) = payments.split_last().unwrap();
        assert_eq!(others.len(), 11);
        assert!(others.iter().all(|payment| *payment == money("68883.33")));
        assert_eq!(*last, money("68883.37"));

        let payments = money("2298600.00").split_evenly(12).unwrap();
        assert_eq!(payments, vec![money("191550.00"); 12]);
    }

    #[test]
    fn an_even_split_has_between_one_and_a_thousand_parts() {
        assert_eq!(money("1.00").split_evenly(1).unwrap(), [money("1.00")]);
        assert_eq!(
            money("0.02").split_evenly(3).unwrap(),
            [money("0.00"), money("0.00"), money("0.02")]
        );
        assert_eq!(
            money("-1.00").split_evenly(3).unwrap(),
            [money("-0.33"), money("-0.33"), money("-0.34")]
        );
        assert_eq!(Money::MAX.split_evenly(0), Err(MoneyError::PartsOutOfRange));
        assert_eq!(
            Money::MAX.split_evenly(PARTS_MAX + 1),
            Err(MoneyError::PartsOutOfRange)
        );
        assert_eq!(Money::MAX.split_evenly(PARTS_MAX).unwrap().len(), PARTS_MAX);
    }

    #[test]
    fn weights_share_by_the_largest_remainder() {
        let split = |amount: &str, weights: &[u64]| {
            money(amount)
                .split_by_weights(weights)
                .unwrap()
                .into_iter()
                .map(Money::fen)
                .collect::<Vec<_>>()
        };
        assert_eq!(split("1.00", &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(split("-1.00", &[1, 1, 1]), [-34, -33, -33]);
        assert_eq!(split("1.00", &[0, 2, 1, 0]), [0, 67, 33, 0]);
        assert_eq!(split("0.01", &[3, 5, 5]), [0, 1, 0]);
        assert_eq!(
            split("2350200.00", &[58_000, 96_000, 82_000]),
            [57_759_153, 95_601_356, 81_659_491]
        );
        assert_eq!(split("0.00", &[7]), [0]);
    }

    #[test]
    fn weights_must_weigh_something() {
        assert_eq!(Money::MAX.split_by_weights(&[0, 0]), Err(MoneyError::NoWeight));
        assert_eq!(Money::MAX.split_by_weights(&[]), Err(MoneyError::PartsOutOfRange));
        assert_eq!(
            Money::MAX.split_by_weights(&[1; PARTS_MAX + 1]),
            Err(MoneyError::PartsOutOfRange)
        );
        assert_eq!(
            Money::MIN.split_by_weights(&[u64::MAX; PARTS_MAX]).unwrap().len(),
            PARTS_MAX
        );
    }

    proptest! {
        #[test]
        fn even_parts_add_up(fen in -9_000_000_000_000_000_i64..=9_000_000_000_000_000, parts in 1_usize..=60) {
            let amount = Money::from_fen(fen).unwrap();
            let split = amount.split_evenly(parts).unwrap();
            prop_assert_eq!(split.len(), parts);
            prop_assert_eq!(Money::sum(split).unwrap(), amount);
        }

        #[test]
        fn weighted_parts_add_up_and_stay_within_a_fen(
            fen in -9_000_000_000_000_000_i64..=9_000_000_000_000_000,
            weights in prop::collection::vec(any::<u64>(), 1..40),
        ) {
            let amount = Money::from_fen(fen).unwrap();
            let total = weights.iter().copied().map(i128::from).sum::<i128>();
            prop_assume!(total > 0);
            let split = amount.split_by_weights(&weights).unwrap();
            for (part, weight) in split.iter().zip(&weights) {
                let error = i128::from(part.fen()) * total - i128::from(fen) * i128::from(*weight);
                prop_assert!(error.abs() < total);
            }
            prop_assert_eq!(Money::sum(split).unwrap(), amount);
        }
    }
}
