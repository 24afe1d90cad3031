//! Migrations: embedded, the same names on both databases, run at start under a lock. A database that knows a
//! migration which this binary does not is newer than the binary, and is refused rather than guessed at.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::db::conn::{Access, Conn, DatabaseUrl, connect};
use crate::kernel::refusal::Fault;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// PostgreSQL's advisory lock while migrations run: any number, but always the same.
const LOCK: i64 = 0x7761_7264_0001;

/// What is applied and what is not, by version.
#[derive(Debug, PartialEq, Eq)]
pub struct Status {
    /// Versions in the database, oldest first.
    pub applied: Vec<String>,
    /// Versions that this binary has and the database has not, oldest first.
    pub pending: Vec<String>,
}

/// Brings the database up to this binary's schema and returns the versions that were applied now.
///
/// # Errors
/// A fault if the database is newer than the binary, cannot be locked, or refuses a migration.
pub fn up(url: &DatabaseUrl) -> Result<Vec<String>, Fault> {
    locked(url, |conn| {
        refuse_newer(conn)?;
        up_within(conn)
    })
}

/// As [`up`], on a connection that has the lock.
///
/// # Errors
/// A fault if a migration is refused.
pub(crate) fn up_within(conn: &mut Conn) -> Result<Vec<String>, Fault> {
    let done = match conn {
        Conn::Sqlite(c) => names(c.run_pending_migrations(SQLITE)),
        Conn::Postgres(c) => names(c.run_pending_migrations(POSTGRES)),
    };
    done.map_err(|error| Fault::caused("run migrations", error))
}

/// Brings the database to exactly these migrations, those of an archive; on a connection that has the lock.
///
/// # Errors
/// A fault if this binary does not know one of them, or the database has others already.
pub(crate) fn up_to(conn: &mut Conn, wanted: &[String]) -> Result<(), Fault> {
    let known = known_versions(conn)?;
    let unknown: Vec<&str> = wanted
        .iter()
        .filter(|version| !known.contains(version))
        .map(String::as_str)
        .collect();
    if !unknown.is_empty() {
        return Err(Fault::broken(format!(
            "this backup was made by a newer wardbook (it has the migration {}); restore it with that version or a \
             later one. Nothing was changed",
            unknown.join(", ")
        )));
    }
    let mut status = status_of(conn)?;
    while status.pending.first().is_some_and(|next| wanted.contains(next)) {
        match conn {
            Conn::Sqlite(c) => c.run_next_migration(SQLITE).map(|_| ()),
            Conn::Postgres(c) => c.run_next_migration(POSTGRES).map(|_| ()),
        }
        .map_err(|error| Fault::caused("run migrations", error))?;
        status = status_of(conn)?;
    }
    if status.applied == wanted {
        return Ok(());
    }
    Err(Fault::broken(format!(
        "this backup is of a database with the migrations {}, but the database has {}; restore into a new one. Nothing \
         was changed",
        wanted.join(", "),
        status.applied.join(", ")
    )))
}

/// Takes the newest `count` migrations back and returns their versions.
///
/// # Errors
/// As [`up`].
pub fn down(url: &DatabaseUrl, count: usize) -> Result<Vec<String>, Fault> {
    locked(url, |conn| {
        refuse_newer(conn)?;
        let mut reverted = Vec::new();
        for _ in 0..count {
            if status_of(conn)?.applied.is_empty() {
                break;
            }
            let version = match conn {
                Conn::Sqlite(c) => c.revert_last_migration(SQLITE).map(|version| version.to_string()),
                Conn::Postgres(c) => c
                    .revert_last_migration(POSTGRES)
                    .map(|version| version.to_string()),
            };
            reverted.push(version.map_err(|error| Fault::caused("take a migration back", error))?);
        }
        Ok(reverted)
    })
}

/// What is applied and what is pending.
///
/// # Errors
/// A fault if the database cannot be read.
pub fn status(url: &DatabaseUrl) -> Result<Status, Fault> {
    status_of(&mut connect(url, Access::Write)?)
}

