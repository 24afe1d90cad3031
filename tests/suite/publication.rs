//! Open contracting data: a whole life published step by step, nothing of a bid before its opening, nothing personal ever; releases that never change, pages that
//! skip nothing whoever writes meanwhile; and merging by the rules of the standard.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use wardbook::app::settings::{Environment, Settings};
use wardbook::publish::acts::keeps_prefix;
use wardbook::publish::rules_json::{Json, Object};
use wardbook::publish::rules_merge::{TAKEN_WHOLE, compiled, versioned};

use crate::addenda::addendum;
use crate::award_sequences::BRISK;
use crate::awards::{Case, go_to, why};
use crate::bids::{Bidder, DEADLINE, Tender, taken};
use crate::books::ok;
use crate::claims::{Counter, by_halves};
use crate::harness::Ward;
use crate::on_both;
use crate::organisations::{CODES, PRIVATE, sql};
use crate::planning::Desk;
use crate::publication_checks::{at, getting, holds, pages, publish, tags};
use crate::treasury::{made, posts};
use crate::variations;

fn fixtures() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ocds")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn releases_are_merged_as_the_standard_says() {
    let folder = fixtures().join("merge");
    let mut compared = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(stem) = name
            .strip_suffix(".json")
            .filter(|stem| !stem.ends_with("-compiled") && !stem.ends_with("-versioned"))
        else {
            continue;
        };
        let releases = match Json::parse(&read(&folder.join(&name))).unwrap() {
            Json::Array(values) => values,
            other => vec![other],
        };
        let releases: Vec<Object> = releases.iter().filter_map(Json::as_object).cloned().collect();
        for (kind, merged) in [
            ("compiled", compiled(&releases)),
            ("versioned", versioned(&releases)),
        ] {
            let expected = folder.join(format!("{stem}-{kind}.json"));
            if !expected.exists() {
                continue;
            }
            let expected: Value = serde_json::from_str(&read(&expected)).unwrap();
            let merged: Value = serde_json::from_str(&merged.unwrap().written()).unwrap();
            assert_eq!(merged, expected, "{stem}, {kind}");
            compared += 1;
        }
    }
    assert!(compared >= 30, "{compared}");
}

/// The paths at which the schema has arrays taken whole: those that say so, of anything but objects, or of objects without ids.
fn taken_whole(schema: &Value, properties: &Value, path: &str, found: &mut BTreeSet<String>) {
    let resolved = |value: &Value| match value["$ref"].as_str() {
        Some(reference) => schema.pointer(&reference[1..]).unwrap().clone(),
        None => value.clone(),
    };
    let is = |value: &Value, kind: &str| match &value["type"] {
        Value::String(only) => only == kind,
        Value::Array(kinds) => kinds.iter().any(|one| one == kind),
        _ => false,
    };
    for (name, value) in properties.as_object().unwrap() {
        let value = resolved(value);
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}/{name}")
        };
        if value["omitWhenMerged"] == json!(true) {
            continue;
        }
        if is(&value, "array") && value["wholeListMerge"] == json!(true) {
            found.insert(path);
        } else if is(&value, "object") && value["properties"].is_object() {
            taken_whole(schema, &value["properties"], &path, found);
        } else if is(&value, "array") && value["items"].is_object() {
            let items = resolved(&value["items"]);
            let kinds = match &items["type"] {
                Value::String(_) => 1,
                Value::Array(kinds) => kinds.len(),
                _ => 0,
            };
            if kinds > 0 && (kinds > 1 || !is(&items, "object")) {
                found.insert(path);
            } else if is(&items, "object") && items["properties"].is_object() {
                if items["properties"]["id"].is_null() {
                    found.insert(path);
                } else {
                    taken_whole(schema, &items["properties"], &path, found);
                }
            }
        }
    }
}

#[test]
fn arrays_that_are_taken_whole_are_those_of_the_schema() {
    let schema: Value = serde_json::from_str(&read(&fixtures().join("release-schema.json"))).unwrap();
    let mut found = BTreeSet::new();
    taken_whole(&schema, &schema["properties"], "", &mut found);
    let listed: BTreeSet<String> = TAKEN_WHOLE.iter().map(|path| (*path).to_owned()).collect();
    assert_eq!(found, listed);
}

