//! What a book says of the ballots by which residents appraise bids, or rate the work: who has a vote, how many have to, and what is asked on which scale. It is
//! published with the book, so that nobody can choose it afterwards to suit somebody. The same rules hold for a ballot of which a book says nothing. Pure.

use std::collections::BTreeSet;

use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::text;

/// Questions of one ballot at most.
pub const QUESTIONS_MAX: usize = 10;
/// Choices of its scale at most.
pub const CHOICES_MAX: usize = 10;
/// Characters of a question, in either language.
pub const QUESTION_LENGTH_MAX: usize = 300;
/// Characters of the name of a choice.
pub const CHOICE_LENGTH_MAX: usize = 40;
/// The largest weight of a question.
pub const WEIGHT_MAX: u32 = 1_000;
/// What stands on a slip for a question that was not answered.
pub const ABSTAIN: &str = "abstain";

/// Who has a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BallotUnit)]
pub enum Unit {
    /// Each resident.
    Residents,
    /// Each household, by one of its residents: an owner before others, then the eldest.
    Households,
    /// Each residents' representative whom a registrar has listed.
    Representatives,
}

/// A choice of the scale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BallotChoice)]
pub struct Choice {
    /// Its code, unique within the scale.
    #[schema(pattern = "^[a-z0-9_]{1,20}$", example = "satisfied")]
    pub code: String,
    /// In Chinese.
    #[schema(min_length = 1, max_length = 40, example = "满意")]
    pub name_zh: String,
    /// In English.
    #[schema(min_length = 1, max_length = 40, example = "Satisfied")]
    pub name_en: String,
    /// How many points it gives, 0 to 100.
    pub value: Score,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BallotQuestion)]
pub struct Question {
    /// Its code, unique within the ballot.
    #[schema(pattern = "^[a-z0-9_]{1,20}$", example = "overall")]
    pub code: String,
    /// In Chinese.
    #[schema(min_length = 1, max_length = 300, example = "您对本期道路保洁总体是否满意？")]
    pub text_zh: String,
    /// In English.
    #[schema(
        min_length = 1,
        max_length = 300,
        example = "How satisfied are you with the street cleaning of this period?"
    )]
    pub text_en: String,
    /// How much it weighs against the others.
    #[schema(minimum = 1, maximum = 1000, example = 1)]
    pub weight: u32,
    /// Of the appraisal of a bid: the bid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 60, example = "bid_01jd3n8f5teqkrzvq1c0m6h2ax")]
    pub about: Option<String>,
}

/// What residents are asked, as a book says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookBallot, example = json!({
    "unit": "residents", "quorum_percent": 30, "may_abstain": true,
    "questions": [{"code": "overall", "text_zh": "您对本期道路保洁总体是否满意？", "text_en": "How satisfied are you with the street cleaning of this period?", "weight": 1}],
    "scale": [{"code": "satisfied", "name_zh": "满意", "name_en": "Satisfied", "value": "100"}, {"code": "dissatisfied", "name_zh": "不满意", "name_en": "Dissatisfied", "value": "0"}]
}))]
pub struct BallotDocument {
    /// Who has a vote.
    pub unit: Unit,
    /// The part of the voters who have to vote for the result to bind, in percent.
    #[schema(minimum = 1, maximum = 100)]
    pub quorum_percent: u32,
    /// Whether a question may be left without an answer; never of bids.
    #[serde(default)]
    pub may_abstain: bool,
    /// The questions; none where bids are appraised, of which there is one for each bid.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub questions: Vec<Question>,
    /// What can be answered to each, from 100 points down to 0.
    #[schema(min_items = 2, max_items = 10)]
    pub scale: Vec<Choice>,
    /// Where the area of dwellings is tallied beside heads: from how many points on a choice approves; only for `households`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub approves_from: Option<Score>,
}

impl BallotDocument {
    /// Every text of it.
    pub(super) fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let questions = self.questions.iter_mut();
        let choices = self.scale.iter_mut();
        questions
            .flat_map(|one| [&mut one.code, &mut one.text_zh, &mut one.text_en])
            .chain(choices.flat_map(|one| [&mut one.code, &mut one.name_zh, &mut one.name_en]))
    }
}

/// What residents are asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The bids.
    Bids,
    /// The work of a period.
    Work,
    /// Nothing: it is not theirs to say.
    Nothing,
}

/// Objects to what of several does not hold. A lot says it once: residents are asked once.
pub(super) fn said_once<'b>(
    form: &mut Form,
    pointer: &str,
    said: impl Iterator<Item = (Option<&'b BallotDocument>, Of)>,
) {
    let mut is_said = false;
    for (index, (found, of)) in said.enumerate() {
        let Some(found) = found else { continue };
        let place = format!("{pointer}/{index}/ballot");
        ballot(form, &place, (found, of));
        if is_said {
            form.object(&place, Text::fixed("不得重复", "is there already"));
        }
        is_said = true;
    }
}

