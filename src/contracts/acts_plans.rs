//! Drawing where is inspected: each function is one transaction's worth of work, permission first, event last.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::contracts::acts_periods::with_periods;
use crate::contracts::desk::{self, Signed, acting};
use crate::contracts::rules::ContractId;
use crate::contracts::rules_inspections::{REASON_LENGTH_MAX, inspected_source, no_such_source};
use crate::contracts::rules_periods::Schedule;
use crate::contracts::rules_plans::{
    InspectionPlanId, Plan, Progress, STOP_DONE, STOPS_MAX, Stop, StopState, candidates, may_draw,
};
use crate::contracts::store_periods;
use crate::contracts::store_plans::{self as store, Omission, StopInspection};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::id;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::text;
use crate::web::actor::Actor;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action};
use crate::web::problem::NOT_FOUND;

/// A plan with what has become of it.
pub struct Shown {
    /// The plan.
    pub plan: Plan,
    /// What happened at its stops.
    pub progress: Progress,
    /// Whether the draw may be seen by whoever asked.
    pub is_open: bool,
    /// Whether everybody may see it.
    pub is_disclosed: bool,
    /// What was left out.
    pub omissions: Vec<Omission>,
    /// The inspections of its stops, the first one first.
    pub inspections: Vec<StopInspection>,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The number of the period.
    pub period: i64,
    /// The code of the source to which the inspections will count.
    pub source: String,
    /// How many stops.
    pub stops: i64,
}

/// Draws where is inspected in a period.
///
/// # Errors
/// In this order: permission; not found; that the contract has no periods; those of [`Signed::may_go_on`]; a period or a source that it does not have, or a number of stops that is none, all
/// of it listed; those of [`may_draw`].
pub fn draw(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ContractId,
    asked: &Asked,
    calendar: &WardCalendar,
) -> Answer<Shown> {
    policy::allow_at_all(actor, Action::PlanInspections)?;
    let signed = desk::signed(tx.conn(), id)?;
    policy::allow(actor, Action::PlanInspections, signed.of_buyer())?;
    let (signed, schedule) = with_periods(tx.conn(), &signed.contract.id)?;
    signed.may_go_on(local_date(tx.now(), calendar.zone))?;
    let mut form = Form::new();
    let period = schedule.period(asked.period);
    if period.is_none() {
        form.object(
            "/period",
            Text::fixed("合同没有这一期", "the contract has no such period"),
        );
    }
    if inspected_source(&signed.document.lot.score_sources, &asked.source).is_none() {
        form.object("/source", no_such_source());
    }
    if !(1..=STOPS_MAX).contains(&asked.stops) {
        form.object(
            "/stops",
            text!("应为 1 至 {STOPS_MAX}", "must be 1 to {STOPS_MAX}"),
        );
    }
    form.finish(())?;
    let period = period.ok_or_else(|| Fault::broken("a period was there and is not"))?;
    let mut before = Vec::new();
    for plan in store::of_period(tx.conn(), id, asked.period, &asked.source)? {
        let progress = store::progress(tx.conn(), &plan.id)?;
        before.push((plan, progress));
    }
    let all = candidates(&signed.document.lot);
    let today = local_date(tx.now(), calendar.zone);
    may_draw((period, today), &before, (asked.stops, &all))?;
    let last = before
        .iter()
        .map(|(plan, _)| plan.number)
        .max()
        .unwrap_or_default();
    let plan = Plan {
        id: InspectionPlanId::mint(tx.now()),
        contract_id: id.clone(),
        period: asked.period,
        source: asked.source.clone(),
        number: last.saturating_add(1),
        stops: asked.stops,
        seed: id::random()?,
        candidates: all,
        drawn_by: acting(actor)?,
        drawn_at: tx.now(),
    };
    store::insert(tx, &plan)?;
    let data = json!({
        "period": plan.period, "source": plan.source, "number": plan.number, "stops": plan.stops, "candidates": plan.candidates.len(),
        "seed_sha256": hex::encode(plan.seed_sha256()), "candidates_sha256": hex::encode(plan.candidates_sha256()),
    });
    record(tx, actor, "inspection_plan.drawn", &plan, (data, Value::Null))?;
    let now = tx.now();
    shown(tx.conn(), actor, (&signed, &schedule), plan, (calendar, now))
}

