//! When an organisation is reminded of a qualification that ends: once sixty, thirty and seven days before its last day, counted in
//! the ward's dates. Who was away on the very day (a service that stood still, a qualification that was verified late) is told with
//! the nearest distance that has been reached, and only with that. Pure.

use chrono::{Duration, NaiveDate};

use crate::registry::rules_qualifications::{Qualification, State};

/// Days before the last day on which one is reminded, the longest first.
pub const DISTANCES: [i64; 3] = [60, 30, 7];

/// The last day that is looked at on a day: what ends later is not reminded of yet.
pub fn horizon(today: NaiveDate) -> NaiveDate {
    let longest = DISTANCES.into_iter().max().unwrap_or_default();
    today
        .checked_add_signed(Duration::days(longest))
        .unwrap_or(NaiveDate::MAX)
}

/// A reminder that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// The distance that has been reached.
    pub distance: i64,
    /// Days that are left, from none to the distance.
    pub days_left: u32,
}

/// The reminder of a qualification that is due on a day, if one is.
pub fn due(qualification: &Qualification, today: NaiveDate) -> Option<Reminder> {
    let last = qualification.licence.valid_to?;
    if qualification.state != State::Verified {
        return None;
    }
    let left = last.signed_duration_since(today).num_days();
    let distance = DISTANCES.into_iter().filter(|distance| left <= *distance).min()?;
    Some(Reminder {
        distance,
        days_left: u32::try_from(left).ok()?,
    })
}

/// True if another of the organisation's qualifications takes this one's place: of the same kind, verified, and good on the day after.
pub fn is_replaced(qualification: &Qualification, others: &[Qualification]) -> bool {
    let Some(after) = qualification.licence.valid_to.and_then(|last| last.succ_opt()) else {
        return false;
    };
    others.iter().any(|other| {
        other.id != qualification.id
            && other.licence.kind == qualification.licence.kind
            && other.holds_on(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::party::OrganisationId;
    use crate::registry::rules_qualifications::{Licence, QualificationId};
    use chrono::TimeZone;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn licence(kind: &str, from: &str, to: Option<&str>) -> Qualification {
        let now = chrono::Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap();
        Qualification {
            id: QualificationId::mint(now),
            organisation_id: OrganisationId::mint(now),
            licence: Licence {
                kind: kind.to_owned(),
                issuer: "x".to_owned(),
                number: "1".to_owned(),
                grade: None,
                valid_from: day(from),
                valid_to: to.map(day),
            },
            state: State::Verified,
            note: None,
            version: 2,
            claimed_by: "user_a".to_owned(),
            claimed_at: now,
            decided: None,
        }
    }

    #[test]
    fn one_is_reminded_from_each_distance_on_until_the_last_day() {
        let ends = licence("security_service", "2026-01-01", Some("2026-06-30"));
        let on = |today: &str| due(&ends, day(today)).map(|one| (one.distance, one.days_left));
        assert_eq!(on("2026-04-30"), None);
        assert_eq!(on("2026-05-01"), Some((60, 60)));
        assert_eq!(on("2026-05-30"), Some((60, 31)));
        assert_eq!(on("2026-05-31"), Some((30, 30)));
        assert_eq!(on("2026-06-22"), Some((30, 8)));
        assert_eq!(on("2026-06-23"), Some((7, 7)));
        assert_eq!(on("2026-06-30"), Some((7, 0)));
        assert_eq!(on("2026-07-01"), None);
        assert_eq!(due(&licence("x", "2026-01-01", None), day("2026-06-30")), None);
        let claimed = Qualification {
            state: State::Claimed,
            ..ends.clone()
        };
        assert_eq!(due(&claimed, day("2026-06-30")), None);
        assert_eq!(horizon(day("2026-05-01")), day("2026-06-30"));
    }

    #[test]
    fn what_takes_its_place_is_of_the_same_kind_and_leaves_no_day_between() {
        let ends = licence("security_service", "2026-01-01", Some("2026-06-30"));
        for (other, replaces) in [
            (
                licence("security_service", "2026-07-01", Some("2029-06-30")),
                true,
            ),
            (licence("security_service", "2026-03-01", None), true),
            (licence("security_service", "2026-07-02", None), false),
            (
                licence("security_service", "2026-01-01", Some("2026-06-30")),
                false,
            ),
            (licence("work_safety", "2026-07-01", None), false),
            (
                Qualification {
                    state: State::Claimed,
                    ..licence("security_service", "2026-07-01", None)
                },
                false,
            ),
        ] {
            assert_eq!(
                is_replaced(&ends, std::slice::from_ref(&other)),
                replaces,
                "{other:?}"
            );
        }
        assert!(!is_replaced(&ends, std::slice::from_ref(&ends)));
    }

    proptest! {
        #[test]
        fn distances_are_reached_one_after_the_other(end in 0_i64..200, from in 0_i64..200) {
            let start = day("2026-01-01");
            let mut ends = licence("x", "2026-01-01", None);
            ends.licence.valid_to = Some(start + Duration::days(end));
            let reached: Vec<i64> = (from..=end).filter_map(|n| due(&ends, start + Duration::days(n))).map(|one| one.distance).collect();
            prop_assert!(reached.is_sorted_by(|one, next| one >= next));
            let beyond = due(&ends, start + Duration::days(end + 1));
            prop_assert_eq!(beyond, None);
        }
    }
}
