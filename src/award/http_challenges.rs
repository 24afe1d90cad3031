//! Queries about results, and challenges, over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::desk::{self, Known, days};
use crate::award::rules_awards::AwardId;
use crate::award::rules_challenges::{
    Challenge, ChallengeId, Ground, Outcome, Query as Asked, QueryId, Reply as Replied, State,
};
use crate::award::{acts_challenges as acts, acts_complaints, store_challenges as store};
use crate::books::rules::LotId;
use crate::budget::acts::own_organisations;
use crate::budget::desk::{after, one_more, page_or_table, parsed};
use crate::db::conn::Conn;
use crate::kernel::clock::rfc3339;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::context::WardCalendar;
use crate::web::format::{Format, csv_table};
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(ask)
        .service(list_queries)
        .service(read_query)
        .service(reply_to_query)
        .service(file)
        .service(list)
        .service(read)
        .service(reply_to)
        .service(withdraw);
}

/// What a bidder asks about a result.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewResultQuery, example = json!({"supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "question": "请说明 T1 项得分的依据"}))]
pub struct QueryBody {
    /// Who asks: a supplier whose bid was opened.
    supplier_id: OrganisationId,
    /// What.
    #[schema(min_length = 1, max_length = 2000)]
    question: String,
}

/// What the buyer replies to a query.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResultQueryReply, example = json!({"reply": "T1 项按量化标准逐项计分"}))]
pub struct QueryReplyBody {
    /// The words.
    #[schema(min_length = 1, max_length = 2000)]
    reply: String,
}

/// A question about a result.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResultQuery, example = json!({
    "id": "query_01jd3n8f5teqkrzvq1c0m6h2ax", "award_id": "award_01jd3n8f5teqkrzvq1c0m6h2ax", "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax",
    "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "question": "请说明 T1 项得分的依据", "asked_at": "2026-04-09T02:00:00.000000Z",
    "reply_due": "2026-04-14", "reply": null, "replied_at": null
}))]
pub struct QueryView {
    /// Its id.
    pub id: QueryId,
    /// The award that stood when it was asked.
    pub award_id: AwardId,
    /// The lot.
    pub lot_id: LotId,
    /// Who asks.
    pub supplier_id: OrganisationId,
    /// What.
    pub question: String,
    /// When, UTC.
    pub asked_at: String,
    /// The last day for a reply, as far as the calendar reaches.
    #[schema(value_type = Option<String>)]
    pub reply_due: Option<NaiveDate>,
    /// What was replied.
    pub reply: Option<String>,
    /// When, UTC.
    pub replied_at: Option<String>,
}

impl QueryView {
    fn of(query: Asked, known: &Known, calendar: &WardCalendar) -> Self {
        let due = acts::query_due(&query, known, calendar).ok();
        // The instant at which a day is over belongs to the next one.
        let due = due.map(|over| days(calendar).day(over).pred_opt().unwrap_or_default());
        let (replied_at, reply) = query.reply.unzip();
        Self {
            id: query.id,
            award_id: query.award_id,
            lot_id: query.lot_id,
            supplier_id: query.supplier_id,
            question: query.question,
            asked_at: rfc3339(query.asked_at),
            reply_due: due,
            reply,
            replied_at: replied_at.map(rfc3339),
        }
    }
}

/// Ask about a result
///
/// By a supplier whose bid was opened, since the notice. Only the parties, the regulator and auditors read it.
#[utoipa::path(
    operation_id = "ask_about_result",
    tag = "disputes",
    params(("id" = LotId, Path, description = "The lot")),
    request_body = QueryBody,
    responses(
        (status = 201, description = "The query", body = QueryView),
        (status = 403, description = "`dispute_not_a_bidder`"),
        (status = 404, description = "There is no such lot"),
        (status = 409, description = "`dispute_no_notice`, `query_too_many`"),
    ),
    extensions(("x-action" = json!("AskAboutResult"))),
)]
#[post("/lots/{id}/result-queries")]
async fn ask(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::AskAboutResult)?;
    let body = incoming.json::<QueryBody>().await?;
    let (id, asked, new) = (parsed::<LotId>(&id)?, context.clone(), body.value);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let (query, known) = acts::ask(tx, by, (&id, &new.supplier_id), &new.question)?;
            let location = format!("/api/v1/result-queries/{}", query.id);
            let view = QueryView::of(query, &known, &asked.calendar);
            Ok(Reply::json(201, &view)?.location(location))
        })
        .await
}

/// What of a lot the actor may read: everything, or what these suppliers said.
fn readable(conn: &mut Conn, actor: &Actor, lot: &LotId) -> Answer<(Known, Option<Vec<OrganisationId>>)> {
    let known = desk::known(conn, lot)?;
    let sees_all = policy::allows(actor, Action::OpenDisputes, known.matter());
    let own = own_organisations(actor, Action::ReadOwnDisputes).unwrap_or_default();
    Ok((known, (!sees_all).then_some(own)))
}

