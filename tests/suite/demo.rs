//! The demo ward: what it holds when it is made, and that making it again adds nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wardbook::app::server::Server;
use wardbook::app::settings::{ClockKind, Environment, Settings};
use wardbook::app::{demo, demo_cast, demo_roll, demo_service};
use wardbook::audit;
use wardbook::audit::source::HttpSource;
use wardbook::audit::verify::verify_log;
use wardbook::books::rules::State;
use wardbook::books::rules_documents::Method;
use wardbook::books::store::{PublicFilter, book, lots_of, public};

use crate::harness::PostgresDatabase;
use crate::on_both_sites;
use crate::publication_checks;

on_both_sites! {
    fn the_demo_stands_where_its_tour_begins_with_books_in_every_stage_up_to_ended(site) {
        let mut settings = Settings {
            environment: Environment::Development,
            clock: ClockKind::Simulated,
            listen: "127.0.0.1:0".parse().unwrap(),
            data_dir: site.dir.path().join("data"),
            database_url: site.database.as_ref().map(PostgresDatabase::url).unwrap_or_default(),
            ..Settings::default()
        };
        demo::name_ward(&mut settings);
        let server = Server::start(settings, demo::start()).unwrap();
        let house = server.house.as_ref().unwrap();
        let db = &house.context.db;
        let mut events = 0;
        for round in 0..2 {
            demo::make(house).unwrap();
            assert_eq!(house.context.clock.now(), demo::stands());
            let size = db.read_and_wait(audit::store::last_checkpoint).unwrap().map_or(0, |last| last.size);
            assert!(round == 0 || size == events || site.database.is_some(), "{events} events became {size}");
            events = size;
        }
        let books = db.read_and_wait(|conn| {
            let heads = public(conn, &PublicFilter::default(), 10)?;
            heads.iter().map(|head| book(conn, &head.id)).collect::<Result<Vec<_>, _>>()
        });
        let books: Vec<_> = books.unwrap().into_iter().flatten().collect();
        assert_eq!(books.len(), 5);
        let amended = books.iter().filter(|book| book.publication.as_ref().is_some_and(|one| one.versions == 2));
        assert_eq!(amended.count(), 1);
        let mut opened = 0;
        for book in books {
            let said = book.content.document();
            let (publication, deadline) = (book.publication.unwrap(), said.timetable.bid_deadline.unwrap());
            assert!(book.state == State::Published && publication.at < demo::stands(), "{}", said.title_en);
            assert!(said.intention_id.is_some() && said.consultation_id.is_some() && said.documents.len() == 1, "{}", said.title_en);
            let lot = db.read_and_wait(|conn| lots_of(conn, &book.id)).unwrap().remove(0);
            let (status, record) = get(&server, &format!("/api/v1/lots/{}/opening", lot.id), None);
            assert_eq!(status, if deadline > demo::stands() { 404 } else { 200 }, "{}", said.title_en);
            if status == 404 {
                assert!(deadline - demo::stands() < chrono::Duration::days(2), "{}", said.title_en);
                continue;
            }
            opened += 1;
            let is_by_ballot = said.method == Some(Method::Appraisal);
            assert_eq!((&record["outcome"], &record["bids"]), (&json!("opened"), &json!(if is_by_ballot { 1 } else { 3 })));
            assert!(record["opened"].as_array().unwrap().iter().all(|bid| bid["findings"] == json!([])), "{record}");
            let at = Judged { server: &server, book: book.id.to_string(), lot: lot.id.to_string() };
            match said.category.as_str() {
                "sanitation" if is_by_ballot => at.was_decided_by_representatives(),
                "property" => at.is_signed_for(),
                "security" => at.is_in_its_standstill(),
                other => {
                    assert_eq!(other, "greening");
                    at.is_examined_by_nobody_knows_whom();
                }
            }
        }
        assert_eq!(opened, 4);
        the_estates_are_served(&server);
        every_sight_is_there(&server);
        the_pool_has_some_to_spare(&server);
        bids_for_the_others_are_their_bidders_alone(&server);
        what_is_published_holds(&server);
        wardens_agree(&server);
        server.stop().unwrap();
    }
}

/// A book of the demo whose bids are open.
struct Judged<'s> {
    server: &'s Server,
    book: String,
    lot: String,
}

