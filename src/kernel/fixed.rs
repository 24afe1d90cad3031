//! Numbers with a fixed number of decimals: strict reading of their text, and division with a named
//! rounding.
//!
//! Everything here is integer arithmetic. It must never meet a floating-point number, round without
//! being told how, or guess what a malformed text was meant to say.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::Deserializer;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How an exact result is brought to the decimals that are kept. The sign plays no part: −0.125 is
/// rounded like 0.125, so that a deduction and its reversal are the same amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest, a tie away from zero: 四舍五入, the usual rule of Chinese tenders.
    HalfUp,
    /// To the nearest, a tie to the even neighbour: no drift over many roundings.
    HalfEven,
    /// Towards zero: what is kept never exceeds the exact result.
    Down,
}

/// Why a text is not a number as this project writes numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberFault {
    /// No text at all, or a sign or decimal point with no digit where one belongs.
    #[error("a digit is missing")]
    DigitMissing,
    /// Something other than `0`–`9`, one decimal point and a leading minus: `+`, `e`, spaces,
    /// separators.
    #[error("only the digits 0 to 9, one decimal point and a leading minus sign are read")]
    ForeignCharacter,
    /// A zero before other digits of the whole part, as in `007`.
    #[error("a number has no leading zeroes")]
    LeadingZero,
    /// A minus sign on a number that is never negative.
    #[error("this number is never negative")]
    NeverNegative,
    /// More digits after the decimal point than are kept.
    #[error("at most {places_max} decimals are kept")]
    TooManyDecimals {
        /// The decimals that are kept.
        places_max: u32,
    },
    /// More digits than any number of this kind has.
    #[error("the number has too many digits")]
    TooManyDigits,
}

/// What [`read`] accepts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// The most digits after the decimal point.
    pub(crate) places_max: u32,
    /// Whether a leading minus sign is allowed.
    pub(crate) signed: bool,
}

/// A number as it was written: `19.80` is 1980 units at 2 places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fixed {
    /// The digits without the decimal point, with the sign.
    pub(crate) units: i64,
    /// How many of the digits follow the decimal point.
    pub(crate) places: u32,
}

impl Fixed {
    /// The same number in units of 10^−`places`, or `None` when it does not fit or would lose
    /// digits.
    pub(crate) fn units_at(self, places: u32) -> Option<i64> {
        let steps = places.checked_sub(self.places)?;
        self.units.checked_mul(10_i64.checked_pow(steps)?)
    }

    /// The same number with the same places.
    pub(crate) fn decimal(self) -> Option<Decimal> {
        Decimal::try_from_i128_with_scale(i128::from(self.units), self.places).ok()
    }
}

/// Reads a plain decimal number strictly. A regular expression was rejected: it could say that a
/// text is wrong, but not why.
///
/// # Errors
/// The first [`NumberFault`] met from the left; an overlong whole number is
/// [`NumberFault::TooManyDigits`].
pub(crate) fn read(text: &str, shape: Shape) -> Result<Fixed, NumberFault> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(_) if !shape.signed => return Err(NumberFault::NeverNegative),
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, decimals) = match unsigned.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (unsigned, None),
    };
    for digits in [Some(whole), decimals].into_iter().flatten() {
        if digits.is_empty() {
            return Err(NumberFault::DigitMissing);
        }
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NumberFault::ForeignCharacter);
        }
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return Err(NumberFault::LeadingZero);
    }
    let decimals = decimals.unwrap_or("");
    let places = u32::try_from(decimals.len()).map_err(|_| NumberFault::TooManyDigits)?;
    if places > shape.places_max {
        return Err(NumberFault::TooManyDecimals {
            places_max: shape.places_max,
        });
    }
    let digits = whole.bytes().chain(decimals.bytes());
    let magnitude = digits
        .map(|digit| i64::from(digit.saturating_sub(b'0')))
        .try_fold(0_i64, |sum, digit| sum.checked_mul(10)?.checked_add(digit))
        .ok_or(NumberFault::TooManyDigits)?;
    let units = if negative {
        magnitude.checked_neg()
    } else {
        Some(magnitude)
    };
    Ok(Fixed {
        units: units.ok_or(NumberFault::TooManyDigits)?,
        places,
    })
}

/// The same decimal without zeroes beyond `places_max` and without a sign on zero.
pub(crate) fn tidied(decimal: Decimal, places_max: u32) -> Decimal {
    let decimal = if decimal.scale() > places_max {
        decimal.normalize()
    } else {
        decimal
    };
    if decimal.is_zero() { decimal.abs() } else { decimal }
}

/// The decimal in units of 10^−`places`, or `None` when it has more places or is too large.
pub(crate) fn units_of(decimal: Decimal, places: u32) -> Option<i128> {
    let steps = places.checked_sub(decimal.scale())?;
    decimal.mantissa().checked_mul(10_i128.checked_pow(steps)?)
}

