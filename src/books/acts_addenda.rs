//! What is done to addenda: each function is one transaction's worth of work, permission first, event last. What an addendum says
//! before it is published is its buyer's and the auditors' alone, as a book's draft is; so its events name the addendum and not the book.

use serde_json::{Value, json};

use crate::audit::entry::Event;
use crate::audit::store_withheld;
use crate::books::acts::{self, seen, undertake};
use crate::books::acts_publication::{self, Place};
use crate::books::rules::{self as books, Book, BookId};
use crate::books::rules_addenda::{
    self as rules, ALREADY_OPEN, Addendum, AddendumId, CHANGES_NOTHING, Entered, Judging, NOT_READY, State,
};
use crate::books::rules_content::Content;
use crate::books::rules_differences::{Difference, differences};
use crate::books::rules_documents::BookDocument;
use crate::books::rules_notices::What;
use crate::books::rules_readiness::{self as readiness, Item, Published};
use crate::books::store_versions::Version;
use crate::books::{acts_search, notices, reservations, store, store_addenda, store_versions};
use crate::budget::posting;
use crate::budget::rules_ledger::Transfer;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::files::access::Access;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;
use crate::statutes;
use crate::statutes::codes::TENDER_CLARIFICATION_DAYS_MIN;
use crate::statutes::rules::{Statute, StatuteId};
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// An addendum as it is sent.
#[derive(Clone, Debug)]
pub struct WriteAddendum {
    /// Why, in Chinese and English. It becomes public.
    pub reason: (String, String),
    /// Whether it affects bids, though its fields do not show it.
    pub affects_bids: bool,
    /// What the book is to say.
    pub document: BookDocument,
}

impl WriteAddendum {
    /// What is entered, if the content holds together.
    fn checked(&self) -> Answer<Entered> {
        let content = Content::entered(self.document.clone()).map_err(|refusal| refusal.under("/content"))?;
        Ok(Entered {
            reason: self.reason.clone(),
            affects_bids: self.affects_bids,
            content,
        })
    }
}

