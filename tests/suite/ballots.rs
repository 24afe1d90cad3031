//! Residents' ballots: called about a period, cast by whoever has the vote and by nobody else, counted once, and checked by anybody; what of it nobody can
//! learn; and what is told of fewer than ten.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use actix_web::web;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardbook::audit;
use wardbook::audit::entry::Event;
use wardbook::audit::note::Verifier;
use wardbook::ballots::acts_mail::{Mailing, write_to_some};
use wardbook::ballots::acts_voting::token;
use wardbook::ballots::polling::Polling;
use wardbook::ballots::store;
use wardbook::books::custody::Custody;
use wardbook::db::writer::Tx;
use wardbook::outbox::store::counts;
use wardbook::web::actor::{Actor, Grant};
use wardbook::web::policy::Role;

use crate::awards::{Case, go_to};
use crate::books::{at_once, ok};
use crate::cast::{Person, person};
use crate::faults::eventually;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::{lines, record, written};
use crate::pages::{faulty, is_page, opened, sent};
use crate::periods::contract;
use crate::roll_letters::{claim, codes, letter};
use crate::roll_privacy::everything_kept;
use crate::rolls::{self, Community};
use crate::spending;
use crate::treasury::{gets, made, of, posts};

/// When votes are taken, and until when.
const OPENS: &str = "2026-05-20T00:00:00Z";
const CLOSES: &str = "2026-05-27T00:00:00Z";

/// A contract whose area has two communities with people in them.
pub struct Polled<'w> {
    pub ward: &'w Ward,
    pub case: Case,
    pub contract: String,
    pub communities: [Community; 2],
}

/// Two communities in a city with so many adults each, every one of them in a household of their own, somebody who comes of age on 20 May, and somebody who does
/// so a day later.
pub fn peopled(ward: &Ward, city: &str, adults: [usize; 2]) -> [Community; 2] {
    let district = ward.area(Some(city), "凤鸣区");
    let street = ward.area(Some(&district), "梧桐街道");
    [("桂园社区", 0), ("槐荫社区", 1)].map(|(name, n)| {
        let id = ward.area(Some(&street), name);
        let registrar = rolls::person(ward, Role::Registrar, Some(&id));
        let community = Community { id, registrar };
        let mut table = String::from("户号,姓名,出生日期,邮箱\n");
        for at in 0..adults[n] {
            let email = if at < 3 {
                format!("r{n}{at}@people.example")
            } else {
                String::new()
            };
            table.push_str(&format!("{at}-1,居民{at},1980-01-01,{email}\n"));
        }
        table.push_str("900-1,刚满,2008-05-20,\n901-1,未满,2008-05-21,\n");
        community.imported(ward, "", &table);
        community
    })
}

/// An answer to the usual question.
pub fn says(choice: &str) -> Value {
    json!([{"question": "overall", "choice": choice}])
}

impl<'w> Polled<'w> {
    /// With so many adults in each, every one of them in a household of their own; on 4 May.
    pub fn with(ward: &'w Ward, adults: [usize; 2]) -> Self {
        Self::of(ward, adults, contract(ward))
    }

    /// About a contract, with so many adults in each community.
    pub fn of(ward: &'w Ward, adults: [usize; 2], (case, contract): (Case, String)) -> Self {
        let book = ok(&ward.get(&format!("/api/v1/contract-books/{}", case.book)));
        let city = book["content"]["areas"][0].as_str().unwrap().to_owned();
        go_to(ward, "2026-05-04T01:00:00Z");
        let communities = peopled(ward, &city, adults);
        Self {
            ward,
            case,
            contract,
            communities,
        }
    }

    pub fn officer(&self) -> &Person {
        &self.case.office.officer
    }

    pub fn calls(&self, who: &Person, change: impl FnOnce(&mut Value)) -> Reply {
        let mut body = json!({"opens_at": OPENS, "closes_at": CLOSES, "unit": "residents", "quorum_percent": 50, "may_abstain": true});
        change(&mut body);
        posts(
            self.ward,
            who,
            &format!("/contracts/{}/periods/1/ratings", self.contract),
            Some(&body),
        )
    }

    pub fn prints(&self, community: usize, ballot: &str, readers: &Value) -> Reply {
        let mut body = json!({"ballot_id": ballot});
        body.as_object_mut()
            .unwrap()
            .extend(readers.as_object().unwrap().clone());
        self.communities[community]
            .ask(self.ward, "POST", "ballot-letters")
            .json(&body)
            .send()
    }

    /// The codes of everybody in a community.
    pub fn codes(&self, community: usize, ballot: &str) -> Vec<String> {
        let page = self.prints(community, ballot, &json!({"everyone": true}));
        assert_eq!(page.status, 200, "{}", page.text);
        codes(&page.text)
    }

    pub fn votes(&self, code: &str, answers: &Value) -> Reply {
        votes(self.ward, code, answers)
    }

