//! The table of addenda. Rows of addenda that were published or given up never change.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::books::rules::BookId;
use crate::books::rules_addenda::{Addendum, AddendumId, State};
use crate::books::store;
use crate::db::conn::Conn;
use crate::db::schema::addenda;
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};
use crate::standards::rules_indicators::Line;

#[derive(Queryable, Selectable)]
#[diesel(table_name = addenda)]
struct AddendumRow {
    id: AddendumId,
    book_id: BookId,
    state: String,
    base: i64,
    number: Option<i64>,
    reason_zh: String,
    reason_en: String,
    affects_bids: bool,
    content: String,
    content_sha256: Vec<u8>,
    revision: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

impl TryFrom<AddendumRow> for Addendum {
    type Error = Fault;

    fn try_from(row: AddendumRow) -> Result<Self, Fault> {
        let state = State::named(&row.state)
            .ok_or_else(|| Fault::broken(format!("the state of {} is none", row.id)))?;
        let (content, sha256) = store::content(row.id.as_str(), &row.content, &row.content_sha256)?;
        Ok(Self {
            id: row.id,
            book_id: row.book_id,
            state,
            base: row.base,
            number: row.number,
            reason: Line {
                zh: row.reason_zh,
                en: row.reason_en,
            },
            said_to_affect_bids: row.affects_bids,
            content,
            sha256,
            revision: row.revision,
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
        })
    }
}

/// The addendum of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn addendum(conn: &mut Conn, id: &AddendumId) -> Answer<Option<Addendum>> {
    let row: Option<AddendumRow> = addenda::table
        .find(id)
        .select(AddendumRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Addendum::try_from).transpose()?)
}

/// Whether an addendum to the book is being written.
///
/// # Errors
/// A fault of the database.
pub fn is_being_written(conn: &mut Conn, book: &BookId) -> Answer<bool> {
    let open: Option<AddendumId> = addenda::table
        .filter(addenda::book_id.eq(book))
        .filter(addenda::state.eq(State::Draft.name()))
        .select(addenda::id)
        .first(conn)
        .optional()?;
    Ok(open.is_some())
}

/// Which addenda are listed.
#[derive(Clone, Debug)]
pub struct AddendumFilter {
    /// To this book.
    pub book: BookId,
    /// In one of these states.
    pub states: Vec<State>,
    /// Newer than this id.
    pub after: Option<String>,
}

/// An addendum in a list, without what it says.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = addenda)]
pub struct AddendumHead {
    /// Its id.
    pub id: AddendumId,
    /// To which book.
    pub book_id: BookId,
    /// The name of its state.
    pub state: String,
    /// Counts the published ones.
    pub number: Option<i64>,
    /// Why, in Chinese.
    pub reason_zh: String,
    /// Why, in English.
    pub reason_en: String,
    /// When it was begun.
    pub created_at: NaiveDateTime,
    /// When it was changed last.
    pub updated_at: NaiveDateTime,
}

/// Up to `max` addenda, in the order in which they were begun, which is that of their numbers: one is written at a time.
///
/// # Errors
/// A fault of the database.
pub fn addenda_of(conn: &mut Conn, filter: &AddendumFilter, max: i64) -> Answer<Vec<AddendumHead>> {
    let states: Vec<&str> = filter.states.iter().map(|state| state.name()).collect();
    let mut query = addenda::table
        .filter(addenda::book_id.eq(&filter.book))
        .filter(addenda::state.eq_any(states))
        .into_boxed();
    if let Some(after) = &filter.after {
        query = query.filter(addenda::id.gt(after));
    }
    Ok(query
        .order(addenda::id)
        .limit(max)
        .select(AddendumHead::as_select())
        .load(conn)?)
}

/// Adds a draft; `content` are the bytes whose hash it carries.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, addendum: &Addendum, content: &str) -> Answer<()> {
    diesel::insert_into(addenda::table)
        .values((
            addenda::id.eq(&addendum.id),
            addenda::book_id.eq(&addendum.book_id),
            addenda::state.eq(addendum.state.name()),
            addenda::base.eq(addendum.base),
            addenda::reason_zh.eq(&addendum.reason.zh),
            addenda::reason_en.eq(&addendum.reason.en),
            addenda::affects_bids.eq(addendum.said_to_affect_bids),
            addenda::content.eq(content),
            addenda::content_sha256.eq(addendum.sha256.as_slice()),
            addenda::revision.eq(addendum.revision),
            addenda::created_at.eq(addendum.created_at.naive_utc()),
            addenda::updated_at.eq(addendum.updated_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves an addendum over the revision before it; `content` are the bytes whose hash it carries.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn update(tx: &mut Tx<'_>, addendum: &Addendum, content: &str) -> Answer<()> {
    let before = addenda::table
        .find(&addendum.id)
        .filter(addenda::revision.eq(addendum.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            addenda::state.eq(addendum.state.name()),
            addenda::number.eq(addendum.number),
            addenda::reason_zh.eq(&addendum.reason.zh),
            addenda::reason_en.eq(&addendum.reason.en),
            addenda::affects_bids.eq(addendum.said_to_affect_bids),
            addenda::content.eq(content),
            addenda::content_sha256.eq(addendum.sha256.as_slice()),
            addenda::revision.eq(addendum.revision),
            addenda::updated_at.eq(addendum.updated_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} addenda changed instead of one")).into())
    }
}
