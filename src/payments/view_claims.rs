//! How claims are shown: to everybody the amounts, how far they have come and why less was certified; to the parties and auditors also invoices, bank accounts and
//! references, who did what, why something was sent back, and the files.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::contracts::desk::Signed;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptances::AcceptanceId;
use crate::db::conn::Conn;
use crate::files::rules::AttachmentId;
use crate::files::store::attached_to;
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::money::Money;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::Answer;
use crate::kernel::weight::Weight;
use crate::payments::desk_claims::late;
use crate::payments::rules_claims::{Certified, Claim, ClaimId, Counted, Kind, State};
use crate::registry::rules_bank_accounts::BankAccountChangeId;
use crate::registry::store_bank_accounts;
use crate::web::actor::Actor;
use crate::web::context::WardCalendar;

/// What was counted of a penalty.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CountedPenalty, example = json!({"penalty": 1, "count": 2, "reason_zh": "逾期两日", "reason_en": "Two days late"}))]
pub struct CountedView {
    /// Which of the contract's penalties, from 1, in the order of its lot.
    #[schema(minimum = 1, maximum = 50)]
    pub penalty: i64,
    /// How many cases or days.
    #[schema(minimum = 1, maximum = 10_000)]
    pub count: u32,
    /// Why so many, in Chinese.
    pub reason_zh: String,
    /// In English.
    pub reason_en: String,
}

impl From<&Counted> for CountedView {
    fn from(one: &Counted) -> Self {
        Self {
            penalty: one.penalty,
            count: one.count,
            reason_zh: one.reason.zh.clone(),
            reason_en: one.reason.en.clone(),
        }
    }
}

/// What was certified of a claim.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClaimCertification, example = json!({
    "acceptance_id": "acceptance_01jd3n8f5teqkrzvq1c0m6h2ax", "payable": {"amount": "188868.30", "currency": "CNY"},
    "deducted": {"amount": "2681.70", "currency": "CNY"}, "recovered": {"amount": "0.00", "currency": "CNY"}, "undisputed_percent": "100", "before": {"amount": "0.00", "currency": "CNY"},
    "amount": {"amount": "188868.30", "currency": "CNY"}, "is_settled": true, "less_zh": "得分 87.20，扣 2,681.70 元",
    "less_en": "The score of 87.20 takes 2,681.70 CNY off", "since": "2026-06-05T02:00:00.000000Z", "due_on": "2026-07-06", "penalties": [],
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "certified_at": "2026-06-08T02:00:00.000000Z", "certified_by": null
}))]
pub struct CertificationView {
    /// By which acceptance the period is accepted; `null` for what is no period's.
    #[schema(required = true)]
    pub acceptance_id: Option<AcceptanceId>,
    /// What that part of the price comes to in all.
    pub payable: Money,
    /// What was taken off it.
    pub deducted: Money,
    /// What it takes back of an advance.
    pub recovered: Money,
    /// How much of it is undisputed, in percent.
    pub undisputed_percent: Weight,
    /// What was certified of it by other claims.
    pub before: Money,
    /// What is certified by this one.
    pub amount: Money,
    /// Whether nothing changes what the part comes to any more.
    pub is_settled: bool,
    /// Why it is less than was claimed, in Chinese; `null` if it is not.
    #[schema(required = true)]
    pub less_zh: Option<String>,
    /// In English.
    #[schema(required = true)]
    pub less_en: Option<String>,
    /// Since when the time for payment runs, UTC.
    pub since: String,
    /// Its last day.
    #[schema(value_type = String)]
    pub due_on: NaiveDate,
    /// What was counted of the contract's penalties.
    #[schema(max_items = 50)]
    pub penalties: Vec<CountedView>,
    /// SHA-256 of the bytes at `derivation`, as the log has it; `null` for what is no period's.
    #[schema(required = true)]
    pub sha256: Option<String>,
    /// When it was certified, UTC.
    pub certified_at: String,
    /// Who certified; for the parties and auditors.
    #[schema(required = true)]
    pub certified_by: Option<AccountId>,
}

