//! What is done about triggers that are due: a person follows one, by a notice of rectification or the proposal to end the contract, or says why not. Each
//! function is one transaction's worth of work, permission first, event last.

use serde_json::json;

use crate::audit;
use crate::audit::entry::Event;
use crate::award::rules_awards::reason as checked;
use crate::books::rules_documents::{Outcome, TriggerDocument};
use crate::contracts::acts_rectifications::{self, Issuing};
use crate::contracts::desk::{self, Signed, acting};
use crate::contracts::rules::{ContractId, TERMINATED};
use crate::contracts::rules_rectifications::Cause;
use crate::contracts::rules_terminations::Entered as Ending;
use crate::contracts::rules_triggers::{
    self as rules, Course, Decision, Occurrence, Scored, State, TriggerDecisionId,
};
use crate::contracts::{
    acts_periods, acts_terminations, acts_variations, store_triggers as store, tidings_changes as tidings,
};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Refusal, Stop};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::web::actor::Actor;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action};

/// The scores of a contract's periods that are over, in their order.
///
/// # Errors
/// A fault of the database or of arithmetic.
pub(super) fn scores(
    conn: &mut Conn,
    signed: &Signed,
    (calendar, now): (&WardCalendar, Instant),
) -> Answer<Vec<Scored>> {
    let today = local_date(now, calendar.zone);
    let mut all = Vec::new();
    for priced in acts_variations::priced(conn, signed)? {
        let period = priced.period;
        if period.span.last < today {
            let (_, found) = acts_periods::scores(conn, &signed.contract.id, period.number, (calendar, now))?;
            all.push(Scored {
                period: period.number,
                score: rules::total(&signed.document.lot, &found)?,
            });
        }
    }
    Ok(all)
}

/// A trigger of a contract, how it stands, and what was decided about it.
pub struct Shown {
    /// Its number in the book's list, from 1.
    pub number: i64,
    /// What the book says.
    pub trigger: TriggerDocument,
    /// How it stands.
    pub state: State,
    /// When it was due.
    pub due: Vec<Occurrence>,
    /// What was decided, of some of them.
    pub decisions: Vec<Decision>,
}

/// The triggers of a contract as they stand. That one is followed by a proposal to end the contract is known to whoever may know of that.
///
/// # Errors
/// Not found; a fault of the database or of arithmetic.
pub fn of_contract(
    conn: &mut Conn,
    actor: &Actor,
    id: &ContractId,
    at: (&WardCalendar, Instant),
) -> Answer<(Vec<Scored>, Vec<Shown>)> {
    let signed = desk::signed(conn, id)?;
    let scores = scores(conn, &signed, at)?;
    let mut decided = store::of_contract(conn, id)?;
    if !signed.is_insider(actor) {
        let public: Vec<_> = acts_terminations::of_contract(conn, actor, id)?.0;
        decided.retain(|one| match &one.course {
            Course::Termination(id) => public.iter().any(|known| known.id == *id),
            Course::Rectification(_) | Course::NotFollowed(_) => true,
        });
    }
    let triggers = (1..).zip(&signed.document.lot.triggers);
    let shown = triggers.map(|(number, trigger)| {
        let (state, due) = rules::standing(number, trigger, &scores);
        let own = decided.iter().filter(|one| one.occurrence.trigger == number);
        Shown {
            number,
            trigger: trigger.clone(),
            state,
            due,
            decisions: own.cloned().collect(),
        }
    });
    let shown = shown.collect();
    Ok((scores, shown))
}

/// What somebody decides about a trigger that is due.
#[derive(Clone, Debug)]
pub struct Deciding {
    /// The trigger's number.
    pub trigger: i64,
    /// The period with which it was due.
    pub period: i64,
    /// The notice with which it is followed, where it asks for one, or for another manager.
    pub rectification: Option<Issuing>,
    /// The proposal with which it is followed, where it ends the contract.
    pub termination: Option<Ending>,
    /// Why it is not followed.
    pub reason: Option<(String, String)>,
}

