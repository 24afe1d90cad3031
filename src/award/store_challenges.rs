//! The tables of queries about results, and of challenges.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::award::rules_awards::AwardId;
use crate::award::rules_challenges::{Challenge, ChallengeId, Ground, Outcome, Query, QueryId, Reply, State};
use crate::books::rules::{BookId, LotId};
use crate::db::conn::Conn;
use crate::db::schema::{challenges, result_queries};
use crate::db::writer::Tx;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = result_queries)]
struct QueryRow {
    id: QueryId,
    award_id: AwardId,
    lot_id: LotId,
    book_id: BookId,
    supplier_id: OrganisationId,
    asked_by: AccountId,
    question: String,
    asked_at: NaiveDateTime,
    reply: Option<String>,
    replied_at: Option<NaiveDateTime>,
}

impl From<QueryRow> for Query {
    fn from(row: QueryRow) -> Self {
        Self {
            id: row.id,
            award_id: row.award_id,
            lot_id: row.lot_id,
            book_id: row.book_id,
            supplier_id: row.supplier_id,
            asked_by: row.asked_by,
            question: row.question,
            asked_at: row.asked_at.and_utc(),
            reply: row.replied_at.map(|at| at.and_utc()).zip(row.reply),
        }
    }
}

/// The query of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn query(conn: &mut Conn, id: &QueryId) -> Answer<Option<Query>> {
    let row: Option<QueryRow> = result_queries::table
        .find(id)
        .select(QueryRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Query::from))
}

/// Up to `max` queries about a lot beyond an id, the oldest first: of these suppliers, or of all.
///
/// # Errors
/// A fault of the database.
pub fn queries(
    conn: &mut Conn,
    lot: &LotId,
    suppliers: Option<&[OrganisationId]>,
    after: Option<&str>,
    max: i64,
) -> Answer<Vec<Query>> {
    let mut query = result_queries::table
        .filter(result_queries::lot_id.eq(lot))
        .filter(result_queries::id.gt(after.unwrap_or_default()))
        .into_boxed();
    if let Some(suppliers) = suppliers {
        query = query.filter(result_queries::supplier_id.eq_any(suppliers));
    }
    let rows: Vec<QueryRow> = query
        .order(result_queries::id)
        .limit(max)
        .select(QueryRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Query::from).collect())
}

/// How many queries of a supplier about a lot nobody has replied to.
///
/// # Errors
/// A fault of the database.
pub fn open_queries(conn: &mut Conn, lot: &LotId, supplier: &OrganisationId) -> Answer<i64> {
    Ok(result_queries::table
        .filter(result_queries::lot_id.eq(lot))
        .filter(result_queries::supplier_id.eq(supplier))
        .filter(result_queries::replied_at.is_null())
        .count()
        .get_result(conn)?)
}

/// Up to `max` queries that nobody has replied to, beyond an id.
///
/// # Errors
/// A fault of the database.
pub fn unanswered_queries(conn: &mut Conn, after: &str, max: i64) -> Answer<Vec<Query>> {
    let rows: Vec<QueryRow> = result_queries::table
        .filter(result_queries::replied_at.is_null())
        .filter(result_queries::id.gt(after))
        .order(result_queries::id)
        .limit(max)
        .select(QueryRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Query::from).collect())
}

