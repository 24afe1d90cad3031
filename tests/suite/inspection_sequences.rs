//! Random sequences of inspections, contests, decisions and annulments against a small model: what the model says is what is answered, what is refused
//! leaves the database as it was, and the period scores what the model reckons.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Duration, NaiveDate};
use serde_json::{Value, json};

use crate::award_sequences::Dice;
use crate::awards::go_to;
use crate::harness::{Reply, Ward};
use crate::inspections::{Works, inspection};
use crate::on_both;
use crate::outbox::lines;
use crate::periods::contract;
use crate::treasury::made;

/// Acts in all.
const STEPS: usize = 60;
/// Times that three days pass, so that all of it lies in the first period.
const PAUSES_MAX: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Record,
    Contest,
    Reject,
    Uphold,
    Annul,
    Pause,
}

/// What is tried, more often what leads on.
const ALL: [Act; 8] = [
    Act::Contest,
    Act::Contest,
    Act::Contest,
    Act::Reject,
    Act::Uphold,
    Act::Annul,
    Act::Record,
    Act::Pause,
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Contest {
    Filed,
    Rejected,
    Upheld,
}

/// An inspection as the model knows it.
struct Known {
    id: String,
    /// Ends that were counted, and that it turned out to be.
    ends: i64,
    is_annulled: bool,
    until: NaiveDate,
    /// By item: the id of the contest, and what became of it.
    contests: BTreeMap<i64, (String, Contest)>,
}

/// `part / whole` rounded half up.
fn half_up(part: i64, whole: i64) -> i64 {
    (2 * part + whole) / (2 * whole)
}

impl Known {
    /// In hundredths: of six points half a one is lost for each end beyond four, at most five.
    fn score(&self) -> i64 {
        let lost = ((self.ends - 4).max(0) * 5).min(50);
        half_up((60 - lost) * 10_000, 60)
    }
}

#[derive(Default)]
struct Model {
    known: Vec<Known>,
    pauses: usize,
}

/// What the model expects of a step: done, or refused with a code.
type Outcome = Result<(), &'static str>;

impl Model {
    /// An inspection, mostly one of the last, and an item; for a decision one that was contested, if there is one.
    fn chosen(&self, act: Act, dice: &mut Dice) -> (usize, i64) {
        let contested = self
            .known
            .iter()
            .enumerate()
            .flat_map(|(at, one)| one.contests.keys().map(move |item| (at, *item)));
        let contested: Vec<(usize, i64)> = contested.collect();
        if matches!(act, Act::Reject | Act::Uphold) && !contested.is_empty() {
            return contested[contested.len() - 1 - dice.roll(contested.len().min(5))];
        }
        let all = self.known.len();
        let span = if dice.roll(3) == 0 {
            all.max(1)
        } else {
            all.clamp(1, 4)
        };
        let back = dice.roll(span);
        let at = self.known.len().saturating_sub(1 + back);
        (at, 1 + i64::try_from(dice.roll(2)).unwrap())
    }

    fn mean(&self) -> Value {
        let scores: Vec<i64> = self
            .known
            .iter()
            .filter(|one| !one.is_annulled)
            .map(Known::score)
            .collect();
        let count = i64::try_from(scores.len()).unwrap();
        if count == 0 {
            return Value::Null;
        }
        let mean = half_up(scores.iter().sum(), count);
        json!(format!("{}.{:02}", mean / 100, mean % 100))
    }
}

/// Everything that an act could have changed.
fn traces(ward: &Ward) -> Vec<String> {
    let queries = [
        "SELECT id AS line FROM inspections ORDER BY id",
        "SELECT inspection_id AS line FROM inspection_annulments ORDER BY inspection_id",
        "SELECT id || state || revision AS line FROM inspection_contests ORDER BY id",
        "SELECT matter || duty || person AS line FROM duties ORDER BY matter, duty, person",
        "SELECT 'events ' || COUNT(*) AS line FROM audit_events",
        "SELECT 'mail ' || COUNT(*) AS line FROM outbox",
    ];
    queries.iter().flat_map(|query| lines(ward, query)).collect()
}

/// Does an act on an inspection and an item, and says what the model expects of it.
fn plays(
    works: &Works<'_>,
    model: &mut Model,
    (act, at, item): (Act, usize, i64),
    ends: i64,
) -> Option<(Reply, Outcome)> {
    let (ward, office) = (works.ward, &works.case.office);
    let clock = &ward.context().clock;
    if act == Act::Pause {
        if model.pauses < PAUSES_MAX {
            model.pauses += 1;
            clock.advance(clock.now() + Duration::days(3));
        }
        return None;
    }
    if act == Act::Record {
        let reply = works.records(&office.officer, &inspection(&ends.to_string(), None));
        let until = reply.json()["contest_until"].as_str().unwrap().parse().unwrap();
        model.known.push(Known {
            id: made(&reply),
            ends,
            is_annulled: false,
            until,
            contests: BTreeMap::new(),
        });
        return Some((reply, Ok(())));
    }
    let today = (clock.now() + Duration::hours(8)).date_naive();
    let known = model.known.get_mut(at)?;
    Some(match act {
        Act::Record | Act::Pause => unreachable!("they are done above"),
        Act::Annul => {
            let expected = if known.is_annulled {
                Err("inspection_annulled")
            } else {
                Ok(())
            };
            known.is_annulled = true;
            (works.annuls(&office.approver, &known.id), expected)
        }
        Act::Contest => {
            let expected = if known.is_annulled {
                Err("inspection_annulled")
            } else if today > known.until {
                Err("inspection_contest_late")
            } else if known.contests.contains_key(&item) {
                Err("inspection_contested_already")
            } else {
                Ok(())
            };
            let reply = works.contests(works.supplier(), &known.id, item, &[]);
            if expected.is_ok() {
                known.contests.insert(item, (made(&reply), Contest::Filed));
            }
            (reply, expected)
        }
        Act::Reject | Act::Uphold => {
            let (contest, state) = known.contests.get_mut(&item)?;
            let expected = match (known.is_annulled, *state) {
                (true, _) => Err("inspection_annulled"),
                (false, Contest::Filed) => Ok(()),
                (false, _) => Err("inspection_contest_decided"),
            };
            let right = match item {
                1 => json!({"value": ends.to_string(), "sample_area_m2": "1000"}),
                _ => json!({"value": "29"}),
            };
            let corrected = if act == Act::Uphold { right } else { Value::Null };
            let reply = works.decides(&office.approver, contest, corrected);
            if expected.is_ok() {
                *state = if act == Act::Uphold {
                    Contest::Upheld
                } else {
                    Contest::Rejected
                };
                if *state == Contest::Upheld && item == 1 {
                    known.ends = ends;
                }
            }
            (reply, expected)
        }
    })
}

on_both! { in "test";
    fn sequences_of_inspections_and_contests_go_as_the_model_says_and_refusals_leave_no_trace(ward) {
        let (case, contract) = contract(&ward);
        let works = Works { ward: &ward, case: &case, contract };
        go_to(&ward, "2026-05-04T01:00:00Z");
        let (mut dice, mut model, mut met) = (Dice(2_999), Model::default(), BTreeSet::new());
        for step in 0..STEPS {
            let act = if step % 6 == 0 { Act::Record } else { ALL[dice.roll(ALL.len())] };
            let (at, item) = model.chosen(act, &mut dice);
            let ends = i64::try_from(dice.roll(18)).unwrap();
            let before = traces(&ward);
            let Some((reply, expected)) = plays(&works, &mut model, (act, at, item), ends) else { continue };
            let after = traces(&ward);
            met.insert(format!("{act:?} {}", expected.err().unwrap_or("done")));
            match expected {
                Ok(()) => assert!((200..300).contains(&reply.status) && after != before, "{act:?}: {}", reply.text),
                Err(code) => {
                    assert_eq!(reply.code(), code, "{act:?}: {}", reply.text);
                    assert_eq!(after, before, "{act:?} was refused");
                }
            }
            assert_eq!(works.scores()[0].1, model.mean(), "{act:?}");
        }
        for wanted in WANTED {
            assert!(met.contains(wanted), "{wanted} was never met: {met:#?}");
        }
    }
}

const WANTED: [&str; 11] = [
    "Record done",
    "Contest done",
    "Contest inspection_annulled",
    "Contest inspection_contest_late",
    "Contest inspection_contested_already",
    "Uphold done",
    "Uphold inspection_annulled",
    "Reject done",
    "Reject inspection_contest_decided",
    "Annul done",
    "Annul inspection_annulled",
];
