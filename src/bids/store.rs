//! The tables of bids. A version is a row that is inserted and never read in the same transaction: whether its number is still free is
//! the primary key's to say, so that bidders who come at the same instant meet in no row and in no range of an index.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::audit::entry::EventId;
use crate::bids::rules::{BidId, Kind, Version};
use crate::books::rules::LotId;
use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{bid_ciphertexts, bid_disclosures, bid_versions, late_bids};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = bid_versions)]
struct VersionRow {
    lot_id: LotId,
    supplier_id: OrganisationId,
    number: i64,
    bid_id: BidId,
    kind: String,
    sealed_number: i64,
    sha256: Vec<u8>,
    bytes: i64,
    book_version: i64,
    received_at: NaiveDateTime,
    receipt: String,
    event_id: EventId,
}

impl TryFrom<VersionRow> for Version {
    type Error = Fault;

    fn try_from(row: VersionRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("version {} of {}: {what}", row.number, row.bid_id));
        Ok(Self {
            kind: Kind::named(&row.kind).ok_or_else(|| broken("its kind is none"))?,
            sha256: row
                .sha256
                .as_slice()
                .try_into()
                .map_err(|_| broken("its hash is none"))?,
            lot_id: row.lot_id,
            supplier_id: row.supplier_id,
            number: row.number,
            bid_id: row.bid_id,
            sealed_number: row.sealed_number,
            bytes: row.bytes,
            book_version: row.book_version,
            received_at: row.received_at.and_utc(),
            receipt: row.receipt,
            event_id: row.event_id,
        })
    }
}

fn read(rows: Vec<VersionRow>) -> Answer<Vec<Version>> {
    let read: Result<Vec<_>, Fault> = rows.into_iter().map(Version::try_from).collect();
    Ok(read?)
}

/// Adds a version, with its sealed bytes if it is sealed. False if there is one of that number already: somebody was faster.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, version: &Version, ciphertext: Option<&[u8]>) -> Answer<bool> {
    let row = (
        bid_versions::lot_id.eq(&version.lot_id),
        bid_versions::supplier_id.eq(&version.supplier_id),
        bid_versions::number.eq(version.number),
        bid_versions::bid_id.eq(&version.bid_id),
        bid_versions::kind.eq(version.kind.name()),
        bid_versions::sealed_number.eq(version.sealed_number),
        bid_versions::sha256.eq(version.sha256.as_slice()),
        bid_versions::bytes.eq(version.bytes),
        bid_versions::book_version.eq(version.book_version),
        bid_versions::received_at.eq(version.received_at.naive_utc()),
        bid_versions::receipt.eq(&version.receipt),
        bid_versions::event_id.eq(&version.event_id),
    );
    let added = both!(tx.conn(), c => diesel::insert_into(bid_versions::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    if added == 0 {
        return Ok(false);
    }
    if let Some(ciphertext) = ciphertext {
        diesel::insert_into(bid_ciphertexts::table)
            .values((
                bid_ciphertexts::lot_id.eq(&version.lot_id),
                bid_ciphertexts::supplier_id.eq(&version.supplier_id),
                bid_ciphertexts::number.eq(version.number),
                bid_ciphertexts::ciphertext.eq(ciphertext),
            ))
            .execute(tx.conn())?;
    }
    Ok(true)
}

/// The last version of a supplier's bid for a lot. To be asked before the transaction that adds the next one, never in it.
///
/// # Errors
/// A fault of the database.
pub fn last_of(conn: &mut Conn, lot: &LotId, supplier: &OrganisationId) -> Answer<Option<Version>> {
    let row: Option<VersionRow> = bid_versions::table
        .filter(bid_versions::lot_id.eq(lot))
        .filter(bid_versions::supplier_id.eq(supplier))
        .order(bid_versions::number.desc())
        .select(VersionRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Version::try_from).transpose()?)
}

/// All versions of a bid, the first one first; none if there is no such bid.
///
/// # Errors
/// A fault of the database.
pub fn versions_of(conn: &mut Conn, bid: &BidId) -> Answer<Vec<Version>> {
    let rows = bid_versions::table
        .filter(bid_versions::bid_id.eq(bid))
        .order(bid_versions::number)
        .select(VersionRow::as_select())
        .load(conn)?;
    read(rows)
}

