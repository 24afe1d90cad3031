//! Spending over many payments: fills the facts, makes the totals, and asks every question of one dimension on SQLite and on PostgreSQL; and, where a Python with DuckDB is
//! named, of DuckDB over the same rows. What a payment costs with the totals and without them is measured at the end.
//!
//! `cargo bench --bench spending -- --rows 10000000 --duckdb /path/to/python`; with `--pause` it waits for a line on standard input between filling and measuring; PostgreSQL is measured if `WARDBOOK_TEST_POSTGRES_URL` names a server on which databases can be made.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    reason = "a tool that measures stops when something is wrong, and tells what it found"
)]

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant as Stopwatch};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use wardbook::budget::rules_spending::Measures;
use wardbook::budget::store_spending::{Happened, add, add_fact, subject};
use wardbook::budget::store_spending_verification::rebuild_totals;
use wardbook::db::conn::{Access, Conn, DatabaseUrl, connect};
use wardbook::db::database::{Db, Limits};
use wardbook::db::migrate;
use wardbook::db::writer::WriterLimits;
use wardbook::kernel::clock::Clock;
use wardbook::kernel::id;
use wardbook::oversight::desk_spending::{Asked, answer};
use wardbook::oversight::rules_spending::{Dimension, Filters, Grouping, Sort};

/// Payments of one contract.
const OF_CONTRACT: u64 = 12;
/// Payments whose cost is measured.
const WRITTEN: usize = 2_000;
/// How often each question is asked; the median is told.
const TIMES: usize = 7;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let given = |name: &str| {
        let at = arguments.iter().position(|one| one == name)?;
        arguments.get(at + 1).cloned()
    };
    let rows: u64 = given("--rows").map_or(10_000_000, |rows| rows.parse().expect("--rows is a number"));
    let only = given("--database");
    println!("{rows} payments of {} contracts", rows / OF_CONTRACT);
    let dir = tempfile::TempDir::new_in("/var/tmp").expect("a directory can be made");
    let mut databases = Vec::new();
    if only.as_deref() != Some("postgres") {
        databases.push(("SQLite", DatabaseUrl::Sqlite(dir.path().join("wardbook.db"))));
    }
    let mut made = None;
    if let Ok(server) = std::env::var("WARDBOOK_TEST_POSTGRES_URL")
        && only.as_deref() != Some("sqlite")
    {
        let name = id::mint("spending", Clock::system().now());
        on(&server, &format!("CREATE DATABASE {name}"));
        let base = server
            .rsplit_once('/')
            .map(|(base, _)| base.to_owned())
            .expect("the server's URL names a database");
        databases.push(("PostgreSQL", DatabaseUrl::Postgres(format!("{base}/{name}"))));
        made = Some((server, name));
    }
    let opened: Vec<(&str, DatabaseUrl, Db)> = databases
        .into_iter()
        .map(|(name, url)| {
            let db = prepare(name, &url, rows);
            (name, url, db)
        })
        .collect();
    if arguments.iter().any(|one| one == "--pause") {
        println!("filled; a line on standard input begins the measuring");
        let mut line = String::new();
        std::io::stdin()
            .read_line(&mut line)
            .expect("standard input can be read");
    }
    let duck = given("--duckdb").map(|python| ducks(&python, rows));
    for (name, url, db) in opened {
        measure(name, &url, &db, duck.as_deref());
        db.drain();
    }
    if let Some((server, name)) = made {
        on(&server, &format!("DROP DATABASE {name} WITH (FORCE)"));
    }
}

fn on(server: &str, sql: &str) {
    let mut conn = PgConnection::establish(server).expect("the PostgreSQL server answers");
    conn.batch_execute(sql)
        .expect("databases can be made and dropped");
}

