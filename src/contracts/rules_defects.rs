//! Defects: what somebody has reported to be wrong at a served place, and how far it has come. Which act may follow which state stands in one
//! table; that silence counts as a confirmation is computed from the clock and waited for by nobody. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::contracts::rules::ContractId;
use crate::contracts::rules_places::ServedPlaceId;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::text;

crate::ids! {
    /// Something that is wrong at a served place.
    DefectId "defect"
}

/// Days after the one of the fix for which whoever has reported may confirm it or reopen the defect; afterwards the buyer's officer decides.
pub const REPORTER_DAYS: u64 = 3;
/// Days after the one of the fix after which nobody's word counts as a confirmation.
pub const SILENCE_DAYS: u64 = 7;
/// Rounds of one defect at most: from then on it is a matter of the contract and not of one broken lamp.
pub const ROUNDS_MAX: i64 = 20;
/// Reopenings by reporters, after which only the buyer's officer reopens.
pub const REPORTER_ROUNDS_MAX: i64 = 5;

/// The state does not allow it.
pub static WRONG_STATE: Reason = Reason::new(
    Kind::Conflict,
    "defect_wrong_state",
    "问题当前状态不允许此操作",
    "The defect's state does not allow this",
);
/// The reporter's time for it is over.
pub static REPORTER_LATE: Reason = Reason::new(
    Kind::Conflict,
    "defect_reporter_late",
    "报告人确认期限已过，由采购人决定",
    "The reporter's time for this is over; the buyer decides",
);
/// Others have reported it as well.
pub static SHARED: Reason = Reason::new(
    Kind::Conflict,
    "defect_shared",
    "另有他人报告了同一问题，不能撤回",
    "Others have reported it as well, so it cannot be withdrawn",
);
/// It was reopened so often that another way is needed.
pub static REOPENED_TOO_OFTEN: Reason = Reason::new(
    Kind::Conflict,
    "defect_reopened_too_often",
    "重新打开次数已达上限",
    "It was reopened as often as it may be",
);
/// Only the first reporter or the buyer says that it is over.
pub static NOT_FIRST: Reason = Reason::new(
    Kind::Conflict,
    "defect_not_first_reporter",
    "仅首位报告人或采购人可以确认",
    "Only whoever reported it first, or the buyer, confirms it",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 5] = [
    &WRONG_STATE,
    &REPORTER_LATE,
    &SHARED,
    &REOPENED_TOO_OFTEN,
    &NOT_FIRST,
];

