//! Making bids over HTTP: parse, call one act or query, render. No SQL and no rule. Of these requests the service counts nothing and
//! logs nothing but faults; see `web/envelope.rs`.

use actix_web::http::header::IF_MATCH;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::bids::acts::{self, Place, Sealing};
use crate::bids::desk;
use crate::bids::receipts::Notary;
use crate::bids::rules::{self, BID_BYTES_MAX, BidId, LATE, Version};
use crate::bids::rules_document::BidDocument;
use crate::bids::rules_responses;
use crate::bids::sealing;
use crate::bids::view::{FormView, TakenView, VersionView};
use crate::bids::warnings;
use crate::books::rules::LotId;
use crate::books::rules_readiness::Item;
use crate::budget::desk::parsed;
use crate::kernel::clock::rfc3339;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::conditional::{self, Expected};
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;
use crate::web::query::{Query, required};

/// The media type of a sealed bid.
pub const AGE: &str = "application/age";

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(form)
        .service(submit)
        .service(submit_sealed)
        .service(confirm)
        .service(withdraw);
}

/// Read what a bid for a lot takes
///
/// An empty bid with everything that the lot asks for, and the recipient that it is sealed to: all that is needed to fill a bid in and
/// seal it without this service, with `wardbook bid seal` or any age program.
#[utoipa::path(
    operation_id = "read_bid_form",
    tag = "bids",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("supplier_id" = OrganisationId, Query, description = "Who would bid"),
    ),
    responses(
        (status = 200, description = "The empty bid", body = FormView),
        (status = 404, description = "There is no such lot"),
    ),
    extensions(("x-action" = json!("ReadBooks"))),
)]
#[get("/lots/{id}/bid-form")]
async fn form(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadBooks, Matter::default())?;
    let supplier = supplier_of(&request)?;
    let id = parsed::<LotId>(&id)?;
    let known = context.db.read(move |conn| desk::known(conn, &id)).await?;
    let asked = known.asked(&supplier)?;
    Ok(HttpResponse::Ok().json(FormView {
        lot_id: known.lot.id.clone(),
        book_id: known.lot.book_id.clone(),
        book_version: known.standing.versions,
        recipient: known.recipient()?.to_owned(),
        bid_deadline: known.standing.deadline.map(rfc3339),
        document: rules_responses::blank(asked, known.standing.versions),
    }))
}

/// The parameter `supplier_id`, alone.
fn supplier_of(request: &HttpRequest) -> Answer<OrganisationId> {
    let mut query = Query::of(request);
    let supplier = query.parsed("supplier_id");
    query.finish()?;
    required(supplier, "supplier_id")
}

/// Whether the request means to replace a bid, and which version of it.
fn replacing(request: &HttpRequest) -> Answer<Option<Expected>> {
    let given = request.headers().contains_key(IF_MATCH);
    Ok(if given { Some(Expected::of(request)?) } else { None })
}

/// Send a bid to be sealed
///
/// The bid is read, told of every fault, and sealed at once in memory: nothing of it is kept but what the book's key opens. Whoever does
/// not want to show it to this service sends it sealed. Without `If-Match` it is a first bid, or one after a withdrawal; with the `ETag`
/// of the version you mean it takes that one's place. Taken strictly before the deadline, by this service's clock.
#[utoipa::path(
    operation_id = "submit_bid",
    tag = "bids",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("If-Match" = Option<String>, Header, max_length = 100, description = "The `ETag` of the version to replace; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = BidDocument,
    responses(
        (status = 201, description = "The bid was taken", body = TakenView, headers(("ETag" = String, description = "The version, for `If-Match`"), ("Location" = String, description = "Where the bid is"))),
        (status = 404, description = "There is no such lot, or no bid to replace"),
        (status = 409, description = "`bid_exists`, `bid_withdrawn`, `bid_too_many_versions`, `bid_not_a_supplier`, `bid_debarred`, `bid_not_taken`, `bid_book_moved_on`, `bid_late`"),
        (status = 412, description = "`version_stale`"),
        (status = 422, description = "The bid does not answer its lot; every fault is listed"),
    ),
    extensions(("x-action" = json!("SubmitBid"))),
)]
#[post("/lots/{id}/bids")]
async fn submit(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    notary: web::Data<Notary>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::SubmitBid)?;
    let body = incoming.secret_json::<BidDocument>(BID_BYTES_MAX).await?;
    let (id, replacing) = (parsed::<LotId>(&id)?, replacing(&request)?);
    let supplier = body.value.supplier_id.clone();
    policy::allow(&actor, Action::SubmitBid, Matter::of_organisation(&supplier))?;
    let (bidder, by) = (supplier.clone(), context.clone());
    let document = body.value;
    let (known, last, document, warned) = context
        .db
        .glance_primary(move |conn| {
            let known = desk::known(conn, &id)?;
            rules_responses::answers(&document, known.asked(&bidder)?)?;
            let last = crate::bids::store::last_of(conn, &id, &bidder)?;
            let warned = warnings::of(conn, (&document, &known), &by)?;
            Ok((known, last, document, warned))
        })
        .await?;
    let sealed = sealing::seal(&body.bytes, known.recipient()?);
    let sealing = Sealing {
        last,
        replacing,
        lot: known.lot,
        supplier,
        book_version: document.book_version,
        ciphertext: sealed.map_err(|error| Fault::caused("seal a bid", error))?,
    };
    let digest = notary.blinded(&body.digest)?;
    take(&context, (actor, once, digest), sealing, notary, Some(warned)).await
}

