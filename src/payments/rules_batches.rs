//! Payment batches (支付批次): approved claims that go to the bank together, in one file, put together by one finance officer and executed by another, all of them or none. Pure.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::payments::rules_bank_names::Names;
use crate::payments::rules_claims::{ClaimId, Done};
use crate::registry::rules_bank_accounts::BankAccountChangeId;
use crate::registry::rules_text::Form;
use crate::text;

crate::ids! {
    /// A payment batch.
    PaymentBatchId "paymentbatch"
}

/// Claims of one batch at most.
pub const CLAIMS_MAX: usize = 200;
/// Days until the bank is to pay, at most.
pub const DAYS_MAX: u64 = 60;

/// Nothing is there to be paid.
pub static EMPTY: Reason = Reason::new(
    Kind::Conflict,
    "payment_batch_empty",
    "没有可纳入批次的已批准请款",
    "No approved claim is there that could be paid together",
);
/// Some of its claims cannot be paid.
pub static BLOCKED: Reason = Reason::new(
    Kind::Conflict,
    "payment_batch_blocked",
    "批次中有请款不能支付，全部未执行",
    "Claims of the batch cannot be paid, and so none was",
);
/// It was executed or withdrawn.
pub static WRONG_STATE: Reason = Reason::new(
    Kind::Conflict,
    "payment_batch_wrong_state",
    "该批次当前状态不允许此操作",
    "The state of the batch does not allow this",
);
/// The buyer has no confirmed bank account.
pub static ACCOUNT_MISSING: Reason = Reason::new(
    Kind::Conflict,
    "payment_batch_account_missing",
    "采购人没有已确认的付款账户",
    "The buyer has no confirmed bank account",
);
/// The buyer has another one than when the batch was made.
pub static ACCOUNT_CHANGED: Reason = Reason::new(
    Kind::Conflict,
    "payment_batch_account_changed",
    "批次生成后付款账户已变更，请撤回后重新生成",
    "The buyer's bank account has changed since; withdraw the batch and make it anew",
);
/// The day on which the bank is to pay is over.
pub static DAY_OVER: Reason = Reason::new(
    Kind::Conflict,
    "payment_batch_day_over",
    "付款日期已过，请撤回后重新生成",
    "The day of payment is over; withdraw the batch and make it anew",
);
/// Its file is for the bank once it was executed.
pub static NOT_EXECUTED: Reason = Reason::new(
    Kind::Conflict,
    "payment_batch_not_executed",
    "批次尚未执行，不能取得支付文件",
    "The batch was not executed, and its file is not for the bank",
);
/// The claim waits in a batch.
pub static CLAIM_IN_BATCH: Reason = Reason::new(
    Kind::Conflict,
    "claim_in_payment_batch",
    "该请款已在待执行的支付批次中",
    "The claim waits in a payment batch",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 8] = [
    &EMPTY,
    &BLOCKED,
    &WRONG_STATE,
    &ACCOUNT_MISSING,
    &ACCOUNT_CHANGED,
    &DAY_OVER,
    &NOT_EXECUTED,
    &CLAIM_IN_BATCH,
];

/// How far a batch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentBatchState)]
pub enum State {
    /// It waits for another finance officer.
    Made,
    /// All of it was paid; its file is for the bank.
    Executed,
    /// It was taken back, and its claims are free.
    Withdrawn,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Made, Self::Executed, Self::Withdrawn];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Executed => "executed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// A batch as it is asked for.
#[derive(Clone, Debug)]
pub struct NewBatch {
    /// Whose claims, and whose money.
    pub buyer_id: OrganisationId,
    /// Which claims; `None` for the oldest that are approved and can be paid.
    pub claim_ids: Option<Vec<ClaimId>>,
    /// How many of these at most.
    pub claims_max: usize,
    /// On which day the bank is to pay.
    pub execution_on: NaiveDate,
    /// In which letters.
    pub names: Names,
}

/// One claim of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The claim.
    pub claim_id: ClaimId,
    /// What is paid of it.
    pub amount: Money,
}

/// A batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: PaymentBatchId,
    /// Whose claims, and whose money.
    pub buyer_id: OrganisationId,
    /// From which bank account.
    pub account_id: BankAccountChangeId,
    /// On which day the bank is to pay.
    pub execution_on: NaiveDate,
    /// In which letters.
    pub names: Names,
    /// Its claims, in the order of its file.
    pub items: Vec<Item>,
    /// What they come to.
    pub total: Money,
    /// SHA-256 of the bytes of its file, as the log has it.
    pub sha256: [u8; 32],
    /// Who made it.
    pub made: Done,
    /// How far it has come.
    pub state: State,
    /// Who executed or withdrew it.
    pub decided: Option<Done>,
    /// Counts the changes, from 1.
    pub revision: i64,
}

/// By which a bank calls a claim or a batch: what its id says after its kind. Letters and digits alone, which every bank's character set has.
pub fn reference(id: &str) -> &str {
    id.rsplit_once('_').map_or(id, |(_, reference)| reference)
}

