//! Connections: one type over two databases, chosen by the URL's scheme, and how each is set up. Holds no SQL of
//! the ward; everything that differs between the databases and is not a statement of a slice lives in `db/`.

#![expect(
    clippy::disallowed_methods,
    reason = "diesel's macro passes begin_test_transaction on, and here transactions are made"
)]

use std::borrow::Cow;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::R2D2Connection;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::BigInt;

use crate::db::pace::{self, Pace, Unnamed};
use crate::kernel::refusal::{Answer, Fault, Kind, Reason, Stop};

/// The database ended a statement that took too long.
pub static DATABASE_TIMED_OUT: Reason = Reason::new(
    Kind::Busy,
    "database_timed_out",
    "数据库处理超时，未作任何更改",
    "The database took too long over this; nothing was changed",
);

/// A connection to either database. Queries written with diesel's builder run on it as they are; what they cannot
/// say the same way on both goes through [`both!`](crate::both).
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// A SQLite file.
    Sqlite(SqliteConnection),
    /// PostgreSQL, or a database that speaks its protocol.
    Postgres(PgConnection),
}

/// Runs one expression on whichever database the connection is of: `both!(conn, c => query.execute(c))`. For
/// ON CONFLICT, batch inserts and the few statements whose SQL differs; and for statements that are run for every request
/// or event, because on the enum diesel writes their SQL out anew every time, and on the connection itself only once. Only
/// `store.rs` files use it.
#[macro_export]
macro_rules! both {
    ($conn:expr, $c:ident => $expr:expr) => {
        match $conn {
            $crate::db::conn::Conn::Sqlite($c) => $expr,
            $crate::db::conn::Conn::Postgres($c) => $expr,
        }
    };
}

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite://path`: the file's path; made if it is missing.
    Sqlite(PathBuf),
    /// `postgres://…`: as libpq reads it, password included.
    Postgres(String),
}

/// Why a text is not a database URL that this build can use.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// Neither `sqlite:` nor `postgres:`.
    #[error("a database URL begins with sqlite:// or postgres://")]
    Scheme,
    /// `sqlite://` alone.
    #[error("a SQLite URL names a file: sqlite:///var/lib/wardbook/wardbook.db")]
    NoPath,
    /// TLS asked for, but libpq is the bundled one, which has none. Connecting in clear instead would be a lie.
    #[error(
        "this URL asks for TLS (sslmode), but this build's bundled libpq has none; build with \
         --no-default-features --features system-libpq,s3, or reach PostgreSQL over a Unix socket or loopback"
    )]
    NoTls,
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(url: &str) -> Result<Self, DatabaseUrlError> {
        if let Some(path) = url
            .strip_prefix("sqlite://")
            .or_else(|| url.strip_prefix("sqlite:"))
        {
            return if path.is_empty() {
                Err(DatabaseUrlError::NoPath)
            } else {
                Ok(Self::Sqlite(path.into()))
            };
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(DatabaseUrlError::Scheme);
        }
        if cfg!(feature = "bundled-libpq") && asks_for_tls(url) {
            return Err(DatabaseUrlError::NoTls);
        }
        Ok(Self::Postgres(url.to_owned()))
    }
}

/// True if the URL's `sslmode` accepts nothing but TLS. (`prefer` and `allow` fall back by their definition.)
fn asks_for_tls(url: &str) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .any(|(name, value)| name == "sslmode" && matches!(value, "require" | "verify-ca" | "verify-full"))
}

impl std::fmt::Debug for DatabaseUrl {
    /// Never the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => {
                let after = url.rsplit_once('@').map_or(url.as_str(), |(_, after)| after);
                let place = after
                    .split('?')
                    .next()
                    .unwrap_or_default()
                    .trim_start_matches("postgres://");
                write!(f, "postgres://{place}")
            }
        }
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads only; the database itself refuses anything else.
    Read,
    /// The writer's, the sequencer's and migrations'.
    Write,
}

