//! The table of enquiries. What lists and answers read leaves out who asked: the columns are not even loaded for them.

use chrono::NaiveDateTime;
use diesel::dsl::{count_star, max};
use diesel::prelude::*;

use crate::books::rules::{BookId, State as BookState};
use crate::books::rules_enquiries::{Answer as Answered, Asker, Enquiry, EnquiryId};
use crate::db::conn::Conn;
use crate::db::schema::{books, enquiries};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::standards::rules_indicators::Line;

#[derive(Queryable, Selectable)]
#[diesel(table_name = enquiries)]
struct EnquiryRow {
    id: EnquiryId,
    book_id: BookId,
    question: String,
    asked_at: NaiveDateTime,
    withdrawn_at: Option<NaiveDateTime>,
    number: Option<i64>,
    question_zh: Option<String>,
    question_en: Option<String>,
    answer_zh: Option<String>,
    answer_en: Option<String>,
    addendum: Option<i64>,
    answered_at: Option<NaiveDateTime>,
}

impl From<EnquiryRow> for Enquiry {
    fn from(row: EnquiryRow) -> Self {
        let line = |zh: Option<String>, en: Option<String>| zh.zip(en).map(|(zh, en)| Line { zh, en });
        let question = line(row.question_zh, row.question_en);
        let said = question.zip(line(row.answer_zh, row.answer_en));
        let place = row.number.zip(row.answered_at);
        let answer = said
            .zip(place)
            .map(|((question, answer), (number, at))| Answered {
                number,
                question,
                answer,
                addendum: row.addendum,
                at: at.and_utc(),
            });
        Self {
            id: row.id,
            book_id: row.book_id,
            question: row.question,
            asked_at: row.asked_at.and_utc(),
            withdrawn_at: row.withdrawn_at.map(|at| at.and_utc()),
            answer,
        }
    }
}

/// The enquiry of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn enquiry(conn: &mut Conn, id: &EnquiryId) -> Answer<Option<Enquiry>> {
    let row: Option<EnquiryRow> = enquiries::table
        .find(id)
        .select(EnquiryRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Enquiry::from))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = enquiries)]
struct AskerRow {
    asker_organisation_id: OrganisationId,
    asker_account_id: String,
    asker_salt: Vec<u8>,
}

impl TryFrom<AskerRow> for Asker {
    type Error = Fault;

    fn try_from(row: AskerRow) -> Result<Self, Fault> {
        let salt = <[u8; 32]>::try_from(row.asker_salt.as_slice());
        Ok(Self {
            organisation_id: row.asker_organisation_id,
            account_id: row.asker_account_id,
            salt: salt.map_err(|_| Fault::broken("the salt of an asker has another length"))?,
        })
    }
}

/// Who asked an enquiry: for the question whether somebody did, and for whoever is told of the answer.
///
/// # Errors
/// A fault of the database.
pub fn asker(conn: &mut Conn, id: &EnquiryId) -> Answer<Option<Asker>> {
    let row: Option<AskerRow> = enquiries::table
        .find(id)
        .select(AskerRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Asker::try_from).transpose()?)
}

/// Who asked about a book, up to `max` beyond an id.
///
/// # Errors
/// A fault of the database.
pub fn askers(
    conn: &mut Conn,
    book: &BookId,
    after: Option<&str>,
    max: i64,
) -> Answer<Vec<(EnquiryId, Asker)>> {
    let rows: Vec<(EnquiryId, AskerRow)> = enquiries::table
        .filter(enquiries::book_id.eq(book))
        .filter(enquiries::id.gt(after.unwrap_or_default()))
        .order(enquiries::id)
        .limit(max)
        .select((enquiries::id, AskerRow::as_select()))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, row)| Ok((id, row.try_into()?)))
        .collect()
}

/// How much was asked about a book, by all and by one supplier.
///
/// # Errors
/// A fault of the database.
pub fn asked(conn: &mut Conn, book: &BookId, by: &OrganisationId) -> Answer<(i64, i64)> {
    let of_book = enquiries::table.filter(enquiries::book_id.eq(book));
    let all = of_book.select(count_star()).first(conn)?;
    let own = of_book
        .filter(enquiries::asker_organisation_id.eq(by))
        .select(count_star())
        .first(conn)?;
    Ok((all, own))
}

