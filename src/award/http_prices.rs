//! What the panel asks bidders about their prices, over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::award::acts_prices::{self as acts, Read};
use crate::award::http_admission::{named, shown};
use crate::award::view_admission::{self as view, AdmissionView, QuestionsView};
use crate::bids::rules::BidId;
use crate::books::rules::LotId;
use crate::db::writer::Tx;
use crate::files::rules::AttachmentId;
use crate::kernel::money::Money;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(correct)
        .service(question)
        .service(judge)
        .service(read_questions)
        .service(answer_correction)
        .service(justify);
}

/// What a bid says of its price.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPriceCorrection, example = json!({"body": null, "words": "贰佰贰拾玖万捌仟陆佰元整", "minutes": 60}))]
pub struct CorrectionBody {
    /// The price in its body, where that is another amount than was read out.
    #[serde(default)]
    #[schema(nullable = true)]
    body: Option<Money>,
    /// The amount in words, as it stands there.
    #[serde(default)]
    #[schema(nullable = true, min_length = 1, max_length = 200)]
    words: Option<String>,
    /// How many minutes the bidder gets to confirm.
    #[schema(minimum = 10, maximum = 20160)]
    minutes: u32,
}

/// How long a bidder gets to justify a price.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PriceQuestion, example = json!({"minutes": 60}))]
pub struct QuestionBody {
    /// How many minutes, at least those of the statutes.
    #[schema(minimum = 1, maximum = 20160)]
    minutes: u32,
}

/// Whether the panel finds a price justified.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PriceJustificationDecision, example = json!({"accepted": true, "reason_zh": "成本构成合理，有同类合同佐证", "reason_en": "The costs are plausible, and like contracts support them"}))]
pub struct JudgementBody {
    /// True if it does.
    accepted: bool,
    /// Why, in Chinese.
    #[schema(min_length = 1, max_length = 2000)]
    reason_zh: String,
    /// Why, in English.
    #[schema(min_length = 1, max_length = 2000)]
    reason_en: String,
}

/// Whether a bidder confirms a corrected price.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PriceCorrectionAnswer, example = json!({"confirms": true}))]
pub struct ConfirmationBody {
    /// False puts the bid out.
    confirms: bool,
}

/// Why a price is as low as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPriceJustification, example = json!({"text": "人工、机械、管理费用构成如下……", "documents": []}))]
pub struct StatementBody {
    /// In words.
    #[schema(min_length = 1, max_length = 8000)]
    text: String,
    /// What supports it: attachments that you have uploaded.
    #[schema(max_items = 10)]
    documents: Vec<AttachmentId>,
}

/// Does an act with an opened bid of a lot, by what was sent.
async fn of_bid<B: DeserializeOwned + ToSchema + Send + 'static>(
    (context, actor, once): (Shared, Actor, Once),
    path: &(String, String),
    incoming: Incoming,
    act: fn(&mut Tx<'_>, &Actor, (&LotId, &BidId), &B) -> Answer<Reply>,
) -> Answer<HttpResponse> {
    let body = incoming.json::<B>().await?;
    let ((lot, bid), said) = (named(path)?, body.value);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            act(tx, by, (&lot, &bid), &said)
        })
        .await
}

/// Record that a bid says several prices
///
/// By the panel's chair. The price is corrected in the order of the statutes, of what was read out, of what the body and the words say, and of what
/// unit prices and quantities come to, and put to the bidder. Not confirmed in time, the bid is out.
#[utoipa::path(
    operation_id = "correct_price",
    tag = "panels",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("bid" = BidId, Path, description = "The bid"),
    ),
    request_body = CorrectionBody,
    responses(
        (status = 200, description = "The examination as it is now", body = AdmissionView),
        (status = 404, description = "You hold no seat on the panel of such a lot, or there is no such bid"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `panel_incomplete`, `admission_not_begun`, `admission_closed`, `correction_exists`, `correction_needless`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("SitOnPanel"))),
)]
#[post("/lots/{id}/opened-bids/{bid}/price-correction")]
async fn correct(
    caller: (Shared, Actor, Once),
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&caller.1, Action::SitOnPanel)?;
    of_bid(caller, &path, incoming, |tx, by, bid, said: &CorrectionBody| {
        let read = Read {
            body: said.body,
            words: said.words.clone(),
            minutes: said.minutes,
        };
        acts::correct(tx, by, bid, &read)?;
        shown(tx, by, bid.0, 200)
    })
    .await
}

