//! Intention notices over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::acts_intentions::{self as acts, DraftIntention};
use crate::books::rules_intentions::{Entered, Intention, IntentionId, Month, State, Version};
use crate::books::store_intentions::{self as store, IntentionFilter};
use crate::budget::acts::own_organisations;
use crate::budget::desk::{self, attached, parsed};
use crate::kernel::clock::rfc3339;
use crate::kernel::money::Money;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::Answer;
use crate::kernel::text::Text;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{Expected, etag};
use crate::web::format::{Format, csv_table};
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
        .service(versions)
        .service(publish)
        .service(withdraw);
}

/// What an intention notice says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IntentionVersion, example = json!({
    "number": 1, "category": "sanitation", "area_ids": ["area_01jd3n8f5teqkrzvq1c0m6h2ax"], "title_zh": "道路保洁", "title_en": "Street sanitation",
    "overview_zh": "主次干道日常保洁，12 个月", "overview_en": "Daily cleaning of main and side roads, 12 months",
    "budget": {"amount": "2350200.00", "currency": "CNY"}, "expected_month": "2026-05", "contact": "王磊 0990-1234567",
    "reason_zh": null, "reason_en": null, "drafted_at": "2026-03-02T01:00:00.000000Z", "published_at": "2026-03-02T02:00:00.000000Z"
}))]
pub struct VersionView {
    /// Its number, from 1.
    pub number: i64,
    /// The category of services.
    pub category: String,
    /// Where the service is for.
    pub area_ids: Vec<AreaId>,
    /// Its title, in Chinese.
    pub title_zh: String,
    /// Its title, in English.
    pub title_en: String,
    /// What is needed, in Chinese.
    pub overview_zh: String,
    /// What is needed, in English.
    pub overview_en: String,
    /// For how much.
    pub budget: Money,
    /// When it is to be bought.
    pub expected_month: String,
    /// Whom to ask.
    pub contact: String,
    /// Why it takes the place of the one before, in Chinese; none of the first.
    #[schema(required = true)]
    pub reason_zh: Option<String>,
    /// Why it takes the place of the one before, in English.
    #[schema(required = true)]
    pub reason_en: Option<String>,
    /// When it was written, UTC.
    pub drafted_at: String,
    /// When it was published, UTC; none of a draft.
    #[schema(required = true)]
    pub published_at: Option<String>,
}

impl From<Version> for VersionView {
    fn from(version: Version) -> Self {
        let content = version.content;
        let reason = version.reason.as_ref();
        Self {
            number: version.number,
            category: content.category,
            area_ids: content.area_ids,
            title_zh: content.title.zh().to_owned(),
            title_en: content.title.en().to_owned(),
            overview_zh: content.overview.zh().to_owned(),
            overview_en: content.overview.en().to_owned(),
            budget: content.budget,
            expected_month: content.expected_month.to_string(),
            contact: content.contact,
            reason_zh: reason.map(|reason| reason.zh().to_owned()),
            reason_en: reason.map(|reason| reason.en().to_owned()),
            drafted_at: rfc3339(version.drafted_at),
            published_at: version.published.map(|(_, at)| rfc3339(at)),
        }
    }
}

/// An intention notice (采购意向): what a public body plans to buy, before there is a book.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IntentionNotice, example = json!({
    "id": "intention_01jd3n8f5teqkrzvq1c0m6h2ax", "organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "state": "published", "revision": 2,
    "published_at": "2026-03-02T02:00:00.000000Z", "withdrawn_at": null, "withdrawal_zh": null, "withdrawal_en": null,
    "current": {
        "number": 1, "category": "sanitation", "area_ids": ["area_01jd3n8f5teqkrzvq1c0m6h2ax"], "title_zh": "道路保洁",
        "title_en": "Street sanitation", "overview_zh": "主次干道日常保洁，12 个月", "overview_en": "Daily cleaning of main and side roads, 12 months",
        "budget": {"amount": "2350200.00", "currency": "CNY"}, "expected_month": "2026-05", "contact": "王磊 0990-1234567",
        "reason_zh": null, "reason_en": null, "drafted_at": "2026-03-02T01:00:00.000000Z", "published_at": "2026-03-02T02:00:00.000000Z"
    },
    "draft": null
}))]
pub struct IntentionView {
    /// Its id.
    pub id: IntentionId,
    /// Who plans to buy.
    pub organisation_id: OrganisationId,
    /// How far it has come.
    pub state: State,
    /// Counts the changes, from 1.
    pub revision: i64,
    /// When it became public, UTC; never moves.
    #[schema(required = true)]
    pub published_at: Option<String>,
    /// When it was withdrawn, UTC.
    #[schema(required = true)]
    pub withdrawn_at: Option<String>,
    /// Why, in Chinese.
    #[schema(required = true)]
    pub withdrawal_zh: Option<String>,
    /// Why, in English.
    #[schema(required = true)]
    pub withdrawal_en: Option<String>,
    /// What it says: the last version that was published.
    #[schema(required = true)]
    pub current: Option<VersionView>,
    /// What is written and not published; shown to the body's own people only.
    #[schema(required = true)]
    pub draft: Option<VersionView>,
}