/// Adds an enquiry.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, enquiry: &Enquiry, asker: &Asker) -> Answer<()> {
    diesel::insert_into(enquiries::table)
        .values((
            enquiries::id.eq(&enquiry.id),
            enquiries::book_id.eq(&enquiry.book_id),
            enquiries::asker_organisation_id.eq(&asker.organisation_id),
            enquiries::asker_account_id.eq(&asker.account_id),
            enquiries::asker_salt.eq(asker.salt.as_slice()),
            enquiries::question.eq(&enquiry.question),
            enquiries::asked_at.eq(enquiry.asked_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves that an open enquiry was answered or withdrawn.
///
/// # Errors
/// A fault of the database, or if it is not open any more.
pub fn end(tx: &mut Tx<'_>, enquiry: &Enquiry) -> Answer<()> {
    let answer = enquiry.answer.as_ref();
    let open = enquiries::table
        .find(&enquiry.id)
        .filter(enquiries::answered_at.is_null())
        .filter(enquiries::withdrawn_at.is_null());
    let changed = diesel::update(open)
        .set((
            enquiries::withdrawn_at.eq(enquiry.withdrawn_at.map(|at| at.naive_utc())),
            enquiries::number.eq(answer.map(|answer| answer.number)),
            enquiries::question_zh.eq(answer.map(|answer| &answer.question.zh)),
            enquiries::question_en.eq(answer.map(|answer| &answer.question.en)),
            enquiries::answer_zh.eq(answer.map(|answer| &answer.answer.zh)),
            enquiries::answer_en.eq(answer.map(|answer| &answer.answer.en)),
            enquiries::addendum.eq(answer.and_then(|answer| answer.addendum)),
            enquiries::answered_at.eq(answer.map(|answer| answer.at.naive_utc())),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} enquiries changed instead of one")).into())
    }
}

/// The number of the last answer about a book; 0 if there is none.
///
/// # Errors
/// A fault of the database.
pub fn last_number(conn: &mut Conn, book: &BookId) -> Answer<i64> {
    let last: Option<i64> = enquiries::table
        .filter(enquiries::book_id.eq(book))
        .select(max(enquiries::number))
        .first(conn)?;
    Ok(last.unwrap_or(0))
}

/// Up to `max` answered enquiries about a book beyond a number, in the order of their answers.
///
/// # Errors
/// A fault of the database.
pub fn answered(conn: &mut Conn, book: &BookId, after: i64, max: i64) -> Answer<Vec<Enquiry>> {
    let rows: Vec<EnquiryRow> = enquiries::table
        .filter(enquiries::book_id.eq(book))
        .filter(enquiries::number.gt(after))
        .order(enquiries::number)
        .limit(max)
        .select(EnquiryRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Enquiry::from).collect())
}

/// Up to `max` open enquiries about a book beyond an id, the oldest first.
///
/// # Errors
/// A fault of the database.
pub fn unanswered(conn: &mut Conn, book: &BookId, after: Option<&str>, max: i64) -> Answer<Vec<Enquiry>> {
    let rows: Vec<EnquiryRow> = enquiries::table
        .filter(enquiries::book_id.eq(book))
        .filter(enquiries::answered_at.is_null())
        .filter(enquiries::withdrawn_at.is_null())
        .filter(enquiries::id.gt(after.unwrap_or_default()))
        .order(enquiries::id)
        .limit(max)
        .select(EnquiryRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Enquiry::from).collect())
}

/// How many enquiries about a book are open.
///
/// # Errors
/// A fault of the database.
pub fn unanswered_count(conn: &mut Conn, book: &BookId) -> Answer<i64> {
    Ok(enquiries::table
        .filter(enquiries::book_id.eq(book))
        .filter(enquiries::answered_at.is_null())
        .filter(enquiries::withdrawn_at.is_null())
        .select(count_star())
        .first(conn)?)
}

/// Up to `max` enquiries of a supplier before an id, newest first, about one book or all.
///
/// # Errors
/// A fault of the database.
pub fn of_supplier(
    conn: &mut Conn,
    supplier: &OrganisationId,
    book: Option<&BookId>,
    before: Option<&str>,
    max: i64,
) -> Answer<Vec<Enquiry>> {
    let mut query = enquiries::table
        .filter(enquiries::asker_organisation_id.eq(supplier))
        .into_boxed();
    if let Some(book) = book {
        query = query.filter(enquiries::book_id.eq(book));
    }
    if let Some(before) = before {
        query = query.filter(enquiries::id.lt(before));
    }
    let rows: Vec<EnquiryRow> = query
        .order(enquiries::id.desc())
        .limit(max)
        .select(EnquiryRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Enquiry::from).collect())
}

/// Up to `max` published books beyond an id that have open enquiries and take bids, or did until after `since`.
///
/// # Errors
/// A fault of the database.
pub fn books_with_unanswered(
    conn: &mut Conn,
    after: Option<&BookId>,
    since: Instant,
    max: i64,
) -> Answer<Vec<BookId>> {
    Ok(enquiries::table
        .inner_join(books::table.on(books::id.eq(enquiries::book_id)))
        .filter(enquiries::answered_at.is_null())
        .filter(enquiries::withdrawn_at.is_null())
        .filter(books::state.eq(BookState::Published.name()))
        .filter(books::bid_deadline.gt(since.naive_utc()))
        .filter(books::id.gt(after.map(BookId::as_str).unwrap_or_default()))
        .select(books::id)
        .distinct()
        .order(books::id)
        .limit(max)
        .load(conn)?)
}
