//! What is done about claims that are paid: executed by another finance officer than who approved, confirmed by the bank's reference, or failed. With each of them the
//! money moves in the same transaction. Permission first, event last.

use serde_json::{Value, json};

use crate::budget::acts_year_ends::{all_decided, year_of};
use crate::budget::posting;
use crate::contracts::commitments;
use crate::contracts::desk::Signed;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::kernel::money::{Money, MoneyError};
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::payments::acts_claims::{doing, ended, not_own_claim, pays, record};
use crate::payments::desk_claims::{Seen, schedule, seen, still_accepted, termination};
use crate::payments::moves_claims::{self as moves, Aside};
use crate::payments::rules_batches::{CLAIM_IN_BATCH, PaymentBatchId};
use crate::payments::rules_certification::{free, retention_missing, retention_share, set_aside};
use crate::payments::rules_claims::{ACCOUNT_CHANGED, Certified, Claim, ClaimId, Executed, Kind};
use crate::payments::{store_batches, store_claims as store, store_closings, tidings_claims as tidings};
use crate::registry::acts_organisations::capacity;
use crate::registry::rules_bank_accounts::ChangeState;
use crate::registry::store_bank_accounts;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action};

fn certified(claim: &Claim) -> Result<&Certified, Fault> {
    let certified = claim.certified.as_ref();
    certified.ok_or_else(|| Fault::broken(format!("{} was approved and not certified", claim.id)))
}

/// Pays an approved claim as another finance officer: what is certified leaves the contract's commitment, with it the period's share of the retention is kept back,
/// and what was deducted for good of a period that is paid in full goes back to its line.
///
/// # Errors
/// In this order: permission; not found; a stale revision; `claim_of_own_organisation`; `claim_wrong_state`; [`CLAIM_IN_BATCH`], with which it is paid then; [`ACCOUNT_CHANGED`];
/// `claim_not_accepted`, if the acceptance has fallen; separation of duties; `fiscal_year_undecided`, of money whose year is over;
/// those of the ledger: `ledger_hold_exceeded` if less is committed.
pub fn execute(
    tx: &mut Tx<'_>,
    actor: &Actor,
    claim: (&ClaimId, Expected),
    calendar: &WardCalendar,
) -> Answer<Seen> {
    let seen = pay(tx, actor, claim, (calendar, None))?;
    tidings::awaits_bank(tx, &seen.signed, &seen.claim)?;
    Ok(seen)
}

/// The same for a claim by itself, or for one of a payment batch, whose own finance officers are told of all of them at once.
///
/// # Errors
/// Those of [`execute`].
pub(super) fn pay(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&ClaimId, Expected),
    (calendar, batch): (&WardCalendar, Option<&PaymentBatchId>),
) -> Answer<Seen> {
    policy::allow_at_all(actor, Action::ExecuteClaim)?;
    let Seen { signed, claim } = seen(tx.conn(), id)?;
    policy::allow(actor, Action::ExecuteClaim, signed.of_buyer())?;
    expected.check(claim.revision)?;
    not_own_claim(actor, &signed)?;
    claim.may_be_executed()?;
    if store_batches::waiting_in(tx.conn(), id)?.as_ref() != batch {
        return Err(CLAIM_IN_BATCH.refuse().into());
    }
    let account = store_bank_accounts::newest(tx.conn(), &claim.supplier_id, ChangeState::Confirmed)?;
    if account.is_none_or(|account| account.id != claim.account_id) {
        return Err(ACCOUNT_CHANGED.refuse().into());
    }
    let now = tx.now();
    still_accepted(tx.conn(), &claim, (calendar, now))?;
    pays(
        tx,
        actor,
        (&signed, &claim),
        (Duty::Execute, Action::ExecuteClaim),
    )?;
    let amount = certified(&claim)?.amount;
    let holds = moves::held_for(tx.conn(), &signed, &claim)?;
    all_decided(tx.conn(), &holds, year_of(now, calendar.zone))?;
    let aside = aside(tx.conn(), &signed, &claim)?;
    let paid = moves::pay(tx, &signed, (&claim, amount), aside)?;
    let executed = Executed {
        retained: paid.retained,
        released: paid.released,
        from_retained: paid.from_retained,
        done: doing(tx, actor)?,
    };
    store::execute(tx, id, &executed)?;
    let claim = claim.execute(executed)?;
    store::advance(tx, &claim)?;
    let data = json!({
        "paid": amount, "retained": paid.retained, "released": paid.released, "transfers": posting::told(&paid.transfers),
    });
    record(tx, actor, "claim.executed", &claim, (data, Value::Null))?;
    tidings::executed(tx, &signed, &claim)?;
    Ok(Seen { signed, claim })
}

