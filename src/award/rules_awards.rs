//! The award of a lot and which state follows which: it is proposed from the ranking, decided by another person, noticed to the public,
//! confirmed when its standstill is over, and signed; or it ends, and the next in rank takes its place (政府采购法实施条例 arts 43, 49;
//! 87号令 arts 68–71). Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::award::rules_results::{Evaluation, EvaluationId, Outcome, Place};
use crate::bids::rules::BidId;
use crate::books::rules::{BookId, LotId};
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::registry::rules_text::Form;
use crate::standards::rules_indicators::Line;
use crate::text;

crate::ids! {
    /// The award of a lot to one bidder.
    AwardId "award"
}

/// Awards of one lot at most, those that ended among them.
pub const AWARDS_MAX: i64 = 100;
/// Characters of a report, a decision or a reason at most.
pub const TEXT_LENGTH_MAX: usize = 2_000;

/// The award is not in a state in which this can be done.
pub static WRONG_STATE: Reason = Reason::new(
    Kind::Conflict,
    "award_wrong_state",
    "定标当前状态不允许此操作",
    "The award's state does not allow this",
);
/// The bids are not ranked.
pub static NOT_EVALUATED: Reason = Reason::new(
    Kind::Conflict,
    "award_not_evaluated",
    "该标段尚无评审结果",
    "The bids for the lot have not been ranked",
);
/// There is one that has not ended.
pub static OPEN_ALREADY: Reason = Reason::new(
    Kind::Conflict,
    "award_open_already",
    "该标段已有未终结的定标",
    "The lot has an award that has not ended",
);
/// The bids are to be judged anew first.
pub static NEEDS_NEW_ROUND: Reason = Reason::new(
    Kind::Conflict,
    "award_needs_new_round",
    "须先重新评审",
    "The bids have to be judged in a new round first",
);
/// Everybody in the ranking has fallen out, or there were as many awards as there may be.
pub static NOBODY_LEFT: Reason = Reason::new(
    Kind::Conflict,
    "award_nobody_left",
    "排序中已无可定标的投标人",
    "Nobody is left in the ranking",
);
/// Its standstill is not over.
pub static STANDSTILL: Reason = Reason::new(
    Kind::Conflict,
    "award_standstill",
    "公告期或质疑期未满",
    "The public notice, or the time for challenges, is not over",
);
/// Something that was said against it is open.
pub static BLOCKED: Reason = Reason::new(
    Kind::Conflict,
    "award_blocked",
    "存在尚未了结的质疑、投诉或暂停，或其投标已被取消资格",
    "A challenge, a complaint or a suspension stands against it, or its bid was disqualified",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 7] = [
    &WRONG_STATE,
    &NOT_EVALUATED,
    &OPEN_ALREADY,
    &NEEDS_NEW_ROUND,
    &NOBODY_LEFT,
    &STANDSTILL,
    &BLOCKED,
];

/// How far an award has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AwardState)]
pub enum State {
    /// The report lies before the buyer.
    Proposed,
    /// The buyer has decided, and nobody outside knows.
    Decided,
    /// The notice is public.
    Noticed,
    /// Nothing stands against it any more: the contract can be signed.
    Confirmed,
    /// The contract is signed.
    Signed,
    /// It came to nothing.
    Ended,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Proposed,
        Self::Decided,
        Self::Noticed,
        Self::Confirmed,
        Self::Signed,
        Self::Ended,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Decided => "decided",
            Self::Noticed => "noticed",
            Self::Confirmed => "confirmed",
            Self::Signed => "signed",
            Self::Ended => "ended",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What an award came to nothing by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AwardEnd)]
pub enum End {
    /// The winner withdrew.
    Withdrawn,
    /// The winner was disqualified.
    Disqualified,
    /// The winner did not sign in time.
    NotSigned,
    /// The regulator has put the winner out.
    ComplaintUpheld,
    /// The buyer has taken it back; the ranking is as it was.
    Cancelled,
    /// The regulator has ordered that the bids are judged anew.
    Reevaluation,
    /// The lot was ended by the regulator, or its book was cancelled.
    Dropped,
}

