//! Decisions about organisations over HTTP: verified, refused, closed. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, post, web};

use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::registry::acts_organisations::{self as acts, DecideOrganisation};
use crate::registry::http_organisation_views::{Grounds, NewVerification, OrganisationView};
use crate::registry::http_organisations::{may, parsed, reply};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::Expected;
use crate::web::idempotency::Once;
use crate::web::operations::Operations;
use crate::web::policy::{self, Action};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(verify).service(refuse).service(close);
}

/// Verify an organisation
///
/// Its particulars were compared with evidence and are true. From then on it is public, and whoever registered it may give its
/// people their roles. Not by whoever registered it. Needs `If-Match`: what is verified is what was looked at.
#[utoipa::path(
    operation_id = "verify_organisation",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = NewVerification,
    responses(
        (status = 200, description = "The organisation as it is now", body = OrganisationView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such organisation"),
        (status = 409, description = "`organisation_wrong_state`, `organisation_credit_code_taken`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("VerifyOrganisation"))),
)]
#[post("/organisations/{id}/verification")]
async fn verify(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::VerifyOrganisation)?;
    let body = incoming.json::<NewVerification>().await?;
    let command = DecideOrganisation {
        id: parsed(&id)?,
        expected: Expected::of(&request)?,
        grounds: body.value.evidence,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            reply(200, by, &acts::verify(tx, by, &command)?)
        })
        .await
}

/// Refuse an organisation
///
/// The evidence does not bear its particulars out. Whoever registered it may correct them. Not by whoever registered it. Needs
/// `If-Match`.
#[utoipa::path(
    operation_id = "refuse_organisation",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = Grounds,
    responses(
        (status = 200, description = "The organisation as it is now", body = OrganisationView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such organisation"),
        (status = 409, description = "`organisation_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("VerifyOrganisation"))),
)]
#[post("/organisations/{id}/refusal")]
async fn refuse(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::VerifyOrganisation)?;
    let body = incoming.json::<Grounds>().await?;
    let command = DecideOrganisation {
        id: parsed(&id)?,
        expected: Expected::of(&request)?,
        grounds: body.value.reason,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            reply(200, by, &acts::refuse(tx, by, &command)?)
        })
        .await
}

/// Close an organisation
///
/// It is not there any more, or its registration is taken back; its history stays. Needs `If-Match`.
#[utoipa::path(
    operation_id = "close_organisation",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = Grounds,
    responses(
        (status = 200, description = "The organisation as it is now", body = OrganisationView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such organisation, or it is not public"),
        (status = 409, description = "`organisation_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("CloseOrganisation"))),
)]
#[post("/organisations/{id}/closure")]
async fn close(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::CloseOrganisation)?;
    let id = parsed(&id)?;
    may(&context, &actor, Action::CloseOrganisation, id.clone()).await?;
    let body = incoming.json::<Grounds>().await?;
    let command = DecideOrganisation {
        id,
        expected: Expected::of(&request)?,
        grounds: body.value.reason,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            reply(200, by, &acts::close(tx, by, &command)?)
        })
        .await
}
