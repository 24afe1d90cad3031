//! What is done with links and codes that work once: invitations, the first administrator, another password, signing in by mail.
//! Requests by strangers (a code, a reset) are upkeep and no events: they change nothing, and whoever likes could fill the
//! log with them. What follows from a link or a code is an event.

use serde_json::json;

use crate::audit;
use crate::audit::entry::Event;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::Answer;
use crate::kernel::text::Language;
use crate::outbox::content::{AccountInvited, PasswordChanged, PasswordReset, SignInCode};
use crate::outbox::wording::Both;
use crate::people::acts::{event, give, personal, refuse_taken};
use crate::people::acts_roles::{GiveRole, give_role};
use crate::people::acts_sessions::end_all;
use crate::people::letters::{name_of, tell};
use crate::people::rules::{self, Account, Email, State, WRONG_STATE};
use crate::people::rules_links::{
    BOOTSTRAP_LIFETIME, CODE_MINUTES, ChallengeId, INVITATION_LIFETIME, LINK_REFUSED, Purpose, RESET_MINUTES,
};
use crate::people::rules_sessions::End;
use crate::people::secrets::{Keys, hash_of, is_equal};
use crate::people::store_sessions::TokenHash;
use crate::people::{store, store_grants, store_links};
use crate::web::actor::{Actor, Grant};
use crate::web::policy::{self, Action, Matter, Role};
use crate::web::problem::NOT_FOUND;

/// Somebody to invite.
#[derive(Clone, Debug)]
pub struct Invite {
    /// Their mail address.
    pub email: Email,
    /// The language of the invitation.
    pub language: Language,
    /// The role they begin with.
    pub role: Role,
    /// The organisation it is held in, if in one.
    pub organisation_id: Option<OrganisationId>,
}

/// Invites somebody: an account that nobody has taken over yet, with its first role. `secret` is what the link holds. With
/// `by_mail` the link is sent to them; else whoever calls shows it.
///
/// # Errors
/// Permission; [`rules::EMAIL_TAKEN`]; those of giving the role.
pub fn invite(
    tx: &mut Tx<'_>,
    actor: &Actor,
    command: &Invite,
    secret: &str,
    by_mail: bool,
) -> Answer<Account> {
    let matter = command
        .organisation_id
        .as_ref()
        .map_or_else(Matter::default, Matter::of_organisation);
    policy::allow(actor, Action::InviteAccount, matter)?;
    refuse_taken(tx, &command.email)?;
    let id = AccountId::mint(tx.now());
    let account = rules::invite(id, command.email.clone(), command.language, tx.now());
    store::insert(tx, &account)?;
    audit::store::append(
        tx,
        actor,
        &event("account.invited", &account, json!({}), personal(&account)),
    )?;
    let role = GiveRole {
        account_id: account.id.clone(),
        role: command.role,
        organisation_id: command.organisation_id.clone(),
    };
    give_role(tx, actor, &role)?;
    hand_out(tx, actor, &account, secret, by_mail)?;
    Ok(account)
}