impl End {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Withdrawn,
        Self::Disqualified,
        Self::NotSigned,
        Self::ComplaintUpheld,
        Self::Cancelled,
        Self::Reevaluation,
        Self::Dropped,
    ];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::Disqualified => "disqualified",
            Self::NotSigned => "not_signed",
            Self::ComplaintUpheld => "complaint_upheld",
            Self::Cancelled => "cancelled",
            Self::Reevaluation => "reevaluation",
            Self::Dropped => "dropped",
        }
    }

    /// The end of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.name() == name)
    }

    /// Whether the winner has fallen out of the ranking, so that the next one takes its place.
    pub const fn passes_on(self) -> bool {
        match self {
            Self::Withdrawn | Self::Disqualified | Self::NotSigned | Self::ComplaintUpheld => true,
            Self::Cancelled | Self::Reevaluation | Self::Dropped => false,
        }
    }
}

/// What is done to an award.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The buyer decides for it.
    Decide,
    /// The notice is published.
    Notice,
    /// It is confirmed.
    Confirm,
    /// The second party signs the contract.
    Sign,
    /// It comes to nothing.
    End(End),
}

/// The state that a step leads to; `None` if it cannot be done in that state.
pub const fn leads_to(state: State, step: Step) -> Option<State> {
    match (state, step) {
        (State::Proposed, Step::Decide) => Some(State::Decided),
        (State::Decided, Step::Notice) => Some(State::Noticed),
        (State::Noticed, Step::Confirm) => Some(State::Confirmed),
        (State::Confirmed, Step::Sign) => Some(State::Signed),
        // Nobody knows that they win before the notice, and nobody is late with a contract that they cannot have signed.
        (State::Noticed | State::Confirmed, Step::End(End::Withdrawn))
        | (State::Confirmed, Step::End(End::NotSigned))
        | (
            State::Proposed | State::Decided | State::Noticed | State::Confirmed,
            Step::End(
                End::Disqualified | End::ComplaintUpheld | End::Cancelled | End::Reevaluation | End::Dropped,
            ),
        ) => Some(State::Ended),
        (
            State::Proposed,
            Step::Notice | Step::Confirm | Step::Sign | Step::End(End::Withdrawn | End::NotSigned),
        )
        | (
            State::Decided,
            Step::Decide | Step::Confirm | Step::Sign | Step::End(End::Withdrawn | End::NotSigned),
        )
        | (State::Noticed, Step::Decide | Step::Notice | Step::Sign | Step::End(End::NotSigned))
        | (State::Confirmed, Step::Decide | Step::Notice | Step::Confirm)
        | (
            State::Signed | State::Ended,
            Step::Decide | Step::Notice | Step::Confirm | Step::Sign | Step::End(_),
        ) => None,
    }
}

/// The notice of an award, as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// When, UTC.
    pub at: Instant,
    /// SHA-256 of its bytes, as the log has it.
    pub sha256: [u8; 32],
}

/// How an award ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When, UTC.
    pub at: Instant,
    /// What by.
    pub cause: End,
    /// Why, in words. It is public.
    pub reason: Line,
}

/// The award of a lot to one bidder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Award {
    /// Its id.
    pub id: AwardId,
    /// The lot.
    pub lot_id: LotId,
    /// Its book.
    pub book_id: BookId,
    /// The round of judging that it rests on.
    pub evaluation_id: EvaluationId,
    /// Counts the awards of the lot, from 1.
    pub number: i64,
    /// The winner's place in the ranking.
    pub place: i64,
    /// The winning bid.
    pub bid_id: BidId,
    /// Whose it is.
    pub supplier_id: OrganisationId,
    /// The price of the contract.
    pub price: Money,
    /// How far it has come.
    pub state: State,
    /// The report by which it was proposed. It is the buyer's.
    pub report: String,
    /// When it was proposed, UTC.
    pub proposed_at: Instant,
    /// When it was decided, UTC, and in which words.
    pub decided: Option<(Instant, String)>,
    /// Its notice.
    pub notice: Option<Notice>,
    /// When it was confirmed, UTC.
    pub confirmed_at: Option<Instant>,
    /// When the contract was signed by the second party, UTC.
    pub signed_at: Option<Instant>,
    /// How it ended.
    pub ended: Option<Ended>,
    /// Counts the changes, from 1.
    pub revision: i64,
}

impl Award {
    /// Whether everybody may know of it: from its notice on, whatever became of it.
    pub fn is_public(&self) -> bool {
        self.notice.is_some()
    }

    /// Whether it may still come to something, or has.
    pub fn is_standing(&self) -> bool {
        self.state != State::Ended
    }
}

