//! Adds ratings that bind to what is measured of spending: when a ballot is counted, and again for those that were counted before that was measured.

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::ballots::rules::{BallotId, Kind};
use crate::ballots::rules_derivation::{Derivation, Outcome};
use crate::ballots::store;
use crate::budget::spending::{self, Rated};
use crate::db::writer::Tx;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::Answer;

/// Ballots read at once.
const PIECE: i64 = 500;

/// Adds what a ballot came to on that local date, if it is a rating that binds.
pub(super) fn rate(
    tx: &mut Tx<'_>,
    (ballot, derivation): (&BallotId, &Derivation),
    day: NaiveDate,
) -> Answer<()> {
    let (Kind::Rating, Outcome::Binding, Some(mean)) =
        (derivation.kind, derivation.outcome, derivation.score)
    else {
        return Ok(());
    };
    let rated = Rated {
        ballot: ballot.as_str(),
        contract: &derivation.matter_id,
        mean,
        ballots: derivation.ballots,
        day,
    };
    spending::rate(tx, rated)
}

/// The same for every ballot that was counted and not added. `zone` is the ward's.
///
/// # Errors
/// A fault of the database.
pub fn catch_up(tx: &mut Tx<'_>, zone: Tz) -> Answer<()> {
    let mut after = String::new();
    loop {
        let counted = store::counted(tx.conn(), &after, PIECE)?;
        let Some((last, _)) = counted.last() else {
            return Ok(());
        };
        last.as_str().clone_into(&mut after);
        for (id, at) in &counted {
            if let Some((derivation, _)) = store::result(tx.conn(), id)? {
                rate(tx, (id, &derivation), local_date(*at, zone))?;
            }
        }
    }
}
