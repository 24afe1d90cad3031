//! What an inspection finds: measured values held against the indicators that the contract fixed, and every fault of what is written down told at once.
//! What it is worth is reckoned in `rules_points.rs`. Pure.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

use crate::books::rules_documents::{SourceDocument, SourceKind};
use crate::contracts::rules_inspections_document::ItemDocument;
use crate::contracts::rules_periods::Schedule;
use crate::contracts::rules_plans::Stop;
use crate::contracts::rules_points::points;
use crate::files::rules::AttachmentId;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Kind as ReasonKind, Objection, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::{Form, YEARS};
use crate::standards::rules_evaluation::{Measured, evaluate};
use crate::standards::rules_indicators::{Content, Indicator};
use crate::standards::rules_units::Unit;
use crate::text;
use crate::web::problem::INVALID;

crate::ids! {
    /// An inspection.
    InspectionId "inspection"
}

/// Items of one inspection at most.
pub const ITEMS_MAX: usize = 100;
/// Photos of one inspection at most.
pub const PHOTOS_MAX: usize = 50;
/// Inspections of one period at most.
pub const INSPECTIONS_MAX: i64 = 2_000;
/// Characters of where exactly it was.
pub const LOCATION_LENGTH_MAX: usize = 200;
/// Characters of a note on an item.
pub const NOTE_LENGTH_MAX: usize = 500;
/// Characters of a note on the whole, of a reason, of a decision.
pub const REASON_LENGTH_MAX: usize = 2_000;

/// Annulled, it counts for nothing and nothing is done to it any more.
pub static ANNULLED: Reason = Reason::new(
    ReasonKind::Conflict,
    "inspection_annulled",
    "该考核记录已作废",
    "The inspection was annulled",
);
/// There are as many as there may be.
pub static TOO_MANY: Reason = Reason::new(
    ReasonKind::Conflict,
    "inspection_too_many",
    "本期考核记录过多",
    "The period has as many inspections as there may be",
);
/// Nobody inspects what they answer for themself.
pub static OWN_WORK: Reason = Reason::new(
    ReasonKind::Forbidden,
    "inspection_of_own_work",
    "不得考核或裁定本人所代理单位的服务",
    "Whoever acts for the contractor does not inspect its work, nor decide about that",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 3] = [&ANNULLED, &TOO_MANY, &OWN_WORK];

/// A value that was measured, as it was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// How much.
    pub value: String,
    /// In which unit; that of the indicator if it is not said, or what is counted where a sample is given.
    pub unit: Option<Unit>,
    /// On how many square metres it was counted.
    pub sample_area_m2: Option<String>,
}

/// An item of a new inspection.
#[derive(Clone, Debug)]
pub struct NewItem {
    /// The code of the indicator.
    pub indicator: String,
    /// What was measured.
    pub measured: Measurement,
    /// What the inspector says of it.
    pub note: Option<String>,
    /// Photos: attachments of the inspector's own that hang on nothing.
    pub photos: Vec<AttachmentId>,
}

/// A new inspection.
#[derive(Clone, Debug)]
pub struct NewInspection {
    /// The code of the source of the period's score.
    pub source: String,
    /// The number of the lot's place.
    pub place: Option<i64>,
    /// Where exactly.
    pub location: Option<String>,
    /// The grade of the place.
    pub grade: Option<String>,
    /// When it began.
    pub started_at: Instant,
    /// Whether everybody may see the photos.
    pub photos_are_public: bool,
    /// What was inspected.
    pub items: Vec<NewItem>,
    /// What the inspector says of it.
    pub note: Option<String>,
}

/// What a new inspection is held against.
pub struct Facts<'f> {
    /// The indicators that the contract fixed.
    pub content: &'f Content,
    /// The sources of its periods' scores.
    pub sources: &'f [SourceDocument],
    /// How many places its lot has.
    pub places: usize,
    /// Its periods.
    pub schedule: &'f Schedule,
    /// The stop of a plan that is inspected.
    pub stop: Option<&'f Stop>,
    /// The instant.
    pub now: Instant,
    /// The ward's zone.
    pub zone: Tz,
}

