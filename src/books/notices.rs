//! Tells people of what happens to books. The act only notes that there is something to tell ([`about`]): how many follow a category is
//! nobody's to bound, and an act is short. The house tells it on, some accounts at a time ([`tell`]), through the outbox.

use chrono_tz::Tz;

use crate::books::rules::{Book, BookId, State};
use crate::books::rules_notices::{What, Why, fitting_kinds};
use crate::books::store_notices::{self, Audience, Pending};
use crate::books::{store, store_versions};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::calendar::local_date;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::outbox;
use crate::outbox::content::{Because, BookAmended, BookCancelled, BookPublished, Content};
use crate::outbox::notice::{Notice, Recipient};
use crate::outbox::wording::Both;
use crate::people::store_grants::organisation_name;
use crate::registry::store_contacts;
use crate::standards::store as standards;

/// Accounts that are told in one transaction.
const READERS_AT_ONCE: i64 = 100;
/// Characters of a reason that a mail repeats.
const REASON_LENGTH_MAX: usize = 500;

/// Notes that something happened to a book that is to be told. In the transaction in which it happens, after the book is saved.
///
/// # Errors
/// A fault of the database, or if the book was never published.
pub fn about(tx: &mut Tx<'_>, book: &Book, what: What) -> Answer<()> {
    let publication = book.publication.as_ref();
    let publication = publication.ok_or_else(|| Fault::broken("news of a book that nobody may know of"))?;
    store_notices::add(tx, &book.id, what, publication.versions)
}

/// Tells the oldest piece of news to some more of those whom it concerns. True if there is nothing left to tell.
///
/// # Errors
/// A fault of the database.
pub fn tell(tx: &mut Tx<'_>, zone: Tz) -> Answer<bool> {
    let Some(pending) = store_notices::next(tx.conn())? else {
        return Ok(true);
    };
    let book = store::book(tx.conn(), &pending.book_id)?;
    let book = book.ok_or_else(|| Fault::broken("news of a book that is not there"))?;
    // That it was published or amended is no news of a book that is cancelled.
    if book.state == State::Cancelled && pending.what != What::Cancelled {
        store_notices::tell_on(tx, &pending, None)?;
        return Ok(false);
    }
    let news = news(tx, &book, &pending)?;
    let said = book.content.document();
    let is_wide = pending.what.is_told_widely(news.affects_bids);
    let kinds = if is_wide {
        fitting_kinds(said)
    } else {
        Default::default()
    };
    let audience = Audience {
        book: &book.id,
        category: is_wide.then_some(said.category.as_str()),
        kinds: &kinds,
        today: local_date(tx.now(), zone),
        after: &pending.reached,
    };
    let (readers, horizon) = store_notices::readers(tx.conn(), &audience, READERS_AT_ONCE)?;
    for (account, why) in readers {
        let Some(reader) = store_contacts::account(tx.conn(), &account)? else {
            continue;
        };
        let key = key(&book.id, pending.what, pending.version, &account);
        let mut notice = Notice::new(key, reader, news.told(because(why, &news.category)));
        notice.useful_until = news.useful_until;
        outbox::store::enqueue(tx, &notice)?;
    }
    store_notices::tell_on(tx, &pending, horizon.as_deref())?;
    Ok(false)
}

/// Under which key somebody is told of what happened to a book, so that nobody hears of it twice, whoever tells it.
fn key(book: &BookId, what: What, version: i64, account: &str) -> String {
    format!("{book}:{}:{version}:{account}", what.name())
}

/// Whether an account was told of a version of a book.
///
/// # Errors
/// A fault of the database.
pub fn has_heard(conn: &mut Conn, book: &BookId, version: i64, account: &str) -> Answer<bool> {
    outbox::store::was_queued(conn, &key(book, What::Amended, version, account))
}

/// Tells people of a supplier that may have a bid for the book of a version that affects bids, in the words and by the key with which everybody
/// else hears of it.
///
/// # Errors
/// A fault of the database, or if there is no such version.
pub fn tell_bidder(
    tx: &mut Tx<'_>,
    book: &BookId,
    version: i64,
    (supplier, readers): (&OrganisationId, Vec<Recipient>),
) -> Answer<()> {
    let found = store::book(tx.conn(), book)?;
    let found = found.ok_or_else(|| Fault::broken("news of a book that is not there"))?;
    let (zh, en) = organisation_name(tx.conn(), supplier)?
        .ok_or_else(|| Fault::broken("a bid of an organisation that is not there"))?;
    let because = Because::Bidder {
        organisation: Both::new(zh, en),
    };
    let amendment = Content::from(amendment(tx, &found, version, because)?);
    for reader in readers {
        let Some(account) = reader.account_id.clone() else {
            continue;
        };
        let mut notice = Notice::new(
            key(book, What::Amended, version, &account),
            reader,
            amendment.clone(),
        );
        notice.useful_until = found.content.document().timetable.bid_deadline;
        outbox::store::enqueue(tx, &notice)?;
    }
    Ok(())
}

