//! Publication and cancellation: money is reserved and set free in the same transaction in which a book becomes public, or is
//! cancelled.

use serde_json::{Value, json};

use crate::books::acts::{found, hashed, record, tell_what_was_kept_back, undertake};
use crate::books::acts_witnesses as witnesses;
use crate::books::custody::Custody;
use crate::books::rules::{self, Book, BookId, NOT_READY, State};
use crate::books::rules_documents::LotDocument;
use crate::books::rules_notices::What;
use crate::books::rules_readiness::{self as readiness, Facts, Item, LineFacts, LotFacts, Published};
use crate::books::store_versions::Version;
use crate::books::{acts_search, notices, planning, reservations, store, store_versions};
use crate::budget::posting;
use crate::budget::rules_ledger::AccountCode;
use crate::budget::{store as budget, store_ledger};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::kernel::calendar::local_date;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Stop};
use crate::registry::store as areas;
use crate::standards::acts as standards;
use crate::standards::rules::CategoryState;
use crate::standards::store_versions as standard_versions;
use crate::statutes;
use crate::statutes::rules::Statute;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::context::WardCalendar;
use crate::web::policy::Action;

/// Where a book is published: whose rules apply, and how days are counted.
#[derive(Clone, Copy)]
pub struct Place<'p> {
    /// The jurisdiction of the statutes.
    pub jurisdiction: &'p str,
    /// The ward's zone and working days.
    pub calendar: &'p WardCalendar,
}

/// What stands against the publication of a book now, and by which rules.
///
/// # Errors
/// No rules in force; a rule that is not set; a fault of the database.
pub fn judged(conn: &mut Conn, book: &Book, place: Place<'_>, now: Instant) -> Answer<(Vec<Item>, Statute)> {
    let today = local_date(now, place.calendar.zone);
    let statute = statutes::acts::in_force(conn, place.jurisdiction, today)?;
    let items = lacking(conn, book, None, &statute, (place, now))?;
    Ok((items, statute))
}

