//! The clocks of defects: until when the contractor has to have put something right, and what came of all that was due. The time is that of
//! the indicator which the contract keeps to. Each call to the contractor runs by itself: a reopening begins another one and changes nothing of
//! the one before. Pure.

use chrono::{Days as NaturalDays, Duration};

use crate::contracts::rules_defects::{Category, OTHER, REPORTER_DAYS, SILENCE_DAYS};
use crate::kernel::clock::Instant;
use crate::kernel::days::Days;
use crate::kernel::score::{Rounding, Score};
use crate::standards::rules_documents::CountsFrom;
use crate::standards::rules_evaluation::{TimeLimit, time_limit};
use crate::standards::rules_indicators::Indicator;
use crate::standards::rules_units::Dimension;

/// Decimals of a score of responses.
const PLACES: u32 = 2;

/// When a call to the contractor begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// From when the time counts, UTC: what happened, or the call.
    pub started_at: Instant,
    /// When it is due, UTC; `None` where no time limit runs, or where the calendar does not reach so far yet.
    pub due_at: Option<Instant>,
    /// When the contractor is reminded, UTC: when three quarters of the time are gone.
    pub remind_at: Option<Instant>,
}

/// What a category demands of how fast it is put right at a place of a grade.
pub type Demand = Option<(CountsFrom, TimeLimit)>;

/// The categories of a contract: what its standard measures, and whatever else there may be.
pub fn categories(indicators: &[Indicator]) -> Vec<Category> {
    let of = |indicator: &Indicator| Category {
        code: indicator.code.clone(),
        name_zh: indicator.name.zh.clone(),
        name_en: indicator.name.en.clone(),
    };
    // An indicator that is called so would hide what is in no standard.
    let measured = indicators
        .iter()
        .filter(|indicator| indicator.code != OTHER)
        .map(of);
    measured.chain([Category::other()]).collect()
}

/// The categories of a contract as somebody who passes by looks for them: first what is put right case by case, then what lies about and is counted, then what is
/// reckoned over many cases, and whatever else there may be last. Within these as the standard has them.
pub fn categories_to_report(indicators: &[Indicator]) -> Vec<Category> {
    let place = |indicator: &Indicator| match indicator.unit.dimension() {
        _ if indicator.counts_from.is_some() => 0,
        Dimension::Pieces
        | Dimension::Spots
        | Dimension::Occurrences
        | Dimension::Area
        | Dimension::PieceDensity
        | Dimension::SpotDensity
        | Dimension::AreaDensity
        | Dimension::Length => 1,
        Dimension::WeeklyFrequency
        | Dimension::YearlyFrequency
        | Dimension::DailyDuration
        | Dimension::Duration
        | Dimension::WorkingDays
        | Dimension::TimeOfDay
        | Dimension::Share
        | Dimension::Application => 2,
    };
    let mut sorted = indicators.to_vec();
    sorted.sort_by_key(place);
    categories(&sorted)
}

/// What the indicator of a category demands at a place of this grade.
pub fn demand(indicators: &[Indicator], category: &str, grade: Option<&str>) -> Demand {
    let mut known = indicators.iter();
    let indicator = known.find(|indicator| indicator.code == category && category != OTHER)?;
    time_limit(indicator, grade)
}

/// When something is due that counts from an instant: so many seconds later, or when so many working days after its day are over. At that instant
/// it is still in time (以内 includes the limit, 87号令 art 86). `None` if the calendar of working days does not reach so far.
pub fn due(started_at: Instant, limit: TimeLimit, days: Days<'_>) -> Option<Instant> {
    match limit {
        TimeLimit::Seconds(seconds) => {
            let length = Duration::try_seconds(i64::try_from(seconds).ok()?)?;
            started_at.checked_add_signed(length)
        }
        TimeLimit::WorkingDays(count) => {
            let count = u32::try_from(count).ok()?;
            let last = days.working(days.day(started_at), count).ok()?;
            days.over(last).ok()
        }
    }
}

/// The clock of a call. A time that counts from a report begins with the call, because before it the contractor cannot know; one that counts from what
/// happened begins with that, because the contractor has to see it itself.
pub fn clock(demand: Demand, occurred_at: Instant, called_at: Instant, days: Days<'_>) -> Timing {
    let started_at = match demand {
        Some((CountsFrom::Occurrence, _)) => occurred_at.min(called_at),
        Some((CountsFrom::Report, _)) | None => called_at,
    };
    let due_at = demand.and_then(|(_, limit)| due(started_at, limit, days));
    let remind_at = due_at.map(|due| {
        let quarter = due.signed_duration_since(started_at) / 4;
        due.checked_sub_signed(quarter)
            .unwrap_or(due)
            .max(called_at.min(due))
    });
    Timing {
        started_at,
        due_at,
        remind_at,
    }
}

