//! The places of the demo's contract, and how its work is inspected: by officers of the buyer, at stops that are drawn and unannounced; what the contractor
//! says against it, and what the approver decides. All by the acts.

use crate::app::demo_plans::of_line;
use crate::app::demo_rounds::{LOOKED_AT, Spot, Visit};
use crate::app::demo_scenes::Deed;
use crate::app::demo_service::{Ward, at, contract, minutes_before, upload};
use crate::app::demo_stage::cast;
use crate::app::{demo, demo_stage};
use crate::contracts::acts_plans::Asked;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_contests::{Contest, Verdict};
use crate::contracts::rules_inspections::{Measurement, NewInspection, NewItem};
use crate::contracts::rules_places::NewPlace;
use crate::contracts::rules_plans::InspectionPlanId;
use crate::contracts::store_inspections::{Inspection, InspectionFilter};
use crate::contracts::{
    acts_contests, acts_inspections, acts_places, acts_plans, store_contests, store_inspections, store_plans,
};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::files::acts::Upload;
use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Actor;
use crate::web::conditional::Expected;

/// The source of a period's score to which inspections count, as the book says.
const SOURCE: &str = "inspection";
/// The grade of all places.
const GRADE: &str = "basic";
/// How long before it is recorded an inspection began, in minutes.
const LASTS: i64 = 40;
/// Inspections that are looked through for one of the demo's.
const LOOKED_AT_MAX: i64 = 100;
/// Who decides for the buyer.
pub(super) const APPROVER: &str = "approver";
/// Who has daily to do with the contract for the buyer.
pub(super) const OFFICER: &str = "officer";
/// Who acts for the contractor.
pub(super) const AGENT: &str = "anju.agent";

fn missing(what: &str) -> Fault {
    Fault::broken(format!("the demo has no such {what}"))
}

/// What is done about places and inspections.
///
/// # Errors
/// A fault or a refusal if something of the demo cannot be.
pub fn act(tx: &mut Tx<'_>, ward: &Ward, deed: &Deed, pictures: &[Upload]) -> Answer<()> {
    let contract = contract(tx.conn())?.id;
    match deed {
        Deed::Code(count) => code(tx, &contract, *count),
        Deed::Draw { period, stops } => {
            let asked = Asked {
                period: *period,
                source: SOURCE.to_owned(),
                stops: *stops,
            };
            let officer = cast(tx, OFFICER)?;
            acts_plans::draw(tx, &officer, &contract, &asked, ward.calendar()).map(drop)
        }
        Deed::Inspect(visit) => inspect(tx, ward, (&contract, visit), pictures),
        Deed::Omit { period, stop, reason } => {
            let officer = cast(tx, OFFICER)?;
            let plan = plan_of(tx.conn(), &contract, *period)?;
            acts_plans::omit(tx, &officer, &plan, (*stop, reason), ward.calendar()).map(drop)
        }
        Deed::Annul { visit, reason } => {
            let approver = cast(tx, APPROVER)?;
            let found = recorded(tx.conn(), &contract, visit)?;
            acts_inspections::annul(tx, &approver, &found.document.inspection_id, reason).map(drop)
        }
        Deed::Contest {
            visit,
            indicator,
            reason,
        } => {
            let agent = cast(tx, AGENT)?;
            let found = recorded(tx.conn(), &contract, visit)?;
            let id = &found.document.inspection_id;
            let said = (number_of(indicator)?, *reason, &[][..]);
            acts_contests::file(tx, &agent, id, said, ward.calendar()).map(drop)
        }
        Deed::Decide {
            visit,
            indicator,
            corrected,
            decision,
        } => {
            let approver = cast(tx, APPROVER)?;
            let contest = contested(tx.conn(), (&contract, visit), indicator)?;
            let verdict = corrected.map_or(Verdict::Rejected, |value| Verdict::Upheld(measured(value)));
            let which = (&contest.id, Expected::Any);
            acts_contests::decide(tx, &approver, which, (&verdict, decision)).map(drop)
        }
        _ => Err(missing("act").into()),
    }
}

