//! One resident over HTTP: read, changed, taken off the roll, erased. To whoever does not keep the roll they are on, they are not
//! there.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::kernel::refusal::Answer;
use crate::kernel::text::Text;
use crate::registry::acts_roll::{self as acts, ChangeResident, DepartResident};
use crate::registry::http_roll::{ResidentReference, ResidentView, reply};
use crate::registry::rules_person::date;
use crate::registry::rules_roll::{DepartureReason, ErasureReason, ResidentId};
use crate::registry::store_roll_reading::{self as reading, Listed};
use crate::web::actor::{Actor, Shared};
use crate::web::body::{Incoming, given};
use crate::web::conditional::{self, Expected};
use crate::web::idempotency::Once;
use crate::web::operations::Operations;
use crate::web::policy::{self, Action};
use crate::web::problem::{INVALID, NOT_FOUND};

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config
        .service(read)
        .service(change)
        .service(depart)
        .service(erase);
}

/// Other details of a resident; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResidentDetails {
    /// The code of another household of the community; it is added if it is not there.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 50, example = "3-2-502")]
    household: Option<String>,
    /// Name.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 100, example = "王晓梅")]
    name: Option<String>,
    /// Date of birth.
    #[serde(default)]
    #[schema(nullable = false, max_length = 20, example = "1984-07-19")]
    birth_date: Option<String>,
    /// Whether they own the dwelling.
    #[serde(default)]
    #[schema(nullable = false, example = false)]
    is_owner: Option<bool>,
    /// Telephone number; `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 30, example = "139 0013 9000")]
    phone: Option<Option<String>>,
    /// Mail address; `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 254, example = "mei@example.org")]
    email: Option<Option<String>>,
}

/// That a resident leaves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Departure {
    /// Why.
    reason: DepartureReason,
    /// The day; today by default. Not after today.
    #[serde(default)]
    #[schema(nullable = false, max_length = 20, example = "2026-03-01")]
    on: Option<String>,
}

/// That a resident is erased.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// Why; it is written into the log.
    reason: ErasureReason,
}

/// Read a resident
#[utoipa::path(
    operation_id = "read_resident",
    tag = "roll",
    params(("id" = ResidentId, Path, description = "The resident")),
    responses(
        (status = 200, description = "The resident", body = ResidentView, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such resident, or the roll they are on is not yours"),
    ),
    extensions(("x-action" = json!("ReadRoll"))),
)]
#[get("/residents/{id}")]
async fn read(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    let found = on_own_roll(&context, &actor, Action::ReadRoll, &id).await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(found.resident.version)))
        .json(ResidentView::from(found)))
}

/// Change a resident's details
///
/// Needs `If-Match` with the `ETag` of the version you mean.
#[utoipa::path(
    operation_id = "change_resident",
    tag = "roll",
    params(("id" = ResidentId, Path, description = "The resident"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = ResidentDetails,
    responses(
        (status = 200, description = "The resident as they are now", body = ResidentReference, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such resident, or the roll they are on is not yours"),
        (status = 409, description = "`resident_known`, `resident_not_on_roll`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ChangeRoll"))),
)]
#[patch("/residents/{id}")]
async fn change(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let found = on_own_roll(&context, &actor, Action::ChangeRoll, &id).await?;
    let body = incoming.json::<ResidentDetails>().await?;
    let ResidentDetails {
        household,
        name,
        birth_date,
        is_owner,
        phone,
        email,
    } = body.value;
    let command = ChangeResident {
        id: found.resident.id,
        expected: Expected::of(&request)?,
        household,
        name,
        birth_date,
        is_owner,
        phone,
        email,
    };
    let zone = context.calendar.zone;
    let resident = context
        .db
        .write(move |tx| acts::change(tx, &actor, zone, &command))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, conditional::etag(resident.version)))
        .json(ResidentReference::from(resident)))
}

/// Take a resident off the roll
///
/// They have moved away or died. Needs `If-Match`.
#[utoipa::path(
    operation_id = "depart_resident",
    tag = "roll",
    params(("id" = ResidentId, Path, description = "The resident"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = Departure,
    responses(
        (status = 200, description = "The resident as they are now", body = ResidentReference, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 404, description = "There is no such resident, or the roll they are on is not yours"),
        (status = 409, description = "`resident_not_on_roll`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("ChangeRoll"))),
)]
#[post("/residents/{id}/departure")]
async fn depart(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let found = on_own_roll(&context, &actor, Action::ChangeRoll, &id).await?;
    let body = incoming.json::<Departure>().await?;
    let on = match body.value.on.as_deref().map(date) {
        Some(None) => {
            let detail = Text::fixed("应为日期，如 2026-03-01", "must be a date, like 2026-03-01");
            return Err(INVALID.because(detail).at("/on").into());
        }
        Some(day) => day,
        None => None,
    };
    let command = DepartResident {
        id: found.resident.id,
        expected: Expected::of(&request)?,
        reason: body.value.reason,
        on,
    };
    let (by, zone) = (actor.clone(), context.calendar.zone);
    context
        .write_once(&actor, once, body.digest, move |tx| {
            reply(200, acts::depart(tx, &by, zone, &command)?)
        })
        .await
}

/// Erase a resident
///
/// Takes away everything personal, for good: from the roll, from the letters, from the private part of the log. What stays is that
/// there was a resident, in which community, and from when until when. Needs `If-Match`.
#[utoipa::path(
    operation_id = "erase_resident",
    tag = "roll",
    params(("id" = ResidentId, Path, description = "The resident"), ("If-Match" = String, Header, max_length = 100, description = "The `ETag` of the version you mean; `*` for whatever it is now", example = "\"v1\"")),
    request_body = Erasure,
    responses(
        (status = 200, description = "What is left of the resident", body = ResidentReference, headers(("ETag" = String, description = "The version"))),
        (status = 404, description = "There is no such resident, or the roll they are on is not yours"),
        (status = 409, description = "`resident_already_erased`"),
        (status = 412, description = "`version_stale`"),
        (status = 428, description = "`version_missing`"),
    ),
    extensions(("x-action" = json!("EraseResident"))),
)]
#[post("/residents/{id}/erasure")]
async fn erase(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    let found = on_own_roll(&context, &actor, Action::EraseResident, &id).await?;
    let body = incoming.json::<Erasure>().await?;
    let (expected, reason) = (Expected::of(&request)?, body.value.reason);
    let (by, zone, id) = (actor.clone(), context.calendar.zone, found.resident.id);
    context
        .write_once(&actor, once, body.digest, move |tx| {
            reply(200, acts::erase(tx, &by, zone, &id, expected, reason)?)
        })
        .await
}

/// The resident of that id, if the roll they are on is the actor's to do this with.
async fn on_own_roll(context: &Shared, actor: &Actor, action: Action, id: &str) -> Answer<Listed> {
    policy::allow_at_all(actor, action)?;
    let id: ResidentId = id.parse().map_err(|_| NOT_FOUND.refuse())?;
    let by = actor.clone();
    context
        .db
        .glance(move |conn| {
            let found = reading::one(conn, &id)?.ok_or_else(|| NOT_FOUND.refuse())?;
            acts::community(conn, &by, action, &found.resident.area_id)?;
            Ok(found)
        })
        .await
}
