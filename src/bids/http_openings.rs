//! Openings over HTTP: opening a book's bids, the public records, and the sealed bytes that they are about. Parse, call one act or query,
//! render. No SQL and no rule.

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::bids::acts_openings::{self as acts, Place};
use crate::bids::rules::BidId;
use crate::bids::rules_document::BidDocument;
use crate::bids::rules_opening::{OPENING_OVERTAKEN, OpeningRecord, Outcome};
use crate::bids::store_openings::{self as store, Opening};
use crate::books::custody::Custody;
use crate::books::rules::{BookId, LotId};
use crate::budget::desk::parsed;
use crate::kernel::clock::rfc3339;
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::web::actor::{Actor, Shared};
use crate::web::conditional;
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// How often it is begun anew when bids come in while others are being opened, which only those can that began before the deadline.
const ATTEMPTS: usize = 3;

/// Every operation of this file.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(open)
        .service(list)
        .service(read)
        .service(read_sealed)
        .service(read_bid);
}

/// What came of a lot at its opening.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LotOpening, example = json!({"lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "outcome": "opened", "opened_at": "2026-04-01T01:00:03.000000Z", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}))]
pub struct OpeningView {
    /// The lot.
    pub lot_id: LotId,
    /// What came of it.
    pub outcome: Outcome,
    /// When, UTC.
    pub opened_at: String,
    /// SHA-256 of its record, as the log has it.
    pub sha256: String,
}

impl From<&Opening> for OpeningView {
    fn from(opening: &Opening) -> Self {
        Self {
            lot_id: opening.lot_id.clone(),
            outcome: opening.outcome,
            opened_at: rfc3339(opening.opened_at),
            sha256: hex::encode(opening.sha256),
        }
    }
}

/// What came of each lot of a book.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookOpening)]
pub struct OpeningsView {
    /// The lots in their order; none before the opening.
    #[schema(max_items = 20)]
    pub items: Vec<OpeningView>,
}

fn shown(openings: &[Opening]) -> OpeningsView {
    OpeningsView {
        items: openings.iter().map(OpeningView::from).collect(),
    }
}

/// Open a book's bids
///
/// From the instant of the opening on. The last version of each bid before the deadline is decrypted, by the key that the service keeps or by the shares that
/// witnesses have handed in; what cannot be opened is recorded with its reason and hurts no other bid. A lot with fewer bids than the book demands is
/// unsuccessful: nothing of it is opened, and its reservation is free again. Asked a second time, it answers with what was done.
#[utoipa::path(
    operation_id = "open_bids",
    tag = "openings",
    params(("id" = BookId, Path, description = "The book")),
    responses(
        (status = 200, description = "What came of each lot", body = OpeningsView),
        (status = 404, description = "There is no such book"),
        (status = 409, description = "`book_wrong_state`, `opening_not_yet`, `opening_shares_missing`"),
        (status = 503, description = "`opening_overtaken`"),
    ),
    extensions(("x-action" = json!("OpenBids"))),
)]
#[post("/contract-books/{id}/opening")]
async fn open(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    custody: web::Data<Custody>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::OpenBids)?;
    let id = parsed::<BookId>(&id)?;
    let mut left = ATTEMPTS;
    loop {
        let (who, of, keeper) = (actor.clone(), id.clone(), custody.clone());
        let (now, zone) = (context.clock.now(), context.calendar.zone);
        let db = context.db.clone();
        // Never of a replica, which may not have the last bids yet; and beside the threads that answer, because it may take a while.
        let prepare = move || {
            db.read_primary_and_wait(|conn| {
                acts::prepare(
                    conn,
                    &who,
                    &of,
                    now,
                    Place {
                        zone,
                        keeper: &keeper,
                    },
                )
            })
        };
        let prepared = web::block(prepare)
            .await
            .map_err(|error| Fault::caused("open bids", error))??;
        let (prepared, of) = (Arc::new(prepared), id.clone());
        let answer = context
            .act_once(actor.clone(), once.clone(), NO_BODY, move |tx, by| {
                let (_, openings) = acts::open(tx, by, &of, prepared.as_ref().as_ref())?;
                Ok(Reply::json(200, &shown(&openings))?)
            })
            .await;
        left = left.saturating_sub(1);
        match answer {
            Err(Stop::Refused(refusal)) if refusal.reason == &OPENING_OVERTAKEN && left > 0 => {}
            answer => return answer,
        }
    }
}

