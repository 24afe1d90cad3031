//! The tables of openings: their records, and the bids that were opened. Rows are added and never changed.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use crate::bids::rules::BidId;
use crate::bids::rules_opening::{OpenedBid, OpeningRecord, Outcome};
use crate::bids::sealing::OneFileKey;
use crate::books::rules::{BookId, LotId};
use crate::db::conn::Conn;
use crate::db::schema::{books, opened_bids, openings};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};

/// The opening of a lot, with the bytes of its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The lot.
    pub lot_id: LotId,
    /// The book.
    pub book_id: BookId,
    /// What came of it.
    pub outcome: Outcome,
    /// When, UTC.
    pub opened_at: Instant,
    /// The record as it was written.
    pub content: String,
    /// SHA-256 of it, as the log has it.
    pub sha256: [u8; 32],
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = openings)]
struct OpeningRow {
    lot_id: LotId,
    book_id: BookId,
    outcome: String,
    opened_at: NaiveDateTime,
    content: String,
    content_sha256: Vec<u8>,
}

impl TryFrom<OpeningRow> for Opening {
    type Error = Fault;

    fn try_from(row: OpeningRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("the opening of {}: {what}", row.lot_id));
        let sha256: [u8; 32] = Sha256::digest(row.content.as_bytes()).into();
        if row.content_sha256 != sha256 {
            return Err(broken("its record is not what was hashed"));
        }
        Ok(Self {
            outcome: Outcome::named(&row.outcome).ok_or_else(|| broken("its outcome is none"))?,
            lot_id: row.lot_id,
            book_id: row.book_id,
            opened_at: row.opened_at.and_utc(),
            content: row.content,
            sha256,
        })
    }
}

/// The openings of a book's lots, in the order of the lots.
///
/// # Errors
/// A fault of the database, or of a record that is not what was hashed.
pub fn of_book(conn: &mut Conn, book: &BookId) -> Answer<Vec<Opening>> {
    let rows: Vec<OpeningRow> = openings::table
        .filter(openings::book_id.eq(book))
        .order(openings::lot_id)
        .select(OpeningRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(Opening::try_from)
        .collect::<Result<_, _>>()?)
}

/// The opening of a lot, if there was one.
///
/// # Errors
/// As [`of_book`].
pub fn of_lot(conn: &mut Conn, lot: &LotId) -> Answer<Option<Opening>> {
    let row: Option<OpeningRow> = openings::table
        .find(lot)
        .select(OpeningRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Opening::try_from).transpose()?)
}

/// Adds the opening of a lot, with the bids that were opened.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, record: &OpeningRecord) -> Answer<Opening> {
    let content = record.written()?;
    let sha256: [u8; 32] = Sha256::digest(content.as_bytes()).into();
    let now = tx.now();
    diesel::insert_into(openings::table)
        .values((
            openings::lot_id.eq(&record.lot_id),
            openings::book_id.eq(&record.book_id),
            openings::outcome.eq(record.outcome.name()),
            openings::opened_at.eq(now.naive_utc()),
            openings::content.eq(&content),
            openings::content_sha256.eq(sha256.as_slice()),
        ))
        .execute(tx.conn())?;
    for bid in &record.opened {
        insert_bid(tx, &record.lot_id, bid)?;
    }
    Ok(Opening {
        lot_id: record.lot_id.clone(),
        book_id: record.book_id.clone(),
        outcome: record.outcome,
        opened_at: now,
        content,
        sha256,
    })
}

