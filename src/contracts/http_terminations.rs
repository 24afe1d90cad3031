//! Terminations of contracts over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::desk::parsed;
use crate::contracts::acts_terminations as acts;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_terminations::{Entered, Ground, State, Termination, TerminationId};
use crate::kernel::clock::rfc3339;
use crate::kernel::money::Money;
use crate::kernel::refusal::Answer;
use crate::standards::rules_indicators::Line;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(propose)
        .service(list)
        .service(read)
        .service(state)
        .service(decide)
        .service(withdraw);
}

/// Why and when a contract is to end, and what is settled.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTermination, example = json!({
    "ground": "breach", "reason_zh": "连续两期未达标且拒不整改", "reason_en": "Two periods in a row below the limit, and nothing was put right",
    "effective_on": "2026-08-31", "settlement": {"amount": "68883.33", "currency": "CNY"}, "basis_zh": "第四期已完成工作量", "basis_en": "The work done in period 4",
    "statement_until": "2026-08-10"
}))]
pub struct TerminationBody {
    /// On what ground; `trigger` only where a trigger that is due is followed.
    ground: Ground,
    /// Why, in Chinese.
    #[schema(min_length = 1, max_length = 2000)]
    reason_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 2000)]
    reason_en: String,
    /// The contract's last day.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    effective_on: NaiveDate,
    /// What is undisputed and stays committed to be paid; the rest goes back to its line.
    settlement: Money,
    /// How that was reckoned, in Chinese.
    #[schema(min_length = 1, max_length = 2000)]
    basis_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 2000)]
    basis_en: String,
    /// The last day for the supplier's statement; nothing is decided before it is made or that day is over.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    statement_until: NaiveDate,
}

impl TerminationBody {
    /// What it proposes.
    pub(super) fn entered(self, ground: Option<Ground>) -> Entered {
        Entered {
            ground: ground.unwrap_or(self.ground),
            reason: Line {
                zh: self.reason_zh,
                en: self.reason_en,
            },
            effective_on: self.effective_on,
            settlement: self.settlement,
            basis: Line {
                zh: self.basis_zh,
                en: self.basis_en,
            },
            statement_until: self.statement_until,
        }
    }
}

/// What the supplier has to say.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TerminationStatement, example = json!({"statement": "已更换项目经理，请求继续履行"}))]
pub struct StatementBody {
    /// In its words.
    #[schema(min_length = 1, max_length = 2000)]
    statement: String,
}

/// What is decided about a proposal.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TerminationDecision, example = json!({"ends": true, "decision_zh": "同意解除", "decision_en": "The contract ends"}))]
pub struct DecisionBody {
    /// Whether the contract ends.
    ends: bool,
    /// Why, in Chinese. It is public if the contract ends.
    #[schema(min_length = 1, max_length = 2000)]
    decision_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 2000)]
    decision_en: String,
}

/// Why a proposal is taken back.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TerminationWithdrawal, example = json!({"decision_zh": "承接主体已整改", "decision_en": "It was put right"}))]
pub struct WithdrawalBody {
    /// In Chinese.
    #[schema(min_length = 1, max_length = 2000)]
    decision_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 2000)]
    decision_en: String,
}

