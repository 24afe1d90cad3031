//! The lots of a process: what they are worth, what is bought, how bids are judged, and what the service is measured by. Pure.

use crate::award::rules_standing::LotStanding;
use crate::books::rules_documents::{CriterionKind, LotDocument};
use crate::publish::rules_facts::{BookFacts, LotFacts};
use crate::publish::rules_json::{Json, Object};
use crate::standards::rules_indicators::Indicator;

const fn status(standing: LotStanding) -> &'static str {
    match standing {
        LotStanding::Published | LotStanding::Opened | LotStanding::Evaluated | LotStanding::Noticed => {
            "active"
        }
        LotStanding::Awarded | LotStanding::Signed => "complete",
        LotStanding::Unsuccessful => "unsuccessful",
        LotStanding::Cancelled => "cancelled",
    }
}

/// The lots.
pub(super) fn lots(facts: &BookFacts) -> Vec<Object> {
    let of = |lot: &LotFacts| {
        let criteria: Vec<Object> = lot.document.criteria.iter().map(criterion).collect();
        Object::new()
            .with("id", lot.id.as_str())
            .with_words("title", &lot.document.title_zh, &lot.document.title_en)
            .with("status", status(lot.standing))
            .with("value", lot.document.ceiling)
            .with("awardCriteria", Object::new().with("criteria", criteria))
    };
    facts.lots.iter().map(of).collect()
}

fn criterion(one: &crate::books::rules_documents::CriterionDocument) -> Object {
    let kind = match one.kind {
        CriterionKind::Price => "price",
        CriterionKind::Technical | CriterionKind::Business | CriterionKind::Appraisal => "quality",
    };
    let number = Json::number(&one.weight.to_string()).map(|weight| {
        Object::new()
            .with("number", weight)
            .with("weight", "percentageExact")
    });
    Object::new()
        .with("type", kind)
        .with_words("name", &one.name_zh, &one.name_en)
        .with("description", one.scale_zh.trim())
        .with("numbers", number.into_iter().collect::<Vec<_>>())
}

/// What the category of a service is in the common procurement vocabulary of 2008, where it has one.
fn classification(category: &str) -> Option<Object> {
    let (id, description) = match category {
        "sanitation" => ("90610000", "Street-cleaning and sweeping services"),
        "greening" => ("77310000", "Planting and maintenance services of green areas"),
        "security" => ("79710000", "Security services"),
        "property" => (
            "70330000",
            "Property management services of real estate on a fee or contract basis",
        ),
        _ => return None,
    };
    Some(
        Object::new()
            .with("scheme", "CPV")
            .with("id", id)
            .with("description", description),
    )
}

/// What is bought: each quantity of each lot; of a lot without quantities the lot itself.
pub(super) fn items(facts: &BookFacts) -> Vec<Object> {
    facts
        .lots
        .iter()
        .flat_map(|lot| items_of(&facts.document.category, &lot.document, lot.id.as_str()))
        .collect()
}

fn items_of(category: &str, lot: &LotDocument, id: &str) -> Vec<Object> {
    let places: Vec<&str> = lot.places.iter().map(|place| place.name_zh.trim()).collect();
    let whole = |object: Object| {
        object
            .with("classification", classification(category))
            .with("relatedLot", id)
            .with(
                "deliveryLocation",
                Object::new().with("description", places.join("；")),
            )
    };
    if lot.quantities.is_empty() {
        let item = Object::new().with("id", lot.code.as_str()).with_words(
            "description",
            &lot.title_zh,
            &lot.title_en,
        );
        return vec![whole(item)];
    }
    let of = |(at, one): (usize, &crate::books::rules_documents::QuantityDocument)| {
        let unit = Object::new().with("name", one.unit_zh.trim());
        let item = Object::new()
            .with("id", format!("{}-{}", lot.code, at.saturating_add(1)))
            .with_words("description", &one.name_zh, &one.name_en)
            .with("quantity", Json::number(&one.amount))
            .with("unit", unit);
        whole(item)
    };
    lot.quantities.iter().enumerate().map(of).collect()
}

/// What the services are measured by.
pub(super) fn targets(facts: &BookFacts) -> Vec<Object> {
    let of = |lot: &LotFacts| {
        let all = lot.indicators.iter();
        all.map(|one| indicator(one, &format!("{}-{}", lot.document.code, one.code)))
            .collect::<Vec<_>>()
    };
    facts.lots.iter().flat_map(of).collect()
}

/// An indicator, with what it demands of each grade.
pub(super) fn indicator(one: &Indicator, id: &str) -> Object {
    let (unit, _) = one.unit.label();
    let demanded = one.thresholds().into_iter().filter_map(|(grade, threshold)| {
        threshold?;
        let cell = one.threshold_cell(threshold);
        let measure = Json::number(&cell).unwrap_or(Json::Text(cell));
        let dimensions = grade.map(|grade| Object::new().with("grade", grade));
        Some(
            Object::new()
                .with("id", grade.unwrap_or("all"))
                .with("measure", measure)
                .with("unit", Object::new().with("name", unit))
                .with("dimensions", dimensions),
        )
    });
    Object::new()
        .with("id", id)
        .with_words("title", &one.name.zh, &one.name.en)
        .with_words("description", &one.text.zh, &one.text.en)
        .with("observations", demanded.collect::<Vec<_>>())
}
