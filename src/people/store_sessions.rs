//! The tables of sessions and of their refresh tokens.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::conn::Conn;
use crate::db::schema::{accounts, refresh_tokens, sessions};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};
use crate::people::rules::{AccountId, State};
use crate::people::rules_sessions::{End, Means, REMEMBERED_FOR, Session, SessionId};

/// SHA-256 of a token: all that is ever stored of it.
pub type TokenHash = [u8; 32];

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct SessionRow {
    id: SessionId,
    account_id: AccountId,
    device_name: Option<String>,
    means: String,
    second_factor: bool,
    created_at: NaiveDateTime,
    used_at: NaiveDateTime,
    expires_at: NaiveDateTime,
}

impl TryFrom<SessionRow> for Session {
    type Error = Fault;

    fn try_from(row: SessionRow) -> Result<Self, Fault> {
        let means = Means::named(&row.means)
            .ok_or_else(|| Fault::broken(format!("a session begun by {}", row.means)))?;
        Ok(Self {
            id: row.id,
            account_id: row.account_id,
            device_name: row.device_name,
            means,
            second_factor: row.second_factor,
            created_at: row.created_at.and_utc(),
            used_at: row.used_at.and_utc(),
            expires_at: row.expires_at.and_utc(),
        })
    }
}

/// Whether a session of an account in use goes on; if so, whether a second factor was shown in it.
///
/// # Errors
/// A fault of the database.
pub fn is_alive(
    conn: &mut Conn,
    account: &AccountId,
    session: &SessionId,
    now: Instant,
) -> Answer<Option<bool>> {
    Ok(sessions::table
        .inner_join(accounts::table)
        .filter(sessions::id.eq(session))
        .filter(sessions::account_id.eq(account))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now.naive_utc()))
        .filter(accounts::state.eq(State::Active.name()))
        .select(sessions::second_factor)
        .first(conn)
        .optional()?)
}

/// A session that goes on.
///
/// # Errors
/// A fault of the database.
pub fn session(conn: &mut Conn, id: &SessionId, now: Instant) -> Answer<Option<Session>> {
    let row: Option<SessionRow> = sessions::table
        .find(id)
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now.naive_utc()))
        .select(SessionRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Session::try_from).transpose()?)
}

/// The sessions of an account that go on, newest first.
///
/// # Errors
/// A fault of the database.
pub fn sessions_of(conn: &mut Conn, account: &AccountId, now: Instant) -> Answer<Vec<Session>> {
    let rows: Vec<SessionRow> = sessions::table
        .filter(sessions::account_id.eq(account))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now.naive_utc()))
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .select(SessionRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(Session::try_from)
        .collect::<Result<_, _>>()?)
}

/// Adds a session with its first refresh token.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, session: &Session, token: &TokenHash) -> Answer<()> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(&session.id),
            sessions::account_id.eq(&session.account_id),
            sessions::device_name.eq(&session.device_name),
            sessions::means.eq(session.means.name()),
            sessions::second_factor.eq(session.second_factor),
            sessions::created_at.eq(session.created_at.naive_utc()),
            sessions::used_at.eq(session.used_at.naive_utc()),
            sessions::expires_at.eq(session.expires_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    insert_token(tx, &session.id, token)
}

fn insert_token(tx: &mut Tx<'_>, session: &SessionId, token: &TokenHash) -> Answer<()> {
    let now = tx.now().naive_utc();
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::hash.eq(token.as_slice()),
            refresh_tokens::session_id.eq(session),
            refresh_tokens::issued_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// The session that a refresh token belongs to, and whether the token was used before; also if the session has ended.
///
/// # Errors
/// A fault of the database.
pub fn session_of_token(conn: &mut Conn, token: &TokenHash) -> Answer<Option<(SessionId, bool)>> {
    let row: Option<(SessionId, Option<NaiveDateTime>)> = refresh_tokens::table
        .find(token.as_slice())
        .select((refresh_tokens::session_id, refresh_tokens::used_at))
        .first(conn)
        .optional()?;
    Ok(row.map(|(session, used_at)| (session, used_at.is_some())))
}

/// Uses a refresh token up and puts the next one in its place. Tells whether it was still unused.
///
/// # Errors
/// A fault of the database.
pub fn rotate(
    tx: &mut Tx<'_>,
    session: &Session,
    used: &TokenHash,
    next: &TokenHash,
    expires_at: Instant,
) -> Answer<bool> {
    let now = tx.now().naive_utc();
    let unused = refresh_tokens::table
        .find(used.as_slice())
        .filter(refresh_tokens::used_at.is_null());
    let taken = diesel::update(unused)
        .set(refresh_tokens::used_at.eq(now))
        .execute(tx.conn())?;
    if taken == 0 {
        return Ok(false);
    }
    insert_token(tx, &session.id, next)?;
    diesel::update(sessions::table.find(&session.id))
        .set((
            sessions::used_at.eq(now),
            sessions::expires_at.eq(expires_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(true)
}

/// Ends these sessions. Tells how many had not ended before.
///
/// # Errors
/// A fault of the database.
pub fn end(tx: &mut Tx<'_>, ids: &[SessionId], because: End) -> Answer<usize> {
    let now = tx.now().naive_utc();
    Ok(diesel::update(
        sessions::table
            .filter(sessions::id.eq_any(ids))
            .filter(sessions::ended_at.is_null()),
    )
    .set((
        sessions::ended_at.eq(now),
        sessions::ended_because.eq(because.name()),
    ))
    .execute(tx.conn())?)
}

/// Forgets some of the sessions that ended or expired long ago, with their refresh tokens; upkeep. Tells how many.
///
/// # Errors
/// A fault of the database.
pub fn forget_old(tx: &mut Tx<'_>, max: i64) -> Answer<usize> {
    let oldest = (tx.now() - REMEMBERED_FOR).naive_utc();
    let ids: Vec<SessionId> = sessions::table
        .filter(sessions::expires_at.lt(oldest).or(sessions::ended_at.lt(oldest)))
        .order(sessions::expires_at)
        .limit(max)
        .select(sessions::id)
        .load(tx.conn())?;
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::session_id.eq_any(&ids)))
        .execute(tx.conn())?;
    Ok(diesel::delete(sessions::table.filter(sessions::id.eq_any(&ids))).execute(tx.conn())?)
}
