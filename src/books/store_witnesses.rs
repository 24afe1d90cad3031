//! The tables of witnesses: their recipients, the keys that they share, and what became of each share.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::books::rules::BookId;
use crate::books::rules_witnesses::{HeldShare, SharedCustody, WitnessKey};
use crate::books::shares::SharedKey;
use crate::db::conn::Conn;
use crate::db::schema::{given_shares, key_shares, share_rehearsals, shared_keys, witness_keys};
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};

/// Recipients of one account that are shown.
const KEYS_SHOWN_MAX: i64 = 1_000;

#[derive(Queryable, Selectable)]
#[diesel(table_name = witness_keys)]
struct KeyRow {
    account_id: String,
    number: i64,
    recipient: String,
    registered_at: NaiveDateTime,
}

impl From<KeyRow> for WitnessKey {
    fn from(row: KeyRow) -> Self {
        Self {
            account_id: row.account_id,
            number: row.number,
            recipient: row.recipient,
            registered_at: row.registered_at.and_utc(),
        }
    }
}

/// The recipients of an account, the one that counts first.
///
/// # Errors
/// A fault of the database.
pub fn keys_of(conn: &mut Conn, account: &str) -> Answer<Vec<WitnessKey>> {
    let rows: Vec<KeyRow> = witness_keys::table
        .filter(witness_keys::account_id.eq(account))
        .order(witness_keys::number.desc())
        .limit(KEYS_SHOWN_MAX)
        .select(KeyRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(WitnessKey::from).collect())
}

/// The recipient of an account that counts.
///
/// # Errors
/// A fault of the database.
pub fn key_of(conn: &mut Conn, account: &str) -> Answer<Option<WitnessKey>> {
    let row: Option<KeyRow> = witness_keys::table
        .filter(witness_keys::account_id.eq(account))
        .order(witness_keys::number.desc())
        .select(KeyRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(WitnessKey::from))
}

/// Whether somebody has registered a recipient, ever.
///
/// # Errors
/// A fault of the database.
pub fn is_taken(conn: &mut Conn, recipient: &str) -> Answer<bool> {
    let number: Option<i64> = witness_keys::table
        .filter(witness_keys::recipient.eq(recipient))
        .select(witness_keys::number)
        .first(conn)
        .optional()?;
    Ok(number.is_some())
}