/// Opens a connection and sets it up.
///
/// # Errors
/// A fault if the database cannot be reached or refuses its settings.
pub fn connect(url: &DatabaseUrl, access: Access) -> Result<Conn, Fault> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            let name = path
                .to_str()
                .ok_or_else(|| Fault::broken("the database's path is not valid UTF-8"))?;
            let mut conn = SqliteConnection::establish(name)
                .map_err(|error| Fault::caused(format!("open {}", path.display()), error))?;
            conn.batch_execute(SQLITE_SETUP)
                .map_err(|error| Fault::caused("set up SQLite", error))?;
            let mode = match access {
                Access::Read => "PRAGMA query_only = ON;",
                Access::Write => "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
            };
            conn.batch_execute(mode)
                .map_err(|error| Fault::caused("set up SQLite", error))?;
            Ok(Conn::Sqlite(conn))
        }
        DatabaseUrl::Postgres(target) => {
            let mut conn = PgConnection::establish(&with_defaults(target))
                .map_err(|error| Fault::caused(format!("connect to {url:?}"), error))?;
            let mode = match access {
                Access::Read => POSTGRES_READ,
                Access::Write => POSTGRES_WRITE,
            };
            conn.batch_execute(mode)
                .and_then(|()| limit(&mut conn))
                .map_err(|error| Fault::caused("set up PostgreSQL", error))?;
            Ok(Conn::Postgres(conn))
        }
    }
}

/// The URL with [`POSTGRES_DEFAULTS`] where it says nothing itself.
fn with_defaults(url: &str) -> Cow<'_, str> {
    let (head, query) = url.split_once('?').unwrap_or((url, ""));
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    for default in POSTGRES_DEFAULTS {
        let (name, _) = default.split_once('=').unwrap_or((default, ""));
        let is_given = |pair: &&str| pair.split_once('=').is_some_and(|(given, _)| given == name);
        if !pairs.iter().any(is_given) {
            pairs.push(default);
        }
    }
    format!("{head}?{}", pairs.join("&")).into()
}

#[derive(QueryableByName)]
struct Times {
    #[diesel(sql_type = BigInt)]
    statement_millis: i64,
    #[diesel(sql_type = BigInt)]
    deadlock_millis: i64,
}

/// Limits how long a statement may take, unless the operator has set a stricter limit, and times all that follow.
fn limit(conn: &mut PgConnection) -> QueryResult<()> {
    let millis = |millis: i64| Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
    let given: Times = diesel::sql_query(
        "SELECT (extract(epoch FROM current_setting('statement_timeout')::interval) * 1000)::bigint AS statement_millis, \
         (extract(epoch FROM current_setting('deadlock_timeout')::interval) * 1000)::bigint AS deadlock_millis",
    )
    .get_result(conn)?;
    let statement = match millis(given.statement_millis) {
        given if given.is_zero() || given > STATEMENT_MAX => {
            let most = STATEMENT_MAX.as_millis();
            conn.batch_execute(&format!("SET statement_timeout = {most}"))?;
            STATEMENT_MAX
        }
        stricter => stricter,
    };
    conn.set_instrumentation(Pace::new(pace::Limits {
        statement: Some(statement),
        deadlock: millis(given.deadlock_millis),
    }));
    Ok(())
}

/// How long a statement may take on PostgreSQL: less than a request may, so that its caller is told why.
const STATEMENT_MAX: Duration = Duration::from_secs(20);

/// A server that is not there any more, without having said so, is noticed in half a minute instead of a quarter of an hour.
const POSTGRES_DEFAULTS: [&str; 5] = [
    "connect_timeout=5",
    "keepalives_idle=15",
    "keepalives_interval=5",
    "keepalives_count=3",
    "tcp_user_timeout=30000",
];

/// `busy_timeout` covers a second process (a command run beside the server); WAL lets readers go on meanwhile. Without
/// `recursive_triggers` a REPLACE would delete a row of the log past the trigger that refuses it.
const SQLITE_SETUP: &str = "PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
     PRAGMA recursive_triggers = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768; \
     PRAGMA mmap_size = 268435456;";

/// Serialisable: the same acts are right on both databases, because on SQLite there is only one writer.
/// No reading of whole tables where an index would do: under serialisable isolation that makes every insert into a small table
/// a conflict with every reader of it. Durable before it is answered, whatever the server's default is.
const POSTGRES_WRITE: &str = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE; \
     SET TIME ZONE 'UTC'; SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '60s'; SET enable_seqscan = off; SET synchronous_commit = on; \
     SET application_name = 'wardbook';";

/// One snapshot a transaction, and no way to change anything.
const POSTGRES_READ: &str = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
     SET TIME ZONE 'UTC'; SET application_name = 'wardbook';";

/// Makes and checks pooled read connections.
#[derive(Debug)]
pub struct Readers(pub DatabaseUrl);

impl r2d2::ManageConnection for Readers {
    type Connection = Conn;
    type Error = Fault;

    fn connect(&self) -> Result<Conn, Fault> {
        connect(&self.0, Access::Read)
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), Fault> {
        conn.batch_execute("SELECT 1")
            .map_err(|error| Fault::caused("probe a connection", error))
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        is_broken(conn)
    }
}

