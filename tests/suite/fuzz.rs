//! Thousands of requests that make no sense, at every operation: none may end in a 5xx, none that is refused may leave
//! anything behind, and every refusal is a problem document of the catalogue. The same requests at every run.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use serde_json::{Value, json};
use wardbook::app::{openapi, operation};
use wardbook::db::schema::audit_events;
use wardbook::web::actor::Grant;
use wardbook::web::policy::{Condition, Role, TABLE};

use crate::api_spec::{example_of_body, operations};
use crate::cast::person;
use crate::faults::eventually;
use crate::harness::Ward;
use crate::on_both;
use crate::organisations::{CODES, verified};
use crate::provider::Provider;
use crate::standards_tables::published_standard;
use crate::suppliers::{account, debarment, licence};
use crate::treasury::{Treasury, made, posts, yuan};
use crate::wire::{self, Wire};

/// Requests in all, however many operations there are.
const REQUESTS: usize = 3_000;
/// An operation that takes a body is asked so much more often than one that does not: it has more to get wrong.
const BODIES_COUNT: usize = 4;

/// Chance that can be repeated: xorshift64*.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next()).unwrap() % end
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    fn bytes(&mut self, max: usize) -> Vec<u8> {
        let length = self.below(max + 1);
        (0..length)
            .map(|_| u8::try_from(self.below(256)).unwrap())
            .collect()
    }
}

/// Texts that have broken things before.
const ODD: [&str; 28] = [
    "",
    " ",
    "\0",
    "a\0b",
    "%",
    "%%",
    "_",
    "\\",
    "'",
    "\"",
    "'; DROP TABLE areas; --",
    "../../etc/passwd",
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    "9223372036854775808",
    "NaN",
    "梧桐",
    "\u{feff}",
    "\u{202e}x",
    "🌳",
    "\u{301}",
    "2026-06-30T23:59:60Z",
    "9999-12-31T23:59:59.999999999+14:00",
    "0000-01-01T00:00:00Z",
    "*",
];

/// A value for a header: any bytes that may stand in one.
fn header_value(chance: &mut Chance) -> Vec<u8> {
    let known: [&[u8]; 24] = [
        b"*",
        b"\"v1\"",
        b"W/\"v1\"",
        b"\"v9223372036854775807\"",
        b"application/json",
        b"text/csv",
        b"text/csv; charset=\"",
        b"*/*;q=0",
        b"a/b;q=x, text/csv;q=0.1234567",
        b"gzip",
        b"gzip;q=2, *;q=0",
        b"identity;q=0",
        b"bytes=0-",
        b"en",
        b"zh;q=1.5",
        b"127.0.0.1, ::1",
        b"null",
        b"https://evil.example",
        b"Bearer",
        b"Bearer a.b.c",
        b"Basic Og==",
        b"chunked",
        b"Thu, 01 Jan 1970 00:00:00 GMT",
        b"a=b; c=d",
    ];
    if chance.one_in(2) {
        return chance.of(&known).to_vec();
    }
    let mut value = chance.bytes(60);
    value.retain(|byte| *byte >= b' ' && *byte != 0x7f || *byte == b'\t');
    value
}

