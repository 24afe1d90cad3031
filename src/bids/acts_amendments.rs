//! Tells bidders of addenda that affect bids: theirs counts only if it is confirmed or replaced. Books lie below and know nothing of bids, so
//! this is looked for from here once in a while. The mail is that by which everybody hears of the addendum, under the same key: whoever
//! has heard already is not told again, and nobody can tell a bidder's mail from another's.

use crate::audit::store_withheld;
use crate::bids::acts;
use crate::bids::rules::{Fate, at_opening};
use crate::bids::store;
use crate::books::notices;
use crate::books::rules::{BookId, LotId, State};
use crate::books::rules_notices::What;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::outbox::notice::Recipient;
use crate::registry::store_contacts;
use crate::web::policy::Role;

/// Lots with sealed bids that are read at a time.
const LOTS_MAX: i64 = 100;
/// Bidders that are told in one round.
const BIDDERS_MAX: usize = 200;

/// A bidder who has not heard yet.
#[derive(Clone)]
pub struct Unaware {
    /// The book.
    pub book: BookId,
    /// The last version of it that affects bids.
    pub version: i64,
    /// Whose bid has to be confirmed.
    pub supplier: OrganisationId,
    /// Whom to write to.
    pub readers: Vec<Recipient>,
}

/// Bidders with a sealed bid that has to be confirmed, for a lot that still takes bids, whose people have not heard of the addendum; some of
/// them, if they are many.
///
/// # Errors
/// A fault of the database.
pub fn unaware(conn: &mut Conn, now: Instant) -> Answer<Vec<Unaware>> {
    let mut found = Vec::new();
    let mut after = String::new();
    while found.len() < BIDDERS_MAX {
        let matters = store_withheld::matters(conn, &after, LOTS_MAX)?;
        let Some(last) = matters.last() else { break };
        after.clone_from(last);
        for matter in &matters {
            if let Ok(lot) = matter.parse::<LotId>() {
                of_lot(conn, &lot, now, &mut found)?;
            }
        }
    }
    Ok(found)
}

fn of_lot(conn: &mut Conn, lot: &LotId, now: Instant, found: &mut Vec<Unaware>) -> Answer<()> {
    let lot = acts::lot(conn, lot)?;
    let book = acts::standing(conn, &lot.book_id)?;
    let (State::Published, Some(deadline), Some(version)) = (book.state, book.deadline, book.last_affecting)
    else {
        return Ok(());
    };
    if now >= deadline {
        return Ok(());
    }
    let versions = store::versions_for(conn, &lot.id)?;
    for (bid, fate) in at_opening(versions, deadline, Some(version)) {
        if fate != Fate::Unconfirmed {
            continue;
        }
        let mut unaware = Vec::new();
        for reader in store_contacts::people(conn, &bid.supplier_id, Role::SupplierAgent)? {
            let account = reader.account_id.as_deref().unwrap_or_default();
            if !notices::has_heard(conn, &lot.book_id, (What::Amended, version), account)? {
                unaware.push(reader);
            }
        }
        if !unaware.is_empty() {
            found.push(Unaware {
                book: lot.book_id.clone(),
                version,
                supplier: bid.supplier_id,
                readers: unaware,
            });
        }
    }
    Ok(())
}

/// Tells one of them.
///
/// # Errors
/// A fault of the database.
pub fn tell(tx: &mut Tx<'_>, unaware: Unaware) -> Answer<()> {
    let Unaware {
        book,
        version,
        supplier,
        readers,
    } = unaware;
    notices::tell_bidder(tx, &book, version, (&supplier, readers))
}
