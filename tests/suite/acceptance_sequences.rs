//! Random sequences of hand-overs, drafts, signatures, objections and days that pass against a small model: what the model says is what is answered, what is refused
//! leaves the database as it was, and what whoever pays is told follows from the model.

use std::collections::BTreeSet;

use chrono::{Datelike, Duration, NaiveDate, Weekday};
use serde_json::json;
use wardbook::contracts::acts_acceptance_objections::note_silence;
use wardbook::contracts::rules_acceptance_standing::{How, Standing};

use crate::acceptances::Work;
use crate::award_sequences::Dice;
use crate::awards::go_to;
use crate::faults::block_on;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::outbox::lines;
use crate::publication_checks;
use crate::treasury::made;

/// Acts in all.
const STEPS: usize = 260;
/// Periods that are over, and that are played with.
const PERIODS: usize = 6;
/// Times that a day passes: between 2 November and Christmas no weekday is a holiday.
const DAYS_MAX: usize = 25;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    HandOver,
    Draft,
    Sign,
    Object,
    Uphold,
    Reject,
    Day,
    Note,
}

use Act::{Day, Draft, HandOver, Note, Object, Reject, Sign, Uphold};

const ALL: [Act; 14] = [
    HandOver, HandOver, Draft, Draft, Sign, Sign, Object, Object, Uphold, Uphold, Reject, Reject, Day, Note,
];

/// What is drafted: mostly what leads on.
const CONCLUSIONS: [&str; 4] = ["accepted", "refused", "accepted_with_reservations", "refused"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Objection {
    None,
    Open,
    Rejected,
}

/// The last round of a period as the model knows it.
#[derive(Clone)]
struct Round {
    id: String,
    /// The last day of the time for inspection.
    until: Option<NaiveDate>,
    drafted: Option<&'static str>,
    /// Whether it was handed over since.
    is_overtaken: bool,
    signed: Option<(&'static str, NaiveDate)>,
    objection: Objection,
    is_noted: bool,
}

impl Round {
    fn new(until: Option<NaiveDate>) -> Self {
        Self {
            id: String::new(),
            until,
            drafted: None,
            is_overtaken: false,
            signed: None,
            objection: Objection::None,
            is_noted: false,
        }
    }

    fn state(&self, today: NaiveDate) -> &'static str {
        match (self.signed, self.until) {
            (Some((conclusion, _)), _) => conclusion,
            (None, Some(until)) if today > until => "accepted_by_silence",
            (None, _) => "open",
        }
    }
}

/// So many working days on, where only weekends are none.
fn working(from: NaiveDate, days: usize) -> NaiveDate {
    let is_working = |day: &NaiveDate| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    from.iter_days().skip(1).filter(is_working).nth(days - 1).unwrap()
}

/// What is played on, and what the model knows.
struct Stage<'w> {
    work: Work<'w>,
    rounds: Vec<Option<Round>>,
    days: usize,
}

