//! The outbox's rules. Pure: what becomes of a mail that is due, when one that failed is tried again, what a person may
//! choose. A mail is told to a person once; which mails a person may decline follows from the law, not from taste: what
//! guards an account and what one has to act on is always told.

use chrono::{Days, Duration, LocalResult, NaiveTime, TimeZone};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::Instant;
use crate::kernel::local_day::{local_date, start_of_day};
use crate::kernel::refusal::{Kind, Reason};
use crate::kernel::text::Language;

crate::ids! {
    /// A mail in the outbox.
    MailId "mail"
}

/// Only a mail that was given up can be queued again.
pub static NOT_DEAD: Reason = Reason::new(
    Kind::Conflict,
    "mail_not_dead",
    "该邮件不在无法投递之列",
    "This mail has not been given up",
);

/// The reasons of this slice.
pub static REASONS: [&Reason; 1] = [&NOT_DEAD];

/// How often a mail is tried before it is given up: with [`WAITS`], for about a day.
pub const ATTEMPTS_MAX: i64 = 10;

/// How long to wait after the first failed attempt, the second, and so on; the last for all further ones.
const WAITS: [Duration; 5] = [
    Duration::minutes(1),
    Duration::minutes(5),
    Duration::minutes(15),
    Duration::minutes(60),
    Duration::minutes(240),
];

/// When in the morning the digest is sent, in the ward's zone.
const DIGEST_AT: NaiveTime = match NaiveTime::from_hms_opt(8, 0, 0) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

/// Items in one digest; more come in another one right after it.
pub const DIGEST_ITEMS_MAX: usize = 100;

/// How long what a mail said, and to whom it went, is kept after it was sent, collected or given up.
pub const KEPT_FOR: Duration = Duration::days(30);

/// How long it is remembered that a mail was sent, so that the same is not told again.
pub const REMEMBERED_FOR: Duration = Duration::days(400);

/// Why a mail is sent, which decides what its reader may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MailCategory)]
pub enum Category {
    /// It guards an account: always sent, and at once.
    Security,
    /// About a matter the person has to act on: always sent, at once or in the daily digest.
    Duty,
    /// What the person asked to hear about: may be switched off, with one click from the mail itself.
    News,
}

impl Category {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Security, Self::Duty, Self::News];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Duty => "duty",
            Self::News => "news",
        }
    }

    /// The category of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.name() == name)
    }
}

/// Where a mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MailState)]
pub enum State {
    /// To be sent when it is due.
    Waiting,
    /// Kept for the digest.
    Held,
    /// Part of a digest.
    Collected,
    /// Accepted by the mail server.
    Sent,
    /// Given up; an administrator may queue it again.
    Dead,
    /// Not sent, and not to be: declined by its reader, or too late.
    Dropped,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Waiting,
        Self::Held,
        Self::Collected,
        Self::Sent,
        Self::Dead,
        Self::Dropped,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Collected => "collected",
            Self::Sent => "sent",
            Self::Dead => "dead",
            Self::Dropped => "dropped",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Why the last attempt failed. Never the server's words, which often hold the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MailFailure)]
pub enum Failure {
    /// The server could not be reached, or went away in the middle.
    Unreachable,
    /// The server took too long.
    TimedOut,
    /// The server's certificate is not one to trust, or it offers no TLS.
    Untrusted,
    /// The server does not let us in: name, password, or what it demands before.
    SignIn,
    /// The server asks to come back later (4xx).
    Deferred,
    /// The server will never take this mail (5xx).
    Refused,
    /// The mail could not be put together, or the server cannot carry its address.
    Unsendable,
    /// It was still waiting when it had become useless.
    TooLate,
}

impl Failure {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Unreachable,
        Self::TimedOut,
        Self::Untrusted,
        Self::SignIn,
        Self::Deferred,
        Self::Refused,
        Self::Unsendable,
        Self::TooLate,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Untrusted => "untrusted",
            Self::SignIn => "sign_in",
            Self::Deferred => "deferred",
            Self::Refused => "refused",
            Self::Unsendable => "unsendable",
            Self::TooLate => "too_late",
        }
    }

    /// The failure of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.name() == name)
    }

    /// True if another attempt would fail in the same way.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Refused | Self::Unsendable | Self::TooLate)
    }
}