/// List queries about a result
///
/// The oldest first: those of your own suppliers; all of them for the buyer, the regulator and auditors.
#[utoipa::path(
    operation_id = "list_result_queries",
    tag = "disputes",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<QueryView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such lot"),
    ),
    extensions(("x-action" = json!("ReadOwnDisputes"))),
)]
#[get("/lots/{id}/result-queries")]
async fn list_queries(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadOwnDisputes)?;
    let kind = Disputes {
        name: "result queries",
        find: store::queries,
        view: QueryView::of,
        id: |one: &QueryView| one.id.to_string(),
    };
    Ok(kind.page(&request, context, actor, &id).await?.answer(&request))
}

/// Finds up to so many of a lot beyond an id: of these suppliers, or of all.
type Find<T> = fn(&mut Conn, &LotId, Option<&[OrganisationId]>, Option<&str>, i64) -> Answer<Vec<T>>;

/// What is said about the result of a lot, of one kind.
struct Disputes<T, V> {
    /// What a cursor belongs to.
    name: &'static str,
    /// Finds them.
    find: Find<T>,
    /// Shows one.
    view: fn(T, &Known, &WardCalendar) -> V,
    /// Which it is.
    id: fn(&V) -> String,
}

impl<T: 'static, V: Send + 'static> Disputes<T, V> {
    /// The oldest first: those of the actor's own suppliers, or all of them to whoever may see that.
    async fn page(self, request: &HttpRequest, context: Shared, actor: Actor, lot: &str) -> Answer<Page<V>> {
        let lot = parsed::<LotId>(lot)?;
        let mut query = Query::of(request);
        let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
        let cursor = query.text("cursor");
        query.finish()?;
        let question = Question::of(&[self.name, lot.as_str()]);
        let beyond = after(&question, cursor.as_deref())?;
        let (asked, find, view) = (context.clone(), self.find, self.view);
        let views = context
            .db
            .read(move |conn| {
                let (known, own) = readable(conn, &actor, &lot)?;
                let found = find(conn, &lot, own.as_deref(), beyond.as_deref(), one_more(limit))?;
                let views = found.into_iter().map(|one| view(one, &known, &asked.calendar));
                Ok(views.collect::<Vec<_>>())
            })
            .await?;
        Ok(Page::cut(views, limit, &question, |one| vec![(self.id)(one)]))
    }
}

/// Read a query about a result
///
/// For the parties, the regulator and auditors.
#[utoipa::path(
    operation_id = "read_result_query",
    tag = "disputes",
    params(("id" = QueryId, Path, description = "The query")),
    responses(
        (status = 200, description = "The query", body = QueryView),
        (status = 404, description = "There is no such query, or it is not yours to see"),
    ),
    extensions(("x-action" = json!("ReadOwnDisputes"))),
)]
#[get("/result-queries/{id}")]
async fn read_query(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadOwnDisputes)?;
    let (id, asked) = (parsed::<QueryId>(&id)?, context.clone());
    let view = context
        .db
        .read(move |conn| {
            let (query, known) = acts::seen_query(conn, &actor, &id)?;
            Ok(QueryView::of(query, &known, &asked.calendar))
        })
        .await?;
    Ok(private(&view))
}

fn private<T: Serialize>(view: &T) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(view)
}

/// Reply to a query about a result
///
/// For the buyer, once.
#[utoipa::path(
    operation_id = "reply_to_result_query",
    tag = "disputes",
    params(("id" = QueryId, Path, description = "The query")),
    request_body = QueryReplyBody,
    responses(
        (status = 200, description = "The query as it is now", body = QueryView),
        (status = 404, description = "There is no such query, or it is not yours to see"),
        (status = 409, description = "`query_closed`"),
    ),
    extensions(("x-action" = json!("ReplyToQuery"))),
)]
#[post("/result-queries/{id}/reply")]
async fn reply_to_query(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReplyToQuery)?;
    let body = incoming.json::<QueryReplyBody>().await?;
    let (id, asked, words) = (parsed::<QueryId>(&id)?, context.clone(), body.value.reply);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let (query, known) = acts::reply_to_query(tx, by, &id, &words)?;
            Ok(Reply::json(200, &QueryView::of(query, &known, &asked.calendar))?)
        })
        .await
}

/// A challenge of an award.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewChallenge, example = json!({
    "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax",
    "grounds": [{"facts": "T1 项评分与量化标准不符", "basis": "87号令第55条", "claim": "重新评审该项"}]
}))]
pub struct ChallengeBody {
    /// Who challenges: a supplier whose bid was opened.
    supplier_id: OrganisationId,
    /// On what it rests, everything at once. The first has the number 1.
    #[schema(min_items = 1, max_items = 20)]
    grounds: Vec<Ground>,
}

