//! Who is told by mail of payment batches: the buyer's finance officers, of whom another one executes it, and then brings its file to the bank. Through the outbox, in the
//! transaction of the act that it tells of.

use crate::db::writer::Tx;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::outbox;
use crate::outbox::content::{BankPaymentsHappened, Content};
use crate::outbox::notice::Notice;
use crate::outbox::wording::Both;
use crate::payments::rules_batches::Batch;
use crate::registry::store_contacts;
use crate::web::policy::Role;

/// Tells the finance officers of a buyer something, once under a key.
pub(super) fn tell(
    tx: &mut Tx<'_>,
    buyer: &OrganisationId,
    (key, path): (&str, String),
    (happened, details): (Both, Option<Both>),
) -> Answer<()> {
    let content = Content::from(BankPaymentsHappened {
        happened,
        details,
        path,
    });
    for reader in store_contacts::people(tx.conn(), buyer, Role::FinanceOfficer)? {
        let account = reader.account_id.clone().unwrap_or_default();
        let notice = Notice::new(format!("{key}:{account}"), reader, content.clone());
        outbox::store::enqueue(tx, &notice)?;
    }
    Ok(())
}

fn told(tx: &mut Tx<'_>, batch: &Batch, step: &str, (happened, details): (Both, Both)) -> Answer<()> {
    let id = &batch.id;
    let key = format!("{id}:{step}");
    let path = format!("/api/v1/payment-batches/{id}");
    tell(tx, &batch.buyer_id, (&key, path), (happened, Some(details)))
}

/// That a batch waits to be executed.
pub(super) fn made(tx: &mut Tx<'_>, batch: &Batch) -> Answer<()> {
    let (count, total) = (batch.items.len(), batch.total.grouped());
    let happened = Both::new(
        format!("支付批次已生成，共 {count} 笔 {total} 元"),
        format!("a payment batch of {count} claims and {total} CNY was put together"),
    );
    let details = Both::new(
        "请由生成人和批准人以外的财务人员执行。",
        "A finance officer who has neither made it nor approved its claims executes it.",
    );
    told(tx, batch, "made", (happened, details))
}

/// That its file is there for the bank.
pub(super) fn executed(tx: &mut Tx<'_>, batch: &Batch) -> Answer<()> {
    let (count, total) = (batch.items.len(), batch.total.grouped());
    let happened = Both::new(
        format!("支付批次已执行，共 {count} 笔 {total} 元"),
        format!("a payment batch of {count} claims and {total} CNY was executed"),
    );
    let details = Both::new(
        "请将支付文件送交银行，并读入银行的回执或对账单。",
        "Bring its file to the bank, and read in what the bank answers.",
    );
    told(tx, batch, "executed", (happened, details))
}
