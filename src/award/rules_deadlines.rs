//! Until when what has to be done after an evaluation: days are counted by the calendar of working days, the day of the event left out, and a
//! deadline is the instant at which its last day is over (87号令 arts 85–86). Nothing waits for them: whoever asks compares them with the instant
//! of the transaction. Pure.

use chrono::{Days as NaturalDays, NaiveDate};

use crate::award::rules_awards::{Award, State};
use crate::kernel::clock::Instant;
use crate::kernel::days::{CALENDAR_ENDS, Days};
use crate::kernel::refusal::Answer;
use crate::statutes::codes::{
    AWARD_DECISION_WORKING_DAYS_MAX, AWARD_NOTICE_WORKING_DAYS_MAX, AWARD_PUBLIC_NOTICE_WORKING_DAYS,
    AWARD_REPORT_WORKING_DAYS_MAX, CONTRACT_SIGNING_DAYS_MAX, DISPUTES_CHALLENGE_FILING_WORKING_DAYS_MAX,
};
use crate::statutes::profile::Profile;

/// A last day, and whether it is over without what it was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The last day.
    pub on: NaiveDate,
    /// Whether it was missed: it is over, and what it was for was not done, or was done later.
    pub is_overdue: bool,
}

/// The deadlines of an award, as far as they are known yet; those that the calendar does not reach are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deadlines {
    /// Until when the report goes to the buyer.
    pub report: Option<Due>,
    /// Until when the buyer decides.
    pub decision: Option<Due>,
    /// Until when the notice is published.
    pub notice: Option<Due>,
    /// The last day of the public notice.
    pub notice_until: Option<NaiveDate>,
    /// The last day for challenges, with which the standstill ends.
    pub challenges_until: Option<NaiveDate>,
    /// Until when the contract is signed.
    pub signing: Option<Due>,
}

/// The last day of the public notice that was published on a day.
///
/// # Errors
/// A rule that is not set; [`CALENDAR_ENDS`].
pub fn notice_until(noticed_on: NaiveDate, profile: &Profile, days: Days<'_>) -> Answer<NaiveDate> {
    Ok(days.working(noticed_on, profile.rule(AWARD_PUBLIC_NOTICE_WORKING_DAYS)?.0)?)
}

/// The last day for challenges: so many working days after the notice has stood for its time (政府采购法实施条例 art 53). The standstill is over
/// with it.
///
/// # Errors
/// A rule that is not set; [`CALENDAR_ENDS`].
pub fn challenges_until(noticed_on: NaiveDate, profile: &Profile, days: Days<'_>) -> Answer<NaiveDate> {
    let stood = notice_until(noticed_on, profile, days)?;
    let filing = profile.rule(DISPUTES_CHALLENGE_FILING_WORKING_DAYS_MAX)?.0;
    Ok(days.working(stood, filing)?)
}

/// The last day for both signatures, the days of suspensions not counted in.
///
/// # Errors
/// A rule that is not set; [`CALENDAR_ENDS`].
pub fn signing_until(
    noticed_on: NaiveDate,
    suspended_days: u32,
    profile: &Profile,
    days: Days<'_>,
) -> Answer<NaiveDate> {
    let allowed = profile.rule(CONTRACT_SIGNING_DAYS_MAX)?.0;
    let from = noticed_on.checked_add_days(NaturalDays::new(u64::from(suspended_days)));
    let from = from.ok_or_else(|| CALENDAR_ENDS.refuse())?;
    Ok(days.natural(from, allowed)?)
}

fn due(on: Answer<NaiveDate>, done_at: Option<Instant>, now: Instant, days: Days<'_>) -> Option<Due> {
    let on = on.ok()?;
    let is_overdue = days.day(done_at.unwrap_or(now)) > on;
    Some(Due { on, is_overdue })
}

/// The deadlines of an award that rests on a round concluded at `concluded_at`.
pub fn of_award(
    award: &Award,
    (concluded_at, suspended_days): (Instant, u32),
    profile: &Profile,
    (days, now): (Days<'_>, Instant),
) -> Deadlines {
    let working = |from: Instant, allowed: Answer<crate::statutes::value::WorkingDays>| {
        Ok(days.working(days.day(from), allowed?.0)?)
    };
    // What ended waits for nothing.
    let ended = award.ended.as_ref().map(|ended| ended.at);
    let decided_at = award.decided.as_ref().map(|(at, _)| *at);
    let noticed_at = award.notice.as_ref().map(|notice| notice.at);
    let report = working(concluded_at, profile.rule(AWARD_REPORT_WORKING_DAYS_MAX));
    let decision = working(award.proposed_at, profile.rule(AWARD_DECISION_WORKING_DAYS_MAX));
    let mut known = Deadlines {
        report: due(report, Some(award.proposed_at), now, days).filter(|_| award.number == 1),
        decision: due(decision, decided_at.or(ended), now, days),
        ..Deadlines::default()
    };
    if let Some(decided_at) = decided_at {
        let notice = working(decided_at, profile.rule(AWARD_NOTICE_WORKING_DAYS_MAX));
        known.notice = due(notice, noticed_at.or(ended), now, days);
    }
    if let Some(noticed_at) = noticed_at {
        let on = days.day(noticed_at);
        known.notice_until = notice_until(on, profile, days).ok();
        known.challenges_until = challenges_until(on, profile, days).ok();
        let signing = signing_until(on, suspended_days, profile, days);
        let done = if award.state == State::Signed {
            award.signed_at
        } else {
            ended
        };
        known.signing = due(signing, done, now, days);
    }
    known
}
