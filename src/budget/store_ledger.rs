//! The tables of the ledger: accounts, transfers, entries, holds. Nothing in them is ever changed but balances, and those only
//! together with the entries that they add up to.

use chrono::NaiveDateTime;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::both;
use crate::budget::rules::{BudgetLineId, FundId};
use crate::budget::rules_ledger::{
    AccountCode, Hold, LedgerAccount, LedgerAccountId, Order, Phase, Posting, Transfer, TransferCode,
    TransferId,
};
use crate::db::conn::Conn;
use crate::db::schema::{ledger_accounts, ledger_entries, ledger_holds, ledger_transfers, reservations};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = ledger_accounts)]
struct AccountRow {
    id: LedgerAccountId,
    fund_id: FundId,
    fiscal_year: i64,
    line_id: Option<BudgetLineId>,
    code: String,
    balance_fen: i64,
    entries: i64,
    opened_at: NaiveDateTime,
}

impl TryFrom<AccountRow> for LedgerAccount {
    type Error = Fault;

    fn try_from(row: AccountRow) -> Result<Self, Fault> {
        Ok(Self {
            code: account_code(&row.code)?,
            balance: money(row.balance_fen)?,
            id: row.id,
            fund_id: row.fund_id,
            fiscal_year: row.fiscal_year,
            line_id: row.line_id,
            entries: row.entries,
            opened_at: row.opened_at.and_utc(),
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = ledger_transfers)]
struct TransferRow {
    id: TransferId,
    from_account_id: LedgerAccountId,
    to_account_id: LedgerAccountId,
    amount_fen: i64,
    code: String,
    phase: String,
    hold_id: Option<TransferId>,
    matter: String,
    made_at: NaiveDateTime,
}

impl TryFrom<TransferRow> for Transfer {
    type Error = Fault;

    fn try_from(row: TransferRow) -> Result<Self, Fault> {
        let unknown = |what: &str| Fault::broken(format!("a transfer that is {what}"));
        Ok(Self {
            phase: Phase::named(&row.phase).ok_or_else(|| unknown(&row.phase))?,
            order: Order {
                id: row.id,
                from: row.from_account_id,
                to: row.to_account_id,
                amount: money(row.amount_fen)?,
                code: TransferCode::named(&row.code).ok_or_else(|| unknown(&row.code))?,
                hold: row.hold_id,
                matter: row.matter,
            },
            made_at: row.made_at.and_utc(),
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = ledger_holds)]
struct HoldRow {
    id: TransferId,
    account_id: LedgerAccountId,
    origin_account_id: LedgerAccountId,
    matter: String,
    amount_fen: i64,
    remaining_fen: i64,
    opened_at: NaiveDateTime,
}

impl TryFrom<HoldRow> for Hold {
    type Error = Fault;

    fn try_from(row: HoldRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id,
            account_id: row.account_id,
            origin_account_id: row.origin_account_id,
            matter: row.matter,
            amount: money(row.amount_fen)?,
            remaining: money(row.remaining_fen)?,
            opened_at: row.opened_at.and_utc(),
        })
    }
}

/// One side of a transfer, with the transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in its account.
    pub number: i64,
    /// What it added to the balance; less than nothing if it took from it.
    pub amount: Money,
    /// The balance after it.
    pub balance: Money,
    /// The transfer.
    pub transfer: Transfer,
}

pub(super) fn money(fen: i64) -> Result<Money, Fault> {
    Money::from_fen(fen).map_err(|error| Fault::caused("read an amount", error))
}

pub(super) fn account_code(name: &str) -> Result<AccountCode, Fault> {
    AccountCode::named(name).ok_or_else(|| Fault::broken(format!("an account that is {name}")))
}

/// The account of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn account(conn: &mut Conn, id: &LedgerAccountId) -> Answer<Option<LedgerAccount>> {
    let row: Option<AccountRow> = both!(conn, c => ledger_accounts::table
        .find(id)
        .select(AccountRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(LedgerAccount::try_from).transpose()?)
}

/// A budget line's account of that code.
///
/// # Errors
/// A fault of the database, or if there is none: lines are opened with all of theirs.
pub fn account_of_line(conn: &mut Conn, line: &BudgetLineId, code: AccountCode) -> Answer<LedgerAccount> {
    let row: Option<AccountRow> = both!(conn, c => ledger_accounts::table
        .filter(ledger_accounts::line_id.eq(line))
        .filter(ledger_accounts::code.eq(code.name()))
        .select(AccountRow::as_select())
        .first(c)
        .optional())?;
    let row = row.ok_or_else(|| Fault::broken(format!("{line} has no account {}", code.name())))?;
    Ok(row.try_into()?)
}

/// A fund's account of that year and code, if it has been opened.
///
/// # Errors
/// A fault of the database.
pub fn account_of_year(
    conn: &mut Conn,
    fund: &FundId,
    year: i64,
    code: AccountCode,
) -> Answer<Option<LedgerAccount>> {
    let row: Option<AccountRow> = ledger_accounts::table
        .filter(ledger_accounts::fund_id.eq(fund))
        .filter(ledger_accounts::fiscal_year.eq(year))
        .filter(ledger_accounts::code.eq(code.name()))
        .filter(ledger_accounts::line_id.is_null())
        .select(AccountRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(LedgerAccount::try_from).transpose()?)
}

/// All accounts of a budget line, in the order of their codes.
///
/// # Errors
/// A fault of the database.
pub fn accounts_of_line(conn: &mut Conn, line: &BudgetLineId) -> Answer<Vec<LedgerAccount>> {
    let rows: Vec<AccountRow> = ledger_accounts::table
        .filter(ledger_accounts::line_id.eq(line))
        .select(AccountRow::as_select())
        .load(conn)?;
    let mut accounts: Vec<LedgerAccount> = rows
        .into_iter()
        .map(LedgerAccount::try_from)
        .collect::<Result<_, _>>()?;
    accounts.sort_by_key(|account| account.code);
    Ok(accounts)
}

/// Opens an account.
///
/// # Errors
/// A fault of the database.
pub fn open(tx: &mut Tx<'_>, account: &LedgerAccount) -> Answer<()> {
    diesel::insert_into(ledger_accounts::table)
        .values((
            ledger_accounts::id.eq(&account.id),
            ledger_accounts::fund_id.eq(&account.fund_id),
            ledger_accounts::fiscal_year.eq(account.fiscal_year),
            ledger_accounts::line_id.eq(&account.line_id),
            ledger_accounts::code.eq(account.code.name()),
            ledger_accounts::balance_fen.eq(account.balance.fen()),
            ledger_accounts::entries.eq(account.entries),
            ledger_accounts::opened_at.eq(account.opened_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// The transfer of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn transfer(conn: &mut Conn, id: &TransferId) -> Answer<Option<Transfer>> {
    let row: Option<TransferRow> = both!(conn, c => ledger_transfers::table
        .find(id)
        .select(TransferRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Transfer::try_from).transpose()?)
}

/// All transfers of a matter, oldest first, up to `max`.
///
/// # Errors
/// A fault of the database.
pub fn transfers_of(conn: &mut Conn, matter: &str, max: i64) -> Answer<Vec<Transfer>> {
    let rows: Vec<TransferRow> = ledger_transfers::table
        .filter(ledger_transfers::matter.eq(matter))
        .order(ledger_transfers::id)
        .limit(max)
        .select(TransferRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(Transfer::try_from)
        .collect::<Result<_, _>>()?)
}

/// The hold of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn hold(conn: &mut Conn, id: &TransferId) -> Answer<Option<Hold>> {
    let row: Option<HoldRow> = both!(conn, c => ledger_holds::table
        .find(id)
        .select(HoldRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Hold::try_from).transpose()?)
}

/// What is held for a matter in accounts of that code, as far as something is left of it.
///
/// # Errors
/// A fault of the database.
pub fn holds_of(conn: &mut Conn, matter: &str, code: AccountCode) -> Answer<Vec<Hold>> {
    let rows: Vec<HoldRow> = both!(conn, c => ledger_holds::table
        .inner_join(ledger_accounts::table.on(ledger_accounts::id.eq(ledger_holds::account_id)))
        .filter(ledger_holds::matter.eq(matter))
        .filter(ledger_holds::remaining_fen.gt(0))
        .filter(ledger_accounts::code.eq(code.name()))
        .order(ledger_holds::id)
        .select(HoldRow::as_select())
        .load(c))?;
    Ok(rows.into_iter().map(Hold::try_from).collect::<Result<_, _>>()?)
}

/// What was reserved for a matter and is not free again: what still waits, and what has gone on into commitments.
///
/// # Errors
/// A fault of the database, or of sums beyond all bounds.
pub fn taken_for(conn: &mut Conn, matter: &str) -> Answer<Money> {
    let holds: Vec<(TransferId, i64)> = both!(conn, c => ledger_holds::table
        .inner_join(ledger_accounts::table.on(ledger_accounts::id.eq(ledger_holds::account_id)))
        .filter(ledger_holds::matter.eq(matter))
        .filter(ledger_accounts::code.eq(AccountCode::Reserved.name()))
        .select((ledger_holds::id, ledger_holds::remaining_fen))
        .load(c))?;
    let ids: Vec<&TransferId> = holds.iter().map(|(id, _)| id).collect();
    let posted: Vec<i64> = both!(conn, c => ledger_transfers::table
        .filter(ledger_transfers::hold_id.eq_any(&ids))
        .filter(ledger_transfers::phase.eq(Phase::Posted.name()))
        .select(ledger_transfers::amount_fen)
        .load(c))?;
    let amounts = holds.iter().map(|(_, remaining)| *remaining).chain(posted);
    let amounts = amounts.map(money).collect::<Result<Vec<_>, _>>()?;
    Ok(Money::sum(amounts).map_err(|error| Fault::caused("add up what was taken for a matter", error))?)
}

/// Saves what an order did: the transfer, its two entries, both balances, and the holds that it drew on and began.
///
/// # Errors
/// A fault of the database, or if an account or a hold has moved meanwhile.
pub fn save(tx: &mut Tx<'_>, posting: &Posting) -> Answer<()> {
    let transfer = &posting.transfer;
    let (order, made_at) = (&transfer.order, transfer.made_at.naive_utc());
    both!(tx.conn(), c => diesel::insert_into(ledger_transfers::table)
        .values((
            ledger_transfers::id.eq(&order.id),
            ledger_transfers::from_account_id.eq(&order.from),
            ledger_transfers::to_account_id.eq(&order.to),
            ledger_transfers::amount_fen.eq(order.amount.fen()),
            ledger_transfers::code.eq(order.code.name()),
            ledger_transfers::phase.eq(transfer.phase.name()),
            ledger_transfers::hold_id.eq(&order.hold),
            ledger_transfers::matter.eq(&order.matter),
            ledger_transfers::made_at.eq(made_at),
        ))
        .execute(c))?;
    enter(tx, &posting.from, order, order.amount.negated(), made_at)?;
    enter(tx, &posting.to, order, order.amount, made_at)?;
    if let Some(drawn) = &posting.drawn {
        draw(tx, drawn, order.amount)?;
    }
    if let Some(begun) = &posting.begun {
        begin(tx, begun)?;
    }
    Ok(())
}

/// One side of a transfer: the account as it stands after it, and the entry.
fn enter(
    tx: &mut Tx<'_>,
    account: &LedgerAccount,
    order: &Order,
    amount: Money,
    made_at: NaiveDateTime,
) -> Answer<()> {
    let before = account.entries.saturating_sub(1);
    let changed = both!(tx.conn(), c => diesel::update(
        ledger_accounts::table.find(&account.id).filter(ledger_accounts::entries.eq(before)),
    )
    .set((
        ledger_accounts::balance_fen.eq(account.balance.fen()),
        ledger_accounts::entries.eq(account.entries),
    ))
    .execute(c))?;
    if changed != 1 {
        return Err(Fault::broken(format!("{changed} accounts moved instead of one")).into());
    }
    both!(tx.conn(), c => diesel::insert_into(ledger_entries::table)
        .values((
            ledger_entries::account_id.eq(&account.id),
            ledger_entries::number.eq(account.entries),
            ledger_entries::transfer_id.eq(&order.id),
            ledger_entries::amount_fen.eq(amount.fen()),
            ledger_entries::balance_fen.eq(account.balance.fen()),
            ledger_entries::made_at.eq(made_at),
        ))
        .execute(c))?;
    Ok(())
}

fn draw(tx: &mut Tx<'_>, hold: &Hold, amount: Money) -> Answer<()> {
    let before = hold
        .remaining
        .checked_add(amount)
        .map_err(|error| Fault::caused("draw on a hold", error))?;
    let changed = both!(tx.conn(), c => diesel::update(
        ledger_holds::table.find(&hold.id).filter(ledger_holds::remaining_fen.eq(before.fen())),
    )
    .set(ledger_holds::remaining_fen.eq(hold.remaining.fen()))
    .execute(c))?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} holds drawn on instead of one")).into())
    }
}

fn begin(tx: &mut Tx<'_>, hold: &Hold) -> Answer<()> {
    both!(tx.conn(), c => diesel::insert_into(ledger_holds::table)
        .values((
            ledger_holds::id.eq(&hold.id),
            ledger_holds::account_id.eq(&hold.account_id),
            ledger_holds::origin_account_id.eq(&hold.origin_account_id),
            ledger_holds::matter.eq(&hold.matter),
            ledger_holds::amount_fen.eq(hold.amount.fen()),
            ledger_holds::remaining_fen.eq(hold.remaining.fen()),
            ledger_holds::opened_at.eq(hold.opened_at.naive_utc()),
        ))
        .execute(c))?;
    Ok(())
}

/// Which entries of an account are listed.
#[derive(Clone, Debug, Default)]
pub struct EntryFilter {
    /// Made at or after this instant, UTC.
    pub from: Option<Instant>,
    /// Made before this instant, UTC.
    pub until: Option<Instant>,
    /// The number of the last one on the page before.
    pub after: Option<i64>,
}

/// Up to `max` entries of an account, oldest first.
///
/// # Errors
/// A fault of the database.
pub fn entries(
    conn: &mut Conn,
    account: &LedgerAccountId,
    filter: &EntryFilter,
    max: i64,
) -> Answer<Vec<Entry>> {
    let rows: Vec<(i64, i64, i64, TransferRow)> = both!(conn, c => {
        let mut query = ledger_entries::table
            .inner_join(ledger_transfers::table)
            .filter(ledger_entries::account_id.eq(account))
            .order(ledger_entries::number)
            .limit(max)
            .select((
                ledger_entries::number,
                ledger_entries::amount_fen,
                ledger_entries::balance_fen,
                TransferRow::as_select(),
            ))
            .into_boxed();
        if let Some(from) = filter.from {
            query = query.filter(ledger_entries::made_at.ge(from.naive_utc()));
        }
        if let Some(until) = filter.until {
            query = query.filter(ledger_entries::made_at.lt(until.naive_utc()));
        }
        if let Some(after) = filter.after {
            query = query.filter(ledger_entries::number.gt(after));
        }
        query.load(c)
    })?;
    let read = |(number, amount, balance, transfer): (i64, i64, i64, TransferRow)| {
        Ok::<_, Fault>(Entry {
            number,
            amount: money(amount)?,
            balance: money(balance)?,
            transfer: transfer.try_into()?,
        })
    };
    Ok(rows.into_iter().map(read).collect::<Result<_, _>>()?)
}

/// What an account's entries until an instant, that instant included, add up to, and how many they are.
///
/// # Errors
/// A fault of the database.
pub fn balance_at(conn: &mut Conn, account: &LedgerAccountId, at: Instant) -> Answer<(Money, i64)> {
    let (sum, count): (i64, i64) = ledger_entries::table
        .filter(ledger_entries::account_id.eq(account))
        .filter(ledger_entries::made_at.le(at.naive_utc()))
        .select((
            sql::<BigInt>("CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT)"),
            sql::<BigInt>("COUNT(*)"),
        ))
        .first(conn)?;
    Ok((money(sum)?, count))
}

/// Which accounts are listed or added up.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// Of this fund.
    pub fund: Option<FundId>,
    /// Of this fiscal year.
    pub fiscal_year: Option<i64>,
    /// Of this budget line.
    pub line: Option<BudgetLineId>,
    /// Of this code.
    pub code: Option<AccountCode>,
    /// Of funds or lines of one of these organisations; of all if it is left out.
    pub organisations: Option<Vec<OrganisationId>>,
    /// The id of the last one on the page before.
    pub after: Option<String>,
}

