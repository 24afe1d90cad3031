//! What follows when the scores of a contract's periods stay low, or good: the book's triggers over the scores, in the order of the periods. It only
//! says what is due and on which periods that rests; nothing happens by itself, a person decides. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::rules_documents::{
    Counting, LotDocument, Outcome, SourceDocument, TriggerDocument, WithoutScore,
};
use crate::contracts::rules::ContractId;
use crate::contracts::rules_rectifications::RectificationId;
use crate::contracts::rules_source_scores::{SourceScore, State as SourceState};
use crate::contracts::rules_terminations::TerminationId;
use crate::kernel::clock::Instant;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Fault, Kind as ReasonKind, Reason, Refusal};
use crate::kernel::score::{Rounding, Score};
use crate::standards::rules_indicators::Line;

crate::ids! {
    /// A decision about a trigger that was due.
    TriggerDecisionId "triggerdecision"
}

/// The contract has no such trigger, or it is not due with that period.
pub static NOT_DUE: Reason = Reason::new(
    ReasonKind::Conflict,
    "trigger_not_due",
    "该条款在该期尚未触发",
    "The trigger is not due with that period",
);
/// It was decided about before.
pub static DECIDED_ALREADY: Reason = Reason::new(
    ReasonKind::Conflict,
    "trigger_decided_already",
    "该次触发已作出决定",
    "It was decided about before",
);
/// A renewal is a variation.
pub static FOLLOWED_BY_VARIATION: Reason = Reason::new(
    ReasonKind::Conflict,
    "trigger_followed_by_variation",
    "续签应通过合同变更办理",
    "A renewal is proposed as a variation of the contract",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 3] = [&NOT_DUE, &DECIDED_ALREADY, &FOLLOWED_BY_VARIATION];

/// The score of a period that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scored {
    /// The period's number.
    pub period: i64,
    /// Its score; `None` while that is not settled.
    pub score: Option<Score>,
}

/// That a trigger is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The trigger's number in the book's list, from 1.
    pub trigger: i64,
    /// The period with which it became due.
    pub period: i64,
    /// The periods that it rests on, that one the last.
    pub periods: Vec<i64>,
}

/// How a trigger stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ContractTriggerState)]
pub enum State {
    /// No period has a settled score; for a renewal, one that is over has none.
    NoData,
    /// What it asks for has not happened.
    NotDue,
    /// It is due.
    Due,
}

/// What was decided when a trigger was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Its id.
    pub id: TriggerDecisionId,
    /// Of which contract.
    pub contract_id: ContractId,
    /// About what.
    pub occurrence: Occurrence,
    /// What was done, or why nothing was.
    pub course: Course,
    /// By whom.
    pub decided_by: AccountId,
    /// When, UTC.
    pub decided_at: Instant,
}

/// What was done about a trigger that was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Course {
    /// A notice of rectification was issued, or one that asks for another manager.
    Rectification(RectificationId),
    /// The contract's end was proposed.
    Termination(TerminationId),
    /// It was not followed, for a reason.
    NotFollowed(Line),
}

/// Places of a period's score.
const SCORE_PLACES: u32 = 2;

/// What a period scores in all: the scores of its sources by their weights, half up to two places; `None` while one of them has no score, or one that can
/// still change, and where the book names no source. A source that weighs nothing is no part of it: a survey that has a pay table of its own may be held once a
/// quarter. A rating to which too few came has no weight, as it has none when the period is paid: otherwise whoever does not vote would keep a contract's
/// triggers from ever being due. Where the book says that what has no score counts as full marks, it does so here as well.
///
/// # Errors
/// A fault of arithmetic.
pub fn total(lot: &LotDocument, scores: &[SourceScore]) -> Result<Option<Score>, Fault> {
    let payment = lot.payment.as_ref();
    let without = payment.map(|payment| payment.without_score).unwrap_or_default();
    weighed((&lot.score_sources, without), scores)
}

