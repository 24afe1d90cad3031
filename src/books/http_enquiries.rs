//! Enquiries over HTTP: parse, call one act or query, render. No SQL and no rule. Nothing here says who asked but to auditors after the
//! opening of bids.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::acts;
use crate::books::acts_enquiries::{self, Ask};
use crate::books::rules::BookId;
use crate::books::rules_enquiries::{
    self as rules, Answer as Answered, Asker, Enquiry, EnquiryId, Entered, State,
};
use crate::books::store_enquiries as store;
use crate::budget::desk::{self, parsed};
use crate::kernel::clock::rfc3339;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question, bad_cursor};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(ask)
        .service(list)
        .service(list_unanswered)
        .service(list_own)
        .service(list_askers)
        .service(read)
        .service(withdraw)
        .service(give_answer);
}

/// An answer. What was asked is in the words of whoever answers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnquiryAnswer, example = json!({"number": 1, "question_zh": "作业面积是否含绿化带？", "question_en": "Does the area include green strips?", "answer_zh": "不含，详见补遗第 1 号。", "answer_en": "No; see addendum 1.", "addendum": 1, "answered_at": "2026-03-10T02:00:00.000000Z"}))]
pub struct AnswerView {
    /// Counts the answers about the book, from 1, in the order in which they were given.
    pub number: i64,
    /// What was asked, in Chinese.
    pub question_zh: String,
    /// What was asked, in English.
    pub question_en: String,
    /// The answer, in Chinese.
    pub answer_zh: String,
    /// The answer, in English.
    pub answer_en: String,
    /// The number of the addendum that makes what the answer changes; an answer alone changes nothing.
    pub addendum: Option<i64>,
    /// When, UTC.
    pub answered_at: String,
}

impl From<Answered> for AnswerView {
    fn from(answer: Answered) -> Self {
        Self {
            number: answer.number,
            question_zh: answer.question.zh,
            question_en: answer.question.en,
            answer_zh: answer.answer.zh,
            answer_en: answer.answer.en,
            addendum: answer.addendum,
            answered_at: rfc3339(answer.at),
        }
    }
}

/// An enquiry. Who asked is not told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Enquiry, example = json!({"id": "enquiry_01jd3n8f5teqkrzvq1c0m6h2ax", "book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "state": "open", "question": "作业面积是否含绿化带？", "asked_at": "2026-03-09T02:00:00.000000Z", "answer": null}))]
pub struct EnquiryView {
    /// Its id.
    pub id: EnquiryId,
    /// About which book.
    pub book_id: BookId,
    /// How far it has come.
    pub state: State,
    /// In the words of whoever asked: shown to their supplier, the buyer and auditors; `null` to everyone else.
    #[schema(required = true)]
    pub question: Option<String>,
    /// When it was asked, UTC; shown to the same.
    #[schema(required = true)]
    pub asked_at: Option<String>,
    /// The answer; `null` before there is one.
    #[schema(required = true)]
    pub answer: Option<AnswerView>,
}

impl EnquiryView {
    fn of(enquiry: Enquiry, is_whole: bool) -> Self {
        Self {
            state: enquiry.state(),
            id: enquiry.id,
            book_id: enquiry.book_id,
            question: is_whole.then_some(enquiry.question),
            asked_at: is_whole.then(|| rfc3339(enquiry.asked_at)),
            answer: enquiry.answer.map(Into::into),
        }
    }

    fn whole(enquiry: Enquiry) -> Self {
        Self::of(enquiry, true)
    }
}

/// Who asked, to auditors, once bids were opened.
#[derive(Serialize, ToSchema)]
#[schema(as = EnquiryAsker, example = json!({"enquiry_id": "enquiry_01jd3n8f5teqkrzvq1c0m6h2ax", "organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "account_id": "user_01jd3n8f5teqkrzvq1c0m6h2ax", "salt": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}))]
pub struct AskerView {
    /// Which enquiry.
    pub enquiry_id: EnquiryId,
    /// For which supplier.
    pub organisation_id: OrganisationId,
    /// Which account.
    pub account_id: String,
    /// Hexadecimal. The event `enquiry.made` has SHA-256(salt ‖ account ‖ line feed ‖ organisation) as `asker`.
    pub salt: String,
}

impl From<(EnquiryId, Asker)> for AskerView {
    fn from((enquiry_id, asker): (EnquiryId, Asker)) -> Self {
        Self {
            enquiry_id,
            organisation_id: asker.organisation_id,
            account_id: asker.account_id,
            salt: hex::encode(asker.salt),
        }
    }
}

/// Something to ask.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEnquiry, example = json!({"organisation_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "question": "作业面积是否含绿化带？"}))]
pub struct AskBody {
    /// For which supplier.
    organisation_id: OrganisationId,
    /// What. The buyer reads it word for word: it should not say who asks.
    #[schema(min_length = 1, max_length = 2000)]
    question: String,
}

