//! Who is told by mail of what happens to contracts: the parties, through the outbox, in the transaction of the act that it tells of.

use crate::award::desk::Known;
use crate::contracts::rules::{Contract, Party};
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::outbox;
use crate::outbox::content::{Content, LotHappened};
use crate::outbox::notice::Notice;
use crate::outbox::wording::Both;
use crate::registry::store_contacts;
use crate::web::policy::Role;

/// Tells one party something once for each `key`: the supplier's administrators, or whoever signs for the buyer.
fn tell(
    tx: &mut Tx<'_>,
    (known, contract): (&Known, &Contract),
    party: Party,
    (key, happened): (&str, Both),
) -> Answer<()> {
    let readers = match party {
        Party::Supplier => store_contacts::acting_for(tx.conn(), &contract.supplier_id)?,
        Party::Buyer => store_contacts::people(tx.conn(), &contract.buyer_id, Role::BuyerApprover)?,
    };
    let said = known.book.content.document();
    let content = Content::from(LotHappened {
        book: Both::new(said.title_zh.trim(), said.title_en.trim()),
        lot: known.lot.code.clone(),
        happened,
        details: None,
        path: format!("/api/v1/contracts/{}", contract.id),
        is_duty: party == Party::Buyer,
    });
    for reader in readers {
        let account = reader.account_id.clone().unwrap_or_default();
        let key = format!("{}:{key}:{account}", contract.id);
        outbox::store::enqueue(tx, &Notice::new(key, reader, content.clone()))?;
    }
    Ok(())
}

/// That it waits for both signatures.
pub(super) fn prepared(tx: &mut Tx<'_>, known: &Known, contract: &Contract) -> Answer<()> {
    for party in Party::ALL {
        let happened = Both::new("合同文本已就绪，请签署", "the contract is ready to be signed");
        tell(tx, (known, contract), party, ("prepared", happened))?;
    }
    Ok(())
}

/// To the other party: that it waits for theirs.
pub(super) fn signed_by_one(
    tx: &mut Tx<'_>,
    known: &Known,
    contract: &Contract,
    signed: Party,
) -> Answer<()> {
    let other = match signed {
        Party::Buyer => Party::Supplier,
        Party::Supplier => Party::Buyer,
    };
    let happened = Both::new(
        "对方已签署合同，请签署",
        "the other party has signed the contract",
    );
    tell(tx, (known, contract), other, ("signed_by_other", happened))
}

/// To both: that there is a contract.
pub(super) fn signed(tx: &mut Tx<'_>, known: &Known, contract: &Contract) -> Answer<()> {
    for party in Party::ALL {
        let happened = Both::new("合同已签订并公开", "the contract is signed, and public");
        tell(tx, (known, contract), party, ("signed", happened))?;
    }
    Ok(())
}
