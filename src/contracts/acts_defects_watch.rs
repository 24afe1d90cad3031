//! What the clock brings about for defects: contractors are reminded, silence is written down, officers hear once a day of what is late, and mail addresses
//! are forgotten. Nothing waits for it: a state that follows from time is computed wherever it is asked for.

use chrono::{Duration, NaiveDate};
use chrono_tz::Tz;

use crate::contracts::acts_defects::{Setting, settle};
use crate::contracts::desk_defects::known;
use crate::contracts::reception::Reception;
use crate::contracts::rules_defect_reports::{CONTACT_DAYS, Day};
use crate::contracts::rules_places::ServedPlaceId;
use crate::contracts::{store_defect_reports, store_defects, tidings_defects};
use crate::db::writer::Tx;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::Answer;

/// Defects that are looked at in one transaction.
const AT_ONCE: i64 = 100;

/// Reminds contractors of some defects beyond an id, of each call once. Says where to go on; `None` if there are no more. Upkeep.
///
/// # Errors
/// A fault of the database.
pub fn remind(tx: &mut Tx<'_>, after: &str) -> Answer<Option<String>> {
    let now = tx.now();
    let found = store_defects::to_remind(tx.conn(), now, after, AT_ONCE)?;
    let is_full = i64::try_from(found.len()).is_ok_and(|count| count >= AT_ONCE);
    let mut last = None;
    for defect in found {
        let known = known(tx.conn(), &defect.contract_id)?;
        tidings_defects::reminded(tx, &known, &defect)?;
        last = Some(defect.id.to_string());
    }
    Ok(last.filter(|_| is_full))
}

/// Writes down that silence has confirmed some defects. True if there were no more.
///
/// # Errors
/// A fault of the database.
pub fn settle_silent(tx: &mut Tx<'_>, setting: Setting<'_>) -> Answer<bool> {
    let now = tx.now();
    let silent = store_defects::silent(tx.conn(), now, AT_ONCE)?;
    if silent.is_empty() {
        tx.nothing_to_change();
        return Ok(true);
    }
    let is_last = i64::try_from(silent.len()).is_ok_and(|count| count < AT_ONCE);
    for defect in silent {
        settle(tx, defect, setting)?;
    }
    Ok(is_last)
}

/// Tells the officers of each buyer what is late and what waits for them, once a day of the ward. Upkeep.
///
/// # Errors
/// A fault of the database.
pub fn tell_officers(tx: &mut Tx<'_>, zone: Tz) -> Answer<()> {
    let now = tx.now();
    let today = local_date(now, zone);
    for (buyer, overdue, waiting) in store_defects::standing_of_buyers(tx.conn(), now)? {
        tidings_defects::digest(tx, &buyer, today, (overdue, waiting))?;
    }
    Ok(())
}

/// Forgets the mail addresses of those who have reported what is long over. Upkeep.
///
/// # Errors
/// A fault of the database.
pub fn forget(tx: &mut Tx<'_>) -> Answer<usize> {
    let before = tx.now() - Duration::days(CONTACT_DAYS);
    store_defect_reports::forget_contacts(tx, before)
}

/// What a reception has refused since it was asked last, to be counted by [`count`](crate::contracts::acts_defect_reports::count).
pub fn refused(reception: &Reception) -> Vec<(ServedPlaceId, NaiveDate, Day)> {
    let day = |refused| Day {
        refused,
        ..Day::default()
    };
    let taken = reception.take_refused().into_iter();
    taken.map(|(place, on, count)| (place, on, day(count))).collect()
}
