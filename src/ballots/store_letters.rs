//! The tables of letters to voters, of how far they were mailed to, and of who is listed by a registrar.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::ballots::rules::{BallotId, VoterListingId};
use crate::ballots::rules_slips::PrintedLetter;
use crate::ballots::store::{VOTING, Voting};
use crate::db::conn::Conn;
use crate::db::schema::{ballot_letters, ballot_mailings, ballot_voters, residents, voter_listings};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::{AccountId, AreaId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::rules_letters::Presented;
use crate::registry::rules_roll::{ResidentId, State};

/// A letter as it stands in the database: whether it was printed so is for the ballot's key to say.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Letter {
    /// Of which ballot.
    pub ballot_id: BallotId,
    /// Of which voter.
    pub number: i64,
    link_hash: Vec<u8>,
    code_hash: Vec<u8>,
    printed_at: Option<NaiveDateTime>,
    /// The how manieth of theirs it is.
    pub printings: i64,
    seal: Option<Vec<u8>>,
}

impl Letter {
    /// When it was printed, UTC; nothing for those of before this was noted.
    pub fn printed_at(&self) -> Option<Instant> {
        self.printed_at.map(|at| at.and_utc())
    }

    /// What is vouched for, and what vouches for it; nothing for those of before this was done.
    pub fn sealed(&self) -> Option<(PrintedLetter<'_>, &[u8])> {
        let letter = PrintedLetter {
            number: self.number,
            link: &self.link_hash,
            code: &self.code_hash,
            printings: self.printings,
            printed_at: self.printed_at()?,
        };
        Some((letter, self.seal.as_deref()?))
    }
}

type LetterColumns = (
    ballot_letters::ballot_id,
    ballot_letters::number,
    ballot_letters::link_hash,
    ballot_letters::code_hash,
    ballot_letters::printed_at,
    ballot_letters::printings,
    ballot_letters::seal,
);

const LETTER: LetterColumns = (
    ballot_letters::ballot_id,
    ballot_letters::number,
    ballot_letters::link_hash,
    ballot_letters::code_hash,
    ballot_letters::printed_at,
    ballot_letters::printings,
    ballot_letters::seal,
);

/// The letter that has a code, if one has.
///
/// # Errors
/// A fault of the database.
pub fn of_code(conn: &mut Conn, code: &Presented) -> Answer<Option<Letter>> {
    let query = ballot_letters::table.select(LETTER);
    let found = match code {
        Presented::Link(hash) => query
            .filter(ballot_letters::link_hash.eq(hash.as_slice()))
            .first(conn),
        Presented::Typed(hash) => query
            .filter(ballot_letters::code_hash.eq(hash.as_slice()))
            .first(conn),
    };
    Ok(found.optional()?)
}

/// The letter of a voter, if one was printed.
///
/// # Errors
/// A fault of the database.
pub fn letter(conn: &mut Conn, ballot: &BallotId, number: i64) -> Answer<Option<Letter>> {
    Ok(ballot_letters::table
        .find((ballot, number))
        .select(LETTER)
        .first(conn)
        .optional()?)
}

