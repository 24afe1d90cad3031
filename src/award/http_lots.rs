//! How far lots have come, and the cancellation of books, over HTTP: parse, call one act or query, render. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::award::view::{LotView, LotsView, suspended_until};
use crate::award::{acts_cancellations, desk, store_endings};
use crate::books::acts::seen as seen_book;
use crate::books::rules::{Book, BookId, LotId};
use crate::books::store as books;
use crate::books::view::BookView;
use crate::budget::desk::parsed;
use crate::db::conn::Conn;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Answer;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::idempotency::{Once, Reply};
use crate::web::policy::{self, Action, Matter};

/// Every operation of this file.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config.service(list).service(read).service(cancel);
}

/// Why a book is cancelled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookCancellation, example = json!({"reason_zh": "预算调整，项目暂停", "reason_en": "The budget was cut"}))]
pub struct CancellationBody {
    /// In Chinese. It is public.
    #[schema(min_length = 1, max_length = 2000)]
    reason_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 2000)]
    reason_en: String,
}

fn shown(conn: &mut Conn, id: &LotId, now: Instant) -> Answer<LotView> {
    let known = desk::known(conn, id)?;
    let (standing, award) = desk::standing_of(conn, &known.lot, known.book.state)?;
    let ending = store_endings::of_lot(conn, id)?;
    let suspended_until = suspended_until(&known, now);
    let (ended_reason_zh, ended_reason_en) =
        ending.map(|ending| (ending.reason.zh, ending.reason.en)).unzip();
    Ok(LotView {
        id: known.lot.id,
        book_id: known.lot.book_id,
        code: known.lot.code,
        standing,
        award_id: award.map(|award| award.id),
        suspended_until,
        ended_reason_zh,
        ended_reason_en,
    })
}

/// See how far a book's lots have come
///
/// From publication to the contract, or to the end without one.
#[utoipa::path(
    operation_id = "list_lots",
    tag = "awards",
    params(("id" = BookId, Path, description = "The book")),
    responses(
        (status = 200, description = "Its lots; none before its publication", body = LotsView),
        (status = 404, description = "There is no such book"),
    ),
    extensions(("x-action" = json!("ReadAwards"))),
)]
#[get("/contract-books/{id}/lots")]
async fn list(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadAwards, Matter::default())?;
    let (id, now) = (parsed::<BookId>(&id)?, context.clock.now());
    let view = context
        .db
        .read(move |conn| {
            seen_book(conn, &actor, &id)?;
            let lots = books::lots_of(conn, &id)?;
            let items = lots.iter().map(|lot| shown(conn, &lot.id, now));
            Ok(LotsView {
                items: items.collect::<Answer<Vec<_>>>()?,
            })
        })
        .await?;
    Ok(HttpResponse::Ok().json(view))
}

/// See how far a lot has come
///
/// From publication to the contract, or to the end without one.
#[utoipa::path(
    operation_id = "read_lot",
    tag = "awards",
    params(("id" = LotId, Path, description = "The lot")),
    responses(
        (status = 200, description = "The lot", body = LotView),
        (status = 404, description = "There is no such lot"),
    ),
    extensions(("x-action" = json!("ReadAwards"))),
)]
#[get("/lots/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadAwards, Matter::default())?;
    let (id, now) = (parsed::<LotId>(&id)?, context.clock.now());
    let view = context.db.read(move |conn| shown(conn, &id, now)).await?;
    Ok(HttpResponse::Ok().json(view))
}

fn replied(conn: &mut Conn, book: Book) -> Answer<Reply> {
    let etag = conditional::etag(book.revision);
    let lots = books::lots_of(conn, &book.id)?;
    Ok(Reply::json(200, &BookView::of(book, lots))?.etag(etag))
}

/// Cancel a book
///
/// At any stage before its lots are signed. What is reserved for it is free again, awards that are open end, bids that were not opened stay sealed for good,
/// and everybody concerned is told; contracts that are signed stay. The reason is public, and what was published stays to be read. Needs `If-Match` with
/// the `ETag` of the revision you mean.
#[utoipa::path(
    operation_id = "cancel_book",
    tag = "books",
    params(
        ("id" = BookId, Path, description = "The book"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the revision you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = CancellationBody,
    responses(
        (status = 200, description = "The book as it is now", body = BookView, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "There is no such book"),
        (status = 409, description = "`book_wrong_state`, `cancellation_nothing_left`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("CancelBook"))),
)]
#[post("/contract-books/{id}/cancellation")]
async fn cancel(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::CancelBook)?;
    let body = incoming.json::<CancellationBody>().await?;
    let reason = (body.value.reason_zh, body.value.reason_en);
    let (id, expected) = (parsed::<BookId>(&id)?, Expected::of(&request)?);
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let book = acts_cancellations::cancel(tx, by, &id, expected, &reason)?;
            replied(tx.conn(), book)
        })
        .await
}
