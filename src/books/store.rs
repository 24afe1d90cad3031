//! The table of contract books, and what of a published one stands in tables of its own.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use diesel::dsl::exists;
use diesel::prelude::*;

use crate::books::rules::{self, Book, BookId, LotId, Publication, State};
use crate::books::rules_content::Content;
use crate::books::rules_documents::BookDocument;
use crate::books::rules_intentions::IntentionId;
use crate::budget::rules::BudgetLineId;
use crate::db::conn::Conn;
use crate::db::schema::{areas, book_areas, books, lots, opening_keys};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::standards::rules_indicators::Line;
use crate::statutes::rules::StatuteId;

/// The row of a book, as long as it stands at the revision before this one.
macro_rules! before {
    ($book:expr) => {
        books::table
            .find(&$book.id)
            .filter(books::revision.eq($book.revision.saturating_sub(1)))
    };
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = books)]
struct BookRow {
    id: BookId,
    organisation_id: OrganisationId,
    state: String,
    content: String,
    content_sha256: Vec<u8>,
    revision: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
    sent_back: Option<String>,
    published_at: Option<NaiveDateTime>,
    statute_id: Option<StatuteId>,
    recipient: Option<String>,
    versions: Option<i64>,
    cancelled_at: Option<NaiveDateTime>,
    cancellation_zh: Option<String>,
    cancellation_en: Option<String>,
    discarded_at: Option<NaiveDateTime>,
    opened_at: Option<NaiveDateTime>,
}

/// What stored bytes say, if they are those that were hashed.
pub(super) fn content(what: &str, content: &str, hash: &[u8]) -> Result<(Content, [u8; 32]), Fault> {
    let sha256 = rules::sha256(content);
    if hash != sha256 {
        return Err(Fault::broken(format!(
            "{what}: its content is not what was hashed"
        )));
    }
    let content = Content::checked(BookDocument::stored(content)?)
        .map_err(|refusal| Fault::caused("a stored book", Stop::from(refusal)))?;
    Ok((content, sha256))
}

/// What was given up keeps the state that it had then in its column.
fn standing_of(state: State, discarded_at: Option<NaiveDateTime>) -> State {
    if discarded_at.is_some() {
        State::Discarded
    } else {
        state
    }
}

impl TryFrom<BookRow> for Book {
    type Error = Fault;

    fn try_from(row: BookRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("the book {}: {what}", row.id));
        let state = State::named(&row.state).ok_or_else(|| broken("its state is none"))?;
        let state = standing_of(state, row.discarded_at);
        let (content, sha256) = content(row.id.as_str(), &row.content, &row.content_sha256)?;
        let publication = match (row.published_at, row.statute_id, row.recipient, row.versions) {
            (Some(at), Some(statute_id), Some(recipient), Some(versions)) => Some(Publication {
                at: at.and_utc(),
                statute_id,
                recipient,
                versions,
            }),
            _ => None,
        };
        if publication.is_some() != state.is_public() {
            return Err(broken("it is half published"));
        }
        let reason = row.cancellation_zh.zip(row.cancellation_en);
        let reason = reason.map(|(zh, en)| Line { zh, en });
        Ok(Self {
            id: row.id,
            organisation_id: row.organisation_id,
            state,
            content,
            sha256,
            revision: row.revision,
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
            sent_back: row.sent_back,
            publication,
            opened_at: row.opened_at.map(|at| at.and_utc()),
            cancelled: row.cancelled_at.map(|at| at.and_utc()).zip(reason),
        })
    }
}

/// The book of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn book(conn: &mut Conn, id: &BookId) -> Answer<Option<Book>> {
    let row: Option<BookRow> = books::table
        .find(id)
        .select(BookRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Book::try_from).transpose()?)
}

/// A book in a list, without what it says.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = books)]
pub struct Head {
    /// Its id.
    pub id: BookId,
    /// Who buys.
    pub organisation_id: OrganisationId,
    /// The name of its state.
    pub state: String,
    /// The code of its category.
    pub category: String,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// Until when bids are taken.
    pub bid_deadline: Option<NaiveDateTime>,
    /// Counts the changes.
    pub revision: i64,
    /// When it was begun.
    pub created_at: NaiveDateTime,
    /// When it was changed last.
    pub updated_at: NaiveDateTime,
    /// When it was published.
    pub published_at: Option<NaiveDateTime>,
    /// Counts the published versions.
    pub versions: Option<i64>,
    /// When it was given up.
    pub discarded_at: Option<NaiveDateTime>,
}

