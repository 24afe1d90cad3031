//! Contests of inspections over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::budget::desk::parsed;
use crate::contracts::acts_contests as acts;
use crate::contracts::desk;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_contests::{InspectionContestId, State, Verdict};
use crate::contracts::rules_inspections::{InspectionId, Measurement};
use crate::contracts::store_contests as store;
use crate::contracts::view_inspections::{self as view, ContestView};
use crate::files::rules::AttachmentId;
use crate::kernel::refusal::Answer;
use crate::standards::rules_units::Unit;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(file).service(list).service(read).service(decide);
}

/// An item that is contested.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInspectionContest, example = json!({"item": 1, "reason": "样地面积记错，附现场照片", "attachment_ids": []}))]
pub struct NewBody {
    /// The number of the item, from 1.
    #[schema(minimum = 1, maximum = 100)]
    item: i64,
    /// Why it is wrong. Only the parties and auditors read it.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
    /// What it rests on: files that you have uploaded and not used yet.
    #[serde(default)]
    #[schema(max_items = 10)]
    attachment_ids: Vec<AttachmentId>,
}

/// What should have been measured.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CorrectedMeasurement, example = json!({"value": "4", "unit": "piece", "sample_area_m2": "1000"}))]
pub struct CorrectedBody {
    /// How much, an exact decimal; a time of day as `07:42`.
    #[schema(pattern = "^((0|[1-9][0-9]{0,8})(\\.[0-9]{1,6})?|([01][0-9]|2[0-3]):[0-5][0-9])$")]
    value: String,
    /// In which unit: that of the indicator if it is left out, or what is counted where a sample is given.
    #[serde(default)]
    unit: Option<Unit>,
    /// On how many square metres it was counted.
    #[serde(default)]
    #[schema(pattern = "^(0|[1-9][0-9]{0,8})(\\.[0-9]{1,6})?$")]
    sample_area_m2: Option<String>,
}

/// What is decided about a contest.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InspectionContestDecision, example = json!({
    "decision": "照片显示为 4 个", "corrected": {"value": "4", "unit": "piece", "sample_area_m2": "1000"}
}))]
pub struct DecisionBody {
    /// Why. Everybody reads it.
    #[schema(min_length = 1, max_length = 2000)]
    decision: String,
    /// What is right, if the contest is upheld; `null` to reject it.
    #[serde(default)]
    corrected: Option<CorrectedBody>,
}

impl DecisionBody {
    fn verdict(&self) -> Verdict {
        match &self.corrected {
            None => Verdict::Rejected,
            Some(corrected) => Verdict::Upheld(Measurement {
                value: corrected.value.clone(),
                unit: corrected.unit,
                sample_area_m2: corrected.sample_area_m2.clone(),
            }),
        }
    }
}

/// Contest an item of an inspection
///
/// By the contractor, each item once, within the time that the inspection says.
#[utoipa::path(
    operation_id = "contest_inspection_item",
    tag = "inspections",
    params(("id" = InspectionId, Path, description = "The inspection")),
    request_body = NewBody,
    responses(
        (status = 201, description = "The contest", body = ContestView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such inspection"),
        (status = 409, description = "`inspection_annulled`, `inspection_contest_late`, `inspection_contested_already`, `attachment_unknown`, `attachment_already_attached`, `attachment_type_not_for_use`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("ContestInspection"))),
)]
#[post("/inspections/{id}/contests")]
async fn file(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ContestInspection)?;
    let body = incoming.json::<NewBody>().await?;
    let (id, asked, new) = (parsed::<InspectionId>(&id)?, context.clone(), body.value);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let said = (new.item, new.reason.as_str(), new.attachment_ids.as_slice());
            let contested = acts::file(tx, by, &id, said, &asked.calendar)?;
            let etag = conditional::etag(contested.contest.revision);
            let location = format!("/api/v1/inspection-contests/{}", contested.contest.id);
            let shown = view::contest(tx.conn(), by, contested)?;
            Ok(Reply::json(201, &shown)?.etag(etag).location(location))
        })
        .await
}

/// List the contests of a contract's inspections
///
/// The one filed last first.
#[utoipa::path(
    operation_id = "list_inspection_contests",
    tag = "inspections",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("state" = Option<State>, Query, description = "In this state: `filed` are those that wait for a decision"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<ContestView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such contract"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}/inspection-contests")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let id = parsed::<ContractId>(&id)?;
    let mut query = Query::of(&request);
    let state = query.one_of("state", &State::ALL.map(|state| (state.name(), state)));
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["inspection contests", id.as_str(), state.map_or("", State::name)]);
    let before = question
        .after(cursor.as_deref(), 1)?
        .and_then(|mut parts| parts.pop());
    let max = i64::from(limit).saturating_add(1);
    let views = context
        .db
        .read(move |conn| {
            let signed = desk::signed(conn, &id)?;
            let found = store::of_contract(conn, &id, (state, before.as_deref()), max)?;
            view::contests(conn, &actor, &signed, found)
        })
        .await?;
    let page = Page::cut(views, limit, &question, |one: &ContestView| {
        vec![one.id.to_string()]
    });
    Ok(page.answer(&request))
}

/// Read a contest of an inspection
#[utoipa::path(
    operation_id = "read_inspection_contest",
    tag = "inspections",
    params(("id" = InspectionContestId, Path, description = "The contest")),
    responses(
        (status = 200, description = "The contest", body = ContestView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such contest"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/inspection-contests/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let id = parsed::<InspectionContestId>(&id)?;
    let found = context
        .db
        .read(move |conn| {
            let contested = acts::seen(conn, &id)?;
            view::contest(conn, &actor, contested)
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header(("etag", conditional::etag(found.revision)))
        .json(found))
}

/// Decide a contest of an inspection
///
/// By the buyer's approver, who is not the inspector. Upheld, the item is judged anew with what is right, and the score of the inspection and of its period
/// follow. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "decide_inspection_contest",
    tag = "inspections",
    params(
        ("id" = InspectionContestId, Path, description = "The contest"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = DecisionBody,
    responses(
        (status = 200, description = "The contest as it is now", body = ContestView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such contest"),
        (status = 409, description = "`inspection_annulled`, `inspection_contest_decided`"),
        (status = 412, description = "`version_stale`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DecideInspectionContest"))),
)]
#[post("/inspection-contests/{id}/decision")]
async fn decide(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DecideInspectionContest)?;
    let body = incoming.json::<DecisionBody>().await?;
    let (id, expected) = (parsed::<InspectionContestId>(&id)?, Expected::of(&request)?);
    let (verdict, said) = (body.value.verdict(), body.value.decision);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let contested = acts::decide(tx, by, (&id, expected), (&verdict, &said))?;
            let etag = conditional::etag(contested.contest.revision);
            let shown = view::contest(tx.conn(), by, contested)?;
            Ok(Reply::json(200, &shown)?.etag(etag))
        })
        .await
}
