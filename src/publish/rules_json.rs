//! JSON whose numbers stay the text that they are: what is published is money and scores, and neither ever meets a float, nor changes its digits when
//! it is read and written again. Pure.

use std::fmt::Write;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::money::Money;
use crate::kernel::refusal::Fault;

/// How deep values may lie in each other.
const DEPTH_MAX: usize = 40;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`: in a release, that something is no more.
    Null,
    /// True or false.
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// A text.
    Text(String),
    /// Values in their order.
    Array(Vec<Json>),
    /// Members in their order.
    Object(Object),
}

impl Json {
    /// A number, if the text is one that JSON knows.
    pub fn number(text: &str) -> Option<Self> {
        let is_number = matches!(text.as_bytes().first(), Some(b'-' | b'0'..=b'9'));
        let read: Result<&RawValue, _> = serde_json::from_str(text);
        (is_number && read.is_ok_and(|read| read.get() == text)).then(|| Self::Number(text.to_owned()))
    }

    /// An instant, in the one form that instants have here.
    pub fn instant(at: Instant) -> Self {
        Self::Text(rfc3339(at))
    }

    /// The members, of an object.
    pub const fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The values, of an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(values) => Some(values),
            _ => None,
        }
    }

    /// The text, of a text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it says nothing: what nobody knows is left out, never published as an empty thing.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(_) | Self::Number(_) => false,
            Self::Text(text) => text.trim().is_empty(),
            Self::Array(values) => values.is_empty(),
            Self::Object(object) => object.is_empty(),
        }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// A fault if it is none, or deeper than anything published.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        Self::read(text, 0).map_err(|error| Fault::caused("read what was published", error))
    }

    fn read(text: &str, depth: usize) -> Result<Self, serde_json::Error> {
        if depth > DEPTH_MAX {
            return Err(serde::de::Error::custom("deeper than anything published"));
        }
        let text = text.trim();
        match text.as_bytes().first() {
            Some(b'{') => {
                let Members(members) = serde_json::from_str(text)?;
                let read = members
                    .into_iter()
                    .map(|(name, raw)| Ok((name, Self::read(raw.get(), depth.saturating_add(1))?)));
                Ok(Self::Object(Object(read.collect::<Result<_, _>>()?)))
            }
            Some(b'[') => {
                let values: Vec<&RawValue> = serde_json::from_str(text)?;
                let read = values
                    .into_iter()
                    .map(|raw| Self::read(raw.get(), depth.saturating_add(1)));
                Ok(Self::Array(read.collect::<Result<_, _>>()?))
            }
            Some(b'"') => Ok(Self::Text(serde_json::from_str(text)?)),
            Some(b't' | b'f') => Ok(Self::Bool(serde_json::from_str(text)?)),
            Some(b'n') => serde_json::from_str::<()>(text).map(|()| Self::Null),
            _ => {
                let raw: &RawValue = serde_json::from_str(text)?;
                Ok(Self::Number(raw.get().to_owned()))
            }
        }
    }

    /// Writes it, without white space.
    pub fn written(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(text) => out.push_str(text),
            Self::Text(text) => quote(text, out),
            Self::Array(values) => {
                out.push('[');
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    value.write(out);
                }
                out.push(']');
            }
            Self::Object(object) => object.write(out),
        }
    }
}

/// A text as JSON writes it.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                // Writing into a text does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Members as they are read, still unread themselves.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// Members in the order in which they were put in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object(Vec<(String, Json)>);

impl Object {
    /// With no members.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The same with a member, unless the value says nothing.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.set(name, value);
        }
        self
    }

    /// The same with a text in both languages: Chinese under the name, English under the name with `_en`.
    #[must_use]
    pub fn with_words(self, name: &str, zh: &str, en: &str) -> Self {
        self.with(name, zh.trim()).with(&format!("{name}_en"), en.trim())
    }

    /// Gives a member this value, whatever it had.
    pub fn set(&mut self, name: &str, value: Json) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Takes a member away.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// The value of a member, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        self.0
            .iter_mut()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// The text of a member.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Json::as_text)
    }

    /// The objects of a member that is an array.
    pub fn objects(&self, name: &str) -> impl Iterator<Item = &Self> {
        let values = self.get(name).and_then(Json::as_array).unwrap_or_default();
        values.iter().filter_map(Json::as_object)
    }

    /// The members in their order.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The members in their order, to be changed.
    pub fn members_mut(&mut self) -> impl Iterator<Item = (&str, &mut Json)> {
        self.0.iter_mut().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether it has no members.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes it, without white space.
    pub fn written(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        out.push('{');
        for (at, (name, value)) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            quote(name, out);
            out.push(':');
            value.write(out);
        }
        out.push('}');
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Number(value.to_string())
    }
}

impl From<usize> for Json {
    fn from(value: usize) -> Self {
        Self::Number(value.to_string())
    }
}

impl From<u32> for Json {
    fn from(value: u32) -> Self {
        Self::Number(value.to_string())
    }
}

impl From<Vec<Json>> for Json {
    fn from(values: Vec<Json>) -> Self {
        Self::Array(values)
    }
}

impl From<Vec<Object>> for Json {
    fn from(values: Vec<Object>) -> Self {
        Self::Array(values.into_iter().map(Self::Object).collect())
    }
}

impl From<Object> for Json {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl From<Instant> for Json {
    fn from(at: Instant) -> Self {
        Self::instant(at)
    }
}

/// An amount with its currency, as a number without zeros at the end.
impl From<Money> for Json {
    fn from(amount: Money) -> Self {
        let text = amount.to_string();
        let short = text.strip_suffix(".00").unwrap_or(&text);
        let amount = Self::Number(short.to_owned());
        Self::Object(Object::new().with("amount", amount).with("currency", "CNY"))
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_as_it_was() {
        let text = r#"{"b":[1,2.50,-0.1,1e3,90000000000000.01],"a":{"中":"文\n\"\\\u0001"},"n":null,"t":true,"e":[],"o":{}}"#;
        assert_eq!(Json::parse(text).unwrap().written(), text);
        let deep = format!("{}{}", "[".repeat(60), "]".repeat(60));
        assert!(Json::parse(&deep).is_err());
        for bad in ["", "{", "[1,]", "{\"a\" 1}", "01", "nul", "1 2"] {
            assert!(Json::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_numbers() {
        for good in ["0", "-1", "2.50", "1e3", "58000"] {
            assert_eq!(Json::number(good), Some(Json::Number(good.to_owned())));
        }
        for bad in ["", "01", "1.", ".5", "NaN", "1,000", " 1", "1 ", "true", "\"1\""] {
            assert_eq!(Json::number(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        let object = Object::new()
            .with("a", "")
            .with("b", Option::<&str>::None)
            .with("c", Vec::<Json>::new())
            .with("d", Object::new())
            .with("e", "  ")
            .with("f", false)
            .with("g", Money::from_fen(1).unwrap())
            .with("h", Money::from_fen(229_860_050).unwrap())
            .with("i", Money::from_yuan(7).unwrap());
        assert_eq!(
            object.written(),
            r#"{"f":false,"g":{"amount":0.01,"currency":"CNY"},"h":{"amount":2298600.50,"currency":"CNY"},"i":{"amount":7,"currency":"CNY"}}"#
        );
    }
}
