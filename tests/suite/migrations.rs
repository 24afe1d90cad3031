//! The tables: that the migrations make the same on both databases, and what `src/db/schema.rs` says; that they go up,
//! down and up again; that several may try at once; that an older program leaves a newer database alone; and that the
//! database itself refuses what must not be, whoever asks.

use std::collections::BTreeMap;
use std::process::Output;
use std::sync::Barrier;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Text};
use wardbook::both;
use wardbook::db::conn::{Access, Conn, connect};
use wardbook::db::migrate;

use crate::on_both_sites;
use crate::process::Site;

/// A site with its data directory, but without a table.
fn empty(site: &Site) -> Conn {
    std::fs::create_dir_all(site.dir.path().join("data")).unwrap();
    connect(&site.database_url(), Access::Write).unwrap()
}

/// A site with all tables.
fn migrated(site: &Site) -> Conn {
    let conn = empty(site);
    migrate::up(&site.database_url()).unwrap();
    conn
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The lines of a query that names its one column `line`, sorted.
fn lines(conn: &mut Conn, query: &str) -> Vec<String> {
    let found: QueryResult<Vec<Line>> = both!(conn, c => sql_query(query).load(c));
    let mut lines: Vec<String> = found.unwrap().into_iter().map(|row| row.line).collect();
    lines.sort();
    lines
}

fn execute(conn: &mut Conn, statement: &str) -> QueryResult<usize> {
    both!(conn, c => sql_query(statement).execute(c))
}

/// Everything that migrations have made, as the database describes it.
fn everything(conn: &mut Conn) -> Vec<String> {
    match conn {
        Conn::Sqlite(_) => lines(
            conn,
            "SELECT type || ' ' || name || ' ' || coalesce(sql, '') AS line FROM sqlite_master \
             WHERE tbl_name <> '__diesel_schema_migrations'",
        ),
        Conn::Postgres(_) => lines(
            conn,
            "SELECT c.table_name || '.' || c.column_name || ' ' || c.data_type || ' ' || c.is_nullable \
                 || ' ' || coalesce(c.collation_name, '') AS line \
             FROM information_schema.columns c \
             WHERE c.table_schema = 'public' AND c.table_name <> '__diesel_schema_migrations' \
             UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) \
             FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
                 AND conrelid::regclass::text <> '__diesel_schema_migrations' \
             UNION ALL SELECT indexdef FROM pg_indexes \
             WHERE schemaname = 'public' AND tablename <> '__diesel_schema_migrations' \
             UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal \
             UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
        ),
    }
}

/// A column: its name, its type in diesel's words, and whether it may be null.
type Column = (String, String, bool);

/// A table: the columns of its primary key, and all columns, in order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Table {
    key: Vec<String>,
    columns: Vec<Column>,
}

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
    /// The place in the primary key from 1, or 0.
    #[diesel(sql_type = BigInt)]
    key_place: i64,
}

/// The tables as the database has them.
fn tables(conn: &mut Conn) -> BTreeMap<String, Table> {
    let query = match conn {
        Conn::Sqlite(_) => {
            "SELECT t.name AS table_name, c.name AS column_name, c.type AS kind, c.\"notnull\" = 0 AS nullable, \
                 c.pk AS key_place \
             FROM sqlite_master t JOIN pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND t.name <> '__diesel_schema_migrations' ORDER BY t.name, c.cid"
        }
        Conn::Postgres(_) => {
            "SELECT c.table_name::text, c.column_name::text, c.data_type::text AS kind, \
                 c.is_nullable = 'YES' AS nullable, coalesce(k.ordinal_position, 0)::bigint AS key_place \
             FROM information_schema.columns c \
             LEFT JOIN information_schema.table_constraints p ON p.table_schema = c.table_schema \
                 AND p.table_name = c.table_name AND p.constraint_type = 'PRIMARY KEY' \
             LEFT JOIN information_schema.key_column_usage k ON k.constraint_name = p.constraint_name \
                 AND k.table_name = c.table_name AND k.column_name = c.column_name \
             WHERE c.table_schema = 'public' AND c.table_name <> '__diesel_schema_migrations' \
             ORDER BY c.table_name, c.ordinal_position"
        }
    };
    let rows: QueryResult<Vec<ColumnRow>> = both!(conn, c => sql_query(query).load(c));
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    let mut keys: BTreeMap<String, BTreeMap<i64, String>> = BTreeMap::new();
    for row in rows.unwrap() {
        if row.key_place > 0 {
            let key = keys.entry(row.table_name.clone()).or_default();
            key.insert(row.key_place, row.column_name.clone());
        }
        let column = (row.column_name, diesel_type(&row.kind).to_owned(), row.nullable);
        tables.entry(row.table_name).or_default().columns.push(column);
    }
    for (table, key) in keys {
        tables.get_mut(&table).unwrap().key = key.into_values().collect();
    }
    tables
}

