//! The last seconds before a deadline: hundreds of suppliers seal and replace bids of 20 to 100 KB, each an act's worth of work through
//! `db.write` (standing of book and bidder, a signed receipt, an entry that is withheld, version and bytes), until the deadline refuses
//! them. Afterwards what was taken is counted: none may be missing, none late, and every receipt has to verify. Beside it the same rows
//! inserted raw in batches.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono_tz::Asia::Shanghai;
use rusqlite::{Connection, params};
use wardbook::audit::acts as log;
use wardbook::audit::note::{Signer, Verifier};
use wardbook::audit::sequencer::Sequencer;
use wardbook::audit::store::LogRow;
use wardbook::bids::acts::{self, Place, Sealing};
use wardbook::bids::receipts::{self, Notary};
use wardbook::bids::rules::{LATE, Version};
use wardbook::bids::{rules, store};
use wardbook::books::rules::{BookId, LotId};
use wardbook::books::store::Lot;
use wardbook::budget::rules::{BudgetLineId, FundId};
use wardbook::db::conn::{Conn, DatabaseUrl};
use wardbook::db::database::{Db, Limits};
use wardbook::db::migrate;
use wardbook::db::writer::{BeforeCommit, Tx, WriterLimits};
use wardbook::kernel::clock::{Clock, Instant as Moment};
use wardbook::kernel::id;
use wardbook::kernel::party::OrganisationId;
use wardbook::kernel::refusal::{Answer, Stop};
use wardbook::statutes;
use wardbook::web::actor::{Actor, Grant};
use wardbook::web::conditional::Expected;
use wardbook::web::policy::Role;

use crate::Options;
use crate::report::{Line, Report};
use crate::ward::Database;

/// The line that the others are compared with.
pub const RAW: &str = "R raw insert: bid, its bytes, its entry";
/// Suppliers that bid.
const SUPPLIERS: usize = 800;
/// Different bids; more would only fill memory.
const BIDS: usize = 64;
/// Bytes of the smallest and the largest bid.
const BYTES: (usize, usize) = (20_000, 100_000);
/// Versions of one bid after which its supplier rests.
const VERSIONS: i64 = rules::VERSIONS_MAX - 2;
/// Bytes of an entry as they are withheld.
const ENTRY_BYTES: usize = 520;

/// All lines of one database.
pub fn measure(options: &Options, database: &Database, report: &mut Report) {
    let sealed = bids();
    if let Database::Sqlite = database {
        for clients in &options.clients {
            report.add(raw(*clients, options.window(), &sealed), None);
        }
    }
    for clients in &options.clients {
        let line = rush(*clients, options.window(), database, &sealed);
        report.add(line, Some(RAW));
    }
}

/// Bytes that look like nothing, as sealed ones do.
fn bids() -> Vec<Vec<u8>> {
    let (least, most) = BYTES;
    (0..BIDS)
        .map(|number| {
            let length = least + number * (most - least) / (BIDS - 1);
            let mut bytes = Vec::with_capacity(length + 32);
            while bytes.len() < length {
                bytes.extend_from_slice(&id::random::<32>().expect("random bytes"));
            }
            bytes.truncate(length);
            bytes
        })
        .collect()
}

/// A book that takes bids until a deadline, and who bids.
struct Tender {
    lot: Lot,
    suppliers: Vec<OrganisationId>,
}

/// What one client has done.
#[derive(Default)]
struct Done {
    micros: Vec<u32>,
    last: Vec<Option<Version>>,
    taken: usize,
}

