//! Budget movements over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::acts::may_see;
use crate::budget::acts_movements::{self as acts, Decide};
use crate::budget::desk::{self, parsed};
use crate::budget::rules::{BudgetLineId, FundId};
use crate::budget::rules_movements::{Movement, MovementId, MovementKind, MovementState, NewMovement};
use crate::budget::store;
use crate::budget::store_movements::{self, MovementFilter};
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
        .service(list)
        .service(propose)
        .service(read)
        .service(confirm)
        .service(refuse)
        .service(withdraw);
}

/// Money that comes into a fund, is given to a line, moves between lines or goes back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BudgetMovement, example = json!({
    "id": "movement_01jd3n8f5teqkrzvq1c0m6h2ax", "fund_id": "fund_01jd3n8f5teqkrzvq1c0m6h2ax", "kind": "allocation", "fiscal_year": 2026,
    "from_line_id": null, "to_line_id": "budgetline_01jd3n8f5teqkrzvq1c0m6h2ax", "amount": {"amount": "2400000.00", "currency": "CNY"},
    "document": null, "reason": "年初安排", "state": "proposed", "proposed_by": "user_01jd3n8f5teqkrzvq1c0m6h2ax",
    "proposed_at": "2026-01-05T01:00:00.000000Z", "decided_by": null, "decided_at": null, "decision_reason": null
}))]
pub struct MovementView {
    /// Its id.
    pub id: MovementId,
    /// Of which fund.
    pub fund_id: FundId,
    /// What sort.
    pub kind: MovementKind,
    /// Of which fiscal year; of a carry-over the year that it is taken from.
    pub fiscal_year: i64,
    /// From which line.
    #[schema(required = true)]
    pub from_line_id: Option<BudgetLineId>,
    /// To which line.
    #[schema(required = true)]
    pub to_line_id: Option<BudgetLineId>,
    /// How much.
    pub amount: Money,
    /// The document that it stands on.
    #[schema(required = true)]
    pub document: Option<String>,
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

impl From<Movement> for MovementView {
    fn from(movement: Movement) -> Self {
        let decision = movement.decision;
        Self {
            id: movement.id,
            fund_id: movement.fund_id,
            kind: movement.kind,
            fiscal_year: movement.fiscal_year,
            from_line_id: movement.from_line_id,
            to_line_id: movement.to_line_id,
            amount: movement.amount,
            document: movement.document,
            reason: movement.reason,
            state: movement.state,
            proposed_by: movement.proposed_by,
            proposed_at: rfc3339(movement.proposed_at),
            decided_by: decision.as_ref().map(|decision| decision.by.clone()),
            decided_at: decision.as_ref().map(|decision| rfc3339(decision.at)),
            decision_reason: decision.and_then(|decision| decision.reason),
        }
    }
}

/// A movement to propose. Appropriations need a document; `withdrawal`, `transfer`, `carry_over` and `return` a line that they take
/// from; `allocation`, `transfer` and `carry_over` a line that they give to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBudgetMovement, example = json!({
    "kind": "appropriation", "fiscal_year": 2026, "amount": {"amount": "5000000.00", "currency": "CNY"}, "document": "凤财预〔2026〕3号",
    "reason": "年初安排"
}))]
pub struct MovementBody {
    /// What sort.
    kind: MovementKind,
    /// Of which fiscal year; of a carry-over the year that it is taken from.
    #[schema(minimum = 2000, maximum = 2199)]
    fiscal_year: i64,
    /// From which line.
    #[serde(default)]
    from_line_id: Option<BudgetLineId>,
    /// To which line.
    #[serde(default)]
    to_line_id: Option<BudgetLineId>,
    /// How much, more than zero.
    amount: Money,
    /// The number of the document that it stands on.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    document: Option<String>,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Why something is not to be, or not to be any more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BudgetReason, example = json!({"reason": "金额有误"}))]
pub struct ReasonBody {
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// List a fund's movements
///
/// Newest first, to the body that keeps the fund, auditors and the regulator.
#[utoipa::path(
    operation_id = "list_budget_movements",
    tag = "budget",
    params(
        ("id" = FundId, Path, description = "The fund"),
        ("state" = Option<MovementState>, Query, description = "In this state"),
        ("kind" = Option<MovementKind>, Query, description = "Of this sort"),
        ("fiscal_year" = Option<i64>, Query, minimum = 2000, maximum = 2199, description = "Of this fiscal year"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<MovementView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such fund, or it is not your organisation's"),
    ),
    extensions(("x-action" = json!("ReadBudget"))),
)]
#[get("/funds/{id}/budget-movements")]
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
    let kinds = MovementKind::ALL.map(|kind| (kind.name(), kind));
    let state = query.one_of("state", &states);
    let kind = query.one_of("kind", &kinds);
    let fiscal_year = desk::fiscal_year(&mut query);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&[
        "budget movements",
        id.as_str(),
        state.map_or("", MovementState::name),
        kind.map_or("", MovementKind::name),
        &fiscal_year.map(|year| year.to_string()).unwrap_or_default(),
    ]);
    let filter = MovementFilter {
        state,
        kind,
        fiscal_year,
        before: desk::after(&question, cursor.as_deref())?,
    };
    let found = context
        .db
        .read(move |conn| {
            let fund = store::fund(conn, &id)?
                .filter(|fund| may_see(&actor, Action::ReadBudget, &[&fund.organisation_id]))
                .ok_or_else(|| NOT_FOUND.refuse())?;
            store_movements::movements(conn, &fund.id, &filter, desk::one_more(limit))
        })
        .await?;
    let page =
        Page::cut(found, limit, &question, |movement| vec![movement.id.to_string()]).map(MovementView::from);
    Ok(page.answer(&request))
}

