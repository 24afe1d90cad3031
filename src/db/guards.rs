//! What a database guards itself with, set aside while an archive is loaded: foreign keys are judged at the end instead of
//! row by row, because an area may hang under one that comes later, and triggers do not run, because they watch over
//! changes and a restored row is none. All within the load's transaction: nobody else ever sees the database unguarded, and
//! whatever becomes of the load, the guards are as they were.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::db::conn::Conn;
use crate::db::layout::{Table, quoted};
use crate::kernel::refusal::Fault;

/// The guards that were set aside.
pub struct Guards(Vec<Aside>);

/// One of them, and what brings it back.
struct Aside {
    restore: String,
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Violated {
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Foreign keys that are judged at once; PostgreSQL alone lets a single one say so.
const POSTGRES_FOREIGN_KEYS: &str = "SELECT t.relname::text AS owner, k.conname::text AS name FROM pg_constraint AS k \
     JOIN pg_class AS t ON t.oid = k.conrelid JOIN pg_namespace AS s ON s.oid = t.relnamespace \
     WHERE s.nspname = current_schema() AND k.contype = 'f' AND NOT k.condeferrable AND k.conparentid = 0 \
     ORDER BY 1, 2";

const POSTGRES_TRIGGERS: &str = "SELECT t.relname::text AS owner, g.tgname::text AS name FROM pg_trigger AS g \
     JOIN pg_class AS t ON t.oid = g.tgrelid JOIN pg_namespace AS s ON s.oid = t.relnamespace \
     WHERE s.nspname = current_schema() AND NOT g.tgisinternal AND g.tgenabled = 'O' AND g.tgparentid = 0 \
     ORDER BY 1, 2";

impl Guards {
    /// Sets them aside; within a transaction.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn set_aside(conn: &mut Conn) -> Result<Self, Fault> {
        let failed = |error| Fault::caused("set the database's guards aside", error);
        let mut aside = Vec::new();
        match conn {
            Conn::Sqlite(c) => {
                let triggers: Vec<Named> = diesel::sql_query(
                    "SELECT name AS owner, sql AS name FROM sqlite_schema WHERE type = 'trigger' ORDER BY name",
                )
                .load(c)
                .map_err(failed)?;
                c.batch_execute("PRAGMA defer_foreign_keys = ON")
                    .map_err(failed)?;
                for Named { owner, name: sql } in triggers {
                    // SQLite cannot switch a trigger off, but takes it away and back in one transaction.
                    c.batch_execute(&format!("DROP TRIGGER {}", quoted(&owner)))
                        .map_err(failed)?;
                    aside.push(Aside { restore: sql });
                }
            }
            Conn::Postgres(c) => {
                let keys: Vec<Named> = diesel::sql_query(POSTGRES_FOREIGN_KEYS).load(c).map_err(failed)?;
                for key in keys {
                    let (table, name) = (quoted(&key.owner), quoted(&key.name));
                    let alter = format!("ALTER TABLE {table} ALTER CONSTRAINT {name}");
                    c.batch_execute(&format!("{alter} DEFERRABLE INITIALLY DEFERRED"))
                        .map_err(failed)?;
                    aside.push(Aside {
                        restore: format!("{alter} NOT DEFERRABLE"),
                    });
                }
                let triggers: Vec<Named> = diesel::sql_query(POSTGRES_TRIGGERS).load(c).map_err(failed)?;
                for trigger in triggers {
                    let (table, name) = (quoted(&trigger.owner), quoted(&trigger.name));
                    c.batch_execute(&format!("ALTER TABLE {table} DISABLE TRIGGER {name}"))
                        .map_err(failed)?;
                    aside.push(Aside {
                        restore: format!("ALTER TABLE {table} ENABLE TRIGGER {name}"),
                    });
                }
                c.batch_execute("SET CONSTRAINTS ALL DEFERRED").map_err(failed)?;
            }
        }
        Ok(Self(aside))
    }

    /// Judges every foreign key and puts the guards back.
    ///
    /// # Errors
    /// A fault if a row refers to one that is not there.
    pub fn put_back(self, conn: &mut Conn) -> Result<(), Fault> {
        match conn {
            Conn::Sqlite(c) => {
                let violated: Vec<Violated> = diesel::sql_query(
                    "SELECT \"table\" AS owner, count(*) AS count FROM pragma_foreign_key_check GROUP BY 1 ORDER BY 1",
                )
                .load(c)
                .map_err(|error| Fault::caused("check the foreign keys", error))?;
                if let Some(Violated { owner, count }) = violated.first() {
                    return Err(Fault::broken(format!(
                        "{count} rows of {owner} refer to rows that this backup does not have"
                    )));
                }
            }
            Conn::Postgres(c) => {
                c.batch_execute("SET CONSTRAINTS ALL IMMEDIATE")
                    .map_err(|error| {
                        Fault::caused("a row refers to one that this backup does not have", error)
                    })?;
            }
        }
        for Aside { restore } in self.0 {
            conn.batch_execute(&restore)
                .map_err(|error| Fault::caused("put the database's guards back", error))?;
        }
        Ok(())
    }
}

/// Empties tables: of what migrations have put into them, which an archive brings along itself.
///
/// # Errors
/// A fault of the database.
pub fn empty(conn: &mut Conn, tables: &[Table]) -> Result<(), Fault> {
    for table in tables {
        conn.batch_execute(&format!("DELETE FROM {}", quoted(&table.name)))
            .map_err(|error| Fault::caused(format!("empty {}", table.name), error))?;
    }
    Ok(())
}
