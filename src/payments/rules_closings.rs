//! Periods that have nothing to be paid any more (结清): all that they come to was paid, or all of it was deducted, and what is committed for the rest goes back to the line.
//! Nobody can claim nothing, so that it would stay committed for ever. Pure.

use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptances::AcceptanceId;
use crate::kernel::money::{Money, MoneyError};
use crate::kernel::refusal::{Fault, Kind as ReasonKind, Reason, Refusal};
use crate::payments::rules_claims::{Counted, Done};

/// It was closed before.
pub static CLOSED_ALREADY: Reason = Reason::new(
    ReasonKind::Conflict,
    "period_closed_already",
    "该期已结清",
    "The period was closed before",
);
/// What it comes to can still change.
pub static NOT_SETTLED: Reason = Reason::new(
    ReasonKind::Conflict,
    "period_not_settled",
    "该期应付金额尚可能变动",
    "What the period comes to can still change",
);
/// Something of it is, or waits to be, paid.
pub static STILL_PAYABLE: Reason = Reason::new(
    ReasonKind::Conflict,
    "period_still_payable",
    "该期尚有应付款项，应通过请款支付",
    "Something of the period is to be paid, which is claimed",
);
/// Nothing of it is committed.
pub static NOTHING_TO_CLOSE: Reason = Reason::new(
    ReasonKind::Conflict,
    "period_nothing_to_close",
    "该期没有需退回预算项的金额",
    "Nothing of the period is to go back to the budget line",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 4] = [&CLOSED_ALREADY, &NOT_SETTLED, &STILL_PAYABLE, &NOTHING_TO_CLOSE];

/// That a period was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Of which contract.
    pub contract_id: ContractId,
    /// The number of the period.
    pub period: i64,
    /// By which acceptance it is accepted.
    pub acceptance_id: AcceptanceId,
    /// What it has taken back of the advance.
    pub recovered: Money,
    /// What went back to the line.
    pub released: Money,
    /// What was counted of the contract's penalties.
    pub penalties: Vec<Counted>,
    /// SHA-256 of the derivation's bytes, as the log has it.
    pub sha256: [u8; 32],
    /// Who closed it.
    pub done: Done,
}

/// How a period stands that somebody closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Whether it was closed before.
    pub is_closed: bool,
    /// Whether nothing changes what it comes to any more.
    pub is_settled: bool,
    /// Its price.
    pub fee: Money,
    /// What it comes to.
    pub payable: Money,
    /// What it takes back of the advance.
    pub recovered: Money,
    /// What was certified of it.
    pub certified: Money,
    /// What of that was paid.
    pub paid: Money,
    /// What went back to the line before.
    pub released: Money,
}

impl Facts {
    /// What goes back to the line when the period is closed: its price without what was paid, what it has taken back, and what went back before.
    ///
    /// # Errors
    /// In this order: [`CLOSED_ALREADY`]; [`NOT_SETTLED`]; [`STILL_PAYABLE`]; [`NOTHING_TO_CLOSE`]. A fault of arithmetic.
    pub fn closes(&self) -> Result<Result<Money, Refusal>, Fault> {
        if self.is_closed {
            return Ok(Err(CLOSED_ALREADY.refuse()));
        }
        if !self.is_settled {
            return Ok(Err(NOT_SETTLED.refuse()));
        }
        if self.certified < self.payable || self.paid < self.certified {
            return Ok(Err(STILL_PAYABLE.refuse()));
        }
        let beyond = |error: MoneyError| Fault::caused("what a period leaves", error);
        let mut left = self.fee;
        for part in [self.paid, self.recovered, self.released] {
            left = left.checked_sub(part).map_err(beyond)?;
        }
        let left = left.max(Money::ZERO);
        // What it takes back is written down with its certificate, or here if it has none.
        let is_recovered_here = self.certified.is_zero() && !self.recovered.is_zero();
        Ok(if left.is_zero() && !is_recovered_here {
            Err(NOTHING_TO_CLOSE.refuse())
        } else {
            Ok(left)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payments::rules_claims::tests::yuan;

    fn closed(facts: Facts) -> String {
        match facts.closes().unwrap() {
            Ok(left) => left.to_string(),
            Err(refusal) => refusal.reason.code.to_owned(),
        }
    }

    #[test]
    fn what_is_left_of_a_period_that_is_paid_nothing_more_goes_back() {
        let zero = Money::ZERO;
        let all_deducted = Facts {
            is_closed: false,
            is_settled: true,
            fee: yuan("100.00"),
            payable: zero,
            recovered: zero,
            certified: zero,
            paid: zero,
            released: zero,
        };
        assert_eq!(closed(all_deducted), "100.00");
        assert_eq!(
            closed(Facts {
                is_closed: true,
                is_settled: false,
                ..all_deducted
            }),
            "period_closed_already"
        );
        assert_eq!(
            closed(Facts {
                is_settled: false,
                payable: yuan("1.00"),
                ..all_deducted
            }),
            "period_not_settled"
        );
        assert_eq!(
            closed(Facts {
                payable: yuan("0.01"),
                ..all_deducted
            }),
            "period_still_payable"
        );
        let waits = Facts {
            payable: yuan("60.00"),
            certified: yuan("60.00"),
            ..all_deducted
        };
        assert_eq!(closed(waits), "period_still_payable");
        let paid = Facts {
            paid: yuan("60.00"),
            ..waits
        };
        assert_eq!(closed(paid), "40.00");
        assert_eq!(
            closed(Facts {
                released: yuan("40.00"),
                ..paid
            }),
            "period_nothing_to_close"
        );
        // More was paid than it comes to in the end: what is left goes back, and no more.
        assert_eq!(
            closed(Facts {
                payable: yuan("50.00"),
                ..paid
            }),
            "40.00"
        );
        // Of what is taken back of the advance nothing is committed; that it was is written down once.
        let recovered = Facts {
            recovered: yuan("30.00"),
            ..all_deducted
        };
        assert_eq!(closed(recovered), "70.00");
        assert_eq!(
            closed(Facts {
                recovered: yuan("100.00"),
                ..all_deducted
            }),
            "0.00"
        );
        let all = Facts {
            recovered: yuan("40.00"),
            ..paid
        };
        assert_eq!(closed(all), "period_nothing_to_close");
    }
}