impl Head {
    /// How far it has come.
    ///
    /// # Errors
    /// A fault if its row has no state that there is.
    pub fn standing(&self) -> Result<State, Fault> {
        let state = State::named(&self.state);
        let state = state.ok_or_else(|| Fault::broken(format!("the state of {} is none", self.id)))?;
        Ok(standing_of(state, self.discarded_at))
    }
}

/// Which books that are not public are asked for.
#[derive(Clone, Debug, Default)]
pub struct DraftFilter {
    /// Of these organisations; `None` for all.
    pub organisations: Option<Vec<OrganisationId>>,
    /// In this state.
    pub state: Option<State>,
    /// Older than this id.
    pub before: Option<String>,
}

/// Up to `max` books that are not public, newest first.
///
/// # Errors
/// A fault of the database.
pub fn drafts(conn: &mut Conn, filter: &DraftFilter, max: i64) -> Answer<Vec<Head>> {
    let mut query = books::table.filter(books::published_at.is_null()).into_boxed();
    query = match filter.state {
        Some(State::Discarded) => query.filter(books::discarded_at.is_not_null()),
        Some(state) => query
            .filter(books::state.eq(state.name()))
            .filter(books::discarded_at.is_null()),
        None => query.filter(books::discarded_at.is_null()),
    };
    if let Some(organisations) = &filter.organisations {
        query = query.filter(books::organisation_id.eq_any(organisations));
    }
    if let Some(before) = &filter.before {
        query = query.filter(books::id.lt(before));
    }
    Ok(query
        .order(books::id.desc())
        .limit(max)
        .select(Head::as_select())
        .load(conn)?)
}

/// Which public books are asked for.
#[derive(Clone, Debug, Default)]
pub struct PublicFilter {
    /// Of this category.
    pub category: Option<String>,
    /// Serving one of these areas, or one whose path lies in this range.
    pub areas: Option<(Vec<AreaId>, (String, String))>,
    /// Bought by this organisation.
    pub organisation: Option<OrganisationId>,
    /// In this state.
    pub state: Option<State>,
    /// Published from then on.
    pub published_from: Option<Instant>,
    /// Published before then.
    pub published_until: Option<Instant>,
    /// Taking bids until then or later.
    pub deadline_from: Option<Instant>,
    /// In which order.
    pub order: PublicOrder,
    /// After this one: its instant by that order, and its id.
    pub after: Option<(NaiveDateTime, String)>,
}

/// In which order public books come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PublicOrder {
    /// The one published last first.
    #[default]
    Published,
    /// The one whose deadline for bids comes first.
    Deadline,
}

/// Up to `max` public books, in the order that is asked for.
///
/// # Errors
/// A fault of the database.
pub fn public(conn: &mut Conn, filter: &PublicFilter, max: i64) -> Answer<Vec<Head>> {
    let mut query = books::table
        .filter(books::published_at.is_not_null())
        .into_boxed();
    if let Some(category) = &filter.category {
        query = query.filter(books::category.eq(category));
    }
    if let Some((above, (from, until))) = &filter.areas {
        let within = areas::table
            .filter(areas::path.ge(from))
            .filter(areas::path.lt(until))
            .select(areas::id);
        query = query.filter(exists(
            book_areas::table
                .filter(book_areas::book_id.eq(books::id))
                .filter(
                    book_areas::area_id
                        .eq_any(above)
                        .or(book_areas::area_id.eq_any(within)),
                ),
        ));
    }
    if let Some(organisation) = &filter.organisation {
        query = query.filter(books::organisation_id.eq(organisation));
    }
    if let Some(state) = filter.state {
        query = query.filter(books::state.eq(state.name()));
    }
    if let Some(from) = filter.published_from {
        query = query.filter(books::published_at.ge(from.naive_utc()));
    }
    if let Some(until) = filter.published_until {
        query = query.filter(books::published_at.lt(until.naive_utc()));
    }
    if let Some(from) = filter.deadline_from {
        query = query.filter(books::bid_deadline.ge(from.naive_utc()));
    }
    query = match (filter.order, &filter.after) {
        (_, None) => query,
        (PublicOrder::Published, Some((at, id))) => {
            let same = books::published_at.eq(at).and(books::id.lt(id));
            query.filter(books::published_at.lt(at).or(same))
        }
        (PublicOrder::Deadline, Some((at, id))) => {
            let same = books::bid_deadline.eq(at).and(books::id.gt(id));
            query.filter(books::bid_deadline.gt(at).or(same))
        }
    };
    query = match filter.order {
        PublicOrder::Published => query.order((books::published_at.desc(), books::id.desc())),
        PublicOrder::Deadline => query.order((books::bid_deadline.asc(), books::id.asc())),
    };
    Ok(query.limit(max).select(Head::as_select()).load(conn)?)
}

