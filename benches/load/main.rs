//! The load tool: measures the service from outside, over HTTP, beside what the machine can do at best, and prints one
//! table. `benches/README.md` says what each line means. Loads nothing but servers that it has started itself on the
//! loopback, and keeps nothing: every database is a fresh one and gone afterwards.
//!
//! `cargo bench --bench load -- --help`, or `benches/run`, which brings a PostgreSQL along.

#![expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measuring instrument: it computes with floats, prints, and stops at the first thing it cannot measure"
)]

/// What a server without any of ours does.
mod bare;
/// The load generator.
mod client;
/// The evening on which residents rate.
mod evening;
/// The ledger's transfers.
mod ledger;
/// The machine, in a few lines.
mod machine;
/// What SQLite does without any of ours.
mod raw;
/// Reading: one area, a list of them.
mod reads;
/// The table.
mod report;
/// The last seconds before a deadline.
mod rush;
/// The public search.
mod search;
/// The log's sequencer alone.
mod sequence;
/// A ballot with voters who have letters.
mod stage;
/// The service, started for one measurement.
mod ward;
/// Writing: areas added.
mod writes;

use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::report::Report;

/// Measures the service and prints one table; see benches/README.md.
#[derive(Clone, Debug, Parser)]
#[command(name = "load")]
pub struct Options {
    /// Seconds that each line is measured, after a second of warming up
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How many clients ask at once; each number is measured by itself
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64, 256])]
    clients: Vec<usize>,
    /// What to measure: W writes, R the same rows inserted raw, B a bare server, G our reads, S the sequencer,
    /// L the ledger's transfers, F the public search, D bids in the last seconds before a deadline (`deadline-rush`),
    /// V votes of residents (`rating-evening`), by an even number of clients
    #[arg(long, value_delimiter = ',', default_values = ["W", "R", "B", "G", "S", "L", "F", "D", "V"])]
    only: Vec<Scenario>,
    /// Of the service's lines only those whose name holds this text, `grouped` for one
    #[arg(long, default_value = "")]
    lines: String,
    /// On which database
    #[arg(long, default_value = "both")]
    database: Which,
    /// Threads of the load generator
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Threads that answer requests, of our server and of the bare one; 0: as many as there are cores
    #[arg(long, default_value_t = 0)]
    workers: usize,
    /// Events for the sequencer
    #[arg(long, default_value_t = 70_000)]
    events: usize,
    /// Residents who vote
    #[arg(long, default_value_t = 100_000)]
    residents: usize,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
    /// Be the bare server
    #[arg(long, hide = true)]
    serve_bare: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "verbatim")]
enum Scenario {
    W,
    R,
    B,
    G,
    S,
    L,
    F,
    #[value(alias = "deadline-rush")]
    D,
    #[value(alias = "rating-evening")]
    V,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    Sqlite,
    Postgres,
    Both,
}

impl Options {
    fn window(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    fn workers(&self) -> usize {
        match self.workers {
            0 => machine::cores(),
            workers => workers,
        }
    }
}

fn main() {
    let options = Options::parse();
    if options.serve_bare {
        return bare::serve(options.workers());
    }
    let databases = ward::databases(options.database);
    machine::describe(&databases, options.workers(), options.threads);
    let wanted = |scenario| options.only.contains(&scenario);
    let mut report = Report::begin();
    // What is compared with comes first, so that each line can be printed with its ratio.
    if wanted(Scenario::R) && options.database != Which::Postgres {
        raw::measure(&options, &mut report);
    }
    if wanted(Scenario::W) {
        for database in &databases {
            writes::measure(&options, database, &mut report);
        }
    }
    if wanted(Scenario::B) {
        bare::measure(&options, &mut report);
    }
    if wanted(Scenario::G) {
        for database in &databases {
            reads::measure(&options, database, &mut report);
        }
    }
    if wanted(Scenario::S) {
        for database in &databases {
            sequence::measure(&options, database, &mut report);
        }
    }
    if wanted(Scenario::L) {
        for database in &databases {
            ledger::measure(&options, database, &mut report);
        }
    }
    if wanted(Scenario::F) {
        for database in &databases {
            search::measure(&options, database, &mut report);
        }
    }
    if wanted(Scenario::D) {
        for database in &databases {
            rush::measure(&options, database, &mut report);
        }
    }
    if wanted(Scenario::V) {
        for database in &databases {
            evening::measure(&options, database, &mut report);
        }
    }
    report.end();
}
