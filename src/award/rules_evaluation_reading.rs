//! Whether the input of an evaluation holds together: every fault with its place, all at once, those of its form and those of its meaning.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::award::rules_evaluation::{
    AbnormallyLow, BIDDER_LENGTH_MAX, BIDS_MAX, Bid, CODE_LENGTH_MAX, CRITERIA_MAX, Criterion,
    EVALUATORS_MAX, Input, Meeting, Out, PLACES_MAX, Quorum, REASON_LENGTH_MAX, SEED_LENGTH_MAX, Yuan,
};
use crate::award::rules_evaluation_checking::whole;
use crate::award::rules_evaluation_json::{Members, Reading, escaped, parsed};
use crate::books::rules_documents::{CriterionKind, Method, RoundingDocument, RoundingStage, TieRule};
use crate::kernel::fixed::Rounding;
use crate::kernel::money::Money;
use crate::kernel::refusal::Objection;
use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::kernel::weight::Weight;
use crate::text;

/// People who may come to a meeting at most.
const ELIGIBLE_MAX: u32 = 1_000_000;
/// The most that either number of a share may be.
const TERM_MAX: u32 = 1_000;

const KNOWN: [&str; 19] = [
    "method",
    "rounding",
    "ceiling",
    "budget",
    "price_points",
    "points_total",
    "min_bidders",
    "sme_deduction_percent",
    "consortium_deduction_percent",
    "evaluators",
    "technical_threshold",
    "technical_weight_percent",
    "financial_weight_percent",
    "abnormally_low",
    "meeting",
    "tie_rule",
    "draw_seed",
    "criteria",
    "bids",
];
const METHODS: [(&str, Method); 4] = [
    ("comprehensive_scoring", Method::ComprehensiveScoring),
    ("lowest_evaluated_price", Method::LowestEvaluatedPrice),
    ("quality_and_cost_based", Method::QualityAndCostBased),
    ("appraisal", Method::Appraisal),
];
const TIE_RULES: [(&str, TieRule); 3] = [
    ("price_then_draw", TieRule::PriceThenDraw),
    (
        "price_then_technical_then_draw",
        TieRule::PriceThenTechnicalThenDraw,
    ),
    (
        "technical_then_price_then_draw",
        TieRule::TechnicalThenPriceThenDraw,
    ),
];
const MODES: [(&str, Rounding); 3] = [
    ("half_up", Rounding::HalfUp),
    ("half_even", Rounding::HalfEven),
    ("down", Rounding::Down),
];
const STAGES: [(&str, RoundingStage); 2] =
    [("factor", RoundingStage::Factor), ("total", RoundingStage::Total)];
const KINDS: [(&str, CriterionKind); 3] = [
    ("technical", CriterionKind::Technical),
    ("business", CriterionKind::Business),
    ("appraisal", CriterionKind::Appraisal),
];

/// Reads an input from its text.
///
/// # Errors
/// Every fault, with its place.
pub fn read(text: &str) -> Result<Input, Vec<Objection>> {
    read_value("", &parsed(text)?)
}

/// Reads an input that is a part of a document.
///
/// # Errors
/// Every fault, with its place in that document.
pub fn read_value(pointer: &str, value: &Value) -> Result<Input, Vec<Objection>> {
    let mut reading = Reading::default();
    let members = reading.members(pointer, value, &KNOWN);
    let input = head(&mut reading, &members);
    if value.is_object() {
        whole(&mut reading, &members, &input);
    }
    reading.faults.finish(input)
}

fn head(reading: &mut Reading, members: &Members<'_>) -> Input {
    reading.needed(members, "method");
    reading.needed(members, "bids");
    Input {
        method: reading
            .word(members, "method", &METHODS)
            .unwrap_or(Method::ComprehensiveScoring),
        rounding: rounding(reading, members),
        ceiling: yuan(reading, members, "ceiling"),
        budget: yuan(reading, members, "budget"),
        price_points: points(reading, members, "price_points"),
        points_total: points(reading, members, "points_total"),
        min_bidders: reading.count(members, "min_bidders", 1..=bound(BIDS_MAX)),
        sme_deduction_percent: deduction(reading, members, "sme_deduction_percent"),
        consortium_deduction_percent: deduction(reading, members, "consortium_deduction_percent"),
        evaluators: reading.count(members, "evaluators", 1..=bound(EVALUATORS_MAX)),
        technical_threshold: points(reading, members, "technical_threshold"),
        technical_weight_percent: reading.optional(members, "technical_weight_percent"),
        financial_weight_percent: reading.optional(members, "financial_weight_percent"),
        abnormally_low: abnormally_low(reading, members),
        meeting: meeting(reading, members),
        tie_rule: reading
            .word(members, "tie_rule", &TIE_RULES)
            .unwrap_or(TieRule::PriceThenDraw),
        draw_seed: reading
            .line(members, "draw_seed", SEED_LENGTH_MAX)
            .map(str::to_owned),
        criteria: criteria(reading, members),
        bids: bids(reading, members),
    }
}