fn over_after(fixed_at: Instant, count: u64, days: Days<'_>) -> Instant {
    let last = days.day(fixed_at).checked_add_days(NaturalDays::new(count));
    let over = last.and_then(|last| days.over(last).ok());
    // At the end of all dates a fix is simply not answered any more.
    over.unwrap_or(fixed_at)
}

/// Until when reporters are heard after a fix.
pub fn heard_until(fixed_at: Instant, days: Days<'_>) -> Instant {
    over_after(fixed_at, REPORTER_DAYS, days)
}

/// From when on silence counts as a confirmation of a fix.
pub fn silent_at(fixed_at: Instant, days: Days<'_>) -> Instant {
    over_after(fixed_at, SILENCE_DAYS, days)
}

/// A call to the contractor, and what came of it so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// When it is due, UTC.
    pub due_at: Instant,
    /// When the contractor said that it is done, UTC.
    pub fixed_at: Option<Instant>,
    /// Whether that did not hold.
    pub is_reopened: bool,
}

/// What is to be thought of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was answered in time, and that has held.
    InTime,
    /// It was not.
    Late,
    /// It still runs.
    Running,
}

impl Call {
    /// What is to be thought of it at an instant. To say that something is done which is not is no answer, however early.
    pub fn judged(self, now: Instant) -> Verdict {
        match self.fixed_at {
            Some(_) if self.is_reopened => Verdict::Late,
            Some(fixed_at) if fixed_at <= self.due_at => Verdict::InTime,
            Some(_) => Verdict::Late,
            None if now > self.due_at => Verdict::Late,
            None => Verdict::Running,
        }
    }
}

/// How the calls of a time stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Answered in time.
    pub in_time: u32,
    /// Answered late, not at all, or not well.
    pub late: u32,
    /// Not due yet.
    pub running: u32,
}

impl Calls {
    /// Counts them.
    pub fn counted(calls: impl IntoIterator<Item = Call>, now: Instant) -> Self {
        let mut counted = Self::default();
        for call in calls {
            let place = match call.judged(now) {
                Verdict::InTime => &mut counted.in_time,
                Verdict::Late => &mut counted.late,
                Verdict::Running => &mut counted.running,
            };
            *place = place.saturating_add(1);
        }
        counted
    }

    /// The score of responses: the share of calls that were answered in time, × 100, rounded half up to two decimals. `None` where none was due, which
    /// is no merit and no fault: whoever puts a period's score together says what that means.
    pub fn response(self) -> Option<Score> {
        let counted = [(Score::HUNDRED, self.in_time), (Score::ZERO, self.late)];
        Score::mean(&counted, PLACES, Rounding::HalfUp).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use chrono::{Datelike, TimeZone, Utc};
    use chrono_tz::Tz;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::kernel::calendar::Calendar;
    use crate::kernel::local_day::{end_of_day, local_date};
    use crate::standards::rules_documents::ContentDocument;
    use crate::standards::rules_indicators::Content;

    static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| Calendar::builtin().unwrap());

