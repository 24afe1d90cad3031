//! The area tree, as its users meet it.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::Duration;
use serde_json::{Value, json};
use wardbook::web::policy::Role;

use crate::harness::{Reply, Ward};
use crate::on_both;

on_both! {
    fn an_area_is_added_read_renamed_and_moved_and_each_leaves_one_event(ward) {
        let city = ward.area(None, "凤城市");
        let (here, there) = (ward.area(Some(&city), "凤鸣区"), ward.area(Some(&city), "青溪区"));
        let body = json!({"parent_id": here, "name_zh": "梧桐街道", "name_en": "Wutong", "code": "990101001"});
        let created = ward.post("/api/v1/areas", &body);
        assert_eq!(created.status, 201, "{}", created.text);
        let street = created.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(created.header("location"), Some(format!("/api/v1/areas/{street}").as_str()));
        assert_eq!(created.header("etag"), Some("\"v1\""));
        assert_eq!(created.json()["level"], "street");

        let path = format!("/api/v1/areas/{street}");
        let read = ward.get(&path);
        assert_eq!(read.json(), created.json());
        let again = ward.ask("GET", &path).header("if-none-match", read.header("etag").unwrap()).send();
        assert_eq!((again.status, again.text.as_str()), (304, ""));

        let names = json!({"name_zh": "梧桐里街道", "code": null});
        let rename = || ward.ask("PATCH", &path).by(Role::Admin).json(&names);
        assert_eq!(rename().send().code(), "version_missing");
        assert_eq!(rename().header("if-match", "\"v7\"").send().status, 412);
        let renamed = rename().header("if-match", "\"v1\"").send();
        assert_eq!(renamed.status, 200, "{}", renamed.text);
        assert_eq!(renamed.json()["name_zh"], "梧桐里街道");
        assert_eq!(renamed.json()["name_en"], "Wutong");
        assert_eq!(renamed.json()["code"], json!(null));
        assert_eq!(rename().header("if-match", "\"v1\"").send().code(), "version_stale");

        let community = ward.area(Some(&street), "桂园社区");
        let body = json!({"parent_id": there});
        let moved = ward.ask("POST", &format!("{path}/move")).by(Role::Admin).header("if-match", "\"v2\"").json(&body).send();
        assert_eq!(moved.status, 200, "{}", moved.text);
        assert_eq!(moved.json()["parent_id"], json!(there));
        let below = ward.get(&format!("/api/v1/areas?within={there}")).json();
        let ids: Vec<_> = below["items"].as_array().unwrap().iter().map(|area| area["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 2);
        assert!(ids.contains(&street.as_str()) && ids.contains(&community.as_str()));
        assert_eq!(ward.get(&format!("/api/v1/areas?within={here}")).json()["items"], json!([]));

        assert_eq!(ward.events("area.created").len(), 5);
        assert_eq!(ward.events("area.renamed").len(), 1);
        let moves = ward.events("area.moved");
        assert_eq!(moves.len(), 1);
        assert_eq!(moves[0]["entry"]["data"]["areas_below"], 1);
        assert_eq!(moves[0]["opened"]["actor"], "user_admin");
        assert_eq!(moves[0]["opened"]["matches"], true);
    }
}

on_both! {
    fn writes_go_on_when_the_log_grows_beyond_its_first_tile(ward) {
        let city = ward.area(None, "凤城市");
        for n in 0..300 {
            ward.area(Some(&city), &format!("区{n}"));
        }
        ward.settle();
        let size = ward.ask("GET", "/audit/checkpoint").by(Role::Public).send().text.lines().nth(1).unwrap().to_owned();
        assert_eq!(size, "302");
    }
}

/// The names on every page of a listing, one `limit`ed page after the other, with `between` run before each next page.
fn pages(ward: &Ward, query: &str, limit: usize, mut between: impl FnMut(usize)) -> Vec<Value> {
    let mut items = Vec::new();
    let mut path = format!("/api/v1/areas?{query}&limit={limit}");
    for page in 0.. {
        let reply = ward.get(&path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        let json = reply.json();
        let found = json["items"].as_array().unwrap();
        assert!(found.len() <= limit);
        items.extend(found.iter().cloned());
        let link = reply.header("link").map(str::to_owned);
        match json["next_cursor"].as_str() {
            None => {
                assert_eq!(link, None);
                return items;
            }
            Some(cursor) => {
                assert_eq!(found.len(), limit, "only a full page has a next one");
                let next = link.expect("a page that is not the last has a Link");
                let target = next
                    .strip_prefix('<')
                    .and_then(|rest| rest.strip_suffix(">; rel=\"next\""))
                    .unwrap();
                assert!(target.contains(&format!("cursor={cursor}")), "{next}");
                path = target.to_owned();
            }
        }
        between(page);
    }
    unreachable!()
}

fn texts(items: &[Value], member: &str) -> Vec<String> {
    items
        .iter()
        .map(|item| item[member].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Imports a table as the administrator.
fn import(ward: &Ward, query: &str, table: &str) -> Reply {
    let path = format!("/api/v1/areas/import{query}");
    ward.ask("POST", &path)
        .by(Role::Admin)
        .body("text/csv", table)
        .send()
}

/// Thirty cities with two districts each, whose names are the same in every city.
fn many_alike(ward: &Ward) {
    let mut table = String::from("code,parent_code,name_zh,name_en\n");
    for city in 1001..1031 {
        table.push_str(&format!(
            "{city},,市{city},City {city}\n{city}01,{city},东区,East\n{city}02,{city},西区,West\n"
        ));
    }
    let reply = import(ward, "", &table);
    assert_eq!(reply.status, 200, "{}", reply.text);
}

on_both! {
    fn pages_of_equal_keys_skip_and_repeat_nothing_in_any_order(ward) {
        many_alike(&ward);
        let all: BTreeSet<String> = texts(&ward.get("/api/v1/areas?limit=200").json()["items"].as_array().unwrap().clone(), "id").into_iter().collect();
        assert_eq!(all.len(), 90);
        for (up, down) in [("sort=name", "sort=-name"), ("sort=created_at", "sort=-created_at")] {
            let mut rising = pages(&ward, up, 7, |_| {});
            let once: BTreeSet<String> = texts(&rising, "id").into_iter().collect();
            assert_eq!((rising.len(), &once), (90, &all), "{up}");
            let key = up.trim_start_matches("sort=").replace("name", "name_zh");
            let keys = texts(&rising, &key).into_iter().zip(texts(&rising, "id"));
            assert!(keys.collect::<Vec<_>>().is_sorted(), "{up}");
            rising.reverse();
            assert_eq!(rising, pages(&ward, down, 11, |_| {}), "{down}");
        }
        // The filters hold on every page.
        assert_eq!(pages(&ward, "level=district&q=%E4%B8%9C", 4, |_| {}).len(), 30);
    }

    fn whoever_pages_while_others_add_areas_sees_all_that_were_there(ward) {
        many_alike(&ward);
        let there: BTreeSet<String> = texts(&pages(&ward, "", 200, |_| {}), "id").into_iter().collect();
        for sort in ["name", "-name", "created_at", "-created_at"] {
            let clock = ward.context().clock.clone();
            let seen = texts(&pages(&ward, &format!("sort={sort}"), 10, |page| {
                // Names before, between and after all others, under a clock that moves on.
                clock.advance(clock.now() + Duration::minutes(1));
                for name in ["A", "东区", "龘"] {
                    ward.area(None, &format!("{name} {sort} {page}"));
                }
            }), "id");
            let once: BTreeSet<String> = seen.iter().cloned().collect();
            assert_eq!(once.len(), seen.len(), "{sort} repeats an area");
            assert!(there.is_subset(&once), "{sort} skips an area");
        }
    }

    fn a_cursor_that_cannot_be_followed_is_refused(ward) {
        many_alike(&ward);
        let first = ward.get("/api/v1/areas?level=city&limit=5").json();
        let cursor = first["next_cursor"].as_str().unwrap();
        assert_eq!(ward.get(&format!("/api/v1/areas?level=city&limit=9&cursor={cursor}")).status, 200, "another limit is the same question");
        let mark: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(cursor).unwrap()).unwrap();
        let forged = |after: Value| BASE64_URL_SAFE_NO_PAD.encode(json!({"of": mark["of"], "after": after}).to_string());
        let by_age = ward.get("/api/v1/areas?sort=created_at&limit=5").json();
        let by_age: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(by_age["next_cursor"].as_str().unwrap()).unwrap()).unwrap();
        let no_time = BASE64_URL_SAFE_NO_PAD.encode(json!({"of": by_age["of"], "after": ["soon", "area_1"]}).to_string());
        let far = BASE64_URL_SAFE_NO_PAD.encode(json!({"of": by_age["of"], "after": [i64::MAX.to_string(), "area_1"]}).to_string());
        let refused = [
            format!("cursor={cursor}"),
            format!("level=district&cursor={cursor}"),
            format!("level=city&sort=-name&cursor={cursor}"),
            format!("level=city&q=a&cursor={cursor}"),
            format!("level=city&cursor={cursor}x"),
            format!("level=city&cursor={}", &cursor[1..]),
            "level=city&cursor=%00".to_owned(),
            "level=city&cursor=e30".to_owned(),
            format!("level=city&cursor={}", forged(json!(["\0", "area_1"]))),
            format!("level=city&cursor={}", forged(json!(["a", "\0"]))),
            format!("level=city&cursor={}", forged(json!(["a"]))),
            format!("level=city&cursor={}", forged(json!(["a", "b", "c"]))),
            format!("level=city&cursor={}", forged(json!([1, 2]))),
            format!("sort=created_at&cursor={no_time}"),
            format!("sort=created_at&cursor={far}"),
        ];
        for query in refused {
            let reply = ward.get(&format!("/api/v1/areas?{query}"));
            assert_eq!((reply.status, reply.code().as_str()), (400, "malformed"), "{query}: {}", reply.text);
            assert_eq!(reply.faults()[0].0, "?cursor", "{query}");
        }
        // One that could have been given leads somewhere, even if nothing is there.
        assert_eq!(ward.get(&format!("/api/v1/areas?level=city&cursor={}", forged(json!(["龘", "area_z"])))).json()["items"], json!([]));
    }

    fn filters_add_up_and_unknown_ones_are_faults(ward) {
        many_alike(&ward);
        let city = ward.get("/api/v1/areas?q=1007").json()["items"][0]["id"].as_str().unwrap().to_owned();
        let named = |query: &str| texts(ward.get(&format!("/api/v1/areas?{query}")).json()["items"].as_array().unwrap(), "name_zh");
        assert_eq!(named(&format!("parent_id={city}")), ["东区", "西区"]);
        assert_eq!(named(&format!("within={city}&q=west")), ["西区"]);
        assert_eq!(named(&format!("within={city}&level=city")), [""; 0]);
        assert_eq!(named(&format!("parent_id={city}&level=district&sort=-name&limit=1")), ["西区"]);
        let nobody = "area_01jd3n8f5teqkrzvq1c0m6h2ax";
        assert_eq!(named(&format!("parent_id={nobody}")), [""; 0]);
        assert_eq!(named(&format!("within={nobody}")), [""; 0]);
        assert_eq!(named("q=&level=&limit=2&sort=&cursor=").len(), 2, "an empty parameter is one that was not given");
        let reply = ward.get("/api/v1/areas?parent_id=x&within=event_01jd3n8f5teqkrzvq1c0m6h2ax&level=village&sort=size&limit=201&colour=red&q=a&q=b&parentid=y");
        assert_eq!((reply.status, reply.code().as_str()), (400, "malformed"));
        let mut faults = reply.faults();
        faults.sort();
        let expected = [
            ("?colour", "unknown_parameter"), ("?level", "not_one_of"), ("?limit", "out_of_range"), ("?parent_id", "not_valid"),
            ("?parentid", "unknown_parameter"), ("?q", "repeated"), ("?sort", "not_one_of"), ("?within", "not_valid"),
        ];
        assert_eq!(faults, expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
        for limit in ["0", "201", "-1", "5.5", "99999", "ten", "%00"] {
            assert_eq!(ward.get(&format!("/api/v1/areas?limit={limit}")).status, 400, "{limit}");
        }
    }

    fn a_search_text_means_itself_and_latin_letters_match_in_either_case(ward) {
        for (zh, en) in [
            ("百分之百%", "100% Street"), ("下划_线", "under_score"), ("反斜\\杠", "back\\slash"), ("Ünlü街", "Ünlü"), ("梧桐街道", "Wutong Street"),
            ("引'号", "quo'te \"x\""),
        ] {
            let reply = ward.post("/api/v1/areas", &json!({"name_zh": zh, "name_en": en}));
            assert_eq!(reply.status, 201, "{}", reply.text);
        }
        let found = |q: &str| {
            let q: String = form_urlencoded::byte_serialize(q.as_bytes()).collect();
            texts(ward.get(&format!("/api/v1/areas?q={q}")).json()["items"].as_array().unwrap(), "name_en")
        };
        assert_eq!(found("%"), ["100% Street"]);
        assert_eq!(found("0%"), ["100% Street"]);
        assert_eq!(found("1%S"), [""; 0]);
        assert_eq!(found("_"), ["under_score"]);
        assert_eq!(found("r_s"), ["under_score"]);
        assert_eq!(found("rXs"), [""; 0]);
        assert_eq!(found("\\"), ["back\\slash"]);
        assert_eq!(found("\\_"), [""; 0]);
        assert_eq!(found("'"), ["quo'te \"x\""]);
        assert_eq!(found("' OR 1=1 --"), [""; 0]);
        assert_eq!(found("STREET"), ["Wutong Street", "100% Street"]);
        assert_eq!(found("wUtOnG s"), ["Wutong Street"]);
        // Letters beyond Latin A to Z match as they are written, on both databases alike.
        assert_eq!(found("Ünl"), ["Ünlü"]);
        assert_eq!(found("ünl"), [""; 0]);
        assert_eq!(found("桐"), ["Wutong Street"]);
        assert_eq!(ward.get("/api/v1/areas?q=a%00b").status, 400);
        assert_eq!(ward.get("/api/v1/areas?q=%ff").status, 400);
        assert_eq!(ward.get(&format!("/api/v1/areas?q={}", "x".repeat(2_001))).status, 400);
        assert_eq!(ward.get(&format!("/api/v1/areas?q={}", "%E6%A1%90".repeat(2_000))).status, 200);
    }

    fn names_are_sorted_by_unicode_on_both_databases(ward) {
        let names = ["0", "Z", "a", "É", "é", "中", "丙", "a b", "a-b", "ａ", "😀", "_", "~"];
        for name in names {
            ward.area(None, name);
        }
        let mut expected = names.map(str::to_owned);
        expected.sort();
        assert_eq!(texts(&pages(&ward, "", 2, |_| {}), "name_zh"), expected);
        expected.reverse();
        assert_eq!(texts(&pages(&ward, "sort=-name", 3, |_| {}), "name_zh"), expected);
    }

    fn a_page_is_a_table_for_whoever_asks_for_one(ward) {
        let reply = import(&ward, "", "code,name_zh,name_en\n1001,\"甲,乙\",\"the \"\"first\"\"\"\n1002,丙,Third\n");
        assert_eq!(reply.status, 200, "{}", reply.text);
        let table = ward.ask("GET", "/api/v1/areas?limit=1").header("accept", "text/csv").send();
        assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8"));
        assert_eq!(table.header("content-disposition"), Some("attachment; filename=\"areas.csv\""));
        let json = ward.get("/api/v1/areas?limit=1").json();
        assert_eq!(table.text, format!("id,parent_id,level,code,name_zh,name_en\r\n{},,city,1002,丙,Third\r\n", json["items"][0]["id"].as_str().unwrap()));
        let link = table.header("link").unwrap();
        let next = link.split(['<', '>']).nth(1).unwrap();
        let rest = ward.ask("GET", next).header("accept", "text/csv").send();
        assert!(rest.text.ends_with(",,city,1001,\"甲,乙\",\"the \"\"first\"\"\"\r\n"), "{}", rest.text);
        assert_eq!(rest.header("link"), None);
        for (accept, kind) in [
            ("*/*", "application/json"), ("text/*;q=0.3, application/*;q=0.2", "text/csv; charset=utf-8"),
            ("application/json;q=0, */*", "text/csv; charset=utf-8"), ("text/html, application/json", "application/json"), ("", "application/json"),
        ] {
            let reply = ward.ask("GET", "/api/v1/areas").header("accept", accept).send();
            assert_eq!((reply.status, reply.header("content-type")), (200, Some(kind)), "{accept}");
        }
        let reply = ward.ask("GET", "/api/v1/areas").header("accept", "image/png").send();
        assert_eq!((reply.status, reply.code().as_str()), (406, "not_acceptable"));
    }

    fn names_and_codes_are_taken_once_and_levels_follow_from_the_tree(ward) {
        let city = ward.area(None, "凤城市");
        let district = ward.area(Some(&city), "凤鸣区");
        let street = ward.area(Some(&district), "梧桐街道");
        let community = ward.area(Some(&street), "桂园社区");
        let add = |body: Value| ward.post("/api/v1/areas", &body);
        let refused = |reply: Reply, status: u16, code: &str| assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", reply.text);
        refused(add(json!({"name_zh": "凤城市", "name_en": "X"})), 409, "area_name_taken");
        refused(add(json!({"name_zh": " 凤城市 ", "name_en": "X"})), 409, "area_name_taken");
        refused(add(json!({"name_zh": "\u{3000}凤城市", "name_en": "X"})), 409, "area_name_taken");
        assert_eq!(add(json!({"parent_id": district, "name_zh": "凤城市", "name_en": "X"})).status, 201, "under another parent the name is free");
        refused(add(json!({"parent_id": community, "name_zh": "楼", "name_en": "X"})), 409, "area_wrong_level");
        let unknown = add(json!({"parent_id": "area_01jd3n8f5teqkrzvq1c0m6h2ax", "name_zh": "楼", "name_en": "X"}));
        assert_eq!(unknown.faults(), [("/parent_id".to_owned(), "area_parent_unknown".to_owned())]);
        refused(unknown, 409, "area_parent_unknown");
        assert_eq!(add(json!({"name_zh": "青城市", "name_en": "X", "code": "9902"})).status, 201);
        refused(add(json!({"name_zh": "白城市", "name_en": "X", "code": "9902"})), 409, "area_code_taken");
        refused(add(json!({"name_zh": "凤城市", "name_en": "X", "code": "9902"})), 409, "area_name_taken");
        // Codes have the length of their level, whatever the schema of all levels lets through.
        let long = add(json!({"name_zh": "白城市", "name_en": "X", "code": "990201"}));
        assert_eq!(long.faults(), [("/code".to_owned(), "invalid".to_owned())]);
        for name in ["", "  ", "=1+1", "+1", "-1", "@x", "a\u{0}b", "a\tb", "a\u{200b}b", &"字".repeat(101)] {
            refused(add(json!({"name_zh": name, "name_en": "X"})), 422, "invalid");
            refused(add(json!({"name_zh": "白城市", "name_en": name})), 422, "invalid");
        }
        assert_eq!(add(json!({"name_zh": "字".repeat(100), "name_en": "x".repeat(100)})).status, 201);

        let change = |id: &str, body: Value| ward.ask("PATCH", &format!("/api/v1/areas/{id}")).by(Role::Admin).header("if-match", "*").json(&body).send();
        let sibling = ward.area(Some(&street), "槐荫社区");
        refused(change(&sibling, json!({"name_zh": "桂园社区"})), 409, "area_name_taken");
        let hang = |id: &str, parent: &str| ward.ask("POST", &format!("/api/v1/areas/{id}/move")).by(Role::Admin).header("if-match", "*").json(&json!({"parent_id": parent})).send();
        refused(hang(&street, &city), 409, "area_wrong_level");
        refused(hang(&district, &district), 409, "area_wrong_level");
        refused(hang(&city, &district), 409, "area_wrong_level");
        let other = ward.area(Some(&district), "榆荫街道");
        ward.area(Some(&other), "桂园社区");
        refused(hang(&community, &other), 409, "area_name_taken");
        refused(hang("area_01jd3n8f5teqkrzvq1c0m6h2ax", &other), 404, "not_found");
        refused(hang("sideways", &other), 404, "not_found");
        assert_eq!(ward.events("area.moved").len(), 0);
    }

    fn of_many_who_add_the_same_name_at_once_one_succeeds(ward) {
        let body = json!({"name_zh": "凤城市", "name_en": "Fengcheng", "code": "9901"});
        let replies: Vec<Reply> = std::thread::scope(|scope| {
            let asked: Vec<_> = (0..16).map(|_| scope.spawn(|| ward.post("/api/v1/areas", &body))).collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let added = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!(added, 1);
        for reply in replies.iter().filter(|reply| reply.status != 201) {
            assert_eq!((reply.status, reply.code().as_str()), (409, "area_name_taken"), "{}", reply.text);
        }
        assert_eq!(ward.events("area.created").len(), 1);
    }

    fn naming_an_area_as_it_is_named_changes_nothing(ward) {
        let created = ward.post("/api/v1/areas", &json!({"name_zh": "凤城市", "name_en": "Fengcheng", "code": "9901"})).json();
        let path = format!("/api/v1/areas/{}", created["id"].as_str().unwrap());
        ward.context().clock.advance(ward.context().clock.now() + Duration::days(1));
        for body in [json!({}), json!({"name_zh": "凤城市"}), json!({"name_zh": " 凤城市 ", "name_en": "Fengcheng", "code": "9901"})] {
            let reply = ward.ask("PATCH", &path).by(Role::Admin).header("if-match", "\"v1\"").json(&body).send();
            assert_eq!((reply.status, reply.header("etag")), (200, Some("\"v1\"")), "{}", reply.text);
            assert_eq!(reply.json(), created);
        }
        let district = ward.area(created["id"].as_str(), "凤鸣区");
        let moved = ward.ask("POST", &format!("/api/v1/areas/{district}/move")).by(Role::Admin).header("if-match", "\"v1\"").json(&json!({"parent_id": created["id"]})).send();
        assert_eq!((moved.status, moved.header("etag")), (200, Some("\"v1\"")), "{}", moved.text);
        assert_eq!((ward.events("area.renamed").len(), ward.events("area.moved").len()), (0, 0));
        // And what is no version, or one of the future, is refused even so.
        for stale in ["\"v2\"", "\"v01\"", "v1", "W/\"v1\""] {
            let reply = ward.ask("PATCH", &path).by(Role::Admin).header("if-match", stale).json(&json!({})).send();
            assert_eq!((reply.status, reply.code().as_str()), (412, "version_stale"), "{stale}");
        }
    }

    fn a_table_is_imported_whole_in_whatever_order_its_rows_are(ward) {
        let there = ward.post("/api/v1/areas", &json!({"name_zh": "凤城市", "name_en": "Fengcheng", "code": "9901"})).json();
        let table = "\u{feff}name_zh,code,parent_code,name_en\r\n桂园社区,990101001001,990101001,\r\n梧桐街道,990101001,990101,Wutong\r\n凤鸣区,990101,9901,Fengming\r\n青城市,9902,,Qingcheng\r\n";
        let events = ward.events("area.*").len();
        let tried = import(&ward, "?dry_run=true", table).json();
        assert_eq!((tried["dry_run"].clone(), tried["rows"].clone()), (json!(true), json!(4)));
        assert_eq!(ward.get("/api/v1/areas").json()["items"].as_array().unwrap().len(), 1, "a trial adds nothing");
        assert_eq!(ward.events("area.*").len(), events);

        let reply = import(&ward, "", table);
        assert_eq!(reply.status, 200, "{}", reply.text);
        let added = reply.json()["areas"].as_array().unwrap().clone();
        assert_eq!(texts(&added, "name_zh"), texts(tried["areas"].as_array().unwrap(), "name_zh"));
        assert_eq!(texts(&added, "level"), ["city", "district", "street", "community"]);
        assert_eq!(added[1]["parent_id"], there["id"]);
        assert_eq!(added[3]["name_en"], "桂园社区");
        assert_eq!(ward.events("area.created").len(), 5);
        for area in &added {
            assert_eq!(&ward.get(&format!("/api/v1/areas/{}", area["id"].as_str().unwrap())).json(), area);
        }
        let again = import(&ward, "", table);
        assert_eq!(again.status, 422);
        assert_eq!(again.faults().iter().filter(|(_, code)| code == "area_code_taken").count(), 4, "{}", again.text);
        assert_eq!(ward.events("area.created").len(), 5);
    }

    fn one_fault_anywhere_and_nothing_is_imported_and_all_are_told(ward) {
        ward.post("/api/v1/areas", &json!({"name_zh": "凤城市", "name_en": "Fengcheng", "code": "9901"}));
        let table = "code,parent_code,name_zh,name_en\n9902,,好市,Good\n9901,,又一市,\n,9901,无码区,\n990101,9999,无上级,\n9903,,凤城市,\n990102,9901,=SUM(A1),\n990103,9901,同名,\n990104,9901,同名,\n\
            9904,,\u{3000}凤城市,\n";
        let reply = import(&ward, "", table);
        assert_eq!((reply.status, reply.code().as_str()), (422, "invalid"));
        let faults = reply.faults();
        for (pointer, code) in [
            ("/1/code", "area_code_taken"), ("/2/code", "required"), ("/3/parent_code", "area_parent_unknown"), ("/4/name_zh", "area_name_taken"),
            ("/5/name_zh", "invalid"), ("/7/name_zh", "area_name_taken"), ("/8/name_zh", "area_name_taken"),
        ] {
            assert!(faults.contains(&(pointer.to_owned(), code.to_owned())), "{pointer} {code}: {faults:?}");
        }
        assert!(!faults.iter().any(|(pointer, _)| pointer.starts_with("/0/") || pointer.starts_with("/6/")), "{faults:?}");
        let detail = reply.json()["errors"][0]["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("第 "), "{detail}");
        assert_eq!(ward.get("/api/v1/areas").json()["items"].as_array().unwrap().len(), 1);
        assert_eq!(ward.events("area.created").len(), 1);
    }

    fn what_is_no_such_table_is_not_imported(ward) {
        let header = "code,parent_code,name_zh,name_en\n";
        let malformed = [
            "", "code\n1\n", "code,name_zh,colour\n9901,甲,red\n", "code,name_zh\n", "code,name_zh\n1,2,3\n", "code,name_zh,code\n9901,甲,9902\n",
            "code,name_zh\n9901,甲\0\n", "code,name_zh\n99\0,甲\n", &format!("{header}{}", "9901,,甲,\n".repeat(5_001)),
        ];
        for table in malformed {
            let reply = import(&ward, "", table);
            assert_eq!((reply.status, reply.code().as_str()), (400, "malformed"), "{:?}: {}", table.get(..40), reply.text);
        }
        let send = |kind: &str, body: Vec<u8>| ward.ask("POST", "/api/v1/areas/import").by(Role::Admin).body(kind, body).send();
        assert_eq!(send("text/csv", b"code,name_zh\n9901,\xff\n".to_vec()).code(), "malformed");
        for kind in ["application/json", "text/plain", "text/csvx", "application/x-www-form-urlencoded", ""] {
            let reply = send(kind, b"code,name_zh\n9901,x\n".to_vec());
            assert_eq!((reply.status, reply.code().as_str()), (415, "unsupported_content"), "{kind}");
        }
        assert_eq!(import(&ward, "?dry_run=yes", "code,name_zh\n9901,甲\n").faults(), [("?dry_run".to_owned(), "not_one_of".to_owned())]);
        assert_eq!(import(&ward, "?dryrun=true", "code,name_zh\n9901,甲\n").faults(), [("?dryrun".to_owned(), "unknown_parameter".to_owned())]);
        assert_eq!(ward.get("/api/v1/areas").json()["items"], json!([]));
        assert_eq!(send("Text/CSV; charset=utf-8; header=present", b"code,name_zh\n9901,x\n".to_vec()).status, 200);
    }

    fn a_table_has_at_most_so_many_bytes_and_rows(ward) {
        let mut ward = ward;
        let mut table = String::from("code,parent_code,name_zh,name_en\n9901,,甲,\n");
        for district in 0..50 {
            table.push_str(&format!("9901{:02},9901,区{district},\n", district + 1));
            for street in 0..101 {
                table.push_str(&format!("9901{:02}{street:03},9901{:02},街{street},\n", district + 1, district + 1));
            }
        }
        let rows: Vec<&str> = table.lines().take(5_001).collect();
        let full = rows.join("\n") + "\n";
        let reply = import(&ward, "?dry_run=true", &full);
        assert_eq!((reply.status, reply.json()["rows"].clone()), (200, json!(5_000)), "{:.200}", reply.text);
        ward.restart(|settings| settings.import_bytes_max = full.len());
        assert_eq!(import(&ward, "?dry_run=true", &full).status, 200);
        let reply = import(&ward, "?dry_run=true", &(full + " "));
        assert_eq!((reply.status, reply.code().as_str()), (413, "body_too_large"));
    }
}
