//! The table of accounts that are being opened with a letter: which letter a mailed link stands for, and to which address it went.
//! Holds a mail address that belongs to nobody yet, so nothing here is printed, and it is forgotten as soon as the link is no good.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::conn::Conn;
use crate::db::schema::residence_registrations;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Answer;
use crate::registry::rules_letters::REGISTRATION_TRIES_MAX;
use crate::registry::rules_roll::ResidentId;

/// An account that is being opened. Has no `Debug`: it holds a mail address.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = residence_registrations)]
pub struct Registration {
    /// Whose letter it stands on.
    pub resident_id: ResidentId,
    /// Hash of the secret in the link.
    pub link_hash: Vec<u8>,
    /// Where the link was sent.
    pub email: String,
    /// Dates of birth that were given with it.
    pub tries: i64,
    /// When it was asked for, UTC.
    pub created_at: NaiveDateTime,
    /// Until when the link is good, UTC.
    pub expires_at: NaiveDateTime,
}

/// Adds one.
///
/// # Errors
/// A fault of the database, also if the letter stands for one already.
pub fn insert(tx: &mut Tx<'_>, registration: &Registration) -> Answer<()> {
    diesel::insert_into(residence_registrations::table)
        .values(registration)
        .execute(tx.conn())?;
    Ok(())
}

/// Makes the link that was sent for a letter good for nothing, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn void(tx: &mut Tx<'_>, resident_id: &ResidentId) -> Answer<()> {
    diesel::delete(residence_registrations::table.find(resident_id)).execute(tx.conn())?;
    Ok(())
}

/// What a link stands for, if its time is not over.
///
/// # Errors
/// A fault of the database.
pub fn of_link(conn: &mut Conn, link: &[u8; 32], now: Instant) -> Answer<Option<Registration>> {
    Ok(residence_registrations::table
        .filter(residence_registrations::link_hash.eq(link.as_slice()))
        .filter(residence_registrations::expires_at.gt(now.naive_utc()))
        .select(Registration::as_select())
        .first(conn)
        .optional()?)
}

/// Counts a date of birth that is given with a link. False if the link is no good, or was tried too often.
///
/// # Errors
/// A fault of the database.
pub fn count_try(tx: &mut Tx<'_>, link: &[u8; 32]) -> Answer<bool> {
    let open = residence_registrations::table
        .filter(residence_registrations::link_hash.eq(link.as_slice()))
        .filter(residence_registrations::tries.lt(REGISTRATION_TRIES_MAX));
    let counted = diesel::update(open)
        .set(residence_registrations::tries.eq(residence_registrations::tries + 1))
        .execute(tx.conn())?;
    Ok(counted == 1)
}

/// Forgets those whose link is good no more; upkeep. Tells how many.
///
/// # Errors
/// A fault of the database.
pub fn forget_expired(tx: &mut Tx<'_>) -> Answer<usize> {
    let now = tx.now().naive_utc();
    let expired = residence_registrations::table.filter(residence_registrations::expires_at.le(now));
    Ok(diesel::delete(expired).execute(tx.conn())?)
}