#[test]
fn the_prefix_of_examples_is_for_trying_out_only() {
    let settings = |environment: Environment, prefix: &str| Settings {
        environment,
        ocds_prefix: prefix.to_owned(),
        ..Settings::default()
    };
    let publisher = |environment, prefix| settings(environment, prefix).publisher();
    let prefix_of = |environment, prefix| {
        publisher(environment, prefix)
            .unwrap()
            .prefix
            .map(|one| one.as_str().to_owned())
    };
    assert_eq!(prefix_of(Environment::Production, ""), None);
    assert_eq!(
        prefix_of(Environment::Development, ""),
        Some("ocds-213czf".to_owned())
    );
    assert_eq!(
        prefix_of(Environment::Production, "ocds-a1b2c3"),
        Some("ocds-a1b2c3".to_owned())
    );
    assert!(publisher(Environment::Production, "ocds-213czf").is_err());
    assert!(publisher(Environment::Development, "ocds-A1B2C3").is_err());
}

/// The body of an address that is there.
fn text(ward: &Ward, path: &str) -> String {
    let reply = ward.get(path);
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    reply.text.clone()
}

/// Everything that is published, in one text.
fn everything(ward: &Ward) -> String {
    let year = unpacked(&ward.ask("GET", "/ocds/bulk/2026.jsonl.gz").bytes());
    [
        text(ward, "/ocds/releases?limit=200"),
        text(ward, "/ocds/records?limit=20"),
        year,
    ]
    .concat()
}

fn unpacked(bytes: &[u8]) -> String {
    let mut out = String::new();
    GzDecoder::new(bytes).read_to_string(&mut out).unwrap();
    out
}

/// What became of the one process with a tender.
fn tender_of(releases: &[Object]) -> Vec<&Object> {
    releases
        .iter()
        .filter(|release| release.get("tender").is_some())
        .collect()
}

fn last_tags(releases: &[Object]) -> Vec<String> {
    let last = releases.last().unwrap();
    at(last, &["tag"])
        .iter()
        .map(|tag| tag.as_text().unwrap().to_owned())
        .collect()
}

fn word<'o>(object: &'o Object, path: &[&str]) -> Vec<&'o str> {
    at(object, path)
        .iter()
        .filter_map(|value| value.as_text())
        .collect()
}

