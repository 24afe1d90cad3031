//! Records of consultation over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::acts_consultations::{self as acts, DraftConsultation, EnteredConclusion};
use crate::books::rules_consultations::{Consultation, ConsultationId, Consulted, Entered, Outsider, State};
use crate::books::store_consultations::{self as store, ConsultationFilter};
use crate::budget::acts::own_organisations;
use crate::budget::desk::{self, parsed};
use crate::files::http::AttachmentView;
use crate::files::rules::{Attachment, AttachmentId};
use crate::files::store::attached_to;
use crate::kernel::clock::rfc3339;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{Expected, etag};
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list)
        .service(draft)
        .service(read)
        .service(rewrite)
        .service(review)
        .service(list_minutes)
        .service(add_minutes)
        .service(conclude);
}

/// What a reviewer with an account said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConsultationReview)]
pub struct ReviewView {
    /// Whose account it is.
    #[schema(example = "user_01jd3n8f5teqkrzvq1c0m6h2ax")]
    pub account_id: String,
    /// What, in Chinese.
    #[schema(example = "需求合理")]
    pub opinion_zh: String,
    /// What, in English.
    #[schema(example = "The need is reasonable")]
    pub opinion_en: String,
    /// When, UTC.
    #[schema(example = "2026-03-02T01:00:00.000000Z")]
    pub reviewed_at: String,
}

/// A record of consultation (需求论证): who was asked about a need, and what came of it. It names people, so it has no `Debug`.
#[derive(Serialize, ToSchema)]
#[schema(as = Consultation, example = json!({
    "id": "consultation_01jd3n8f5teqkrzvq1c0m6h2ax", "organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "state": "draft", "revision": 1,
    "category": "sanitation", "title_zh": "道路保洁需求论证", "title_en": "Consultation on street sanitation", "need_zh": "主次干道日常保洁",
    "need_en": "Daily cleaning of roads", "consulted": [], "outsiders": [], "reviews": [], "conclusion_zh": null, "conclusion_en": null,
    "concluded_on": null, "drafted_at": "2026-03-02T01:00:00.000000Z", "concluded_at": null
}))]
pub struct ConsultationView {
    /// Its id.
    #[schema(example = "consultation_01jd3n8f5teqkrzvq1c0m6h2ax")]
    pub id: ConsultationId,
    /// Whose need it is.
    #[schema(example = "org_01jd3n8f5teqkrzvq1c0m6h2ax")]
    pub organisation_id: OrganisationId,
    /// How far it has come.
    pub state: State,
    /// Counts the changes, from 1.
    pub revision: i64,
    /// The category of services.
    #[schema(example = "sanitation")]
    pub category: String,
    /// Its title, in Chinese.
    #[schema(example = "道路保洁需求论证")]
    pub title_zh: String,
    /// Its title, in English.
    #[schema(example = "Consultation on street sanitation")]
    pub title_en: String,
    /// What is needed, in Chinese.
    #[schema(example = "主次干道日常保洁")]
    pub need_zh: String,
    /// What is needed, in English.
    #[schema(example = "Daily cleaning of roads")]
    pub need_en: String,
    /// Who was consulted.
    pub consulted: Vec<Consulted>,
    /// Reviewers without an account.
    pub outsiders: Vec<Outsider>,
    /// What reviewers with an account said, oldest first.
    pub reviews: Vec<ReviewView>,
    /// What came of it, in Chinese.
    #[schema(required = true)]
    pub conclusion_zh: Option<String>,
    /// What came of it, in English.
    #[schema(required = true)]
    pub conclusion_en: Option<String>,
    /// On which day.
    #[schema(required = true)]
    pub concluded_on: Option<String>,
    /// When it was begun, UTC.
    pub drafted_at: String,
    /// When it was concluded, UTC.
    #[schema(required = true)]
    pub concluded_at: Option<String>,
}

