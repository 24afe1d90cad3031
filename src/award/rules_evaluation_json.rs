//! Reading JSON so that everything that is wrong with it is named, and not only what a reader stumbles over first: members that are there
//! twice or that nobody knows, values of another kind, numbers that are none. Pure.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use crate::kernel::refusal::Objection;
use crate::kernel::text::{Text, is_hidden};
use crate::text;

/// The code that every fault of an input has.
const CODE: &str = "invalid";
/// Faults that are named at most: a file of nothing but faults is told apart from one with a few.
pub const FAULTS_MAX: usize = 1_000;

/// The faults of an input.
#[derive(Debug, Default)]
pub struct Faults(Vec<Objection>);

impl Faults {
    /// A fault at a place.
    pub fn object(&mut self, pointer: impl Into<String>, detail: Text) {
        if self.0.len() < FAULTS_MAX {
            self.0.push(Objection {
                pointer: pointer.into(),
                code: CODE,
                detail,
            });
        }
    }

    /// What came of reading, if nothing was wrong.
    ///
    /// # Errors
    /// Every fault.
    pub fn finish<T>(self, value: T) -> Result<T, Vec<Objection>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}

/// A member's name as a part of a JSON pointer (RFC 6901).
pub fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Reads a text as JSON. The usual reader was rejected: of two members of one name it takes the last, and a document could show one thing
/// and mean another.
///
/// # Errors
/// What is not JSON, and each member that is there twice.
pub fn parsed(text: &str) -> Result<Value, Vec<Objection>> {
    let twice = RefCell::new(Faults::default());
    let mut reader = serde_json::Deserializer::from_str(text);
    let seed = Once {
        twice: &twice,
        place: Place::Whole,
    };
    let value = seed.deserialize(&mut reader).and_then(|value| {
        reader.end()?;
        Ok(value)
    });
    let mut faults = twice.into_inner();
    match value {
        Ok(value) => faults.finish(value),
        Err(error) => {
            faults.object("", text!("不是 JSON：{error}", "is not JSON: {error}"));
            faults.finish(Value::Null)
        }
    }
}

/// Where a value stands: written out only when something is wrong there, because hardly ever anything is.
#[derive(Clone, Copy)]
enum Place<'p> {
    Whole,
    Member(&'p Place<'p>, &'p str),
    Item(&'p Place<'p>, usize),
}

impl Place<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Whole => String::new(),
            Self::Member(within, name) => format!("{}/{}", within.pointer(), escaped(name)),
            Self::Item(within, index) => format!("{}/{index}", within.pointer()),
        }
    }
}

struct Once<'p> {
    twice: &'p RefCell<Faults>,
    place: Place<'p>,
}

impl<'p> Once<'p> {
    const fn at<'n>(&self, place: Place<'n>) -> Once<'n>
    where
        'p: 'n,
    {
        Once {
            twice: self.twice,
            place,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Value, E> {
        Ok(Value::Bool(yes))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        // Only to be refused where it stands: nothing in an evaluation is such a number.
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(self.at(Place::Item(&self.place, all.len())))? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(self.at(Place::Member(&self.place, &name)))?;
            match all.entry(name) {
                Entry::Vacant(entry) => drop(entry.insert(value)),
                Entry::Occupied(mut entry) => {
                    let pointer = Place::Member(&self.place, entry.key()).pointer();
                    entry.insert(value);
                    self.twice
                        .borrow_mut()
                        .object(pointer, Text::fixed("重复出现", "is there twice"));
                }
            }
        }
        Ok(Value::Object(all))
    }
}

/// Reads values, and gathers what is wrong with them. Whatever cannot be read comes back as something of its kind, so that reading goes on;
/// [`Faults::finish`] sees to it that nothing of that is used.
#[derive(Debug, Default)]
pub struct Reading {
    /// What was wrong so far.
    pub faults: Faults,
}

/// An object that is being read.
#[derive(Clone, Debug)]
pub struct Members<'v> {
    map: Option<&'v Map<String, Value>>,
    /// Where it stands.
    pub pointer: String,
}

impl<'v> Members<'v> {
    /// The member of that name, if it is there and not `null`.
    pub fn get(&self, name: &str) -> Option<&'v Value> {
        self.map?.get(name).filter(|value| !value.is_null())
    }

    /// Every member.
    pub fn all(&self) -> impl Iterator<Item = (&'v String, &'v Value)> + use<'v> {
        self.map.into_iter().flatten()
    }

    /// Where the member of that name stands.
    pub fn at(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, escaped(name))
    }
}

