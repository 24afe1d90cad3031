//! What is looked up before a bid is taken, outside of any transaction: what the lot asks for, and which version of the bid comes next.

use crate::bids::acts::{self, standing};
use crate::bids::rules::{Standing, Version};
use crate::bids::rules_responses::{Asked, indicator_codes};
use crate::bids::store;
use crate::books::rules::{Book, LotId};
use crate::books::rules_documents::LotDocument;
use crate::books::store::{self as books, Lot};
use crate::db::conn::Conn;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::standards::store_versions;

/// A lot, and what its book says of it.
pub struct Known {
    /// The lot.
    pub lot: Lot,
    /// Its book, as it is now.
    pub book: Book,
    /// What of the book decides whether bids are taken.
    pub standing: Standing,
    /// The codes of the lot's indicators.
    pub indicators: Vec<String>,
}

impl Known {
    /// What the book says of the lot.
    ///
    /// # Errors
    /// A fault if it says nothing.
    pub fn document(&self) -> Result<&LotDocument, Fault> {
        let lots = &self.book.content.document().lots;
        let found = lots.iter().find(|lot| lot.code == self.lot.code);
        found.ok_or_else(|| Fault::broken(format!("{} is not in its book", self.lot.id)))
    }

    /// To whom its bids are sealed.
    ///
    /// # Errors
    /// A fault if the book was not published.
    pub fn recipient(&self) -> Result<&str, Fault> {
        let publication = self.book.publication.as_ref();
        let recipient = publication.map(|one| one.recipient.as_str());
        recipient.ok_or_else(|| Fault::broken(format!("{} of no published book", self.lot.id)))
    }

    /// What a bid of this supplier is held against.
    ///
    /// # Errors
    /// As [`Self::document`].
    pub fn asked<'k>(&'k self, supplier_id: &'k OrganisationId) -> Result<Asked<'k>, Fault> {
        Ok(Asked {
            lot_id: &self.lot.id,
            supplier_id,
            lot: self.document()?,
            indicators: &self.indicators,
        })
    }
}

/// Looks a lot up.
///
/// # Errors
/// Not found; a fault of the database.
pub fn known(conn: &mut Conn, id: &LotId) -> Answer<Known> {
    let lot = acts::lot(conn, id)?;
    let book = books::book(conn, &lot.book_id)?;
    let book = book.ok_or_else(|| Fault::broken(format!("{id} has no book")))?;
    let standing = standing(conn, &lot.book_id)?;
    let mut known = Known {
        lot,
        book,
        standing,
        indicators: Vec::new(),
    };
    let standard = match &known.document()?.standard_version_id {
        Some(version) => store_versions::version_of_id(conn, version)?,
        None => None,
    };
    let content = standard.as_ref().map(|version| &version.content);
    known.indicators = indicator_codes(content, known.document()?);
    Ok(known)
}

/// A lot without what it asks for, and the supplier's last version: all that it takes to take sealed bytes.
///
/// # Errors
/// Not found; a fault of the database.
pub fn last(conn: &mut Conn, id: &LotId, supplier: &OrganisationId) -> Answer<(Lot, Option<Version>)> {
    let lot = acts::lot(conn, id)?;
    let last = store::last_of(conn, id, supplier)?;
    Ok((lot, last))
}
