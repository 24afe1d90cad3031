//! The archive: one file that holds a whole ward's database, whichever database it came from, and the keys if wanted.
//! This room says what the format is; `archive_writing` and `archive_reading` are its two ends. Knows nothing of what the
//! tables mean.
//!
//! # The format, `wardbook-backup/1`
//! A gzip member (RFC 1952) of JSON Lines (UTF-8, `\n` after every line). In this order:
//!
//! 1. The header: `{"format":"wardbook-backup/1","version":"0.1.0","made_at":"…Z","migrations":["0001",…],
//!    "log":{"origin":…,"key":…,"size":…,"root":…}}`. `version` is the program's that wrote it, `made_at` the instant
//!    of the snapshot, `migrations` the versions applied to the database, oldest first. `log` is where the tamper-evident
//!    log stood: its name, its public key as `GET /audit/key` shows it, the size and the base64 root of its newest
//!    checkpoint (size 0 and the root of nothing if none was signed yet).
//! 2. For every key file: `{"key":{"name":"log.key","content":"<base64>"}}`. None if the archive was made without keys.
//! 3. For every table, by name: `{"table":{"name":…,"key":[…],"columns":[{"name":…,"type":…},…]}}`, then its rows in
//!    the order of the primary key, each an array with one value for each column. A value is `null` or, by the column's
//!    type, `bigint`: an integer of 64 bits (read it as such, not as a double), `text`: a string, `bool`: true or false,
//!    `timestamp`: `"2026-03-02T00:00:00.000000Z"` (UTC, microseconds), `date`: `"2026-03-02"`, `binary`: base64 with
//!    padding.
//! 4. The end: `{"end":{"rows":{"areas":8,…},"sha256":"<hex>"}}`: the number of rows of every table, and the SHA-256 of
//!    all uncompressed bytes before this line. Nothing follows, neither in the stream nor in the file.
//!
//! The checksum finds damage, not malice: whoever can write the file can write a new checksum. That the log inside is
//! the ward's is shown by its signed checkpoint, which a restoration checks.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{NaiveDate, NaiveDateTime, Timelike};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::db::layout::{Kind, Table};

/// The format that is written, and the only one that is read.
pub const FORMAT: &str = "wardbook-backup/1";
/// Bytes of one line: a row. Writing refuses what reading would.
pub(super) const LINE_BYTES_MAX: usize = 64 << 20;

const TIMESTAMP: &str = "%Y-%m-%dT%H:%M:%S%.6fZ";
const TIMESTAMP_READ: &str = "%Y-%m-%dT%H:%M:%S%.fZ";
const DATE: &str = "%Y-%m-%d";

/// Where the log stood. Plain facts: this floor knows no log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFacts {
    /// Its name.
    pub origin: String,
    /// Its public key.
    pub key: String,
    /// Entries under the newest checkpoint.
    pub size: u64,
    /// Base64 of the root over them.
    pub root: String,
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// Version of the program that wrote it.
    pub version: String,
    /// When the snapshot was taken, RFC 3339.
    pub made_at: String,
    /// Applied migrations, oldest first.
    pub migrations: Vec<String>,
    /// Where the log stood.
    pub log: LogFacts,
}

/// A key file.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// Its name, without a directory.
    pub name: String,
    /// Its bytes.
    pub content: Zeroizing<Vec<u8>>,
}

impl KeyFile {
    /// True for a plain name that ends in `.key`: a key is a file in the directory of keys and nowhere else.
    pub fn may_be_named(name: &str) -> bool {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        name.strip_suffix(".key")
            .is_some_and(|stem| !stem.is_empty() && stem.bytes().all(plain))
    }
}

impl std::fmt::Debug for KeyFile {
    /// Never the content.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyFile({})", self.name)
    }
}

/// What the last line says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trailer {
    /// Rows of every table.
    pub rows: BTreeMap<String, u64>,
    /// Hex SHA-256 of all before.
    pub sha256: String,
}

/// The lines that are neither the header nor rows.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Section {
    Key { name: String, content: String },
    Table(Table),
    End(Trailer),
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// NULL.
    Null,
    /// Of a [`Kind::BigInt`] column.
    BigInt(i64),
    /// Of a [`Kind::Text`] column.
    Text(String),
    /// Of a [`Kind::Bool`] column.
    Bool(bool),
    /// Of a [`Kind::Timestamp`] column.
    Timestamp(NaiveDateTime),
    /// Of a [`Kind::Date`] column.
    Date(NaiveDate),
    /// Of a [`Kind::Binary`] column.
    Binary(Vec<u8>),
}

impl Cell {
    /// The value of a column of this kind that JSON stands for.
    pub(super) fn read(kind: Kind, json: Value) -> Option<Self> {
        match (kind, json) {
            (_, Value::Null) => Some(Self::Null),
            (Kind::BigInt, json) => json.as_i64().map(Self::BigInt),
            (Kind::Text, Value::String(text)) => Some(Self::Text(text)),
            (Kind::Bool, Value::Bool(truth)) => Some(Self::Bool(truth)),
            (Kind::Timestamp, Value::String(text)) => NaiveDateTime::parse_from_str(&text, TIMESTAMP_READ)
                .ok()
                .map(Self::Timestamp),
            (Kind::Date, Value::String(text)) => NaiveDate::parse_from_str(&text, DATE).ok().map(Self::Date),
            (Kind::Binary, Value::String(text)) => BASE64.decode(text).ok().map(Self::Binary),
            _ => None,
        }
    }

    /// About how many bytes it takes in memory beyond its own size.
    pub fn weight(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
            _ => 0,
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_none(),
            Self::BigInt(number) => to.serialize_i64(*number),
            Self::Text(text) => to.serialize_str(text),
            Self::Bool(truth) => to.serialize_bool(*truth),
            // Rounding it silently would make the restored row another one.
            Self::Timestamp(at) if at.nanosecond() % 1_000 != 0 => Err(serde::ser::Error::custom(
                "a timestamp that is not of whole microseconds",
            )),
            Self::Timestamp(at) => to.collect_str(&at.format(TIMESTAMP)),
            Self::Date(date) => to.collect_str(&date.format(DATE)),
            Self::Binary(bytes) => to.serialize_str(&BASE64.encode(bytes)),
        }
    }
}
