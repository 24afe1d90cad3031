//! Plans of inspections over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::desk::parsed;
use crate::contracts::acts_plans::{self as acts, Asked, Shown};
use crate::contracts::desk;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_inspections::InspectionId;
use crate::contracts::rules_plans::{Candidate, InspectionPlanId, Stop, StopState};
use crate::contracts::store_plans::PlanFilter;
use crate::db::conn::Conn;
use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(draw).service(list).service(read).service(omit);
}

/// What is to be inspected by lot.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInspectionPlan, example = json!({"period": 1, "source": "daily_inspection", "stops": 4}))]
pub struct NewBody {
    /// The number of the period.
    #[schema(minimum = 1, maximum = 120)]
    period: i64,
    /// The code of the source to which the inspections will count.
    #[schema(max_length = 20)]
    source: String,
    /// How many stops.
    #[schema(minimum = 1, maximum = 50)]
    stops: i64,
}

/// A stop that cannot be inspected.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInspectionOmission, example = json!({"stop": 2, "reason": "该路段封闭施工"}))]
pub struct OmissionBody {
    /// Which.
    #[schema(minimum = 1, maximum = 50)]
    stop: i64,
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// A stop of a plan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InspectionStop)]
pub struct StopView {
    /// Its number, from 1.
    pub stop: i64,
    /// The number of the lot's place, from 1.
    pub place: i64,
    /// The name of the place in Chinese.
    pub place_zh: String,
    /// The name of the place in English.
    pub place_en: String,
    /// The grade as which it is inspected.
    #[schema(required = true)]
    pub grade: Option<String>,
    /// What has become of it.
    pub state: StopState,
    /// The inspection that holds.
    #[schema(required = true)]
    pub inspection_id: Option<InspectionId>,
    /// Why it was left out.
    #[schema(required = true)]
    pub omission: Option<String>,
}

/// A plan of inspections.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InspectionPlan, example = json!({
    "id": "inspectionplan_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "period": 1, "source": "daily_inspection",
    "number": 1, "drawn_at": "2026-05-01T01:00:00.000000Z", "stops_count": 4, "candidates_count": 12,
    "seed_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "candidates_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "is_disclosed": false, "seed": null, "candidates": null, "stops": null
}))]
pub struct PlanView {
    /// Its id.
    pub id: InspectionPlanId,
    /// The contract.
    pub contract_id: ContractId,
    /// The number of the period.
    pub period: i64,
    /// The code of the source to which its inspections count.
    pub source: String,
    /// Its number among the plans of that period and source, from 1.
    pub number: i64,
    /// When it was drawn, UTC.
    pub drawn_at: String,
    /// How many stops it has.
    pub stops_count: i64,
    /// From how many they were drawn.
    pub candidates_count: usize,
    /// SHA-256 of the seed's 32 bytes, as the log has it since the draw.
    pub seed_sha256: String,
    /// SHA-256 of the candidates, each followed by the end of a line, sorted, as the log has it since the draw.
    pub candidates_sha256: String,
    /// Whether everybody may see seed, candidates and stops: when every stop was seen to, or the period is over.
    pub is_disclosed: bool,
    /// The seed; `null` until it is disclosed, for everybody.
    #[schema(required = true)]
    pub seed: Option<String>,
    /// What could have been drawn, each as the number of a place and a grade; `null` for everybody but the buyer and auditors until it is disclosed.
    #[schema(max_items = 1200, required = true)]
    pub candidates: Option<Vec<Candidate>>,
    /// What was drawn, likewise.
    #[schema(max_items = 50, required = true)]
    pub stops: Option<Vec<StopView>>,
}

fn stops(shown: &Shown, names: impl Fn(i64) -> (String, String)) -> Vec<StopView> {
    let of = |stop: Stop| {
        let (place_zh, place_en) = names(stop.place);
        let mut inspections = shown.inspections.iter();
        let mut omissions = shown.omissions.iter();
        StopView {
            stop: stop.number,
            place: stop.place,
            place_zh,
            place_en,
            grade: stop.grade,
            state: shown.progress.state(stop.number),
            inspection_id: inspections
                .find(|(_, number, holds)| *number == stop.number && *holds)
                .map(|(id, ..)| id.clone()),
            omission: omissions
                .find(|one| one.stop == stop.number)
                .map(|one| one.reason.clone()),
        }
    };
    shown.plan.drawn().into_iter().map(of).collect()
}

fn view(conn: &mut Conn, shown: &Shown) -> Answer<PlanView> {
    let signed = desk::signed(conn, &shown.plan.contract_id)?;
    let names = |place: i64| {
        let found = acts::place_names(&signed, place);
        found.map_or_else(Default::default, |(zh, en)| (zh.to_owned(), en.to_owned()))
    };
    let plan = &shown.plan;
    Ok(PlanView {
        id: plan.id.clone(),
        contract_id: plan.contract_id.clone(),
        period: plan.period,
        source: plan.source.clone(),
        number: plan.number,
        drawn_at: rfc3339(plan.drawn_at),
        stops_count: plan.stops,
        candidates_count: plan.candidates.len(),
        seed_sha256: hex::encode(plan.seed_sha256()),
        candidates_sha256: hex::encode(plan.candidates_sha256()),
        is_disclosed: shown.is_disclosed,
        seed: shown.is_disclosed.then(|| hex::encode(plan.seed)),
        candidates: shown.is_open.then(|| plan.candidates.clone()),
        stops: shown.is_open.then(|| stops(shown, names)),
    })
}

