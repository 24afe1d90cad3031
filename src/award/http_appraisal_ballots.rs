//! Residents' ballots about a lot's bids over HTTP: parse, call one act, render. No SQL and no rule.

use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::award::acts_appraisal_ballots as acts;
use crate::ballots;
use crate::ballots::polling::AtPolling;
use crate::ballots::rules::{Choice, Unit};
use crate::ballots::rules_asked::Asked;
use crate::ballots::rules_questions::NewDoubleTally;
use crate::ballots::view::{self, BallotView};
use crate::books::rules::LotId;
use crate::budget::desk::parsed;
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

/// Counts the votes about a lot's bids if their ballot has closed.
///
/// # Errors
/// A fault of the database.
pub async fn counted(context: &Shared, polling: &AtPolling, lot: &LotId) -> Answer<()> {
    let of = lot.clone();
    let running = context.db.read(move |conn| acts::running(conn, &of)).await?;
    match running {
        Some(ballot) => ballots::http::counted(context, polling, &ballot).await,
        None => Ok(()),
    }
}

/// A ballot to be called.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAppraisalBallot, example = json!({"opens_at": "2026-04-03T00:00:00Z", "closes_at": "2026-04-10T00:00:00Z"}))]
pub struct NewAppraisalBallotBody {
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
    /// What can be said of each bid, from 100 points down to 0; none for what the book says, or for the usual scale of 100, 80, 60, 40 and 0 points.
    #[serde(default)]
    #[schema(max_items = 10)]
    scale: Vec<Choice>,
    /// Tally the area of dwellings beside heads (民法典 art 278); only for `households`, of whom then those have a vote whose dwelling somebody on the roll owns.
    #[serde(default)]
    #[schema(nullable = false)]
    double_tally: Option<NewDoubleTally>,
}

impl From<NewAppraisalBallotBody> for Asked {
    fn from(body: NewAppraisalBallotBody) -> Self {
        Self {
            opens_at: body.opens_at,
            closes_at: body.closes_at,
            unit: body.unit,
            quorum_percent: body.quorum_percent,
            scale: body.scale,
            double_tally: body.double_tally.map(|double| double.approves_from),
            ..Self::default()
        }
    }
}

/// Let residents appraise the bids
///
/// By an officer of the buyer, once it is settled which bids are in, for a lot with a criterion that residents appraise: one question for each bid (`about` says which), about
/// what of it is public. Who is listed as kin or staff of any bidder has no vote. What the answers come to, of a hundred, is that part of the criterion's points, rounded as
/// the book says. It goes into the evaluation as a recorded meeting does, and takes its place: a lot has the one or the other. Where too few vote, another
/// ballot is called, or a meeting held. Representatives need the quorum of their meeting, and residents that of theirs where the method is `appraisal`. What is asked, of whom, on
/// which scale and with which quorum is what the book says of the criterion (`ballot`): whoever calls it may leave it out, and not say otherwise.
#[utoipa::path(
    operation_id = "call_appraisal_ballot",
    tag = "evaluations",
    params(("id" = LotId, Path, description = "The lot")),
    request_body = NewAppraisalBallotBody,
    responses(
        (status = 201, description = "The ballot", body = BallotView),
        (status = 404, description = "There is no such lot"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `appraisal_nothing`, `scoring_concluded`, `admission_not_begun`, `scoring_not_yet`, `scoring_nothing`, `appraisal_by_meeting`, `appraisal_by_ballot`, `appraisal_ballots_too_many`, `appraisal_bids_too_many`, `appraisal_quorum_too_low`, `ballot_electorate_too_small`, `ballot_electorate_too_large`, `ballot_area_unknown`, `rule_not_set`"),
        (status = 422, description = "Something of it does not hold, or differs from what the book says; every fault is listed"),
    ),
    extensions(("x-action" = json!("CallBallot"))),
)]
#[post("/lots/{id}/appraisal-ballot")]
async fn call(
    (context, actor, once, polling): (Shared, Actor, Once, AtPolling),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::CallBallot)?;
    let id = parsed::<LotId>(&id)?;
    let body = incoming.json::<NewAppraisalBallotBody>().await?;
    // An earlier one that has closed has to be counted before it is known whether there may be another.
    counted(&context, &polling, &id).await?;
    let (asked, new) = (context.clone(), Asked::from(body.value));
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let ballot = acts::call(tx, by, &polling, &id, (&new, &asked.calendar))?;
            let location = format!("/api/v1/ballots/{}", ballot.id);
            let now = tx.now();
            let shown = view::ballot(tx.conn(), &polling, ballot, now)?;
            Ok(Reply::json(201, &shown)?.location(location))
        })
        .await
}
