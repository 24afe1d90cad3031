//! Rectifications over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::http_awards::ReasonBody;
use crate::budget::desk::{after, one_more, parsed};
use crate::contracts::acts_rectifications::{self as acts, Deciding, Issuing};
use crate::contracts::desk::{self, Signed};
use crate::contracts::rules::ContractId;
use crate::contracts::rules_rectifications::{Cause, Entered, Rectification, RectificationId, Round, State};
use crate::contracts::store_rectifications as store;
use crate::db::conn::Conn;
use crate::files::rules::AttachmentId;
use crate::files::store::attached_to;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::refusal::Answer;
use crate::standards::rules_indicators::Line;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::context::WardCalendar;
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(issue)
        .service(list)
        .service(read)
        .service(acknowledge)
        .service(report)
        .service(decide)
        .service(withdraw);
}

/// What a notice refers to: the id of an inspection or a defect, the number of a letter; or the code of an indicator.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = RectificationReference, min_length = 1, max_length = 100, example = "inspection_01jd3n8f5teqkrzvq1c0m6h2ax")]
pub struct Reference(String);

/// What is to be put right, and until when.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRectification, example = json!({
    "wrong_zh": "梧桐大道西段果皮、烟蒂超标", "wrong_en": "Peel and cigarette ends beyond the limit in the west of Wutong Avenue", "matters": [], "indicators": [],
    "due_at": null, "working_days": 3, "attachment_ids": []
}))]
pub struct RectificationBody {
    /// What is wrong, in Chinese. It is public.
    #[schema(min_length = 1, max_length = 2000)]
    wrong_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 2000)]
    wrong_en: String,
    /// What it refers to: ids of inspections, of defects, numbers of letters.
    #[serde(default)]
    #[schema(max_items = 30)]
    matters: Vec<Reference>,
    /// Codes of the indicators that are not kept.
    #[serde(default)]
    #[schema(max_items = 30)]
    indicators: Vec<Reference>,
    /// Before when it is to be put right; this or `working_days`.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, max_length = 40)]
    due_at: Option<Instant>,
    /// Within how many working days; the day of the notice is not counted.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 250)]
    working_days: Option<u32>,
    /// Files that show what is wrong: PDF, PNG or JPEG.
    #[serde(default)]
    #[schema(max_items = 20)]
    attachment_ids: Vec<AttachmentId>,
}

impl RectificationBody {
    /// What it asks for.
    pub(super) fn issuing(self) -> Issuing {
        Issuing {
            entered: Entered {
                wrong: Line {
                    zh: self.wrong_zh,
                    en: self.wrong_en,
                },
                matters: self.matters.into_iter().map(|one| one.0).collect(),
                indicators: self.indicators.into_iter().map(|one| one.0).collect(),
            },
            deadline: (self.due_at, self.working_days),
            attachments: self.attachment_ids,
        }
    }
}

/// That it is put right.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RectificationReport, example = json!({"report": "已补扫并增加晚间巡查", "attachment_ids": []}))]
pub struct ReportBody {
    /// What was done.
    #[schema(min_length = 1, max_length = 2000)]
    report: String,
    /// Files that show it: PDF, PNG or JPEG.
    #[serde(default)]
    #[schema(max_items = 20)]
    attachment_ids: Vec<AttachmentId>,
}

/// What the buyer decides about a report.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RectificationDecision, example = json!({"is_accepted": false, "decision_zh": "晚间仍有积存", "decision_en": "There is still litter in the evening", "due_at": null, "working_days": 2}))]
pub struct DecisionBody {
    /// Whether it is put right.
    is_accepted: bool,
    /// Why, or what is still wrong, in Chinese. It is public.
    #[schema(min_length = 1, max_length = 2000)]
    decision_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 2000)]
    decision_en: String,
    /// The further deadline of what is refused; this or `working_days`.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, max_length = 40)]
    due_at: Option<Instant>,
    /// Within how many further working days.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 250)]
    working_days: Option<u32>,
}

