//! Complaints (投诉): a challenger who is not content with the buyer's reply, or got none, turns to the regulator, within its time, about grounds
//! of the challenge and no others; the regulator takes it up or refuses it, may suspend the book for some days, and decides, in public. Who
//! complains without foundation too often is listed (政府采购法 arts 55–57; 94号令 arts 17–37). Pure.

use std::collections::BTreeSet;

use chrono::Months;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::rules_awards::{AwardId, TEXT_LENGTH_MAX};
use crate::award::rules_challenges::{Challenge, ChallengeId, STATEMENT_LENGTH_MAX, State as ChallengeState};
use crate::books::rules::{BookId, LotId};
use crate::kernel::clock::Instant;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::standards::rules_indicators::Line;
use crate::text;

crate::ids! {
    /// A complaint to the regulator.
    ComplaintId "complaint"
    /// That a supplier's complaints were unfounded too often.
    ListingId "listing"
}

/// Unfounded complaints of one supplier that a listing names at most.
pub const LISTED_MAX: i64 = 1_000;

/// The challenge was withdrawn.
pub static NO_CHALLENGE: Reason = Reason::new(
    Kind::Conflict,
    "complaint_without_challenge",
    "质疑已撤回，不得投诉",
    "The challenge was withdrawn; there is nothing to complain of",
);
/// The buyer has not replied, and still may.
pub static TOO_EARLY: Reason = Reason::new(
    Kind::Conflict,
    "complaint_too_early",
    "采购人尚在答复期内",
    "The buyer has not replied, and still may",
);
/// Its time is over.
pub static LATE: Reason = Reason::new(
    Kind::Conflict,
    "complaint_late",
    "投诉期限已过",
    "The time for a complaint is over",
);
/// There is one about this challenge.
pub static FILED_ALREADY: Reason = Reason::new(
    Kind::Conflict,
    "complaint_filed_already",
    "对该质疑已经投诉",
    "There is a complaint about this challenge already",
);
/// It goes beyond what was challenged.
pub static BEYOND_CHALLENGE: Reason = Reason::new(
    Kind::Invalid,
    "complaint_beyond_challenge",
    "投诉事项不得超出已质疑事项的范围（94号令第20条）",
    "A complaint does not go beyond what was challenged (94号令 art 20)",
);
/// It is not in a state in which this can be done.
pub static WRONG_STATE: Reason = Reason::new(
    Kind::Conflict,
    "complaint_wrong_state",
    "投诉当前状态不允许此操作",
    "The complaint's state does not allow this",
);
/// The contract is signed, or is not.
pub static WRONG_CONSEQUENCE: Reason = Reason::new(
    Kind::Conflict,
    "complaint_wrong_consequence",
    "合同签订后只能责令赔偿，签订前不适用赔偿",
    "Once the contract is signed there is compensation only, and before that there is none",
);
/// No suspension runs.
pub static NOT_SUSPENDED: Reason = Reason::new(
    Kind::Conflict,
    "book_not_suspended",
    "当前没有生效的暂停",
    "No suspension is running",
);
/// The regulator has suspended the book.
pub static SUSPENDED: Reason = Reason::new(
    Kind::Conflict,
    "book_suspended",
    "监督部门已暂停本项目的采购活动",
    "The regulator has suspended the book",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 9] = [
    &NO_CHALLENGE,
    &TOO_EARLY,
    &LATE,
    &FILED_ALREADY,
    &BEYOND_CHALLENGE,
    &WRONG_STATE,
    &WRONG_CONSEQUENCE,
    &NOT_SUSPENDED,
    &SUSPENDED,
];

