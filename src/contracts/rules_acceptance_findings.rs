//! What a certificate of acceptance says: of each indicator what inspections found, which is filled in, and what the officer finds; what the people served
//! think; and what is concluded from it (政府采购法实施条例 art 45). Pure.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::books::rules_documents::SourceDocument;
use crate::contracts::rules_acceptances::Conclusion;
use crate::contracts::rules_acceptances_document::{
    AcceptanceDocument, BasisDocument, Finding, FindingDocument, GradeDocument, OpinionDocument,
    RatingDocument, ScoreDocument, ValueDocument,
};
use crate::contracts::rules_inspections::InspectionId;
use crate::contracts::rules_inspections_document::ItemDocument;
use crate::contracts::rules_source_scores::{SourceScore, State as ScoreState};
use crate::kernel::refusal::{Objection, Refusal};
use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::kernel::weight::Weight;
use crate::registry::rules_text::Form;
use crate::standards::rules_evaluation::Outcome;
use crate::standards::rules_indicators::{Indicator, Line};
use crate::statutes::value::Bands;
use crate::text;
use crate::web::problem::INVALID;

/// Characters of the words on an indicator at most, and of what somebody said.
pub const WORDS_LENGTH_MAX: usize = 500;
/// Characters of a reason and of a summary at most.
pub const REASON_LENGTH_MAX: usize = 2_000;
/// Characters of a name at most.
pub const NAME_LENGTH_MAX: usize = 100;
/// People served that one certificate may name at most.
pub const SERVED_MAX: usize = 100;
/// Values of one indicator that a certificate lists at most.
pub const VALUES_MAX: usize = 20;

/// An item of an inspection that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// The inspection.
    pub inspection_id: InspectionId,
    /// The day.
    pub inspected_on: NaiveDate,
    /// The items as they hold.
    pub items: Vec<ItemDocument>,
}

/// What inspections say of each indicator, in the order of the standard.
pub fn bases(indicators: &[Indicator], inspections: &[Inspected]) -> Vec<BasisDocument> {
    let mut of_code: BTreeMap<&str, Vec<ValueDocument>> = BTreeMap::new();
    for inspection in inspections {
        for (number, item) in (1..).zip(&inspection.items) {
            if item.outcome == Outcome::NoRequirement {
                continue;
            }
            of_code.entry(&item.indicator).or_default().push(ValueDocument {
                inspection_id: inspection.inspection_id.clone(),
                item: number,
                inspected_on: inspection.inspected_on,
                value: item.value.clone(),
                measured_in: item.measured_in,
                outcome: item.outcome,
            });
        }
    }
    let basis = |indicator: &Indicator| {
        let values = of_code.remove(indicator.code.as_str()).unwrap_or_default();
        of_indicator(indicator, values)
    };
    indicators.iter().map(basis).collect()
}

fn of_indicator(indicator: &Indicator, mut values: Vec<ValueDocument>) -> BasisDocument {
    let count = |outcome: Outcome| {
        let found = values.iter().filter(|value| value.outcome == outcome).count();
        u32::try_from(found).unwrap_or(u32::MAX)
    };
    let (met, not_met) = (count(Outcome::Met), count(Outcome::NotMet));
    let suggested = match (met, not_met) {
        (0, 0) => Finding::NotInspected,
        (_, 0) => Finding::Met,
        (_, _) => Finding::NotMet,
    };
    values.sort_by(|one, other| {
        let is_met = |value: &ValueDocument| value.outcome == Outcome::Met;
        let latest = other.inspected_on.cmp(&one.inspected_on);
        let last = other.inspection_id.cmp(&one.inspection_id);
        is_met(one)
            .cmp(&is_met(other))
            .then(latest)
            .then(last)
            .then(one.item.cmp(&other.item))
    });
    values.truncate(VALUES_MAX);
    BasisDocument {
        indicator: indicator.code.clone(),
        name_zh: indicator.name.zh.clone(),
        name_en: indicator.name.en.clone(),
        met,
        not_met,
        suggested,
        values,
    }
}

/// The scores of the sources as they stand.
pub fn scores(sources: &[SourceDocument], found: &[SourceScore]) -> Vec<ScoreDocument> {
    let score = |(source, found): (&SourceDocument, &SourceScore)| ScoreDocument {
        source: source.code.clone(),
        kind: source.kind,
        name_zh: source.name_zh.clone(),
        name_en: source.name_en.clone(),
        weight: source.weight,
        state: found.state,
        score: found.score,
        count: found.count,
    };
    sources.iter().zip(found).map(score).collect()
}

