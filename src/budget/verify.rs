//! Rebuilds the ledger from its entries and compares, with its rows and with the log: trusts neither a balance nor a number that stands in a row. Reads in pieces of
//! bounded size, however many entries there are.

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::audit;
use crate::audit::entry::commitment;
use crate::audit::store::EventRow;
use crate::budget::rules_ledger::AccountCode;
use crate::budget::store_verification::{self as store, AccountRow, MatterRow, TransferRow};
use crate::budget::verify_spending;
use crate::db::conn::Conn;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};

/// Faults that are told one by one.
pub const FAULTS_TOLD_MAX: usize = 100;
/// Events read at once.
const EVENTS_AT_ONCE: i64 = 1_000;
/// Transfers that are looked up at once.
const TELLINGS_AT_ONCE: usize = 500;

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
    /// What could not be compared, and is not wrong for that.
    pub notes: Vec<String>,
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

    /// Adds what does not hold.
    pub fn fault(&mut self, what: String) {
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
        for note in &self.notes {
            writeln!(f, "  note: {note}")?;
        }
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

/// Rebuilds every balance from the entries; compares each transfer with its two entries, each hold with the transfer that began it and
/// with what was taken from it, the accounts that hold with their holds, each movement and each delegation with its transfer, and all
/// transfers with those that the log tells of; adds everything up to zero; and compares what is measured of spending with all that. In a transaction with one snapshot, or with nobody
/// writing. It takes the log's entries as they are: that none of them was changed is what `wardbook verify log` finds out.
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
    matters(conn, &mut verdict, store::movements, |state| state == "confirmed")?;
    matters(conn, &mut verdict, store::year_ends, |state| state == "confirmed")?;
    // A draft that is discarded moved nothing; what has ended was in effect.
    matters(conn, &mut verdict, store::delegations, |state| {
        state == "effective" || state == "ended"
    })?;
    log(conn, &mut verdict)?;
    verify_spending::compare(conn, &mut verdict)?;
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
        let Some(last) = rows.last() else {
            break;
        };
        let until = last.id.clone();
        let found = store::sides(conn, &after, &until)?;
        let mut sides = found.iter().peekable();
        for row in &rows {
            verdict.transfers = verdict.transfers.saturating_add(1);
            let mut own = Vec::new();
            while let Some(side) = sides.next_if(|side| side.0 <= row.id) {
                own.push((side.0.as_str(), side.1.as_str(), side.2, side.3));
            }
            let side = |account, amount| (row.id.as_str(), account, amount, row.made_at);
            let takes = side(row.from_account_id.as_str(), row.amount_fen.saturating_neg());
            if own != [takes, side(row.to_account_id.as_str(), row.amount_fen)] {
                let id = &row.id;
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

/// Every hold beside the transfer that began it and what was taken from it.
fn holds(conn: &mut Conn, verdict: &mut LedgerVerdict) -> Answer<()> {
    let mut after = String::new();
    loop {
        let rows = store::holds(conn, &after)?;
        let Some((last, ..)) = rows.last() else {
            return Ok(());
        };
        after.clone_from(&last.id);
        for (hold, begun_by, origin) in rows {
            verdict.holds = verdict.holds.saturating_add(1);
            let (id, amount) = (&hold.id, hold.amount_fen);
            let (taken, strays) = store::taken(conn, &hold)?;
            if amount.saturating_sub(taken) != hold.remaining_fen {
                verdict.fault(format!(
                    "{id}: of {amount} fen held {taken} were taken, and {} are left",
                    hold.remaining_fen
                ));
            }
            if strays > 0 {
                verdict.fault(format!(
                    "{id}: {strays} transfers took from it out of another account"
                ));
            }
            let goes_back_to = origin.as_ref().unwrap_or(&begun_by.from_account_id);
            let is = (&hold.account_id, &hold.origin_account_id, &hold.matter);
            let is_to_be = (&begun_by.to_account_id, goes_back_to, &begun_by.matter);
            if is != is_to_be || amount != begun_by.amount_fen || hold.opened_at != begun_by.made_at {
                verdict.fault(format!("{id}: it is not the hold that its transfer begins"));
            }
        }
    }
}

/// Every movement, decision at a year's end, or delegation, beside its transfer: there is one if it was decided so, of its amount, and none otherwise.
fn matters(
    conn: &mut Conn,
    verdict: &mut LedgerVerdict,
    next: fn(&mut Conn, &str) -> Answer<Vec<MatterRow>>,
    is_done: fn(&str) -> bool,
) -> Answer<()> {
    let mut after = String::new();
    loop {
        let rows = next(conn, &after)?;
        let Some((last, ..)) = rows.last() else {
            return Ok(());
        };
        after.clone_from(last);
        for (id, state, amount, moved) in rows {
            if moved != amount.filter(|_| is_done(&state)) {
                verdict.fault(format!(
                    "{id}: it is {state} with {amount:?} fen, and its transfer moved {moved:?}"
                ));
            }
        }
    }
}

/// A transfer as the log tells of it.
#[derive(Debug, Deserialize)]
struct Told {
    id: String,
    from: String,
    to: String,
    amount: Money,
    code: String,
    phase: String,
}

/// Every transfer that the log tells of beside the ledger's, and that it tells of them all: a transfer that nobody made is told of by
/// no event.
fn log(conn: &mut Conn, verdict: &mut LedgerVerdict) -> Answer<()> {
    let (mut told, mut after) = (0_u64, String::new());
    loop {
        let rows = audit::store::events_after(conn, &after, EVENTS_AT_ONCE)?;
        let Some(last) = rows.last() else { break };
        after = last.id.to_string();
        let mut tellings = Vec::new();
        for row in &rows {
            match tellings_of(row) {
                Ok(found) => tellings.extend(found),
                Err(what) => verdict.fault(format!("{}: {what}", row.id)),
            }
        }
        for some in tellings.chunks(TELLINGS_AT_ONCE) {
            told = told.saturating_add(u64::try_from(some.len()).unwrap_or(u64::MAX));
            compare(conn, some, verdict)?;
        }
    }
    if told < verdict.transfers {
        let transfers = verdict.transfers;
        verdict.fault(format!("of {transfers} transfers the log tells of {told}"));
    }
    Ok(())
}

/// The transfers that an event tells of, publicly or not.
fn tellings_of(row: &EventRow) -> Result<Vec<Told>, String> {
    let entry: Value = serde_json::from_slice(&row.entry).map_err(|error| error.to_string())?;
    let mut told = entry.pointer("/data/transfers").cloned();
    if let (Some(salt), Some(content)) = (&row.salt, &row.content) {
        let private: Value = serde_json::from_str(content).map_err(|error| error.to_string())?;
        if let Some(transfers) = private.get("transfers") {
            if entry.get("commit").and_then(Value::as_str) != Some(&commitment(salt, content)) {
                return Err("its private content is not what its entry commits to".to_owned());
            }
            told = Some(transfers.clone());
        }
    }
    match told {
        Some(told) => serde_json::from_value(told).map_err(|error| error.to_string()),
        None => Ok(Vec::new()),
    }
}

fn compare(conn: &mut Conn, tellings: &[Told], verdict: &mut LedgerVerdict) -> Answer<()> {
    let ids: Vec<&str> = tellings.iter().map(|told| told.id.as_str()).collect();
    let rows = store::transfers_of_ids(conn, &ids)?;
    let rows: HashMap<&str, &TransferRow> = rows.iter().map(|row| (row.id.as_str(), row)).collect();
    for told in tellings {
        let is_so = rows.get(told.id.as_str()).is_some_and(|row| {
            let ends = (row.from_account_id == told.from, row.to_account_id == told.to);
            let words = (row.code == told.code, row.phase == told.phase);
            ends == (true, true) && words == (true, true) && row.amount_fen == told.amount.fen()
        });
        if !is_so {
            verdict.fault(format!(
                "{}: the ledger has it otherwise than the log, or not at all",
                told.id
            ));
        }
    }
    Ok(())
}
