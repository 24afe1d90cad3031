//! Imports, as their users meet them: files of every form with every defect that real publications have, loaded whole, the same once more without a change, merged
//! with what came before, and told of place by place.

use std::io::Write as _;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use wardbook::app::open_data;
use wardbook::db::conn::Conn;
use wardbook::imports::rules_stream::Bounds;
use wardbook::kernel::refusal::Answer;
use wardbook::web::policy::Role;

use crate::faults::eventually;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::on_both_sites;
use crate::organisations::CODES;
use crate::treasury::{CATEGORY, Treasury, gets};

const PATH: &str = "/api/v1/imports";

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn send(ward: &Ward, bytes: impl Into<Vec<u8>>) -> Reply {
    ward.ask("POST", &format!("{PATH}?name=a.json"))
        .by(Role::Admin)
        .body("application/octet-stream", bytes)
        .send()
}

fn read(ward: &Ward, path: &str) -> Value {
    let reply = ward.ask("GET", path).by(Role::Admin).send();
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    reply.json()
}

/// Sends a file and waits until it is read in.
fn import(ward: &Ward, bytes: impl Into<Vec<u8>>) -> Value {
    let reply = send(ward, bytes);
    assert_eq!(reply.status, 202, "{}", reply.text);
    let path = reply.header("location").unwrap().to_owned();
    assert_eq!(path, format!("{PATH}/{}", reply.json()["id"].as_str().unwrap()));
    eventually("the import ends", || {
        (!["waiting", "running"].contains(&read(ward, &path)["state"].as_str().unwrap())).then_some(())
    });
    let import = read(ward, &path);
    assert_eq!(import["state"], "done", "{import}");
    import
}

/// What an import found: code and pointer.
fn found(ward: &Ward, import: &Value) -> Vec<(String, String)> {
    let path = format!("{PATH}/{}/findings?limit=200", import["id"].as_str().unwrap());
    let items = read(ward, &path)["items"].clone();
    let pairs = items.as_array().unwrap().iter().map(|item| {
        let text = |name: &str| item[name].as_str().unwrap().to_owned();
        (text("code"), text("pointer"))
    });
    pairs.collect()
}

fn process(ward: &Ward, ocid: &str) -> Value {
    let reply = ward.get(&format!("/api/v1/imported-processes/{ocid}"));
    assert_eq!(reply.status, 200, "{}", reply.text);
    let mut process = reply.json();
    let summary = process["summary"].take();
    let members = summary.as_object().unwrap().clone();
    process.as_object_mut().unwrap().extend(members);
    process
}

/// A release as publishers of version 1.1 write it, with an id and a date.
fn release(ocid: &str, id: &str, date: &str, more: Value) -> Value {
    let mut release = json!({"ocid": ocid, "id": id, "date": date, "tag": ["award"]});
    let members = more.as_object().unwrap().clone();
    release.as_object_mut().unwrap().extend(members);
    release
}

fn whole(ocid: &str) -> Value {
    release(
        ocid,
        "1",
        "2022-02-25T18:52:35Z",
        json!({
            "parties": [
                {"id": "B", "name": "Ministerio", "roles": ["buyer"]},
                {"id": "S", "name": "Limpieza SRL", "roles": ["supplier"], "contactPoint": {"name": "Juan Secreto", "email": "juan@example.org"}},
            ],
            "buyer": {"id": "B", "name": "Ministerio"},
            "tender": {"title": "Limpieza", "status": "complete", "procurementMethod": "open", "mainProcurementCategory": "services",
                "value": {"amount": 27140, "currency": "DOP"}, "numberOfTenderers": 3,
                "items": [{"id": "1", "classification": {"scheme": "UNSPSC", "id": "76111601"}}],
                "tenderPeriod": {"startDate": "2022-02-20T00:00:00Z", "endDate": "2022-02-25T00:00:00Z"}},
            "awards": [{"id": "a", "status": "active", "date": "2022-02-28T10:15:00Z", "value": {"amount": 27000.5, "currency": "DOP"},
                "suppliers": [{"id": "S", "name": "Limpieza SRL"}]}],
            "contracts": [{"id": "c", "awardID": "a", "status": "active", "value": {"amount": 27000.50, "currency": "DOP"},
                "period": {"startDate": "2022-03-01T00:00:00Z", "endDate": "2023-02-28T00:00:00Z"}, "dateSigned": "2022-03-01T00:00:00Z",
                "implementation": {"transactions": [{"id": "t", "date": "2022-04-01T00:00:00Z", "value": {"amount": 1000, "currency": "DOP"},
                    "payer": {"id": "B"}, "payee": {"id": "S"}}]}}],
        }),
    )
}

