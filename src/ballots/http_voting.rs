//! Voting over HTTP: by whoever has the vote, with their account or with a code. No SQL and no rule. What is answered holds hashes by which a vote is
//! known, so no answer is stored under an `Idempotency-Key`; the same vote sent again with the same `nonce` changes nothing.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ballots::acts_voting::{self as acts, Given, Receipt, Shown};
use crate::ballots::polling::AtPolling;
use crate::ballots::rules::{BallotId, CODE_NOT_GOOD};
use crate::ballots::rules_questions::Answered;
use crate::ballots::view::{self, BallotView};
use crate::ballots::{store, store_letters};
use crate::budget::desk::parsed;
use crate::kernel::clock::rfc3339;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Stop};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::context::Context;
use crate::web::envelope::client_network;
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};

/// Ballots that somebody sees of their own at most.
const OWN_MAX: i64 = 200;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(vote).service(vote_by_code).service(list_own);
}

/// A vote.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewVote, example = json!({"answers": [{"question": "overall", "choice": "satisfied"}]}))]
pub struct VoteBody {
    /// An answer to every question.
    #[schema(min_items = 1, max_items = 10)]
    answers: Vec<Answered>,
    /// A number of your own, drawn by chance for this vote: the same vote with it again is answered with the same receipt; without it each is a new one.
    #[serde(default)]
    #[schema(
        nullable = false,
        pattern = "^[A-Za-z0-9_-]{16,64}$",
        example = "b3F2Y0t6d1o4R2s5bUxr"
    )]
    nonce: Option<String>,
}

/// A vote with a code. Has no `Debug`: whoever has the code can vote.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewVoteByCode, example = json!({"code": "7ZQK-2M4V-9XHD-0RCP", "answers": [{"question": "overall", "choice": "satisfied"}]}))]
pub struct VoteByCodeBody {
    /// The code of a letter, in its link or in print, or the last part of a mailed link.
    #[schema(min_length = 1, max_length = 120)]
    code: String,
    /// An answer to every question.
    #[schema(min_items = 1, max_items = 10)]
    answers: Vec<Answered>,
    /// A number of your own, drawn by chance for this vote: the same vote with it again is answered with the same receipt; without it each is a new one.
    #[serde(default)]
    #[schema(
        nullable = false,
        pattern = "^[A-Za-z0-9_-]{16,64}$",
        example = "b3F2Y0t6d1o4R2s5bUxr"
    )]
    nonce: Option<String>,
}

/// Hears a vote. Codes that are nobody's are counted for the network that they come from.
///
/// # Errors
/// Those of [`acts::cast`].
pub(super) async fn heard(
    request: &HttpRequest,
    (context, polling): (&Shared, &AtPolling),
    actor: Actor,
    (shown, answers, nonce): (Shown, Vec<Answered>, Option<String>),
) -> Answer<Receipt> {
    let polling = polling.clone();
    let cast = context
        .db
        .write(move |tx| {
            let given = Given {
                answers: &answers,
                nonce: nonce.as_deref(),
            };
            acts::cast(tx, &actor, &polling, &shown, given)
        })
        .await;
    note_wrong(request, context, cast)
}

/// Counts a code that was nobody's.
///
/// # Errors
/// What the answer says; too many requests.
pub fn note_wrong<T>(request: &HttpRequest, context: &Context, answer: Answer<T>) -> Answer<T> {
    if let Err(Stop::Refused(refusal)) = &answer
        && refusal.reason == &CODE_NOT_GOOD
    {
        let network = client_network(request, context);
        context.throttle.guess(&format!("ballot code {network}"))?;
    }
    answer
}

/// Vote
///
/// By a resident who is signed in and is on the roll of the ballot. Until the close you can vote again; the last vote counts. The answer is your receipt: keep it.
#[utoipa::path(
    operation_id = "vote",
    tag = "ballots",
    params(("id" = BallotId, Path, description = "The ballot")),
    request_body = VoteBody,
    responses(
        (status = 200, description = "The receipt", body = Receipt),
        (status = 403, description = "`ballot_not_a_voter`"),
        (status = 404, description = "There is no such ballot"),
        (status = 409, description = "`ballot_not_open`, `ballot_closed`, `ballot_withdrawn`, `ballot_terms_changed`, `ballot_entry_changed`, `ballot_account_unvouched`"),
        (status = 422, description = "An answer is none, or missing; every fault is listed"),
    ),
    extensions(("x-action" = json!("CastOwnVote")), ("x-secret-answer" = json!(true))),
)]
#[post("/ballots/{id}/votes")]
async fn vote(
    (request, context, actor, polling): (HttpRequest, Shared, Actor, AtPolling),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::CastOwnVote, Matter::default())?;
    let body = incoming.json::<VoteBody>().await?;
    let shown = Shown::Account(parsed::<BallotId>(&id)?);
    let said = (shown, body.value.answers, body.value.nonce);
    let receipt = heard(&request, (&context, &polling), actor, said).await?;
    Ok(HttpResponse::Ok().json(receipt))
}

