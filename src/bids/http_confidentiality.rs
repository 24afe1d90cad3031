//! What everybody sees of opened bids, over HTTP: the bid without what is kept, the figures of an opening, and decisions on what is marked as
//! confidential. Parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::bids::acts_confidentiality::{self as acts, Shown};
use crate::bids::acts_opened::NamedBid;
use crate::bids::desk;
use crate::bids::http_documents::FileView;
use crate::bids::rules::BidId;
use crate::bids::rules_confidentiality::{Judgement, Mark, State, marks, redacted};
use crate::bids::rules_document::ConfidentialKind;
use crate::bids::rules_opening::OpeningRecord;
use crate::bids::rules_statistics::{Statistics, statistics};
use crate::bids::store_openings as store;
use crate::books::rules::LotId;
use crate::budget::desk::parsed;
use crate::kernel::clock::rfc3339;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(read).service(decide).service(figures);
}

/// What is decided about marks of a bid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BidConfidentialityDecisions, example = json!({"decisions": [{"mark": 1, "is_accepted": true, "reason": "属于专有技术，公开会损害其竞争地位"}]}))]
pub struct DecisionsBody {
    /// One for each mark that is decided now.
    #[schema(min_items = 1, max_items = 100)]
    decisions: Vec<DecisionBody>,
}

/// What is decided about one mark.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BidConfidentialityDecision)]
pub struct DecisionBody {
    /// Which mark of the bid, counted from 1.
    #[schema(minimum = 1, maximum = 100)]
    mark: u32,
    /// True if what is marked is kept from the public.
    is_accepted: bool,
    /// Why. It is public.
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
}

/// A mark of a bid, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BidConfidentialMark, example = json!({
    "number": 1, "pointer": "/criteria/0/text", "kind": "trade_secret", "reason": "专有技术", "state": "refused", "decision": "为行业通行做法",
    "decided_at": "2026-04-02T02:00:00.000000Z", "public_from": "2026-04-14T16:00:00.000000Z"
}))]
pub struct MarkView {
    /// Which, counted from 1.
    pub number: u32,
    /// What the bidder marked: a JSON pointer into the bid.
    pub pointer: String,
    /// Of what kind it is, as the bidder says.
    pub kind: ConfidentialKind,
    /// Why, as the bidder says.
    pub reason: String,
    /// What came of it.
    pub state: State,
    /// Why, as the buyer says; `null` as long as it has not decided.
    #[schema(required = true)]
    pub decision: Option<String>,
    /// When it was decided, UTC.
    #[schema(required = true)]
    pub decided_at: Option<String>,
    /// From when on everybody sees it, UTC; `null` as long as it is kept.
    #[schema(required = true)]
    pub public_from: Option<String>,
}

impl From<&Mark<'_>> for MarkView {
    fn from(mark: &Mark<'_>) -> Self {
        Self {
            number: mark.number,
            pointer: mark.marked.pointer.clone(),
            kind: mark.marked.kind,
            reason: mark.marked.reason.clone(),
            state: mark.state(),
            decision: mark.decision.map(|one| one.reason.clone()),
            decided_at: mark.decision.map(|one| rfc3339(one.decided_at)),
            public_from: mark.decision.and_then(|one| one.public_from).map(rfc3339),
        }
    }
}

/// What everybody sees of an opened bid.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PublicBid, example = json!({
    "bid_id": "bid_01jd3n8f5teqkrzvq1c0m6h2ax", "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax",
    "version": 1, "document": {"key_staff": [{"name": null, "position": "项目经理", "qualification": null}]},
    "kept": ["/key_staff/0/name", "/key_staff/0/qualification"], "marks": [], "files": []
}))]
pub struct PublicView {
    /// The bid.
    pub bid_id: BidId,
    /// The lot.
    pub lot_id: LotId,
    /// Whose bid.
    pub supplier_id: OrganisationId,
    /// The number of the version that was opened.
    pub version: i64,
    /// The bid as `BidContent` has it, with `null` at each place that is kept.
    #[schema(value_type = Object)]
    pub document: Value,
    /// The places that are kept now, as JSON pointers: names of people, and what is marked.
    pub kept: Vec<String>,
    /// What the bidder marked, and what came of it.
    pub marks: Vec<MarkView>,
    /// The documents that everybody may see.
    #[schema(max_items = 50)]
    pub files: Vec<FileView>,
}

