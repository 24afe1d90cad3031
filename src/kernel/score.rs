//! Scores as exact decimals, and how they are combined.
//!
//! A score must never meet a floating-point number, and no result is rounded but at the places and
//! by the rule that its caller names.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

pub use super::combine::{Proportion, SCORES_MAX};
pub use super::fixed::{NumberFault, Rounding};
use super::fixed::{Shape, deserialize_text, divide, read, tidied, units_of};
pub use super::weight::{Weight, WeightError, weights_sum_to_hundred};

/// The most decimals of a score.
pub const SCORE_PLACES_MAX: u32 = 6;

/// The regular expression of a score in JSON; it allows exactly what [`Score`] holds.
pub const SCORE_PATTERN: &str = r"^-?((0|[1-9][0-9]{0,2})(\.[0-9]{1,6})?|1000(\.0{1,6})?)$";

/// One point in the smallest unit a score has, a millionth.
pub(super) const MILLIONTHS: i128 = 1_000_000;
/// The largest score in millionths.
const SCORE_MAX_MILLIONTHS: i128 = 1_000_000_000;

/// A score in points, between −1000 and 1000, with at most six decimals.
///
/// A total is usually within 0–100; the wider range leaves room for scales of 1000 points and for
/// sums of deductions before they are capped. The decimals it was made with stay: `20.00` is
/// written `20.00`, yet equals `20`. In JSON it is a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Score(Decimal);

/// Why a score could not be made or combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// The text is not a plain decimal number with at most six decimals.
    #[error("not a score: {0}")]
    Malformed(#[from] NumberFault),
    /// The score lies beyond ±1000, or has more than six decimals.
    #[error("scores lie between -1000 and 1000 and have at most 6 decimals")]
    OutOfRange,
    /// The weights of a weighted sum do not fit together.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// More scores than [`SCORES_MAX`].
    #[error("at most 10000 scores are combined at once")]
    TooMany,
    /// A mean of nothing, or a proportion of a whole that is not positive.
    #[error("there is nothing to divide by")]
    NothingToDivideBy,
}

impl Score {
    /// No points.
    pub const ZERO: Self = Self(Decimal::ZERO);
    /// One point.
    pub const ONE: Self = Self(Decimal::ONE);
    /// One hundred points, the full marks of a total.
    pub const HUNDRED: Self = Self(Decimal::ONE_HUNDRED);

    /// A score from an exact decimal.
    ///
    /// # Errors
    /// [`ScoreError::OutOfRange`].
    pub fn new(points: Decimal) -> Result<Self, ScoreError> {
        let points = tidied(points, SCORE_PLACES_MAX);
        match units_of(points, SCORE_PLACES_MAX) {
            Some(exact) if (-SCORE_MAX_MILLIONTHS..=SCORE_MAX_MILLIONTHS).contains(&exact) => {
                Ok(Self(points))
            }
            _ => Err(ScoreError::OutOfRange),
        }
    }

    /// The points as an exact decimal.
    pub const fn points(self) -> Decimal {
        self.0
    }

    /// `self + other`.
    ///
    /// # Errors
    /// [`ScoreError::OutOfRange`].
    pub fn checked_add(self, other: Self) -> Result<Self, ScoreError> {
        self.0
            .checked_add(other.0)
            .ok_or(ScoreError::OutOfRange)
            .and_then(Self::new)
    }

    /// `self − other`, for instance the points below a threshold.
    ///
    /// # Errors
    /// [`ScoreError::OutOfRange`].
    pub fn checked_sub(self, other: Self) -> Result<Self, ScoreError> {
        self.0
            .checked_sub(other.0)
            .ok_or(ScoreError::OutOfRange)
            .and_then(Self::new)
    }

    /// The same score with exactly `places` decimals.
    ///
    /// # Errors
    /// [`ScoreError::OutOfRange`] for more than [`SCORE_PLACES_MAX`] places.
    pub fn rounded(self, places: u32, rounding: Rounding) -> Result<Self, ScoreError> {
        Self::quotient(self.millionths()?, MILLIONTHS, places, rounding)
    }

    /// The score in its smallest unit, exactly.
    pub(super) fn millionths(self) -> Result<i128, ScoreError> {
        units_of(self.0, SCORE_PLACES_MAX).ok_or(ScoreError::OutOfRange)
    }

