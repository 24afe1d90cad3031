//! Publication of books, and what everyone may read: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::NaiveDateTime;
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::books::custody::Custody;
use crate::books::http::{place, reply};
use crate::books::rules::{BookId, State};
use crate::books::rules_differences::differences;
use crate::books::store::{self, PublicFilter};
use crate::books::store_intentions::{ids_above, ids_within};
use crate::books::store_versions::{self, Version};
use crate::books::view::{BookView, DifferencesView, HeadView, VersionView};
use crate::books::{acts, acts_publication};
use crate::budget::desk::{self, attached, parsed};
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::{Actor, Shared};
use crate::web::conditional::{self, Expected};
use crate::web::format::{Format, csv_table};
use crate::web::idempotency::Once;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::{Query, required};

/// Every operation of this file.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(read)
        .service(publish)
        .service(read_version)
        .service(compare);
}

/// List public books
///
/// The one published last first. As CSV with `Accept: text/csv`.
#[utoipa::path(
    operation_id = "list_books",
    tag = "books",
    params(
        ("category" = Option<String>, Query, max_length = 40, description = "Of this category of services"),
        ("area_id" = Option<AreaId>, Query, description = "Serving this area, by itself or as part of a larger one, or one within it"),
        ("organisation_id" = Option<OrganisationId>, Query, description = "Bought by this organisation"),
        ("state" = Option<State>, Query, description = "In this state"),
        ("published_from" = Option<String>, Query, format = DateTime, description = "Published from then on"),
        ("published_until" = Option<String>, Query, format = DateTime, description = "Published before then"),
        ("deadline_from" = Option<String>, Query, format = DateTime, description = "Taking bids until then or later"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", content(
        (Page<HeadView> = "application/json"),
        (String = "text/csv", example = "id,organisation_id,state,category,title_zh,title_en,bid_deadline,published_at,versions\r\n")
    ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/contract-books")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let Asked {
        mut filter,
        area,
        limit,
        question,
    } = asked(&request)?;
    let found = context
        .db
        .read(move |conn| {
            if let Some(id) = area {
                // Those above it too: what serves a street serves its communities.
                filter.areas = Some((ids_above(conn, &id)?, ids_within(conn, &id)?));
            }
            store::public(conn, &filter, desk::one_more(limit))
        })
        .await?;
    let heads = found
        .into_iter()
        .map(HeadView::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    let page = Page::cut(heads, limit, &question, |one| {
        vec![one.published_at.clone().unwrap_or_default(), one.id.to_string()]
    });
    let mut response = HttpResponse::Ok();
    page.link(&request, &mut response);
    if format == Format::Json {
        return Ok(response.json(page));
    }
    let table = csv_table(&COLUMNS, page.items.iter().map(row))?;
    Ok(attached(response, "books.csv", table))
}

struct Asked {
    filter: PublicFilter,
    area: Option<AreaId>,
    limit: u16,
    question: Question,
}

fn asked(request: &HttpRequest) -> Answer<Asked> {
    let mut query = Query::of(request);
    let area = query.parsed::<AreaId>("area_id");
    let mut filter = PublicFilter {
        category: query.text("category"),
        areas: None,
        organisation: query.parsed::<OrganisationId>("organisation_id"),
        state: query.one_of("state", &State::ALL.map(|state| (state.name(), state))),
        published_from: query.instant("published_from"),
        published_until: query.instant("published_until"),
        deadline_from: query.instant("deadline_from"),
        before: None,
    };
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["books", &format!("{filter:?} {area:?}")]);
    let after = question.after(cursor.as_deref(), 2)?;
    filter.before = match after.as_deref() {
        Some([at, id]) => Some((moment_of(at)?, id.clone())),
        _ => None,
    };
    Ok(Asked {
        filter,
        area,
        limit,
        question,
    })
}

fn moment_of(text: &str) -> Answer<NaiveDateTime> {
    let at = chrono::DateTime::parse_from_rfc3339(text);
    Ok(at.map(|at| at.naive_utc()).map_err(|_| bad_cursor())?)
}

const COLUMNS: [&str; 9] = [
    "id",
    "organisation_id",
    "state",
    "category",
    "title_zh",
    "title_en",
    "bid_deadline",
    "published_at",
    "versions",
];

fn row(head: &HeadView) -> [String; 9] {
    [
        head.id.to_string(),
        head.organisation_id.to_string(),
        head.state.name().to_owned(),
        head.category.clone(),
        head.title_zh.clone(),
        head.title_en.clone(),
        head.bid_deadline.clone().unwrap_or_default(),
        head.published_at.clone().unwrap_or_default(),
        head.versions
            .map(|versions| versions.to_string())
            .unwrap_or_default(),
    ]
}

