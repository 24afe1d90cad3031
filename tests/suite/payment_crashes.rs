//! What is promised when the process is killed in the middle of everything at once: bids that are sent and replaced, residents who vote, contractors who claim, and payments that
//! are executed. The real program over what a ward has left; whatever got no answer is sent again under its key. Nothing acknowledged is missing, nothing is there twice, and log and
//! ledger hold.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use wardbook::kernel::clock::rfc3339;
use wardbook::web::policy::Role;

use crate::awards::go_to;
use crate::books::ok;
use crate::claims::Counter;
use crate::evening_stage::staged;
use crate::faults::eventually;
use crate::harness::Ward;
use crate::logbook::verify;
use crate::on_both;
use crate::process::{Process, Site};
use crate::treasury::yuan;

/// Payments that are executed, each of 1,000.00.
const PAYMENTS: usize = 24;
/// Claims that are made, each of 10.00.
const CLAIMS: usize = 48;
/// Residents who vote.
const VOTERS: usize = 48;
/// Versions of the bid of each of three bidders.
const VERSIONS: usize = 8;
/// After how many answers the process is killed, each time.
const KILLED_AFTER: [usize; 3] = [30, 70, 110];

/// Something that is asked until it is answered.
struct Ask {
    path: String,
    token: Option<String>,
    key: Option<String>,
    if_match: Option<&'static str>,
    body: Value,
    answer: Mutex<Option<Value>>,
}

impl Ask {
    fn of(token: Option<&str>, path: String, key: Option<String>, body: Value) -> Self {
        Self {
            path,
            token: token.map(str::to_owned),
            key,
            if_match: None,
            body,
            answer: Mutex::new(None),
        }
    }

    /// Sends it; `None` if the server is gone, or has to be asked again.
    fn sent(&self, address: &str, agent: &ureq::Agent) -> Option<(u16, Value)> {
        let mut request = agent.post(format!("{address}/api/v1{}", self.path));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(key) = &self.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(tag) = self.if_match {
            request = request.header("if-match", tag);
        }
        let sent = if self.body.is_null() {
            request.send_empty()
        } else {
            request
                .content_type("application/json")
                .send(self.body.to_string())
        };
        let mut reply = sent.ok()?;
        let text = reply.body_mut().read_to_string().ok()?;
        let status = reply.status().as_u16();
        (status != 503).then(|| (status, serde_json::from_str(&text).unwrap()))
    }
}

/// What is asked: what stands in one list is asked in its order, and the lists at once.
struct Work {
    lists: Vec<Vec<Ask>>,
    answered: AtomicUsize,
}

