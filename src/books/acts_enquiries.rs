//! What is done to enquiries: each function is one transaction's worth of work, permission first, event last.
//!
//! Who asked is kept from everyone until bids are opened, from auditors too: who might bid, and how many, is told to nobody (招标投标法 art
//! 22). The log names whoever causes an event to auditors at once, so the event of an enquiry is the service's own and has a commitment to
//! the asker instead. After the opening auditors are told who asked, with the salts, and can compare both with the log.

use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::books::acts::seen;
use crate::books::rules::{Book, BookId};
use crate::books::rules_enquiries::{self as rules, Asker, Asking, Enquiry, EnquiryId, Entered, State};
use crate::books::{store, store_enquiries};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::rfc3339;
use crate::kernel::id;
use crate::kernel::local_day::local_date;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::outbox;
use crate::outbox::content::{Content, EnquiriesUnanswered, EnquiryMade, FollowedHappened};
use crate::outbox::notice::{Notice, Recipient};
use crate::outbox::wording::Both;
use crate::registry::acts_organisations::account;
use crate::registry::store_debarments::{self, DebarmentFilter};
use crate::registry::{store_contacts, store_organisations};
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter, Role};
use crate::web::problem::NOT_FOUND;

/// Books that are looked at in one transaction by [`escalate`].
const BOOKS_AT_ONCE: i64 = 20;
/// For so many days after the deadline for bids it is still told that something was not answered.
const TOLD_DAYS_AFTER: i64 = 30;

/// Something to ask.
#[derive(Clone, Debug)]
pub struct Ask {
    /// For which supplier.
    pub organisation_id: OrganisationId,
    /// What.
    pub question: String,
}

/// Asks about a published book.
///
/// # Errors
/// Permission; not found; those of the rules.
pub fn ask(tx: &mut Tx<'_>, actor: &Actor, book: &BookId, command: &Ask, zone: Tz) -> Answer<Enquiry> {
    let organisation = &command.organisation_id;
    policy::allow(actor, Action::AskEnquiry, Matter::of_organisation(organisation))?;
    let book = seen(tx.conn(), actor, book)?;
    let now = tx.now();
    let today = DebarmentFilter {
        organisation: Some(organisation.clone()),
        in_force_on: Some(local_date(now, zone)),
        after: None,
    };
    let (of_book, of_supplier) = store_enquiries::asked(tx.conn(), &book.id, organisation)?;
    let asking = Asking {
        standing: store_organisations::standing(tx.conn(), organisation)?,
        is_debarred: !store_debarments::debarments(tx.conn(), &today, 1)?.is_empty(),
        of_supplier,
        of_book,
    };
    let enquiry = rules::ask(EnquiryId::mint(now), &book, asking, &command.question, now)?;
    let asker = Asker {
        organisation_id: organisation.clone(),
        account_id: account(actor)?.to_owned(),
        salt: id::random()?,
    };
    store_enquiries::insert(tx, &enquiry, &asker)?;
    // About which book is not public either: how much is asked about one tells how many think of a bid.
    let data = json!({ "asker": asker.commitment() });
    let private = json!({ "book_id": book.id, "question": enquiry.question });
    record(tx, &Actor::system(), "enquiry.made", &enquiry, data, private)?;
    let officers = store_contacts::people(tx.conn(), &book.organisation_id, Role::BuyerOfficer)?;
    tell(tx, officers, &format!("{}:made", enquiry.id), || {
        EnquiryMade {
            book: title_of(&book),
            path: unanswered_path(&book.id),
        }
        .into()
    })?;
    Ok(enquiry)
}

fn title_of(book: &Book) -> Both {
    let document = book.content.document();
    Both::new(&document.title_zh, &document.title_en)
}

fn unanswered_path(book: &BookId) -> String {
    format!("/api/v1/contract-books/{book}/unanswered-enquiries")
}