impl PublicView {
    fn of(shown: Shown) -> Result<Self, Fault> {
        let marks = marks(&shown.document, &shown.decisions);
        Ok(Self {
            document: redacted(&shown.document, &shown.places)?,
            marks: marks.iter().map(MarkView::from).collect(),
            bid_id: shown.of.bid,
            lot_id: shown.of.lot,
            supplier_id: shown.opened.supplier_id,
            version: shown.opened.version,
            kept: shown.places,
            files: shown.files.into_iter().map(FileView::from).collect(),
        })
    }
}

fn named((lot, bid): &(String, String)) -> Answer<NamedBid> {
    Ok(NamedBid {
        lot: parsed(lot)?,
        bid: parsed(bid)?,
    })
}

/// Read what everybody may see of an opened bid
///
/// Prices and bidders are public from the opening on. Names of people are never shown here, and what the bidder marked as confidential is kept until the
/// buyer has decided about it: as long as the buyer accepts the mark, and otherwise until the bidder's time to challenge that is over.
#[utoipa::path(
    operation_id = "read_public_bid",
    tag = "openings",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("bid" = BidId, Path, description = "The bid"),
    ),
    responses(
        (status = 200, description = "The bid without what is kept", body = PublicView),
        (status = 404, description = "There is no such opened bid"),
    ),
    extensions(("x-action" = json!("ReadOpenings"))),
)]
#[get("/lots/{id}/opened-bids/{bid}/public-view")]
async fn read(context: Shared, actor: Actor, path: web::Path<(String, String)>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOpenings, Matter::default())?;
    let (of, now) = (named(&path)?, context.clock.now());
    let shown = context.db.read(move |conn| acts::shown(conn, of, now)).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")))
        .json(PublicView::of(shown)?))
}

/// Decide what of an opened bid is kept from the public
///
/// On each mark that is named: accepted, with a reason, it is kept as long as nothing else is decided; not accepted, it becomes public when the time is over in which the bidder may
/// challenge the decision, and until then another decision may take its place. The bidder is told by mail.
#[utoipa::path(
    operation_id = "decide_bid_confidentiality",
    tag = "openings",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("bid" = BidId, Path, description = "The bid"),
    ),
    request_body = DecisionsBody,
    responses(
        (status = 200, description = "What everybody sees of the bid now", body = PublicView),
        (status = 404, description = "There is no such opened bid"),
        (status = 409, description = "`confidentiality_public_already`, `confidentiality_decided_too_often`, `calendar_ends`"),
    ),
    extensions(("x-action" = json!("DecideConfidentiality"))),
)]
#[post("/lots/{id}/opened-bids/{bid}/confidentiality")]
async fn decide(
    context: Shared,
    actor: Actor,
    once: Once,
    path: web::Path<(String, String)>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DecideConfidentiality)?;
    let of = named(&path)?;
    let body = incoming.json::<DecisionsBody>().await?;
    let asked = context.clone();
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let judgements = body.value.decisions.iter().map(|one| Judgement {
                mark: one.mark,
                is_accepted: one.is_accepted,
                reason: one.reason.clone(),
            });
            let shown = acts::decide(tx, by, of.clone(), judgements.collect(), &asked.calendar)?;
            Ok(Reply::json(200, &PublicView::of(shown)?)?)
        })
        .await
}

/// Read the figures of an opening
///
/// How many bids there were, and the lowest, highest, mean and median price of those that nothing decisive was found against.
#[utoipa::path(
    operation_id = "read_opening_statistics",
    tag = "openings",
    params(("id" = LotId, Path, description = "The lot")),
    responses(
        (status = 200, description = "The figures", body = Statistics),
        (status = 404, description = "There is no such lot, or it was not opened yet"),
    ),
    extensions(("x-action" = json!("ReadOpenings"))),
)]
#[get("/lots/{id}/opening/statistics")]
async fn figures(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOpenings, Matter::default())?;
    let id = parsed::<LotId>(&id)?;
    let found = context
        .db
        .read(move |conn| {
            let opening = store::of_lot(conn, &id)?.ok_or_else(|| NOT_FOUND.refuse())?;
            let known = desk::known(conn, &id)?;
            Ok((opening, known.document()?.ceiling))
        })
        .await?;
    let (opening, ceiling) = found;
    let record: OpeningRecord = serde_json::from_str(&opening.content)
        .map_err(|error| Fault::caused(format!("read the opening of {}", opening.lot_id), error))?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")))
        .json(statistics(&record, ceiling)?))
}
