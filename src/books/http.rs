//! Contract books over HTTP, until they are published: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::acts::{self, Beginning};
use crate::books::acts_enquiries;
use crate::books::acts_publication::{self, Place};
use crate::books::rules::{Book, BookId, State};
use crate::books::rules_documents::BookDocument;
use crate::books::store::{self, DraftFilter};
use crate::books::templates;
use crate::books::view::{BookView, HeadView, ReadinessView};
use crate::budget::acts::own_organisations;
use crate::budget::desk::{self, parsed};
use crate::db::conn::Conn;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Kind, Reason};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::context::Context;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// A draft begins as exactly one thing.
pub static BEGINNING_UNCLEAR: Reason = Reason::new(
    Kind::Invalid,
    "book_beginning_unclear",
    "应在内容、模板、副本中选其一",
    "A draft begins as one of content, template and copy",
);

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list_drafts)
        .service(create)
        .service(rewrite)
        .service(submit)
        .service(send_back)
        .service(approve)
        .service(discard)
        .service(readiness)
        .service(list_templates)
        .service(read_template);
}

/// A draft to begin, as exactly one of `content`, `template` and `copy_of`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBook, example = json!({"organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "template": "sanitation"}))]
pub struct NewBookBody {
    /// Who buys.
    organisation_id: OrganisationId,
    /// What it says.
    #[serde(default)]
    #[schema(nullable = false)]
    content: Option<Box<BookDocument>>,
    /// The category whose template it begins as.
    #[serde(default)]
    #[schema(nullable = false, pattern = "^[a-z0-9_]{2,40}$")]
    template: Option<String>,
    /// The book that it begins as a copy of, without dates, documents and what went before.
    #[serde(default)]
    #[schema(nullable = false)]
    copy_of: Option<BookId>,
}

/// Why a book is sent back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookReturn, example = json!({"reason": "价格权重请复核"}))]
pub struct ReturnBody {
    /// For its drafters.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// The categories that have a template.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookTemplates)]
pub struct TemplatesView {
    /// Their codes.
    #[schema(example = json!(["greening", "property", "sanitation", "security"]))]
    items: Vec<&'static str>,
}

/// List books that are not public
///
/// Newest first: those of your own organisations, to auditors all.
#[utoipa::path(
    operation_id = "list_book_drafts",
    tag = "books",
    params(
        ("state" = Option<State>, Query, description = "In this state"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<HeadView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ListBookDrafts"))),
)]
#[get("/contract-book-drafts")]
async fn list_drafts(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ListBookDrafts, Matter::default())?;
    let mut query = Query::of(&request);
    let state = query.one_of("state", &State::ALL.map(|state| (state.name(), state)));
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["book drafts", state.map_or("", State::name)]);
    let filter = DraftFilter {
        organisations: own_organisations(&actor, Action::OpenBookDrafts),
        state,
        before: desk::after(&question, cursor.as_deref())?,
    };
    let found = context
        .db
        .read(move |conn| store::drafts(conn, &filter, desk::one_more(limit)))
        .await?;
    let heads = found
        .into_iter()
        .map(HeadView::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    let page = Page::cut(heads, limit, &question, |one| vec![one.id.to_string()]);
    Ok(page.answer(&request))
}

/// Begin a book
///
/// As a draft that only its organisation sees.
#[utoipa::path(
    operation_id = "create_book",
    tag = "books",
    request_body = NewBookBody,
    responses(
        (status = 201, description = "The draft", body = BookView, headers(("ETag" = String, description = "The revision, for `If-Match`"), ("Location" = String, description = "Where the book is"))),
        (status = 404, description = "There is no such book to copy"),
        (status = 409, description = "`book_no_buyer`, `book_template_unknown`"),
        (status = 422, description = "What it says does not hold together, every fault is listed; `book_category_closed`"),
    ),
    extensions(("x-action" = json!("DraftBook"))),
)]
#[post("/contract-books")]
async fn create(context: Shared, actor: Actor, once: Once, incoming: Incoming) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DraftBook)?;
    let body = incoming.json::<NewBookBody>().await?;
    let new = body.value;
    let beginning = match (new.content, new.template, new.copy_of) {
        (Some(content), None, None) => Beginning::Content(content),
        (None, Some(template), None) => Beginning::Template(template),
        (None, None, Some(id)) => Beginning::Copy(id),
        _ => return Err(BEGINNING_UNCLEAR.refuse().at("").into()),
    };
    let organisation = new.organisation_id;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let book = acts::create(tx, by, &organisation, beginning.clone())?;
            let location = format!("/api/v1/contract-books/{}", book.id);
            Ok(reply(201, tx.conn(), book)?.location(location))
        })
        .await
}

/// Write a draft
///
/// The whole of what it says takes the place of what it said. It may leave things out, but what it says has to hold together: bands
/// without gaps, weights of exactly 100. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "rewrite_book",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = BookDocument,
    responses(
        (status = 200, description = "The draft as it is now", body = BookView, headers(("ETag" = String, description = "The revision, for `If-Match`"))),
        (status = 404, description = "There is no such book"),
        (status = 409, description = "`book_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 422, description = "What it says does not hold together, every fault is listed; `book_category_closed`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DraftBook"))),
)]
#[put("/contract-books/{id}")]
async fn rewrite(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DraftBook)?;
    let body = incoming.json::<BookDocument>().await?;
    let (id, expected) = (parsed::<BookId>(&id)?, Expected::of(&request)?);
    let book = context
        .db
        .write(move |tx| acts::rewrite(tx, &actor, &id, expected, body.value.clone()))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(book.revision)))
        .json(BookView::of(book, Vec::new())))
}