/// Percent-encodes what cannot stand in a target, and now and then what can.
fn encoded(chance: &mut Chance, bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~:*'".contains(byte) && !chance.one_in(8) {
                char::from(*byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn odd_text(chance: &mut Chance) -> Vec<u8> {
    match chance.below(4) {
        0 => chance.bytes(40),
        1 => chance.of(&ODD).repeat(1 + chance.below(3)).into_bytes(),
        2 => vec![b'x'; chance.below(3_000)],
        _ => chance.of(&ODD).as_bytes().to_vec(),
    }
}

/// Something that is there, of the kind of the example if there is one: what stands before the first underscore of an id.
fn known(chance: &mut Chance, example: &str, there: &[String]) -> String {
    let kind = example.split_once('_').map_or("", |(kind, _)| kind);
    let alike: Vec<&String> = there
        .iter()
        .filter(|id| id.split_once('_').is_some_and(|(of, _)| of == kind))
        .collect();
    match (alike.is_empty(), kind.is_empty() || chance.one_in(20)) {
        (false, false) => (*chance.of(&alike)).clone(),
        _ => chance.of(there).clone(),
    }
}

/// The path with something in the place of its parameters: mostly what is there.
fn target(chance: &mut Chance, document: &Value, path: &str, operation: &Value, there: &[String]) -> String {
    let parameters: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().collect();
    let mut target = String::new();
    for part in path.split('/').skip(1) {
        target.push('/');
        if part.starts_with('{') {
            let own = parameters
                .iter()
                .find(|parameter| parameter["name"] == part.trim_matches(['{', '}']));
            let example = own.map(|own| example_of_body(document, own).unwrap_or_default());
            let filled = if chance.one_in(6) {
                odd_text(chance)
            } else {
                known(
                    chance,
                    example.as_ref().and_then(Value::as_str).unwrap_or_default(),
                    there,
                )
                .into_bytes()
            };
            target.push_str(&encoded(chance, &filled));
        } else {
            target.push_str(part);
        }
    }
    if chance.one_in(40) {
        let tail = odd_text(chance);
        target.push_str(&encoded(chance, &tail));
    }
    let names: Vec<&str> = parameters
        .iter()
        .filter(|parameter| parameter["in"] == "query")
        .filter_map(|parameter| parameter["name"].as_str())
        .collect();
    let mut pairs = Vec::new();
    // What has a body is to be read as far as that.
    let many = match (names.is_empty(), operation.get("requestBody").is_some()) {
        (true, _) => usize::from(chance.one_in(20)),
        (false, true) => chance.below(6) / 5,
        (false, false) => chance.below(7).saturating_sub(3),
    };
    for _ in 0..many {
        let name = if names.is_empty() || chance.one_in(8) {
            let odd = odd_text(chance);
            encoded(chance, &odd)
        } else {
            (*chance.of(&names)).to_owned()
        };
        let words = [
            "name",
            "-created_at",
            "city",
            "-index",
            "true",
            "5",
            "200",
            "2026-03-01T00:00:00Z",
            "area.*",
            "user_admin",
        ];
        let value = match chance.below(3) {
            0 => (*chance.of(&words)).to_owned().into_bytes(),
            1 => chance.of(there).clone().into_bytes(),
            _ => odd_text(chance),
        };
        let value = encoded(chance, &value);
        pairs.push(if chance.one_in(15) {
            name
        } else {
            format!("{name}={value}")
        });
    }
    if !pairs.is_empty() {
        target.push('?');
        target.push_str(&pairs.join("&"));
    }
    target.truncate(8_000);
    target
}

/// The same document with ids of things that are there, names that nobody has yet, and numbers of the same length.
fn lively(chance: &mut Chance, value: &Value, there: &[String]) -> Value {
    match value {
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, member)| (name.clone(), lively(chance, member, there)));
            Value::Object(members.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| lively(chance, item, there)).collect()),
        Value::String(text)
            if there
                .iter()
                .any(|id| id.split('_').next() == text.split('_').next()) =>
        {
            json!(known(chance, text, there))
        }
        Value::String(text) if text.ends_with('Z') => {
            json!(format!(
                "2026-{:02}-{:02}T00:00:00Z",
                3 + chance.below(9),
                1 + chance.below(28)
            ))
        }
        Value::String(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            json!(
                text.bytes()
                    .map(|_| char::from(b'0' + u8::try_from(chance.below(10)).unwrap()))
                    .collect::<String>()
            )
        }
        Value::String(text) if text.contains(' ') || !text.is_ascii() => {
            json!(format!("{text}{}", chance.below(1_000_000)))
        }
        _ => value.clone(),
    }
}

