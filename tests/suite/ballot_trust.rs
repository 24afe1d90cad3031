//! What of a ballot nobody can do unseen, and what nobody can learn: who has voted, by lists of mail or by the page behind a letter; a vote in somebody's place; votes outside of its time;
//! a roll that changes in the middle.

use chrono::Duration;
use serde_json::{Value, json};
use wardbook::audit;
use wardbook::audit::entry::Event;
use wardbook::ballots::acts_mail::{Mailing, write_to_some};
use wardbook::web::actor::{Actor, Grant};
use wardbook::web::policy::Role;

use crate::awards::go_to;
use crate::ballots::{Polled, link, polling, recomputed, resides, says, without_nonce};
use crate::books::{at_once, ok};
use crate::cast::person;
use crate::harness::Ward;
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::{lines, record};
use crate::pages::{is_page, opened, sent};
use crate::roll_letters::codes;
use crate::treasury::{gets, made, posts};

const OPENS: &str = "2026-05-20T00:00:00Z";
const REMINDS: &str = "2026-05-25T00:00:00Z";
const CLOSES: &str = "2026-05-27T00:00:00Z";

fn writes_to_all(ward: &Ward, ballot: &str, mailing: Mailing) {
    let polling = polling(ward);
    loop {
        let (polling, id) = (polling.clone(), ballot.parse().unwrap());
        let write = move |tx: &mut wardbook::db::writer::Tx<'_>| {
            record(tx)?;
            write_to_some(tx, &polling, &id, mailing)
        };
        if ward.context().db.write_and_wait(write).unwrap() {
            return;
        }
    }
}

/// Puts an entry about a ballot into the log, as somebody with the key of the log would.
fn noted(ward: &Ward, kind: &'static str, ballot: &str, data: Value) {
    let subject = ballot.to_owned();
    let write = move |tx: &mut wardbook::db::writer::Tx<'_>| {
        let event = Event {
            kind,
            subject: subject.clone(),
            data: data.clone(),
            private: Value::Null,
        };
        audit::store::append(tx, &Actor::system(), &event)?;
        Ok::<(), wardbook::kernel::refusal::Stop>(())
    };
    ward.context().db.write_and_wait(write).unwrap();
}

