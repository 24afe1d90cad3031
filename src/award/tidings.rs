//! Who is told by mail of what happens between the evaluation and the contract: always through the outbox, in the transaction of the act that it
//! tells of. Of a supplier its administrators are told, each once.

use std::collections::BTreeSet;

use crate::award::rules_endings::Ending;
use crate::bids::store_openings;
use crate::books::rules::{Book, LotId};
use crate::books::store::Lot;
use crate::db::writer::Tx;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::outbox;
use crate::outbox::content::{Content, LotEnded};
use crate::outbox::notice::{Notice, Recipient};
use crate::outbox::wording::Both;
use crate::registry::store_contacts;

/// Characters of a reason that a mail repeats.
const REASON_LENGTH_MAX: usize = 500;

/// The title of a book as mails have it.
pub(super) fn title(book: &Book) -> Both {
    let said = book.content.document();
    Both::new(said.title_zh.trim(), said.title_en.trim())
}

/// A reason as mails have it, which may be the beginning of a longer one.
pub(super) fn shortened(reason: &str) -> String {
    if reason.chars().count() <= REASON_LENGTH_MAX {
        return reason.to_owned();
    }
    let begun: String = reason.chars().take(REASON_LENGTH_MAX).collect();
    format!("{begun}…")
}

/// Tells readers something once for each `key`.
pub(super) fn tell(tx: &mut Tx<'_>, readers: Vec<Recipient>, key: &str, content: &Content) -> Answer<()> {
    for reader in readers {
        let account = reader.account_id.clone().unwrap_or_default();
        let notice = Notice::new(format!("{key}:{account}"), reader, content.clone());
        outbox::store::enqueue(tx, &notice)?;
    }
    Ok(())
}

/// Everybody whose bid for a lot was opened.
///
/// # Errors
/// A fault of the database.
pub(super) fn bidders(tx: &mut Tx<'_>, lot: &LotId) -> Answer<BTreeSet<OrganisationId>> {
    let opened = store_openings::opened_suppliers(tx.conn(), lot)?;
    Ok(opened.into_iter().map(|(_, supplier)| supplier).collect())
}

/// That a lot came to nothing, to everybody whose bid for it was opened.
pub(super) fn lot_ended(tx: &mut Tx<'_>, (book, lot): (&Book, &Lot), ending: &Ending) -> Answer<()> {
    let content = Content::from(LotEnded {
        book: title(book),
        lot: lot.code.clone(),
        reason: Both::new(shortened(&ending.reason.zh), shortened(&ending.reason.en)),
        path: format!("/api/v1/lots/{}", lot.id),
    });
    for supplier in bidders(tx, &lot.id)? {
        let readers = store_contacts::administrators(tx.conn(), &supplier)?;
        tell(tx, readers, &format!("{}:ended", lot.id), &content)?;
    }
    Ok(())
}