/// Propose a movement
///
/// By a finance officer of the body that keeps the fund; nothing moves until another person confirms it.
#[utoipa::path(
    operation_id = "propose_budget_movement",
    tag = "budget",
    params(("id" = FundId, Path, description = "The fund")),
    request_body = MovementBody,
    responses(
        (status = 201, description = "The movement that waits", body = MovementView),
        (status = 404, description = "There is no such fund"),
        (status = 409, description = "`fund_closed`, `budget_line_closed`, `budget_lines_do_not_fit`, `fund_appropriated_already`, `fund_not_appropriated`, `fiscal_year_not_over`"),
    ),
    extensions(("x-action" = json!("ProposeMovement"))),
)]
#[post("/funds/{id}/budget-movements")]
async fn propose(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ProposeMovement)?;
    let fund: FundId = parsed(&id)?;
    let body = incoming.json::<MovementBody>().await?;
    let value = body.value;
    let new = NewMovement {
        kind: value.kind,
        fiscal_year: value.fiscal_year,
        from_line_id: value.from_line_id,
        to_line_id: value.to_line_id,
        amount: value.amount,
        document: value.document,
        reason: value.reason,
    };
    let zone = context.calendar.zone;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let movement = acts::propose(tx, by, &fund, &new, zone)?;
            let place = format!("/api/v1/funds/{}/budget-movements/{}", fund, movement.id);
            Ok(reply(201, movement)?.location(place))
        })
        .await
}

