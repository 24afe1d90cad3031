//! What the buyer does about claims, over HTTP: certifying, approving, returning, paying, confirming; parse, call one act, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::budget::desk::parsed;
use crate::kernel::refusal::Answer;
use crate::payments::acts_claims::{self as acts, Certifying};
use crate::payments::acts_payments;
use crate::payments::http_claims::replied;
use crate::payments::rules_claims::{ClaimId, Counted};
use crate::payments::view_claims::ClaimView;
use crate::standards::rules_indicators::Line;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::Expected;
use crate::web::idempotency::{NO_BODY, Once};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(certify)
        .service(approve)
        .service(send_back)
        .service(execute)
        .service(confirm)
        .service(fail);
}

/// What the officer has counted of a penalty.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCountedPenalty, example = json!({"penalty": 1, "count": 2, "reason_zh": "逾期两日", "reason_en": "Two days late"}))]
pub struct CountedBody {
    /// Which of the contract's penalties, from 1, in the order of its lot.
    #[schema(minimum = 1, maximum = 50)]
    penalty: i64,
    /// How many cases or days.
    #[schema(minimum = 1, maximum = 10_000)]
    count: u32,
    /// Why so many, in Chinese. It is public.
    #[schema(min_length = 1, max_length = 500)]
    reason_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 500)]
    reason_en: String,
}

impl From<CountedBody> for Counted {
    fn from(body: CountedBody) -> Self {
        Self {
            penalty: body.penalty,
            count: body.count,
            reason: Line {
                zh: body.reason_zh,
                en: body.reason_en,
            },
        }
    }
}

/// How a claim is certified.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewClaimCertification, example = json!({"penalties": [], "less_zh": "得分 87.20，扣 2,681.70 元", "less_en": "The score of 87.20 takes 2,681.70 CNY off"}))]
pub struct CertificationBody {
    /// What is counted of the contract's penalties, all of them anew; left out for what was counted when the period was certified last.
    #[serde(default)]
    #[schema(value_type = Vec<CountedBody>, required = false, max_items = 50)]
    penalties: Option<Vec<CountedBody>>,
    /// Why less is certified than was claimed, in Chinese; only then. It is public.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    less_zh: Option<String>,
    /// In English.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    less_en: Option<String>,
}

/// Why a claim is returned, or failed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClaimReason, example = json!({"reason_zh": "发票抬头有误", "reason_en": "The invoice is made out to somebody else"}))]
pub struct ReasonBody {
    /// In Chinese; for the parties and auditors.
    #[schema(min_length = 1, max_length = 2000)]
    reason_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 2000)]
    reason_en: String,
}

/// By which reference the bank has paid.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPaymentConfirmation, example = json!({"bank_reference": "2026061500012345"}))]
pub struct ConfirmationBody {
    /// The bank's reference; for the parties and auditors.
    #[schema(min_length = 1, max_length = 64)]
    bank_reference: String,
}

/// Certify a claim
///
/// By the buyer's officer. What a period comes to is computed from its price, its scores, the contract's tables and the penalties that are counted, and stored with each
/// step; of that the undisputed part is certified, without what was certified before, and at most what is claimed. Where that is less it is said why. Needs `If-Match` with
/// the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "certify_claim",
    tag = "payments",
    params(
        ("id" = ClaimId, Path, description = "The claim"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = CertificationBody,
    responses(
        (status = 200, description = "The claim as it is now", body = ClaimView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`claim_of_own_organisation`, `separation_of_duties`"),
        (status = 404, description = "There is no such claim"),
        (status = 409, description = "`claim_wrong_state`, `claim_contract_settled`, `claim_not_accepted`, `claim_retention_early`, `claim_no_such_part`, `claim_not_terminated`, `claim_nothing_payable`, `claim_interest_unfunded`"),
        (status = 412, description = "`version_stale`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("CertifyClaim"))),
)]
#[post("/claims/{id}/certification")]
async fn certify(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::CertifyClaim)?;
    let body = incoming.json::<CertificationBody>().await?;
    let (id, expected) = (parsed::<ClaimId>(&id)?, Expected::of(&request)?);
    let (said, asked) = (body.value, context.clone());
    let counted = |all: Vec<CountedBody>| all.into_iter().map(Counted::from).collect();
    let certifying = Certifying {
        penalties: said.penalties.map(counted),
        less: (said.less_zh, said.less_en),
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let seen = acts::certify(tx, by, (&id, expected), certifying.clone(), &asked.calendar)?;
            let now = tx.now();
            replied((tx.conn(), by), 200, &seen, (&asked.calendar, now))
        })
        .await
}

/// Approve the payment of a claim
///
/// By a finance officer of the buyer who has neither certified it nor accepted the work. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "approve_claim",
    tag = "payments",
    params(
        ("id" = ClaimId, Path, description = "The claim"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v2\""),
    ),
    responses(
        (status = 200, description = "The claim as it is now", body = ClaimView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`claim_of_own_organisation`, `separation_of_duties`"),
        (status = 404, description = "There is no such claim"),
        (status = 409, description = "`claim_wrong_state`, `claim_not_accepted`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ApproveClaim"))),
)]
#[post("/claims/{id}/approval")]
async fn approve(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ApproveClaim)?;
    let (id, expected) = (parsed::<ClaimId>(&id)?, Expected::of(&request)?);
    let asked = context.clone();
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let seen = acts::approve(tx, by, (&id, expected), &asked.calendar)?;
            let now = tx.now();
            replied((tx.conn(), by), 200, &seen, (&asked.calendar, now))
        })
        .await
}

