//! Exact numbers: what a mean of seven or a price over another comes to, before the book's rounding brings it to its places. Nothing
//! here meets a floating-point number, and nothing is rounded but where the caller says so.

use std::borrow::Cow;
use std::cmp::Ordering;

use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::{BigRational, Ratio};
use num_traits::{CheckedAdd, CheckedDiv, CheckedMul, CheckedSub, One, Signed, ToPrimitive, Zero};
use rust_decimal::Decimal;

use crate::kernel::fixed::{Rounding, divide};
use crate::kernel::money::Money;
use crate::kernel::weight::Weight;

/// Decimals up to which an exact number is written out; one with more is written as a fraction.
const PLACES_MAX: u32 = 30;
/// One hundred percent in ten-thousandths of a percent.
const HUNDRED_PERCENT: i64 = 1_000_000;

/// An exact number. The arithmetic of `Decimal` was rejected: a quotient with more than 28 digits is rounded there without a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exact(Form);

/// How a number is held, always in lowest terms. Whatever fits is narrow, so that equal numbers are held alike. Fractions of any size for
/// everything were rejected: each step of them allocates, and an evaluation of hundreds of bids takes ten thousands of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// Both parts fit, and the upper one is not the lowest number there is, whose sign cannot be turned.
    Narrow(Ratio<i64>),
    /// A part does not fit.
    Wide(BigRational),
}

impl Exact {
    /// Nothing.
    pub fn zero() -> Self {
        Self::narrow(Ratio::zero())
    }

    /// A count.
    pub fn count(number: usize) -> Self {
        match i64::try_from(number) {
            Ok(number) => Self::narrow(Ratio::from_integer(number)),
            Err(_) => Self::wide(BigRational::from_integer(BigInt::from(number))),
        }
    }

    /// A decimal, as it is.
    pub fn decimal(decimal: Decimal) -> Self {
        let (above, places) = (decimal.mantissa(), decimal.scale());
        match (i64::try_from(above), 10_i64.checked_pow(places)) {
            (Ok(above), Some(below)) => Self::narrow(Ratio::new(above, below)),
            _ => {
                let below = BigInt::from(10).pow(places);
                Self::wide(BigRational::new(BigInt::from(above), below))
            }
        }
    }

    /// An amount, in yuan.
    pub fn yuan(amount: Money) -> Self {
        Self::narrow(Ratio::new(amount.fen(), 100))
    }

    /// A percentage as a part of one.
    pub fn part(percent: Weight) -> Self {
        let part = i64::try_from(percent.ten_thousandths()).unwrap_or(HUNDRED_PERCENT);
        Self::narrow(Ratio::new(part, HUNDRED_PERCENT))
    }