impl From<Consultation> for ConsultationView {
    fn from(record: Consultation) -> Self {
        let (state, content, done) = (record.state(), record.content, record.conclusion.as_ref());
        let reviews = record.reviews.into_iter().map(|one| ReviewView {
            account_id: one.account_id,
            opinion_zh: one.opinion.zh().to_owned(),
            opinion_en: one.opinion.en().to_owned(),
            reviewed_at: rfc3339(one.at),
        });
        Self {
            id: record.id,
            organisation_id: record.organisation_id,
            state,
            revision: record.revision,
            category: content.category,
            title_zh: content.title.zh().to_owned(),
            title_en: content.title.en().to_owned(),
            need_zh: content.need.zh().to_owned(),
            need_en: content.need.en().to_owned(),
            consulted: content.consulted,
            outsiders: content.outsiders,
            reviews: reviews.collect(),
            conclusion_zh: done.map(|done| done.said.zh().to_owned()),
            conclusion_en: done.map(|done| done.said.en().to_owned()),
            concluded_on: done.map(|done| done.on.to_string()),
            drafted_at: rfc3339(record.drafted_at),
            concluded_at: done.map(|done| rfc3339(done.at)),
        }
    }
}

/// What a record is to say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConsultationContent)]
pub struct ContentBody {
    /// The category of services.
    #[schema(min_length = 1, max_length = 40, example = "sanitation")]
    category: String,
    /// Its title, in Chinese.
    #[schema(min_length = 1, max_length = 200, example = "道路保洁需求论证")]
    title_zh: String,
    /// Its title, in English.
    #[schema(
        min_length = 1,
        max_length = 200,
        example = "Consultation on street sanitation"
    )]
    title_en: String,
    /// What is needed, in Chinese.
    #[schema(min_length = 1, max_length = 5000, example = "主次干道日常保洁")]
    need_zh: String,
    /// What is needed, in English.
    #[schema(min_length = 1, max_length = 5000, example = "Daily cleaning of roads")]
    need_en: String,
    /// Who was consulted.
    #[schema(max_items = 30)]
    consulted: Vec<Consulted>,
    /// Reviewers without an account.
    #[schema(max_items = 20)]
    outsiders: Vec<Outsider>,
}

impl From<ContentBody> for Entered {
    fn from(body: ContentBody) -> Self {
        Self {
            category: body.category,
            title: (body.title_zh, body.title_en),
            need: (body.need_zh, body.need_en),
            consulted: body.consulted,
            outsiders: body.outsiders,
        }
    }
}

/// A record to begin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConsultation {
    /// Whose need it is.
    #[schema(example = "org_01jd3n8f5teqkrzvq1c0m6h2ax")]
    organisation_id: OrganisationId,
    /// What the record says.
    content: ContentBody,
}

/// What a reviewer says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewOpinion {
    /// In Chinese.
    #[schema(min_length = 1, max_length = 1000, example = "需求合理")]
    opinion_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 1000, example = "The need is reasonable")]
    opinion_en: String,
}

/// What came of a consultation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsultationConclusion {
    /// In Chinese.
    #[schema(min_length = 1, max_length = 2000, example = "需求可行，增加夜间保洁")]
    conclusion_zh: String,
    /// In English.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "The need is feasible; cleaning at night is added"
    )]
    conclusion_en: String,
    /// On which day.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", example = "2026-02-20")]
    concluded_on: String,
}

/// Attachments to hang on a record as its minutes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMinutes {
    /// Attachments that you have uploaded and that hang on nothing: PDF documents, or pictures.
    #[schema(min_items = 1, max_items = 20)]
    attachment_ids: Vec<AttachmentId>,
}

/// The minutes that there are; never more than twenty attachments.
#[derive(Debug, Serialize, ToSchema)]
pub struct Minutes {
    /// Oldest first.
    pub items: Vec<AttachmentView>,
}

impl From<Vec<Attachment>> for Minutes {
    fn from(attachments: Vec<Attachment>) -> Self {
        Self {
            items: attachments.into_iter().map(AttachmentView::from).collect(),
        }
    }
}

