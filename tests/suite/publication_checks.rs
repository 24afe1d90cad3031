//! What has to hold of everything that is published as open contracting data, whatever has happened in a ward: read over HTTP page by page as anybody would, and
//! looked through for what publishers get wrong. Tests of whole lifecycles end in it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::sync::OnceLock;

use flate2::read::GzDecoder;
use serde_json::Value;
use wardbook::publish::rules_json::{Json, Object};
use wardbook::publish::rules_merge::{compiled, versioned};
use wardbook::publish::rules_release::body;

use crate::harness::Ward;

/// The schema of releases, with our extensions.
const SCHEMA: &str = include_str!("../fixtures/ocds/release-schema.json");
/// Pages that one reading takes at most.
const PAGES_MAX: usize = 500;

/// What an address answers: the status, and the body.
pub type Get<'g> = &'g dyn Fn(&str) -> (u16, String);

/// Names a file for the pages of all that is published, as [`kept`] writes them.
const OUT: &str = "WARDBOOK_TEST_OCDS_OUT";
/// The tables of a year.
const TABLES: [&str; 7] = [
    "books",
    "lots",
    "awards",
    "contracts",
    "periods",
    "payments",
    "suppliers",
];

/// Publishes what there is, and checks all that is published.
pub fn holds(ward: &Ward) -> Vec<Object> {
    publish(ward);
    all_holds(&getting(ward))
}

/// Publishes what there is, as the service does every few seconds.
pub fn publish(ward: &Ward) {
    ward.settle();
    // The service publishes too, and of two at once one may be told to try again.
    let mut tries = (0..20).map(|_| ward.house().publish_all());
    assert!(tries.any(|done| done.is_ok()), "nothing could be published");
}

/// Asks a ward.
pub fn getting(ward: &Ward) -> impl Fn(&str) -> (u16, String) {
    |path| {
        let reply = ward.get(path);
        (reply.status, reply.text.clone())
    }
}

/// The pages of a list, from an address to its end.
fn texts(ward: &Ward, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = path.to_owned();
    for _ in 0..PAGES_MAX {
        let page = ward.get(&at);
        assert_eq!(page.status, 200, "{at}: {}", page.text);
        // A table or a feed has no further page.
        let read: Value = serde_json::from_str(&page.text).unwrap_or_default();
        let next = match (&read["links"]["next"], &read["has_more"]) {
            (Value::String(next), _) => Some(path_of(next).to_owned()),
            (_, Value::Bool(true)) => Some(format!("{path}&cursor={}", read["cursor"].as_str().unwrap())),
            _ => None,
        };
        found.push(page.text.clone());
        match next {
            Some(next) => at = next,
            None => return found,
        }
    }
    panic!("{path} has no last page")
}

/// Everything that is published, in one text: each page of releases, records and changes, the files and tables of these years, and the feeds.
pub fn everything(ward: &Ward, years: &[u32]) -> String {
    let mut all = String::new();
    for list in [
        "/ocds/releases?limit=200",
        "/ocds/records?limit=20",
        "/api/v1/changes?limit=200",
    ] {
        all.push_str(&texts(ward, list).concat());
    }
    for year in years {
        let bytes = ward.ask("GET", &format!("/ocds/bulk/{year}.jsonl.gz")).bytes();
        GzDecoder::new(bytes.as_slice()).read_to_string(&mut all).unwrap();
        for table in TABLES {
            all.push_str(&texts(ward, &format!("/ocds/tables/{table}/{year}.csv"))[0]);
        }
    }
    for feed in ["books", "awards", "contracts"] {
        all.push_str(&texts(ward, &format!("/ocds/feeds/{feed}.atom"))[0]);
    }
    all
}

/// Writes the pages of releases and records into the file that the environment names, if it names one, for other checkers.
pub fn kept(ward: &Ward) {
    if let Some(file) = std::env::var_os(OUT) {
        let mut pages = texts(ward, "/ocds/releases?limit=200");
        pages.extend(texts(ward, "/ocds/records?limit=20"));
        std::fs::write(file, format!("[{}]", pages.join(","))).unwrap();
    }
}

fn object(text: &str) -> Object {
    match Json::parse(text).unwrap() {
        Json::Object(object) => object,
        other => panic!("{other:?} is no object"),
    }
}

/// The path of an address of the service.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").unwrap().1;
    &rest[rest.find('/').unwrap()..]
}

