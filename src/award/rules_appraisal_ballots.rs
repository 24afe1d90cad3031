//! What a ballot of the residents gives a lot's bids: a question for each bid that is in, the points that follow from its answers, and when there may be
//! another ballot. It stands in the place of a recorded meeting; a lot's points come from one of them, never from both. Pure.

use crate::award::rules_appraisals::Appraised;
use crate::award::rules_evaluation::{Meeting, Quorum};
use crate::award::rules_scores::Scores;
use crate::ballots::rules::{Choice, QUESTIONS_MAX, Question, Unit};
use crate::ballots::rules_derivation::{Derivation, Outcome, QuestionTally};
use crate::bids::rules::BidId;
use crate::books::rules_documents::{CriterionDocument, RoundingDocument, RoundingStage};
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::fixed::{divide, units_of};
use crate::kernel::refusal::{Fault, Kind, Reason, Refusal};
use crate::kernel::score::{SCORE_PLACES_MAX, Score};
use crate::standards::rules_indicators::Line;
use crate::statutes::value::Share;
use crate::text;

/// Ballots about one lot at most, without those that were taken back.
pub const BALLOTS_MAX: i64 = 5;
/// What a percentage is of.
const HUNDRED: u32 = 100;

/// Residents are asked, or have decided.
pub static APPRAISAL_BY_BALLOT: Reason = Reason::new(
    Kind::Conflict,
    "appraisal_by_ballot",
    "该标段由居民投票评议，不得另行登记会议评议",
    "Residents appraise this lot by a ballot; no meeting is recorded beside it",
);
/// A meeting was recorded.
pub static APPRAISAL_BY_MEETING: Reason = Reason::new(
    Kind::Conflict,
    "appraisal_by_meeting",
    "该标段已登记会议评议，不得另行投票",
    "A meeting's appraisal was recorded for this lot; no ballot is called beside it",
);
/// The ballot is not counted.
pub static APPRAISAL_NOT_COUNTED: Reason = Reason::new(
    Kind::Conflict,
    "appraisal_not_counted",
    "群众评议投票尚未截止并计票",
    "The ballot of the residents has not closed and been counted yet",
);
/// Too few have voted.
pub static APPRAISAL_NOT_BINDING: Reason = Reason::new(
    Kind::Conflict,
    "appraisal_not_binding",
    "群众评议投票未达法定人数，不计入评审；请再次组织投票，或召开居民代表会议并登记结果",
    "Too few have voted for the residents' ballot to count; call another ballot, or hold a meeting of their representatives and record it",
);
/// There were as many ballots as there may be.
pub static APPRAISAL_BALLOTS_TOO_MANY: Reason = Reason::new(
    Kind::Conflict,
    "appraisal_ballots_too_many",
    "该标段的投票次数已达上限，请召开居民代表会议",
    "There were as many ballots about this lot as there may be; hold a meeting of the representatives",
);
/// More bids are in than one ballot can ask about.
pub static APPRAISAL_BIDS_TOO_MANY: Reason = Reason::new(
    Kind::Conflict,
    "appraisal_bids_too_many",
    "有效投标过多，无法在一次投票中逐一评议，请召开居民代表会议",
    "More bids are in than one ballot can ask about; hold a meeting of the representatives",
);
/// The statutes ask for more.
pub static APPRAISAL_QUORUM_TOO_LOW: Reason = Reason::new(
    Kind::Conflict,
    "appraisal_quorum_too_low",
    "所设参与率低于法定人数",
    "The statutes ask for a higher turnout than that",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 7] = [
    &APPRAISAL_BY_BALLOT,
    &APPRAISAL_BY_MEETING,
    &APPRAISAL_NOT_COUNTED,
    &APPRAISAL_NOT_BINDING,
    &APPRAISAL_BALLOTS_TOO_MANY,
    &APPRAISAL_BIDS_TOO_MANY,
    &APPRAISAL_QUORUM_TOO_LOW,
];