/// List records of consultation
///
/// Newest first: to auditors and the regulator all, to others those of their organisations.
#[utoipa::path(
    operation_id = "list_consultations",
    tag = "planning",
    params(
        ("category" = Option<String>, Query, max_length = 40, description = "Of this category of services", example = "sanitation"),
        ("organisation_id" = Option<OrganisationId>, Query, description = "Of this organisation"),
        ("state" = Option<State>, Query, description = "In this state"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<ConsultationView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ListConsultations"))),
)]
#[get("/consultations")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ListConsultations, Matter::default())?;
    let mut query = Query::of(&request);
    let category = query.text("category");
    let organisation = query.parsed::<OrganisationId>("organisation_id");
    let state = query.one_of("state", &State::ALL.map(|state| (state.name(), state)));
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&[
        "consultations",
        category.as_deref().unwrap_or_default(),
        organisation.as_ref().map_or("", OrganisationId::as_str),
        state.map_or("", State::name),
    ]);
    let filter = ConsultationFilter {
        organisation,
        category,
        state,
        organisations: own_organisations(&actor, Action::ReadConsultation),
        before: desk::after(&question, cursor.as_deref())?,
    };
    let found = context
        .db
        .glance(move |conn| store::consultations(conn, &filter, desk::one_more(limit)))
        .await?;
    let page = Page::cut(found, limit, &question, |one| vec![one.id.to_string()]).map(ConsultationView::from);
    Ok(page.answer(&request))
}

/// Begin a record of consultation
///
/// By an officer of the body whose need it is.
#[utoipa::path(
    operation_id = "draft_consultation",
    tag = "planning",
    request_body = NewConsultation,
    responses((status = 201, description = "The draft", body = ConsultationView, headers(("ETag" = String, description = "The revision, for `If-Match`"), ("Location" = String, description = "Where the record is")))),
    extensions(("x-action" = json!("DraftConsultation"))),
)]
#[post("/consultations")]
async fn draft(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DraftConsultation)?;
    let body = incoming.json::<NewConsultation>().await?;
    let command = DraftConsultation {
        organisation_id: body.value.organisation_id,
        entered: body.value.content.into(),
    };
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let drafted = acts::draft(tx, &by, &command)?;
            let location = format!("/api/v1/consultations/{}", drafted.id);
            Ok(reply(201, drafted)?.location(location))
        })
        .await
}

/// Read a record of consultation
#[utoipa::path(
    operation_id = "read_consultation",
    tag = "planning",
    params(("id" = ConsultationId, Path, description = "The record")),
    responses(
        (status = 200, description = "The record", body = ConsultationView, headers(("ETag" = String, description = "The revision, for `If-Match`"))),
        (status = 404, description = "There is no such record, or it is not your organisation's"),
    ),
    extensions(("x-action" = json!("ReadConsultation"))),
)]
#[get("/consultations/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadConsultation)?;
    let id: ConsultationId = parsed(&id)?;
    let record = context
        .db
        .glance(move |conn| acts::known(conn, &actor, &id))
        .await?;
    Ok(shown(record))
}

/// Write a record of consultation anew
///
/// Until it is concluded; once somebody has reviewed it, title, category and need stay as they are. Needs `If-Match`.
#[utoipa::path(
    operation_id = "redraft_consultation",
    tag = "planning",
    params(("id" = ConsultationId, Path, description = "The record"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = ContentBody,
    responses(
        (status = 200, description = "The record as it is now", body = ConsultationView, headers(("ETag" = String, description = "The revision, for `If-Match`"))),
        (status = 404, description = "There is no such record"),
        (status = 409, description = "`consultation_wrong_state`, `consultation_reviewed`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DraftConsultation"))),
)]
#[put("/consultations/{id}")]
async fn rewrite(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DraftConsultation)?;
    let id: ConsultationId = parsed(&id)?;
    let entered: Entered = incoming.json::<ContentBody>().await?.value.into();
    let expected = Expected::of(&request)?;
    let record = context
        .db
        .write(move |tx| acts::rewrite(tx, &actor, &id, expected, &entered))
        .await?;
    Ok(shown(record))
}