impl From<Intention> for IntentionView {
    fn from(intention: Intention) -> Self {
        let withdrawn = intention.withdrawn.as_ref();
        let word = |language: fn(&Text) -> &str| withdrawn.map(|(_, reason)| language(reason).to_owned());
        Self {
            withdrawn_at: withdrawn.map(|(at, _)| rfc3339(*at)),
            withdrawal_zh: word(Text::zh),
            withdrawal_en: word(Text::en),
            id: intention.id,
            organisation_id: intention.organisation_id,
            state: intention.state,
            revision: intention.revision,
            published_at: intention.published_at.map(rfc3339),
            current: intention.current.map(VersionView::from),
            draft: intention.draft.map(VersionView::from),
        }
    }
}

/// Every published version of a notice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IntentionVersions)]
pub struct VersionsView {
    /// Newest first.
    pub items: Vec<VersionView>,
}

/// What a notice is to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IntentionContent, example = json!({
    "category": "sanitation", "area_ids": ["area_01jd3n8f5teqkrzvq1c0m6h2ax"], "title_zh": "道路保洁", "title_en": "Street sanitation",
    "overview_zh": "主次干道日常保洁，12 个月", "overview_en": "Daily cleaning of main and side roads, 12 months",
    "budget": {"amount": "2350200.00", "currency": "CNY"}, "expected_month": "2026-05", "contact": "王磊 0990-1234567"
}))]
pub struct ContentBody {
    /// The category of services.
    #[schema(min_length = 1, max_length = 40)]
    category: String,
    /// Where the service is for.
    #[schema(min_items = 1, max_items = 50)]
    area_ids: Vec<AreaId>,
    /// Its title, in Chinese.
    #[schema(min_length = 1, max_length = 200)]
    title_zh: String,
    /// Its title, in English.
    #[schema(min_length = 1, max_length = 200)]
    title_en: String,
    /// What is needed, in Chinese.
    #[schema(min_length = 1, max_length = 5000)]
    overview_zh: String,
    /// What is needed, in English.
    #[schema(min_length = 1, max_length = 5000)]
    overview_en: String,
    /// For how much, more than zero.
    budget: Money,
    /// When it is to be bought.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}$")]
    expected_month: String,
    /// Whom to ask.
    #[schema(min_length = 1, max_length = 200)]
    contact: String,
    /// Why what is public is corrected, in Chinese; only of a correction, which has to have it.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    reason_zh: Option<String>,
    /// Why what is public is corrected, in English.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    reason_en: Option<String>,
}

impl From<ContentBody> for Entered {
    fn from(body: ContentBody) -> Self {
        let reason = match (body.reason_zh, body.reason_en) {
            (None, None) => None,
            (zh, en) => Some((zh.unwrap_or_default(), en.unwrap_or_default())),
        };
        Self {
            category: body.category,
            area_ids: body.area_ids,
            title: (body.title_zh, body.title_en),
            overview: (body.overview_zh, body.overview_en),
            budget: body.budget,
            expected_month: body.expected_month,
            contact: body.contact,
            reason,
        }
    }
}

/// A notice to begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewIntention)]
pub struct NewIntention {
    /// Who plans to buy.
    #[schema(example = "org_01jd3n8f5teqkrzvq1c0m6h2ax")]
    organisation_id: OrganisationId,
    /// What the notice says.
    content: ContentBody,
}

/// Why a notice is withdrawn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IntentionWithdrawal {
    /// In Chinese.
    #[schema(min_length = 1, max_length = 500, example = "改由社区自管，不再采购")]
    reason_zh: String,
    /// In English.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "The community does it itself; nothing is bought"
    )]
    reason_en: String,
}