/// What is kept back and given back with a payment: with the first of a period its share of the retention, as far as that is still to be kept back; with the one that pays the
/// rest of a settled period what was deducted, as far as it is certified for nobody. Each only once, whatever becomes of the payment, and nothing of a contract that was
/// ended, whose settlement is what it is.
fn aside(conn: &mut Conn, signed: &Signed, claim: &Claim) -> Answer<Aside> {
    let none = Aside {
        retain: Money::ZERO,
        release: Money::ZERO,
    };
    let (Kind::Period, Some(number)) = (claim.entered.kind, claim.entered.period) else {
        return Ok(none);
    };
    let contract = &signed.contract.id;
    if termination(conn, contract)?.is_some() {
        return Ok(none);
    }
    let certified = certified(claim)?;
    let claims = store::of_contract(conn, contract)?;
    let closings = store_closings::of_contract(conn, contract)?;
    let (released, retained) = set_aside((&claims, &closings), number)?;
    let schedule = schedule(conn, contract)?;
    let original = crate::contracts::rules_periods::schedule(&signed.document)?;
    let periods = original.map_or(0, |original| original.periods.len());
    let failed = |error: MoneyError| Fault::caused("what a period was paid", error);
    let of_period = claims.iter().filter(|one| one.is_of(Kind::Period, Some(number)));
    let before = Money::sum(of_period.filter(|one| one.state.is_paid()).map(Claim::counted));
    let paid = before
        .map_err(failed)?
        .checked_add(certified.amount)
        .map_err(failed)?;
    let is_last = certified.is_settled && released.is_zero() && paid == certified.payable;
    let kept = commitments::remaining(&moves::retained(conn, signed)?)?;
    let held = commitments::remaining(&moves::committed(conn, signed)?)?;
    let retain = if retained.is_zero() {
        let share = retention_share(schedule.retention, periods, number)?;
        share.min(retention_missing(schedule.retention, kept, &claims)?)
    } else {
        Money::ZERO
    };
    let others: Vec<Claim> = claims.iter().filter(|one| one.id != claim.id).cloned().collect();
    let left = held
        .checked_sub(certified.amount)
        .map_err(failed)?
        .max(Money::ZERO);
    let retain = retain.min(left);
    let left = left.checked_sub(retain).map_err(failed)?;
    let free = free(left, kept.checked_add(retain).map_err(failed)?, &others)?;
    Ok(Aside {
        retain,
        release: if is_last {
            certified.deducted.min(free)
        } else {
            Money::ZERO
        },
    })
}

/// Says by which reference the bank has paid a claim, as somebody who had no hand in it before.
///
/// # Errors
/// In this order: permission; not found; a stale revision; `claim_of_own_organisation`; those of [`Claim::confirm`]; separation of duties.
pub fn confirm(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&ClaimId, Expected),
    reference: &str,
) -> Answer<Seen> {
    policy::allow_at_all(actor, Action::ConfirmPayment)?;
    let Seen { signed, claim } = seen(tx.conn(), id)?;
    policy::allow(actor, Action::ConfirmPayment, signed.of_buyer())?;
    expected.check(claim.revision)?;
    not_own_claim(actor, &signed)?;
    let claim = claim.confirm(reference, doing(tx, actor)?)?;
    speaks_for_bank(tx, actor, (&signed, id))?;
    if let Some(confirmed) = &claim.confirmed {
        store::confirm(tx, id, confirmed)?;
    }
    store::advance(tx, &claim)?;
    let private = json!({ "bank_reference": claim.confirmed.as_ref().map(|confirmed| &confirmed.reference) });
    record(tx, actor, "claim.confirmed", &claim, (json!({}), private))?;
    tidings::confirmed(tx, &signed, &claim)?;
    Ok(Seen { signed, claim })
}

