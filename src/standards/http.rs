//! Categories of services and standards over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::refusal::Answer;
use crate::standards::acts::{self, CreateStandard, RetitleStandard};
use crate::standards::acts_categories::{self, AddCategory, ChangeCategory};
use crate::standards::rules::{CategoryState, StandardId, State};
use crate::standards::rules_units::Unit;
use crate::standards::store::{self, StandardFilter};
use crate::standards::view::{CategoryView, StandardView, UnitView};
use crate::statutes::profile::Jurisdiction;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list_categories)
        .service(add_category)
        .service(read_category)
        .service(change_category)
        .service(list_units)
        .service(list)
        .service(create)
        .service(read)
        .service(retitle);
}

/// A category to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewServiceCategory {
    /// Its code, which never changes.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,39}$", example = "lifts")]
    code: String,
    /// Chinese name.
    #[schema(min_length = 1, max_length = 100, example = "电梯维保")]
    name_zh: String,
    /// English name.
    #[schema(min_length = 1, max_length = 100, example = "Lift upkeep")]
    name_en: String,
}

/// Another name or state; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceCategoryChange {
    /// Chinese name.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 100, example = "环境卫生")]
    name_zh: Option<String>,
    /// English name.
    #[serde(default)]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 100,
        example = "Street sanitation"
    )]
    name_en: Option<String>,
    /// `retired` takes no new standards; those that are there stay.
    #[serde(default)]
    state: Option<CategoryState>,
}

/// A standard to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStandard {
    /// The code of its category.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,39}$", example = "sanitation")]
    category: String,
    /// Its code, which never changes.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,39}$", example = "toilet_cleaning")]
    code: String,
    /// Where it holds; the ward's own jurisdiction if it is left out.
    #[serde(default)]
    #[schema(
        nullable = false,
        pattern = "^[a-z]{2,8}(-[a-z0-9]{1,8}){0,3}$",
        example = "cn"
    )]
    jurisdiction: Option<String>,
    /// Chinese title.
    #[schema(min_length = 1, max_length = 200, example = "公厕保洁标准")]
    title_zh: String,
    /// English title.
    #[schema(min_length = 1, max_length = 200, example = "Cleaning of public toilets")]
    title_en: String,
    /// Where its figures come from, in Chinese.
    #[schema(min_length = 1, max_length = 500, example = "区城市管理局 2026 年第 3 号通知")]
    source_zh: String,
    /// Where its figures come from, in English.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "Notice 3 of 2026 of the district's Urban Management"
    )]
    source_en: String,
}

/// Another title or source; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StandardTitles {
    /// Chinese title.
    #[serde(default)]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 200,
        example = "公共厕所保洁标准"
    )]
    title_zh: Option<String>,
    /// English title.
    #[serde(default)]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 200,
        example = "Cleaning of public toilets"
    )]
    title_en: Option<String>,
    /// Where its figures come from, in Chinese.
    #[serde(default)]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 500,
        example = "区城市管理局 2026 年第 3 号通知"
    )]
    source_zh: Option<String>,
    /// Where its figures come from, in English.
    #[serde(default)]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 500,
        example = "Notice 3 of 2026 of the district's Urban Management"
    )]
    source_en: Option<String>,
}

/// List categories of services
///
/// By code. Those that are retired take no new standards.
#[utoipa::path(
    operation_id = "list_service_categories",
    tag = "standards",
    params(
        ("state" = Option<CategoryState>, Query, description = "In this state"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<CategoryView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadStandards"))),
)]
#[get("/service-categories")]
async fn list_categories(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadStandards, Matter::default())?;
    let mut query = Query::of(&request);
    let state = query.one_of("state", &CategoryState::ALL.map(|state| (state.name(), state)));
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["service_categories", state.map_or("", CategoryState::name)]);
    let after = question
        .after(cursor.as_deref(), 1)?
        .and_then(|parts| parts.into_iter().next());
    let states = state.map_or_else(|| CategoryState::ALL.to_vec(), |state| vec![state]);
    let found = context
        .db
        .glance(move |conn| {
            store::categories(
                conn,
                &states,
                after.as_deref(),
                i64::from(limit).saturating_add(1),
            )
        })
        .await?;
    let page = Page::cut(found, limit, &question, |one| vec![one.code.clone()]).map(CategoryView::from);
    Ok(page.answer(&request))
}

