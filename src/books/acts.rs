//! What is done to a book until it is published: each function is one transaction's worth of work, permission first, event last.
//! Who may not see a draft is told that there is none, whatever they try with it.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::audit::store_withheld;
use crate::books::rules::{
    self, Book, BookId, CATEGORY_CLOSED, CONTENT_BYTES_MAX, NO_BUYER, TEMPLATE_UNKNOWN,
};
use crate::books::rules_content::Content;
use crate::books::rules_documents::{BookDocument, TimetableDocument};
use crate::books::{store, templates};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::files;
use crate::files::access::Access;
use crate::files::media::MediaType;
use crate::files::rules::{AttachmentId, Use, Visibility};
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::registry::acts_organisations::capacity;
use crate::registry::rules_organisations::State as OrganisationState;
use crate::registry::store_organisations;
use crate::standards::rules::CategoryState;
use crate::standards::store as standards;
use crate::statutes::profile::Profile;
use crate::statutes::store as statutes;
use crate::text;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::{BODY_TOO_LARGE, NOT_FOUND};

/// Calls that take what was kept back of one draft into the log at most.
const RELEASES_MAX: usize = 10;

/// What a draft begins as.
#[derive(Clone, Debug)]
pub enum Beginning {
    /// As it is sent.
    Content(Box<BookDocument>),
    /// As the template of a category.
    Template(String),
    /// As a copy of another book, without what is that one's alone.
    Copy(BookId),
}

/// The book, if the actor may know of it.
///
/// # Errors
/// Not found; a fault of the database.
pub fn seen(conn: &mut Conn, actor: &Actor, id: &BookId) -> Answer<Book> {
    let book = store::book(conn, id)?;
    let visible = book.filter(|book| {
        book.state.is_public()
            || policy::allows(
                actor,
                Action::OpenBookDrafts,
                Matter::of_organisation(&book.organisation_id),
            )
    });
    Ok(visible.ok_or_else(|| NOT_FOUND.refuse())?)
}

/// The rules that hold for a published book: those in force when it was published.
///
/// # Errors
/// A fault of the database, or if the book has none.
pub fn profile_of(conn: &mut Conn, book: &Book) -> Answer<Profile> {
    let publication = book.publication.as_ref();
    let statute = match publication {
        Some(publication) => statutes::statute(conn, &publication.statute_id)?,
        None => None,
    };
    let statute = statute.ok_or_else(|| Fault::broken(format!("the rules of {} are gone", book.id)))?;
    Ok(statute.profile)
}

/// The book, if the actor may do this with it.
///
/// # Errors
/// Permission; not found.
pub(super) fn found(tx: &mut Tx<'_>, actor: &Actor, action: Action, id: &BookId) -> Answer<Book> {
    policy::allow_at_all(actor, action)?;
    let book = seen(tx.conn(), actor, id)?;
    policy::allow(actor, action, Matter::of_organisation(&book.organisation_id))?;
    Ok(book)
}

/// Begins a book of an organisation.
///
/// # Errors
/// Permission; [`NO_BUYER`]; those of the rules; [`CATEGORY_CLOSED`]; [`TEMPLATE_UNKNOWN`]; a book to copy that is not found.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    organisation: &OrganisationId,
    beginning: Beginning,
) -> Answer<Book> {
    policy::allow(actor, Action::DraftBook, Matter::of_organisation(organisation))?;
    let buyer = store_organisations::standing(tx.conn(), organisation)?;
    if !buyer.is_some_and(|(kind, state)| kind.is_public_body() && state == OrganisationState::Verified) {
        return Err(NO_BUYER.refuse().at("/organisation_id").into());
    }
    // What a book says is a part of the request that begins it, and the whole of one that writes it anew.
    let part = match &beginning {
        Beginning::Content(_) => "/content",
        Beginning::Template(_) | Beginning::Copy(_) => "",
    };
    let (document, copy_of) = match beginning {
        Beginning::Content(document) => (*document, None),
        Beginning::Template(category) => (
            templates::template(&category)?.ok_or_else(|| TEMPLATE_UNKNOWN.refuse().at("/template"))?,
            None,
        ),
        Beginning::Copy(id) => {
            let source = seen(tx.conn(), actor, &id)?;
            (copied(source.content.document()), Some(id))
        }
    };
    let content = Content::entered(document).map_err(|refusal| refusal.under(part))?;
    open_category(tx, &content).map_err(|stop| under(stop, part))?;
    let draft = rules::draft(BookId::mint(tx.now()), organisation.clone(), content, tx.now());
    let (draft, content) = hashed(draft)?;
    store::insert(tx, &draft, &content)?;
    attach(tx, actor, &draft).map_err(|stop| under(stop, part))?;
    undertake(tx, actor, Action::DraftBook, &draft, Duty::Draft)?;
    let private = json!({ "organisation_id": organisation, "copy_of": copy_of });
    keep_back(tx, actor, "book.drafted", &draft, json!({}), private)?;
    Ok(draft)
}