fn tell(tx: &mut Tx<'_>, readers: Vec<Recipient>, key: &str, content: impl Fn() -> Content) -> Answer<()> {
    for reader in readers {
        let account = reader.account_id.clone().unwrap_or_default();
        let notice = Notice::new(format!("{key}:{account}"), reader, content());
        outbox::store::enqueue(tx, &notice)?;
    }
    Ok(())
}

fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    enquiry: &Enquiry,
    data: Value,
    private: Value,
) -> Answer<()> {
    let event = Event {
        kind,
        subject: enquiry.id.to_string(),
        data,
        private,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}

/// Takes an enquiry back that was not answered. Somebody else's is not there.
///
/// # Errors
/// Permission; not found; those of the rules.
pub fn withdraw(tx: &mut Tx<'_>, actor: &Actor, id: &EnquiryId) -> Answer<Enquiry> {
    policy::allow_at_all(actor, Action::AskEnquiry)?;
    let before = store_enquiries::enquiry(tx.conn(), id)?;
    let before = before.ok_or_else(|| NOT_FOUND.refuse())?;
    if !is_own(tx.conn(), actor, Action::AskEnquiry, id)? {
        return Err(NOT_FOUND.refuse().into());
    }
    let withdrawn = rules::withdraw(before, tx.now())?;
    store_enquiries::end(tx, &withdrawn)?;
    record(
        tx,
        &Actor::system(),
        "enquiry.withdrawn",
        &withdrawn,
        json!({}),
        Value::Null,
    )?;
    Ok(withdrawn)
}

/// Whether the actor may do this with what their own supplier asked.
fn is_own(conn: &mut Conn, actor: &Actor, action: Action, id: &EnquiryId) -> Answer<bool> {
    let asker = store_enquiries::asker(conn, id)?;
    Ok(asker
        .is_some_and(|asker| policy::allows(actor, action, Matter::of_organisation(&asker.organisation_id))))
}

/// Answers an enquiry, in public.
///
/// # Errors
/// Permission; not found; those of the rules.
pub fn answer(tx: &mut Tx<'_>, actor: &Actor, id: &EnquiryId, entered: &Entered) -> Answer<Enquiry> {
    policy::allow_at_all(actor, Action::AnswerEnquiry)?;
    let (before, book) = with_book(tx.conn(), id)?;
    let matter = Matter::of_organisation(&book.organisation_id);
    // Whose business it is not is told no more of an open enquiry than of one that never was.
    if before.state() != State::Answered && !policy::allows(actor, Action::OpenEnquiries, matter) {
        return Err(NOT_FOUND.refuse().into());
    }
    policy::allow(actor, Action::AnswerEnquiry, matter)?;
    if before.state() == State::Withdrawn {
        return Err(NOT_FOUND.refuse().into());
    }
    let number = store_enquiries::last_number(tx.conn(), &book.id)?.saturating_add(1);
    let answered = rules::answer(before, &book, entered, (number, tx.now()))?;
    store_enquiries::end(tx, &answered)?;
    record(
        tx,
        actor,
        "enquiry.answered",
        &answered,
        told(&answered),
        Value::Null,
    )?;
    tell_asker(tx, &answered, &book)?;
    Ok(answered)
}

fn told(enquiry: &Enquiry) -> Value {
    let answer = enquiry.answer.as_ref();
    json!({
        "book_id": enquiry.book_id,
        "number": answer.map(|answer| answer.number),
        "question_zh": answer.map(|answer| &answer.question.zh),
        "question_en": answer.map(|answer| &answer.question.en),
        "answer_zh": answer.map(|answer| &answer.answer.zh),
        "answer_en": answer.map(|answer| &answer.answer.en),
        "addendum": answer.and_then(|answer| answer.addendum),
        "answered_at": answer.map(|answer| rfc3339(answer.at)),
    })
}

/// Whoever asked is told in the same words as anybody who follows the book: administrators see of which kind a mail is, and to which host.
fn tell_asker(tx: &mut Tx<'_>, enquiry: &Enquiry, book: &Book) -> Answer<()> {
    let asker = store_enquiries::asker(tx.conn(), &enquiry.id)?;
    let asker = asker.ok_or_else(|| Fault::broken(format!("{} was asked by nobody", enquiry.id)))?;
    let reader = store_contacts::account(tx.conn(), &asker.account_id)?;
    let key = format!("{}:answered", enquiry.id);
    tell(tx, reader.into_iter().collect(), &key, || {
        FollowedHappened {
            what: title_of(book),
            happened: Both::new("有新的答疑。", "An enquiry was answered."),
            path: format!("/api/v1/contract-books/{}/enquiries", book.id),
        }
        .into()
    })
}

fn with_book(conn: &mut Conn, id: &EnquiryId) -> Answer<(Enquiry, Book)> {
    let enquiry = store_enquiries::enquiry(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let book = store::book(conn, &enquiry.book_id)?;
    let book = book.ok_or_else(|| Fault::broken(format!("{id} is about no book")))?;
    Ok((enquiry, book))
}

/// An enquiry, and whether the actor may read it in the words of whoever asked: as the buyer or an auditor, or as the asker.
///
/// # Errors
/// Not found: unless it was answered, to everyone but these; withdrawn, to everyone but the asker.
pub fn known(conn: &mut Conn, actor: &Actor, id: &EnquiryId) -> Answer<(Enquiry, bool)> {
    let (enquiry, book) = with_book(conn, id)?;
    let is_own = is_own(conn, actor, Action::ReadOwnEnquiries, id)?;
    let matter = Matter::of_organisation(&book.organisation_id);
    let is_buyers = policy::allows(actor, Action::OpenEnquiries, matter);
    let visible = match enquiry.state() {
        State::Answered => true,
        State::Open => is_own || is_buyers,
        State::Withdrawn => is_own,
    };
    if visible {
        Ok((enquiry, is_own || is_buyers))
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

/// What of a book is not answered, as its readiness shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// How many enquiries are open.
    pub count: i64,
    /// Whether the deadline for answers has come.
    pub is_overdue: bool,
}

/// What of a book is not answered.
///
/// # Errors
/// A fault of the database.
pub fn unanswered(conn: &mut Conn, book: &Book, now: crate::kernel::clock::Instant) -> Answer<Unanswered> {
    let count = store_enquiries::unanswered_count(conn, &book.id)?;
    Ok(Unanswered {
        count,
        is_overdue: count > 0 && rules::is_overdue(book, now),
    })
}

/// Tells the approvers of buyers what was not answered by the deadline for answers: once for each book, deadline and reader, however often
/// it is asked. Upkeep: it changes nothing of the ward. Looks at some books, beyond `after`, and says where to go on; `None` if there are no
/// more.
///
/// # Errors
/// A fault of the database.
pub fn escalate(tx: &mut Tx<'_>, after: Option<&BookId>) -> Answer<Option<BookId>> {
    let now = tx.now();
    let since = now
        .checked_sub_signed(chrono::Duration::days(TOLD_DAYS_AFTER))
        .unwrap_or(now);
    let books = store_enquiries::books_with_unanswered(tx.conn(), after, since, BOOKS_AT_ONCE)?;
    let full = i64::try_from(books.len()).is_ok_and(|count| count == BOOKS_AT_ONCE);
    for id in &books {
        let book = store::book(tx.conn(), id)?;
        let book = book.ok_or_else(|| Fault::broken(format!("{id} is no book")))?;
        let unanswered = unanswered(tx.conn(), &book, now)?;
        let deadline = book.content.document().timetable.answer_deadline;
        let Some(deadline) = deadline.filter(|_| unanswered.is_overdue) else {
            continue;
        };
        let approvers = store_contacts::people(tx.conn(), &book.organisation_id, Role::BuyerApprover)?;
        let key = format!("{id}:unanswered:{}", deadline.timestamp());
        tell(tx, approvers, &key, || {
            EnquiriesUnanswered {
                book: title_of(&book),
                count: unanswered.count,
                path: unanswered_path(id),
            }
            .into()
        })?;
    }
    Ok(books.into_iter().last().filter(|_| full))
}
