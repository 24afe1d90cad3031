//! The tables of the search: an index of what is public, written in the transaction of whatever publishes it. Plain rows of our own
//! tokens instead of either database's full text search: what is found is the same on both by construction.

use chrono::NaiveDateTime;
use diesel::dsl::{exists, max, not};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text as SqlText, Timestamp};

use crate::books::rules::BookId;
use crate::books::rules_search::{Term, end_of_prefix, weights};
use crate::books::rules_stages::Stage;
use crate::books::store_intentions::{ids_above, ids_within};
use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{books, search_areas, search_documents, search_tokens};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::Answer;
use crate::kernel::text::Text;

/// Rows written by one statement: SQLite binds at most 32,766 values in one.
const ROWS_AT_ONCE: usize = 1_000;

/// Something public that is to be found.
#[derive(Clone, Debug)]
pub struct Document {
    /// What sort of thing it is.
    pub kind: &'static str,
    /// Its id.
    pub subject_id: String,
    /// Where it is read.
    pub path: String,
    /// Its title.
    pub title: Text,
    /// What it says.
    pub body: Text,
    /// The category of services.
    pub category: String,
    /// Whose it is.
    pub organisation_id: Option<OrganisationId>,
    /// What it is about in money.
    pub value: Option<Money>,
    /// Which areas it is about.
    pub area_ids: Vec<AreaId>,
    /// When it became public.
    pub published_at: Instant,
    /// How far it has come, where it has stages: the name that is stored of one.
    pub stage: Option<&'static str>,
    /// Until when bids are taken.
    pub closes_at: Option<Instant>,
}