/// Up to `max` accounts by id.
///
/// # Errors
/// A fault of the database.
pub fn accounts(conn: &mut Conn, filter: &AccountFilter, max: i64) -> Answer<Vec<LedgerAccount>> {
    use crate::db::schema::{budget_lines, funds};
    let rows: Vec<AccountRow> = both!(conn, c => {
        let mut query = ledger_accounts::table
            .order(ledger_accounts::id)
            .limit(max)
            .select(AccountRow::as_select())
            .into_boxed();
        if let Some(fund) = &filter.fund {
            query = query.filter(ledger_accounts::fund_id.eq(fund));
        }
        if let Some(year) = filter.fiscal_year {
            query = query.filter(ledger_accounts::fiscal_year.eq(year));
        }
        if let Some(line) = &filter.line {
            query = query.filter(ledger_accounts::line_id.eq(line));
        }
        if let Some(code) = filter.code {
            query = query.filter(ledger_accounts::code.eq(code.name()));
        }
        if let Some(own) = &filter.organisations {
            let kept = funds::table.filter(funds::organisation_id.eq_any(own)).select(funds::id);
            let spent = budget_lines::table
                .filter(budget_lines::organisation_id.eq_any(own))
                .select(budget_lines::id.nullable());
            query = query
                .filter(ledger_accounts::fund_id.eq_any(kept).or(ledger_accounts::line_id.eq_any(spent)));
        }
        if let Some(after) = &filter.after {
            query = query.filter(ledger_accounts::id.gt(after));
        }
        query.load(c)
    })?;
    Ok(rows
        .into_iter()
        .map(LedgerAccount::try_from)
        .collect::<Result<_, _>>()?)
}

