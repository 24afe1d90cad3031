//! The JSON form of money, `{"amount":"2350200.00","currency":"CNY"}`, and its schema.
//!
//! It must never read an amount from a JSON number, which passes through a floating-point number in
//! most readers, and never accept another currency in silence.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::fixed::deserialize_text;
use super::money::{Money, MoneyError};

/// The regular expression of an amount in JSON; it allows exactly the range of [`Money`].
pub const AMOUNT_PATTERN: &str =
    r"^-?((0|[1-9][0-9]{0,12}|[1-8][0-9]{13})(\.[0-9]{1,2})?|90000000000000(\.0{1,2})?)$";

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        MoneyDocument {
            amount: *self,
            currency: Currency::Cny,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MoneyVisitor)
    }
}

impl PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        MoneyDocument::schema()
    }
}

impl ToSchema for Money {}

/// An amount of money in Chinese yuan with at most two decimals; it is always answered with two.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"amount": "2350200.00", "currency": "CNY"})))]
struct MoneyDocument {
    /// Yuan in plain decimal digits, as a string.
    #[serde(serialize_with = "write_amount", deserialize_with = "read_amount")]
    #[schema(value_type = String, pattern = "^-?((0|[1-9][0-9]{0,12}|[1-8][0-9]{13})(\\.[0-9]{1,2})?|90000000000000(\\.0{1,2})?)$")]
    amount: Money,
    #[schema(inline)]
    currency: Currency,
}

/// ISO 4217 code.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
enum Currency {
    #[serde(rename = "CNY")]
    Cny,
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(code: String) -> Result<Self, MoneyError> {
        match code.as_str() {
            "CNY" => Ok(Self::Cny),
            unknown => Err(MoneyError::UnknownCurrency {
                currency: unknown.chars().take(8).collect(),
            }),
        }
    }
}

fn write_amount<S: Serializer>(amount: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(amount)
}

fn read_amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    deserialize_text(deserializer, "an amount in a string, such as \"2350200.00\"")
}

/// Accepts an object only; the derived code of [`MoneyDocument`] alone would also take an array.
struct MoneyVisitor;

impl<'de> Visitor<'de> for MoneyVisitor {
    type Value = Money;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object such as {\"amount\":\"2350200.00\",\"currency\":\"CNY\"}")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Money, A::Error> {
        MoneyDocument::deserialize(MapAccessDeserializer::new(map)).map(|document| document.amount)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{from_str, json, to_string, to_value};

    use super::super::money::FEN_MAX;
    use super::*;

    #[test]
    fn json_has_exactly_one_form() {
        let form = r#"{"amount":"2350200.00","currency":"CNY"}"#;
        assert_eq!(to_string(&Money::from_yuan(2_350_200).unwrap()).unwrap(), form);
        assert_eq!(from_str::<Money>(form).unwrap().fen(), 235_020_000);
        assert_eq!(
            from_str::<Money>(r#"{"currency":"CNY","amount":"-0.5"}"#)
                .unwrap()
                .fen(),
            -50
        );
        assert_eq!(
            from_str::<Money>(r#"{"currency":"CNY","amount":"-0"}"#).unwrap(),
            Money::ZERO
        );
    }

    #[test]
    fn json_of_another_form_is_refused_with_a_reason() {
        for (body, reason) in [
            (
                r#"{"amount":2350200,"currency":"CNY"}"#,
                "expected an amount in a string",
            ),
            (
                r#"{"amount":0.1,"currency":"CNY"}"#,
                "expected an amount in a string",
            ),
            (
                r#"{"amount":null,"currency":"CNY"}"#,
                "expected an amount in a string",
            ),
            (
                r#"{"amount":"1.00","currency":"USD"}"#,
                r#"unknown currency "USD": only "CNY" is accepted"#,
            ),
            (r#"{"amount":"1.00","currency":"cny"}"#, "unknown currency"),
            (r#"{"amount":"1.00"}"#, "missing field `currency`"),
            (
                r#"{"amount":"1.00","currency":"CNY","note":""}"#,
                "unknown field `note`",
            ),
            (
                r#"{"amount":"1.00","amount":"2.00","currency":"CNY"}"#,
                "duplicate field `amount`",
            ),
            (r#"["1.00","CNY"]"#, "expected an object such as"),
            (r#""1.00""#, "expected an object such as"),
            (r#"{"amount":"1.005","currency":"CNY"}"#, "at most 2 decimals"),
            (r#"{"amount":"1e3","currency":"CNY"}"#, "only the digits 0 to 9"),
            (
                r#"{"amount":"90000000000000.01","currency":"CNY"}"#,
                "lie between",
            ),
        ] {
            let error = from_str::<Money>(body).unwrap_err().to_string();
            assert!(error.contains(reason), "{body}: {error}");
        }
    }

    #[test]
    fn the_schema_describes_the_json() {
        let schema = to_value(Money::schema()).unwrap();
        assert_eq!(schema["properties"]["amount"]["pattern"], AMOUNT_PATTERN);
        assert_eq!(schema["properties"]["amount"]["type"], "string");
        let currency = json!({"type": "string", "enum": ["CNY"], "description": "ISO 4217 code."});
        assert_eq!(schema["properties"]["currency"], currency);
        assert_eq!(schema["required"], json!(["amount", "currency"]));
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["examples"], json!([Money::from_yuan(2_350_200).unwrap()]));
        assert_eq!(Money::name(), "Money");
    }

    proptest! {
        #[test]
        fn json_round_trips(fen in -FEN_MAX..=FEN_MAX) {
            let amount = Money::from_fen(fen).unwrap();
            prop_assert_eq!(from_str::<Money>(&to_string(&amount).unwrap()).unwrap(), amount);
        }

        #[test]
        fn whatever_the_pattern_allows_is_read(
            text in prop::string::string_regex(AMOUNT_PATTERN.trim_matches(['^', '$'])).unwrap(),
        ) {
            prop_assert!(text.parse::<Money>().is_ok(), "{}", text);
        }
    }
}
