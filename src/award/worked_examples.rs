//! Evaluations as the domain reckons them by hand, exactly.
//!
//! The examples must never be adjusted to the code: E1 is a published result, the others were computed by hand.

use serde_json::{Value, json};

use crate::award::rules_evaluation_derivation::{Derivation, JudgedBid};
use crate::award::rules_evaluation_deriving::{Subject, derive};
use crate::award::rules_evaluation_ranking::drawn;
use crate::award::rules_evaluation_reading::read;
use crate::award::rules_evaluation_recomputing::{Claim, Document, document, recomputed};
use crate::kernel::refusal::Objection;

pub(super) fn evaluated(input: &Value) -> Derivation {
    let input = read(&input.to_string()).unwrap();
    derive(Subject::default(), input).unwrap()
}

pub(super) fn bid<'d>(derivation: &'d Derivation, bidder: &str) -> &'d JudgedBid {
    let mut bids = derivation.result.bids.iter();
    bids.find(|bid| bid.bidder == bidder).unwrap()
}

/// Bidder, price, points for the rest, and price score, total and rank as they must come out.
type Line = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    u32,
);

fn scoring(price_points: &str, other_points: &str, lines: &[Line]) -> Value {
    let bids: Vec<Value> = lines
        .iter()
        .map(|line| json!({"bidder": line.0, "price": line.1, "sme": false, "scores": {"T1": [line.2]}}))
        .collect();
    json!({
        "method": "comprehensive_scoring",
        "rounding": {"mode": "half_up", "places": 2, "stage": "factor"},
        "price_points": price_points,
        "min_bidders": 3,
        "sme_deduction_percent": "10",
        "criteria": [{"code": "T1", "max_points": other_points}],
        "bids": bids,
        "tie_rule": "price_then_draw",
        "draw_seed": "a seed",
    })
}

fn comes_out(derivation: &Derivation, lines: &[Line]) {
    for (bidder, _, _, price_score, total, rank) in lines {
        let bid = bid(derivation, bidder);
        assert_eq!(bid.price_score.as_deref(), Some(*price_score), "{bidder}");
        assert_eq!(bid.total.as_deref(), Some(*total), "{bidder}");
        assert_eq!(bid.rank, Some(*rank), "{bidder}");
    }
}

#[test]
fn e1_a_published_result() {
    let lines = [
        ("1", "2311110.40", "49.50", "19.80", "69.30", 3),
        ("2", "2296472.00", "56.00", "19.93", "75.93", 2),
        ("3", "2299360.00", "49.00", "19.90", "68.90", 4),
        ("4", "2288231.72", "75.00", "20.00", "95.00", 1),
    ];
    let derivation = evaluated(&scoring("20", "80", &lines));
    comes_out(&derivation, &lines);
    assert_eq!(derivation.result.ranking, ["4", "2", "1", "3"]);
    assert_eq!(derivation.result.benchmark_price.as_deref(), Some("2288231.72"));
}

#[test]
fn e2_a_deduction_for_small_enterprises_flips_the_award() {
    let plain = [
        ("A", "2248000", "60.20", "28.77", "88.97", 1),
        ("B", "2298600", "60.10", "28.14", "88.24", 3),
        ("C", "2156000", "58.40", "30.00", "88.40", 2),
        ("D", "2331000", "55.70", "27.75", "83.45", 4),
    ];
    let mut input = scoring("30", "70", &plain);
    comes_out(&evaluated(&input), &plain);

    for index in [1, 3] {
        input["bids"][index]["sme"] = json!(true);
    }
    let deducted = [
        ("A", "", "", "27.61", "87.81", 2),
        ("B", "", "", "30.00", "90.10", 1),
        ("C", "", "", "28.79", "87.19", 3),
        ("D", "", "", "29.58", "85.28", 4),
    ];
    let derivation = evaluated(&input);
    comes_out(&derivation, &deducted);
    assert_eq!(derivation.result.benchmark_price.as_deref(), Some("2068740.00"));
    assert_eq!(
        bid(&derivation, "B").evaluated_price.as_deref(),
        Some("2068740.00")
    );
    // The contract's price stays the bid's.
    assert_eq!(derivation.input.bids[1].price.to_string(), "2298600.00");
    // Which step a reader checks by hand.
    let step = derivation
        .steps
        .iter()
        .find(|step| step.bidder.as_deref() == Some("A") && step.formula.starts_with("benchmark_price ÷"));
    assert_eq!(step.unwrap().numbers, "2068740.00 ÷ 2248000.00 × 30");
}

