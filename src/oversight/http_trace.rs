//! Following money over HTTP: parse, ask, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::budget::desk::parsed;
use crate::budget::rules::{BudgetLineId, FundId};
use crate::budget::rules_ledger::{AccountCode, TransferCode, TransferId};
use crate::contracts::rules::ContractId;
use crate::kernel::clock::rfc3339;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::oversight::desk_trace::{Move, Step, Trace, of_claim, of_line};
use crate::payments::rules_claims::ClaimId;
use crate::web::actor::{Actor, Shared};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(trace_line).service(trace_claim);
}

/// Money that moved.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TraceMove, example = json!({
    "transfer_id": "transfer_01jd3n8f5teqkrzvq1c0m6h2ax", "code": "payment", "from": "committed", "to": "spent",
    "amount": {"amount": "188868.30", "currency": "CNY"}, "taken_from": "transfer_01jd3n8f5teqkrzvq1c0m6h2ay",
    "from_line_id": "budgetline_01jd3n8f5teqkrzvq1c0m6h2ax", "to_line_id": "budgetline_01jd3n8f5teqkrzvq1c0m6h2ax"
}))]
pub struct MoveView {
    /// The transfer.
    pub transfer_id: TransferId,
    /// Why.
    pub code: TransferCode,
    /// What it was before.
    pub from: AccountCode,
    /// What it is now.
    pub to: AccountCode,
    /// In which budget line it was; `null` before a line was given it.
    #[schema(required = true)]
    pub from_line_id: Option<BudgetLineId>,
    /// In which it is.
    #[schema(required = true)]
    pub to_line_id: Option<BudgetLineId>,
    /// How much; `null` where the log keeps it from whoever asks: what single lines were given, and what was reserved by hand.
    #[schema(required = true)]
    pub amount: Option<Money>,
    /// The transfer that had put it there: if it was held for something, carried over a year's end, or held again after it came back from the bank.
    #[schema(required = true)]
    pub taken_from: Option<TransferId>,
}

/// A step.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TraceStep, example = json!({
    "at": "2026-06-15T02:00:00.000000Z", "event_type": "claim.executed", "event_id": "event_01jd3n8f5teqkrzvq1c0m6h2ax",
    "proof": "/audit/proof/event_01jd3n8f5teqkrzvq1c0m6h2ax", "moved": {"transfer_id": "transfer_01jd3n8f5teqkrzvq1c0m6h2ax", "code": "payment",
    "from": "committed", "to": "spent", "amount": {"amount": "188868.30", "currency": "CNY"}, "taken_from": "transfer_01jd3n8f5teqkrzvq1c0m6h2ay",
    "from_line_id": "budgetline_01jd3n8f5teqkrzvq1c0m6h2ax", "to_line_id": "budgetline_01jd3n8f5teqkrzvq1c0m6h2ax"},
    "matter": "claim_01jd3n8f5teqkrzvq1c0m6h2ax", "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax",
    "claim_id": "claim_01jd3n8f5teqkrzvq1c0m6h2ax"
}))]
pub struct StepView {
    /// When, UTC.
    pub at: String,
    /// The type of the event that tells of it.
    #[schema(required = true)]
    pub event_type: Option<String>,
    /// The event.
    #[schema(required = true)]
    pub event_id: Option<String>,
    /// Where the proof is that the log has it.
    #[schema(required = true)]
    pub proof: Option<String>,
    /// What moved, if money did.
    #[schema(required = true)]
    pub moved: Option<MoveView>,
    /// The id of what it was for.
    pub matter: String,
    /// The lot.
    #[schema(required = true)]
    pub lot_id: Option<String>,
    /// The contract.
    #[schema(required = true)]
    pub contract_id: Option<ContractId>,
    /// The claim.
    #[schema(required = true)]
    pub claim_id: Option<String>,
}

