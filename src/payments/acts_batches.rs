//! What is done about payment batches: put together by one finance officer, executed by another, or withdrawn. Executing one pays every claim of it, each under the rules of a
//! payment of its own, or none. Permission first, event last.

use chrono_tz::Tz;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit;
use crate::audit::entry::Event;
use crate::contracts::desk;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::kernel::local_day::local_date;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault, Objection, Refusal, Stop};
use crate::kernel::text::Language;
use crate::payments::acts_claims::{doing, not_own_claim};
use crate::payments::acts_payments;
use crate::payments::rules_bank_file::{BankFile, Payment};
use crate::payments::rules_bank_names::Names;
use crate::payments::rules_batches::{
    self as rules, ACCOUNT_CHANGED, ACCOUNT_MISSING, BLOCKED, Batch, CLAIM_IN_BATCH, EMPTY, Item, NewBatch,
    PaymentBatchId, State,
};
use crate::payments::rules_claims::{self as claims, Claim, ClaimId, Kind};
use crate::payments::{store_batches as store, store_claims, tidings_batches as tidings};
use crate::registry::acts_organisations::capacity;
use crate::registry::rules_bank_accounts::{BankAccountChange, ChangeState};
use crate::registry::store_bank_accounts;
use crate::text;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// A batch of that id. That there is one is for its buyer's finance officers and auditors.
///
/// # Errors
/// Not found; a fault of the database.
pub fn seen(conn: &mut Conn, actor: &Actor, id: &PaymentBatchId) -> Answer<Batch> {
    let batch = store::batch(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let matter = Matter::of_organisation(&batch.buyer_id);
    if policy::allows(actor, Action::ReadPaymentBatches, matter) {
        Ok(batch)
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

fn account_of(conn: &mut Conn, organisation: &OrganisationId) -> Answer<Option<BankAccountChange>> {
    store_bank_accounts::newest(conn, organisation, ChangeState::Confirmed)
}

/// What a claim is paid for, as its recipient reads it.
fn purpose(claim: &Claim, names: Names) -> String {
    let invoice = &claim.entered.invoice_number;
    let (zh, en) = match (claim.entered.kind, claim.entered.period) {
        (Kind::Period, Some(number)) => (format!("第{number}期"), format!("PERIOD {number}")),
        (Kind::Period, None) => ("分期".to_owned(), "PERIOD".to_owned()),
        (Kind::Advance, _) => ("预付款".to_owned(), "ADVANCE".to_owned()),
        (Kind::Retention, _) => ("质保金".to_owned(), "RETENTION".to_owned()),
        (Kind::Settlement, _) => ("解除结算".to_owned(), "SETTLEMENT".to_owned()),
        (Kind::Interest, _) => ("逾期利息".to_owned(), "INTEREST".to_owned()),
    };
    match names {
        Names::Chinese => format!("{zh} 发票 {invoice}"),
        Names::Latin => format!("{en} INVOICE {invoice}"),
    }
}

/// A claim that may be in a batch, as its file names it.
fn payment(
    conn: &mut Conn,
    actor: &Actor,
    (buyer, names): (&OrganisationId, Names),
    id: &ClaimId,
) -> Answer<(Item, Payment)> {
    let claim = store_claims::claim(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let signed = desk::signed(conn, &claim.contract_id)?;
    if signed.contract.buyer_id != *buyer {
        return Err(NOT_FOUND.refuse().into());
    }
    not_own_claim(actor, &signed)?;
    claim.may_be_executed()?;
    if store::waiting_in(conn, id)?.is_some() {
        return Err(CLAIM_IN_BATCH.refuse().into());
    }
    let account = account_of(conn, &claim.supplier_id)?.filter(|account| account.id == claim.account_id);
    let account = account.ok_or_else(|| claims::ACCOUNT_CHANGED.refuse())?;
    let amount = claim.counted();
    let item = Item {
        claim_id: id.clone(),
        amount,
    };
    let payment = Payment {
        end_to_end_id: rules::reference(id.as_str()).to_owned(),
        amount,
        to: account.account,
        purpose: purpose(&claim, names),
    };
    Ok((item, payment))
}

/// A claim that stands in the way, by its id.
fn objection(pointer: String, id: &ClaimId, refusal: &Refusal) -> Objection {
    let detail = refusal.detail.as_ref().unwrap_or(&refusal.reason.title);
    let (zh, en) = (
        detail.in_language(Language::Chinese),
        detail.in_language(Language::English),
    );
    Objection {
        pointer,
        code: refusal.reason.code,
        detail: text!("{id}：{zh}", "{id}: {en}"),
    }
}

/// Puts a batch together: the claims that are named, or the oldest of the buyer's that are approved and can be paid. The bytes of its file are made and hashed now.
///
/// # Errors
/// In this order: permission; those of [`rules::entered`]; [`ACCOUNT_MISSING`]; [`BLOCKED`] with every claim that cannot be in it; [`EMPTY`]; those of [`BankFile::written`];
/// separation of duties.
pub fn make(tx: &mut Tx<'_>, actor: &Actor, new: NewBatch, zone: Tz) -> Answer<Batch> {
    policy::allow(
        actor,
        Action::MakePaymentBatch,
        Matter::of_organisation(&new.buyer_id),
    )?;
    let now = tx.now();
    let new = rules::entered(new, local_date(now, zone))?;
    let from = account_of(tx.conn(), &new.buyer_id)?.ok_or_else(|| ACCOUNT_MISSING.refuse())?;
    let (items, payments) = chosen(tx.conn(), actor, &new)?.into_iter().unzip();
    let id = PaymentBatchId::mint(now);
    let file = BankFile {
        message_id: rules::reference(id.as_str()).to_owned(),
        made_at: now,
        execution_on: new.execution_on,
        names: new.names,
        from: from.account,
        payments,
    };
    let content = file.written()?;
    let batch = Batch {
        id,
        account_id: from.id,
        execution_on: new.execution_on,
        names: new.names,
        items,
        total: file.total()?,
        sha256: Sha256::digest(content.as_bytes()).into(),
        made: doing(tx, actor)?,
        state: State::Made,
        decided: None,
        revision: 1,
        buyer_id: new.buyer_id,
    };
    let matter = Matter::of_organisation(&batch.buyer_id);
    let capacity = capacity(actor, Action::MakePaymentBatch, matter);
    duties::undertake(tx, actor, capacity, Duty::Propose, batch.id.as_str())?;
    store::insert(tx, &batch, &content)?;
    let claims: Vec<&ClaimId> = batch.items.iter().map(|item| &item.claim_id).collect();
    let data = json!({ "execution_on": batch.execution_on, "names": batch.names, "claims": claims });
    record(tx, actor, "payment_batch.made", &batch, data)?;
    tidings::made(tx, &batch)?;
    Ok(batch)
}

fn chosen(conn: &mut Conn, actor: &Actor, new: &NewBatch) -> Answer<Vec<(Item, Payment)>> {
    let ids = match &new.claim_ids {
        Some(ids) => ids.clone(),
        None => store::approved(
            conn,
            &new.buyer_id,
            i64::try_from(new.claims_max).unwrap_or(i64::MAX),
        )?,
    };
    let mut found = Vec::with_capacity(ids.len());
    let mut against = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        match payment(conn, actor, (&new.buyer_id, new.names), id) {
            Ok(one) => found.push(one),
            Err(Stop::Refused(refusal)) => {
                against.push(objection(format!("/claim_ids/{index}"), id, &refusal));
            }
            Err(fault) => return Err(fault),
        }
    }
    // Whoever has named claims wants these; whoever has not wants what can be paid.
    if new.claim_ids.is_some() && !against.is_empty() {
        return Err(BLOCKED.refuse().listing(against).into());
    }
    if found.is_empty() {
        return Err(EMPTY.refuse().into());
    }
    Ok(found)
}

/// Executes a batch as another finance officer than who has made it: every claim of it is paid, as [`acts_payments::execute`] pays one, or none is.
///
/// # Errors
/// In this order: not found; permission; a stale revision; those of [`Batch::execute`]; [`ACCOUNT_CHANGED`]; separation of duties; [`BLOCKED`] with what stands against each claim.
pub fn execute(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&PaymentBatchId, Expected),
    calendar: &WardCalendar,
) -> Answer<Batch> {
    policy::allow_at_all(actor, Action::ExecuteClaim)?;
    let batch = seen(tx.conn(), actor, id)?;
    let buyer = batch.buyer_id.clone();
    let matter = Matter::of_organisation(&buyer);
    policy::allow(actor, Action::ExecuteClaim, matter)?;
    expected.check(batch.revision)?;
    let today = local_date(tx.now(), calendar.zone);
    let waiting = batch.id.clone();
    let batch = batch.execute(doing(tx, actor)?, today)?;
    let account = account_of(tx.conn(), &buyer)?;
    if account.is_none_or(|account| account.id != batch.account_id) {
        return Err(ACCOUNT_CHANGED.refuse().into());
    }
    let capacity = capacity(actor, Action::ExecuteClaim, matter);
    duties::undertake(tx, actor, capacity, Duty::Confirm, batch.id.as_str())?;
    let mut against = Vec::new();
    for (index, item) in batch.items.iter().enumerate() {
        let claim = (&item.claim_id, Expected::Any);
        match acts_payments::pay(tx, actor, claim, (calendar, Some(&waiting))) {
            Ok(seen) if seen.claim.counted() == item.amount => {}
            Ok(_) => {
                let what = format!("{} is paid another sum than its file says", item.claim_id);
                return Err(Fault::broken(what).into());
            }
            Err(Stop::Refused(refusal)) => {
                against.push(objection(format!("/claims/{index}"), &item.claim_id, &refusal));
            }
            Err(fault) => return Err(fault),
        }
    }
    if !against.is_empty() {
        // What was done of the others goes with the transaction.
        return Err(BLOCKED.refuse().listing(against).into());
    }
    store::advance(tx, &batch)?;
    record(tx, actor, "payment_batch.executed", &batch, json!({}))?;
    tidings::executed(tx, &batch)?;
    Ok(batch)
}

/// Takes a batch back that was not executed; its claims are free.
///
/// # Errors
/// In this order: not found; permission; a stale revision; those of [`Batch::withdraw`].
pub fn withdraw(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&PaymentBatchId, Expected),
) -> Answer<Batch> {
    policy::allow_at_all(actor, Action::MakePaymentBatch)?;
    let batch = seen(tx.conn(), actor, id)?;
    let matter = Matter::of_organisation(&batch.buyer_id);
    policy::allow(actor, Action::MakePaymentBatch, matter)?;
    expected.check(batch.revision)?;
    let batch = batch.withdraw(doing(tx, actor)?)?;
    store::advance(tx, &batch)?;
    record(tx, actor, "payment_batch.withdrawn", &batch, json!({}))?;
    Ok(batch)
}

/// The bytes of the file of a batch that was executed.
///
/// # Errors
/// In this order: not found; permission; `payment_batch_not_executed`; a fault of the database.
pub fn file(conn: &mut Conn, actor: &Actor, id: &PaymentBatchId) -> Answer<(Batch, String)> {
    let batch = seen(conn, actor, id)?;
    policy::allow(
        actor,
        Action::OpenPaymentFile,
        Matter::of_organisation(&batch.buyer_id),
    )?;
    batch.may_go_to_the_bank()?;
    let content = store::content(conn, id)?;
    Ok((batch, content))
}

fn record(tx: &mut Tx<'_>, actor: &Actor, kind: &'static str, batch: &Batch, more: Value) -> Answer<()> {
    let total: Money = batch.total;
    let of = json!({
        "buyer": batch.buyer_id, "count": batch.items.len(), "total": total, "sha256": hex::encode(batch.sha256),
    });
    let event = Event {
        kind,
        subject: batch.id.to_string(),
        data: crate::award::desk::joined(more, of),
        private: json!({ "bank_account_id": batch.account_id }),
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
