//! Periods: made with the second signature, to the fen and without a gap, public, and never changed.

use serde_json::{Value, json};

use crate::award_sequences::BRISK;
use crate::awards::{Case, go_to};
use crate::books::ok;
use crate::harness::Ward;
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::treasury::{gets, yuan};

/// A lot of three places that is inspected daily and monthly, by the standard's indicator and two of its own.
pub fn inspected(lot: &mut Value) {
    let place = |n: u32| json!({"name_zh": format!("第{n}路"), "name_en": format!("Road {n}")});
    lot["places"] = (1..=3).map(place).collect();
    let source = |code: &str, kind: &str, weight: &str| json!({"code": code, "kind": kind, "name_zh": "来源", "name_en": "Source", "weight": weight});
    lot["score_sources"] = json!([
        source("daily", "inspection", "50"),
        source("monthly", "inspection", "30"),
        source("rating", "rating", "20")
    ]);
    let own = |code: &str, unit: &str, limits: Value, more: Value| {
        let mut indicator = json!({
            "code": code, "name_zh": "指标", "name_en": "Indicator", "text_zh": "要求", "text_en": "Demand", "unit": unit, "operator": "at_most",
            "limits": limits, "method_zh": "清点", "method_en": "Counted"
        });
        indicator
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        indicator
    };
    let by_grade = json!([{"grade": "a", "threshold": "4"}, {"grade": "b", "threshold": "10"}]);
    lot["indicators"] = json!([
        own(
            "ends",
            "piece_per_thousand_m2",
            by_grade,
            json!({"points": "5", "loss": {"kind": "per_excess", "points": "0.5", "step": "1"}})
        ),
        own(
            "asleep",
            "occurrence",
            json!([{"grade": null, "threshold": "0"}]),
            json!({"loss": {"kind": "per_occurrence", "points": "3"}})
        )
    ]);
    lot["payment"] = json!({
        "advance_percent": "10", "periods_percent": "85", "retention_percent": "5", "period": "month", "periods": 12, "shares": []
    });
}

/// A contract of such a lot, signed on 14 April for a service from 1 May, and the award that it came from.
pub fn contract(ward: &Ward) -> (Case, String) {
    let case = Case::with(ward, 1, &BRISK, inspected);
    let contract = case.signed(ward);
    (case, contract)
}

fn fen(money: &Value) -> i64 {
    money["amount"]
        .as_str()
        .unwrap()
        .replace('.', "")
        .parse()
        .unwrap()
}

on_both! { in "test";
    fn a_signed_contract_has_its_periods_at_once_and_they_add_up_to_the_price(ward) {
        let (case, contract) = contract(&ward);
        let path = format!("/api/v1/contracts/{contract}/periods");
        let view = ok(&ward.get(&path));
        let periods = view["items"].as_array().unwrap();
        assert_eq!((&view["price"], &view["kind"], &view["advance"], &view["retention"]), (&yuan("2298600.00"), &json!("month"), &yuan("229860.00"), &yuan("114930.00")));
        // 1,953,810 in twelve.
        assert_eq!(periods.len(), 12);
        assert_eq!(periods[0], json!({"number": 1, "first_day": "2026-05-01", "last_day": "2026-05-31", "amount": yuan("162817.50"), "price_now": yuan("162817.50"), "state": "upcoming"}));
        assert_eq!((&periods[11]["first_day"], &periods[11]["last_day"]), (&json!("2027-04-01"), &json!("2027-04-30")));
        let all: i64 = periods.iter().map(|period| fen(&period["amount"])).sum();
        assert_eq!(all + fen(&view["advance"]) + fen(&view["retention"]), 229_860_000);

        // In the same transaction as the signature: one commit, two events.
        let (signed, made) = (ward.events("contract.signed"), ward.events("contract.periods_made"));
        assert_eq!((signed.len(), made.len(), &signed[0]["entry"]["at"]), (1, 1, &made[0]["entry"]["at"]));
        let told = &made[0]["entry"]["data"]["periods"];
        assert_eq!((told.as_array().unwrap().len(), &told[11]["last_day"], &told[0]["amount"]), (12, &json!("2027-04-30"), &yuan("162817.50")));

        // One, its state by the ward's days, and a table.
        go_to(&ward, "2026-04-30T16:00:00Z");
        assert_eq!(ok(&ward.get(&format!("{path}/1")))["state"], "running");
        go_to(&ward, "2026-05-31T15:59:59Z");
        assert_eq!(ok(&ward.get(&format!("{path}/1")))["state"], "running");
        go_to(&ward, "2026-05-31T16:00:00Z");
        assert_eq!((&ok(&ward.get(&format!("{path}/1")))["state"], &ok(&ward.get(&format!("{path}/2")))["state"]), (&json!("over"), &json!("running")));
        for wrong in ["0", "13", "x", "-1", "99999999999999999999"] {
            refused(&ward.get(&format!("{path}/{wrong}")), 404, "not_found");
        }
        let table = ward.ask("GET", &path).header("accept", "text/csv").send();
        assert!(table.text.contains(&format!("{contract},1,2026-05-01,2026-05-31,162817.50,over\r\n")), "{}", table.text);
        refused(&ward.get(&format!("{path}?x=1")), 400, "malformed");

        // A contract that is not signed has none, and is nobody's to know of here.
        let unsigned = sql(&ward, "UPDATE contract_periods SET amount_fen = 1");
        assert!(unsigned.is_err() && sql(&ward, "DELETE FROM contract_periods").is_err());
        assert!(sql(&ward, "UPDATE contract_schedules SET advance_fen = 1").is_err() && sql(&ward, "DELETE FROM contract_schedules").is_err());
        refused(&gets(&ward, &case.office.officer, "/contracts/contract_01jd3n8f5teqkrzvq1c0m6h2ax/periods"), 404, "not_found");
        let scores = ok(&ward.get(&format!("{path}/1/scores")))["items"].clone();
        let states: Vec<_> = scores.as_array().unwrap().iter().map(|one| (one["source"].as_str().unwrap(), one["state"].as_str().unwrap(), one["score"].clone())).collect();
        assert_eq!(states, [("daily", "no_data", Value::Null), ("monthly", "no_data", Value::Null), ("rating", "no_data", Value::Null)]);
    }
}
