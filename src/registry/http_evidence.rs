//! Evidence over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::files::http::AttachmentView;
use crate::files::rules::{Attachment, AttachmentId};
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::registry::acts_bank_accounts::Which;
use crate::registry::acts_evidence::{self as acts, About};
use crate::registry::http_organisations::parsed;
use crate::registry::rules_bank_accounts::BankAccountChangeId;
use crate::registry::rules_debarments::DebarmentId;
use crate::registry::rules_qualifications::QualificationId;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action};
use crate::web::problem::NOT_FOUND;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(of_organisation)
        .service(for_organisation)
        .service(of_bank_account)
        .service(for_bank_account)
        .service(of_qualification)
        .service(for_qualification)
        .service(of_debarment)
        .service(for_debarment);
}

/// Attachments to hang on what they are evidence for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvidence {
    /// Attachments that you have uploaded and that hang on nothing: PDF documents, or pictures.
    #[schema(min_items = 1, max_items = 20)]
    attachment_ids: Vec<AttachmentId>,
}

/// The evidence that there is; never more than twenty attachments.
#[derive(Debug, Serialize, ToSchema)]
pub struct Evidence {
    /// Oldest first.
    pub items: Vec<AttachmentView>,
}

impl From<Vec<Attachment>> for Evidence {
    fn from(attachments: Vec<Attachment>) -> Self {
        Self {
            items: attachments.into_iter().map(AttachmentView::from).collect(),
        }
    }
}

async fn given(context: Shared, actor: Actor, about: Answer<About>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::OpenOrganisation)?;
    let about = about?;
    let found = context
        .db
        .glance(move |conn| acts::given(conn, &actor, &about))
        .await?;
    Ok(HttpResponse::Ok().json(Evidence::from(found)))
}

async fn give(
    context: Shared,
    actor: Actor,
    once: Once,
    (action, about): (Action, Answer<About>),
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, action)?;
    let about = about?;
    let body = incoming.json::<NewEvidence>().await?;
    let (by, ids) = (actor.clone(), body.value.attachment_ids);
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let all = acts::give(tx, &by, &about, &ids)?;
            Ok(Reply::json(201, &Evidence::from(all))?)
        })
        .await
}

fn organisation(id: &str) -> Answer<About> {
    Ok(About::Organisation(parsed(id)?))
}

fn bank_account((organisation, change): &(String, String)) -> Answer<About> {
    Ok(About::BankAccountChange(Which {
        organisation_id: parsed(organisation)?,
        id: change.parse().map_err(|_| NOT_FOUND.refuse())?,
    }))
}

fn qualification((organisation, qualification): &(String, String)) -> Answer<About> {
    let id = qualification.parse().map_err(|_| NOT_FOUND.refuse())?;
    Ok(About::Qualification(parsed(organisation)?, id))
}

fn debarment(id: &str) -> Answer<About> {
    Ok(About::Debarment(id.parse().map_err(|_| NOT_FOUND.refuse())?))
}

/// List the evidence for an organisation's particulars
///
/// For its own people, those who verify it and auditors. The files themselves are at `/api/v1/attachments/{id}/content`.
#[utoipa::path(
    operation_id = "list_organisation_evidence",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation")),
    responses(
        (status = 200, description = "All of it", body = Evidence),
        (status = 404, description = "There is no such organisation"),
    ),
    extensions(("x-action" = json!("OpenOrganisation"))),
)]
#[get("/organisations/{id}/evidence")]
async fn of_organisation(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    given(context, actor, organisation(&id)).await
}

/// Give evidence for an organisation's particulars
///
/// By whoever registered it, its people, or those who verify it. It stays. At most twenty attachments.
#[utoipa::path(
    operation_id = "give_organisation_evidence",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation")),
    request_body = NewEvidence,
    responses(
        (status = 201, description = "All the evidence there is now", body = Evidence),
        (status = 404, description = "There is no such organisation"),
        (status = 409, description = "`organisation_wrong_state`, `evidence_too_much`, or one of the attachments' reasons"),
    ),
    extensions(("x-action" = json!("GiveEvidence"))),
)]
#[post("/organisations/{id}/evidence")]
async fn for_organisation(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    give(
        context,
        actor,
        once,
        (Action::GiveEvidence, organisation(&id)),
        incoming,
    )
    .await
}