/// Refuses a database that a newer binary has migrated.
///
/// # Errors
/// A fault that names the unknown versions.
pub fn refuse_newer(conn: &mut Conn) -> Result<(), Fault> {
    let known: BTreeSet<String> = known_versions(conn)?.into_iter().collect();
    let unknown: Vec<String> = status_of(conn)?
        .applied
        .into_iter()
        .filter(|version| !known.contains(version))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Fault::broken(format!(
        "this database was migrated by a newer wardbook (it has {}); run that version or a later one",
        unknown.join(", ")
    )))
}

fn status_of(conn: &mut Conn) -> Result<Status, Fault> {
    let applied = match conn {
        Conn::Sqlite(c) => names(c.applied_migrations()),
        Conn::Postgres(c) => names(c.applied_migrations()),
    };
    let mut applied = applied.map_err(|error| Fault::caused("read the applied migrations", error))?;
    applied.sort();
    let pending = known_versions(conn)?
        .into_iter()
        .filter(|version| !applied.contains(version))
        .collect();
    Ok(Status { applied, pending })
}

fn known_versions(conn: &Conn) -> Result<Vec<String>, Fault> {
    let known = match conn {
        Conn::Sqlite(_) => versions::<diesel::sqlite::Sqlite>(&SQLITE),
        Conn::Postgres(_) => versions::<diesel::pg::Pg>(&POSTGRES),
    };
    let mut known = known.map_err(|error| Fault::caused("read the embedded migrations", error))?;
    known.sort();
    Ok(known)
}

fn versions<DB: diesel::backend::Backend>(
    source: &impl MigrationSource<DB>,
) -> diesel::migration::Result<Vec<String>> {
    let migrations: Vec<Box<dyn Migration<DB>>> = source.migrations()?;
    Ok(migrations
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect())
}

fn names<'m>(
    versions: diesel::migration::Result<Vec<MigrationVersion<'m>>>,
) -> diesel::migration::Result<Vec<String>> {
    Ok(versions?.iter().map(ToString::to_string).collect())
}

/// Runs `work` while no other process migrates the same database.
pub(crate) fn locked<T>(
    url: &DatabaseUrl,
    work: impl FnOnce(&mut Conn) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let _file = match url {
        DatabaseUrl::Sqlite(path) => {
            let lock = lock_file(path)?;
            make_privately(path)?;
            Some(lock)
        }
        DatabaseUrl::Postgres(_) => None,
    };
    let mut conn = connect(url, Access::Write)?;
    if let Conn::Postgres(c) = &mut conn {
        // Others wait as long as a migration takes, and a migration takes as long as it takes.
        c.batch_execute("SET lock_timeout = 0; SET statement_timeout = 0")
            .map_err(|error| Fault::caused("lock the database for migration", error))?;
        // Held by the session: it goes when the connection does, however that comes about.
        diesel::sql_query("SELECT pg_advisory_lock($1)")
            .bind::<diesel::sql_types::BigInt, _>(LOCK)
            .execute(c)
            .map_err(|error| Fault::caused("lock the database for migration", error))?;
    }
    work(&mut conn)
}

fn lock_file(database: &Path) -> Result<File, Fault> {
    let path = database.with_extension("lock");
    let file = private(OpenOptions::new().create(true).append(true))
        .open(&path)
        .map_err(|error| Fault::caused(format!("create {}", path.display()), error))?;
    file.lock()
        .map_err(|error| Fault::caused(format!("lock {}", path.display()), error))?;
    Ok(file)
}

/// Makes the database's file, empty, if it is missing: SQLite would make it readable for everyone, and gives its companions
/// the mode of this one. A file that is there is not even opened, because closing it would take away the locks of whoever
/// in this process is using it.
fn make_privately(database: &Path) -> Result<(), Fault> {
    match private(OpenOptions::new().create_new(true).write(true)).open(database) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(Fault::caused(format!("create {}", database.display()), error))
        }
        _ => Ok(()),
    }
}

/// What is made is its owner's alone.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}
