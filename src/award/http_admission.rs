//! The examination of bids over HTTP: parse, call one act or query, render. No SQL and no rule.

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::award::acts_admission::{self as acts, Decide};
use crate::award::rules_admission::{Ground, Side};
use crate::award::view_admission::{self as view, AdmissionView};
use crate::bids::rules::BidId;
use crate::bids::rules_document::BidDocument;
use crate::books::rules::LotId;
use crate::budget::desk::parsed;
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(begin)
        .service(read)
        .service(decide_eligibility)
        .service(decide_responsiveness)
        .service(dissent)
        .service(disqualify)
        .service(read_judged);
}

/// Decisions of items.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AdmissionDecisions, example = json!({"decisions": [{"bid_id": "bid_01jd3n8f5teqkrzvq1c0m6h2ax", "code": "not_debarred", "passes": true, "reason_zh": "已在信用平台查询，无记录", "reason_en": "Looked up; there is no record"}]}))]
pub struct DecisionsBody {
    /// Each item once.
    #[schema(min_items = 1, max_items = 500)]
    decisions: Vec<DecisionBody>,
}

/// A decision of an item.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAdmissionDecision, example = json!({"bid_id": "bid_01jd3n8f5teqkrzvq1c0m6h2ax", "code": "not_debarred", "passes": true, "reason_zh": "已在信用平台查询，无记录", "reason_en": "Looked up; there is no record"}))]
pub struct DecisionBody {
    /// Of which bid.
    bid_id: BidId,
    /// Which item of its list.
    #[schema(min_length = 1, max_length = 100)]
    code: String,
    /// True if the bid passes.
    passes: bool,
    /// Why, in Chinese.
    #[schema(min_length = 1, max_length = 2000)]
    reason_zh: String,
    /// Why, in English.
    #[schema(min_length = 1, max_length = 2000)]
    reason_en: String,
}

impl From<DecisionBody> for Decide {
    fn from(body: DecisionBody) -> Self {
        Self {
            bid_id: body.bid_id,
            code: body.code,
            passes: body.passes,
            reason_zh: body.reason_zh,
            reason_en: body.reason_en,
        }
    }
}

/// What a member holds against a decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAdmissionDissent, example = json!({"bid_id": "bid_01jd3n8f5teqkrzvq1c0m6h2ax", "code": "criterion_T1", "reason": "作业方案未说明夜间保洁"}))]
pub struct DissentBody {
    /// Of which bid.
    bid_id: BidId,
    /// Which item of its list.
    #[schema(min_length = 1, max_length = 100)]
    code: String,
    /// What.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// Why a bid is put out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBidDisqualification, example = json!({"ground": "false_statements", "reason_zh": "所附业绩合同系伪造", "reason_en": "A contract among its references is forged"}))]
pub struct DisqualificationBody {
    /// On what ground.
    ground: Ground,
    /// Why, in Chinese.
    #[schema(min_length = 1, max_length = 2000)]
    reason_zh: String,
    /// Why, in English.
    #[schema(min_length = 1, max_length = 2000)]
    reason_en: String,
}

/// The answer to whoever has changed something of an examination.
pub(super) fn shown(tx: &mut Tx<'_>, by: &Actor, lot: &LotId, status: u16) -> Answer<Reply> {
    let now = tx.now();
    Ok(Reply::json(status, &view::shown(tx.conn(), by, lot, now)?)?)
}

/// Begin the examination of a lot's bids
///
/// After the opening. For each opened bid a list of what is to be examined is made of the book, the record of the opening and the bid; what
/// leaves nothing to decide is decided by the rule. Asked a second time, it answers with what there is.
#[utoipa::path(
    operation_id = "begin_admission",
    tag = "panels",
    params(("id" = LotId, Path, description = "The lot")),
    responses(
        (status = 201, description = "The examination", body = AdmissionView),
        (status = 404, description = "There is no such lot"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `admission_not_opened`"),
    ),
    extensions(("x-action" = json!("CheckEligibility"))),
)]
#[post("/lots/{id}/admission")]
async fn begin(context: Shared, actor: Actor, once: Once, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::CheckEligibility)?;
    let id = parsed::<LotId>(&id)?;
    let (who, lot, now) = (actor.clone(), id.clone(), context.clock.now());
    let prepared = context
        .db
        .read(move |conn| acts::prepare(conn, &who, &lot, now))
        .await?;
    let prepared = Arc::new(prepared);
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            acts::begin(tx, by, &id, &prepared)?;
            let reply = shown(tx, by, &id, 201)?;
            Ok(reply.location(format!("/api/v1/lots/{id}/admission")))
        })
        .await
}

/// See how a lot's bids are examined
///
/// For the buyer, the panel's members, auditors and the regulator. Which bids are in so far, why the others are out, and what is not decided yet.
#[utoipa::path(
    operation_id = "read_admission",
    tag = "panels",
    params(("id" = LotId, Path, description = "The lot")),
    responses(
        (status = 200, description = "The examination", body = AdmissionView),
        (status = 404, description = "There is no such lot, or it is not yours to see"),
    ),
    extensions(("x-action" = json!("ReadAdmission"))),
)]
#[get("/lots/{id}/admission")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadAdmission)?;
    let (id, now) = (parsed::<LotId>(&id)?, context.clock.now());
    let view = context
        .db
        .read(move |conn| view::shown(conn, &actor, &id, now))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(view))
}