fn rush(clients: usize, window: Duration, database: &Database, sealed: &[Vec<u8>]) -> Line {
    let made = database.make();
    migrate::up(&made.url).expect("the database can be migrated");
    let signer = Signer::new("ward.test/audit", &[7; 32]).expect("a key");
    let sequencer = Sequencer::new(signer);
    let key = sequencer.verifier().clone();
    let notary = Notary::new(sequencer.clone());
    let db = opened(&made.url, database, sequencer);
    let deadline = Clock::system().now() + window + Duration::from_millis(500);
    let tender = db
        .write_and_wait(move |tx| tender(tx, deadline))
        .expect("a book can be made");
    let late = AtomicUsize::new(0);
    let begun = Instant::now();
    let done: Vec<Done> = std::thread::scope(|threads| {
        let running: Vec<_> = (0..clients)
            .map(|client| {
                let own: Vec<&OrganisationId> =
                    tender.suppliers.iter().skip(client).step_by(clients).collect();
                let (db, lot, notary, late) = (&db, &tender.lot, &notary, &late);
                threads.spawn(move || until_late(db, (lot, notary), &own, sealed, late))
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("a client ends"))
            .collect()
    });
    let took = begun.elapsed().as_secs_f64();
    let remark = checked(&db, &tender.lot.id, &done, (&key, deadline));
    db.drain();
    let mut micros: Vec<u32> = done.iter().flat_map(|one| one.micros.iter().copied()).collect();
    micros.sort_unstable();
    Line {
        what: "D bids in the last seconds".to_owned(),
        on: database.name().to_owned(),
        clients,
        per_second: micros.len() as f64 / took,
        cpu_micros: None,
        micros,
        remarks: vec![remark, format!("{} refused as late", late.into_inner())],
    }
}

fn opened(url: &DatabaseUrl, database: &Database, sequencer: Sequencer) -> Db {
    let name = LogRow {
        origin: sequencer.verifier().name().to_owned(),
        verifier_key: sequencer.verifier().to_string(),
    };
    let writer = WriterLimits {
        queue_max: 1_024,
        group_max: 256,
        connections: 4,
    };
    let before_commit: BeforeCommit = match database {
        Database::Sqlite => Box::new(move |conn: &mut Conn, now| sequencer.run_all(conn, now)),
        Database::Postgres(_) => Box::new(|_, _| Ok(())),
    };
    let limits = Limits { readers: 1, writer };
    let db = Db::open(url, None, &Clock::system(), limits, before_commit).expect("the database opens");
    db.write_and_wait(move |tx| log::start_log(tx, &name))
        .expect("a log can be started");
    db
}

/// Seals and replaces the bids of some suppliers, one after the other, until one is late.
fn until_late(
    db: &Db,
    (lot, notary): (&Lot, &Notary),
    suppliers: &[&OrganisationId],
    sealed: &[Vec<u8>],
    late: &AtomicUsize,
) -> Done {
    let mut done = Done {
        last: vec![None; suppliers.len()],
        ..Done::default()
    };
    // The writer runs jobs on a thread of its own and keeps them as long as it likes, so each gets a signer of its own.
    let notary = std::sync::Arc::new(notary.clone());
    for turn in 0.. {
        let which = turn % suppliers.len();
        let last = done.last[which].clone();
        if last.as_ref().is_some_and(|last| last.number >= VERSIONS) {
            return done;
        }
        let sealing = Sealing {
            lot: lot.clone(),
            supplier: suppliers[which].clone(),
            book_version: 1,
            replacing: last.as_ref().map(|last| Expected::Version(last.number)),
            last,
            ciphertext: sealed[turn % sealed.len()].clone(),
        };
        let grant = Grant::of(Role::SupplierAgent).in_organisation(sealing.supplier.clone());
        let actor = Actor::in_session("user_load".to_owned(), "session_load".to_owned(), vec![grant]);
        let notary = notary.clone();
        let asked = Instant::now();
        let taken = db.write_and_wait(move |tx| {
            let place = Place {
                zone: Shanghai,
                notary: &notary,
            };
            acts::seal(tx, &actor, &sealing, place)
        });
        match taken {
            Ok(version) => {
                let micros = asked.elapsed().as_micros();
                done.micros.push(u32::try_from(micros).unwrap_or(u32::MAX));
                done.last[which] = Some(version);
                done.taken += 1;
            }
            Err(Stop::Refused(refusal)) if refusal.reason.code == LATE.code => {
                late.fetch_add(1, Ordering::Relaxed);
                return done;
            }
            // Given up for contention: the client asks again, as it is told to.
            Err(Stop::Refused(_)) => {}
            Err(Stop::Fault(fault)) => panic!("{fault}"),
        }
    }
    done
}

/// Counts what is there and verifies every receipt.
fn checked(db: &Db, lot: &LotId, done: &[Done], (key, deadline): (&Verifier, Moment)) -> String {
    let lot = lot.clone();
    let stored = db
        .read_and_wait(move |conn| store::versions_for(conn, &lot))
        .expect("the bids can be read");
    let taken: usize = done.iter().map(|one| one.taken).sum();
    let late = stored
        .iter()
        .filter(|version| version.received_at >= deadline)
        .count();
    let unproved = stored
        .iter()
        .filter(|version| receipts::verify(version.receipt.as_bytes(), key, None).is_err())
        .count();
    let changed = stored
        .iter()
        .filter(|version| {
            let bytes = db.read_and_wait(|conn| store::ciphertext(conn, version));
            !matches!(bytes, Ok(Some(_)))
        })
        .count();
    if taken == stored.len() && late + unproved + changed == 0 {
        format!("all {taken} there, none late, every receipt verifies")
    } else {
        format!(
            "ERROR: {taken} acknowledged, {} there; {late} late, {unproved} receipts do not verify, {changed} not what was sealed",
            stored.len()
        )
    }
}

/// A published book of one lot, whose bids are due at an instant, and suppliers.
fn tender(tx: &mut Tx<'_>, deadline: Moment) -> Answer<Tender> {
    statutes::acts::load_built_in(tx, &Actor::system(), "test")?;
    let now = tx.now();
    let (buyer, line) = (OrganisationId::mint(now), BudgetLineId::mint(now));
    let (fund, book, lot) = (FundId::mint(now), BookId::mint(now), LotId::mint(now));
    let (at, due) = (now.naive_utc(), deadline.naive_utc());
    let organisation = |id: &OrganisationId, kind: &str| {
        format!(
            "INSERT INTO organisations (id, kind, name_zh, name_en, state, version, created_at, updated_at) \
             VALUES ('{id}', '{kind}', '局', 'Bureau', 'verified', 1, '{at}', '{at}');"
        )
    };
    let suppliers: Vec<OrganisationId> = (0..SUPPLIERS).map(|_| OrganisationId::mint(now)).collect();
    let mut statements = vec![organisation(&buyer, "department")];
    statements.extend(suppliers.iter().map(|id| organisation(id, "company")));
    let hash = match tx.conn() {
        Conn::Sqlite(_) => "zeroblob(32)",
        Conn::Postgres(_) => "decode(repeat('00', 32), 'hex')",
    };
    statements.push(format!(
        "INSERT INTO service_categories (code, name_zh, name_en, state, version, created_at, updated_at) \
         VALUES ('load', '试', 'Load', 'active', 1, '{at}', '{at}'); \
         INSERT INTO funds (id, code, kind, organisation_id, name_zh, name_en, basis, state, version, created_at, updated_at) \
         VALUES ('{fund}', 'LOAD', 'special_fund', '{buyer}', '试', 'Load', '试', 'open', 1, '{at}', '{at}'); \
         INSERT INTO budget_lines (id, fund_id, fiscal_year, code, organisation_id, category, purpose_zh, purpose_en, state, version, \
         created_at, updated_at) VALUES ('{line}', '{fund}', 2026, 'L1', '{buyer}', 'load', '试', 'Load', 'open', 1, '{at}', '{at}'); \
         INSERT INTO books (id, organisation_id, state, category, title_zh, title_en, bid_deadline, content, content_sha256, revision, \
         created_at, updated_at, published_at, statute_id, recipient, versions) \
         SELECT '{book}', '{buyer}', 'published', 'load', '试', 'Load', '{due}', '{{}}', {hash}, 1, '{at}', '{at}', '{at}', min(id), \
         'age1loadloadload', 1 FROM statutes; \
         INSERT INTO lots (id, book_id, code, budget_line_id) VALUES ('{lot}', '{book}', '1', '{line}');"
    ));
    diesel::connection::SimpleConnection::batch_execute(tx.conn(), &statements.concat())?;
    let found = wardbook::books::store::lot(tx.conn(), &lot)?;
    Ok(Tender {
        lot: found.expect("the lot is there"),
        suppliers,
    })
}

const SETUP: &str = "PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768; \
     PRAGMA mmap_size = 268435456; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;";
const VERSION: &str = "INSERT INTO bid_versions (lot_id, supplier_id, number, bid_id, kind, sealed_number, sha256, bytes, book_version, \
     received_at, receipt, event_id) VALUES ('lot', ?, 1, ?, 'sealed', 1, ?, ?, 1, ?, ?, ?)";
const BYTES_OF: &str =
    "INSERT INTO bid_ciphertexts (lot_id, supplier_id, number, ciphertext) VALUES ('lot', ?, 1, ?)";
const ENTRY: &str = "INSERT INTO audit_withheld (event_id, matter_id, entry, leaf_hash, kind, subject, at, actor_salt, actor_id, salt, content) \
     VALUES (?, 'lot', ?, ?, 'bid.sealed', ?, ?, ?, 'user_load', ?, 'null')";

/// The same rows in groups of `size`, by prepared statements: no rule, nothing hashed, nothing signed, nothing read.
fn raw(size: usize, window: Duration, sealed: &[Vec<u8>]) -> Line {
    let made = Database::Sqlite.make();
    migrate::up(&made.url).expect("the database can be migrated");
    let DatabaseUrl::Sqlite(path) = &made.url else {
        unreachable!("it is SQLite")
    };
    let conn = Connection::open(path).expect("the database opens");
    conn.execute_batch(SETUP).expect("the database can be set up");
    let (receipt, entry, hash) = ("r".repeat(330), vec![b'e'; ENTRY_BYTES], [7_u8; 32]);
    let (mut index, mut busy, mut micros) = (0_usize, Duration::ZERO, Vec::new());
    while busy < window {
        let now = Clock::system().now();
        let at = now.naive_utc().to_string();
        let rows: Vec<[String; 3]> = (0..size)
            .map(|_| [id::mint("org", now), id::mint("bid", now), id::mint("event", now)])
            .collect();
        let begun = Instant::now();
        let group = || -> rusqlite::Result<()> {
            conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            for (place, [supplier, bid, event]) in rows.iter().enumerate() {
                let bytes = &sealed[(index + place) % sealed.len()];
                let length = i64::try_from(bytes.len()).expect("a length");
                conn.prepare_cached(ENTRY)?
                    .execute(params![event, entry, hash, bid, at, hash, hash])?;
                conn.prepare_cached(VERSION)?
                    .execute(params![supplier, bid, hash, length, at, receipt, event])?;
                conn.prepare_cached(BYTES_OF)?.execute(params![supplier, bytes])?;
            }
            conn.prepare_cached("COMMIT")?.execute([])?;
            Ok(())
        };
        group().expect("rows can be inserted");
        let took = begun.elapsed();
        busy += took;
        index += size;
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