impl Judged<'_> {
    fn get(&self, path: &str, who: Option<&str>) -> (u16, Value) {
        let token = who.map(|name| signed_in(self.server, name));
        get(self.server, &format!("/api/v1{path}"), token.as_deref())
    }

    fn ok(&self, path: &str) -> Value {
        let (status, answer) = self.get(path, None);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Price, points for the price, total and rank of each bid, by the total; everybody sees them.
    fn ranking(&self) -> Vec<[String; 4]> {
        let derivation = self.ok(&format!("/lots/{}/evaluation/derivation", self.lot));
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let bids = derivation["result"]["bids"].as_array().unwrap().iter();
        let mut rows: Vec<_> = bids
            .map(|bid| ["evaluated_price", "price_score", "total", "rank"].map(|name| text(&bid[name])))
            .collect();
        rows.sort_by(|one, other| one[3].cmp(&other[3]));
        rows
    }

    /// The award that everybody may know of, with its notice; and the panel is public with it.
    fn noticed(&self, state: &str) -> Value {
        let award = self.ok(&format!("/lots/{}/awards", self.lot))["items"][0].clone();
        assert_eq!(
            (&award["state"], &award["place"]),
            (&json!(state), &json!(1)),
            "{award}"
        );
        self.ok(&format!("/awards/{}/notice", award["id"].as_str().unwrap()));
        let panel = self.ok(&format!("/contract-books/{}/panel", self.book));
        assert_eq!(panel["size"], 5, "{panel}");
        award
    }

    /// The contract about its lot, of the two that are signed.
    fn contract(&self) -> Value {
        let contracts = self.ok("/contracts");
        let all = contracts["items"].as_array().unwrap();
        assert_eq!(all.len(), 2, "{contracts}");
        let found = all.iter().find(|one| one["lot_id"] == self.lot.as_str());
        found.unwrap().clone()
    }

    fn is_signed_for(&self) {
        let expected = [
            ["826600.00", "19.13", "91.53", "1"],
            ["790560.00", "20.00", "90.25", "2"],
            ["805200.00", "19.64", "88.14", "3"],
        ];
        assert_eq!(self.ranking(), expected);
        let award = self.noticed("signed");
        let contract = self.contract();
        assert_eq!(
            (&contract["award_id"], &contract["state"]),
            (&award["id"], &json!("signed"))
        );
        assert_eq!(contract["price"]["amount"], "826600.00");
        assert_eq!(contract["performance_security"]["amount"], "41330.00");
        assert_eq!(contract["price_now"]["amount"], "832600.00");
        // Of 841,800.00 that were reserved, what the contract does not take is free again; the other books are still reserved for. What the variation adds
        // was allocated before. April and the wages of May are paid out of the commitment; of the toilets
        // three months are paid and nine are free again.
        let balance = self.ok("/ledger/trial-balance").to_string();
        for amount in ["723716.67", "132883.33", "87200.00", "3636200.00", "420000.00"] {
            assert!(balance.contains(&format!("\"{amount}\"")), "{amount}: {balance}");
        }
        self.ok(&format!(
            "/contracts/{}/content",
            contract["id"].as_str().unwrap()
        ));
    }

    /// 44 of 60 representatives have voted, of whom 40 had to; what they say is what decides, and both can be reckoned again.
    fn was_decided_by_representatives(&self) {
        let asked = self.ok(&format!("/ballots?matter_id={}", self.lot));
        let ballot = &asked["items"][0];
        assert_eq!(
            (&ballot["electorate"], &ballot["unit"]),
            (&json!(60), &json!("representatives"))
        );
        let result = json!({"ballots": 44, "quorum_ballots": 40, "outcome": "binding", "score": "85.45"});
        assert_eq!(ballot["result"], result);
        let expected = [["96000.00", "null", "85.45", "1"]];
        assert_eq!(self.ranking(), expected);
        let award = self.noticed("signed");
        let (status, winner) = self.get(
            &format!("/organisations/{}", award["supplier_id"].as_str().unwrap()),
            None,
        );
        assert_eq!((status, &winner["name_zh"]), (200, &json!("桂园社区环卫绿化队")));
        self.ended_by_agreement();
    }

    /// After three months: two were claimed as they came, the third was settled; what was left of the price is the line's again.
    fn ended_by_agreement(&self) {
        let contract = self.contract();
        assert_eq!(
            (&contract["price"]["amount"], &contract["ends_on"]),
            (&json!("96000.00"), &json!("2026-06-30"))
        );
        let id = contract["id"].as_str().unwrap();
        let ended = self.ok(&format!("/contracts/{id}/terminations"));
        assert_eq!(
            (&ended["items"][0]["state"], &ended["items"][0]["ground"]),
            (&json!("decided"), &json!("agreement"))
        );
        let claims = self.ok(&format!("/contracts/{id}/claims"));
        let rows: Vec<_> = claims["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|claim| {
                [
                    &claim["kind"],
                    &claim["period"],
                    &claim["state"],
                    &claim["certified"]["amount"]["amount"],
                ]
            })
            .collect();
        let row = |kind: &str, period: Value| [json!(kind), period, json!("confirmed"), json!("8000.00")];
        assert_eq!(
            rows,
            [
                row("period", json!(1)),
                row("period", json!(2)),
                row("settlement", Value::Null)
            ]
            .each_ref()
            .map(|row| row.each_ref())
        );
        let totals = self.ok(&format!("/contracts/{id}/payments"));
        assert_eq!(
            [
                &totals["confirmed"]["amount"],
                &totals["committed"]["amount"],
                &totals["interest"]["amount"]
            ],
            ["24000.00", "0.00", "0.00"]
        );
        let accepted = self.ok(&format!("/contracts/{id}/acceptances"));
        assert_eq!(
            counted(accepted["items"].as_array().unwrap(), "state"),
            [("accepted".to_owned(), 3)].into()
        );
    }

    fn is_in_its_standstill(&self) {
        let expected = [
            ["676800.00", "29.36", "93.36", "1"],
            ["691200.00", "28.75", "90.75", "2"],
            ["662400.00", "30.00", "90.50", "3"],
        ];
        assert_eq!(self.ranking(), expected);
        let award = self.noticed("noticed");
        assert_eq!(award["deadlines"]["challenges_until"], "2026-08-03", "{award}");
        // Whoever is second has challenged it: the parties know by what, and nobody else.
        let challenges = format!("/lots/{}/challenges", self.lot);
        for who in ["officer", "anlan.agent"] {
            let (status, seen) = self.get(&challenges, Some(who));
            assert_eq!(
                (status, &seen["items"][0]["state"]),
                (200, &json!("filed")),
                "{who}: {seen}"
            );
        }
        assert_eq!(
            self.get(
                &format!("/awards/{}/contract", award["id"].as_str().unwrap()),
                None
            )
            .0,
            404
        );
    }

    fn is_examined_by_nobody_knows_whom(&self) {
        let (panel, admission) = (
            format!("/contract-books/{}/panel", self.book),
            format!("/lots/{}/admission", self.lot),
        );
        for who in [None, Some("regulator"), Some("cuiping.agent")] {
            assert_eq!(self.get(&panel, who).0, 404, "{who:?}");
        }
        let (status, seen) = self.get(&panel, Some("officer"));
        assert!(
            status == 200 && !seen.to_string().contains("account_id\":\"user_"),
            "{seen}"
        );
        let (status, seen) = self.get(&admission, Some("officer"));
        assert_eq!(status, 200, "{seen}");
        assert!(!seen["missing"].as_array().unwrap().is_empty(), "{seen}");
        assert_eq!(
            self.get(&format!("/lots/{}/evaluation", self.lot), Some("officer"))
                .0,
            404
        );
        assert_eq!(self.ok(&format!("/lots/{}/awards", self.lot))["items"], json!([]));
    }
}

