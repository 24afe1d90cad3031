//! What SQLite does without any of ours: the same rows into the same tables with the same indexes and triggers, by
//! prepared statements in `BEGIN IMMEDIATE … COMMIT` as large as there would be clients, equally durable. No HTTP, no
//! hashing, no signing, no rule, nothing read; the rows of a group are made before its clock runs.

use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use wardbook::db::conn::DatabaseUrl;
use wardbook::db::migrate;
use wardbook::kernel::clock::Clock;
use wardbook::kernel::id;

use crate::Options;
use crate::report::{Line, Report};
use crate::ward::Database;

/// The line of nothing but areas.
pub const AREA_ONLY: &str = "R raw insert: area";
/// The line of areas and their events.
pub const WITH_EVENT: &str = "R raw insert: area, event, private part";
/// The line of areas, their events and remembered answers.
pub const WITH_KEY: &str = "R raw insert: area, event, private part, key";

/// As the service sets its own connection up (`db::conn`).
const SETUP: &str = "PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
     PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768; PRAGMA mmap_size = 268435456; \
     PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";

const AREA: &str = "INSERT INTO areas (id, parent_id, level, code, name_zh, name_en, path, version, created_at, updated_at) \
     VALUES (?, ?, ?, NULL, ?, ?, ?, 1, ?, ?)";
const EVENT: &str = "INSERT INTO audit_events (id, entry, leaf_hash, leaf_index, kind, subject, at) VALUES (?, ?, ?, ?, ?, ?, ?)";
const PRIVATE: &str =
    "INSERT INTO audit_private (event_id, actor_salt, actor_id, salt, content) VALUES (?, ?, ?, ?, ?)";
const KEY: &str = "INSERT INTO idempotency_keys (actor, key, fingerprint, status, etag, location, body, created_at) \
     VALUES (?, ?, ?, 201, ?, ?, ?, ?)";

/// All lines.
pub fn measure(options: &Options, report: &mut Report) {
    for (depth, what) in [AREA_ONLY, WITH_EVENT, WITH_KEY].into_iter().enumerate() {
        for clients in &options.clients {
            report.add(insert(what, depth, *clients, options.window()), None);
        }
    }
}

/// One area with what belongs to it.
struct Row {
    area: String,
    name_zh: String,
    name_en: String,
    path: String,
    event: String,
    entry: Vec<u8>,
    hash: [u8; 32],
    salts: [[u8; 32]; 2],
    index: i64,
    at: String,
}

fn row(index: i64, street: &str, above: &str) -> Row {
    let now = Clock::system().now();
    let area = id::mint("area", now);
    let salt = || id::random::<32>().expect("random bytes");
    Row {
        path: format!("{above}{area}/"),
        name_zh: format!("桂园社区{index:012}"),
        name_en: format!("Guiyuan Community {index:012}"),
        event: id::mint("event", now),
        // As long as the entry of such an event.
        entry: format!("{street:*<520}").into_bytes(),
        hash: salt(),
        salts: [salt(), salt()],
        index,
        at: now.naive_utc().to_string(),
        area,
    }
}

/// Inserts groups of `size` until the window is over; `depth` says how much belongs to an area.
fn insert(what: &str, depth: usize, size: usize, window: Duration) -> Line {
    let made = Database::Sqlite.make();
    migrate::up(&made.url).expect("the database can be migrated");
    let DatabaseUrl::Sqlite(path) = &made.url else {
        unreachable!("it is SQLite")
    };
    let conn = Connection::open(path).expect("the database opens");
    conn.execute_batch(SETUP).expect("the database can be set up");
    let (street, above) = street(&conn);
    let (mut index, mut busy) = (0, Duration::ZERO);
    let mut micros = Vec::new();
    while busy < window {
        let rows: Vec<Row> = (0..size)
            .map(|_| {
                index += 1;
                row(index, &street, &above)
            })
            .collect();
        let begun = Instant::now();
        group(&conn, &rows, &street, depth).expect("rows can be inserted");
        let took = begun.elapsed();
        busy += took;
        micros.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }
    let per_second = index as f64 / busy.as_secs_f64();
    micros.sort_unstable();
    Line {
        what: what.to_owned(),
        on: "SQLite".to_owned(),
        clients: size,
        per_second,
        cpu_micros: None,
        micros,
        remarks: vec![format!("in groups of {size}")],
    }
}

fn group(conn: &Connection, rows: &[Row], street: &str, depth: usize) -> rusqlite::Result<()> {
    conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    for row in rows {
        conn.prepare_cached(AREA)?.execute(params![
            row.area,
            street,
            "community",
            row.name_zh,
            row.name_en,
            row.path,
            row.at,
            row.at
        ])?;
        if depth > 0 {
            conn.prepare_cached(EVENT)?.execute(params![
                row.event,
                row.entry,
                row.hash,
                row.index,
                "area.created",
                row.area,
                row.at
            ])?;
            conn.prepare_cached(PRIVATE)?.execute(params![
                row.event,
                row.salts[0],
                "user_load",
                row.salts[1],
                "null"
            ])?;
        }
        if depth > 1 {
            let body = std::str::from_utf8(&row.entry[..360]).expect("it is ASCII");
            conn.prepare_cached(KEY)?.execute(params![
                "user_load",
                row.event,
                row.hash,
                "\"v1\"",
                row.path,
                body,
                row.at
            ])?;
        }
    }
    conn.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

/// A street in a district in a city: its id and its path.
fn street(conn: &Connection) -> (String, String) {
    let (mut parent, mut path) = (None, String::new());
    for level in ["city", "district", "street"] {
        let area = row(0, "", &path);
        conn.execute(
            AREA,
            params![
                area.area, parent, level, level, level, area.path, area.at, area.at
            ],
        )
        .expect("an area can be inserted");
        (parent, path) = (Some(area.area), area.path);
    }
    (parent.expect("a street"), path)
}