/// List the evidence for a bank account
///
/// For the organisation's own people, the platform and auditors.
#[utoipa::path(
    operation_id = "list_bank_account_evidence",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation"), ("change" = BankAccountChangeId, Path, description = "The change")),
    responses(
        (status = 200, description = "All of it", body = Evidence),
        (status = 404, description = "There is no such organisation or change"),
    ),
    extensions(("x-action" = json!("OpenOrganisation"))),
)]
#[get("/organisations/{id}/bank-account-changes/{change}/evidence")]
async fn of_bank_account(
    context: Shared,
    actor: Actor,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    given(context, actor, bank_account(&path)).await
}

/// Give evidence for a bank account
///
/// By those who may propose one, as long as the change waits.
#[utoipa::path(
    operation_id = "give_bank_account_evidence",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation"), ("change" = BankAccountChangeId, Path, description = "The change")),
    request_body = NewEvidence,
    responses(
        (status = 201, description = "All the evidence there is now", body = Evidence),
        (status = 404, description = "There is no such organisation or change"),
        (status = 409, description = "`bank_account_change_decided`, `evidence_too_much`, or one of the attachments' reasons"),
    ),
    extensions(("x-action" = json!("ProposeBankAccount"))),
)]
#[post("/organisations/{id}/bank-account-changes/{change}/evidence")]
async fn for_bank_account(
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let about = bank_account(&path);
    give(
        context,
        actor,
        once,
        (Action::ProposeBankAccount, about),
        incoming,
    )
    .await
}

/// List the evidence for a qualification
///
/// For the organisation's own people, those who verify it and auditors.
#[utoipa::path(
    operation_id = "list_qualification_evidence",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation"), ("qualification" = QualificationId, Path, description = "The qualification")),
    responses(
        (status = 200, description = "All of it", body = Evidence),
        (status = 404, description = "There is no such organisation or qualification"),
    ),
    extensions(("x-action" = json!("OpenOrganisation"))),
)]
#[get("/organisations/{id}/qualifications/{qualification}/evidence")]
async fn of_qualification(
    context: Shared,
    actor: Actor,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    given(context, actor, qualification(&path)).await
}

/// Give evidence for a qualification
///
/// By the organisation's people or those who verify it, unless it was refused or withdrawn.
#[utoipa::path(
    operation_id = "give_qualification_evidence",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation"), ("qualification" = QualificationId, Path, description = "The qualification")),
    request_body = NewEvidence,
    responses(
        (status = 201, description = "All the evidence there is now", body = Evidence),
        (status = 404, description = "There is no such organisation or qualification"),
        (status = 409, description = "`qualification_wrong_state`, `evidence_too_much`, or one of the attachments' reasons"),
    ),
    extensions(("x-action" = json!("GiveEvidence"))),
)]
#[post("/organisations/{id}/qualifications/{qualification}/evidence")]
async fn for_qualification(
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let about = qualification(&path);
    give(context, actor, once, (Action::GiveEvidence, about), incoming).await
}

/// List the evidence for a debarment
///
/// For the supplier's own people, those who decide and auditors: the record is public, what it rests on is not.
#[utoipa::path(
    operation_id = "list_debarment_evidence",
    tag = "organisations",
    params(("id" = DebarmentId, Path, description = "The debarment")),
    responses(
        (status = 200, description = "All of it", body = Evidence),
        (status = 404, description = "There is no such debarment"),
    ),
    extensions(("x-action" = json!("OpenOrganisation"))),
)]
#[get("/debarments/{id}/evidence")]
async fn of_debarment(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    given(context, actor, debarment(&id)).await
}

/// Give evidence for a debarment
///
/// By those who decide about debarments, unless it was lifted.
#[utoipa::path(
    operation_id = "give_debarment_evidence",
    tag = "organisations",
    params(("id" = DebarmentId, Path, description = "The debarment")),
    request_body = NewEvidence,
    responses(
        (status = 201, description = "All the evidence there is now", body = Evidence),
        (status = 404, description = "There is no such debarment"),
        (status = 409, description = "`debarment_ended`, `evidence_too_much`, or one of the attachments' reasons"),
    ),
    extensions(("x-action" = json!("DebarSupplier"))),
)]
#[post("/debarments/{id}/evidence")]
async fn for_debarment(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    give(
        context,
        actor,
        once,
        (Action::DebarSupplier, debarment(&id)),
        incoming,
    )
    .await
}
