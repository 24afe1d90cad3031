//! Follows money: from what was appropriated to each payment, and from a payment back. Every step is a transfer of the ledger or an event about a claim, with the event of
//! the log that tells of it. Reading only.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::audit::store::{self as audit, EventFilter, EventRow};
use crate::budget::rules::{BudgetLine, BudgetLineId};
use crate::budget::rules_ledger::{AccountCode, LedgerAccountId, Transfer, TransferCode, TransferId};
use crate::budget::{store as budget, store_ledger};
use crate::contracts::rules::ContractId;
use crate::db::conn::Conn;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault, Kind, Reason};
use crate::oversight::store_trace as store;
use crate::payments::rules_claims::ClaimId;
use crate::payments::store_claims;
use crate::text;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Transfers in a trace at most.
pub const TRANSFERS_MAX: usize = 500;
/// Events about one thing that are looked through at most.
const EVENTS_MAX: i64 = 500;

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
    /// What the account is for that it took from.
    pub from: AccountCode,
    /// What the account is for that it gave to.
    pub to: AccountCode,
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
    /// The line.
    pub line: BudgetLine,
    /// The steps, in time.
    pub steps: Vec<Step>,
}

/// The trace of a budget line: all that was given to it, reserved, committed and paid; of one contract alone, if it is named.
///
/// # Errors
/// Not found, also a contract that another line pays; [`TRACE_TOO_LONG`]; a fault of the database.
pub fn of_line(
    conn: &mut Conn,
    actor: &Actor,
    (line, contract): (&BudgetLineId, Option<&ContractId>),
) -> Answer<Trace> {
    let line = budget::line(conn, line)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let mut abouts = Vec::new();
    match contract {
        Some(contract) => {
            let lot = store::lot_of(conn, contract)?.filter(|(_, pays)| *pays == line.id);
            let (lot, _) = lot.ok_or_else(|| NOT_FOUND.refuse())?;
            of_lot(&mut abouts, &lot);
            of_contract(conn, &mut abouts, (&lot, contract))?;
        }
        None => {
            let reserved = store::reserved(conn, &line.id, max())?;
            bounded(reserved.len())?;
            for matter in reserved {
                of_lot(&mut abouts, &matter);
                for contract in store::contracts_of(conn, &matter)? {
                    of_contract(conn, &mut abouts, (&matter, &contract))?;
                    bounded(abouts.len())?;
                }
            }
        }
    }
    assembled(conn, actor, line, abouts)
}