/// What stands by these rules against the publication of what a book says; `published` is what it said before, of an addendum.
///
/// # Errors
/// A rule that is not set; a fault of the database.
pub(super) fn lacking(
    conn: &mut Conn,
    book: &Book,
    published: Option<Published<'_>>,
    statute: &Statute,
    (place, now): (Place<'_>, Instant),
) -> Answer<Vec<Item>> {
    let document = book.content.document();
    let category = crate::standards::store::category(conn, &document.category)?;
    let mut unknown_areas = Vec::new();
    for (index, area) in document.areas.iter().enumerate() {
        if areas::area(conn, area)?.is_none() {
            unknown_areas.push(index);
        }
    }
    let mut lots = Vec::with_capacity(document.lots.len());
    for lot in &document.lots {
        lots.push(facts_of(conn, lot, published)?);
    }
    let is_open = category.is_some_and(|category| category.state == CategoryState::Active);
    let known = witnesses::facts(conn, document)?;
    let facts = Facts {
        organisation_id: &book.organisation_id,
        now,
        zone: place.calendar.zone,
        calendar: &place.calendar.days,
        profile: &statute.profile,
        planning: &planning::of(conn, book, &statute.profile)?,
        // A category that was retired since takes no new books, and this one is none.
        category_is_open: is_open || published.is_some(),
        unknown_areas: &unknown_areas,
        witnesses: &known,
        lots: &lots,
        published,
    };
    readiness::items(&book.content, facts)
}

fn facts_of(conn: &mut Conn, lot: &LotDocument, published: Option<Published<'_>>) -> Answer<LotFacts> {
    let before = published.map(|before| before.content.document());
    let before = before.and_then(|before| before.lots.iter().find(|known| known.code == lot.code));
    let standard = match &lot.standard_version_id {
        // What was published with a version keeps it, even if it was withdrawn from further use since.
        Some(id) if before.is_some_and(|before| before.standard_version_id.as_ref() == Some(id)) => {
            standard_versions::version_of_id(conn, id)?
        }
        Some(id) => match standards::usable(conn, id) {
            Ok(version) => Some(version),
            Err(Stop::Refused(_)) => None,
            Err(stop) => return Err(stop),
        },
        None => None,
    };
    let line = match &lot.budget_line_id {
        Some(id) => budget::line(conn, id)?,
        None => None,
    };
    let line = match line {
        Some(line) => {
            let account = store_ledger::account_of_line(conn, &line.id, AccountCode::Available)?;
            Some(LineFacts {
                line,
                available: account.balance,
            })
        }
        None => None,
    };
    Ok(LotFacts { standard, line })
}

/// Publishes an approved book: reserves every lot's ceiling, makes the key that opens its bids, and fixes what it says. A book that
/// is public already stays as it is.
///
/// # Errors
/// Permission; not found; a stale revision; a wrong state; separation of duties; everything that stands against it; those of the
/// ledger.
pub fn publish(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &BookId,
    expected: Expected,
    (place, custody): (Place<'_>, &Custody),
) -> Answer<Book> {
    let before = found(tx, actor, Action::PublishBook, id)?;
    if before.state == State::Published {
        tx.nothing_to_change();
        return Ok(before);
    }
    expected.check(before.revision)?;
    rules::may_publish(&before)?;
    let now = tx.now();
    let (items, statute) = judged(tx.conn(), &before, place, now)?;
    if !items.is_empty() {
        return Err(readiness::refusal(&NOT_READY, &items).into());
    }
    let key = witnesses::new_key(tx, custody, &before)?;
    let published = rules::publish(before, statute.id, key.recipient().to_owned(), now)?;
    undertake(tx, actor, Action::PublishBook, &published, Duty::Approve)?;
    store::publish(tx, &published)?;
    witnesses::keep(tx, &published, &key)?;
    let version = first_version(&published);
    let (_, content) = hashed(published.clone())?;
    store_versions::insert(tx, &version, &content)?;
    let (lots, transfers) = reservations::reserve(tx, &published)?;
    let data = json!({
        "organisation_id": published.organisation_id,
        "version": 1,
        "sha256": hex::encode(published.sha256),
        "statute_id": published.publication.as_ref().map(|one| &one.statute_id),
        "recipient": key.recipient(),
        "custody": key.told(),
        "lots": lots.iter().map(|lot| json!({"id": lot.id, "code": lot.code})).collect::<Value>(),
        "transfers": posting::told(&transfers),
    });
    tell_what_was_kept_back(tx, published.id.as_str())?;
    record(tx, actor, "book.published", &published, data, Value::Null)?;
    acts_search::index_book(tx, &published)?;
    notices::about(tx, &published, What::Published)?;
    Ok(published)
}

fn first_version(book: &Book) -> Version {
    Version {
        book_id: book.id.clone(),
        number: 1,
        content: book.content.clone(),
        sha256: book.sha256,
        reason: None,
        affects_bids: false,
        published_at: book.updated_at,
    }
}

/// Cancels a published book: what is left of its reservations is free again. What was published stays to be read.
///
/// # Errors
/// Permission; not found; a stale revision; those of the rules; those of the ledger.
pub fn cancel(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &BookId,
    expected: Expected,
    reason: &(String, String),
) -> Answer<Book> {
    let before = found(tx, actor, Action::CancelBook, id)?;
    expected.check(before.revision)?;
    let cancelled = rules::cancel(before, (&reason.0, &reason.1), tx.now())?;
    store::cancel(tx, &cancelled)?;
    let transfers = reservations::release(tx, &cancelled.id)?;
    let data = json!({
        "reason_zh": cancelled.cancelled.as_ref().map(|(_, reason)| &reason.zh),
        "reason_en": cancelled.cancelled.as_ref().map(|(_, reason)| &reason.en),
        "transfers": posting::told(&transfers),
    });
    record(tx, actor, "book.cancelled", &cancelled, data, Value::Null)?;
    acts_search::restate_book(tx, &cancelled)?;
    notices::about(tx, &cancelled, What::Cancelled)?;
    Ok(cancelled)
}
