//! What a trace of money is put together from: the transfers of a line, of lots, contracts and claims, and the events that tell of them. Reading only.

use std::collections::BTreeSet;

use diesel::prelude::*;

use crate::budget::rules::BudgetLineId;
use crate::budget::rules_ledger::{AccountCode, LedgerAccountId, Transfer, TransferCode, TransferId};
use crate::budget::rules_movements::MovementState;
use crate::budget::store_ledger;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_variations::VariationId;
use crate::db::conn::Conn;
use crate::db::schema::{
    addenda, awards, contract_terminations, contract_variations, contracts, ledger_entries, ledger_transfers,
    lots, payment_claims, year_ends,
};
use crate::kernel::refusal::Answer;
use crate::payments::rules_claims::ClaimId;

/// Transfers that move what a line has, and not what is held in it: oldest first.
///
/// # Errors
/// A fault of the database.
pub fn of_line(conn: &mut Conn, line: &BudgetLineId, max: i64) -> Answer<Vec<TransferId>> {
    let free = store_ledger::account_of_line(conn, line, AccountCode::Available)?.id;
    let codes = [
        TransferCode::Allocation,
        TransferCode::Withdrawal,
        TransferCode::Transfer,
        TransferCode::CarryOver,
        TransferCode::Return,
        TransferCode::Delegation,
    ];
    of_account(conn, &free, &codes, max)
}

/// Transfers of an account for one of these reasons, oldest first.
///
/// # Errors
/// A fault of the database.
pub fn of_account(
    conn: &mut Conn,
    account: &LedgerAccountId,
    codes: &[TransferCode],
    max: i64,
) -> Answer<Vec<TransferId>> {
    let names: Vec<&str> = codes.iter().map(|code| code.name()).collect();
    Ok(ledger_entries::table
        .inner_join(ledger_transfers::table)
        .filter(ledger_entries::account_id.eq(account))
        .filter(ledger_transfers::code.eq_any(names))
        .order(ledger_entries::number)
        .limit(max)
        .select(ledger_transfers::id)
        .load(conn)?)
}

/// What was ever held in a line, in the order in which it was: lots, contracts and their variations, claims, what was reserved by hand.
///
/// # Errors
/// A fault of the database.
pub fn held(conn: &mut Conn, line: &BudgetLineId, max: i64) -> Answer<Vec<String>> {
    let mut matters = Vec::new();
    for code in [
        AccountCode::Reserved,
        AccountCode::Committed,
        AccountCode::Retained,
    ] {
        let account = store_ledger::account_of_line(conn, line, code)?.id;
        let some: Vec<String> = ledger_entries::table
            .inner_join(ledger_transfers::table)
            .filter(ledger_entries::account_id.eq(&account))
            .filter(ledger_entries::amount_fen.gt(0))
            .order(ledger_entries::number)
            .limit(max)
            .select(ledger_transfers::matter)
            .load(conn)?;
        matters.extend(some);
    }
    let mut seen = BTreeSet::new();
    matters.retain(|matter| seen.insert(matter.clone()));
    Ok(matters)
}

/// The contract that a matter is, or that it is a variation or a claim of; none for what is of no contract.
///
/// # Errors
/// A fault of the database.
pub fn contract_of(conn: &mut Conn, matter: &str) -> Answer<Option<ContractId>> {
    if let Ok(contract) = matter.parse() {
        return Ok(Some(contract));
    }
    if matter.parse::<VariationId>().is_ok() {
        return Ok(contract_variations::table
            .find(matter)
            .select(contract_variations::contract_id)
            .first(conn)
            .optional()?);
    }
    if matter.parse::<ClaimId>().is_ok() {
        return Ok(payment_claims::table
            .find(matter)
            .select(payment_claims::contract_id)
            .first(conn)
            .optional()?);
    }
    Ok(None)
}

/// What became of a matter at years' ends, as far as it was confirmed.
///
/// # Errors
/// A fault of the database.
pub fn year_ends_of(conn: &mut Conn, matter: &str) -> Answer<Vec<String>> {
    Ok(year_ends::table
        .filter(year_ends::matter.eq(matter))
        .filter(year_ends::state.eq(MovementState::Confirmed.name()))
        .order(year_ends::id)
        .select(year_ends::id)
        .load(conn)?)
}

/// The transfer that set free what another carries over or gives back at a year's end; none if that was free already.
///
/// # Errors
/// A fault of the database.
pub fn freed(conn: &mut Conn, transfer: &Transfer) -> Answer<Option<TransferId>> {
    let found: Option<(String, String)> = year_ends::table
        .find(&transfer.order.matter)
        .select((year_ends::matter, year_ends::hold_id))
        .first(conn)
        .optional()?;
    match found {
        Some((matter, hold)) => before(conn, transfer, (vec![matter], TransferCode::Release), Some(hold)),
        None => Ok(None),
    }
}

/// The transfer that carried over what another holds again.
///
/// # Errors
/// A fault of the database.
pub fn carried(conn: &mut Conn, transfer: &Transfer) -> Answer<Option<TransferId>> {
    let year_ends = year_ends_of(conn, &transfer.order.matter)?;
    before(conn, transfer, (year_ends, TransferCode::CarryOver), None)
}

