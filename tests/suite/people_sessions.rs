//! Signing in and staying so, as people, and those who would like to be them, meet it.

use chrono::Duration;
use serde_json::{Value, json};
use wardbook::people::rules_sessions::{REFRESH_LIFETIME, SESSIONS_MAX};
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::harness::{Reply, Ward};
use crate::on_both;

/// What a problem says, without the id of its request.
fn said(reply: &Reply) -> (u16, Value, Vec<(String, String)>) {
    let mut body = reply.json();
    body.as_object_mut().unwrap().remove("request_id");
    let own = ["x-request-id", "date"];
    let headers = reply
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(&name.as_str()));
    let mut headers: Vec<_> = headers.cloned().collect();
    headers.sort();
    (reply.status, body, headers)
}

fn refresh(ward: &Ward, token: &str) -> Reply {
    let body = json!({ "refresh_token": token });
    ward.ask("POST", "/api/v1/sessions/refresh").json(&body).send()
}

fn text(json: &Value, member: &str) -> String {
    json[member].as_str().unwrap().to_owned()
}

/// Whether an access token is still good.
fn is_good(ward: &Ward, token: &str) -> bool {
    let reply = ward.ask("GET", "/api/v1/sessions").in_session(token).send();
    match reply.status {
        200 => true,
        _ => {
            assert_eq!(reply.code(), "invalid_token");
            false
        }
    }
}

fn move_clock(ward: &Ward, by: Duration) {
    let to = ward.context().clock.now() + by;
    assert!(ward.context().clock.advance(to));
}