/// `numerator / divisor` to a whole number, rounded as named.
///
/// `None` when the divisor is not positive or the arithmetic leaves the range of `i128`.
pub(crate) fn divide(numerator: i128, divisor: i128, rounding: Rounding) -> Option<i128> {
    if divisor <= 0 {
        return None;
    }
    let quotient = numerator.checked_div(divisor)?;
    let remainder = numerator.checked_rem(divisor)?.checked_abs()?;
    // Comparing with what is left up to the divisor, instead of doubling the remainder, cannot
    // overflow.
    let to_the_next = divisor.checked_sub(remainder)?;
    let away = match rounding {
        Rounding::HalfUp => remainder >= to_the_next,
        Rounding::HalfEven => {
            remainder > to_the_next || (remainder == to_the_next && quotient.checked_rem(2)? != 0)
        }
        Rounding::Down => false,
    };
    if away {
        quotient.checked_add(numerator.signum())
    } else {
        Some(quotient)
    }
}

/// Deserialises a value from its text only; a JSON number is refused with a sentence that shows the
/// form.
pub(crate) fn deserialize_text<'de, D, T>(deserializer: D, expected: &'static str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: fmt::Display,
{
    deserializer.deserialize_str(TextVisitor {
        expected,
        value: PhantomData,
    })
}

struct TextVisitor<T> {
    expected: &'static str,
    value: PhantomData<T>,
}

impl<T> Visitor<'_> for TextVisitor<T>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIGNED: Shape = Shape {
        places_max: 2,
        signed: true,
    };

    #[test]
    fn reads_what_was_written_and_keeps_its_places() {
        assert_eq!(
            read("19.80", SIGNED),
            Ok(Fixed {
                units: 1980,
                places: 2
            })
        );
        assert_eq!(read("-0.05", SIGNED), Ok(Fixed { units: -5, places: 2 }));
        assert_eq!(read("0", SIGNED), Ok(Fixed { units: 0, places: 0 }));
        assert_eq!(read("7", SIGNED).unwrap().units_at(2), Some(700));
        assert_eq!(read("7.25", SIGNED).unwrap().units_at(1), None);
    }

    #[test]
    fn says_why_a_text_is_no_number() {
        for text in ["", "-", ".5", "5.", "-.5", "."] {
            assert_eq!(read(text, SIGNED), Err(NumberFault::DigitMissing), "{text:?}");
        }
        for text in [
            "+5", " 5", "5 ", "1e3", "1,000", "--5", "1.2.3", "５", "0x1", "1_000", "NaN", "5\n",
        ] {
            assert_eq!(read(text, SIGNED), Err(NumberFault::ForeignCharacter), "{text:?}");
        }
        for text in ["00", "007", "-01.50"] {
            assert_eq!(read(text, SIGNED), Err(NumberFault::LeadingZero), "{text:?}");
        }
        assert_eq!(
            read("1.005", SIGNED),
            Err(NumberFault::TooManyDecimals { places_max: 2 })
        );
        assert_eq!(
            read(
                "-1",
                Shape {
                    signed: false,
                    ..SIGNED
                }
            ),
            Err(NumberFault::NeverNegative)
        );
        assert_eq!(
            read("99999999999999999999", SIGNED),
            Err(NumberFault::TooManyDigits)
        );
    }

    #[test]
    fn each_rounding_treats_ties_in_its_own_way() {
        let rounded = |numerator, rounding| divide(numerator, 10, rounding).unwrap();
        for (numerator, half_up, half_even, down) in [
            (25, 3, 2, 2),
            (35, 4, 4, 3),
            (24, 2, 2, 2),
            (26, 3, 3, 2),
            (-25, -3, -2, -2),
            (-26, -3, -3, -2),
            (5, 1, 0, 0),
        ] {
            assert_eq!(rounded(numerator, Rounding::HalfUp), half_up);
            assert_eq!(rounded(numerator, Rounding::HalfEven), half_even);
            assert_eq!(rounded(numerator, Rounding::Down), down);
        }
        assert_eq!(divide(1, 0, Rounding::Down), None);
        assert_eq!(divide(1, -3, Rounding::Down), None);
    }

    proptest! {
        #[test]
        fn a_rounded_quotient_is_within_half_a_unit(numerator in any::<i64>(), divisor in 1_i64..) {
            let (numerator, divisor) = (i128::from(numerator), i128::from(divisor));
            for rounding in [Rounding::HalfUp, Rounding::HalfEven] {
                let quotient = divide(numerator, divisor, rounding).unwrap();
                prop_assert!((numerator - quotient * divisor).abs() * 2 <= divisor);
            }
            let down = divide(numerator, divisor, Rounding::Down).unwrap();
            prop_assert!(down.abs() * divisor <= numerator.abs());
            prop_assert!((numerator - down * divisor).abs() < divisor);
        }

        #[test]
        fn reading_never_panics(text in ".{0,40}") {
            let _ = read(&text, SIGNED);
        }
    }
}
