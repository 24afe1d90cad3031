//! From what a period went in with to what is paid for it, step by step. Whoever has the input gets the same steps and the same sum, to the byte, on any
//! machine. Every product is exact and rounded half up to the fen, once. Pure.

use crate::award::rules_evaluation::Yuan;
use crate::award::rules_evaluation_exact::Exact;
use crate::books::rules_bands::band_of;
use crate::books::rules_documents::{BandDocument, WithoutScore};
use crate::kernel::fixed::Rounding;
use crate::kernel::money::Money;
use crate::kernel::refusal::Fault;
use crate::kernel::score::Score;
use crate::payments::rules_pay::{
    Deduction, Derivation, FORMAT, Input, Pay, Penalty, SCORE_PLACES, Source, Step, StepKind, Subject, Table,
};
use crate::payments::rules_pay_reading::document;

/// What the table of the whole score is called.
const WHOLE: &str = "score";

/// Reckons what is paid.
///
/// # Errors
/// A fault if an amount is beyond all bounds, or a score in no band: reading has refused both.
pub fn derive(subject: Subject, input: Input) -> Result<Derivation, Fault> {
    let mut course = Course::default();
    let score = course.score(&input)?;
    for table in &input.tables {
        course.table(&input, table, score)?;
    }
    for penalty in &input.penalties {
        course.penalty(&input, penalty)?;
    }
    let result = course.paid(&input, score)?;
    Ok(Derivation {
        format: FORMAT.to_owned(),
        contract_id: subject.contract_id,
        period: subject.period,
        steps: course.steps,
        result,
        input,
    })
}

#[derive(Default)]
struct Course {
    steps: Vec<Step>,
    deductions: Vec<Deduction>,
}

fn points(score: Score) -> Exact {
    Exact::decimal(score.points())
}

fn shown(score: Score) -> String {
    points(score).text(SCORE_PLACES)
}

fn beyond(error: impl std::error::Error + Send + Sync + 'static) -> Fault {
    Fault::caused("what is paid for a period", error)
}

/// To the fen, half up.
fn fen(exact: &Exact) -> Exact {
    exact.rounded(2, Rounding::HalfUp)
}

/// What is taken off at most is the fee, so that no product is beyond all bounds.
fn up_to(fee: Money, exact: Exact) -> Result<Money, Fault> {
    exact.min(Exact::yuan(fee)).text(2).parse().map_err(beyond)
}

impl Course {
    fn step(&mut self, step: StepKind, of: Option<&str>, (formula, numbers): (&str, String), result: String) {
        self.steps.push(Step {
            step,
            of: of.map(str::to_owned),
            formula: formula.to_owned(),
            numbers,
            result,
        });
    }

    fn deduct(&mut self, of: &str, amount: Money) {
        self.deductions.push(Deduction {
            of: of.to_owned(),
            amount: Yuan(amount),
        });
    }

    /// What each source counts, and the period's score.
    fn score(&mut self, input: &Input) -> Result<Option<Score>, Fault> {
        let mut counted: Vec<(&Source, Score)> = Vec::new();
        for source in &input.sources {
            match source.counted() {
                Some(score) => counted.push((source, score)),
                None => {
                    let why = match source.score {
                        Some(score) => format!("{} does not bind", shown(score)),
                        None => "there is no score".to_owned(),
                    };
                    let (formula, result) = match input.without_score {
                        WithoutScore::Redistributed => (
                            "the other sources share its weight, each as it weighs",
                            "not counted",
                        ),
                        WithoutScore::FullMarks => ("it counts as full marks", "100.00"),
                    };
                    self.step(
                        StepKind::WithoutScore,
                        Some(&source.code),
                        (formula, why),
                        result.to_owned(),
                    );
                    if input.without_score == WithoutScore::FullMarks {
                        counted.push((source, Score::HUNDRED));
                    }
                }
            }
        }
        let weight = |source: &Source| Exact::decimal(source.weight.percent());
        let (mut sum, mut weights, mut numbers) = (Exact::zero(), Exact::zero(), Vec::new());
        for (source, score) in &counted {
            sum = sum.plus(&weight(source).times(&points(*score)));
            weights = weights.plus(&weight(source));
            numbers.push(format!("{} × {}", weight(source).text(0), shown(*score)));
        }
        // Nothing has a score, or all that has one weighs nothing.
        let Some(mean) = sum.over(&weights) else {
            return Ok(None);
        };
        let text = mean.rounded(SCORE_PLACES, Rounding::HalfUp).text(SCORE_PLACES);
        self.step(
            StepKind::Score,
            None,
            (
                "Σ weight × score ÷ Σ weight, half up to two places",
                format!("({}) ÷ {}", numbers.join(" + "), weights.text(0)),
            ),
            text.clone(),
        );
        Ok(Some(text.parse().map_err(beyond)?))
    }

