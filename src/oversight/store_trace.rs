//! What a trace of money is put together from: the transfers of a line, of lots, contracts and claims, and the events that tell of them. Reading only.

use diesel::prelude::*;

use crate::budget::rules::BudgetLineId;
use crate::budget::rules_ledger::{AccountCode, LedgerAccountId, TransferCode, TransferId};
use crate::budget::store_ledger;
use crate::contracts::rules::ContractId;
use crate::db::conn::Conn;
use crate::db::schema::{
    addenda, awards, contract_terminations, contract_variations, contracts, ledger_accounts, ledger_entries,
    ledger_transfers, lots, payment_claims,
};
use crate::kernel::refusal::Answer;

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

/// What was reserved on a line, lots and what was reserved by hand, in the order in which it was.
///
/// # Errors
/// A fault of the database.
pub fn reserved(conn: &mut Conn, line: &BudgetLineId, max: i64) -> Answer<Vec<String>> {
    let account = store_ledger::account_of_line(conn, line, AccountCode::Reserved)?.id;
    let mut matters: Vec<String> = ledger_entries::table
        .inner_join(ledger_transfers::table)
        .filter(ledger_entries::account_id.eq(&account))
        .filter(ledger_transfers::code.eq(TransferCode::Reservation.name()))
        .order(ledger_entries::number)
        .limit(max)
        .select(ledger_transfers::matter)
        .load(conn)?;
    let mut seen = std::collections::BTreeSet::new();
    matters.retain(|matter| seen.insert(matter.clone()));
    Ok(matters)
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

/// The lot of a signed contract and the line that pays for it.
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

/// What an account is for.
///
/// # Errors
/// A fault of the database.
pub fn code_of(conn: &mut Conn, account: &LedgerAccountId) -> Answer<String> {
    Ok(ledger_accounts::table
        .find(account)
        .select(ledger_accounts::code)
        .first(conn)?)
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