/// Return a claim
///
/// By the buyer's officer or a finance officer, before it is paid; what was certified is free again. The contractor claims anew. Needs `If-Match` with the `ETag` of
/// the revision you mean.
#[utoipa::path(
    operation_id = "return_claim",
    tag = "payments",
    params(
        ("id" = ClaimId, Path, description = "The claim"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = ReasonBody,
    responses(
        (status = 200, description = "The claim as it is now", body = ClaimView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`claim_of_own_organisation`"),
        (status = 404, description = "There is no such claim"),
        (status = 409, description = "`claim_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ReturnClaim"))),
)]
#[post("/claims/{id}/return")]
async fn send_back(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReturnClaim)?;
    let body = incoming.json::<ReasonBody>().await?;
    let (id, expected) = (parsed::<ClaimId>(&id)?, Expected::of(&request)?);
    let (said, asked) = (body.value, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let reason = (said.reason_zh.as_str(), said.reason_en.as_str());
            let seen = acts::send_back(tx, by, (&id, expected), reason)?;
            let now = tx.now();
            replied((tx.conn(), by), 200, &seen, (&asked.calendar, now))
        })
        .await
}

/// Pay a claim
///
/// By another finance officer of the buyer than who has approved it. What was certified moves from what is committed for the contract to what is spent; with the first payment of
/// a period its share of the retention is kept back; with the one that pays the rest of a settled period what was deducted goes back to the budget line. Needs `If-Match`
/// with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "execute_claim",
    tag = "payments",
    params(
        ("id" = ClaimId, Path, description = "The claim"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v3\""),
    ),
    responses(
        (status = 200, description = "The claim as it is now", body = ClaimView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`claim_of_own_organisation`, `separation_of_duties`"),
        (status = 404, description = "There is no such claim"),
        (status = 409, description = "`claim_wrong_state`, `claim_in_payment_batch`, `claim_account_changed`, `claim_not_accepted`, `fiscal_year_undecided`, `ledger_hold_exceeded`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ExecuteClaim"))),
)]
#[post("/claims/{id}/execution")]
async fn execute(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ExecuteClaim)?;
    let (id, expected) = (parsed::<ClaimId>(&id)?, Expected::of(&request)?);
    let asked = context.clone();
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let seen = acts_payments::execute(tx, by, (&id, expected), &asked.calendar)?;
            let now = tx.now();
            replied((tx.conn(), by), 200, &seen, (&asked.calendar, now))
        })
        .await
}

/// Confirm a payment
///
/// By a finance officer of the buyer who has neither certified, approved nor executed it, with the reference of the bank that has paid it. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "confirm_payment",
    tag = "payments",
    params(
        ("id" = ClaimId, Path, description = "The claim"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v4\""),
    ),
    request_body = ConfirmationBody,
    responses(
        (status = 200, description = "The claim as it is now", body = ClaimView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`claim_of_own_organisation`, `separation_of_duties`"),
        (status = 404, description = "There is no such claim"),
        (status = 409, description = "`claim_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ConfirmPayment"))),
)]
#[post("/claims/{id}/confirmation")]
async fn confirm(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ConfirmPayment)?;
    let body = incoming.json::<ConfirmationBody>().await?;
    let (id, expected) = (parsed::<ClaimId>(&id)?, Expected::of(&request)?);
    let (said, asked) = (body.value, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let seen = acts_payments::confirm(tx, by, (&id, expected), &said.bank_reference)?;
            let now = tx.now();
            replied((tx.conn(), by), 200, &seen, (&asked.calendar, now))
        })
        .await
}

/// Say that a payment failed
///
/// By a finance officer of the buyer who has neither certified, approved nor executed it, of one that was executed and not confirmed: the money is held for the contract again, and is claimed anew. Needs `If-Match` with the
/// `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "fail_payment",
    tag = "payments",
    params(
        ("id" = ClaimId, Path, description = "The claim"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v4\""),
    ),
    request_body = ReasonBody,
    responses(
        (status = 200, description = "The claim as it is now", body = ClaimView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`claim_of_own_organisation`, `separation_of_duties`"),
        (status = 404, description = "There is no such claim"),
        (status = 409, description = "`claim_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ConfirmPayment"))),
)]
#[post("/claims/{id}/failure")]
async fn fail(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ConfirmPayment)?;
    let body = incoming.json::<ReasonBody>().await?;
    let (id, expected) = (parsed::<ClaimId>(&id)?, Expected::of(&request)?);
    let (said, asked) = (body.value, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let reason = (said.reason_zh.as_str(), said.reason_en.as_str());
            let seen = acts_payments::fail(tx, by, (&id, expected), reason)?;
            let now = tx.now();
            replied((tx.conn(), by), 200, &seen, (&asked.calendar, now))
        })
        .await
}