/// Adds a draft; `content` are the bytes whose hash it carries.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, book: &Book, content: &str) -> Answer<()> {
    let document = book.content.document();
    diesel::insert_into(books::table)
        .values((
            books::id.eq(&book.id),
            books::organisation_id.eq(&book.organisation_id),
            books::state.eq(book.state.name()),
            books::category.eq(&document.category),
            books::title_zh.eq(document.title_zh.trim()),
            books::title_en.eq(document.title_en.trim()),
            books::bid_deadline.eq(deadline(document)),
            books::content.eq(content),
            books::content_sha256.eq(book.sha256.as_slice()),
            books::revision.eq(book.revision),
            books::created_at.eq(book.created_at.naive_utc()),
            books::updated_at.eq(book.updated_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

fn deadline(document: &BookDocument) -> Option<NaiveDateTime> {
    document.timetable.bid_deadline.map(|at| at.naive_utc())
}

/// Saves what a book says over the revision before it, and for a published one that it has a version more.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn rewrite(tx: &mut Tx<'_>, book: &Book, content: &str) -> Answer<()> {
    let document = book.content.document();
    let changed = diesel::update(before!(book))
        .set((
            books::category.eq(&document.category),
            books::title_zh.eq(document.title_zh.trim()),
            books::title_en.eq(document.title_en.trim()),
            books::bid_deadline.eq(deadline(document)),
            books::content.eq(content),
            books::content_sha256.eq(book.sha256.as_slice()),
            books::revision.eq(book.revision),
            books::updated_at.eq(book.updated_at.naive_utc()),
            books::versions.eq(book.publication.as_ref().map(|one| one.versions)),
        ))
        .execute(tx.conn())?;
    one(changed)
}

/// Saves the state of a book over the revision before it.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn advance(tx: &mut Tx<'_>, book: &Book) -> Answer<()> {
    let changed = diesel::update(before!(book))
        .set((
            books::state.eq(book.state.name()),
            books::revision.eq(book.revision),
            books::updated_at.eq(book.updated_at.naive_utc()),
            books::sent_back.eq(&book.sent_back),
        ))
        .execute(tx.conn())?;
    one(changed)
}

/// Saves that a book was given up.
///
/// # Errors
/// A fault of the database, or if the revision before is not there any more.
pub fn discard(tx: &mut Tx<'_>, book: &Book) -> Answer<()> {
    let changed = diesel::update(before!(book))
        .set((
            books::discarded_at.eq(book.updated_at.naive_utc()),
            books::revision.eq(book.revision),
            books::updated_at.eq(book.updated_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    one(changed)
}

/// The published books that keep to this intention notice.
///
/// # Errors
/// A fault of the database.
pub fn keeping_to(conn: &mut Conn, intention: &IntentionId) -> Answer<Vec<BookId>> {
    Ok(books::table
        .filter(books::intention_id.eq(intention))
        .filter(books::state.eq(State::Published.name()))
        .order(books::id)
        .select(books::id)
        .load(conn)?)
}

/// Saves that a book was published: its state, its areas.
///
/// # Errors
/// A fault of the database, or if the revision before is not there any more, or nothing was published.
pub fn publish(tx: &mut Tx<'_>, book: &Book) -> Answer<()> {
    let publication = book.publication.as_ref();
    let publication = publication.ok_or_else(|| Fault::broken("a publication of nothing"))?;
    let changed = diesel::update(before!(book))
        .set((
            books::state.eq(book.state.name()),
            books::revision.eq(book.revision),
            books::updated_at.eq(book.updated_at.naive_utc()),
            books::published_at.eq(publication.at.naive_utc()),
            books::statute_id.eq(&publication.statute_id),
            books::recipient.eq(&publication.recipient),
            books::versions.eq(publication.versions),
            books::intention_id.eq(&book.content.document().intention_id),
        ))
        .execute(tx.conn())?;
    one(changed)?;
    for area in &book.content.document().areas {
        diesel::insert_into(book_areas::table)
            .values((book_areas::book_id.eq(&book.id), book_areas::area_id.eq(area)))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// Saves that a book was cancelled.
///
/// # Errors
/// A fault of the database, or if the revision before is not there any more.
pub fn cancel(tx: &mut Tx<'_>, book: &Book) -> Answer<()> {
    let (at, reason) = book
        .cancelled
        .as_ref()
        .ok_or_else(|| Fault::broken("a cancellation of nothing"))?;
    let changed = diesel::update(before!(book))
        .set((
            books::state.eq(book.state.name()),
            books::revision.eq(book.revision),
            books::updated_at.eq(book.updated_at.naive_utc()),
            books::cancelled_at.eq(at.naive_utc()),
            books::cancellation_zh.eq(&reason.zh),
            books::cancellation_en.eq(&reason.en),
        ))
        .execute(tx.conn())?;
    one(changed)
}

fn one(changed: usize) -> Answer<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} books changed instead of one")).into())
    }
}

/// A lot of a published book, by which bids and holds name it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = lots)]
pub struct Lot {
    /// Its id.
    pub id: LotId,
    /// Of which book.
    pub book_id: BookId,
    /// Its code there.
    pub code: String,
    /// The budget line that its money is reserved on.
    pub budget_line_id: BudgetLineId,
}

/// Adds the lots of a book.
///
/// # Errors
/// A fault of the database.
pub fn insert_lots(tx: &mut Tx<'_>, new: &[Lot]) -> Answer<()> {
    for lot in new {
        diesel::insert_into(lots::table).values(lot).execute(tx.conn())?;
    }
    Ok(())
}

/// The lots of a published book, in their order.
///
/// # Errors
/// A fault of the database.
pub fn lots_of(conn: &mut Conn, book: &BookId) -> Answer<Vec<Lot>> {
    Ok(lots::table
        .filter(lots::book_id.eq(book))
        .order(lots::id)
        .select(Lot::as_select())
        .load(conn)?)
}

/// The lot of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn lot(conn: &mut Conn, id: &LotId) -> Answer<Option<Lot>> {
    Ok(lots::table
        .find(id)
        .select(Lot::as_select())
        .first(conn)
        .optional()?)
}

/// State, deadline for bids and number of published versions of a book, without what it says; `None` if there is none that was
/// published.
///
/// # Errors
/// A fault of the database.
pub fn standing(conn: &mut Conn, id: &BookId) -> Answer<Option<(State, Option<Instant>, i64)>> {
    let row: Option<(String, Option<NaiveDateTime>, Option<i64>)> = books::table
        .find(id)
        .select((books::state, books::bid_deadline, books::versions))
        .first(conn)
        .optional()?;
    let Some((state, deadline, Some(versions))) = row else {
        return Ok(None);
    };
    let state = State::named(&state).ok_or_else(|| Fault::broken(format!("the state of {id} is none")))?;
    Ok(Some((state, deadline.map(|at| at.and_utc()), versions)))
}

/// Who buys by a book.
///
/// # Errors
/// A fault of the database, or if there is no such book.
pub fn buyer_of(conn: &mut Conn, id: &BookId) -> Answer<OrganisationId> {
    Ok(books::table.find(id).select(books::organisation_id).first(conn)?)
}

/// The version of the rules that holds for a book, if it was published.
///
/// # Errors
/// A fault of the database, or if there is no such book.
pub fn statute_of(conn: &mut Conn, id: &BookId) -> Answer<Option<StatuteId>> {
    Ok(books::table.find(id).select(books::statute_id).first(conn)?)
}

/// The books that have had a lot on one of these budget lines.
///
/// # Errors
/// A fault of the database.
pub fn books_on(conn: &mut Conn, lines: &BTreeSet<&BudgetLineId>) -> Answer<Vec<BookId>> {
    Ok(lots::table
        .filter(lots::budget_line_id.eq_any(lines.iter().copied()))
        .select(lots::book_id)
        .distinct()
        .order(lots::book_id)
        .load(conn)?)
}

/// The published books of a buyer in a category of services.
///
/// # Errors
/// A fault of the database.
pub fn published_of(conn: &mut Conn, buyer: &OrganisationId, category: &str) -> Answer<Vec<BookId>> {
    Ok(books::table
        .filter(books::organisation_id.eq(buyer))
        .filter(books::category.eq(category))
        .filter(books::state.eq(State::Published.name()))
        .order(books::id)
        .select(books::id)
        .load(conn)?)
}

/// Keeps the key that opens a book's bids.
///
/// # Errors
/// A fault of the database.
pub fn keep_key(tx: &mut Tx<'_>, book: &BookId, recipient: &str, sealed: &[u8]) -> Answer<()> {
    let now = tx.now().naive_utc();
    diesel::insert_into(opening_keys::table)
        .values((
            opening_keys::book_id.eq(book),
            opening_keys::recipient.eq(recipient),
            opening_keys::sealed.eq(sealed),
            opening_keys::made_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// The recipient of a key that the service keeps, and its identity, encrypted; `None` if witnesses share it.
///
/// # Errors
/// A fault of the database.
pub fn kept_key(conn: &mut Conn, book: &BookId) -> Answer<Option<(String, Vec<u8>)>> {
    Ok(opening_keys::table
        .find(book)
        .select((opening_keys::recipient, opening_keys::sealed))
        .first(conn)
        .optional()?)
}
