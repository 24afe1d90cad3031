//! The pay rules of seven real contracts, as inputs of the calculation: each is expressed without a rest, and the one whose table has a gap is refused with its place.

use serde_json::{Value, json};

use crate::payments::rules_pay::Subject;
use crate::payments::rules_pay_deriving::derive;
use crate::payments::rules_pay_reading::read_value;
use crate::payments::rules_pay_recomputing::{Document, document, recomputed};

/// What is paid, and the score that it is paid for. The derivation is read again and holds, byte by byte.
fn paid(input: &Value) -> (Value, Value) {
    let input = read_value("", input).unwrap();
    let derivation = derive(Subject::default(), input).unwrap().written().unwrap();
    let Ok(Document::Derivation(claim)) = document(&derivation) else {
        panic!("{derivation}");
    };
    let verdict = recomputed(&claim).unwrap();
    assert!(
        verdict.differences.is_empty() && verdict.is_bytewise,
        "{derivation}"
    );
    let whole: Value = serde_json::from_str(&derivation).unwrap();
    (
        whole["result"]["score"].clone(),
        whole["result"]["payable"].clone(),
    )
}

fn scored(fee: &str, score: &str, bands: &Value) -> Value {
    json!({"fee": fee, "sources": [{"code": "inspection", "weight": "100", "score": score}], "tables": [{"bands": bands}]})
}

fn pays(fee: &str, bands: &Value, cases: &[(&str, &str)]) {
    for (score, payable) in cases {
        assert_eq!(paid(&scored(fee, score, bands)).1, *payable, "{score}");
    }
}

/// District hospital, property, 38,600,417 CNY: below 90 it is 10,000 for each point; each vacancy costs 10,000; a quarterly survey has a table of its own.
#[test]
fn the_hospital_takes_amounts_off_by_point_by_case_and_by_survey() {
    let mut input = scored(
        "3216701.41",
        "88.5",
        &json!([{"from": "0", "to": "90", "amount_per_point": "10000.00"}, {"from": "90", "to": "100"}]),
    );
    input["sources"][0]["weight"] = json!("100");
    input["sources"]
        .as_array_mut()
        .unwrap()
        .push(json!({"code": "survey", "weight": "0", "score": "84"}));
    input["tables"].as_array_mut().unwrap().push(json!({"source": "survey", "bands": [
        {"from": "0", "to": "80", "flat_amount": "5000.00"}, {"from": "80", "to": "90", "amount_per_point": "200.00", "point_step": "5"},
        {"from": "90", "to": "100"}]}));
    input["penalties"] = json!([{"name": "岗位空缺", "count": 2, "amount": "10000.00"}]);
    // 15,000 for 1.5 points, one full step of five at 200, and two vacancies.
    assert_eq!(paid(&input), (json!("88.50"), json!("3181501.41")));
    input["tables"][1]["bands"][1] =
        json!({"from": "80", "to": "90", "amount_per_point": "1000.00", "point_step": "5"});
    assert_eq!(paid(&input).1, "3180701.41");
    input["sources"][1]["score"] = json!("79.99");
    assert_eq!(paid(&input).1, "3176701.41");
}

/// School A, 2,248,400 CNY, by the month: below 90 it is 0.1 % of the month's fee for each point.
#[test]
fn school_a_takes_a_tenth_of_a_percent_by_point() {
    let bands = json!([{"from": "0", "to": "90", "rate_per_point": "0.1"}, {"from": "90", "to": "100"}]);
    pays(
        "187366.67",
        &bands,
        &[
            ("90", "187366.67"),
            ("85.5", "186523.52"),
            ("60", "181745.67"),
            ("0", "170503.67"),
        ],
    );
}

/// School B, 1,052,400 CNY: from 90 all, below 80 less by 0.3 % for each point; what 80 to 90 pays nobody has written down.
#[test]
fn school_b_is_refused_with_the_place_of_its_gap() {
    let bands = json!([{"from": "0", "to": "80", "rate_per_point": "0.3"}, {"from": "90", "to": "100"}]);
    let faults = read_value("", &scored("87700.00", "85", &bands)).unwrap_err();
    let places: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(places, ["/tables/0/bands/1/from"]);
    let whole = json!([{"from": "0", "to": "80", "rate_per_point": "0.3"}, {"from": "80", "to": "90"}, {"from": "90", "to": "100"}]);
    pays("87700.00", &whole, &[("85", "87700.00"), ("79", "87436.90")]);
}

/// An agency, 640,645.80 CNY, 30 % of it in advance: each full five points below 90 are one percent.
#[test]
fn the_agency_counts_full_steps_alone() {
    let bands = json!([{"from": "0", "to": "90", "rate_per_point": "1", "point_step": "5"}, {"from": "90", "to": "100"}]);
    pays(
        "448452.06",
        &bands,
        &[
            ("89.99", "448452.06"),
            ("85.01", "448452.06"),
            ("85", "443967.54"),
            ("80", "439483.02"),
        ],
    );
}

/// Street sanitation: 88 points pay 90 %, and from 98 all is paid.
#[test]
fn street_sanitation_pays_a_rate_by_band() {
    let bands = json!([{"from": "0", "to": "88", "base_rate": "80"}, {"from": "88", "to": "98", "base_rate": "90"}, {"from": "98", "to": "100"}]);
    pays(
        "191550.00",
        &bands,
        &[
            ("88", "172395.00"),
            ("97.99", "172395.00"),
            ("98", "191550.00"),
            ("87.99", "153240.00"),
        ],
    );
}

/// Park greening: whoever puts right too late pays one percent for each day.
#[test]
fn the_park_takes_a_percent_for_each_late_day() {
    let mut input = scored("47200.00", "95", &json!([{"from": "0", "to": "100"}]));
    input["penalties"] = json!([{"name": "逾期整改", "count": 3, "percent": "1"}]);
    assert_eq!(paid(&input).1, "45784.00");
    input["penalties"][0]["count"] = json!(200);
    assert_eq!(paid(&input).1, "0.00");
}

/// Greening: four kinds of inspections at 50, 20, 20 and 10; from 90 all, and from 75 the percentage that the score is.
#[test]
fn greening_pays_the_percentage_of_its_score() {
    let bands = json!([{"from": "0", "to": "75", "base_rate": "75", "rate_per_point": "1"}, {"from": "75", "to": "90", "base_rate": "90", "rate_per_point": "1"}, {"from": "90", "to": "100"}]);
    let input = |daily: &str| {
        json!({"fee": "47200.00", "tables": [{"bands": bands}], "sources": [
            {"code": "daily", "weight": "50", "score": daily}, {"code": "monthly", "weight": "20", "score": "85"},
            {"code": "quarterly", "weight": "20", "score": "80"}, {"code": "ad_hoc", "weight": "10", "score": "90"}]})
    };
    // 82.00 %.
    assert_eq!(paid(&input("80")), (json!("82.00"), json!("38704.00")));
    assert_eq!(paid(&input("100")), (json!("92.00"), json!("47200.00")));
}