/// The codes of the sources whose score can still change, or that have none yet. A rating to which too few came has none and gets none.
pub fn unsettled(scores: &[ScoreDocument]) -> Vec<String> {
    let is_final = |state| matches!(state, ScoreState::Settled | ScoreState::NonBinding);
    let open = scores.iter().filter(|one| !is_final(one.state));
    open.map(|one| one.source.clone()).collect()
}

/// The grade of a score by the statutes.
pub fn grade(bands: &Bands, score: Score) -> Option<GradeDocument> {
    bands.band_of(score).map(|band| GradeDocument {
        code: band.code.clone(),
        name_zh: band.name_zh.clone(),
        name_en: band.name_en.clone(),
    })
}

/// What the officer finds of an indicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnteredFinding {
    /// Its code.
    pub indicator: String,
    /// What is found.
    pub finding: Finding,
    /// Why.
    pub words: Option<String>,
}

/// Somebody whom the service is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedPerson {
    /// Who; for the buyer's people and auditors alone.
    pub name: String,
    /// Whether they took part.
    pub took_part: bool,
    /// What they said.
    pub words: Option<String>,
}

/// A certificate as it is drafted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// What is found, indicator by indicator.
    pub findings: Vec<EnteredFinding>,
    /// Who was invited of those whom the service is for.
    pub served: Vec<ServedPerson>,
    /// What they think, in Chinese and in English.
    pub summary: (Option<String>, Option<String>),
    /// What is concluded.
    pub conclusion: Conclusion,
    /// The part that is undisputed.
    pub undisputed: Option<Weight>,
    /// What is outstanding, or why it is refused, in Chinese and in English.
    pub reason: (Option<String>, Option<String>),
}

/// What the statutes demand of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demands {
    /// That it covers each indicator.
    pub each_standard_covered: bool,
    /// That people served were invited.
    pub served_people_invited: bool,
    /// That what they think is recorded.
    pub opinion_recorded: bool,
}

/// A certificate whose form holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What is found of every indicator, in the order of the standard.
    pub findings: Vec<FindingDocument>,
    /// Who was invited.
    pub served: Vec<ServedPerson>,
    /// What they think, as everybody may read it.
    pub opinion: OpinionDocument,
    /// What is concluded.
    pub conclusion: Conclusion,
    /// The part that is undisputed.
    pub undisputed: Weight,
    /// What is outstanding, or why it is refused.
    pub reason: Option<Line>,
}

/// A draft held against what inspections say, what the residents' rating gave, and what the statutes demand.
///
/// # Errors
/// Every fault of the form: an indicator that is not covered, or twice, or not of the contract; a finding that differs from what inspections say without a
/// word on why; nobody invited, or nothing recorded of what they think; a conclusion without what belongs to it, or with what does not.
pub fn checked(
    raw: Entered,
    bases: &[BasisDocument],
    rating: Option<RatingDocument>,
    demands: Demands,
) -> Result<Checked, Refusal> {
    let mut faults = Vec::new();
    let findings = findings(&raw.findings, bases, demands.each_standard_covered, &mut faults);
    let mut form = Form::new();
    let served = served(raw.served, demands.served_people_invited, &mut form);
    let opinion = opinion(&served, raw.summary, rating, demands.opinion_recorded, &mut form);
    let (undisputed, reason) = conclusion(raw.conclusion, raw.undisputed, raw.reason, &mut form);
    if let Err(refusal) = form.finish(()) {
        faults.extend(refusal.objections);
    }
    if !faults.is_empty() {
        return Err(INVALID.refuse().listing(faults));
    }
    Ok(Checked {
        findings,
        served,
        opinion,
        conclusion: raw.conclusion,
        undisputed,
        reason,
    })
}

fn fault(pointer: String, code: &'static str, detail: Text) -> Objection {
    Objection {
        pointer,
        code,
        detail,
    }
}