/// What the n-th contract is counted under, in SQL: the same on all three.
fn subject_columns(rows: u64) -> [(&'static str, String); 11] {
    let contracts = (rows / OF_CONTRACT).max(1);
    let of = |parts: u64| (contracts / parts).clamp(1, 50_000);
    let (lines, suppliers) = (of(80), of(16));
    [
        ("fund_id", format!("'fund_' || (n % {lines} % 20)")),
        ("fiscal_year", format!("2017 + n % {lines} % 10")),
        ("line_id", format!("'budgetline_' || (n % {lines})")),
        ("buyer_id", format!("'org_b' || (n % {lines} % 200)")),
        ("category", format!("'category_' || (n % {lines} % 8)")),
        ("lot_id", "'lot_' || n".to_owned()),
        ("contract_id", "'contract_' || n".to_owned()),
        ("area_id", "'area_' || (n % 500)".to_owned()),
        ("method", "'method_' || (n % 4)".to_owned()),
        ("supplier_id", format!("'org_s' || (n % {suppliers})")),
        ("supplier_kind", format!("'kind_' || (n % {suppliers} % 3)")),
    ]
}

/// The amount of the m-th payment of the n-th contract, in fen, and its month.
const PAID: &str = "(100000 + (n * 7919 + m * 104729) % 20000000)";
const MONTH: &str = "(2017 + n % 10) * 100 + m + 1";

fn fill(url: &DatabaseUrl, rows: u64) {
    let mut conn = connect(url, Access::Write).expect("the database opens");
    let contracts = rows / OF_CONTRACT;
    let columns = subject_columns(rows);
    let names = columns.each_ref().map(|(name, _)| *name).join(", ");
    let values = columns.each_ref().map(|(_, value)| value.as_str()).join(", ");
    let (before, numbers, day, id) = match &conn {
        Conn::Sqlite(_) => (
            "PRAGMA foreign_keys = OFF",
            format!(
                "(WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < {contracts} - 1) SELECT n FROM n)"
            ),
            "printf('%04d-%02d-15', 2017 + n % 10, m + 1)",
            "printf('transfer_%08d_%02d', n, m)",
        ),
        Conn::Postgres(_) => (
            "SET session_replication_role = replica; SET statement_timeout = 0",
            format!("(SELECT n FROM generate_series(0::bigint, {contracts}::bigint - 1) AS n)"),
            "make_date((2017 + n % 10)::int, m + 1, 15)",
            "'transfer_' || lpad(n::text, 8, '0') || '_' || lpad(m::text, 2, '0')",
        ),
    };
    let months = (0..OF_CONTRACT)
        .map(|m| format!("SELECT {m} AS m"))
        .collect::<Vec<_>>()
        .join(" UNION ALL ");
    let filled = format!(
        "{before}; INSERT INTO spending_subjects (id, shard, {names}, unit_zh, unit_en, quantity_millionths) \
         SELECT n, n % 16, {values}, NULL, NULL, NULL FROM {numbers} k; \
         INSERT INTO spending_facts SELECT {id}, n, {day}, {MONTH}, {PAID}, 0, 0, 0, -{PAID}, 0, {PAID}, 0, 0, 1, 0, 0 \
         FROM {numbers} k CROSS JOIN ({months}) p"
    );
    let started = Stopwatch::now();
    conn.batch_execute(&filled).expect("facts can be added");
    conn.batch_execute("ANALYZE")
        .expect("the database can look at itself");
    println!("  filled in {:.1} s", started.elapsed().as_secs_f64());
}

fn asked(dimension: Dimension, is_scan: bool) -> Asked {
    let far = chrono::NaiveDate::from_ymd_opt(1990, 1, 1);
    Asked {
        grouping: Grouping(vec![dimension]),
        filters: Filters {
            from: far.filter(|_| is_scan),
            ..Filters::default()
        },
        sort: Sort {
            by: None,
            is_descending: false,
        },
        page: Some((200, None)),
    }
}

/// The median time of a question, and how many groups the page has.
fn time(conn: &mut Conn, asked: &Asked, times: usize) -> Option<(Duration, usize)> {
    let mut taken = Vec::with_capacity(times);
    let mut groups = 0;
    for _ in 0..times {
        let started = Stopwatch::now();
        groups = answer(conn, asked).ok()?.groups.len();
        taken.push(started.elapsed());
    }
    taken.sort();
    Some((taken[taken.len() / 2], groups))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime can be made")
}

/// Fills a database and makes its totals.
fn prepare(name: &str, url: &DatabaseUrl, rows: u64) -> Db {
    println!("{name}");
    migrate::up(url).expect("the database can be migrated");
    fill(url, rows);
    let writer = WriterLimits {
        queue_max: 8,
        group_max: 1,
        connections: 1,
    };
    let limits = Limits { readers: 1, writer };
    let db =
        Db::open(url, None, &Clock::system(), limits, Box::new(|_, _| Ok(()))).expect("the database opens");
    let started = Stopwatch::now();
    runtime()
        .block_on(db.upkeep(rebuild_totals))
        .expect("totals can be made anew");
    println!("  totals made anew in {:.1} s", started.elapsed().as_secs_f64());
    let mut conn = connect(url, Access::Write).expect("the database opens");
    conn.batch_execute("ANALYZE")
        .expect("the database can look at itself");
    db
}

fn measure(name: &str, url: &DatabaseUrl, db: &Db, duck: Option<&[(String, f64)]>) {
    println!("{name}");
    let runtime = runtime();
    let mut conn = connect(url, Access::Read).expect("the database can be read");
    println!(
        "  {:<14} {:>8} {:>10} {:>10} {:>8}",
        "by", "groups", "totals ms", "scan ms", "to DuckDB"
    );
    for dimension in Dimension::ALL {
        let (kept, groups) = time(&mut conn, &asked(dimension, false), TIMES).expect("totals answer");
        let scanned = time(&mut conn, &asked(dimension, true), 1).map(|(taken, _)| taken);
        let duck = duck.and_then(|all| all.iter().find(|(known, _)| known == dimension.name()));
        println!(
            "  {:<14} {:>8} {:>10.2} {:>10} {:>8}",
            dimension.name(),
            groups,
            kept.as_secs_f64() * 1_000.0,
            scanned.map_or_else(
                || "too many".to_owned(),
                |taken| format!("{:.0}", taken.as_secs_f64() * 1_000.0)
            ),
            duck.map_or_else(String::new, |(_, ms)| format!(
                "{:.2}",
                kept.as_secs_f64() * 1_000.0 / ms
            )),
        );
    }
    for with_totals in [false, true] {
        let started = Stopwatch::now();
        let done = runtime.block_on(db.upkeep(move |tx| {
            let known = subject(tx.conn(), 1)?.expect("there is a first contract");
            let more = Measures {
                committed: -100,
                paid: 100,
                payments: 1,
                ..Measures::default()
            };
            for number in 0..WRITTEN {
                let source = format!("transfer_more_{with_totals}_{number}");
                let happened = Happened {
                    source: &source,
                    amount_fen: 100,
                    day: tx.today(),
                };
                if with_totals {
                    add(tx, happened, &known, &more)?;
                } else {
                    add_fact(tx, happened, known.id, &more)?;
                }
            }
            Ok(())
        }));
        done.expect("facts can be added");
        let each = started.elapsed().as_secs_f64() * 1_000_000.0 / 2_000.0;
        println!(
            "  a fact {} the totals: {each:.0} µs, {WRITTEN} in one transaction",
            if with_totals { "with" } else { "without" }
        );
    }
}

/// What DuckDB takes for the same groupings of the same rows, in milliseconds, by a Python that has it.
fn ducks(python: &str, rows: u64) -> Vec<(String, f64)> {
    let contracts = rows / OF_CONTRACT;
    let columns = subject_columns(rows);
    let values: Vec<String> = columns
        .iter()
        .map(|(name, value)| format!("{value} AS {name}"))
        .collect();
    let asked: Vec<String> = Dimension::ALL
        .iter()
        .map(|one| format!("'{}'", one.name()))
        .collect();
    let script = format!(
        r#"
import duckdb, time
c = duckdb.connect()
c.execute("""CREATE TABLE t AS SELECT {}, ({MONTH}) AS month, {PAID} AS paid
    FROM (SELECT range AS n FROM range({contracts})) a, (SELECT range AS m FROM range({OF_CONTRACT})) b""")
columns = {{'month': 'month', 'quarter': 'month // 100 * 10 + (month % 100 + 2) // 3', 'fund': 'fund_id', 'budget_line': 'line_id', 'buyer': 'buyer_id', 'area': 'area_id',
    'supplier': 'supplier_id', 'contract': 'contract_id'}}
for name in [{}]:
    by = columns.get(name, name)
    query = f'SELECT {{by}}, SUM(paid), -SUM(paid), COUNT(*) FROM t GROUP BY 1 ORDER BY 1 LIMIT 201'
    taken = []
    for _ in range(5):
        begun = time.perf_counter()
        c.execute(query).fetchall()
        taken.append(time.perf_counter() - begun)
    print(name, sorted(taken)[2] * 1000)
"#,
        values.join(", "),
        asked.join(", ")
    );
    let mut child = Command::new(python)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the Python that was named starts");
    child
        .stdin
        .take()
        .expect("it reads")
        .write_all(script.as_bytes())
        .expect("it takes the script");
    let told = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&told.stdout);
    let line = |line: &str| {
        let (name, ms) = line.split_once(' ')?;
        Some((name.to_owned(), ms.parse().ok()?))
    };
    let found: Vec<(String, f64)> = told.lines().filter_map(line).collect();
    println!(
        "DuckDB answers {} of {} questions",
        found.len(),
        Dimension::ALL.len()
    );
    found
}
