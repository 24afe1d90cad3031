//! What of a vote neither the database nor a code gives away: links until they are sent, whom mail went to and when, whether there is a vote already, and what it is;
//! and that a voter sees that a letter was printed for them.

use serde_json::{Value, json};
use wardbook::ballots::acts_mail::{Mailing, write_to_some};
use wardbook::db::writer::Tx;
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::awards::go_to;
use crate::ballots::{Polled, link, polling, resides, says};
use crate::books::ok;
use crate::cast::person;
use crate::harness::Ward;
use crate::on_both;
use crate::organisations::sql;
use crate::outbox::{lines, record, written};
use crate::pages::{is_page, opened, sent};
use crate::roll_letters::codes;
use crate::treasury::{gets, made, posts};

const OPENS: &str = "2026-05-20T00:00:00Z";
const CLOSES: &str = "2026-05-27T00:00:00Z";

/// Mail to voters as it stands in the outbox in the transaction that puts it there: key and facts of each.
fn queued(ward: &Ward, ballot: &str, mailing: Mailing) -> Vec<(String, String)> {
    use diesel::prelude::*;
    use wardbook::db::schema::outbox;
    let (polling, id): (_, wardbook::ballots::rules::BallotId) = (polling(ward), ballot.parse().unwrap());
    let write = move |tx: &mut Tx<'_>| {
        record(tx)?;
        write_to_some(tx, &polling, &id, mailing)?;
        let rows: Vec<(String, Option<String>)> = outbox::table
            .filter(outbox::kind.eq("ballot.opened"))
            .filter(outbox::facts.is_not_null())
            .select((outbox::dedup_key, outbox::facts))
            .load(tx.conn())?;
        Ok(rows
            .into_iter()
            .map(|(key, facts)| (key, facts.unwrap_or_default()))
            .collect())
    };
    ward.context().db.write_and_wait(write).unwrap()
}

fn hashes(receipt: &Value) -> Vec<String> {
    let slips = receipt["slips"].as_array().unwrap();
    slips
        .iter()
        .map(|slip| slip["sha256"].as_str().unwrap().to_owned())
        .collect()
}

