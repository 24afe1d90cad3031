//! Evaluations on the command line, and the public schemas of what it reads and writes.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use wardbook::app::evaluation_schemas;

fn recompute(arguments: &[&str]) -> Output {
    reckon("evaluation", arguments)
}

pub fn reckon(what: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wardbook"))
        .args(["recompute", what])
        .args(arguments)
        .output()
        .unwrap()
}

fn of(file: &Path) -> Output {
    recompute(&[file.to_str().unwrap()])
}

/// E2 of the domain, with what the public form says and nothing more.
fn input() -> Value {
    let bid = |bidder: &str, price: &str, sme: bool, score: &str| json!({"bidder": bidder, "price": price, "sme": sme, "scores": {"T1": [score]}});
    json!({
        "method": "comprehensive_scoring",
        "rounding": {"mode": "half_up", "places": 2, "stage": "factor"},
        "ceiling": "2350200.00", "price_points": "30", "min_bidders": 3, "sme_deduction_percent": "10",
        "criteria": [{"code": "T1", "max_points": "70"}],
        "bids": [
            bid("A", "2248000.00", false, "60.20"), bid("B", "2298600.00", true, "60.10"),
            bid("C", "2156000.00", false, "58.40"), bid("D", "2331000.00", true, "55.70"),
        ],
        "tie_rule": "price_then_draw", "draw_seed": "9f86d081",
    })
}

fn fits(schema: &str, document: &Value) -> bool {
    let schema: Value = serde_json::from_str(schema).unwrap();
    jsonschema::validator_for(&schema).unwrap().is_valid(document)
}

#[test]
fn an_input_is_reckoned_and_a_derivation_holds_or_is_told_where_not() {
    let dir = tempfile::tempdir().unwrap();
    let (input_file, derivation_file) = (dir.path().join("input.json"), dir.path().join("derivation.json"));
    std::fs::write(&input_file, input().to_string()).unwrap();
    let made = of(&input_file);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let derivation: Value = serde_json::from_slice(&made.stdout).unwrap();
    let totals: Vec<&Value> = (0..4)
        .map(|bid| &derivation["result"]["bids"][bid]["total"])
        .collect();
    assert_eq!(totals, ["87.81", "90.10", "87.19", "85.28"]);
    assert_eq!(derivation["result"]["ranking"], json!(["B", "A", "C", "D"]));
    // What the law says of low prices came with the program, and stands in the derivation.
    assert_eq!(derivation["input"]["abnormally_low"]["ceiling_percent"], "45");

    std::fs::write(&derivation_file, &made.stdout).unwrap();
    let held = of(&derivation_file);
    assert_eq!(held.status.code(), Some(0), "{held:?}");
    let told = String::from_utf8(held.stdout).unwrap();
    assert!(told.contains("2068740.00 ÷ 2248000.00 × 30 = 27.61"), "{told}");
    assert!(
        told.trim_end().lines().last().unwrap().starts_with("it holds"),
        "{told}"
    );
    let quiet = recompute(&["--quiet", derivation_file.to_str().unwrap()]);
    assert_eq!(String::from_utf8(quiet.stdout).unwrap().lines().count(), 2);

    let mut other = derivation.clone();
    other["result"]["ranking"] = json!(["A", "B", "C", "D"]);
    std::fs::write(&derivation_file, other.to_string()).unwrap();
    let differs = of(&derivation_file);
    let told = String::from_utf8(differs.stdout).unwrap();
    assert_eq!(differs.status.code(), Some(1), "{told}");
    assert!(
        told.contains("DIFFERS /result/ranking/0: it says \"A\", and \"B\" comes of the input"),
        "{told}"
    );

    let mut wrong = input();
    wrong["bids"][0]["price"] = json!(2_248_000);
    wrong["bids"][1]["scores"]["T1"][0] = json!("70.01");
    wrong["colour"] = json!("red");
    std::fs::write(&input_file, wrong.to_string()).unwrap();
    let refused = of(&input_file);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(
        (refused.status.code(), refused.stdout.len()),
        (Some(2), 0),
        "{told}"
    );
    for place in ["/bids/0/price: ", "/bids/1/scores/T1/0: ", "/colour: "] {
        assert!(told.lines().any(|line| line.starts_with(place)), "{place} {told}");
    }
    assert_eq!(of(&dir.path().join("nowhere.json")).status.code(), Some(2));

    // The schemas say the same of all of these.
    assert!(fits(&evaluation_schemas::input().unwrap(), &input()));
    assert!(fits(&evaluation_schemas::input().unwrap(), &derivation["input"]));
    assert!(fits(&evaluation_schemas::derivation().unwrap(), &derivation));
    assert!(!fits(&evaluation_schemas::input().unwrap(), &wrong));
    assert!(!fits(&evaluation_schemas::derivation().unwrap(), &input()));
}

