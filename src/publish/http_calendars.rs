//! Deadlines as calendars over HTTP: of a book for everybody, and of what somebody follows at a secret address, because programs that show calendars do not sign
//! in. No SQL and no rule. Whoever has the address learns what is followed, and nothing else of the account: neither whose it is, nor what it has bid for.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderName, HeaderValue};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, delete, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::books::rules::{Book, BookId};
use crate::books::store::{self as books, Head};
use crate::books::{acts as book_acts, store_follows};
use crate::budget::desk::parsed;
use crate::db::conn::Conn;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::refusal::Answer;
use crate::kernel::text::{Language, Text};
use crate::people::gate::AtGate;
use crate::people::secrets::hash_of;
use crate::people::throttle::Tried;
use crate::publish::http::AtPublisher;
use crate::publish::rules_calendars::{BOOKS_MAX, CalendarLink, calendar, deadlines, etag, name_of};
use crate::publish::{acts_calendar_links as acts, store_calendar_links as store};
use crate::web::actor::{Actor, Shared};
use crate::web::conditional;
use crate::web::envelope::RequestInfo;
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter, UNAUTHENTICATED};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Those of the API.
pub fn operations(config: &mut impl Operations) {
    config
        .service(read_calendar)
        .service(read_link)
        .service(make_link)
        .service(end_link);
}

/// The one beside it.
pub fn operations_beside(config: &mut impl Operations) {
    config.service(read_followed);
}

/// The language that is asked for: by `lang`, else by `Accept-Language`.
fn language_of(request: &HttpRequest) -> Answer<Language> {
    let mut query = Query::of(request);
    let words = [Language::Chinese, Language::English].map(|language| (language.tag(), language));
    let asked = query.one_of("lang", &words);
    query.finish()?;
    let preferred = request
        .extensions()
        .get::<RequestInfo>()
        .map(|info| info.language);
    Ok(asked.or(preferred).unwrap_or_default())
}

const FOR_ALL: HeaderValue = HeaderValue::from_static("no-cache");
const FOR_ONE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// A copy that is the current one.
fn unchanged(etag: String, caching: HeaderValue) -> HttpResponse {
    HttpResponse::NotModified()
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, caching))
        .finish()
}

/// The file.
fn sent(written: String, etag: String, caching: HeaderValue) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/calendar; charset=utf-8")
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, caching))
        .body(written)
}

fn etag_of(books: &[Book], language: Language) -> String {
    let changes = books
        .iter()
        .map(|book| (book.id.as_str(), book.revision, book.updated_at));
    etag(language, changes)
}

