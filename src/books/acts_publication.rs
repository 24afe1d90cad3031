//! Publication and cancellation: money is reserved and set free in the same transaction in which a book becomes public, or is
//! cancelled.

use serde_json::{Value, json};

use crate::books::acts::{found, hashed, record, undertake};
use crate::books::acts_witnesses as witnesses;
use crate::books::custody::Custody;
use crate::books::planning;
use crate::books::rules::{self, Book, BookId, LotId, State};
use crate::books::rules_readiness::{self as readiness, Facts, Item, LineFacts, LotFacts};
use crate::books::store::Lot;
use crate::books::store_versions::Version;
use crate::books::{store, store_versions};
use crate::budget::posting;
use crate::budget::rules_ledger::{AccountCode, Order, TransferCode, TransferId};
use crate::budget::{store as budget, store_ledger};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::kernel::calendar::local_date;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::registry::store as areas;
use crate::standards::acts as standards;
use crate::standards::rules::CategoryState;
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
        let standard = match &lot.standard_version_id {
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
        lots.push(LotFacts { standard, line });
    }
    let known = witnesses::facts(conn, document)?;
    let facts = Facts {
        organisation_id: &book.organisation_id,
        now,
        zone: place.calendar.zone,
        calendar: &place.calendar.days,
        profile: &statute.profile,
        planning: &planning::of(conn, book, &statute.profile)?,
        category_is_open: category.is_some_and(|category| category.state == CategoryState::Active),
        unknown_areas: &unknown_areas,
        witnesses: &known,
        lots: &lots,
    };
    Ok((readiness::items(&book.content, facts)?, statute))
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
        return Err(readiness::refusal(&items).into());
    }
    let key = witnesses::new_key(tx, custody, &before)?;
    let published = rules::publish(before, statute.id, key.recipient().to_owned(), now)?;
    undertake(tx, actor, Action::PublishBook, &published, Duty::Approve)?;
    store::publish(tx, &published)?;
    witnesses::keep(tx, &published, &key)?;
    let version = first_version(&published);
    let (_, content) = hashed(published.clone())?;
    store_versions::insert(tx, &version, &content)?;
    let (lots, transfers) = reserve(tx, &published)?;
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
    record(tx, actor, "book.published", &published, data, Value::Null)?;
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

/// Gives each lot its id, and reserves its ceiling under it.
fn reserve(tx: &mut Tx<'_>, book: &Book) -> Answer<(Vec<Lot>, Vec<crate::budget::rules_ledger::Transfer>)> {
    let broken = || Fault::broken("a lot without its money was found ready");
    let (mut lots, mut orders) = (Vec::new(), Vec::new());
    for lot in &book.content.document().lots {
        let line = lot.budget_line_id.clone().ok_or_else(broken)?;
        let id = LotId::mint(tx.now());
        orders.push(Order {
            id: posting::transfer_of(id.as_str())?,
            from: store_ledger::account_of_line(tx.conn(), &line, AccountCode::Available)?.id,
            to: store_ledger::account_of_line(tx.conn(), &line, AccountCode::Reserved)?.id,
            amount: lot.ceiling.ok_or_else(broken)?,
            code: TransferCode::Reservation,
            hold: None,
            matter: id.to_string(),
        });
        lots.push(Lot {
            id,
            book_id: book.id.clone(),
            code: lot.code.clone(),
            budget_line_id: line,
        });
    }
    let transfers = posting::post(tx, orders)?;
    store::insert_lots(tx, &lots)?;
    Ok((lots, transfers))
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
    let mut orders = Vec::new();
    for lot in store::lots_of(tx.conn(), &cancelled.id)? {
        let hold = store_ledger::hold(tx.conn(), &posting::transfer_of(lot.id.as_str())?)?;
        let hold = hold.ok_or_else(|| Fault::broken(format!("{} has no hold", lot.id)))?;
        if hold.remaining.is_zero() {
            continue;
        }
        orders.push(Order {
            id: TransferId::mint(tx.now()),
            from: hold.account_id.clone(),
            to: hold.origin_account_id.clone(),
            amount: hold.remaining,
            code: TransferCode::Release,
            hold: Some(hold.id.clone()),
            matter: hold.matter.clone(),
        });
    }
    let transfers = posting::post(tx, orders)?;
    let data = json!({
        "reason_zh": cancelled.cancelled.as_ref().map(|(_, reason)| &reason.zh),
        "reason_en": cancelled.cancelled.as_ref().map(|(_, reason)| &reason.en),
        "transfers": posting::told(&transfers),
    });
    record(tx, actor, "book.cancelled", &cancelled, data, Value::Null)?;
    Ok(cancelled)
}
