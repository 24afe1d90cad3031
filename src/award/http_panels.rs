//! Panels over HTTP: drawing them, sitting on them, and what of them may be seen. Parse, call one act or query, render. No SQL and no rule.

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::acts_panels::{self, Request};
use crate::award::acts_seats;
use crate::award::rules_draw::PanelRecord;
use crate::award::rules_panel::{Interest, MemberState};
use crate::award::store_panels;
use crate::award::view_panels::{self, PanelView};
use crate::books::rules::BookId;
use crate::budget::desk::parsed;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::Answer;
use crate::registry::acts_organisations::account;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{NO_BODY, Once, Reply};
use crate::web::operations::Operations;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(draw)
        .service(draw_again)
        .service(name_member)
        .service(record_absence)
        .service(read)
        .service(read_record)
        .service(declare)
        .service(decline)
        .service(vote)
        .service(list_own);
}

/// A panel to draw.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPanel, example = json!({"size": 5, "buyer_members": ["user_01jd3n8f5teqkrzvq1c0m6h2ax"], "has_large_impact": false}))]
pub struct NewBody {
    /// Seats.
    #[schema(minimum = 1, maximum = 99)]
    size: u32,
    /// Who sits for the buyer. The other seats are experts'.
    #[schema(max_items = 33)]
    buyer_members: Vec<AccountId>,
    /// True if the impact of the book on society is large, which asks for a larger panel.
    #[serde(default)]
    has_large_impact: bool,
}

/// Somebody of an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PanelAccount, example = json!({"account_id": "user_01jd3n8f5teqkrzvq1c0m6h2ax"}))]
pub struct AccountBody {
    /// The account.
    account_id: AccountId,
}

/// That whoever holds a seat did not come.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PanelAbsence, example = json!({"seat": 2, "reason": "评审当日未到场，联系不上"}))]
pub struct AbsenceBody {
    /// Which seat.
    #[schema(minimum = 1, maximum = 99)]
    seat: i64,
    /// What was done to reach them.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// What a member declares.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PanelDeclaration, example = json!({"interests": []}))]
pub struct DeclarationBody {
    /// Every interest in a bidder; nothing if you have none.
    #[schema(max_items = 50)]
    interests: Vec<Interest>,
}

/// Why somebody does not sit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PanelRefusal, example = json!({"reason": "评审期间出差"}))]
pub struct RefusalBody {
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// What became of one's call to a seat.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnPanelSeat, example = json!({"book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "seat": 2, "state": "sitting"}))]
pub struct OwnSeatView {
    /// The book.
    pub book_id: BookId,
    /// Which seat.
    pub seat: i64,
    /// What became of it.
    pub state: MemberState,
}

/// The seats that one holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnPanelSeats)]
pub struct OwnSeatsView {
    /// The last book first.
    #[schema(max_items = 200)]
    pub items: Vec<OwnSeatView>,
}

fn shown(tx: &mut crate::db::writer::Tx<'_>, by: &Actor, id: &BookId, status: u16) -> Answer<Reply> {
    Ok(Reply::json(status, &view_panels::shown(tx.conn(), by, id)?)?)
}

/// Have the panel of a book drawn
///
/// After the opening. The candidates, experts of the book's category without a tie to the buyer or to a bidder, are frozen, a secret seed puts
/// them in order, and the first of them are called to the experts' seats. The log has the hashes of candidates and seed; both are published with
/// the result, and anybody can draw again then. The buyer learns how far the seats are, and not who holds them.
#[utoipa::path(
    operation_id = "draw_panel",
    tag = "panels",
    params(("id" = BookId, Path, description = "The book")),
    request_body = NewBody,
    responses(
        (status = 201, description = "The panel", body = PanelView),
        (status = 404, description = "There is no such book"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `panel_exists`, `panel_too_early`, `panel_composition`, `panel_member_unfit`, `panel_pool_too_small`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("DrawPanel"))),
)]
#[post("/contract-books/{id}/panel")]
async fn draw(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DrawPanel)?;
    let body = incoming.json::<NewBody>().await?;
    let (id, zone) = (parsed::<BookId>(&id)?, context.calendar.zone);
    let request = Request {
        size: body.value.size,
        buyer_members: body.value.buyer_members,
        has_large_impact: body.value.has_large_impact,
    };
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            acts_panels::draw(tx, by, &id, &request, zone)?;
            let reply = shown(tx, by, &id, 201)?;
            Ok(reply.location(format!("/api/v1/contract-books/{id}/panel")))
        })
        .await
}

