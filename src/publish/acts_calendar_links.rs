//! The secret address of a calendar: each function is one transaction's worth of work, permission first, event last. No event says the secret, nor what is followed.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::audit;
use crate::audit::entry::Event;
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::people::rules_roles::SESSION_NEEDED;
use crate::people::secrets::{hash_of, mint};
use crate::publish::rules_calendars::{CalendarLink, CalendarLinkId};
use crate::publish::store_calendar_links as store;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Whose calendar it is: a person in a session, whose account is there.
fn own(actor: &Actor) -> Answer<String> {
    match (actor.id(), actor.session()) {
        (Some(account), Some(_)) => Ok(account.to_owned()),
        _ => Err(SESSION_NEEDED.refuse().into()),
    }
}

/// Makes the link of the actor's calendar; one that there was ends. Its secret is given here and never again.
///
/// # Errors
/// Permission; [`SESSION_NEEDED`]; a fault of the database.
pub fn make(tx: &mut Tx<'_>, actor: &Actor) -> Answer<(CalendarLink, Zeroizing<String>)> {
    policy::allow(actor, Action::ChangeOwnCalendarLink, Matter::default())?;
    let account_id = own(actor)?;
    if let Some(known) = store::of_account(tx.conn(), &account_id)? {
        store::delete(tx, &known.id)?;
        audit::store::append(tx, actor, &event("calendar_link.ended", &known.id))?;
    }
    let secret = mint()?;
    let link = CalendarLink {
        id: CalendarLinkId::mint(tx.now()),
        account_id,
        made_at: tx.now(),
    };
    store::insert(tx, &link, &hash_of(&secret))?;
    audit::store::append(tx, actor, &event("calendar_link.made", &link.id))?;
    Ok((link, secret))
}

/// Ends the link of the actor's calendar, at once.
///
/// # Errors
/// Permission; [`SESSION_NEEDED`]; not found.
pub fn end(tx: &mut Tx<'_>, actor: &Actor) -> Answer<CalendarLink> {
    policy::allow(actor, Action::ChangeOwnCalendarLink, Matter::default())?;
    let known = store::of_account(tx.conn(), &own(actor)?)?;
    let link = known.ok_or_else(|| NOT_FOUND.refuse())?;
    store::delete(tx, &link.id)?;
    audit::store::append(tx, actor, &event("calendar_link.ended", &link.id))?;
    Ok(link)
}

fn event(kind: &'static str, id: &CalendarLinkId) -> Event {
    Event {
        kind,
        subject: id.to_string(),
        data: json!({}),
        private: Value::Null,
    }
}
