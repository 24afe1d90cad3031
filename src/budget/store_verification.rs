//! What the verifier of the ledger reads, a piece at a time, and nothing else: rows as they stand, believed by nobody.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{budget_movements, ledger_accounts, ledger_entries, ledger_holds, ledger_transfers};
use crate::kernel::refusal::Answer;

/// Rows read at once.
const PIECE: i64 = 5_000;

/// An account: id, code, balance in fen, number of entries.
pub type AccountRow = (String, String, i64, i64);
/// A transfer: id, from, to, amount in fen.
pub type TransferRow = (String, String, String, i64);
/// One side of a transfer: the transfer, the account, the amount in fen.
pub type SideRow = (String, String, i64);

/// The next accounts after an id.
///
/// # Errors
/// A fault of the database.
pub fn accounts(conn: &mut Conn, after: &str) -> Answer<Vec<AccountRow>> {
    Ok(ledger_accounts::table
        .filter(ledger_accounts::id.gt(after))
        .order(ledger_accounts::id)
        .limit(PIECE)
        .select((
            ledger_accounts::id,
            ledger_accounts::code,
            ledger_accounts::balance_fen,
            ledger_accounts::entries,
        ))
        .load(conn)?)
}

/// The next entries of an account after a number: number, amount, balance after it.
///
/// # Errors
/// A fault of the database.
pub fn entries(conn: &mut Conn, account: &str, after: i64) -> Answer<Vec<(i64, i64, i64)>> {
    Ok(both!(conn, c => ledger_entries::table
        .filter(ledger_entries::account_id.eq(account))
        .filter(ledger_entries::number.gt(after))
        .order(ledger_entries::number)
        .limit(PIECE)
        .select((ledger_entries::number, ledger_entries::amount_fen, ledger_entries::balance_fen))
        .load(c))?)
}

/// What is left of all holds in an account, in fen.
///
/// # Errors
/// A fault of the database.
pub fn held(conn: &mut Conn, account: &str) -> Answer<i64> {
    Ok(ledger_holds::table
        .filter(ledger_holds::account_id.eq(account))
        .select(sql::<BigInt>("CAST(COALESCE(SUM(remaining_fen), 0) AS BIGINT)"))
        .first(conn)?)
}

/// The next transfers after an id.
///
/// # Errors
/// A fault of the database.
pub fn transfers(conn: &mut Conn, after: &str) -> Answer<Vec<TransferRow>> {
    Ok(both!(conn, c => ledger_transfers::table
        .filter(ledger_transfers::id.gt(after))
        .order(ledger_transfers::id)
        .limit(PIECE)
        .select((
            ledger_transfers::id,
            ledger_transfers::from_account_id,
            ledger_transfers::to_account_id,
            ledger_transfers::amount_fen,
        ))
        .load(c))?)
}

/// The entries of the transfers after one id up to another, those that take first.
///
/// # Errors
/// A fault of the database.
pub fn sides(conn: &mut Conn, after: &str, until: &str) -> Answer<Vec<SideRow>> {
    Ok(both!(conn, c => ledger_entries::table
        .filter(ledger_entries::transfer_id.gt(after))
        .filter(ledger_entries::transfer_id.le(until))
        .order((ledger_entries::transfer_id, ledger_entries::amount_fen))
        .select((ledger_entries::transfer_id, ledger_entries::account_id, ledger_entries::amount_fen))
        .load(c))?)
}

/// How many entries there are.
///
/// # Errors
/// A fault of the database.
pub fn entries_count(conn: &mut Conn) -> Answer<i64> {
    Ok(ledger_entries::table.count().get_result(conn)?)
}

/// The next holds after an id: id, amount, what is left.
///
/// # Errors
/// A fault of the database.
pub fn holds(conn: &mut Conn, after: &str) -> Answer<Vec<(String, i64, i64)>> {
    Ok(ledger_holds::table
        .filter(ledger_holds::id.gt(after))
        .order(ledger_holds::id)
        .limit(PIECE)
        .select((
            ledger_holds::id,
            ledger_holds::amount_fen,
            ledger_holds::remaining_fen,
        ))
        .load(conn)?)
}

/// What all transfers together have taken from a hold, in fen.
///
/// # Errors
/// A fault of the database.
pub fn taken(conn: &mut Conn, hold: &str) -> Answer<i64> {
    Ok(ledger_transfers::table
        .filter(ledger_transfers::hold_id.eq(hold))
        .select(sql::<BigInt>("CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT)"))
        .first(conn)?)
}

/// The next confirmed movements after an id, each with the amount of its transfer, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn movements(conn: &mut Conn, after: &str) -> Answer<Vec<(String, i64, Option<i64>)>> {
    Ok(both!(conn, c => budget_movements::table
        .left_join(ledger_transfers::table.on(ledger_transfers::matter.eq(budget_movements::id)))
        .filter(budget_movements::state.eq("confirmed"))
        .filter(budget_movements::id.gt(after))
        .order(budget_movements::id)
        .limit(PIECE)
        .select((budget_movements::id, budget_movements::amount_fen, ledger_transfers::amount_fen.nullable()))
        .load(c))?)
}
