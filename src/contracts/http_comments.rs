//! Comments on periods over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ballots::acts_voting::Shown;
use crate::ballots::http_voting::note_wrong;
use crate::ballots::polling::AtPolling;
use crate::ballots::rules::BallotId;
use crate::budget::desk::parsed;
use crate::contracts::acts_comments::{self as acts, Said};
use crate::contracts::rules_comments::{Comment, RatingCommentId, State, Verdict};
use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Text;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::INVALID;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(say)
        .service(say_by_code)
        .service(list)
        .service(decide)
        .service(reply_to);
}

/// What somebody says.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRatingComment, example = json!({"words": "清晨五点的清扫车声音太大，能否晚半小时？"}))]
pub struct SayBody {
    /// In one's own words. Say nothing by which you are known, unless you want to be.
    #[schema(min_length = 1, max_length = 1000)]
    words: String,
}

/// What somebody says with a code. Has no `Debug`: whoever has the code can vote.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRatingCommentByCode, example = json!({"code": "7ZQK-2M4V-9XHD-0RCP", "words": "清晨五点的清扫车声音太大，能否晚半小时？"}))]
pub struct SayByCodeBody {
    /// The code of a letter, in its link or in print, or the last part of a mailed link.
    #[schema(min_length = 1, max_length = 120)]
    code: String,
    /// In one's own words. Say nothing by which you are known, unless you want to be.
    #[schema(min_length = 1, max_length = 1000)]
    words: String,
}

/// That something was said. It has no id, and no time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RatingCommentTaken, example = json!({"ballot_id": "ballot_01jd3n8f5teqkrzvq1c0m6h2ax", "state": "received"}))]
pub struct TakenView {
    /// The ballot.
    pub ballot_id: BallotId,
    /// It waits for an officer.
    pub state: State,
}

/// What an officer can decide about a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RatingCommentVerdict)]
pub enum VerdictName {
    /// Everybody may read it.
    Release,
    /// Nobody may.
    Withhold,
}

/// What an officer decides about a comment.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RatingCommentDecision, example = json!({"verdict": "withhold", "reason": "点名指责个人，无法核实"}))]
pub struct DecisionBody {
    /// What.
    verdict: VerdictName,
    /// Why nobody may read it; for the buyer's people and auditors. Required for `withhold`, and for nothing else.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 1000)]
    reason: Option<String>,
}

impl DecisionBody {
    fn verdict(self) -> Answer<Verdict> {
        match (self.verdict, self.reason) {
            (VerdictName::Release, None) => Ok(Verdict::Release),
            (VerdictName::Withhold, Some(reason)) => Ok(Verdict::Withhold(reason)),
            (VerdictName::Release, Some(_)) => Err(INVALID
                .because(Text::fixed("公开时不填理由", "is given for `withhold` alone"))
                .at("/reason")
                .into()),
            (VerdictName::Withhold, None) => Err(INVALID
                .because(Text::fixed("不公开须说明理由", "is required for `withhold`"))
                .at("/reason")
                .into()),
        }
    }
}

/// What the contractor replies.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRatingCommentReply, example = json!({"reply": "已改为五点半开始作业。"}))]
pub struct ReplyBody {
    /// Everybody reads it.
    #[schema(min_length = 1, max_length = 1000)]
    reply: String,
}

/// A comment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RatingComment, example = json!({
    "id": "ratingcomment_01jd3n8f5teqkrzvq1c0m6h2ax", "ballot_id": "ballot_01jd3n8f5teqkrzvq1c0m6h2ax", "state": "released",
    "words": "清晨五点的清扫车声音太大，能否晚半小时？", "reason": null, "reply": "已改为五点半开始作业。", "replied_at": "2026-06-12T02:00:00.000000Z"
}))]
pub struct CommentView {
    /// Its id.
    pub id: RatingCommentId,
    /// The ballot whose voter has said it.
    pub ballot_id: BallotId,
    /// How far it has come.
    pub state: State,
    /// What was said.
    #[schema(max_length = 1000)]
    pub words: String,
    /// Why it is withheld.
    #[schema(required = true, max_length = 1000)]
    pub reason: Option<String>,
    /// What the contractor replies.
    #[schema(required = true, max_length = 1000)]
    pub reply: Option<String>,
    /// When, UTC.
    #[schema(required = true)]
    pub replied_at: Option<String>,
}

