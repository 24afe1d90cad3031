//! The tables of links and of codes that work once.

use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;

use crate::db::conn::Conn;
use crate::db::schema::{one_time_links, sign_in_codes};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::Answer;
use crate::people::rules_links::{CODE_ATTEMPTS_MAX, ChallengeId, Purpose};
use crate::people::store_sessions::TokenHash;

/// How long links and codes are kept that are good for nothing any more.
const KEPT_FOR: Duration = Duration::days(30);

/// Adds a link. Of invitations, of one account or for the first one of all, only the newest is good; links to choose another
/// password are good beside each other, because anybody may ask for one, and so are those of registrations, which are of no account
/// and are told apart by whoever keeps what they are good for.
///
/// # Errors
/// A fault of the database.
pub fn insert_link(
    tx: &mut Tx<'_>,
    hash: &TokenHash,
    purpose: Purpose,
    account: Option<&AccountId>,
    expires_at: Instant,
) -> Answer<()> {
    let now = tx.now().naive_utc();
    if matches!(purpose, Purpose::Invitation | Purpose::Bootstrap) {
        void_links(tx, purpose, account)?;
    }
    diesel::insert_into(one_time_links::table)
        .values((
            one_time_links::hash.eq(hash.as_slice()),
            one_time_links::purpose.eq(purpose.name()),
            one_time_links::account_id.eq(account),
            one_time_links::created_at.eq(now),
            one_time_links::expires_at.eq(expires_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Makes the links of a purpose good for nothing: those of one account, or those that are of none.
///
/// # Errors
/// A fault of the database.
pub fn void_links(tx: &mut Tx<'_>, purpose: Purpose, account: Option<&AccountId>) -> Answer<()> {
    let now = tx.now().naive_utc();
    let unused = one_time_links::table
        .filter(one_time_links::purpose.eq(purpose.name()))
        .filter(one_time_links::used_at.is_null());
    match account {
        Some(account) => diesel::update(unused.filter(one_time_links::account_id.eq(account)))
            .set(one_time_links::used_at.eq(now))
            .execute(tx.conn())?,
        None => diesel::update(unused.filter(one_time_links::account_id.is_null()))
            .set(one_time_links::used_at.eq(now))
            .execute(tx.conn())?,
    };
    Ok(())
}

/// A link that is good: what for, and for whom.
///
/// # Errors
/// A fault of the database.
pub fn link(conn: &mut Conn, hash: &TokenHash, now: Instant) -> Answer<Option<(Purpose, Option<AccountId>)>> {
    let row: Option<(String, Option<AccountId>)> = one_time_links::table
        .find(hash.as_slice())
        .filter(one_time_links::used_at.is_null())
        .filter(one_time_links::expires_at.gt(now.naive_utc()))
        .select((one_time_links::purpose, one_time_links::account_id))
        .first(conn)
        .optional()?;
    Ok(row.and_then(|(purpose, account)| Purpose::named(&purpose).map(|purpose| (purpose, account))))
}

/// Uses a link up. Tells whether it was unused.
///
/// # Errors
/// A fault of the database.
pub fn use_link(tx: &mut Tx<'_>, hash: &TokenHash) -> Answer<bool> {
    let now = tx.now().naive_utc();
    let unused = one_time_links::table
        .find(hash.as_slice())
        .filter(one_time_links::used_at.is_null());
    let used = diesel::update(unused)
        .set(one_time_links::used_at.eq(now))
        .execute(tx.conn())?;
    Ok(used == 1)
}

/// Adds a code that was sent by mail.
///
/// # Errors
/// A fault of the database.
pub fn insert_code(
    tx: &mut Tx<'_>,
    id: &ChallengeId,
    account: &AccountId,
    mac: &[u8; 32],
    expires_at: Instant,
) -> Answer<()> {
    let now = tx.now().naive_utc();
    diesel::insert_into(sign_in_codes::table)
        .values((
            sign_in_codes::id.eq(id),
            sign_in_codes::account_id.eq(account),
            sign_in_codes::mac.eq(mac.as_slice()),
            sign_in_codes::attempts.eq(0_i64),
            sign_in_codes::created_at.eq(now),
            sign_in_codes::expires_at.eq(expires_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Counts a try of a code, and gives the account and the MAC to compare with; `None` if it is good for nothing any more.
///
/// # Errors
/// A fault of the database.
pub fn try_code(tx: &mut Tx<'_>, id: &ChallengeId) -> Answer<Option<(AccountId, Vec<u8>)>> {
    let now = tx.now().naive_utc();
    let open = sign_in_codes::table
        .find(id)
        .filter(sign_in_codes::used_at.is_null())
        .filter(sign_in_codes::expires_at.gt(now))
        .filter(sign_in_codes::attempts.lt(CODE_ATTEMPTS_MAX));
    let counted = diesel::update(open)
        .set(sign_in_codes::attempts.eq(sign_in_codes::attempts + 1))
        .execute(tx.conn())?;
    if counted == 0 {
        return Ok(None);
    }
    Ok(sign_in_codes::table
        .find(id)
        .select((sign_in_codes::account_id, sign_in_codes::mac))
        .first(tx.conn())
        .optional()?)
}

/// Uses a code up. Tells whether it was unused.
///
/// # Errors
/// A fault of the database.
pub fn use_code(tx: &mut Tx<'_>, id: &ChallengeId) -> Answer<bool> {
    let now: NaiveDateTime = tx.now().naive_utc();
    let unused = sign_in_codes::table
        .find(id)
        .filter(sign_in_codes::used_at.is_null());
    let used = diesel::update(unused)
        .set(sign_in_codes::used_at.eq(now))
        .execute(tx.conn())?;
    Ok(used == 1)
}

/// Forgets links and codes that have been good for nothing for long; upkeep. Tells how many.
///
/// # Errors
/// A fault of the database.
pub fn forget_old(tx: &mut Tx<'_>) -> Answer<usize> {
    let oldest = (tx.now() - KEPT_FOR).naive_utc();
    let codes = diesel::delete(sign_in_codes::table.filter(sign_in_codes::expires_at.lt(oldest)))
        .execute(tx.conn())?;
    let links = diesel::delete(one_time_links::table.filter(one_time_links::expires_at.lt(oldest)))
        .execute(tx.conn())?;
    Ok(codes.saturating_add(links))
}
