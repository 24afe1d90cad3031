//! Working days, public holidays and make-up workdays (调休), and the counting of periods on them.
//!
//! It must never guess: which days are worked is announced year by year, so a date in a year that
//! the data do not cover is an error and not a Monday to Friday. It reads no clock; dates arrive as
//! values.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate, Weekday};

pub use super::calendar_file::LineFault;
pub use super::local_day::{NoSuchDay, ZONE_DEFAULT, end_of_day, local_date, start_of_day};

/// The days off and on that make a working day more than Monday to Friday, for the years it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    pub(super) years: BTreeSet<i32>,
    pub(super) special_days: BTreeMap<NaiveDate, SpecialDay>,
}

/// A day that the announcement of its year names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecialDay {
    /// Whether it is off or on.
    pub kind: DayKind,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
}

/// What the announcement says about a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind {
    /// Nobody works, whatever the day of the week.
    Holiday,
    /// A Saturday or Sunday that is worked.
    Workday,
}

/// Why a calendar could not be read, or a question not be answered from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The data do not cover the year of this date. The cure is to load the year's announcement.
    #[error("the calendar of working days does not cover {date}")]
    BeyondCalendar {
        /// The first date met that is not covered.
        date: NaiveDate,
    },
    /// A period was to be counted backwards.
    #[error("a period cannot end on {until}, before it begins on {from}")]
    Reversed {
        /// The day of the event that starts the period.
        from: NaiveDate,
        /// The last day given.
        until: NaiveDate,
    },
    /// A calendar file has a line that cannot be right.
    #[error("line {line}: {fault}")]
    BadLine {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        fault: LineFault,
    },
}

impl Calendar {
    /// The years that the data cover, in order.
    pub fn years(&self) -> impl Iterator<Item = i32> + '_ {
        self.years.iter().copied()
    }

    /// What the announcement says about the date; `None` for a day of the week like any other.
    ///
    /// # Errors
    /// [`CalendarError::BeyondCalendar`].
    pub fn special_day(&self, date: NaiveDate) -> Result<Option<&SpecialDay>, CalendarError> {
        if self.years.contains(&date.year()) {
            Ok(self.special_days.get(&date))
        } else {
            Err(CalendarError::BeyondCalendar { date })
        }
    }

    /// Whether the date is worked: a make-up workday, or a Monday to Friday that is no holiday.
    ///
    /// # Errors
    /// [`CalendarError::BeyondCalendar`].
    pub fn is_working_day(&self, date: NaiveDate) -> Result<bool, CalendarError> {
        Ok(match self.special_day(date)?.map(|special| special.kind) {
            Some(DayKind::Holiday) => false,
            Some(DayKind::Workday) => true,
            None => !is_weekend(date),
        })
    }

    /// The last day of a period of `working_days` that an event on the day `from` starts. The day
    /// of the event is not counted (87号令 art 85), so it need not be a working day; no days end on
    /// `from` itself.
    ///
    /// # Errors
    /// [`CalendarError::BeyondCalendar`] with the first day that would have to be counted beyond
    /// the data.
    pub fn add_working_days(&self, from: NaiveDate, working_days: u32) -> Result<NaiveDate, CalendarError> {
        let mut date = from;
        let mut remaining = working_days;
        // The years covered bound this loop, however many days are asked for.
        while remaining > 0 {
            date = next_day(date)?;
            if self.is_working_day(date)? {
                remaining = remaining.saturating_sub(1);
            }
        }
        Ok(date)
    }

    /// The last day of a period of `days` natural days that an event on the day `from` starts. The
    /// day of the event is not counted, and a last day that is not worked moves on to the next
    /// working day (87号令 art 85).
    ///
    /// # Errors
    /// [`CalendarError::BeyondCalendar`] when the last day, or one that it moves on to, is not
    /// covered. Days in between need not be: nothing is asked about them.
    pub fn deadline_after_days(&self, from: NaiveDate, days: u32) -> Result<NaiveDate, CalendarError> {
        let last = from.checked_add_days(Days::new(u64::from(days)));
        let mut date = last.ok_or(CalendarError::BeyondCalendar { date: NaiveDate::MAX })?;
        while !self.is_working_day(date)? {
            date = next_day(date)?;
        }
        Ok(date)
    }

    /// How many working days lie after `from` up to and including `until`: the inverse of
    /// [`Calendar::add_working_days`], with the first day excluded and the last included
    /// (87号令 arts 85–86).
    ///
    /// # Errors
    /// [`CalendarError::Reversed`] when `until` is before `from`; [`CalendarError::BeyondCalendar`]
    /// with the first day to be counted that is not covered.
    pub fn working_days_between(&self, from: NaiveDate, until: NaiveDate) -> Result<u32, CalendarError> {
        if until < from {
            return Err(CalendarError::Reversed { from, until });
        }
        let mut date = from;
        let mut count = 0_u32;
        while date < until {
            date = next_day(date)?;
            if self.is_working_day(date)? {
                count = count.saturating_add(1);
            }
        }
        Ok(count)
    }
}

/// Whether nobody works on the date unless the announcement says so.
pub(super) fn is_weekend(date: NaiveDate) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

