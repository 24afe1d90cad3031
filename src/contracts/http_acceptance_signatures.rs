//! Signing certificates of acceptance, objecting to them and deciding that, over HTTP: parse, call one act, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::budget::desk::parsed;
use crate::contracts::http_acceptances::replied;
use crate::contracts::rules_acceptances::AcceptanceId;
use crate::contracts::view_acceptances::AcceptanceView;
use crate::contracts::{acts_acceptance_objections as objections, acts_acceptances as acts};
use crate::files::rules::AttachmentId;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::Expected;
use crate::web::idempotency::Once;
use crate::web::operations::Operations;
use crate::web::policy::{self, Action};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(sign).service(raise).service(decide);
}

/// Which bytes are signed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAcceptanceSignature, example = json!({"sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}))]
pub struct AcceptanceSignatureBody {
    /// SHA-256 of the last draft's bytes, as the signer has computed it.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
}

/// What the contractor holds against a certificate.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAcceptanceObjection, example = json!({"objection": "考核面积计算有误", "attachment_ids": []}))]
pub struct ObjectionBody {
    /// What; for the parties and auditors.
    #[schema(min_length = 1, max_length = 2000)]
    objection: String,
    /// Files that show it: PDF, PNG, JPEG or WebP.
    #[serde(default)]
    #[schema(max_items = 20)]
    attachment_ids: Vec<AttachmentId>,
}

/// What is decided of an objection.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptanceObjectionDecision, example = json!({"is_upheld": true, "decision_zh": "面积应为 800 平方米", "decision_en": "The area is 800 square metres"}))]
pub struct ObjectionDecisionBody {
    /// Whether the certificate falls.
    is_upheld: bool,
    /// Why, in Chinese. It is public.
    #[schema(min_length = 1, max_length = 2000)]
    decision_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 2000)]
    decision_en: String,
}

/// Sign a certificate of acceptance
///
/// By an approver of the buyer who has neither prepared the contract nor drafted the certificate, nor has to do with its payment, before silence accepts the period. The hash is
/// that of the last draft. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "sign_acceptance",
    tag = "inspections",
    params(
        ("id" = AcceptanceId, Path, description = "The acceptance"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v2\""),
    ),
    request_body = AcceptanceSignatureBody,
    responses(
        (status = 200, description = "The acceptance as it is now", body = AcceptanceView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`acceptance_of_own_work`, `separation_of_duties`"),
        (status = 404, description = "There is no such acceptance"),
        (status = 409, description = "`acceptance_silent`, `acceptance_wrong_state`, `acceptance_not_drafted`, `acceptance_hash_differs`, `acceptance_overtaken`, `calendar_ends`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("SignAcceptance"))),
)]
#[post("/acceptances/{id}/signature")]
async fn sign(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::SignAcceptance)?;
    let body = incoming.json::<AcceptanceSignatureBody>().await?;
    let (id, expected) = (parsed::<AcceptanceId>(&id)?, Expected::of(&request)?);
    let (said, asked) = (body.value, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let seen = acts::sign(tx, by, (&id, expected), &said.sha256, &asked.calendar)?;
            let now = tx.now();
            replied((tx.conn(), by), 200, &seen, now)
        })
        .await
}

/// Object to a certificate of acceptance
///
/// By the contractor, once, up to `object_until`. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "object_to_acceptance",
    tag = "inspections",
    params(
        ("id" = AcceptanceId, Path, description = "The acceptance"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v3\""),
    ),
    request_body = ObjectionBody,
    responses(
        (status = 200, description = "The acceptance as it is now", body = AcceptanceView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such acceptance"),
        (status = 409, description = "`acceptance_wrong_state`, `acceptance_objected_already`, `acceptance_objection_late`, and those of attachments"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ObjectToAcceptance"))),
)]
#[post("/acceptances/{id}/objection")]
async fn raise(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ObjectToAcceptance)?;
    let body = incoming.json::<ObjectionBody>().await?;
    let (id, expected) = (parsed::<AcceptanceId>(&id)?, Expected::of(&request)?);
    let (said, asked) = (body.value, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let what = (said.objection.as_str(), said.attachment_ids.as_slice());
            let seen = objections::object(tx, by, (&id, expected), what, &asked.calendar)?;
            let now = tx.now();
            replied((tx.conn(), by), 200, &seen, now)
        })
        .await
}

/// Decide an objection
///
/// By an approver of the buyer who has neither drafted nor signed the certificate. If it is upheld the certificate falls, and a further round begins in which what was
/// handed over stays so and the time for inspection runs anew. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "decide_acceptance_objection",
    tag = "inspections",
    params(
        ("id" = AcceptanceId, Path, description = "The acceptance"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v4\""),
    ),
    request_body = ObjectionDecisionBody,
    responses(
        (status = 200, description = "The acceptance as it is now", body = AcceptanceView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`acceptance_of_own_work`, `separation_of_duties`"),
        (status = 404, description = "There is no such acceptance"),
        (status = 409, description = "`acceptance_no_objection`, `acceptance_too_many_rounds`, `calendar_ends`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DecideAcceptanceObjection"))),
)]
#[post("/acceptances/{id}/objection-decision")]
async fn decide(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DecideAcceptanceObjection)?;
    let body = incoming.json::<ObjectionDecisionBody>().await?;
    let (id, expected) = (parsed::<AcceptanceId>(&id)?, Expected::of(&request)?);
    let (said, asked) = (body.value, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let words = (said.decision_zh.as_str(), said.decision_en.as_str());
            let decided = (said.is_upheld, words);
            let seen = objections::decide(tx, by, (&id, expected), decided, &asked.calendar)?;
            let now = tx.now();
            replied((tx.conn(), by), 200, &seen, now)
        })
        .await
}
