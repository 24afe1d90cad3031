//! Reckoning a ballot again from its box, and comparing, without believing anything that it says of itself. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::ballots::rules::{ABSTAIN, Unit};
use crate::ballots::rules_derivation::{Derivation, FORMAT, derived};
use crate::ballots::rules_double_tally as double_tally;
use crate::ballots::rules_slips::{Boxed, read_box};
use crate::kernel::refusal::Fault;

/// What a record of this form begins with.
pub const RECORD: &str = "wardbook/ballot-record/v1";
/// Differences that are told at most.
const DIFFERENCES_MAX: usize = 50;

/// The public record of a counted ballot: what `wardbook recompute ballot` reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BallotRecord)]
pub struct Record {
    /// `wardbook/ballot-record/v1`
    #[schema(max_length = 40, example = "wardbook/ballot-record/v1")]
    pub format: String,
    /// What it comes to, and how.
    pub derivation: Derivation,
    /// The box, as text.
    #[serde(rename = "box")]
    #[schema(
        max_length = 100_000_000,
        example = "wardbook/ballot-box/v1\nballot_01jd3n8f5teqkrzvq1c0m6h2ax\n"
    )]
    pub slips: String,
}

/// What the log has of a ballot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logged {
    /// The facts of its call.
    pub called: Option<Value>,
    /// How many voters have voted for the first time.
    pub first_casts: i64,
    /// Votes that were noted after the count.
    pub casts_after: i64,
    /// Votes that were noted before the opening, or not before the close.
    pub casts_outside: i64,
    /// The facts of its count.
    pub closed: Vec<Value>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The steps, each with what it came to.
    pub steps: Vec<String>,
    /// What does not hold; nothing if all of it does.
    pub differences: Vec<String>,
    /// SHA-256 of the derivation as a ward writes it.
    pub sha256: String,
}

/// The steps so far, and what was found.
#[derive(Default)]
struct Report {
    steps: Vec<String>,
    differences: Vec<String>,
}

impl Report {
    fn step(&mut self, text: String) {
        self.steps.push(text);
    }

    fn differs(&mut self, text: String) {
        if self.differences.len() < DIFFERENCES_MAX {
            self.differences.push(text);
        }
    }

    fn same<T: PartialEq + std::fmt::Display>(&mut self, what: &str, said: T, found: T) {
        if said != found {
            self.differs(format!("{what}: it says {said}, and it is {found}"));
        }
    }
}

/// Reads a record.
///
/// # Errors
/// Why it is none.
pub fn read(text: &str) -> Result<Record, String> {
    let record: Record = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if record.format != RECORD || record.derivation.format != FORMAT {
        return Err(format!("it is no {RECORD} with a {FORMAT}"));
    }
    Ok(record)
}

/// Reckons a record again, and compares it with itself and, where it is at hand, with the log.
///
/// # Errors
/// A fault of arithmetic.
pub fn recomputed(record: &Record, logged: Option<&Logged>) -> Result<Verdict, Fault> {
    let said = &record.derivation;
    let mut report = Report::default();
    let sha256 = hex::encode(Sha256::digest(said.written()?));
    let slips = match read_box(&said.ballot_id, &record.slips) {
        Ok(slips) => slips,
        Err(why) => {
            report.differs(why);
            Vec::new()
        }
    };
    of_slips(said, &slips, &mut report);
    of_counts(said, &slips, &mut report);
    let again = derived(said.clone(), &slips)?;
    report.same(
        "the SHA-256 of the box",
        said.box_sha256.as_str(),
        again.box_sha256.as_str(),
    );
    of_areas(said, &again, &mut report);
    of_roll(said, &mut report);
    of_terms(said, &mut report);
    let (before, after) = (as_json(said)?, as_json(&again)?);
    compare("", &before, &after, &mut report);
    let score = again
        .score
        .map_or_else(|| "none".to_owned(), |score| score.to_string());
    report.step(format!(
        "{} of {} have voted, {} reach the quorum; score {score}: {}",
        again.ballots,
        again.electorate,
        again.quorum_ballots,
        again.outcome.name()
    ));
    if let Some(logged) = logged {
        of_log(said, &sha256, logged, &mut report)?;
    }
    Ok(Verdict {
        steps: report.steps,
        differences: report.differences,
        sha256,
    })
}