impl From<Comment> for CommentView {
    fn from(comment: Comment) -> Self {
        let state = comment.state();
        let (said, replied_at) = comment.reply.map(|(said, _, at)| (said, rfc3339(at))).unzip();
        Self {
            id: comment.id,
            ballot_id: comment.ballot_id,
            state,
            words: comment.words,
            reason: match comment.decided {
                Some((Verdict::Withhold(reason), ..)) => Some(reason),
                _ => None,
            },
            reply: said,
            replied_at,
        }
    }
}

/// Comments of a ballot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RatingComments)]
pub struct CommentsView {
    /// In an order of chance: which was written first is not told.
    #[schema(max_items = 200)]
    pub items: Vec<CommentView>,
    /// What to send as `cursor` for the next page; `null` on the last one.
    #[schema(required = true, example = "eyJvZiI6IjVjMGQ3ZTk0MTJhYiIsImFmdGVyIjpbIjE3Il19")]
    pub next_cursor: Option<String>,
    /// How many wait for a decision.
    #[schema(minimum = 0, maximum = 100_000, example = 2)]
    pub received: i64,
    /// How many are withheld.
    #[schema(minimum = 0, maximum = 100_000, example = 1)]
    pub withheld: i64,
}

/// Takes what somebody says. Codes that are nobody's are counted for the network that they come from.
///
/// # Errors
/// Those of [`acts::say`].
pub(super) async fn taken(
    request: &HttpRequest,
    (context, polling): (&Shared, &AtPolling),
    actor: Actor,
    (shown, words): (Shown, String),
) -> Answer<BallotId> {
    let polling = polling.clone();
    let said = context
        .db
        .write(move |tx| acts::say(tx, &actor, &polling, &shown, &words))
        .await;
    note_wrong(request, context, said)
}

async fn heard(
    request: &HttpRequest,
    at: (&Shared, &AtPolling),
    actor: Actor,
    said: (Shown, String),
) -> Answer<HttpResponse> {
    let ballot_id = taken(request, at, actor, said).await?;
    Ok(HttpResponse::Ok().json(TakenView {
        ballot_id,
        state: State::Received,
    }))
}

/// Say something of a period
///
/// By a voter of its rating who is signed in, once, while the ballot is open, whether they have voted or not. Nothing leads from what is said to who has said it, nor to a vote; an
/// officer of the buyer reads it before everybody does.
#[utoipa::path(
    operation_id = "comment_on_rating",
    tag = "ballots",
    params(("id" = BallotId, Path, description = "The ballot")),
    request_body = SayBody,
    responses(
        (status = 200, description = "It was taken", body = TakenView),
        (status = 403, description = "`ballot_not_a_voter`"),
        (status = 404, description = "There is no such ballot"),
        (status = 409, description = "`rating_comment_not_here`, `ballot_not_open`, `ballot_closed`, `ballot_withdrawn`, `ballot_terms_changed`, `ballot_entry_changed`, `ballot_account_unvouched`, `rating_commented`"),
        (status = 422, description = "Words that are none"),
    ),
    extensions(("x-action" = json!("CastOwnVote")), ("x-secret-answer" = json!(true))),
)]
#[post("/ballots/{id}/comments")]
async fn say(
    (request, context, actor, polling): (HttpRequest, Shared, Actor, AtPolling),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::CastOwnVote, Matter::default())?;
    let body = incoming.json::<SayBody>().await?;
    let shown = Shown::Account(parsed::<BallotId>(&id)?);
    heard(&request, (&context, &polling), actor, (shown, body.value.words)).await
}

