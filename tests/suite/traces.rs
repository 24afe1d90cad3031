//! Money is followed over a year's end: down from the line it was first reserved on to what the next year's line pays, and back; without what had nothing to do with it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::awards::go_to;
use crate::books::ok;
use crate::claims::{Counter, by_months};
use crate::harness::Ward;
use crate::on_both;
use crate::treasury::{gets, made, posts, yuan};

fn steps(trace: &Value) -> &Vec<Value> {
    trace["steps"].as_array().unwrap()
}

/// What moved, as `code from>to`, with its id.
fn moves(trace: &Value) -> Vec<(String, String)> {
    let moved = steps(trace).iter().map(|step| &step["moved"]);
    moved
        .filter(|moved| !moved.is_null())
        .map(|moved| {
            let text = |member: &str| moved[member].as_str().unwrap();
            let what = format!("{} {}>{}", text("code"), text("from"), text("to"));
            (what, text("transfer_id").to_owned())
        })
        .collect()
}

fn number_of(trace: &Value, what: &str) -> usize {
    moves(trace).iter().filter(|(one, _)| one == what).count()
}

/// The way from a transfer to where it came from in the first place, by the reasons.
fn way(trace: &Value, from: &str) -> Vec<String> {
    let by_id: BTreeMap<&str, &Value> = steps(trace)
        .iter()
        .filter_map(|step| Some((step["moved"]["transfer_id"].as_str()?, &step["moved"])))
        .collect();
    let (mut way, mut at) = (Vec::new(), Some(from));
    while let Some(id) = at {
        let moved = by_id[id];
        way.push(moved["code"].as_str().unwrap().to_owned());
        at = moved["taken_from"].as_str();
    }
    way
}

fn carried(ward: &Ward, counter: &Counter<'_>, next: &str) {
    let treasury = &counter.work.case.office.treasury;
    let path = format!("/funds/{}/undecided-holds", treasury.fund);
    let list = ok(&gets(ward, &treasury.anna, &path));
    for hold in list["items"].as_array().unwrap() {
        let path = format!("/ledger/holds/{}/year-ends", hold["id"].as_str().unwrap());
        let carry = json!({"kind": "carry_over", "to_line_id": next, "reason": "跨年合同"});
        let id = made(&posts(ward, &treasury.anna, &path, Some(&carry)));
        ok(&posts(
            ward,
            &treasury.boris,
            &format!("/year-ends/{id}/confirmation"),
            None,
        ));
    }
}