fn findings(
    entered: &[EnteredFinding],
    bases: &[BasisDocument],
    is_each_covered: bool,
    faults: &mut Vec<Objection>,
) -> Vec<FindingDocument> {
    let mut known: BTreeMap<&str, FindingDocument> = BTreeMap::new();
    for (index, one) in entered.iter().enumerate() {
        let place = format!("/findings/{index}");
        let Some(basis) = bases.iter().find(|basis| basis.indicator == one.indicator) else {
            let detail = Text::fixed(
                "合同标准中无此指标",
                "is no indicator that holds under the contract",
            );
            faults.push(fault(format!("{place}/indicator"), "unknown_indicator", detail));
            continue;
        };
        let mut form = Form::new();
        let words = form.optional_line(&format!("{place}/words"), one.words.as_deref(), WORDS_LENGTH_MAX);
        if let Err(refusal) = form.finish(()) {
            faults.extend(refusal.objections);
        }
        if words.is_none() && one.finding != basis.suggested {
            let detail = Text::fixed(
                "与考核记录不一致，应说明理由",
                "differs from what inspections say, and has to say why",
            );
            faults.push(fault(format!("{place}/words"), "finding_differs", detail));
        }
        let found = FindingDocument {
            basis: basis.clone(),
            finding: one.finding,
            words,
        };
        if known.insert(&basis.indicator, found).is_some() {
            let detail = Text::fixed("该指标重复", "is there twice");
            faults.push(fault(format!("{place}/indicator"), "twice", detail));
        }
    }
    let mut all = Vec::with_capacity(bases.len());
    for basis in bases {
        let found = known.remove(basis.indicator.as_str());
        if found.is_none() && is_each_covered {
            let (code, zh, en) = (&basis.indicator, &basis.name_zh, &basis.name_en);
            let detail = text!("未包括 {code}（{zh}）", "does not cover {code} ({en})");
            faults.push(fault("/findings".to_owned(), "not_covered", detail));
        }
        all.push(found.unwrap_or_else(|| FindingDocument {
            finding: basis.suggested,
            basis: basis.clone(),
            words: None,
        }));
    }
    all
}

fn served(raw: Vec<ServedPerson>, is_demanded: bool, form: &mut Form) -> Vec<ServedPerson> {
    if raw.len() > SERVED_MAX {
        form.object(
            "/served",
            text!("最多 {SERVED_MAX} 人", "has {SERVED_MAX} at most"),
        );
        return Vec::new();
    }
    if raw.is_empty() && is_demanded {
        let detail = Text::fixed(
            "面向公众的服务，验收应邀请服务对象参与",
            "people whom the service is for are invited to its acceptance",
        );
        form.object("/served", detail);
    }
    let mut all = Vec::with_capacity(raw.len());
    for (index, one) in raw.into_iter().enumerate() {
        let place = format!("/served/{index}");
        let name = form.line(&format!("{place}/name"), &one.name, NAME_LENGTH_MAX);
        let words = form.optional_line(&format!("{place}/words"), one.words.as_deref(), WORDS_LENGTH_MAX);
        if words.is_some() && !one.took_part {
            let detail = Text::fixed("未参与者没有意见可记", "who did not take part has said nothing");
            form.object(&format!("{place}/words"), detail);
        }
        all.push(ServedPerson {
            name,
            took_part: one.took_part,
            words,
        });
    }
    all
}

fn opinion(
    served: &[ServedPerson],
    (zh, en): (Option<String>, Option<String>),
    rating: Option<RatingDocument>,
    is_demanded: bool,
    form: &mut Form,
) -> OpinionDocument {
    let summary_zh = form.optional_line("/summary_zh", zh.as_deref(), REASON_LENGTH_MAX);
    let summary_en = form.optional_line("/summary_en", en.as_deref(), REASON_LENGTH_MAX);
    let both = || Text::fixed("应以中英文同时写明", "is said in both languages");
    if summary_zh.is_some() && summary_en.is_none() {
        form.object("/summary_en", both());
    }
    if summary_en.is_some() && summary_zh.is_none() {
        form.object("/summary_zh", both());
    }
    let statements: Vec<String> = served.iter().filter_map(|one| one.words.clone()).collect();
    if is_demanded && rating.is_none() && statements.is_empty() && summary_zh.is_none() {
        let detail = Text::fixed(
            "应记录服务对象的意见",
            "what the people served think has to be recorded",
        );
        form.object("/summary_zh", detail);
    }
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    OpinionDocument {
        rating,
        invited: count(served.len()),
        took_part: count(served.iter().filter(|one| one.took_part).count()),
        statements,
        summary_zh,
        summary_en,
    }
}