/// How soon a person wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MailFrequency)]
pub enum Frequency {
    /// Each mail when it happens.
    AtOnce,
    /// All of a day in one mail, at eight in the morning.
    Daily,
    /// Not at all.
    Off,
}

impl Frequency {
    /// All three.
    pub const ALL: [Self; 3] = [Self::AtOnce, Self::Daily, Self::Off];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AtOnce => "at_once",
            Self::Daily => "daily",
            Self::Off => "off",
        }
    }

    /// The frequency of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|frequency| frequency.name() == name)
    }
}

/// What a person has chosen, or what holds while they have not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// For matters they have to act on; never [`Frequency::Off`].
    pub duty: Frequency,
    /// For what they asked to hear about.
    pub news: Frequency,
    /// In which language, if not the one that the account has.
    pub language: Option<Language>,
    /// Counts the changes, from 1, which is the version of what was never chosen.
    pub version: i64,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            duty: Frequency::AtOnce,
            news: Frequency::AtOnce,
            language: None,
            version: 1,
        }
    }
}

impl Preferences {
    /// How soon a mail of this category is to come.
    pub const fn frequency(&self, category: Category) -> Frequency {
        match (category, self.duty) {
            (Category::Security, _) => Frequency::AtOnce,
            // It cannot be declined, whatever a row says.
            (Category::Duty, Frequency::Daily) => Frequency::Daily,
            (Category::Duty, _) => Frequency::AtOnce,
            (Category::News, _) => self.news,
        }
    }
}

/// What is known of a mail that is due.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// Why it is sent.
    pub category: Category,
    /// True if it goes to an account; others have no preferences and get no digest.
    pub has_account: bool,
    /// True if it is a digest itself.
    pub is_digest: bool,
    /// True if it holds what lets in whoever has it: that is forgotten when it is sent, and never gathered.
    pub is_secret: bool,
    /// After this instant it is useless.
    pub useful_until: Option<Instant>,
}

/// What becomes of a mail that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// It is sent.
    Send,
    /// It is kept for the digest of this instant.
    Hold(Instant),
    /// Its reader does not want it.
    Decline,
    /// It has become useless.
    TooLate,
}

/// Decides about a mail that is due: first whether it is of any use, then as its reader chose.
pub fn course(mail: &Due, preferences: &Preferences, now: Instant, zone: Tz) -> Course {
    if mail.useful_until.is_some_and(|until| until <= now) {
        return Course::TooLate;
    }
    if mail.is_digest || !mail.has_account {
        return Course::Send;
    }
    match preferences.frequency(mail.category) {
        Frequency::AtOnce => Course::Send,
        Frequency::Off => Course::Decline,
        Frequency::Daily if mail.is_secret => Course::Send,
        Frequency::Daily => match next_morning(now, zone) {
            // It would be useless by then, and the reader has to know.
            morning if mail.useful_until.is_some_and(|until| until <= morning) => Course::Send,
            morning => Course::Hold(morning),
        },
    }
}

/// When a mail is tried again after its attempt number `attempts` failed; `None` if it is given up.
pub fn next_attempt(attempts: i64, failure: Failure, now: Instant) -> Option<Instant> {
    if failure.is_final() || attempts >= ATTEMPTS_MAX {
        return None;
    }
    let place = usize::try_from(attempts.saturating_sub(1)).unwrap_or_default();
    let wait = WAITS.get(place).or(WAITS.last()).copied().unwrap_or_default();
    Some(now + wait)
}

