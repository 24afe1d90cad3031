//! The database as the rest of the house sees it: `read`, `glance` and `write`, and nothing else.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::db::conn::{Access, Conn, DatabaseUrl, Readers, connect, is_broken, transaction};
use crate::db::writer::{BeforeCommit, Tx, Writer, WriterLimits};
use crate::kernel::clock::Clock;
use crate::kernel::refusal::{Answer, Fault, Kind, Reason, Stop};
use crate::kernel::text::Text;

/// The service answers, but changes nothing until an operator has looked.
pub static READ_ONLY: Reason = Reason::new(
    Kind::Busy,
    "read_only",
    "系统当前为只读",
    "The service is read-only at present",
);
/// The database cannot be reached, or every connection has been busy for too long.
pub static DATABASE_UNAVAILABLE: Reason = Reason::new(
    Kind::Busy,
    "database_unavailable",
    "数据库暂时不可用",
    "The database is not available at the moment",
);

/// How long a read waits for a connection.
const READER_WAIT: Duration = Duration::from_secs(5);

/// Sizes of the data layer, all from the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections that read.
    pub readers: usize,
    /// The writer's own.
    pub writer: WriterLimits,
}

/// Both ends of one database. Clones share it.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    serial: u64,
    url: DatabaseUrl,
    primary: DatabaseUrl,
    readers: r2d2::Pool<Readers>,
    /// Of the database that is written to, if reads usually go to a replica.
    primary_readers: Option<r2d2::Pool<Readers>>,
    reader_permits: Semaphore,
    writer: Writer,
    halted: Halting,
}

/// Halts the writing of one database; for those who are inside it and so cannot have it.
#[derive(Clone, Default)]
pub struct Halting(Arc<RwLock<Option<Text>>>);

impl Halting {
    /// From now on nothing is changed, and whoever tries is told why.
    pub fn halt(&self, why: Text) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    fn why(&self) -> Option<Text> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Db {
    /// Opens the database. `read_url` names a replica for reads, if there is one; `before_commit` runs in every
    /// SQLite transaction.
    ///
    /// # Errors
    /// A fault if a connection cannot be opened.
    pub fn open(
        url: &DatabaseUrl,
        read_url: Option<&DatabaseUrl>,
        clock: &Clock,
        limits: Limits,
        before_commit: BeforeCommit,
    ) -> Result<Self, Fault> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let readers_max = limits.readers.clamp(1, 1000);
        let read_url = read_url.unwrap_or(url).clone();
        let writer = Writer::start(url, clock, limits.writer, before_commit)?;
        let pool = |url: &DatabaseUrl| {
            r2d2::Pool::builder()
                .max_size(u32::try_from(readers_max).unwrap_or(1000))
                .min_idle(Some(1))
                .test_on_check_out(matches!(url, DatabaseUrl::Postgres(_)))
                .connection_timeout(READER_WAIT)
                .build(Readers(url.clone()))
                .map_err(|error| Fault::caused("open read connections", error))
        };
        let readers = pool(&read_url)?;
        let primary_readers = (read_url != *url).then(|| pool(url)).transpose()?;
        Ok(Self(Arc::new(Inner {
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            url: read_url,
            primary: url.clone(),
            readers,
            primary_readers,
            reader_permits: Semaphore::new(readers_max),
            writer,
            halted: Halting::default(),
        })))
    }

    /// Runs queries in one snapshot on a thread that may block.
    ///
    /// # Errors
    /// What `query` answers, or [`DATABASE_UNAVAILABLE`].
    pub async fn read<T, F>(&self, query: F) -> Answer<T>
    where
        F: FnOnce(&mut Conn) -> Answer<T> + Send + 'static,
        T: Send + 'static,
    {
        self.when_permitted(move |db| db.read_and_wait(query)).await
    }

    async fn when_permitted<T, F>(&self, read: F) -> Answer<T>
    where
        F: FnOnce(&Self) -> Answer<T> + Send + 'static,
        T: Send + 'static,
    {
        let permit = tokio::time::timeout(READER_WAIT, self.0.reader_permits.acquire())
            .await
            .map_err(|_| DATABASE_UNAVAILABLE.refuse().retry_after(2))?;
        let db = self.clone();
        let done = tokio::task::spawn_blocking(move || read(&db)).await;
        drop(permit);
        done.map_err(|error| Fault::caused("a query panicked", error))?
    }