/// Send a sealed bid
///
/// An age v1 file to the recipient of the book, in binary or armored; this service cannot read it, and whether it answers its lot shows
/// at the opening. Without `If-Match` it is a first bid, or one after a withdrawal; with the `ETag` of the version you mean it takes that
/// one's place. Taken strictly before the deadline, by this service's clock.
#[utoipa::path(
    operation_id = "submit_sealed_bid",
    tag = "bids",
    params(
        ("id" = LotId, Path, description = "The lot"),
        ("supplier_id" = OrganisationId, Query, description = "Whose bid it is"),
        ("book_version" = String, Query, pattern = "^[1-9][0-9]{0,2}$", description = "The version of the book that it was made for", example = "1"),
        ("If-Match" = Option<String>, Header, max_length = 100, description = "The `ETag` of the version to replace; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body(description = "The sealed bid", content((String = "application/age", example = "age-encryption.org/v1\n"))),
    responses(
        (status = 201, description = "The bid was taken", body = TakenView, headers(("ETag" = String, description = "The version, for `If-Match`"), ("Location" = String, description = "Where the bid is"))),
        (status = 404, description = "There is no such lot, or no bid to replace"),
        (status = 409, description = "`bid_exists`, `bid_withdrawn`, `bid_too_many_versions`, `bid_not_a_supplier`, `bid_debarred`, `bid_not_taken`, `bid_book_moved_on`, `bid_late`"),
        (status = 412, description = "`version_stale`"),
        (status = 422, description = "It is no sealed bid: `sealed_bid_…`"),
    ),
    extensions(("x-action" = json!("SubmitBid"))),
)]
#[post("/lots/{id}/sealed-bids")]
async fn submit_sealed(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    notary: web::Data<Notary>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::SubmitBid)?;
    let mut query = Query::of(&request);
    let supplier = query.parsed::<OrganisationId>("supplier_id");
    let book_version = query.parsed::<u16>("book_version");
    query.finish()?;
    let supplier = required(supplier, "supplier_id")?;
    let book_version = required(book_version, "book_version")?;
    policy::allow(&actor, Action::SubmitBid, Matter::of_organisation(&supplier))?;
    let body = incoming.bytes(&[AGE], sealing::ARRIVING_BYTES_MAX).await?;
    let ciphertext = sealing::arrived(&body.bytes)?;
    let (id, replacing) = (parsed::<LotId>(&id)?, replacing(&request)?);
    let bidder = supplier.clone();
    let (lot, last) = context
        .db
        .glance_primary(move |conn| desk::last(conn, &id, &bidder))
        .await?;
    let sealing = Sealing {
        last,
        replacing,
        lot,
        supplier,
        book_version: i64::from(book_version),
        ciphertext,
    };
    take(&context, (actor, once, body.digest), sealing, notary, None).await
}

