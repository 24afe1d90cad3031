//! What is fixed when a ballot is called: what the book says of it, where it says anything, and nothing else. Whoever calls it chooses the time alone: a scale or a
//! quorum that is chosen afterwards could decide the result beforehand. Pure.

use chrono::{DateTime, Utc};

use crate::ballots::rules::{Choice, Question, Unit};
use crate::ballots::rules_questions::NewBallot;
use crate::books::rules_ballots::BallotDocument;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::Refusal;
use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;

/// A ballot as an officer asks for it. What is left out is what the book says.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// From when on votes are taken, as it was written.
    pub opens_at: String,
    /// From when on they are not.
    pub closes_at: String,
    /// Who has a vote.
    pub unit: Option<Unit>,
    /// The part of the voters who have to vote, in percent.
    pub quorum_percent: Option<u32>,
    /// Whether a question may be left without an answer.
    pub may_abstain: Option<bool>,
    /// The questions; none for what the book says, or for one about the whole.
    pub questions: Vec<Question>,
    /// The scale; none for what the book says, or for the usual one.
    pub scale: Vec<Choice>,
    /// Where area is tallied: from how many points on a choice approves.
    pub double_tally: Option<Score>,
}

/// The ballot that is called: as the book says, where it says anything; every fault is listed.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID): an instant that is none; something that differs from the book; something that is missing where the book says nothing.
pub fn settled(asked: &Asked, book: Option<&BallotDocument>) -> Result<NewBallot, Refusal> {
    let mut form = Form::new();
    let opens_at = instant(&mut form, "/opens_at", &asked.opens_at);
    let closes_at = instant(&mut form, "/closes_at", &asked.closes_at);
    let new = match book {
        Some(book) => by_book(asked, book, &mut form),
        None => by_call(asked, &mut form),
    };
    form.finish(NewBallot {
        opens_at,
        closes_at,
        ..new
    })
}

fn instant(form: &mut Form, pointer: &str, written: &str) -> Instant {
    match DateTime::parse_from_rfc3339(written) {
        Ok(at) => at.with_timezone(&Utc),
        Err(_) => {
            form.object(
                pointer,
                Text::fixed(
                    "应为 RFC 3339 时间，如 2026-06-01T00:00:00Z",
                    "must be an instant of RFC 3339, such as 2026-06-01T00:00:00Z",
                ),
            );
            Instant::default()
        }
    }
}

fn by_book(asked: &Asked, book: &BallotDocument, form: &mut Form) -> NewBallot {
    let differs = [
        ("/unit", asked.unit.is_some_and(|unit| unit != book.unit)),
        (
            "/quorum_percent",
            asked
                .quorum_percent
                .is_some_and(|percent| percent != book.quorum_percent),
        ),
        (
            "/may_abstain",
            asked.may_abstain.is_some_and(|may| may != book.may_abstain),
        ),
        (
            "/questions",
            !asked.questions.is_empty() && asked.questions != book.questions,
        ),
        ("/scale", !asked.scale.is_empty() && asked.scale != book.scale),
        (
            "/double_tally",
            asked.double_tally.is_some() && asked.double_tally != book.approves_from,
        ),
    ];
    for (pointer, _) in differs.into_iter().filter(|(_, differs)| *differs) {
        form.object(
            pointer,
            Text::fixed(
                "招标文件已规定，应与之一致或不填",
                "the book says what it is: leave it out, or say the same",
            ),
        );
    }
    NewBallot {
        unit: book.unit,
        questions: book.questions.clone(),
        scale: book.scale.clone(),
        may_abstain: book.may_abstain,
        quorum_percent: book.quorum_percent,
        double_tally: book.approves_from,
        ..NewBallot::at(Instant::default(), Instant::default())
    }
}

fn by_call(asked: &Asked, form: &mut Form) -> NewBallot {
    let mut missing = |pointer: &str| {
        form.object(
            pointer,
            Text::fixed(
                "必填：招标文件未作规定",
                "is required, because the book does not say it",
            ),
        );
    };
    if asked.unit.is_none() {
        missing("/unit");
    }
    if asked.quorum_percent.is_none() {
        missing("/quorum_percent");
    }
    NewBallot {
        unit: asked.unit.unwrap_or(Unit::Residents),
        questions: asked.questions.clone(),
        scale: asked.scale.clone(),
        may_abstain: asked.may_abstain.unwrap_or_default(),
        quorum_percent: asked.quorum_percent.unwrap_or(100),
        double_tally: asked.double_tally,
        ..NewBallot::at(Instant::default(), Instant::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ballots::rules_questions::{usual_question, usual_scale};

    fn asked() -> Asked {
        Asked {
            opens_at: "2026-05-20T08:00:00+08:00".to_owned(),
            closes_at: "2026-05-27T00:00:00Z".to_owned(),
            ..Asked::default()
        }
    }

    fn book() -> BallotDocument {
        BallotDocument {
            unit: Unit::Households,
            quorum_percent: 40,
            may_abstain: true,
            questions: vec![usual_question()],
            scale: usual_scale(),
            approves_from: Some("60".parse().unwrap()),
        }
    }

    fn pointers(asked: &Asked, book: Option<&BallotDocument>) -> Vec<String> {
        let refusal = settled(asked, book).err();
        refusal.map_or_else(Vec::new, |refusal| {
            refusal.objections.into_iter().map(|one| one.pointer).collect()
        })
    }

    #[test]
    fn what_the_book_says_holds_and_nothing_else_is_said() {
        let new = settled(&asked(), Some(&book())).unwrap();
        assert_eq!(
            (new.unit, new.quorum_percent, new.may_abstain, new.double_tally),
            (Unit::Households, 40, true, Some("60".parse().unwrap()))
        );
        assert_eq!(
            (new.questions, new.scale),
            (vec![usual_question()], usual_scale())
        );
        assert_eq!(new.opens_at, "2026-05-20T00:00:00Z".parse::<Instant>().unwrap());
        let same = Asked {
            unit: Some(Unit::Households),
            quorum_percent: Some(40),
            may_abstain: Some(true),
            questions: vec![usual_question()],
            scale: usual_scale(),
            double_tally: Some("60".parse().unwrap()),
            ..asked()
        };
        assert_eq!(pointers(&same, Some(&book())), Vec::<String>::new());
        // Whoever would have it otherwise is told where, of all of it.
        let mut other = same;
        other.unit = Some(Unit::Residents);
        other.quorum_percent = Some(1);
        other.may_abstain = Some(false);
        other.questions[0].text_en = "Are you satisfied?".to_owned();
        other.scale.pop();
        other.double_tally = Some("80".parse().unwrap());
        other.closes_at = "x".to_owned();
        assert_eq!(
            pointers(&other, Some(&book())),
            [
                "/closes_at",
                "/unit",
                "/quorum_percent",
                "/may_abstain",
                "/questions",
                "/scale",
                "/double_tally"
            ]
        );
    }

    #[test]
    fn where_the_book_says_nothing_the_call_does() {
        assert_eq!(pointers(&asked(), None), ["/unit", "/quorum_percent"]);
        let said = Asked {
            unit: Some(Unit::Representatives),
            quorum_percent: Some(67),
            ..asked()
        };
        let new = settled(&said, None).unwrap();
        assert_eq!(
            (new.unit, new.quorum_percent, new.may_abstain, new.scale.len()),
            (Unit::Representatives, 67, false, 0)
        );
        let late = Asked {
            opens_at: "2026-05-20".to_owned(),
            closes_at: String::new(),
            ..said
        };
        assert_eq!(pointers(&late, None), ["/opens_at", "/closes_at"]);
    }
}
