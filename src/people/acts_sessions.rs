//! What is done to sessions. The beginning and the end of a session are events; whose it is stays in their private part, so
//! that nobody reads in the log when somebody works. That a session is refreshed is upkeep and no event: it happens every ten
//! minutes to everyone who is signed in, and changes nothing of what anybody may do.

use serde_json::json;
use zeroize::Zeroizing;

use crate::audit;
use crate::audit::entry::Event;
use crate::db::writer::Tx;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::Answer;
use crate::outbox::content::RefreshReuseDetected;
use crate::people::acts_second_factor::{Shown, show};
use crate::people::letters::tell;
use crate::people::rules::{Email, State};
use crate::people::rules_links::ChallengeId;
use crate::people::rules_roles::SESSION_NEEDED;
use crate::people::rules_sessions::{self, End, Means, SESSIONS_MAX, Session, SessionId};
use crate::people::secrets::Keys;
use crate::people::store_sessions::TokenHash;
use crate::people::{store, store_links, store_sessions};
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Somebody who has proved who they are, but for a second factor.
#[derive(Clone)]
pub struct BeginSession {
    /// Who.
    pub account_id: AccountId,
    /// How.
    pub means: Means,
    /// What they showed as their second factor.
    pub second_factor: Option<Zeroizing<String>>,
    /// The mailed code that was found right; it is used up.
    pub challenge: Option<ChallengeId>,
    /// What the device calls itself.
    pub device_name: Option<String>,
    /// True if whoever vouches for them says that they showed a second factor, and that counts here.
    pub strong_elsewhere: bool,
    /// The hash of the password that was found right.
    pub password_hash: Option<String>,
    /// A hash of the same password at the present cost, if the stored one is of another.
    pub rehashed: Option<String>,
    /// Of the first refresh token.
    pub token: TokenHash,
}

/// What became of a sign-in.
#[derive(Clone, Debug)]
pub enum Begun {
    /// It is one, of an account with this mail address.
    Session(Session, Option<Email>),
    /// The account is not in use, or what was shown is not good any more.
    Refused,
    /// A second factor is asked for.
    SecondFactorNeeded,
    /// What was shown as the second factor is not it.
    SecondFactorRefused,
}

/// Begins a session. Whatever is not good enough changes nothing.
///
/// # Errors
/// Permission; a fault of the database.
pub fn begin(tx: &mut Tx<'_>, keys: &Keys, command: &BeginSession) -> Answer<Begun> {
    policy::allow(&Actor::public(), Action::SignIn, Matter::default())?;
    let begun = begin_if_right(tx, keys, command)?;
    if !matches!(begun, Begun::Session(..)) {
        tx.nothing_to_change();
    }
    Ok(begun)
}

fn begin_if_right(tx: &mut Tx<'_>, keys: &Keys, command: &BeginSession) -> Answer<Begun> {
    let account = store::account(tx.conn(), &command.account_id)?;
    let Some(account) = account.filter(|account| account.state == State::Active) else {
        return Ok(Begun::Refused);
    };
    let same_password =
        command.password_hash.is_none() || store::password(tx.conn(), &account.id)? == command.password_hash;
    let code_unused = match &command.challenge {
        Some(challenge) => store_links::use_code(tx, challenge)?,
        None => true,
    };
    if !same_password || !code_unused {
        return Ok(Begun::Refused);
    }
    let id = SessionId::mint(tx.now());
    let by = Actor::in_session(account.id.to_string(), id.to_string(), Vec::new());
    let shown = command.second_factor.as_ref().map(|shown| shown.as_str());
    let second_factor = if command.strong_elsewhere {
        true
    } else {
        match show(tx, &by, keys, &account, shown)? {
            Shown::NoneThere => false,
            Shown::Right => true,
            Shown::Needed => return Ok(Begun::SecondFactorNeeded),
            Shown::Wrong => return Ok(Begun::SecondFactorRefused),
        }
    };
    if let Some(hash) = &command.rehashed {
        store::set_password(tx, &command.account_id, hash)?;
    }
    let now = tx.now();
    let session = Session {
        id,
        account_id: command.account_id.clone(),
        device_name: command.device_name.clone(),
        means: command.means,
        second_factor,
        created_at: now,
        used_at: now,
        expires_at: rules_sessions::expiry(now, now),
    };
    let others = store_sessions::sessions_of(tx.conn(), &session.account_id, now)?;
    end_longest_unused(tx, &by, others)?;
    store_sessions::insert(tx, &session, &command.token)?;
    let event = Event {
        kind: "session.begun",
        subject: session.id.to_string(),
        data: json!({ "means": session.means, "second_factor": session.second_factor }),
        private: json!({ "account_id": session.account_id, "device_name": session.device_name }),
    };
    audit::store::append(tx, &by, &event)?;
    Ok(Begun::Session(session, account.email))
}

/// Makes room for one more.
fn end_longest_unused(tx: &mut Tx<'_>, actor: &Actor, mut others: Vec<Session>) -> Answer<()> {
    others.sort_by_key(|session| session.used_at);
    let spare = others.len().saturating_add(1).saturating_sub(SESSIONS_MAX);
    others.truncate(spare);
    end(tx, actor, &others, End::SignedOut)
}

