//! What is done with identities at another provider. Beginning an attempt, and taking it up, are upkeep and no events: they change
//! nothing, and whoever likes could fill the log with them. What follows from them is an event. Who somebody is at the provider
//! stands in no event, not even in its private part.

use serde_json::json;

use crate::audit;
use crate::audit::entry::Event;
use crate::db::writer::Tx;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::outbox::content::IdentityChanged;
use crate::outbox::wording::Both;
use crate::people::acts_links::{self, Accept};
use crate::people::acts_sessions::{self, BeginSession, Begun, end, own_account};
use crate::people::letters::tell;
use crate::people::provider::{Kept, Proof};
use crate::people::rules::{Account, Email, State};
use crate::people::rules_links::LINK_REFUSED;
use crate::people::rules_outside::{
    ATTEMPT_LIFETIME, Aim, AttemptId, IDENTITIES_MAX, IDENTITY_TAKEN, IDENTITY_UNKNOWN, Identity, IdentityId,
    Stage, TOO_MANY_IDENTITIES,
};
use crate::people::rules_sessions::{End, Means};
use crate::people::secrets::{Keys, is_equal};
use crate::people::store_outside::Attempt;
use crate::people::store_sessions::TokenHash;
use crate::people::{store, store_links, store_outside, store_sessions};
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// The provider, as far as acts need to know it.
#[derive(Clone, Debug)]
pub struct Vouching {
    /// Its name.
    pub issuer: String,
    /// What people call it.
    pub name: Both,
    /// True if a verified mail address is enough to link an identity.
    pub link_by_verified_email: bool,
}

/// An attempt to begin.
pub struct BeginAttempt {
    /// What it is for.
    pub aim: Aim,
    /// Of what goes through the browser.
    pub state: TokenHash,
    /// Of what whoever begins keeps.
    pub holder: TokenHash,
    /// What nobody else may know.
    pub kept: Kept,
}

/// Begins an attempt; upkeep. Whether an invitation is good is told at its end only, but one that is none is not begun with.
///
/// # Errors
/// Permission; [`LINK_REFUSED`].
pub fn begin(tx: &mut Tx<'_>, actor: &Actor, keys: &Keys, command: &BeginAttempt) -> Answer<AttemptId> {
    match &command.aim {
        Aim::Link(account) => {
            policy::allow(actor, Action::ManageIdentities, Matter::default())?;
            if own_account(actor)? != *account {
                return Err(NOT_FOUND.refuse().into());
            }
        }
        Aim::SignIn => policy::allow(actor, Action::SignIn, Matter::default())?,
        Aim::Invitation(link) => {
            policy::allow(actor, Action::SignIn, Matter::default())?;
            let now = tx.now();
            store_links::link(tx.conn(), link, now)?.ok_or_else(|| LINK_REFUSED.refuse())?;
        }
    }
    let id = AttemptId::mint(tx.now());
    let attempt = Attempt {
        state_hash: command.state,
        holder_hash: command.holder,
        aim: command.aim.clone(),
        sealed: sealed(keys, &id, &command.kept)?,
        stage: Stage::Begun,
        expires_at: tx.now() + ATTEMPT_LIFETIME,
        id: id.clone(),
    };
    store_outside::insert_attempt(tx, &attempt)?;
    Ok(id)
}

/// What is kept of an attempt that goes on.
pub enum Taken {
    /// Its code is to be exchanged now, this once.
    Fresh(Kept),
    /// Who it is is known; a second factor was asked for.
    Proved(Proof),
}

/// Takes an attempt up for whoever holds it; upkeep. `state` is what the browser brought back, and is good once; without it goes
/// on what waits for a second factor. One that does not serve what it is taken for is left as it is.
///
/// # Errors
/// Permission; a fault of the database.
pub fn take(
    tx: &mut Tx<'_>,
    keys: &Keys,
    holder: &TokenHash,
    state: Option<&TokenHash>,
    serves: &impl Fn(&Aim) -> bool,
) -> Answer<Option<(AttemptId, Aim, Taken)>> {
    policy::allow(&Actor::public(), Action::SignIn, Matter::default())?;
    let now = tx.now();
    let found = store_outside::attempt(tx.conn(), holder, now)?.filter(|attempt| serves(&attempt.aim));
    let taken = match (&found, state) {
        (Some(attempt), Some(state))
            if attempt.stage == Stage::Begun && is_equal(&attempt.state_hash, state) =>
        {
            let kept = unsealed(keys, attempt)?;
            store_outside::bring_on(tx, &attempt.id, Stage::Begun, Stage::Taken, &[])?
                .then_some(Taken::Fresh(kept))
        }
        (Some(attempt), None) if attempt.stage == Stage::Proved => {
            tx.nothing_to_change();
            Some(Taken::Proved(unsealed(keys, attempt)?))
        }
        _ => None,
    };
    let Some((attempt, taken)) = found.zip(taken) else {
        tx.nothing_to_change();
        return Ok(None);
    };
    Ok(Some((attempt.id, attempt.aim, taken)))
}

