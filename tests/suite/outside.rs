//! Signing in through another provider, as people, and those who would like to be them, meet it.

use chrono::Duration;
use rsa::RsaPrivateKey;
use serde_json::{Value, json};
use wardbook::people::rules_outside::ATTEMPT_LIFETIME;
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::harness::{Person, Reply, Ward};
use crate::on_both;
use crate::outbox::lines;
use crate::people_accounts::{code_now, enrol, from_mail, mails_to, move_clock, text};
use crate::provider::{Brought, Fault, Provider, someone};

fn post(ward: &Ward, path: &str, body: &Value) -> Reply {
    ward.ask("POST", path).json(body).send()
}

/// An attempt to sign in: what it is finished with, and where the browser goes.
pub fn begin(ward: &Ward, body: &Value) -> (String, String) {
    let begun = post(ward, "/api/v1/outside-sign-ins", body);
    assert_eq!(begun.status, 201, "{}", begun.text);
    (
        text(&begun.json(), "attempt_token"),
        text(&begun.json(), "authorization_url"),
    )
}

/// What finishes an attempt.
pub fn ending(token: &str, brought: &Brought) -> Value {
    let mut body = json!({ "attempt_token": token, "code": brought.code, "state": brought.state });
    if let Some(iss) = &brought.iss {
        body["iss"] = json!(iss);
    }
    body
}

/// Finishes an attempt to sign in.
pub fn finish(ward: &Ward, body: &Value) -> Reply {
    post(ward, "/api/v1/outside-sign-ins/completion", body)
}

/// The whole way, for whoever sits at the browser.
pub fn sign_in(ward: &Ward, provider: &Provider) -> Reply {
    let (token, url) = begin(ward, &json!({}));
    finish(ward, &ending(&token, &provider.visit(&url)))
}

/// The whole way of linking.
pub fn link(ward: &Ward, provider: &Provider, access: &str) -> Reply {
    let begun = ward
        .ask("POST", "/api/v1/me/identities")
        .in_session(access)
        .send();
    assert_eq!(begun.status, 201, "{}", begun.text);
    let brought = provider.visit(&text(&begun.json(), "authorization_url"));
    ward.ask("POST", "/api/v1/me/identities/completion")
        .in_session(access)
        .json(&ending(&text(&begun.json(), "attempt_token"), &brought))
        .send()
}

fn me(ward: &Ward, access: &str) -> Reply {
    ward.ask("GET", "/api/v1/me").in_session(access).send()
}

/// A ward with a provider, and somebody who has linked their identity there.
fn linked(ward: &mut Ward, name: &str, grants: &[Grant]) -> (Provider, Person) {
    let provider = Provider::start();
    ward.restart(|settings| provider.known_to(settings));
    let person = ward.person(name, grants);
    let done = link(ward, &provider, person.access());
    assert_eq!(done.status, 201, "{}", done.text);
    (provider, person)
}

fn sessions(ward: &Ward) -> usize {
    ward.events("session.begun").len()
}

