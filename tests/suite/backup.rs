//! Backup and restoration: what comes back is what was there, on either database and across, and nothing that is damaged,
//! foreign or too old is ever loaded.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use wardbook::app::backup::make;
use wardbook::app::restore::{Done, restore};
use wardbook::app::settings::Settings;
use wardbook::audit::note::Verifier;
use wardbook::audit::source::HttpSource;
use wardbook::audit::verify::verify_log;
use wardbook::db::archive::{FORMAT, Header, LogFacts};
use wardbook::db::archive_reading::Reader;
use wardbook::db::archive_writing::Writer;
use wardbook::db::conn::{Access, Conn, connect};
use wardbook::db::{backup, layout};
use wardbook::kernel::refusal::Fault;
use wardbook::web::policy::Role;

use crate::harness::{PostgresDatabase, Ward, settings_in};
use crate::on_both;

on_both! {
    fn a_ward_moves_to_the_other_database_and_back_and_goes_on(ward) {
        peopled(&ward);
        let first = backed_up(&ward, "first");
        let checkpoint = ward.get("/audit/checkpoint").text;
        let key: Verifier = ward.get("/audit/key").text.trim().parse().unwrap();

        // To the other kind, and back to this one; without a server that is one hop from SQLite to SQLite.
        let there = Empty::new(if ward.database.is_some() { None } else { PostgresDatabase::make() });
        there.restore(&first, false).unwrap();
        let second = there.back_up("second");
        let back = Empty::new(ward.database.as_ref().and_then(|_| PostgresDatabase::make()));
        back.restore(&second, false).unwrap();
        let third = back.back_up("third");
        assert_eq!(rows(&first), rows(&second));
        assert_eq!(rows(&second), rows(&third));
        assert!(rows(&first).iter().any(|line| line.contains("user_admin") && line.contains("idempotent")));
        if ward.database.is_none() {
            assert_eq!(stored(&ward.dir), stored(&back.dir));
        }

        drop(ward);
        let back = Ward::over(back.dir, back.database, |_| {});
        assert_eq!(back.get("/audit/checkpoint").text, checkpoint);
        back.area(None, "青城市");
        back.settle();
        let verdict = verify_log(&HttpSource::new(&back.url("/audit")), &key, Some(checkpoint.as_bytes()), &mut |_, _| {});
        assert_eq!(verdict.exit_code(), 0, "{verdict}");
        // The answer that was given before the move is given again after it.
        let body = json!({"name_zh": "凤城市", "name_en": "Fengcheng"});
        let again = back.ask("POST", "/api/v1/areas").by(Role::Admin).header("idempotency-key", "idempotent").json(&body).send();
        assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")), "{}", again.text);
    }

    fn every_table_is_in_a_backup(ward) {
        let file = backed_up(&ward, "all");
        let in_it: BTreeSet<String> = lines(&file)
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["table"]["name"].as_str().map(str::to_owned))
            .collect();
        let mut conn = connect(&settings(&ward).database().unwrap(), Access::Read).unwrap();
        let there: Vec<Named> = match &mut conn {
            Conn::Sqlite(c) => diesel::sql_query("SELECT name FROM sqlite_master WHERE type = 'table'").load(c).unwrap(),
            Conn::Postgres(c) => {
                diesel::sql_query("SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public'")
                    .load(c)
                    .unwrap()
            }
        };
        let there: BTreeSet<String> = there.into_iter().map(|row| row.name).collect();
        let missing: Vec<&String> = there.difference(&in_it).collect();
        assert_eq!(missing, ["__diesel_schema_migrations"]);
        assert!(in_it.is_subset(&there) && in_it.len() >= 8);
    }

    fn a_backup_is_one_instant_of_a_ward_that_is_being_written_to(ward) {
        let city = ward.area(None, "凤城市");
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for writer in 0..3 {
                let (ward, city, stop) = (&ward, &city, &stop);
                scope.spawn(move || {
                    for n in 0.. {
                        if stop.load(Ordering::SeqCst) {
                            return;
                        }
                        ward.area(Some(city), &format!("{writer} 区 {n}"));
                    }
                });
            }
            for round in 0..3 {
                let file = ward.dir.path().join(format!("round-{round}"));
                // Between the areas and their events others get on with their work, and now and then elsewhere: there are many tables.
                let mut tables = 0_u32;
                let mut between = |table: &str, _: u64| {
                    tables += 1;
                    let writes = if table == "areas" || table.starts_with("audit") { 3 } else { u32::from(tables.is_multiple_of(12)) };
                    for n in 0..writes {
                        ward.area(Some(&city), &format!("{table} 之后 {round} {n}"));
                    }
                };
                make(settings(&ward), &file, true, &mut between).unwrap();
                let areas: BTreeSet<String> = column(&file, "areas", "id").into_iter().collect();
                let kinds = column(&file, "audit_events", "kind");
                let subjects = column(&file, "audit_events", "subject");
                let created: Vec<String> = kinds
                    .into_iter()
                    .zip(subjects)
                    .filter_map(|(kind, subject)| (kind == "area.created").then_some(subject))
                    .collect();
                assert_eq!(areas.len(), created.len());
                assert_eq!(areas, created.into_iter().collect());
                let later: i64 = ward.context().db.read_and_wait(|conn| {
                    Ok(wardbook::db::schema::areas::table.count().get_result(conn)?)
                }).unwrap();
                assert!(later >= i64::try_from(areas.len()).unwrap() + 3);

                let copy = Empty::new(None);
                copy.restore(&file, false).unwrap();
                let copy = Ward::over(copy.dir, None, |_| {});
                let verdict = copy.verdict();
                assert_eq!(verdict.exit_code(), 0, "{verdict}");
            }
            stop.store(true, Ordering::SeqCst);
        });
    }

    fn a_damaged_backup_is_refused_and_nothing_is_touched(ward) {
        peopled(&ward);
        let whole = fs::read(backed_up(&ward, "whole")).unwrap();
        let target = Empty::like(&ward);
        let broken = target.dir.path().join("broken");
        let refused = |bytes: &[u8]| {
            fs::write(&broken, bytes).unwrap();
            let why = target.restore(&broken, false).unwrap_err().to_string();
            assert!(why.contains("damaged") || why.contains("not a wardbook backup"), "{why}");
            fs::remove_file(&broken).unwrap();
            assert_eq!(fs::read_dir(target.dir.path()).unwrap().count(), 0);
            if target.database.is_some() {
                assert!(layout::tables(&mut target.connect()).unwrap().is_empty());
            }
        };
        for length in [0, 1, 10, 100, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
            refused(&whole[..length]);
        }
        // Behind the head of gzip, whose time nobody reads.
        for place in [10, 50, whole.len() / 3, whole.len() / 2, whole.len() - 20, whole.len() - 8, whole.len() - 1] {
            let mut other = whole.clone();
            other[place] ^= 0x10;
            refused(&other);
        }
        refused(&[whole.as_slice(), b"more"].concat());
        refused(&[whole.as_slice(), whole.as_slice()].concat());
        refused(b"{}\n");
    }

    fn only_an_empty_database_is_restored_into(ward) {
        peopled(&ward);
        let file = backed_up(&ward, "file");
        let why = restore(settings(&ward), &file, false, &mut |_, _| {}).unwrap_err().to_string();
        assert!(why.contains("not empty") && why.contains("areas"), "{why}");
        assert_eq!(rows(&backed_up(&ward, "after")), rows(&file));

        let foreign = Empty::like(&ward);
        foreign.connect().batch_execute("CREATE TABLE invoices (id BIGINT NOT NULL PRIMARY KEY)").unwrap();
        let why = foreign.restore(&file, false).unwrap_err().to_string();
        assert!(why.contains("not empty") && why.contains("invoices"), "{why}");

        // One that was only migrated is still empty.
        let migrated = Empty::like(&ward);
        drop(migrated.connect());
        wardbook::db::migrate::up(&migrated.settings().database().unwrap()).unwrap();
        migrated.restore(&file, false).unwrap();
        assert_eq!(rows(&migrated.back_up("again")), rows(&file));
    }

    fn a_newer_backup_is_refused_and_an_older_one_migrated(ward) {
        let file = backed_up(&ward, "file");
        let newer = ward.dir.path().join("newer");
        forge(&file, &newer, |lines| {
            edit(lines, 0, |header| header["migrations"].as_array_mut().unwrap().push(json!("9999")));
        });
        let target = Empty::like(&ward);
        let why = target.restore(&newer, false).unwrap_err().to_string();
        assert!(why.contains("newer wardbook") && why.contains("9999"), "{why}");
        assert!(layout::tables(&mut target.connect()).unwrap().is_empty());

        let older = ward.dir.path().join("older");
        forge(&file, &older, |lines| {
            edit(lines, 0, |header| header["migrations"] = json!(["0001", "0002"]));
            lines.retain(|line| {
                let name = serde_json::from_str::<Value>(line).unwrap()["table"]["name"].clone();
                name.as_str().is_none_or(|name| OF_THE_FIRST_TWO.contains(&name))
            });
            let end = lines.len() - 1;
            edit(lines, end, |end| {
                end["end"]["rows"].as_object_mut().unwrap().retain(|name, _| OF_THE_FIRST_TWO.contains(&name.as_str()));
            });
        });
        target.restore(&older, false).unwrap();
        assert_eq!(layout::migrations(&mut target.connect()).unwrap(), layout::migrations(&mut connection(&ward)).unwrap());
        let moved_on = Ward::over(target.dir, target.database, |_| {});
        moved_on.area(None, "凤城市");
    }

    fn a_log_that_does_not_hold_is_not_restored(ward) {
        peopled(&ward);
        let file = backed_up(&ward, "file");
        let forged = ward.dir.path().join("forged");
        let refused = |wanted: &str| {
            let target = Empty::like(&ward);
            let why = target.restore(&forged, false).unwrap_err().to_string();
            assert!(why.contains(wanted), "{why}");
            assert!(layout::tables(&mut target.connect()).unwrap().is_empty());
            assert!(!target.dir.path().join("keys/log.key").exists());
        };
        forge(&file, &forged, |lines| edit(lines, 0, |header| header["log"]["root"] = json!(BASE64.encode([7; 32]))));
        refused("not the one that its header names");
        forge(&file, &forged, |lines| edit(lines, 0, |header| header["log"]["size"] = json!(1)));
        refused("not the one that its header names");
        forge(&file, &forged, |lines| {
            let place = 1 + lines.iter().position(|line| line.contains("\"name\":\"audit_events\"")).unwrap();
            edit(lines, place, |row| row[2] = json!(BASE64.encode([7; 32])));
        });
        refused("does not hold");
        // A row that refers to one which is not there.
        forge(&file, &forged, |lines| {
            let place = lines.iter().position(|line| line.starts_with("[\"area_") && line.contains("community")).unwrap();
            edit(lines, place, |row| row[1] = json!("area_00000000000000000000000000"));
        });
        refused("refer");
        forge(&file, &forged, |lines| {
            let head = lines.iter().position(|line| line.contains("\"name\":\"simulated_clock\"")).unwrap();
            lines.remove(head);
            let end = lines.len() - 1;
            edit(lines, end, |end| { end["end"]["rows"].as_object_mut().unwrap().remove("simulated_clock"); });
        });
        refused("lacks the table simulated_clock");
    }

    fn a_backup_older_than_the_mark_needs_the_loss_accepted_and_says_so_in_the_log(ward) {
        let mut ward = ward;
        let city = ward.area(None, "凤城市");
        let file = backed_up(&ward, "file");
        ward.area(Some(&city), "凤鸣区");
        ward.settle();
        let lost = ward.get("/audit/checkpoint").text;
        let key: Verifier = ward.get("/audit/key").text.trim().parse().unwrap();
        ward.server.take().unwrap().stop().unwrap();

        // The database is gone; the keys and the mark beside them are not.
        let target = Empty { database: ward.database.as_ref().and_then(|_| PostgresDatabase::make()), dir: tempfile::tempdir().unwrap() };
        fs::create_dir(target.dir.path().join("keys")).unwrap();
        for name in ["log.key", "log-mark"] {
            fs::copy(ward.dir.path().join("keys").join(name), target.dir.path().join("keys").join(name)).unwrap();
        }
        let why = target.restore(&file, false).unwrap_err().to_string();
        assert!(why.contains("signed up to 3 entries") && why.contains("--accept-loss"), "{why}");
        assert!(layout::tables(&mut target.connect()).unwrap().is_empty());

        let done = target.restore(&file, true).unwrap();
        assert!(done.remarks.iter().any(|line| line.contains("rollback")), "{done:?}");
        assert!(!target.dir.path().join("keys/log-mark").exists());
        let ward = Ward::over(target.dir, target.database, |_| {});
        let events = ward.events("log.restored");
        assert_eq!(events.len(), 1);
        let data = &events[0]["entry"]["data"];
        assert_eq!((&data["lost"]["size"], &data["kept"]["size"]), (&json!(3), &json!(2)));
        assert_eq!(data["lost"]["root"].as_str(), lost.lines().nth(2));

        let verify = |since: Option<&[u8]>| verify_log(&HttpSource::new(&ward.url("/audit")), &key, since, &mut |_, _| {}).exit_code();
        assert_eq!(verify(None), 0);
        assert_eq!(verify(Some(lost.as_bytes())), 1);
    }

    fn accepting_a_loss_where_there_is_none_records_none(ward) {
        peopled(&ward);
        let file = backed_up(&ward, "file");
        let target = Empty::like(&ward);
        target.restore(&file, true).unwrap();
        assert_eq!(rows(&target.back_up("again")), rows(&file));
    }

    fn keys_are_kept_safe_and_never_overwritten(ward) {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let file = backed_up(&ward, "file");
        assert_eq!(mode(&file), 0o600);
        let why = make(settings(&ward), &file, true, &mut |_, _| {}).unwrap_err().to_string();
        assert!(why.contains("never overwrites"), "{why}");

        let target = Empty::like(&ward);
        target.restore(&file, false).unwrap();
        let keys = target.dir.path().join("keys");
        assert_eq!(mode(&keys), 0o700);
        let written: Vec<PathBuf> = fs::read_dir(&keys).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(written.len(), 6, "of the log, of tokens, of people, of unsubscribe links, of opening keys, of links to reports");
        for key in &written {
            assert_eq!(mode(key), 0o600);
            assert_eq!(fs::read(key).unwrap(), fs::read(ward.dir.path().join("keys").join(key.file_name().unwrap())).unwrap());
        }

        let taken = Empty::like(&ward);
        let other = taken.dir.path().join("keys/log.key");
        fs::create_dir(other.parent().unwrap()).unwrap();
        fs::write(&other, "11".repeat(32)).unwrap();
        let why = taken.restore(&file, false).unwrap_err().to_string();
        assert!(why.contains("never overwritten"), "{why}");
        assert_eq!(fs::read_to_string(&other).unwrap(), "11".repeat(32));
        assert!(layout::tables(&mut taken.connect()).unwrap().is_empty());
    }

    fn a_backup_without_keys_takes_the_keys_of_the_place(ward) {
        let file = ward.dir.path().join("bare");
        make(settings(&ward), &file, false, &mut |_, _| {}).unwrap();
        assert!(!lines(&file).iter().any(|line| line.starts_with("{\"key\"")));

        let target = Empty::like(&ward);
        let done = target.restore(&file, false).unwrap();
        assert!(done.remarks.iter().any(|line| line.contains("log.key")), "{done:?}");
        assert_eq!(fs::read_dir(target.dir.path().join("keys")).unwrap().count(), 0);
        // Nor can a backup with keys be made where they are not.
        let why = make(&target.settings(), &target.dir.path().join("x"), true, &mut |_, _| {}).unwrap_err().to_string();
        assert!(why.contains("keys_dir"), "{why}");
        assert!(!target.dir.path().join("x").exists() && !target.dir.path().join("x.partial").exists());

        fs::copy(ward.dir.path().join("keys/log.key"), target.dir.path().join("keys/log.key")).unwrap();
        Ward::over(target.dir, target.database, |_| {}).area(None, "凤城市");
    }

    fn values_of_every_kind_cross_to_either_database_and_guards_stand_again(ward) {
        let source = Empty::like(&ward);
        let mut from = source.connect();
        from.batch_execute(&kinds_table(&from)).unwrap();
        from.batch_execute(KINDS).unwrap();
        let file = written(&mut from);
        for database in [None, Some(PostgresDatabase::make())] {
            let target = Empty::new(match database {
                None => None,
                Some(None) => continue,
                Some(made) => made,
            });
            let mut to = target.connect();
            to.batch_execute(&kinds_table(&to)).unwrap();
            to.batch_execute(&never_written(&to)).unwrap();
            assert!(to.batch_execute("INSERT INTO kinds (id) VALUES (0)").is_err());
            to.batch_execute("BEGIN").unwrap();
            let (_, mut reader) = Reader::open(file.as_slice()).unwrap();
            wardbook::db::restore::rows(&mut to, &mut reader, &mut |_, _| {}).unwrap();
            to.batch_execute("COMMIT").unwrap();
            assert_eq!(written(&mut to), file);
            // Trigger and foreign key are what they were.
            assert!(to.batch_execute("INSERT INTO kinds (id) VALUES (0)").is_err());
            assert!(to.batch_execute("UPDATE kinds SET above = 99 WHERE id = 1").is_err());
        }
    }
}