/// The contract that is served, as its parties' people and everybody see it.
struct Served<'s> {
    server: &'s Server,
    contract: String,
    officer: String,
}

impl Served<'_> {
    fn items(&self, path: &str) -> Vec<Value> {
        let (status, answer) = get(self.server, &format!("/api/v1{path}"), None);
        assert_eq!(status, 200, "{path}: {answer}");
        answer["items"].as_array().unwrap().clone()
    }

    fn of_contract(&self, what: &str) -> Vec<Value> {
        self.items(&format!("/contracts/{}/{what}", self.contract))
    }

    /// Three months are over, each with a plan, inspections and their score; the fourth runs.
    fn has_months_of_inspections(&self) {
        let periods = self.of_contract("periods");
        let states: Vec<&Value> = periods.iter().map(|period| &period["state"]).collect();
        assert_eq!(states[..5], ["over", "over", "over", "running", "upcoming"]);
        for (number, state, score, contests) in [
            (1, "settled", "94.28", 0),
            (2, "settled", "91.43", 0),
            (3, "settled", "71.43", 0),
            (4, "provisional", "95.24", 1),
        ] {
            let of_period = self.of_contract(&format!("periods/{number}/scores"));
            let found = &of_period[0];
            let shown = (&found["state"], &found["score"], &found["contests_open"]);
            assert_eq!(
                shown,
                (&json!(state), &json!(score), &json!(contests)),
                "{number}"
            );
            let stops = self.of_contract(&format!("inspection-plans?period={number}"));
            let [plan] = stops.as_slice() else {
                panic!("{stops:?}")
            };
            assert_eq!(
                (&plan["stops_count"], &plan["candidates_count"]),
                (&json!(4), &json!(6))
            );
            assert_eq!(plan["is_disclosed"], number < 4, "{plan}");
        }
        // Residents have rated the months that are over; in June too few of them.
        for (number, state, score, count) in [
            (1, "settled", json!("82.00"), 30),
            (2, "settled", json!("80.77"), 26),
            (3, "non_binding", Value::Null, 12),
            (4, "no_data", Value::Null, 0),
        ] {
            let found = &self.of_contract(&format!("periods/{number}/scores"))[1];
            assert_eq!(
                (&found["state"], &found["score"], &found["count"]),
                (&json!(state), &score, &json!(count)),
                "{number}"
            );
        }
        let ballots = self.items(&format!("/ballots?matter_id={}", self.contract));
        assert_eq!(
            (ballots.len(), &ballots[0]["result"]["score"]),
            (3, &json!("65.00"))
        );
        let inspections = self.of_contract("inspections?limit=100");
        let planned = inspections.iter().filter(|one| !one["stop"].is_null());
        let annulled = inspections.iter().filter(|one| one["is_annulled"] == true);
        assert_eq!(
            (inspections.len(), planned.count(), annulled.count()),
            (18, 13, 1),
            "{inspections:?}"
        );
        let contests = self.of_contract("inspection-contests");
        let outcomes = counted(&contests, "state");
        assert_eq!(
            outcomes,
            BTreeMap::from([("filed".into(), 1), ("rejected".into(), 1), ("upheld".into(), 1)])
        );
    }

    /// There are defects in every state, and they got there on every way.
    fn has_defects_at_every_stage(&self) {
        let path = format!("/api/v1/defects?contract_id={}&limit=100", self.contract);
        let (_, all) = get(self.server, &path, Some(&self.officer));
        let all = all["items"].as_array().unwrap();
        let states = [
            ("acknowledged", 2),
            ("confirmed", 8),
            ("dispatched", 1),
            ("fixed", 1),
            ("rejected", 2),
            ("reopened", 1),
            ("reported", 2),
            ("withdrawn", 1),
        ];
        assert_eq!(
            counted(all, "state"),
            states.map(|(state, count)| (state.to_owned(), count)).into()
        );
        // Whoever has no account does not see what nobody has looked at, nor what was taken back.
        assert_eq!(
            self.items(&format!("/defects?contract_id={}", self.contract))
                .len(),
            15
        );
        let whole: Vec<Value> = all
            .iter()
            .map(|defect| self.defect(defect["id"].as_str().unwrap()))
            .collect();
        let closed = counted(&whole, "closed_by");
        assert_eq!(
            closed,
            [("officer", 4), ("reporter", 4), ("silence", 3)]
                .map(|(by, count)| (by.to_owned(), count))
                .into()
        );
        let late = self.items("/defects?overdue=true");
        assert_eq!(
            (late.len(), &late[0]["reports_count"]),
            (1, &json!(3)),
            "{late:?}"
        );
        let rounds = |defect: &Value| defect["rounds"].as_array().unwrap().clone();
        let again = whole.iter().filter(|defect| rounds(defect).len() > 1);
        assert_eq!(again.count(), 3);
        let mut evidence = 0;
        for round in whole.iter().flat_map(rounds) {
            for picture in round["evidence"].as_array().unwrap() {
                let path = format!("/api/v1/attachments/{}/content", picture.as_str().unwrap());
                assert_eq!(get(self.server, &path, None).0, 200);
                evidence += 1;
            }
        }
        assert_eq!(evidence, 12);
        self.hides_abuse(&whole);
    }

    fn defect(&self, id: &str) -> Value {
        let path = format!("/api/v1/defects/{id}");
        let (status, defect) = get(self.server, &path, Some(&self.officer));
        assert_eq!(status, 200, "{defect}");
        defect
    }

    fn hides_abuse(&self, all: &[Value]) {
        let mut hidden = 0;
        for defect in all {
            let path = format!("/api/v1/defects/{}/reports", defect["id"].as_str().unwrap());
            let (_, seen) = get(self.server, &path, Some(&self.officer));
            let seen = &seen["items"][0];
            if seen["visibility"] == "hidden" {
                assert_eq!(defect["state"], "rejected");
                let (status, public) = get(self.server, &path, None);
                assert!(status == 200 && seen["text"].is_string(), "{seen}");
                assert_eq!(public["items"][0]["text"], Value::Null);
                hidden += 1;
            }
        }
        assert_eq!(hidden, 1);
    }

    /// The first month by a certificate, the second by silence; the third was handed over.
    fn is_accepted_in_each_way(&self) {
        let all = self.of_contract("acceptances");
        let mut states: Vec<(i64, &str)> = all
            .iter()
            .map(|one| (one["period"].as_i64().unwrap(), one["state"].as_str().unwrap()))
            .collect();
        states.sort_unstable();
        let expected = [(1, "accepted"), (2, "accepted_by_silence"), (3, "open")];
        assert_eq!(states, expected, "{all:?}");
        let first = all.iter().find(|one| one["period"] == 1).unwrap();
        let path = format!("/api/v1/acceptances/{}/content", first["id"].as_str().unwrap());
        let (status, certificate) = get(self.server, &path, None);
        assert_eq!((status, &certificate["conclusion"]), (200, &json!("accepted")));
        assert!(!certificate["findings"].as_array().unwrap().is_empty());
        assert!(
            !certificate.to_string().contains("周桂芬"),
            "nobody is named in a certificate"
        );
    }

    /// A claim in each state: April's came back twice and was paid ten days late, May's in three parts and with a deduction, June's waits.
    fn is_paid_in_every_way(&self) {
        let claims = self.of_contract("claims");
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let rows: Vec<_> = claims
            .iter()
            .map(|claim| {
                let certified = &claim["certified"];
                (
                    claim["period"].as_i64().unwrap(),
                    text(&claim["state"]),
                    text(&certified["amount"]["amount"]),
                    claim["days_late"].as_i64().unwrap(),
                    text(&claim["interest"]["amount"]),
                )
            })
            .collect();
        let row = |period, state: &str, certified: &str, days, interest: &str| {
            (
                period,
                state.to_owned(),
                certified.to_owned(),
                days,
                interest.to_owned(),
            )
        };
        let expected = [
            row(1, "returned", "-", 0, "0.00"),
            row(1, "failed", "68883.33", 0, "0.00"),
            row(1, "confirmed", "68883.33", 10, "344.42"),
            row(2, "executed", "40000.00", 0, "0.00"),
            row(2, "approved", "20000.00", 0, "0.00"),
            row(2, "certified", "8642.24", 0, "0.00"),
            row(3, "claimed", "-", 0, "0.00"),
        ];
        assert_eq!(rows, expected, "{claims:?}");
        // 89.30 is 0.70 below 90, half a percent of the month's price for each point.
        let (_, may) = get(
            self.server,
            &format!("/api/v1/contracts/{}/periods/2/pay", self.contract),
            None,
        );
        let result = &may["derivation"]["result"];
        assert_eq!(
            [&result["score"], &result["deducted"], &result["payable"]],
            ["89.30", "241.09", "68642.24"]
        );
        let (_, totals) = get(
            self.server,
            &format!("/api/v1/contracts/{}/payments", self.contract),
            None,
        );
        let of = |member: &str| text(&totals[member]["amount"]);
        assert_eq!(
            ["paid", "confirmed", "interest"].map(of),
            ["108883.33", "68883.33", "344.42"]
        );
        // Invoices and reasons are between the parties.
        assert!(
            claims
                .iter()
                .all(|claim| claim["invoice_number"].is_null() && claim["end_reason_zh"].is_null())
        );
    }

    /// What was wrong was put right at the second time; the contract was varied with money and both signatures.
    fn was_changed(&self) {
        let notices = self.of_contract("rectifications");
        let [notice] = notices.as_slice() else {
            panic!("{notices:?}")
        };
        let accepted: Vec<&Value> = notice["rounds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|round| &round["is_accepted"])
            .collect();
        assert_eq!(
            (&notice["state"], &notice["late_days"], accepted),
            (&json!("accepted"), &json!(0), vec![&json!(false), &json!(true)])
        );
        let variations = self.of_contract("variations");
        let [variation] = variations.as_slice() else {
            panic!("{variations:?}")
        };
        assert_eq!(
            (&variation["state"], &variation["amount"]["amount"]),
            (&json!("concluded"), &json!("6000.00"))
        );
        let (signatures, parts) = (&variation["signatures"], &variation["parts"]);
        assert_eq!(
            (
                signatures.as_array().unwrap().len(),
                parts.as_array().unwrap().len()
            ),
            (2, 8)
        );
    }
}

