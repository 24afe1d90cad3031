//! The tables of complaints, of the suspensions that were ordered with them, and of whom unfounded ones have put on the list.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::award::rules_awards::AwardId;
use crate::award::rules_challenges::ChallengeId;
use crate::award::rules_complaints::{
    Complaint, ComplaintId, Consequence, Decision, Entered, LISTED_MAX, Listing, ListingId, Outcome, State,
    Suspension,
};
use crate::books::rules::{BookId, LotId};
use crate::db::conn::Conn;
use crate::db::schema::{complainant_listings, complaints, suspensions};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::standards::rules_indicators::Line;

#[derive(Queryable, Selectable)]
#[diesel(table_name = complaints)]
struct ComplaintRow {
    id: ComplaintId,
    challenge_id: ChallengeId,
    award_id: AwardId,
    lot_id: LotId,
    book_id: BookId,
    supplier_id: OrganisationId,
    filed_by: AccountId,
    filed_at: NaiveDateTime,
    grounds: String,
    statement: String,
    further: Option<String>,
    state: String,
    accepted_at: Option<NaiveDateTime>,
    refusal: Option<String>,
    outcome: Option<String>,
    consequence: Option<String>,
    decision_zh: Option<String>,
    decision_en: Option<String>,
    closed_at: Option<NaiveDateTime>,
    revision: i64,
}

impl TryFrom<ComplaintRow> for Complaint {
    type Error = Fault;

    fn try_from(row: ComplaintRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: {what}", row.id));
        let grounds: Vec<u32> = serde_json::from_str(&row.grounds)
            .map_err(|error| Fault::caused(format!("the grounds of {}", row.id), error))?;
        let consequence = match row.consequence {
            Some(name) => Some(Consequence::named(&name).ok_or_else(|| broken("its consequence is none"))?),
            None => None,
        };
        let decision = match (row.outcome, row.decision_zh, row.decision_en) {
            (Some(outcome), Some(zh), Some(en)) => Some(Decision {
                outcome: Outcome::named(&outcome).ok_or_else(|| broken("its outcome is none"))?,
                consequence,
                reason: Line { zh, en },
            }),
            _ => None,
        };
        Ok(Self {
            state: State::named(&row.state).ok_or_else(|| broken("its state is none"))?,
            id: row.id,
            challenge_id: row.challenge_id,
            award_id: row.award_id,
            lot_id: row.lot_id,
            book_id: row.book_id,
            supplier_id: row.supplier_id,
            filed_by: row.filed_by,
            filed_at: row.filed_at.and_utc(),
            content: Entered {
                grounds,
                statement: row.statement,
                further: row.further,
            },
            accepted_at: row.accepted_at.map(|at| at.and_utc()),
            refusal: row.refusal,
            decision,
            closed_at: row.closed_at.map(|at| at.and_utc()),
            revision: row.revision,
        })
    }
}

fn read(rows: Vec<ComplaintRow>) -> Answer<Vec<Complaint>> {
    let all: Result<Vec<Complaint>, Fault> = rows.into_iter().map(Complaint::try_from).collect();
    Ok(all?)
}

/// The complaint of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn complaint(conn: &mut Conn, id: &ComplaintId) -> Answer<Option<Complaint>> {
    let row: Option<ComplaintRow> = complaints::table
        .find(id)
        .select(ComplaintRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Complaint::try_from).transpose()?)
}

/// The complaint about a challenge, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn of_challenge(conn: &mut Conn, challenge: &ChallengeId) -> Answer<Option<Complaint>> {
    let row: Option<ComplaintRow> = complaints::table
        .filter(complaints::challenge_id.eq(challenge))
        .select(ComplaintRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Complaint::try_from).transpose()?)
}

/// The complaints about a lot that are not closed.
///
/// # Errors
/// A fault of the database.
pub fn open_of_lot(conn: &mut Conn, lot: &LotId) -> Answer<Vec<Complaint>> {
    let rows: Vec<ComplaintRow> = complaints::table
        .filter(complaints::lot_id.eq(lot))
        .filter(complaints::closed_at.is_null())
        .order(complaints::id)
        .select(ComplaintRow::as_select())
        .load(conn)?;
    read(rows)
}

/// Which complaints are listed.
#[derive(Clone, Debug, Default)]
pub struct ComplaintFilter {
    /// About this lot.
    pub lot: Option<LotId>,
    /// In this state.
    pub state: Option<State>,
    /// Older than this id.
    pub before: Option<String>,
}