impl CertificationView {
    fn of(one: &Certified, is_insider: bool) -> Self {
        Self {
            acceptance_id: one.acceptance_id.clone(),
            payable: one.payable,
            deducted: one.deducted,
            recovered: one.recovered,
            undisputed_percent: one.undisputed,
            before: one.before,
            amount: one.amount,
            is_settled: one.is_settled,
            less_zh: one.less.as_ref().map(|line| line.zh.clone()),
            less_en: one.less.as_ref().map(|line| line.en.clone()),
            since: rfc3339(one.since),
            due_on: one.due_on,
            penalties: one.penalties.iter().map(CountedView::from).collect(),
            sha256: one.sha256.map(hex::encode),
            certified_at: rfc3339(one.done.at),
            certified_by: is_insider.then(|| one.done.by.clone()),
        }
    }
}

/// A claim.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentClaim, example = json!({
    "id": "claim_01jd3n8f5teqkrzvq1c0m6h2ax", "contract_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax", "supplier_id": "org_01jd3n8f5teqkrzvq1c0m6h2ax", "number": 1,
    "kind": "period", "period": 1, "amount": {"amount": "191550.00", "currency": "CNY"}, "state": "claimed", "claimed_at": "2026-06-01T02:00:00.000000Z",
    "certified": null, "approved_at": null, "executed_at": null, "retained": null, "released": null, "confirmed_at": null, "ended_at": null, "due_on": "2026-07-06",
    "days_late": 0, "interest": {"amount": "0.00", "currency": "CNY"}, "invoice_number": null, "invoice_on": null, "bank_account_id": null, "bank_account": null,
    "claimed_by": null, "approved_by": null, "executed_by": null, "confirmed_by": null, "ended_by": null, "bank_reference": null, "reason_zh": null,
    "reason_en": null, "attachment_ids": [], "revision": 1
}))]
pub struct ClaimView {
    /// Its id.
    pub id: ClaimId,
    /// The contract.
    pub contract_id: ContractId,
    /// Who claims.
    pub supplier_id: OrganisationId,
    /// Its number among the claims of the contract, from 1.
    #[schema(minimum = 1, maximum = 1_000)]
    pub number: i64,
    /// What is claimed.
    pub kind: Kind,
    /// The number of the period, of a claim for one.
    #[schema(required = true, minimum = 1, maximum = 120)]
    pub period: Option<i64>,
    /// How much.
    pub amount: Money,
    /// How far it has come.
    pub state: State,
    /// When it was claimed, UTC.
    pub claimed_at: String,
    /// What was certified.
    #[schema(required = true)]
    pub certified: Option<CertificationView>,
    /// When its payment was approved, UTC.
    #[schema(required = true)]
    pub approved_at: Option<String>,
    /// When it was paid, UTC.
    #[schema(required = true)]
    pub executed_at: Option<String>,
    /// What was kept back of the contract's price with it until the end.
    #[schema(required = true)]
    pub retained: Option<Money>,
    /// What went back to the budget line with it, because it was deducted for good.
    #[schema(required = true)]
    pub released: Option<Money>,
    /// When it was said that the bank has paid it, UTC.
    #[schema(required = true)]
    pub confirmed_at: Option<String>,
    /// When it was returned, or failed, UTC.
    #[schema(required = true)]
    pub ended_at: Option<String>,
    /// The last day for payment; `null` before it is known.
    #[schema(value_type = Option<String>, required = true)]
    pub due_on: Option<NaiveDate>,
    /// How many days late it is, or was paid: after the last day for payment, and after the day of the claim if that came later.
    pub days_late: u32,
    /// Interest for them on what is certified, by the statutes. Once the claim is paid, it is claimed by itself (`interest`).
    pub interest: Money,
    /// The number of the invoice; for the parties and auditors, like all that follows but the revision.
    #[schema(required = true)]
    pub invoice_number: Option<String>,
    /// The day of the invoice.
    #[schema(value_type = Option<String>, required = true)]
    pub invoice_on: Option<NaiveDate>,
    /// The change by which the supplier's bank account was confirmed.
    #[schema(required = true)]
    pub bank_account_id: Option<BankAccountChangeId>,
    /// The end of its number.
    #[schema(required = true)]
    pub bank_account: Option<String>,
    /// Who claimed.
    #[schema(required = true)]
    pub claimed_by: Option<AccountId>,
    /// Who approved.
    #[schema(required = true)]
    pub approved_by: Option<AccountId>,
    /// Who paid.
    #[schema(required = true)]
    pub executed_by: Option<AccountId>,
    /// Who recorded the bank's reference.
    #[schema(required = true)]
    pub confirmed_by: Option<AccountId>,
    /// Who returned it, or said that it failed.
    #[schema(required = true)]
    pub ended_by: Option<AccountId>,
    /// By which reference the bank has paid it.
    #[schema(required = true)]
    pub bank_reference: Option<String>,
    /// Why it was returned, or failed, in Chinese.
    #[schema(required = true)]
    pub reason_zh: Option<String>,
    /// In English.
    #[schema(required = true)]
    pub reason_en: Option<String>,
    /// What was handed in with it.
    #[schema(max_items = 20)]
    pub attachment_ids: Vec<AttachmentId>,
    /// Counts the changes, from 1; also the `ETag`.
    pub revision: i64,
}

