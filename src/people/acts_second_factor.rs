//! What is done to second factors. A secret that is not confirmed counts for nothing, and that it was made is no event.

use serde_json::json;
use zeroize::Zeroizing;

use crate::audit;
use crate::db::writer::Tx;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::outbox::content::{FactorChange, SecondFactorChanged};
use crate::people::acts::event;
use crate::people::letters::tell;
use crate::people::rules::Account;
use crate::people::rules_roles::SESSION_NEEDED;
use crate::people::rules_sessions::SessionId;
use crate::people::rules_totp::{
    self as rules, SECOND_FACTOR_ENABLED, SECOND_FACTOR_MISSING, SECOND_FACTOR_OWN, SECOND_FACTOR_REFUSED,
};
use crate::people::secrets::{Keys, hash_of};
use crate::people::store_sessions::TokenHash;
use crate::people::{store, store_second_factors};
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// The account and the session that ask: only a person in a session has a second factor.
fn own(tx: &mut Tx<'_>, actor: &Actor) -> Answer<(Account, SessionId)> {
    policy::allow(actor, Action::ManageSecondFactor, Matter::default())?;
    let session = actor.session().and_then(|id| id.parse().ok());
    let account = actor.id().and_then(|id| id.parse::<AccountId>().ok());
    let (Some(session), Some(account)) = (session, account) else {
        return Err(SESSION_NEEDED.refuse().into());
    };
    let account = store::account(tx.conn(), &account)?.ok_or_else(|| NOT_FOUND.refuse())?;
    Ok((account, session))
}

/// Keeps a new secret until it is confirmed; upkeep, because until then it counts for nothing.
///
/// # Errors
/// Permission; a session is needed; [`SECOND_FACTOR_ENABLED`].
pub fn propose(tx: &mut Tx<'_>, actor: &Actor, keys: &Keys, secret: &[u8]) -> Answer<Account> {
    let (account, _) = own(tx, actor)?;
    if store_second_factors::second_factor(tx.conn(), &account.id)?.is_some_and(|known| known.confirmed) {
        return Err(SECOND_FACTOR_ENABLED.refuse().into());
    }
    store_second_factors::propose(tx, &account.id, &keys.seal(account.id.as_str(), secret)?)?;
    Ok(account)
}

/// Confirms the secret by a code of it. From now on the account has a second factor, and this session is a strong one.
///
/// # Errors
/// Permission; a session is needed; [`SECOND_FACTOR_MISSING`]; [`SECOND_FACTOR_ENABLED`]; [`SECOND_FACTOR_REFUSED`].
pub fn confirm(
    tx: &mut Tx<'_>,
    actor: &Actor,
    keys: &Keys,
    code: &str,
    recovery: &[Zeroizing<String>],
) -> Answer<()> {
    let (account, session) = own(tx, actor)?;
    let known = store_second_factors::second_factor(tx.conn(), &account.id)?
        .ok_or_else(|| SECOND_FACTOR_MISSING.refuse())?;
    if known.confirmed {
        return Err(SECOND_FACTOR_ENABLED.refuse().into());
    }
    let secret = keys.unseal(account.id.as_str(), &known.sealed)?;
    let step = rules::step_shown(&secret, code, tx.now(), known.last_step)
        .ok_or_else(|| SECOND_FACTOR_REFUSED.refuse().at("/code"))?;
    if !store_second_factors::use_step(tx, &account.id, step)? {
        return Err(Fault::broken("a step was used twice").into());
    }
    let hashes: Vec<TokenHash> = recovery
        .iter()
        .filter_map(|code| rules::typed_recovery_code(code))
        .map(|code| hash_of(&code))
        .collect();
    store_second_factors::confirm(tx, &account.id, &hashes)?;
    store_second_factors::strengthen(tx, &session)?;
    audit::store::append(
        tx,
        actor,
        &event("second_factor.added", &account, json!({}), json!(null)),
    )?;
    told(tx, &account, FactorChange::Enabled, session.as_str())
}

