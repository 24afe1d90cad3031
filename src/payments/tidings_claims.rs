//! Who is told by mail of claims: at each step whoever has to do the next one, and the contractor of all that becomes of what it claims. Through the outbox, in the transaction
//! of the act that it tells of.

use crate::contracts::desk::Signed;
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::outbox;
use crate::outbox::content::{Content, InspectionHappened};
use crate::outbox::notice::Notice;
use crate::outbox::wording::Both;
use crate::payments::rules_claims::{Claim, Kind};
use crate::payments::rules_closings::Closing;
use crate::registry::store_contacts;
use crate::standards::rules_indicators::Line;
use crate::web::policy::Role;

/// Who is told.
#[derive(Clone, Copy)]
enum To {
    Contractor,
    /// Who holds the role for the buyer.
    Buyer(Role),
}

/// What is told, and of which claim.
struct Tiding<'t> {
    claim: &'t Claim,
    /// Told once to each reader for each revision.
    step: &'static str,
    happened: Both,
    details: Option<Both>,
}

fn tell(tx: &mut Tx<'_>, signed: &Signed, to: To, tiding: &Tiding<'_>) -> Answer<()> {
    let contract = &signed.contract;
    let readers = match to {
        To::Contractor => store_contacts::acting_for(tx.conn(), &contract.supplier_id)?,
        To::Buyer(role) => store_contacts::people(tx.conn(), &contract.buyer_id, role)?,
    };
    let said = &signed.document;
    let (id, revision) = (&tiding.claim.id, tiding.claim.revision);
    let content = Content::from(InspectionHappened {
        book: Both::new(&said.title_zh, &said.title_en),
        lot: said.lot.code.clone(),
        happened: tiding.happened.clone(),
        details: tiding.details.clone(),
        path: format!("/api/v1/claims/{id}"),
        is_contractor: matches!(to, To::Contractor),
    });
    for reader in readers {
        let account = reader.account_id.clone().unwrap_or_default();
        let key = format!("{id}:{}:{revision}:{account}", tiding.step);
        outbox::store::enqueue(tx, &Notice::new(key, reader, content.clone()))?;
    }
    Ok(())
}

/// To the contractor: that nothing of a period is paid any more.
pub(super) fn closed(tx: &mut Tx<'_>, signed: &Signed, one: &Closing) -> Answer<()> {
    let (contract, said, number) = (&signed.contract, &signed.document, one.period);
    let released = one.released.grouped();
    let content = Content::from(InspectionHappened {
        book: Both::new(&said.title_zh, &said.title_en),
        lot: said.lot.code.clone(),
        happened: Both::new(
            format!("第 {number} 期已结清，{released} 元退回预算项"),
            format!("period {number} was closed, and {released} CNY go back to the budget line"),
        ),
        details: Some(Both::new(
            "该期没有应付未付的款项。",
            "Nothing of it is to be paid any more.",
        )),
        path: format!("/api/v1/contracts/{}/periods/{number}/pay", contract.id),
        is_contractor: true,
    });
    for reader in store_contacts::acting_for(tx.conn(), &contract.supplier_id)? {
        let account = reader.account_id.clone().unwrap_or_default();
        let key = format!("{}:period-closed:{number}:{account}", contract.id);
        outbox::store::enqueue(tx, &Notice::new(key, reader, content.clone()))?;
    }
    Ok(())
}

/// What was claimed, in words.
fn what(claim: &Claim) -> (String, String) {
    let amount = claim.entered.amount.grouped();
    let (zh, en) = match (claim.entered.kind, claim.entered.period) {
        (Kind::Period, Some(number)) => (format!("第 {number} 期"), format!("period {number}")),
        (Kind::Period, None) => ("分期".to_owned(), "a period".to_owned()),
        (Kind::Advance, _) => ("预付款".to_owned(), "the advance".to_owned()),
        (Kind::Retention, _) => ("质保金".to_owned(), "the retention".to_owned()),
        (Kind::Settlement, _) => ("解除结算".to_owned(), "the settlement".to_owned()),
        (Kind::Interest, _) => ("逾期利息".to_owned(), "interest for late payment".to_owned()),
    };
    (
        format!("{zh}请款 {amount} 元"),
        format!("the claim for {en} of {amount} CNY"),
    )
}

fn certified_amount(claim: &Claim) -> String {
    let certified = claim.certified.as_ref();
    certified
        .map_or(claim.entered.amount, |certified| certified.amount)
        .grouped()
}

fn said(line: &Line) -> Both {
    Both::new(&line.zh, &line.en)
}

/// To the buyer's officers: that something is claimed.
pub(super) fn made(tx: &mut Tx<'_>, signed: &Signed, one: &Claim) -> Answer<()> {
    let (zh, en) = what(one);
    let tiding = Tiding {
        claim: one,
        step: "made",
        happened: Both::new(format!("{zh}，请核定"), format!("{en} waits to be certified")),
        details: None,
    };
    tell(tx, signed, To::Buyer(Role::BuyerOfficer), &tiding)
}