/// A refusal with its places under a part of the request.
fn under(stop: Stop, part: &str) -> Stop {
    match stop {
        Stop::Refused(refusal) => (*refusal).under(part).into(),
        other => other,
    }
}

/// A book's content without what belongs to that book alone: its dates, its documents, what went before it.
fn copied(source: &BookDocument) -> BookDocument {
    BookDocument {
        timetable: TimetableDocument::default(),
        documents: Vec::new(),
        intention_id: None,
        consultation_id: None,
        ..source.clone()
    }
}

fn open_category(tx: &mut Tx<'_>, content: &Content) -> Answer<()> {
    let category = standards::category(tx.conn(), &content.document().category)?;
    if category.is_some_and(|category| category.state == CategoryState::Active) {
        return Ok(());
    }
    Err(CATEGORY_CLOSED.refuse().at("/category").into())
}

/// The book with the hash of its bytes, and the bytes.
pub(super) fn hashed(book: Book) -> Answer<(Book, String)> {
    let (content, sha256) = written(book.content.document())?;
    Ok((Book { sha256, ..book }, content))
}

/// The bytes of what a book says, and their hash.
pub(super) fn written(document: &BookDocument) -> Answer<(String, [u8; 32])> {
    let content = document.written()?;
    if content.len() > CONTENT_BYTES_MAX {
        let detail = text!(
            "一份责任书最多 {CONTENT_BYTES_MAX} 字节",
            "a book has at most {CONTENT_BYTES_MAX} bytes"
        );
        return Err(BODY_TOO_LARGE.because(detail).into());
    }
    let sha256 = rules::sha256(&content);
    Ok((content, sha256))
}

/// Types of files that a book may carry.
const TYPES: &[MediaType] = &[
    MediaType::Pdf,
    MediaType::Png,
    MediaType::Jpeg,
    MediaType::Docx,
    MediaType::Xlsx,
    MediaType::Odt,
    MediaType::Ods,
    MediaType::Csv,
];

/// Hangs those documents on the book that do not hang there yet. What is taken off the list stays with the book, unlisted.
fn attach(tx: &mut Tx<'_>, actor: &Actor, book: &Book) -> Answer<()> {
    let hanging = files::store::attached_to(tx.conn(), book.id.as_str())?;
    let known: Vec<AttachmentId> = hanging.into_iter().map(|attachment| attachment.id).collect();
    let to = (BookId::PREFIX, book.id.as_str());
    attach_to(tx, actor, to, &known, &book.content.document().documents)
}

/// Hangs those documents on a matter that are not known yet.
pub(super) fn attach_to(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (matter_kind, matter_id): (&'static str, &str),
    known: &[AttachmentId],
    documents: &[AttachmentId],
) -> Answer<()> {
    for (index, id) in documents.iter().enumerate() {
        if known.contains(id) {
            continue;
        }
        let to = Use {
            matter_kind,
            matter_id,
            visibility: Visibility::Matter,
            types: TYPES,
            pointer: &format!("/documents/{index}"),
        };
        files::acts::attach(tx, actor, id, to)?;
    }
    Ok(())
}

/// Who may read what hangs on a book: whoever may read the book.
pub struct BookAccess;

impl Access for BookAccess {
    fn matter_kind(&self) -> &'static str {
        BookId::PREFIX
    }

    fn may_read(&self, conn: &mut Conn, actor: &Actor, matter_id: &str) -> Answer<bool> {
        let Ok(id) = matter_id.parse::<BookId>() else {
            return Ok(false);
        };
        let Some(book) = store::book(conn, &id)? else {
            return Ok(false);
        };
        let matter = Matter::of_organisation(&book.organisation_id);
        Ok(book.state.is_public() || policy::allows(actor, Action::OpenBookDrafts, matter))
    }
}

