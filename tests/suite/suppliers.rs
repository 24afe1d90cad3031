//! Where suppliers are paid, what they are licensed for, and who of them is debarred.

use std::sync::Barrier;

use chrono::Duration;
use serde_json::{Value, json};
use wardbook::kernel::party::OrganisationId;
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::cast::{Person, person};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{
    CODES, company, holds_nothing_private, opened, refused, registered, sql, verified,
};

const NUMBER: &str = "6222021112345678903";

/// A bank account of that number.
pub fn account(number: &str) -> Value {
    json!({"holder": "洁城公司", "bank_name": "某银行梧桐支行", "bank_code": "102100099996", "number": number})
}

/// Somebody of an organisation.
pub fn of(ward: &Ward, role: Role, organisation: &str) -> Person {
    let organisation: OrganisationId = organisation.parse().unwrap();
    person(ward, &[Grant::of(role).in_organisation(organisation)])
}

/// A POST without a body, or with one.
fn posts(ward: &Ward, who: &Person, path: &str, body: Option<&Value>) -> Reply {
    let ask = who.asks(ward, "POST", &format!("/api/v1{path}"));
    match body {
        Some(body) => ask.json(body).send(),
        None => ask.send(),
    }
}

fn proposed(ward: &Ward, who: &Person, organisation: &str, number: &str) -> String {
    let reply = posts(
        ward,
        who,
        &format!("/organisations/{organisation}/bank-account-changes"),
        Some(&account(number)),
    );
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json()["id"].as_str().unwrap().to_owned()
}

/// A licence of that number.
pub fn licence(number: &str, last_day: Option<&str>) -> Value {
    json!({"kind": "security_service", "issuer": "凤城市公安局", "number": number, "valid_from": "2026-01-01", "valid_to": last_day})
}

/// A decision to debar.
pub fn debarment(organisation: &str, from: &str, until: &str) -> Value {
    json!({"organisation_id": organisation, "from": from, "until": until, "reason_zh": "提供虚假材料, 谋取中标", "reason_en": "False documents",
        "document": "凤财采罚 2026-3"})
}

fn by_regulator(ward: &Ward, path: &str, body: &Value) -> Reply {
    ward.ask("POST", &format!("/api/v1{path}"))
        .by(Role::Regulator)
        .json(body)
        .send()
}