/// Say something of a period with a code
///
/// As whoever has a letter or a mailed link, once, while the ballot is open.
#[utoipa::path(
    operation_id = "comment_on_rating_by_code",
    tag = "ballots",
    request_body = SayByCodeBody,
    responses(
        (status = 200, description = "It was taken", body = TakenView),
        (status = 409, description = "`ballot_code_not_good`, `rating_comment_not_here`, `ballot_not_open`, `ballot_closed`, `ballot_withdrawn`, `ballot_terms_changed`, `ballot_entry_changed`, `ballot_letter_changed`, `rating_commented`"),
        (status = 422, description = "Words that are none"),
    ),
    extensions(("x-action" = json!("CastVote")), ("x-secret-answer" = json!(true))),
)]
#[post("/ballot-comments")]
async fn say_by_code(
    (request, context, actor, polling): (HttpRequest, Shared, Actor, AtPolling),
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::CastVote, Matter::default())?;
    let body = incoming.json::<SayByCodeBody>().await?;
    let said = (Shown::Code(body.value.code), body.value.words);
    heard(&request, (&context, &polling), actor, said).await
}

/// Read what was said of a period
///
/// Everybody reads what was released, with the contractor's replies, and how much was not; the buyer's officers and auditors read all of it.
#[utoipa::path(
    operation_id = "list_rating_comments",
    tag = "ballots",
    params(
        ("id" = BallotId, Path, description = "The ballot"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = CommentsView),
        (status = 404, description = "There is no such ballot"),
        (status = 409, description = "`rating_comment_not_here`"),
    ),
    extensions(("x-action" = json!("ReadBallots"))),
)]
#[get("/ballots/{id}/comments")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBallots, Matter::default())?;
    let id = parsed::<BallotId>(&id)?;
    let mut query = Query::of(&request);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["rating comments", id.as_str()]);
    let before = question
        .after(cursor.as_deref(), 1)?
        .and_then(|mut parts| parts.pop());
    let max = i64::from(limit).saturating_add(1);
    let said: Said = context
        .db
        .read(move |conn| acts::said(conn, &actor, &id, (before.as_deref(), max)))
        .await?;
    let views = said.comments.into_iter().map(CommentView::from).collect();
    let page = Page::cut(views, limit, &question, |one: &CommentView| {
        vec![one.id.to_string()]
    });
    Ok(HttpResponse::Ok().json(CommentsView {
        items: page.items,
        next_cursor: page.next_cursor,
        received: said.received,
        withheld: said.withheld,
    }))
}

/// Decide about a comment
///
/// By an officer of the buyer who does not work for the contractor, once. What is withheld keeps its reason, and is counted where everybody sees it.
#[utoipa::path(
    operation_id = "decide_rating_comment",
    tag = "ballots",
    params(("id" = RatingCommentId, Path, description = "The comment")),
    request_body = DecisionBody,
    responses(
        (status = 200, description = "The comment as it is now", body = CommentView),
        (status = 404, description = "There is no such comment, or it is not yours to see"),
        (status = 409, description = "`rating_comment_decided`"),
        (status = 422, description = "A reason that is none"),
    ),
    extensions(("x-action" = json!("ModerateComment"))),
)]
#[post("/ballot-comments/{id}/decision")]
async fn decide(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ModerateComment)?;
    let id = parsed::<RatingCommentId>(&id)?;
    let body = incoming.json::<DecisionBody>().await?;
    let verdict = body.value.verdict()?;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let comment = acts::decide(tx, by, &id, verdict.clone())?;
            Ok(Reply::json(200, &CommentView::from(comment))?)
        })
        .await
}

/// Reply to a comment
///
/// By an agent of the contractor, once, to what is released: the right of reply.
#[utoipa::path(
    operation_id = "reply_to_rating_comment",
    tag = "ballots",
    params(("id" = RatingCommentId, Path, description = "The comment")),
    request_body = ReplyBody,
    responses(
        (status = 200, description = "The comment as it is now", body = CommentView),
        (status = 404, description = "There is no such comment, or it is not public"),
        (status = 409, description = "`rating_comment_replied`"),
        (status = 422, description = "A reply that is none"),
    ),
    extensions(("x-action" = json!("ReplyToComment"))),
)]
#[post("/ballot-comments/{id}/reply")]
async fn reply_to(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReplyToComment)?;
    let id = parsed::<RatingCommentId>(&id)?;
    let body = incoming.json::<ReplyBody>().await?;
    let said = body.value.reply;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let comment = acts::reply(tx, by, &id, &said)?;
            Ok(Reply::json(200, &CommentView::from(comment))?)
        })
        .await
}