/// To finance officers, and to the contractor: what was certified, and why it is less.
pub(super) fn certified(tx: &mut Tx<'_>, signed: &Signed, one: &Claim) -> Answer<()> {
    let ((zh, en), amount) = (what(one), certified_amount(one));
    let less = one
        .certified
        .as_ref()
        .and_then(|certified| certified.less.as_ref());
    let tiding = Tiding {
        claim: one,
        step: "certified",
        happened: Both::new(
            format!("{zh}已核定 {amount} 元"),
            format!("{en} was certified for {amount} CNY"),
        ),
        details: less.map(said),
    };
    tell(tx, signed, To::Contractor, &tiding)?;
    let tiding = Tiding {
        details: Some(Both::new("请批准支付。", "Its payment waits to be approved.")),
        ..tiding
    };
    tell(tx, signed, To::Buyer(Role::FinanceOfficer), &tiding)
}

/// To finance officers, and to the contractor: that the payment was approved.
pub(super) fn approved(tx: &mut Tx<'_>, signed: &Signed, one: &Claim) -> Answer<()> {
    let ((zh, en), amount) = (what(one), certified_amount(one));
    let tiding = Tiding {
        claim: one,
        step: "approved",
        happened: Both::new(
            format!("{zh}已批准支付 {amount} 元"),
            format!("the payment of {amount} CNY for {en} was approved"),
        ),
        details: None,
    };
    tell(tx, signed, To::Contractor, &tiding)?;
    let tiding = Tiding {
        details: Some(Both::new(
            "请由批准人以外的财务人员执行支付。",
            "Another finance officer than who approved it pays it.",
        )),
        ..tiding
    };
    tell(tx, signed, To::Buyer(Role::FinanceOfficer), &tiding)
}

/// To the contractor: that it was paid.
pub(super) fn executed(tx: &mut Tx<'_>, signed: &Signed, one: &Claim) -> Answer<()> {
    let ((zh, en), amount) = (what(one), certified_amount(one));
    let tiding = Tiding {
        claim: one,
        step: "executed",
        happened: Both::new(
            format!("{zh}已执行支付 {amount} 元"),
            format!("{amount} CNY were paid for {en}"),
        ),
        details: None,
    };
    tell(tx, signed, To::Contractor, &tiding)
}

/// To finance officers: that it was paid by itself, and the bank's reference is missing.
pub(super) fn awaits_bank(tx: &mut Tx<'_>, signed: &Signed, one: &Claim) -> Answer<()> {
    let ((zh, en), amount) = (what(one), certified_amount(one));
    let tiding = Tiding {
        claim: one,
        step: "executed",
        happened: Both::new(
            format!("{zh}已执行支付 {amount} 元"),
            format!("{amount} CNY were paid for {en}"),
        ),
        details: Some(Both::new(
            "请在银行处理后登记回单号，或登记支付失败。",
            "Once the bank has done it, record its reference, or that it failed.",
        )),
    };
    tell(tx, signed, To::Buyer(Role::FinanceOfficer), &tiding)
}

/// To the contractor: that the bank has paid it.
pub(super) fn confirmed(tx: &mut Tx<'_>, signed: &Signed, one: &Claim) -> Answer<()> {
    let ((zh, en), amount) = (what(one), certified_amount(one));
    let tiding = Tiding {
        claim: one,
        step: "confirmed",
        happened: Both::new(
            format!("{zh}的 {amount} 元已到账"),
            format!("the bank has paid {amount} CNY for {en}"),
        ),
        details: None,
    };
    tell(tx, signed, To::Contractor, &tiding)
}

/// To the contractor: that the claim was sent back, and why.
pub(super) fn returned(tx: &mut Tx<'_>, signed: &Signed, one: &Claim) -> Answer<()> {
    let (zh, en) = what(one);
    let tiding = Tiding {
        claim: one,
        step: "returned",
        happened: Both::new(format!("{zh}已退回"), format!("{en} was returned")),
        details: one.ended.as_ref().map(|ended| said(&ended.reason)),
    };
    tell(tx, signed, To::Contractor, &tiding)
}

/// To the contractor and the buyer's officers: that the bank could not pay it, and why.
pub(super) fn failed(tx: &mut Tx<'_>, signed: &Signed, one: &Claim) -> Answer<()> {
    let (zh, en) = what(one);
    let tiding = Tiding {
        claim: one,
        step: "failed",
        happened: Both::new(
            format!("{zh}支付失败，请重新请款"),
            format!("the bank could not pay {en}; it is to be claimed anew"),
        ),
        details: one.ended.as_ref().map(|ended| said(&ended.reason)),
    };
    tell(tx, signed, To::Contractor, &tiding)?;
    tell(tx, signed, To::Buyer(Role::BuyerOfficer), &tiding)
}
