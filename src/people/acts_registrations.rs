//! Accounts that their owners open themselves, on the strength of something that another slice knows: a resident with a letter. What
//! is proved here is the mail address. That somebody asks is upkeep and no event, as with every mail that a stranger asks for; that
//! an account is opened is an event.

use serde_json::json;

use crate::audit;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Language;
use crate::outbox::content::{AccountKnown, ResidenceRegistration};
use crate::people::acts::{event, personal_of_resident, refuse_taken};
use crate::people::acts_links::key_of;
use crate::people::letters::{tell, tell_stranger};
use crate::people::rules::{self, Account, AccountId, Email};
use crate::people::rules_links::{LINK_REFUSED, Purpose};
use crate::people::secrets::hash_of;
use crate::people::store_sessions::TokenHash;
use crate::people::{store, store_links};
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};

/// An account to be opened by whoever reads the mail of an address.
#[derive(Clone)]
pub struct OfferAccount {
    /// The address.
    pub email: Email,
    /// The language of the mail; whoever has an account gets it in that account's.
    pub language: Language,
    /// Until when the link is good.
    pub expires_at: Instant,
    /// Where the link leads, less its secret.
    pub path: &'static str,
    /// Where somebody goes who has an account.
    pub path_with_account: &'static str,
}

/// Sends the link by which an account is opened; upkeep. Whoever has an account of this address is told so instead, and gets no link:
/// an address has one account, whatever state that is in. Tells whether the link was sent.
///
/// # Errors
/// Permission; a fault of the database.
pub fn offer_account(tx: &mut Tx<'_>, command: &OfferAccount, secret: &str) -> Answer<bool> {
    policy::allow(&Actor::public(), Action::RegisterResidence, Matter::default())?;
    let hash = hash_of(secret);
    let (key, until) = (key_of("registration", &hash), command.expires_at);
    if let Some((account, _)) = store::account_of_email(tx.conn(), &command.email)? {
        let known = AccountKnown {
            path: command.path_with_account.to_owned(),
        };
        tell(tx, &account, &key, known, Some(until))?;
        return Ok(false);
    }
    store_links::insert_link(tx, &hash, Purpose::Registration, None, until)?;
    let letter = ResidenceRegistration {
        path: format!("{}/{secret}", command.path),
        expires_at: until,
    };
    tell_stranger(tx, &command.email, command.language, &key, letter, until)?;
    Ok(true)
}

/// An account that is opened.
#[derive(Clone)]
pub struct OpenAccount {
    /// The address that the link was sent to.
    pub email: Email,
    /// The name that its owner chooses.
    pub display_name: String,
    /// The language that they read.
    pub language: Language,
    /// The hash of their password.
    pub password_hash: String,
}

/// Opens an account by the link that was sent to its address, and uses the link up.
///
/// # Errors
/// Permission; a name that is none; [`LINK_REFUSED`]; [`rules::EMAIL_TAKEN`] if somebody was faster with the address.
pub fn open_account(tx: &mut Tx<'_>, link: &TokenHash, command: &OpenAccount) -> Answer<Account> {
    policy::allow(&Actor::public(), Action::RegisterResidence, Matter::default())?;
    let now = tx.now();
    let name = rules::display_name(&command.display_name)?;
    let good = store_links::link(tx.conn(), link, now)?;
    if good != Some((Purpose::Registration, None)) || !store_links::use_link(tx, link)? {
        return Err(LINK_REFUSED.refuse().into());
    }
    refuse_taken(tx, &command.email)?;
    let account = rules::invite(AccountId::mint(now), command.email.clone(), command.language, now);
    store::insert(tx, &account)?;
    let active = rules::activate(account, name, command.language, now)?;
    store::update(tx, &active)?;
    store::set_password(tx, &active.id, &command.password_hash)?;
    let by = Actor::in_session(active.id.to_string(), String::new(), Vec::new());
    let facts = json!({ "by": "letter", "password": true });
    audit::store::append(
        tx,
        &by,
        &event("account.activated", &active, facts, personal_of_resident(&active)),
    )?;
    Ok(active)
}