/// Up to `max` complaints, the newest first.
///
/// # Errors
/// A fault of the database.
pub fn complaints_by(conn: &mut Conn, filter: &ComplaintFilter, max: i64) -> Answer<Vec<Complaint>> {
    let mut query = complaints::table.into_boxed();
    if let Some(lot) = &filter.lot {
        query = query.filter(complaints::lot_id.eq(lot));
    }
    if let Some(state) = filter.state {
        query = query.filter(complaints::state.eq(state.name()));
    }
    if let Some(before) = &filter.before {
        query = query.filter(complaints::id.lt(before));
    }
    let rows: Vec<ComplaintRow> = query
        .order(complaints::id.desc())
        .limit(max)
        .select(ComplaintRow::as_select())
        .load(conn)?;
    read(rows)
}

/// Up to `max` complaints that are not closed, beyond an id.
///
/// # Errors
/// A fault of the database.
pub fn open(conn: &mut Conn, after: &str, max: i64) -> Answer<Vec<Complaint>> {
    let rows: Vec<ComplaintRow> = complaints::table
        .filter(complaints::closed_at.is_null())
        .filter(complaints::id.gt(after))
        .order(complaints::id)
        .limit(max)
        .select(ComplaintRow::as_select())
        .load(conn)?;
    read(rows)
}

/// When the regulator last ordered that a lot's bids are judged anew.
///
/// # Errors
/// A fault of the database.
pub fn ordered_anew(conn: &mut Conn, lot: &LotId) -> Answer<Option<Instant>> {
    let closed: Vec<Option<NaiveDateTime>> = complaints::table
        .filter(complaints::lot_id.eq(lot))
        .filter(complaints::consequence.eq(Consequence::Reevaluation.name()))
        .order(complaints::closed_at.desc())
        .limit(1)
        .select(complaints::closed_at)
        .load(conn)?;
    Ok(closed.into_iter().flatten().next().map(|at| at.and_utc()))
}

/// The unfounded complaints of a supplier that were decided after an instant.
///
/// # Errors
/// A fault of the database.
pub fn unfounded_since(
    conn: &mut Conn,
    supplier: &OrganisationId,
    since: Instant,
) -> Answer<Vec<ComplaintId>> {
    Ok(complaints::table
        .filter(complaints::supplier_id.eq(supplier))
        .filter(complaints::closed_at.gt(since.naive_utc()))
        .filter(complaints::outcome.eq(Outcome::RejectedUnfounded.name()))
        .order(complaints::id)
        .limit(LISTED_MAX)
        .select(complaints::id)
        .load(conn)?)
}

