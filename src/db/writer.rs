//! The only way to change state: a bounded queue of jobs, each of which runs in a transaction of its own making or
//! leaves no trace. On SQLite one thread drains the queue in groups (`db/grouped.rs`); on PostgreSQL several threads run one
//! job a transaction, serialisable, and run it again when it lost a race. Nothing is answered before it is durable.
//! Must never answer a job that did not commit, and never let one job's failure touch another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant as Stopwatch};

use chrono::NaiveDate;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use diesel::connection::SimpleConnection;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use tokio::sync::oneshot;

use crate::db::conn::{Access, Conn, DatabaseUrl, connect, is_broken};
use crate::db::database::DATABASE_UNAVAILABLE;
use crate::db::grouped::Grouped;
use crate::kernel::clock::{Clock, Instant};
use crate::kernel::refusal::{Answer, Fault, Kind, Reason, Stop};

/// The queue of writes is full.
pub static WRITE_QUEUE_FULL: Reason = Reason::new(
    Kind::Busy,
    "write_queue_full",
    "写入繁忙，请稍后重试",
    "Too many writes are waiting; try again shortly",
);
/// Every attempt of a transaction lost a race against another.
pub static CONTENTION: Reason = Reason::new(
    Kind::Busy,
    "contention",
    "同一事项正被他人修改，请重试",
    "Others are changing the same matter; try again",
);
/// The service is going down and takes no more writes.
pub static SHUTTING_DOWN: Reason = Reason::new(
    Kind::Busy,
    "shutting_down",
    "服务正在停止",
    "The service is shutting down",
);

/// How often a transaction that lost a race is run again before the caller is told.
const ATTEMPTS_MAX: u32 = 32;
/// For how long: races that are lost by waiting, deadlocks above all, take a second each.
const RACING_MAX: Duration = Duration::from_secs(20);
/// How often a writer of PostgreSQL that has nothing to do looks whether the database is still there.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// One transaction: the connection, the instant at which everything in it happens, and whether it has recorded
/// what it did.
pub struct Tx<'a> {
    conn: &'a mut Conn,
    now: Instant,
    today: NaiveDate,
    events: u32,
    unchanged: bool,
    pub(super) next_place: Option<i64>,
}

impl<'a> Tx<'a> {
    /// For `db/` only: the writer makes them, and tests of stores do.
    pub(crate) fn new(conn: &'a mut Conn, (now, today): (Instant, NaiveDate)) -> Self {
        Self {
            conn,
            now,
            today,
            events: 0,
            unchanged: false,
            next_place: None,
        }
    }

    /// The connection, for `store.rs` files.
    pub fn conn(&mut self) -> &mut Conn {
        self.conn
    }

    /// The instant of the transaction, UTC; the same however often it is asked.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The ward's local date at that instant.
    pub fn today(&self) -> NaiveDate {
        self.today
    }

    /// Told by the log whenever it has written an event in this transaction.
    pub fn event_recorded(&mut self) {
        self.events = self.events.saturating_add(1);
    }

    /// The next place in the log, for a database that gives places while events are written: on SQLite nobody else writes
    /// before this transaction has ended. `end` reads where the log ends; it is asked once for a whole group.
    ///
    /// # Errors
    /// What `end` answers.
    pub fn take_place(&mut self, end: impl FnOnce(&mut Conn) -> Answer<i64>) -> Answer<i64> {
        let place = match self.next_place {
            Some(place) => place,
            None => end(self.conn)?,
        };
        self.next_place = Some(place.saturating_add(1));
        Ok(place)
    }

    /// The act found that there is nothing to do (the same request a second time, for one). The transaction is
    /// then undone, whatever it wrote, and the answer still given.
    pub fn nothing_to_change(&mut self) {
        self.unchanged = true;
    }
}

/// What kind of write it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// Changes the state of the ward: without an event it is a fault.
    Act,
    /// Keeps the house (expired keys): never the ward's state, so there is nothing to record.
    Upkeep,
}

/// What is to become of what a job did.
pub(super) enum Verdict {
    Keep,
    Undo,
    Again,
}

/// What became of the transaction around a job.
pub(super) enum Outcome<'a> {
    Committed,
    Contended,
    /// The transaction could not even begin.
    Unavailable,
    /// Nobody knows whether it was committed, or a bug kept it from being.
    Failed(&'a Fault),
}

