//! `Money`: an amount of Chinese yuan in whole fen.
//!
//! It must never hold a fraction of a fen, meet a floating-point number, wrap around, or be rounded
//! by a rule that the caller did not name.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

pub use super::fixed::{NumberFault, Rounding};
use super::fixed::{Shape, divide, read};

/// The largest amount in fen: 90,000,000,000,000.00 CNY. It lies below 2^53, so that even a reader
/// that holds every number in a double keeps each fen; far below the range of `i64`, so that sums
/// have room.
pub const FEN_MAX: i64 = 9_000_000_000_000_000;

/// An amount of money in fen (1/100 CNY), between −[`FEN_MAX`] and [`FEN_MAX`].
///
/// Its JSON form is `{"amount":"2350200.00","currency":"CNY"}`, always written with two decimals
/// (see [`super::money_json`]). Its text
/// form, read and written by [`FromStr`] and [`fmt::Display`], is the amount alone.
///
/// Interest of 0.5 % on 191,550.00 is 957.75: `"191550.00".parse()?` and `percent_of(Decimal::new(5, 1), Rounding::HalfUp)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money {
    fen: i64,
}

/// Why an amount could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is not a plain decimal number with at most two decimals.
    #[error("not an amount of money: {0}")]
    Malformed(#[from] NumberFault),
    /// The amount, or the result of an operation, lies beyond ±[`FEN_MAX`].
    #[error("amounts of money lie between -90000000000000.00 and 90000000000000.00 CNY")]
    OutOfRange,
    /// The currency is not the yuan.
    #[error("unknown currency {currency:?}: only \"CNY\" is accepted")]
    UnknownCurrency {
        /// The beginning of what was given.
        currency: String,
    },
    /// An amount was to be split into no part, or into more than [`super::split::PARTS_MAX`].
    #[error("an amount is split into 1 to 1000 parts")]
    PartsOutOfRange,
    /// An amount was to be split by weights that are all zero.
    #[error("an amount cannot be split by weights that are all zero")]
    NoWeight,
}

impl Money {
    /// No money.
    pub const ZERO: Self = Self { fen: 0 };
    /// The largest amount.
    pub const MAX: Self = Self { fen: FEN_MAX };
    /// The smallest amount, the negative of [`Money::MAX`].
    pub const MIN: Self = Self { fen: -FEN_MAX };

    /// An amount from whole fen.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] beyond ±[`FEN_MAX`].
    pub const fn from_fen(fen: i64) -> Result<Self, MoneyError> {
        if fen < -FEN_MAX || fen > FEN_MAX {
            Err(MoneyError::OutOfRange)
        } else {
            Ok(Self { fen })
        }
    }

    /// An amount from whole yuan.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] beyond ±[`FEN_MAX`].
    pub fn from_yuan(yuan: i64) -> Result<Self, MoneyError> {
        Self::from_fen(yuan.checked_mul(100).ok_or(MoneyError::OutOfRange)?)
    }

    /// The amount in whole fen.
    pub const fn fen(self) -> i64 {
        self.fen
    }

    /// Whether the amount is below zero.
    pub const fn is_negative(self) -> bool {
        self.fen < 0
    }

    /// Whether the amount is zero.
    pub const fn is_zero(self) -> bool {
        self.fen == 0
    }