/// Objects to what of a ballot does not hold.
pub fn ballot(form: &mut Form, pointer: &str, (said, of): (&BallotDocument, Of)) {
    let at = |field: &str| format!("{pointer}/{field}");
    quorum(&at("quorum_percent"), said.quorum_percent, form);
    match of {
        Of::Nothing => form.object(
            pointer,
            Text::fixed(
                "仅用于群众评议和群众满意度",
                "belongs to what residents appraise or rate",
            ),
        ),
        Of::Bids => {
            if !said.questions.is_empty() {
                form.object(
                    &at("questions"),
                    Text::fixed(
                        "每份投标各有一个问题，不另设",
                        "there is one for each bid, and none besides",
                    ),
                );
            }
            if said.may_abstain {
                form.object(
                    &at("may_abstain"),
                    Text::fixed("评议投标不得弃权", "of bids each voter says something of each"),
                );
            }
        }
        Of::Work => {
            if said.questions.is_empty() {
                form.object(
                    &at("questions"),
                    Text::fixed("至少一个问题", "at least one question"),
                );
            }
            questions(&at("questions"), &said.questions, form);
            for (index, _) in said
                .questions
                .iter()
                .enumerate()
                .filter(|(_, one)| one.about.is_some())
            {
                form.object(
                    &at(&format!("questions/{index}/about")),
                    Text::fixed("仅用于投标评议", "belongs to appraisals of bids"),
                );
            }
        }
    }
    scale(&at("scale"), &said.scale, form);
    if let Some(from) = said.approves_from {
        let place = at("approves_from");
        by_area((&place, &place), (said.unit, &said.scale, from), form);
    }
}

/// Objects to a part of the voters that is none.
pub fn quorum(pointer: &str, percent: u32, form: &mut Form) {
    if !(1..=100).contains(&percent) {
        form.object(pointer, Text::fixed("应为 1 至 100", "must be from 1 to 100"));
    }
}

/// Areas are tallied where each dwelling has one vote, and from points on that tell those who approve from those who do not.
pub fn by_area(
    (place, from_place): (&str, &str),
    (unit, scale, from): (Unit, &[Choice], Score),
    form: &mut Form,
) {
    if unit != Unit::Households {
        form.object(
            place,
            Text::fixed("仅用于按户投票", "belongs to ballots of households"),
        );
    }
    let approve = scale.iter().filter(|choice| choice.value >= from).count();
    if approve == 0 || approve == scale.len() {
        form.object(
            from_place,
            Text::fixed(
                "选项中须有赞成的，也须有不赞成的",
                "some choices must approve, and some must not",
            ),
        );
    }
}

fn is_code(code: &str) -> bool {
    (1..=20).contains(&code.len())
        && code
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// Objects to a code that is none, or is there twice.
fn code<'c>(form: &mut Form, seen: &mut BTreeSet<&'c str>, pointer: &str, code: &'c str) {
    if !is_code(code) || code == ABSTAIN {
        form.object(
            pointer,
            Text::fixed("不是可用的代码", "is no code that can be used"),
        );
    } else if !seen.insert(code) {
        form.object(pointer, Text::fixed("重复", "is there twice"));
    }
}

/// What a line looks like: the same for lines that differ in width, in capitals or in spaces alone, and in nothing else that can be seen (Unicode's form NFKC).
fn look(line: &str) -> String {
    let form = ComposingNormalizerBorrowed::new_nfkc();
    // Up and down again, so that a sharp s and two of them are one.
    let folded = form.normalize(line).to_uppercase().to_lowercase();
    let folded = form.normalize(&folded);
    // The empty pattern of braille is seen as a space, and is none to Unicode.
    let is_seen = |char: &char| !char.is_whitespace() && *char != '\u{2800}';
    folded.chars().filter(is_seen).collect()
}

/// A line that looks like no other of the same language: a voter could not tell them apart.
fn named(
    form: &mut Form,
    seen: &mut BTreeSet<String>,
    pointer: &str,
    (line, length_max): (&str, usize),
) -> String {
    let line = form.line(pointer, line, length_max);
    if !line.is_empty() && !seen.insert(look(&line)) {
        form.object(
            pointer,
            Text::fixed("与前面的一项看起来相同", "looks like one before it"),
        );
    }
    line
}

