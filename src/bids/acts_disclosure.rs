//! The end of secrecy: what was recorded of the bids for a lot comes into the log when the lot is opened, or has ended without an opening.

use crate::audit::store_withheld;
use crate::bids::{acts, store};
use crate::books::rules::{LotId, State};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};

/// Calls that take withheld entries into the log in one transaction at most.
const RELEASES_MAX: usize = 50;
/// Lots that are looked at in one round at most.
const LOTS_MAX: i64 = 200;

/// Ends the secrecy of a lot's bids: everything that was recorded of them stands in the log from now on. To be called where a lot is
/// opened, or found unsuccessful, or cancelled, in that transaction; a second time it does nothing. Tells how many entries there were.
///
/// # Errors
/// A fault of the database.
pub fn disclose(tx: &mut Tx<'_>, lot: &LotId) -> Answer<i64> {
    if store::disclosed_at(tx.conn(), lot)?.is_some() {
        return Ok(0);
    }
    let mut entries = 0_i64;
    for _ in 0..RELEASES_MAX {
        let released = store_withheld::release(tx, lot.as_str())?;
        entries = entries.saturating_add(released);
        if released < store_withheld::RELEASED_MAX {
            store::insert_disclosure(tx, lot, entries)?;
            return Ok(entries);
        }
    }
    Err(Fault::broken(format!("{lot} has more than {entries} entries")).into())
}

/// Lots with bids that are kept secret although they will never be opened, because their books were cancelled; some, if they are many.
///
/// # Errors
/// A fault of the database.
pub fn ended(conn: &mut Conn) -> Answer<Vec<LotId>> {
    let mut ended = Vec::new();
    let mut after = String::new();
    loop {
        let matters = store_withheld::matters(conn, &after, LOTS_MAX)?;
        let Some(last) = matters.last() else { break };
        after.clone_from(last);
        for matter in &matters {
            let Ok(lot) = matter.parse::<LotId>() else {
                continue;
            };
            if is_cancelled(conn, &lot)? {
                ended.push(lot);
            }
        }
        if !ended.is_empty() {
            break;
        }
    }
    Ok(ended)
}

fn is_cancelled(conn: &mut Conn, lot: &LotId) -> Answer<bool> {
    let lot = acts::lot(conn, lot)?;
    Ok(acts::standing(conn, &lot.book_id)?.state == State::Cancelled)
}

/// Ends the secrecy of the bids for a lot whose book was cancelled. Of any other it does nothing.
///
/// # Errors
/// A fault of the database.
pub fn end(tx: &mut Tx<'_>, lot: &LotId) -> Answer<()> {
    if !is_cancelled(tx.conn(), lot)? || disclose(tx, lot)? == 0 {
        tx.nothing_to_change();
    }
    Ok(())
}
