//! What is done about delegations and the assessment of duties: each function is one transaction's worth of work, permission
//! first, event last. A delegation takes effect together with the money, in one transaction, or not at all.

use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::budget::acts::{may_see, public_body};
use crate::budget::posting;
use crate::budget::rules::{BudgetLine, BudgetLineId, LINE_UNKNOWN, State};
use crate::budget::rules_delegations::{
    self as rules, Assessment, AssessmentId, Delegation, DelegationId, EnteredTerms, Needed, NewAssessment,
};
use crate::budget::rules_ledger::{AccountCode, Order, Transfer, TransferCode};
use crate::budget::{store, store_delegations, store_ledger};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::kernel::local_day::local_date;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Stop};
use crate::registry::acts_organisations::{account, capacity};
use crate::registry::rules_organisations::Doing;
use crate::statutes;
use crate::statutes::codes::{DELEGATION_NEEDED_BEFORE_ACTIVE, DELEGATION_UNFUNDED_ASSESSMENT_FLAGGED};
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// A delegation to begin.
#[derive(Clone, Debug)]
pub struct DraftDelegation {
    /// Who hands the duty on.
    pub from_organisation_id: OrganisationId,
    /// Who gets it.
    pub to_organisation_id: OrganisationId,
    /// What is known of it already.
    pub terms: EnteredTerms,
}

/// Whose rules apply, and where its days begin.
#[derive(Clone, Debug)]
pub struct Place {
    /// The jurisdiction of the statutes.
    pub jurisdiction: String,
    /// The ward's time zone.
    pub zone: Tz,
}

/// Begins a delegation.
///
/// # Errors
/// Permission; those of the rules; bodies that there are not.
pub fn draft(tx: &mut Tx<'_>, actor: &Actor, command: &DraftDelegation) -> Answer<Delegation> {
    let (from, to) = (&command.from_organisation_id, &command.to_organisation_id);
    policy::allow(actor, Action::DraftDelegation, Matter::of_organisation(from))?;
    public_body(tx.conn(), from, "/from_organisation_id")?;
    let recipient = public_body(tx.conn(), to, "/to_organisation_id")?;
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let id = DelegationId::mint(tx.now());
    let parties = (from.clone(), to.clone());
    let delegation = rules::draft(id, parties, recipient, &command.terms, doing)?;
    lines(tx, &delegation)?;
    undertake(tx, actor, Action::DraftDelegation, &delegation, Duty::Draft)?;
    store_delegations::insert(tx, &delegation)?;
    audit::store::append(tx, actor, &event("delegation.drafted", &delegation, &[]))?;
    Ok(delegation)
}

/// Gives a draft other terms.
///
/// # Errors
/// Permission; not found; a stale version; separation of duties; those of the rules.
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &DelegationId,
    expected: Expected,
    entered: &EnteredTerms,
) -> Answer<Delegation> {
    let delegation = found(tx, actor, Action::DraftDelegation, id)?;
    expected.check(delegation.version)?;
    let changed = rules::change(delegation, entered)?;
    lines(tx, &changed)?;
    undertake(tx, actor, Action::DraftDelegation, &changed, Duty::Draft)?;
    store_delegations::update_terms(tx, &changed)?;
    audit::store::append(tx, actor, &event("delegation.changed", &changed, &[]))?;
    Ok(changed)
}