/// List intention notices
///
/// Newest first: to everyone those that were published, to a body's own people its drafts as well. As CSV with `Accept: text/csv`.
#[utoipa::path(
    operation_id = "list_intention_notices",
    tag = "planning",
    params(
        ("category" = Option<String>, Query, max_length = 40, description = "Of this category of services", example = "sanitation"),
        ("organisation_id" = Option<OrganisationId>, Query, description = "By this buyer"),
        ("area_id" = Option<AreaId>, Query, description = "About this area or one within it"),
        ("expected_month" = Option<String>, Query, pattern = "^[0-9]{4}-[0-9]{2}$", description = "Expected in this month", example = "2026-05"),
        ("state" = Option<State>, Query, description = "In this state"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", content(
        (Page<IntentionView> = "application/json"),
        (String = "text/csv", example = "id,organisation_id,state,number,category,title_zh,title_en,budget,expected_month,contact,published_at,withdrawn_at\r\nintention_01jd3n8f5teqkrzvq1c0m6h2ax,org_01jd3n8f5teqkrzvq1c0m6h2ax,published,1,sanitation,道路保洁,Street sanitation,2350200.00,2026-05,王磊 0990-1234567,2026-03-02T02:00:00.000000Z,\r\n")
    ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadIntentions"))),
)]
#[get("/intention-notices")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadIntentions, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let (filter, limit, question) = asked(&request, &actor)?;
    let found = context
        .db
        .glance(move |conn| store::intentions(conn, &filter, desk::one_more(limit)))
        .await?;
    let page = Page::cut(found, limit, &question, |one| vec![one.id.to_string()])
        .map(|one| IntentionView::from(acts::as_seen(&actor, one)));
    let mut response = HttpResponse::Ok();
    page.link(&request, &mut response);
    if format == Format::Json {
        return Ok(response.json(page));
    }
    let table = csv_table(&COLUMNS, page.items.iter().map(row))?;
    Ok(attached(response, "intention-notices.csv", table))
}

fn asked(request: &HttpRequest, actor: &Actor) -> Answer<(IntentionFilter, u16, Question)> {
    let mut query = Query::of(request);
    let category = query.text("category");
    let organisation = query.parsed::<OrganisationId>("organisation_id");
    let area = query.parsed::<AreaId>("area_id");
    let expected_month = query.parsed::<Month>("expected_month");
    let state = query.one_of("state", &State::ALL.map(|state| (state.name(), state)));
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&[
        "intention_notices",
        category.as_deref().unwrap_or_default(),
        organisation.as_ref().map_or("", OrganisationId::as_str),
        area.as_ref().map_or("", AreaId::as_str),
        &expected_month.map(|month| month.to_string()).unwrap_or_default(),
        state.map_or("", State::name),
    ]);
    let filter = IntentionFilter {
        category,
        organisation,
        area,
        expected_month,
        state,
        drafts_of: own_organisations(actor, Action::OpenIntentionDrafts).unwrap_or_default(),
        before: desk::after(&question, cursor.as_deref())?,
    };
    Ok((filter, limit, question))
}

const COLUMNS: [&str; 12] = [
    "id",
    "organisation_id",
    "state",
    "number",
    "category",
    "title_zh",
    "title_en",
    "budget",
    "expected_month",
    "contact",
    "published_at",
    "withdrawn_at",
];

fn row(notice: &IntentionView) -> [String; 12] {
    let shown = notice.current.as_ref().or(notice.draft.as_ref());
    let said = |of: fn(&VersionView) -> String| shown.map(of).unwrap_or_default();
    [
        notice.id.to_string(),
        notice.organisation_id.to_string(),
        notice.state.name().to_owned(),
        said(|version| version.number.to_string()),
        said(|version| version.category.clone()),
        said(|version| version.title_zh.clone()),
        said(|version| version.title_en.clone()),
        said(|version| version.budget.to_string()),
        said(|version| version.expected_month.clone()),
        said(|version| version.contact.clone()),
        notice.published_at.clone().unwrap_or_default(),
        notice.withdrawn_at.clone().unwrap_or_default(),
    ]
}

/// Begin an intention notice
///
/// As a draft, by an officer of the body that plans to buy.
#[utoipa::path(
    operation_id = "draft_intention_notice",
    tag = "planning",
    request_body = NewIntention,
    responses((status = 201, description = "The draft", body = IntentionView, headers(("ETag" = String, description = "The revision, for `If-Match`"), ("Location" = String, description = "Where the notice is")))),
    extensions(("x-action" = json!("DraftIntention"))),
)]
#[post("/intention-notices")]
async fn draft(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DraftIntention)?;
    let body = incoming.json::<NewIntention>().await?;
    let command = DraftIntention {
        organisation_id: body.value.organisation_id,
        entered: body.value.content.into(),
    };
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let drafted = acts::draft(tx, &by, &command)?;
            let location = format!("/api/v1/intention-notices/{}", drafted.id);
            Ok(reply(201, drafted)?.location(location))
        })
        .await
}

/// Read an intention notice
#[utoipa::path(
    operation_id = "read_intention_notice",
    tag = "planning",
    params(("id" = IntentionId, Path, description = "The notice")),
    responses(
        (status = 200, description = "The notice", body = IntentionView, headers(("ETag" = String, description = "The revision, for `If-Match`"))),
        (status = 404, description = "There is no such notice, or it was never published and is not your organisation's"),
    ),
    extensions(("x-action" = json!("ReadIntentions"))),
)]
#[get("/intention-notices/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadIntentions, Matter::default())?;
    let id: IntentionId = parsed(&id)?;
    let notice = context
        .db
        .glance(move |conn| acts::known(conn, &actor, &id))
        .await?;
    Ok(shown(notice))
}