/// Keeps a letter with what vouches for it; an older one of the same voter becomes void.
///
/// # Errors
/// A fault of the database.
pub fn put(tx: &mut Tx<'_>, ballot: &BallotId, letter: &PrintedLetter<'_>, seal: &[u8; 32]) -> Answer<()> {
    diesel::delete(ballot_letters::table.find((ballot, letter.number))).execute(tx.conn())?;
    diesel::insert_into(ballot_letters::table)
        .values((
            ballot_letters::ballot_id.eq(ballot),
            ballot_letters::number.eq(letter.number),
            ballot_letters::link_hash.eq(letter.link),
            ballot_letters::code_hash.eq(letter.code),
            ballot_letters::printed_at.eq(letter.printed_at.naive_utc()),
            ballot_letters::printings.eq(letter.printings),
            ballot_letters::seal.eq(seal.as_slice()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// The voters of a community who are on its roll and have no letter, whether they have voted or not, by number.
///
/// # Errors
/// A fault of the database.
pub fn without_letter(conn: &mut Conn, ballot: &BallotId, community: &AreaId) -> Answer<Vec<Voting>> {
    let has_letter = diesel::dsl::exists(
        ballot_letters::table
            .filter(ballot_letters::ballot_id.eq(ballot_voters::ballot_id))
            .filter(ballot_letters::number.eq(ballot_voters::number)),
    );
    let is_on_roll = diesel::dsl::exists(
        residents::table
            .filter(residents::id.eq(ballot_voters::resident_id))
            .filter(residents::state.eq(State::Active.name())),
    );
    Ok(ballot_voters::table
        .filter(ballot_voters::ballot_id.eq(ballot))
        .filter(ballot_voters::community_id.eq(community))
        .filter(diesel::dsl::not(has_letter))
        .filter(is_on_roll)
        .order(ballot_voters::number)
        .select(VOTING)
        .load(conn)?)
}

/// Up to which number voters were written to.
///
/// # Errors
/// A fault of the database.
pub fn mailed_through(conn: &mut Conn, ballot: &BallotId, kind: &str) -> Answer<i64> {
    let through: Option<i64> = ballot_mailings::table
        .find((ballot, kind))
        .select(ballot_mailings::through)
        .first(conn)
        .optional()?;
    Ok(through.unwrap_or_default())
}

/// Notes up to which number voters were written to.
///
/// # Errors
/// A fault of the database.
pub fn note_mailed(tx: &mut Tx<'_>, ballot: &BallotId, kind: &str, through: i64) -> Answer<()> {
    let changed = diesel::update(ballot_mailings::table.find((ballot, kind)))
        .set(ballot_mailings::through.eq(through))
        .execute(tx.conn())?;
    if changed == 0 {
        diesel::insert_into(ballot_mailings::table)
            .values((
                ballot_mailings::ballot_id.eq(ballot),
                ballot_mailings::kind.eq(kind),
                ballot_mailings::through.eq(through),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// That a resident represents others, or is tied to an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Listing {
    /// Its id.
    pub id: VoterListingId,
    /// The community.
    pub area_id: AreaId,
    /// The resident.
    pub resident_id: ResidentId,
    /// To whom they are tied; nobody for a representative.
    pub organisation_id: Option<OrganisationId>,
}

/// The listing of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn listing(conn: &mut Conn, id: &VoterListingId) -> Answer<Option<Listing>> {
    Ok(voter_listings::table
        .find(id)
        .select((
            voter_listings::id,
            voter_listings::area_id,
            voter_listings::resident_id,
            voter_listings::organisation_id,
        ))
        .first(conn)
        .optional()?)
}

/// Up to `max` listings of a community with a lower id, the one made last first.
///
/// # Errors
/// A fault of the database.
pub fn listings(conn: &mut Conn, area: &AreaId, before: Option<&str>, max: i64) -> Answer<Vec<Listing>> {
    let mut query = voter_listings::table
        .filter(voter_listings::area_id.eq(area))
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(voter_listings::id.lt(before));
    }
    Ok(query
        .order(voter_listings::id.desc())
        .limit(max)
        .select((
            voter_listings::id,
            voter_listings::area_id,
            voter_listings::resident_id,
            voter_listings::organisation_id,
        ))
        .load(conn)?)
}

/// Whether somebody is listed so.
///
/// # Errors
/// A fault of the database.
pub fn is_listed(
    conn: &mut Conn,
    resident: &ResidentId,
    organisation: Option<&OrganisationId>,
) -> Answer<bool> {
    let query = voter_listings::table
        .filter(voter_listings::resident_id.eq(resident))
        .into_boxed();
    let query = match organisation {
        Some(organisation) => query.filter(voter_listings::organisation_id.eq(organisation)),
        None => query.filter(voter_listings::organisation_id.is_null()),
    };
    let count: i64 = query.count().get_result(conn)?;
    Ok(count > 0)
}

/// Adds a listing.
///
/// # Errors
/// A fault of the database.
pub fn insert_listing(tx: &mut Tx<'_>, listing: &Listing, by: &AccountId) -> Answer<()> {
    diesel::insert_into(voter_listings::table)
        .values((
            voter_listings::id.eq(&listing.id),
            voter_listings::area_id.eq(&listing.area_id),
            voter_listings::resident_id.eq(&listing.resident_id),
            voter_listings::organisation_id.eq(&listing.organisation_id),
            voter_listings::listed_by.eq(by),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Takes a listing away.
///
/// # Errors
/// A fault of the database, or if it is not there.
pub fn remove_listing(tx: &mut Tx<'_>, id: &VoterListingId) -> Answer<()> {
    match diesel::delete(voter_listings::table.find(id)).execute(tx.conn())? {
        1 => Ok(()),
        other => Err(Fault::broken(format!("{other} listings deleted instead of one")).into()),
    }
}

/// Everybody in a community who is tied to one of these organisations.
///
/// # Errors
/// A fault of the database.
pub fn tied(
    conn: &mut Conn,
    area: &AreaId,
    organisations: &[OrganisationId],
) -> Answer<BTreeSet<ResidentId>> {
    let mut found = BTreeSet::new();
    for organisation in organisations {
        let some: Vec<ResidentId> = voter_listings::table
            .filter(voter_listings::area_id.eq(area))
            .filter(voter_listings::organisation_id.eq(organisation))
            .select(voter_listings::resident_id)
            .load(conn)?;
        found.extend(some);
    }
    Ok(found)
}

/// The representatives of a community.
///
/// # Errors
/// A fault of the database.
pub fn representatives(conn: &mut Conn, area: &AreaId) -> Answer<BTreeSet<ResidentId>> {
    let found: Vec<ResidentId> = voter_listings::table
        .filter(voter_listings::area_id.eq(area))
        .filter(voter_listings::organisation_id.is_null())
        .select(voter_listings::resident_id)
        .load(conn)?;
    Ok(found.into_iter().collect())
}