/// Puts something odd in one place of a JSON document.
fn mutated(chance: &mut Chance, value: &Value) -> Value {
    let other = |chance: &mut Chance| match chance.below(9) {
        0 => json!(null),
        1 => json!(chance.below(1_000)),
        2 => json!(-1e300),
        3 => json!(u64::MAX),
        4 => json!([]),
        5 => json!({"a": {"b": [[[]]]}}),
        6 => json!("x".repeat(chance.below(500))),
        _ => json!(chance.of(&ODD)),
    };
    match value {
        Value::Object(members) if !members.is_empty() && !chance.one_in(15) => {
            let mut members = members.clone();
            let names: Vec<String> = members.keys().cloned().collect();
            let name = chance.of(&names);
            match chance.below(6) {
                0 => drop(members.remove(name)),
                1 => drop(members.insert((*chance.of(&ODD)).to_owned(), other(chance))),
                _ => {
                    let member = mutated(chance, &members[name]);
                    members.insert(name.clone(), member);
                }
            }
            Value::Object(members)
        }
        Value::Array(items) if !items.is_empty() && !chance.one_in(4) => {
            let mut items = items.clone();
            let at = chance.below(items.len());
            match chance.below(4) {
                0 => items.push(items[at].clone()),
                1 => items.truncate(at),
                _ => items[at] = mutated(chance, &items[at].clone()),
            }
            Value::Array(items)
        }
        _ => other(chance),
    }
}

/// A table of which some cells are odd, and now and then the table itself.
fn mutated_table(chance: &mut Chance, table: &str) -> String {
    let (header, rows) = table.split_at(table.find('\n').map_or(0, |end| end + 1));
    let header = if chance.one_in(30) {
        *chance.of(&ODD)
    } else {
        header
    };
    let cells = rows.split_inclusive([',', '\n']).map(|cell| {
        let end = &cell[cell.len() - 1..];
        match chance.below(64) {
            0..=3 => format!("{}{end}", chance.of(&ODD)),
            4 => format!("{}{}", chance.of(&ODD), chance.of(&[",", "\n", "\"", ""])),
            5..32 if !cell.is_ascii() => format!("{}{}{end}", &cell[..cell.len() - 1], chance.below(1_000)),
            _ => cell.to_owned(),
        }
    });
    header.to_owned() + &cells.collect::<String>()
}

/// A body that is as it should be, or nearly so, or now and then no such thing.
fn body(chance: &mut Chance, example: &Value, there: &[String]) -> Vec<u8> {
    let mut bytes = match (chance.below(20), example) {
        (0, _) => chance.bytes(400),
        (_, Value::String(table)) => mutated_table(chance, table).into_bytes(),
        (odd, example) => {
            let mut value = lively(chance, example, there);
            for _ in 0..odd.saturating_sub(6) / 5 {
                value = mutated(chance, &value);
            }
            value.to_string().into_bytes()
        }
    };
    if !bytes.is_empty() && chance.one_in(16) {
        let at = chance.below(bytes.len());
        match chance.below(3) {
            0 => bytes[at] = u8::try_from(chance.below(256)).unwrap(),
            1 => bytes.truncate(at),
            _ => drop(bytes.splice(at..at, chance.bytes(5))),
        }
    }
    bytes
}

const HEADERS: [&str; 17] = [
    "Accept",
    "Accept-Language",
    "Accept-Encoding",
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "Idempotency-Key",
    "Content-Type",
    "Content-Encoding",
    "X-Forwarded-For",
    "X-Request-Id",
    "Range",
    "Origin",
    "Cookie",
    "Authorization",
    "Access-Control-Request-Method",
    "Referer",
];

/// How many events there are, without what is left by auditors who read.
fn events(ward: &Ward) -> i64 {
    let count = ward.context().db.read_and_wait(|conn| {
        let but_looks = audit_events::table.filter(audit_events::kind.ne("auditor.looked"));
        Ok(but_looks.count().get_result(conn)?)
    });
    count.unwrap()
}