fn told(ward: &Ward, ballot: &str) -> (i32, String) {
    let record = ward.get(&format!("/api/v1/ballots/{ballot}/record")).text;
    let output = recomputed(ward, &record, true);
    (
        output.status.code().unwrap(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

fn resident(ward: &Ward, polled: &Polled<'_>, name: &str) -> String {
    let all = polled.communities[0].all(ward);
    let found = all.iter().find(|one| one["name"] == name).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

on_both! { in "test";
    fn reminders_tell_the_staff_nothing_of_who_has_voted(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let gui = &polled.communities[0];
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let codes = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        writes_to_all(&ward, &ballot, Mailing::Opening);
        // The first of the three with an address votes.
        ok(&polled.votes(&codes[0], &says("fair")));
        let events = || lines(&ward, "SELECT CAST(count(*) AS TEXT) AS line FROM audit_events WHERE kind LIKE 'ballot.%' OR kind LIKE 'mail.%'");
        let before = events();
        go_to(&ward, REMINDS);
        writes_to_all(&ward, &ballot, Mailing::Reminder);
        assert_eq!(lines(&ward, "SELECT dedup_key AS line FROM outbox WHERE dedup_key LIKE '%:reminder:%'").len(), 2);
        assert_eq!(events(), before);

        // Administrators see that there is mail, and not to whom it goes; nobody else sees that much.
        let admin = person(&ward, &[Grant::of(Role::Admin)]);
        for state in ["waiting", "sent", "held", "dropped", "dead", "collected"] {
            let listed = gets(&ward, &admin, &format!("/admin/mail?limit=200&state={state}"));
            let items = ok(&listed)["items"].as_array().unwrap().clone();
            for one in items.iter().filter(|one| one["kind"] == "ballot.opened") {
                assert_eq!(one["address"], Value::Null, "{one}");
            }
            assert!(!listed.text.contains("people.example"), "{}", listed.text);
        }
        let staff = [polled.officer(), &polled.case.office.approver, &gui.registrar, &person(&ward, &[Grant::of(Role::Auditor)])];
        for who in staff {
            refused(&gets(&ward, who, "/admin/mail"), 403, "forbidden");
        }
        // Whoever has voted or not is the same to the registrar, on the roll, in the printing of letters, and on the page behind one.
        for who in [polled.officer(), &gui.registrar, &admin] {
            let view = gets(&ward, who, &format!("/ballots/{ballot}")).text;
            assert!(!view.contains("voted") && !view.contains("participations"), "{view}");
        }
        let roll = gui.ask(&ward, "GET", "residents?limit=200").send().text;
        assert!(!roll.contains("voted") && !roll.contains("ballot"), "{roll}");
        refused(&polled.prints(0, &ballot, &json!({"everyone": true})), 409, "ballot_nobody_to_write");
        let page = |code: &str| without_nonce(&sent(&ward, "/vote", &[("step", "code"), ("code", code)]).text.replace(code, ""));
        assert_eq!(page(&codes[0]), page(&codes[1]));
        let linked = |number: i64| { let token = link(&ward, &ballot, number); without_nonce(&opened(&ward, &format!("/v/{token}")).text.replace(&token, "")) };
        let pages: Vec<String> = (1..=13).map(linked).collect();
        assert!(pages.iter().all(|page| *page == pages[0]));
    }

    /// Whoever prints letters or runs the platform has no vote of others, and a letter that is printed anew and used leaves traces.
    fn nobody_of_the_staff_votes_for_others_unseen(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let gui = &polled.communities[0];
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let all = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        let admin = person(&ward, &[Grant::of(Role::Admin)]);
        let vote = json!({"answers": says("fair")});
        for who in [&admin, &gui.registrar, polled.officer(), &polled.case.bidders[1].agent] {
            refused(&posts(&ward, who, &format!("/ballots/{ballot}/votes"), Some(&vote)), 403, "ballot_not_a_voter");
        }
        for who in [&admin, polled.officer()] {
            refused(&posts(&ward, who, &format!("/areas/{}/ballot-letters", gui.id), Some(&json!({"ballot_id": ballot, "everyone": true}))), 403, "forbidden");
        }
        assert_eq!(ward.events("ballot.letters_printed")[0]["entry"]["data"]["replaced"], json!(0));

        // The registrar prints a letter for somebody who has voted, and uses it.
        let (victim, mine) = (resident(&ward, &polled, "居民0"), &all[0]);
        let honest = ok(&polled.votes(mine, &says("very_satisfied")));
        let stolen = codes(&polled.prints(0, &ballot, &json!({"resident_ids": [victim]})).text).remove(0);
        // Neither the answer nor the page tells whether there was a vote.
        let answer = ok(&polled.votes(&stolen, &says("very_dissatisfied")));
        assert_eq!(answer.get("replaces"), None);
        // The log counts it; the voter's letter is void, and they are told by mail, which holds no way in.
        let printed = ward.events("ballot.letters_printed");
        assert_eq!((printed.len(), &printed[1]["entry"]["data"]["replaced"], &printed[1]["entry"]["data"]["letters"]), (2, &json!(1), &json!(1)));
        refused(&polled.votes(mine, &says("very_satisfied")), 409, "ballot_code_not_good");
        assert_eq!(lines(&ward, "SELECT CAST(count(*) AS TEXT) AS line FROM outbox WHERE kind = 'ballot.letter_replaced' AND address = 'r00@people.example'"), ["1"]);
        assert_eq!(lines(&ward, "SELECT facts AS line FROM outbox WHERE kind = 'ballot.letter_replaced' AND facts LIKE '%/v/%'").len(), 0);
        // By the link in their mail they vote again, and theirs counts.
        let number: i64 = lines(&ward, &format!("SELECT CAST(number AS TEXT) AS line FROM ballot_voters WHERE resident_id = '{victim}'")).remove(0).parse().unwrap();
        let path = format!("/v/{}", link(&ward, &ballot, number));
        let thanks = sent(&ward, &path, &[("step", "vote"), ("q1", "very_satisfied")]);
        is_page(&thanks, 200);
        assert!(thanks.text.contains("If there was a vote already, yours has replaced it"), "{}", thanks.text);
        for code in &all[1..] {
            ok(&polled.votes(code, &says("very_satisfied")));
        }
        go_to(&ward, CLOSES);
        let tally = ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")));
        assert_eq!((&tally["ballots"], &tally["score"]), (&json!(13), &json!("100.00")));
        // A receipt of a vote that was replaced tells that it does not count.
        let hash = honest["slips"][0]["sha256"].as_str().unwrap();
        assert_eq!(ok(&ward.get(&format!("/api/v1/ballots/{ballot}/slips/{hash}")))["is_counted"], json!(false));
        assert_eq!(told(&ward, &ballot).0, 0);
    }

    fn a_voter_has_one_vote_by_whatever_they_cast_it(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let all = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        let (voter, account) = (resident(&ward, &polled, "居民0"), person(&ward, &[]));
        resides(&ward, &polled.communities[0], &account, &voter);
        let number: i64 = lines(&ward, &format!("SELECT CAST(number AS TEXT) AS line FROM ballot_voters WHERE resident_id = '{voter}'")).remove(0).parse().unwrap();
        let token = link(&ward, &ballot, number);
        // A letter, the link twice over, and an account, two devices at once each: whatever wins, it is one vote.
        let by_letter = || polled.votes(&all[0], &says("fair"));
        let by_link = || polled.votes(&token, &says("satisfied"));
        let by_account = || posts(&ward, &account, &format!("/ballots/{ballot}/votes"), Some(&json!({"answers": says("dissatisfied")})));
        let mut receipts = Vec::new();
        for _ in 0..3 {
            for both in [at_once([&by_letter, &by_link]), at_once([&by_link, &by_account]), at_once([&by_link, &by_link])] {
                for reply in both {
                    receipts.push(ok(&reply)["slips"][0]["sha256"].as_str().unwrap().to_owned());
                }
            }
        }
        let last = ok(&by_account())["slips"][0]["sha256"].as_str().unwrap().to_owned();
        let first = ward.events("ballot.cast").iter().filter(|event| event["entry"]["data"]["replaces"] == json!(false)).count();
        assert_eq!(first, 1);
        for code in &all[1..] {
            ok(&polled.votes(code, &says("fair")));
        }
        go_to(&ward, CLOSES);
        for code in [&all[0], &token] {
            refused(&polled.votes(code, &says("fair")), 409, "ballot_closed");
        }
        refused(&by_account(), 409, "ballot_closed");
        assert_eq!(ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")))["ballots"], json!(13));
        refused(&polled.votes(&token, &says("fair")), 409, "ballot_closed");
        let is_counted = |hash: &str| ok(&ward.get(&format!("/api/v1/ballots/{ballot}/slips/{hash}")))["is_counted"] == json!(true);
        assert!(is_counted(&last));
        assert!(receipts.iter().filter(|hash| **hash != last).all(|hash| !is_counted(hash)));
        assert_eq!(told(&ward, &ballot).0, 0);
    }

    /// The roll was frozen at the call: a death, a move, an erasure, or somebody who turns out to be too young, before or after they have voted, change neither who votes nor what is counted.
    fn a_correction_of_the_roll_in_the_middle_changes_no_ballot(ward) {
        let polled = Polled::with(&ward, [16, 0]);
        let gui = &polled.communities[0];
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let page = polled.prints(0, &ballot, &json!({"everyone": true})).text;
        let names: Vec<String> = page.split("<h1>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect();
        let all = codes(&page);
        let code = |name: &str| all[names.iter().position(|one| one == name).unwrap()].clone();
        let ids: Vec<String> = (0..8).map(|at| resident(&ward, &polled, &format!("居民{at}"))).collect();
        let departs = |at: usize, reason: &str| {
            let reply = gui.about(&ward, "POST", &format!("residents/{}/departure", ids[at])).header("if-match", "*").json(&json!({"reason": reason})).send();
            assert_eq!(reply.status, 200, "{}", reply.text);
        };
        let is_young = |at: usize| {
            let reply = gui.about(&ward, "PATCH", &format!("residents/{}", ids[at])).header("if-match", "*").json(&json!({"birth_date": "2015-01-01"})).send();
            assert_eq!(reply.status, 200, "{}", reply.text);
        };
        let is_erased = |at: usize| {
            let reply = gui.about(&ward, "POST", &format!("residents/{}/erasure", ids[at])).header("if-match", "*").json(&json!({"reason": "on_request"})).send();
            assert!(reply.status < 300, "{}", reply.text);
        };
        go_to(&ward, OPENS);
        let votes = |at: usize| { ok(&polled.votes(&code(&format!("居民{at}")), &says("fair"))); };
        // First the correction and then the vote.
        departs(0, "deceased");
        departs(1, "moved_away");
        is_young(2);
        departs(3, "moved_away");
        is_erased(3);
        (0..4).for_each(votes);
        // First the vote and then the correction.
        (4..8).for_each(votes);
        departs(4, "deceased");
        departs(5, "moved_away");
        is_young(6);
        departs(7, "deceased");
        is_erased(7);
        // No letter is printed for who is not on the roll, and no mail is written to them.
        refused(&polled.prints(0, &ballot, &json!({"resident_ids": [ids[1]]})), 409, "ballot_nobody_to_write");
        for name in ["居民8", "居民9", "居民10", "居民11"] {
            ok(&polled.votes(&code(name), &says("satisfied")));
        }
        // Nor does the database let the frozen roll be changed.
        for statement in [
            format!("UPDATE ballot_voters SET resident_id = '{}' WHERE resident_id = '{}'", ids[0], ids[1]),
            format!("DELETE FROM ballot_voters WHERE resident_id = '{}'", ids[0]),
        ] {
            assert!(sql(&ward, &statement).is_err(), "{statement}");
        }
        go_to(&ward, CLOSES);
        let tally = ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")));
        assert_eq!((&tally["electorate"], &tally["participations"], &tally["ballots"], &tally["score"]), (&json!(18), &json!(12), &json!(12), &json!("66.67")));
        assert_eq!(told(&ward, &ballot).0, 0);
    }

    /// Whoever holds a ballot's key, and the key of the log, after the close: neither database takes a paper, and what is written into the log is out of its time.
    fn a_key_that_is_used_after_the_close_is_found_out(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let all = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        for code in &all[..11] {
            ok(&polled.votes(code, &says("fair")));
        }
        // Between the close and the count, when the key is still there, a vote is stuffed in with all that belongs to it.
        let clock = &ward.context().clock;
        clock.advance(CLOSES.parse::<wardbook::kernel::clock::Instant>().unwrap() + Duration::seconds(1));
        let number = lines(&ward, "SELECT CAST(number AS TEXT) AS line FROM ballot_voters WHERE NOT has_voted ORDER BY number").remove(0).parse().unwrap();
        stuffed(&ward, &ballot, number);
        noted(&ward, "ballot.cast", &ballot, json!({"replaces": false}));
        let tally = ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")));
        assert_eq!((&tally["participations"], &tally["ballots"]), (&json!(12), &json!(12)));
        let (code, said) = told(&ward, &ballot);
        assert!(code == 1 && said.contains("1 votes were noted when none are taken"), "{said}");
        // After the count the databases refuse, and the log shows what is added.
        assert!(sql(&ward, "INSERT INTO ballot_papers SELECT ballot_id, hash, salt FROM ballot_slips").is_err());
        noted(&ward, "ballot.cast", &ballot, json!({"replaces": true}));
        let (code, said) = told(&ward, &ballot);
        assert!(code == 1 && said.contains("1 votes were noted after the count") && said.contains("2 votes were noted when none"), "{said}");
        noted(&ward, "ballot.closed", &ballot, json!({"sha256": "00"}));
        assert!(told(&ward, &ballot).1.contains("2 counts of this ballot instead of one"));
    }
}

/// Puts a paper for a voter into the database with the ballot's key.
fn stuffed(ward: &Ward, ballot: &str, number: i64) {
    use wardbook::ballots::polling::sealed;
    use wardbook::ballots::rules_slips::{paper, voter_tag};
    use wardbook::ballots::{store, store_papers};
    let (polling, id) = (polling(ward), ballot.parse().unwrap());
    let write = move |tx: &mut wardbook::db::writer::Tx<'_>| {
        record(tx)?;
        let ballot = store::ballot(tx.conn(), &id)?.unwrap();
        let key = polling.key(&ballot)?;
        let tag = voter_tag(&key, &id, number)?;
        let paper = paper(&[1; 32], &[Some(0)], &[[2; 32]])?;
        store_papers::put(tx, &id, &tag, &sealed(&key, &tag, &paper)?)?;
        store::note_voted(tx, &id, number)
    };
    ward.context().db.write_and_wait(write).unwrap();
}