/// The objects of all pages of a list, forward; and the same backward.
pub fn pages(get: Get<'_>, path: &str, member: &str) -> Vec<Object> {
    let mut found = Vec::new();
    let mut at = path.to_owned();
    for _ in 0..PAGES_MAX {
        let (status, text) = get(&at);
        assert_eq!(status, 200, "{at}: {text}");
        let package = object(&text);
        head_holds(&package, &at);
        let here: Vec<Object> = package.objects(member).cloned().collect();
        let newest = here
            .iter()
            .filter_map(|one| one.text("date"))
            .max()
            .unwrap_or_default();
        assert!(package.text("publishedDate").unwrap() >= newest, "{at}");
        found.extend(here);
        let links = package.get("links").and_then(Json::as_object);
        match links.and_then(|links| links.text("next")) {
            Some(next) => at = path_of(next).to_owned(),
            None => return found,
        }
    }
    panic!("{path} has no last page")
}

fn head_holds(package: &Object, at: &str) {
    assert_eq!(package.text("version"), Some("1.1"));
    for name in ["uri", "publishedDate", "license", "publicationPolicy"] {
        assert!(
            package.text(name).is_some_and(|text| !text.is_empty()),
            "{at}: {name}"
        );
    }
    assert_eq!(path_of(package.text("uri").unwrap()), at);
    let publisher = package.get("publisher").and_then(Json::as_object).unwrap();
    for name in ["name", "scheme", "uid", "uri"] {
        assert!(publisher.text(name).is_some(), "{at}: publisher.{name}");
    }
    assert!(package.get("extensions").and_then(Json::as_array).is_some());
}

/// Reads everything and checks it. What it read are the releases.
pub fn all_holds(get: Get<'_>) -> Vec<Object> {
    let releases = pages(get, "/ocds/releases?limit=7", "releases");
    let mut seen = BTreeMap::<String, Vec<Object>>::new();
    let mut dates = BTreeSet::new();
    let mut ids = BTreeSet::new();
    let mut last = String::new();
    for release in &releases {
        let (id, date) = (release.text("id").unwrap(), release.text("date").unwrap());
        let ocid = release.text("ocid").unwrap();
        assert!(ids.insert(id.to_owned()), "{id} twice");
        assert!(
            dates.insert(date.to_owned()) && *date > *last,
            "{id}: {date} after {last}"
        );
        date.clone_into(&mut last);
        assert!(ocid.starts_with("ocds-213czf-"), "{ocid}");
        one_holds(release);
        let before = seen.entry(ocid.to_owned()).or_default();
        if let Some(previous) = before.last() {
            follows(previous, release);
        }
        before.push(release.clone());
    }
    for releases in seen.values() {
        let merged = compiled(releases).unwrap();
        nothing_is_empty(&Json::Object(merged.clone()), "compiled", false);
        process_holds(releases, &merged);
    }
    records_hold(get, &seen);
    releases
}

/// What each release has to be by itself.
fn one_holds(release: &Object) {
    let id = release.text("id").unwrap();
    fits_schema(release);
    nothing_is_empty(&Json::Object(release.clone()), id, true);
    values_hold(&Json::Object(release.clone()), id, release.text("date").unwrap());
    references_hold(release, id);
    let tags = release.get("tag").and_then(Json::as_array).unwrap();
    assert!(!tags.is_empty(), "{id}");
    for tag in tags.iter().filter_map(Json::as_text) {
        let section = ["planning", "tender", "award", "contract"]
            .into_iter()
            .find(|section| tag.starts_with(section));
        let name = match section {
            Some("award") => "awards",
            Some("contract") => "contracts",
            Some(other) => other,
            None => "contracts",
        };
        assert!(release.get(name).is_some(), "{id}: {tag} without {name}");
    }
}

fn schema() -> &'static Value {
    static SCHEMA_READ: OnceLock<Value> = OnceLock::new();
    SCHEMA_READ.get_or_init(|| serde_json::from_str(SCHEMA).unwrap())
}

