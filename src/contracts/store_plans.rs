//! The tables of plans of inspections and of what was left out of them. Both are added to and never changed.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::contracts::rules::ContractId;
use crate::contracts::rules_inspections::InspectionId;
use crate::contracts::rules_plans::{InspectionPlanId, Plan, Progress};
use crate::db::conn::Conn;
use crate::db::schema::{inspection_annulments, inspection_omissions, inspection_plans, inspections};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = inspection_plans)]
struct PlanRow {
    id: InspectionPlanId,
    contract_id: ContractId,
    period: i64,
    source: String,
    number: i64,
    stops: i64,
    seed: Vec<u8>,
    candidates: String,
    candidates_sha256: Vec<u8>,
    drawn_by: AccountId,
    drawn_at: NaiveDateTime,
}

impl TryFrom<PlanRow> for Plan {
    type Error = Fault;

    fn try_from(row: PlanRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: {what}", row.id));
        let candidates =
            serde_json::from_str(&row.candidates).map_err(|_| broken("its candidates are none"))?;
        let plan = Self {
            seed: row.seed.try_into().map_err(|_| broken("its seed is none"))?,
            candidates,
            id: row.id.clone(),
            contract_id: row.contract_id,
            period: row.period,
            source: row.source,
            number: row.number,
            stops: row.stops,
            drawn_by: row.drawn_by,
            drawn_at: row.drawn_at.and_utc(),
        };
        if plan.candidates_sha256().as_slice() != row.candidates_sha256 {
            return Err(broken("its candidates are not those that were frozen"));
        }
        Ok(plan)
    }
}

fn read(rows: Vec<PlanRow>) -> Answer<Vec<Plan>> {
    Ok(rows.into_iter().map(Plan::try_from).collect::<Result<_, _>>()?)
}

/// The plan of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn plan(conn: &mut Conn, id: &InspectionPlanId) -> Answer<Option<Plan>> {
    let row = inspection_plans::table
        .find(id)
        .select(PlanRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Plan::try_from).transpose()?)
}

/// The plans of a period and source, the first one first.
///
/// # Errors
/// A fault of the database.
pub fn of_period(conn: &mut Conn, contract: &ContractId, period: i64, source: &str) -> Answer<Vec<Plan>> {
    let rows: Vec<PlanRow> = inspection_plans::table
        .filter(inspection_plans::contract_id.eq(contract))
        .filter(inspection_plans::period.eq(period))
        .filter(inspection_plans::source.eq(source))
        .order(inspection_plans::number)
        .select(PlanRow::as_select())
        .load(conn)?;
    read(rows)
}

/// Which plans of a contract are listed.
#[derive(Clone, Debug, Default)]
pub struct PlanFilter {
    /// Of this period.
    pub period: Option<i64>,
    /// Of this source.
    pub source: Option<String>,
    /// With a lower id.
    pub before: Option<String>,
}

/// Up to `max` plans of a contract, the one drawn last first.
///
/// # Errors
/// A fault of the database.
pub fn of_contract(
    conn: &mut Conn,
    contract: &ContractId,
    filter: &PlanFilter,
    max: i64,
) -> Answer<Vec<Plan>> {
    let mut query = inspection_plans::table
        .filter(inspection_plans::contract_id.eq(contract))
        .into_boxed();
    if let Some(period) = filter.period {
        query = query.filter(inspection_plans::period.eq(period));
    }
    if let Some(source) = &filter.source {
        query = query.filter(inspection_plans::source.eq(source));
    }
    if let Some(before) = &filter.before {
        query = query.filter(inspection_plans::id.lt(before));
    }
    let rows: Vec<PlanRow> = query
        .order(inspection_plans::id.desc())
        .limit(max)
        .select(PlanRow::as_select())
        .load(conn)?;
    read(rows)
}