/// Draw again for seats that stay free
///
/// Only when everybody drawn before was called: from those who have come into the pool since.
#[utoipa::path(
    operation_id = "draw_panel_again",
    tag = "panels",
    params(("id" = BookId, Path, description = "The book")),
    responses(
        (status = 200, description = "The panel", body = PanelView),
        (status = 404, description = "There is no such book, or no panel of it"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `panel_disclosed`, `panel_still_calling`, `panel_pool_too_small`"),
    ),
    extensions(("x-action" = json!("DrawPanel"))),
)]
#[post("/contract-books/{id}/panel/draws")]
async fn draw_again(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DrawPanel)?;
    let (id, zone) = (parsed::<BookId>(&id)?, context.calendar.zone);
    context
        .act_once(actor, once, NO_BODY, move |tx, by| {
            acts_panels::draw_again(tx, by, &id, zone)?;
            shown(tx, by, &id, 200)
        })
        .await
}

/// Name another member for the buyer
///
/// For a seat of the buyer's that is free because somebody stepped back, declined or did not come.
#[utoipa::path(
    operation_id = "name_panel_member",
    tag = "panels",
    params(("id" = BookId, Path, description = "The book")),
    request_body = AccountBody,
    responses(
        (status = 200, description = "The panel", body = PanelView),
        (status = 404, description = "There is no such book, or no panel of it"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `panel_disclosed`, `panel_no_seat`, `panel_member_unfit`"),
    ),
    extensions(("x-action" = json!("DrawPanel"))),
)]
#[post("/contract-books/{id}/panel/buyer-members")]
async fn name_member(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::DrawPanel)?;
    let body = incoming.json::<AccountBody>().await?;
    let (id, zone) = (parsed::<BookId>(&id)?, context.calendar.zone);
    let account = body.value.account_id;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            acts_panels::name_member(tx, by, &id, &account, zone)?;
            shown(tx, by, &id, 200)
        })
        .await
}

/// Record that a member did not come
///
/// By the seat, for the buyer does not learn who holds it. The member is told, and the next in the order of the draw is called.
#[utoipa::path(
    operation_id = "record_panel_absence",
    tag = "panels",
    params(("id" = BookId, Path, description = "The book")),
    request_body = AbsenceBody,
    responses(
        (status = 200, description = "The panel", body = PanelView),
        (status = 404, description = "There is no such book, or no panel of it"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `panel_disclosed`, `panel_no_seat`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("RunPanel"))),
)]
#[post("/contract-books/{id}/panel/absences")]
async fn record_absence(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::RunPanel)?;
    let body = incoming.json::<AbsenceBody>().await?;
    let (id, zone) = (parsed::<BookId>(&id)?, context.calendar.zone);
    let absence = body.value;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            acts_seats::absent(tx, by, &id, (absence.seat, &absence.reason), zone)?;
            shown(tx, by, &id, 200)
        })
        .await
}

/// See the panel of a book
///
/// Public with the result. Before that members see their own seat, and the others once everybody sits; the buyer sees how far the seats are;
/// auditors see who was called and what became of it. To everybody else there is no panel.
#[utoipa::path(
    operation_id = "read_panel",
    tag = "panels",
    params(("id" = BookId, Path, description = "The book")),
    responses(
        (status = 200, description = "The panel, as far as it is yours to see", body = PanelView),
        (status = 404, description = "There is no panel, or it is not yours to see yet"),
    ),
    extensions(("x-action" = json!("ReadPanel"))),
)]
#[get("/contract-books/{id}/panel")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadPanel, Matter::default())?;
    let id = parsed::<BookId>(&id)?;
    let view = context
        .db
        .read(move |conn| view_panels::shown(conn, &actor, &id))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(view))
}

/// Read the record of a panel
///
/// Everybody who was called, in which order, the seeds, and everybody who could have been drawn: `wardbook verify panel` draws again and compares.
/// These are the bytes whose hash the log has. Published with the result.
#[utoipa::path(
    operation_id = "read_panel_record",
    tag = "panels",
    params(("id" = BookId, Path, description = "The book")),
    responses(
        (status = 200, description = "The record", body = PanelRecord),
        (status = 404, description = "There is no panel, or it is not public yet"),
    ),
    extensions(("x-action" = json!("ReadPanel"))),
)]
#[get("/contract-books/{id}/panel/record")]
async fn read_record(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadPanel, Matter::default())?;
    let id = parsed::<BookId>(&id)?;
    let found = context
        .db
        .glance(move |conn| store_panels::disclosed(conn, &id))
        .await?;
    let found = found.ok_or_else(|| NOT_FOUND.refuse())?;
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .body(found.content))
}

