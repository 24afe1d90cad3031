//! Exact numbers: what a mean of seven or a price over another comes to, before the book's rounding brings it to its places. Nothing
//! here meets a floating-point number, and nothing is rounded but where the caller says so.

use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use rust_decimal::Decimal;

use crate::kernel::fixed::Rounding;
use crate::kernel::money::Money;
use crate::kernel::weight::Weight;

/// Decimals up to which an exact number is written out; one with more is written as a fraction.
const PLACES_MAX: u32 = 30;

/// An exact number. The arithmetic of `Decimal` was rejected: a quotient with more than 28 digits is rounded there without a word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact(BigRational);

impl Exact {
    /// Nothing.
    pub fn zero() -> Self {
        Self(BigRational::zero())
    }

    /// A count.
    pub fn count(number: usize) -> Self {
        Self(BigRational::from_integer(BigInt::from(number)))
    }

    /// A decimal, as it is.
    pub fn decimal(decimal: Decimal) -> Self {
        let below = BigInt::from(10).pow(decimal.scale());
        Self(BigRational::new(BigInt::from(decimal.mantissa()), below))
    }

    /// An amount, in yuan.
    pub fn yuan(amount: Money) -> Self {
        Self(BigRational::new(BigInt::from(amount.fen()), BigInt::from(100)))
    }

    /// A percentage as a part of one.
    pub fn part(percent: Weight) -> Self {
        Self(Self::decimal(percent.percent()).0 / BigInt::from(100))
    }

    /// The sum.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self(&self.0 + &other.0)
    }

    /// The difference.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self(&self.0 - &other.0)
    }

    /// The product.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        Self(&self.0 * &other.0)
    }

    /// The quotient; `None` if there is nothing to divide by.
    pub fn over(&self, other: &Self) -> Option<Self> {
        (!other.0.is_zero()).then(|| Self(&self.0 / &other.0))
    }

    /// Brought to so many decimals, once, by the rule that is named.
    #[must_use]
    pub fn rounded(&self, places: u32, rounding: Rounding) -> Self {
        let unit = BigInt::from(10).pow(places);
        let lifted = self.0.numer() * &unit;
        let below = self.0.denom();
        let sign = lifted.signum();
        let (whole, rest) = lifted.abs().div_rem(below);
        // Twice the rest against the divisor: more than half, exactly half, or less.
        let half = (rest * 2_u32).cmp(below);
        let away = match rounding {
            Rounding::HalfUp => half.is_ge(),
            Rounding::HalfEven => half.is_gt() || (half.is_eq() && whole.is_odd()),
            Rounding::Down => false,
        };
        let whole = if away { whole + 1_u32 } else { whole };
        Self(BigRational::new(sign * whole, unit))
    }

    /// The number with at least so many decimals, and as many more as it has: `90.10`; as a fraction, `8085/281`, if it has no end.
    pub fn text(&self, places_min: u32) -> String {
        let Some(places) = self.places() else {
            return format!("{}/{}", self.0.numer(), self.0.denom());
        };
        let places = places.max(places_min);
        let units = (self.0.numer() * BigInt::from(10).pow(places)) / self.0.denom();
        let digits = units.abs().to_string();
        let sign = if units.is_negative() { "-" } else { "" };
        let width = usize::try_from(places).unwrap_or_default();
        if width == 0 {
            return format!("{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = width.saturating_add(1));
        let (whole, decimals) = digits.split_at(digits.len().saturating_sub(width));
        format!("{sign}{whole}.{decimals}")
    }

    /// How many decimals it has; `None` for those without an end, or with more than are written out.
    fn places(&self) -> Option<u32> {
        let mut below = self.0.denom().clone();
        let mut power = |prime: u32| {
            let prime = BigInt::from(prime);
            let mut times = 0_u32;
            while times <= PLACES_MAX && below.is_multiple_of(&prime) {
                below /= &prime;
                times = times.saturating_add(1);
            }
            times
        };
        let places = power(2).max(power(5));
        (below.is_one() && places <= PLACES_MAX).then_some(places)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exact(above: i64, below: i64) -> Exact {
        Exact(BigRational::new(BigInt::from(above), BigInt::from(below)))
    }

    #[test]
    fn numbers_are_written_out_or_as_fractions() {
        assert_eq!(exact(901, 10).text(2), "90.10");
        assert_eq!(exact(-1, 8).text(2), "-0.125");
        assert_eq!(exact(0, 1).text(2), "0.00");
        assert_eq!(exact(7, 1).text(0), "7");
        assert_eq!(exact(8085, 281).text(2), "8085/281");
        assert_eq!(
            Exact::yuan(Money::from_fen(224_800_000).unwrap()).text(2),
            "2248000.00"
        );
        assert_eq!(Exact::part("12.5".parse().unwrap()).text(0), "0.125");
        assert_eq!(Exact::decimal(Decimal::new(-605, 1)).text(2), "-60.50");
        assert_eq!(exact(1, 3).over(&Exact::zero()), None);
    }

    #[test]
    fn ties_are_rounded_as_named() {
        for (above, half_up, half_even, down) in [
            (25, "0.3", "0.2", "0.2"),
            (35, "0.4", "0.4", "0.3"),
            (24, "0.2", "0.2", "0.2"),
            (-25, "-0.3", "-0.2", "-0.2"),
            (-26, "-0.3", "-0.3", "-0.2"),
        ] {
            let text = |rounding| exact(above, 100).rounded(1, rounding).text(1);
            assert_eq!(text(Rounding::HalfUp), half_up);
            assert_eq!(text(Rounding::HalfEven), half_even);
            assert_eq!(text(Rounding::Down), down);
        }
    }

    proptest! {
        #[test]
        fn rounding_is_the_kernels(above in any::<i32>(), below in 1_i32.., places in 0_u32..=6) {
            for rounding in [Rounding::HalfUp, Rounding::HalfEven, Rounding::Down] {
                let unit = 10_i128.pow(places);
                let kernels = crate::kernel::fixed::divide(i128::from(above) * unit, i128::from(below), rounding).unwrap();
                let ours = exact(above.into(), below.into()).rounded(places, rounding);
                prop_assert_eq!(ours.0 * BigInt::from(unit), BigRational::from_integer(BigInt::from(kernels)));
            }
        }
    }
}
