//! The days of a ward: where they begin and end, and how a time limit is counted, the day of the event left out (87号令 arts 85–86).

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::kernel::calendar::Calendar;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::{end_of_day, local_date};
use crate::kernel::refusal::{Kind, Reason, Refusal};

/// The calendar of working days does not reach so far.
pub static CALENDAR_ENDS: Reason = Reason::new(
    Kind::Conflict,
    "calendar_ends",
    "工作日历未覆盖该期限，请先载入次年的放假安排",
    "The calendar of working days does not reach so far; load the next year's holidays first",
);

/// The ward's days.
#[derive(Clone, Copy)]
pub struct Days<'c> {
    /// Public holidays and make-up workdays.
    pub calendar: &'c Calendar,
    /// Where a day begins and ends.
    pub zone: Tz,
}

impl Days<'_> {
    /// The day on which an instant falls.
    pub fn day(&self, at: Instant) -> NaiveDate {
        local_date(at, self.zone)
    }

    /// The last of so many working days after a day.
    ///
    /// # Errors
    /// [`CALENDAR_ENDS`].
    pub fn working(&self, from: NaiveDate, days: u32) -> Result<NaiveDate, Refusal> {
        let last = self.calendar.add_working_days(from, days);
        last.map_err(|_| CALENDAR_ENDS.refuse())
    }

    /// The last of so many days after a day, or the working day after it.
    ///
    /// # Errors
    /// [`CALENDAR_ENDS`].
    pub fn natural(&self, from: NaiveDate, days: u32) -> Result<NaiveDate, Refusal> {
        let last = self.calendar.deadline_after_days(from, days);
        last.map_err(|_| CALENDAR_ENDS.refuse())
    }

    /// When a day is over.
    ///
    /// # Errors
    /// [`CALENDAR_ENDS`].
    pub fn over(&self, day: NaiveDate) -> Result<Instant, Refusal> {
        end_of_day(day, self.zone).map_err(|_| CALENDAR_ENDS.refuse())
    }
}