/// A new inspection that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The period in which it lies.
    pub period: i64,
    /// The day.
    pub inspected_on: NaiveDate,
    /// The number of the lot's place.
    pub place: Option<i64>,
    /// Where exactly.
    pub location: Option<String>,
    /// The grade of the place.
    pub grade: Option<String>,
    /// Its items, without their photos.
    pub items: Vec<ItemDocument>,
    /// What the inspector says of it.
    pub note: Option<String>,
}

/// The source of that code, if inspections count to it.
pub fn inspected_source<'s>(sources: &'s [SourceDocument], code: &str) -> Option<&'s SourceDocument> {
    let mut known = sources.iter();
    known.find(|source| source.code == code && source.kind == SourceKind::Inspection)
}

/// What is wrong with a source to which no inspection counts.
pub fn no_such_source() -> Text {
    Text::fixed(
        "合同中没有这个考核来源",
        "the contract has no such source of inspections",
    )
}

fn fault(pointer: impl Into<String>, code: &'static str, detail: Text) -> Objection {
    Objection {
        pointer: pointer.into(),
        code,
        detail,
    }
}

/// Checks a new inspection; every fault is listed.
///
/// # Errors
/// [`INVALID`].
pub fn checked(new: &NewInspection, facts: &Facts<'_>) -> Result<Checked, Refusal> {
    let mut form = Form::new();
    let mut faults = Vec::new();
    if inspected_source(facts.sources, &new.source).is_none() {
        faults.push(fault("/source", "unknown_source", no_such_source()));
    }
    // Instants far beyond all wards have no local date.
    let is_thinkable = new.started_at <= facts.now && YEARS.contains(&new.started_at.year());
    let inspected_on = is_thinkable.then(|| local_date(new.started_at, facts.zone));
    let period = inspected_on.and_then(|day| facts.schedule.period_of(day));
    if new.started_at > facts.now {
        form.object(
            "/started_at",
            Text::fixed("不得晚于现在", "must not lie in the future"),
        );
    } else if period.is_none() {
        let detail = Text::fixed("不在合同的任何一期之内", "lies in none of the contract's periods");
        faults.push(fault("/started_at", "outside_periods", detail));
    }
    let (place, grade) = place_and_grade(new, facts, &mut faults);
    let location = form.optional_line("/location", new.location.as_deref(), LOCATION_LENGTH_MAX);
    if place.is_none() && location.is_none() {
        let detail = Text::fixed("应写明地点", "say the place, or where it was");
        faults.push(fault("/location", "required", detail));
    }
    let note = form.optional_line("/note", new.note.as_deref(), REASON_LENGTH_MAX);
    // What is wrong with the grade is said once; whatever else is wrong with a value is found with any other.
    let is_known = faults.iter().all(|one: &Objection| one.pointer != "/grade");
    let any = || facts.content.grades.first().map(|grade| grade.code.as_str());
    let judged_as = if is_known { grade.as_deref() } else { any() };
    let items = items(new, facts.content, judged_as, (&mut form, &mut faults));
    if let Err(refusal) = form.finish(()) {
        faults.extend(refusal.objections);
    }
    let (Some(period), Some(inspected_on), true) = (period, inspected_on, faults.is_empty()) else {
        return Err(INVALID.refuse().listing(faults));
    };
    Ok(Checked {
        period: period.number,
        inspected_on,
        place,
        location,
        grade,
        items,
        note,
    })
}