on_both! {
    fn who_has_linked_an_identity_signs_in_with_it_until_it_is_unlinked(ward) {
        let mut ward = ward;
        let (provider, person) = linked(&mut ward, "mei", &[]);
        assert_eq!(ward.get("/api/v1/sign-in-providers").json()["items"], json!([{"name_zh": "统一身份认证", "name_en": "Single sign-on"}]));
        let signed_in = sign_in(&ward, &provider);
        assert_eq!(signed_in.status, 201, "{}", signed_in.text);
        let tokens = signed_in.json();
        assert_eq!((&tokens["account_id"], &tokens["second_factor"]), (&json!(person.id), &json!(false)));
        let access = text(&tokens, "access_token");
        let listed = ward.ask("GET", "/api/v1/sessions").in_session(&access).send().json();
        assert_eq!((&listed["items"][0]["means"], listed["items"].as_array().unwrap().len()), (&json!("oidc"), 2));
        // It is a session like any other.
        let next = post(&ward, "/api/v1/sessions/refresh", &json!({"refresh_token": tokens["refresh_token"]}));
        assert_eq!(next.status, 200, "{}", next.text);
        let own = me(&ward, &access).json()["identities"].clone();
        assert_eq!((own.as_array().unwrap().len(), &own[0]["issuer"], own[0]["used_at"].is_string()), (1, &json!(provider.issuer()), true));
        // Nobody links it twice, not even its owner.
        let other = ward.person("other", &[]);
        assert_eq!(link(&ward, &provider, other.access()).code(), "identity_taken");
        assert_eq!(link(&ward, &provider, person.access()).code(), "identity_taken");
        // Nobody unlinks somebody else's.
        let unlink = |access: &str| ward.ask("DELETE", &format!("/api/v1/me/identities/{}", text(&own[0], "id"))).in_session(access).send();
        assert_eq!(unlink(other.access()).code(), "not_found");
        assert_eq!(unlink(person.access()).json(), json!({"unlinked": true}));
        assert_eq!(unlink(person.access()).code(), "not_found");
        assert_eq!(me(&ward, &access).code(), "invalid_token", "what was begun with it has ended");
        assert_eq!(me(&ward, person.access()).json()["identities"], json!([]));
        assert_eq!(sign_in(&ward, &provider).code(), "identity_unknown");
        // Events say what happened, and not who somebody is elsewhere; its owner was told twice.
        assert_eq!(ward.events("identity.linked")[0]["entry"]["data"], json!({"by": "owner"}));
        assert_eq!(ward.events("identity.unlinked").len(), 1);
        let log = ward.ask("GET", "/api/v1/audit/events?limit=200").by(Role::Auditor).send().text;
        assert!(!log.contains("248289761001"), "{log}");
        assert_eq!(lines(&ward, "SELECT kind AS line FROM outbox WHERE kind LIKE 'identity%'").len(), 2);
    }

    fn without_a_provider_none_is_offered(ward) {
        let person = ward.person("mei", &[]);
        assert_eq!(ward.get("/api/v1/sign-in-providers").json(), json!({"items": []}));
        assert_eq!(post(&ward, "/api/v1/outside-sign-ins", &json!({})).code(), "outside_sign_in_not_offered");
        let body = json!({"attempt_token": "x", "code": "x", "state": "x"});
        assert_eq!(finish(&ward, &body).code(), "outside_sign_in_not_offered");
        let begin = ward.ask("POST", "/api/v1/me/identities").in_session(person.access()).send();
        assert_eq!(begin.code(), "outside_sign_in_not_offered");
        // A machine's token is no person in a session.
        let machine = crate::cast::person(&ward, &[]);
        assert_eq!(machine.asks(&ward, "POST", "/api/v1/me/identities").send().status, 403);
    }

    fn what_the_provider_did_not_sign_for_this_attempt_lets_nobody_in(ward) {
        let mut ward = ward;
        let (provider, _) = linked(&mut ward, "mei", &[]);
        let before = sessions(&ward);
        for fault in [
            Fault::WrongNonce, Fault::NoNonce, Fault::OtherAudience, Fault::MoreAudiences, Fault::OtherParty, Fault::Expired, Fault::IssuedLongAgo,
            Fault::OtherIssuer, Fault::AlgNone, Fault::ForeignKey, Fault::UnknownKey, Fault::SecretAsKey, Fault::NoToken,
        ] {
            provider.state().fault = fault;
            let reply = sign_in(&ward, &provider);
            assert_eq!((reply.status, reply.code().as_str()), (422, "outside_sign_in_refused"), "{fault:?}");
        }
        provider.state().fault = Fault::None;
        assert_eq!(sessions(&ward), before);
        assert_eq!(sign_in(&ward, &provider).status, 201);
    }

    fn an_answer_is_good_once_and_for_the_attempt_and_the_client_that_began_it(ward) {
        let mut ward = ward;
        let (provider, person) = linked(&mut ward, "mei", &[]);
        let before = sessions(&ward);
        let refused = |reply: Reply, what: &str| assert_eq!((reply.status, reply.code().as_str()), (422, "outside_sign_in_refused"), "{what}");
        // Somebody else's answer is slipped to whoever has begun (a forged sign-in), or somebody's answer is taken to another attempt.
        let (mine, my_url) = begin(&ward, &json!({}));
        let (theirs, their_url) = begin(&ward, &json!({}));
        let (my_answer, their_answer) = (provider.visit(&my_url), provider.visit(&their_url));
        refused(finish(&ward, &ending(&mine, &their_answer)), "another attempt's answer");
        refused(finish(&ward, &ending(&theirs, &my_answer)), "another client's token");
        refused(finish(&ward, &ending("nobodys", &my_answer)), "no attempt");
        let mut swapped = ending(&mine, &my_answer);
        swapped["state"] = json!(their_answer.state);
        refused(finish(&ward, &swapped), "another state");
        // None of this has used up what belongs together; what another code does has.
        let mut injected = ending(&theirs, &their_answer);
        injected["code"] = json!(my_answer.code);
        refused(finish(&ward, &injected), "another attempt's code: the verifier is not its");
        refused(finish(&ward, &ending(&theirs, &their_answer)), "the attempt is used up");
        refused(finish(&ward, &ending(&mine, &my_answer)), "the code was used up by whoever injected it");
        // The provider says who it is, and another one is not believed, nor one that does not say.
        for iss in [json!("https://other.example"), Value::Null] {
            let (token, url) = begin(&ward, &json!({}));
            let mut body = ending(&token, &provider.visit(&url));
            body.as_object_mut().unwrap().remove("iss");
            if iss.is_string() {
                body["iss"] = iss.clone();
            }
            refused(finish(&ward, &body), "another issuer");
        }
        // What was good once is not good twice.
        let (token, url) = begin(&ward, &json!({}));
        let body = ending(&token, &provider.visit(&url));
        assert_eq!(finish(&ward, &body).status, 201);
        refused(finish(&ward, &body), "replayed");
        refused(finish(&ward, &json!({"attempt_token": token})), "replayed without a code");
        refused(finish(&ward, &json!({"attempt_token": token, "second_factor": "123456"})), "replayed with a second factor");
        // Nor after its time, and what was begun to link does not sign in, nor the other way round.
        let (token, url) = begin(&ward, &json!({}));
        let brought = provider.visit(&url);
        move_clock(&ward, ATTEMPT_LIFETIME);
        provider.follow_clock(&ward);
        refused(finish(&ward, &ending(&token, &brought)), "too late");
        let signed_in = ward.sign_in(&person.email, &person.password).json();
        let access = text(&signed_in, "access_token");
        let begun = ward.ask("POST", "/api/v1/me/identities").in_session(&access).send().json();
        let to_link = ending(&text(&begun, "attempt_token"), &provider.visit(&text(&begun, "authorization_url")));
        refused(finish(&ward, &to_link), "begun to link");
        let other = ward.person("other", &[]);
        let by_other = ward.ask("POST", "/api/v1/me/identities/completion").in_session(other.access()).json(&to_link).send();
        refused(by_other, "begun by somebody else");
        let (token, url) = begin(&ward, &json!({}));
        let to_sign_in = ending(&token, &provider.visit(&url));
        refused(ward.ask("POST", "/api/v1/me/identities/completion").in_session(other.access()).json(&to_sign_in).send(), "begun to sign in");
        assert_eq!(finish(&ward, &json!({"attempt_token": token, "code": "x"})).code(), "invalid");
        assert_eq!(sessions(&ward), before + 3, "the two who signed in by password, and one through the provider");
    }

    fn of_many_who_finish_one_attempt_at_once_one_signs_in(ward) {
        let mut ward = ward;
        let (provider, _) = linked(&mut ward, "mei", &[]);
        let before = sessions(&ward);
        let (token, url) = begin(&ward, &json!({}));
        let body = ending(&token, &provider.visit(&url));
        let statuses: Vec<u16> = std::thread::scope(|threads| {
            let asked: Vec<_> = (0..6).map(|_| threads.spawn(|| finish(&ward, &body).status)).collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [201, 422].contains(status)), "{statuses:?}");
        assert_eq!(sessions(&ward), before + 1);
    }

    fn a_provider_that_is_away_hangs_or_talks_nonsense_is_told_and_holds_up_nobody(ward) {
        let mut ward = ward;
        let (provider, person) = linked(&mut ward, "mei", &[]);
        // It was known before: only what is asked now fails.
        for fault in [Fault::Hangs, Fault::Huge, Fault::Nonsense, Fault::Fails, Fault::Redirects] {
            provider.state().fault = Fault::None;
            let (token, url) = begin(&ward, &json!({}));
            let brought = provider.visit(&url);
            provider.state().fault = fault;
            let reply = finish(&ward, &ending(&token, &brought));
            assert_eq!((reply.status, reply.code().as_str()), (503, "provider_unavailable"), "{fault:?}");
            assert!(reply.header("retry-after").is_some());
        }
        // It is not known yet.
        for fault in [Fault::Hangs, Fault::Huge, Fault::Nonsense, Fault::Fails, Fault::Redirects, Fault::Misnamed] {
            ward.restart(|settings| provider.known_to(settings));
            provider.state().fault = fault;
            let reply = post(&ward, "/api/v1/outside-sign-ins", &json!({}));
            assert_eq!((reply.status, reply.code().as_str()), (503, "provider_unavailable"), "{fault:?}");
            assert_eq!(ward.sign_in(&person.email, &person.password).status, 201, "{fault:?}");
        }
        provider.state().fault = Fault::None;
        assert_eq!(sign_in(&ward, &provider).status, 201);
        drop(provider);
        ward.restart(|settings| {
            // Nobody listens on a port that was just closed.
            let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            settings.oidc_issuer = format!("http://{gone}");
            settings.oidc_client_id = "x".to_owned();
        });
        assert_eq!(post(&ward, "/api/v1/outside-sign-ins", &json!({})).code(), "provider_unavailable");
    }

    fn an_invitation_is_accepted_by_an_identity_and_nobody_comes_without_one(ward) {
        let mut ward = ward;
        let provider = Provider::start();
        ward.restart(|settings| provider.known_to(settings));
        assert_eq!(sign_in(&ward, &provider).code(), "identity_unknown");
        let body = json!({"email": "chen.jing@people.example", "language": "en", "role": "evaluator"});
        let invited = ward.post("/api/v1/accounts", &body).json();
        let secret = from_mail(&ward, "chen.jing@people.example", "/invitations/", 43);
        let acceptance = json!({"display_name": "陈静", "language": "zh-CN"});
        let (token, url) = begin(&ward, &json!({"invitation": secret}));
        let mut end = ending(&token, &provider.visit(&url));
        assert_eq!(finish(&ward, &end).code(), "outside_sign_in_refused", "who accepts says who they are");
        end["acceptance"] = acceptance.clone();
        end["acceptance"]["display_name"] = json!("=1");
        assert_eq!(finish(&ward, &end).faults()[0].0, "/display_name");
        end["acceptance"] = acceptance.clone();
        let came = finish(&ward, &end);
        assert_eq!(came.status, 201, "{}", came.text);
        let own = me(&ward, &text(&came.json(), "access_token")).json();
        assert_eq!((&own["account"]["id"], &own["account"]["display_name"], &own["account"]["state"]), (&invited["id"], &json!("陈静"), &json!("active")));
        assert_eq!(own["identities"].as_array().unwrap().len(), 1);
        assert_eq!(ward.events("identity.linked")[0]["entry"]["data"], json!({"by": "invitation"}));
        assert_eq!(sign_in(&ward, &provider).json()["account_id"], invited["id"]);
        // The link is used up, whoever tries it, and an identity that is somebody's accepts nothing for another.
        let start = |body: &Value| post(&ward, "/api/v1/outside-sign-ins", body);
        assert_eq!(start(&json!({"invitation": secret})).code(), "link_refused");
        assert_eq!(start(&json!({"invitation": "nobodys"})).code(), "link_refused");
        ward.post("/api/v1/accounts", &json!({"email": "li.wei@people.example", "language": "en", "role": "evaluator"}));
        let other = from_mail(&ward, "li.wei@people.example", "/invitations/", 43);
        let (token, url) = begin(&ward, &json!({"invitation": other}));
        let mut end = ending(&token, &provider.visit(&url));
        end["acceptance"] = acceptance;
        assert_eq!(finish(&ward, &end).code(), "identity_taken");
    }

    fn a_verified_address_links_only_where_it_is_configured_and_only_if_it_is_verified(ward) {
        let mut ward = ward;
        let provider = Provider::start();
        ward.restart(|settings| provider.known_to(settings));
        let person = ward.person("li.wei", &[]);
        let mut who = someone("li wei at the provider");
        who.email = Some("Li.Wei@people.example");
        who.email_verified = true;
        provider.state().who = who.clone();
        assert_eq!(sign_in(&ward, &provider).code(), "identity_unknown");
        ward.restart(|settings| {
            provider.known_to(settings);
            settings.oidc_link_by_verified_email = true;
        });
        provider.state().who.email_verified = false;
        assert_eq!(sign_in(&ward, &provider).code(), "identity_unknown");
        provider.state().who.email = Some("nobody@people.example");
        provider.state().who.email_verified = true;
        assert_eq!(sign_in(&ward, &provider).code(), "identity_unknown");
        // Told in the token or when it is asked, it is the same.
        provider.state().who = who.clone();
        provider.state().tells_when_asked = true;
        assert_eq!(sign_in(&ward, &provider).json()["account_id"], json!(person.id));
        provider.state().tells_when_asked = false;
        assert_eq!(ward.events("identity.linked")[0]["entry"]["data"], json!({"by": "address"}));
        // From now on it is the identity that counts.
        provider.state().who.email = None;
        assert_eq!(sign_in(&ward, &provider).json()["account_id"], json!(person.id));
        assert_eq!(ward.events("identity.linked").len(), 1);
    }

    fn who_is_suspended_or_has_left_does_not_come_in_through_the_provider(ward) {
        let mut ward = ward;
        let (provider, person) = linked(&mut ward, "mei", &[]);
        let signed_in = sign_in(&ward, &provider).json();
        assert_eq!(ward.post(&format!("/api/v1/accounts/{}/suspension", person.id), &json!({})).status, 200);
        assert_eq!(me(&ward, &text(&signed_in, "access_token")).code(), "invalid_token");
        assert_eq!(sign_in(&ward, &provider).code(), "credentials_refused");
        assert_eq!(ward.post(&format!("/api/v1/accounts/{}/reinstatement", person.id), &json!({})).status, 200);
        assert_eq!(sign_in(&ward, &provider).status, 201);
        assert_eq!(ward.post(&format!("/api/v1/accounts/{}/departure", person.id), &json!({})).status, 200);
        assert_eq!(sign_in(&ward, &provider).code(), "identity_unknown");
        // Whoever comes back is somebody new.
        let again = ward.person("mei2", &[]);
        assert_eq!(link(&ward, &provider, again.access()).status, 201);
    }

    fn the_second_factor_of_this_service_is_asked_for_unless_the_providers_counts(ward) {
        let mut ward = ward;
        let (provider, person) = linked(&mut ward, "an", &[Grant::of(Role::Admin)]);
        let (secret, _) = enrol(&ward, &person);
        provider.state().who.amr = vec!["pwd", "otp"];
        provider.state().who.acr = Some("gold");
        let (token, url) = begin(&ward, &json!({}));
        let brought = provider.visit(&url);
        assert_eq!(finish(&ward, &ending(&token, &brought)).code(), "second_factor_needed");
        // The same attempt goes on, and its code is not good again.
        assert_eq!(finish(&ward, &ending(&token, &brought)).code(), "outside_sign_in_refused");
        let with = |code: &str| finish(&ward, &json!({"attempt_token": token, "second_factor": code}));
        assert_eq!(with("000000").code(), "second_factor_refused");
        move_clock(&ward, Duration::seconds(60));
        provider.follow_clock(&ward);
        let done = with(&code_now(&ward, &secret));
        assert_eq!((done.status, &done.json()["second_factor"]), (201, &json!(true)), "{}", done.text);
        assert_eq!(with("000000").code(), "outside_sign_in_refused", "the attempt has done what it was for");
        // Guesses are counted over all attempts.
        let mut last = String::new();
        for _ in 0..12 {
            let (token, url) = begin(&ward, &json!({}));
            let mut body = ending(&token, &provider.visit(&url));
            body["second_factor"] = json!("000000");
            last = finish(&ward, &body).code();
        }
        assert_eq!(last, "too_many_requests");
        // Where the provider's word counts, nothing more is asked for; where it is required, less does not do.
        let set = |ward: &mut Ward, change: &dyn Fn(&mut wardbook::app::settings::Settings)| ward.restart(|settings| {
            provider.known_to(settings);
            change(settings);
        });
        set(&mut ward, &|settings| settings.oidc_second_factor_amr = vec!["otp".to_owned()]);
        let strong = sign_in(&ward, &provider);
        assert_eq!((strong.status, &strong.json()["second_factor"]), (201, &json!(true)), "{}", strong.text);
        let add = ward.ask("POST", "/api/v1/areas").in_session(&text(&strong.json(), "access_token")).json(&json!({"name_zh": "市", "name_en": "x"})).send();
        assert_eq!(add.status, 201, "{}", add.text);
        provider.state().who.amr = vec!["pwd"];
        assert_eq!(sign_in(&ward, &provider).code(), "second_factor_needed");
        set(&mut ward, &|settings| settings.oidc_required_acr = vec!["platinum".to_owned()]);
        assert_eq!(sign_in(&ward, &provider).code(), "outside_proof_too_weak");
        provider.state().who.acr = Some("platinum");
        assert_eq!(sign_in(&ward, &provider).code(), "second_factor_needed");
    }

    fn a_provider_that_has_another_key_is_believed_and_so_is_one_that_signs_with_rsa(ward) {
        let mut ward = ward;
        let (provider, _) = linked(&mut ward, "mei", &[]);
        provider.change_key("two");
        assert_eq!(sign_in(&ward, &provider).code(), "outside_sign_in_refused", "its keys were asked for a moment ago");
        move_clock(&ward, Duration::seconds(31));
        provider.follow_clock(&ward);
        let before = provider.state().asked_for_keys;
        assert_eq!(sign_in(&ward, &provider).status, 201);
        assert_eq!(sign_in(&ward, &provider).status, 201);
        assert_eq!(provider.state().asked_for_keys, before + 1);
        move_clock(&ward, Duration::hours(1));
        provider.follow_clock(&ward);
        provider.state().rsa = Some(RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2_048).unwrap());
        assert_eq!(sign_in(&ward, &provider).status, 201);
    }

    fn the_page_on_which_the_browser_comes_back_says_what_to_take_along_and_nothing_that_others_put_there(ward) {
        let mut ward = ward;
        let (provider, _) = linked(&mut ward, "mei", &[]);
        let (token, url) = begin(&ward, &json!({}));
        let brought = provider.visit(&url);
        let page = ward.get(&format!("/sign-in/return?{}", brought.query));
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains(&brought.code) && page.text.contains(&brought.state) && !page.text.contains("session_state"), "{}", page.text);
        assert_eq!((page.header("cache-control"), page.header("referrer-policy")), (Some("no-store"), Some("no-referrer")));
        assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        let get = |query: String| ward.get(&format!("/sign-in/return?{query}"));
        let refused = get(format!("error=access_denied&error_description=%3Cb%3Ecall+110&state={}", brought.state));
        assert!(refused.status == 200 && refused.text.contains("not signed in") && !refused.text.contains("110"), "{}", refused.text);
        for query in [
            "code=x&state=nobodys".to_owned(),
            format!("code={}", brought.code),
            format!("code=call+110&state={}", brought.state),
            format!("code=x&error=y&state={}", brought.state),
            format!("state={}", brought.state),
        ] {
            assert_eq!(get(query.clone()).code(), "not_found", "{query}");
        }
        // Looking changes nothing; afterwards nothing waits any more.
        assert_eq!(finish(&ward, &ending(&token, &brought)).status, 201);
        assert_eq!(get(brought.query.clone()).code(), "not_found");
        assert_eq!(mails_to(&ward, "nobody@people.example").len(), 0);
    }
}