/// How far a complaint has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ComplaintState)]
pub enum State {
    /// The regulator has to say whether it is taken up.
    Filed,
    /// It is taken up.
    Accepted,
    /// It was not taken up.
    Refused,
    /// It is decided.
    Decided,
    /// It was withdrawn.
    Withdrawn,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Filed,
        Self::Accepted,
        Self::Refused,
        Self::Decided,
        Self::Withdrawn,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Filed => "filed",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Decided => "decided",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether a complaint in this state may come to stand in the other.
    pub const fn leads_to(self, next: Self) -> bool {
        match self {
            Self::Filed => matches!(next, Self::Accepted | Self::Refused | Self::Withdrawn),
            Self::Accepted => matches!(next, Self::Decided | Self::Withdrawn),
            Self::Refused | Self::Decided | Self::Withdrawn => false,
        }
    }
}

/// What the regulator decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ComplaintOutcome)]
pub enum Outcome {
    /// The complainant is right.
    Upheld,
    /// It is not, though there was something to ask.
    Rejected,
    /// Nothing of it was true: 查无实据.
    RejectedUnfounded,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Upheld, Self::Rejected, Self::RejectedUnfounded];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upheld => "upheld",
            Self::Rejected => "rejected",
            Self::RejectedUnfounded => "rejected_unfounded",
        }
    }

    /// The outcome of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// What follows from a complaint that is upheld (94号令 art 32).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ComplaintConsequence)]
pub enum Consequence {
    /// The winner is out, and the next in rank takes its place.
    AwardCancelled,
    /// The bids are judged in a new round.
    Reevaluation,
    /// Nobody gets the contract.
    LotUnsuccessful,
    /// The contract is signed and stays; who is to blame pays for the damage.
    Compensation,
}

impl Consequence {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::AwardCancelled,
        Self::Reevaluation,
        Self::LotUnsuccessful,
        Self::Compensation,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AwardCancelled => "award_cancelled",
            Self::Reevaluation => "reevaluation",
            Self::LotUnsuccessful => "lot_unsuccessful",
            Self::Compensation => "compensation",
        }
    }

    /// The consequence of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|consequence| consequence.name() == name)
    }
}

/// What a complaint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// The numbers of the challenge's grounds.
    pub grounds: Vec<u32>,
    /// Why the reply does not satisfy.
    pub statement: String,
    /// What the challenge did not say, where the rules allow that.
    pub further: Option<String>,
}

/// What was decided, in words for everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// With which outcome.
    pub outcome: Outcome,
    /// What follows; of a complaint that is upheld only.
    pub consequence: Option<Consequence>,
    /// Why.
    pub reason: Line,
}

/// A complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Its id.
    pub id: ComplaintId,
    /// The challenge that it goes on from.
    pub challenge_id: ChallengeId,
    /// The award that was challenged.
    pub award_id: AwardId,
    /// The lot.
    pub lot_id: LotId,
    /// Its book.
    pub book_id: BookId,
    /// Who complains.
    pub supplier_id: OrganisationId,
    /// Through whom.
    pub filed_by: AccountId,
    /// When, UTC.
    pub filed_at: Instant,
    /// What it says.
    pub content: Entered,
    /// How far it has come.
    pub state: State,
    /// When it was taken up, UTC.
    pub accepted_at: Option<Instant>,
    /// Why it was not taken up.
    pub refusal: Option<String>,
    /// What was decided.
    pub decision: Option<Decision>,
    /// When it was refused, decided or withdrawn, UTC.
    pub closed_at: Option<Instant>,
    /// Counts the changes, from 1.
    pub revision: i64,
}

/// When a challenge was to be replied to, and until when one may complain; both are instants at which a day is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The buyer's time is over.
    pub reply_due: Instant,
    /// The challenger's time is over.
    pub until: Instant,
}

/// Whether one may complain of a challenge now.
///
/// # Errors
/// In this order: [`NO_CHALLENGE`], [`TOO_EARLY`], [`LATE`], [`FILED_ALREADY`].
pub fn may_complain(
    challenge: &Challenge,
    window: Window,
    has_before: bool,
    now: Instant,
) -> Result<(), Refusal> {
    match challenge.state {
        ChallengeState::Withdrawn => return Err(NO_CHALLENGE.refuse()),
        ChallengeState::Filed if now < window.reply_due => return Err(TOO_EARLY.refuse()),
        ChallengeState::Filed | ChallengeState::Replied => {}
    }
    if now >= window.until {
        return Err(LATE.refuse());
    }
    if has_before {
        return Err(FILED_ALREADY.refuse());
    }
    Ok(())
}

