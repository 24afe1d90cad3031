//! What is done to terminations: proposed by the buyer's officer, answered by the supplier, decided by another person of the buyer. With the decision the
//! contract ends, what is not settled goes back to its line, and what was pending ends, all in one transaction. Permission first, event last.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::award::desk as awards;
use crate::budget::posting;
use crate::contracts::commitments;
use crate::contracts::desk::{self, Signed, acting};
use crate::contracts::rules::{ContractId, TERMINATED};
use crate::contracts::rules_terminations::{
    self as rules, Closing, Entered, Ground, PENDING, State, TERMINATIONS_MAX, TOO_MANY, Termination,
    TerminationId,
};
use crate::contracts::{
    acts_variations, store_terminations as store, store_variations, tidings_changes as tidings,
};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::kernel::local_day::local_date;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;
use crate::registry::acts_organisations::capacity;
use crate::registry::rules_text::Form;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action};
use crate::web::problem::NOT_FOUND;

/// A termination, if the actor may know of it: everybody once the contract ends by it, the parties and auditors before and of what came to nothing.
///
/// # Errors
/// Not found; a fault of the database.
pub fn seen(conn: &mut Conn, actor: &Actor, id: &TerminationId) -> Answer<(Termination, Signed)> {
    let found = store::termination(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let signed = desk::signed(conn, &found.contract_id)?;
    if found.state == State::Decided || signed.is_insider(actor) {
        Ok((found, signed))
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

/// The terminations of a contract that the actor may know of, the oldest first.
///
/// # Errors
/// Not found; a fault of the database.
pub fn of_contract(conn: &mut Conn, actor: &Actor, id: &ContractId) -> Answer<(Vec<Termination>, bool)> {
    let signed = desk::signed(conn, id)?;
    let is_insider = signed.is_insider(actor);
    let mut all = store::of_contract(conn, id)?;
    all.retain(|one| is_insider || one.state == State::Decided);
    Ok((all, is_insider))
}

/// Proposes to end a contract.
///
/// # Errors
/// In this order: permission; not found; a ground that only a trigger gives; those of [`rules::entered`]; [`TERMINATED`]; [`PENDING`]; [`TOO_MANY`];
/// those of [`rules::can_be_settled`]; separation of duties.
pub fn propose(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ContractId,
    raw: Entered,
    calendar: &WardCalendar,
) -> Answer<(Termination, Signed)> {
    policy::allow_at_all(actor, Action::ProposeTermination)?;
    let signed = desk::signed(tx.conn(), id)?;
    desk::allow_for_buyer(actor, Action::ProposeTermination, &signed.contract)?;
    if raw.ground == Ground::Trigger {
        let mut form = Form::new();
        form.object(
            "/ground",
            Text::fixed(
                "考核触发的解除须经合同触发条款的决定提出",
                "a trigger is followed by deciding about it at the contract's triggers",
            ),
        );
        form.finish(())?;
    }
    let proposed = proposed(tx, actor, &signed, raw, calendar)?;
    Ok((proposed, signed))
}

/// Proposes to end a contract, for an act that has asked for permission.
pub(super) fn proposed(
    tx: &mut Tx<'_>,
    actor: &Actor,
    signed: &Signed,
    raw: Entered,
    calendar: &WardCalendar,
) -> Answer<Termination> {
    let now = tx.now();
    let entered = rules::entered(raw, local_date(now, calendar.zone), signed.term().1)?;
    if signed.contract.since.terminated_on.is_some() {
        return Err(TERMINATED.refuse().into());
    }
    let before = store::of_contract(tx.conn(), &signed.contract.id)?;
    if before.iter().any(|one| one.state == State::Proposed) {
        return Err(PENDING.refuse().into());
    }
    if before.len() >= TERMINATIONS_MAX {
        return Err(TOO_MANY.refuse().into());
    }
    rules::can_be_settled(entered.settlement, committed(tx.conn(), signed)?)?;
    let one = Termination {
        id: TerminationId::mint(now),
        contract_id: signed.contract.id.clone(),
        entered,
        state: State::Proposed,
        proposed_by: acting(actor)?,
        proposed_at: now,
        statement: None,
        closed: None,
        revision: 1,
    };
    let capacity = capacity(actor, Action::ProposeTermination, signed.of_buyer());
    duties::undertake(tx, actor, capacity, Duty::Propose, one.id.as_str())?;
    store::insert(tx, &one)?;
    let private = json!({
        "ground": one.entered.ground.name(), "reason_zh": one.entered.reason.zh, "reason_en": one.entered.reason.en,
        "effective_on": one.entered.effective_on, "settlement": one.entered.settlement,
    });
    record(tx, actor, "termination.proposed", &one, (json!({}), private))?;
    tidings::termination_proposed(tx, signed, &one)?;
    Ok(one)
}

fn committed(conn: &mut Conn, signed: &Signed) -> Answer<Money> {
    let variations = store_variations::of_contract(conn, &signed.contract.id)?;
    let holds = commitments::held(conn, &signed.contract.id, &variations)?;
    Ok(commitments::remaining(&holds)?)
}

/// Makes the supplier's statement.
///
/// # Errors
/// In this order: permission; not found; a stale revision; those of [`rules::state`].
pub fn state(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&TerminationId, Expected),
    words: &str,
) -> Answer<(Termination, Signed)> {
    policy::allow_at_all(actor, Action::StateOnTermination)?;
    let (before, signed) = seen(tx.conn(), actor, id)?;
    policy::allow(actor, Action::StateOnTermination, signed.of_supplier())?;
    expected.check(before.revision)?;
    let one = rules::state(before, words, (acting(actor)?, tx.now()))?;
    store::advance(tx, &one)?;
    let private = json!({ "statement": words });
    record(
        tx,
        actor,
        "termination.statement_made",
        &one,
        (json!({}), private),
    )?;
    tidings::termination_stated(tx, &signed, &one)?;
    Ok((one, signed))
}

/// Decides about a proposal: another person of the buyer than who has made it.
///
/// # Errors
/// In this order: permission; not found; a stale revision; those of [`rules::close`]; those of [`rules::can_be_settled`], if the contract ends; separation
/// of duties; those of the ledger.
pub fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&TerminationId, Expected),
    (ends, words): (bool, (&str, &str)),
    calendar: &WardCalendar,
) -> Answer<(Termination, Signed)> {
    policy::allow_at_all(actor, Action::DecideTermination)?;
    let (before, signed) = seen(tx.conn(), actor, id)?;
    desk::allow_for_buyer(actor, Action::DecideTermination, &signed.contract)?;
    expected.check(before.revision)?;
    let closing = Closing {
        state: if ends { State::Decided } else { State::Rejected },
        words,
        by: acting(actor)?,
    };
    let now = tx.now();
    let one = rules::close(before, closing, (now, local_date(now, calendar.zone)))?;
    let capacity = capacity(actor, Action::DecideTermination, signed.of_buyer());
    if ends {
        rules::can_be_settled(one.entered.settlement, committed(tx.conn(), &signed)?)?;
        duties::undertake(tx, actor, capacity, Duty::Confirm, one.id.as_str())?;
        end(tx, actor, &signed, &one)?;
    } else {
        duties::undertake(tx, actor, capacity, Duty::Confirm, one.id.as_str())?;
        store::advance(tx, &one)?;
        let private = json!({ "decision_zh": words.0, "decision_en": words.1 });
        record(tx, actor, "termination.rejected", &one, (json!({}), private))?;
        tidings::termination_dropped(tx, &signed, &one)?;
    }
    let signed = desk::signed(tx.conn(), &one.contract_id)?;
    Ok((one, signed))
}

