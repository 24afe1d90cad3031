//! The ledger: transfers through `db.write`, each an act's worth of work (both accounts read and moved, two entries, an event of
//! the log), all of them from one account or spread over many; beside the same rows inserted raw.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use serde_json::{Value, json};
use wardbook::audit::acts;
use wardbook::audit::entry::Event;
use wardbook::audit::note::Signer;
use wardbook::audit::sequencer::Sequencer;
use wardbook::audit::store::{self, LogRow};
use wardbook::budget::posting;
use wardbook::budget::rules::{BudgetLine, BudgetLineId, Fund, FundId, FundKind, State};
use wardbook::budget::rules_ledger::{AccountCode, LedgerAccountId, Order, TransferCode, TransferId};
use wardbook::budget::{store as lines, store_ledger, verify};
use wardbook::db::conn::{Conn, DatabaseUrl};
use wardbook::db::database::{Db, Limits};
use wardbook::db::migrate;
use wardbook::db::writer::{BeforeCommit, Tx, WriterLimits};
use wardbook::kernel::clock::Clock;
use wardbook::kernel::id;
use wardbook::kernel::money::Money;
use wardbook::kernel::party::OrganisationId;
use wardbook::kernel::refusal::{Answer, Stop};
use wardbook::web::actor::Actor;

use crate::Options;
use crate::report::{Line, Report};
use crate::ward::Database;

/// The line that the others are compared with.
pub const RAW: &str = "R raw insert: transfer, two entries, two balances";
/// Lines that money is spread over.
const SPREAD: usize = 200;
/// What each line has at first, in fen: more than any run can spend.
const FEN: i64 = 1_000_000_000_000;

/// All lines of one database.
pub fn measure(options: &Options, database: &Database, report: &mut Report) {
    if let Database::Sqlite = database {
        for clients in &options.clients {
            report.add(raw(*clients, options.window()), None);
        }
    }
    for (what, hot) in [("L transfers, spread", false), ("L transfers, one account", true)] {
        for clients in &options.clients {
            let line = through_writer(what, hot, *clients, options.window(), database);
            report.add(line, Some(RAW));
        }
    }
}

/// Clients that each wait for their transfer before they ask for the next.
fn through_writer(what: &str, hot: bool, clients: usize, window: Duration, database: &Database) -> Line {
    let made = database.make();
    migrate::up(&made.url).expect("the database can be migrated");
    let signer = Signer::new("ward.test/audit", &[7; 32]).expect("a key");
    let sequencer = Sequencer::new(signer);
    let name = LogRow {
        origin: sequencer.verifier().name().to_owned(),
        verifier_key: sequencer.verifier().to_string(),
    };
    let writer = WriterLimits {
        queue_max: 1_024,
        group_max: 256,
        connections: 4,
    };
    let limits = Limits { readers: 1, writer };
    let sequence = move |conn: &mut Conn, now| sequencer.run(conn, now).map(|_| ());
    let is_sqlite = matches!(database, Database::Sqlite);
    let before_commit: BeforeCommit = if is_sqlite {
        Box::new(sequence)
    } else {
        Box::new(|_, _| Ok(()))
    };
    let db = Db::open(&made.url, None, &Clock::system(), limits, before_commit).expect("the database opens");
    db.write_and_wait(move |tx| acts::start_log(tx, &name))
        .expect("a log can be started");
    let accounts = db.write_and_wait(endow).expect("lines can be made");
    let (over, contended) = (AtomicBool::new(false), AtomicUsize::new(0));
    let begun = Instant::now();
    let mut micros: Vec<u32> = std::thread::scope(|threads| {
        let running: Vec<_> = (0..clients)
            .map(|client| {
                let (db, accounts, over, contended) = (&db, &accounts, &over, &contended);
                threads.spawn(move || {
                    let (mut micros, mut round) = (Vec::new(), client);
                    while !over.load(Ordering::Relaxed) {
                        round += 1;
                        let from = if hot { 0 } else { (round * 7_919) % SPREAD };
                        let to = 1 + (round * 104_729 + from) % (SPREAD - 1);
                        let to = if to == from { 0 } else { to };
                        let (from, to) = (accounts[from].clone(), accounts[to].clone());
                        let asked = Instant::now();
                        match db.write_and_wait(move |tx| transfer(tx, &from, &to)) {
                            Ok(()) => {
                                micros.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX))
                            }
                            Err(Stop::Refused(_)) => {
                                contended.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(Stop::Fault(fault)) => panic!("{fault}"),
                        }
                    }
                    micros
                })
            })
            .collect();
        std::thread::sleep(window);
        over.store(true, Ordering::Relaxed);
        running
            .into_iter()
            .flat_map(|thread| thread.join().expect("a client ends"))
            .collect()
    });
    let took = begun.elapsed().as_secs_f64();
    let verdict = db.read_and_wait(verify::verify).expect("the ledger can be read");
    assert!(verdict.holds(), "{verdict}");
    db.drain();
    let per_second = micros.len() as f64 / took;
    micros.sort_unstable();
    Line {
        what: what.to_owned(),
        on: database.name().to_owned(),
        clients,
        per_second,
        cpu_micros: None,
        micros,
        remarks: vec![format!(
            "{} given up for contention; {} entries added up and found right",
            contended.into_inner(),
            verdict.entries
        )],
    }
}

