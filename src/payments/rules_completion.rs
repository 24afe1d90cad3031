//! When a contract that nobody has ended is over (履行完毕): its term has run out, all of it is accepted, and nobody is paid anything more of its price. Pure.

use crate::kernel::money::Money;

/// How a signed contract stands that was not ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its periods, with those that variations have added. A period is accepted once its last day is over, so that with the last of them the term has run out.
    pub periods: usize,
    /// Those of them that are accepted as a whole, without an objection that waits for a decision.
    pub accepted: usize,
    /// Payments of its price that the bank has not confirmed yet, each of which can still come back.
    pub unconfirmed: usize,
    /// What is held for it, committed or kept back until the end: what is still to be paid or to go back to the line.
    pub held: Money,
}

impl Facts {
    /// Whether it is completed. A claim that is made when nothing is held any more changes nothing, because nothing can be certified of it; interest for being late is
    /// no part of the price, and is paid or not without the contract going on. A contract without periods has no end that could be known.
    pub const fn is_completed(&self) -> bool {
        self.periods > 0 && self.accepted == self.periods && self.unconfirmed == 0 && self.held.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_is_completed_when_all_is_accepted_and_nothing_is_held_for_it() {
        let done = Facts {
            periods: 12,
            accepted: 12,
            unconfirmed: 0,
            held: Money::ZERO,
        };
        assert!(done.is_completed());
        let still_runs = [
            Facts { accepted: 11, ..done },
            Facts {
                unconfirmed: 1,
                ..done
            },
            Facts {
                held: "0.01".parse().unwrap(),
                ..done
            },
            Facts {
                periods: 0,
                accepted: 0,
                ..done
            },
        ];
        for facts in still_runs {
            assert!(!facts.is_completed(), "{facts:?}");
        }
    }
}
