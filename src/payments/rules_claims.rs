//! Claims (请款): what a contractor asks to be paid, and the hands it goes through until the bank has paid it (政府采购法 art 61; 国务院令第802号). Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptances::AcceptanceId;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Kind as ReasonKind, Reason, Refusal};
use crate::kernel::weight::Weight;
use crate::payments::rules_claim_forms::words;
use crate::registry::rules_bank_accounts::BankAccountChangeId;
use crate::registry::rules_text::Form;
use crate::standards::rules_indicators::Line;
use crate::text;

crate::ids! {
    /// A claim.
    ClaimId "claim"
}

/// Claims of one contract at most.
pub const CLAIMS_MAX: usize = 1_000;
/// Characters of the number of an invoice at most.
pub const INVOICE_LENGTH_MAX: usize = 40;
/// Characters of a bank's reference at most.
pub const REFERENCE_LENGTH_MAX: usize = 64;
/// Characters of a reason at most.
pub const WORDS_LENGTH_MAX: usize = 2_000;
/// Files of a claim at most.
pub const FILES_MAX: usize = 20;

/// It is not in a state in which this can be done.
pub static WRONG_STATE: Reason = Reason::new(
    ReasonKind::Conflict,
    "claim_wrong_state",
    "该请款当前状态不允许此操作",
    "The state of the claim does not allow this",
);
/// The supplier has used the number of the invoice.
pub static INVOICE_DUPLICATE: Reason = Reason::new(
    ReasonKind::Conflict,
    "invoice_duplicate",
    "该发票号码已用于另一笔请款",
    "The invoice number is that of another claim",
);
/// The supplier has no confirmed bank account.
pub static ACCOUNT_MISSING: Reason = Reason::new(
    ReasonKind::Conflict,
    "claim_account_missing",
    "承接主体没有已确认的收款账户",
    "The supplier has no confirmed bank account",
);
/// It has another one than when it claimed.
pub static ACCOUNT_CHANGED: Reason = Reason::new(
    ReasonKind::Conflict,
    "claim_account_changed",
    "请款后收款账户已变更，请退回后重新请款",
    "The supplier's bank account has changed since; return the claim to be made anew",
);
/// The period is not over.
pub static PERIOD_NOT_OVER: Reason = Reason::new(
    ReasonKind::Conflict,
    "claim_period_not_over",
    "该期尚未结束",
    "The period is not over",
);
/// The contract's book says nothing of such a part.
pub static NO_SUCH_PART: Reason = Reason::new(
    ReasonKind::Conflict,
    "claim_no_such_part",
    "合同未约定该项款项",
    "The contract knows no such part of the price",
);
/// The contract was ended, and only its settlement is paid.
pub static CONTRACT_SETTLED: Reason = Reason::new(
    ReasonKind::Conflict,
    "claim_contract_settled",
    "合同已解除，只支付结算金额与已留存的质保金",
    "The contract was terminated: its settlement and what was retained are paid, and nothing else",
);
/// The contract was not ended, and there is no settlement.
pub static NOT_TERMINATED: Reason = Reason::new(
    ReasonKind::Conflict,
    "claim_not_terminated",
    "合同未解除，没有结算金额",
    "The contract was not terminated, and there is no settlement",
);
/// More is asked for than that part of the price.
pub static BEYOND_PRICE: Reason = Reason::new(
    ReasonKind::Conflict,
    "claim_beyond_price",
    "请款金额超出该项价款",
    "More is claimed than that part of the price",
);
/// There are too many.
pub static TOO_MANY: Reason = Reason::new(
    ReasonKind::Conflict,
    "claim_too_many",
    "该合同的请款已达上限",
    "There are as many claims of the contract as there may be",
);
/// The period is not accepted.
pub static NOT_ACCEPTED: Reason = Reason::new(
    ReasonKind::Conflict,
    "claim_not_accepted",
    "该期尚未验收合格",
    "The period is not accepted",
);
/// Not all periods are accepted.
pub static RETENTION_EARLY: Reason = Reason::new(
    ReasonKind::Conflict,
    "claim_retention_early",
    "合同期满且各期均验收合格后方可支付质保金",
    "What is retained is paid once the contract is over and each of its periods is accepted",
);
/// Nothing of it is payable now.
pub static NOTHING_PAYABLE: Reason = Reason::new(
    ReasonKind::Conflict,
    "claim_nothing_payable",
    "目前没有可支付的金额，请退回",
    "Nothing of it is payable now; return it",
);
/// Nothing was paid late, or all interest for it is claimed.
pub static NO_INTEREST: Reason = Reason::new(
    ReasonKind::Conflict,
    "claim_no_interest",
    "没有可请求的逾期利息",
    "There is no interest to claim: nothing that was paid came late",
);
/// The line has no money for interest.
pub static INTEREST_UNFUNDED: Reason = Reason::new(
    ReasonKind::Conflict,
    "claim_interest_unfunded",
    "预算项没有可用资金支付利息",
    "The budget line has no free money for the interest",
);
/// They would pay their own organisation.
pub static OWN_CLAIM: Reason = Reason::new(
    ReasonKind::Forbidden,
    "claim_of_own_organisation",
    "不得办理本人所代理单位的请款",
    "Whoever acts for the contractor has no part in paying it",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 16] = [
    &WRONG_STATE,
    &INVOICE_DUPLICATE,
    &ACCOUNT_MISSING,
    &ACCOUNT_CHANGED,
    &PERIOD_NOT_OVER,
    &NO_SUCH_PART,
    &CONTRACT_SETTLED,
    &NOT_TERMINATED,
    &BEYOND_PRICE,
    &TOO_MANY,
    &NOT_ACCEPTED,
    &RETENTION_EARLY,
    &NOTHING_PAYABLE,
    &OWN_CLAIM,
    &NO_INTEREST,
    &INTEREST_UNFUNDED,
];