/// How far a defect has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DefectState)]
pub enum State {
    /// 待核：it waits for the buyer's officer.
    Reported,
    /// 已派单：the contractor was told.
    Dispatched,
    /// 已接单：the contractor knows.
    Acknowledged,
    /// 已处理：the contractor says that it is done.
    Fixed,
    /// 重新打开：it was not.
    Reopened,
    /// 已确认：it is over.
    Confirmed,
    /// 不成立：it was none, or none of this contract.
    Rejected,
    /// 已撤回：by whoever has reported it.
    Withdrawn,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Reported,
        Self::Dispatched,
        Self::Acknowledged,
        Self::Fixed,
        Self::Reopened,
        Self::Confirmed,
        Self::Rejected,
        Self::Withdrawn,
    ];
    /// Those in which it waits for somebody.
    pub const OPEN: [Self; 5] = [
        Self::Reported,
        Self::Dispatched,
        Self::Acknowledged,
        Self::Fixed,
        Self::Reopened,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Dispatched => "dispatched",
            Self::Acknowledged => "acknowledged",
            Self::Fixed => "fixed",
            Self::Reopened => "reopened",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether it waits for somebody.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Reported | Self::Dispatched | Self::Acknowledged | Self::Fixed | Self::Reopened => true,
            Self::Confirmed | Self::Rejected | Self::Withdrawn => false,
        }
    }

    /// Whether the contractor has to do something.
    pub const fn is_called(self) -> bool {
        match self {
            Self::Dispatched | Self::Acknowledged | Self::Reopened => true,
            Self::Reported | Self::Fixed | Self::Confirmed | Self::Rejected | Self::Withdrawn => false,
        }
    }

    /// Whether everybody may see it: not what nobody has looked at, nor what was taken back.
    pub const fn is_public(self) -> bool {
        match self {
            Self::Dispatched
            | Self::Acknowledged
            | Self::Fixed
            | Self::Reopened
            | Self::Confirmed
            | Self::Rejected => true,
            Self::Reported | Self::Withdrawn => false,
        }
    }

    /// Where an act leads from here; nowhere if it may not be done.
    pub const fn after(self, step: Step) -> Option<Self> {
        match (step, self) {
            (Step::Dispatch, Self::Reported) => Some(Self::Dispatched),
            (Step::Acknowledge, Self::Dispatched | Self::Reopened) => Some(Self::Acknowledged),
            // Whoever mends it at once knows of it.
            (Step::Fix, Self::Dispatched | Self::Acknowledged | Self::Reopened) => Some(Self::Fixed),
            (Step::Confirm, Self::Fixed) => Some(Self::Confirmed),
            (Step::Reopen, Self::Fixed) => Some(Self::Reopened),
            (Step::Reject, Self::Reported | Self::Dispatched | Self::Acknowledged | Self::Reopened) => {
                Some(Self::Rejected)
            }
            (Step::Withdraw, Self::Reported | Self::Dispatched) => Some(Self::Withdrawn),
            (
                Step::Dispatch,
                Self::Dispatched
                | Self::Acknowledged
                | Self::Fixed
                | Self::Reopened
                | Self::Confirmed
                | Self::Rejected
                | Self::Withdrawn,
            )
            | (
                Step::Acknowledge,
                Self::Reported
                | Self::Acknowledged
                | Self::Fixed
                | Self::Confirmed
                | Self::Rejected
                | Self::Withdrawn,
            )
            | (
                Step::Fix,
                Self::Reported | Self::Fixed | Self::Confirmed | Self::Rejected | Self::Withdrawn,
            )
            | (
                Step::Confirm | Step::Reopen,
                Self::Reported
                | Self::Dispatched
                | Self::Acknowledged
                | Self::Reopened
                | Self::Confirmed
                | Self::Rejected
                | Self::Withdrawn,
            )
            | (Step::Reject, Self::Fixed | Self::Confirmed | Self::Rejected | Self::Withdrawn)
            | (
                Step::Withdraw,
                Self::Acknowledged
                | Self::Fixed
                | Self::Reopened
                | Self::Confirmed
                | Self::Rejected
                | Self::Withdrawn,
            ) => None,
        }
    }
}

/// What is done to a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The buyer's officer sends it to the contractor.
    Dispatch,
    /// The contractor says that it knows.
    Acknowledge,
    /// The contractor says that it is done.
    Fix,
    /// It is over.
    Confirm,
    /// It is not.
    Reopen,
    /// It is no defect, or none of this contract.
    Reject,
    /// Whoever has reported it takes it back.
    Withdraw,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Dispatch,
        Self::Acknowledge,
        Self::Fix,
        Self::Confirm,
        Self::Reopen,
        Self::Reject,
        Self::Withdraw,
    ];
}

/// Who has ended a defect, or reopened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DefectDecider)]
pub enum Decider {
    /// Whoever has reported it.
    Reporter,
    /// The buyer's officer.
    Officer,
    /// Nobody, in time.
    Silence,
}

impl Decider {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Reporter, Self::Officer, Self::Silence];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reporter => "reporter",
            Self::Officer => "officer",
            Self::Silence => "silence",
        }
    }

    /// The decider of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decider| decider.name() == name)
    }
}

/// That it is over: when, UTC, and who said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// When, UTC.
    pub at: Instant,
    /// By whom.
    pub by: Decider,
}

/// What is wrong: a category of the standard that the contract keeps to, with its names there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// The code of an indicator, or [`OTHER`].
    pub code: String,
    /// In Chinese.
    pub name_zh: String,
    /// In English.
    pub name_en: String,
}

/// The category of what is in no standard.
pub const OTHER: &str = "other";

