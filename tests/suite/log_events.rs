//! Events as people read them: filtered, paged while others write, and exported.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant as Stopwatch;

use serde_json::{Value, json};
use wardbook::audit::entry::Event;
use wardbook::audit::store;
use wardbook::web::actor::Actor;
use wardbook::web::policy::Role;

use crate::harness::{Reply, Ward, account};
use crate::logbook::{content, import, number};
use crate::on_both;

/// Records an event of somebody in this role; gives its id.
pub fn record(ward: &Ward, by: Role, kind: &'static str, subject: &str, private: Value) -> String {
    let event = Event {
        kind,
        subject: subject.to_owned(),
        data: json!({ "public": kind }),
        private,
    };
    let actor = Actor::signed_in(account(by), vec![by]);
    let written = ward
        .context()
        .db
        .write_and_wait(move |tx| store::append(tx, &actor, &event));
    ward.settle();
    written.unwrap().to_string()
}

fn ask(ward: &Ward, by: Role, query: &str) -> Reply {
    ward.ask("GET", &format!("/api/v1/audit/events{query}"))
        .by(by)
        .send()
}

/// The ids of the events that a query finds, all on one page, without what auditors who have asked left among them.
fn ids(ward: &Ward, by: Role, query: &str) -> Vec<String> {
    let reply = ask(ward, by, query);
    assert_eq!(reply.status, 200, "{}", reply.text);
    let json = reply.json();
    assert_eq!(json["next_cursor"], json!(null));
    json["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["entry"]["type"] != "auditor.looked")
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect()
}

/// How many events have their place.
fn placed(ward: &Ward) -> i64 {
    number(ward, "SELECT max(size) FROM audit_checkpoints").unwrap()
}

fn hour_later(ward: &Ward) -> String {
    let clock = &ward.context().clock;
    let later = clock.now() + chrono::Duration::hours(1);
    assert!(clock.advance(later));
    later.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// Follows the cursors to the end; gives the places of all events.
fn walk(ward: &Ward, query: &str, mut at_each_page: impl FnMut(usize)) -> Vec<i64> {
    let (mut places, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let reply = ask(ward, Role::Public, &format!("?{query}{cursor}"));
        assert_eq!(reply.status, 200, "{}", reply.text);
        let page = reply.json();
        places.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|event| event["index"].as_i64().unwrap()),
        );
        let Some(next) = page["next_cursor"].as_str() else {
            return places;
        };
        let link = reply.header("link").unwrap();
        assert!(link.contains(next) && link.contains("rel=\"next\""), "{link}");
        cursor = format!("&cursor={next}");
        at_each_page(pages);
        pages += 1;
    }
}

fn export(ward: &Ward, by: Role, accept: &str, query: &str) -> Reply {
    let reply = ward
        .ask("GET", &format!("/api/v1/audit/export{query}"))
        .by(by)
        .header("accept", accept)
        .send();
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply
}

/// The lines of an export as JSON Lines, without what auditors who have asked left in it.
fn lines(reply: &Reply) -> Vec<Value> {
    assert!(reply.text.is_empty() || reply.text.ends_with('\n'));
    reply
        .text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|event: &Value| event["entry"]["type"] != "auditor.looked")
        .collect()
}

fn table(reply: &Reply) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(reply.text.as_bytes());
    let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let header = cells(reader.headers().unwrap());
    (
        header,
        reader
            .records()
            .map(|record| cells(&record.unwrap()))
            .filter(|row| row[3] != "auditor.looked")
            .collect(),
    )
}

const HEADER: [&str; 8] = ["index", "id", "at", "type", "subject", "data", "actor", "private"];

