//! Ids: TypeIDs, a prefix that says what the thing is and a UUIDv7 (RFC 9562 §5.7) in Crockford's base 32, so that
//! ids of one kind sort by age. Made here and nowhere else, never by a database; opaque to clients.

use std::sync::Mutex;

use uuid::{ContextV7, Timestamp, Uuid};

use crate::kernel::clock::Instant;
use crate::kernel::refusal::Fault;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Length of the part after the underscore: 128 bits in groups of five.
pub const SUFFIX_LENGTH: usize = 26;

/// Counts ids made within one millisecond, so that those of one process are strictly increasing.
static SEQUENCE: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// Why a text is not an id of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// It does not begin with the prefix of its kind and an underscore.
    #[error("an id of this kind begins with `{0}_`")]
    Prefix(&'static str),
    /// The rest is not 26 digits of Crockford's base 32, lower case, of at most 128 bits.
    #[error("the part after the underscore is not a valid suffix")]
    Suffix,
}

/// Fresh random bytes from the operating system: salts, secrets, keys.
///
/// # Errors
/// A fault if the system gives none.
pub fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(|error| Fault::caused("read random bytes", error))?;
    Ok(bytes)
}

/// A new id's text. `prefix` is that of its kind; `now` becomes the first 48 bits, in milliseconds.
pub fn mint(prefix: &str, now: Instant) -> String {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    let stamp = {
        // A thread that panicked while counting left a counter, not a broken invariant.
        let sequence = SEQUENCE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Timestamp::from_unix(&*sequence, seconds, now.timestamp_subsec_nanos())
    };
    format!("{prefix}_{}", encode(Uuid::new_v7(stamp).as_u128()))
}

/// A new id's text that tells nothing of when it was made, nor which of two is older: of chance alone.
///
/// # Errors
/// A fault if the system gives no randomness.
pub fn chance(prefix: &str) -> Result<String, Fault> {
    Ok(format!("{prefix}_{}", encode(u128::from_be_bytes(random()?))))
}

/// Checks that `text` is `prefix_` and a suffix.
///
/// # Errors
/// The first thing that is wrong, prefix before suffix.
pub fn check(prefix: &'static str, text: &str) -> Result<(), IdError> {
    let suffix = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .ok_or(IdError::Prefix(prefix))?;
    let first_fits = matches!(suffix.as_bytes().first(), Some(b'0'..=b'7'));
    // Asked for every id that is read from the database, so not by a search through the alphabet.
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'h' | b'j' | b'k' | b'm' | b'n' | b'p'..=b't' | b'v'..=b'z');
    let digits = suffix.len() == SUFFIX_LENGTH && suffix.bytes().all(is_digit);
    if first_fits && digits {
        Ok(())
    } else {
        Err(IdError::Suffix)
    }
}

fn encode(value: u128) -> String {
    (0..SUFFIX_LENGTH)
        .rev()
        .filter_map(|place| usize::try_from((value >> (place * 5)) & 31).ok())
        .filter_map(|digit| ALPHABET.get(digit).copied().map(char::from))
        .collect()
}

/// Declares id types: `ids! { /// An area. AreaId "area" }`.
#[macro_export]
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub struct $name(String);

        impl $name {
            /// What ids of this kind begin with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, made at `now`.
            pub fn mint(now: $crate::kernel::clock::Instant) -> Self {
                Self($crate::kernel::id::mint(Self::PREFIX, now))
            }

            /// A new id that tells nothing of when it was made.
            ///
            /// # Errors
            /// A fault if the system gives no randomness.
            pub fn by_chance() -> Result<Self, $crate::kernel::refusal::Fault> {
                Ok(Self($crate::kernel::id::chance(Self::PREFIX)?))
            }

            /// The id as clients and the database see it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::kernel::id::IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::kernel::id::check(Self::PREFIX, text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl<DB: diesel::backend::Backend> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where
            String: diesel::serialize::ToSql<diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
                self.0.to_sql(out)
            }
        }

        impl<DB: diesel::backend::Backend> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                Ok(String::from_sql(bytes)?.parse()?)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$")))
                    .examples([serde_json::json!(concat!($prefix, "_01jd3n8f5teqkrzvq1c0m6h2ax"))])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed(stringify!($name))
            }
        }
    )+};
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use proptest::prelude::*;

    crate::ids! {
        /// Only for these tests.
        LampId "lamp"
    }

    fn decode(suffix: &str) -> u128 {
        suffix.bytes().fold(0, |value, digit| {
            (value << 5) | u128::try_from(ALPHABET.iter().position(|known| *known == digit).unwrap()).unwrap()
        })
    }

    #[test]
    fn ids_of_one_instant_are_distinct_and_increase() {
        let now = chrono::Utc.timestamp_micros(1_780_000_000_000_000).unwrap();
        let ids: Vec<String> = (0..5000).map(|_| mint("area", now)).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn ids_of_chance_are_ids_and_in_no_order() {
        let ids: Vec<LampId> = (0..64).map(|_| LampId::by_chance().unwrap()).collect();
        assert!(ids.iter().all(|id| id.as_str().parse() == Ok(id.clone())));
        assert!(!ids.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_later_millisecond_sorts_after() {
        let now = chrono::Utc.timestamp_micros(1_780_000_000_000_000).unwrap();
        let early = mint("area", now);
        assert!(early < mint("area", now + chrono::Duration::milliseconds(1)));
    }

    #[test]
    fn what_is_not_an_id_is_refused_with_the_reason() {
        let good = LampId::mint(chrono::Utc.timestamp_micros(1_780_000_000_000_000).unwrap());
        assert_eq!(good.as_str().parse::<LampId>(), Ok(good.clone()));
        for (bad, error) in [
            ("", IdError::Prefix("lamp")),
            ("lamp", IdError::Prefix("lamp")),
            ("area_01jd3n8f5teqkrzvq1c0m6h2ax", IdError::Prefix("lamp")),
            ("lamp_", IdError::Suffix),
            ("lamp_01jd3n8f5teqkrzvq1c0m6h2a", IdError::Suffix),
            ("lamp_01jd3n8f5teqkrzvq1c0m6h2axx", IdError::Suffix),
            ("lamp_81jd3n8f5teqkrzvq1c0m6h2ax", IdError::Suffix),
            ("lamp_01JD3N8F5TEQKRZVQ1C0M6H2AX", IdError::Suffix),
            ("lamp_01jd3n8f5teqkrzvq1c0m6h2al", IdError::Suffix),
        ] {
            assert_eq!(bad.parse::<LampId>(), Err(error), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_value_survives_the_base_change(value: u128) {
            let text = encode(value);
            prop_assert_eq!(text.len(), SUFFIX_LENGTH);
            prop_assert_eq!(decode(&text), value);
            let id = format!("x_{text}");
            prop_assert!(check("x", &id).is_ok());
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = check("area", &text);
        }
    }
}
