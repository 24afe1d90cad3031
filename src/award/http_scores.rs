//! Scoring over HTTP: one's own sheet, everybody's once all are in, another round. Parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_MATCH};
use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::acts_scores as acts;
use crate::award::rules_scores::{BidScores, CriterionScore, Ground, Scores, Sheet};
use crate::books::rules::LotId;
use crate::budget::desk::parsed;
use crate::kernel::clock::rfc3339;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::Answer;
use crate::standards::rules_indicators::Line;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(save)
        .service(read_own)
        .service(hand_in)
        .service(list)
        .service(open_round);
}

/// Which version is meant, if one is: none for what is not there yet.
pub(super) fn meant(request: &HttpRequest) -> Answer<Option<Expected>> {
    let given = request.headers().contains_key(IF_MATCH);
    Ok(if given { Some(Expected::of(request)?) } else { None })
}

/// Scores as they are shown.
pub(super) fn shown(scores: &Scores) -> Vec<BidScores> {
    let of_bid =
        |(bid, points): (&crate::bids::rules::BidId, &std::collections::BTreeMap<String, _>)| BidScores {
            bid_id: bid.clone(),
            criteria: points
                .iter()
                .map(|(code, score)| CriterionScore {
                    code: code.clone(),
                    score: *score,
                })
                .collect(),
        };
    scores.iter().map(of_bid).collect()
}

/// What you give each bid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScoreSheetContent, example = json!({"scores": [{"bid_id": "bid_01jd3n8f5teqkrzvq1c0m6h2ax", "criteria": [{"code": "T1", "score": "60.20"}]}]}))]
pub struct SheetBody {
    /// For each bid that is in.
    #[schema(max_items = 1000)]
    scores: Vec<BidScores>,
}

/// Your score sheet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnScoreSheet, example = json!({
    "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "round": 1, "version": 2, "saved_at": "2026-04-02T02:00:00.000000Z", "handed_in_at": null,
    "scores": [{"bid_id": "bid_01jd3n8f5teqkrzvq1c0m6h2ax", "criteria": [{"code": "T1", "score": "60.20"}]}]
}))]
pub struct OwnSheetView {
    /// The lot.
    pub lot_id: LotId,
    /// The round of scoring, from 1.
    #[schema(minimum = 1, maximum = 20)]
    pub round: i64,
    /// Counts the changes, from 1; also the `ETag`.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub version: i64,
    /// When it was changed, UTC.
    pub saved_at: String,
    /// When it was handed in, UTC.
    pub handed_in_at: Option<String>,
    /// What it gives.
    #[schema(max_items = 1000)]
    pub scores: Vec<BidScores>,
}

impl From<&Sheet> for OwnSheetView {
    fn from(sheet: &Sheet) -> Self {
        Self {
            lot_id: sheet.lot_id.clone(),
            round: sheet.round,
            version: sheet.version,
            saved_at: rfc3339(sheet.saved_at),
            handed_in_at: sheet.handed_in_at.map(rfc3339),
            scores: shown(&sheet.scores),
        }
    }
}

/// Save your score sheet
///
/// As a member of the panel of the lot's book, once the examination of the bids is settled. Nobody else sees it before everybody's are in. It may
/// leave scores out until it is handed in. A first one is sent without `If-Match`, later ones with the `ETag` of the version before.
#[utoipa::path(
    operation_id = "save_score_sheet",
    tag = "evaluations",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("If-Match" = Option<String>, Header, max_length = 100, description = "The `ETag` of the version to replace", example = "\"v1\""),
    ),
    request_body = SheetBody,
    responses(
        (status = 200, description = "It was saved", body = OwnSheetView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such lot, or you have no seat on its panel"),
        (status = 409, description = "`panel_incomplete`, `book_wrong_state`, `book_suspended`, `scoring_concluded`, `admission_not_begun`, `scoring_not_yet`, `scoring_nothing`, `sheet_handed_in`"),
        (status = 412, description = "`version_stale`"),
        (status = 422, description = "Scores that cannot be; every fault is listed"),
        (status = 428, description = "`version_missing`: there is a sheet already"),
    ),
    extensions(("x-action" = json!("ScoreBids"))),
)]
#[put("/lots/{id}/score-sheets/own")]
async fn save(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ScoreBids)?;
    let body = incoming.json::<SheetBody>().await?;
    let (id, expected) = (parsed::<LotId>(&id)?, meant(&request)?);
    let given = body.value.scores;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let sheet = acts::save(tx, by, (&id, expected), &given)?;
            Ok(Reply::json(200, &OwnSheetView::from(&sheet))?.etag(conditional::etag(sheet.version)))
        })
        .await
}

/// Read your score sheet
#[utoipa::path(
    operation_id = "read_own_score_sheet",
    tag = "evaluations",
    params(("id" = LotId, Path, description = "The lot")),
    responses(
        (status = 200, description = "Your sheet of the last round", body = OwnSheetView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is none of yours"),
    ),
    extensions(("x-action" = json!("ScoreBids"))),
)]
#[get("/lots/{id}/score-sheets/own")]
async fn read_own(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ScoreBids)?;
    let id = parsed::<LotId>(&id)?;
    let sheet = context
        .db
        .glance(move |conn| acts::own_sheet(conn, &actor, &id))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(sheet.version)))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(OwnSheetView::from(&sheet)))
}