/// Ask a bidder to justify an abnormally low price
///
/// By the panel's chair, once everything else of all bids is decided: only then it is known which prices it is held against.
#[utoipa::path(
    operation_id = "question_price",
    tag = "panels",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("bid" = BidId, Path, description = "The bid"),
    ),
    request_body = QuestionBody,
    responses(
        (status = 200, description = "The examination as it is now", body = AdmissionView),
        (status = 404, description = "You hold no seat on the panel of such a lot, or there is no such bid"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `panel_incomplete`, `admission_not_begun`, `admission_closed`, `justification_exists`, `admission_undecided`, `price_not_low`"),
        (status = 422, description = "Fewer minutes than the statutes give, or too many"),
    ),
    extensions(("x-action" = json!("SitOnPanel"))),
)]
#[post("/lots/{id}/opened-bids/{bid}/price-question")]
async fn question(
    caller: (Shared, Actor, Once),
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&caller.1, Action::SitOnPanel)?;
    of_bid(caller, &path, incoming, |tx, by, bid, said: &QuestionBody| {
        acts::question(tx, by, bid, said.minutes)?;
        shown(tx, by, bid.0, 200)
    })
    .await
}

/// Record whether the panel finds a price justified
///
/// By its chair, with the reason. If it does not, the bid is out.
#[utoipa::path(
    operation_id = "judge_price_justification",
    tag = "panels",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("bid" = BidId, Path, description = "The bid"),
    ),
    request_body = JudgementBody,
    responses(
        (status = 200, description = "The examination as it is now", body = AdmissionView),
        (status = 404, description = "You hold no seat on the panel of such a lot, or there is no such bid"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `panel_incomplete`, `admission_not_begun`, `admission_closed`, `justification_not_answered`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("SitOnPanel"))),
)]
#[post("/lots/{id}/opened-bids/{bid}/price-judgement")]
async fn judge(
    caller: (Shared, Actor, Once),
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&caller.1, Action::SitOnPanel)?;
    of_bid(caller, &path, incoming, |tx, by, bid, said: &JudgementBody| {
        let found = (said.accepted, said.reason_zh.as_str(), said.reason_en.as_str());
        acts::judge(tx, by, bid, found)?;
        shown(tx, by, bid.0, 200)
    })
    .await
}

fn asked(tx: &mut Tx<'_>, by: &Actor, (lot, bid): (&LotId, &BidId)) -> Answer<Reply> {
    Ok(Reply::json(200, &view::questions(tx.conn(), by, (lot, bid))?)?)
}

/// See what the panel asks about your bid
///
/// A corrected price to confirm, an abnormally low one to justify, and whether the bid was put out.
#[utoipa::path(
    operation_id = "read_bid_questions",
    tag = "panels",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("bid" = BidId, Path, description = "The bid"),
    ),
    responses(
        (status = 200, description = "What is asked", body = QuestionsView),
        (status = 404, description = "You have no such opened bid"),
    ),
    extensions(("x-action" = json!("ReadPanelQuestions"))),
)]
#[get("/lots/{id}/opened-bids/{bid}/questions")]
async fn read_questions(
    context: Shared,
    actor: Actor,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadPanelQuestions)?;
    let (lot, bid) = named(&path)?;
    let view = context
        .db
        .read(move |conn| view::questions(conn, &actor, (&lot, &bid)))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(view))
}

/// Confirm a corrected price of your bid, or do not
///
/// In time; a price that is not confirmed puts the bid out.
#[utoipa::path(
    operation_id = "answer_price_correction",
    tag = "panels",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("bid" = BidId, Path, description = "The bid"),
    ),
    request_body = ConfirmationBody,
    responses(
        (status = 200, description = "What is asked, with your answer", body = QuestionsView),
        (status = 404, description = "You have no such opened bid"),
        (status = 409, description = "`book_wrong_state`, `admission_not_begun`, `admission_closed`, `correction_not_open`"),
    ),
    extensions(("x-action" = json!("AnswerPanel"))),
)]
#[post("/lots/{id}/opened-bids/{bid}/correction-answer")]
async fn answer_correction(
    caller: (Shared, Actor, Once),
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&caller.1, Action::AnswerPanel)?;
    of_bid(caller, &path, incoming, |tx, by, bid, said: &ConfirmationBody| {
        acts::answer_correction(tx, by, bid, said.confirms)?;
        asked(tx, by, bid)
    })
    .await
}

/// Justify the price of your bid
///
/// In writing and in time, with documents where they are needed.
#[utoipa::path(
    operation_id = "justify_price",
    tag = "panels",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("bid" = BidId, Path, description = "The bid"),
    ),
    request_body = StatementBody,
    responses(
        (status = 200, description = "What is asked, with your answer", body = QuestionsView),
        (status = 404, description = "You have no such opened bid"),
        (status = 409, description = "`book_wrong_state`, `admission_not_begun`, `admission_closed`, `justification_not_open`, and those of attachments"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("AnswerPanel"))),
)]
#[post("/lots/{id}/opened-bids/{bid}/justification")]
async fn justify(
    caller: (Shared, Actor, Once),
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&caller.1, Action::AnswerPanel)?;
    of_bid(caller, &path, incoming, |tx, by, bid, said: &StatementBody| {
        acts::justify(tx, by, bid, (&said.text, &said.documents))?;
        asked(tx, by, bid)
    })
    .await
}