/// A time that it was due, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RectificationRound, example = json!({"number": 1, "due_at": "2026-06-05T16:00:00.000000Z", "report": null, "reported_at": null, "is_accepted": null, "decision_zh": null, "decision_en": null, "decided_at": null}))]
pub struct RoundView {
    /// Its number, from 1.
    pub number: i64,
    /// When its time is over, UTC.
    pub due_at: String,
    /// What was done, as the contractor says.
    pub report: Option<String>,
    /// When that was reported, UTC.
    pub reported_at: Option<String>,
    /// Whether the buyer found it put right.
    pub is_accepted: Option<bool>,
    /// Why, or what is still wrong, in Chinese.
    pub decision_zh: Option<String>,
    /// In English.
    pub decision_en: Option<String>,
    /// When that was decided, UTC.
    pub decided_at: Option<String>,
}

impl From<Round> for RoundView {
    fn from(round: Round) -> Self {
        let reported_at = round.report.as_ref().map(|one| rfc3339(one.at));
        let decided_at = round.decided.as_ref().map(|one| rfc3339(one.at));
        let is_accepted = round.decided.as_ref().map(|one| one.is_accepted);
        let (decision_zh, decision_en) = round.decided.map(|one| (one.words.zh, one.words.en)).unzip();
        Self {
            number: round.number,
            due_at: rfc3339(round.due_at),
            report: round.report.map(|one| one.words),
            reported_at,
            is_accepted,
            decision_zh,
            decision_en,
            decided_at,
        }
    }
}

/// A rectification.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rectification, example = json!({
    "id": "rectification_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "number": 1, "cause": "notice", "state": "issued",
    "wrong_zh": "果皮超标", "wrong_en": "Too much peel", "matters": [], "indicators": [], "issued_at": "2026-06-01T02:00:00.000000Z", "acknowledged_at": null,
    "due_at": "2026-06-05T16:00:00.000000Z", "is_overdue": false, "late_days": 0, "rounds": [], "attachment_ids": [], "closed_at": null,
    "withdrawal_zh": null, "withdrawal_en": null, "revision": 1
}))]
pub struct RectificationView {
    /// Its id.
    pub id: RectificationId,
    /// The contract.
    pub contract_id: ContractId,
    /// Its number among the contract's notices, from 1.
    pub number: i64,
    /// Why it was issued.
    pub cause: Cause,
    /// How far it has come.
    pub state: State,
    /// What is wrong, in Chinese.
    pub wrong_zh: String,
    /// In English.
    pub wrong_en: String,
    /// What it refers to.
    #[schema(max_items = 30)]
    pub matters: Vec<String>,
    /// Codes of the indicators that are not kept.
    #[schema(max_items = 30)]
    pub indicators: Vec<String>,
    /// When it was issued, UTC.
    pub issued_at: String,
    /// When the contractor acknowledged it, UTC.
    pub acknowledged_at: Option<String>,
    /// When its time is over, UTC.
    pub due_at: Option<String>,
    /// Whether that is past, and the contractor has not reported before.
    pub is_overdue: bool,
    /// How many days the contractor was late, in all rounds together, as of now; the book's penalties may count them.
    pub late_days: u32,
    /// Each time that it was due.
    #[schema(max_items = 20)]
    pub rounds: Vec<RoundView>,
    /// What was handed in with it; for the parties and auditors.
    #[schema(max_items = 420)]
    pub attachment_ids: Vec<AttachmentId>,
    /// When it was accepted or withdrawn, UTC.
    pub closed_at: Option<String>,
    /// Why it was withdrawn, in Chinese.
    pub withdrawal_zh: Option<String>,
    /// In English.
    pub withdrawal_en: Option<String>,
    /// Counts the changes, from 1; also the `ETag`.
    pub revision: i64,
}

impl RectificationView {
    fn of(
        one: Rectification,
        attachment_ids: Vec<AttachmentId>,
        (until, now, zone): (Instant, Instant, Tz),
    ) -> Self {
        let (is_overdue, late_days) = (one.is_overdue(now), one.late_days(until, zone));
        let (withdrawal_zh, withdrawal_en) = one.withdrawal.map(|line| (line.zh, line.en)).unzip();
        Self {
            id: one.id,
            contract_id: one.contract_id,
            number: one.number,
            cause: one.cause,
            state: one.state,
            wrong_zh: one.entered.wrong.zh,
            wrong_en: one.entered.wrong.en,
            matters: one.entered.matters,
            indicators: one.entered.indicators,
            issued_at: rfc3339(one.issued_at),
            acknowledged_at: one.acknowledged.map(|(_, at)| rfc3339(at)),
            due_at: one.rounds.last().map(|round| rfc3339(round.due_at)),
            is_overdue,
            late_days,
            rounds: one.rounds.into_iter().map(RoundView::from).collect(),
            attachment_ids,
            closed_at: one.closed_at.map(rfc3339),
            withdrawal_zh,
            withdrawal_en,
            revision: one.revision,
        }
    }
}

