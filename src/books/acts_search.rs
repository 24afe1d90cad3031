//! What becomes findable, and what people save of their searching: each function is one transaction's worth of work, permission
//! first, event last. What somebody searches for is nobody else's business: no event says it.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::books::rules_intentions::{Intention, IntentionId};
use crate::books::rules_saved_searches::{self as rules, SavedSearch, SavedSearchId, TOO_MANY, Wish};
use crate::books::store_saved_searches as store;
use crate::books::store_search::{self, Document, Found, Order, Wanted};
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::outbox;
use crate::outbox::content::FollowedHappened;
use crate::outbox::notice::Notice;
use crate::outbox::wording::Both;
use crate::registry::acts_organisations::account;
use crate::registry::store_contacts;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Searches that are looked at in one transaction.
const SEARCHES_AT_ONCE: i64 = 20;
/// Hits of one search that are told in one transaction.
const HITS_AT_ONCE: i64 = 20;

/// Makes a published notice findable, and one that was withdrawn not.
///
/// # Errors
/// A fault of the database.
pub fn index_intention(tx: &mut Tx<'_>, intention: &Intention) -> Answer<()> {
    let (None, Some(version), Some(published_at)) =
        (&intention.withdrawn, &intention.current, intention.published_at)
    else {
        return store_search::unindex(tx, intention.id.as_str());
    };
    let content = &version.content;
    let document = Document {
        kind: "intention_notice",
        subject_id: intention.id.to_string(),
        path: path_of(&intention.id),
        title: content.title.clone(),
        body: content.overview.clone(),
        category: content.category.clone(),
        organisation_id: Some(intention.organisation_id.clone()),
        value: Some(content.budget),
        area_ids: content.area_ids.clone(),
        published_at,
    };
    store_search::index(tx, &document)
}

fn path_of(id: &IntentionId) -> String {
    format!("/api/v1/intention-notices/{id}")
}

/// Saves a search of the actor's own. What is public already is not told.
///
/// # Errors
/// Permission; those of the rules; [`TOO_MANY`].
pub fn save(tx: &mut Tx<'_>, actor: &Actor, name: &str, wish: &Wish) -> Answer<SavedSearch> {
    policy::allow(actor, Action::ChangeOwnSavedSearches, Matter::default())?;
    let account = account(actor)?;
    let seen = store_search::last_sequence(tx.conn())?;
    let saved = rules::saved(
        SavedSearchId::mint(tx.now()),
        account,
        name,
        wish,
        (seen, tx.now()),
    )?;
    if store::of_account(tx.conn(), account)?.len() >= rules::SAVED_MAX {
        return Err(TOO_MANY.refuse().into());
    }
    store::insert(tx, &saved)?;
    audit::store::append(tx, actor, &event("saved_search.saved", &saved))?;
    Ok(saved)
}

/// Deletes a search of the actor's own.
///
/// # Errors
/// Permission; not found, somebody else's too.
pub fn delete(tx: &mut Tx<'_>, actor: &Actor, id: &SavedSearchId) -> Answer<SavedSearch> {
    policy::allow(actor, Action::ChangeOwnSavedSearches, Matter::default())?;
    let own = store::of_account(tx.conn(), account(actor)?)?;
    let saved = own.into_iter().find(|one| one.id == *id);
    let saved = saved.ok_or_else(|| NOT_FOUND.refuse())?;
    store::delete(tx, id)?;
    audit::store::append(tx, actor, &event("saved_search.deleted", &saved))?;
    Ok(saved)
}

fn event(kind: &'static str, saved: &SavedSearch) -> Event {
    Event {
        kind,
        subject: saved.id.to_string(),
        data: json!({}),
        private: Value::Null,
    }
}

/// Tells people of what has become public since they saved a search, each hit once, by the mail that they have chosen for news. True
/// if it came to the end of what there is to tell.
///
/// # Errors
/// A fault of the database.
pub fn tell_hits(tx: &mut Tx<'_>) -> Answer<bool> {
    let last = store_search::last_sequence(tx.conn())?;
    let behind = store::behind(tx.conn(), last, SEARCHES_AT_ONCE)?;
    for saved in &behind {
        let wanted = Wanted {
            order: Order::Sequence(saved.seen),
            ..saved.wish.wanted()?
        };
        let found = store_search::find(tx.conn(), &wanted, HITS_AT_ONCE)?;
        let reader = store_contacts::account(tx.conn(), &saved.account_id)?;
        if let Some(reader) = reader {
            for hit in &found {
                let key = format!("{}:{}", saved.id, hit.subject_id);
                outbox::store::enqueue(tx, &Notice::new(key, reader.clone(), news(saved, hit)))?;
            }
        }
        let is_all = i64::try_from(found.len()).is_ok_and(|told| told < HITS_AT_ONCE);
        let told = found.last().map_or(last, |hit| hit.sequence);
        store::see(tx, saved, if is_all { last } else { told })?;
    }
    Ok(behind.is_empty())
}

fn news(saved: &SavedSearch, hit: &Found) -> FollowedHappened {
    FollowedHappened {
        what: Both::same(&saved.name),
        happened: Both::new(
            format!("新发布：{}。", hit.title_zh),
            format!("New: {}.", hit.title_en),
        ),
        path: hit.path.clone(),
    }
}
