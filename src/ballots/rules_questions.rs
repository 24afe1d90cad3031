//! What a ballot asks: questions and their scale, with the usual ones where nothing else is said, and what can be answered. Every fault is told at once. Pure.

use chrono::Duration;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::ballots::rules::{
    ABSTAIN, Choice, DAYS_AHEAD_MAX, DAYS_OPEN_MAX, HOURS_OPEN_MIN, Question, Terms, Unit,
};
use crate::books::rules_ballots::{by_area, questions, quorum, scale};
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Refusal;
use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::text;

/// A ballot to be called.
#[derive(Clone, Debug)]
pub struct NewBallot {
    /// From when on votes are taken.
    pub opens_at: Instant,
    /// From when on they are not.
    pub closes_at: Instant,
    /// Who has a vote.
    pub unit: Unit,
    /// The questions; none for one about the whole.
    pub questions: Vec<Question>,
    /// The scale; none for the usual one of five.
    pub scale: Vec<Choice>,
    /// Whether a question may be left without an answer.
    pub may_abstain: bool,
    /// The part of the voters who have to vote, in percent.
    pub quorum_percent: u32,
    /// Where area is tallied beside heads: from how many points on a choice approves.
    pub double_tally: Option<Score>,
}

impl NewBallot {
    /// One question about the whole, on the usual scale, to all residents, every one of whom has to vote.
    pub const fn at(opens_at: Instant, closes_at: Instant) -> Self {
        Self {
            opens_at,
            closes_at,
            unit: Unit::Residents,
            questions: Vec::new(),
            scale: Vec::new(),
            may_abstain: false,
            quorum_percent: 100,
            double_tally: None,
        }
    }
}

/// That areas are to be tallied.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewDoubleTally, example = json!({"approves_from": "60"}))]
pub struct NewDoubleTally {
    /// A choice of so many points or more approves.
    pub approves_from: Score,
}

/// The usual scale: 100, 80, 60, 40 and 0 points.
pub fn usual_scale() -> Vec<Choice> {
    let choice = |code: &str, zh: &str, en: &str, value: Score| Choice {
        code: code.to_owned(),
        name_zh: zh.to_owned(),
        name_en: en.to_owned(),
        value,
    };
    let points = |points: i64| Score::new(points.into()).unwrap_or_default();
    vec![
        choice("very_satisfied", "很满意", "Very satisfied", points(100)),
        choice("satisfied", "满意", "Satisfied", points(80)),
        choice("fair", "一般", "Fair", points(60)),
        choice("dissatisfied", "不满意", "Dissatisfied", points(40)),
        choice("very_dissatisfied", "很不满意", "Very dissatisfied", points(0)),
    ]
}

/// The usual question, about the whole.
pub fn usual_question() -> Question {
    Question {
        code: "overall".to_owned(),
        text_zh: "总体而言，您对本期的服务是否满意？".to_owned(),
        text_en: "All in all, how satisfied are you with the service of this period?".to_owned(),
        weight: 1,
        about: None,
    }
}

/// What a new ballot fixes: questions and scale, checked; every fault is listed.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID).
pub fn checked(new: &NewBallot, now: Instant) -> Result<(Vec<Question>, Vec<Choice>), Refusal> {
    let mut form = Form::new();
    window(new, now, &mut form);
    quorum("/quorum_percent", new.quorum_percent, &mut form);
    if let Some(from) = new.double_tally {
        let usual = usual_scale();
        let scale = if new.scale.is_empty() { &usual } else { &new.scale };
        by_area(
            ("/double_tally", "/double_tally/approves_from"),
            (new.unit, scale, from),
            &mut form,
        );
    }
    let questions = match new.questions.as_slice() {
        [] => vec![usual_question()],
        asked => questions("/questions", asked, &mut form),
    };
    let scale = match new.scale.as_slice() {
        [] => usual_scale(),
        asked => scale("/scale", asked, &mut form),
    };
    form.finish((questions, scale))
}