/// Puts a delegation into effect that another person drafted; the money goes with it.
///
/// # Errors
/// Permission; not found; a stale version; separation of duties; no rules in force; those of the rules, with everything that is
/// missing; those of the ledger.
pub fn put_into_effect(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &DelegationId,
    expected: Expected,
    place: &Place,
) -> Answer<Delegation> {
    let delegation = found(tx, actor, Action::EffectDelegation, id)?;
    expected.check(delegation.version)?;
    let today = local_date(tx.now(), place.zone);
    let statute = statutes::acts::in_force(tx.conn(), &place.jurisdiction, today)?;
    let choices = statute.profile.rule(DELEGATION_NEEDED_BEFORE_ACTIVE)?;
    let (from, to) = lines(tx, &delegation)?;
    let in_use = |line: &&BudgetLine| line.state == State::Open;
    let needed = Needed {
        scope: choices.names("scope"),
        document: choices.names("authorisation_document"),
        funds: choices.names("committed_funds"),
        citation: DELEGATION_NEEDED_BEFORE_ACTIVE.code(),
        from: from.as_ref().filter(in_use),
        to: to.as_ref().filter(in_use),
    };
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let effective = rules::put_into_effect(delegation, needed, doing)?;
    undertake(tx, actor, Action::EffectDelegation, &effective, Duty::Approve)?;
    store_delegations::update_state(tx, &effective)?;
    let transfers = hand_over(tx, &effective)?;
    let event = event("delegation.put_into_effect", &effective, &transfers);
    audit::store::append(tx, actor, &event)?;
    Ok(effective)
}

/// The money goes from the giver's line to the recipient's.
fn hand_over(tx: &mut Tx<'_>, delegation: &Delegation) -> Answer<Vec<Transfer>> {
    let terms = &delegation.terms;
    let (Some(amount), Some(from), Some(to)) = (terms.amount, &terms.from_line_id, &terms.to_line_id) else {
        return Ok(Vec::new());
    };
    let order = Order {
        id: posting::transfer_of(delegation.id.as_str())?,
        from: store_ledger::account_of_line(tx.conn(), from, AccountCode::Available)?.id,
        to: store_ledger::account_of_line(tx.conn(), to, AccountCode::Available)?.id,
        amount,
        code: TransferCode::Delegation,
        hold: None,
        matter: delegation.id.to_string(),
    };
    posting::post(tx, vec![order])
}

/// Ends a delegation, or discards a draft.
///
/// # Errors
/// Permission; not found; a stale version; those of the rules.
pub fn end(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &DelegationId,
    expected: Expected,
    reason: &str,
) -> Answer<Delegation> {
    let delegation = found(tx, actor, Action::EffectDelegation, id)?;
    expected.check(delegation.version)?;
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let ended = rules::end(delegation, reason, doing)?;
    store_delegations::update_state(tx, &ended)?;
    audit::store::append(tx, actor, &event("delegation.ended", &ended, &[]))?;
    Ok(ended)
}

/// Records that a body was assessed on a duty, and flags it if the body had got no money for that duty and the statute has it so.
///
/// # Errors
/// Permission; those of the rules; bodies or a delegation that there are not; no rules in force.
pub fn assess(tx: &mut Tx<'_>, actor: &Actor, new: &NewAssessment, place: &Place) -> Answer<Assessment> {
    let by = &new.by_organisation_id;
    policy::allow(actor, Action::RecordAssessment, Matter::of_organisation(by))?;
    public_body(tx.conn(), by, "/by_organisation_id")?;
    public_body(tx.conn(), &new.of_organisation_id, "/of_organisation_id")?;
    let today = local_date(tx.now(), place.zone);
    let (duty, assessed_on) = rules::assessed(new, today)?;
    let delegation = match &new.delegation_id {
        Some(id) => Some(known(tx.conn(), actor, id).map_err(|stop| match stop {
            Stop::Refused(refusal) => refusal.at("/delegation_id").into(),
            fault @ Stop::Fault(_) => fault,
        })?),
        None => None,
    };
    let statute = statutes::acts::in_force(tx.conn(), &place.jurisdiction, today)?;
    let is_flagged = statute.profile.rule(DELEGATION_UNFUNDED_ASSESSMENT_FLAGGED)?;
    let effective_on = |delegation: &Delegation| {
        let since = delegation.effective.as_ref();
        let until = delegation.ended.as_ref();
        since.is_some_and(|(_, at)| local_date(*at, place.zone) <= assessed_on)
            && until.is_none_or(|(_, at)| local_date(*at, place.zone) >= assessed_on)
    };
    let assessment = Assessment {
        id: AssessmentId::mint(tx.now()),
        by_organisation_id: by.clone(),
        of_organisation_id: new.of_organisation_id.clone(),
        duty,
        delegation_id: new.delegation_id.clone(),
        assessed_on,
        flagged: is_flagged && rules::is_unfunded(delegation.as_ref(), new, effective_on),
        statute_id: statute.id.to_string(),
        recorded_by: account(actor)?.to_owned(),
        recorded_at: tx.now(),
    };
    store_delegations::insert_assessment(tx, &assessment)?;
    let event = Event {
        kind: "duty_assessment.recorded",
        subject: assessment.id.to_string(),
        data: json!({ "statute": assessment.statute_id }),
        private: json!({
            "by": assessment.by_organisation_id, "of": assessment.of_organisation_id, "duty_zh": assessment.duty.zh(),
            "duty_en": assessment.duty.en(), "delegation": assessment.delegation_id,
            "assessed_on": assessment.assessed_on.to_string(), "flagged": assessment.flagged,
        }),
    };
    audit::store::append(tx, actor, &event)?;
    Ok(assessment)
}