/// Tells people of a supplier that has bid that the book is cancelled, in the words and by the key with which everybody else hears of it.
///
/// # Errors
/// A fault of the database, or if the book is not cancelled.
pub fn tell_bidder_of_the_end(
    tx: &mut Tx<'_>,
    book: &Book,
    (supplier, readers): (&OrganisationId, Vec<Recipient>),
) -> Answer<()> {
    let versions = book.publication.as_ref().map(|one| one.versions);
    let version = versions.ok_or_else(|| Fault::broken("the end of a book that nobody may know of"))?;
    let (zh, en) = organisation_name(tx.conn(), supplier)?
        .ok_or_else(|| Fault::broken("a bid of an organisation that is not there"))?;
    let because = Because::Bidder {
        organisation: Both::new(zh, en),
    };
    let content = cancellation(book, because);
    for reader in readers {
        let Some(account) = reader.account_id.clone() else {
            continue;
        };
        let key = key(&book.id, What::Cancelled, version, &account);
        outbox::store::enqueue(tx, &Notice::new(key, reader, content.clone()))?;
    }
    Ok(())
}

fn cancellation(book: &Book, because: Because) -> BookCancelled {
    let said = book.content.document();
    let reason = book.cancelled.as_ref().map(|(_, reason)| reason);
    BookCancelled {
        book: Both::new(said.title_zh.trim(), said.title_en.trim()),
        reason: reason.map(|reason| Both::new(shortened(&reason.zh), shortened(&reason.en))),
        path: path_of(book),
        because,
    }
}

fn amendment(tx: &mut Tx<'_>, book: &Book, number: i64, because: Because) -> Answer<BookAmended> {
    let version = store_versions::version(tx.conn(), &book.id, number)?;
    let version = version.ok_or_else(|| Fault::broken("news of a version that is not there"))?;
    let said = book.content.document();
    Ok(BookAmended {
        book: Both::new(said.title_zh.trim(), said.title_en.trim()),
        version: number,
        reason: version
            .reason
            .map(|reason| Both::new(shortened(&reason.zh), shortened(&reason.en))),
        affects_bids: version.affects_bids,
        bid_deadline: said.timetable.bid_deadline,
        path: path_of(book),
        because,
    })
}

fn path_of(book: &Book) -> String {
    format!("/api/v1/contract-books/{}/print", book.id)
}

fn because(why: Why, category: &Both) -> Because {
    match why {
        Why::FollowsBook => Because::FollowsBook,
        Why::FollowsCategory => Because::FollowsCategory {
            category: category.clone(),
        },
        Why::Supplier(zh, en) => Because::Supplier {
            organisation: Both::new(zh, en),
            category: category.clone(),
        },
    }
}

/// A piece of news without its reader.
struct News {
    category: Both,
    affects_bids: bool,
    content: Content,
    useful_until: Option<Instant>,
}

impl News {
    fn told(&self, because: Because) -> Content {
        match self.content.clone() {
            Content::BookPublished(facts) => BookPublished { because, ..facts }.into(),
            Content::BookAmended(facts) => BookAmended { because, ..facts }.into(),
            Content::BookCancelled(facts) => BookCancelled { because, ..facts }.into(),
            other => other,
        }
    }
}

fn news(tx: &mut Tx<'_>, book: &Book, pending: &Pending) -> Answer<News> {
    let said = book.content.document();
    let title = Both::new(said.title_zh.trim(), said.title_en.trim());
    let category = standards::category(tx.conn(), &said.category)?;
    let category = category.map_or_else(
        || Both::same(&said.category),
        |category| Both::new(category.name.zh, category.name.en),
    );
    let path = path_of(book);
    // Everybody's own reason takes the place of this one.
    let because = Because::FollowsBook;
    let deadline = said.timetable.bid_deadline;
    let mut affects_bids = false;
    let content = match pending.what {
        What::Published => BookPublished {
            book: title,
            buyer: buyer(tx, book)?,
            category: category.clone(),
            ceiling: book.content.budget().map(Money::grouped),
            bid_deadline: deadline,
            path,
            because,
        }
        .into(),
        What::Amended => {
            let amended = amendment(tx, book, pending.version, because)?;
            affects_bids = amended.affects_bids;
            amended.into()
        }
        What::Cancelled => cancellation(book, because).into(),
    };
    let useful_until = deadline.filter(|_| pending.what != What::Cancelled);
    Ok(News {
        category,
        affects_bids,
        content,
        useful_until,
    })
}

fn buyer(tx: &mut Tx<'_>, book: &Book) -> Answer<Both> {
    let name = organisation_name(tx.conn(), &book.organisation_id)?;
    let (zh, en) = name.ok_or_else(|| Fault::broken("a book whose buyer is not there"))?;
    Ok(Both::new(zh, en))
}

fn shortened(reason: &str) -> String {
    if reason.chars().count() <= REASON_LENGTH_MAX {
        return reason.to_owned();
    }
    let begun: String = reason.chars().take(REASON_LENGTH_MAX).collect();
    format!("{begun}…")
}
