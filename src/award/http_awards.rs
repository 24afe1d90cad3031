//! Awards over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::award::acts_successions::{self as successions, Fallen};
use crate::award::desk::Known;
use crate::award::rules_awards::{Award, AwardId};
use crate::award::rules_notice::NoticeDocument;
use crate::award::view::{AwardView, AwardsView, FallenView, OwnResultView, OwnResultsView};
use crate::award::{acts_awards as acts, store_awards as store};
use crate::books::rules::LotId;
use crate::budget::desk::{attached, parsed};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::context::WardCalendar;
use crate::web::format::Format;
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(propose)
        .service(list)
        .service(read)
        .service(decide)
        .service(notice)
        .service(read_notice)
        .service(confirm)
        .service(cancel)
        .service(disqualify)
        .service(withdraw)
        .service(own_result);
}

/// By what an award is proposed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AwardProposal, example = json!({"report": "评审报告已送达采购人，推荐第一候选人"}))]
pub struct ProposalBody {
    /// The report to the buyer.
    #[schema(min_length = 1, max_length = 2000)]
    report: String,
}

/// In which words the buyer decides.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AwardDecision, example = json!({"decision": "同意确定第一候选人为中标人"}))]
pub struct DecisionBody {
    /// The words.
    #[schema(min_length = 1, max_length = 2000)]
    decision: String,
}

/// Why an award comes to nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AwardEndReason, example = json!({"reason_zh": "中标人提供虚假材料", "reason_en": "The winner had given false documents"}))]
pub struct ReasonBody {
    /// In Chinese. It is public, if the award is.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason_en: String,
}

/// An award as the actor may see it.
fn shown(
    conn: &mut Conn,
    actor: &Actor,
    (award, known): (Award, &Known),
    (calendar, now): (&WardCalendar, Instant),
) -> Answer<AwardView> {
    let is_open = policy::allows(actor, Action::OpenAwards, known.matter());
    let deadlines = known.deadlines(conn, &award, calendar, now)?;
    Ok(AwardView::of(award, deadlines, is_open))
}

fn replied(status: u16, view: &AwardView) -> Answer<Reply> {
    let reply = Reply::json(status, view)?;
    Ok(reply.etag(conditional::etag(view.revision)))
}

/// The award as it is after an act.
fn changed(
    tx: &mut Tx<'_>,
    by: &Actor,
    (award, known): (Award, &Known),
    calendar: &WardCalendar,
) -> Answer<Reply> {
    let now = tx.now();
    replied(200, &shown(tx.conn(), by, (award, known), (calendar, now))?)
}

/// Propose an award
///
/// Of the next in rank of the last round of judging, to the buyer, with the report. The statute's time for that is shown, and whether it was missed.
#[utoipa::path(
    operation_id = "propose_award",
    tag = "awards",
    params(("id" = LotId, Path, description = "The lot")),
    request_body = ProposalBody,
    responses(
        (status = 201, description = "The award", body = AwardView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such lot"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `lot_ended`, `award_open_already`, `award_not_evaluated`, `award_needs_new_round`, `award_nobody_left`"),
    ),
    extensions(("x-action" = json!("ProposeAward"))),
)]
#[post("/lots/{id}/award-proposal")]
async fn propose(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ProposeAward)?;
    let body = incoming.json::<ProposalBody>().await?;
    let (id, asked) = (parsed::<LotId>(&id)?, context.clone());
    let report = body.value.report;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let (award, known) = acts::propose(tx, by, &id, &report)?;
            let (location, now) = (format!("/api/v1/awards/{}", award.id), tx.now());
            let view = shown(tx.conn(), by, (award, &known), (&asked.calendar, now))?;
            Ok(replied(201, &view)?.location(location))
        })
        .await
}

/// List the awards of a lot
///
/// Those that everybody may know of: from their notice on. The buyer and auditors see the others too. As CSV with `Accept: text/csv`: the same as a
/// table, without what anybody said.
#[utoipa::path(
    operation_id = "list_awards",
    tag = "awards",
    params(("id" = LotId, Path, description = "The lot")),
    responses(
        (status = 200, description = "The first one first", content(
            (AwardsView = "application/json"),
            (String = "text/csv", example = "id,lot_id,book_id,number,place,bid_id,supplier_id,price,state,proposed_at,decided_at,noticed_at,confirmed_at,signed_at,ended_at,end_cause\r\n")
        )),
        (status = 404, description = "There is no such lot"),
    ),
    extensions(("x-action" = json!("ReadAwards"))),
)]
#[get("/lots/{id}/awards")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadAwards, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let (id, asked) = (parsed::<LotId>(&id)?, context.clone());
    let view = context
        .db
        .read(move |conn| {
            let (awards, known) = acts::of_lot(conn, &actor, &id)?;
            let at = (&asked.calendar, asked.clock.now());
            let items = awards
                .into_iter()
                .map(|award| shown(conn, &actor, (award, &known), at));
            Ok(AwardsView {
                items: items.collect::<Answer<Vec<_>>>()?,
            })
        })
        .await?;
    if format == Format::Csv {
        return Ok(attached(HttpResponse::Ok(), "awards.csv", view.table()?));
    }
    Ok(HttpResponse::Ok().json(view))
}

