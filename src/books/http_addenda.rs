//! Addenda over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::acts_addenda::{self as acts, WriteAddendum};
use crate::books::acts_enquiries;
use crate::books::http::place;
use crate::books::rules::BookId;
use crate::books::rules_addenda::{Addendum, AddendumId, State};
use crate::books::rules_differences::Difference;
use crate::books::rules_documents::BookDocument;
use crate::books::store_addenda::{self as store, AddendumFilter, AddendumHead};
use crate::books::view::{DifferenceView, ItemView};
use crate::budget::desk::{self, parsed};
use crate::db::conn::Conn;
use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::{Answer, Fault};
use crate::statutes::rules::StatuteId;
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
        .service(list)
        .service(draft)
        .service(read)
        .service(rewrite)
        .service(readiness)
        .service(discard)
        .service(publish);
}

/// An addendum as it is written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAddendum)]
pub struct AddendumBody {
    /// Why, in Chinese. It becomes public.
    #[schema(min_length = 1, max_length = 2000, example = "更正作业面积")]
    reason_zh: String,
    /// Why, in English.
    #[schema(min_length = 1, max_length = 2000, example = "The area to be swept was wrong")]
    reason_en: String,
    /// True if it affects bids though its fields do not show it. They count in any case: `false` never takes that away.
    #[serde(default)]
    #[schema(example = false)]
    affects_bids: bool,
    /// The whole of what the book is to say.
    content: Box<BookDocument>,
}

impl From<AddendumBody> for WriteAddendum {
    fn from(body: AddendumBody) -> Self {
        Self {
            reason: (body.reason_zh, body.reason_en),
            affects_bids: body.affects_bids,
            document: *body.content,
        }
    }
}

/// An addendum.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Addendum, example = json!({"id": "addendum_01jd3n8f5teqkrzvq1c0m6h2ax", "book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "state": "published", "number": 1, "from": 1, "reason_zh": "更正作业面积", "reason_en": "The area to be swept was wrong", "affects_bids": true, "said_to_affect_bids": false, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "revision": 2, "created_at": "2026-03-09T00:00:00.000000Z", "updated_at": "2026-03-09T06:00:00.000000Z", "changes": [{"pointer": "/lots/1/quantities/0/amount", "before": "58000", "after": "60000"}], "content": {"title_zh": "梧桐街道道路保洁", "title_en": "Street sanitation of Wutong Street", "category": "sanitation", "areas": [], "method": "comprehensive_scoring", "clauses": [], "timetable": {"enquiry_deadline": null, "answer_deadline": null, "bid_deadline": null, "opening": null, "service_from": null, "service_until": null}, "qualifications": [], "bid_security_percent": null, "performance_security_percent": "5", "tie_rule": null, "rounding": {"mode": "half_up", "places": 2, "stage": "factor"}, "custody": null, "budget_is_stable": false, "intention_id": null, "consultation_id": null, "documents": [], "lots": []}}))]
pub struct AddendumView {
    /// Its id.
    pub id: AddendumId,
    /// To which book.
    pub book_id: BookId,
    /// How far it has come.
    pub state: State,
    /// Counts the book's published addenda, from 1; the version that it made has the number after. `null` before publication.
    pub number: Option<i64>,
    /// The version that it changes.
    pub from: i64,
    /// Why, in Chinese.
    pub reason_zh: String,
    /// Why, in English.
    pub reason_en: String,
    /// Whether bids that were sealed before have to be confirmed, by its fields or by what its drafter says.
    pub affects_bids: bool,
    /// Whether its drafter says so.
    pub said_to_affect_bids: bool,
    /// SHA-256 of the stored bytes: of a published one, of the version that it made.
    pub sha256: String,
    /// Counts the changes, from 1; also the `ETag`.
    pub revision: i64,
    /// When it was begun, UTC.
    pub created_at: String,
    /// When it was changed last, UTC; of a published one, when it was published.
    pub updated_at: String,
    /// Every field that it changes.
    pub changes: Vec<DifferenceView>,
    /// The whole of what the book is to say.
    pub content: BookDocument,
}