fn place_and_grade(
    new: &NewInspection,
    facts: &Facts<'_>,
    faults: &mut Vec<Objection>,
) -> (Option<i64>, Option<String>) {
    let of_stop = || Text::fixed("与抽定的检查点不符", "is not that of the stop that was drawn");
    let (mut place, mut grade) = (new.place, new.grade.clone());
    if let Some(stop) = facts.stop {
        if place.is_some_and(|place| place != stop.place) {
            faults.push(fault("/place", "not_that_of_the_stop", of_stop()));
        }
        if grade.is_some() && stop.grade.is_some() && grade != stop.grade {
            faults.push(fault("/grade", "not_that_of_the_stop", of_stop()));
        }
        place = Some(stop.place);
        grade = stop.grade.clone().or(grade);
    }
    let is_there = |place: i64| usize::try_from(place).is_ok_and(|place| (1..=facts.places).contains(&place));
    if place.is_some_and(|place| !is_there(place)) {
        let detail = Text::fixed("标段没有这个地点", "the lot has no such place");
        faults.push(fault("/place", "unknown_place", detail));
    }
    let grades = &facts.content.grades;
    match &grade {
        None if !grades.is_empty() => {
            let detail = Text::fixed("请注明地点的等级", "is required: the standard tells grades apart");
            faults.push(fault("/grade", "required", detail));
        }
        Some(grade) if !grades.iter().any(|known| known.code == *grade) => {
            let detail = Text::fixed("标准没有这个等级", "the standard has no such grade");
            faults.push(fault("/grade", "unknown_grade", detail));
        }
        _ => {}
    }
    (place, grade)
}

fn items(
    new: &NewInspection,
    content: &Content,
    grade: Option<&str>,
    (form, faults): (&mut Form, &mut Vec<Objection>),
) -> Vec<ItemDocument> {
    if !(1..=ITEMS_MAX).contains(&new.items.len()) {
        form.object(
            "/items",
            text!("应为 1 至 {ITEMS_MAX} 项", "must be 1 to {ITEMS_MAX} items"),
        );
    }
    let photos = new.items.iter().map(|item| item.photos.len()).sum::<usize>();
    if photos > PHOTOS_MAX {
        let detail = text!(
            "照片合计最多 {PHOTOS_MAX} 张",
            "at most {PHOTOS_MAX} photos together"
        );
        faults.push(fault("/items", "too_many_photos", detail));
    }
    let mut seen = BTreeSet::new();
    let mut checked = Vec::new();
    for (index, item) in new.items.iter().take(ITEMS_MAX).enumerate() {
        let at = format!("/items/{index}");
        let note = form.optional_line(&format!("{at}/note"), item.note.as_deref(), NOTE_LENGTH_MAX);
        let Some(indicator) = content.indicator(&item.indicator) else {
            let detail = Text::fixed("合同中没有这个指标", "the contract has no such indicator");
            faults.push(fault(format!("{at}/indicator"), "unknown_indicator", detail));
            continue;
        };
        if !seen.insert(item.indicator.as_str()) {
            let detail = Text::fixed("重复", "is there twice");
            faults.push(fault(format!("{at}/indicator"), "repeated", detail));
            continue;
        }
        match judged(content, indicator, grade, &item.measured) {
            Ok(judged) => checked.push(ItemDocument { note, ..judged }),
            Err(objection) => faults.push(Objection {
                pointer: format!("{at}{}", objection.pointer),
                ..objection
            }),
        }
    }
    checked
}