/// Read an award
///
/// Everybody may from its notice on; the buyer and auditors before.
#[utoipa::path(
    operation_id = "read_award",
    tag = "awards",
    params(("id" = AwardId, Path, description = "The award")),
    responses(
        (status = 200, description = "The award", body = AwardView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such award, or not for you yet"),
    ),
    extensions(("x-action" = json!("ReadAwards"))),
)]
#[get("/awards/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadAwards, Matter::default())?;
    let (id, asked) = (parsed::<AwardId>(&id)?, context.clone());
    let view = context
        .db
        .read(move |conn| {
            let (award, known) = acts::seen(conn, &actor, &id)?;
            let at = (&asked.calendar, asked.clock.now());
            shown(conn, &actor, (award, &known), at)
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(view.revision)))
        .json(view))
}

/// Decide for a proposed award
///
/// By another person of the buyer than who has proposed. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "decide_award",
    tag = "awards",
    params(
        ("id" = AwardId, Path, description = "The award"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = DecisionBody,
    responses(
        (status = 200, description = "The award as it is now", body = AwardView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such award, or not for you yet"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `award_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DecideAward"))),
)]
#[post("/awards/{id}/decision")]
async fn decide(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DecideAward)?;
    let body = incoming.json::<DecisionBody>().await?;
    let (id, expected) = (parsed::<AwardId>(&id)?, Expected::of(&request)?);
    let (decision, asked) = (body.value.decision, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let (award, known) = acts::decide(tx, by, (&id, expected), &decision)?;
            changed(tx, by, (award, &known), &asked.calendar)
        })
        .await
}

/// Publish the notice of an award
///
/// Everybody's place, name, price and total are public from then on, each bidder learns its own scores, and challenges are taken for their time. Needs
/// `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "publish_award_notice",
    tag = "awards",
    params(
        ("id" = AwardId, Path, description = "The award"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v2\""),
    ),
    responses(
        (status = 200, description = "The award as it is now", body = AwardView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such award, or not for you yet"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `award_wrong_state`, `calendar_ends`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("PublishAwardNotice"))),
)]
#[post("/awards/{id}/notice")]
async fn notice(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::PublishAwardNotice)?;
    let (id, expected) = (parsed::<AwardId>(&id)?, Expected::of(&request)?);
    let asked = context.clone();
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let (award, known) = acts::notice(tx, by, (&id, expected), &asked.calendar)?;
            changed(tx, by, (award, &known), &asked.calendar)
        })
        .await
}

/// Read the notice of an award
///
/// These are the bytes whose hash the log has.
#[utoipa::path(
    operation_id = "read_award_notice",
    tag = "awards",
    params(
        ("id" = AwardId, Path, description = "The award"),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The notice", body = NoticeDocument, headers(("ETag" = String, description = "It never changes"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the one there is"),
        (status = 404, description = "There is no such award, or no notice of it yet"),
    ),
    extensions(("x-action" = json!("ReadAwards"))),
)]
#[get("/awards/{id}/notice")]
async fn read_notice(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadAwards, Matter::default())?;
    let id = parsed::<AwardId>(&id)?;
    let content = context.db.glance(move |conn| store::notice(conn, &id)).await?;
    let content = content.ok_or_else(|| NOT_FOUND.refuse())?;
    let etag = conditional::etag(1);
    let current = conditional::is_current(&request, &etag);
    let mut response = if current {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    if current {
        return Ok(response.finish());
    }
    Ok(response.content_type("application/json").body(content))
}

/// Confirm an award
///
/// When the public notice and the time for challenges are over, and nothing stands against it. The contract can be prepared then. Needs `If-Match` with
/// the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "confirm_award",
    tag = "awards",
    params(
        ("id" = AwardId, Path, description = "The award"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v3\""),
    ),
    responses(
        (status = 200, description = "The award as it is now", body = AwardView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such award, or not for you yet"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `award_wrong_state`, `calendar_ends`, `award_standstill`, `award_blocked`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ConfirmAward"))),
)]
#[post("/awards/{id}/confirmation")]
async fn confirm(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ConfirmAward)?;
    let (id, expected) = (parsed::<AwardId>(&id)?, Expected::of(&request)?);
    let asked = context.clone();
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let (award, known) = acts::confirm(tx, by, (&id, expected), &asked.calendar)?;
            changed(tx, by, (award, &known), &asked.calendar)
        })
        .await
}

