//! What becomes of a roll that is changed behind the service's back, by whoever can write the database: entries that were changed or put in have no vote, and a
//! ballot whose roll changed binds nobody.

use serde_json::{Value, json};
use wardbook::audit::store_recorded::standing;
use wardbook::audit::tree::leaf_hash;
use wardbook::audit::verdict::Verdict;
use wardbook::ballots::acts_mail::{Mailing, write_to_some};
use wardbook::ballots::rules::BallotId;
use wardbook::registry::rules_letters::{self as letters, grouped, link_hash, typed_hash};
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::awards::go_to;
use crate::ballots::{
    Polled, is_put_into, is_said_to_have_claimed, link, polling, recomputed, resides, says,
};
use crate::books::ok;
use crate::cast::{Person, person};
use crate::harness::Ward;
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::{lines, record};
use crate::pages::{is_page, sent};
use crate::roll_letters::codes;
use crate::treasury::{gets, made, posts};

const OPENS: &str = "2026-05-20T00:00:00Z";
const CLOSES: &str = "2026-05-27T00:00:00Z";

/// Takes the triggers away that keep rolls and ballots as they are, as whoever owns the database can.
pub fn disarmed(ward: &Ward) {
    let statements: Vec<String> = if ward.database.is_some() {
        ["ballots", "ballot_voters"]
            .map(|table| format!("ALTER TABLE {table} DISABLE TRIGGER USER"))
            .to_vec()
    } else {
        [
            "ballots_fixed",
            "ballots_forward",
            "ballot_voters_kept",
            "ballot_voters_fixed",
            "ballot_voters_forward",
        ]
        .map(|trigger| format!("DROP TRIGGER {trigger}"))
        .to_vec()
    };
    for statement in statements {
        sql(ward, &statement).unwrap();
    }
}

/// Bytes as a statement has them.
fn bytes(ward: &Ward, bytes: &[u8]) -> String {
    let digits = hex::encode(bytes);
    if ward.database.is_some() {
        format!("'\\x{digits}'")
    } else {
        format!("x'{digits}'")
    }
}

fn minor(ward: &Ward, polled: &Polled<'_>) -> String {
    let all = polled.communities[0].all(ward);
    let found = all.iter().find(|one| one["name"] == "未满").unwrap();
    found["id"].as_str().unwrap().to_owned()
}

/// What everybody is told of a ballot whose roll changed, and whoever recomputes it.
fn is_told(
    (ward, polled, auditor): (&Ward, &Polled<'_>, &Person),
    ballot: &str,
    (unvouched, ballots): (i64, i64),
) {
    let tally = ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")));
    assert_eq!(
        (&tally["outcome"], &tally["ballots"]),
        (&json!("roll_changed"), &json!(ballots)),
        "{tally}"
    );
    assert_eq!(tally["unvouched"].as_i64().unwrap_or_default(), unvouched);
    assert_eq!(polled.rating(), ("non_binding".to_owned(), Value::Null, ballots));
    let closed = ward.events("ballot.closed").remove(0)["entry"]["data"].clone();
    assert_eq!(
        (&closed["unvouched"], &closed["outcome"]),
        (&json!(unvouched), &json!("roll_changed"))
    );
    let called = ward.events("ballot.called").remove(0)["entry"]["data"].clone();
    assert_ne!(closed["roll_counted_sha256"], called["roll_sha256"]);
    let record = ward.get(&format!("/api/v1/ballots/{ballot}/record")).text;
    let output = recomputed(ward, &record, true);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.code() == Some(1)
            && said.contains("the roll has changed")
            && said.contains("not the one that the log's call has"),
        "{said}"
    );
    // The buyer's officers and the auditors are written to, and nobody else.
    let mut readers = vec![polled.officer().id.to_string(), auditor.id.to_string()];
    readers.sort();
    assert_eq!(
        lines(
            ward,
            "SELECT account_id AS line FROM outbox WHERE kind = 'ballot.roll_changed' ORDER BY account_id"
        ),
        readers
    );
}

