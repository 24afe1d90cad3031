//! What is done to bids until their lot is opened: each function is one transaction's worth of work, permission first, event last. The
//! events stay out of the log until the lot is opened, and nobody is written mail: until then nobody but the bidder learns of anything
//! that is done here.
//!
//! A transaction never reads the versions of bids. The number of the next one was found before it began, and the primary key says
//! whether it is still free: whoever finds it taken is told so, and two bidders never meet.

use chrono_tz::Tz;
use serde_json::json;

use crate::audit;
use crate::audit::entry::{Event, EventId};
use crate::audit::store_withheld;
use crate::bids::receipts::Notary;
use crate::bids::rules::{self, BidId, DEBARRED, EXISTS, Kind, NOT_A_SUPPLIER, Next, Standing, Version};
use crate::bids::store;
use crate::books::rules::{BookId, LotId};
use crate::books::rules_addenda;
use crate::books::store::{self as books, Lot};
use crate::books::store_versions;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::local_day::local_date;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::rules_organisations::State as OrganisationState;
use crate::registry::store_debarments::{self, DebarmentFilter};
use crate::registry::store_organisations;
use crate::web::actor::Actor;
use crate::web::conditional::{Expected, VERSION_STALE};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Where a bid comes in.
#[derive(Clone, Copy)]
pub struct Place<'p> {
    /// The ward's zone, in which a debarment's days are counted.
    pub zone: Tz,
    /// Who signs receipts.
    pub notary: &'p Notary,
}

/// Something that is to be sealed into a bid.
#[derive(Clone, Debug)]
pub struct Sealing {
    /// For which lot.
    pub lot: Lot,
    /// Whose bid.
    pub supplier: OrganisationId,
    /// The version of the book that it was made for.
    pub book_version: i64,
    /// The last version of the supplier's bid for the lot, as it was before the transaction.
    pub last: Option<Version>,
    /// The version that it is to replace; none if it is to be a first bid, or one after a withdrawal.
    pub replacing: Option<Expected>,
    /// The sealed bytes.
    pub ciphertext: Vec<u8>,
}

