//! What becomes of held money at a year's end, over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::acts::may_see;
use crate::budget::acts_year_ends::{self as acts, year_of};
use crate::budget::desk::{after, one_more, parsed};
use crate::budget::http_holds::HoldView;
use crate::budget::rules::{BudgetLineId, FundId};
use crate::budget::rules_ledger::TransferId;
use crate::budget::rules_movements::MovementState;
use crate::budget::rules_year_ends::{NewYearEnd, YearEnd, YearEndId, YearEndKind};
use crate::budget::{store, store_ledger, store_year_ends};
use crate::db::conn::Conn;
use crate::kernel::clock::rfc3339;
use crate::kernel::money::Money;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(undecided)
        .service(propose)
        .service(list)
        .service(confirm)
        .service(refuse)
        .service(withdraw);
}

/// What becomes of a hold whose year is over.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = YearEnd, example = json!({
    "id": "yearend_01jd3n8f5teqkrzvq1c0m6h2ax", "fund_id": "fund_01jd3n8f5teqkrzvq1c0m6h2ax", "fiscal_year": 2026,
    "hold_id": "transfer_01jd3n8f5teqkrzvq1c0m6h2ax", "line_id": "budgetline_01jd3n8f5teqkrzvq1c0m6h2ax",
    "matter": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "kind": "carry_over", "to_line_id": "budgetline_01jd3n8f5teqkrzvq1c0m6h2ay",
    "amount": {"amount": "766200.00", "currency": "CNY"}, "reason": "跨年合同", "state": "proposed", "proposed_by": "user_01jd3n8f5teqkrzvq1c0m6h2ax",
    "proposed_at": "2027-01-04T01:00:00.000000Z", "decided_by": null, "decided_at": null, "decision_reason": null
}))]
pub struct YearEndView {
    /// Its id.
    pub id: YearEndId,
    /// Of which fund.
    pub fund_id: FundId,
    /// Of which fiscal year, which is over.
    pub fiscal_year: i64,
    /// Which hold.
    pub hold_id: TransferId,
    /// In which line it is.
    pub line_id: BudgetLineId,
    /// The id of what it is held for.
    pub matter: String,
    /// What becomes of it.
    pub kind: YearEndKind,
    /// In which line it is held from then on, if it is carried over.
    #[schema(required = true)]
    pub to_line_id: Option<BudgetLineId>,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: String,
    /// How far it has come.
    pub state: MovementState,
    /// Which account proposed it.
    pub proposed_by: String,
    /// When, UTC.
    pub proposed_at: String,
    /// Which account confirmed, refused or withdrew it.
    #[schema(required = true)]
    pub decided_by: Option<String>,
    /// When, UTC.
    #[schema(required = true)]
    pub decided_at: Option<String>,
    /// Why it was refused or withdrawn.
    #[schema(required = true)]
    pub decision_reason: Option<String>,
}

impl From<YearEnd> for YearEndView {
    fn from(one: YearEnd) -> Self {
        let decision = one.decision;
        Self {
            id: one.id,
            fund_id: one.fund_id,
            fiscal_year: one.fiscal_year,
            hold_id: one.hold_id,
            line_id: one.line_id,
            matter: one.matter,
            kind: one.kind,
            to_line_id: one.to_line_id,
            amount: one.amount,
            reason: one.reason,
            state: one.state,
            proposed_by: one.proposed_by,
            proposed_at: rfc3339(one.proposed_at),
            decided_by: decision.as_ref().map(|decision| decision.by.clone()),
            decided_at: decision.as_ref().map(|decision| rfc3339(decision.at)),
            decision_reason: decision.and_then(|decision| decision.reason),
        }
    }
}

