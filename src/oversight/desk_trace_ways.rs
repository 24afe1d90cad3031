//! The transfers of a trace as they are found, each with what it came from: the hold that it was taken from; for what was carried over a year's end, the hold of the year before; for
//! what was held again after the bank sent it back, the refund. Reading only.

use std::collections::{BTreeMap, BTreeSet};

use crate::budget::rules::{BudgetLine, BudgetLineId};
use crate::budget::rules_ledger::{
    AccountCode, LedgerAccount, LedgerAccountId, Transfer, TransferCode, TransferId,
};
use crate::budget::rules_year_ends::YearEndId;
use crate::budget::{store as budget, store_ledger};
use crate::db::conn::Conn;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};
use crate::oversight::desk_trace::{About, bounded, max};
use crate::oversight::rules_trace::{Flow, drawn_until};
use crate::oversight::store_trace as store;

/// A transfer that was found.
pub(super) struct Found {
    /// The transfer.
    pub transfer: Transfer,
    /// What it is about.
    pub about: About,
    /// The transfer that had put the money there.
    pub source: Option<TransferId>,
}

/// All that was found, with the accounts and lines that it names.
#[derive(Default)]
pub(super) struct Ways {
    /// The transfers.
    pub found: BTreeMap<TransferId, Found>,
    accounts: BTreeMap<LedgerAccountId, LedgerAccount>,
    lines: BTreeMap<BudgetLineId, BudgetLine>,
}

impl Ways {
    /// An account of the ledger.
    pub fn account(&mut self, conn: &mut Conn, id: &LedgerAccountId) -> Answer<LedgerAccount> {
        if let Some(account) = self.accounts.get(id) {
            return Ok(account.clone());
        }
        let account = store_ledger::account(conn, id)?;
        let account = account.ok_or_else(|| Fault::broken(format!("there is no account {id}")))?;
        self.accounts.insert(id.clone(), account.clone());
        Ok(account)
    }

    /// A line that money went through.
    pub fn line(&mut self, conn: &mut Conn, id: &BudgetLineId) -> Answer<BudgetLine> {
        if let Some(line) = self.lines.get(id) {
            return Ok(line.clone());
        }
        let line = budget::line(conn, id)?;
        let line = line.ok_or_else(|| Fault::broken(format!("there is no budget line {id}")))?;
        self.lines.insert(id.clone(), line.clone());
        Ok(line)
    }

    /// Adds all transfers of a matter, what became of it at years' ends, and what all that came from in the first place.
    pub fn follow(&mut self, conn: &mut Conn, about: &About) -> Answer<()> {
        let mut all = store_ledger::transfers_of(conn, &about.matter, max())?;
        for year_end in store::year_ends_of(conn, &about.matter)? {
            all.extend(store_ledger::transfers_of(conn, &year_end, max())?);
        }
        for transfer in all {
            let of_this = About {
                matter: transfer.order.matter.clone(),
                ..about.clone()
            };
            let mut next = self.add(conn, transfer, of_this)?;
            while let Some(id) = next.filter(|id| !self.found.contains_key(id)) {
                let transfer = loaded(conn, &id)?;
                let about = on_the_way(about, &transfer);
                next = self.add(conn, transfer, about)?;
            }
        }
        Ok(())
    }

    /// Adds a transfer, and tells what it came from.
    fn add(&mut self, conn: &mut Conn, transfer: Transfer, about: About) -> Answer<Option<TransferId>> {
        let source = self.source(conn, &transfer, &about)?;
        let found = Found {
            about,
            source: source.clone(),
            transfer,
        };
        self.found.insert(found.transfer.order.id.clone(), found);
        bounded(self.found.len())?;
        Ok(source)
    }