impl AddendumView {
    fn of(addendum: Addendum, changes: Vec<Difference>) -> Self {
        Self {
            affects_bids: addendum.affects_bids(&changes),
            id: addendum.id,
            book_id: addendum.book_id,
            state: addendum.state,
            number: addendum.number,
            from: addendum.base,
            reason_zh: addendum.reason.zh,
            reason_en: addendum.reason.en,
            said_to_affect_bids: addendum.said_to_affect_bids,
            sha256: hex::encode(addendum.sha256),
            revision: addendum.revision,
            created_at: rfc3339(addendum.created_at),
            updated_at: rfc3339(addendum.updated_at),
            changes: changes.into_iter().map(Into::into).collect(),
            content: addendum.content.document().clone(),
        }
    }
}

fn view(conn: &mut Conn, addendum: Addendum) -> Answer<AddendumView> {
    let changes = acts::changes(conn, &addendum)?;
    Ok(AddendumView::of(addendum, changes))
}

fn reply(status: u16, conn: &mut Conn, addendum: Addendum) -> Answer<Reply> {
    let revision = addendum.revision;
    let reply = Reply::json(status, &view(conn, addendum)?)?;
    Ok(reply.etag(conditional::etag(revision)))
}

/// An addendum in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AddendumHead, example = json!({"id": "addendum_01jd3n8f5teqkrzvq1c0m6h2ax", "book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "state": "published", "number": 1, "reason_zh": "更正作业面积", "reason_en": "The area to be swept was wrong", "created_at": "2026-03-09T00:00:00.000000Z", "updated_at": "2026-03-09T06:00:00.000000Z"}))]
pub struct AddendumHeadView {
    /// Its id.
    pub id: AddendumId,
    /// To which book.
    pub book_id: BookId,
    /// How far it has come.
    pub state: State,
    /// Counts the book's published addenda, from 1; `null` before publication.
    pub number: Option<i64>,
    /// Why, in Chinese.
    pub reason_zh: String,
    /// Why, in English.
    pub reason_en: String,
    /// When it was begun, UTC.
    pub created_at: String,
    /// When it was changed last, UTC; of a published one, when it was published.
    pub updated_at: String,
}

impl TryFrom<AddendumHead> for AddendumHeadView {
    type Error = Fault;

    fn try_from(head: AddendumHead) -> Result<Self, Fault> {
        let state = State::named(&head.state);
        Ok(Self {
            state: state.ok_or_else(|| Fault::broken(format!("the state of {} is none", head.id)))?,
            id: head.id,
            book_id: head.book_id,
            number: head.number,
            reason_zh: head.reason_zh,
            reason_en: head.reason_en,
            created_at: rfc3339(head.created_at.and_utc()),
            updated_at: rfc3339(head.updated_at.and_utc()),
        })
    }
}

/// What stands against the publication of an addendum.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AddendumReadiness, example = json!({"ready": false, "statute_id": "statute_01jd3n8f5teqkrzvq1c0m6h2ax", "affects_bids": true, "earliest_bid_deadline": "2026-04-03T01:00:00.000000Z", "unanswered_enquiries": 0, "answers_overdue": false, "items": [{"pointer": "/category", "code": "unlawful", "detail_zh": "不得改变采购标的：服务类别", "detail_en": "what is bought never changes: its category", "rule": "tender.clarification_never_changes", "citations": []}]}))]
pub struct AddendumReadinessView {
    /// True if nothing does.
    pub ready: bool,
    /// The version of the rules that was asked: the one that holds for the book.
    pub statute_id: StatuteId,
    /// Whether bids that were sealed before have to be confirmed.
    pub affects_bids: bool,
    /// The earliest deadline for bids that it may leave, published now; UTC.
    pub earliest_bid_deadline: Option<String>,
    /// Enquiries that are not answered. They stand against nothing; whoever publishes should know.
    pub unanswered_enquiries: i64,
    /// True if there are such and the deadline for answers has come.
    pub answers_overdue: bool,
    /// Everything that does stand against it: first what it may not do as an addendum, then what the book may not say.
    pub items: Vec<ItemView>,
}

