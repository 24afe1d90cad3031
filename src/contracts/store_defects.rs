//! The tables of defects and of the calls to contractors.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::contracts::rules::ContractId;
use crate::contracts::rules_defects::{Category, Closed, Decider, Defect, DefectId, State};
use crate::contracts::rules_defects_clock::Call;
use crate::contracts::rules_places::ServedPlaceId;
use crate::db::conn::Conn;
use crate::db::schema::{contracts, defect_rounds, defects, served_places};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = defects)]
struct DefectRow {
    id: DefectId,
    contract_id: ContractId,
    place_id: ServedPlaceId,
    category: String,
    category_zh: String,
    category_en: String,
    state: String,
    revision: i64,
    reports_count: i64,
    reported_at: NaiveDateTime,
    last_reported_at: NaiveDateTime,
    occurred_at: Option<NaiveDateTime>,
    round: i64,
    due_at: Option<NaiveDateTime>,
    silent_at: Option<NaiveDateTime>,
    closed_at: Option<NaiveDateTime>,
    closed_by: Option<String>,
    reason: Option<String>,
}

impl TryFrom<DefectRow> for Defect {
    type Error = Fault;

    fn try_from(row: DefectRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: {what}", row.id));
        let by = row.closed_by.as_deref().map(|name| {
            let decider = Decider::named(name);
            decider.ok_or_else(|| broken("who has ended it is nobody"))
        });
        let closed = row.closed_at.zip(by.transpose()?);
        Ok(Self {
            state: State::named(&row.state).ok_or_else(|| broken("its state is none"))?,
            id: row.id,
            contract_id: row.contract_id,
            place_id: row.place_id,
            category: Category {
                code: row.category,
                name_zh: row.category_zh,
                name_en: row.category_en,
            },
            revision: row.revision,
            reports_count: row.reports_count,
            reported_at: row.reported_at.and_utc(),
            last_reported_at: row.last_reported_at.and_utc(),
            occurred_at: row.occurred_at.map(|at| at.and_utc()),
            round: row.round,
            due_at: row.due_at.map(|at| at.and_utc()),
            silent_at: row.silent_at.map(|at| at.and_utc()),
            closed: closed.map(|(at, by)| Closed { at: at.and_utc(), by }),
            reason: row.reason,
        })
    }
}

fn read(rows: Vec<DefectRow>) -> Answer<Vec<Defect>> {
    let all: Result<Vec<Defect>, Fault> = rows.into_iter().map(Defect::try_from).collect();
    Ok(all?)
}

/// A call to the contractor, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = defect_rounds)]
pub struct Round {
    /// Of which defect.
    pub defect_id: DefectId,
    /// Its number, from 1.
    pub number: i64,
    /// When the contractor was called, UTC.
    pub called_at: NaiveDateTime,
    /// From when the time counts, UTC.
    pub started_at: NaiveDateTime,
    /// When it is due, UTC.
    pub due_at: Option<NaiveDateTime>,
    /// When the contractor is reminded, UTC.
    pub remind_at: Option<NaiveDateTime>,
    /// When the contractor knew, UTC.
    pub acknowledged_at: Option<NaiveDateTime>,
    /// When it said that it is done, UTC.
    pub fixed_at: Option<NaiveDateTime>,
    /// What it said then.
    pub note: Option<String>,
    /// When that was found not to hold, UTC.
    pub reopened_at: Option<NaiveDateTime>,
    /// By whom.
    pub reopened_by: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// The defect of that id as it is stored, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn defect(conn: &mut Conn, id: &DefectId) -> Answer<Option<Defect>> {
    let row: Option<DefectRow> = defects::table
        .find(id)
        .select(DefectRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Defect::try_from).transpose()?)
}

/// The defect of a category at a place that is stored as open, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn open_at(conn: &mut Conn, place: &ServedPlaceId, category: &str) -> Answer<Option<Defect>> {
    let row: Option<DefectRow> = defects::table
        .filter(defects::place_id.eq(place))
        .filter(defects::category.eq(category))
        .filter(defects::state.eq_any(State::OPEN.map(State::name)))
        .select(DefectRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Defect::try_from).transpose()?)
}

/// Which defects are asked for.
#[derive(Clone, Debug, Default)]
pub struct DefectFilter {
    /// Of this contract.
    pub contract: Option<ContractId>,
    /// At this place.
    pub place: Option<ServedPlaceId>,
    /// At places in this area.
    pub area: Option<AreaId>,
    /// Of this category.
    pub category: Option<String>,
    /// In this state.
    pub state: Option<State>,
    /// Late, or not.
    pub is_overdue: Option<bool>,
    /// Of these buyers also what is not public.
    pub buyers: Vec<OrganisationId>,
    /// Everything, public or not.
    pub is_all: bool,
    /// Reported before this one: when, and its id.
    pub before: Option<(NaiveDateTime, DefectId)>,
}

