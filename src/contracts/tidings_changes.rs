//! Who is told by mail of what changes under a contract: variations, rectifications, triggers that are decided about, and its end. Through the outbox, in the
//! transaction of the act that it tells of.

use crate::contracts::desk::Signed;
use crate::contracts::rules::Party;
use crate::contracts::rules_rectifications::{Rectification, State as RectificationState};
use crate::contracts::rules_terminations::Termination;
use crate::contracts::rules_triggers::{Course, Decision};
use crate::contracts::rules_variations::{State as VariationState, Variation};
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::outbox;
use crate::outbox::content::{Content, InspectionHappened};
use crate::outbox::notice::Notice;
use crate::outbox::wording::Both;
use crate::registry::store_contacts;
use crate::standards::rules_indicators::Line;
use crate::web::policy::Role;

/// What a party is told.
struct Told {
    /// Once for each key.
    key: String,
    happened: Both,
    details: Option<Both>,
    path: String,
}

fn both(line: &Line) -> Both {
    Both::new(&line.zh, &line.en)
}

/// Tells one party: whoever acts for the supplier, or the buyer's officers and approvers.
fn tell(tx: &mut Tx<'_>, signed: &Signed, party: Party, told: &Told) -> Answer<()> {
    let contract = &signed.contract;
    let readers = match party {
        Party::Supplier => store_contacts::acting_for(tx.conn(), &contract.supplier_id)?,
        Party::Buyer => {
            let mut all = store_contacts::people(tx.conn(), &contract.buyer_id, Role::BuyerOfficer)?;
            for one in store_contacts::people(tx.conn(), &contract.buyer_id, Role::BuyerApprover)? {
                if all.iter().all(|known| known.account_id != one.account_id) {
                    all.push(one);
                }
            }
            all
        }
    };
    let document = &signed.document;
    let content = Content::from(InspectionHappened {
        book: Both::new(&document.title_zh, &document.title_en),
        lot: document.lot.code.clone(),
        happened: told.happened.clone(),
        details: told.details.clone(),
        path: told.path.clone(),
        is_contractor: party == Party::Supplier,
    });
    for reader in readers {
        let account = reader.account_id.clone().unwrap_or_default();
        let key = format!("{}:{account}", told.key);
        outbox::store::enqueue(tx, &Notice::new(key, reader, content.clone()))?;
    }
    Ok(())
}

fn tell_both(tx: &mut Tx<'_>, signed: &Signed, told: &Told) -> Answer<()> {
    for party in Party::ALL {
        tell(tx, signed, party, told)?;
    }
    Ok(())
}

fn about_variation(variation: &Variation, step: &str, happened: Both, details: Option<Both>) -> Told {
    Told {
        key: format!("{}:{step}", variation.id),
        happened,
        details,
        path: format!("/api/v1/variations/{}", variation.id),
    }
}

/// That a variation waits for both signatures.
pub(super) fn variation_proposed(tx: &mut Tx<'_>, signed: &Signed, variation: &Variation) -> Answer<()> {
    let happened = Both::new(
        "合同变更已提出，请签署或拒绝",
        "a variation of the contract is proposed; sign it or refuse it",
    );
    let told = about_variation(
        variation,
        "proposed",
        happened,
        Some(both(&variation.entered.words)),
    );
    tell_both(tx, signed, &told)
}

/// To the other party: that it waits for theirs.
pub(super) fn variation_signed_by_one(
    tx: &mut Tx<'_>,
    signed: &Signed,
    variation: &Variation,
    by: Party,
) -> Answer<()> {
    let other = match by {
        Party::Buyer => Party::Supplier,
        Party::Supplier => Party::Buyer,
    };
    let happened = Both::new(
        "对方已签署合同变更，请签署",
        "the other party has signed the variation of the contract",
    );
    tell(
        tx,
        signed,
        other,
        &about_variation(variation, "signed_by_other", happened, None),
    )
}

/// That a variation holds.
pub(super) fn variation_concluded(tx: &mut Tx<'_>, signed: &Signed, variation: &Variation) -> Answer<()> {
    let happened = Both::new(
        "合同变更已签订并公开",
        "the variation of the contract is signed, and public",
    );
    tell_both(
        tx,
        signed,
        &about_variation(variation, "concluded", happened, None),
    )
}

/// That a variation came to nothing.
pub(super) fn variation_ended(tx: &mut Tx<'_>, signed: &Signed, variation: &Variation) -> Answer<()> {
    let happened = match variation.state {
        VariationState::Refused => Both::new(
            "承接主体拒绝合同变更",
            "the contractor has refused the variation of the contract",
        ),
        VariationState::Ended => Both::new(
            "合同已解除，未签订的变更随之终止",
            "the contract is ended, and with it the variation that was not signed by both",
        ),
        VariationState::Proposed | VariationState::Concluded | VariationState::Withdrawn => Both::new(
            "采购人已撤回合同变更",
            "the buyer has withdrawn the variation of the contract",
        ),
    };
    let details = variation.end_reason.as_ref().map(both);
    tell_both(
        tx,
        signed,
        &about_variation(variation, "ended", happened, details),
    )
}