/// All versions of all bids for a lot, by supplier and number: for its opening, and for nothing before.
///
/// # Errors
/// A fault of the database.
pub fn versions_for(conn: &mut Conn, lot: &LotId) -> Answer<Vec<Version>> {
    let rows = bid_versions::table
        .filter(bid_versions::lot_id.eq(lot))
        .order((bid_versions::supplier_id, bid_versions::number))
        .select(VersionRow::as_select())
        .load(conn)?;
    read(rows)
}

/// Which bids are listed.
#[derive(Clone, Debug)]
pub struct BidFilter {
    /// Of these suppliers.
    pub suppliers: Vec<OrganisationId>,
    /// For this lot.
    pub lot: Option<LotId>,
    /// Older than this id.
    pub before: Option<String>,
}

/// Up to `max` bids by their last versions, the newest bid first.
///
/// # Errors
/// A fault of the database.
pub fn bids(conn: &mut Conn, filter: &BidFilter, max: i64) -> Answer<Vec<Version>> {
    let mut query = bid_versions::table
        .filter(bid_versions::supplier_id.eq_any(&filter.suppliers))
        // Every bid has a first version.
        .filter(bid_versions::number.eq(1))
        .into_boxed();
    if let Some(lot) = &filter.lot {
        query = query.filter(bid_versions::lot_id.eq(lot));
    }
    if let Some(before) = &filter.before {
        query = query.filter(bid_versions::bid_id.lt(before));
    }
    let ids: Vec<BidId> = query
        .order(bid_versions::bid_id.desc())
        .limit(max)
        .select(bid_versions::bid_id)
        .load(conn)?;
    let mut last = Vec::with_capacity(ids.len());
    for id in &ids {
        last.extend(versions_of(conn, id)?.pop());
    }
    Ok(last)
}

/// The sealed bytes of a version, if it is sealed and they are those that were hashed.
///
/// # Errors
/// A fault of the database, or if the bytes are not those that were hashed.
pub fn ciphertext(conn: &mut Conn, version: &Version) -> Answer<Option<Vec<u8>>> {
    let found: Option<Vec<u8>> = bid_ciphertexts::table
        .find((&version.lot_id, &version.supplier_id, version.sealed_number))
        .select(bid_ciphertexts::ciphertext)
        .first(conn)
        .optional()?;
    if found
        .as_deref()
        .is_some_and(|bytes| crate::bids::rules::hash(bytes) != version.sha256)
    {
        let (number, bid) = (version.sealed_number, &version.bid_id);
        return Err(Fault::broken(format!("version {number} of {bid} is not what was hashed")).into());
    }
    Ok(found)
}

/// Records a late bid by its hash. False if the same bytes were recorded before.
///
/// # Errors
/// A fault of the database.
pub fn insert_late(
    tx: &mut Tx<'_>,
    lot: &LotId,
    supplier: &OrganisationId,
    sha256: &[u8; 32],
) -> Answer<bool> {
    let row = (
        late_bids::lot_id.eq(lot),
        late_bids::supplier_id.eq(supplier),
        late_bids::sha256.eq(sha256.as_slice()),
        late_bids::received_at.eq(tx.now().naive_utc()),
    );
    let added = both!(tx.conn(), c => diesel::insert_into(late_bids::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(added == 1)
}

/// How many late bids of a supplier for a lot were recorded.
///
/// # Errors
/// A fault of the database.
pub fn late_count(conn: &mut Conn, lot: &LotId, supplier: &OrganisationId) -> Answer<i64> {
    Ok(late_bids::table
        .filter(late_bids::lot_id.eq(lot))
        .filter(late_bids::supplier_id.eq(supplier))
        .count()
        .get_result(conn)?)
}

/// Since when it may be known who has bid for a lot; `None` as long as it may not.
///
/// # Errors
/// A fault of the database.
pub fn disclosed_at(conn: &mut Conn, lot: &LotId) -> Answer<Option<Instant>> {
    let at: Option<NaiveDateTime> = bid_disclosures::table
        .find(lot)
        .select(bid_disclosures::disclosed_at)
        .first(conn)
        .optional()?;
    Ok(at.map(|at| at.and_utc()))
}

/// Notes that from now on it may be known who has bid for a lot. False if it may already.
///
/// # Errors
/// A fault of the database.
pub fn insert_disclosure(tx: &mut Tx<'_>, lot: &LotId, entries: i64) -> Answer<bool> {
    let row = (
        bid_disclosures::lot_id.eq(lot),
        bid_disclosures::disclosed_at.eq(tx.now().naive_utc()),
        bid_disclosures::entries.eq(entries),
    );
    let added = both!(tx.conn(), c => diesel::insert_into(bid_disclosures::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(added == 1)
}
