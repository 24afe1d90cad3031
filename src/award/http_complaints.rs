//! Complaints to the regulator over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::acts_complaints::{self as acts, Deciding};
use crate::award::desk::Known;
use crate::award::rules_awards::AwardId;
use crate::award::rules_challenges::ChallengeId;
use crate::award::rules_complaints::{Complaint, ComplaintId, Consequence, Entered, Outcome, State};
use crate::award::store_complaints::{self as store, ComplaintFilter};
use crate::books::rules::{BookId, LotId};
use crate::budget::desk::{after, one_more, page_or_table, parsed};
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
use crate::web::policy::{self, Action, Matter};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(file)
        .service(list)
        .service(read)
        .service(accept)
        .service(refuse)
        .service(withdraw)
        .service(lift)
        .service(decide);
}

/// Which of a challenge's grounds, counted from 1.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = ChallengeGroundNumber, minimum = 1, maximum = 20, example = 1)]
pub struct GroundNumber(pub u32);

/// What is complained of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewComplaint, example = json!({"grounds": [1], "statement": "对质疑答复不满意：未说明扣分依据", "further": null}))]
pub struct ComplaintBody {
    /// The numbers of the challenge's grounds that it is about.
    #[schema(min_items = 1, max_items = 20)]
    grounds: Vec<GroundNumber>,
    /// Why the reply, or that there was none, does not satisfy.
    #[schema(min_length = 1, max_length = 8000)]
    statement: String,
    /// What the challenge did not say; only where the rules allow that.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 8000)]
    further: Option<String>,
}

/// That a complaint is taken up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ComplaintAcceptance, example = json!({"suspension_days": 30}))]
pub struct AcceptanceBody {
    /// For how many days the book is suspended; `null` for none. It ends by itself.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 36500)]
    suspension_days: Option<u32>,
}

/// Why a complaint is not taken up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ComplaintRefusal, example = json!({"reason": "超出投诉期限"}))]
pub struct RefusalBody {
    /// The reason, to the parties.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// What the regulator decides.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ComplaintDecision, example = json!({"outcome": "rejected", "consequence": null, "decision_zh": "评分符合量化标准，投诉不成立", "decision_en": "The scores follow the book; the complaint is rejected"}))]
pub struct DecisionBody {
    /// With which outcome.
    outcome: Outcome,
    /// What follows; of a complaint that is upheld, and of no other.
    #[serde(default)]
    consequence: Option<Consequence>,
    /// Why, in Chinese. It is public.
    #[schema(min_length = 1, max_length = 2000)]
    decision_zh: String,
    /// Why, in English.
    #[schema(min_length = 1, max_length = 2000)]
    decision_en: String,
}

/// A complaint. What the parties said is `null` to everybody else.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Complaint, example = json!({
    "id": "complaint_01jd3n8f5teqkrzvq1c0m6h2ax", "challenge_id": "challenge_01jd3n8f5teqkrzvq1c0m6h2ax", "award_id": "award_01jd3n8f5teqkrzvq1c0m6h2ax",
    "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax",
    "state": "decided", "filed_at": "2026-04-22T02:00:00.000000Z", "decision_due": "2026-06-05", "grounds": null, "statement": null, "further": null,
    "accepted_at": "2026-04-23T02:00:00.000000Z", "suspended_until": null, "refusal": null, "outcome": "rejected", "consequence": null,
    "decision_zh": "评分符合量化标准，投诉不成立", "decision_en": "The scores follow the book; the complaint is rejected", "closed_at": "2026-05-06T02:00:00.000000Z"
}))]
pub struct ComplaintView {
    /// Its id.
    pub id: ComplaintId,
    /// The challenge that it goes on from.
    pub challenge_id: ChallengeId,
    /// The award that was challenged.
    pub award_id: AwardId,
    /// The lot.
    pub lot_id: LotId,
    /// Its book.
    pub book_id: BookId,
    /// Who complains.
    pub supplier_id: OrganisationId,
    /// How far it has come.
    pub state: State,
    /// When it was filed, UTC.
    pub filed_at: String,
    /// The last day for the decision, as far as the calendar reaches.
    #[schema(value_type = Option<String>)]
    pub decision_due: Option<NaiveDate>,
    /// The numbers of the challenge's grounds.
    #[schema(max_items = 20)]
    pub grounds: Option<Vec<GroundNumber>>,
    /// Why the reply does not satisfy.
    pub statement: Option<String>,
    /// What the challenge did not say.
    pub further: Option<String>,
    /// When it was taken up, UTC.
    pub accepted_at: Option<String>,
    /// Until when the book is suspended because of it, UTC, or was.
    pub suspended_until: Option<String>,
    /// Why it was not taken up.
    pub refusal: Option<String>,
    /// What was decided.
    pub outcome: Option<Outcome>,
    /// What follows.
    pub consequence: Option<Consequence>,
    /// Why, in Chinese.
    pub decision_zh: Option<String>,
    /// Why, in English.
    pub decision_en: Option<String>,
    /// When it was refused, decided or withdrawn, UTC.
    pub closed_at: Option<String>,
}