/// What the buyer replies to a challenge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChallengeReply, example = json!({"outcome": "rejected", "affects_result": false, "reply": "经复核，评分符合量化标准"}))]
pub struct ChallengeReplyBody {
    /// With which outcome.
    outcome: Outcome,
    /// True if the result cannot stand: the award is neither confirmed nor signed then.
    affects_result: bool,
    /// Why.
    #[schema(min_length = 1, max_length = 8000)]
    reply: String,
}

/// A challenge.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Challenge, example = json!({
    "id": "challenge_01jd3n8f5teqkrzvq1c0m6h2ax", "award_id": "award_01jd3n8f5teqkrzvq1c0m6h2ax", "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax",
    "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "state": "filed", "filed_at": "2026-04-10T02:00:00.000000Z",
    "grounds": [{"facts": "T1 项评分与量化标准不符", "basis": "87号令第55条", "claim": "重新评审该项"}], "reply_due": "2026-04-21", "outcome": null,
    "affects_result": null, "reply": null, "closed_at": null, "complaints_until": "2026-05-13T16:00:00.000000Z"
}))]
pub struct ChallengeView {
    /// Its id.
    pub id: ChallengeId,
    /// The award.
    pub award_id: AwardId,
    /// The lot.
    pub lot_id: LotId,
    /// Whose it is.
    pub supplier_id: OrganisationId,
    /// How far it has come.
    pub state: State,
    /// When it was filed, UTC.
    pub filed_at: String,
    /// On what it rests; the first has the number 1.
    #[schema(max_items = 20)]
    pub grounds: Vec<Ground>,
    /// The last day for the buyer's reply, as far as the calendar reaches.
    #[schema(value_type = Option<String>)]
    pub reply_due: Option<NaiveDate>,
    /// What the buyer found.
    pub outcome: Option<Outcome>,
    /// Whether the result cannot stand.
    pub affects_result: Option<bool>,
    /// Why.
    pub reply: Option<String>,
    /// When it was replied to or withdrawn, UTC.
    pub closed_at: Option<String>,
    /// Before when one may complain to the regulator, UTC, as far as the calendar reaches.
    pub complaints_until: Option<String>,
}

impl ChallengeView {
    fn of(challenge: Challenge, known: &Known, calendar: &WardCalendar) -> Self {
        let due = acts::reply_due(&challenge, known, calendar).ok();
        let window = acts_complaints::window(&challenge, known, calendar).ok();
        let reply = challenge.reply;
        Self {
            id: challenge.id,
            award_id: challenge.award_id,
            lot_id: challenge.lot_id,
            supplier_id: challenge.supplier_id,
            state: challenge.state,
            filed_at: rfc3339(challenge.filed_at),
            grounds: challenge.grounds,
            reply_due: due,
            outcome: reply.as_ref().map(|reply| reply.outcome),
            affects_result: reply.as_ref().map(|reply| reply.affects_result),
            reply: reply.map(|reply| reply.words),
            closed_at: challenge.closed_at.map(rfc3339),
            complaints_until: window.map(|window| rfc3339(window.until)),
        }
    }
}

/// Challenge an award
///
/// By a supplier whose bid was opened, within the time after the notice, once for each award and with all grounds. The award is not confirmed before the
/// buyer has replied.
#[utoipa::path(
    operation_id = "file_challenge",
    tag = "disputes",
    params(("id" = AwardId, Path, description = "The award")),
    request_body = ChallengeBody,
    responses(
        (status = 201, description = "The challenge", body = ChallengeView),
        (status = 403, description = "`dispute_not_a_bidder`"),
        (status = 404, description = "There is no such award, or no notice of it yet"),
        (status = 409, description = "`calendar_ends`, `award_wrong_state`, `challenge_late`, `challenge_filed_already`"),
    ),
    extensions(("x-action" = json!("FileChallenge"))),
)]
#[post("/awards/{id}/challenges")]
async fn file(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::FileChallenge)?;
    let body = incoming.json::<ChallengeBody>().await?;
    let (id, asked, new) = (parsed::<AwardId>(&id)?, context.clone(), body.value);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let of = (&id, &new.supplier_id);
            let (challenge, known) = acts::file(tx, by, of, &new.grounds, &asked.calendar)?;
            let location = format!("/api/v1/challenges/{}", challenge.id);
            let view = ChallengeView::of(challenge, &known, &asked.calendar);
            Ok(Reply::json(201, &view)?.location(location))
        })
        .await
}