/// What is to become of a hold.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewYearEnd, example = json!({"kind": "carry_over", "to_line_id": "budgetline_01jd3n8f5teqkrzvq1c0m6h2ay", "reason": "跨年合同"}))]
pub struct YearEndBody {
    /// What.
    kind: YearEndKind,
    /// In which line of the next year it is held from then on, if it is carried over.
    #[serde(default)]
    to_line_id: Option<BudgetLineId>,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Why it is refused or taken back.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = YearEndReason, example = json!({"reason": "该合同已解除，应上缴"}))]
pub struct YearEndReasonBody {
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

fn fund_seen(conn: &mut Conn, actor: &Actor, id: &FundId) -> Answer<()> {
    let fund = store::fund(conn, id)?;
    let seen = fund.filter(|fund| may_see(actor, Action::ReadBudget, &[&fund.organisation_id]));
    seen.map(|_| ()).ok_or_else(|| NOT_FOUND.refuse().into())
}

/// List what is still held of years that are over
///
/// Every hold of a fund that something is left of, of fiscal years before this one, oldest first. Nothing is paid with it before it is decided what becomes of it.
#[utoipa::path(
    operation_id = "list_undecided_holds",
    tag = "ledger",
    params(
        ("id" = FundId, Path, description = "The fund"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<HoldView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such fund, or it is not your organisation's"),
    ),
    extensions(("x-action" = json!("ReadBudget"))),
)]
#[get("/funds/{id}/undecided-holds")]
async fn undecided(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadBudget)?;
    let id: FundId = parsed(&id)?;
    let mut query = Query::of(&request);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["undecided holds", id.as_str()]);
    let after = after(&question, cursor.as_deref())?;
    let year = year_of(context.clock.now(), context.calendar.zone);
    let views = context
        .db
        .read(move |conn| {
            fund_seen(conn, &actor, &id)?;
            let found = store_year_ends::undecided(conn, (&id, year), after.as_deref(), one_more(limit))?;
            let mut views = Vec::with_capacity(found.len());
            for (hold, line, code) in found {
                let purpose = store_ledger::purpose(conn, &hold.matter)?;
                views.push(HoldView::of(hold, purpose, line, code));
            }
            Ok(views)
        })
        .await?;
    let page = Page::cut(views, limit, &question, |one: &HoldView| vec![one.id.to_string()]);
    Ok(page.answer(&request))
}

/// Propose what becomes of a hold at its year's end
///
/// By the body that keeps the fund, once the fiscal year is over: that it is carried over into a line of the next year, of the same organisation and category, where it is held
/// for the same; or that it goes back to the treasury. What is reserved for a contract book is not carried over.
#[utoipa::path(
    operation_id = "propose_year_end",
    tag = "ledger",
    params(("id" = TransferId, Path, description = "The hold")),
    request_body = YearEndBody,
    responses(
        (status = 201, description = "It waits for another person", body = YearEndView),
        (status = 404, description = "There is no such hold, or it is not your organisations'"),
        (status = 409, description = "`fund_closed`, `budget_line_closed`, `fiscal_year_not_over`, `ledger_hold_ended`, `year_end_reserved_for_book`, `budget_lines_do_not_fit`, `year_end_proposed_already`"),
        (status = 422, description = "`budget_line_unknown`, or something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("ProposeMovement"))),
)]
#[post("/ledger/holds/{id}/year-ends")]
async fn propose(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ProposeMovement)?;
    let body = incoming.json::<YearEndBody>().await?;
    let (id, zone) = (parsed::<TransferId>(&id)?, context.calendar.zone);
    let new = NewYearEnd {
        kind: body.value.kind,
        to_line_id: body.value.to_line_id,
        reason: body.value.reason,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            reply(201, acts::propose(tx, by, &id, &new, zone)?)
        })
        .await
}

