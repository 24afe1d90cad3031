//! The statutes, as their users meet them.

use std::sync::Barrier;

use chrono::{Duration, TimeZone, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardbook::statutes::acts;
use wardbook::statutes::codes;
use wardbook::statutes::store as statutes;
use wardbook::web::actor::Actor;
use wardbook::web::policy::Role;

use crate::harness::{PostgresDatabase, Reply, Ward, start};
use crate::on_both;

/// The version that applies on a day, whole.
fn in_force(ward: &Ward, query: &str) -> Value {
    let reply = ward.get(&format!("/api/v1/statutes/in-force?{query}"));
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

fn first_day(statute: &Value) -> &str {
    statute["statute"]["effective_from"].as_str().unwrap()
}

fn id(statute: &Value) -> String {
    statute["statute"]["id"].as_str().unwrap().to_owned()
}

/// What a regulator would send to follow a version: its rules as they were read, under another head.
fn following(statute: &Value, from: &str) -> Value {
    json!({
        "jurisdiction": statute["statute"]["jurisdiction"],
        "effective_from": from,
        "name_zh": format!("规则（{from} 起）"),
        "name_en": format!("Rules from {from}"),
        "note_zh": "投标期限调整。",
        "note_en": "The tender period is changed.",
        "rules": statute["rules"],
    })
}

fn rule<'v>(document: &'v mut Value, code: &str) -> &'v mut Value {
    let mut rules = document["rules"].as_array_mut().unwrap().iter_mut();
    rules.find(|rule| rule["code"] == code).unwrap()
}

/// The newest rules of `cn` with a tender period of `days` from a day on.
fn with_period(ward: &Ward, from: &str, days: u32) -> Value {
    let mut document = following(&in_force(ward, "jurisdiction=cn&on=2026-03-02"), from);
    let period = rule(&mut document, "tender.period_days_min");
    period["value"] = json!({ "days": days });
    period["effective_from"] = json!(from);
    document
}

fn load(ward: &Ward, query: &str, document: &Value) -> Reply {
    let path = format!("/api/v1/statutes{query}");
    ward.ask("POST", &path).by(Role::Regulator).json(document).send()
}

fn loaded(ward: &Ward, query: &str, document: &Value) -> Value {
    let reply = load(ward, query, document);
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json()
}

fn heads(ward: &Ward, query: &str) -> Vec<Value> {
    let reply = ward.get(&format!("/api/v1/statutes?{query}"));
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["items"].as_array().unwrap().clone()
}

fn names(heads: &[Value]) -> Vec<String> {
    heads
        .iter()
        .map(|head| {
            let word = |member: &str| head[member].as_str().unwrap();
            format!(
                "{} {} {}",
                word("jurisdiction"),
                word("effective_from"),
                head["revision"]
            )
        })
        .collect()
}

const BUILT_IN: [&str; 3] = ["cn 2025-06-01 1", "cn 2026-01-01 1", "cn 2026-02-01 1"];

