//! Residents who have a letter and no account: the letter is enough to open one.

use chrono::Duration;
use diesel::prelude::*;
use serde_json::{Value, json};
use wardbook::db::schema::{accounts, outbox, residence_registrations};
use wardbook::people::rules_links::REGISTRATION_HOURS;
use wardbook::registry::store_registrations;
use wardbook::web::policy::Role;

use crate::cast;
use crate::faults::{block_on, eventually};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::pages::{PASSWORD, faulty, is_page, opened, sent};
use crate::people_accounts::{from_mail, mails_to, move_clock};
use crate::roll_letters::{claim, codes, letter};
use crate::rolls::Community;

const BORN: &str = "1984-07-19";
const MEI: &str = "xiaomei@mail.example";
const ASK: &str = "/api/v1/residence-registrations";

fn asked(ward: &Ward, code: &str, born: &str, email: &str) -> Reply {
    let body = json!({"code": code, "birth_date": born, "email": email, "language": "en"});
    ward.ask("POST", ASK).json(&body).send()
}

/// Asks for an account and returns the secret of the link that was mailed.
pub fn link(ward: &Ward, code: &str, email: &str) -> String {
    let reply = asked(ward, code, BORN, email);
    assert_eq!(
        (reply.status, reply.json()),
        (202, json!({"hours": 24})),
        "{}",
        reply.text
    );
    from_mail(
        ward,
        &email.trim().to_lowercase(),
        "/residence-registrations/",
        43,
    )
}

fn open_as(ward: &Ward, link: &str, name: &str, born: &str) -> Reply {
    let body = json!({"birth_date": born, "display_name": name, "language": "zh-CN", "password": PASSWORD});
    ward.ask("POST", &format!("{ASK}/{link}")).json(&body).send()
}

fn open(ward: &Ward, link: &str) -> Reply {
    open_as(ward, link, "三栋的小梅", BORN)
}

/// How many accounts, mails and open registrations there are.
fn kept(ward: &Ward) -> (i64, i64, i64) {
    ward.context()
        .db
        .read_and_wait(|conn| {
            Ok((
                accounts::table.count().get_result(conn)?,
                outbox::table.count().get_result(conn)?,
                residence_registrations::table.count().get_result(conn)?,
            ))
        })
        .unwrap()
}

fn mailed(ward: &Ward) -> i64 {
    kept(ward).1
}

/// What an answer says, less the number of its request.
fn said(reply: &Reply) -> (u16, Value) {
    let mut json = reply.json();
    json.as_object_mut().unwrap().remove("request_id");
    (reply.status, json)
}

/// A community, one resident and the code of their letter.
fn invited(ward: &Ward) -> (Community, String, String) {
    let [gui, _] = Community::two(ward);
    let id = gui.enter(ward, "3-2-501", "王小梅", BORN);
    let code = letter(ward, &gui, &id);
    (gui, id, code)
}

/// A link was followed and nothing came of it: the roll, the accounts and the log are as before.
fn nothing_done(ward: &Ward, gui: &Community, id: &str, accounts: i64) {
    assert_eq!(gui.read(ward, id)["has_account"], json!(false));
    assert_eq!(kept(ward).0, accounts);
    assert!(
        ward.events("account.activated")
            .iter()
            .all(|event| event["entry"]["data"]["by"] != "letter")
    );
    assert!(ward.events("residence.claimed").is_empty());
}

/// Forgets what the service forgets every ten minutes.
fn swept(ward: &Ward) -> usize {
    block_on(ward.context().db.upkeep(store_registrations::forget_expired)).unwrap()
}