impl Stage<'_> {
    fn today(&self) -> NaiveDate {
        (self.work.ward.context().clock.now() + Duration::hours(8)).date_naive()
    }

    /// What comes of a hand-over or a draft before its own rules: the open round, or none for a new one.
    fn entry(&self, at: usize) -> Result<Option<Round>, &'static str> {
        let Some(round) = &self.rounds[at] else {
            return Ok(None);
        };
        match round.state(self.today()) {
            "open" => Ok(Some(round.clone())),
            "accepted_by_silence" => Err("acceptance_silent"),
            "refused" if round.objection == Objection::Open => Err("acceptance_objection_open"),
            "refused" => Ok(None),
            _ => Err("acceptance_concluded"),
        }
    }

    /// What a step does to the model, and what is answered.
    fn steps(&mut self, act: Act, at: usize, conclusion: &'static str) -> Result<(), &'static str> {
        let today = self.today();
        let (inspected, objected) = (working(today, 7), working(today, 5));
        let next = match act {
            HandOver => match self.entry(at)? {
                None => Round::new(Some(inspected)),
                Some(open) if open.until.is_some() => return Err("acceptance_handed_over_already"),
                Some(open) => Round {
                    until: Some(inspected),
                    is_overtaken: open.drafted.is_some(),
                    ..open
                },
            },
            Draft => {
                if let Some(Round {
                    signed: Some(("refused", until)),
                    objection: Objection::None,
                    ..
                }) = &self.rounds[at]
                    && today <= *until
                {
                    return Err("acceptance_objection_time");
                }
                let open = self.entry(at)?.unwrap_or_else(|| Round::new(None));
                Round {
                    drafted: Some(conclusion),
                    is_overtaken: false,
                    ..open
                }
            }
            Sign | Object | Uphold | Reject => {
                let round = self.rounds[at].clone().unwrap();
                match (act, round.state(today)) {
                    (Sign, "accepted_by_silence") => return Err("acceptance_silent"),
                    (Sign, "open") => {
                        let drafted = round.drafted.ok_or("acceptance_not_drafted")?;
                        if round.is_overtaken {
                            return Err("acceptance_overtaken");
                        }
                        Round {
                            signed: Some((drafted, objected)),
                            ..round
                        }
                    }
                    (Sign, _) => return Err("acceptance_wrong_state"),
                    (Object, _) => {
                        let (_, until) = round.signed.ok_or("acceptance_wrong_state")?;
                        if round.objection != Objection::None {
                            return Err("acceptance_objected_already");
                        }
                        if today > until {
                            return Err("acceptance_objection_late");
                        }
                        Round {
                            objection: Objection::Open,
                            ..round
                        }
                    }
                    _ if round.objection != Objection::Open => return Err("acceptance_no_objection"),
                    (Uphold, _) => Round::new(Some(inspected)),
                    _ => Round {
                        objection: Objection::Rejected,
                        ..round
                    },
                }
            }
            Day | Note => unreachable!("they are no acts on a period"),
        };
        self.rounds[at] = Some(next);
        Ok(())
    }

    fn does(&self, act: Act, at: usize, conclusion: &str) -> Reply {
        let work = &self.work;
        let (office, period) = (&work.case.office, i64::try_from(at).unwrap() + 1);
        let id = self.rounds[at]
            .as_ref()
            .map(|round| round.id.clone())
            .unwrap_or_default();
        match act {
            HandOver => work.hands_over(work.supplier(), period),
            Draft => work.drafts(&office.officer, period, &work.draft_of(period, conclusion)),
            Sign => work.signs(&office.approver, &id),
            Object => work.objects(work.supplier(), &id),
            Uphold | Reject => work.decides(&work.second, &id, act == Uphold),
            Day | Note => unreachable!("they are no acts on a period"),
        }
    }

    /// Everything that an act could have changed.
    fn traces(&self) -> Vec<String> {
        let queries = [
            "SELECT id || revision || drafts AS line FROM contract_acceptances ORDER BY id",
            "SELECT acceptance_id || number AS line FROM acceptance_drafts ORDER BY acceptance_id, number",
            "SELECT acceptance_id || draft || number AS line FROM acceptance_served_people ORDER BY acceptance_id, draft, number",
            "SELECT matter || duty || person AS line FROM duties ORDER BY matter, duty, person",
            "SELECT 'events ' || COUNT(*) AS line FROM audit_events",
            "SELECT 'mail ' || COUNT(*) AS line FROM outbox",
        ];
        queries
            .iter()
            .flat_map(|query| lines(self.work.ward, query))
            .collect()
    }

    /// The id of the last round of a period, by the list that everybody reads.
    fn last(&self, at: usize) -> String {
        let path = format!(
            "/api/v1/contracts/{}/acceptances?period={}",
            self.work.contract,
            at + 1
        );
        let items = self.work.ward.get(&path).json()["items"]
            .as_array()
            .unwrap()
            .clone();
        items.last().unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// A period as everybody sees it and as whoever pays it is told, beside the model.
    fn compare(&self, at: usize, act: Act) {
        let known = self.work.known(i64::try_from(at).unwrap() + 1);
        let Some(round) = &self.rounds[at] else {
            assert_eq!(known, Standing::NotBegun, "{act:?}");
            return;
        };
        let state = round.state(self.today());
        let shown = self.work.shown(&round.id);
        assert_eq!(shown["state"], state, "{act:?}");
        let until = round.until.map(|day| day.to_string());
        assert_eq!(shown["inspect_until"], json!(until), "{act:?}");
        match (state, known) {
            ("open", Standing::Waiting { silent_at }) => {
                assert_eq!(silent_at.is_some(), round.until.is_some())
            }
            ("refused", Standing::Refused) => {}
            ("accepted_by_silence", Standing::Accepted(accepted)) => {
                assert_eq!(
                    (accepted.how, accepted.undisputed.to_string()),
                    (How::Silence, "100".to_owned())
                );
            }
            ("accepted" | "accepted_with_reservations", Standing::Accepted(accepted)) => {
                let part = if state == "accepted" { "100" } else { "90" };
                assert_eq!(
                    (accepted.how, accepted.undisputed.to_string().as_str()),
                    (How::Certificate, part)
                );
                assert_eq!(accepted.is_objected, round.objection == Objection::Open);
            }
            (state, known) => panic!("{act:?}: {state} {known:?}"),
        }
    }

    /// What silence has accepted is written down once.
    fn notes(&mut self) -> usize {
        let today = self.today();
        let mut count = 0;
        for round in self.rounds.iter_mut().flatten() {
            if round.state(today) == "accepted_by_silence" && !round.is_noted {
                round.is_noted = true;
                count += 1;
            }
        }
        let before = self.work.ward.events("acceptance.silence_noted").len();
        assert!(block_on(self.work.ward.context().db.write(note_silence)).unwrap());
        assert_eq!(
            self.work.ward.events("acceptance.silence_noted").len(),
            before + count
        );
        count
    }
}

fn begun(ward: &Ward) -> Stage<'_> {
    let work = Work::new(ward);
    go_to(ward, "2026-11-02T02:00:00Z");
    Stage {
        work,
        rounds: vec![None; PERIODS],
        days: 0,
    }
}

