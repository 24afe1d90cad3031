//! Repairs: a release as it was published, and what is read of it. Every value that is taken otherwise than it stands, or left out, is a finding with its
//! place. What is stored of a release is always what was published; what is repaired here is only what is read of it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::imports::rules_findings::{Code, Finding, step};
use crate::imports::rules_members::{Due, due, is_known};
use crate::imports::rules_values::{amount_of_number, amount_of_text, currency, instant};
use crate::kernel::clock::rfc3339;
use crate::publish::rules_json::{Json, Object};

/// Members of one object, and values of one array, at most: comparing each with each must stay quick.
pub const MEMBERS_MAX: usize = 5_000;

/// Findings of one release; notes of the same sort and place in the schema are one.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    found: Vec<Finding>,
    notes: BTreeMap<(Code, String), (usize, usize)>,
}

impl Findings {
    /// Adds one.
    pub fn add(&mut self, code: Code, pointer: &str, found: &str, made: &str) {
        self.found.push(Finding::at(code, pointer, found, made));
    }

    /// Notes something that a release may have in many places: the first of a place in the schema has a pointer, and how many there are is said with it.
    fn note(&mut self, code: Code, path: &str, pointer: &str) {
        let place = self.found.len();
        let (_, count) = self
            .notes
            .entry((code, path.to_owned()))
            .and_modify(|(_, count)| *count = count.saturating_add(1))
            .or_insert((place, 1));
        if *count == 1 {
            self.found.push(Finding::at(code, pointer, "", ""));
        }
    }

    /// Notes where in a release, whose bytes were not all UTF-8, others stand for them.
    pub fn replaced(&mut self, release: &Object) {
        replaced_in(release, ("", ""), self);
    }

    /// All of them.
    pub fn into_all(mut self) -> Vec<Finding> {
        for (place, count) in self.notes.into_values() {
            if let Some(finding) = self.found.get_mut(place) {
                finding.found = format!("{count} ×");
            }
        }
        self.found
    }
}

fn replaced_in(of: &Object, (path, pointer): (&str, &str), findings: &mut Findings) {
    for (name, value) in of.members() {
        let (path, place) = (format!("{path}/{name}"), step(pointer, name));
        if name.contains(char::REPLACEMENT_CHARACTER) {
            findings.note(Code::NotUtf8, &path, &place);
        }
        replaced_within(value, (&path, &place), findings);
    }
}

fn replaced_within(value: &Json, (path, pointer): (&str, &str), findings: &mut Findings) {
    match value {
        Json::Text(text) if text.contains(char::REPLACEMENT_CHARACTER) => {
            findings.note(Code::NotUtf8, path, pointer);
        }
        Json::Object(of) => replaced_in(of, (path, pointer), findings),
        Json::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                replaced_within(value, (path, &format!("{pointer}/{at}")), findings);
            }
        }
        _ => {}
    }
}

/// Whether an object, or an array, has more than can be compared.
pub fn has_too_many(value: &Json) -> bool {
    match value {
        Json::Object(object) => {
            object.members().count() > MEMBERS_MAX || object.members().any(|(_, value)| has_too_many(value))
        }
        Json::Array(values) => values.len() > MEMBERS_MAX || values.iter().any(has_too_many),
        _ => false,
    }
}

/// A release, repaired.
pub fn repaired(release: &Object, findings: &mut Findings) -> Object {
    object(release, ("", "", ""), findings)
}

/// Where something stands: the name of the object it is in, its place in the schema, its pointer.
type Place<'p> = (&'p str, &'p str, &'p str);

/// What an unreadable or unfitting value looks like.
fn written(value: &Json) -> String {
    value.written()
}

fn object(of: &Object, (name, path, pointer): Place<'_>, findings: &mut Findings) -> Object {
    let mut made = Object::new();
    let mut seen = BTreeSet::new();
    for (member, value) in of.members() {
        let place = step(pointer, member);
        let schema = format!("{path}/{member}");
        if !seen.insert(member) {
            findings.add(
                Code::DuplicateMember,
                &place,
                &made.get(member).map_or_else(String::new, written),
                &written(value),
            );
        }
        if !is_known(name, member) {
            findings.note(Code::UnknownMember, &schema, &place);
        }
        if *value == Json::Null {
            findings.note(Code::NullMember, &schema, &place);
            made.set(member, Json::Null);
            continue;
        }
        if value.is_empty() {
            findings.note(Code::EmptyLeftOut, &schema, &place);
            made.remove(member);
            continue;
        }
        match one(value, (name, member, of), (&schema, &place), findings) {
            Some(value) if !value.is_empty() => made.set(member, value),
            _ => made.remove(member),
        }
    }
    made
}