/// Questions, checked.
pub fn questions(pointer: &str, asked: &[Question], form: &mut Form) -> Vec<Question> {
    if asked.len() > QUESTIONS_MAX {
        form.object(
            pointer,
            text!("最多 {QUESTIONS_MAX} 个问题", "at most {QUESTIONS_MAX} questions"),
        );
    }
    let mut seen = BTreeSet::new();
    let (mut in_zh, mut in_en) = (BTreeSet::new(), BTreeSet::new());
    let mut questions = Vec::new();
    for (at, question) in asked.iter().enumerate() {
        let place = format!("{pointer}/{at}");
        code(form, &mut seen, &format!("{place}/code"), &question.code);
        if !(1..=WEIGHT_MAX).contains(&question.weight) {
            form.object(
                &format!("{place}/weight"),
                text!("应为 1 至 {WEIGHT_MAX}", "must be from 1 to {WEIGHT_MAX}"),
            );
        }
        let zh = (question.text_zh.as_str(), QUESTION_LENGTH_MAX);
        let en = (question.text_en.as_str(), QUESTION_LENGTH_MAX);
        questions.push(Question {
            text_zh: named(form, &mut in_zh, &format!("{place}/text_zh"), zh),
            text_en: named(form, &mut in_en, &format!("{place}/text_en"), en),
            ..question.clone()
        });
    }
    questions
}

/// A scale, checked: it falls from 100 points to 0, so that an answer can mean everything and nothing, and no two mean the same.
pub fn scale(pointer: &str, asked: &[Choice], form: &mut Form) -> Vec<Choice> {
    if !(2..=CHOICES_MAX).contains(&asked.len()) {
        form.object(
            pointer,
            text!(
                "应有 2 至 {CHOICES_MAX} 个选项",
                "must have 2 to {CHOICES_MAX} choices"
            ),
        );
    }
    let mut seen = BTreeSet::new();
    let (mut in_zh, mut in_en) = (BTreeSet::new(), BTreeSet::new());
    let mut scale = Vec::new();
    for (at, choice) in asked.iter().enumerate() {
        let place = format!("{pointer}/{at}");
        code(form, &mut seen, &format!("{place}/code"), &choice.code);
        if !(Score::ZERO..=Score::HUNDRED).contains(&choice.value) {
            form.object(
                &format!("{place}/value"),
                Text::fixed("应为 0 至 100", "must be from 0 to 100"),
            );
        }
        let zh = (choice.name_zh.as_str(), CHOICE_LENGTH_MAX);
        let en = (choice.name_en.as_str(), CHOICE_LENGTH_MAX);
        scale.push(Choice {
            name_zh: named(form, &mut in_zh, &format!("{place}/name_zh"), zh),
            name_en: named(form, &mut in_en, &format!("{place}/name_en"), en),
            ..choice.clone()
        });
    }
    falls(pointer, asked, form);
    scale
}

