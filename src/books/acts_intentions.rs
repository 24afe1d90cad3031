//! What is done to intention notices: each function is one transaction's worth of work, permission first, event last.

use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::books::acts_search::index_intention;
use crate::books::rules_intentions::{self as rules, AREA_UNKNOWN, Content, Entered, Intention, IntentionId};
use crate::books::store_intentions as store;
use crate::budget::acts::{may_see, public_body};
use crate::budget::rules::CATEGORY_UNKNOWN;
use crate::budget::store::category_is_active;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::kernel::local_day::local_date;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::registry::acts_organisations::{account, capacity};
use crate::registry::rules_organisations::Doing;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// A notice to begin.
#[derive(Clone, Debug)]
pub struct DraftIntention {
    /// Who plans to buy.
    pub organisation_id: OrganisationId,
    /// What the notice says.
    pub entered: Entered,
}

/// Begins a notice.
///
/// # Errors
/// Permission; those of the rules; no public body; a category or an area that there is not.
pub fn draft(tx: &mut Tx<'_>, actor: &Actor, command: &DraftIntention) -> Answer<Intention> {
    let organisation = &command.organisation_id;
    let matter = Matter::of_organisation(organisation);
    policy::allow(actor, Action::DraftIntention, matter)?;
    public_body(tx.conn(), organisation, "/organisation_id")?;
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let id = IntentionId::mint(tx.now());
    let intention = rules::draft(id, organisation.clone(), &command.entered, doing)?;
    stands(tx, intention.draft.as_ref().map(|draft| &draft.content))?;
    undertake(tx, actor, Action::DraftIntention, &intention, Duty::Draft)?;
    store::insert(tx, &intention)?;
    audit::store::append(tx, actor, &draft_event("intention.drafted", &intention))?;
    Ok(intention)
}

/// Writes a draft anew, or a correction of what is public.
///
/// # Errors
/// Permission; not found; a stale revision; separation of duties; those of the rules; a category or an area that there is not.
pub fn rewrite(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &IntentionId,
    expected: Expected,
    entered: &Entered,
) -> Answer<Intention> {
    let intention = found(tx, actor, Action::DraftIntention, id)?;
    expected.check(intention.revision)?;
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let rewritten = rules::rewrite(intention, entered, doing)?;
    stands(tx, rewritten.draft.as_ref().map(|draft| &draft.content))?;
    undertake(tx, actor, Action::DraftIntention, &rewritten, Duty::Draft)?;
    store::update(tx, &rewritten)?;
    store::write_draft(tx, &rewritten)?;
    audit::store::append(tx, actor, &draft_event("intention.redrafted", &rewritten))?;
    Ok(rewritten)
}

/// Publishes what another person wrote.
///
/// # Errors
/// Permission; not found; a stale revision; separation of duties; those of the rules.
pub fn publish(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &IntentionId,
    expected: Expected,
    zone: Tz,
) -> Answer<Intention> {
    let intention = found(tx, actor, Action::PublishIntention, id)?;
    expected.check(intention.revision)?;
    let is_first = intention.published_at.is_none();
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let published = rules::publish(intention, local_date(tx.now(), zone), doing)?;
    undertake(tx, actor, Action::PublishIntention, &published, Duty::Approve)?;
    if is_first {
        store::publish_first(tx, &published)?;
    } else {
        store::update(tx, &published)?;
    }
    store::publish_version(tx, &published)?;
    index_intention(tx, &published)?;
    audit::store::append(tx, actor, &published_event(&published))?;
    Ok(published)
}

/// Withdraws a notice.
///
/// # Errors
/// Permission; not found; a stale revision; those of the rules.
pub fn withdraw(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &IntentionId,
    expected: Expected,
    reason: (&str, &str),
) -> Answer<Intention> {
    let intention = found(tx, actor, Action::PublishIntention, id)?;
    expected.check(intention.revision)?;
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let withdrawn = rules::withdraw(intention, reason, doing)?;
    store::update(tx, &withdrawn)?;
    index_intention(tx, &withdrawn)?;
    let why = withdrawn.withdrawn.as_ref().map(|(_, reason)| reason);
    let event = Event {
        kind: "intention.withdrawn",
        subject: withdrawn.id.to_string(),
        data: json!({
            "organisation": withdrawn.organisation_id, "revision": withdrawn.revision,
            "reason_zh": why.map(|reason| reason.zh()), "reason_en": why.map(|reason| reason.en()),
        }),
        private: Value::Null,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(withdrawn)
}

/// The notice of that id as the actor may know it: without what is written and not published, unless it is their own body's.
///
/// # Errors
/// Not found.
pub fn known(conn: &mut Conn, actor: &Actor, id: &IntentionId) -> Answer<Intention> {
    let intention = store::intention(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let seen = as_seen(actor, intention);
    if seen.shown().is_some() {
        Ok(seen)
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

/// A notice without its draft, unless the actor may see that.
pub fn as_seen(actor: &Actor, intention: Intention) -> Intention {
    let own = [&intention.organisation_id];
    let draft = if may_see(actor, Action::OpenIntentionDrafts, &own) {
        intention.draft.clone()
    } else {
        None
    };
    Intention { draft, ..intention }
}

fn found(tx: &mut Tx<'_>, actor: &Actor, action: Action, id: &IntentionId) -> Answer<Intention> {
    policy::allow_at_all(actor, action)?;
    let intention = known(tx.conn(), actor, id)?;
    policy::allow(actor, action, Matter::of_organisation(&intention.organisation_id))?;
    Ok(intention)
}

/// Category and areas are there.
fn stands(tx: &mut Tx<'_>, content: Option<&Content>) -> Answer<()> {
    let Some(content) = content else { return Ok(()) };
    if !category_is_active(tx.conn(), &content.category)? {
        return Err(CATEGORY_UNKNOWN.refuse().at("/category").into());
    }
    let known = store::known_areas(tx.conn(), &content.area_ids)?;
    if known.len() != content.area_ids.len() {
        return Err(AREA_UNKNOWN.refuse().at("/area_ids").into());
    }
    Ok(())
}

fn undertake(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: Action,
    intention: &Intention,
    duty: Duty,
) -> Answer<()> {
    let matter = Matter::of_organisation(&intention.organisation_id);
    let capacity = capacity(actor, action, matter);
    duties::undertake(tx, actor, capacity, duty, intention.id.as_str())
}

/// What is written is nobody's business before it is published.
fn draft_event(kind: &'static str, intention: &Intention) -> Event {
    Event {
        kind,
        subject: intention.id.to_string(),
        data: json!({}),
        private: json!({
            "organisation": intention.organisation_id, "revision": intention.revision,
            "number": intention.draft.as_ref().map(|draft| draft.number),
        }),
    }
}

fn published_event(intention: &Intention) -> Event {
    let version = intention.current.as_ref();
    let said = version.map(|version| &version.content);
    let reason = version.and_then(|version| version.reason.as_ref());
    Event {
        kind: "intention.published",
        subject: intention.id.to_string(),
        data: json!({
            "organisation": intention.organisation_id, "revision": intention.revision,
            "number": version.map(|version| version.number),
            "category": said.map(|said| &said.category), "areas": said.map(|said| &said.area_ids),
            "title_zh": said.map(|said| said.title.zh()), "title_en": said.map(|said| said.title.en()),
            "budget": said.map(|said| said.budget),
            "expected_month": said.map(|said| said.expected_month.to_string()),
            "reason_zh": reason.map(|reason| reason.zh()), "reason_en": reason.map(|reason| reason.en()),
        }),
        private: Value::Null,
    }
}
