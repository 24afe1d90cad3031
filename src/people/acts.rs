//! What is done to accounts: each function is one transaction's worth of work, permission first, event last. Names and mail
//! addresses go into the private part of an event only.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Language;
use crate::people::acts_roles::role_event;
use crate::people::rules::{self, Account, AccountId, EMAIL_TAKEN, Email};
use crate::people::rules_roles::GrantId;
use crate::people::{store, store_grants};
use crate::web::actor::{Actor, Grant};
use crate::web::policy::{self, Action, Matter};

/// An account that is in use at once.
#[derive(Clone, Debug)]
pub struct CreateAccount {
    /// Its mail address.
    pub email: Email,
    /// The person's name.
    pub display_name: String,
    /// The language that they read.
    pub language: Language,
    /// The hash of their password; without one they sign in otherwise.
    pub password_hash: Option<String>,
    /// The roles they begin with.
    pub grants: Vec<Grant>,
}

/// Makes an account that is in use at once: for the demo ward and for operators. People are invited.
///
/// # Errors
/// Permission; [`EMAIL_TAKEN`]; a name that is none.
pub fn create(tx: &mut Tx<'_>, actor: &Actor, command: &CreateAccount) -> Answer<Account> {
    policy::allow(actor, Action::CreateAccount, Matter::default())?;
    let name = rules::display_name(&command.display_name)?;
    refuse_taken(tx, &command.email)?;
    let id = AccountId::mint(tx.now());
    let invited = rules::invite(id, command.email.clone(), command.language, tx.now());
    store::insert(tx, &invited)?;
    audit::store::append(
        tx,
        actor,
        &event("account.invited", &invited, json!({}), personal(&invited)),
    )?;
    let active = rules::activate(invited, name, command.language, tx.now())?;
    store::update(tx, &active)?;
    if let Some(hash) = &command.password_hash {
        store::set_password(tx, &active.id, hash)?;
    }
    let means = json!({ "password": command.password_hash.is_some() });
    audit::store::append(
        tx,
        actor,
        &event("account.activated", &active, means, personal(&active)),
    )?;
    for grant in &command.grants {
        give(tx, actor, &active.id, grant)?;
    }
    Ok(active)
}

/// Gives an account a role, without asking who may: for acts that have asked.
pub(super) fn give(tx: &mut Tx<'_>, actor: &Actor, account: &AccountId, grant: &Grant) -> Answer<()> {
    let id = GrantId::mint(tx.now());
    store_grants::insert(tx, &id, account, grant, actor.id().unwrap_or("public"))?;
    audit::store::append(tx, actor, &role_event("role.given", &id, grant, account))?;
    Ok(())
}

pub(super) fn refuse_taken(tx: &mut Tx<'_>, email: &Email) -> Answer<()> {
    match store::account_of_email(tx.conn(), email)? {
        Some(_) => Err(EMAIL_TAKEN.refuse().at("/email").into()),
        None => Ok(()),
    }
}

/// What is personal in an account.
pub(super) fn personal(account: &Account) -> Value {
    json!({
        "email": account.email.as_ref().map(Email::whole),
        "display_name": account.display_name,
        "language": account.language,
    })
}

pub(super) fn event(kind: &'static str, account: &Account, data: Value, private: Value) -> Event {
    Event {
        kind,
        subject: account.id.to_string(),
        data,
        private,
    }
}