on_both! { in "test";
    fn nothing_published_is_an_empty_package_and_files_are_there(ward) {
        for (path, member) in [("/ocds/releases", "releases"), ("/ocds/records", "records")] {
            assert_eq!(pages(&getting(&ward), path, member), Vec::<Object>::new());
            let reply = ward.get(path);
            assert_eq!((reply.header("content-type"), &reply.json()[member]), (Some("application/json"), &json!([])));
        }
        assert_eq!(unpacked(&ward.ask("GET", "/ocds/bulk/2026.jsonl.gz").bytes()), "");
        for path in ["/ocds/extension/extension.json", "/ocds/extension/release-schema.json", "/ocds/policy"] {
            text(&ward, path);
        }
        for (path, status) in [
            ("/ocds/bulk/26.jsonl.gz", 404), ("/ocds/bulk/20266.jsonl.gz", 404), ("/ocds/bulk/2026.json", 404), ("/ocds/bulk/-026.jsonl.gz", 404),
            ("/ocds/records/ocds-213czf-1", 404), ("/ocds/releases/ocds-213czf-1/ocds-213czf-1-1", 404), ("/ocds/releases?cursor=x", 400),
            ("/ocds/releases?limit=0", 400), ("/ocds/records?limit=21", 400), ("/ocds/releases?since=2026", 400), ("/ocds/releases?page=2", 400),
        ] {
            assert_eq!(ward.get(path).status, status, "{path}");
        }
    }

    fn nothing_of_a_bid_is_published_before_its_opening(ward) {
        let tender = Tender::new(&ward);
        let [jie, run, he] = [("洁城公司", CODES[0]), ("德润公司", CODES[1]), ("新禾公司", CODES[2])].map(|(name, code)| Bidder::new(&ward, name, code));
        let first = holds(&ward);
        assert_eq!(tags(&first), BTreeMap::from([("planning".to_owned(), 1), ("tender".to_owned(), 1)]));
        let mut bids = Vec::new();
        for (bidder, unit) in [(&jie, "501"), (&run, "403"), (&he, "407")] {
            let bid = bidder.bid(&ward, &tender, unit);
            let total = bid["total"]["amount"].as_str().unwrap().trim_end_matches(".00").to_owned();
            let taken = taken(&bidder.submits(&ward, &tender, &bid, None), 201);
            bids.push((bidder.id.clone(), taken["bid_id"].as_str().unwrap().to_owned(), total));
        }
        assert_eq!(holds(&ward).len(), first.len(), "a bid makes no release");
        let before = everything(&ward);
        for (bidder, bid, total) in &bids {
            for hidden in [bidder, bid, &format!("\"amount\":{total}")] {
                assert!(!before.contains(hidden.as_str()), "{hidden} is published before the opening");
            }
        }
        for hidden in ["洁城公司", "德润公司", "新禾公司", "tenderers", "numberOfTenderers", "\"bids\""] {
            assert!(!before.contains(hidden), "{hidden} is published before the opening");
        }
        go_to(&ward, DEADLINE);
        assert_eq!(holds(&ward).len(), first.len(), "and none of the clock's does");
        let book = tender.book["id"].as_str().unwrap();
        ok(&posts(&ward, &tender.office.officer, &format!("/contract-books/{book}/opening"), None));
        let releases = holds(&ward);
        assert_eq!((releases.len(), last_tags(&releases)), (first.len() + 1, vec!["tenderUpdate".to_owned()]));
        let opened = releases.last().unwrap();
        assert_eq!(word(opened, &["bids", "details", "status"]), ["pending"; 3]);
        let after = everything(&ward);
        for (bidder, bid, total) in &bids {
            for shown in [bidder, bid, &format!("\"amount\":{total}")] {
                assert!(after.contains(shown.as_str()), "{shown}");
            }
        }
        for private in PRIVATE {
            assert!(!after.contains(private), "{private}");
        }
    }

    fn what_is_planned_is_a_process_of_its_own(ward) {
        let desk = Desk::new(&ward);
        let planned = desk.published(&ward, &desk.content());
        let releases = holds(&ward);
        assert_eq!(last_tags(&releases), ["planning"]);
        assert!(releases[0].text("ocid").unwrap().ends_with(planned.strip_prefix("intention_").unwrap()));
        assert!(!everything(&ward).contains("0990-1234567") && !everything(&ward).contains("王磊"), "whom to ask is published elsewhere");
    }

    fn a_whole_life_is_published_step_by_step(ward) {
        let case = Case::until(&ward, 1, &BRISK, ("2027-04-30", variations::paid_monthly));
        let opened = holds(&ward);
        go_to(&ward, "2026-04-02T02:00:00Z");
        case.judged(&ward, 0, 1, &[1, 0, 2]);
        let award = made(&case.proposes(&ward, 0));
        ok(&case.decides(&ward, &award));
        assert_eq!(holds(&ward).len(), opened.len(), "a proposal and a decision are not public");
        ok(&case.notices(&ward, &award));
        let releases = holds(&ward);
        let noticed = releases.last().unwrap();
        assert_eq!(last_tags(&releases), ["tenderUpdate", "award"]);
        assert_eq!((word(noticed, &["awards", "status"]), word(noticed, &["tender", "status"])), (vec!["pending"], vec!["active"]));
        assert_eq!(word(noticed, &["bids", "details", "status"]), ["valid"; 3]);
        let ranks: Vec<String> = at(noticed, &["bids", "details", "evaluation", "totalScore"]).iter().map(|score| score.written()).collect();
        assert_eq!(ranks.into_iter().collect::<BTreeSet<_>>(), ["85.28", "87.81", "90.10"].map(str::to_owned).into());
        go_to(&ward, "2026-04-14T02:00:00Z");
        ok(&case.confirms(&ward, &award));
        let releases = holds(&ward);
        assert_eq!(last_tags(&releases), ["tenderUpdate", "awardUpdate"]);
        assert_eq!(word(releases.last().unwrap(), &["awards", "status"]), ["active"]);
        let (contract, hash) = case.prepared(&ward, &award);
        case.secures(&ward, 1, &contract, "114930.00");
        ok(&case.signs(&ward, &case.bidders[1].agent, (&contract, "supplier", &hash)));
        assert_eq!(holds(&ward).len(), releases.len(), "a contract that one party has signed is none");
        ok(&case.signs(&ward, &case.office.approver, (&contract, "buyer", &hash)));
        let releases = holds(&ward);
        let signed = releases.last().unwrap();
        assert_eq!(last_tags(&releases), ["contract"]);
        assert_eq!((word(signed, &["contracts", "id"]), word(signed, &["contracts", "status"])), (vec![contract.as_str()], vec!["active"]));
        assert_eq!(at(signed, &["contracts", "milestones"]).len(), 12);

        // More is agreed: once both have signed, it is public.
        let more = variations::asked("supplement", "6000.00", None);
        let variation = made(&variations::proposes(&ward, (&case, &contract), &more));
        ok(&variations::signs(&ward, &case, (&variation, "supplier")));
        assert_eq!(holds(&ward).len(), releases.len());
        ok(&variations::signs(&ward, &case, (&variation, "buyer")));
        let releases = holds(&ward);
        assert_eq!(last_tags(&releases), ["contractAmendment"]);
        let amended = releases.last().unwrap();
        assert_eq!(word(amended, &["contracts", "amendments", "releaseID"]), [amended.text("id").unwrap()]);
        assert_eq!(word(amended, &["contracts", "amendments", "amendsReleaseID"]), [signed.text("id").unwrap()]);
        assert_eq!(at(amended, &["contracts", "value", "amount"])[0].written(), "2304600");
        let once: BTreeSet<&str> = tender_of(&releases).iter().filter_map(|one| one.text("ocid")).collect();
        assert_eq!(once.len(), 1, "one process for a book");
    }

    fn what_was_paid_is_published_when_the_bank_has_confirmed_it(ward) {
        let counter = Counter::new(&ward, "2027-04-30", by_halves);
        publish(&ward);
        go_to(&ward, "2026-11-02T02:00:00Z");
        counter.accepts(1);
        let accepted = holds(&ward);
        // Whoever publishes in between makes two releases of it.
        let begun = accepted.iter().filter(|release| word(release, &["tag"]).contains(&"implementation"));
        assert_eq!(begun.count(), 1);
        assert_eq!(word(accepted.last().unwrap(), &["contracts", "implementation", "milestones", "status"]), ["met"]);
        let claim = counter.approved(&Counter::of_part("advance", "229860.00", "24312000000000000007"));
        ok(&counter.acts(&counter.executes, &claim, "execution"));
        assert_eq!(holds(&ward).len(), accepted.len(), "what was sent to the bank can still come back");
        ok(&counter.confirms(&counter.reconciles, &claim));
        let releases = holds(&ward);
        assert_eq!(last_tags(&releases), ["implementationUpdate"]);
        let paid = releases.last().unwrap();
        assert_eq!(at(paid, &["contracts", "implementation", "transactions", "value", "amount"])[0].written(), "229860");
        let roles: BTreeSet<&str> = word(paid, &["parties", "roles"]).into_iter().collect();
        assert_eq!(roles, BTreeSet::from(["buyer", "payee", "payer", "procuringEntity", "supplier", "tenderer"]));
        let all = everything(&ward);
        for private in ["6222021112345678903", "8903", "24312000000000000007", "2026061500012345"].into_iter().chain(PRIVATE) {
            assert!(!all.contains(private), "{private} is published");
        }
        assert!(!all.contains("user_"), "nobody's account is published");
    }

    fn an_addendum_and_a_cancellation_are_published_as_such(ward) {
        let tender = Tender::new(&ward);
        let first = holds(&ward);
        let (book, office) = (tender.book["id"].as_str().unwrap(), &tender.office);
        let body = addendum(&tender.book, |content| content["title_en"] = json!("Cleaning, once more"));
        let id = made(&posts(&ward, &office.officer, &format!("/contract-books/{book}/addenda"), Some(&body)));
        assert_eq!(holds(&ward).len(), first.len(), "what is drafted is not public");
        ok(&posts(&ward, &office.approver, &format!("/addenda/{id}/publication"), None));
        let amended = holds(&ward);
        assert_eq!(last_tags(&amended), ["tenderAmendment"]);
        let last = amended.last().unwrap();
        assert_eq!((word(last, &["tender", "title_en"]), at(last, &["tender", "amendments"]).len()), (vec!["Cleaning, once more"], 1));
        ok(&posts(&ward, &office.approver, &format!("/contract-books/{book}/cancellation"), Some(&why())));
        let releases = holds(&ward);
        assert_eq!(last_tags(&releases), ["tenderCancellation"]);
        assert_eq!(word(releases.last().unwrap(), &["tender", "status"]), ["cancelled"]);
    }

    fn a_release_never_changes_and_is_where_it_says(ward) {
        Tender::new(&ward);
        let releases = holds(&ward);
        for release in &releases {
            let (ocid, id) = (release.text("ocid").unwrap(), release.text("id").unwrap());
            let alone = pages(&getting(&ward), &format!("/ocds/releases/{ocid}/{id}"), "releases");
            assert_eq!(alone, std::slice::from_ref(release));
            assert_eq!(pages(&getting(&ward), &format!("/ocds/records/{ocid}"), "records").len(), 1);
            assert_eq!(ward.get(&format!("/ocds/releases/{ocid}x/{id}")).status, 404);
        }
        for statement in [
            "UPDATE ocds_releases SET content = '{}'", "DELETE FROM ocds_releases", "UPDATE ocds_releases SET released_at = '2026-01-01T00:00:00'",
            "UPDATE ocds_processes SET releases = releases + 2", "DELETE FROM ocds_processes", "UPDATE ocds_progress SET next_place = 0", "DELETE FROM ocds_progress",
        ] {
            assert!(sql(&ward, statement).is_err(), "{statement}");
        }
        let other = Settings { ocds_prefix: "ocds-a1b2c3".to_owned(), ..ward.house().settings.clone() }.publisher().unwrap();
        let same = ward.house().settings.publisher().unwrap();
        let db = &ward.context().db;
        assert!(db.read_and_wait(|conn| keeps_prefix(conn, &same)).is_ok());
        assert!(db.read_and_wait(|conn| keeps_prefix(conn, &other)).is_err(), "a prefix never changes");

        // The file of the year has the same, and when the last was made.
        let reply = ward.ask("GET", "/ocds/bulk/2026.jsonl.gz").send();
        assert_eq!((reply.header("content-type"), reply.header("last-modified").map(str::len)), (Some("application/gzip"), Some(29)));
        let lines = unpacked(&ward.ask("GET", "/ocds/bulk/2026.jsonl.gz").bytes());
        let lines: Vec<String> = lines.lines().map(str::to_owned).collect();
        assert_eq!(lines, releases.iter().map(Object::written).collect::<Vec<_>>());
        assert_eq!(unpacked(&ward.ask("GET", "/ocds/bulk/2025.jsonl.gz").bytes()), "");
    }

    fn pages_skip_nothing_while_others_write_and_publish(ward) {
        let desk = Desk::new(&ward);
        let done = AtomicBool::new(false);
        let seen = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| {
                    for _ in 0..12 {
                        desk.published(&ward, &desk.content());
                    }
                }))
                .collect();
            // Two who publish at once, as two instances do.
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Ordering::SeqCst) {
                        let _ = ward.house().publish_all();
                    }
                });
            }
            // A reader that follows the list from page to page, and waits at its end for more.
            let reader = scope.spawn(|| {
                let mut seen: Vec<String> = Vec::new();
                let mut next = "/ocds/releases?limit=2".to_owned();
                loop {
                    let over = done.load(Ordering::SeqCst);
                    let page = ward.get(&next).json();
                    let here: Vec<String> = page["releases"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
                    match page["links"]["next"].as_str() {
                        Some(link) => {
                            seen.extend(here);
                            next = link.strip_prefix("http://ward.test").unwrap().to_owned();
                        }
                        // The last page is read again until it is full or nobody writes any more.
                        None if over => {
                            seen.extend(here);
                            return seen;
                        }
                        None => {}
                    }
                }
            });
            for writer in writers {
                writer.join().unwrap();
            }
            publish(&ward);
            done.store(true, Ordering::SeqCst);
            reader.join().unwrap()
        });
        let all: Vec<String> = holds(&ward).iter().map(|release| release.text("id").unwrap().to_owned()).collect();
        assert_eq!((seen.len(), seen.clone()), (36, all));

        // Backward it is the same.
        let last = ward.get("/ocds/releases?limit=200").json();
        assert!(last["links"].is_null());
        let mut back: Vec<Vec<String>> = Vec::new();
        let mut next = "/ocds/releases?limit=5&since=2100-01-01T00:00:00Z".to_owned();
        loop {
            let page = ward.get(&next).json();
            back.push(page["releases"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect());
            match page["links"]["prev"].as_str() {
                Some(link) => next = link.strip_prefix("http://ward.test").unwrap().to_owned(),
                None => break,
            }
        }
        back.reverse();
        let back: BTreeSet<String> = back.concat().into_iter().collect();
        assert_eq!(back, seen.into_iter().collect());
    }

    fn what_was_made_since_is_asked_for_by_its_instant(ward) {
        let desk = Desk::new(&ward);
        desk.published(&ward, &desk.content());
        publish(&ward);
        go_to(&ward, "2026-03-05T00:00:00Z");
        let later = desk.published(&ward, &desk.content());
        publish(&ward);
        let ids = |since: &str| -> Vec<String> {
            let found = pages(&getting(&ward), &format!("/ocds/releases?since={since}"), "releases");
            found.iter().map(|one| one.text("ocid").unwrap().to_owned()).collect()
        };
        assert_eq!(ids("2026-03-01T00:00:00Z").len(), 2);
        assert_eq!(ids("2026-03-03T00:00:00Z"), [format!("ocds-213czf-{}", later.strip_prefix("intention_").unwrap())]);
        assert_eq!(ids("2026-03-06T00:00:00Z").len(), 0);
        let records = pages(&getting(&ward), "/ocds/records?since=2026-03-03T00:00:00Z", "records");
        assert_eq!(records.len(), 1);
    }
}

