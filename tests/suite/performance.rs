//! The public record of a supplier's performance, reckoned by hand: what was accepted and how, what was late, what was reported, what was varied and ended; by whom
//! it is read, and that whoever examines bids finds it.

use serde_json::{Value, json};
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::acceptances::Work;
use crate::awards::{go_to, regulator};
use crate::books::ok;
use crate::cast::person;
use crate::defects::{Stage, taken};
use crate::on_both;
use crate::organisations::refused;
use crate::terminations::ending;
use crate::treasury::{made, posts, yuan};
use crate::variations::{asked, proposes, signs};

on_both! { in "test";
    fn a_suppliers_record_is_what_its_contracts_come_to(ward) {
        let work = Work::new(&ward);
        let (office, supplier) = (&work.case.office, work.supplier());
        let id = &work.case.bidders[1].id;
        let record = |query: &str| ok(&ward.get(&format!("/api/v1/organisations/{id}/performance{query}")));
        let figures = |of: &Value, names: &[&str]| names.iter().map(|name| of[*name].as_u64().unwrap()).collect::<Vec<_>>();
        let fresh = record("");
        assert_eq!((&fresh["totals"]["contracts"], &fresh["totals"]["price"], &fresh["totals"]["response"], &fresh["items"][0]["mean_score"], &fresh["is_whole"]), (&json!(1), &yuan("2298600.00"), &Value::Null, &Value::Null, &json!(true)));
        assert_eq!(record("?category=nothing")["items"], json!([]));

        // May scores 75.00 and 100.00, mean 87.50; June 100.00. May is refused and then accepted in part, June by silence.
        go_to(&ward, "2026-05-08T01:00:00Z");
        work.inspects("2026-05-06", "7");
        work.inspects("2026-05-08", "4");
        let notice = json!({"wrong_zh": "果皮超标", "wrong_en": "Too much peel", "working_days": 3});
        let path = format!("/contracts/{}/rectifications", work.contract);
        let late = made(&posts(&ward, &office.officer, &path, Some(&notice)));
        let taken_back = made(&posts(&ward, &office.officer, &path, Some(&notice)));
        let why = json!({"reason_zh": "误发", "reason_en": "By mistake"});
        ok(&posts(&ward, &office.approver, &format!("/rectifications/{taken_back}/withdrawal"), Some(&why)));
        // Due when 12 May is over: Saturday the 9th is a day of work. Reported on the 15th.
        go_to(&ward, "2026-05-15T02:00:00Z");
        ok(&posts(&ward, supplier, &format!("/rectifications/{late}/report"), Some(&json!({"report": "已补扫"}))));
        let more = made(&proposes(&ward, (&work.case, &work.contract), &asked("supplement", "110000.00", None)));
        ok(&signs(&ward, &work.case, (&more, "supplier")));
        ok(&signs(&ward, &work.case, (&more, "buyer")));
        go_to(&ward, "2026-06-08T01:00:00Z");
        work.inspects("2026-06-08", "4");
        let first = made(&work.hands_over(supplier, 1));
        work.drafted(1, "refused");
        ok(&work.signs(&office.approver, &first));
        let second = made(&work.hands_over(supplier, 1));
        work.drafted(1, "accepted_with_reservations");
        ok(&work.signs(&office.approver, &second));
        go_to(&ward, "2026-07-01T02:00:00Z");
        made(&work.hands_over(supplier, 2));
        go_to(&ward, "2026-07-13T02:00:00Z");

        let seen = record("");
        let (totals, one) = (&seen["totals"], &seen["items"][0]);
        assert_eq!(&one["figures"], totals, "one contract is all of them");
        let names = ["contracts", "variations", "periods_over", "accepted", "accepted_with_reservations", "refused", "accepted_by_silence", "rectifications", "rectifications_open", "terminations"];
        assert_eq!(figures(totals, &names), [1, 1, 2, 0, 1, 1, 1, 1, 1, 0]);
        assert_eq!((&totals["price"], &totals["price_now"]), (&yuan("2298600.00"), &yuan("2408600.00")));
        let due = ok(&ward.get(&format!("/api/v1/rectifications/{late}")));
        assert_eq!((&due["due_at"], &totals["late_days"], &due["late_days"]), (&json!("2026-05-12T16:00:00.000000Z"), &json!(3), &json!(3)));
        let scores: Vec<_> = one["periods"].as_array().unwrap().iter().map(|period| (period["period"].as_i64().unwrap(), period["score"].as_str().unwrap(), period["grade"]["code"].as_str().unwrap())).collect();
        assert_eq!(scores, [(1, "87.50", "good"), (2, "100.00", "excellent")]);
        assert_eq!((&one["mean_score"], &one["termination"], &one["category"]), (&json!("93.75"), &Value::Null, &json!(crate::treasury::CATEGORY)));

        // It ends before its time, with its reason; and the supplier is debarred.
        let mut end = ending("100.00");
        (end["effective_on"], end["statement_until"]) = (json!("2026-07-20"), json!("2026-07-14"));
        let termination = made(&posts(&ward, &office.officer, &format!("/contracts/{}/terminations", work.contract), Some(&end)));
        assert_eq!(record("")["items"][0]["termination"], Value::Null, "not before it is decided");
        ok(&posts(&ward, supplier, &format!("/terminations/{termination}/statement"), Some(&json!({"statement": "无异议"}))));
        ok(&posts(&ward, &office.approver, &format!("/terminations/{termination}/decision"), Some(&json!({"ends": true, "decision_zh": "同意", "decision_en": "Agreed"}))));
        let debarment = json!({"organisation_id": id, "from": "2026-07-13", "until": "2027-07-12", "reason_zh": "拒不整改", "reason_en": "Nothing was put right", "document": "凤财采罚 2026-3"});
        made(&posts(&ward, &regulator(&ward), "/debarments", Some(&debarment)));
        let seen = record("");
        assert_eq!(seen["items"][0]["termination"], json!({"ground": "breach", "reason_zh": "拒不整改", "reason_en": "Nothing was put right", "on": "2026-07-20"}));
        assert_eq!((&seen["totals"]["terminations"], &seen["debarments"][0]["document"], &seen["items"][0]["service_until"]), (&json!(1), &json!("凤财采罚 2026-3"), &json!("2026-07-20")));

        // By category and by the days of the ward, as a table, and of nobody whom nobody knows.
        let count = |query: &str| (record(query)["items"].as_array().unwrap().len(), record(query)["totals"]["contracts"].as_u64().unwrap());
        assert_eq!(count(&format!("?category={}", crate::treasury::CATEGORY)), (1, 1));
        assert_eq!((count("?signed_from=2026-04-14&signed_until=2026-04-14"), count("?signed_from=2026-04-15"), count("?signed_until=2026-04-13")), ((1, 1), (0, 0), (0, 0)));
        refused(&ward.get(&format!("/api/v1/organisations/{id}/performance?signed_from=2026-13-01")), 400, "malformed");
        refused(&ward.get("/api/v1/organisations/org_01jd3n8f5teqkrzvq1c0m6h2ax/performance"), 404, "not_found");
        let table = ward.ask("GET", &format!("/api/v1/organisations/{id}/performance")).header("accept", "text/csv").send();
        assert!(table.text.lines().count() == 2 && table.text.contains("2298600.00,2408600.00,93.75,2,0,1,1,1,1,3,0,0,,1,breach"), "{}", table.text);
        let none = ok(&ward.get(&format!("/api/v1/organisations/{}/performance", work.case.bidders[0].id)));
        assert_eq!((&none["totals"]["contracts"], &none["debarments"]), (&json!(0), &json!([])));
        assert_eq!(person(&ward, &[Grant::of(Role::Auditor)]).asks(&ward, "GET", &format!("/api/v1/organisations/{id}/performance")).send().status, 200);
    }

    fn defects_count_by_what_came_of_them_and_how_soon(ward) {
        let stage = Stage::served(&ward);
        let record = || ok(&ward.get(&format!("/api/v1/organisations/{}/performance", stage.case.bidders[1].id)))["totals"].clone();
        let rain = taken(&stage.reports(&ward, None, "rain_water", &[], &[]), "opened");
        go_to(&ward, "2026-05-06T01:00:00Z");
        assert_eq!((&record()["defects_open"], &record()["calls_late"], &record()["response"]), (&json!(1), &json!(0), &Value::Null));
        ok(&stage.fixes(&ward, rain["defect_id"].as_str().unwrap()));
        // Silence confirms it, and another one is never seen to.
        go_to(&ward, "2026-05-20T00:00:00Z");
        taken(&stage.reports(&ward, None, "rain_water", &[], &[]), "opened");
        go_to(&ward, "2026-05-21T00:00:00Z");
        let totals = record();
        assert_eq!((&totals["defects_confirmed"], &totals["defects_open"], &totals["calls_in_time"], &totals["calls_late"], &totals["response"]), (&json!(1), &json!(1), &json!(1), &json!(1), &json!("50.00")));
    }
}