    /// What a table takes off.
    fn table(&mut self, input: &Input, table: &Table, whole: Option<Score>) -> Result<(), Fault> {
        let (name, score) = match &table.source {
            None => (WHOLE, whole),
            Some(code) => {
                let source = input.sources.iter().find(|source| source.code == *code);
                (code.as_str(), source.and_then(Source::counted))
            }
        };
        // What has no score is deducted nothing for.
        let Some(score) = score else { return Ok(()) };
        let bands: Vec<BandDocument> = table.bands.iter().map(document).collect();
        let band = band_of(&bands, score);
        let band = band.ok_or_else(|| Fault::broken(format!("no band has the score {score}")))?;
        let below = points(band.to).minus(&points(score));
        let (steps, counted) = match band.point_step {
            None => (below.clone(), below.text(2)),
            Some(step) => {
                let steps = below.over(&points(step)).unwrap_or_else(Exact::zero);
                let steps = steps.rounded(0, Rounding::Down);
                let text = format!("⌊{} ÷ {}⌋", below.text(2), points(step).text(0));
                (steps, text)
            }
        };
        let hundred = Exact::count(100);
        let percent = |weight: crate::kernel::weight::Weight| Exact::decimal(weight.percent());
        let rate = hundred
            .minus(&percent(band.base_rate))
            .plus(&percent(band.rate_per_point).times(&steps));
        let rate = rate.min(hundred.clone());
        let by_rate = Exact::yuan(input.fee.0).times(&rate).over(&hundred);
        let by_rate = fen(&by_rate.unwrap_or_else(Exact::zero));
        let by_point = fen(&Exact::yuan(band.amount_per_point).times(&steps));
        let sum = by_rate.plus(&by_point).plus(&Exact::yuan(band.flat_amount));
        let amount = up_to(input.fee.0, sum)?;
        let (from, to) = (points(band.from).text(0), points(band.to).text(0));
        let numbers = format!(
            "{} in {from}–{to}: {} × min(100, 100 − {} + {} × {counted}) % + {} × {counted} + {}",
            shown(score),
            input.fee,
            percent(band.base_rate).text(0),
            percent(band.rate_per_point).text(0),
            band.amount_per_point,
            band.flat_amount,
        );
        self.step(
            StepKind::Deduction,
            Some(name),
            (
                "min(fee, fee × min(100, 100 − base_rate + rate_per_point × points below) % + amount_per_point × points below + flat_amount)",
                numbers,
            ),
            amount.to_string(),
        );
        self.deduct(name, amount);
        Ok(())
    }

    fn penalty(&mut self, input: &Input, penalty: &Penalty) -> Result<(), Fault> {
        let count = Exact::decimal(penalty.count.into());
        let (exact, formula, numbers) = match penalty.percent {
            Some(percent) => (
                fen(&Exact::yuan(input.fee.0)
                    .times(&Exact::part(percent))
                    .times(&count)),
                "min(fee, count × percent of the fee)",
                format!(
                    "{} × {} % × {}",
                    penalty.count,
                    Exact::decimal(percent.percent()).text(0),
                    input.fee
                ),
            ),
            None => {
                let each = penalty.amount.map_or(Money::ZERO, |amount| amount.0);
                (
                    Exact::yuan(each).times(&count),
                    "min(fee, count × amount)",
                    format!("{} × {each}", penalty.count),
                )
            }
        };
        let amount = up_to(input.fee.0, exact)?;
        self.step(
            StepKind::Penalty,
            Some(&penalty.name),
            (formula, numbers),
            amount.to_string(),
        );
        self.deduct(&penalty.name, amount);
        Ok(())
    }

