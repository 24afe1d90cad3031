//! How what a bank said is shown: each entry with its place, and what came of it. To the buyer's finance officers and auditors.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::rfc3339;
use crate::kernel::money::Money;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::Fault;
use crate::payments::acts_bank_statements::{Came, Incoming, shown};
use crate::payments::rules_bank_results::{Amount, BankStatementId, Entry, Format, Known, Outcome, Subject};
use crate::payments::rules_claims::ClaimId;
use crate::payments::store_bank_statements::Statement;

/// What came of an entry.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = BankStatementEntry, example = json!({
    "place": "/Stmt/1/Ntry/1/TxDtls/1", "end_to_end_id": "01jd3n8f5teqkrzvq1c0m6h2ax", "claim_id": "claim_01jd3n8f5teqkrzvq1c0m6h2ax",
    "amount": {"amount": "188868.30", "currency": "CNY"}, "reference": "2026061500012345", "booked_on": "2026-06-15", "reason": null, "outcome": "confirmed"
}))]
pub struct EntryView {
    /// Where it stands in the file: elements by their numbers from 1, rows of a table from 0.
    pub place: String,
    /// What the bank calls the payment.
    #[schema(required = true)]
    pub end_to_end_id: Option<String>,
    /// The claim that it is.
    #[schema(required = true)]
    pub claim_id: Option<ClaimId>,
    /// How much the bank says it is; `null` if it does not say so, or not in CNY.
    #[schema(required = true)]
    pub amount: Option<Money>,
    /// The bank's reference.
    #[schema(required = true)]
    pub reference: Option<String>,
    /// On which day.
    #[schema(value_type = Option<String>, required = true)]
    pub booked_on: Option<NaiveDate>,
    /// Why it was rejected or came back.
    #[schema(required = true)]
    pub reason: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// An entry, and what came of it.
pub(super) fn told(entry: &Entry, known: Option<&Known>, outcome: Outcome) -> EntryView {
    let id = match &entry.subject {
        Subject::Payment(id) | Subject::Message(id) => Some(id.as_str()),
        Subject::Nobody => None,
    };
    let amount = match &entry.amount {
        Some(Amount::Exact(amount)) => Some(*amount),
        Some(Amount::Odd) | None => None,
    };
    EntryView {
        place: entry.place.clone(),
        end_to_end_id: shown(id),
        claim_id: known.map(|known| known.claim_id.clone()),
        amount,
        reference: shown(entry.reference.as_deref()),
        booked_on: entry.booked_on,
        reason: shown(entry.reason.as_deref()),
        outcome,
    }
}

/// What a bank said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankStatement, example = json!({
    "id": "bankstatement_01jd3n8f5teqkrzvq1c0m6h2ax", "buyer_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "format": "camt_053",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "is_dry_run": false, "is_repeat": false, "confirmed": 1, "failed": 0,
    "entries": [{
        "place": "/Stmt/1/Ntry/1/TxDtls/1", "end_to_end_id": "01jd3n8f5teqkrzvq1c0m6h2ax", "claim_id": "claim_01jd3n8f5teqkrzvq1c0m6h2ax",
        "amount": {"amount": "188868.30", "currency": "CNY"}, "reference": "2026061500012345", "booked_on": "2026-06-15", "reason": null, "outcome": "confirmed"
    }], "read_at": "2026-06-15T02:00:00.000000Z", "read_by": "user_01jd3n8f5teqkrzvq1c0m6h2ax"
}))]
pub struct StatementView {
    /// Its id; `null` if it was not kept: of a trial, or of a file that was read before and changes nothing.
    #[schema(required = true)]
    pub id: Option<BankStatementId>,
    /// Of whose payments.
    pub buyer_id: OrganisationId,
    /// What sort of file it is.
    pub format: Format,
    /// SHA-256 of its bytes.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// Whether it was a trial, which has done nothing.
    pub is_dry_run: bool,
    /// Whether the same bytes were read before.
    pub is_repeat: bool,
    /// How many payments it confirms.
    pub confirmed: i64,
    /// Of how many the money comes back.
    pub failed: i64,
    /// What comes of each entry, in the order of the file.
    pub entries: Vec<EntryView>,
    /// When it was read, UTC; `null` if it was not kept.
    #[schema(required = true)]
    pub read_at: Option<String>,
    /// Who read it.
    #[schema(required = true)]
    pub read_by: Option<AccountId>,
}

impl StatementView {
    /// What came of a file, or would.
    pub fn of(incoming: &Incoming, came: Came, sha256: [u8; 32], is_dry_run: bool) -> Self {
        let count = |what: Outcome| {
            let counted = came.entries.iter().filter(|one| one.outcome == what).count();
            i64::try_from(counted).unwrap_or(i64::MAX)
        };
        let (confirmed, failed) = (count(Outcome::Confirmed), count(Outcome::Failed));
        Self {
            id: came.kept.as_ref().map(|kept| kept.id.clone()),
            buyer_id: incoming.buyer_id.clone(),
            format: incoming.reading.format,
            sha256: hex::encode(sha256),
            is_dry_run,
            is_repeat: came.is_repeat,
            confirmed,
            failed,
            read_at: came.kept.as_ref().map(|kept| rfc3339(kept.done.at)),
            read_by: came.kept.map(|kept| kept.done.by),
            entries: came.entries,
        }
    }
}

impl TryFrom<Statement> for StatementView {
    type Error = Fault;

    fn try_from(one: Statement) -> Result<Self, Fault> {
        let entries = serde_json::from_str(&one.report);
        Ok(Self {
            entries: entries.map_err(|error| Fault::caused("read what a bank said", error))?,
            id: Some(one.id),
            buyer_id: one.buyer_id,
            format: one.format,
            sha256: hex::encode(one.sha256),
            is_dry_run: false,
            is_repeat: false,
            confirmed: one.counts.1,
            failed: one.counts.2,
            read_at: Some(rfc3339(one.done.at)),
            read_by: Some(one.done.by),
        })
    }
}

/// A file of a bank in a list, without its entries.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankStatementSummary, example = json!({
    "id": "bankstatement_01jd3n8f5teqkrzvq1c0m6h2ax", "format": "camt_053", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "entries": 1, "confirmed": 1, "failed": 0, "read_at": "2026-06-15T02:00:00.000000Z", "read_by": "user_01jd3n8f5teqkrzvq1c0m6h2ax"
}))]
pub struct SummaryView {
    /// Its id.
    pub id: BankStatementId,
    /// What sort of file it is.
    pub format: Format,
    /// SHA-256 of its bytes.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// How many entries it has.
    pub entries: i64,
    /// How many payments it confirmed.
    pub confirmed: i64,
    /// Of how many the money came back.
    pub failed: i64,
    /// When it was read, UTC.
    pub read_at: String,
    /// Who read it.
    pub read_by: AccountId,
}

impl From<Statement> for SummaryView {
    fn from(one: Statement) -> Self {
        let (entries, confirmed, failed) = one.counts;
        Self {
            id: one.id,
            format: one.format,
            sha256: hex::encode(one.sha256),
            entries,
            confirmed,
            failed,
            read_at: rfc3339(one.done.at),
            read_by: one.done.by,
        }
    }
}
