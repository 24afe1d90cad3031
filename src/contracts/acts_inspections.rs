//! Recording inspections, and annulling those that were a mistake: each function is one transaction's worth of work, permission first, event last.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit;
use crate::audit::entry::Event;
use crate::award::desk::days;
use crate::contracts::acts_periods::with_periods;
use crate::contracts::acts_plans::open_stop;
use crate::contracts::desk::{self, Signed, acting};
use crate::contracts::rules::ContractId;
use crate::contracts::rules_inspections::{
    ANNULLED, Checked, Facts, INSPECTIONS_MAX, InspectionId, NewInspection, OWN_WORK, REASON_LENGTH_MAX,
    TOO_MANY, checked,
};
use crate::contracts::rules_inspections_document::{FORMAT, InspectionDocument, PhotoDocument};
use crate::contracts::rules_plans::{InspectionPlanId, Plan, Stop};
use crate::contracts::rules_points::tally;
use crate::contracts::store_inspections::{self as store, Annulment, Inspection};
use crate::contracts::tidings_inspections as tidings;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store::{Capacity, undertake};
use crate::files;
use crate::files::access::Access;
use crate::files::media::MediaType;
use crate::files::rules::{Use, Visibility};
use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::statutes::codes::INSPECTION_CONTEST_WORKING_DAYS_MAX;
use crate::web::actor::Actor;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action, Role};
use crate::web::problem::NOT_FOUND;

/// What photos may be.
const PHOTOS: &[MediaType] = &[MediaType::Jpeg, MediaType::Png, MediaType::Webp];

/// An inspection with its contract.
pub struct Seen {
    /// The contract.
    pub signed: Signed,
    /// The inspection.
    pub inspection: Inspection,
}

/// An inspection of that id. Inspections are public.
///
/// # Errors
/// Not found; a fault of the database.
pub fn seen(conn: &mut Conn, id: &InspectionId) -> Answer<Seen> {
    let inspection = store::inspection(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let signed = desk::signed(conn, &inspection.document.contract_id)?;
    Ok(Seen { signed, inspection })
}

/// Refuses for whoever acts for the contractor, in whatever capacity they would do it.
///
/// # Errors
/// [`OWN_WORK`].
pub(super) fn not_own_work(actor: &Actor, signed: &Signed) -> Answer<()> {
    let supplier = &signed.contract.supplier_id;
    let mut grants = actor.grants().iter();
    if grants.any(|grant| grant.organisation.as_ref() == Some(supplier)) {
        return Err(OWN_WORK.refuse().into());
    }
    Ok(())
}

/// Records an inspection.
///
/// # Errors
/// In this order: permission; not found; [`OWN_WORK`]; that the contract has no periods; those of the stop of a plan; what does not hold, all of it
/// listed; those of [`Signed::may_go_on`]; a day in another period than the plan's; [`TOO_MANY`]; a rule that is not set, or a calendar that does not reach so far; those of the photos.
pub fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ContractId,
    (new, planned): (&NewInspection, Option<(&InspectionPlanId, i64)>),
    calendar: &WardCalendar,
) -> Answer<Seen> {
    policy::allow_at_all(actor, Action::RecordInspection)?;
    let signed = desk::signed(tx.conn(), id)?;
    policy::allow(actor, Action::RecordInspection, signed.of_buyer())?;
    not_own_work(actor, &signed)?;
    let (signed, schedule) = with_periods(tx.conn(), &signed.contract.id)?;
    let stop = match planned {
        Some(planned) => Some(open_stop(tx.conn(), id, planned, &new.source)?),
        None => None,
    };
    let content = signed.indicators(tx.conn())?;
    let lot = &signed.document.lot;
    let facts = Facts {
        content: &content,
        sources: &lot.score_sources,
        places: lot.places.len(),
        schedule: &schedule,
        stop: stop.as_ref().map(|(_, stop)| stop),
        now: tx.now(),
        zone: calendar.zone,
    };
    let found = checked(new, &facts)?;
    signed.may_go_on(found.inspected_on)?;
    let mut form = Form::new();
    if stop.as_ref().is_some_and(|(plan, _)| plan.period != found.period) {
        form.object(
            "/started_at",
            Text::fixed("不在抽查计划所属的期内", "is not in the period of the plan"),
        );
    }
    form.finish(())?;
    if store::count_of_period(tx.conn(), id, found.period)? >= INSPECTIONS_MAX {
        return Err(TOO_MANY.refuse().into());
    }
    let document = documented(tx, actor, &signed, (new, found, stop), calendar)?;
    let capacity = Capacity {
        role: Role::BuyerOfficer,
        organisation: Some(&signed.contract.buyer_id),
    };
    undertake(
        tx,
        actor,
        capacity,
        Duty::Inspect,
        document.inspection_id.as_str(),
    )?;
    let content = document.written()?;
    let inspection = Inspection {
        sha256: Sha256::digest(content.as_bytes()).into(),
        content,
        inspector_id: acting(actor)?,
        annulled: None,
        document,
    };
    store::insert(tx, &inspection)?;
    let said = &inspection.document;
    let data = json!({
        "period": said.period, "source": said.source, "inspected_on": said.inspected_on, "plan_id": said.plan_id, "stop": said.stop,
        "score": said.score, "sha256": hex::encode(inspection.sha256),
    });
    append(tx, actor, "inspection.recorded", said, (data, Value::Null))?;
    tidings::recorded(tx, &signed, said)?;
    Ok(Seen { signed, inspection })
}