fn falls(pointer: &str, asked: &[Choice], form: &mut Form) {
    let is_within = |one: &Choice| (Score::ZERO..=Score::HUNDRED).contains(&one.value);
    if asked.len() < 2 || !asked.iter().all(is_within) {
        return;
    }
    let last = asked.len().saturating_sub(1);
    let mut before: Option<Score> = None;
    for (at, choice) in asked.iter().enumerate() {
        let place = format!("{pointer}/{at}/value");
        if at == 0 && choice.value != Score::HUNDRED {
            form.object(&place, Text::fixed("第一项应为 100", "the first one must be 100"));
        } else if before.is_some_and(|before| before <= choice.value) {
            form.object(
                &place,
                Text::fixed("应小于前一项", "must be less than the one before"),
            );
        } else if at == last && choice.value != Score::ZERO {
            form.object(&place, Text::fixed("最后一项应为 0", "the last one must be 0"));
        }
        before = Some(choice.value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(code: &str, value: &str) -> Choice {
        Choice {
            code: code.to_owned(),
            name_zh: format!("选{code}"),
            name_en: format!("Choice {code}"),
            value: value.parse().unwrap(),
        }
    }

    fn question(code: &str) -> Question {
        Question {
            code: code.to_owned(),
            text_zh: format!("问{code}"),
            text_en: format!("Question {code}"),
            weight: 1,
            about: None,
        }
    }

    fn said() -> BallotDocument {
        BallotDocument {
            unit: Unit::Residents,
            quorum_percent: 30,
            may_abstain: true,
            questions: vec![question("a"), question("b")],
            scale: vec![choice("x", "100"), choice("y", "50"), choice("z", "0")],
            approves_from: None,
        }
    }

    fn pointers(said: &BallotDocument, of: Of) -> Vec<String> {
        let mut form = Form::new();
        ballot(&mut form, "/ballot", (said, of));
        let refusal = form.finish(()).err();
        refusal.map_or_else(Vec::new, |refusal| {
            refusal.objections.into_iter().map(|one| one.pointer).collect()
        })
    }

    #[test]
    fn a_scale_falls_from_everything_to_nothing() {
        let none: Vec<String> = Vec::new();
        assert_eq!(pointers(&said(), Of::Work), none);
        let of = |values: &[&str]| {
            let scale = values
                .iter()
                .zip('a'..)
                .map(|(value, code)| choice(&code.to_string(), value));
            pointers(
                &BallotDocument {
                    scale: scale.collect(),
                    ..said()
                },
                Of::Work,
            )
        };
        assert_eq!(of(&["100", "0"]), none);
        assert_eq!(of(&["100"]), ["/ballot/scale"]);
        assert_eq!(of(&["100"; 11]).first().unwrap(), "/ballot/scale");
        // Both the same, as whoever wanted to fix the score beforehand would have it.
        assert_eq!(of(&["100", "100"]), ["/ballot/scale/1/value"]);
        assert_eq!(of(&["99.99", "0"]), ["/ballot/scale/0/value"]);
        assert_eq!(of(&["100", "0.01"]), ["/ballot/scale/1/value"]);
        assert_eq!(of(&["100", "40", "60", "0"]), ["/ballot/scale/2/value"]);
        assert_eq!(of(&["100.01", "0"]), ["/ballot/scale/0/value"]);
    }

    #[test]
    fn no_two_choices_or_questions_look_alike() {
        let mut alike = said();
        alike.scale[1].name_zh = alike.scale[0].name_zh.clone();
        alike.scale[2].name_en = format!(" {} ", alike.scale[0].name_en);
        alike.questions[1].text_en = alike.questions[0].text_en.clone();
        alike.questions[1].code = "a".to_owned();
        alike.quorum_percent = 0;
        assert_eq!(
            pointers(&alike, Of::Work),
            [
                "/ballot/quorum_percent",
                "/ballot/questions/1/code",
                "/ballot/questions/1/text_en",
                "/ballot/scale/1/name_zh",
                "/ballot/scale/2/name_en"
            ]
        );
    }

    #[test]
    fn lines_that_look_alike_are_told_whatever_they_are_written_with() {
        let alike = [
            ("Good", "good "),
            ("Good", "Ｇｏｏｄ"),
            ("Good", "GOOD"),
            ("Very good", "Very\u{a0}\u{3000}good"),
            ("Very good", "Verygood"),
            ("Straße", "STRASSE"),
            ("café", "cafe\u{301}"),
            ("№ 1", "No 1"),
            ("满意", "满 意"),
            ("满意（好）", "满意(好)"),
            ("1. 好", "１．好"),
        ];
        for (one, other) in alike {
            assert_eq!(look(one), look(other), "{one} {other}");
            let mut said = said();
            said.scale[0].name_zh = one.to_owned();
            said.scale[2].name_zh = other.to_owned();
            said.questions[0].text_zh = one.to_owned();
            said.questions[1].text_zh = other.to_owned();
            assert_eq!(
                pointers(&said, Of::Work),
                ["/ballot/questions/1/text_zh", "/ballot/scale/2/name_zh"]
            );
        }
        for (one, other) in [
            ("Good", "Goods"),
            ("满意", "不满意"),
            ("Good", "Good!"),
            ("好", "很好"),
            ("a", "á"),
        ] {
            assert_ne!(look(one), look(other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_asked_belongs_to_what_it_is_about() {
        let none = BallotDocument {
            questions: Vec::new(),
            may_abstain: false,
            ..said()
        };
        assert_eq!(pointers(&none, Of::Bids), Vec::<String>::new());
        assert_eq!(pointers(&none, Of::Work), ["/ballot/questions"]);
        assert_eq!(
            pointers(&said(), Of::Bids),
            ["/ballot/questions", "/ballot/may_abstain"]
        );
        assert_eq!(pointers(&said(), Of::Nothing), ["/ballot"]);
        let mut about = said();
        about.questions[0].about = Some("bid_1".to_owned());
        assert_eq!(pointers(&about, Of::Work), ["/ballot/questions/0/about"]);
        let by_area = |unit, from: &str| {
            let said = BallotDocument {
                unit,
                approves_from: Some(from.parse().unwrap()),
                ..said()
            };
            pointers(&said, Of::Work).len()
        };
        assert_eq!(
            (
                by_area(Unit::Households, "50"),
                by_area(Unit::Residents, "50"),
                by_area(Unit::Households, "0")
            ),
            (0, 1, 1)
        );
    }
}