/// An answer to give.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEnquiryAnswer, example = json!({"question_zh": "作业面积是否含绿化带？", "question_en": "Does the area include green strips?", "answer_zh": "不含。", "answer_en": "No.", "addendum": null}))]
pub struct AnswerBody {
    /// What was asked, in Chinese, so that nobody is recognised by it. It becomes public.
    #[schema(min_length = 1, max_length = 2000)]
    question_zh: String,
    /// What was asked, in English.
    #[schema(min_length = 1, max_length = 2000)]
    question_en: String,
    /// The answer, in Chinese.
    #[schema(min_length = 1, max_length = 2000)]
    answer_zh: String,
    /// The answer, in English.
    #[schema(min_length = 1, max_length = 2000)]
    answer_en: String,
    /// The number of a published addendum to the book that makes what the answer changes.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 99)]
    addendum: Option<i64>,
}

/// Ask about a book
///
/// For a verified supplier, until the deadline for enquiries. Who asks is told to nobody; the answer is public. A supplier may ask 20 times
/// about one book.
#[utoipa::path(
    operation_id = "ask_enquiry",
    tag = "books",
    params(("id" = BookId, Path, description = "The book")),
    request_body = AskBody,
    responses(
        (status = 201, description = "The enquiry", body = EnquiryView, headers(("Location" = String, description = "Where the enquiry is"))),
        (status = 404, description = "There is no such book"),
        (status = 409, description = "`book_wrong_state`, `enquiry_not_verified`, `enquiry_debarred`, `enquiry_closed`, `enquiry_too_many`"),
        (status = 422, description = "The question does not fit"),
    ),
    extensions(("x-action" = json!("AskEnquiry"))),
)]
#[post("/contract-books/{id}/enquiries")]
async fn ask(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::AskEnquiry)?;
    let body = incoming.json::<AskBody>().await?;
    let id = parsed::<BookId>(&id)?;
    let command = Ask {
        organisation_id: body.value.organisation_id,
        question: body.value.question,
    };
    let zone = context.calendar.zone;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let enquiry = acts_enquiries::ask(tx, by, &id, &command, zone)?;
            let location = format!("/api/v1/enquiries/{}", enquiry.id);
            Ok(Reply::json(201, &EnquiryView::whole(enquiry))?.location(location))
        })
        .await
}

/// List the answers about a book
///
/// In the order in which they were given. Everyone reads them; nobody learns who asked.
#[utoipa::path(
    operation_id = "list_enquiries",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<EnquiryView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such book"),
    ),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/contract-books/{id}/enquiries")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    let id = parsed::<BookId>(&id)?;
    let (limit, cursor) = paged(&request)?;
    let question = Question::of(&["enquiries", id.as_str()]);
    let after = match desk::after(&question, cursor.as_deref())? {
        Some(number) => number.parse::<i64>().map_err(|_| bad_cursor())?,
        None => 0,
    };
    let found = context
        .db
        .read(move |conn| {
            let book = acts::seen(conn, &actor, &id)?;
            store::answered(conn, &book.id, after, desk::one_more(limit))
        })
        .await?;
    let views = found.into_iter().map(|one| EnquiryView::of(one, false)).collect();
    let number = |one: &EnquiryView| one.answer.as_ref().map_or(0, |answer| answer.number);
    let page = Page::cut(views, limit, &question, |one| vec![number(one).to_string()]);
    Ok(page.answer(&request))
}

fn paged(request: &HttpRequest) -> Answer<(u16, Option<String>)> {
    let mut query = Query::of(request);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    Ok((limit, cursor))
}

/// List what waits for an answer
///
/// The oldest first: for the buyer's own people and auditors, without who asked.
#[utoipa::path(
    operation_id = "list_unanswered_enquiries",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<EnquiryView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such book, or it is not yours"),
    ),
    extensions(("x-action" = json!("OpenEnquiries"))),
)]
#[get("/contract-books/{id}/unanswered-enquiries")]
async fn list_unanswered(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::OpenEnquiries)?;
    let id = parsed::<BookId>(&id)?;
    let (limit, cursor) = paged(&request)?;
    let question = Question::of(&["unanswered enquiries", id.as_str()]);
    let after = desk::after(&question, cursor.as_deref())?;
    let found = context
        .db
        .read(move |conn| {
            let book = acts::seen(conn, &actor, &id)?;
            let matter = Matter::of_organisation(&book.organisation_id);
            if !policy::allows(&actor, Action::OpenEnquiries, matter) {
                return Err(NOT_FOUND.refuse().into());
            }
            store::unanswered(conn, &book.id, after.as_deref(), desk::one_more(limit))
        })
        .await?;
    let views = found.into_iter().map(EnquiryView::whole).collect();
    let page = Page::cut(views, limit, &question, |one: &EnquiryView| {
        vec![one.id.to_string()]
    });
    Ok(page.answer(&request))
}