/// The lines of a table, without the one that names the columns.
fn table(ward: &Ward, name: &str, year: u32) -> Vec<String> {
    let text = text(ward, &format!("/ocds/tables/{name}/{year}.csv"));
    let mut lines = text.split_terminator("\r\n").map(str::to_owned);
    assert!(lines.next().is_some_and(|head| head.contains("_id")), "{name}");
    lines.collect()
}

on_both! { in "test";
    fn tables_feeds_and_calendars_say_what_is_public(ward) {
        for table in ["books", "lots", "awards", "contracts", "periods", "payments", "suppliers"] {
            assert_eq!(self::table(&ward, table, 2026), Vec::<String>::new());
        }
        let case = Case::with(&ward, 1, &BRISK, variations::paid_monthly);
        publish(&ward);
        let book = table(&ward, "books", 2026);
        assert!(book.len() == 1 && book[0].contains(&case.book) && book[0].contains(",2350200.00,") && book[0].ends_with(",3"), "{book:?}");
        assert!(table(&ward, "lots", 2026)[0].ends_with(",active,2350200.00,3"));
        assert_eq!(table(&ward, "awards", 2026), Vec::<String>::new());
        assert!(!text(&ward, "/ocds/feeds/awards.atom").contains("<entry>"));
        let contract = case.signed(&ward);
        publish(&ward);
        let contracts = table(&ward, "contracts", 2026);
        assert!(contracts.len() == 1 && contracts[0].contains(&contract) && contracts[0].contains(",2298600.00,") && contracts[0].ends_with(",0.00"), "{contracts:?}");
        assert!(table(&ward, "awards", 2026)[0].contains(",active,"));
        assert_eq!((table(&ward, "periods", 2026).len(), table(&ward, "periods", 2027).len()), (8, 4));
        assert_eq!(table(&ward, "suppliers", 2026), [format!("{},{}", case.bidders[1].id, "洁城公司,1,1,2298600.00,0,0.00")]);
        for path in ["/ocds/tables/books/26.csv", "/ocds/tables/books/2026.xlsx", "/ocds/tables/bids/2026.csv", "/ocds/feeds/bids.atom"] {
            assert_eq!(ward.get(path).status, 404, "{path}");
        }
        assert_eq!(ward.get("/ocds/tables/books/2026.csv").header("content-type"), Some("text/csv; charset=utf-8"));

        for (feed, named) in [("books", case.book.as_str()), ("awards", "2298600 CNY"), ("contracts", "2298600 CNY")] {
            let reply = ward.get(&format!("/ocds/feeds/{feed}.atom"));
            assert_eq!(reply.header("content-type"), Some("application/atom+xml; charset=utf-8"));
            assert!(reply.text.matches("<entry>").count() == 1 && reply.text.contains(named), "{feed}: {}", reply.text);
        }
        let of_category = |category: &str| text(&ward, &format!("/ocds/feeds/books.atom?category={category}")).matches("<entry>").count();
        assert_eq!((of_category(crate::treasury::CATEGORY), of_category("greening")), (1, 0));
        assert_eq!(ward.get("/ocds/feeds/books.atom?area_id=x").status, 400);

        let calendar = text(&ward, &format!("/api/v1/contract-books/{}/calendar", case.book));
        assert!(calendar.contains("DTSTART:20260401T010000Z\r\n") && calendar.contains("DTSTART;VALUE=DATE:20260501\r\n"), "{calendar}");
        let draft = case.office.drafts(&ward, &crate::books::begun(&case.office.treasury, &case.office.line));
        let of_draft = format!("/contract-books/{draft}/calendar");
        assert_eq!(crate::treasury::gets(&ward, &case.office.officer, &of_draft).status, 404, "a calendar shows no drafts");
    }

    fn whoever_follows_changes_misses_none(ward) {
        let desk = Desk::new(&ward);
        let first = ward.get("/api/v1/changes").json();
        assert_eq!((&first["items"], &first["has_more"]), (&json!([]), &json!(false)));
        let mut cursor = first["cursor"].as_str().unwrap().to_owned();
        let mut seen = Vec::new();
        for round in 0..3 {
            for _ in 0..=round {
                desk.published(&ward, &desk.content());
            }
            publish(&ward);
            loop {
                let page = ward.get(&format!("/api/v1/changes?limit=2&cursor={cursor}")).json();
                page["cursor"].as_str().unwrap().clone_into(&mut cursor);
                seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["sequence"].as_i64().unwrap()));
                if page["has_more"] == json!(false) {
                    break;
                }
            }
        }
        assert_eq!(seen, (1..=6).collect::<Vec<_>>());
        let all = ward.get("/api/v1/changes").json();
        let item = &all["items"][0];
        assert_eq!((&item["tags"], item["subject_id"].as_str().unwrap().starts_with("intention_")), (&json!(["planning"]), true));
        let path = item["url"].as_str().unwrap().strip_prefix("http://ward.test").unwrap();
        assert_eq!(ward.get(path).json()["releases"][0]["id"], item["release_id"]);
        assert_eq!(ward.get("/api/v1/changes?cursor=x").status, 400);
    }
}
