//! A seat that one instance at a time may hold: the sequencer's, the scheduler's. On PostgreSQL an advisory lock of a
//! connection of its own, so that it is free again the moment its holder dies, however that comes about, and everything
//! its holder does is done on that very connection: a holder that lost the seat can change nothing any more. On SQLite
//! there is one process, and the seat is always its own.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer};

use crate::db::conn::{Access, Conn, DatabaseUrl, connect, is_broken, transaction};
use crate::kernel::refusal::{Answer, Fault};

/// A seat, held or not.
pub struct Seat {
    url: DatabaseUrl,
    lock: i64,
    held: Option<Held>,
    waiting: Option<Conn>,
}

/// What holds a seat.
struct Held {
    conn: Conn,
    /// The process of the server that has the lock; none on SQLite.
    backend: Option<i32>,
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = Bool)]
    taken: bool,
    #[diesel(sql_type = Integer)]
    backend: i32,
}

#[derive(QueryableByName)]
struct Backend {
    #[diesel(sql_type = Integer)]
    backend: i32,
}

impl Seat {
    /// A seat that is not held yet; `lock` is its number, the same in all instances.
    pub fn new(url: DatabaseUrl, lock: i64) -> Self {
        Self {
            url,
            lock,
            held: None,
            waiting: None,
        }
    }

    /// Takes the seat if it is free; true if it is held afterwards.
    ///
    /// # Errors
    /// A fault if the database cannot be asked.
    pub fn take(&mut self) -> Result<bool, Fault> {
        if self.held.as_mut().is_some_and(|held| !is_broken(&mut held.conn)) {
            return Ok(true);
        }
        self.held = None;
        let mut conn = match self.waiting.take() {
            Some(conn) => conn,
            None => self.connect()?,
        };
        let (taken, backend) = match &mut conn {
            Conn::Sqlite(_) => (true, None),
            Conn::Postgres(c) => {
                let query = "SELECT pg_try_advisory_lock($1) AS taken, pg_backend_pid() AS backend";
                let answer = diesel::sql_query(query)
                    .bind::<BigInt, _>(self.lock)
                    .get_result::<Taken>(c)
                    .map_err(|error| Fault::caused("ask for a seat", error))?;
                (answer.taken, Some(answer.backend))
            }
        };
        if taken {
            self.held = Some(Held { conn, backend });
        } else {
            self.waiting = Some(conn);
        }
        Ok(taken)
    }

    fn connect(&self) -> Result<Conn, Fault> {
        let mut conn = connect(&self.url, Access::Write)?;
        if let Conn::Postgres(c) = &mut conn {
            // The lock already keeps others out; serialisable would only make the holder collide with every writer.
            c.batch_execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED")
                .map_err(|error| Fault::caused("set up a seat", error))?;
        }
        Ok(conn)
    }

    /// Runs `work` in one transaction on the connection that holds the seat.
    ///
    /// # Errors
    /// What `work` answers; a fault if the seat is not held, if a pooler has put another process of the server behind the
    /// connection than the one that has the lock, or if the transaction fails.
    pub fn transaction<T>(&mut self, work: impl FnOnce(&mut Conn) -> Answer<T>) -> Answer<T> {
        let Held { conn, backend } = self
            .held
            .as_mut()
            .ok_or_else(|| Fault::broken("the seat is not held"))?;
        let backend = *backend;
        transaction(conn, |conn| {
            refuse_other_backend(conn, backend)?;
            work(conn)
        })
    }

    /// Gives the seat up.
    pub fn leave(&mut self) {
        self.held = None;
        self.waiting = None;
    }
}

/// Refuses to go on behind a pooler that gives each transaction another process of the server: the lock belongs to one of
/// them, and then keeps nobody out.
fn refuse_other_backend(conn: &mut Conn, expected: Option<i32>) -> Result<(), Fault> {
    let (Conn::Postgres(c), Some(expected)) = (conn, expected) else {
        return Ok(());
    };
    let found: Backend = diesel::sql_query("SELECT pg_backend_pid() AS backend")
        .get_result(c)
        .map_err(|error| Fault::caused("ask which process of the server this is", error))?;
    if found.backend == expected {
        return Ok(());
    }
    Err(Fault::broken(
        "database_url leads through a pooler that changes the server's process between two transactions; the seat that \
         one instance may hold cannot be kept there. Use session pooling, or PostgreSQL's own address",
    ))
}
