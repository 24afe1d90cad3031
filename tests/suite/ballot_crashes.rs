//! What a residents' ballot promises when the process is killed in the middle of the voting: every vote that was acknowledged is counted, none is counted
//! twice, and the log holds. The real program over data that outlives it; each phone sends its vote twice at once, and again what was not answered.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use wardbook::app::demo;
use wardbook::app::server::House;
use wardbook::app::settings::{ClockKind, Environment, Settings};
use wardbook::kernel::clock::rfc3339;
use wardbook::web::policy::Role;

use crate::evening_stage::{Staged, staged};
use crate::faults::eventually;
use crate::harness::{PostgresDatabase, account};
use crate::logbook::verify;
use crate::on_both_sites;
use crate::process::{PUBLIC_URL, Process, Site};

/// Residents who vote.
const VOTERS: usize = 120;
/// Phones that send at once, each vote from two of them.
const PHONES: usize = 4;
/// The votes after which the process is killed, each time.
const KILLED_AFTER: [usize; 2] = [30, 70];
/// The choices, by the voters' numbers.
const CHOICES: [&str; 3] = ["very_satisfied", "fair", "dissatisfied"];

/// The service's inside, beside whatever serves the site.
pub fn house(site: &Site) -> House {
    let settings = Settings {
        environment: Environment::Development,
        clock: ClockKind::Simulated,
        public_url: PUBLIC_URL.to_owned(),
        data_dir: site.dir.path().join("data"),
        database_url: site
            .database
            .as_ref()
            .map(PostgresDatabase::url)
            .unwrap_or_default(),
        ..Settings::default()
    };
    House::open(settings, demo::start()).unwrap()
}

pub fn serve(site: &Site) -> Process {
    let environment = [
        ("WARDBOOK_ENVIRONMENT", "development".to_owned()),
        ("WARDBOOK_CLOCK", "simulated".to_owned()),
    ];
    site.start_with(&environment).ready()
}

/// The receipts that voters were given, by their numbers.
type Receipts = Mutex<BTreeMap<usize, String>>;

/// Every voter without a receipt votes, twice at once. A phone whose server is gone stops.
fn vote(address: &str, codes: &[String], receipts: &Receipts, agent: &ureq::Agent) {
    std::thread::scope(|threads| {
        for phone in 0..PHONES {
            threads.spawn(move || {
                for (voter, code) in codes.iter().enumerate().skip(phone / 2).step_by(PHONES / 2) {
                    if phone % 2 == 0 && receipts.lock().unwrap().contains_key(&voter) {
                        continue;
                    }
                    let body = json!({"code": code, "nonce": code, "answers": [{"question": "overall", "choice": CHOICES[voter % CHOICES.len()]}]});
                    let Ok((status, said)) = sent(agent, &format!("{address}/api/v1/ballot-votes"), &body) else { return };
                    if status == 503 {
                        continue;
                    }
                    assert_eq!(status, 200, "{said}");
                    let hash = said["slips"][0]["sha256"].as_str().unwrap().to_owned();
                    let known = receipts.lock().unwrap().insert(voter, hash.clone());
                    assert!(known.is_none_or(|known| known == hash), "one vote has one receipt");
                }
            });
        }
    });
}

pub fn sent(agent: &ureq::Agent, address: &str, body: &Value) -> Result<(u16, Value), ureq::Error> {
    let mut reply = agent
        .post(address)
        .content_type("application/json")
        .send(body.to_string())?;
    let status = reply.status().as_u16();
    let text = reply.body_mut().read_to_string()?;
    Ok((status, serde_json::from_str(&text).unwrap()))
}

pub fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .new_agent()
}

/// Moves the clock to the close of the ballot.
pub fn moved(site: &Site, server: &Process, staged: &Staged) {
    let house = house(site);
    let now = house.context.clock.now();
    let tokens = &house.context.tokens;
    let token = tokens
        .issue(
            &account(Role::Admin),
            &[Role::Admin],
            chrono::Duration::hours(24),
            now,
        )
        .unwrap();
    house.close();
    let reply = ureq::post(server.url("/api/v1/dev/clock"))
        .header("authorization", format!("Bearer {token}"))
        .content_type("application/json")
        .send(json!({ "now": rfc3339(staged.closes_at) }).to_string())
        .unwrap();
    assert_eq!(reply.status(), 200);
}

fn counted(site: &Site, server: &Process, staged: &Staged) -> Value {
    moved(site, server, staged);
    serde_json::from_str(&server.get(&format!("/api/v1/ballots/{}", staged.ballot))).unwrap()
}

on_both_sites! {
    fn killing_the_process_while_residents_vote_loses_and_doubles_none(site) {
        let first = house(site);
        let staged = staged(&first, VOTERS);
        first.close();
        let (receipts, agent) = (Receipts::default(), agent());
        let mut server = serve(site);
        for killed_after in KILLED_AFTER {
            let address = server.url("");
            std::thread::scope(|threads| {
                threads.spawn(|| vote(&address, &staged.codes, &receipts, &agent));
                eventually("some to have voted", || (receipts.lock().unwrap().len() >= killed_after).then_some(()));
                server.kill();
            });
            assert!(receipts.lock().unwrap().len() < VOTERS, "it was killed in the middle");
            server = serve(site);
        }
        eventually("everybody to have voted", || {
            vote(&server.url(""), &staged.codes, &receipts, &agent);
            (receipts.lock().unwrap().len() == VOTERS).then_some(())
        });

        let ballot = counted(site, &server, &staged);
        assert_eq!((&ballot["state"], &ballot["result"]["ballots"], &ballot["result"]["outcome"]), (&json!("counted"), &json!(VOTERS), &json!("binding")));
        // A third each at 100, 60 and 40.
        assert_eq!(ballot["result"]["score"], "66.67");
        let boxed = server.get(&format!("/api/v1/ballots/{}/box", staged.ballot));
        let hashes: Vec<&str> = boxed.lines().skip(2).map(|line| line.split(' ').next().unwrap()).collect();
        let given = receipts.into_inner().unwrap();
        assert_eq!(hashes.len(), VOTERS, "none is there twice");
        assert_eq!(hashes.into_iter().collect::<BTreeSet<_>>(), given.values().map(String::as_str).collect::<BTreeSet<_>>());

        // The record follows from itself and agrees with the log, and the log holds.
        eventually("every event to have its place", || {
            let closed = server.get("/api/v1/audit/export?type=ballot.closed");
            (closed.lines().count() == 1).then_some(())
        });
        let file = site.dir.path().join("record.json");
        std::fs::write(&file, server.get(&format!("/api/v1/ballots/{}/record", staged.ballot))).unwrap();
        let told = Command::new(env!("CARGO_BIN_EXE_wardbook"))
            .args(["recompute", "ballot", file.to_str().unwrap(), "--log", &server.url("/audit")])
            .output()
            .unwrap();
        assert!(told.status.success(), "{told:?}");
        let key = server.get("/audit/key");
        let (code, said) = verify(&server.url("/audit"), key.trim(), None);
        assert_eq!(code, 0, "{said}");
    }
}