fn transfer(tx: &mut Tx<'_>, from: &LedgerAccountId, to: &LedgerAccountId) -> Answer<()> {
    let order = Order {
        id: TransferId::mint(tx.now()),
        from: from.clone(),
        to: to.clone(),
        amount: Money::from_fen(1).expect("an amount"),
        code: TransferCode::Transfer,
        hold: None,
        matter: "load".to_owned(),
    };
    let transfers = posting::post(tx, vec![order])?;
    let event = Event {
        kind: "ledger.loaded",
        subject: "load".to_owned(),
        data: json!({ "transfers": posting::told(&transfers) }),
        private: Value::Null,
    };
    store::append(tx, &Actor::system(), &event)?;
    Ok(())
}

/// A fund with many lines, each with money in it; the accounts of what is available.
fn endow(tx: &mut Tx<'_>) -> Answer<Vec<LedgerAccountId>> {
    let now = tx.now();
    let organisation_id = OrganisationId::mint(now);
    let organisation = organisation_id.as_str();
    let at = now.naive_utc();
    diesel::connection::SimpleConnection::batch_execute(
        tx.conn(),
        &format!(
            "INSERT INTO organisations (id, kind, name_zh, name_en, state, version, created_at, updated_at) \
             VALUES ('{organisation}', 'department', '局', 'Bureau', 'verified', 1, '{at}', '{at}'); \
             INSERT INTO service_categories (code, name_zh, name_en, state, version, created_at, updated_at) \
             VALUES ('load', '试', 'Load', 'active', 1, '{at}', '{at}')"
        ),
    )?;
    let fund = Fund {
        id: FundId::mint(now),
        code: "LOAD".to_owned(),
        kind: FundKind::SpecialFund,
        organisation_id: organisation_id.clone(),
        name_zh: "试".to_owned(),
        name_en: "Load".to_owned(),
        basis: "试".to_owned(),
        state: State::Open,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    lines::insert_fund(tx, &fund)?;
    let source = posting::of_year(tx, &fund.id, 2026, AccountCode::Source)?;
    let (mut accounts, mut given) = (Vec::with_capacity(SPREAD), Vec::with_capacity(SPREAD));
    for number in 0..SPREAD {
        let line = BudgetLine {
            id: BudgetLineId::mint(now),
            fund_id: fund.id.clone(),
            fiscal_year: 2026,
            code: format!("L{number:03}"),
            organisation_id: organisation_id.clone(),
            category: "load".to_owned(),
            purpose_zh: "试".to_owned(),
            purpose_en: "Load".to_owned(),
            state: State::Open,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        lines::insert_line(tx, &line)?;
        posting::open_line(tx, &line)?;
        let available = store_ledger::account_of_line(tx.conn(), &line.id, AccountCode::Available)?;
        let order = Order {
            id: TransferId::mint(now),
            from: source.id.clone(),
            to: available.id.clone(),
            amount: Money::from_fen(FEN).expect("an amount"),
            code: TransferCode::Allocation,
            hold: None,
            matter: "load".to_owned(),
        };
        given.extend(posting::post(tx, vec![order])?);
        accounts.push(available.id);
    }
    let event = Event {
        kind: "ledger.loaded",
        subject: "load".to_owned(),
        data: json!({}),
        private: json!({ "transfers": posting::told(&given) }),
    };
    store::append(tx, &Actor::system(), &event)?;
    Ok(accounts)
}

const SETUP: &str = "PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768; \
     PRAGMA mmap_size = 268435456; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
const TRANSFER: &str = "INSERT INTO ledger_transfers \
     (id, from_account_id, to_account_id, amount_fen, code, phase, hold_id, matter, made_at) \
     VALUES (?, ?, ?, 1, 'transfer', 'direct', NULL, 'load', ?)";
const ENTRY: &str = "INSERT INTO ledger_entries (account_id, number, transfer_id, amount_fen, balance_fen, made_at) \
     VALUES (?, ?, ?, ?, ?, ?)";
const BALANCE: &str = "UPDATE ledger_accounts SET balance_fen = ?, entries = ? WHERE id = ?";

/// The same rows in groups of `size`, by prepared statements: no rule, nothing read, no event. The group's rows are made before
/// its clock runs.
fn raw(size: usize, window: Duration) -> Line {
    let made = Database::Sqlite.make();
    migrate::up(&made.url).expect("the database can be migrated");
    let DatabaseUrl::Sqlite(path) = &made.url else {
        unreachable!("it is SQLite")
    };
    let conn = Connection::open(path).expect("the database opens");
    conn.execute_batch(SETUP).expect("the database can be set up");
    let accounts = raw_accounts(&conn);
    let mut standing = vec![(FEN, 0_i64); accounts.len()];
    let (mut index, mut busy, mut micros) = (0_usize, Duration::ZERO, Vec::new());
    while busy < window {
        let now = Clock::system().now();
        let at = now.naive_utc().to_string();
        let rows: Vec<(String, usize, usize)> = (0..size)
            .map(|_| {
                index += 1;
                let from = (index * 7_919) % SPREAD;
                (
                    id::mint("transfer", now),
                    from,
                    (from + 1 + index % (SPREAD - 1)) % SPREAD,
                )
            })
            .collect();
        let begun = Instant::now();
        let mut group = || -> rusqlite::Result<()> {
            conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            for (id, from, to) in &rows {
                conn.prepare_cached(TRANSFER)?
                    .execute(params![id, accounts[*from], accounts[*to], at])?;
                for (account, amount) in [(*from, -1_i64), (*to, 1)] {
                    let (balance, entries) = &mut standing[account];
                    *balance += amount;
                    *entries += 1;
                    conn.prepare_cached(BALANCE)?
                        .execute(params![*balance, *entries, accounts[account]])?;
                    conn.prepare_cached(ENTRY)?.execute(params![
                        accounts[account],
                        *entries,
                        id,
                        amount,
                        *balance,
                        at
                    ])?;
                }
            }
            conn.prepare_cached("COMMIT")?.execute([])?;
            Ok(())
        };
        group().expect("rows can be inserted");
        let took = begun.elapsed();
        busy += took;
        micros.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }
    micros.sort_unstable();
    Line {
        what: RAW.to_owned(),
        on: "SQLite".to_owned(),
        clients: size,
        per_second: index as f64 / busy.as_secs_f64(),
        cpu_micros: None,
        micros,
        remarks: vec![format!("in groups of {size}")],
    }
}

/// As many accounts of lines, which nothing but their keys hangs on.
fn raw_accounts(conn: &Connection) -> Vec<String> {
    conn.execute_batch("PRAGMA foreign_keys = OFF")
        .expect("a setting");
    (0..SPREAD)
        .map(|number| {
            let account = id::mint("ledgeraccount", Clock::system().now());
            conn.execute(
                "INSERT INTO ledger_accounts (id, fund_id, fiscal_year, line_id, code, balance_fen, entries, opened_at) \
                 VALUES (?, 'fund', 2026, ?, 'available', ?, 0, '2026-01-01 00:00:00')",
                params![account, format!("line{number}"), FEN],
            )
            .expect("an account can be inserted");
            account
        })
        .collect()
}
