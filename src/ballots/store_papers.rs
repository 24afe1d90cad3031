//! The tables of votes: papers until a ballot is counted, slips in its box afterwards.

use diesel::prelude::*;

use crate::ballots::rules::BallotId;
use crate::ballots::rules_slips::{Boxed, Slip};
use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{ballot_papers, ballot_slips};
use crate::db::writer::Tx;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::{Answer, Fault};

/// Rows of one statement: SQLite binds at most 32,766 values, PostgreSQL 65,535.
const ROWS_AT_ONCE: usize = 500;

/// The paper under a tag, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn paper(conn: &mut Conn, ballot: &BallotId, tag: &[u8; 32]) -> Answer<Option<Vec<u8>>> {
    Ok(ballot_papers::table
        .find((ballot, tag.as_slice()))
        .select(ballot_papers::sealed)
        .first(conn)
        .optional()?)
}

/// Puts a paper under a tag, in the place of what may be there.
///
/// # Errors
/// A fault of the database.
pub fn put(tx: &mut Tx<'_>, ballot: &BallotId, tag: &[u8; 32], sealed: &[u8]) -> Answer<()> {
    let changed = diesel::update(ballot_papers::table.find((ballot, tag.as_slice())))
        .set(ballot_papers::sealed.eq(sealed))
        .execute(tx.conn())?;
    if changed == 0 {
        diesel::insert_into(ballot_papers::table)
            .values((
                ballot_papers::ballot_id.eq(ballot),
                ballot_papers::tag.eq(tag.as_slice()),
                ballot_papers::sealed.eq(sealed),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// All papers of a ballot, by tag.
///
/// # Errors
/// A fault of the database.
pub fn papers(conn: &mut Conn, ballot: &BallotId) -> Answer<Vec<(Vec<u8>, Vec<u8>)>> {
    Ok(ballot_papers::table
        .filter(ballot_papers::ballot_id.eq(ballot))
        .order(ballot_papers::tag)
        .select((ballot_papers::tag, ballot_papers::sealed))
        .load(conn)?)
}

/// Takes all papers of a ballot away.
///
/// # Errors
/// A fault of the database.
pub fn forget(tx: &mut Tx<'_>, ballot: &BallotId) -> Answer<()> {
    diesel::delete(ballot_papers::table.filter(ballot_papers::ballot_id.eq(ballot))).execute(tx.conn())?;
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = ballot_slips, treat_none_as_default_value = false)]
struct SlipRow<'s> {
    ballot_id: &'s BallotId,
    hash: &'s [u8],
    question: &'s str,
    choice: &'s str,
    salt: &'s [u8],
    community_id: Option<&'s AreaId>,
}

impl<'s> SlipRow<'s> {
    fn of(ballot: &'s BallotId, one: &'s Boxed) -> Self {
        Self {
            ballot_id: ballot,
            hash: one.hash.as_slice(),
            question: &one.slip.question,
            choice: &one.slip.choice,
            salt: one.slip.salt.as_slice(),
            community_id: one.community.as_ref(),
        }
    }
}

/// Puts slips into the box.
///
/// # Errors
/// A fault of the database.
pub fn insert_slips(tx: &mut Tx<'_>, ballot: &BallotId, slips: &[Boxed]) -> Answer<()> {
    let rows: Vec<SlipRow<'_>> = slips.iter().map(|one| SlipRow::of(ballot, one)).collect();
    for some in rows.chunks(ROWS_AT_ONCE) {
        both!(tx.conn(), c => diesel::insert_into(ballot_slips::table).values(some).execute(c))?;
    }
    Ok(())
}

/// The box of a ballot, by hash.
///
/// # Errors
/// A fault of the database, or of bytes that are no hash and no salt.
pub fn slips(conn: &mut Conn, ballot: &BallotId) -> Answer<Vec<Boxed>> {
    type Row = (Vec<u8>, String, String, Vec<u8>, Option<AreaId>);
    let rows: Vec<Row> = ballot_slips::table
        .filter(ballot_slips::ballot_id.eq(ballot))
        .order(ballot_slips::hash)
        .select((
            ballot_slips::hash,
            ballot_slips::question,
            ballot_slips::choice,
            ballot_slips::salt,
            ballot_slips::community_id,
        ))
        .load(conn)?;
    let none = |_| Fault::broken("a slip of a box is none");
    let boxed = |(hash, question, choice, salt, community): Row| {
        Ok(Boxed {
            hash: hash.try_into().map_err(none)?,
            slip: Slip {
                question,
                choice,
                salt: salt.try_into().map_err(none)?,
            },
            community,
        })
    };
    Ok(rows.into_iter().map(boxed).collect::<Result<_, Fault>>()?)
}

/// Whether a slip of that hash is in the box.
///
/// # Errors
/// A fault of the database.
pub fn is_in_box(conn: &mut Conn, ballot: &BallotId, hash: &[u8; 32]) -> Answer<bool> {
    let found: Option<String> = ballot_slips::table
        .find((ballot, hash.as_slice()))
        .select(ballot_slips::question)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}