/// The questions about bids, one for each, all of the same weight and in the order of the bids' ids.
///
/// # Errors
/// [`APPRAISAL_BIDS_TOO_MANY`].
pub fn questions(mut bids: Vec<(BidId, Line)>) -> Result<Vec<Question>, Refusal> {
    if bids.len() > QUESTIONS_MAX {
        let count = bids.len();
        return Err(APPRAISAL_BIDS_TOO_MANY.because(text!(
            "有效投标 {count} 份，最多 {QUESTIONS_MAX} 份",
            "{count} bids are in, and a ballot asks about {QUESTIONS_MAX} at most"
        )));
    }
    bids.sort_by(|(one, _), (other, _)| one.cmp(other));
    let question = |(number, (bid, name)): (usize, (BidId, Line))| {
        let (zh, en) = (name.zh, name.en);
        Question {
            code: format!("bid_{number}"),
            text_zh: format!("您认为“{zh}”的方案如何？"),
            text_en: format!("How good is what “{en}” offers?"),
            weight: 1,
            about: Some(bid.to_string()),
        }
    };
    Ok((1..).zip(bids).map(question).collect())
}

/// The usual scale for bids: 100, 80, 60, 40 and 0 points.
pub fn usual_scale() -> Vec<Choice> {
    let choice = |(code, zh, en, points): (&str, &str, &str, i64)| Choice {
        code: code.to_owned(),
        name_zh: zh.to_owned(),
        name_en: en.to_owned(),
        value: Score::new(points.into()).unwrap_or_default(),
    };
    [
        ("very_good", "很好", "Very good", 100),
        ("good", "较好", "Good", 80),
        ("fair", "一般", "Fair", 60),
        ("poor", "较差", "Poor", 40),
        ("very_poor", "很差", "Very poor", 0),
    ]
    .into_iter()
    .map(choice)
    .collect()
}

/// What the statutes ask of a turnout.
#[derive(Clone, Copy, Debug)]
pub struct Turnout {
    /// Of those who represent others.
    pub representatives: Share,
    /// Of all residents, where they decide themselves.
    pub residents: Share,
}

/// Whether the quorum of a ballot is what the statutes ask for: representatives as for their meeting; residents, or one of each household, as for theirs
/// where the ballot decides the award (城市居民委员会组织法). Where it is one criterion among others, the book's buyer sets it.
///
/// # Errors
/// [`APPRAISAL_QUORUM_TOO_LOW`].
pub fn enough(
    unit: Unit,
    decides: bool,
    (quorum_ballots, electorate): (i64, i64),
    turnout: Turnout,
) -> Result<(), Refusal> {
    let share = match unit {
        Unit::Representatives => turnout.representatives,
        Unit::Residents | Unit::Households if decides => turnout.residents,
        Unit::Residents | Unit::Households => return Ok(()),
    };
    let reached = quorum_ballots.saturating_mul(i64::from(share.denominator));
    let needed = electorate.saturating_mul(i64::from(share.numerator));
    if reached > needed || (!share.exceeded && reached == needed) {
        return Ok(());
    }
    let (above, below) = (share.numerator, share.denominator);
    let (zh, en) = if share.exceeded {
        ("超过", "more than")
    } else {
        ("不少于", "at least")
    };
    Err(APPRAISAL_QUORUM_TOO_LOW
        .because(text!(
            "{electorate} 人中 {quorum_ballots} 人参与即有效，而法定应{zh} {above}/{below}",
            "it binds with {quorum_ballots} of {electorate}, and it takes {en} {above}/{below}"
        ))
        .at("/quorum_percent"))
}

/// Whether the result waits for the panel: it has `members` who sit, if it can work at all, and so many of them have handed in their scores.
pub const fn waits(members: Option<usize>, handed_in: usize) -> bool {
    match members {
        None => true,
        Some(members) => handed_in < members,
    }
}

/// How the last ballot about a lot's bids stands that was not taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is to open, open, or not counted yet.
    Running {
        /// Until when votes are taken, UTC.
        closes_at: Instant,
    },
    /// It binds, and has every bid that is in.
    Binding,
    /// Too few have voted.
    NotBinding,
    /// It binds, and a bid came in again that it has not.
    LeavesOut,
}