/// How many have which value; those that have none do not count.
fn counted(all: &[Value], member: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for value in all.iter().filter_map(|one| one[member].as_str()) {
        *counts.entry(value.to_owned()).or_default() += 1;
    }
    counts
}

fn the_estates_are_served(server: &Server) {
    let (_, contracts) = get(server, "/api/v1/contracts", None);
    let all = contracts["items"].as_array().unwrap();
    let estates = all.iter().find(|one| one["price"]["amount"] == "826600.00");
    let served = Served {
        server,
        contract: estates.unwrap()["id"].as_str().unwrap().to_owned(),
        officer: signed_in(server, "officer"),
    };
    served.has_months_of_inspections();
    served.has_defects_at_every_stage();
    served.is_accepted_in_each_way();
    served.was_changed();
    served.is_paid_in_every_way();
}

/// Every address that the demo prints answers everybody.
fn every_sight_is_there(server: &Server) {
    let address = server.address.to_string();
    let sights = demo_service::sights(server.house.as_ref().unwrap(), &address).unwrap();
    assert_eq!(sights.len(), 16);
    for (name, place) in sights {
        let path = place.strip_prefix(&format!("http://{address}")).unwrap();
        assert_eq!(get(server, path, None).0, 200, "{name}: {place}");
    }
}

