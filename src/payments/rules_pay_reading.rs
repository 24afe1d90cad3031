//! Whether what a period's pay goes in with holds together: every fault with its place, all at once. Pure.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::Value;

use crate::award::rules_evaluation::Yuan;
use crate::award::rules_evaluation_json::{Members, Reading};
use crate::books::rules_bands;
use crate::books::rules_documents::{BandDocument, WithoutScore};
use crate::kernel::money::Money;
use crate::kernel::refusal::Objection;
use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::kernel::weight::{Weight, weights_sum_to_hundred};
use crate::payments::rules_pay::{
    BANDS_MAX, Band, CODE_LENGTH_MAX, COUNT_MAX, Input, NAME_LENGTH_MAX, PENALTIES_MAX, Penalty, SOURCES_MAX,
    Source, TABLES_MAX, Table,
};
use crate::registry::rules_text::Form;
use crate::text;

const KNOWN: [&str; 6] = [
    "fee",
    "without_score",
    "sources",
    "tables",
    "penalties",
    "advance_recovery",
];
const WITHOUT: [(&str, WithoutScore); 2] = [
    ("redistributed", WithoutScore::Redistributed),
    ("full_marks", WithoutScore::FullMarks),
];

/// Reads an input, which may be a part of a document.
///
/// # Errors
/// Every fault, with its place in that document.
pub fn read_value(pointer: &str, value: &Value) -> Result<Input, Vec<Objection>> {
    let mut reading = Reading::default();
    let members = reading.members(pointer, value, &KNOWN);
    reading.needed(&members, "fee");
    let sources = sources(&mut reading, &members);
    let tables = tables(&mut reading, &members, &sources);
    let input = Input {
        fee: yuan(&mut reading, &members, "fee").unwrap_or(Yuan(Money::ZERO)),
        without_score: reading
            .word(&members, "without_score", &WITHOUT)
            .unwrap_or_default(),
        sources,
        tables,
        penalties: penalties(&mut reading, &members),
        advance_recovery: yuan(&mut reading, &members, "advance_recovery"),
    };
    reading.faults.finish(input)
}

fn yuan(reading: &mut Reading, members: &Members<'_>, name: &str) -> Option<Yuan> {
    let amount: Money = reading.optional(members, name)?;
    if amount.is_negative() {
        reading
            .faults
            .object(members.at(name), Text::fixed("不得为负", "must not be negative"));
    }
    Some(Yuan(amount))
}

/// A score between nothing and full marks.
fn score(reading: &mut Reading, members: &Members<'_>, name: &str) -> Option<Score> {
    let score: Score = reading.optional(members, name)?;
    if score < Score::ZERO || score > Score::HUNDRED {
        reading.faults.object(
            members.at(name),
            Text::fixed("应为 0 至 100", "must be from 0 to 100"),
        );
    }
    Some(score)
}

fn sources(reading: &mut Reading, members: &Members<'_>) -> Vec<Source> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (index, value) in reading.list(members, "sources", SOURCES_MAX).iter().enumerate() {
        let pointer = format!("{}/{index}", members.at("sources"));
        let one = reading.members(&pointer, value, &["code", "weight", "score", "non_binding"]);
        reading.needed(&one, "code");
        reading.needed(&one, "weight");
        let code = reading.code(&one, "code", CODE_LENGTH_MAX).unwrap_or_default();
        if !code.is_empty() && !seen.insert(code.clone()) {
            reading
                .faults
                .object(one.at("code"), Text::fixed("不得重复", "is there already"));
        }
        all.push(Source {
            code,
            weight: reading.optional(&one, "weight").unwrap_or_default(),
            score: score(reading, &one, "score"),
            non_binding: reading.flag(&one, "non_binding"),
        });
    }
    let weights: Vec<Weight> = all.iter().map(|one| one.weight).collect();
    if !all.is_empty() && weights_sum_to_hundred(&weights).is_err() {
        let sum: Decimal = weights.iter().map(|weight| weight.percent()).sum();
        reading.faults.object(
            members.at("sources"),
            text!(
                "权重之和应为 100，现为 {sum}",
                "must have weights that add up to 100, and not to {sum}"
            ),
        );
    }
    all
}

