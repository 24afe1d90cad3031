//! Whoever signs in, in whatever way, leaves no name, address, password or secret in the service's own log, in the metrics, in a
//! refusal, or in what everybody may read of the log. Goes every way with seeded people, and looks for them everywhere.

use std::sync::PoisonError;

use chrono::Duration;
use serde_json::{Value, json};
use wardbook::web::policy::Role;

use crate::harness::{Person, Reply, Ward};
use crate::on_both;
use crate::outside::{begin, ending, finish, link, sign_in};
use crate::people_accounts::{code_now, enrol, from_mail, move_clock, sign_in_with, text};
use crate::provider::{Provider, someone};
use crate::roll_privacy::{LEAKED, SECRETS, everything_kept, watch_the_log};

/// What is personal about these people, or secret. What comes before the first password may be read by auditors.
pub const SEEDS: [&str; 10] = [
    "龗龖讟",
    "Zwyx Qvorq",
    "qvorq.jx7",
    "zwyx.k29q",
    "鎏台电脑",
    "quokka vellum zither nine",
    "zither quokka vellum ten",
    "vellum zither quokka odd",
    "sub-8qk3v-1",
    "sub-8qk3v-2",
];

/// How many of them are known to the private part of the log.
const TOLD_TO_AUDITORS: usize = 5;

const FIRST: (&str, &str) = ("龗龖讟", "qvorq.jx7@people.example");
const SECOND: (&str, &str) = ("Zwyx Qvorq", "zwyx.k29q@people.example");
const PASSWORDS: [&str; 3] = [
    "quokka vellum zither nine",
    "zither quokka vellum ten",
    "vellum zither quokka odd",
];

/// From now on this must not be in the log of operation.
fn secret(text: &str) -> String {
    let mut secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    secrets.push(text.to_owned());
    text.to_owned()
}

fn nothing_of(seeds: &[&str], text: &str, what: &str) {
    for seed in seeds {
        assert!(!text.contains(seed), "{what} tells {seed}");
    }
}

fn post(ward: &Ward, path: &str, body: &Value) -> Reply {
    ward.ask("POST", path).json(body).send()
}

/// Something that is refused, and says nothing of what was sent.
fn refused(reply: &Reply, code: &str) {
    assert_eq!(reply.code(), code, "{}", reply.text);
    nothing_of(&SEEDS, &format!("{:?} {}", reply.headers, reply.text), code);
}

fn invite(ward: &Ward, email: &str) -> String {
    let body = json!({"email": email, "language": "en", "role": "evaluator"});
    let invited = ward.post("/api/v1/accounts", &body);
    assert_eq!(invited.status, 201, "{}", invited.text);
    refused(&ward.post("/api/v1/accounts", &body), "account_email_taken");
    secret(&from_mail(ward, email, "/invitations/", 43))
}

fn sign_in_named(ward: &Ward, password: &str) -> Reply {
    let body = json!({"email": FIRST.1, "password": password, "device_name": "鎏台电脑"});
    post(ward, "/api/v1/sessions", &body)
}

/// Invitation, password, code, reset, change and second factor, each once in vain and once well.
fn by_password_and_mail(ward: &Ward) -> Person {
    let invitation = invite(ward, FIRST.1);
    let path = format!("/api/v1/invitations/{invitation}");
    let accept = |name: &str, password: &str| {
        let body = json!({"display_name": name, "language": "zh-CN", "password": password});
        post(ward, &path, &body)
    };
    refused(&accept("=龗龖讟", PASSWORDS[0]), "invalid");
    assert_eq!(accept(FIRST.0, PASSWORDS[0]).status, 201);
    refused(&accept(FIRST.0, PASSWORDS[0]), "link_refused");
    refused(&sign_in_named(ward, PASSWORDS[1]), "credentials_refused");
    let signed_in = sign_in_named(ward, PASSWORDS[0]);
    assert_eq!(signed_in.status, 201, "{}", signed_in.text);
    let refresh = json!({"refresh_token": secret(&text(&signed_in.json(), "refresh_token"))});
    assert_eq!(post(ward, "/api/v1/sessions/refresh", &refresh).status, 200);
    refused(
        &post(ward, "/api/v1/sessions/refresh", &refresh),
        "refresh_token_refused",
    );
    let challenge = post(ward, "/api/v1/sign-in-codes", &json!({"email": FIRST.1})).json();
    let kind = "SELECT kind AS line FROM outbox WHERE kind = 'sign_in.code'";
    assert_eq!(crate::outbox::lines(ward, kind).len(), 1);
    let wrong = json!({"challenge_id": challenge["challenge_id"], "code": "000000"});
    refused(&post(ward, "/api/v1/sessions", &wrong), "credentials_refused");
    post(ward, "/api/v1/password-resets", &json!({"email": FIRST.1}));
    let reset = secret(&from_mail(ward, FIRST.1, "/password-resets/", 43));
    let path = format!("/api/v1/password-resets/{reset}");
    let again = post(ward, &path, &json!({"password": PASSWORDS[1]}));
    assert_eq!(again.status, 200, "{}", again.text);
    refused(
        &post(ward, &path, &json!({"password": PASSWORDS[1]})),
        "link_refused",
    );
    let signed_in = sign_in_named(ward, PASSWORDS[1]).json();
    let change = |current: &str| {
        ward.ask("POST", "/api/v1/me/password")
            .in_session(&text(&signed_in, "access_token"))
            .json(&json!({"current_password": current, "password": PASSWORDS[2]}))
            .send()
    };
    refused(&change(PASSWORDS[0]), "credentials_refused");
    assert_eq!(change(PASSWORDS[1]).status, 200);
    Person {
        id: text(&signed_in, "account_id"),
        email: FIRST.1.to_owned(),
        password: PASSWORDS[2].to_owned(),
        tokens: signed_in,
    }
}

