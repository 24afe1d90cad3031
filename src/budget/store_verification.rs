//! What the verifier of the ledger reads, a piece at a time, and nothing else: rows as they stand, believed by nobody.

use chrono::NaiveDateTime;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{
    budget_movements, delegations, ledger_accounts, ledger_entries, ledger_holds, ledger_transfers, year_ends,
};
use crate::kernel::refusal::Answer;

/// Rows read at once.
const PIECE: i64 = 5_000;

/// An account: id, code, balance in fen, number of entries.
pub type AccountRow = (String, String, i64, i64);
/// One side of a transfer: the transfer, the account, the amount in fen, when.
pub type SideRow = (String, String, i64, NaiveDateTime);
/// A matter that money moves with: its id, its state, the amount in fen, and the amount of its transfer, if there is one.
pub type MatterRow = (String, String, Option<i64>, Option<i64>);

/// A transfer.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = ledger_transfers)]
pub struct TransferRow {
    /// Its id.
    pub id: String,
    /// From which account.
    pub from_account_id: String,
    /// To which.
    pub to_account_id: String,
    /// How much, in fen.
    pub amount_fen: i64,
    /// Why.
    pub code: String,
    /// Where it stands in the life of a hold.
    pub phase: String,
    /// From which hold.
    pub hold_id: Option<String>,
    /// For what.
    pub matter: String,
    /// When.
    pub made_at: NaiveDateTime,
}

/// A hold.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = ledger_holds)]
pub struct HoldRow {
    /// Its id: that of the transfer that began it.
    pub id: String,
    /// In which account.
    pub account_id: String,
    /// Where it goes back to.
    pub origin_account_id: String,
    /// For what.
    pub matter: String,
    /// How much it was, in fen.
    pub amount_fen: i64,
    /// How much is left, in fen.
    pub remaining_fen: i64,
    /// Since when.
    pub opened_at: NaiveDateTime,
}

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
        .select(TransferRow::as_select())
        .load(c))?)
}

/// The transfers of these ids.
///
/// # Errors
/// A fault of the database.
pub fn transfers_of_ids(conn: &mut Conn, ids: &[&str]) -> Answer<Vec<TransferRow>> {
    Ok(both!(conn, c => ledger_transfers::table
        .filter(ledger_transfers::id.eq_any(ids))
        .select(TransferRow::as_select())
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
        .select((
            ledger_entries::transfer_id,
            ledger_entries::account_id,
            ledger_entries::amount_fen,
            ledger_entries::made_at,
        ))
        .load(c))?)
}

/// How many entries there are.
///
/// # Errors
/// A fault of the database.
pub fn entries_count(conn: &mut Conn) -> Answer<i64> {
    Ok(ledger_entries::table.count().get_result(conn)?)
}

/// The next holds after an id, each with the transfer that began it and with where the hold that this one drew on goes back to, if
/// it drew on one.
///
/// # Errors
/// A fault of the database.
pub fn holds(conn: &mut Conn, after: &str) -> Answer<Vec<(HoldRow, TransferRow, Option<String>)>> {
    let drawn = diesel::alias!(ledger_holds as drawn);
    Ok(both!(conn, c => ledger_holds::table
        .inner_join(ledger_transfers::table.on(ledger_transfers::id.eq(ledger_holds::id)))
        .left_join(drawn.on(drawn.field(ledger_holds::id).nullable().eq(ledger_transfers::hold_id)))
        .filter(ledger_holds::id.gt(after))
        .order(ledger_holds::id)
        .limit(PIECE)
        .select((
            HoldRow::as_select(),
            TransferRow::as_select(),
            drawn.field(ledger_holds::origin_account_id).nullable(),
        ))
        .load(c))?)
}

/// What all transfers together have taken from a hold, in fen, and how many of them took it from another account than the hold's.
///
/// # Errors
/// A fault of the database.
pub fn taken(conn: &mut Conn, hold: &HoldRow) -> Answer<(i64, i64)> {
    let of_hold = ledger_transfers::table.filter(ledger_transfers::hold_id.eq(&hold.id));
    let sum = of_hold
        .select(sql::<BigInt>("CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT)"))
        .first(conn)?;
    let strays = of_hold
        .filter(ledger_transfers::from_account_id.ne(&hold.account_id))
        .count()
        .get_result(conn)?;
    Ok((sum, strays))
}

/// The next movements after an id, each with the amount of its transfer, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn movements(conn: &mut Conn, after: &str) -> Answer<Vec<MatterRow>> {
    Ok(both!(conn, c => budget_movements::table
        .left_join(ledger_transfers::table.on(ledger_transfers::matter.eq(budget_movements::id)))
        .filter(budget_movements::id.gt(after))
        .order(budget_movements::id)
        .limit(PIECE)
        .select((
            budget_movements::id,
            budget_movements::state,
            budget_movements::amount_fen.nullable(),
            ledger_transfers::amount_fen.nullable(),
        ))
        .load(c))?)
}

/// The next decisions at a year's end after an id, each with the amount of its transfer, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn year_ends(conn: &mut Conn, after: &str) -> Answer<Vec<MatterRow>> {
    Ok(both!(conn, c => year_ends::table
        .left_join(ledger_transfers::table.on(ledger_transfers::matter.eq(year_ends::id)))
        .filter(year_ends::id.gt(after))
        .order(year_ends::id)
        .limit(PIECE)
        .select((
            year_ends::id,
            year_ends::state,
            year_ends::amount_fen.nullable(),
            ledger_transfers::amount_fen.nullable(),
        ))
        .load(c))?)
}

/// The next delegations after an id, each with the amount of its transfer, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn delegations(conn: &mut Conn, after: &str) -> Answer<Vec<MatterRow>> {
    Ok(both!(conn, c => delegations::table
        .left_join(ledger_transfers::table.on(ledger_transfers::matter.eq(delegations::id)))
        .filter(delegations::id.gt(after))
        .order(delegations::id)
        .limit(PIECE)
        .select((
            delegations::id,
            delegations::state,
            delegations::amount_fen,
            ledger_transfers::amount_fen.nullable(),
        ))
        .load(c))?)
}
