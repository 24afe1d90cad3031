//! Thousands of requests that make no sense, at every operation: none may end in a 5xx, none that is refused may leave
//! anything behind, and every refusal is a problem document of the catalogue. The same requests at every run.

use std::collections::BTreeSet;

use diesel::prelude::*;
use serde_json::{Value, json};
use wardbook::app::{openapi, operation};
use wardbook::db::schema::audit_events;
use wardbook::web::policy::Role;

use crate::api_spec::{example_of_body, operations};
use crate::harness::Ward;
use crate::on_both;
use crate::wire::{self, Wire};

/// Requests at each operation.
const ROUNDS: usize = 120;

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

/// The path with something in the place of its parameters: now and then what is there.
fn target(chance: &mut Chance, path: &str, operation: &Value, there: &[String]) -> String {
    let mut target = String::new();
    for part in path.split('/').skip(1) {
        target.push('/');
        if part.starts_with('{') {
            let filled = if chance.one_in(2) {
                chance.of(there).clone().into_bytes()
            } else {
                odd_text(chance)
            };
            target.push_str(&encoded(chance, &filled));
        } else {
            target.push_str(part);
        }
    }
    if chance.one_in(20) {
        let tail = odd_text(chance);
        target.push_str(&encoded(chance, &tail));
    }
    let names: Vec<&str> = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|parameter| parameter["in"] == "query")
        .filter_map(|parameter| parameter["name"].as_str())
        .collect();
    let mut pairs = Vec::new();
    for _ in 0..chance.below(7).saturating_sub(3) {
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

/// Puts something odd in the place of some value of a JSON document.
fn mutated(chance: &mut Chance, value: &Value, there: &[String]) -> Value {
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
        Value::Object(members) if !chance.one_in(10) => {
            let mut members = members.clone();
            for (_, member) in members.iter_mut() {
                if chance.one_in(2) {
                    *member = mutated(chance, member, there);
                }
            }
            if chance.one_in(4) {
                let name = chance.of(&ODD);
                members.insert((*name).to_owned(), other(chance));
            }
            if let Some(name) = members.keys().next().cloned()
                && chance.one_in(5)
            {
                members.remove(&name);
            }
            Value::Object(members)
        }
        Value::String(text) if text.ends_with('Z') && !chance.one_in(4) => {
            json!(format!("2026-03-{:02}T00:00:00Z", 2 + chance.below(30)))
        }
        // An id that is good for something, or a name that nobody has yet.
        Value::String(text) if text.starts_with("area_") && !chance.one_in(4) => json!(chance.of(there)),
        Value::String(text) if text.contains(' ') && !chance.one_in(4) => {
            json!(format!("{text} {}", chance.next()))
        }
        _ => other(chance),
    }
}