/// An invitation that is accepted by an identity, an identity that is linked, and what the provider does not vouch for.
fn through_the_provider(ward: &Ward, provider: &Provider, person: &Person) {
    provider.state().who = someone("sub-8qk3v-1");
    provider.state().who.email = Some(SECOND.1);
    refused(&sign_in(ward, provider), "identity_unknown");
    let invitation = invite(ward, SECOND.1);
    let (token, url) = begin(ward, &json!({"invitation": invitation}));
    let brought = provider.visit(&url);
    let mut end = ending(&secret(&token), &brought);
    secret(&brought.code);
    secret(&brought.state);
    assert_eq!(
        ward.get(&format!("/sign-in/return?{}", brought.query)).status,
        200
    );
    end["acceptance"] = json!({"display_name": SECOND.0, "language": "en"});
    let came = finish(ward, &end);
    assert_eq!(came.status, 201, "{}", came.text);
    refused(&finish(ward, &end), "outside_sign_in_refused");
    assert_eq!(sign_in(ward, provider).status, 201);
    provider.state().fault = crate::provider::Fault::WrongNonce;
    refused(&sign_in(ward, provider), "outside_sign_in_refused");
    provider.state().fault = crate::provider::Fault::Nonsense;
    refused(&sign_in(ward, provider), "provider_unavailable");
    provider.state().fault = crate::provider::Fault::None;
    refused(&link(ward, provider, person.access()), "identity_taken");
    provider.state().who = someone("sub-8qk3v-2");
    let linked = link(ward, provider, person.access());
    assert_eq!(linked.status, 201, "{}", linked.text);
    nothing_of(&SEEDS, &linked.text, "an identity");
}

on_both! {
    fn no_way_of_signing_in_tells_who_somebody_is_or_what_they_know(ward) {
        watch_the_log();
        let provider = Provider::start();
        let mut ward = ward;
        ward.restart(|settings| provider.known_to(settings));
        let person = by_password_and_mail(&ward);
        through_the_provider(&ward, &provider, &person);
        let (totp, codes) = enrol(&ward, &person);
        codes.iter().for_each(|code| drop(secret(code)));
        refused(&sign_in_with(&ward, &person, "000000"), "second_factor_refused");
        move_clock(&ward, Duration::seconds(60));
        assert_eq!(sign_in_with(&ward, &person, &code_now(&ward, &totp)).status, 201);
        assert_eq!(sign_in_with(&ward, &person, &codes[0]).status, 201);

        ward.settle();
        nothing_of(&SEEDS, &ward.get("/metrics").text, "the metrics");
        let entries = ward.get("/audit/checkpoint").text.lines().nth(1).unwrap().to_owned();
        nothing_of(&SEEDS, &ward.get(&format!("/audit/tile/entries/000.p/{entries}")).text, "the log's entries");
        for path in ["events?limit=200", "export"] {
            for role in Role::ALL.into_iter().filter(|role| *role != Role::System) {
                let told = ward.ask("GET", &format!("/api/v1/audit/{path}")).by(role).send();
                assert_eq!(told.status, 200, "{}", told.text);
                // Whom an account is of is in the private part, which auditors open and who invited them; what they know is not
                // even there.
                let opens = matches!(role, Role::Auditor | Role::Admin);
                let seeds = if opens { &SEEDS[TOLD_TO_AUDITORS..] } else { &SEEDS[..] };
                if role == Role::Auditor && path != "export" {
                    assert!(told.text.contains(FIRST.1), "or nothing was looked at");
                }
                nothing_of(seeds, &told.text, &format!("{path} to {}", role.name()));
            }
        }
        for role in [Role::Public, Role::Resident, Role::Auditor, Role::Admin] {
            nothing_of(&SEEDS[TOLD_TO_AUDITORS..], &ward.ask("GET", "/api/v1/accounts").by(role).send().text, "accounts");
        }
        // What somebody knows is kept nowhere as they know it.
        let kept = everything_kept(&ward, "kept");
        assert!(kept.contains(FIRST.1), "or nothing was looked at");
        nothing_of(&PASSWORDS, &kept, "the database");
        let secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert!(secrets.len() > 10, "{}", secrets.len());
        for secret in secrets {
            assert!(!kept.contains(&secret), "{secret} is kept");
        }
        assert_eq!(*LEAKED.lock().unwrap_or_else(PoisonError::into_inner), Vec::<String>::new());
    }
}