/// Up to `max` defects as they are stored, the one reported last first.
///
/// # Errors
/// A fault of the database.
pub fn list(conn: &mut Conn, filter: &DefectFilter, now: Instant, max: i64) -> Answer<Vec<Defect>> {
    let now = now.naive_utc();
    let mut query = defects::table
        .inner_join(contracts::table.on(contracts::id.eq(defects::contract_id)))
        .inner_join(served_places::table.on(served_places::id.eq(defects::place_id)))
        .select(DefectRow::as_select())
        .order((defects::reported_at.desc(), defects::id.desc()))
        .limit(max)
        .into_boxed();
    if let Some(contract) = &filter.contract {
        query = query.filter(defects::contract_id.eq(contract));
    }
    if let Some(place) = &filter.place {
        query = query.filter(defects::place_id.eq(place));
    }
    if let Some(area) = &filter.area {
        query = query.filter(served_places::area_id.eq(area));
    }
    if let Some(category) = &filter.category {
        query = query.filter(defects::category.eq(category));
    }
    let silent = defects::silent_at.is_not_null().and(defects::silent_at.le(now));
    query = match filter.state {
        // What nobody has answered is confirmed, though it is not written down yet.
        Some(State::Confirmed) => query.filter(
            defects::state
                .eq(State::Confirmed.name())
                .or(silent.assume_not_null()),
        ),
        Some(State::Fixed) => query.filter(
            defects::state
                .eq(State::Fixed.name())
                .and(defects::silent_at.gt(now).assume_not_null()),
        ),
        Some(state) => query.filter(defects::state.eq(state.name())),
        None => query,
    };
    let called = [State::Dispatched, State::Acknowledged, State::Reopened].map(State::name);
    let late = defects::due_at
        .is_not_null()
        .and(defects::due_at.lt(now))
        .assume_not_null();
    query = match filter.is_overdue {
        Some(true) => query.filter(late.and(defects::state.eq_any(called))),
        Some(false) => query.filter(
            defects::due_at
                .is_null()
                .or(defects::due_at.ge(now).assume_not_null())
                .or(defects::state.ne_all(called)),
        ),
        None => query,
    };
    if !filter.is_all {
        let hidden = [State::Reported, State::Withdrawn].map(State::name);
        query = query.filter(
            defects::state
                .ne_all(hidden)
                .or(contracts::buyer_id.eq_any(&filter.buyers)),
        );
    }
    if let Some((at, id)) = &filter.before {
        query = query.filter(
            defects::reported_at
                .lt(at)
                .or(defects::reported_at.eq(at).and(defects::id.lt(id))),
        );
    }
    read(query.load(conn)?)
}

