//! What a version of a standard says, checked: every indicator with its unit, what it demands of each grade, and how points are
//! lost. What has been made here cannot be wrong any more. Pure.

use std::collections::BTreeSet;

use crate::kernel::refusal::Objection;
use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::registry::rules_text::line_fits;
use crate::standards::rules_documents::{
    CODE_LENGTH_MAX, ContentDocument, CountsFrom, Frequency, GRADES_MAX, GradeDocument, INDICATORS_MAX,
    IndicatorDocument, LimitDocument, LossDocument, LossKind, NAME_LENGTH_MAX, Operator, SOURCE_LENGTH_MAX,
    TEXT_LENGTH_MAX, TIMES_MAX,
};
use crate::standards::rules_units::{Amount, Unit};
use crate::statutes::wording;
use crate::text;

/// A line in both languages, trimmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// A grade of places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grade {
    /// Its code in this standard.
    pub code: String,
    /// Its name.
    pub name: Line,
}

/// What is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// One number, compared by the indicator's operator.
    At(Amount),
    /// From one number to another, both counted in; the first is not more than the second.
    Between(Amount, Amount),
}

/// What is demanded of which places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limits {
    /// The same of all.
    Everywhere(Threshold),
    /// Something of each grade, in the order of the version's grades, or nothing.
    ByGrade(Vec<(String, Option<Threshold>)>),
}

/// How points are lost where an indicator is not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All that the indicator has.
    AllOrNothing,
    /// So many for each step beyond the threshold, the last one counted whole.
    PerExcess(Score, Amount),
    /// So many for each single thing.
    PerOccurrence(Score),
}

/// An indicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicator {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Line,
    /// What it demands, in words.
    pub text: Line,
    /// In what it is measured.
    pub unit: Unit,
    /// How a measured value is compared.
    pub operator: Operator,
    /// What is demanded.
    pub limits: Limits,
    /// How it is inspected.
    pub method: Line,
    /// How often, if the standard says it.
    pub frequency: Option<Frequency>,
    /// From when it runs, if it is a limit of time for each case by itself.
    pub counts_from: Option<CountsFrom>,
    /// What it is worth, if the standard says it.
    pub points: Option<Score>,
    /// How points are lost, if the standard says it.
    pub loss: Option<Loss>,
    /// Where it stands, if not where the whole standard does.
    pub source: Option<Line>,
}

impl Indicator {
    /// The thresholds by grade; the one without a grade is everybody's.
    pub fn thresholds(&self) -> Vec<(Option<&str>, Option<Threshold>)> {
        match &self.limits {
            Limits::Everywhere(threshold) => vec![(None, Some(*threshold))],
            Limits::ByGrade(all) => all
                .iter()
                .map(|(grade, threshold)| (Some(grade.as_str()), *threshold))
                .collect(),
        }
    }

    /// What is demanded of a place of this grade; nothing of a grade that it does not know.
    pub fn demanded(&self, grade: Option<&str>) -> Option<Threshold> {
        match &self.limits {
            Limits::Everywhere(threshold) => Some(*threshold),
            Limits::ByGrade(all) => all
                .iter()
                .find(|(known, _)| Some(known.as_str()) == grade)
                .and_then(|(_, threshold)| *threshold),
        }
    }

    /// A threshold in one cell of a table: `4`, `07:30`, `2..5`, `–` where nothing is demanded.
    pub fn threshold_cell(&self, threshold: Option<Threshold>) -> String {
        match threshold {
            None => NOTHING.to_owned(),
            Some(Threshold::At(at)) => self.unit.written(at.decimal()),
            Some(Threshold::Between(from, to)) => {
                format!(
                    "{}..{}",
                    self.unit.written(from.decimal()),
                    self.unit.written(to.decimal())
                )
            }
        }
    }

