//! Who is told by mail of acceptances: the buyer of what waits for it, the contractor of what was signed and decided, both of what silence has accepted. Through
//! the outbox, in the transaction of the act that it tells of.

use crate::contracts::desk::Signed;
use crate::contracts::rules::Party;
use crate::contracts::rules_acceptances::{Acceptance, Conclusion};
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::outbox;
use crate::outbox::content::{Content, InspectionHappened};
use crate::outbox::notice::Notice;
use crate::outbox::notice::Recipient;
use crate::outbox::wording::Both;
use crate::registry::store_contacts;
use crate::web::policy::Role;

/// What is told, and of which acceptance.
struct Tiding<'t> {
    acceptance: &'t Acceptance,
    /// Told once to each reader for each revision.
    step: &'static str,
    happened: Both,
    details: Option<Both>,
}

fn tell(tx: &mut Tx<'_>, signed: &Signed, party: Party, tiding: &Tiding<'_>) -> Answer<()> {
    let readers = match party {
        Party::Supplier => store_contacts::acting_for(tx.conn(), &signed.contract.supplier_id)?,
        Party::Buyer => {
            let buyer = &signed.contract.buyer_id;
            let mut all = store_contacts::people(tx.conn(), buyer, Role::BuyerOfficer)?;
            for one in store_contacts::people(tx.conn(), buyer, Role::BuyerApprover)? {
                if all.iter().all(|known| known.account_id != one.account_id) {
                    all.push(one);
                }
            }
            all
        }
    };
    write_to(tx, signed, (readers, party), tiding)
}

fn write_to(
    tx: &mut Tx<'_>,
    signed: &Signed,
    (readers, party): (Vec<Recipient>, Party),
    tiding: &Tiding<'_>,
) -> Answer<()> {
    let said = &signed.document;
    let (id, revision) = (&tiding.acceptance.id, tiding.acceptance.revision);
    let content = Content::from(InspectionHappened {
        book: Both::new(&said.title_zh, &said.title_en),
        lot: said.lot.code.clone(),
        happened: tiding.happened.clone(),
        details: tiding.details.clone(),
        path: format!("/api/v1/acceptances/{id}"),
        is_contractor: party == Party::Supplier,
    });
    for reader in readers {
        let account = reader.account_id.clone().unwrap_or_default();
        let key = format!("{id}:{}:{revision}:{account}", tiding.step);
        outbox::store::enqueue(tx, &Notice::new(key, reader, content.clone()))?;
    }
    Ok(())
}

fn tell_both(tx: &mut Tx<'_>, signed: &Signed, tiding: &Tiding<'_>) -> Answer<()> {
    for party in Party::ALL {
        tell(tx, signed, party, tiding)?;
    }
    Ok(())
}

/// To the buyer: that a period was handed over, and until when it is inspected.
pub(super) fn handed_over(tx: &mut Tx<'_>, signed: &Signed, one: &Acceptance) -> Answer<()> {
    let period = one.period;
    let details = one.inspecting.map(|time| {
        let until = time.until;
        if time.silent_at.is_some() {
            Both::new(
                format!("请于 {until} 前（含当日）签署验收书，逾期视为验收合格。"),
                format!("A certificate is signed up to {until}; after that silence accepts the period."),
            )
        } else {
            Both::new(
                format!("请于 {until} 前（含当日）签署验收书。"),
                format!("A certificate is to be signed up to {until}."),
            )
        }
    });
    let tiding = Tiding {
        acceptance: one,
        step: "handed_over",
        happened: Both::new(
            format!("承接主体已提交第 {period} 期验收"),
            format!("the contractor has handed over period {period}"),
        ),
        details,
    };
    tell(tx, signed, Party::Buyer, &tiding)
}

