//! Whom a registrar lists: residents' representatives, and residents who are kin or staff of an organisation and have no vote on its work. What the
//! listing says is personal: it stands in no event, and goes when the resident is erased.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::ballots::acts::acting;
use crate::ballots::rules::{LISTED, LISTING_UNKNOWN, VoterListingId};
use crate::ballots::store_letters::{self as store, Listing};
use crate::db::writer::Tx;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::Answer;
use crate::registry::acts_roll::community;
use crate::registry::rules_roll::{self as roll, ResidentId};
use crate::registry::{store_organisations, store_roll};
use crate::web::actor::Actor;
use crate::web::policy::Action;
use crate::web::problem::NOT_FOUND;

/// Lists a resident: as tied to an organisation, or as a representative. It counts for ballots that are called from now on.
///
/// # Errors
/// In this order: permission; a community that is not there; [`LISTING_UNKNOWN`]; [`LISTED`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    area: &AreaId,
    (resident, organisation): (&ResidentId, Option<&OrganisationId>),
) -> Answer<Listing> {
    let area = community(tx.conn(), actor, Action::KeepVoterListings, area)?;
    let found = store_roll::resident(tx.conn(), resident)?
        .filter(|found| found.area_id == area.id && roll::on_roll(found).is_ok());
    if found.is_none() {
        return Err(LISTING_UNKNOWN.refuse().at("/resident_id").into());
    }
    if let Some(organisation) = organisation
        && store_organisations::organisation(tx.conn(), organisation)?.is_none()
    {
        return Err(LISTING_UNKNOWN.refuse().at("/organisation_id").into());
    }
    if store::is_listed(tx.conn(), resident, organisation)? {
        return Err(LISTED.refuse().into());
    }
    let listing = Listing {
        id: VoterListingId::mint(tx.now()),
        area_id: area.id,
        resident_id: resident.clone(),
        organisation_id: organisation.cloned(),
    };
    store::insert_listing(tx, &listing, &acting(actor)?)?;
    append(tx, actor, "voter_listing.made", &listing)?;
    Ok(listing)
}

/// Takes a listing away.
///
/// # Errors
/// Permission; not found.
pub fn remove(tx: &mut Tx<'_>, actor: &Actor, id: &VoterListingId) -> Answer<Listing> {
    crate::web::policy::allow_at_all(actor, Action::KeepVoterListings)?;
    let listing = store::listing(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    community(tx.conn(), actor, Action::KeepVoterListings, &listing.area_id)?;
    store::remove_listing(tx, id)?;
    append(tx, actor, "voter_listing.removed", &listing)?;
    Ok(listing)
}

fn append(tx: &mut Tx<'_>, actor: &Actor, kind: &'static str, listing: &Listing) -> Answer<()> {
    let event = Event {
        kind,
        subject: listing.id.to_string(),
        data: json!({ "area_id": listing.area_id }),
        private: Value::Null,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
