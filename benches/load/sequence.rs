//! The log's sequencer alone: events that wait are given their places and the tree over them is signed, one transaction
//! a batch, as the elected instance does it on PostgreSQL.

use std::time::Instant;

use diesel::Connection;
use diesel::connection::TransactionManager;
use serde_json::{Value, json};
use wardbook::audit::acts;
use wardbook::audit::entry::Event;
use wardbook::audit::note::Signer;
use wardbook::audit::sequencer::Sequencer;
use wardbook::audit::startup::{self, Finding, Marked};
use wardbook::audit::store::{self, LogRow};
use wardbook::db::conn::{Access, Conn, DatabaseUrl, connect};
use wardbook::db::database::{Db, Limits};
use wardbook::db::migrate;
use wardbook::db::writer::WriterLimits;
use wardbook::kernel::clock::Clock;
use wardbook::web::actor::Actor;

use crate::Options;
use crate::report::{Line, Report};
use crate::ward::Database;

/// diesel's bookkeeping of the transactions of a connection.
type Manager = <Conn as Connection>::TransactionManager;

/// Events appended in one transaction.
const TOGETHER: usize = 1_000;

/// Both lines of one database.
pub fn measure(options: &Options, database: &Database, report: &mut Report) {
    let made = database.make();
    migrate::up(&made.url).expect("the database can be migrated");
    let signer = Signer::new("ward.test/audit", &[7; 32]).expect("a key");
    let sequencer = Sequencer::new(signer);
    let name = LogRow {
        origin: sequencer.verifier().name().to_owned(),
        verifier_key: sequencer.verifier().to_string(),
    };
    report.add(append(&made.url, name, options.events, database), None);

    let mut conn = connect(&made.url, Access::Write).expect("the database opens");
    let (begun, mut placed, mut micros) = (Instant::now(), 0, Vec::new());
    loop {
        let batch = Instant::now();
        Manager::begin_transaction(&mut conn).expect("a transaction can begin");
        let now = Clock::system().now();
        let count = sequencer.run(&mut conn, now).expect("events can be sequenced");
        Manager::commit_transaction(&mut conn).expect("a transaction can end");
        if count == 0 {
            break;
        }
        placed += count;
        micros.push(u32::try_from(batch.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    let took = begun.elapsed().as_secs_f64();
    micros.sort_unstable();
    let checking = Instant::now();
    let found =
        startup::check(&mut conn, sequencer.verifier(), &Marked::Nothing).expect("the log can be read");
    assert_eq!(found, Finding::Sound(placed as u64), "the log holds");
    let line = Line {
        what: "S sequence and sign".to_owned(),
        on: database.name().to_owned(),
        clients: 1,
        per_second: placed as f64 / took,
        cpu_micros: None,
        remarks: vec![format!(
            "{placed} events in {took:.2} s, {} batches; rebuilt and found sound in {:.2} s",
            micros.len(),
            checking.elapsed().as_secs_f64()
        )],
        micros,
    };
    report.add(line, None);
}

/// Appends the events, which then wait.
fn append(url: &DatabaseUrl, name: LogRow, events: usize, database: &Database) -> Line {
    let writer = WriterLimits {
        queue_max: 8,
        group_max: 1,
        connections: 1,
    };
    let limits = Limits { readers: 1, writer };
    let db =
        Db::open(url, None, &Clock::system(), limits, Box::new(|_, _| Ok(()))).expect("the database opens");
    db.write_and_wait(move |tx| acts::start_log(tx, &name))
        .expect("a log can be started");
    let mut micros = Vec::new();
    let begun = Instant::now();
    for first in (0..events).step_by(TOGETHER) {
        let group = Instant::now();
        let last = events.min(first + TOGETHER);
        db.write_and_wait(move |tx| {
            for number in first..last {
                store::append(tx, &Actor::system(), &event(number))?;
            }
            Ok(())
        })
        .expect("events can be appended");
        micros.push(u32::try_from(group.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    let took = begun.elapsed().as_secs_f64();
    db.drain();
    micros.sort_unstable();
    Line {
        what: "S append events".to_owned(),
        on: database.name().to_owned(),
        clients: 1,
        per_second: events as f64 / took,
        cpu_micros: None,
        micros,
        remarks: vec![format!("{TOGETHER} a transaction")],
    }
}

fn event(number: usize) -> Event {
    Event {
        kind: "area.created",
        subject: format!("area_{number:026}"),
        data: json!({
            "name_zh": format!("桂园社区{number:012}"), "name_en": format!("Guiyuan Community {number:012}"),
            "code": Value::Null, "level": "community", "parent_id": "area_01jd3n8f5teqkrzvq1c0m6h2ax",
        }),
        private: Value::Null,
    }
}