/// One value of an object, as what is due there; `None` if it cannot be.
fn one(
    value: &Json,
    (parent, name, beside): (&str, &str, &Object),
    (path, pointer): (&str, &str),
    findings: &mut Findings,
) -> Option<Json> {
    let wrong = |findings: &mut Findings| {
        findings.add(Code::WrongShape, pointer, &written(value), "");
        None
    };
    match due(parent, name) {
        Due::Objects => objects(value, (name, path, pointer), true, findings),
        Due::WholeObjects => objects(value, (name, path, pointer), false, findings),
        Due::Texts => texts(value, Code::TextExpected, (path, pointer), findings),
        Due::Ids => texts(value, Code::IdAsNumber, (path, pointer), findings),
        Due::Object => match first(value, pointer, findings) {
            Json::Object(of) => Some(Json::Object(object(of, (name, path, pointer), findings))),
            _ => wrong(findings),
        },
        Due::Organisation => match first(value, pointer, findings) {
            Json::Object(of) => Some(Json::Object(object(of, (name, path, pointer), findings))),
            Json::Text(text) => {
                findings.add(Code::NameOnly, pointer, text, "name");
                Some(Json::Object(Object::new().with("name", text.as_str())))
            }
            _ => wrong(findings),
        },
        Due::Value => match first(value, pointer, findings) {
            Json::Object(of) => Some(Json::Object(object(of, ("value", path, pointer), findings))),
            bare @ (Json::Number(_) | Json::Text(_)) => {
                let amount = amount(bare, None, pointer, findings)?;
                findings.add(Code::BareAmount, pointer, &written(bare), &written(&amount));
                Some(Json::Object(Object::new().with("amount", amount)))
            }
            _ => wrong(findings),
        },
        Due::Amount => amount(value, beside.text("currency"), pointer, findings),
        Due::ValueIfObject => Some(match value {
            Json::Object(of) => Json::Object(object(of, ("value", path, pointer), findings)),
            // What a currency stands beside is money, whatever it is called.
            amount_of @ (Json::Number(_) | Json::Text(_))
                if name == "amount" && beside.get("currency").is_some() =>
            {
                amount(amount_of, beside.text("currency"), pointer, findings)?
            }
            other => anything(other, (name, path, pointer), findings),
        }),
        Due::Currency => match value {
            Json::Text(text) => {
                let (code, why) = currency(text);
                if let Some(why) = why {
                    findings.add(why, pointer, text, code.as_deref().unwrap_or_default());
                }
                code.map(Json::Text)
            }
            _ => wrong(findings),
        },
        Due::Date => match value {
            Json::Text(text) => date(text, pointer, findings),
            _ => wrong(findings),
        },
        Due::Id => text(value, Code::IdAsNumber, pointer, findings),
        Due::Text => text(value, Code::TextExpected, pointer, findings),
        Due::Anything => Some(anything(value, (name, path, pointer), findings)),
    }
}

/// What the standard does not know: ids in it are looked after, because they take part in merging.
fn anything(value: &Json, (name, path, pointer): Place<'_>, findings: &mut Findings) -> Json {
    match value {
        Json::Object(of) => Json::Object(object(of, (name, path, pointer), findings)),
        Json::Array(values) => {
            let each = values
                .iter()
                .enumerate()
                .map(|(at, value)| anything(value, (name, path, &format!("{pointer}/{at}")), findings));
            Json::Array(each.collect())
        }
        other => other.clone(),
    }
}

/// The value, or the first of an array where one is due.
fn first<'v>(value: &'v Json, pointer: &str, findings: &mut Findings) -> &'v Json {
    let Json::Array(values) = value else {
        return value;
    };
    match values.iter().find(|one| **one != Json::Null).or(values.first()) {
        Some(one) => {
            findings.add(
                Code::ObjectExpected,
                pointer,
                &format!("[{}]", values.len()),
                &written(one),
            );
            one
        }
        None => value,
    }
}

/// The values, or the one that there is where an array is due.
fn listed<'v>(value: &'v Json, pointer: &str, findings: &mut Findings) -> &'v [Json] {
    if let Json::Array(values) = value {
        return values;
    }
    findings.add(Code::ArrayExpected, pointer, &written(value), "[…]");
    std::slice::from_ref(value)
}