on_both! { in "test";
    fn a_payment_is_followed_over_a_years_end_and_back(ward) {
        let counter = Counter::new(&ward, "2027-04-30", by_months);
        let office = &counter.work.case.office;
        let treasury = &office.treasury;
        go_to(&ward, "2026-06-01T02:00:00Z");
        counter.accepts(1);
        let first = counter.approved(&Counter::of_period(1, "191550.00", "A"));
        ok(&counter.acts(&counter.executes, &first, "execution"));
        go_to(&ward, "2026-07-01T02:00:00Z");
        counter.accepts(2);
        let second = counter.approved(&Counter::of_period(2, "191550.00", "B"));
        // What the line is given after it was drawn on is no part of the contract's money.
        let late = json!({"kind": "supplementary_appropriation", "fiscal_year": 2026, "amount": yuan("77.00"), "document": "沪财〔2026〕77号", "reason": "追加"});
        treasury.moves(&ward, &late);
        treasury.moves(&ward, &json!({"kind": "allocation", "fiscal_year": 2026, "to_line_id": office.line, "amount": yuan("77.00"), "reason": "追加"}));
        go_to(&ward, "2027-01-04T02:00:00Z");
        let next = treasury.line(&ward, "N-27", 2027, &treasury.department);
        carried(&ward, &counter, &next);
        ok(&counter.acts(&counter.executes, &second, "execution"));
        ward.settle();
        let public = |path: &str| ok(&ward.get(&format!("/api/v1{path}")));

        // Back from the payment, over the end of the year, to what was appropriated.
        let back = public(&format!("/claims/{second}/trace"));
        assert_eq!((&back["budget_line_id"], &back["fiscal_year"]), (&json!(next), &json!(2027)));
        assert_eq!(back["budget_line_ids"], json!([office.line, next]));
        let paid = steps(&back).iter().find(|step| step["moved"]["code"] == "payment").unwrap();
        assert_eq!((&paid["moved"]["from_line_id"], &paid["moved"]["amount"]), (&json!(next), &yuan("191550.00")));
        let whole = way(&back, paid["moved"]["transfer_id"].as_str().unwrap());
        assert_eq!(whole, ["payment", "commitment", "carry_over", "release", "commitment", "reservation"]);
        assert_eq!((number_of(&back, "allocation unallocated>available"), number_of(&back, "payment committed>spent")), (1, 1), "{back:#}");
        let appropriated = steps(&back).iter().filter(|step| step["moved"]["from"] == "source").map(|step| step["moved"]["amount"]["amount"].clone());
        assert_eq!(appropriated.collect::<Vec<_>>(), [json!("11000000.00")]);
        // What one line hands to another is for whoever may see the budget, also here.
        let carry = |trace: &Value| steps(trace).iter().find(|step| step["moved"]["code"] == "carry_over").unwrap()["moved"].clone();
        assert_eq!((&carry(&back)["amount"], &carry(&back)["from_line_id"], &carry(&back)["to_line_id"]), (&Value::Null, &json!(office.line), &json!(next)));
        let own = ok(&gets(&ward, &treasury.anna, &format!("/claims/{second}/trace")));
        assert_eq!(carry(&own)["amount"], yuan("2107050.00"));

        // Of the first payment, nothing of the next year.
        let early = public(&format!("/claims/{first}/trace"));
        assert_eq!((&early["budget_line_id"], &early["budget_line_ids"]), (&json!(office.line), &json!([office.line])));
        assert_eq!(number_of(&early, "carry_over available>available"), 0);

        // Down from either line: of the contract all of it, whichever line is asked.
        let contract = &counter.work.contract;
        let of = |line: &str| public(&format!("/budget-lines/{line}/trace?contract_id={contract}"));
        assert_eq!(of(&office.line)["steps"], of(&next)["steps"]);
        assert_eq!(number_of(&of(&next), "payment committed>spent"), 2);
        assert_eq!(number_of(&of(&next), "allocation unallocated>available"), 1);
        let other = treasury.line(&ward, "O-27", 2027, &treasury.department);
        assert_eq!(ward.get(&format!("/api/v1/budget-lines/{other}/trace?contract_id={contract}")).status, 404);
        let none = public(&format!("/budget-lines/{other}/trace"));
        assert_eq!(number_of(&none, "payment committed>spent"), 0);

        // Of a line all that was in it, where that came from, and what became of it.
        let old = public(&format!("/budget-lines/{}/trace", office.line));
        assert_eq!((number_of(&old, "payment committed>spent"), number_of(&old, "allocation unallocated>available")), (2, 2));
        let new = public(&format!("/budget-lines/{next}/trace"));
        assert_eq!((number_of(&new, "payment committed>spent"), number_of(&new, "carry_over available>available")), (1, 1));
        assert_eq!(way(&new, paid["moved"]["transfer_id"].as_str().unwrap()), whole);
        let claims: Vec<&Value> = steps(&new).iter().map(|step| &step["claim_id"]).filter(|claim| !claim.is_null()).collect();
        assert!(!claims.is_empty() && claims.iter().all(|claim| **claim == json!(second)), "{claims:?}");

        // The steps are in the order of the log.
        let places: BTreeMap<String, i64> = ["budget_movement.*", "book.*", "contract.*", "year_end.*", "claim.*"].iter().flat_map(|kind| ward.events(kind)).map(|event| (event["id"].as_str().unwrap().to_owned(), event["index"].as_i64().unwrap())).collect();
        let in_order: Vec<i64> = steps(&own).iter().filter_map(|step| places.get(step["event_id"].as_str()?).copied()).collect();
        assert!(in_order.len() > 8 && in_order.is_sorted(), "{in_order:?}");
        // What comes back from the bank and is held again is followed back through that.
        ok(&counter.ends(&counter.reconciles, &second, "failure"));
        let again = counter.approved(&Counter::of_period(2, "191550.00", "B"));
        ok(&counter.acts(&counter.executes, &again, "execution"));
        ward.settle();
        let back = public(&format!("/claims/{again}/trace"));
        let all: Vec<Vec<String>> = moves(&back).iter().filter(|(what, _)| what == "payment committed>spent").map(|(_, id)| way(&back, id)).collect();
        assert!(all.contains(&whole), "{all:?}");
        assert_eq!(number_of(&back, "allocation unallocated>available"), 1);
    }
}
