//! What periods come to and contracts were paid, added up for whoever reads it.

use chrono::NaiveDate;

use crate::contracts::commitments;
use crate::contracts::desk::{self, Signed};
use crate::contracts::rules::ContractId;
use crate::db::conn::Conn;
use crate::kernel::clock::Instant;
use crate::kernel::money::{Money, MoneyError};
use crate::kernel::refusal::{Answer, Fault};
use crate::payments::desk_claims::{Statement, due_on, is_recovered, late, statement};
use crate::payments::rules_certification::set_aside;
use crate::payments::rules_claims::{Claim, Kind, State};
use crate::payments::rules_closings::Closing;
use crate::payments::rules_recovery::{advanced, taken};
use crate::payments::{moves_claims as moves, store_claims as store, store_closings};
use crate::web::context::WardCalendar;

fn beyond(error: MoneyError) -> Fault {
    Fault::caused("add up what was paid", error)
}

/// What a period comes to, with what has become of it.
pub struct Stated {
    /// What it comes to.
    pub statement: Statement,
    /// The last day for payment, once it is accepted.
    pub due_on: Option<NaiveDate>,
    /// What may be certified now.
    pub open: Money,
    /// What was paid.
    pub paid: Money,
    /// What was kept back with it.
    pub retained: Money,
    /// What went back to the line.
    pub released: Money,
    /// Interest for what was, or is, paid late.
    pub interest: Money,
}

/// Interest that these claims come to, and how many of them are late.
fn interest(
    conn: &mut Conn,
    (signed, claims): (&Signed, &[Claim]),
    at: (&WardCalendar, Instant),
) -> Answer<(Money, u32)> {
    let (mut sum, mut count) = (Money::ZERO, 0_u32);
    for one in claims.iter().filter(|one| one.certified.is_some()) {
        let late = late(conn, (signed, one), at)?;
        // What would be more than an amount can be is the most that it can be.
        sum = sum.checked_add(late.interest).unwrap_or(Money::MAX);
        count = count.saturating_add(u32::from(late.days > 0));
    }
    Ok((sum, count))
}

/// What a period comes to, with what has become of it.
///
/// # Errors
/// Not found; a rule that is not set; a fault of the database or of arithmetic.
pub fn stated(conn: &mut Conn, id: &ContractId, number: i64, at: (&WardCalendar, Instant)) -> Answer<Stated> {
    let statement = statement(conn, id, (number, None), at)?;
    let own = statement
        .claims
        .iter()
        .filter(|one| one.is_of(Kind::Period, Some(number)));
    let own: Vec<Claim> = own.cloned().collect();
    let (interest, _) = interest(conn, (&statement.signed, &own), at)?;
    let (released, retained) = set_aside((&own, &statement.closings), number)?;
    let is_terminated = statement.signed.contract.since.terminated_on.is_some();
    let since = statement.accepted().map(|accepted| accepted.since);
    let due_on = since
        .map(|since| due_on(&statement.signed, since, at.0))
        .transpose()?;
    let paid = own.iter().filter(|one| one.state.is_paid()).map(Claim::counted);
    Ok(Stated {
        due_on,
        open: if is_terminated {
            Money::ZERO
        } else {
            statement.part.open()?
        },
        paid: Money::sum(paid).map_err(beyond)?,
        retained,
        released,
        interest,
        statement,
    })
}

/// What of an advance that the periods take back they have not taken back yet.
fn advance_left(signed: &Signed, (claims, closings): (&[Claim], &[Closing])) -> Result<Money, Fault> {
    if !is_recovered(signed) {
        return Ok(Money::ZERO);
    }
    let taken = taken(claims, closings);
    let taken = Money::sum(taken.iter().map(|(_, amount)| *amount)).map_err(beyond)?;
    let left = advanced(claims)?.checked_sub(taken).map_err(beyond)?;
    Ok(left.max(Money::ZERO))
}

/// What a contract was paid, and what is left of it.
pub struct Totals {
    /// The contract.
    pub contract_id: ContractId,
    /// Its price with what concluded variations have changed.
    pub price_now: Money,
    /// Its claims.
    pub claims: Vec<Claim>,
    /// What those claim that were neither returned nor failed.
    pub claimed: Money,
    /// What is certified of that.
    pub certified: Money,
    /// What was paid.
    pub paid: Money,
    /// What the bank has confirmed.
    pub confirmed: Money,
    /// What is kept back.
    pub retained: Money,
    /// What went back to the line.
    pub released: Money,
    /// What was paid of the advance and the periods have not taken back; nothing where they do not.
    pub advance_left: Money,
    /// What is committed and not used up.
    pub committed: Money,
    /// Interest for what was, or is, paid late.
    pub interest: Money,
    /// Interest that is claimed.
    pub interest_claimed: Money,
    /// Interest that was paid.
    pub interest_paid: Money,
    /// How many claims are, or were paid, late.
    pub late: u32,
}

/// What a contract was paid, and what is left of it.
///
/// # Errors
/// Not found; a rule that is not set; a fault of the database or of arithmetic.
pub fn totals(conn: &mut Conn, id: &ContractId, at: (&WardCalendar, Instant)) -> Answer<Totals> {
    let signed = desk::signed(conn, id)?;
    let claims = store::of_contract(conn, id)?;
    let closings = store_closings::of_contract(conn, id)?;
    let (interest, late) = interest(conn, (&signed, &claims), at)?;
    let sum = |amounts: &mut dyn Iterator<Item = Money>| Money::sum(amounts).map_err(beyond);
    // Interest is no part of the price, and is told by itself.
    let (of_interest, of_price): (Vec<Claim>, Vec<Claim>) = claims
        .iter()
        .cloned()
        .partition(|one| one.entered.kind == Kind::Interest);
    let counting = || of_price.iter().filter(|one| one.state.counts());
    let bearing = || of_interest.iter().filter(|one| one.state.counts());
    let executed = || claims.iter().filter_map(|one| one.executed.as_ref());
    let price = signed.contract.price.checked_add(signed.contract.since.varied);
    Ok(Totals {
        contract_id: id.clone(),
        price_now: price.map_err(beyond)?,
        claimed: sum(&mut counting().map(|one| one.entered.amount))?,
        certified: sum(&mut counting().map(Claim::counted))?,
        paid: sum(&mut counting().filter(|one| one.state.is_paid()).map(Claim::counted))?,
        confirmed: sum(&mut counting()
            .filter(|one| one.state == State::Confirmed)
            .map(Claim::counted))?,
        retained: commitments::remaining(&moves::retained(conn, &signed)?)?,
        released: sum(&mut executed()
            .map(|one| one.released)
            .chain(closings.iter().map(|one| one.released)))?,
        advance_left: advance_left(&signed, (&claims, &closings))?,
        committed: commitments::remaining(&moves::committed(conn, &signed)?)?,
        interest,
        interest_claimed: sum(&mut bearing().map(|one| one.entered.amount))?,
        interest_paid: sum(&mut bearing().filter(|one| one.state.is_paid()).map(Claim::counted))?,
        late,
        claims,
    })
}