#[test]
fn the_other_books_of_the_demo_ward() {
    let greening = [
        ("甲", "548000", "71.30", "19.01", "90.31", 2),
        ("乙", "566400", "73.90", "18.40", "92.30", 1),
        ("丙", "521000", "66.80", "20.00", "86.80", 3),
    ];
    let security = [
        ("甲", "691200", "62", "28.75", "90.75", 2),
        ("乙", "676800", "64", "29.36", "93.36", 1),
        ("丙", "662400", "60.5", "30.00", "90.50", 3),
    ];
    let estate = [
        ("甲", "805200", "68.5", "19.64", "88.14", 3),
        ("乙", "790560", "70.25", "20.00", "90.25", 2),
        ("丙", "826600", "72.40", "19.13", "91.53", 1),
    ];
    comes_out(&evaluated(&scoring("20", "80", &greening)), &greening);
    comes_out(&evaluated(&scoring("30", "70", &security)), &security);
    comes_out(&evaluated(&scoring("20", "80", &estate)), &estate);

    // Book 5: the representatives' meeting decides, whatever is asked for the work.
    let mut input = json!({
        "method": "appraisal", "ceiling": "96000", "min_bidders": 1,
        "meeting": {"eligible": 60, "present": 43, "quorum": {"numerator": 2, "denominator": 3}},
        "criteria": [{"code": "A1", "kind": "appraisal", "max_points": "100"}],
        "bids": [
            {"bidder": "别家", "price": "90000", "scores": {"A1": ["81.2"]}},
            {"bidder": "桂园社区环卫绿化队", "price": "95500", "scores": {"A1": ["93.65"]}},
        ],
    });
    let derivation = evaluated(&input);
    assert_eq!(derivation.result.ranking, ["桂园社区环卫绿化队", "别家"]);
    assert_eq!(bid(&derivation, "别家").total.as_deref(), Some("81.20"));
    assert_eq!(derivation.result.benchmark_price, None);
    input["meeting"]["present"] = json!(39);
    assert_eq!(
        places(&read(&input.to_string()).unwrap_err()),
        ["/meeting/present"]
    );
}

#[test]
fn the_lowest_evaluated_price_is_first() {
    let mut input = json!({
        "method": "lowest_evaluated_price", "ceiling": "120.00", "min_bidders": 3, "sme_deduction_percent": "12.5",
        "bids": [
            {"bidder": "A", "price": "100.00"},
            {"bidder": "B", "price": "112.01", "sme": true},
            {"bidder": "C", "price": "98.01"},
            {"bidder": "D", "price": "120.01"},
            {"bidder": "E", "price": "1.00", "out": {"code": "not_responsive", "reason_zh": "未盖章", "reason_en": "not signed"}},
        ],
    });
    let derivation = evaluated(&input);
    assert_eq!(derivation.result.ranking, ["B", "C", "A"]);
    assert_eq!(bid(&derivation, "B").evaluated_price.as_deref(), Some("98.00875"));
    assert_eq!(bid(&derivation, "B").total, None);
    assert_eq!(bid(&derivation, "D").out.as_ref().unwrap().code, "above_ceiling");
    assert_eq!(
        bid(&derivation, "E").out.as_ref().unwrap().reason_en.as_deref(),
        Some("not signed")
    );
    assert_eq!(
        (bid(&derivation, "D").rank, bid(&derivation, "E").rank),
        (None, None)
    );

    // Equal evaluated prices: the lower price that was bid, and then the draw.
    input["bids"] = json!([
        {"bidder": "A", "price": "70.00"},
        {"bidder": "B", "price": "80.00", "sme": true},
        {"bidder": "C", "price": "70.00"},
    ]);
    assert_eq!(
        places(&derive(Subject::default(), read(&input.to_string()).unwrap()).unwrap_err()),
        ["/draw_seed"]
    );
    input["draw_seed"] = json!("seed");
    let first = if drawn("seed", "A") < drawn("seed", "C") {
        ["A", "C", "B"]
    } else {
        ["C", "A", "B"]
    };
    assert_eq!(evaluated(&input).result.ranking, first);
    // The hash of the documented bytes, made by another program: printf 'wardbook/draw/v1\nseed\nA\n' | sha256sum
    assert_eq!(drawn("seed", "A"), DRAWN);
}

