//! Looks up whether a contract that nobody has ended is over.

use crate::contracts::acts_periods;
use crate::contracts::commitments;
use crate::contracts::desk::Signed;
use crate::contracts::desk_acceptances::known;
use crate::contracts::rules_acceptance_standing::Standing;
use crate::db::conn::Conn;
use crate::kernel::clock::Instant;
use crate::kernel::money::{Money, MoneyError};
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::weight::Weight;
use crate::payments::moves_claims as moves;
use crate::payments::rules_claims::{Claim, Kind, State};
use crate::payments::rules_completion::Facts;
use crate::web::context::WardCalendar;

/// Whether a contract is completed, which one that was ended before its time never is. `claims` are all of its claims.
///
/// # Errors
/// A fault of the database or of arithmetic.
pub fn is_completed(
    conn: &mut Conn,
    signed: &Signed,
    claims: &[Claim],
    at: (&WardCalendar, Instant),
) -> Answer<bool> {
    if signed.contract.since.terminated_on.is_some() {
        return Ok(false);
    }
    let committed = commitments::remaining(&moves::committed(conn, signed)?)?;
    let retained = commitments::remaining(&moves::retained(conn, signed)?)?;
    let held = Money::sum([committed, retained])
        .map_err(|error: MoneyError| Fault::caused("what is held for a contract", error))?;
    if !held.is_zero() {
        // As nearly always: its periods need not be looked at.
        return Ok(false);
    }
    let waits = |one: &&Claim| one.state == State::Executed && one.entered.kind != Kind::Interest;
    let (_, schedule) = acts_periods::seen(conn, &signed.contract.id)?;
    let periods = schedule.map(|schedule| schedule.periods).unwrap_or_default();
    let mut accepted = 0_usize;
    for period in &periods {
        let standing = known(conn, &signed.contract.id, period.number, at)?;
        if let Standing::Accepted(found) = standing
            && found.undisputed == Weight::HUNDRED
            && !found.is_objected
        {
            accepted = accepted.saturating_add(1);
        }
    }
    let facts = Facts {
        periods: periods.len(),
        accepted,
        unconfirmed: claims.iter().filter(waits).count(),
        held,
    };
    Ok(facts.is_completed())
}
