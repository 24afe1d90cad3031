//! Letters of invitation and what one does with them, up to being erased.

use chrono::Duration;
use serde_json::{Value, json};
use wardbook::web::policy::Role;

use crate::cast::{self, Person};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::rolls::{Community, by};

/// The codes of a page, in the order of its sheets.
pub fn codes(page: &str) -> Vec<String> {
    let captions = page.split("<figcaption>").skip(1);
    captions
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect()
}

pub fn claim(ward: &Ward, person: &Person, code: &str, birth_date: &str) -> Reply {
    by(ward, person, "POST", "/api/v1/residence-claims")
        .json(&json!({ "code": code, "birth_date": birth_date }))
        .send()
}

fn print(ward: &Ward, community: &Community, body: Value) -> Reply {
    community
        .ask(ward, "POST", "invitation-letters")
        .json(&body)
        .send()
}

/// Prints one letter and returns its code.
pub fn letter(ward: &Ward, community: &Community, resident: &str) -> String {
    let reply = print(ward, community, json!({ "resident_ids": [resident] }));
    assert_eq!(reply.status, 200, "{}", reply.text);
    codes(&reply.text).remove(0)
}

/// In which communities somebody is a resident at present, by what the service itself says of their roles.
fn resident_in(ward: &Ward, person: &Person) -> Vec<String> {
    let path = format!("/api/v1/role-grants?in_force=true&account_id={}", person.id);
    let reply = by(ward, person, "GET", &path).send();
    assert_eq!(reply.status, 200, "{}", reply.text);
    let json = reply.json();
    let roles = json["items"].as_array().unwrap().iter();
    roles
        .filter(|role| role["role"] == "resident")
        .map(|role| role["area_id"].as_str().unwrap().to_owned())
        .collect()
}

