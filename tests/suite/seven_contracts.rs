//! The pay rules of seven real contracts (district hospital, two schools, an agency, street sanitation, a park, greening), as books that go through the service: published,
//! awarded and signed for their own sums, inspected, accepted, claimed and paid, with the triggers that their scores set off. Each says which of its rules is expressed by what.
//! What a book does not do by itself: what a trigger costs beside (`penalty_percent`) is put into the settlement by whoever proposes the end, and how often a penalty is
//! counted is entered by whoever certifies.

use serde_json::{Value, json};

use crate::awards::{Sums, go_to};
use crate::books::{Office, ok};
use crate::claims::Counter;
use crate::harness::Ward;
use crate::inspections::inspection;
use crate::on_both;
use crate::treasury::{made, posts, yuan};

/// Sums of a contract for so much under a ceiling, each with what is lodged for it.
const fn sums(
    (price, performance_security): (&'static str, &'static str),
    (ceiling, bid_security): (&'static str, &'static str),
) -> Sums {
    Sums {
        all: "60000000.00",
        of_line: "50000000.00",
        ceiling,
        bid_security,
        prices: [price, price, price],
        performance_security,
    }
}

const HOSPITAL: Sums = sums(("38600417.00", "1930020.85"), ("40000000.00", "400000.00"));
const SCHOOL_A: Sums = sums(("2248400.00", "112420.00"), ("2300000.00", "23000.00"));
const SCHOOL_B: Sums = sums(("1052400.00", "52620.00"), ("1100000.00", "11000.00"));
const AGENCY: Sums = sums(("640645.80", "32032.29"), ("650000.00", "6500.00"));
const STREETS: Sums = sums(("2298600.00", "114930.00"), ("2350200.00", "23502.00"));
const GREENERY: Sums = sums(("566400.00", "28320.00"), ("580400.00", "5804.00"));

/// A band; what is left out of it is full pay.
fn band(from: &str, to: &str, more: Value) -> Value {
    let zero = yuan("0.00");
    let mut band = json!({"from": from, "to": to, "base_rate": "100", "rate_per_point": "0", "amount_per_point": zero, "flat_amount": zero, "point_step": null});
    let more = more.as_object().unwrap().clone();
    band.as_object_mut().unwrap().extend(more);
    band
}

fn full(from: &str, to: &str) -> Value {
    band(from, to, json!({}))
}

fn table(source: Option<&str>, bands: &[Value]) -> Value {
    json!({"source": source, "bands": bands})
}

fn source(code: &str, weight: &str) -> Value {
    json!({"code": code, "kind": "inspection", "name_zh": code, "name_en": code, "weight": weight})
}

fn trigger(outcome: &str, (below, times, counting): (&str, u32, &str), more: Value) -> Value {
    let mut trigger = json!({"outcome": outcome, "below": below, "times": times, "counting": counting, "penalty_percent": null, "months_max": null});
    let more = more.as_object().unwrap().clone();
    trigger.as_object_mut().unwrap().extend(more);
    trigger
}

fn penalty(zh: &str, en: &str, per: &str, amount: Value) -> Value {
    let mut penalty = json!({"name_zh": zh, "name_en": en, "per": per, "amount": null, "percent": null});
    let amount = amount.as_object().unwrap().clone();
    penalty.as_object_mut().unwrap().extend(amount);
    penalty
}

/// What a contract says of pay, by months.
struct Terms {
    sources: Vec<Value>,
    tables: Vec<Value>,
    triggers: Vec<Value>,
    penalties: Vec<Value>,
    /// What is added to its payment.
    payment: Value,
}

impl Terms {
    fn put(&self, lot: &mut Value) {
        lot["payment"] = json!({"advance_percent": "0", "periods_percent": "100", "retention_percent": "0", "period": "month", "periods": 12, "shares": []});
        let payment = self.payment.as_object().unwrap().clone();
        lot["payment"].as_object_mut().unwrap().extend(payment);
        lot["score_sources"] = json!(self.sources);
        lot["pay_tables"] = json!(self.tables);
        lot["triggers"] = json!(self.triggers);
        lot["penalties"] = json!(self.penalties);
    }