impl ComplaintView {
    fn of(complaint: Complaint, known: &Known, is_open: bool, calendar: &WardCalendar) -> Self {
        let due = acts::decision_due(&complaint, known, calendar).ok();
        let mut ordered = known.suspensions.iter();
        let suspension = ordered.find(|one| one.complaint_id == complaint.id);
        let until = suspension.map(|one| one.lifted_at.unwrap_or(one.until_at));
        let said = Some(complaint.content).filter(|_| is_open);
        let decision = complaint.decision;
        Self {
            id: complaint.id,
            challenge_id: complaint.challenge_id,
            award_id: complaint.award_id,
            lot_id: complaint.lot_id,
            book_id: complaint.book_id,
            supplier_id: complaint.supplier_id,
            state: complaint.state,
            filed_at: rfc3339(complaint.filed_at),
            decision_due: due,
            grounds: said
                .as_ref()
                .map(|said| said.grounds.iter().copied().map(GroundNumber).collect()),
            statement: said.as_ref().map(|said| said.statement.clone()),
            further: said.and_then(|said| said.further),
            accepted_at: complaint.accepted_at.map(rfc3339),
            suspended_until: until.map(rfc3339),
            refusal: complaint.refusal.filter(|_| is_open),
            outcome: decision.as_ref().map(|one| one.outcome),
            consequence: decision.as_ref().and_then(|one| one.consequence),
            decision_zh: decision.as_ref().map(|one| one.reason.zh.clone()),
            decision_en: decision.map(|one| one.reason.en),
            closed_at: complaint.closed_at.map(rfc3339),
        }
    }
}

/// Complain to the regulator
///
/// By a challenger who is not content with the buyer's reply, or got none in time, about grounds of the challenge and no others.
#[utoipa::path(
    operation_id = "file_complaint",
    tag = "disputes",
    params(("id" = ChallengeId, Path, description = "The challenge")),
    request_body = ComplaintBody,
    responses(
        (status = 201, description = "The complaint", body = ComplaintView),
        (status = 404, description = "There is no such challenge, or it is not yours to see"),
        (status = 409, description = "`calendar_ends`, `complaint_without_challenge`, `complaint_too_early`, `complaint_late`, `complaint_filed_already`"),
        (status = 422, description = "`complaint_beyond_challenge`, with the places"),
    ),
    extensions(("x-action" = json!("FileComplaint"))),
)]
#[post("/challenges/{id}/complaint")]
async fn file(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::FileComplaint)?;
    let body = incoming.json::<ComplaintBody>().await?;
    let (id, asked, new) = (parsed::<ChallengeId>(&id)?, context.clone(), body.value);
    let said = Entered {
        grounds: new.grounds.iter().map(|one| one.0).collect(),
        statement: new.statement,
        further: new.further,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let (complaint, known) = acts::file(tx, by, &id, &said, &asked.calendar)?;
            let location = format!("/api/v1/complaints/{}", complaint.id);
            let view = ComplaintView::of(complaint, &known, true, &asked.calendar);
            Ok(Reply::json(201, &view)?.location(location))
        })
        .await
}

/// The words of the parameter `state`.
const STATES: [(&str, State); 5] = [
    ("filed", State::Filed),
    ("accepted", State::Accepted),
    ("refused", State::Refused),
    ("decided", State::Decided),
    ("withdrawn", State::Withdrawn),
];

