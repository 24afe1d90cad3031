//! Rectification (整改): the buyer says what is wrong and until when it has to be put right, the contractor reports that it is, and somebody else of the
//! buyer looks and accepts it, or refuses it with a further deadline. Whether a notice is overdue, and by how many days, follows from the clock. Pure.

use chrono::{Duration, NaiveDate};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::contracts::rules::ContractId;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::local_date;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Kind as ReasonKind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::standards::rules_indicators::Line;
use crate::text;

crate::ids! {
    /// A notice that something is to be put right.
    RectificationId "rectification"
}

/// Notices of one contract at most.
pub const RECTIFICATIONS_MAX: i64 = 1_000;
/// Times that one notice may be refused and due again at most.
pub const ROUNDS_MAX: usize = 20;
/// Characters of what is wrong, of a report and of a decision at most.
pub const WORDS_LENGTH_MAX: usize = 2_000;
/// Things that a notice may refer to, and indicators that it may name, at most.
pub const NAMED_MAX: usize = 30;
/// Characters of a reference at most.
pub const REFERENCE_LENGTH_MAX: usize = 100;
/// Files that one act may hand in at most.
pub const FILES_MAX: usize = 20;
/// Working days of a deadline at most.
pub const WORKING_DAYS_MAX: u32 = 250;

/// It is not in a state in which this can be done.
pub static WRONG_STATE: Reason = Reason::new(
    ReasonKind::Conflict,
    "rectification_wrong_state",
    "该整改通知当前状态不允许此操作",
    "The rectification's state does not allow this",
);
/// The contractor has acknowledged it.
pub static ACKNOWLEDGED_ALREADY: Reason = Reason::new(
    ReasonKind::Conflict,
    "rectification_acknowledged_already",
    "已经签收",
    "It was acknowledged already",
);
/// There are too many.
pub static TOO_MANY: Reason = Reason::new(
    ReasonKind::Conflict,
    "rectification_too_many",
    "该合同的整改通知已达上限",
    "The contract has as many rectification notices as there may be",
);
/// It was refused too often.
pub static TOO_MANY_ROUNDS: Reason = Reason::new(
    ReasonKind::Conflict,
    "rectification_too_many_rounds",
    "该整改已多次未通过，请另行处理",
    "It was refused as often as it may be; proceed in another way",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 4] = [&WRONG_STATE, &ACKNOWLEDGED_ALREADY, &TOO_MANY, &TOO_MANY_ROUNDS];

/// Why a notice was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RectificationCause)]
pub enum Cause {
    /// Somebody of the buyer has seen something.
    Notice,
    /// A trigger of the book was due.
    Trigger,
    /// A trigger of the book was due that asks for another manager.
    Manager,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Notice, Self::Trigger, Self::Manager];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Trigger => "trigger",
            Self::Manager => "manager",
        }
    }

    /// The cause of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

/// How far a rectification has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RectificationState)]
pub enum State {
    /// It waits for the contractor.
    Issued,
    /// The contractor says that it is put right.
    Reported,
    /// It is.
    Accepted,
    /// The buyer has taken the notice back.
    Withdrawn,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Issued, Self::Reported, Self::Accepted, Self::Withdrawn];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Reported => "reported",
            Self::Accepted => "accepted",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Until when something is to be put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// Before this instant.
    At(Instant),
    /// Within so many working days, the day of the notice not counted.
    WorkingDays(u32),
}

/// What a notice says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// What is wrong.
    pub wrong: Line,
    /// What it refers to: ids of inspections, of defects, numbers of letters.
    pub matters: Vec<String>,
    /// Codes of the indicators that are not kept.
    pub indicators: Vec<String>,
}

/// What somebody did, in their words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What was done.
    pub words: String,
    /// By whom it was reported.
    pub by: AccountId,
    /// When, UTC.
    pub at: Instant,
}

/// What was decided about a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Whether it is put right.
    pub is_accepted: bool,
    /// Why, or what is still wrong.
    pub words: Line,
    /// By whom.
    pub by: AccountId,
    /// When, UTC.
    pub at: Instant,
}

