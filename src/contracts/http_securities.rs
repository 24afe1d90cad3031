//! Performance securities over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::bids::rules_securities::{Kind, Lodged, State};
use crate::budget::desk::parsed;
use crate::contracts::acts_securities as acts;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_securities::{PerformanceSecurity, PerformanceSecurityId};
use crate::kernel::clock::rfc3339;
use crate::kernel::money::Money;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::idempotency::{Once, Reply};
use crate::web::policy::{self, Action};

/// Every operation of this file.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(lodge)
        .service(list)
        .service(decide)
        .service(give_back);
}

/// What was lodged for a contract.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPerformanceSecurity, example = json!({
    "kind": "guarantee", "amount": {"amount": "114930.00", "currency": "CNY"}, "issuer": "某银行梧桐支行", "reference": "BH20260423001",
    "lodged_on": "2026-04-23", "expires_on": "2027-04-30"
}))]
pub struct LodgedBody {
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
    /// The last day of a guarantee or an insurance; not before the service ends.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    expires_on: Option<NaiveDate>,
}

/// Whether a security was found.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PerformanceSecurityDecision, example = json!({"is_there": true, "decision": "保函已核验"}))]
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
#[schema(as = PerformanceSecurityReturn, example = json!({"returned_on": "2027-05-10", "reference": "20270510007"}))]
pub struct ReturnedBody {
    /// On which day.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    returned_on: NaiveDate,
    /// Under which number.
    #[schema(min_length = 1, max_length = 100)]
    reference: String,
}

/// A performance security.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PerformanceSecurity, example = json!({
    "id": "performancesecurity_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "state": "lodged", "kind": "guarantee",
    "amount": {"amount": "114930.00", "currency": "CNY"}, "issuer": "某银行梧桐支行", "reference": "BH20260423001", "lodged_on": "2026-04-23",
    "expires_on": "2027-04-30", "revision": 1, "recorded_at": "2026-04-23T02:00:00.000000Z", "decided_at": null, "decision": null, "returned_on": null,
    "return_reference": null
}))]
pub struct SecurityView {
    /// Its id.
    pub id: PerformanceSecurityId,
    /// For which contract.
    pub contract_id: ContractId,
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
}

impl From<PerformanceSecurity> for SecurityView {
    fn from(security: PerformanceSecurity) -> Self {
        let (decided_at, decision) = security.decided.unzip();
        let (returned_on, return_reference) = security.returned.unzip();
        Self {
            id: security.id,
            contract_id: security.contract_id,
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
        }
    }
}

/// What was lodged for a contract.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PerformanceSecurities, example = json!({"items": []}))]
pub struct SecuritiesView {
    /// The oldest first.
    #[schema(max_items = 5)]
    pub items: Vec<SecurityView>,
}

fn replied(status: u16, security: PerformanceSecurity) -> Answer<Reply> {
    let etag = conditional::etag(security.revision);
    Ok(Reply::json(status, &SecurityView::from(security))?.etag(etag))
}

/// Record a performance security
///
/// By the supplier: as much as the contract asks for, and no more than the law allows.
#[utoipa::path(
    operation_id = "lodge_performance_security",
    tag = "contracts",
    params(("id" = ContractId, Path, description = "The contract")),
    request_body = LodgedBody,
    responses(
        (status = 201, description = "The record", body = SecurityView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such contract, or it is not yours to see"),
        (status = 409, description = "`contract_void`, `performance_security_not_asked`, `performance_security_too_many`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("LodgePerformanceSecurity"))),
)]
#[post("/contracts/{id}/performance-securities")]
async fn lodge(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::LodgePerformanceSecurity)?;
    let body = incoming.json::<LodgedBody>().await?;
    let (id, asked, new) = (parsed::<ContractId>(&id)?, context.clone(), body.value);
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
            let security = acts::lodge(tx, by, &id, lodged.clone(), &asked.calendar)?;
            let location = format!("/api/v1/contracts/{id}/performance-securities");
            Ok(replied(201, security)?.location(location))
        })
        .await
}

/// List the performance securities of a contract
///
/// For its parties and auditors, the oldest first.
#[utoipa::path(
    operation_id = "list_performance_securities",
    tag = "contracts",
    params(("id" = ContractId, Path, description = "The contract")),
    responses(
        (status = 200, description = "All of them", body = SecuritiesView),
        (status = 404, description = "There is no such contract, or it is not yours to see"),
    ),
    extensions(("x-action" = json!("OpenContracts"))),
)]
#[get("/contracts/{id}/performance-securities")]
async fn list(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::OpenContracts)?;
    let id = parsed::<ContractId>(&id)?;
    let found = context
        .db
        .read(move |conn| acts::of_contract(conn, &actor, &id))
        .await?;
    Ok(HttpResponse::Ok().json(SecuritiesView {
        items: found.into_iter().map(SecurityView::from).collect(),
    }))
}

/// Tell whether a performance security was found
///
/// By the buyer's finance officer. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "decide_performance_security",
    tag = "contracts",
    params(
        ("id" = PerformanceSecurityId, Path, description = "The record"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = DecisionBody,
    responses(
        (status = 200, description = "The record as it is now", body = SecurityView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such record"),
        (status = 409, description = "`performance_security_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("KeepPerformanceSecurity"))),
)]
#[post("/performance-securities/{id}/decision")]
async fn decide(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::KeepPerformanceSecurity)?;
    let body = incoming.json::<DecisionBody>().await?;
    let (id, expected) = (parsed::<PerformanceSecurityId>(&id)?, Expected::of(&request)?);
    let decided = body.value;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let decision = (decided.is_there, decided.decision.as_str());
            replied(200, acts::decide(tx, by, (&id, expected), decision)?)
        })
        .await
}

/// Record that a performance security went back
///
/// By the buyer's finance officer. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "return_performance_security",
    tag = "contracts",
    params(
        ("id" = PerformanceSecurityId, Path, description = "The record"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v2\""),
    ),
    request_body = ReturnedBody,
    responses(
        (status = 200, description = "The record as it is now", body = SecurityView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such record"),
        (status = 409, description = "`performance_security_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("KeepPerformanceSecurity"))),
)]
#[post("/performance-securities/{id}/return")]
async fn give_back(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::KeepPerformanceSecurity)?;
    let body = incoming.json::<ReturnedBody>().await?;
    let (id, expected) = (parsed::<PerformanceSecurityId>(&id)?, Expected::of(&request)?);
    let (returned, asked) = (body.value, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let given = (returned.returned_on, returned.reference.as_str());
            let back = acts::give_back(tx, by, (&id, expected), given, &asked.calendar)?;
            replied(200, back)
        })
        .await
}