fn as_json(derivation: &Derivation) -> Result<Value, Fault> {
    serde_json::to_value(derivation).map_err(|error| Fault::caused("write the result of a ballot", error))
}

/// Every slip hashes to what it says, is sorted, and answers a question of the ballot.
fn of_slips(said: &Derivation, slips: &[Boxed], report: &mut Report) {
    let mut last = None;
    for (one, number) in slips.iter().zip(1_usize..) {
        let name = hex::encode(one.hash);
        if one.slip.hash(&said.ballot_id) != one.hash {
            report.differs(format!("slip {number} ({name}) does not hash to its name"));
        }
        if last.is_some_and(|last| last >= one.hash) {
            report.differs(format!(
                "slip {number} ({name}) is not in its place, or there twice"
            ));
        }
        last = Some(one.hash);
        let is_asked = said
            .questions
            .iter()
            .any(|question| question.code == one.slip.question);
        let is_choice = said.scale.iter().any(|choice| choice.code == one.slip.choice);
        if !is_asked || !(is_choice || (said.may_abstain && one.slip.choice == ABSTAIN)) {
            report.differs(format!("slip {number} ({name}) answers nothing that was asked"));
        }
        if one
            .community
            .as_ref()
            .is_some_and(|id| !said.communities.contains(id))
        {
            report.differs(format!("slip {number} ({name}) is of another community"));
        }
    }
    report.step(format!("{} slips hash to their names", slips.len()));
}

/// Every question has a slip of each ballot, and there are as many ballots as people have voted.
fn of_counts(said: &Derivation, slips: &[Boxed], report: &mut Report) {
    let mut by_question: BTreeMap<&str, i64> = BTreeMap::new();
    for one in slips {
        let count = by_question.entry(one.slip.question.as_str()).or_default();
        *count = count.saturating_add(1);
    }
    for question in &said.questions {
        let found = by_question
            .get(question.code.as_str())
            .copied()
            .unwrap_or_default();
        let what = format!("slips for the question {}", question.code);
        report.same(&what, said.participations, found);
    }
    if said.participations > said.electorate {
        report.differs(format!(
            "{} have voted of {}",
            said.participations, said.electorate
        ));
    }
    report.step(format!(
        "{} voters have voted, each with a slip for each question",
        said.participations
    ));
}

/// The roll at the count is the one that was frozen.
fn of_roll(said: &Derivation, report: &mut Report) {
    if let Some(counted) = said
        .roll_counted_sha256
        .as_ref()
        .filter(|one| **one != said.roll_sha256)
    {
        let called = &said.roll_sha256;
        report.differs(format!(
            "the roll has changed: its SHA-256 was {called} when it was frozen, and {counted} when the votes were counted"
        ));
    }
    if said.unvouched > 0 {
        report.differs(format!(
            "the roll has changed: {} entries are not those that were frozen",
            said.unvouched
        ));
    }
}

/// The terms at the count are those of the call.
fn of_terms(said: &Derivation, report: &mut Report) {
    if !said.terms_changed.is_empty() {
        let changed = said.terms_changed.join(", ");
        report.differs(format!("the terms have changed since the call: {changed}"));
    }
}

/// Sums of areas cannot be reckoned from the box; that they can be, and tell of nobody, is looked at.
fn of_areas(said: &Derivation, again: &Derivation, report: &mut Report) {
    let Some(double) = &again.double_tally else { return };
    if said.unit != Unit::Households {
        report.differs("areas are tallied, and the votes are not those of households".to_owned());
    }
    for objection in double_tally::objections(double, again.electorate, again.ballots, again.cell_ballots_min)
    {
        report.differs(objection);
    }
    let shown = |area: Option<double_tally::Area>| {
        area.map_or_else(|| "not published".to_owned(), |area| format!("{area} m²"))
    };
    report.step(format!(
        "by area: {} of {} m² take part, as the ward states it",
        shown(double.participating_area_m2),
        double.terms.area_m2
    ));
    for one in &double.questions {
        report.step(format!(
            "{}: {} of {} heads approve, and {} by area: {}",
            one.question,
            one.approving_heads,
            double.participating_heads,
            shown(one.approving_area_m2),
            if one.is_approved {
                "approved"
            } else {
                "not approved"
            }
        ));
    }
}