    fn signed<'w>(&self, ward: &'w Ward, sums: Sums) -> Counter<'w> {
        Counter::summed(ward, "2027-04-30", sums, |lot| self.put(lot))
    }
}

/// The whole score by daily inspections alone.
fn daily() -> Vec<Value> {
    vec![source("daily", "100")]
}

/// Inspects on a day with so many found asleep, each of which costs three points of a hundred.
fn inspects(counter: &Counter<'_>, source: &str, day: &str, asleep: u32) {
    let mut body = inspection("4", None);
    body["source"] = json!(source);
    body["started_at"] = json!(format!("{day}T00:30:00Z"));
    let items = body["items"].as_array_mut().unwrap();
    items.push(json!({"indicator": "asleep", "value": asleep.to_string()}));
    let path = format!("/contracts/{}/inspections", counter.work.contract);
    let reply = posts(counter.ward(), counter.officer(), &path, Some(&body));
    let score = reply.json()["score"].clone();
    made(&reply);
    assert_eq!(score, format!("{}.00", 100 - 3 * asleep));
}

/// One inspection in each of the first months, and on to when the last one's score is settled.
fn months(counter: &Counter<'_>, asleep: &[u32]) {
    for (month, asleep) in (5..).zip(asleep) {
        go_to(counter.ward(), &format!("2026-{month:02}-11T02:00:00Z"));
        inspects(counter, "daily", &format!("2026-{month:02}-11"), *asleep);
    }
    let next = 5 + asleep.len();
    go_to(counter.ward(), &format!("2026-{next:02}-01T02:00:00Z"));
}

/// Accepts a period and pays it: what is paid, and what has gone back to the line since.
fn paid(counter: &Counter<'_>, period: i64, penalties: &Value) -> (String, String) {
    counter.accepts(period);
    let before = counter.pay(period);
    let fee = before["price_now"]["amount"].clone();
    let claim = counter.claimed(&Counter::of_period(
        period,
        fee.as_str().unwrap(),
        &format!("F{period}"),
    ));
    let is_less = !penalties.is_null() || before["derivation"]["result"]["payable"] != fee;
    let mut said = json!({});
    if is_less {
        said = json!({"less_zh": "按合同扣减", "less_en": "As the contract says"});
    }
    if !penalties.is_null() {
        said["penalties"] = penalties.clone();
    }
    ok(&counter.certifies(counter.officer(), &claim, &said));
    ok(&counter.acts(&counter.approves, &claim, "approval"));
    ok(&counter.acts(&counter.executes, &claim, "execution"));
    let pay = counter.pay(period);
    let amount = |member: &str| pay[member]["amount"].as_str().unwrap().to_owned();
    (amount("paid"), amount("released"))
}

/// When each trigger was due: the periods that it rests on, of each time.
fn due(counter: &Counter<'_>) -> Vec<(String, Value)> {
    let path = format!("/api/v1/contracts/{}/triggers", counter.work.contract);
    let view = ok(&counter.ward().get(&path));
    let triggers = view["triggers"].as_array().unwrap().iter();
    let periods = |one: &Value| -> Value {
        let due = one["due"].as_array().unwrap().iter();
        due.map(|one| one["periods"].clone()).collect()
    };
    triggers
        .map(|one| (one["state"].as_str().unwrap().to_owned(), periods(one)))
        .collect()
}

fn told(all: &[(&str, Value)]) -> Vec<(String, Value)> {
    all.iter()
        .map(|(state, periods)| ((*state).to_owned(), periods.clone()))
        .collect()
}

