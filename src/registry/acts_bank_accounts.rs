//! What is done to organisations' bank accounts: each function is one transaction's worth of work, permission first, event last.
//! A whole number is in no event, not even in its private part.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::registry::acts_organisations::{account, capacity, known, matter};
use crate::registry::rules_bank_accounts::{
    self as rules, BankAccount, BankAccountChange, BankAccountChangeId, ChangeState,
};
use crate::registry::rules_organisations::{Doing, Organisation};
use crate::registry::store_bank_accounts as store;
use crate::registry::tidings;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action};
use crate::web::problem::NOT_FOUND;

/// A change of an organisation's bank account, by the ids of both.
#[derive(Clone, Debug)]
pub struct Which {
    /// Whose account.
    pub organisation_id: OrganisationId,
    /// Which change.
    pub id: BankAccountChangeId,
}

/// Proposes another bank account for an organisation.
///
/// # Errors
/// Permission; not found; a change that waits already.
pub fn propose(
    tx: &mut Tx<'_>,
    actor: &Actor,
    organisation_id: &OrganisationId,
    bank_account: &BankAccount,
) -> Answer<BankAccountChange> {
    let organisation = allowed(tx, actor, Action::ProposeBankAccount, organisation_id)?;
    let open = store::newest(tx.conn(), organisation_id, ChangeState::Proposed)?.is_some();
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let id = BankAccountChangeId::mint(tx.now());
    let change = rules::propose(id, organisation_id.clone(), bank_account.clone(), open, doing)?;
    let capacity = capacity(actor, Action::ProposeBankAccount, matter(&organisation));
    duties::undertake(tx, actor, capacity, Duty::Propose, change.id.as_str())?;
    store::insert(tx, &change)?;
    audit::store::append(tx, actor, &event("bank_account.change_proposed", &change))?;
    tidings::bank_account(tx, actor, &organisation, &change)?;
    Ok(change)
}

/// Confirms a change that another person proposed: from now on the organisation is paid there.
///
/// # Errors
/// Permission; not found; separation of duties; a change that was decided.
pub fn confirm(tx: &mut Tx<'_>, actor: &Actor, which: &Which) -> Answer<BankAccountChange> {
    let organisation = allowed(tx, actor, Action::ConfirmBankAccount, &which.organisation_id)?;
    let change = found(tx, which)?;
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let confirmed = rules::decide(change, ChangeState::Confirmed, doing)?;
    let capacity = capacity(actor, Action::ConfirmBankAccount, matter(&organisation));
    duties::undertake(tx, actor, capacity, Duty::Confirm, confirmed.id.as_str())?;
    store::decide(tx, &confirmed)?;
    audit::store::append(tx, actor, &event("bank_account.change_confirmed", &confirmed))?;
    tidings::bank_account(tx, actor, &organisation, &confirmed)?;
    Ok(confirmed)
}

/// Takes a change back that waits.
///
/// # Errors
/// Permission; not found; a change that was decided.
pub fn withdraw(tx: &mut Tx<'_>, actor: &Actor, which: &Which) -> Answer<BankAccountChange> {
    let organisation = allowed(tx, actor, Action::ProposeBankAccount, &which.organisation_id)?;
    let change = found(tx, which)?;
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let withdrawn = rules::decide(change, ChangeState::Withdrawn, doing)?;
    store::decide(tx, &withdrawn)?;
    audit::store::append(tx, actor, &event("bank_account.change_withdrawn", &withdrawn))?;
    tidings::bank_account(tx, actor, &organisation, &withdrawn)?;
    Ok(withdrawn)
}

/// The account that an organisation is paid to, with its whole number. That somebody looked is an event.
///
/// # Errors
/// Permission; not found.
pub fn look_at(
    tx: &mut Tx<'_>,
    actor: &Actor,
    organisation_id: &OrganisationId,
) -> Answer<BankAccountChange> {
    allowed(tx, actor, Action::OpenBankAccount, organisation_id)?;
    let change = store::newest(tx.conn(), organisation_id, ChangeState::Confirmed)?
        .ok_or_else(|| NOT_FOUND.refuse())?;
    audit::store::append(tx, actor, &event("bank_account.seen", &change))?;
    Ok(change)
}

fn allowed(tx: &mut Tx<'_>, actor: &Actor, action: Action, id: &OrganisationId) -> Answer<Organisation> {
    policy::allow_at_all(actor, action)?;
    let organisation = known(tx.conn(), actor, id)?;
    policy::allow(actor, action, matter(&organisation))?;
    Ok(organisation)
}

fn found(tx: &mut Tx<'_>, which: &Which) -> Answer<BankAccountChange> {
    let change = store::change(tx.conn(), &which.id)?;
    let own = change.filter(|change| change.organisation_id == which.organisation_id);
    Ok(own.ok_or_else(|| NOT_FOUND.refuse())?)
}

fn event(kind: &'static str, change: &BankAccountChange) -> Event {
    Event {
        kind,
        subject: change.organisation_id.to_string(),
        data: json!({ "change": change.id, "state": change.state }),
        private: private(change),
    }
}

/// Whoever opens the event sees which account it was as everyone sees it: masked.
fn private(change: &BankAccountChange) -> Value {
    json!({
        "holder": change.account.holder,
        "bank_name": change.account.bank_name,
        "bank_code": change.account.bank_code,
        "number": change.account.masked(),
    })
}
