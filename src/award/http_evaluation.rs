//! Results of judging over HTTP: the conclusion of a round, its derivation, dissents, and residents' appraisals. Parse, call one act or query,
//! render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::acts_evaluation::{self as acts, Recorded};
use crate::award::acts_scores;
use crate::award::http_appraisal_ballots;
use crate::award::http_scores::{meant, shown};
use crate::award::rules_appraisals::Appraisal;
use crate::award::rules_results::{Evaluation, EvaluationId, Place};
use crate::award::rules_scores::BidScores;
use crate::ballots::polling::AtPolling;
use crate::bids::rules::BidId;
use crate::books::rules::{BookId, LotId};
use crate::budget::desk::parsed;
use crate::files::rules::AttachmentId;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::money::Money;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(conclude)
        .service(read)
        .service(read_derivation)
        .service(note_dissent)
        .service(record_appraisal)
        .service(confirm_appraisal)
        .service(read_appraisal);
}

/// Where a bid stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EvaluationPlace)]
pub struct PlaceView {
    /// The bid.
    pub bid_id: BidId,
    /// Whose it is.
    pub supplier_id: OrganisationId,
    /// From 1 for the best; `null` if the bid is out.
    #[schema(minimum = 1, maximum = 10_000)]
    pub place: Option<i64>,
    /// What the contract would cost.
    pub price: Money,
}

impl From<Place> for PlaceView {
    fn from(place: Place) -> Self {
        Self {
            bid_id: place.bid_id,
            supplier_id: place.supplier_id,
            place: place.place,
            price: place.price,
        }
    }
}

/// What a member of the panel holds against a result.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EvaluationDissent)]
pub struct DissentView {
    /// Who; `null` for the public.
    pub account_id: Option<AccountId>,
    /// What.
    #[schema(max_length = 2000)]
    pub reason: String,
    /// When, UTC.
    pub noted_at: String,
}

/// The result of a round of judging.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LotEvaluation, example = json!({
    "id": "evaluation_01jd3n8f5teqkrzvq1c0m6h2ax", "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax",
    "round": 1, "outcome": "ranked", "concluded_at": "2026-04-02T06:00:00.000000Z",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "places": [], "dissents": []
}))]
pub struct EvaluationView {
    /// Its id.
    pub id: EvaluationId,
    /// The lot.
    pub lot_id: LotId,
    /// Its book.
    pub book_id: BookId,
    /// Counts the rounds, from 1.
    #[schema(minimum = 1, maximum = 20)]
    pub round: i64,
    /// `ranked`, or `unsuccessful`.
    #[schema(pattern = "^(ranked|unsuccessful)$")]
    pub outcome: &'static str,
    /// When, UTC.
    pub concluded_at: String,
    /// SHA-256 of its derivation, as the log has it.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// The bids, the best first and those that were put out last.
    #[schema(max_items = 1000)]
    pub places: Vec<PlaceView>,
    /// What members of the panel hold against it.
    #[schema(max_items = 99)]
    pub dissents: Vec<DissentView>,
}

impl EvaluationView {
    fn of(evaluation: Evaluation, dissents: Vec<(AccountId, String, Instant)>, with_names: bool) -> Self {
        let dissent = |(who, reason, at): (AccountId, String, Instant)| DissentView {
            account_id: with_names.then_some(who),
            reason,
            noted_at: rfc3339(at),
        };
        Self {
            id: evaluation.id,
            lot_id: evaluation.lot_id,
            book_id: evaluation.book_id,
            round: evaluation.round,
            outcome: evaluation.outcome.name(),
            concluded_at: rfc3339(evaluation.concluded_at),
            sha256: hex::encode(evaluation.sha256),
            places: evaluation.places.into_iter().map(PlaceView::from).collect(),
            dissents: dissents.into_iter().map(dissent).collect(),
        }
    }
}

