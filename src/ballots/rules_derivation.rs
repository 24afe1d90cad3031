//! What a ballot comes to, and how: the terms, the roll, the box, the tally, the score, and whether it binds. The server derives it once, when it counts;
//! whoever has the box derives it again and compares. Pure.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::ballots::rules::{ABSTAIN, Ballot, BallotId, Choice, Kind, Question, Terms, Unit, quorum_ballots};
use crate::ballots::rules_double_tally::{self as double, Double};
use crate::ballots::rules_electorate::RollFound;
pub use crate::ballots::rules_outcome::Outcome;
use crate::ballots::rules_slips::{Boxed, box_text};
use crate::kernel::clock::rfc3339;
use crate::kernel::fixed::Rounding;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::Fault;
use crate::kernel::score::Score;

/// What a derivation of this form begins with.
pub const FORMAT: &str = "wardbook/ballot/v1";
/// Places of a mean, and of a score.
const PLACES: u32 = 2;

/// How often a choice was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BallotCount)]
pub struct Count {
    /// The code of the choice, or `abstain`.
    #[schema(max_length = 20)]
    pub choice: String,
    /// How often.
    #[schema(minimum = 0, maximum = 100_000)]
    pub count: u32,
}

/// How a question was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BallotQuestionTally)]
pub struct QuestionTally {
    /// The code of the question.
    #[schema(max_length = 20)]
    pub question: String,
    /// By choice, in the order of the scale, and abstentions last.
    #[schema(max_items = 11)]
    pub counts: Vec<Count>,
    /// The mean of the answers, half up to two places; `null` if there is none.
    #[schema(required = true)]
    pub mean: Option<Score>,
}

/// A cell: all ballots, or those of one community.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BallotCell)]
pub struct Cell {
    /// The community; `null` for all of them.
    #[schema(required = true)]
    pub community_id: Option<AreaId>,
    /// How many have voted.
    #[schema(minimum = 0, maximum = 100_000)]
    pub ballots: u32,
    /// Question by question.
    #[schema(max_items = 10)]
    pub questions: Vec<QuestionTally>,
    /// The exact means of the questions, weighted, half up to two places; `null` if nothing was answered.
    #[schema(required = true)]
    pub score: Option<Score>,
}

