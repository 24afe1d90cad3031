//! Spending: what is grouped adds up to the ledger whichever way it is grouped; what has no meaning says so; totals that were changed are found and made anew; and what is
//! asked for is answered as JSON, as a table and as a workbook.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use wardbook::app::ledger;
use wardbook::budget::store_spending_verification::rebuild_totals;
use wardbook::budget::verify;
use wardbook::db::conn::{Access, Conn, connect};

use crate::awards::go_to;
use crate::books::ok;
use crate::claims::{Counter, by_halves};
use crate::faults::block_on;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::lines;
use crate::treasury::{Treasury, made, posts, yuan};

pub const DIMENSIONS: [&str; 12] = [
    "month",
    "quarter",
    "fiscal_year",
    "fund",
    "budget_line",
    "buyer",
    "area",
    "category",
    "supplier",
    "supplier_kind",
    "method",
    "contract",
];
const MONEY: [&str; 7] = [
    "budgeted",
    "reserved",
    "committed",
    "paid",
    "deducted",
    "retained",
    "refunded",
];

pub fn asks(ward: &Ward, query: &str) -> Reply {
    ward.get(&format!("/api/v1/spending?{query}"))
}

pub fn spends(ward: &Ward, query: &str) -> Value {
    ok(&asks(ward, query))
}

fn fen(money: &Value) -> Option<i64> {
    let amount = money["amount"].as_str()?;
    Some(amount.replace('.', "").parse().unwrap())
}

pub fn items(answer: &Value) -> &Vec<Value> {
    answer["items"].as_array().unwrap()
}

/// That the groups of an answer add up to its totals, and what those are.
pub fn adds_up(answer: &Value) -> Vec<Option<i64>> {
    let totals = MONEY.map(|measure| fen(&answer["totals"][measure]));
    for (measure, total) in MONEY.iter().zip(&totals) {
        let sum: Option<i64> = items(answer)
            .iter()
            .map(|item| fen(&item["measures"][measure]))
            .sum();
        assert_eq!(sum.filter(|_| total.is_some()), *total, "{measure} {answer}");
    }
    let count: i64 = items(answer)
        .iter()
        .map(|item| item["measures"]["count"].as_i64().unwrap())
        .sum();
    assert_eq!(answer["totals"]["count"], json!(count));
    totals.to_vec()
}

pub fn verdict(ward: &Ward) -> verify::LedgerVerdict {
    ward.context().db.read_and_wait(verify::verify).unwrap()
}

/// A contract that was paid for half a year, whose advance came back from the bank.
pub fn paid(ward: &Ward) -> Counter<'_> {
    let counter = Counter::new(ward, "2026-10-31", by_halves);
    go_to(ward, "2026-05-11T01:00:00Z");
    for day in 1..=5 {
        counter
            .work
            .inspects(&format!("2026-05-0{day}"), if day == 5 { "4" } else { "7" });
    }
    go_to(ward, "2026-11-02T02:00:00Z");
    counter.accepts(1);
    let advance = counter.approved(&Counter::of_part("advance", "229860.00", "A1"));
    ok(&counter.acts(&counter.executes, &advance, "execution"));
    ok(&counter.ends(&counter.reconciles, &advance, "failure"));
    let period = counter.approved(&Counter::of_period(1, "928059.75", "P1"));
    // In Shanghai it is December.
    go_to(ward, "2026-11-30T17:00:00Z");
    ok(&counter.acts(&counter.executes, &period, "execution"));
    counter
}