/// What is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ClaimKind)]
pub enum Kind {
    /// What a period pays.
    Period,
    /// What is paid before the work begins.
    Advance,
    /// What was kept back until the end.
    Retention,
    /// What stays to be paid of a contract that was terminated.
    Settlement,
    /// Interest for what was paid late: no part of the price, and paid out of the line by itself.
    Interest,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Period,
        Self::Advance,
        Self::Retention,
        Self::Settlement,
        Self::Interest,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Period => "period",
            Self::Advance => "advance",
            Self::Retention => "retention",
            Self::Settlement => "settlement",
            Self::Interest => "interest",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// How far a claim has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ClaimState)]
pub enum State {
    /// It waits for the buyer's officer.
    Claimed,
    /// It waits for a finance officer's approval.
    Certified,
    /// It waits for another finance officer, who pays it.
    Approved,
    /// It was paid, and waits for the bank's reference.
    Executed,
    /// The bank has paid it.
    Confirmed,
    /// It was sent back.
    Returned,
    /// The bank could not pay it, and the money is back.
    Failed,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Claimed,
        Self::Certified,
        Self::Approved,
        Self::Executed,
        Self::Confirmed,
        Self::Returned,
        Self::Failed,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Certified => "certified",
            Self::Approved => "approved",
            Self::Executed => "executed",
            Self::Confirmed => "confirmed",
            Self::Returned => "returned",
            Self::Failed => "failed",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Whether it still is, or was, paid.
    pub const fn counts(self) -> bool {
        !matches!(self, Self::Returned | Self::Failed)
    }

    /// Whether its money has left the contract.
    pub const fn is_paid(self) -> bool {
        matches!(self, Self::Executed | Self::Confirmed)
    }
}

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Who.
    pub by: AccountId,
    /// When, UTC.
    pub at: Instant,
}

/// What a contractor enters, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// What is claimed.
    pub kind: Kind,
    /// The number of the period, of a claim for one.
    pub period: Option<i64>,
    /// The number of the invoice.
    pub invoice_number: String,
    /// The day of the invoice.
    pub invoice_on: NaiveDate,
    /// How much.
    pub amount: Money,
}

