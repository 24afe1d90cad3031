//! How long the statements of a PostgreSQL connection take, and what follows for an error that diesel has no name for: it
//! knows a few SQLSTATEs and calls the rest, a deadlock and a timeout among them, unknown. Time tells them apart, because
//! PostgreSQL looks for a deadlock only when a lock has been waited for longer than its `deadlock_timeout`, and ends a
//! statement only when its `statement_timeout` is over. Never looks at a message, which a server says in its own language.

use std::cell::Cell;
use std::time::{Duration, Instant as Stopwatch};

use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// What an error without a name was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unnamed {
    /// The statement took as long as any may: it was ended.
    TimedOut,
    /// It took so long that it must have waited for somebody else's lock: a deadlock, or a lock that nobody let go.
    Raced,
    /// It failed for reasons of its own, and would fail again.
    Broken,
}

/// The times of a connection that decide.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// After which a statement is ended; none if it never is.
    pub statement: Option<Duration>,
    /// For which a lock is waited for before a deadlock is looked for.
    pub deadlock: Duration,
}

impl Limits {
    /// What an unnamed error was that came after so long. The server begins to count later than we do and ends before us, so
    /// that what is shorter by our clock is shorter by its own.
    fn judge(&self, took: Duration) -> Unnamed {
        match self.statement {
            Some(limit) if took >= limit => Unnamed::TimedOut,
            _ if took >= self.deadlock => Unnamed::Raced,
            _ => Unnamed::Broken,
        }
    }
}

thread_local! {
    /// Of the statement that this thread ran last, if it failed without a name. A statement and its error never leave their
    /// thread before the error has become a [`Stop`](crate::kernel::refusal::Stop).
    static LAST: Cell<Option<Unnamed>> = const { Cell::new(None) };
}

/// What the unnamed error of this thread's last statement was; nothing of SQLite's, whose statements are not timed.
pub fn last() -> Option<Unnamed> {
    LAST.take()
}

/// Times the statements of one connection.
pub struct Pace {
    limits: Limits,
    begun: Stopwatch,
}

impl Pace {
    /// For a connection with these limits.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            begun: Stopwatch::now(),
        }
    }
}

impl Instrumentation for Pace {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { .. } => {
                self.begun = Stopwatch::now();
                LAST.set(None);
            }
            InstrumentationEvent::FinishQuery {
                error: Some(DieselError::DatabaseError(DatabaseErrorKind::Unknown, _)),
                ..
            } => LAST.set(Some(self.limits.judge(self.begun.elapsed()))),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_tells_a_timeout_from_a_race_and_both_from_a_bug() {
        let seconds = Duration::from_secs;
        let limits = Limits {
            statement: Some(seconds(20)),
            deadlock: seconds(1),
        };
        for (took, expected) in [
            (Duration::ZERO, Unnamed::Broken),
            (Duration::from_millis(999), Unnamed::Broken),
            (seconds(1), Unnamed::Raced),
            (seconds(10), Unnamed::Raced),
            (seconds(20), Unnamed::TimedOut),
        ] {
            assert_eq!(limits.judge(took), expected, "{took:?}");
        }
        let endless = Limits {
            statement: None,
            ..limits
        };
        assert_eq!(endless.judge(seconds(3_600)), Unnamed::Raced);
    }
}
