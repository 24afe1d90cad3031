//! Weights in percent, by which scores are combined and amounts shared.
//!
//! A weight must never be negative, exceed the whole, or meet a floating-point number.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

pub use super::fixed::NumberFault;
use super::fixed::{Shape, deserialize_text, read, tidied, units_of};

/// The most decimals of a weight.
pub const WEIGHT_PLACES_MAX: u32 = 4;

/// The regular expression of a weight in JSON; it allows exactly what [`Weight`] holds.
pub const WEIGHT_PATTERN: &str = r"^((0|[1-9][0-9]?)(\.[0-9]{1,4})?|100(\.0{1,4})?)$";

/// One hundred percent in units of 0.0001 percent.
const HUNDRED_PERCENT: u64 = 1_000_000;

/// The weight of a score in percent, between 0 and 100, with at most four decimals. In JSON it is a
/// string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Weight(Decimal);

/// Why a weight could not be made, or weights do not fit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeightError {
    /// The text is not a plain decimal number with at most four decimals.
    #[error("not a weight: {0}")]
    Malformed(#[from] NumberFault),
    /// The weight lies outside 0–100, or has more than four decimals.
    #[error("weights lie between 0 and 100 percent and have at most 4 decimals")]
    OutOfRange,
    /// The weights do not add up to 100 percent.
    #[error("the weights add up to {sum} percent instead of 100")]
    NotHundred {
        /// What they add up to, in percent.
        sum: Decimal,
    },
}

impl Weight {
    /// All of it.
    pub const HUNDRED: Self = Self(Decimal::ONE_HUNDRED);

    /// A weight from an exact decimal, in percent.
    ///
    /// # Errors
    /// [`WeightError::OutOfRange`].
    pub fn new(percent: Decimal) -> Result<Self, WeightError> {
        let percent = tidied(percent, WEIGHT_PLACES_MAX);
        match ten_thousandths(percent) {
            Some(exact) if exact <= HUNDRED_PERCENT => Ok(Self(percent)),
            _ => Err(WeightError::OutOfRange),
        }
    }

    /// The weight in percent as an exact decimal.
    pub const fn percent(self) -> Decimal {
        self.0
    }

    /// The weight in units of 0.0001 percent, so that 100 percent is 1,000,000: the whole number by
    /// which [`Money::split_by_weights`](super::money::Money::split_by_weights) shares an amount.
    pub fn ten_thousandths(self) -> u64 {
        // The constructor refused everything that has no such number.
        ten_thousandths(self.0).unwrap_or_default()
    }
}

/// Whether the weights of a scoring scheme add up to exactly 100 percent (Σ Ai = 1, 87号令 art 55).
///
/// # Errors
/// [`WeightError::NotHundred`] with the sum they have; no weight at all has the sum zero.
pub fn weights_sum_to_hundred(weights: &[Weight]) -> Result<(), WeightError> {
    let sum = weights
        .iter()
        .map(|weight| i128::from(weight.ten_thousandths()))
        .sum::<i128>();
    if sum == i128::from(HUNDRED_PERCENT) {
        return Ok(());
    }
    let sum = Decimal::try_from_i128_with_scale(sum, WEIGHT_PLACES_MAX).unwrap_or(Decimal::MAX);
    Err(WeightError::NotHundred { sum: sum.normalize() })
}

fn ten_thousandths(percent: Decimal) -> Option<u64> {
    u64::try_from(units_of(percent, WEIGHT_PLACES_MAX)?).ok()
}

impl FromStr for Weight {
    type Err = WeightError;

    fn from_str(text: &str) -> Result<Self, WeightError> {
        let number = read(
            text,
            Shape {
                places_max: WEIGHT_PLACES_MAX,
                signed: false,
            },
        )?;
        number
            .decimal()
            .ok_or(WeightError::OutOfRange)
            .and_then(Self::new)
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Serialize for Weight {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_text(deserializer, "a weight in percent in a string, such as \"12.5\"")
    }
}

impl PartialSchema for Weight {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "A weight in percent, between 0 and 100, with at most four decimals.",
            ))
            .pattern(Some(WEIGHT_PATTERN))
            .examples(["12.5"])
            .into()
    }
}

impl ToSchema for Weight {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{from_str, to_string, to_value};

    use super::*;

    fn weight(text: &str) -> Weight {
        text.parse().unwrap()
    }

    #[test]
    fn json_is_a_strict_string() {
        assert_eq!(to_string(&weight("12.50")).unwrap(), r#""12.50""#);
        for (body, reason) in [
            ("30", "expected a weight in percent in a string"),
            (r#""-1""#, "never negative"),
            (r#""100.0001""#, "lie between 0 and 100"),
            (r#""33.33333""#, "at most 4 decimals"),
            (r#""30%""#, "only the digits"),
        ] {
            let error = from_str::<Weight>(body).unwrap_err().to_string();
            assert!(error.contains(reason), "{body}: {error}");
        }
        let schema = to_value(Weight::schema()).unwrap();
        assert_eq!(
            (&schema["type"], &schema["pattern"]),
            (&"string".into(), &WEIGHT_PATTERN.into())
        );
        assert_eq!(Weight::name(), "Weight");
    }

    #[test]
    fn only_exactly_hundred_is_hundred() {
        let sum = |texts: &[&str]| {
            weights_sum_to_hundred(&texts.iter().map(|text| weight(text)).collect::<Vec<_>>())
        };
        assert_eq!(sum(&["20", "80"]), Ok(()));
        assert_eq!(sum(&["33.3333", "33.3333", "33.3334"]), Ok(()));
        assert_eq!(
            sum(&["33.33", "33.33", "33.33"]),
            Err(WeightError::NotHundred {
                sum: Decimal::new(9999, 2)
            })
        );
        assert_eq!(
            sum(&["60", "50"]),
            Err(WeightError::NotHundred {
                sum: Decimal::new(110, 0)
            })
        );
        assert_eq!(sum(&[]), Err(WeightError::NotHundred { sum: Decimal::ZERO }));
    }

    #[test]
    fn decimals_beyond_the_fourth_are_refused_unless_zero() {
        assert_eq!(Weight::new(Decimal::new(12_500_000, 6)), Ok(weight("12.5")));
        assert_eq!(Weight::new(Decimal::new(1, 5)), Err(WeightError::OutOfRange));
        assert_eq!(Weight::new(Decimal::MAX), Err(WeightError::OutOfRange));
        assert_eq!(weight("12.5").ten_thousandths(), 125_000);
        assert_eq!(Weight::HUNDRED.ten_thousandths(), 1_000_000);
    }

    proptest! {
        #[test]
        fn text_round_trips(text in prop::string::string_regex(WEIGHT_PATTERN.trim_matches(['^', '$'])).unwrap()) {
            let value = weight(&text);
            prop_assert_eq!(weight(&value.to_string()), value);
            prop_assert_eq!(from_str::<Weight>(&to_string(&value).unwrap()).unwrap(), value);
        }
    }
}
