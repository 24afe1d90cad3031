//! Who is told by mail of what becomes of a ballot: the buyer's officers and the auditors, that its roll or its terms were changed behind the service's back.

use crate::ballots::rules::Ballot;
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::outbox;
use crate::outbox::content::{BallotRollChanged, BallotTermsChanged, Content};
use crate::outbox::notice::Notice;
use crate::outbox::wording::Both;
use crate::registry::store_contacts;
use crate::web::policy::Role;

/// That the roll at the count is not the one that was frozen, so that the result does not bind.
pub(super) fn roll_changed(tx: &mut Tx<'_>, ballot: &Ballot) -> Answer<()> {
    let content = BallotRollChanged {
        ballot: Both::new(&ballot.title_zh, &ballot.title_en),
        path: format!("/api/v1/ballots/{}/tally", ballot.id),
    };
    tell(tx, ballot, "roll", &content.into())
}

/// That the terms at the count are not those of its call, so that the result does not bind.
pub(super) fn terms_changed(tx: &mut Tx<'_>, ballot: &Ballot) -> Answer<()> {
    let content = BallotTermsChanged {
        ballot: Both::new(&ballot.title_zh, &ballot.title_en),
        path: format!("/api/v1/ballots/{}/tally", ballot.id),
    };
    tell(tx, ballot, "terms", &content.into())
}

fn tell(tx: &mut Tx<'_>, ballot: &Ballot, what: &str, content: &Content) -> Answer<()> {
    let mut readers = store_contacts::people(tx.conn(), &ballot.organisation_id, Role::BuyerOfficer)?;
    readers.extend(store_contacts::holders(tx.conn(), Role::Auditor)?);
    for reader in readers {
        let account = reader.account_id.clone().unwrap_or_default();
        let key = format!("{}:{what}:{account}", ballot.id);
        outbox::store::enqueue(tx, &Notice::new(key, reader, content.clone()))?;
    }
    Ok(())
}