on_both! {
    in "cn";

    fn the_rules_of_the_program_are_there_once_however_often_it_starts(ward) {
        let mut ward = ward;
        let before = heads(&ward, "");
        assert_eq!(names(&before), BUILT_IN);
        ward.restart(|_| {});
        assert_eq!(heads(&ward, ""), before);
        let events = ward.events("statute.loaded");
        assert_eq!(events.len(), 3);
        for (event, head) in events.iter().zip(&before) {
            assert_eq!((&event["entry"]["subject"], &event["id"]), (&head["id"], &head["event_id"]));
            let data = &event["entry"]["data"];
            assert_eq!((&data["sha256"], &data["built_in"], &head["built_in"]), (&head["sha256"], &json!(true), &json!(true)));
            assert_eq!(event["opened"]["actor"], "system");
        }
        // What the log commits to is what is stored, byte for byte.
        for head in &before {
            let id = head["id"].as_str().unwrap().parse().unwrap();
            let statute = ward.context().db.read_and_wait(|conn| statutes::statute(conn, &id)).unwrap().unwrap();
            let content = statute.profile.written().unwrap();
            assert_eq!(hex::encode(Sha256::digest(content)), head["sha256"].as_str().unwrap());
        }
    }

    fn the_rules_of_a_day_are_those_whose_first_day_was_the_last_to_come(ward) {
        for (day, first) in [
            ("2025-06-01", "2025-06-01"), ("2025-12-31", "2025-06-01"), ("2026-01-01", "2026-01-01"),
            ("2026-01-31", "2026-01-01"), ("2026-02-01", "2026-02-01"), ("2199-12-31", "2026-02-01"),
        ] {
            assert_eq!(first_day(&in_force(&ward, &format!("jurisdiction=cn&on={day}"))), first, "{day}");
            let listed = heads(&ward, &format!("in_force_on={day}"));
            assert_eq!(names(&listed), [format!("cn {first} 1")]);
        }
        for query in ["jurisdiction=cn&on=2025-05-31", "jurisdiction=cn-31&on=2026-03-02"] {
            let reply = ward.get(&format!("/api/v1/statutes/in-force?{query}"));
            assert_eq!((reply.status, reply.code().as_str()), (404, "not_found"));
        }
        assert_eq!(heads(&ward, "in_force_on=2025-05-31"), [json!(null); 0]);
        assert_eq!(ward.get("/api/v1/statutes/in-force?jurisdiction=test").status, 404, "no real ward sees the lenient rules");
        assert_eq!(in_force(&ward, ""), in_force(&ward, "jurisdiction=cn&on=2026-03-02"));
        for query in ["jurisdiction=China", "on=2026-2-1", "on=2026-02-30", "on=tomorrow", "date=2026-02-01", "on=%00"] {
            assert_eq!(ward.get(&format!("/api/v1/statutes/in-force?{query}")).status, 400, "{query}");
        }
    }

    fn every_rule_is_shown_in_both_languages_with_its_source(ward) {
        let statute = in_force(&ward, "");
        let rules = statute["rules"].as_array().unwrap();
        assert_eq!(rules.len(), codes::ALL.len());
        let said = |value: &Value| !value.as_str().unwrap().trim().is_empty();
        for (rule, entry) in rules.iter().zip(codes::ALL) {
            assert_eq!((&rule["code"], &rule["kind"]), (&json!(entry.code), &json!(entry.kind)));
            assert!(rule["value"][entry.kind.name()] != json!(null), "{rule}");
            assert!(said(&rule["text_zh"]) && said(&rule["text_en"]), "{rule}");
            let citations = rule["citations"].as_array().unwrap();
            assert!(!citations.is_empty(), "{rule}");
            assert!(citations.iter().all(|one| said(&one["instrument_zh"]) && said(&one["instrument_en"])), "{rule}");
        }
        let head = &statute["statute"];
        assert!(["name_zh", "name_en", "note_zh", "note_en"].iter().all(|name| said(&head[name])));
        let path = format!("/api/v1/statutes/{}", id(&statute));
        let reply = ward.get(&path);
        assert_eq!(reply.json(), statute);
        let etag = reply.header("etag").unwrap().to_owned();
        let again = ward.ask("GET", &path).header("if-none-match", &etag).send();
        assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", Some(etag.as_str())));
        let table = ward.ask("GET", &path).header("accept", "text/csv").header("if-none-match", &etag).send();
        assert_eq!(table.status, 200, "another representation has another tag");
        for unknown in ["statute_01jd3n8f5teqkrzvq1c0m6h2ax", "area_01jd3n8f5teqkrzvq1c0m6h2ax", "cn"] {
            assert_eq!(ward.get(&format!("/api/v1/statutes/{unknown}")).code(), "not_found");
        }
    }

    fn the_rules_are_a_table_for_whoever_asks_for_one(ward) {
        let table = |path: &str| {
            let reply = ward.ask("GET", path).header("accept", "text/csv").send();
            assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/csv; charset=utf-8")));
            let mut reader = csv::Reader::from_reader(reply.text.as_bytes());
            let columns = reader.headers().unwrap().clone();
            let rows: Vec<Vec<String>> = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
            (columns.iter().map(str::to_owned).collect::<Vec<_>>(), rows)
        };
        let statute = in_force(&ward, "");
        let (columns, rows) = table(&format!("/api/v1/statutes/{}", id(&statute)));
        assert_eq!(rows.len(), codes::ALL.len());
        let cell = |code: &str, column: &str| {
            let row = rows.iter().find(|row| row[4] == code).unwrap();
            row[columns.iter().position(|name| name == column).unwrap()].clone()
        };
        assert_eq!(cell("tender.period_days_min", "value"), "20");
        assert_eq!(cell("panel.expert_share_min", "value"), ">=2/3");
        assert_eq!(cell("tender.period_days_min", "citations_en"), "Government Procurement Law art. 35; Measures for Bidding in Government \
            Procurement of Goods and Services (Ministry of Finance Order No. 87) art. 16, 18");
        assert!(cell("tender.period_days_min", "citations_zh").starts_with("中华人民共和国政府采购法 第 35 条"));
        // No cell that a spreadsheet would run.
        assert!(rows.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@'])));
        assert_eq!(table("/api/v1/statutes/in-force").1, rows);
        assert_eq!(table("/api/v1/statutes").1.len(), 3 * codes::ALL.len());
        assert_eq!(table("/api/v1/statutes?jurisdiction=cn&in_force_on=2026-03-01").1, rows);
    }

    fn a_listing_is_read_page_by_page(ward) {
        loaded(&ward, "", &with_period(&ward, "2026-09-01", 25));
        let all = heads(&ward, "");
        assert_eq!(names(&all), ["cn 2025-06-01 1", "cn 2026-01-01 1", "cn 2026-02-01 1", "cn 2026-09-01 1"]);
        let mut read = Vec::new();
        let mut path = "/api/v1/statutes?limit=2".to_owned();
        loop {
            let reply = ward.get(&path);
            read.extend(reply.json()["items"].as_array().unwrap().clone());
            let Some(link) = reply.header("link") else { break };
            path = link.split(['<', '>']).nth(1).unwrap().to_owned();
        }
        assert_eq!(read, all);
        let cursor = ward.get("/api/v1/statutes?limit=2").json()["next_cursor"].as_str().unwrap().to_owned();
        for query in [format!("jurisdiction=cn&cursor={cursor}"), "cursor=x".to_owned(), "in_force_on=never".to_owned(), "jurisdiction=CN".to_owned(), "limit=0".to_owned(), "q=x".to_owned()] {
            assert_eq!(ward.get(&format!("/api/v1/statutes?{query}")).status, 400, "{query}");
        }
    }

    fn two_versions_are_compared_rule_by_rule(ward) {
        let (old, new) = (in_force(&ward, "on=2026-01-31"), in_force(&ward, "on=2026-02-01"));
        let path = format!("/api/v1/statutes/{}/differences?from=", id(&new));
        let reply = ward.get(&format!("{path}{}", id(&old))).json();
        assert_eq!((&reply["from"], &reply["to"]), (&old["statute"], &new["statute"]));
        let differences = reply["differences"].as_array().unwrap();
        assert_eq!(differences.len(), 7);
        let average = &differences[0];
        assert_eq!(average["code"], "evaluation.abnormally_low_average_percent");
        assert_eq!(average["before"]["value"], json!(null));
        assert_eq!((&average["before"]["standing"], &average["before"]["effective_to"]), (&json!("not_set"), &json!("2026-01-31")));
        assert_eq!(average["after"]["value"], json!({"percent": "50"}));
        assert_eq!(average["parts"], json!(["value", "text", "standing", "dates"]));
        assert_eq!(ward.get(&format!("{path}{}", id(&new))).json()["differences"], json!([]));
        let missing = ward.get(path.trim_end_matches("?from="));
        assert_eq!((missing.status, missing.faults()), (400, vec![("?from".to_owned(), "required".to_owned())]));
        assert_eq!(ward.get(&format!("{path}cn")).status, 400);
        assert_eq!(ward.get(&format!("{path}statute_01jd3n8f5teqkrzvq1c0m6h2ax")).status, 404);
    }

    fn a_regulator_loads_a_version_and_it_applies_from_its_first_day_in_the_wards_zone(ward) {
        let before = in_force(&ward, "");
        let document = with_period(&ward, "2026-03-04", 25);
        let ask = || ward.ask("POST", "/api/v1/statutes").by(Role::Regulator).header("idempotency-key", "march").json(&document).send();
        let reply = ask();
        assert_eq!(reply.status, 201, "{}", reply.text);
        let report = reply.json();
        assert_eq!((&report["dry_run"], &report["before"], &report["statute"]["revision"], &report["statute"]["built_in"]), (&json!(false), &before["statute"]["id"], &json!(1), &json!(false)));
        let differences = report["differences"].as_array().unwrap();
        assert_eq!((differences.len(), &differences[0]["code"], &differences[0]["parts"]), (1, &json!("tender.period_days_min"), &json!(["value", "dates"])));
        let again = ask();
        assert_eq!((again.status, again.header("idempotent-replayed"), again.text.as_str()), (201, Some("true"), reply.text.as_str()));

        let path = reply.header("location").unwrap();
        let whole = ward.get(path).json();
        assert_eq!(whole["statute"], report["statute"]);
        let mut sent = document.clone();
        assert_eq!(whole["rules"].as_array().unwrap().len(), codes::ALL.len());
        assert_eq!(rule(&mut sent, "tender.period_days_min")["value"], json!({"days": 25}));

        let event = ward.events("statute.loaded").pop().unwrap();
        assert_eq!((&event["entry"]["subject"], &event["opened"]["actor"]), (&report["statute"]["id"], &json!("user_regulator")));
        let data = &event["entry"]["data"];
        assert_eq!((&data["changed"], &data["built_in"], &data["before"], &data["corrects"]), (&json!(["tender.period_days_min"]), &json!(false), &before["statute"]["id"], &json!(null)));
        assert_eq!(data["sha256"], report["statute"]["sha256"]);

        // 4 March begins in Shanghai at 16:00 UTC.
        let clock = &ward.context().clock;
        clock.advance(Utc.with_ymd_and_hms(2026, 3, 3, 16, 0, 0).unwrap() - Duration::microseconds(1));
        assert_eq!(in_force(&ward, ""), before);
        clock.advance(Utc.with_ymd_and_hms(2026, 3, 3, 16, 0, 0).unwrap());
        assert_eq!(in_force(&ward, ""), whole);
        assert_eq!(in_force(&ward, "on=2026-03-03"), before);
    }

    fn a_trial_judges_everything_and_leaves_nothing(ward) {
        let document = with_period(&ward, "2026-09-01", 25);
        let reply = load(&ward, "?dry_run=true", &document);
        assert_eq!((reply.status, &reply.json()["dry_run"], reply.header("location")), (200, &json!(true), None));
        assert_eq!(reply.json()["differences"].as_array().unwrap().len(), 1);
        assert_eq!(names(&heads(&ward, "")), BUILT_IN);
        assert_eq!(ward.events("statute.loaded").len(), 3);
        assert_eq!(load(&ward, "?dry_run=yes", &document).status, 400);
        assert_eq!(load(&ward, "?dry_run=true", &with_period(&ward, "2026-03-02", 25)).status, 422);
        assert_eq!(loaded(&ward, "?dry_run=false", &document)["dry_run"], json!(false));
    }

    fn what_does_not_apply_yet_may_be_corrected_and_nothing_else(ward) {
        let refused = |reply: Reply, status: u16, code: &str| assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", reply.text);
        let first = loaded(&ward, "", &with_period(&ward, "2026-03-04", 25));
        let corrected = with_period(&ward, "2026-03-04", 26);
        refused(load(&ward, "", &corrected), 409, "statute_date_taken");
        let in_effect = in_force(&ward, "");
        refused(load(&ward, &format!("?corrects={}", id(&in_effect)), &corrected), 409, "statute_not_current");
        refused(load(&ward, "?corrects=statute_01jd3n8f5teqkrzvq1c0m6h2ax", &corrected), 409, "statute_not_current");
        refused(load(&ward, "?corrects=cn", &corrected), 400, "malformed");
        let corrects = format!("?corrects={}", id(&first));
        let second = loaded(&ward, &corrects, &corrected);
        assert_eq!((&second["statute"]["revision"], &second["before"]), (&json!(2), &in_effect["statute"]["id"]));
        refused(load(&ward, &corrects, &with_period(&ward, "2026-03-04", 27)), 409, "statute_not_current");
        assert_eq!(ward.events("statute.loaded").pop().unwrap()["entry"]["data"]["corrects"], first["statute"]["id"]);

        // Both are kept; the last one counts.
        assert_eq!(names(&heads(&ward, "jurisdiction=cn"))[3..], ["cn 2026-03-04 1", "cn 2026-03-04 2"]);
        assert_eq!(names(&heads(&ward, "jurisdiction=cn&in_force_on=2026-03-04")), ["cn 2026-03-04 2"]);
        assert_eq!(in_force(&ward, "on=2026-03-04")["statute"], second["statute"]);
        assert_eq!(ward.get(&format!("/api/v1/statutes/{}", id(&first))).json()["statute"], first["statute"]);

        // From its first day on nobody changes it any more, and the day before nothing was too late.
        let corrects = format!("?corrects={}", id(&second));
        let third = with_period(&ward, "2026-03-04", 28);
        ward.context().clock.advance(Utc.with_ymd_and_hms(2026, 3, 3, 15, 59, 59).unwrap());
        assert_eq!(load(&ward, &format!("{corrects}&dry_run=true"), &third).status, 200);
        ward.context().clock.advance(Utc.with_ymd_and_hms(2026, 3, 3, 16, 0, 0).unwrap());
        let reply = load(&ward, &corrects, &third);
        assert_eq!(reply.faults(), [("/effective_from".to_owned(), "not_after_today".to_owned())]);
        refused(reply, 422, "invalid");
    }

    fn every_fault_of_a_version_is_listed(ward) {
        let mut bad = with_period(&ward, "2026-03-02", 25);
        bad["jurisdiction"] = json!("cn");
        bad["note_en"] = json!("=1");
        bad["rules"][0]["code"] = json!("planning.colour_of_the_door");
        bad["rules"][1]["citations"] = json!([]);
        bad["rules"][2]["value"] = json!({"count": 3});
        bad["rules"][3]["kind"] = json!("days");
        bad["rules"][4]["text_zh"] = json!("a\u{200b}");
        let reply = load(&ward, "", &bad);
        assert_eq!((reply.status, reply.code().as_str()), (422, "invalid"));
        let expected = [
            ("/effective_from", "not_after_today"), ("/note_en", "not_valid"), ("/rules/0/code", "unknown_rule"), ("/rules/1/citations", "citation_missing"),
            ("/rules/2/value", "wrong_kind"), ("/rules/3/kind", "wrong_kind"), ("/rules/4/text_zh", "not_valid"), ("/rules", "rule_missing"),
        ];
        assert_eq!(reply.faults(), expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
        for language in ["zh", "en"] {
            let told = ward.ask("POST", "/api/v1/statutes").by(Role::Regulator).header("accept-language", language).json(&bad).send();
            let detail = told.json()["errors"][7]["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains("planning.intention_notice_days_min") && detail.is_ascii() == (language == "en"), "{detail}");
        }
        // What the schema sees comes before what the rules see.
        bad["rules"][5]["value"] = json!({"days": 1.5});
        bad["rules"][6]["value"] = json!("20 days");
        bad["rules"][7]["standing"] = json!("certain");
        bad["colour"] = json!("red");
        let reply = load(&ward, "", &bad);
        let mut faults = reply.faults();
        faults.sort();
        let expected = [("/colour", "unknown_member"), ("/rules/5/value", "not_valid"), ("/rules/6/value", "not_valid"), ("/rules/7/standing", "not_one_of")];
        assert_eq!(faults, expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));

        // A value that changes says since when.
        let mut silent = with_period(&ward, "2026-09-01", 25);
        rule(&mut silent, "tender.period_days_min")["effective_from"] = json!("2026-02-01");
        let place = silent["rules"].as_array().unwrap().iter().position(|rule| rule["code"] == "tender.period_days_min").unwrap();
        assert_eq!(load(&ward, "", &silent).faults(), [(format!("/rules/{place}/effective_from"), "unexplained_change".to_owned())]);
        assert_eq!(names(&heads(&ward, "")), BUILT_IN);
        assert_eq!(ward.events("statute.loaded").len(), 3);
    }

    fn a_place_may_have_rules_of_its_own(ward) {
        let mut ward = ward;
        ward.restart(|settings| settings.jurisdiction = "cn-31".to_owned());
        assert_eq!(ward.get("/api/v1/statutes/in-force").status, 404);
        let mut document = following(&in_force(&ward, "jurisdiction=cn"), "2026-03-03");
        document["jurisdiction"] = json!("cn-31");
        let threshold = rule(&mut document, "planning.open_tender_threshold");
        threshold["value"] = json!({"money": {"amount": "4000000.00", "currency": "CNY"}});
        let report = loaded(&ward, "", &document);
        assert_eq!((&report["before"], &report["differences"]), (&json!(null), &json!([])));
        assert_eq!(ward.get("/api/v1/statutes/in-force").status, 404);
        ward.context().clock.advance(start() + Duration::days(1));
        let mut whole = in_force(&ward, "");
        assert_eq!(whole["statute"]["jurisdiction"], "cn-31");
        assert_eq!(rule(&mut whole, "planning.open_tender_threshold")["value"]["money"]["amount"], "4000000.00");
        assert_eq!(first_day(&in_force(&ward, "jurisdiction=cn")), "2026-02-01");
    }

    fn of_several_who_load_the_same_day_at_once_one_succeeds(ward) {
        let document = with_period(&ward, "2026-09-01", 25);
        let replies: Vec<Reply> = std::thread::scope(|scope| {
            let asked: Vec<_> = (0..6).map(|_| scope.spawn(|| load(&ward, "", &document))).collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
        for reply in replies.iter().filter(|reply| reply.status != 201) {
            assert_eq!((reply.status, reply.code().as_str()), (409, "statute_date_taken"), "{}", reply.text);
        }
        assert_eq!(ward.events("statute.loaded").len(), 4);
    }

    /// As often as several instances that start at the same moment would try.
    fn the_rules_of_the_program_are_loaded_by_one_of_many(ward) {
        let line = Barrier::new(6);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    line.wait();
                    let loaded = ward.context().db.write_and_wait(|tx| acts::load_built_in(tx, &Actor::system(), "cn")).unwrap();
                    assert_eq!(loaded, 0);
                });
            }
        });
        assert_eq!(ward.events("statute.loaded").len(), 3);
        let denied = ward.context().db.write_and_wait(|tx| acts::load_built_in(tx, &Actor::public(), "cn"));
        assert!(denied.is_err());
    }
}