/// The provider itself is as strict as a real one: else what is shown above would show nothing.
#[test]
fn the_provider_of_these_tests_checks_what_it_is_sent() {
    let provider = Provider::start();
    let issuer = provider.issuer();
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .new_agent();
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let long = "x".repeat(43);
    let client: String = form_urlencoded::byte_serialize(crate::provider::CLIENT.as_bytes()).collect();
    let url = format!(
        "{issuer}/authorize?response_type=code&client_id={client}&scope=openid&redirect_uri=http://ward.test/x&state={long}&nonce={long}&code_challenge={challenge}"
    );
    assert_eq!(
        agent.get(&url).call().unwrap().status().as_u16(),
        400,
        "without S256"
    );
    let url = format!("{url}&code_challenge_method=S256");
    let secret: String = form_urlencoded::byte_serialize(crate::provider::SECRET.as_bytes()).collect();
    let basic = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, format!("{client}:{secret}"));
    let exchange = |code: &str, verifier: &str, basic: &str| {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", "http://ward.test/x"),
            ("code_verifier", verifier),
        ];
        let sent = agent
            .post(format!("{issuer}/token"))
            .header("authorization", format!("Basic {basic}"))
            .send_form(form);
        sent.unwrap().status().as_u16()
    };
    // The pair of RFC 7636, appendix B.
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_eq!(
        exchange(&provider.visit(&url).code, verifier, "bm9ib2R5Og=="),
        401
    );
    assert_eq!(exchange(&provider.visit(&url).code, &long, &basic), 400);
    let code = provider.visit(&url).code;
    assert_eq!(exchange(&code, verifier, &basic), 200);
    assert_eq!(exchange(&code, verifier, &basic), 400, "a code is good once");
}