/// Takes the second factor away, by a code of it or a recovery code. Every session of the account is a weak one then.
///
/// # Errors
/// Permission; a session is needed; [`SECOND_FACTOR_MISSING`]; [`SECOND_FACTOR_REFUSED`].
pub fn remove(tx: &mut Tx<'_>, actor: &Actor, keys: &Keys, code: &str) -> Answer<()> {
    let (account, session) = own(tx, actor)?;
    match show(tx, actor, keys, &account, Some(code))? {
        Shown::NoneThere => Err(SECOND_FACTOR_MISSING.refuse().into()),
        Shown::Right => {
            store_second_factors::remove(tx, &account.id)?;
            audit::store::append(
                tx,
                actor,
                &event("second_factor.removed", &account, json!({}), json!(null)),
            )?;
            told(tx, &account, FactorChange::Disabled, session.as_str())
        }
        Shown::Wrong | Shown::Needed => Err(SECOND_FACTOR_REFUSED.refuse().at("/code").into()),
    }
}

/// Takes away a second factor that somebody else has lost. Every session of theirs is a weak one then, and until they add another
/// their roles that need one are withheld.
///
/// # Errors
/// Permission; not found; [`SECOND_FACTOR_OWN`]; [`SECOND_FACTOR_MISSING`].
pub fn remove_lost(tx: &mut Tx<'_>, actor: &Actor, id: &AccountId) -> Answer<()> {
    policy::allow(actor, Action::RemoveLostSecondFactor, Matter::default())?;
    if actor.id() == Some(id.as_str()) {
        return Err(SECOND_FACTOR_OWN.refuse().into());
    }
    let account = store::account(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let known = store_second_factors::second_factor(tx.conn(), id)?;
    if known.is_none_or(|known| !known.confirmed) {
        return Err(SECOND_FACTOR_MISSING.refuse().into());
    }
    store_second_factors::remove(tx, id)?;
    let facts = json!({ "by": "administrator" });
    audit::store::append(
        tx,
        actor,
        &event("second_factor.removed", &account, facts, json!(null)),
    )?;
    told(tx, &account, FactorChange::RemovedForLoss, "lost")
}

/// What became of a second factor that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// The account has none.
    NoneThere,
    /// It has one, and none was shown.
    Needed,
    /// It was shown, and is used up.
    Right,
    /// What was shown is not it.
    Wrong,
}

/// Judges what is shown as an account's second factor: a code of the device, or a recovery code.
pub(super) fn show(
    tx: &mut Tx<'_>,
    actor: &Actor,
    keys: &Keys,
    account: &Account,
    shown: Option<&str>,
) -> Answer<Shown> {
    let known = store_second_factors::second_factor(tx.conn(), &account.id)?;
    let Some(known) = known.filter(|known| known.confirmed) else {
        return Ok(Shown::NoneThere);
    };
    let Some(shown) = shown else {
        return Ok(Shown::Needed);
    };
    let secret = keys.unseal(account.id.as_str(), &known.sealed)?;
    if let Some(step) = rules::step_shown(&secret, shown.trim(), tx.now(), known.last_step) {
        let used = store_second_factors::use_step(tx, &account.id, step)?;
        return Ok(if used { Shown::Right } else { Shown::Wrong });
    }
    let Some(code) = rules::typed_recovery_code(shown) else {
        return Ok(Shown::Wrong);
    };
    let hash = hash_of(&code);
    if !store_second_factors::use_recovery_code(tx, &account.id, &hash)? {
        return Ok(Shown::Wrong);
    }
    let left = store_second_factors::recovery_codes_left(tx.conn(), &account.id)?;
    let facts = json!({ "recovery_codes_left": left });
    audit::store::append(tx, actor, &event("recovery_code.used", account, json!({}), facts))?;
    told(tx, account, FactorChange::CodeUsed, &left.to_string())?;
    Ok(Shown::Right)
}

fn told(tx: &mut Tx<'_>, account: &Account, change: FactorChange, key: &str) -> Answer<()> {
    let at = tx.now();
    let key = format!("second_factor:{}:{key}", at.timestamp_micros());
    tell(tx, account, &key, SecondFactorChanged { change, at }, None)
}
