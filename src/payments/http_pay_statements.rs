//! What periods come to, and what contracts were paid, over HTTP: parse, call one query, render. No SQL and no rule.

use actix_web::{HttpResponse, get, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::desk::parsed;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptance_standing::{How, Standing};
use crate::contracts::rules_acceptances::AcceptanceId;
use crate::kernel::clock::rfc3339;
use crate::kernel::money::Money;
use crate::kernel::refusal::Answer;
use crate::kernel::weight::Weight;
use crate::payments::desk_statements::{Stated, Totals, stated, totals};
use crate::payments::rules_claims::Claim;
use crate::payments::rules_pay::Derivation;
use crate::payments::view_claims::CountedView;
use crate::web::actor::{Actor, Shared};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(read_pay).service(read_payments);
}

/// Whether a period is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PeriodPayStanding)]
pub enum StandingView {
    /// The contract ended before it began.
    NeverRan,
    /// Its last day is not over.
    NotOver,
    /// Nobody has handed it over, or begun to accept it.
    NotBegun,
    /// It waits for the buyer.
    Waiting,
    /// It was refused.
    Refused,
    /// A certificate accepts it, wholly or in part.
    Accepted,
    /// Silence accepts it.
    AcceptedBySilence,
}

impl StandingView {
    fn of(standing: &Standing) -> Self {
        match standing {
            Standing::NeverRan => Self::NeverRan,
            Standing::NotOver => Self::NotOver,
            Standing::NotBegun => Self::NotBegun,
            Standing::Waiting { .. } => Self::Waiting,
            Standing::Refused => Self::Refused,
            Standing::Accepted(accepted) => match accepted.how {
                How::Certificate => Self::Accepted,
                How::Silence => Self::AcceptedBySilence,
            },
        }
    }
}

/// What a period comes to, as it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PeriodPayStatement, example = json!({
    "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "period": 1, "first_day": "2026-05-01", "last_day": "2026-05-31",
    "price_now": {"amount": "191550.00", "currency": "CNY"}, "standing": "accepted", "acceptance_id": "acceptance_01jd3n8f5teqkrzvq1c0m6h2ax",
    "accepted_since": "2026-06-05T02:00:00.000000Z", "undisputed_percent": "100", "is_objected": false, "is_settled": true, "is_terminated": false,
    "due_on": "2026-07-06", "penalties": [], "derivation": {"format": "wardbook/period-pay/v1", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "period": 1,
    "input": {"fee": "191550.00", "without_score": "redistributed", "sources": [], "tables": [], "penalties": []}, "steps": [], "result": {"score": null, "deductions": [],
    "deducted": "0.00", "recovered": "0.00", "payable": "191550.00"}}, "open": {"amount": "191550.00", "currency": "CNY"},
    "certified": {"amount": "0.00", "currency": "CNY"}, "paid": {"amount": "0.00", "currency": "CNY"}, "retained": {"amount": "0.00", "currency": "CNY"},
    "released": {"amount": "0.00", "currency": "CNY"}, "interest": {"amount": "0.00", "currency": "CNY"}, "closed_at": null
}))]
pub struct PayView {
    /// The contract.
    pub contract_id: ContractId,
    /// The number of the period.
    #[schema(minimum = 1, maximum = 120)]
    pub period: i64,
    /// Its first day, a local date of the ward.
    #[schema(value_type = String)]
    pub first_day: NaiveDate,
    /// Its last day.
    #[schema(value_type = String)]
    pub last_day: NaiveDate,
    /// Its price with what concluded variations have changed.
    pub price_now: Money,
    /// Whether it is accepted.
    pub standing: StandingView,
    /// By which acceptance.
    #[schema(required = true)]
    pub acceptance_id: Option<AcceptanceId>,
    /// Since when, UTC.
    #[schema(required = true)]
    pub accepted_since: Option<String>,
    /// The part of it that may be paid, in percent.
    pub undisputed_percent: Weight,
    /// Whether an objection to the acceptance waits for a decision.
    pub is_objected: bool,
    /// Whether nothing changes what it comes to any more; before that it is provisional.
    pub is_settled: bool,
    /// Whether the contract was terminated: then its settlement is paid, and not this.
    pub is_terminated: bool,
    /// The last day for payment; `null` before the period is accepted.
    #[schema(value_type = Option<String>, required = true)]
    pub due_on: Option<NaiveDate>,
    /// What was counted of the contract's penalties when the period was certified last.
    #[schema(max_items = 50)]
    pub penalties: Vec<CountedView>,
    /// How what it comes to follows, as `wardbook recompute payment` reads it.
    pub derivation: Derivation,
    /// What may be certified now.
    pub open: Money,
    /// What was certified of it.
    pub certified: Money,
    /// What of that was paid.
    pub paid: Money,
    /// What was kept back with it of the contract's price until the end.
    pub retained: Money,
    /// What went back to the budget line, because it was deducted for good.
    pub released: Money,
    /// Interest for what was, or is, paid late of it.
    pub interest: Money,
    /// When it was closed, UTC: nothing of it is paid any more.
    #[schema(required = true)]
    pub closed_at: Option<String>,
}