/// What both databases' names of types are to diesel; nothing else may be used.
fn diesel_type(kind: &str) -> &'static str {
    match kind {
        "BIGINT" | "bigint" => "BigInt",
        "TEXT" | "text" => "Text",
        "BOOLEAN" | "boolean" => "Bool",
        "TIMESTAMP" | "timestamp without time zone" => "Timestamp",
        "DATE" | "date" => "Date",
        "BLOB" | "bytea" => "Binary",
        other => panic!("a column of type {other}"),
    }
}

/// The tables as `src/db/schema.rs` declares them.
fn declared() -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::new();
    let mut table: Option<(String, Table)> = None;
    let lines = include_str!("../../src/db/schema.rs").lines().map(str::trim);
    for line in lines.filter(|line| !line.starts_with("//")) {
        if let Some((column, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            if !line.ends_with(',') {
                continue;
            }
            let kind = kind.trim();
            let inner = kind
                .strip_prefix("Nullable<")
                .and_then(|kind| kind.strip_suffix('>'));
            let (_, table) = table.as_mut().expect("a column in a table");
            table.columns.push((
                column.to_owned(),
                inner.unwrap_or(kind).to_owned(),
                inner.is_some(),
            ));
        } else if let Some((name, key)) = line.strip_suffix(") {").and_then(|head| head.split_once(" (")) {
            let key = key.split(", ").map(str::to_owned).collect();
            table = Some((
                name.to_owned(),
                Table {
                    key,
                    columns: Vec::new(),
                },
            ));
        } else if line == "}"
            && let Some((name, table)) = table.take()
        {
            tables.insert(name, table);
        }
    }
    tables
}