/// Whether what is decided is what the trigger is about: the one thing that follows from it, or a reason why nothing does.
fn fits(deciding: &Deciding, outcome: Outcome) -> Result<(), Refusal> {
    let ends = outcome == Outcome::Termination;
    let mut form = Form::new();
    let missing = || {
        Text::fixed(
            "应写明后续处理，或不予处理的理由",
            "what follows is named, or the reason why nothing does",
        )
    };
    let alien = || {
        Text::fixed(
            "与该条款不符，或与其他内容并存",
            "does not belong to this trigger, or not beside what else is named",
        )
    };
    let count = [
        deciding.rectification.is_some(),
        deciding.termination.is_some(),
        deciding.reason.is_some(),
    ];
    let is_one = count.iter().filter(|named| **named).count() == 1;
    if deciding.rectification.is_some() && (ends || !is_one) {
        form.object("/rectification", alien());
    }
    if deciding.termination.is_some() && (!ends || !is_one) {
        form.object("/termination", alien());
    }
    if count == [false; 3] {
        form.object(if ends { "/termination" } else { "/rectification" }, missing());
    }
    form.finish(())
}

/// Decides about a trigger that is due.
///
/// # Errors
/// In this order: permission; not found; [`TERMINATED`]; those of [`rules::decidable`]; what does not belong to the trigger; a reason that is none; those of
/// issuing the notice, or of proposing the contract's end, with their places within what is named.
pub fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ContractId,
    deciding: &Deciding,
    calendar: &WardCalendar,
) -> Answer<Decision> {
    policy::allow_at_all(actor, Action::DecideTrigger)?;
    let signed = desk::signed(tx.conn(), id)?;
    desk::allow_for_buyer(actor, Action::DecideTrigger, &signed.contract)?;
    if signed.contract.since.terminated_on.is_some() {
        return Err(TERMINATED.refuse().into());
    }
    let now = tx.now();
    let scores = scores(tx.conn(), &signed, (calendar, now))?;
    let decided = store::of_contract(tx.conn(), id)?;
    let which = (deciding.trigger, deciding.period);
    let (trigger, occurrence) = rules::decidable(&signed.document.lot.triggers, which, &scores, &decided)?;
    fits(deciding, trigger.outcome)?;
    let course = followed(tx, actor, (&signed, trigger.outcome), deciding, calendar)?;
    let decision = Decision {
        id: TriggerDecisionId::mint(now),
        contract_id: signed.contract.id.clone(),
        occurrence,
        course,
        decided_by: acting(actor)?,
        decided_at: now,
    };
    store::insert(tx, &decision)?;
    record(tx, actor, &decision)?;
    tidings::trigger_decided(tx, &signed, &decision)?;
    Ok(decision)
}

/// A refusal of what is named in a part of the body, with its places there.
fn within(stop: Stop, part: &str) -> Stop {
    match stop {
        Stop::Refused(refusal) => refusal.under(part).into(),
        Stop::Fault(fault) => fault.into(),
    }
}

fn followed(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (signed, outcome): (&Signed, Outcome),
    deciding: &Deciding,
    calendar: &WardCalendar,
) -> Answer<Course> {
    if let Some(issuing) = &deciding.rectification {
        let cause = if outcome == Outcome::ReplaceManager {
            Cause::Manager
        } else {
            Cause::Trigger
        };
        let one = acts_rectifications::issued(tx, actor, (signed, cause), issuing, calendar);
        return Ok(Course::Rectification(
            one.map_err(|stop| within(stop, "/rectification"))?.id,
        ));
    }
    if let Some(ending) = &deciding.termination {
        let one = acts_terminations::proposed(tx, actor, signed, ending.clone(), calendar);
        return Ok(Course::Termination(
            one.map_err(|stop| within(stop, "/termination"))?.id,
        ));
    }
    let (zh, en) = deciding.reason.clone().unwrap_or_default();
    Ok(Course::NotFollowed(checked((&zh, &en))?))
}

fn record(tx: &mut Tx<'_>, actor: &Actor, decision: &Decision) -> Answer<()> {
    let (rectification, termination, reason) = match &decision.course {
        Course::Rectification(one) => (Some(one), None, None),
        Course::Termination(one) => (None, Some(one), None),
        Course::NotFollowed(reason) => (None, None, Some(reason)),
    };
    let event = Event {
        kind: "trigger.decided",
        subject: decision.id.to_string(),
        data: json!({
            "contract_id": decision.contract_id, "trigger": decision.occurrence.trigger,
            "periods": decision.occurrence.periods, "rectification_id": rectification,
            "is_followed": termination.is_none().then(|| reason.is_none()), "reason_zh": reason.map(|line| &line.zh),
            "reason_en": reason.map(|line| &line.en),
        }),
        // That an end is proposed is between the parties until it is decided.
        private: json!({ "termination_id": termination }),
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
