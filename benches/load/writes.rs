//! Writing: communities added under one street through HTTP, each with its event in the log, durable before it is
//! acknowledged. Afterwards the server is killed, and nothing that it acknowledged may be missing.

use std::time::Instant;

use crate::Options;
use crate::client::{Load, NUMBER, Request};
use crate::raw;
use crate::report::{Line, Report};
use crate::ward::{Database, Ward};

/// All lines of one database.
pub fn measure(options: &Options, database: &Database, report: &mut Report) {
    // PostgreSQL runs one act a transaction; only SQLite has groups.
    let groupings: &[(&str, Option<usize>)] = match database {
        Database::Sqlite => &[("one by one", Some(1)), ("grouped", None)],
        Database::Postgres(_) => &[("each its own transaction", None)],
    };
    for (grouping, group_max) in groupings {
        for keyed in [false, true] {
            let with_key = if keyed { ", with key" } else { "" };
            let what = format!("W writes {grouping}{with_key}");
            if !what.contains(&options.lines) {
                continue;
            }
            for clients in &options.clients {
                let line = load(options, database, *group_max, keyed, *clients);
                let line = Line {
                    what: what.clone(),
                    ..line
                };
                report.add(line, Some(if keyed { raw::WITH_KEY } else { raw::WITH_EVENT }));
            }
        }
    }
}

fn load(
    options: &Options,
    database: &Database,
    group_max: Option<usize>,
    keyed: bool,
    clients: usize,
) -> Line {
    let mut ward = Ward::start(database, options.workers(), group_max);
    let street = ward.street();
    let json = format!(
        r#"{{"parent_id":"{street}","name_zh":"桂园社区{NUMBER}","name_en":"Guiyuan Community {NUMBER}"}}"#
    );
    let key = if keyed {
        format!("Idempotency-Key: load-{NUMBER}\r\n")
    } else {
        String::new()
    };
    let (before, _) = settled(&ward);
    let tally = Load {
        on: &ward.served,
        clients,
        threads: options.threads,
        window: options.window(),
        requests: vec![Request::post("/api/v1/areas", &ward.token, &key, &json)],
        wanted: 201,
    }
    .run();
    let (_, behind) = ward.database.log();
    let acknowledged = i64::try_from(tally.acknowledged).unwrap_or(i64::MAX);
    let mut line = Line::of("", database.name(), clients, options.window(), tally);
    let (after, caught_up) = settled(&ward);
    ward.served.kill();
    if after == before + acknowledged && ward.database.log() == (after, 0) {
        line.remarks.push(format!("all {acknowledged} in the log"));
    } else {
        let grown = after - before;
        line.remarks
            .push(format!("ERROR: {acknowledged} acknowledged, {grown} in the log"));
    }
    if behind > 0 {
        line.remarks.push(format!(
            "the sequencer was {behind} events behind, for {caught_up:.2} s"
        ));
    }
    line
}

/// Waits until every event has its place; the log's size then, and how many seconds that took.
fn settled(ward: &Ward) -> (i64, f64) {
    let begun = Instant::now();
    loop {
        let (size, waiting) = ward.database.log();
        if waiting == 0 {
            return (size, begun.elapsed().as_secs_f64());
        }
        assert!(
            begun.elapsed().as_secs() < 120,
            "the sequencer never catches up: {waiting} events wait"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