/// Where two values differ, by JSON pointer.
fn compare(pointer: &str, said: &Value, found: &Value, report: &mut Report) {
    match (said, found) {
        (Value::Object(one), Value::Object(other)) => {
            for (name, value) in one {
                compare(
                    &format!("{pointer}/{name}"),
                    value,
                    other.get(name).unwrap_or(&Value::Null),
                    report,
                );
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (place, (value, found)) in one.iter().zip(other).enumerate() {
                compare(&format!("{pointer}/{place}"), value, found, report);
            }
        }
        (one, other) if one != other => {
            report.differs(format!("{pointer}: it says {one}, and {other} follows"))
        }
        _ => {}
    }
}

/// What the log says of the same ballot.
fn of_log(said: &Derivation, sha256: &str, logged: &Logged, report: &mut Report) -> Result<(), Fault> {
    let terms = terms_sha256(&said.terms())?;
    match &logged.called {
        None => report.differs("the log has no call of this ballot".to_owned()),
        Some(called) => {
            let expected = [
                ("kind", Value::from(said.kind.name())),
                ("matter_id", Value::from(said.matter_id.as_str())),
                ("matter_number", Value::from(said.matter_number)),
                ("opens_at", Value::from(said.opens_at.as_str())),
                ("closes_at", Value::from(said.closes_at.as_str())),
                ("electorate", Value::from(said.electorate)),
                ("roll_sha256", Value::from(said.roll_sha256.as_str())),
                ("terms_sha256", Value::from(terms)),
            ];
            told("call", called, &expected, report);
            of_roll_called(said, called, report);
        }
    }
    report.same("first votes in the log", said.participations, logged.first_casts);
    if logged.casts_after > 0 {
        report.differs(format!("{} votes were noted after the count", logged.casts_after));
    }
    if logged.casts_outside > 0 {
        report.differs(format!(
            "{} votes were noted when none are taken",
            logged.casts_outside
        ));
    }
    if logged.closed.len() != 1 {
        report.differs(format!(
            "the log has {} counts of this ballot instead of one",
            logged.closed.len()
        ));
    }
    for closed in &logged.closed {
        let expected = [
            ("sha256", Value::from(sha256)),
            ("box_sha256", Value::from(said.box_sha256.as_str())),
            ("roll_sha256", Value::from(said.roll_sha256.as_str())),
            ("electorate", Value::from(said.electorate)),
            ("participations", Value::from(said.participations)),
            ("ballots", Value::from(said.ballots)),
        ];
        let found = [
            (
                "roll_counted_sha256",
                Value::from(said.roll_counted_sha256.clone()),
            ),
            ("unvouched", Value::from(said.unvouched)),
        ];
        if said.roll_counted_sha256.is_some() {
            told("count", closed, &found, report);
        }
        told("count", closed, &expected, report);
        if !said.terms_changed.is_empty() {
            let changed = [("terms_changed", Value::from(said.terms_changed.clone()))];
            told("count", closed, &changed, report);
        }
    }
    report.step("compared with the log".to_owned());
    Ok(())
}

/// The roll at the count is the one in the log, whatever the record says of the one that was frozen.
fn of_roll_called(said: &Derivation, called: &Value, report: &mut Report) {
    let logged = called.get("roll_sha256").and_then(Value::as_str);
    let counted = said.roll_counted_sha256.as_deref();
    if counted.is_some() && counted != logged {
        report.differs("the roll at the count is not the one that the log's call has".to_owned());
    }
}

fn told(what: &str, data: &Value, expected: &[(&str, Value)], report: &mut Report) {
    for (name, value) in expected {
        let found = data.get(*name).unwrap_or(&Value::Null);
        if found != value {
            report.differs(format!("{name}: it says {value}, and the log's {what} {found}"));
        }
    }
}

/// SHA-256 of terms as they are stored, in hexadecimal.
///
/// # Errors
/// A fault if they cannot be written, which a test would have shown.
pub fn terms_sha256(terms: &crate::ballots::rules::Terms) -> Result<String, Fault> {
    let text =
        serde_json::to_string(terms).map_err(|error| Fault::caused("write the terms of a ballot", error))?;
    Ok(hex::encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ballots::rules::tests::terms;
    use crate::ballots::rules_derivation::tests::{ballot, boxed};
    use crate::ballots::rules_derivation::{Outcome, derive};
    use crate::ballots::rules_double_tally::tests::{come, doubled};
    use crate::ballots::rules_double_tally::{Area, Double};
    use crate::ballots::rules_electorate::RollFound;
    use crate::ballots::rules_slips::{Slip, box_text};
    use serde_json::json;

    fn record() -> Record {
        let ballot = ballot(terms(), 40);
        let slips = boxed(
            &ballot,
            &[("overall", "very_satisfied", 9), ("overall", "fair", 3)],
        );
        Record {
            format: RECORD.to_owned(),
            derivation: derive(&ballot, &RollFound::unchanged(&ballot, 12), &slips, None).unwrap(),
            slips: box_text(&ballot.id, &slips),
        }
    }

    fn logged(record: &Record) -> Logged {
        let said = &record.derivation;
        Logged {
            called: Some(json!({
                "kind": "rating", "matter_id": said.matter_id, "matter_number": 1, "opens_at": said.opens_at, "closes_at": said.closes_at,
                "electorate": said.electorate, "roll_sha256": said.roll_sha256, "terms_sha256": terms_sha256(&said.terms()).unwrap()
            })),
            first_casts: 12,
            casts_after: 0,
            casts_outside: 0,
            closed: vec![json!({
                "sha256": hex::encode(Sha256::digest(said.written().unwrap())), "box_sha256": said.box_sha256, "roll_sha256": said.roll_sha256,
                "electorate": said.electorate, "participations": 12, "ballots": 12,
                "roll_counted_sha256": said.roll_counted_sha256, "unvouched": said.unvouched
            })],
        }
    }

    fn found(record: &Record, logged: Option<&Logged>) -> Vec<String> {
        recomputed(record, logged).unwrap().differences
    }

    #[test]
    fn an_honest_record_holds_by_itself_and_against_the_log() {
        let record = record();
        assert_eq!(found(&record, None), Vec::<String>::new());
        assert_eq!(found(&record, Some(&logged(&record))), Vec::<String>::new());
        let text = serde_json::to_string_pretty(&record).unwrap();
        assert_eq!(read(&text).unwrap(), record);
        assert!(read(&text.replace("ballot-record/v1", "ballot-record/v2")).is_err() && read("{}").is_err());
    }

    #[test]
    fn whatever_is_changed_is_noticed() {
        let honest = record();
        let changed = |change: &dyn Fn(&mut Record)| {
            let mut record = honest.clone();
            change(&mut record);
            found(&record, None)
        };
        let without_last = |text: &str| {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.pop();
            lines.join("\n") + "\n"
        };
        let tampered: [&dyn Fn(&mut Record); 9] = [
            // Removed, changed, doubled.
            &|record| record.slips = without_last(&record.slips),
            &|record| record.slips = record.slips.replacen(" fair ", " satisfied ", 1),
            &|record| {
                let last = record.slips.lines().last().unwrap().to_owned();
                record.slips.push_str(&format!("{last}\n"));
            },
            &|record| record.slips.push_str("x\n"),
            // What does not follow.
            &|record| record.derivation.score = Some("99".parse().unwrap()),
            &|record| record.derivation.participations = 11,
            &|record| record.derivation.cells[0].ballots = 13,
            &|record| record.derivation.electorate = 11,
            &|record| record.derivation.outcome = Outcome::NonBinding,
        ];
        for (place, change) in tampered.into_iter().enumerate() {
            assert!(!changed(change).is_empty(), "{place}");
        }
    }

    #[test]
    fn a_roll_that_has_changed_binds_nobody_and_is_told() {
        let ballot = ballot(terms(), 40);
        let slips = boxed(
            &ballot,
            &[("overall", "very_satisfied", 9), ("overall", "fair", 3)],
        );
        let honest = RollFound::unchanged(&ballot, 12);
        let of = |found: RollFound| Record {
            format: RECORD.to_owned(),
            derivation: derive(&ballot, &found, &slips, None).unwrap(),
            slips: box_text(&ballot.id, &slips),
        };
        assert_eq!(of(honest).derivation.outcome, Outcome::Binding);
        let other = RollFound {
            sha256: [8; 32],
            ..honest
        };
        let entry = RollFound {
            unvouched: 1,
            ..honest
        };
        for changed in [other, entry] {
            let record = of(changed);
            assert_eq!(record.derivation.outcome, Outcome::RollChanged);
            let told = found(&record, None);
            assert!(
                told.len() == 1 && told[0].contains("the roll has changed"),
                "{told:?}"
            );
        }
        // Whoever hides it by saying that the roll was another one from the beginning is found out by the log.
        let mut hidden = of(other);
        hidden.derivation.roll_sha256 = hex::encode(other.sha256);
        hidden.derivation = derived(hidden.derivation, &slips).unwrap();
        assert_eq!(found(&hidden, None), Vec::<String>::new());
        let mut log = logged(&of(honest));
        log.closed = logged(&hidden).closed;
        assert!(!found(&hidden, Some(&log)).is_empty());
        // A few of whom nothing is told stay untold.
        let few = boxed(&ballot, &[("overall", "fair", 9)]);
        assert_eq!(
            derive(&ballot, &other, &few, None).unwrap().outcome,
            Outcome::Withheld
        );
    }

    /// A ballot that was counted under other terms than it was called with binds nobody; whoever hides that is found out by the log.
    #[test]
    fn terms_that_have_changed_bind_nobody_and_are_told() {
        let ballot = ballot(terms(), 20);
        let slips = boxed(&ballot, &[("overall", "fair", 12)]);
        let honest = Record {
            format: RECORD.to_owned(),
            derivation: derive(&ballot, &RollFound::unchanged(&ballot, 12), &slips, None).unwrap(),
            slips: box_text(&ballot.id, &slips),
        };
        let mut changed = honest.clone();
        changed.derivation.quorum_percent = 1;
        changed.derivation.terms_changed = vec!["closes_at".to_owned(), "terms_sha256".to_owned()];
        changed.derivation = derived(changed.derivation, &slips).unwrap();
        assert_eq!(changed.derivation.outcome, Outcome::TermsChanged);
        let told = found(&changed, None);
        assert!(
            told.len() == 1 && told[0].contains("closes_at, terms_sha256"),
            "{told:?}"
        );
        let mut log = logged(&honest);
        let mut hidden = changed.clone();
        hidden.derivation.terms_changed.clear();
        hidden.derivation = derived(hidden.derivation, &slips).unwrap();
        assert_eq!(found(&hidden, None), Vec::<String>::new());
        log.closed = logged(&hidden).closed;
        assert!(
            found(&hidden, Some(&log))
                .iter()
                .any(|one| one.contains("terms_sha256"))
        );
        // The score is told, and of few nothing.
        assert_eq!(changed.derivation.score, honest.derivation.score);
        let few = boxed(&ballot, &[("overall", "fair", 9)]);
        assert_eq!(
            derived(changed.derivation, &few).unwrap().outcome,
            Outcome::Withheld
        );
    }

    /// Sums of areas are the ward's word; what cannot be, and what should not be told, is noticed all the same.
    #[test]
    fn areas_that_do_not_follow_or_tell_of_few_are_noticed() {
        let derivation = come(&doubled(), 60, (24, 10_000), (16, 9_000));
        let ballot = ballot(doubled(), 60);
        let slips = boxed(
            &ballot,
            &[("overall", "fair", 24), ("overall", "dissatisfied", 16)],
        );
        let honest = Record {
            format: RECORD.to_owned(),
            slips: box_text(&ballot.id, &slips),
            derivation,
        };
        assert_eq!(found(&honest, None), Vec::<String>::new());
        let steps = recomputed(&honest, None).unwrap().steps.join("\n");
        assert!(
            steps.contains("3840.00 m² of 6000.00 m²")
                && steps.contains("24 of 40 heads approve, and 2400.00 m²"),
            "{steps}"
        );
        let changed = |change: &dyn Fn(&mut Double)| {
            let mut record = honest.clone();
            change(record.derivation.double_tally.as_mut().unwrap());
            found(&record, None)
        };
        let area = |text: &str| serde_json::from_str::<Area>(&format!("\"{text}\"")).unwrap();
        let tampered: [&dyn Fn(&mut Double); 8] = [
            &|double| double.participating_area_m2 = Some(area("2000.00")),
            &|double| double.participating_area_m2 = Some(area("6000.00")),
            &|double| double.questions[0].approving_area_m2 = Some(area("3840.00")),
            &|double| double.questions[0].approving_area_m2 = Some(area("1000.00")),
            &|double| double.questions[0].approving_area_m2 = Some(area("0.00")),
            &|double| double.questions[0].approving_heads = 25,
            &|double| double.questions[0].is_approved = true,
            &|double| double.by_heads = false,
        ];
        for (place, change) in tampered.into_iter().enumerate() {
            assert!(!changed(change).is_empty(), "{place}");
        }
        // Nine approve, and somebody tells their area.
        let derivation = come(&doubled(), 60, (9, 10_000), (35, 9_000));
        let slips = boxed(
            &ballot,
            &[("overall", "fair", 9), ("overall", "dissatisfied", 35)],
        );
        let mut told = Record {
            slips: box_text(&ballot.id, &slips),
            derivation,
            ..honest.clone()
        };
        assert_eq!(found(&told, None), Vec::<String>::new());
        let double = told.derivation.double_tally.as_mut().unwrap();
        double.questions[0].approving_area_m2 = Some(area("900.00"));
        assert!(found(&told, None)[0].contains("only 9 dwellings"));
    }

    /// Whoever can write the whole record can make one that holds by itself; the log is what they cannot write.
    #[test]
    fn a_record_that_was_made_anew_does_not_agree_with_the_log() {
        let honest = record();
        let log = logged(&honest);
        let ballot = ballot(terms(), 40);
        let mut slips = boxed(
            &ballot,
            &[("overall", "very_satisfied", 9), ("overall", "fair", 3)],
        );
        let slip = Slip {
            question: "overall".to_owned(),
            choice: "very_dissatisfied".to_owned(),
            salt: [9; 32],
        };
        slips.push(Boxed {
            hash: slip.hash(&ballot.id),
            slip,
            community: None,
        });
        slips.sort_by_key(|one| one.hash);
        let stuffed = Record {
            derivation: derive(&ballot, &RollFound::unchanged(&ballot, 13), &slips, None).unwrap(),
            slips: box_text(&ballot.id, &slips),
            ..honest.clone()
        };
        assert_eq!(found(&stuffed, None), Vec::<String>::new());
        assert!(
            found(&stuffed, Some(&log))
                .iter()
                .any(|one| one.starts_with("first votes in the log"))
        );
        for (electorate, roll) in [(41, [7; 32]), (40, [8; 32])] {
            let mut ballot = ballot.clone();
            (ballot.electorate, ballot.roll_sha256) = (electorate, roll);
            let slips = boxed(
                &ballot,
                &[("overall", "very_satisfied", 9), ("overall", "fair", 3)],
            );
            let other = Record {
                derivation: derive(&ballot, &RollFound::unchanged(&ballot, 12), &slips, None).unwrap(),
                ..honest.clone()
            };
            assert!(found(&other, None).is_empty() && !found(&other, Some(&log)).is_empty());
        }
        let late = Logged {
            casts_after: 1,
            ..log.clone()
        };
        assert_eq!(
            found(&honest, Some(&late)),
            ["1 votes were noted after the count"]
        );
        assert_eq!(
            found(
                &honest,
                Some(&Logged {
                    closed: Vec::new(),
                    ..log
                })
            ),
            ["the log has 0 counts of this ballot instead of one"]
        );
    }
}