/// A job, whatever it answers.
pub(super) trait Work: Send {
    fn attempt(&mut self, tx: &mut Tx<'_>) -> Verdict;
    /// Why the last attempt failed, for the log.
    fn trouble(&self) -> String;
    fn settle(self: Box<Self>, outcome: &Outcome<'_>);
}

struct Job<F, T> {
    run: F,
    purpose: Purpose,
    answer: Option<Answer<T>>,
    reply: oneshot::Sender<Answer<T>>,
}

impl<F, T> Work for Job<F, T>
where
    F: FnMut(&mut Tx<'_>) -> Answer<T> + Send,
    T: Send,
{
    fn attempt(&mut self, tx: &mut Tx<'_>) -> Verdict {
        let answer = catch_unwind(AssertUnwindSafe(|| (self.run)(tx))).unwrap_or_else(|panic| {
            Err(Fault::broken(format!("a job panicked: {}", panic_text(&*panic))).into())
        });
        let (answer, verdict) = match answer {
            Ok(value) if tx.unchanged => (Ok(value), Verdict::Undo),
            Ok(_) if tx.events == 0 && self.purpose == Purpose::Act => (
                Err(Fault::broken("a write recorded no event").into()),
                Verdict::Undo,
            ),
            Ok(value) => (Ok(value), Verdict::Keep),
            Err(Stop::Fault(fault)) if fault.is_transient() => (Err(Stop::Fault(fault)), Verdict::Again),
            Err(stop) => (Err(stop), Verdict::Undo),
        };
        self.answer = Some(answer);
        verdict
    }

    fn trouble(&self) -> String {
        match &self.answer {
            Some(Err(stop)) => stop.to_string(),
            _ => String::new(),
        }
    }

    fn settle(self: Box<Self>, outcome: &Outcome<'_>) {
        let Self {
            run, answer, reply, ..
        } = *self;
        // What the job holds (the key of its request) is let go before the caller is told: whoever has the answer may
        // send the same request again at once.
        drop(run);
        let answer = match (answer, outcome) {
            (Some(answer), Outcome::Committed) => answer,
            // A refusal changed nothing, so it stands whatever became of the transaction around it.
            (Some(Err(stop @ Stop::Refused(_))), _) => Err(stop),
            (_, Outcome::Contended) => Err(CONTENTION.refuse().retry_after(1).into()),
            (_, Outcome::Unavailable) => Err(DATABASE_UNAVAILABLE.refuse().retry_after(2).into()),
            (_, Outcome::Failed(fault)) => {
                Err(Fault::broken(format!("the transaction failed: {fault}")).into())
            }
            (None, Outcome::Committed) => Err(Fault::broken("a job was not run").into()),
        };
        // The caller may have hung up; the work is done all the same.
        let _ = reply.send(answer);
    }
}

/// A panic's message, where it has one.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

/// Run by the SQLite writer inside every group's transaction, just before it commits: the log's sequencer.
pub type BeforeCommit = Box<dyn FnMut(&mut Conn, Instant) -> Answer<()> + Send>;

/// Sizes of the writer, all from the configuration.
#[derive(Clone, Copy, Debug)]
pub struct WriterLimits {
    /// Writes that may wait; one more is refused with 503.
    pub queue_max: usize,
    /// Jobs in one SQLite transaction.
    pub group_max: usize,
    /// PostgreSQL connections that write.
    pub connections: usize,
}

/// The queue and its threads.
pub struct Writer {
    queue: Mutex<Option<Sender<Box<dyn Work>>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Of each thread, whether it can reach the database.
    alive: Vec<Arc<AtomicBool>>,
}

impl Writer {
    /// Opens the connections and starts the threads.
    ///
    /// # Errors
    /// A fault if a connection cannot be opened or a thread not started.
    pub fn start(
        url: &DatabaseUrl,
        clock: &Clock,
        limits: WriterLimits,
        before_commit: BeforeCommit,
    ) -> Result<Self, Fault> {
        let (queue, jobs) = crossbeam_channel::bounded(limits.queue_max.max(1));
        let mut alive = Vec::new();
        let mut threads = Vec::new();
        match url {
            DatabaseUrl::Sqlite(_) => {
                let conn = connect(url, Access::Write)?;
                let reached = Arc::new(AtomicBool::new(true));
                alive.push(reached.clone());
                let grouped = Grouped {
                    url: url.clone(),
                    conn,
                    clock: clock.clone(),
                    before_commit,
                    alive: reached,
                };
                let group_max = limits.group_max.max(1);
                threads.push(spawn("writer".into(), move || grouped.serve(&jobs, group_max))?);
            }
            DatabaseUrl::Postgres(_) => {
                for n in 0..limits.connections.max(1) {
                    let conn = connect(url, Access::Write)?;
                    let reached = Arc::new(AtomicBool::new(true));
                    alive.push(reached.clone());
                    let single = Single {
                        url: url.clone(),
                        conn,
                        suspect: false,
                        alive: reached,
                        clock: clock.clone(),
                    };
                    let jobs = jobs.clone();
                    threads.push(spawn(format!("writer-{n}"), move || single.serve(&jobs))?);
                }
            }
        }
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            threads: Mutex::new(threads),
            alive,
        })
    }

    /// Runs `job` in a transaction and answers when it is durable. The work goes on even if the caller stops
    /// waiting. `job` may be run more than once; only the last run counts.
    ///
    /// # Errors
    /// What the job answers; [`WRITE_QUEUE_FULL`], [`CONTENTION`], [`SHUTTING_DOWN`], [`DATABASE_UNAVAILABLE`]; a fault
    /// if it recorded no event, panicked, or could not be committed.
    pub async fn write<T, F>(&self, job: F) -> Answer<T>
    where
        F: FnMut(&mut Tx<'_>) -> Answer<T> + Send + 'static,
        T: Send + 'static,
    {
        self.send(job, Purpose::Act)?
            .await
            .map_err(|_| Fault::broken("the writer is gone"))?
    }

    /// Runs a job that keeps the house: it may not touch the ward's state and so records nothing.
    /// `tests/tidy.rs` lists who may call it.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn upkeep<T, F>(&self, job: F) -> Answer<T>
    where
        F: FnMut(&mut Tx<'_>) -> Answer<T> + Send + 'static,
        T: Send + 'static,
    {
        self.send(job, Purpose::Upkeep)?
            .await
            .map_err(|_| Fault::broken("the writer is gone"))?
    }

    /// As [`Self::upkeep`], for commands that have no runtime: the thread waits.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn upkeep_and_wait<T, F>(&self, job: F) -> Answer<T>
    where
        F: FnMut(&mut Tx<'_>) -> Answer<T> + Send + 'static,
        T: Send + 'static,
    {
        self.send(job, Purpose::Upkeep)?
            .blocking_recv()
            .map_err(|_| Fault::broken("the writer is gone"))?
    }

    /// As [`Self::write`], for commands that have no runtime: the thread waits.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_and_wait<T, F>(&self, job: F) -> Answer<T>
    where
        F: FnMut(&mut Tx<'_>) -> Answer<T> + Send + 'static,
        T: Send + 'static,
    {
        self.send(job, Purpose::Act)?
            .blocking_recv()
            .map_err(|_| Fault::broken("the writer is gone"))?
    }

    fn send<T, F>(&self, run: F, purpose: Purpose) -> Answer<oneshot::Receiver<Answer<T>>>
    where
        F: FnMut(&mut Tx<'_>) -> Answer<T> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Box<dyn Work> = Box::new(Job {
            run,
            purpose,
            answer: None,
            reply,
        });
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = queue.as_ref() else {
            return Err(SHUTTING_DOWN.refuse().retry_after(5).into());
        };
        match queue.try_send(job) {
            Ok(()) => Ok(answer),
            Err(TrySendError::Full(_)) => Err(WRITE_QUEUE_FULL.refuse().retry_after(1).into()),
            Err(TrySendError::Disconnected(_)) => Err(Fault::broken("the writer is gone").into()),
        }
    }

    /// True while at least one thread can reach the database, by what each saw last: at its last write, or a moment ago if
    /// it had nothing to do.
    pub fn is_alive(&self) -> bool {
        self.alive.iter().any(|alive| alive.load(Ordering::SeqCst))
    }

    /// Writes waiting in the queue.
    pub fn waiting(&self) -> usize {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map_or(0, Sender::len)
    }

    /// Takes no more writes, finishes those that wait, and returns when the last one is answered.
    pub fn drain(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a writer thread panicked");
            }
        }
    }
}

fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Fault> {
    std::thread::Builder::new()
        .name(name)
        .spawn(run)
        .map_err(|error| Fault::caused("start a writer thread", error))
}

/// One of PostgreSQL's writers.
struct Single {
    url: DatabaseUrl,
    conn: Conn,
    /// Nothing is known of the connection's state any more.
    suspect: bool,
    /// Whether the database could be reached when it was last tried.
    alive: Arc<AtomicBool>,
    clock: Clock,
}

/// How one attempt ended.
enum Attempt {
    /// The job has its answer, and what it did is durable if it was to be.
    Settled,
    /// Nothing was done, and a fresh attempt may fare better.
    Repeat(String),
    /// The commit failed, and nobody knows in which state. To run the job again could do it twice.
    Lost(DieselError),
}

impl Single {
    fn serve(mut self, jobs: &Receiver<Box<dyn Work>>) {
        loop {
            match jobs.recv_timeout(PROBE_EVERY) {
                Ok(job) => self.run(job),
                Err(RecvTimeoutError::Timeout) => self.probe(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Looks whether the database is there, so that the service knows that it cannot write before somebody tries, and
    /// that it can again before anybody dares to.
    fn probe(&mut self) {
        if self.conn.batch_execute("SELECT 1").is_err() {
            self.suspect = true;
        }
        // What it answers is kept in `alive`, and said when it changes.
        let _ = self.reconnect_if_broken();
    }

    fn run(&mut self, mut job: Box<dyn Work>) {
        let started = Stopwatch::now();
        let mut failure = String::new();
        for attempt in 1..=ATTEMPTS_MAX {
            if self.reconnect_if_broken().is_err() {
                job.settle(&Outcome::Unavailable);
                return;
            }
            match self.once(&mut job) {
                Attempt::Settled => {
                    job.settle(&Outcome::Committed);
                    metrics::histogram!("wardbook_write_seconds").record(started.elapsed().as_secs_f64());
                    return;
                }
                Attempt::Repeat(why) => failure = why,
                Attempt::Lost(error) => {
                    let fault = Fault::caused("commit", error);
                    tracing::error!(%fault, "a write failed");
                    job.settle(&Outcome::Failed(&fault));
                    return;
                }
            }
            metrics::counter!("wardbook_write_retries_total").increment(1);
            if started.elapsed() > RACING_MAX {
                break;
            }
            pause(attempt);
        }
        tracing::warn!(last = failure, "a write lost every race");
        job.settle(&Outcome::Contended);
    }

    fn reconnect_if_broken(&mut self) -> Result<(), Fault> {
        let reached = if self.suspect || is_broken(&mut self.conn) {
            connect(&self.url, Access::Write).map(|conn| {
                self.conn = conn;
                self.suspect = false;
            })
        } else {
            Ok(())
        };
        let before = self.alive.swap(reached.is_ok(), Ordering::SeqCst);
        match &reached {
            Err(fault) if before => tracing::error!(%fault, "a writer cannot reach the database"),
            Ok(()) if !before => tracing::info!("a writer reaches the database again"),
            _ => {}
        }
        reached
    }

    /// Begins, runs and ends one transaction by hand rather than with diesel's `transaction`, which does not tell a
    /// failed BEGIN from a failed COMMIT: the one may be repeated, the other may not.
    fn once(&mut self, job: &mut Box<dyn Work>) -> Attempt {
        // Said each time, although the session has it as its default: what a pooler does with sessions is not known here.
        if let Err(error) = self.conn.batch_execute("BEGIN ISOLATION LEVEL SERIALIZABLE") {
            self.suspect = true;
            return Attempt::Repeat(error.to_string());
        }
        let now = self.clock.now();
        let today = self.clock.day_of(now);
        match job.attempt(&mut Tx::new(&mut self.conn, (now, today))) {
            Verdict::Keep => self.commit(),
            Verdict::Undo => {
                self.roll_back();
                Attempt::Settled
            }
            Verdict::Again => {
                self.roll_back();
                Attempt::Repeat(job.trouble())
            }
        }
    }

    fn commit(&mut self) -> Attempt {
        // PostgreSQL answers COMMIT with success even when it rolls back, because a statement failed before and the job
        // went on regardless. The SELECT fails then, and costs no way over the network of its own.
        let Err(error) = self.conn.batch_execute("SELECT 1; COMMIT") else {
            return Attempt::Settled;
        };
        self.roll_back();
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => {
                Attempt::Repeat(error.to_string())
            }
            error => Attempt::Lost(error),
        }
    }

    fn roll_back(&mut self) {
        if self.conn.batch_execute("ROLLBACK").is_err() {
            self.suspect = true;
        }
    }
}

/// Waits a little longer after every lost race, unevenly, so that the same two do not meet again.
fn pause(attempt: u32) {
    let spread = crate::kernel::id::random::<1>().map_or(128, |[byte]| u64::from(byte));
    let ceiling_micros = 400_u64.saturating_mul(1 << attempt.min(8));
    std::thread::sleep(Duration::from_micros(ceiling_micros.saturating_mul(spread) / 256));
}