on_both! {
    fn somebody_signs_in_acts_in_their_roles_and_signs_out(ward) {
        let officer = ward.person("mei", &[Grant::of(Role::Resident)]);
        assert!(is_good(&ward, officer.access()));
        let listed = ward.ask("GET", "/api/v1/sessions").in_session(officer.access()).send().json();
        let session = &listed["items"][0];
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        assert_eq!((&session["current"], &session["means"], &session["second_factor"], &session["device_name"]), (&json!(true), &json!("password"), &json!(false), &json!(null)));
        // A resident adds no areas.
        let body = json!({"name_zh": "市", "name_en": "x"});
        let add = |token: &str| ward.ask("POST", "/api/v1/areas").in_session(token).json(&body).send();
        assert_eq!(add(officer.access()).code(), "forbidden");
        let gone = ward.ask("DELETE", "/api/v1/sessions/current").in_session(officer.access()).send();
        assert_eq!((gone.status, gone.json()), (200, json!({"ended": 1})));
        assert!(!is_good(&ward, officer.access()));
        assert_eq!(refresh(&ward, officer.refresh()).code(), "refresh_token_refused");
        assert_eq!(ward.events("session.begun").len(), 1);
        assert_eq!(ward.events("session.ended")[0]["entry"]["data"], json!({"because": "signed_out"}));
    }

    fn a_role_that_needs_a_second_factor_is_withheld_without_one(ward) {
        let admin = ward.person("an", &[Grant::of(Role::Admin), Grant::of(Role::Resident)]);
        let body = json!({"name_zh": "市", "name_en": "x"});
        let reply = ward.ask("POST", "/api/v1/areas").in_session(admin.access()).json(&body).send();
        assert_eq!((reply.status, reply.code().as_str()), (403, "second_factor_required"));
        let mut ward = ward;
        ward.restart(|settings| settings.second_factor_roles = vec![Role::Auditor]);
        let again = ward.sign_in(&admin.email, &admin.password).json();
        let reply = ward.ask("POST", "/api/v1/areas").in_session(&text(&again, "access_token")).json(&body).send();
        assert_eq!(reply.status, 201, "{}", reply.text);
    }

    fn a_refusal_tells_nobody_whether_there_is_such_an_account(ward) {
        let known = ward.person("known", &[]);
        let hasher = &ward.server().house.as_ref().unwrap().gate.hasher;
        let before = hasher.computed();
        let mut all = Vec::new();
        for (email, password) in [
            (known.email.as_str(), "not the password at all"),
            ("nobody@people.example", "not the password at all"),
            ("nobody@people.example", known.password.as_str()),
            ("not an address", "not the password at all"),
        ] {
            all.push(said(&ward.sign_in(email, password)));
        }
        assert_eq!(all[0].1["code"], "credentials_refused");
        for other in &all {
            assert_eq!(other, &all[0]);
        }
        // The same expense each time.
        assert_eq!(hasher.computed() - before, 4);
        // Neither a password nor an address is in an event that anybody may read, and a refusal is none.
        assert_eq!(ward.events("session.begun").len(), 1);
        ward.settle();
        let log = ward.ask("GET", "/api/v1/audit/events?limit=200").send().text;
        assert!(log.contains("session.begun") && !log.contains("people.example") && !log.contains("known"));
    }

    fn the_address_may_be_written_in_either_case(ward) {
        let person = ward.person("case", &[]);
        assert_eq!(ward.sign_in(" Case@People.EXAMPLE ", &person.password).status, 201);
    }

    fn a_refresh_token_is_good_once_and_an_old_one_ends_the_session(ward) {
        let person = ward.person("reuse", &[]);
        let other = ward.sign_in(&person.email, &person.password).json();
        move_clock(&ward, Duration::minutes(11));
        assert!(!is_good(&ward, person.access()), "an access token lives ten minutes");
        let next = refresh(&ward, person.refresh());
        assert_eq!(next.status, 200, "{}", next.text);
        let next = next.json();
        assert_eq!((&next["session_id"], next["account_id"].as_str()), (&person.tokens["session_id"], Some(person.id.as_str())));
        assert!(next.get("device_token").is_none());
        assert!(is_good(&ward, &text(&next, "access_token")));
        // Somebody shows the first one again.
        assert_eq!(refresh(&ward, person.refresh()).code(), "refresh_token_refused");
        assert!(!is_good(&ward, &text(&next, "access_token")));
        assert_eq!(refresh(&ward, &text(&next, "refresh_token")).code(), "refresh_token_refused");
        assert_eq!(ward.events("session.reuse_detected").len(), 1);
        assert_eq!(ward.events("session.ended")[0]["entry"]["data"], json!({"because": "reuse_detected"}));
        // The session on the other device has nothing to do with it.
        assert_eq!(refresh(&ward, &text(&other, "refresh_token")).status, 200);
        for nonsense in ["x", "%", &"A".repeat(43)] {
            assert_eq!(refresh(&ward, nonsense).code(), "refresh_token_refused");
        }
        assert_eq!(ward.events("session.reuse_detected").len(), 1);
    }

    fn of_many_refreshes_at_once_one_wins(ward) {
        let person = ward.person("race", &[]);
        let statuses: Vec<u16> = std::thread::scope(|threads| {
            let asked: Vec<_> = (0..8).map(|_| threads.spawn(|| refresh(&ward, person.refresh()).status)).collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 422].contains(status)), "{statuses:?}");
        assert_eq!(ward.events("session.reuse_detected").len(), 1);
    }

    fn a_session_ends_when_nobody_uses_it_and_is_forgotten_later(ward) {
        let person = ward.person("idle", &[]);
        move_clock(&ward, REFRESH_LIFETIME - Duration::seconds(1));
        let next = refresh(&ward, person.refresh()).json();
        move_clock(&ward, REFRESH_LIFETIME - Duration::seconds(1));
        let last = refresh(&ward, &text(&next, "refresh_token")).json();
        assert!(is_good(&ward, &text(&last, "access_token")));
        move_clock(&ward, REFRESH_LIFETIME);
        assert!(!is_good(&ward, &text(&last, "access_token")));
        assert_eq!(refresh(&ward, &text(&last, "refresh_token")).code(), "refresh_token_refused");
        assert_eq!(ward.events("session.reuse_detected").len(), 0);
    }

    fn one_signs_out_of_one_device_or_of_all_and_never_of_somebody_elses(ward) {
        let person = ward.person("many", &[]);
        let stranger = ward.person("stranger", &[]);
        let phone = {
            let body = json!({"email": person.email, "password": person.password, "device_name": "手机"});
            ward.ask("POST", "/api/v1/sessions").json(&body).send().json()
        };
        let path = format!("/api/v1/sessions/{}", text(&phone, "session_id"));
        let end = |token: &str| ward.ask("DELETE", &path).in_session(token).send();
        assert_eq!(end(stranger.access()).code(), "not_found");
        let listed = ward.ask("GET", "/api/v1/sessions").in_session(person.access()).send().json();
        assert_eq!((listed["items"].as_array().unwrap().len(), &listed["items"][0]["device_name"]), (2, &json!("手机")));
        assert_eq!(end(person.access()).status, 200);
        assert_eq!(end(person.access()).code(), "not_found");
        assert!(!is_good(&ward, &text(&phone, "access_token")) && is_good(&ward, person.access()));
        ward.sign_in(&person.email, &person.password);
        let all = ward.ask("DELETE", "/api/v1/sessions").in_session(person.access()).send();
        assert_eq!(all.json(), json!({"ended": 2}));
        assert!(!is_good(&ward, person.access()) && is_good(&ward, stranger.access()));
    }

    fn guesses_from_one_network_wait_and_the_owner_elsewhere_does_not(ward) {
        let mut ward = ward;
        ward.restart(|settings| settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]);
        let owner = ward.person("owner", &[]);
        let token = text(&owner.tokens, "device_token");
        let sign_in = |from: &str, body: Value| ward.ask("POST", "/api/v1/sessions").header("x-forwarded-for", from).json(&body).send();
        let guess = |from: &str| sign_in(from, json!({"email": owner.email, "password": "guessed wrongly once more"}));
        for _ in 0..10 {
            assert_eq!(guess("192.0.2.1").code(), "credentials_refused");
        }
        let held = guess("192.0.2.1");
        assert_eq!((held.status, held.code().as_str()), (429, "too_many_requests"));
        assert!(held.header("retry-after").is_some());
        let right = json!({"email": owner.email, "password": owner.password});
        assert_eq!(sign_in("192.0.2.1", right.clone()).status, 429, "from there not even the right one is heard");
        assert_eq!(sign_in("192.0.2.2", right.clone()).status, 201);
        // A botnet uses up what is heard for this address from anywhere.
        for n in 0..30 {
            for _ in 0..10 {
                guess(&format!("198.51.100.{n}"));
            }
        }
        assert_eq!(sign_in("203.0.113.9", right.clone()).status, 429);
        let mut known = right.clone();
        known["device_token"] = json!(token);
        assert_eq!(sign_in("203.0.113.9", known.clone()).status, 201, "a known device is counted alone");
        let mut forged = right.clone();
        forged["device_token"] = json!(format!("A{}", &token[1..]));
        assert_eq!(sign_in("203.0.113.9", forged).status, 429);
        let unknown = json!({"email": "nobody@people.example", "password": "guessed wrongly once more"});
        assert_eq!(sign_in("203.0.113.9", unknown).code(), "credentials_refused");
        move_clock(&ward, Duration::minutes(61));
        assert_eq!(sign_in("203.0.113.9", right).status, 201);
    }

    fn an_account_has_only_so_many_sessions(ward) {
        let person = ward.person("hoard", &[]);
        move_clock(&ward, Duration::minutes(1));
        for _ in 0..SESSIONS_MAX {
            assert_eq!(ward.sign_in(&person.email, &person.password).status, 201);
        }
        assert!(!is_good(&ward, person.access()), "the one that was used longest ago made room");
        assert_eq!(ward.events("session.ended").len(), 1);
    }

    fn a_password_is_hashed_anew_when_the_cost_changes(ward) {
        let mut ward = ward;
        let person = ward.person("cost", &[]);
        ward.restart(|settings| settings.password_memory_kib = 128);
        let hasher = |ward: &Ward| ward.server().house.as_ref().unwrap().gate.hasher.computed();
        assert_eq!(ward.sign_in(&person.email, &person.password).status, 201);
        assert_eq!(hasher(&ward), 2, "compared, and hashed anew");
        assert_eq!(ward.sign_in(&person.email, &person.password).status, 201);
        assert_eq!(hasher(&ward), 3);
    }
}