/// Adds a recipient.
///
/// # Errors
/// A fault of the database.
pub fn insert_key(tx: &mut Tx<'_>, key: &WitnessKey) -> Answer<()> {
    diesel::insert_into(witness_keys::table)
        .values((
            witness_keys::account_id.eq(&key.account_id),
            witness_keys::number.eq(key.number),
            witness_keys::recipient.eq(&key.recipient),
            witness_keys::registered_at.eq(key.registered_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Keeps a shared key: its canary, and its shares as they were sealed to these recipients, in their order.
///
/// # Errors
/// A fault of the database.
pub fn insert_shared(
    tx: &mut Tx<'_>,
    book: &BookId,
    threshold: u8,
    key: &SharedKey,
    witnesses: &[WitnessKey],
) -> Answer<()> {
    let now = tx.now().naive_utc();
    diesel::insert_into(shared_keys::table)
        .values((
            shared_keys::book_id.eq(book),
            shared_keys::recipient.eq(&key.recipient),
            shared_keys::threshold.eq(i64::from(threshold)),
            shared_keys::canary.eq(&key.canary),
            shared_keys::made_at.eq(now),
        ))
        .execute(tx.conn())?;
    for (share, witness) in key.shares.iter().zip(witnesses) {
        diesel::insert_into(key_shares::table)
            .values((
                key_shares::book_id.eq(book),
                key_shares::number.eq(i64::from(share.number)),
                key_shares::account_id.eq(&witness.account_id),
                key_shares::witness_key.eq(witness.number),
                key_shares::commitment.eq(share.commitment.as_slice()),
                key_shares::word_sha256.eq(share.word_sha256.as_slice()),
                key_shares::sealed.eq(&share.sealed),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = key_shares)]
struct ShareRow {
    number: i64,
    account_id: String,
    witness_key: i64,
    commitment: Vec<u8>,
    word_sha256: Vec<u8>,
}

/// Who shares a book's key, and how far they are; `None` if it is not shared.
///
/// # Errors
/// A fault of the database.
pub fn custody(conn: &mut Conn, book: &BookId) -> Answer<Option<SharedCustody>> {
    let key: Option<(String, i64)> = shared_keys::table
        .find(book)
        .select((shared_keys::recipient, shared_keys::threshold))
        .first(conn)
        .optional()?;
    let Some((recipient, threshold)) = key else {
        return Ok(None);
    };
    let rows: Vec<ShareRow> = key_shares::table
        .filter(key_shares::book_id.eq(book))
        .order(key_shares::number)
        .select(ShareRow::as_select())
        .load(conn)?;
    let rehearsed: Vec<(i64, NaiveDateTime)> = share_rehearsals::table
        .filter(share_rehearsals::book_id.eq(book))
        .select((share_rehearsals::number, share_rehearsals::rehearsed_at))
        .load(conn)?;
    let given: Vec<(i64, NaiveDateTime)> = given_shares::table
        .filter(given_shares::book_id.eq(book))
        .select((given_shares::number, given_shares::given_at))
        .load(conn)?;
    let rehearsed: HashMap<i64, NaiveDateTime> = rehearsed.into_iter().collect();
    let given: HashMap<i64, NaiveDateTime> = given.into_iter().collect();
    let shares = rows.into_iter().map(|row| {
        let at = |of: &HashMap<i64, NaiveDateTime>| of.get(&row.number).map(NaiveDateTime::and_utc);
        Ok(HeldShare {
            rehearsed_at: at(&rehearsed),
            given_at: at(&given),
            number: small(row.number)?,
            account_id: row.account_id,
            witness_key: row.witness_key,
            commitment: hash(&row.commitment)?,
            word_sha256: hash(&row.word_sha256)?,
        })
    });
    Ok(Some(SharedCustody {
        recipient,
        threshold: small(threshold)?,
        shares: shares.collect::<Result<_, Fault>>()?,
    }))
}

fn small(number: i64) -> Result<u8, Fault> {
    u8::try_from(number).map_err(|error| Fault::caused("the number of a share", error))
}

fn hash(bytes: &[u8]) -> Result<[u8; 32], Fault> {
    bytes
        .try_into()
        .map_err(|error| Fault::caused("the hash of a share", error))
}

/// The canary of a book whose key is shared.
///
/// # Errors
/// A fault of the database.
pub fn canary(conn: &mut Conn, book: &BookId) -> Answer<Option<Vec<u8>>> {
    Ok(shared_keys::table
        .find(book)
        .select(shared_keys::canary)
        .first(conn)
        .optional()?)
}

/// The share of a book's key that is sealed to an account.
///
/// # Errors
/// A fault of the database.
pub fn sealed_share(conn: &mut Conn, book: &BookId, account: &str) -> Answer<Option<Vec<u8>>> {
    Ok(key_shares::table
        .filter(key_shares::book_id.eq(book))
        .filter(key_shares::account_id.eq(account))
        .select(key_shares::sealed)
        .first(conn)
        .optional()?)
}

/// Saves that a share was shown to be in good hands.
///
/// # Errors
/// A fault of the database.
pub fn insert_rehearsal(tx: &mut Tx<'_>, book: &BookId, number: u8) -> Answer<()> {
    let now = tx.now().naive_utc();
    diesel::insert_into(share_rehearsals::table)
        .values((
            share_rehearsals::book_id.eq(book),
            share_rehearsals::number.eq(i64::from(number)),
            share_rehearsals::rehearsed_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves that a share was handed in, and the share itself, encrypted, if it is needed.
///
/// # Errors
/// A fault of the database.
pub fn insert_given(tx: &mut Tx<'_>, book: &BookId, number: u8, sealed: Option<&[u8]>) -> Answer<()> {
    let now = tx.now().naive_utc();
    diesel::insert_into(given_shares::table)
        .values((
            given_shares::book_id.eq(book),
            given_shares::number.eq(i64::from(number)),
            given_shares::sealed.eq(sealed),
            given_shares::given_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// The shares that were handed in and are kept, encrypted, with their numbers.
///
/// # Errors
/// A fault of the database.
pub fn kept_shares(conn: &mut Conn, book: &BookId) -> Answer<Vec<(u8, Vec<u8>)>> {
    let rows: Vec<(i64, Option<Vec<u8>>)> = given_shares::table
        .filter(given_shares::book_id.eq(book))
        .order(given_shares::number)
        .select((given_shares::number, given_shares::sealed))
        .load(conn)?;
    let kept = rows
        .into_iter()
        .filter_map(|(number, sealed)| sealed.map(|sealed| (number, sealed)));
    Ok(kept
        .map(|(number, sealed)| Ok((small(number)?, sealed)))
        .collect::<Result<_, Fault>>()?)
}

/// Forgets the shares that were handed in; that they were stays on record.
///
/// # Errors
/// A fault of the database.
pub fn forget_given(tx: &mut Tx<'_>, book: &BookId) -> Answer<()> {
    diesel::update(given_shares::table.filter(given_shares::book_id.eq(book)))
        .set(given_shares::sealed.eq(None::<Vec<u8>>))
        .execute(tx.conn())?;
    Ok(())
}
