//! The money of a contract: what is held for it, under its own id and under those of its variations, what is added, and what goes back to its line. The
//! ledger keeps it. It asks no permission and writes no event; the act that it is part of does.

use crate::books::store::{self as books, Lot};
use crate::budget::rules::BudgetLineId;
use crate::budget::rules_ledger::{AccountCode, Hold, LINKED_MAX, Order, Transfer, TransferCode, TransferId};
use crate::budget::rules_spending::{Contracted, Described, quantity};
use crate::budget::{posting, spending, store_ledger, store_spending, store_year_ends};
use crate::contracts::rules::{Contract, ContractId};
use crate::contracts::rules_document::ContractDocument;
use crate::contracts::rules_items::items;
use crate::contracts::rules_variations::{Variation, VariationId};
use crate::contracts::{store, store_items, store_variations};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::store_organisations;

/// Says what a contract is counted under: the same as its lot, and its supplier, with how much it buys where all of that is in one unit.
///
/// # Errors
/// A fault of the database, or of bytes that are no contract.
pub fn describe(tx: &mut Tx<'_>, lot: &Lot, contract: &Contract) -> Answer<()> {
    let of_lot = store_spending::described(tx.conn(), contract.lot_id.as_str())?;
    let of_lot = of_lot.unwrap_or_else(|| Described {
        line_id: lot.budget_line_id.clone(),
        lot_id: contract.lot_id.to_string(),
        area_id: None,
        method: None,
        contracted: None,
    });
    let supplier = store_organisations::organisation(tx.conn(), &contract.supplier_id)?;
    let supplier =
        supplier.ok_or_else(|| Fault::broken(format!("the supplier of {} is gone", contract.id)))?;
    let document: ContractDocument = serde_json::from_str(&contract.content)
        .map_err(|error| Fault::caused(format!("read the contract {}", contract.id), error))?;
    let parts = document.lot.quantities.iter();
    let parts = parts.map(|one| (one.amount.as_str(), one.unit_zh.as_str(), one.unit_en.as_str()));
    let described = Described {
        contracted: Some(Contracted {
            contract_id: contract.id.to_string(),
            supplier_id: contract.supplier_id.clone(),
            supplier_kind: supplier.kind,
            quantity: quantity(parts),
        }),
        ..of_lot
    };
    spending::describe(tx, contract.id.as_str(), &described)?;
    store_items::insert(tx, contract, &items(&document)?)
}

/// The same for a contract that money was held for before that was said.
///
/// # Errors
/// A fault of the database, or if there is no such contract.
pub fn describe_again(tx: &mut Tx<'_>, contract: &str) -> Answer<()> {
    let gone = || Fault::broken(format!("money is held for {contract}, which is not there"));
    let id: ContractId = contract
        .parse()
        .map_err(|error| Fault::caused("read a contract's id", error))?;
    let contract = store::contract(tx.conn(), &id)?.ok_or_else(gone)?;
    let lot = books::lot(tx.conn(), &contract.lot_id)?.ok_or_else(gone)?;
    describe(tx, &lot, &contract)
}

/// The same for a variation of one: it is counted where its contract is.
///
/// # Errors
/// A fault of the database, or if there is no such variation.
pub fn describe_variation_again(tx: &mut Tx<'_>, variation: &str) -> Answer<()> {
    let gone = || Fault::broken(format!("money is held for {variation}, which is not there"));
    let id: VariationId = variation
        .parse()
        .map_err(|error| Fault::caused("read a variation's id", error))?;
    let found = store_variations::variation(tx.conn(), &id)?.ok_or_else(gone)?;
    spending::describe_as(tx, id.as_str(), found.contract_id.as_str())
}

/// What is committed for a contract and not used up: its own commitment first, then those of its variations.
///
/// # Errors
/// A fault of the database.
pub fn held(conn: &mut Conn, contract: &ContractId, variations: &[Variation]) -> Answer<Vec<Hold>> {
    let mut holds = store_ledger::holds_of(conn, contract.as_str(), AccountCode::Committed)?;
    for variation in variations.iter().filter(|one| one.is_concluded()) {
        let more = store_ledger::holds_of(conn, variation.id.as_str(), AccountCode::Committed)?;
        holds.extend(more);
    }
    Ok(holds)
}

/// How much that is.
///
/// # Errors
/// A fault of arithmetic.
pub fn remaining(holds: &[Hold]) -> Result<Money, Fault> {
    let all = Money::sum(holds.iter().map(|hold| hold.remaining));
    all.map_err(|error| Fault::caused("add up what is committed", error))
}

/// The line that a contract is paid from now: its book's, or that of a later year into which its commitment was carried over.
///
/// # Errors
/// A fault of the database.
pub fn line(conn: &mut Conn, contract: &ContractId, lot: &Lot) -> Answer<BudgetLineId> {
    let carried = store_year_ends::line_of(conn, contract.as_str())?;
    Ok(carried.unwrap_or_else(|| lot.budget_line_id.clone()))
}

/// Commits more of the line's free money, under a matter of its own.
///
/// # Errors
/// Those of the ledger: `ledger_would_overdraw` if the line has not enough.
pub(super) fn add(
    tx: &mut Tx<'_>,
    line: &BudgetLineId,
    (amount, matter): (Money, &str),
) -> Answer<Vec<Transfer>> {
    let order = Order {
        id: posting::transfer_of(matter)?,
        from: store_ledger::account_of_line(tx.conn(), line, AccountCode::Available)?.id,
        to: store_ledger::account_of_line(tx.conn(), line, AccountCode::Committed)?.id,
        amount,
        code: TransferCode::Commitment,
        hold: None,
        matter: matter.to_owned(),
    };
    posting::post(tx, vec![order])
}

/// Gives so much of what is held back to where it came from, of the first hold first.
///
/// # Errors
/// Those of the ledger; a fault if less than that is held, which the caller has to have asked before.
pub fn give_back(tx: &mut Tx<'_>, holds: &[Hold], amount: Money) -> Answer<Vec<Transfer>> {
    back(tx, holds, (amount, TransferCode::Release))
}

/// The same for what was deducted for good of a period.
///
/// # Errors
/// As [`give_back`].
pub fn deduct(tx: &mut Tx<'_>, holds: &[Hold], amount: Money) -> Answer<Vec<Transfer>> {
    back(tx, holds, (amount, TransferCode::Deduction))
}

fn back(tx: &mut Tx<'_>, holds: &[Hold], (amount, code): (Money, TransferCode)) -> Answer<Vec<Transfer>> {
    let mut left = amount;
    let mut orders = Vec::new();
    for hold in holds {
        let part = left.min(hold.remaining);
        if part.is_zero() {
            continue;
        }
        left = left
            .checked_sub(part)
            .map_err(|error| Fault::caused("give back what is committed", error))?;
        orders.push(Order {
            id: TransferId::mint(tx.now()),
            from: hold.account_id.clone(),
            to: hold.origin_account_id.clone(),
            amount: part,
            code,
            hold: Some(hold.id.clone()),
            matter: hold.matter.clone(),
        });
    }
    if !left.is_zero() {
        return Err(Fault::broken("more was to go back than is committed").into());
    }
    let mut transfers = Vec::with_capacity(orders.len());
    for some in orders.chunks(LINKED_MAX) {
        transfers.extend(posting::post(tx, some.to_vec())?);
    }
    Ok(transfers)
}