const DRAWN: &str = "09b5535408761db9442875d5687491bc86dd7071f8d94d9e391f9bc13a6c4305";

#[test]
fn quality_and_cost() {
    let mut input = json!({
        "method": "quality_and_cost_based", "price_points": "100", "min_bidders": 2, "technical_threshold": "70",
        "technical_weight_percent": "80", "financial_weight_percent": "20",
        "criteria": [{"code": "T1", "max_points": "60"}, {"code": "T2", "kind": "business", "max_points": "40"}],
        "bids": [
            {"bidder": "A", "price": "100", "scores": {"T1": ["50", "51"], "T2": ["30", "31"]}},
            {"bidder": "B", "price": "80", "scores": {"T1": ["45", "45"], "T2": ["25", "25"]}},
            {"bidder": "C", "price": "40", "scores": {"T1": ["45", "45"], "T2": ["24.98", "25"]}},
        ],
    });
    let derivation = evaluated(&input);
    // C's quality is 69.99: it is out, and its price is no benchmark.
    assert_eq!(
        bid(&derivation, "C").out.as_ref().unwrap().code,
        "below_threshold"
    );
    assert_eq!(derivation.result.benchmark_price.as_deref(), Some("80.00"));
    // 0.8 × (50.50 + 30.50) + 0.2 × 80.00, and 0.8 × 70.00 + 0.2 × 100.00.
    assert_eq!(bid(&derivation, "A").total.as_deref(), Some("80.80"));
    assert_eq!(bid(&derivation, "B").total.as_deref(), Some("76.00"));
    assert_eq!(derivation.result.ranking, ["A", "B"]);
    // Nobody good enough: nothing is ranked.
    input["technical_threshold"] = json!("90");
    assert_eq!(evaluated(&input).result.outcome, "unsuccessful");
}

#[test]
fn fewer_bids_than_are_needed_are_not_evaluated() {
    let lines = [
        ("A", "100", "60", "", "", 0),
        ("B", "90", "60", "", "", 0),
        ("C", "80", "60", "", "", 0),
    ];
    let mut input = scoring("30", "70", &lines);
    input["bids"][1]["out"] = json!({"code": "same_control"});
    let derivation = evaluated(&input);
    assert_eq!(derivation.result.outcome, "unsuccessful");
    assert!(derivation.result.ranking.is_empty());
    assert!(
        derivation
            .result
            .bids
            .iter()
            .all(|bid| bid.rank.is_none() && bid.evaluated_price.is_none())
    );
}

#[test]
fn low_prices_are_flagged_by_the_price_that_was_bid() {
    let lines = [
        ("A", "100", "60", "", "", 0),
        ("B", "90", "60", "", "", 0),
        ("C", "44", "60", "", "", 0),
    ];
    let mut input = scoring("30", "70", &lines);
    input["abnormally_low"] =
        json!({"average_percent": "50", "second_lowest_percent": "50", "ceiling_percent": "45"});
    input["ceiling"] = json!("100");
    let tests = |input: &Value| {
        let derivation = evaluated(input);
        let flags = &bid(&derivation, "C").flags;
        assert!(derivation.result.bids[..2].iter().all(|bid| bid.flags.is_empty()));
        flags
            .iter()
            .map(|flag| format!("{} {}", flag.test, flag.limit))
            .collect::<Vec<_>>()
    };
    // Half of the average of 100, 90 and 44 is 39; half of 90 is 45; 45 % of the ceiling is 45.
    assert_eq!(tests(&input), ["second_lowest 45.00", "ceiling 45.00"]);
    input["bids"][2]["original_price"] = json!("45");
    assert!(tests(&input).is_empty());
}