/// A proposal to end a contract before its time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Termination, example = json!({
    "id": "termination_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "ground": "breach", "reason_zh": "连续两期未达标",
    "reason_en": "Two periods in a row below the limit", "effective_on": "2026-08-31", "settlement": {"amount": "68883.33", "currency": "CNY"},
    "basis_zh": "第四期已完成工作量", "basis_en": "The work done in period 4", "statement_until": "2026-08-10", "state": "decided",
    "proposed_at": "2026-08-01T02:00:00.000000Z", "statement": null, "stated_at": null, "decision_zh": "同意解除", "decision_en": "The contract ends",
    "closed_at": "2026-08-12T02:00:00.000000Z", "revision": 3
}))]
pub struct TerminationView {
    /// Its id.
    pub id: TerminationId,
    /// The contract.
    pub contract_id: ContractId,
    /// On what ground.
    pub ground: Ground,
    /// Why, in Chinese.
    pub reason_zh: String,
    /// In English.
    pub reason_en: String,
    /// The contract's last day.
    #[schema(value_type = String)]
    pub effective_on: NaiveDate,
    /// What is undisputed and stays committed to be paid.
    pub settlement: Money,
    /// How that was reckoned, in Chinese.
    pub basis_zh: String,
    /// In English.
    pub basis_en: String,
    /// The last day for the supplier's statement.
    #[schema(value_type = String)]
    pub statement_until: NaiveDate,
    /// How far it has come.
    pub state: State,
    /// When it was proposed, UTC.
    pub proposed_at: String,
    /// What the supplier had to say; for the parties and auditors.
    pub statement: Option<String>,
    /// When it said so, UTC.
    pub stated_at: Option<String>,
    /// Why it was decided so, or taken back, in Chinese.
    pub decision_zh: Option<String>,
    /// In English.
    pub decision_en: Option<String>,
    /// When, UTC.
    pub closed_at: Option<String>,
    /// Counts the changes, from 1; also the `ETag`.
    pub revision: i64,
}

impl TerminationView {
    fn of(one: Termination, is_insider: bool) -> Self {
        let entered = one.entered;
        let stated_at = one.statement.as_ref().map(|said| rfc3339(said.at));
        let closed_at = one.closed.as_ref().map(|closed| rfc3339(closed.at));
        let (decision_zh, decision_en) = one
            .closed
            .map(|closed| (closed.words.zh, closed.words.en))
            .unzip();
        Self {
            id: one.id,
            contract_id: one.contract_id,
            ground: entered.ground,
            reason_zh: entered.reason.zh,
            reason_en: entered.reason.en,
            effective_on: entered.effective_on,
            settlement: entered.settlement,
            basis_zh: entered.basis.zh,
            basis_en: entered.basis.en,
            statement_until: entered.statement_until,
            state: one.state,
            proposed_at: rfc3339(one.proposed_at),
            statement: one.statement.filter(|_| is_insider).map(|said| said.words),
            stated_at,
            decision_zh,
            decision_en,
            closed_at,
            revision: one.revision,
        }
    }
}

/// The terminations of a contract that were proposed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Terminations, example = json!({"items": []}))]
pub struct TerminationsView {
    /// The oldest first.
    #[schema(max_items = 50)]
    pub items: Vec<TerminationView>,
}

fn replied(status: u16, one: Termination) -> Answer<Reply> {
    let etag = conditional::etag(one.revision);
    Ok(Reply::json(status, &TerminationView::of(one, true))?.etag(etag))
}

/// Propose to end a contract
///
/// By the buyer's officer: on what ground, why, on which day, and what of the commitment is undisputed and stays to be paid. The supplier is heard before it is
/// decided.
#[utoipa::path(
    operation_id = "propose_termination",
    tag = "contracts",
    params(("id" = ContractId, Path, description = "The contract")),
    request_body = TerminationBody,
    responses(
        (status = 201, description = "The proposal", body = TerminationView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such contract"),
        (status = 409, description = "`contract_terminated`, `termination_pending`, `termination_too_many`, `termination_settlement_exceeds`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("ProposeTermination"))),
)]
#[post("/contracts/{id}/terminations")]
async fn propose(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ProposeTermination)?;
    let body = incoming.json::<TerminationBody>().await?;
    let (id, asked) = (parsed::<ContractId>(&id)?, context.clone());
    let entered = body.value.entered(None);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let (one, _) = acts::propose(tx, by, &id, entered.clone(), &asked.calendar)?;
            let location = format!("/api/v1/terminations/{}", one.id);
            Ok(replied(201, one)?.location(location))
        })
        .await
}

