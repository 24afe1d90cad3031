//! The file that a calendar of working days is read from.
//!
//! It must never be read halfway: one line that cannot be right refuses the whole file, by its
//! number.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use csv::{Position, StringRecord};

use super::calendar::{Calendar, CalendarError, DayKind, SpecialDay, is_weekend};

/// The most lines of a calendar file that are read, its header included.
pub const LINES_MAX: usize = 10_000;

/// The days of mainland China as announced by the General Office of the State Council.
const WORKING_DAYS_CN: &str = include_str!("working_days_cn.csv");
const HEADER: [&str; 4] = ["date", "kind", "name_zh", "name_en"];

/// What is wrong with a line of a calendar file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// The first line is not the header.
    #[error("the header must be \"date,kind,name_zh,name_en\"")]
    Header,
    /// Not four fields.
    #[error("a line has the four fields date, kind, name_zh and name_en")]
    Fields,
    /// The date is not written as 2026-02-17, or does not exist.
    #[error("{text:?} is not a date such as 2026-02-17")]
    Date {
        /// What stands there.
        text: String,
    },
    /// The kind is none of the three.
    #[error("{text:?} is not one of year, holiday and workday")]
    Kind {
        /// What stands there.
        text: String,
    },
    /// A name is empty.
    #[error("a day has a name in Chinese and one in English")]
    Name,
    /// A line of kind `year` whose date is not a 1 January.
    #[error("a year is declared on its 1 January")]
    YearStart,
    /// The year or the day was given before.
    #[error("the same year or day was given before")]
    Repeated,
    /// The day's year has not been declared by an earlier line of kind `year`.
    #[error("the year {year} has not been declared on a line before")]
    Undeclared {
        /// The year.
        year: i32,
    },
    /// A make-up workday on a day that is worked anyway.
    #[error("a make-up workday falls on a Saturday or Sunday")]
    WorkdayInTheWeek,
    /// No year is declared at all.
    #[error("no year is declared")]
    NoYear,
    /// A declared year without any holiday: a file that was cut off.
    #[error("the year {year} has no holiday")]
    NoHoliday {
        /// The year.
        year: i32,
    },
    /// More lines than [`LINES_MAX`].
    #[error("a calendar has at most 10000 lines")]
    TooLong,
}

impl Calendar {
    /// The calendar of mainland China for the years 2024 to 2026, as it comes with the software.
    ///
    /// # Errors
    /// None in practice: the data are compiled in and a test reads them.
    pub fn builtin() -> Result<Self, CalendarError> {
        Self::parse_csv(WORKING_DAYS_CN)
    }

    /// A calendar from a file with the columns `date,kind,name_zh,name_en`.
    ///
    /// A line of kind `year`, dated 1 January and named after the announcement it is taken from,
    /// declares that the year is covered; the lines of kind `holiday` and `workday` of that year
    /// follow it. That a year is covered could have been concluded from its days, but then a file
    /// that was cut off, or one stray day of another year, would turn into answers.
    ///
    /// # Errors
    /// [`CalendarError::BadLine`] for the first line that cannot be right.
    pub fn parse_csv(text: &str) -> Result<Self, CalendarError> {
        let text = text.trim_start_matches('\u{feff}');
        if text.lines().nth(LINES_MAX).is_some() {
            return Err(bad(text, None, LineFault::TooLong));
        }
        let mut calendar = Self {
            years: BTreeSet::new(),
            special_days: BTreeMap::new(),
        };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut header_read = false;
        for record in reader.records() {
            let record = record.map_err(|error| bad(text, error.position(), LineFault::Fields))?;
            let read = if header_read {
                calendar.read_day(&record)
            } else {
                read_header(&record)
            };
            read.map_err(|fault| bad(text, record.position(), fault))?;
            header_read = true;
        }
        calendar.check_whole().map_err(|fault| bad(text, None, fault))?;
        Ok(calendar)
    }

    fn read_day(&mut self, record: &StringRecord) -> Result<(), LineFault> {
        let fields: Vec<&str> = record.iter().collect();
        let &[date, kind, name_zh, name_en] = fields.as_slice() else {
            return Err(LineFault::Fields);
        };
        let date = read_date(date)?;
        let kind = match kind {
            "year" => None,
            "holiday" => Some(DayKind::Holiday),
            "workday" => Some(DayKind::Workday),
            other => {
                return Err(LineFault::Kind {
                    text: other.to_owned(),
                });
            }
        };
        if name_zh.trim().is_empty() || name_en.trim().is_empty() {
            return Err(LineFault::Name);
        }
        match kind {
            None => self.declare_year(date),
            Some(kind) => self.declare_day(
                date,
                SpecialDay {
                    kind,
                    name_zh: name_zh.to_owned(),
                    name_en: name_en.to_owned(),
                },
            ),
        }
    }

    fn declare_year(&mut self, start: NaiveDate) -> Result<(), LineFault> {
        if start.ordinal() != 1 {
            return Err(LineFault::YearStart);
        }
        if self.years.insert(start.year()) {
            Ok(())
        } else {
            Err(LineFault::Repeated)
        }
    }

    fn declare_day(&mut self, date: NaiveDate, day: SpecialDay) -> Result<(), LineFault> {
        if !self.years.contains(&date.year()) {
            return Err(LineFault::Undeclared { year: date.year() });
        }
        if day.kind == DayKind::Workday && !is_weekend(date) {
            return Err(LineFault::WorkdayInTheWeek);
        }
        if self.special_days.insert(date, day).is_some() {
            Err(LineFault::Repeated)
        } else {
            Ok(())
        }
    }