/// Vote with a code
///
/// By whoever has a letter or a mailed link, without an account. It works until the close, also to change a vote; the last vote counts.
#[utoipa::path(
    operation_id = "vote_by_code",
    tag = "ballots",
    request_body = VoteByCodeBody,
    responses(
        (status = 200, description = "The receipt", body = Receipt),
        (status = 409, description = "`ballot_code_not_good`, `ballot_not_open`, `ballot_closed`, `ballot_withdrawn`, `ballot_terms_changed`, `ballot_entry_changed`, `ballot_letter_changed`"),
        (status = 422, description = "An answer is none, or missing; every fault is listed"),
    ),
    extensions(("x-action" = json!("CastVote")), ("x-secret-answer" = json!(true))),
)]
#[post("/ballot-votes")]
async fn vote_by_code(
    (request, context, actor, polling): (HttpRequest, Shared, Actor, AtPolling),
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::CastVote, Matter::default())?;
    let body = incoming.json::<VoteByCodeBody>().await?;
    let body = body.value;
    let said = (Shown::Code(body.code), body.answers, body.nonce);
    let receipt = heard(&request, (&context, &polling), actor, said).await?;
    Ok(HttpResponse::Ok().json(receipt))
}

/// A ballot of one's own.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnBallot)]
pub struct OwnBallotView {
    /// The ballot.
    pub ballot: BallotView,
    /// Whether you have voted.
    #[schema(example = true)]
    pub has_voted: bool,
    /// How many letters were printed for you: whoever has the last one can vote in your place.
    #[schema(minimum = 0, example = 1)]
    pub letters_printed: i64,
    /// When the last one was, UTC.
    #[schema(required = true, example = "2026-05-25T02:00:00.000000Z")]
    pub letter_printed_at: Option<String>,
}

/// Ballots of one's own.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnBallots)]
pub struct OwnBallotsView {
    /// The one called last first.
    #[schema(max_items = 200)]
    pub items: Vec<OwnBallotView>,
}

/// List your own ballots
///
/// Those on whose roll you are, whether you have voted, and whether a letter was printed for you.
#[utoipa::path(
    operation_id = "list_own_ballots",
    tag = "ballots",
    responses((status = 200, description = "The newest 200", body = OwnBallotsView)),
    extensions(("x-action" = json!("CastOwnVote"))),
)]
#[get("/me/ballots")]
async fn list_own(context: Shared, actor: Actor, polling: AtPolling) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::CastOwnVote, Matter::default())?;
    let account: Option<AccountId> = actor.id().and_then(|id| id.parse().ok());
    let now = context.clock.now();
    let items = context
        .db
        .read(move |conn| {
            let mut found = Vec::new();
            let places = match &account {
                Some(account) => acts::own_places(conn, &polling, account)?,
                None => Vec::new(),
            };
            for resident in places {
                found.extend(store::of_resident(conn, &resident, OWN_MAX)?);
            }
            found.sort();
            let mut items = Vec::new();
            for (id, has_voted, number) in found
                .into_iter()
                .rev()
                .take(usize::try_from(OWN_MAX).unwrap_or_default())
            {
                let ballot = crate::ballots::acts::seen(conn, &id)?;
                let ballot = view::ballot(conn, &polling, ballot, now)?;
                let letter = store_letters::letter(conn, &id, number)?;
                items.push(OwnBallotView {
                    ballot,
                    has_voted,
                    letters_printed: letter.as_ref().map_or(0, |letter| letter.printings),
                    letter_printed_at: letter.and_then(|letter| letter.printed_at()).map(rfc3339),
                });
            }
            Ok(items)
        })
        .await?;
    Ok(HttpResponse::Ok().json(OwnBallotsView { items }))
}