fn conclusion(
    conclusion: Conclusion,
    undisputed: Option<Weight>,
    (zh, en): (Option<String>, Option<String>),
    form: &mut Form,
) -> (Weight, Option<Line>) {
    let alien = || Text::fixed("与结论不符", "does not belong to this conclusion");
    let is_needed = conclusion != Conclusion::Accepted;
    let mut line = |pointer: &str, words: Option<String>| match words {
        Some(_) if !is_needed => {
            form.object(pointer, alien());
            String::new()
        }
        None if !is_needed => String::new(),
        words => form.line(pointer, words.as_deref().unwrap_or_default(), REASON_LENGTH_MAX),
    };
    let reason = Line {
        zh: line("/reason_zh", zh),
        en: line("/reason_en", en),
    };
    let place = "/undisputed_percent";
    let undisputed = match (conclusion, undisputed) {
        (Conclusion::AcceptedWithReservations, Some(part)) if part.ten_thousandths() > 0 => part,
        (Conclusion::AcceptedWithReservations, _) => {
            let detail = Text::fixed(
                "应写明无争议部分的百分比，大于 0",
                "the part that is undisputed is named, above 0 percent",
            );
            form.object(place, detail);
            Weight::HUNDRED
        }
        (_, Some(_)) => {
            form.object(place, alien());
            Weight::HUNDRED
        }
        (Conclusion::Accepted, None) => Weight::HUNDRED,
        (Conclusion::Refused, None) => Weight::default(),
    };
    (undisputed, is_needed.then_some(reason))
}