impl From<Stated> for PayView {
    fn from(found: Stated) -> Self {
        let one = found.statement;
        let accepted = one.accepted();
        let mut closings = one.closings.iter();
        let closing = closings.find(|closing| closing.period == one.period.number);
        Self {
            contract_id: one.signed.contract.id.clone(),
            period: one.period.number,
            first_day: one.period.span.first,
            last_day: one.period.span.last,
            price_now: one.fee,
            standing: StandingView::of(&one.standing),
            acceptance_id: accepted.map(|accepted| accepted.acceptance_id.clone()),
            accepted_since: accepted.map(|accepted| rfc3339(accepted.since)),
            undisputed_percent: one.part.undisputed,
            is_objected: accepted.is_some_and(|accepted| accepted.is_objected),
            is_settled: one.is_settled,
            is_terminated: one.signed.contract.since.terminated_on.is_some(),
            due_on: found.due_on,
            penalties: one.penalties.iter().map(CountedView::from).collect(),
            derivation: one.derivation,
            open: found.open,
            certified: one.part.before,
            paid: found.paid,
            retained: found.retained,
            released: found.released,
            interest: found.interest,
            closed_at: closing.map(|closing| rfc3339(closing.done.at)),
        }
    }
}

/// What a contract was paid, and what is left of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContractPayments, example = json!({
    "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "price_now": {"amount": "2298600.00", "currency": "CNY"}, "claims": 3, "claims_open": 1,
    "claimed": {"amount": "574650.00", "currency": "CNY"}, "certified": {"amount": "380840.80", "currency": "CNY"}, "paid": {"amount": "188868.30", "currency": "CNY"},
    "confirmed": {"amount": "188868.30", "currency": "CNY"}, "retained": {"amount": "0.00", "currency": "CNY"}, "released": {"amount": "2681.70", "currency": "CNY"},
    "advance_left": {"amount": "0.00", "currency": "CNY"}, "committed": {"amount": "2107050.00", "currency": "CNY"}, "interest": {"amount": "0.00", "currency": "CNY"},
    "interest_claimed": {"amount": "0.00", "currency": "CNY"}, "interest_paid": {"amount": "0.00", "currency": "CNY"}, "claims_late": 0
}))]
pub struct PaymentsView {
    /// The contract.
    pub contract_id: ContractId,
    /// Its price with what concluded variations have changed.
    pub price_now: Money,
    /// Claims that were neither returned nor failed.
    pub claims: u32,
    /// Those of them that are not paid.
    pub claims_open: u32,
    /// What they claim.
    pub claimed: Money,
    /// What is certified of that.
    pub certified: Money,
    /// What of that was paid.
    pub paid: Money,
    /// What of that the bank has confirmed.
    pub confirmed: Money,
    /// What is kept back until the end.
    pub retained: Money,
    /// What went back to the budget line, because it was deducted for good.
    pub released: Money,
    /// What was paid of the advance and the periods have not taken back yet; nothing where the advance is a part of the price beside theirs.
    pub advance_left: Money,
    /// What is committed for the contract and not used up.
    pub committed: Money,
    /// Interest for what was, or is, paid late; like what follows no part of the price, nor of the sums above.
    pub interest: Money,
    /// What is claimed of it.
    pub interest_claimed: Money,
    /// What of it was paid.
    pub interest_paid: Money,
    /// Claims that are, or were paid, late.
    pub claims_late: u32,
}

impl From<Totals> for PaymentsView {
    fn from(found: Totals) -> Self {
        let counts = |wanted: &dyn Fn(&Claim) -> bool| {
            let count = found.claims.iter().filter(|one| wanted(one)).count();
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        Self {
            price_now: found.price_now,
            claims: counts(&|one| one.state.counts()),
            claims_open: counts(&|one| one.state.counts() && !one.state.is_paid()),
            claims_late: found.late,
            contract_id: found.contract_id,
            claimed: found.claimed,
            certified: found.certified,
            paid: found.paid,
            confirmed: found.confirmed,
            retained: found.retained,
            released: found.released,
            advance_left: found.advance_left,
            committed: found.committed,
            interest: found.interest,
            interest_claimed: found.interest_claimed,
            interest_paid: found.interest_paid,
        }
    }
}

/// Read what a period comes to
///
/// As it stands now, with each step: from its price, what it scores, the contract's tables and what was counted of its penalties; whether it is accepted, and until when it is
/// paid; what was certified, paid, kept back and given back. Everybody may.
#[utoipa::path(
    operation_id = "read_period_pay",
    tag = "payments",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,2}$", description = "The number of the period", example = "1"),
    ),
    responses(
        (status = 200, description = "What it comes to", body = PayView),
        (status = 404, description = "There is no such contract or period"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}/periods/{number}/pay")]
async fn read_pay(context: Shared, actor: Actor, path: web::Path<(String, String)>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let (id, number) = (parsed::<ContractId>(&path.0)?, parsed::<i64>(&path.1)?);
    let asked = context.clone();
    let found = context
        .db
        .read(move |conn| stated(conn, &id, number, (&asked.calendar, asked.clock.now())))
        .await?;
    Ok(HttpResponse::Ok().json(PayView::from(found)))
}

/// Read what a contract was paid
///
/// All its claims added up, and what is left of its money. Everybody may.
#[utoipa::path(
    operation_id = "read_contract_payments",
    tag = "payments",
    params(("id" = ContractId, Path, description = "The contract")),
    responses(
        (status = 200, description = "The totals", body = PaymentsView),
        (status = 404, description = "There is no such contract"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}/payments")]
async fn read_payments(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let (id, asked) = (parsed::<ContractId>(&id)?, context.clone());
    let found = context
        .db
        .read(move |conn| totals(conn, &id, (&asked.calendar, asked.clock.now())))
        .await?;
    Ok(HttpResponse::Ok().json(PaymentsView::from(found)))
}
