//! How people come, change, are held up and leave: invitations, the first administrator, mailed codes, forgotten passwords and
//! second factors.

use chrono::Duration;
use serde_json::{Value, json};
use wardbook::app::first_admin;
use wardbook::people::rules_links::INVITATION_LIFETIME;
use wardbook::people::rules_totp::{self, SECRET_LENGTH, STEP_SECONDS};
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::faults::eventually;
use crate::harness::{Person, Reply, Ward};
use crate::on_both;
use crate::outbox::files;

const PASSWORD: &str = "violet tram under paper rain";

fn post(ward: &Ward, path: &str, body: &Value) -> Reply {
    ward.ask("POST", path).json(body).send()
}

/// A text of a JSON object.
pub fn text(json: &Value, member: &str) -> String {
    json[member].as_str().unwrap().to_owned()
}

/// Moves the ward's clock.
pub fn move_clock(ward: &Ward, by: Duration) {
    let to = ward.context().clock.now() + by;
    assert!(ward.context().clock.advance(to));
}

/// Mails to an address, decoded as far as links and codes need.
pub fn mails_to(ward: &Ward, address: &str) -> Vec<String> {
    let all = files(ward)
        .into_values()
        .map(|mail| mail.replace("=\r\n", "").replace("=\n", "").replace("=3D", "="));
    all.filter(|mail| mail.contains(address)).collect()
}

/// What follows `before` in the newest mail to an address, once it is there.
pub fn from_mail(ward: &Ward, address: &str, before: &str, length: usize) -> String {
    eventually("a mail", || {
        let mails = mails_to(ward, address);
        mails.iter().rev().find_map(|mail| {
            let at = mail.find(before)? + before.len();
            mail.get(at..at + length).map(str::to_owned)
        })
    })
}

/// The code of a mail: between two tags, because six digits may stand in the mail's id or its boundaries by chance.
pub fn code_in(mail: &str) -> Option<String> {
    let is_code = |text: &&str| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    let between = mail.split('>').filter_map(|rest| rest.split_once('<'));
    between.map(|(text, _)| text).find(is_code).map(str::to_owned)
}

fn accept(ward: &Ward, link: &str, body: &Value) -> Reply {
    post(ward, &format!("/api/v1/invitations/{link}"), body)
}

fn acceptance() -> Value {
    json!({"display_name": "陈静", "language": "zh-CN", "password": PASSWORD})
}