on_both! { in "test";
    fn links_lie_sealed_until_they_are_sent_and_mails_name_nobody(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        let rows = queued(&ward, &ballot, Mailing::Opening);
        assert_eq!(rows.len(), 3);
        let links: Vec<String> = (1..=13).map(|number| link(&ward, &ballot, number)).collect();
        for (key, facts) in &rows {
            assert!(!facts.contains("/v/") && !links.iter().any(|link| facts.contains(link) || facts.contains(link.rsplit('.').next().unwrap())), "{facts}");
            // A key of a hundred characters and more, in which no number of a voter stands.
            let tag = key.strip_prefix(&format!("{ballot}:opening:")).unwrap();
            assert!(tag.len() == 64 && tag.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
        }
        // What arrives is the link, and it is good.
        let mails = written(&ward, 3);
        let plain: Vec<String> = mails.iter().map(|mail| mail.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=")).collect();
        let arrived: Vec<&String> = links.iter().filter(|link| plain.iter().any(|mail| mail.contains(&format!("/v/{link}")))).collect();
        assert_eq!(arrived.len(), 3);
        ok(&polled.votes(arrived[0], &says("fair")));

        // Administrators see none of it, neither that it is sent nor how much, but what was given up: that without address, with its day and an id that tells nothing.
        let admin = person(&ward, &[Grant::of(Role::Admin)]);
        let sent = || lines(&ward, "SELECT id AS line FROM outbox WHERE kind = 'ballot.opened' AND state = 'sent'").len();
        crate::faults::eventually("the mail to be sent", || (sent() == 3).then_some(()));
        let of_ballot = |state: &str| -> Vec<Value> {
            let listed = ok(&gets(&ward, &admin, &format!("/admin/mail?limit=200&state={state}")));
            listed["items"].as_array().unwrap().iter().filter(|one| one["kind"].as_str().unwrap().starts_with("ballot.")).cloned().collect()
        };
        let states = ["waiting", "held", "sent", "collected", "dropped", "dead"];
        assert_eq!(states.map(|state| of_ballot(state).len()), [0; 6]);
        assert_eq!(sql(&ward, "UPDATE outbox SET state = 'dead', facts = '{}', address = 'x@people.example' WHERE kind = 'ballot.opened'").unwrap(), 3);
        assert_eq!(states.map(|state| of_ballot(state).len()), [0, 0, 0, 0, 0, 3]);
        for one in of_ballot("dead") {
            for at in ["created_at", "ended_at"] {
                assert!(one[at].as_str().unwrap().ends_with("T00:00:00.000000Z"), "{one}");
            }
            assert_eq!(one["address"], Value::Null);
        }
        // Six letters of an id of the day would be the same.
        let heads: std::collections::BTreeSet<String> = of_ballot("dead").iter().map(|one| one["id"].as_str().unwrap()["mail_".len()..][..9].to_owned()).collect();
        assert_eq!(heads.len(), 3);
        let day = wardbook::outbox::rules::MailId::mint("2026-05-20T00:00:00Z".parse().unwrap()).to_string();
        assert!(!heads.contains(&day["mail_".len()..][..9]));
        go_to(&ward, CLOSES);
        ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")));
        assert_eq!(lines(&ward, &format!("SELECT dedup_key AS line FROM outbox WHERE dedup_key LIKE '{ballot}:%'")), Vec::<String>::new());
    }

    /// Whoever has seen the code of somebody's letter learns nothing by it: not whether they have voted, and not what; and what they cast stands in the log.
    fn a_code_tells_neither_whether_there_is_a_vote_nor_what_it_is(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let all = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        let votes = |code: &str, nonce: Option<&str>| {
            let mut body = json!({"code": code, "answers": says("fair")});
            if let Some(nonce) = nonce {
                body["nonce"] = json!(nonce);
            }
            ok(&ward.ask("POST", "/api/v1/ballot-votes").json(&body).send())
        };
        let cast = || ward.events("ballot.cast").len();
        let mine = votes(&all[0], Some("my-own-number-0001"));
        // The phone that sends it again is answered as before; nothing is noted.
        assert_eq!(hashes(&votes(&all[0], Some("my-own-number-0001"))), hashes(&mine));
        assert_eq!(cast(), 1);
        // A right guess is a vote like any other: with another receipt, and an entry in the log.
        for nonce in [None, None, Some("not-their-number-1")] {
            let before = cast();
            let guessed = votes(&all[0], nonce);
            assert_ne!(hashes(&guessed), hashes(&mine));
            assert_eq!(cast(), before + 1);
        }
        // It looks as where there is none, also on the page.
        let shape = |receipt: &Value| receipt.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(shape(&votes(&all[1], None)), shape(&mine));
        let thanks = |code: &str| {
            let reply = sent(&ward, "/vote", &[("step", "vote"), ("code", code), ("q1", "fair")]);
            is_page(&reply, 200);
            let text = reply.text.replace(code, "");
            let digits = |word: &str| word.len() >= 30 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
            text.split(|c: char| !c.is_ascii_alphanumeric() && c != '+').filter(|word| !word.is_empty() && !digits(word) && word.len() < 30).collect::<Vec<_>>().join(" ")
        };
        let (voted, fresh) = (thanks(&all[0]), thanks(&all[2]));
        let said = |page: &str| page.split("textarea id receipt").next().unwrap().to_owned();
        assert_eq!(said(&voted), said(&fresh));
        assert!(voted.contains("If there was a vote already"), "{voted}");
    }

    /// The number of an older vote is not remembered: sent again after another vote, it is a vote of its own, which replaces that and stands in the log.
    fn an_older_vote_that_is_sent_again_is_cast_anew(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let all = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        let votes = |choice: &str, nonce: &str| ok(&ward.ask("POST", "/api/v1/ballot-votes").json(&json!({"code": all[0], "answers": says(choice), "nonce": nonce})).send());
        let casts = || ward.events("ballot.cast").iter().map(|event| event["entry"]["data"]["replaces"].as_bool().unwrap()).collect::<Vec<_>>();
        let (one, other) = ("my-own-number-0001", "my-own-number-0002");
        let first = votes("fair", one);
        let second = votes("satisfied", other);
        assert_eq!(casts(), [false, true]);
        let again = votes("fair", one);
        assert_eq!(casts(), [false, true, true]);
        // By the same means it is another slip: the service draws its part anew.
        assert_eq!(again["own_sha256"], first["own_sha256"]);
        assert_ne!(hashes(&again), hashes(&first));
        // As the vote that counts now it is the same request, with the same receipt; and the one between is older now.
        assert_eq!(hashes(&votes("fair", one)), hashes(&again));
        assert_eq!(casts().len(), 3);
        for code in &all[1..] {
            ok(&polled.votes(code, &says("satisfied")));
        }
        go_to(&ward, CLOSES);
        let tally = ok(&ward.get(&format!("/api/v1/ballots/{ballot}/tally")));
        let counts = tally["cells"][0]["questions"][0]["counts"].as_array().unwrap().clone();
        let of = |choice: &str| counts.iter().find(|one| one["choice"] == choice).unwrap()["count"].clone();
        assert_eq!((of("fair"), of("satisfied")), (json!(1), json!(12)));
        let is_counted = |receipt: &Value| ok(&ward.get(&format!("/api/v1/ballots/{ballot}/slips/{}", hashes(receipt)[0])))["is_counted"].clone();
        assert_eq!([&first, &second, &again].map(is_counted), [json!(false), json!(false), json!(true)]);
    }

    fn a_letter_that_is_printed_for_somebody_is_told_to_them(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let gui = &polled.communities[0];
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let voter = gui.all(&ward).iter().find(|one| one["name"] == "居民0").unwrap()["id"].as_str().unwrap().to_owned();
        let account = person(&ward, &[]);
        resides(&ward, gui, &account, &voter);
        go_to(&ward, OPENS);
        let own = || ok(&gets(&ward, &account, "/me/ballots"))["items"][0].clone();
        assert_eq!((&own()["letters_printed"], &own()["letter_printed_at"]), (&json!(0), &Value::Null));
        // They vote by their account, and the registrar prints the first letter that there is for them.
        ok(&posts(&ward, &account, &format!("/ballots/{ballot}/votes"), Some(&json!({"answers": says("fair")}))));
        let told = || lines(&ward, "SELECT CAST(count(*) AS TEXT) AS line FROM outbox WHERE kind = 'ballot.letter_replaced'").remove(0);
        let code = codes(&polled.prints(0, &ballot, &json!({"resident_ids": [voter]})).text).remove(0);
        assert_eq!((own()["letters_printed"].clone(), told()), (json!(1), "1".to_owned()));
        assert!(own()["letter_printed_at"].as_str().unwrap().starts_with("2026-05-20T"));
        let number: i64 = lines(&ward, &format!("SELECT CAST(number AS TEXT) AS line FROM ballot_voters WHERE resident_id = '{voter}'")).remove(0).parse().unwrap();
        let page = opened(&ward, &format!("/v/{}", link(&ward, &ballot, number))).text;
        assert!(page.contains("Letters printed for you: 1"), "{page}");
        codes(&polled.prints(0, &ballot, &json!({"resident_ids": [voter]})).text).remove(0);
        assert_eq!((own()["letters_printed"].clone(), told()), (json!(2), "2".to_owned()));
        is_page(&sent(&ward, "/vote", &[("step", "code"), ("code", &code)]), 409);
        // Everybody sees how many a community had, and for how many it was not the first.
        let printed = ward.events("ballot.letters_printed");
        let data = |at: usize| printed[at]["entry"]["data"].clone();
        assert_eq!((data(0)["replaced"].clone(), data(1)["replaced"].clone(), data(1)["area_id"].clone()), (json!(0), json!(1), json!(gui.id)));
    }

    fn a_receipt_is_taken_along_and_asked_about_without_a_script(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let all = polled.codes(0, &ballot);
        go_to(&ward, OPENS);
        let form = [("step", "vote"), ("code", all[0].as_str()), ("q1", "fair"), ("nonce", "0123456789abcdef0123456789abcdef")];
        let thanks = sent(&ward, "/vote", &form);
        is_page(&thanks, 200);
        // Sent twice it is one vote, and in the other language the same; but no button sends it again, which after another vote would bring this one back.
        let again = ward.ask("POST", "/vote?lang=zh-CN").body("application/x-www-form-urlencoded", crate::pages::encoded(&form)).send();
        is_page(&again, 200);
        assert_eq!(ward.events("ballot.cast").len(), 1);
        let kept = |page: &str| {
            let (_, rest) = page.split_once("<textarea id=\"receipt\"").unwrap();
            let (_, rest) = rest.split_once('>').unwrap();
            rest.split_once("</textarea>").unwrap().0.replace("&#47;", "/")
        };
        let receipt = kept(&thanks.text);
        assert_eq!(kept(&again.text), receipt);
        assert!(!again.text.contains("other-language"), "{}", again.text);
        assert!(receipt.starts_with(&format!("wardbook/ballot-receipt/v1\n{ballot}\n")) && receipt.contains(" salt_part ") && receipt.contains("\nown_sha256 "), "{receipt}");
        // The note in it is signed with the key of the log.
        let key: wardbook::audit::note::Verifier = ward.get("/audit/key").text.trim().parse().unwrap();
        let (note, _) = receipt.split_once("\nown_sha256 ").unwrap();
        assert!(key.open(note.as_bytes()).is_ok());
        let file = sent(&ward, "/vote/receipt", &[("step", "receipt"), ("receipt", &receipt)]);
        assert_eq!((file.status, file.header("content-disposition"), file.text.as_str()), (200, Some("attachment; filename=\"ballot-receipt.txt\""), receipt.as_str()));
        is_page(&sent(&ward, "/vote/receipt", &[("receipt", "<script>")]), 400);

        let (_, rest) = receipt.split_once("\nslip ").unwrap();
        let hash = rest.split(' ').next().unwrap();
        let linked = format!("/v/{ballot}/counted/{hash}");
        assert!(thanks.text.contains(&linked));
        let asks = |hash: &str| sent(&ward, &format!("/v/{ballot}/counted"), &[("step", "find"), ("hash", hash)]);
        is_page(&opened(&ward, &format!("/v/{ballot}/counted")), 200);
        assert!(opened(&ward, &linked).text.contains("not counted yet"));
        assert_eq!(crate::pages::faulty(&asks("xyz")), ["hash"]);
        for code in &all[1..] {
            ok(&polled.votes(code, &says("fair")));
        }
        go_to(&ward, CLOSES);
        for page in [opened(&ward, &linked), asks(hash), asks(&hash.to_uppercase())] {
            is_page(&page, 200);
            assert!(page.text.contains("Yes: this slip is in the box"), "{}", page.text);
        }
        let other = asks(&"0".repeat(64));
        is_page(&other, 200);
        assert!(other.text.contains("No: there is no such slip"));
        for nobody in ["/v/nobody/counted".to_owned(), format!("/v/{ballot}/counted/xy"), format!("/v/{}/counted", ballot.replace('0', "1"))] {
            is_page(&opened(&ward, &nobody), 404);
        }
    }
}