/// What the first two migrations make.
const OF_THE_FIRST_TWO: [&str; 7] = [
    "audit_checkpoints",
    "audit_events",
    "audit_log",
    "audit_nodes",
    "audit_private",
    "idempotency_keys",
    "simulated_clock",
];

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

/// A place that a backup can be restored into.
struct Empty {
    database: Option<PostgresDatabase>,
    dir: TempDir,
}

impl Empty {
    fn new(database: Option<PostgresDatabase>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { database, dir }
    }

    /// On the same kind of database.
    fn like(ward: &Ward) -> Self {
        Self::new(ward.database.as_ref().and_then(|_| PostgresDatabase::make()))
    }

    fn settings(&self) -> Settings {
        settings_in(&self.dir, self.database.as_ref())
    }

    fn connect(&self) -> Conn {
        connect(&self.settings().database().unwrap(), Access::Write).unwrap()
    }

    fn restore(&self, file: &Path, accept_loss: bool) -> Result<Done, Fault> {
        restore(&self.settings(), file, accept_loss, &mut |_, _| {})
    }

    fn back_up(&self, name: &str) -> PathBuf {
        let file = self.dir.path().join(name);
        make(&self.settings(), &file, true, &mut |_, _| {}).unwrap();
        file
    }
}

fn settings(ward: &Ward) -> &Settings {
    &ward.server().house.as_ref().unwrap().settings
}