/// The first places of the lot get their codes.
fn code(tx: &mut Tx<'_>, contract: &ContractId, count: i64) -> Answer<()> {
    let officer = cast(tx, OFFICER)?;
    let area = demo_stage::community(tx, of_line(demo::ESTATES)?.area)?;
    let new: Vec<NewPlace> = (1..=count)
        .map(|number| NewPlace {
            number,
            grade: Some(GRADE.to_owned()),
            area_id: Some(area.clone()),
        })
        .collect();
    acts_places::make(tx, &officer, contract, &new).map(drop)
}

fn plan_of(conn: &mut Conn, contract: &ContractId, period: i64) -> Answer<InspectionPlanId> {
    let plan = store_plans::of_period(conn, contract, period, SOURCE)?.pop();
    Ok(plan.ok_or_else(|| missing("plan"))?.id)
}

fn measured(value: &str) -> Measurement {
    Measurement {
        value: value.to_owned(),
        unit: None,
        sample_area_m2: None,
    }
}

fn inspect(
    tx: &mut Tx<'_>,
    ward: &Ward,
    (contract, visit): (&ContractId, &Visit),
    pictures: &[Upload],
) -> Answer<()> {
    let inspector = cast(tx, visit.by)?;
    let new = written(tx, ward, (&inspector, visit), pictures)?;
    let stop = match visit.spot {
        Spot::Stop { period, stop } => Some((plan_of(tx.conn(), contract, period)?, stop)),
        Spot::Unannounced { .. } => None,
    };
    let planned = stop.as_ref().map(|(plan, stop)| (plan, *stop));
    acts_inspections::record(tx, &inspector, contract, (&new, planned), ward.calendar()).map(drop)
}

fn written(
    tx: &mut Tx<'_>,
    ward: &Ward,
    (inspector, visit): (&Actor, &Visit),
    pictures: &[Upload],
) -> Answer<NewInspection> {
    let mut photos = upload(tx, inspector, pictures, &ward.limits)?;
    let values = LOOKED_AT.iter().zip(visit.values);
    let items = values.map(|(indicator, value)| NewItem {
        indicator: (*indicator).to_owned(),
        measured: measured(value),
        note: None,
        photos: std::mem::take(&mut photos),
    });
    let items = items.collect();
    let (place, location) = match visit.spot {
        Spot::Stop { .. } => (None, None),
        Spot::Unannounced { place, location } => (Some(place), Some(location.to_owned())),
    };
    Ok(NewInspection {
        source: SOURCE.to_owned(),
        place,
        location,
        grade: place.map(|_| GRADE.to_owned()),
        started_at: minutes_before(at(visit.at), LASTS)?,
        photos_are_public: true,
        items,
        note: visit.note.map(str::to_owned),
    })
}

/// The record of an inspection of the demo, which is found by when it was made.
///
/// # Errors
/// A fault if there is none.
pub(super) fn recorded(conn: &mut Conn, contract: &ContractId, visit: &Visit) -> Answer<Inspection> {
    let all = store_inspections::of_contract(conn, contract, &InspectionFilter::default(), LOOKED_AT_MAX)?;
    let recorded_at = rfc3339(at(visit.at));
    let mut all = all.into_iter();
    let found = all.find(|one| one.document.recorded_at == recorded_at);
    Ok(found.ok_or_else(|| missing("inspection"))?)
}

/// The number of an item, from 1.
fn number_of(indicator: &str) -> Answer<i64> {
    let mut all = (1_i64..).zip(LOOKED_AT);
    let found = all.find(|(_, code)| *code == indicator);
    Ok(found.ok_or_else(|| missing("indicator"))?.0)
}

fn contested(conn: &mut Conn, (contract, visit): (&ContractId, &Visit), indicator: &str) -> Answer<Contest> {
    let inspection = recorded(conn, contract, visit)?;
    let item = number_of(indicator)?;
    let all = store_contests::of_inspection(conn, &inspection.document.inspection_id)?;
    let found = all.into_iter().find(|one| one.item == item);
    Ok(found.ok_or_else(|| missing("contest"))?)
}