/// Read a movement
#[utoipa::path(
    operation_id = "read_budget_movement",
    tag = "budget",
    params(("id" = FundId, Path, description = "The fund"), ("movement" = MovementId, Path, description = "The movement")),
    responses(
        (status = 200, description = "The movement", body = MovementView),
        (status = 404, description = "There is no such fund or movement, or it is not your organisation's"),
    ),
    extensions(("x-action" = json!("ReadBudget"))),
)]
#[get("/funds/{id}/budget-movements/{movement}")]
async fn read(context: Shared, actor: Actor, path: web::Path<(String, String)>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadBudget)?;
    let (id, movement) = path.into_inner();
    let (id, movement): (FundId, MovementId) = (parsed(&id)?, parsed(&movement)?);
    let found = context
        .db
        .read(move |conn| {
            let fund = store::fund(conn, &id)?
                .filter(|fund| may_see(&actor, Action::ReadBudget, &[&fund.organisation_id]))
                .ok_or_else(|| NOT_FOUND.refuse())?;
            let found = store_movements::movement(conn, &movement)?;
            Ok(found
                .filter(|movement| movement.fund_id == fund.id)
                .ok_or_else(|| NOT_FOUND.refuse())?)
        })
        .await?;
    Ok(HttpResponse::Ok().json(MovementView::from(found)))
}

/// Confirm a movement
///
/// By another person of the body that keeps the fund than who proposed it. The money moves with it.
#[utoipa::path(
    operation_id = "confirm_budget_movement",
    tag = "budget",
    params(("id" = FundId, Path, description = "The fund"), ("movement" = MovementId, Path, description = "The movement")),
    responses(
        (status = 200, description = "The movement as it is now", body = MovementView),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such fund or movement"),
        (status = 409, description = "`budget_movement_decided`, `fund_closed`, `budget_line_closed`, `fund_not_appropriated`, `ledger_would_overdraw`, `ledger_would_overflow`"),
    ),
    extensions(("x-action" = json!("ConfirmMovement"))),
)]
#[post("/funds/{id}/budget-movements/{movement}/confirmation")]
async fn confirm(
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ConfirmMovement)?;
    let command = decision(&context, path.into_inner(), None)?;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            reply(200, acts::confirm(tx, by, &command)?)
        })
        .await
}

/// Refuse a movement
///
/// By another person of the body that keeps the fund than who proposed it.
#[utoipa::path(
    operation_id = "refuse_budget_movement",
    tag = "budget",
    params(("id" = FundId, Path, description = "The fund"), ("movement" = MovementId, Path, description = "The movement")),
    request_body = ReasonBody,
    responses(
        (status = 200, description = "The movement as it is now", body = MovementView),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such fund or movement"),
        (status = 409, description = "`budget_movement_decided`"),
    ),
    extensions(("x-action" = json!("ConfirmMovement"))),
)]
#[post("/funds/{id}/budget-movements/{movement}/refusal")]
async fn refuse(
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ConfirmMovement)?;
    let body = incoming.json::<ReasonBody>().await?;
    let command = decision(&context, path.into_inner(), Some(body.value.reason))?;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            reply(200, acts::refuse(tx, by, &command)?)
        })
        .await
}

/// Withdraw a movement
///
/// As long as it waits, by any of those who may propose one.
#[utoipa::path(
    operation_id = "withdraw_budget_movement",
    tag = "budget",
    params(("id" = FundId, Path, description = "The fund"), ("movement" = MovementId, Path, description = "The movement")),
    request_body = ReasonBody,
    responses(
        (status = 200, description = "The movement as it is now", body = MovementView),
        (status = 404, description = "There is no such fund or movement"),
        (status = 409, description = "`budget_movement_decided`"),
    ),
    extensions(("x-action" = json!("ProposeMovement"))),
)]
#[post("/funds/{id}/budget-movements/{movement}/withdrawal")]
async fn withdraw(
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ProposeMovement)?;
    let body = incoming.json::<ReasonBody>().await?;
    let command = decision(&context, path.into_inner(), Some(body.value.reason))?;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            reply(200, acts::withdraw(tx, by, &command)?)
        })
        .await
}

fn decision(context: &Shared, (fund, movement): (String, String), reason: Option<String>) -> Answer<Decide> {
    Ok(Decide {
        fund_id: parsed(&fund)?,
        id: parsed(&movement)?,
        reason,
        zone: context.calendar.zone,
    })
}

fn reply(status: u16, movement: Movement) -> Answer<Reply> {
    Ok(Reply::json(status, &MovementView::from(movement))?)
}
