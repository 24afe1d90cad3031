//! Imported spending: what others have published is counted beside the ward's own and apart from it; currencies are never added up; the same twice changes nothing; and the
//! ledger is verified without it.

use serde_json::{Value, json};
use wardbook::budget::imported::{clear, replace};
use wardbook::budget::rules_imported::{Amount, Currency, Entry, Key, Party, Process, What};
use wardbook::budget::store_imported_verification::rebuild_totals;
use wardbook::kernel::refusal::Stop;

use crate::harness::Ward;
use crate::on_both;
use crate::organisations::sql;
use crate::outbox::lines;
use crate::spending::{DIMENSIONS, adds_up, asks, items, paid, spends, verdict};
use crate::treasury::yuan;

/// An entry of a buyer and a supplier.
fn entry(what: What, agreement: &str, amount: &str, day: Option<&str>) -> Entry {
    Entry {
        what,
        agreement: Some(agreement.to_owned()),
        currency: Currency::yuan(),
        amount: Amount::of(amount.parse().unwrap()).unwrap(),
        day: day.map(|day| day.parse().unwrap()),
        buyer: Party::of(Some("CN-USCC-1"), Some("别区城管局")),
        supplier: Party::of(Some("CN-USCC-2"), Some("远洁公司")),
        supplier_kind: None,
        category: Key::of("services"),
        area_id: None,
        method: Key::of("open"),
    }
}

fn process(ocid: &str, entries: Vec<Entry>) -> Process {
    Process {
        ocid: ocid.to_owned(),
        entries,
    }
}

fn import(ward: &Ward, processes: Vec<Process>) -> Result<(), Stop> {
    let db = &ward.context().db;
    db.upkeep_and_wait(move |tx| replace(tx, &processes))
}

/// A contract of 1,000.00 of which 300.00 were paid; one of euros; and a payment of which nobody knows when.
fn published() -> Vec<Process> {
    let mut euro = entry(What::Agreed, "1", "70.50", Some("2019-05-06"));
    euro.currency = "EUR".parse().unwrap();
    let mut unknown = entry(What::Paid, "9", "5", None);
    (unknown.buyer, unknown.supplier, unknown.category, unknown.method) = (None, None, None, None);
    vec![
        process(
            "ocds-a-1",
            vec![
                entry(What::Agreed, "1", "1000", Some("2019-05-06")),
                entry(What::Paid, "1", "300", Some("2019-12-31")),
            ],
        ),
        process("ocds-a-2", vec![euro]),
        process("ocds-a-3", vec![unknown]),
    ]
}

/// All rows, totals and names.
fn kept(ward: &Ward) -> Vec<String> {
    let mut all = lines(
        ward,
        "SELECT ocid || number || currency || COALESCE(contract_id, '-') || amount || ' ' || committed || ' ' || paid AS line FROM spending_imported ORDER BY ocid, number",
    );
    all.extend(lines(ward, "SELECT currency || dimension || value || records || ' ' || amount || ' ' || committed || ' ' || paid || ' ' || payments AS line FROM spending_imported_totals ORDER BY currency, dimension, value"));
    all.extend(lines(
        ward,
        "SELECT id || name AS line FROM spending_imported_names ORDER BY id",
    ));
    all
}

fn totals(answer: &Value) -> [&Value; 4] {
    let totals = &answer["totals"];
    [
        &totals["committed"],
        &totals["paid"],
        &totals["count"],
        &totals["budgeted"],
    ]
}