/// List the addenda to a book
///
/// Those that were published, in the order of their numbers; to the buyer's own people and auditors the others as well.
#[utoipa::path(
    operation_id = "list_addenda",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("state" = Option<State>, Query, description = "In this state"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<AddendumHeadView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such book"),
    ),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/contract-books/{id}/addenda")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    let book = parsed::<BookId>(&id)?;
    let mut query = Query::of(&request);
    let wanted = query.one_of("state", &State::ALL.map(|state| (state.name(), state)));
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["addenda", book.as_str(), wanted.map_or("", State::name)]);
    let after = desk::after(&question, cursor.as_deref())?;
    let found = context
        .db
        .read(move |conn| {
            let states = acts::listed_states(conn, &actor, &book, wanted)?;
            let filter = AddendumFilter { book, states, after };
            store::addenda_of(conn, &filter, desk::one_more(limit))
        })
        .await?;
    let heads = found
        .into_iter()
        .map(AddendumHeadView::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    let page = Page::cut(heads, limit, &question, |one| vec![one.id.to_string()]);
    Ok(page.answer(&request))
}

/// Begin an addendum
///
/// To a published book that still takes bids; one is written at a time. It says the whole of what the book is to say.
#[utoipa::path(
    operation_id = "create_addendum",
    tag = "books",
    params(("id" = BookId, Path, description = "The book")),
    request_body = AddendumBody,
    responses(
        (status = 201, description = "The draft", body = AddendumView, headers(("ETag" = String, description = "The revision, for `If-Match`"), ("Location" = String, description = "Where the addendum is"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such book"),
        (status = 409, description = "`book_wrong_state`, `book_bids_closed`, `book_too_many_versions`, `addendum_already_open`"),
        (status = 422, description = "What it says does not hold together; every fault is listed"),
    ),
    extensions(("x-action" = json!("DraftAddendum"))),
)]
#[post("/contract-books/{id}/addenda")]
async fn draft(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DraftAddendum)?;
    let body = incoming.json::<AddendumBody>().await?;
    let id = parsed::<BookId>(&id)?;
    let command = WriteAddendum::from(body.value);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let addendum = acts::draft(tx, by, &id, &command)?;
            let location = format!("/api/v1/addenda/{}", addendum.id);
            Ok(reply(201, tx.conn(), addendum)?.location(location))
        })
        .await
}

/// Read an addendum
///
/// With every field that it changes. Before its publication only its own organisation and auditors can.
#[utoipa::path(
    operation_id = "read_addendum",
    tag = "books",
    params(("id" = AddendumId, Path, description = "The addendum")),
    responses(
        (status = 200, description = "The addendum", body = AddendumView, headers(("ETag" = String, description = "The revision, for `If-Match`"))),
        (status = 404, description = "There is no such addendum"),
    ),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/addenda/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    let id = parsed::<AddendumId>(&id)?;
    let shown = context
        .db
        .read(move |conn| {
            let (addendum, _) = acts::known(conn, &actor, &id)?;
            view(conn, addendum)
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(shown.revision)))
        .json(shown))
}

/// Write an addendum
///
/// The whole of it takes the place of what it said. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "rewrite_addendum",
    tag = "books",
    params(
        ("id" = AddendumId, Path, description = "The addendum"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = AddendumBody,
    responses(
        (status = 200, description = "The draft as it is now", body = AddendumView, headers(("ETag" = String, description = "The revision, for `If-Match`"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such addendum"),
        (status = 409, description = "`addendum_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 422, description = "What it says does not hold together; every fault is listed"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DraftAddendum"))),
)]
#[put("/addenda/{id}")]
async fn rewrite(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DraftAddendum)?;
    let body = incoming.json::<AddendumBody>().await?;
    let command = WriteAddendum::from(body.value);
    let (id, expected) = (parsed::<AddendumId>(&id)?, Expected::of(&request)?);
    let shown = context
        .db
        .write(move |tx| {
            let addendum = acts::rewrite(tx, &actor, &id, expected, &command)?;
            view(tx.conn(), addendum)
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(shown.revision)))
        .json(shown))
}

