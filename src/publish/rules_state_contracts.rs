//! The contracts of a process: what was agreed, what has become of each period, what was paid, what residents say in sum, and what changed until the end. Pure.

use std::collections::BTreeSet;

use crate::contracts::rules_periods::Period;
use crate::contracts::rules_variations::Variation;
use crate::kernel::money::Money;
use crate::kernel::refusal::Fault;
use crate::publish::rules_facts::{Acceptance, BookFacts, ContractFacts, PaymentFacts, PenaltyFacts};
use crate::publish::rules_json::{Json, Object};
use crate::publish::rules_publisher::Publisher;
use crate::publish::rules_state::{Referred, days, ends, sum};
use crate::publish::rules_state_lots::indicator;

/// The contracts.
pub(super) fn contracts(
    facts: &BookFacts,
    referred: &mut Referred<'_>,
    publisher: &Publisher,
) -> Result<Vec<Object>, Fault> {
    let all = facts.contracts.iter();
    all.map(|one| written(one, referred, publisher)).collect()
}

fn written(one: &ContractFacts, referred: &mut Referred<'_>, publisher: &Publisher) -> Result<Object, Fault> {
    let contract = &one.contract;
    let document = &one.document;
    let price = sum([contract.price, contract.since.varied].into_iter())?;
    let status = if one.ended.is_some() || one.is_completed {
        "terminated"
    } else {
        "active"
    };
    let supplier = referred.to(&contract.supplier_id, "supplier")?;
    let buyer = referred.to(&contract.buyer_id, "buyer")?;
    let signed = Object::new()
        .with("id", "signed")
        .with("documentType", "contractSigned")
        .with_words("title", "合同", "Contract")
        .with(
            "url",
            publisher.url(&format!("/api/v1/contracts/{}/content", contract.id)),
        )
        .with("datePublished", contract.signed_at)
        .with("format", "application/json")
        .with("language", "zh");
    let metrics: Vec<Object> = one
        .indicators
        .iter()
        .map(|agreed| indicator(agreed, &agreed.code))
        .collect();
    let variations: Vec<Object> = one.variations.iter().map(amendment).collect();
    Ok(Object::new()
        .with("id", contract.id.as_str())
        .with("awardID", contract.award_id.as_str())
        .with_words("title", &document.title_zh, &document.title_en)
        .with("status", status)
        .with("period", days(one.term, publisher)?)
        .with("value", price)
        .with("dateSigned", contract.signed_at)
        .with("suppliers", vec![supplier.clone()])
        .with("signatories", vec![buyer, supplier])
        .with("agreedMetrics", metrics)
        .with("milestones", promised(one, publisher)?)
        .with("documents", vec![signed])
        .with("amendments", variations)
        .with("implementation", implementation(one, price, referred, publisher)?))
}

fn amendment(one: &Variation) -> Object {
    Object::new()
        .with("id", format!("variation-{}", one.number))
        .with("date", one.closed_at)
        .with_words("rationale", &one.entered.words.zh, &one.entered.words.en)
}

fn milestone(period: i64) -> Object {
    Object::new().with("id", milestone_id(period))
}

fn milestone_id(period: i64) -> String {
    format!("period-{period}")
}

fn title(period: i64) -> (String, String) {
    (format!("第 {period} 期"), format!("Period {period}"))
}

fn due(period: &Period, publisher: &Publisher) -> Result<Object, Fault> {
    let (zh, en) = title(period.number);
    Ok(milestone(period.number)
        .with_words("title", &zh, &en)
        .with("type", "delivery")
        .with("dueDate", ends(period.span.last, publisher)?))
}

/// What is promised: each period, by its last day. How it went is told of the implementation.
fn promised(one: &ContractFacts, publisher: &Publisher) -> Result<Vec<Object>, Fault> {
    let periods = one.schedule.iter().flat_map(|schedule| &schedule.periods);
    periods
        .map(|period| Ok(due(period, publisher)?.with("status", "scheduled")))
        .collect()
}

fn implementation(
    one: &ContractFacts,
    price: Money,
    referred: &mut Referred<'_>,
    publisher: &Publisher,
) -> Result<Object, Fault> {
    let periods = one.schedule.iter().flat_map(|schedule| &schedule.periods);
    let mut met = Vec::new();
    for period in periods {
        if let Some(acceptance) = one.accepted.get(&period.number) {
            let (status, at) = match acceptance {
                Acceptance::Open => ("scheduled", None),
                Acceptance::Accepted(since) => ("met", Some(*since)),
                Acceptance::Refused => ("notMet", None),
            };
            met.push(due(period, publisher)?.with("status", status).with("dateMet", at));
        }
    }
    let known: BTreeSet<i64> = one.accepted.keys().copied().collect();
    let mut paid = Vec::new();
    for payment in &one.payments {
        paid.push(transaction(one, payment, &known, referred, publisher)?);
    }
    let failures: Result<Vec<Object>, Fault> = one
        .penalties
        .iter()
        .map(|penalty| failure(one, penalty, publisher))
        .collect();
    let mut failures = failures?;
    failures.extend(defects(one, publisher)?);
    let implementation = Object::new()
        .with("milestones", met)
        .with("transactions", paid)
        .with("metrics", ratings(one))
        .with("performanceFailures", failures);
    over(one, price, implementation, publisher)
}

