//! The evening on which residents rate: each votes by the code of a letter through HTTP, every vote is sent by two connections at once, and every tenth once more
//! after it was acknowledged. In the middle the server is killed and started again; what was not answered is sent again. Afterwards the votes are counted, and
//! the box must hold exactly the slips of the receipts. Beside it the same rows inserted raw in batches into the same kind of database.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::deserialize::QueryableByName;
use diesel::sql_types::BigInt;
use diesel::{Connection as _, PgConnection, RunQueryDsl, SqliteConnection};
use futures_util::future::join_all;
use rusqlite::{Connection as Raw, params};
use serde_json::Value;
use sha2::{Digest, Sha256};
use wardbook::app::server::House;
use wardbook::app::settings::ClockKind;
use wardbook::ballots::rules::BallotId;
use wardbook::ballots::{acts_counting, store_papers};
use wardbook::db::conn::DatabaseUrl;
use wardbook::db::migrate;
use wardbook::kernel::clock::Clock;
use wardbook::kernel::id;

use crate::Options;
use crate::client::{Connection, Request, runtime};
use crate::report::{Line, Report};
use crate::stage::{Staged, polling, staged};
use crate::ward::{Database, Made, Served};

/// The line that the others are compared with, of each database its own.
const RAW: &str = "R raw insert: paper, voter, event, private part";
/// Every so many votes are sent once more after they were acknowledged.
const AGAIN: usize = 10;
/// The places of the usual scale.
const CHOICES: [&str; 5] = [
    "very_satisfied",
    "satisfied",
    "fair",
    "dissatisfied",
    "very_dissatisfied",
];
/// Bytes of an entry about a vote, roughly.
const ENTRY_BYTES: usize = 330;
/// Bytes of a sealed paper with one question.
const PAPER_BYTES: usize = 73;

/// All lines of one database.
pub fn measure(options: &Options, database: &Database, report: &mut Report) {
    let beside = format!("{RAW}, {}", database.name());
    for clients in options.clients.iter().filter(|clients| **clients >= 2) {
        let clients = *clients - *clients % 2;
        let line = raw(clients, options.window(), database);
        report.add(
            Line {
                what: beside.clone(),
                ..line
            },
            None,
        );
        report.add(evening(options, clients, database), Some(&beside));
    }
}

/// What all clients know together.
struct Evening<'e> {
    address: SocketAddr,
    codes: &'e [String],
    pairs: usize,
    /// The hash on the receipt of each voter who has one.
    receipts: Mutex<Vec<Option<String>>>,
    /// How many have one.
    voted: AtomicUsize,
    /// Answers that cannot be right.
    wrong: Mutex<Vec<String>>,
}

