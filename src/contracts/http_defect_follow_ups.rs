//! What whoever has reported says of a fix, over HTTP: confirmed, reopened, withdrawn, with an account or by the token of a link; the buyer's officer says the same here.
//! No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::budget::desk::parsed;
use crate::contracts::acts_defects as acts;
use crate::contracts::http_defect_views::DefectView;
use crate::contracts::http_defects::{replied, setting};
use crate::contracts::reception::AtReception;
use crate::contracts::rules_defect_reports::DefectReportId;
use crate::contracts::rules_defects::DefectId;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Text;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::Expected;
use crate::web::idempotency::Once;
use crate::web::operations::Operations;
use crate::web::policy::{self, Action};
use crate::web::problem::INVALID;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(confirm).service(reopen).service(withdraw);
}

/// As whom somebody speaks.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DefectFollowUp, example = json!({"follow_up": null}))]
pub struct FollowUpBody {
    /// The token of the report's link, for those without an account.
    #[serde(default)]
    #[schema(max_length = 100)]
    follow_up: Option<String>,
}

/// That something is not put right.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DefectReopening, example = json!({"reason": "积水仍在", "follow_up": null}))]
pub struct ReopeningBody {
    /// Why.
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
    /// The token of the report's link, for those without an account.
    #[serde(default)]
    #[schema(max_length = 100)]
    follow_up: Option<String>,
}

/// The report of a link's token.
fn linked(reception: &AtReception, token: Option<&str>) -> Answer<Option<DefectReportId>> {
    let Some(token) = token else { return Ok(None) };
    let report = reception.key.report(token)?;
    let unknown = || {
        let detail = Text::fixed("链接无效", "the link is not valid");
        INVALID.because(detail).at("/follow_up")
    };
    Ok(Some(report.ok_or_else(unknown)?))
}

/// For whom an answer is remembered: an account, or a link.
fn known_as(actor: &Actor, link: Option<&DefectReportId>) -> Option<String> {
    let account = actor.id().map(str::to_owned);
    account.or_else(|| link.map(|report| format!("link:{report}")))
}

/// Confirm that a defect is put right
///
/// By whoever has reported it first, within three days after the one of the fix, with their account or with the token of their link; or by the buyer's officer.
/// What nobody has answered within seven days counts as confirmed. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "confirm_defect",
    tag = "defects",
    params(
        ("id" = DefectId, Path, description = "The defect"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v4\""),
    ),
    request_body = FollowUpBody,
    responses(
        (status = 200, description = "The defect as it is now", body = DefectView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such defect, or not for you"),
        (status = 409, description = "`defect_wrong_state`, `defect_not_first_reporter`, `defect_reporter_late`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("FollowDefect"))),
)]
#[post("/defects/{id}/confirmation")]
async fn confirm(
    (request, context, reception): (HttpRequest, Shared, AtReception),
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::FollowDefect)?;
    let body = incoming.json::<FollowUpBody>().await?;
    let (id, expected) = (parsed::<DefectId>(&id)?, Expected::of(&request)?);
    let link = linked(&reception, body.value.follow_up.as_deref())?;
    let (who, asked) = (known_as(&actor, link.as_ref()), context.clone());
    context
        .reply_once(who.as_deref(), once, body.digest, move |tx| {
            let of = (&id, link.as_ref());
            let defect = acts::confirm(tx, &actor, of, expected, setting(&asked, &reception))?;
            replied(tx, &actor, defect)
        })
        .await?
        .into_response()
}

/// Reopen a defect
///
/// By whoever has reported it, within three days after the one of the fix, with their account or with the token of their link; or by the buyer's officer as long
/// as it is not confirmed. The contractor is called anew. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "reopen_defect",
    tag = "defects",
    params(
        ("id" = DefectId, Path, description = "The defect"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v4\""),
    ),
    request_body = ReopeningBody,
    responses(
        (status = 200, description = "The defect as it is now", body = DefectView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such defect, or not for you"),
        (status = 409, description = "`defect_wrong_state`, `defect_reopened_too_often`, `defect_reporter_late`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("FollowDefect"))),
)]
#[post("/defects/{id}/reopening")]
async fn reopen(
    (request, context, reception): (HttpRequest, Shared, AtReception),
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::FollowDefect)?;
    let body = incoming.json::<ReopeningBody>().await?;
    let (id, expected) = (parsed::<DefectId>(&id)?, Expected::of(&request)?);
    let said = body.value;
    let link = linked(&reception, said.follow_up.as_deref())?;
    let (who, asked) = (known_as(&actor, link.as_ref()), context.clone());
    context
        .reply_once(who.as_deref(), once, body.digest, move |tx| {
            let of = (&id, link.as_ref());
            let why = (expected, said.reason.as_str());
            let defect = acts::reopen(tx, &actor, of, why, setting(&asked, &reception))?;
            replied(tx, &actor, defect)
        })
        .await?
        .into_response()
}

/// Withdraw a report
///
/// By whoever has made the only one of a defect, with their account or with the token of their link, as long as the contractor has not begun. Needs `If-Match` with
/// the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "withdraw_defect",
    tag = "defects",
    params(
        ("id" = DefectId, Path, description = "The defect"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = FollowUpBody,
    responses(
        (status = 200, description = "The defect as it is now", body = DefectView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such defect, or not for you"),
        (status = 409, description = "`defect_wrong_state`, `defect_shared`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("FollowDefect"))),
)]
#[post("/defects/{id}/withdrawal")]
async fn withdraw(
    (request, context, reception): (HttpRequest, Shared, AtReception),
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::FollowDefect)?;
    let body = incoming.json::<FollowUpBody>().await?;
    let (id, expected) = (parsed::<DefectId>(&id)?, Expected::of(&request)?);
    let link = linked(&reception, body.value.follow_up.as_deref())?;
    let who = known_as(&actor, link.as_ref());
    context
        .reply_once(who.as_deref(), once, body.digest, move |tx| {
            let defect = acts::withdraw(tx, &actor, (&id, link.as_ref()), expected)?;
            replied(tx, &actor, defect)
        })
        .await?
        .into_response()
}
