//! The bids of a process once they were opened, what they came to once that is published, and the awards from their notices on. Pure.

use std::collections::BTreeSet;

use crate::award::rules_awards::{Award, State};
use crate::bids::rules::BidId;
use crate::books::rules_documents::CriterionKind;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Fault;
use crate::publish::rules_facts::{BookFacts, LotFacts};
use crate::publish::rules_json::{Json, Object};
use crate::publish::rules_publisher::Publisher;
use crate::publish::rules_state::{Referred, days};

/// Everybody who has bid for any lot that was opened, whose bid could be read or not.
fn bidders(facts: &BookFacts) -> BTreeSet<&OrganisationId> {
    let records = facts.lots.iter().filter_map(|lot| lot.opening.as_ref());
    records
        .flat_map(|record| {
            let opened = record.opened.iter().map(|bid| &bid.supplier_id);
            opened.chain(record.unopenable.iter().map(|bid| &bid.supplier_id))
        })
        .collect()
}

/// How many have bid and who, since the opening; nothing before.
pub(super) fn tenderers(
    facts: &BookFacts,
    referred: &mut Referred<'_>,
) -> Result<Option<(usize, Vec<Object>)>, Fault> {
    if facts.lots.iter().all(|lot| lot.opening.is_none()) {
        return Ok(None);
    }
    let bidders = bidders(facts);
    let named: Result<Vec<Object>, Fault> = bidders.iter().map(|id| referred.to(id, "tenderer")).collect();
    Ok(Some((bidders.len(), named?)))
}

/// How a bid stands: it waits until a result is published, and whoever got no place in it is out.
fn status(lot: &LotFacts, bid: &BidId) -> &'static str {
    let is_awarded =
        |award: &Award| award.bid_id == *bid && matches!(award.state, State::Confirmed | State::Signed);
    if lot.awards.iter().any(is_awarded) {
        return "valid";
    }
    match &lot.results {
        None => "pending",
        Some((places, _)) => {
            let place = places.iter().find(|place| place.bid_id == *bid);
            match place.and_then(|place| place.place) {
                Some(_) => "valid",
                None => "disqualified",
            }
        }
    }
}

/// The bids.
pub(super) fn bids(facts: &BookFacts, referred: &mut Referred<'_>) -> Result<Object, Fault> {
    let mut details = Vec::new();
    for lot in &facts.lots {
        let Some(record) = &lot.opening else {
            continue;
        };
        let lots = || vec![Json::from(lot.id.as_str())];
        for bid in &record.opened {
            details.push(
                Object::new()
                    .with("id", bid.bid_id.as_str())
                    .with("date", lot.received.get(&bid.bid_id).copied())
                    .with("status", status(lot, &bid.bid_id))
                    .with("tenderers", vec![referred.to(&bid.supplier_id, "tenderer")?])
                    .with("value", bid.total)
                    .with("relatedLots", lots())
                    .with("evaluation", evaluation(lot, &bid.bid_id)),
            );
        }
        for bid in &record.unopenable {
            details.push(
                Object::new()
                    .with("id", bid.bid_id.as_str())
                    .with("status", "disqualified")
                    .with("tenderers", vec![referred.to(&bid.supplier_id, "tenderer")?])
                    .with("relatedLots", lots()),
            );
        }
    }
    let is_opened = facts.lots.iter().any(|lot| lot.opening.is_some());
    let count = is_opened.then(|| {
        Object::new()
            .with("id", "bids")
            .with("measure", "bids")
            .with("value", details.len())
            .with("date", facts.opened_at)
    });
    Ok(Object::new()
        .with("statistics", count.into_iter().collect::<Vec<_>>())
        .with("details", details))
}

/// The place and the points of a bid in the last published result of its lot.
fn evaluation(lot: &LotFacts, bid: &BidId) -> Object {
    let Some((places, derived)) = &lot.results else {
        return Object::new();
    };
    let place = places.iter().find(|place| place.bid_id == *bid);
    let judged = derived.iter().find(|judged| judged.bidder == *bid);
    let total = judged.and_then(|judged| Json::number(judged.total.as_deref()?));
    let scores = lot.document.criteria.iter().filter_map(|criterion| {
        let judged = judged?;
        let points = match criterion.kind {
            CriterionKind::Price => judged.price_score.as_deref(),
            _ => judged
                .scores
                .get(&criterion.code)
                .and_then(|points| points.as_str()),
        };
        Some(
            Object::new()
                .with("id", criterion.code.as_str())
                .with("criterion", criterion.name_zh.trim())
                .with("criterion_en", criterion.name_en.trim())
                .with("score", Json::number(points?)?)
                .with("maximumScore", Json::number(&criterion.weight.to_string())),
        )
    });
    Object::new()
        .with("rank", place.and_then(|place| place.place))
        .with("totalScore", total)
        .with("scores", scores.collect::<Vec<_>>())
}

/// The awards of all lots.
pub(super) fn awards(
    facts: &BookFacts,
    referred: &mut Referred<'_>,
    publisher: &Publisher,
) -> Result<Vec<Object>, Fault> {
    let mut awards = Vec::new();
    for lot in &facts.lots {
        for award in &lot.awards {
            awards.push(written(facts, (lot, award), referred, publisher)?);
        }
    }
    Ok(awards)
}

fn written(
    facts: &BookFacts,
    (lot, award): (&LotFacts, &Award),
    referred: &mut Referred<'_>,
    publisher: &Publisher,
) -> Result<Object, Fault> {
    let status = match award.state {
        State::Confirmed | State::Signed => "active",
        State::Ended => "cancelled",
        State::Proposed | State::Decided | State::Noticed => "pending",
    };
    let ended = award.ended.as_ref().map(|ended| &ended.reason);
    let noticed = award.notice.as_ref().map(|notice| notice.at);
    let notice = Object::new()
        .with("id", "notice")
        .with("documentType", "awardNotice")
        .with_words("title", "中标公告", "Award notice")
        .with(
            "url",
            publisher.url(&format!("/api/v1/awards/{}/notice", award.id)),
        )
        .with("datePublished", noticed)
        .with("format", "application/json")
        .with("language", "zh");
    let table = &facts.document.timetable;
    Ok(Object::new()
        .with("id", award.id.as_str())
        .with_words("title", &lot.document.title_zh, &lot.document.title_en)
        .with_words(
            "description",
            ended.map_or("", |reason| reason.zh.as_str()),
            ended.map_or("", |reason| reason.en.as_str()),
        )
        .with("status", status)
        .with("date", noticed)
        .with("value", award.price)
        .with("suppliers", vec![referred.to(&award.supplier_id, "supplier")?])
        .with("relatedBid", award.bid_id.as_str())
        .with("relatedLots", vec![Json::from(lot.id.as_str())])
        .with(
            "contractPeriod",
            days((table.service_from, table.service_until), publisher)?,
        )
        .with("documents", vec![notice]))
}
