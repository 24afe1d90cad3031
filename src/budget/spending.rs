//! Adds what each transfer does to what is measured of spending, in the transaction that moves the money; and says what lots and contracts are counted under. It asks no
//! permission and writes no event; the act that it is part of does.

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::budget::rules::BudgetLineId;
use crate::budget::rules_ledger::{
    AccountCode, LedgerAccount, LedgerAccountId, Posting, Transfer, TransferCode, TransferId,
};
use crate::budget::rules_spending::{Described, Measures, Moved, Side, Subject, added};
use crate::budget::store_spending::{self as spending, Happened, SubjectRow};
use crate::budget::{store, store_ledger};
use crate::db::writer::Tx;
use crate::kernel::fixed::{Rounding, units_of};
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::score::Score;

/// What the ids of claims begin with; claims lie above, and the ledger knows no more of them.
const CLAIM: &str = "claim_";
/// Transfers read at once.
const PIECE: i64 = 1_000;

/// Says what a matter of the ledger is counted under: before money moves for it. What was said first holds, whatever becomes of the book.
///
/// # Errors
/// A fault of the database.
pub fn describe(tx: &mut Tx<'_>, matter: &str, described: &Described) -> Answer<()> {
    spending::describe(tx, matter, described)
}

/// Says that a matter is counted under the same as another: a variation under the same as its contract.
///
/// # Errors
/// A fault of the database.
pub fn describe_as(tx: &mut Tx<'_>, matter: &str, other: &str) -> Answer<()> {
    match spending::described(tx.conn(), other)? {
        Some(described) => spending::describe(tx, matter, &described),
        None => Ok(()),
    }
}

/// A transfer that was made, with what is needed to measure it.
struct Made<'m> {
    transfer: &'m Transfer,
    from: &'m LedgerAccount,
    to: &'m LedgerAccount,
    /// The matter of the hold that it is taken from.
    held_for: Option<&'m str>,
    day: NaiveDate,
}

/// Adds what a transfer that was made does to what is measured.
///
/// # Errors
/// A fault of the database.
pub(super) fn record(tx: &mut Tx<'_>, posting: &Posting) -> Answer<()> {
    let made = Made {
        transfer: &posting.transfer,
        from: &posting.from,
        to: &posting.to,
        held_for: posting.drawn.as_ref().map(|hold| hold.matter.as_str()),
        day: tx.today(),
    };
    measure(tx, &made)
}

/// Measures every transfer that never was, in the order of their ids, which is that in which they were made: those of a ledger that is older than what is measured of it.
/// What they are counted under has to be described before. `zone` is the ward's. Tells how many there were.
///
/// # Errors
/// A fault of the database, or of transfers without their accounts.
pub fn catch_up(tx: &mut Tx<'_>, zone: Tz) -> Answer<u64> {
    let (mut after, mut number) = (String::new(), 0_u64);
    loop {
        let missing = spending::unmeasured(tx.conn(), &after, PIECE)?;
        let Some(last) = missing.last() else {
            return Ok(number);
        };
        last.as_str().clone_into(&mut after);
        for id in &missing {
            measure_again(tx, id, zone)?;
            number = number.saturating_add(1);
        }
    }
}

fn measure_again(tx: &mut Tx<'_>, id: &TransferId, zone: Tz) -> Answer<()> {
    let gone = |what: &str| Fault::broken(format!("{id} has no {what}"));
    let transfer = store_ledger::transfer(tx.conn(), id)?.ok_or_else(|| gone("row"))?;
    let mut account = |of: &LedgerAccountId| -> Answer<LedgerAccount> {
        Ok(store_ledger::account(tx.conn(), of)?.ok_or_else(|| gone("account"))?)
    };
    let (from, to) = (account(&transfer.order.from)?, account(&transfer.order.to)?);
    let hold = match &transfer.order.hold {
        Some(hold) => Some(store_ledger::hold(tx.conn(), hold)?.ok_or_else(|| gone("hold"))?),
        None => None,
    };
    let made = Made {
        transfer: &transfer,
        from: &from,
        to: &to,
        held_for: hold.as_ref().map(|hold| hold.matter.as_str()),
        day: local_date(transfer.made_at, zone),
    };
    measure(tx, &made)
}

fn measure(tx: &mut Tx<'_>, made: &Made<'_>) -> Answer<()> {
    let order = &made.transfer.order;
    // A claim is paid once, and comes back once; what is paid for nothing that is claimed is no payment to be counted.
    let is_counted =
        order.matter.starts_with(CLAIM) && matches!(order.code, TransferCode::Payment | TransferCode::Refund);
    let is_first = is_counted && !spending::has_another(tx.conn(), &order.matter, order.code, &order.id)?;
    let done = added(&Moved {
        from: side(made.from),
        to: side(made.to),
        amount: order.amount,
        code: order.code,
        is_first,
    });
    let mut facts: Vec<(SubjectRow, Measures)> = Vec::new();
    if !done.from_line.is_nothing() {
        put(&mut facts, plain(tx, made.from)?, &done.from_line)?;
    }
    if !done.from.is_nothing() {
        put(&mut facts, taken_from(tx, made)?, &done.from)?;
    }
    if !done.to_line.is_nothing() {
        put(&mut facts, plain(tx, made.to)?, &done.to_line)?;
    }
    if !done.to.is_nothing() {
        put(&mut facts, gone_to(tx, made)?, &done.to)?;
    }
    let happened = Happened {
        source: order.id.as_str(),
        amount_fen: order.amount.fen(),
        day: made.day,
    };
    for (subject, measures) in &facts {
        spending::add(tx, happened, subject, measures)?;
    }
    Ok(())
}