fn weighed(
    (sources, without): (&[SourceDocument], WithoutScore),
    scores: &[SourceScore],
) -> Result<Option<Score>, Fault> {
    let mut parts = Vec::with_capacity(sources.len());
    for source in sources.iter().filter(|one| one.weight.ten_thousandths() > 0) {
        let found = scores.iter().find(|one| one.source == source.code);
        let state = found.map_or(SourceState::NoData, |one| one.state);
        let score = match (state, without) {
            (SourceState::NonBinding | SourceState::NoData, WithoutScore::FullMarks) => Some(Score::HUNDRED),
            (SourceState::NonBinding, WithoutScore::Redistributed) => continue,
            (SourceState::Settled, _) => found.and_then(|one| one.score),
            (SourceState::NoData | SourceState::Provisional, _) => None,
        };
        let Some(score) = score else {
            return Ok(None);
        };
        let weight = u32::try_from(source.weight.ten_thousandths());
        parts.push((score, weight.map_err(|error| Fault::caused("a weight", error))?));
    }
    if parts.iter().all(|(_, weight)| *weight == 0) {
        return Ok(None);
    }
    let total = Score::mean(&parts, SCORE_PLACES, Rounding::HalfUp);
    Ok(Some(total.map_err(|error| {
        Fault::caused("the score of a period", error)
    })?))
}

fn is_low(one: &Scored, trigger: &TriggerDocument) -> bool {
    one.score.is_some_and(|score| score < trigger.below)
}

/// When a trigger was due, over the scores of the periods in their order.
///
/// A trigger that counts consecutive periods is due with every low period that ends a run of so many, and rests on the last of them; one that counts
/// all is due with every low period from that number on, and rests on all of them so far. Counting anew after each time was rejected: whoever was
/// spared once would have to be spared as often again. A period without a settled score is not low, and ends a run: nothing is made of what is not known.
pub fn occurrences(number: i64, trigger: &TriggerDocument, scores: &[Scored]) -> Vec<Occurrence> {
    let times = usize::try_from(trigger.times).unwrap_or(usize::MAX);
    let mut low: Vec<i64> = Vec::new();
    let mut found = Vec::new();
    for one in scores {
        if !is_low(one, trigger) {
            if trigger.counting == Counting::Consecutive {
                low.clear();
            }
            continue;
        }
        low.push(one.period);
        if low.len() < times {
            continue;
        }
        let periods = match trigger.counting {
            Counting::Consecutive => low.iter().rev().take(times).rev().copied().collect(),
            Counting::Cumulative => low.clone(),
        };
        found.push(Occurrence {
            trigger: number,
            period: one.period,
            periods,
        });
    }
    found
}

/// Whether the scores so far allow a renewal: all are known, there is one, and they did not stay below the limit as often as the book says.
/// `None` if they are not known.
pub fn is_renewal_met(trigger: &TriggerDocument, scores: &[Scored]) -> Option<bool> {
    if scores.is_empty() || scores.iter().any(|one| one.score.is_none()) {
        return None;
    }
    Some(occurrences(0, trigger, scores).is_empty())
}

/// How a trigger stands, and when it was due.
pub fn standing(number: i64, trigger: &TriggerDocument, scores: &[Scored]) -> (State, Vec<Occurrence>) {
    if trigger.outcome == Outcome::Renewal {
        let state = match is_renewal_met(trigger, scores) {
            None => State::NoData,
            Some(true) => State::Due,
            Some(false) => State::NotDue,
        };
        return (state, Vec::new());
    }
    let due = occurrences(number, trigger, scores);
    let state = if !due.is_empty() {
        State::Due
    } else if scores.iter().all(|one| one.score.is_none()) {
        State::NoData
    } else {
        State::NotDue
    };
    (state, due)
}