fn wrong_state(award: &Award) -> Refusal {
    let name = award.state.name();
    WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}"))
}

/// The award one step further, without what the step adds.
///
/// # Errors
/// [`WRONG_STATE`] if the step cannot be done in its state.
pub fn after(before: Award, step: Step) -> Result<Award, Refusal> {
    match leads_to(before.state, step) {
        Some(state) => Ok(Award {
            state,
            revision: before.revision.saturating_add(1),
            ..before
        }),
        None => Err(wrong_state(&before)),
    }
}

/// Who would be given the contract: the first in rank that has not fallen out by an award before, in this round or an earlier one.
pub fn next_in_rank<'e>(evaluation: &'e Evaluation, before: &[Award]) -> Option<&'e Place> {
    let fell_out = |place: &Place| {
        before.iter().any(|award| {
            award.bid_id == place.bid_id && award.ended.as_ref().is_some_and(|ended| ended.cause.passes_on())
        })
    };
    let ranked = evaluation.places.iter().filter(|place| place.place.is_some());
    ranked
        .filter(|place| !fell_out(place))
        .min_by_key(|place| place.place)
}

/// The award that may be proposed now: whoever is next in rank of the last round; `ordered_at` is when the regulator last ordered that the bids
/// are judged anew.
///
/// # Errors
/// In this order: [`OPEN_ALREADY`]; [`NOT_EVALUATED`]; [`NEEDS_NEW_ROUND`]; [`NOBODY_LEFT`].
pub fn proposable<'e>(
    evaluation: Option<&'e Evaluation>,
    before: &[Award],
    ordered_at: Option<Instant>,
) -> Result<&'e Place, Refusal> {
    if before.iter().any(Award::is_standing) {
        return Err(OPEN_ALREADY.refuse());
    }
    let evaluation = evaluation.filter(|round| round.outcome == Outcome::Ranked);
    let evaluation = evaluation.ok_or_else(|| NOT_EVALUATED.refuse())?;
    if ordered_at.is_some_and(|at| evaluation.concluded_at <= at) {
        return Err(NEEDS_NEW_ROUND.refuse());
    }
    let awards = i64::try_from(before.len()).unwrap_or(i64::MAX);
    let next = next_in_rank(evaluation, before).filter(|_| awards < AWARDS_MAX);
    next.ok_or_else(|| NOBODY_LEFT.refuse())
}

/// A proposed award.
///
/// # Errors
/// A report that is none.
pub fn propose(
    id: AwardId,
    (evaluation, place): (&Evaluation, &Place),
    (number, report): (i64, &str),
    now: Instant,
) -> Result<Award, Refusal> {
    let mut form = Form::new();
    let report = form.line("/report", report, TEXT_LENGTH_MAX);
    let report = form.finish(report)?;
    Ok(Award {
        id,
        lot_id: evaluation.lot_id.clone(),
        book_id: evaluation.book_id.clone(),
        evaluation_id: evaluation.id.clone(),
        number,
        place: place.place.unwrap_or(i64::MAX),
        bid_id: place.bid_id.clone(),
        supplier_id: place.supplier_id.clone(),
        price: place.price,
        state: State::Proposed,
        report,
        proposed_at: now,
        decided: None,
        notice: None,
        confirmed_at: None,
        signed_at: None,
        ended: None,
        revision: 1,
    })
}

/// The award, decided.
///
/// # Errors
/// A decision that is none; [`WRONG_STATE`].
pub fn decide(before: Award, decision: &str, now: Instant) -> Result<Award, Refusal> {
    let mut form = Form::new();
    let decision = form.line("/decision", decision, TEXT_LENGTH_MAX);
    let decision = form.finish(decision)?;
    let decided = after(before, Step::Decide)?;
    Ok(Award {
        decided: Some((now, decision)),
        ..decided
    })
}

/// The award, noticed.
///
/// # Errors
/// [`WRONG_STATE`].
pub fn notice(before: Award, sha256: [u8; 32], now: Instant) -> Result<Award, Refusal> {
    let noticed = after(before, Step::Notice)?;
    Ok(Award {
        notice: Some(Notice { at: now, sha256 }),
        ..noticed
    })
}