/// Hand your score sheet in
///
/// It has a score for every bid and criterion then, and does not change any more.
#[utoipa::path(
    operation_id = "hand_in_score_sheet",
    tag = "evaluations",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "It was handed in", body = OwnSheetView),
        (status = 404, description = "There is no such lot, or no sheet of yours"),
        (status = 409, description = "`panel_incomplete`, `book_wrong_state`, `book_suspended`, `scoring_concluded`, `scoring_not_yet`, `scoring_nothing`, `sheet_handed_in`"),
        (status = 412, description = "`version_stale`"),
        (status = 422, description = "Scores are missing; each is listed"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ScoreBids"))),
)]
#[post("/lots/{id}/score-sheets/own/handing-in")]
async fn hand_in(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ScoreBids)?;
    let (id, expected) = (parsed::<LotId>(&id)?, Expected::of(&request)?);
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let sheet = acts::hand_in(tx, by, &id, expected)?;
            Ok(Reply::json(200, &OwnSheetView::from(&sheet))?.etag(conditional::etag(sheet.version)))
        })
        .await
}

/// A score sheet among all.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScoreSheet)]
pub struct SheetView {
    /// Whose it is; `null` for the public.
    pub account_id: Option<AccountId>,
    /// What it gives.
    #[schema(max_items = 1000)]
    pub scores: Vec<BidScores>,
}

/// The score sheets of a round.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScoreSheets, example = json!({"round": 1, "members": 5, "handed_in": 3, "items": []}))]
pub struct SheetsView {
    /// The round of scoring, from 1.
    #[schema(minimum = 1, maximum = 20)]
    pub round: i64,
    /// How many sit on the panel.
    #[schema(minimum = 0, maximum = 99)]
    pub members: usize,
    /// How many of them have handed their sheet in.
    #[schema(minimum = 0, maximum = 99)]
    pub handed_in: usize,
    /// The sheets, in an order that says nothing of their makers; none before all are in.
    #[schema(max_items = 99)]
    pub items: Vec<SheetView>,
}

/// See how a lot was scored
///
/// How many sheets were handed in, and all of them once the last one is: for the panel, the buyer's people and auditors. After the
/// publication of the result everybody sees the scores, without names.
#[utoipa::path(
    operation_id = "list_score_sheets",
    tag = "evaluations",
    params(("id" = LotId, Path, description = "The lot")),
    responses(
        (status = 200, description = "The sheets of the last round", body = SheetsView),
        (status = 404, description = "There is no such lot, or it is not yours to see"),
    ),
    extensions(("x-action" = json!("ReadEvaluation"))),
)]
#[get("/lots/{id}/score-sheets")]
async fn list(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadEvaluation, Matter::default())?;
    let id = parsed::<LotId>(&id)?;
    let found = context
        .db
        .read(move |conn| acts::sheets(conn, &actor, &id))
        .await?;
    let with_names = found.with_names;
    let item = |sheet: Sheet| SheetView {
        scores: shown(&sheet.scores),
        account_id: with_names.then_some(sheet.account_id),
    };
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(SheetsView {
            round: found.round,
            members: found.members,
            handed_in: found.handed_in,
            items: found.sheets.into_iter().map(item).collect(),
        }))
}

/// Why bids are scored again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewScoringRound, example = json!({"ground": "abnormal_scores", "reason_zh": "某项评分畸高", "reason_en": "A score is far above all others"}))]
pub struct RoundBody {
    /// One of those that the law knows.
    ground: Ground,
    /// In Chinese.
    #[schema(min_length = 1, max_length = 2000)]
    reason_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 2000)]
    reason_en: String,
}

/// A round of scoring.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScoringRound, example = json!({"round": 2}))]
pub struct RoundView {
    /// Its number.
    #[schema(minimum = 2, maximum = 20)]
    pub round: i64,
}

/// Have bids scored again
///
/// By the chair, or by an approver of the buyer: on one of the grounds of 87号令 art 64 as long as the result is not published, or because the
/// regulator has ordered it. Everybody on the panel scores anew; the rounds before stay as they were.
#[utoipa::path(
    operation_id = "open_scoring_round",
    tag = "evaluations",
    params(("id" = LotId, Path, description = "The lot")),
    request_body = RoundBody,
    responses(
        (status = 201, description = "The round is open", body = RoundView),
        (status = 404, description = "There is no such lot, or it is not yours to see"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `rescoring_not_concluded`, `rescoring_too_late`, `rescoring_ground`, `rescoring_too_often`, `scoring_nothing`"),
        (status = 422, description = "A reason that is none"),
    ),
    extensions(("x-action" = json!("OpenScoringRound"))),
)]
#[post("/lots/{id}/scoring-rounds")]
async fn open_round(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::OpenScoringRound)?;
    let body = incoming.json::<RoundBody>().await?;
    let id = parsed::<LotId>(&id)?;
    let ground = body.value.ground;
    let reason = Line {
        zh: body.value.reason_zh,
        en: body.value.reason_en,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let round = acts::open_round(tx, by, &id, (ground, &reason))?;
            Ok(Reply::json(201, &RoundView { round })?)
        })
        .await
}
