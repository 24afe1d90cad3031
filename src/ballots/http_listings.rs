//! Whom a registrar lists, over HTTP. To whoever does not keep the roll of the community, it is not there. No SQL and no rule.

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ballots::acts_listings as acts;
use crate::ballots::rules::VoterListingId;
use crate::ballots::store_letters::{self as store, Listing};
use crate::budget::desk::parsed;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::Answer;
use crate::registry::acts_roll::community;
use crate::registry::rules_roll::ResidentId;
use crate::web::actor::{Actor, Shared};
use crate::web::body::Incoming;
use crate::web::idempotency::{Once, Reply};
use crate::web::operations::Operations;
use crate::web::paging::{LIMIT_MAX, LIMIT_USUAL, Page, Question};
use crate::web::policy::{self, Action};
use crate::web::query::Query;

/// Every operation of this file.
pub fn operations(config: &mut impl Operations) {
    config.service(make).service(list).service(remove);
}

/// Somebody to list.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewVoterListing, example = json!({"resident_id": "resident_01jd3n8f5teqkrzvq1c0m6h2ax", "organisation_id": null}))]
pub struct NewBody {
    /// The resident.
    resident_id: ResidentId,
    /// Whose kin or staff they are: they have no vote on its work. `null` for a residents' representative.
    #[serde(default)]
    organisation_id: Option<OrganisationId>,
}

/// Somebody who is listed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VoterListing, example = json!({"id": "voterlisting_01jd3n8f5teqkrzvq1c0m6h2ax", "resident_id": "resident_01jd3n8f5teqkrzvq1c0m6h2ax", "organisation_id": null}))]
pub struct ListingView {
    /// Its id.
    pub id: VoterListingId,
    /// The resident.
    pub resident_id: ResidentId,
    /// Whose kin or staff they are; `null` for a residents' representative.
    #[schema(required = true)]
    pub organisation_id: Option<OrganisationId>,
}

impl From<Listing> for ListingView {
    fn from(listing: Listing) -> Self {
        Self {
            id: listing.id,
            resident_id: listing.resident_id,
            organisation_id: listing.organisation_id,
        }
    }
}

/// That somebody was listed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VoterListingReference)]
pub struct ListingReference {
    /// Its id.
    pub id: VoterListingId,
}

/// List a resident
///
/// By the registrar: as kin or staff of an organisation, who has no vote on its work, or as a representative. It counts for ballots that are called from now on, and
/// nobody but registrars sees it.
#[utoipa::path(
    operation_id = "list_voter",
    tag = "ballots",
    params(("id" = AreaId, Path, description = "The community")),
    request_body = NewBody,
    responses(
        (status = 201, description = "The listing", body = ListingReference),
        (status = 404, description = "There is no such community, or its roll is not yours"),
        (status = 409, description = "`voter_listing_unknown`, `voter_listing_exists`"),
    ),
    extensions(("x-action" = json!("KeepVoterListings"))),
)]
#[post("/areas/{id}/voter-listings")]
async fn make(
    context: Shared,
    actor: Actor,
    once: Once,
    id: web::Path<String>,
    incoming: Incoming,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::KeepVoterListings)?;
    let area = parsed::<AreaId>(&id)?;
    let body = incoming.json::<NewBody>().await?;
    let new = body.value;
    context
        .act_once(actor, once, body.digest, move |tx, by| {
            let said = (&new.resident_id, new.organisation_id.as_ref());
            let listing = acts::list(tx, by, &area, said)?;
            // What is remembered with the request names nobody.
            Ok(Reply::json(201, &ListingReference { id: listing.id })?)
        })
        .await
}

/// List those who are listed
///
/// The one made last first.
#[utoipa::path(
    operation_id = "list_voter_listings",
    tag = "ballots",
    params(
        ("id" = AreaId, Path, description = "The community"),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Items on a page, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "One page", body = Page<ListingView>, headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, description = "There is no such community, or its roll is not yours"),
    ),
    extensions(("x-action" = json!("KeepVoterListings"))),
)]
#[get("/areas/{id}/voter-listings")]
async fn list(
    request: HttpRequest,
    context: Shared,
    actor: Actor,
    id: web::Path<String>,
) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::KeepVoterListings)?;
    let area = parsed::<AreaId>(&id)?;
    let mut query = Query::of(&request);
    let limit = query.limit(LIMIT_USUAL, LIMIT_MAX);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["voter listings", area.as_str()]);
    let before = question
        .after(cursor.as_deref(), 1)?
        .and_then(|mut parts| parts.pop());
    let max = i64::from(limit).saturating_add(1);
    let found = context
        .db
        .read(move |conn| {
            let area = community(conn, &actor, Action::KeepVoterListings, &area)?;
            store::listings(conn, &area.id, before.as_deref(), max)
        })
        .await?;
    let views = found.into_iter().map(ListingView::from).collect();
    let page = Page::cut(views, limit, &question, |one: &ListingView| {
        vec![one.id.to_string()]
    });
    Ok(page.answer(&request))
}

/// List a resident no longer
///
/// It counts for ballots that are called from now on.
#[utoipa::path(
    operation_id = "remove_voter_listing",
    tag = "ballots",
    params(("id" = VoterListingId, Path, description = "The listing")),
    responses(
        (status = 200, description = "The listing as it was", body = ListingView),
        (status = 404, description = "There is no such listing, or the roll is not yours"),
    ),
    extensions(("x-action" = json!("KeepVoterListings"))),
)]
#[delete("/voter-listings/{id}")]
async fn remove(context: Shared, actor: Actor, id: web::Path<String>) -> Answer<HttpResponse> {
    policy::allow_at_all(&actor, Action::KeepVoterListings)?;
    let id = parsed::<VoterListingId>(&id)?;
    let gone = context.db.write(move |tx| acts::remove(tx, &actor, &id)).await?;
    Ok(HttpResponse::Ok().json(ListingView::from(gone)))
}
