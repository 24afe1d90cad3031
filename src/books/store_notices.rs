//! What of books is still to be told, and to whom: the queue, and the accounts that a piece of news concerns.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveDateTime};
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use crate::books::rules::BookId;
use crate::books::rules_notices::{What, Why};
use crate::db::conn::Conn;
use crate::db::schema::{book_notices, debarments, follows, organisations, qualifications, role_grants};
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::rules_organisations::State as OrganisationState;
use crate::registry::rules_qualifications::State as QualificationState;
use crate::web::policy::Role;

/// A piece of news that is being told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Of which book.
    pub book_id: BookId,
    /// What happened.
    pub what: What,
    /// The version that the book had then.
    pub version: i64,
    /// The account that was told last; empty if nobody was.
    pub reached: String,
}

/// Adds a piece of news. What is there already is not told twice.
///
/// # Errors
/// A fault of the database.
pub fn add(tx: &mut Tx<'_>, book: &BookId, what: What, version: i64) -> Answer<()> {
    let known: Option<String> = book_notices::table
        .find((book, what.name(), version))
        .select(book_notices::reached)
        .first(tx.conn())
        .optional()?;
    if known.is_some() {
        return Ok(());
    }
    let now = tx.now().naive_utc();
    diesel::insert_into(book_notices::table)
        .values((
            book_notices::book_id.eq(book),
            book_notices::what.eq(what.name()),
            book_notices::version.eq(version),
            book_notices::happened_at.eq(now),
            book_notices::reached.eq(""),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// The oldest piece of news that is not told to the end.
///
/// # Errors
/// A fault of the database.
pub fn next(conn: &mut Conn) -> Answer<Option<Pending>> {
    type Row = (BookId, String, i64, String, NaiveDateTime);
    let row: Option<Row> = book_notices::table
        .order((
            book_notices::happened_at,
            book_notices::book_id,
            book_notices::version,
            book_notices::what,
        ))
        .select((
            book_notices::book_id,
            book_notices::what,
            book_notices::version,
            book_notices::reached,
            book_notices::happened_at,
        ))
        .first(conn)
        .optional()?;
    let Some((book_id, what, version, reached, _)) = row else {
        return Ok(None);
    };
    let what = What::named(&what).ok_or_else(|| Fault::broken(format!("news of a book that is {what}")))?;
    Ok(Some(Pending {
        book_id,
        what,
        version,
        reached,
    }))
}

/// Notes how far a piece of news was told; to the end, if `reached` is none, and then it is forgotten.
///
/// # Errors
/// A fault of the database, or if somebody else has told on meanwhile.
pub fn tell_on(tx: &mut Tx<'_>, pending: &Pending, reached: Option<&str>) -> Answer<()> {
    let before = book_notices::table
        .find((&pending.book_id, pending.what.name(), pending.version))
        .filter(book_notices::reached.eq(&pending.reached));
    let changed = match reached {
        Some(reached) => diesel::update(before)
            .set(book_notices::reached.eq(reached))
            .execute(tx.conn())?,
        None => diesel::delete(before).execute(tx.conn())?,
    };
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} pieces of news were told instead of one")).into())
    }
}

/// Whom a piece of news concerns.
#[derive(Clone, Debug)]
pub struct Audience<'a> {
    /// The followers of this book.
    pub book: &'a BookId,
    /// And those of this category.
    pub category: Option<&'a str>,
    /// And who acts for suppliers that have a qualification of one of these kinds.
    pub kinds: &'a BTreeSet<String>,
    /// As the qualifications and debarments stand on this day of the ward.
    pub today: NaiveDate,
    /// After this account.
    pub after: &'a str,
}

/// The next accounts of an audience by their ids, each with why it belongs to it, and the account up to which these are all; `None`
/// if there are no more.
///
/// # Errors
/// A fault of the database.
pub fn readers(
    conn: &mut Conn,
    audience: &Audience<'_>,
    max: i64,
) -> Answer<(BTreeMap<String, Why>, Option<String>)> {
    let (following, supplying) = (followers(conn, audience, max)?, suppliers(conn, audience, max)?);
    // A list that is full may go on after its last account; up to there it is whole.
    let horizon = [&following, &supplying]
        .into_iter()
        .filter(|list| i64::try_from(list.len()).is_ok_and(|found| found >= max))
        .filter_map(|list| list.last())
        .map(|(account, _)| account.clone())
        .min();
    let mut readers: BTreeMap<String, Why> = BTreeMap::new();
    for (account, why) in following.into_iter().chain(supplying) {
        if horizon.as_ref().is_some_and(|horizon| account > *horizon) {
            continue;
        }
        let is_better = readers
            .get(&account)
            .is_none_or(|known| why.rank() < known.rank());
        if is_better {
            readers.insert(account, why);
        }
    }
    Ok((readers, horizon))
}

fn followers(conn: &mut Conn, audience: &Audience<'_>, max: i64) -> Answer<Vec<(String, Why)>> {
    // No category has an empty code.
    let category = audience.category.unwrap_or_default();
    let rows: Vec<(String, Option<BookId>)> = follows::table
        .filter(
            follows::book_id
                .eq(audience.book)
                .or(follows::category.eq(category)),
        )
        .filter(follows::account_id.gt(audience.after))
        .order((follows::account_id, follows::id))
        .limit(max)
        .select((follows::account_id, follows::book_id))
        .load(conn)?;
    let why = |book: Option<BookId>| match book {
        Some(_) => Why::FollowsBook,
        None => Why::FollowsCategory,
    };
    Ok(rows
        .into_iter()
        .map(|(account, book)| (account, why(book)))
        .collect())
}

/// Those who administer or act for verified suppliers that hold a fitting qualification and are not debarred.
fn suppliers(conn: &mut Conn, audience: &Audience<'_>, max: i64) -> Answer<Vec<(String, Why)>> {
    if audience.kinds.is_empty() {
        return Ok(Vec::new());
    }
    let today = audience.today;
    let qualified = qualifications::table
        .filter(qualifications::organisation_id.eq(organisations::id))
        .filter(qualifications::state.eq(QualificationState::Verified.name()))
        .filter(qualifications::kind.eq_any(audience.kinds))
        .filter(qualifications::valid_from.le(today))
        .filter(
            qualifications::valid_to
                .is_null()
                .or(qualifications::valid_to.ge(today)),
        );
    let debarred = debarments::table
        .filter(debarments::organisation_id.eq(organisations::id))
        .filter(
            debarments::from_date
                .le(today)
                .and(debarments::until_date.ge(today)),
        )
        .filter(
            debarments::lifted_on
                .is_null()
                .or(debarments::lifted_on.gt(today)),
        );
    let roles = [Role::OrganisationAdmin.name(), Role::SupplierAgent.name()];
    let rows: Vec<(String, String, String)> = role_grants::table
        .inner_join(organisations::table.on(role_grants::organisation_id.eq(organisations::id.nullable())))
        .filter(role_grants::ended_at.is_null())
        .filter(role_grants::role.eq_any(roles))
        .filter(role_grants::account_id.gt(audience.after))
        .filter(organisations::state.eq(OrganisationState::Verified.name()))
        .filter(exists(qualified))
        .filter(not(exists(debarred)))
        .order((role_grants::account_id, role_grants::id))
        .limit(max)
        .select((
            role_grants::account_id,
            organisations::name_zh,
            organisations::name_en,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(account, zh, en)| (account, Why::Supplier(zh, en)))
        .collect())
}