on_both! { in "test";
    fn sequences_of_acceptances_go_as_the_model_says_and_refusals_leave_no_trace(ward) {
        let mut stage = begun(&ward);
        let (mut dice, mut met) = (Dice(6_102), BTreeSet::new());
        for _ in 0..STEPS {
            let act = ALL[dice.roll(ALL.len())];
            let at = dice.roll(PERIODS);
            let conclusion = CONCLUSIONS[dice.roll(CONCLUSIONS.len())];
            match act {
                Day if stage.days < DAYS_MAX => {
                    stage.days += 1;
                    let clock = &ward.context().clock;
                    clock.advance(clock.now() + Duration::days(1 + i64::try_from(dice.roll(2)).unwrap()));
                    continue;
                }
                Note => {
                    if stage.notes() > 0 {
                        met.insert("Note done".to_owned());
                    }
                    continue;
                }
                Day => continue,
                Sign | Object | Uphold | Reject if stage.rounds[at].is_none() => continue,
                _ => {}
            }
            let before = stage.traces();
            let reply = stage.does(act, at, conclusion);
            let expected = stage.steps(act, at, conclusion);
            met.insert(format!("{act:?} {}", expected.err().unwrap_or("done")));
            let after = stage.traces();
            match expected {
                Ok(()) => {
                    assert!((200..300).contains(&reply.status) && after != before, "{act:?}: {}", reply.text);
                    let id = match act {
                        HandOver | Draft => made(&reply),
                        _ => stage.last(at),
                    };
                    stage.rounds[at].as_mut().unwrap().id = id;
                }
                Err(code) => {
                    assert_eq!(reply.code(), code, "{act:?}: {}", reply.text);
                    assert_eq!(after, before, "{act:?} was refused");
                }
            }
            stage.compare(at, act);
        }
        // Whatever has happened, what is published of it holds.
        publication_checks::holds(&ward);
        // A test of random sequences that meets nothing tests nothing.
        for wanted in WANTED {
            assert!(met.contains(wanted), "{wanted} was never met: {met:#?}");
        }
    }
}

const WANTED: [&str; 23] = [
    "HandOver done",
    "HandOver acceptance_handed_over_already",
    "HandOver acceptance_concluded",
    "HandOver acceptance_silent",
    "HandOver acceptance_objection_open",
    "Draft done",
    "Draft acceptance_objection_time",
    "Draft acceptance_silent",
    "Draft acceptance_concluded",
    "Sign done",
    "Sign acceptance_not_drafted",
    "Sign acceptance_overtaken",
    "Sign acceptance_wrong_state",
    "Sign acceptance_silent",
    "Object done",
    "Object acceptance_wrong_state",
    "Object acceptance_objected_already",
    "Object acceptance_objection_late",
    "Uphold done",
    "Uphold acceptance_no_objection",
    "Reject done",
    "Reject acceptance_no_objection",
    "Note done",
];
