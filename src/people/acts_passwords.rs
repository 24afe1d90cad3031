//! What is done to passwords by their owners. A password that is forgotten is reset by mail; see `acts_links.rs`.

use serde_json::json;

use crate::audit;
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::outbox::content::PasswordChanged;
use crate::people::acts::event;
use crate::people::acts_sessions::{end_others, own_account};
use crate::people::letters::tell;
use crate::people::rules_links::Purpose;
use crate::people::rules_sessions::{CREDENTIALS_REFUSED, End};
use crate::people::{store, store_links};
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Another password for the actor's own account.
#[derive(Clone)]
pub struct ChangePassword {
    /// The hash of the present one, which was found right.
    pub known_hash: String,
    /// The hash of the new one.
    pub new_hash: String,
}

/// Chooses another password. All other sessions end, and links to choose another one are void. Tells how many sessions ended.
///
/// # Errors
/// Permission; a session is needed; [`CREDENTIALS_REFUSED`] if the password is another one by now.
pub fn change(tx: &mut Tx<'_>, actor: &Actor, command: &ChangePassword) -> Answer<usize> {
    policy::allow(actor, Action::ChangeOwnPassword, Matter::default())?;
    let id = own_account(actor)?;
    let account = store::account(tx.conn(), &id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    if store::password(tx.conn(), &id)?.as_ref() != Some(&command.known_hash) {
        return Err(CREDENTIALS_REFUSED.refuse().at("/current_password").into());
    }
    store::set_password(tx, &id, &command.new_hash)?;
    store_links::void_links(tx, Purpose::PasswordReset, Some(&id))?;
    audit::store::append(
        tx,
        actor,
        &event(
            "password.changed",
            &account,
            json!({ "by": "owner" }),
            json!(null),
        ),
    )?;
    let ended = end_others(tx, actor, &id, End::PasswordChanged)?;
    let at = tx.now();
    let key = format!("password:{}", at.timestamp_micros());
    tell(tx, &account, &key, PasswordChanged { at }, None)?;
    Ok(ended)
}