/// List what was proposed and decided at years' ends
///
/// Newest first.
#[utoipa::path(
    operation_id = "list_year_ends",
    tag = "ledger",
    params(
        ("id" = FundId, Path, description = "The fund"),
        ("state" = Option<MovementState>, Query, description = "In this state"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<YearEndView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such fund, or it is not your organisation's"),
    ),
    extensions(("x-action" = json!("ReadBudget"))),
)]
#[get("/funds/{id}/year-ends")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadBudget)?;
    let id: FundId = parsed(&id)?;
    let mut query = Query::of(&request);
    let states = MovementState::ALL.map(|state| (state.name(), state));
    let state = query.one_of("state", &states);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["year ends", id.as_str(), state.map_or("", MovementState::name)]);
    let before = after(&question, cursor.as_deref())?;
    let found = context
        .db
        .read(move |conn| {
            fund_seen(conn, &actor, &id)?;
            store_year_ends::page(conn, &id, (state, before.as_deref()), one_more(limit))
        })
        .await?;
    let page = Page::cut(found, limit, &question, |one| vec![one.id.to_string()]).map(YearEndView::from);
    Ok(page.answer(&request))
}

/// Confirm what becomes of a hold at its year's end
///
/// By another person of the body that keeps the fund than who proposed it. The money moves with it, all that is left of the hold.
#[utoipa::path(
    operation_id = "confirm_year_end",
    tag = "ledger",
    params(("id" = YearEndId, Path, description = "What was proposed")),
    responses(
        (status = 200, description = "As it is now", body = YearEndView),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is none such, or it is not your organisations'"),
        (status = 409, description = "`fund_closed`, `budget_line_closed`, `year_end_decided`, `ledger_hold_ended`, `budget_lines_do_not_fit`, `year_end_hold_changed`"),
    ),
    extensions(("x-action" = json!("ConfirmMovement"))),
)]
#[post("/year-ends/{id}/confirmation")]
async fn confirm(context: Shared, actor: Actor, once: Once, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ConfirmMovement)?;
    let (id, zone) = (parsed::<YearEndId>(&id)?, context.calendar.zone);
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            reply(200, acts::confirm(tx, by, &id, zone)?)
        })
        .await
}

/// Refuse what was proposed for a year's end
///
/// By another person of the body that keeps the fund than who proposed it.
#[utoipa::path(
    operation_id = "refuse_year_end",
    tag = "ledger",
    params(("id" = YearEndId, Path, description = "What was proposed")),
    request_body = YearEndReasonBody,
    responses(
        (status = 200, description = "As it is now", body = YearEndView),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is none such, or it is not your organisations'"),
        (status = 409, description = "`year_end_decided`"),
        (status = 422, description = "The reason does not fit"),
    ),
    extensions(("x-action" = json!("ConfirmMovement"))),
)]
#[post("/year-ends/{id}/refusal")]
async fn refuse(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ConfirmMovement)?;
    let body = incoming.json::<YearEndReasonBody>().await?;
    let (id, reason) = (parsed::<YearEndId>(&id)?, body.value.reason);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            reply(200, acts::end(tx, by, (&id, MovementState::Refused), &reason)?)
        })
        .await
}

/// Take back what was proposed for a year's end
///
/// By the body that keeps the fund, as long as it waits.
#[utoipa::path(
    operation_id = "withdraw_year_end",
    tag = "ledger",
    params(("id" = YearEndId, Path, description = "What was proposed")),
    request_body = YearEndReasonBody,
    responses(
        (status = 200, description = "As it is now", body = YearEndView),
        (status = 404, description = "There is none such, or it is not your organisations'"),
        (status = 409, description = "`year_end_decided`"),
        (status = 422, description = "The reason does not fit"),
    ),
    extensions(("x-action" = json!("ProposeMovement"))),
)]
#[post("/year-ends/{id}/withdrawal")]
async fn withdraw(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ProposeMovement)?;
    let body = incoming.json::<YearEndReasonBody>().await?;
    let (id, reason) = (parsed::<YearEndId>(&id)?, body.value.reason);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            reply(200, acts::end(tx, by, (&id, MovementState::Withdrawn), &reason)?)
        })
        .await
}

fn reply(status: u16, one: YearEnd) -> Answer<Reply> {
    Ok(Reply::json(status, &YearEndView::from(one))?)
}