/// Checks what a complaint says against the challenge; every fault is listed. `may_go_beyond` is what the rules say of that.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID); [`BEYOND_CHALLENGE`] with its places.
pub fn entered(said: &Entered, challenge: &Challenge, may_go_beyond: bool) -> Result<Entered, Refusal> {
    let mut form = Form::new();
    let numbers: BTreeSet<u32> = said.grounds.iter().copied().collect();
    if numbers.is_empty() || numbers.len() != said.grounds.len() {
        form.object(
            "/grounds",
            Text::fixed(
                "应为质疑事项的编号，不重复",
                "must be numbers of grounds, each once",
            ),
        );
    }
    let statement = form.line("/statement", &said.statement, STATEMENT_LENGTH_MAX);
    let further = form.optional_line("/further", said.further.as_deref(), STATEMENT_LENGTH_MAX);
    form.finish(())?;
    let mut beyond = Vec::new();
    for (index, number) in said.grounds.iter().enumerate() {
        let is_known = usize::try_from(*number).is_ok_and(|n| (1..=challenge.grounds.len()).contains(&n));
        if !is_known {
            let detail = text!("质疑中没有第 {number} 项", "the challenge has no ground {number}");
            let refusal = BEYOND_CHALLENGE.because(detail).at(format!("/grounds/{index}"));
            beyond.extend(refusal.objections);
        }
    }
    if further.is_some() && !may_go_beyond {
        beyond.extend(BEYOND_CHALLENGE.refuse().at("/further").objections);
    }
    if !beyond.is_empty() {
        return Err(BEYOND_CHALLENGE.refuse().listing(beyond));
    }
    Ok(Entered {
        grounds: numbers.into_iter().collect(),
        statement,
        further,
    })
}

fn moved(before: Complaint, state: State, now: Instant) -> Result<Complaint, Refusal> {
    if !before.state.leads_to(state) {
        let name = before.state.name();
        return Err(WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}")));
    }
    let is_closed = state != State::Accepted;
    Ok(Complaint {
        state,
        accepted_at: if is_closed { before.accepted_at } else { Some(now) },
        closed_at: is_closed.then_some(now),
        revision: before.revision.saturating_add(1),
        ..before
    })
}

/// The complaint, taken up.
///
/// # Errors
/// [`WRONG_STATE`].
pub fn accept(before: Complaint, now: Instant) -> Result<Complaint, Refusal> {
    moved(before, State::Accepted, now)
}

/// The complaint, not taken up.
///
/// # Errors
/// A reason that is none; [`WRONG_STATE`].
pub fn refuse(before: Complaint, reason: &str, now: Instant) -> Result<Complaint, Refusal> {
    let mut form = Form::new();
    let reason = form.line("/reason", reason, TEXT_LENGTH_MAX);
    let reason = form.finish(reason)?;
    let refused = moved(before, State::Refused, now)?;
    Ok(Complaint {
        refusal: Some(reason),
        ..refused
    })
}

/// The complaint, withdrawn.
///
/// # Errors
/// [`WRONG_STATE`].
pub fn withdraw(before: Complaint, now: Instant) -> Result<Complaint, Refusal> {
    moved(before, State::Withdrawn, now)
}