/// The secret of a person's authenticator app, and their recovery codes.
pub fn enrol(ward: &Ward, person: &Person) -> (Vec<u8>, Vec<String>) {
    let proposed = ward
        .ask("POST", "/api/v1/me/second-factor")
        .in_session(person.access())
        .send();
    assert_eq!(proposed.status, 201, "{}", proposed.text);
    let secret = unbase32(&text(&proposed.json(), "secret"));
    assert_eq!(secret.len(), SECRET_LENGTH);
    assert!(
        text(&proposed.json(), "qr_svg").contains("<svg")
            && text(&proposed.json(), "otpauth_uri").starts_with("otpauth://totp/ward.test:")
    );
    let confirm = |code: &str| {
        ward.ask("POST", "/api/v1/me/second-factor/confirmation")
            .in_session(person.access())
            .json(&json!({"code": code}))
            .send()
    };
    assert_eq!(confirm("000000").code(), "second_factor_refused");
    let confirmed = confirm(&code_now(ward, &secret));
    assert_eq!(confirmed.status, 200, "{}", confirmed.text);
    let codes = confirmed.json()["recovery_codes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code.as_str().unwrap().to_owned())
        .collect();
    (secret, codes)
}

/// The code that the app shows now.
pub fn code_now(ward: &Ward, secret: &[u8]) -> String {
    rules_totp::code(secret, rules_totp::step_of(ward.context().clock.now())).unwrap()
}

fn unbase32(text: &str) -> Vec<u8> {
    let bits: String = text
        .bytes()
        .map(|c| {
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
                .iter()
                .position(|known| *known == c)
                .unwrap()
        })
        .map(|value| format!("{value:05b}"))
        .collect();
    bits.as_bytes()
        .chunks_exact(8)
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect()
}

/// Signs in with a password and a second factor.
pub fn sign_in_with(ward: &Ward, person: &Person, second_factor: &str) -> Reply {
    post(
        ward,
        "/api/v1/sessions",
        &json!({"email": person.email, "password": person.password, "second_factor": second_factor}),
    )
}

on_both! {
    fn somebody_is_invited_comes_once_and_signs_in(ward) {
        let body = json!({"email": "Chen.Jing@people.example", "language": "en", "role": "evaluator"});
        let invited = ward.post("/api/v1/accounts", &body);
        assert_eq!(invited.status, 201, "{}", invited.text);
        let id = text(&invited.json(), "id");
        assert_eq!((&invited.json()["state"], &invited.json()["email"]), (&json!("invited"), &json!("chen.jing@people.example")));
        assert_eq!(ward.post("/api/v1/accounts", &body).code(), "account_email_taken");
        let first = from_mail(&ward, "chen.jing@people.example", "/invitations/", 43);
        // Another one makes the first void.
        let again = ward.post(&format!("/api/v1/accounts/{id}/invitation"), &json!({}));
        assert_eq!(again.status, 200, "{}", again.text);
        let link = eventually("another link", || {
            let other = from_mail(&ward, "chen.jing@people.example", "/invitations/", 43);
            let links: Vec<String> = mails_to(&ward, "chen.jing@people.example").iter().filter_map(|mail| mail.find("/invitations/").map(|at| mail[at + 13..at + 56].to_owned())).collect();
            links.into_iter().chain([other]).find(|link| *link != first)
        });
        assert_eq!(accept(&ward, &first, &acceptance()).code(), "link_refused");
        let faults = accept(&ward, &link, &json!({"display_name": "=1", "language": "zh-CN", "password": "Password1234!"})).faults();
        assert_eq!(faults.iter().map(|(at, _)| at.as_str()).collect::<Vec<_>>(), ["/display_name", "/password"]);
        assert_eq!(ward.sign_in("chen.jing@people.example", PASSWORD).code(), "credentials_refused");
        let accepted = accept(&ward, &link, &acceptance());
        assert_eq!((accepted.status, &accepted.json()["state"]), (201, &json!("active")), "{}", accepted.text);
        assert_eq!(accept(&ward, &link, &acceptance()).code(), "link_refused");
        let session = ward.sign_in("chen.jing@people.example", PASSWORD).json();
        let me = ward.ask("GET", "/api/v1/me").in_session(&text(&session, "access_token")).send().json();
        assert_eq!((&me["account"]["display_name"], &me["roles"][0]["role"], &me["roles"][0]["withheld"]), (&json!("陈静"), &json!("evaluator"), &json!(true)));
        assert_eq!((ward.events("account.invited").len(), ward.events("account.activated").len()), (1, 1));
    }

    fn an_invitation_expires_and_nothing_else_opens_an_account(ward) {
        let body = json!({"email": "late@people.example", "language": "en", "role": "evaluator"});
        assert_eq!(ward.post("/api/v1/accounts", &body).status, 201);
        let link = from_mail(&ward, "late@people.example", "/invitations/", 43);
        move_clock(&ward, INVITATION_LIFETIME);
        assert_eq!(accept(&ward, &link, &acceptance()).code(), "link_refused");
        assert_eq!(accept(&ward, "nonsense", &acceptance()).code(), "link_refused");
        // The platform's administrator gives no organisation's roles, by inviting no more than otherwise.
        let body = json!({"email": "x@people.example", "language": "en", "role": "auditor"});
        assert_eq!(ward.post("/api/v1/accounts", &body).code(), "role_misplaced");
        let listed = ward.ask("GET", "/api/v1/accounts").by(Role::Admin).send();
        assert_eq!((listed.json()["items"].as_array().unwrap().len(), listed.text.contains("people.example")), (1, false));
    }

    fn the_first_administrator_comes_by_a_link_that_is_made_anew_and_good_once(ward) {
        let house = || ward.server().house.as_ref().unwrap();
        let secret = |link: &str| link.strip_prefix("http://ward.test/invitations/").unwrap().to_owned();
        let old = secret(&first_admin::offer(house()).unwrap().unwrap());
        let new = secret(&first_admin::offer(house()).unwrap().unwrap());
        let mut body = acceptance();
        assert_eq!(accept(&ward, &new, &body).faults(), [("/email".to_owned(), "invalid".to_owned())]);
        body["email"] = json!("first@people.example");
        assert_eq!(accept(&ward, &old, &body).code(), "link_refused");
        assert_eq!(accept(&ward, &new, &body).status, 201);
        assert_eq!(accept(&ward, &new, &body).code(), "link_refused");
        assert_eq!(first_admin::offer(house()).unwrap(), None);
        let session = ward.sign_in("first@people.example", PASSWORD).json();
        let person = Person { id: text(&session, "account_id"), email: "first@people.example".into(), password: PASSWORD.into(), tokens: session };
        let add = || ward.ask("POST", "/api/v1/areas").in_session(person.access()).json(&json!({"name_zh": "市", "name_en": "x"})).send();
        assert_eq!(add().code(), "second_factor_required");
        enrol(&ward, &person);
        assert_eq!(add().status, 201, "the session in which it was confirmed is a strong one");
        // Without them there would be none.
        let path = |what: &str| format!("/api/v1/accounts/{}/{what}", person.id);
        for what in ["suspension", "departure"] {
            assert_eq!(ward.post(&path(what), &json!({})).code(), "last_admin");
        }
    }

    fn a_second_factor_is_asked_for_and_each_code_is_good_once(ward) {
        let person = ward.person("strong", &[Grant::of(Role::Admin)]);
        let (secret, recovery) = enrol(&ward, &person);
        assert_eq!(recovery.len(), 10);
        assert_eq!(ward.sign_in(&person.email, &person.password).code(), "second_factor_needed");
        assert_eq!(sign_in_with(&ward, &person, "123456").code(), "second_factor_refused");
        assert_eq!(sign_in_with(&ward, &person, &code_now(&ward, &secret)).code(), "second_factor_refused", "it was used to confirm");
        move_clock(&ward, Duration::seconds(STEP_SECONDS));
        let code = code_now(&ward, &secret);
        let signed_in = sign_in_with(&ward, &person, &code);
        assert_eq!((signed_in.status, &signed_in.json()["second_factor"]), (201, &json!(true)), "{}", signed_in.text);
        assert_eq!(sign_in_with(&ward, &person, &code).code(), "second_factor_refused");
        assert_eq!(sign_in_with(&ward, &person, &recovery[3].to_uppercase()).status, 201);
        assert_eq!(sign_in_with(&ward, &person, &recovery[3]).code(), "second_factor_refused");
        let me = |token: &str| ward.ask("GET", "/api/v1/me").in_session(token).send().json();
        let strong = text(&signed_in.json(), "access_token");
        assert_eq!((&me(&strong)["has_second_factor"], &me(&strong)["recovery_codes_left"], &me(&strong)["roles"][0]["withheld"]), (&json!(true), &json!(9), &json!(false)));
        let again = ward.ask("POST", "/api/v1/me/second-factor").in_session(&strong).send();
        assert_eq!(again.code(), "second_factor_enabled");
        let remove = |code: &str| ward.ask("DELETE", "/api/v1/me/second-factor").in_session(&strong).json(&json!({"code": code})).send();
        assert_eq!(remove("000000").code(), "second_factor_refused");
        assert_eq!(remove(&recovery[0]).status, 200);
        assert_eq!(me(&strong)["roles"][0]["withheld"], json!(true), "every session is a weak one at once");
        assert_eq!(ward.sign_in(&person.email, &person.password).status, 201);
        assert_eq!((ward.events("second_factor.added").len(), ward.events("second_factor.removed").len(), ward.events("recovery_code.used").len()), (1, 1, 2));
        // An operator's token is of no session.
        assert_eq!(ward.ask("POST", "/api/v1/me/second-factor").by(Role::Admin).send().code(), "session_needed");
    }

    fn a_code_by_mail_lets_in_once_and_after_five_wrong_tries_not_at_all(ward) {
        let person = ward.person("mailed", &[]);
        let ask = |email: &str| post(&ward, "/api/v1/sign-in-codes", &json!({"email": email}));
        let show = |challenge: &str, code: &str| post(&ward, "/api/v1/sessions", &json!({"challenge_id": challenge, "code": code}));
        let asked = ask(&person.email);
        assert_eq!(asked.status, 202, "{}", asked.text);
        let challenge = text(&asked.json(), "challenge_id");
        let code = eventually("a code", || {
            let mail = mails_to(&ward, &person.email).pop()?;
            code_in(&mail)
        });
        let wrong = if code == "111111" { "222222" } else { "111111" };
        assert_eq!(show(&challenge, wrong).code(), "credentials_refused");
        let signed_in = show(&challenge, &code);
        assert_eq!(signed_in.status, 201, "{}", signed_in.text);
        assert_eq!(show(&challenge, &code).code(), "credentials_refused", "used");
        let unknown = ask("nobody@people.example");
        assert_eq!((unknown.status, unknown.json()["minutes"].clone()), (202, asked.json()["minutes"].clone()));
        assert_eq!(unknown.json().as_object().unwrap().len(), asked.json().as_object().unwrap().len());
        assert_eq!(show(&text(&unknown.json(), "challenge_id"), "123456").code(), "credentials_refused");
        // Another one, whose tries are used up.
        move_clock(&ward, Duration::minutes(16));
        let second = text(&ask(&person.email).json(), "challenge_id");
        let newest = eventually("another code", || {
            let codes: Vec<String> = mails_to(&ward, &person.email).iter().filter_map(|mail| code_in(mail)).collect();
            (codes.len() == 2).then(|| codes.into_iter().find(|known| *known != code).unwrap_or_else(|| code.clone()))
        });
        let wrong = if newest == "111111" { "222222" } else { "111111" };
        for _ in 0..5 {
            assert_eq!(show(&second, wrong).code(), "credentials_refused");
        }
        assert_eq!(show(&second, &newest).code(), "credentials_refused", "after five tries it is good for nothing");
        assert_eq!(post(&ward, "/api/v1/sessions", &json!({"email": person.email, "code": "123456"})).code(), "invalid");
    }

    fn nobody_is_flooded_with_mail(ward) {
        let person = ward.person("flood", &[]);
        let statuses: Vec<u16> = (0..5).map(|_| post(&ward, "/api/v1/password-resets", &json!({"email": person.email})).status).collect();
        assert_eq!(statuses, [202, 202, 202, 429, 429]);
        let unknown: Vec<u16> = (0..5).map(|_| post(&ward, "/api/v1/password-resets", &json!({"email": "nobody@people.example"})).status).collect();
        assert_eq!(unknown, statuses, "and the limit is the same where there is no account");
    }

    fn a_forgotten_password_is_reset_by_mail_and_every_session_ends(ward) {
        let person = ward.person("forgot", &[]);
        let asked = post(&ward, "/api/v1/password-resets", &json!({"email": person.email}));
        let unknown = post(&ward, "/api/v1/password-resets", &json!({"email": "nobody@people.example"}));
        assert_eq!((asked.status, &asked.text), (202, &unknown.text));
        let link = from_mail(&ward, &person.email, "/password-resets/", 43);
        let reset = |link: &str, password: &str| post(&ward, &format!("/api/v1/password-resets/{link}"), &json!({"password": password}));
        assert_eq!(reset(&link, "qwertyuiop[]").faults()[0].0, "/password");
        assert_eq!(accept(&ward, &link, &acceptance()).code(), "link_refused", "it is no invitation");
        let done = reset(&link, PASSWORD);
        assert_eq!(done.status, 200, "{}", done.text);
        assert_eq!(reset(&link, PASSWORD).code(), "link_refused");
        assert_eq!(ward.ask("GET", "/api/v1/sessions").in_session(person.access()).send().code(), "invalid_token");
        assert_eq!(ward.sign_in(&person.email, &person.password).code(), "credentials_refused");
        assert_eq!(ward.sign_in(&person.email, PASSWORD).status, 201);
        assert_eq!(ward.events("password.changed").len(), 1);
    }

    fn who_is_suspended_or_leaves_loses_everything_at_once(ward) {
        let person = ward.person("leaver", &[Grant::of(Role::Resident)]);
        let path = |what: &str| format!("/api/v1/accounts/{}/{what}", person.id);
        let good = |token: &str| ward.ask("GET", "/api/v1/me").in_session(token).send().status == 200;
        assert!(good(person.access()));
        assert_eq!(ward.post(&path("suspension"), &json!({})).status, 200);
        assert!(!good(person.access()));
        assert_eq!(ward.sign_in(&person.email, &person.password).code(), "credentials_refused");
        assert_eq!(ward.post(&path("reinstatement"), &json!({})).json()["state"], "active");
        let again = ward.sign_in(&person.email, &person.password).json();
        let token = text(&again, "access_token");
        assert!(good(&token));
        assert_eq!(ward.post(&path("departure"), &json!({})).json()["state"], "left");
        assert!(!good(&token));
        assert_eq!(ward.sign_in(&person.email, &person.password).code(), "credentials_refused");
        assert_eq!(post(&ward, "/api/v1/sessions/refresh", &json!({"refresh_token": again["refresh_token"]})).code(), "refresh_token_refused");
        for what in ["suspension", "reinstatement", "departure"] {
            assert_eq!(ward.post(&path(what), &json!({})).code(), "account_wrong_state");
        }
        assert_eq!((ward.events("role.taken").len(), ward.events("account.left").len()), (1, 1));
        assert_eq!(ward.ask("GET", &format!("/api/v1/accounts/{}", person.id)).by(Role::Admin).send().json()["state"], "left", "their history stays");
    }

    fn one_changes_ones_own_account_and_nobody_elses(ward) {
        let (person, stranger) = (ward.person("own", &[]), ward.person("other", &[]));
        let path = format!("/api/v1/accounts/{}", person.id);
        let change = |token: &str, tag: &str, body: Value| ward.ask("PATCH", &path).in_session(token).header("if-match", tag).json(&body).send();
        assert_eq!(ward.ask("GET", &path).in_session(person.access()).send().header("etag"), Some("\"v2\""));
        assert_eq!(ward.ask("GET", &path).in_session(stranger.access()).send().code(), "forbidden");
        assert_eq!(change(stranger.access(), "*", json!({"display_name": "x"})).code(), "forbidden");
        let changed = change(person.access(), "\"v2\"", json!({"display_name": "李薇", "language": "en"}));
        assert_eq!((changed.status, changed.header("etag"), &changed.json()["language"]), (200, Some("\"v3\""), &json!("en")));
        assert_eq!(change(person.access(), "\"v2\"", json!({"display_name": "y"})).code(), "version_stale");
        ward.settle();
        let public = ward.ask("GET", "/api/v1/audit/events?limit=200").send().text;
        assert!(public.contains("account.changed") && !public.contains("李薇") && !public.contains("people.example"));
    }

    fn a_refresh_token_shown_twice_is_told_to_its_owner(ward) {
        let person = ward.person("warned", &[]);
        for _ in 0..3 {
            post(&ward, "/api/v1/sessions/refresh", &json!({"refresh_token": person.refresh()}));
        }
        eventually("a warning", || (mails_to(&ward, &person.email).len() == 1).then_some(()));
    }
}