#[test]
fn rounding_once_or_after_each_factor() {
    let lines = [
        ("A", "300", "0", "", "", 0),
        ("B", "299", "0", "", "", 0),
        ("C", "298", "0", "", "", 0),
    ];
    let mut input = scoring("30", "70", &lines);
    input["criteria"] = json!([{"code": "T1", "max_points": "35"}, {"code": "T2", "max_points": "35"}]);
    for index in 0..3 {
        input["bids"][index]["scores"] = json!({"T1": ["10", "10", "10.01"], "T2": ["20", "20", "20.01"]});
    }
    // 10.00333… + 20.00333… + 29.8 = 59.80666…
    assert_eq!(bid(&evaluated(&input), "A").total.as_deref(), Some("59.80"));
    input["rounding"]["stage"] = json!("total");
    let derivation = evaluated(&input);
    assert_eq!(bid(&derivation, "A").total.as_deref(), Some("59.81"));
    assert_eq!(bid(&derivation, "A").scores["T1"], "10.00");
    let exact = derivation
        .steps
        .iter()
        .find(|step| step.of.as_deref() == Some("T1"))
        .unwrap();
    assert_eq!(
        (exact.numbers.as_str(), exact.result.as_str()),
        ("(10 + 10 + 10.01) ÷ 3", "3001/300")
    );
    input["rounding"]["mode"] = json!("down");
    assert_eq!(bid(&evaluated(&input), "A").total.as_deref(), Some("59.80"));
}

#[test]
fn ties_are_decided_as_the_book_says() {
    // All come to 90: A and B by the same price, C by a lower one but fewer technical points.
    let mut input = json!({
        "method": "comprehensive_scoring", "price_points": "10", "rounding": {"mode": "down", "places": 0, "stage": "total"},
        "criteria": [{"code": "T1", "max_points": "45"}, {"code": "B1", "kind": "business", "max_points": "45"}],
        "bids": [
            {"bidder": "A", "price": "100.00", "scores": {"T1": ["41"], "B1": ["40"]}},
            {"bidder": "B", "price": "100.00", "scores": {"T1": ["40"], "B1": ["41"]}},
            {"bidder": "C", "price": "99.99", "scores": {"T1": ["39"], "B1": ["41"]}},
        ],
        "draw_seed": "s",
    });
    let mut ranking = |rule: &str| {
        input["tie_rule"] = json!(rule);
        evaluated(&input).result.ranking.join("")
    };
    assert!(ranking("price_then_draw").starts_with('C'));
    assert_eq!(ranking("price_then_technical_then_draw"), "CAB");
    assert_eq!(ranking("technical_then_price_then_draw"), "ABC");
}

fn places(faults: &[Objection]) -> Vec<&str> {
    faults.iter().map(|fault| fault.pointer.as_str()).collect()
}