fn about_rectification(one: &Rectification, step: &str, happened: Both, details: Option<Both>) -> Told {
    Told {
        key: format!("{}:{step}:{}", one.id, one.revision),
        happened,
        details,
        path: format!("/api/v1/rectifications/{}", one.id),
    }
}

/// To the contractor: that something is to be put right.
pub(super) fn rectification_issued(tx: &mut Tx<'_>, signed: &Signed, one: &Rectification) -> Answer<()> {
    let happened = Both::new(
        "收到整改通知，请按期整改",
        "a notice of rectification was issued; put it right in time",
    );
    let told = about_rectification(one, "issued", happened, Some(both(&one.entered.wrong)));
    tell(tx, signed, Party::Supplier, &told)
}

/// To the buyer: that it is put right, as the contractor says.
pub(super) fn rectification_reported(tx: &mut Tx<'_>, signed: &Signed, one: &Rectification) -> Answer<()> {
    let happened = Both::new(
        "承接主体已报告整改完成，请复核",
        "the contractor reports that it is put right; look at it and decide",
    );
    tell(
        tx,
        signed,
        Party::Buyer,
        &about_rectification(one, "reported", happened, None),
    )
}

/// To the contractor: what became of it.
pub(super) fn rectification_decided(tx: &mut Tx<'_>, signed: &Signed, one: &Rectification) -> Answer<()> {
    let happened = match one.state {
        RectificationState::Accepted => Both::new("整改已通过复核", "the rectification was accepted"),
        RectificationState::Withdrawn => {
            Both::new("整改通知已撤回", "the notice of rectification was withdrawn")
        }
        RectificationState::Issued | RectificationState::Reported => Both::new(
            "整改未通过复核，请继续整改",
            "the rectification was refused, and is due again",
        ),
    };
    let mut decided = one.rounds.iter().rev().filter_map(|round| round.decided.as_ref());
    let words = one.withdrawal.as_ref().or(decided.next().map(|last| &last.words));
    let told = about_rectification(one, "decided", happened, words.map(both));
    tell(tx, signed, Party::Supplier, &told)
}

/// To the contractor: that a trigger is not followed. That it is, the notice or the proposal tells.
pub(super) fn trigger_decided(tx: &mut Tx<'_>, signed: &Signed, decision: &Decision) -> Answer<()> {
    let Course::NotFollowed(reason) = &decision.course else {
        return Ok(());
    };
    let told = Told {
        key: format!("{}:not_followed", decision.id),
        happened: Both::new(
            "考核触发条款经研究不予处理",
            "a trigger of the contract was due, and is not followed",
        ),
        details: Some(both(reason)),
        path: format!("/api/v1/contracts/{}/triggers", decision.contract_id),
    };
    tell(tx, signed, Party::Supplier, &told)
}

fn about_termination(one: &Termination, step: &str, happened: Both, details: Option<Both>) -> Told {
    Told {
        key: format!("{}:{step}", one.id),
        happened,
        details,
        path: format!("/api/v1/terminations/{}", one.id),
    }
}

/// That the end of the contract is proposed: the supplier can be heard, the buyer decides.
pub(super) fn termination_proposed(tx: &mut Tx<'_>, signed: &Signed, one: &Termination) -> Answer<()> {
    let until = one.entered.statement_until;
    let happened = Both::new(
        format!("拟解除合同，承接主体可于 {until} 前（含当日）陈述申辩"),
        format!("the end of the contract is proposed; the supplier can make its statement up to {until}"),
    );
    let told = about_termination(one, "proposed", happened, Some(both(&one.entered.reason)));
    tell_both(tx, signed, &told)
}

/// To the buyer: that the supplier was heard.
pub(super) fn termination_stated(tx: &mut Tx<'_>, signed: &Signed, one: &Termination) -> Answer<()> {
    let happened = Both::new(
        "承接主体已就解除合同陈述申辩",
        "the supplier has made its statement on the end of the contract",
    );
    tell(
        tx,
        signed,
        Party::Buyer,
        &about_termination(one, "stated", happened, None),
    )
}

/// That the contract does not end.
pub(super) fn termination_dropped(tx: &mut Tx<'_>, signed: &Signed, one: &Termination) -> Answer<()> {
    let happened = Both::new("合同不予解除，继续履行", "the contract is not ended, and goes on");
    let details = one.closed.as_ref().map(|closed| both(&closed.words));
    tell_both(tx, signed, &about_termination(one, "dropped", happened, details))
}

/// That the contract ends.
pub(super) fn terminated(tx: &mut Tx<'_>, signed: &Signed, one: &Termination) -> Answer<()> {
    let last = one.entered.effective_on;
    let happened = Both::new(
        format!("合同已决定解除，最后履行日为 {last}"),
        format!("it was decided that the contract ends; its last day is {last}"),
    );
    tell_both(
        tx,
        signed,
        &about_termination(one, "terminated", happened, Some(both(&one.entered.reason))),
    )
}