fn objects(
    value: &Json,
    (name, path, pointer): Place<'_>,
    have_ids: bool,
    findings: &mut Findings,
) -> Option<Json> {
    let is_alone = !matches!(value, Json::Array(_));
    let mut made: Vec<Json> = Vec::new();
    let mut by_id: BTreeMap<String, usize> = BTreeMap::new();
    for (at, value) in listed(value, pointer, findings).iter().enumerate() {
        let place = if is_alone {
            pointer.to_owned()
        } else {
            format!("{pointer}/{at}")
        };
        let of = match value {
            Json::Object(of) => object(of, (name, path, &place), findings),
            Json::Text(text) if matches!(name, "suppliers" | "tenderers" | "parties") => {
                findings.add(Code::NameOnly, &place, text, "name");
                Object::new().with("name", text.as_str())
            }
            Json::Null => {
                findings.note(Code::NullInArray, path, &place);
                continue;
            }
            other => {
                findings.add(Code::WrongShape, &place, &written(other), "");
                continue;
            }
        };
        if of.is_empty() {
            findings.note(Code::EmptyLeftOut, path, &place);
            continue;
        }
        let id = of.text("id").map(str::to_owned);
        let (true, Some(id)) = (have_ids, id) else {
            made.push(Json::Object(of));
            continue;
        };
        match by_id.get(&id).copied() {
            None => {
                by_id.insert(id, made.len());
                made.push(Json::Object(of));
            }
            Some(known) if made.get(known).and_then(Json::as_object) == Some(&of) => {
                findings.add(Code::SameTwice, &place, &id, "");
            }
            Some(_) => {
                let other = (2_u32..)
                    .map(|n| format!("{id}#{n}"))
                    .find(|other| !by_id.contains_key(other))?;
                findings.add(Code::IdRepeated, &step(&place, "id"), &id, &other);
                let mut of = of;
                of.set("id", Json::from(other.as_str()));
                by_id.insert(other, made.len());
                made.push(Json::Object(of));
            }
        }
    }
    Some(Json::Array(made))
}

fn texts(value: &Json, code: Code, (path, pointer): (&str, &str), findings: &mut Findings) -> Option<Json> {
    let is_alone = !matches!(value, Json::Array(_));
    let mut made = Vec::new();
    for (at, value) in listed(value, pointer, findings).iter().enumerate() {
        let place = if is_alone {
            pointer.to_owned()
        } else {
            format!("{pointer}/{at}")
        };
        match value {
            Json::Null => findings.note(Code::NullInArray, path, &place),
            empty if empty.is_empty() => findings.note(Code::EmptyLeftOut, path, &place),
            value => made.extend(text(value, code, &place, findings)),
        }
    }
    Some(Json::Array(made))
}