/// List challenges about a lot
///
/// The oldest first: those of your own suppliers; all of them for the buyer, the regulator and auditors. As CSV with `Accept: text/csv`: the same page as
/// a table, without what anybody said.
#[utoipa::path(
    operation_id = "list_challenges",
    tag = "disputes",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", content(
            (Page<ChallengeView> = "application/json"),
            (String = "text/csv", example = "id,award_id,lot_id,supplier_id,state,filed_at,reply_due,outcome,affects_result,closed_at\r\n")
        ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such lot"),
    ),
    extensions(("x-action" = json!("ReadOwnDisputes"))),
)]
#[get("/lots/{id}/challenges")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadOwnDisputes)?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let kind = Disputes {
        name: "challenges",
        find: store::of_lot,
        view: ChallengeView::of,
        id: |one: &ChallengeView| one.id.to_string(),
    };
    let page = kind.page(&request, context, actor, &id).await?;
    page_or_table(&request, page, format, ("challenges.csv", table))
}

fn table(items: &[ChallengeView]) -> Answer<Vec<u8>> {
    let columns = [
        "id",
        "award_id",
        "lot_id",
        "supplier_id",
        "state",
        "filed_at",
        "reply_due",
        "outcome",
        "affects_result",
        "closed_at",
    ];
    let dues: Vec<String> = items
        .iter()
        .map(|item| item.reply_due.map(|due| due.to_string()).unwrap_or_default())
        .collect();
    let rows = items.iter().zip(&dues).map(|(item, due)| {
        [
            item.id.as_str(),
            item.award_id.as_str(),
            item.lot_id.as_str(),
            item.supplier_id.as_str(),
            item.state.name(),
            &item.filed_at,
            due,
            item.outcome.map(Outcome::name).unwrap_or_default(),
            item.affects_result
                .map(|affects| if affects { "true" } else { "false" })
                .unwrap_or_default(),
            item.closed_at.as_deref().unwrap_or_default(),
        ]
    });
    Ok(csv_table(&columns, rows)?)
}

/// Read a challenge
///
/// For the parties, whoever was to get the contract among them, the regulator and auditors.
#[utoipa::path(
    operation_id = "read_challenge",
    tag = "disputes",
    params(("id" = ChallengeId, Path, description = "The challenge")),
    responses(
        (status = 200, description = "The challenge", body = ChallengeView),
        (status = 404, description = "There is no such challenge, or it is not yours to see"),
    ),
    extensions(("x-action" = json!("ReadOwnDisputes"))),
)]
#[get("/challenges/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadOwnDisputes)?;
    let (id, asked) = (parsed::<ChallengeId>(&id)?, context.clone());
    let view = context
        .db
        .read(move |conn| {
            let (challenge, known) = acts::seen(conn, &actor, &id)?;
            Ok(ChallengeView::of(challenge, &known, &asked.calendar))
        })
        .await?;
    Ok(private(&view))
}

/// Reply to a challenge
///
/// For the buyer, once. If the result cannot stand, the award is neither confirmed nor signed, and the buyer ends it.
#[utoipa::path(
    operation_id = "reply_to_challenge",
    tag = "disputes",
    params(("id" = ChallengeId, Path, description = "The challenge")),
    request_body = ChallengeReplyBody,
    responses(
        (status = 200, description = "The challenge as it is now", body = ChallengeView),
        (status = 404, description = "There is no such challenge, or it is not yours to see"),
        (status = 409, description = "`challenge_closed`"),
    ),
    extensions(("x-action" = json!("ReplyToChallenge"))),
)]
#[post("/challenges/{id}/reply")]
async fn reply_to(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReplyToChallenge)?;
    let body = incoming.json::<ChallengeReplyBody>().await?;
    let (id, asked, new) = (parsed::<ChallengeId>(&id)?, context.clone(), body.value);
    let said = Replied {
        outcome: new.outcome,
        affects_result: new.affects_result,
        words: new.reply,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let (challenge, known) = acts::reply(tx, by, &id, &said)?;
            let view = ChallengeView::of(challenge, &known, &asked.calendar);
            Ok(Reply::json(200, &view)?)
        })
        .await
}

/// Withdraw a challenge
///
/// By whoever filed it, before the buyer has replied.
#[utoipa::path(
    operation_id = "withdraw_challenge",
    tag = "disputes",
    params(("id" = ChallengeId, Path, description = "The challenge")),
    responses(
        (status = 200, description = "The challenge as it is now", body = ChallengeView),
        (status = 404, description = "There is no such challenge, or it is not yours to see"),
        (status = 409, description = "`challenge_closed`"),
    ),
    extensions(("x-action" = json!("FileChallenge"))),
)]
#[post("/challenges/{id}/withdrawal")]
async fn withdraw(context: Shared, actor: Actor, once: Once, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::FileChallenge)?;
    let (id, asked) = (parsed::<ChallengeId>(&id)?, context.clone());
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let (challenge, known) = acts::withdraw(tx, by, &id)?;
            let view = ChallengeView::of(challenge, &known, &asked.calendar);
            Ok(Reply::json(200, &view)?)
        })
        .await
}