/// Conclude the judging of a lot
///
/// By the chair of the panel, or by the buyer's people where the book has no panel. Everybody's sheet is in then, and what the residents gave is
/// confirmed. What goes in, each step and the ranking are one document, the derivation, whose hash the log has. With too few bids left the lot
/// is unsuccessful, and its reservation free again.
#[utoipa::path(
    operation_id = "conclude_evaluation",
    tag = "evaluations",
    params(("id" = LotId, Path, description = "The lot")),
    responses(
        (status = 201, description = "The result", body = EvaluationView),
        (status = 403, description = "`panel_not_chair`"),
        (status = 404, description = "There is no such lot, or it is not yours to see"),
        (status = 409, description = "`panel_incomplete`, `book_wrong_state`, `book_suspended`, `scoring_concluded`, `admission_not_begun`, `scoring_not_yet`, `sheets_missing`, `appraisal_missing`, `appraisal_not_counted`, `appraisal_not_binding`: call another ballot, or hold a meeting"),
    ),
    extensions(("x-action" = json!("ConcludeEvaluation"))),
)]
#[post("/lots/{id}/evaluation")]
async fn conclude(
    (context, actor, once, polling): (Shared, Actor, Once, AtPolling),
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ConcludeEvaluation)?;
    let id = parsed::<LotId>(&id)?;
    http_appraisal_ballots::counted(&context, &polling, &id).await?;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let evaluation = acts::conclude(tx, by, &id)?;
            Ok(Reply::json(
                201,
                &EvaluationView::of(evaluation, Vec::new(), true),
            )?)
        })
        .await
}

/// See how a lot was judged
///
/// The result of one round, the last one if none is named: for the panel, the buyer's people and auditors, and for everybody once it is published.
#[utoipa::path(
    operation_id = "read_evaluation",
    tag = "evaluations",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("round" = Option<i64>, Query, minimum = 1, maximum = 100, description = "Of this round; without it, of the last one that you may see"),
    ),
    responses(
        (status = 200, description = "The result", body = EvaluationView),
        (status = 404, description = "There is no such lot, it was not judged, or it is not yours to see"),
    ),
    extensions(("x-action" = json!("ReadEvaluation"))),
)]
#[get("/lots/{id}/evaluation")]
async fn read(
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
    request: HttpRequest,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadEvaluation, Matter::default())?;
    let (id, round) = (parsed::<LotId>(&id)?, round(&request)?);
    let (evaluation, dissents, with_names) = context
        .db
        .read(move |conn| acts::visible(conn, &actor, &id, round))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(EvaluationView::of(evaluation, dissents, with_names)))
}

fn round(request: &HttpRequest) -> Answer<Option<i64>> {
    let mut query = Query::of(request);
    let round = query.parsed::<i64>("round");
    query.finish()?;
    Ok(round)
}

/// Download the derivation of a result
///
/// The bytes whose hash the log has. `wardbook recompute evaluation` reckons them again.
#[utoipa::path(
    operation_id = "read_evaluation_derivation",
    tag = "evaluations",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("round" = Option<i64>, Query, minimum = 1, maximum = 100, description = "Of this round; without it, of the last one that you may see"),
    ),
    responses(
        (status = 200, description = "The derivation: `api-spec/evaluation-derivation.schema.json`", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "There is no such lot, it was not judged, or it is not yours to see"),
    ),
    extensions(("x-action" = json!("ReadEvaluation"))),
)]
#[get("/lots/{id}/evaluation/derivation")]
async fn read_derivation(
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
    request: HttpRequest,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadEvaluation, Matter::default())?;
    let (id, round) = (parsed::<LotId>(&id)?, round(&request)?);
    let (evaluation, ..) = context
        .db
        .read(move |conn| acts::visible(conn, &actor, &id, round))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(evaluation.round)))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .content_type("application/octet-stream")
        .body(evaluation.content))
}

