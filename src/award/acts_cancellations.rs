//! The cancellation of a book at whatever stage: what is not signed ends with it, bids that were not opened stay sealed for good, the money that is
//! not committed goes back, and everybody concerned is told. What is signed stays.

use std::collections::BTreeSet;

use crate::award::acts_awards::disclosures;
use crate::award::acts_successions::end;
use crate::award::rules_awards::{End, State as AwardState};
use crate::award::rules_endings::NOTHING_LEFT;
use crate::award::{desk, store_awards, store_endings};
use crate::bids::rules_opening::Outcome;
use crate::bids::{store as bids, store_openings, store_securities};
use crate::books::rules::{Book, BookId};
use crate::books::store::{self as books, Lot};
use crate::books::{acts_publication, notices};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::store_contacts;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;

/// Cancels a published book.
///
/// # Errors
/// In this order: those of [`acts_publication::cancel`]; [`NOTHING_LEFT`] if each of its lots is signed or has come to nothing.
pub fn cancel(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &BookId,
    expected: Expected,
    reason: &(String, String),
) -> Answer<Book> {
    let cancelled = acts_publication::cancel(tx, actor, id, expected, reason)?;
    let why = cancelled.cancelled.as_ref().map(|(_, reason)| reason.clone());
    let why = why.ok_or_else(|| Fault::broken(format!("{id} was cancelled for no reason")))?;
    let mut bidders = BTreeSet::new();
    let mut left = false;
    for lot in books::lots_of(tx.conn(), id)? {
        if !is_left(tx.conn(), &lot)? {
            continue;
        }
        left = true;
        if let Some(award) = store_awards::standing_of(tx.conn(), &lot.id)? {
            let known = desk::known(tx.conn(), &lot.id)?;
            end(tx, actor, &known, award, (End::Dropped, why.clone()))?;
        }
        bidders.extend(have_bid(tx, &lot)?);
        if store_openings::of_lot(tx.conn(), &lot.id)?.is_some() {
            disclosures(tx, &lot.id)?;
        }
    }
    if !left {
        return Err(NOTHING_LEFT.refuse().into());
    }
    for supplier in bidders {
        let readers = store_contacts::acting_for(tx.conn(), &supplier)?;
        notices::tell_bidder_of_the_end(tx, &cancelled, (&supplier, readers))?;
    }
    Ok(cancelled)
}

/// Whether a lot has neither a contract nor an end.
fn is_left(conn: &mut Conn, lot: &Lot) -> Answer<bool> {
    let award = store_awards::standing_of(conn, &lot.id)?;
    let opening = store_openings::of_lot(conn, &lot.id)?;
    let is_signed = award.is_some_and(|award| award.state == AwardState::Signed);
    let too_few = opening.is_some_and(|opening| opening.outcome == Outcome::Unsuccessful);
    Ok(!is_signed && !too_few && store_endings::of_lot(conn, &lot.id)?.is_none())
}

/// Whoever has bid for a lot, opened or not; the time for their securities begins where it has not.
fn have_bid(tx: &mut Tx<'_>, lot: &Lot) -> Answer<BTreeSet<OrganisationId>> {
    let now = tx.now();
    let opened = store_openings::opened_suppliers(tx.conn(), &lot.id)?;
    for (_, supplier) in &opened {
        store_securities::count_return_from(tx, &lot.id, supplier, now)?;
    }
    let versions = bids::versions_for(tx.conn(), &lot.id)?;
    Ok(versions.into_iter().map(|version| version.supplier_id).collect())
}
