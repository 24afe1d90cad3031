//! The end of a lot that comes to nothing after its bids were opened: what is left of its reservation goes back to its line, and everybody
//! who has bid is told. It is a part of an act, which asks the permission and decides; it writes the event of the end itself.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::award::acts_awards::disclosures;
use crate::award::rules_endings::{Cause, Ending, LOT_ENDED};
use crate::award::store_endings as store;
use crate::award::tidings;
use crate::bids::{store_openings, store_securities};
use crate::books::reservations;
use crate::books::rules::Book;
use crate::books::store::Lot;
use crate::budget::posting;
use crate::budget::rules_ledger::Transfer;
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::standards::rules_indicators::Line;
use crate::web::actor::Actor;

/// Ends a lot: nobody gets the contract. Tells which transfers set its money free.
///
/// # Errors
/// [`LOT_ENDED`] if it has ended before; those of the ledger.
pub fn unsuccessful(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (book, lot): (&Book, &Lot),
    (cause, reason): (Cause, Line),
) -> Answer<Vec<Transfer>> {
    if store::of_lot(tx.conn(), &lot.id)?.is_some() {
        return Err(LOT_ENDED.refuse().into());
    }
    let ending = Ending {
        lot_id: lot.id.clone(),
        book_id: book.id.clone(),
        cause,
        reason,
        ended_at: tx.now(),
    };
    store::insert(tx, &ending)?;
    let transfers = reservations::release_lot(tx, &lot.id)?;
    disclosures(tx, &lot.id)?;
    for (_, bidder) in store_openings::opened_suppliers(tx.conn(), &lot.id)? {
        store_securities::count_return_from(tx, &lot.id, &bidder, ending.ended_at)?;
    }
    let event = Event {
        kind: "lot.unsuccessful",
        subject: lot.id.to_string(),
        data: json!({
            "book_id": book.id,
            "cause": ending.cause.name(),
            "reason_zh": ending.reason.zh,
            "reason_en": ending.reason.en,
            "transfers": posting::told(&transfers),
        }),
        private: Value::Null,
    };
    audit::store::append(tx, actor, &event)?;
    tidings::lot_ended(tx, (book, lot), &ending)?;
    Ok(transfers)
}
