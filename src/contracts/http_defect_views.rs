//! How defects and reports are shown: to everybody without who has reported and without words that no officer has released, to the parties with them.

use std::collections::{BTreeMap, HashMap};

use chrono::{NaiveDate, NaiveDateTime};
use serde::Serialize;
use utoipa::ToSchema;

use crate::contracts::desk_defects::{is_shown, reader};
use crate::contracts::http_places::CategoryView;
use crate::contracts::rules::{Contract, ContractId};
use crate::contracts::rules_defect_reports::{DefectReport, DefectReportId, Reader, Reporter, Visibility};
use crate::contracts::rules_defects::{Decider, Defect, DefectId, State};
use crate::contracts::rules_places::{ServedPlace, ServedPlaceId};
use crate::contracts::store_defects::{self, Round};
use crate::contracts::{store, store_defect_reports, store_places};
use crate::db::conn::Conn;
use crate::files;
use crate::files::rules::AttachmentId;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::party::AreaId;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Actor;

/// A call to the contractor.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DefectRound, example = json!({
    "number": 1, "called_at": "2026-05-06T03:00:00.000000Z", "started_at": "2026-05-06T03:00:00.000000Z", "due_at": "2026-05-06T07:00:00.000000Z",
    "acknowledged_at": "2026-05-06T03:20:00.000000Z", "fixed_at": "2026-05-06T05:00:00.000000Z", "is_late": false, "note": "已清除积水",
    "evidence": ["file_01jd3n8f5teqkrzvq1c0m6h2ax"], "reopened_at": null, "reopened_by": null, "reason": null
}))]
pub struct RoundView {
    /// Its number, from 1.
    pub number: i64,
    /// When the contractor was called, UTC.
    pub called_at: String,
    /// From when the time counts, UTC.
    pub started_at: String,
    /// When it is due, UTC; `null` where no time limit runs.
    pub due_at: Option<String>,
    /// When the contractor knew, UTC.
    pub acknowledged_at: Option<String>,
    /// When it said that it is put right, UTC.
    pub fixed_at: Option<String>,
    /// Whether that was, or is by now, too late.
    pub is_late: bool,
    /// What the contractor said then.
    pub note: Option<String>,
    /// The photos that it showed then: attachments.
    #[schema(max_items = 4)]
    pub evidence: Vec<AttachmentId>,
    /// When it was found not to hold, UTC.
    pub reopened_at: Option<String>,
    /// By whom.
    pub reopened_by: Option<Decider>,
    /// Why; for the parties and auditors.
    pub reason: Option<String>,
}

/// What is wrong at a served place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Defect, example = json!({
    "id": "defect_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "place_id": "servedplace_01jd3n8f5teqkrzvq1c0m6h2ax",
    "place_zh": "梧桐大道公厕", "place_en": "Toilet of Wutong Avenue", "area_id": null,
    "category": {"code": "rain_water", "name_zh": "雨后积水", "name_en": "Rain water"}, "state": "dispatched", "reports_count": 3,
    "reported_at": "2026-05-06T03:00:00.000000Z", "last_reported_at": "2026-05-06T03:10:00.000000Z", "text": null, "due_at": "2026-05-06T07:00:00.000000Z",
    "is_overdue": false, "rounds": [], "closed_at": null, "closed_by": null, "reason": null, "revision": 2
}))]
pub struct DefectView {
    /// Its id.
    pub id: DefectId,
    /// Of which contract.
    pub contract_id: ContractId,
    /// Where.
    pub place_id: ServedPlaceId,
    /// The place's Chinese name.
    pub place_zh: String,
    /// The place's English name.
    pub place_en: String,
    /// In which area the place lies.
    pub area_id: Option<AreaId>,
    /// What.
    pub category: CategoryView,
    /// How far it has come.
    pub state: State,
    /// How many have reported it.
    pub reports_count: i64,
    /// When it was reported first, UTC.
    pub reported_at: String,
    /// When it was reported last, UTC; a report after the last fix says that it may not hold.
    pub last_reported_at: String,
    /// What the first report says that you may read.
    pub text: Option<String>,
    /// When the present call is due, UTC; `null` where none runs.
    pub due_at: Option<String>,
    /// Whether the contractor is late.
    pub is_overdue: bool,
    /// The calls to the contractor.
    #[schema(max_items = 20)]
    pub rounds: Vec<RoundView>,
    /// When it ended, UTC.
    pub closed_at: Option<String>,
    /// By whom.
    pub closed_by: Option<Decider>,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// Counts the changes, from 1; also the `ETag`.
    pub revision: i64,
}

