//! The tables of ballots and of who may vote.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::ballots::rules::{Ballot, BallotId, Kind};
use crate::ballots::rules_derivation::Derivation;
use crate::ballots::rules_electorate::Voter;
use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{ballot_voters, ballots};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::{AccountId, AreaId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::rules_person::DwellingArea;
use crate::registry::rules_roll::ResidentId;

/// Rows of one statement: SQLite binds at most 32,766 values, PostgreSQL 65,535.
const ROWS_AT_ONCE: usize = 500;

#[derive(Queryable, Selectable)]
#[diesel(table_name = ballots)]
struct BallotRow {
    id: BallotId,
    kind: String,
    matter_id: String,
    matter_number: i64,
    organisation_id: OrganisationId,
    title_zh: String,
    title_en: String,
    terms: String,
    opens_at: NaiveDateTime,
    closes_at: NaiveDateTime,
    electorate: i64,
    roll_sha256: Vec<u8>,
    sealed_key: Option<Vec<u8>>,
    called_at: NaiveDateTime,
    withdrawn_at: Option<NaiveDateTime>,
    counted_at: Option<NaiveDateTime>,
}

impl TryFrom<BallotRow> for Ballot {
    type Error = Fault;

    fn try_from(row: BallotRow) -> Result<Self, Fault> {
        let kind = Kind::named(&row.kind).ok_or_else(|| Fault::broken("a ballot of no known kind"))?;
        let terms = serde_json::from_str(&row.terms)
            .map_err(|error| Fault::caused(format!("read the terms of {}", row.id), error))?;
        let roll_sha256 = row
            .roll_sha256
            .try_into()
            .map_err(|_| Fault::broken("the hash of a roll is none"))?;
        Ok(Self {
            id: row.id,
            kind,
            matter_id: row.matter_id,
            matter_number: row.matter_number,
            organisation_id: row.organisation_id,
            title_zh: row.title_zh,
            title_en: row.title_en,
            terms,
            opens_at: row.opens_at.and_utc(),
            closes_at: row.closes_at.and_utc(),
            electorate: row.electorate,
            roll_sha256,
            sealed_key: row.sealed_key,
            called_at: row.called_at.and_utc(),
            withdrawn_at: row.withdrawn_at.map(|at| at.and_utc()),
            counted_at: row.counted_at.map(|at| at.and_utc()),
        })
    }
}

/// The ballot of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn ballot(conn: &mut Conn, id: &BallotId) -> Answer<Option<Ballot>> {
    let row: Option<BallotRow> = ballots::table
        .find(id)
        .select(BallotRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Ballot::try_from).transpose()?)
}

/// The ballot about something that was not taken back, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn of_matter(conn: &mut Conn, kind: Kind, matter: &str, number: i64) -> Answer<Option<Ballot>> {
    let row: Option<BallotRow> = ballots::table
        .filter(ballots::kind.eq(kind.name()))
        .filter(ballots::matter_id.eq(matter))
        .filter(ballots::matter_number.eq(number))
        .filter(ballots::withdrawn_at.is_null())
        .select(BallotRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Ballot::try_from).transpose()?)
}

/// Which ballots are listed.
#[derive(Clone, Debug, Default)]
pub struct BallotFilter {
    /// About this.
    pub matter_id: Option<String>,
    /// With a lower id.
    pub before: Option<String>,
}

/// Up to `max` ballots, the one called last first.
///
/// # Errors
/// A fault of the database.
pub fn list(conn: &mut Conn, filter: &BallotFilter, max: i64) -> Answer<Vec<Ballot>> {
    let mut query = ballots::table.into_boxed();
    if let Some(matter) = &filter.matter_id {
        query = query.filter(ballots::matter_id.eq(matter));
    }
    if let Some(before) = &filter.before {
        query = query.filter(ballots::id.lt(before));
    }
    let rows: Vec<BallotRow> = query
        .order(ballots::id.desc())
        .limit(max)
        .select(BallotRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Ballot::try_from).collect::<Result<_, _>>()?)
}

/// Up to `max` ballots that have closed before an instant and are not counted, the one that waits longest first.
///
/// # Errors
/// A fault of the database.
pub fn due(conn: &mut Conn, now: Instant, max: i64) -> Answer<Vec<BallotId>> {
    Ok(ballots::table
        .filter(ballots::sealed_key.is_not_null())
        .filter(ballots::closes_at.le(now.naive_utc()))
        .order((ballots::closes_at, ballots::id))
        .limit(max)
        .select(ballots::id)
        .load(conn)?)
}

/// Up to `max` ballots that are open at an instant.
///
/// # Errors
/// A fault of the database.
pub fn open(conn: &mut Conn, now: Instant, max: i64) -> Answer<Vec<Ballot>> {
    let rows: Vec<BallotRow> = ballots::table
        .filter(ballots::sealed_key.is_not_null())
        .filter(ballots::closes_at.gt(now.naive_utc()))
        .filter(ballots::opens_at.le(now.naive_utc()))
        .order((ballots::closes_at, ballots::id))
        .limit(max)
        .select(BallotRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Ballot::try_from).collect::<Result<_, _>>()?)
}

