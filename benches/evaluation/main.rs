//! How long an evaluation takes: 500 bids, 20 criteria, 7 evaluators.
//!
//! `cargo bench --bench evaluation`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use wardbook::award::rules_evaluation::Input;
use wardbook::award::rules_evaluation_deriving::{Subject, derive};
use wardbook::award::rules_evaluation_reading::read;

const BIDS: usize = 500;
const CRITERIA: usize = 20;
const EVALUATORS: usize = 7;

/// Scores that differ from bid to bid, without chance, so that every run measures the same.
fn input() -> String {
    let criteria: Vec<Value> = (0..CRITERIA)
        .map(|number| json!({"code": format!("T{number}"), "max_points": "4"}))
        .collect();
    let bids: Vec<Value> = (0..BIDS)
        .map(|bid| {
            let scores = |criterion: usize| -> Vec<String> {
                (0..EVALUATORS)
                    .map(|evaluator| {
                        let hundredths = (bid * 31 + criterion * 17 + evaluator * 7) % 400;
                        format!("{}.{:02}", hundredths / 100, hundredths % 100)
                    })
                    .collect()
            };
            let all: serde_json::Map<String, Value> = (0..CRITERIA)
                .map(|number| (format!("T{number}"), json!(scores(number))))
                .collect();
            json!({
                "bidder": format!("bid_{bid:04}"), "price": format!("{}.17", 2_000_000 + bid * 977 % 300_000),
                "sme": bid % 3 == 0, "scores": all,
            })
        })
        .collect();
    json!({
        "method": "comprehensive_scoring", "rounding": {"mode": "half_up", "places": 2, "stage": "factor"},
        "ceiling": "2400000.00", "price_points": "20", "min_bidders": 3, "sme_deduction_percent": "10",
        "abnormally_low": {"average_percent": "50", "second_lowest_percent": "50", "ceiling_percent": "45"},
        "criteria": criteria, "bids": bids, "tie_rule": "price_then_draw", "draw_seed": "a seed",
    })
    .to_string()
}

fn evaluation(criterion: &mut Criterion) {
    let text = input();
    let Ok(input): Result<Input, _> = read(&text) else {
        return;
    };
    let mut once = input.clone();
    once.rounding.stage = wardbook::books::rules_documents::RoundingStage::Total;
    let mut group = criterion.benchmark_group("500 bids, 20 criteria, 7 evaluators");
    group.bench_function("read the input", |bencher| {
        bencher.iter(|| read(black_box(&text)).is_ok())
    });
    group.bench_function("evaluate, rounding each factor", |bencher| {
        bencher.iter(|| derive(Subject::default(), black_box(&input).clone()).is_ok());
    });
    group.bench_function("evaluate, rounding once", |bencher| {
        bencher.iter(|| derive(Subject::default(), black_box(&once).clone()).is_ok());
    });
    if let Ok(derivation) = derive(Subject::default(), input.clone()) {
        group.bench_function("write the derivation", |bencher| {
            bencher.iter(|| black_box(&derivation).written().map(|text| text.len()).ok());
        });
    }
    group.finish();
}

criterion_group!(benches, evaluation);
criterion_main!(benches);