/// Read the deadlines of a book as a calendar
///
/// An iCalendar file that calendars can subscribe to: until when questions and bids are taken, the opening, and the service. In the language of `lang`, or of `Accept-Language`.
#[utoipa::path(
    operation_id = "read_book_calendar",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("lang" = Option<String>, Query, max_length = 5, description = "`zh-CN` or `en`, for programs that ask for no language", example = "en"),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"1c9d3a55a2d3f1f7c1a0b9e8d7c6b5a4\""),
    ),
    responses(
        (status = 200, description = "A calendar", content((String = "text/calendar", example = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")),
            headers(("ETag" = String, description = "Another one when the calendar is another"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the current one"),
        (status = 404, description = "There is no such book, or it is not published"),
    ),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/contract-books/{id}/calendar")]
async fn read_calendar(
    (request, context, publisher): (HttpRequest, Shared, AtPublisher),
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    let id = parsed::<BookId>(&id)?;
    let language = language_of(&request)?;
    // As everybody sees it, whoever asks: a calendar that is subscribed to shows no drafts.
    let book = context
        .db
        .read(move |conn| book_acts::seen(conn, &Actor::public(), &id))
        .await?;
    let name = name_of(&book, language);
    let dates = deadlines(&book, &publisher, language);
    let etag = etag_of(&[book], language);
    if conditional::is_current(&request, &etag) {
        return Ok(unchanged(etag, FOR_ALL));
    }
    Ok(sent(calendar(&name, &dates, language), etag, FOR_ALL))
}

/// Tells search engines to leave the address alone, should one ever come to it.
const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");

/// Read the calendar of what somebody follows
///
/// An iCalendar file for programs that show calendars, at the secret address that `POST /api/v1/me/calendar-link` gives: the deadlines of the books that the account follows, and
/// of the newest of the categories that it follows, two hundred books together. In the language of `lang`, or of `Accept-Language`. An address that never was, one that was
/// ended and one whose account is closed are answered alike.
#[utoipa::path(
    operation_id = "read_followed_calendar",
    tag = "books",
    params(
        ("token" = String, Path, max_length = 100, description = "The secret of the address", example = "JbZrLp3J0o4qYc5vKcW2mX8fTq1uHn6sAeRgDkVyBwM"),
        ("lang" = Option<String>, Query, max_length = 5, description = "`zh-CN` or `en`, for programs that ask for no language", example = "en"),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"1c9d3a55a2d3f1f7c1a0b9e8d7c6b5a4\""),
    ),
    responses(
        (status = 200, description = "A calendar", content((String = "text/calendar", example = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")),
            headers(("ETag" = String, description = "Another one when the calendar is another"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the current one"),
        (status = 404, description = "There is no calendar at this address"),
    ),
    extensions(("x-action" = json!("Everyone"))),
)]
#[get("/calendars/{token}")]
async fn read_followed(
    request: HttpRequest,
    (context, gate, publisher): (Shared, AtGate, AtPublisher),
    token: web::Path<String>,
) -> Answer<HttpResponse> {
    let language = language_of(&request)?;
    let trier = gate.trier(&request, &context, "", None)?;
    gate.count(Tried::CalendarLink, &trier, context.clock.now())?;
    let hash = hash_of(&token);
    // Of the primary, so that what was ended is ended at once.
    let heads = context
        .db
        .glance_primary(move |conn| match store::good(conn, &hash)? {
            Some(link) => store_follows::books_of(conn, &link.account_id, BOOKS_MAX).map(Some),
            None => Ok(None),
        })
        .await?;
    let heads = heads.ok_or_else(|| NOT_FOUND.refuse())?;
    gate.forgive(Tried::CalendarLink, &trier);
    // What books say is read only if it is another than that of the copy.
    let known = etag(language, heads.iter().map(change_of));
    let mut answer = if conditional::is_current(&request, &known) {
        unchanged(known, FOR_ONE)
    } else {
        let books = context.db.read(move |conn| opened(conn, &heads)).await?;
        let dates: Vec<_> = books
            .iter()
            .flat_map(|book| deadlines(book, &publisher, language))
            .collect();
        let ward = &context.settings.ward;
        let name = Text::made(
            format!("{} 项目期限", ward.zh()),
            format!("{}: deadlines", ward.en()),
        );
        let written = calendar(name.in_language(language), &dates, language);
        sent(written, etag_of(&books, language), FOR_ONE)
    };
    answer
        .headers_mut()
        .insert(X_ROBOTS_TAG, HeaderValue::from_static("noindex"));
    Ok(answer)
}

fn change_of(head: &Head) -> (&str, i64, Instant) {
    (head.id.as_str(), head.revision, head.updated_at.and_utc())
}

/// The books of these heads, as everybody sees them.
fn opened(conn: &mut Conn, heads: &[Head]) -> Answer<Vec<Book>> {
    let mut opened = Vec::with_capacity(heads.len());
    for head in heads {
        opened.extend(books::book(conn, &head.id)?.filter(|book| book.state.is_public()));
    }
    Ok(opened)
}

/// Whether there is a secret address of a calendar.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarLink)]
pub struct LinkView {
    /// Since when, UTC; `null` if there is none.
    #[schema(required = true, example = "2026-03-02T01:00:00.000000Z")]
    pub made_at: Option<String>,
}

impl From<Option<CalendarLink>> for LinkView {
    fn from(link: Option<CalendarLink>) -> Self {
        Self {
            made_at: link.map(|link| rfc3339(link.made_at)),
        }
    }
}

/// A new secret address.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeCalendarLink {
    /// Since when, UTC.
    #[schema(example = "2026-03-02T01:00:00.000000Z")]
    pub made_at: String,
    /// What to give to a program that shows calendars. Shown here and never again: `null` when the request is repeated.
    #[schema(
        required = true,
        example = "https://ward.example/calendars/JbZrLp3J0o4qYc5vKcW2mX8fTq1uHn6sAeRgDkVyBwM"
    )]
    pub url: Option<String>,
}

/// See whether your calendar has an address
///
/// The address itself is not shown again; make another one if you have lost it.
#[utoipa::path(
    operation_id = "read_calendar_link",
    tag = "books",
    responses((status = 200, description = "Since when there is one", body = LinkView)),
    extensions(("x-action" = json!("ReadOwnCalendarLink"))),
)]
#[get("/me/calendar-link")]
async fn read_link(context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOwnCalendarLink, Matter::default())?;
    let account = actor.id().ok_or_else(|| UNAUTHENTICATED.refuse())?.to_owned();
    let link = context
        .db
        .glance_primary(move |conn| store::of_account(conn, &account))
        .await?;
    Ok(HttpResponse::Ok().json(LinkView::from(link)))
}

/// Make a secret address of your calendar
///
/// A program that shows calendars gets at it the deadlines of what you follow, without signing in; so does whoever else has the address. One that there was before is good no
/// more. Add `?lang=en` or `?lang=zh-CN` for a language. Only from a session.
#[utoipa::path(
    operation_id = "make_calendar_link",
    tag = "books",
    responses(
        (status = 201, description = "The address, shown once", body = MadeCalendarLink, headers(("Location" = String, description = "Where you see whether there is one"))),
        (status = 409, description = "`session_needed`"),
    ),
    extensions(("x-action" = json!("ChangeOwnCalendarLink"))),
)]
#[post("/me/calendar-link")]
async fn make_link(
    context: Shared,
    publisher: AtPublisher,
    actor: Actor,
    once: Once,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ChangeOwnCalendarLink, Matter::default())?;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let (link, secret) = acts::make(tx, by)?;
            let shown = |url: Option<String>| MadeCalendarLink {
                made_at: rfc3339(link.made_at),
                url,
            };
            let url = publisher.url(&format!("/calendars/{}", secret.as_str()));
            Ok(Reply::json(201, &shown(Some(url)))?
                .location("/api/v1/me/calendar-link".to_owned())
                .remembered_as(&shown(None))?)
        })
        .await
}

/// End the secret address of your calendar
///
/// At once: programs that ask there find nothing any more.
#[utoipa::path(
    operation_id = "end_calendar_link",
    tag = "books",
    responses(
        (status = 200, description = "Since when there was one", body = LinkView),
        (status = 404, description = "There is none"),
        (status = 409, description = "`session_needed`"),
    ),
    extensions(("x-action" = json!("ChangeOwnCalendarLink"))),
)]
#[delete("/me/calendar-link")]
async fn end_link(context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ChangeOwnCalendarLink, Matter::default())?;
    let ended = context.db.write(move |tx| acts::end(tx, &actor)).await?;
    Ok(HttpResponse::Ok().json(LinkView::from(Some(ended))))
}