/// What `schema.rs` does not say, in the same words for both databases: named indexes, foreign keys, how many rules.
fn rules(conn: &mut Conn) -> Vec<String> {
    match conn {
        Conn::Sqlite(_) => lines(
            conn,
            "SELECT 'index ' || name || ' on ' || tbl_name || CASE WHEN sql LIKE 'CREATE UNIQUE%' THEN ', unique' ELSE '' END \
                 AS line FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL \
             UNION ALL SELECT 'foreign key of ' || t.name || '.' || f.\"from\" || ' to ' || f.\"table\" || '.' || f.\"to\" \
             FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table' \
             UNION ALL SELECT 'unique ' || t.name || '.' || c.name \
             FROM sqlite_master t JOIN pragma_index_list(t.name) i JOIN pragma_index_info(i.name) c \
             WHERE t.type = 'table' AND i.origin = 'u' \
             UNION ALL SELECT 'checks of ' || name || ': ' || ((length(sql) - length(replace(sql, 'CHECK (', ''))) / 7) \
             FROM sqlite_master WHERE type = 'table' AND name <> '__diesel_schema_migrations'",
        ),
        Conn::Postgres(_) => lines(
            conn,
            "SELECT 'index ' || indexname || ' on ' || tablename \
                 || CASE WHEN indexdef LIKE 'CREATE UNIQUE%' THEN ', unique' ELSE '' END AS line \
             FROM pg_indexes WHERE schemaname = 'public' \
                 AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE contype IN ('p', 'u')) \
             UNION ALL SELECT 'foreign key of ' || f.conrelid::regclass || '.' || a.attname || ' to ' \
                 || f.confrelid::regclass || '.' || b.attname \
             FROM pg_constraint f \
             CROSS JOIN LATERAL unnest(f.conkey, f.confkey) AS pair(mine, theirs) \
             JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = pair.mine \
             JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = pair.theirs WHERE f.contype = 'f' \
             UNION ALL SELECT 'unique ' || u.conrelid::regclass || '.' || a.attname \
             FROM pg_constraint u JOIN pg_attribute a ON a.attrelid = u.conrelid AND a.attnum = ANY (u.conkey) \
             WHERE u.contype = 'u' AND u.connamespace = 'public'::regnamespace \
             UNION ALL SELECT 'checks of ' || t.relname || ': ' \
                 || (SELECT count(*) FROM pg_constraint c WHERE c.conrelid = t.oid AND c.contype = 'c') \
             FROM pg_class t WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace \
                 AND t.relname <> '__diesel_schema_migrations'",
        ),
    }
}

fn all_versions(site: &Site) -> Vec<String> {
    let status = migrate::status(&site.database_url()).unwrap();
    [status.applied, status.pending].concat()
}

fn said(output: &Output) -> String {
    String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap()
}

/// A value for a column, in the words of either database.
fn blob(conn: &Conn, length: usize) -> String {
    let zeros = "00".repeat(length);
    match conn {
        Conn::Sqlite(_) => format!("x'{zeros}'"),
        Conn::Postgres(_) => format!("'\\x{zeros}'::bytea"),
    }
}

const AT: &str = "'2026-03-02 00:00:00'";