/// A time that it was due, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Its number, from 1.
    pub number: i64,
    /// When its time is over, UTC.
    pub due_at: Instant,
    /// What was reported.
    pub report: Option<Report>,
    /// What was decided of it.
    pub decided: Option<Decided>,
}

/// A rectification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rectification {
    /// Its id.
    pub id: RectificationId,
    /// Of which contract.
    pub contract_id: ContractId,
    /// Its number there, from 1.
    pub number: i64,
    /// What the notice says.
    pub entered: Entered,
    /// Why it was issued.
    pub cause: Cause,
    /// How far it has come.
    pub state: State,
    /// By whom it was issued.
    pub issued_by: AccountId,
    /// When, UTC.
    pub issued_at: Instant,
    /// Who has acknowledged it, and when, UTC.
    pub acknowledged: Option<(AccountId, Instant)>,
    /// Each time that it was due; the last one is the one that counts.
    pub rounds: Vec<Round>,
    /// When it was accepted or withdrawn, UTC.
    pub closed_at: Option<Instant>,
    /// Why it was withdrawn.
    pub withdrawal: Option<Line>,
    /// Counts the changes, from 1.
    pub revision: i64,
}

impl Rectification {
    /// Whether its time is over and the contractor has reported nothing, or reported late and waits.
    pub fn is_overdue(&self, now: Instant) -> bool {
        let last = self.rounds.last();
        let is_open = matches!(self.state, State::Issued | State::Reported);
        is_open
            && last.is_some_and(|round| round.report.as_ref().map_or(now, |report| report.at) >= round.due_at)
    }

    /// How many days the contractor was late in all rounds together. The time in which the buyer decides is not the contractor's; each day that is begun
    /// counts; and what was withdrawn was never late.
    pub fn late_days(&self, until: Instant, zone: Tz) -> u32 {
        if self.state == State::Withdrawn {
            return 0;
        }
        self.rounds
            .iter()
            .map(|round| {
                let at = round.report.as_ref().map_or(until, |report| report.at);
                late(round.due_at, at, zone)
            })
            .fold(0, u32::saturating_add)
    }
}

/// How many days something that was due at an instant came late: none before it, and at least one from then on.
pub fn late(due_at: Instant, at: Instant, zone: Tz) -> u32 {
    if at < due_at {
        return 0;
    }
    // A deadline at the end of a day is the first instant of the next: its last day is the one before.
    let last_day = due_at
        .checked_sub_signed(Duration::microseconds(1))
        .map_or(NaiveDate::MIN, |last| local_date(last, zone));
    let days = local_date(at, zone).signed_duration_since(last_day).num_days();
    u32::try_from(days.max(1)).unwrap_or(u32::MAX)
}

/// What a notice is to say, with everything that is wrong with its form; `known` are the codes of the indicators that hold under the contract.
///
/// # Errors
/// Every fault of the form.
pub fn entered(raw: Entered, known: &[String]) -> Result<Entered, Refusal> {
    let mut form = Form::new();
    let wrong = Line {
        zh: form.line("/wrong_zh", &raw.wrong.zh, WORDS_LENGTH_MAX),
        en: form.line("/wrong_en", &raw.wrong.en, WORDS_LENGTH_MAX),
    };
    let mut matters = Vec::with_capacity(raw.matters.len());
    for (index, matter) in raw.matters.iter().enumerate() {
        matters.push(form.line(&format!("/matters/{index}"), matter, REFERENCE_LENGTH_MAX));
    }
    for (index, code) in raw.indicators.iter().enumerate() {
        if !known.contains(code) {
            form.object(
                &format!("/indicators/{index}"),
                Text::fixed(
                    "合同标准中无此指标",
                    "is no indicator that holds under the contract",
                ),
            );
        }
    }
    for (name, count) in [
        ("/matters", raw.matters.len()),
        ("/indicators", raw.indicators.len()),
    ] {
        if count > NAMED_MAX {
            form.object(name, text!("最多 {NAMED_MAX} 项", "has {NAMED_MAX} at most"));
        }
    }
    form.finish(Entered {
        wrong,
        matters,
        indicators: raw.indicators,
    })
}

