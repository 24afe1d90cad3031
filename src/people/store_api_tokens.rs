//! Machines' tokens: the table. The text of a token is never stored, only its SHA-256.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::conn::Conn;
use crate::db::schema::{accounts, api_tokens};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::Answer;
use crate::people::rules_roles::ApiTokenId;

/// A machine's token, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: ApiTokenId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for, besides what its owner may do.
    pub scopes: Vec<String>,
    /// True if it was made in a session with a second factor.
    pub strong: bool,
    /// When it was made, UTC.
    pub created_at: Instant,
    /// Until when it is valid, UTC.
    pub expires_at: Instant,
    /// When it was revoked, UTC.
    pub revoked_at: Option<Instant>,
    /// When it was last shown, UTC, to the minute or so.
    pub last_used_at: Option<Instant>,
}

type Columns = (
    ApiTokenId,
    AccountId,
    String,
    String,
    bool,
    NaiveDateTime,
    NaiveDateTime,
    Option<NaiveDateTime>,
    Option<NaiveDateTime>,
);

fn token_of(row: Columns) -> ApiToken {
    let (id, account_id, name, scopes, strong, created_at, expires_at, revoked_at, last_used_at) = row;
    ApiToken {
        id,
        account_id,
        name,
        scopes: scopes
            .split(' ')
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned)
            .collect(),
        strong,
        created_at: created_at.and_utc(),
        expires_at: expires_at.and_utc(),
        revoked_at: revoked_at.map(|at| at.and_utc()),
        last_used_at: last_used_at.map(|at| at.and_utc()),
    }
}

/// The token of that digest, if it is good at `now`: not revoked, not expired, its owner active.
///
/// # Errors
/// A fault of the database.
pub fn good(conn: &mut Conn, digest: &[u8; 32], now: Instant) -> Answer<Option<ApiToken>> {
    let row: Option<Columns> = api_tokens::table
        .inner_join(accounts::table)
        .filter(api_tokens::digest.eq(digest.as_slice()))
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::expires_at.gt(now.naive_utc()))
        .filter(accounts::state.eq("active"))
        .select(COLUMNS)
        .first(conn)
        .optional()?;
    Ok(row.map(token_of))
}

const COLUMNS: (
    api_tokens::id,
    api_tokens::account_id,
    api_tokens::name,
    api_tokens::scopes,
    api_tokens::strong,
    api_tokens::created_at,
    api_tokens::expires_at,
    api_tokens::revoked_at,
    api_tokens::last_used_at,
) = (
    api_tokens::id,
    api_tokens::account_id,
    api_tokens::name,
    api_tokens::scopes,
    api_tokens::strong,
    api_tokens::created_at,
    api_tokens::expires_at,
    api_tokens::revoked_at,
    api_tokens::last_used_at,
);

/// Up to `max` tokens of an account, newest first, below `before`.
///
/// # Errors
/// A fault of the database.
pub fn of_account(
    conn: &mut Conn,
    account_id: &str,
    before: Option<&ApiTokenId>,
    max: i64,
) -> Answer<Vec<ApiToken>> {
    let below = before.map_or("z", ApiTokenId::as_str);
    let rows: Vec<Columns> = api_tokens::table
        .filter(api_tokens::account_id.eq(account_id))
        .filter(api_tokens::id.lt(below))
        .order(api_tokens::id.desc())
        .limit(max)
        .select(COLUMNS)
        .load(conn)?;
    Ok(rows.into_iter().map(token_of).collect())
}

/// How many good tokens an account has.
///
/// # Errors
/// A fault of the database.
pub fn count_good(conn: &mut Conn, account_id: &AccountId, now: Instant) -> Answer<usize> {
    let count: i64 = api_tokens::table
        .filter(api_tokens::account_id.eq(account_id))
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::expires_at.gt(now.naive_utc()))
        .count()
        .get_result(conn)?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Keeps a new token.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, new: &ApiToken, digest: &[u8; 32]) -> Answer<()> {
    diesel::insert_into(api_tokens::table)
        .values((
            api_tokens::id.eq(&new.id),
            api_tokens::account_id.eq(&new.account_id),
            api_tokens::name.eq(&new.name),
            api_tokens::scopes.eq(new.scopes.join(" ")),
            api_tokens::digest.eq(digest.as_slice()),
            api_tokens::strong.eq(new.strong),
            api_tokens::created_at.eq(new.created_at.naive_utc()),
            api_tokens::expires_at.eq(new.expires_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Revokes a token of an account; tells whether there was one to revoke.
///
/// # Errors
/// A fault of the database.
pub fn revoke(tx: &mut Tx<'_>, account_id: &str, id: &ApiTokenId) -> Answer<bool> {
    let revoked_at = tx.now().naive_utc();
    let open = api_tokens::table
        .find(id)
        .filter(api_tokens::account_id.eq(account_id))
        .filter(api_tokens::revoked_at.is_null());
    let changed = diesel::update(open)
        .set(api_tokens::revoked_at.eq(revoked_at))
        .execute(tx.conn())?;
    Ok(changed == 1)
}

/// One token of an account, good or not.
///
/// # Errors
/// A fault of the database.
pub fn one(conn: &mut Conn, account_id: &str, id: &ApiTokenId) -> Answer<Option<ApiToken>> {
    let row: Option<Columns> = api_tokens::table
        .find(id)
        .filter(api_tokens::account_id.eq(account_id))
        .select(COLUMNS)
        .first(conn)
        .optional()?;
    Ok(row.map(token_of))
}

/// Notes when tokens were last used; upkeep, because it says nothing about the ward.
///
/// # Errors
/// A fault of the database.
pub fn note_use(tx: &mut Tx<'_>, used: &HashMap<ApiTokenId, Instant>) -> Answer<()> {
    for (id, at) in used {
        diesel::update(api_tokens::table.find(id))
            .set(api_tokens::last_used_at.eq(at.naive_utc()))
            .execute(tx.conn())?;
    }
    Ok(())
}