/// A report, for those who may read it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DefectReport, example = json!({
    "id": "defectreport_01jd3n8f5teqkrzvq1c0m6h2ax", "defect_id": "defect_01jd3n8f5teqkrzvq1c0m6h2ax", "number": 1, "reporter": "anonymous",
    "text": "公厕门前积水", "photos": ["file_01jd3n8f5teqkrzvq1c0m6h2ax"], "visibility": "unreleased", "reason": null, "revision": 1,
    "reported_at": "2026-05-06T03:00:00.000000Z"
}))]
pub struct ReportView {
    /// Its id.
    pub id: DefectReportId,
    /// Of which defect.
    pub defect_id: DefectId,
    /// Its number among those of the defect.
    pub number: i64,
    /// In which capacity it was made; by whom, nobody is told.
    pub reporter: Reporter,
    /// What was said, if you may read it.
    pub text: Option<String>,
    /// The photos, if you may see them: attachments.
    #[schema(max_items = 4)]
    pub photos: Vec<AttachmentId>,
    /// Who may see words and photos.
    pub visibility: Visibility,
    /// Why they were hidden; for the buyer's people.
    pub reason: Option<String>,
    /// Counts the changes, from 1; also the `ETag`.
    pub revision: i64,
    /// When, UTC.
    pub reported_at: String,
}

/// What came for a place on a day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DefectIntakeDay, example = json!({
    "place_id": "servedplace_01jd3n8f5teqkrzvq1c0m6h2ax", "day": "2026-05-06", "taken": 50, "joined": 49, "only_counted": 12, "refused": 3, "hidden": 1
}))]
pub struct DayView {
    /// For which place.
    pub place_id: ServedPlaceId,
    /// On which day of the ward.
    #[schema(value_type = String)]
    pub day: NaiveDate,
    /// Reports that were taken.
    pub taken: i64,
    /// Those of them that joined a defect that was open already.
    pub joined: i64,
    /// Reports beyond the most that are taken of a place in a day.
    pub only_counted: i64,
    /// Reports that were refused because their network or account had reported too often; written down about once a minute.
    pub refused: i64,
    /// Reports that an officer has hidden.
    pub hidden: i64,
}

fn written(at: Option<NaiveDateTime>) -> Option<String> {
    at.map(|at| rfc3339(at.and_utc()))
}

/// What was hung on a matter, by when.
fn photos(conn: &mut Conn, matter: &str) -> Answer<Vec<(Instant, AttachmentId)>> {
    let found = files::store::attached_to(conn, matter)?.into_iter();
    Ok(found
        .filter_map(|one| one.hanging.map(|hanging| (hanging.attached_at, one.id)))
        .collect())
}

fn round_view(
    round: Round,
    evidence: &[(Instant, AttachmentId)],
    (reader, now): (Reader, Instant),
) -> Answer<RoundView> {
    let by = round.reopened_by.as_deref().map(|name| {
        let decider = Decider::named(name);
        decider.ok_or_else(|| Fault::broken(format!("who has reopened {} is nobody", round.defect_id)))
    });
    let shown = evidence
        .iter()
        .filter(|(at, _)| round.fixed_at == Some(at.naive_utc()))
        .map(|(_, id)| id.clone());
    let answered = round.fixed_at.unwrap_or(now.naive_utc());
    Ok(RoundView {
        number: round.number,
        called_at: rfc3339(round.called_at.and_utc()),
        started_at: rfc3339(round.started_at.and_utc()),
        due_at: written(round.due_at),
        acknowledged_at: written(round.acknowledged_at),
        fixed_at: written(round.fixed_at),
        is_late: round.due_at.is_some_and(|due| due < answered),
        note: round.note,
        evidence: shown.collect(),
        reopened_at: written(round.reopened_at),
        reopened_by: by.transpose()?,
        reason: round.reason.filter(|_| reader != Reader::Public),
    })
}