fn body(chance: &mut Chance, example: &Value, there: &[String]) -> Vec<u8> {
    let mut bytes = match (chance.below(6), example) {
        (0, _) => chance.bytes(400),
        (1..=4, Value::String(table)) => {
            // A table: some of its cells become odd, and now and then the table itself.
            let (header, rows) = table.split_at(table.find('\n').map_or(0, |end| end + 1));
            let header = if chance.one_in(8) {
                *chance.of(&ODD)
            } else {
                header
            };
            let cells = rows.split_inclusive([',', '\n']).map(|cell| {
                if !chance.one_in(6) {
                    return cell.to_owned();
                }
                let end = if chance.one_in(12) {
                    *chance.of(&[",", "\n", "\"", ""])
                } else {
                    &cell[cell.len() - 1..]
                };
                format!("{}{end}", chance.of(&ODD))
            });
            (header.to_owned() + &cells.collect::<String>()).into_bytes()
        }
        (_, Value::String(table)) => table.clone().into_bytes(),
        (1, example) => example.to_string().into_bytes(),
        (_, example) => mutated(chance, example, there).to_string().into_bytes(),
    };
    for _ in 0..chance.below(4) {
        if bytes.is_empty() || chance.one_in(2) {
            break;
        }
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

fn events(ward: &Ward) -> i64 {
    let count = ward
        .context()
        .db
        .read_and_wait(|conn| Ok(audit_events::table.count().get_result(conn)?));
    count.unwrap()
}

on_both! {
    fn requests_without_sense_break_nothing_and_leave_nothing_behind(ward) {
        let document = openapi::document().unwrap();
        let codes: BTreeSet<&str> = operation::reasons().iter().map(|reason| reason.code).collect();
        let city = ward.area(None, "桐城市");
        let district = ward.area(Some(&city), "凤鸣区");
        let mut there = vec![ward.area(Some(&district), "梧桐街道"), city, district, "0/000.p/2".to_owned(), "malformed".to_owned()];
        there.extend(ward.events("area.*").iter().map(|event| event["id"].as_str().unwrap().to_owned()));
        let mut chance = Chance(0x5EED_0FAB_00C5);
        let mut seen = BTreeSet::new();
        let mut wire = Wire::to(ward.server().address);
        for round in 0..ROUNDS {
            for (path, method, operation) in operations(&document) {
                let mut headers: Vec<(&str, Vec<u8>)> = Vec::new();
                if !chance.one_in(10) {
                    let role = *chance.of(&[Role::Admin, Role::Admin, Role::Admin, Role::Auditor, Role::Resident]);
                    headers.push(("Authorization", format!("Bearer {}", ward.token(role)).into_bytes()));
                }
                let mut content = None;
                if let Some((kind, media)) = operation["requestBody"]["content"].as_object().and_then(|kinds| kinds.iter().next()) {
                    content = Some(body(&mut chance, &example_of_body(&document, media).unwrap(), &there));
                    if !chance.one_in(15) {
                        headers.push(("Content-Type", kind.clone().into_bytes()));
                    }
                    if chance.one_in(2) {
                        headers.push(("If-Match", b"*".to_vec()));
                    }
                } else if chance.one_in(10) {
                    content = Some(chance.bytes(100));
                }
                for _ in 0..chance.below(4) {
                    let name = *chance.of(&HEADERS);
                    if name != "Authorization" || chance.one_in(4) {
                        headers.push((name, header_value(&mut chance)));
                    }
                }
                let method = if chance.one_in(25) { *chance.of(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"]) } else { method.as_str() };
                let target = target(&mut chance, &path, &operation, &there);
                let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
                let request = wire::request(method, &target, &headers, content.as_deref());
                let before = events(&ward);
                wire.send(&request);
                let reply = wire.answer(method == "HEAD").unwrap_or_else(|| {
                    // The server may have closed a connection on which it answered before it had read everything.
                    wire = Wire::to(ward.server().address);
                    wire.send(&request);
                    wire.answer(method == "HEAD").unwrap_or_else(|| panic!("no answer in round {round}: {}", String::from_utf8_lossy(&request)))
                });
                let told = || format!("round {round}: {reply:?} to\n{}", String::from_utf8_lossy(&request));
                assert!((200..500).contains(&reply.status), "{}", told());
                seen.insert((method.to_owned(), reply.status));
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
        }
        // The requests were not so odd that nothing could become of any. More is not asked for: each new operation changes
        // all that follow.
        let answered = |method: &str, statuses: &[u16]| statuses.iter().any(|status| seen.contains(&(method.to_owned(), *status)));
        for (method, statuses) in [("GET", &[200][..]), ("GET", &[400]), ("GET", &[404]), ("POST", &[200, 201]), ("POST", &[400]), ("POST", &[401]), ("POST", &[403]), ("POST", &[409]), ("POST", &[422]), ("PATCH", &[404]), ("PATCH", &[422])] {
            assert!(answered(method, statuses), "{method} {statuses:?} is not among {seen:?}");
        }
        assert_eq!(ward.get("/health/ready").status, 200);
    }
}
