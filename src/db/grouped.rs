//! SQLite's one writer: takes the jobs that have gathered, runs each inside a savepoint of one `BEGIN IMMEDIATE`
//! transaction, lets the log be sequenced, commits once and answers all of them. Must never answer a job that did not
//! commit, and never let one job's failure touch another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant as Stopwatch;

use crossbeam_channel::Receiver;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;
use diesel::{Connection, QueryResult};

use crate::db::conn::{Access, Conn, DatabaseUrl, connect};
use crate::db::writer::{BeforeCommit, Outcome, Tx, Verdict, Work, panic_text};
use crate::kernel::clock::Clock;
use crate::kernel::refusal::Fault;

/// SQLite's one writer.
pub(super) struct Grouped {
    pub url: DatabaseUrl,
    pub conn: Conn,
    pub clock: Clock,
    pub before_commit: BeforeCommit,
    /// True while it can reach the database.
    pub alive: Arc<AtomicBool>,
}

impl Grouped {
    /// Runs until the queue is closed and empty.
    pub fn serve(mut self, jobs: &Receiver<Box<dyn Work>>, group_max: usize) {
        let mut group = Vec::with_capacity(group_max);
        while let Ok(first) = jobs.recv() {
            group.push(first);
            // While the last group was being made durable, these have gathered: no timer is needed.
            group.extend(jobs.try_iter().take(group_max - 1));
            let started = Stopwatch::now();
            let size = group.len();
            let result = self.commit(&mut group);
            if let Err(Broken::Begin(fault) | Broken::Later(fault)) = &result {
                tracing::error!(%fault, jobs = size, "a group of writes failed");
                self.reopen();
            }
            let outcome = match &result {
                Ok(()) => Outcome::Committed,
                Err(Broken::Begin(_)) => Outcome::Unavailable,
                Err(Broken::Later(fault)) => Outcome::Failed(fault),
            };
            for job in group.drain(..) {
                job.settle(&outcome);
            }
            #[expect(
                clippy::cast_precision_loss,
                clippy::as_conversions,
                reason = "a metric, at most group_max"
            )]
            metrics::histogram!("wardbook_write_group_jobs").record(size as f64);
            metrics::histogram!("wardbook_write_group_seconds").record(started.elapsed().as_secs_f64());
        }
    }

    fn commit(&mut self, group: &mut [Box<dyn Work>]) -> Result<(), Broken> {
        self.begin_immediate().map_err(Broken::Begin)?;
        let done = self
            .run(group)
            .and_then(|()| self.step("commit", Manager::commit_transaction));
        if done.is_err() {
            // The transaction may be gone already (SQLite rolls back by itself when the disk is full); whatever is left
            // of it goes with the connection, which is not used again.
            let _ = self.step("roll back", Manager::rollback_transaction);
        }
        done.map_err(Broken::Later)
    }

    fn run(&mut self, group: &mut [Box<dyn Work>]) -> Result<(), Fault> {
        let mut next_place = None;
        for job in group {
            self.savepoint("begin a savepoint", &BeginJob)?;
            let now = self.clock.now();
            let mut tx = Tx::new(&mut self.conn, (now, self.clock.day_of(now)));
            tx.next_place = next_place;
            match job.attempt(&mut tx) {
                Verdict::Keep => next_place = tx.next_place,
                // With a single writer nothing races, so a transient fault will not pass either.
                Verdict::Undo | Verdict::Again => self.savepoint("undo a savepoint", &UndoJob)?,
            }
            self.savepoint("end a savepoint", &EndJob)?;
        }
        let now = self.clock.now();
        catch_unwind(AssertUnwindSafe(|| (self.before_commit)(&mut self.conn, now)))
            .unwrap_or_else(|panic| {
                Err(Fault::broken(format!("sequencing panicked: {}", panic_text(&*panic))).into())
            })
            .map_err(|stop| Fault::caused("sequence the log", stop))
    }

    /// Begins the group's transaction with the right to write, so that no lock has to be upgraded in the middle.
    fn begin_immediate(&mut self) -> Result<(), Fault> {
        match &mut self.conn {
            Conn::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")
                .map_err(|error| Fault::caused("begin", error)),
            Conn::Postgres(_) => Err(Fault::broken("groups are for SQLite")),
        }
    }

    fn savepoint<S>(&mut self, what: &'static str, statement: &S) -> Result<(), Fault>
    where
        S: QueryFragment<Sqlite> + QueryId,
    {
        let done = match &mut self.conn {
            Conn::Sqlite(c) => c.execute_returning_count(statement),
            Conn::Postgres(_) => return Err(Fault::broken("groups are for SQLite")),
        };
        done.map(drop).map_err(|error| Fault::caused(what, error))
    }

    /// A step of diesel's own transaction manager: it has to know that there is a transaction, because it makes
    /// savepoints for statements of its own (a batch insert on SQLite is several).
    fn step(&mut self, what: &'static str, step: fn(&mut Conn) -> QueryResult<()>) -> Result<(), Fault> {
        step(&mut self.conn).map_err(|error| Fault::caused(what, error))
    }

    /// After a failed group nothing is known of the connection; a fresh one is.
    fn reopen(&mut self) {
        match connect(&self.url, Access::Write) {
            Ok(conn) => {
                self.conn = conn;
                self.alive.store(true, Ordering::SeqCst);
            }
            Err(fault) => {
                self.alive.store(false, Ordering::SeqCst);
                tracing::error!(%fault, "the writer cannot reopen the database");
            }
        }
    }
}

/// diesel's bookkeeping of the transactions of a connection.
type Manager = <Conn as Connection>::TransactionManager;

/// Where a group's transaction failed.
enum Broken {
    /// Before anything was done.
    Begin(Fault),
    /// Afterwards.
    Later(Fault),
}

/// Statements round each job of a group. diesel's own transactions inside each other have their text put together and
/// parsed every time; these are prepared once.
macro_rules! steps {
    ($($name:ident $sql:literal)+) => {$(
        #[derive(QueryId)]
        struct $name;

        impl QueryFragment<Sqlite> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                out.push_sql($sql);
                Ok(())
            }
        }
    )+};
}

steps! {
    BeginJob "SAVEPOINT job"
    UndoJob "ROLLBACK TO job"
    EndJob "RELEASE job"
}
