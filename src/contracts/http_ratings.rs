//! Calling residents' ratings over HTTP: parse, call one act, render. No SQL and no rule.

use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::ballots::polling::AtPolling;
use crate::ballots::rules::{Choice, Question, Unit};
use crate::ballots::rules_asked::Asked;
use crate::ballots::rules_questions::NewDoubleTally;
use crate::ballots::view::{self, BallotView};
use crate::budget::desk::parsed;
use crate::contracts::acts_ratings as acts;
use crate::contracts::rules::ContractId;
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
#[schema(as = NewRating, example = json!({"opens_at": "2026-06-01T00:00:00Z", "closes_at": "2026-06-08T00:00:00Z"}))]
pub struct NewRatingBody {
    /// From when on votes are taken: within 62 days.
    #[schema(format = DateTime, max_length = 40)]
    opens_at: String,
    /// From when on they are not: an hour to 62 days later.
    #[schema(format = DateTime, max_length = 40)]
    closes_at: String,
    /// Who has a vote. As all that follows: what the book says; where it says nothing of ballots, required.
    #[serde(default)]
    #[schema(nullable = false)]
    unit: Option<Unit>,
    /// The part of the voters who have to vote for the result to bind, in percent. Required where the book says nothing of ballots.
    #[serde(default)]
    #[schema(nullable = false, minimum = 1, maximum = 100)]
    quorum_percent: Option<u32>,
    /// Whether a question may be left without an answer.
    #[serde(default)]
    #[schema(nullable = false)]
    may_abstain: Option<bool>,
    /// The questions; none for what the book says, or for one about the whole.
    #[serde(default)]
    #[schema(max_items = 10)]
    questions: Vec<Question>,
    /// What can be answered to each, from 100 points down to 0; none for what the book says, or for the usual scale of 100, 80, 60, 40 and 0 points.
    #[serde(default)]
    #[schema(max_items = 10)]
    scale: Vec<Choice>,
    /// Tally the area of dwellings beside heads (民法典 art 278); only for `households`, of whom then those have a vote whose dwelling somebody on the roll owns.
    #[serde(default)]
    #[schema(nullable = false)]
    double_tally: Option<NewDoubleTally>,
}

impl From<NewRatingBody> for Asked {
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
/// can be printed before it opens; kin and staff of the contractor whom registrars have listed are not on it. A period has one ballot. What is asked, of whom, on which scale and with which quorum is
/// what the book says of its source of the kind `rating` (`ballot`): whoever calls it may leave it out, and not say otherwise.
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
        (status = 422, description = "Something of it does not hold, or differs from what the book says; every fault is listed"),
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
    let (asked, new) = (context.clone(), Asked::from(body.value));
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
