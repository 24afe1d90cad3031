//! The money of claims: paid out of what is committed for the contract, its own commitment first; kept back; given back to the line; and come back from the bank.
//! The ledger keeps it. It asks no permission and writes no event; the act that it is part of does.

use crate::award::desk as awards;
use crate::budget::posting;
use crate::budget::rules_ledger::{
    AccountCode, HOLD_EXCEEDED, Hold, LINKED_MAX, LedgerAccountId, Order, Transfer, TransferCode, TransferId,
};
use crate::budget::store_ledger;
use crate::contracts::commitments;
use crate::contracts::desk::Signed;
use crate::contracts::store_variations;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::money::{Money, MoneyError};
use crate::kernel::refusal::{Answer, Fault};
use crate::payments::rules_claims::{Claim, Kind};

fn beyond(error: MoneyError) -> Fault {
    Fault::caused("the money of a claim", error)
}

/// What is committed for a contract and not used up, its own commitment first.
///
/// # Errors
/// A fault of the database.
pub fn committed(conn: &mut Conn, signed: &Signed) -> Answer<Vec<Hold>> {
    let variations = store_variations::of_contract(conn, &signed.contract.id)?;
    commitments::held(conn, &signed.contract.id, &variations)
}

/// What is kept back of a contract until its end.
///
/// # Errors
/// A fault of the database.
pub fn retained(conn: &mut Conn, signed: &Signed) -> Answer<Vec<Hold>> {
    store_ledger::holds_of(conn, signed.contract.id.as_str(), AccountCode::Retained)
}

/// What is kept back with a payment, and what goes back to the line with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Kept back.
    pub retain: Money,
    /// Given back.
    pub release: Money,
}

/// What a payment did.
#[derive(Debug)]
pub struct Paid {
    /// What was kept back with it.
    pub retained: Money,
    /// What went back to the line.
    pub released: Money,
    /// What of it was taken from what was kept back.
    pub from_retained: Money,
    /// Every transfer.
    pub transfers: Vec<Transfer>,
}

/// So much of these holds, of the first one first.
///
/// # Errors
/// [`HOLD_EXCEEDED`] if less is left of them all.
fn parts(holds: &[Hold], amount: Money) -> Answer<Vec<(&Hold, Money)>> {
    let mut left = amount;
    let mut parts = Vec::new();
    for hold in holds {
        let part = left.min(hold.remaining);
        if part.is_zero() {
            continue;
        }
        left = left.checked_sub(part).map_err(beyond)?;
        parts.push((hold, part));
    }
    if left.is_zero() {
        Ok(parts)
    } else {
        Err(HOLD_EXCEEDED.refuse().into())
    }
}

/// Where money goes, and why.
struct To<'t> {
    account: &'t LedgerAccountId,
    code: TransferCode,
    matter: &'t str,
}

fn take(tx: &mut Tx<'_>, parts: &[(&Hold, Money)], to: &To<'_>) -> Answer<Vec<Transfer>> {
    let order = |(hold, part): &(&Hold, Money)| Order {
        id: TransferId::mint(tx.now()),
        from: hold.account_id.clone(),
        to: to.account.clone(),
        amount: *part,
        code: to.code,
        hold: Some(hold.id.clone()),
        matter: to.matter.to_owned(),
    };
    let orders: Vec<Order> = parts.iter().map(order).collect();
    let mut transfers = Vec::with_capacity(orders.len());
    for some in orders.chunks(LINKED_MAX) {
        transfers.extend(posting::post(tx, some.to_vec())?);
    }
    Ok(transfers)
}

fn account(conn: &mut Conn, signed: &Signed, code: AccountCode) -> Answer<LedgerAccountId> {
    let line = awards::known(conn, &signed.contract.lot_id)?.lot.budget_line_id;
    Ok(store_ledger::account_of_line(conn, &line, code)?.id)
}

