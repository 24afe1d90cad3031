//! The money of a book: a lot's ceiling is reserved on its budget line by one hold at a time, whose matter is the lot. What becomes of
//! that hold while the book lives is decided here; the ledger keeps it. It asks no permission and writes no event; the act that it is
//! part of does.

use std::cmp::Ordering;

use crate::books::rules::{Book, BookId, LotId};
use crate::books::store::{self, Lot};
use crate::budget::rules_ledger::{AccountCode, Hold, LINKED_MAX, Order, Transfer, TransferCode, TransferId};
use crate::budget::rules_spending::{Described, common_area};
use crate::budget::store_ledger;
use crate::budget::{posting, spending};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::store as registry;

/// Gives each lot its id, and reserves its ceiling under it.
///
/// # Errors
/// Those of the ledger; a fault if a lot has no ceiling or no line.
pub(super) fn reserve(tx: &mut Tx<'_>, book: &Book) -> Answer<(Vec<Lot>, Vec<Transfer>)> {
    let broken = || Fault::broken("a lot without its money was found ready");
    let (mut lots, mut orders) = (Vec::new(), Vec::new());
    let document = book.content.document();
    for lot in &document.lots {
        let budget_line_id = lot.budget_line_id.clone().ok_or_else(broken)?;
        let reserved = Lot {
            id: LotId::mint(tx.now()),
            book_id: book.id.clone(),
            code: lot.code.clone(),
            budget_line_id,
        };
        describe(tx, book, &reserved)?;
        let id = posting::transfer_of(reserved.id.as_str())?;
        orders.push(reservation(tx, id, &reserved, lot.ceiling.ok_or_else(broken)?)?);
        lots.push(reserved);
    }
    let transfers = posting::post(tx, orders)?;
    store::insert_lots(tx, &lots)?;
    Ok((lots, transfers))
}

/// Says what a lot is counted under when what is spent is grouped: what its book says now.
fn describe(tx: &mut Tx<'_>, book: &Book, lot: &Lot) -> Answer<()> {
    let document = book.content.document();
    let described = Described {
        line_id: lot.budget_line_id.clone(),
        lot_id: lot.id.to_string(),
        area_id: area_of(tx.conn(), &document.areas)?,
        method: document.method.map(|method| method.name().to_owned()),
        contracted: None,
    };
    spending::describe(tx, lot.id.as_str(), &described)
}

/// The same for a lot that money was held for before that was said.
///
/// # Errors
/// A fault of the database, or if there is no such lot.
pub fn describe_again(tx: &mut Tx<'_>, lot: &str) -> Answer<()> {
    let gone = || Fault::broken(format!("money is held for {lot}, which is not there"));
    let id: LotId = lot
        .parse()
        .map_err(|error| Fault::caused("read a lot's id", error))?;
    let lot = store::lot(tx.conn(), &id)?.ok_or_else(gone)?;
    let book = store::book(tx.conn(), &lot.book_id)?.ok_or_else(gone)?;
    describe(tx, &book, &lot)
}

/// The smallest area that has all of these in it.
fn area_of(conn: &mut Conn, areas: &[AreaId]) -> Answer<Option<AreaId>> {
    let mut paths = Vec::with_capacity(areas.len());
    for id in areas {
        if let Some(area) = registry::area(conn, id)? {
            paths.push(area.path);
        }
    }
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let common = common_area(&paths).map(str::parse).transpose();
    Ok(common.map_err(|error| Fault::caused("the area that a book serves", error))?)
}

fn reservation(tx: &mut Tx<'_>, id: TransferId, lot: &Lot, amount: Money) -> Answer<Order> {
    let line = &lot.budget_line_id;
    Ok(Order {
        id,
        from: store_ledger::account_of_line(tx.conn(), line, AccountCode::Available)?.id,
        to: store_ledger::account_of_line(tx.conn(), line, AccountCode::Reserved)?.id,
        amount,
        code: TransferCode::Reservation,
        hold: None,
        matter: lot.id.to_string(),
    })
}

/// What is reserved for a lot now; `None` if nothing is left of it.
///
/// # Errors
/// A fault of the database, or if more than one hold is.
pub fn of_lot(conn: &mut Conn, lot: &LotId) -> Answer<Option<Hold>> {
    let mut holds = store_ledger::holds_of(conn, lot.as_str(), AccountCode::Reserved)?;
    let hold = holds.pop();
    if holds.is_empty() {
        Ok(hold)
    } else {
        Err(Fault::broken(format!("money for {lot} is held more than once")).into())
    }
}