    /// The sum.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.joined(other, Ratio::checked_add, |one, other| one + other)
    }

    /// The difference.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.joined(other, Ratio::checked_sub, |one, other| one - other)
    }

    /// The product.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        self.joined(other, Ratio::checked_mul, |one, other| one * other)
    }

    /// The quotient; `None` if there is nothing to divide by.
    pub fn over(&self, other: &Self) -> Option<Self> {
        (!other.is_zero()).then(|| self.joined(other, Ratio::checked_div, |one, other| one / other))
    }

    /// Brought to so many decimals, once, by the rule that is named.
    #[must_use]
    pub fn rounded(&self, places: u32, rounding: Rounding) -> Self {
        let narrow = match &self.0 {
            Form::Narrow(one) => narrowly_rounded(*one, places, rounding),
            Form::Wide(_) => None,
        };
        narrow.map_or_else(|| self.widely_rounded(places, rounding), Self::narrow)
    }

    /// The number with at least so many decimals, and as many more as it has: `90.10`; as a fraction, `8085/281`, if it has no end.
    pub fn text(&self, places_min: u32) -> String {
        let narrow = match &self.0 {
            Form::Narrow(one) => narrow_text(*one, places_min),
            Form::Wide(_) => None,
        };
        narrow.unwrap_or_else(|| wide_text(&self.widened(), places_min))
    }

    fn is_zero(&self) -> bool {
        match &self.0 {
            Form::Narrow(one) => one.is_zero(),
            Form::Wide(one) => one.is_zero(),
        }
    }

    fn joined(
        &self,
        other: &Self,
        narrowly: fn(&Ratio<i64>, &Ratio<i64>) -> Option<Ratio<i64>>,
        widely: fn(&BigRational, &BigRational) -> BigRational,
    ) -> Self {
        if let (Form::Narrow(one), Form::Narrow(other)) = (&self.0, &other.0)
            && let Some(found) = narrowly(one, other)
        {
            return Self::narrow(found);
        }
        Self::wide(widely(&self.widened(), &other.widened()))
    }

    fn widely_rounded(&self, places: u32, rounding: Rounding) -> Self {
        let exact = self.widened();
        let unit = BigInt::from(10).pow(places);
        let lifted = exact.numer() * &unit;
        let below = exact.denom();
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
        Self::wide(BigRational::new(sign * whole, unit))
    }

    /// What fits, if it really does.
    fn narrow(one: Ratio<i64>) -> Self {
        if *one.numer() == i64::MIN || is_wide_only() {
            return Self(Form::Wide(widened(one)));
        }
        Self(Form::Narrow(one))
    }

    /// What was reckoned without a limit, narrow again if it fits.
    fn wide(one: BigRational) -> Self {
        let parts = one.numer().to_i64().zip(one.denom().to_i64());
        match parts.filter(|(above, _)| *above != i64::MIN && !is_wide_only()) {
            Some((above, below)) => Self(Form::Narrow(Ratio::new_raw(above, below))),
            None => Self(Form::Wide(one)),
        }
    }

    fn widened(&self) -> Cow<'_, BigRational> {
        match &self.0 {
            Form::Narrow(one) => Cow::Owned(widened(*one)),
            Form::Wide(one) => Cow::Borrowed(one),
        }
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Form::Narrow(one), Form::Narrow(other)) => one.cmp(other),
            _ => self.widened().cmp(&other.widened()),
        }
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn widened(one: Ratio<i64>) -> BigRational {
    BigRational::new_raw(BigInt::from(*one.numer()), BigInt::from(*one.denom()))
}

/// `None` if it does not fit.
fn narrowly_rounded(one: Ratio<i64>, places: u32, rounding: Rounding) -> Option<Ratio<i64>> {
    let unit = 10_i64.checked_pow(places)?;
    let lifted = i128::from(*one.numer()).checked_mul(i128::from(unit))?;
    let units = divide(lifted, i128::from(*one.denom()), rounding)?;
    Some(Ratio::new(i64::try_from(units).ok()?, unit))
}

/// `None` if it does not fit, or is written as a fraction.
fn narrow_text(one: Ratio<i64>, places_min: u32) -> Option<String> {
    let below = one.denom().unsigned_abs();
    let twos = below.trailing_zeros();
    let (mut odd, mut fives) = (below.checked_shr(twos)?, 0_u32);
    while odd.is_multiple_of(5) {
        odd /= 5;
        fives = fives.checked_add(1)?;
    }
    let places = twos.max(fives);
    if odd != 1 || places > PLACES_MAX {
        return None;
    }
    let places = places.max(places_min);
    let unit = 10_u64.checked_pow(places)?;
    // Without a remainder: the divisor has no factors but those of ten, none more often than there are places.
    let units = one.numer().unsigned_abs().checked_mul(unit.checked_div(below)?)?;
    let (whole, rest) = (units.checked_div(unit)?, units.checked_rem(unit)?);
    let sign = if one.is_negative() { "-" } else { "" };
    if places == 0 {
        return Some(format!("{sign}{whole}"));
    }
    let width = usize::try_from(places).ok()?;
    Some(format!("{sign}{whole}.{rest:0width$}"))
}

