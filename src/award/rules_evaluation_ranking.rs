//! Who goes before whom: the total, then what the book's tie rule names, then a draw that anybody can make again. Pure.
//!
//! The draw: each of those that are equal in everything gets SHA-256 of `wardbook/draw/v1`, the seed and the bidder, each followed by a
//! line feed; the lowest hash goes first. A seed is nobody's to choose: a ward makes it of bytes that everybody had before the scores.

use std::cmp::Ordering;

use sha2::{Digest, Sha256};

use crate::award::rules_evaluation::Yuan;
use crate::award::rules_evaluation_derivation::{Step, StepKind};
use crate::award::rules_evaluation_exact::Exact;
use crate::award::rules_evaluation_json::Faults;
use crate::books::rules_documents::TieRule;
use crate::kernel::refusal::Objection;
use crate::text;

/// What a draw's hashes begin with.
pub const DRAW: &str = "wardbook/draw/v1";

/// A bid that is ranked: by its total if it has one, else by its evaluated price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contender<'i> {
    /// Which.
    pub bidder: &'i str,
    /// Its points.
    pub total: Option<Exact>,
    /// The price that is judged, where it alone decides.
    pub evaluated_price: Option<Exact>,
    /// The price that was bid, which decides between equal totals (87号令 art 57).
    pub price: Yuan,
    /// Its points for technical criteria.
    pub technical: Exact,
}

/// A ranking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// How it was found.
    pub steps: Vec<Step>,
    /// The bidders, the best first.
    pub order: Vec<String>,
}

/// What the draw gives a bidder.
pub fn drawn(seed: &str, bidder: &str) -> String {
    hex::encode(Sha256::digest(format!("{DRAW}\n{seed}\n{bidder}\n")))
}

/// Ranks the bids.
///
/// # Errors
/// That a draw decides and there is no seed.
pub fn rank(
    mut all: Vec<Contender<'_>>,
    rule: TieRule,
    seed: Option<&str>,
    places: u32,
) -> Result<Ranked, Vec<Objection>> {
    // The draw comes last, so that what is sorted before it never depends on the order in which bids were given.
    all.sort_by(|one, other| first(one, other).then_with(|| second(rule, one, other)));
    let mut steps = Vec::new();
    let mut order = Vec::with_capacity(all.len());
    let mut faults = Faults::default();
    for level in all.chunk_by(|one, other| first(one, other).is_eq()) {
        if level.len() > 1 {
            steps.push(tie(rule, level));
        }
        for equal in level.chunk_by(|one, other| second(rule, one, other).is_eq()) {
            let drawn = draw(equal, seed, &mut steps, &mut faults);
            order.extend(
                drawn
                    .into_iter()
                    .map(|one| (one.bidder.to_owned(), key(one, places))),
            );
        }
    }
    for (place, (bidder, (formula, numbers))) in (1_u32..).zip(&order) {
        steps.push(Step {
            step: StepKind::Rank,
            bidder: Some(bidder.clone()),
            of: None,
            formula: (*formula).to_owned(),
            numbers: numbers.clone(),
            result: place.to_string(),
        });
    }
    faults.finish(Ranked {
        steps,
        order: order.into_iter().map(|(bidder, _)| bidder).collect(),
    })
}

/// More points first; where only prices are judged, the lower one.
fn first(one: &Contender<'_>, other: &Contender<'_>) -> Ordering {
    other
        .total
        .cmp(&one.total)
        .then_with(|| one.evaluated_price.cmp(&other.evaluated_price))
}

fn second(rule: TieRule, one: &Contender<'_>, other: &Contender<'_>) -> Ordering {
    let price = one.price.cmp(&other.price);
    let technical = other.technical.cmp(&one.technical);
    match rule {
        TieRule::PriceThenDraw => price,
        TieRule::PriceThenTechnicalThenDraw => price.then(technical),
        TieRule::TechnicalThenPriceThenDraw => technical.then(price),
    }
}

fn key(one: &Contender<'_>, places: u32) -> (&'static str, String) {
    match (&one.total, &one.evaluated_price) {
        (Some(total), _) => ("total, highest first", total.text(places)),
        (None, Some(price)) => ("evaluated_price, lowest first", price.text(2)),
        (None, None) => ("", String::new()),
    }
}

fn tie(rule: TieRule, level: &[Contender<'_>]) -> Step {
    let (formula, with_technical) = match rule {
        TieRule::PriceThenDraw => ("price, lowest first; then the draw", false),
        TieRule::PriceThenTechnicalThenDraw => (
            "price, lowest first; then technical points, highest first; then the draw",
            true,
        ),
        TieRule::TechnicalThenPriceThenDraw => (
            "technical points, highest first; then price, lowest first; then the draw",
            true,
        ),
    };
    let told = level.iter().map(|one| {
        let technical = if with_technical {
            format!(" with {} technical", one.technical.text(0))
        } else {
            String::new()
        };
        format!("{}: {}{technical}", one.bidder, one.price)
    });
    // Who comes before whom among those that the draw decides is told by the steps of the draw; here they stand by their names.
    let mut told: Vec<String> = told.collect();
    told.sort();
    let places = level.chunk_by(|one, other| second(rule, one, other).is_eq());
    let groups = places.map(|equal| {
        let mut names: Vec<&str> = equal.iter().map(|one| one.bidder).collect();
        names.sort_unstable();
        names.join(" = ")
    });
    Step {
        step: StepKind::Tie,
        bidder: None,
        of: None,
        formula: formula.to_owned(),
        numbers: told.join("; "),
        result: groups.collect::<Vec<_>>().join(" > "),
    }
}

fn draw<'e, 'i>(
    equal: &'e [Contender<'i>],
    seed: Option<&str>,
    steps: &mut Vec<Step>,
    faults: &mut Faults,
) -> Vec<&'e Contender<'i>> {
    if equal.len() < 2 {
        return equal.iter().collect();
    }
    let Some(seed) = seed else {
        let mut names: Vec<&str> = equal.iter().map(|one| one.bidder).collect();
        names.sort_unstable();
        let names = names.join(", ");
        faults.object(
            "/draw_seed",
            text!(
                "{names} 各项相同，须抽签决定，缺少抽签种子",
                "is missing, and a draw decides between {names}, which are equal in everything"
            ),
        );
        return equal.iter().collect();
    };
    let mut drawn: Vec<(String, &Contender<'_>)> =
        equal.iter().map(|one| (drawn(seed, one.bidder), one)).collect();
    drawn.sort_by(|one, other| one.0.cmp(&other.0).then_with(|| one.1.bidder.cmp(other.1.bidder)));
    for (hash, one) in &drawn {
        steps.push(Step {
            step: StepKind::Draw,
            bidder: Some(one.bidder.to_owned()),
            of: None,
            formula: "SHA-256 of \"wardbook/draw/v1\", draw_seed and bidder, each with a line feed after it; lowest first"
                .to_owned(),
            numbers: format!("{seed}, {}", one.bidder),
            result: hash.clone(),
        });
    }
    drawn.into_iter().map(|(_, one)| one).collect()
}