/// True if the connection can no longer be used and must be opened anew.
pub fn is_broken(conn: &mut Conn) -> bool {
    std::thread::panicking() || both!(conn, c => R2D2Connection::is_broken(c))
}

/// Runs `work` in one transaction; what it refuses or fails at is undone. For this floor only: everyone else goes through
/// `db.read`, `db.write` or a seat.
///
/// # Errors
/// What `work` answers; a fault if the transaction cannot be begun or ended.
pub(super) fn transaction<T>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Answer<T>) -> Answer<T> {
    enum End {
        Stop(Stop),
        Database(DieselError),
    }
    impl From<DieselError> for End {
        fn from(error: DieselError) -> Self {
            Self::Database(error)
        }
    }
    conn.transaction(|conn| work(conn).map_err(End::Stop))
        .map_err(|end| match end {
            End::Stop(stop) => stop,
            End::Database(error) => error.into(),
        })
}

impl From<DieselError> for Stop {
    /// Any error of the database is a fault; a refusal is decided by a rule before. Those that a lost race can
    /// cause are marked transient: run again, the act sees the winner's row and refuses in its own words. So are those of
    /// a connection that was lost before the commit, because nothing is done then. What diesel has no kind for is told
    /// apart by the time it took; the exception is a statement that took too long, of which the caller is told.
    fn from(error: DieselError) -> Self {
        let unnamed = match &error {
            DieselError::DatabaseError(DatabaseErrorKind::Unknown, _) => pace::last(),
            _ => None,
        };
        if unnamed == Some(Unnamed::TimedOut) {
            tracing::warn!(%error, "the database ended a statement that took too long");
            return DATABASE_TIMED_OUT.refuse().retry_after(5).into();
        }
        let raced = unnamed == Some(Unnamed::Raced)
            || matches!(
                error,
                DieselError::DatabaseError(
                    DatabaseErrorKind::SerializationFailure
                        | DatabaseErrorKind::UniqueViolation
                        | DatabaseErrorKind::ForeignKeyViolation
                        | DatabaseErrorKind::ClosedConnection
                        | DatabaseErrorKind::UnableToSendCommand,
                    _
                )
            );
        let fault = Fault::caused("query the database", error);
        Self::Fault(if raced { fault.transient() } else { fault })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_which_database() {
        assert_eq!(
            "sqlite:///a/b.db".parse(),
            Ok(DatabaseUrl::Sqlite("/a/b.db".into()))
        );
        assert_eq!("sqlite://b.db".parse(), Ok(DatabaseUrl::Sqlite("b.db".into())));
        assert_eq!("sqlite://".parse::<DatabaseUrl>(), Err(DatabaseUrlError::NoPath));
        assert_eq!("mysql://x".parse::<DatabaseUrl>(), Err(DatabaseUrlError::Scheme));
        assert!("postgresql://u@h/d?sslmode=prefer".parse::<DatabaseUrl>().is_ok());
    }

    #[cfg(feature = "bundled-libpq")]
    #[test]
    fn a_build_without_tls_refuses_to_pretend() {
        for mode in ["require", "verify-ca", "verify-full"] {
            let url = format!("postgres://u:p@h/d?application_name=x&sslmode={mode}");
            assert_eq!(url.parse::<DatabaseUrl>(), Err(DatabaseUrlError::NoTls));
        }
        assert!(DatabaseUrlError::NoTls.to_string().contains("system-libpq"));
    }

    #[test]
    fn what_a_url_says_of_a_lost_server_counts() {
        let all = POSTGRES_DEFAULTS.join("&");
        assert_eq!(with_defaults("postgres://h/d"), format!("postgres://h/d?{all}"));
        let own = with_defaults("postgres://h/d?sslmode=prefer&connect_timeout=60&tcp_user_timeout=0");
        assert_eq!(
            own,
            "postgres://h/d?sslmode=prefer&connect_timeout=60&tcp_user_timeout=0&keepalives_idle=15&keepalives_interval=5\
             &keepalives_count=3"
        );
    }

    #[test]
    fn a_url_is_printed_without_its_password() {
        let url: DatabaseUrl = "postgres://ward:s3cret@db.example/book?password=s3cret"
            .parse()
            .unwrap();
        assert_eq!(format!("{url:?}"), "postgres://db.example/book");
        let plain: DatabaseUrl = "postgres:///book?host=/run/pg".parse().unwrap();
        assert!(!format!("{plain:?}").contains("host"));
    }
}