on_both! {
    fn requests_without_sense_break_nothing_and_leave_nothing_behind(ward) {
        let (mut ward, provider) = (ward, Provider::start());
        ward.restart(|settings| provider.known_to(settings));
        let document = openapi::document().unwrap();
        let codes: BTreeSet<&str> = operation::reasons().iter().map(|reason| reason.code).collect();
        let city = ward.area(None, "桐城市");
        let district = ward.area(Some(&city), "凤鸣区");
        let mut there = vec![ward.area(Some(&district), "梧桐街道"), city, district, "0/000.p/2".to_owned(), "malformed".to_owned()];
        there.extend(ward.events("area.*").iter().map(|event| event["id"].as_str().unwrap().to_owned()));
        let supplier = verified(&ward, "洁城公司", CODES[0]);
        let treasury = Treasury::with(&ward, "1000000.00");
        let mut grants = vec![Grant::of(Role::OrganisationAdmin).in_organisation(supplier.parse().unwrap())];
        grants.extend([Role::FinanceOfficer, Role::BuyerOfficer, Role::BuyerApprover].map(|role| Grant::of(role).in_organisation(treasury.department.clone())));
        let insider = person(&ward, &grants);
        let line = treasury.filled(&ward, "LA", "900000.00");
        let reservation = json!({"amount": yuan("10.00"), "purpose": "试"});
        there.push(made(&posts(&ward, &treasury.anna, &format!("/budget-lines/{line}/reservations"), Some(&reservation))));
        let proposal = json!({"kind": "allocation", "fiscal_year": 2026, "to_line_id": line, "amount": yuan("1.00"), "reason": "试"});
        there.push(made(&treasury.proposes(&ward, &proposal)));
        // One that is written at, one that waits for its approval.
        for state in ["draft", "submitted"] {
            let book = made(&posts(&ward, &insider, "/contract-books", Some(&crate::books::begun(&treasury, &line))));
            if state == "submitted" {
                assert_eq!(posts(&ward, &insider, &format!("/contract-books/{book}/submission"), None).status, 200);
            }
            there.push(book);
        }
        there.extend([line, treasury.fund.clone(), treasury.department.to_string()]);
        for (path, body) in [("qualifications", licence("一号", None)), ("bank-account-changes", account("6222021112345678903"))] {
            let reply = insider.asks(&ward, "POST", &format!("/api/v1/organisations/{supplier}/{path}")).json(&body).send();
            there.push(reply.json()["id"].as_str().unwrap().to_owned());
        }
        let debarred = ward.ask("POST", "/api/v1/debarments").by(Role::Regulator).json(&debarment(&supplier, "2026-03-02", "2027-03-01")).send();
        there.extend([debarred.json()["id"].as_str().unwrap().to_owned(), supplier]);
        // A standard, and the number of its version.
        there.extend([published_standard(&ward), "1".to_owned()]);
        let mut chance = Chance(0x5EED_0FAB_00C5);
        let mut seen = BTreeMap::new();
        let (mut with_body, mut judged) = (0, 0);
        let operations: Vec<_> = operations(&document)
            .into_iter()
            .flat_map(|one| {
                let often = if one.2.get("requestBody").is_some() { BODIES_COUNT } else { 1 };
                std::iter::repeat_n(one, often)
            })
            .collect();
        let mut wire = Wire::to(ward.server().address);
        for (round, (path, method, operation)) in operations.iter().cycle().take(REQUESTS).enumerate() {
            let mut headers: Vec<(&str, Vec<u8>)> = Vec::new();
            // Mostly somebody who may do it: whoever may not is turned away before anything is read.
            let may = openapi::roles_of(operation["x-action"].as_str().unwrap());
            let role = if may.is_empty() || chance.one_in(12) { *chance.of(&Role::ALL) } else { *chance.of(&may) };
            let (listed, anyone) = TABLE.iter().filter(|(action, _)| operation["x-action"] == format!("{action:?}")).flat_map(|(_, grants)| *grants)
                .filter(|(granted, _)| *granted == role)
                .fold((false, false), |(_, anyone), (_, condition)| (true, anyone || *condition == Condition::Anywhere));
            if listed && !anyone && !chance.one_in(12) {
                // Whoever may do it only with an account, or with what is theirs, is somebody to whom something belongs.
                headers.push(("Authorization", format!("Bearer {}", insider.token).into_bytes()));
            } else if !matches!(role, Role::Public | Role::System) {
                headers.push(("Authorization", format!("Bearer {}", ward.token(role)).into_bytes()));
            }
            let mut content = None;
            if let Some((kind, media)) = operation["requestBody"]["content"].as_object().and_then(|kinds| kinds.iter().next()) {
                content = Some(body(&mut chance, &example_of_body(&document, media).unwrap(), &there));
                if !chance.one_in(25) {
                    headers.push(("Content-Type", kind.clone().into_bytes()));
                }
            } else if chance.one_in(10) {
                content = Some(chance.bytes(100));
            }
            let versioned = operation["parameters"].as_array().into_iter().flatten().any(|parameter| parameter["name"] == "If-Match");
            if versioned && !chance.one_in(15) {
                headers.push(("If-Match", b"*".to_vec()));
            }
            if chance.one_in(4) {
                for _ in 0..1 + chance.below(3) {
                    let name = *chance.of(&HEADERS);
                    if name != "Authorization" || chance.one_in(4) {
                        headers.push((name, header_value(&mut chance)));
                    }
                }
            }
            let method = if chance.one_in(40) { *chance.of(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"]) } else { method.as_str() };
            let target = target(&mut chance, &document, path, operation, &there);
            let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
            let request = wire::request(method, &target, &headers, content.as_deref());
            let before = events(&ward);
            wire.send(&request);
            let reply = wire.answer(method == "HEAD").unwrap_or_else(|| {
                // The server may have closed a connection on which it answered before it had read everything.
                wire = Wire::to(ward.server().address);
                wire.send(&request);
                wire.answer(method == "HEAD").unwrap_or_else(|| panic!("no answer to request {round}: {}", String::from_utf8_lossy(&request)))
            });
            let told = || format!("request {round}: {reply:?} to\n{}", String::from_utf8_lossy(&request));
            assert!((200..500).contains(&reply.status), "{}", told());
            *seen.entry((method.to_owned(), reply.status)).or_insert(0) += 1;
            if operation.get("requestBody").is_some() {
                with_body += 1;
                // Read, and answered for what it says: done, or refused by the schema, a rule or the state of things.
                judged += usize::from(matches!(reply.status, 200..300 | 409 | 412 | 422));
            }
            if reply.status == 202 {
                // What goes on after its answer must be over before anybody counts.
                eventually("imports to end", || (ward.events("import.begun").len() == ward.events("import.ended").len()).then_some(()));
            }
            if reply.status >= 400 {
                assert_eq!(events(&ward), before, "a refusal left something behind, {}", told());
                assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{}", told());
                if method != "HEAD" {
                    assert!(codes.contains(reply.code().as_str()), "{}", told());
                }
            } else if matches!(method, "GET" | "HEAD") {
                assert_eq!(events(&ward), before, "reading wrote something, {}", told());
            }
        }
        // The requests were not so odd that nothing could become of any, and a quarter of those with a body came as far as it: the more
        // operations are about matters that a stranger has none of, the more end before. More is not asked for: each new operation
        // changes all that follow.
        let answered = |method: &str, statuses: &[u16]| statuses.iter().any(|status| seen.contains_key(&(method.to_owned(), *status)));
        for (method, statuses) in [("GET", &[200][..]), ("GET", &[400]), ("GET", &[404]), ("POST", &[200, 201]), ("POST", &[400]), ("POST", &[401]), ("POST", &[403]), ("POST", &[409]), ("POST", &[422]), ("PATCH", &[200]), ("PATCH", &[404]), ("PATCH", &[422])] {
            assert!(answered(method, statuses), "{method} {statuses:?} is not among {seen:?}");
        }
        assert!(judged * 4 > with_body, "{judged} of {with_body} bodies were judged: {seen:?}");
        assert_eq!(ward.get("/health/ready").status, 200);
    }
}
