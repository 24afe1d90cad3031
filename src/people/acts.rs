//! What is done to accounts: each function is one transaction's worth of work, permission first, event last. Names and mail
//! addresses go into the private part of an event only.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Language;
use crate::people::acts_roles::role_event;
use crate::people::acts_sessions::end_all;
use crate::people::rules::{self, Account, AccountId, EMAIL_TAKEN, Email};
use crate::people::rules_links::Purpose;
use crate::people::rules_roles::{GrantId, LAST_ADMIN};
use crate::people::rules_sessions::End;
use crate::people::store_grants::{self, GrantFilter};
use crate::people::{store, store_links, store_outside};
use crate::web::actor::{Actor, Grant};
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter, Role};
use crate::web::problem::NOT_FOUND;

/// How many of somebody's grants are looked at to see whether they ever were more than a resident.
const GRANTS_READ_MAX: i64 = 200;

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

/// Other facts about an account; what is `None` stays as it is.
#[derive(Clone, Debug)]
pub struct ChangeAccount {
    /// Which.
    pub id: AccountId,
    /// Which version of it.
    pub expected: Expected,
    /// The person's name.
    pub display_name: Option<String>,
    /// The language that they read.
    pub language: Option<Language>,
}

/// Changes a name or a language. Saying what is so already changes nothing.
///
/// # Errors
/// Permission; not found; a stale version; a name that is none; [`rules::WRONG_STATE`].
pub fn change(tx: &mut Tx<'_>, actor: &Actor, command: &ChangeAccount) -> Answer<Account> {
    policy::allow(
        actor,
        Action::ChangeAccount,
        Matter::of_account(command.id.as_str()),
    )?;
    let account = known(tx, &command.id)?;
    command.expected.check(account.version)?;
    let name = command
        .display_name
        .as_deref()
        .map(rules::display_name)
        .transpose()?;
    let Some(changed) = rules::change(account.clone(), name, command.language, tx.now())? else {
        tx.nothing_to_change();
        return Ok(account);
    };
    store::update(tx, &changed)?;
    let private = if is_in_office(tx, &account.id)? {
        json!({ "before": personal(&account), "after": personal(&changed) })
    } else {
        json!({ "before": personal_of_resident(&account), "after": personal_of_resident(&changed) })
    };
    audit::store::append(tx, actor, &event("account.changed", &changed, json!({}), private))?;
    Ok(changed)
}

/// Closes an account for a while: its sessions end, its roles wait.
///
/// # Errors
/// Permission; not found; [`rules::WRONG_STATE`]; [`LAST_ADMIN`].
pub fn suspend(tx: &mut Tx<'_>, actor: &Actor, id: &AccountId) -> Answer<Account> {
    policy::allow(actor, Action::SuspendAccount, Matter::default())?;
    let suspended = rules::suspend(known(tx, id)?, tx.now())?;
    refuse_last_administrator(tx, id)?;
    store::update(tx, &suspended)?;
    audit::store::append(
        tx,
        actor,
        &event("account.suspended", &suspended, json!({}), Value::Null),
    )?;
    end_all(tx, actor, id, End::Suspended)?;
    Ok(suspended)
}

/// Opens a suspended account again.
///
/// # Errors
/// Permission; not found; [`rules::WRONG_STATE`].
pub fn reinstate(tx: &mut Tx<'_>, actor: &Actor, id: &AccountId) -> Answer<Account> {
    policy::allow(actor, Action::ReinstateAccount, Matter::default())?;
    let reinstated = rules::reinstate(known(tx, id)?, tx.now())?;
    store::update(tx, &reinstated)?;
    audit::store::append(
        tx,
        actor,
        &event("account.reinstated", &reinstated, json!({}), Value::Null),
    )?;
    Ok(reinstated)
}

/// Closes an account for good: its roles are taken, its sessions end, all at once. What it did stays.
///
/// # Errors
/// Permission; not found; [`rules::WRONG_STATE`]; [`LAST_ADMIN`].
pub fn leave(tx: &mut Tx<'_>, actor: &Actor, id: &AccountId) -> Answer<Account> {
    policy::allow(actor, Action::CloseAccount, Matter::default())?;
    let left = rules::leave(known(tx, id)?, tx.now())?;
    refuse_last_administrator(tx, id)?;
    store::update(tx, &left)?;
    audit::store::append(tx, actor, &event("account.left", &left, json!({}), Value::Null))?;
    let held = GrantFilter {
        account_id: Some(id.clone()),
        in_force: true,
        ..GrantFilter::default()
    };
    let by = actor.id().unwrap_or("public");
    for given in store_grants::grants(tx.conn(), &held, i64::MAX)? {
        store_grants::end(tx, &given.id, by)?;
        audit::store::append(tx, actor, &role_event("role.taken", &given.id, &given.grant, id))?;
    }
    store_links::void_links(tx, Purpose::Invitation, Some(id))?;
    store_outside::remove_all(tx, id)?;
    end_all(tx, actor, id, End::Left)?;
    Ok(left)
}

fn known(tx: &mut Tx<'_>, id: &AccountId) -> Answer<Account> {
    Ok(store::account(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?)
}

/// Without an administrator nobody could be made one.
fn refuse_last_administrator(tx: &mut Tx<'_>, id: &AccountId) -> Answer<()> {
    let held = GrantFilter {
        account_id: Some(id.clone()),
        role: Some(Role::Admin),
        in_force: true,
        ..GrantFilter::default()
    };
    let is_one = !store_grants::grants(tx.conn(), &held, 1)?.is_empty();
    if is_one && store_grants::others_with(tx.conn(), Role::Admin, id)? == 0 {
        return Err(LAST_ADMIN.refuse().into());
    }
    Ok(())
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

/// Whether somebody acts, or ever acted, as more than a resident: then auditors have to know who it was.
fn is_in_office(tx: &mut Tx<'_>, account: &AccountId) -> Answer<bool> {
    let theirs = GrantFilter {
        account_id: Some(account.clone()),
        ..GrantFilter::default()
    };
    let given = store_grants::grants(tx.conn(), &theirs, GRANTS_READ_MAX)?;
    Ok(given.is_empty() || given.iter().any(|given| given.grant.role != Role::Resident))
}

/// What is personal in a resident's account and may be opened by auditors: neither name nor address, which only the resident and
/// their registrar see.
pub(super) fn personal_of_resident(account: &Account) -> Value {
    json!({ "language": account.language })
}

/// What is personal in the account of somebody in an office.
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