/// Keeps for the rest of the attempt's time who it was, until a second factor is shown; upkeep.
///
/// # Errors
/// Permission; a fault of the database.
pub fn keep_proof(tx: &mut Tx<'_>, keys: &Keys, id: &AttemptId, proof: &Proof) -> Answer<()> {
    policy::allow(&Actor::public(), Action::SignIn, Matter::default())?;
    let sealed = sealed(keys, id, proof)?;
    if !store_outside::bring_on(tx, id, Stage::Taken, Stage::Proved, &sealed)? {
        tx.nothing_to_change();
    }
    Ok(())
}

/// Somebody for whom the provider vouches.
#[derive(Clone)]
pub struct SignInOutside {
    /// The attempt.
    pub attempt: AttemptId,
    /// What it was begun for.
    pub aim: Aim,
    /// Whom the provider vouches for.
    pub proof: Proof,
    /// The provider.
    pub by: Vouching,
    /// What somebody says who accepts an invitation.
    pub acceptance: Option<Accept>,
    /// The session to begin; whose it is follows from the rest.
    pub session: BeginSession,
}

/// Begins a session of whoever the provider vouches for, linking their identity first if that is what the attempt is for. Whatever is
/// not good enough changes nothing.
///
/// # Errors
/// Permission; [`IDENTITY_UNKNOWN`]; [`IDENTITY_TAKEN`]; those of accepting an invitation.
pub fn sign_in(tx: &mut Tx<'_>, keys: &Keys, command: &SignInOutside) -> Answer<Begun> {
    policy::allow(&Actor::public(), Action::SignIn, Matter::default())?;
    if !finish(tx, &command.attempt)? {
        tx.nothing_to_change();
        return Ok(Begun::Refused);
    }
    let session = BeginSession {
        account_id: whose(tx, command)?,
        means: Means::Oidc,
        strong_elsewhere: command.proof.strong,
        ..command.session.clone()
    };
    acts_sessions::begin(tx, keys, &session)
}

/// An attempt does what it is for once, whether a second factor was asked for in between or not.
fn finish(tx: &mut Tx<'_>, attempt: &AttemptId) -> Answer<bool> {
    Ok(
        store_outside::bring_on(tx, attempt, Stage::Taken, Stage::Done, &[])?
            || store_outside::bring_on(tx, attempt, Stage::Proved, Stage::Done, &[])?,
    )
}

/// The account of whoever the provider vouches for. None is made here: it is known, or invited, or has the address.
fn whose(tx: &mut Tx<'_>, command: &SignInOutside) -> Answer<AccountId> {
    let (by, proof) = (&command.by, &command.proof);
    let known = store_outside::identity(tx.conn(), &by.issuer, &proof.subject)?;
    match (known, &command.aim, &command.acceptance) {
        (Some(_), Aim::Invitation(_), _) => Err(IDENTITY_TAKEN.refuse().into()),
        (Some(known), _, _) => {
            store_outside::note_use(tx, &known.id)?;
            Ok(known.account_id)
        }
        (None, Aim::Invitation(link), Some(acceptance)) => {
            let account = acts_links::accept(tx, link, acceptance)?;
            linked(tx, &account, by, &proof.subject, "invitation")?;
            Ok(account.id)
        }
        (None, Aim::SignIn, _) if by.link_by_verified_email => {
            let account = account_of_address(tx, proof)?.ok_or_else(|| IDENTITY_UNKNOWN.refuse())?;
            linked(tx, &account, by, &proof.subject, "address")?;
            Ok(account.id)
        }
        _ => Err(IDENTITY_UNKNOWN.refuse().into()),
    }
}

fn account_of_address(tx: &mut Tx<'_>, proof: &Proof) -> Answer<Option<Account>> {
    let email = proof.verified_email.as_deref().map(str::to_ascii_lowercase);
    let Some(Ok(email)) = email.map(|email| email.parse::<Email>()) else {
        return Ok(None);
    };
    let found = store::account_of_email(tx.conn(), &email)?.map(|(account, _)| account);
    Ok(found.filter(|account| account.state == State::Active))
}