    /// As it is written in JSON.
    pub fn document(&self) -> IndicatorDocument {
        let limit = |(grade, threshold): (Option<&str>, Option<Threshold>)| {
            let (from, to) = match threshold {
                None => (None, None),
                Some(Threshold::At(at)) => (Some(at), None),
                Some(Threshold::Between(from, to)) => (Some(from), Some(to)),
            };
            LimitDocument {
                grade: grade.map(str::to_owned),
                threshold: from.map(|amount| self.unit.written(amount.decimal())),
                threshold_to: to.map(|amount| self.unit.written(amount.decimal())),
            }
        };
        let (source_zh, source_en) = self.source.clone().map(|line| (line.zh, line.en)).unzip();
        IndicatorDocument {
            code: self.code.clone(),
            name_zh: self.name.zh.clone(),
            name_en: self.name.en.clone(),
            text_zh: self.text.zh.clone(),
            text_en: self.text.en.clone(),
            unit: self.unit,
            operator: self.operator,
            limits: self.thresholds().into_iter().map(limit).collect(),
            method_zh: self.method.zh.clone(),
            method_en: self.method.en.clone(),
            frequency: self.frequency,
            counts_from: self.counts_from,
            points: self.points,
            loss: self.loss.map(Loss::document),
            source_zh,
            source_en,
        }
    }
}

/// What stands in a table where nothing is demanded.
pub const NOTHING: &str = "–";

impl Loss {
    /// As it is written in JSON.
    pub fn document(self) -> LossDocument {
        let (kind, points, step) = match self {
            Self::AllOrNothing => (LossKind::AllOrNothing, None, None),
            Self::PerExcess(points, step) => (LossKind::PerExcess, Some(points), Some(step.to_string())),
            Self::PerOccurrence(points) => (LossKind::PerOccurrence, Some(points), None),
        };
        LossDocument { kind, points, step }
    }
}

/// What a version says, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Why there is this version.
    pub note: Option<Line>,
    /// The grades, the strictest first.
    pub grades: Vec<Grade>,
    /// The indicators.
    pub indicators: Vec<Indicator>,
}

impl Content {
    /// Checks a document.
    ///
    /// # Errors
    /// Every fault, each with its place.
    pub fn checked(document: &ContentDocument) -> Result<Self, Vec<Objection>> {
        let mut faults = Faults::default();
        let note = faults.pair(
            "",
            "note",
            (&document.note_zh, &document.note_en),
            TEXT_LENGTH_MAX,
        );
        faults.count("/grades", document.grades.len(), GRADES_MAX);
        faults.count("/indicators", document.indicators.len(), INDICATORS_MAX);
        let mut seen = BTreeSet::new();
        let mut grades = Vec::new();
        for (place, grade) in document.grades.iter().take(GRADES_MAX).enumerate() {
            let at = format!("/grades/{place}");
            faults.code(&at, &grade.code, &mut seen);
            grades.push(Grade {
                code: grade.code.clone(),
                name: faults.line(&at, "name", (&grade.name_zh, &grade.name_en), NAME_LENGTH_MAX),
            });
        }
        let mut seen = BTreeSet::new();
        let mut indicators = Vec::new();
        for (place, indicator) in document.indicators.iter().take(INDICATORS_MAX).enumerate() {
            let at = format!("/indicators/{place}");
            faults.code(&at, &indicator.code, &mut seen);
            indicators.extend(faults.indicator(&at, indicator, &document.grades));
        }
        faults.none()?;
        Ok(Self {
            note,
            grades,
            indicators,
        })
    }

    /// The indicator of that code.
    pub fn indicator(&self, code: &str) -> Option<&Indicator> {
        self.indicators.iter().find(|indicator| indicator.code == code)
    }

    /// As it is written in JSON.
    pub fn document(&self) -> ContentDocument {
        let (note_zh, note_en) = self.note.clone().map(|line| (line.zh, line.en)).unzip();
        let grade = |grade: &Grade| GradeDocument {
            code: grade.code.clone(),
            name_zh: grade.name.zh.clone(),
            name_en: grade.name.en.clone(),
        };
        ContentDocument {
            note_zh,
            note_en,
            grades: self.grades.iter().map(grade).collect(),
            indicators: self.indicators.iter().map(Indicator::document).collect(),
        }
    }
}

/// The faults found so far.
#[derive(Default)]
struct Faults(Vec<Objection>);

impl Faults {
    fn add(&mut self, pointer: String, code: &'static str, detail: Text) {
        self.0.push(Objection {
            pointer,
            code,
            detail,
        });
    }