/// A row of each table that has rules: its name, and its columns with good values.
fn good_rows(conn: &Conn) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let (hash, quoted) = (blob(conn, 32), |text: &str| format!("'{text}'"));
    let one = || "1".to_owned();
    vec![
        (
            "audit_log",
            vec![
                ("id", one()),
                ("origin", quoted("o")),
                ("verifier_key", quoted("k")),
                ("started_at", AT.to_owned()),
            ],
        ),
        (
            "audit_events",
            vec![
                ("id", quoted("event_1")),
                ("entry", blob(conn, 2)),
                ("leaf_hash", hash.clone()),
                ("leaf_index", "NULL".to_owned()),
                ("kind", quoted("k")),
                ("subject", quoted("s")),
                ("at", AT.to_owned()),
            ],
        ),
        (
            "audit_private",
            vec![
                ("event_id", quoted("event_1")),
                ("actor_salt", hash.clone()),
                ("actor_id", quoted("a")),
                ("salt", hash.clone()),
                ("content", quoted("c")),
            ],
        ),
        (
            "duties",
            vec![
                ("matter", quoted("m")),
                ("duty", quoted("draft")),
                ("person", quoted("user_1")),
                ("done_by", quoted("user_1")),
                ("done_at", AT.to_owned()),
            ],
        ),
        (
            "audit_nodes",
            vec![
                ("level", "8".to_owned()),
                ("node_index", "0".to_owned()),
                ("hash", hash.clone()),
            ],
        ),
        (
            "audit_checkpoints",
            vec![
                ("size", one()),
                ("root", hash.clone()),
                ("note", quoted("n")),
                ("frontier", blob(conn, 8)),
                ("signed_at", AT.to_owned()),
            ],
        ),
        (
            "idempotency_keys",
            vec![
                ("actor", quoted("a")),
                ("key", quoted("k")),
                ("fingerprint", hash),
                ("status", "201".to_owned()),
                ("body", quoted("{}")),
                ("created_at", AT.to_owned()),
            ],
        ),
        ("simulated_clock", vec![("id", one()), ("now_at", AT.to_owned())]),
        (
            "areas",
            vec![
                ("id", quoted("area_1")),
                ("parent_id", "NULL".to_owned()),
                ("level", quoted("city")),
                ("name_zh", quoted("z")),
                ("name_en", quoted("e")),
                ("path", quoted("area_1/")),
                ("version", one()),
                ("created_at", AT.to_owned()),
                ("updated_at", AT.to_owned()),
            ],
        ),
        (
            "outbox",
            vec![
                ("id", quoted("mail_1")),
                ("dedup_key", quoted("k")),
                ("kind", quoted("role.taken")),
                ("category", quoted("duty")),
                ("account_id", quoted("user_1")),
                ("address", quoted("a@example.org")),
                ("name", quoted("n")),
                ("language", quoted("en")),
                ("facts", quoted("{}")),
                ("secret", "FALSE".to_owned()),
                ("state", quoted("waiting")),
                ("attempts", "0".to_owned()),
                ("next_at", AT.to_owned()),
                ("created_at", AT.to_owned()),
                ("ended_at", "NULL".to_owned()),
                ("digest_id", "NULL".to_owned()),
            ],
        ),
        (
            "mail_preferences",
            vec![
                ("account_id", quoted("user_1")),
                ("duty", quoted("daily")),
                ("news", quoted("off")),
                ("language", "NULL".to_owned()),
                ("version", "2".to_owned()),
                ("updated_at", AT.to_owned()),
            ],
        ),
        (
            "statutes",
            vec![
                ("id", quoted("statute_1")),
                ("jurisdiction", quoted("cn")),
                ("effective_from", quoted("2026-03-02")),
                ("revision", one()),
                ("built_in", "TRUE".to_owned()),
                ("content", quoted("{}")),
                ("content_sha256", blob(conn, 32)),
                ("event_id", quoted("event_1")),
                ("loaded_at", AT.to_owned()),
            ],
        ),
    ]
}

fn insertion(table: &str, row: &[(&str, String)]) -> String {
    let columns: Vec<&str> = row.iter().map(|(column, _)| *column).collect();
    let values: Vec<&str> = row.iter().map(|(_, value)| value.as_str()).collect();
    format!(
        "INSERT INTO {table} ({}) VALUES ({})",
        columns.join(", "),
        values.join(", ")
    )
}

/// Tries a statement and takes it back again.
fn attempt(conn: &mut Conn, statement: &str) -> QueryResult<usize> {
    conn.batch_execute("BEGIN").unwrap();
    let outcome = execute(conn, statement);
    conn.batch_execute("ROLLBACK").unwrap();
    outcome
}

#[test]
fn both_folders_hold_the_same_migrations_each_with_a_way_back() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let names = |database: &str| -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(root.join(database))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let mut numbers = std::collections::BTreeSet::new();
        for name in &names {
            let (number, subject) = name.split_once('_').unwrap();
            assert!(number.len() == 4 && number.parse::<u16>().is_ok(), "{name}");
            assert!(
                numbers.insert(number.to_owned()) && !subject.is_empty(),
                "{name} shares its number"
            );
            for file in ["up.sql", "down.sql"] {
                let path = root.join(database).join(name).join(file);
                assert!(
                    !std::fs::read_to_string(&path).unwrap().trim().is_empty(),
                    "{}",
                    path.display()
                );
            }
        }
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(!names("sqlite").is_empty());
}

#[test]
fn the_declared_tables_are_read_as_they_are_written() {
    let tables = declared();
    assert_eq!(tables["audit_nodes"].key, ["level", "node_index"]);
    let column = |name: &str, kind: &str, nullable| (name.to_owned(), kind.to_owned(), nullable);
    assert_eq!(
        tables["audit_nodes"].columns,
        [
            column("level", "BigInt", false),
            column("node_index", "BigInt", false),
            column("hash", "Binary", false)
        ]
    );
    assert_eq!(tables["areas"].columns[1], column("parent_id", "Text", true));
    let text = include_str!("../../src/db/schema.rs");
    assert_eq!(tables.len(), text.matches("table! {").count());
}