#[test]
fn every_fault_is_named_at_once() {
    let input = json!({
        "method": "by_feeling", "rounding": {"mode": "up", "places": 7, "extra": 1}, "ceiling": 5, "price_points": "0",
        "min_bidders": 0, "sme_deduction_percent": "100", "tie_rule": "first_come", "draw_seed": " ", "colour": "red",
        "criteria": [{"code": "T1", "max_points": "70"}, {"code": "T1", "max_points": "-3"}, {"code": "A/B", "kind": "price"}],
        "bids": [
            {"bidder": "A", "price": "1.234", "sme": "no", "scores": {"T1": ["70.01", 5, "6o"]}},
            {"bidder": "A", "price": "0", "scores": {"T1": ["1"], "X/1": ["1"]}},
            {"price": "5", "sme": true, "sme_consortium": true, "scores": []},
            "E",
        ],
    });
    let faults = read(&input.to_string()).unwrap_err();
    let found = places(&faults);
    for place in [
        "/method",
        "/rounding/extra",
        "/rounding/mode",
        "/rounding/places",
        "/rounding/stage",
        "/ceiling",
        "/price_points",
        "/min_bidders",
        "/sme_deduction_percent",
        "/tie_rule",
        "/draw_seed",
        "/colour",
        "/criteria/1/code",
        "/criteria/1/max_points",
        "/criteria/2/code",
        "/criteria/2/kind",
        "/criteria/2/max_points",
        "/bids/0/price",
        "/bids/0/sme",
        "/bids/0/scores/T1/0",
        "/bids/0/scores/T1/1",
        "/bids/0/scores/T1/2",
        "/bids/1/bidder",
        "/bids/1/price",
        "/bids/1/scores/X~11",
        "/bids/1/scores/T1",
        "/bids/2/bidder",
        "/bids/2/sme_consortium",
        "/bids/2/scores",
        "/bids/3",
    ] {
        assert!(found.contains(&place), "{place} of {found:?}");
    }
    for fault in &faults {
        assert!(!fault.detail.zh().is_empty() && !fault.detail.en().is_empty());
    }
    for (input, place) in [
        (json!({}), "/method"),
        (json!([]), ""),
        (json!({"method": "comprehensive_scoring", "bids": []}), "/bids"),
        (
            json!({"method": "comprehensive_scoring", "bids": [{"bidder": "A", "price": "1"}]}),
            "/price_points",
        ),
        (
            json!({"method": "appraisal", "bids": [{"bidder": "A", "price": "1"}]}),
            "/criteria",
        ),
        (
            json!({"method": "quality_and_cost_based", "technical_weight_percent": "1", "bids": []}),
            "/financial_weight_percent",
        ),
        (
            json!({"method": "comprehensive_scoring", "price_points": "10", "points_total": "100",
            "criteria": [{"code": "T", "max_points": "80"}], "bids": []}),
            "/points_total",
        ),
        (
            json!({"method": "comprehensive_scoring", "technical_threshold": "1", "bids": []}),
            "/technical_threshold",
        ),
    ] {
        assert!(
            places(&read(&input.to_string()).unwrap_err()).contains(&place),
            "{place}"
        );
    }
}

pub(super) fn claim(text: &str) -> Claim {
    match document(text).unwrap() {
        Document::Derivation(claim) => *claim,
        Document::Input(_) => panic!("an input"),
    }
}

#[test]
fn a_derivation_holds_until_anything_in_it_is_changed() {
    let lines = [
        ("A", "2248000", "60.20", "", "", 0),
        ("B", "2298600", "60.10", "", "", 0),
        ("C", "2156000", "58.40", "", "", 0),
    ];
    let derivation = evaluated(&scoring("30", "70", &lines));
    let written = derivation.written().unwrap();
    let verdict = recomputed(&claim(&written)).unwrap().unwrap();
    assert!(verdict.holds() && verdict.is_bytewise);
    let whole: Value = serde_json::from_str(&written).unwrap();
    let spaced = recomputed(&claim(&serde_json::to_string_pretty(&whole).unwrap()))
        .unwrap()
        .unwrap();
    assert!(spaced.holds() && !spaced.is_bytewise);

    let mut other = whole.clone();
    other["result"]["bids"][0]["total"] = json!("99.99");
    other["result"]["bids"][1]["note"] = json!("x");
    other["steps"][2]["result"] = json!("1.00");
    let verdict = recomputed(&claim(&other.to_string())).unwrap().unwrap();
    let told: Vec<&str> = verdict
        .differences
        .iter()
        .map(|one| one.pointer.as_str())
        .collect();
    assert_eq!(
        told,
        ["/steps/2/result", "/result/bids/0/total", "/result/bids/1/note"]
    );
    assert_eq!(verdict.differences[1].expected.as_deref(), Some("\"88.97\""));
    assert_eq!(verdict.differences[2].expected, None);

    // A changed score makes the result one that does not follow.
    let mut other = whole.clone();
    other["input"]["bids"][2]["scores"]["T1"][0] = json!("70");
    assert!(!recomputed(&claim(&other.to_string())).unwrap().unwrap().holds());
    // A document with faults in its head and in its input has all of them named.
    let mut other = whole;
    other["format"] = json!("wardbook/evaluation/v2");
    other["input"]["bids"][2]["price"] = json!("");
    assert_eq!(
        places(&document(&other.to_string()).unwrap_err()),
        ["/format", "/input/bids/2/price"]
    );
}
