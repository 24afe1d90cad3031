//! The money of claims: paid out of what is committed for the contract, its own commitment first; kept back; given back to the line; and come back from the bank.
//! The ledger keeps it. It asks no permission and writes no event; the act that it is part of does.

use crate::award::desk as awards;
use crate::budget::rules_ledger::{
    AccountCode, HOLD_EXCEEDED, Hold, LINKED_MAX, LedgerAccount, LedgerAccountId, Order, Transfer,
    TransferCode, TransferId,
};
use crate::budget::store_ledger;
use crate::budget::{posting, spending};
use crate::contracts::commitments;
use crate::contracts::desk::Signed;
use crate::contracts::store_variations;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::money::{Money, MoneyError};
use crate::kernel::refusal::{Answer, Fault};
use crate::payments::rules_claims::{Claim, ClaimId, Kind};
use crate::payments::store_claims;

/// Transfers of one claim at most: one for each hold of its contract, of which there is one for each variation and each payment that came back.
const TRANSFERS_MAX: u16 = 10_000;

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

/// Where money goes, of the line that it is held in, and why.
struct To<'t> {
    account: AccountCode,
    code: TransferCode,
    matter: &'t str,
}

fn take(tx: &mut Tx<'_>, parts: &[(&Hold, Money)], to: &To<'_>) -> Answer<Vec<Transfer>> {
    let mut orders = Vec::with_capacity(parts.len());
    for (hold, part) in parts {
        orders.push(Order {
            id: TransferId::mint(tx.now()),
            from: hold.account_id.clone(),
            to: beside(tx.conn(), &hold.account_id, to.account)?,
            amount: *part,
            code: to.code,
            hold: Some(hold.id.clone()),
            matter: to.matter.to_owned(),
        });
    }
    let mut transfers = Vec::with_capacity(orders.len());
    for some in orders.chunks(LINKED_MAX) {
        transfers.extend(posting::post(tx, some.to_vec())?);
    }
    Ok(transfers)
}

/// The account of a code of the line that another account is of: what was carried over into another year is paid there.
fn beside(conn: &mut Conn, account: &LedgerAccountId, code: AccountCode) -> Answer<LedgerAccountId> {
    let broken = || Fault::broken(format!("{account} is of no line"));
    let line = store_ledger::account(conn, account)?.and_then(|account| account.line_id);
    Ok(store_ledger::account_of_line(conn, &line.ok_or_else(broken)?, code)?.id)
}

/// An account of the line that the contract is paid from now.
fn account(conn: &mut Conn, signed: &Signed, code: AccountCode) -> Answer<LedgerAccount> {
    let lot = awards::known(conn, &signed.contract.lot_id)?.lot;
    let line = commitments::line(conn, &signed.contract.id, &lot)?;
    store_ledger::account_of_line(conn, &line, code)
}

/// What of the line is free.
///
/// # Errors
/// A fault of the database.
pub fn available(conn: &mut Conn, signed: &Signed) -> Answer<Money> {
    Ok(account(conn, signed, AccountCode::Available)?.balance)
}

/// Commits free money of the line for interest, under the claim's own id.
///
/// # Errors
/// Those of the ledger.
pub fn commit_interest(tx: &mut Tx<'_>, signed: &Signed, claim: &Claim) -> Answer<Vec<Transfer>> {
    // The claim's own commitment is counted where its contract is.
    spending::describe_as(tx, claim.id.as_str(), signed.contract.id.as_str())?;
    let order = Order {
        id: posting::transfer_of(claim.id.as_str())?,
        from: account(tx.conn(), signed, AccountCode::Available)?.id,
        to: account(tx.conn(), signed, AccountCode::Committed)?.id,
        amount: claim.counted(),
        code: TransferCode::Commitment,
        hold: None,
        matter: claim.id.to_string(),
    };
    posting::post(tx, vec![order])
}

/// Says of a claim whose own money was held before that was said that it is counted where its contract is.
///
/// # Errors
/// A fault of the database, or if there is no such claim.
pub fn describe_again(tx: &mut Tx<'_>, claim: &str) -> Answer<()> {
    let id: ClaimId = claim
        .parse()
        .map_err(|error| Fault::caused("read a claim's id", error))?;
    let found = store_claims::claim(tx.conn(), &id)?;
    let found =
        found.ok_or_else(|| Fault::broken(format!("money is held for {claim}, which is not there")))?;
    spending::describe_as(tx, claim, found.contract_id.as_str())
}

