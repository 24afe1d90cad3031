//! Follows money: from what was appropriated to each payment, and from a payment back, also over the end of a year. Every step is a transfer of the ledger or an event about a
//! claim, with the event of the log that tells of it. Reading only.

use std::collections::BTreeSet;

use crate::budget::rules::{BudgetLine, BudgetLineId};
use crate::budget::rules_ledger::{LedgerAccount, Transfer, TransferCode, TransferId};
use crate::budget::{store as budget, store_ledger, store_year_ends};
use crate::contracts::rules::ContractId;
use crate::db::conn::Conn;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault, Kind, Reason};
use crate::oversight::desk_trace_told::{Told, by_transfer, told};
use crate::oversight::desk_trace_ways::{Found, Ways};
use crate::oversight::rules_trace::{Link, kept};
use crate::oversight::store_trace as store;
use crate::payments::rules_claims::ClaimId;
use crate::payments::store_claims;
use crate::text;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Transfers in a trace at most.
pub const TRANSFERS_MAX: usize = 500;

/// A trace would be too long.
pub static TRACE_TOO_LONG: Reason = Reason::new(
    Kind::Invalid,
    "trace_too_long",
    "资金流向过长，请按合同查询",
    "The trace is too long: ask for that of one contract",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 1] = [&TRACE_TOO_LONG];

/// What a step is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The id of what the money moved for.
    pub matter: String,
    /// The lot.
    pub lot: Option<String>,
    /// The contract.
    pub contract: Option<ContractId>,
    /// The claim.
    pub claim: Option<String>,
}

/// Money that moved.
#[derive(Clone, Debug)]
pub struct Move {
    /// The transfer.
    pub transfer: Transfer,
    /// The transfer that had put the money there.
    pub source: Option<TransferId>,
    /// The account that it took from.
    pub from: LedgerAccount,
    /// The account that it gave to.
    pub to: LedgerAccount,
    /// How much; `None` where that is not for whoever asks.
    pub amount: Option<Money>,
}

/// A step.
#[derive(Clone, Debug)]
pub struct Step {
    /// When, UTC.
    pub at: Instant,
    /// What it is about.
    pub about: About,
    /// The event that tells of it: its id and type.
    pub event: Option<(String, String)>,
    /// What moved, if money did.
    pub moved: Option<Move>,
}

/// A trace.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The line that was asked for; of a claim the one that it is paid from.
    pub line: BudgetLine,
    /// All lines that the money went through, by their years.
    pub lines: Vec<BudgetLine>,
    /// The steps, in time.
    pub steps: Vec<Step>,
}

/// The trace of a budget line: all that was given to it, reserved, committed and paid; of one contract alone, if it is named, in whichever lines its money was.
///
/// # Errors
/// Not found, also a contract that never had money of the line; [`TRACE_TOO_LONG`]; a fault of the database.
pub fn of_line(
    conn: &mut Conn,
    actor: &Actor,
    (line, contract): (&BudgetLineId, Option<&ContractId>),
) -> Answer<Trace> {
    let line = budget::line(conn, line)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let (mut abouts, mut ways) = (Vec::new(), Ways::default());
    if let Some(contract) = contract {
        let (lot, _) = store::lot_of(conn, contract)?.ok_or_else(|| NOT_FOUND.refuse())?;
        of_lot(&mut abouts, &lot);
        of_contract(conn, &mut abouts, (&lot, contract))?;
        all_followed(conn, &mut ways, &abouts)?;
        if ways.in_line(conn, &line.id)?.is_empty() {
            return Err(NOT_FOUND.refuse().into());
        }
        all_given(conn, &mut ways)?;
        return assembled(conn, actor, (ways, line), abouts);
    }
    of_all(conn, &mut abouts, &line.id)?;
    all_followed(conn, &mut ways, &abouts)?;
    let asked = ways.in_line(conn, &line.id)?;
    let links: Vec<Link<TransferId>> = ways
        .found
        .iter()
        .map(|(id, found)| Link {
            id: id.clone(),
            source: found.source.clone(),
            is_asked: asked.contains(id),
        })
        .collect();
    let kept = kept(&links);
    ways.found.retain(|id, _| kept.contains(id));
    all_given(conn, &mut ways)?;
    ways.give(conn, &line, None)?;
    let abouts = still_told(conn, &ways, &line.id, abouts)?;
    assembled(conn, actor, (ways, line), abouts)
}