async fn decide(
    (context, actor, once): (Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
    side: Side,
) -> Answer<HttpResponse> {
    let body = incoming.json::<DecisionsBody>().await?;
    let id = parsed::<LotId>(&id)?;
    let decisions: Vec<Decide> = body.value.decisions.into_iter().map(Decide::from).collect();
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            acts::decide(tx, by, (&id, side), &decisions)?;
            shown(tx, by, &id, 200)
        })
        .await
}

/// Decide who is eligible
///
/// By the buyer, item by item, each with its reason. What was decided can be decided anew until the lot is judged; every decision stays to be read.
#[utoipa::path(
    operation_id = "decide_eligibility",
    tag = "panels",
    params(("id" = LotId, Path, description = "The lot")),
    request_body = DecisionsBody,
    responses(
        (status = 200, description = "The examination as it is now", body = AdmissionView),
        (status = 404, description = "There is no such lot"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `admission_not_begun`, `admission_closed`, `admission_decided_by_rule`, `admission_decided_too_often`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("CheckEligibility"))),
)]
#[post("/lots/{id}/admission/eligibility")]
async fn decide_eligibility(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::CheckEligibility)?;
    decide((context, actor, once), id, incoming, Side::Eligibility).await
}

/// Record what the panel decided about offers
///
/// By its chair, for its majority, item by item, each with its reason. Members who disagree note that for themselves.
#[utoipa::path(
    operation_id = "decide_responsiveness",
    tag = "panels",
    params(("id" = LotId, Path, description = "The lot")),
    request_body = DecisionsBody,
    responses(
        (status = 200, description = "The examination as it is now", body = AdmissionView),
        (status = 404, description = "You hold no seat on the panel of such a lot"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `panel_incomplete`, `admission_not_begun`, `admission_closed`, `admission_decided_by_rule`, `admission_decided_too_often`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("SitOnPanel"))),
)]
#[post("/lots/{id}/admission/responsiveness")]
async fn decide_responsiveness(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::SitOnPanel)?;
    decide((context, actor, once), id, incoming, Side::Responsiveness).await
}

/// Note your dissent from a decision of the panel
///
/// Once for each item, by a sitting member. It stays beside the decision.
#[utoipa::path(
    operation_id = "note_admission_dissent",
    tag = "panels",
    params(("id" = LotId, Path, description = "The lot")),
    request_body = DissentBody,
    responses(
        (status = 200, description = "The examination as it is now", body = AdmissionView),
        (status = 404, description = "You do not sit on the panel of such a lot, or there is no such item"),
        (status = 409, description = "`book_wrong_state`, `admission_not_begun`, `admission_closed`, `admission_no_dissent`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("SitOnPanel"))),
)]
#[post("/lots/{id}/admission/dissents")]
async fn dissent(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::SitOnPanel)?;
    let body = incoming.json::<DissentBody>().await?;
    let (id, noted) = (parsed::<LotId>(&id)?, body.value);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            acts::dissent(tx, by, (&id, &noted.bid_id, &noted.code), &noted.reason)?;
            shown(tx, by, &id, 200)
        })
        .await
}

/// The lot and the bid that a path names.
pub(super) fn named((lot, bid): &(String, String)) -> Answer<(LotId, BidId)> {
    Ok((parsed(lot)?, parsed(bid)?))
}

/// Disqualify a bid
///
/// At any time after the opening and before the result is public, by the buyer's approver: false statements, collusion, and what else makes a bid
/// invalid then. The bidder is told.
#[utoipa::path(
    operation_id = "disqualify_bid",
    tag = "panels",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("bid" = BidId, Path, description = "The bid"),
    ),
    request_body = DisqualificationBody,
    responses(
        (status = 200, description = "The examination as it is now", body = AdmissionView),
        (status = 404, description = "There is no such opened bid"),
        (status = 409, description = "`book_wrong_state`, `panel_disclosed`, `bid_disqualified`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("DisqualifyBid"))),
)]
#[post("/lots/{id}/opened-bids/{bid}/disqualification")]
async fn disqualify(
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DisqualifyBid)?;
    let body = incoming.json::<DisqualificationBody>().await?;
    let ((lot, bid), why) = (named(&path)?, body.value);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let reason = (why.ground, why.reason_zh.as_str(), why.reason_en.as_str());
            acts::disqualify(tx, by, (&lot, &bid), reason)?;
            shown(tx, by, &lot, 200)
        })
        .await
}

/// Read an opened bid as a member of its panel
///
/// What it says, whole, for members who have declared to have no interest in a bidder.
#[utoipa::path(
    operation_id = "read_judged_bid",
    tag = "panels",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("bid" = BidId, Path, description = "The bid"),
    ),
    responses(
        (status = 200, description = "The bid", body = BidDocument),
        (status = 404, description = "You do not sit on the panel of such a lot, or there is no such opened bid"),
    ),
    extensions(("x-action" = json!("ReadJudgedBids"))),
)]
#[get("/lots/{id}/judged-bids/{bid}")]
async fn read_judged(
    context: Shared,
    actor: Actor,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadJudgedBids)?;
    let (lot, bid) = named(&path)?;
    let document = context
        .db
        .read(move |conn| acts::judged_bid(conn, &actor, (&lot, &bid)))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(document))
}
