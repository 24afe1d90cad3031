//! How payment batches are shown: to the buyer's finance officers and auditors. Whole account numbers are in the file alone.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::conn::Conn;
use crate::kernel::clock::rfc3339;
use crate::kernel::money::Money;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::payments::rules_bank_names::Names;
use crate::payments::rules_batches::{Batch, PaymentBatchId, State, reference};
use crate::payments::rules_claims::{ClaimId, State as ClaimState};
use crate::payments::store_claims;
use crate::registry::rules_bank_accounts::BankAccountChangeId;
use crate::registry::store_bank_accounts;

/// A claim of a batch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentBatchClaim, example = json!({
    "claim_id": "claim_01jd3n8f5teqkrzvq1c0m6h2ax", "amount": {"amount": "188868.30", "currency": "CNY"},
    "end_to_end_id": "01jd3n8f5teqkrzvq1c0m6h2ax", "state": "executed"
}))]
pub struct ItemView {
    /// The claim.
    pub claim_id: ClaimId,
    /// What is paid of it.
    pub amount: Money,
    /// By which the bank calls the payment.
    #[schema(min_length = 26, max_length = 26)]
    pub end_to_end_id: String,
    /// How far the claim has come by now.
    pub state: ClaimState,
}

/// A payment batch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentBatch, example = json!({
    "id": "paymentbatch_01jd3n8f5teqkrzvq1c0m6h2ax", "buyer_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax",
    "bank_account_id": "accountchange_01jd3n8f5teqkrzvq1c0m6h2ax", "bank_account": "**** **** 3456", "execution_on": "2026-06-15", "names": "chinese",
    "state": "made", "count": 1, "total": {"amount": "188868.30", "currency": "CNY"}, "claims": [{
        "claim_id": "claim_01jd3n8f5teqkrzvq1c0m6h2ax", "amount": {"amount": "188868.30", "currency": "CNY"},
        "end_to_end_id": "01jd3n8f5teqkrzvq1c0m6h2ax", "state": "approved"
    }], "message_id": "01jd3n8f5teqkrzvq1c0m6h2ax", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "made_at": "2026-06-12T02:00:00.000000Z", "made_by": "user_01jd3n8f5teqkrzvq1c0m6h2ax", "decided_at": null, "decided_by": null, "revision": 1
}))]
pub struct BatchView {
    /// Its id.
    pub id: PaymentBatchId,
    /// Whose claims, and whose money.
    pub buyer_id: OrganisationId,
    /// The change by which the buyer's bank account was confirmed.
    pub bank_account_id: BankAccountChangeId,
    /// The end of its number.
    pub bank_account: String,
    /// On which day the bank is to pay.
    #[schema(value_type = String)]
    pub execution_on: NaiveDate,
    /// In which letters names are in the file.
    pub names: Names,
    /// How far it has come.
    pub state: State,
    /// How many payments.
    #[schema(minimum = 1, maximum = 200)]
    pub count: usize,
    /// What they come to.
    pub total: Money,
    /// Its claims, in the order of the file.
    #[schema(min_items = 1, max_items = 200)]
    pub claims: Vec<ItemView>,
    /// By which the bank calls the file (`MsgId`).
    #[schema(min_length = 26, max_length = 26)]
    pub message_id: String,
    /// SHA-256 of the bytes of the file, as the log has it.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// When it was made, UTC.
    pub made_at: String,
    /// Who made it.
    pub made_by: AccountId,
    /// When it was executed or withdrawn, UTC.
    #[schema(required = true)]
    pub decided_at: Option<String>,
    /// Who did.
    #[schema(required = true)]
    pub decided_by: Option<AccountId>,
    /// Counts the changes, from 1; also the `ETag`.
    pub revision: i64,
}

/// A batch as its buyer's finance officers see it.
///
/// # Errors
/// A fault of the database.
pub fn shown(conn: &mut Conn, one: &Batch) -> Answer<BatchView> {
    let ids: Vec<ClaimId> = one.items.iter().map(|item| item.claim_id.clone()).collect();
    let states = store_claims::states(conn, &ids)?;
    let mut claims = Vec::with_capacity(one.items.len());
    for item in &one.items {
        let state = states.get(item.claim_id.as_str()).copied();
        claims.push(ItemView {
            end_to_end_id: reference(item.claim_id.as_str()).to_owned(),
            claim_id: item.claim_id.clone(),
            amount: item.amount,
            state: state.ok_or_else(|| Fault::broken(format!("{} is not there", item.claim_id)))?,
        });
    }
    let account = store_bank_accounts::change(conn, &one.account_id)?;
    let account = account.ok_or_else(|| Fault::broken(format!("{} has no account", one.id)))?;
    Ok(BatchView {
        id: one.id.clone(),
        buyer_id: one.buyer_id.clone(),
        bank_account_id: one.account_id.clone(),
        bank_account: account.account.masked(),
        execution_on: one.execution_on,
        names: one.names,
        state: one.state,
        count: claims.len(),
        total: one.total,
        claims,
        message_id: reference(one.id.as_str()).to_owned(),
        sha256: hex::encode(one.sha256),
        made_at: rfc3339(one.made.at),
        made_by: one.made.by.clone(),
        decided_at: one.decided.as_ref().map(|done| rfc3339(done.at)),
        decided_by: one.decided.as_ref().map(|done| done.by.clone()),
        revision: one.revision,
    })
}