/// Review a need
///
/// Adds your own opinion, once. Reviewers are others than who wrote the record.
#[utoipa::path(
    operation_id = "review_consultation",
    tag = "planning",
    params(("id" = ConsultationId, Path, description = "The record")),
    request_body = ReviewOpinion,
    responses(
        (status = 201, description = "The record as it is now", body = ConsultationView, headers(("ETag" = String, description = "The revision, for `If-Match`"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such record"),
        (status = 409, description = "`consultation_wrong_state`, `consultation_reviewed_already`"),
    ),
    extensions(("x-action" = json!("ReviewConsultation"))),
)]
#[post("/consultations/{id}/reviews")]
async fn review(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReviewConsultation)?;
    let id: ConsultationId = parsed(&id)?;
    let body = incoming.json::<ReviewOpinion>().await?;
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let said = (body.value.opinion_zh.as_str(), body.value.opinion_en.as_str());
            reply(201, acts::review(tx, &by, &id, said)?)
        })
        .await
}

/// List the minutes of a consultation
#[utoipa::path(
    operation_id = "list_consultation_minutes",
    tag = "planning",
    params(("id" = ConsultationId, Path, description = "The record")),
    responses(
        (status = 200, description = "All of them", body = Minutes),
        (status = 404, description = "There is no such record, or it is not your organisation's"),
    ),
    extensions(("x-action" = json!("ReadConsultation"))),
)]
#[get("/consultations/{id}/minutes")]
async fn list_minutes(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadConsultation)?;
    let id: ConsultationId = parsed(&id)?;
    let found = context
        .db
        .glance(move |conn| {
            acts::known(conn, &actor, &id)?;
            attached_to(conn, id.as_str())
        })
        .await?;
    Ok(HttpResponse::Ok().json(Minutes::from(found)))
}

/// Hang minutes on a record of consultation
///
/// For good, until it is concluded.
#[utoipa::path(
    operation_id = "add_consultation_minutes",
    tag = "planning",
    params(("id" = ConsultationId, Path, description = "The record")),
    request_body = NewMinutes,
    responses(
        (status = 201, description = "All minutes that there are now", body = Minutes),
        (status = 404, description = "There is no such record"),
        (status = 409, description = "`consultation_wrong_state`, `consultation_minutes_too_many`, `already_attached`"),
    ),
    extensions(("x-action" = json!("DraftConsultation"))),
)]
#[post("/consultations/{id}/minutes")]
async fn add_minutes(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DraftConsultation)?;
    let id: ConsultationId = parsed(&id)?;
    let body = incoming.json::<NewMinutes>().await?;
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let all = acts::add_minutes(tx, &by, &id, &body.value.attachment_ids)?;
            Ok(Reply::json(201, &Minutes::from(all))?)
        })
        .await
}

/// Conclude a consultation
///
/// By another person than who wrote the record. Refused, with everything that is missing, until somebody was consulted, somebody has
/// reviewed the need, and minutes are there. Needs `If-Match`.
#[utoipa::path(
    operation_id = "conclude_consultation",
    tag = "planning",
    params(("id" = ConsultationId, Path, description = "The record"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = ConsultationConclusion,
    responses(
        (status = 200, description = "The record as it is now", body = ConsultationView, headers(("ETag" = String, description = "The revision, for `If-Match`"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such record"),
        (status = 409, description = "`consultation_wrong_state`, `consultation_incomplete`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ConcludeConsultation"))),
)]
#[post("/consultations/{id}/conclusion")]
async fn conclude(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ConcludeConsultation)?;
    let id: ConsultationId = parsed(&id)?;
    let body = incoming.json::<ConsultationConclusion>().await?;
    let expected = Expected::of(&request)?;
    let value = body.value;
    let entered = EnteredConclusion {
        said: (value.conclusion_zh, value.conclusion_en),
        on: value.concluded_on,
    };
    let (by, zone) = (actor.clone(), context.calendar.zone);
    context
        .write_once(&actor, once, body.digest, move |tx| {
            reply(200, acts::conclude(tx, &by, &id, expected, (&entered, zone))?)
        })
        .await
}

fn shown(record: Consultation) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((ETAG, etag(record.revision)))
        .json(ConsultationView::from(record))
}

fn reply(status: u16, record: Consultation) -> Answer<Reply> {
    let revision = record.revision;
    Ok(Reply::json(status, &ConsultationView::from(record))?.etag(etag(revision)))
}