/// Add a category of services
#[utoipa::path(
    operation_id = "add_service_category",
    tag = "standards",
    request_body = NewServiceCategory,
    responses(
        (status = 201, description = "The new category", body = CategoryView, headers(("ETag" = String, description = "The version, for `If-Match`"), ("Location" = String, description = "Where the category is"))),
        (status = 409, description = "`service_category_taken`"),
    ),
    extensions(("x-action" = json!("KeepServiceCategories"))),
)]
#[post("/service-categories")]
async fn add_category(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::KeepServiceCategories, Matter::default())?;
    let body = incoming.json::<NewServiceCategory>().await?;
    let NewServiceCategory {
        code,
        name_zh,
        name_en,
    } = body.value;
    let command = AddCategory {
        code,
        name_zh,
        name_en,
    };
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let category = acts_categories::add(tx, &by, &command)?;
            let location = format!("/api/v1/service-categories/{}", category.code);
            let etag = conditional::etag(category.version);
            Ok(Reply::json(201, &CategoryView::from(category))?
                .etag(etag)
                .location(location))
        })
        .await
}

/// Read a category of services
#[utoipa::path(
    operation_id = "read_service_category",
    tag = "standards",
    params(
        ("code" = String, Path, max_length = 40, description = "The category's code", example = "sanitation"),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The category", body = CategoryView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the current one"),
        (status = 404, description = "There is no such category"),
    ),
    extensions(("x-action" = json!("ReadStandards"))),
)]
#[get("/service-categories/{code}")]
async fn read_category(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    code: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadStandards, Matter::default())?;
    let code = word(code.into_inner())?;
    let category = context
        .db
        .glance(move |conn| store::category(conn, &code))
        .await?
        .ok_or_else(|| NOT_FOUND.refuse())?;
    let etag = conditional::etag(category.version);
    Ok(shown(&request, &etag, &CategoryView::from(category)))
}

/// Change a category of services
///
/// Renames it, retires it, or opens it again. Needs `If-Match` with the `ETag` of the version you mean.
#[utoipa::path(
    operation_id = "change_service_category",
    tag = "standards",
    params(
        ("code" = String, Path, max_length = 40, description = "The category's code", example = "sanitation"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = ServiceCategoryChange,
    responses(
        (status = 200, description = "The category as it is now", body = CategoryView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such category"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("KeepServiceCategories"))),
)]
#[patch("/service-categories/{code}")]
async fn change_category(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    code: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::KeepServiceCategories, Matter::default())?;
    let body = incoming.json::<ServiceCategoryChange>().await?;
    let ServiceCategoryChange {
        name_zh,
        name_en,
        state,
    } = body.value;
    let command = ChangeCategory {
        code: word(code.into_inner())?,
        expected: Expected::of(&request)?,
        name_zh,
        name_en,
        state,
    };
    let category = context
        .db
        .write(move |tx| acts_categories::change(tx, &actor, &command))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(category.version)))
        .json(CategoryView::from(category)))
}

/// List units of measurement
///
/// All that an indicator may be measured in.
#[utoipa::path(
    operation_id = "list_measurement_units",
    tag = "standards",
    responses((status = 200, description = "All of them", body = Vec<UnitView>)),
    extensions(("x-action" = json!("ReadStandards"))),
)]
#[get("/measurement-units")]
async fn list_units(actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadStandards, Matter::default())?;
    Ok(HttpResponse::Ok().json(Unit::ALL.map(UnitView::from)))
}

/// List standards
///
/// By category and code, those that have a version that was published; to whoever keeps standards all.
#[utoipa::path(
    operation_id = "list_standards",
    tag = "standards",
    params(
        ("category" = Option<String>, Query, max_length = 40, description = "Of this category", example = "sanitation"),
        ("jurisdiction" = Option<String>, Query, max_length = 40, pattern = "^[a-z]{2,8}(-[a-z0-9]{1,8}){0,3}$", description = "Of this jurisdiction", example = "cn"),
        ("state" = Option<State>, Query, description = "With a version in this state; drafts are seen by whoever keeps standards only"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<StandardView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadStandards"))),
)]
#[get("/standards")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadStandards, Matter::default())?;
    let mut query = Query::of(&request);
    let category = query.text("category");
    let jurisdiction = query.parsed::<Jurisdiction>("jurisdiction");
    let state = query.one_of("state", &State::ALL.map(|state| (state.name(), state)));
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let states = visible(&actor, state);
    let jurisdiction = jurisdiction.map(|one| one.as_str().to_owned());
    let question = Question::of(&[
        "standards",
        category.as_deref().unwrap_or_default(),
        jurisdiction.as_deref().unwrap_or_default(),
        &format!("{states:?}"),
    ]);
    let after = match question.after(cursor.as_deref(), 2)?.as_deref() {
        Some([category, code]) => Some((category.clone(), code.clone())),
        _ => None,
    };
    let filter = StandardFilter {
        category,
        jurisdiction,
        states,
        after,
    };
    let found = context
        .db
        .glance(move |conn| store::list(conn, &filter, i64::from(limit).saturating_add(1)))
        .await?;
    let key = |one: &crate::standards::rules::Standard| vec![one.category.clone(), one.code.clone()];
    let page = Page::cut(found, limit, &question, key).map(StandardView::from);
    Ok(page.answer(&request))
}