    /// `self + other`.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        Self::from_fen(self.fen.checked_add(other.fen).ok_or(MoneyError::OutOfRange)?)
    }

    /// `self − other`.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        Self::from_fen(self.fen.checked_sub(other.fen).ok_or(MoneyError::OutOfRange)?)
    }

    /// `−self`. It cannot fail, because the range is symmetric.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self {
            fen: self.fen.saturating_neg(),
        }
    }

    /// The sum of any number of amounts. Only the result must lie in the range, so that the order
    /// of the amounts never decides whether they can be added.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`].
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        let mut fen = 0_i128;
        for amount in amounts {
            fen = fen
                .checked_add(i128::from(amount.fen))
                .ok_or(MoneyError::OutOfRange)?;
        }
        Self::from_wide(fen)
    }

    /// `self × factor`, computed exactly and rounded once, to the fen.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`].
    pub fn times(self, factor: Decimal, rounding: Rounding) -> Result<Self, MoneyError> {
        self.scaled(factor, 0, rounding)
            .ok_or(MoneyError::OutOfRange)
            .and_then(Self::from_wide)
    }

    /// `percent` per cent of the amount, computed exactly and rounded once, to the fen.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`].
    pub fn percent_of(self, percent: Decimal, rounding: Rounding) -> Result<Self, MoneyError> {
        self.scaled(percent, 2, rounding)
            .ok_or(MoneyError::OutOfRange)
            .and_then(Self::from_wide)
    }

    /// The amount for readers, with a comma after every three digits: `2,350,200.00`.
    pub fn grouped(self) -> String {
        let plain = self.to_string();
        let (whole, fen) = plain.split_once('.').unwrap_or((&plain, ""));
        let (sign, digits) = whole
            .strip_prefix('-')
            .map_or(("", whole), |digits| ("-", digits));
        let mut text = String::from(sign);
        for (digit, remaining) in digits.chars().zip((1..=digits.len()).rev()) {
            text.push(digit);
            if remaining > 1 && remaining % 3 == 1 {
                text.push(',');
            }
        }
        text.push('.');
        text.push_str(fen);
        text
    }

    /// An amount from fen in the width that intermediate results need.
    pub(super) fn from_wide(fen: i128) -> Result<Self, MoneyError> {
        i64::try_from(fen)
            .map_err(|_| MoneyError::OutOfRange)
            .and_then(Self::from_fen)
    }

    /// `fen × factor × 10^−shift` in whole fen; `shift` is at most 2.
    ///
    /// The product of `Decimal` was rejected: beyond 28 digits it rounds silently, and the rounding
    /// named by the caller would then be a second one. The factor is brought to 30 decimals and
    /// multiplied in two halves of 15, so that every digit of the fraction is there when it is
    /// rounded.
    fn scaled(self, factor: Decimal, shift: u32, rounding: Rounding) -> Option<i128> {
        const PLACES: u32 = 30;
        const HALF: i128 = 1_000_000_000_000_000;
        const ONE: i128 = 1_000_000_000_000_000_000_000_000_000_000;
        let fen = i128::from(self.fen);
        let scale = factor.scale().checked_add(shift)?;
        let unit = 10_i128.checked_pow(scale)?;
        let whole = factor.mantissa().checked_div(unit)?;
        let lift = 10_i128.checked_pow(PLACES.checked_sub(scale)?)?;
        let decimals = factor.mantissa().checked_rem(unit)?.checked_mul(lift)?;

        let low = fen.checked_mul(decimals.checked_rem(HALF)?)?;
        let high = fen
            .checked_mul(decimals.checked_div(HALF)?)?
            .checked_add(low.checked_div(HALF)?)?;
        let fraction = high
            .checked_rem(HALF)?
            .checked_mul(HALF)?
            .checked_add(low.checked_rem(HALF)?)?;
        let quotient = fen.checked_mul(whole)?.checked_add(high.checked_div(HALF)?)?;

        // The last digit's parity stays with the fraction: a tie to the even neighbour needs it.
        let parity = quotient.checked_rem(2)?;
        let last = divide(parity.checked_mul(ONE)?.checked_add(fraction)?, ONE, rounding)?;
        quotient.checked_sub(parity)?.checked_add(last)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_negative() { "-" } else { "" };
        let magnitude = self.fen.unsigned_abs();
        formatter.pad(&format!("{sign}{}.{:02}", magnitude / 100, magnitude % 100))
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let number = read(
            text,
            Shape {
                places_max: 2,
                signed: true,
            },
        )?;
        Self::from_fen(number.units_at(2).ok_or(MoneyError::OutOfRange)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    fn decimal(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    fn any_money() -> impl Strategy<Value = Money> {
        prop_oneof![-FEN_MAX..=FEN_MAX, -100_000_i64..=100_000].prop_map(|fen| Money::from_fen(fen).unwrap())
    }

    #[test]
    fn text_is_plain_and_readers_get_groups() {
        for (text, grouped) in [
            ("0.00", "0.00"),
            ("-0.05", "-0.05"),
            ("999.99", "999.99"),
            ("1000.00", "1,000.00"),
            ("-123456.78", "-123,456.78"),
            ("2350200.00", "2,350,200.00"),
            ("90000000000000.00", "90,000,000,000,000.00"),
        ] {
            assert_eq!(money(text).to_string(), text);
            assert_eq!(money(text).grouped(), grouped);
        }
        assert_eq!(format!("{:>8}", money("1.5")), "    1.50");
    }

    #[test]
    fn the_range_has_two_ends() {
        assert_eq!(
            Money::MAX.checked_add(Money::from_fen(1).unwrap()),
            Err(MoneyError::OutOfRange)
        );
        assert_eq!(
            Money::MIN.checked_sub(Money::from_fen(1).unwrap()),
            Err(MoneyError::OutOfRange)
        );
        assert_eq!(Money::MAX.negated(), Money::MIN);
        assert_eq!(Money::from_fen(i64::MIN), Err(MoneyError::OutOfRange));
        assert_eq!(Money::from_yuan(i64::MAX), Err(MoneyError::OutOfRange));
        assert_eq!(Money::sum([Money::MAX, Money::MAX, Money::MIN]), Ok(Money::MAX));
        assert_eq!(Money::sum([Money::MAX, Money::MAX]), Err(MoneyError::OutOfRange));
        assert_eq!(
            Money::MAX.times(Decimal::MAX, Rounding::Down),
            Err(MoneyError::OutOfRange)
        );
        assert_eq!(
            "9000000000000000000000".parse::<Money>(),
            Err(MoneyError::Malformed(NumberFault::TooManyDigits))
        );
    }

    #[test]
    fn percentages_of_the_rules() {
        let percent = |amount: &str, percent: &str| {
            money(amount)
                .percent_of(decimal(percent), Rounding::HalfUp)
                .unwrap()
                .to_string()
        };
        assert_eq!(percent("2350200.00", "2"), "47004.00");
        assert_eq!(percent("2298600.00", "5"), "114930.00");
        assert_eq!(percent("2298600.00", "10"), "229860.00");
        assert_eq!(percent("0.50", "1"), "0.01");
        assert_eq!(percent("-0.50", "1"), "-0.01");
    }

    #[test]
    fn rounding_is_single_and_exact() {
        let half = decimal("0.5");
        for (fen, half_up, half_even, down) in [(1, 1, 0, 0), (3, 2, 2, 1), (5, 3, 2, 2), (-5, -3, -2, -2)] {
            let amount = Money::from_fen(fen).unwrap();
            assert_eq!(amount.times(half, Rounding::HalfUp).unwrap().fen(), half_up);
            assert_eq!(amount.times(half, Rounding::HalfEven).unwrap().fen(), half_even);
            assert_eq!(amount.times(half, Rounding::Down).unwrap().fen(), down);
        }
        // A hair below a tie: a product kept to 28 digits would show the tie itself and round up.
        let below = decimal("0.4999999999999999999999999999");
        assert_eq!(
            Money::from_fen(1)
                .unwrap()
                .times(below, Rounding::HalfUp)
                .unwrap()
                .fen(),
            0
        );
        let amount = Money::from_fen(FEN_MAX - 1).unwrap();
        assert_eq!(
            amount.times(below, Rounding::HalfUp).unwrap().fen(),
            FEN_MAX / 2 - 1
        );
    }

    proptest! {
        #[test]
        fn text_round_trips(amount in any_money()) {
            prop_assert_eq!(money(&amount.to_string()), amount);
            prop_assert_eq!(money(&amount.grouped().replace(',', "")), amount);
        }

        #[test]
        fn arithmetic_never_wraps(left in any_money(), right in any_money()) {
            let (wide_left, wide_right) = (i128::from(left.fen()), i128::from(right.fen()));
            let in_range = |wide: i128| i64::try_from(wide).ok().filter(|fen| fen.abs() <= FEN_MAX);
            prop_assert_eq!(left.checked_add(right).ok().map(Money::fen), in_range(wide_left + wide_right));
            prop_assert_eq!(left.checked_sub(right).ok().map(Money::fen), in_range(wide_left - wide_right));
            prop_assert_eq!(Money::sum([left, right]), left.checked_add(right));
            prop_assert_eq!(left.negated().negated(), left);
        }

        #[test]
        fn products_equal_integer_arithmetic(amount in any_money(), units in any::<i32>(), scale in 0_u32..=9) {
            let factor = Decimal::new(i64::from(units), scale);
            let product = i128::from(amount.fen()) * i128::from(units);
            for rounding in [Rounding::HalfUp, Rounding::HalfEven, Rounding::Down] {
                let wide = divide(product, 10_i128.pow(scale), rounding).unwrap();
                prop_assert_eq!(amount.times(factor, rounding), Money::from_wide(wide));
                let wide = divide(product, 10_i128.pow(scale + 2), rounding).unwrap();
                prop_assert_eq!(amount.percent_of(factor, rounding), Money::from_wide(wide));
            }
        }
    }
}
