//! Bid securities over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::bids::rules_securities::{Kind, Lodged, Security, SecurityId, State};
use crate::bids::{acts, acts_securities, store, store_securities};
use crate::books::rules::LotId;
use crate::books::store as books;
use crate::budget::acts::own_organisations;
use crate::budget::desk::{after, one_more, parsed};
use crate::kernel::clock::rfc3339;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
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
    config
        .service(lodge)
        .service(list_own)
        .service(list)
        .service(decide)
        .service(give_back);
}

/// What was lodged with a bid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBidSecurity, example = json!({
    "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "kind": "transfer", "amount": {"amount": "47004.00", "currency": "CNY"},
    "issuer": "某银行梧桐支行", "reference": "20260318001", "lodged_on": "2026-03-18", "expires_on": null
}))]
pub struct LodgedBody {
    /// By whom.
    supplier_id: OrganisationId,
    /// In which form.
    kind: Kind,
    /// How much.
    amount: Money,
    /// By which bank or insurer.
    #[schema(min_length = 1, max_length = 200)]
    issuer: String,
    /// Under which number.
    #[schema(min_length = 1, max_length = 100)]
    reference: String,
    /// On which day.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    lodged_on: NaiveDate,
    /// The last day of a guarantee or an insurance.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    expires_on: Option<NaiveDate>,
}

/// Whether a security was found.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BidSecurityDecision, example = json!({"is_there": true, "decision": "已到账"}))]
pub struct DecisionBody {
    /// True if it was.
    is_there: bool,
    /// What was compared.
    #[schema(min_length = 1, max_length = 2000)]
    decision: String,
}

/// That a security went back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BidSecurityReturn, example = json!({"returned_on": "2026-04-10", "reference": "20260410007"}))]
pub struct ReturnedBody {
    /// On which day.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    returned_on: NaiveDate,
    /// Under which number.
    #[schema(min_length = 1, max_length = 100)]
    reference: String,
}

/// A bid security.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BidSecurity, example = json!({
    "id": "bidsecurity_01jd3n8f5teqkrzvq1c0m6h2ax", "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax",
    "state": "lodged", "kind": "transfer", "amount": {"amount": "47004.00", "currency": "CNY"}, "issuer": "某银行梧桐支行",
    "reference": "20260318001", "lodged_on": "2026-03-18", "expires_on": null, "revision": 1, "recorded_at": "2026-03-18T02:00:00.000000Z",
    "decided_at": null, "decision": null, "returned_on": null, "return_reference": null, "return_due": null
}))]
pub struct SecurityView {
    /// Its id.
    pub id: SecurityId,
    /// For which lot.
    pub lot_id: LotId,
    /// By whom.
    pub supplier_id: OrganisationId,
    /// How far it has come.
    pub state: State,
    /// In which form.
    pub kind: Kind,
    /// How much.
    pub amount: Money,
    /// By which bank or insurer.
    pub issuer: String,
    /// Under which number.
    pub reference: String,
    /// On which day.
    #[schema(value_type = String)]
    pub lodged_on: NaiveDate,
    /// The last day of a guarantee or an insurance.
    #[schema(value_type = Option<String>)]
    pub expires_on: Option<NaiveDate>,
    /// Counts the changes, from 1; also the `ETag`.
    pub revision: i64,
    /// When it was recorded, UTC.
    pub recorded_at: String,
    /// When the buyer decided about it, UTC.
    pub decided_at: Option<String>,
    /// What the buyer found.
    pub decision: Option<String>,
    /// On which day it went back.
    #[schema(value_type = Option<String>)]
    pub returned_on: Option<NaiveDate>,
    /// Under which number.
    pub return_reference: Option<String>,
    /// The last day on which it may go back, as far as that is known yet.
    #[schema(value_type = Option<String>)]
    pub return_due: Option<NaiveDate>,
}

impl SecurityView {
    /// A security with the last day on which it may go back.
    pub fn of(security: Security, return_due: Option<NaiveDate>) -> Self {
        let (decided_at, decision) = security.decided.unzip();
        let (returned_on, return_reference) = security.returned.unzip();
        Self {
            id: security.id,
            lot_id: security.lot_id,
            supplier_id: security.supplier_id,
            state: security.state,
            kind: security.lodged.kind,
            amount: security.lodged.amount,
            issuer: security.lodged.issuer,
            reference: security.lodged.reference,
            lodged_on: security.lodged.lodged_on,
            expires_on: security.lodged.expires_on,
            revision: security.revision,
            recorded_at: rfc3339(security.recorded_at),
            decided_at: decided_at.map(rfc3339),
            decision,
            returned_on,
            return_reference,
            return_due,
        }
    }
}

/// Record a bid security
///
/// What was lodged with a bid, while bids are taken. It is as secret as the bid.
#[utoipa::path(
    operation_id = "lodge_bid_security",
    tag = "bids",
    params(("id" = LotId, Path, description = "The lot")),
    request_body = LodgedBody,
    responses(
        (status = 201, description = "The record", body = SecurityView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such lot"),
        (status = 409, description = "`bid_not_a_supplier`, `bid_debarred`, `bid_not_taken`, `bid_late`, `bid_security_not_asked`, `bid_security_too_many`, `bid_security_recorded`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("LodgeBidSecurity"))),
)]
#[post("/lots/{id}/bid-securities")]
async fn lodge(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::LodgeBidSecurity)?;
    let body = incoming.json::<LodgedBody>().await?;
    let (id, new, asked) = (parsed::<LotId>(&id)?, body.value, context.clone());
    let lodged = Lodged {
        kind: new.kind,
        amount: new.amount,
        issuer: new.issuer,
        reference: new.reference,
        lodged_on: new.lodged_on,
        expires_on: new.expires_on,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let of = (&id, &new.supplier_id);
            let security = acts_securities::lodge(tx, by, of, lodged.clone(), &asked.calendar)?;
            Ok(reply(201, security)?.location(format!("/api/v1/lots/{id}/own-bid-securities")))
        })
        .await
}