fn shown(
    conn: &mut Conn,
    actor: &Actor,
    (one, signed): (Rectification, &Signed),
    (calendar, now): (&WardCalendar, Instant),
) -> Answer<RectificationView> {
    let files = if signed.is_insider(actor) {
        attached_to(conn, one.id.as_str())?
    } else {
        Vec::new()
    };
    let ids = files.into_iter().map(|file| file.id).collect();
    let until = acts::counted_until(signed, calendar, now)?;
    Ok(RectificationView::of(one, ids, (until, now, calendar.zone)))
}

fn replied(
    (conn, actor): (&mut Conn, &Actor),
    status: u16,
    (one, signed): (Rectification, Signed),
    at: (&WardCalendar, Instant),
) -> Answer<Reply> {
    let etag = conditional::etag(one.revision);
    let view = shown(conn, actor, (one, &signed), at)?;
    Ok(Reply::json(status, &view)?.etag(etag))
}

/// Issue a notice of rectification
///
/// By the buyer's officer, under a contract that runs: what is wrong, and until when it is to be put right. It is public.
#[utoipa::path(
    operation_id = "issue_rectification",
    tag = "contracts",
    params(("id" = ContractId, Path, description = "The contract")),
    request_body = RectificationBody,
    responses(
        (status = 201, description = "The rectification", body = RectificationView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such contract"),
        (status = 409, description = "`contract_terminated`, `calendar_ends`, `rectification_too_many`, and those of attachments"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("IssueRectification"))),
)]
#[post("/contracts/{id}/rectifications")]
async fn issue(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::IssueRectification)?;
    let body = incoming.json::<RectificationBody>().await?;
    let (id, asked, issuing) = (parsed::<ContractId>(&id)?, context.clone(), body.value.issuing());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let made = acts::issue(tx, by, &id, &issuing, &asked.calendar)?;
            let (location, now) = (format!("/api/v1/rectifications/{}", made.0.id), tx.now());
            Ok(replied((tx.conn(), by), 201, made, (&asked.calendar, now))?.location(location))
        })
        .await
}

/// The words of the parameter `state`.
const STATES: [(&str, State); 4] = [
    ("issued", State::Issued),
    ("reported", State::Reported),
    ("accepted", State::Accepted),
    ("withdrawn", State::Withdrawn),
];

/// List the rectifications of a contract
///
/// The newest first. They are public.
#[utoipa::path(
    operation_id = "list_rectifications",
    tag = "contracts",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("state" = Option<State>, Query, description = "In this state"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<RectificationView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such contract"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}/rectifications")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let id = parsed::<ContractId>(&id)?;
    let mut query = Query::of(&request);
    let state = query.one_of("state", &STATES);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["rectifications", id.as_str(), state.map_or("", State::name)]);
    let before = match after(&question, cursor.as_deref())? {
        Some(number) => Some(
            number
                .parse::<i64>()
                .map_err(|_| crate::web::paging::bad_cursor())?,
        ),
        None => None,
    };
    let asked = context.clone();
    let views = context
        .db
        .read(move |conn| {
            let signed = desk::signed(conn, &id)?;
            let at = (&asked.calendar, asked.clock.now());
            let mut views = Vec::new();
            for one in store::of_contract(conn, &id, (state, before), one_more(limit))? {
                views.push(shown(conn, &actor, (one, &signed), at)?);
            }
            Ok(views)
        })
        .await?;
    let page = Page::cut(views, limit, &question, |one: &RectificationView| {
        vec![one.number.to_string()]
    });
    Ok(page.answer(&request))
}

/// Read a rectification
///
/// Everybody may; what was handed in with it, the parties and auditors.
#[utoipa::path(
    operation_id = "read_rectification",
    tag = "contracts",
    params(("id" = RectificationId, Path, description = "The rectification")),
    responses(
        (status = 200, description = "The rectification", body = RectificationView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such rectification"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/rectifications/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let (id, asked) = (parsed::<RectificationId>(&id)?, context.clone());
    let view = context
        .db
        .read(move |conn| {
            let (one, signed) = acts::seen(conn, &id)?;
            shown(conn, &actor, (one, &signed), (&asked.calendar, asked.clock.now()))
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(view.revision)))
        .json(view))
}