/// Leaves out a stop that cannot be inspected.
///
/// # Errors
/// In this order: permission; not found; a stop that the plan does not have or a reason that is none, both listed; [`STOP_DONE`].
pub fn omit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &InspectionPlanId,
    (stop, reason): (i64, &str),
    calendar: &WardCalendar,
) -> Answer<Shown> {
    policy::allow_at_all(actor, Action::PlanInspections)?;
    let plan = store::plan(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let (signed, schedule) = with_periods(tx.conn(), &plan.contract_id)?;
    policy::allow(actor, Action::PlanInspections, signed.of_buyer())?;
    let mut form = Form::new();
    if !(1..=plan.stops).contains(&stop) {
        form.object(
            "/stop",
            Text::fixed("计划中没有这个检查点", "the plan has no such stop"),
        );
    }
    let reason = form.line("/reason", reason, REASON_LENGTH_MAX);
    let reason = form.finish(reason)?;
    if store::progress(tx.conn(), id)?.state(stop) != StopState::Open {
        return Err(STOP_DONE.refuse().into());
    }
    store::omit(tx, id, (stop, &reason), &acting(actor)?)?;
    // Why may tell where the stop is, which nobody outside knows yet.
    let told = (json!({ "stop": stop }), json!({ "reason": reason }));
    record(tx, actor, "inspection_plan.stop_omitted", &plan, told)?;
    let now = tx.now();
    shown(tx.conn(), actor, (&signed, &schedule), plan, (calendar, now))
}

/// A plan of that id.
///
/// # Errors
/// Not found; a fault of the database.
pub fn seen(
    conn: &mut Conn,
    actor: &Actor,
    id: &InspectionPlanId,
    when: (&WardCalendar, Instant),
) -> Answer<Shown> {
    let plan = store::plan(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let (signed, schedule) = with_periods(conn, &plan.contract_id)?;
    shown(conn, actor, (&signed, &schedule), plan, when)
}

/// A plan of a contract, as somebody may see it: its stops are the buyer's and the auditors' until they are disclosed.
///
/// # Errors
/// A fault of the database.
pub fn shown(
    conn: &mut Conn,
    actor: &Actor,
    (signed, schedule): (&Signed, &Schedule),
    plan: Plan,
    (calendar, now): (&WardCalendar, Instant),
) -> Answer<Shown> {
    let progress = store::progress(conn, &plan.id)?;
    let period = schedule.period(plan.period);
    let period = period.ok_or_else(|| Fault::broken(format!("{} is of no period", plan.id)))?;
    let is_disclosed = progress.is_disclosed(&plan, period, local_date(now, calendar.zone));
    Ok(Shown {
        is_open: is_disclosed || policy::allows(actor, Action::OpenInspectionPlans, signed.of_buyer()),
        is_disclosed,
        omissions: store::omissions(conn, &plan.id)?,
        inspections: store::inspected(conn, &plan.id)?,
        progress,
        plan,
    })
}

/// Up to `max` plans of a contract, as somebody may see them, the one drawn last first.
///
/// # Errors
/// Not found; a fault of the database.
pub fn listed(
    conn: &mut Conn,
    actor: &Actor,
    id: &ContractId,
    (filter, max): (&store::PlanFilter, i64),
    when: (&WardCalendar, Instant),
) -> Answer<Vec<Shown>> {
    let signed = desk::signed(conn, id)?;
    let Some(schedule) = store_periods::schedule(conn, id)? else {
        return Ok(Vec::new());
    };
    let plans = store::of_contract(conn, id, filter, max)?;
    let mut all = Vec::with_capacity(plans.len());
    for plan in plans {
        all.push(shown(conn, actor, (&signed, &schedule), plan, when)?);
    }
    Ok(all)
}

/// A stop of a plan of this contract that waits to be inspected for this source.
///
/// # Errors
/// In this order: a plan that the contract does not have, another source, or a stop that the plan does not have; [`STOP_DONE`].
pub(super) fn open_stop(
    conn: &mut Conn,
    contract: &ContractId,
    (plan_id, stop): (&InspectionPlanId, i64),
    source: &str,
) -> Answer<(Plan, Stop)> {
    let plan = store::plan(conn, plan_id)?.filter(|plan| plan.contract_id == *contract);
    let mut form = Form::new();
    let found = plan
        .as_ref()
        .and_then(|plan| plan.drawn().into_iter().find(|one| one.number == stop));
    match &plan {
        None => form.object(
            "/plan_id",
            Text::fixed("合同没有这份抽查计划", "the contract has no such plan"),
        ),
        Some(plan) if plan.source != source => {
            form.object(
                "/source",
                Text::fixed("与抽查计划的来源不符", "is not the source of the plan"),
            );
        }
        Some(_) if found.is_none() => {
            form.object(
                "/stop",
                Text::fixed("计划中没有这个检查点", "the plan has no such stop"),
            );
        }
        Some(_) => {}
    }
    form.finish(())?;
    let (Some(plan), Some(found)) = (plan, found) else {
        return Err(Fault::broken("a stop was there and is not").into());
    };
    if store::progress(conn, plan_id)?.state(stop) != StopState::Open {
        return Err(STOP_DONE.refuse().at("/stop").into());
    }
    Ok((plan, found))
}

/// What the stops of a plan are called: the names of the lot's places.
pub fn place_names(signed: &Signed, place: i64) -> Option<(&str, &str)> {
    let index = usize::try_from(place.checked_sub(1)?).ok()?;
    let place = signed.document.lot.places.get(index)?;
    Some((place.name_zh.as_str(), place.name_en.as_str()))
}

fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    plan: &Plan,
    (data, private): (Value, Value),
) -> Answer<()> {
    let of = json!({ "contract_id": plan.contract_id });
    let event = Event {
        kind,
        subject: plan.id.to_string(),
        data: crate::award::desk::joined(data, of),
        private,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
