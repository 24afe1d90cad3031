//! Tells whoever has not replied or decided in time, once for each matter, however often it is looked. Upkeep: it changes nothing of the ward.

use crate::award::acts_challenges::{query_due, reply_due};
use crate::award::acts_complaints::decision_due;
use crate::award::desk::{self, Known, days};
use crate::award::{store_challenges, store_complaints, tidings};
use crate::books::rules::LotId;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Stop};
use crate::web::context::WardCalendar;

/// Matters that are looked at in one transaction.
const MATTERS_AT_ONCE: i64 = 100;

/// What somebody can be late with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Replies to queries.
    Queries,
    /// Replies to challenges.
    Challenges,
    /// Decisions about complaints.
    Complaints,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Queries, Self::Challenges, Self::Complaints];
}

/// A matter that is open: its id, its lot, where it is, and when it is due.
type Open = (String, LotId, String);

/// Looks at some open matters of a kind beyond an id, and tells whoever is late. Says where to go on; `None` if there are no more.
///
/// # Errors
/// A fault of the database.
pub fn escalate(tx: &mut Tx<'_>, calendar: &WardCalendar, kind: Kind, after: &str) -> Answer<Option<String>> {
    let now = tx.now();
    let mut last = None;
    let mut looked_at = 0_i64;
    for (matter, due) in open(tx, calendar, kind, after)? {
        let (id, lot, path) = matter;
        if due.is_some_and(|due| due <= now) {
            let known = desk::known(tx.conn(), &lot)?;
            tidings::overdue(tx, &known, (&id, path), kind == Kind::Complaints)?;
        }
        looked_at = looked_at.saturating_add(1);
        last = Some(id);
    }
    Ok(last.filter(|_| looked_at >= MATTERS_AT_ONCE))
}

/// The open matters of a kind, and when each is due; a calendar that does not reach so far makes nobody late.
fn open(
    tx: &mut Tx<'_>,
    calendar: &WardCalendar,
    kind: Kind,
    after: &str,
) -> Answer<Vec<(Open, Option<Instant>)>> {
    let mut open = Vec::new();
    match kind {
        Kind::Queries => {
            for one in store_challenges::unanswered_queries(tx.conn(), after, MATTERS_AT_ONCE)? {
                let known = desk::known(tx.conn(), &one.lot_id)?;
                let due = reached(query_due(&one, &known, calendar))?;
                let path = format!("/api/v1/result-queries/{}", one.id);
                open.push(((one.id.to_string(), one.lot_id, path), due));
            }
        }
        Kind::Challenges => {
            for one in store_challenges::unanswered(tx.conn(), after, MATTERS_AT_ONCE)? {
                let known = desk::known(tx.conn(), &one.lot_id)?;
                let due = over(reply_due(&one, &known, calendar), calendar)?;
                let path = format!("/api/v1/challenges/{}", one.id);
                open.push(((one.id.to_string(), one.lot_id, path), due));
            }
        }
        Kind::Complaints => {
            for one in store_complaints::open(tx.conn(), after, MATTERS_AT_ONCE)? {
                let known: Known = desk::known(tx.conn(), &one.lot_id)?;
                let due = over(decision_due(&one, &known, calendar), calendar)?;
                let path = format!("/api/v1/complaints/{}", one.id);
                open.push(((one.id.to_string(), one.lot_id, path), due));
            }
        }
    }
    Ok(open)
}

fn over(day: Answer<chrono::NaiveDate>, calendar: &WardCalendar) -> Answer<Option<Instant>> {
    match reached(day)? {
        Some(day) => reached(days(calendar).over(day).map_err(Stop::from)),
        None => Ok(None),
    }
}

fn reached<T>(answer: Answer<T>) -> Answer<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Stop::Refused(_)) => Ok(None),
        Err(stop) => Err(stop),
    }
}