/// List what was proposed to end a contract
///
/// The oldest first. Everybody sees that by which the contract ends; the parties and auditors also what is proposed and what came to nothing.
#[utoipa::path(
    operation_id = "list_terminations",
    tag = "contracts",
    params(("id" = ContractId, Path, description = "The contract")),
    responses(
        (status = 200, description = "All of them", body = TerminationsView),
        (status = 404, description = "There is no such contract"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}/terminations")]
async fn list(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let id = parsed::<ContractId>(&id)?;
    let (found, is_insider) = context
        .db
        .read(move |conn| acts::of_contract(conn, &actor, &id))
        .await?;
    Ok(HttpResponse::Ok().json(TerminationsView {
        items: found
            .into_iter()
            .map(|one| TerminationView::of(one, is_insider))
            .collect(),
    }))
}

/// Read a termination
///
/// Everybody may once the contract ends by it; the parties and auditors before.
#[utoipa::path(
    operation_id = "read_termination",
    tag = "contracts",
    params(("id" = TerminationId, Path, description = "The termination")),
    responses(
        (status = 200, description = "The termination", body = TerminationView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such termination, or not for you yet"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/terminations/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let id = parsed::<TerminationId>(&id)?;
    let (one, is_insider) = context
        .db
        .read(move |conn| {
            let (one, signed) = acts::seen(conn, &actor, &id)?;
            Ok((one, signed.is_insider(&actor)))
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(one.revision)))
        .json(TerminationView::of(one, is_insider)))
}

/// Make the supplier's statement
///
/// By the supplier, once, before it is decided. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "state_on_termination",
    tag = "contracts",
    params(
        ("id" = TerminationId, Path, description = "The termination"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = StatementBody,
    responses(
        (status = 200, description = "The termination as it is now", body = TerminationView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such termination, or it is not yours to see"),
        (status = 409, description = "`termination_wrong_state`, `termination_stated_already`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("StateOnTermination"))),
)]
#[post("/terminations/{id}/statement")]
async fn state(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::StateOnTermination)?;
    let body = incoming.json::<StatementBody>().await?;
    let (id, expected) = (parsed::<TerminationId>(&id)?, Expected::of(&request)?);
    let words = body.value.statement;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let (one, _) = acts::state(tx, by, (&id, expected), &words)?;
            replied(200, one)
        })
        .await
}

/// Decide about the end of a contract
///
/// By the buyer's approver, and not by who has proposed it, once the supplier was heard or its day is over. If the contract ends, all that is committed but the
/// settlement goes back to its line, and what was pending ends with it. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "decide_termination",
    tag = "contracts",
    params(
        ("id" = TerminationId, Path, description = "The termination"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v2\""),
    ),
    request_body = DecisionBody,
    responses(
        (status = 200, description = "The termination as it is now", body = TerminationView, headers(("ETag" = String, description = "The revision"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such termination, or it is not yours to see"),
        (status = 409, description = "`termination_wrong_state`, `termination_hearing_open`, `termination_day_past`, `termination_settlement_exceeds`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("DecideTermination"))),
)]
#[post("/terminations/{id}/decision")]
async fn decide(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DecideTermination)?;
    let body = incoming.json::<DecisionBody>().await?;
    let (id, expected) = (parsed::<TerminationId>(&id)?, Expected::of(&request)?);
    let (said, asked) = (body.value, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let words = (said.decision_zh.as_str(), said.decision_en.as_str());
            let (one, _) = acts::decide(tx, by, (&id, expected), (said.ends, words), &asked.calendar)?;
            replied(200, one)
        })
        .await
}

/// Take a proposal to end a contract back
///
/// By the buyer's officer, before it is decided. Needs `If-Match` with the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "withdraw_termination",
    tag = "contracts",
    params(
        ("id" = TerminationId, Path, description = "The termination"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = WithdrawalBody,
    responses(
        (status = 200, description = "The termination as it is now", body = TerminationView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such termination, or it is not yours to see"),
        (status = 409, description = "`termination_wrong_state`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ProposeTermination"))),
)]
#[post("/terminations/{id}/withdrawal")]
async fn withdraw(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ProposeTermination)?;
    let body = incoming.json::<WithdrawalBody>().await?;
    let (id, expected) = (parsed::<TerminationId>(&id)?, Expected::of(&request)?);
    let (said, asked) = (body.value, context.clone());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let words = (said.decision_zh.as_str(), said.decision_en.as_str());
            let (one, _) = acts::withdraw(tx, by, (&id, expected), words, &asked.calendar)?;
            replied(200, one)
        })
        .await
}
