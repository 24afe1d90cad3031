//! Nobody but the resident and their registrar reads what a roll says of a person, and once they are erased nobody does. Seeds a ward
//! with names, numbers and addresses that occur nowhere else, and looks for them in everything that the service gives out, writes
//! down or keeps.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;
use wardbook::app::{backup, openapi};
use wardbook::kernel::refusal::Stop;
use wardbook::web::policy::Role;

use crate::api_spec::{example_of_body, operations, resolved};
use crate::cast::{self, Person};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::people_accounts::{from_mail, mails_to};
use crate::roll_letters::{claim, letter};
use crate::rolls::{Community, by, person};

/// What is personal about the people of these tests, as it is kept. None of it may stand in a random id by chance: letters
/// that ids lack, or marks, keep it apart.
const SEEDS: [&str; 8] = [
    "龘靐齉",
    "𠮷厵爨",
    "1931-05-17",
    "19912345678",
    "xq7.uoilzk",
    "ZQ9-77",
    "77.31",
    "7731",
];

/// Lines of the service's own log that held a seed, whichever test wrote them.
pub static LEAKED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What must not be in the log either, as it comes to be known.
pub static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Looks at what the service logs, at every level, and keeps what holds a seed.
#[derive(Clone)]
struct Watch;

impl Write for Watch {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        // Numbers that may stand in a time or a port by chance are looked for elsewhere.
        let personal = SEEDS.iter().filter(|seed| seed.len() > 5);
        let secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
        let of_accounts = crate::people_privacy::SEEDS.iter();
        if personal.chain(of_accounts).any(|seed| line.contains(seed))
            || secrets.iter().any(|one| line.contains(one))
        {
            LEAKED
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line.into_owned());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Watch {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Begins to watch the log of this process; once for all tests.
pub fn watch_the_log() {
    static WATCHED: OnceLock<()> = OnceLock::new();
    WATCHED.get_or_init(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter("off,wardbook=trace,actix_web=trace,actix_http=trace,diesel=trace")
            .with_writer(Watch)
            .finish();
        // The only one in this program; were there another, the test below would say so.
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

fn nothing_leaked(text: &str, what: &str) {
    for seed in SEEDS {
        // The registrar's own import is counted, and numbers occur in ids and hashes by chance.
        let found = match seed {
            "77.31" | "7731" => text.contains(&format!("\"{seed}\"")),
            seed => text.contains(seed),
        };
        assert!(!found, "{what} tells {seed}: {text}");
    }
}

/// A community with two seeded residents, the first of whom has an account.
struct Seeded {
    community: Community,
    other: Community,
    resident: String,
    neighbour: String,
    household: String,
    account: Person,
}

fn seeded(ward: &Ward) -> Seeded {
    let [community, other] = Community::two(ward);
    let table = "户号,姓名,出生日期,面积,业主,手机,邮箱\n\
        ZQ9-77-707,龘靐齉,1931-05-17,77.31,是,199 1234 5678,xq7.uoilzk@seed.example\n\
        ZQ9-77-707,𠮷厵爨,1931/5/17,,否,,\n\
        5-1-101,普通人,1980-01-01,20,是,,\n";
    community.imported(ward, "", table);
    let all = community.all(ward);
    let id = |name: &str| {
        let found = all.iter().find(|one| one["name"] == name).unwrap();
        found["id"].as_str().unwrap().to_owned()
    };
    let (resident, neighbour) = (id("龘靐齉"), id("𠮷厵爨"));
    let of_household = all
        .iter()
        .find(|one| one["household"]["code"] == "ZQ9-77-707")
        .unwrap();
    let household = of_household["household"]["id"].as_str().unwrap().to_owned();
    let account = cast::person(ward, &[]);
    let code = letter(ward, &community, &resident);
    assert_eq!(claim(ward, &account, &code, "1931-05-17").status, 200);
    letter(ward, &community, &neighbour);
    // Changes of all kinds, so that there are events of all kinds.
    let path = format!("residents/{resident}");
    let change = |body: Value| {
        let reply = community
            .about(ward, "PATCH", &path)
            .header("if-match", "*")
            .json(&body)
            .send();
        assert_eq!(reply.status, 200, "{}", reply.text);
    };
    change(json!({ "phone": null }));
    change(json!({ "phone": "19912345678" }));
    Seeded {
        community,
        other,
        resident,
        neighbour,
        household,
        account,
    }
}

/// A path of the document with what is there in the place of its parameters, one for each thing that there is.
fn filled(document: &Value, path: &str, operation: &Value, there: &[(&str, String)]) -> Vec<String> {
    let mut paths = vec![path.to_owned()];
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        if parameter["in"] != "path" {
            continue;
        }
        let name = format!("{{{}}}", parameter["name"].as_str().unwrap());
        let pattern = resolved(document, &parameter["schema"])["pattern"].as_str();
        let fitting: Vec<&String> = there
            .iter()
            .filter(|(prefix, _)| pattern.is_some_and(|pattern| pattern.starts_with(prefix)))
            .map(|(_, id)| id)
            .collect();
        paths = match (fitting.as_slice(), parameter["example"].as_str()) {
            ([], Some(example)) => paths.iter().map(|path| path.replace(&name, example)).collect(),
            ([], None) => Vec::new(),
            (fitting, _) => {
                let with = |path: &String| {
                    fitting
                        .iter()
                        .map(|id| path.replace(&name, id))
                        .collect::<Vec<_>>()
                };
                paths.iter().flat_map(with).collect()
            }
        };
    }
    paths
}

/// Everything that is in the database, with what is binary as text where it is text.
pub fn everything_kept(ward: &Ward, name: &str) -> String {
    ward.settle();
    let file = ward.dir.path().join(name);
    let settings = &ward.server().house.as_ref().unwrap().settings;
    backup::make(settings, &file, false, &mut |_, _| {}).unwrap();
    let file = std::fs::File::open(&file).unwrap();
    let mut text = std::io::read_to_string(flate2::read::GzDecoder::new(file)).unwrap();
    let mut inside = String::new();
    for line in text.lines() {
        if let Ok(Value::Array(cells)) = serde_json::from_str(line) {
            for cell in cells.iter().filter_map(Value::as_str) {
                if let Ok(bytes) = BASE64_STANDARD.decode(cell) {
                    inside.push_str(&String::from_utf8_lossy(&bytes));
                    inside.push('\n');
                }
            }
        }
    }
    text.push_str(&inside);
    text
}

on_both! {
    fn only_the_resident_and_their_registrar_read_what_is_personal(ward) {
        watch_the_log();
        let there = seeded(&ward);
        ward.settle();
        let document = openapi::document().unwrap();
        let neighbour_account = {
            let id = there.community.enter(&ward, "5-1-101", "邻居", "1980-01-01");
            let account = cast::person(&ward, &[]);
            assert_eq!(claim(&ward, &account, &letter(&ward, &there.community, &id), "1980-01-01").status, 200);
            account
        };
        let mut ids = vec![
            ("^area_", there.community.id.clone()),
            ("^resident_", there.resident.clone()),
            ("^resident_", there.neighbour.clone()),
            ("^household_", there.household.clone()),
            ("^user_", there.account.id.to_string()),
        ];
        let kinds: BTreeSet<&str> = ["resident", "roll", "letters", "residence"].into();
        for kind in kinds {
            let events = ward.events(&format!("{kind}.*"));
            assert!(!events.is_empty(), "{kind}");
            ids.extend(events.iter().map(|event| ("^event_", event["id"].as_str().unwrap().to_owned())));
        }
        let people = [
            ("another registrar", there.other.registrar.clone()),
            ("a neighbour", neighbour_account),
            ("an auditor", person(&ward, Role::Auditor, None)),
            ("an administrator", person(&ward, Role::Admin, None)),
            ("a regulator", person(&ward, Role::Regulator, None)),
            ("an officer", person(&ward, Role::BuyerOfficer, None)),
            ("somebody", cast::person(&ward, &[])),
        ];
        let mut read = 0;
        for (path, method, operation) in operations(&document) {
            if method != "GET" {
                continue;
            }
            for path in filled(&document, &path, &operation, &ids) {
                for kind in ["application/json", "text/csv", "application/jsonl", "*/*"] {
                    let mut replies: Vec<(String, Reply)> = Vec::new();
                    for role in Role::ALL.into_iter().filter(|role| *role != Role::System) {
                        replies.push((role.name().to_owned(), ward.ask("GET", &path).by(role).header("accept", kind).send()));
                    }
                    for (who, person) in &people {
                        replies.push(((*who).to_owned(), by(&ward, person, "GET", &path).header("accept", kind).send()));
                    }
                    for (who, reply) in replies {
                        read += usize::from(reply.status == 200);
                        nothing_leaked(&format!("{:?} {}", reply.headers, reply.text), &format!("GET {path} by {who} as {kind}"));
                    }
                }
            }
        }
        assert!(read > 500, "only {read} were read");
        // They themselves do read it, or this test would find nothing anywhere.
        let own = by(&ward, &there.account, "GET", "/api/v1/me/residence").send();
        assert!(own.text.contains("龘靐齉") && own.text.contains("19912345678") && !own.text.contains("𠮷厵爨"), "{}", own.text);
        assert!(there.community.ask(&ward, "GET", "residents").send().text.contains("𠮷厵爨"));
        // Not even the keeper of the roll is told it in an event.
        for path in ["events?limit=200", "export"] {
            nothing_leaked(&by(&ward, &there.community.registrar, "GET", &format!("/api/v1/audit/{path}")).send().text, path);
        }
        let entries = ward.get("/audit/checkpoint").text.lines().nth(1).unwrap().to_owned();
        nothing_leaked(&ward.get(&format!("/audit/tile/entries/000.p/{entries}")).text, "the log's entries");
        assert_eq!(*LEAKED.lock().unwrap(), Vec::<String>::new());
    }

    /// What is wrong with a value is told, and not the value: whoever sees the answer need not be who sent the request.
    fn no_refusal_repeats_what_is_personal(ward) {
        watch_the_log();
        let there = seeded(&ward);
        let gui = &there.community;
        let (wrong, right) = ("龘靐齉\u{200b}", "龘靐齉");
        let q: String = form_urlencoded::byte_serialize(right.as_bytes()).collect();
        let post = |below: &str, kind: &str, body: String| gui.ask(&ward, "POST", below).body(kind, body).send();
        let resident = format!("residents/{}", there.resident);
        let about = |method: &str, path: &str, body: Value| gui.about(&ward, method, path).header("if-match", "*").json(&body).send();
        let table = |rows: &str| format!("户号,姓名,出生日期,面积,业主,手机,邮箱\n{rows}\n");
        let refusals = vec![
            post("residents", "application/json", json!({"household": "ZQ9-77-707", "name": wrong, "birth_date": "1931-05-17", "phone": "19912345678x", "email": "xq7.uoilzk"}).to_string()),
            post("residents", "application/json", json!({"household": "ZQ9-77-707", "name": right, "birth_date": "1931-05-17"}).to_string()),
            post("residents", "application/json", json!({"household": ["ZQ9-77-707"], "name": {"a": right}, "birth_date": 19310517}).to_string()),
            post("residents", "application/json", json!({"household": "ZQ9-77-707".repeat(9), "name": right.repeat(99), "birth_date": "1931-05-17".repeat(9)}).to_string()),
            post("residents", "application/json", format!("{{\"name\":\"{right}\",,}}")),
            post("residents", "text/plain", right.to_owned()),
            post("residents/import?dry_run=true", "text/csv", table("ZQ9-77-707,龘靐齉\u{200b},1931-05-17x,77.31x,x,19912345678x,xq7.uoilzk@x")),
            post("residents/import?dry_run=true", "text/csv", table("ZQ9-77-707,龘靐齉,1931-05-17")),
            post("residents/import?dry_run=true", "text/csv", "ZQ9-77-707,龘靐齉,1931-05-17\nZQ9-77-707,𠮷厵爨,1931-05-17\n".to_owned()),
            post("residents/import?preview=x", "text/csv", table("ZQ9-77-707,龘靐齉,1931-05-17,,,,")),
            post(&format!("residents/import?mode={q}"), "text/csv", table("")),
            about("PATCH", &resident, json!({"name": wrong, "birth_date": "1931-05-17x", "phone": "19912345678x", "email": "xq7.uoilzk"})),
            about("PATCH", &resident, json!({"name": "𠮷厵爨"})),
            about("PATCH", &format!("households/{}", there.household), json!({"code": "ZQ9-77-707\u{200b}", "dwelling_area_m2": "77.311"})),
            gui.ask(&ward, "GET", &format!("residents?q={q}&limit=x")).send(),
            gui.ask(&ward, "GET", &format!("residents?state={q}&sort={q}")).send(),
            claim(&ward, &there.account, "0000-0000-0000-0000", "1931-05-17"),
            claim(&ward, &there.account, right, "1931-05-17x"),
        ];
        for reply in refusals {
            assert!((400..500).contains(&reply.status), "{}", reply.text);
            assert_eq!(reply.header("content-type"), Some("application/problem+json"));
            nothing_leaked(&format!("{:?} {}", reply.headers, reply.text), "a refusal");
        }
        // A search that finds somebody: the page names them, the headers do not.
        let found = gui.ask(&ward, "GET", &format!("residents?limit=1&q={q}")).send();
        nothing_leaked(&format!("{:?}", found.headers), "headers");
        nothing_leaked(&ward.get("/metrics").text, "the metrics");
        assert_eq!(*LEAKED.lock().unwrap(), Vec::<String>::new());
    }

    /// From the letter to the account, with everything that can go wrong on the way.
    fn whoever_opens_an_account_with_a_letter_is_told_of_nowhere(ward) {
        watch_the_log();
        let there = seeded(&ward);
        let gui = &there.community;
        let code = letter(&ward, gui, &there.neighbour);
        let ask = |code: &str, born: &str, email: &str| ward.ask("POST", "/api/v1/residence-registrations").json(&json!({"code": code, "birth_date": born, "email": email, "language": "zh-CN"})).send();
        let open = |link: &str, name: &str, born: &str, password: &str| {
            let body = json!({"birth_date": born, "display_name": name, "language": "zh-CN", "password": password});
            ward.ask("POST", &format!("/api/v1/residence-registrations/{link}")).json(&body).send()
        };
        let refusals = [
            ask(&code, "1931-05-17x", "xq7.uoilzk"),
            ask("𠮷厵爨", "1931-05-17", "xq7.uoilzk@seed.example"),
            ask("0000-0000-0000-0000", "1931-05-17", "xq7.uoilzk@seed.example"),
            ask(&code, "1931-05-18", "xq7.uoilzk@seed.example"),
        ];
        let asked = ask(&code, "1931-05-17", "xq7.uoilzk@seed.example");
        assert_eq!(asked.status, 202, "{}", asked.text);
        let link = from_mail(&ward, "xq7.uoilzk@seed.example", "/residence-registrations/", 43);
        let mail = mails_to(&ward, "xq7.uoilzk@seed.example").concat();
        assert!(!mail.contains("𠮷厵爨") && !mail.contains("1931") && !mail.contains("ZQ9-77"), "{mail}");
        let wrong = [
            open(&link, "𠮷厵爨\u{200b}", "1931-05-17x", "short"),
            open(&link, "𠮷厵爨", "1931-05-18", "violet tram under paper rain"),
            open("nonsense", "𠮷厵爨", "1931-05-17", "violet tram under paper rain"),
        ];
        for reply in refusals.iter().chain(&wrong) {
            assert!((400..500).contains(&reply.status), "{}", reply.text);
            nothing_leaked(&format!("{:?} {}", reply.headers, reply.text), "a refusal");
        }
        let opened = open(&link, "邻居", "1931-05-17", "violet tram under paper rain");
        assert_eq!(opened.status, 201, "{}", opened.text);
        for reply in [&asked, &opened] {
            nothing_leaked(&format!("{:?} {}", reply.headers, reply.text), "an answer");
        }
        ward.settle();
        for path in ["events?limit=200", "export"] {
            nothing_leaked(&by(&ward, &gui.registrar, "GET", &format!("/api/v1/audit/{path}")).send().text, path);
        }
        // What auditors may open of it: neither what the roll says nor the account's name and address, which are a resident's.
        let claimed = ward.events("residence.claimed");
        assert_eq!(claimed.len(), 2);
        nothing_leaked(&Value::from(claimed).to_string(), "the claim");
        let activated = Value::from(ward.events("account.activated")).to_string();
        assert!(activated.contains("letter") && !activated.contains("xq7.uoilzk@seed.example") && !activated.contains("𠮷厵爨") && !activated.contains("1931-05-17"));
        let entries = ward.get("/audit/checkpoint").text.lines().nth(1).unwrap().to_owned();
        nothing_leaked(&ward.get(&format!("/audit/tile/entries/000.p/{entries}")).text, "the log's entries");
        nothing_leaked(&ward.get("/metrics").text, "the metrics");
        assert_eq!(*LEAKED.lock().unwrap(), Vec::<String>::new());
    }

    fn who_is_erased_is_gone_from_everywhere_and_the_log_and_the_numbers_stand(ward) {
        watch_the_log();
        let there = seeded(&ward);
        let gui = &there.community;
        // Remembered answers of all kinds of writes about them.
        let send = |path: &str, key: &str, body: Value| gui.about(&ward, "POST", path).header("if-match", "*").header("idempotency-key", key).json(&body).send();
        let third = send(&format!("areas/{}/residents", gui.id), "enter", json!({"household": "ZQ9-77-708", "name": "龘靐齉", "birth_date": "1931-05-17", "phone": "19912345678", "email": "xq7.uoilzk@seed.example"})).json()["id"].as_str().unwrap().to_owned();
        send(&format!("residents/{third}/departure"), "depart", json!({"reason": "deceased"}));
        let kept = everything_kept(&ward, "before");
        assert!(["龘靐齉", "𠮷厵爨", "1931-05-17", "19912345678", "xq7.uoilzk@seed.example"].iter().all(|seed| kept.contains(seed)));
        let numbers = || {
            let auditor = person(&ward, Role::Auditor, None);
            by(&ward, &auditor, "GET", &format!("/api/v1/areas/{}/roll/statistics", gui.id)).send().json()["numbers"].clone()
        };
        let before = numbers();
        assert_eq!((&before["residents"], &before["deceased"], &before["erased"]), (&json!(3), &json!(1), &json!(0)));

        let ids = [&there.resident, &there.neighbour, &third];
        for (at, id) in ids.iter().enumerate() {
            let path = format!("residents/{id}/erasure");
            let erased = send(&path, &format!("erase-{at}"), json!({"reason": "on_request"}));
            assert_eq!((erased.status, &erased.json()["state"]), (200, &json!("erased")), "{}", erased.text);
            assert_eq!(gui.about(&ward, "POST", &path).header("if-match", "*").json(&json!({"reason": "ordered"})).send().code(), "resident_already_erased");
            let left = gui.read(&ward, id);
            assert!(["name", "birth_date", "phone", "email", "household", "letter_expires_at"].iter().all(|member| left[member].is_null()), "{left}");
            assert_eq!((&left["state"], &left["has_account"], &left["entered_on"]), (&json!("erased"), &json!(false), &json!("2026-03-02")));
        }
        let household = gui.about(&ward, "PATCH", &format!("households/{}", there.household)).header("if-match", "*").json(&json!({"code": "空置", "dwelling_area_m2": null})).send();
        assert_eq!(household.status, 200, "{}", household.text);
        let kept = everything_kept(&ward, "after");
        for seed in ["龘靐齉", "𠮷厵爨", "1931-05-17", "19912345678", "xq7.uoilzk"] {
            let line = kept.lines().find(|line| line.contains(seed));
            assert_eq!(line, None, "{seed} is still kept");
        }
        // Their account is nobody's on this roll any more, and which account it was is not in the log either.
        assert_eq!(by(&ward, &there.account, "GET", "/api/v1/me/residence").send().json()["items"], json!([]));
        let grants = by(&ward, &there.account, "GET", &format!("/api/v1/role-grants?in_force=true&account_id={}", there.account.id)).send();
        assert_eq!(grants.json()["items"], json!([]));
        let auditor = person(&ward, Role::Auditor, None);
        let path = format!("/api/v1/audit/events?limit=200&subject={}", there.resident);
        let events = by(&ward, &auditor, "GET", &path).send();
        assert!(!events.text.contains(there.account.id.as_str()), "{}", events.text);
        let events = events.json()["items"].as_array().unwrap().clone();
        let told: Vec<(&str, bool)> = events.iter().map(|event| (event["entry"]["type"].as_str().unwrap(), event["opened"]["content"].is_null())).collect();
        assert_eq!(told, [("residence.claimed", true), ("resident.changed", true), ("resident.changed", true), ("resident.erased", false)]);
        assert!(events.iter().all(|event| event["opened"]["matches"] == true));
        assert_eq!(events[0]["opened"]["actor"], json!(null));
        assert_eq!(events[1]["opened"]["actor"], json!(gui.registrar.id), "who kept the roll stays accountable");
        assert_eq!(events[3]["entry"]["data"]["reason"], "on_request");
        // All who ever were on the roll are still counted, and the log still verifies.
        let after = numbers();
        assert_eq!((&after["residents"], &after["deceased"], &after["erased"]), (&json!(1), &json!(0), &json!(3)));
        assert_eq!(ward.verdict().exit_code(), 0);
        // The same person may come back, and is somebody new.
        let back = gui.enter(&ward, "空置", "龘靐齉", "1931-05-17");
        assert!(!ids.iter().any(|id| **id == back));
        assert_eq!(*LEAKED.lock().unwrap(), Vec::<String>::new());
    }
}

/// What the database itself says when it refuses something ends in the operator's log: it must not say whom it was about.
#[test]
fn a_fault_of_the_database_names_nobody() {
    use diesel::prelude::*;
    use wardbook::db::schema::residents;
    for ward in [Some(Ward::sqlite()), Ward::postgres()].into_iter().flatten() {
        let there = seeded(&ward);
        let (resident, neighbour) = (there.resident, there.neighbour);
        let refused = ward.context().db.write_and_wait(move |tx| {
            diesel::update(residents::table.find(&neighbour))
                .set(residents::name.eq("龘靐齉"))
                .execute(tx.conn())?;
            Ok(())
        });
        let Err(stop) = refused else {
            panic!("two of one name")
        };
        nothing_leaked(&stop.to_string(), "a broken uniqueness");
        let refused = ward.context().db.write_and_wait(move |tx| {
            diesel::update(residents::table.find(&resident))
                .set(residents::state.eq("erased"))
                .execute(tx.conn())?;
            Ok(())
        });
        let Err(stop) = refused else {
            panic!("erased with a name")
        };
        assert!(matches!(stop, Stop::Fault(_)));
        nothing_leaked(&stop.to_string(), "a broken check");
    }
}

/// The lint itself: were something told, it would be found.
#[test]
fn what_is_told_would_be_noticed() {
    let told = std::panic::catch_unwind(|| nothing_leaked("{\"name\":\"龘靐齉\"}", "x"));
    assert!(told.is_err());
    watch_the_log();
    let document = openapi::document().unwrap();
    let reads = operations(&document);
    let (path, _, operation) = reads
        .iter()
        .find(|(path, ..)| path.ends_with("/residents/{id}"))
        .unwrap();
    let ids = [
        ("^resident_", "resident_1".to_owned()),
        ("^resident_", "resident_2".to_owned()),
    ];
    assert_eq!(filled(&document, path, operation, &ids).len(), 2);
    let body = reads
        .iter()
        .find(|(_, _, one)| one["operationId"] == "enter_resident")
        .unwrap();
    let media = &body.2["requestBody"]["content"]["application/json"];
    assert!(example_of_body(&document, media).is_ok());
}