/// Writes a draft anew. What it says already is no change.
///
/// # Errors
/// Permission; not found; a stale revision; those of the rules; [`CATEGORY_CLOSED`].
pub fn rewrite(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &BookId,
    expected: Expected,
    document: BookDocument,
) -> Answer<Book> {
    let before = found(tx, actor, Action::DraftBook, id)?;
    expected.check(before.revision)?;
    let content = Content::entered(document)?;
    let Some(rewritten) = rules::rewrite(before.clone(), content, tx.now())? else {
        tx.nothing_to_change();
        return Ok(before);
    };
    open_category(tx, &rewritten.content)?;
    let (rewritten, content) = hashed(rewritten)?;
    store::rewrite(tx, &rewritten, &content)?;
    attach(tx, actor, &rewritten)?;
    undertake(tx, actor, Action::DraftBook, &rewritten, Duty::Draft)?;
    keep_back(tx, actor, "book.redrafted", &rewritten, json!({}), Value::Null)?;
    Ok(rewritten)
}

/// Submits a draft for approval. It may still lack something: who approves sees the same list.
///
/// # Errors
/// Permission; not found; a stale revision; those of the rules.
pub fn submit(tx: &mut Tx<'_>, actor: &Actor, id: &BookId, expected: Expected) -> Answer<Book> {
    let before = found(tx, actor, Action::DraftBook, id)?;
    expected.check(before.revision)?;
    let submitted = rules::submit(before, tx.now())?;
    store::advance(tx, &submitted)?;
    undertake(tx, actor, Action::DraftBook, &submitted, Duty::Draft)?;
    keep_back(tx, actor, "book.submitted", &submitted, json!({}), Value::Null)?;
    Ok(submitted)
}

/// Sends a book back to its drafters.
///
/// # Errors
/// Permission; not found; a stale revision; those of the rules.
pub fn send_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &BookId,
    expected: Expected,
    reason: &str,
) -> Answer<Book> {
    let before = found(tx, actor, Action::ApproveBook, id)?;
    expected.check(before.revision)?;
    let back = rules::send_back(before, reason, tx.now())?;
    store::advance(tx, &back)?;
    let private = json!({ "reason": back.sent_back });
    keep_back(tx, actor, "book.sent_back", &back, json!({}), private)?;
    Ok(back)
}

/// Approves a book: another person than who drafted it.
///
/// # Errors
/// Permission; not found; a stale revision; those of the rules; separation of duties.
pub fn approve(tx: &mut Tx<'_>, actor: &Actor, id: &BookId, expected: Expected) -> Answer<Book> {
    let before = found(tx, actor, Action::ApproveBook, id)?;
    expected.check(before.revision)?;
    let approved = rules::approve(before, tx.now())?;
    undertake(tx, actor, Action::ApproveBook, &approved, Duty::Approve)?;
    store::advance(tx, &approved)?;
    keep_back(tx, actor, "book.approved", &approved, json!({}), Value::Null)?;
    Ok(approved)
}

/// Gives a book up that was not published. Nothing becomes of it any more.
///
/// # Errors
/// Permission; not found; a stale revision; those of the rules.
pub fn discard(tx: &mut Tx<'_>, actor: &Actor, id: &BookId, expected: Expected) -> Answer<Book> {
    let before = found(tx, actor, Action::DiscardBook, id)?;
    expected.check(before.revision)?;
    let discarded = rules::discard(before, tx.now())?;
    store::discard(tx, &discarded)?;
    keep_back(tx, actor, "book.discarded", &discarded, json!({}), Value::Null)?;
    Ok(discarded)
}

pub(super) fn undertake(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: Action,
    book: &Book,
    duty: Duty,
) -> Answer<()> {
    let capacity = capacity(actor, action, Matter::of_organisation(&book.organisation_id));
    duties::undertake(tx, actor, capacity, duty, book.id.as_str())
}

/// That a book is being written is nobody's business before it is public: its entries come into the log with its publication, and those of one that
/// was given up never do.
fn keep_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    book: &Book,
    data: Value,
    private: Value,
) -> Answer<()> {
    let event = Event {
        kind,
        subject: book.id.to_string(),
        data,
        private,
    };
    store_withheld::withhold(tx, actor, &event, book.id.as_str())?;
    Ok(())
}

/// Takes what was kept back of a matter into the log, in the order in which it was done.
pub(super) fn tell_what_was_kept_back(tx: &mut Tx<'_>, matter: &str) -> Answer<()> {
    for _ in 0..RELEASES_MAX {
        if store_withheld::release(tx, matter)? < store_withheld::RELEASED_MAX {
            return Ok(());
        }
    }
    Err(Fault::broken(format!("{matter} has too many entries that were kept back")).into())
}

/// What is done to a book from its publication on is told at once.
pub(super) fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    book: &Book,
    data: Value,
    private: Value,
) -> Answer<()> {
    let event = Event {
        kind,
        subject: book.id.to_string(),
        data,
        private,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