/// List complaints
///
/// The newest first. Everybody sees those that are decided; the regulator and auditors all of them, and what the parties said. As CSV with
/// `Accept: text/csv`: the same page as a table, without what anybody said.
#[utoipa::path(
    operation_id = "list_complaints",
    tag = "disputes",
    params(
        ("lot_id" = Option<LotId>, Query, description = "About this lot"),
        ("state" = Option<State>, Query, description = "In this state; of no use to whoever sees decided ones only"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", content(
        (Page<ComplaintView> = "application/json"),
        (String = "text/csv", example = "id,challenge_id,award_id,lot_id,book_id,supplier_id,state,filed_at,decision_due,accepted_at,suspended_until,outcome,consequence,closed_at\r\n")
    ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ReadAwards"))),
)]
#[get("/complaints")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadAwards, Matter::default())?;
    let format = Format::wanted(&request, &[Format::Json, Format::Csv])?;
    let mut query = Query::of(&request);
    let lot = query.parsed::<LotId>("lot_id");
    let state = query.one_of("state", &STATES);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    // Whoever may read them anywhere: the regulator and auditors.
    let sees_all = policy::allows(&actor, Action::OpenDisputes, Matter::default());
    let question = Question::of(&[
        "complaints",
        lot.as_ref().map_or("", LotId::as_str),
        state.map_or("", State::name),
    ]);
    let before = after(&question, cursor.as_deref())?;
    let nothing = !sees_all && state.is_some_and(|state| state != State::Decided);
    let filter = ComplaintFilter {
        lot,
        state: if sees_all { state } else { Some(State::Decided) },
        before,
    };
    let asked = context.clone();
    let views = context
        .db
        .read(move |conn| {
            if nothing {
                return Ok(Vec::new());
            }
            let mut views = Vec::new();
            for complaint in store::complaints_by(conn, &filter, one_more(limit))? {
                let known = crate::award::desk::known(conn, &complaint.lot_id)?;
                views.push(ComplaintView::of(complaint, &known, sees_all, &asked.calendar));
            }
            Ok(views)
        })
        .await?;
    let page = Page::cut(views, limit, &question, |one: &ComplaintView| {
        vec![one.id.to_string()]
    });
    page_or_table(&request, page, format, ("complaints.csv", table))
}

fn table(items: &[ComplaintView]) -> Answer<Vec<u8>> {
    let columns = [
        "id",
        "challenge_id",
        "award_id",
        "lot_id",
        "book_id",
        "supplier_id",
        "state",
        "filed_at",
        "decision_due",
        "accepted_at",
        "suspended_until",
        "outcome",
        "consequence",
        "closed_at",
    ];
    let dues: Vec<String> = items
        .iter()
        .map(|item| item.decision_due.map(|due| due.to_string()).unwrap_or_default())
        .collect();
    let rows = items.iter().zip(&dues).map(|(item, due)| {
        [
            item.id.as_str(),
            item.challenge_id.as_str(),
            item.award_id.as_str(),
            item.lot_id.as_str(),
            item.book_id.as_str(),
            item.supplier_id.as_str(),
            item.state.name(),
            &item.filed_at,
            due,
            item.accepted_at.as_deref().unwrap_or_default(),
            item.suspended_until.as_deref().unwrap_or_default(),
            item.outcome.map(Outcome::name).unwrap_or_default(),
            item.consequence.map(Consequence::name).unwrap_or_default(),
            item.closed_at.as_deref().unwrap_or_default(),
        ]
    });
    Ok(csv_table(&columns, rows)?)
}

/// Read a complaint
///
/// Everybody may once it is decided, without what the parties said; the parties, the regulator and auditors always, and with it.
#[utoipa::path(
    operation_id = "read_complaint",
    tag = "disputes",
    params(("id" = ComplaintId, Path, description = "The complaint")),
    responses(
        (status = 200, description = "The complaint", body = ComplaintView),
        (status = 404, description = "There is no such complaint, or it is not yours to see yet"),
    ),
    extensions(("x-action" = json!("ReadAwards"))),
)]
#[get("/complaints/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadAwards, Matter::default())?;
    let (id, asked) = (parsed::<ComplaintId>(&id)?, context.clone());
    let view = context
        .db
        .read(move |conn| {
            let (complaint, known, is_open) = acts::seen(conn, &actor, &id)?;
            Ok(ComplaintView::of(complaint, &known, is_open, &asked.calendar))
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(view))
}

fn replied((complaint, known): (Complaint, Known), calendar: &WardCalendar) -> Answer<Reply> {
    let view = ComplaintView::of(complaint, &known, true, calendar);
    Ok(Reply::json(200, &view)?)
}

/// Take a complaint up
///
/// By the regulator, who may suspend the book for some days: nothing of it is proposed, decided, noticed, confirmed or signed as long as that runs.
#[utoipa::path(
    operation_id = "accept_complaint",
    tag = "disputes",
    params(("id" = ComplaintId, Path, description = "The complaint")),
    request_body = AcceptanceBody,
    responses(
        (status = 200, description = "The complaint as it is now", body = ComplaintView),
        (status = 404, description = "There is no such complaint"),
        (status = 409, description = "`complaint_wrong_state`, `calendar_ends`"),
        (status = 422, description = "More days than the rules allow"),
    ),
    extensions(("x-action" = json!("HandleComplaint"))),
)]
#[post("/complaints/{id}/acceptance")]
async fn accept(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::HandleComplaint)?;
    let body = incoming.json::<AcceptanceBody>().await?;
    let (id, asked) = (parsed::<ComplaintId>(&id)?, context.clone());
    let suspension = body.value.suspension_days;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let accepted = acts::accept(tx, by, &id, suspension, &asked.calendar)?;
            replied(accepted, &asked.calendar)
        })
        .await
}