/// Pays an amount of a claim, keeps back and gives back what belongs to it. What was retained is paid out of what was kept back first.
///
/// # Errors
/// [`HOLD_EXCEEDED`] if less is committed; those of the ledger.
pub fn pay(tx: &mut Tx<'_>, signed: &Signed, (claim, amount): (&Claim, Money), aside: Aside) -> Answer<Paid> {
    let kept = if claim.entered.kind == Kind::Retention {
        retained(tx.conn(), signed)?
    } else {
        Vec::new()
    };
    let from_retained = commitments::remaining(&kept)?.min(amount);
    let holds: Vec<Hold> = kept.into_iter().chain(committed(tx.conn(), signed)?).collect();
    let spent = account(tx.conn(), signed, AccountCode::Spent)?;
    let to = To {
        account: &spent,
        code: TransferCode::Payment,
        matter: claim.id.as_str(),
    };
    let mut transfers = take(tx, &parts(&holds, amount)?, &to)?;
    let retained = keep_back(tx, signed, aside.retain, &mut transfers)?;
    let (released, given_back) = release(tx, signed, aside.release)?;
    transfers.extend(given_back);
    Ok(Paid {
        retained,
        released,
        from_retained,
        transfers,
    })
}

/// Gives so much of what is committed for the contract back to its line, or all that is left if that is less. What was added last goes back first, so that the contract's own
/// commitment lasts as long as it can.
///
/// # Errors
/// Those of the ledger.
pub fn release(tx: &mut Tx<'_>, signed: &Signed, amount: Money) -> Answer<(Money, Vec<Transfer>)> {
    let holds: Vec<Hold> = committed(tx.conn(), signed)?.into_iter().rev().collect();
    let released = amount.min(commitments::remaining(&holds)?);
    Ok((released, commitments::give_back(tx, &holds, released)?))
}

fn keep_back(
    tx: &mut Tx<'_>,
    signed: &Signed,
    amount: Money,
    transfers: &mut Vec<Transfer>,
) -> Answer<Money> {
    let holds = committed(tx.conn(), signed)?;
    let amount = amount.min(commitments::remaining(&holds)?);
    if amount.is_zero() {
        return Ok(Money::ZERO);
    }
    let kept = account(tx.conn(), signed, AccountCode::Retained)?;
    let to = To {
        account: &kept,
        code: TransferCode::Retention,
        matter: signed.contract.id.as_str(),
    };
    transfers.extend(take(tx, &parts(&holds, amount)?, &to)?);
    Ok(amount)
}

/// Takes a payment back that the bank could not make: what was paid is free money of the line for a moment, and is held again for the contract, as it was before.
/// A hold that goes straight from what was spent to what is committed would one day go back to where it came from, to what was spent.
///
/// # Errors
/// Those of the ledger; a fault of arithmetic.
pub fn take_back(
    tx: &mut Tx<'_>,
    signed: &Signed,
    (claim, amount, from_retained): (&Claim, Money, Money),
) -> Answer<Vec<Transfer>> {
    let from_committed = amount.checked_sub(from_retained).map_err(beyond)?;
    let free = account(tx.conn(), signed, AccountCode::Available)?;
    let mut orders = vec![Order {
        id: TransferId::mint(tx.now()),
        from: account(tx.conn(), signed, AccountCode::Spent)?,
        to: free.clone(),
        amount,
        code: TransferCode::Refund,
        hold: None,
        matter: claim.id.to_string(),
    }];
    let back = [
        (AccountCode::Committed, TransferCode::Commitment, from_committed),
        (AccountCode::Retained, TransferCode::Retention, from_retained),
    ];
    for (held, code, part) in back.into_iter().filter(|(_, _, part)| !part.is_zero()) {
        orders.push(Order {
            id: TransferId::mint(tx.now()),
            from: free.clone(),
            to: account(tx.conn(), signed, held)?,
            amount: part,
            code,
            hold: None,
            matter: signed.contract.id.to_string(),
        });
    }
    posting::post(tx, orders)
}