/// The same defects as an actor sees them, in their order.
///
/// # Errors
/// A fault of the database.
pub fn shown(conn: &mut Conn, actor: &Actor, all: Vec<Defect>, now: Instant) -> Answer<Vec<DefectView>> {
    let ids: Vec<&DefectId> = all.iter().map(|defect| &defect.id).collect();
    let mut rounds: HashMap<DefectId, Vec<Round>> = HashMap::new();
    for round in store_defects::rounds(conn, &ids)? {
        rounds.entry(round.defect_id.clone()).or_default().push(round);
    }
    let mut reports: HashMap<DefectId, Vec<DefectReport>> = HashMap::new();
    for report in store_defect_reports::of_defects(conn, &ids)? {
        reports.entry(report.defect_id.clone()).or_default().push(report);
    }
    let places: Vec<&ServedPlaceId> = all.iter().map(|defect| &defect.place_id).collect();
    let places: HashMap<ServedPlaceId, ServedPlace> = store_places::of_ids(conn, &places)?
        .into_iter()
        .map(|place| (place.id.clone(), place))
        .collect();
    let mut contracts: BTreeMap<ContractId, Contract> = BTreeMap::new();
    let mut views = Vec::new();
    for defect in all {
        let contract = match contracts.get(&defect.contract_id) {
            Some(known) => known,
            None => {
                let found = store::contract(conn, &defect.contract_id)?;
                let found = found.ok_or_else(|| Fault::broken(format!("{} is of no contract", defect.id)))?;
                contracts.entry(defect.contract_id.clone()).or_insert(found)
            }
        };
        let reader = reader(actor, contract);
        let place = places.get(&defect.place_id);
        let place = place.ok_or_else(|| Fault::broken(format!("{} is nowhere", defect.id)))?;
        let own = reports.remove(&defect.id).unwrap_or_default();
        let text = own
            .into_iter()
            .find(|report| is_shown(report, actor, reader, defect.state));
        let rounds = rounds.remove(&defect.id).unwrap_or_default();
        let evidence = if rounds.iter().any(|round| round.fixed_at.is_some()) {
            photos(conn, defect.id.as_str())?
        } else {
            Vec::new()
        };
        let rounds: Answer<Vec<RoundView>> = rounds
            .into_iter()
            .map(|round| round_view(round, &evidence, (reader, now)))
            .collect();
        views.push(view(defect, place, (text, rounds?), now));
    }
    Ok(views)
}

fn view(
    defect: Defect,
    place: &ServedPlace,
    (first, rounds): (Option<DefectReport>, Vec<RoundView>),
    now: Instant,
) -> DefectView {
    DefectView {
        is_overdue: defect.is_overdue(now),
        id: defect.id,
        contract_id: defect.contract_id,
        place_id: defect.place_id,
        place_zh: place.name_zh.clone(),
        place_en: place.name_en.clone(),
        area_id: place.area_id.clone(),
        category: CategoryView::from(defect.category),
        state: defect.state,
        reports_count: defect.reports_count,
        reported_at: rfc3339(defect.reported_at),
        last_reported_at: rfc3339(defect.last_reported_at),
        text: first.map(|report| report.words),
        due_at: defect.due_at.filter(|_| defect.state.is_called()).map(rfc3339),
        rounds,
        closed_at: defect.closed.map(|closed| rfc3339(closed.at)),
        closed_by: defect.closed.map(|closed| closed.by),
        reason: defect.reason,
        revision: defect.revision,
    }
}

/// One defect as an actor sees it.
///
/// # Errors
/// A fault of the database.
pub fn shown_one(conn: &mut Conn, actor: &Actor, defect: Defect, now: Instant) -> Answer<DefectView> {
    let mut views = shown(conn, actor, vec![defect], now)?;
    Ok(views
        .pop()
        .ok_or_else(|| Fault::broken("a defect is not shown"))?)
}

/// A report as an actor sees it who looks at its defect so.
///
/// # Errors
/// A fault of the database.
pub fn report_view(
    conn: &mut Conn,
    actor: &Actor,
    report: DefectReport,
    (reader, state): (Reader, State),
) -> Answer<ReportView> {
    let is_shown = is_shown(&report, actor, reader, state);
    let photos = if is_shown {
        photos(conn, report.id.as_str())?
    } else {
        Vec::new()
    };
    Ok(ReportView {
        id: report.id,
        defect_id: report.defect_id,
        number: report.number,
        reporter: report.reporter,
        text: Some(report.words).filter(|_| is_shown),
        photos: photos.into_iter().map(|(_, id)| id).collect(),
        visibility: report.visibility,
        reason: report.reason.filter(|_| reader == Reader::Buyer),
        revision: report.revision,
        reported_at: rfc3339(report.reported_at),
    })
}