/// Submit a draft
///
/// It waits for its approval by another person. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "submit_book",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The book as it is now", body = BookView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such book"),
        (status = 409, description = "`book_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DraftBook"))),
)]
#[post("/contract-books/{id}/submission")]
async fn submit(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DraftBook)?;
    let (id, expected) = (parsed::<BookId>(&id)?, Expected::of(&request)?);
    context
        .act_once(actor, once, [0; 32], move |tx, by| {
            let book = acts::submit(tx, by, &id, expected)?;
            reply(200, tx.conn(), book)
        })
        .await
}

/// Send a book back
///
/// It is a draft again; whoever drafted it sees why. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "send_back_book",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = ReturnBody,
    responses(
        (status = 200, description = "The book as it is now", body = BookView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such book"),
        (status = 409, description = "`book_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ApproveBook"))),
)]
#[post("/contract-books/{id}/return")]
async fn send_back(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ApproveBook)?;
    let body = incoming.json::<ReturnBody>().await?;
    let reason = body.value.reason;
    let (id, expected) = (parsed::<BookId>(&id)?, Expected::of(&request)?);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let book = acts::send_back(tx, by, &id, expected, &reason)?;
            reply(200, tx.conn(), book)
        })
        .await
}

/// Approve a book
///
/// By another person than those who drafted it. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "approve_book",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The book as it is now", body = BookView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such book"),
        (status = 409, description = "`book_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ApproveBook"))),
)]
#[post("/contract-books/{id}/approval")]
async fn approve(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ApproveBook)?;
    let (id, expected) = (parsed::<BookId>(&id)?, Expected::of(&request)?);
    context
        .act_once(actor, once, [0; 32], move |tx, by| {
            let book = acts::approve(tx, by, &id, expected)?;
            reply(200, tx.conn(), book)
        })
        .await
}

/// Give a book up
///
/// Before it is published: nothing becomes of it any more, and it is left out of the list of drafts unless `state=discarded` asks for it. Needs
/// `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "discard_book",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The book as it is now", body = BookView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such book"),
        (status = 409, description = "`book_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DiscardBook"))),
)]
#[post("/contract-books/{id}/discarding")]
async fn discard(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DiscardBook)?;
    let (id, expected) = (parsed::<BookId>(&id)?, Expected::of(&request)?);
    context
        .act_once(actor, once, [0; 32], move |tx, by| {
            let book = acts::discard(tx, by, &id, expected)?;
            reply(200, tx.conn(), book)
        })
        .await
}

/// See what a book lacks
///
/// Everything that is missing or unlawful, each with its place, and with the rule and where it stands: the same list that refuses a
/// publication. For a book that is public already it is empty.
#[utoipa::path(
    operation_id = "read_book_readiness",
    tag = "books",
    params(("id" = BookId, Path, description = "The book")),
    responses(
        (status = 200, description = "What stands against publication", body = ReadinessView),
        (status = 404, description = "There is no such book, or it is not yours to see before publication"),
        (status = 409, description = "No rules apply here today, or one is not set"),
    ),
    extensions(("x-action" = json!("OpenBookDrafts"))),
)]
#[get("/contract-books/{id}/readiness")]
async fn readiness(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::OpenBookDrafts)?;
    let id = parsed::<BookId>(&id)?;
    let now = context.clock.now();
    let asked = context.clone();
    let (items, statute, unanswered) = context
        .db
        .read(move |conn| {
            let book = acts::seen(conn, &actor, &id)?;
            let matter = Matter::of_organisation(&book.organisation_id);
            if !policy::allows(&actor, Action::OpenBookDrafts, matter) {
                return Err(NOT_FOUND.refuse().into());
            }
            let unanswered = acts_enquiries::unanswered(conn, &book, now)?;
            if let Some(publication) = book.publication {
                return Ok((Vec::new(), publication.statute_id, unanswered));
            }
            let (items, statute) = acts_publication::judged(conn, &book, place(&asked), now)?;
            Ok((items, statute.id, unanswered))
        })
        .await?;
    Ok(HttpResponse::Ok().json(ReadinessView {
        ready: items.is_empty(),
        statute_id: statute,
        unanswered_enquiries: unanswered.count,
        answers_overdue: unanswered.is_overdue,
        items: items.into_iter().map(Into::into).collect(),
    }))
}

/// List templates
///
/// The categories of services that the program brings a template for.
#[utoipa::path(
    operation_id = "list_book_templates",
    tag = "books",
    responses((status = 200, description = "The categories", body = TemplatesView)),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/contract-book-templates")]
async fn list_templates(actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    Ok(HttpResponse::Ok().json(TemplatesView {
        items: templates::categories().collect(),
    }))
}

/// Read a template
///
/// What a draft begins as that is made with it.
#[utoipa::path(
    operation_id = "read_book_template",
    tag = "books",
    params(("category" = String, Path, max_length = 40, description = "The category", example = "sanitation")),
    responses(
        (status = 200, description = "The template", body = BookDocument),
        (status = 404, description = "There is none for that category"),
    ),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/contract-book-templates/{category}")]
async fn read_template(actor: Actor, category: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    let found = templates::template(&category)?;
    Ok(HttpResponse::Ok().json(found.ok_or_else(|| NOT_FOUND.refuse())?))
}

/// Whose rules apply here, and how days are counted.
pub(super) fn place(context: &Context) -> Place<'_> {
    Place {
        jurisdiction: &context.settings.jurisdiction,
        calendar: &context.calendar,
    }
}

pub(super) fn reply(status: u16, conn: &mut Conn, book: Book) -> Answer<Reply> {
    let lots = store::lots_of(conn, &book.id)?;
    let revision = book.revision;
    let reply = Reply::json(status, &BookView::of(book, lots))?;
    Ok(reply.etag(conditional::etag(revision)))
}