/// What came of an award that ended, as the actor may see it.
fn fallen(
    conn: &mut Conn,
    actor: &Actor,
    (fallen, known): (Fallen, &Known),
    at: (&WardCalendar, Instant),
) -> Answer<Reply> {
    let sees_next = policy::allows(actor, Action::OpenAwards, known.matter());
    let next = match fallen.next.filter(|_| sees_next) {
        Some(next) => Some(shown(conn, actor, (next, known), at)?),
        None => None,
    };
    let view = FallenView {
        award: shown(conn, actor, (fallen.ended, known), at)?,
        next,
    };
    let etag = conditional::etag(view.award.revision);
    Ok(Reply::json(200, &view)?.etag(etag))
}

/// An act that ends an award of a revision, for a reason in Chinese and in English.
type Ending = fn(&mut Tx<'_>, &Actor, (&AwardId, Expected), (&str, &str)) -> Answer<(Fallen, Known)>;

/// Ends an award by an act that takes a reason.
async fn ended(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: &str,
    incoming: Incoming,
    end: Ending,
) -> Answer<HttpResponse> {
    let body = incoming.json::<ReasonBody>().await?;
    let (id, expected) = (parsed::<AwardId>(id)?, Expected::of(&request)?);
    let (said, asked) = (body.value, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let reason = (said.reason_zh.as_str(), said.reason_en.as_str());
            let (what, known) = end(tx, by, (&id, expected), reason)?;
            let now = tx.now();
            fallen(tx.conn(), by, (what, &known), (&asked.calendar, now))
        })
        .await
}

/// Take an award back
///
/// The ranking is as it was: the same bidder may be proposed again. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "cancel_award",
    tag = "awards",
    params(
        ("id" = AwardId, Path, description = "The award"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v3\""),
    ),
    request_body = ReasonBody,
    responses(
        (status = 200, description = "The award as it is now", body = FallenView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such award, or not for you yet"),
        (status = 409, description = "`award_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("EndAward"))),
)]
#[post("/awards/{id}/cancellation")]
async fn cancel(
    caller: (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&caller.2, Action::EndAward)?;
    ended(caller, &id, incoming, successions::cancel).await
}

/// Disqualify the winner
///
/// The next in rank is proposed in its place; if nobody is left, the lot is unsuccessful and its reservation is free again. Needs `If-Match` with the
/// `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "disqualify_winner",
    tag = "awards",
    params(
        ("id" = AwardId, Path, description = "The award"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v3\""),
    ),
    request_body = ReasonBody,
    responses(
        (status = 200, description = "The award as it is now, and the next", body = FallenView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such award, or not for you yet"),
        (status = 409, description = "`award_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("EndAward"))),
)]
#[post("/awards/{id}/disqualification")]
async fn disqualify(
    caller: (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&caller.2, Action::EndAward)?;
    ended(caller, &id, incoming, successions::disqualify).await
}

/// Withdraw as the winner
///
/// By the winner, between the notice and the second signature. The next in rank is proposed in its place. Needs `If-Match` with the `ETag` of the
/// revision you mean.
#[utoipa::path(
    operation_id = "withdraw_from_award",
    tag = "awards",
    params(
        ("id" = AwardId, Path, description = "The award"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v3\""),
    ),
    request_body = ReasonBody,
    responses(
        (status = 200, description = "The award as it is now", body = FallenView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such award"),
        (status = 409, description = "`award_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("WithdrawFromAward"))),
)]
#[post("/awards/{id}/withdrawal")]
async fn withdraw(
    caller: (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&caller.2, Action::WithdrawFromAward)?;
    ended(caller, &id, incoming, successions::withdraw).await
}

/// Read your own result
///
/// Since the notice: the scores, the total and the place of the bids of the suppliers that you act for. Nobody else is told the scores of a bid here.
#[utoipa::path(
    operation_id = "read_own_result",
    tag = "awards",
    params(("id" = LotId, Path, description = "The lot")),
    responses(
        (status = 200, description = "Your own results", body = OwnResultsView),
        (status = 404, description = "There is no such lot, no notice yet, or no opened bid of yours"),
    ),
    extensions(("x-action" = json!("ReadOwnResult"))),
)]
#[get("/lots/{id}/award/own-result")]
async fn own_result(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadOwnResult)?;
    let id = parsed::<LotId>(&id)?;
    let results = context
        .db
        .read(move |conn| acts::own_results(conn, &actor, &id))
        .await?;
    let view = OwnResultsView {
        items: results.into_iter().map(OwnResultView::from).collect(),
    };
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(view))
}