/// Cases or days of a penalty, as the certifying officer has counted them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Which of the contract's penalties, from 1.
    pub penalty: i64,
    /// How many.
    pub count: u32,
    /// Why so many.
    pub reason: Line,
}

/// What was certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// By which acceptance the period is accepted.
    pub acceptance_id: Option<AcceptanceId>,
    /// What the part of the price comes to in all.
    pub payable: Money,
    /// What was taken off it.
    pub deducted: Money,
    /// What it takes back of an advance.
    pub recovered: Money,
    /// How much of it is undisputed.
    pub undisputed: Weight,
    /// What was certified of it by other claims.
    pub before: Money,
    /// What is certified by this one.
    pub amount: Money,
    /// Whether nothing changes what the part comes to any more.
    pub is_settled: bool,
    /// Why it is less than was claimed.
    pub less: Option<Line>,
    /// Since when the time for payment runs, UTC.
    pub since: Instant,
    /// Its last day, a local date of the ward.
    pub due_on: NaiveDate,
    /// What was counted of the contract's penalties.
    pub penalties: Vec<Counted>,
    /// SHA-256 of the derivation's bytes, as the log has it; of a period alone.
    pub sha256: Option<[u8; 32]>,
    /// Who certified.
    pub done: Done,
}

/// That it was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// What was kept back with it until the end.
    pub retained: Money,
    /// What went back to the line with it, because it was deducted for good.
    pub released: Money,
    /// What of the payment was taken from what was kept back.
    pub from_retained: Money,
    /// Who executed.
    pub done: Done,
}

/// That the bank has paid it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// The bank's reference.
    pub reference: String,
    /// Who says so.
    pub done: Done,
}

/// That it was returned, or failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Why.
    pub reason: Line,
    /// Who did it.
    pub done: Done,
}

/// A claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its id.
    pub id: ClaimId,
    /// The contract.
    pub contract_id: ContractId,
    /// Its number among the claims of the contract, from 1.
    pub number: i64,
    /// Who claims.
    pub supplier_id: OrganisationId,
    /// What.
    pub entered: Entered,
    /// To which bank account it is paid.
    pub account_id: BankAccountChangeId,
    /// Who claimed for it.
    pub claimed: Done,
    /// How far it has come.
    pub state: State,
    /// What was certified.
    pub certified: Option<Certified>,
    /// Who approved.
    pub approved: Option<Done>,
    /// That it was paid.
    pub executed: Option<Executed>,
    /// That the bank has paid it.
    pub confirmed: Option<Confirmed>,
    /// That it was returned, or failed.
    pub ended: Option<Ended>,
    /// Counts the changes, from 1.
    pub revision: i64,
}

impl Claim {
    /// What it counts for of its part of the price: what is certified, or nothing.
    pub fn counted(&self) -> Money {
        let certified = self.certified.as_ref().filter(|_| self.state.counts());
        certified.map_or(Money::ZERO, |certified| certified.amount)
    }

    /// What is certified and not paid: money committed for the contract that is somebody's. Interest is none of that: it has a commitment of its own.
    pub fn waiting(&self) -> Money {
        if self.state.is_paid() || self.entered.kind == Kind::Interest {
            Money::ZERO
        } else {
            self.counted()
        }
    }

    /// Whether it is of the same part of the price.
    pub fn is_of(&self, kind: Kind, period: Option<i64>) -> bool {
        self.entered.kind == kind && self.entered.period == period
    }

    fn next(self, from: &[State], to: State) -> Result<Self, Refusal> {
        if !from.contains(&self.state) {
            let name = self.state.name();
            return Err(WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}")));
        }
        Ok(Self {
            state: to,
            revision: self.revision.saturating_add(1),
            ..self
        })
    }