/// Whether a character can neither be shown nor is white space.
fn is_dropped(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

fn text(value: &Json, code: Code, pointer: &str, findings: &mut Findings) -> Option<Json> {
    match value {
        Json::Text(text) => {
            let plain: String = text
                .chars()
                .map(|c| if is_dropped(c) { ' ' } else { c })
                .collect();
            if plain != *text {
                findings.add(Code::ControlCharacter, pointer, text, plain.trim());
            }
            Some(Json::from(plain.trim()))
        }
        Json::Number(text) => {
            findings.add(code, pointer, text, text);
            Some(Json::from(text.as_str()))
        }
        Json::Bool(is) if code == Code::TextExpected => {
            findings.add(code, pointer, &is.to_string(), &is.to_string());
            Some(Json::from(is.to_string()))
        }
        Json::Array(values) if values.len() == 1 => {
            findings.add(Code::ObjectExpected, pointer, &written(value), "");
            text(values.first()?, code, pointer, findings)
        }
        other => {
            findings.add(Code::WrongShape, pointer, &written(other), "");
            None
        }
    }
}

/// A number of money, of the currency that is said beside it.
fn amount(value: &Json, currency: Option<&str>, pointer: &str, findings: &mut Findings) -> Option<Json> {
    let (read, shown) = match value {
        Json::Number(text) => (amount_of_number(text), text.as_str()),
        Json::Text(text) => (amount_of_text(text, currency), text.as_str()),
        other => {
            findings.add(Code::AmountUnreadable, pointer, &written(other), "");
            return None;
        }
    };
    match read {
        Ok(read) => {
            let made = read.number();
            if let Some(code) = read.code {
                findings.add(code, pointer, shown, &made);
            }
            Some(Json::Number(made))
        }
        Err(code) => {
            findings.add(code, pointer, shown, "");
            None
        }
    }
}

fn date(text: &str, pointer: &str, findings: &mut Findings) -> Option<Json> {
    match instant(text) {
        Ok((at, code)) => {
            let made = rfc3339(at);
            if let Some(code) = code {
                findings.add(code, pointer, text, &made);
            }
            Some(Json::Text(made))
        }
        Err(code) => {
            findings.add(code, pointer, text, "");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a release is read as, and what was found: `code pointer`.
    fn read(text: &str) -> (String, Vec<String>) {
        let Json::Object(release) = Json::parse(text).unwrap() else {
            panic!("no object")
        };
        let mut findings = Findings::default();
        let made = repaired(&release, &mut findings).written();
        let told = findings.into_all().into_iter();
        (
            made,
            told.map(|one| format!("{} {}", one.code.name(), one.pointer))
                .collect(),
        )
    }

    fn becomes(text: &str, made: &str, told: &[&str]) {
        assert_eq!(
            read(text),
            (
                made.to_owned(),
                told.iter().map(|one| (*one).to_owned()).collect()
            )
        );
    }

    #[test]
    fn what_is_as_it_should_be_stays_so() {
        becomes(
            r#"{"ocid":"a","awards":[{"id":"1","value":{"amount":3,"currency":"MXN"}}]}"#,
            r#"{"ocid":"a","awards":[{"id":"1","value":{"amount":3.00,"currency":"MXN"}}]}"#,
            &[],
        );
    }

    #[test]
    fn amounts_are_read() {
        becomes(
            r#"{"tender":{"value":{"amount":"1,200.50","currency":"mxn"}}}"#,
            r#"{"tender":{"value":{"amount":1200.50,"currency":"MXN"}}}"#,
            &[
                "amount_as_text /tender/value/amount",
                "currency_malformed /tender/value/currency",
            ],
        );
        becomes(
            r#"{"tender":{"value":63819.340000000004},"planning":{"budget":{"amount":{"amount":"n/a","currency":"MXN"}}}}"#,
            r#"{"tender":{"value":{"amount":63819.34}},"planning":{"budget":{"amount":{"currency":"MXN"}}}}"#,
            &[
                "float_artefact /tender/value",
                "bare_amount /tender/value",
                "amount_unreadable /planning/budget/amount/amount",
            ],
        );
        becomes(
            r#"{"contracts":[{"implementation":{"metrics":[{"id":"m","observations":[{"id":"o","value":{"amount":"x"}}]}]}}]}"#,
            r#"{"contracts":[{"implementation":{"metrics":[{"id":"m","observations":[{"id":"o"}]}]}}]}"#,
            &["amount_unreadable /contracts/0/implementation/metrics/0/observations/0/value/amount"],
        );
    }

    #[test]
    fn amounts_of_extensions_and_ids_of_other_processes_are_what_they_are() {
        for good in [
            r#"{"planning":{"budget":{"budgetBreakdown":[{"id":"1","amount":{"amount":5.00,"currency":"CNY"}}]}}}"#,
            r#"{"relatedProcesses":[{"id":"1","relationship":["framework"],"scheme":"ocid","identifier":"ocds-1"}]}"#,
            r#"{"tender":{"guarantees":[{"id":"1","amount":{"amount":5.00,"currency":"CNY"}}],"quantities":[{"amount":"12 boxes","value":7}]}}"#,
            r#"{"tender":{"criteria":[{"id":"1","requirements":[{"id":"1","minValue":5,"maxValue":"9"}]}]}}"#,
        ] {
            becomes(good, good, &[]);
        }
        becomes(
            r#"{"awards":[{"id":"1","items":[{"id":"1","itemAmount":{"amount":0.30000000000000004,"currency":"MXN"}}]}]}"#,
            r#"{"awards":[{"id":"1","items":[{"id":"1","itemAmount":{"amount":0.30,"currency":"MXN"}}]}]}"#,
            &["float_artefact /awards/0/items/0/itemAmount/amount"],
        );
        becomes(
            r#"{"parties":[{"id":"1","identifier":"x"}]}"#,
            r#"{"parties":[{"id":"1"}]}"#,
            &["wrong_shape /parties/0/identifier"],
        );
    }

    #[test]
    fn amounts_are_read_by_the_currency_beside_them() {
        let of =
            |amount: &str| format!(r#"{{"tender":{{"value":{{"amount":"{amount}","currency":"CNY"}}}}}}"#);
        becomes(
            &of("¥100"),
            r#"{"tender":{"value":{"amount":100.00,"currency":"CNY"}}}"#,
            &["amount_as_text /tender/value/amount"],
        );
        for bad in ["100万", "12k", "1.5M", "100 EUR", "1,234", "1.234"] {
            becomes(
                &of(bad),
                r#"{"tender":{"value":{"currency":"CNY"}}}"#,
                &["amount_unreadable /tender/value/amount"],
            );
        }
    }

    #[test]
    fn nothing_in_an_array_goes_without_a_word() {
        becomes(
            r#"{"awards":[null,{"id":"1","suppliers":[null,{"id":"s"}]}],"contracts":[null],"tag":["award",null,""],"tender":{"submissionMethod":[null]},"buyer":[null,{"id":"b"}]}"#,
            r#"{"awards":[{"id":"1","suppliers":[{"id":"s"}]}],"tag":["award"],"buyer":{"id":"b"}}"#,
            &[
                "null_in_array /awards/0",
                "null_in_array /awards/1/suppliers/0",
                "null_in_array /contracts/0",
                "null_in_array /tag/1",
                "empty_left_out /tag/2",
                "null_in_array /tender/submissionMethod/0",
                "object_expected /buyer",
            ],
        );
        becomes(
            "{\"tender\":{\"title\":\"a\\u0000b\",\"description\":\"two\\nlines\"}}",
            "{\"tender\":{\"title\":\"a b\",\"description\":\"two\\nlines\"}}",
            &["control_character /tender/title"],
        );
    }

    #[test]
    fn dates_are_read() {
        becomes(
            r#"{"date":"2017-08-08T08:24:33-04:00","bids":{"details":[{"id":"b","date":"2022-02-28 10:18:00.0000000"}]},"tender":{"tenderPeriod":{"startDate":"2017-02-30","endDate":7}}}"#,
            r#"{"date":"2017-08-08T12:24:33.000000Z","bids":{"details":[{"id":"b","date":"2022-02-28T10:18:00.000000Z"}]}}"#,
            &[
                "date_without_zone /bids/details/0/date",
                "date_impossible /tender/tenderPeriod/startDate",
                "wrong_shape /tender/tenderPeriod/endDate",
            ],
        );
    }

    #[test]
    fn ids_are_texts_and_each_its_own() {
        becomes(
            r#"{"awards":[{"id":7,"items":[{"id":1,"x":1},{"id":"1","x":1},{"id":1,"x":2},{"id":1,"x":3}],"relatedLots":[3]}]}"#,
            r#"{"awards":[{"id":"7","items":[{"id":"1","x":1},{"id":"1#2","x":2},{"id":"1#3","x":3}],"relatedLots":["3"]}]}"#,
            &[
                "id_as_number /awards/0/id",
                "id_as_number /awards/0/items/0/id",
                "same_twice /awards/0/items/1",
                "id_as_number /awards/0/items/2/id",
                "id_repeated /awards/0/items/2/id",
                "id_as_number /awards/0/items/3/id",
                "id_repeated /awards/0/items/3/id",
                "id_as_number /awards/0/relatedLots/0",
            ],
        );
    }

    #[test]
    fn shapes_are_put_right() {
        becomes(
            r#"{"tag":"award","awards":{"id":"1","suppliers":["公司"]},"buyer":[{"id":"b"},{"id":"c"}],"tender":{"procuringEntity":"City","status":true},"contracts":[7]}"#,
            r#"{"tag":["award"],"awards":[{"id":"1","suppliers":[{"name":"公司"}]}],"buyer":{"id":"b"},"tender":{"procuringEntity":{"name":"City"},"status":"true"}}"#,
            &[
                "array_expected /tag",
                "array_expected /awards",
                "name_only /awards/suppliers/0",
                "object_expected /buyer",
                "name_only /tender/procuringEntity",
                "text_expected /tender/status",
                "wrong_shape /contracts/0",
            ],
        );
        becomes(r#"{"tender":"none"}"#, "{}", &["wrong_shape /tender"]);
    }

    #[test]
    fn what_says_nothing_is_told_once_for_its_place_in_the_schema() {
        let text = r#"{"x":"","tender":{"lots":[{"id":"1","items":[]},{"id":"2","items":[]}],"title":null},"id":"a","id":"b"}"#;
        let (made, told) = read(text);
        assert_eq!(
            made,
            r#"{"tender":{"lots":[{"id":"1"},{"id":"2"}],"title":null},"id":"b"}"#
        );
        assert_eq!(
            told,
            [
                "unknown_member /x",
                "empty_left_out /x",
                "empty_left_out /tender/lots/0/items",
                "null_member /tender/title",
                "duplicate_member /id"
            ]
        );
    }

    #[test]
    fn what_has_too_many_members_is_known() {
        let many = format!("[{}1]", "1,".repeat(MEMBERS_MAX));
        assert!(has_too_many(&Json::parse(&format!("{{\"a\":{many}}}")).unwrap()));
        assert!(!has_too_many(&Json::parse("{\"a\":[1]}").unwrap()));
    }
}