/// Adds a query.
///
/// # Errors
/// A fault of the database.
pub fn insert_query(tx: &mut Tx<'_>, query: &Query) -> Answer<()> {
    diesel::insert_into(result_queries::table)
        .values((
            result_queries::id.eq(&query.id),
            result_queries::award_id.eq(&query.award_id),
            result_queries::lot_id.eq(&query.lot_id),
            result_queries::book_id.eq(&query.book_id),
            result_queries::supplier_id.eq(&query.supplier_id),
            result_queries::asked_by.eq(&query.asked_by),
            result_queries::question.eq(&query.question),
            result_queries::asked_at.eq(query.asked_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves the reply to a query.
///
/// # Errors
/// A fault of the database, or if it was replied to before.
pub fn reply_to_query(tx: &mut Tx<'_>, query: &Query) -> Answer<()> {
    let (replied_at, reply) = query.reply.clone().unzip();
    let open = result_queries::table
        .find(&query.id)
        .filter(result_queries::replied_at.is_null());
    let changed = diesel::update(open)
        .set((
            result_queries::reply.eq(reply),
            result_queries::replied_at.eq(replied_at.map(|at| at.naive_utc())),
        ))
        .execute(tx.conn())?;
    one(changed)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = challenges)]
struct ChallengeRow {
    id: ChallengeId,
    award_id: AwardId,
    lot_id: LotId,
    book_id: BookId,
    supplier_id: OrganisationId,
    filed_by: AccountId,
    filed_at: NaiveDateTime,
    grounds: String,
    state: String,
    outcome: Option<String>,
    affects_result: Option<bool>,
    reply: Option<String>,
    closed_at: Option<NaiveDateTime>,
    revision: i64,
}

impl TryFrom<ChallengeRow> for Challenge {
    type Error = Fault;

    fn try_from(row: ChallengeRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: {what}", row.id));
        let grounds: Vec<Ground> = serde_json::from_str(&row.grounds)
            .map_err(|error| Fault::caused(format!("the grounds of {}", row.id), error))?;
        let reply = match (row.outcome, row.affects_result, row.reply) {
            (Some(outcome), Some(affects_result), Some(words)) => Some(Reply {
                outcome: Outcome::named(&outcome).ok_or_else(|| broken("its outcome is none"))?,
                affects_result,
                words,
            }),
            _ => None,
        };
        Ok(Self {
            state: State::named(&row.state).ok_or_else(|| broken("its state is none"))?,
            id: row.id,
            award_id: row.award_id,
            lot_id: row.lot_id,
            book_id: row.book_id,
            supplier_id: row.supplier_id,
            filed_by: row.filed_by,
            filed_at: row.filed_at.and_utc(),
            grounds,
            reply,
            closed_at: row.closed_at.map(|at| at.and_utc()),
            revision: row.revision,
        })
    }
}

fn read(rows: Vec<ChallengeRow>) -> Answer<Vec<Challenge>> {
    let all: Result<Vec<Challenge>, Fault> = rows.into_iter().map(Challenge::try_from).collect();
    Ok(all?)
}

/// The challenge of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn challenge(conn: &mut Conn, id: &ChallengeId) -> Answer<Option<Challenge>> {
    let row: Option<ChallengeRow> = challenges::table
        .find(id)
        .select(ChallengeRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Challenge::try_from).transpose()?)
}

/// The challenges of an award.
///
/// # Errors
/// A fault of the database.
pub fn of_award(conn: &mut Conn, award: &AwardId) -> Answer<Vec<Challenge>> {
    let rows: Vec<ChallengeRow> = challenges::table
        .filter(challenges::award_id.eq(award))
        .order(challenges::id)
        .select(ChallengeRow::as_select())
        .load(conn)?;
    read(rows)
}

/// Up to `max` challenges about a lot beyond an id, the oldest first: of these suppliers, or of all.
///
/// # Errors
/// A fault of the database.
pub fn of_lot(
    conn: &mut Conn,
    lot: &LotId,
    suppliers: Option<&[OrganisationId]>,
    after: Option<&str>,
    max: i64,
) -> Answer<Vec<Challenge>> {
    let mut query = challenges::table
        .filter(challenges::lot_id.eq(lot))
        .filter(challenges::id.gt(after.unwrap_or_default()))
        .into_boxed();
    if let Some(suppliers) = suppliers {
        query = query.filter(challenges::supplier_id.eq_any(suppliers));
    }
    let rows: Vec<ChallengeRow> = query
        .order(challenges::id)
        .limit(max)
        .select(ChallengeRow::as_select())
        .load(conn)?;
    read(rows)
}

/// Up to `max` challenges that nobody has replied to, beyond an id.
///
/// # Errors
/// A fault of the database.
pub fn unanswered(conn: &mut Conn, after: &str, max: i64) -> Answer<Vec<Challenge>> {
    let rows: Vec<ChallengeRow> = challenges::table
        .filter(challenges::state.eq(State::Filed.name()))
        .filter(challenges::id.gt(after))
        .order(challenges::id)
        .limit(max)
        .select(ChallengeRow::as_select())
        .load(conn)?;
    read(rows)
}

/// Adds a challenge.
///
/// # Errors
/// A fault of the database, or if its supplier has challenged the award before.
pub fn insert(tx: &mut Tx<'_>, challenge: &Challenge) -> Answer<()> {
    let grounds = serde_json::to_string(&challenge.grounds)
        .map_err(|error| Fault::caused("write the grounds of a challenge", error))?;
    diesel::insert_into(challenges::table)
        .values((
            challenges::id.eq(&challenge.id),
            challenges::award_id.eq(&challenge.award_id),
            challenges::lot_id.eq(&challenge.lot_id),
            challenges::book_id.eq(&challenge.book_id),
            challenges::supplier_id.eq(&challenge.supplier_id),
            challenges::filed_by.eq(&challenge.filed_by),
            challenges::filed_at.eq(challenge.filed_at.naive_utc()),
            challenges::grounds.eq(grounds),
            challenges::state.eq(challenge.state.name()),
            challenges::revision.eq(challenge.revision),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves that a challenge was replied to or withdrawn, over the revision before it.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn close(tx: &mut Tx<'_>, challenge: &Challenge) -> Answer<()> {
    let reply = challenge.reply.as_ref();
    let before = challenges::table
        .find(&challenge.id)
        .filter(challenges::revision.eq(challenge.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            challenges::state.eq(challenge.state.name()),
            challenges::revision.eq(challenge.revision),
            challenges::outcome.eq(reply.map(|reply| reply.outcome.name())),
            challenges::affects_result.eq(reply.map(|reply| reply.affects_result)),
            challenges::reply.eq(reply.map(|reply| &reply.words)),
            challenges::closed_at.eq(challenge.closed_at.map(|at| at.naive_utc())),
        ))
        .execute(tx.conn())?;
    one(changed)
}

fn one(changed: usize) -> Answer<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} disputes changed instead of one")).into())
    }
}