/// Adds a complaint.
///
/// # Errors
/// A fault of the database, or if there is one about its challenge.
pub fn insert(tx: &mut Tx<'_>, complaint: &Complaint) -> Answer<()> {
    let grounds = serde_json::to_string(&complaint.content.grounds)
        .map_err(|error| Fault::caused("write the grounds of a complaint", error))?;
    diesel::insert_into(complaints::table)
        .values((
            complaints::id.eq(&complaint.id),
            complaints::challenge_id.eq(&complaint.challenge_id),
            complaints::award_id.eq(&complaint.award_id),
            complaints::lot_id.eq(&complaint.lot_id),
            complaints::book_id.eq(&complaint.book_id),
            complaints::supplier_id.eq(&complaint.supplier_id),
            complaints::filed_by.eq(&complaint.filed_by),
            complaints::filed_at.eq(complaint.filed_at.naive_utc()),
            complaints::grounds.eq(grounds),
            complaints::statement.eq(&complaint.content.statement),
            complaints::further.eq(&complaint.content.further),
            complaints::state.eq(complaint.state.name()),
            complaints::revision.eq(complaint.revision),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves how far a complaint has come over the revision before it.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn advance(tx: &mut Tx<'_>, complaint: &Complaint) -> Answer<()> {
    let decision = complaint.decision.as_ref();
    let before = complaints::table
        .find(&complaint.id)
        .filter(complaints::revision.eq(complaint.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            complaints::state.eq(complaint.state.name()),
            complaints::revision.eq(complaint.revision),
            complaints::accepted_at.eq(complaint.accepted_at.map(|at| at.naive_utc())),
            complaints::refusal.eq(&complaint.refusal),
            complaints::outcome.eq(decision.map(|one| one.outcome.name())),
            complaints::consequence.eq(decision.and_then(|one| one.consequence).map(Consequence::name)),
            complaints::decision_zh.eq(decision.map(|one| &one.reason.zh)),
            complaints::decision_en.eq(decision.map(|one| &one.reason.en)),
            complaints::closed_at.eq(complaint.closed_at.map(|at| at.naive_utc())),
        ))
        .execute(tx.conn())?;
    one(changed)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = suspensions)]
struct SuspensionRow {
    complaint_id: ComplaintId,
    book_id: BookId,
    from_at: NaiveDateTime,
    until_at: NaiveDateTime,
    lifted_at: Option<NaiveDateTime>,
}

impl From<SuspensionRow> for Suspension {
    fn from(row: SuspensionRow) -> Self {
        Self {
            complaint_id: row.complaint_id,
            book_id: row.book_id,
            from_at: row.from_at.and_utc(),
            until_at: row.until_at.and_utc(),
            lifted_at: row.lifted_at.map(|at| at.and_utc()),
        }
    }
}

/// Every suspension of a book, the first one first.
///
/// # Errors
/// A fault of the database.
pub fn suspensions_of(conn: &mut Conn, book: &BookId) -> Answer<Vec<Suspension>> {
    let rows: Vec<SuspensionRow> = suspensions::table
        .filter(suspensions::book_id.eq(book))
        .order((suspensions::from_at, suspensions::complaint_id))
        .select(SuspensionRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Suspension::from).collect())
}

/// Adds a suspension.
///
/// # Errors
/// A fault of the database, or if there is one of its complaint.
pub fn suspend(tx: &mut Tx<'_>, suspension: &Suspension) -> Answer<()> {
    diesel::insert_into(suspensions::table)
        .values((
            suspensions::complaint_id.eq(&suspension.complaint_id),
            suspensions::book_id.eq(&suspension.book_id),
            suspensions::from_at.eq(suspension.from_at.naive_utc()),
            suspensions::until_at.eq(suspension.until_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves that a suspension was lifted.
///
/// # Errors
/// A fault of the database, or if it was lifted before.
pub fn lift(tx: &mut Tx<'_>, suspension: &Suspension) -> Answer<()> {
    let running = suspensions::table
        .find(&suspension.complaint_id)
        .filter(suspensions::lifted_at.is_null());
    let changed = diesel::update(running)
        .set(suspensions::lifted_at.eq(suspension.lifted_at.map(|at| at.naive_utc())))
        .execute(tx.conn())?;
    one(changed)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = complainant_listings)]
struct ListingRow {
    id: ListingId,
    supplier_id: OrganisationId,
    complaints: String,
    months: i64,
    listed_at: NaiveDateTime,
}

impl TryFrom<ListingRow> for Listing {
    type Error = Fault;

    fn try_from(row: ListingRow) -> Result<Self, Fault> {
        Ok(Self {
            complaints: serde_json::from_str(&row.complaints)
                .map_err(|error| Fault::caused(format!("the complaints of {}", row.id), error))?,
            months: u32::try_from(row.months).map_err(|error| Fault::caused("months", error))?,
            id: row.id,
            supplier_id: row.supplier_id,
            listed_at: row.listed_at.and_utc(),
        })
    }
}

/// Up to `max` listings older than an id, the newest first: of this supplier, or of all.
///
/// # Errors
/// A fault of the database.
pub fn listings(
    conn: &mut Conn,
    supplier: Option<&OrganisationId>,
    before: Option<&str>,
    max: i64,
) -> Answer<Vec<Listing>> {
    let mut query = complainant_listings::table.into_boxed();
    if let Some(supplier) = supplier {
        query = query.filter(complainant_listings::supplier_id.eq(supplier));
    }
    if let Some(before) = before {
        query = query.filter(complainant_listings::id.lt(before));
    }
    let rows: Vec<ListingRow> = query
        .order(complainant_listings::id.desc())
        .limit(max)
        .select(ListingRow::as_select())
        .load(conn)?;
    let all: Result<Vec<Listing>, Fault> = rows.into_iter().map(Listing::try_from).collect();
    Ok(all?)
}

/// Adds a listing.
///
/// # Errors
/// A fault of the database.
pub fn list(tx: &mut Tx<'_>, listing: &Listing) -> Answer<()> {
    let named = serde_json::to_string(&listing.complaints)
        .map_err(|error| Fault::caused("write the complaints of a listing", error))?;
    diesel::insert_into(complainant_listings::table)
        .values((
            complainant_listings::id.eq(&listing.id),
            complainant_listings::supplier_id.eq(&listing.supplier_id),
            complainant_listings::complaints.eq(named),
            complainant_listings::months.eq(i64::from(listing.months)),
            complainant_listings::listed_at.eq(listing.listed_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

fn one(changed: usize) -> Answer<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} complaints changed instead of one")).into())
    }
}