/// Adds a ballot.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, ballot: &Ballot, terms: &str, by: &AccountId) -> Answer<()> {
    diesel::insert_into(ballots::table)
        .values((
            ballots::id.eq(&ballot.id),
            ballots::kind.eq(ballot.kind.name()),
            ballots::matter_id.eq(&ballot.matter_id),
            ballots::matter_number.eq(ballot.matter_number),
            ballots::organisation_id.eq(&ballot.organisation_id),
            ballots::title_zh.eq(&ballot.title_zh),
            ballots::title_en.eq(&ballot.title_en),
            ballots::terms.eq(terms),
            ballots::opens_at.eq(ballot.opens_at.naive_utc()),
            ballots::closes_at.eq(ballot.closes_at.naive_utc()),
            ballots::electorate.eq(ballot.electorate),
            ballots::roll_sha256.eq(ballot.roll_sha256.as_slice()),
            ballots::sealed_key.eq(&ballot.sealed_key),
            ballots::called_by.eq(by),
            ballots::called_at.eq(ballot.called_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = ballot_voters, treat_none_as_default_value = false)]
struct VoterRow<'v> {
    ballot_id: &'v BallotId,
    number: i64,
    resident_id: &'v ResidentId,
    community_id: &'v AreaId,
    has_voted: bool,
    area_dm2: Option<i64>,
    seal: &'v [u8],
}

impl<'v> VoterRow<'v> {
    fn of(ballot: &'v BallotId, (voter, seal): &'v (Voter, [u8; 32])) -> Self {
        Self {
            ballot_id: ballot,
            number: voter.number,
            resident_id: &voter.resident_id,
            community_id: &voter.community_id,
            has_voted: false,
            area_dm2: voter.area.map(DwellingArea::dm2),
            seal,
        }
    }
}

/// Adds those who may vote, each with what vouches for the entry.
///
/// # Errors
/// A fault of the database.
pub fn insert_voters(tx: &mut Tx<'_>, ballot: &BallotId, voters: &[(Voter, [u8; 32])]) -> Answer<()> {
    let rows: Vec<VoterRow<'_>> = voters.iter().map(|voter| VoterRow::of(ballot, voter)).collect();
    for some in rows.chunks(ROWS_AT_ONCE) {
        both!(tx.conn(), c => diesel::insert_into(ballot_voters::table).values(some).execute(c))?;
    }
    Ok(())
}

/// Takes a ballot back; its key is destroyed.
///
/// # Errors
/// A fault of the database, or if it was taken back or counted before.
pub fn withdraw(tx: &mut Tx<'_>, id: &BallotId) -> Answer<()> {
    let now = tx.now().naive_utc();
    let changed = diesel::update(ballots::table.find(id).filter(ballots::sealed_key.is_not_null()))
        .set((
            ballots::withdrawn_at.eq(now),
            ballots::sealed_key.eq(None::<Vec<u8>>),
        ))
        .execute(tx.conn())?;
    one(changed, "ballots")
}

/// Notes what a ballot comes to; its key is destroyed.
///
/// # Errors
/// A fault of the database, or if it was taken back or counted before.
pub fn count(tx: &mut Tx<'_>, id: &BallotId, result: &str, sha256: &[u8; 32]) -> Answer<()> {
    let now = tx.now().naive_utc();
    let changed = diesel::update(ballots::table.find(id).filter(ballots::sealed_key.is_not_null()))
        .set((
            ballots::counted_at.eq(now),
            ballots::sealed_key.eq(None::<Vec<u8>>),
            ballots::result.eq(result),
            ballots::result_sha256.eq(sha256.as_slice()),
        ))
        .execute(tx.conn())?;
    one(changed, "ballots")
}

/// What a ballot comes to, as it was written when it was counted.
///
/// # Errors
/// A fault of the database, or of bytes that are none.
pub fn result(conn: &mut Conn, id: &BallotId) -> Answer<Option<(Derivation, String)>> {
    let text: Option<Option<String>> = ballots::table
        .find(id)
        .select(ballots::result)
        .first(conn)
        .optional()?;
    let Some(text) = text.flatten() else {
        return Ok(None);
    };
    let derivation = serde_json::from_str(&text)
        .map_err(|error| Fault::caused(format!("read the result of {id}"), error))?;
    Ok(Some((derivation, text)))
}

/// Up to `max` ballots after an id that are counted, each with when it was, in the order of their ids.
///
/// # Errors
/// A fault of the database.
pub fn counted(conn: &mut Conn, after: &str, max: i64) -> Answer<Vec<(BallotId, Instant)>> {
    let rows: Vec<(BallotId, Option<NaiveDateTime>)> = ballots::table
        .filter(ballots::id.gt(after))
        .filter(ballots::counted_at.is_not_null())
        .order(ballots::id)
        .limit(max)
        .select((ballots::id, ballots::counted_at))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(id, at)| Some((id, at?.and_utc())))
        .collect())
}