/// See what stands against an addendum
///
/// Everything that it may not change, every date that is too early and everything that the book would lack or be unlawful in, each with its
/// place, its rule and where that stands: the same list that refuses its publication. The rules are those that hold for the book.
#[utoipa::path(
    operation_id = "read_addendum_readiness",
    tag = "books",
    params(("id" = AddendumId, Path, description = "The addendum")),
    responses(
        (status = 200, description = "What stands against publication", body = AddendumReadinessView),
        (status = 404, description = "There is no such addendum, or it is not yours to see before publication"),
        (status = 409, description = "A rule is not set"),
    ),
    extensions(("x-action" = json!("OpenBookDrafts"))),
)]
#[get("/addenda/{id}/readiness")]
async fn readiness(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::OpenBookDrafts)?;
    let id = parsed::<AddendumId>(&id)?;
    let now = context.clock.now();
    let asked = context.clone();
    let (judgement, unanswered) = context
        .db
        .read(move |conn| {
            let (addendum, book) = acts::known(conn, &actor, &id)?;
            if !acts::may_open(&actor, &book) {
                return Err(NOT_FOUND.refuse().into());
            }
            let unanswered = acts_enquiries::unanswered(conn, &book, now)?;
            Ok((
                acts::judged(conn, &addendum, &book, (place(&asked), now))?,
                unanswered,
            ))
        })
        .await?;
    Ok(HttpResponse::Ok().json(AddendumReadinessView {
        ready: judgement.items.is_empty(),
        statute_id: judgement.statute_id,
        affects_bids: judgement.affects_bids,
        earliest_bid_deadline: judgement.earliest_deadline.map(rfc3339),
        unanswered_enquiries: unanswered.count,
        answers_overdue: unanswered.is_overdue,
        items: judgement.items.into_iter().map(Into::into).collect(),
    }))
}

/// Give an addendum up
///
/// Nothing of the book changes. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "discard_addendum",
    tag = "books",
    params(
        ("id" = AddendumId, Path, description = "The addendum"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The addendum as it is now", body = AddendumView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such addendum"),
        (status = 409, description = "`addendum_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DiscardAddendum"))),
)]
#[post("/addenda/{id}/discarding")]
async fn discard(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DiscardAddendum)?;
    let (id, expected) = (parsed::<AddendumId>(&id)?, Expected::of(&request)?);
    context
        .act_once(actor, once, [0; 32], move |tx, by| {
            let addendum = acts::discard(tx, by, &id, expected)?;
            reply(200, tx.conn(), addendum)
        })
        .await
}

/// Publish an addendum
///
/// By another person than those who wrote it, or the book. What it says is the book from now on, as a version of its own; ceilings that it
/// changes are reserved anew in the same step, within their budget lines. One that is public already stays as it is. Needs `If-Match`
/// with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "publish_addendum",
    tag = "books",
    params(
        ("id" = AddendumId, Path, description = "The addendum"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The addendum as it is now", body = AddendumView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such addendum"),
        (status = 409, description = "`addendum_wrong_state`, `book_wrong_state`, `book_bids_closed`, `addendum_changes_nothing`, `addendum_not_ready` with everything that stands against it, `ledger_would_overdraw`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("PublishAddendum"))),
)]
#[post("/addenda/{id}/publication")]
async fn publish(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::PublishAddendum)?;
    let (id, expected) = (parsed::<AddendumId>(&id)?, Expected::of(&request)?);
    let asked = context.clone();
    context
        .act_once(actor, once, [0; 32], move |tx, by| {
            let addendum = acts::publish(tx, by, &id, expected, place(&asked))?;
            reply(200, tx.conn(), addendum)
        })
        .await
}