/// Refuse to take a complaint up
///
/// By the regulator, with a reason to the parties.
#[utoipa::path(
    operation_id = "refuse_complaint",
    tag = "disputes",
    params(("id" = ComplaintId, Path, description = "The complaint")),
    request_body = RefusalBody,
    responses(
        (status = 200, description = "The complaint as it is now", body = ComplaintView),
        (status = 404, description = "There is no such complaint"),
        (status = 409, description = "`complaint_wrong_state`"),
    ),
    extensions(("x-action" = json!("HandleComplaint"))),
)]
#[post("/complaints/{id}/refusal")]
async fn refuse(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::HandleComplaint)?;
    let body = incoming.json::<RefusalBody>().await?;
    let (id, asked, reason) = (parsed::<ComplaintId>(&id)?, context.clone(), body.value.reason);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            replied(acts::refuse(tx, by, &id, &reason)?, &asked.calendar)
        })
        .await
}

/// Withdraw a complaint
///
/// By whoever filed it, before it is decided. A suspension because of it is over.
#[utoipa::path(
    operation_id = "withdraw_complaint",
    tag = "disputes",
    params(("id" = ComplaintId, Path, description = "The complaint")),
    responses(
        (status = 200, description = "The complaint as it is now", body = ComplaintView),
        (status = 404, description = "There is no such complaint, or it is not yours to see"),
        (status = 409, description = "`complaint_wrong_state`"),
    ),
    extensions(("x-action" = json!("FileComplaint"))),
)]
#[post("/complaints/{id}/withdrawal")]
async fn withdraw(context: Shared, actor: Actor, once: Once, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::FileComplaint)?;
    let (id, asked) = (parsed::<ComplaintId>(&id)?, context.clone());
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            replied(acts::withdraw(tx, by, &id)?, &asked.calendar)
        })
        .await
}

/// Lift a suspension
///
/// By the regulator, before it ends by itself.
#[utoipa::path(
    operation_id = "lift_suspension",
    tag = "disputes",
    params(("id" = ComplaintId, Path, description = "The complaint that it was ordered with")),
    responses(
        (status = 200, description = "The complaint as it is now", body = ComplaintView),
        (status = 404, description = "There is no such complaint"),
        (status = 409, description = "`book_not_suspended`"),
    ),
    extensions(("x-action" = json!("HandleComplaint"))),
)]
#[post("/complaints/{id}/suspension-lifting")]
async fn lift(context: Shared, actor: Actor, once: Once, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::HandleComplaint)?;
    let (id, asked) = (parsed::<ComplaintId>(&id)?, context.clone());
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            replied(acts::lift(tx, by, &id)?, &asked.calendar)
        })
        .await
}

/// Decide about a complaint
///
/// By the regulator, in public. What follows is done at once: the winner is out and the next in rank is proposed, or the bids have to be judged in a new round,
/// or the lot is unsuccessful. Whose complaints were unfounded too often is listed.
#[utoipa::path(
    operation_id = "decide_complaint",
    tag = "disputes",
    params(("id" = ComplaintId, Path, description = "The complaint")),
    request_body = DecisionBody,
    responses(
        (status = 200, description = "The complaint as it is now", body = ComplaintView),
        (status = 404, description = "There is no such complaint"),
        (status = 409, description = "`complaint_wrong_state`, `complaint_wrong_consequence`"),
        (status = 422, description = "A consequence that is missing, or one of a complaint that is not upheld"),
    ),
    extensions(("x-action" = json!("HandleComplaint"))),
)]
#[post("/complaints/{id}/decision")]
async fn decide(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::HandleComplaint)?;
    let body = incoming.json::<DecisionBody>().await?;
    let (id, asked, new) = (parsed::<ComplaintId>(&id)?, context.clone(), body.value);
    let deciding = Deciding {
        outcome: new.outcome,
        consequence: new.consequence,
        decision_zh: new.decision_zh,
        decision_en: new.decision_en,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            replied(acts::decide(tx, by, &id, &deciding)?, &asked.calendar)
        })
        .await
}
