//! Every event gets exactly one place, whoever writes at the same time and however many there are.

use std::collections::HashSet;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant as Stopwatch};

use serde_json::{Value, json};
use wardbook::audit::entry::{Event, EventId};
use wardbook::audit::store;
use wardbook::db::writer::Tx;
use wardbook::kernel::refusal::Answer;
use wardbook::web::actor::Actor;
use wardbook::web::policy::Role;

use crate::harness::Ward;
use crate::logbook::number;
use crate::on_both;

/// Appends an event that says so.
fn note(tx: &mut Tx<'_>, writer: usize, at: usize) -> Answer<EventId> {
    let event = Event {
        kind: "test.noted",
        subject: format!("writer_{writer}"),
        data: json!({ "at": at }),
        private: Value::Null,
    };
    store::append(
        tx,
        &Actor::signed_in(format!("user_{writer}"), Vec::new()),
        &event,
    )
}

/// Each of `writers` threads writes `jobs` transactions of `each` events; gives the ids of all.
fn write(ward: &Ward, writers: usize, jobs: usize, each: usize) -> Vec<String> {
    let db = &ward.context().db;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|writer| {
                scope.spawn(move || {
                    let ids = (0..jobs).map(|job| {
                        // Transactions of different lengths, so that they end in another order than they began.
                        let length = each / 2 + (job + writer) % 2 * each;
                        db.write_and_wait(move |tx| {
                            (0..length)
                                .map(|at| note(tx, writer, at).map(|id| id.to_string()))
                                .collect::<Answer<Vec<_>>>()
                        })
                        .unwrap()
                    });
                    ids.flatten().collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    })
}

/// The log has exactly these events besides its first, each in one place, and the places are 0, 1, 2 … without a gap.
fn assert_placed_once(ward: &Ward, ids: &[String]) {
    let count = i64::try_from(ids.len()).unwrap() + 1;
    let expect = |query: &str, number_: i64| assert_eq!(number(ward, query), Some(number_), "{query}");
    expect("SELECT count(*) FROM audit_events", count);
    expect("SELECT count(*) FROM audit_events WHERE leaf_index IS NULL", 0);
    expect("SELECT count(DISTINCT leaf_index) FROM audit_events", count);
    expect("SELECT min(leaf_index) FROM audit_events", 0);
    expect("SELECT max(leaf_index) FROM audit_events", count - 1);
    expect("SELECT max(size) FROM audit_checkpoints", count);
    let mut expected: HashSet<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(expected.len(), ids.len());
    let mut first = 1;
    while first < count {
        let entries = ward
            .context()
            .db
            .read_and_wait(|conn| store::entries(conn, first, 10_000))
            .unwrap();
        for entry in &entries {
            let entry: Value = serde_json::from_slice(entry).unwrap();
            assert!(expected.remove(entry["id"].as_str().unwrap()), "{entry}");
        }
        first += i64::try_from(entries.len()).unwrap();
    }
    assert!(expected.is_empty());
}

on_both! {
    fn seventy_thousand_events_are_placed_and_signed(ward) {
        let begun = Stopwatch::now();
        let ids = write(&ward, 7, 10, 1_000);
        let written = begun.elapsed();
        ward.settle();
        let signed = begun.elapsed();
        assert_eq!(ids.len(), 70_000);
        assert_placed_once(&ward, &ids);
        eprintln!(
            "70,000 events on {}: written after {:.1} s, all placed and signed after {:.1} s",
            if ward.database.is_some() { "PostgreSQL" } else { "SQLite" },
            written.as_secs_f64(),
            signed.as_secs_f64()
        );
        // When the ward goes, the verifier reads them all.
    }

    fn many_small_transactions_at_once_leave_no_gap(ward) {
        let ids = write(&ward, 8, 50, 2);
        ward.settle();
        assert_placed_once(&ward, &ids);
        // Each checkpoint covers what was there, and each is larger than the one before.
        let signed = number(&ward, "SELECT count(*) FROM audit_checkpoints").unwrap();
        assert!(signed >= 2, "{signed}");
    }

    fn one_transaction_may_hold_more_events_than_one_batch(ward) {
        let ids = write(&ward, 1, 1, 12_002);
        assert_eq!(ids.len(), 6_001);
        ward.settle();
        assert_placed_once(&ward, &ids);
    }
}

/// A transaction that began first and commits last has the smaller ids and gets the larger places. Whoever pages by place
/// misses nothing; whoever paged by id would have missed it.
#[test]
fn an_event_that_commits_late_is_published_late() {
    let Some(ward) = Ward::postgres() else { return };
    let db = &ward.context().db;
    let (began, has_begun) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let late = scope.spawn(move || {
            db.write_and_wait(move |tx| {
                let id = note(tx, 0, 0)?;
                began.send(()).unwrap();
                // Until the other one has been published.
                may_go_on.recv_timeout(Duration::from_secs(50)).unwrap();
                Ok(id)
            })
            .unwrap()
        });
        has_begun.recv_timeout(Duration::from_secs(50)).unwrap();
        let clock = &ward.context().clock;
        assert!(clock.advance(clock.now() + chrono::Duration::seconds(1)));
        let early = db.write_and_wait(|tx| note(tx, 1, 0)).unwrap();
        ward.settle();
        let first = ward.get("/api/v1/audit/events?limit=2").json();
        assert_eq!(first["items"][1]["id"], json!(early));
        assert_eq!(first["next_cursor"], json!(null));
        let kept = first["items"][1]["index"].as_i64().unwrap();

        go_on.send(()).unwrap();
        let late = late.join().unwrap();
        assert!(late.as_str() < early.as_str());
        ward.settle();
        let all = ward
            .ask("GET", "/api/v1/audit/events")
            .by(Role::Auditor)
            .send()
            .json();
        assert_eq!(all["items"][2]["id"], json!(late));
        assert_eq!(all["items"][2]["index"], json!(kept + 1));
    });
}