/// Links an identity to the account of whoever asks, in a session.
///
/// # Errors
/// Permission; a session is needed; not found, if the attempt is not theirs; [`IDENTITY_TAKEN`]; [`TOO_MANY_IDENTITIES`].
pub fn link(
    tx: &mut Tx<'_>,
    actor: &Actor,
    attempt: &AttemptId,
    aim: &Aim,
    by: &Vouching,
    proof: &Proof,
) -> Answer<Identity> {
    policy::allow(actor, Action::ManageIdentities, Matter::default())?;
    let id = own_account(actor)?;
    if *aim != Aim::Link(id.clone()) || !finish(tx, attempt)? {
        return Err(NOT_FOUND.refuse().into());
    }
    let account = store::account(tx.conn(), &id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    if store_outside::identity(tx.conn(), &by.issuer, &proof.subject)?.is_some() {
        return Err(IDENTITY_TAKEN.refuse().into());
    }
    linked(tx, &account, by, &proof.subject, "owner")
}

fn linked(
    tx: &mut Tx<'_>,
    account: &Account,
    by: &Vouching,
    subject: &str,
    how: &'static str,
) -> Answer<Identity> {
    if store_outside::identities_of(tx.conn(), &account.id)?.len() >= IDENTITIES_MAX {
        return Err(TOO_MANY_IDENTITIES.refuse().into());
    }
    let now = tx.now();
    let identity = Identity {
        id: IdentityId::mint(now),
        account_id: account.id.clone(),
        issuer: by.issuer.clone(),
        created_at: now,
        used_at: (how != "owner").then_some(now),
    };
    store_outside::insert(tx, &identity, subject)?;
    let actor = Actor::in_session(account.id.to_string(), String::new(), Vec::new());
    record(tx, &actor, "identity.linked", &identity, json!({ "by": how }))?;
    told(tx, account, &by.name, &identity.id, true)?;
    Ok(identity)
}

/// Unlinks one of the actor's own identities. What was begun with it elsewhere ends.
///
/// # Errors
/// Permission; a session is needed; not found.
pub fn unlink(tx: &mut Tx<'_>, actor: &Actor, id: &IdentityId, by: Option<&Vouching>) -> Answer<()> {
    policy::allow(actor, Action::ManageIdentities, Matter::default())?;
    let account_id = own_account(actor)?;
    let identity = store_outside::identities_of(tx.conn(), &account_id)?
        .into_iter()
        .find(|identity| identity.id == *id)
        .ok_or_else(|| NOT_FOUND.refuse())?;
    if !store_outside::remove(tx, &account_id, id)? {
        return Err(Fault::broken("an identity that was just read is gone").into());
    }
    record(tx, actor, "identity.unlinked", &identity, json!({}))?;
    let now = tx.now();
    let mut sessions = store_sessions::sessions_of(tx.conn(), &account_id, now)?;
    sessions.retain(|one| one.means == Means::Oidc && actor.session() != Some(one.id.as_str()));
    end(tx, actor, &sessions, End::SignedOut)?;
    let account = store::account(tx.conn(), &account_id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let name = match by.filter(|by| by.issuer == identity.issuer) {
        Some(by) => by.name.clone(),
        None => Both::new(identity.issuer.clone(), identity.issuer),
    };
    told(tx, &account, &name, id, false)
}

fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    identity: &Identity,
    data: serde_json::Value,
) -> Answer<()> {
    let event = Event {
        kind,
        subject: identity.id.to_string(),
        data,
        private: json!({ "account_id": identity.account_id }),
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}

fn told(tx: &mut Tx<'_>, account: &Account, name: &Both, id: &IdentityId, linked: bool) -> Answer<()> {
    let letter = IdentityChanged {
        provider: name.clone(),
        linked,
        at: tx.now(),
    };
    tell(tx, account, &format!("{id}:{linked}"), letter, None)
}

fn sealed(keys: &Keys, id: &AttemptId, what: &impl serde::Serialize) -> Answer<Vec<u8>> {
    let text = serde_json::to_vec(what).map_err(|error| Fault::caused("write what is kept", error))?;
    Ok(keys.seal(id.as_str(), &zeroize::Zeroizing::new(text))?)
}

fn unsealed<T: serde::de::DeserializeOwned>(keys: &Keys, attempt: &Attempt) -> Answer<T> {
    let text = keys.unseal(attempt.id.as_str(), &attempt.sealed)?;
    Ok(serde_json::from_slice(&text).map_err(|error| Fault::caused("read what was kept", error))?)
}
