//! Defects over HTTP, as the parties deal with them: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::budget::desk::parsed;
use crate::contracts::acts_defects::{self as acts, Setting};
use crate::contracts::desk_defects::{self as desk, Seen};
use crate::contracts::http_defect_views::{DefectView, shown_one};
use crate::contracts::reception::AtReception;
use crate::contracts::rules_defects::{Defect, DefectId};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::files::rules::AttachmentId;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::context::Context;
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(read)
        .service(dispatch)
        .service(reject)
        .service(acknowledge)
        .service(fix);
}

/// Why something is so.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DefectRejection, example = json!({"reason": "不属于本合同服务范围"}))]
pub struct RejectionBody {
    /// In words; everybody reads it.
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
}

/// That something is put right.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DefectFix, example = json!({"note": "已清除积水", "evidence": ["file_01jd3n8f5teqkrzvq1c0m6h2ax"]}))]
pub struct FixBody {
    /// What was done; everybody reads it.
    #[schema(min_length = 1, max_length = 1000)]
    note: String,
    /// Photos of it: attachments that you have uploaded. Everybody may see them.
    #[schema(max_items = 4)]
    evidence: Vec<AttachmentId>,
}

pub(super) fn setting<'s>(context: &'s Context, reception: &'s AtReception) -> Setting<'s> {
    Setting {
        calendar: &context.calendar,
        key: &reception.key,
    }
}

/// The answer of an act.
pub(super) fn replied(tx: &mut Tx<'_>, actor: &Actor, defect: Defect) -> Answer<Reply> {
    let now = tx.now();
    let view = shown_one(tx.conn(), actor, defect, now)?;
    let etag = conditional::etag(view.revision);
    Ok(Reply::json(200, &view)?.etag(etag))
}

fn looked_at(conn: &mut Conn, actor: &Actor, id: &DefectId, now: Instant) -> Answer<DefectView> {
    let Seen { defect, .. } = desk::seen(conn, actor, id, now)?;
    shown_one(conn, actor, defect, now)
}

/// Read a defect
#[utoipa::path(
    operation_id = "read_defect",
    tag = "defects",
    params(("id" = DefectId, Path, description = "The defect")),
    responses(
        (status = 200, description = "The defect", body = DefectView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such defect, or not for you yet"),
    ),
    extensions(("x-action" = json!("ReadDefects"))),
)]
#[get("/defects/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadDefects, Matter::default())?;
    let (id, now) = (parsed::<DefectId>(&id)?, context.clock.now());
    let view = context
        .db
        .read(move |conn| looked_at(conn, &actor, &id, now))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(view.revision)))
        .json(view))
}

/// Send a defect to the contractor
///
/// By the buyer's officer, of what was reported and waits. The contractor's time begins. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "dispatch_defect",
    tag = "defects",
    params(
        ("id" = DefectId, Path, description = "The defect"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The defect as it is now", body = DefectView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such defect"),
        (status = 409, description = "`defect_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DecideDefects"))),
)]
#[post("/defects/{id}/dispatch")]
async fn dispatch(
    (request, context, reception): (HttpRequest, Shared, AtReception),
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DecideDefects)?;
    let (id, expected) = (parsed::<DefectId>(&id)?, Expected::of(&request)?);
    let asked = context.clone();
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let defect = acts::dispatch(tx, by, (&id, expected), setting(&asked, &reception))?;
            replied(tx, by, defect)
        })
        .await
}

/// Reject a defect
///
/// By the buyer's officer: it is none, or none of this contract. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "reject_defect",
    tag = "defects",
    params(
        ("id" = DefectId, Path, description = "The defect"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = RejectionBody,
    responses(
        (status = 200, description = "The defect as it is now", body = DefectView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such defect"),
        (status = 409, description = "`defect_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DecideDefects"))),
)]
#[post("/defects/{id}/rejection")]
async fn reject(
    (request, context, reception): (HttpRequest, Shared, AtReception),
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DecideDefects)?;
    let body = incoming.json::<RejectionBody>().await?;
    let (id, expected) = (parsed::<DefectId>(&id)?, Expected::of(&request)?);
    let (said, asked) = (body.value, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let of = (&id, expected);
            let defect = acts::reject(tx, by, of, &said.reason, setting(&asked, &reception))?;
            replied(tx, by, defect)
        })
        .await
}

/// Acknowledge a defect
///
/// By the contractor. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "acknowledge_defect",
    tag = "defects",
    params(
        ("id" = DefectId, Path, description = "The defect"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v2\""),
    ),
    responses(
        (status = 200, description = "The defect as it is now", body = DefectView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such defect"),
        (status = 409, description = "`defect_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("HandleDefects"))),
)]
#[post("/defects/{id}/acknowledgement")]
async fn acknowledge(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::HandleDefects)?;
    let (id, expected) = (parsed::<DefectId>(&id)?, Expected::of(&request)?);
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let defect = acts::acknowledge(tx, by, (&id, expected))?;
            replied(tx, by, defect)
        })
        .await
}

/// Say that a defect is put right
///
/// By the contractor, with one to four photos that it has uploaded. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "fix_defect",
    tag = "defects",
    params(
        ("id" = DefectId, Path, description = "The defect"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v3\""),
    ),
    request_body = FixBody,
    responses(
        (status = 200, description = "The defect as it is now", body = DefectView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such defect"),
        (status = 409, description = "`defect_wrong_state`, `attachment_unknown`, `attachment_already_attached`, `attachment_type_not_for_use`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("HandleDefects"))),
)]
#[post("/defects/{id}/fix")]
async fn fix(
    (request, context, reception): (HttpRequest, Shared, AtReception),
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::HandleDefects)?;
    let body = incoming.json::<FixBody>().await?;
    let (id, expected) = (parsed::<DefectId>(&id)?, Expected::of(&request)?);
    let (said, asked) = (body.value, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let fixed = (said.note.as_str(), said.evidence.as_slice());
            let defect = acts::fix(tx, by, (&id, expected), fixed, setting(&asked, &reception))?;
            replied(tx, by, defect)
        })
        .await
}