on_both! { in "test";
    fn whichever_way_it_is_grouped_it_adds_up_to_the_ledger(ward) {
        let counter = paid(&ward);
        assert_eq!(counter.balances(), ["7750245.25", "1264230.00", "57465.00", "928059.75"]);
        let whole = spends(&ward, "group_by=fund");
        let expected = [("budgeted", "10000000.00"), ("reserved", "0.00"), ("committed", "1264230.00"), ("paid", "928059.75"), ("deducted", "48845.25"), ("retained", "57465.00"), ("refunded", "229860.00")];
        for (measure, amount) in expected {
            assert_eq!(whole["totals"][measure], yuan(amount), "{measure}");
        }
        assert_eq!((&whole["totals"]["count"], &whole["totals"]["average_satisfaction"]), (&json!(1), &Value::Null));
        let all = adds_up(&whole);
        for one in DIMENSIONS {
            // From the totals, and from the facts.
            let kept = spends(&ward, &format!("group_by={one}&limit=200"));
            let summed = spends(&ward, &format!("group_by={one}&limit=200&from=2000-01-01"));
            // With days there is no budget and nothing by the unit.
            let mut plain = kept["items"].clone();
            for item in plain.as_array_mut().unwrap() {
                item["measures"]["budgeted"] = Value::Null;
            }
            assert_eq!(plain.to_string().replace(&units(&kept), "null"), summed["items"].to_string(), "{one}");
            let totals = adds_up(&kept);
            for (measure, (here, everywhere)) in MONEY.iter().zip(totals.iter().zip(&all)) {
                assert!(here.is_none() || here == everywhere, "{one} {measure}");
            }
            for other in DIMENSIONS.iter().filter(|other| **other != one) {
                let both = spends(&ward, &format!("group_by={one},{other}&limit=200"));
                assert_eq!(adds_up(&both)[3], all[3], "{one} {other}");
            }
        }
        adds_up(&spends(&ward, "group_by=month,supplier,category&limit=200"));
        let found = verdict(&ward);
        assert!(found.holds(), "{found}");
    }

    fn what_has_no_meaning_is_null_and_says_why(ward) {
        let counter = paid(&ward);
        let supplier = counter.work.case.bidders[1].id.clone();
        let answer = spends(&ward, "group_by=supplier");
        let named = |keys: &Value| (keys[0]["value"].clone(), keys[0]["name_zh"].clone());
        let told: Vec<_> = items(&answer).iter().map(|item| (named(&item["keys"]), item["measures"]["paid"].clone(), item["measures"]["committed"].clone())).collect();
        assert_eq!(told, [((Value::Null, Value::Null), yuan("0.00"), yuan("0.00")), ((json!(supplier), json!("洁城公司")), yuan("928059.75"), yuan("1264230.00"))]);
        let absent = |answer: &Value, measure: &str| answer["measures"].as_array().unwrap().iter().find(|told| told["measure"] == measure).unwrap()["absent_en"].clone();
        for measure in ["budgeted", "reserved"] {
            assert!(absent(&answer, measure).is_string() && answer["totals"][measure].is_null(), "{measure} {answer}");
        }
        assert!(absent(&answer, "paid").is_null() && absent(&answer, "paid_per_unit").is_null());
        // What a single line was given is not public, whoever asks.
        let by_line = spends(&ward, "group_by=budget_line");
        assert!(absent(&by_line, "budgeted").is_string() && by_line["totals"]["budgeted"].is_null());
        let line = &counter.work.case.office.line;
        let of_line = spends(&ward, &format!("group_by=month&budget_line_id={line}"));
        assert!(of_line["totals"]["budgeted"].is_null() && of_line["totals"]["paid"] == yuan("928059.75"));
        // Nor what was given when: that is often one movement.
        for timed in ["group_by=month", "group_by=quarter,buyer", "group_by=fund&from=2026-03-01", "group_by=fund&month=2026-03", "group_by=buyer&amount_min=1"] {
            assert!(absent(&spends(&ward, timed), "budgeted").is_string(), "{timed}");
        }
        assert_eq!(spends(&ward, "group_by=buyer,category")["totals"]["budgeted"], yuan("10000000.00"));
        // By the contract, and not by the month.
        let contract = spends(&ward, &format!("group_by=contract&contract_id={}", counter.work.contract));
        let unit = &items(&contract)[0]["measures"]["paid_per_unit"];
        assert!(unit["amount"].is_string() && unit["unit_zh"].is_string() && contract["totals"]["paid_per_unit"] == *unit, "{contract}");
        let months = spends(&ward, "group_by=contract,month");
        assert!(absent(&months, "paid_per_unit").is_string() && months["totals"]["paid_per_unit"].is_null());
    }

    fn days_are_the_wards_and_filters_narrow(ward) {
        let counter = paid(&ward);
        let paid_in = |query: &str| spends(&ward, &format!("group_by=month&{query}"))["totals"]["paid"].clone();
        let all = || yuan("928059.75");
        let months = spends(&ward, "group_by=month&from=2026-12-01");
        assert_eq!((&items(&months)[0]["keys"][0]["value"], &months["totals"]["paid"]), (&json!("2026-12"), &all()));
        assert_eq!((paid_in("month=2026-12"), paid_in("month=2026-11")), (all(), yuan("0.00")));
        assert_eq!((paid_in("quarter=2026-Q4"), paid_in("quarter=2026-Q3"), paid_in("until=2026-12-01")), (all(), yuan("0.00"), yuan("0.00")));
        let (supplier, other) = (&counter.work.case.bidders[1].id, &counter.work.case.bidders[0].id);
        let office = &counter.work.case.office;
        let area = area_served(&ward, &counter);
        for (name, value) in [("supplier_id", supplier.as_str()), ("supplier_kind", "company"), ("contract_id", &counter.work.contract), ("fund_id", &office.treasury.fund),
            ("buyer_id", office.treasury.department.as_str()), ("category", "testing"), ("method", "comprehensive_scoring"), ("fiscal_year", "2026"), ("budget_line_id", &office.line), ("area_id", &area), ("source", "own")] {
            assert_eq!(paid_in(&format!("{name}={value}")), all(), "{name}");
        }
        for (name, value) in [("supplier_id", other.as_str()), ("supplier_kind", "residents_group"), ("category", "tea"), ("method", "appraisal"), ("fiscal_year", "2027"), ("source", "imported")] {
            let nothing = spends(&ward, &format!("group_by=month&{name}={value}"));
            assert_eq!((&nothing["items"], &nothing["totals"]["paid"]), (&json!([]), &yuan("0.00")), "{name}");
        }
        let above = ward.get(&format!("/api/v1/areas/{area}")).json()["parent_id"].clone();
        if let Some(above) = above.as_str() {
            assert_eq!(paid_in(&format!("area_id={above}")), all());
        }
        let large = spends(&ward, "group_by=fund&amount_min=900000.00");
        assert_eq!((&large["totals"]["paid"], &large["totals"]["refunded"], &large["totals"]["count"]), (&all(), &yuan("0.00"), &json!(1)));
        let small = spends(&ward, "group_by=fund&amount_max=300000");
        assert_eq!((&small["totals"]["paid"], &small["totals"]["refunded"], &small["totals"]["count"]), (&yuan("0.00"), &yuan("229860.00"), &json!(0)));
    }

    fn pages_and_orders_skip_and_repeat_nothing(ward) {
        let _counter = paid(&ward);
        let whole = spends(&ward, "group_by=month&limit=200");
        assert!(items(&whole).len() >= 4, "{whole}");
        for sort in ["key", "-key", "paid", "-committed", "average_satisfaction"] {
            for more in ["", "&from=2000-01-01"] {
                let (mut seen, mut cursor) = (Vec::new(), String::new());
                loop {
                    let page = spends(&ward, &format!("group_by=month&sort={sort}&limit=1{more}{cursor}"));
                    assert_eq!(page["totals"]["paid"], whole["totals"]["paid"]);
                    seen.extend(items(&page).iter().map(|item| item["keys"][0]["value"].as_str().unwrap().to_owned()));
                    let Some(next) = page["next_cursor"].as_str() else { break };
                    cursor = format!("&cursor={next}");
                }
                let distinct: BTreeSet<&String> = seen.iter().collect();
                assert_eq!((seen.len(), distinct.len()), (items(&whole).len(), seen.len()), "{sort}{more}");
                match sort {
                    "key" => assert!(seen.is_sorted()),
                    "-key" => assert!(seen.iter().rev().is_sorted()),
                    _ => {}
                }
            }
        }
        let page = spends(&ward, "group_by=month&limit=1");
        let cursor = page["next_cursor"].as_str().unwrap();
        assert_eq!(asks(&ward, &format!("group_by=quarter&limit=1&cursor={cursor}")).status, 400);
        for (query, place) in [("", "?group_by"), ("group_by=colour", "?group_by"), ("group_by=month,month", "?group_by"), ("group_by=month&sort=paid_per_unit", "?sort"),
            ("group_by=month&month=2026-13", "?month"), ("group_by=month&from=2026-2-1", "?from"), ("group_by=month&amount_min=1.001", "?amount_min"), ("group_by=month&colour=red", "?colour")] {
            let reply = asks(&ward, query);
            assert_eq!((reply.status, reply.faults()[0].0.as_str()), (400, place), "{query}");
        }
    }

    fn tables_have_headings_in_both_languages_and_all_groups(ward) {
        let counter = paid(&ward);
        let csv = ward.ask("GET", "/api/v1/spending?group_by=supplier,month").header("accept", "text/csv").send();
        assert_eq!((csv.status, csv.header("content-type")), (200, Some("text/csv; charset=utf-8")));
        let lines: Vec<&str> = csv.text.lines().collect();
        assert!(lines[0].starts_with("承接主体 Supplier,承接主体名称,Supplier (name),月份 Month,预算（元） Budgeted (CNY),"), "{}", lines[0]);
        let supplier = &counter.work.case.bidders[1].id;
        assert!(lines.iter().any(|line| line.starts_with(&format!("{supplier},洁城公司,")) && line.contains(",2026-12,,,-1034370.00,928059.75,48845.25,57465.00,0.00,1,,")), "{}", csv.text);
        assert!(lines.last().unwrap().starts_with("合计 Total,,,,,,1264230.00,928059.75,48845.25,57465.00,229860.00,1,,"), "{}", csv.text);
        let sheet = ward.ask("GET", "/api/v1/spending?group_by=supplier").header("accept", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet").send();
        assert_eq!((sheet.status, sheet.header("content-disposition")), (200, Some("attachment; filename=\"spending.xlsx\"")));
        assert!(sheet.text.starts_with("PK") && sheet.text.contains("<v>928059.75</v>") && sheet.text.contains("洁城公司"));
        assert_eq!(ward.ask("GET", "/api/v1/spending?group_by=supplier").header("accept", "image/png").send().status, 406);
    }

    fn totals_that_were_changed_are_found_and_made_anew(ward) {
        let mut ward = ward;
        let treasury = Treasury::with(&ward, "1000.00");
        let line = treasury.filled(&ward, "LA", "800.00");
        made(&posts(&ward, &treasury.anna, &format!("/budget-lines/{line}/reservations"), Some(&json!({"amount": yuan("10.00"), "purpose": "试"}))));
        assert!(verdict(&ward).holds());
        let rows = "SELECT dimension || value || shard || budgeted_fen || reserved_fen AS line FROM spending_totals ORDER BY dimension, value, shard";
        let before = lines(&ward, rows);
        for (change, told) in [
            ("UPDATE spending_totals SET reserved_fen = reserved_fen + 1 WHERE dimension = 'buyer'", "the total of buyer `org_"),
            ("DELETE FROM spending_totals WHERE dimension = 'month'", "the total of month `2026"),
            ("UPDATE spending_totals SET value = 'tea' WHERE dimension = 'category' AND value = 'testing'", "the total of category `tea`"),
        ] {
            sql(&ward, change).unwrap();
            let found = verdict(&ward).to_string();
            assert!(found.contains("DOES NOT HOLD") && found.contains(told), "{found}");
            let db = ward.context().db.clone();
            block_on(async move { db.upkeep(rebuild_totals).await }).unwrap();
            assert!(verdict(&ward).holds());
            assert_eq!(lines(&ward, rows), before);
        }
        let lot = "INSERT INTO spending_matters (matter, line_id, lot_id) SELECT 'lot_x', id, 'lot_x' FROM budget_lines WHERE code = 'LA'";
        sql(&ward, lot).unwrap();
        for forbidden in ["UPDATE spending_facts SET reserved_fen = 0", "DELETE FROM spending_facts", "UPDATE spending_subjects SET shard = 0", "DELETE FROM spending_subjects",
            "UPDATE spending_matters SET method = NULL", "DELETE FROM spending_matters"] {
            assert!(sql(&ward, forbidden).unwrap_err().to_string().contains("append-only"), "{forbidden}");
        }
        // What no transfer has added, with totals that go along.
        sql(&ward, "INSERT INTO spending_facts SELECT 'forged', subject_id, made_on, month, amount_fen, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0 FROM spending_facts WHERE reserved_fen > 0").unwrap();
        let db = ward.context().db.clone();
        block_on(async move { db.upkeep(rebuild_totals).await }).unwrap();
        let found = verdict(&ward);
        assert!(found.faults_found == 1 && found.to_string().contains(&format!("{line} is measured otherwise than its accounts stand")), "{found}");
        ward.log_must_hold = false; // Nor must the ledger.
    }

    fn a_ledger_that_is_older_is_measured_from_itself(ward) {
        let mut ward = ward;
        drop(paid(&ward));
        assert_eq!(measured_again(&ward), 0);
        let before = measured(&ward);
        forget(&ward);
        assert!(measured(&ward).iter().all(Vec::is_empty));
        // That is no fault, and is said.
        let found = verdict(&ward);
        assert!(found.holds() && found.to_string().contains("note: what is spent was never measured here"), "{found}");
        // A server that begins does it of itself.
        ward.restart(|_| ());
        assert_eq!(measured(&ward), before);
        let found = verdict(&ward);
        assert!(found.holds() && found.notes.is_empty(), "{found}");
        // What is lost later is a fault, and is measured when somebody asks for it.
        forget_some(&ward);
        let found = verdict(&ward).to_string();
        assert!(found.contains("is measured otherwise than it moved"), "{found}");
        assert_eq!(measured_again(&ward), 1);
        assert_eq!(measured(&ward), before);
    }

    fn money_is_followed_down_to_each_payment_and_back(ward) {
        let counter = paid(&ward);
        ward.settle();
        let office = &counter.work.case.office;
        let steps = |trace: &Value| -> Vec<(String, String, Value)> {
            trace["steps"].as_array().unwrap().iter().filter(|step| !step["moved"].is_null()).map(|step| {
                let moved = &step["moved"];
                (format!("{} {}>{}", moved["code"].as_str().unwrap(), moved["from"].as_str().unwrap(), moved["to"].as_str().unwrap()),
                    step["event_type"].as_str().unwrap_or("no event").to_owned(), moved["amount"]["amount"].clone())
            }).collect()
        };
        let path = format!("/budget-lines/{}/trace", office.line);
        let public = ok(&ward.get(&format!("/api/v1{path}")));
        let row = |what: &str, event: &str, amount: Value| (what.to_owned(), event.to_owned(), amount);
        let expected = [
            row("appropriation source>unallocated", "budget_movement.confirmed", json!("11000000.00")),
            row("allocation unallocated>available", "budget_movement.confirmed", Value::Null),
            row("reservation available>reserved", "book.published", json!("2350200.00")),
            row("commitment reserved>committed", "contract.signed", json!("2298600.00")),
            row("release reserved>available", "contract.signed", json!("51600.00")),
            row("payment committed>spent", "claim.executed", json!("229860.00")),
            row("refund spent>available", "claim.failed", json!("229860.00")),
            row("commitment available>committed", "claim.failed", json!("229860.00")),
        ];
        let told = steps(&public);
        for one in &expected {
            assert!(told.contains(one), "{one:?} {told:#?}");
        }
        let paid: Vec<_> = told.iter().filter(|(_, event, _)| event == "claim.executed").collect();
        assert!(told.iter().all(|(_, event, _)| event != "no event") && paid.len() >= 4, "{told:#?}");
        let types: Vec<&str> = public["steps"].as_array().unwrap().iter().filter(|step| step["moved"].is_null()).map(|step| step["event_type"].as_str().unwrap()).collect();
        for kind in ["claim.made", "claim.certified", "claim.approved"] {
            assert_eq!(types.iter().filter(|one| **one == kind).count(), 2, "{types:?}");
        }
        // Every proof that it names is there, and the steps are in time.
        for step in public["steps"].as_array().unwrap() {
            assert_eq!(ward.get(step["proof"].as_str().unwrap()).status, 200, "{step}");
        }
        let times: Vec<&str> = public["steps"].as_array().unwrap().iter().map(|step| step["at"].as_str().unwrap()).collect();
        assert!(times.is_sorted());
        // The line's own people see what it was given.
        let own = ok(&crate::treasury::gets(&ward, &office.treasury.anna, &path));
        assert!(steps(&own).contains(&row("allocation unallocated>available", "budget_movement.confirmed", json!("10000000.00"))));
        let of_contract = ok(&ward.get(&format!("/api/v1{path}?contract_id={}", counter.work.contract)));
        assert_eq!(steps(&of_contract), told);
        // Back from the payment, over what it was taken from.
        let claims = ok(&ward.get(&format!("/api/v1/contracts/{}/claims", counter.work.contract)));
        let last = claims["items"].as_array().unwrap().iter().find(|claim| claim["kind"] == "period").unwrap()["id"].as_str().unwrap().to_owned();
        let back = ok(&ward.get(&format!("/api/v1/claims/{last}/trace")));
        let moved: Vec<&Value> = back["steps"].as_array().unwrap().iter().map(|step| &step["moved"]).filter(|moved| !moved.is_null()).collect();
        let mut at = moved.iter().find(|moved| moved["to"] == "spent").unwrap();
        let mut chain = Vec::new();
        while let Some(from) = at["taken_from"].as_str() {
            chain.push(at["code"].as_str().unwrap());
            at = moved.iter().find(|moved| moved["transfer_id"] == from).unwrap();
        }
        chain.push(at["code"].as_str().unwrap());
        assert_eq!(chain, ["payment", "commitment", "reservation"]);
        assert!(moved.iter().any(|moved| moved["code"] == "appropriation"));
        for nothing in ["/budget-lines/budgetline_01jd3n8f5teqkrzvq1c0m6h2ax/trace", "/claims/claim_01jd3n8f5teqkrzvq1c0m6h2ax/trace", "/claims/tea/trace"] {
            assert_eq!(ward.get(&format!("/api/v1{nothing}")).status, 404, "{nothing}");
        }
        let elsewhere = format!("{path}?contract_id=contract_01jd3n8f5teqkrzvq1c0m6h2ax");
        assert_eq!(ward.get(&format!("/api/v1{elsewhere}")).status, 404);
    }

    fn unit_prices_are_compared_with_what_came_of_them(ward) {
        let counter = paid(&ward);
        let compares = |query: &str| ok(&ward.get(&format!("/api/v1/spending/unit-prices?{query}")));
        let all = compares("");
        let one = &items(&all)[0];
        assert_eq!((items(&all).len(), &one["contract_id"], &one["item"]), (1, &json!(counter.work.contract), &json!(1)));
        assert_eq!((&one["quantity"], &one["unit_price"], &one["ceiling"], &one["price"]), (&json!("1"), &json!("2298600"), &yuan("2350200.00"), &yuan("2298600.00")));
        assert_eq!((&one["paid"], &one["deducted"], &one["average_satisfaction"], &one["supplier_zh"], &one["fiscal_year"]), (&yuan("928059.75"), &yuan("48845.25"), &Value::Null, &json!("洁城公司"), &json!(2026)));
        // Another item of it, cheaper.
        sql(&ward, "INSERT INTO contract_items SELECT contract_id, 2, '二级道路', 'Class 2 roads', unit_zh, unit_en, 2500000, 1360000000, ceiling_fen, price_fen FROM contract_items").unwrap();
        let prices = |query: &str| -> Vec<String> { items(&compares(query)).iter().map(|item| item["unit_price"].as_str().unwrap().to_owned()).collect() };
        assert_eq!((prices(""), prices("sort=-unit_price")), (vec!["13.6".to_owned(), "2298600".to_owned()], vec!["2298600".to_owned(), "13.6".to_owned()]));
        assert_eq!(items(&compares("item=Class%202%20roads"))[0]["quantity"], json!("2.5"));
        for sort in ["unit_price", "-unit_price"] {
            let first = compares(&format!("sort={sort}&limit=1"));
            let second = compares(&format!("sort={sort}&limit=1&cursor={}", first["next_cursor"].as_str().unwrap()));
            assert!(items(&first)[0]["item"] != items(&second)[0]["item"] && second["next_cursor"].is_null(), "{sort}");
        }
        let area = area_served(&ward, &counter);
        let supplier = &counter.work.case.bidders[1].id;
        for query in [format!("area_id={area}"), format!("supplier_id={supplier}"), "category=testing&fiscal_year=2026".to_owned()] {
            assert_eq!(prices(&query).len(), 2, "{query}");
        }
        for query in ["category=tea", "fiscal_year=2027", "item=Tea", "unit=tea"] {
            assert_eq!(prices(query).len(), 0, "{query}");
        }
        let csv = ward.ask("GET", "/api/v1/spending/unit-prices").header("accept", "text/csv").send();
        assert!(csv.text.starts_with("合同 Contract,项 Item,名称,Name,") && csv.text.contains(",13.6,2026-05-01,2026-10-31,2026,testing,"), "{}", csv.text);
        assert!(sql(&ward, "UPDATE contract_items SET unit_price = 1").unwrap_err().to_string().contains("append-only"));
    }

    fn too_many_groups_are_read_page_by_page_or_refused(ward) {
        let mut ward = ward;
        ward.log_must_hold = false; // Nor must the totals.
        sql(&ward, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001) INSERT INTO spending_totals \
            SELECT 'contract', 'contract_' || i, 0, 0, 0, 0, 0, 0, i, 0, 0, 1, 0, 0 FROM n").unwrap();
        let first = spends(&ward, "group_by=contract&limit=200");
        assert_eq!(items(&first).len(), 200);
        let next = spends(&ward, &format!("group_by=contract&limit=200&cursor={}", first["next_cursor"].as_str().unwrap()));
        assert!(items(&next)[0]["keys"][0]["value"].as_str() > items(&first)[199]["keys"][0]["value"].as_str());
        refused(&asks(&ward, "group_by=contract&sort=-paid"), 422, "spending_too_many_groups");
        refused(&ward.ask("GET", "/api/v1/spending?group_by=contract").header("accept", "text/csv").send(), 422, "spending_too_many_groups");
        sql(&ward, "DELETE FROM spending_totals WHERE value = 'contract_1'").unwrap();
        assert_eq!(items(&spends(&ward, "group_by=contract&sort=-paid&limit=1"))[0]["measures"]["paid"], yuan("100.01"));
    }
}

/// What spending is kept in, those first that name others.
const TABLES: [(&str, &str); 5] = [
    (
        "spending_totals",
        "dimension, value, shard, appropriated_fen, budgeted_fen, reserved_fen, committed_fen, retained_fen, paid_fen, deducted_fen, refunded_fen, payments, ballots, satisfaction",
    ),
    (
        "spending_facts",
        "source_id, subject_id, made_on, month, amount_fen, appropriated_fen, budgeted_fen, reserved_fen, committed_fen, retained_fen, paid_fen, deducted_fen, refunded_fen, payments, ballots, satisfaction",
    ),
    (
        "spending_subjects",
        "id, shard, fund_id, fiscal_year, line_id, buyer_id, category, lot_id, contract_id, area_id, method, supplier_id, supplier_kind, unit_zh, unit_en, quantity_millionths",
    ),
    (
        "spending_matters",
        "matter, line_id, lot_id, contract_id, area_id, method, supplier_id, supplier_kind, unit_zh, unit_en, quantity_millionths",
    ),
    (
        "contract_items",
        "contract_id, number, name_zh, name_en, unit_zh, unit_en, quantity_millionths, unit_price, ceiling_fen, price_fen",
    ),
];

/// All that is kept of spending, row by row.
fn measured(ward: &Ward) -> Vec<Vec<String>> {
    let of = |(table, columns): (&str, &str)| {
        let shown: Vec<String> = columns
            .split(", ")
            .map(|column| format!("COALESCE(CAST({column} AS TEXT), '-')"))
            .collect();
        let mut rows = lines(
            ward,
            &format!("SELECT {} AS line FROM {table}", shown.join(" || ' ' || ")),
        );
        rows.sort();
        rows
    };
    TABLES.map(of).to_vec()
}

/// Removes what is kept in a table of spending, past the triggers that forbid it.
fn remove(ward: &Ward, table: &str, rows: &str) {
    let url = ward.house().settings.database().unwrap();
    let mut conn = connect(&url, Access::Write).unwrap();
    let remove = format!("DELETE FROM {table} WHERE {rows}");
    match &mut conn {
        Conn::Sqlite(c) => {
            let trigger = format!("SELECT sql AS line FROM sqlite_master WHERE name = '{table}_kept'");
            let trigger = lines(ward, &trigger).pop();
            let dropped = trigger
                .as_ref()
                .map_or_else(String::new, |_| format!("DROP TRIGGER {table}_kept;"));
            let all = format!("{dropped} {remove}; {}", trigger.unwrap_or_default());
            c.batch_execute(&all).unwrap();
        }
        Conn::Postgres(c) => {
            let all = format!(
                "ALTER TABLE {table} DISABLE TRIGGER USER; {remove}; ALTER TABLE {table} ENABLE TRIGGER USER"
            );
            c.batch_execute(&all).unwrap();
        }
    }
}

/// Forgets all that is kept of spending: as if the ledger were older than that.
fn forget(ward: &Ward) {
    for (table, _) in TABLES {
        remove(ward, table, "1 = 1");
    }
}

/// Forgets the facts of one payment.
fn forget_some(ward: &Ward) {
    let payment = "SELECT id AS line FROM ledger_transfers WHERE code = 'payment' ORDER BY id DESC";
    let payment = &lines(ward, payment)[0];
    remove(ward, "spending_facts", &format!("source_id = '{payment}'"));
}

/// Measures what was never measured, and tells how many transfers that were.
fn measured_again(ward: &Ward) -> u64 {
    let (db, zone) = (&ward.context().db, ward.house().settings.zone);
    db.upkeep_and_wait(move |tx| ledger::measure(tx, zone)).unwrap()
}

/// That all that is kept of spending can be made again from the ledger, from books, contracts and ballots, to the same.
pub fn is_made_again(ward: &Ward) {
    let before = measured(ward);
    forget(ward);
    measured_again(ward);
    assert_eq!(measured(ward), before);
    let found = verdict(ward);
    assert!(found.holds() && found.notes.is_empty(), "{found}");
}

/// What was paid for each unit, as it stands in an answer of one contract.
fn units(answer: &Value) -> String {
    let told = items(answer)
        .iter()
        .find(|item| !item["measures"]["paid_per_unit"].is_null());
    told.map_or_else(
        || "nothing".to_owned(),
        |item| item["measures"]["paid_per_unit"].to_string(),
    )
}

/// The area that the book serves.
fn area_served(ward: &Ward, counter: &Counter<'_>) -> String {
    let book = ok(&ward.get(&format!("/api/v1/contract-books/{}", counter.work.case.book)));
    book["content"]["areas"][0].as_str().unwrap().to_owned()
}
