//! What was published of a book, version by version. Rows are added and never changed.

use chrono::NaiveDateTime;
use diesel::dsl::max;
use diesel::prelude::*;

use crate::books::rules::BookId;
use crate::books::rules_content::Content;
use crate::books::store;
use crate::db::conn::Conn;
use crate::db::schema::book_versions;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};
use crate::standards::rules_indicators::Line;

/// A published version of a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Of which book.
    pub book_id: BookId,
    /// Counts the versions, from 1.
    pub number: i64,
    /// What it says.
    pub content: Content,
    /// SHA-256 of the stored bytes, as the log has it.
    pub sha256: [u8; 32],
    /// Why it took the place of the one before.
    pub reason: Option<Line>,
    /// Whether bids that were sealed before have to be confirmed.
    pub affects_bids: bool,
    /// When it was published, UTC.
    pub published_at: Instant,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = book_versions)]
struct VersionRow {
    book_id: BookId,
    number: i64,
    content: String,
    content_sha256: Vec<u8>,
    reason_zh: Option<String>,
    reason_en: Option<String>,
    affects_bids: bool,
    published_at: NaiveDateTime,
}

impl TryFrom<VersionRow> for Version {
    type Error = Fault;

    fn try_from(row: VersionRow) -> Result<Self, Fault> {
        let (content, sha256) = store::content(row.book_id.as_str(), &row.content, &row.content_sha256)?;
        Ok(Self {
            book_id: row.book_id,
            number: row.number,
            content,
            sha256,
            reason: row.reason_zh.zip(row.reason_en).map(|(zh, en)| Line { zh, en }),
            affects_bids: row.affects_bids,
            published_at: row.published_at.and_utc(),
        })
    }
}

/// The version of that number, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn version(conn: &mut Conn, book: &BookId, number: i64) -> Answer<Option<Version>> {
    let row: Option<VersionRow> = book_versions::table
        .find((book, number))
        .select(VersionRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Version::try_from).transpose()?)
}

/// The number of the last version of a book that affects bids, if any does: the later half of the question whether a bid counts, of which
/// [`needs_confirmation`](crate::books::rules_addenda::needs_confirmation) is the answer.
///
/// # Errors
/// A fault of the database.
pub fn last_affecting(conn: &mut Conn, book: &BookId) -> Answer<Option<i64>> {
    Ok(book_versions::table
        .filter(book_versions::book_id.eq(book))
        .filter(book_versions::affects_bids.eq(true))
        .select(max(book_versions::number))
        .first(conn)?)
}

/// Adds a version; `content` are the bytes whose hash it carries.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, version: &Version, content: &str) -> Answer<()> {
    diesel::insert_into(book_versions::table)
        .values((
            book_versions::book_id.eq(&version.book_id),
            book_versions::number.eq(version.number),
            book_versions::content.eq(content),
            book_versions::content_sha256.eq(version.sha256.as_slice()),
            book_versions::reason_zh.eq(version.reason.as_ref().map(|reason| &reason.zh)),
            book_versions::reason_en.eq(version.reason.as_ref().map(|reason| &reason.en)),
            book_versions::affects_bids.eq(version.affects_bids),
            book_versions::published_at.eq(version.published_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}