fn window(new: &NewBallot, now: Instant, form: &mut Form) {
    let open_for = new.closes_at.signed_duration_since(new.opens_at);
    if new.opens_at < now {
        form.object(
            "/opens_at",
            Text::fixed("不得早于现在", "must not lie in the past"),
        );
    } else if new.opens_at.signed_duration_since(now) > Duration::days(DAYS_AHEAD_MAX) {
        form.object(
            "/opens_at",
            text!(
                "不得晚于 {DAYS_AHEAD_MAX} 日之后",
                "must lie within {DAYS_AHEAD_MAX} days"
            ),
        );
    }
    if open_for < Duration::hours(HOURS_OPEN_MIN) || open_for > Duration::days(DAYS_OPEN_MAX) {
        form.object(
            "/closes_at",
            text!(
                "投票应持续 {HOURS_OPEN_MIN} 小时至 {DAYS_OPEN_MAX} 日",
                "a ballot is open for {HOURS_OPEN_MIN} hour to {DAYS_OPEN_MAX} days"
            ),
        );
    }
}

/// An answer to a question, as somebody gives it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BallotAnswer)]
pub struct Answered {
    /// The code of the question.
    #[schema(min_length = 1, max_length = 20, example = "overall")]
    pub question: String,
    /// The code of the choice; `abstain` for none, where that is allowed.
    #[schema(min_length = 1, max_length = 20, example = "satisfied")]
    pub choice: String,
}

/// Characters of a number of one's own, at least and at most.
pub const NONCE_LENGTH: std::ops::RangeInclusive<usize> = 16..=64;

