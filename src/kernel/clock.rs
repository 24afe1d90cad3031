//! The one place where time comes from. A transaction reads the clock once and everything in it happens at that
//! instant. Nothing else in the crate asks the machine what time it is (`clippy.toml` forbids it).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;

use crate::kernel::local_day::{ZONE_DEFAULT, local_date};

/// A point in time, UTC, whole microseconds: the precision both databases keep.
pub type Instant = DateTime<Utc>;

/// Where instants come from, and the zone in which they are days. Clones share the same time.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Arc<Source>,
    zone: Tz,
}

#[derive(Debug)]
enum Source {
    System,
    /// Microseconds since the Unix epoch; only ever moves forward.
    Simulated(AtomicI64),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::of(Source::System)
    }

    /// A clock that stands still until it is moved: for the demo ward and for tests.
    pub fn simulated(start: Instant) -> Self {
        Self::of(Source::Simulated(AtomicI64::new(start.timestamp_micros())))
    }

    fn of(source: Source) -> Self {
        Self {
            source: Arc::new(source),
            zone: ZONE_DEFAULT,
        }
    }

    /// The same clock in the ward's zone, instead of the usual one.
    #[must_use]
    pub fn in_zone(self, zone: Tz) -> Self {
        Self { zone, ..self }
    }

    /// The ward's local date at an instant.
    pub fn day_of(&self, instant: Instant) -> NaiveDate {
        local_date(instant, self.zone)
    }

    /// The present instant.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Instant {
        match &*self.source {
            Source::System => whole_micros(Utc::now().timestamp_micros()),
            Source::Simulated(micros) => whole_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// True if this clock can be moved by hand.
    pub fn is_simulated(&self) -> bool {
        matches!(&*self.source, Source::Simulated(_))
    }

    /// Moves a simulated clock to `to`, unless it is already there or later; tells whether it moved. The
    /// machine's clock never moves.
    pub fn advance(&self, to: Instant) -> bool {
        match &*self.source {
            Source::System => false,
            Source::Simulated(micros) => {
                let to = to.timestamp_micros();
                micros.fetch_max(to, Ordering::SeqCst) < to
            }
        }
    }
}

fn whole_micros(micros: i64) -> Instant {
    // Every i64 of microseconds that a clock can hold lies within chrono's range; the epoch is only a backstop.
    Utc.timestamp_micros(micros).single().unwrap_or_default()
}

/// An instant as the API and the log write it: RFC 3339, `Z`, six decimals, so that text order is time order.
pub fn rfc3339(instant: Instant) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_clock_stands_still_and_never_goes_back() {
        let start = Utc.with_ymd_and_hms(2026, 3, 1, 0, 0, 0).unwrap();
        let clock = Clock::simulated(start);
        let same = clock.clone();
        assert_eq!(clock.now(), start);
        let later = start + chrono::Duration::days(1);
        assert!(same.advance(later));
        assert_eq!(clock.now(), later);
        assert!(!clock.advance(start));
        assert!(!clock.advance(later));
        assert_eq!(clock.now(), later);
    }

    #[test]
    fn the_system_clock_has_whole_microseconds_and_cannot_be_moved() {
        let clock = Clock::system();
        let now = clock.now();
        assert_eq!(now.timestamp_subsec_nanos() % 1000, 0);
        assert!(!clock.advance(now + chrono::Duration::days(1)));
        assert!(!clock.is_simulated());
    }

    #[test]
    fn instants_are_written_with_six_decimals_and_z() {
        let instant = Utc.timestamp_micros(1_700_000_000_000_001).unwrap();
        assert_eq!(rfc3339(instant), "2023-11-14T22:13:20.000001Z");
    }
}