/// What a ballot comes to, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BallotDerivation, example = json!({
    "format": "wardbook/ballot/v1", "ballot_id": "ballot_01jd3n8f5teqkrzvq1c0m6h2ax", "kind": "rating", "matter_id": "contract_01jd3n8f5teqkrzvq1c0m6h2ax",
    "matter_number": 1, "opens_at": "2026-06-01T00:00:00.000000Z", "closes_at": "2026-06-08T00:00:00.000000Z", "unit": "residents",
    "communities": ["area_01jd3n8f5teqkrzvq1c0m6h2ax"], "electorate": 600, "roll_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "questions": [{"code": "overall", "text_zh": "总体而言，您对本期的服务是否满意？", "text_en": "All in all, how satisfied are you with the service of this period?", "weight": 1}],
    "scale": [{"code": "satisfied", "name_zh": "满意", "name_en": "Satisfied", "value": "80"}, {"code": "fair", "name_zh": "一般", "name_en": "Fair", "value": "60"}],
    "may_abstain": true, "quorum_percent": 30, "quorum_ballots": 180, "cell_ballots_min": 10, "participations": 200, "ballots": 200,
    "box_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "cells": [{"community_id": null, "ballots": 200, "score": "75.00", "questions": [{"question": "overall", "mean": "75.00",
        "counts": [{"choice": "satisfied", "count": 150}, {"choice": "fair", "count": 50}, {"choice": "abstain", "count": 0}]}]}],
    "outcome": "binding", "score": "75.00"
}))]
pub struct Derivation {
    /// `wardbook/ballot/v1`
    #[schema(max_length = 40)]
    pub format: String,
    /// The ballot.
    pub ballot_id: BallotId,
    /// What it is about.
    pub kind: Kind,
    /// The id of that.
    #[schema(max_length = 60)]
    pub matter_id: String,
    /// Which part of it.
    #[schema(minimum = 1)]
    pub matter_number: i64,
    /// From when on votes were taken, UTC.
    #[schema(max_length = 40)]
    pub opens_at: String,
    /// Until when, UTC.
    #[schema(max_length = 40)]
    pub closes_at: String,
    /// Who had a vote.
    pub unit: Unit,
    /// The communities that took part.
    #[schema(max_items = 500)]
    pub communities: Vec<AreaId>,
    /// How many had a vote.
    #[schema(minimum = 10, maximum = 100_000)]
    pub electorate: i64,
    /// SHA-256 of the roll, as it was when it was frozen.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub roll_sha256: String,
    /// SHA-256 of the roll as it was found at the count: another one, if somebody has changed it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[0-9a-f]{64}$")]
    pub roll_counted_sha256: Option<String>,
    /// Entries of the roll at the count that were not put there, or not so, when it was frozen, by the ballot's key. They count for nothing.
    #[serde(default, skip_serializing_if = "Zero::is_zero")]
    #[schema(maximum = 100_000)]
    pub unvouched: u32,
    /// What at the count was not as the log has it of the call, by the names that it has there: somebody has changed it since. `call` if the log has no call, or several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 7, example = json!(["closes_at"]))]
    pub terms_changed: Vec<String>,
    /// The questions.
    #[schema(max_items = 10)]
    pub questions: Vec<Question>,
    /// The scale.
    #[schema(max_items = 10)]
    pub scale: Vec<Choice>,
    /// Whether a question may be left without an answer.
    pub may_abstain: bool,
    /// The part of the voters who have to vote, in percent.
    #[schema(minimum = 1, maximum = 100)]
    pub quorum_percent: u32,
    /// How many ballots that is.
    #[schema(minimum = 1, maximum = 100_000)]
    pub quorum_ballots: i64,
    /// Ballots in a cell of which anything is published, at least.
    #[schema(minimum = 10)]
    pub cell_ballots_min: u32,
    /// How many have voted, as the roll has it, and as the log has first casts.
    #[schema(minimum = 0, maximum = 100_000)]
    pub participations: i64,
    /// How many ballots were in the box.
    #[schema(minimum = 0, maximum = 100_000)]
    pub ballots: u32,
    /// SHA-256 of the box.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub box_sha256: String,
    /// All ballots, and then each community that is published.
    #[schema(max_items = 501)]
    pub cells: Vec<Cell>,
    /// Of an appraisal: drawn by chance, so that nobody tries out which tally has the hash in the log while it is held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[0-9a-f]{64}$")]
    pub blind: Option<String>,
    /// What it comes to by area and by heads, where that was called for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub double_tally: Option<Double>,
    /// What comes of it.
    pub outcome: Outcome,
    /// The score; `null` if nothing was answered, or nothing is published.
    #[schema(required = true)]
    pub score: Option<Score>,
}

impl Derivation {
    /// Whether the roll was another one at the count than when it was frozen.
    pub fn is_roll_changed(&self) -> bool {
        let is_other = |counted: &String| *counted != self.roll_sha256;
        self.unvouched > 0 || self.roll_counted_sha256.as_ref().is_some_and(is_other)
    }

    /// The terms under which it was called.
    pub fn terms(&self) -> Terms {
        Terms {
            unit: self.unit,
            communities: self.communities.clone(),
            questions: self.questions.clone(),
            scale: self.scale.clone(),
            may_abstain: self.may_abstain,
            quorum_percent: self.quorum_percent,
            cell_ballots_min: self.cell_ballots_min,
            double_tally: self.double_tally.as_ref().map(|double| double.terms.clone()),
        }
    }

    /// The bytes that are stored and hashed.
    ///
    /// # Errors
    /// A fault if it cannot be written, which a test would have shown.
    pub fn written(&self) -> Result<String, Fault> {
        serde_json::to_string(self).map_err(|error| Fault::caused("write the result of a ballot", error))
    }
}