/// Write an intention notice anew
///
/// By an officer of the body that plans to buy. Of a notice that is public, this writes a correction: what is public stays as it is
/// until somebody else publishes it. Needs `If-Match`.
#[utoipa::path(
    operation_id = "redraft_intention_notice",
    tag = "planning",
    params(("id" = IntentionId, Path, description = "The notice"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = ContentBody,
    responses(
        (status = 200, description = "The notice as it is now", body = IntentionView, headers(("ETag" = String, description = "The revision, for `If-Match`"))),
        (status = 404, description = "There is no such notice"),
        (status = 409, description = "`intention_wrong_state`, `intention_versions_too_many`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DraftIntention"))),
)]
#[put("/intention-notices/{id}/draft")]
async fn rewrite(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DraftIntention)?;
    let id: IntentionId = parsed(&id)?;
    let entered: Entered = incoming.json::<ContentBody>().await?.value.into();
    let expected = Expected::of(&request)?;
    let notice = context
        .db
        .write(move |tx| acts::rewrite(tx, &actor, &id, expected, &entered))
        .await?;
    Ok(shown(notice))
}

/// List the versions of an intention notice
///
/// All that were published, newest first.
#[utoipa::path(
    operation_id = "list_intention_versions",
    tag = "planning",
    params(("id" = IntentionId, Path, description = "The notice")),
    responses(
        (status = 200, description = "All of them", body = VersionsView),
        (status = 404, description = "There is no such notice, or it was never published"),
    ),
    extensions(("x-action" = json!("ReadIntentions"))),
)]
#[get("/intention-notices/{id}/versions")]
async fn versions(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadIntentions, Matter::default())?;
    let id: IntentionId = parsed(&id)?;
    let found = context
        .db
        .glance(move |conn| {
            acts::known(conn, &actor, &id)?;
            store::published_versions(conn, &id)
        })
        .await?;
    let items = found.into_iter().map(VersionView::from).collect();
    Ok(HttpResponse::Ok().json(VersionsView { items }))
}

/// Publish an intention notice
///
/// What another person has written: the notice, or a correction of it. Everyone can read it at once. Needs `If-Match`.
#[utoipa::path(
    operation_id = "publish_intention_notice",
    tag = "planning",
    params(("id" = IntentionId, Path, description = "The notice"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\"")),
    responses(
        (status = 200, description = "The notice as it is now", body = IntentionView, headers(("ETag" = String, description = "The revision, for `If-Match`"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such notice"),
        (status = 409, description = "`intention_wrong_state`, `intention_no_draft`, `intention_month_past`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("PublishIntention"))),
)]
#[post("/intention-notices/{id}/publication")]
async fn publish(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::PublishIntention)?;
    let id: IntentionId = parsed(&id)?;
    let expected = Expected::of(&request)?;
    let (by, zone) = (actor.clone(), context.calendar.zone);
    context
        .write_once(&actor, once, [0; 32], move |tx| {
            reply(200, acts::publish(tx, &by, &id, expected, zone)?)
        })
        .await
}

/// Withdraw an intention notice
///
/// Nothing is planned any more. The notice stays public, with the reason. Needs `If-Match`.
#[utoipa::path(
    operation_id = "withdraw_intention_notice",
    tag = "planning",
    params(("id" = IntentionId, Path, description = "The notice"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = IntentionWithdrawal,
    responses(
        (status = 200, description = "The notice as it is now", body = IntentionView, headers(("ETag" = String, description = "The revision, for `If-Match`"))),
        (status = 404, description = "There is no such notice"),
        (status = 409, description = "`intention_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("PublishIntention"))),
)]
#[post("/intention-notices/{id}/withdrawal")]
async fn withdraw(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::PublishIntention)?;
    let id: IntentionId = parsed(&id)?;
    let body = incoming.json::<IntentionWithdrawal>().await?;
    let expected = Expected::of(&request)?;
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let reason = (body.value.reason_zh.as_str(), body.value.reason_en.as_str());
            reply(200, acts::withdraw(tx, &by, &id, expected, reason)?)
        })
        .await
}

fn shown(notice: Intention) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((ETAG, etag(notice.revision)))
        .json(IntentionView::from(notice))
}

fn reply(status: u16, notice: Intention) -> Answer<Reply> {
    let revision = notice.revision;
    Ok(Reply::json(status, &IntentionView::from(notice))?.etag(etag(revision)))
}
