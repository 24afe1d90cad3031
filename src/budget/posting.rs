//! Posts transfers, the one way in which money moves: within the transaction of an act, all that belong together or none. It
//! asks no permission and writes no event; the act that it is part of does.

use serde_json::{Value, json};

use crate::budget::rules::{BudgetLine, FundId};
use crate::budget::rules_ledger::{
    self as rules, AccountCode, Hold, LINKED_MAX, LedgerAccount, LedgerAccountId, Order, TRANSFER_DIFFERS,
    Transfer, TransferId,
};
use crate::budget::store_ledger as store;
use crate::budget::{spending, store_sums};
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};

/// Makes these transfers in their order. One that was made before, under the same id and with the same content, is not made again.
///
/// # Errors
/// The first refusal of [`rules::post`], with which none of them is made; [`TRANSFER_DIFFERS`]; a fault of the database, or if
/// there are more than [`LINKED_MAX`], or of accounts that do not exist.
pub fn post(tx: &mut Tx<'_>, orders: Vec<Order>) -> Answer<Vec<Transfer>> {
    if orders.len() > LINKED_MAX {
        return Err(Fault::broken(format!("{} linked transfers", orders.len())).into());
    }
    let mut made = Vec::with_capacity(orders.len());
    for order in orders {
        made.push(post_one(tx, order)?);
    }
    Ok(made)
}

fn post_one(tx: &mut Tx<'_>, order: Order) -> Answer<Transfer> {
    if let Some(known) = store::transfer(tx.conn(), &order.id)? {
        return if known.order == order {
            Ok(known)
        } else {
            Err(TRANSFER_DIFFERS.refuse().into())
        };
    }
    let from = account(tx, &order.from)?;
    if from.code == AccountCode::Source && !order.amount.is_negative() {
        rules::may_come_in(store_sums::come_in(tx.conn())?, order.amount)?;
    }
    let to = account(tx, &order.to)?;
    let hold = match &order.hold {
        Some(id) => Some(hold(tx, id)?),
        None => None,
    };
    let posting = rules::post(order, from, to, hold, tx.now())?;
    store::save(tx, &posting)?;
    spending::record(tx, &posting)?;
    Ok(posting.transfer)
}

fn account(tx: &mut Tx<'_>, id: &LedgerAccountId) -> Answer<LedgerAccount> {
    let account = store::account(tx.conn(), id)?;
    Ok(account.ok_or_else(|| Fault::broken(format!("there is no account {id}")))?)
}

fn hold(tx: &mut Tx<'_>, id: &TransferId) -> Answer<Hold> {
    let hold = store::hold(tx.conn(), id)?;
    Ok(hold.ok_or_else(|| Fault::broken(format!("there is no hold {id}")))?)
}

/// Opens a line's accounts.
///
/// # Errors
/// A fault of the database.
pub fn open_line(tx: &mut Tx<'_>, line: &BudgetLine) -> Answer<()> {
    for code in AccountCode::OF_LINE {
        let account = LedgerAccount {
            line_id: Some(line.id.clone()),
            ..fresh(tx, &line.fund_id, line.fiscal_year, code)
        };
        store::open(tx, &account)?;
    }
    Ok(())
}

/// A fund's account of a year and code, opened if it is the first time that it is needed.
///
/// # Errors
/// A fault of the database.
pub fn of_year(tx: &mut Tx<'_>, fund: &FundId, year: i64, code: AccountCode) -> Answer<LedgerAccount> {
    if let Some(known) = store::account_of_year(tx.conn(), fund, year, code)? {
        return Ok(known);
    }
    let account = fresh(tx, fund, year, code);
    store::open(tx, &account)?;
    Ok(account)
}

fn fresh(tx: &Tx<'_>, fund: &FundId, fiscal_year: i64, code: AccountCode) -> LedgerAccount {
    LedgerAccount {
        id: LedgerAccountId::mint(tx.now()),
        fund_id: fund.clone(),
        fiscal_year,
        line_id: None,
        code,
        balance: Money::ZERO,
        entries: 0,
        opened_at: tx.now(),
    }
}

/// The id of the one transfer that an act makes for a matter: made of the matter's own, so that nothing can make it twice.
///
/// # Errors
/// A fault if the matter's id is none.
pub fn transfer_of(matter: &str) -> Result<TransferId, Fault> {
    let (_, suffix) = matter.rsplit_once('_').unwrap_or_default();
    format!("{}_{suffix}", TransferId::PREFIX)
        .parse()
        .map_err(|error| Fault::caused(format!("make a transfer's id of {matter}"), error))
}

/// Transfers as an event tells them.
pub fn told(transfers: &[Transfer]) -> Value {
    let told = transfers.iter().map(|transfer| {
        json!({
            "id": transfer.order.id, "from": transfer.order.from, "to": transfer.order.to,
            "amount": transfer.order.amount, "code": transfer.order.code, "phase": transfer.phase,
        })
    });
    told.collect()
}