/// The derivation of a ballot from what was found of its roll, from its box, which is sorted by hash, and from what is known of areas.
///
/// # Errors
/// A fault of arithmetic.
pub fn derive(
    ballot: &Ballot,
    roll: &RollFound,
    slips: &[Boxed],
    double_tally: Option<Double>,
) -> Result<Derivation, Fault> {
    let stated = Derivation {
        format: FORMAT.to_owned(),
        ballot_id: ballot.id.clone(),
        kind: ballot.kind,
        matter_id: ballot.matter_id.clone(),
        matter_number: ballot.matter_number,
        opens_at: rfc3339(ballot.opens_at),
        closes_at: rfc3339(ballot.closes_at),
        unit: ballot.terms.unit,
        communities: ballot.terms.communities.clone(),
        electorate: ballot.electorate,
        roll_sha256: hex::encode(ballot.roll_sha256),
        roll_counted_sha256: Some(hex::encode(roll.sha256)),
        unvouched: roll.unvouched,
        terms_changed: Vec::new(),
        questions: ballot.terms.questions.clone(),
        scale: ballot.terms.scale.clone(),
        may_abstain: ballot.terms.may_abstain,
        quorum_percent: ballot.terms.quorum_percent,
        quorum_ballots: 0,
        cell_ballots_min: ballot.terms.cell_ballots_min,
        participations: roll.participations,
        ballots: 0,
        box_sha256: String::new(),
        cells: Vec::new(),
        blind: None,
        double_tally,
        outcome: Outcome::Withheld,
        score: None,
    };
    derived(stated, slips)
}

/// What follows from what a derivation states, and from a box.
///
/// # Errors
/// A fault of arithmetic.
pub fn derived(stated: Derivation, slips: &[Boxed]) -> Result<Derivation, Fault> {
    let terms = stated.terms();
    let all: Vec<&Boxed> = slips.iter().collect();
    let whole = cell(&terms, None, &all)?;
    let quorum_ballots = quorum_ballots(stated.electorate, stated.quorum_percent)?;
    let (ballots, score) = (whole.ballots, whole.score);
    let is_published = ballots >= stated.cell_ballots_min;
    let double_tally = stated
        .double_tally
        .as_ref()
        .map(|said| double::derived(said, &terms, stated.electorate, &whole, is_published));
    let is_quorate =
        i64::from(ballots) >= quorum_ballots && double_tally.as_ref().is_none_or(Double::is_quorate);
    let outcome = match (is_published, score) {
        (false, _) => Outcome::Withheld,
        (true, _) if stated.is_roll_changed() => Outcome::RollChanged,
        (true, _) if !stated.terms_changed.is_empty() => Outcome::TermsChanged,
        (true, Some(_)) if is_quorate => Outcome::Binding,
        (true, _) => Outcome::NonBinding,
    };
    let mut cells = Vec::new();
    if is_published {
        cells.push(whole);
        for community in &stated.communities {
            let own: Vec<&Boxed> = slips
                .iter()
                .filter(|one| one.community.as_ref() == Some(community))
                .collect();
            if !own.is_empty() {
                cells.push(cell(&terms, Some(community), &own)?);
            }
        }
    }
    Ok(Derivation {
        quorum_ballots,
        ballots,
        box_sha256: hex::encode(Sha256::digest(box_text(&stated.ballot_id, slips))),
        cells,
        double_tally,
        outcome,
        score: score.filter(|_| is_published),
        ..stated
    })
}

fn cell(terms: &Terms, community: Option<&AreaId>, slips: &[&Boxed]) -> Result<Cell, Fault> {
    let mut questions = Vec::new();
    let mut ballots = 0;
    for question in &terms.questions {
        let own = || slips.iter().filter(|one| one.slip.question == question.code);
        let choices = terms.scale.iter().map(|choice| choice.code.as_str());
        let counted = |choice: &str| {
            let count = own().filter(|one| one.slip.choice == choice).count();
            u32::try_from(count).map_err(|error| Fault::caused("count slips", error))
        };
        let mut counts = Vec::new();
        for choice in choices.chain([ABSTAIN]) {
            counts.push(Count {
                choice: choice.to_owned(),
                count: counted(choice)?,
            });
        }
        let of_question =
            u32::try_from(own().count()).map_err(|error| Fault::caused("count slips", error))?;
        ballots = of_question.max(ballots);
        questions.push(QuestionTally {
            question: question.code.clone(),
            mean: mean(&points(terms, &counts))?,
            counts,
        });
    }
    Ok(Cell {
        community_id: community.cloned(),
        ballots,
        score: score(terms, &questions)?,
        questions,
    })
}