fn insert_bid(tx: &mut Tx<'_>, lot: &LotId, bid: &OpenedBid) -> Answer<()> {
    let key = hex::decode(&bid.file_key).map_err(|error| Fault::caused("a file key", error))?;
    diesel::insert_into(opened_bids::table)
        .values((
            opened_bids::lot_id.eq(lot),
            opened_bids::bid_id.eq(&bid.bid_id),
            opened_bids::supplier_id.eq(&bid.supplier_id),
            opened_bids::version.eq(bid.version),
            opened_bids::total_fen.eq(bid.total.fen()),
            opened_bids::file_key.eq(key),
            opened_bids::is_public.eq(bid.is_public),
            opened_bids::is_out.eq(bid.findings.iter().any(|finding| finding.is_decisive)),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// A bid that was opened, as far as reading it goes.
#[derive(Clone, Debug)]
pub struct Readable {
    /// Whose it is.
    pub supplier_id: OrganisationId,
    /// The number of the version that counted.
    pub version: i64,
    /// The key of its one file.
    pub file_key: OneFileKey,
    /// Whether everybody may have it.
    pub is_public: bool,
}

/// An opened bid of a lot, if there is one of that id.
///
/// # Errors
/// A fault of the database.
pub fn opened_bid(conn: &mut Conn, lot: &LotId, bid: &BidId) -> Answer<Option<Readable>> {
    let row: Option<(OrganisationId, i64, Vec<u8>, bool)> = opened_bids::table
        .find((lot, bid))
        .select((
            opened_bids::supplier_id,
            opened_bids::version,
            opened_bids::file_key,
            opened_bids::is_public,
        ))
        .first(conn)
        .optional()?;
    let Some((supplier_id, version, key, is_public)) = row else {
        return Ok(None);
    };
    let file_key = OneFileKey::from_hex(&hex::encode(key));
    Ok(Some(Readable {
        supplier_id,
        version,
        file_key: file_key.ok_or_else(|| Fault::broken(format!("the file key of {bid} is none")))?,
        is_public,
    }))
}

/// The bids of a lot that were opened, and whose they are.
///
/// # Errors
/// A fault of the database.
pub fn opened_suppliers(conn: &mut Conn, lot: &LotId) -> Answer<Vec<(BidId, OrganisationId)>> {
    Ok(opened_bids::table
        .filter(opened_bids::lot_id.eq(lot))
        .order(opened_bids::bid_id)
        .select((opened_bids::bid_id, opened_bids::supplier_id))
        .load(conn)?)
}

/// Up to `max` published books whose deadline came then or before, and whose bids were not opened; the oldest first.
///
/// # Errors
/// A fault of the database.
pub fn waiting(conn: &mut Conn, before: Instant, max: i64) -> Answer<Vec<BookId>> {
    Ok(books::table
        .filter(books::state.eq("published"))
        .filter(books::opened_at.is_null())
        .filter(books::bid_deadline.le(before.naive_utc()))
        .order((books::bid_deadline, books::id))
        .limit(max)
        .select(books::id)
        .load(conn)?)
}

/// Notes that a book's bids were opened, which is a revision of the book.
///
/// # Errors
/// A fault of the database, or if it is not published any more, or was noted before.
pub fn note_opened(tx: &mut Tx<'_>, book: &BookId) -> Answer<()> {
    let now = tx.now().naive_utc();
    let waiting = books::table
        .find(book)
        .filter(books::state.eq("published"))
        .filter(books::opened_at.is_null());
    let changed = diesel::update(waiting)
        .set((
            books::opened_at.eq(now),
            books::updated_at.eq(now),
            books::revision.eq(books::revision + 1),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} books opened instead of one")).into())
    }
}

/// Everybody whose bid for a lot was opened, in the order of their ids.
///
/// # Errors
/// A fault of the database.
pub fn bidders(conn: &mut Conn, lot: &LotId) -> Answer<Vec<OrganisationId>> {
    Ok(opened_bids::table
        .filter(opened_bids::lot_id.eq(lot))
        .order(opened_bids::supplier_id)
        .select(opened_bids::supplier_id)
        .load(conn)?)
}

/// For which lot an opened bid is.
///
/// # Errors
/// A fault of the database.
pub fn lot_of(conn: &mut Conn, bid: &BidId) -> Answer<Option<LotId>> {
    Ok(opened_bids::table
        .filter(opened_bids::bid_id.eq(bid))
        .select(opened_bids::lot_id)
        .first(conn)
        .optional()?)
}