/// The record of an inspection, its photos hung on it.
fn documented(
    tx: &mut Tx<'_>,
    actor: &Actor,
    signed: &Signed,
    (new, found, stop): (&NewInspection, Checked, Option<(Plan, Stop)>),
    calendar: &WardCalendar,
) -> Answer<InspectionDocument> {
    let days = days(calendar);
    let allowed = signed.profile.rule(INSPECTION_CONTEST_WORKING_DAYS_MAX)?.0;
    let contest_until = days.working(days.day(tx.now()), allowed)?;
    let score = tally(&found.items)?.score;
    let inspection_id = InspectionId::mint(tx.now());
    let mut items = found.items;
    for (index, (item, asked)) in items.iter_mut().zip(&new.items).enumerate() {
        for (place, photo) in asked.photos.iter().enumerate() {
            let to = Use {
                matter_kind: InspectionId::PREFIX,
                matter_id: inspection_id.as_str(),
                visibility: if new.photos_are_public {
                    Visibility::Public
                } else {
                    Visibility::Matter
                },
                types: PHOTOS,
                pointer: &format!("/items/{index}/photos/{place}"),
            };
            let hung = files::acts::attach(tx, actor, photo, to)?;
            item.photos.push(PhotoDocument {
                id: hung.id,
                sha256: hung.sha256,
            });
        }
    }
    let (plan_id, stop) = stop.map(|(plan, stop)| (plan.id, stop.number)).unzip();
    Ok(InspectionDocument {
        format: FORMAT.to_owned(),
        inspection_id,
        contract_id: signed.contract.id.clone(),
        contract_sha256: hex::encode(signed.contract.sha256),
        standard_version_id: signed.document.lot.standard_version_id.clone(),
        period: found.period,
        source: new.source.clone(),
        plan_id,
        stop,
        place: found.place,
        location: found.location,
        grade: found.grade,
        inspected_on: found.inspected_on,
        started_at: rfc3339(new.started_at),
        recorded_at: rfc3339(tx.now()),
        photos_are_public: new.photos_are_public,
        items,
        score,
        note: found.note,
        contest_until,
    })
}

/// Annuls an inspection that was a mistake; a new one may take its place. It stays readable, and counts for nothing.
///
/// # Errors
/// In this order: permission; not found; [`OWN_WORK`]; a reason that is none; [`ANNULLED`]; separation of duties.
pub fn annul(tx: &mut Tx<'_>, actor: &Actor, id: &InspectionId, reason: &str) -> Answer<Seen> {
    policy::allow_at_all(actor, Action::AnnulInspection)?;
    let Seen { signed, inspection } = seen(tx.conn(), id)?;
    policy::allow(actor, Action::AnnulInspection, signed.of_buyer())?;
    not_own_work(actor, &signed)?;
    let mut form = Form::new();
    let reason = form.line("/reason", reason, REASON_LENGTH_MAX);
    let reason = form.finish(reason)?;
    if inspection.annulled.is_some() {
        return Err(ANNULLED.refuse().into());
    }
    let capacity = Capacity {
        role: Role::BuyerApprover,
        organisation: Some(&signed.contract.buyer_id),
    };
    undertake(tx, actor, capacity, Duty::DecideContest, id.as_str())?;
    store::annul(tx, id, &reason, &acting(actor)?)?;
    let told = (json!({ "reason": reason }), Value::Null);
    append(tx, actor, "inspection.annulled", &inspection.document, told)?;
    tidings::annulled(tx, &signed, &inspection.document, &reason)?;
    let annulled = Some(Annulment { reason, at: tx.now() });
    let inspection = Inspection {
        annulled,
        ..inspection
    };
    Ok(Seen { signed, inspection })
}

pub(super) fn append(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    of: &InspectionDocument,
    (data, private): (Value, Value),
) -> Answer<()> {
    let event = Event {
        kind,
        subject: of.inspection_id.to_string(),
        data: crate::award::desk::joined(data, json!({ "contract_id": of.contract_id })),
        private,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}

/// Answers for photos that are not everybody's: they show streets, and at times people, and are the parties' and the auditors'.
pub struct PhotoAccess;

impl Access for PhotoAccess {
    fn matter_kind(&self) -> &'static str {
        InspectionId::PREFIX
    }

    fn may_read(&self, conn: &mut Conn, actor: &Actor, matter_id: &str) -> Answer<bool> {
        let id: InspectionId = matter_id
            .parse()
            .map_err(|_| Fault::broken("a photo hangs on what is no inspection"))?;
        Ok(seen(conn, &id)?.signed.is_insider(actor))
    }
}