/// What the bank has done with a payment is said by somebody else than who claimed, certified, approved or executed it, or made the batch with which it was paid.
fn speaks_for_bank(tx: &mut Tx<'_>, actor: &Actor, (signed, id): (&Signed, &ClaimId)) -> Answer<()> {
    let capacity = capacity(actor, Action::ConfirmPayment, signed.of_buyer());
    if let Some(batch) = store_batches::paid_with(tx.conn(), id)? {
        duties::keep_apart(tx.conn(), actor, capacity, Duty::Confirm, batch.id.as_str())?;
    }
    duties::undertake(tx, actor, capacity, Duty::Confirm, id.as_str())
}

/// Whether somebody has claimed, certified, approved or executed a payment, or made its batch, so that others have to say what the bank has done with it.
///
/// # Errors
/// A fault of the database.
pub(super) fn has_hand(conn: &mut Conn, actor: &Actor, (signed, id): (&Signed, &ClaimId)) -> Answer<bool> {
    let capacity = capacity(actor, Action::ConfirmPayment, signed.of_buyer());
    let batch = store_batches::paid_with(conn, id)?;
    let matters = [Some(id.as_str()), batch.as_ref().map(|batch| batch.id.as_str())];
    for matter in matters.into_iter().flatten() {
        match duties::keep_apart(conn, actor, capacity, Duty::Confirm, matter) {
            Ok(()) => {}
            Err(Stop::Refused(_)) => return Ok(true),
            Err(fault) => return Err(fault),
        }
    }
    Ok(false)
}

/// Says that the bank could not pay a claim: the money is held for the contract again, and is claimed anew. By somebody who had no hand in it before.
///
/// # Errors
/// In this order: permission; not found; a stale revision; `claim_of_own_organisation`; those of [`Claim::fail`]; separation of duties; those of the ledger.
pub fn fail(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&ClaimId, Expected),
    reason: (&str, &str),
) -> Answer<Seen> {
    policy::allow_at_all(actor, Action::ConfirmPayment)?;
    let Seen { signed, claim } = seen(tx.conn(), id)?;
    policy::allow(actor, Action::ConfirmPayment, signed.of_buyer())?;
    expected.check(claim.revision)?;
    not_own_claim(actor, &signed)?;
    let claim = claim.fail(reason, doing(tx, actor)?)?;
    speaks_for_bank(tx, actor, (&signed, id))?;
    returned(tx, actor, signed, claim)
}

/// Takes a payment back that the bank says itself it could not make, even if it has confirmed it before.
///
/// # Errors
/// Those of [`fail`].
pub(super) fn come_back(tx: &mut Tx<'_>, actor: &Actor, id: &ClaimId, reason: (&str, &str)) -> Answer<Seen> {
    let Seen { signed, claim } = seen(tx.conn(), id)?;
    policy::allow(actor, Action::ConfirmPayment, signed.of_buyer())?;
    not_own_claim(actor, &signed)?;
    let claim = claim.come_back(reason, doing(tx, actor)?)?;
    speaks_for_bank(tx, actor, (&signed, id))?;
    returned(tx, actor, signed, claim)
}

/// The money of a payment that failed is held for the contract again.
fn returned(tx: &mut Tx<'_>, actor: &Actor, signed: Signed, claim: Claim) -> Answer<Seen> {
    let amount = certified(&claim)?.amount;
    let transfers = moves::take_back(tx, &signed, (&claim, amount))?;
    store::advance(tx, &claim)?;
    let data = json!({ "transfers": posting::told(&transfers) });
    record(tx, actor, "claim.failed", &claim, (data, ended(&claim)))?;
    tidings::failed(tx, &signed, &claim)?;
    Ok(Seen { signed, claim })
}
