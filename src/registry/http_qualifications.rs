//! Qualifications of organisations over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::rfc3339;
use crate::kernel::local_day::local_date;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::registry::acts_organisations::{known, matter};
use crate::registry::acts_qualifications::{self as acts, Decide};
use crate::registry::http_organisation_views::{Grounds, NewVerification};
use crate::registry::http_organisations::{may, parsed};
use crate::registry::rules_qualifications::{
    self as rules, Entered, KNOWN, Qualification, QualificationId, State, known_kind,
};
use crate::registry::store_qualifications as store;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(kinds)
        .service(list)
        .service(claim)
        .service(verify)
        .service(refuse)
        .service(withdraw);
}

/// A qualification of an organisation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Qualification, example = json!({
    "id": "qualification_01jd3n8f5teqkrzvq1c0m6h2ax", "organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "kind": "security_service",
    "kind_zh": "保安服务许可证", "kind_en": "Licence for security services", "issuer": "凤城市公安局", "number": "凤公保 2026-007",
    "grade": null, "valid_from": "2026-01-01", "valid_to": "2028-12-31", "state": "verified", "expired": false, "version": 2,
    "private": null
}))]
pub struct QualificationView {
    /// Its id.
    pub id: QualificationId,
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// Which kind, by its code.
    pub kind: String,
    /// The kind's Chinese name, if it has one here.
    #[schema(required = true)]
    pub kind_zh: Option<String>,
    /// The kind's English name, if it has one here.
    #[schema(required = true)]
    pub kind_en: Option<String>,
    /// Who issued it.
    pub issuer: String,
    /// Its number.
    pub number: String,
    /// Its grade.
    #[schema(required = true)]
    pub grade: Option<String>,
    /// The first day on which it holds, a date of the ward.
    pub valid_from: String,
    /// The last day on which it holds; `null` if it has no end.
    #[schema(required = true)]
    pub valid_to: Option<String>,
    /// How far it has come.
    pub state: State,
    /// True if its last day is over.
    pub expired: bool,
    /// Counts the changes, from 1.
    pub version: i64,
    /// What is not public; `null` for whoever may not see it.
    #[schema(required = true)]
    pub private: Option<QualificationPrivate>,
}

/// What of a qualification its organisation's people, the platform and auditors see.
#[derive(Debug, Serialize, ToSchema)]
pub struct QualificationPrivate {
    /// What it was compared with, or why it was refused or withdrawn.
    #[schema(required = true, example = "许可证原件")]
    pub note: Option<String>,
    /// Which account claimed it.
    #[schema(example = "user_01jd3n8f5teqkrzvq1c0m6h2ax")]
    pub claimed_by: String,
    /// When, UTC.
    #[schema(example = "2026-03-02T08:00:00.000000Z")]
    pub claimed_at: String,
    /// Which account decided last.
    #[schema(required = true, example = "user_01jd3n8f5teqkrzvq1c0m6h2ay")]
    pub decided_by: Option<String>,
    /// When, UTC.
    #[schema(required = true, example = "2026-03-03T08:00:00.000000Z")]
    pub decided_at: Option<String>,
}

impl QualificationView {
    /// A qualification on a day, with what is private if it is opened.
    pub fn of(qualification: Qualification, today: NaiveDate, opened: bool) -> Self {
        let expired = qualification.has_expired(today);
        let licence = qualification.licence;
        let kind = known_kind(&licence.kind);
        let (decided_by, decided_at) = qualification.decided.unzip();
        Self {
            id: qualification.id,
            organisation_id: qualification.organisation_id,
            kind_zh: kind.map(|kind| kind.name_zh.to_owned()),
            kind_en: kind.map(|kind| kind.name_en.to_owned()),
            kind: licence.kind,
            issuer: licence.issuer,
            number: licence.number,
            grade: licence.grade,
            valid_from: licence.valid_from.to_string(),
            valid_to: licence.valid_to.map(|day| day.to_string()),
            state: qualification.state,
            expired,
            version: qualification.version,
            private: opened.then(|| QualificationPrivate {
                note: qualification.note,
                claimed_by: qualification.claimed_by,
                claimed_at: rfc3339(qualification.claimed_at),
                decided_by,
                decided_at: decided_at.map(rfc3339),
            }),
        }
    }
}

