//! The tables of second factors and of recovery codes.

use diesel::prelude::*;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{recovery_codes, second_factors, sessions};
use crate::db::writer::Tx;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::Answer;
use crate::people::rules_sessions::SessionId;
use crate::people::store_sessions::TokenHash;

/// A second factor.
#[derive(Clone, Queryable)]
pub struct SecondFactor {
    /// Its secret, encrypted.
    pub sealed: Vec<u8>,
    /// The newest time step whose code was used.
    pub last_step: i64,
    /// True once its owner has shown that their device knows the secret.
    pub confirmed: bool,
}

/// The second factor of an account, if there is one, confirmed or not.
///
/// # Errors
/// A fault of the database.
pub fn second_factor(conn: &mut Conn, account: &AccountId) -> Answer<Option<SecondFactor>> {
    Ok(second_factors::table
        .find(account)
        .select((
            second_factors::sealed,
            second_factors::last_step,
            second_factors::confirmed_at.is_not_null(),
        ))
        .first(conn)
        .optional()?)
}

/// Puts one that is not confirmed in the place of another that is not.
///
/// # Errors
/// A fault of the database.
pub fn propose(tx: &mut Tx<'_>, account: &AccountId, sealed: &[u8]) -> Answer<()> {
    let now = tx.now().naive_utc();
    let unconfirmed = second_factors::table
        .find(account)
        .filter(second_factors::confirmed_at.is_null());
    diesel::delete(unconfirmed).execute(tx.conn())?;
    diesel::insert_into(second_factors::table)
        .values((
            second_factors::account_id.eq(account),
            second_factors::sealed.eq(sealed),
            second_factors::last_step.eq(0_i64),
            second_factors::created_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Uses up the code of a step. Tells whether it was newer than all that were used.
///
/// # Errors
/// A fault of the database.
pub fn use_step(tx: &mut Tx<'_>, account: &AccountId, step: i64) -> Answer<bool> {
    let older = second_factors::table
        .find(account)
        .filter(second_factors::last_step.lt(step));
    let used = diesel::update(older)
        .set(second_factors::last_step.eq(step))
        .execute(tx.conn())?;
    Ok(used == 1)
}

/// Confirms it, with these recovery codes.
///
/// # Errors
/// A fault of the database.
pub fn confirm(tx: &mut Tx<'_>, account: &AccountId, codes: &[TokenHash]) -> Answer<()> {
    let now = tx.now().naive_utc();
    diesel::update(second_factors::table.find(account))
        .set(second_factors::confirmed_at.eq(now))
        .execute(tx.conn())?;
    diesel::delete(recovery_codes::table.filter(recovery_codes::account_id.eq(account)))
        .execute(tx.conn())?;
    let rows: Vec<_> = codes
        .iter()
        .map(|hash| {
            (
                recovery_codes::account_id.eq(account),
                recovery_codes::hash.eq(hash.as_slice()),
            )
        })
        .collect();
    both!(tx.conn(), c => diesel::insert_into(recovery_codes::table).values(&rows).execute(c))?;
    Ok(())
}

/// Uses up a recovery code. Tells whether it was there to be used.
///
/// # Errors
/// A fault of the database.
pub fn use_recovery_code(tx: &mut Tx<'_>, account: &AccountId, code: &TokenHash) -> Answer<bool> {
    let now = tx.now().naive_utc();
    let unused = recovery_codes::table
        .find((account, code.as_slice()))
        .filter(recovery_codes::used_at.is_null());
    let used = diesel::update(unused)
        .set(recovery_codes::used_at.eq(now))
        .execute(tx.conn())?;
    Ok(used == 1)
}

/// Recovery codes that are left.
///
/// # Errors
/// A fault of the database.
pub fn recovery_codes_left(conn: &mut Conn, account: &AccountId) -> Answer<i64> {
    Ok(recovery_codes::table
        .filter(recovery_codes::account_id.eq(account))
        .filter(recovery_codes::used_at.is_null())
        .count()
        .get_result(conn)?)
}

/// Takes the second factor away, with its recovery codes, and makes every session of the account a weak one.
///
/// # Errors
/// A fault of the database.
pub fn remove(tx: &mut Tx<'_>, account: &AccountId) -> Answer<()> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::account_id.eq(account)))
        .execute(tx.conn())?;
    diesel::delete(second_factors::table.find(account)).execute(tx.conn())?;
    diesel::update(sessions::table.filter(sessions::account_id.eq(account)))
        .set(sessions::second_factor.eq(false))
        .execute(tx.conn())?;
    Ok(())
}

/// Makes a session a strong one.
///
/// # Errors
/// A fault of the database.
pub fn strengthen(tx: &mut Tx<'_>, session: &SessionId) -> Answer<()> {
    diesel::update(sessions::table.find(session))
        .set(sessions::second_factor.eq(true))
        .execute(tx.conn())?;
    Ok(())
}