/// The number of another ballot about a lot, given the last one and its number, and whether a meeting is recorded.
///
/// # Errors
/// In this order: [`APPRAISAL_BY_MEETING`]; [`APPRAISAL_BY_BALLOT`] if one runs or binds; [`APPRAISAL_BALLOTS_TOO_MANY`].
pub fn next(last: Option<(i64, Standing)>, has_meeting: bool) -> Result<i64, Refusal> {
    if has_meeting {
        return Err(APPRAISAL_BY_MEETING.refuse());
    }
    let Some((number, standing)) = last else {
        return Ok(1);
    };
    no_ballot(Some(standing))?;
    if number >= BALLOTS_MAX {
        return Err(APPRAISAL_BALLOTS_TOO_MANY.refuse());
    }
    Ok(number.saturating_add(1))
}

/// Whether a meeting may be recorded, or another ballot called: no ballot runs, and none binds.
///
/// # Errors
/// [`APPRAISAL_BY_BALLOT`].
pub fn no_ballot(last: Option<Standing>) -> Result<(), Refusal> {
    match last {
        None | Some(Standing::NotBinding | Standing::LeavesOut) => Ok(()),
        Some(Standing::Running { .. } | Standing::Binding) => Err(APPRAISAL_BY_BALLOT.refuse()),
    }
}

/// Whether the ballot's points go into an evaluation. That it leaves a bid out is told where the points are missed.
///
/// # Errors
/// [`APPRAISAL_NOT_COUNTED`], [`APPRAISAL_NOT_BINDING`].
pub fn counts(standing: Standing) -> Result<(), Refusal> {
    match standing {
        Standing::Binding | Standing::LeavesOut => Ok(()),
        Standing::NotBinding => Err(APPRAISAL_NOT_BINDING.refuse()),
        Standing::Running { closes_at } => {
            let until = rfc3339(closes_at);
            Err(APPRAISAL_NOT_COUNTED.because(text!("投票于 {until} 截止", "it closes at {until}")))
        }
    }
}

fn is_about(question: &Question, bid: &BidId) -> bool {
    question.about.as_deref() == Some(bid.as_str())
}

/// How a counted ballot stands, by the bids that are in.
pub fn standing(result: &Derivation, bids: &[&BidId]) -> Standing {
    let is_asked = |bid: &&&BidId| result.questions.iter().any(|question| is_about(question, bid));
    match result.outcome {
        Outcome::NonBinding | Outcome::Withheld | Outcome::RollChanged | Outcome::TermsChanged => {
            Standing::NotBinding
        }
        Outcome::Binding if bids.iter().filter(is_asked).count() < bids.len() => Standing::LeavesOut,
        Outcome::Binding => Standing::Binding,
    }
}

/// What a binding ballot gives the bids that are in: each the mean of its answers, of a hundred, as part of every criterion's points; and the turnout as the
/// meeting's. A bid that was not asked about has no points.
///
/// # Errors
/// A fault of arithmetic, or if nobody has answered a question.
pub fn appraised(
    result: &Derivation,
    bids: &[&BidId],
    criteria: &[&CriterionDocument],
    rounding: RoundingDocument,
) -> Result<Appraised, Fault> {
    let whole = result
        .cells
        .first()
        .ok_or_else(|| Fault::broken("a binding ballot without a tally"))?;
    let mut points = Scores::new();
    for bid in bids {
        let mut questions = result.questions.iter();
        let Some(question) = questions.find(|question| is_about(question, bid)) else {
            continue;
        };
        let mut tallies = whole.questions.iter();
        let tally = tallies.find(|tally| tally.question == question.code);
        let tally = tally.ok_or_else(|| Fault::broken(format!("{bid} has no tally")))?;
        let mut of_bid = std::collections::BTreeMap::new();
        for criterion in criteria {
            let max = Score::new(criterion.weight.percent())
                .map_err(|error| Fault::caused("a criterion's points", error))?;
            of_bid.insert(criterion.code.clone(), part(tally, &result.scale, max, rounding)?);
        }
        points.insert((*bid).clone(), of_bid);
    }
    let count = |number: i64| u32::try_from(number).map_err(|error| Fault::caused("count voters", error));
    Ok(Appraised {
        meeting: Meeting {
            eligible: count(result.electorate)?,
            present: result.ballots,
            quorum: Quorum {
                numerator: result.quorum_percent,
                denominator: HUNDRED,
                exceeded: false,
            },
        },
        points,
    })
}

