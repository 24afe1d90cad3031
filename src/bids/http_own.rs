//! A bidder's own bids over HTTP: listed, read, downloaded. To everyone else there are none, whatever they ask.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, web};

use crate::bids::acts;
use crate::bids::http::AGE;
use crate::bids::rules::BidId;
use crate::bids::store::{self, BidFilter};
use crate::bids::view::{BidView, VersionView};
use crate::books::rules::LotId;
use crate::budget::acts::own_organisations;
use crate::budget::desk::{after, one_more, parsed};
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::conditional;
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(list).service(read).service(download);
}

/// List your own bids
///
/// Those of the suppliers that you act for, by their last versions, the newest bid first.
#[utoipa::path(
    operation_id = "list_own_bids",
    tag = "bids",
    params(
        ("lot_id" = Option<LotId>, Query, description = "For this lot"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "One page", body = Page<VersionView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one")))),
    extensions(("x-action" = json!("ListOwnBids"))),
)]
#[get("/bids")]
async fn list(request: HttpRequest, context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ListOwnBids, Matter::default())?;
    let mut query = Query::of(&request);
    let lot = query.parsed::<LotId>("lot_id");
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["bids", lot.as_ref().map_or("", LotId::as_str)]);
    let filter = BidFilter {
        suppliers: own_organisations(&actor, Action::ReadOwnBids).unwrap_or_default(),
        lot,
        before: after(&question, cursor.as_deref())?,
    };
    let found = context
        .db
        .read(move |conn| store::bids(conn, &filter, one_more(limit)))
        .await?;
    let views = found.iter().map(VersionView::from).collect();
    let page = Page::cut(views, limit, &question, |one: &VersionView| {
        vec![one.bid_id.to_string()]
    });
    Ok(page.answer(&request))
}

/// Read your own bid
///
/// Every version of it with its receipt. What it says is sealed.
#[utoipa::path(
    operation_id = "read_own_bid",
    tag = "bids",
    params(("id" = BidId, Path, description = "The bid")),
    responses(
        (status = 200, description = "The bid", body = BidView, headers(("ETag" = String, description = "The last version, for `If-Match`"))),
        (status = 404, description = "There is no such bid of yours"),
    ),
    extensions(("x-action" = json!("ReadOwnBids"))),
)]
#[get("/bids/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadOwnBids)?;
    let id = parsed::<BidId>(&id)?;
    let (versions, needs_confirmation) = context
        .db
        .glance(move |conn| {
            let versions = acts::seen(conn, &actor, &id)?;
            let needs = acts::needs_confirmation(conn, versions.last())?;
            Ok((versions, needs))
        })
        .await?;
    let last = versions.last().ok_or_else(|| NOT_FOUND.refuse())?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(last.number)))
        .json(BidView {
            id: last.bid_id.clone(),
            lot_id: last.lot_id.clone(),
            supplier_id: last.supplier_id.clone(),
            needs_confirmation,
            versions: versions.iter().map(VersionView::from).collect(),
        }))
}

/// Download a sealed version of your own bid
///
/// The very bytes that its receipt is of.
#[utoipa::path(
    operation_id = "download_own_bid",
    tag = "bids",
    params(
        ("id" = BidId, Path, description = "The bid"),
        ("number" = String, Path, pattern = "^[1-9][0-9]?$", description = "The number of the version", example = "1"),
    ),
    responses(
        (status = 200, description = "The sealed bid, an age file", body = Vec<u8>, content_type = "application/age"),
        (status = 404, description = "There is no such version of yours, or nothing is sealed in it"),
    ),
    extensions(("x-action" = json!("ReadOwnBids"))),
)]
#[get("/bids/{id}/versions/{number}/ciphertext")]
async fn download(context: Shared, actor: Actor, path: web::Path<(String, String)>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::ReadOwnBids)?;
    let (id, number) = path.into_inner();
    let (id, number) = (parsed::<BidId>(&id)?, parsed::<i64>(&number)?);
    let sealed = context
        .db
        .read(move |conn| {
            let versions = acts::seen(conn, &actor, &id)?;
            let version = versions.iter().find(|version| version.number == number);
            let version = version.filter(|version| version.sealed_number == number);
            store::ciphertext(conn, version.ok_or_else(|| NOT_FOUND.refuse())?)
        })
        .await?;
    Ok(HttpResponse::Ok()
        .content_type(AGE)
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .insert_header((
            CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"bid.age\""),
        ))
        .body(sealed.ok_or_else(|| NOT_FOUND.refuse())?))
}