/// Adds a defect.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, defect: &Defect) -> Answer<()> {
    diesel::insert_into(defects::table)
        .values((
            defects::id.eq(&defect.id),
            defects::contract_id.eq(&defect.contract_id),
            defects::place_id.eq(&defect.place_id),
            defects::category.eq(&defect.category.code),
            defects::category_zh.eq(&defect.category.name_zh),
            defects::category_en.eq(&defect.category.name_en),
            defects::state.eq(defect.state.name()),
            defects::revision.eq(defect.revision),
            defects::reports_count.eq(defect.reports_count),
            defects::reported_at.eq(defect.reported_at.naive_utc()),
            defects::last_reported_at.eq(defect.last_reported_at.naive_utc()),
            defects::occurred_at.eq(defect.occurred_at.map(|at| at.naive_utc())),
            defects::round.eq(defect.round),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Counts one more report of a defect.
///
/// # Errors
/// A fault of the database, or if the defect is over.
pub fn join(tx: &mut Tx<'_>, defect: &Defect) -> Answer<()> {
    let open = defects::table
        .find(&defect.id)
        .filter(defects::state.eq_any(State::OPEN.map(State::name)));
    let changed = diesel::update(open)
        .set((
            defects::reports_count.eq(defect.reports_count),
            defects::last_reported_at.eq(defect.last_reported_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    one(changed)
}

/// Saves how far a defect has come over the revision before it.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn advance(tx: &mut Tx<'_>, defect: &Defect) -> Answer<()> {
    let before = defects::table
        .find(&defect.id)
        .filter(defects::revision.eq(defect.revision.saturating_sub(1)));
    let (closed_at, closed_by) = defect
        .closed
        .map(|closed| (closed.at.naive_utc(), closed.by.name()))
        .unzip();
    let changed = diesel::update(before)
        .set((
            defects::state.eq(defect.state.name()),
            defects::revision.eq(defect.revision),
            defects::round.eq(defect.round),
            defects::due_at.eq(defect.due_at.map(|at| at.naive_utc())),
            defects::silent_at.eq(defect.silent_at.map(|at| at.naive_utc())),
            defects::closed_at.eq(closed_at),
            defects::closed_by.eq(closed_by),
            defects::reason.eq(&defect.reason),
        ))
        .execute(tx.conn())?;
    one(changed)
}

fn one(changed: usize) -> Answer<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} rows of defects changed instead of one")).into())
    }
}

/// The calls of these defects, in their order.
///
/// # Errors
/// A fault of the database.
pub fn rounds(conn: &mut Conn, of: &[&DefectId]) -> Answer<Vec<Round>> {
    Ok(defect_rounds::table
        .filter(defect_rounds::defect_id.eq_any(of))
        .order((defect_rounds::defect_id, defect_rounds::number))
        .select(Round::as_select())
        .load(conn)?)
}

/// Adds a call.
///
/// # Errors
/// A fault of the database.
pub fn call(tx: &mut Tx<'_>, round: &Round) -> Answer<()> {
    diesel::insert_into(defect_rounds::table)
        .values(round)
        .execute(tx.conn())?;
    Ok(())
}

/// Saves what came of a call.
///
/// # Errors
/// A fault of the database, or if there is no such call.
pub fn answer(tx: &mut Tx<'_>, round: &Round) -> Answer<()> {
    let changed = diesel::update(defect_rounds::table.find((&round.defect_id, round.number)))
        .set((
            defect_rounds::acknowledged_at.eq(round.acknowledged_at),
            defect_rounds::fixed_at.eq(round.fixed_at),
            defect_rounds::note.eq(&round.note),
            defect_rounds::reopened_at.eq(round.reopened_at),
            defect_rounds::reopened_by.eq(&round.reopened_by),
            defect_rounds::reason.eq(&round.reason),
        ))
        .execute(tx.conn())?;
    one(changed)
}

/// The calls of a contract that are due in a time, the end left out. What was found to be none, or taken back, was no call.
///
/// # Errors
/// A fault of the database.
pub fn calls(conn: &mut Conn, contract: &ContractId, (from, until): (Instant, Instant)) -> Answer<Vec<Call>> {
    let no_call = [State::Rejected, State::Withdrawn].map(State::name);
    let rows: Vec<(
        Option<NaiveDateTime>,
        Option<NaiveDateTime>,
        Option<NaiveDateTime>,
    )> = defect_rounds::table
        .inner_join(defects::table.on(defects::id.eq(defect_rounds::defect_id)))
        .filter(defects::contract_id.eq(contract))
        .filter(defects::state.ne_all(no_call))
        .filter(defect_rounds::due_at.ge(from.naive_utc()))
        .filter(defect_rounds::due_at.lt(until.naive_utc()))
        .select((
            defect_rounds::due_at,
            defect_rounds::fixed_at,
            defect_rounds::reopened_at,
        ))
        .load(conn)?;
    let call = |(due_at, fixed_at, reopened_at): (
        Option<NaiveDateTime>,
        Option<NaiveDateTime>,
        Option<NaiveDateTime>,
    )| {
        due_at.map(|due_at| Call {
            due_at: due_at.and_utc(),
            fixed_at: fixed_at.map(|at| at.and_utc()),
            is_reopened: reopened_at.is_some(),
        })
    };
    Ok(rows.into_iter().filter_map(call).collect())
}

/// How many defects of a contract are stored in which state, and how many reports they have; those that silence has confirmed count as fixed here.
///
/// # Errors
/// A fault of the database.
pub fn counts(conn: &mut Conn, contract: &ContractId) -> Answer<Vec<(State, i64)>> {
    let rows: Vec<(String, i64)> = defects::table
        .filter(defects::contract_id.eq(contract))
        .group_by(defects::state)
        .select((defects::state, diesel::dsl::count_star()))
        .load(conn)?;
    let named = |(name, count): (String, i64)| {
        let state = State::named(&name).ok_or_else(|| Fault::broken("a defect's state is none"));
        Ok((state?, count))
    };
    rows.into_iter().map(named).collect()
}

/// How many defects of a contract that were reported in a time, the end left out, have turned out to be some, by what was wrong: those that are confirmed. What waits,
/// and what was found to be none or taken back, is not among them.
///
/// # Errors
/// A fault of the database.
pub fn upheld(
    conn: &mut Conn,
    contract: &ContractId,
    (from, until): (Instant, Instant),
) -> Answer<Vec<(Category, i64)>> {
    // How a sort was called may have been written in two ways.
    let rows: Vec<(String, Option<String>, Option<String>, i64)> = defects::table
        .filter(defects::contract_id.eq(contract))
        .filter(defects::state.eq(State::Confirmed.name()))
        .filter(defects::reported_at.ge(from.naive_utc()))
        .filter(defects::reported_at.lt(until.naive_utc()))
        .group_by(defects::category)
        .order(defects::category)
        .select((
            defects::category,
            diesel::dsl::max(defects::category_zh),
            diesel::dsl::max(defects::category_en),
            diesel::dsl::count_star(),
        ))
        .load(conn)?;
    let category = |(code, zh, en, count): (String, Option<String>, Option<String>, i64)| {
        let category = Category {
            code,
            name_zh: zh.unwrap_or_default(),
            name_en: en.unwrap_or_default(),
        };
        (category, count)
    };
    Ok(rows.into_iter().map(category).collect())
}

/// How many defects of a contract silence has confirmed without anybody having written it down yet.
///
/// # Errors
/// A fault of the database.
pub fn silent_count(conn: &mut Conn, contract: &ContractId, now: Instant) -> Answer<i64> {
    Ok(defects::table
        .filter(defects::contract_id.eq(contract))
        .filter(defects::silent_at.le(now.naive_utc()))
        .count()
        .get_result(conn)?)
}

/// Up to `max` defects that silence has confirmed without anybody having written it down.
///
/// # Errors
/// A fault of the database.
pub fn silent(conn: &mut Conn, now: Instant, max: i64) -> Answer<Vec<Defect>> {
    let rows: Vec<DefectRow> = defects::table
        .filter(defects::silent_at.le(now.naive_utc()))
        .order((defects::silent_at, defects::id))
        .limit(max)
        .select(DefectRow::as_select())
        .load(conn)?;
    read(rows)
}

/// Up to `max` defects beyond an id whose contractor is to be reminded: called, not late yet, and most of the time is gone.
///
/// # Errors
/// A fault of the database.
pub fn to_remind(conn: &mut Conn, now: Instant, after: &str, max: i64) -> Answer<Vec<Defect>> {
    let now = now.naive_utc();
    let called = [State::Dispatched, State::Acknowledged, State::Reopened].map(State::name);
    let rows: Vec<DefectRow> = defects::table
        .inner_join(defect_rounds::table.on(defect_rounds::defect_id.eq(defects::id)))
        .filter(defect_rounds::number.eq(defects::round))
        .filter(defect_rounds::fixed_at.is_null())
        .filter(defect_rounds::remind_at.le(now))
        .filter(defect_rounds::due_at.ge(now))
        .filter(defects::state.eq_any(called))
        .filter(defects::id.gt(after))
        .order(defects::id)
        .limit(max)
        .select(DefectRow::as_select())
        .load(conn)?;
    read(rows)
}

/// The buyers of whose contracts something is late or waits to be sent to the contractor, and how much of both.
///
/// # Errors
/// A fault of the database.
pub fn standing_of_buyers(conn: &mut Conn, now: Instant) -> Answer<Vec<(OrganisationId, i64, i64)>> {
    let called = [State::Dispatched, State::Acknowledged, State::Reopened].map(State::name);
    let late: Vec<(OrganisationId, i64)> = defects::table
        .inner_join(contracts::table.on(contracts::id.eq(defects::contract_id)))
        .filter(defects::due_at.lt(now.naive_utc()))
        .filter(defects::state.eq_any(called))
        .group_by(contracts::buyer_id)
        .select((contracts::buyer_id, diesel::dsl::count_star()))
        .load(conn)?;
    let waiting: Vec<(OrganisationId, i64)> = defects::table
        .inner_join(contracts::table.on(contracts::id.eq(defects::contract_id)))
        .filter(defects::state.eq(State::Reported.name()))
        .group_by(contracts::buyer_id)
        .select((contracts::buyer_id, diesel::dsl::count_star()))
        .load(conn)?;
    let mut standing: BTreeMap<OrganisationId, (i64, i64)> = BTreeMap::new();
    for (buyer, count) in late {
        standing.entry(buyer).or_default().0 = count;
    }
    for (buyer, count) in waiting {
        standing.entry(buyer).or_default().1 = count;
    }
    let flat = |(buyer, (late, waiting))| (buyer, late, waiting);
    Ok(standing.into_iter().map(flat).collect())
}