/// The trace of a claim, back to what was appropriated.
///
/// # Errors
/// Not found; [`TRACE_TOO_LONG`]; a fault of the database.
pub fn of_claim(conn: &mut Conn, actor: &Actor, id: &ClaimId) -> Answer<Trace> {
    let claim = store_claims::claim(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let lot = store::lot_of(conn, &claim.contract_id)?;
    let (lot, first) = lot.ok_or_else(|| Fault::broken(format!("{id} is of no lot")))?;
    let about = About {
        matter: id.to_string(),
        lot: Some(lot),
        contract: Some(claim.contract_id.clone()),
        claim: Some(id.to_string()),
    };
    let mut ways = Ways::default();
    ways.follow(conn, &about)?;
    let line = match ways.paid_from(conn)? {
        Some(line) => line,
        None => store_year_ends::line_of(conn, claim.contract_id.as_str())?.unwrap_or(first),
    };
    let line = ways.line(conn, &line)?;
    all_given(conn, &mut ways)?;
    assembled(conn, actor, (ways, line), vec![about])
}

pub(super) fn max() -> i64 {
    i64::try_from(TRANSFERS_MAX.saturating_add(1)).unwrap_or(i64::MAX)
}

pub(super) fn bounded(number: usize) -> Answer<()> {
    if number <= TRANSFERS_MAX {
        return Ok(());
    }
    let detail = text!(
        "最多 {TRANSFERS_MAX} 笔划转；可用 contract_id 参数",
        "at most {TRANSFERS_MAX} transfers: there is the parameter contract_id"
    );
    Err(TRACE_TOO_LONG.because(detail).at("?contract_id").into())
}

/// All that was ever held in a line.
fn of_all(conn: &mut Conn, abouts: &mut Vec<About>, line: &BudgetLineId) -> Answer<()> {
    let held = store::held(conn, line, max())?;
    bounded(held.len())?;
    let (mut lots, mut contracts) = (BTreeSet::new(), BTreeSet::new());
    for matter in held {
        match store::contract_of(conn, &matter)? {
            Some(contract) => {
                contracts.insert(contract);
            }
            None => {
                contracts.extend(store::contracts_of(conn, &matter)?);
                lots.insert(matter);
            }
        }
    }
    for contract in contracts {
        let lot = store::lot_of(conn, &contract)?;
        let (lot, _) = lot.ok_or_else(|| Fault::broken(format!("{contract} is of no lot")))?;
        of_contract(conn, abouts, (&lot, &contract))?;
        lots.insert(lot);
        bounded(abouts.len())?;
    }
    for lot in lots {
        of_lot(abouts, &lot);
    }
    bounded(abouts.len())
}

fn of_lot(abouts: &mut Vec<About>, lot: &str) {
    abouts.push(About {
        matter: lot.to_owned(),
        // What was reserved by hand is no lot.
        lot: lot.starts_with("lot_").then(|| lot.to_owned()),
        ..About::default()
    });
}

fn of_contract(conn: &mut Conn, abouts: &mut Vec<About>, (lot, contract): (&str, &ContractId)) -> Answer<()> {
    let about = |matter: String, claim: Option<String>| About {
        matter,
        lot: Some(lot.to_owned()),
        contract: Some(contract.clone()),
        claim,
    };
    abouts.push(about(contract.to_string(), None));
    for variation in store::variations_of(conn, contract)? {
        abouts.push(about(variation, None));
    }
    for claim in store::claims_of(conn, contract)? {
        abouts.push(about(claim.clone(), Some(claim)));
    }
    Ok(())
}

fn all_followed(conn: &mut Conn, ways: &mut Ways, abouts: &[About]) -> Answer<()> {
    for about in abouts {
        ways.follow(conn, about)?;
    }
    Ok(())
}

/// What the lines had been given when they were drawn on.
fn all_given(conn: &mut Conn, ways: &mut Ways) -> Answer<()> {
    for (line, until) in ways.drawn_until(conn)? {
        let line = ways.line(conn, &line)?;
        ways.give(conn, &line, Some(until))?;
    }
    Ok(())
}

/// Without the claims that another line pays.
fn still_told(conn: &mut Conn, ways: &Ways, line: &BudgetLineId, abouts: Vec<About>) -> Answer<Vec<About>> {
    let paid: BTreeSet<&str> = ways
        .found
        .values()
        .filter_map(|found| found.about.claim.as_deref())
        .collect();
    let mut still = Vec::with_capacity(abouts.len());
    for about in abouts {
        let is_told = match (&about.claim, &about.contract) {
            (Some(claim), Some(contract)) if !paid.contains(claim.as_str()) => {
                let first = store::lot_of(conn, contract)?.map(|(_, line)| line);
                let now = store_year_ends::line_of(conn, contract.as_str())?.or(first);
                let moved = store_ledger::transfers_of(conn, claim, 1)?;
                moved.is_empty() && now.as_ref() == Some(line)
            }
            _ => true,
        };
        if is_told {
            still.push(about);
        }
    }
    Ok(still)
}

/// Puts a trace together: what moved with the events that tell of it, and what was done about these claims without money moving, in the order of the log.
fn assembled(
    conn: &mut Conn,
    actor: &Actor,
    (mut ways, line): (Ways, BudgetLine),
    abouts: Vec<About>,
) -> Answer<Trace> {
    let found = std::mem::take(&mut ways.found);
    let told = told(conn, found.values().map(|found| &found.about).chain(&abouts))?;
    let by_transfer = by_transfer(&told);
    let mut steps = Vec::with_capacity(found.len());
    for (id, found) in found {
        let event = by_transfer.get(id.as_str()).copied();
        let place = event.map_or((i64::MAX, 0), |(event, place)| (event.leaf_index, place));
        let event = event.map(|(event, _)| event);
        steps.push((place, step(conn, actor, &mut ways, (found, event))?));
    }
    for about in &abouts {
        let is_idle =
            |told: &&Told| about.claim.as_deref() == Some(told.subject.as_str()) && told.transfers.is_empty();
        steps.extend(told.iter().filter(is_idle).map(|told| {
            let step = Step {
                at: told.at,
                about: about.clone(),
                event: Some((told.id.clone(), told.kind.clone())),
                moved: None,
            };
            ((told.leaf_index, 0), step)
        }));
    }
    steps.sort_by_key(|(place, step)| (step.at, *place));
    let mut lines = ways.lines();
    if !lines.iter().any(|known| known.id == line.id) {
        lines.push(line.clone());
    }
    lines.sort_by(|one, other| (one.fiscal_year, &one.id).cmp(&(other.fiscal_year, &other.id)));
    Ok(Trace {
        line,
        lines,
        steps: steps.into_iter().map(|(_, step)| step).collect(),
    })
}

fn step(
    conn: &mut Conn,
    actor: &Actor,
    ways: &mut Ways,
    (found, event): (Found, Option<&Told>),
) -> Answer<Step> {
    let Found {
        transfer,
        about,
        source,
    } = found;
    let from = ways.account(conn, &transfer.order.from)?;
    let to = ways.account(conn, &transfer.order.to)?;
    let mut is_told = event.is_some_and(|event| event.is_public)
        // What the log keeps from the public, this does too; what was appropriated to a fund everybody sees in the trial balance.
        || matches!(
            transfer.order.code,
            TransferCode::Appropriation | TransferCode::SupplementaryAppropriation
        );
    for line in from.line_id.iter().chain(&to.line_id) {
        let line = ways.line(conn, line)?;
        is_told |= policy::allows(
            actor,
            Action::ReadBudget,
            Matter::of_organisation(&line.organisation_id),
        );
    }
    Ok(Step {
        at: transfer.made_at,
        about,
        event: event.map(|event| (event.id.clone(), event.kind.clone())),
        moved: Some(Move {
            source,
            from,
            to,
            amount: is_told.then_some(transfer.order.amount),
            transfer,
        }),
    })
}
