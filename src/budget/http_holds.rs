//! Money that is held for something, over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::acts::known_line;
use crate::budget::acts_holds::{self as acts, Held};
use crate::budget::desk::{self, parsed};
use crate::budget::rules::BudgetLineId;
use crate::budget::rules_ledger::{AccountCode, Hold, LedgerAccountId, TransferId};
use crate::budget::store_ledger;
use crate::kernel::clock::rfc3339;
use crate::kernel::money::Money;
use crate::kernel::refusal::Answer;
use crate::text;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action};
use crate::web::problem::MALFORMED;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(list)
        .service(reserve)
        .service(commit)
        .service(release);
}

/// Money of a line that is held for something.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerHold, example = json!({
    "id": "transfer_01jd3n8f5teqkrzvq1c0m6h2ax", "line_id": "budgetline_01jd3n8f5teqkrzvq1c0m6h2ax",
    "account_id": "ledgeraccount_01jd3n8f5teqkrzvq1c0m6h2ax", "code": "reserved", "matter": "reservation_01jd3n8f5teqkrzvq1c0m6h2ax",
    "purpose": "2025 年续签的安保合同",
    "amount": {"amount": "705600.00", "currency": "CNY"}, "remaining": {"amount": "705600.00", "currency": "CNY"},
    "opened_at": "2026-03-02T00:00:00.000000Z"
}))]
pub struct HoldView {
    /// Its id: that of the transfer that began it.
    pub id: TransferId,
    /// Of which line.
    pub line_id: BudgetLineId,
    /// In which account it waits.
    pub account_id: LedgerAccountId,
    /// Of which code that is: `reserved`, `committed` or `retained`.
    pub code: AccountCode,
    /// The id of what it is held for.
    pub matter: String,
    /// What it was reserved for by hand; `null` if it is held for a contract book or a contract.
    #[schema(required = true)]
    pub purpose: Option<String>,
    /// How much it was.
    pub amount: Money,
    /// How much is left.
    pub remaining: Money,
    /// Since when, UTC.
    pub opened_at: String,
}

impl HoldView {
    pub(super) fn of(hold: Hold, purpose: Option<String>, line_id: BudgetLineId, code: AccountCode) -> Self {
        Self {
            id: hold.id,
            line_id,
            account_id: hold.account_id,
            code,
            matter: hold.matter,
            purpose,
            amount: hold.amount,
            remaining: hold.remaining,
            opened_at: rfc3339(hold.opened_at),
        }
    }
}

impl From<Held> for HoldView {
    fn from(held: Held) -> Self {
        Self::of(held.hold, held.purpose, held.line.id, held.account.code)
    }
}

/// Money to reserve.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReservation, example = json!({"amount": {"amount": "705600.00", "currency": "CNY"}, "purpose": "2025 年续签的安保合同"}))]
pub struct ReservationBody {
    /// How much, more than zero.
    amount: Money,
    /// What for.
    #[schema(min_length = 1, max_length = 200)]
    purpose: String,
}

/// How much of a reservation is committed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCommitment, example = json!({"amount": {"amount": "676800.00", "currency": "CNY"}}))]
pub struct CommitmentBody {
    /// How much, more than zero and at most what is left of the reservation.
    amount: Money,
}