/// A measured value held against an indicator.
///
/// # Errors
/// The first fault of the measurement, with its place in it.
pub fn judged(
    content: &Content,
    indicator: &Indicator,
    grade: Option<&str>,
    measured: &Measurement,
) -> Result<ItemDocument, Objection> {
    let counted = indicator
        .unit
        .counted()
        .filter(|_| measured.sample_area_m2.is_some());
    let unit = measured.unit.or(counted).unwrap_or(indicator.unit);
    let evaluation = evaluate(
        content,
        indicator,
        grade,
        &Measured {
            unit,
            value: measured.value.clone(),
            sample_area_m2: measured.sample_area_m2.clone(),
        },
    )?;
    let points = points(indicator, &evaluation);
    Ok(ItemDocument {
        indicator: indicator.code.clone(),
        name_zh: indicator.name.zh.clone(),
        name_en: indicator.name.en.clone(),
        operator: indicator.operator,
        demanded: indicator.threshold_cell(indicator.demanded(grade)),
        unit: indicator.unit,
        value: measured.value.clone(),
        measured_in: unit,
        sample_area_m2: measured.sample_area_m2.clone(),
        outcome: evaluation.outcome,
        basis: points.basis,
        possible: points.possible,
        lost: points.lost,
        note: None,
        photos: Vec::new(),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::contracts::rules_periods::{Period, Span};
    use crate::kernel::money::Money;
    use crate::standards::rules_documents::ContentDocument;
    use chrono::{Duration, TimeZone, Utc};
    use serde_json::json;

    /// One indicator of each kind, for places of two grades.
    pub fn content() -> Content {
        let indicator = |code: &str, more: serde_json::Value| {
            let mut whole = json!({
                "code": code, "name_zh": "指标", "name_en": "Indicator", "text_zh": "要求", "text_en": "Demand", "unit": "percent", "operator": "at_least",
                "limits": [{"grade": null, "threshold": "95"}], "method_zh": "查看", "method_en": "Looked at"
            });
            whole
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            whole
        };
        let document: ContentDocument = serde_json::from_value(json!({
            "grades": [{"code": "class_1", "name_zh": "一级", "name_en": "Class 1"}, {"code": "class_4", "name_zh": "四级", "name_en": "Class 4"}],
            "indicators": [
                indicator("ends", json!({"unit": "piece_per_thousand_m2", "operator": "at_most", "points": "5", "loss": {"kind": "per_excess", "points": "0.5", "step": "1"},
                    "limits": [{"grade": "class_1", "threshold": "4"}, {"grade": "class_4", "threshold": "15"}]})),
                indicator("washing", json!({"unit": "per_week", "limits": [{"grade": "class_1", "threshold": "3"}, {"grade": "class_4", "threshold": null}]})),
                indicator("bins", json!({"points": "3"})),
                indicator("asleep", json!({"unit": "occurrence", "operator": "at_most", "limits": [{"grade": null, "threshold": "0"}], "loss": {"kind": "per_occurrence", "points": "3"}})),
                indicator("first_sweep", json!({"unit": "time_of_day", "operator": "at_most", "limits": [{"grade": null, "threshold": "07:30"}]})),
            ]
        }))
        .unwrap();
        Content::checked(&document).unwrap()
    }

    pub fn sources() -> Vec<SourceDocument> {
        serde_json::from_value(json!([
            {"code": "daily", "kind": "inspection", "name_zh": "日常", "name_en": "Daily", "weight": "50"},
            {"code": "monthly", "kind": "inspection", "name_zh": "月度", "name_en": "Monthly", "weight": "30"},
            {"code": "rating", "kind": "rating", "name_zh": "满意度", "name_en": "Rating", "weight": "20"}
        ]))
        .unwrap()
    }

    pub fn measured(value: &str, sample: Option<&str>) -> Measurement {
        Measurement {
            value: value.to_owned(),
            unit: None,
            sample_area_m2: sample.map(str::to_owned),
        }
    }

    pub fn item(code: &str, value: &str, sample: Option<&str>) -> NewItem {
        NewItem {
            indicator: code.to_owned(),
            measured: measured(value, sample),
            note: None,
            photos: Vec::new(),
        }
    }

    fn now() -> Instant {
        Utc.with_ymd_and_hms(2026, 5, 8, 1, 0, 0).unwrap()
    }

    fn schedule() -> Schedule {
        let day = |text: &str| text.parse().unwrap();
        let period = |number, first: &str, last: &str| Period {
            number,
            span: Span {
                first: day(first),
                last: day(last),
            },
            amount: Money::ZERO,
        };
        Schedule {
            kind: crate::books::rules_documents::PeriodKind::Month,
            advance: Money::ZERO,
            retention: Money::ZERO,
            periods: vec![
                period(1, "2026-05-01", "2026-05-31"),
                period(2, "2026-06-01", "2026-06-30"),
            ],
        }
    }

    pub fn new(items: Vec<NewItem>) -> NewInspection {
        NewInspection {
            source: "daily".to_owned(),
            place: Some(1),
            location: None,
            grade: Some("class_1".to_owned()),
            started_at: now(),
            photos_are_public: false,
            items,
            note: None,
        }
    }

    pub fn check(new: &NewInspection, stop: Option<&Stop>) -> Result<Checked, Vec<(String, &'static str)>> {
        let (content, sources, schedule) = (content(), sources(), schedule());
        let facts = Facts {
            content: &content,
            sources: &sources,
            places: 2,
            schedule: &schedule,
            stop,
            now: now(),
            zone: chrono_tz::Asia::Shanghai,
        };
        let faults = |refusal: Refusal| {
            refusal
                .objections
                .into_iter()
                .map(|one| (one.pointer, one.code))
                .collect()
        };
        checked(new, &facts).map_err(faults)
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let mut wrong = new(vec![
            item("ends", "7", None),
            item("bins", "101", None),
            item("nothing", "1", None),
            item("bins", "95", None),
            item("first_sweep", "7:30", None),
            item("washing", "1", Some("10")),
        ]);
        wrong.source = "rating".to_owned();
        wrong.place = Some(3);
        wrong.started_at = now() - Duration::days(8);
        wrong.note = Some("=1".to_owned());
        wrong.items[0].measured.unit = Some(Unit::Hour);
        let faults = check(&wrong, None).unwrap_err();
        let expected = [
            ("/source", "unknown_source"),
            ("/started_at", "outside_periods"),
            ("/place", "unknown_place"),
            ("/items/0/unit", "wrong_dimension"),
            ("/items/1/value", "not_valid"),
            ("/items/2/indicator", "unknown_indicator"),
            ("/items/3/indicator", "repeated"),
            ("/items/4/value", "not_valid"),
            ("/items/5/sample_area_m2", "not_wanted"),
            ("/note", "invalid"),
        ];
        assert_eq!(faults, expected.map(|(pointer, code)| (pointer.to_owned(), code)));

        let mut without = new(vec![item("ends", "1", Some("100"))]);
        (without.place, without.grade) = (None, None);
        without.started_at = now() + Duration::microseconds(1);
        let faults = check(&without, None).unwrap_err();
        let pointers: Vec<&str> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(pointers, ["/grade", "/location", "/started_at"]);
        without.grade = Some("class_9".to_owned());
        assert_eq!(
            check(&without, None).unwrap_err()[0],
            ("/grade".to_owned(), "unknown_grade")
        );
        assert_eq!(check(&new(Vec::new()), None).unwrap_err()[0].0, "/items");
        let many = vec![
            NewItem {
                photos: vec![AttachmentId::mint(now()); 26],
                ..item("bins", "95", None)
            };
            2
        ];
        assert_eq!(
            check(&new(many), None).unwrap_err()[0],
            ("/items".to_owned(), "too_many_photos")
        );
    }

    #[test]
    fn a_stop_says_where_and_nobody_says_otherwise() {
        let stop = Stop {
            number: 1,
            place: 2,
            grade: Some("class_4".to_owned()),
        };
        let mut planned = new(vec![item("ends", "15", Some("1000"))]);
        let faults = check(&planned, Some(&stop)).unwrap_err();
        let codes: Vec<_> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(codes, ["/place", "/grade"]);
        (planned.place, planned.grade) = (None, None);
        let checked = check(&planned, Some(&stop)).unwrap();
        assert_eq!(
            (checked.place, checked.grade.as_deref(), checked.period),
            (Some(2), Some("class_4"), 1)
        );
        // A lot whose quantities name no grade leaves it to the inspector.
        let ungraded = Stop { grade: None, ..stop };
        assert_eq!(check(&planned, Some(&ungraded)).unwrap_err()[0].0, "/grade");
    }
}