/// To the buyer: that a certificate waits for the signature of somebody else than its drafter.
pub(super) fn drafted(tx: &mut Tx<'_>, signed: &Signed, one: &Acceptance) -> Answer<()> {
    let period = one.period;
    let tiding = Tiding {
        acceptance: one,
        step: "drafted",
        happened: Both::new(
            format!("第 {period} 期验收书已起草，请签署"),
            format!("the certificate for period {period} is drafted and waits for its signature"),
        ),
        details: Some(Both::new(
            "由非合同经办人、非起草人的审批人签署。",
            "An approver signs who neither handled the contract nor drafted the certificate.",
        )),
    };
    let approvers = store_contacts::people(tx.conn(), &signed.contract.buyer_id, Role::BuyerApprover)?;
    write_to(tx, signed, (approvers, Party::Buyer), &tiding)
}

/// To both: what the certificate concludes, and until when the contractor can object.
pub(super) fn signed(tx: &mut Tx<'_>, signed: &Signed, one: &Acceptance) -> Answer<()> {
    let Some(signature) = &one.signed else {
        return Ok(());
    };
    let (period, until) = (one.period, signature.object_until);
    let (zh, en) = match signature.conclusion {
        Conclusion::Accepted => ("验收合格", "is accepted"),
        Conclusion::AcceptedWithReservations => ("有保留地验收合格", "is accepted with reservations"),
        Conclusion::Refused => ("验收不合格", "is refused"),
    };
    let tiding = Tiding {
        acceptance: one,
        step: "signed",
        happened: Both::new(format!("第 {period} 期{zh}"), format!("period {period} {en}")),
        details: Some(Both::new(
            format!("承接主体有异议的，可在 {until} 前（含当日）提出一次。"),
            format!("The contractor can object once, up to {until}."),
        )),
    };
    tell_both(tx, signed, &tiding)
}

/// To both: that silence has accepted a period.
pub(super) fn silent(tx: &mut Tx<'_>, signed: &Signed, one: &Acceptance) -> Answer<()> {
    let period = one.period;
    let tiding = Tiding {
        acceptance: one,
        step: "silent",
        happened: Both::new(
            format!("第 {period} 期检验期限届满未签署验收书，视为验收合格"),
            format!("no certificate was signed for period {period} in time, and silence has accepted it"),
        ),
        details: None,
    };
    tell_both(tx, signed, &tiding)
}

/// To the buyer: that the contractor objects, and whom that waits for.
pub(super) fn objected(tx: &mut Tx<'_>, signed: &Signed, one: &Acceptance) -> Answer<()> {
    let period = one.period;
    let tiding = Tiding {
        acceptance: one,
        step: "objected",
        happened: Both::new(
            format!("承接主体对第 {period} 期验收书提出异议"),
            format!("the contractor objects to the certificate for period {period}"),
        ),
        details: Some(Both::new(
            "由起草人、签署人以外的审批人裁定。",
            "An approver decides who neither drafted nor signed it.",
        )),
    };
    tell(tx, signed, Party::Buyer, &tiding)
}

/// To both: what was decided, and what follows.
pub(super) fn decided(
    tx: &mut Tx<'_>,
    signed: &Signed,
    (one, next): (&Acceptance, Option<&Acceptance>),
) -> Answer<()> {
    let period = one.period;
    let happened = if next.is_some() {
        Both::new(
            format!("对第 {period} 期验收书的异议成立，验收书失效"),
            format!(
                "the objection to the certificate for period {period} was upheld, and the certificate falls"
            ),
        )
    } else {
        Both::new(
            format!("对第 {period} 期验收书的异议不成立，验收书有效"),
            format!(
                "the objection to the certificate for period {period} was rejected, and the certificate stands"
            ),
        )
    };
    let details = next.and_then(|next| next.inspecting).map(|time| {
        let until = time.until;
        Both::new(
            format!("重新验收，检验期限至 {until}（含当日）。"),
            format!("The period is inspected again, up to {until}."),
        )
    });
    let tiding = Tiding {
        acceptance: one,
        step: "decided",
        happened,
        details,
    };
    tell_both(tx, signed, &tiding)
}
