//! The residents' roll, as registrars keep it.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::Duration;
use serde_json::{Value, json};
use wardbook::web::policy::Role;

use crate::cast::Person;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::rolls::{Community, by, person};

fn texts(items: &[Value], pointer: &str) -> Vec<String> {
    let text = |item: &Value| {
        item.pointer(pointer)
            .unwrap()
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    items.iter().map(text).collect()
}

/// A method, a path, and a body with its kind.
type Request = (&'static str, String, Option<(&'static str, String)>);

const TABLE: &str = "户号,姓名,出生日期,面积,业主,手机,邮箱\n\
    3-2-501,王小梅,1984-07-19,89.35,是,13800138000,mei@example.org\n\
    3-2-501,王大山,2012/5/1,,否,,\n\
    3-2-502,阿卜杜拉·买买提,20010203,72.10,是,,\n";

on_both! {
    fn a_resident_is_entered_changed_and_leaves_and_each_is_one_event(ward) {
        let [gui, _] = Community::two(&ward);
        let body = json!({"household": "3-2-501", "dwelling_area_m2": "89.35", "name": " 王小梅 ", "birth_date": "1984/7/19", "is_owner": true, "phone": "138 0013 8000", "email": "Mei@Example.org"});
        let entered = gui.ask(&ward, "POST", "residents").json(&body).send();
        assert_eq!((entered.status, entered.header("etag")), (201, Some("\"v1\"")), "{}", entered.text);
        let id = entered.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(entered.header("location"), Some(format!("/api/v1/residents/{id}").as_str()));
        let seen = gui.read(&ward, &id);
        assert_eq!((&seen["name"], &seen["birth_date"], &seen["phone"], &seen["email"]), (&json!("王小梅"), &json!("1984-07-19"), &json!("13800138000"), &json!("mei@example.org")));
        assert_eq!((&seen["household"]["code"], &seen["household"]["dwelling_area_m2"], &seen["entered_on"]), (&json!("3-2-501"), &json!("89.35"), &json!("2026-03-02")));

        let path = format!("residents/{id}");
        let change = |tag: &str, body: Value| gui.about(&ward, "PATCH", &path).header("if-match", tag).json(&body).send();
        assert_eq!(gui.about(&ward, "PATCH", &path).json(&json!({})).send().code(), "version_missing");
        assert_eq!(change("\"v9\"", json!({})).code(), "version_stale");
        assert_eq!(change("\"v1\"", json!({"name": "王小梅", "phone": "138-0013-8000"})).json()["version"], 1, "the same is no change");
        let changed = change("\"v1\"", json!({"household": "5-1-101", "phone": null, "is_owner": false}));
        assert_eq!((changed.status, &changed.json()["version"]), (200, &json!(2)), "{}", changed.text);
        let seen = gui.read(&ward, &id);
        assert_eq!((&seen["phone"], &seen["email"], &seen["household"]["code"]), (&json!(null), &json!("mei@example.org"), &json!("5-1-101")));

        let household = seen["household"]["id"].as_str().unwrap();
        let household = |body: Value| gui.about(&ward, "PATCH", &format!("households/{household}")).header("if-match", "*").json(&body).send();
        assert_eq!(household(json!({"code": "3-2-501"})).code(), "household_code_taken");
        assert_eq!(household(json!({"code": "5-1-102", "dwelling_area_m2": "66.6"})).json()["dwelling_area_m2"], "66.60");

        let depart = |body: Value| gui.about(&ward, "POST", &format!("{path}/departure")).header("if-match", "\"v2\"").json(&body).send();
        assert_eq!(depart(json!({"reason": "moved_away", "on": "2026-03-03"})).faults(), [("/on".to_owned(), "invalid".to_owned())]);
        let gone = depart(json!({"reason": "moved_away", "on": "2026-02-28"}));
        assert_eq!((gone.status, &gone.json()["state"]), (200, &json!("moved_away")), "{}", gone.text);
        assert_eq!(gui.read(&ward, &id)["left_on"], "2026-02-28");
        assert_eq!(change("\"v3\"", json!({"phone": "10086"})).code(), "resident_not_on_roll");
        assert!(gui.all(&ward).is_empty());
        let kinds = ["resident.entered", "resident.changed", "household.changed", "resident.departed"];
        assert_eq!(kinds.map(|kind| ward.events(kind).len()), [1; 4]);
        assert_eq!(ward.events("resident.changed")[0]["opened"]["content"], "{\"changed\":[\"household\",\"is_owner\",\"phone\"]}");
    }

    fn what_cannot_be_entered_is_refused_with_every_fault_and_no_value(ward) {
        let [gui, _] = Community::two(&ward);
        let enter = |body: Value| gui.ask(&ward, "POST", "residents").json(&body).send();
        let bad = enter(json!({"household": "=秘密", "dwelling_area_m2": "秘密", "name": "秘\u{200b}密", "birth_date": "秘密", "phone": "秘密", "email": "秘密"}));
        let places: Vec<String> = bad.faults().into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!((bad.status, places.as_slice()), (422, ["/household", "/dwelling_area_m2", "/name", "/birth_date", "/phone", "/email"].map(str::to_owned).as_slice()));
        assert!(!bad.text.contains("秘密"), "{}", bad.text);
        let good = json!({"household": "1", "dwelling_area_m2": "50", "name": "甲", "birth_date": "1990-01-01"});
        assert_eq!(enter(good.clone()).status, 201);
        assert_eq!(enter(good.clone()).code(), "resident_known");
        let with = |member: &str, value: Value| {
            let mut body = good.clone();
            body[member] = value;
            body
        };
        assert_eq!(enter(with("birth_date", json!("1990-01-02"))).status, 201, "another person of the same name");
        let mut other = with("name", json!("乙"));
        other["dwelling_area_m2"] = json!("51");
        assert_eq!(enter(other).code(), "dwelling_area_differs");
        assert_eq!(enter(with("birth_date", json!("2026-03-03"))).faults()[0].0, "/birth_date");
        assert_eq!(enter(with("id_number", json!("310101199001010000"))).faults(), [("/id_number".to_owned(), "unknown_member".to_owned())]);
        assert_eq!(gui.all(&ward).len(), 2);
    }

    /// To everybody else the roll is not there, or not theirs to do anything with.
    fn a_roll_is_its_registrars_alone(ward) {
        let [gui, huai] = Community::two(&ward);
        let id = gui.enter(&ward, "3-2-501", "王小梅", "1984-07-19");
        let household = gui.read(&ward, &id)["household"]["id"].as_str().unwrap().to_owned();
        let asks: Vec<Request> = vec![
            ("GET", format!("areas/{}/residents", gui.id), None),
            ("POST", format!("areas/{}/residents", gui.id), Some(("application/json", json!({"household": "9", "name": "乙", "birth_date": "1990-01-01"}).to_string()))),
            ("POST", format!("areas/{}/residents/import?dry_run=true", gui.id), Some(("text/csv", TABLE.to_owned()))),
            ("POST", format!("areas/{}/invitation-letters", gui.id), Some(("application/json", json!({"everyone": true}).to_string()))),
            ("GET", format!("residents/{id}"), None),
            ("PATCH", format!("residents/{id}"), Some(("application/json", json!({"name": "乙"}).to_string()))),
            ("POST", format!("residents/{id}/departure"), Some(("application/json", json!({"reason": "deceased"}).to_string()))),
            ("POST", format!("residents/{id}/erasure"), Some(("application/json", json!({"reason": "on_request"}).to_string()))),
            ("PATCH", format!("households/{household}"), Some(("application/json", json!({"code": "9"}).to_string()))),
        ];
        let send = |person: Option<&Person>, (method, path, body): &Request| -> Reply {
            let path = format!("/api/v1/{path}");
            let ask = match person {
                Some(person) => by(&ward, person, method, &path),
                None => ward.ask(method, &path),
            };
            let ask = ask.header("if-match", "*");
            match body {
                Some((kind, body)) => ask.body(kind, body.clone()).send(),
                None => ask.send(),
            }
        };
        let resident = person(&ward, Role::Resident, Some(&gui.id));
        let auditor = person(&ward, Role::Auditor, None);
        let admin = person(&ward, Role::Admin, None);
        for ask in &asks {
            assert_eq!(send(Some(&huai.registrar), ask).code(), "not_found", "{ask:?}");
            for (who, person) in [("resident", &resident), ("auditor", &auditor), ("admin", &admin)] {
                assert_eq!(send(Some(person), ask).code(), "forbidden", "{who} {ask:?}");
            }
            assert_eq!(send(None, ask).code(), "unauthenticated", "{ask:?}");
        }
        assert_eq!(gui.all(&ward).len(), 1);
        // A registrar of the street keeps the rolls of all its communities, and a street has none itself.
        let street = ward.get(&format!("/api/v1/areas/{}", gui.id)).json()["parent_id"].as_str().unwrap().to_owned();
        let above = person(&ward, Role::Registrar, Some(&street));
        assert_eq!(send(Some(&above), &asks[0]).status, 200);
        assert_eq!(by(&ward, &above, "GET", &format!("/api/v1/areas/{street}/residents")).send().status, 404);
    }

    fn pages_in_every_order_show_everybody_once_and_no_cursor_names_anybody(ward) {
        let [gui, huai] = Community::two(&ward);
        let mut table = String::from("household,name,birth_date\n");
        for n in 0..23 {
            table.push_str(&format!("{}-{},居民{},19{}-01-01\n", n % 4, n % 3, n % 5, 50 + n));
        }
        gui.imported(&ward, "mode=add", &table);
        huai.enter(&ward, "1", "别处的人", "1990-01-01");
        for sort in ["household", "-household", "name", "-name", "entered", "-entered"] {
            let mut seen = Vec::new();
            let mut path = format!("residents?sort={sort}&limit=4");
            loop {
                let reply = gui.ask(&ward, "GET", &path).send();
                assert_eq!((reply.status, reply.header("link")), (200, None), "{}", reply.text);
                let page = reply.json();
                seen.extend(page["items"].as_array().unwrap().clone());
                let Some(cursor) = page["next_cursor"].as_str() else { break };
                let mark = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).unwrap()).unwrap();
                assert!(!mark.contains("居民") && mark.contains("resident_"), "{mark}");
                path = format!("residents?sort={sort}&limit=4&cursor={cursor}");
            }
            let ids: BTreeSet<String> = texts(&seen, "/id").into_iter().collect();
            assert_eq!((seen.len(), ids.len()), (23, 23), "{sort}");
            let key = match sort.trim_start_matches('-') {
                "household" => "/household/code",
                "name" => "/name",
                _ => "/id",
            };
            let mut keys = texts(&seen, key);
            if sort.starts_with('-') {
                keys.reverse();
            }
            assert!(keys.is_sorted(), "{sort}: {keys:?}");
        }
        let found = |query: &str| {
            let reply = gui.ask(&ward, "GET", &format!("residents?{query}")).send();
            assert_eq!(reply.status, 200, "{}", reply.text);
            reply.json()["items"].as_array().unwrap().len()
        };
        let encoded: String = form_urlencoded::byte_serialize("居民3".as_bytes()).collect();
        assert_eq!((found(&format!("q={encoded}")), found("q=2-1"), found("q=%25"), found("state=erased")), (4, 2, 0, 0));
        let household = gui.all(&ward)[0]["household"]["id"].as_str().unwrap().to_owned();
        assert_eq!(found(&format!("household_id={household}")), 2);
        let first = gui.ask(&ward, "GET", "residents?limit=4").send().json();
        let cursor = first["next_cursor"].as_str().unwrap();
        assert_eq!(gui.ask(&ward, "GET", &format!("residents?sort=name&cursor={cursor}")).send().faults()[0].0, "?cursor");
        assert_eq!(huai.ask(&ward, "GET", &format!("residents?cursor={cursor}")).send().status, 400, "another roll's cursor");
    }

    fn an_import_does_exactly_what_its_preview_said_or_nothing(ward) {
        let [gui, _] = Community::two(&ward);
        let trial = gui.import(&ward, "dry_run=true", TABLE).json();
        assert_eq!(
            [&trial["rows"], &trial["households_added"], &trial["entered"], &trial["changed"], &trial["unchanged"], &trial["departed"], &trial["absent"]],
            [&json!(3), &json!(2), &json!(3), &json!(0), &json!(0), &json!(0), &json!(0)]
        );
        assert!(gui.all(&ward).is_empty() && ward.events("roll.imported").is_empty());
        let preview = trial["preview"].as_str().unwrap();
        assert_eq!(gui.import(&ward, "", TABLE).code(), "preview_missing");
        assert_eq!(gui.import(&ward, &format!("preview={preview}&mode=replace"), TABLE).code(), "preview_stale");
        assert_eq!(gui.import(&ward, &format!("preview={preview}"), &TABLE.replace("王大山", "王大川")).code(), "preview_stale");
        // Somebody was entered since: what was previewed is not what would be done.
        let late = gui.enter(&ward, "3-2-502", "后来的", "1990-01-01");
        assert_eq!(gui.import(&ward, &format!("preview={preview}"), TABLE).code(), "preview_stale");

        let done = gui.imported(&ward, "mode=replace", TABLE);
        assert_eq!((&done["entered"], &done["departed"], &done["households_added"], &done["households_changed"]), (&json!(3), &json!(1), &json!(1), &json!(1)));
        assert_eq!(texts(&gui.all(&ward), "/name"), ["王小梅", "王大山", "阿卜杜拉·买买提"]);
        assert_eq!(gui.read(&ward, &late)["state"], "moved_away");
        let events = ward.events("roll.imported");
        assert_eq!((events.len(), &events[0]["entry"]["data"]["entered"], &events[0]["entry"]["subject"]), (1, &json!(3), &json!(gui.id)));
        // The same again changes nothing and leaves no event.
        let again = gui.imported(&ward, "mode=replace", TABLE);
        assert_eq!((&again["unchanged"], &again["entered"]), (&json!(3), &json!(0)));
        assert_eq!(ward.events("roll.imported").len(), 1);
    }

    fn a_table_in_gb18030_is_the_same_table(ward) {
        let [gui, huai] = Community::two(&ward);
        let (bytes, _, lost) = encoding_rs::GB18030.encode(TABLE);
        assert!(!lost && std::str::from_utf8(&bytes).is_err());
        let send = |query: &str, kind: &str| huai.ask(&ward, "POST", &format!("residents/import?{query}")).body(kind, bytes.to_vec()).send();
        assert_eq!(send("dry_run=true", "text/csv; charset=utf-8").code(), "malformed");
        assert_eq!(send("dry_run=true", "text/csv; charset=big5").code(), "unsupported_content");
        let trial = send("dry_run=true", "text/csv; charset=\"GB18030\"");
        assert_eq!(trial.status, 200, "{}", trial.text);
        let preview = trial.json()["preview"].as_str().unwrap().to_owned();
        assert_eq!(send(&format!("preview={preview}"), "text/csv").json()["entered"], 3);
        gui.imported(&ward, "", TABLE);
        for pointer in ["/name", "/birth_date", "/household/code", "/household/dwelling_area_m2", "/phone", "/email"] {
            assert_eq!(texts(&gui.all(&ward), pointer), texts(&huai.all(&ward), pointer));
        }
    }

    fn a_table_with_faults_is_reported_whole_and_nothing_is_half_done(ward) {
        let [gui, _] = Community::two(&ward);
        gui.enter(&ward, "3-2-501", "王小梅", "1984-07-19");
        let bad = TABLE.replace("2012/5/1", "五月").replace("72.10", "七十二");
        for query in ["dry_run=true", "preview=00", "mode=replace&dry_run=true"] {
            let reply = gui.import(&ward, query, &bad);
            let faults = [("/1/birth_date", "invalid"), ("/2/dwelling_area", "invalid")].map(|(at, code)| (at.to_owned(), code.to_owned()));
            assert_eq!((reply.status, reply.faults().as_slice()), (422, faults.as_slice()), "{}", reply.text);
            for value in ["五月", "七十二", "王", "买买提", "138"] {
                assert!(!reply.text.contains(value), "{}", reply.text);
            }
            assert!(reply.text.contains("第 3 行 出生日期"), "{}", reply.text);
        }
        assert_eq!((gui.all(&ward).len(), ward.events("roll.imported").len()), (1, 0));
    }

    fn a_large_roll_is_imported_in_one_piece(ward) {
        let [gui, _] = Community::two(&ward);
        let mut table = String::from("household,name,birth_date,dwelling_area,owner\n");
        for n in 0..3_000 {
            table.push_str(&format!("{}-{}-{},居民{n},19{}-03-0{},88.80,{}\n", n % 9, n % 2, n / 2, 30 + n % 70, 1 + n % 9, n % 2));
        }
        assert_eq!(gui.imported(&ward, "", &table)["entered"], 3_000);
        let shorter: String = table.lines().take(2_001).map(|line| format!("{line}\n")).collect();
        let replaced = gui.imported(&ward, "mode=replace", &shorter);
        assert_eq!((&replaced["unchanged"], &replaced["departed"]), (&json!(2_000), &json!(1_000)));
        let auditor = person(&ward, Role::Auditor, None);
        let numbers = by(&ward, &auditor, "GET", &format!("/api/v1/areas/{}/roll/statistics", gui.id)).send().json();
        assert_eq!((&numbers["numbers"]["residents"], &numbers["numbers"]["moved_away"]), (&json!(2_000), &json!(1_000)));
    }

    fn numbers_are_whole_for_those_who_keep_and_check_and_few_are_hidden_from_others(ward) {
        let [gui, huai] = Community::two(&ward);
        let mut table = String::from("household,name,birth_date,dwelling_area,owner\n");
        for n in 0..12 {
            // Who turns eighteen on this very day is an adult; the others of the twelve are one day short of it.
            table.push_str(&format!("{n},大人{n},2008-03-02,50.25,1\n{n},孩子{n},2008-03-03,50.25,\n{n},老人{n},1940-01-01,,\n"));
        }
        gui.imported(&ward, "", &table);
        huai.enter(&ward, "1", "独居者", "1950-01-01");
        let numbers = |area: &str, person: Option<&Person>| {
            let path = format!("/api/v1/areas/{area}/roll/statistics");
            let reply = match person {
                Some(person) => by(&ward, person, "GET", &path).send(),
                None => ward.get(&path),
            };
            assert_eq!(reply.status, 200, "{}", reply.text);
            reply.json()["numbers"].clone()
        };
        let auditor = person(&ward, Role::Auditor, None);
        let whole = numbers(&gui.id, Some(&gui.registrar));
        assert_eq!(whole, numbers(&gui.id, Some(&auditor)));
        assert_eq!(
            [&whole["complete"], &whole["residents"], &whole["adults"], &whole["owners"], &whole["households"], &whole["dwelling_area_m2"]],
            [&json!(true), &json!(36), &json!(24), &json!(12), &json!(12), &json!("603.00")]
        );
        let all: i64 = whole["age_bands"].as_array().unwrap().iter().map(|band| band["residents"].as_i64().unwrap()).sum();
        assert_eq!((all, whole["age_bands"].as_array().unwrap().len()), (36, 7));
        let told = numbers(&gui.id, None);
        assert_eq!(told, numbers(&gui.id, Some(&huai.registrar)));
        assert_eq!((&told["complete"], &told["residents"], &told["adults"], &told["with_account"]), (&json!(false), &json!(36), &json!(24), &json!(null)));
        let bands: Vec<(i64, i64)> = told["age_bands"].as_array().unwrap().iter().map(|band| (band["from"].as_i64().unwrap(), band["residents"].as_i64().unwrap())).collect();
        assert_eq!(bands, [(0, 12), (18, 12), (30, 12)]);
        let lonely = numbers(&huai.id, None);
        assert!(["residents", "adults", "owners", "households", "dwelling_area_m2"].iter().all(|name| lonely[name].is_null()), "{lonely}");
        assert_eq!(lonely["age_bands"], json!([]));
        // Tomorrow the twelve are adults too.
        ward.context().clock.advance(ward.context().clock.now() + Duration::days(1));
        assert_eq!(numbers(&gui.id, Some(&gui.registrar))["adults"], 36);
        let city = ward.get("/api/v1/areas?level=city").json()["items"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(ward.get(&format!("/api/v1/areas/{city}/roll/statistics")).status, 404);
    }

    fn the_same_entry_sent_again_is_done_once_and_its_remembered_answer_names_nobody(ward) {
        let [gui, _] = Community::two(&ward);
        let body = json!({"household": "1", "name": "龘靐", "birth_date": "1990-01-01"});
        let send = || gui.ask(&ward, "POST", "residents").header("idempotency-key", "one").json(&body).send();
        let (first, second) = (send(), send());
        assert_eq!((first.status, first.text.as_str(), second.header("idempotent-replayed")), (201, second.text.as_str(), Some("true")));
        assert!(!first.text.contains("龘靐"));
        assert_eq!((gui.all(&ward).len(), ward.events("resident.entered").len()), (1, 1));
    }
}

