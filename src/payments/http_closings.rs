//! Closing periods over HTTP: parse, call one act, render. No SQL and no rule.

use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::budget::desk::parsed;
use crate::contracts::rules::ContractId;
use crate::kernel::refusal::Answer;
use crate::payments::acts_closings as acts;
use crate::payments::http_claim_decisions::CountedBody;
use crate::payments::http_pay_statements::PayView;
use crate::payments::rules_claims::Counted;
use crate::payments::rules_pay::Derivation;
use crate::payments::store_closings as store;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(close).service(read_derivation);
}

/// How a period is closed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPeriodClosing, example = json!({}))]
pub struct ClosingBody {
    /// What is counted of the contract's penalties, all of them anew; left out for what was counted when the period was certified last.
    #[serde(default)]
    #[schema(value_type = Vec<CountedBody>, required = false, max_items = 50)]
    penalties: Option<Vec<CountedBody>>,
}

/// Close a period
///
/// By an officer of the buyer, of a period that is accepted, whose pay nothing changes any more, and that has nothing to be paid any more: all that it comes to was paid, or all
/// of it was deducted or taken back of the advance, so that there is nothing to be claimed. What is committed for the rest goes back to the budget line, once.
#[utoipa::path(
    operation_id = "close_period",
    tag = "payments",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,2}$", description = "The number of the period", example = "1"),
    ),
    request_body = ClosingBody,
    responses(
        (status = 200, description = "What the period comes to", body = PayView),
        (status = 403, description = "`claim_of_own_organisation`, `separation_of_duties`"),
        (status = 404, description = "There is no such contract or period"),
        (status = 409, description = "`claim_contract_settled`, `claim_not_accepted`, `period_closed_already`, `period_not_settled`, `period_still_payable`, `period_nothing_to_close`"),
    ),
    extensions(("x-action" = json!("ClosePeriod"))),
)]
#[post("/contracts/{id}/periods/{number}/closing")]
async fn close(
    (context, actor, once): (Shared, Actor, Once),
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ClosePeriod)?;
    let body = incoming.json::<ClosingBody>().await?;
    let (id, number) = (parsed::<ContractId>(&path.0)?, parsed::<i64>(&path.1)?);
    let penalties = body
        .value
        .penalties
        .map(|all| all.into_iter().map(Counted::from).collect::<Vec<_>>());
    let asked = context.clone();
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let found = acts::close(tx, by, (&id, number), penalties.as_deref(), &asked.calendar)?;
            Ok(Reply::json(200, &PayView::from(found))?)
        })
        .await
}

/// Read how a period that was closed came to its sum
///
/// The derivation that it was closed by: the bytes whose hash the log has, which `wardbook recompute payment` checks. Everybody may.
#[utoipa::path(
    operation_id = "read_closing_derivation",
    tag = "payments",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,2}$", description = "The number of the period", example = "1"),
    ),
    responses(
        (status = 200, description = "The derivation", body = Derivation, example = json!({
            "format": "wardbook/period-pay/v1", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "period": 1,
            "input": {"fee": "191550.00", "without_score": "redistributed", "sources": [], "tables": [], "penalties": []}, "steps": [],
            "result": {"score": null, "deductions": [], "deducted": "0.00", "recovered": "0.00", "payable": "191550.00"}
        })),
        (status = 404, description = "There is no such period, or it was not closed"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}/periods/{number}/closing/derivation")]
async fn read_derivation(
    context: Shared,
    actor: Actor,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let (id, number) = (parsed::<ContractId>(&path.0)?, parsed::<i64>(&path.1)?);
    let content = context
        .db
        .read(move |conn| Ok(store::content(conn, &id, number)?.ok_or_else(|| NOT_FOUND.refuse())?))
        .await?;
    Ok(HttpResponse::Ok().content_type("application/json").body(content))
}