/// Up to `max` holds of an account that something is left of, oldest first, each with the purpose that it was reserved for by hand,
/// if it was.
///
/// # Errors
/// A fault of the database.
pub fn open_holds(
    conn: &mut Conn,
    account: &LedgerAccountId,
    after: Option<&str>,
    max: i64,
) -> Answer<Vec<(Hold, Option<String>)>> {
    let rows: Vec<(HoldRow, Option<String>)> = both!(conn, c => ledger_holds::table
        .left_join(reservations::table.on(reservations::id.eq(ledger_holds::matter)))
        .filter(ledger_holds::account_id.eq(account))
        .filter(ledger_holds::remaining_fen.gt(0))
        .filter(ledger_holds::id.gt(after.unwrap_or_default()))
        .order(ledger_holds::id)
        .limit(max)
        .select((HoldRow::as_select(), reservations::purpose.nullable()))
        .load(c))?;
    let read = |(hold, purpose): (HoldRow, Option<String>)| Ok::<_, Fault>((hold.try_into()?, purpose));
    Ok(rows.into_iter().map(read).collect::<Result<_, _>>()?)
}

/// What money was reserved for by hand; `None` if the matter is something else.
///
/// # Errors
/// A fault of the database.
pub fn purpose(conn: &mut Conn, matter: &str) -> Answer<Option<String>> {
    Ok(reservations::table
        .find(matter)
        .select(reservations::purpose)
        .first(conn)
        .optional()?)
}

/// Says what money is reserved for.
///
/// # Errors
/// A fault of the database.
pub fn insert_reservation(
    tx: &mut Tx<'_>,
    id: &str,
    line: &BudgetLineId,
    purpose: &str,
    made_by: &str,
) -> Answer<()> {
    let made_at = tx.now().naive_utc();
    diesel::insert_into(reservations::table)
        .values((
            reservations::id.eq(id),
            reservations::line_id.eq(line),
            reservations::purpose.eq(purpose),
            reservations::made_by.eq(made_by),
            reservations::made_at.eq(made_at),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// All accounts of these budget lines.
///
/// # Errors
/// A fault of the database.
pub fn accounts_of_lines(conn: &mut Conn, lines: &[&BudgetLineId]) -> Answer<Vec<LedgerAccount>> {
    let rows: Vec<AccountRow> = ledger_accounts::table
        .filter(ledger_accounts::line_id.eq_any(lines))
        .select(AccountRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(LedgerAccount::try_from)
        .collect::<Result<_, _>>()?)
}