/// Ends the contract: what was pending ends, and all that is committed but the settlement goes back to where it came from.
fn end(tx: &mut Tx<'_>, actor: &Actor, signed: &Signed, one: &Termination) -> Answer<()> {
    let contract = &signed.contract.id;
    let variations = store_variations::of_contract(tx.conn(), contract)?;
    let holds = commitments::held(tx.conn(), contract, &variations)?;
    let back = commitments::remaining(&holds)?.checked_sub(one.entered.settlement);
    let back = back.map_err(|error| Fault::caused("what goes back of a contract", error))?;
    // What was added last goes back first, so that what is settled is, as long as it lasts, the contract's own commitment.
    let last_first: Vec<_> = holds.into_iter().rev().collect();
    let transfers = commitments::give_back(tx, &last_first, back)?;
    store::advance(tx, one)?;
    let entered = &one.entered;
    let words = one.closed.as_ref().map(|closed| &closed.words);
    let data = json!({
        "ground": entered.ground.name(), "reason_zh": entered.reason.zh, "reason_en": entered.reason.en,
        "effective_on": entered.effective_on, "settlement": entered.settlement, "basis_zh": entered.basis.zh,
        "basis_en": entered.basis.en, "decision_zh": words.map(|line| &line.zh),
        "decision_en": words.map(|line| &line.en), "transfers": posting::told(&transfers),
    });
    record(tx, actor, "contract.terminated", one, (data, Value::Null))?;
    acts_variations::end_with_contract(tx, actor, signed)?;
    tidings::terminated(tx, signed, one)
}

/// Takes a proposal back.
///
/// # Errors
/// In this order: permission; not found; a stale revision; those of [`rules::close`].
pub fn withdraw(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&TerminationId, Expected),
    words: (&str, &str),
    calendar: &WardCalendar,
) -> Answer<(Termination, Signed)> {
    policy::allow_at_all(actor, Action::ProposeTermination)?;
    let (before, signed) = seen(tx.conn(), actor, id)?;
    desk::allow_for_buyer(actor, Action::ProposeTermination, &signed.contract)?;
    expected.check(before.revision)?;
    let closing = Closing {
        state: State::Withdrawn,
        words,
        by: acting(actor)?,
    };
    let now = tx.now();
    let one = rules::close(before, closing, (now, local_date(now, calendar.zone)))?;
    store::advance(tx, &one)?;
    let private = json!({ "decision_zh": words.0, "decision_en": words.1 });
    record(tx, actor, "termination.withdrawn", &one, (json!({}), private))?;
    tidings::termination_dropped(tx, &signed, &one)?;
    Ok((one, signed))
}

fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    one: &Termination,
    (data, private): (Value, Value),
) -> Answer<()> {
    let of = json!({ "contract_id": one.contract_id });
    let event = Event {
        kind,
        subject: one.id.to_string(),
        data: awards::joined(data, of),
        private,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