/// Sets free what is committed for the interest of a claim that is not paid any more.
///
/// # Errors
/// Those of the ledger.
pub fn free_interest(tx: &mut Tx<'_>, claim: &Claim) -> Answer<Vec<Transfer>> {
    let holds = store_ledger::holds_of(tx.conn(), claim.id.as_str(), AccountCode::Committed)?;
    let all = commitments::remaining(&holds)?;
    commitments::give_back(tx, &holds, all)
}

/// What a claim is paid out of, in this order: what was retained out of what was kept back first, interest out of its own commitment alone.
///
/// # Errors
/// A fault of the database.
pub fn held_for(conn: &mut Conn, signed: &Signed, claim: &Claim) -> Answer<Vec<Hold>> {
    match claim.entered.kind {
        Kind::Interest => store_ledger::holds_of(conn, claim.id.as_str(), AccountCode::Committed),
        Kind::Retention => {
            let mut holds = retained(conn, signed)?;
            holds.extend(committed(conn, signed)?);
            Ok(holds)
        }
        Kind::Period | Kind::Advance | Kind::Settlement => committed(conn, signed),
    }
}

/// Pays an amount of a claim, keeps back and gives back what belongs to it. What was retained is paid out of what was kept back first.
///
/// # Errors
/// [`HOLD_EXCEEDED`] if less is committed; those of the ledger.
pub fn pay(tx: &mut Tx<'_>, signed: &Signed, (claim, amount): (&Claim, Money), aside: Aside) -> Answer<Paid> {
    let kept = match claim.entered.kind {
        Kind::Retention => commitments::remaining(&retained(tx.conn(), signed)?)?,
        _ => Money::ZERO,
    };
    let from_retained = kept.min(amount);
    let holds = held_for(tx.conn(), signed, claim)?;
    let to = To {
        account: AccountCode::Spent,
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
    Ok((released, commitments::deduct(tx, &holds, released)?))
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
    let to = To {
        account: AccountCode::Retained,
        code: TransferCode::Retention,
        matter: signed.contract.id.as_str(),
    };
    transfers.extend(take(tx, &parts(&holds, amount)?, &to)?);
    Ok(amount)
}

/// Takes a payment back that the bank could not make: what was paid is free money of its line for a moment, and is held again for the contract, where it was before.
/// A hold that goes straight from what was spent to what is committed would one day go back to where it came from, to what was spent. What interest was paid with stays
/// free: it is committed anew when it is certified anew.
///
/// # Errors
/// Those of the ledger; a fault if it is not what was paid.
pub fn take_back(
    tx: &mut Tx<'_>,
    signed: &Signed,
    (claim, amount): (&Claim, Money),
) -> Answer<Vec<Transfer>> {
    let paid = paid(tx.conn(), claim)?;
    let all = Money::sum(paid.iter().map(|(_, part)| *part)).map_err(beyond)?;
    if all != amount {
        return Err(Fault::broken(format!("{}: {all} were paid, and {amount} come back", claim.id)).into());
    }
    let (mut orders, now) = (Vec::new(), tx.now());
    for ((held, spent), part) in paid {
        let free = beside(tx.conn(), &spent, AccountCode::Available)?;
        let mut order = |from, to, code, matter: &str| {
            orders.push(Order {
                id: TransferId::mint(now),
                from,
                to,
                amount: part,
                code,
                hold: None,
                matter: matter.to_owned(),
            });
        };
        order(spent, free.clone(), TransferCode::Refund, claim.id.as_str());
        if claim.entered.kind == Kind::Interest {
            continue;
        }
        let account = store_ledger::account(tx.conn(), &held)?;
        let code = account.map(|account| account.code);
        let again = if code == Some(AccountCode::Retained) {
            TransferCode::Retention
        } else {
            TransferCode::Commitment
        };
        order(free, held, again, signed.contract.id.as_str());
    }
    let mut transfers = Vec::with_capacity(orders.len());
    for some in orders.chunks(LINKED_MAX) {
        transfers.extend(posting::post(tx, some.to_vec())?);
    }
    Ok(transfers)
}

/// From which accounts to which a claim was paid, and how much.
fn paid(conn: &mut Conn, claim: &Claim) -> Answer<Vec<((LedgerAccountId, LedgerAccountId), Money)>> {
    let made = store_ledger::transfers_of(conn, claim.id.as_str(), i64::from(TRANSFERS_MAX))?;
    let mut paid: Vec<((LedgerAccountId, LedgerAccountId), Money)> = Vec::new();
    for one in made
        .into_iter()
        .filter(|one| one.order.code == TransferCode::Payment)
    {
        let way = (one.order.from, one.order.to);
        match paid.iter_mut().find(|(known, _)| *known == way) {
            Some((_, part)) => *part = part.checked_add(one.order.amount).map_err(beyond)?,
            None => paid.push((way, one.order.amount)),
        }
    }
    Ok(paid)
}