impl Category {
    /// What is in no standard.
    pub fn other() -> Self {
        Self {
            code: OTHER.to_owned(),
            name_zh: "其他问题".to_owned(),
            name_en: "Something else".to_owned(),
        }
    }
}

/// A defect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// Its id.
    pub id: DefectId,
    /// Of which contract.
    pub contract_id: ContractId,
    /// Where.
    pub place_id: ServedPlaceId,
    /// What.
    pub category: Category,
    /// How far it has come, as it is stored: see [`Defect::as_of`].
    pub state: State,
    /// Counts the changes, from 1; another report of the same is none.
    pub revision: i64,
    /// How many have reported it.
    pub reports_count: i64,
    /// When it was reported first, UTC.
    pub reported_at: Instant,
    /// When it was reported last, UTC.
    pub last_reported_at: Instant,
    /// When it happened, as an officer has said, UTC.
    pub occurred_at: Option<Instant>,
    /// How often the contractor was called to it; 0 before the first time.
    pub round: i64,
    /// When the present round is due, UTC; `None` without a time limit.
    pub due_at: Option<Instant>,
    /// From when on silence counts as a confirmation, UTC; while it is fixed.
    pub silent_at: Option<Instant>,
    /// That it is over.
    pub closed: Option<Closed>,
    /// Why it was rejected.
    pub reason: Option<String>,
}

impl Defect {
    /// As it is at an instant: what is fixed and was not answered in time is confirmed, whether anybody has written that down or not.
    #[must_use]
    pub fn as_of(self, now: Instant) -> Self {
        match self.silent_at {
            Some(at) if self.state == State::Fixed && at <= now => Self {
                state: State::Confirmed,
                silent_at: None,
                due_at: None,
                closed: Some(Closed {
                    at,
                    by: Decider::Silence,
                }),
                ..self
            },
            _ => self,
        }
    }

    /// Whether the contractor is late with it.
    pub fn is_overdue(&self, now: Instant) -> bool {
        self.state.is_called() && self.due_at.is_some_and(|due| due < now)
    }

    /// The same defect after an act.
    ///
    /// # Errors
    /// [`WRONG_STATE`].
    pub fn stepped(self, step: Step) -> Result<Self, Refusal> {
        let name = self.state.name();
        let Some(state) = self.state.after(step) else {
            return Err(WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}")));
        };
        Ok(Self {
            state,
            revision: self.revision.saturating_add(1),
            silent_at: None,
            ..self
        })
    }

    /// The same defect, over.
    #[must_use]
    pub fn closed(self, at: Instant, by: Decider) -> Self {
        Self {
            closed: Some(Closed { at, by }),
            due_at: None,
            ..self
        }
    }
}

/// How a reporter stands to a defect when they want to end or reopen it.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Whether theirs was the first report.
    pub is_first: bool,
    /// Until when reporters are heard after the fix, UTC.
    pub until: Instant,
}

/// Whether a reporter may still confirm.
///
/// # Errors
/// In this order: [`NOT_FIRST`], [`REPORTER_LATE`].
pub fn reporter_confirms(standing: Standing, now: Instant) -> Result<(), Refusal> {
    if !standing.is_first {
        return Err(NOT_FIRST.refuse());
    }
    if now >= standing.until {
        return Err(REPORTER_LATE.refuse());
    }
    Ok(())
}