fn bound(max: usize) -> u32 {
    u32::try_from(max).unwrap_or(u32::MAX)
}

fn yuan(reading: &mut Reading, members: &Members<'_>, name: &str) -> Option<Yuan> {
    let amount: Money = reading.optional(members, name)?;
    if amount <= Money::ZERO {
        reading
            .faults
            .object(members.at(name), Text::fixed("应大于 0", "must be more than 0"));
    }
    Some(Yuan(amount))
}

fn points(reading: &mut Reading, members: &Members<'_>, name: &str) -> Option<Score> {
    let points: Score = reading.optional(members, name)?;
    if points <= Score::ZERO {
        reading
            .faults
            .object(members.at(name), Text::fixed("应大于 0", "must be more than 0"));
    }
    Some(points)
}

/// A price of which all is deducted would be none, and nothing can be divided by it.
fn deduction(reading: &mut Reading, members: &Members<'_>, name: &str) -> Option<Weight> {
    let percent: Weight = reading.optional(members, name)?;
    if percent == Weight::HUNDRED {
        reading.faults.object(
            members.at(name),
            Text::fixed("应小于 100", "must be less than 100"),
        );
    }
    Some(percent)
}

fn rounding(reading: &mut Reading, members: &Members<'_>) -> RoundingDocument {
    let usual = RoundingDocument::default();
    let Some(value) = members.get("rounding") else {
        return usual;
    };
    let members = reading.members(&members.at("rounding"), value, &["mode", "places", "stage"]);
    for name in ["mode", "places", "stage"] {
        reading.needed(&members, name);
    }
    RoundingDocument {
        mode: reading.word(&members, "mode", &MODES).unwrap_or(usual.mode),
        places: reading
            .count(&members, "places", 0..=PLACES_MAX)
            .unwrap_or(usual.places),
        stage: reading.word(&members, "stage", &STAGES).unwrap_or(usual.stage),
    }
}

fn abnormally_low(reading: &mut Reading, members: &Members<'_>) -> Option<AbnormallyLow> {
    let value = members.get("abnormally_low")?;
    let known = ["average_percent", "second_lowest_percent", "ceiling_percent"];
    let members = reading.members(&members.at("abnormally_low"), value, &known);
    Some(AbnormallyLow {
        average_percent: reading.optional(&members, "average_percent"),
        second_lowest_percent: reading.optional(&members, "second_lowest_percent"),
        ceiling_percent: reading.optional(&members, "ceiling_percent"),
    })
}

fn meeting(reading: &mut Reading, members: &Members<'_>) -> Option<Meeting> {
    let value = members.get("meeting")?;
    let members = reading.members(&members.at("meeting"), value, &["eligible", "present", "quorum"]);
    for name in ["eligible", "present", "quorum"] {
        reading.needed(&members, name);
    }
    let eligible = reading.count(&members, "eligible", 1..=ELIGIBLE_MAX)?;
    let present = reading.count(&members, "present", 1..=ELIGIBLE_MAX)?;
    let value = members.get("quorum")?;
    let known = ["numerator", "denominator", "exceeded"];
    let share = reading.members(&members.at("quorum"), value, &known);
    reading.needed(&share, "numerator");
    reading.needed(&share, "denominator");
    let quorum = Quorum {
        numerator: reading.count(&share, "numerator", 0..=TERM_MAX)?,
        denominator: reading.count(&share, "denominator", 1..=TERM_MAX)?,
        exceeded: reading.flag(&share, "exceeded"),
    };
    let meeting = Meeting {
        eligible,
        present,
        quorum,
    };
    if present > eligible {
        reading.faults.object(
            members.at("present"),
            Text::fixed("超过应到人数", "must be at most `eligible`"),
        );
    } else if !meeting.is_quorate() {
        reading.faults.object(
            members.at("present"),
            Text::fixed(
                "未达法定人数，结果无效",
                "is below the quorum: what the meeting gave does not count",
            ),
        );
    }
    Some(meeting)
}

