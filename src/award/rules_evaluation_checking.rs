//! Whether what an evaluation goes in with fits together: what each method needs, and a score of everybody for everything. Pure.

use crate::award::rules_evaluation::{Criterion, Input};
use crate::award::rules_evaluation_json::{Members, Reading, escaped};
use crate::books::rules_documents::{CriterionKind, Method};
use crate::kernel::score::Score;
use crate::kernel::text::Text;
use crate::kernel::weight::weights_sum_to_hundred;
use crate::text;

/// What belongs together, and what each method needs.
pub(super) fn whole(reading: &mut Reading, members: &Members<'_>, input: &Input) {
    if input.scores_price() {
        reading.needed(members, "price_points");
    }
    let of_quality = input.method == Method::QualityAndCostBased;
    for name in [
        "technical_threshold",
        "technical_weight_percent",
        "financial_weight_percent",
    ] {
        if !of_quality && members.get(name).is_some() {
            reading.faults.object(
                members.at(name),
                Text::fixed(
                    "仅用于 quality_and_cost_based",
                    "belongs to `quality_and_cost_based` alone",
                ),
            );
        }
    }
    if of_quality {
        weights(reading, members, input);
    }
    appraised(reading, members, input);
    total(reading, members, input);
    if input.scores_criteria() {
        scored(reading, members, input);
    } else {
        ranges(reading, members, input);
    }
}

fn weights(reading: &mut Reading, members: &Members<'_>, input: &Input) {
    match (input.technical_weight_percent, input.financial_weight_percent) {
        (Some(technical), Some(financial)) => {
            if weights_sum_to_hundred(&[technical, financial]).is_err() {
                reading.faults.object(
                    members.at("financial_weight_percent"),
                    Text::fixed(
                        "两项权重合计应为 100",
                        "must come to 100 together with `technical_weight_percent`",
                    ),
                );
            }
        }
        (None, None) => {}
        (None, Some(_)) => reading.needed(members, "technical_weight_percent"),
        (Some(_), None) => reading.needed(members, "financial_weight_percent"),
    }
}

fn appraised(reading: &mut Reading, members: &Members<'_>, input: &Input) {
    let is_appraisal = |one: &Criterion| one.kind == CriterionKind::Appraisal;
    if input.method == Method::Appraisal {
        if input.criteria.is_empty() {
            reading.faults.object(
                members.at("criteria"),
                Text::fixed("应有群众评议项", "must have a criterion of kind `appraisal`"),
            );
        }
        for (index, _) in input
            .criteria
            .iter()
            .enumerate()
            .filter(|(_, one)| !is_appraisal(one))
        {
            reading.faults.object(
                format!("{}/{index}/kind", members.at("criteria")),
                Text::fixed(
                    "此方法仅有群众评议项",
                    "must be `appraisal`: the residents decide alone",
                ),
            );
        }
    } else if input.method == Method::QualityAndCostBased && input.criteria.is_empty() {
        reading.faults.object(
            members.at("criteria"),
            Text::fixed("至少一项", "must have at least one"),
        );
    }
    if input.meeting.is_some() && !input.criteria.iter().any(is_appraisal) {
        reading.faults.object(
            members.at("meeting"),
            Text::fixed(
                "没有群众评议项",
                "belongs to a criterion of kind `appraisal`, and there is none",
            ),
        );
    }
}

fn total(reading: &mut Reading, members: &Members<'_>, input: &Input) {
    let Some(total) = input.points_total else { return };
    let price = input.price_points.filter(|_| input.scores_price());
    let all = input.criteria.iter().map(|one| one.max_points).chain(price);
    let sum = all.fold(rust_decimal::Decimal::ZERO, |sum, one| sum + one.points());
    if sum != total.points() {
        reading.faults.object(
            members.at("points_total"),
            text!(
                "各项最高分合计 {sum}，不是 {total}",
                "all points come to {sum}, and not to {total}"
            ),
        );
    }
}

/// Whatever scores there are lie in their range and belong to a criterion.
fn ranges(reading: &mut Reading, members: &Members<'_>, input: &Input) {
    for (index, bid) in input.bids.iter().enumerate() {
        let pointer = || format!("{}/{index}/scores", members.at("bids"));
        for (code, given) in &bid.scores {
            let Some(criterion) = input.criteria.iter().find(|one| one.code == *code) else {
                reading.faults.object(
                    format!("{}/{}", pointer(), escaped(code)),
                    Text::fixed("没有该评审项", "is no criterion"),
                );
                continue;
            };
            let max = criterion.max_points;
            if max <= Score::ZERO {
                continue; // It was objected to already.
            }
            for (number, score) in given.iter().enumerate() {
                if *score < Score::ZERO || *score > max {
                    reading.faults.object(
                        format!("{}/{}/{number}", pointer(), escaped(code)),
                        text!("应在 0 至 {max} 之间", "must lie between 0 and {max}"),
                    );
                }
            }
        }
    }
}

/// Every bid that is not out has a score of every evaluator for every criterion: none counts twice, and none is passed over.
fn scored(reading: &mut Reading, members: &Members<'_>, input: &Input) {
    ranges(reading, members, input);
    let evaluators = evaluators(input);
    for (index, bid) in input.bids.iter().enumerate() {
        if bid.is_out(input.ceiling) {
            continue;
        }
        for criterion in &input.criteria {
            let wanted = match criterion.kind {
                CriterionKind::Appraisal => 1,
                _ => evaluators,
            };
            let given = bid.scores.get(&criterion.code).map_or(0, Vec::len);
            if given != wanted {
                let place = format!(
                    "{}/{index}/scores/{}",
                    members.at("bids"),
                    escaped(&criterion.code)
                );
                reading.faults.object(
                    place,
                    text!(
                        "应有 {wanted} 个分数，现有 {given} 个",
                        "must have {wanted} scores, and has {given}"
                    ),
                );
            }
        }
    }
}

/// How many score each criterion.
fn evaluators(input: &Input) -> usize {
    if let Some(count) = input.evaluators {
        return usize::try_from(count).unwrap_or_default();
    }
    let panel = |one: &&Criterion| one.kind != CriterionKind::Appraisal;
    let counted = input
        .bids
        .iter()
        .filter(|bid| !bid.is_out(input.ceiling))
        .find_map(|bid| {
            let first = input.criteria.iter().filter(panel);
            first
                .filter_map(|one| bid.scores.get(&one.code))
                .map(Vec::len)
                .max()
        });
    counted.unwrap_or(1).max(1)
}
