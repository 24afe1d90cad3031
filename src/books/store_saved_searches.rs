//! The table of saved searches.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::books::rules_saved_searches::{SAVED_MAX, SavedSearch, SavedSearchId};
use crate::budget::store::one;
use crate::db::conn::Conn;
use crate::db::schema::saved_searches;
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = saved_searches)]
struct SavedRow {
    id: SavedSearchId,
    account_id: String,
    name: String,
    question: String,
    seen: i64,
    created_at: NaiveDateTime,
}

impl TryFrom<SavedRow> for SavedSearch {
    type Error = Fault;

    fn try_from(row: SavedRow) -> Result<Self, Fault> {
        let wish = serde_json::from_str(&row.question);
        Ok(Self {
            id: row.id,
            account_id: row.account_id,
            name: row.name,
            wish: wish.map_err(|error| Fault::caused("read a saved search", error))?,
            seen: row.seen,
            created_at: row.created_at.and_utc(),
        })
    }
}

fn read(rows: Vec<SavedRow>) -> Answer<Vec<SavedSearch>> {
    Ok(rows
        .into_iter()
        .map(SavedSearch::try_from)
        .collect::<Result<_, _>>()?)
}

/// All searches that an account has saved, oldest first.
///
/// # Errors
/// A fault of the database.
pub fn of_account(conn: &mut Conn, account: &str) -> Answer<Vec<SavedSearch>> {
    let rows: Vec<SavedRow> = saved_searches::table
        .filter(saved_searches::account_id.eq(account))
        .order(saved_searches::id)
        .limit(i64::try_from(SAVED_MAX).unwrap_or(i64::MAX))
        .select(SavedRow::as_select())
        .load(conn)?;
    read(rows)
}

/// Up to `max` searches that have not been asked about everything up to `last`, those first that are furthest behind.
///
/// # Errors
/// A fault of the database.
pub fn behind(conn: &mut Conn, last: i64, max: i64) -> Answer<Vec<SavedSearch>> {
    let rows: Vec<SavedRow> = saved_searches::table
        .filter(saved_searches::seen.lt(last))
        .order((saved_searches::seen, saved_searches::id))
        .limit(max)
        .select(SavedRow::as_select())
        .load(conn)?;
    read(rows)
}

/// Adds a search.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, saved: &SavedSearch) -> Answer<()> {
    let question =
        serde_json::to_string(&saved.wish).map_err(|error| Fault::caused("write a saved search", error))?;
    diesel::insert_into(saved_searches::table)
        .values((
            saved_searches::id.eq(&saved.id),
            saved_searches::account_id.eq(&saved.account_id),
            saved_searches::name.eq(&saved.name),
            saved_searches::question.eq(question),
            saved_searches::seen.eq(saved.seen),
            saved_searches::created_at.eq(saved.created_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves up to which document a search has been asked.
///
/// # Errors
/// A fault of the database, or if somebody else has asked it meanwhile.
pub fn see(tx: &mut Tx<'_>, saved: &SavedSearch, seen: i64) -> Answer<()> {
    let before = saved_searches::table
        .find(&saved.id)
        .filter(saved_searches::seen.eq(saved.seen));
    let changed = diesel::update(before)
        .set(saved_searches::seen.eq(seen))
        .execute(tx.conn())?;
    one(changed, "saved searches")
}

/// Takes a search away.
///
/// # Errors
/// A fault of the database, or if there is none.
pub fn delete(tx: &mut Tx<'_>, id: &SavedSearchId) -> Answer<()> {
    let deleted = diesel::delete(saved_searches::table.find(id)).execute(tx.conn())?;
    one(deleted, "saved searches")
}