/// The delegation of that id as far as the actor may know of it: everyone knows of those that took effect.
///
/// # Errors
/// Not found.
pub fn known(conn: &mut Conn, actor: &Actor, id: &DelegationId) -> Answer<Delegation> {
    let delegation = store_delegations::delegation(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let giver = [&delegation.from_organisation_id];
    if delegation.effective.is_some() || may_see(actor, Action::ReadBudget, &giver) {
        Ok(delegation)
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

fn found(tx: &mut Tx<'_>, actor: &Actor, action: Action, id: &DelegationId) -> Answer<Delegation> {
    policy::allow_at_all(actor, action)?;
    let delegation = known(tx.conn(), actor, id)?;
    let matter = Matter::of_organisation(&delegation.from_organisation_id);
    policy::allow(actor, action, matter)?;
    Ok(delegation)
}

/// The lines that a delegation names.
///
/// # Errors
/// Not found, with the place, if it names one that there is not.
fn lines(tx: &mut Tx<'_>, delegation: &Delegation) -> Answer<(Option<BudgetLine>, Option<BudgetLine>)> {
    let terms = &delegation.terms;
    let mut named = |id: Option<&BudgetLineId>, pointer: &str| -> Answer<Option<BudgetLine>> {
        let Some(id) = id else { return Ok(None) };
        let line = store::line(tx.conn(), id)?;
        Ok(Some(line.ok_or_else(|| LINE_UNKNOWN.refuse().at(pointer))?))
    };
    Ok((
        named(terms.from_line_id.as_ref(), "/from_line_id")?,
        named(terms.to_line_id.as_ref(), "/to_line_id")?,
    ))
}

fn undertake(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: Action,
    delegation: &Delegation,
    duty: Duty,
) -> Answer<()> {
    let matter = Matter::of_organisation(&delegation.from_organisation_id);
    let capacity = capacity(actor, action, matter);
    duties::undertake(tx, actor, capacity, duty, delegation.id.as_str())
}

/// A draft is nobody's business yet: only its ids are public.
fn event(kind: &'static str, delegation: &Delegation, transfers: &[Transfer]) -> Event {
    let terms = &delegation.terms;
    let facts = json!({
        "scope_zh": terms.scope.as_ref().map(|scope| scope.zh().to_owned()),
        "scope_en": terms.scope.as_ref().map(|scope| scope.en().to_owned()),
        "document": terms.document.as_ref().map(|(number, _)| number),
        "document_date": terms.document.as_ref().map(|(_, date)| date.to_string()),
        "amount": terms.amount, "from_line": terms.from_line_id, "to_line": terms.to_line_id,
        "end_reason": delegation.end_reason,
    });
    let is_public = delegation.effective.is_some();
    Event {
        kind,
        subject: delegation.id.to_string(),
        data: json!({
            "from": delegation.from_organisation_id, "to": delegation.to_organisation_id, "state": delegation.state,
            "version": delegation.version, "terms": if is_public { facts.clone() } else { Value::Null },
            "transfers": posting::told(transfers),
        }),
        private: if is_public { Value::Null } else { facts },
    }
}
