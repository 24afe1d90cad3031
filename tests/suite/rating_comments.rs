//! What voters say of a period in their own words: once each, apart from how they vote; read by an officer before everybody reads it; replied to once.

use serde_json::{Value, json};
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::awards::go_to;
use crate::ballots::{Polled, link, says};
use crate::books::{at_once, ok};
use crate::cast::person;
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::outbox::lines;
use crate::pages::{faulty, is_page, opened, sent};
use crate::roll_letters::codes;
use crate::treasury::{gets, made, posts};

/// While the ballot is open, and after its close.
const OPEN: &str = "2026-05-21T00:00:00Z";
const CLOSED: &str = "2026-05-27T00:00:00Z";

fn says_of_it(ward: &Ward, code: &str, words: &str) -> Reply {
    ward.post("/api/v1/ballot-comments", &json!({"code": code, "words": words}))
}

fn all(ward: &Ward, ballot: &str) -> Value {
    ok(&ward.get(&format!("/api/v1/ballots/{ballot}/comments")))
}

fn words(page: &Value) -> Vec<&str> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["words"].as_str().unwrap())
        .collect()
}

fn sorted(mut words: Vec<&str>) -> Vec<&str> {
    words.sort_unstable();
    words
}

on_both! {
    in "test";
    fn what_is_said_is_read_by_an_officer_first_and_answered_once(ward) {
        let polled = Polled::with(&ward, [12, 12]);
        let officer = polled.officer();
        let ballot = made(&polled.calls(officer, |_| {}));
        let codes = polled.codes(0, &ballot);
        refused(&says_of_it(&ward, &codes[0], "太早"), 409, "ballot_not_open");
        go_to(&ward, OPEN);
        refused(&says_of_it(&ward, "0000-0000-0000-0000", "太早"), 409, "ballot_code_not_good");
        refused(&says_of_it(&ward, &codes[0], " \n "), 422, "invalid");
        refused(&says_of_it(&ward, &codes[0], "hid\u{200b}den"), 422, "invalid");

        let supplier = &polled.case.bidders[1].agent;
        for (who, address) in [(officer, "officer"), (supplier, "agent")] {
            sql(&ward, &format!("UPDATE accounts SET email = '{address}@people.example' WHERE id = '{}'", who.id)).unwrap();
        }

        // Sent twice at once it is there once; whether somebody has voted does not matter.
        let say = || says_of_it(&ward, &codes[0], "清晨太吵");
        let mut statuses = at_once([&say, &say]).map(|reply| reply.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        refused(&says_of_it(&ward, &codes[0], "再说一句"), 409, "rating_commented");
        ok(&polled.votes(&codes[1], &says("fair")));
        assert_eq!(says_of_it(&ward, &codes[1], "扫得干净\n谢谢").status, 200);
        assert_eq!(says_of_it(&ward, &codes[2], "某某偷懒").status, 200);

        // Nobody but the officer and auditors reads it yet; that there is something is told.
        let page = all(&ward, &ballot);
        assert_eq!((words(&page), &page["received"], &page["withheld"]), (Vec::new(), &json!(3), &json!(0)));
        let path = format!("/ballots/{ballot}/comments");
        assert_eq!(words(&ok(&gets(&ward, supplier, &path))), Vec::<&str>::new());
        let seen = ok(&gets(&ward, officer, &path));
        assert_eq!(sorted(words(&seen)), ["扫得干净\n谢谢", "某某偷懒", "清晨太吵"]);
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        assert_eq!(words(&ok(&gets(&ward, &auditor, &path))).len(), 3);
        // Their order is one of chance.
        let order = ["某某偷懒", "扫得干净\n谢谢", "清晨太吵"];
        let id = |n: usize| {
            let items = seen["items"].as_array().unwrap();
            items.iter().find(|one| one["words"] == order[n]).unwrap()["id"].as_str().unwrap().to_owned()
        };
        let mut ids: Vec<&str> = seen["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        ids.reverse();
        assert!(ids.is_sorted());
        let decides = |who, n: usize, body: &Value| posts(&ward, who, &format!("/ballot-comments/{}/decision", id(n)), Some(body));
        let replies = |who, n: usize, reply: &str| posts(&ward, who, &format!("/ballot-comments/{}/reply", id(n)), Some(&json!({"reply": reply})));

        let stranger = person(&ward, &[Grant::of(Role::BuyerOfficer)]);
        refused(&decides(supplier, 0, &json!({"verdict": "release"})), 403, "forbidden");
        refused(&decides(&stranger, 0, &json!({"verdict": "release"})), 404, "not_found");
        refused(&decides(officer, 0, &json!({"verdict": "withhold", "reason": " "})), 422, "invalid");
        for wrong in [json!({"verdict": "withhold"}), json!({"verdict": "release", "reason": "好"})] {
            assert_eq!(decides(officer, 0, &wrong).faults(), [("/reason".to_owned(), "invalid".to_owned())]);
        }
        let long = decides(officer, 0, &json!({"verdict": "withhold", "reason": "长".repeat(1001)}));
        assert_eq!(long.faults(), [("/reason".to_owned(), "too_long".to_owned())]);
        refused(&replies(supplier, 2, "已改"), 404, "not_found");
        ok(&decides(officer, 0, &json!({"verdict": "withhold", "reason": "点名指责，无法核实"})));
        refused(&decides(officer, 0, &json!({"verdict": "release"})), 409, "rating_comment_decided");
        ok(&decides(officer, 1, &json!({"verdict": "release"})));
        go_to(&ward, CLOSED);
        ok(&decides(officer, 2, &json!({"verdict": "release"})));
        refused(&says_of_it(&ward, &codes[3], "晚了"), 409, "ballot_closed");

        // The contractor replies once, to what is released, and nobody in its place.
        refused(&replies(supplier, 0, "没有"), 404, "not_found");
        refused(&replies(&polled.case.bidders[0].agent, 2, "没有"), 403, "forbidden");
        refused(&replies(officer, 2, "没有"), 403, "forbidden");
        ok(&replies(supplier, 2, "已改为五点半开始"));
        refused(&replies(supplier, 2, "还有"), 409, "rating_comment_replied");
        let page = all(&ward, &ballot);
        assert_eq!((sorted(words(&page)), &page["received"], &page["withheld"]), (vec!["扫得干净\n谢谢", "清晨太吵"], &json!(0), &json!(1)));
        let reply = |said: &str| page["items"].as_array().unwrap().iter().find(|one| one["words"] == said).unwrap()["reply"].clone();
        assert_eq!((reply("清晨太吵"), reply("扫得干净\n谢谢")), (json!("已改为五点半开始"), Value::Null));
        assert!(!page.to_string().contains("点名指责"), "{page}");

        // The officers were told once that something waits, the contractor of each that became public, in no words of theirs; and nobody who wrote it.
        let told = |kind: &str| lines(&ward, &format!("SELECT dedup_key AS line FROM outbox WHERE kind = '{kind}' ORDER BY dedup_key"));
        assert_eq!(told("rating_comments.waiting"), [format!("{ballot}:comments:2026-05-21:{}", officer.id)]);
        let mut released = [id(1), id(2)].map(|comment| format!("{comment}:released:{}", supplier.id));
        released.sort();
        assert_eq!(told("rating_comment.released"), released);
        let mails = lines(&ward, "SELECT COALESCE(facts, '') AS line FROM outbox");
        assert!(!mails.iter().any(|facts| ["清晨", "点名", "扫得"].iter().any(|word| facts.contains(word))), "{mails:?}");

        // The log holds no words and nobody's number, and neither database lets what was said be changed.
        for kind in ["rating.commented", "rating.comment_decided", "rating.comment_replied"] {
            let told: String = ward.events(kind).iter().map(Value::to_string).collect();
            assert!(!told.is_empty() && !["清晨", "点名", "五点半"].iter().any(|word| told.contains(word)), "{told}");
        }
        assert_eq!(ward.events("rating.commented")[0]["entry"]["data"], json!({}));
        assert!(sql(&ward, "UPDATE rating_comments SET words = '好'").is_err());
        assert!(sql(&ward, "UPDATE rating_comments SET state = 'released', reason = NULL WHERE state = 'withheld'").is_err());
        assert!(sql(&ward, "DELETE FROM rating_comments").is_err());
        assert!(sql(&ward, "DELETE FROM rating_commenters").is_err());
    }

    fn on_the_pages_of_votes_there_is_a_way_to_words_apart_from_them(ward) {
        let polled = Polled::with(&ward, [12, 0]);
        let ballot = made(&polled.calls(polled.officer(), |_| {}));
        let printed = polled.prints(0, &ballot, &json!({"everyone": true})).text;
        let typed = codes(&printed);
        let (mine, other) = (&typed[0], &typed[1]);
        is_page(&sent(&ward, "/vote/words", &[("step", "code"), ("code", mine)]), 409);
        go_to(&ward, OPEN);

        // At the terminal: the way there begins with the code, and neither votes nor needs a vote.
        assert!(opened(&ward, "/vote").text.contains("/vote/words"));
        is_page(&opened(&ward, "/vote/words"), 200);
        let wrong = sent(&ward, "/vote/words", &[("step", "code"), ("code", "7ZQK-2M4V-9XHD-0RCP")]);
        is_page(&wrong, 409);
        assert_eq!(faulty(&wrong), ["code"]);
        let form = sent(&ward, "/vote/words", &[("step", "code"), ("code", &mine.to_lowercase())]);
        is_page(&form, 200);
        // What it gives away is said where it is written.
        for said in ["kept apart from your vote", "write no name and no address", "neither what nor by whom", "<textarea id=\"words\""] {
            assert!(form.text.contains(said), "{said}: {}", form.text);
        }
        assert!(!form.text.contains("<script") && !form.text.contains("name=\"q1\""));
        let empty = sent(&ward, "/vote/words", &[("step", "say"), ("code", mine), ("words", "  ")]);
        is_page(&empty, 422);
        assert_eq!(faulty(&empty), ["words"]);
        is_page(&sent(&ward, "/vote/words", &[("step", "say"), ("code", mine), ("words", "路灯<b>下</b>很干净")]), 200);
        let twice = sent(&ward, "/vote/words", &[("step", "say"), ("code", mine), ("words", "再说")]);
        is_page(&twice, 409);
        assert!(twice.text.contains("再说"), "what was written is not lost: {}", twice.text);
        assert_eq!(lines(&ward, "SELECT CAST(count(*) AS TEXT) AS line FROM ballot_papers"), ["0"]);

        // The receipt leads there with the code, and so does the page behind a link.
        let thanks = sent(&ward, "/vote", &[("step", "vote"), ("code", other), ("q1", "fair")]);
        is_page(&thanks, 200);
        assert!(thanks.text.contains("formaction=\"/vote/words?lang=en\"") && thanks.text.contains(&format!("value=\"{other}\"")), "{}", thanks.text);
        assert!(thanks.text.contains(&format!("/v/{ballot}/counted/")));
        let path = format!("/v/{}", link(&ward, &ballot, 3));
        let linked = opened(&ward, &path);
        is_page(&linked, 200);
        assert!(linked.text.contains(&format!("{path}/words")));
        is_page(&opened(&ward, &format!("{path}/words")), 200);
        is_page(&sent(&ward, &format!("{path}/words"), &[("step", "say"), ("words", "谢谢")]), 200);
        is_page(&opened(&ward, "/v/nobody/words"), 409);
        let page = ok(&gets(&ward, polled.officer(), &format!("/ballots/{ballot}/comments")));
        assert_eq!(sorted(words(&page)), ["谢谢", "路灯<b>下</b>很干净"]);

        // Nothing that is kept of a comment is kept of a vote or of a voter: no table has both, and the mark of who has commented has no comment.
        let columns = lines(&ward, "SELECT id || ballot_id || contract_id || words || state AS line FROM rating_comments");
        let papers = lines(&ward, "SELECT CAST(number AS TEXT) AS line FROM rating_commenters ORDER BY number");
        assert_eq!((columns.len(), papers.len()), (2, 2));
        go_to(&ward, CLOSED);
        is_page(&opened(&ward, &format!("{path}/words")), 409);
        is_page(&sent(&ward, "/vote/words", &[("step", "say"), ("code", &typed[2]), ("words", "晚了")]), 409);
    }
}