/// Puts a document into the index, or its present form in the place of the one that is there. In the transaction that publishes it.
///
/// # Errors
/// A fault of the database.
pub fn index(tx: &mut Tx<'_>, document: &Document) -> Answer<()> {
    let sequence = last_sequence(tx.conn())?.saturating_add(1);
    forget_words(tx, &document.subject_id)?;
    let said = (
        search_documents::sequence.eq(sequence),
        search_documents::kind.eq(document.kind),
        search_documents::shown.eq(true),
        search_documents::path.eq(&document.path),
        search_documents::title_zh.eq(document.title.zh()),
        search_documents::title_en.eq(document.title.en()),
        search_documents::body_zh.eq(document.body.zh()),
        search_documents::body_en.eq(document.body.en()),
        search_documents::category.eq(&document.category),
        search_documents::organisation_id.eq(&document.organisation_id),
        search_documents::value_fen.eq(document.value.map(Money::fen)),
        search_documents::published_at.eq(document.published_at.naive_utc()),
        search_documents::stage.eq(document.stage),
        search_documents::closes_at.eq(document.closes_at.map(|at| at.naive_utc())),
    );
    let known = search_documents::table.filter(search_documents::subject_id.eq(&document.subject_id));
    let changed = diesel::update(known).set(said).execute(tx.conn())?;
    if changed == 0 {
        diesel::insert_into(search_documents::table)
            .values((search_documents::subject_id.eq(&document.subject_id), said))
            .execute(tx.conn())?;
    }
    let titles = [document.title.zh(), document.title.en()];
    let bodies = [document.body.zh(), document.body.en()];
    let words: Vec<(String, i64)> = weights(&titles, &bodies).into_iter().collect();
    for some in words.chunks(ROWS_AT_ONCE) {
        let rows: Vec<_> = some
            .iter()
            .map(|(token, weight)| {
                (
                    search_tokens::token.eq(token),
                    search_tokens::sequence.eq(sequence),
                    search_tokens::weight.eq(*weight),
                )
            })
            .collect();
        both!(tx.conn(), c => diesel::insert_into(search_tokens::table).values(&rows).execute(c))?;
    }
    for area in &document.area_ids {
        diesel::insert_into(search_areas::table)
            .values((
                search_areas::sequence.eq(sequence),
                search_areas::area_id.eq(area),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// Takes a document out of the index: nobody finds it any more.
///
/// # Errors
/// A fault of the database.
pub fn unindex(tx: &mut Tx<'_>, subject_id: &str) -> Answer<()> {
    forget_words(tx, subject_id)?;
    diesel::update(search_documents::table.filter(search_documents::subject_id.eq(subject_id)))
        .set((
            search_documents::shown.eq(false),
            search_documents::body_zh.eq(""),
            search_documents::body_en.eq(""),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Says that a document has come further, without making it news: it keeps its place in the sequence and its words.
///
/// # Errors
/// A fault of the database.
pub fn restate(tx: &mut Tx<'_>, subject_id: &str, stage: &'static str) -> Answer<()> {
    diesel::update(search_documents::table.filter(search_documents::subject_id.eq(subject_id)))
        .set(search_documents::stage.eq(stage))
        .execute(tx.conn())?;
    Ok(())
}

/// The title of a document in Chinese and in English, if it can be found.
///
/// # Errors
/// A fault of the database.
pub fn titles(conn: &mut Conn, subject_id: &str) -> Answer<Option<(String, String)>> {
    Ok(search_documents::table
        .filter(search_documents::subject_id.eq(subject_id))
        .filter(search_documents::shown.eq(true))
        .select((search_documents::title_zh, search_documents::title_en))
        .first(conn)
        .optional()?)
}

/// Up to `max` documents of a kind that can be found, by their ids.
///
/// # Errors
/// A fault of the database.
pub fn shown_of_kind(conn: &mut Conn, kind: &str, max: i64) -> Answer<Vec<String>> {
    Ok(search_documents::table
        .filter(search_documents::kind.eq(kind))
        .filter(search_documents::shown.eq(true))
        .select(search_documents::subject_id)
        .order(search_documents::subject_id)
        .limit(max)
        .load(conn)?)
}

/// Up to `max` public books that were never put into the index: those that were published before there was one.
///
/// # Errors
/// A fault of the database.
pub fn books_missing(conn: &mut Conn, max: i64) -> Answer<Vec<BookId>> {
    let indexed = search_documents::table.filter(search_documents::subject_id.eq(books::id));
    Ok(books::table
        .filter(books::published_at.is_not_null())
        .filter(not(exists(indexed)))
        .select(books::id)
        .order(books::id)
        .limit(max)
        .load(conn)?)
}

fn forget_words(tx: &mut Tx<'_>, subject_id: &str) -> Answer<()> {
    let known: Option<i64> = search_documents::table
        .filter(search_documents::subject_id.eq(subject_id))
        .select(search_documents::sequence)
        .first(tx.conn())
        .optional()?;
    if let Some(sequence) = known {
        diesel::delete(search_tokens::table.filter(search_tokens::sequence.eq(sequence)))
            .execute(tx.conn())?;
        diesel::delete(search_areas::table.filter(search_areas::sequence.eq(sequence))).execute(tx.conn())?;
    }
    Ok(())
}

/// The sequence of the document that became public last; zero if there is none.
///
/// # Errors
/// A fault of the database.
pub fn last_sequence(conn: &mut Conn) -> Answer<i64> {
    let last: Option<i64> = search_documents::table
        .select(max(search_documents::sequence))
        .first(conn)?;
    Ok(last.unwrap_or_default())
}

/// In which order documents are found, and after which of them a page begins.
#[derive(Clone, Debug)]
pub enum Order {
    /// Those first that say most of what was asked for: after this relevance and sequence.
    Relevance(Option<(i64, i64)>),
    /// The newest first: after this instant and sequence.
    Newest(Option<(NaiveDateTime, i64)>),
    /// The most money first: after so many fen and this sequence. What has no value comes last.
    Value(Option<(i64, i64)>),
    /// What takes bids, or did, by its deadline, the soonest first: after this instant and sequence.
    Deadline(Option<(NaiveDateTime, i64)>),
    /// As they became public, after this sequence.
    Sequence(i64),
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// All of these.
    pub terms: Vec<Term>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Of this category of services.
    pub category: Option<String>,
    /// About this area, one within it, or a larger one that it lies in: what a street is served with serves its communities.
    pub area: Option<AreaId>,
    /// In this stage at this instant.
    pub stage: Option<(Stage, Instant)>,
    /// Of this organisation.
    pub organisation: Option<OrganisationId>,
    /// Public from this instant on.
    pub from: Option<Instant>,
    /// Public before this instant.
    pub until: Option<Instant>,
    /// For at least so much.
    pub value_min: Option<Money>,
    /// For at most so much.
    pub value_max: Option<Money>,
    /// In which order.
    pub order: Order,
}

/// A document that was found.
#[derive(Clone, Debug, QueryableByName)]
pub struct Found {
    /// Its place among all that became public.
    #[diesel(sql_type = BigInt)]
    pub sequence: i64,
    /// How much it says of what was asked for.
    #[diesel(sql_type = BigInt)]
    pub relevance: i64,
    /// What sort of thing it is.
    #[diesel(sql_type = SqlText)]
    pub kind: String,
    /// Its id.
    #[diesel(sql_type = SqlText)]
    pub subject_id: String,
    /// Where it is read.
    #[diesel(sql_type = SqlText)]
    pub path: String,
    /// Its title, in Chinese.
    #[diesel(sql_type = SqlText)]
    pub title_zh: String,
    /// Its title, in English.
    #[diesel(sql_type = SqlText)]
    pub title_en: String,
    /// What it says, in Chinese.
    #[diesel(sql_type = SqlText)]
    pub body_zh: String,
    /// What it says, in English.
    #[diesel(sql_type = SqlText)]
    pub body_en: String,
    /// The category of services.
    #[diesel(sql_type = SqlText)]
    pub category: String,
    /// Whose it is.
    #[diesel(sql_type = Nullable<SqlText>)]
    pub organisation_id: Option<String>,
    /// What it is about in money, in fen.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub value_fen: Option<i64>,
    /// When it became public, UTC.
    #[diesel(sql_type = Timestamp)]
    pub published_at: NaiveDateTime,
    /// The stored name of its stage.
    #[diesel(sql_type = Nullable<SqlText>)]
    pub stage: Option<String>,
    /// Until when bids are taken, UTC.
    #[diesel(sql_type = Nullable<Timestamp>)]
    pub closes_at: Option<NaiveDateTime>,
}

enum Value {
    Word(String),
    Number(i64),
    Time(NaiveDateTime),
}

/// A statement in the making. Both databases count `$1`, `$2` … in the order in which they stand, as long as each stands once.
#[derive(Default)]
struct Statement {
    sql: String,
    values: Vec<Value>,
}

impl Statement {
    fn says(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// SQL in which each `?` is one of the values.
    fn asks(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        let mut values = values.into_iter();
        for (at, part) in sql.split('?').enumerate() {
            if at > 0
                && let Some(value) = values.next()
            {
                self.values.push(value);
                self.sql.push_str(&format!("${}", self.values.len()));
            }
            self.sql.push_str(part);
        }
    }
}

/// Up to `max` documents that have all that is asked for.
///
/// # Errors
/// A fault of the database.
pub fn find(conn: &mut Conn, wanted: &Wanted, max: i64) -> Answer<Vec<Found>> {
    let around = match &wanted.area {
        Some(area) => Some(Around {
            within: ids_within(conn, area)?,
            above: ids_above(conn, area)?,
        }),
        None => None,
    };
    let statement = statement(wanted, around, max);
    Ok(both!(conn, c => {
        let mut query = sql_query(statement.sql.as_str()).into_boxed();
        for value in &statement.values {
            query = match value {
                Value::Word(word) => query.bind::<SqlText, _>(word.as_str()),
                Value::Number(number) => query.bind::<BigInt, _>(*number),
                Value::Time(time) => query.bind::<Timestamp, _>(*time),
            };
        }
        query.load::<Found>(c)
    })?)
}

/// The areas that one lies in or that lie in it.
struct Around {
    /// The range of the paths of those within, itself one of them.
    within: (String, String),
    /// Those above it.
    above: Vec<AreaId>,
}

fn statement(wanted: &Wanted, around: Option<Around>, max: i64) -> Statement {
    use Value::{Number, Time, Word};
    // One range of the table for each term and one grouping over all of them. Joining the ranges with each other instead left
    // PostgreSQL to guess how large they are, and it took them for small.
    let relevance = if wanted.terms.is_empty() {
        "CAST(0 AS BIGINT)"
    } else {
        "r.relevance"
    };
    let mut it = Statement::default();
    it.says(&format!(
        "SELECT d.sequence, {relevance} AS relevance, d.kind, d.subject_id, d.path, d.title_zh, d.title_en, d.body_zh, d.body_en, \
         d.category, d.organisation_id, d.value_fen, d.published_at, d.stage, d.closes_at FROM search_documents d"
    ));
    among(&mut it, &wanted.terms);
    it.says(" WHERE d.shown");
    if let Some(kind) = &wanted.kind {
        it.asks(" AND d.kind = ?", [Word(kind.clone())]);
    }
    if let Some(category) = &wanted.category {
        it.asks(" AND d.category = ?", [Word(category.clone())]);
    }
    if let Some(organisation) = &wanted.organisation {
        it.asks(" AND d.organisation_id = ?", [Word(organisation.to_string())]);
    }
    if let Some(around) = around {
        lying(&mut it, around);
    }
    if let Some((stage, now)) = wanted.stage {
        it.asks(" AND d.stage = ?", [Word(stage.stored().to_owned())]);
        let now = Time(now.naive_utc());
        match stage {
            Stage::Open => it.asks(" AND d.closes_at > ?", [now]),
            Stage::Closed => it.asks(" AND d.closes_at <= ?", [now]),
            Stage::Planned | Stage::Cancelled => {}
        }
    }
    if let Some(from) = wanted.from {
        it.asks(" AND d.published_at >= ?", [Time(from.naive_utc())]);
    }
    if let Some(until) = wanted.until {
        it.asks(" AND d.published_at < ?", [Time(until.naive_utc())]);
    }
    if let Some(min) = wanted.value_min {
        it.asks(" AND d.value_fen >= ?", [Number(min.fen())]);
    }
    if let Some(max) = wanted.value_max {
        it.asks(" AND d.value_fen <= ?", [Number(max.fen())]);
    }
    in_order(&mut it, &wanted.order, relevance);
    it.asks(" LIMIT ?", [Number(max)]);
    it
}

fn lying(it: &mut Statement, around: Around) {
    let (from, until) = around.within;
    it.asks(
        " AND EXISTS (SELECT 1 FROM search_areas s JOIN areas a ON a.id = s.area_id WHERE s.sequence = d.sequence \
         AND ((a.path >= ? AND a.path < ?)",
        [Value::Word(from), Value::Word(until)],
    );
    for area in around.above {
        it.asks(" OR a.id = ?", [Value::Word(area.to_string())]);
    }
    it.says("))");
}

/// Only documents that have every term.
fn among(it: &mut Statement, terms: &[Term]) {
    use Value::Word;
    for (n, term) in terms.iter().enumerate() {
        it.says(if n == 0 {
            " JOIN (SELECT sequence, CAST(SUM(weight) AS BIGINT) AS relevance FROM ("
        } else {
            " UNION ALL "
        });
        let word = || Word(term.token.clone());
        if term.is_prefix {
            it.asks(
                "SELECT sequence, MAX(weight) AS weight FROM search_tokens WHERE token >= ? AND token < ? GROUP BY sequence",
                [word(), Word(end_of_prefix(&term.token))],
            );
        } else {
            it.asks(
                "SELECT sequence, weight FROM search_tokens WHERE token = ?",
                [word()],
            );
        }
    }
    if !terms.is_empty() {
        it.says(&format!(
            ") hits GROUP BY sequence HAVING COUNT(*) = {}) r ON r.sequence = d.sequence",
            terms.len()
        ));
    }
}

fn in_order(it: &mut Statement, order: &Order, relevance: &str) {
    use Value::{Number, Time};
    match order {
        Order::Relevance(after) => {
            if let Some((known, sequence)) = after {
                let beyond = format!(" AND ({relevance} < ? OR ({relevance} = ? AND d.sequence < ?))");
                it.asks(&beyond, [Number(*known), Number(*known), Number(*sequence)]);
            }
            it.says(&format!(" ORDER BY {relevance} DESC, d.sequence DESC"));
        }
        Order::Newest(after) => {
            if let Some((at, sequence)) = after {
                it.asks(
                    " AND (d.published_at < ? OR (d.published_at = ? AND d.sequence < ?))",
                    [Time(*at), Time(*at), Number(*sequence)],
                );
            }
            it.says(" ORDER BY d.published_at DESC, d.sequence DESC");
        }
        Order::Value(after) => {
            if let Some((value, sequence)) = after {
                it.asks(
                    " AND (COALESCE(d.value_fen, 0) < ? OR (COALESCE(d.value_fen, 0) = ? AND d.sequence < ?))",
                    [Number(*value), Number(*value), Number(*sequence)],
                );
            }
            it.says(" ORDER BY COALESCE(d.value_fen, 0) DESC, d.sequence DESC");
        }
        Order::Deadline(after) => {
            it.says(" AND d.closes_at IS NOT NULL");
            if let Some((at, sequence)) = after {
                it.asks(
                    " AND (d.closes_at > ? OR (d.closes_at = ? AND d.sequence > ?))",
                    [Time(*at), Time(*at), Number(*sequence)],
                );
            }
            it.says(" ORDER BY d.closes_at, d.sequence");
        }
        Order::Sequence(after) => {
            it.asks(" AND d.sequence > ?", [Number(*after)]);
            it.says(" ORDER BY d.sequence");
        }
    }
}