/// The occurrence that somebody decides about.
///
/// # Errors
/// In this order: [`NOT_DUE`], [`FOLLOWED_BY_VARIATION`], [`DECIDED_ALREADY`].
pub fn decidable(
    triggers: &[TriggerDocument],
    (number, period): (i64, i64),
    scores: &[Scored],
    decided: &[Decision],
) -> Result<(TriggerDocument, Occurrence), Refusal> {
    let index = number
        .checked_sub(1)
        .and_then(|index| usize::try_from(index).ok());
    let trigger = index.and_then(|index| triggers.get(index));
    let trigger = trigger.ok_or_else(|| NOT_DUE.refuse())?;
    if trigger.outcome == Outcome::Renewal {
        return Err(FOLLOWED_BY_VARIATION.refuse());
    }
    let mut due = occurrences(number, trigger, scores).into_iter();
    let occurrence = due.find(|one| one.period == period);
    let occurrence = occurrence.ok_or_else(|| NOT_DUE.refuse())?;
    let is_same = |one: &Decision| one.occurrence.trigger == number && one.occurrence.period == period;
    if decided.iter().any(is_same) {
        return Err(DECIDED_ALREADY.refuse());
    }
    Ok((trigger.clone(), occurrence))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    /// A trigger of a book.
    pub fn trigger(outcome: Outcome, below: &str, times: u32, counting: Counting) -> TriggerDocument {
        TriggerDocument {
            outcome,
            below: below.parse().unwrap(),
            times,
            counting,
            penalty_percent: None,
            months_max: (outcome == Outcome::Renewal).then_some(36),
        }
    }

    /// Scores of the first periods; `-` is one that is not settled.
    pub fn scores(all: &[&str]) -> Vec<Scored> {
        (1..)
            .zip(all)
            .map(|(period, text)| Scored {
                period,
                score: text.parse().ok().filter(|_| *text != "-"),
            })
            .collect()
    }

    fn due(trigger: &TriggerDocument, all: &[&str]) -> Vec<Vec<i64>> {
        let found = occurrences(1, trigger, &scores(all));
        for one in &found {
            assert_eq!(one.periods.last(), Some(&one.period));
        }
        found.into_iter().map(|one| one.periods).collect()
    }

    #[test]
    fn the_hospitals_property_contract() {
        let manager = trigger(Outcome::ReplaceManager, "90", 3, Counting::Consecutive);
        assert_eq!(
            due(&manager, &["89.99", "85", "90", "89", "89"]),
            Vec::<Vec<i64>>::new()
        );
        assert_eq!(
            due(&manager, &["95", "89", "85", "80", "70"]),
            [vec![2, 3, 4], vec![3, 4, 5]]
        );
        let two = trigger(Outcome::Termination, "80", 2, Counting::Consecutive);
        let three = trigger(Outcome::Termination, "80", 3, Counting::Cumulative);
        let quarters = ["79", "85", "79.99", "80", "70"];
        assert_eq!(due(&two, &quarters), Vec::<Vec<i64>>::new());
        assert_eq!(due(&three, &quarters), [vec![1, 3, 5]]);
        assert_eq!(due(&two, &["79", "70"]), [vec![1, 2]]);
        let renewal = trigger(Outcome::Renewal, "80", 1, Counting::Cumulative);
        assert_eq!(
            is_renewal_met(&renewal, &scores(&["80", "92.5", "100"])),
            Some(true)
        );
        assert_eq!(
            is_renewal_met(&renewal, &scores(&["92", "79.99", "99"])),
            Some(false)
        );
        assert_eq!(is_renewal_met(&renewal, &scores(&["92", "-", "99"])), None);
        assert_eq!(is_renewal_met(&renewal, &[]), None);
    }

    #[test]
    fn a_period_has_a_score_once_all_its_sources_have_one_that_stays() {
        use crate::books::rules_documents::SourceKind;
        let source = |code: &str, weight: &str| SourceDocument {
            ballot: None,
            code: code.to_owned(),
            kind: SourceKind::Inspection,
            name_zh: code.to_owned(),
            name_en: code.to_owned(),
            weight: weight.parse().unwrap(),
        };
        let sources = [source("inspection", "80"), source("satisfaction", "20")];
        let scored = |source: &str, state, score: Option<&str>| SourceScore {
            source: source.to_owned(),
            state,
            score: score.map(|score| score.parse().unwrap()),
            count: 1,
            contests_open: 0,
        };
        let of = |inspection: &str, satisfaction: Option<&str>, state| {
            let scores = [
                scored("inspection", SourceState::Settled, Some(inspection)),
                scored("satisfaction", state, satisfaction),
            ];
            weighed((&sources, WithoutScore::Redistributed), &scores)
                .unwrap()
                .map(|score| score.to_string())
        };
        let settled = SourceState::Settled;
        // The worked example of a year's assessment.
        for (inspection, satisfaction, all) in [
            ("93.4", "88.0", "92.32"),
            ("88.5", "82.0", "87.20"),
            ("80.5", "78.0", "80.00"),
            ("78.0", "74.5", "77.30"),
        ] {
            assert_eq!(of(inspection, Some(satisfaction), settled).as_deref(), Some(all));
        }
        assert_eq!(of("93.4", None, SourceState::NoData), None);
        assert_eq!(of("93.4", Some("88.0"), SourceState::Provisional), None);
        // Too few have voted: what is left scores alone, and nothing scores nothing.
        assert_eq!(
            of("93.4", None, SourceState::NonBinding).as_deref(),
            Some("93.40")
        );
        let silent = [scored("satisfaction", SourceState::NonBinding, None)];
        assert_eq!(
            weighed((&sources[1..], WithoutScore::Redistributed), &silent).unwrap(),
            None
        );
        assert_eq!(weighed((&[], WithoutScore::Redistributed), &[]).unwrap(), None);
        // Or it counts as full marks, as when the period is paid; what can still change never counts.
        let full = |scores: &[SourceScore]| {
            let found = weighed((&sources, WithoutScore::FullMarks), scores).unwrap();
            found.map(|score| score.to_string())
        };
        let inspected = scored("inspection", SourceState::Settled, Some("93.4"));
        assert_eq!(
            full(&[inspected.clone(), silent[0].clone()]).as_deref(),
            Some("94.72")
        );
        assert_eq!(full(std::slice::from_ref(&inspected)).as_deref(), Some("94.72"));
        let running = scored("satisfaction", SourceState::Provisional, Some("88"));
        assert_eq!(full(&[inspected.clone(), running]), None);
        // A survey that weighs nothing is held once a quarter: without it there is a score.
        let quarterly = [source("inspection", "100"), source("satisfaction", "0")];
        let found = weighed((&quarterly, WithoutScore::Redistributed), &[inspected]).unwrap();
        assert_eq!(found.map(|score| score.to_string()).as_deref(), Some("93.40"));
    }

    #[test]
    fn the_schools_and_the_park() {
        let school = trigger(Outcome::Termination, "60", 1, Counting::Cumulative);
        assert_eq!(due(&school, &["60", "59.99", "90"]), [vec![2]]);
        let mut park = trigger(Outcome::Termination, "60", 2, Counting::Consecutive);
        park.penalty_percent = Some("30".parse().unwrap());
        assert_eq!(due(&park, &["50", "60", "50", "-", "50", "50"]), [vec![5, 6]]);
        let rectify = trigger(Outcome::Rectification, "90", 1, Counting::Consecutive);
        assert_eq!(due(&rectify, &["88", "95", "70"]), [vec![1], vec![3]]);
    }

    #[test]
    fn what_is_decided_is_due_and_was_not_decided() {
        let all = [
            trigger(Outcome::Termination, "80", 2, Counting::Consecutive),
            trigger(Outcome::Renewal, "80", 1, Counting::Cumulative),
        ];
        let known = scores(&["70", "70"]);
        let code =
            |number, period, decided: &[Decision]| match decidable(&all, (number, period), &known, decided) {
                Ok((_, one)) => one.periods.len().to_string(),
                Err(refusal) => refusal.reason.code.to_owned(),
            };
        assert_eq!(code(1, 2, &[]), "2");
        for (number, period) in [(1, 1), (1, 3), (0, 2), (3, 2), (i64::MIN, 2)] {
            assert_eq!(code(number, period, &[]), "trigger_not_due");
        }
        assert_eq!(code(2, 2, &[]), "trigger_followed_by_variation");
        let now = crate::contracts::rules::tests::now();
        let decision = Decision {
            id: TriggerDecisionId::mint(now),
            contract_id: ContractId::mint(now),
            occurrence: Occurrence {
                trigger: 1,
                period: 2,
                periods: vec![1, 2],
            },
            course: Course::NotFollowed(Line {
                zh: "已更换班组".to_owned(),
                en: "The crew was replaced".to_owned(),
            }),
            decided_by: AccountId::mint(now),
            decided_at: now,
        };
        assert_eq!(code(1, 2, &[decision]), "trigger_decided_already");
    }

    #[test]
    fn a_trigger_without_scores_says_so() {
        let two = trigger(Outcome::Termination, "80", 2, Counting::Consecutive);
        let state = |all: &[&str]| standing(1, &two, &scores(all)).0;
        assert_eq!(
            [
                state(&[]),
                state(&["-"]),
                state(&["70", "-"]),
                state(&["70", "70"])
            ],
            [State::NoData, State::NoData, State::NotDue, State::Due]
        );
        let renewal = trigger(Outcome::Renewal, "80", 2, Counting::Consecutive);
        let state = |all: &[&str]| standing(1, &renewal, &scores(all)).0;
        assert_eq!(
            [
                state(&["90", "-"]),
                state(&["70", "90", "70"]),
                state(&["70", "70"])
            ],
            [State::NoData, State::Due, State::NotDue]
        );
    }

    /// The same said slowly: each beginning of the list is looked at by itself.
    fn naive(trigger: &TriggerDocument, all: &[Scored]) -> Vec<(i64, Vec<i64>)> {
        let times = usize::try_from(trigger.times).unwrap();
        let low = |one: &Scored| one.score.is_some_and(|score| score < trigger.below);
        let mut found = Vec::new();
        for end in 1..=all.len() {
            let so_far = &all[..end];
            if !low(&so_far[end - 1]) {
                continue;
            }
            let counted: Vec<i64> = match trigger.counting {
                Counting::Consecutive if end >= times && so_far[end - times..].iter().all(low) => {
                    so_far[end - times..].iter().map(|one| one.period).collect()
                }
                Counting::Consecutive => continue,
                Counting::Cumulative => so_far
                    .iter()
                    .filter(|one| low(one))
                    .map(|one| one.period)
                    .collect(),
            };
            if counted.len() >= times {
                found.push((so_far[end - 1].period, counted));
            }
        }
        found
    }

    proptest! {
        #[test]
        fn it_is_due_when_looking_back_says_so(
            all in prop::collection::vec(prop::option::weighted(0.9, 0_i64..=100), 0..40),
            below in 1_i64..=100,
            times in 1_u32..=6,
            is_consecutive in any::<bool>(),
        ) {
            let counting = if is_consecutive { Counting::Consecutive } else { Counting::Cumulative };
            let trigger = TriggerDocument { below: Score::new(Decimal::from(below)).unwrap(), ..trigger(Outcome::Termination, "1", times, counting) };
            let scores: Vec<Scored> = (1..).zip(&all)
                .map(|(period, points)| Scored { period, score: points.map(|points| Score::new(Decimal::from(points)).unwrap()) })
                .collect();
            let found: Vec<(i64, Vec<i64>)> = occurrences(1, &trigger, &scores).into_iter().map(|one| (one.period, one.periods)).collect();
            prop_assert_eq!(&found, &naive(&trigger, &scores));
            if all.iter().all(Option::is_some) && !all.is_empty() {
                prop_assert_eq!(is_renewal_met(&trigger, &scores), Some(found.is_empty()));
            } else {
                prop_assert_eq!(is_renewal_met(&trigger, &scores), None);
            }
        }
    }
}
