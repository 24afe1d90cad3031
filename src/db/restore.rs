//! Loads an archive into an empty database of either kind: all of it, or nothing. Like a migration it is no act and goes
//! round the writer; whoever calls it checks, before the commit, that the log which was loaded holds. Never touches a
//! database that holds anything.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Date, Nullable, Text, Timestamp};
use diesel::sqlite::Sqlite;

use crate::db::archive::{Cell, Header, KeyFile, Trailer};
use crate::db::archive_reading::{Item, Reader};
use crate::db::backup::{PROGRESS_EVERY, Progress};
use crate::db::conn::{Access, Conn, DatabaseUrl, connect, transaction};
use crate::db::guards::{self, Guards};
use crate::db::layout::{self, Kind, Table, quoted};
use crate::db::migrate;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::{ZONE_DEFAULT, local_date};
use crate::kernel::refusal::{Answer, Fault, Stop};

/// Values in one INSERT: half of what SQLite allows.
const BATCH_CELLS_MAX: usize = 16_000;
/// Bytes in one INSERT, beyond which no further row is added to it.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// What an archive holds besides its rows.
#[derive(Debug)]
pub struct Contents {
    /// The header.
    pub header: Header,
    /// The keys.
    pub keys: Vec<KeyFile>,
    /// The end.
    pub trailer: Trailer,
}

fn open(path: &Path) -> Result<(Header, Reader<BufReader<File>>), Fault> {
    let file = File::open(path).map_err(|error| Fault::caused(format!("open {}", path.display()), error))?;
    Reader::open(BufReader::new(file))
}

/// Reads an archive from beginning to end and keeps nothing but what is not rows: that it is whole is known before
/// anything is written.
///
/// # Errors
/// A fault if it cannot be read or is damaged.
pub fn examine(path: &Path) -> Result<Contents, Fault> {
    let (header, mut reader) = open(path)?;
    let mut keys = Vec::new();
    loop {
        match reader.next_item()? {
            Item::Key(key) => keys.push(key),
            Item::Table(_) | Item::Row(_) => {}
            Item::End(trailer) => {
                return Ok(Contents {
                    header,
                    keys,
                    trailer,
                });
            }
        }
    }
}

/// Refuses a database that an archive may not be loaded into: one with a row in any table, or with tables of somebody
/// else.
///
/// # Errors
/// A fault that says what is in the way.
pub fn refuse_unless_empty(conn: &mut Conn) -> Result<(), Fault> {
    let tables = layout::tables(conn)?;
    let occupied = layout::occupied(conn, &tables)?;
    let in_the_way: Vec<&str> = if layout::migrations(conn)?.is_empty() {
        tables.iter().map(|table| table.name.as_str()).collect()
    } else {
        occupied.iter().map(String::as_str).collect()
    };
    if in_the_way.is_empty() {
        return Ok(());
    }
    Err(Fault::broken(format!(
        "the database is not empty (it has {}); a backup is only restored into an empty one, so that nothing is ever \
         lost by restoring. Nothing was changed",
        in_the_way.join(", ")
    )))
}

/// As [`refuse_unless_empty`], for a database that is not opened yet and may not exist.
///
/// # Errors
/// As [`refuse_unless_empty`].
pub fn refuse_unless_empty_at(url: &DatabaseUrl) -> Result<(), Fault> {
    if let DatabaseUrl::Sqlite(path) = url
        && std::fs::metadata(path).map_or(true, |file| file.len() == 0)
    {
        return Ok(());
    }
    refuse_unless_empty(&mut connect(url, Access::Read)?)
}