fn connection(ward: &Ward) -> Conn {
    connect(&settings(ward).database().unwrap(), Access::Read).unwrap()
}

fn backed_up(ward: &Ward, name: &str) -> PathBuf {
    ward.settle();
    let file = ward.dir.path().join(name);
    make(settings(ward), &file, true, &mut |_, _| {}).unwrap();
    file
}

/// A city whose tree hangs against the order of its ids, with names that are hard to write down, and a repeatable answer.
fn peopled(ward: &Ward) {
    let body = json!({"name_zh": "凤城市", "name_en": "Fengcheng"});
    let made = ward
        .ask("POST", "/api/v1/areas")
        .by(Role::Admin)
        .header("idempotency-key", "idempotent")
        .json(&body)
        .send();
    assert_eq!(made.status, 201, "{}", made.text);
    let city = made.json()["id"].as_str().unwrap().to_owned();
    let old = ward.area(Some(&city), "凤鸣区");
    let street = ward.area(Some(&old), "O'Brien \"\\ 街道 \u{1F3EE}");
    ward.area(Some(&street), "桂园社区");
    let new = ward.area(Some(&city), "青溪区");
    let moved = ward
        .ask("POST", &format!("/api/v1/areas/{street}/move"))
        .by(Role::Admin)
        .header("if-match", "\"v1\"")
        .json(&json!({ "parent_id": new }))
        .send();
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert!(street < new);
}