fn wide_text(one: &BigRational, places_min: u32) -> String {
    let Some(places) = places(one) else {
        return format!("{}/{}", one.numer(), one.denom());
    };
    let places = places.max(places_min);
    let units = (one.numer() * BigInt::from(10).pow(places)) / one.denom();
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
fn places(one: &BigRational) -> Option<u32> {
    let mut below = one.denom().clone();
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

#[cfg(not(test))]
const fn is_wide_only() -> bool {
    false
}

#[cfg(test)]
thread_local! {
    /// Whether nothing is held narrow, so that tests can hold one way of reckoning against the other.
    static WIDE_ONLY: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

#[cfg(test)]
fn is_wide_only() -> bool {
    WIDE_ONLY.get()
}

/// What comes of reckoning with numbers of any size alone.
#[cfg(test)]
pub(super) fn widely<T>(reckon: impl FnOnce() -> T) -> T {
    WIDE_ONLY.set(true);
    let found = reckon();
    WIDE_ONLY.set(false);
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exact(above: i64, below: i64) -> Exact {
        Exact::wide(BigRational::new(BigInt::from(above), BigInt::from(below)))
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

    fn parts() -> impl Strategy<Value = i64> {
        let edge = prop_oneof![
            Just(i64::MIN),
            Just(i64::MAX),
            Just(i64::MIN + 1),
            Just(0),
            Just(1 << 62)
        ];
        prop_oneof![any::<i64>(), -1000_i64..1000, edge]
    }

    /// All that can be seen of the results of a few operations in a row.
    fn course(numbers: &[(i64, i64)], operations: &[u8], places: u32) -> Vec<String> {
        let mut seen = Vec::new();
        let mut all: Vec<Exact> = numbers
            .iter()
            .map(|(above, below)| {
                let parts = (
                    BigInt::from(*above),
                    BigInt::from(if *below == 0 { 7 } else { *below }),
                );
                Exact::wide(BigRational::new(parts.0, parts.1))
            })
            .collect();
        for (index, operation) in operations.iter().enumerate() {
            let one = &all[index % all.len()];
            let other = &all[(index + 1) % all.len()];
            let found = match operation {
                0 => one.plus(other),
                1 => one.minus(other),
                2 => one.times(other),
                _ => one.over(other).unwrap_or_else(|| Exact::count(usize::MAX)),
            };
            seen.push(format!("{:?} {}", one.cmp(other), one == other));
            seen.push(found.text(places));
            for rounding in [Rounding::HalfUp, Rounding::HalfEven, Rounding::Down] {
                seen.push(found.rounded(places, rounding).text(places));
            }
            all.push(found);
        }
        seen
    }

    #[test]
    fn what_fits_again_is_narrow_again() {
        let most = exact(i64::MAX, 1);
        let beyond = most.plus(&most);
        assert!(matches!(beyond.0, Form::Wide(_)));
        assert_eq!(beyond.text(0), "18446744073709551614");
        assert_eq!(beyond.minus(&most), most);
        assert!(beyond > most);
        let least = exact(i64::MIN, 1);
        assert_eq!(least.text(1), "-9223372036854775808.0");
        assert_eq!(least.over(&least).unwrap().text(0), "1");
    }

    proptest! {
        #[test]
        fn rounding_is_the_kernels(above in any::<i32>(), below in 1_i32.., places in 0_u32..=6) {
            for rounding in [Rounding::HalfUp, Rounding::HalfEven, Rounding::Down] {
                let unit = 10_i128.pow(places);
                let kernels = crate::kernel::fixed::divide(i128::from(above) * unit, i128::from(below), rounding).unwrap();
                let ours = exact(above.into(), below.into()).rounded(places, rounding);
                prop_assert_eq!(ours.widened().as_ref() * BigInt::from(unit), BigRational::from_integer(BigInt::from(kernels)));
            }
        }

        /// Numbers at the edge of what fits, and a few operations, so that what is reckoned leaves the narrow form and comes back to it.
        #[test]
        fn both_forms_come_to_the_same(
            numbers in prop::collection::vec((parts(), parts()), 2..6),
            operations in prop::collection::vec(0_u8..4, 1..6),
            places in 0_u32..=6,
        ) {
            let reckoned = || course(&numbers, &operations, places);
            prop_assert_eq!(reckoned(), widely(reckoned));
        }
    }
}