fn tables(reading: &mut Reading, members: &Members<'_>, sources: &[Source]) -> Vec<Table> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (index, value) in reading.list(members, "tables", TABLES_MAX).iter().enumerate() {
        let pointer = format!("{}/{index}", members.at("tables"));
        let one = reading.members(&pointer, value, &["source", "bands"]);
        let source = reading.code(&one, "source", CODE_LENGTH_MAX);
        if !seen.insert(source.clone()) {
            reading.faults.object(
                one.at("source"),
                Text::fixed("同一来源不得有两张表", "has a table already"),
            );
        }
        if let Some(code) = &source
            && sources.iter().all(|source| source.code != *code)
        {
            reading
                .faults
                .object(one.at("source"), Text::fixed("没有该来源", "is no source"));
        }
        let bands = bands(reading, &one);
        all.push(Table { source, bands });
    }
    all
}

fn bands(reading: &mut Reading, members: &Members<'_>) -> Vec<Band> {
    let mut all = Vec::new();
    let list = reading.list(members, "bands", BANDS_MAX);
    let known = [
        "from",
        "to",
        "base_rate",
        "rate_per_point",
        "amount_per_point",
        "flat_amount",
        "point_step",
    ];
    let mut are_whole = true;
    for (index, value) in list.iter().enumerate() {
        let pointer = format!("{}/{index}", members.at("bands"));
        let one = reading.members(&pointer, value, &known);
        reading.needed(&one, "from");
        reading.needed(&one, "to");
        let (from, to) = (score(reading, &one, "from"), score(reading, &one, "to"));
        are_whole &= from.is_some() && to.is_some();
        let amount =
            |reading: &mut Reading, name: &str| yuan(reading, &one, name).unwrap_or(Yuan(Money::ZERO));
        all.push(Band {
            from: from.unwrap_or_default(),
            to: to.unwrap_or_default(),
            base_rate: reading.optional(&one, "base_rate").unwrap_or(Weight::HUNDRED),
            rate_per_point: reading.optional(&one, "rate_per_point").unwrap_or_default(),
            amount_per_point: amount(reading, "amount_per_point"),
            flat_amount: amount(reading, "flat_amount"),
            point_step: score(reading, &one, "point_step"),
        });
    }
    if all.is_empty() {
        reading.faults.object(
            members.at("bands"),
            Text::fixed("至少一档", "must have at least one"),
        );
    } else if are_whole {
        // Whether they fit together can be asked only of those that could be read.
        let mut form = Form::new();
        let documents: Vec<BandDocument> = all.iter().map(document).collect();
        rules_bands::check(&mut form, &members.at("bands"), &documents);
        let objections = form.finish(()).err().map(|refusal| refusal.objections);
        for fault in objections.into_iter().flatten() {
            reading.faults.object(fault.pointer, fault.detail);
        }
    }
    all
}

/// A band as a book has it.
pub fn document(band: &Band) -> BandDocument {
    BandDocument {
        from: band.from,
        to: band.to,
        base_rate: band.base_rate,
        rate_per_point: band.rate_per_point,
        amount_per_point: band.amount_per_point.0,
        flat_amount: band.flat_amount.0,
        point_step: band.point_step,
    }
}

fn penalties(reading: &mut Reading, members: &Members<'_>) -> Vec<Penalty> {
    let mut all = Vec::new();
    for (index, value) in reading
        .list(members, "penalties", PENALTIES_MAX)
        .iter()
        .enumerate()
    {
        let pointer = format!("{}/{index}", members.at("penalties"));
        let one = reading.members(&pointer, value, &["name", "count", "amount", "percent"]);
        for name in ["name", "count"] {
            reading.needed(&one, name);
        }
        let penalty = Penalty {
            name: reading
                .line(&one, "name", NAME_LENGTH_MAX)
                .unwrap_or_default()
                .to_owned(),
            count: reading.count(&one, "count", 0..=COUNT_MAX).unwrap_or_default(),
            amount: yuan(reading, &one, "amount"),
            percent: reading.optional(&one, "percent"),
        };
        if one.get("amount").is_some() == one.get("percent").is_some() {
            reading.faults.object(
                pointer,
                Text::fixed(
                    "应有金额或百分比，二者择一",
                    "must have either an amount or a percentage",
                ),
            );
        }
        all.push(penalty);
    }
    all
}