    fn none(self) -> Result<(), Vec<Objection>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }

    fn count(&mut self, pointer: &str, count: usize, max: usize) {
        if count > max {
            let detail = text!("最多 {max} 项", "at most {max} items");
            self.add(pointer.to_owned(), "too_many", detail);
        }
    }

    fn code<'d>(&mut self, at: &str, code: &'d str, seen: &mut BTreeSet<&'d str>) {
        if let Err(why) = wording::word(code, CODE_LENGTH_MAX) {
            self.add(format!("{at}/code"), "not_valid", why);
        } else if !seen.insert(code) {
            let detail = text!("“{code}” 重复", "`{code}` is there twice");
            self.add(format!("{at}/code"), "repeated", detail);
        }
    }

    fn words(&mut self, pointer: String, words: &str, length_max: usize) -> String {
        let trimmed = words.trim();
        if let Err(why) = line_fits(trimmed, length_max) {
            self.add(pointer, "not_valid", why);
        }
        trimmed.to_owned()
    }

    fn line(&mut self, at: &str, field: &str, (zh, en): (&str, &str), length_max: usize) -> Line {
        Line {
            zh: self.words(format!("{at}/{field}_zh"), zh, length_max),
            en: self.words(format!("{at}/{field}_en"), en, length_max),
        }
    }

    /// A line that is there in both languages or in none.
    fn pair(
        &mut self,
        at: &str,
        field: &str,
        (zh, en): (&Option<String>, &Option<String>),
        length_max: usize,
    ) -> Option<Line> {
        let missing = match (zh, en) {
            (Some(zh), Some(en)) => return Some(self.line(at, field, (zh, en), length_max)),
            (None, None) => return None,
            (None, Some(_)) => "zh",
            (Some(_), None) => "en",
        };
        self.add(
            format!("{at}/{field}_{missing}"),
            "required",
            Text::fixed(
                "中英文须同时填写",
                "is required where the other language is there",
            ),
        );
        None
    }

    fn indicator(
        &mut self,
        at: &str,
        document: &IndicatorDocument,
        grades: &[GradeDocument],
    ) -> Option<Indicator> {
        let name = self.line(
            at,
            "name",
            (&document.name_zh, &document.name_en),
            NAME_LENGTH_MAX,
        );
        let text = self.line(
            at,
            "text",
            (&document.text_zh, &document.text_en),
            TEXT_LENGTH_MAX,
        );
        let limits = self.limits(at, document, grades);
        let method = self.line(
            at,
            "method",
            (&document.method_zh, &document.method_en),
            TEXT_LENGTH_MAX,
        );
        if document
            .frequency
            .is_some_and(|frequency| !(1..=TIMES_MAX).contains(&frequency.times))
        {
            let detail = text!("应在 1 至 {TIMES_MAX} 之间", "must be from 1 to {TIMES_MAX}");
            self.add(format!("{at}/frequency/times"), "out_of_range", detail);
        }
        let runs_out = matches!(document.operator, Operator::AtMost | Operator::LessThan);
        if document.counts_from.is_some() && !(document.unit.measures_time() && runs_out) {
            self.add(
                format!("{at}/counts_from"),
                "not_a_time_limit",
                Text::fixed(
                    "仅用于以时间为单位的上限指标",
                    "is for an upper limit of time only",
                ),
            );
        }
        let hundred = Score::ZERO..=Score::HUNDRED;
        if document.points.is_some_and(|points| !hundred.contains(&points)) {
            self.add(format!("{at}/points"), "out_of_range", zero_to_hundred());
        }
        let loss = match &document.loss {
            Some(loss) => self.loss(at, loss, document).map(Some),
            None => Some(None),
        };
        let sources = (&document.source_zh, &document.source_en);
        let source = self.pair(at, "source", sources, SOURCE_LENGTH_MAX);
        Some(Indicator {
            code: document.code.clone(),
            name,
            text,
            unit: document.unit,
            operator: document.operator,
            limits: limits?,
            method,
            frequency: document.frequency,
            counts_from: document.counts_from,
            points: document.points,
            loss: loss?,
            source,
        })
    }

    fn limits(&mut self, at: &str, document: &IndicatorDocument, grades: &[GradeDocument]) -> Option<Limits> {
        let mut read = Vec::new();
        for (place, limit) in document.limits.iter().enumerate() {
            let threshold = self.threshold(&format!("{at}/limits/{place}"), limit, document);
            read.push((limit.grade.as_deref(), threshold));
        }
        if read.iter().all(|(_, threshold)| matches!(threshold, Some(None))) {
            let detail = Text::fixed("至少一级须有要求", "something must be demanded of some grade");
            self.add(format!("{at}/limits"), "required", detail);
            return None;
        }
        if let [(None, threshold)] = read.as_slice() {
            return threshold.flatten().map(Limits::Everywhere);
        }
        let mut by_grade = Vec::new();
        for grade in grades {
            let mut of_grade = read
                .iter()
                .filter(|(known, _)| *known == Some(grade.code.as_str()));
            match (of_grade.next(), of_grade.next()) {
                (Some((_, threshold)), None) => by_grade.push((grade.code.clone(), (*threshold)?)),
                (found, _) => {
                    let code = &grade.code;
                    let (fault, detail) = if found.is_some() {
                        (
                            "repeated",
                            text!("等级 {code} 重复", "the grade {code} is there twice"),
                        )
                    } else {
                        (
                            "required",
                            text!("缺少等级 {code}", "the grade {code} is missing"),
                        )
                    };
                    self.add(format!("{at}/limits"), fault, detail);
                    return None;
                }
            }
        }
        if by_grade.len() != read.len() {
            let detail = Text::fixed(
                "应为一个不分等级的限值，或对本版每个等级各一个限值",
                "must be one without a grade, or one for each grade of the version",
            );
            self.add(format!("{at}/limits"), "unknown_grade", detail);
            return None;
        }
        Some(Limits::ByGrade(by_grade))
    }

    /// `None` if it cannot be read, `Some(None)` if it demands nothing.
    fn threshold(
        &mut self,
        at: &str,
        limit: &LimitDocument,
        document: &IndicatorDocument,
    ) -> Option<Option<Threshold>> {
        let mut amount = |member: &str, words: &Option<String>| match words.as_deref() {
            None => Some(None),
            Some(words) => match document.unit.read(words) {
                Ok(amount) => Some(Some(amount)),
                Err(why) => {
                    self.add(format!("{at}/{member}"), "not_valid", why);
                    None
                }
            },
        };
        let (from, to) = (
            amount("threshold", &limit.threshold),
            amount("threshold_to", &limit.threshold_to),
        );
        match (from?, to?, document.operator) {
            (None, None, _) => Some(None),
            (Some(from), Some(to), Operator::Between) if from <= to => {
                Some(Some(Threshold::Between(from, to)))
            }
            (Some(_), Some(_), Operator::Between) => {
                let detail = Text::fixed("不得小于起始值", "must not be less than where it begins");
                self.add(format!("{at}/threshold_to"), "out_of_range", detail);
                None
            }
            (Some(at), None, operator) if operator != Operator::Between => Some(Some(Threshold::At(at))),
            _ => {
                let detail = Text::fixed(
                    "between 须有起止两个值，其他运算符只有一个",
                    "`between` needs both ends, every other operator one number",
                );
                self.add(format!("{at}/threshold_to"), "wrong_number", detail);
                None
            }
        }
    }

    fn loss(&mut self, at: &str, loss: &LossDocument, document: &IndicatorDocument) -> Option<Loss> {
        let at = format!("{at}/loss");
        let step = match &loss.step {
            None => None,
            Some(words) => match Amount::read(words) {
                Ok(step) if step > Amount::ZERO => Some(step),
                Ok(_) => {
                    let detail = Text::fixed("应大于 0", "must be more than 0");
                    self.add(format!("{at}/step"), "out_of_range", detail);
                    return None;
                }
                Err(why) => {
                    self.add(format!("{at}/step"), "not_valid", why);
                    return None;
                }
            },
        };
        if loss
            .points
            .is_some_and(|points| points <= Score::ZERO || points > Score::HUNDRED)
        {
            self.add(format!("{at}/points"), "out_of_range", zero_to_hundred());
            return None;
        }
        match (loss.kind, loss.points, step) {
            (LossKind::AllOrNothing, None, None) if document.points.is_some() => Some(Loss::AllOrNothing),
            (LossKind::AllOrNothing, None, None) => {
                let detail = Text::fixed("须填写该指标的分值", "needs the points of the indicator");
                self.add(format!("{at}/kind"), "points_missing", detail);
                None
            }
            (LossKind::PerExcess, Some(points), Some(step)) => Some(Loss::PerExcess(points, step)),
            (LossKind::PerOccurrence, Some(points), None) if document.unit.counts_single_things() => {
                Some(Loss::PerOccurrence(points))
            }
            (LossKind::PerOccurrence, Some(_), None) => {
                let detail = Text::fixed(
                    "仅用于按次、个或处计数的指标",
                    "is for what is counted one by one only",
                );
                self.add(format!("{at}/kind"), "not_countable", detail);
                None
            }
            _ => {
                let detail = Text::fixed(
                    "per_excess 须有 points 与 step，per_occurrence 只有 points，all_or_nothing 两者皆无",
                    "`per_excess` has points and a step, `per_occurrence` points only, `all_or_nothing` neither",
                );
                self.add(format!("{at}/kind"), "wrong_members", detail);
                None
            }
        }
    }
}

