//! Rebuilds the ledger from its entries and compares: trusts neither a balance nor a number that stands in a row. Reads in pieces of
//! bounded size, however many entries there are.

use std::fmt;

use crate::budget::rules_ledger::AccountCode;
use crate::budget::store_verification::{self as store, AccountRow};
use crate::db::conn::Conn;
use crate::kernel::refusal::{Answer, Fault};

/// Faults that are told one by one.
pub const FAULTS_TOLD_MAX: usize = 100;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerVerdict {
    /// Accounts compared.
    pub accounts: u64,
    /// Transfers compared.
    pub transfers: u64,
    /// Entries added up.
    pub entries: u64,
    /// Holds compared.
    pub holds: u64,
    /// What does not hold, up to [`FAULTS_TOLD_MAX`].
    pub faults: Vec<String>,
    /// How many there are.
    pub faults_found: u64,
}

impl LedgerVerdict {
    /// True if everything adds up.
    pub const fn holds(&self) -> bool {
        self.faults_found == 0
    }

    fn fault(&mut self, what: String) {
        self.faults_found = self.faults_found.saturating_add(1);
        if self.faults.len() < FAULTS_TOLD_MAX {
            self.faults.push(what);
        }
    }
}

impl fmt::Display for LedgerVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.holds() { "HOLDS" } else { "DOES NOT HOLD" };
        writeln!(
            f,
            "ledger: {word} ({} accounts, {} transfers, {} entries, {} holds)",
            self.accounts, self.transfers, self.entries, self.holds
        )?;
        for fault in &self.faults {
            writeln!(f, "  {fault}")?;
        }
        let untold = self
            .faults_found
            .saturating_sub(u64::try_from(self.faults.len()).unwrap_or(u64::MAX));
        if untold > 0 {
            writeln!(f, "  and {untold} more")?;
        }
        Ok(())
    }
}

/// Rebuilds every balance from the entries; compares each transfer with its two entries, each hold with what was taken from it, the
/// accounts that hold with their holds, each confirmed movement with its transfer; and adds everything up to zero. In a transaction
/// with one snapshot, or with nobody writing.
///
/// # Errors
/// A fault of the database.
pub fn verify(conn: &mut Conn) -> Answer<LedgerVerdict> {
    let mut verdict = LedgerVerdict::default();
    let sum = accounts(conn, &mut verdict)?;
    if sum != 0 {
        verdict.fault(format!("all balances add up to {sum} fen instead of zero"));
    }
    transfers(conn, &mut verdict)?;
    holds(conn, &mut verdict)?;
    movements(conn, &mut verdict)?;
    Ok(verdict)
}

/// Every account beside its entries; the sum of all balances.
fn accounts(conn: &mut Conn, verdict: &mut LedgerVerdict) -> Answer<i128> {
    let (mut sum, mut after) = (0_i128, String::new());
    loop {
        let rows = store::accounts(conn, &after)?;
        let Some((last, ..)) = rows.last() else {
            return Ok(sum);
        };
        after.clone_from(last);
        for row in &rows {
            verdict.accounts = verdict.accounts.saturating_add(1);
            sum = sum.saturating_add(i128::from(row.2));
            account(conn, row, verdict)?;
        }
    }
}

fn account(conn: &mut Conn, row: &AccountRow, verdict: &mut LedgerVerdict) -> Answer<()> {
    let (id, code, balance, count) = row;
    let code = AccountCode::named(code).ok_or_else(|| Fault::broken(format!("an account that is {code}")))?;
    let (mut number, mut stands_at) = (0_i64, 0_i64);
    loop {
        let entries = store::entries(conn, id, number)?;
        if entries.is_empty() {
            break;
        }
        for (its_number, amount, after) in entries {
            verdict.entries = verdict.entries.saturating_add(1);
            if its_number != number.saturating_add(1) {
                verdict.fault(format!("{id}: entry {its_number} follows entry {number}"));
            }
            number = its_number;
            stands_at = stands_at.saturating_add(amount);
            if after != stands_at {
                verdict.fault(format!(
                    "{id}: entry {number} says {after} fen, its entries add up to {stands_at}"
                ));
            }
            let allowed = match code {
                AccountCode::Source => stands_at <= 0,
                _ => stands_at >= 0,
            };
            if !allowed {
                verdict.fault(format!("{id}: {stands_at} fen after entry {number}"));
            }
        }
    }
    if (number, stands_at) != (*count, *balance) {
        verdict.fault(format!(
            "{id}: the row says {balance} fen in {count} entries, there are {stands_at} in {number}"
        ));
    }
    if code.holds() {
        let held = store::held(conn, id)?;
        if held != *balance {
            verdict.fault(format!(
                "{id}: {held} fen are held in it, and {balance} are in it"
            ));
        }
    }
    Ok(())
}

/// Every transfer beside its entries: one takes from the one account what the other gives to the other.
fn transfers(conn: &mut Conn, verdict: &mut LedgerVerdict) -> Answer<()> {
    let mut after = String::new();
    loop {
        let rows = store::transfers(conn, &after)?;
        let Some((last, ..)) = rows.last() else {
            break;
        };
        let until = last.clone();
        let found = store::sides(conn, &after, &until)?;
        let mut sides = found.iter().peekable();
        for (id, from, to, amount) in &rows {
            verdict.transfers = verdict.transfers.saturating_add(1);
            let mut own = Vec::new();
            while let Some(side) = sides.next_if(|side| side.0 <= *id) {
                own.push((side.0.as_str(), side.1.as_str(), side.2));
            }
            let takes = (id.as_str(), from.as_str(), amount.saturating_neg());
            if own != [takes, (id.as_str(), to.as_str(), *amount)] {
                verdict.fault(format!("{id}: its entries are not those that it makes: {own:?}"));
            }
        }
        after = until;
    }
    let entries = store::entries_count(conn)?;
    if u64::try_from(entries).ok() != verdict.transfers.checked_mul(2) {
        verdict.fault(format!("{} transfers have {entries} entries", verdict.transfers));
    }
    Ok(())
}

/// Every hold beside what was taken from it.
fn holds(conn: &mut Conn, verdict: &mut LedgerVerdict) -> Answer<()> {
    let mut after = String::new();
    loop {
        let rows = store::holds(conn, &after)?;
        let Some((last, ..)) = rows.last() else {
            return Ok(());
        };
        after.clone_from(last);
        for (id, amount, remaining) in rows {
            verdict.holds = verdict.holds.saturating_add(1);
            let taken = store::taken(conn, &id)?;
            if amount.saturating_sub(taken) != remaining {
                verdict.fault(format!(
                    "{id}: of {amount} fen held {taken} were taken, and {remaining} are left"
                ));
            }
        }
    }
}

/// Every confirmed movement beside its transfer.
fn movements(conn: &mut Conn, verdict: &mut LedgerVerdict) -> Answer<()> {
    let mut after = String::new();
    loop {
        let rows = store::movements(conn, &after)?;
        let Some((last, ..)) = rows.last() else {
            return Ok(());
        };
        after.clone_from(last);
        for (id, amount, moved) in rows {
            if moved != Some(amount) {
                verdict.fault(format!(
                    "{id}: {amount} fen were confirmed, and its transfer moved {moved:?}"
                ));
            }
        }
    }
}