/// Adds a plan.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, plan: &Plan) -> Answer<()> {
    let candidates = serde_json::to_string(&plan.candidates)
        .map_err(|error| Fault::caused("write the candidates of a plan", error))?;
    diesel::insert_into(inspection_plans::table)
        .values((
            inspection_plans::id.eq(&plan.id),
            inspection_plans::contract_id.eq(&plan.contract_id),
            inspection_plans::period.eq(plan.period),
            inspection_plans::source.eq(&plan.source),
            inspection_plans::number.eq(plan.number),
            inspection_plans::stops.eq(plan.stops),
            inspection_plans::seed.eq(plan.seed.as_slice()),
            inspection_plans::candidates.eq(candidates),
            inspection_plans::candidates_sha256.eq(plan.candidates_sha256().as_slice()),
            inspection_plans::drawn_by.eq(&plan.drawn_by),
            inspection_plans::drawn_at.eq(plan.drawn_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// A stop that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Omission {
    /// The stop.
    pub stop: i64,
    /// Why.
    pub reason: String,
    /// When, UTC.
    pub at: Instant,
}

/// The stops of a plan that were left out, in their order.
///
/// # Errors
/// A fault of the database.
pub fn omissions(conn: &mut Conn, plan: &InspectionPlanId) -> Answer<Vec<Omission>> {
    let rows: Vec<(i64, String, NaiveDateTime)> = inspection_omissions::table
        .filter(inspection_omissions::plan_id.eq(plan))
        .order(inspection_omissions::stop)
        .select((
            inspection_omissions::stop,
            inspection_omissions::reason,
            inspection_omissions::omitted_at,
        ))
        .load(conn)?;
    let of = |(stop, reason, at): (i64, String, NaiveDateTime)| Omission {
        stop,
        reason,
        at: at.and_utc(),
    };
    Ok(rows.into_iter().map(of).collect())
}

/// Leaves a stop out.
///
/// # Errors
/// A fault of the database, or if it was left out before.
pub fn omit(
    tx: &mut Tx<'_>,
    plan: &InspectionPlanId,
    (stop, reason): (i64, &str),
    by: &AccountId,
) -> Answer<()> {
    let now = tx.now().naive_utc();
    diesel::insert_into(inspection_omissions::table)
        .values((
            inspection_omissions::plan_id.eq(plan),
            inspection_omissions::stop.eq(stop),
            inspection_omissions::reason.eq(reason),
            inspection_omissions::omitted_by.eq(by),
            inspection_omissions::omitted_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// An inspection of a stop: its id, the stop, and whether it holds.
pub type StopInspection = (InspectionId, i64, bool);

/// The inspections of a plan's stops, the first one first.
///
/// # Errors
/// A fault of the database.
pub fn inspected(conn: &mut Conn, plan: &InspectionPlanId) -> Answer<Vec<StopInspection>> {
    let rows: Vec<(InspectionId, Option<i64>, Option<InspectionId>)> = inspections::table
        .left_join(inspection_annulments::table.on(inspection_annulments::inspection_id.eq(inspections::id)))
        .filter(inspections::plan_id.eq(plan))
        .order(inspections::id)
        .select((
            inspections::id,
            inspections::stop,
            inspection_annulments::inspection_id.nullable(),
        ))
        .load(conn)?;
    let of = |(id, stop, annulled): (InspectionId, Option<i64>, Option<InspectionId>)| {
        Some((id, stop?, annulled.is_none()))
    };
    Ok(rows.into_iter().filter_map(of).collect())
}

/// What happened at the stops of a plan.
///
/// # Errors
/// A fault of the database.
pub fn progress(conn: &mut Conn, plan: &InspectionPlanId) -> Answer<Progress> {
    let mut progress = Progress::default();
    for (_, stop, holds) in inspected(conn, plan)? {
        if holds {
            progress.inspected.push(stop);
        } else {
            progress.annulled.push(stop);
        }
    }
    progress.omitted = omissions(conn, plan)?.into_iter().map(|one| one.stop).collect();
    Ok(progress)
}