/// Σ points × answers ÷ Σ answers ÷ 100 × the most points, exact until it is rounded once: as the book says, and where it rounds only totals, to as many
/// places as a score has.
fn part(
    tally: &QuestionTally,
    scale: &[Choice],
    max: Score,
    rounding: RoundingDocument,
) -> Result<Score, Fault> {
    let failed = || Fault::broken("the points that a ballot gives");
    let places = match rounding.stage {
        RoundingStage::Factor => rounding.places,
        RoundingStage::Total => SCORE_PLACES_MAX,
    };
    let exact = |score: Score| units_of(score.points(), SCORE_PLACES_MAX).ok_or_else(failed);
    let (mut sum, mut answers) = (0_i128, 0_i128);
    for choice in scale {
        let given = tally.counts.iter().find(|one| one.choice == choice.code);
        let count = i128::from(given.map_or(0, |one| one.count));
        let product = exact(choice.value)?.checked_mul(count).ok_or_else(failed)?;
        sum = sum.checked_add(product).ok_or_else(failed)?;
        answers = answers.checked_add(count).ok_or_else(failed)?;
    }
    let unit = |places| 10_i128.checked_pow(places).ok_or_else(failed);
    let above = sum
        .checked_mul(exact(max)?)
        .and_then(|product| product.checked_mul(unit(places).ok()?))
        .ok_or_else(failed)?;
    let below = answers
        .checked_mul(i128::from(HUNDRED))
        .and_then(|below| below.checked_mul(unit(SCORE_PLACES_MAX.saturating_mul(2)).ok()?))
        .ok_or_else(failed)?;
    let units = divide(above, below, rounding.mode).ok_or_else(failed)?;
    let points = rust_decimal::Decimal::try_from_i128_with_scale(units, places)
        .map_err(|error| Fault::caused("the points that a ballot gives", error))?;
    Score::new(points).map_err(|error| Fault::caused("the points that a ballot gives", error))
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};

    use super::*;
    use crate::ballots::rules_derivation::Count;
    use crate::kernel::fixed::Rounding;

    fn at(hour: u32) -> Instant {
        Utc.with_ymd_and_hms(2026, 4, 1, hour, 0, 0).unwrap()
    }

    fn tally(counts: [u32; 5]) -> QuestionTally {
        let scale = usual_scale();
        let counts = scale.iter().zip(counts).map(|(choice, count)| Count {
            choice: choice.code.clone(),
            count,
        });
        QuestionTally {
            question: "bid_1".to_owned(),
            counts: counts.collect(),
            mean: None,
        }
    }

    fn rounding(mode: Rounding, places: u32, stage: RoundingStage) -> RoundingDocument {
        RoundingDocument { mode, places, stage }
    }

    fn given(counts: [u32; 5], max: &str, rounding: RoundingDocument) -> String {
        let points = part(&tally(counts), &usual_scale(), max.parse().unwrap(), rounding);
        points.unwrap().to_string()
    }

    #[test]
    fn the_result_waits_until_all_who_sit_have_handed_in() {
        // Nobody sits yet, or a seat is vacant.
        assert!(waits(None, 0) && waits(None, 5));
        assert!(waits(Some(5), 0) && waits(Some(5), 4));
        assert!(!waits(Some(5), 5));
    }

    #[test]
    fn points_are_the_mean_of_a_hundred_rounded_once_as_the_book_says() {
        // E4: 120/50/20/8/2 of 200 are 87.6.
        let of = |mode, places, stage| given([120, 50, 20, 8, 2], "15", rounding(mode, places, stage));
        assert_eq!(of(Rounding::HalfUp, 2, RoundingStage::Factor), "13.14");
        assert_eq!(of(Rounding::HalfUp, 1, RoundingStage::Factor), "13.1");
        assert_eq!(
            given(
                [120, 50, 20, 8, 2],
                "100",
                rounding(Rounding::HalfUp, 2, RoundingStage::Factor)
            ),
            "87.60"
        );
        // Two thirds of 20: the mean of 66.67 would give 13.33 as well, of three places 13.334.
        let thirds = |mode, places, stage| given([2, 0, 0, 0, 1], "20", rounding(mode, places, stage));
        assert_eq!(thirds(Rounding::HalfUp, 3, RoundingStage::Factor), "13.333");
        assert_eq!(thirds(Rounding::Down, 0, RoundingStage::Factor), "13");
        assert_eq!(thirds(Rounding::HalfUp, 2, RoundingStage::Total), "13.333333");
        assert_eq!(
            given(
                [1, 1, 0, 0, 0],
                "12.5",
                rounding(Rounding::HalfEven, 2, RoundingStage::Factor)
            ),
            "11.25"
        );
        assert!(
            part(
                &tally([0; 5]),
                &usual_scale(),
                Score::HUNDRED,
                RoundingDocument::default()
            )
            .is_err()
        );
        let most = [100_000; 5];
        assert_eq!(
            given(most, "100", rounding(Rounding::HalfUp, 6, RoundingStage::Factor)),
            "56.000000"
        );
    }

    #[test]
    fn representatives_need_their_quorum_and_residents_theirs_where_they_decide() {
        let share = |numerator, denominator, exceeded| Share {
            numerator,
            denominator,
            exceeded,
        };
        let turnout = Turnout {
            representatives: share(2, 3, false),
            residents: share(1, 2, true),
        };
        let told = |unit, decides, ballots| {
            enough(unit, decides, (ballots, 60), turnout)
                .err()
                .map(|refusal| refusal.reason.code)
        };
        assert_eq!(told(Unit::Representatives, false, 40), None);
        assert_eq!(
            told(Unit::Representatives, false, 39),
            Some("appraisal_quorum_too_low")
        );
        assert_eq!(told(Unit::Residents, true, 31), None);
        assert_eq!(told(Unit::Households, true, 30), Some("appraisal_quorum_too_low"));
        assert_eq!(told(Unit::Residents, false, 1), None);
    }

    #[test]
    fn there_is_another_ballot_only_where_the_last_one_does_not_decide() {
        let running = Standing::Running { closes_at: at(3) };
        let told = |last, meeting| next(last, meeting).map_err(|refusal| refusal.reason.code);
        assert_eq!(told(None, false), Ok(1));
        assert_eq!(told(None, true), Err("appraisal_by_meeting"));
        assert_eq!(told(Some((1, running)), false), Err("appraisal_by_ballot"));
        assert_eq!(
            told(Some((1, Standing::Binding)), false),
            Err("appraisal_by_ballot")
        );
        assert_eq!(told(Some((1, Standing::NotBinding)), false), Ok(2));
        assert_eq!(told(Some((4, Standing::LeavesOut)), false), Ok(5));
        assert_eq!(
            told(Some((5, Standing::NotBinding)), false),
            Err("appraisal_ballots_too_many")
        );
        let counted = |standing| counts(standing).map_err(|refusal| refusal.reason.code);
        assert_eq!(counted(running), Err("appraisal_not_counted"));
        assert_eq!(counted(Standing::NotBinding), Err("appraisal_not_binding"));
        assert_eq!(
            (counted(Standing::Binding), counted(Standing::LeavesOut)),
            (Ok(()), Ok(()))
        );
    }

    #[test]
    fn bids_are_asked_about_in_the_order_of_their_ids_and_not_too_many() {
        let ids: Vec<BidId> = (0..11).map(|_| BidId::mint(at(1))).collect();
        let name = "长".repeat(100);
        let named = |count: usize| {
            ids.iter()
                .rev()
                .take(count)
                .map(|id| {
                    (
                        id.clone(),
                        Line {
                            zh: name.clone(),
                            en: name.clone(),
                        },
                    )
                })
                .collect::<Vec<_>>()
        };
        let asked = questions(named(10)).unwrap();
        let mut sorted: Vec<&BidId> = ids.iter().skip(1).collect();
        sorted.sort();
        assert_eq!(
            asked
                .iter()
                .map(|one| one.about.as_deref().unwrap())
                .collect::<Vec<_>>(),
            sorted.iter().map(|id| id.as_str()).collect::<Vec<_>>()
        );
        assert_eq!(asked[9].code, "bid_10");
        assert!(asked[0].text_en.chars().count() <= crate::ballots::rules::QUESTION_LENGTH_MAX);
        assert_eq!(
            questions(named(11)).unwrap_err().reason.code,
            "appraisal_bids_too_many"
        );
    }
}