    fn source(&mut self, conn: &mut Conn, transfer: &Transfer, about: &About) -> Answer<Option<TransferId>> {
        let order = &transfer.order;
        if order.hold.is_some() {
            return Ok(order.hold.clone());
        }
        match order.code {
            TransferCode::CarryOver | TransferCode::Return => store::freed(conn, transfer),
            TransferCode::Refund => store::undone(conn, transfer),
            TransferCode::Reservation | TransferCode::Commitment | TransferCode::Retention => {
                match (store::carried(conn, transfer)?, &about.contract) {
                    (Some(carried), _) => Ok(Some(carried)),
                    (None, Some(contract)) => store::refunded(conn, contract, transfer),
                    (None, None) => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// Adds what a line was given and what was appropriated for that, up to an instant if one is named; and so on for what it was given by other lines.
    pub fn give(&mut self, conn: &mut Conn, line: &BudgetLine, until: Option<Instant>) -> Answer<()> {
        let mut wanted = vec![(line.clone(), until)];
        let mut done: BTreeMap<BudgetLineId, Option<Instant>> = BTreeMap::new();
        while let Some((line, until)) = wanted.pop() {
            let is_done = |known: &Option<Instant>| known.is_none() || until.is_some() && *known >= until;
            if done.get(&line.id).is_some_and(is_done) {
                continue;
            }
            done.insert(line.id.clone(), until);
            let mut by_fund = None;
            for id in store::of_line(conn, &line.id, max())? {
                let Some((from, to, at)) = self.given(conn, &id, until)? else {
                    continue;
                };
                if self.account(conn, &to)?.line_id.as_ref() != Some(&line.id) {
                    continue;
                }
                match self.account(conn, &from)?.line_id {
                    Some(other) => wanted.push((self.line(conn, &other)?, Some(at))),
                    None => by_fund = by_fund.max(Some(at)),
                }
            }
            // Without an end all of the year's is told, whether the line has had of it or not.
            if until.is_none() || by_fund.is_some() {
                for id in appropriated(conn, &line)? {
                    self.given(conn, &id, until.and(by_fund))?;
                }
            }
        }
        Ok(())
    }

    /// Adds a transfer that gives or takes free money, unless it is later than that, and tells between which accounts it was and when. What was carried over or given back at a
    /// year's end was held for something, and comes with that; it is added only where all of a line's is told.
    fn given(
        &mut self,
        conn: &mut Conn,
        id: &TransferId,
        until: Option<Instant>,
    ) -> Answer<Option<(LedgerAccountId, LedgerAccountId, Instant)>> {
        let known = self.found.get(id).map(|found| found.transfer.clone());
        let is_known = known.is_some();
        let transfer = match known {
            Some(transfer) => transfer,
            None => loaded(conn, id)?,
        };
        let is_held = transfer.order.matter.parse::<YearEndId>().is_ok();
        if until.is_some_and(|until| transfer.made_at > until) || is_held && until.is_some() {
            return Ok(None);
        }
        let told = (
            transfer.order.from.clone(),
            transfer.order.to.clone(),
            transfer.made_at,
        );
        if !is_known {
            let about = About {
                matter: transfer.order.matter.clone(),
                ..About::default()
            };
            self.add(conn, transfer, about)?;
        }
        Ok((!is_held).then_some(told))
    }

    /// Those that moved something in a line.
    pub fn in_line(&mut self, conn: &mut Conn, line: &BudgetLineId) -> Answer<BTreeSet<TransferId>> {
        let mut found = BTreeSet::new();
        for transfer in self.transfers() {
            for account in [&transfer.order.from, &transfer.order.to] {
                if self.account(conn, account)?.line_id.as_ref() == Some(line) {
                    found.insert(transfer.order.id.clone());
                }
            }
        }
        Ok(found)
    }

    /// The line that something was paid from last.
    pub fn paid_from(&mut self, conn: &mut Conn) -> Answer<Option<BudgetLineId>> {
        let paid = self.transfers().into_iter();
        let last = paid
            .filter(|transfer| transfer.order.code == TransferCode::Payment)
            .max_by_key(|transfer| transfer.made_at);
        match last {
            Some(last) => Ok(self.account(conn, &last.order.from)?.line_id),
            None => Ok(None),
        }
    }

    /// All lines that money went through.
    pub fn lines(&self) -> Vec<BudgetLine> {
        self.lines.values().cloned().collect()
    }

    fn transfers(&self) -> Vec<Transfer> {
        self.found.values().map(|found| found.transfer.clone()).collect()
    }

    /// Up to when each line was drawn on by what was found.
    pub fn drawn_until(&mut self, conn: &mut Conn) -> Answer<BTreeMap<BudgetLineId, Instant>> {
        let mut flows = Vec::new();
        for transfer in self.transfers() {
            let fen = transfer.order.amount.fen();
            for (account, fen) in [
                (&transfer.order.from, fen.saturating_neg()),
                (&transfer.order.to, fen),
            ] {
                let account = self.account(conn, account)?;
                if account.code == AccountCode::Available {
                    flows.extend(account.line_id.map(|line| Flow {
                        line,
                        at: transfer.made_at,
                        fen,
                    }));
                }
            }
        }
        Ok(drawn_until(&flows))
    }
}

fn loaded(conn: &mut Conn, id: &TransferId) -> Answer<Transfer> {
    let transfer = store_ledger::transfer(conn, id)?;
    Ok(transfer.ok_or_else(|| Fault::broken(format!("there is no transfer {id}")))?)
}

/// What a transfer is about that another came from.
fn on_the_way(about: &About, transfer: &Transfer) -> About {
    let matter = transfer.order.matter.clone();
    let is_of_lot = about.lot.as_ref() == Some(&matter);
    About {
        lot: about.lot.clone(),
        contract: about.contract.clone().filter(|_| !is_of_lot),
        claim: about.claim.clone().filter(|claim| *claim == matter),
        matter,
    }
}

/// What was appropriated to a line's fund for its year.
fn appropriated(conn: &mut Conn, line: &BudgetLine) -> Answer<Vec<TransferId>> {
    let source = store_ledger::account_of_year(conn, &line.fund_id, line.fiscal_year, AccountCode::Source)?;
    let codes = [
        TransferCode::Appropriation,
        TransferCode::SupplementaryAppropriation,
    ];
    match source {
        Some(source) => store::of_account(conn, &source.id, &codes, max()),
        None => Ok(Vec::new()),
    }
}