/// The trace of a claim, back to what was appropriated.
///
/// # Errors
/// Not found; [`TRACE_TOO_LONG`]; a fault of the database.
pub fn of_claim(conn: &mut Conn, actor: &Actor, id: &ClaimId) -> Answer<Trace> {
    let claim = store_claims::claim(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let lot = store::lot_of(conn, &claim.contract_id)?;
    let (lot, line) = lot.ok_or_else(|| Fault::broken(format!("{id} is of no lot")))?;
    let line = budget::line(conn, &line)?.ok_or_else(|| Fault::broken(format!("{id} is paid by no line")))?;
    let about = About {
        matter: id.to_string(),
        lot: Some(lot),
        contract: Some(claim.contract_id),
        claim: Some(id.to_string()),
    };
    assembled(conn, actor, line, vec![about])
}

fn max() -> i64 {
    i64::try_from(TRANSFERS_MAX.saturating_add(1)).unwrap_or(i64::MAX)
}

fn bounded(number: usize) -> Answer<()> {
    if number <= TRANSFERS_MAX {
        return Ok(());
    }
    let detail = text!(
        "最多 {TRANSFERS_MAX} 笔划转；可用 contract_id 参数",
        "at most {TRANSFERS_MAX} transfers: there is the parameter contract_id"
    );
    Err(TRACE_TOO_LONG.because(detail).at("?contract_id").into())
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

/// Puts a trace together: what was appropriated, what the line was given, and all transfers for these matters, with those that they draw on.
fn assembled(conn: &mut Conn, actor: &Actor, line: BudgetLine, abouts: Vec<About>) -> Answer<Trace> {
    let mut known: BTreeMap<TransferId, (Transfer, About)> = BTreeMap::new();
    for id in appropriated(conn, &line)?
        .into_iter()
        .chain(store::of_line(conn, &line.id, max())?)
    {
        add(conn, &mut known, &id, None)?;
    }
    for about in &abouts {
        for transfer in store_ledger::transfers_of(conn, &about.matter, max())? {
            let mut drawn = transfer.order.hold.clone();
            known.insert(transfer.order.id.clone(), (transfer, about.clone()));
            bounded(known.len())?;
            // Up to where it was taken from in the first place.
            while let Some(hold) = drawn {
                drawn = add(conn, &mut known, &hold, Some(about))?;
            }
        }
    }
    let matter = Matter::of_organisation(&line.organisation_id);
    let is_insider = policy::allows(actor, Action::ReadBudget, matter);
    let told = told(conn, known.values().map(|(_, about)| about).chain(&abouts))?;
    let mut steps = Vec::with_capacity(known.len());
    for (transfer, about) in known.into_values() {
        let event = told
            .iter()
            .find(|told| told.transfers.contains(transfer.order.id.as_str()));
        steps.push(step(conn, (transfer, about), event, is_insider)?);
    }
    for about in &abouts {
        let of_claim = |told: &&Told| about.claim.as_deref() == Some(told.subject.as_str());
        let idle = told
            .iter()
            .filter(of_claim)
            .filter(|told| told.transfers.is_empty());
        steps.extend(idle.map(|told| Step {
            at: told.at,
            about: about.clone(),
            event: Some((told.id.clone(), told.kind.clone())),
            moved: None,
        }));
    }
    steps.sort_by_key(|one| (one.at, place(one)));
    Ok(Trace { line, steps })
}

/// An event, and which transfers it tells of.
struct Told {
    id: String,
    kind: String,
    subject: String,
    at: Instant,
    transfers: BTreeSet<String>,
    is_public: bool,
}

/// The events that may tell of what moved for these.
fn told<'a>(conn: &mut Conn, abouts: impl Iterator<Item = &'a About>) -> Answer<Vec<Told>> {
    let (mut subjects, mut lots, mut contracts) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for about in abouts {
        subjects.insert(about.matter.clone());
        lots.extend(about.lot.clone());
        contracts.extend(about.contract.clone());
    }
    for lot in &lots {
        subjects.extend(store::subjects_of_lot(conn, lot)?);
    }
    for contract in &contracts {
        subjects.insert(contract.to_string());
        subjects.extend(store::terminations_of(conn, contract)?);
    }
    let mut found = Vec::new();
    for subject in subjects {
        let filter = EventFilter {
            subject: Some(subject.clone()),
            ..EventFilter::default()
        };
        for row in audit::events(conn, &filter, EVENTS_MAX)? {
            found.push(tells_of(&row, &subject)?);
        }
    }
    Ok(found)
}

/// What an event tells of transfers, to everybody or to few.
fn tells_of(row: &EventRow, subject: &str) -> Answer<Told> {
    let entry: Value = serde_json::from_slice(&row.entry)
        .map_err(|error| Fault::caused(format!("read {}", row.id), error))?;
    let text = |member: &str| entry.get(member).and_then(Value::as_str).unwrap_or_default();
    let ids = |told: Option<&Value>| -> BTreeSet<String> {
        let told = told.and_then(Value::as_array).into_iter().flatten();
        told.filter_map(|one| Some(one.get("id")?.as_str()?.to_owned()))
            .collect()
    };
    let public = ids(entry.pointer("/data/transfers"));
    let private: Option<Value> = row
        .content
        .as_deref()
        .and_then(|content| serde_json::from_str(content).ok());
    let at = text("at").parse::<Instant>();
    Ok(Told {
        id: row.id.to_string(),
        kind: text("type").to_owned(),
        subject: subject.to_owned(),
        at: at.map_err(|error| Fault::caused(format!("when {} was", row.id), error))?,
        is_public: !public.is_empty(),
        transfers: if public.is_empty() {
            ids(private.as_ref().and_then(|private| private.get("transfers")))
        } else {
            public
        },
    })
}

/// What comes first of what happens at one instant.
fn place(step: &Step) -> String {
    let transfer = step
        .moved
        .as_ref()
        .map(|moved| moved.transfer.order.id.to_string());
    transfer
        .or_else(|| step.event.as_ref().map(|(id, _)| id.clone()))
        .unwrap_or_default()
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

/// Adds a transfer, and tells which hold it draws on in turn. Of one that is there nothing more is asked.
fn add(
    conn: &mut Conn,
    known: &mut BTreeMap<TransferId, (Transfer, About)>,
    id: &TransferId,
    about: Option<&About>,
) -> Answer<Option<TransferId>> {
    if known.contains_key(id) {
        return Ok(None);
    }
    let transfer = store_ledger::transfer(conn, id)?;
    let transfer = transfer.ok_or_else(|| Fault::broken(format!("there is no transfer {id}")))?;
    let drawn = transfer.order.hold.clone();
    let matter = transfer.order.matter.clone();
    let of_contract = about.filter(|about| about.contract.as_ref().is_some_and(|one| one.as_str() == matter));
    let about = About {
        lot: about.and_then(|about| about.lot.clone()),
        contract: of_contract.and_then(|about| about.contract.clone()),
        claim: None,
        matter,
    };
    known.insert(id.clone(), (transfer, about));
    bounded(known.len())?;
    Ok(drawn)
}

fn account(conn: &mut Conn, id: &LedgerAccountId) -> Answer<AccountCode> {
    let code = store::code_of(conn, id)?;
    Ok(AccountCode::named(&code).ok_or_else(|| Fault::broken(format!("an account that is {code}")))?)
}

fn step(
    conn: &mut Conn,
    (transfer, about): (Transfer, About),
    event: Option<&Told>,
    is_insider: bool,
) -> Answer<Step> {
    let is_appropriated = matches!(
        transfer.order.code,
        TransferCode::Appropriation | TransferCode::SupplementaryAppropriation
    );
    // What the log keeps from the public, this does too; what was appropriated to a fund everybody sees in the trial balance.
    let is_public = is_appropriated || event.is_some_and(|event| event.is_public);
    Ok(Step {
        at: transfer.made_at,
        about,
        event: event.map(|event| (event.id.clone(), event.kind.clone())),
        moved: Some(Move {
            from: account(conn, &transfer.order.from)?,
            to: account(conn, &transfer.order.to)?,
            amount: (is_public || is_insider).then_some(transfer.order.amount),
            transfer,
        }),
    })
}
