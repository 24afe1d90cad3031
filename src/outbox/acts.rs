//! What is done about mail: each function is one transaction's worth of work, permission first, event last. Whose mail it is
//! stands in the private part of the event only.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Language;
use crate::outbox::rules::{Frequency, MailId, NOT_DEAD, Preferences, State};
use crate::outbox::store;
use crate::outbox::store_listed::{self, Listed};
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter, UNAUTHENTICATED};
use crate::web::problem::NOT_FOUND;

/// What the events about preferences are about; an account's id would say whose they are.
const SUBJECT: &str = "mail_preferences";

/// Another choice for one's own mail.
#[derive(Clone, Debug)]
pub struct ChangePreferences {
    /// Which version of it.
    pub expected: Expected,
    /// For matters one has to act on.
    pub duty: Frequency,
    /// For what one asked to hear about.
    pub news: Frequency,
    /// In which language; the account's if none.
    pub language: Option<Language>,
}

/// Changes how the actor wants their own mail. Choosing what is chosen already changes nothing.
///
/// # Errors
/// Permission; a stale version.
pub fn change_preferences(
    tx: &mut Tx<'_>,
    actor: &Actor,
    command: &ChangePreferences,
) -> Answer<Preferences> {
    policy::allow(actor, Action::ChangeOwnMailPreferences, Matter::default())?;
    let account_id = actor.id().ok_or_else(|| UNAUTHENTICATED.refuse())?;
    let before = store::preferences(tx.conn(), account_id)?;
    command.expected.check(before.version)?;
    let after = Preferences {
        duty: command.duty,
        news: command.news,
        language: command.language,
        version: before.version,
    };
    if after == before {
        tx.nothing_to_change();
        return Ok(before);
    }
    let after = save(tx, account_id, &before, after)?;
    let private = json!({ "account": account_id, "before": shown(&before), "after": shown(&after) });
    audit::store::append(tx, actor, &event("mail_preferences.changed", private))?;
    Ok(after)
}

/// Switches off what an account only follows, for whoever has the link from one of its mails.
///
/// # Errors
/// Permission, which everyone has: the link is what proves it.
pub fn unsubscribe(tx: &mut Tx<'_>, actor: &Actor, account_id: &str) -> Answer<()> {
    policy::allow(actor, Action::UnsubscribeMail, Matter::default())?;
    let before = store::preferences(tx.conn(), account_id)?;
    if before.news == Frequency::Off {
        tx.nothing_to_change();
        return Ok(());
    }
    let after = Preferences {
        news: Frequency::Off,
        ..before
    };
    let after = save(tx, account_id, &before, after)?;
    let private = json!({ "account": account_id, "before": shown(&before), "after": shown(&after) });
    audit::store::append(tx, actor, &event("mail_preferences.unsubscribed", private))?;
    Ok(())
}

/// Queues a mail again that was given up.
///
/// # Errors
/// Permission; not found; [`NOT_DEAD`].
pub fn requeue(tx: &mut Tx<'_>, actor: &Actor, id: &MailId) -> Answer<Listed> {
    policy::allow(actor, Action::RequeueMail, Matter::default())?;
    let mail = store_listed::listed(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let now = tx.now();
    if mail.state != State::Dead || !store::requeue(tx.conn(), id, now)? {
        return Err(NOT_DEAD.refuse().into());
    }
    let event = Event {
        kind: "mail.requeued",
        subject: id.to_string(),
        data: json!({ "kind": mail.kind, "last_failure": mail.last_failure }),
        private: Value::Null,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(store_listed::listed(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?)
}

/// Saves another choice. Mail about what was switched off is not sent any more, not even what waits already.
fn save(
    tx: &mut Tx<'_>,
    account_id: &str,
    before: &Preferences,
    mut after: Preferences,
) -> Answer<Preferences> {
    after.version = before.version.saturating_add(1);
    let now = tx.now();
    store::save_preferences(tx.conn(), account_id, &after, now)?;
    if after.news == Frequency::Off {
        store::decline_news(tx.conn(), account_id, now)?;
    }
    Ok(after)
}

fn shown(preferences: &Preferences) -> Value {
    json!({ "duty": preferences.duty, "news": preferences.news, "language": preferences.language })
}

fn event(kind: &'static str, private: Value) -> Event {
    Event {
        kind,
        subject: SUBJECT.to_owned(),
        data: json!({}),
        private,
    }
}
