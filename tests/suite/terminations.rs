//! The end of a contract before its time: proposed, the supplier heard, decided by another person; what the money does, what ends with it, and what cannot be
//! done under it any more. And the triggers that lead there, as long as there are no scores.

use serde_json::{Value, json};
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::award_sequences::BRISK;
use crate::awards::{Case, go_to};
use crate::books::{at_once, ok};
use crate::cast::{Person, person};
use crate::harness::Reply;
use crate::inspections::inspection;
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::lines;
use crate::periods::inspected;
use crate::treasury::{gets, made, posts, yuan};
use crate::variations::{asked, contract, proposes, signs, triggers};

/// What is proposed.
pub fn ending(settlement: &str) -> Value {
    json!({"ground": "breach", "reason_zh": "拒不整改", "reason_en": "Nothing was put right", "effective_on": "2026-06-30", "settlement": yuan(settlement),
        "basis_zh": "两期已完成工作量", "basis_en": "The work of two periods", "statement_until": "2026-05-20"})
}

on_both! { in "test";
    fn a_contract_ends_after_the_supplier_was_heard_and_what_is_not_settled_goes_back(ward) {
        let (case, contract) = contract(&ward);
        let (office, supplier) = (&case.office, &case.bidders[1].agent);
        let about = (&case, contract.as_str());
        let more = made(&proposes(&ward, about, &asked("supplement", "120000.00", None)));
        ok(&signs(&ward, &case, (&more, "supplier")));
        ok(&signs(&ward, &case, (&more, "buyer")));
        go_to(&ward, "2026-05-11T02:00:00Z");
        let path = format!("/contracts/{contract}/terminations");
        let proposal = |who: &Person, body: &Value| posts(&ward, who, &path, Some(body));
        for who in [&office.approver, supplier] {
            refused(&proposal(who, &ending("383100.00")), 403, "forbidden");
        }
        let with = |member: &str, value: Value| {
            let mut body = ending("383100.00");
            body[member] = value;
            proposal(&office.officer, &body)
        };
        for (member, value) in [("ground", json!("trigger")), ("effective_on", json!("2026-05-10")), ("statement_until", json!("2026-05-10")), ("settlement", yuan("-0.01")), ("reason_en", json!("="))] {
            assert_eq!(with(member, value).faults()[0].0, format!("/{member}"));
        }
        refused(&with("settlement", yuan("2418600.01")), 409, "termination_settlement_exceeds");

        // Between the parties; another person decides, and not before the supplier was heard or has let its day pass.
        let both = person(&ward, &[Role::BuyerOfficer, Role::BuyerApprover].map(|role| Grant::of(role).in_organisation(office.treasury.department.clone())));
        let first = made(&proposal(&both, &ending("383100.00")));
        refused(&proposal(&office.officer, &ending("383100.00")), 409, "termination_pending");
        let public = |id: &str| ward.get(&format!("/api/v1/terminations/{id}")).status;
        let listed = || ok(&ward.get(&format!("/api/v1{path}")))["items"].as_array().unwrap().len();
        assert_eq!((public(&first), listed(), gets(&ward, supplier, &format!("/terminations/{first}")).status), (404, 0, 200));
        let decides = |who: &Person, id: &str, ends: bool| posts(&ward, who, &format!("/terminations/{id}/decision"), Some(&json!({"ends": ends, "decision_zh": "同意", "decision_en": "Agreed"})));
        refused(&decides(supplier, &first, true), 403, "forbidden");
        refused(&decides(&case.bidders[0].agent, &first, true), 403, "forbidden");
        refused(&decides(&office.approver, &first, true), 409, "termination_hearing_open");
        let states = |who: &Person, id: &str| posts(&ward, who, &format!("/terminations/{id}/statement"), Some(&json!({"statement": "已更换项目经理"})));
        refused(&states(&office.officer, &first), 403, "forbidden");
        ok(&states(supplier, &first));
        refused(&states(supplier, &first), 409, "termination_stated_already");
        refused(&decides(&both, &first, true), 403, "separation_of_duties");
        let stale = office.approver.asks(&ward, "POST", &format!("/api/v1/terminations/{first}/decision")).header("if-match", "\"v1\"").json(&json!({"ends": true, "decision_zh": "x", "decision_en": "x"})).send();
        refused(&stale, 412, "version_stale");
        assert_eq!(ok(&decides(&office.approver, &first, false))["state"], "rejected");
        refused(&decides(&office.approver, &first, true), 409, "termination_wrong_state");
        let withdrawn = made(&proposal(&office.officer, &ending("1.00")));
        ok(&posts(&ward, &office.officer, &format!("/terminations/{withdrawn}/withdrawal"), Some(&json!({"decision_zh": "已整改", "decision_en": "Put right"}))));

        // A proposal that nobody answered; a variation is pending while it is decided.
        let last = made(&proposal(&office.officer, &ending("383100.00")));
        let pending = made(&proposes(&ward, about, &asked("supplement", "100.00", None)));
        ok(&signs(&ward, &case, (&pending, "supplier")));
        go_to(&ward, "2026-05-20T15:59:59Z");
        refused(&decides(&office.approver, &last, true), 409, "termination_hearing_open");
        go_to(&ward, "2026-05-20T16:00:00Z");
        assert_eq!(case.balances(&ward), ["7581400.00", "0.00", "2418600.00"]);
        let [ended, signed] = at_once([&|| decides(&office.approver, &last, true), &|| signs(&ward, &case, (&pending, "buyer"))]);
        assert_eq!(ended.status, 200, "{}", ended.text);
        let varied = signed.status == 200;
        if !varied {
            refused(&signed, 409, "variation_wrong_state");
        }
        assert_eq!(case.balances(&ward), ["9616900.00", "0.00", "383100.00"], "all but the settlement goes back, whichever was first");
        let state = if varied { "concluded" } else { "ended" };
        assert_eq!(ok(&gets(&ward, supplier, &format!("/variations/{pending}")))["state"], state);
        let shown = ok(&ward.get(&format!("/api/v1/contracts/{contract}")));
        assert_eq!((&shown["state"], &shown["ends_on"]), (&json!("terminated"), &json!("2026-06-30")));
        let periods = ok(&ward.get(&format!("/api/v1/contracts/{contract}/periods")))["items"].as_array().unwrap().clone();
        let ends = |of: &dyn Fn(&str) -> bool| periods.iter().filter(|one| of(one["first_day"].as_str().unwrap())).cloned().collect::<Vec<_>>();
        let (begun, never) = (ends(&|first| first <= "2026-06-30"), ends(&|first| first > "2026-06-30"));
        assert!(!begun.is_empty() && begun.iter().all(|one| one["last_day"].as_str().unwrap() <= "2026-06-30" && one["state"] != "cancelled"), "{begun:?}");
        assert!(!never.is_empty() && never.iter().all(|one| one["state"] == "cancelled"), "{never:?}");
        assert_eq!(ok(&ward.get(&format!("/api/v1/contracts/{contract}/periods/{}", never[0]["number"])))["state"], "cancelled");
        let seen = ok(&ward.get(&format!("/api/v1/terminations/{last}")));
        assert_eq!((&seen["state"], &seen["settlement"], listed(), public(&first)), (&json!("decided"), &yuan("383100.00"), 1, 404));
        let told = ward.events("contract.terminated").pop().unwrap()["entry"]["data"].clone();
        assert_eq!((&told["effective_on"], told["transfers"].as_array().unwrap().is_empty()), (&json!("2026-06-30"), false));

        // It runs up to its last day, and not a day longer; nothing else is begun under it.
        refused(&with("statement_until", json!("2026-06-01")), 409, "contract_terminated");
        refused(&proposes(&ward, about, &asked("reduction", "-1.00", None)), 409, "contract_terminated");
        let notice = || posts(&ward, &office.officer, &format!("/contracts/{contract}/rectifications"), Some(&json!({"wrong_zh": "果皮超标", "wrong_en": "Too much peel", "working_days": 3})));
        go_to(&ward, "2026-06-30T15:59:59Z");
        let late = made(&notice());
        go_to(&ward, "2026-06-30T16:00:00Z");
        refused(&notice(), 409, "contract_terminated");
        go_to(&ward, "2026-08-30T16:00:00Z");
        assert_eq!(ok(&ward.get(&format!("/api/v1/rectifications/{late}")))["late_days"], 0, "nobody is late after the end");
        for statement in ["UPDATE contract_terminations SET settlement_fen = 1", "DELETE FROM contract_terminations", "UPDATE contract_terminations SET state = 'rejected'"] {
            assert!(sql(&ward, statement).is_err(), "{statement}");
        }
        assert_eq!(lines(&ward, "SELECT state AS line FROM contract_terminations ORDER BY id"), ["rejected", "withdrawn", "decided"]);
    }

    fn triggers_say_what_they_know_and_nothing_happens_by_itself(ward) {
        let (case, contract) = contract(&ward);
        let office = &case.office;
        let read = || ok(&ward.get(&format!("/api/v1/contracts/{contract}/triggers")));
        assert_eq!((&read()["scores"], read()["triggers"].as_array().unwrap().len()), (&json!([]), 4));
        go_to(&ward, "2026-08-01T02:00:00Z");
        let view = read();
        assert_eq!(view["scores"], json!([{"period": 1, "score": null}, {"period": 2, "score": null}, {"period": 3, "score": null}]));
        for trigger in view["triggers"].as_array().unwrap() {
            assert_eq!((&trigger["state"], &trigger["due"]), (&json!("no_data"), &json!([])));
        }
        let decides = |who: &Person, trigger: i64| -> Reply {
            let body = json!({"trigger": trigger, "period": 3, "reason_zh": "先观察", "reason_en": "Wait"});
            posts(&ward, who, &format!("/contracts/{contract}/trigger-decisions"), Some(&body))
        };
        refused(&decides(&office.approver, 1), 403, "forbidden");
        refused(&decides(&office.officer, 1), 409, "trigger_not_due");
        refused(&decides(&office.officer, 4), 409, "trigger_followed_by_variation");
        assert_eq!(ward.events("trigger.decided").len(), 0);
    }

    fn low_scores_are_followed_by_a_person_or_not(ward) {
        let case = Case::with(&ward, 1, &BRISK, |lot| {
            inspected(lot);
            lot["score_sources"] = json!([{"code": "daily", "kind": "inspection", "name_zh": "日常考核", "name_en": "Daily", "weight": "100"}]);
            lot["triggers"] = triggers();
        });
        let contract = case.signed(&ward);
        let (office, supplier) = (&case.office, &case.bidders[1].agent);
        let inspects = |at: &str| {
            let mut body = inspection("4", None);
            body["started_at"] = json!(at);
            body["items"].as_array_mut().unwrap().push(json!({"indicator": "asleep", "value": "12"}));
            posts(&ward, &office.officer, &format!("/contracts/{contract}/inspections"), Some(&body))
        };
        let read = |who: Option<&Person>| {
            let path = format!("/contracts/{contract}/triggers");
            ok(&who.map_or_else(|| ward.get(&format!("/api/v1{path}")), |who| gets(&ward, who, &path)))
        };
        go_to(&ward, "2026-05-04T01:00:00Z");
        assert_eq!(inspects("2026-05-04T00:30:00Z").json()["score"], "64.00");
        go_to(&ward, "2026-06-15T02:00:00Z");
        let view = read(None);
        assert_eq!(view["scores"], json!([{"period": 1, "score": "64.00"}]));
        let states: Vec<_> = view["triggers"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
        assert_eq!((states, &view["triggers"][0]["due"]), (vec!["due", "due", "not_due", "not_due"], &json!([{"period": 1, "periods": [1], "decision": null}])));
        refused(&proposes(&ward, (&case, &contract), &asked("renewal", "1.00", Some("2027-06-30"))), 409, "renewal_not_met");

        // Followed by what it is about, with the places of what is wrong with that, or not for a reason; once.
        let decides = |trigger: i64, period: i64, more: Value| {
            let mut body = json!({"trigger": trigger, "period": period});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            posts(&ward, &office.officer, &format!("/contracts/{contract}/trigger-decisions"), Some(&body))
        };
        let notice = |days: Value| json!({"rectification": {"wrong_zh": "值守脱岗", "wrong_en": "Asleep on duty", "indicators": ["asleep"], "working_days": days}});
        let mut end = ending("100.00");
        (end["ground"], end["effective_on"], end["statement_until"]) = (json!("trigger"), json!("2026-07-31"), json!("2026-07-20"));
        let ends = json!({"termination": end});
        assert_eq!(decides(1, 1, json!({})).faults()[0].0, "/rectification");
        assert_eq!(decides(1, 1, ends.clone()).faults()[0].0, "/termination");
        assert_eq!(decides(1, 1, notice(Value::Null)).faults()[0].0, "/rectification/due_at");
        let followed = decides(1, 1, notice(json!(3)));
        made(&followed);
        let rectification = followed.json()["rectification_id"].as_str().unwrap().to_owned();
        assert_eq!(ok(&ward.get(&format!("/api/v1/rectifications/{rectification}")))["cause"], "trigger");
        refused(&decides(1, 1, notice(json!(3))), 409, "trigger_decided_already");
        let reason = json!({"reason_zh": "已更换班组", "reason_en": "The crew was replaced"});
        assert_eq!(decides(2, 1, json!({"reason_zh": "已更换班组"})).status, 422);
        made(&decides(2, 1, reason.clone()));
        refused(&decides(3, 1, ends.clone()), 409, "trigger_not_due");
        assert_eq!(read(None)["triggers"][1]["due"][0]["decision"]["reason_en"], "The crew was replaced");

        // Two low periods in a row: the end is proposed, which nobody outside learns of before it is decided.
        assert_eq!(inspects("2026-06-15T01:00:00Z").status, 201);
        go_to(&ward, "2026-07-10T02:00:00Z");
        assert_eq!(read(None)["triggers"][2]["due"], json!([{"period": 2, "periods": [1, 2], "decision": null}]));
        let decision = decides(3, 2, ends);
        made(&decision);
        let termination = decision.json()["termination_id"].as_str().unwrap().to_owned();
        assert_eq!((&read(None)["triggers"][2]["due"][0]["decision"], &read(Some(supplier))["triggers"][2]["due"][0]["decision"]["termination_id"]), (&Value::Null, &json!(termination)));
        ok(&posts(&ward, supplier, &format!("/terminations/{termination}/statement"), Some(&json!({"statement": "请求继续履行"}))));
        ok(&posts(&ward, &office.approver, &format!("/terminations/{termination}/decision"), Some(&json!({"ends": true, "decision_zh": "同意", "decision_en": "Agreed"}))));
        assert_eq!(read(None)["triggers"][2]["due"][0]["decision"]["termination_id"], json!(termination));
        assert_eq!(case.balances(&ward)[2], "100.00");
        go_to(&ward, "2026-08-02T02:00:00Z");
        assert_eq!(inspects("2026-07-31T01:00:00Z").status, 201, "its last day");
        refused(&inspects("2026-08-01T01:00:00Z"), 409, "contract_terminated");
        refused(&decides(1, 2, reason), 409, "contract_terminated");
    }
}