    /// Whether it can be certified.
    ///
    /// # Errors
    /// [`WRONG_STATE`].
    pub fn may_be_certified(&self) -> Result<(), Refusal> {
        self.clone().next(&[State::Claimed], State::Certified).map(|_| ())
    }

    /// It is certified.
    ///
    /// # Errors
    /// [`WRONG_STATE`].
    pub fn certify(self, certified: Certified) -> Result<Self, Refusal> {
        let next = self.next(&[State::Claimed], State::Certified)?;
        Ok(Self {
            certified: Some(certified),
            ..next
        })
    }

    /// Its payment is approved.
    ///
    /// # Errors
    /// [`WRONG_STATE`].
    pub fn approve(self, done: Done) -> Result<Self, Refusal> {
        let next = self.next(&[State::Certified], State::Approved)?;
        Ok(Self {
            approved: Some(done),
            ..next
        })
    }

    /// It is paid.
    ///
    /// # Errors
    /// [`WRONG_STATE`].
    pub fn execute(self, executed: Executed) -> Result<Self, Refusal> {
        let next = self.next(&[State::Approved], State::Executed)?;
        Ok(Self {
            executed: Some(executed),
            ..next
        })
    }

    /// Whether it can be paid.
    ///
    /// # Errors
    /// [`WRONG_STATE`].
    pub fn may_be_executed(&self) -> Result<(), Refusal> {
        self.clone().next(&[State::Approved], State::Executed).map(|_| ())
    }

    /// The bank has paid it.
    ///
    /// # Errors
    /// In this order: [`WRONG_STATE`]; a reference that is none.
    pub fn confirm(self, reference: &str, done: Done) -> Result<Self, Refusal> {
        let next = self.next(&[State::Executed], State::Confirmed)?;
        let mut form = Form::new();
        let reference = form.line("/bank_reference", reference, REFERENCE_LENGTH_MAX);
        let confirmed = form.finish(Confirmed { reference, done })?;
        Ok(Self {
            confirmed: Some(confirmed),
            ..next
        })
    }

    /// It is sent back, before it was paid.
    ///
    /// # Errors
    /// In this order: [`WRONG_STATE`]; a reason that is none.
    pub fn send_back(self, reason: (&str, &str), done: Done) -> Result<Self, Refusal> {
        let before = [State::Claimed, State::Certified, State::Approved];
        let next = self.next(&before, State::Returned)?;
        let reason = words("reason", reason)?;
        Ok(Self {
            ended: Some(Ended { reason, done }),
            ..next
        })
    }

    /// The bank could not pay it.
    ///
    /// # Errors
    /// In this order: [`WRONG_STATE`]; a reason that is none.
    pub fn fail(self, reason: (&str, &str), done: Done) -> Result<Self, Refusal> {
        self.comes_back(&[State::Executed], reason, done)
    }

    /// The bank says itself that it could not pay it, or, after it has said that it did, that the money came back (退票).
    ///
    /// # Errors
    /// In this order: [`WRONG_STATE`]; a reason that is none.
    pub fn come_back(self, reason: (&str, &str), done: Done) -> Result<Self, Refusal> {
        self.comes_back(&[State::Executed, State::Confirmed], reason, done)
    }