/// A batch that is asked for: its day is not over and not far, and no claim is in it twice.
///
/// # Errors
/// Every fault of the form.
pub fn entered(new: NewBatch, today: NaiveDate) -> Result<NewBatch, Refusal> {
    let mut form = Form::new();
    if new.execution_on < today {
        form.object("/execution_on", Text::fixed("不得早于今天", "must not be over"));
    }
    let last = today
        .checked_add_days(Days::new(DAYS_MAX))
        .unwrap_or(NaiveDate::MAX);
    if new.execution_on > last {
        form.object(
            "/execution_on",
            text!("不得晚于 {last}", "must not be after {last}"),
        );
    }
    let ids = new.claim_ids.as_deref().unwrap_or_default();
    let mut seen = std::collections::BTreeSet::new();
    for (index, id) in ids.iter().enumerate() {
        if !seen.insert(id.as_str()) {
            let why = Text::fixed("重复", "is there twice");
            form.object(&format!("/claim_ids/{index}"), why);
        }
    }
    form.finish(new)
}

impl Batch {
    fn next(self, to: State, done: Done) -> Result<Self, Refusal> {
        if self.state != State::Made {
            let name = self.state.name();
            return Err(WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}")));
        }
        Ok(Self {
            state: to,
            decided: Some(done),
            revision: self.revision.saturating_add(1),
            ..self
        })
    }

    /// It is executed.
    ///
    /// # Errors
    /// In this order: [`WRONG_STATE`]; [`DAY_OVER`].
    pub fn execute(self, done: Done, today: NaiveDate) -> Result<Self, Refusal> {
        let day = self.execution_on;
        let next = self.next(State::Executed, done)?;
        if day < today {
            return Err(DAY_OVER.refuse());
        }
        Ok(next)
    }

    /// It is taken back.
    ///
    /// # Errors
    /// [`WRONG_STATE`].
    pub fn withdraw(self, done: Done) -> Result<Self, Refusal> {
        self.next(State::Withdrawn, done)
    }

    /// Whether its file may go to the bank.
    ///
    /// # Errors
    /// [`NOT_EXECUTED`].
    pub fn may_go_to_the_bank(&self) -> Result<(), Refusal> {
        if self.state == State::Executed {
            Ok(())
        } else {
            Err(NOT_EXECUTED.refuse())
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::*;
    use crate::payments::rules_claims::tests::{done, now, yuan};

    fn batch() -> Batch {
        Batch {
            id: PaymentBatchId::mint(now()),
            buyer_id: OrganisationId::mint(now()),
            account_id: BankAccountChangeId::mint(now()),
            execution_on: now().date_naive(),
            names: Names::Chinese,
            items: vec![Item {
                claim_id: ClaimId::mint(now()),
                amount: yuan("1.00"),
            }],
            total: yuan("1.00"),
            sha256: [0; 32],
            made: done(),
            state: State::Made,
            decided: None,
            revision: 1,
        }
    }

    #[test]
    fn a_batch_is_decided_once_and_not_after_its_day() {
        let today = now().date_naive();
        let code = |result: Result<Batch, Refusal>| result.map_err(|refusal| refusal.reason.code);
        let executed = batch().execute(done(), today).unwrap();
        assert_eq!((executed.state, executed.revision), (State::Executed, 2));
        assert!(executed.may_go_to_the_bank().is_ok() && batch().may_go_to_the_bank().is_err());
        let late = batch().execute(done(), today + Duration::days(1));
        assert_eq!(code(late), Err("payment_batch_day_over"));
        let withdrawn = batch().withdraw(done()).unwrap();
        assert!(withdrawn.may_go_to_the_bank().is_err());
        for decided in [executed, withdrawn] {
            assert_eq!(
                code(decided.clone().withdraw(done())),
                Err("payment_batch_wrong_state")
            );
            assert_eq!(
                code(decided.execute(done(), today)),
                Err("payment_batch_wrong_state")
            );
        }
        for state in State::ALL {
            assert_eq!(State::named(state.name()), Some(state));
        }
    }

    #[test]
    fn the_day_is_near_and_no_claim_is_there_twice() {
        let one = ClaimId::mint(now());
        let places = |days: i64, ids: Vec<ClaimId>| -> Vec<String> {
            let new = NewBatch {
                buyer_id: OrganisationId::mint(now()),
                claim_ids: Some(ids),
                claims_max: CLAIMS_MAX,
                execution_on: now().date_naive() + Duration::days(days),
                names: Names::Latin,
            };
            let refused = entered(new, now().date_naive()).err();
            let objections = refused.into_iter().flat_map(|refusal| refusal.objections);
            objections.map(|one| one.pointer).collect()
        };
        assert!(places(0, vec![one.clone()]).is_empty() && places(60, vec![one.clone()]).is_empty());
        assert_eq!(
            places(-1, vec![one.clone(), one.clone()]),
            ["/execution_on", "/claim_ids/1"]
        );
        assert_eq!(places(61, vec![one.clone()]), ["/execution_on"]);
        assert_eq!(reference(one.as_str()).len(), 26);
        assert_eq!(format!("claim_{}", reference(one.as_str())), one.as_str());
    }
}