/// Where money came from and where it went.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MoneyTrace)]
pub struct TraceView {
    /// The budget line; of a claim the one that it is paid from.
    pub budget_line_id: BudgetLineId,
    /// All budget lines that the money went through, the oldest year's first.
    pub budget_line_ids: Vec<BudgetLineId>,
    /// Its fund.
    pub fund_id: FundId,
    /// Its fiscal year.
    #[schema(minimum = 2000, maximum = 2199, example = 2026)]
    pub fiscal_year: i64,
    /// Who spends it.
    pub buyer_id: OrganisationId,
    /// On which category.
    #[schema(example = "sanitation")]
    pub category: String,
    /// The steps, in time.
    pub steps: Vec<StepView>,
}

impl From<Move> for MoveView {
    fn from(moved: Move) -> Self {
        let order = moved.transfer.order;
        Self {
            transfer_id: order.id,
            code: order.code,
            from: moved.from.code,
            to: moved.to.code,
            from_line_id: moved.from.line_id,
            to_line_id: moved.to.line_id,
            amount: moved.amount,
            taken_from: moved.source,
        }
    }
}

impl From<Step> for StepView {
    fn from(step: Step) -> Self {
        let (event_id, event_type) = step.event.unzip();
        Self {
            at: rfc3339(step.at),
            event_type,
            proof: event_id.as_ref().map(|id| format!("/audit/proof/{id}")),
            event_id,
            moved: step.moved.map(MoveView::from),
            matter: step.about.matter,
            lot_id: step.about.lot,
            contract_id: step.about.contract,
            claim_id: step.about.claim,
        }
    }
}

impl From<Trace> for TraceView {
    fn from(trace: Trace) -> Self {
        Self {
            budget_line_id: trace.line.id,
            budget_line_ids: trace.lines.into_iter().map(|line| line.id).collect(),
            fund_id: trace.line.fund_id,
            fiscal_year: trace.line.fiscal_year,
            buyer_id: trace.line.organisation_id,
            category: trace.line.category,
            steps: trace.steps.into_iter().map(StepView::from).collect(),
        }
    }
}

/// Follow a budget line's money
///
/// From what was appropriated to its fund, over what it was given, reserved and committed, down to each payment: as one document for everyone, each step with its event and where
/// that is proved. What the log keeps from the public has no amount but for the line's own people, auditors and the regulator.
#[utoipa::path(
    operation_id = "trace_budget_line",
    tag = "spending",
    params(
        ("id" = BudgetLineId, Path, description = "The budget line"),
        ("contract_id" = Option<ContractId>, Query, description = "Of this contract alone"),
    ),
    responses(
        (status = 200, description = "The trace", body = TraceView),
        (status = 404, description = "There is no such line, or that contract never had money of it"),
        (status = 422, description = "`trace_too_long`: more than 500 transfers"),
    ),
    extensions(("x-action" = json!("ReadSpending"))),
)]
#[get("/budget-lines/{id}/trace")]
async fn trace_line(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadSpending, Matter::default())?;
    let id: BudgetLineId = parsed(&id)?;
    let mut query = Query::of(&request);
    let contract = query.parsed::<ContractId>("contract_id");
    query.finish()?;
    let trace = context
        .db
        .read(move |conn| of_line(conn, &actor, (&id, contract.as_ref())))
        .await?;
    Ok(HttpResponse::Ok().json(TraceView::from(trace)))
}

/// Follow a payment back
///
/// From a claim, with all that was done about it, over the contract's commitment and the lot's reservation back to what was appropriated.
#[utoipa::path(
    operation_id = "trace_claim",
    tag = "spending",
    params(("id" = ClaimId, Path, description = "The claim")),
    responses(
        (status = 200, description = "The trace", body = TraceView),
        (status = 404, description = "There is no such claim"),
    ),
    extensions(("x-action" = json!("ReadSpending"))),
)]
#[get("/claims/{id}/trace")]
async fn trace_claim(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadSpending, Matter::default())?;
    let id: ClaimId = parsed(&id)?;
    let trace = context.db.read(move |conn| of_claim(conn, &actor, &id)).await?;
    Ok(HttpResponse::Ok().json(TraceView::from(trace)))
}
