//! Before the opening nobody but its bidder learns of a bid: everything that others can fetch is the same, byte for byte, with bids and
//! without.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wardbook::app::openapi;
use wardbook::bids::sealing;
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::api_spec::{operations, resolved};
use crate::bids::{Bidder, Tender, taken};
use crate::cast::{Person, person};
use crate::harness::Ward;
use crate::on_both;
use crate::organisations::CODES;
use crate::suppliers::of;
use crate::treasury::yuan;

/// What differs from one request to the next, whatever happens between them.
const VOLATILE_HEADERS: [&str; 2] = ["date", "x-request-id"];

/// Operations whose answers are about the process and not about the ward: how long its requests took, and how many there were.
const VOLATILE_PATHS: [&str; 1] = ["/metrics"];

/// Everything that can be got, with these ids in the paths.
fn paths(document: &Value, ids: &BTreeMap<&str, String>) -> Vec<String> {
    let mut paths = Vec::new();
    for (path, method, operation) in operations(document) {
        if method != "GET" || VOLATILE_PATHS.contains(&path.as_str()) {
            continue;
        }
        let (mut filled, mut query) = (path.clone(), Vec::new());
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let pattern = resolved(document, &parameter["schema"])["pattern"]
                .as_str()
                .unwrap_or_default();
            let prefix = pattern
                .trim_start_matches('^')
                .split('_')
                .next()
                .unwrap_or_default();
            let example = parameter["example"].as_str().unwrap_or("1");
            let value = ids.get(prefix).map_or(example, String::as_str);
            if parameter["in"] == "path" {
                filled = filled.replace(&format!("{{{name}}}"), value);
            } else if parameter["in"] == "query" && parameter["required"] == true {
                query.push(format!("{name}={value}"));
            }
        }
        let question = if query.is_empty() {
            String::new()
        } else {
            format!("?{}", query.join("&"))
        };
        paths.push(format!("{filled}{question}"));
    }
    paths
}

/// What everybody is answered.
fn everything(ward: &Ward, people: &[(&str, Option<&Person>)], paths: &[String]) -> BTreeMap<String, String> {
    ward.settle();
    let mut answers = BTreeMap::new();
    for (who, person) in people {
        for path in paths {
            let ask = match person {
                Some(person) => person.asks(ward, "GET", path),
                None => ward.ask("GET", path),
            };
            let reply = ask.send();
            assert!(reply.status < 500, "{path} by {who}: {}", reply.text);
            let request = reply.header("x-request-id").unwrap_or("none").to_owned();
            let mut headers: Vec<String> = reply
                .headers
                .iter()
                .filter(|(name, _)| !VOLATILE_HEADERS.contains(&name.as_str()))
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            // In which order they come is chance.
            headers.sort();
            let body = reply.text.replace(&request, "(the request)");
            answers.insert(
                format!("{path} by {who}"),
                format!("{}\n{}\n{body}", reply.status, headers.join("\n")),
            );
        }
    }
    answers
}