/// The complaint, decided; `is_signed` is whether the lot's contract is.
///
/// # Errors
/// In this order: a reason that is none, or a consequence that is missing, or one of a complaint that is not upheld; [`WRONG_STATE`];
/// [`WRONG_CONSEQUENCE`].
pub fn decide(
    before: Complaint,
    (outcome, consequence, reason): (Outcome, Option<Consequence>, (&str, &str)),
    is_signed: bool,
    now: Instant,
) -> Result<Complaint, Refusal> {
    let mut form = Form::new();
    let reason = Line {
        zh: form.line("/decision_zh", reason.0, TEXT_LENGTH_MAX),
        en: form.line("/decision_en", reason.1, TEXT_LENGTH_MAX),
    };
    if (outcome == Outcome::Upheld) != consequence.is_some() {
        form.object(
            "/consequence",
            Text::fixed(
                "投诉成立时须有处理结果，不成立时不得有",
                "what is upheld has a consequence, and nothing else has",
            ),
        );
    }
    let reason = form.finish(reason)?;
    let decided = moved(before, State::Decided, now)?;
    if consequence.is_some_and(|one| (one == Consequence::Compensation) != is_signed) {
        return Err(WRONG_CONSEQUENCE.refuse().at("/consequence"));
    }
    Ok(Complaint {
        decision: Some(Decision {
            outcome,
            consequence,
            reason,
        }),
        ..decided
    })
}

/// A suspension of a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// The complaint that it was ordered with.
    pub complaint_id: ComplaintId,
    /// The book.
    pub book_id: BookId,
    /// From when, UTC.
    pub from_at: Instant,
    /// When it ends by itself, UTC.
    pub until_at: Instant,
    /// When it was lifted before that, UTC.
    pub lifted_at: Option<Instant>,
}

impl Suspension {
    /// Whether it runs at an instant.
    pub fn runs_at(&self, at: Instant) -> bool {
        self.from_at <= at && at < self.lifted_at.unwrap_or(self.until_at)
    }

    /// The days of it after an instant and up to another, a begun one counted as a whole.
    fn days_between(&self, from: Instant, until: Instant) -> i64 {
        let (begun, over) = (
            self.from_at.max(from),
            self.lifted_at.unwrap_or(self.until_at).min(until),
        );
        let seconds = over.signed_duration_since(begun).num_seconds().max(0);
        seconds.saturating_add(86_399).checked_div(86_400).unwrap_or(0)
    }

    /// The suspension, lifted.
    ///
    /// # Errors
    /// [`NOT_SUSPENDED`] unless it runs.
    pub fn lift(self, now: Instant) -> Result<Self, Refusal> {
        if !self.runs_at(now) {
            return Err(NOT_SUSPENDED.refuse());
        }
        Ok(Self {
            lifted_at: Some(now),
            ..self
        })
    }
}

/// How many days a book was suspended between two instants.
pub fn suspended_days(suspensions: &[Suspension], from: Instant, until: Instant) -> u32 {
    let days = suspensions.iter().map(|one| one.days_between(from, until));
    let days = days.fold(0_i64, i64::saturating_add);
    u32::try_from(days).unwrap_or(u32::MAX)
}

/// Whether a complaint that was filed, and perhaps suspends its book, keeps an award of its lot from being confirmed and signed: as long as nobody
/// has said whether it is taken up, and as long as the suspension runs. Otherwise the regulator may let the purchase go on (94号令 art 28).
pub fn stands_against(complaint: &Complaint, suspension: Option<&Suspension>, now: Instant) -> bool {
    match complaint.state {
        State::Filed => true,
        State::Accepted => suspension.is_some_and(|one| one.runs_at(now)),
        State::Refused | State::Decided | State::Withdrawn => false,
    }
}

/// That a supplier's complaints were unfounded too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Its id.
    pub id: ListingId,
    /// Who is listed.
    pub supplier_id: OrganisationId,
    /// The complaints.
    pub complaints: Vec<ComplaintId>,
    /// Within how many months.
    pub months: u32,
    /// When, UTC.
    pub listed_at: Instant,
}

/// From when on unfounded complaints count that were decided by now.
pub fn counted_from(months: u32, now: Instant) -> Instant {
    now.checked_sub_months(Months::new(months))
        .unwrap_or(Instant::MIN_UTC)
}

