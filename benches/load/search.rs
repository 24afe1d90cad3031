//! The public search over an index of 20,000 documents, without HTTP: one question after the other on one connection.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wardbook::audit::acts;
use wardbook::audit::entry::Event;
use wardbook::audit::store::{self, LogRow};
use wardbook::books::rules_search::terms;
use wardbook::books::store_search::{Document, Order, Wanted, find, index};
use wardbook::db::database::{Db, Limits};
use wardbook::db::migrate;
use wardbook::db::writer::WriterLimits;
use wardbook::kernel::clock::Clock;
use wardbook::kernel::money::Money;
use wardbook::kernel::text::Text;
use wardbook::web::actor::Actor;

use crate::Options;
use crate::report::{Line, Report};
use crate::ward::Database;

/// Documents in the index.
const DOCUMENTS: usize = 20_000;
/// Documents added in one transaction.
const TOGETHER: usize = 100;
/// Documents that a page asks for: one more than it shows.
const PAGE: i64 = 51;

/// What is asked: common and rare words, words in words, many terms, one character, nothing, and what is nowhere.
const QUESTIONS: [&str; 7] = [
    "环卫",
    "环卫保洁公共服务",
    "co",
    "co da se up 环卫",
    "19999",
    "卫",
    "没有",
];

/// A line for each question.
pub fn measure(options: &Options, database: &Database, report: &mut Report) {
    let made = database.make();
    migrate::up(&made.url).expect("the database can be migrated");
    let writer = WriterLimits {
        queue_max: 8,
        group_max: 1,
        connections: 1,
    };
    let limits = Limits { readers: 1, writer };
    let db = Db::open(&made.url, None, &Clock::system(), limits, Box::new(|_, _| Ok(())))
        .expect("the database opens");
    let name = LogRow {
        origin: "ward.test/audit".to_owned(),
        verifier_key: "ward.test/audit+00000000+AA".to_owned(),
    };
    db.write_and_wait(move |tx| acts::start_log(tx, &name))
        .expect("a log can be started");
    for first in (0..DOCUMENTS).step_by(TOGETHER) {
        fill(&db, first);
    }
    for question in QUESTIONS {
        report.add(ask(&db, question, options.window(), database), None);
    }
    db.drain();
}

fn fill(db: &Db, first: usize) {
    db.write_and_wait(move |tx| {
        for number in first..first + TOGETHER {
            index(tx, &document(number, tx.now()))?;
        }
        let event = Event {
            kind: "search.measured",
            subject: "x".to_owned(),
            data: json!({}),
            private: Value::Null,
        };
        store::append(tx, &Actor::system(), &event).map(drop)
    })
    .expect("documents can be put into the index");
}

fn document(number: usize, now: wardbook::kernel::clock::Instant) -> Document {
    let (zh, en) = [
        ("道路", "Street"),
        ("公厕", "Toilet"),
        ("绿化", "Greening"),
        ("治安", "Security"),
        ("物业", "Property"),
    ][number % 5];
    Document {
        kind: "intention_notice",
        subject_id: format!("measured_{number}"),
        path: "/x".to_owned(),
        title: Text::made(format!("{zh}保洁"), format!("{en} sanitation")),
        body: Text::made(
            format!("{zh}环卫保洁第 {number} 号，主次干道日常保洁与公共服务，含设施维护。"),
            format!("{en} cleaning no. {number}, daily common service and upkeep"),
        ),
        category: "measured".to_owned(),
        organisation_id: None,
        value: Money::from_fen(100).ok(),
        area_ids: Vec::new(),
        published_at: now,
        stage: Some("planned"),
        closes_at: None,
    }
}

fn ask(db: &Db, question: &str, window: Duration, database: &Database) -> Line {
    let wanted = Wanted {
        terms: terms(question).expect("a question that can be asked"),
        kind: None,
        category: None,
        area: None,
        stage: None,
        organisation: None,
        from: None,
        until: None,
        value_min: None,
        value_max: None,
        order: Order::Relevance(None),
    };
    let (begun, mut micros, mut hits) = (Instant::now(), Vec::new(), 0);
    while begun.elapsed() < window {
        let asked = Instant::now();
        let wanted = wanted.clone();
        let found = db
            .read_and_wait(move |conn| find(conn, &wanted, PAGE))
            .expect("the index answers");
        micros.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
        hits = found.len();
    }
    let per_second = micros.len() as f64 / begun.elapsed().as_secs_f64();
    micros.sort_unstable();
    Line {
        what: format!("F search: {question}"),
        on: database.name().to_owned(),
        clients: 1,
        per_second,
        cpu_micros: None,
        remarks: vec![format!("{hits} on the page, of {DOCUMENTS} documents")],
        micros,
    }
}