fn fits_schema(release: &Object) {
    static VALIDATOR: OnceLock<jsonschema::Validator> = OnceLock::new();
    let validator = VALIDATOR.get_or_init(|| jsonschema::draft4::new(schema()).unwrap());
    let read: Value = serde_json::from_str(&release.written()).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(&read)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{:?}: {faults:#?}", release.text("id"));
    is_described(&read, schema(), "");
}

/// Whether the schema describes every member: what it does not describe, nobody can read.
fn is_described(value: &Value, described: &Value, at: &str) {
    let described = match described["$ref"].as_str() {
        Some(reference) => schema().pointer(&reference[1..]).unwrap(),
        None => described,
    };
    match value {
        Value::Object(members) => {
            if at.ends_with("/dimensions") {
                return;
            }
            for (name, value) in members {
                let known = &described["properties"][name];
                let is_translated = name.strip_suffix("_en").is_some_and(|plain| {
                    described["patternProperties"].as_object().is_some_and(|all| {
                        all.keys()
                            .any(|pattern| pattern.starts_with(&format!("^({plain}_")))
                    })
                });
                assert!(known.is_object() || is_translated, "{at}/{name} is not described");
                if known.is_object() {
                    is_described(value, known, &format!("{at}/{name}"));
                }
            }
        }
        Value::Array(values) => {
            for value in values {
                is_described(value, &described["items"], at);
            }
        }
        _ => {}
    }
}

fn nothing_is_empty(value: &Json, at: &str, may_unset: bool) {
    match value {
        Json::Null => assert!(may_unset, "{at}: null"),
        Json::Text(text) => assert!(!text.is_empty() && text.trim() == text, "{at}: {text:?}"),
        Json::Array(values) => {
            assert!(!values.is_empty(), "{at}: an empty array");
            for value in values {
                nothing_is_empty(value, at, may_unset);
            }
        }
        Json::Object(members) => {
            assert!(!members.is_empty(), "{at}: an empty object");
            for (name, value) in members.members() {
                nothing_is_empty(value, &format!("{at}/{name}"), may_unset);
            }
        }
        Json::Bool(_) | Json::Number(_) => {}
    }
}

const DATES: [&str; 11] = [
    "date",
    "startDate",
    "endDate",
    "dueDate",
    "dateSigned",
    "dateMet",
    "dateModified",
    "datePublished",
    "dateAnswered",
    "maxExtentDate",
    "releaseDate",
];
/// What may lie in the future.
const PLANNED: [&str; 3] = ["startDate", "endDate", "dueDate"];

fn is_instant(text: &str) -> bool {
    text.len() == 27 && text.ends_with('Z') && text.as_bytes()[10] == b'T' && text.as_bytes()[19] == b'.'
}

/// Dates of one form, amounts with a currency and at most two decimals, ids that are texts and that no two of an array share.
fn values_hold(value: &Json, at: &str, date: &str) {
    match value {
        Json::Object(members) => {
            if let Some(amount) = members
                .get("amount")
                .filter(|amount| amount.as_object().is_none())
            {
                let Json::Number(amount) = amount else {
                    panic!("{at}: {amount:?} is no amount")
                };
                let decimals = amount.split_once('.').map_or(0, |(_, decimals)| decimals.len());
                assert!(decimals == 0 || decimals == 2, "{at}: {amount}");
                assert_eq!(members.text("currency"), Some("CNY"), "{at}");
            }
            for (name, value) in members.members() {
                let here = format!("{at}/{name}");
                if let (true, Json::Text(text)) = (DATES.contains(&name), value) {
                    assert!(is_instant(text), "{here}: {text}");
                    let is_planned = PLANNED.contains(&name);
                    assert!(is_planned || text.as_str() <= date, "{here}: {text} after {date}");
                }
                assert!(
                    name != "id" || matches!(value, Json::Text(_)),
                    "{here}: {value:?}"
                );
                values_hold(value, &here, date);
            }
            if let (Some(start), Some(end)) = (members.text("startDate"), members.text("endDate")) {
                assert!(start <= end, "{at}: {start} to {end}");
            }
        }
        Json::Array(values) => {
            let objects: Vec<&Object> = values.iter().filter_map(Json::as_object).collect();
            let ids: BTreeSet<&str> = objects.iter().filter_map(|one| one.text("id")).collect();
            let is_free = at.ends_with("/numbers") || at.ends_with("/criteria");
            assert!(
                is_free || ids.len() == objects.len(),
                "{at}: ids are missing or twice"
            );
            for value in values {
                values_hold(value, at, date);
            }
        }
        _ => {}
    }
}

/// Follows members; arrays fan out.
pub fn at<'o>(object: &'o Object, path: &[&str]) -> Vec<&'o Json> {
    let mut level: Vec<&Json> = Vec::new();
    for (depth, name) in path.iter().enumerate() {
        let next: Vec<&Json> = if depth == 0 {
            object.get(name).into_iter().collect()
        } else {
            level
                .iter()
                .filter_map(|value| value.as_object()?.get(name))
                .collect()
        };
        level = next
            .into_iter()
            .flat_map(|value| match value.as_array() {
                Some(values) => values.iter().collect::<Vec<_>>(),
                None => vec![value],
            })
            .collect();
    }
    level
}

