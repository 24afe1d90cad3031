//! The tables of identities at another provider, and of attempts to sign in with one.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::conn::Conn;
use crate::db::schema::{outside_attempts, outside_identities};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::people::rules_outside::{Aim, AttemptId, IDENTITIES_MAX, Identity, IdentityId, Stage};
use crate::people::store_sessions::TokenHash;

type IdentityRow = (
    IdentityId,
    AccountId,
    String,
    NaiveDateTime,
    Option<NaiveDateTime>,
);

fn identity_of(row: IdentityRow) -> Identity {
    let (id, account_id, issuer, created_at, used_at) = row;
    Identity {
        id,
        account_id,
        issuer,
        created_at: created_at.and_utc(),
        used_at: used_at.map(|at| at.and_utc()),
    }
}

const COLUMNS: (
    outside_identities::id,
    outside_identities::account_id,
    outside_identities::issuer,
    outside_identities::created_at,
    outside_identities::used_at,
) = (
    outside_identities::id,
    outside_identities::account_id,
    outside_identities::issuer,
    outside_identities::created_at,
    outside_identities::used_at,
);

/// Whoever a provider knows by this subject, if they have linked it.
///
/// # Errors
/// A fault of the database.
pub fn identity(conn: &mut Conn, issuer: &str, subject: &str) -> Answer<Option<Identity>> {
    let row: Option<IdentityRow> = outside_identities::table
        .filter(outside_identities::issuer.eq(issuer))
        .filter(outside_identities::subject.eq(subject))
        .select(COLUMNS)
        .first(conn)
        .optional()?;
    Ok(row.map(identity_of))
}

/// The identities of an account, oldest first.
///
/// # Errors
/// A fault of the database.
pub fn identities_of(conn: &mut Conn, account: &AccountId) -> Answer<Vec<Identity>> {
    let rows: Vec<IdentityRow> = outside_identities::table
        .filter(outside_identities::account_id.eq(account))
        .order(outside_identities::id)
        .limit(i64::try_from(IDENTITIES_MAX).unwrap_or(i64::MAX))
        .select(COLUMNS)
        .load(conn)?;
    Ok(rows.into_iter().map(identity_of).collect())
}