#[test]
fn the_schemas_in_the_repository_are_those_that_the_code_gives() {
    for (what, file, name, schema) in [
        (
            "evaluation",
            "evaluation",
            "input",
            evaluation_schemas::input().unwrap(),
        ),
        (
            "evaluation",
            "evaluation",
            "derivation",
            evaluation_schemas::derivation().unwrap(),
        ),
        (
            "payment",
            "period-pay",
            "input",
            evaluation_schemas::pay_input().unwrap(),
        ),
        (
            "payment",
            "period-pay",
            "derivation",
            evaluation_schemas::pay_derivation().unwrap(),
        ),
    ] {
        let path = format!(
            "{}/api-spec/{file}-{name}.schema.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let known = std::fs::read_to_string(&path).expect("the schema is there");
        assert!(
            known == schema,
            "{path} is not what the code gives; look at the difference after \
             `cargo run -- recompute {what} --schema {name} > {path}`"
        );
    }
}

/// E3 of the domain, its second line.
fn pay() -> Value {
    json!({
        "fee": "191550.00",
        "sources": [{"code": "inspection", "weight": "80", "score": "88.5"}, {"code": "satisfaction", "weight": "20", "score": "82.0"}],
        "tables": [{"bands": [
            {"from": "0", "to": "70", "base_rate": "80"}, {"from": "70", "to": "80", "base_rate": "95", "rate_per_point": "1"},
            {"from": "80", "to": "90", "rate_per_point": "0.5"}, {"from": "90", "to": "100"},
        ]}],
    })
}

#[test]
fn a_periods_pay_is_reckoned_and_a_derivation_holds_or_is_told_where_not() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pay.json");
    let of = |document: &[u8]| {
        std::fs::write(&file, document).unwrap();
        reckon("payment", &[file.to_str().unwrap()])
    };
    let made = of(pay().to_string().as_bytes());
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let derivation: Value = serde_json::from_slice(&made.stdout).unwrap();
    let result = &derivation["result"];
    assert_eq!(
        [&result["score"], &result["deducted"], &result["payable"]],
        ["87.20", "2681.70", "188868.30"]
    );
    let held = of(&made.stdout);
    let told = String::from_utf8(held.stdout).unwrap();
    assert_eq!(held.status.code(), Some(0), "{told}");
    assert!(
        told.contains("score 87.20: 2681.70 deducted, 188868.30 payable") && told.contains("it holds"),
        "{told}"
    );

    let mut other = derivation.clone();
    other["result"]["payable"] = json!("191550.00");
    let differs = of(other.to_string().as_bytes());
    let told = String::from_utf8(differs.stdout).unwrap();
    assert_eq!(differs.status.code(), Some(1), "{told}");
    assert!(
        told.contains("DIFFERS /result/payable: it says \"191550.00\", and \"188868.30\" comes of the input"),
        "{told}"
    );
    let mut other = derivation.clone();
    other["input"]["sources"][0]["score"] = json!("93.4");
    assert_eq!(of(other.to_string().as_bytes()).status.code(), Some(1));

    let mut gap = pay();
    gap["tables"][0]["bands"][2]["from"] = json!("81");
    gap["fee"] = json!(-1);
    let refused = of(gap.to_string().as_bytes());
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(
        (refused.status.code(), refused.stdout.len()),
        (Some(2), 0),
        "{told}"
    );
    for place in ["/fee: ", "/tables/0/bands/2/from: "] {
        assert!(told.lines().any(|line| line.starts_with(place)), "{place} {told}");
    }
    assert_eq!(of(b"{").status.code(), Some(2));

    assert!(fits(&evaluation_schemas::pay_input().unwrap(), &pay()));
    assert!(fits(
        &evaluation_schemas::pay_input().unwrap(),
        &derivation["input"]
    ));
    assert!(fits(&evaluation_schemas::pay_derivation().unwrap(), &derivation));
    assert!(!fits(&evaluation_schemas::pay_input().unwrap(), &gap));
}