const REFERENCES: [(&[&str], &str); 8] = [
    (&["buyer"], "buyer"),
    (&["tender", "procuringEntity"], "procuringEntity"),
    (&["tender", "tenderers"], "tenderer"),
    (&["bids", "details", "tenderers"], "tenderer"),
    (&["awards", "suppliers"], "supplier"),
    (&["contracts", "suppliers"], "supplier"),
    (&["contracts", "implementation", "transactions", "payer"], "payer"),
    (&["contracts", "implementation", "transactions", "payee"], "payee"),
];

/// Every organisation that is referred to is among the parties once, in the role, under the same name; awards and lots that are referred to are there.
fn references_hold(release: &Object, id: &str) {
    for (path, role) in REFERENCES {
        for reference in at(release, path) {
            let reference = reference.as_object().unwrap();
            let mut parties = release
                .objects("parties")
                .filter(|party| party.get("id") == reference.get("id"));
            let party = parties
                .next()
                .unwrap_or_else(|| panic!("{id}: {reference:?} is no party"));
            assert!(parties.next().is_none(), "{id}");
            assert_eq!(party.get("name"), reference.get("name"), "{id}");
            let roles = party.get("roles").and_then(Json::as_array).unwrap();
            assert!(
                roles.contains(&Json::from(role)),
                "{id}: {reference:?} lacks {role}"
            );
        }
    }
    for party in release.objects("parties") {
        let identifier = party.get("identifier").and_then(Json::as_object).unwrap();
        assert!(
            identifier.text("id").is_some() && identifier.text("scheme").is_some(),
            "{id}"
        );
        for name in ["contactPoint", "address", "details"] {
            assert!(party.get(name).is_none(), "{id}: {name}");
        }
    }
    let awards: Vec<&str> = release
        .objects("awards")
        .filter_map(|award| award.text("id"))
        .collect();
    for contract in release.objects("contracts") {
        assert!(awards.contains(&contract.text("awardID").unwrap()), "{id}");
    }
    let lots = at(release, &["tender", "lots", "id"]);
    for path in [
        &["tender", "items", "relatedLot"][..],
        &["bids", "details", "relatedLots"],
        &["awards", "relatedLots"],
    ] {
        assert!(
            at(release, path).iter().all(|lot| lots.contains(lot)),
            "{id}: {path:?}"
        );
    }
    let bids = at(release, &["bids", "details", "id"]);
    assert!(
        at(release, &["awards", "relatedBid"])
            .iter()
            .all(|bid| bids.contains(bid)),
        "{id}"
    );
}

/// A release after another of its process: it says something new, and nobody loses a role.
fn follows(previous: &Object, release: &Object) {
    let id = release.text("id").unwrap();
    assert_ne!(body(previous), body(release), "{id} says nothing new");
    for party in previous.objects("parties") {
        let mut later = release.objects("parties");
        let later = later.find(|one| one.get("id") == party.get("id")).unwrap();
        let roles = |party: &Object| party.get("roles").and_then(Json::as_array).unwrap().to_vec();
        assert!(
            roles(party).iter().all(|role| roles(later).contains(role)),
            "{id}"
        );
    }
}

fn fen(value: &Json) -> i64 {
    let amount = value.as_object().and_then(|value| value.get("amount"));
    let Some(Json::Number(text)) = amount else {
        panic!("{value:?} is no amount")
    };
    let (yuan, cents) = text.split_once('.').unwrap_or((text, "00"));
    yuan.parse::<i64>().unwrap() * 100 + cents.parse::<i64>().unwrap()
}