on_both! {
    in "test";

    fn the_lenient_rules_are_those_of_a_ward_for_trying_out(ward) {
        let mut ward = ward;
        assert_eq!(names(&heads(&ward, "")), ["test 2000-01-01 1"]);
        assert_eq!(rule(&mut in_force(&ward, ""), "tender.period_days_min")["value"], json!({"days": 0}));
        // Another jurisdiction brings its rules along, and takes none away.
        ward.restart(|settings| settings.jurisdiction = "cn".to_owned());
        assert_eq!(names(&heads(&ward, ""))[..3], BUILT_IN);
        assert_eq!(heads(&ward, "").len(), 4);
        assert_eq!(first_day(&in_force(&ward, "")), "2026-02-01");
    }
}

/// On a database that nobody has ever opened, with one directory of keys.
#[test]
fn several_instances_that_start_at_once_load_the_rules_once() {
    let Some(database) = PostgresDatabase::make() else {
        return;
    };
    let keys = tempfile::tempdir().unwrap();
    // With one clock that stands still, all would make the first key of access tokens in the same microsecond.
    let first = Ward::with(None, |settings| settings.keys_dir = keys.path().to_owned());
    drop(first);
    std::fs::remove_file(keys.path().join("log-mark")).unwrap();
    let line = Barrier::new(3);
    let servers: Vec<_> = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let dir = tempfile::tempdir().unwrap();
                    let mut settings = crate::harness::settings_in(&dir, Some(&database));
                    settings.keys_dir = keys.path().to_owned();
                    settings.jurisdiction = "cn".to_owned();
                    line.wait();
                    (
                        wardbook::app::server::Server::start(settings, start()).unwrap(),
                        dir,
                    )
                })
            })
            .collect();
        starting.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for (server, _) in &servers {
        let address = format!("http://{}/api/v1/statutes", server.address);
        let listed: Value = serde_json::from_str(
            &ureq::get(address)
                .call()
                .unwrap()
                .body_mut()
                .read_to_string()
                .unwrap(),
        )
        .unwrap();
        assert_eq!(names(listed["items"].as_array().unwrap()), BUILT_IN);
    }
}
