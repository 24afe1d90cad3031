//! The pool of experts over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::acts_experts as acts;
use crate::award::rules_experts::{Employer, Entered, Expert};
use crate::award::store_experts as store;
use crate::budget::desk::{after, one_more, parsed};
use crate::kernel::clock::rfc3339;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(add)
        .service(list)
        .service(read)
        .service(change)
        .service(withdraw);
}

/// An expert to add to the pool.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPanelExpert, example = json!({
    "account_id": "user_01jd3n8f5teqkrzvq1c0m6h2ax", "categories": ["sanitation"],
    "employers": [{"organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "until": null}], "unavailable_until": null
}))]
pub struct NewBody {
    /// The account, which holds the role of an evaluator.
    account_id: AccountId,
    /// The codes of the categories of services that they know.
    #[schema(min_items = 1, max_items = 20)]
    categories: Vec<Code>,
    /// Who employs them, or did: they are not drawn where one of these buys or bids.
    #[schema(max_items = 20)]
    employers: Vec<Employer>,
    /// The last day on which they cannot be drawn; `null` if they can.
    #[serde(default)]
    #[schema(
        nullable = true,
        pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        example = "2026-05-31"
    )]
    unavailable_until: Option<String>,
}

/// What is known of an expert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PanelExpertChange, example = json!({
    "categories": ["sanitation"], "employers": [{"organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "until": "2025-06-30"}], "unavailable_until": "2026-05-31"
}))]
pub struct KnownBody {
    /// The codes of the categories of services that they know.
    #[schema(min_items = 1, max_items = 20)]
    categories: Vec<Code>,
    /// Who employs them, or did: they are not drawn where one of these buys or bids.
    #[schema(max_items = 20)]
    employers: Vec<Employer>,
    /// The last day on which they cannot be drawn; `null` if they can.
    #[serde(default)]
    #[schema(
        nullable = true,
        pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        example = "2026-05-31"
    )]
    unavailable_until: Option<String>,
}

/// The code of a category of services.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = CategoryCode, pattern = "^[a-z0-9_]{2,40}$", example = "sanitation")]
pub struct Code(String);

impl From<KnownBody> for Entered {
    fn from(body: KnownBody) -> Self {
        Self {
            categories: body.categories.into_iter().map(|code| code.0).collect(),
            employers: body.employers,
            unavailable_until: body.unavailable_until,
        }
    }
}

/// An expert of the pool.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PanelExpert, example = json!({
    "account_id": "user_01jd3n8f5teqkrzvq1c0m6h2ax", "version": 1, "categories": ["sanitation"], "employers": [], "unavailable_until": null,
    "listed_at": "2026-03-02T02:00:00.000000Z", "changed_at": "2026-03-02T02:00:00.000000Z", "withdrawn_at": null
}))]
pub struct ExpertView {
    /// The account.
    pub account_id: AccountId,
    /// Counts the changes, from 1; also the `ETag`.
    pub version: i64,
    /// The codes of the categories of services that they know.
    pub categories: Vec<String>,
    /// Who employs them, or did.
    pub employers: Vec<Employer>,
    /// The last day on which they cannot be drawn.
    #[schema(value_type = Option<String>)]
    pub unavailable_until: Option<NaiveDate>,
    /// Since when they are in the pool, UTC.
    pub listed_at: String,
    /// When this was changed last, UTC.
    pub changed_at: String,
    /// When they left it, UTC.
    pub withdrawn_at: Option<String>,
}

impl From<Expert> for ExpertView {
    fn from(expert: Expert) -> Self {
        Self {
            account_id: expert.account_id,
            version: expert.version,
            categories: expert.categories,
            employers: expert.employers,
            unavailable_until: expert.unavailable_until,
            listed_at: rfc3339(expert.listed_at),
            changed_at: rfc3339(expert.changed_at),
            withdrawn_at: expert.withdrawn_at.map(rfc3339),
        }
    }
}

fn reply(status: u16, expert: Expert) -> Answer<Reply> {
    let version = expert.version;
    Ok(Reply::json(status, &ExpertView::from(expert))?.etag(conditional::etag(version)))
}