/// An auditor who, like the buyer's officer, can be written to.
pub fn reachable(ward: &Ward, polled: &Polled<'_>) -> Person {
    let auditor = person(ward, &[Grant::of(Role::Auditor)]);
    for (who, name) in [(&auditor, "auditor"), (polled.officer(), "officer")] {
        sql(
            ward,
            &format!(
                "UPDATE accounts SET email = '{name}@people.example' WHERE id = '{}'",
                who.id
            ),
        )
        .unwrap();
    }
    auditor
}

on_both! { in "test";
    fn an_entry_that_is_given_to_somebody_else_has_no_vote(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let auditor = reachable(&ward, &polled);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let codes = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        disarmed(&ward);
        let other = minor(&ward, &polled);
        assert_eq!(sql(&ward, &format!("UPDATE ballot_voters SET resident_id = '{other}' WHERE number = 1")).unwrap(), 1);
        // Whoever holds its letter or link, or has claimed the place of whom it was given to, is told.
        refused(&polled.votes(&link(&ward, &ballot, 1), &says("fair")), 409, "ballot_entry_changed");
        let account = person(&ward, &[]);
        is_put_into(&ward, &account, &other);
        is_said_to_have_claimed(&ward, &account, &other);
        refused(&posts(&ward, &account, &format!("/ballots/{ballot}/votes"), Some(&json!({"answers": says("fair")}))), 409, "ballot_entry_changed");
        let mut votes = 0;
        for code in &codes {
            match polled.votes(code, &says("fair")) {
                reply if reply.status == 200 => votes += 1,
                reply => refused(&reply, 409, "ballot_entry_changed"),
            }
        }
        assert_eq!((votes, ward.events("ballot.cast").len()), (12, 12));
        go_to(&ward, CLOSES);
        is_told((&ward, &polled, &auditor), &ballot, (1, 12));
        assert_eq!(ok(&gets(&ward, &auditor, &format!("/ballots/{ballot}")))["result"]["outcome"], "roll_changed");
    }

    fn an_entry_that_is_put_in_has_no_vote(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let auditor = reachable(&ward, &polled);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let codes = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        disarmed(&ward);
        let other = minor(&ward, &polled);
        // With the seal of another entry, which is nobody's but its own.
        sql(&ward, &format!("INSERT INTO ballot_voters (ballot_id, number, resident_id, community_id, has_voted, seal) SELECT ballot_id, 99, '{other}', community_id, has_voted, seal FROM ballot_voters WHERE number = 2")).unwrap();
        let account = person(&ward, &[]);
        is_put_into(&ward, &account, &other);
        is_said_to_have_claimed(&ward, &account, &other);
        refused(&posts(&ward, &account, &format!("/ballots/{ballot}/votes"), Some(&json!({"answers": says("fair")}))), 409, "ballot_entry_changed");
        refused(&polled.votes(&link(&ward, &ballot, 99), &says("fair")), 409, "ballot_entry_changed");
        // Nor does it count where somebody says that it has voted.
        sql(&ward, "UPDATE ballot_voters SET has_voted = (1 = 1) WHERE number = 99").unwrap();
        for code in &codes {
            ok(&polled.votes(code, &says("fair")));
        }
        go_to(&ward, CLOSES);
        is_told((&ward, &polled, &auditor), &ballot, (1, 13));
    }

    fn an_entry_that_is_taken_out_is_missed_whatever_else_is_changed(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let auditor = reachable(&ward, &polled);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let codes = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        for code in &codes {
            ok(&polled.votes(code, &says("fair")));
        }
        disarmed(&ward);
        sql(&ward, "DELETE FROM ballot_letters WHERE number = 13").unwrap();
        assert_eq!(sql(&ward, "DELETE FROM ballot_voters WHERE number = 13").unwrap(), 1);
        go_to(&ward, CLOSES);
        is_told((&ward, &polled, &auditor), &ballot, (0, 12));
    }

    /// Whoever gives the ballot the hash of the roll as they have made it, too, is found out by its key: it vouches for entries of the roll that was frozen.
    fn another_hash_of_the_roll_helps_nobody(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let codes = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        disarmed(&ward);
        let hash = if ward.database.is_some() { "decode(repeat('07', 32), 'hex')" } else { "zeroblob(32)" };
        sql(&ward, &format!("UPDATE ballots SET roll_sha256 = {hash}")).unwrap();
        refused(&polled.votes(&codes[0], &says("fair")), 409, "ballot_entry_changed");
        go_to(&ward, CLOSES);
        let tally = ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")));
        assert_eq!((&tally["unvouched"], &tally["outcome"], &tally["ballots"]), (&json!(14), &json!("withheld"), &json!(0)));
        assert_eq!(polled.rating().0, "non_binding");
    }

    /// Whoever writes to the database puts a code of their own in the place of a voter's, or gives theirs to another voter: it has no vote, and the voter gets a letter that has.
    fn a_letter_that_is_put_in_or_changed_has_no_vote(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let all = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        let own = (0..=u8::MAX).find_map(|byte| letters::codes(std::array::from_fn(|_| byte), [byte; 16])).unwrap();
        let (link_sha, typed_sha) = (bytes(&ward, &link_hash(&own.link)), bytes(&ward, &typed_hash(&own.typed)));
        let mine = [own.link.clone(), grouped(&own.typed)];
        let refuses = || for code in &mine { refused(&polled.votes(code, &says("fair")), 409, "ballot_letter_changed") };
        // In the place of another's, with what vouched for that.
        assert_eq!(sql(&ward, &format!("UPDATE ballot_letters SET link_hash = {link_sha}, code_hash = {typed_sha} WHERE number = 5")).unwrap(), 1);
        refuses();
        is_page(&sent(&ward, "/vote", &[("step", "code"), ("code", &mine[1])]), 409);
        // Put in anew, with no seal, or with that of another letter.
        sql(&ward, "DELETE FROM ballot_letters WHERE number = 5").unwrap();
        for seal in ["NULL", "(SELECT seal FROM ballot_letters WHERE number = 6)"] {
            let statement = format!("INSERT INTO ballot_letters (ballot_id, number, link_hash, code_hash, printed_at, printings, seal) SELECT ballot_id, 5, {link_sha}, {typed_sha}, printed_at, printings, {seal} FROM ballot_letters WHERE number = 6");
            assert_eq!(sql(&ward, &statement).unwrap(), 1);
            refuses();
            sql(&ward, "DELETE FROM ballot_letters WHERE number = 5").unwrap();
        }
        // One's own letter with the number of another, or said to be the first of theirs.
        assert_eq!(sql(&ward, "UPDATE ballot_letters SET number = 5 WHERE number = 1").unwrap(), 1);
        assert_eq!(sql(&ward, "UPDATE ballot_letters SET printings = 7 WHERE number = 2").unwrap(), 1);
        let said: Vec<(u16, String)> = all.iter().map(|code| polled.votes(code, &says("fair"))).map(|reply| (reply.status, if reply.status == 200 { String::new() } else { reply.code() })).collect();
        let of = |code: &str| said.iter().filter(|(_, one)| one == code).count();
        assert_eq!((of(""), of("ballot_letter_changed"), of("ballot_code_not_good"), said.len()), (10, 2, 1, 13), "{said:?}");
        assert_eq!(ward.events("ballot.cast").len(), 10);
        // Printed anew they are good: of all three, who are nobody's but theirs.
        for number in [1, 2, 5] {
            let resident = lines(&ward, &format!("SELECT resident_id AS line FROM ballot_voters WHERE number = {number}")).remove(0);
            let code = codes(&polled.prints(0, &ballot, &json!({"resident_ids": [resident]})).text).remove(0);
            ok(&polled.votes(&code, &says("fair")));
        }
        go_to(&ward, CLOSES);
        let tally = ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")));
        assert_eq!((&tally["outcome"], &tally["ballots"]), (&json!("binding"), &json!(13)));
        for code in mine.iter().chain(&all) {
            let reply = polled.votes(code, &says("fair"));
            assert!(reply.status == 409 && ["ballot_closed", "ballot_code_not_good"].contains(&reply.code().as_str()), "{}", reply.text);
        }
    }

    /// An entry of the log that somebody rewrites in its table, with its hash beside it, and puts back afterwards, vouches for nothing meanwhile: the signed log has another.
    fn an_entry_that_is_rewritten_in_its_table_vouches_for_nothing(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let gui = &polled.communities[0];
        let id = |name: &str| gui.all(&ward).iter().find(|one| one["name"] == name).unwrap()["id"].as_str().unwrap().to_owned();
        let (own, victim) = (id("居民0"), id("居民1"));
        let thief = person(&ward, &[]);
        resides(&ward, gui, &thief, &own);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        go_to(&ward, OPENS);
        ward.settle();
        let subject = own.clone();
        let claim = ward.context().db.read_and_wait(move |conn| standing(conn, "residence.claimed", &subject)).unwrap().remove(0);
        assert!(claim.is_placed);
        for statement in if ward.database.is_some() { vec!["ALTER TABLE audit_events DISABLE TRIGGER USER"] } else { vec!["DROP TRIGGER audit_events_written_once"] } {
            sql(&ward, statement).unwrap();
        }
        let rewritten = |subject: &str| {
            let entry = String::from_utf8(claim.entry.clone()).unwrap().replace(&own, subject).into_bytes();
            let (entry, hash) = (bytes(&ward, &entry), bytes(&ward, &leaf_hash(&entry)));
            sql(&ward, &format!("UPDATE audit_events SET entry = {entry}, leaf_hash = {hash}, subject = '{subject}' WHERE id = '{}'", claim.id)).unwrap()
        };
        let votes = || posts(&ward, &thief, &format!("/ballots/{ballot}/votes"), Some(&json!({"answers": says("fair")})));
        // An account has one place in a community.
        let (one, other) = (person(&ward, &[]), person(&ward, &[]));
        is_put_into(&ward, &one, &own);
        is_put_into(&ward, &thief, &victim);
        assert_eq!(rewritten(&victim), 1);
        refused(&votes(), 409, "ballot_account_unvouched");
        assert_eq!(rewritten(&own), 1);
        is_put_into(&ward, &other, &victim);
        is_put_into(&ward, &thief, &own);
        ok(&votes());
        assert!(matches!(ward.verdict(), Verdict::Holds { .. }));
    }

    /// An account that is written into the place of a resident has no vote: the log has who has claimed it. Whoever writes that there, too, leaves it there for everybody to see.
    fn an_account_that_the_log_does_not_know_has_no_vote(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let gui = &polled.communities[0];
        let id = |name: &str| gui.all(&ward).iter().find(|one| one["name"] == name).unwrap()["id"].as_str().unwrap().to_owned();
        let (claimed, unclaimed, late) = (id("居民0"), id("居民1"), id("居民2"));
        let owner = person(&ward, &[]);
        resides(&ward, gui, &owner, &claimed);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let codes = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        let votes = |who: &Person| posts(&ward, who, &format!("/ballots/{ballot}/votes"), Some(&json!({"answers": says("fair")})));
        let own = |who: &Person| ok(&gets(&ward, who, "/me/ballots"))["items"].as_array().unwrap().len();
        ok(&votes(&owner));
        // Who claims theirs after the roll was frozen votes with it as well.
        let later = person(&ward, &[]);
        resides(&ward, gui, &later, &late);
        ok(&votes(&later));
        assert_eq!((own(&owner), own(&later)), (1, 1));
        // In the place of somebody who has claimed it, and of somebody who has not.
        for resident in [&claimed, &unclaimed] {
            let thief = person(&ward, &[]);
            is_put_into(&ward, &thief, resident);
            refused(&votes(&thief), 409, "ballot_account_unvouched");
            assert_eq!(own(&thief), 0);
        }
        assert_eq!(ward.events("ballot.cast").len(), 2);
        // Nor are they written to, whose place they stand in or not: the link would be a vote.
        let (polling, of): (_, BallotId) = (polling(&ward), ballot.parse().unwrap());
        let writes = || {
            let (polling, of) = (polling.clone(), of.clone());
            ward.context().db.write_and_wait(move |tx| { record(tx)?; write_to_some(tx, &polling, &of, Mailing::Opening) }).unwrap()
        };
        while !writes() {}
        let told = lines(&ward, "SELECT COALESCE(account_id, 'an address on the roll') AS line FROM outbox WHERE kind = 'ballot.opened'");
        assert!(told.iter().all(|to| to == "an address on the roll"), "the two who have claimed their places have voted: {told:?}");
        // A second claim of one place vouches for nobody, not even for whoever has the first.
        let thief = person(&ward, &[]);
        is_put_into(&ward, &thief, &claimed);
        is_said_to_have_claimed(&ward, &thief, &claimed);
        refused(&votes(&thief), 409, "ballot_account_unvouched");
        is_put_into(&ward, &owner, &claimed);
        refused(&votes(&owner), 409, "ballot_account_unvouched");
        // What remains, and where it is seen: the claim of a place that nobody had claimed is an entry of the log.
        let before = ward.events("residence.claimed").len();
        let thief = person(&ward, &[]);
        is_put_into(&ward, &thief, &unclaimed);
        is_said_to_have_claimed(&ward, &thief, &unclaimed);
        ok(&votes(&thief));
        let claims = ward.events("residence.claimed");
        assert_eq!((before + 1, &claims[before]["entry"]["subject"]), (claims.len(), &json!(unclaimed)));
        // Whoever is pushed aside votes by their letter, and the last vote counts.
        for code in &codes {
            ok(&polled.votes(code, &says("very_satisfied")));
        }
        go_to(&ward, CLOSES);
        let tally = ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")));
        assert_eq!((&tally["ballots"], &tally["score"]), (&json!(13), &json!("100.00")));
    }

    /// A registrar prints no letter for an entry that was changed or put in, and is told how many there are: of those who are named, each.
    fn nobody_prints_a_letter_for_an_entry_that_was_changed(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        disarmed(&ward);
        let other = minor(&ward, &polled);
        assert_eq!(sql(&ward, &format!("UPDATE ballot_voters SET resident_id = '{other}' WHERE number = 1")).unwrap(), 1);
        let second = lines(&ward, "SELECT resident_id AS line FROM ballot_voters WHERE number = 2").remove(0);
        sql(&ward, "UPDATE ballot_voters SET seal = NULL WHERE number = 3").unwrap();
        let third = lines(&ward, "SELECT resident_id AS line FROM ballot_voters WHERE number = 3").remove(0);
        let named = polled.prints(0, &ballot, &json!({"resident_ids": [second, other, third]}));
        let changed = |at: usize| (format!("/resident_ids/{at}"), "ballot_entry_changed".to_owned());
        assert_eq!((named.status, named.faults()), (422, vec![changed(1), changed(2)]), "{}", named.text);
        let all = polled.prints(0, &ballot, &json!({"everyone": true}));
        assert_eq!((all.status, codes(&all.text).len()), (200, 11), "{}", all.text);
        assert_eq!((all.header("letters-unvouched"), all.header("letters-remaining")), (Some("2"), Some("0")));
        let printed = ward.events("ballot.letters_printed").remove(0)["entry"]["data"].clone();
        assert_eq!((&printed["letters"], &printed["unvouched"]), (&json!(11), &json!(2)));
        // Another batch has nobody to write to, and says why some have none.
        let again = polled.prints(0, &ballot, &json!({"everyone": true}));
        refused(&again, 409, "ballot_nobody_to_write");
        assert!(again.text.contains("名册上有 2 条记录") || again.text.contains("2 entries of the roll"), "{}", again.text);
        go_to(&ward, OPENS);
        for code in codes(&all.text) {
            ok(&polled.votes(&code, &says("fair")));
        }
    }
}
