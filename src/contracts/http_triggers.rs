//! The triggers of contracts over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::rules_documents::TriggerDocument;
use crate::budget::desk::parsed;
use crate::contracts::acts_triggers::{self as acts, Deciding, Shown};
use crate::contracts::http_rectifications::RectificationBody;
use crate::contracts::http_terminations::TerminationBody;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_rectifications::RectificationId;
use crate::contracts::rules_terminations::{Ground, TerminationId};
use crate::contracts::rules_triggers::{Course, Decision, Occurrence, Scored, State, TriggerDecisionId};
use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::Answer;
use crate::kernel::score::Score;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(read).service(decide);
}

/// A number of a period.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(as = ContractPeriodNumber, minimum = 1, maximum = 120, example = 3)]
pub struct PeriodNumber(pub i64);

/// The score of a period that is over.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PeriodScored, example = json!({"period": 1, "score": "87.20"}))]
pub struct ScoredView {
    /// The period.
    pub period: i64,
    /// Its score; `null` while that is not settled.
    pub score: Option<Score>,
}

/// What was decided when a trigger was due.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TriggerDecision, example = json!({
    "id": "triggerdecision_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "trigger": 1, "period": 3, "periods": [2, 3],
    "is_followed": true, "rectification_id": "rectification_01jd3n8f5teqkrzvq1c0m6h2ax", "termination_id": null, "reason_zh": null, "reason_en": null,
    "decided_at": "2026-08-02T02:00:00.000000Z"
}))]
pub struct DecisionView {
    /// Its id.
    pub id: TriggerDecisionId,
    /// The contract.
    pub contract_id: ContractId,
    /// The trigger's number in the book's list, from 1.
    pub trigger: i64,
    /// The period with which it was due.
    pub period: i64,
    /// The periods on which that rests.
    #[schema(max_items = 120)]
    pub periods: Vec<PeriodNumber>,
    /// Whether it is followed.
    pub is_followed: bool,
    /// The notice of rectification with which it is.
    pub rectification_id: Option<RectificationId>,
    /// The proposal to end the contract with which it is.
    pub termination_id: Option<TerminationId>,
    /// Why it is not, in Chinese.
    pub reason_zh: Option<String>,
    /// In English.
    pub reason_en: Option<String>,
    /// When that was decided, UTC.
    pub decided_at: String,
}

fn numbers(periods: Vec<i64>) -> Vec<PeriodNumber> {
    periods.into_iter().map(PeriodNumber).collect()
}

impl From<Decision> for DecisionView {
    fn from(decision: Decision) -> Self {
        let (rectification_id, termination_id, reason) = match decision.course {
            Course::Rectification(id) => (Some(id), None, None),
            Course::Termination(id) => (None, Some(id), None),
            Course::NotFollowed(reason) => (None, None, Some(reason)),
        };
        let is_followed = reason.is_none();
        let (reason_zh, reason_en) = reason.map(|line| (line.zh, line.en)).unzip();
        Self {
            id: decision.id,
            contract_id: decision.contract_id,
            trigger: decision.occurrence.trigger,
            period: decision.occurrence.period,
            periods: numbers(decision.occurrence.periods),
            is_followed,
            rectification_id,
            termination_id,
            reason_zh,
            reason_en,
            decided_at: rfc3339(decision.decided_at),
        }
    }
}

/// That a trigger was due.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TriggerOccurrence, example = json!({"period": 3, "periods": [2, 3], "decision": null}))]
pub struct OccurrenceView {
    /// The period with which it became due.
    pub period: i64,
    /// The periods on which that rests.
    #[schema(max_items = 120)]
    pub periods: Vec<PeriodNumber>,
    /// What was decided; `null` while that is open.
    pub decision: Option<DecisionView>,
}

/// A trigger of a contract, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContractTrigger, example = json!({
    "number": 1, "trigger": {"outcome": "termination", "below": "80", "times": 2, "counting": "consecutive", "penalty_percent": null, "months_max": null},
    "state": "due", "due": [{"period": 3, "periods": [2, 3], "decision": null}]
}))]
pub struct TriggerView {
    /// Its number in the book's list, from 1.
    pub number: i64,
    /// What the book says.
    pub trigger: TriggerDocument,
    /// How it stands.
    pub state: State,
    /// When it was due, and what was decided; empty for a renewal, which is proposed as a variation.
    #[schema(max_items = 120)]
    pub due: Vec<OccurrenceView>,
}