/// Whether what a draft rests on is not what it was: another inspection counts, a contest was decided, or a score is another. That a score has become settled
/// does not count: nothing that was written down is wrong by it.
pub fn is_overtaken(draft: &AcceptanceDocument, bases: &[BasisDocument], scores: &[ScoreDocument]) -> bool {
    let then_scores = draft.scores.iter().map(|one| (&one.source, one.score));
    let now_scores = scores.iter().map(|one| (&one.source, one.score));
    !draft.findings.iter().map(|one| &one.basis).eq(bases) || !then_scores.eq(now_scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::rules::tests::now;
    use crate::contracts::rules_inspections::judged;
    use crate::contracts::rules_inspections::tests::{content, measured};
    use crate::statutes::built_in::profiles_for;
    use crate::statutes::codes::ACCEPTANCE_GRADES;
    use proptest::prelude::*;

    const ALL: Demands = Demands {
        each_standard_covered: true,
        served_people_invited: true,
        opinion_recorded: true,
    };
    const NOTHING: Demands = Demands {
        each_standard_covered: false,
        served_people_invited: false,
        opinion_recorded: false,
    };

    fn inspected(on: &str, values: &[(&str, &str)]) -> Inspected {
        let content = content();
        let item = |(code, value): &(&str, &str)| {
            let indicator = content.indicator(code).unwrap();
            let sample = (*code == "ends").then_some("1000");
            judged(&content, indicator, Some("class_1"), &measured(value, sample)).unwrap()
        };
        Inspected {
            inspection_id: InspectionId::mint(now()),
            inspected_on: on.parse().unwrap(),
            items: values.iter().map(item).collect(),
        }
    }

    /// Ends were found twice, once as they should not be; bins once, as they should.
    fn found() -> Vec<BasisDocument> {
        let inspections = [
            inspected("2026-05-04", &[("ends", "9")]),
            inspected("2026-05-08", &[("ends", "0"), ("bins", "100")]),
        ];
        bases(&content().indicators, &inspections)
    }

    fn entered() -> Entered {
        let of = |basis: &BasisDocument| EnteredFinding {
            indicator: basis.indicator.clone(),
            finding: basis.suggested,
            words: None,
        };
        let person = |name: &str, took_part: bool, words: Option<&str>| ServedPerson {
            name: name.to_owned(),
            took_part,
            words: words.map(str::to_owned),
        };
        Entered {
            findings: found().iter().map(of).collect(),
            served: vec![
                person("张三", true, Some("早上很干净")),
                person("李四", true, None),
                person("王五", false, None),
            ],
            summary: (None, None),
            conclusion: Conclusion::Accepted,
            undisputed: None,
            reason: (None, None),
        }
    }

    fn check(raw: Entered, demands: Demands) -> Result<Checked, Vec<(String, &'static str)>> {
        let places = |refusal: Refusal| {
            let all = refusal.objections.into_iter();
            all.map(|one| (one.pointer, one.code)).collect()
        };
        checked(raw, &found(), None, demands).map_err(places)
    }

    fn places(raw: Entered, demands: Demands) -> Vec<(String, &'static str)> {
        check(raw, demands).unwrap_err()
    }

    fn place(pointer: &str, code: &'static str) -> (String, &'static str) {
        (pointer.to_owned(), code)
    }

    #[test]
    fn each_indicator_has_what_inspections_say_the_bad_first() {
        let bases = found();
        let codes: Vec<_> = bases.iter().map(|one| one.indicator.clone()).collect();
        let all: Vec<_> = content().indicators.iter().map(|one| one.code.clone()).collect();
        assert_eq!(codes, all);
        let of = |code: &str| bases.iter().find(|one| one.indicator == code).unwrap();
        let ends = of("ends");
        assert_eq!((ends.met, ends.not_met, ends.suggested), (1, 1, Finding::NotMet));
        let values: Vec<_> = ends
            .values
            .iter()
            .map(|one| (one.value.as_str(), one.outcome))
            .collect();
        assert_eq!(values, [("9", Outcome::NotMet), ("0", Outcome::Met)]);
        assert_eq!((of("bins").met, of("bins").suggested), (1, Finding::Met));
        assert!(
            bases
                .iter()
                .any(|one| one.suggested == Finding::NotInspected && one.values.is_empty())
        );
        // Of many the bad ones and the latest are listed, and all are counted.
        let many: Vec<_> = (1..=28)
            .map(|day| {
                inspected(
                    &format!("2026-05-{day:02}"),
                    &[("ends", if day % 14 == 0 { "9" } else { "0" })],
                )
            })
            .collect();
        let ends = bases_of(&many);
        assert_eq!((ends.met, ends.not_met, ends.values.len()), (26, 2, VALUES_MAX));
        let days: Vec<_> = ends
            .values
            .iter()
            .map(|one| one.inspected_on.to_string())
            .collect();
        assert_eq!(
            days[..4],
            ["2026-05-28", "2026-05-14", "2026-05-27", "2026-05-26"]
        );
    }

    fn bases_of(inspections: &[Inspected]) -> BasisDocument {
        let all = bases(&content().indicators, inspections);
        all.into_iter().find(|one| one.indicator == "ends").unwrap()
    }

    #[test]
    fn a_certificate_covers_each_indicator_once_and_says_why_it_differs() {
        let good = check(entered(), ALL).unwrap();
        assert_eq!(good.findings.len(), content().indicators.len());
        assert_eq!((good.undisputed, good.reason), (Weight::HUNDRED, None));
        let mut raw = entered();
        let taken = raw.findings.remove(0);
        assert_eq!(places(raw.clone(), ALL), [place("/findings", "not_covered")]);
        // Where no rule demands it, what is left out stands as inspections say.
        let lenient = check(raw.clone(), NOTHING).unwrap();
        assert_eq!(lenient.findings.len(), content().indicators.len());
        raw.findings.push(EnteredFinding {
            indicator: "dust".to_owned(),
            ..taken.clone()
        });
        let last = raw.findings.len() - 1;
        assert_eq!(
            places(raw.clone(), ALL),
            [
                place(&format!("/findings/{last}/indicator"), "unknown_indicator"),
                place("/findings", "not_covered")
            ]
        );
        raw.findings.clear();
        assert_eq!(places(raw, ALL).len(), content().indicators.len());
        let mut raw = entered();
        raw.findings.push(taken);
        let last = raw.findings.len() - 1;
        assert_eq!(
            places(raw, ALL),
            [place(&format!("/findings/{last}/indicator"), "twice")]
        );
        let mut raw = entered();
        let ends = raw
            .findings
            .iter()
            .position(|one| one.indicator == "ends")
            .unwrap();
        raw.findings[ends].finding = Finding::Met;
        assert_eq!(
            places(raw.clone(), ALL),
            [place(&format!("/findings/{ends}/words"), "finding_differs")]
        );
        raw.findings[ends].words = Some("已当场清理".to_owned());
        assert_eq!(check(raw, ALL).unwrap().findings[ends].finding, Finding::Met);
    }

    #[test]
    fn the_people_served_are_invited_and_heard_and_their_names_are_nobodys() {
        let good = check(entered(), ALL).unwrap();
        let opinion = &good.opinion;
        assert_eq!(
            (opinion.invited, opinion.took_part, opinion.statements.as_slice()),
            (3, 2, ["早上很干净".to_owned()].as_slice())
        );
        assert!(!serde_json::to_string(opinion).unwrap().contains("张三"));
        let mut raw = entered();
        raw.served.clear();
        assert_eq!(
            places(raw.clone(), ALL),
            [place("/served", "invalid"), place("/summary_zh", "invalid")]
        );
        assert!(check(raw.clone(), NOTHING).is_ok());
        raw.summary = (Some("总体满意".to_owned()), None);
        assert_eq!(
            places(raw.clone(), ALL),
            [place("/served", "invalid"), place("/summary_en", "invalid")]
        );
        // The residents' rating is what they think.
        let rating = RatingDocument {
            score: "87.6".parse().unwrap(),
            count: 200,
            is_settled: true,
        };
        let mut raw = entered();
        raw.served.iter_mut().for_each(|one| one.words = None);
        assert_eq!(places(raw.clone(), ALL), [place("/summary_zh", "invalid")]);
        assert_eq!(
            checked(raw, &found(), Some(rating.clone()), ALL)
                .unwrap()
                .opinion
                .rating,
            Some(rating)
        );
        let mut raw = entered();
        raw.served[2].words = Some("没去".to_owned());
        raw.served[0].name = "=1".to_owned();
        assert_eq!(
            places(raw, ALL),
            [
                place("/served/0/name", "invalid"),
                place("/served/2/words", "invalid")
            ]
        );
        let mut raw = entered();
        raw.served = vec![raw.served[0].clone(); SERVED_MAX + 1];
        assert_eq!(places(raw, ALL)[0], place("/served", "invalid"));
    }

    #[test]
    fn a_conclusion_has_what_belongs_to_it() {
        let concluding = |conclusion, undisputed: Option<&str>, zh: Option<&str>, en: Option<&str>| {
            let raw = Entered {
                conclusion,
                undisputed: undisputed.map(|part| part.parse().unwrap()),
                reason: (zh.map(str::to_owned), en.map(str::to_owned)),
                ..entered()
            };
            check(raw, ALL)
        };
        let wrong = |result: Result<Checked, Vec<(String, &'static str)>>| {
            result
                .unwrap_err()
                .into_iter()
                .map(|one| one.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            wrong(concluding(Conclusion::Accepted, Some("90"), Some("x"), None)),
            ["/reason_zh", "/undisputed_percent"]
        );
        assert_eq!(
            wrong(concluding(
                Conclusion::AcceptedWithReservations,
                None,
                Some("缺两处"),
                None
            )),
            ["/reason_en", "/undisputed_percent"]
        );
        assert_eq!(
            wrong(concluding(
                Conclusion::AcceptedWithReservations,
                Some("0"),
                Some("缺"),
                Some("Two")
            )),
            ["/undisputed_percent"]
        );
        let part = concluding(
            Conclusion::AcceptedWithReservations,
            Some("82.5"),
            Some("缺"),
            Some("Two"),
        )
        .unwrap();
        assert_eq!(
            (part.undisputed.to_string(), part.reason.unwrap().en),
            ("82.5".to_owned(), "Two".to_owned())
        );
        assert_eq!(
            wrong(concluding(Conclusion::Refused, Some("1"), None, Some("x"))),
            ["/reason_zh", "/undisputed_percent"]
        );
        let refused = concluding(Conclusion::Refused, None, Some("缺"), Some("Two")).unwrap();
        assert_eq!(refused.undisputed.ten_thousandths(), 0);
    }

    #[test]
    fn grades_have_their_lower_border() {
        let profile = profiles_for("cn").unwrap().pop().unwrap();
        let bands = profile.rule(ACCEPTANCE_GRADES).unwrap();
        let of = |score: &str| grade(&bands, score.parse().unwrap()).unwrap().name_zh;
        for (score, name) in [
            ("100", "优"),
            ("90", "优"),
            ("89.99", "良"),
            ("80", "良"),
            ("79.99", "中"),
            ("60", "中"),
            ("59.99", "差"),
            ("0", "差"),
        ] {
            assert_eq!(of(score), name, "{score}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_left_out_is_named(keep in prop::collection::vec(any::<bool>(), 20)) {
            let mut raw = entered();
            let count = raw.findings.len();
            let mut kept = keep.into_iter();
            raw.findings.retain(|_| kept.next().unwrap());
            let missing = count - raw.findings.len();
            match check(raw, ALL) {
                Ok(good) => prop_assert!(missing == 0 && good.findings.len() == count),
                Err(found) => prop_assert_eq!(found, vec![place("/findings", "not_covered"); missing]),
            }
        }
    }
}