/// The states of versions that the actor sees, of those asked for.
pub(super) fn visible(actor: &Actor, asked: Option<State>) -> Vec<State> {
    let keeps = policy::allows(actor, Action::OpenStandardDrafts, Matter::default());
    let all = State::ALL.into_iter();
    all.filter(|state| asked.is_none_or(|asked| *state == asked))
        .filter(|state| keeps || State::PUBLIC.contains(state))
        .collect()
}

/// Add a standard
///
/// With a first draft that says nothing yet.
#[utoipa::path(
    operation_id = "create_standard",
    tag = "standards",
    request_body = NewStandard,
    responses(
        (status = 201, description = "The new standard", body = StandardView, headers(("ETag" = String, description = "The version, for `If-Match`"), ("Location" = String, description = "Where the standard is"))),
        (status = 409, description = "`service_category_closed`, `standard_taken`"),
    ),
    extensions(("x-action" = json!("DraftStandard"))),
)]
#[post("/standards")]
async fn create(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::DraftStandard, Matter::default())?;
    let body = incoming.json::<NewStandard>().await?;
    let new = body.value;
    let command = CreateStandard {
        category: new.category,
        code: new.code,
        jurisdiction: new
            .jurisdiction
            .unwrap_or_else(|| context.settings.jurisdiction.clone()),
        title: (new.title_zh, new.title_en),
        source: (new.source_zh, new.source_en),
    };
    let by = actor.clone();
    context
        .write_once(&actor, once, body.digest, move |tx| {
            let standard = acts::create(tx, &by, &command)?;
            let location = format!("/api/v1/standards/{}", standard.id);
            let etag = conditional::etag(standard.version);
            Ok(Reply::json(201, &StandardView::from(standard))?
                .etag(etag)
                .location(location))
        })
        .await
}

/// Read a standard
#[utoipa::path(
    operation_id = "read_standard",
    tag = "standards",
    params(
        ("id" = StandardId, Path, description = "The standard"),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The standard", body = StandardView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the current one"),
        (status = 404, description = "There is no such standard, or nothing of it is published"),
    ),
    extensions(("x-action" = json!("ReadStandards"))),
)]
#[get("/standards/{id}")]
async fn read(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadStandards, Matter::default())?;
    let id = parsed(&id)?;
    let states = visible(&actor, None);
    let standard = context
        .db
        .glance(move |conn| {
            let is_seen = store::has_version(conn, &id, &states)?;
            Ok(store::standard(conn, &id)?.filter(|_| is_seen))
        })
        .await?
        .ok_or_else(|| NOT_FOUND.refuse())?;
    let etag = conditional::etag(standard.version);
    Ok(shown(&request, &etag, &StandardView::from(standard)))
}

/// Change a standard's title or source
///
/// What its versions say stays as it is. Needs `If-Match` with the `ETag` of the version you mean.
#[utoipa::path(
    operation_id = "retitle_standard",
    tag = "standards",
    params(
        ("id" = StandardId, Path, description = "The standard"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = StandardTitles,
    responses(
        (status = 200, description = "The standard as it is now", body = StandardView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such standard"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DraftStandard"))),
)]
#[patch("/standards/{id}")]
async fn retitle(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::DraftStandard, Matter::default())?;
    let body = incoming.json::<StandardTitles>().await?;
    let titles = body.value;
    let command = RetitleStandard {
        id: parsed(&id)?,
        expected: Expected::of(&request)?,
        title_zh: titles.title_zh,
        title_en: titles.title_en,
        source_zh: titles.source_zh,
        source_en: titles.source_en,
    };
    let standard = context
        .db
        .write(move |tx| acts::retitle(tx, &actor, &command))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(standard.version)))
        .json(StandardView::from(standard)))
}

/// What is not an id of a standard names no standard.
pub(super) fn parsed(id: &str) -> Answer<StandardId> {
    Ok(id.parse().map_err(|_| NOT_FOUND.refuse())?)
}

/// What could be no code names no category; PostgreSQL could not even be asked for some of it.
fn word(code: String) -> Answer<String> {
    match crate::statutes::wording::word(&code, crate::standards::rules_documents::CODE_LENGTH_MAX) {
        Ok(()) => Ok(code),
        Err(_) => Err(NOT_FOUND.refuse().into()),
    }
}

/// Something with its version, or that the caller's copy is the current one.
fn shown<T: Serialize>(request: &HttpRequest, etag: &str, view: &T) -> HttpResponse {
    let current = conditional::is_current(request, etag);
    let mut response = if current {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    if current {
        response.finish()
    } else {
        response.json(view)
    }
}
