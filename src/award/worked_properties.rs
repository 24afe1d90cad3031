//! What holds of every evaluation, whatever goes in: the order of the bids plays no part, nor does the measure of the prices; what is derived
//! holds; nothing makes it panic.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::award::rules_evaluation::Input;
use crate::award::rules_evaluation_derivation::{Derivation, JudgedBid};
use crate::award::rules_evaluation_deriving::{Subject, derive};
use crate::award::rules_evaluation_exact::widely;
use crate::award::rules_evaluation_reading::read;
use crate::award::rules_evaluation_recomputing::{Document, document, recomputed};
use crate::award::worked_examples::{bid, claim, evaluated};

/// Inputs of scoring methods with some bids out, ties likely.
fn inputs() -> impl Strategy<Value = Value> {
    let bid = (
        1_i64..400,
        prop::collection::vec(0_u32..=40, 3),
        any::<[bool; 2]>(),
        0_u8..6,
    );
    let stage = prop_oneof![Just("factor"), Just("total")];
    let rule = prop_oneof![
        Just("price_then_draw"),
        Just("price_then_technical_then_draw"),
        Just("technical_then_price_then_draw")
    ];
    (prop::collection::vec(bid, 1..9), stage, rule, 0_u32..=3, "[a-z]{1,6}").prop_map(|(bids, stage, rule, places, seed)| {
        let bids: Vec<Value> = bids
            .into_iter()
            .enumerate()
            .map(|(index, (price, scores, [sme, consortium], out))| {
                let scores: Vec<String> = scores.iter().map(ToString::to_string).collect();
                let mut bid = json!({
                    "bidder": format!("b{index}"), "price": format!("{price}.00"), "sme": sme,
                    "sme_consortium": consortium && !sme, "scores": {"T1": scores},
                });
                if out == 0 {
                    bid["out"] = json!({"code": "not_responsive"});
                }
                bid
            })
            .collect();
        json!({
            "method": "comprehensive_scoring", "rounding": {"mode": "half_up", "places": places, "stage": stage},
            "price_points": "60", "sme_deduction_percent": "10", "consortium_deduction_percent": "4.5",
            "abnormally_low": {"average_percent": "50", "second_lowest_percent": "50"},
            "criteria": [{"code": "T1", "max_points": "40"}], "bids": bids, "tie_rule": rule, "draw_seed": seed,
        })
    })
}

fn by_bidder(derivation: &Derivation) -> BTreeMap<String, JudgedBid> {
    let bids = derivation.result.bids.iter();
    bids.map(|bid| (bid.bidder.clone(), bid.clone())).collect()
}

