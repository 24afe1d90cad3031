//! Writes the whole database into an archive, from one snapshot, while others go on writing. Row by row: neither a table
//! nor a page of it is ever in memory. Changes nothing.

use std::io::Write;

use chrono::{NaiveDate, NaiveDateTime};
use diesel::backend::Backend;
use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::deserialize::{self, FromSql, QueryableByName};
use diesel::pg::{Pg, PgRowByRowLoadingMode};
use diesel::prelude::*;
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_types::{BigInt, Binary, Bool, Date, Text, Timestamp};
use diesel::sqlite::{Sqlite, SqliteType};

use crate::db::archive::{Cell, Header, KeyFile, Trailer};
use crate::db::archive_writing::Writer;
use crate::db::conn::{Access, Conn, DatabaseUrl, connect, transaction};
use crate::db::layout::{self, Kind, Table, quoted};
use crate::kernel::refusal::{Answer, Fault};

/// After how many rows of a table its progress is told again.
pub const PROGRESS_EVERY: u64 = 50_000;

/// Told which table is at how many rows: now and then, and when it is done.
pub type Progress<'a> = &'a mut dyn FnMut(&str, u64);

/// What stands before the tables.
pub struct Preface {
    /// The header.
    pub header: Header,
    /// Keys to go with it.
    pub keys: Vec<KeyFile>,
}

/// Writes an archive. `preface` is asked within the snapshot, and given the applied migrations.
///
/// # Errors
/// A fault if the database cannot be read or the archive not written; what `preface` answers.
pub fn write<W: Write>(
    url: &DatabaseUrl,
    out: W,
    preface: impl FnOnce(&mut Conn, Vec<String>) -> Answer<Preface>,
    progress: Progress<'_>,
) -> Answer<(Header, Trailer, W)> {
    let mut conn = connect(url, Access::Read)?;
    if let Conn::Postgres(c) = &mut conn {
        // A large table takes as long as it takes; meanwhile it holds nobody up.
        c.batch_execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")?;
    }
    transaction(&mut conn, |conn| {
        let migrations = layout::migrations(conn)?;
        let Preface { header, keys } = preface(conn, migrations)?;
        let mut writer = Writer::begin(out, &header)?;
        for key in &keys {
            writer.key(key)?;
        }
        for table in layout::tables(conn)? {
            self::table(conn, &table, &mut writer, progress)?;
        }
        let (trailer, out) = writer.end()?;
        Ok((header, trailer, out))
    })
}

/// Writes one table, in the order of its primary key.
///
/// # Errors
/// As [`write`].
pub fn table<W: Write>(
    conn: &mut Conn,
    table: &Table,
    writer: &mut Writer<W>,
    progress: Progress<'_>,
) -> Answer<()> {
    writer.table(table)?;
    let query = diesel::sql_query(selection(table));
    let mut rows = 0;
    let mut each = |read: QueryResult<Cells>| -> Result<(), Fault> {
        let Cells(cells) = read.map_err(|error| Fault::caused(format!("read {}", table.name), error))?;
        rows = writer.row(&cells)?;
        if rows % PROGRESS_EVERY == 0 {
            progress(&table.name, rows);
        }
        Ok(())
    };
    match conn {
        Conn::Sqlite(c) => query
            .load_iter::<Cells, DefaultLoadingMode>(c)?
            .try_for_each(&mut each)?,
        // Otherwise libpq would gather the whole answer before the first row is seen.
        Conn::Postgres(c) => query
            .load_iter::<Cells, PgRowByRowLoadingMode>(c)?
            .try_for_each(&mut each)?,
    }
    progress(&table.name, rows);
    Ok(())
}

/// Every column goes under the name of its type, because a row that is read knows its columns' names and nothing else of
/// them.
fn selection(table: &Table) -> String {
    let name = quoted(&table.name);
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            format!(
                "{name}.{} AS {}",
                quoted(&column.name),
                quoted(&alias(column.kind))
            )
        })
        .collect();
    let order: Vec<String> = if table.key.is_empty() {
        table.columns.iter().map(|column| &column.name).collect()
    } else {
        table.key.iter().collect::<Vec<_>>()
    }
    .into_iter()
    .map(|column| format!("{name}.{}", quoted(column)))
    .collect();
    format!(
        "SELECT {} FROM {name} ORDER BY {}",
        columns.join(", "),
        order.join(", ")
    )
}

fn alias(kind: Kind) -> String {
    format!("as {}", kind.name())
}

/// A row of any table.
struct Cells(Vec<Cell>);

impl<DB> QueryableByName<DB> for Cells
where
    DB: Backend + Typed,
    i64: FromSql<BigInt, DB>,
    String: FromSql<Text, DB>,
    bool: FromSql<Bool, DB>,
    NaiveDateTime: FromSql<Timestamp, DB>,
    NaiveDate: FromSql<Date, DB>,
    Vec<u8>: FromSql<Binary, DB>,
{
    fn build<'a>(row: &impl NamedRow<'a, DB>) -> deserialize::Result<Self> {
        let cells = (0..row.field_count()).map(|place| {
            let field = Row::get(row, place).ok_or("a column is missing")?;
            let name = field.field_name();
            let kind = Kind::ALL
                .into_iter()
                .find(|kind| name == Some(alias(*kind).as_str()))
                .ok_or("a column of no known type")?;
            let Some(raw) = field.value() else {
                return Ok(Cell::Null);
            };
            if !DB::holds(&raw, kind) {
                return Err(format!("a value in a column of type {} is of another type", kind.name()).into());
            }
            Ok(match kind {
                Kind::BigInt => Cell::BigInt(FromSql::<BigInt, DB>::from_sql(raw)?),
                Kind::Text => Cell::Text(FromSql::<Text, DB>::from_sql(raw)?),
                Kind::Bool => Cell::Bool(FromSql::<Bool, DB>::from_sql(raw)?),
                Kind::Timestamp => Cell::Timestamp(FromSql::<Timestamp, DB>::from_sql(raw)?),
                Kind::Date => Cell::Date(FromSql::<Date, DB>::from_sql(raw)?),
                Kind::Binary => Cell::Binary(FromSql::<Binary, DB>::from_sql(raw)?),
            })
        });
        cells.collect::<deserialize::Result<_>>().map(Self)
    }
}

/// Whether a stored value is of its column's type. SQLite stores what it is given and converts when asked, so that a
/// backup would hold something else than the database and nobody would know.
trait Typed: Backend {
    fn holds(raw: &Self::RawValue<'_>, kind: Kind) -> bool;
}

impl Typed for Sqlite {
    fn holds(raw: &Self::RawValue<'_>, kind: Kind) -> bool {
        let stored = raw.value_type();
        match kind {
            Kind::BigInt | Kind::Bool => {
                matches!(
                    stored,
                    Some(SqliteType::Long | SqliteType::Integer | SqliteType::SmallInt)
                )
            }
            Kind::Text | Kind::Timestamp | Kind::Date => matches!(stored, Some(SqliteType::Text)),
            Kind::Binary => matches!(stored, Some(SqliteType::Binary)),
        }
    }
}

impl Typed for Pg {
    /// PostgreSQL lets nothing else in.
    fn holds(_: &Self::RawValue<'_>, _: Kind) -> bool {
        true
    }
}