on_both! {
    fn a_bank_account_is_changed_by_two_people(ward) {
        let id = verified(&ward, "洁城公司", CODES[0]);
        let other = verified(&ward, "德润公司", CODES[1]);
        let (anna, boris, stranger) = (of(&ward, Role::SupplierAgent, &id), of(&ward, Role::OrganisationAdmin, &id), of(&ward, Role::OrganisationAdmin, &other));
        let path = format!("/organisations/{id}/bank-account-changes");
        refused(&posts(&ward, &stranger, &path, Some(&account(NUMBER))), 403, "forbidden");
        let wrong = posts(&ward, &anna, &path, Some(&json!({"holder": "=x", "bank_name": "b", "bank_code": "102100099996", "number": "1234 5678 9012 3456 7890 1234 5678 90123"})));
        assert_eq!((wrong.status, wrong.faults().into_iter().map(|(at, _)| at).collect::<Vec<_>>()), (422, vec!["/holder".to_owned(), "/number".to_owned()]), "{}", wrong.text);
        let change = proposed(&ward, &anna, &id, "6222 0211 1234 5678 903");
        refused(&posts(&ward, &boris, &path, Some(&account("12345678"))), 409, "bank_account_change_open");
        let current = || boris.asks(&ward, "GET", &format!("/api/v1/organisations/{id}/bank-account")).send();
        assert_eq!(current().status, 404, "what is proposed does not hold");

        let confirmation = format!("{path}/{change}/confirmation");
        refused(&posts(&ward, &anna, &confirmation, None), 403, "separation_of_duties");
        refused(&posts(&ward, &stranger, &confirmation, None), 403, "forbidden");
        refused(&posts(&ward, &stranger, &format!("/organisations/{other}/bank-account-changes/{change}/confirmation"), None), 404, "not_found");
        let done = posts(&ward, &boris, &confirmation, None);
        assert_eq!((done.status, done.json()["state"].clone()), (200, json!("confirmed")), "{}", done.text);
        refused(&posts(&ward, &boris, &confirmation, None), 409, "bank_account_change_decided");
        refused(&posts(&ward, &anna, &format!("{path}/{change}/withdrawal"), None), 409, "bank_account_change_decided");
        assert_eq!(current().json(), json!({"holder": "洁城公司", "bank_name": "某银行梧桐支行", "bank_code": "102100099996", "number_masked": "**** **** 8903"}));

        // Another one takes its place when it is confirmed, and one that is taken back never does.
        let second = proposed(&ward, &boris, &id, "11112222");
        assert_eq!(posts(&ward, &anna, &format!("{path}/{second}/withdrawal"), None).json()["state"], "withdrawn");
        let third = proposed(&ward, &boris, &id, "33334444");
        assert_eq!(current().json()["number_masked"], "**** **** 8903");
        assert_eq!(posts(&ward, &anna, &format!("{path}/{third}/confirmation"), None).status, 200);
        assert_eq!(current().json()["number_masked"], "**** **** 4444");
        let all = anna.asks(&ward, "GET", &format!("/api/v1{path}?limit=2")).send();
        let states: Vec<_> = all.json()["items"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
        assert_eq!(states, ["confirmed", "withdrawn"]);
        let next = all.header("link").unwrap().split(['<', '>']).nth(1).unwrap().to_owned();
        assert_eq!(anna.asks(&ward, "GET", &next).send().json()["items"][0]["id"], json!(change));
        // The database itself knows no account that one person changed, nor one that changed afterwards.
        assert!(sql(&ward, "UPDATE bank_account_changes SET account_number = '99999999'").unwrap_err().to_string().contains("append-only"));
        assert!(sql(&ward, "DELETE FROM bank_account_changes").unwrap_err().to_string().contains("append-only"));
        let open = proposed(&ward, &anna, &id, "55556666");
        sql(&ward, &format!("UPDATE bank_account_changes SET state = 'confirmed', decided_by = proposed_by, decided_at = proposed_at WHERE id = '{open}'")).unwrap_err();
    }

    fn of_two_who_confirm_at_once_one_does(ward) {
        let id = verified(&ward, "洁城公司", CODES[0]);
        let [anna, boris, clara] = [Role::SupplierAgent, Role::OrganisationAdmin, Role::FinanceOfficer].map(|role| of(&ward, role, &id));
        let path = format!("/organisations/{id}/bank-account-changes");
        for round in 0..5 {
            let change = proposed(&ward, &anna, &id, &format!("1111222{round}"));
            let line = Barrier::new(2);
            let mut codes = std::thread::scope(|threads| {
                [&boris, &clara].map(|who| {
                    let (ward, line, confirmation) = (&ward, &line, format!("{path}/{change}/confirmation"));
                    threads.spawn(move || {
                        line.wait();
                        posts(ward, who, &confirmation, None).status
                    })
                }).map(|thread| thread.join().unwrap())
            });
            codes.sort_unstable();
            assert_eq!(codes, [200, 409]);
        }
        assert_eq!(ward.events("bank_account.change_confirmed").len(), 5);
        // Nor are two changes open at once.
        let line = Barrier::new(2);
        let mut codes = std::thread::scope(|threads| {
            [&boris, &clara].map(|who| {
                let (ward, line, path) = (&ward, &line, &path);
                threads.spawn(move || {
                    line.wait();
                    posts(ward, who, path, Some(&account(NUMBER))).status
                })
            }).map(|thread| thread.join().unwrap())
        });
        codes.sort_unstable();
        assert_eq!(codes, [201, 409]);
    }

    fn a_whole_number_is_seen_by_who_pays_and_that_is_an_event(ward) {
        let id = verified(&ward, "洁城公司", CODES[0]);
        let (anna, boris) = (of(&ward, Role::SupplierAgent, &id), of(&ward, Role::OrganisationAdmin, &id));
        let disclosure = format!("/api/v1/organisations/{id}/bank-account/disclosure");
        let whole = |role| ward.ask("POST", &disclosure).by(role).header("idempotency-key", "look").send();
        refused(&whole(Role::FinanceOfficer), 404, "not_found");
        let change = proposed(&ward, &anna, &id, NUMBER);
        assert_eq!(posts(&ward, &boris, &format!("/organisations/{id}/bank-account-changes/{change}/confirmation"), None).status, 200);
        for role in [Role::Admin, Role::Auditor, Role::Regulator, Role::BuyerOfficer] {
            refused(&whole(role), 403, "forbidden");
        }
        let own = boris.asks(&ward, "POST", &disclosure).send();
        refused(&own, 403, "forbidden");
        assert_eq!(ward.events("bank_account.seen").len(), 0, "who was refused saw nothing");
        let seen = whole(Role::FinanceOfficer);
        assert_eq!((seen.status, seen.json()["number"].clone(), seen.header("cache-control")), (200, json!(NUMBER), Some("no-store")), "{}", seen.text);
        let events = ward.events("bank_account.seen");
        assert_eq!((events.len(), events[0]["opened"]["actor"].clone()), (1, json!("user_finance_officer")));
        assert_eq!(opened(&events[0])["number"], "**** **** 8903");
        // The same request again shows nothing, because nothing of it is kept.
        let again = whole(Role::FinanceOfficer);
        assert_eq!((again.header("idempotent-replayed"), again.json()["number"].clone()), (Some("true"), json!(null)));
        assert_eq!(again.json()["account"]["number_masked"], "**** **** 8903");
        // Nobody but who pays: not the public, not its list of changes, no event, not even its private part.
        refused(&ward.get(&format!("/api/v1/organisations/{id}/bank-account")), 401, "unauthenticated");
        refused(&ward.ask("GET", &format!("/api/v1/organisations/{id}/bank-account")).by(Role::Resident).send(), 403, "forbidden");
        for role in [Role::Admin, Role::Auditor] {
            for path in [format!("/api/v1/organisations/{id}/bank-account"), format!("/api/v1/organisations/{id}/bank-account-changes"), "/api/v1/audit/events?limit=200".to_owned()] {
                let reply = ward.ask("GET", &path).by(role).send();
                assert!(reply.status == 200 && !reply.text.contains(NUMBER), "{path}: {}", reply.text);
            }
        }
        let public = ward.get("/api/v1/audit/events?limit=200").text;
        assert!(!public.contains("8903") && !public.contains("梧桐支行"), "{public}");
    }

    fn a_qualification_is_claimed_by_one_and_verified_by_another(ward) {
        let id = verified(&ward, "洁城公司", CODES[0]);
        let agent = of(&ward, Role::SupplierAgent, &id);
        let path = format!("/organisations/{id}/qualifications");
        let claim = |number: &str, last| {
            let reply = posts(&ward, &agent, &path, Some(&licence(number, last)));
            assert_eq!(reply.status, 201, "{}", reply.text);
            reply.json()["id"].as_str().unwrap().to_owned()
        };
        let (first, second, third) = (claim("一号", Some("2026-03-02")), claim("二号", None), claim("三号", Some("2030-01-01")));
        let decide = |who: Role, which: &str, what: &str, body: Value| {
            ward.ask("POST", &format!("/api/v1{path}/{which}/{what}")).by(who).json(&body).send()
        };
        refused(&decide(Role::BuyerApprover, &first, "verification", json!({"evidence": "x"})), 403, "forbidden");
        refused(&decide(Role::Resident, &first, "withdrawal", json!({"reason": "x"})), 403, "forbidden");
        assert_eq!(decide(Role::Regulator, &first, "verification", json!({"evidence": "许可证原件"})).json()["state"], "verified");
        assert_eq!(decide(Role::Admin, &second, "refusal", json!({"reason": "查无此证"})).json()["private"]["note"], "查无此证");
        refused(&decide(Role::Admin, &first, "refusal", json!({"reason": "x"})), 409, "qualification_wrong_state");
        refused(&decide(Role::Admin, &first, "verification", json!({"evidence": " "})), 422, "invalid");
        refused(&decide(Role::Admin, "qualification_01jd3n8f5teqkrzvq1c0m6h2ax", "verification", json!({"evidence": "x"})), 404, "not_found");
        // Whoever is both its agent and the platform's administrator does not verify what they claimed.
        let both = person(&ward, &[Grant::of(Role::Admin), Grant::of(Role::SupplierAgent).in_organisation(id.parse().unwrap())]);
        let own = posts(&ward, &both, &path, Some(&licence("四号", None))).json()["id"].as_str().unwrap().to_owned();
        refused(&posts(&ward, &both, &format!("{path}/{own}/verification"), Some(&json!({"evidence": "x"}))), 403, "separation_of_duties");

        // Everyone sees what was verified, its own people all of it.
        let numbers = |reply: Reply| -> Vec<String> { reply.json()["items"].as_array().unwrap().iter().map(|one| one["number"].as_str().unwrap().to_owned()).collect() };
        let listed = |query: &str| ward.get(&format!("/api/v1{path}{query}"));
        assert_eq!(numbers(listed("")), ["一号"]);
        assert_eq!(listed("").json()["items"][0]["private"], json!(null));
        assert_eq!(numbers(agent.asks(&ward, "GET", &format!("/api/v1{path}")).send()), ["四号", "三号", "二号", "一号"]);
        let page = agent.asks(&ward, "GET", &format!("/api/v1{path}?limit=3")).send();
        let next = page.header("link").unwrap().split(['<', '>']).nth(1).unwrap().to_owned();
        assert_eq!(numbers(agent.asks(&ward, "GET", &next).send()), ["一号"]);
        assert_eq!(ward.get(&next).status, 400, "a cursor of the whole list is not one of the public's");

        // It holds through its last day in the ward, whose next day begins at 16:00 UTC, and nothing is stored for it to end.
        let clock = ward.context().clock.clone();
        let expired = || listed("").json()["items"][0]["expired"].clone();
        clock.advance(clock.now() + Duration::hours(15) + Duration::minutes(59));
        assert_eq!(expired(), json!(false));
        clock.advance(clock.now() + Duration::minutes(1));
        assert_eq!(expired(), json!(true));
        assert_eq!(posts(&ward, &agent, &format!("{path}/{first}/withdrawal"), Some(&json!({"reason": "已换发"}))).json()["state"], "withdrawn");
        assert_eq!(numbers(listed("")), [""; 0]);
        assert_eq!(posts(&ward, &agent, &format!("{path}/{third}/withdrawal"), Some(&json!({"reason": "误填"}))).status, 200);

        // What is only claimed is nobody's business.
        for event in ward.events("qualification.claimed") {
            assert!(!event["entry"].to_string().contains("一号"), "{event}");
            assert!(opened(&event)["number"].as_str().unwrap().ends_with('号'));
        }
        assert_eq!(ward.events("qualification.verified")[0]["entry"]["data"]["number"], "一号");
        for statement in ["UPDATE qualifications SET number = 'x'", "DELETE FROM qualifications"] {
            assert!(sql(&ward, statement).unwrap_err().to_string().contains("append-only"), "{statement}");
        }
    }

    fn a_licence_says_what_it_must_and_only_suppliers_have_one(ward) {
        let id = verified(&ward, "洁城公司", CODES[0]);
        let agent = of(&ward, Role::SupplierAgent, &id);
        let path = format!("/organisations/{id}/qualifications");
        let faults = |body: Value| -> Vec<String> {
            let reply = posts(&ward, &agent, &path, Some(&body));
            assert_eq!(reply.status, 422, "{}", reply.text);
            let mut faults: Vec<_> = reply.faults().into_iter().map(|(at, _)| at).collect();
            faults.sort();
            faults
        };
        assert_eq!(faults(json!({"kind": "Security", "issuer": "", "valid_from": "2026-1-1"})), ["/issuer", "/kind", "/number", "/valid_from"]);
        assert_eq!(faults(json!({"kind": "own_code", "issuer": "=x", "number": "a\u{200b}b", "grade": "@", "valid_from": "2026-02-30", "valid_to": "1066-10-14"})),
            ["/grade", "/issuer", "/number", "/valid_from", "/valid_to"]);
        assert_eq!(faults(json!({"kind": "own_code", "issuer": "x", "number": "1", "valid_from": "2026-02-02", "valid_to": "2026-02-01"})), ["/valid_to"]);
        let other = posts(&ward, &agent, &path, Some(&json!({"kind": "own_code", "issuer": "x", "number": "1", "grade": "甲级", "valid_from": "2026-02-02"})));
        assert_eq!((other.json()["kind_zh"].clone(), other.json()["grade"].clone()), (json!(null), json!("甲级")), "{}", other.text);
        let kinds = ward.get("/api/v1/qualification-kinds").json();
        assert!(kinds.as_array().unwrap().iter().any(|kind| kind["code"] == "security_service" && kind["name_zh"] == "保安服务许可证"));
        let office = registered(&ward, Role::Admin, &json!({"kind": "department", "name_zh": "城管局", "name_en": "City management"}));
        let clerk = of(&ward, Role::OrganisationAdmin, &office);
        refused(&posts(&ward, &clerk, &format!("/organisations/{office}/qualifications"), Some(&licence("一号", None))), 409, "organisation_no_supplier");
    }

    fn a_debarment_is_public_from_its_first_day_to_its_last_or_until_it_is_lifted(ward) {
        let (id, other) = (verified(&ward, "洁城公司", CODES[0]), verified(&ward, "德润公司", CODES[1]));
        let hidden = registered(&ward, Role::SupplierAgent, &company("藏着的公司", CODES[2]));
        let office = registered(&ward, Role::Admin, &json!({"kind": "department", "name_zh": "城管局", "name_en": "City management"}));
        for role in [Role::Admin, Role::Auditor, Role::BuyerApprover] {
            refused(&ward.ask("POST", "/api/v1/debarments").by(role).json(&debarment(&id, "2026-03-02", "2027-03-01")).send(), 403, "forbidden");
        }
        for (organisation, code) in [(&hidden, "debarment_no_public_supplier"), (&office, "debarment_no_public_supplier")] {
            refused(&by_regulator(&ward, "/debarments", &debarment(organisation, "2026-03-02", "2027-03-01")), 409, code);
        }
        refused(&by_regulator(&ward, "/debarments", &debarment("org_01jd3n8f5teqkrzvq1c0m6h2ax", "2026-03-02", "2027-03-01")), 404, "not_found");
        let short = by_regulator(&ward, "/debarments", &debarment(&id, "2026-03-02", "2027-02-28"));
        assert_eq!(short.faults(), [("/until".to_owned(), "invalid".to_owned())]);
        assert!(short.text.contains("政府采购法 art 77"), "{}", short.text);
        let english = ward.ask("POST", "/api/v1/debarments").by(Role::Regulator).header("accept-language", "en").json(&debarment(&id, "2026-03-02", "2029-03-02")).send();
        assert!(english.text.contains("must be 1 to 3 years"), "{}", english.text);

        let record = |organisation: &str, from: &str, until: &str| {
            let reply = by_regulator(&ward, "/debarments", &debarment(organisation, from, until));
            assert_eq!(reply.status, 201, "{}", reply.text);
            assert_eq!(reply.header("location").unwrap(), format!("/api/v1/debarments/{}", reply.json()["id"].as_str().unwrap()));
            reply.json()["id"].as_str().unwrap().to_owned()
        };
        let first = record(&id, "2026-03-02", "2027-03-01");
        let later = record(&id, "2026-06-01", "2027-05-31");
        record(&other, "2026-03-03", "2029-03-02");
        let in_force = |day: &str| -> Vec<String> {
            let json = ward.get(&format!("/api/v1/debarments?in_force_on={day}")).json();
            json["items"].as_array().unwrap().iter().map(|one| one["name_zh"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(in_force("2026-03-01"), [""; 0]);
        assert_eq!(in_force("2026-03-02"), ["洁城公司"]);
        assert_eq!(in_force("2026-07-01"), ["洁城公司", "德润公司", "洁城公司"]);
        assert_eq!(in_force("2027-03-02"), ["洁城公司", "德润公司"]);
        assert_eq!(in_force("2029-03-03"), [""; 0]);
        let debarred = |want: bool| ward.get(&format!("/api/v1/organisations?kind=company&debarred={want}")).json()["items"].as_array().unwrap().len();
        assert_eq!((debarred(true), debarred(false)), (1, 1), "the other one is debarred from tomorrow on");
        assert_eq!(ward.get(&format!("/api/v1/debarments/{first}")).json()["in_force"], true);
        let page = ward.get(&format!("/api/v1/debarments?organisation_id={id}&limit=1"));
        assert_eq!(page.json()["items"][0]["id"], json!(later));
        let next = page.header("link").unwrap().split(['<', '>']).nth(1).unwrap().to_owned();
        assert_eq!(ward.get(&next).json()["items"][0]["id"], json!(first));
        for day in ["soon", "2026-3-1", "12026-03-01"] {
            assert_eq!(ward.get(&format!("/api/v1/debarments?in_force_on={day}")).faults(), [("?in_force_on".to_owned(), "not_valid".to_owned())]);
        }

        let lifting = json!({"reason_zh": "经行政复议撤销", "reason_en": "Quashed on review"});
        refused(&ward.ask("POST", &format!("/api/v1/debarments/{first}/lifting")).by(Role::Admin).json(&lifting).send(), 403, "forbidden");
        let lifted = by_regulator(&ward, &format!("/debarments/{first}/lifting"), &lifting);
        assert_eq!((lifted.json()["in_force"].clone(), lifted.json()["lifted"]["on"].clone()), (json!(false), json!("2026-03-02")), "{}", lifted.text);
        refused(&by_regulator(&ward, &format!("/debarments/{first}/lifting"), &lifting), 409, "debarment_ended");
        assert_eq!((debarred(true), in_force("2026-03-02").len()), (0, 0));
        let table = ward.ask("GET", &format!("/api/v1/debarments?organisation_id={id}&in_force_on=2026-07-01")).header("accept", "text/csv").send();
        assert_eq!(table.text.lines().nth(1), Some(format!("{later},{id},洁城公司,洁城公司,{},2026-06-01,2027-05-31,\"提供虚假材料, 谋取中标\",False documents,凤财采罚 2026-3,false,,,", CODES[0]).as_str()));
        assert_eq!(table.header("content-disposition"), Some("attachment; filename=\"debarments.csv\""));
        for statement in ["UPDATE debarments SET until_date = '2026-03-03'", "DELETE FROM debarments", "UPDATE debarments SET lift_reason_zh = 'x' WHERE lifted_at IS NOT NULL"] {
            assert!(sql(&ward, statement).unwrap_err().to_string().contains("append-only"), "{statement}");
        }
        let events = ward.events("debarment.recorded");
        assert_eq!((events.len(), events[0]["entry"]["data"]["reason_en"].clone()), (3, json!("False documents")));
        assert_eq!(ward.events("debarment.lifted").len(), 1);
    }

    fn of_two_who_lift_a_debarment_at_once_one_does(ward) {
        let id = verified(&ward, "洁城公司", CODES[0]);
        let debarment = by_regulator(&ward, "/debarments", &debarment(&id, "2026-03-02", "2027-03-01")).json()["id"].as_str().unwrap().to_owned();
        let line = Barrier::new(2);
        let mut codes = std::thread::scope(|threads| {
            ["一", "二"].map(|reason| {
                let (ward, line, debarment) = (&ward, &line, &debarment);
                threads.spawn(move || {
                    line.wait();
                    by_regulator(ward, &format!("/debarments/{debarment}/lifting"), &json!({"reason_zh": reason, "reason_en": reason})).status
                })
            }).map(|thread| thread.join().unwrap())
        });
        codes.sort_unstable();
        assert_eq!(codes, [200, 409]);
    }

    fn a_suppliers_page_shows_what_everyone_may_know(ward) {
        let id = verified(&ward, "洁城公司", CODES[0]);
        let agent = of(&ward, Role::SupplierAgent, &id);
        let path = format!("/organisations/{id}/qualifications");
        let licence_id = posts(&ward, &agent, &path, Some(&licence("一号", Some("2026-02-01")))).json()["id"].as_str().unwrap().to_owned();
        posts(&ward, &agent, &path, Some(&licence("二号", None)));
        assert_eq!(by_regulator(&ward, &format!("{path}/{licence_id}/verification"), &json!({"evidence": "原件"})).status, 200);
        proposed(&ward, &agent, &id, NUMBER);
        by_regulator(&ward, "/debarments", &debarment(&id, "2026-06-01", "2027-05-31"));
        let page = ward.get(&format!("/api/v1/suppliers/{id}"));
        let json = page.json();
        assert_eq!((json["organisation"]["name_zh"].clone(), json["organisation"]["size_class"].clone()), (json!("洁城公司"), json!("small")));
        assert_eq!(json["qualifications"].as_array().unwrap().len(), 1);
        assert_eq!((json["qualifications"][0]["number"].clone(), json["qualifications"][0]["expired"].clone()), (json!("一号"), json!(true)));
        assert_eq!((json["debarments"].as_array().unwrap().len(), json["debarred"].clone()), (1, json!(false)));
        holds_nothing_private(&page.text, "a supplier's page");
        assert!(!page.text.contains("8903"));
        let clock = ward.context().clock.clone();
        clock.advance(clock.now() + Duration::days(91));
        assert_eq!(ward.get(&format!("/api/v1/suppliers/{id}")).json()["debarred"], true);
        // As the platform's own people see it, too: it is the public's page.
        assert_eq!(ward.ask("GET", &format!("/api/v1/suppliers/{id}")).by(Role::Admin).send().json()["organisation"]["private"], json!(null));
        let hidden = registered(&ward, Role::SupplierAgent, &company("藏着的公司", CODES[2]));
        let office = registered(&ward, Role::Admin, &json!({"kind": "department", "name_zh": "城管局", "name_en": "City management"}));
        for none in [hidden.as_str(), office.as_str(), "org_01jd3n8f5teqkrzvq1c0m6h2ax", "x"] {
            refused(&ward.ask("GET", &format!("/api/v1/suppliers/{none}")).by(Role::Admin).send(), 404, "not_found");
        }
    }
}