/// A kind of qualification that has names here.
#[derive(Debug, Serialize, ToSchema)]
pub struct QualificationKind {
    /// Its code.
    #[schema(example = "security_service")]
    pub code: &'static str,
    /// Its Chinese name.
    #[schema(example = "保安服务许可证")]
    pub name_zh: &'static str,
    /// Its English name.
    #[schema(example = "Licence for security services")]
    pub name_en: &'static str,
}

/// A qualification to claim. Texts are without invisible characters, and do not begin with `=`, `+`, `-` or `@`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "security_service", "issuer": "凤城市公安局", "number": "凤公保 2026-007", "valid_from": "2026-01-01", "valid_to": "2028-12-31"
}))]
pub struct NewQualification {
    /// Which kind, by its code: one of `GET /api/v1/qualification-kinds`, or another.
    #[schema(pattern = "^[a-z0-9_]{2,40}$")]
    kind: String,
    /// Who issued it.
    #[schema(min_length = 1, max_length = 100)]
    issuer: String,
    /// Its number.
    #[schema(min_length = 1, max_length = 60)]
    number: String,
    /// Its grade, if its kind has grades.
    #[serde(default)]
    #[schema(max_length = 40)]
    grade: Option<String>,
    /// The first day on which it holds.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    valid_from: String,
    /// The last day on which it holds; leave it out if it has no end.
    #[serde(default)]
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    valid_to: Option<String>,
}

/// List kinds of qualifications
///
/// Those that have names here; other codes may be used as well.
#[utoipa::path(
    operation_id = "list_qualification_kinds",
    tag = "organisations",
    responses((status = 200, description = "All of them", body = Vec<QualificationKind>)),
    extensions(("x-action" = json!("ReadOrganisations"))),
)]
#[get("/qualification-kinds")]
async fn kinds(actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOrganisations, Matter::default())?;
    let all: Vec<QualificationKind> = KNOWN
        .iter()
        .map(|kind| QualificationKind {
            code: kind.code,
            name_zh: kind.name_zh,
            name_en: kind.name_en,
        })
        .collect();
    Ok(HttpResponse::Ok().json(all))
}

/// List an organisation's qualifications
///
/// Newest first: to everyone those that are verified, to its own people, the platform and auditors all.
#[utoipa::path(
    operation_id = "list_qualifications",
    tag = "organisations",
    params(
        ("id" = OrganisationId, Path, description = "The organisation"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<QualificationView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such organisation, or it is not public"),
    ),
    extensions(("x-action" = json!("ReadOrganisations"))),
)]
#[get("/organisations/{id}/qualifications")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOrganisations, Matter::default())?;
    let id = parsed(&id)?;
    let (by, which) = (actor.clone(), id.clone());
    let organisation = context.db.glance(move |conn| known(conn, &by, &which)).await?;
    let opened = policy::allows(&actor, Action::OpenOrganisation, matter(&organisation));
    let mut query = Query::of(&request);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let states = if opened {
        &State::ALL[..]
    } else {
        &[State::Verified][..]
    };
    let question = Question::of(&["qualifications", id.as_str(), &opened.to_string()]);
    let before = question
        .after(cursor.as_deref(), 1)?
        .and_then(|parts| parts.into_iter().next());
    let found = context
        .db
        .glance(move |conn| {
            let max = i64::from(limit).saturating_add(1);
            store::qualifications(conn, &id, states, before.as_deref(), max)
        })
        .await?;
    let today = today(&context);
    let page = Page::cut(found, limit, &question, |one| vec![one.id.to_string()])
        .map(|one| QualificationView::of(one, today, opened));
    Ok(page.answer(&request))
}

/// Claim a qualification
///
/// By one of the organisation's people; it counts when it has been verified.
#[utoipa::path(
    operation_id = "claim_qualification",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation")),
    request_body = NewQualification,
    responses(
        (status = 201, description = "The claimed qualification", body = QualificationView),
        (status = 404, description = "There is no such organisation, or it is not public"),
        (status = 409, description = "`organisation_no_supplier`, `qualifications_too_many`"),
    ),
    extensions(("x-action" = json!("ClaimQualification"))),
)]
#[post("/organisations/{id}/qualifications")]
async fn claim(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ClaimQualification)?;
    let id = parsed(&id)?;
    may(&context, &actor, Action::ClaimQualification, id.clone()).await?;
    let body = incoming.json::<NewQualification>().await?;
    let new = body.value;
    let licence = rules::licence(&Entered {
        kind: new.kind,
        issuer: new.issuer,
        number: new.number,
        grade: new.grade,
        valid_from: new.valid_from,
        valid_to: new.valid_to,
    })?;
    let zone = context.calendar.zone;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let claimed = acts::claim(tx, by, &id, &licence)?;
            reply(201, claimed, local_date(tx.now(), zone))
        })
        .await
}

