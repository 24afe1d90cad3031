//! The table of contests of inspections. A contest is added once, and its decision is added once.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::contracts::rules::ContractId;
use crate::contracts::rules_contests::{Contest, Decided, InspectionContestId, State};
use crate::contracts::rules_inspections::InspectionId;
use crate::db::conn::Conn;
use crate::db::schema::{inspection_contests, inspections};
use crate::db::writer::Tx;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = inspection_contests)]
struct ContestRow {
    id: InspectionContestId,
    inspection_id: InspectionId,
    item: i64,
    state: String,
    reason: String,
    filed_by: AccountId,
    filed_at: NaiveDateTime,
    revision: i64,
    decision: Option<String>,
    corrected: Option<String>,
    decided_by: Option<AccountId>,
    decided_at: Option<NaiveDateTime>,
}

impl TryFrom<ContestRow> for Contest {
    type Error = Fault;

    fn try_from(row: ContestRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: {what}", row.id));
        let corrected = row
            .corrected
            .map(|text| serde_json::from_str(&text).map_err(|_| broken("what is right is no item")))
            .transpose()?;
        let decided = match (row.decision, row.decided_by, row.decided_at) {
            (Some(decision), Some(by), Some(at)) => Some(Decided {
                decision,
                corrected,
                by,
                at: at.and_utc(),
            }),
            _ => None,
        };
        let contest = Self {
            id: row.id.clone(),
            inspection_id: row.inspection_id,
            item: row.item,
            reason: row.reason,
            filed_by: row.filed_by,
            filed_at: row.filed_at.and_utc(),
            revision: row.revision,
            decided,
        };
        if State::named(&row.state) == Some(contest.state()) {
            Ok(contest)
        } else {
            Err(broken("its state is another one"))
        }
    }
}

fn read(rows: Vec<ContestRow>) -> Answer<Vec<Contest>> {
    Ok(rows
        .into_iter()
        .map(Contest::try_from)
        .collect::<Result<_, _>>()?)
}

/// The contest of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn contest(conn: &mut Conn, id: &InspectionContestId) -> Answer<Option<Contest>> {
    let row: Option<ContestRow> = inspection_contests::table
        .find(id)
        .select(ContestRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Contest::try_from).transpose()?)
}

/// The contests of an inspection, by item.
///
/// # Errors
/// A fault of the database.
pub fn of_inspection(conn: &mut Conn, id: &InspectionId) -> Answer<Vec<Contest>> {
    let rows: Vec<ContestRow> = inspection_contests::table
        .filter(inspection_contests::inspection_id.eq(id))
        .order(inspection_contests::item)
        .select(ContestRow::as_select())
        .load(conn)?;
    read(rows)
}

/// The contests of all inspections of a period, by inspection and item.
///
/// # Errors
/// A fault of the database.
pub fn of_period(conn: &mut Conn, contract: &ContractId, period: i64) -> Answer<Vec<Contest>> {
    let rows: Vec<ContestRow> = inspection_contests::table
        .inner_join(inspections::table.on(inspections::id.eq(inspection_contests::inspection_id)))
        .filter(inspections::contract_id.eq(contract))
        .filter(inspections::period.eq(period))
        .order((inspection_contests::inspection_id, inspection_contests::item))
        .select(ContestRow::as_select())
        .load(conn)?;
    read(rows)
}

/// Up to `max` contests of a contract, the one filed last first: those in a state, with a lower id than `before`.
///
/// # Errors
/// A fault of the database.
pub fn of_contract(
    conn: &mut Conn,
    contract: &ContractId,
    (state, before): (Option<State>, Option<&str>),
    max: i64,
) -> Answer<Vec<Contest>> {
    let mut query = inspection_contests::table
        .inner_join(inspections::table.on(inspections::id.eq(inspection_contests::inspection_id)))
        .filter(inspections::contract_id.eq(contract))
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(inspection_contests::state.eq(state.name()));
    }
    if let Some(before) = before {
        query = query.filter(inspection_contests::id.lt(before));
    }
    let rows: Vec<ContestRow> = query
        .order(inspection_contests::id.desc())
        .limit(max)
        .select(ContestRow::as_select())
        .load(conn)?;
    read(rows)
}

/// Adds a contest.
///
/// # Errors
/// A fault of the database, or if the item was contested before.
pub fn insert(tx: &mut Tx<'_>, contest: &Contest) -> Answer<()> {
    diesel::insert_into(inspection_contests::table)
        .values((
            inspection_contests::id.eq(&contest.id),
            inspection_contests::inspection_id.eq(&contest.inspection_id),
            inspection_contests::item.eq(contest.item),
            inspection_contests::state.eq(contest.state().name()),
            inspection_contests::reason.eq(&contest.reason),
            inspection_contests::filed_by.eq(&contest.filed_by),
            inspection_contests::filed_at.eq(contest.filed_at.naive_utc()),
            inspection_contests::revision.eq(contest.revision),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves the decision about a contest.
///
/// # Errors
/// A fault of the database, or if it was decided before.
pub fn decide(tx: &mut Tx<'_>, contest: &Contest) -> Answer<()> {
    let Some(decided) = &contest.decided else {
        return Err(Fault::broken(format!("{} is not decided", contest.id)).into());
    };
    let corrected = decided
        .corrected
        .as_ref()
        .map(serde_json::to_string)
        .transpose()
        .map_err(|error| Fault::caused("write a corrected item", error))?;
    let before = inspection_contests::table
        .find(&contest.id)
        .filter(inspection_contests::revision.eq(contest.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            inspection_contests::state.eq(contest.state().name()),
            inspection_contests::revision.eq(contest.revision),
            inspection_contests::decision.eq(&decided.decision),
            inspection_contests::corrected.eq(corrected),
            inspection_contests::decided_by.eq(&decided.by),
            inspection_contests::decided_at.eq(decided.at.naive_utc()),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} contests changed instead of one")).into())
    }
}