/// Whether a supplier is to be listed: as many complaints as the rules say were unfounded, and it was not listed within the same time.
pub fn is_to_be_listed(unfounded: usize, listed_since: bool, count: u32) -> bool {
    !listed_since && count > 0 && u32::try_from(unfounded).unwrap_or(u32::MAX) >= count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::award::rules_challenges::tests::{challenge, now};
    use crate::award::rules_challenges::withdraw as take_back;
    use chrono::Duration;
    use proptest::prelude::*;

    fn complaint() -> Complaint {
        let about = challenge(3);
        Complaint {
            id: ComplaintId::mint(now()),
            challenge_id: about.id,
            award_id: about.award_id,
            lot_id: about.lot_id,
            book_id: about.book_id,
            supplier_id: about.supplier_id,
            filed_by: about.filed_by,
            filed_at: now(),
            content: said(&[1, 3]),
            state: State::Filed,
            accepted_at: None,
            refusal: None,
            decision: None,
            closed_at: None,
            revision: 1,
        }
    }

    fn said(grounds: &[u32]) -> Entered {
        Entered {
            grounds: grounds.to_vec(),
            statement: "对答复不满意".to_owned(),
            further: None,
        }
    }

    fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
        result.unwrap_err().reason.code
    }

    fn suspension(from: i64, until: i64) -> Suspension {
        Suspension {
            complaint_id: ComplaintId::mint(now()),
            book_id: BookId::mint(now()),
            from_at: now() + Duration::hours(from),
            until_at: now() + Duration::hours(until),
            lifted_at: None,
        }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for state in State::ALL {
            assert_eq!(State::named(state.name()), Some(state));
        }
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::named(outcome.name()), Some(outcome));
        }
        for consequence in Consequence::ALL {
            assert_eq!(Consequence::named(consequence.name()), Some(consequence));
        }
    }

    #[test]
    fn one_complains_once_after_the_reply_or_its_time_and_within_ones_own() {
        let open = challenge(1);
        let window = Window {
            reply_due: now() + Duration::days(9),
            until: now() + Duration::days(30),
        };
        let at = |days| now() + Duration::days(days);
        assert_eq!(
            code(may_complain(&open, window, false, at(8))),
            "complaint_too_early"
        );
        assert!(may_complain(&open, window, false, at(9)).is_ok());
        let replied = Challenge {
            state: ChallengeState::Replied,
            ..open.clone()
        };
        assert!(may_complain(&replied, window, false, at(1)).is_ok());
        assert_eq!(
            code(may_complain(&replied, window, true, at(30))),
            "complaint_late"
        );
        assert_eq!(
            code(may_complain(&replied, window, true, at(29))),
            "complaint_filed_already"
        );
        let withdrawn = take_back(open, now()).unwrap();
        assert_eq!(
            code(may_complain(&withdrawn, window, false, at(9))),
            "complaint_without_challenge"
        );
    }

    #[test]
    fn a_complaint_names_grounds_of_its_challenge_and_nothing_beyond() {
        let about = challenge(2);
        assert_eq!(entered(&said(&[2, 1]), &about, false).unwrap().grounds, [1, 2]);
        let refusal = entered(&said(&[0, 2, 3]), &about, false).unwrap_err();
        let places: Vec<&str> = refusal
            .objections
            .iter()
            .map(|one| one.pointer.as_str())
            .collect();
        assert_eq!(
            (refusal.reason.code, places),
            ("complaint_beyond_challenge", vec!["/grounds/0", "/grounds/2"])
        );
        assert_eq!(code(entered(&said(&[]), &about, false)), "invalid");
        assert_eq!(code(entered(&said(&[1, 1]), &about, false)), "invalid");
        let further = Entered {
            further: Some("另有一事".to_owned()),
            ..said(&[1])
        };
        assert_eq!(
            code(entered(&further, &about, false)),
            "complaint_beyond_challenge"
        );
        assert_eq!(
            entered(&further, &about, true).unwrap().further.as_deref(),
            Some("另有一事")
        );
    }

    #[test]
    fn what_is_upheld_has_a_consequence_that_fits_and_nothing_else_has_one() {
        let accepted = accept(complaint(), now()).unwrap();
        let words = ("经查", "Looked into");
        let decided = |outcome, consequence, signed| {
            decide(accepted.clone(), (outcome, consequence, words), signed, now())
        };
        assert_eq!(code(decided(Outcome::Upheld, None, false)), "invalid");
        assert_eq!(
            code(decided(Outcome::Rejected, Some(Consequence::Reevaluation), false)),
            "invalid"
        );
        assert_eq!(
            code(decided(Outcome::Upheld, Some(Consequence::Reevaluation), true)),
            "complaint_wrong_consequence"
        );
        assert_eq!(
            code(decided(Outcome::Upheld, Some(Consequence::Compensation), false)),
            "complaint_wrong_consequence"
        );
        assert!(decided(Outcome::Upheld, Some(Consequence::Compensation), true).is_ok());
        let done = decided(Outcome::RejectedUnfounded, None, false).unwrap();
        assert_eq!(
            (done.state, done.revision, done.closed_at),
            (State::Decided, 3, Some(now()))
        );
        let early = decide(complaint(), (Outcome::Rejected, None, words), false, now());
        assert_eq!(code(early), "complaint_wrong_state");
        assert_eq!(code(withdraw(done, now())), "complaint_wrong_state");
        assert_eq!(
            code(refuse(accepted, "不符合受理条件", now())),
            "complaint_wrong_state"
        );
    }

    #[test]
    fn what_was_filed_stands_until_it_is_taken_up_and_then_as_long_as_the_book_is_suspended() {
        let filed = complaint();
        let running = suspension(0, 48);
        assert!(stands_against(&filed, None, now()));
        let accepted = accept(filed.clone(), now()).unwrap();
        assert!(!stands_against(&accepted, None, now()));
        assert!(stands_against(
            &accepted,
            Some(&running),
            now() + Duration::hours(47)
        ));
        // It ends by itself.
        assert!(!stands_against(
            &accepted,
            Some(&running),
            now() + Duration::hours(48)
        ));
        let lifted = running.clone().lift(now() + Duration::hours(5)).unwrap();
        assert!(!stands_against(
            &accepted,
            Some(&lifted),
            now() + Duration::hours(5)
        ));
        assert_eq!(
            code(lifted.lift(now() + Duration::hours(6))),
            "book_not_suspended"
        );
        assert!(!stands_against(
            &refuse(filed, "不符合受理条件", now()).unwrap(),
            Some(&running),
            now()
        ));
    }

    #[test]
    fn days_of_suspension_are_counted_as_far_as_they_lie_between() {
        let all = [suspension(0, 48), suspension(100, 101)];
        let at = |hours| now() + Duration::hours(hours);
        assert_eq!(suspended_days(&all, at(0), at(1_000)), 3);
        assert_eq!(suspended_days(&all, at(24), at(1_000)), 2);
        assert_eq!(suspended_days(&all, at(0), at(30)), 2);
        assert_eq!(suspended_days(&all, at(200), at(300)), 0);
    }

    #[test]
    fn three_unfounded_ones_list_a_supplier_and_not_again_within_the_same_time() {
        assert!(
            !is_to_be_listed(2, false, 3) && is_to_be_listed(3, false, 3) && !is_to_be_listed(4, true, 3)
        );
        assert!(!is_to_be_listed(9, false, 0));
        assert_eq!(counted_from(12, now()).to_rfc3339(), "2025-04-10T00:00:00+00:00");
    }

    proptest! {
        #[test]
        fn a_complaint_only_goes_forward(steps in proptest::collection::vec(0_usize..4, 0..10)) {
            let mut one = complaint();
            for step in steps {
                let before = one.clone();
                let next = match step {
                    0 => accept(one.clone(), now()),
                    1 => refuse(one.clone(), "不予受理", now()),
                    2 => decide(one.clone(), (Outcome::Rejected, None, ("经查", "Looked into")), false, now()),
                    _ => withdraw(one.clone(), now()),
                };
                if let Ok(next) = next {
                    prop_assert!(next.state > before.state && before.closed_at.is_none());
                    prop_assert_eq!(next.revision, before.revision + 1);
                    one = next;
                }
            }
        }
    }
}