/// The addendum with the book that it is to, if the actor may know of it.
///
/// # Errors
/// Not found; a fault of the database.
pub fn known(conn: &mut Conn, actor: &Actor, id: &AddendumId) -> Answer<(Addendum, Book)> {
    let addendum = store_addenda::addendum(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let book = store::book(conn, &addendum.book_id)?;
    let book = book.ok_or_else(|| Fault::broken(format!("{id} is to no book")))?;
    if addendum.state == State::Published || may_open(actor, &book) {
        Ok((addendum, book))
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

/// Whether the actor may read what of a book is not public.
pub fn may_open(actor: &Actor, book: &Book) -> bool {
    let matter = Matter::of_organisation(&book.organisation_id);
    policy::allows(actor, Action::OpenBookDrafts, matter)
}

fn found(tx: &mut Tx<'_>, actor: &Actor, action: Action, id: &AddendumId) -> Answer<(Addendum, Book)> {
    policy::allow_at_all(actor, action)?;
    let (addendum, book) = known(tx.conn(), actor, id)?;
    policy::allow(actor, action, Matter::of_organisation(&book.organisation_id))?;
    Ok((addendum, book))
}

/// What an addendum changes: every field in which it differs from the version that it was written against.
///
/// # Errors
/// A fault of the database.
pub fn changes(conn: &mut Conn, addendum: &Addendum) -> Answer<Vec<Difference>> {
    let base = store_versions::version(conn, &addendum.book_id, addendum.base)?;
    let base = base.ok_or_else(|| Fault::broken(format!("{} is to no version", addendum.id)))?;
    Ok(differences(
        &value(base.content.document())?,
        &value(addendum.content.document())?,
    ))
}

fn value(document: &BookDocument) -> Result<Value, Fault> {
    serde_json::to_value(document).map_err(|error| Fault::caused("compare versions of a book", error))
}

/// What stands against an addendum, and what follows from it.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Everything that does, first what it may not do as an addendum.
    pub items: Vec<Item>,
    /// What it changes.
    pub changes: Vec<Difference>,
    /// Whether bids that were sealed before have to be confirmed.
    pub affects_bids: bool,
    /// The earliest deadline for bids that it may leave, published now.
    pub earliest_deadline: Option<Instant>,
    /// By which rules: those that hold for the book.
    pub statute_id: StatuteId,
}

/// What stands against the publication of an addendum now, by the rules under which its book was published. Against one that is written
/// no more nothing does.
///
/// # Errors
/// A rule that is not set; a fault of the database.
pub fn judged(
    conn: &mut Conn,
    addendum: &Addendum,
    book: &Book,
    (place, now): (Place<'_>, Instant),
) -> Answer<Judgement> {
    let (statute, published_at) = statute_of(conn, book)?;
    let changes = changes(conn, addendum)?;
    let affects_bids = addendum.affects_bids(&changes);
    let judging = Judging {
        profile: &statute.profile,
        now,
        zone: place.calendar.zone,
    };
    let (before, after) = (book.content.document(), addendum.content.document());
    let mut items = rules::objections(before, after, affects_bids, judging)?;
    let published = Published {
        content: &book.content,
        at: published_at,
    };
    let amended = Book {
        content: addendum.content.clone(),
        ..book.clone()
    };
    items.extend(acts_publication::lacking(
        conn,
        &amended,
        Some(published),
        &statute,
        (place, now),
    )?);
    if changes.is_empty() {
        items.push(Item {
            pointer: String::new(),
            code: readiness::MISSING,
            detail: Text::fixed("补遗未作任何更改", "it changes nothing"),
            rule: None,
            citations: Vec::new(),
        });
    }
    let days = if affects_bids {
        statute.profile.rule(TENDER_CLARIFICATION_DAYS_MIN)?.0
    } else {
        0
    };
    if addendum.state != State::Draft {
        items.clear();
    }
    let deadline = before.timetable.bid_deadline;
    Ok(Judgement {
        items,
        changes,
        affects_bids,
        earliest_deadline: deadline.and_then(|deadline| rules::earliest_deadline(deadline, days, judging)),
        statute_id: statute.id,
    })
}

fn statute_of(conn: &mut Conn, book: &Book) -> Answer<(Statute, Instant)> {
    let publication = book.publication.as_ref();
    let publication = publication.ok_or_else(|| Fault::broken("an addendum to a draft"))?;
    let statute = statutes::store::statute(conn, &publication.statute_id)?;
    let statute =
        statute.ok_or_else(|| Fault::broken(format!("{} is no statute", publication.statute_id)))?;
    Ok((statute, publication.at))
}

/// Begins an addendum to a published book.
///
/// # Errors
/// Permission; not found; a content that does not hold together; those of the rules: a book that is not published, whose deadline has passed, or with too many versions;
/// [`ALREADY_OPEN`]; a reason that is none; separation of duties.
pub fn draft(tx: &mut Tx<'_>, actor: &Actor, book: &BookId, command: &WriteAddendum) -> Answer<Addendum> {
    let book = acts::found(tx, actor, Action::DraftAddendum, book)?;
    let entered = command.checked()?;
    let now = tx.now();
    let base = rules::may_amend(&book, now)?;
    if store_addenda::is_being_written(tx.conn(), &book.id)? {
        return Err(ALREADY_OPEN.refuse().into());
    }
    let id = AddendumId::mint(now);
    let draft = rules::draft(id, (book.id.clone(), base), entered, now)?;
    let (draft, content) = hashed(draft)?;
    undertake(tx, actor, Action::DraftAddendum, &book, Duty::Draft)?;
    store_addenda::insert(tx, &draft, &content)?;
    attach(tx, actor, &draft, &book)?;
    record(
        tx,
        actor,
        "addendum.drafted",
        &draft,
        json!({ "book_id": book.id }),
    )?;
    Ok(draft)
}

fn hashed(addendum: Addendum) -> Answer<(Addendum, String)> {
    let (content, sha256) = acts::written(addendum.content.document())?;
    Ok((Addendum { sha256, ..addendum }, content))
}

/// Hangs new documents on the addendum; those that the book has already stay where they hang.
fn attach(tx: &mut Tx<'_>, actor: &Actor, addendum: &Addendum, book: &Book) -> Answer<()> {
    let mut known = book.content.document().documents.clone();
    for matter in [book.id.as_str(), addendum.id.as_str()] {
        let hanging = crate::files::store::attached_to(tx.conn(), matter)?;
        known.extend(hanging.into_iter().map(|attachment| attachment.id));
    }
    let to = (AddendumId::PREFIX, addendum.id.as_str());
    acts::attach_to(tx, actor, to, &known, &addendum.content.document().documents)
}

/// Writes a draft anew. What it says already is no change.
///
/// # Errors
/// Permission; not found; a stale revision; those of the rules; separation of duties.
pub fn rewrite(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &AddendumId,
    expected: Expected,
    command: &WriteAddendum,
) -> Answer<Addendum> {
    let (before, book) = found(tx, actor, Action::DraftAddendum, id)?;
    expected.check(before.revision)?;
    let entered = command.checked()?;
    let Some(rewritten) = rules::rewrite(before.clone(), entered, tx.now())? else {
        tx.nothing_to_change();
        return Ok(before);
    };
    let (rewritten, content) = hashed(rewritten)?;
    undertake(tx, actor, Action::DraftAddendum, &book, Duty::Draft)?;
    store_addenda::update(tx, &rewritten, &content)?;
    attach(tx, actor, &rewritten, &book)?;
    record(tx, actor, "addendum.redrafted", &rewritten, Value::Null)?;
    Ok(rewritten)
}

/// Gives a draft up.
///
/// # Errors
/// Permission; not found; a stale revision; those of the rules.
pub fn discard(tx: &mut Tx<'_>, actor: &Actor, id: &AddendumId, expected: Expected) -> Answer<Addendum> {
    let (before, _) = found(tx, actor, Action::DiscardAddendum, id)?;
    expected.check(before.revision)?;
    let discarded = rules::discard(before, tx.now())?;
    let (discarded, content) = hashed(discarded)?;
    store_addenda::update(tx, &discarded, &content)?;
    record(tx, actor, "addendum.discarded", &discarded, Value::Null)?;
    Ok(discarded)
}

/// Publishes an addendum: what it says is the book from now on, with the money that goes with it. One that is public already stays as it
/// is. Another person than those who wrote it, or the book.
///
/// # Errors
/// Permission; not found; a stale revision; a wrong state of the addendum; a wrong state of the book, or its deadline has passed;
/// [`CHANGES_NOTHING`]; everything that stands against it; separation of duties; those of the ledger.
pub fn publish(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &AddendumId,
    expected: Expected,
    place: Place<'_>,
) -> Answer<Addendum> {
    let (before, book) = found(tx, actor, Action::PublishAddendum, id)?;
    if before.state == State::Published {
        tx.nothing_to_change();
        return Ok(before);
    }
    expected.check(before.revision)?;
    rules::is_open(&before)?;
    let now = tx.now();
    if rules::may_amend(&book, now)? != before.base {
        return Err(Fault::broken(format!("{id} is to a version that is not the current one")).into());
    }
    let judgement = judged(tx.conn(), &before, &book, (place, now))?;
    if judgement.changes.is_empty() {
        return Err(CHANGES_NOTHING.refuse().into());
    }
    if !judgement.items.is_empty() {
        return Err(readiness::refusal(&NOT_READY, &judgement.items).into());
    }
    let amended = books::amend(book, before.content.clone(), now)?;
    let (amended, content) = acts::hashed(amended)?;
    let published = rules::publish(before, now)?;
    undertake(tx, actor, Action::PublishAddendum, &amended, Duty::Approve)?;
    let version = Version {
        book_id: amended.id.clone(),
        number: published.base.saturating_add(1),
        content: amended.content.clone(),
        sha256: amended.sha256,
        reason: Some(published.reason.clone()),
        affects_bids: judgement.affects_bids,
        published_at: now,
    };
    store::rewrite(tx, &amended, &content)?;
    store_versions::insert(tx, &version, &content)?;
    store_addenda::update(tx, &published, &content)?;
    let transfers = reservations::adjust(tx, &amended)?;
    let data = told(&published, &version, &transfers);
    acts::tell_what_was_kept_back(tx, published.id.as_str())?;
    acts::record(tx, actor, "book.amended", &amended, data, Value::Null)?;
    acts_search::index_book(tx, &amended)?;
    notices::about(tx, &amended, What::Amended)?;
    Ok(published)
}

fn told(published: &Addendum, version: &Version, transfers: &[Transfer]) -> Value {
    let deadline = version.content.document().timetable.bid_deadline;
    json!({
        "addendum_id": published.id,
        "addendum": published.number,
        "version": version.number,
        "sha256": hex::encode(version.sha256),
        "reason_zh": published.reason.zh,
        "reason_en": published.reason.en,
        "affects_bids": version.affects_bids,
        "bid_deadline": deadline.map(rfc3339),
        "transfers": posting::told(transfers),
    })
}

/// That an addendum is being written is as secret as that a book is.
fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    addendum: &Addendum,
    private: Value,
) -> Answer<()> {
    let event = Event {
        kind,
        subject: addendum.id.to_string(),
        data: json!({}),
        private,
    };
    store_withheld::withhold(tx, actor, &event, addendum.id.as_str())?;
    Ok(())
}

/// The book, if the actor may see its addenda, and in which states.
///
/// # Errors
/// Not found; a fault of the database.
pub fn listed_states(
    conn: &mut Conn,
    actor: &Actor,
    id: &BookId,
    wanted: Option<State>,
) -> Answer<Vec<State>> {
    let book = seen(conn, actor, id)?;
    let all = may_open(actor, &book);
    let states = State::ALL
        .into_iter()
        .filter(|state| (all || *state == State::Published) && wanted.is_none_or(|wanted| wanted == *state));
    Ok(states.collect())
}

/// Who may read what hangs on an addendum: everyone once it is public, before that whoever may read it.
pub struct AddendumAccess;

impl Access for AddendumAccess {
    fn matter_kind(&self) -> &'static str {
        AddendumId::PREFIX
    }

    fn may_read(&self, conn: &mut Conn, actor: &Actor, matter_id: &str) -> Answer<bool> {
        let Ok(id) = matter_id.parse::<AddendumId>() else {
            return Ok(false);
        };
        match known(conn, actor, &id) {
            Ok(_) => Ok(true),
            Err(crate::kernel::refusal::Stop::Refused(_)) => Ok(false),
            Err(stop) => Err(stop),
        }
    }
}