    /// What can be said only when every line has been read.
    fn check_whole(&self) -> Result<(), LineFault> {
        if self.years.is_empty() {
            return Err(LineFault::NoYear);
        }
        let holiday = |(_, day): &(&NaiveDate, &SpecialDay)| day.kind == DayKind::Holiday;
        let with_holidays: BTreeSet<i32> = self
            .special_days
            .iter()
            .filter(holiday)
            .map(|(date, _)| date.year())
            .collect();
        match self.years.difference(&with_holidays).next() {
            Some(year) => Err(LineFault::NoHoliday { year: *year }),
            None => Ok(()),
        }
    }
}

fn read_header(record: &StringRecord) -> Result<(), LineFault> {
    if record.iter().eq(HEADER) {
        Ok(())
    } else {
        Err(LineFault::Header)
    }
}

/// The line of a fault: the first at or after the position that is not blank, or the last of the
/// file. The position's own line was rejected: it counts from where the search for a record began.
fn bad(text: &str, position: Option<&Position>, fault: LineFault) -> CalendarError {
    let lines_begun = |bytes: &[u8]| {
        bytes
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            .saturating_add(1)
    };
    let begin = position.and_then(|position| usize::try_from(position.byte()).ok());
    let line = match begin.and_then(|begin| text.as_bytes().get(begin..)) {
        Some(rest) => {
            let begin = text.len().saturating_sub(rest.trim_ascii_start().len());
            text.as_bytes().get(..begin).map_or(1, lines_begun)
        }
        None => text.lines().count().max(1),
    };
    CalendarError::BadLine { line, fault }
}

/// A date in exactly the form 2026-02-17; the reader of `chrono` alone would also take 2026-2-7.
fn read_date(text: &str) -> Result<NaiveDate, LineFault> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    date.filter(|date| date.to_string() == text)
        .ok_or_else(|| LineFault::Date {
            text: text.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str =
        "date,kind,name_zh,name_en\n2027-01-01,year,示例,Example\n2027-01-01,holiday,元旦,New Year's Day\n";

    fn refused(lines: &str) -> CalendarError {
        Calendar::parse_csv(&format!("{START}{lines}")).unwrap_err()
    }

    #[test]
    fn a_deployment_replaces_the_data() {
        let calendar =
            Calendar::parse_csv(&format!("{START}2027-01-02,workday,调休,\"Make-up, first\"\n")).unwrap();
        assert_eq!(calendar.years().collect::<Vec<_>>(), [2027]);
        let date = NaiveDate::from_ymd_opt(2027, 1, 2).unwrap();
        assert_eq!(calendar.is_working_day(date), Ok(true));
        assert_eq!(
            calendar.special_day(date).unwrap().unwrap().name_en,
            "Make-up, first"
        );
        let date = NaiveDate::from_ymd_opt(2026, 1, 5).unwrap();
        assert_eq!(
            calendar.is_working_day(date),
            Err(CalendarError::BeyondCalendar { date })
        );
        // As a spreadsheet saves it.
        let spreadsheet = format!("\u{feff}{}", START.replace('\n', "\r\n"));
        assert_eq!(
            Calendar::parse_csv(&spreadsheet).unwrap(),
            Calendar::parse_csv(START).unwrap()
        );
    }

    #[test]
    fn a_line_that_cannot_be_right_is_named() {
        for (lines, fault) in [
            ("2027-02-05,holiday,春节", LineFault::Fields),
            ("2027-02-05,holiday,春节,Spring Festival,", LineFault::Fields),
            (
                "2027-2-5,holiday,春节,Spring Festival",
                LineFault::Date {
                    text: "2027-2-5".into(),
                },
            ),
            (
                "2027-02-30,holiday,春节,Spring Festival",
                LineFault::Date {
                    text: "2027-02-30".into(),
                },
            ),
            (
                "2027-02-05,Holiday,春节,Spring Festival",
                LineFault::Kind {
                    text: "Holiday".into(),
                },
            ),
            ("2027-02-05,holiday,春节, ", LineFault::Name),
            ("2028-02-01,year,示例,Example", LineFault::YearStart),
            ("2027-01-01,year,示例,Example", LineFault::Repeated),
            (
                "2027-01-01,workday,元旦,New Year's Day",
                LineFault::WorkdayInTheWeek,
            ),
            ("2027-01-01,holiday,元旦,New Year's Day", LineFault::Repeated),
            (
                "2028-01-01,holiday,元旦,New Year's Day",
                LineFault::Undeclared { year: 2028 },
            ),
            (
                "2027-02-05,workday,调休,Make-up workday",
                LineFault::WorkdayInTheWeek,
            ),
            (
                "2028-01-01,year,示例,Example",
                LineFault::NoHoliday { year: 2028 },
            ),
        ] {
            assert_eq!(
                refused(lines),
                CalendarError::BadLine { line: 4, fault },
                "{lines}"
            );
        }
        assert_eq!(
            refused("\n\n2027-02-05,off,春节,Spring Festival").to_string(),
            "line 6: \"off\" is not one of year, holiday and workday"
        );
    }

    #[test]
    fn a_file_needs_a_header_and_a_year_and_an_end() {
        let fault = |text: &str| match Calendar::parse_csv(text) {
            Err(CalendarError::BadLine { fault, .. }) => Some(fault),
            _ => None,
        };
        assert_eq!(fault(""), Some(LineFault::NoYear));
        assert_eq!(fault("date,kind,name_zh,name_en\n"), Some(LineFault::NoYear));
        assert_eq!(
            fault("2027-01-01,holiday,元旦,New Year's Day\n"),
            Some(LineFault::Header)
        );
        let endless = format!("{START}{}", "\n".repeat(LINES_MAX));
        assert_eq!(fault(&endless), Some(LineFault::TooLong));
    }
}