/// Declare whether you have an interest in a bidder
///
/// Without one you sit on the panel from now on. With one you step back, and the next in the order is called. Who learns of an interest later
/// declares it then.
#[utoipa::path(
    operation_id = "declare_panel_interests",
    tag = "panels",
    params(("id" = BookId, Path, description = "The book")),
    request_body = DeclarationBody,
    responses(
        (status = 200, description = "What became of your seat", body = OwnSeatView),
        (status = 404, description = "You hold no seat on a panel of such a book"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `panel_disclosed`, `panel_declared`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("SitOnPanel"))),
)]
#[post("/contract-books/{id}/panel/declaration")]
async fn declare(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::SitOnPanel)?;
    let body = incoming.json::<DeclarationBody>().await?;
    let (id, zone) = (parsed::<BookId>(&id)?, context.calendar.zone);
    let interests = body.value.interests;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let member = acts_seats::declare(tx, by, &id, interests.clone(), zone)?;
            own(&id, (member.seat, member.state))
        })
        .await
}

fn own(id: &BookId, (seat, state): (i64, MemberState)) -> Answer<Reply> {
    let view = OwnSeatView {
        book_id: id.clone(),
        seat,
        state,
    };
    Ok(Reply::json(200, &view)?)
}

/// Give your seat on a panel up
///
/// Because you do not accept it, or cannot go on. The next in the order is called.
#[utoipa::path(
    operation_id = "decline_panel_seat",
    tag = "panels",
    params(("id" = BookId, Path, description = "The book")),
    request_body = RefusalBody,
    responses(
        (status = 200, description = "What became of your seat", body = OwnSeatView),
        (status = 404, description = "You hold no seat on a panel of such a book"),
        (status = 409, description = "`book_wrong_state`, `panel_disclosed`"),
        (status = 422, description = "Something of it does not fit; every fault is listed"),
    ),
    extensions(("x-action" = json!("SitOnPanel"))),
)]
#[post("/contract-books/{id}/panel/refusal")]
async fn decline(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::SitOnPanel)?;
    let body = incoming.json::<RefusalBody>().await?;
    let (id, zone) = (parsed::<BookId>(&id)?, context.calendar.zone);
    let reason = body.value.reason;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let member = acts_seats::decline(tx, by, &id, &reason, zone)?;
            own(&id, (member.seat, member.state))
        })
        .await
}

/// Vote for the chair of your panel
///
/// Once everybody sits. Whoever more than half of the seats vote for takes the chair; until then a vote can be changed.
#[utoipa::path(
    operation_id = "vote_for_panel_chair",
    tag = "panels",
    params(("id" = BookId, Path, description = "The book")),
    request_body = AccountBody,
    responses(
        (status = 200, description = "The panel", body = PanelView),
        (status = 404, description = "You hold no seat on a panel of such a book"),
        (status = 409, description = "`book_wrong_state`, `book_suspended`, `panel_disclosed`, `panel_incomplete`, `panel_chair_taken`, `panel_no_chair`"),
    ),
    extensions(("x-action" = json!("SitOnPanel"))),
)]
#[post("/contract-books/{id}/panel/chair-votes")]
async fn vote(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::SitOnPanel)?;
    let body = incoming.json::<AccountBody>().await?;
    let id = parsed::<BookId>(&id)?;
    let candidate = body.value.account_id;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            acts_seats::vote(tx, by, &id, &candidate)?;
            shown(tx, by, &id, 200)
        })
        .await
}

/// List the panels on which you hold a seat
#[utoipa::path(
    operation_id = "list_own_panel_seats",
    tag = "panels",
    responses((status = 200, description = "Your seats", body = OwnSeatsView)),
    extensions(("x-action" = json!("ReadOwnSeats"))),
)]
#[get("/me/panel-seats")]
async fn list_own(context: Shared, actor: Actor) -> Answer<HttpResponse> {
    policy::allow(&actor, Action::ReadOwnSeats, Matter::default())?;
    let account = account(&actor)?.to_owned();
    let found = context
        .db
        .read(move |conn| store_panels::seats_of(conn, &account))
        .await?;
    let items = found
        .into_iter()
        .map(|(book_id, seat, state)| OwnSeatView { book_id, seat, state })
        .collect();
    Ok(HttpResponse::Ok().json(OwnSeatsView { items }))
}