fn next_day(date: NaiveDate) -> Result<NaiveDate, CalendarError> {
    date.succ_opt().ok_or(CalendarError::BeyondCalendar { date })
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn builtin() -> &'static Calendar {
        static BUILTIN: LazyLock<Calendar> = LazyLock::new(|| Calendar::builtin().unwrap());
        &BUILTIN
    }

    fn works(text: &str) -> bool {
        builtin().is_working_day(date(text)).unwrap()
    }

    #[test]
    fn holidays_and_make_up_workdays_overrule_the_week() {
        // Spring Festival 2026: nine days off, paid for with the Saturdays before and after.
        assert!(works("2026-02-14") && works("2026-02-28"));
        assert!((15..=23).all(|day| !works(&format!("2026-02-{day}"))));
        assert!(works("2026-02-24"));
        // National Day 2025, with the Mid-Autumn Festival in it.
        assert!(works("2025-09-28") && works("2025-10-11") && works("2025-10-09"));
        assert!((1..=8).all(|day| !works(&format!("2025-10-0{day}"))));
        let autumn = builtin()
            .special_day(date("2025-10-06"))
            .unwrap()
            .cloned()
            .unwrap();
        assert_eq!(
            (autumn.kind, autumn.name_zh.as_str()),
            (DayKind::Holiday, "中秋节")
        );
        // The eve of the new lunar year was an ordinary Friday in 2024, and an ordinary weekend is
        // one.
        assert!(works("2024-02-09") && !works("2024-03-02") && !works("2024-03-03"));
        assert_eq!(builtin().special_day(date("2024-03-02")), Ok(None));
    }

    #[test]
    fn each_year_has_the_announced_number_of_working_days() {
        for (year, working_days) in [(2024, 251), (2025, 248), (2026, 248)] {
            let days = date(&format!("{year}-01-01"))
                .iter_days()
                .take_while(|day| day.year() == year);
            let counted = days.filter(|day| builtin().is_working_day(*day).unwrap()).count();
            assert_eq!(counted, working_days, "{year}");
        }
    }

    #[test]
    fn working_days_are_counted_without_the_first_day() {
        let add = |from, days| builtin().add_working_days(date(from), days).unwrap();
        assert_eq!(add("2026-03-02", 5), date("2026-03-09"));
        assert_eq!(add("2026-03-06", 1), date("2026-03-09"));
        // Across the Spring Festival: Friday the 13th, then Saturday the 14th, the 24th, 25th and
        // 26th.
        assert_eq!(add("2026-02-12", 5), date("2026-02-26"));
        // An event on a holiday starts its period like any other.
        assert_eq!(add("2026-02-17", 1), date("2026-02-24"));
        assert_eq!(add("2026-02-17", 0), date("2026-02-17"));
        assert_eq!(
            builtin().working_days_between(date("2026-02-12"), date("2026-02-26")),
            Ok(5)
        );
        assert_eq!(
            builtin().working_days_between(date("2026-02-15"), date("2026-02-23")),
            Ok(0)
        );
        assert_eq!(
            builtin().working_days_between(date("2026-03-03"), date("2026-03-02")),
            Err(CalendarError::Reversed {
                from: date("2026-03-03"),
                until: date("2026-03-02")
            })
        );
    }

    #[test]
    fn a_last_day_on_a_holiday_rolls_forward() {
        let deadline = |from, days| builtin().deadline_after_days(date(from), days).unwrap();
        assert_eq!(deadline("2026-03-02", 20), date("2026-03-23"));
        assert_eq!(deadline("2026-03-02", 21), date("2026-03-23"));
        assert_eq!(deadline("2025-09-11", 20), date("2025-10-09"));
        // A Saturday that is worked is a last day like any other.
        assert_eq!(deadline("2026-02-08", 20), date("2026-02-28"));
        assert_eq!(deadline("2026-02-15", 0), date("2026-02-24"));
    }

    #[test]
    fn beyond_the_data_nothing_is_guessed() {
        let beyond = |text| CalendarError::BeyondCalendar { date: date(text) };
        assert_eq!(builtin().years().collect::<Vec<_>>(), [2024, 2025, 2026]);
        assert_eq!(
            builtin().is_working_day(date("2027-01-04")),
            Err(beyond("2027-01-04"))
        );
        assert_eq!(
            builtin().is_working_day(date("2023-12-29")),
            Err(beyond("2023-12-29"))
        );
        assert_eq!(
            builtin().add_working_days(date("2026-12-25"), 4),
            Ok(date("2026-12-31"))
        );
        assert_eq!(
            builtin().add_working_days(date("2026-12-25"), 5),
            Err(beyond("2027-01-01"))
        );
        assert_eq!(
            builtin().add_working_days(date("2024-01-02"), u32::MAX),
            Err(beyond("2027-01-01"))
        );
        assert_eq!(
            builtin().deadline_after_days(date("2026-12-20"), 30),
            Err(beyond("2027-01-19"))
        );
        assert_eq!(
            builtin().working_days_between(date("2023-12-30"), date("2024-01-02")),
            Err(beyond("2023-12-31"))
        );
        assert_eq!(
            builtin().working_days_between(date("2023-12-31"), date("2024-01-02")),
            Ok(1)
        );
        assert!(
            builtin()
                .deadline_after_days(date("2026-12-20"), u32::MAX)
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn counting_undoes_adding(offset in 0_u64..700, working_days in 0_u32..250) {
            let calendar = builtin();
            let from = date("2024-01-01") + Days::new(offset);
            let until = calendar.add_working_days(from, working_days).unwrap();
            prop_assert_eq!(calendar.working_days_between(from, until).unwrap(), working_days);
            prop_assert!(working_days == 0 || calendar.is_working_day(until).unwrap());
        }

        #[test]
        fn a_deadline_is_the_first_working_day_from_the_last_day(offset in 0_u64..700, days in 0_u32..300) {
            let calendar = builtin();
            let from = date("2024-01-01") + Days::new(offset);
            let deadline = calendar.deadline_after_days(from, days).unwrap();
            let last = from + Days::new(days.into());
            prop_assert!(calendar.is_working_day(deadline).unwrap());
            prop_assert!(last.iter_days().take_while(|day| *day < deadline).all(|day| !calendar.is_working_day(day).unwrap()));
        }
    }
}