/// Takes a bid; one that is late is refused when that has been recorded.
async fn take(
    context: &Shared,
    (actor, once, digest): (Actor, Once, [u8; 32]),
    sealing: Sealing,
    notary: web::Data<Notary>,
    warned: Option<Vec<Item>>,
) -> Answer<HttpResponse> {
    let zone = context.calendar.zone;
    let late = (
        actor.clone(),
        sealing.lot.id.clone(),
        sealing.supplier.clone(),
        rules::hash(&sealing.ciphertext),
    );
    let taken = context
        .act_once(actor, once, digest, move |tx, by| {
            let place = Place {
                zone,
                notary: &notary,
            };
            let version = acts::seal(tx, by, &sealing, place)?;
            reply(201, &version, warned.clone())
        })
        .await;
    let is_late = matches!(&taken, Err(Stop::Refused(refusal)) if refusal.reason.code == LATE.code);
    if is_late {
        let (actor, lot, supplier, sha256) = late;
        context
            .db
            .write(move |tx| acts::record_late(tx, &actor, (&lot, &supplier), &sha256))
            .await?;
    }
    taken
}

fn reply(status: u16, version: &Version, warned: Option<Vec<Item>>) -> Answer<Reply> {
    let view = |warnings| TakenView {
        version: VersionView::from(version),
        warnings,
    };
    let warnings = warned.map(|items| items.into_iter().map(Into::into).collect());
    let reply = Reply::json(status, &view(warnings))?
        // What a bid says is not kept, not even for whoever asks again.
        .remembered_as(&view(None))?
        .etag(conditional::etag(version.number));
    Ok(reply.location(format!("/api/v1/bids/{}", version.bid_id)))
}

/// That a bid holds for another version of the book.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BidConfirmation, example = json!({"book_version": 2}))]
pub struct ConfirmationBody {
    /// The version of the book that was read.
    #[schema(minimum = 1, maximum = 100)]
    book_version: i64,
}

/// The last version of a bid.
async fn last_of(context: &Shared, actor: &Actor, id: BidId) -> Answer<Version> {
    let by = actor.clone();
    let mut versions = context
        .db
        .glance_primary(move |conn| acts::seen(conn, &by, &id))
        .await?;
    Ok(versions.pop().ok_or_else(|| NOT_FOUND.refuse())?)
}

/// Confirm a bid
///
/// After an addendum that affects bids, what was sealed before it counts only if it is confirmed, or replaced. Needs `If-Match` with the
/// `ETag` of the version you mean.
#[utoipa::path(
    operation_id = "confirm_bid",
    tag = "bids",
    params(
        ("id" = BidId, Path, description = "The bid"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    request_body = ConfirmationBody,
    responses(
        (status = 200, description = "The version that confirms it", body = TakenView, headers(("ETag" = String, description = "The version"))),
        (status = 404, description = "There is no such bid"),
        (status = 409, description = "`bid_not_a_supplier`, `bid_debarred`, `bid_not_taken`, `bid_book_moved_on`, `bid_late`, `bid_withdrawn`, `bid_nothing_to_confirm`, `bid_too_many_versions`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("SubmitBid"))),
)]
#[post("/bids/{id}/confirmation")]
async fn confirm(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    notary: web::Data<Notary>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::SubmitBid)?;
    let body = incoming.json::<ConfirmationBody>().await?;
    let book_version = body.value.book_version;
    let (id, expected) = (parsed::<BidId>(&id)?, Expected::of(&request)?);
    let last = last_of(&context, &actor, id).await?;
    let zone = context.calendar.zone;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let place = Place {
                zone,
                notary: &notary,
            };
            let version = acts::confirm(tx, by, (&last, expected, book_version), place)?;
            reply(200, &version, None)
        })
        .await
}

/// Withdraw a bid
///
/// Until the deadline another one may be sealed. Needs `If-Match` with the `ETag` of the version you mean.
#[utoipa::path(
    operation_id = "withdraw_bid",
    tag = "bids",
    params(
        ("id" = BidId, Path, description = "The bid"),
        ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\""),
    ),
    responses(
        (status = 200, description = "The version that withdraws it", body = TakenView, headers(("ETag" = String, description = "The version"))),
        (status = 404, description = "There is no such bid"),
        (status = 409, description = "`bid_not_taken`, `bid_late`, `bid_withdrawn`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("SubmitBid"))),
)]
#[post("/bids/{id}/withdrawal")]
async fn withdraw(
    (request, context, actor, once): (HttpRequest, Shared, Actor, Once),
    id: web::Path<String>,
    notary: web::Data<Notary>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::SubmitBid)?;
    let (id, expected) = (parsed::<BidId>(&id)?, Expected::of(&request)?);
    let last = last_of(&context, &actor, id).await?;
    let zone = context.calendar.zone;
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            let place = Place {
                zone,
                notary: &notary,
            };
            let version = acts::withdraw(tx, by, (&last, expected), place)?;
            reply(200, &version, None)
        })
        .await
}