/// See what came of a book's lots
#[utoipa::path(
    operation_id = "list_openings",
    tag = "openings",
    params(("id" = BookId, Path, description = "The book")),
    responses((status = 200, description = "What came of each lot; none before the opening", body = OpeningsView)),
    extensions(("x-action" = json!("ReadOpenings"))),
)]
#[get("/contract-books/{id}/opening")]
async fn list(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOpenings, Matter::default())?;
    let id = parsed::<BookId>(&id)?;
    let openings = context.db.glance(move |conn| store::of_book(conn, &id)).await?;
    Ok(HttpResponse::Ok().json(shown(&openings)))
}

/// Read the record of a lot's opening
///
/// Bidders, prices, the hash of each bid's sealed bytes and the key of that one file, so that whoever has the bytes can open them again:
/// `wardbook verify opening` does. These are the bytes whose hash the log has.
#[utoipa::path(
    operation_id = "read_opening",
    tag = "openings",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("If-None-Match" = Option<String>, Header, max_length = 1000, description = "The `ETag` of your copy", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The record", body = OpeningRecord, headers(("ETag" = String, description = "It never changes"))),
        (status = 304, description = "Your copy (`If-None-Match`) is the one there is"),
        (status = 404, description = "There is no such lot, or it was not opened yet"),
    ),
    extensions(("x-action" = json!("ReadOpenings"))),
)]
#[get("/lots/{id}/opening")]
async fn read(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOpenings, Matter::default())?;
    let id = parsed::<LotId>(&id)?;
    let opening = context.db.glance(move |conn| store::of_lot(conn, &id)).await?;
    let opening = opening.ok_or_else(|| NOT_FOUND.refuse())?;
    let etag = conditional::etag(1);
    let current = conditional::is_current(&request, &etag);
    let mut response = if current {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    if current {
        return Ok(response.finish());
    }
    Ok(response.content_type("application/json").body(opening.content))
}

/// Download the sealed bytes of an opened bid
///
/// Everybody may if nothing in the bid is personal or marked as confidential; otherwise the buyer, auditors and the regulator.
#[utoipa::path(
    operation_id = "read_opened_ciphertext",
    tag = "openings",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("bid" = BidId, Path, description = "The bid"),
    ),
    responses(
        (status = 200, description = "An age file, as it was handed in", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "There is no such opened bid, or it is not yours to see"),
    ),
    extensions(("x-action" = json!("ReadOpenings"))),
)]
#[get("/lots/{id}/opened-bids/{bid}/sealed")]
async fn read_sealed(
    context: Shared,
    actor: Actor,
    path: web::Path<(String, String)>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOpenings, Matter::default())?;
    let (lot, bid) = named(&path)?;
    let (sealed, _) = context
        .db
        .read(move |conn| acts::readable(conn, &actor, (&lot, &bid)))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .body(sealed))
}

fn named((lot, bid): &(String, String)) -> Answer<(LotId, BidId)> {
    Ok((parsed(lot)?, parsed(bid)?))
}

/// Read an opened bid
///
/// What it says. Whoever may download its sealed bytes may read it.
#[utoipa::path(
    operation_id = "read_opened_bid",
    tag = "openings",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("bid" = BidId, Path, description = "The bid"),
    ),
    responses(
        (status = 200, description = "The bid", body = BidDocument),
        (status = 404, description = "There is no such opened bid, or it is not yours to see"),
    ),
    extensions(("x-action" = json!("ReadOpenings"))),
)]
#[get("/lots/{id}/opened-bids/{bid}")]
async fn read_bid(context: Shared, actor: Actor, path: web::Path<(String, String)>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOpenings, Matter::default())?;
    let (lot, bid) = named(&path)?;
    let document = context
        .db
        .read(move |conn| {
            let (sealed, key) = acts::readable(conn, &actor, (&lot, &bid))?;
            acts::reopened(&bid, &sealed, &key)
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(document))
}
