//! What is done with money that is held for something: each function is one transaction's worth of work, permission first, event
//! last. This is for what an organisation buys outside contract books, or had agreed before it kept its books here; money that is
//! held for a book or a contract is moved by the acts on those.

use serde_json::json;

use crate::audit;
use crate::audit::entry::Event;
use crate::budget::acts::known_line;
use crate::budget::posting;
use crate::budget::rules::{BudgetLine, BudgetLineId, PURPOSE_LENGTH_MAX, open_line};
use crate::budget::rules_ledger::{
    AccountCode, HOLD_ENDED, Hold, LedgerAccount, Order, Transfer, TransferCode, TransferId,
};
use crate::budget::{store, store_ledger};
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault, Kind, Reason};
use crate::registry::acts_organisations::{account, capacity};
use crate::registry::rules_text::Form;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

crate::ids! {
    /// Something that an organisation reserved money for by hand.
    ReservationId "reservation"
}

/// The money is held for a book or a contract.
pub static HELD_FOR_ANOTHER: Reason = Reason::new(
    Kind::Conflict,
    "ledger_held_for_another",
    "该笔占用属于项目承包责任书或合同，不能在此处理",
    "The money is held for a contract book or a contract, and is moved with that only",
);
/// It is not a reservation any more.
pub static NOT_RESERVED: Reason = Reason::new(
    Kind::Conflict,
    "ledger_not_reserved",
    "该笔占用不是预留",
    "The hold is not a reservation",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 2] = [&HELD_FOR_ANOTHER, &NOT_RESERVED];

/// What a hold is part of.
#[derive(Clone, Debug)]
pub struct Held {
    /// The hold.
    pub hold: Hold,
    /// The account that it is in.
    pub account: LedgerAccount,
    /// The budget line that the account is of.
    pub line: BudgetLine,
    /// What it was reserved for by hand, if it was.
    pub purpose: Option<String>,
}

/// Reserves money of a line for a purpose.
///
/// # Errors
/// Permission; not found; a closed line; a purpose that does not fit; those of the ledger.
pub fn reserve(
    tx: &mut Tx<'_>,
    actor: &Actor,
    line: &BudgetLineId,
    amount: Money,
    purpose: &str,
) -> Answer<Held> {
    policy::allow_at_all(actor, Action::ReserveBudget)?;
    let (line, _) = known_line(tx.conn(), actor, line)?;
    allow(actor, Action::ReserveBudget, &line)?;
    let line = open_line(line)?;
    let mut form = Form::new();
    let purpose = form.line("/purpose", purpose, PURPOSE_LENGTH_MAX);
    form.finish(())?;
    let matter = ReservationId::mint(tx.now());
    let order = Order {
        id: posting::transfer_of(matter.as_str())?,
        from: store_ledger::account_of_line(tx.conn(), &line.id, AccountCode::Available)?.id,
        to: store_ledger::account_of_line(tx.conn(), &line.id, AccountCode::Reserved)?.id,
        amount,
        code: TransferCode::Reservation,
        hold: None,
        matter: matter.to_string(),
    };
    let id = order.id.clone();
    let transfers = posting::post(tx, vec![order])?;
    undertake(
        tx,
        actor,
        Action::ReserveBudget,
        &line,
        Duty::Propose,
        matter.as_str(),
    )?;
    store_ledger::insert_reservation(tx, matter.as_str(), &line.id, &purpose, account(actor)?)?;
    record(
        tx,
        actor,
        "budget.reserved",
        matter.as_str(),
        &transfers,
        Some(&purpose),
    )?;
    held(tx, &id)
}