/// Verify a qualification
///
/// It was compared with evidence. Not by whoever claimed it.
#[utoipa::path(
    operation_id = "verify_qualification",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation"), ("qualification" = QualificationId, Path, description = "The qualification")),
    request_body = NewVerification,
    responses(
        (status = 200, description = "The qualification as it is now", body = QualificationView),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such organisation or qualification"),
        (status = 409, description = "`qualification_wrong_state`"),
    ),
    extensions(("x-action" = json!("VerifyQualification"))),
)]
#[post("/organisations/{id}/qualifications/{qualification}/verification")]
async fn verify(
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::VerifyQualification)?;
    let body = incoming.json::<NewVerification>().await?;
    let command = decision(path.into_inner(), body.value.evidence)?;
    let zone = context.calendar.zone;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let judged = acts::verify(tx, by, &command)?;
            reply(200, judged, local_date(tx.now(), zone))
        })
        .await
}

/// Refuse a qualification
///
/// The evidence does not bear it out. Not by whoever claimed it.
#[utoipa::path(
    operation_id = "refuse_qualification",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation"), ("qualification" = QualificationId, Path, description = "The qualification")),
    request_body = Grounds,
    responses(
        (status = 200, description = "The qualification as it is now", body = QualificationView),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such organisation or qualification"),
        (status = 409, description = "`qualification_wrong_state`"),
    ),
    extensions(("x-action" = json!("VerifyQualification"))),
)]
#[post("/organisations/{id}/qualifications/{qualification}/refusal")]
async fn refuse(
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::VerifyQualification)?;
    let body = incoming.json::<Grounds>().await?;
    let command = decision(path.into_inner(), body.value.reason)?;
    let zone = context.calendar.zone;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let judged = acts::refuse(tx, by, &command)?;
            reply(200, judged, local_date(tx.now(), zone))
        })
        .await
}

/// Withdraw a qualification
///
/// By one of the organisation's people: it does not claim it any more.
#[utoipa::path(
    operation_id = "withdraw_qualification",
    tag = "organisations",
    params(("id" = OrganisationId, Path, description = "The organisation"), ("qualification" = QualificationId, Path, description = "The qualification")),
    request_body = Grounds,
    responses(
        (status = 200, description = "The qualification as it is now", body = QualificationView),
        (status = 404, description = "There is no such organisation or qualification"),
        (status = 409, description = "`qualification_wrong_state`"),
    ),
    extensions(("x-action" = json!("ClaimQualification"))),
)]
#[post("/organisations/{id}/qualifications/{qualification}/withdrawal")]
async fn withdraw(
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ClaimQualification)?;
    let (organisation, qualification) = path.into_inner();
    may(
        &context,
        &actor,
        Action::ClaimQualification,
        parsed(&organisation)?,
    )
    .await?;
    let body = incoming.json::<Grounds>().await?;
    let command = decision((organisation, qualification), body.value.reason)?;
    let zone = context.calendar.zone;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let withdrawn = acts::withdraw(tx, by, &command)?;
            reply(200, withdrawn, local_date(tx.now(), zone))
        })
        .await
}

fn decision((organisation, qualification): (String, String), grounds: String) -> Answer<Decide> {
    Ok(Decide {
        organisation_id: parsed(&organisation)?,
        id: qualification.parse().map_err(|_| NOT_FOUND.refuse())?,
        grounds,
    })
}

/// The ward's date.
pub(super) fn today(context: &Shared) -> NaiveDate {
    local_date(context.clock.now(), context.calendar.zone)
}

fn reply(status: u16, qualification: Qualification, today: NaiveDate) -> Answer<Reply> {
    Ok(Reply::json(
        status,
        &QualificationView::of(qualification, today, true),
    )?)
}