    fn paid(&mut self, input: &Input, score: Option<Score>) -> Result<Pay, Fault> {
        let fee = input.fee.0;
        let sum = self
            .deductions
            .iter()
            .fold(Exact::zero(), |sum, one| sum.plus(&Exact::yuan(one.amount.0)));
        let deducted = up_to(fee, sum)?;
        let each: Vec<String> = self.deductions.iter().map(|one| one.amount.to_string()).collect();
        let each = if each.is_empty() {
            "0.00".to_owned()
        } else {
            each.join(" + ")
        };
        self.step(
            StepKind::Deducted,
            None,
            ("min(fee, Σ deductions)", format!("min({fee}, {each})")),
            deducted.to_string(),
        );
        let left = fee.checked_sub(deducted).map_err(beyond)?;
        let mut recovered = Money::ZERO;
        if let Some(recovery) = input.advance_recovery {
            recovered = recovery.0.min(left);
            self.step(
                StepKind::Recovered,
                None,
                (
                    "min(advance_recovery, fee − deducted)",
                    format!("min({recovery}, {fee} − {deducted})"),
                ),
                recovered.to_string(),
            );
        }
        let payable = left.checked_sub(recovered).map_err(beyond)?;
        self.step(
            StepKind::Payable,
            None,
            (
                "fee − deducted − recovered",
                format!("{fee} − {deducted} − {recovered}"),
            ),
            payable.to_string(),
        );
        Ok(Pay {
            score: score.map(shown),
            deductions: std::mem::take(&mut self.deductions),
            deducted: Yuan(deducted),
            recovered: Yuan(recovered),
            payable: Yuan(payable),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::books::rules_bands;
    use crate::payments::rules_pay_reading::read_value;

    fn reckoned(input: &Value) -> Value {
        let input = read_value("", input).unwrap();
        let derivation = derive(Subject::default(), input).unwrap();
        serde_json::from_str(&derivation.written().unwrap()).unwrap()
    }

    fn faults(input: &Value) -> Vec<String> {
        let faults = read_value("", input).err().unwrap_or_default();
        faults.into_iter().map(|fault| fault.pointer).collect()
    }

    /// The table of E3.
    fn e3(inspection: &str, satisfaction: &str) -> Value {
        json!({
            "fee": "191550.00",
            "sources": [
                {"code": "inspection", "weight": "80", "score": inspection}, {"code": "satisfaction", "weight": "20", "score": satisfaction},
            ],
            "tables": [{"bands": [
                {"from": "0", "to": "70", "base_rate": "80"}, {"from": "70", "to": "80", "base_rate": "95", "rate_per_point": "1"},
                {"from": "80", "to": "90", "rate_per_point": "0.5"}, {"from": "90", "to": "100"},
            ]}],
        })
    }

    /// E3 of the worked examples.
    #[test]
    fn a_periods_pay_comes_of_its_scores() {
        for (inspection, satisfaction, score, deducted, payable) in [
            ("93.4", "88.0", "92.32", "0.00", "191550.00"),
            ("88.5", "82.0", "87.20", "2681.70", "188868.30"),
            ("80.5", "78.0", "80.00", "9577.50", "181972.50"),
            ("78.0", "74.5", "77.30", "14749.35", "176800.65"),
        ] {
            let result = &reckoned(&e3(inspection, satisfaction))["result"];
            let found = [&result["score"], &result["deducted"], &result["payable"]];
            assert_eq!(found, [score, deducted, payable]);
        }
        let steps = reckoned(&e3("88.5", "82.0"))["steps"].clone();
        assert_eq!(steps[0]["numbers"], "(80 × 88.50 + 20 × 82.00) ÷ 100");
        assert_eq!(
            steps[1]["numbers"],
            "87.20 in 80–90: 191550.00 × min(100, 100 − 100 + 0.5 × 2.80) % + 0.00 × 2.80 + 0.00"
        );
    }

    #[test]
    fn a_rating_that_does_not_bind_gives_its_weight_to_the_others_or_counts_as_full_marks() {
        let mut input = e3("86", "10");
        input["sources"][1]["non_binding"] = json!(true);
        let shared = reckoned(&input);
        assert_eq!(shared["result"]["score"], "86.00");
        assert_eq!(shared["steps"][0]["numbers"], "10.00 does not bind");
        input["without_score"] = json!("full_marks");
        assert_eq!(reckoned(&input)["result"]["score"], "88.80");
        let none = json!({"fee": "100.00", "sources": [{"code": "a", "weight": "100"}], "tables": e3("1", "1")["tables"]});
        let unscored = &reckoned(&none)["result"];
        assert_eq!(
            (&unscored["score"], &unscored["payable"]),
            (&Value::Null, &json!("100.00"))
        );
    }

    /// The hospital's survey has a table of its own, and each vacancy costs an amount; the park's late rectification a part of the fee each day.
    #[test]
    fn tables_of_sources_penalties_and_the_advance_are_taken_off_in_turn_and_never_more_than_there_is() {
        let mut input = json!({
            "fee": "100000.00",
            "sources": [{"code": "inspection", "weight": "100", "score": "88"}, {"code": "survey", "weight": "0", "score": "79.99"}],
            "tables": [
                {"bands": [{"from": "0", "to": "90", "amount_per_point": "10000.00"}, {"from": "90", "to": "100"}]},
                {"source": "survey", "bands": [{"from": "0", "to": "80", "flat_amount": "5000.00"},
                    {"from": "80", "to": "90", "amount_per_point": "1000.00", "point_step": "5"}, {"from": "90", "to": "100"}]},
            ],
            "penalties": [{"name": "岗位空缺", "count": 2, "amount": "10000.00"}, {"name": "逾期整改", "count": 3, "percent": "1"}],
            "advance_recovery": "60000.00",
        });
        let result = reckoned(&input)["result"].clone();
        let taken: Vec<&str> = result["deductions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["amount"].as_str().unwrap())
            .collect();
        assert_eq!(taken, ["20000.00", "5000.00", "20000.00", "3000.00"]);
        assert_eq!(
            [&result["deducted"], &result["recovered"], &result["payable"]],
            ["48000.00", "52000.00", "0.00"]
        );
        input["penalties"][0]["count"] = json!(10_000);
        input["penalties"][0]["amount"] = json!("90000000000000.00");
        let result = reckoned(&input)["result"].clone();
        assert_eq!([&result["deducted"], &result["payable"]], ["100000.00", "0.00"]);
        input["fee"] = json!("90000000000000.00");
        assert_eq!(reckoned(&input)["result"]["payable"], "0.00");
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let mut input = e3("101", "82.0");
        input["sources"][0]["weight"] = json!("70");
        input["sources"][1]["code"] = json!("inspection");
        input["tables"][0]["bands"][2]["from"] = json!("81");
        input["tables"][0]["source"] = json!("nobody");
        input["penalties"] =
            json!([{"name": "x", "count": 1}, {"name": "", "count": -1, "amount": "-1", "percent": "1"}]);
        input["fee"] = json!(12);
        input["colour"] = json!("red");
        let mut found = faults(&input);
        found.sort();
        let expected = [
            "/colour",
            "/fee",
            "/penalties/0",
            "/penalties/1",
            "/penalties/1/amount",
            "/penalties/1/count",
            "/penalties/1/name",
            "/sources",
            "/sources/0/score",
            "/sources/1/code",
            "/tables/0/bands/2/from",
            "/tables/0/source",
        ];
        assert_eq!(found, expected);
        // School B: 80 to 90 is undefined.
        let gap = json!({"fee": "87700.00", "tables": [{"bands": [{"from": "0", "to": "80", "rate_per_point": "0.3"}, {"from": "90", "to": "100"}]}]});
        assert_eq!(faults(&gap), ["/tables/0/bands/1/from"]);
        assert_eq!(faults(&json!([])), [""]);
        assert_eq!(faults(&json!({"fee": "1", "tables": [{}]})), ["/tables/0/bands"]);
    }

    proptest! {
        /// One table alone pays what the book's own rule says; parts never come to more than the fee, and nothing is lost.
        #[test]
        fn nothing_is_paid_twice_or_lost(
            fee in 0_i64..10_000_000_000, score in 0_i64..=10_000, rate in 0_i64..=1_000_000, base in 0_i64..=1_000_000, each in 0_i64..10_000_000,
            flat in 0_i64..10_000_000, step in proptest::option::of(1_i64..100), advance in 0_i64..10_000_000_000, count in 0_u32..=10_000
        ) {
            use rust_decimal::Decimal;
            let band = |from: &str, to: &str| json!({
                "from": from, "to": to, "base_rate": Decimal::new(base, 4).to_string(), "rate_per_point": Decimal::new(rate, 4).to_string(),
                "amount_per_point": Decimal::new(each, 2).to_string(), "flat_amount": Decimal::new(flat, 2).to_string(),
                "point_step": step.map(|step| step.to_string()),
            });
            let fee = Money::from_fen(fee).unwrap();
            let mut input = json!({
                "fee": fee.to_string(), "sources": [{"code": "a", "weight": "100", "score": Decimal::new(score, 2).to_string()}],
                "tables": [{"bands": [band("0", "60"), band("60", "100")]}],
            });
            let read = read_value("", &input).unwrap();
            let bands: Vec<BandDocument> = read.tables[0].bands.iter().map(document).collect();
            let expected = rules_bands::paid(&bands, fee, Score::new(Decimal::new(score, 2)).unwrap()).unwrap();
            prop_assert_eq!(&reckoned(&input)["result"]["payable"], &expected.to_string());
            input["advance_recovery"] = json!(Decimal::new(advance, 2).to_string());
            input["penalties"] = json!([{"name": "x", "count": count, "amount": Decimal::new(each, 2).to_string()}]);
            let result = reckoned(&input)["result"].clone();
            let money = |name: &str| result[name].as_str().unwrap().parse::<Money>().unwrap();
            prop_assert!(!money("payable").is_negative());
            prop_assert_eq!(Money::sum([money("deducted"), money("recovered"), money("payable")]).unwrap(), fee);
        }
    }
}