/// The next eight o'clock of the ward, strictly after `now`.
pub fn next_morning(now: Instant, zone: Tz) -> Instant {
    let today = local_date(now, zone);
    (0..3)
        .filter_map(|days| today.checked_add_days(Days::new(days)))
        .filter_map(|date| match zone.from_local_datetime(&date.and_time(DIGEST_AT)) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.to_utc()),
            // Clocks that skip eight o'clock: the day has begun all the same.
            LocalResult::None => start_of_day(date, zone).ok(),
        })
        .find(|morning| *morning > now)
        .unwrap_or(now + Duration::days(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::local_day::ZONE_DEFAULT;
    use chrono::Utc;

    fn at(hour: u32, minute: u32) -> Instant {
        Utc.with_ymd_and_hms(2026, 3, 2, hour, minute, 0).unwrap()
    }

    fn due(category: Category) -> Due {
        Due {
            category,
            has_account: true,
            is_digest: false,
            is_secret: false,
            useful_until: None,
        }
    }

    #[test]
    fn a_failed_mail_waits_longer_each_time_and_is_given_up_in_the_end() {
        let waits: Vec<i64> = (1..ATTEMPTS_MAX)
            .map(|attempts| {
                (next_attempt(attempts, Failure::Deferred, at(0, 0)).unwrap() - at(0, 0)).num_minutes()
            })
            .collect();
        assert_eq!(waits, [1, 5, 15, 60, 240, 240, 240, 240, 240]);
        assert_eq!(next_attempt(ATTEMPTS_MAX, Failure::Deferred, at(0, 0)), None);
        for failure in Failure::ALL {
            assert_eq!(
                next_attempt(1, failure, at(0, 0)).is_none(),
                failure.is_final(),
                "{failure:?}"
            );
        }
    }

    #[test]
    fn what_guards_an_account_or_has_to_be_acted_on_cannot_be_declined() {
        let quiet = Preferences {
            duty: Frequency::Off,
            news: Frequency::Off,
            ..Preferences::default()
        };
        let of = |category| course(&due(category), &quiet, at(1, 0), ZONE_DEFAULT);
        assert_eq!(of(Category::Security), Course::Send);
        assert_eq!(of(Category::Duty), Course::Send);
        assert_eq!(of(Category::News), Course::Decline);
        let daily = Preferences {
            duty: Frequency::Daily,
            news: Frequency::Daily,
            ..Preferences::default()
        };
        let of = |mail: &Due| course(mail, &daily, at(1, 0), ZONE_DEFAULT);
        let morning = Utc.with_ymd_and_hms(2026, 3, 3, 0, 0, 0).unwrap();
        assert_eq!(of(&due(Category::Security)), Course::Send);
        assert_eq!(of(&due(Category::Duty)), Course::Hold(morning));
        assert_eq!(of(&due(Category::News)), Course::Hold(morning));
        let digest = Due {
            is_digest: true,
            ..due(Category::Duty)
        };
        assert_eq!(of(&digest), Course::Send);
        let stranger = Due {
            has_account: false,
            ..due(Category::Duty)
        };
        assert_eq!(of(&stranger), Course::Send);
        let until = |until| Due {
            useful_until: Some(until),
            ..due(Category::Duty)
        };
        assert_eq!(of(&until(morning)), Course::Send);
        assert_eq!(of(&until(morning + Duration::seconds(1))), Course::Hold(morning));
        let late = Due {
            useful_until: Some(at(1, 0)),
            ..due(Category::Security)
        };
        assert_eq!(of(&late), Course::TooLate);
    }

    #[test]
    fn the_morning_is_the_wards() {
        let eight = at(0, 0);
        assert_eq!(
            next_morning(eight - Duration::microseconds(1), ZONE_DEFAULT),
            eight
        );
        assert_eq!(next_morning(eight, ZONE_DEFAULT), eight + Duration::days(1));
        let berlin = chrono_tz::Europe::Berlin;
        // The clocks go forward on 29 March 2026.
        let before = Utc.with_ymd_and_hms(2026, 3, 28, 8, 0, 0).unwrap();
        assert_eq!(
            next_morning(before, berlin),
            Utc.with_ymd_and_hms(2026, 3, 29, 6, 0, 0).unwrap()
        );
    }

    #[test]
    fn names_are_those_of_the_api() {
        for state in State::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
            assert_eq!(State::named(state.name()), Some(state));
        }
        for failure in Failure::ALL {
            assert_eq!(serde_json::to_value(failure).unwrap(), failure.name());
            assert_eq!(Failure::named(failure.name()), Some(failure));
        }
        for category in Category::ALL {
            assert_eq!(serde_json::to_value(category).unwrap(), category.name());
            assert_eq!(Category::named(category.name()), Some(category));
        }
        for frequency in Frequency::ALL {
            assert_eq!(serde_json::to_value(frequency).unwrap(), frequency.name());
            assert_eq!(Frequency::named(frequency.name()), Some(frequency));
        }
    }
}