fn side(account: &LedgerAccount) -> Side<'_> {
    Side {
        code: account.code,
        line: account.line_id.as_ref(),
    }
}

/// Adds something under a subject, together with what is under it already.
fn put(facts: &mut Vec<(SubjectRow, Measures)>, subject: SubjectRow, more: &Measures) -> Result<(), Fault> {
    match facts.iter_mut().find(|(known, _)| known.id == subject.id) {
        Some((_, measures)) => *measures = measures.with(more)?,
        None => facts.push((subject, *more)),
    }
    Ok(())
}

/// Under what money is counted where it was taken from: what it was held for; or what it was paid for, if it was paid.
fn taken_from(tx: &mut Tx<'_>, made: &Made<'_>) -> Answer<SubjectRow> {
    let from = made.from;
    let order = &made.transfer.order;
    if let Some(matter) = made.held_for {
        let described = spending::described(tx.conn(), matter)?;
        return counted(tx, from, described);
    }
    let paid = match from.code {
        AccountCode::Spent => spending::paid_under(tx.conn(), &order.matter, &from.id)?,
        _ => None,
    };
    match paid {
        Some(subject) => Ok(subject),
        None => plain(tx, from),
    }
}

/// Under what money is counted where it went: what it is for by its own words, or what it was held for.
fn gone_to(tx: &mut Tx<'_>, made: &Made<'_>) -> Answer<SubjectRow> {
    let mut described = spending::described(tx.conn(), &made.transfer.order.matter)?;
    if described.is_none()
        && let Some(matter) = made.held_for
    {
        described = spending::described(tx.conn(), matter)?;
    }
    counted(tx, made.to, described)
}

fn plain(tx: &mut Tx<'_>, account: &LedgerAccount) -> Answer<SubjectRow> {
    counted(tx, account, None)
}

fn counted(tx: &mut Tx<'_>, account: &LedgerAccount, described: Option<Described>) -> Answer<SubjectRow> {
    let line = account.line_id.as_ref();
    let key = Subject {
        fund_id: account.fund_id.clone(),
        fiscal_year: account.fiscal_year,
        line: None,
        described,
    };
    let id = {
        let mut parts = key.key();
        parts.line = line.map(BudgetLineId::as_str);
        parts.id()
    };
    if let Some(known) = spending::subject(tx.conn(), id)? {
        return Ok(known);
    }
    let line = match line {
        Some(line) => {
            let found = store::line(tx.conn(), line)?;
            Some(found.ok_or_else(|| Fault::broken(format!("there is no budget line {line}")))?)
        }
        None => None,
    };
    spending::insert_subject(tx, &Subject { line, ..key })
}

/// A rating of a period of a contract that binds.
#[derive(Clone, Copy, Debug)]
pub struct Rated<'r> {
    /// The ballot.
    pub ballot: &'r str,
    /// The contract.
    pub contract: &'r str,
    /// The mean.
    pub mean: Score,
    /// Of how many ballots.
    pub ballots: u32,
    /// The ward's local date on which it was counted.
    pub day: NaiveDate,
}

/// Adds what residents said of a period of a contract. A matter that nobody has described has no contract, and counts nowhere; a ballot that was added stays as it is.
///
/// # Errors
/// A fault of the database, or of arithmetic.
pub fn rate(tx: &mut Tx<'_>, rated: Rated<'_>) -> Answer<()> {
    let Rated { ballot, contract, .. } = rated;
    if spending::is_measured(tx.conn(), ballot)? {
        return Ok(());
    }
    let Some(described) = spending::described(tx.conn(), contract)? else {
        return Ok(());
    };
    let line = store::line(tx.conn(), &described.line_id)?;
    let line = line.ok_or_else(|| Fault::broken(format!("{contract} has no budget line")))?;
    let subject = spending::insert_subject(
        tx,
        &Subject {
            fund_id: line.fund_id.clone(),
            fiscal_year: line.fiscal_year,
            line: Some(line),
            described: Some(described),
        },
    )?;
    let mean = rated
        .mean
        .rounded(2, Rounding::HalfUp)
        .map_err(|error| Fault::caused("the mean of a rating", error))?;
    let hundredths = units_of(mean.points(), 2).and_then(|units| i64::try_from(units).ok());
    let satisfaction = hundredths.and_then(|mean| mean.checked_mul(i64::from(rated.ballots)));
    let measures = Measures {
        ballots: i64::from(rated.ballots),
        satisfaction: satisfaction.ok_or_else(|| Fault::broken("a rating is beyond all bounds"))?,
        ..Measures::default()
    };
    let happened = Happened {
        source: ballot,
        amount_fen: 0,
        day: rated.day,
    };
    spending::add(tx, happened, &subject, &measures)
}