/// List a line's holds
///
/// Those of one account of the line that something is left of, oldest first.
#[utoipa::path(
    operation_id = "list_ledger_holds",
    tag = "ledger",
    params(
        ("id" = BudgetLineId, Path, description = "The line"),
        ("code" = Option<AccountCode>, Query, description = "Of the account of this code: `reserved`, the default, `committed` or `retained`"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<HoldView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such line, or it is not your organisations'"),
    ),
    extensions(("x-action" = json!("ReadBudget"))),
)]
#[get("/budget-lines/{id}/holds")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadBudget)?;
    let id: BudgetLineId = parsed(&id)?;
    let mut query = Query::of(&request);
    let codes = AccountCode::ALL.map(|code| (code.name(), code));
    let code = query.one_of("code", &codes).unwrap_or(AccountCode::Reserved);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    if !code.holds() {
        let name = code.name();
        let why = text!("{name} 账户中没有占用", "nothing is held in an account `{name}`");
        return Err(MALFORMED.because(why).at("?code").into());
    }
    let question = Question::of(&["ledger holds", id.as_str(), code.name()]);
    let after = desk::after(&question, cursor.as_deref())?;
    let line_id = id.clone();
    let found = context
        .db
        .read(move |conn| {
            known_line(conn, &actor, &id)?;
            let account = store_ledger::account_of_line(conn, &id, code)?;
            store_ledger::open_holds(conn, &account.id, after.as_deref(), desk::one_more(limit))
        })
        .await?;
    let page = Page::cut(found, limit, &question, |(hold, _)| vec![hold.id.to_string()])
        .map(|(hold, purpose)| HoldView::of(hold, purpose, line_id.clone(), code));
    Ok(page.answer(&request))
}

/// Reserve money of a line
///
/// For what is bought outside contract books, or was agreed before they were kept here; publishing a book reserves by itself.
#[utoipa::path(
    operation_id = "reserve_budget",
    tag = "ledger",
    params(("id" = BudgetLineId, Path, description = "The line")),
    request_body = ReservationBody,
    responses(
        (status = 201, description = "What is held", body = HoldView),
        (status = 404, description = "There is no such line, or it is not your organisations'"),
        (status = 409, description = "`budget_line_closed`, `ledger_would_overdraw`"),
    ),
    extensions(("x-action" = json!("ReserveBudget"))),
)]
#[post("/budget-lines/{id}/reservations")]
async fn reserve(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReserveBudget)?;
    let id: BudgetLineId = parsed(&id)?;
    let body = incoming.json::<ReservationBody>().await?;
    let value = body.value;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            reply(201, acts::reserve(tx, by, &id, value.amount, &value.purpose)?)
        })
        .await
}

/// Commit a reservation
///
/// In whole or in part, by another person than who reserved it; what is left over is available again in the same transaction.
#[utoipa::path(
    operation_id = "commit_budget",
    tag = "ledger",
    params(("id" = TransferId, Path, description = "The hold")),
    request_body = CommitmentBody,
    responses(
        (status = 200, description = "What is held from now on", body = HoldView),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such hold, or it is not your organisations'"),
        (status = 409, description = "`ledger_held_for_another`, `ledger_not_reserved`, `ledger_hold_ended`, `ledger_hold_exceeded`"),
    ),
    extensions(("x-action" = json!("CommitBudget"))),
)]
#[post("/ledger/holds/{id}/commitment")]
async fn commit(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::CommitBudget)?;
    let id: TransferId = parsed(&id)?;
    let body = incoming.json::<CommitmentBody>().await?;
    let amount = body.value.amount;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            reply(200, acts::commit(tx, by, &id, amount)?)
        })
        .await
}

/// Release a hold
///
/// What is left of a reservation or commitment is available again.
#[utoipa::path(
    operation_id = "release_budget",
    tag = "ledger",
    params(("id" = TransferId, Path, description = "The hold")),
    responses(
        (status = 200, description = "The hold, of which nothing is left", body = HoldView),
        (status = 404, description = "There is no such hold, or it is not your organisations'"),
        (status = 409, description = "`ledger_held_for_another`, `ledger_hold_ended`"),
    ),
    extensions(("x-action" = json!("CommitBudget"))),
)]
#[post("/ledger/holds/{id}/release")]
async fn release(context: Shared, actor: Actor, once: Once, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::CommitBudget)?;
    let id: TransferId = parsed(&id)?;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            reply(200, acts::release(tx, by, &id)?)
        })
        .await
}

fn reply(status: u16, held: Held) -> Answer<Reply> {
    Ok(Reply::json(status, &HoldView::from(held))?)
}