/// Points and how often they were given.
fn points(terms: &Terms, counts: &[Count]) -> Vec<(Score, u32)> {
    let of = |choice: &Choice| {
        let found = counts.iter().find(|one| one.choice == choice.code);
        (choice.value, found.map_or(0, |one| one.count))
    };
    terms.scale.iter().map(of).collect()
}

fn mean(points: &[(Score, u32)]) -> Result<Option<Score>, Fault> {
    if points.iter().all(|(_, count)| *count == 0) {
        return Ok(None);
    }
    let mean = Score::mean(points, PLACES, Rounding::HalfUp);
    Ok(Some(mean.map_err(|error| {
        Fault::caused("the mean of a question", error)
    })?))
}

/// Σ weight × mean ÷ Σ weight over the questions that were answered, exact until it is rounded once.
fn score(terms: &Terms, tallies: &[QuestionTally]) -> Result<Option<Score>, Fault> {
    let mut above = BigRational::zero();
    let mut below = BigInt::zero();
    for (question, tally) in terms.questions.iter().zip(tallies) {
        let points = points(terms, &tally.counts);
        let answers: BigInt = points.iter().map(|(_, count)| BigInt::from(*count)).sum();
        if answers.is_zero() {
            continue;
        }
        let mut sum = BigRational::zero();
        for (value, count) in points {
            let decimal = value.points();
            let unit = BigInt::from(10).pow(decimal.scale());
            sum += BigRational::new(BigInt::from(decimal.mantissa()) * BigInt::from(count), unit);
        }
        above += sum * BigRational::new(BigInt::from(question.weight), answers);
        below += BigInt::from(question.weight);
    }
    if below.is_zero() {
        return Ok(None);
    }
    let exact = above / BigRational::from_integer(below);
    let half = BigRational::new(BigInt::from(1), BigInt::from(2));
    let hundredths = (exact * BigRational::from_integer(BigInt::from(100)) + half).floor();
    let failed = || Fault::broken("the score of a ballot");
    let hundredths = hundredths.to_integer().to_i64().ok_or_else(failed)?;
    let score = Score::new(Decimal::new(hundredths, PLACES));
    Ok(Some(score.map_err(|error| {
        Fault::caused("the score of a ballot", error)
    })?))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ballots::rules::tests::{at, terms};
    use crate::ballots::rules_questions::usual_question;
    use crate::ballots::rules_slips::Slip;
    use crate::kernel::party::OrganisationId;

    pub fn ballot(terms: Terms, electorate: i64) -> Ballot {
        Ballot {
            id: "ballot_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            kind: Kind::Rating,
            matter_id: "contract_01jd3n8f5teqkrzvq1c0m6h2ax".to_owned(),
            matter_number: 1,
            organisation_id: OrganisationId::mint(at(1, 0)),
            title_zh: "甲".to_owned(),
            title_en: "A".to_owned(),
            terms,
            opens_at: at(2, 0),
            closes_at: at(9, 0),
            electorate,
            roll_sha256: [7; 32],
            sealed_key: None,
            called_at: at(1, 0),
            withdrawn_at: None,
            counted_at: None,
        }
    }

    pub fn boxed(ballot: &Ballot, votes: &[(&str, &str, usize)]) -> Vec<Boxed> {
        let mut slips = Vec::new();
        let mut salt = 0_u64;
        for (question, choice, many) in votes {
            for _ in 0..*many {
                salt += 1;
                let mut bytes = [0; 32];
                bytes[..8].copy_from_slice(&salt.to_be_bytes());
                let slip = Slip {
                    question: (*question).to_owned(),
                    choice: (*choice).to_owned(),
                    salt: bytes,
                };
                slips.push(Boxed {
                    hash: slip.hash(&ballot.id),
                    slip,
                    community: None,
                });
            }
        }
        slips.sort_by_key(|one| one.hash);
        slips
    }

    const E4: [(&str, &str, usize); 5] = [
        ("overall", "very_satisfied", 120),
        ("overall", "satisfied", 50),
        ("overall", "fair", 20),
        ("overall", "dissatisfied", 8),
        ("overall", "very_dissatisfied", 2),
    ];

    #[test]
    fn e4_two_hundred_ballots_score_87_6() {
        let ballot = ballot(terms(), 600);
        let derivation = derive(
            &ballot,
            &RollFound::unchanged(&ballot, 200),
            &boxed(&ballot, &E4),
            None,
        )
        .unwrap();
        assert_eq!(
            (derivation.score.unwrap().to_string(), derivation.outcome),
            ("87.60".to_owned(), Outcome::Binding)
        );
        assert_eq!(
            (
                derivation.ballots,
                derivation.quorum_ballots,
                derivation.cells.len()
            ),
            (200, 180, 1)
        );
        let below = Derivation {
            electorate: 667,
            ..derivation
        };
        let below = derived(below, &boxed(&ballot, &E4)).unwrap();
        assert_eq!(
            (
                below.outcome,
                below.quorum_ballots,
                below.score.unwrap().to_string()
            ),
            (Outcome::NonBinding, 201, "87.60".to_owned())
        );
    }

    #[test]
    fn questions_are_weighted_and_those_without_an_answer_are_left_out() {
        let mut terms = terms();
        let question = |code: &str, weight| crate::ballots::rules::Question {
            code: code.to_owned(),
            weight,
            ..usual_question()
        };
        terms.questions = vec![question("a", 2), question("b", 1), question("c", 5)];
        let ballot = ballot(terms, 30);
        // 280/3 and 60: (2 × 280/3 + 60) ÷ 3 = 82.222…; rounded in between it would be 82.22 too, and c counts for nothing.
        let votes = [
            ("a", "very_satisfied", 8),
            ("a", "satisfied", 4),
            ("b", "fair", 10),
            ("b", "abstain", 2),
            ("c", "abstain", 12),
        ];
        let derivation = derive(
            &ballot,
            &RollFound::unchanged(&ballot, 12),
            &boxed(&ballot, &votes),
            None,
        )
        .unwrap();
        assert_eq!(derivation.score.unwrap().to_string(), "82.22");
        let means: Vec<Option<String>> = derivation.cells[0]
            .questions
            .iter()
            .map(|one| one.mean.map(|mean| mean.to_string()))
            .collect();
        assert_eq!(means, [Some("93.33".to_owned()), Some("60.00".to_owned()), None]);
        let silent = derive(
            &ballot,
            &RollFound::unchanged(&ballot, 12),
            &boxed(
                &ballot,
                &[("a", "abstain", 12), ("b", "abstain", 12), ("c", "abstain", 12)],
            ),
            None,
        )
        .unwrap();
        assert_eq!((silent.score, silent.outcome), (None, Outcome::NonBinding));
    }

    #[test]
    fn a_tie_at_the_third_place_goes_up_and_is_rounded_once() {
        let mut terms = terms();
        terms.scale[0].value = "0.01".parse().unwrap();
        terms.scale[1].value = "0".parse().unwrap();
        let ballot = ballot(terms, 30);
        let half = derive(
            &ballot,
            &RollFound::unchanged(&ballot, 10),
            &boxed(
                &ballot,
                &[("overall", "very_satisfied", 5), ("overall", "satisfied", 5)],
            ),
            None,
        )
        .unwrap();
        assert_eq!(half.score.unwrap().to_string(), "0.01");
    }

    #[test]
    fn of_fewer_than_ten_nothing_is_told() {
        let ballot = ballot(terms(), 12);
        let nine = derive(
            &ballot,
            &RollFound::unchanged(&ballot, 9),
            &boxed(&ballot, &[("overall", "fair", 9)]),
            None,
        )
        .unwrap();
        assert_eq!(
            (nine.outcome, nine.score, nine.cells.len(), nine.ballots),
            (Outcome::Withheld, None, 0, 9)
        );
        let ten = derive(
            &ballot,
            &RollFound::unchanged(&ballot, 10),
            &boxed(&ballot, &[("overall", "fair", 10)]),
            None,
        )
        .unwrap();
        assert_eq!(ten.outcome, Outcome::Binding);
    }
}
