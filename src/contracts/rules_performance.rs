//! How a supplier has performed: what is counted of a contract, and how contracts are added up. Nothing is weighed here: whoever reads the figures judges them. Pure.

use serde::Serialize;
use utoipa::ToSchema;

use crate::contracts::rules_acceptances::{Acceptance, State as AcceptanceState};
use crate::contracts::rules_defects::State as DefectState;
use crate::contracts::rules_defects_clock::Calls;
use crate::contracts::rules_points::SCORE_PLACES;
use crate::contracts::rules_rectifications::{Rectification, State as RectificationState};
use crate::contracts::rules_triggers::Scored;
use crate::kernel::clock::Instant;
use crate::kernel::fixed::Rounding;
use crate::kernel::money::{Money, MoneyError};
use crate::kernel::refusal::Fault;
use crate::kernel::score::Score;

/// What is counted of contracts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PerformanceFigures, example = json!({
    "contracts": 1, "price": {"amount": "826600.00", "currency": "CNY"}, "price_now": {"amount": "826600.00", "currency": "CNY"}, "variations": 0,
    "periods_over": 3, "accepted": 2, "accepted_with_reservations": 0, "refused": 1, "accepted_by_silence": 1, "rectifications": 1, "rectifications_open": 0,
    "late_days": 2, "defects_open": 1, "defects_confirmed": 14, "calls_in_time": 13, "calls_late": 2, "response": "86.67", "terminations": 0
}))]
pub struct Figures {
    /// Signed contracts.
    pub contracts: u32,
    /// Their original prices.
    pub price: Money,
    /// Their prices with what was varied.
    pub price_now: Money,
    /// Concluded variations.
    pub variations: u32,
    /// Periods that are over, as far as they were served.
    pub periods_over: u32,
    /// Certificates that accept a period.
    pub accepted: u32,
    /// Certificates that accept the undisputed part of one.
    pub accepted_with_reservations: u32,
    /// Certificates that refuse one. One that fell with an objection counts nowhere.
    pub refused: u32,
    /// Periods that silence has accepted.
    pub accepted_by_silence: u32,
    /// Notices of rectification, without those that were taken back.
    pub rectifications: u32,
    /// Those of them that are not accepted yet.
    pub rectifications_open: u32,
    /// Days that the contractor was late with them.
    pub late_days: u32,
    /// Defects that the contractor was told of and that are not over.
    pub defects_open: u32,
    /// Those that were put right.
    pub defects_confirmed: u32,
    /// Calls to defects that were answered in time.
    pub calls_in_time: u32,
    /// Calls that were answered late, not at all, or not well.
    pub calls_late: u32,
    /// The share of calls answered in time, × 100, half up to two places; `null` where none was due.
    #[schema(required = true)]
    pub response: Option<Score>,
    /// Contracts that ended before their time.
    pub terminations: u32,
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Figures {
    /// Counts the acceptances of a contract.
    pub fn accepts(&mut self, rounds: &[Acceptance], now: Instant) {
        for round in rounds {
            let place = match round.state(now) {
                AcceptanceState::Accepted => &mut self.accepted,
                AcceptanceState::AcceptedWithReservations => &mut self.accepted_with_reservations,
                AcceptanceState::Refused => &mut self.refused,
                AcceptanceState::AcceptedBySilence => &mut self.accepted_by_silence,
                AcceptanceState::Open | AcceptanceState::Replaced => continue,
            };
            *place = place.saturating_add(1);
        }
    }

    /// Counts the notices of rectification of a contract, each with the days that it was late.
    pub fn rectifies(&mut self, notices: &[(Rectification, u32)]) {
        let counted = || {
            notices
                .iter()
                .filter(|(one, _)| one.state != RectificationState::Withdrawn)
        };
        self.rectifications = count(counted().count());
        let open = counted().filter(|(one, _)| one.state != RectificationState::Accepted);
        self.rectifications_open = count(open.count());
        self.late_days = counted().map(|(_, days)| *days).fold(0, u32::saturating_add);
    }

    /// Counts the defects of a contract by their states as they are now, and the calls that were due.
    pub fn sees_to(&mut self, states: &[(DefectState, i64)], calls: Calls) {
        for (state, number) in states {
            let number = u32::try_from(*number).unwrap_or(u32::MAX);
            let place = match state {
                DefectState::Confirmed => &mut self.defects_confirmed,
                DefectState::Dispatched
                | DefectState::Acknowledged
                | DefectState::Fixed
                | DefectState::Reopened => &mut self.defects_open,
                // Nobody called the contractor, or it was none.
                DefectState::Reported | DefectState::Rejected | DefectState::Withdrawn => continue,
            };
            *place = place.saturating_add(number);
        }
        (self.calls_in_time, self.calls_late) = (calls.in_time, calls.late);
        self.response = calls.response();
    }

    /// The same with what is counted of another contract.
    ///
    /// # Errors
    /// Amounts beyond all bounds.
    pub fn with(&self, other: &Self) -> Result<Self, MoneyError> {
        let add = u32::saturating_add;
        let calls = Calls {
            in_time: add(self.calls_in_time, other.calls_in_time),
            late: add(self.calls_late, other.calls_late),
            running: 0,
        };
        Ok(Self {
            contracts: add(self.contracts, other.contracts),
            price: self.price.checked_add(other.price)?,
            price_now: self.price_now.checked_add(other.price_now)?,
            variations: add(self.variations, other.variations),
            periods_over: add(self.periods_over, other.periods_over),
            accepted: add(self.accepted, other.accepted),
            accepted_with_reservations: add(
                self.accepted_with_reservations,
                other.accepted_with_reservations,
            ),
            refused: add(self.refused, other.refused),
            accepted_by_silence: add(self.accepted_by_silence, other.accepted_by_silence),
            rectifications: add(self.rectifications, other.rectifications),
            rectifications_open: add(self.rectifications_open, other.rectifications_open),
            late_days: add(self.late_days, other.late_days),
            defects_open: add(self.defects_open, other.defects_open),
            defects_confirmed: add(self.defects_confirmed, other.defects_confirmed),
            calls_in_time: calls.in_time,
            calls_late: calls.late,
            response: calls.response(),
            terminations: add(self.terminations, other.terminations),
        })
    }
}

/// The mean of the scores of periods that are settled, half up to two places; `None` if none is.
///
/// # Errors
/// A fault of arithmetic.
pub fn mean(scores: &[Scored]) -> Result<Option<Score>, Fault> {
    let settled: Vec<(Score, u32)> = scores.iter().filter_map(|one| Some((one.score?, 1))).collect();
    if settled.is_empty() {
        return Ok(None);
    }
    let mean = Score::mean(&settled, SCORE_PLACES, Rounding::HalfUp);
    Ok(Some(
        mean.map_err(|error| Fault::caused("the mean of periods", error))?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn figures(seed: u32) -> Figures {
        Figures {
            contracts: 1,
            price: Money::from_fen(i64::from(seed) * 100).unwrap(),
            price_now: Money::from_fen(i64::from(seed) * 101).unwrap(),
            accepted: seed % 7,
            late_days: seed % 5,
            calls_in_time: seed % 11,
            calls_late: seed % 3,
            response: Calls {
                in_time: seed % 11,
                late: seed % 3,
                running: 0,
            }
            .response(),
            ..Figures::default()
        }
    }

    #[test]
    fn the_response_of_all_is_that_of_all_calls_and_not_a_mean_of_means() {
        let of = |in_time, late| Figures {
            calls_in_time: in_time,
            calls_late: late,
            response: Calls {
                in_time,
                late,
                running: 0,
            }
            .response(),
            ..Figures::default()
        };
        let both = of(1, 0).with(&of(9, 10)).unwrap();
        assert_eq!(both.response.unwrap().to_string(), "50.00");
        assert_eq!(
            Figures::default().with(&Figures::default()).unwrap(),
            Figures::default()
        );
    }

    #[test]
    fn defects_count_once_the_contractor_was_told() {
        let mut found = Figures::default();
        let states = DefectState::ALL.map(|state| (state, 2));
        found.sees_to(
            &states,
            Calls {
                in_time: 3,
                late: 1,
                running: 5,
            },
        );
        assert_eq!((found.defects_open, found.defects_confirmed), (8, 2));
        assert_eq!(
            (
                found.calls_in_time,
                found.calls_late,
                found.response.unwrap().to_string()
            ),
            (3, 1, "75.00".to_owned())
        );
    }

    #[test]
    fn periods_that_are_not_settled_are_no_part_of_the_mean() {
        let of = |all: &[Option<&str>]| {
            let scores: Vec<Scored> = (1..)
                .zip(all)
                .map(|(period, score)| Scored {
                    period,
                    score: score.map(|score| score.parse().unwrap()),
                })
                .collect();
            mean(&scores).unwrap().map(|score| score.to_string())
        };
        assert_eq!(of(&[None, None]), None);
        assert_eq!(
            of(&[Some("90.00"), None, Some("85.01")]).as_deref(),
            Some("87.51")
        );
    }

    proptest! {
        #[test]
        fn it_does_not_matter_in_which_order_contracts_are_added(seeds in prop::collection::vec(0_u32..10_000, 0..12)) {
            let sum = |seeds: &mut dyn Iterator<Item = u32>| seeds.fold(Figures::default(), |sum, seed| sum.with(&figures(seed)).unwrap());
            let (there, back) = (sum(&mut seeds.iter().copied()), sum(&mut seeds.iter().rev().copied()));
            prop_assert_eq!(usize::try_from(there.contracts).unwrap(), seeds.len());
            prop_assert_eq!(there, back);
        }
    }
}