/// Links an identity to an account.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, identity: &Identity, subject: &str) -> Answer<()> {
    diesel::insert_into(outside_identities::table)
        .values((
            outside_identities::id.eq(&identity.id),
            outside_identities::account_id.eq(&identity.account_id),
            outside_identities::issuer.eq(&identity.issuer),
            outside_identities::subject.eq(subject),
            outside_identities::created_at.eq(identity.created_at.naive_utc()),
            outside_identities::used_at.eq(identity.used_at.map(|at| at.naive_utc())),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Notes that somebody signs in with an identity.
///
/// # Errors
/// A fault of the database.
pub fn note_use(tx: &mut Tx<'_>, id: &IdentityId) -> Answer<()> {
    let now = tx.now().naive_utc();
    diesel::update(outside_identities::table.find(id))
        .set(outside_identities::used_at.eq(now))
        .execute(tx.conn())?;
    Ok(())
}

/// Unlinks an identity of an account. Tells whether it was there.
///
/// # Errors
/// A fault of the database.
pub fn remove(tx: &mut Tx<'_>, account: &AccountId, id: &IdentityId) -> Answer<bool> {
    let own = outside_identities::table
        .find(id)
        .filter(outside_identities::account_id.eq(account));
    Ok(diesel::delete(own).execute(tx.conn())? == 1)
}

/// Unlinks all identities of an account, so that the person may come back as somebody new.
///
/// # Errors
/// A fault of the database.
pub fn remove_all(tx: &mut Tx<'_>, account: &AccountId) -> Answer<()> {
    diesel::delete(outside_attempts::table.filter(outside_attempts::account_id.eq(account)))
        .execute(tx.conn())?;
    diesel::delete(outside_identities::table.filter(outside_identities::account_id.eq(account)))
        .execute(tx.conn())?;
    Ok(())
}

/// An attempt to sign in through another provider.
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// Of what goes through the browser.
    pub state_hash: TokenHash,
    /// Of what whoever began keeps.
    pub holder_hash: TokenHash,
    /// What it is for.
    pub aim: Aim,
    /// What nobody else may know of it, encrypted.
    pub sealed: Vec<u8>,
    /// How far it has come.
    pub stage: Stage,
    /// Until when it is good.
    pub expires_at: Instant,
}

/// Adds an attempt.
///
/// # Errors
/// A fault of the database.
pub fn insert_attempt(tx: &mut Tx<'_>, attempt: &Attempt) -> Answer<()> {
    let now = tx.now().naive_utc();
    let (account, link) = match &attempt.aim {
        Aim::SignIn => (None, None),
        Aim::Link(account) => (Some(account), None),
        Aim::Invitation(link) => (None, Some(link.as_slice())),
    };
    diesel::insert_into(outside_attempts::table)
        .values((
            outside_attempts::id.eq(&attempt.id),
            outside_attempts::state_hash.eq(attempt.state_hash.as_slice()),
            outside_attempts::holder_hash.eq(attempt.holder_hash.as_slice()),
            outside_attempts::account_id.eq(account),
            outside_attempts::link_hash.eq(link),
            outside_attempts::sealed.eq(&attempt.sealed),
            outside_attempts::stage.eq(attempt.stage.name()),
            outside_attempts::created_at.eq(now),
            outside_attempts::expires_at.eq(attempt.expires_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

type AttemptRow = (
    AttemptId,
    Vec<u8>,
    Option<AccountId>,
    Option<Vec<u8>>,
    Vec<u8>,
    String,
    NaiveDateTime,
);

/// The attempt of whoever holds this, if its time is not over.
///
/// # Errors
/// A fault of the database.
pub fn attempt(conn: &mut Conn, holder: &TokenHash, now: Instant) -> Answer<Option<Attempt>> {
    let row: Option<AttemptRow> = outside_attempts::table
        .filter(outside_attempts::holder_hash.eq(holder.as_slice()))
        .filter(outside_attempts::expires_at.gt(now.naive_utc()))
        .select((
            outside_attempts::id,
            outside_attempts::state_hash,
            outside_attempts::account_id,
            outside_attempts::link_hash,
            outside_attempts::sealed,
            outside_attempts::stage,
            outside_attempts::expires_at,
        ))
        .first(conn)
        .optional()?;
    let Some((id, state_hash, account, link, sealed, stage, expires_at)) = row else {
        return Ok(None);
    };
    let hash = |bytes: Vec<u8>| {
        TokenHash::try_from(bytes).map_err(|_| Fault::broken("a stored hash of another length"))
    };
    let aim = match (account, link) {
        (Some(account), _) => Aim::Link(account),
        (None, Some(link)) => Aim::Invitation(hash(link)?),
        (None, None) => Aim::SignIn,
    };
    Ok(Some(Attempt {
        id,
        state_hash: hash(state_hash)?,
        holder_hash: *holder,
        aim,
        sealed,
        stage: Stage::named(&stage).ok_or_else(|| Fault::broken(format!("an attempt that is {stage}")))?,
        expires_at: expires_at.and_utc(),
    }))
}

/// Whether a browser that brings this state comes back from an attempt that waits for it.
///
/// # Errors
/// A fault of the database.
pub fn is_awaited(conn: &mut Conn, state: &TokenHash, now: Instant) -> Answer<bool> {
    let waiting = outside_attempts::table
        .filter(outside_attempts::state_hash.eq(state.as_slice()))
        .filter(outside_attempts::stage.eq(Stage::Begun.name()))
        .filter(outside_attempts::expires_at.gt(now.naive_utc()))
        .count()
        .get_result::<i64>(conn)?;
    Ok(waiting == 1)
}

/// Brings an attempt on, with what is to be kept of it now. Tells whether it stood where it was thought to.
///
/// # Errors
/// A fault of the database.
pub fn bring_on(tx: &mut Tx<'_>, id: &AttemptId, from: Stage, to: Stage, sealed: &[u8]) -> Answer<bool> {
    let standing = outside_attempts::table
        .find(id)
        .filter(outside_attempts::stage.eq(from.name()));
    let moved = diesel::update(standing)
        .set((
            outside_attempts::stage.eq(to.name()),
            outside_attempts::sealed.eq(sealed),
        ))
        .execute(tx.conn())?;
    Ok(moved == 1)
}

/// Forgets attempts whose time is over; upkeep. Tells how many.
///
/// # Errors
/// A fault of the database.
pub fn forget_old(tx: &mut Tx<'_>) -> Answer<usize> {
    let now = tx.now().naive_utc();
    let over = outside_attempts::table.filter(outside_attempts::expires_at.lt(now));
    Ok(diesel::delete(over).execute(tx.conn())?)
}