/// A claim, as somebody may see it.
///
/// # Errors
/// A rule that is not set; a fault of the database.
pub fn shown(
    conn: &mut Conn,
    actor: &Actor,
    (signed, one): (&Signed, &Claim),
    at: (&WardCalendar, Instant),
) -> Answer<ClaimView> {
    let is_insider = signed.is_insider(actor);
    let late = late(conn, (signed, one), at)?;
    let files = if is_insider {
        attached_to(conn, one.id.as_str())?
    } else {
        Vec::new()
    };
    let account = if is_insider {
        store_bank_accounts::change(conn, &one.account_id)?
    } else {
        None
    };
    let inside = |id: Option<&AccountId>| id.filter(|_| is_insider).cloned();
    let (approved, executed) = (one.approved.as_ref(), one.executed.as_ref());
    let (confirmed, ended) = (one.confirmed.as_ref(), one.ended.as_ref());
    let reason = ended.filter(|_| is_insider).map(|ended| &ended.reason);
    let certified = one.certified.as_ref();
    Ok(ClaimView {
        id: one.id.clone(),
        contract_id: one.contract_id.clone(),
        supplier_id: one.supplier_id.clone(),
        number: one.number,
        kind: one.entered.kind,
        period: one.entered.period,
        amount: one.entered.amount,
        state: one.state,
        claimed_at: rfc3339(one.claimed.at),
        certified: certified.map(|certified| CertificationView::of(certified, is_insider)),
        approved_at: approved.map(|done| rfc3339(done.at)),
        executed_at: executed.map(|executed| rfc3339(executed.done.at)),
        retained: executed.map(|executed| executed.retained),
        released: executed.map(|executed| executed.released),
        confirmed_at: confirmed.map(|confirmed| rfc3339(confirmed.done.at)),
        ended_at: ended.map(|ended| rfc3339(ended.done.at)),
        due_on: late.due_on,
        days_late: late.days,
        interest: late.interest,
        invoice_number: is_insider.then(|| one.entered.invoice_number.clone()),
        invoice_on: is_insider.then_some(one.entered.invoice_on),
        bank_account_id: is_insider.then(|| one.account_id.clone()),
        bank_account: account.map(|change| change.account.masked()),
        claimed_by: inside(Some(&one.claimed.by)),
        approved_by: inside(approved.map(|done| &done.by)),
        executed_by: inside(executed.map(|executed| &executed.done.by)),
        confirmed_by: inside(confirmed.map(|confirmed| &confirmed.done.by)),
        ended_by: inside(ended.map(|ended| &ended.done.by)),
        bank_reference: confirmed
            .filter(|_| is_insider)
            .map(|confirmed| confirmed.reference.clone()),
        reason_zh: reason.map(|line| line.zh.clone()),
        reason_en: reason.map(|line| line.en.clone()),
        attachment_ids: files.into_iter().map(|file| file.id).collect(),
        revision: one.revision,
    })
}