/// The award, confirmed; `until` is when its standstill is over, and `blocked` whether something is open against it.
///
/// # Errors
/// [`WRONG_STATE`], [`STANDSTILL`], [`BLOCKED`], in this order.
pub fn confirm(before: Award, (until, blocked): (Instant, bool), now: Instant) -> Result<Award, Refusal> {
    let confirmed = after(before, Step::Confirm)?;
    if now < until {
        return Err(STANDSTILL.refuse());
    }
    if blocked {
        return Err(BLOCKED.refuse());
    }
    Ok(Award {
        confirmed_at: Some(now),
        ..confirmed
    })
}

/// The award whose contract is signed.
///
/// # Errors
/// [`WRONG_STATE`].
pub fn sign(before: Award, now: Instant) -> Result<Award, Refusal> {
    let signed = after(before, Step::Sign)?;
    Ok(Award {
        signed_at: Some(now),
        ..signed
    })
}

/// A reason in both languages, as it is entered.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID) with every fault.
pub fn reason((zh, en): (&str, &str)) -> Result<Line, Refusal> {
    let mut form = Form::new();
    let reason = Line {
        zh: form.line("/reason_zh", zh, TEXT_LENGTH_MAX),
        en: form.line("/reason_en", en, TEXT_LENGTH_MAX),
    };
    form.finish(reason)
}