on_both! { in "test";
    /// Below 90 10,000 a point: an amount by point. A vacancy 10,000: a penalty by case. The survey: a source that weighs nothing with a table of its own, in full steps of five
    /// points. Another manager, the end in two ways and the renewal: triggers.
    fn the_hospital(ward) {
        let ten_thousand = json!({"amount": yuan("10000.00")});
        let terms = Terms {
            sources: vec![source("daily", "100"), source("survey", "0")],
            tables: vec![
                table(None, &[band("0", "90", json!({"amount_per_point": yuan("10000.00")})), full("90", "100")]),
                table(Some("survey"), &[
                    band("0", "80", json!({"flat_amount": yuan("5000.00")})),
                    band("80", "90", json!({"amount_per_point": yuan("1000.00"), "point_step": "5"})),
                    full("90", "100"),
                ]),
            ],
            triggers: vec![
                trigger("replace_manager", ("90", 3, "consecutive"), json!({})),
                trigger("termination", ("80", 2, "consecutive"), json!({})),
                trigger("termination", ("80", 3, "cumulative"), json!({})),
                trigger("renewal", ("80", 1, "cumulative"), json!({"months_max": 36})),
            ],
            penalties: vec![penalty("岗位空缺", "A vacancy", "case", ten_thousand)],
            payment: json!({}),
        };
        let counter = terms.signed(&ward, HOSPITAL);
        // 88 in May with a survey of 82; no survey in the months after.
        go_to(&ward, "2026-05-12T02:00:00Z");
        inspects(&counter, "survey", "2026-05-11", 6);
        inspects(&counter, "daily", "2026-05-11", 4);
        go_to(&ward, "2026-06-01T02:00:00Z");
        let vacancies = json!([{"penalty": 1, "count": 2, "reason_zh": "两岗空缺", "reason_en": "Two posts were vacant"}]);
        // 3,216,701.41 less 20,000 for two points, 1,000 for one full step and 20,000 for two vacancies.
        assert_eq!(paid(&counter, 1, &vacancies).0, "3175701.41");
        let result = counter.pay(1)["derivation"]["result"].clone();
        assert_eq!(result["deductions"], json!([{"of": "score", "amount": "20000.00"}, {"of": "survey", "amount": "1000.00"}, {"of": "岗位空缺", "amount": "20000.00"}]));
        // 88, 85, 88: another manager. 79, 91, 79, 76: three times below 80, the last two in a row.
        for (month, asleep) in [(6, 5), (7, 4), (8, 7), (9, 3), (10, 7), (11, 8)] {
            go_to(&ward, &format!("2026-{month:02}-11T02:00:00Z"));
            inspects(&counter, "daily", &format!("2026-{month:02}-11"), asleep);
            if month == 8 {
                assert_eq!(due(&counter)[0], ("due".to_owned(), json!([[1, 2, 3]])));
            }
        }
        go_to(&ward, "2026-12-01T02:00:00Z");
        assert_eq!(due(&counter), told(&[
            ("due", json!([[1, 2, 3], [2, 3, 4]])), ("due", json!([[6, 7]])), ("due", json!([[4, 6, 7]])), ("not_due", json!([])),
        ]));
        assert_eq!(counter.pay(4)["derivation"]["result"]["payable"], "3106701.41");
    }

    /// Below 90 0.1 % of the month's fee a point: a rate by point. Below 60 the end: a trigger.
    fn school_a(ward) {
        let terms = Terms {
            sources: daily(),
            tables: vec![table(None, &[band("0", "90", json!({"rate_per_point": "0.1"})), full("90", "100")])],
            triggers: vec![trigger("termination", ("60", 1, "cumulative"), json!({}))],
            penalties: vec![],
            payment: json!({}),
        };
        let counter = terms.signed(&ward, SCHOOL_A);
        months(&counter, &[5]);
        // 187,366.66 less half a percent, half up: 936.83.
        assert_eq!(paid(&counter, 1, &Value::Null).0, "186429.83");
        assert_eq!(due(&counter), told(&[("not_due", json!([]))]));
        go_to(&ward, "2026-06-11T02:00:00Z");
        inspects(&counter, "daily", "2026-06-11", 14);
        go_to(&ward, "2026-07-01T02:00:00Z");
        assert_eq!(due(&counter), told(&[("due", json!([[2]]))]));
        // The line has the money that was deducted back once the month is settled: 0.1 % for 32 points are 5,995.73.
        assert_eq!(paid(&counter, 2, &Value::Null), ("181370.93".to_owned(), "5995.73".to_owned()));
    }

    /// From 90 all, below 80 0.3 % a point, and between them nothing was written: a table with a gap, which no book has. With a band of its own for it the rest can be expressed:
    /// below 60 the end, which costs 10 % beside.
    fn school_b_is_refused_with_the_name_of_its_gap(ward) {
        let terms = Terms {
            sources: daily(),
            tables: vec![table(None, &[band("0", "80", json!({"rate_per_point": "0.3"})), full("90", "100")])],
            triggers: vec![trigger("termination", ("60", 1, "cumulative"), json!({"penalty_percent": "10"}))],
            penalties: vec![],
            payment: json!({}),
        };
        let office = Office::new(&ward);
        let mut body = office.whole(&ward);
        let lot = &mut body["content"]["lots"][0];
        lot["ceiling"] = yuan("1000.00");
        terms.put(lot);
        let gap = posts(&ward, &office.officer, "/contract-books", Some(&body));
        assert_eq!(gap.status, 422, "{}", gap.text);
        let problem = gap.json();
        let faults = problem["errors"].as_array().unwrap();
        assert_eq!(faults.len(), 1, "{}", gap.text);
        assert!(faults[0]["pointer"].as_str().unwrap().ends_with("/lots/0/pay_tables/0/bands/1/from"), "{}", gap.text);
        assert!(gap.text.contains("80–90"), "{}", gap.text);
        // Two answers to one score neither.
        body["content"]["lots"][0]["pay_tables"][0]["bands"] = json!([band("0", "90", json!({"rate_per_point": "0.3"})), full("80", "100")]);
        let overlap = posts(&ward, &office.officer, "/contract-books", Some(&body));
        assert!(overlap.status == 422 && overlap.text.contains("80–90"), "{}", overlap.text);
        body["content"]["lots"][0]["pay_tables"][0]["bands"] = json!([full("0", "80"), full("80", "90")]);
        let low = posts(&ward, &office.officer, "/contract-books", Some(&body));
        assert!(low.status == 422 && low.text.contains("90–100"), "{}", low.text);
        body["content"]["lots"][0]["pay_tables"][0]["bands"].as_array_mut().unwrap().push(full("90", "100"));
        made(&posts(&ward, &office.officer, "/contract-books", Some(&body)));
    }

    /// The same with a band from 80 to 90 that pays all.
    fn school_b(ward) {
        let terms = Terms {
            sources: daily(),
            tables: vec![table(None, &[band("0", "80", json!({"rate_per_point": "0.3"})), full("80", "90"), full("90", "100")])],
            triggers: vec![trigger("termination", ("60", 1, "cumulative"), json!({"penalty_percent": "10"}))],
            penalties: vec![],
            payment: json!({}),
        };
        let counter = terms.signed(&ward, SCHOOL_B);
        months(&counter, &[5, 7, 14]);
        assert_eq!(paid(&counter, 1, &Value::Null), ("87700.00".to_owned(), "0.00".to_owned()));
        // A point, and 22 points: 263.10 and 5,788.20.
        assert_eq!(paid(&counter, 2, &Value::Null), ("87436.90".to_owned(), "263.10".to_owned()));
        assert_eq!(paid(&counter, 3, &Value::Null), ("81911.80".to_owned(), "5788.20".to_owned()));
        assert_eq!(due(&counter), told(&[("due", json!([[3]]))]));
        let path = format!("/api/v1/contracts/{}/triggers", counter.work.contract);
        assert_eq!(ok(&ward.get(&path))["triggers"][0]["trigger"]["penalty_percent"], "10");
    }

    /// 30 % in advance: an advance that the months take back. Each full five points below 90 one percent: a rate by step. The security is the contract's performance security.
    fn the_agency(ward) {
        let terms = Terms {
            sources: daily(),
            tables: vec![table(None, &[band("0", "90", json!({"rate_per_point": "1", "point_step": "5"})), full("90", "100")])],
            triggers: vec![trigger("termination", ("60", 2, "consecutive"), json!({}))],
            penalties: vec![],
            payment: json!({"advance_percent": "30", "advance_recovery": "spread"}),
        };
        let counter = terms.signed(&ward, AGENCY);
        go_to(&ward, "2026-05-02T02:00:00Z");
        let advance = counter.approved(&Counter::of_part("advance", "192193.74", "A1"));
        ok(&counter.acts(&counter.executes, &advance, "execution"));
        months(&counter, &[5, 4]);
        // 53,387.15 less one percent for five points, and a twelfth of the advance.
        assert_eq!(paid(&counter, 1, &Value::Null), ("36837.14".to_owned(), "533.87".to_owned()));
        // 88 is no full step.
        assert_eq!(paid(&counter, 2, &Value::Null), ("37371.01".to_owned(), "0.00".to_owned()));
        assert_eq!(counter.totals()["advance_left"], yuan("160161.46"));
        assert_eq!(counter.pay(12)["derivation"]["result"]["recovered"], "16016.20", "the last one takes the rest");
    }

    /// 88 points pay 90 %, and from 98 all is paid: base rates. What less than 88 pays is the book's to say: here 80 %.
    fn street_sanitation(ward) {
        let terms = Terms {
            sources: daily(),
            tables: vec![table(None, &[band("0", "88", json!({"base_rate": "80"})), band("88", "98", json!({"base_rate": "90"})), full("98", "100")])],
            triggers: vec![trigger("rectification", ("88", 1, "consecutive"), json!({}))],
            penalties: vec![],
            payment: json!({}),
        };
        let counter = terms.signed(&ward, STREETS);
        months(&counter, &[4, 0, 5]);
        assert_eq!(paid(&counter, 1, &Value::Null), ("172395.00".to_owned(), "19155.00".to_owned()));
        assert_eq!(paid(&counter, 2, &Value::Null), ("191550.00".to_owned(), "0.00".to_owned()));
        assert_eq!(paid(&counter, 3, &Value::Null), ("153240.00".to_owned(), "38310.00".to_owned()));
        assert_eq!(due(&counter), told(&[("due", json!([[3]]))]));
    }

    /// Two fails in a row end it and cost 30 %: a trigger with a penalty. A day of late rectification 1 %: a penalty by day.
    fn the_park(ward) {
        let terms = Terms {
            sources: daily(),
            tables: vec![table(None, &[full("0", "100")])],
            triggers: vec![trigger("termination", ("60", 2, "consecutive"), json!({"penalty_percent": "30"}))],
            penalties: vec![penalty("逾期整改", "Late rectification", "day", json!({"percent": "1"}))],
            payment: json!({}),
        };
        let counter = terms.signed(&ward, GREENERY);
        months(&counter, &[14, 3, 14, 14]);
        let late = json!([{"penalty": 1, "count": 3, "reason_zh": "逾期三日", "reason_en": "Three days late"}]);
        assert_eq!(paid(&counter, 1, &late), ("45784.00".to_owned(), "1416.00".to_owned()));
        assert_eq!(due(&counter), told(&[("due", json!([[3, 4]]))]), "one fail is none, nor are two with a good month between them");
    }

    /// Four kinds of inspections at 50, 20, 20 and 10: sources. From 90 all, and from 75 the percentage that the score is: a base rate of 90 less one percent a point.
    fn greening(ward) {
        let terms = Terms {
            sources: vec![source("daily", "50"), source("monthly", "20"), source("quarterly", "20"), source("ad_hoc", "10")],
            tables: vec![table(None, &[
                band("0", "75", json!({"base_rate": "75", "rate_per_point": "1"})),
                band("75", "90", json!({"base_rate": "90", "rate_per_point": "1"})),
                full("90", "100"),
            ])],
            triggers: vec![trigger("termination", ("75", 3, "cumulative"), json!({}))],
            penalties: vec![],
            payment: json!({}),
        };
        let counter = terms.signed(&ward, GREENERY);
        go_to(&ward, "2026-05-12T02:00:00Z");
        for (source, asleep) in [("daily", 7), ("monthly", 5), ("quarterly", 6), ("ad_hoc", 3)] {
            inspects(&counter, source, "2026-05-11", asleep);
        }
        go_to(&ward, "2026-06-01T02:00:00Z");
        // 0.5 × 79 + 0.2 × 85 + 0.2 × 82 + 0.1 × 91 = 82.00.
        assert_eq!(paid(&counter, 1, &Value::Null), ("38704.00".to_owned(), "8496.00".to_owned()));
        assert_eq!(counter.pay(1)["derivation"]["result"]["score"], "82.00");
        assert_eq!(due(&counter), told(&[("not_due", json!([]))]));
    }
}