on_both! {
    fn filters_find_what_fits_all_of_them(ward) {
        ward.settle();
        let started = ids(&ward, Role::Public, "")[0].clone();
        let first = record(&ward, Role::Registrar, "note.made", "thing_1", Value::Null);
        let noon = hour_later(&ward);
        let second = record(&ward, Role::Registrar, "note.kept", "thing_2", Value::Null);
        let third = record(&ward, Role::Auditor, "note.made", "thing_2", Value::Null);
        let evening = hour_later(&ward);
        // Names that begin alike are not of the same kind.
        let near = ["note", "noted.made", "notes.made", "note/made", "note-made"].map(|kind| record(&ward, Role::Admin, kind, "thing_3", Value::Null));
        let night = hour_later(&ward);

        let find = |query: &str| ids(&ward, Role::Auditor, query);
        let made = [started.as_str(), &first, &second, &third].map(str::to_owned);
        let all = [&made[..], &near[..]].concat();
        assert_eq!(find(""), all);
        assert_eq!(find("?sort=index"), all);
        assert_eq!(find("?sort=-index"), all.iter().rev().cloned().collect::<Vec<_>>());
        // From an instant on, and before one.
        assert_eq!(find(&format!("?from={noon}")), all[2..]);
        assert_eq!(find(&format!("?to={noon}")), all[..2]);
        assert_eq!(find(&format!("?from={noon}&to={evening}")), all[2..4]);
        assert!(find(&format!("?from={night}")).is_empty());
        assert_eq!(find("?subject=thing_2"), all[2..4]);
        assert!(find("?subject=thing").is_empty());
        assert_eq!(find("?type=note.made"), [first.clone(), third.clone()]);
        assert_eq!(find("?type=note.*"), [first.clone(), second.clone(), third.clone()]);
        assert_eq!(find("?type=note"), near[..1]);
        assert!(find("?type=note.mad").is_empty());
        assert_eq!(find(&format!("?actor={}", account(Role::Registrar))), [first.clone(), second.clone()]);
        assert_eq!(find("?actor=system"), [started]);
        assert_eq!(find(&format!("?actor={}&subject=thing_2&type=note.*&from={noon}&to={evening}&sort=-index", account(Role::Auditor))), [third]);
        assert!(find(&format!("?actor={}&type=note.made&from={noon}", account(Role::Registrar))).is_empty());

        for bad in ["?from=yesterday", "?sort=at", "?limit=0", "?limit=201", "?cursor=nonsense", "?kind=note.made", "?subject=a&subject=b"] {
            let reply = ask(&ward, Role::Auditor, bad);
            assert_eq!((reply.status, reply.code().as_str()), (400, "malformed"), "{bad}");
        }
        // A cursor belongs to the question it was given for.
        let page = ask(&ward, Role::Auditor, "?limit=1&type=note.made").json();
        let cursor = page["next_cursor"].as_str().unwrap();
        assert_eq!(ask(&ward, Role::Auditor, &format!("?limit=1&type=note.kept&cursor={cursor}")).status, 400);
        assert_eq!(ask(&ward, Role::Auditor, &format!("?limit=1&type=note.made&sort=-index&cursor={cursor}")).status, 400);
        assert_eq!(ask(&ward, Role::Auditor, &format!("?limit=9&type=note.made&cursor={cursor}")).status, 200);
    }

    fn paging_skips_and_repeats_nothing_while_others_write(ward) {
        import(&ward, 1, 60);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            for writer in 0..3 {
                let (ward, done) = (&ward, &done);
                scope.spawn(move || {
                    let mut at = 0;
                    while !done.load(Ordering::SeqCst) && at < 2_000 {
                        ward.area(None, &format!("城{writer}-{at}"));
                        at += 1;
                    }
                });
            }
            // Oldest first, as far as the log reaches by then; a page at a time, with others writing in between.
            let up = walk(&ward, "limit=3", |page| {
                let begun = Stopwatch::now();
                while page == 5 && placed(&ward) <= 61 {
                    assert!(begun.elapsed().as_secs() < 60, "nobody writes");
                    thread::yield_now();
                }
                if page == 60 {
                    done.store(true, Ordering::SeqCst);
                }
            });
            done.store(true, Ordering::SeqCst);
            let expected: Vec<i64> = (0..i64::try_from(up.len()).unwrap()).collect();
            assert_eq!(up, expected);
            assert!(up.len() > 61, "{}", up.len());
        });
        ward.settle();
        // Newest first, from where the log stood at the first page; what comes meanwhile is newer and not asked for.
        let newest = walk(&ward, "limit=1&sort=-index", |page| if page < 20 { ward.area(None, &format!("村{page}")); });
        let expected: Vec<i64> = (0..i64::try_from(newest.len()).unwrap()).rev().collect();
        assert_eq!(newest, expected);
        // A page that is exactly full says that it is the last.
        let size = newest.len() + 20;
        ward.settle();
        let whole = walk(&ward, "limit=1&subject=log", |_| panic!("there is no second page"));
        assert_eq!(whole, [0]);
        assert_eq!(walk(&ward, "limit=200", |_| {}).len(), size);
    }

    fn an_export_of_many_pages_is_one_list_and_one_table(ward) {
        // Exactly two pages of the export, so that the third is empty.
        import(&ward, 1, 990);
        for name in ["一", "二", "三", "四", "五", "六", "七"] {
            ward.area(None, name);
        }
        record(&ward, Role::Registrar, "note.made", "a, \"quoted\"\nsubject", json!({"phone": "13800000000"}));
        record(&ward, Role::Registrar, "note.made", "=1+1", json!("秘密"));
        let all = lines(&export(&ward, Role::Auditor, "application/jsonl", ""));
        assert_eq!(all.len(), 1_000);
        for (at, event) in (0..).zip(&all) {
            assert_eq!(event["index"], json!(at));
        }
        // The same as in the list.
        let listed = ask(&ward, Role::Auditor, "?limit=200").json();
        assert_eq!(listed["items"].as_array().unwrap()[..], all[..200]);

        let reply = export(&ward, Role::Auditor, "text/csv", "");
        assert_eq!(reply.header("content-type"), Some("text/csv; charset=utf-8"));
        assert!(reply.header("content-disposition").unwrap().contains("events.csv"));
        let (header, rows) = table(&reply);
        assert_eq!(header, HEADER);
        assert_eq!(rows.len(), 1_000);
        assert_eq!(reply.text.matches("index,id,at").count(), 1);
        for (event, row) in all.iter().zip(&rows) {
            let entry = &event["entry"];
            assert_eq!(row[0], event["index"].to_string());
            assert_eq!([&row[1], &row[2], &row[3], &row[4]], ["id", "at", "type", "subject"].map(|name| entry[name].as_str().unwrap()));
            assert_eq!(serde_json::from_str::<Value>(&row[5]).unwrap(), entry["data"]);
            assert_eq!(row[6], event["opened"]["actor"].as_str().unwrap());
            let private = event["opened"]["content"].as_str().unwrap();
            assert_eq!(row[7], if private == "null" { "" } else { private });
        }
        assert_eq!(rows[998][7], "{\"phone\":\"13800000000\"}");

        // One page and one more, filtered and turned round.
        let some = lines(&export(&ward, Role::Public, "*/*", "?type=area.*&sort=-index"));
        assert_eq!(some.len(), 997);
        assert_eq!((&some[0]["index"], &some[996]["index"]), (&json!(997), &json!(1)));
        let none = export(&ward, Role::Auditor, "text/csv", "?subject=nobody");
        assert_eq!(table(&none), (HEADER.map(str::to_owned).to_vec(), Vec::new()));
        assert_eq!(export(&ward, Role::Auditor, "application/jsonl", "?subject=nobody").text, "");
        // Who may not open an event exports it closed.
        for by in [Role::Public, Role::Admin] {
            let closed = export(&ward, by, "text/csv", "?type=note.*");
            assert!(!closed.text.contains("13800000000") && !closed.text.contains(&account(Role::Registrar)), "{}", closed.text);
            let (_, rows) = table(&closed);
            assert_eq!((rows.len(), rows[0][6].as_str(), rows[0][7].as_str()), (2, "", ""));
        }
        let wrong = ward.ask("GET", "/api/v1/audit/export").header("accept", "image/png").send();
        assert_eq!(wrong.status, 406);
        let wrong = ward.ask("GET", "/api/v1/audit/export?limit=3").send();
        assert_eq!(wrong.status, 400);
    }

    fn an_entry_is_shown_as_the_bytes_that_were_signed(ward) {
        let id = record(&ward, Role::Registrar, "note.made", "thing \u{7}\"\\ 字", json!({"z": 1, "a": [1.50, "é"]}));
        let bundle = content(&ward, "tile/entries/000.p/2");
        let bundle = String::from_utf8_lossy(&bundle).into_owned();
        let start = bundle.find(&format!("{{\"v\":1,\"id\":\"{id}\"")).unwrap();
        let entry = &bundle[start..];
        for by in [Role::Public, Role::Auditor] {
            let read = ward.ask("GET", &format!("/api/v1/audit/events/{id}")).by(by).send();
            assert!(read.text.contains(&format!("\"entry\":{entry}")), "{}", read.text);
            assert!(ask(&ward, by, "").text.contains(entry));
            assert!(export(&ward, by, "*/*", "").text.contains(entry));
        }
        assert_eq!(ward.get("/api/v1/audit/events/event_01jd3n8f5teqkrzvq1c0m6h2ax").status, 404);
        assert_eq!(ward.get("/api/v1/audit/events/nonsense").status, 404);
    }
}