on_both! {
    fn a_letter_makes_an_account_a_resident_once(ward) {
        let [gui, huai] = Community::two(&ward);
        let id = gui.enter(&ward, "3-2-501", "王小梅", "1984-07-19");
        let reply = print(&ward, &gui, json!({"resident_ids": [id, id], "paper": "a5", "valid_until": "2026-04-30"}));
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/html; charset=utf-8")), "{}", reply.text);
        assert!(reply.header("content-security-policy").unwrap().starts_with("default-src 'none'; style-src 'sha256-"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert!(reply.text.contains("<h1>王小梅</h1>") && reply.text.contains("2026年4月30日") && reply.text.contains("桂园社区"));
        let code = codes(&reply.text);
        assert_eq!((code.len(), code[0].len()), (1, 19));
        assert_eq!(gui.read(&ward, &id)["letter_expires_at"], "2026-04-30T16:00:00.000000Z");

        let mei = cast::person(&ward, &[]);
        assert_eq!(by(&ward, &mei, "GET", "/api/v1/me/residence").send().json()["items"], json!([]));
        let claimed = claim(&ward, &mei, &code[0].to_lowercase(), "1984/7/19");
        assert_eq!((claimed.status, &claimed.json()["resident_id"], &claimed.json()["area_id"]), (200, &json!(id), &json!(gui.id)), "{}", claimed.text);
        let own = by(&ward, &mei, "GET", "/api/v1/me/residence").send().json();
        assert_eq!((&own["items"][0]["name"], &own["items"][0]["household"]["code"]), (&json!("王小梅"), &json!("3-2-501")));
        assert_eq!(resident_in(&ward, &mei), [gui.id.as_str()]);
        let seen = gui.read(&ward, &id);
        assert_eq!((&seen["has_account"], &seen["letter_expires_at"]), (&json!(true), &json!(null)));
        assert_eq!(ward.events("residence.claimed").len(), 1);

        // Used up, for her and for anybody else.
        let li = cast::person(&ward, &[]);
        assert_eq!(claim(&ward, &li, &code[0], "1984-07-19").code(), "residence_code_not_good");
        assert_eq!(print(&ward, &gui, json!({"resident_ids": [id]})).faults(), [("/resident_ids/0".to_owned(), "has_account".to_owned())]);
        // She may be a resident of another community as well, and one person in each.
        let there = huai.enter(&ward, "1", "王小梅", "1984-07-19");
        assert_eq!(claim(&ward, &mei, &letter(&ward, &huai, &there), "1984-07-19").status, 200);
        let twin = gui.enter(&ward, "3-2-502", "王小兰", "1984-07-19");
        assert_eq!(claim(&ward, &mei, &letter(&ward, &gui, &twin), "1984-07-19").code(), "residence_taken");
        assert_eq!(resident_in(&ward, &mei).len(), 2);

        // Who moves away is no resident any more, but still sees what the roll says of them.
        let gone = gui.about(&ward, "POST", &format!("residents/{id}/departure")).header("if-match", "*").json(&json!({"reason": "moved_away"})).send();
        assert_eq!(gone.status, 200, "{}", gone.text);
        assert_eq!(resident_in(&ward, &mei), [huai.id.as_str()]);
        let own = by(&ward, &mei, "GET", "/api/v1/me/residence").send().json();
        assert_eq!(own["items"].as_array().unwrap().len(), 2);
    }

    fn what_is_wrong_with_a_code_is_told_only_if_it_cannot_be_one(ward) {
        let [gui, _] = Community::two(&ward);
        let id = gui.enter(&ward, "1", "甲", "1984-07-19");
        let void = letter(&ward, &gui, &id);
        let good = letter(&ward, &gui, &id);
        let answers = |reply: Reply| {
            let mut json = reply.json();
            json.as_object_mut().unwrap().remove("request_id");
            (reply.status, json)
        };
        let somebody = cast::person(&ward, &[]);
        let typo = good.replacen(&good[..1], if good.starts_with('7') { "8" } else { "7" }, 1);
        let mistyped = claim(&ward, &somebody, &typo, "someday");
        let places: Vec<String> = mistyped.faults().into_iter().map(|(at, _)| at).collect();
        assert_eq!((mistyped.status, places), (422, vec!["/code".to_owned(), "/birth_date".to_owned()]));
        let unknown = answers(claim(&ward, &somebody, "0000-0000-0000-0000", "1984-07-19"));
        assert_eq!(unknown.1["code"], "residence_code_not_good");
        assert_eq!(answers(claim(&ward, &somebody, &void, "1984-07-19")), unknown, "printing again makes the old one void");
        assert_eq!(answers(claim(&ward, &somebody, &good, "1984-07-20")), unknown, "another date of birth");
        assert_eq!(answers(claim(&ward, &somebody, "AAAAAAAAAAAAAAAAAAAAAA", "1984-07-19")), unknown, "a link's code");
        ward.context().clock.advance(ward.context().clock.now() + Duration::days(61));
        assert_eq!(answers(claim(&ward, &somebody, &good, "1984-07-19")), unknown, "too late");
        // A token that was issued on the machine itself is nobody's account.
        let reply = ward.ask("POST", "/api/v1/residence-claims").by(Role::Resident).json(&json!({"code": good, "birth_date": "1984-07-19"})).send();
        assert_eq!(reply.code(), "residence_account_needed");
        assert_eq!(ward.get("/api/v1/me/residence").code(), "unauthenticated");
        assert!(ward.events("residence.claimed").is_empty());
    }

    fn nobody_tries_codes_for_long_and_nobody_else_is_held_up(ward) {
        let [gui, _] = Community::two(&ward);
        let id = gui.enter(&ward, "1", "甲", "1984-07-19");
        let (mallory, alice) = (cast::person(&ward, &[]), cast::person(&ward, &[]));
        for _ in 0..10 {
            assert_eq!(claim(&ward, &mallory, "0000-0000-0000-0000", "1984-07-19").status, 409);
        }
        let good = letter(&ward, &gui, &id);
        let refused = claim(&ward, &mallory, &good, "1984-07-19");
        assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_requests"));
        assert!(refused.header("retry-after").is_some());
        assert_eq!(claim(&ward, &alice, &good, "1984-07-19").status, 200);
    }

    fn letters_are_shown_once_and_kept_nowhere(ward) {
        let [gui, _] = Community::two(&ward);
        let id = gui.enter(&ward, "1", "龘靐齉", "1984-07-19");
        let body = json!({"resident_ids": [id]});
        let send = || gui.ask(&ward, "POST", "invitation-letters").header("idempotency-key", "letters").json(&body).send();
        let first = send();
        assert_eq!(first.status, 200, "{}", first.text);
        let again = send();
        assert_eq!((again.status, again.code().as_str()), (409, "letters_printed"));
        // The one that was shown is still good: the second request did nothing.
        let mei = cast::person(&ward, &[]);
        assert_eq!(claim(&ward, &mei, &codes(&first.text)[0], "1984-07-19").status, 200);
        let events = ward.events("letters.printed");
        assert_eq!((events.len(), &events[0]["entry"]["data"]["letters"]), (1, &json!(1)));
    }

    fn everyone_is_invited_once_and_children_are_not(ward) {
        let [gui, huai] = Community::two(&ward);
        let mut table = String::from("household,name,birth_date\n");
        for n in 0..503 {
            table.push_str(&format!("{n:03},居民{n},1980-01-01\n"));
        }
        table.push_str("504,孩子,2008-03-03\n505,今天成年,2008-03-02\n");
        gui.imported(&ward, "", &table);
        let first = print(&ward, &gui, json!({"everyone": true}));
        assert_eq!((first.status, first.header("letters-remaining")), (200, Some("4")), "{}", first.text);
        assert_eq!(codes(&first.text).len(), 500);
        let second = print(&ward, &gui, json!({"everyone": true}));
        assert_eq!((codes(&second.text).len(), second.header("letters-remaining")), (4, Some("0")));
        assert!(second.text.contains("今天成年") && !second.text.contains("孩子"));
        assert_eq!(print(&ward, &gui, json!({"everyone": true})).code(), "nobody_to_invite");
        // Once the letters have run out, they are invited again.
        ward.context().clock.advance(ward.context().clock.now() + Duration::days(61));
        assert_eq!(codes(&print(&ward, &gui, json!({"everyone": true})).text).len(), 500);

        let child = gui.enter(&ward, "504", "另一孩子", "2010-01-01");
        let other = huai.enter(&ward, "1", "别处的人", "1980-01-01");
        let gone = gui.enter(&ward, "600", "走了的人", "1980-01-01");
        gui.about(&ward, "POST", &format!("residents/{gone}/departure")).header("if-match", "*").json(&json!({"reason": "deceased"})).send();
        let refused = print(&ward, &gui, json!({"resident_ids": [child, other, gone, "resident_01jd3n8f5teqkrzvq1c0m6h2ax"]}));
        let faults = [("/resident_ids/0", "not_adult"), ("/resident_ids/1", "not_found"), ("/resident_ids/2", "resident_not_on_roll"), ("/resident_ids/3", "not_found")];
        assert_eq!((refused.code().as_str(), refused.faults()), ("resident_not_invitable", faults.map(|(at, code)| (at.to_owned(), code.to_owned())).to_vec()));
        for (body, place) in [
            (json!({}), "/resident_ids"),
            (json!({"everyone": true, "resident_ids": [other]}), "/resident_ids"),
            (json!({"everyone": true, "valid_until": "2026-03-01"}), "/valid_until"),
            (json!({"everyone": true, "valid_until": "2028-03-01"}), "/valid_until"),
            (json!({"everyone": true, "valid_until": "soon"}), "/valid_until"),
        ] {
            let reply = print(&ward, &gui, body);
            assert_eq!((reply.status, reply.faults()[0].0.as_str()), (422, place), "{}", reply.text);
        }
    }
}
