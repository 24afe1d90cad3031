//! The table of secret addresses of calendars. Of a secret it has the hash alone.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::budget::store::one;
use crate::db::conn::Conn;
use crate::db::schema::{accounts, calendar_links};
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::publish::rules_calendars::{CalendarLink, CalendarLinkId};

type Columns = (CalendarLinkId, String, NaiveDateTime);

fn link_of((id, account_id, made_at): Columns) -> CalendarLink {
    CalendarLink {
        id,
        account_id,
        made_at: made_at.and_utc(),
    }
}

const COLUMNS: (
    calendar_links::id,
    calendar_links::account_id,
    calendar_links::made_at,
) = (
    calendar_links::id,
    calendar_links::account_id,
    calendar_links::made_at,
);

/// The link of an account, if it has one.
///
/// # Errors
/// A fault of the database.
pub fn of_account(conn: &mut Conn, account: &str) -> Answer<Option<CalendarLink>> {
    let row: Option<Columns> = calendar_links::table
        .filter(calendar_links::account_id.eq(account))
        .select(COLUMNS)
        .first(conn)
        .optional()?;
    Ok(row.map(link_of))
}

/// The link whose secret has this hash, if there is one and its account is in use.
///
/// # Errors
/// A fault of the database.
pub fn good(conn: &mut Conn, secret_sha256: &[u8; 32]) -> Answer<Option<CalendarLink>> {
    let row: Option<Columns> = calendar_links::table
        .inner_join(accounts::table)
        .filter(calendar_links::secret_sha256.eq(secret_sha256.as_slice()))
        .filter(accounts::state.eq("active"))
        .select(COLUMNS)
        .first(conn)
        .optional()?;
    Ok(row.map(link_of))
}

/// Adds a link.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, link: &CalendarLink, secret_sha256: &[u8; 32]) -> Answer<()> {
    diesel::insert_into(calendar_links::table)
        .values((
            calendar_links::id.eq(&link.id),
            calendar_links::account_id.eq(&link.account_id),
            calendar_links::secret_sha256.eq(secret_sha256.as_slice()),
            calendar_links::made_at.eq(link.made_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Takes a link away.
///
/// # Errors
/// A fault of the database, or if there is none.
pub fn delete(tx: &mut Tx<'_>, id: &CalendarLinkId) -> Answer<()> {
    let deleted = diesel::delete(calendar_links::table.find(id)).execute(tx.conn())?;
    one(deleted, "calendar_links")
}