/// All entries of the log as an auditor reads them, without those about what auditors look at.
fn log_without_looks(ward: &Ward, auditor: &Person) -> Vec<String> {
    ward.settle();
    let (mut entries, mut cursor) = (Vec::new(), String::new());
    loop {
        let reply = auditor
            .asks(ward, "GET", &format!("/api/v1/audit/events?limit=200{cursor}"))
            .send();
        assert_eq!(reply.status, 200);
        let page = reply.json();
        for event in page["items"].as_array().unwrap() {
            if event["entry"]["type"] != "auditor.looked" {
                entries.push(format!("{} {}", event["entry"], event["opened"]));
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return entries,
        }
    }
}

/// What an auditor is answered, but for the log, which grows with each answer.
fn beside_the_log(ward: &Ward, auditor: &Person, paths: &[String]) -> BTreeMap<String, String> {
    let mut answers = everything(ward, &[("an auditor", Some(auditor))], paths);
    answers.retain(|path, _| !path.starts_with("/audit/") && !path.starts_with("/api/v1/audit/"));
    answers
}

on_both! { in "test";
    fn nobody_learns_of_a_bid_before_the_opening(ward) {
        let tender = Tender::new(&ward);
        let [jie, run, rival] = [("洁城公司", CODES[0]), ("德润公司", CODES[1]), ("新禾公司", CODES[2])].map(|(name, code)| Bidder::new(&ward, name, code));
        let department = tender.office.treasury.department.as_str();
        let finance = of(&ward, Role::FinanceOfficer, department);
        let [auditor, admin, regulator, witness] = [Role::Auditor, Role::Admin, Role::Regulator, Role::OpeningWitness].map(|role| person(&ward, &[Grant::of(role)]));
        let people = [
            ("an outsider", None), ("another bidder", Some(&rival.agent)), ("the buyer's officer", Some(&tender.office.officer)),
            ("the buyer's approver", Some(&tender.office.approver)), ("the buyer's finance officer", Some(&finance)),
            ("an administrator", Some(&admin)), ("a regulator", Some(&regulator)), ("a witness", Some(&witness)),
        ];
        let bids = [jie.bid(&ward, &tender, "500"), run.bid(&ward, &tender, "400")];

        // Whoever knows the id of a bid learns no more by it than by one that nobody ever had.
        let document = openapi::document().unwrap();
        let ids = |bid: &str, security: &str| BTreeMap::from([
            ("book", tender.book["id"].as_str().unwrap().to_owned()), ("lot", tender.lot.clone()), ("org", jie.id.clone()),
            ("bid", bid.to_owned()), ("bidsecurity", security.to_owned()),
        ]);
        let no_such = "bid_01jd3n8f5teqkrzvq1c0m6h2ax";
        let asked = paths(&document, &ids(no_such, "bidsecurity_01jd3n8f5teqkrzvq1c0m6h2ax"));
        assert!(asked.iter().any(|path| path.contains(&tender.lot)) && asked.iter().any(|path| path.contains(no_such)), "{asked:?}");
        // What is published of the book is published by then.
        crate::publication_checks::publish(&ward);
        // What an auditor looks at is in the log, so the auditor is the first to ask before and the last to ask after.
        let seen = beside_the_log(&ward, &auditor, &asked);
        let log = log_without_looks(&ward, &auditor);
        let without = everything(&ward, &people, &asked);

        // Sealed by the service and by the bidder, replaced, withdrawn, with a security.
        let first = taken(&jie.submits(&ward, &tender, &bids[0], None), 201);
        let id = first["bid_id"].as_str().unwrap();
        let sealed = sealing::seal(&serde_json::to_vec(&bids[1]).unwrap(), &tender.recipient).unwrap();
        taken(&run.sends(&ward, &tender, &sealed, (1, None)), 201);
        taken(&run.sends(&ward, &tender, &sealing::seal(b"{}", &tender.recipient).unwrap(), (1, Some("*"))), 201);
        taken(&jie.acts(&ward, id, "withdrawal", None), 200);
        taken(&jie.submits(&ward, &tender, &bids[0], None), 201);
        let security = json!({"supplier_id": jie.id, "kind": "transfer", "amount": yuan("6.00"), "issuer": "某银行", "reference": "7", "lodged_on": "2026-03-02"});
        let lodged = jie.agent.asks(&ward, "POST", &format!("/api/v1/lots/{}/bid-securities", tender.lot)).json(&security).send();
        assert_eq!(lodged.status, 201, "{}", lodged.text);

        let with = everything(&ward, &people, &asked);
        for (what, before) in &without {
            assert_eq!(before, &with[what], "{what}");
        }
        let real = paths(&document, &ids(id, lodged.json()["id"].as_str().unwrap()));
        let known = everything(&ward, &people, &real);
        for ((what, before), (_, after)) in without.iter().zip(&known) {
            let after = after.replace(id, no_such).replace(lodged.json()["id"].as_str().unwrap(), "bidsecurity_01jd3n8f5teqkrzvq1c0m6h2ax");
            assert_eq!(before, &after, "{what}");
        }
        for (asked, id) in [(&asked, no_such), (&real, id)] {
            for (what, after) in beside_the_log(&ward, &auditor, asked) {
                let (what, after) = (what.replace(id, no_such), after.replace(id, no_such));
                let security = lodged.json()["id"].as_str().unwrap().to_owned();
                let none = "bidsecurity_01jd3n8f5teqkrzvq1c0m6h2ax";
                assert_eq!(seen[&what.replace(&security, none)], after.replace(&security, none), "{what}");
            }
        }
        assert!(log_without_looks(&ward, &auditor) == log, "an auditor learns of it from the log");
        // Nor by what is refused: to whoever may not bid there is no difference between a bid and none.
        let auditing = [("an auditor", Some(&auditor))];
        for (who, person) in people.iter().chain(&auditing).filter_map(|(who, person)| person.map(|person| (who, person))) {
            for what in ["withdrawal", "confirmation"] {
                let tries = |bid: &str| {
                    let reply = person.asks(&ward, "POST", &format!("/api/v1/bids/{bid}/{what}")).header("if-match", "*").json(&json!({"book_version": 1})).send();
                    (reply.status, reply.code())
                };
                assert_eq!(tries(id), tries(no_such), "{what} by {who}");
            }
        }
        // The metrics count none of it.
        let metrics = ward.get("/metrics").text;
        assert!(metrics.contains("wardbook_http_requests_total") && metrics.contains("/api/v1/contract-books/{id}"), "{metrics}");
        for segment in ["/bids", "/sealed-bids", "/bid-form", "bid-securities"] {
            assert!(!metrics.contains(segment), "{segment}: {metrics}");
        }
    }
}
