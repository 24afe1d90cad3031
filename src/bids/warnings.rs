//! What is looked up to warn a bidder of what would stand against the bid at its opening. It is looked up in the register alone and never
//! among bids, so that no warning tells of another bid.

use crate::bids::desk::Known;
use crate::bids::rules_document::BidDocument;
use crate::bids::rules_eligibility::{self as eligibility, Facts, Rival};
use crate::books::acts::profile_of;
use crate::books::rules_readiness::Item;
use crate::db::conn::Conn;
use crate::kernel::local_day::local_date;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::people::store_grants::{self, GrantFilter};
use crate::registry::rules_debarments::Debarment;
use crate::registry::rules_qualifications::State as QualificationState;
use crate::registry::store_debarments::{self, DebarmentFilter};
use crate::registry::{store_organisations, store_qualifications};
use crate::web::context::Context;
use crate::web::problem::NOT_FOUND;

/// Roles in one organisation, debarments and qualifications of it that are looked at, at most.
const LOOKED_AT_MAX: i64 = 500;

/// What would stand against a bid if its lot were opened now.
///
/// # Errors
/// Not found if there is no such supplier; a fault of the database.
pub fn of(
    conn: &mut Conn,
    (document, known): (&BidDocument, &Known),
    context: &Context,
) -> Answer<Vec<Item>> {
    let id = &document.supplier_id;
    let supplier = store_organisations::organisation(conn, id)?;
    let supplier = supplier.ok_or_else(|| NOT_FOUND.refuse())?;
    let debarments = debarments_of(conn, id)?;
    let states = [QualificationState::Claimed, QualificationState::Verified];
    let qualifications = store_qualifications::qualifications(conn, id, &states, None, LOOKED_AT_MAX)?;
    let person = supplier.current.particulars.legal_representative.clone();
    let rivals = match &person {
        Some(person) => store_organisations::led_by(conn, person, id)?,
        None => Vec::new(),
    };
    let mut known_rivals = Vec::with_capacity(rivals.len());
    for supplier_id in rivals {
        let name = store_grants::organisation_name(conn, &supplier_id)?;
        known_rivals.push(Rival {
            name: name.unwrap_or_default(),
            supplier_id,
            credit_code: None,
            person_in_charge: person.clone(),
            ties: Vec::new(),
        });
    }
    for tie in &document.ties {
        let Some(supplier_id) = store_organisations::public_of_code(conn, &tie.credit_code, id)? else {
            continue;
        };
        let name = store_grants::organisation_name(conn, &supplier_id)?;
        known_rivals.push(Rival {
            name: name.unwrap_or_default(),
            supplier_id,
            credit_code: Some(tie.credit_code.clone()),
            person_in_charge: None,
            ties: Vec::new(),
        });
    }
    let profile = profile_of(conn, &known.book)?;
    let facts = Facts {
        supplier: &supplier,
        debarments: &debarments,
        qualifications: &qualifications,
        document,
        book: known.book.content.document(),
        lot: known.document()?,
        shared_accounts: shared_accounts(conn, &known.book.organisation_id, id)?,
        rivals: &known_rivals,
        today: local_date(context.clock.now(), context.calendar.zone),
        profile: &profile,
    };
    Ok(eligibility::items(facts)?)
}

/// The debarments of a supplier.
///
/// # Errors
/// A fault of the database.
pub fn debarments_of(conn: &mut Conn, id: &OrganisationId) -> Answer<Vec<Debarment>> {
    let filter = DebarmentFilter {
        organisation: Some(id.clone()),
        ..DebarmentFilter::default()
    };
    let records = store_debarments::debarments(conn, &filter, LOOKED_AT_MAX)?;
    Ok(records.into_iter().map(|(debarment, _)| debarment).collect())
}

/// How many accounts hold roles both for the buyer and for the bidder.
///
/// # Errors
/// A fault of the database.
pub fn shared_accounts(conn: &mut Conn, buyer: &OrganisationId, bidder: &OrganisationId) -> Answer<usize> {
    let mut accounts_of = |organisation: &OrganisationId| {
        let filter = GrantFilter {
            organisation_id: Some(organisation.clone()),
            in_force: true,
            ..GrantFilter::default()
        };
        store_grants::grants(conn, &filter, LOOKED_AT_MAX)
    };
    let (buyers, bidders) = (accounts_of(buyer)?, accounts_of(bidder)?);
    let mut shared: Vec<_> = bidders
        .into_iter()
        .map(|given| given.account_id)
        .filter(|account| buyers.iter().any(|given| given.account_id == *account))
        .collect();
    shared.sort();
    shared.dedup();
    Ok(shared.len())
}