fn reply(status: u16, security: Security) -> Answer<Reply> {
    let revision = security.revision;
    let reply = Reply::json(status, &SecurityView::of(security, None))?;
    Ok(reply.etag(conditional::etag(revision)))
}

/// List your own bid securities
///
/// Those that the suppliers you act for have recorded for a lot, the oldest first.
#[utoipa::path(
    operation_id = "list_own_bid_securities",
    tag = "bids",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<SecurityView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such lot"),
    ),
    extensions(("x-action" = json!("LodgeBidSecurity"))),
)]
#[get("/lots/{id}/own-bid-securities")]
async fn list_own(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::LodgeBidSecurity)?;
    let own = own_organisations(&actor, Action::LodgeBidSecurity).unwrap_or_default();
    listed(&request, &context, parsed(&id)?, move |_, _| {
        Ok(Some(own.clone()))
    })
    .await
}

/// List the bid securities for a lot
///
/// Of all bidders, the oldest first, for the buyer's finance officer. Until it may be known who has bid there are none.
#[utoipa::path(
    operation_id = "list_bid_securities",
    tag = "bids",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<SecurityView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such lot"),
    ),
    extensions(("x-action" = json!("ReadBidSecurities"))),
)]
#[get("/lots/{id}/bid-securities")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadBidSecurities)?;
    listed(&request, &context, parsed(&id)?, move |conn, lot| {
        let of = acts::lot(conn, lot)?;
        let buyer = books::buyer_of(conn, &of.book_id)?;
        policy::allow(&actor, Action::ReadBidSecurities, Matter::of_organisation(&buyer))?;
        let disclosed = store::disclosed_at(conn, lot)?.is_some();
        Ok(if disclosed { None } else { Some(Vec::new()) })
    })
    .await
}

/// A page of the securities for a lot, of the suppliers that `whose` tells; of all if it tells none.
async fn listed(
    request: &HttpRequest,
    context: &Shared,
    id: LotId,
    whose: impl Fn(&mut crate::db::conn::Conn, &LotId) -> Answer<Option<Vec<OrganisationId>>> + Send + 'static,
) -> Answer<HttpResponse> {
    let mut query = Query::of(request);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["bid securities", id.as_str()]);
    let beyond = after(&question, cursor.as_deref())?;
    let asked = context.clone();
    let views = context
        .db
        .read(move |conn| {
            acts::lot(conn, &id)?;
            let suppliers = whose(conn, &id)?;
            let beyond = beyond.as_deref();
            let found =
                store_securities::securities(conn, &id, suppliers.as_deref(), beyond, one_more(limit))?;
            let with_due = found.into_iter().map(|security| {
                let due = acts_securities::return_due(conn, &security, &asked.calendar)?;
                Ok(SecurityView::of(security, due))
            });
            with_due.collect::<Answer<Vec<_>>>()
        })
        .await?;
    let page = Page::cut(views, limit, &question, |one: &SecurityView| {
        vec![one.id.to_string()]
    });
    let mut response = HttpResponse::Ok();
    page.link(request, &mut response);
    Ok(response.json(page))
}

/// Tell whether a bid security was found
///
/// By the buyer's finance officer, once it may be known who has bid. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "decide_bid_security",
    tag = "bids",
    params(
        ("id" = SecurityId, Path, description = "The record"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = DecisionBody,
    responses(
        (status = 200, description = "The record as it is now", body = SecurityView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such record, or nobody may know of it yet"),
        (status = 409, description = "`bid_security_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("KeepBidSecurity"))),
)]
#[post("/bid-securities/{id}/decision")]
async fn decide(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::KeepBidSecurity)?;
    let body = incoming.json::<DecisionBody>().await?;
    let (id, expected) = (parsed::<SecurityId>(&id)?, Expected::of(&request)?);
    let decided = body.value;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let decision = (decided.is_there, decided.decision.as_str());
            reply(200, acts_securities::decide(tx, by, (&id, expected), decision)?)
        })
        .await
}

/// Record that a bid security went back
///
/// By the buyer's finance officer. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "return_bid_security",
    tag = "bids",
    params(
        ("id" = SecurityId, Path, description = "The record"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v2\""),
    ),
    request_body = ReturnedBody,
    responses(
        (status = 200, description = "The record as it is now", body = SecurityView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such record, or nobody may know of it yet"),
        (status = 409, description = "`bid_security_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("KeepBidSecurity"))),
)]
#[post("/bid-securities/{id}/return")]
async fn give_back(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::KeepBidSecurity)?;
    let body = incoming.json::<ReturnedBody>().await?;
    let (id, expected) = (parsed::<SecurityId>(&id)?, Expected::of(&request)?);
    let (returned, asked) = (body.value, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let given = (returned.returned_on, returned.reference.as_str());
            reply(
                200,
                acts_securities::give_back(tx, by, (&id, expected), given, &asked.calendar)?,
            )
        })
        .await
}
