//! Where the ward's money comes from and who may spend it: funds, lines, movements by two people, delegations.

use std::sync::Barrier;

use serde_json::{Value, json};
use wardbook::kernel::party::{AreaId, OrganisationKind};
use wardbook::web::policy::Role;

use crate::cast::{organisation, person};
use crate::harness::Ward;
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::treasury::{CATEGORY, Treasury, gets, made, of, posts, yuan};

fn allocation(line: &str, amount: &str) -> Value {
    json!({"kind": "allocation", "fiscal_year": 2026, "to_line_id": line, "amount": yuan(amount), "reason": "年初安排"})
}

fn transfer(from: &str, to: &str, amount: &str) -> Value {
    json!({"kind": "transfer", "fiscal_year": 2026, "from_line_id": from, "to_line_id": to, "amount": yuan(amount), "reason": "调剂"})
}

on_both! {
    fn money_comes_into_a_fund_and_goes_to_its_lines_by_two_people(ward) {
        let treasury = Treasury::new(&ward);
        let body = json!({"kind": "appropriation", "fiscal_year": 2026, "amount": yuan("5000000.00"), "document": "凤财预〔2026〕3号", "reason": "年初安排"});
        let movement = made(&treasury.proposes(&ward, &body));
        let path = format!("/funds/{}/budget-movements/{movement}", treasury.fund);
        refused(&posts(&ward, &treasury.anna, &format!("{path}/confirmation"), None), 403, "separation_of_duties");
        assert_eq!(gets(&ward, &treasury.anna, "/ledger/trial-balance").json()["items"], json!([]), "nothing moves by a proposal");
        refused(&treasury.proposes(&ward, &body), 409, "fund_appropriated_already");
        assert_eq!(treasury.confirms(&ward, &movement).json()["state"], "confirmed");
        refused(&treasury.confirms(&ward, &movement), 409, "budget_movement_decided");
        refused(&posts(&ward, &treasury.anna, &format!("{path}/withdrawal"), Some(&json!({"reason": "误"}))), 409, "budget_movement_decided");

        let line = treasury.filled(&ward, "SAN-01", "2400000.00");
        assert_eq!(treasury.balances(&ward, &line), json!({"available": "2400000.00", "reserved": "0.00", "committed": "0.00", "retained": "0.00", "spent": "0.00", "returned": "0.00"}));
        let over = made(&treasury.proposes(&ward, &allocation(&line, "2600000.01")));
        refused(&treasury.confirms(&ward, &over), 409, "ledger_would_overdraw");
        let refusal = posts(&ward, &treasury.boris, &format!("/funds/{}/budget-movements/{over}/refusal", treasury.fund), Some(&json!({"reason": "超出拨款"})));
        assert_eq!((refusal.json()["state"].clone(), refusal.json()["decision_reason"].clone()), (json!("refused"), json!("超出拨款")));

        // More, back to the fund's year, and back to the treasury.
        treasury.moves(&ward, &json!({"kind": "supplementary_appropriation", "fiscal_year": 2026, "amount": yuan("100.00"), "document": "凤财预〔2026〕9号", "reason": "追加"}));
        treasury.moves(&ward, &json!({"kind": "withdrawal", "fiscal_year": 2026, "from_line_id": line, "amount": yuan("400000.00"), "reason": "收回"}));
        treasury.moves(&ward, &json!({"kind": "return", "fiscal_year": 2026, "from_line_id": line, "amount": yuan("0.01"), "reason": "上缴"}));
        let balances = treasury.balances(&ward, &line);
        assert_eq!((balances["available"].clone(), balances["returned"].clone()), (json!("1999999.99"), json!("0.01")));
        let trial = gets(&ward, &treasury.anna, "/ledger/trial-balance").json();
        assert_eq!((trial["debits"].clone(), trial["credits"].clone()), (yuan("5000100.00"), yuan("5000100.00")));
        let unallocated = trial["items"].as_array().unwrap().iter().find(|item| item["code"] == "unallocated").unwrap();
        assert_eq!(unallocated["credit"], yuan("3000100.00"));
        // Every one of them is told in the log, with the transfer that it made.
        ward.settle();
        let confirmed = ward.events("budget_movement.confirmed");
        assert_eq!(confirmed.len(), 5);
        for event in &confirmed {
            let private: Value = serde_json::from_str(event["opened"]["content"].as_str().unwrap()).unwrap();
            let public = &event["entry"]["data"];
            let is_appropriation = public["kind"].as_str().unwrap().ends_with("appropriation");
            let (told, untold) = if is_appropriation { (public, &private) } else { (&private, public) };
            assert_eq!(told["transfers"].as_array().unwrap().len(), 1, "{event}");
            assert!(untold["transfers"].is_null() && untold["amount"].is_null() && untold["to_line"].is_null(), "{event}");
        }
        for event in ward.events("budget_movement.proposed") {
            assert!(event["entry"]["data"]["amount"].is_null(), "what is only proposed is told to nobody else: {event}");
        }
        for event in ward.events("budget_line.*") {
            let public: Vec<&String> = event["entry"]["data"].as_object().unwrap().keys().collect();
            assert_eq!(public, ["fiscal_year", "fund", "state", "version"]);
        }
        assert!(confirmed.iter().all(|event| !event["entry"].to_string().contains("年初安排")), "the reason is not public");
    }

    fn no_more_comes_in_than_totals_can_tell(ward) {
        let treasury = Treasury::with(&ward, "89999999999999.99");
        let more = |year: i64, amount: &str| json!({"kind": "appropriation", "fiscal_year": year, "amount": yuan(amount), "document": "凤财预〔2026〕3号", "reason": "年初安排"});
        let over = made(&treasury.proposes(&ward, &more(2027, "0.02")));
        refused(&treasury.confirms(&ward, &over), 409, "ledger_would_overflow");
        posts(&ward, &treasury.anna, &format!("/funds/{}/budget-movements/{over}/withdrawal", treasury.fund), Some(&json!({"reason": "误"})));
        treasury.moves(&ward, &more(2027, "0.01"));
        let trial = ward.get("/api/v1/ledger/trial-balance");
        assert_eq!((trial.status, trial.json()["credits"].clone()), (200, yuan("90000000000000.00")), "{}", trial.text);
        let over = made(&treasury.proposes(&ward, &more(2028, "0.01")));
        refused(&treasury.confirms(&ward, &over), 409, "ledger_would_overflow");
    }

    fn money_moves_between_lines_of_one_fund_and_year(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        let (one, other) = (treasury.filled(&ward, "ONE", "600.00"), treasury.filled(&ward, "OTHER", "100.00"));
        treasury.moves(&ward, &transfer(&one, &other, "250.50"));
        assert_eq!(treasury.balances(&ward, &one)["available"], "349.50");
        assert_eq!(treasury.balances(&ward, &other)["available"], "350.50");
        refused(&treasury.proposes(&ward, &transfer(&one, &one, "1.00")), 409, "budget_lines_do_not_fit");
        refused(&treasury.proposes(&ward, &transfer(&one, "budgetline_01jd3n8f5teqkrzvq1c0m6h2ax", "1.00")), 409, "budget_lines_do_not_fit");
        let next = treasury.line(&ward, "ONE", 2027, &treasury.department);
        refused(&treasury.proposes(&ward, &transfer(&one, &next, "1.00")), 409, "budget_lines_do_not_fit");
        let early = json!({"kind": "carry_over", "fiscal_year": 2026, "from_line_id": one, "to_line_id": next, "amount": yuan("49.50"), "reason": "结转"});
        refused(&treasury.proposes(&ward, &early), 409, "fiscal_year_not_over");
        let faulty = treasury.proposes(&ward, &json!({"kind": "transfer", "fiscal_year": 2026, "to_line_id": one, "amount": yuan("0.00"), "reason": " "}));
        assert_eq!((faulty.status, faulty.faults().into_iter().map(|(at, _)| at).collect::<Vec<_>>()), (422, vec!["/from_line_id".to_owned(), "/amount".to_owned(), "/reason".to_owned()]), "{}", faulty.text);

        // Midnight in the ward is 16:00 UTC: from then on the year is over.
        ward.context().clock.advance("2026-12-31T15:59:59Z".parse().unwrap());
        refused(&treasury.proposes(&ward, &early), 409, "fiscal_year_not_over");
        ward.context().clock.advance("2026-12-31T16:00:00Z".parse().unwrap());
        treasury.moves(&ward, &early);
        assert_eq!(treasury.balances(&ward, &one)["available"], "300.00");
        assert_eq!(treasury.balances(&ward, &next)["available"], "49.50");
        // Over both years everything adds up.
        let trial = ward.get("/api/v1/ledger/trial-balance").json();
        assert_eq!((trial["debits"].clone(), trial["credits"].clone()), (yuan("1000.00"), yuan("1000.00")));
    }

    fn a_line_or_fund_is_closed_when_nothing_is_left_of_it(ward) {
        let treasury = Treasury::with(&ward, "100.00");
        let line = treasury.filled(&ward, "ONE", "100.00");
        let fund = format!("/funds/{}", treasury.fund);
        refused(&posts(&ward, &treasury.anna, &format!("/budget-lines/{line}/closure"), None), 409, "budget_not_empty");
        refused(&posts(&ward, &treasury.anna, &format!("{fund}/closure"), None), 409, "budget_not_empty");
        treasury.moves(&ward, &json!({"kind": "return", "fiscal_year": 2026, "from_line_id": line, "amount": yuan("100.00"), "reason": "上缴"}));
        let waiting = made(&treasury.proposes(&ward, &allocation(&line, "1.00")));
        let closed = posts(&ward, &treasury.anna, &format!("/budget-lines/{line}/closure"), None);
        assert_eq!((closed.status, closed.json()["state"].clone()), (200, json!("closed")), "{}", closed.text);
        refused(&treasury.confirms(&ward, &waiting), 409, "budget_line_closed");
        refused(&treasury.proposes(&ward, &allocation(&line, "1.00")), 409, "budget_line_closed");
        let changed = treasury.anna.asks(&ward, "PATCH", &format!("/api/v1/budget-lines/{line}")).header("if-match", "*").json(&json!({"purpose_zh": "另"})).send();
        refused(&changed, 409, "budget_line_closed");
        assert_eq!(posts(&ward, &treasury.anna, &format!("{fund}/closure"), None).json()["state"], "closed");
        refused(&treasury.confirms(&ward, &waiting), 409, "fund_closed");
        refused(&posts(&ward, &treasury.anna, &format!("{fund}/closure"), None), 409, "fund_closed");
    }

    fn funds_and_lines_are_entered_by_whoever_keeps_them_and_checked(ward) {
        let treasury = Treasury::new(&ward);
        let community = ward.area(None, "城");
        let company = organisation(&ward, OrganisationKind::Company, None);
        let other = organisation(&ward, OrganisationKind::StreetOffice, None);
        let fund = |organisation: &Value, code: &str| json!({"code": code, "kind": "annual_budget", "organisation_id": organisation, "name_zh": "甲", "name_en": "A", "basis": "乙"});
        refused(&posts(&ward, &treasury.anna, "/funds", Some(&fund(&json!(other), "X1"))), 403, "forbidden");
        refused(&posts(&ward, &treasury.boris, "/funds", Some(&fund(&json!(treasury.department), "X1"))), 403, "forbidden");
        refused(&posts(&ward, &treasury.anna, "/funds", Some(&fund(&json!(treasury.department), "WT-FW"))), 409, "budget_code_taken");
        let owner = of(&ward, Role::FinanceOfficer, &company);
        refused(&posts(&ward, &owner, "/funds", Some(&fund(&json!(company), "X1"))), 422, "budget_no_public_body");
        let lines = format!("/funds/{}/budget-lines", treasury.fund);
        let line = |organisation: &Value, category: &str, code: &str| json!({"fiscal_year": 2026, "code": code, "organisation_id": organisation, "category": category, "purpose_zh": "甲", "purpose_en": "A"});
        refused(&posts(&ward, &treasury.anna, &lines, Some(&line(&json!(other), "cooking", "L1"))), 422, "service_category_unknown");
        refused(&posts(&ward, &treasury.anna, &lines, Some(&line(&json!(company), CATEGORY, "L1"))), 422, "budget_no_public_body");
        refused(&posts(&ward, &treasury.anna, &lines, Some(&line(&json!(community), CATEGORY, "L1"))), 422, "invalid");
        let first = made(&posts(&ward, &treasury.anna, &lines, Some(&line(&json!(other), CATEGORY, "L1"))));
        refused(&posts(&ward, &treasury.anna, &lines, Some(&line(&json!(other), CATEGORY, "L1"))), 409, "budget_code_taken");

        // Two who change at once: one of them is told that it has changed.
        let path = format!("/api/v1/budget-lines/{first}");
        let change = |version: &str| treasury.anna.asks(&ward, "PATCH", &path).header("if-match", version).json(&json!({"purpose_en": "B"})).send();
        let same = treasury.anna.asks(&ward, "PATCH", &path).header("if-match", "*").json(&json!({"purpose_en": "A"})).send();
        assert_eq!((same.status, same.json()["version"].clone()), (200, json!(1)), "the same is no change");
        assert_eq!(change("\"v1\"").json()["version"], 2);
        refused(&change("\"v1\""), 412, "version_stale");
        let without = treasury.anna.asks(&ward, "PATCH", &path).json(&json!({"purpose_en": "C"})).send();
        refused(&without, 428, "version_missing");
    }

    fn whose_money_it_is_is_seen_by_those_whom_it_concerns(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        let street = organisation(&ward, OrganisationKind::StreetOffice, None);
        let own = treasury.filled(&ward, "OWN", "500.00");
        let given = treasury.line(&ward, "GIVEN", 2026, &street);
        treasury.moves(&ward, &allocation(&given, "300.00"));
        let (spender, auditor) = (of(&ward, Role::BuyerOfficer, &street), person(&ward, &[wardbook::web::actor::Grant::of(Role::Auditor)]));
        let codes = |who: &crate::cast::Person| -> Vec<String> {
            let reply = gets(&ward, who, "/budget-lines");
            reply.json()["items"].as_array().unwrap().iter().map(|line| line["code"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(codes(&treasury.anna), ["OWN", "GIVEN"]);
        assert_eq!(codes(&spender), ["GIVEN"]);
        assert_eq!(codes(&auditor), ["OWN", "GIVEN"]);
        refused(&gets(&ward, &spender, &format!("/budget-lines/{own}")), 404, "not_found");
        let accounts = gets(&ward, &treasury.anna, &format!("/ledger/accounts?line_id={own}&code=available")).json();
        let account = accounts["items"][0]["id"].as_str().unwrap().to_owned();
        refused(&gets(&ward, &spender, &format!("/ledger/accounts/{account}")), 404, "not_found");
        refused(&gets(&ward, &spender, &format!("/ledger/accounts/{account}/entries")), 404, "not_found");
        refused(&gets(&ward, &spender, &format!("/funds/{}/budget-movements", treasury.fund)), 404, "not_found");
        assert_eq!(gets(&ward, &spender, "/ledger/accounts").json()["items"].as_array().unwrap().len(), 6);
        assert_eq!(gets(&ward, &auditor, "/ledger/accounts").json()["items"].as_array().unwrap().len(), 14);
        for path in ["/budget-lines", "/ledger/accounts", "/duty-assessments"] {
            assert_eq!(ward.ask("GET", &format!("/api/v1{path}")).send().status, 401, "{path}");
            refused(&ward.ask("GET", &format!("/api/v1{path}")).by(Role::Admin).send(), 403, "forbidden");
            refused(&ward.ask("GET", &format!("/api/v1{path}")).by(Role::SupplierAgent).send(), 403, "forbidden");
        }
        // Totals are everyone's.
        let totals = ward.ask("GET", "/api/v1/ledger/trial-balance").send().json();
        assert_eq!(totals["credits"], yuan("1000.00"));
        assert_eq!(ward.ask("GET", "/api/v1/funds").send().json()["items"][0]["code"], "WT-FW");
        let table = ward.ask("GET", "/api/v1/ledger/trial-balance").header("accept", "text/csv").send();
        assert!(table.text.starts_with("fund_id,fiscal_year,code,debit,credit\r\n") && table.text.contains(",2026,available,0.00,800.00\r\n"), "{}", table.text);
        let lines = treasury.anna.asks(&ward, "GET", "/api/v1/budget-lines").header("accept", "text/csv").send();
        assert!(lines.text.contains(",GIVEN,") && lines.text.contains(",300.00,0.00,0.00,0.00,0.00,0.00\r\n"), "{}", lines.text);
    }

    fn lists_are_read_page_by_page(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        for number in 1..=5 {
            treasury.line(&ward, &format!("L{number}"), 2026, &treasury.department);
        }
        let mut seen = Vec::new();
        let mut path = "/budget-lines?limit=2&fiscal_year=2026".to_owned();
        loop {
            let page = gets(&ward, &treasury.anna, &path);
            let json = page.json();
            seen.extend(json["items"].as_array().unwrap().iter().map(|line| line["code"].as_str().unwrap().to_owned()));
            let Some(next) = page.header("link").and_then(|link| link.split(['<', '>']).nth(1)) else { break };
            path = next.trim_start_matches("/api/v1").to_owned();
        }
        assert_eq!(seen, ["L1", "L2", "L3", "L4", "L5"]);
        for bad in ["/budget-lines?fiscal_year=26", "/budget-lines?cursor=x", "/budget-lines?state=gone", "/budget-lines?colour=red", "/ledger/accounts?code=gold", "/ledger/trial-balance?as_of=now"] {
            assert_eq!(gets(&ward, &treasury.anna, bad).status, 400, "{bad}");
        }
        assert_eq!(gets(&ward, &treasury.anna, "/budget-lines?fiscal_year=2027").json(), json!({"items": [], "next_cursor": null}));
    }

    fn of_many_who_confirm_at_once_one_moves_the_money(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        let line = treasury.line(&ward, "ONE", 2026, &treasury.department);
        let clara = of(&ward, Role::FinanceOfficer, &treasury.department);
        for round in 1..=3 {
            let movement = made(&treasury.proposes(&ward, &allocation(&line, "10.00")));
            let path = format!("/funds/{}/budget-movements/{movement}/confirmation", treasury.fund);
            let start = Barrier::new(2);
            let mut statuses = std::thread::scope(|threads| {
                [&treasury.boris, &clara].map(|who| {
                    let (ward, path, start) = (&ward, &path, &start);
                    threads.spawn(move || { start.wait(); posts(ward, who, path, None).status })
                }).map(|thread| thread.join().unwrap())
            });
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 409]);
            assert_eq!(treasury.balances(&ward, &line)["available"], format!("{round}0.00"));
        }
    }
}

/// A delegation from a department to a street office, both with a line.
fn delegated(ward: &Ward, treasury: &Treasury) -> (String, Value) {
    let street = organisation(ward, OrganisationKind::StreetOffice, None);
    let from = treasury.filled(ward, "GIVER", "500.00");
    let to = treasury.line(ward, "TAKER", 2026, &street);
    let whole = json!({"from_organisation_id": treasury.department, "to_organisation_id": street, "scope_zh": "绿地自管", "scope_en": "Greens",
        "document_number": "凤办发〔2026〕8号", "document_date": "2026-02-01", "amount": yuan("96.00"), "from_line_id": from, "to_line_id": to});
    (street.to_string(), whole)
}

on_both! { in "cn";
    fn a_duty_is_delegated_with_scope_authorisation_and_money_or_not_at_all(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        let (street, whole) = delegated(&ward, &treasury);
        let bare = json!({"from_organisation_id": treasury.department, "to_organisation_id": street});
        let id = made(&posts(&ward, &treasury.anna, "/delegations", Some(&bare)));
        let path = format!("/delegations/{id}");
        let commencement = format!("{path}/commencement");
        let refusal = posts(&ward, &treasury.boris, &commencement, None);
        refused(&refusal, 409, "delegation_incomplete");
        let places: Vec<String> = refusal.faults().into_iter().map(|(at, _)| at).collect();
        assert_eq!(places, ["/scope_zh", "/document_number", "/amount"]);
        assert!(refusal.text.contains("delegation.needed_before_active"), "{}", refusal.text);
        // A draft is nobody's business but the giver's.
        assert_eq!(ward.ask("GET", &format!("/api/v1{path}")).send().status, 404);
        assert_eq!(ward.ask("GET", "/api/v1/delegations").send().json()["items"], json!([]));

        let change = |body: &Value| treasury.anna.asks(&ward, "PATCH", &format!("/api/v1{path}")).header("if-match", "*").json(body).send();
        let mut terms = whole.clone();
        terms.as_object_mut().unwrap().retain(|name, _| !name.ends_with("organisation_id"));
        terms["amount"] = yuan("500.01");
        assert_eq!(change(&terms).status, 200);
        refused(&posts(&ward, &treasury.anna, &commencement, None), 403, "separation_of_duties");
        refused(&posts(&ward, &treasury.boris, &commencement, None), 409, "ledger_would_overdraw");
        assert_eq!(gets(&ward, &treasury.anna, &path).json()["state"], "draft", "nothing took effect without the money");
        assert_eq!(change(&json!({"amount": yuan("96.00")})).status, 200);
        let effective = posts(&ward, &treasury.boris, &commencement, None);
        assert_eq!((effective.status, effective.json()["state"].clone()), (200, json!("effective")), "{}", effective.text);
        let (from, to) = (whole["from_line_id"].as_str().unwrap(), whole["to_line_id"].as_str().unwrap());
        assert_eq!((treasury.balances(&ward, from)["available"].clone(), treasury.balances(&ward, to)["available"].clone()), (json!("404.00"), json!("96.00")));
        refused(&posts(&ward, &treasury.boris, &commencement, None), 409, "delegation_wrong_state");
        refused(&change(&json!({"amount": null})), 409, "delegation_wrong_state");
        // From then on everyone knows of it.
        assert_eq!(ward.ask("GET", "/api/v1/delegations").send().json()["items"][0]["scope_en"], "Greens");
        let ended = posts(&ward, &treasury.boris, &format!("{path}/termination"), Some(&json!({"reason": "任务完成"})));
        assert_eq!((ended.json()["state"].clone(), ended.json()["end_reason"].clone()), (json!("ended"), json!("任务完成")));
        assert_eq!(treasury.balances(&ward, to)["available"], "96.00", "the money is not taken back by that");
        // The database itself knows no delegation that changed in effect.
        assert!(sql(&ward, "UPDATE delegations SET amount_fen = 1").unwrap_err().to_string().contains("append-only"));
    }

    fn a_community_that_is_assessed_on_a_duty_without_money_is_flagged(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        let (street, whole) = delegated(&ward, &treasury);
        let delegation = made(&posts(&ward, &treasury.anna, "/delegations", Some(&whole)));
        let officer = of(&ward, Role::BuyerOfficer, &treasury.department);
        let body = |delegation: Value, day: &str| json!({"by_organisation_id": treasury.department, "of_organisation_id": street,
            "duty_zh": "绿地养护", "duty_en": "Upkeep of greens", "delegation_id": delegation, "assessed_on": day});
        let assess = |delegation: Value, day: &str| posts(&ward, &officer, "/duty-assessments", Some(&body(delegation, day)));
        let flagged = |delegation: Value, day: &str| { let reply = assess(delegation, day); assert_eq!(reply.status, 201, "{}", reply.text); reply.json()["flagged"].as_bool().unwrap() };
        assert!(flagged(Value::Null, "2026-03-02"));
        assert!(flagged(json!(delegation), "2026-03-02"), "a draft brings no money");
        assert_eq!(posts(&ward, &treasury.boris, &format!("/delegations/{delegation}/commencement"), None).status, 200);
        assert!(!flagged(json!(delegation), "2026-03-02"));
        assert!(flagged(json!(delegation), "2026-03-01"), "the day before it was in effect");
        let future = assess(json!(delegation), "2026-03-03");
        assert_eq!((future.status, future.faults()[0].0.clone()), (422, "/assessed_on".to_owned()), "{}", future.text);
        refused(&assess(json!("delegation_01jd3n8f5teqkrzvq1c0m6h2ax"), "2026-03-02"), 404, "not_found");
        refused(&posts(&ward, &treasury.anna, "/duty-assessments", Some(&body(Value::Null, "2026-03-02"))), 403, "forbidden");
        // What the database does not tell is not "not found": on PostgreSQL a lost race is told so, too, and tried again.
        sql(&ward, "ALTER TABLE delegations RENAME TO elsewhere").unwrap();
        assert_eq!(assess(json!(delegation), "2026-03-02").status, 500);
        sql(&ward, "ALTER TABLE elsewhere RENAME TO delegations").unwrap();

        for event in ward.events("duty_assessment.recorded") {
            assert_eq!(event["entry"]["data"].as_object().unwrap().len(), 1, "who was assessed is not public: {event}");
        }
        let those = |who: &crate::cast::Person, query: &str| gets(&ward, who, &format!("/duty-assessments{query}")).json()["items"].as_array().unwrap().len();
        let assessed = of(&ward, Role::BuyerOfficer, &street.parse().unwrap());
        let stranger = of(&ward, Role::BuyerOfficer, &organisation(&ward, OrganisationKind::StreetOffice, None));
        assert_eq!((those(&officer, ""), those(&assessed, "?flagged=true"), those(&assessed, "?flagged=false"), those(&stranger, "")), (4, 3, 1, 0));
        assert!(sql(&ward, "UPDATE duty_assessments SET flagged = FALSE").unwrap_err().to_string().contains("append-only"));
    }

    fn a_duty_goes_down_to_a_body_that_there_is(ward) {
        let treasury = Treasury::with(&ward, "1000.00");
        let (street, whole) = delegated(&ward, &treasury);
        let company = organisation(&ward, OrganisationKind::Company, None);
        let department = organisation(&ward, OrganisationKind::Department, None);
        let to = |organisation: Value| { let mut body = whole.clone(); body["to_organisation_id"] = organisation; posts(&ward, &treasury.anna, "/delegations", Some(&body)) };
        refused(&to(json!(company)), 422, "budget_no_public_body");
        refused(&to(json!(department)), 422, "delegation_wrong_recipient");
        refused(&to(json!(treasury.department)), 422, "delegation_wrong_recipient");
        let area: AreaId = ward.area(None, "城").parse().unwrap();
        let community = organisation(&ward, OrganisationKind::Community, Some(&area));
        made(&to(json!(community)));
        let mut unknown = whole.clone();
        unknown["to_line_id"] = json!("budgetline_01jd3n8f5teqkrzvq1c0m6h2ax");
        refused(&posts(&ward, &treasury.anna, "/delegations", Some(&unknown)), 422, "budget_line_unknown");
        // Lines that are not theirs do not do.
        let mut swapped = whole.clone();
        swapped["from_line_id"] = whole["to_line_id"].clone();
        swapped["to_line_id"] = whole["from_line_id"].clone();
        let id = made(&posts(&ward, &treasury.anna, "/delegations", Some(&swapped)));
        let refusal = posts(&ward, &treasury.boris, &format!("/delegations/{id}/commencement"), None);
        assert_eq!(refusal.faults().into_iter().map(|(at, _)| at).collect::<Vec<_>>(), ["/from_line_id", "/to_line_id"], "{}", refusal.text);
        let discarded = posts(&ward, &treasury.boris, &format!("/delegations/{id}/termination"), Some(&json!({"reason": "误"})));
        assert_eq!(discarded.json()["state"], "discarded");
        assert_eq!(street.len(), 30);
    }
}