/// The published lot of that id.
///
/// # Errors
/// Not found.
pub fn lot(conn: &mut Conn, id: &LotId) -> Answer<Lot> {
    Ok(books::lot(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?)
}

/// What of the book decides whether bids are taken.
///
/// # Errors
/// A fault if there is no such book.
pub fn standing(conn: &mut Conn, book: &BookId) -> Answer<Standing> {
    let found = books::standing(conn, book)?;
    let (state, deadline, versions) =
        found.ok_or_else(|| Fault::broken(format!("a lot of {book}, which was not published")))?;
    Ok(Standing {
        state,
        deadline,
        versions,
        last_affecting: store_versions::last_affecting(conn, book)?,
    })
}

/// Whether a bid, of which this is the last version, counts only if it is confirmed or replaced.
///
/// # Errors
/// A fault of the database.
pub fn needs_confirmation(conn: &mut Conn, last: Option<&Version>) -> Answer<bool> {
    let Some(last) = last.filter(|last| last.kind != Kind::Withdrawn) else {
        return Ok(false);
    };
    let lot = lot(conn, &last.lot_id)?;
    let affecting = store_versions::last_affecting(conn, &lot.book_id)?;
    Ok(rules_addenda::needs_confirmation(last.book_version, affecting))
}

/// Whether an organisation may bid today.
///
/// # Errors
/// In this order: [`NOT_A_SUPPLIER`], [`DEBARRED`].
pub fn may_bid(tx: &mut Tx<'_>, supplier: &OrganisationId, zone: Tz) -> Answer<()> {
    let known = store_organisations::standing(tx.conn(), supplier)?;
    let verified =
        known.is_some_and(|(kind, state)| !kind.is_public_body() && state == OrganisationState::Verified);
    if !verified {
        return Err(NOT_A_SUPPLIER.refuse().into());
    }
    let filter = DebarmentFilter {
        organisation: Some(supplier.clone()),
        in_force_on: Some(local_date(tx.now(), zone)),
        after: None,
    };
    if store_debarments::debarments(tx.conn(), &filter, 1)?.is_empty() {
        Ok(())
    } else {
        Err(DEBARRED.refuse().into())
    }
}

/// Takes a sealed bid.
///
/// # Errors
/// In this order: permission; [`NOT_A_SUPPLIER`], [`DEBARRED`]; not found if there is nothing to replace; [`VERSION_STALE`]; those of
/// [`rules::next_sealed`]; those of [`rules::may_be_taken`], the last of which is [`LATE`](rules::LATE); [`EXISTS`] or
/// [`VERSION_STALE`] if another version was faster.
pub fn seal(tx: &mut Tx<'_>, actor: &Actor, sealing: &Sealing, place: Place<'_>) -> Answer<Version> {
    let matter = Matter::of_organisation(&sealing.supplier);
    policy::allow(actor, Action::SubmitBid, matter)?;
    may_bid(tx, &sealing.supplier, place.zone)?;
    if let Some(expected) = sealing.replacing {
        let last = sealing.last.as_ref().ok_or_else(|| NOT_FOUND.refuse())?;
        expected.check(last.number)?;
    }
    let fresh = BidId::mint(tx.now());
    let next = rules::next_sealed(sealing.last.as_ref(), sealing.replacing.is_some(), fresh)?;
    let book = standing(tx.conn(), &sealing.lot.book_id)?;
    rules::may_be_taken(&book, sealing.book_version, tx.now())?;
    let bytes =
        i64::try_from(sealing.ciphertext.len()).map_err(|error| Fault::caused("a sealed bid", error))?;
    let version = Version {
        lot_id: sealing.lot.id.clone(),
        supplier_id: sealing.supplier.clone(),
        number: next.number,
        bid_id: next.bid_id,
        kind: Kind::Sealed,
        sealed_number: next.number,
        sha256: rules::hash(&sealing.ciphertext),
        bytes,
        book_version: sealing.book_version,
        received_at: tx.now(),
        receipt: String::new(),
        event_id: EventId::mint(tx.now()),
    };
    save(tx, actor, version, Some(&sealing.ciphertext), place)
}

/// Lets what was sealed before hold for the book as it is now.
///
/// # Errors
/// In this order: permission; [`NOT_A_SUPPLIER`], [`DEBARRED`]; [`VERSION_STALE`]; those of [`rules::may_be_taken`]; those of
/// [`rules::next_confirmed`]; [`VERSION_STALE`] if another version was faster.
pub fn confirm(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (last, expected, book_version): (&Version, Expected, i64),
    place: Place<'_>,
) -> Answer<Version> {
    let matter = Matter::of_organisation(&last.supplier_id);
    policy::allow(actor, Action::SubmitBid, matter)?;
    may_bid(tx, &last.supplier_id, place.zone)?;
    expected.check(last.number)?;
    let lot = lot(tx.conn(), &last.lot_id)?;
    let book = standing(tx.conn(), &lot.book_id)?;
    rules::may_be_taken(&book, book_version, tx.now())?;
    let next = rules::next_confirmed(last, &book)?;
    let version = follows(last, Kind::Confirmed, next, tx);
    save(
        tx,
        actor,
        Version {
            book_version,
            ..version
        },
        None,
        place,
    )
}

/// Withdraws a bid: there is none any more, until another one is sealed. Who may not bid any longer may still withdraw.
///
/// # Errors
/// In this order: permission; [`VERSION_STALE`]; those of [`rules::in_time`]; those of [`rules::next_withdrawn`]; [`VERSION_STALE`] if
/// another version was faster.
pub fn withdraw(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (last, expected): (&Version, Expected),
    place: Place<'_>,
) -> Answer<Version> {
    let matter = Matter::of_organisation(&last.supplier_id);
    policy::allow(actor, Action::SubmitBid, matter)?;
    expected.check(last.number)?;
    let lot = lot(tx.conn(), &last.lot_id)?;
    let book = standing(tx.conn(), &lot.book_id)?;
    rules::in_time(&book, tx.now())?;
    let next = rules::next_withdrawn(last)?;
    let version = follows(last, Kind::Withdrawn, next, tx);
    save(tx, actor, version, None, place)
}

fn follows(last: &Version, kind: Kind, next: Next, tx: &Tx<'_>) -> Version {
    Version {
        number: next.number,
        kind,
        received_at: tx.now(),
        ..last.clone()
    }
}

/// Records what was done, writes the receipt, and saves both.
fn save(
    tx: &mut Tx<'_>,
    actor: &Actor,
    version: Version,
    ciphertext: Option<&[u8]>,
    place: Place<'_>,
) -> Answer<Version> {
    let event = Event {
        kind: match version.kind {
            Kind::Sealed => "bid.sealed",
            Kind::Confirmed => "bid.confirmed",
            Kind::Withdrawn => "bid.withdrawn",
        },
        subject: version.bid_id.to_string(),
        data: json!({
            "lot_id": version.lot_id,
            "number": version.number,
            "sha256": hex::encode(version.sha256),
            "bytes": version.bytes,
            "book_version": version.book_version,
        }),
        private: json!({ "supplier_id": version.supplier_id }),
    };
    let withheld = store_withheld::withhold(tx, actor, &event, version.lot_id.as_str())?;
    let text = rules::receipt_text(
        version.kind,
        &version.lot_id,
        &version.bid_id,
        (&version.sha256, version.bytes),
        version.received_at,
    );
    let version = Version {
        receipt: place.notary.sign(&text)?,
        event_id: withheld.entry.id,
        ..version
    };
    if store::insert(tx, &version, ciphertext)? {
        return Ok(version);
    }
    let reason = if version.number == 1 {
        &EXISTS
    } else {
        &VERSION_STALE
    };
    Err(reason.refuse().into())
}

/// Records that a bid came too late, by its hash and nothing else. The same bytes are recorded once, and of one bidder for one lot no
/// more than [`LATE_MAX`](rules::LATE_MAX). Before the opening even this stays out of the log.
///
/// # Errors
/// Permission; a fault of the database.
pub fn record_late(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (lot, supplier): (&LotId, &OrganisationId),
    sha256: &[u8; 32],
) -> Answer<()> {
    policy::allow(actor, Action::SubmitBid, Matter::of_organisation(supplier))?;
    let full = store::late_count(tx.conn(), lot, supplier)? >= rules::LATE_MAX;
    if full || !store::insert_late(tx, lot, supplier, sha256)? {
        tx.nothing_to_change();
        return Ok(());
    }
    let event = Event {
        kind: "bid.refused_late",
        subject: lot.to_string(),
        data: json!({ "sha256": hex::encode(sha256) }),
        private: json!({ "supplier_id": supplier }),
    };
    match store::disclosed_at(tx.conn(), lot)? {
        Some(_) => audit::store::append(tx, actor, &event).map(drop),
        None => store_withheld::withhold(tx, actor, &event, lot.as_str()).map(drop),
    }
}

/// The versions of a bid, if the actor may know of it.
///
/// # Errors
/// Not found.
pub fn seen(conn: &mut Conn, actor: &Actor, bid: &BidId) -> Answer<Vec<Version>> {
    let versions = store::versions_of(conn, bid)?;
    let own = versions.first().is_some_and(|first| {
        let matter = Matter::of_organisation(&first.supplier_id);
        policy::allows(actor, Action::ReadOwnBids, matter)
    });
    if own {
        Ok(versions)
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}