/// Read a book
///
/// Whole, in both languages: as it is now. Before its publication only its own organisation and auditors can.
#[utoipa::path(
    operation_id = "read_book",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The book", body = BookView, headers(("ETag" = String, description = "The revision, for `If-Match`"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the current one"),
        (status = 404, description = "There is no such book"),
    ),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/contract-books/{id}")]
async fn read(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    let id = parsed::<BookId>(&id)?;
    let (book, lots) = context
        .db
        .glance(move |conn| {
            let book = acts::seen(conn, &actor, &id)?;
            let lots = store::lots_of(conn, &book.id)?;
            Ok((book, lots))
        })
        .await?;
    let etag = conditional::etag(book.revision);
    let current = conditional::is_current(&request, &etag);
    let mut response = if current {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    if current {
        return Ok(response.finish());
    }
    Ok(response.json(BookView::of(book, lots)))
}

/// Publish a book
///
/// Everything that stands against it is listed, each with its rule, or else the ceilings are reserved, the key that opens the bids is made, and what it says is fixed for good. A book that is public already stays as it is. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "publish_book",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The book as it is now", body = BookView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such book"),
        (status = 409, description = "`book_wrong_state`, `book_not_ready` with everything that stands against it, `ledger_would_overdraw`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("PublishBook"))),
)]
#[post("/contract-books/{id}/publication")]
async fn publish(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    custody: web::Data<Custody>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::PublishBook)?;
    let (id, expected) = (parsed::<BookId>(&id)?, Expected::of(&request)?);
    let asked = context.clone();
    context
        .act_once(actor, once, [0; 32], move |tx, by| {
            let book = acts_publication::publish(tx, by, &id, expected, (place(&asked), &custody))?;
            reply(200, tx.conn(), book)
        })
        .await
}

/// Read a published version of a book
///
/// As it was published, for good.
#[utoipa::path(
    operation_id = "read_book_version",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,2}$", description = "The number of the version", example = "1"),
    ),
    responses(
        (status = 200, description = "The version", body = VersionView),
        (status = 404, description = "There is no such version"),
    ),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/contract-books/{id}/versions/{number}")]
async fn read_version(
    context: Shared,
    actor: Actor,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    let (id, number) = path.into_inner();
    let (id, number) = (parsed::<BookId>(&id)?, numbered(&number)?);
    let version = version_of(&context, id, number).await?;
    Ok(HttpResponse::Ok().json(VersionView::from(version)))
}

pub(super) fn numbered(number: &str) -> Answer<i64> {
    let is_number = (1..=3).contains(&number.len())
        && !number.starts_with('0')
        && number.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(NOT_FOUND.refuse().into());
    }
    parsed(number)
}

async fn version_of(context: &Shared, id: BookId, number: i64) -> Answer<Version> {
    let found = context
        .db
        .glance(move |conn| store_versions::version(conn, &id, number))
        .await?;
    Ok(found.ok_or_else(|| NOT_FOUND.refuse())?)
}

/// Compare two published versions of a book
///
/// Field by field.
#[utoipa::path(
    operation_id = "compare_book_versions",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,2}$", description = "The number of the version", example = "2"),
        ("from" = String, Query, pattern = "^[1-9][0-9]{0,2}$", description = "The number of the version to compare with", example = "1"),
    ),
    responses(
        (status = 200, description = "What differs", body = DifferencesView),
        (status = 404, description = "There is no such version"),
    ),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/contract-books/{id}/versions/{number}/differences")]
async fn compare(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    let mut query = Query::of(&request);
    let from = query.parsed::<u16>("from");
    query.finish()?;
    let (id, number) = path.into_inner();
    let (id, to) = (parsed::<BookId>(&id)?, numbered(&number)?);
    let from = i64::from(required(from, "from")?);
    let before = version_of(&context, id.clone(), from).await?;
    let after = version_of(&context, id, to).await?;
    let items = differences(&said(&before)?, &said(&after)?);
    Ok(HttpResponse::Ok().json(DifferencesView {
        from,
        to,
        items: items.into_iter().map(Into::into).collect(),
    }))
}

fn said(version: &Version) -> Result<Value, Fault> {
    serde_json::to_value(version.content.document())
        .map_err(|error| Fault::caused("compare versions of a book", error))
}
