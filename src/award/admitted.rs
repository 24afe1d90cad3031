//! Which of a lot's bids are in, looked up: what was decided, and what follows from the rules in force for the book. What judges bids asks
//! this and nothing else.

use crate::award::desk::{Known, known};
use crate::award::rules_admission::{ADMISSION_NOT_BEGUN, Admitted, Held, Verdict, judged};
use crate::award::store_admission;
use crate::books::rules::LotId;
use crate::books::rules_readiness::Item;
use crate::db::conn::Conn;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Answer;

/// What the examination of a lot has come to at an instant: what is not answered by then is answered by silence.
///
/// # Errors
/// Not found; a rule that is not set; a fault of the database.
pub fn verdict(conn: &mut Conn, known: &Known, now: Instant) -> Answer<Verdict> {
    let examined = store_admission::examined(conn, &known.lot.id)?;
    let document = known.document()?;
    let held = Held {
        lot_id: &known.lot.id,
        ceiling: document.ceiling,
        bidders_min: document.bidders_min,
        profile: &known.profile,
        now,
    };
    judged(&examined, held)
}

/// Every opened bid of a lot, in or out as far as that is decided; none before the examination has begun.
///
/// # Errors
/// As [`verdict`].
pub fn of_lot(conn: &mut Conn, lot: &LotId, now: Instant) -> Answer<Vec<Admitted>> {
    let known = known(conn, lot)?;
    Ok(verdict(conn, &known, now)?.bids)
}

/// What the examination of a lot came to, if everything of it is decided; otherwise what is missing.
///
/// # Errors
/// [`ADMISSION_NOT_BEGUN`]; those of [`verdict`].
pub fn settled(conn: &mut Conn, lot: &LotId, now: Instant) -> Answer<Result<Verdict, Vec<Item>>> {
    let known = known(conn, lot)?;
    if store_admission::begun_at(conn, lot)?.is_none() {
        return Err(ADMISSION_NOT_BEGUN.refuse().into());
    }
    let verdict = verdict(conn, &known, now)?;
    Ok(if verdict.missing.is_empty() {
        Ok(verdict)
    } else {
        Err(verdict.missing)
    })
}