/// A deadline as it is asked for: an instant to come, or a number of working days, and not both.
///
/// # Errors
/// A fault of the form.
pub fn deadline(
    (due_at, working_days): (Option<Instant>, Option<u32>),
    now: Instant,
) -> Result<Deadline, Refusal> {
    let mut form = Form::new();
    let found = match (due_at, working_days) {
        (Some(at), None) if at > now => Deadline::At(at),
        (Some(at), None) => {
            form.object("/due_at", Text::fixed("应晚于当前时间", "must lie in the future"));
            Deadline::At(at)
        }
        (None, Some(days)) if (1..=WORKING_DAYS_MAX).contains(&days) => Deadline::WorkingDays(days),
        (None, Some(days)) => {
            form.object(
                "/working_days",
                text!("应为 1 至 {WORKING_DAYS_MAX}", "must be 1 to {WORKING_DAYS_MAX}"),
            );
            Deadline::WorkingDays(days)
        }
        (None, None) | (Some(_), Some(_)) => {
            let detail = Text::fixed(
                "期限应为时刻或工作日数之一",
                "either an instant or a number of working days is named",
            );
            form.object("/due_at", detail);
            Deadline::WorkingDays(1)
        }
    };
    form.finish(found)
}

fn wrong(before: &Rectification) -> Refusal {
    let name = before.state.name();
    WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}"))
}

fn advanced(before: Rectification) -> Rectification {
    Rectification {
        revision: before.revision.saturating_add(1),
        ..before
    }
}

/// The contractor has it.
///
/// # Errors
/// In this order: [`WRONG_STATE`], [`ACKNOWLEDGED_ALREADY`].
pub fn acknowledge(before: Rectification, (by, now): (AccountId, Instant)) -> Result<Rectification, Refusal> {
    if before.state != State::Issued {
        return Err(wrong(&before));
    }
    if before.acknowledged.is_some() {
        return Err(ACKNOWLEDGED_ALREADY.refuse());
    }
    Ok(Rectification {
        acknowledged: Some((by, now)),
        ..advanced(before)
    })
}

/// The contractor says that it is put right; whoever reports has acknowledged.
///
/// # Errors
/// In this order: [`WRONG_STATE`]; words that are none.
pub fn report(
    before: Rectification,
    words: &str,
    (by, now): (AccountId, Instant),
) -> Result<Rectification, Refusal> {
    if before.state != State::Issued {
        return Err(wrong(&before));
    }
    let mut form = Form::new();
    let words = form.line("/report", words, WORDS_LENGTH_MAX);
    form.finish(())?;
    let mut rounds = before.rounds.clone();
    let round = rounds.last_mut().ok_or_else(|| wrong(&before))?;
    round.report = Some(Report {
        words,
        by: by.clone(),
        at: now,
    });
    let acknowledged = before.acknowledged.clone().or(Some((by, now)));
    Ok(Rectification {
        state: State::Reported,
        acknowledged,
        rounds,
        ..advanced(before)
    })
}

/// The buyer has looked: it is put right, or it is not and is due again at `due_at`.
///
/// # Errors
/// In this order: [`WRONG_STATE`]; words that are none; [`TOO_MANY_ROUNDS`].
pub fn decide(
    before: Rectification,
    (words, due_at): ((&str, &str), Option<Instant>),
    (by, now): (AccountId, Instant),
) -> Result<Rectification, Refusal> {
    if before.state != State::Reported {
        return Err(wrong(&before));
    }
    let mut form = Form::new();
    let words = Line {
        zh: form.line("/decision_zh", words.0, WORDS_LENGTH_MAX),
        en: form.line("/decision_en", words.1, WORDS_LENGTH_MAX),
    };
    form.finish(())?;
    let mut rounds = before.rounds.clone();
    let round = rounds.last_mut().ok_or_else(|| wrong(&before))?;
    let number = round.number;
    round.decided = Some(Decided {
        is_accepted: due_at.is_none(),
        words,
        by,
        at: now,
    });
    let Some(due_at) = due_at else {
        return Ok(Rectification {
            state: State::Accepted,
            closed_at: Some(now),
            rounds,
            ..advanced(before)
        });
    };
    if rounds.len() >= ROUNDS_MAX {
        return Err(TOO_MANY_ROUNDS.refuse());
    }
    rounds.push(Round {
        number: number.saturating_add(1),
        due_at,
        report: None,
        decided: None,
    });
    Ok(Rectification {
        state: State::Issued,
        rounds,
        ..advanced(before)
    })
}