/// Add an expert to the pool
///
/// From which panels are drawn. Somebody who has left it is listed again.
#[utoipa::path(
    operation_id = "add_panel_expert",
    tag = "panels",
    request_body = NewBody,
    responses(
        (status = 201, description = "The expert", body = ExpertView, headers(("ETag" = String, description = "The version"))),
        (status = 409, description = "`expert_unfit`, `expert_listed`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("KeepExperts"))),
)]
#[post("/panel-experts")]
async fn add(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::KeepExperts, Matter::default())?;
    let body = incoming.json::<NewBody>().await?;
    let new = body.value;
    let account = new.account_id;
    let entered = Entered::from(KnownBody {
        categories: new.categories,
        employers: new.employers,
        unavailable_until: new.unavailable_until,
    });
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let expert = acts::add(tx, by, &account, entered.clone())?;
            Ok(reply(201, expert)?.location(format!("/api/v1/panel-experts/{account}")))
        })
        .await
}

/// List the pool of experts
///
/// By their ids; whoever has left it is not listed. For the regulator and auditors: buyers would know whom to expect.
#[utoipa::path(
    operation_id = "list_panel_experts",
    tag = "panels",
    params(
        ("category" = Option<String>, Query, description = "Only experts for this category", example = "sanitation"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<ExpertView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ListExperts"))),
)]
#[get("/panel-experts")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ListExperts, Matter::default())?;
    let mut query = Query::of(&request);
    let category = query.text("category");
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["panel experts", category.as_deref().unwrap_or_default()]);
    let beyond = after(&question, cursor.as_deref())?;
    let found = context
        .db
        .read(move |conn| store::listed(conn, category.as_deref(), beyond.as_deref(), one_more(limit)))
        .await?;
    let views = found.into_iter().map(ExpertView::from).collect();
    let page = Page::cut(views, limit, &question, |one: &ExpertView| {
        vec![one.account_id.to_string()]
    });
    Ok(page.answer(&request))
}

/// See what the pool says of an expert
///
/// Every expert sees it of themself.
#[utoipa::path(
    operation_id = "read_panel_expert",
    tag = "panels",
    params(("id" = AccountId, Path, description = "The account")),
    responses(
        (status = 200, description = "The expert", body = ExpertView, headers(("ETag" = String, description = "The version"))),
        (status = 404, description = "Nobody of that id is or was in the pool, or it is not you"),
    ),
    extensions(("x-action" = json!("ReadExpert"))),
)]
#[get("/panel-experts/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadExpert)?;
    let id = parsed::<AccountId>(&id)?;
    let expert = context
        .db
        .glance(move |conn| acts::known(conn, &actor, &id))
        .await?;
    let etag = conditional::etag(expert.version);
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, etag))
        .json(ExpertView::from(expert)))
}

/// Change what is known of an expert
///
/// Needs `If-Match` with the `ETag` of the version you mean.
#[utoipa::path(
    operation_id = "change_panel_expert",
    tag = "panels",
    params(
        ("id" = AccountId, Path, description = "The account"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = KnownBody,
    responses(
        (status = 200, description = "The expert as they are now", body = ExpertView, headers(("ETag" = String, description = "The version"))),
        (status = 404, description = "Nobody of that id is or was in the pool"),
        (status = 409, description = "`expert_withdrawn`"),
        (status = 412, description = "`version_stale`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("KeepExperts"))),
)]
#[put("/panel-experts/{id}")]
async fn change(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::KeepExperts, Matter::default())?;
    let body = incoming.json::<KnownBody>().await?;
    let (id, expected) = (parsed::<AccountId>(&id)?, Expected::of(&request)?);
    let entered = Entered::from(body.value);
    let expert = context
        .db
        .write(move |tx| acts::change(tx, &actor, (&id, expected), entered.clone()))
        .await?;
    let etag = conditional::etag(expert.version);
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, etag))
        .json(ExpertView::from(expert)))
}

/// Take an expert out of the pool
///
/// Seats that they hold they keep. Needs `If-Match` with the `ETag` of the version you mean.
#[utoipa::path(
    operation_id = "withdraw_panel_expert",
    tag = "panels",
    params(
        ("id" = AccountId, Path, description = "The account"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The expert as they are now", body = ExpertView, headers(("ETag" = String, description = "The version"))),
        (status = 404, description = "Nobody of that id is or was in the pool"),
        (status = 409, description = "`expert_withdrawn`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("KeepExperts"))),
)]
#[post("/panel-experts/{id}/withdrawal")]
async fn withdraw(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::KeepExperts, Matter::default())?;
    let (id, expected) = (parsed::<AccountId>(&id)?, Expected::of(&request)?);
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            reply(200, acts::withdraw(tx, by, (&id, expected))?)
        })
        .await
}