impl Reading {
    /// An object; if `known` is not empty, with no other members than these.
    pub fn members<'v>(&mut self, pointer: &str, value: &'v Value, known: &[&str]) -> Members<'v> {
        let map = value.as_object();
        if map.is_none() {
            self.faults
                .object(pointer, Text::fixed("应为对象", "must be an object"));
        }
        let members = Members {
            map,
            pointer: pointer.to_owned(),
        };
        for (name, _) in members.all() {
            if !known.is_empty() && !known.contains(&name.as_str()) {
                self.faults
                    .object(members.at(name), Text::fixed("没有这一项", "is not known here"));
            }
        }
        members
    }

    /// A list of at most so many.
    pub fn list<'v>(&mut self, members: &Members<'v>, name: &str, max: usize) -> &'v [Value] {
        let Some(value) = members.get(name) else {
            return &[];
        };
        let Some(list) = value.as_array() else {
            self.faults
                .object(members.at(name), Text::fixed("应为列表", "must be a list"));
            return &[];
        };
        if list.len() > max {
            self.faults.object(
                members.at(name),
                text!("最多 {max} 项", "must have at most {max} items"),
            );
            return &[];
        }
        list
    }

    /// True or false; false if it is left out.
    pub fn flag(&mut self, members: &Members<'_>, name: &str) -> bool {
        let Some(value) = members.get(name) else {
            return false;
        };
        value.as_bool().unwrap_or_else(|| {
            self.faults.object(
                members.at(name),
                Text::fixed("应为 true 或 false", "must be true or false"),
            );
            false
        })
    }

    /// A count within bounds.
    pub fn count(
        &mut self,
        members: &Members<'_>,
        name: &str,
        within: std::ops::RangeInclusive<u32>,
    ) -> Option<u32> {
        let value = members.get(name)?;
        let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
        let count = count.filter(|count| within.contains(count));
        if count.is_none() {
            let (min, max) = (within.start(), within.end());
            self.faults.object(
                members.at(name),
                text!(
                    "应为 {min} 至 {max} 的整数",
                    "must be a whole number from {min} to {max}"
                ),
            );
        }
        count
    }

    /// A line of text of 1 to so many characters, none of them hidden.
    pub fn line<'v>(&mut self, members: &Members<'v>, name: &str, length_max: usize) -> Option<&'v str> {
        let value = members.get(name)?;
        let line = value.as_str().filter(|line| {
            (1..=length_max).contains(&line.chars().count())
                && !line.chars().any(is_hidden)
                && line.trim().len() == line.len()
        });
        if line.is_none() {
            self.faults.object(
                members.at(name),
                text!(
                    "应为 1 至 {length_max} 个字符的文字，首尾无空格，不含不可见字符",
                    "must be a text of 1 to {length_max} characters, without spaces at its ends and without invisible ones"
                ),
            );
        }
        line
    }

    /// A code: letters, digits, `_` and `-`.
    pub fn code(&mut self, members: &Members<'_>, name: &str, length_max: usize) -> Option<String> {
        let value = members.get(name)?;
        let code = value.as_str().filter(|code| {
            (1..=length_max).contains(&code.len())
                && code
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        });
        if code.is_none() {
            self.faults.object(
                members.at(name),
                text!(
                    "应为 1 至 {length_max} 个字母、数字、下划线或连字符",
                    "must be 1 to {length_max} letters, digits, underscores or hyphens"
                ),
            );
        }
        code.map(str::to_owned)
    }

    /// A number in a string, strictly read.
    pub fn number<T>(&mut self, value: &Value, pointer: impl FnOnce() -> String) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let Some(text) = value.as_str() else {
            self.faults.object(
                pointer(),
                Text::fixed(
                    "应为写在字符串中的小数，如 \"92.30\"",
                    "must be a decimal in a string, such as \"92.30\"",
                ),
            );
            return None;
        };
        text.parse()
            .map_err(|error: T::Err| {
                let detail = text!("不是有效的数：{error}", "is not a number of its kind: {error}");
                self.faults.object(pointer(), detail);
            })
            .ok()
    }

    /// A number in a string, if it is there.
    pub fn optional<T>(&mut self, members: &Members<'_>, name: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let value = members.get(name)?;
        self.number(value, || members.at(name))
    }

    /// One of the words that a type has, if it is there.
    pub fn word<T>(&mut self, members: &Members<'_>, name: &str, words: &[(&str, T)]) -> Option<T>
    where
        T: Copy,
    {
        let value = members.get(name)?;
        let found = words
            .iter()
            .find(|(word, _)| value.as_str() == Some(*word))
            .map(|(_, one)| *one);
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let all = all.join(", ");
            self.faults.object(
                members.at(name),
                text!("应为其中之一：{all}", "must be one of {all}"),
            );
        }
        found
    }

    /// Says that a member is missing, if it is.
    pub fn needed(&mut self, members: &Members<'_>, name: &str) {
        if members.map.is_some() && members.get(name).is_none() {
            self.faults
                .object(members.at(name), Text::fixed("缺少这一项", "is missing"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_are_there_twice_are_named_wherever_they_are() {
        let faults = parsed(r#"{"a":1,"b":[{"x/y":1,"x/y":2}],"a":2}"#).unwrap_err();
        let places: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(places, ["/b/0/x~1y", "/a"]);
        assert_eq!(
            parsed("{\"a\":[1,true,null,\"x\",-1]}").unwrap().to_string(),
            "{\"a\":[1,true,null,\"x\",-1]}"
        );
    }

    #[test]
    fn what_is_not_json_is_one_fault() {
        for text in ["", "{", "[1] 2", "{\"a\":1e999}", &"[".repeat(100_000)] {
            assert_eq!(
                parsed(text).unwrap_err().len(),
                1,
                "{}",
                text.chars().take(20).collect::<String>()
            );
        }
    }
}