fn evening(options: &Options, clients: usize, database: &Database) -> Line {
    let made = database.make();
    let house = House::open(made.settings(), Clock::system().now()).expect("a ward can be made");
    let staged = staged(&house, options.residents);
    house.close();
    let mut served = Served::start(&mut made.serve(options.workers()));
    let mut evening = Evening {
        address: served.address,
        codes: &staged.codes,
        pairs: clients / 2,
        receipts: Mutex::new(vec![None; staged.codes.len()]),
        voted: AtomicUsize::new(0),
        wrong: Mutex::default(),
    };
    let begins: Vec<usize> = (0..clients).map(|client| client / 2).collect();
    let half = staged.codes.len() / 2;
    let (mut micros, mut busy, cpu) = (Vec::new(), Duration::ZERO, served.cpu());
    // Until half of them have voted, and the power fails.
    let begun = Instant::now();
    let (stopped, mut used) = std::thread::scope(|threads| {
        let load = threads.spawn(|| runtime().block_on(all(&evening, &begins)));
        while evening.voted.load(Ordering::SeqCst) < half {
            assert!(
                !load.is_finished(),
                "nobody votes any more: {:?}",
                evening.wrong.lock()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        let used = served.cpu() - cpu;
        served.kill();
        (load.join().expect("the clients run"), used)
    });
    busy += begun.elapsed();
    micros.extend(stopped.micros);
    let before = evening.voted.load(Ordering::SeqCst);
    let restarted = Instant::now();
    let served = Served::start(&mut made.serve(options.workers()));
    let restart = restarted.elapsed();
    evening.address = served.address;
    let begun = Instant::now();
    let rest = runtime().block_on(all(&evening, &stopped.at));
    busy += begun.elapsed();
    micros.extend(rest.micros);
    used += served.cpu();
    drop(served);
    let voted = evening.voted.load(Ordering::SeqCst);
    let receipts = evening.receipts.into_inner().expect("no client has panicked");
    let mut remarks = vec![
        format!("{} residents", options.residents),
        format!(
            "killed after {before} votes, answering again {:.2} s later",
            restart.as_secs_f64()
        ),
        checked(&made, &staged, receipts),
    ];
    let wrong = evening.wrong.into_inner().expect("no client has panicked");
    if let Some(first) = wrong.first() {
        remarks.push(format!("ERRORS: {} × {first}", wrong.len()));
    }
    micros.sort_unstable();
    Line {
        what: "V votes on a rating evening".to_owned(),
        on: database.name().to_owned(),
        clients,
        per_second: voted as f64 / busy.as_secs_f64(),
        cpu_micros: Some(used * 1e6 / voted.max(1) as f64),
        micros,
        remarks,
    }
}

/// Where each client has stopped, and how long what was answered took.
#[derive(Default)]
struct Stopped {
    at: Vec<usize>,
    micros: Vec<u32>,
}

async fn all(evening: &Evening<'_>, begins: &[usize]) -> Stopped {
    let mut stopped = Stopped::default();
    let clients = begins
        .iter()
        .enumerate()
        .map(|(client, begin)| one(evening, client, *begin));
    for (at, micros) in join_all(clients).await {
        stopped.at.push(at);
        stopped.micros.extend(micros);
    }
    stopped
}

/// One client, until there is nobody left or the server is gone; where it has stopped.
async fn one(evening: &Evening<'_>, client: usize, begin: usize) -> (usize, Vec<u32>) {
    let (mut at, mut micros) = (begin, Vec::new());
    let Ok(mut connection) = Connection::open(evening.address).await else {
        return (at, micros);
    };
    while let Some(code) = evening.codes.get(at) {
        let choice = CHOICES[at % CHOICES.len()];
        let body = format!(
            r#"{{"code":"{code}","nonce":"{code}","answers":[{{"question":"overall","choice":"{choice}"}}]}}"#
        );
        let request = Request::post_by_nobody("/api/v1/ballot-votes", &body);
        // One of each pair asks again now and then, as a phone does that has lost the answer.
        let times = if at.is_multiple_of(AGAIN) && client.is_multiple_of(2) {
            2
        } else {
            1
        };
        let mut answered = 0;
        while answered < times {
            let asked = Instant::now();
            match connection.ask(request.bytes()).await {
                Ok((200, body)) => {
                    micros.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
                    evening.note(at, body);
                    answered += 1;
                }
                // Given up for contention: the client asks again, as it is told to.
                Ok((503, _)) => {}
                Ok((status, body)) => {
                    let said = String::from_utf8_lossy(body).into_owned();
                    evening
                        .wrong
                        .lock()
                        .expect("no client has panicked")
                        .push(format!("{status}: {said}"));
                    answered += 1;
                }
                Err(_) => return (at, micros),
            }
        }
        at += evening.pairs;
    }
    (at, micros)
}

impl Evening<'_> {
    /// Keeps the receipt of a voter; every answer to the same vote has the same one.
    fn note(&self, voter: usize, body: &[u8]) {
        let answer: Value = serde_json::from_slice(body).unwrap_or_default();
        let hash = answer["slips"][0]["sha256"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let mut receipts = self.receipts.lock().expect("no client has panicked");
        match &mut receipts[voter] {
            Some(known) if *known == hash => {}
            Some(known) => {
                let said = format!("two receipts for one vote: {known} and {hash}");
                self.wrong.lock().expect("no client has panicked").push(said);
            }
            place => {
                *place = Some(hash);
                self.voted.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

/// Counts the votes, and compares box and log with the receipts.
fn checked(made: &Made, staged: &Staged, receipts: Vec<Option<String>>) -> String {
    let mut settings = made.settings();
    settings.clock = ClockKind::Simulated;
    // Opening it rebuilds the log, and finds whether it is what was signed.
    let house = House::open(settings, staged.closes_at).expect("the ward opens again");
    if house.context.db.halted().is_some() {
        return "ERROR: the log does not hold".to_owned();
    }
    let polling = polling(&house);
    let ballot = staged.ballot.clone();
    let begun = Instant::now();
    let counted = house
        .context
        .db
        .write_and_wait(move |tx| acts_counting::count(tx, &polling, &ballot))
        .expect("the votes can be counted");
    let took = begun.elapsed().as_secs_f64();
    let ballot = staged.ballot.clone();
    let slips = house
        .context
        .db
        .read_primary_and_wait(move |conn| store_papers::slips(conn, &ballot));
    let slips = slips.expect("the box can be read");
    house.close();
    let mut boxed: Vec<String> = slips.iter().map(|slip| hex::encode(slip.hash)).collect();
    let mut given: Vec<String> = receipts.into_iter().flatten().collect();
    boxed.sort_unstable();
    given.sort_unstable();
    let casts = first_casts(&made.url, &staged.ballot);
    let count = i64::try_from(given.len()).unwrap_or(i64::MAX);
    if boxed == given && counted.participations == count && casts == count {
        format!(
            "all {count} acknowledged votes are in the box and nothing else, each is in the log once, and the log holds; counted in {took:.2} s"
        )
    } else {
        format!(
            "ERROR: {count} acknowledged, {} in the box, {} have voted, {casts} first casts in the log",
            boxed.len(),
            counted.participations
        )
    }
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// How many votes the log has that replace none.
fn first_casts(url: &DatabaseUrl, ballot: &BallotId) -> i64 {
    let as_text = match url {
        DatabaseUrl::Sqlite(_) => "CAST(entry AS TEXT)",
        DatabaseUrl::Postgres(_) => "convert_from(entry, 'UTF8')",
    };
    let query = diesel::sql_query(format!(
        "SELECT count(*) AS number FROM audit_events WHERE kind = 'ballot.cast' AND subject = '{ballot}' AND {as_text} LIKE '%\"replaces\":false%'"
    ));
    let found: Number = match url {
        DatabaseUrl::Sqlite(path) => {
            let path = path.to_str().expect("a path that is text");
            query.get_result(&mut SqliteConnection::establish(path).expect("the database opens"))
        }
        DatabaseUrl::Postgres(url) => {
            query.get_result(&mut PgConnection::establish(url).expect("the database opens"))
        }
    }
    .expect("the log can be counted");
    found.number
}

const SETUP: &str = "PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768; \
     PRAGMA mmap_size = 268435456; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;";
/// What stands in the way of rows alone: that a paper comes under a key, and that rows belong to others.
const FREE: &str = "DROP TRIGGER ballot_papers_in_time";

/// The same rows in groups of `size`: no rule, nothing hashed, sealed or signed, nothing read.
fn raw(size: usize, window: Duration, database: &Database) -> Line {
    let made = database.make();
    migrate::up(&made.url).expect("the database can be migrated");
    let mut rows = Rows::open(&made.url);
    let (mut index, mut busy, mut micros) = (0_usize, Duration::ZERO, Vec::new());
    while busy < window {
        rows.prepare(index, size);
        let begun = Instant::now();
        rows.insert(index, size);
        let took = begun.elapsed();
        busy += took;
        index += size;
        micros.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }
    micros.sort_unstable();
    Line {
        what: RAW.to_owned(),
        on: database.name().to_owned(),
        clients: size,
        per_second: index as f64 / busy.as_secs_f64(),
        cpu_micros: None,
        micros,
        remarks: vec![format!("in groups of {size}")],
    }
}

/// Where raw rows go: by prepared statements, or by one message for all of a group, whichever is fastest there.
enum Rows {
    Sqlite(Raw),
    Postgres(PgConnection, String),
}

impl Rows {
    fn open(url: &DatabaseUrl) -> Self {
        match url {
            DatabaseUrl::Sqlite(path) => {
                let conn = Raw::open(path).expect("the database opens");
                conn.execute_batch(SETUP).expect("the database can be set up");
                conn.execute_batch(FREE).expect("the database can be set up");
                Self::Sqlite(conn)
            }
            DatabaseUrl::Postgres(url) => {
                let mut conn = PgConnection::establish(url).expect("the database opens");
                let free = format!(
                    "{FREE} ON ballot_papers; ALTER TABLE ballot_voters DISABLE TRIGGER ALL; ALTER TABLE ballot_papers DISABLE TRIGGER ALL;"
                );
                conn.batch_execute(&free).expect("the database can be set up");
                Self::Postgres(conn, String::new())
            }
        }
    }

    /// The voters, and what takes time but is no insertion.
    fn prepare(&mut self, index: usize, size: usize) {
        match self {
            Self::Sqlite(conn) => {
                for number in index..index + size {
                    let number = i64::try_from(number + 1).expect("a number");
                    conn.prepare_cached(VOTER)
                        .and_then(|mut voter| {
                            voter.execute(params![
                                number % 100_000 + 1,
                                format!("ballot{}", number / 100_000),
                                number.to_string()
                            ])
                        })
                        .expect("a voter can be inserted");
                }
            }
            Self::Postgres(conn, statement) => {
                let voters: Vec<String> = (index..index + size)
                    .map(|number| {
                        let (ballot, place) = ((number + 1) / 100_000, (number + 1) % 100_000 + 1);
                        format!("('ballot{ballot}', {place}, '{}', 'area', FALSE)", number + 1)
                    })
                    .collect();
                let insert = format!(
                    "INSERT INTO ballot_voters (ballot_id, number, resident_id, community_id, has_voted) VALUES {}",
                    voters.join(", ")
                );
                conn.batch_execute(&insert).expect("voters can be inserted");
                *statement = postgres_rows(index, size);
            }
        }
    }

    fn insert(&mut self, index: usize, size: usize) {
        match self {
            Self::Sqlite(conn) => sqlite_rows(conn, index, size).expect("rows can be inserted"),
            Self::Postgres(conn, statement) => conn.batch_execute(statement).expect("rows can be inserted"),
        }
    }
}

const VOTER: &str = "INSERT INTO ballot_voters (number, ballot_id, resident_id, community_id, has_voted) VALUES (?, ?, ?, 'area', FALSE)";
const PAPER: &str = "INSERT INTO ballot_papers (ballot_id, tag, sealed) VALUES (?, ?, ?)";
const VOTED: &str = "UPDATE ballot_voters SET has_voted = TRUE WHERE ballot_id = ? AND number = ?";
const EVENT: &str = "INSERT INTO audit_events (id, entry, leaf_hash, leaf_index, kind, subject, at) VALUES (?, ?, ?, ?, 'ballot.cast', ?, ?)";
const PRIVATE: &str = "INSERT INTO audit_private (event_id, actor_salt, actor_id, salt, content) VALUES (?, ?, 'system', ?, 'null')";

fn sqlite_rows(conn: &Raw, index: usize, size: usize) -> rusqlite::Result<()> {
    let now = Clock::system().now();
    let at = now.naive_utc().to_string();
    conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    for number in index..index + size {
        let number = i64::try_from(number + 1).expect("a number");
        let (ballot, event, bytes) = (
            format!("ballot{}", number / 100_000),
            id::mint("event", now),
            tag(number),
        );
        conn.prepare_cached(PAPER)?
            .execute(params![ballot, bytes, [7_u8; PAPER_BYTES].as_slice()])?;
        conn.prepare_cached(VOTED)?
            .execute(params![ballot, number % 100_000 + 1])?;
        conn.prepare_cached(EVENT)?.execute(params![
            event,
            [7_u8; ENTRY_BYTES].as_slice(),
            bytes,
            number,
            ballot,
            at
        ])?;
        conn.prepare_cached(PRIVATE)?
            .execute(params![event, bytes, bytes])?;
    }
    conn.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

/// The same as one text, which is one way to the server and back.
fn postgres_rows(index: usize, size: usize) -> String {
    let now = Clock::system().now();
    let at = now.naive_utc();
    let (paper, entry) = (hex::encode([7_u8; PAPER_BYTES]), hex::encode([7_u8; ENTRY_BYTES]));
    let (mut papers, mut voters, mut events, mut private) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for number in index..index + size {
        let number = i64::try_from(number + 1).expect("a number");
        let (ballot, place, event, bytes) = (
            number / 100_000,
            number % 100_000 + 1,
            id::mint("event", now),
            hex::encode(tag(number)),
        );
        papers.push(format!("('ballot{ballot}', '\\x{bytes}', '\\x{paper}')"));
        voters.push(format!("('ballot{ballot}', {place})"));
        events.push(format!(
            "('{event}', '\\x{entry}', '\\x{bytes}', 'ballot.cast', 'ballot{ballot}', '{at}')"
        ));
        private.push(format!(
            "('{event}', '\\x{bytes}', 'system', '\\x{bytes}', 'null')"
        ));
    }
    let (papers, voters, events, private) = (
        papers.join(", "),
        voters.join(", "),
        events.join(", "),
        private.join(", "),
    );
    format!(
        "BEGIN; INSERT INTO ballot_papers (ballot_id, tag, sealed) VALUES {papers}; \
         UPDATE ballot_voters SET has_voted = TRUE WHERE (ballot_id, number) IN ({voters}); \
         INSERT INTO audit_events (id, entry, leaf_hash, kind, subject, at) VALUES {events}; \
         INSERT INTO audit_private (event_id, actor_salt, actor_id, salt, content) VALUES {private}; COMMIT;"
    )
}

/// Bytes that are a number's alone, and in no order, as hashes are.
fn tag(number: i64) -> [u8; 32] {
    Sha256::digest(number.to_be_bytes()).into()
}