on_both! {
    fn a_letter_is_enough_to_open_an_account_and_be_a_resident(ward) {
        let (gui, id, code) = invited(&ward);
        let link = link(&ward, &code.to_lowercase(), "XiaoMei@Mail.example ");
        let mail = mails_to(&ward, MEI).remove(0);
        assert!(mail.contains("Open your account") && !mail.contains("王小梅") && !mail.contains(BORN) && !mail.contains("3-2-501"), "{mail}");
        for _ in 0..2 {
            let page = opened(&ward, &format!("/residence-registrations/{link}"));
            is_page(&page, 200);
            assert!(page.text.contains(MEI) && !page.text.contains("王小梅"));
        }
        assert_eq!(ward.sign_in(MEI, PASSWORD).code(), "credentials_refused", "there is no account yet");

        let done = open(&ward, &link);
        assert_eq!(done.status, 201, "{}", done.text);
        let done = done.json();
        assert_eq!((&done["resident_id"], &done["area_id"]), (&json!(id), &json!(gui.id)));
        let tokens = ward.sign_in(MEI, PASSWORD);
        assert_eq!((tokens.status, &tokens.json()["account_id"]), (201, &done["account_id"]), "{}", tokens.text);
        let tokens = tokens.json();
        let get = |path: &str| ward.ask("GET", path).in_session(tokens["access_token"].as_str().unwrap()).send().json();
        assert_eq!(get("/api/v1/me")["account"]["display_name"], "三栋的小梅");
        assert_eq!(get("/api/v1/me/residence")["items"][0]["name"], "王小梅");
        let roles = get(&format!("/api/v1/role-grants?in_force=true&account_id={}", done["account_id"].as_str().unwrap()));
        let roles = roles["items"].as_array().unwrap();
        assert_eq!((roles.len(), &roles[0]["role"], &roles[0]["area_id"]), (1, &json!("resident"), &json!(gui.id)));
        let seen = gui.read(&ward, &id);
        assert_eq!((&seen["has_account"], &seen["letter_expires_at"]), (&json!(true), &json!(null)));
        let events = [ward.events("account.activated"), ward.events("residence.claimed")];
        assert_eq!(events.each_ref().map(Vec::len), [1, 1]);
        assert_eq!(events[0][0]["entry"]["data"], json!({"by": "letter", "password": true}));
        assert_eq!(events[1][0]["opened"]["actor"], done["account_id"]);

        // Who the resident is stays theirs and their registrar's, whoever opens the log and whatever they change.
        let account = format!("/api/v1/accounts/{}", done["account_id"].as_str().unwrap());
        let renamed = ward
            .ask("PATCH", &account)
            .in_session(tokens["access_token"].as_str().unwrap())
            .header("if-match", "*")
            .json(&json!({"display_name": "三栋的老梅"}))
            .send();
        assert_eq!(renamed.status, 200, "{}", renamed.text);
        assert_eq!(ward.events("account.changed").len(), 1);
        let log = ward.ask("GET", "/api/v1/audit/export").by(Role::Auditor).header("accept", "application/jsonl").send().text;
        for personal in [MEI, "小梅", "老梅", BORN, "3-2-501"] {
            assert!(!log.contains(personal), "{personal}");
        }

        // Link and letter are used up, for everybody and for everything.
        assert_eq!(open(&ward, &link).code(), "link_refused");
        is_page(&opened(&ward, &format!("/residence-registrations/{link}")), 404);
        assert_eq!(asked(&ward, &code, BORN, "other@mail.example").code(), "residence_code_not_good");
        assert_eq!(claim(&ward, &cast::person(&ward, &[]), &code, BORN).code(), "residence_code_not_good");
        assert_eq!(kept(&ward).2, 0, "no address is kept that nobody needs");
    }

    fn an_address_that_has_an_account_gets_no_second_one_and_the_answer_does_not_tell(ward) {
        let (gui, id, code) = invited(&ward);
        let known = ward.person("known", &[]);
        let accounts = kept(&ward).0;
        let new = asked(&ward, &code, BORN, MEI);
        let link = from_mail(&ward, MEI, "/residence-registrations/", 43);
        let taken = asked(&ward, &code, BORN, &known.email);
        assert_eq!((new.status, &new.text), (taken.status, &taken.text));
        let mail = eventually("a mail", || mails_to(&ward, &known.email).pop());
        assert!(mail.contains("/residence") && !mail.contains("/residence-registrations"), "{mail}");
        assert_eq!(open(&ward, &link).code(), "link_refused", "the one before is void");
        // One who was invited and has not come yet has an account too.
        assert_eq!(ward.post("/api/v1/accounts", &json!({"email": "late@people.example", "language": "en", "role": "evaluator"})).status, 201);
        assert_eq!(said(&asked(&ward, &code, BORN, "late@people.example")), said(&new));
        eventually("a mail", || mails_to(&ward, "late@people.example").into_iter().find(|mail| mail.contains("account already")));
        nothing_done(&ward, &gui, &id, accounts + 1);
        assert_eq!(kept(&ward).2, 0);
        // The letter is still good, for the account that there is.
        let done = ward.ask("POST", "/api/v1/residence-claims").in_session(known.access()).json(&json!({"code": code, "birth_date": BORN})).send();
        assert_eq!(done.status, 200, "{}", done.text);
    }

    fn a_wrong_code_and_a_wrong_date_are_answered_as_those_of_a_claim_and_nothing_is_mailed(ward) {
        let (gui, id, void) = invited(&ward);
        let good = letter(&ward, &gui, &id);
        let somebody = cast::person(&ward, &[]);
        let mails = mailed(&ward);
        let unlike = |reply: &Reply| {
            let (status, mut json) = said(reply);
            json.as_object_mut().unwrap().remove("instance");
            (status, json)
        };
        let claimed = unlike(&claim(&ward, &somebody, "0000-0000-0000-0000", BORN));
        assert_eq!(claimed.1["code"], "residence_code_not_good");
        let ask = |code: &str, born: &str| unlike(&ward.ask("POST", ASK).json(&json!({"code": code, "birth_date": born, "email": MEI, "language": "zh-CN"})).send());
        for (code, born) in [("0000-0000-0000-0000", BORN), (void.as_str(), BORN), (good.as_str(), "1984-07-20"), ("AAAAAAAAAAAAAAAAAAAAAA", BORN)] {
            assert_eq!(ask(code, born), claimed, "{code} {born}");
        }
        let mistyped = asked(&ward, "0000-0000-0000-0001", "someday", "nowhere");
        let places: Vec<String> = mistyped.faults().into_iter().map(|(at, _)| at).collect();
        assert_eq!((mistyped.status, places), (422, ["/code", "/birth_date", "/email"].map(str::to_owned).to_vec()));
        ward.context().clock.advance(ward.context().clock.now() + Duration::days(61));
        assert_eq!(ask(&good, BORN), claimed, "too late");
        assert_eq!((mailed(&ward), kept(&ward).2), (mails, 0));
    }

    fn nobody_guesses_at_a_letter_for_long_and_no_other_letter_is_held_up(ward) {
        let (gui, _, code) = invited(&ward);
        let other = letter(&ward, &gui, &gui.enter(&ward, "3-2-502", "李兰", BORN));
        let mails = mailed(&ward);
        for day in 0..10 {
            assert_eq!(asked(&ward, &code, &format!("1990-01-1{day}"), MEI).code(), "residence_code_not_good");
        }
        let refused = asked(&ward, &code, BORN, MEI);
        assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_requests"));
        assert!(refused.header("retry-after").is_some());
        assert_eq!(mailed(&ward), mails);
        assert_eq!(asked(&ward, &other, BORN, "lan@mail.example").status, 202);
        move_clock(&ward, Duration::hours(1));
        assert_eq!(asked(&ward, &code, BORN, MEI).status, 202, "it hears again, and so often as it was right it was not counted");
    }

    fn so_much_mail_for_a_letter_and_so_much_to_an_address(ward) {
        let (gui, _, code) = invited(&ward);
        let mails = mailed(&ward);
        for n in 0..5 {
            assert_eq!(asked(&ward, &code, BORN, &format!("n{n}@mail.example")).status, 202);
        }
        assert_eq!(asked(&ward, &code, BORN, "n5@mail.example").status, 429, "by the letter");
        assert_eq!(mailed(&ward), mails + 5);
        let letters: Vec<String> = (0..4).map(|n| letter(&ward, &gui, &gui.enter(&ward, "1", &format!("居民{n}"), BORN))).collect();
        for code in &letters[..3] {
            assert_eq!(asked(&ward, code, BORN, MEI).status, 202);
        }
        assert_eq!(asked(&ward, &letters[3], BORN, MEI).status, 429, "by the address");
        assert_eq!(mailed(&ward), mails + 8);
        assert_eq!(asked(&ward, &letters[3], BORN, "own@mail.example").status, 202);
    }

    fn a_link_goes_with_its_letter_and_nothing_is_half_done(ward) {
        let [gui, _] = Community::two(&ward);
        let begin = |name: &str| {
            let id = gui.enter(&ward, name, name, BORN);
            let code = letter(&ward, &gui, &id);
            let link = link(&ward, &code, &format!("{name}@mail.example"));
            (id, code, link)
        };
        let about = |id: &str, what: &str, body: Value| {
            let reply = gui.about(&ward, "POST", &format!("residents/{id}/{what}")).header("if-match", "*").json(&body).send();
            assert_eq!(reply.status, 200, "{}", reply.text);
        };
        let erased = begin("erased");
        let moved = begin("moved");
        let anew = begin("anew");
        let late = begin("late");
        let accounts = kept(&ward).0;
        assert_eq!(kept(&ward).2, 4);
        about(&erased.0, "erasure", json!({"reason": "on_request"}));
        about(&moved.0, "departure", json!({"reason": "moved_away"}));
        let second = letter(&ward, &gui, &anew.0);
        assert_eq!(kept(&ward).2, 1, "the addresses have gone with the letters");
        let never = open(&ward, "JbZrLp3J0o4qYc5vKcW2mX8fTq1uHn6sAeRgDkVyBwM");
        assert_eq!(never.code(), "link_refused");
        for (id, _, link) in [&erased, &moved, &anew] {
            assert_eq!(said(&open(&ward, link)).1["code"], "link_refused");
            nothing_done(&ward, &gui, id, accounts);
        }
        assert_eq!(ward.sign_in("erased@mail.example", PASSWORD).code(), "credentials_refused");
        move_clock(&ward, Duration::hours(i64::from(REGISTRATION_HOURS)));
        assert_eq!(open(&ward, &late.2).code(), "link_refused", "a day is over");
        is_page(&opened(&ward, &format!("/residence-registrations/{}", late.2)), 404);
        nothing_done(&ward, &gui, &late.0, accounts);
        assert_eq!((kept(&ward).2, swept(&ward), kept(&ward).2), (1, 1, 0), "nor is an address kept whose link is over");
        // The letters that are still good are good for another link.
        let again = link(&ward, &second, "again@mail.example");
        assert_eq!(open(&ward, &again).status, 201);
        // A link is never good for longer than its letter.
        let id = gui.enter(&ward, "short", "short", BORN);
        let page = gui.ask(&ward, "POST", "invitation-letters").json(&json!({"resident_ids": [id], "valid_until": "2026-03-03"})).send();
        let short = link(&ward, &codes(&page.text)[0], "short@mail.example");
        move_clock(&ward, Duration::hours(23));
        assert_eq!(open(&ward, &short).code(), "link_refused", "the letter has expired");
        nothing_of(&ward, &gui, &id);
    }

    fn whoever_claims_meanwhile_has_the_place(ward) {
        let (_, _, code) = invited(&ward);
        let link = link(&ward, &code, MEI);
        assert_eq!(claim(&ward, &cast::person(&ward, &[]), &code, BORN).status, 200);
        assert_eq!(open(&ward, &link).code(), "link_refused");
        assert_eq!(ward.sign_in(MEI, PASSWORD).code(), "credentials_refused");
        assert_eq!(ward.events("residence.claimed").len(), 1);
    }

    fn an_address_that_is_taken_meanwhile_stays_whose_it_is(ward) {
        let (gui, id, code) = invited(&ward);
        let link = link(&ward, &code, MEI);
        assert_eq!(ward.post("/api/v1/accounts", &json!({"email": MEI, "language": "en", "role": "evaluator"})).status, 201);
        let accounts = kept(&ward).0;
        let taken = open(&ward, &link);
        assert_eq!((taken.status, taken.code().as_str()), (409, "account_email_taken"));
        nothing_done(&ward, &gui, &id, accounts);
        assert_eq!(gui.read(&ward, &id)["letter_expires_at"], "2026-05-01T16:00:00.000000Z", "the letter is still good");
    }

    fn a_stranger_who_gets_the_link_opens_nothing_with_it(ward) {
        let (gui, id, code) = invited(&ward);
        let stranger = link(&ward, &code, "typo@mail.example");
        let accounts = kept(&ward).0;
        for n in 0..5 {
            let refused = open_as(&ward, &stranger, "某人", &format!("1984-07-2{n}"));
            assert_eq!((refused.status, refused.code().as_str(), refused.faults()[0].0.as_str()), (409, "residence_birth_date_wrong", "/birth_date"));
        }
        assert_eq!(open(&ward, &stranger).code(), "link_refused", "five tries were heard");
        nothing_done(&ward, &gui, &id, accounts);
        let first = link(&ward, &code, MEI);
        let second = link(&ward, &code, "right@mail.example");
        assert_eq!(open(&ward, &first).code(), "link_refused", "only the newest is good");
        let body = json!({"birth_date": "someday", "display_name": "\u{202e}", "language": "en", "password": "short"});
        let places: Vec<String> = ward.ask("POST", &format!("{ASK}/{second}")).json(&body).send().faults().into_iter().map(|(at, _)| at).collect();
        assert_eq!(places, ["/birth_date", "/display_name", "/password"]);
        // A link of one purpose is good for no other.
        assert_eq!(ward.ask("POST", &format!("/api/v1/invitations/{second}")).json(&json!({"display_name": "某人", "language": "en", "email": "x@mail.example"})).send().code(), "link_refused");
        assert_eq!(ward.ask("POST", &format!("/api/v1/password-resets/{second}")).json(&json!({"password": PASSWORD})).send().code(), "link_refused");
        assert_eq!(open(&ward, &second).status, 201);
    }

    fn two_who_follow_one_link_at_once_open_one_account(ward) {
        let (_, _, code) = invited(&ward);
        let link = link(&ward, &code, MEI);
        let accounts = kept(&ward).0;
        let statuses = std::thread::scope(|threads| {
            let (ward, link) = (&ward, &link);
            let both = [0, 1].map(|n| threads.spawn(move || open_as(ward, link, &format!("某人{n}"), BORN)));
            let mut statuses = both.map(|one| one.join().unwrap().status);
            statuses.sort_unstable();
            statuses
        });
        assert_eq!(statuses, [201, 404]);
        assert_eq!(kept(&ward).0, accounts + 1);
        assert_eq!([ward.events("account.activated").len(), ward.events("residence.claimed").len()], [1, 1]);
    }

    fn a_letter_opens_an_account_on_pages_that_need_no_script(ward) {
        let (gui, id, code) = invited(&ward);
        let start = opened(&ward, "/residence");
        assert!(start.text.contains("href=\"/residence-registrations?lang=en\">I have no account yet"));
        assert!(opened(&ward, "/residence?lang=zh-CN").text.contains("我还没有账号"));
        let page = opened(&ward, "/residence-registrations");
        is_page(&page, 200);
        assert!(page.header("content-security-policy").unwrap().contains("script-src 'sha256-"));
        let nothing = sent(&ward, "/residence-registrations", &[("step", "send")]);
        is_page(&nothing, 422);
        assert_eq!(faulty(&nothing), ["code", "birth_date", "email"]);
        let fields = |code: &str, born: &str, email: &str| sent(&ward, "/residence-registrations", &[("step", "send"), ("code", code), ("birth_date", born), ("email", email)]);
        let wrong = fields(&code, "1984-07-20", MEI);
        is_page(&wrong, 409);
        assert!(wrong.text.contains(&format!("value=\"{MEI}\"")));
        let known = ward.person("known", &[]);
        let taken = fields(&code, BORN, &known.email);
        let done = fields(&code, BORN, MEI);
        is_page(&done, 200);
        assert_eq!(done.text, taken.text);
        let link = format!("/residence-registrations/{}", from_mail(&ward, MEI, "/residence-registrations/", 43));
        is_page(&opened(&ward, &link), 200);
        assert!(opened(&ward, &format!("{link}?lang=zh-CN")).text.contains("不必是名册上的姓名"));

        let open = |born: &str, name: &str, again: &str| {
            let fields = [("step", "open"), ("birth_date", born), ("display_name", name), ("language", "en"), ("password", PASSWORD), ("password_again", again)];
            sent(&ward, &link, &fields)
        };
        let faults = open("x", "", "other");
        is_page(&faults, 422);
        assert_eq!(faulty(&faults), ["birth_date", "display_name", "password_again"]);
        let wrong = open("1984-07-20", "小梅", PASSWORD);
        is_page(&wrong, 409);
        assert_eq!(faulty(&wrong), ["birth_date"]);
        assert!(wrong.text.contains("value=\"小梅\"") && !wrong.text.contains(PASSWORD));
        let done = open(BORN, "小梅", PASSWORD);
        is_page(&done, 200);
        assert!(done.text.contains(MEI) && done.text.contains("What to do next") && !done.text.contains("<form"));
        assert_eq!(gui.read(&ward, &id)["has_account"], json!(true));
        assert_eq!(ward.sign_in(MEI, PASSWORD).status, 201);
        let again = open(BORN, "小梅", PASSWORD);
        is_page(&again, 404);
        assert_eq!(again.text, opened(&ward, "/residence-registrations/nonsense").text, "used, as if it had never been");
        assert!(again.text.contains("href=\"/residence-registrations?lang=en\""));
        // Every way is of this service alone.
        let elsewhere = ward.ask("POST", "/residence-registrations").header("sec-fetch-site", "cross-site").body("application/x-www-form-urlencoded", "code=x").send();
        is_page(&elsewhere, 403);
        assert_eq!(ward.ask("PUT", &link).send().header("allow"), Some("GET, HEAD, POST"));
        assert_eq!([ward.events("account.activated").len(), ward.events("residence.claimed").len()], [2, 1]);
    }
}

/// As [`nothing_done`], where others have come meanwhile.
fn nothing_of(ward: &Ward, gui: &Community, id: &str) {
    assert_eq!(gui.read(ward, id)["has_account"], json!(false));
    let claimed = ward.events("residence.claimed");
    assert!(claimed.iter().all(|event| event["entry"]["subject"] != id));
}