/// What the releases of a process say together is the state that the last one carries; and it is possible.
fn process_holds(releases: &[Object], merged: &Object) {
    let ocid = merged.text("ocid").unwrap();
    let mut said = body(merged);
    let mut carried = body(releases.last().unwrap());
    for object in [&mut said, &mut carried] {
        object.remove("ocid");
    }
    let read = |object: &Object| serde_json::from_str::<Value>(&object.written()).unwrap();
    assert_eq!(read(&said), read(&carried), "{ocid}");
    assert!(versioned(releases).is_ok());
    sealed_until_opened(releases);
    let deadline = at(merged, &["tender", "tenderPeriod", "endDate"]);
    let deadline = deadline.first().and_then(|end| end.as_text()).unwrap_or_default();
    let status = at(merged, &["tender", "status"]);
    let mut active = merged
        .objects("awards")
        .filter(|award| award.text("status") == Some("active"));
    if active.next().is_some() || merged.objects("contracts").next().is_some() {
        assert_eq!(status, [&Json::from("complete")], "{ocid}");
    }
    for award in merged.objects("awards") {
        assert!(award.text("date").unwrap() >= deadline, "{ocid}");
    }
    let bids = at(merged, &["bids", "details"]);
    if let Some(number) = at(merged, &["tender", "numberOfTenderers"]).first() {
        let who: BTreeSet<&str> = at(merged, &["bids", "details", "tenderers", "id"])
            .iter()
            .filter_map(|id| id.as_text())
            .collect();
        assert_eq!(**number, Json::from(who.len()), "{ocid}");
        assert_eq!(at(merged, &["tender", "tenderers"]).len(), who.len(), "{ocid}");
        assert_eq!(
            at(merged, &["bids", "statistics", "value"]),
            [&Json::from(bids.len())],
            "{ocid}"
        );
    }
    for contract in merged.objects("contracts") {
        let award = merged
            .objects("awards")
            .find(|award| award.text("id") == contract.text("awardID"))
            .unwrap();
        let signed = contract.text("dateSigned").unwrap();
        assert!(award.text("date").unwrap() <= signed, "{ocid}");
        let is_over = contract.text("status") == Some("terminated");
        assert!(is_over || award.text("status") == Some("active"), "{ocid}");
        let paid = at(contract, &["implementation", "transactions"]);
        let total: i64 = paid
            .iter()
            .map(|one| fen(one.as_object().unwrap().get("value").unwrap()))
            .sum();
        assert!(
            total <= fen(contract.get("value").unwrap()),
            "{ocid}: paid {total}"
        );
        let known = at(contract, &["implementation", "milestones", "id"]);
        for one in &paid {
            let one = one.as_object().unwrap();
            assert!(one.text("date").unwrap() >= signed, "{ocid}");
            let related = at(one, &["relatedImplementationMilestone", "id"]);
            assert!(related.iter().all(|id| known.contains(id)), "{ocid}");
        }
        for milestone in at(contract, &["implementation", "milestones"]) {
            let milestone = milestone.as_object().unwrap();
            let is_met = milestone.text("status") == Some("met");
            assert_eq!(is_met, milestone.text("dateMet").is_some(), "{ocid}");
        }
    }
}

/// No release that was made before the deadline then known says anything of a bid.
fn sealed_until_opened(releases: &[Object]) {
    for release in releases {
        let end = at(release, &["tender", "tenderPeriod", "endDate"]);
        let Some(end) = end.first().and_then(|end| end.as_text()) else {
            continue;
        };
        if release.text("date").unwrap() < end {
            for path in [
                &["bids"][..],
                &["awards"],
                &["tender", "tenderers"],
                &["tender", "numberOfTenderers"],
            ] {
                assert_eq!(
                    at(release, path),
                    Vec::<&Json>::new(),
                    "{:?}: {path:?}",
                    release.text("id")
                );
            }
        }
    }
}

/// Records have all releases, and what they come to.
fn records_hold(get: Get<'_>, seen: &BTreeMap<String, Vec<Object>>) {
    let records = pages(get, "/ocds/records?limit=3", "records");
    assert_eq!(records.len(), seen.len());
    for record in &records {
        let releases = &seen[record.text("ocid").unwrap()];
        let own: Vec<Object> = record.objects("releases").cloned().collect();
        assert_eq!(own, *releases);
        assert_eq!(
            record.get("compiledRelease").and_then(Json::as_object),
            Some(&compiled(releases).unwrap())
        );
        assert_eq!(
            record.get("versionedRelease").and_then(Json::as_object),
            Some(&versioned(releases).unwrap())
        );
    }
}

/// The tags of releases, each with how often it was given.
pub fn tags(releases: &[Object]) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for tag in releases.iter().flat_map(|release| at(release, &["tag"])) {
        *counted.entry(tag.as_text().unwrap().to_owned()).or_default() += 1;
    }
    counted
}