impl From<Shown> for TriggerView {
    fn from(shown: Shown) -> Self {
        let mut decisions = shown.decisions;
        let due = shown.due.into_iter().map(|one: Occurrence| {
            let known = decisions
                .iter()
                .position(|known| known.occurrence.period == one.period);
            OccurrenceView {
                period: one.period,
                periods: numbers(one.periods),
                decision: known.map(|index| DecisionView::from(decisions.remove(index))),
            }
        });
        Self {
            due: due.collect(),
            number: shown.number,
            trigger: shown.trigger,
            state: shown.state,
        }
    }
}

/// The triggers of a contract, and the scores that they look at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContractTriggers, example = json!({"scores": [], "triggers": []}))]
pub struct TriggersView {
    /// The scores of the periods that are over, in their order.
    #[schema(max_items = 120)]
    pub scores: Vec<ScoredView>,
    /// The triggers, in the book's order.
    #[schema(max_items = 20)]
    pub triggers: Vec<TriggerView>,
}

/// What somebody decides about a trigger that is due: one of `rectification`, `termination` and a reason why nothing follows.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTriggerDecision, example = json!({
    "trigger": 1, "period": 3, "rectification": null, "termination": null, "reason_zh": "已更换班组，先观察一期", "reason_en": "The crew was replaced; one more period is waited for"
}))]
pub struct DecidingBody {
    /// The trigger's number in the book's list, from 1.
    #[schema(minimum = 1, maximum = 20)]
    trigger: i64,
    /// The period with which it was due.
    #[schema(minimum = 1, maximum = 120)]
    period: i64,
    /// The notice, where the trigger asks for rectification or for another manager.
    #[serde(default)]
    rectification: Option<RectificationBody>,
    /// The proposal, where it ends the contract; its ground is the trigger whatever it says.
    #[serde(default)]
    termination: Option<TerminationBody>,
    /// Why it is not followed, in Chinese. It is public.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    reason_zh: Option<String>,
    /// In English.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    reason_en: Option<String>,
}

impl DecidingBody {
    fn deciding(self) -> Deciding {
        let reason = match (self.reason_zh, self.reason_en) {
            (None, None) => None,
            (zh, en) => Some((zh.unwrap_or_default(), en.unwrap_or_default())),
        };
        Deciding {
            trigger: self.trigger,
            period: self.period,
            rectification: self.rectification.map(RectificationBody::issuing),
            termination: self.termination.map(|body| body.entered(Some(Ground::Trigger))),
            reason,
        }
    }
}

/// Read how the triggers of a contract stand
///
/// What the book says follows when scores stay low, or good; computed from the scores of the periods that are over. Nothing happens by itself: what is due is
/// decided about by a person. Everybody may read it; a proposal to end the contract is named once it is decided.
#[utoipa::path(
    operation_id = "read_contract_triggers",
    tag = "contracts",
    params(("id" = ContractId, Path, description = "The contract")),
    responses(
        (status = 200, description = "All of them", body = TriggersView),
        (status = 404, description = "There is no such contract"),
    ),
    extensions(("x-action" = json!("ReadContracts"))),
)]
#[get("/contracts/{id}/triggers")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadContracts, Matter::default())?;
    let (id, asked) = (parsed::<ContractId>(&id)?, context.clone());
    let (scores, shown) = context
        .db
        .read(move |conn| acts::of_contract(conn, &actor, &id, (&asked.calendar, asked.clock.now())))
        .await?;
    let scored = |one: Scored| ScoredView {
        period: one.period,
        score: one.score,
    };
    Ok(HttpResponse::Ok().json(TriggersView {
        scores: scores.into_iter().map(scored).collect(),
        triggers: shown.into_iter().map(TriggerView::from).collect(),
    }))
}

/// Decide about a trigger that is due
///
/// By the buyer's officer: it is followed, by a notice of rectification (which may ask for another manager) or by the proposal to end the contract, or it is
/// not, for a reason that is public.
#[utoipa::path(
    operation_id = "decide_contract_trigger",
    tag = "contracts",
    params(("id" = ContractId, Path, description = "The contract")),
    request_body = DecidingBody,
    responses(
        (status = 201, description = "The decision", body = DecisionView),
        (status = 404, description = "There is no such contract"),
        (status = 409, description = "`contract_terminated`, `trigger_not_due`, `trigger_followed_by_variation`, `trigger_decided_already`, and those of the notice or the proposal"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("DecideTrigger"))),
)]
#[post("/contracts/{id}/trigger-decisions")]
async fn decide(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DecideTrigger)?;
    let body = incoming.json::<DecidingBody>().await?;
    let (id, asked, deciding) = (parsed::<ContractId>(&id)?, context.clone(), body.value.deciding());
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let decision = acts::decide(tx, by, &id, &deciding, &asked.calendar)?;
            let location = format!("/api/v1/contracts/{id}/triggers");
            Ok(Reply::json(201, &DecisionView::from(decision))?.location(location))
        })
        .await
}