    /// As [`Self::read`], for commands and threads of their own: the calling thread waits.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_and_wait<T>(&self, query: impl FnOnce(&mut Conn) -> Answer<T>) -> Answer<T> {
        read_with(&self.0.readers, query)
    }

    /// As [`Self::read_and_wait`], but never of a replica, and on a connection of its own: for what a replica's delay would
    /// falsify.
    ///
    /// # Errors
    /// What `query` answers; a fault if the database cannot be reached.
    pub fn read_primary_and_wait<T>(&self, query: impl FnOnce(&mut Conn) -> Answer<T>) -> Answer<T> {
        transaction(&mut connect(&self.0.primary, Access::Read)?, query)
    }

    /// Runs one short query, by a key or of at most one page: on SQLite at once on this thread, whose own connection
    /// saves the way to another thread and back; on PostgreSQL, where it would wait for the network, as
    /// [`Self::read`]. The query is one statement, or does not mind that two see different instants.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn glance<T, F>(&self, query: F) -> Answer<T>
    where
        F: FnOnce(&mut Conn) -> Answer<T> + Send + 'static,
        T: Send + 'static,
    {
        thread_local! {
            static OWN: RefCell<Option<(u64, Conn)>> = const { RefCell::new(None) };
        }
        if matches!(self.0.url, DatabaseUrl::Postgres(_)) {
            return self.read(query).await;
        }
        OWN.with_borrow_mut(|own| {
            if own
                .as_mut()
                .is_none_or(|(serial, conn)| *serial != self.0.serial || is_broken(conn))
            {
                *own = Some((self.0.serial, connect(&self.0.url, Access::Read)?));
            }
            match own {
                Some((_, conn)) => query(conn),
                None => Err(Fault::broken("a thread lost its own connection").into()),
            }
        })
    }

    /// As [`Self::glance`], but never of a replica: for what a replica's delay would keep alive, like a right that was taken.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn glance_primary<T, F>(&self, query: F) -> Answer<T>
    where
        F: FnOnce(&mut Conn) -> Answer<T> + Send + 'static,
        T: Send + 'static,
    {
        match &self.0.primary_readers {
            None => self.glance(query).await,
            Some(_) => {
                let read = move |db: &Self| match &db.0.primary_readers {
                    Some(pool) => read_with(pool, query),
                    None => db.read_and_wait(query),
                };
                self.when_permitted(read).await
            }
        }
    }

    /// Runs an act in a transaction of its own and answers when it is durable.
    ///
    /// # Errors
    /// What the act answers; [`READ_ONLY`]; those of [`Writer::write`].
    pub async fn write<T, F>(&self, act: F) -> Answer<T>
    where
        F: FnMut(&mut Tx<'_>) -> Answer<T> + Send + 'static,
        T: Send + 'static,
    {
        self.refuse_if_halted()?;
        let done = self.0.writer.write(act).await;
        done.map_err(|stop| self.halted_meanwhile(stop))
    }

    /// As [`Self::write`], for commands: the calling thread waits.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_and_wait<T, F>(&self, act: F) -> Answer<T>
    where
        F: FnMut(&mut Tx<'_>) -> Answer<T> + Send + 'static,
        T: Send + 'static,
    {
        self.refuse_if_halted()?;
        let done = self.0.writer.write_and_wait(act);
        done.map_err(|stop| self.halted_meanwhile(stop))
    }

    /// Keeps the house; see [`Writer::upkeep`].
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn upkeep<T, F>(&self, job: F) -> Answer<T>
    where
        F: FnMut(&mut Tx<'_>) -> Answer<T> + Send + 'static,
        T: Send + 'static,
    {
        self.refuse_if_halted()?;
        self.0.writer.upkeep(job).await
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
        self.refuse_if_halted()?;
        self.0.writer.upkeep_and_wait(job)
    }

    /// From now on nothing is changed, and whoever tries is told why.
    pub fn halt(&self, why: Text) {
        self.0.halted.halt(why);
    }

    /// What can halt this database.
    pub fn halting(&self) -> Halting {
        self.0.halted.clone()
    }

    /// Why nothing is changed at present, if so.
    pub fn halted(&self) -> Option<Text> {
        self.0.halted.why()
    }

    fn refuse_if_halted(&self) -> Answer<()> {
        match self.halted() {
            Some(why) => Err(READ_ONLY.because(why).retry_after(60).into()),
            None => Ok(()),
        }
    }

    /// A write that failed because the database was halted while it waited is refused like those that come after it.
    fn halted_meanwhile(&self, stop: Stop) -> Stop {
        match (stop, self.refuse_if_halted()) {
            (Stop::Fault(_), Err(refusal)) => refusal,
            (stop, _) => stop,
        }
    }

    /// Writes waiting in the queue.
    pub fn writes_waiting(&self) -> usize {
        self.0.writer.waiting()
    }

    /// True while writes can be done.
    pub fn writer_is_alive(&self) -> bool {
        self.0.writer.is_alive()
    }

    /// Takes no more writes and returns when every waiting one is answered.
    pub fn drain(&self) {
        self.0.writer.drain();
    }
}

fn read_with<T>(pool: &r2d2::Pool<Readers>, query: impl FnOnce(&mut Conn) -> Answer<T>) -> Answer<T> {
    let mut conn = pool.get().map_err(|error| {
        tracing::warn!(%error, "no read connection");
        DATABASE_UNAVAILABLE.refuse().retry_after(2)
    })?;
    // One transaction, so that all statements see the same instant of the database.
    match transaction(&mut conn, query) {
        // Lost on the way: not a bug, and the next connection will do.
        Err(Stop::Fault(fault)) if is_broken(&mut conn) => {
            tracing::warn!(%fault, "a read connection was lost");
            Err(DATABASE_UNAVAILABLE.refuse().retry_after(2).into())
        }
        answer => answer,
    }
}