fn back(tx: &Tx<'_>, hold: &Hold, amount: Money) -> Order {
    Order {
        id: TransferId::mint(tx.now()),
        from: hold.account_id.clone(),
        to: hold.origin_account_id.clone(),
        amount,
        code: TransferCode::Release,
        hold: Some(hold.id.clone()),
        matter: hold.matter.clone(),
    }
}

/// Makes what is reserved for each lot of a published book what its ceiling says now. A higher ceiling ends the hold and begins one of the
/// whole, so that there is never more than one; of a lower one a part goes back.
///
/// # Errors
/// Those of the ledger: `ledger_would_overdraw` if the line has not enough; a fault if a lot has no ceiling, or its money is not held.
pub(super) fn adjust(tx: &mut Tx<'_>, book: &Book) -> Answer<Vec<Transfer>> {
    let mut lowered = Vec::new();
    let mut raised = Vec::new();
    for lot in store::lots_of(tx.conn(), &book.id)? {
        let said = book
            .content
            .document()
            .lots
            .iter()
            .find(|one| one.code == lot.code);
        let ceiling = said.and_then(|said| said.ceiling);
        let ceiling = ceiling.ok_or_else(|| Fault::broken(format!("{} has no ceiling", lot.id)))?;
        let hold = of_lot(tx.conn(), &lot.id)?;
        let hold = hold.ok_or_else(|| Fault::broken(format!("{} has no money held", lot.id)))?;
        match ceiling.cmp(&hold.remaining) {
            Ordering::Equal => {}
            Ordering::Less => {
                let amount = hold.remaining.checked_sub(ceiling);
                let amount = amount.map_err(|error| Fault::caused("lower a reservation", error))?;
                lowered.push(back(tx, &hold, amount));
            }
            Ordering::Greater => {
                lowered.push(back(tx, &hold, hold.remaining));
                let id = TransferId::mint(tx.now());
                raised.push(reservation(tx, id, &lot, ceiling)?);
            }
        }
    }
    // First what goes back: it may be what another lot of the line is raised with.
    lowered.extend(raised);
    posted(tx, lowered)
}

/// Sets free what is left of a book's reservations.
///
/// # Errors
/// Those of the ledger.
pub(super) fn release(tx: &mut Tx<'_>, book: &BookId) -> Answer<Vec<Transfer>> {
    let mut orders = Vec::new();
    for lot in store::lots_of(tx.conn(), book)? {
        if let Some(hold) = of_lot(tx.conn(), &lot.id)? {
            orders.push(back(tx, &hold, hold.remaining));
        }
    }
    posted(tx, orders)
}

/// Sets free what is left of one lot's reservation.
///
/// # Errors
/// Those of the ledger.
pub fn release_lot(tx: &mut Tx<'_>, lot: &LotId) -> Answer<Vec<Transfer>> {
    match of_lot(tx.conn(), lot)? {
        Some(hold) => {
            let order = back(tx, &hold, hold.remaining);
            posted(tx, vec![order])
        }
        None => Ok(Vec::new()),
    }
}

/// Commits a price out of what is reserved for a lot, under another matter: the contract. What is left over goes back to the line.
///
/// # Errors
/// Those of the ledger: `ledger_hold_exceeded` if the price is more than is reserved; a fault if nothing is.
pub fn commit(tx: &mut Tx<'_>, lot: &Lot, (price, matter): (Money, &str)) -> Answer<Vec<Transfer>> {
    let hold = of_lot(tx.conn(), &lot.id)?;
    let hold = hold.ok_or_else(|| Fault::broken(format!("{} has no money held", lot.id)))?;
    let line = &lot.budget_line_id;
    let mut orders = vec![Order {
        id: posting::transfer_of(matter)?,
        from: hold.account_id.clone(),
        to: store_ledger::account_of_line(tx.conn(), line, AccountCode::Committed)?.id,
        amount: price,
        code: TransferCode::Commitment,
        hold: Some(hold.id.clone()),
        matter: matter.to_owned(),
    }];
    let rest = hold.remaining.checked_sub(price);
    let rest = rest.map_err(|error| Fault::caused("the rest of a reservation", error))?;
    if rest.fen() > 0 {
        orders.push(back(tx, &hold, rest));
    }
    posted(tx, orders)
}

fn posted(tx: &mut Tx<'_>, orders: Vec<Order>) -> Answer<Vec<Transfer>> {
    let mut transfers = Vec::with_capacity(orders.len());
    for some in orders.chunks(LINKED_MAX) {
        transfers.extend(posting::post(tx, some.to_vec())?);
    }
    Ok(transfers)
}