fn criteria(reading: &mut Reading, members: &Members<'_>) -> Vec<Criterion> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (index, value) in reading.list(members, "criteria", CRITERIA_MAX).iter().enumerate() {
        let pointer = format!("{}/{index}", members.at("criteria"));
        let one = reading.members(&pointer, value, &["code", "kind", "max_points"]);
        reading.needed(&one, "code");
        reading.needed(&one, "max_points");
        let code = reading.code(&one, "code", CODE_LENGTH_MAX).unwrap_or_default();
        if !code.is_empty() && !seen.insert(code.clone()) {
            reading
                .faults
                .object(one.at("code"), Text::fixed("不得重复", "is there already"));
        }
        all.push(Criterion {
            code,
            kind: reading
                .word(&one, "kind", &KINDS)
                .unwrap_or(CriterionKind::Technical),
            max_points: points(reading, &one, "max_points").unwrap_or_default(),
        });
    }
    all
}

fn bids(reading: &mut Reading, members: &Members<'_>) -> Vec<Bid> {
    let list = reading.list(members, "bids", BIDS_MAX);
    if members
        .get("bids")
        .is_some_and(|value| value.as_array().is_some_and(Vec::is_empty))
    {
        reading.faults.object(
            members.at("bids"),
            Text::fixed("至少一家", "must have at least one"),
        );
    }
    let mut seen = BTreeSet::new();
    let mut all = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let one = bid(reading, &format!("{}/{index}", members.at("bids")), value);
        if !one.bidder.is_empty() && !seen.insert(one.bidder.clone()) {
            reading.faults.object(
                format!("{}/{index}/bidder", members.at("bids")),
                Text::fixed("不得重复", "is there already"),
            );
        }
        all.push(one);
    }
    all
}

fn bid(reading: &mut Reading, pointer: &str, value: &Value) -> Bid {
    let known = [
        "bidder",
        "price",
        "original_price",
        "sme",
        "sme_consortium",
        "scores",
        "out",
    ];
    let members = reading.members(pointer, value, &known);
    reading.needed(&members, "bidder");
    reading.needed(&members, "price");
    let (sme, sme_consortium) = (
        reading.flag(&members, "sme"),
        reading.flag(&members, "sme_consortium"),
    );
    if sme && sme_consortium {
        reading.faults.object(
            members.at("sme_consortium"),
            Text::fixed("不得同时为真", "must not be true together with `sme`"),
        );
    }
    Bid {
        bidder: reading
            .line(&members, "bidder", BIDDER_LENGTH_MAX)
            .unwrap_or_default()
            .to_owned(),
        price: yuan(reading, &members, "price").unwrap_or(Yuan(Money::ZERO)),
        original_price: yuan(reading, &members, "original_price"),
        sme,
        sme_consortium,
        scores: scores(reading, &members),
        out: out(reading, &members),
    }
}

fn out(reading: &mut Reading, members: &Members<'_>) -> Option<Out> {
    let value = members.get("out")?;
    let members = reading.members(&members.at("out"), value, &["code", "reason_zh", "reason_en"]);
    reading.needed(&members, "code");
    Some(Out {
        code: reading
            .code(&members, "code", CODE_LENGTH_MAX)
            .unwrap_or_default(),
        reason_zh: prose(reading, &members, "reason_zh"),
        reason_en: prose(reading, &members, "reason_en"),
    })
}

/// People write reasons in several lines.
fn prose(reading: &mut Reading, members: &Members<'_>, name: &str) -> Option<String> {
    let value = members.get(name)?;
    let text = value
        .as_str()
        .filter(|text| (1..=REASON_LENGTH_MAX).contains(&text.chars().count()));
    if text.is_none() {
        reading.faults.object(
            members.at(name),
            text!(
                "应为 1 至 {REASON_LENGTH_MAX} 个字符的文字",
                "must be a text of 1 to {REASON_LENGTH_MAX} characters"
            ),
        );
    }
    text.map(str::to_owned)
}

fn scores(reading: &mut Reading, members: &Members<'_>) -> BTreeMap<String, Vec<Score>> {
    let Some(value) = members.get("scores") else {
        return BTreeMap::new();
    };
    let pointer = members.at("scores");
    let all = reading.members(&pointer, value, &[]);
    let mut scores = BTreeMap::new();
    for (code, _) in all.all() {
        let list = reading.list(&all, code, EVALUATORS_MAX);
        let mut given = Vec::with_capacity(list.len());
        for (index, value) in list.iter().enumerate() {
            let place = || format!("{pointer}/{}/{index}", escaped(code));
            given.push(reading.number(value, place).unwrap_or_default());
        }
        scores.insert(code.clone(), given);
    }
    scores
}