    /// How the source of the first period that residents are stands.
    pub fn rating(&self) -> (String, Value, i64) {
        let scores = ok(&self
            .ward
            .get(&format!("/api/v1/contracts/{}/periods/1/scores", self.contract)));
        let one = scores["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["source"] == "rating")
            .unwrap()
            .clone();
        (
            one["state"].as_str().unwrap().to_owned(),
            one["score"].clone(),
            one["count"].as_i64().unwrap(),
        )
    }
}

/// Where votes come in.
pub fn polling(ward: &Ward) -> web::Data<Polling> {
    let custody = Custody::open(&ward.house().settings.keys_dir()).unwrap();
    web::Data::new(ward.house().polling(web::Data::new(custody)))
}

/// What a mail's link to a voter of that number holds.
pub fn link(ward: &Ward, ballot: &str, number: i64) -> String {
    let (polling, id) = (polling(ward), ballot.parse().unwrap());
    let read = move |tx: &mut Tx<'_>| {
        record(tx)?;
        let ballot = store::ballot(tx.conn(), &id)?.unwrap();
        Ok(token(&polling.key(&ballot)?, &id, number)?)
    };
    ward.context().db.write_and_wait(read).unwrap()
}

pub fn votes(ward: &Ward, code: &str, answers: &Value) -> Reply {
    ward.ask("POST", "/api/v1/ballot-votes")
        .json(&json!({"code": code, "answers": answers}))
        .send()
}

/// Makes somebody's account that of a grown-up resident, as they do themselves: with the code of an invitation.
pub fn resides(ward: &Ward, community: &Community, who: &Person, resident: &str) {
    let code = letter(ward, community, resident);
    let reply = claim(ward, who, &code, "1980-01-01");
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// Writes somebody's account into the place of a resident, as whoever can write to the database does.
pub fn is_put_into(ward: &Ward, who: &Person, resident: &str) {
    let statement = format!(
        "UPDATE residents SET account_id = '{}' WHERE id = '{resident}'",
        who.id
    );
    assert_eq!(sql(ward, &statement).unwrap(), 1);
}

/// Writes into the log, too, that they have claimed it.
pub fn is_said_to_have_claimed(ward: &Ward, who: &Person, resident: &str) {
    let (actor, subject) = (
        Actor::in_session(who.id.to_string(), String::new(), Vec::new()),
        resident.to_owned(),
    );
    let write = move |tx: &mut Tx<'_>| {
        let event = Event {
            kind: "residence.claimed",
            subject: subject.clone(),
            data: json!({}),
            private: Value::Null,
        };
        audit::store::append(tx, &actor, &event)?;
        Ok::<(), wardbook::kernel::refusal::Stop>(())
    };
    ward.context().db.write_and_wait(write).unwrap();
}

/// Recomputes the record of a ballot, and compares it with the log of the ward.
pub fn recomputed(ward: &Ward, record: &str, with_log: bool) -> Output {
    ward.settle();
    let file = ward.dir.path().join("record.json");
    std::fs::write(&file, record).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardbook"));
    command.args(["recompute", "ballot", file.to_str().unwrap()]);
    if with_log {
        command.args(["--log", &ward.url("/audit")]);
    }
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap()
}

