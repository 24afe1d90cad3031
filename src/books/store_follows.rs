//! The table of what people follow.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::books::rules::BookId;
use crate::books::rules_follows::{FOLLOWS_MAX, Follow, FollowId, Followed};
use crate::books::store::Head;
use crate::budget::store::one;
use crate::db::conn::Conn;
use crate::db::schema::{books, follows};
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = follows)]
struct FollowRow {
    id: FollowId,
    account_id: String,
    book_id: Option<BookId>,
    category: Option<String>,
    begun_at: NaiveDateTime,
}

impl TryFrom<FollowRow> for Follow {
    type Error = Fault;

    fn try_from(row: FollowRow) -> Result<Self, Fault> {
        let followed = Followed::named(row.book_id, row.category)
            .map_err(|_| Fault::broken("somebody follows nothing, or two things at once"))?;
        Ok(Self {
            id: row.id,
            account_id: row.account_id,
            followed,
            begun_at: row.begun_at.and_utc(),
        })
    }
}

/// All that an account follows, oldest first.
///
/// # Errors
/// A fault of the database.
pub fn of_account(conn: &mut Conn, account: &str) -> Answer<Vec<Follow>> {
    let rows: Vec<FollowRow> = follows::table
        .filter(follows::account_id.eq(account))
        .order(follows::id)
        .limit(i64::try_from(FOLLOWS_MAX).unwrap_or(i64::MAX))
        .select(FollowRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Follow::try_from).collect::<Result<_, _>>()?)
}

/// Up to `max` public books that an account follows: first those that it follows themselves, then those of the categories that it follows; of each the one that was published
/// last first.
///
/// # Errors
/// A fault of the database.
pub fn books_of(conn: &mut Conn, account: &str, max: usize) -> Answer<Vec<Head>> {
    let (mut own, mut categories) = (Vec::new(), Vec::new());
    for follow in of_account(conn, account)? {
        match follow.followed {
            Followed::Book(id) => own.push(id),
            Followed::Category(code) => categories.push(code),
        }
    }
    let limit = |room: usize| i64::try_from(room).unwrap_or(i64::MAX);
    let mut heads: Vec<Head> = books::table
        .filter(books::published_at.is_not_null())
        .filter(books::id.eq_any(&own))
        .order((books::published_at.desc(), books::id.desc()))
        .limit(limit(max))
        .select(Head::as_select())
        .load(conn)?;
    let room = max.saturating_sub(heads.len());
    if room > 0 && !categories.is_empty() {
        let more: Vec<Head> = books::table
            .filter(books::published_at.is_not_null())
            .filter(books::category.eq_any(&categories))
            .filter(books::id.ne_all(&own))
            .order((books::published_at.desc(), books::id.desc()))
            .limit(limit(room))
            .select(Head::as_select())
            .load(conn)?;
        heads.extend(more);
    }
    Ok(heads)
}

/// Adds one.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, follow: &Follow) -> Answer<()> {
    diesel::insert_into(follows::table)
        .values((
            follows::id.eq(&follow.id),
            follows::account_id.eq(&follow.account_id),
            follows::book_id.eq(follow.followed.book()),
            follows::category.eq(follow.followed.category()),
            follows::begun_at.eq(follow.begun_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Takes one away.
///
/// # Errors
/// A fault of the database, or if there is none.
pub fn delete(tx: &mut Tx<'_>, id: &FollowId) -> Answer<()> {
    let deleted = diesel::delete(follows::table.find(id)).execute(tx.conn())?;
    one(deleted, "follows")
}