/// What is held against a result.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEvaluationDissent, example = json!({"reason": "T2 的评分标准适用有误"}))]
pub struct DissentBody {
    /// What.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// Dissent from a result
///
/// As a member of the panel, once for each round, before the result is published. Whoever does not has agreed (87号令 art 61).
#[utoipa::path(
    operation_id = "dissent_from_evaluation",
    tag = "evaluations",
    params(("id" = LotId, Path, description = "The lot")),
    request_body = DissentBody,
    responses(
        (status = 201, description = "It was noted", body = EvaluationView),
        (status = 404, description = "There is no such lot, it was not judged, or you have no seat on its panel"),
        (status = 409, description = "`rescoring_too_late`, `evaluation_dissented`"),
        (status = 422, description = "A reason that is none"),
    ),
    extensions(("x-action" = json!("ScoreBids"))),
)]
#[post("/lots/{id}/evaluation/dissents")]
async fn note_dissent(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ScoreBids)?;
    let body = incoming.json::<DissentBody>().await?;
    let id = parsed::<LotId>(&id)?;
    let reason = body.value.reason;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            acts_scores::dissent(tx, by, &id, &reason)?;
            let (evaluation, dissents, with_names) = acts::visible(tx.conn(), by, &id, None)?;
            Ok(Reply::json(
                201,
                &EvaluationView::of(evaluation, dissents, with_names),
            )?)
        })
        .await
}

/// What a meeting of residents' representatives gave.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AppraisalRecord, example = json!({
    "held_on": "2026-04-02", "eligible": 60, "present": 43, "minutes_id": "file_01jd3n8f5teqkrzvq1c0m6h2ax",
    "points": [{"bid_id": "bid_01jd3n8f5teqkrzvq1c0m6h2ax", "criteria": [{"code": "A1", "score": "93.65"}]}]
}))]
pub struct AppraisalBody {
    /// On which day it met.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    held_on: NaiveDate,
    /// How many representatives there are.
    #[schema(minimum = 1, maximum = 1_000_000)]
    eligible: u32,
    /// How many of them came.
    #[schema(minimum = 1, maximum = 1_000_000)]
    present: u32,
    /// The minutes: an attachment that you have uploaded and that hangs on nothing; a PDF document, or a picture.
    minutes_id: AttachmentId,
    /// What it gave each bid that is in.
    #[schema(max_items = 1000)]
    points: Vec<BidScores>,
}

/// The record of a meeting that appraised.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LotAppraisal, example = json!({
    "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "version": 2, "held_on": "2026-04-02", "eligible": 60, "present": 43, "quorum": "2/3",
    "minutes_id": null, "points": [], "recorded_by": null, "recorded_at": "2026-04-02T06:00:00.000000Z",
    "confirmed_by": null, "confirmed_at": "2026-04-02T07:00:00.000000Z"
}))]
pub struct AppraisalView {
    /// The lot.
    pub lot_id: LotId,
    /// Counts the changes, from 1; also the `ETag`.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub version: i64,
    /// On which day it met.
    #[schema(value_type = String)]
    pub held_on: NaiveDate,
    /// How many representatives there are.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub eligible: u32,
    /// How many of them came.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub present: u32,
    /// How many of them had to.
    #[schema(max_length = 20)]
    pub quorum: String,
    /// The minutes; `null` for the public.
    pub minutes_id: Option<AttachmentId>,
    /// What it gave.
    #[schema(max_items = 1000)]
    pub points: Vec<BidScores>,
    /// Who recorded it; `null` for the public.
    pub recorded_by: Option<AccountId>,
    /// When, UTC.
    pub recorded_at: String,
    /// Who confirmed it; `null` for the public.
    pub confirmed_by: Option<AccountId>,
    /// When, UTC; what is not confirmed does not count.
    pub confirmed_at: Option<String>,
}

impl AppraisalView {
    fn of(appraisal: Appraisal, with_names: bool) -> Self {
        let (confirmed_by, confirmed_at) = appraisal.confirmed.unzip();
        let quorum = appraisal.meeting.quorum;
        let sign = if quorum.exceeded { ">" } else { "" };
        Self {
            lot_id: appraisal.lot_id,
            version: appraisal.version,
            held_on: appraisal.held_on,
            eligible: appraisal.meeting.eligible,
            present: appraisal.meeting.present,
            quorum: format!("{sign}{}/{}", quorum.numerator, quorum.denominator),
            minutes_id: with_names.then_some(appraisal.minutes),
            points: shown(&appraisal.points),
            recorded_by: with_names.then_some(appraisal.recorded_by),
            recorded_at: rfc3339(appraisal.recorded_at),
            confirmed_by: confirmed_by.filter(|_| with_names),
            confirmed_at: confirmed_at.map(rfc3339),
        }
    }
}