/// Commits part of a reservation, or all of it; what is left over is free again. By another person than who reserved it.
///
/// # Errors
/// Permission; not found; [`HELD_FOR_ANOTHER`]; [`NOT_RESERVED`]; separation of duties; those of the ledger.
pub fn commit(tx: &mut Tx<'_>, actor: &Actor, id: &TransferId, amount: Money) -> Answer<Held> {
    let Held {
        hold, account, line, ..
    } = found(tx, actor, Action::CommitBudget, id)?;
    if account.code != AccountCode::Reserved {
        return Err(NOT_RESERVED.refuse().into());
    }
    let committed = store_ledger::account_of_line(tx.conn(), &line.id, AccountCode::Committed)?;
    let commitment = TransferId::mint(tx.now());
    let mut orders = vec![Order {
        id: commitment.clone(),
        from: hold.account_id.clone(),
        to: committed.id,
        amount,
        code: TransferCode::Commitment,
        hold: Some(hold.id.clone()),
        matter: hold.matter.clone(),
    }];
    let rest = hold.remaining.checked_sub(amount).unwrap_or(Money::ZERO);
    if rest.fen() > 0 && amount.fen() > 0 {
        orders.push(release_of(&hold, TransferId::mint(tx.now()), rest));
    }
    let transfers = posting::post(tx, orders)?;
    undertake(
        tx,
        actor,
        Action::CommitBudget,
        &line,
        Duty::Confirm,
        &hold.matter,
    )?;
    record(tx, actor, "budget.committed", &hold.matter, &transfers, None)?;
    held(tx, &commitment)
}

/// Sets free what is left of a hold.
///
/// # Errors
/// Permission; not found; [`HELD_FOR_ANOTHER`]; [`HOLD_ENDED`]; those of the ledger.
pub fn release(tx: &mut Tx<'_>, actor: &Actor, id: &TransferId) -> Answer<Held> {
    let Held { hold, .. } = found(tx, actor, Action::CommitBudget, id)?;
    if hold.remaining.is_zero() {
        return Err(HOLD_ENDED.refuse().into());
    }
    let order = release_of(&hold, TransferId::mint(tx.now()), hold.remaining);
    let transfers = posting::post(tx, vec![order])?;
    record(tx, actor, "budget.released", &hold.matter, &transfers, None)?;
    held(tx, id)
}

fn release_of(hold: &Hold, id: TransferId, amount: Money) -> Order {
    Order {
        id,
        from: hold.account_id.clone(),
        to: hold.origin_account_id.clone(),
        amount,
        code: TransferCode::Release,
        hold: Some(hold.id.clone()),
        matter: hold.matter.clone(),
    }
}

fn found(tx: &mut Tx<'_>, actor: &Actor, action: Action, id: &TransferId) -> Answer<Held> {
    policy::allow_at_all(actor, action)?;
    let hold = store_ledger::hold(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let account = store_ledger::account(tx.conn(), &hold.account_id)?
        .ok_or_else(|| Fault::broken(format!("{} is in no account", hold.id)))?;
    let line = account.line_id.clone().ok_or_else(|| NOT_FOUND.refuse())?;
    let (line, _) = known_line(tx.conn(), actor, &line)?;
    allow(actor, action, &line)?;
    if hold.matter.parse::<ReservationId>().is_err() {
        return Err(HELD_FOR_ANOTHER.refuse().into());
    }
    Ok(Held {
        hold,
        account,
        line,
        purpose: None,
    })
}

fn held(tx: &mut Tx<'_>, id: &TransferId) -> Answer<Held> {
    let broken = || Fault::broken(format!("the hold {id} is not whole"));
    let hold = store_ledger::hold(tx.conn(), id)?.ok_or_else(broken)?;
    let account = store_ledger::account(tx.conn(), &hold.account_id)?.ok_or_else(broken)?;
    let line = account.line_id.clone().ok_or_else(broken)?;
    let line = store::line(tx.conn(), &line)?.ok_or_else(broken)?;
    let purpose = store_ledger::purpose(tx.conn(), &hold.matter)?;
    Ok(Held {
        hold,
        account,
        line,
        purpose,
    })
}

fn allow(actor: &Actor, action: Action, line: &BudgetLine) -> Answer<()> {
    policy::allow(actor, action, Matter::of_organisation(&line.organisation_id))
}

fn undertake(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: Action,
    line: &BudgetLine,
    duty: Duty,
    matter: &str,
) -> Answer<()> {
    let capacity = capacity(actor, action, Matter::of_organisation(&line.organisation_id));
    duties::undertake(tx, actor, capacity, duty, matter)
}

fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    matter: &str,
    transfers: &[Transfer],
    purpose: Option<&str>,
) -> Answer<()> {
    // How much is held for what is for whoever may see the budget: a bidder who knew what is reserved would know what to ask for.
    let event = Event {
        kind,
        subject: matter.to_owned(),
        data: json!({}),
        private: json!({ "purpose": purpose, "transfers": posting::told(transfers) }),
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