    /// `dividend / divisor` points with exactly `places` decimals.
    pub(super) fn quotient(
        dividend: i128,
        divisor: i128,
        places: u32,
        rounding: Rounding,
    ) -> Result<Self, ScoreError> {
        if places > SCORE_PLACES_MAX {
            return Err(ScoreError::OutOfRange);
        }
        10_i128
            .checked_pow(places)
            .and_then(|unit| dividend.checked_mul(unit))
            .and_then(|lifted| divide(lifted, divisor, rounding))
            .and_then(|units| Decimal::try_from_i128_with_scale(units, places).ok())
            .ok_or(ScoreError::OutOfRange)
            .and_then(Self::new)
    }
}

impl FromStr for Score {
    type Err = ScoreError;

    fn from_str(text: &str) -> Result<Self, ScoreError> {
        let number = read(
            text,
            Shape {
                places_max: SCORE_PLACES_MAX,
                signed: true,
            },
        )?;
        number.decimal().ok_or(ScoreError::OutOfRange).and_then(Self::new)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Serialize for Score {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_text(deserializer, "a score in a string, such as \"92.32\"")
    }
}

impl PartialSchema for Score {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "A score in points, between -1000 and 1000, with at most six decimals.",
            ))
            .pattern(Some(SCORE_PATTERN))
            .examples(["92.32"])
            .into()
    }
}

impl ToSchema for Score {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{from_str, to_string, to_value};

    use super::*;

    fn score(text: &str) -> Score {
        text.parse().unwrap()
    }

    #[test]
    fn json_is_a_strict_string() {
        assert_eq!(to_string(&score("92.30")).unwrap(), r#""92.30""#);
        assert_eq!(from_str::<Score>(r#""-1000.000000""#).unwrap(), score("-1000"));
        for (body, reason) in [
            ("92.3", "expected a score in a string"),
            ("92", "expected a score in a string"),
            (r#""92.3e0""#, "only the digits"),
            (r#""+1""#, "only the digits"),
            (r#"" 1""#, "only the digits"),
            (r#""01""#, "no leading zeroes"),
            (r#""1.0000001""#, "at most 6 decimals"),
            (r#""1000.000001""#, "lie between"),
        ] {
            let error = from_str::<Score>(body).unwrap_err().to_string();
            assert!(error.contains(reason), "{body}: {error}");
        }
        let schema = to_value(Score::schema()).unwrap();
        assert_eq!(
            (&schema["type"], &schema["pattern"]),
            (&"string".into(), &SCORE_PATTERN.into())
        );
        assert_eq!(Score::name(), "Score");
    }

    #[test]
    fn decimals_are_kept_but_do_not_distinguish() {
        assert_eq!(score("20.00"), score("20"));
        assert_eq!(score("20.00").to_string(), "20.00");
        assert_eq!(
            score("20").rounded(2, Rounding::HalfUp).unwrap().to_string(),
            "20.00"
        );
        assert_eq!(score("-0.00").to_string(), "0.00");
        assert_eq!(
            Score::new(Decimal::new(9_232_000_000, 8)).unwrap().to_string(),
            "92.32"
        );
        assert_eq!(Score::new(Decimal::new(1, 7)), Err(ScoreError::OutOfRange));
        assert_eq!(Score::new(Decimal::MIN), Err(ScoreError::OutOfRange));
    }

    #[test]
    fn rounding_is_the_one_named() {
        let rounded = |text, rounding| score(text).rounded(2, rounding).unwrap().to_string();
        assert_eq!(rounded("87.125", Rounding::HalfUp), "87.13");
        assert_eq!(rounded("87.125", Rounding::HalfEven), "87.12");
        assert_eq!(rounded("87.129", Rounding::Down), "87.12");
        assert_eq!(rounded("-0.005", Rounding::HalfUp), "-0.01");
        assert_eq!(score("1").rounded(7, Rounding::Down), Err(ScoreError::OutOfRange));
    }

    proptest! {
        #[test]
        fn text_round_trips(text in prop::string::string_regex(SCORE_PATTERN.trim_matches(['^', '$'])).unwrap()) {
            let value = score(&text);
            prop_assert_eq!(score(&value.to_string()), value);
            prop_assert_eq!(from_str::<Score>(&to_string(&value).unwrap()).unwrap(), value);
        }
    }
}
