//! Who is told by mail of comments on a period: the buyer's officers that something waits for them, once a day for each ballot; the contractor that one became public. Whoever has
//! written one is told nothing, because nobody knows who that is.

use crate::ballots::rules::Ballot;
use crate::contracts::desk::Signed;
use crate::contracts::rules_comments::RatingCommentId;
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::outbox;
use crate::outbox::content::{Content, RatingCommentReleased, RatingCommentsWaiting};
use crate::outbox::notice::Notice;
use crate::outbox::wording::Both;
use crate::registry::store_contacts;
use crate::web::policy::Role;

fn titled(ballot: &Ballot) -> (Both, String) {
    (
        Both::new(&ballot.title_zh, &ballot.title_en),
        format!("/api/v1/ballots/{}/comments", ballot.id),
    )
}

/// That comments wait for an officer. It says neither how many nor what: nobody has looked at them.
pub(super) fn waiting(tx: &mut Tx<'_>, signed: &Signed, ballot: &Ballot) -> Answer<()> {
    let (title, path) = titled(ballot);
    let content = Content::from(RatingCommentsWaiting { ballot: title, path });
    let (id, day) = (&ballot.id, tx.now().date_naive());
    let officers = store_contacts::people(tx.conn(), &signed.contract.buyer_id, Role::BuyerOfficer)?;
    for reader in officers {
        let account = reader.account_id.clone().unwrap_or_default();
        let key = format!("{id}:comments:{day}:{account}");
        outbox::store::enqueue(tx, &Notice::new(key, reader, content.clone()))?;
    }
    Ok(())
}

/// That a comment is public, and can be replied to.
pub(super) fn released(
    tx: &mut Tx<'_>,
    signed: &Signed,
    (ballot, comment): (&Ballot, &RatingCommentId),
) -> Answer<()> {
    let (title, path) = titled(ballot);
    let content = Content::from(RatingCommentReleased { ballot: title, path });
    for reader in store_contacts::acting_for(tx.conn(), &signed.contract.supplier_id)? {
        let account = reader.account_id.clone().unwrap_or_default();
        let key = format!("{comment}:released:{account}");
        outbox::store::enqueue(tx, &Notice::new(key, reader, content.clone()))?;
    }
    Ok(())
}