proptest! {
    #[test]
    fn the_order_of_bids_plays_no_part(input in inputs(), turn in 0_usize..9) {
        let mut other = input.clone();
        let bids = other["bids"].as_array_mut().unwrap();
        let turn = turn % bids.len();
        bids.rotate_left(turn);
        bids.swap(0, turn);
        let (one, other) = (evaluated(&input), evaluated(&other));
        prop_assert_eq!(&one.result.ranking, &other.result.ranking);
        prop_assert_eq!(by_bidder(&one), by_bidder(&other));
    }

    #[test]
    fn prices_in_another_measure_give_the_same_result(input in inputs()) {
        let mut other = input.clone();
        for bid in other["bids"].as_array_mut().unwrap() {
            let price = bid["price"].as_str().unwrap().replace(".00", "");
            bid["price"] = json!(format!("{price}000.00"));
        }
        let (one, other) = (evaluated(&input), evaluated(&other));
        prop_assert_eq!(&one.result.ranking, &other.result.ranking);
        for (one, other) in one.result.bids.iter().zip(&other.result.bids) {
            prop_assert_eq!((&one.total, &one.price_score), (&other.total, &other.price_score));
        }
    }

    #[test]
    fn places_are_an_order_by_total_and_then_by_the_rule(input in inputs()) {
        let derivation = evaluated(&input);
        let left = derivation.result.bids.iter().filter(|bid| bid.out.is_none()).count();
        prop_assert_eq!(derivation.result.ranking.len(), left);
        let ranked: Vec<&JudgedBid> = derivation.result.ranking.iter().map(|bidder| bid(&derivation, bidder)).collect();
        for (place, bid) in (1_u32..).zip(&ranked) {
            prop_assert_eq!(bid.rank, Some(place));
        }
        let total = |bid: &JudgedBid| bid.total.as_ref().unwrap().parse::<rust_decimal::Decimal>().unwrap();
        for pair in ranked.windows(2) {
            prop_assert!(total(pair[0]) >= total(pair[1]));
        }
        for bid in derivation.result.bids.iter().filter(|bid| bid.out.is_some()) {
            prop_assert!(bid.rank.is_none() && bid.total.is_none());
        }
    }

    #[test]
    fn a_bid_that_is_out_changes_nothing_for_the_others(input in inputs(), price in 1_i64..400) {
        let mut other = input.clone();
        other["bids"].as_array_mut().unwrap().insert(0, json!({
            "bidder": "another", "price": price.to_string(), "out": {"code": "same_control"},
        }));
        let (one, other) = (evaluated(&input), evaluated(&other));
        prop_assert_eq!(&one.result.ranking, &other.result.ranking);
        let mut others = by_bidder(&other);
        others.remove("another");
        prop_assert_eq!(by_bidder(&one), others);
    }

    #[test]
    fn numbers_of_any_size_give_the_same_bytes(input in inputs(), price in prices(), broken in damages()) {
        let mut input = input;
        input["bids"][0]["price"] = json!(price);
        for (pointer, value) in broken {
            let mut damaged = input.clone();
            let Some(place) = damaged.pointer_mut(&pointer) else { continue };
            *place = value;
            if read(&damaged.to_string()).is_ok() {
                input = damaged;
            }
        }
        let written = |input: &Value| derive(Subject::default(), read(&input.to_string()).unwrap()).map(|found| found.written().unwrap());
        prop_assert_eq!(written(&input), widely(|| written(&input)));
    }

    #[test]
    fn what_is_derived_holds(input in inputs()) {
        let written = evaluated(&input).written().unwrap();
        let verdict = recomputed(&claim(&written)).unwrap().unwrap();
        prop_assert!(verdict.holds() && verdict.is_bytewise);
    }

    #[test]
    fn no_input_makes_it_panic(input in inputs(), broken in damages(), junk in json_of_any_kind()) {
        let mut damaged = input.clone();
        for (pointer, value) in broken {
            if let Some(place) = damaged.pointer_mut(&pointer) {
                *place = value;
            }
        }
        survive(&damaged.to_string());
        survive(&json!({"format": "wardbook/evaluation/v1", "input": damaged, "steps": junk.clone(), "result": junk.clone()}).to_string());
        survive(&junk.to_string());
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        survive(&text);
    }
}

/// Prices whose quotients fit in no machine word, beside usual ones.
fn prices() -> impl Strategy<Value = String> {
    (1_i64..=9_000_000_000_000_000, 0_u32..14).prop_map(|(fen, less)| {
        let fen = (fen / 10_i64.pow(less)).max(1);
        format!("{}.{:02}", fen / 100, fen % 100)
    })
}

fn survive(text: &str) {
    match document(text) {
        Ok(Document::Input(input)) => {
            let derived: Result<Derivation, _> = derive(Subject::default(), Input::clone(&input));
            if let Ok(derivation) = derived {
                assert!(
                    recomputed(&claim(&derivation.written().unwrap()))
                        .unwrap()
                        .unwrap()
                        .holds()
                );
            }
        }
        Ok(Document::Derivation(claim)) => drop(recomputed(&claim).unwrap()),
        Err(faults) => assert!(!faults.is_empty(), "nothing is said of {text}"),
    }
}

fn json_of_any_kind() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[-0-9.]{0,30}".prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("(bids|price|scores|input|format|steps|T1|~/)", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn damages() -> impl Strategy<Value = Vec<(String, Value)>> {
    let place = prop_oneof![
        Just("/bids/0/price".to_owned()),
        Just("/bids/0/scores/T1".to_owned()),
        Just("/bids/0/scores/T1/0".to_owned()),
        Just("/bids/0/bidder".to_owned()),
        Just("/criteria/0/max_points".to_owned()),
        Just("/price_points".to_owned()),
        Just("/rounding".to_owned()),
        Just("/draw_seed".to_owned()),
        Just("/abnormally_low/average_percent".to_owned()),
        Just("/sme_deduction_percent".to_owned()),
        Just("/method".to_owned()),
        Just("/bids".to_owned()),
    ];
    let huge = prop_oneof![
        Just(json!("90000000000000.00")),
        Just(json!("0.01")),
        Just(json!("1000.000000")),
        Just(json!("99.9999")),
        Just(json!("0.000001")),
        Just(json!("lowest_evaluated_price")),
        Just(json!("quality_and_cost_based")),
        json_of_any_kind(),
    ];
    prop::collection::vec((place, huge), 1..4)
}