impl Work {
    /// Asks what has no answer yet, until the server is gone or everything is answered.
    fn goes_on(&self, address: &str, agent: &ureq::Agent) {
        std::thread::scope(|threads| {
            for list in &self.lists {
                threads.spawn(move || {
                    for ask in list {
                        if ask.answer.lock().unwrap().is_some() {
                            continue;
                        }
                        let Some((status, said)) = ask.sent(address, agent) else {
                            return;
                        };
                        assert!(matches!(status, 200 | 201), "{}: {status} {said}", ask.path);
                        *ask.answer.lock().unwrap() = Some(said);
                        self.answered.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
    }

    fn count(&self) -> usize {
        self.lists.iter().map(Vec::len).sum()
    }

    fn answers(&self) -> impl Iterator<Item = (&Ask, Value)> {
        let all = self.lists.iter().flatten();
        all.map(|ask| (ask, ask.answer.lock().unwrap().clone().unwrap()))
    }
}

/// What a ward was filled with.
struct Stage {
    work: Work,
    contract: String,
    lot: String,
    ballot: String,
    closes_at: String,
    admin: String,
    supplier: String,
    bidders: Vec<String>,
}

fn by_months(lot: &mut Value) {
    lot["payment"] = json!({
        "advance_percent": "0", "periods_percent": "100", "retention_percent": "0", "period": "month", "periods": 12, "shares": []
    });
}

/// A book that takes bids until 1 July.
fn tendered(counter: &Counter<'_>) -> Value {
    let (ward, case) = (counter.ward(), &counter.work.case);
    let book = ok(&ward.get(&format!("/api/v1/contract-books/{}", case.book)));
    let mut content = book["content"].clone();
    content["timetable"] = json!({"enquiry_deadline": "2026-06-12T01:00:00Z", "answer_deadline": "2026-06-17T01:00:00Z", "bid_deadline": "2026-07-01T01:00:00Z",
        "opening": "2026-07-01T01:00:00Z", "service_from": "2026-08-01", "service_until": "2027-07-31"});
    content["lots"][0]["ceiling"] = yuan("500000.00");
    let body = json!({"organisation_id": case.office.treasury.department, "content": content});
    case.office.published(ward, &body).1
}

fn filled(ward: &Ward) -> Stage {
    let counter = Counter::new(ward, "2027-04-30", by_months);
    go_to(ward, "2026-06-01T02:00:00Z");
    counter.accepts(1);
    let contract = counter.work.contract.clone();
    let (executes, supplier) = (
        counter.executes.token.clone(),
        counter.work.supplier().token.clone(),
    );
    let payments = (0..PAYMENTS).map(|n| {
        let claim = counter.approved(&Counter::of_period(1, "1000.00", &format!("P{n}")));
        let mut ask = Ask::of(
            Some(&executes),
            format!("/claims/{claim}/execution"),
            Some(format!("pay-{n}")),
            Value::Null,
        );
        ask.if_match = Some("*");
        ask
    });
    let payments: Vec<Ask> = payments.collect();
    let claims = (0..CLAIMS).map(|n| {
        let body = Counter::of_period(1, "10.00", &format!("C{n}"));
        Ask::of(
            Some(&supplier),
            format!("/contracts/{contract}/claims"),
            Some(format!("claim-{n}")),
            body,
        )
    });
    let claims: Vec<Ask> = claims.collect();

    let book = tendered(&counter);
    let lot = book["lots"][0]["id"].as_str().unwrap().to_owned();
    let tender = counter.work.case.tender(&book, &lot);
    let bidders = &counter.work.case.bidders;
    let bids = bidders.iter().enumerate().map(|(bidder, one)| -> Vec<Ask> {
        let versions = (0..VERSIONS).map(|version| {
            let price = (400_000 + 10_000 * bidder + version).to_string();
            let key = Some(format!("bid-{bidder}-{version}"));
            let mut ask = Ask::of(
                Some(&one.agent.token),
                format!("/lots/{lot}/bids"),
                key,
                one.bid(ward, &tender, &price),
            );
            ask.if_match = (version > 0).then_some("*");
            ask
        });
        versions.collect()
    });
    let bids: Vec<Vec<Ask>> = bids.collect();

    let evening = staged(ward.house(), VOTERS);
    let votes = evening.codes.iter().map(|code| {
        let body = json!({"code": code, "nonce": code, "answers": [{"question": "overall", "choice": "very_satisfied"}]});
        Ask::of(None, "/ballot-votes".to_owned(), None, body)
    });
    let votes: Vec<Ask> = votes.collect();
    let mut lists = bids;
    for all in [payments, claims, votes] {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        for (n, ask) in all.into_iter().enumerate() {
            if n % 2 == 0 {
                one.push(ask)
            } else {
                other.push(ask)
            }
        }
        lists.extend([one, other]);
    }
    // The program's clock stands where this one does.
    let admin = ward.token(Role::Admin);
    let now = ward.context().clock.now() + chrono::Duration::seconds(1);
    let moved = ward
        .ask("POST", "/api/v1/dev/clock")
        .by(Role::Admin)
        .json(&json!({"now": rfc3339(now)}))
        .send();
    assert_eq!(moved.status, 200, "{}", moved.text);
    Stage {
        work: Work {
            lists,
            answered: AtomicUsize::new(0),
        },
        contract,
        lot,
        ballot: evening.ballot.to_string(),
        closes_at: rfc3339(evening.closes_at),
        admin,
        supplier,
        bidders: bidders.iter().map(|one| one.agent.token.clone()).collect(),
    }
}

fn serve(site: &Site) -> Process {
    let environment = [
        ("WARDBOOK_ENVIRONMENT", "development".to_owned()),
        ("WARDBOOK_CLOCK", "simulated".to_owned()),
        ("WARDBOOK_JURISDICTION", "test".to_owned()),
    ];
    site.start_with(&environment).ready()
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .new_agent()
}

fn read(server: &Process, token: &str, path: &str) -> Value {
    let request = agent().get(server.url(&format!("/api/v1{path}")));
    let mut reply = request
        .header("authorization", format!("Bearer {token}"))
        .call()
        .unwrap();
    assert_eq!(reply.status(), 200, "{path}");
    serde_json::from_str(&reply.body_mut().read_to_string().unwrap()).unwrap()
}

/// How many events of a kind have their place in the log.
fn events(server: &Process, kind: &str) -> usize {
    let path = format!("/api/v1/audit/export?type={kind}");
    server.get(&path).lines().count()
}

/// Claims, payments and the contract's money are what was asked for, once.
fn money_holds(server: &Process, stage: &Stage) {
    let mut invoices = BTreeSet::new();
    let mut executed = 0;
    let mut cursor = String::new();
    loop {
        let page = read(
            server,
            &stage.supplier,
            &format!("/contracts/{}/claims?limit=50{cursor}", stage.contract),
        );
        for claim in page["items"].as_array().unwrap() {
            let invoice = claim["invoice_number"].as_str().unwrap().to_owned();
            assert!(invoices.insert(invoice.clone()), "{invoice} is there twice");
            executed += usize::from(claim["state"] == "executed");
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((invoices.len(), executed), (PAYMENTS + CLAIMS, PAYMENTS));
    let totals = read(
        server,
        &stage.supplier,
        &format!("/contracts/{}/payments", stage.contract),
    );
    assert_eq!(
        (&totals["paid"], &totals["committed"]),
        (&yuan("24000.00"), &yuan("2274600.00"))
    );
    let made: BTreeSet<String> = stage
        .work
        .answers()
        .filter(|(ask, _)| ask.path.ends_with("/claims"))
        .map(|(_, claim)| claim["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(made.len(), CLAIMS);
    eventually("every event to have its place", || {
        (events(server, "claim.executed") == PAYMENTS && events(server, "claim.made") == PAYMENTS + CLAIMS)
            .then_some(())
    });
}

/// Each bidder's bid has the versions that it was sent in, and its last one counts.
fn bids_hold(server: &Process, stage: &Stage) {
    for (bidder, token) in stage.bidders.iter().enumerate() {
        let own = read(server, token, &format!("/bids?lot_id={}", stage.lot));
        assert_eq!(own["items"].as_array().unwrap().len(), 1, "{own}");
        let id = own["items"][0]["bid_id"].as_str().unwrap().to_owned();
        let bid = read(server, token, &format!("/bids/{id}"));
        let kept: Vec<&str> = bid["versions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["sha256"].as_str().unwrap())
            .collect();
        let answers: Vec<Value> = stage.work.lists[bidder]
            .iter()
            .map(|ask| ask.answer.lock().unwrap().clone().unwrap())
            .collect();
        let receipts: Vec<String> = answers.iter().map(hash_of).collect();
        assert_eq!(
            kept, receipts,
            "each version that was acknowledged, once, in order"
        );
    }
}

fn hash_of(said: &Value) -> String {
    said["version"]["sha256"].as_str().unwrap().to_owned()
}

/// Every vote is counted, once.
fn votes_hold(server: &Process, stage: &Stage) {
    let moved = agent()
        .post(server.url("/api/v1/dev/clock"))
        .header("authorization", format!("Bearer {}", stage.admin))
        .content_type("application/json")
        .send(json!({ "now": stage.closes_at }).to_string())
        .unwrap();
    assert_eq!(moved.status(), 200);
    let path = format!("/api/v1/ballots/{}", stage.ballot);
    let ballot = eventually("the ballot to be counted", || {
        let ballot: Value = serde_json::from_str(&server.get(&path)).unwrap();
        (ballot["state"] == "counted").then_some(ballot)
    });
    assert_eq!(
        (&ballot["result"]["ballots"], &ballot["result"]["score"]),
        (&json!(VOTERS), &json!("100.00"))
    );
    let boxed = server.get(&format!("{path}/box"));
    let hashes: BTreeSet<&str> = boxed
        .lines()
        .skip(2)
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    let votes = stage
        .work
        .answers()
        .filter(|(ask, _)| ask.path == "/ballot-votes");
    let given: BTreeSet<String> = votes
        .map(|(_, said)| said["slips"][0]["sha256"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((hashes.len(), given.len()), (VOTERS, VOTERS));
    assert!(given.iter().all(|hash| hashes.contains(hash.as_str())));
}

on_both! { in "test";
    fn killing_the_process_in_the_middle_of_bids_votes_claims_and_payments_loses_and_doubles_nothing(ward) {
        let stage = filled(&ward);
        let site = Site::left_by(ward);
        let (agent, work) = (agent(), &stage.work);
        let mut server = serve(&site);
        for killed_after in KILLED_AFTER {
            let address = server.url("");
            std::thread::scope(|threads| {
                threads.spawn(|| work.goes_on(&address, &agent));
                eventually("some of it to be answered", || (work.answered.load(Ordering::SeqCst) >= killed_after).then_some(()));
                server.kill();
            });
            assert!(work.answered.load(Ordering::SeqCst) < work.count(), "it was killed in the middle");
            server = serve(&site);
        }
        eventually("all of it to be answered", || {
            work.goes_on(&server.url(""), &agent);
            (work.answered.load(Ordering::SeqCst) == work.count()).then_some(())
        });
        // Whoever asks once more under the same key gets the same answer.
        for (ask, said) in work.answers() {
            let (status, again) = ask.sent(&server.url(""), &agent).unwrap();
            assert!(matches!(status, 200 | 201), "{}: {status} {again}", ask.path);
            for member in ["id", "sha256", "state", "revision"] {
                assert_eq!(again[member], said[member], "{}", ask.path);
            }
        }
        money_holds(&server, &stage);
        bids_hold(&server, &stage);
        votes_hold(&server, &stage);
        let (code, said) = verify(&server.url("/audit"), server.get("/audit/key").trim(), None);
        assert_eq!(code, 0, "{said}");
        let told = site.command(&["verify", "ledger"]).output().unwrap();
        assert!(told.status.success(), "{told:?}");
    }
}
