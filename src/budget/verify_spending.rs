//! Compares what is measured of spending with the ledger: each transfer with what it added, each line and each contract with what stands in its accounts, the totals with
//! what they add up. Trusts none of them.

use crate::budget::rules::BudgetLineId;
use crate::budget::rules_ledger::{AccountCode, TransferCode};
use crate::budget::rules_spending::{Measures, Moved, Side, added};
use crate::budget::store_imported_verification as imported;
use crate::budget::store_spending::is_older;
use crate::budget::store_spending_verification::{self as store, AddedRow};
use crate::budget::verify::LedgerVerdict;
use crate::db::conn::Conn;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};

/// Compares everything, and adds what does not hold to the verdict; also totals of what was imported, which is no part of the ledger, with their own rows. A ledger that is older than what is measured of it is not broken for that.
pub(super) fn compare(conn: &mut Conn, verdict: &mut LedgerVerdict) -> Answer<()> {
    for dimension in imported::DIMENSIONS {
        for value in imported::totals_that_differ(conn, dimension)? {
            let name = dimension.0;
            verdict.fault(format!(
                "imported spending: the total of {name} `{value}` is not what it adds up"
            ));
        }
    }
    if is_older(conn)? {
        verdict.notes.push(
            "what is spent was never measured here; `wardbook admin rebuild-spending` does it from the ledger".to_owned(),
        );
        return Ok(());
    }
    transfers(conn, verdict)?;
    for line in store::lines_that_differ(conn)? {
        verdict.fault(format!(
            "spending: {line} is measured otherwise than its accounts stand"
        ));
    }
    for contract in store::contracts_that_differ(conn)? {
        verdict.fault(format!(
            "spending: {contract} is measured otherwise than what is held for it"
        ));
    }
    for matter in store::payments_that_differ(conn)? {
        verdict.fault(format!(
            "spending: {matter} counts as another number of payments than one if it is paid, else none"
        ));
    }
    for dimension in store::DIMENSIONS {
        for value in store::totals_that_differ(conn, &dimension)? {
            let name = dimension.name;
            verdict.fault(format!(
                "spending: the total of {name} `{value}` is not what it adds up"
            ));
        }
    }
    Ok(())
}

/// Every transfer beside what it added.
fn transfers(conn: &mut Conn, verdict: &mut LedgerVerdict) -> Answer<()> {
    let mut after = String::new();
    loop {
        let rows = store::added(conn, &after)?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.id);
        for row in &rows {
            let measured = Measures {
                appropriated: row.appropriated_fen,
                budgeted: row.budgeted_fen,
                reserved: row.reserved_fen,
                committed: row.committed_fen,
                retained: row.retained_fen,
                paid: row.paid_fen,
                deducted: row.deducted_fen,
                refunded: row.refunded_fen,
                ..Measures::default()
            };
            if measured != due(row)? {
                verdict.fault(format!(
                    "spending: {} is measured otherwise than it moved",
                    row.id
                ));
            }
        }
    }
    Ok(())
}

/// What a transfer has to have added, without how many payments it is.
fn due(row: &AddedRow) -> Result<Measures, Fault> {
    let broken = |what: &str| Fault::broken(format!("{}: {what}", row.id));
    let line = |line: &Option<String>| line.as_deref().map(str::parse::<BudgetLineId>).transpose();
    let (from_line, to_line) = (line(&row.from_line), line(&row.to_line));
    let (from_line, to_line) = from_line
        .and_then(|from| Ok((from, to_line?)))
        .map_err(|error| Fault::caused("read a budget line's id", error))?;
    let account = |code: &str| AccountCode::named(code).ok_or_else(|| broken("an account of no kind"));
    let moved = Moved {
        from: Side {
            code: account(&row.from_code)?,
            line: from_line.as_ref(),
        },
        to: Side {
            code: account(&row.to_code)?,
            line: to_line.as_ref(),
        },
        amount: Money::from_fen(row.amount_fen).map_err(|error| Fault::caused("read an amount", error))?,
        code: TransferCode::named(&row.code).ok_or_else(|| broken("a transfer of no kind"))?,
        is_first: false,
    };
    added(&moved).sum()
}