/// Sends somebody who has not come yet another link; the one before is void.
///
/// # Errors
/// Permission; not found; [`WRONG_STATE`].
pub fn invite_again(tx: &mut Tx<'_>, actor: &Actor, id: &AccountId, secret: &str) -> Answer<Account> {
    policy::allow(actor, Action::ReinviteAccount, Matter::default())?;
    let account = store::account(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    if account.state != State::Invited {
        return Err(WRONG_STATE.refuse().into());
    }
    audit::store::append(
        tx,
        actor,
        &event("account.invited_again", &account, json!({}), json!(null)),
    )?;
    hand_out(tx, actor, &account, secret, true)?;
    Ok(account)
}

fn hand_out(tx: &mut Tx<'_>, actor: &Actor, account: &Account, secret: &str, by_mail: bool) -> Answer<()> {
    let expires_at = tx.now() + INVITATION_LIFETIME;
    let hash = hash_of(secret);
    store_links::insert_link(tx, &hash, Purpose::Invitation, Some(&account.id), expires_at)?;
    if !by_mail {
        return Ok(());
    }
    let letter = AccountInvited {
        by: name_of(tx.conn(), actor)?,
        organisation: Both::new("本系统", "this service"),
        path: format!("/invitations/{secret}"),
        expires_at,
    };
    tell(
        tx,
        account,
        &key_of("invitation", &hash),
        letter,
        Some(expires_at),
    )
}

/// A key that tells mails apart and from which nobody gets the secret.
pub(super) fn key_of(kind: &str, hash: &TokenHash) -> String {
    let first: Vec<u8> = hash.iter().take(12).copied().collect();
    format!("{kind}:{}", hex::encode(first))
}

/// What somebody says who takes an account over.
#[derive(Clone)]
pub struct Accept {
    /// Their name.
    pub display_name: String,
    /// The language that they read.
    pub language: Language,
    /// The hash of their password; without one they sign in by mail.
    pub password_hash: Option<String>,
    /// Their mail address; for the first administrator only, all others were written to.
    pub email: Option<Email>,
}

/// Takes an account over by its link, or opens the first administrator's.
///
/// # Errors
/// Permission; [`LINK_REFUSED`]; a name that is none; [`rules::EMAIL_TAKEN`].
pub fn accept(tx: &mut Tx<'_>, link: &TokenHash, command: &Accept) -> Answer<Account> {
    policy::allow(&Actor::public(), Action::SignIn, Matter::default())?;
    let now = tx.now();
    let found = store_links::link(tx.conn(), link, now)?;
    let name = rules::display_name(&command.display_name)?;
    let (account, is_first) = match (found, &command.email) {
        (Some((Purpose::Invitation, Some(id))), None) => {
            let invited = store::account(tx.conn(), &id)?.filter(|account| account.state == State::Invited);
            (invited.ok_or_else(|| LINK_REFUSED.refuse())?, false)
        }
        (Some((Purpose::Bootstrap, None)), Some(email)) if !has_administrator(tx)? => {
            refuse_taken(tx, email)?;
            let account = rules::invite(AccountId::mint(now), email.clone(), command.language, now);
            store::insert(tx, &account)?;
            (account, true)
        }
        _ => return Err(LINK_REFUSED.refuse().into()),
    };
    if !store_links::use_link(tx, link)? {
        return Err(LINK_REFUSED.refuse().into());
    }
    let active = rules::activate(account, name, command.language, now)?;
    store::update(tx, &active)?;
    if let Some(hash) = &command.password_hash {
        store::set_password(tx, &active.id, hash)?;
    }
    let by = Actor::in_session(active.id.to_string(), String::new(), Vec::new());
    let facts = json!({ "by": if is_first { "bootstrap" } else { "invitation" }, "password": command.password_hash.is_some() });
    audit::store::append(
        tx,
        &by,
        &event("account.activated", &active, facts, personal(&active)),
    )?;
    if is_first {
        give(tx, &by, &active.id, &Grant::of(Role::Admin))?;
    }
    Ok(active)
}

fn has_administrator(tx: &mut Tx<'_>) -> Answer<bool> {
    let nobody = AccountId::mint(tx.now());
    Ok(store_grants::others_with(tx.conn(), Role::Admin, &nobody)? > 0)
}

/// Keeps the link by which the first administrator's account is opened, unless there is an administrator. Tells whether it did.
///
/// # Errors
/// Permission.
pub fn offer_bootstrap(tx: &mut Tx<'_>, secret: &str) -> Answer<bool> {
    let actor = Actor::system();
    policy::allow(&actor, Action::CreateAccount, Matter::default())?;
    if has_administrator(tx)? {
        tx.nothing_to_change();
        return Ok(false);
    }
    let expires_at = tx.now() + BOOTSTRAP_LIFETIME;
    store_links::insert_link(tx, &hash_of(secret), Purpose::Bootstrap, None, expires_at)?;
    let event = Event {
        kind: "bootstrap.offered",
        subject: "bootstrap".to_owned(),
        data: json!({ "expires_at": crate::kernel::clock::rfc3339(expires_at) }),
        private: json!(null),
    };
    audit::store::append(tx, &actor, &event)?;
    Ok(true)
}

/// Sends a code to sign in with, if there is an account of this address in use; upkeep.
///
/// # Errors
/// Permission; a fault of the database.
pub fn send_code(
    tx: &mut Tx<'_>,
    keys: &Keys,
    email: &Email,
    challenge: &ChallengeId,
    code: &str,
) -> Answer<()> {
    policy::allow(&Actor::public(), Action::SignIn, Matter::default())?;
    let Some(account) = in_use(tx, email)? else {
        tx.nothing_to_change();
        return Ok(());
    };
    let expires_at = after_minutes(tx.now(), CODE_MINUTES);
    let mac = keys.code_mac(challenge.as_str(), code)?;
    store_links::insert_code(tx, challenge, &account.id, &mac, expires_at)?;
    let letter = SignInCode {
        code: code.to_owned(),
        minutes: CODE_MINUTES,
    };
    tell(tx, &account, challenge.as_str(), letter, Some(expires_at))
}

/// Counts a try of a code, and tells whose it is if it is right; upkeep. It is used up when the session begins.
///
/// # Errors
/// Permission; a fault of the database.
pub fn try_code(
    tx: &mut Tx<'_>,
    keys: &Keys,
    challenge: &ChallengeId,
    code: &str,
) -> Answer<Option<AccountId>> {
    policy::allow(&Actor::public(), Action::SignIn, Matter::default())?;
    let Some((account, mac)) = store_links::try_code(tx, challenge)? else {
        tx.nothing_to_change();
        return Ok(None);
    };
    let right = is_equal(&keys.code_mac(challenge.as_str(), code)?, &mac);
    Ok(right.then_some(account))
}

/// Sends a link by which another password is chosen, if there is an account of this address in use; upkeep.
///
/// # Errors
/// Permission; a fault of the database.
pub fn send_reset(tx: &mut Tx<'_>, email: &Email, secret: &str) -> Answer<()> {
    policy::allow(&Actor::public(), Action::SignIn, Matter::default())?;
    let Some(account) = in_use(tx, email)? else {
        tx.nothing_to_change();
        return Ok(());
    };
    let (hash, expires_at) = (hash_of(secret), after_minutes(tx.now(), RESET_MINUTES));
    store_links::insert_link(tx, &hash, Purpose::PasswordReset, Some(&account.id), expires_at)?;
    let letter = PasswordReset {
        path: format!("/password-resets/{secret}"),
        minutes: RESET_MINUTES,
    };
    tell(tx, &account, &key_of("reset", &hash), letter, Some(expires_at))
}

/// Chooses another password by a link. All sessions end.
///
/// # Errors
/// Permission; [`LINK_REFUSED`].
pub fn reset_password(tx: &mut Tx<'_>, link: &TokenHash, password_hash: &str) -> Answer<()> {
    policy::allow(&Actor::public(), Action::SignIn, Matter::default())?;
    let now = tx.now();
    let Some((Purpose::PasswordReset, Some(id))) = store_links::link(tx.conn(), link, now)? else {
        return Err(LINK_REFUSED.refuse().into());
    };
    let account = store::account(tx.conn(), &id)?.filter(|account| account.state == State::Active);
    let account = account.ok_or_else(|| LINK_REFUSED.refuse())?;
    if !store_links::use_link(tx, link)? {
        return Err(LINK_REFUSED.refuse().into());
    }
    store_links::void_links(tx, Purpose::PasswordReset, Some(&account.id))?;
    store::set_password(tx, &account.id, password_hash)?;
    let by = Actor::in_session(account.id.to_string(), String::new(), Vec::new());
    audit::store::append(
        tx,
        &by,
        &event("password.changed", &account, json!({ "by": "mail" }), json!(null)),
    )?;
    end_all(tx, &by, &account.id, End::PasswordChanged)?;
    tell(
        tx,
        &account,
        &key_of("password", link),
        PasswordChanged { at: now },
        None,
    )
}

fn in_use(tx: &mut Tx<'_>, email: &Email) -> Answer<Option<Account>> {
    let found = store::account_of_email(tx.conn(), email)?;
    Ok(found
        .map(|(account, _)| account)
        .filter(|account| account.state == State::Active))
}

fn after_minutes(now: Instant, minutes: u32) -> Instant {
    now + chrono::Duration::minutes(i64::from(minutes))
}
