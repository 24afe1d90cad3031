//! What becomes findable, and what people save of their searching: each function is one transaction's worth of work, permission
//! first, event last. What somebody searches for is nobody else's business: no event says it.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::books::notices;
use crate::books::rules::{Book, State};
use crate::books::rules_intentions::{Intention, IntentionId};
use crate::books::rules_notices::What;
use crate::books::rules_saved_searches::{self as rules, SavedSearch, SavedSearchId, TOO_MANY, Wish};
use crate::books::rules_search_texts as texts;
use crate::books::rules_stages::Stage;
use crate::books::store as books;
use crate::books::store_saved_searches as store;
use crate::books::store_search::{self, Document, Found, Order, Wanted};
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::kernel::text::Text;
use crate::outbox;
use crate::outbox::content::FollowedHappened;
use crate::outbox::notice::Notice;
use crate::outbox::wording::Both;
use crate::registry::acts_organisations::account;
use crate::registry::store_contacts;
use crate::standards::rules::{Standard, State as StandardState, Version};
use crate::standards::store::{self as standards, StandardFilter};
use crate::standards::store_versions;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// What sort of thing a book, and a standard, is in the search.
pub const KIND_BOOK: &str = "contract_book";
/// See there.
pub const KIND_STANDARD: &str = "service_standard";

/// Books that are put into the index in one transaction, if it lacks them.
const BOOKS_AT_ONCE: i64 = 20;
/// Standards that can be found; those after them, by category and code, cannot.
const STANDARDS_MAX: i64 = 1_000;
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
        stage: Some(Stage::Planned.stored()),
        closes_at: None,
    };
    store_search::index(tx, &document)
}

/// Makes a public book findable as it is now: one that was cancelled too, because it stays to be read.
///
/// # Errors
/// A fault of the database.
pub fn index_book(tx: &mut Tx<'_>, book: &Book) -> Answer<()> {
    let Some(publication) = &book.publication else {
        return Ok(());
    };
    let said = book.content.document();
    let document = Document {
        kind: KIND_BOOK,
        subject_id: book.id.to_string(),
        path: format!("/api/v1/contract-books/{}", book.id),
        title: texts::title_of_book(said),
        body: texts::of_book(said),
        category: said.category.clone(),
        organisation_id: Some(book.organisation_id.clone()),
        value: book.content.budget(),
        area_ids: said.areas.clone(),
        published_at: publication.at,
        stage: Some(stage_of(book).stored()),
        closes_at: said.timetable.bid_deadline,
    };
    store_search::index(tx, &document)
}

fn stage_of(book: &Book) -> Stage {
    if book.state == State::Cancelled {
        Stage::Cancelled
    } else {
        Stage::Open
    }
}

/// Says of a book that was cancelled that it was: it is found as before, and is no news.
///
/// # Errors
/// A fault of the database.
pub fn restate_book(tx: &mut Tx<'_>, book: &Book) -> Answer<()> {
    store_search::restate(tx, book.id.as_str(), stage_of(book).stored())
}

/// Puts into the index what it lacks: standards, whose slice knows nothing of a search and which are therefore looked at from here
/// once in a while, each by its newest version that may be taken; and books that were published before they were searched. True if
/// nothing was lacking.
///
/// # Errors
/// A fault of the database.
pub fn catch_up(tx: &mut Tx<'_>) -> Answer<bool> {
    let mut is_complete = true;
    for id in store_search::books_missing(tx.conn(), BOOKS_AT_ONCE)? {
        if let Some(book) = books::book(tx.conn(), &id)? {
            index_book(tx, &book)?;
            is_complete = false;
        }
    }
    let newest = newest_standards(tx)?;
    for id in store_search::shown_of_kind(tx.conn(), KIND_STANDARD, STANDARDS_MAX)? {
        if !newest.iter().any(|(_, version)| version.id.as_str() == id) {
            store_search::unindex(tx, &id)?;
            is_complete = false;
        }
    }
    for (standard, version) in &newest {
        if index_standard(tx, standard, version)? {
            is_complete = false;
        }
    }
    Ok(is_complete)
}

/// Every standard of which there is a version to be taken, with the newest such.
fn newest_standards(tx: &mut Tx<'_>) -> Answer<Vec<(Standard, Version)>> {
    let filter = StandardFilter {
        category: None,
        jurisdiction: None,
        states: vec![StandardState::Published],
        after: None,
    };
    let mut newest = Vec::new();
    for standard in standards::list(tx.conn(), &filter, STANDARDS_MAX)? {
        let versions =
            store_versions::versions(tx.conn(), &standard.id, &[StandardState::Published], None, 1)?;
        newest.extend(versions.into_iter().map(|version| (standard.clone(), version)));
    }
    Ok(newest)
}

/// True if it was not there as it is now.
fn index_standard(tx: &mut Tx<'_>, standard: &Standard, version: &Version) -> Answer<bool> {
    let title = Text::made(standard.title.zh.clone(), standard.title.en.clone());
    let known = store_search::titles(tx.conn(), version.id.as_str())?;
    if known.is_some_and(|(zh, en)| zh == title.zh() && en == title.en()) {
        return Ok(false);
    }
    let document = Document {
        kind: KIND_STANDARD,
        subject_id: version.id.to_string(),
        path: format!("/api/v1/standards/{}/versions/{}", standard.id, version.number),
        title,
        body: texts::of_standard(&version.content),
        category: standard.category.clone(),
        organisation_id: None,
        value: None,
        area_ids: Vec::new(),
        published_at: version.published_at.unwrap_or(version.created_at),
        stage: None,
        closes_at: None,
    };
    store_search::index(tx, &document)?;
    Ok(true)
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
            ..saved.wish.wanted(tx.now())?
        };
        let found = store_search::find(tx.conn(), &wanted, HITS_AT_ONCE)?;
        let reader = store_contacts::account(tx.conn(), &saved.account_id)?;
        if let Some(reader) = reader {
            // What was cancelled before anybody could be told of it is no news.
            let is_cancelled = |hit: &&Found| hit.stage.as_deref() == Some(Stage::Cancelled.stored());
            for hit in found.iter().filter(|hit| !is_cancelled(hit)) {
                // Whoever follows it has heard of it already: that is told first.
                if hit.kind == KIND_BOOK && has_heard(tx, hit, &saved.account_id)? {
                    continue;
                }
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

fn has_heard(tx: &mut Tx<'_>, hit: &Found, account: &str) -> Answer<bool> {
    match hit.subject_id.parse() {
        Ok(id) => notices::has_heard(tx.conn(), &id, (What::Published, 1), account),
        Err(_) => Ok(false),
    }
}

fn news(saved: &SavedSearch, hit: &Found) -> FollowedHappened {
    FollowedHappened {
        what: Both::same(&saved.name),
        happened: Both::new(
            format!("符合条件：{}。", hit.title_zh),
            format!("It fits: {}.", hit.title_en),
        ),
        path: hit.path.clone(),
    }
}