on_both! { in "test";
    fn no_name_that_others_have_given_is_a_formula_in_a_table(ward) {
        let mut wicked = entry(What::Agreed, "=1", "-70.50", Some("2019-05-06"));
        wicked.buyer = Party::of(Some("+B1"), Some("=HYPERLINK(\"http://x\",\"y\")"));
        wicked.supplier = Party::of(Some("@S1"), Some("－1"));
        wicked.category = Key::of("=1+1");
        import(&ward, vec![process("-ocds", vec![wicked])]).unwrap();
        let reply = ward.ask("GET", "/api/v1/spending?group_by=buyer,supplier,category&source=imported").header("accept", "text/csv").send();
        assert_eq!(reply.status, 200, "{}", reply.text);
        for text in ["'+B1", "'@S1", "'=1+1", "'－1", "\"'=HYPERLINK("] {
            assert!(reply.text.contains(text), "{text}: {}", reply.text);
        }
        // Numbers stay numbers, and nothing is committed below nothing.
        for (line, cell) in reply.text.lines().flat_map(|line| line.split(',').map(move |cell| (line, cell.trim_matches('"')))) {
            assert!(!cell.starts_with(['=', '@', '+', '＝', '－']) && !cell.starts_with('-'), "{cell} in {line}");
        }
    }

    fn what_was_imported_is_told_apart_and_combined(ward) {
        let counter = paid(&ward);
        let before = spends(&ward, "group_by=fund&source=own");
        import(&ward, published()).unwrap();
        let own = spends(&ward, "group_by=fund&source=own");
        assert_eq!(own, before);
        let others = spends(&ward, "group_by=supplier&source=imported");
        assert_eq!(totals(&others), [&yuan("700.00"), &yuan("305.00"), &json!(2), &Value::Null]);
        let told: Vec<_> = items(&others).iter().map(|item| (item["keys"][0]["value"].clone(), item["keys"][0]["name_zh"].clone(), item["measures"]["paid"].clone(), item["measures"]["deducted"].clone())).collect();
        assert_eq!(told, [(Value::Null, Value::Null, yuan("5.00"), Value::Null), (json!("CN-USCC-2"), json!("远洁公司"), yuan("300.00"), Value::Null)]);
        let all = spends(&ward, "group_by=fund");
        assert_eq!(totals(&all), [&yuan("1264930.00"), &yuan("928364.75"), &json!(3), &yuan("10000000.00")]);
        assert_eq!((&all["currency"], &all["other_currencies"], &own["other_currencies"]), (&json!("CNY"), &json!(["EUR"]), &json!([])));
        // Whichever way it is grouped, and whether from the totals or from the rows.
        for source in ["imported", "all"] {
            for one in DIMENSIONS {
                let totalled = spends(&ward, &format!("group_by={one}&limit=200&source={source}"));
                let whole = adds_up(&totalled);
                assert_eq!(whole[3], Some(if source == "all" { 92_836_475 } else { 30_500 }), "{one} {source}");
                for other in DIMENSIONS.iter().filter(|other| **other != one) {
                    assert_eq!(adds_up(&spends(&ward, &format!("group_by={one},{other}&limit=200&source={source}")))[3], whole[3], "{one} {other}");
                }
                let upside_down = spends(&ward, &format!("group_by={one}&limit=200&source={source}&sort=-key"));
                let keys = |answer: &Value| -> Vec<Value> { items(answer).iter().map(|item| item["keys"][0]["value"].clone()).collect() };
                assert_eq!(keys(&upside_down).into_iter().rev().collect::<Vec<_>>(), keys(&totalled), "{one} {source}");
            }
        }
        // By a filter that does not leave out what has no day, as that is of no time.
        let summed = |query: &str| spends(&ward, &format!("group_by=category&source=imported&{query}"))["totals"]["paid"].clone();
        for (query, expected) in [("buyer_id=CN-USCC-1", "300.00"), ("supplier_id=CN-USCC-2", "300.00"), ("category=services", "300.00"), ("method=open", "300.00"), ("method=direct", "0.00"),
            ("contract_id=ocds-a-1%2F1", "300.00"), ("month=2019-12", "300.00"), ("quarter=2019-Q4", "300.00"), ("until=2019-12-31", "0.00"), ("from=2019-12-31", "300.00"), ("amount_min=300", "300.00"),
            ("amount_max=299.99", "5.00"), ("supplier_kind=company", "0.00")] {
            assert_eq!(summed(query), yuan(expected), "{query}");
        }
        let office = &counter.work.case.office;
        for query in [format!("fund_id={}", office.treasury.fund), format!("budget_line_id={}", office.line)] {
            assert_eq!(summed(&query), yuan("0.00"));
        }
        // How much imported contracts buy nobody has said, so that nothing is divided by it.
        let contract = &counter.work.contract;
        let by_contract = spends(&ward, "group_by=contract&limit=200");
        let per_unit = |key: Value| items(&by_contract).iter().find(|item| item["keys"][0]["value"] == key).unwrap()["measures"]["paid_per_unit"].clone();
        assert!(per_unit(json!(contract)).is_object() && per_unit(json!("ocds-a-1/1")).is_null() && by_contract["totals"]["paid_per_unit"].is_null());
    }

    fn currencies_are_never_added_up(ward) {
        let _counter = paid(&ward);
        import(&ward, published()).unwrap();
        for source in ["imported", "all"] {
            let euros = spends(&ward, &format!("group_by=month&currency=EUR&source={source}"));
            assert_eq!(euros["totals"]["committed"], json!({"amount": "70.50", "currency": "EUR"}));
            assert_eq!((items(&euros).len(), &euros["other_currencies"], &euros["totals"]["retained"]), (1, &json!(["CNY"]), &Value::Null));
            let narrowed = spends(&ward, &format!("group_by=month&currency=EUR&source={source}&buyer_id=CN-USCC-1"));
            assert_eq!(narrowed["items"], euros["items"]);
        }
        let none = spends(&ward, "group_by=month&currency=USD");
        assert_eq!((&none["items"], &none["totals"]["paid"], &none["other_currencies"]), (&json!([]), &json!({"amount": "0.00", "currency": "USD"}), &json!(["CNY", "EUR"])));
        let csv = ward.ask("GET", "/api/v1/spending?group_by=supplier&currency=EUR").header("accept", "text/csv").send();
        assert!(csv.text.contains("已承诺（EUR） Committed (EUR)") && csv.text.contains("CN-USCC-2,远洁公司,远洁公司,,,70.50,0.00,"), "{}", csv.text);
        for wrong in ["currency=eur", "currency=EURO", "buyer_id=%20a", "contract_id=a%E2%80%8B", "method=other"] {
            assert_eq!(asks(&ward, &format!("group_by=month&{wrong}")).status, 400, "{wrong}");
        }
    }

    fn pages_go_through_both_in_one_order(ward) {
        let _counter = paid(&ward);
        import(&ward, published()).unwrap();
        for sort in ["key", "-key", "-paid"] {
            let whole = spends(&ward, &format!("group_by=month&sort={sort}&limit=200"));
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = spends(&ward, &format!("group_by=month&sort={sort}&limit=1{cursor}"));
                assert_eq!(page["totals"], whole["totals"]);
                seen.extend(items(&page).clone());
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert!(seen.len() >= 7 && seen == *items(&whole), "{sort} {whole}");
        }
    }

    fn the_same_twice_changes_nothing_and_what_was_replaced_is_gone(ward) {
        import(&ward, published()).unwrap();
        let before = kept(&ward);
        assert_eq!(before.len(), 4 + 19 + 11 + 2, "{before:#?}");
        import(&ward, published()).unwrap();
        assert_eq!(kept(&ward), before);
        // Another release of it says more, and names another supplier.
        let mut more = published();
        more[0].entries[1].amount = Amount::of("1200".parse().unwrap()).unwrap();
        more[0].entries[1].supplier = Party::of(None, Some("另一公司"));
        import(&ward, vec![more[0].clone()]).unwrap();
        let answer = spends(&ward, "group_by=supplier");
        let told: Vec<_> = items(&answer).iter().map(|item| (item["keys"][0]["value"].clone(), item["measures"]["paid"].clone(), item["measures"]["committed"].clone())).collect();
        assert_eq!(told, [(Value::Null, yuan("5.00"), yuan("0.00")), (json!("CN-USCC-2"), yuan("0.00"), yuan("0.00")), (json!("另一公司"), yuan("1200.00"), yuan("0.00"))]);
        import(&ward, published()).unwrap();
        assert_eq!(kept(&ward), before);
        let found = verdict(&ward);
        assert!(found.holds(), "{found}");
        // Totals that were changed are found, and no part of the ledger.
        sql(&ward, "UPDATE spending_imported_totals SET paid = paid + 1 WHERE dimension = 'buyer'").unwrap();
        let found = verdict(&ward);
        assert!(found.to_string().contains("imported spending: the total of buyer `CNY CN-USCC-1` is not what it adds up"), "{found}");
        ward.context().db.upkeep_and_wait(rebuild_totals).unwrap();
        assert_eq!(kept(&ward), before);
        ward.context().db.upkeep_and_wait(|tx| clear(tx, &["ocds-a-1".to_owned(), "ocds-a-2".to_owned(), "ocds-a-3".to_owned(), "ocds-b".to_owned()])).unwrap();
        assert_eq!(kept(&ward), Vec::<String>::new());
    }

    fn sums_that_cannot_be_told_are_refused(ward) {
        let most = || entry(What::Paid, "1", "10000000000000", Some("2020-01-01"));
        let many = |ocid: &str, times: usize| process(ocid, vec![most(); times]);
        import(&ward, vec![many("ocds-a-1", 8_000)]).unwrap();
        let before = kept(&ward);
        let Err(Stop::Refused(refusal)) = import(&ward, vec![many("ocds-a-2", 1_001)]) else { panic!("it was taken") };
        assert_eq!(refusal.reason.code, "imported_sum_too_large");
        let Err(Stop::Refused(refusal)) = import(&ward, vec![many("ocds-a-2", 10_000)]) else { panic!("it was taken") };
        assert_eq!(refusal.reason.code, "imported_sum_too_large");
        assert_eq!(kept(&ward), before);
        import(&ward, vec![many("ocds-a-2", 1_000)]).unwrap();
        assert_eq!(spends(&ward, "group_by=supplier")["totals"]["paid"], json!({"amount": "90000000000000000.00", "currency": "CNY"}));
        assert!(verdict(&ward).holds());
    }
}