/// Says of a contract that is over when it ended, and what was paid under it: of one that was ended why, of one that is completed why it is less than the price, where it is.
fn over(
    one: &ContractFacts,
    price: Money,
    implementation: Object,
    publisher: &Publisher,
) -> Result<Object, Fault> {
    if one.ended.is_none() && !one.is_completed {
        return Ok(implementation);
    }
    let last = one.term.1.map(|day| ends(day, publisher)).transpose()?;
    let why = one.ended.as_ref().map(|ended| ended.words.zh.trim());
    let paid = sum(one.payments.iter().map(|payment| payment.amount))?;
    let total = (one.is_completed || !one.payments.is_empty()).then_some(paid);
    let left = price
        .checked_sub(paid)
        .map_err(|error| Fault::caused("what was not paid of a contract", error))?;
    let less = (one.is_completed && !left.is_zero())
        .then(|| format!("比合同价款少付 {left} 元：按考核结果扣减或未发生，已退回预算"));
    Ok(implementation
        .with("endDate", last)
        .with("endDateDetails", why)
        .with("finalValue", total)
        .with("finalValueDetails", less))
}

fn transaction(
    one: &ContractFacts,
    payment: &PaymentFacts,
    known: &BTreeSet<i64>,
    referred: &mut Referred<'_>,
    publisher: &Publisher,
) -> Result<Object, Fault> {
    let of_period = payment.period.filter(|period| known.contains(period));
    let milestone = of_period.map(|period| milestone(period).with("title", title(period).0));
    Ok(Object::new()
        .with("id", payment.id.as_str())
        .with("source", publisher.url(&format!("/api/v1/claims/{}", payment.id)))
        .with("date", payment.at)
        .with("value", payment.amount)
        .with("payer", referred.to(&one.contract.buyer_id, "payer")?)
        .with("payee", referred.to(&one.contract.supplier_id, "payee")?)
        .with("relatedImplementationMilestone", milestone))
}

/// What residents say, in sum: one observation a period.
fn ratings(one: &ContractFacts) -> Vec<Object> {
    let observed: Vec<Object> = one
        .ratings
        .iter()
        .map(|(period, (score, votes))| {
            Object::new()
                .with("id", milestone_id(*period))
                .with("measure", Json::number(&score.to_string()))
                .with("unit", Object::new().with("name", "分"))
                .with("dimensions", Object::new().with("votes", votes.to_string()))
                .with(
                    "relatedImplementationMilestone",
                    milestone(*period).with("title", title(*period).0),
                )
        })
        .collect();
    if observed.is_empty() {
        return Vec::new();
    }
    vec![
        Object::new()
            .with("id", "residents-rating")
            .with_words(
                "title",
                "群众满意度（0 至 100 分）",
                "Residents' rating, 0 to 100 points",
            )
            .with("observations", observed),
    ]
}

/// The days of a period.
fn span(one: &ContractFacts, number: i64, publisher: &Publisher) -> Result<Object, Fault> {
    let mut periods = one.schedule.iter().flat_map(|schedule| &schedule.periods);
    let found = periods.find(|period| period.number == number);
    let span = found.map(|period| (Some(period.span.first), Some(period.span.last)));
    days(span.unwrap_or_default(), publisher)
}

/// The defects of each period that were upheld, by what was wrong: how many, and nothing of who has said so.
fn defects(one: &ContractFacts, publisher: &Publisher) -> Result<Vec<Object>, Fault> {
    let told = one.defects.iter().map(|found| {
        let (period, category) = (found.period, &found.category);
        Ok(Object::new()
            .with("id", format!("defects-{period}-{}", category.code))
            .with("period", span(one, period, publisher)?)
            .with("category", format!("{}（已认定的问题）", category.name_zh.trim()))
            .with("events", found.count))
    });
    told.collect()
}

/// What was counted of a penalty in a period.
fn failure(one: &ContractFacts, penalty: &PenaltyFacts, publisher: &Publisher) -> Result<Object, Fault> {
    let at = usize::try_from(penalty.penalty.saturating_sub(1)).ok();
    let named = at.and_then(|at| one.document.lot.penalties.get(at));
    let contracted = named.and_then(|named| match (named.amount, named.percent) {
        (Some(amount), _) => Some(format!("{amount} CNY")),
        (None, Some(percent)) => Some(format!("{percent} %")),
        (None, None) => None,
    });
    Ok(Object::new()
        .with("id", format!("{}-{}", penalty.period, penalty.penalty))
        .with("period", span(one, penalty.period, publisher)?)
        .with("category", named.map(|named| named.name_zh.trim()))
        .with("events", penalty.count)
        .with("penaltyContracted", contracted)
        .with("penaltyPaid", true))
}
