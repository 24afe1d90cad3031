//! Until when something is paid, and what it costs to be late: 30 days from acceptance unless the rules say otherwise, and 0.05 % of what is late for each day
//! (国务院令第802号). Nobody is late with what was not claimed. Pure.

use chrono::NaiveDate;

use crate::kernel::fixed::Rounding;
use crate::kernel::money::Money;
use crate::kernel::weight::Weight;

/// What decides how late a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The last day for payment, a local date of the ward.
    pub due_on: NaiveDate,
    /// The day on which it was claimed.
    pub claimed_on: NaiveDate,
    /// The day on which it was paid, or today.
    pub until: NaiveDate,
}

impl Term {
    /// How many days late: those after the last day for payment, and after the day of the claim if that came later.
    pub fn days_late(&self) -> u32 {
        let from = self.due_on.max(self.claimed_on);
        let days = self.until.signed_duration_since(from).num_days();
        u32::try_from(days).unwrap_or(0)
    }
}

/// Interest for so many days, of a rate in percent for each; half up to the fen, once. What would be more than an amount can be is the most that it can be.
pub fn interest(amount: Money, days: u32, percent_per_day: Weight) -> Money {
    let rate = percent_per_day.percent().checked_mul(days.into());
    let interest = rate.and_then(|rate| amount.percent_of(rate, Rounding::HalfUp).ok());
    interest.unwrap_or(Money::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(due_on: &str, claimed_on: &str, until: &str) -> u32 {
        let day = |text: &str| text.parse().unwrap();
        Term {
            due_on: day(due_on),
            claimed_on: day(claimed_on),
            until: day(until),
        }
        .days_late()
    }

    fn late(amount: &str, days: u32) -> String {
        interest(amount.parse().unwrap(), days, "0.05".parse().unwrap()).to_string()
    }

    /// E4 of the worked examples.
    #[test]
    fn ten_days_late_on_191550_cost_957_75() {
        assert_eq!(late("191550.00", 10), "957.75");
        assert_eq!(late("191550.00", 0), "0.00");
        // 0.05 % of 10.00 is half a fen: up.
        assert_eq!(interest(Money::MAX, 36_500, "0.05".parse().unwrap()), Money::MAX);
        assert_eq!(
            (late("10.00", 1), late("9.99", 1)),
            ("0.01".to_owned(), "0.00".to_owned())
        );
    }

    #[test]
    fn the_last_day_is_in_time_and_nobody_is_late_with_what_was_not_claimed() {
        assert_eq!(days("2026-07-01", "2026-06-01", "2026-07-01"), 0);
        assert_eq!(days("2026-07-01", "2026-06-01", "2026-07-11"), 10);
        assert_eq!(days("2026-07-01", "2026-07-08", "2026-07-11"), 3);
        assert_eq!(days("2026-07-01", "2026-07-08", "2026-07-02"), 0);
    }
}