on_both! { in "test";
    fn residents_rate_a_period_in_secret_and_it_scores(ward) {
        let polled = Polled::with(&ward, [14, 12]);
        let [gui, huai] = &polled.communities;
        let officer = polled.officer();
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);

        // Kin of the contractor have no vote on its work; nobody but their registrar says so, or sees it.
        let kin = gui.all(&ward)[0]["id"].as_str().unwrap().to_owned();
        let supplier = polled.case.bidders[1].id.clone();
        let lists = |community: &Community, resident: &str| community.ask(&ward, "POST", "voter-listings").json(&json!({"resident_id": resident, "organisation_id": supplier})).send();
        let listing = made(&lists(gui, &kin));
        refused(&lists(gui, &kin), 409, "voter_listing_exists");
        refused(&lists(huai, &kin), 409, "voter_listing_unknown");
        refused(&rolls::by(&ward, &huai.registrar, "GET", &format!("/api/v1/areas/{}/voter-listings", gui.id)).send(), 404, "not_found");
        for stranger in [officer, &auditor] {
            refused(&gets(&ward, stranger, &format!("/areas/{}/voter-listings", gui.id)), 403, "forbidden");
        }
        let shown = ok(&gui.ask(&ward, "GET", "voter-listings").send());
        assert_eq!((&shown["items"][0]["id"], &shown["items"][0]["resident_id"]), (&json!(listing), &json!(kin)));
        assert_eq!(rolls::by(&ward, &huai.registrar, "DELETE", &format!("/api/v1/voter-listings/{listing}")).send().status, 404);

        // Called by the buyer's officer, of a period that has begun, once.
        for stranger in [&polled.case.office.approver, &polled.case.bidders[1].agent, &auditor, &gui.registrar] {
            refused(&polled.calls(stranger, |_| {}), 403, "forbidden");
        }
        let wrong = polled.calls(officer, |body| {
            body["opens_at"] = json!("2026-05-01T00:00:00Z");
            body["closes_at"] = json!("2026-05-01T00:30:00Z");
        });
        let pointers: Vec<String> = wrong.faults().into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!((wrong.status, pointers), (422, vec!["/opens_at".to_owned(), "/closes_at".to_owned()]));
        let early = posts(&ward, officer, &format!("/contracts/{}/periods/2/ratings", polled.contract), Some(&json!({"opens_at": OPENS, "closes_at": CLOSES, "unit": "residents", "quorum_percent": 50})));
        assert_eq!(early.faults(), [("/opens_at".to_owned(), "invalid".to_owned())]);
        refused(&polled.calls(officer, |body| body["unit"] = json!("representatives")), 409, "ballot_electorate_too_small");
        let call = || polled.calls(officer, |_| {});
        let both = at_once([&call, &call]);
        let mut statuses = both.each_ref().map(|reply| reply.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", both[0].text, both[1].text);
        let view = both.into_iter().find(|reply| reply.status == 201).unwrap().json();
        let ballot = view["id"].as_str().unwrap().to_owned();
        // 14 and 12, and one of each who comes of age in time, without the contractor's kin.
        assert_eq!((&view["electorate"], &view["state"], &view["cell_ballots_min"], &view["communities"].as_array().unwrap().len()), (&json!(27), &json!("called"), &json!(10), &2));
        assert_eq!(ward.events("ballot.called")[0]["entry"]["data"]["roll_sha256"], view["roll_sha256"]);
        refused(&call(), 409, "ballot_exists");

        // Letters, before it opens, by the registrar alone; to whoever has a vote.
        refused(&polled.prints(0, &ballot, &json!({"resident_ids": [kin]})), 422, "invalid");
        refused(&rolls::by(&ward, &huai.registrar, "POST", &format!("/api/v1/areas/{}/ballot-letters", gui.id)).json(&json!({"ballot_id": ballot, "everyone": true})).send(), 404, "not_found");
        let (mut of_gui, of_huai) = (polled.codes(0, &ballot), polled.codes(1, &ballot));
        assert_eq!((of_gui.len(), of_huai.len()), (14, 13));
        refused(&polled.prints(0, &ballot, &json!({"everyone": true})), 409, "ballot_nobody_to_write");
        refused(&polled.votes(&of_gui[0], &says("fair")), 409, "ballot_not_open");

        go_to(&ward, OPENS);
        refused(&posts(&ward, officer, &format!("/ballots/{ballot}/withdrawal"), None), 409, "ballot_opened");
        refused(&polled.votes("7ZQK-2M4V-9XHD-0RCP", &says("fair")), 409, "ballot_code_not_good");
        assert_eq!(polled.votes(&of_gui[0], &json!([{"question": "overall", "choice": "great"}])).faults()[0].0, "/answers/0/choice");
        let first = ok(&polled.votes(&of_gui[0], &says("fair")));
        assert_eq!(ward.events("ballot.cast").len(), 1);
        // What the voter holds is in it: they can make their slip themselves, and nobody who holds something else can be given the same.
        let sha = |text: String| hex::encode(Sha256::digest(text));
        let own = sha(format!("wardbook/ballot-own/v1\n{ballot}\n{}\n", of_gui[0].replace('-', "")));
        let slip = &first["slips"][0];
        let salt = sha(format!("wardbook/ballot-salt/v1\noverall\n{own}\n{}\n", slip["salt_part"].as_str().unwrap()));
        assert_eq!((&first["own_sha256"], &slip["salt"]), (&json!(own), &json!(salt)));
        assert_eq!(slip["sha256"], sha(format!("wardbook/ballot-slip/v1\n{ballot}\noverall\nfair\n{salt}\n")));
        let with = |nonce: &str| ward.ask("POST", "/api/v1/ballot-votes").json(&json!({"code": of_gui[0], "answers": says("fair"), "nonce": nonce})).send();
        assert_eq!(with("too short").faults(), [("/nonce".to_owned(), "wrong_form".to_owned())]);
        // The same answers with a number of one's own are another slip, and the same number again is the same vote.
        let mine = ok(&with("b3F2Y0t6d1o4R2s5"));
        assert_eq!(mine["own_sha256"], sha(format!("wardbook/ballot-own/v1\n{ballot}\n{} b3F2Y0t6d1o4R2s5\n", of_gui[0].replace('-', ""))));
        assert_eq!((mine["slips"] == first["slips"], ok(&with("b3F2Y0t6d1o4R2s5"))["slips"] == mine["slips"]), (false, true));
        assert_eq!(ward.events("ballot.cast").len(), 2);
        // Changed, the last one counts.
        let changed = ok(&polled.votes(&of_gui[0], &says("very_satisfied")));
        assert_ne!(changed["slips"], first["slips"]);
        // Two devices at once: one of the two votes counts.
        let one = || polled.votes(&of_gui[1], &says("satisfied"));
        let other = || polled.votes(&of_gui[1], &says("fair"));
        assert!(at_once([&one, &other]).iter().all(|reply| reply.status == 200));
        ok(&polled.votes(&of_gui[1], &says("satisfied")));

        // Somebody signed in, of whom the roll knows the account.
        let resident = person(&ward, &[]);
        let voter = huai.all(&ward)[0]["id"].as_str().unwrap().to_owned();
        resides(&ward, huai, &resident, &voter);
        refused(&posts(&ward, officer, &format!("/ballots/{ballot}/votes"), Some(&json!({"answers": says("fair")}))), 403, "ballot_not_a_voter");
        assert_eq!(ok(&gets(&ward, &resident, "/me/ballots"))["items"][0]["has_voted"], json!(false));
        ok(&posts(&ward, &resident, &format!("/ballots/{ballot}/votes"), Some(&json!({"answers": says("satisfied")}))));
        let own = ok(&gets(&ward, &resident, "/me/ballots"));
        assert_eq!((&own["items"][0]["has_voted"], &own["items"][0]["ballot"]["id"]), (&json!(true), &json!(ballot)));

        // The roll changes in the middle, and the ballot does not: whoever came has no vote, and whoever left keeps theirs.
        let gone = gui.all(&ward).iter().find(|one| one["name"] == "居民5").unwrap()["id"].as_str().unwrap().to_owned();
        let left = gui.about(&ward, "POST", &format!("residents/{gone}/departure")).header("if-match", "*").json(&json!({"reason": "moved_away"})).send();
        assert_eq!(left.status, 200, "{}", left.text);
        let came = gui.enter(&ward, "99-9", "新来的", "1970-01-01");
        refused(&polled.prints(0, &ballot, &json!({"resident_ids": [came]})), 422, "invalid");
        for code in &of_gui[2..] {
            ok(&polled.votes(code, &says("satisfied")));
        }
        // A letter that is printed anew makes the old one void, and the vote stays the voter's.
        let name = gui.all(&ward).iter().find(|one| one["name"] == "刚满").unwrap()["id"].as_str().unwrap().to_owned();
        let again = codes(&polled.prints(0, &ballot, &json!({"resident_ids": [name]})).text);
        // Letters are by household, and theirs is the last.
        let void = of_gui.len() - 1;
        refused(&polled.votes(&of_gui[void], &says("fair")), 409, "ballot_code_not_good");
        of_gui[void] = again[0].clone();
        ok(&polled.votes(&of_gui[void], &says("fair")));

        // Until the close nothing is told, and then it is, to everybody, from the first who asks on.
        go_to(&ward, "2026-05-26T23:59:59Z");
        ok(&polled.votes(&of_gui[void], &says("satisfied")));
        let path = format!("/api/v1/ballots/{ballot}");
        assert_eq!((&ok(&ward.get(&path))["state"], polled.rating().0), (&json!("open"), "no_data".to_owned()));
        for part in ["tally", "box", "record", &format!("slips/{}", "0".repeat(64))] {
            refused(&ward.get(&format!("{path}/{part}")), 409, "ballot_not_counted");
        }
        go_to(&ward, CLOSES);
        refused(&polled.votes(&of_gui[void], &says("fair")), 409, "ballot_closed");
        let ask = || ward.get(&format!("{path}/tally"));
        let both = at_once([&ask, &ask]);
        assert!(both.iter().all(|reply| reply.status == 200) && both[0].text == both[1].text);
        let tally = both[0].json();
        // One at 100 and fourteen at 80; the other community, of one ballot, is not told, nor what would tell it.
        assert_eq!((&tally["ballots"], &tally["score"], &tally["outcome"], &tally["quorum_ballots"]), (&json!(15), &json!("81.33"), &json!("binding"), &json!(14)));
        assert_eq!(tally["cells"].as_array().unwrap().len(), 1);
        let closed = ward.events("ballot.closed");
        assert_eq!(closed.len(), 1);
        assert_eq!(polled.rating(), ("settled".to_owned(), json!("81.33"), 15));
        refused(&ward.get(&format!("{path}/slips/XY")), 422, "invalid");
        let is_counted = |receipt: &Value| ok(&ward.get(&format!("{path}/slips/{}", receipt["slips"][0]["sha256"].as_str().unwrap())))["is_counted"].clone();
        assert_eq!((is_counted(&changed), is_counted(&first)), (json!(true), json!(false)));

        // Anybody reckons it again, and compares it with the log.
        let record = ward.get(&format!("{path}/record")).text;
        let held = recomputed(&ward, &record, true);
        assert_eq!(held.status.code(), Some(0), "{}", said(&held));
        assert!(said(&held).contains(closed[0]["entry"]["data"]["sha256"].as_str().unwrap()));
        // Another slip or score does not follow; another roll or question does, and is not what the log has.
        let roll = format!("\"roll_sha256\":\"{}", view["roll_sha256"].as_str().unwrap());
        let forgeries = [("overall satisfied ", "overall very_satisfied ", 1), ("\"81.33\"", "\"91.33\"", 1), ("\"electorate\":27", "\"electorate\":28", 0), (roll.as_str(), "\"roll_sha256\":\"0", 1), ("总体而言", "当然", 0)];
        for (from, to, alone) in forgeries {
            let forged = record.replacen(from, to, 1);
            assert_ne!(forged, record);
            let found = [false, true].map(|with_log| recomputed(&ward, &forged, with_log).status.code().unwrap());
            assert_eq!(found, [alone, 1], "{from}");
        }
        assert_eq!(recomputed(&ward, "{}", false).status.code(), Some(2));

        // The receipt is signed with the key of the log.
        let key: Verifier = ward.get("/audit/key").text.trim().parse().unwrap();
        let note = changed["receipt"].as_str().unwrap();
        let text = key.open(note.as_bytes()).unwrap();
        assert_eq!(text, format!("wardbook/ballot-receipt/v1\n{ballot}\n{}\n", changed["slips"][0]["sha256"].as_str().unwrap()));
        assert_eq!(ok(&ward.get(&format!("/api/v1/ballots?matter_id={}", polled.contract)))["items"][0]["id"], json!(ballot));
    }

    fn nothing_that_is_kept_tells_who_has_voted_what(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let codes = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        let choices = ["very_satisfied", "fair", "very_dissatisfied"];
        let mut hashes = Vec::new();
        for (code, choice) in codes.iter().zip(choices.iter().cycle()) {
            let receipt = ok(&ward.ask("POST", "/api/v1/ballot-votes").header("idempotency-key", code).json(&json!({"code": code, "answers": says(choice)})).send());
            let slip = &receipt["slips"][0];
            hashes.push((slip["sha256"].as_str().unwrap().to_owned(), slip["salt"].as_str().unwrap().to_owned()));
        }
        // Before the count: no choice, no salt and no hash in clear anywhere; no code but as a hash; and events that name nobody.
        let kept = everything_kept(&ward, "before");
        for (hash, salt) in &hashes {
            assert!(!kept.contains(hash) && !kept.contains(salt));
        }
        for code in &codes {
            assert!(!kept.contains(code.as_str()) && !kept.contains(&code.replace('-', "")));
        }
        let cast = ward.events("ballot.cast");
        assert_eq!(cast.len(), 13);
        for event in &cast {
            assert_eq!((&event["entry"]["data"], &event["entry"]["subject"]), (&json!({"replaces": false}), &json!(ballot)));
        }
        assert_eq!(lines(&ward, "SELECT DISTINCT actor_id AS line FROM audit_private WHERE event_id IN (SELECT id FROM audit_events WHERE kind = 'ballot.cast')"), ["system"]);
        assert!(sql(&ward, "UPDATE ballots SET opens_at = closes_at").is_err() && sql(&ward, "DELETE FROM ballot_voters").is_err());
        assert!(sql(&ward, "UPDATE ballot_voters SET has_voted = (1 = 0)").is_err(), "whoever has voted has");

        go_to(&ward, CLOSES);
        ok(&ward.get(&format!("/api/v1/ballots/{ballot}")));
        // After it: papers, tags and key are gone, the box is sorted by hash, and nothing more gets in.
        let count = |query: &str| lines(&ward, query).remove(0);
        assert_eq!(count("SELECT CAST(count(*) AS TEXT) AS line FROM ballot_papers"), "0");
        assert_eq!(count("SELECT CAST(count(*) AS TEXT) AS line FROM ballots WHERE sealed_key IS NOT NULL"), "0");
        let text = ward.get(&format!("/api/v1/ballots/{ballot}/box")).text;
        let found: Vec<&str> = text.lines().skip(2).map(|line| line.split(' ').next().unwrap()).collect();
        let sorted: BTreeSet<&str> = hashes.iter().map(|(hash, _)| hash.as_str()).collect();
        assert_eq!(found, sorted.into_iter().collect::<Vec<_>>());
        for statement in [
            "UPDATE ballot_slips SET choice = 'fair'", "DELETE FROM ballot_slips", "UPDATE ballots SET result = '{}'",
            "INSERT INTO ballot_slips SELECT ballot_id, salt, question, choice, hash, community_id FROM ballot_slips",
            "INSERT INTO ballot_papers SELECT ballot_id, hash, salt FROM ballot_slips",
        ] {
            assert!(sql(&ward, statement).is_err(), "{statement}");
        }
    }

    fn of_fewer_than_ten_nothing_is_told_and_below_the_quorum_nothing_binds(ward) {
        let polled = Polled::with(&ward, [30, 0]);
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        let officer = polled.officer();
        let ballot = made(&polled.calls(officer, |_| {}));
        // Taken back, another takes its place; and nobody votes in it.
        assert_eq!(ok(&posts(&ward, officer, &format!("/ballots/{ballot}/withdrawal"), None))["state"], "withdrawn");
        refused(&posts(&ward, officer, &format!("/ballots/{ballot}/withdrawal"), None), 409, "ballot_withdrawn");
        refused(&polled.prints(0, &ballot, &json!({"everyone": true})), 409, "ballot_withdrawn");
        let ballot = made(&polled.calls(officer, |_| {}));
        let codes = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        for code in &codes[..9] {
            ok(&polled.votes(code, &says("very_dissatisfied")));
        }
        go_to(&ward, CLOSES);
        let path = format!("/api/v1/ballots/{ballot}");
        let tally = ok(&ward.get(&format!("{path}/tally")));
        assert_eq!((&tally["outcome"], &tally["score"], &tally["cells"], &tally["ballots"]), (&json!("withheld"), &Value::Null, &json!([]), &json!(9)));
        assert_eq!(polled.rating(), ("non_binding".to_owned(), Value::Null, 9));
        for part in ["box", "record"] {
            refused(&ward.get(&format!("{path}/{part}")), 409, "ballot_withheld");
            refused(&gets(&ward, officer, &format!("/ballots/{ballot}/{part}")), 409, "ballot_withheld");
        }
        let record = gets(&ward, &auditor, &format!("/ballots/{ballot}/record"));
        let held = recomputed(&ward, &record.text, true);
        assert_eq!(held.status.code(), Some(0), "{}", said(&held));
        let told = ward.events("ballot.closed").remove(0)["entry"]["data"].clone();
        assert!(told.get("score").is_none() && told["outcome"] == "withheld");
        // Ten are enough to be told, and of 34 voters, two more of whom have come of age, too few to bind.
        let second = json!({"opens_at": "2026-06-01T00:00:00Z", "closes_at": "2026-06-08T00:00:00Z", "unit": "residents", "quorum_percent": 50});
        go_to(&ward, "2026-06-01T00:00:00Z");
        let ballot = made(&posts(&ward, officer, &format!("/contracts/{}/periods/2/ratings", polled.contract), Some(&second)));
        for code in &polled.codes(0, &ballot)[..10] {
            ok(&polled.votes(code, &says("fair")));
        }
        refused(&polled.votes(&codes[0], &says("fair")), 409, "ballot_closed");
        go_to(&ward, "2026-06-08T00:00:00Z");
        let view = ok(&ward.get(&format!("/api/v1/ballots/{ballot}")));
        assert_eq!(view["result"], json!({"ballots": 10, "quorum_ballots": 17, "outcome": "non_binding", "score": "60.00"}));
        assert_eq!((&view["electorate"], &view["state"]), (&json!(34), &json!("counted")));
    }

    fn two_hundred_ballots_score_87_6(ward) {
        let polled = Polled::with(&ward, [199, 0]);
        let ballot = made(&polled.calls(polled.officer(), |body| body["quorum_percent"] = json!(99)));
        let codes = polled.codes(0, &ballot);
        assert_eq!(codes.len(), 200);
        go_to(&ward, OPENS);
        let answers = [("very_satisfied", 120), ("satisfied", 50), ("fair", 20), ("dissatisfied", 8), ("very_dissatisfied", 2)];
        let answers = answers.into_iter().flat_map(|(choice, many)| std::iter::repeat_n(choice, many));
        for (code, choice) in codes.iter().zip(answers) {
            ok(&polled.votes(code, &says(choice)));
        }
        go_to(&ward, CLOSES);
        let tally = ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")));
        assert_eq!((&tally["score"], &tally["ballots"], &tally["outcome"]), (&json!("87.60"), &json!(200), &json!("binding")));
        assert_eq!(polled.rating(), ("settled".to_owned(), json!("87.60"), 200));
        // So it stands in what is spent, beside the contract's money.
        for question in ["contract", "month,supplier"] {
            let spending = ok(&ward.get(&format!("/api/v1/spending?group_by={question}")));
            assert_eq!((&spending["totals"]["average_satisfaction"], &spending["totals"]["ballots"]), (&json!("87.60"), &json!(200)), "{spending}");
        }
        spending::is_made_again(&ward);
        let record = ward.get(&format!("/api/v1/ballots/{ballot}/record")).text;
        assert_eq!(recomputed(&ward, &record, true).status.code(), Some(0));
    }

    /// Whoever can write the database can take papers away, put them in, and count anew; what they cannot is to have the log agree.
    fn what_is_done_behind_the_services_back_is_found(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let codes = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        for code in &codes {
            ok(&polled.votes(code, &says("fair")));
        }
        sql(&ward, "DELETE FROM ballot_papers WHERE tag = (SELECT tag FROM ballot_papers ORDER BY tag LIMIT 1)").unwrap();
        go_to(&ward, CLOSES);
        let tally = ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")));
        assert_eq!((&tally["participations"], &tally["ballots"]), (&json!(13), &json!(12)));
        let record = ward.get(&format!("/api/v1/ballots/{ballot}/record")).text;
        let found = recomputed(&ward, &record, false);
        assert_eq!(found.status.code(), Some(1), "{}", said(&found));
        // A record in which it was hidden agrees with itself at best, and not with the log.
        let hidden = recomputed(&ward, &record.replace("\"participations\":13", "\"participations\":12"), true);
        assert_eq!(hidden.status.code(), Some(1));
        assert!(said(&hidden).contains("first votes in the log"), "{}", said(&hidden));
    }

    fn whoever_has_a_link_or_a_letter_votes_on_a_page(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let ballot = made(&polled.calls(polled.officer(), |body| body["questions"] = json!([
            {"code": "streets", "text_zh": "道路？", "text_en": "The streets?", "weight": 2}, {"code": "bins", "text_zh": "垃圾桶？", "text_en": "The bins?", "weight": 1}])));
        let page = polled.prints(0, &ballot, &json!({"everyone": true, "paper": "a5"})).text;
        let typed = codes(&page).pop().unwrap();
        let begun = opened(&ward, "/vote");
        is_page(&begun, 200);
        // Too early, and a code that is none.
        is_page(&sent(&ward, "/vote", &[("step", "code"), ("code", &typed)]), 409);
        go_to(&ward, OPENS);
        let wrong = sent(&ward, "/vote", &[("step", "code"), ("code", "7ZQK-2M4V-9XHD-0RCP")]);
        is_page(&wrong, 409);
        assert_eq!(faulty(&wrong), ["code"]);
        let form = sent(&ward, "/vote", &[("step", "code"), ("code", &typed.to_lowercase())]);
        is_page(&form, 200);
        assert!(form.text.contains("The streets?") && form.text.contains("name=\"code\"") && !form.text.contains("selected>Very satisfied"), "{}", form.text);
        let lacking = sent(&ward, "/vote", &[("step", "vote"), ("code", &typed), ("q1", "fair"), ("q2", "x")]);
        is_page(&lacking, 422);
        assert_eq!(faulty(&lacking), ["q2"]);
        assert!(lacking.text.contains("<option value=\"fair\" selected>"));
        // What was not chosen is told at its field, in words.
        let without = sent(&ward, "/vote", &[("step", "vote"), ("code", &typed), ("q1", "fair"), ("q2", "")]);
        is_page(&without, 422);
        assert_eq!(faulty(&without), ["q2"]);
        assert!(without.text.contains("Please choose one") && !without.text.contains("bins has"), "{}", without.text);
        let thanks = sent(&ward, "/vote", &[("step", "vote"), ("code", &typed), ("q1", "fair"), ("q2", "abstain")]);
        is_page(&thanks, 200);
        assert_eq!(thanks.text.matches("/counted/").count(), 2);
        let again = sent(&ward, "/vote", &[("step", "code"), ("code", &typed)]);
        // Whether there is a vote already is told to nobody who merely has the code, as whoever printed it does.
        let fresh = sent(&ward, "/vote", &[("step", "code"), ("code", &codes(&page)[0])]);
        let plain = |page: &str, code: &str| without_nonce(&page.replace(code, ""));
        assert_eq!(plain(&again.text, &typed), plain(&fresh.text, &codes(&page)[0]));

        // By the link of a mail, which works until the close, also to change.
        let polling = polling(&ward);
        let writes = |mailing| {
            let (polling, id) = (polling.clone(), ballot.parse().unwrap());
            ward.context().db.write_and_wait(move |tx| {
                record(tx)?;
                // What the service tells of its mail does not tell how many have not voted.
                let waiting = counts(tx.conn())?.waiting;
                let is_done = write_to_some(tx, &polling, &id, mailing)?;
                assert_eq!(counts(tx.conn())?.waiting, waiting);
                Ok(is_done)
            }).unwrap()
        };
        let writes_to_all = |mailing| while !writes(mailing) {};
        Mailing::ALL.into_iter().for_each(writes_to_all);
        let mails = written(&ward, 3);
        let link = |mail: &str| {
            let plain = mail.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=");
            let at = plain.find("/v/ballot_").unwrap();
            plain[at..].split(|c: char| c.is_whitespace() || c == '"' || c == '<').next().unwrap().to_owned()
        };
        let path = link(&mails[0]);
        let form = opened(&ward, &path);
        is_page(&form, 200);
        is_page(&sent(&ward, &path, &[("step", "vote"), ("q1", "fair"), ("q2", "fair")]), 200);
        is_page(&sent(&ward, &path, &[("step", "vote"), ("q1", "satisfied"), ("q2", "fair")]), 200);
        ok(&votes(&ward, path.rsplit('/').next().unwrap(), &json!([{"question": "streets", "choice": "fair"}, {"question": "bins", "choice": "fair"}])));
        let last = path.chars().next_back().unwrap();
        let forged = format!("{}{}", &path[..path.len() - 1], if last == 'A' { 'Q' } else { 'A' });
        is_page(&opened(&ward, &forged), 409);

        // Those who have not voted are reminded, once.
        go_to(&ward, "2026-05-25T00:00:00Z");
        Mailing::ALL.into_iter().for_each(writes_to_all);
        assert_eq!(lines(&ward, "SELECT dedup_key AS line FROM outbox WHERE dedup_key LIKE '%:reminder:%'").len(), 2);
        assert_eq!(lines(&ward, "SELECT CAST(count(*) AS TEXT) AS line FROM outbox WHERE kind = 'ballot.opened'"), ["5"]);
        written(&ward, 5);
        // The links are forgotten when they are sent.
        let kept = || lines(&ward, "SELECT CAST(count(*) AS TEXT) AS line FROM outbox WHERE kind = 'ballot.opened' AND facts IS NOT NULL").remove(0);
        eventually("the links to be forgotten", || (kept() == "0").then_some(()));

        go_to(&ward, CLOSES);
        is_page(&opened(&ward, &path), 409);
        ok(&ward.get(&format!("/api/v1/ballots/{ballot}")));
        // And at the count, that there ever was such a mail.
        assert_eq!(lines(&ward, "SELECT CAST(count(*) AS TEXT) AS line FROM outbox WHERE kind = 'ballot.opened'"), ["0"]);
        is_page(&opened(&ward, &path), 409);
        is_page(&sent(&ward, &path, &[("step", "vote"), ("q1", "fair"), ("q2", "fair")]), 409);
        is_page(&sent(&ward, "/vote", &[("step", "code"), ("code", &typed)]), 409);
    }

    fn representatives_and_households_have_one_vote_each(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let gui = &polled.communities[0];
        let all = gui.all(&ward);
        let lists = |resident: &str| gui.ask(&ward, "POST", "voter-listings").json(&json!({"resident_id": resident})).send();
        for one in &all[..10] {
            assert_eq!(lists(one["id"].as_str().unwrap()).status, 201);
        }
        let last = ok(&gui.ask(&ward, "GET", "voter-listings?limit=1").send());
        let ballot = made(&polled.calls(polled.officer(), |body| body["unit"] = json!("representatives")));
        assert_eq!(ok(&ward.get(&format!("/api/v1/ballots/{ballot}")))["electorate"], json!(10));
        ok(&posts(&ward, polled.officer(), &format!("/ballots/{ballot}/withdrawal"), None));
        // Whoever is erased is listed no more, and then there are too few.
        let listed = last["items"][0]["resident_id"].as_str().unwrap();
        let erased = gui.about(&ward, "POST", &format!("residents/{listed}/erasure")).header("if-match", "*").json(&json!({"reason": "on_request"})).send();
        assert!(erased.status < 300, "{}", erased.text);
        assert_eq!(ok(&gui.ask(&ward, "GET", "voter-listings").send())["items"].as_array().unwrap().len(), 9);
        refused(&polled.calls(polled.officer(), |body| body["unit"] = json!("representatives")), 409, "ballot_electorate_too_small");
        let removed = gui.about(&ward, "DELETE", &format!("voter-listings/{}", ok(&gui.ask(&ward, "GET", "voter-listings").send())["items"][0]["id"].as_str().unwrap())).send();
        assert_eq!(removed.status, 200, "{}", removed.text);

        // The dwelling of somebody has two who live in it, and one vote.
        gui.enter(&ward, "3-1", "同住", "1960-01-01");
        let of = |unit: &str| {
            let ballot = made(&polled.calls(polled.officer(), |body| body["unit"] = json!(unit)));
            let electorate = ok(&ward.get(&format!("/api/v1/ballots/{ballot}")))["electorate"].as_i64().unwrap();
            ok(&posts(&ward, polled.officer(), &format!("/ballots/{ballot}/withdrawal"), None));
            electorate
        };
        assert_eq!(of("residents") - of("households"), 1);
        let both = person(&ward, &[
            Grant::of(Role::BuyerOfficer).in_organisation(polled.case.office.treasury.department.clone()),
            Grant::of(Role::SupplierAgent).in_organisation(polled.case.bidders[1].id.parse().unwrap()),
        ]);
        refused(&polled.calls(&both, |_| {}), 403, "inspection_of_own_work");
        let elsewhere = crate::cast::organisation(&ward, wardbook::kernel::party::OrganisationKind::Department, None);
        refused(&polled.calls(&of_role(&ward, &elsewhere), |_| {}), 403, "forbidden");
    }
}

/// A page of a vote without the number that its form has by chance.
pub fn without_nonce(page: &str) -> String {
    let Some((before, rest)) = page.split_once("name=\"nonce\" value=\"") else {
        return page.to_owned();
    };
    let (_, after) = rest.split_once('"').unwrap();
    format!("{before}{after}")
}

fn of_role(ward: &Ward, organisation: &wardbook::kernel::party::OrganisationId) -> Person {
    of(ward, Role::BuyerOfficer, organisation)
}