/// Two registrars, or one with two windows: the same person is entered once.
#[test]
fn the_same_person_entered_at_once_is_on_the_roll_once() {
    for ward in [Some(Ward::sqlite()), Ward::postgres()].into_iter().flatten() {
        let [gui, _] = Community::two(&ward);
        let body = json!({"household": "1", "name": "甲", "birth_date": "1990-01-01"});
        let mut statuses: Vec<u16> = std::thread::scope(|scope| {
            let send = || gui.ask(&ward, "POST", "residents").json(&body).send().status;
            let threads: Vec<_> = (0..6).map(|_| scope.spawn(send)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
        assert_eq!(gui.all(&ward).len(), 1);
    }
}

/// Whoever writes past the rules is stopped by the tables.
#[test]
fn the_tables_refuse_what_a_roll_must_not_hold() {
    use diesel::prelude::*;
    use wardbook::both;
    use wardbook::kernel::refusal::Stop;
    for ward in [Some(Ward::sqlite()), Ward::postgres()].into_iter().flatten() {
        let [gui, _] = Community::two(&ward);
        let one = gui.enter(&ward, "1", "甲", "1990-01-01");
        gui.enter(&ward, "1", "乙", "1990-01-01");
        crate::roll_letters::letter(&ward, &gui, &one);
        for refused in [
            "UPDATE households SET code = ''",
            "UPDATE households SET dwelling_area_dm2 = 0",
            "UPDATE households SET dwelling_area_dm2 = 10000001",
            "UPDATE households SET version = 0",
            "UPDATE households SET area_id = 'area_9'",
            "INSERT INTO households SELECT 'household_9', area_id, code, dwelling_area_dm2, version, created_at, updated_at FROM households",
            "DELETE FROM households",
            "UPDATE residents SET name = '甲'",
            "UPDATE residents SET name = ''",
            "UPDATE residents SET name = NULL",
            "UPDATE residents SET birth_date = NULL",
            "UPDATE residents SET household_id = NULL",
            "UPDATE residents SET phone = '1'",
            "UPDATE residents SET email = 'a'",
            "UPDATE residents SET state = 'lost'",
            "UPDATE residents SET state = 'moved_away'",
            "UPDATE residents SET left_on = '2026-03-02'",
            "UPDATE residents SET state = 'erased', left_on = '2026-03-02'",
            "UPDATE residents SET account_id = 'user_9'",
            "UPDATE invitation_letters SET resident_id = 'resident_9'",
            "DELETE FROM residents",
        ] {
            let done: Result<(), Stop> = ward.context().db.write_and_wait(move |tx| {
                both!(tx.conn(), c => diesel::sql_query(refused).execute(c))?;
                tx.nothing_to_change();
                Ok(())
            });
            assert!(
                matches!(done, Err(Stop::Fault(_)) | Err(Stop::Refused(_))),
                "{refused}"
            );
        }
        assert_eq!(gui.all(&ward).len(), 2);
    }
}