/// For each category there are more experts than a panel has seats.
fn the_pool_has_some_to_spare(server: &Server) {
    let regulator = signed_in(server, "regulator");
    for category in ["greening", "property", "sanitation", "security"] {
        let path = format!("/api/v1/panel-experts?category={category}");
        let (status, list) = get(server, &path, Some(&regulator));
        assert_eq!(status, 200, "{list}");
        assert_eq!(list["items"].as_array().unwrap().len(), 8, "{category}");
    }
}

/// Everything that is published of the demo holds, and says nothing of its people.
fn what_is_published_holds(server: &Server) {
    let house = server.house.as_ref().unwrap();
    let db = &house.context.db;
    while !db
        .read_and_wait(|conn| audit::store::waiting(conn, 1))
        .unwrap()
        .is_empty()
    {
        std::thread::yield_now();
    }
    house.publish_all().unwrap();
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let agent = ureq::Agent::new_with_config(config);
    let ask = |path: &str| {
        let mut answer = agent
            .get(format!("http://{}{path}", server.address))
            .call()
            .unwrap();
        (
            answer.status().as_u16(),
            answer.body_mut().read_to_string().unwrap(),
        )
    };
    let releases = publication_checks::all_holds(&ask);
    let tags = publication_checks::tags(&releases);
    for tag in [
        "planning",
        "tender",
        "tenderUpdate",
        "tenderAmendment",
        "award",
        "awardUpdate",
        "contract",
        "implementation",
    ] {
        assert!(tags.contains_key(tag), "{tag}: {tags:?}");
    }
    let all: String = releases.iter().map(|release| release.written()).collect();
    let people = demo::people();
    let mails: Vec<&str> = people
        .iter()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(mails.len() > 20 && mails.iter().all(|mail| !all.contains(mail)));
    // Some are called as their firm is, whose name is public.
    let is_firm = |name: &&str| {
        demo_cast::SUPPLIERS
            .iter()
            .any(|firm| firm.name_zh.contains(name))
    };
    let names: Vec<&str> = people
        .iter()
        .filter_map(|line| line.split_whitespace().nth(1))
        .filter(|name| !is_firm(name))
        .collect();
    assert!(names.len() > 40, "{names:?}");
    let rolls: Vec<String> = (0..5).map(demo_roll::table).collect();
    let residents = rolls
        .iter()
        .flat_map(|table| table.lines().skip(1))
        .filter_map(|row| row.split(',').nth(1));
    for name in names.into_iter().chain(residents) {
        assert!(!all.contains(name), "{name} is published");
    }
    for private in ["user_", "resident_", "household_", "ballotpaper", "@"] {
        assert!(!all.contains(private), "{private} is published");
    }
}

