//! Between local dates and instants: when a day begins and ends in the ward's zone.
//!
//! It reads no clock and knows no default but the one named here; the zone of a ward is
//! configuration.

use chrono::{DateTime, Duration, LocalResult, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// The zone of a ward that configures none.
pub const ZONE_DEFAULT: Tz = chrono_tz::Asia::Shanghai;

/// The zone's clocks skip the day, or it lies at the end of the range of dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{date} does not begin or end in this time zone")]
pub struct NoSuchDay {
    /// The day.
    pub date: NaiveDate,
}

/// The instant at which a local date begins.
///
/// Where the clocks are put forward at midnight the day begins when they have been; where midnight
/// comes twice it begins the first time.
///
/// # Errors
/// [`NoSuchDay`] for a date that the zone skips, or at the end of the range of dates.
pub fn start_of_day(date: NaiveDate, zone: Tz) -> Result<DateTime<Utc>, NoSuchDay> {
    let midnight = date.and_time(NaiveTime::MIN);
    // Zones change their clocks by multiples of a quarter of an hour.
    for quarter in 0..96 {
        let local = midnight.checked_add_signed(Duration::minutes(15_i64.saturating_mul(quarter)));
        match local.map(|local| zone.from_local_datetime(&local)) {
            Some(LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _)) => {
                return Ok(instant.to_utc());
            }
            Some(LocalResult::None) => {}
            None => break,
        }
    }
    Err(NoSuchDay { date })
}

/// The instant at which a local date is over: the beginning of the next. A deadline at the end of a
/// day is this instant, and what comes strictly before it is in time; 23:59:59 was rejected,
/// because it loses a second.
///
/// # Errors
/// [`NoSuchDay`] at the end of the range of dates.
pub fn end_of_day(date: NaiveDate, zone: Tz) -> Result<DateTime<Utc>, NoSuchDay> {
    let mut next = date;
    // A zone that moved across the date line has skipped one day, never two.
    for _ in 0..2 {
        next = next.succ_opt().ok_or(NoSuchDay { date })?;
        if let Ok(instant) = start_of_day(next, zone) {
            return Ok(instant);
        }
    }
    Err(NoSuchDay { date })
}

/// The local date on which an instant falls.
pub fn local_date(instant: DateTime<Utc>, zone: Tz) -> NaiveDate {
    instant.with_timezone(&zone).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_in_shanghai_ends_at_sixteen_hours_utc() {
        let end = end_of_day(date("2026-02-24"), ZONE_DEFAULT).unwrap();
        assert_eq!(end, instant("2026-02-24T16:00:00Z"));
        assert_eq!(start_of_day(date("2026-02-25"), ZONE_DEFAULT), Ok(end));
        assert_eq!(local_date(end, ZONE_DEFAULT), date("2026-02-25"));
        assert_eq!(
            local_date(end - Duration::microseconds(1), ZONE_DEFAULT),
            date("2026-02-24")
        );
    }

    #[test]
    fn clocks_that_change_at_midnight_do_not_lose_the_day() {
        // Cairo put its clocks from 00:00 to 01:00 on 24 April 2026.
        let end = end_of_day(date("2026-04-23"), chrono_tz::Africa::Cairo).unwrap();
        assert_eq!(end, instant("2026-04-23T22:00:00Z"));
        // Havana puts its clocks from 01:00 back to 00:00, so that midnight comes twice.
        let end = end_of_day(date("2026-10-31"), chrono_tz::America::Havana).unwrap();
        assert_eq!(end, instant("2026-11-01T04:00:00Z"));
        // Apia skipped 30 December 2011.
        let apia = chrono_tz::Pacific::Apia;
        let skipped = date("2011-12-30");
        assert_eq!(start_of_day(skipped, apia), Err(NoSuchDay { date: skipped }));
        assert_eq!(
            end_of_day(date("2011-12-29"), apia),
            start_of_day(date("2011-12-31"), apia)
        );
        assert!(end_of_day(NaiveDate::MAX, ZONE_DEFAULT).is_err());
    }
}