/// Acknowledge a notice
///
/// By the contractor. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "acknowledge_rectification",
    tag = "contracts",
    params(
        ("id" = RectificationId, Path, description = "The rectification"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The rectification as it is now", body = RectificationView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such rectification"),
        (status = 409, description = "`rectification_wrong_state`, `rectification_acknowledged_already`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("AnswerRectification"))),
)]
#[post("/rectifications/{id}/acknowledgement")]
async fn acknowledge(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::AnswerRectification)?;
    let (id, expected) = (parsed::<RectificationId>(&id)?, Expected::of(&request)?);
    let asked = context.clone();
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let done = acts::acknowledge(tx, by, (&id, expected))?;
            let now = tx.now();
            replied((tx.conn(), by), 200, done, (&asked.calendar, now))
        })
        .await
}

/// Report that it is put right
///
/// By the contractor, with what shows it. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "report_rectification",
    tag = "contracts",
    params(
        ("id" = RectificationId, Path, description = "The rectification"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v2\""),
    ),
    request_body = ReportBody,
    responses(
        (status = 200, description = "The rectification as it is now", body = RectificationView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such rectification"),
        (status = 409, description = "`rectification_wrong_state`, and those of attachments"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("AnswerRectification"))),
)]
#[post("/rectifications/{id}/report")]
async fn report(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::AnswerRectification)?;
    let body = incoming.json::<ReportBody>().await?;
    let (id, expected) = (parsed::<RectificationId>(&id)?, Expected::of(&request)?);
    let (said, asked) = (body.value, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let what = (said.report.as_str(), said.attachment_ids.as_slice());
            let done = acts::report(tx, by, (&id, expected), what)?;
            let now = tx.now();
            replied((tx.conn(), by), 200, done, (&asked.calendar, now))
        })
        .await
}

/// Decide about a report
///
/// By the buyer, and not by who has issued the notice: it is put right, or it is due again. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "decide_rectification",
    tag = "contracts",
    params(
        ("id" = RectificationId, Path, description = "The rectification"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v3\""),
    ),
    request_body = DecisionBody,
    responses(
        (status = 200, description = "The rectification as it is now", body = RectificationView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such rectification"),
        (status = 409, description = "`rectification_wrong_state`, `rectification_too_many_rounds`, `calendar_ends`"),
        (status = 412, description = "`version_stale`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DecideRectification"))),
)]
#[post("/rectifications/{id}/decision")]
async fn decide(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DecideRectification)?;
    let body = incoming.json::<DecisionBody>().await?;
    let (id, expected) = (parsed::<RectificationId>(&id)?, Expected::of(&request)?);
    let (said, asked) = (body.value, context.clone());
    let deciding = Deciding {
        is_accepted: said.is_accepted,
        decision_zh: said.decision_zh,
        decision_en: said.decision_en,
        deadline: (said.due_at, said.working_days),
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let done = acts::decide(tx, by, (&id, expected), &deciding, &asked.calendar)?;
            let now = tx.now();
            replied((tx.conn(), by), 200, done, (&asked.calendar, now))
        })
        .await
}

/// Take a notice back
///
/// By the buyer, and not by who has issued it. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "withdraw_rectification",
    tag = "contracts",
    params(
        ("id" = RectificationId, Path, description = "The rectification"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = ReasonBody,
    responses(
        (status = 200, description = "The rectification as it is now", body = RectificationView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such rectification"),
        (status = 409, description = "`rectification_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DecideRectification"))),
)]
#[post("/rectifications/{id}/withdrawal")]
async fn withdraw(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DecideRectification)?;
    let body = incoming.json::<ReasonBody>().await?;
    let (id, expected) = (parsed::<RectificationId>(&id)?, Expected::of(&request)?);
    let (said, asked) = (body.value, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let reason = (said.reason_zh.as_str(), said.reason_en.as_str());
            let done = acts::withdraw(tx, by, (&id, expected), reason)?;
            let now = tx.now();
            replied((tx.conn(), by), 200, done, (&asked.calendar, now))
        })
        .await
}
