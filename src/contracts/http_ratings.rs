//! Calling residents' ratings over HTTP: parse, call one act, render. No SQL and no rule.

use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::ballots::polling::AtPolling;
use crate::ballots::rules::{Choice, Question, Unit};
use crate::ballots::rules_questions::{NewBallot, NewDoubleTally};
use crate::ballots::view::{self, BallotView};
use crate::budget::desk::parsed;
use crate::contracts::acts_ratings as acts;
use crate::contracts::rules::ContractId;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(call);
}

/// A ballot to be called.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRating, example = json!({
    "opens_at": "2026-06-01T00:00:00Z", "closes_at": "2026-06-08T00:00:00Z", "unit": "residents", "quorum_percent": 30, "may_abstain": true,
    "questions": [], "scale": []
}))]
pub struct NewRatingBody {
    /// From when on votes are taken: within 62 days.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    opens_at: Instant,
    /// From when on they are not: an hour to 62 days later.
    #[schema(value_type = String, format = DateTime, max_length = 40)]
    closes_at: Instant,
    /// Who has a vote.
    unit: Unit,
    /// The part of the voters who have to vote for the result to bind, in percent.
    #[schema(minimum = 1, maximum = 100)]
    quorum_percent: u32,
    /// Whether a question may be left without an answer.
    #[serde(default)]
    may_abstain: bool,
    /// The questions; none for one about the whole.
    #[serde(default)]
    #[schema(max_items = 10)]
    questions: Vec<Question>,
    /// What can be answered to each; none for the usual scale of 100, 80, 60, 40 and 0 points.
    #[serde(default)]
    #[schema(max_items = 10)]
    scale: Vec<Choice>,
    /// Tally the area of dwellings beside heads (民法典 art 278); only for `households`, of whom then those have a vote whose dwelling somebody on the roll owns.
    #[serde(default)]
    #[schema(nullable = false)]
    double_tally: Option<NewDoubleTally>,
}

impl From<NewRatingBody> for NewBallot {
    fn from(body: NewRatingBody) -> Self {
        Self {
            opens_at: body.opens_at,
            closes_at: body.closes_at,
            unit: body.unit,
            questions: body.questions,
            scale: body.scale,
            may_abstain: body.may_abstain,
            quorum_percent: body.quorum_percent,
            double_tally: body.double_tally.map(|double| double.approves_from),
        }
    }
}

/// Call a rating
///
/// By an officer of the buyer: a ballot of the residents of the areas that the contract serves, about the work of a period. The roll is frozen at once, so that letters
/// can be printed before it opens; kin and staff of the contractor whom registrars have listed are not on it. A period has one ballot.
#[utoipa::path(
    operation_id = "call_rating",
    tag = "ballots",
    params(
        ("id" = ContractId, Path, description = "The contract"),
        ("number" = String, Path, pattern = "^[1-9][0-9]{0,2}$", description = "The number of the period", example = "1"),
    ),
    request_body = NewRatingBody,
    responses(
        (status = 201, description = "The ballot", body = BallotView),
        (status = 404, description = "There is no such contract or period"),
        (status = 409, description = "`rating_no_source`, `ballot_exists`, `ballot_electorate_too_small`, `ballot_electorate_too_large`, `ballot_area_unknown`, `rule_not_set`"),
        (status = 422, description = "Something of it does not hold; every fault is listed"),
    ),
    extensions(("x-action" = json!("CallBallot"))),
)]
#[post("/contracts/{id}/periods/{number}/ratings")]
async fn call(
    (context, actor, once, polling): (Shared, Actor, Once, AtPolling),
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::CallBallot)?;
    let (id, number) = (parsed::<ContractId>(&path.0)?, parsed::<i64>(&path.1)?);
    let body = incoming.json::<NewRatingBody>().await?;
    let (asked, new) = (context.clone(), NewBallot::from(body.value));
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let ballot = acts::call(tx, by, &polling, (&id, number), (&new, &asked.calendar))?;
            let location = format!("/api/v1/ballots/{}", ballot.id);
            let now = tx.now();
            let shown = view::ballot(tx.conn(), &polling, ballot, now)?;
            Ok(Reply::json(201, &shown)?.location(location))
        })
        .await
}