/// What became of a refresh token that was shown.
#[derive(Clone, Debug)]
pub enum Refreshed {
    /// The session goes on with the next one.
    On(Session),
    /// It is not one that may be used.
    Refused,
    /// It was used before: either whoever shows it has stolen it, or whoever used it. The session has ended.
    Reused(Session),
}

/// Takes a refresh token and puts the next one in its place. One that was used before ends the session, however short a time
/// ago that was: a thief may well be the faster one, and nobody can tell them apart. The price is that a client that lost the
/// answer signs in again.
///
/// # Errors
/// Permission; a fault of the database.
pub fn refresh(tx: &mut Tx<'_>, token: &TokenHash, next: &TokenHash) -> Answer<Refreshed> {
    policy::allow(&Actor::public(), Action::SignIn, Matter::default())?;
    let now = tx.now();
    let found = match store_sessions::session_of_token(tx.conn(), token)? {
        Some((id, used)) => store_sessions::session(tx.conn(), &id, now)?.map(|session| (session, used)),
        None => None,
    };
    let Some((session, used)) = found else {
        tx.nothing_to_change();
        return Ok(Refreshed::Refused);
    };
    if store_sessions::is_alive(tx.conn(), &session.account_id, &session.id, now)?.is_none() {
        tx.nothing_to_change();
        return Ok(Refreshed::Refused);
    }
    let expires_at = rules_sessions::expiry(session.created_at, now);
    if !used && store_sessions::rotate(tx, &session, token, next, expires_at)? {
        return Ok(Refreshed::On(Session {
            used_at: now,
            expires_at,
            ..session
        }));
    }
    let by = Actor::in_session(session.account_id.to_string(), session.id.to_string(), Vec::new());
    let event = Event {
        kind: "session.reuse_detected",
        subject: session.id.to_string(),
        data: json!({}),
        private: json!({ "account_id": session.account_id }),
    };
    audit::store::append(tx, &by, &event)?;
    end(tx, &by, std::slice::from_ref(&session), End::ReuseDetected)?;
    if let Some(account) = store::account(tx.conn(), &session.account_id)? {
        tell(
            tx,
            &account,
            session.id.as_str(),
            RefreshReuseDetected { at: now },
            None,
        )?;
    }
    Ok(Refreshed::Reused(session))
}

/// Ends one session of the actor's own.
///
/// # Errors
/// Permission; not found, if it has ended or is somebody else's.
pub fn sign_out(tx: &mut Tx<'_>, actor: &Actor, id: &SessionId) -> Answer<usize> {
    policy::allow(actor, Action::EndOwnSessions, Matter::default())?;
    let now = tx.now();
    let session = store_sessions::session(tx.conn(), id, now)?
        .filter(|session| actor.id() == Some(session.account_id.as_str()))
        .ok_or_else(|| NOT_FOUND.refuse())?;
    end(tx, actor, &[session], End::SignedOut)?;
    Ok(1)
}

/// Ends all sessions of the actor's own. Tells how many.
///
/// # Errors
/// Permission.
pub fn sign_out_everywhere(tx: &mut Tx<'_>, actor: &Actor) -> Answer<usize> {
    policy::allow(actor, Action::EndOwnSessions, Matter::default())?;
    let ended = match actor.id().and_then(|id| id.parse().ok()) {
        Some(account) => end_all(tx, actor, &account, End::SignedOutEverywhere)?,
        None => 0,
    };
    if ended == 0 {
        tx.nothing_to_change();
    }
    Ok(ended)
}

/// The account of a person in a session: what they do with their own means of signing in, no machine does for them.
///
/// # Errors
/// [`SESSION_NEEDED`].
pub(super) fn own_account(actor: &Actor) -> Answer<AccountId> {
    let account = actor.session().and(actor.id()).and_then(|id| id.parse().ok());
    Ok(account.ok_or_else(|| SESSION_NEEDED.refuse())?)
}

/// Ends all sessions of an account, without asking who may: for acts that have asked. Tells how many.
pub(super) fn end_all(tx: &mut Tx<'_>, actor: &Actor, account: &AccountId, because: End) -> Answer<usize> {
    let now = tx.now();
    let all = store_sessions::sessions_of(tx.conn(), account, now)?;
    end(tx, actor, &all, because)?;
    Ok(all.len())
}

/// Ends all sessions of the actor's own but the one that asks. Tells how many.
pub(super) fn end_others(tx: &mut Tx<'_>, actor: &Actor, account: &AccountId, because: End) -> Answer<usize> {
    let now = tx.now();
    let mut others = store_sessions::sessions_of(tx.conn(), account, now)?;
    others.retain(|session| actor.session() != Some(session.id.as_str()));
    end(tx, actor, &others, because)?;
    Ok(others.len())
}

/// Ends these sessions, without asking who may: for acts that have asked.
pub(super) fn end(tx: &mut Tx<'_>, actor: &Actor, sessions: &[Session], because: End) -> Answer<()> {
    if sessions.is_empty() {
        return Ok(());
    }
    let ids: Vec<SessionId> = sessions.iter().map(|session| session.id.clone()).collect();
    store_sessions::end(tx, &ids, because)?;
    for session in sessions {
        let event = Event {
            kind: "session.ended",
            subject: session.id.to_string(),
            data: json!({ "because": because.name() }),
            private: json!({ "account_id": session.account_id }),
        };
        audit::store::append(tx, actor, &event)?;
    }
    Ok(())
}