/// Looks at a number of one's own: letters, digits, `-` and `_`, enough of them that nobody else has the same.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID).
pub fn checked_nonce(nonce: Option<&str>) -> Result<(), Refusal> {
    let mut form = Form::new();
    let is_one = |nonce: &str| {
        NONCE_LENGTH.contains(&nonce.len())
            && nonce
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if nonce.is_some_and(|nonce| !is_one(nonce)) {
        form.object(
            "/nonce",
            Text::fixed(
                "应为 16 至 64 个字母、数字、- 或 _",
                "must be 16 to 64 letters, digits, - or _",
            ),
        );
    }
    form.finish(())
}

/// What was voted: for each question, in their order, the place of the choice in the scale; `None` for an abstention. Every question has an answer;
/// every fault is listed.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID).
pub fn vote(terms: &Terms, answers: &[Answered]) -> Result<Vec<Option<usize>>, Refusal> {
    let mut form = Form::new();
    let mut given: Vec<Option<Option<usize>>> = vec![None; terms.questions.len()];
    for (at, answer) in answers.iter().enumerate() {
        let known = terms.questions.iter().position(|one| one.code == answer.question);
        let Some(slot) = known.and_then(|place| given.get_mut(place)) else {
            form.object(
                &format!("/answers/{at}/question"),
                Text::fixed("没有这个问题", "there is no such question"),
            );
            continue;
        };
        if slot.is_some() {
            form.object(
                &format!("/answers/{at}/question"),
                Text::fixed("重复", "is there twice"),
            );
            continue;
        }
        let choice = terms.scale.iter().position(|one| one.code == answer.choice);
        if choice.is_none() && !(answer.choice == ABSTAIN && terms.may_abstain) {
            form.object(
                &format!("/answers/{at}/choice"),
                Text::fixed("没有这个选项", "there is no such choice"),
            );
        }
        *slot = Some(choice);
    }
    for question in terms
        .questions
        .iter()
        .zip(&given)
        .filter_map(|(question, slot)| slot.is_none().then_some(question))
    {
        let code = &question.code;
        form.object(
            "/answers",
            text!("问题 {code} 尚未回答", "the question {code} has no answer"),
        );
    }
    form.finish(given.into_iter().map(Option::flatten).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ballots::rules::tests::{at, terms};

    fn new() -> NewBallot {
        NewBallot {
            opens_at: at(2, 0),
            closes_at: at(9, 0),
            unit: Unit::Residents,
            questions: Vec::new(),
            scale: Vec::new(),
            may_abstain: false,
            quorum_percent: 30,
            double_tally: None,
        }
    }

    fn pointers(new: &NewBallot) -> Vec<String> {
        let refusal = checked(new, at(1, 0)).err();
        refusal.map_or_else(Vec::new, |refusal| {
            refusal.objections.into_iter().map(|one| one.pointer).collect()
        })
    }

    fn answer(question: &str, choice: &str) -> Answered {
        Answered {
            question: question.to_owned(),
            choice: choice.to_owned(),
        }
    }

    #[test]
    fn what_is_left_out_is_the_usual_and_every_fault_is_listed() {
        let (questions, scale) = checked(&new(), at(1, 0)).unwrap();
        let values: Vec<String> = scale.iter().map(|one| one.value.to_string()).collect();
        assert_eq!(
            (questions.len(), values),
            (1, ["100", "80", "60", "40", "0"].map(str::to_owned).to_vec())
        );
        let question = |code: &str, weight| Question {
            code: code.to_owned(),
            weight,
            ..usual_question()
        };
        let mut scale = usual_scale();
        scale[0].value = "100.01".parse().unwrap();
        scale[1].code = "abstain".to_owned();
        scale[2].name_zh = String::new();
        let wrong = NewBallot {
            opens_at: at(1, 0) - Duration::seconds(1),
            closes_at: at(1, 0),
            questions: vec![question("a", 0), question("a", 1), question("A", 1)],
            scale,
            quorum_percent: 101,
            ..new()
        };
        assert_eq!(
            pointers(&wrong),
            [
                "/opens_at",
                "/closes_at",
                "/quorum_percent",
                "/questions/0/weight",
                // The same question again cannot be told from the first.
                "/questions/1/code",
                "/questions/1/text_zh",
                "/questions/1/text_en",
                "/questions/2/code",
                "/questions/2/text_zh",
                "/questions/2/text_en",
                "/scale/0/value",
                "/scale/1/code",
                "/scale/2/name_zh"
            ]
        );
        let at_once = NewBallot {
            opens_at: at(1, 0),
            closes_at: at(1, 1),
            ..new()
        };
        assert_eq!(pointers(&at_once), Vec::<String>::new());
        let too_far = NewBallot {
            opens_at: at(1, 0) + Duration::days(63),
            closes_at: at(1, 0) + Duration::days(64),
            ..new()
        };
        assert_eq!(pointers(&too_far), ["/opens_at"]);
        let by_area = |unit, from: &str| {
            pointers(&NewBallot {
                unit,
                double_tally: Some(from.parse().unwrap()),
                ..new()
            })
        };
        assert_eq!(by_area(Unit::Households, "100"), Vec::<String>::new());
        assert_eq!(by_area(Unit::Residents, "60"), ["/double_tally"]);
        for from in ["0", "100.01"] {
            assert_eq!(by_area(Unit::Households, from), ["/double_tally/approves_from"]);
        }
    }

    #[test]
    fn a_number_of_ones_own_is_long_enough_and_plain() {
        for nonce in [None, Some("0123456789abcdef"), Some("A-_4567890123456")] {
            assert!(checked_nonce(nonce).is_ok());
        }
        for nonce in [
            "",
            "0123456789abcde",
            "0123456789abcde\n",
            "0123456789abcdé",
            &"a".repeat(65),
        ] {
            assert_eq!(
                checked_nonce(Some(nonce)).unwrap_err().objections[0].pointer,
                "/nonce"
            );
        }
    }

    #[test]
    fn every_question_has_one_answer_and_only_where_it_is_allowed_none() {
        let mut terms = terms();
        terms.questions.push(Question {
            code: "noise".to_owned(),
            ..usual_question()
        });
        let read = |terms: &Terms, answers: &[Answered]| {
            vote(terms, answers).map_err(|refusal| {
                refusal
                    .objections
                    .into_iter()
                    .map(|one| one.pointer)
                    .collect::<Vec<_>>()
            })
        };
        let both = [answer("noise", "abstain"), answer("overall", "fair")];
        assert_eq!(read(&terms, &both), Ok(vec![Some(2), None]));
        terms.may_abstain = false;
        assert_eq!(read(&terms, &both), Err(vec!["/answers/0/choice".to_owned()]));
        let wrong = [
            answer("overall", "fair"),
            answer("overall", "fair"),
            answer("x", "fair"),
        ];
        assert_eq!(
            read(&terms, &wrong),
            Err(vec![
                "/answers/1/question".to_owned(),
                "/answers/2/question".to_owned(),
                "/answers".to_owned()
            ])
        );
    }
}