/// What the ballot about something comes to, once it is counted.
///
/// # Errors
/// As [`result`].
pub fn result_of(conn: &mut Conn, kind: Kind, matter: &str, number: i64) -> Answer<Option<Derivation>> {
    let Some(ballot) = of_matter(conn, kind, matter, number)? else {
        return Ok(None);
    };
    Ok(result(conn, &ballot.id)?.map(|(derivation, _)| derivation))
}

/// Somebody who may vote, and whether they have, as it stands in the database: whether the roll was frozen so is for the ballot's key to say.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Voting {
    /// Their number.
    pub number: i64,
    /// Who.
    pub resident_id: ResidentId,
    /// Their community.
    pub community_id: AreaId,
    /// Whether they have voted.
    pub has_voted: bool,
    area_dm2: Option<i64>,
    seal: Option<Vec<u8>>,
}

impl Voting {
    /// The entry of the roll.
    pub fn entry(&self) -> Voter {
        Voter {
            number: self.number,
            resident_id: self.resident_id.clone(),
            community_id: self.community_id.clone(),
            area: self.area_dm2.and_then(DwellingArea::of_dm2),
        }
    }

    /// What vouches for the entry; nothing where nothing does.
    pub fn seal(&self) -> &[u8] {
        self.seal.as_deref().unwrap_or_default()
    }
}

pub(super) type VotingColumns = (
    ballot_voters::number,
    ballot_voters::resident_id,
    ballot_voters::community_id,
    ballot_voters::has_voted,
    ballot_voters::area_dm2,
    ballot_voters::seal,
);

/// The columns of [`Voting`].
pub(super) const VOTING: VotingColumns = (
    ballot_voters::number,
    ballot_voters::resident_id,
    ballot_voters::community_id,
    ballot_voters::has_voted,
    ballot_voters::area_dm2,
    ballot_voters::seal,
);

/// The voter of that number, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn voter(conn: &mut Conn, ballot: &BallotId, number: i64) -> Answer<Option<Voting>> {
    Ok(ballot_voters::table
        .find((ballot, number))
        .select(VOTING)
        .first(conn)
        .optional()?)
}

/// The vote of a resident, if they have one.
///
/// # Errors
/// A fault of the database.
pub fn voter_who_is(conn: &mut Conn, ballot: &BallotId, resident: &ResidentId) -> Answer<Option<Voting>> {
    Ok(ballot_voters::table
        .filter(ballot_voters::ballot_id.eq(ballot))
        .filter(ballot_voters::resident_id.eq(resident))
        .select(VOTING)
        .first(conn)
        .optional()?)
}

/// Up to `max` ballots in which a resident has a vote, whether they have voted, and their number, the one called last first.
///
/// # Errors
/// A fault of the database.
pub fn of_resident(conn: &mut Conn, resident: &ResidentId, max: i64) -> Answer<Vec<(BallotId, bool, i64)>> {
    Ok(ballot_voters::table
        .filter(ballot_voters::resident_id.eq(resident))
        .order(ballot_voters::ballot_id.desc())
        .limit(max)
        .select((
            ballot_voters::ballot_id,
            ballot_voters::has_voted,
            ballot_voters::number,
        ))
        .load(conn)?)
}

/// Up to `max` voters with a higher number, by number.
///
/// # Errors
/// A fault of the database.
pub fn voters_after(conn: &mut Conn, ballot: &BallotId, after: i64, max: i64) -> Answer<Vec<Voting>> {
    Ok(ballot_voters::table
        .filter(ballot_voters::ballot_id.eq(ballot))
        .filter(ballot_voters::number.gt(after))
        .order(ballot_voters::number)
        .limit(max)
        .select(VOTING)
        .load(conn)?)
}

/// The whole roll as it stands now, by number.
///
/// # Errors
/// A fault of the database.
pub fn roll(conn: &mut Conn, ballot: &BallotId) -> Answer<Vec<Voting>> {
    Ok(ballot_voters::table
        .filter(ballot_voters::ballot_id.eq(ballot))
        .order(ballot_voters::number)
        .select(VOTING)
        .load(conn)?)
}

/// Notes that somebody has voted, who had not; and not when.
///
/// # Errors
/// A fault of the database, or if they had.
pub fn note_voted(tx: &mut Tx<'_>, ballot: &BallotId, number: i64) -> Answer<()> {
    let changed = diesel::update(
        ballot_voters::table
            .find((ballot, number))
            .filter(ballot_voters::has_voted.eq(false)),
    )
    .set(ballot_voters::has_voted.eq(true))
    .execute(tx.conn())?;
    one(changed, "voters")
}

fn one(changed: usize, what: &str) -> Answer<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} {what} updated instead of one")).into())
    }
}