/// Whether it may be reopened once more.
///
/// # Errors
/// In this order: [`REOPENED_TOO_OFTEN`], [`REPORTER_LATE`].
pub fn may_reopen(rounds: i64, by: Option<Standing>, now: Instant) -> Result<(), Refusal> {
    let max = if by.is_some() {
        REPORTER_ROUNDS_MAX
    } else {
        ROUNDS_MAX
    };
    if rounds >= max {
        return Err(REOPENED_TOO_OFTEN.because(text!(
            "至多 {max} 次派单",
            "the contractor is called {max} times at most"
        )));
    }
    match by {
        Some(standing) if now >= standing.until => Err(REPORTER_LATE.refuse()),
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use chrono::{Duration, TimeZone, Utc};

    pub fn now() -> Instant {
        Utc.with_ymd_and_hms(2026, 5, 4, 0, 0, 0).unwrap()
    }

    pub fn defect(state: State) -> Defect {
        Defect {
            id: DefectId::mint(now()),
            contract_id: ContractId::mint(now()),
            place_id: ServedPlaceId::mint(now()),
            category: Category::other(),
            state,
            revision: 1,
            reports_count: 1,
            reported_at: now(),
            last_reported_at: now(),
            occurred_at: None,
            round: 1,
            due_at: Some(now() + Duration::hours(4)),
            silent_at: (state == State::Fixed).then(|| now() + Duration::days(7)),
            closed: None,
            reason: None,
        }
    }

    #[test]
    fn names_are_those_of_the_api_and_what_is_over_stays_over() {
        for state in State::ALL {
            assert_eq!(State::named(state.name()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
            assert_eq!(State::OPEN.contains(&state), state.is_open());
            let goes_on = Step::ALL.into_iter().any(|step| state.after(step).is_some());
            assert_eq!(goes_on, state.is_open(), "{state:?}");
            // Whoever is called can answer.
            assert_eq!(state.after(Step::Fix).is_some(), state.is_called(), "{state:?}");
        }
        for decider in Decider::ALL {
            assert_eq!(Decider::named(decider.name()), Some(decider));
        }
    }

    #[test]
    fn silence_confirms_at_its_instant_and_not_before() {
        let fixed = defect(State::Fixed);
        let silent = fixed.silent_at.unwrap();
        let before = silent - Duration::microseconds(1);
        assert_eq!(fixed.clone().as_of(before).state, State::Fixed);
        let over = fixed.clone().as_of(silent);
        assert_eq!(over.state, State::Confirmed);
        assert_eq!(
            over.closed,
            Some(Closed {
                at: silent,
                by: Decider::Silence
            })
        );
        assert_eq!(
            fixed.as_of(silent + Duration::days(900)),
            over,
            "it is over since then, whenever it is looked at"
        );
        assert_eq!(defect(State::Reopened).as_of(silent).state, State::Reopened);
    }

    #[test]
    fn a_step_changes_the_revision_and_a_wrong_one_names_the_state() {
        let next = defect(State::Reported).stepped(Step::Dispatch).unwrap();
        assert_eq!((next.state, next.revision), (State::Dispatched, 2));
        let refused = defect(State::Confirmed).stepped(Step::Fix).unwrap_err();
        assert_eq!(refused.reason.code, "defect_wrong_state");
        assert!(refused.detail.unwrap().en().contains("confirmed"));
    }

    #[test]
    fn who_is_late_is_late_only_while_called() {
        let due = now() + Duration::hours(4);
        assert!(!defect(State::Dispatched).is_overdue(due));
        assert!(defect(State::Acknowledged).is_overdue(due + Duration::microseconds(1)));
        assert!(!defect(State::Fixed).is_overdue(due + Duration::days(1)));
    }

    #[test]
    fn the_first_confirms_all_reopen_and_the_officer_longer_and_more_often() {
        let code = |result: Result<(), Refusal>| result.map_or_else(|refusal| refusal.reason.code, |()| "ok");
        let until = now() + Duration::days(3);
        let first = Standing {
            is_first: true,
            until,
        };
        let other = Standing {
            is_first: false,
            until,
        };
        let before = until - Duration::microseconds(1);
        assert_eq!(code(reporter_confirms(first, before)), "ok");
        assert_eq!(code(reporter_confirms(first, until)), "defect_reporter_late");
        assert_eq!(code(reporter_confirms(other, until)), "defect_not_first_reporter");
        assert_eq!(code(may_reopen(4, Some(other), before)), "ok");
        assert_eq!(code(may_reopen(4, Some(other), until)), "defect_reporter_late");
        assert_eq!(
            code(may_reopen(5, Some(first), before)),
            "defect_reopened_too_often"
        );
        assert_eq!(code(may_reopen(5, None, until)), "ok");
        assert_eq!(
            code(may_reopen(ROUNDS_MAX, None, now())),
            "defect_reopened_too_often"
        );
    }
}