/// Whatever the operator's umask: what a database holds is not for every account of the machine.
#[cfg(unix)]
#[test]
fn what_migrate_makes_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let site = Site::sqlite();
    let data = site.dir.path().join("data");
    let program = site.command(&["migrate", "up"]);
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", "umask 0000; exec \"$0\" migrate up"])
        .arg(program.get_program());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> = std::fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(
        files.iter().any(|file| file.ends_with("wardbook.db")),
        "{files:?}"
    );
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

on_both_sites! {
    fn migrations_go_up_from_nothing_down_to_nothing_and_up_again(site) {
        let (mut conn, url) = (empty(site), site.database_url());
        let versions = all_versions(site);
        assert_eq!(everything(&mut conn), Vec::<String>::new());
        assert_eq!(migrate::up(&url).unwrap(), versions);
        let made = everything(&mut conn);
        assert!(!made.is_empty());
        assert_eq!(migrate::up(&url).unwrap(), Vec::<String>::new(), "a second time there is nothing to do");
        assert_eq!(everything(&mut conn), made);

        let newest_first: Vec<String> = versions.iter().rev().cloned().collect();
        for steps in 1..=versions.len() {
            assert_eq!(migrate::down(&url, steps).unwrap(), newest_first[..steps]);
            let status = migrate::status(&url).unwrap();
            assert_eq!((status.applied.len(), status.pending.len()), (versions.len() - steps, steps));
            if steps == versions.len() {
                assert_eq!(everything(&mut conn), Vec::<String>::new(), "nothing is left behind");
                assert_eq!(migrate::down(&url, 1).unwrap(), Vec::<String>::new());
            }
            assert_eq!(migrate::up(&url).unwrap().len(), steps);
            assert_eq!(everything(&mut conn), made, "{steps} down and up again");
        }
    }

    fn tables_and_columns_are_those_of_the_schema(site) {
        assert_eq!(tables(&mut migrated(site)), declared());
    }

    /// The same indexes, foreign keys and uniqueness, and as many checks of each table, as SQLite has.
    fn rules_are_the_same_on_both_databases(site) {
        let mut conn = migrated(site);
        let found = rules(&mut conn);
        let mut expected = rules(&mut migrated(&Site::sqlite()));
        if matches!(conn, Conn::Postgres(_)) {
            // The exceptions, for the reason that the migrations give: their checks would make any two writers conflict.
            for exception in [
                "foreign key of audit_private.event_id to audit_events.id",
                "foreign key of bid_ciphertexts.lot_id to bid_versions.lot_id",
                "foreign key of bid_ciphertexts.supplier_id to bid_versions.supplier_id",
                "foreign key of bid_ciphertexts.number to bid_versions.number",
            ] {
                let at = expected.iter().position(|line| line == exception).unwrap();
                expected.remove(at);
            }
        }
        assert_eq!(found, expected);
        for one in ["unique areas.path", "checks of areas: 5", "foreign key of areas.parent_id to areas.id"] {
            assert!(found.iter().any(|line| line == one), "{one} in {found:#?}");
        }
    }

    fn the_database_repeats_what_matters(site) {
        let mut conn = migrated(site);
        let rows = good_rows(&conn);
        // What hangs on something else comes after it, and stays.
        for (table, row) in &rows {
            let statement = insertion(table, row);
            execute(&mut conn, &statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        let short = blob(&conn, 31);
        let long = blob(&conn, 65_536);
        let name_101 = format!("'{}'", "长".repeat(101));
        let key_256 = format!("'{}'", "k".repeat(256));
        let wrong = [
            ("audit_log", "id", "2"),
            ("audit_events", "entry", "one byte"),
            ("audit_events", "entry", long.as_str()),
            ("audit_events", "leaf_hash", &short),
            ("audit_events", "leaf_index", "-1"),
            ("audit_nodes", "level", "0"),
            ("audit_nodes", "level", "7"),
            ("audit_nodes", "node_index", "-1"),
            ("audit_nodes", "hash", &short),
            ("audit_checkpoints", "size", "0"),
            ("audit_checkpoints", "root", &short),
            ("idempotency_keys", "key", "''"),
            ("idempotency_keys", "key", &key_256),
            ("idempotency_keys", "fingerprint", &short),
            ("idempotency_keys", "status", "404"),
            ("simulated_clock", "id", "2"),
            ("areas", "level", "'planet'"),
            ("areas", "level", "'street'"),
            ("areas", "parent_id", "'area_1'"),
            ("areas", "name_zh", "''"),
            ("areas", "name_zh", &name_101),
            ("areas", "name_en", "''"),
            ("areas", "name_en", &name_101),
            ("areas", "version", "0"),
            ("outbox", "dedup_key", "''"),
            ("outbox", "category", "'advertisement'"),
            ("outbox", "address", "'a'"),
            ("outbox", "address", "NULL"),
            ("outbox", "language", "'fr'"),
            ("outbox", "facts", "NULL"),
            ("outbox", "state", "'lost'"),
            ("outbox", "state", "'sent'"),
            ("outbox", "attempts", "-1"),
            ("outbox", "next_at", "NULL"),
            ("outbox", "ended_at", AT),
            ("outbox", "digest_id", "'mail_1'"),
            ("mail_preferences", "duty", "'off'"),
            ("mail_preferences", "news", "'hourly'"),
            ("mail_preferences", "language", "'fr'"),
            ("mail_preferences", "version", "1"),
            ("statutes", "jurisdiction", "'c'"),
            ("statutes", "revision", "0"),
            ("statutes", "content", "'x'"),
            ("statutes", "content_sha256", &short),
        ];
        let one_byte = blob(&conn, 1);
        for (table, column, value) in wrong {
            let (_, row) = rows.iter().find(|(name, _)| *name == table).unwrap();
            let value = if value == "one byte" { one_byte.clone() } else { value.to_owned() };
            // Another row than the good one, so that only the value can be wrong.
            let row: Vec<(&str, String)> = row
                .iter()
                .map(|(name, good)| match (*name, good.as_str()) {
                    (name, _) if name == column => (name, value.clone()),
                    ("size" | "node_index", _) => (*name, "9".to_owned()),
                    (_, "'event_1'" | "'area_1'" | "'area_1/'" | "'z'" | "'statute_1'" | "'mail_1'" | "'user_1'") => (*name, format!("{}2'", &good[..good.len() - 1])),
                    ("actor", _) => (*name, "'b'".to_owned()),
                    ("dedup_key", _) => (*name, "'k2'".to_owned()),
                    _ => (*name, good.clone()),
                })
                .collect();
            let outcome = attempt(&mut conn, &insertion(table, &row));
            assert!(
                matches!(outcome, Err(DieselError::DatabaseError(DatabaseErrorKind::CheckViolation, _))),
                "{table}.{column} = {value}: {outcome:?}"
            );
        }
        let refusals = [
            ("a second root of the same name", "INSERT INTO areas (id, level, name_zh, name_en, path, version, created_at, updated_at) \
              SELECT 'area_2', level, name_zh, name_en, 'area_2/', version, created_at, updated_at FROM areas", DatabaseErrorKind::UniqueViolation),
            ("a parent that is not there", "INSERT INTO areas (id, parent_id, level, name_zh, name_en, path, version, created_at, updated_at) \
              SELECT 'area_2', 'area_9', 'district', 'y', name_en, 'area_2/', version, created_at, updated_at FROM areas", DatabaseErrorKind::ForeignKeyViolation),
            ("a private part without its event", "INSERT INTO audit_private (event_id) VALUES ('event_9')", DatabaseErrorKind::ForeignKeyViolation),
            ("a parent with children deleted", "DELETE FROM audit_events", DatabaseErrorKind::RestrictViolation),
            ("the same mail twice", "INSERT INTO outbox (id, dedup_key, kind, category, address, language, facts, secret, state, attempts, \
              next_at, created_at) SELECT 'mail_2', dedup_key, kind, category, address, language, facts, secret, state, attempts, \
              next_at, created_at FROM outbox", DatabaseErrorKind::UniqueViolation),
            ("a revision that is there", "INSERT INTO statutes (id, jurisdiction, effective_from, revision, built_in, content, content_sha256, event_id, loaded_at) \
              SELECT 'statute_2', jurisdiction, effective_from, revision, built_in, content, content_sha256, event_id, loaded_at FROM statutes", DatabaseErrorKind::UniqueViolation),
            ("no name", "UPDATE areas SET name_zh = NULL", DatabaseErrorKind::NotNullViolation),
        ];
        for (what, statement, kind) in refusals {
            if what == "a private part without its event" && matches!(conn, Conn::Postgres(_)) {
                continue;
            }
            let outcome = attempt(&mut conn, statement);
            let Err(DieselError::DatabaseError(found, _)) = outcome else { panic!("{what}: {outcome:?}") };
            // SQLite has no kind for what a trigger refuses.
            let trigger = matches!(kind, DatabaseErrorKind::RestrictViolation) && matches!(conn, Conn::Sqlite(_));
            assert!(trigger || format!("{found:?}") == format!("{kind:?}"), "{what}: {found:?}");
        }
    }

    /// For everyone, the service's own connections included. What may be done: give an event its place, once, and erase a
    /// private part, once.
    fn the_tables_of_the_log_are_append_only(site) {
        let mut conn = migrated(site);
        for (table, row) in good_rows(&conn) {
            execute(&mut conn, &insertion(table, &row)).unwrap();
        }
        let other = blob(&conn, 32);
        let other = other.replacen("00", "ff", 1);
        let mut refused: Vec<String> = [
            "UPDATE audit_events SET id = 'event_2'",
            "UPDATE audit_events SET kind = 'x'",
            "UPDATE audit_events SET subject = 'x'",
            "UPDATE audit_events SET at = '2027-01-01 00:00:00'",
            "DELETE FROM audit_events",
            "DELETE FROM audit_private",
            "UPDATE audit_nodes SET level = 16",
            "UPDATE audit_nodes SET node_index = 1",
            "DELETE FROM audit_nodes",
            "UPDATE audit_checkpoints SET size = 2",
            "UPDATE audit_checkpoints SET note = 'x'",
            "UPDATE audit_checkpoints SET signed_at = '2027-01-01 00:00:00'",
            "DELETE FROM audit_checkpoints",
            "UPDATE duties SET person = 'user_2'",
            "DELETE FROM duties",
            "UPDATE statutes SET effective_from = '2027-01-01'",
            "UPDATE statutes SET content = '{ }'",
            "UPDATE statutes SET revision = 2",
            "DELETE FROM statutes",
        ]
        .map(str::to_owned)
        .to_vec();
        for column in ["audit_events SET entry", "audit_events SET leaf_hash", "audit_nodes SET hash"] {
            refused.push(format!("UPDATE {column} = {other}"));
        }
        for column in ["root", "frontier"] {
            refused.push(format!("UPDATE audit_checkpoints SET {column} = {other}"));
        }
        let tables = ["audit_events", "audit_private", "audit_nodes", "audit_checkpoints", "duties", "statutes"];
        match &conn {
            Conn::Postgres(_) => refused.extend(tables.map(|table| format!("TRUNCATE {table} CASCADE"))),
            // A row that replaces another deletes it.
            Conn::Sqlite(_) => {
                for (table, row) in good_rows(&conn) {
                    if tables.contains(&table) {
                        refused.push(insertion(table, &row).replacen("INSERT", "REPLACE", 1));
                    }
                }
            }
        }
        let refuse = |conn: &mut Conn, statement: &str| {
            let outcome = attempt(conn, statement);
            let Err(DieselError::DatabaseError(_, why)) = outcome else { panic!("{statement}: {outcome:?}") };
            assert!(why.message().contains("append-only"), "{statement}: {}", why.message());
        };
        for statement in refused {
            refuse(&mut conn, &statement);
        }
        // The content first, later who did it; each is gone then, and the first instant stays.
        let erased = "UPDATE audit_private SET salt = NULL, content = NULL, erased_at = '2026-04-01 00:00:00'";
        assert_eq!(execute(&mut conn, erased).unwrap(), 1);
        for again in ["content = 'c'", "salt = actor_salt", "erased_at = NULL", "erased_at = '2026-05-01 00:00:00'"] {
            refuse(&mut conn, &format!("UPDATE audit_private SET {again}"));
        }
        assert_eq!(execute(&mut conn, "UPDATE audit_private SET actor_salt = NULL, actor_id = NULL").unwrap(), 1);
        refuse(&mut conn, "UPDATE audit_private SET actor_id = 'a'");
        assert_eq!(execute(&mut conn, "UPDATE audit_events SET leaf_index = 0").unwrap(), 1);
        for again in ["1", "NULL"] {
            attempt(&mut conn, &format!("UPDATE audit_events SET leaf_index = {again}")).unwrap_err();
        }
    }

    /// Threads of one process, then processes: all succeed, and every migration is applied once.
    fn several_may_migrate_at_once(site) {
        const MANY: usize = 4;
        let (mut conn, url, versions) = (empty(site), site.database_url(), all_versions(site));
        let line = Barrier::new(MANY);
        let applied: Vec<Vec<String>> = std::thread::scope(|threads| {
            let migrating: Vec<_> = (0..MANY)
                .map(|_| {
                    threads.spawn(|| {
                        line.wait();
                        migrate::up(&url).unwrap()
                    })
                })
                .collect();
            migrating.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(applied.concat(), versions);
        let made = everything(&mut conn);

        migrate::down(&url, versions.len()).unwrap();
        let started: Vec<_> = (0..2)
            .map(|_| {
                let mut command = site.command(&["migrate", "up"]);
                command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        let mut outcomes: Vec<String> = started
            .into_iter()
            .map(|process| {
                let output = process.wait_with_output().unwrap();
                assert!(output.status.success(), "{}", said(&output));
                said(&output).trim().to_owned()
            })
            .collect();
        outcomes.sort();
        assert_eq!(outcomes, [format!("applied {}", versions.join(", ")), "nothing to do".to_owned()]);
        assert_eq!(everything(&mut conn), made);
    }

    fn a_newer_database_refuses_an_older_program(site) {
        let mut conn = migrated(site);
        execute(&mut conn, "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')").unwrap();
        let before = everything(&mut conn);
        let token = ["admin", "token", "--subject", "user_x", "--role", "admin"];
        for arguments in [&["serve"][..], &["migrate", "up"], &["migrate", "down"], &token] {
            let output = site.command(arguments).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", said(&output));
            let why = "this database was migrated by a newer wardbook (it has 9999); run that version or a later one";
            assert!(said(&output).contains(why), "{arguments:?}: {}", said(&output));
        }
        assert_eq!(everything(&mut conn), before);
        assert_eq!(lines(&mut conn, "SELECT origin AS line FROM audit_log"), Vec::<String>::new());

        execute(&mut conn, "DELETE FROM __diesel_schema_migrations WHERE version = '9999'").unwrap();
        let output = site.command(&["migrate"]).output().unwrap();
        assert_eq!((output.status.code(), said(&output).trim()), (Some(0), "nothing to do"));
    }
}
