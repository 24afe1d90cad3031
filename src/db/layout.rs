//! Which tables and columns a database has, asked of the database itself, so that a table added by a later migration is
//! in every backup without a line of code. Reads only; knows no table by name but diesel's own.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde::{Deserialize, Serialize};

use crate::db::conn::Conn;
use crate::kernel::refusal::Fault;

/// Where diesel keeps the applied migrations. Its content is part of an archive's header instead of its tables.
const MIGRATIONS: &str = "__diesel_schema_migrations";

/// What a column holds: the types that `db/schema.rs` allows itself, each possibly NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A 64-bit integer.
    BigInt,
    /// UTF-8.
    Text,
    /// True or false.
    Bool,
    /// A naive timestamp, UTC, whole microseconds.
    Timestamp,
    /// A local date.
    Date,
    /// Bytes.
    Binary,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::BigInt,
        Self::Text,
        Self::Bool,
        Self::Timestamp,
        Self::Date,
        Self::Binary,
    ];

    /// Its name in an archive.
    pub fn name(self) -> &'static str {
        match self {
            Self::BigInt => "bigint",
            Self::Text => "text",
            Self::Bool => "bool",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
            Self::Binary => "binary",
        }
    }

    /// From the type's name in either database.
    fn declared(name: &str) -> Option<Self> {
        match name {
            "bigint" => Some(Self::BigInt),
            "text" => Some(Self::Text),
            "bool" | "boolean" => Some(Self::Bool),
            "timestamp" | "timestamp without time zone" => Some(Self::Timestamp),
            "date" => Some(Self::Date),
            "blob" | "bytea" => Some(Self::Binary),
            _ => None,
        }
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: Kind,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Columns of the primary key, in its order: the order of the rows in an archive.
    pub key: Vec<String>,
    /// Its columns.
    pub columns: Vec<Column>,
}

impl Table {
    /// True if both have the same columns, in whatever order they were declared.
    pub fn matches(&self, other: &Self) -> bool {
        self.name == other.name
            && self.columns.len() == other.columns.len()
            && self.columns.iter().all(|column| other.columns.contains(column))
    }
}

#[derive(QueryableByName)]
struct Declared {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    declared: String,
    #[diesel(sql_type = BigInt)]
    key_place: i64,
}

/// Generated columns are left out (`pragma_table_info` does not list them): the database makes them anew.
const SQLITE_COLUMNS: &str = "SELECT t.name AS table_name, c.name AS column_name, lower(c.type) AS declared, \
     c.pk AS key_place FROM pragma_table_list AS t JOIN pragma_table_info(t.name) AS c \
     WHERE t.schema = 'main' AND t.type = 'table' AND substr(t.name, 1, 7) <> 'sqlite_' ORDER BY t.name, c.cid";

const POSTGRES_COLUMNS: &str = "SELECT t.relname::text AS table_name, c.attname::text AS column_name, \
     format_type(c.atttypid, NULL) AS declared, \
     (coalesce(array_position(k.indkey::int2[], c.attnum), -1) + 1)::bigint AS key_place \
     FROM pg_class AS t JOIN pg_namespace AS s ON s.oid = t.relnamespace AND s.nspname = current_schema() \
     JOIN pg_attribute AS c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped AND c.attgenerated = '' \
     LEFT JOIN pg_index AS k ON k.indrelid = t.oid AND k.indisprimary \
     WHERE t.relkind IN ('r', 'p') AND NOT t.relispartition ORDER BY t.relname, c.attnum";

/// All tables but diesel's own, by name.
///
/// # Errors
/// A fault if the database cannot be asked, or has a column of a type that no archive can hold.
pub fn tables(conn: &mut Conn) -> Result<Vec<Table>, Fault> {
    let declared: Vec<Declared> = match conn {
        Conn::Sqlite(c) => diesel::sql_query(SQLITE_COLUMNS).load(c),
        Conn::Postgres(c) => diesel::sql_query(POSTGRES_COLUMNS).load(c),
    }
    .map_err(|error| Fault::caused("ask the database for its tables", error))?;
    let mut tables: BTreeMap<String, (Vec<Column>, BTreeMap<i64, String>)> = BTreeMap::new();
    for row in declared {
        if row.table_name == MIGRATIONS {
            continue;
        }
        let Some(kind) = Kind::declared(&row.declared) else {
            return Err(Fault::broken(format!(
                "column {}.{} is of type {}, which no archive can hold",
                row.table_name, row.column_name, row.declared
            )));
        };
        let (columns, key) = tables.entry(row.table_name).or_default();
        if row.key_place > 0 {
            key.insert(row.key_place, row.column_name.clone());
        }
        columns.push(Column {
            name: row.column_name,
            kind,
        });
    }
    Ok(tables
        .into_iter()
        .map(|(name, (columns, key))| Table {
            name,
            key: key.into_values().collect(),
            columns,
        })
        .collect())
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The applied migrations, oldest first; none in a database that never was a wardbook's. Unlike diesel's own question it
/// writes nothing.
///
/// # Errors
/// A fault if the database cannot be asked.
pub fn migrations(conn: &mut Conn) -> Result<Vec<String>, Fault> {
    let known = format!("SELECT count(*) AS count FROM pragma_table_list WHERE name = '{MIGRATIONS}'");
    let asked = format!("SELECT (to_regclass('{MIGRATIONS}') IS NOT NULL)::int::bigint AS count");
    let versions = format!("SELECT version FROM {MIGRATIONS} ORDER BY version");
    let read = match conn {
        Conn::Sqlite(c) => diesel::sql_query(known).get_result(c).and_then(|it: Count| {
            if it.count == 0 {
                Ok(Vec::new())
            } else {
                diesel::sql_query(versions).load(c)
            }
        }),
        Conn::Postgres(c) => diesel::sql_query(asked).get_result(c).and_then(|it: Count| {
            if it.count == 0 {
                Ok(Vec::new())
            } else {
                diesel::sql_query(versions).load(c)
            }
        }),
    };
    let read: Vec<Version> = read.map_err(|error| Fault::caused("read the applied migrations", error))?;
    Ok(read.into_iter().map(|row| row.version).collect())
}

/// Names of the tables that have a row.
///
/// # Errors
/// A fault if the database cannot be asked.
pub fn occupied(conn: &mut Conn, tables: &[Table]) -> Result<Vec<String>, Fault> {
    let mut occupied = Vec::new();
    for table in tables {
        let sql = format!(
            "SELECT count(*) AS count FROM (SELECT 1 FROM {} LIMIT 1) AS any_row",
            quoted(&table.name)
        );
        let found: Count = match conn {
            Conn::Sqlite(c) => diesel::sql_query(sql).get_result(c),
            Conn::Postgres(c) => diesel::sql_query(sql).get_result(c),
        }
        .map_err(|error| Fault::caused(format!("read {}", table.name), error))?;
        if found.count > 0 {
            occupied.push(table.name.clone());
        }
    }
    Ok(occupied)
}

/// A name as both databases read it literally.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