fn lines(file: &Path) -> Vec<String> {
    let text = std::io::read_to_string(flate2::read::GzDecoder::new(fs::File::open(file).unwrap())).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// All lines of tables and rows.
fn rows(file: &Path) -> Vec<String> {
    let all = lines(file);
    let first = all
        .iter()
        .position(|line| line.starts_with("{\"table\""))
        .unwrap();
    all[first..all.len() - 1].to_vec()
}

/// One column of a table.
fn column(file: &Path, table: &str, column: &str) -> Vec<String> {
    let all: Vec<Value> = lines(file)
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let head = all
        .iter()
        .position(|line| line["table"]["name"] == table)
        .unwrap();
    let columns = all[head]["table"]["columns"].as_array().unwrap();
    let place = columns.iter().position(|known| known["name"] == column).unwrap();
    let rows = all[head + 1..].iter().take_while(|line| line.is_array());
    rows.map(|row| row[place].as_str().unwrap().to_owned()).collect()
}

/// Writes an archive anew with other lines and a checksum that fits them.
fn forge(file: &Path, to: &Path, change: impl FnOnce(&mut Vec<String>)) {
    let mut lines = lines(file);
    change(&mut lines);
    let end = lines.len() - 1;
    let before: String = lines[..end].iter().map(|line| format!("{line}\n")).collect();
    let sum = hex::encode(Sha256::digest(before.as_bytes()));
    edit(&mut lines, end, |end| end["end"]["sha256"] = json!(sum));
    let mut out = flate2::write::GzEncoder::new(fs::File::create(to).unwrap(), flate2::Compression::fast());
    std::io::Write::write_all(&mut out, format!("{before}{}\n", lines[end]).as_bytes()).unwrap();
    out.finish().unwrap();
}

fn edit(lines: &mut [String], place: usize, change: impl FnOnce(&mut Value)) {
    let mut line: Value = serde_json::from_str(&lines[place]).unwrap();
    change(&mut line);
    lines[place] = line.to_string();
}

/// Every value of every table of a SQLite ward, as SQLite itself writes it down, with its storage class.
fn stored(dir: &TempDir) -> Vec<String> {
    let url = format!("sqlite://{}", dir.path().join("wardbook.db").display());
    let mut conn = connect(&url.parse().unwrap(), Access::Read).unwrap();
    let tables = layout::tables(&mut conn).unwrap();
    let Conn::Sqlite(c) = &mut conn else {
        panic!("not SQLite")
    };
    let mut all = Vec::new();
    // How far publication has come goes on by itself while the ward runs.
    for table in tables.into_iter().filter(|table| table.name != "ocds_progress") {
        let cells: Vec<String> = table
            .columns
            .iter()
            .map(|column| format!("typeof(\"{0}\") || ' ' || quote(\"{0}\")", column.name))
            .collect();
        let sql = format!(
            "SELECT {} AS name FROM \"{}\" ORDER BY 1",
            cells.join(" || ', ' || "),
            table.name
        );
        let rows: Vec<Named> = diesel::sql_query(sql).load(c).unwrap();
        all.extend(
            rows.into_iter()
                .map(|row| format!("{}: {}", table.name, row.name)),
        );
    }
    assert!(all.len() > 10);
    all
}

/// A table with a column of every kind, which refers to itself.
fn kinds_table(conn: &Conn) -> String {
    let bytes = match conn {
        Conn::Sqlite(_) => "BLOB",
        Conn::Postgres(_) => "BYTEA",
    };
    format!(
        "CREATE TABLE kinds (id BIGINT NOT NULL PRIMARY KEY, above BIGINT REFERENCES kinds (id), \"text\" TEXT, \
         truth BOOLEAN, at TIMESTAMP, \"date\" DATE, bytes {bytes})"
    )
}

const KINDS: &str = "\
    INSERT INTO kinds (id, above) VALUES (9223372036854775807, NULL), (-9223372036854775808, NULL); \
    INSERT INTO kinds (id, \"text\", truth) VALUES (1, '', TRUE), (2, 'it''s \"梧桐\" \\ %', FALSE); \
    INSERT INTO kinds (id, at, \"date\") VALUES \
        (3, '2026-03-02 00:00:00', '2026-03-02'), (4, '1969-12-31 23:59:59.999999', '0001-01-01'), \
        (5, '2026-03-02 08:00:00.1', '9999-12-31'); \
    UPDATE kinds SET above = 9223372036854775807 WHERE id = 1; \
    UPDATE kinds SET above = id WHERE id = 2;";

/// A trigger that refuses every new row.
fn never_written(conn: &Conn) -> String {
    match conn {
        Conn::Sqlite(_) => "CREATE TRIGGER kinds_closed BEFORE INSERT ON kinds BEGIN SELECT RAISE(ABORT, 'closed'); END",
        Conn::Postgres(_) => {
            "CREATE FUNCTION closed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'closed'; END $$; \
             CREATE TRIGGER kinds_closed BEFORE INSERT ON kinds FOR EACH ROW EXECUTE FUNCTION closed()"
        }
    }
    .to_owned()
}

/// An archive of that table alone.
fn written(conn: &mut Conn) -> Vec<u8> {
    let header = Header {
        format: FORMAT.to_owned(),
        version: String::new(),
        made_at: String::new(),
        migrations: Vec::new(),
        log: LogFacts {
            origin: String::new(),
            key: String::new(),
            size: 0,
            root: String::new(),
        },
    };
    let mut writer = Writer::begin(Vec::new(), &header).unwrap();
    for table in layout::tables(conn).unwrap() {
        backup::table(conn, &table, &mut writer, &mut |_, _| {}).unwrap();
    }
    writer.end().unwrap().1
}