/// Loads the archive that was examined, in one transaction with the migrations it needs, brings the database up to this
/// binary's schema, and lets `complete` judge and finish the work before it is committed.
///
/// # Errors
/// A fault if the database is not empty, the archive is a newer wardbook's or not the one that was examined; what
/// `complete` answers. Nothing is changed then.
pub fn load<T>(
    url: &DatabaseUrl,
    path: &Path,
    contents: &Contents,
    now: Instant,
    progress: Progress<'_>,
    complete: impl FnOnce(&mut Tx<'_>) -> Answer<T>,
) -> Answer<T> {
    // A server that is started meanwhile waits for the lock, and then finds the restored ward.
    migrate::locked(url, |conn| {
        if let Conn::Postgres(c) = conn {
            c.batch_execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
                .map_err(|error| Fault::caused("set up PostgreSQL", error))?;
        }
        let loaded = transaction(conn, |conn| {
            refuse_unless_empty(conn)?;
            migrate::up_to(conn, &contents.header.migrations)?;
            let (_, mut reader) = open(path)?;
            let trailer = rows(conn, &mut reader, progress)?;
            if trailer != contents.trailer {
                return Err(Fault::broken("the file was changed while it was being restored").into());
            }
            migrate::up_within(conn)?;
            complete(&mut Tx::new(conn, (now, local_date(now, ZONE_DEFAULT))))
        });
        // A refusal means nothing to a caller who has no request; the command tells it in words like any fault.
        loaded.map_err(|stop| match stop {
            Stop::Fault(fault) => fault,
            refused @ Stop::Refused(_) => Fault::caused("restore", refused),
        })
    })
    .map_err(Stop::Fault)
}

/// Puts the rows of an archive into the tables of the same names; within a transaction, into tables that hold nothing of
/// the ward's.
///
/// # Errors
/// As [`load`].
pub fn rows<R: std::io::BufRead>(
    conn: &mut Conn,
    reader: &mut Reader<R>,
    progress: Progress<'_>,
) -> Answer<Trailer> {
    let tables = layout::tables(conn)?;
    let aside = Guards::set_aside(conn)?;
    guards::empty(conn, &tables)?;
    let mut wanted: BTreeMap<&str, &Table> =
        tables.iter().map(|table| (table.name.as_str(), table)).collect();
    let mut batch: Option<Batch> = None;
    let trailer = loop {
        match reader.next_item()? {
            Item::Key(_) => {}
            Item::Table(table) => {
                finish(conn, batch.take(), progress)?;
                if !wanted
                    .remove(table.name.as_str())
                    .is_some_and(|ours| ours.matches(&table))
                {
                    return Err(Fault::broken(format!(
                        "the backup's table {} is not one that its migrations make",
                        table.name
                    ))
                    .into());
                }
                batch = Some(Batch::of(table));
            }
            Item::Row(row) => {
                let batch = batch
                    .as_mut()
                    .ok_or_else(|| Fault::broken("a row without a table"))?;
                if batch.is_full(&row) {
                    batch.insert(conn)?;
                }
                batch.push(row);
                if batch.rows % PROGRESS_EVERY == 0 {
                    progress(&batch.table.name, batch.rows);
                }
            }
            Item::End(trailer) => break trailer,
        }
    };
    finish(conn, batch, progress)?;
    if let Some(missing) = wanted.keys().next() {
        return Err(Fault::broken(format!("the backup lacks the table {missing}")).into());
    }
    aside.put_back(conn)?;
    Ok(trailer)
}

fn finish(conn: &mut Conn, batch: Option<Batch>, progress: Progress<'_>) -> Result<(), Fault> {
    if let Some(mut batch) = batch {
        batch.insert(conn)?;
        progress(&batch.table.name, batch.rows);
    }
    Ok(())
}

/// Rows of one table that wait to be inserted together.
struct Batch {
    table: Table,
    cells: Vec<Cell>,
    weight: usize,
    /// Rows of the table so far, inserted or waiting.
    rows: u64,
}

/// A statement of the batch's SQL with all of its values; a macro, because the two databases' statements are two types.
macro_rules! bound {
    ($database:ty, $sql:expr, $batch:expr) => {{
        let mut query = diesel::sql_query($sql).into_boxed::<$database>();
        let width = $batch.table.columns.len();
        for (place, cell) in $batch.cells.drain(..).enumerate() {
            let kind = $batch.table.columns.get(place % width).map(|column| column.kind);
            query = match (cell, kind) {
                (Cell::BigInt(value), _) => query.bind::<BigInt, _>(value),
                (Cell::Text(value), _) => query.bind::<Text, _>(value),
                (Cell::Bool(value), _) => query.bind::<Bool, _>(value),
                (Cell::Timestamp(value), _) => query.bind::<Timestamp, _>(value),
                (Cell::Date(value), _) => query.bind::<Date, _>(value),
                (Cell::Binary(value), _) => query.bind::<Binary, _>(value),
                // PostgreSQL asks even of a NULL what type it would have.
                (Cell::Null, Some(Kind::BigInt)) => query.bind::<Nullable<BigInt>, _>(None::<i64>),
                (Cell::Null, Some(Kind::Bool)) => query.bind::<Nullable<Bool>, _>(None::<bool>),
                (Cell::Null, Some(Kind::Timestamp)) => {
                    query.bind::<Nullable<Timestamp>, _>(None::<chrono::NaiveDateTime>)
                }
                (Cell::Null, Some(Kind::Date)) => query.bind::<Nullable<Date>, _>(None::<chrono::NaiveDate>),
                (Cell::Null, Some(Kind::Binary)) => query.bind::<Nullable<Binary>, _>(None::<Vec<u8>>),
                (Cell::Null, _) => query.bind::<Nullable<Text>, _>(None::<String>),
            };
        }
        query
    }};
}

impl Batch {
    fn of(table: Table) -> Self {
        Self {
            table,
            cells: Vec::new(),
            weight: 0,
            rows: 0,
        }
    }

    fn is_full(&self, next: &[Cell]) -> bool {
        self.cells.len() + next.len() > BATCH_CELLS_MAX || self.weight > BATCH_BYTES_MAX
    }

    fn push(&mut self, row: Vec<Cell>) {
        self.weight += row.iter().map(Cell::weight).sum::<usize>();
        self.cells.extend(row);
        self.rows += 1;
    }

    fn insert(&mut self, conn: &mut Conn) -> Result<(), Fault> {
        let rows = self.cells.len() / self.table.columns.len();
        if rows == 0 {
            return Ok(());
        }
        self.weight = 0;
        let sql = self.statement(rows, matches!(conn, Conn::Postgres(_)));
        let inserted = match conn {
            Conn::Sqlite(c) => bound!(Sqlite, sql, self).execute(c),
            Conn::Postgres(c) => bound!(Pg, sql, self).execute(c),
        }
        .map_err(|error| Fault::caused(format!("load {}", self.table.name), error))?;
        if inserted == rows {
            Ok(())
        } else {
            Err(Fault::broken(format!(
                "{inserted} of {rows} rows of {} were loaded",
                self.table.name
            )))
        }
    }

    fn statement(&self, rows: usize, numbered: bool) -> String {
        let names: Vec<String> = self
            .table
            .columns
            .iter()
            .map(|column| quoted(&column.name))
            .collect();
        let width = names.len();
        let values: Vec<String> = (0..rows)
            .map(|row| {
                let places: Vec<String> = (1..=width)
                    .map(|place| match numbered {
                        true => format!("${}", row * width + place),
                        false => "?".to_owned(),
                    })
                    .collect();
                format!("({})", places.join(", "))
            })
            .collect();
        format!(
            "INSERT INTO {} ({}) VALUES {}",
            quoted(&self.table.name),
            names.join(", "),
            values.join(", ")
        )
    }
}
