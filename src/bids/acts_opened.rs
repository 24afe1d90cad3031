//! Reading bids that were opened: the sealed bytes are the one copy, and their file key is beside them.

use crate::bids::rules::BidId;
use crate::bids::rules_document::BidDocument;
use crate::bids::sealing::{self, OneFileKey};
use crate::bids::store_openings::Readable;
use crate::bids::{store, store_openings};
use crate::books::rules::LotId;
use crate::books::store as books;
use crate::db::conn::Conn;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// A bid for a lot.
#[derive(Clone, Debug)]
pub struct NamedBid {
    /// The lot.
    pub lot: LotId,
    /// The bid.
    pub bid: BidId,
}

/// The sealed bytes of an opened bid, and their key, for whoever may have them: its bidder, and everybody if nothing in them is personal or
/// confidential.
///
/// # Errors
/// Not found, whatever it is that is not to be seen.
pub fn readable(
    conn: &mut Conn,
    actor: &Actor,
    (lot, bid): (&LotId, &BidId),
) -> Answer<(Vec<u8>, OneFileKey)> {
    let not_found = || NOT_FOUND.refuse();
    let opening = store_openings::of_lot(conn, lot)?.ok_or_else(not_found)?;
    let opened = store_openings::opened_bid(conn, lot, bid)?.ok_or_else(not_found)?;
    let book = books::book(conn, &opening.book_id)?.ok_or_else(not_found)?;
    let matter = Matter::of_organisation(&book.organisation_id);
    let is_own = policy::allows(
        actor,
        Action::ReadOwnBids,
        Matter::of_organisation(&opened.supplier_id),
    );
    if !opened.is_public && !is_own && !policy::allows(actor, Action::ReadOpenedBids, matter) {
        return Err(not_found().into());
    }
    let sealed = sealed_bytes(conn, bid, &opened)?;
    Ok((sealed, opened.file_key))
}

fn sealed_bytes(conn: &mut Conn, bid: &BidId, opened: &Readable) -> Answer<Vec<u8>> {
    let versions = store::versions_of(conn, bid)?;
    let version = versions.iter().find(|one| one.number == opened.version);
    let version = version.ok_or_else(|| Fault::broken(format!("an opened version of {bid} is gone")))?;
    let sealed = store::ciphertext(conn, version)?;
    Ok(sealed.ok_or_else(|| Fault::broken(format!("the bytes of {bid} are gone")))?)
}

/// What an opened bid says.
///
/// # Errors
/// A fault of the database, or if its bytes are not what was opened.
pub fn document_of_opened(conn: &mut Conn, bid: &BidId, opened: &Readable) -> Answer<BidDocument> {
    let sealed = sealed_bytes(conn, bid, opened)?;
    read_again(bid, &sealed, &opened.file_key)
}

/// What an opened bid of a lot says, for whoever has asked the policy about it.
///
/// # Errors
/// Not found if there is no such opened bid; as [`document_of_opened`].
pub fn document(conn: &mut Conn, (lot, bid): (&LotId, &BidId)) -> Answer<BidDocument> {
    let opened = store_openings::opened_bid(conn, lot, bid)?.ok_or_else(|| NOT_FOUND.refuse())?;
    document_of_opened(conn, bid, &opened)
}

/// What the sealed bytes of an opened bid say.
///
/// # Errors
/// A fault if they are not what was opened.
pub fn read_again(bid: &BidId, sealed: &[u8], key: &OneFileKey) -> Answer<BidDocument> {
    let content = sealing::reopen(sealed, key).map_err(|why| Fault::caused(format!("reopen {bid}"), why))?;
    BidDocument::read(&content)
        .map_err(|why| Fault::broken(format!("{bid} was a bid when it was opened: {}", why.en())).into())
}