/// The notice that was taken back.
///
/// # Errors
/// [`WRONG_STATE`].
pub fn withdraw(before: Rectification, reason: Line, now: Instant) -> Result<Rectification, Refusal> {
    if !matches!(before.state, State::Issued | State::Reported) {
        return Err(wrong(&before));
    }
    Ok(Rectification {
        state: State::Withdrawn,
        closed_at: Some(now),
        withdrawal: Some(reason),
        ..advanced(before)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::rules::tests::now;
    use crate::kernel::local_day::{ZONE_DEFAULT, end_of_day};
    use proptest::prelude::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn line(text: &str) -> Line {
        Line {
            zh: text.to_owned(),
            en: text.to_owned(),
        }
    }

    fn notice(due: &str) -> Rectification {
        Rectification {
            id: RectificationId::mint(now()),
            contract_id: ContractId::mint(now()),
            number: 1,
            entered: Entered {
                wrong: line("x"),
                matters: Vec::new(),
                indicators: Vec::new(),
            },
            cause: Cause::Notice,
            state: State::Issued,
            issued_by: AccountId::mint(now()),
            issued_at: at("2026-06-01T02:00:00Z"),
            acknowledged: None,
            rounds: vec![Round {
                number: 1,
                due_at: at(due),
                report: None,
                decided: None,
            }],
            closed_at: None,
            withdrawal: None,
            revision: 1,
        }
    }

    fn by(text: &str) -> (AccountId, Instant) {
        (AccountId::mint(now()), at(text))
    }

    fn code(result: &Result<Rectification, Refusal>) -> &'static str {
        result
            .as_ref()
            .map_or_else(|refusal| refusal.reason.code, |_| "ok")
    }

    #[test]
    fn a_refused_report_is_due_again_and_only_the_contractors_time_is_late() {
        // Due when 5 June is over in Shanghai.
        let notice = notice("2026-06-05T16:00:00Z");
        assert!(
            !notice.is_overdue(at("2026-06-05T15:59:59Z")) && notice.is_overdue(at("2026-06-05T16:00:00Z"))
        );
        let late = |one: &Rectification, until: &str| one.late_days(at(until), ZONE_DEFAULT);
        assert_eq!(
            (
                late(&notice, "2026-06-05T15:59:59Z"),
                late(&notice, "2026-06-05T16:00:00Z"),
                late(&notice, "2026-06-07T16:00:00Z")
            ),
            (0, 1, 3)
        );
        let notice = acknowledge(notice, by("2026-06-02T02:00:00Z")).unwrap();
        assert_eq!(
            code(&acknowledge(notice.clone(), by("2026-06-02T02:00:00Z"))),
            "rectification_acknowledged_already"
        );
        assert_eq!(
            code(&decide(
                notice.clone(),
                (("x", "x"), None),
                by("2026-06-02T02:00:00Z")
            )),
            "rectification_wrong_state"
        );
        assert_eq!(
            code(&report(notice.clone(), " ", by("2026-06-07T02:00:00Z"))),
            "invalid"
        );
        let reported = report(notice, "已补扫", by("2026-06-07T02:00:00Z")).unwrap();
        assert_eq!(
            (
                late(&reported, "2026-06-20T02:00:00Z"),
                reported.is_overdue(at("2026-06-20T02:00:00Z"))
            ),
            (2, true)
        );
        assert_eq!(
            code(&report(reported.clone(), "x", by("2026-06-08T02:00:00Z"))),
            "rectification_wrong_state"
        );
        let again = decide(
            reported,
            (
                ("仍有积水", "There is still water"),
                Some(at("2026-06-22T02:00:00Z")),
            ),
            by("2026-06-20T02:00:00Z"),
        )
        .unwrap();
        assert_eq!(
            (again.state, again.rounds.len(), again.revision),
            (State::Issued, 2, 4)
        );
        assert_eq!(
            (
                late(&again, "2026-06-21T02:00:00Z"),
                again.is_overdue(at("2026-06-21T02:00:00Z"))
            ),
            (2, false)
        );
        let reported = report(again, "已排水", by("2026-06-22T01:00:00Z")).unwrap();
        let accepted = decide(reported, (("合格", "Good"), None), by("2026-06-25T02:00:00Z")).unwrap();
        assert_eq!(
            (
                late(&accepted, "2026-09-01T02:00:00Z"),
                accepted.is_overdue(at("2026-09-01T02:00:00Z"))
            ),
            (2, false)
        );
        assert_eq!(
            code(&withdraw(accepted, line("x"), now())),
            "rectification_wrong_state"
        );
    }

    #[test]
    fn what_was_withdrawn_was_never_late_and_patience_ends() {
        let withdrawn = withdraw(
            notice("2026-06-05T16:00:00Z"),
            line("误发"),
            at("2026-06-10T02:00:00Z"),
        )
        .unwrap();
        assert_eq!(withdrawn.late_days(at("2026-06-10T02:00:00Z"), ZONE_DEFAULT), 0);
        assert!(!withdrawn.is_overdue(at("2026-06-10T02:00:00Z")));
        let mut one = notice("2026-06-05T16:00:00Z");
        let due = at("2026-07-05T16:00:00Z");
        for _ in 1..ROUNDS_MAX {
            one = report(one, "x", by("2026-06-05T02:00:00Z")).unwrap();
            one = decide(one, (("x", "x"), Some(due)), by("2026-06-05T02:00:00Z")).unwrap();
        }
        one = report(one, "x", by("2026-06-05T02:00:00Z")).unwrap();
        let refused = decide(one.clone(), (("x", "x"), Some(due)), by("2026-06-05T02:00:00Z"));
        assert_eq!(code(&refused), "rectification_too_many_rounds");
        assert_eq!(
            code(&decide(one, (("x", "x"), None), by("2026-06-05T02:00:00Z"))),
            "ok"
        );
    }

    #[test]
    fn a_notice_names_what_there_is_and_one_deadline() {
        let known = ["litter".to_owned()];
        let raw = |code: &str| Entered {
            wrong: line(" 果皮超标 "),
            matters: vec!["inspection_1".to_owned(), "=1".to_owned()],
            indicators: vec!["litter".to_owned(), code.to_owned()],
        };
        let refusal = entered(raw("dust"), &known).unwrap_err();
        let places: Vec<_> = refusal
            .objections
            .iter()
            .map(|one| one.pointer.as_str())
            .collect();
        assert_eq!(places, ["/matters/1", "/indicators/1"]);
        let mut good = raw("litter");
        good.matters.pop();
        assert_eq!(entered(good, &known).unwrap().wrong.zh, "果皮超标");
        let asked =
            |due: Option<&str>, days| deadline((due.map(at), days), at("2026-06-01T02:00:00Z")).is_ok();
        assert!(asked(Some("2026-06-01T02:00:01Z"), None) && asked(None, Some(1)) && asked(None, Some(250)));
        assert!(
            !asked(Some("2026-06-01T02:00:00Z"), None) && !asked(None, Some(0)) && !asked(None, Some(251))
        );
        assert!(!asked(None, None) && !asked(Some("2026-06-02T02:00:00Z"), Some(1)));
    }

    proptest! {
        #[test]
        fn days_late_are_the_days_begun_after_the_last_one(day in 0_u64..2000, minutes in 0_i64..100_000, zone in prop::sample::select(vec![chrono_tz::Asia::Shanghai, chrono_tz::Africa::Cairo, chrono_tz::America::Havana])) {
            let last = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + chrono::Days::new(day);
            let due = end_of_day(last, zone).unwrap();
            let at = due + Duration::minutes(minutes);
            let expected = (local_date(at, zone) - last).num_days();
            prop_assert_eq!(i64::from(late(due, at, zone)), expected.max(1));
            prop_assert_eq!(late(due, due - Duration::microseconds(1), zone), 0);
            prop_assert!(late(due, at, zone) <= late(due, at + Duration::minutes(1), zone));
        }
    }
}