    fn days(zone: Tz) -> Days<'static> {
        Days {
            calendar: &CALENDAR,
            zone,
        }
    }

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn indicators() -> Vec<Indicator> {
        let of = |code: &str, unit: &str, from: Option<&str>, limits: serde_json::Value| {
            json!({"code": code, "name_zh": "雨后积水", "name_en": "Rain water", "text_zh": "时限", "text_en": "How soon", "unit": unit,
                "operator": "at_most", "limits": limits, "method_zh": "查看", "method_en": "Looked at", "counts_from": from})
        };
        let all = json!([{"threshold": "4"}]);
        let document: ContentDocument = serde_json::from_value(json!({
            "grades": [{"code": "a", "name_zh": "甲", "name_en": "A"}, {"code": "b", "name_zh": "乙", "name_en": "B"}],
            "indicators": [
                of("rain_water", "hour", Some("occurrence"), all.clone()),
                of("vacancy", "working_day", Some("report"), all.clone()),
                of("branch", "day", Some("report"), json!([{"grade": "a", "threshold": "1"}, {"grade": "b", "threshold": null}])),
                of("litter", "piece_per_thousand_m2", None, all),
            ],
        }))
        .unwrap();
        Content::checked(&document).unwrap().indicators
    }

    #[test]
    fn categories_are_what_the_standard_measures_and_something_else() {
        let all = categories(&indicators());
        let codes: Vec<&str> = all.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["rain_water", "vacancy", "branch", "litter", "other"]);
        let mut mixed = indicators();
        mixed.reverse();
        let to_report = categories_to_report(&mixed);
        let codes: Vec<&str> = to_report.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["branch", "vacancy", "rain_water", "litter", "other"]);
        assert_eq!(demand(&indicators(), "litter", None), None);
        assert_eq!(demand(&indicators(), "other", None), None);
        assert_eq!(demand(&indicators(), "branch", Some("b")), None);
        assert_eq!(demand(&indicators(), "branch", None), None, "no grade, no demand");
        let day = Some((CountsFrom::Report, TimeLimit::Seconds(86_400)));
        assert_eq!(demand(&indicators(), "branch", Some("a")), day);
        let four = Some((CountsFrom::Occurrence, TimeLimit::Seconds(14_400)));
        assert_eq!(demand(&indicators(), "rain_water", None), four);
    }

    #[test]
    fn working_days_go_over_a_holiday_and_hours_do_not_care() {
        let zone = chrono_tz::Asia::Shanghai;
        // The last working day before Spring Festival 2026, which ends on the 23rd; the 28th is a Saturday that is worked.
        let start = at("2026-02-14T02:00:00Z");
        assert_eq!(
            due(start, TimeLimit::WorkingDays(4), days(zone)),
            Some(at("2026-02-27T16:00:00Z"))
        );
        assert_eq!(
            due(start, TimeLimit::WorkingDays(5), days(zone)),
            Some(at("2026-02-28T16:00:00Z"))
        );
        assert_eq!(
            due(start, TimeLimit::Seconds(14_400), days(zone)),
            Some(at("2026-02-14T06:00:00Z"))
        );
        assert_eq!(
            due(start, TimeLimit::WorkingDays(5_000), days(zone)),
            None,
            "no calendar reaches so far"
        );
        assert_eq!(due(start, TimeLimit::Seconds(u64::MAX), days(zone)), None);
    }

    #[test]
    fn a_time_from_a_report_begins_with_the_call_and_one_from_what_happened_with_that() {
        let zone = chrono_tz::Asia::Shanghai;
        let (happened, called) = (at("2026-05-06T00:00:00Z"), at("2026-05-06T03:00:00Z"));
        let rain = demand(&indicators(), "rain_water", None);
        let of_rain = clock(rain, happened, called, days(zone));
        assert_eq!(
            (of_rain.started_at, of_rain.due_at),
            (happened, Some(at("2026-05-06T04:00:00Z")))
        );
        assert_eq!(of_rain.remind_at, Some(called), "not before anybody was called");
        let branch = demand(&indicators(), "branch", Some("a"));
        let of_branch = clock(branch, happened, called, days(zone));
        assert_eq!(
            (of_branch.started_at, of_branch.due_at),
            (called, Some(at("2026-05-07T03:00:00Z")))
        );
        assert_eq!(of_branch.remind_at, Some(at("2026-05-06T21:00:00Z")));
        let long_ago = clock(rain, at("2026-05-05T00:00:00Z"), called, days(zone));
        assert_eq!(
            long_ago.remind_at, long_ago.due_at,
            "what was due before the call is reminded of at once"
        );
        let nothing = clock(None, happened, called, days(zone));
        assert_eq!((nothing.due_at, nothing.remind_at), (None, None));
    }

    #[test]
    fn answers_are_heard_to_the_end_of_a_day_also_where_the_clocks_change() {
        let shanghai = days(chrono_tz::Asia::Shanghai);
        let fixed = at("2026-05-06T15:59:59Z");
        assert_eq!(heard_until(fixed, shanghai), at("2026-05-09T16:00:00Z"));
        assert_eq!(silent_at(fixed, shanghai), at("2026-05-13T16:00:00Z"));
        // Berlin puts its clocks forward on 29 March 2026.
        let berlin = days(chrono_tz::Europe::Berlin);
        assert_eq!(
            heard_until(at("2026-03-27T11:00:00Z"), berlin),
            at("2026-03-30T22:00:00Z")
        );
    }

    #[test]
    fn a_call_is_judged_by_its_own_time_and_a_fix_that_did_not_hold_is_none() {
        let due_at = at("2026-05-06T04:00:00Z");
        let call = |fixed: Option<&str>, is_reopened| Call {
            due_at,
            fixed_at: fixed.map(at),
            is_reopened,
        };
        let later = due_at + Duration::seconds(1);
        assert_eq!(call(None, false).judged(due_at), Verdict::Running);
        assert_eq!(call(None, false).judged(later), Verdict::Late);
        assert_eq!(
            call(Some("2026-05-06T04:00:00Z"), false).judged(later),
            Verdict::InTime
        );
        assert_eq!(
            call(Some("2026-05-06T04:00:01Z"), false).judged(later),
            Verdict::Late
        );
        assert_eq!(
            call(Some("2026-05-06T01:00:00Z"), true).judged(later),
            Verdict::Late
        );
    }

    #[test]
    fn the_score_is_the_share_in_time() {
        let of = |in_time, late| {
            let calls = Calls {
                in_time,
                late,
                running: 9,
            };
            calls.response().map(|score| score.to_string())
        };
        assert_eq!(of(0, 0), None);
        assert_eq!(of(3, 0).as_deref(), Some("100.00"));
        assert_eq!(of(2, 1).as_deref(), Some("66.67"));
        assert_eq!(of(1, 7).as_deref(), Some("12.50"));
        assert_eq!(of(1, 2).as_deref(), Some("33.33"));
        assert_eq!(of(0, 5).as_deref(), Some("0.00"));
    }

    fn zones() -> impl Strategy<Value = Tz> {
        prop::sample::select(vec![
            chrono_tz::Asia::Shanghai,
            chrono_tz::Europe::Berlin,
            chrono_tz::America::Havana,
            chrono_tz::Africa::Cairo,
            chrono_tz::Australia::Lord_Howe,
            chrono_tz::UTC,
        ])
    }

    proptest! {
        #[test]
        fn hours_are_hours_in_every_zone(start in 1_767_225_600_i64..1_798_761_600, seconds in 0_u64..2_000_000, zone in zones()) {
            let start = Utc.timestamp_opt(start, 0).unwrap();
            let due = due(start, TimeLimit::Seconds(seconds), days(zone)).unwrap();
            prop_assert_eq!(u64::try_from((due - start).num_seconds()).unwrap(), seconds);
        }

        #[test]
        fn working_days_end_with_a_day_that_is_worked_and_as_many_lie_between(
            start in 1_767_225_600_i64..1_790_000_000, count in 1_u64..30, zone in zones()
        ) {
            let start = Utc.timestamp_opt(start, 0).unwrap();
            let due = due(start, TimeLimit::WorkingDays(count), days(zone)).unwrap();
            let last = local_date(due - Duration::microseconds(1), zone);
            prop_assert_eq!(end_of_day(last, zone).unwrap(), due);
            prop_assert!(CALENDAR.is_working_day(last).unwrap());
            let between = CALENDAR.working_days_between(local_date(start, zone), last).unwrap();
            prop_assert_eq!(u64::from(between), count);
            prop_assert!(last.year() == 2026);
        }

        #[test]
        fn a_later_start_is_never_due_earlier(start in 1_767_225_600_i64..1_790_000_000, more in 0_i64..1_000_000, count in 1_u64..20, zone in zones()) {
            let at = |seconds| Utc.timestamp_opt(seconds, 0).unwrap();
            let due = |start| due(at(start), TimeLimit::WorkingDays(count), days(zone)).unwrap();
            prop_assert!(due(start) <= due(start + more));
        }

        #[test]
        fn a_clock_reminds_between_the_call_and_the_end(happened in 0_i64..100_000, called in 0_i64..100_000, limit in 0_u64..100_000) {
            let base = at("2026-05-06T00:00:00Z");
            let (happened, called) = (base + Duration::seconds(happened), base + Duration::seconds(called));
            let clock = clock(Some((CountsFrom::Occurrence, TimeLimit::Seconds(limit))), happened, called, days(chrono_tz::Asia::Shanghai));
            let (due, remind) = (clock.due_at.unwrap(), clock.remind_at.unwrap());
            prop_assert!(clock.started_at <= called && clock.started_at <= due && remind <= due);
            prop_assert!(remind >= called || remind == due);
        }

        #[test]
        fn counting_loses_no_call(fixed in prop::collection::vec((0_i64..100, prop::option::of(0_i64..100), any::<bool>()), 0..50), now in 0_i64..100) {
            let base = at("2026-05-06T00:00:00Z");
            let at = |n: i64| base + Duration::minutes(n);
            let calls: Vec<Call> = fixed.iter().map(|(due, fixed, again)| Call { due_at: at(*due), fixed_at: fixed.map(at), is_reopened: *again && fixed.is_some() }).collect();
            let counted = Calls::counted(calls.iter().copied(), at(now));
            prop_assert_eq!(usize::try_from(counted.in_time + counted.late + counted.running).unwrap(), calls.len());
            if let Some(score) = counted.response() {
                prop_assert!(score >= Score::ZERO && score <= Score::HUNDRED);
            }
        }
    }
}