fn zero_to_hundred() -> Text {
    Text::fixed("应在 0 至 100 之间", "must be between 0 and 100")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn indicator() -> Value {
        json!({
            "code": "peel", "name_zh": "果皮", "name_en": "Peel", "text_zh": "果皮数", "text_en": "Peel",
            "unit": "piece_per_thousand_m2", "operator": "at_most",
            "limits": [{"grade": "a", "threshold": "4"}, {"grade": "b", "threshold": null}],
            "method_zh": "清点", "method_en": "counted", "points": "5.0",
            "loss": {"kind": "per_excess", "points": "0.5", "step": "1"},
        })
    }

    fn judged(change: impl FnOnce(&mut Value)) -> Result<Content, Vec<(String, &'static str)>> {
        let mut document = json!({
            "grades": [{"code": "a", "name_zh": "甲", "name_en": "A"}, {"code": "b", "name_zh": "乙", "name_en": "B"}],
            "indicators": [indicator()],
        });
        change(&mut document);
        let document: ContentDocument = serde_json::from_value(document).unwrap();
        Content::checked(&document).map_err(|faults| {
            faults
                .into_iter()
                .map(|fault| (fault.pointer, fault.code))
                .collect()
        })
    }

    #[test]
    fn a_good_document_is_the_same_after_it_was_checked() {
        let content = judged(|_| {}).unwrap();
        assert_eq!(Content::checked(&content.document()), Ok(content.clone()));
        let peel = content.indicator("peel").unwrap();
        assert!(peel.demanded(Some("a")).is_some() && peel.demanded(Some("b")).is_none());
        assert_eq!(peel.threshold_cell(peel.demanded(Some("b"))), NOTHING);
        assert_eq!(peel.points.unwrap().to_string(), "5.0");
        let stored = content.document().written().unwrap();
        assert_eq!(ContentDocument::stored(&stored).unwrap(), content.document());
    }

    /// What is put in the place of one member, and which fault that is.
    #[test]
    fn every_fault_is_found_where_it_is() {
        let long = "长".repeat(101);
        for (member, value, pointer, code) in [
            ("code", json!("Peel"), "code", "not_valid"),
            ("name_zh", json!("=1"), "name_zh", "not_valid"),
            ("name_en", json!(long), "name_en", "not_valid"),
            ("text_zh", json!(" "), "text_zh", "not_valid"),
            ("method_en", json!("a\u{202e}"), "method_en", "not_valid"),
            ("limits", json!([]), "limits", "required"),
            ("limits", json!([{"threshold": null}]), "limits", "required"),
            (
                "limits",
                json!([{"grade": "a", "threshold": "4"}]),
                "limits",
                "required",
            ),
            (
                "limits",
                json!([{"grade": "a", "threshold": "4"}, {"grade": "a", "threshold": "5"}]),
                "limits",
                "repeated",
            ),
            (
                "limits",
                json!([{"grade": "a", "threshold": "4"}, {"grade": "b"}, {"grade": "c"}]),
                "limits",
                "unknown_grade",
            ),
            (
                "limits",
                json!([{"threshold": "4"}, {"grade": "b"}]),
                "limits",
                "required",
            ),
            (
                "limits",
                json!([{"threshold": "-4"}]),
                "limits/0/threshold",
                "not_valid",
            ),
            (
                "limits",
                json!([{"threshold": "07:30"}]),
                "limits/0/threshold",
                "not_valid",
            ),
            (
                "limits",
                json!([{"threshold": "4", "threshold_to": "5"}]),
                "limits/0/threshold_to",
                "wrong_number",
            ),
            (
                "operator",
                json!("between"),
                "limits/0/threshold_to",
                "wrong_number",
            ),
            (
                "frequency",
                json!({"times": 0, "per": "day"}),
                "frequency/times",
                "out_of_range",
            ),
            ("counts_from", json!("report"), "counts_from", "not_a_time_limit"),
            ("points", json!("100.5"), "points", "out_of_range"),
            ("points", json!("-1"), "points", "out_of_range"),
            (
                "loss",
                json!({"kind": "per_excess", "points": "1"}),
                "loss/kind",
                "wrong_members",
            ),
            (
                "loss",
                json!({"kind": "per_excess", "points": "1", "step": "0"}),
                "loss/step",
                "out_of_range",
            ),
            (
                "loss",
                json!({"kind": "per_excess", "points": "1", "step": "x"}),
                "loss/step",
                "not_valid",
            ),
            (
                "loss",
                json!({"kind": "per_excess", "points": "0", "step": "1"}),
                "loss/points",
                "out_of_range",
            ),
            (
                "loss",
                json!({"kind": "per_occurrence", "points": "1"}),
                "loss/kind",
                "not_countable",
            ),
            (
                "loss",
                json!({"kind": "all_or_nothing", "points": "1"}),
                "loss/kind",
                "wrong_members",
            ),
            ("source_zh", json!("标准"), "source_en", "required"),
        ] {
            let told = format!("{member}: {value}");
            let faults = judged(|document| document["indicators"][0][member] = value).unwrap_err();
            let found = faults.contains(&(format!("/indicators/0/{pointer}"), code));
            assert!(found, "{told}: {faults:?}");
        }
        let without_points = |document: &mut Value| {
            document["indicators"][0]["points"] = json!(null);
            document["indicators"][0]["loss"] = json!({"kind": "all_or_nothing"});
        };
        let expected = vec![("/indicators/0/loss/kind".to_owned(), "points_missing")];
        assert_eq!(judged(without_points), Err(expected));
    }

    #[test]
    fn codes_are_there_once_and_there_is_an_end_to_everything() {
        let twice = |document: &mut Value| {
            let one = document["indicators"][0].clone();
            document["indicators"].as_array_mut().unwrap().push(one);
            let one = document["grades"][0].clone();
            document["grades"].as_array_mut().unwrap().push(one);
        };
        let faults = judged(twice).unwrap_err();
        assert!(
            faults.contains(&("/indicators/1/code".to_owned(), "repeated")),
            "{faults:?}"
        );
        assert!(
            faults.contains(&("/grades/2/code".to_owned(), "repeated")),
            "{faults:?}"
        );
        let many = |document: &mut Value| {
            let of = |n: usize| {
                let mut one = indicator();
                one["code"] = json!(format!("peel_{n}"));
                one
            };
            document["indicators"] = (0..=INDICATORS_MAX).map(of).collect();
        };
        assert_eq!(judged(many), Err(vec![("/indicators".to_owned(), "too_many")]));
        let one_language = |document: &mut Value| document["note_en"] = json!("x");
        assert_eq!(
            judged(one_language),
            Err(vec![("/note_zh".to_owned(), "required")])
        );
    }

    #[test]
    fn a_range_has_two_ends_in_order() {
        let between = |to: &'static str| {
            move |document: &mut Value| {
                document["indicators"][0]["operator"] = json!("between");
                document["indicators"][0]["limits"] = json!([{"threshold": "2", "threshold_to": to}]);
            }
        };
        let content = judged(between("5")).unwrap();
        let peel = content.indicator("peel").unwrap();
        assert_eq!(peel.threshold_cell(peel.demanded(Some("a"))), "2..5");
        let fault = ("/indicators/0/limits/0/threshold_to".to_owned(), "out_of_range");
        assert_eq!(judged(between("1")), Err(vec![fault]));
    }
}