/// The award that came to nothing.
///
/// # Errors
/// [`WRONG_STATE`].
pub fn end(before: Award, cause: End, reason: Line, now: Instant) -> Result<Award, Refusal> {
    let ended = after(before, Step::End(cause))?;
    Ok(Award {
        ended: Some(Ended {
            at: now,
            cause,
            reason,
        }),
        ..ended
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeZone, Utc};
    use proptest::prelude::*;

    fn now() -> Instant {
        Utc.with_ymd_and_hms(2026, 4, 2, 0, 0, 0).unwrap()
    }

    fn line() -> Line {
        Line {
            zh: "因".to_owned(),
            en: "why".to_owned(),
        }
    }

    /// Bids in this order, and the last `out` of them put out.
    fn ranking(ranked: i64, out: i64) -> Evaluation {
        let place = |n: i64| Place {
            bid_id: BidId::mint(now()),
            supplier_id: OrganisationId::mint(now()),
            place: (n <= ranked).then_some(n),
            price: Money::from_fen(10_000 + n).unwrap(),
        };
        Evaluation {
            id: EvaluationId::mint(now()),
            lot_id: LotId::mint(now()),
            book_id: BookId::mint(now()),
            round: 1,
            outcome: Outcome::Ranked,
            concluded_at: now(),
            content: String::new(),
            sha256: [0; 32],
            // As they may come: the order of the rows says nothing.
            places: (1..=ranked + out).rev().map(place).collect(),
        }
    }

    fn proposed(evaluation: &Evaluation, before: &[Award]) -> Result<Award, Refusal> {
        let place = proposable(Some(evaluation), before, None)?;
        let number = i64::try_from(before.len()).unwrap() + 1;
        propose(
            AwardId::mint(now()),
            (evaluation, place),
            (number, "评审报告"),
            now(),
        )
    }

    fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
        result.unwrap_err().reason.code
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for state in State::ALL {
            assert_eq!(State::named(state.name()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
        for end in End::ALL {
            assert_eq!(End::named(end.name()), Some(end));
            assert_eq!(serde_json::to_value(end).unwrap(), end.name());
        }
    }

    #[test]
    fn nothing_follows_a_signature_or_an_end_and_every_other_state_can_end() {
        let steps = [Step::Decide, Step::Notice, Step::Confirm, Step::Sign].into_iter();
        let steps: Vec<Step> = steps.chain(End::ALL.map(Step::End)).collect();
        for state in State::ALL {
            let next = steps.iter().filter_map(|step| leads_to(state, *step));
            let next: std::collections::BTreeSet<State> = next.collect();
            let expected: &[State] = match state {
                State::Proposed => &[State::Decided, State::Ended],
                State::Decided => &[State::Noticed, State::Ended],
                State::Noticed => &[State::Confirmed, State::Ended],
                State::Confirmed => &[State::Signed, State::Ended],
                State::Signed | State::Ended => &[],
            };
            assert_eq!(next.into_iter().collect::<Vec<_>>(), expected, "{state:?}");
        }
    }

    #[test]
    fn the_way_to_a_signature_has_its_order_its_standstill_and_nothing_open() {
        let evaluation = ranking(2, 1);
        let one = proposed(&evaluation, &[]).unwrap();
        assert_eq!((one.place, one.price.fen(), one.number), (1, 10_001, 1));
        assert_eq!(code(notice(one.clone(), [0; 32], now())), "award_wrong_state");
        assert_eq!(code(decide(one.clone(), " ", now())), "invalid");
        let decided = decide(one, "同意", now()).unwrap();
        assert!(!decided.is_public());
        let noticed = notice(decided, [1; 32], now()).unwrap();
        assert!(noticed.is_public());
        let over = now() + chrono::Duration::days(9);
        assert_eq!(
            code(confirm(noticed.clone(), (over, true), now())),
            "award_standstill"
        );
        assert_eq!(
            code(confirm(noticed.clone(), (over, true), over)),
            "award_blocked"
        );
        assert_eq!(code(sign(noticed.clone(), over)), "award_wrong_state");
        let confirmed = confirm(noticed, (over, false), over).unwrap();
        let signed = sign(confirmed.clone(), over).unwrap();
        assert_eq!(
            code(end(signed.clone(), End::Withdrawn, line(), over)),
            "award_wrong_state"
        );
        assert_eq!((signed.state, signed.revision), (State::Signed, 5));
        let ended = end(confirmed, End::NotSigned, line(), over).unwrap();
        assert!(!ended.is_standing() && ended.is_public());
    }

    #[test]
    fn who_falls_out_is_followed_by_the_next_and_a_cancelled_award_gives_its_place_back() {
        let evaluation = ranking(3, 2);
        let mut past: Vec<Award> = Vec::new();
        let fell = |cause: End, past: &mut Vec<Award>| {
            let award = proposed(&evaluation, past).unwrap();
            assert_eq!(
                code(proposed(&evaluation, std::slice::from_ref(&award))),
                "award_open_already"
            );
            let award = notice(decide(award, "同意", now()).unwrap(), [0; 32], now()).unwrap();
            let place = award.place;
            past.push(end(award, cause, line(), now()).unwrap());
            place
        };
        assert_eq!(fell(End::Cancelled, &mut past), 1);
        assert_eq!(fell(End::Withdrawn, &mut past), 1);
        assert_eq!(fell(End::Cancelled, &mut past), 2);
        assert_eq!(fell(End::Disqualified, &mut past), 2);
        assert_eq!(fell(End::ComplaintUpheld, &mut past), 3);
        assert_eq!(code(proposed(&evaluation, &past)), "award_nobody_left");
        // Judged anew, whoever withdrew stays out.
        let again = Evaluation {
            id: EvaluationId::mint(now()),
            round: 2,
            ..evaluation.clone()
        };
        assert_eq!(code(proposed(&again, &past)), "award_nobody_left");
    }

    #[test]
    fn after_an_order_to_judge_anew_nothing_is_proposed_from_the_old_round() {
        let evaluation = ranking(2, 0);
        let first = proposed(&evaluation, &[]).unwrap();
        let past = vec![end(first, End::Reevaluation, line(), now()).unwrap()];
        let ordered = Some(now());
        assert_eq!(
            code(proposable(Some(&evaluation), &past, ordered)),
            "award_needs_new_round"
        );
        let again = Evaluation {
            concluded_at: now() + chrono::Duration::days(1),
            ..evaluation.clone()
        };
        assert_eq!(proposable(Some(&again), &past, ordered).unwrap().place, Some(1));
        let unsuccessful = Evaluation {
            outcome: Outcome::Unsuccessful,
            ..again
        };
        assert_eq!(
            code(proposable(Some(&unsuccessful), &past, ordered)),
            "award_not_evaluated"
        );
        assert_eq!(code(proposable(None, &past, None)), "award_not_evaluated");
    }

    proptest! {
        #[test]
        fn an_award_only_goes_forward(steps in proptest::collection::vec(0_usize..11, 0..20)) {
            let every: Vec<Step> = [Step::Decide, Step::Notice, Step::Confirm, Step::Sign]
                .into_iter()
                .chain(End::ALL.map(Step::End))
                .collect();
            let mut award = proposed(&ranking(1, 0), &[]).unwrap();
            for step in steps {
                let before = award.clone();
                match after(award.clone(), every[step]) {
                    Ok(further) => {
                        prop_assert!(further.state > before.state && further.revision == before.revision + 1);
                        award = further;
                    }
                    Err(refusal) => prop_assert_eq!(refusal.reason.code, "award_wrong_state"),
                }
            }
        }
    }
}