    fn comes_back(self, from: &[State], reason: (&str, &str), done: Done) -> Result<Self, Refusal> {
        let next = self.next(from, State::Failed)?;
        let reason = words("reason", reason)?;
        Ok(Self {
            ended: Some(Ended { reason, done }),
            ..next
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use chrono::{TimeZone, Utc};
    use proptest::prelude::*;

    use super::*;

    pub fn now() -> Instant {
        Utc.with_ymd_and_hms(2026, 6, 1, 2, 0, 0).unwrap()
    }

    pub fn done() -> Done {
        Done {
            by: AccountId::mint(now()),
            at: now(),
        }
    }

    pub fn yuan(amount: &str) -> Money {
        amount.parse().unwrap()
    }

    pub fn claim(kind: Kind, period: Option<i64>, amount: &str) -> Claim {
        Claim {
            id: ClaimId::mint(now()),
            contract_id: ContractId::mint(now()),
            number: 1,
            supplier_id: OrganisationId::mint(now()),
            entered: Entered {
                kind,
                period,
                invoice_number: "NO.1".to_owned(),
                invoice_on: now().date_naive(),
                amount: yuan(amount),
            },
            account_id: BankAccountChangeId::mint(now()),
            claimed: done(),
            state: State::Claimed,
            certified: None,
            approved: None,
            executed: None,
            confirmed: None,
            ended: None,
            revision: 1,
        }
    }

    pub fn certified(amount: &str) -> Certified {
        Certified {
            acceptance_id: None,
            payable: yuan(amount),
            deducted: Money::ZERO,
            recovered: Money::ZERO,
            undisputed: Weight::HUNDRED,
            before: Money::ZERO,
            amount: yuan(amount),
            is_settled: true,
            less: None,
            since: now(),
            due_on: now().date_naive(),
            penalties: Vec::new(),
            sha256: None,
            done: done(),
        }
    }

    fn executed() -> Executed {
        Executed {
            retained: Money::ZERO,
            released: Money::ZERO,
            from_retained: Money::ZERO,
            done: done(),
        }
    }

    #[test]
    fn names_lead_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
        for state in State::ALL {
            assert_eq!(State::named(state.name()), Some(state));
        }
    }

    #[derive(Clone, Copy, Debug)]
    enum Act {
        Certify,
        Approve,
        Execute,
        Confirm,
        SendBack,
        Fail,
        ComeBack,
    }

    proptest! {
        /// Whatever is tried, a claim goes one hand at a time, ends once, and counts for its amount exactly while it is certified and did not end.
        #[test]
        fn it_goes_from_hand_to_hand(acts in proptest::collection::vec(0_usize..7, 0..12)) {
            let all = [Act::Certify, Act::Approve, Act::Execute, Act::Confirm, Act::SendBack, Act::Fail, Act::ComeBack];
            let mut one = claim(Kind::Period, Some(1), "10.00");
            for act in acts.into_iter().map(|index| all[index]) {
                let before = one.clone();
                let words = ("因", "Because");
                let next = match act {
                    Act::Certify => before.clone().certify(certified("8.00")),
                    Act::Approve => before.clone().approve(done()),
                    Act::Execute => before.clone().execute(executed()),
                    Act::Confirm => before.clone().confirm("B1", done()),
                    Act::SendBack => before.clone().send_back(words, done()),
                    Act::Fail => before.clone().fail(words, done()),
                    Act::ComeBack => before.clone().come_back(words, done()),
                };
                let expected = match (before.state, act) {
                    (State::Claimed, Act::Certify) => Some(State::Certified),
                    (State::Certified, Act::Approve) => Some(State::Approved),
                    (State::Approved, Act::Execute) => Some(State::Executed),
                    (State::Executed, Act::Confirm) => Some(State::Confirmed),
                    (State::Claimed | State::Certified | State::Approved, Act::SendBack) => Some(State::Returned),
                    (State::Executed, Act::Fail | Act::ComeBack) | (State::Confirmed, Act::ComeBack) => Some(State::Failed),
                    _ => None,
                };
                prop_assert_eq!(next.as_ref().ok().map(|one| one.state), expected);
                if let Ok(next) = next {
                    prop_assert_eq!(next.revision, before.revision + 1);
                    one = next;
                } else {
                    prop_assert_eq!(next.err().map(|refusal| refusal.reason.code), Some("claim_wrong_state"));
                }
                let counts = !matches!(one.state, State::Claimed | State::Returned | State::Failed);
                prop_assert_eq!(one.counted(), if counts { yuan("8.00") } else { Money::ZERO });
                let waits = matches!(one.state, State::Certified | State::Approved);
                prop_assert_eq!(one.waiting(), if waits { yuan("8.00") } else { Money::ZERO });
            }
        }
    }
}