on_both! {
    fn a_release_becomes_a_process_that_everybody_can_read(ward) {
        let import = import(&ward, json!({"uri": "x", "version": "1.1", "releases": [whole("ocds-1")]}).to_string());
        assert_eq!((&import["releases_added"], &import["processes_added"], &import["unchanged"]), (&json!(1), &json!(1), &json!(false)));
        assert!(found(&ward, &import).is_empty());
        let process = process(&ward, "ocds-1");
        assert_eq!(process["buyer"], json!({"id": "B", "name": "Ministerio"}));
        assert_eq!((&process["title"], &process["year"], &process["tenderers"]), (&json!("Limpieza"), &json!(2022), &json!(3)));
        assert_eq!(process["classification"], "UNSPSC-76111601");
        assert_eq!(process["value"], json!({"amount": "27140.00", "currency": "DOP"}));
        assert_eq!(process["awards"][0]["suppliers"], json!([{"id": "S", "name": "Limpieza SRL"}]));
        assert_eq!(process["contracts"][0]["value"], json!({"amount": "27000.50", "currency": "DOP"}));
        assert_eq!(process["contracts"][0]["suppliers"], process["awards"][0]["suppliers"]);
        assert_eq!(process["contracts"][0]["ends_at"], "2023-02-28T00:00:00.000000Z");
        assert_eq!(process["transactions"][0]["payee"]["name"], "Limpieza SRL");
        // Whom to write to was in the release, and is nobody's business here.
        assert!(!process.to_string().contains("Secreto") && !process.to_string().contains("example.org"));
        ward.settle();
        let event = |kind: &str| ward.events(kind)[0]["entry"]["data"].clone();
        let (begun, loaded, ended) = (event("import.begun"), event("import.batch_loaded"), event("import.ended"));
        assert_eq!(begun["sha256"], import["sha256"]);
        assert_eq!((&loaded["releases_added"], &loaded["sha256"]), (&json!(1), &import["sha256"]));
        assert_eq!((&ended["state"], &ended["processes_added"]), (&json!("done"), &json!(1)));
    }

    fn the_same_file_once_more_changes_nothing(ward) {
        let file = json!([whole("ocds-1"), whole("ocds-2")]).to_string();
        let first = import(&ward, file.clone());
        ward.settle();
        let events = ward.events("import.begun").len();
        let again = send(&ward, file.clone());
        assert_eq!((again.status, &again.json()["id"]), (200, &first["id"]));
        ward.settle();
        assert_eq!(ward.events("import.begun").len(), events);
        // The same releases in another file: read, and known.
        let lines = packed(format!("{}\n{}\n", whole("ocds-2"), whole("ocds-1")).as_bytes());
        let other = import(&ward, lines);
        assert_eq!((&other["releases"], &other["releases_known"], &other["releases_added"], &other["unchanged"]), (&json!(2), &json!(2), &json!(0), &json!(true)));
        assert_eq!(process(&ward, "ocds-1")["releases"], 1);
        // The same key is the same request.
        let with_key = || ward.ask("POST", PATH).by(Role::Admin).header("idempotency-key", "k").body("application/json", json!([whole("ocds-3")]).to_string()).send();
        let (one, other) = (with_key(), with_key());
        assert_eq!((one.status, other.status, &one.json()["id"]), (202, 202, &other.json()["id"]));
        let path = format!("{PATH}/{}", one.json()["id"].as_str().unwrap());
        eventually("the import ends", || (read(&ward, &path)["state"] == "done").then_some(()));
    }

    fn releases_are_merged_with_those_that_came_before(ward) {
        let of = |id: &str, date: &str, more: Value| release("ocds-1", id, date, more).to_string();
        import(&ward, of("3", "2020-03-01T00:00:00Z", json!({"tender": {"status": "complete"}, "parties": [{"id": "B", "roles": ["payer"]}]})));
        // What is older is merged below what is newer, whenever it comes.
        let second = import(&ward, of("1", "2020-01-01T08:00:00+08:00", json!({
            "tender": {"status": "active", "title": "T"}, "parties": [{"id": "B", "name": "Bureau", "roles": ["buyer"]}]})));
        assert_eq!((&second["processes_changed"], &second["processes_added"]), (&json!(1), &json!(0)));
        assert_eq!(found(&ward, &second), [("roles_lost".to_owned(), "/parties/0/roles".to_owned())]);
        let process = process(&ward, "ocds-1");
        assert_eq!((&process["status"], &process["title"], &process["releases"]), (&json!("complete"), &json!("T"), &json!(2)));
        assert_eq!(process["parties"][0]["roles"], json!(["buyer", "payer"]));
        // Another release of the same id and date is kept, and told.
        let third = import(&ward, of("1", "2020-01-01T00:00:00Z", json!({"tender": {"title": "U"}})));
        assert_eq!(found(&ward, &third)[..2], [("release_id_reused".to_owned(), String::new()), ("same_date".to_owned(), String::new())]);
    }

    fn every_defect_is_repaired_or_told_with_its_place(ward) {
        let file = json!([
            {"ocid": "ocds-1", "id": 7, "date": "2020-01-01 10:00:00", "tag": "award", "extra": {"a": 1},
             "buyer": "Town", "language": "", "tender": {"value": {"amount": "1,200.50", "currency": "mxn"}, "tenderPeriod": {"startDate": "2020-02-30"}, "title": null},
             "awards": {"id": 1, "value": {"amount": 63819.340000000004_f64}, "suppliers": [{"name": "S"}]},
             "contracts": [{"id": "c", "awardID": "9", "implementation": {"transactions": [{"amount": {"amount": "none", "currency": "MXN"}}]}}]},
            {"id": "x", "awards": []},
            {"ocid": "ocds-2", "date": "2020-01-01T00:00:00Z", "awards": [{"id": "1", "title": "A"}, {"id": "1", "title": "B"}]},
            "nothing",
        ]);
        let import = import(&ward, file.to_string());
        let found = found(&ward, &import);
        let has = |code: &str, pointer: &str| assert!(found.contains(&(code.to_owned(), pointer.to_owned())), "{code} {pointer}: {found:?}");
        for (code, pointer) in [
            ("id_as_number", "/id"),
            ("date_without_zone", "/date"),
            ("array_expected", "/tag"),
            ("unknown_member", "/extra"),
            ("name_only", "/buyer"),
            ("empty_left_out", "/language"),
            ("amount_as_text", "/tender/value/amount"),
            ("currency_malformed", "/tender/value/currency"),
            ("date_impossible", "/tender/tenderPeriod/startDate"),
            ("null_member", "/tender/title"),
            ("array_expected", "/awards"),
            ("id_as_number", "/awards/id"),
            ("float_artefact", "/awards/value/amount"),
            ("currency_missing", "/awards/0/value"),
            ("award_missing", "/contracts/0/awardID"),
            ("amount_unreadable", "/contracts/0/implementation/transactions/0/amount/amount"),
            ("old_member", "/contracts/0/implementation/transactions/0/amount"),
            ("id_missing", "/contracts/0/implementation/transactions/0"),
            ("party_missing", "/buyer"),
            ("ocid_missing", "/0/1"),
            ("release_id_missing", "/id"),
            ("id_repeated", "/awards/1/id"),
            ("no_release", "/0/3"),
        ] {
            has(code, pointer);
        }
        assert_eq!((&import["releases"], &import["processes_added"]), (&json!(2), &json!(2)));
        let one = process(&ward, "ocds-1");
        assert_eq!(one["awards"][0]["value"], json!({"amount": "63819.34", "currency": "MXN"}));
        assert_eq!(one["buyer"], json!({"id": "Town", "name": "Town"}));
        assert_eq!(process(&ward, "ocds-2")["awards"][1]["id"], "1#2");
        // By code, page by page, in both languages.
        let id = import["id"].as_str().unwrap();
        let page = read(&ward, &format!("{PATH}/{id}/findings?code=id_as_number&limit=1"));
        assert_eq!((&page["items"][0]["code"], &page["items"][0]["nature"], &page["items"][0]["ocid"]), (&json!("id_as_number"), &json!("repair"), &json!("ocds-1")));
        assert!(!page["items"][0]["meaning_zh"].as_str().unwrap().is_empty());
        let next = read(&ward, &format!("{PATH}/{id}/findings?code=id_as_number&limit=1&cursor={}", page["next_cursor"].as_str().unwrap()));
        assert!(next["items"][0]["number"].as_i64().unwrap() > page["items"][0]["number"].as_i64().unwrap());
        let counts = |name: &str| import[name].as_i64().unwrap();
        assert_eq!(counts("repairs") + counts("rejections") + counts("notes"), i64::try_from(found.len()).unwrap());
        assert_eq!(counts("findings_kept"), i64::try_from(found.len()).unwrap());
    }

    fn records_are_read_by_their_releases_or_what_these_say_together(ward) {
        let embedded = json!({"ocid": "ocds-1", "releases": [release("ocds-1", "1", "2020-01-01T00:00:00Z", json!({"tender": {"title": "T"}}))],
            "compiledRelease": {"ocid": "ocds-1", "id": "x", "date": "2020-01-01T00:00:00Z", "tender": {"title": "other"}}});
        let linked = json!({"ocid": "ocds-2", "compiledRelease": {"ocid": "ocds-2", "id": "x", "date": "2020-01-01T00:00:00Z", "tag": ["compiled"], "tender": {"title": "C"}},
            "releases": [{"url": "https://example.org/1", "date": "2020-01-01T00:00:00Z", "tag": ["tender"]}]});
        let only = json!({"ocid": "ocds-3", "releases": [{"url": "https://example.org/1"}]});
        let import = import(&ward, json!({"version": "1.1", "records": [embedded, linked, only]}).to_string());
        assert_eq!((&process(&ward, "ocds-1")["title"], &process(&ward, "ocds-2")["title"]), (&json!("T"), &json!("C")));
        assert_eq!(found(&ward, &import), [
            ("compiled_beside".to_owned(), "/0/records/0/compiledRelease".to_owned()),
            ("linked_release".to_owned(), "/0/records/1".to_owned()),
            ("linked_only".to_owned(), "/0/records/2".to_owned()),
        ]);
        assert_eq!(ward.get("/api/v1/imported-processes/ocds-3").status, 404);
    }

    fn processes_are_found_by_buyer_supplier_and_year(ward) {
        let mut other = whole("ocds-2");
        other["parties"][1]["id"] = json!("S2");
        other["parties"][1]["name"] = json!("Otra");
        other["awards"][0]["suppliers"][0] = json!({"id": "S2"});
        other["awards"][0]["date"] = json!("2021-02-28T10:15:00Z");
        import(&ward, json!([whole("ocds-1"), other, whole("ocds-3")]).to_string());
        let listed = |query: &str| {
            let reply = ward.get(&format!("/api/v1/imported-processes{query}"));
            assert_eq!(reply.status, 200, "{}", reply.text);
            let items = reply.json()["items"].as_array().unwrap().clone();
            items.iter().map(|item| item["ocid"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(listed(""), "ocds-1 ocds-2 ocds-3");
        assert_eq!(listed("?buyer=B"), "ocds-1 ocds-2 ocds-3");
        assert_eq!(listed("?buyer=Ministerio&year=2021"), "ocds-2");
        assert_eq!(listed("?supplier=S2"), "ocds-2");
        assert_eq!(listed("?supplier=Limpieza%20SRL"), "ocds-1 ocds-3");
        assert_eq!(listed("?buyer=nobody"), "");
        let first = ward.get("/api/v1/imported-processes?limit=2").json();
        assert_eq!(listed(&format!("?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())), "ocds-3");
        assert_eq!(ward.get("/api/v1/imported-processes/ocds-9").status, 404);
        assert!([400, 404].contains(&ward.get("/api/v1/imported-processes/a%00b").status));
        assert_eq!(ward.get("/api/v1/imported-processes?year=soon").status, 400);
    }

    fn what_is_damaged_ends_no_import_but_itself(ward) {
        let good = whole("ocds-1").to_string();
        let import_of = |bytes: &[u8]| {
            let import = import(&ward, bytes);
            let codes: Vec<String> = found(&ward, &import).into_iter().map(|(code, _)| code).collect();
            (import["releases_added"].as_i64().unwrap(), codes.join(" "))
        };
        assert_eq!(import_of(format!("{good}\nnot json\n{}", whole("ocds-2")).as_bytes()), (2, "not_json".to_owned()));
        let half = packed(whole("ocds-3").to_string().repeat(3).as_bytes());
        let (added, codes) = import_of(&half[..half.len() / 2]);
        assert!(added <= 1 && codes.contains("broken_off"), "{added} {codes}");
        assert_eq!(import_of(b""), (0, "empty_file".to_owned()));
        assert_eq!(import_of(b"%PDF-1.7\n"), (0, "not_json".to_owned()));
        let nested = format!("{{\"ocid\":\"ocds-4\",\"x\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
        assert_eq!(import_of(nested.as_bytes()), (0, "too_deep".to_owned()));
        let long = format!("{{\"ocid\":\"ocds-4\",\"x\":\"{}\"}}", "y".repeat(Bounds::USUAL.bytes_max + 1));
        assert_eq!(import_of(&packed(long.as_bytes())), (0, "too_large".to_owned()));
        let many = format!("{{\"ocid\":\"ocds-4\",\"x\":[{}1]}}", "1,".repeat(Bounds::USUAL.values_max));
        assert_eq!(import_of(many.as_bytes()), (0, "too_many".to_owned()));
        let wide = format!("{{\"ocid\":\"ocds-4\",\"x\":[{}1]}}", "1,".repeat(6_000));
        assert_eq!(import_of(wide.as_bytes()), (0, "too_many".to_owned()));
        let zero = release("ocds-5\u{0}", "1\u{0}", "2020-01-01T00:00:00Z", json!({"tender": {"title": "a\u{0}b"}, "awards": [{"id": "\u{0}"}]}));
        assert_eq!(import_of(zero.to_string().as_bytes()).0, 1);
        assert_eq!(process(&ward, "ocds-5")["title"], "a b");
    }

    fn only_administrators_import_and_only_within_the_bound(ward) {
        let mut ward = ward;
        for role in [Role::Auditor, Role::BuyerOfficer, Role::Regulator] {
            assert_eq!(ward.ask("POST", PATH).by(role).body("application/json", "{}").send().status, 403);
        }
        assert_eq!(ward.ask("POST", PATH).body("application/json", "{}").send().status, 401);
        assert_eq!(ward.ask("GET", PATH).by(Role::Auditor).send().status, 200);
        assert_eq!(ward.ask("GET", PATH).by(Role::BuyerOfficer).send().status, 403);
        assert_eq!(ward.ask("POST", PATH).by(Role::Admin).body("text/plain", "{}").send().status, 415);
        ward.restart(|settings| settings.open_data_bytes_max = 100);
        let reply = send(&ward, vec![b' '; 101]);
        assert_eq!((reply.status, reply.code().as_str()), (413, "body_too_large"));
        import(&ward, vec![b' '; 100]);
    }

    fn an_import_that_was_broken_off_is_taken_over(ward) {
        use wardbook::imports::{acts, rules::Kind};
        use wardbook::web::actor::Actor;
        let file = whole("ocds-1").to_string();
        let sha256: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(file.as_bytes()).into();
        let new = acts::NewImport { name: "a".into(), sha256, bytes: 1, kind: Kind::Ocds, waits: false };
        let (begun, _) = ward.context().db.write_and_wait(move |tx| acts::begin(tx, &Actor::system(), &new)).unwrap();
        let done = import(&ward, file);
        assert_eq!(read(&ward, &format!("{PATH}/{}", begun.id))["state"], "interrupted");
        assert_eq!(done["releases_added"], 1);
        let id = begun.id.clone();
        let late = ward.context().db.write_and_wait(move |tx| acts::load(tx, &Actor::system(), &id, &acts::Batch::default()));
        assert!(late.is_err());
    }

    fn the_command_reports_what_it_finds(ward) {
        let directory = tempfile::tempdir().unwrap();
        let (file, report) = (directory.path().join("one.jsonl"), directory.path().join("report.jsonl"));
        let mut text = String::new();
        for n in 0..350 {
            text.push_str(&release(&format!("ocds-{n}"), "1", "2020-01-01", json!({"tender": {"value": {"amount": "7", "currency": "CNY"}}})).to_string());
            text.push('\n');
        }
        std::fs::write(&file, text).unwrap();
        let said = std::sync::Mutex::new(Vec::new());
        let say = |line: &str| said.lock().unwrap().push(line.to_owned());
        let quiet = |_: &str| {};
        let run = |files: &[PathBuf]| open_data::ocds(ward.house(), files, Some(&report), (&say, &quiet));
        run(std::slice::from_ref(&file)).unwrap();
        let lines: Vec<Value> = std::fs::read_to_string(&report).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 700);
        assert_eq!((&lines[1]["code"], &lines[1]["pointer"], &lines[1]["found"], &lines[1]["made"]), (&json!("amount_as_text"), &json!("/tender/value/amount"), &json!("7"), &json!("7.00")));
        run(&[file]).unwrap();
        let said = std::mem::take(&mut *said.lock().unwrap());
        assert!(said[0].contains("350 releases (350 added, 0 known)"), "{}", said[0]);
        assert!(said[1].contains("unchanged"), "{}", said[1]);
        ward.settle();
        assert_eq!(ward.events("import.batch_loaded").len(), 4);
        assert!(run(&[directory.path().join("nothing")]).is_err());
    }
}

/// How many rows a table has, for tests that look behind the API.
fn rows(ward: &Ward, table: &str) -> i64 {
    use diesel::RunQueryDsl as _;
    use diesel::dsl::sql;
    use diesel::sql_types::BigInt;
    let query = format!("(SELECT COUNT(*) FROM {table})");
    let counted = ward
        .context()
        .db
        .read_and_wait(move |conn: &mut Conn| -> Answer<i64> {
            Ok(wardbook::both!(conn, c => diesel::select(sql::<BigInt>(&query)).get_result(c))?)
        });
    counted.unwrap()
}

on_both! {
    fn a_process_has_so_many_releases_and_no_more(ward) {
        let of = |n: usize| release("ocds-1", &n.to_string(), &format!("2020-01-01T00:{:02}:{:02}Z", n / 60, n % 60), json!({"tender": {"title": n.to_string()}}));
        let lines: Vec<String> = (0..502).map(|n| of(n).to_string()).collect();
        let import = import(&ward, lines.join("\n"));
        assert_eq!((&import["releases"], &import["releases_added"]), (&json!(502), &json!(500)));
        assert_eq!(found(&ward, &import), [("too_many_releases".to_owned(), String::new()), ("too_many_releases".to_owned(), String::new())]);
        assert_eq!((&process(&ward, "ocds-1")["title"], rows(&ward, "imported_releases")), (&json!("499"), 500));
    }
}

fn table(ward: &Ward, kind: &str, query: &str, text: &str) -> Reply {
    ward.ask("POST", &format!("{PATH}/csv/{kind}{query}"))
        .by(Role::Admin)
        .body("text/csv; charset=utf-8", text.as_bytes())
        .send()
}

on_both! {
    fn organisations_are_registered_from_a_table(ward) {
        let area = ward.post("/api/v1/areas", &json!({"name_zh": "上海", "name_en": "Shanghai", "code": "3101"}));
        assert_eq!(area.status, 201, "{}", area.text);
        let text = format!(
            "\u{feff}类型,名称,统一社会信用代码,法定代表人,联系人,电话,邮箱,区域代码,地址\ndepartment,城管局,,,,,,3101,\ncompany,甲公司,{},王一,李二,13800138000,a@example.org,3101,某路1号\n",
            CODES[0]
        );
        let trial = table(&ward, "organisations", "?dry_run=true", &text);
        assert_eq!((trial.status, &trial.json()["rows"], &trial.json()["dry_run"]), (200, &json!(2), &json!(true)), "{}", trial.text);
        assert_eq!(rows(&ward, "organisations"), 0);
        let done = table(&ward, "organisations", "", &text);
        assert_eq!((done.status, done.json()["made"].as_array().unwrap().len()), (200, 2), "{}", done.text);
        let made = ward.ask("GET", &format!("/api/v1/organisations/{}", done.json()["made"][1].as_str().unwrap())).by(Role::Admin).send();
        assert_eq!((&made.json()["name_zh"], &made.json()["state"]), (&json!("甲公司"), &json!("registered")), "{}", made.text);
        ward.settle();
        assert_eq!(ward.events("organisation.registered").len(), 2);

        let again = table(&ward, "organisations", "", &text);
        assert_eq!(again.faults(), [("/0/name_zh".to_owned(), "organisation_known".to_owned()), ("/1/credit_code".to_owned(), "organisation_credit_code_taken".to_owned())], "{}", again.text);

        // One fault keeps all of it out, and all faults are told.
        let text = format!(
            "kind,name_zh,credit_code,legal_representative,contact_name,phone,mail,address,area_code\n\
             department,园林局,,,,,,,\ncompany,乙公司,{},王一,李二,13800138000,b@example.org,某路2号,9\nguild,丙,,,,,,,\n",
            CODES[0]
        );
        let refused = table(&ward, "organisations", "", &text);
        let faults = refused.faults();
        assert_eq!(refused.status, 422, "{}", refused.text);
        for place in ["/1/area_code", "/1/credit_code", "/2/kind"] {
            assert!(faults.iter().any(|(at, _)| at == place), "{place}: {faults:?}");
        }
        assert_eq!(rows(&ward, "organisations"), 2);
        assert_eq!(table(&ward, "guilds", "", &text).status, 404);
        assert_eq!(table(&ward, "organisations", "", "colour\nred\n").code(), "malformed");
    }

    fn budget_lines_are_made_from_a_table_by_whoever_may_make_them(ward) {
        let treasury = Treasury::new(&ward);
        let fund = gets(&ward, &treasury.anna, &format!("/funds/{}", treasury.fund)).json();
        let text = format!(
            "资金编码,年度,编码,单位,类别,用途\n{},2026,SAN-01,{},{CATEGORY},保洁\n{0},2026,SAN-02,{1},{CATEGORY},清扫\n",
            fund["code"].as_str().unwrap(), treasury.department
        );
        let send = |query: &str, text: &str| {
            treasury.anna.asks(&ward, "POST", &format!("{PATH}/csv/budget-lines{query}")).body("text/csv", text.as_bytes()).send()
        };
        let trial = send("?dry_run=true", &text);
        assert_eq!((trial.status, rows(&ward, "budget_lines")), (200, 0), "{}", trial.text);
        let done = send("", &text);
        assert_eq!((done.status, done.json()["made"].as_array().unwrap().len(), rows(&ward, "budget_lines")), (200, 2, 2), "{}", done.text);
        let again = send("", &text);
        assert_eq!(again.faults(), [("/0/code".to_owned(), "budget_code_taken".to_owned()), ("/1/code".to_owned(), "budget_code_taken".to_owned())], "{}", again.text);
        // An administrator has no power over budgets, whichever way they try.
        let refused = table(&ward, "budget-lines", "", &text.replace("SAN", "GRN"));
        assert_eq!((refused.status, rows(&ward, "budget_lines")), (422, 2), "{}", refused.text);
    }

    fn contracts_that_are_running_are_kept_as_history(ward) {
        let area = ward.post("/api/v1/areas", &json!({"name_zh": "上海", "name_en": "Shanghai", "code": "3101"}));
        assert_eq!(area.status, 201, "{}", area.text);
        Treasury::new(&ward);
        let bodies = table(&ward, "organisations", "", "kind,name_zh\ndepartment,街道办\n");
        assert_eq!(bodies.status, 200, "{}", bodies.text);
        let head = "合同编号,名称,采购单位,承包单位,区域代码,类别,合同金额,已付金额,截至日期,到期日期\n";
        let row = |paid: &str, day: &str| format!("{head}H-1,保洁,街道办,甲公司,3101,{CATEGORY},240000.00,{paid},{day},2026-12-31\n");
        let trial = table(&ward, "contracts", "?dry_run=true", &row("80000", "2026-01-31"));
        assert_eq!((trial.status, &trial.json()["contracts_added"], &trial.json()["import_id"], rows(&ward, "imports")), (200, &json!(1), &Value::Null, 0), "{}", trial.text);
        let done = table(&ward, "contracts", "", &row("80000", "2026-01-31"));
        assert_eq!((done.status, &done.json()["contracts_added"]), (200, &json!(1)), "{}", done.text);
        let again = table(&ward, "contracts", "", &row("80000", "2026-01-31"));
        assert_eq!((&again.json()["unchanged"], &again.json()["import_id"]), (&json!(true), &done.json()["import_id"]), "{}", again.text);
        // In the encoding of spreadsheets, a month later.
        let later = row("100000.5", "2026-02-28");
        let (bytes, _, _) = encoding_rs::GB18030.encode(&later);
        let later = ward.ask("POST", &format!("{PATH}/csv/contracts")).by(Role::Admin).body("text/csv; charset=gb18030", bytes.into_owned()).send();
        assert_eq!((later.status, &later.json()["contracts_changed"]), (200, &json!(1)), "{}", later.text);
        let process = process(&ward, "running-%E8%A1%97%E9%81%93%E5%8A%9E-H-1");
        assert_eq!((&process["area"], &process["category"]), (&json!("3101"), &json!(CATEGORY)));
        assert_eq!(process["contracts"][0]["value"], json!({"amount": "240000.00", "currency": "CNY"}));
        assert_eq!(process["transactions"], json!([{
            "contract_id": "H-1", "id": "until", "paid_at": "2026-02-28T00:00:00.000000Z", "value": {"amount": "100000.50", "currency": "CNY"},
            "payer": {"id": "街道办", "name": "街道办"}, "payee": {"id": "甲公司", "name": "甲公司"},
        }]));
        let bad = table(&ward, "contracts", "", &format!("{}H-1,保洁,街道办,甲公司,9,none,1,2,2026-01-31,2026-12-31\nH-2,保洁,街道办,甲公司,9,none,1,1,2026-01-31,2026-12-31\n", head));
        let mut faults: Vec<String> = bad.faults().into_iter().map(|(at, _)| at).collect();
        faults.sort();
        assert_eq!(faults, ["/0/area_code", "/0/category", "/0/paid", "/1/area_code", "/1/category"]);
    }

    fn tables_are_read_in_on_the_machine(ward) {
        use wardbook::app::open_data::{OfTable, table};
        use wardbook::imports::rules_tables::Sort;
        let directory = tempfile::tempdir().unwrap();
        let (file, report) = (directory.path().join("t.csv"), directory.path().join("report.jsonl"));
        let said = std::sync::Mutex::new(String::new());
        let run = |sort: Sort, text: &str, is_trial: bool| {
            std::fs::write(&file, text).unwrap();
            let of = OfTable { sort, path: &file, is_trial, report: Some(&report), account: None };
            let say = |line: &str| { said.lock().unwrap().push_str(line); };
            let holds = table(ward.house(), &of, (&say, &say)).unwrap();
            (holds, std::mem::take(&mut *said.lock().unwrap()), std::fs::read_to_string(&report).unwrap())
        };
        let (holds, told, _) = run(Sort::Organisations, "kind,name_zh\ndepartment,城管局\n", true);
        assert!(holds && told.contains("would be done: 1 made of 1 rows"), "{told}");
        let (holds, told, reported) = run(Sort::Organisations, "kind,name_zh\ndepartment,城管局\n", false);
        assert!(holds && told.contains("1 made of 1 rows") && reported.contains("org_"), "{told} {reported}");
        let (holds, told, reported) = run(Sort::Organisations, "kind,name_zh\nguild,丙\n", false);
        assert!(!holds && told.contains("line 2, kind"), "{told}");
        assert_eq!(serde_json::from_str::<Value>(&reported).unwrap()["line"], 2);
        // In the service's own name nobody makes budget lines.
        let (holds, told, _) = run(Sort::BudgetLines, "fund_code,fiscal_year,code,organisation,category,purpose_zh\nA,2026,B,C,D,E\n", false);
        assert!(!holds && told.contains("--as"), "{told}");
    }
}

on_both! {
    fn spending_answers_over_what_was_imported(ward) {
        import(&ward, json!([whole("ocds-1"), whole("ocds-2")]).to_string());
        let answer = |query: &str| {
            let reply = ward.get(&format!("/api/v1/spending?{query}"));
            assert_eq!(reply.status, 200, "{}", reply.text);
            reply.json()
        };
        let dop = |amount: &str| json!({"amount": amount, "currency": "DOP"});
        let totals = answer("group_by=supplier&source=imported&currency=DOP")["totals"].clone();
        assert_eq!((&totals["paid"], &totals["committed"]), (&dop("2000.00"), &dop("52001.00")), "{totals}");
        let one = answer("group_by=category&source=imported&currency=DOP&supplier_id=S&buyer_id=B&method=open");
        assert_eq!((&one["totals"]["paid"], &one["items"][0]["keys"][0]["value"]), (&dop("2000.00"), &json!("services")), "{one}");
        assert_eq!(answer("group_by=supplier&source=own")["totals"]["paid"]["amount"], "0.00");
        // The same releases once more, in another file, are counted once.
        import(&ward, format!("{}\n{}", whole("ocds-2"), whole("ocds-1")));
        assert_eq!(answer("group_by=supplier&source=imported&currency=DOP")["totals"], totals);
        // A later release takes the place of what was said before.
        let mut later = whole("ocds-1");
        later["date"] = json!("2023-01-01T00:00:00Z");
        later["contracts"][0]["implementation"]["transactions"][0]["value"]["amount"] = json!(500);
        import(&ward, later.to_string());
        assert_eq!(answer("group_by=supplier&source=imported&currency=DOP")["totals"]["paid"], dop("1500.00"));
    }
}

on_both! {
    fn an_import_that_waits_says_so_and_is_not_taken_for_one_that_was_broken_off(ward) {
        use chrono::Duration;
        use wardbook::imports::{acts, rules::Kind, store};
        use wardbook::web::actor::Actor;
        let new = acts::NewImport { name: "a".into(), sha256: [7; 32], bytes: 1, kind: Kind::Ocds, waits: true };
        let (begun, _) = ward.context().db.write_and_wait(move |tx| acts::begin(tx, &Actor::system(), &new)).unwrap();
        let path = format!("{PATH}/{}", begun.id);
        let state = || read(&ward, &path)["state"].as_str().unwrap().to_owned();
        let later = |minutes: i64| { let now = ward.context().clock.now(); ward.context().clock.advance(now + Duration::minutes(minutes)); };
        assert_eq!((state(), &read(&ward, &path)["started_at"]), ("waiting".to_owned(), &Value::Null));
        // As long as its process says that it waits.
        for _ in 0..3 {
            later(9);
            assert_eq!(state(), "waiting");
            let id = begun.id.clone();
            ward.context().db.upkeep_and_wait(move |tx| store::still_waits(tx, &id)).unwrap();
        }
        later(10);
        assert_eq!(state(), "interrupted", "its process was killed while it waited");
        let start = || { let id = begun.id.clone(); ward.context().db.write_and_wait(move |tx| acts::start(tx, &Actor::system(), &id)) };
        start().unwrap();
        assert_eq!((state(), read(&ward, &path)["started_at"].is_string()), ("running".to_owned(), true));
        assert!(start().is_err(), "it starts once");
        // What runs does not wait any more.
        let id = begun.id.clone();
        later(10);
        ward.context().db.upkeep_and_wait(move |tx| store::still_waits(tx, &id)).unwrap();
        assert_eq!(state(), "interrupted");
        ward.settle();
        assert_eq!(ward.events("import.started").len(), 1);
        // Over HTTP all of them start, one after the other.
        let files: Vec<Reply> = (1..4).map(|n| send(&ward, whole(&format!("ocds-{n}")).to_string())).collect();
        for file in &files {
            let path = file.header("location").unwrap();
            eventually("the import ends", || (read(&ward, path)["state"] == "done").then_some(()));
            assert!(read(&ward, path)["started_at"].as_str() >= read(&ward, path)["begun_at"].as_str());
        }
        ward.settle();
        assert_eq!(ward.events("import.started").len(), 4);
    }

    fn uploads_that_a_killed_process_has_left_are_deleted_at_the_next_start(ward) {
        let mut ward = ward;
        import(&ward, whole("ocds-1").to_string());
        let directory = ward.dir.path().join("imports");
        let uploads = || std::fs::read_dir(&directory).unwrap().filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with("import-")).count();
        eventually("the upload is gone", || (uploads() == 0).then_some(()));
        std::fs::write(directory.join("import-left"), "{}").unwrap();
        // Another process that shares the directory is receiving this one.
        let arriving = std::fs::File::create(directory.join("import-arriving")).unwrap();
        arriving.lock().unwrap();
        ward.restart(|_| {});
        assert_eq!((uploads(), directory.join("import-arriving").exists()), (1, true));
        drop(arriving);
        ward.restart(|_| {});
        assert_eq!(uploads(), 0);
        import(&ward, whole("ocds-2").to_string());
    }

    fn what_would_make_a_sum_too_large_is_told_and_the_rest_is_counted(ward) {
        // Ten million million units at a time; nine thousand of them are as much as can be told.
        let many = |ocid: &str, count: usize| {
            let transactions: Vec<Value> = (0..count).map(|n| json!({"id": n.to_string(), "date": "2020-01-01T00:00:00Z", "value": {"amount": 10_000_000_000_000_i64, "currency": "PYG"}})).collect();
            release(ocid, "1", "2020-01-01T00:00:00Z", json!({"contracts": [{"id": "c", "status": "active", "implementation": {"transactions": transactions}}]}))
        };
        let paid = || {
            let reply = ward.get("/api/v1/spending?group_by=contract&source=imported&currency=PYG");
            assert_eq!(reply.status, 200, "{}", reply.text);
            reply.json()["totals"]["paid"]["amount"].as_str().unwrap().to_owned()
        };
        import(&ward, json!([many("ocds-1", 4_500), many("ocds-2", 4_000)]).to_string());
        assert_eq!(paid(), "85000000000000000.00");
        let third = import(&ward, json!([many("ocds-3", 501), many("ocds-4", 300), whole("ocds-5")]).to_string());
        let told = read(&ward, &format!("{PATH}/{}/findings?code=imported_sum_too_large", third["id"].as_str().unwrap()))["items"].clone();
        assert_eq!((told.as_array().unwrap().len(), &told[0]["ocid"], &told[0]["nature"]), (1, &json!("ocds-3"), &json!("rejection")), "{told}");
        assert_eq!((&third["state"], &third["rejections"], &third["processes_added"]), (&json!("done"), &json!(1), &json!(3)));
        assert_eq!(paid(), "88000000000000000.00");
        assert_eq!(process(&ward, "ocds-3")["transactions"].as_array().unwrap().len(), 501, "it is read all the same");
        // What is replaced by what would be too much is not counted any more.
        let mut more = many("ocds-4", 600);
        more["date"] = json!("2020-01-02T00:00:00Z");
        import(&ward, more.to_string());
        assert_eq!(paid(), "85000000000000000.00");
        assert_eq!(lines(&ward), Vec::<String>::new());
    }

    fn what_is_imported_twice_or_in_another_order_comes_to_the_same(ward) {
        let of = |n: usize, release_of: usize| {
            let mut release = whole(&format!("ocds-{}", n % 7));
            release["id"] = json!(format!("r-{release_of}"));
            // All have one date, so that only their ids tell which is the later one.
            release["date"] = json!(format!("2022-02-{:02}T00:00:00Z", 1 + release_of / 4));
            release["contracts"][0]["value"]["amount"] = json!(1_000 * (n + 1) + release_of);
            release["contracts"][0]["implementation"]["transactions"][0]["value"]["amount"] = json!(10 * release_of + n);
            release
        };
        let all: Vec<Value> = (0..7).flat_map(|n| (8..12).map(move |release_of| (n, release_of))).map(|(n, release_of)| of(n, release_of)).collect();
        let totals = || {
            let dimensions = ["supplier", "buyer", "month", "contract"];
            dimensions.map(|by| {
                let reply = ward.get(&format!("/api/v1/spending?group_by={by}&source=imported&currency=DOP&limit=200"));
                assert_eq!(reply.status, 200, "{}", reply.text);
                (reply.json()["totals"].clone(), reply.json()["items"].clone())
            })
        };
        let written = |releases: &[Value]| json!({"releases": releases}).to_string();
        import(&ward, written(&all));
        let once = totals();
        // The last release of each process counts: r-11, though r-9 sorts behind it as a text.
        let paid: usize = (0..7).map(|n| 110 + n).sum();
        assert_eq!(once[0].0["paid"]["amount"], format!("{paid}.00"));
        let again = import(&ward, format!("{} ", written(&all)));
        assert_eq!((&again["unchanged"], &again["releases_known"]), (&json!(true), &json!(28)));
        assert_eq!(totals(), once);
        // Nothing is left of it, and it comes in pieces, backwards.
        for table in ["spending_imported", "spending_imported_totals"] {
            crate::organisations::sql(&ward, &format!("DELETE FROM {table}")).unwrap();
        }
        let renamed = |release: &Value| { let mut other = release.clone(); let ocid = format!("again-{}", release["ocid"].as_str().unwrap()); other["ocid"] = json!(ocid); other };
        let mut backwards: Vec<Value> = all.iter().map(renamed).collect();
        backwards.reverse();
        for some in backwards.chunks(5) {
            import(&ward, written(some));
        }
        let other = totals();
        for (one, other) in once.iter().zip(&other).take(3) {
            assert_eq!(one, other);
        }
        assert_eq!(once[3].0, other[3].0);
    }
}

/// What is not counted as stored releases say.
fn miscounted(ward: &Ward) -> Vec<String> {
    let compared = ward.context().db.read_and_wait(|conn| {
        let mut verdict = wardbook::budget::verify::LedgerVerdict::default();
        wardbook::imports::verify::compare(conn, &mut verdict)?;
        Ok(verdict)
    });
    compared.unwrap().faults
}

/// What is spent of what was imported in a currency, by one dimension.
fn spent(ward: &Ward, by: &str, currency: &str) -> Value {
    let reply = ward.get(&format!(
        "/api/v1/spending?group_by={by}&source=imported&currency={currency}&limit=200"
    ));
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

on_both! {
    fn what_the_ward_has_published_itself_is_not_counted_twice(ward) {
        let mut ward = ward;
        let paid = |ward: &Ward| spent(ward, "supplier", "DOP")["totals"]["paid"]["amount"].clone();
        let mut later = whole("ocds-213czf-1");
        later["id"] = json!("2");
        let file = json!([whole("ocds-213czf-1"), whole("ocds-2"), later]).to_string();
        let done = import(&ward, file.clone());
        assert_eq!(found(&ward, &done), [("own_process".to_owned(), String::new())]);
        let told = read(&ward, &format!("{PATH}/{}/findings", done["id"].as_str().unwrap()))["items"][0].clone();
        assert_eq!((&told["ocid"], &told["nature"]), (&json!("ocds-213czf-1"), &json!("note")));
        assert_eq!((&done["releases"], &done["releases_added"], &done["processes_added"], &done["notes"]), (&json!(3), &json!(1), &json!(1), &json!(1)));
        assert_eq!(ward.get("/api/v1/imported-processes/ocds-213czf-1").status, 404);
        assert_eq!(paid(&ward), "1000.00");
        // What was imported before that was so is not counted any more.
        ward.restart(|settings| settings.ocds_prefix = "ocds-a1b2c3".to_owned());
        import(&ward, format!("{file} "));
        assert_eq!(paid(&ward), "2000.00");
        assert_eq!(import(&ward, whole("ocds-a1b2c3-9").to_string())["releases_added"], 0);
        ward.restart(|settings| settings.ocds_prefix = String::new());
        import(&ward, format!("{file}  "));
        assert_eq!(paid(&ward), "1000.00");
        assert_eq!(miscounted(&ward), Vec::<String>::new());
        assert_eq!(lines(&ward), Vec::<String>::new());
    }

    fn what_is_counted_is_what_the_releases_say_and_is_counted_anew_if_it_is_not(ward) {
        import(&ward, json!([whole("ocds-1"), whole("ocds-2")]).to_string());
        // An area that is known only later changes nothing of what was counted.
        let mut placed = whole("ocds-3");
        placed["tender"]["items"][0]["deliveryLocation"] = json!({"gazetteer": {"scheme": "area", "identifiers": ["3101"]}});
        import(&ward, placed.to_string());
        let area = ward.post("/api/v1/areas", &json!({"name_zh": "上海", "name_en": "Shanghai", "code": "3101"}));
        assert_eq!(area.status, 201, "{}", area.text);
        assert_eq!(miscounted(&ward), Vec::<String>::new());
        let before = spent(&ward, "supplier", "DOP");
        for tampered in [
            "UPDATE spending_imported SET paid = paid + 100000 WHERE ocid = 'ocds-1' AND payments = 1",
            "UPDATE spending_imported SET supplier_id = 'T' WHERE ocid = 'ocds-1'",
            "DELETE FROM spending_imported WHERE ocid = 'ocds-1'",
            "UPDATE spending_imported SET ocid = 'ocds-9' WHERE ocid = 'ocds-1'",
        ] {
            crate::organisations::sql(&ward, tampered).unwrap();
            // Totals that agree with the rows do not hide it.
            ward.context().db.upkeep_and_wait(wardbook::budget::store_imported_verification::rebuild_totals).unwrap();
            assert_eq!(lines(&ward), Vec::<String>::new());
            let told = miscounted(&ward);
            assert!(told.iter().any(|one| one.contains("ocds-1 is counted otherwise")), "{tampered}: {told:?}");
            assert_eq!(told.len(), if tampered.contains("ocds-9") { 2 } else { 1 }, "{told:?}");
            if tampered.contains("ocds-9") {
                crate::organisations::sql(&ward, "DELETE FROM spending_imported WHERE ocid = 'ocds-9'").unwrap();
            }
            ward.context().db.upkeep_and_wait(|tx| {
                wardbook::imports::verify::recount(tx)?;
                wardbook::budget::store_imported_verification::rebuild_totals(tx)
            }).unwrap();
            assert_eq!((miscounted(&ward), lines(&ward)), (Vec::new(), Vec::new()), "{tampered}");
            assert_eq!(spent(&ward, "supplier", "DOP"), before);
        }
    }

    fn contracts_whose_parts_read_alike_are_two(ward) {
        let area = ward.post("/api/v1/areas", &json!({"name_zh": "上海", "name_en": "Shanghai", "code": "3101"}));
        assert_eq!(area.status, 201, "{}", area.text);
        Treasury::new(&ward);
        let bodies = table(&ward, "organisations", "", "kind,name_zh\ndepartment,甲\ndepartment,甲-1\ndepartment,乙-1\n");
        assert_eq!(bodies.status, 200, "{}", bodies.text);
        let head = "number,title,buyer,supplier,area_code,category,value,paid,as_of,ends_on\n";
        let row = |number: &str, buyer: &str, day: &str| format!("{number},保洁,{buyer},丙公司,3101,{CATEGORY},100,50,{day},2026-12-31\n");
        let counts = |text: &str| {
            let done = table(&ward, "contracts", "", text);
            assert_eq!(done.status, 200, "{}", done.text);
            (done.json()["contracts_added"].as_i64().unwrap(), done.json()["contracts_changed"].as_i64().unwrap())
        };
        assert_eq!(counts(&format!("{head}{}", row("2", "甲-1", "2026-01-31"))), (1, 0));
        assert_eq!(counts(&format!("{head}{}", row("1-2", "甲", "2026-01-31"))), (1, 0));
        assert_eq!(spent(&ward, "contract", "CNY")["totals"]["paid"]["amount"], "100.00");
        let both = format!("{head}{}{}", row("2", "甲-1", "2026-01-31"), row("1-2", "甲", "2026-01-31"));
        assert_eq!(counts(&both), (0, 0));
        // One that has the id of old keeps it.
        let old = release("running-乙-1-2", "2@2026-01-31", "2026-01-31T00:00:00Z", json!({"buyer": {"id": "乙-1", "name": "乙-1"}, "parties": [{"id": "乙-1", "name": "乙-1", "roles": ["buyer"]}]}));
        import(&ward, old.to_string());
        assert_eq!(counts(&format!("{head}{}", row("2", "乙-1", "2026-02-28"))), (0, 1));
    }

    fn running_contracts_are_of_the_wards_own_organisations(ward) {
        let area = ward.post("/api/v1/areas", &json!({"name_zh": "上海", "name_en": "Shanghai", "code": "3101"}));
        assert_eq!(area.status, 201, "{}", area.text);
        Treasury::new(&ward);
        let bodies = table(&ward, "organisations", "", "kind,name_zh\ndepartment,街道办\ndepartment,同名\n");
        let office = bodies.json()["made"][0].as_str().unwrap().to_owned();
        let (by_code, by_name) = (crate::organisations::verified(&ward, "甲公司", CODES[0]), crate::organisations::verified(&ward, "乙公司", CODES[1]));
        let head = "number,title,buyer,supplier,supplier_credit_code,area_code,category,value,paid,as_of,ends_on\n";
        let row = |number: &str, buyer: &str, supplier: &str, code: &str, day: &str| format!("{number},保洁,{buyer},{supplier},{code},3101,{CATEGORY},100,50,{day},2026-12-31\n");
        let day = "2026-01-31";
        let text = format!("{head}{}{}{}{}", row("1", "街道办", "甲公司（旧名）", CODES[0], day), row("2", "街道办", "乙公司", "", day), row("3", "街道办", "丙公司", "", day), row("4", "街道办", "乙公司", CODES[2], day));
        let done = table(&ward, "contracts", "", &text);
        assert_eq!(done.status, 200, "{}", done.text);
        let of = |by: &str| -> Vec<(Value, Value)> {
            let items = spent(&ward, by, "CNY")["items"].clone();
            let mut found: Vec<(Value, Value)> = items.as_array().unwrap().iter().map(|item| (item["keys"][0]["value"].clone(), item["measures"]["paid"]["amount"].clone())).collect();
            found.sort_by_key(|(key, _)| key.to_string());
            found
        };
        assert_eq!(of("buyer"), [(json!(office), json!("200.00"))]);
        let mut suppliers = [by_code.clone(), by_name.clone(), "丙公司".to_owned(), CODES[2].to_owned()];
        suppliers.sort_by_key(|key| json!(key).to_string());
        assert_eq!(of("supplier"), suppliers.iter().map(|key| (json!(key), json!("50.00"))).collect::<Vec<_>>());
        // A later table that names one otherwise means the same one.
        let later = table(&ward, "contracts", "", &format!("{head}{}", row("1", "街道办", "甲公司", "", "2026-02-28")));
        assert_eq!((later.status, &later.json()["contracts_changed"]), (200, &json!(1)), "{}", later.text);
        assert!(of("supplier").contains(&(json!(by_code), json!("50.00"))), "{:?}", of("supplier"));
        assert_eq!(miscounted(&ward), Vec::<String>::new());
        // Its name is another one later: what was counted stays as it was, and is not wrong for that.
        crate::organisations::sql(&ward, "UPDATE organisations SET name_zh = '丁公司' WHERE name_zh = '乙公司'").unwrap();
        assert_eq!(miscounted(&ward), Vec::<String>::new());
        crate::organisations::sql(&ward, &format!("UPDATE spending_imported SET supplier_id = '{office}' WHERE supplier_id = '{by_name}'")).unwrap();
        assert_eq!(miscounted(&ward).len(), 1);
        crate::organisations::sql(&ward, &format!("UPDATE spending_imported SET supplier_id = '{by_name}' WHERE supplier_id = '{office}'")).unwrap();
        assert_eq!((miscounted(&ward), lines(&ward)), (Vec::new(), Vec::new()));
        // Who is nobody here buys nothing, and nothing is paid until a day to come.
        let refused = table(&ward, "contracts", "", &format!("{head}{}{}", row("5", "街道办事処", "甲公司", "", day), row("6", "街道办", "甲公司", "", "2036-06-30")));
        assert_eq!(refused.faults(), [("/0/buyer".to_owned(), "organisation_unknown".to_owned()), ("/1/as_of".to_owned(), "in_future".to_owned())], "{}", refused.text);
    }

    fn all_faults_of_a_table_are_told_at_once(ward) {
        let treasury = Treasury::new(&ward);
        let fund = gets(&ward, &treasury.anna, &format!("/funds/{}", treasury.fund)).json();
        let text = "kind,name_zh,credit_code,legal_representative,contact_name,phone,mail,address,area_code\nking,,X,,,,x,,\ncompany,乙公司,X,王一,李二,13800138000,x,某路2号,9\n";
        let places = |reply: &Reply| -> Vec<String> {
            let mut places: Vec<String> = reply.faults().into_iter().map(|(at, _)| at).collect();
            places.sort();
            places
        };
        let refused = table(&ward, "organisations", "", text);
        assert_eq!(places(&refused), ["/0/credit_code", "/0/kind", "/0/mail", "/0/name_zh", "/1/area_code", "/1/credit_code", "/1/mail"], "{}", refused.text);
        assert_eq!(refused.faults()[0].0.get(..3), Some("/0/"), "rows come in their order");
        let text = format!(
            "fund_code,fiscal_year,code,organisation,category,purpose_zh\nNONE,2026,SAN-01,nobody,none,保洁\n{},year,SAN-02,{},none,清扫\n{0},2026,,{1},{CATEGORY},清扫\n",
            fund["code"].as_str().unwrap(), treasury.department
        );
        let refused = treasury.anna.asks(&ward, "POST", &format!("{PATH}/csv/budget-lines")).body("text/csv", text.as_bytes()).send();
        assert_eq!(places(&refused), ["/0/category", "/0/fund_code", "/0/organisation", "/1/category", "/1/fiscal_year", "/2/code"], "{}", refused.text);
        assert_eq!(rows(&ward, "budget_lines"), 0);
        assert!(refused.text.contains("line 4"), "{}", refused.text);
    }

    fn a_file_that_cannot_be_read_is_no_success_of_the_command(ward) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("one.json");
        let quiet = |_: &str| {};
        let run = |bytes: &[u8]| {
            std::fs::write(&file, bytes).unwrap();
            open_data::ocds(ward.house(), std::slice::from_ref(&file), None, (&quiet, &quiet)).unwrap()
        };
        let good = whole("ocds-1").to_string();
        for bad in ["", " \n", "%PDF-1.7", "\"text\"", "[{\"a\":1}]", &good[..200], &format!("{good}\n{}", &good[..200])] {
            assert!(!run(bad.as_bytes()), "{bad}");
            assert!(!run(bad.as_bytes()), "the same once more: {bad}");
        }
        let half = packed(format!("{good}\n").repeat(3).as_bytes());
        assert!(!run(&half[..half.len() - 12]));
        for good in [good.clone(), "[]".to_owned(), "{\"version\":\"1.1\",\"releases\":[]}".to_owned(), format!("{good}\nnot json\n"), whole("ocds-213czf-1").to_string()] {
            assert!(run(good.as_bytes()), "{good}");
            assert!(run(good.as_bytes()), "the same once more: {good}");
        }
    }

    fn what_is_told_of_a_file_is_whole_after_it_was_broken_off(ward) {
        use wardbook::imports::{acts, rules::Kind, runs};
        use wardbook::web::actor::Actor;
        let of = |id: &str, date: &str| release("ocds-1", id, date, json!({"tender": {"value": {"amount": "7", "currency": "CNY"}}, "contracts": [{"id": "c", "awardID": "9"}], "x": 1})).to_string();
        let releases = [of("1", "2020-01-01"), of("1", "2020-01-01T00:00:00Z"), of("3", "2020-03-01")];
        let file = releases.join("\n");
        // Another ward reads the same without a break.
        let told = |import: &Value| { let mut all = found(&ward, import); all.sort(); all };
        let sha256: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(file.as_bytes()).into();
        let new = acts::NewImport { name: "a".into(), sha256, bytes: 1, kind: Kind::Ocds, waits: false };
        let (begun, _) = ward.context().db.write_and_wait(move |tx| acts::begin(tx, &Actor::system(), &new)).unwrap();
        let mut batch = acts::Batch::default();
        for release in &releases[..2] {
            assert_eq!(runs::taken_in("/0", release.as_bytes(), (false, false), &mut batch), runs::Came::Release);
        }
        let id = begun.id.clone();
        ward.context().db.write_and_wait(move |tx| acts::load(tx, &Actor::system(), &id, &batch)).unwrap();
        let resumed = import(&ward, file.clone());
        assert_eq!((&resumed["releases"], &resumed["releases_known"], &resumed["releases_added"]), (&json!(3), &json!(2), &json!(1)));
        let mut whole = told(&resumed);
        let count = |all: &[(String, String)], code: &str| all.iter().filter(|(one, _)| one == code).count();
        assert_eq!((count(&whole, "amount_as_text"), count(&whole, "unknown_member"), count(&whole, "date_without_time")), (3, 3, 2));
        assert_eq!((count(&whole, "release_id_reused"), count(&whole, "same_date"), count(&whole, "award_missing")), (1, 1, 1), "{whole:?}");
        // The same of another process, without a break, tells the same.
        let unbroken = import(&ward, file.replace("ocds-1", "ocds-2"));
        whole.sort();
        assert_eq!(told(&unbroken), whole);
        // In a file that was read to its end it is told once only.
        let again = import(&ward, format!("{file}\n"));
        assert_eq!(found(&ward, &again), []);
        assert_eq!(miscounted(&ward), Vec::<String>::new());
    }
}

/// What the verifier of spending says of what was imported.
fn lines(ward: &Ward) -> Vec<String> {
    let verdict = crate::spending::verdict(ward);
    if verdict.holds() {
        Vec::new()
    } else {
        vec![verdict.to_string()]
    }
}

on_both_sites! {
    fn an_import_that_is_killed_in_the_middle_comes_to_the_same_when_it_is_done_again(site) {
        use std::io::BufRead as _;
        let count = 1_500;
        let text = |order: &mut dyn Iterator<Item = usize>| -> String {
            order.map(|n| {
                let mut release = whole(&format!("ocds-{}", n / 2));
                release["id"] = json!(n.to_string());
                release["date"] = json!(format!("2022-02-{:02}T00:00:00Z", 1 + n % 2));
                release["contracts"][0]["value"]["amount"] = json!(1_000 + n);
                format!("{release}\n")
            }).collect()
        };
        let file = site.dir.path().join("releases.jsonl");
        std::fs::write(&file, text(&mut (0..count))).unwrap();
        let path = file.to_str().unwrap();
        let mut child = site.command(&["import", "ocds", path]).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        // It says how it goes on every second.
        let said = std::io::BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok).find(|line| line.contains(" releases, "));
        child.kill().unwrap();
        child.wait().unwrap();
        let said = said.expect("it had not ended");
        let before: usize = said.split(": ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!(before < count, "{said}");
        let run = || {
            let output = site.command(&["import", "ocds", path]).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        let done = run();
        assert!(done.contains(&format!("{count} releases")), "{done}");
        let known: usize = done.split(" added, ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!(known >= before, "{done} after {said}");
        assert!(run().contains("unchanged"));

        // In another order, at once, in a database of its own.
        let other = match &site.database {
            None => crate::process::Site::sqlite(),
            Some(_) => crate::process::Site::postgres().unwrap(),
        };
        let backwards = other.dir.path().join("backwards.jsonl");
        std::fs::write(&backwards, text(&mut (0..count).rev())).unwrap();
        let output = other.command(&["import", "ocds", backwards.to_str().unwrap()]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let [one, other] = [site, &other].map(|site| {
            let server = site.serve();
            ["supplier", "month", "category"].map(|by| server.get(&format!("/api/v1/spending?group_by={by}&source=imported&currency=DOP")))
        });
        assert_eq!(one, other);
        let totals: Value = serde_json::from_str(&one[0]).unwrap();
        // Of each contract what its last release says, less the thousand that was paid.
        let committed: usize = (0..count / 2).map(|n| 2 * n + 1).sum();
        assert_eq!(totals["totals"]["committed"], json!({"amount": format!("{committed}.00"), "currency": "DOP"}));
    }
}