/// The transfer by which came back what another holds again for its contract.
///
/// # Errors
/// A fault of the database.
pub fn refunded(conn: &mut Conn, contract: &ContractId, transfer: &Transfer) -> Answer<Option<TransferId>> {
    let claims = claims_of(conn, contract)?;
    before(conn, transfer, (claims, TransferCode::Refund), None)
}

/// The transfer that brought the same amount at the same instant to where another took it from.
fn before(
    conn: &mut Conn,
    transfer: &Transfer,
    (matters, code): (Vec<String>, TransferCode),
    hold: Option<String>,
) -> Answer<Option<TransferId>> {
    let mut query = ledger_transfers::table
        .filter(ledger_transfers::matter.eq_any(matters))
        .filter(ledger_transfers::code.eq(code.name()))
        .filter(ledger_transfers::made_at.eq(transfer.made_at.naive_utc()))
        .filter(ledger_transfers::amount_fen.eq(transfer.order.amount.fen()))
        .filter(ledger_transfers::to_account_id.eq(transfer.order.from.to_string()))
        .into_boxed();
    if let Some(hold) = hold {
        query = query.filter(ledger_transfers::hold_id.eq(hold));
    }
    Ok(query
        .order(ledger_transfers::id)
        .select(ledger_transfers::id)
        .first(conn)
        .optional()?)
}

/// The payment that a refund undoes.
///
/// # Errors
/// A fault of the database.
pub fn undone(conn: &mut Conn, refund: &Transfer) -> Answer<Option<TransferId>> {
    Ok(ledger_transfers::table
        .filter(ledger_transfers::matter.eq(&refund.order.matter))
        .filter(ledger_transfers::code.eq(TransferCode::Payment.name()))
        .filter(ledger_transfers::to_account_id.eq(&refund.order.from))
        .filter(ledger_transfers::amount_fen.eq(refund.order.amount.fen()))
        .order(ledger_transfers::id)
        .select(ledger_transfers::id)
        .first(conn)
        .optional()?)
}

/// The signed contracts of a lot.
///
/// # Errors
/// A fault of the database.
pub fn contracts_of(conn: &mut Conn, lot: &str) -> Answer<Vec<ContractId>> {
    Ok(contracts::table
        .filter(contracts::lot_id.eq(lot))
        .filter(contracts::signed_at.is_not_null())
        .order(contracts::id)
        .select(contracts::id)
        .load(conn)?)
}

/// The lot of a signed contract and the line that it was reserved on.
///
/// # Errors
/// A fault of the database.
pub fn lot_of(conn: &mut Conn, contract: &ContractId) -> Answer<Option<(String, BudgetLineId)>> {
    let lot: Option<String> = contracts::table
        .find(contract)
        .filter(contracts::signed_at.is_not_null())
        .select(contracts::lot_id)
        .first(conn)
        .optional()?;
    let Some(lot) = lot else { return Ok(None) };
    let line = lots::table
        .find(&lot)
        .select(lots::budget_line_id)
        .first(conn)
        .optional()?;
    Ok(line.map(|line| (lot, line)))
}

/// The variations of a contract, oldest first.
///
/// # Errors
/// A fault of the database.
pub fn variations_of(conn: &mut Conn, contract: &ContractId) -> Answer<Vec<String>> {
    Ok(contract_variations::table
        .filter(contract_variations::contract_id.eq(contract))
        .order(contract_variations::number)
        .select(contract_variations::id)
        .load(conn)?)
}

/// The claims of a contract, oldest first.
///
/// # Errors
/// A fault of the database.
pub fn claims_of(conn: &mut Conn, contract: &ContractId) -> Answer<Vec<String>> {
    Ok(payment_claims::table
        .filter(payment_claims::contract_id.eq(contract))
        .order(payment_claims::number)
        .select(payment_claims::id)
        .load(conn)?)
}

/// What events about a lot are about: itself, its book, the book's addenda, its awards.
///
/// # Errors
/// A fault of the database.
pub fn subjects_of_lot(conn: &mut Conn, lot: &str) -> Answer<Vec<String>> {
    let book: Option<String> = lots::table
        .find(lot)
        .select(lots::book_id)
        .first(conn)
        .optional()?;
    let Some(book) = book else { return Ok(Vec::new()) };
    let mut subjects: Vec<String> = addenda::table
        .filter(addenda::book_id.eq(&book))
        .select(addenda::id)
        .load(conn)?;
    let of_lot: Vec<String> = awards::table
        .filter(awards::lot_id.eq(lot))
        .select(awards::id)
        .load(conn)?;
    subjects.extend(of_lot);
    subjects.extend([lot.to_owned(), book]);
    Ok(subjects)
}

/// What events about a contract are about, besides itself: its terminations.
///
/// # Errors
/// A fault of the database.
pub fn terminations_of(conn: &mut Conn, contract: &ContractId) -> Answer<Vec<String>> {
    Ok(contract_terminations::table
        .filter(contract_terminations::contract_id.eq(contract))
        .select(contract_terminations::id)
        .load(conn)?)
}