/// Have it drawn where to inspect
///
/// By the buyer's officer, for a period that is not over. Every place of the lot, with every grade that its quantities have, is put in order by a secret seed;
/// the first are the stops. The log has the hashes of seed and candidates at once; both are public when every stop was seen to, or the period is over, and
/// anybody can draw again then. The contractor does not learn the stops before.
#[utoipa::path(
    operation_id = "draw_inspection_plan",
    tag = "inspections",
    params(("id" = ContractId, Path, description = "The contract")),
    request_body = NewBody,
    responses(
        (status = 201, description = "The plan", body = PlanView),
        (status = 404, description = "There is no such contract"),
        (status = 409, description = "`contract_without_periods`, `contract_terminated`, `period_over`, `inspection_plan_open`, `inspection_plans_too_many`, `inspection_places_too_few`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("PlanInspections"))),
)]
#[post("/contracts/{id}/inspection-plans")]
async fn draw(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::PlanInspections)?;
    let body = incoming.json::<NewBody>().await?;
    let (id, calendar) = (parsed::<ContractId>(&id)?, context.clone());
    let asked = Asked {
        period: body.value.period,
        source: body.value.source,
        stops: body.value.stops,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let shown = acts::draw(tx, by, &id, &asked, &calendar.calendar)?;
            let location = format!("/api/v1/inspection-plans/{}", shown.plan.id);
            Ok(Reply::json(201, &view(tx.conn(), &shown)?)?.location(location))
        })
        .await
}

/// List the plans of inspections of a contract
///
/// The one drawn last first.
#[utoipa::path(
    operation_id = "list_inspection_plans",
    tag = "inspections",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("period" = Option<i64>, Query, minimum = 1, maximum = 120, description = "Of this period"),
        ("source" = Option<String>, Query, max_length = 20, description = "Of this source"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<PlanView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such contract"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}/inspection-plans")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let id = parsed::<ContractId>(&id)?;
    let mut query = Query::of(&request);
    let period = query.parsed::<i64>("period");
    let source = query.text("source");
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let of_period = period.map(|number| number.to_string()).unwrap_or_default();
    let question = Question::of(&[
        "inspection plans",
        id.as_str(),
        &of_period,
        source.as_deref().unwrap_or_default(),
    ]);
    let before = question
        .after(cursor.as_deref(), 1)?
        .and_then(|mut parts| parts.pop());
    let filter = PlanFilter {
        period,
        source,
        before,
    };
    let max = i64::from(limit).saturating_add(1);
    let asked = context.clone();
    let views = context
        .db
        .read(move |conn| {
            let when = (&asked.calendar, asked.clock.now());
            let mut views = Vec::new();
            for shown in acts::listed(conn, &actor, &id, (&filter, max), when)? {
                views.push(view(conn, &shown)?);
            }
            Ok(views)
        })
        .await?;
    let page = Page::cut(views, limit, &question, |one: &PlanView| vec![one.id.to_string()]);
    Ok(page.answer(&request))
}

/// Read a plan of inspections
#[utoipa::path(
    operation_id = "read_inspection_plan",
    tag = "inspections",
    params(("id" = InspectionPlanId, Path, description = "The plan")),
    responses(
        (status = 200, description = "The plan", body = PlanView),
        (status = 404, description = "There is no such plan"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/inspection-plans/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let (id, asked) = (parsed::<InspectionPlanId>(&id)?, context.clone());
    let found = context
        .db
        .read(move |conn| {
            let shown = acts::seen(conn, &actor, &id, (&asked.calendar, asked.clock.now()))?;
            view(conn, &shown)
        })
        .await?;
    Ok(HttpResponse::Ok().json(found))
}

/// Leave out a stop that cannot be inspected
///
/// By the buyer's officer, with the reason, which everybody reads when the plan is disclosed.
#[utoipa::path(
    operation_id = "omit_inspection_stop",
    tag = "inspections",
    params(("id" = InspectionPlanId, Path, description = "The plan")),
    request_body = OmissionBody,
    responses(
        (status = 200, description = "The plan as it is now", body = PlanView),
        (status = 404, description = "There is no such plan"),
        (status = 409, description = "`inspection_stop_done`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("PlanInspections"))),
)]
#[post("/inspection-plans/{id}/omissions")]
async fn omit(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::PlanInspections)?;
    let body = incoming.json::<OmissionBody>().await?;
    let (id, asked, said) = (parsed::<InspectionPlanId>(&id)?, context.clone(), body.value);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let shown = acts::omit(tx, by, &id, (said.stop, &said.reason), &asked.calendar)?;
            Ok(Reply::json(200, &view(tx.conn(), &shown)?)?)
        })
        .await
}