/// Record what residents gave
///
/// By an officer of the buyer, from the minutes of a meeting of residents' representatives that had its quorum; another person confirms it. Not where residents
/// appraise the lot by a ballot.
/// A first record is sent without `If-Match`; until it is confirmed it may be corrected, with the `ETag` of the version before.
#[utoipa::path(
    operation_id = "record_appraisal",
    tag = "evaluations",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("If-Match" = Option<String>, Header, max_length = 100, description = "The `ETag` of the version to replace", example = "\"v1\""),
    ),
    request_body = AppraisalBody,
    responses(
        (status = 200, description = "It was recorded", body = AppraisalView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such lot"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `appraisal_nothing`, `scoring_concluded`, `admission_not_begun`, `scoring_not_yet`, `appraisal_by_ballot`, `appraisal_confirmed`, `appraisal_no_quorum`, and those of attachments"),
        (status = 412, description = "`version_stale`"),
        (status = 422, description = "What cannot be; every fault is listed"),
        (status = 428, description = "`version_missing`: there is a record already"),
    ),
    extensions(("x-action" = json!("RecordAppraisal"))),
)]
#[put("/lots/{id}/appraisal")]
async fn record_appraisal(
    (request, context, actor, once, polling): (HttpRequest, Shared, Actor, Once, AtPolling),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::RecordAppraisal)?;
    let body = incoming.json::<AppraisalBody>().await?;
    let (id, expected) = (parsed::<LotId>(&id)?, meant(&request)?);
    http_appraisal_ballots::counted(&context, &polling, &id).await?;
    let zone = context.calendar.zone;
    let given = Recorded {
        held_on: body.value.held_on,
        eligible: body.value.eligible,
        present: body.value.present,
        minutes: body.value.minutes_id,
        points: body.value.points,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let appraisal = acts::record_appraisal(tx, by, (&id, expected, zone), &given)?;
            let etag = conditional::etag(appraisal.version);
            Ok(Reply::json(200, &AppraisalView::of(appraisal, true))?.etag(etag))
        })
        .await
}

/// Confirm what residents gave
///
/// By another person of the buyer than recorded it. It does not change any more, and goes into the evaluation.
#[utoipa::path(
    operation_id = "confirm_appraisal",
    tag = "evaluations",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "It was confirmed", body = AppraisalView),
        (status = 403, description = "`separation_of_duties`"),
        (status = 404, description = "There is no such lot, or no record"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `appraisal_nothing`, `scoring_concluded`, `appraisal_confirmed`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ConfirmAppraisal"))),
)]
#[post("/lots/{id}/appraisal/confirmation")]
async fn confirm_appraisal(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ConfirmAppraisal)?;
    let (id, expected) = (parsed::<LotId>(&id)?, Expected::of(&request)?);
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let appraisal = acts::confirm_appraisal(tx, by, &id, expected)?;
            let etag = conditional::etag(appraisal.version);
            Ok(Reply::json(200, &AppraisalView::of(appraisal, true))?.etag(etag))
        })
        .await
}

/// See what residents gave
///
/// For the panel, the buyer's people and auditors, and for everybody once the result is published, without names and minutes.
#[utoipa::path(
    operation_id = "read_appraisal",
    tag = "evaluations",
    params(("id" = LotId, Path, description = "The lot")),
    responses(
        (status = 200, description = "The record", body = AppraisalView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such lot, nothing was recorded, or it is not yours to see"),
    ),
    extensions(("x-action" = json!("ReadEvaluation"))),
)]
#[get("/lots/{id}/appraisal")]
async fn read_appraisal(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadEvaluation, Matter::default())?;
    let id = parsed::<LotId>(&id)?;
    let (appraisal, with_names) = context
        .db
        .read(move |conn| acts::appraisal(conn, &actor, &id))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(appraisal.version)))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(AppraisalView::of(appraisal, with_names)))
}