/// What an address answers, to somebody with a token or to nobody in particular.
fn get(server: &Server, path: &str, token: Option<&str>) -> (u16, Value) {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let mut request = ureq::Agent::new_with_config(config).get(format!("http://{}{path}", server.address));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let mut answer = request.call().unwrap();
    let bytes = answer.body_mut().read_to_vec().unwrap();
    // A picture or a page is nothing but there.
    (
        answer.status().as_u16(),
        serde_json::from_slice(&bytes).unwrap_or_default(),
    )
}

fn signed_in(server: &Server, name: &str) -> String {
    let body = json!({ "email": demo::address_of(name), "password": demo::PASSWORD }).to_string();
    let request = ureq::post(format!("http://{}/api/v1/sessions", server.address));
    let mut answer = request
        .header("content-type", "application/json")
        .send(body)
        .unwrap();
    let tokens: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    tokens["access_token"].as_str().unwrap().to_owned()
}

/// Of fourteen bids ten are open; of the others only their bidders know.
fn bids_for_the_others_are_their_bidders_alone(server: &Server) {
    let db = &server.house.as_ref().unwrap().context.db;
    while !db
        .read_and_wait(|conn| audit::store::waiting(conn, 1))
        .unwrap()
        .is_empty()
    {
        std::thread::yield_now();
    }
    let (mine, rival) = (
        signed_in(server, "jiecheng.agent"),
        signed_in(server, "qinglan.agent"),
    );
    let (_, list) = get(server, "/api/v1/bids", Some(&mine));
    // For street sanitation, and for the estates.
    let own = list["items"].as_array().unwrap();
    assert_eq!(own.len(), 2, "{list}");
    let officer = signed_in(server, "officer");
    assert_eq!(get(server, "/api/v1/bids", Some(&officer)).0, 403);
    for bid in own {
        let path = format!("/api/v1/bids/{}", bid["bid_id"].as_str().unwrap());
        assert_eq!(get(server, &path, Some(&mine)).0, 200);
        assert_eq!(get(server, &path, Some(&rival)).0, 404);
        assert_ne!(get(server, &path, Some(&officer)).0, 200);
    }
    let auditor = signed_in(server, "auditor");
    let (_, events) = get(server, "/api/v1/audit/events?type=bid.sealed", Some(&auditor));
    assert_eq!(events["items"].as_array().unwrap().len(), 10, "{events}");
    let (_, lodged) = get(
        server,
        "/api/v1/audit/events?type=bid_security.lodged",
        Some(&auditor),
    );
    assert_eq!(lodged["items"], json!([]));
}

/// The log and the ledger hold.
fn wardens_agree(server: &Server) {
    let address = format!("http://{}/audit", server.address);
    let key = ureq::get(format!("{address}/key"))
        .call()
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    let verdict = verify_log(
        &HttpSource::new(&address),
        &key.trim().parse().unwrap(),
        None,
        &mut |_, _| {},
    );
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
    let ledger = server
        .house
        .as_ref()
        .unwrap()
        .context
        .db
        .read_and_wait(wardbook::budget::verify::verify);
    let ledger = ledger.unwrap();
    assert!(ledger.holds(), "{ledger}");
}