/// List what a supplier asked
///
/// Newest first: for its own agents alone.
#[utoipa::path(
    operation_id = "list_own_enquiries",
    tag = "books",
    params(
        ("id" = OrganisationId, Path, description = "The supplier"),
        ("book_id" = Option<BookId>, Query, description = "About this book"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<EnquiryView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadOwnEnquiries"))),
)]
#[get("/organisations/{id}/enquiries")]
async fn list_own(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadOwnEnquiries)?;
    let id = parsed::<OrganisationId>(&id)?;
    policy::allow(&actor, Action::ReadOwnEnquiries, Matter::of_organisation(&id))?;
    let mut query = Query::of(&request);
    let book = query.parsed::<BookId>("book_id");
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let about = book.as_ref().map_or("", BookId::as_str);
    let question = Question::of(&["own enquiries", id.as_str(), about]);
    let before = desk::after(&question, cursor.as_deref())?;
    let found = context
        .db
        .read(move |conn| {
            store::of_supplier(conn, &id, book.as_ref(), before.as_deref(), desk::one_more(limit))
        })
        .await?;
    let views = found.into_iter().map(EnquiryView::whole).collect();
    let page = Page::cut(views, limit, &question, |one: &EnquiryView| {
        vec![one.id.to_string()]
    });
    Ok(page.answer(&request))
}

/// List who asked about a book
///
/// For auditors, and not before bids are opened. With the salts, each can be compared with the commitment in the log.
#[utoipa::path(
    operation_id = "list_enquiry_askers",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<AskerView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such book"),
        (status = 409, description = "`enquiry_askers_sealed`"),
    ),
    extensions(("x-action" = json!("OpenEnquiryAskers"))),
)]
#[get("/contract-books/{id}/enquiry-askers")]
async fn list_askers(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::OpenEnquiryAskers, Matter::default())?;
    let id = parsed::<BookId>(&id)?;
    let (limit, cursor) = paged(&request)?;
    let question = Question::of(&["enquiry askers", id.as_str()]);
    let after = desk::after(&question, cursor.as_deref())?;
    let now = context.clock.now();
    let found = context
        .db
        .read(move |conn| {
            let book = acts::seen(conn, &actor, &id)?;
            rules::may_name_askers(&book, now)?;
            store::askers(conn, &book.id, after.as_deref(), desk::one_more(limit))
        })
        .await?;
    let views = found.into_iter().map(AskerView::from).collect();
    let page = Page::cut(views, limit, &question, |one: &AskerView| {
        vec![one.enquiry_id.to_string()]
    });
    Ok(page.answer(&request))
}

/// Read an enquiry
///
/// Answered, everyone reads it; before that its supplier, the buyer and auditors.
#[utoipa::path(
    operation_id = "read_enquiry",
    tag = "books",
    params(("id" = EnquiryId, Path, description = "The enquiry")),
    responses(
        (status = 200, description = "The enquiry", body = EnquiryView),
        (status = 404, description = "There is no such enquiry, or it is not yours to see before it is answered"),
    ),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/enquiries/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    let id = parsed::<EnquiryId>(&id)?;
    let (enquiry, is_whole) = context
        .db
        .read(move |conn| acts_enquiries::known(conn, &actor, &id))
        .await?;
    Ok(HttpResponse::Ok().json(EnquiryView::of(enquiry, is_whole)))
}

/// Take an enquiry back
///
/// As long as it is not answered. To everyone but its supplier there is no such enquiry from then on.
#[utoipa::path(
    operation_id = "withdraw_enquiry",
    tag = "books",
    params(("id" = EnquiryId, Path, description = "The enquiry")),
    responses(
        (status = 200, description = "The enquiry as it is now", body = EnquiryView),
        (status = 404, description = "You have no such enquiry"),
        (status = 409, description = "`enquiry_wrong_state`"),
    ),
    extensions(("x-action" = json!("AskEnquiry"))),
)]
#[post("/enquiries/{id}/withdrawal")]
async fn withdraw(context: Shared, actor: Actor, once: Once, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::AskEnquiry)?;
    let id = parsed::<EnquiryId>(&id)?;
    context
        .act_once(actor, once, [0; 32], move |tx, by| {
            let enquiry = acts_enquiries::withdraw(tx, by, &id)?;
            Ok(Reply::json(200, &EnquiryView::whole(enquiry))?)
        })
        .await
}

/// Answer an enquiry
///
/// In public and in both languages, the question in the buyer's own words. An answer changes nothing of the book: what changes is made by an
/// addendum, which the answer may name. It cannot be changed.
#[utoipa::path(
    operation_id = "answer_enquiry",
    tag = "books",
    params(("id" = EnquiryId, Path, description = "The enquiry")),
    request_body = AnswerBody,
    responses(
        (status = 200, description = "The enquiry as it is now", body = EnquiryView),
        (status = 404, description = "There is no such enquiry"),
        (status = 409, description = "`enquiry_wrong_state`, `book_wrong_state`, `enquiry_addendum_unknown`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("AnswerEnquiry"))),
)]
#[post("/enquiries/{id}/answer")]
async fn give_answer(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::AnswerEnquiry)?;
    let body = incoming.json::<AnswerBody>().await?;
    let id = parsed::<EnquiryId>(&id)?;
    let entered = Entered {
        question: (body.value.question_zh, body.value.question_en),
        answer: (body.value.answer_zh, body.value.answer_en),
        addendum: body.value.addendum,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let enquiry = acts_enquiries::answer(tx, by, &id, &entered)?;
            Ok(Reply::json(200, &EnquiryView::whole(enquiry))?)
        })
        .await
}
