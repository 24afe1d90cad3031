//! The pages behind the links of mails and letters, as a browser without script meets them.

use chrono::Duration;
use serde_json::json;
use wardbook::app::first_admin;
use wardbook::people::rules_links::{INVITATION_LIFETIME, RESET_MINUTES};
use wardbook::web::policy::Role;

use crate::faults::eventually;
use crate::harness::{Person, Reply, Ward};
use crate::on_both;
use crate::people_accounts::{code_in, code_now, enrol, from_mail, mails_to, move_clock};
use crate::roll_letters::letter;
use crate::rolls::Community;

pub const PASSWORD: &str = "violet tram under paper rain";
const FORM: &str = "application/x-www-form-urlencoded";

pub fn encoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

/// A form sent by a browser that reads English.
pub fn sent(ward: &Ward, path: &str, fields: &[(&str, &str)]) -> Reply {
    ward.ask("POST", path)
        .header("accept-language", "en-GB,en;q=0.9")
        .header("origin", "null")
        .header("sec-fetch-site", "same-origin")
        .body(FORM, encoded(fields))
        .send()
}

pub fn opened(ward: &Ward, path: &str) -> Reply {
    ward.ask("GET", path).header("accept-language", "en").send()
}

/// What every page has, whatever it says.
pub fn is_page(reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=utf-8"),
        "{reply:?}"
    );
    let policy = reply.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-") && policy.contains("form-action 'self'"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    for (name, value) in [
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(reply.header(name), Some(value));
    }
    let tag = reply.header("content-language").unwrap();
    assert!(
        reply.text.contains(&format!("<html lang=\"{tag}\">")) && reply.text.contains("name=\"viewport\"")
    );
    for foreign in [" src=", " style=", "onload", "//"] {
        let text = reply.text.replace("http://www.w3.org", "");
        assert!(!text.contains(foreign), "{foreign} in {text}");
    }
}

/// The fields that the page says something is wrong with, each both in the list above and at the field.
pub fn faulty(reply: &Reply) -> Vec<String> {
    let listed: Vec<String> = reply
        .text
        .split("<li><a href=\"#")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect();
    for name in &listed {
        assert!(
            reply.text.contains(&format!("id=\"{name}-fault\"")),
            "{name}: {}",
            reply.text
        );
    }
    assert_eq!(reply.text.matches("aria-invalid").count(), listed.len());
    listed
}

fn invited(ward: &Ward, address: &str) -> String {
    let body = json!({"email": address, "language": "en", "role": "evaluator"});
    let reply = ward.post("/api/v1/accounts", &body);
    assert_eq!(reply.status, 201, "{}", reply.text);
    format!("/invitations/{}", from_mail(ward, address, "/invitations/", 43))
}

fn session(ward: &Ward, email: &str) -> Person {
    let tokens = ward.sign_in(email, PASSWORD);
    assert_eq!(tokens.status, 201, "{}", tokens.text);
    let tokens = tokens.json();
    Person {
        id: tokens["account_id"].as_str().unwrap().to_owned(),
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        tokens,
    }
}

fn hidden(reply: &Reply, name: &str) -> String {
    let (_, rest) = reply
        .text
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap_or_else(|| panic!("no {name} in {}", reply.text));
    rest.split('"').next().unwrap().to_owned()
}

on_both! {
    fn an_invitation_is_looked_at_as_often_as_one_likes_and_accepted_once(ward) {
        let link = invited(&ward, "chen.jing@people.example");
        for _ in 0..3 {
            let page = opened(&ward, &link);
            is_page(&page, 200);
            assert!(page.text.contains("chen.jing@people.example") && page.text.contains("Open your account"));
            assert_eq!(page.text.matches("<label for=").count(), 5);
        }
        assert_eq!(ward.ask("HEAD", &link).send().status, 200);
        let chinese = ward.get(&link);
        assert!(chinese.text.contains("开立您的账户") && chinese.header("content-language") == Some("zh-CN"));
        let switched = opened(&ward, &format!("{link}?lang=zh-CN"));
        assert!(switched.text.contains("开立您的账户") && switched.text.contains("href=\"?lang=en\""));

        let wrong = sent(&ward, &link, &[("display_name", "=<script>alert(1)</script>"), ("language", "en"), ("password", "Password1234!"), ("password_again", "Password1234?")]);
        is_page(&wrong, 422);
        assert_eq!(faulty(&wrong), ["display_name", "password", "password_again"]);
        assert!(wrong.text.contains("value=\"=&#60;script&#62;alert(1)") && wrong.text.contains("too common") && !wrong.text.contains("1234"), "{}", wrong.text);
        assert!(wrong.text.contains("<option value=\"en\" lang=\"en\" selected>"));
        let in_chinese = ward.ask("POST", &format!("{link}?lang=zh-CN")).body(FORM, encoded(&[("display_name", "陈静"), ("password", "short"), ("password_again", "short")])).send();
        is_page(&in_chinese, 422);
        assert!(in_chinese.text.contains("密码应为 12 至 128 个字符") && in_chinese.text.contains("value=\"陈静\""));

        let good = [("display_name", "<i>陈静"), ("language", "zh-CN"), ("password", PASSWORD), ("password_again", PASSWORD)];
        let done = sent(&ward, &link, &good);
        is_page(&done, 200);
        assert!(done.text.contains("What to do next") && !done.text.contains("<form") && !done.text.contains(PASSWORD));
        let account = ward.ask("GET", "/api/v1/me").in_session(session(&ward, "chen.jing@people.example").access()).send().json()["account"].clone();
        assert_eq!((&account["display_name"], &account["language"]), (&json!("<i>陈静"), &json!("zh-CN")));
        let again = sent(&ward, &link, &good);
        is_page(&again, 404);
        assert_eq!(again.text, opened(&ward, &link).text, "used, for a form as for a look");
        assert_eq!(again.text, opened(&ward, "/invitations/nonsense").text, "and as if it had never been");
        assert_eq!(ward.events("account.activated").len(), 1);
    }

    fn who_has_no_password_may_come_without_one_but_not_too_late(ward) {
        let (late, link) = (invited(&ward, "late@people.example"), invited(&ward, "codes@people.example"));
        is_page(&sent(&ward, &link, &[("display_name", "甲"), ("language", "en")]), 200);
        assert_eq!(ward.sign_in("codes@people.example", PASSWORD).code(), "credentials_refused");
        move_clock(&ward, INVITATION_LIFETIME);
        let expired = opened(&ward, &late);
        is_page(&expired, 404);
        assert_eq!(expired.text, opened(&ward, &link).text, "expired and used are not told apart");
        is_page(&sent(&ward, &late, &[("display_name", "甲")]), 404);
    }

    fn the_first_administrator_is_asked_for_everything(ward) {
        let house = ward.server().house.as_ref().unwrap();
        let link = first_admin::offer(house).unwrap().unwrap().strip_prefix("http://ward.test").unwrap().to_owned();
        let page = opened(&ward, &link);
        is_page(&page, 200);
        assert!(page.text.contains("first administrator") && page.text.contains("type=\"email\""));
        let empty = sent(&ward, &link, &[("display_name", "林岚"), ("email", "nobody"), ("language", "en")]);
        is_page(&empty, 422);
        assert_eq!(faulty(&empty), ["email", "password"]);
        let taken = ward.person("taken", &[]).email;
        let fields = |email: &'static str| [("display_name", "林岚"), ("email", email), ("language", "zh-CN"), ("password", PASSWORD), ("password_again", PASSWORD)];
        let refused = sent(&ward, &link, &fields("taken@people.example"));
        is_page(&refused, 409);
        assert_eq!((faulty(&refused), taken.as_str()), (vec!["email".to_owned()], "taken@people.example"));
        is_page(&sent(&ward, &link, &fields("first@people.example")), 200);
        is_page(&sent(&ward, &link, &fields("second@people.example")), 404);
        let me = ward.ask("GET", "/api/v1/me").in_session(session(&ward, "first@people.example").access()).send().json();
        assert_eq!(me["roles"][0]["role"], "admin");
    }

    fn a_forgotten_password_is_chosen_anew_on_pages_alone(ward) {
        let person = ward.person("forgot", &[]);
        let named = ward.ask("PATCH", &format!("/api/v1/accounts/{}", person.id)).in_session(person.access()).header("if-match", "*").json(&json!({"display_name": "<script>alert(1)</script>"})).send();
        assert_eq!(named.status, 200, "{}", named.text);
        is_page(&opened(&ward, "/password-resets"), 200);
        let none = sent(&ward, "/password-resets", &[("email", "nobody")]);
        is_page(&none, 422);
        assert_eq!(faulty(&none), ["email"]);
        let asked = sent(&ward, "/password-resets", &[("email", &person.email)]);
        is_page(&asked, 200);
        assert_eq!(asked.text, sent(&ward, "/password-resets", &[("email", "nobody@people.example")]).text, "nobody learns who has an account");

        let link = format!("/password-resets/{}", from_mail(&ward, &person.email, "/password-resets/", 43));
        let page = opened(&ward, &link);
        is_page(&page, 200);
        assert!(page.text.contains("Hello &#60;script&#62;alert(1)&#60;/script&#62;.") && !page.text.contains("<script"), "{}", page.text);
        let wrong = sent(&ward, &link, &[("password", "qwertyuiop[]"), ("password_again", "qwertyuiop")]);
        is_page(&wrong, 422);
        assert_eq!(faulty(&wrong), ["password", "password_again"]);
        is_page(&sent(&ward, &format!("/invitations{}", link.trim_start_matches("/password-resets")), &[("display_name", "x")]), 404);
        let good = [("password", PASSWORD), ("password_again", PASSWORD)];
        let done = sent(&ward, &link, &good);
        is_page(&done, 200);
        assert!(done.text.contains("sign in again as forgot@people.example"));
        assert_eq!(ward.ask("GET", "/api/v1/sessions").in_session(person.access()).send().code(), "invalid_token");
        session(&ward, &person.email);
        let used = sent(&ward, &link, &good);
        is_page(&used, 404);
        assert!(used.text.contains("href=\"/password-resets?lang=en\""), "the way to another one: {}", used.text);

        // An older link that was not used is as good as none.
        let other = ward.person("slow", &[]);
        is_page(&sent(&ward, "/password-resets", &[("email", &other.email)]), 200);
        let late = format!("/password-resets/{}", from_mail(&ward, &other.email, "/password-resets/", 43));
        is_page(&opened(&ward, &late), 200);
        move_clock(&ward, Duration::minutes(i64::from(RESET_MINUTES)));
        assert_eq!(opened(&ward, &late).text, used.text);
        assert_eq!(ward.events("password.changed").len(), 1);
    }

    fn pages_send_no_more_mail_than_the_api(ward) {
        let person = ward.person("flood", &[]);
        let statuses: Vec<u16> = (0..4).map(|_| sent(&ward, "/password-resets", &[("email", &person.email)]).status).collect();
        assert_eq!(statuses, [200, 200, 200, 429]);
        let api = ward.ask("POST", "/api/v1/password-resets").json(&json!({"email": person.email})).send();
        assert_eq!(api.status, 429, "they count together");
        let refused = sent(&ward, "/password-resets", &[("email", &person.email)]);
        is_page(&refused, 429);
        assert!(refused.header("retry-after").is_some() && refused.text.contains("value=\"flood@people.example\""));
        is_page(&sent(&ward, "/residence", &[("step", "mail"), ("email", &person.email)]), 429);
    }

    fn what_is_no_form_of_ours_is_refused_on_a_page(ward) {
        let link = invited(&ward, "target@people.example");
        let good = encoded(&[("display_name", "甲"), ("language", "en")]);
        let post = |headers: &[(&str, &str)], kind: &str, body: &[u8]| {
            let ask = headers.iter().fold(ward.ask("POST", &link), |ask, (name, value)| ask.header(name, value));
            ask.header("accept-language", "en").body(kind, body).send()
        };
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site"), ("origin", "http://ward.test")],
            &[("origin", "https://evil.example")],
            &[("origin", "http://ward.test.evil.example")],
            &[("origin", "nonsense")],
        ] {
            let refused = post(headers, FORM, good.as_bytes());
            is_page(&refused, 403);
            assert!(refused.text.contains("not sent from a page of this service"), "{headers:?}");
        }
        for kind in ["application/json", "multipart/form-data; boundary=x", "text/plain"] {
            is_page(&post(&[], kind, good.as_bytes()), 415);
        }
        is_page(&post(&[("content-encoding", "gzip")], FORM, good.as_bytes()), 415);
        is_page(&post(&[], FORM, &[b'x'; 40_000]), 413);
        for broken in ["display_name=a&display_name=b", "display_name=%FF", &"a=&".repeat(60)] {
            is_page(&post(&[], FORM, broken.as_bytes()), 400);
        }
        for (method, path) in [("PUT", link.as_str()), ("DELETE", "/residence"), ("PATCH", "/password-resets")] {
            let reply = ward.ask(method, path).send();
            assert_eq!((reply.code().as_str(), reply.header("allow")), ("method_not_allowed", Some("GET, HEAD, POST")));
        }
        assert_eq!(ward.get("/invitations/").code(), "not_found");
        // None of that has spent it, and each of these is a form of ours.
        is_page(&opened(&ward, &link), 200);
        let host = format!("http://{}", ward.server().address);
        for headers in [&[("origin", "http://ward.test")][..], &[("origin", &host)], &[("origin", "null")], &[("sec-fetch-site", "none")], &[]] {
            assert_eq!(post(headers, FORM, b"display_name=").status, 422, "{headers:?}");
        }
        assert_eq!(post(&[], FORM, good.as_bytes()).status, 200);
    }

    fn a_letter_is_claimed_on_a_page_with_one_form(ward) {
        let [gui, _] = Community::two(&ward);
        let id = gui.enter(&ward, "3-2-501", "王小梅", "1984-07-19");
        let code = letter(&ward, &gui, &id);
        let mei = ward.person("mei", &[]);
        let page = opened(&ward, "/residence");
        is_page(&page, 200);
        assert!(page.header("content-security-policy").unwrap().contains("script-src 'sha256-"));
        assert!(page.text.contains("location.hash") && page.text.contains("id=\"other-language\""));

        let nothing = sent(&ward, "/residence", &[("step", "claim")]);
        is_page(&nothing, 422);
        assert_eq!(faulty(&nothing), ["code", "birth_date", "email", "password"]);
        let fields = |code: &str, born: &str, password: &str| {
            let fields = [("step", "claim"), ("code", code), ("birth_date", born), ("email", mei.email.as_str()), ("password", password)];
            sent(&ward, "/residence", &fields)
        };
        let stranger = fields(&code, "1984-07-19", "not the right password");
        is_page(&stranger, 422);
        assert!(stranger.text.contains(&format!("value=\"{code}\"")) && stranger.text.contains("value=\"1984-07-19\"") && !stranger.text.contains("not the right"));
        let wrong = fields(&code, "1984-07-20", &mei.password);
        is_page(&wrong, 409);
        assert_eq!(wrong.text.replace("1984-07-20", "").replace(&code, ""), fields("0000-0000-0000-0000", "1984-07-20", &mei.password).text.replace("1984-07-20", "").replace("0000-0000-0000-0000", ""), "which of the two was wrong is not told");
        let done = fields(&code, "1984-07-19", &mei.password);
        is_page(&done, 200);
        assert!(done.text.contains("What to do next") && !done.text.contains("<form"));
        let own = ward.ask("GET", "/api/v1/me/residence").in_session(mei.access()).send().json();
        assert_eq!(own["items"][0]["name"], "王小梅");
        let sessions = ward.ask("GET", "/api/v1/sessions").in_session(mei.access()).send().json();
        assert_eq!(sessions["items"].as_array().unwrap().len(), 1, "the page's own have ended");
        is_page(&fields(&code, "1984-07-19", &mei.password), 409);
        assert_eq!(ward.events("residence.claimed").len(), 1);
        for _ in 0..10 {
            fields(&code, "1984-07-19", &mei.password);
        }
        is_page(&fields(&code, "1984-07-19", &mei.password), 429);
    }

    fn a_letter_is_claimed_with_a_mailed_code_and_a_second_factor(ward) {
        let [gui, _] = Community::two(&ward);
        let letter_of = |name: &str| letter(&ward, &gui, &gui.enter(&ward, name, name, "1984-07-19"));
        let (mei, code) = (ward.person("mei", &[]), letter_of("甲"));
        let base = [("code", code.as_str()), ("birth_date", "1984-07-19"), ("email", mei.email.as_str())];
        let asked = sent(&ward, "/residence", &[&base[..], &[("step", "mail")]].concat());
        is_page(&asked, 200);
        assert!(asked.text.contains(&format!("value=\"{code}\"")) && asked.text.contains("id=\"mailed_code\"") && !asked.text.contains("type=\"password\""));
        let challenge = hidden(&asked, "challenge_id");
        let mailed = eventually("a code", || {
            code_in(&mails_to(&ward, &mei.email).pop()?)
        });
        let unknown = sent(&ward, "/residence", &[("step", "mail"), ("code", &code), ("birth_date", "1984-07-19"), ("email", "nobody@people.example")]);
        assert_eq!((unknown.status, unknown.text.contains("id=\"mailed_code\"")), (200, true));
        let with = |digits: &str| sent(&ward, "/residence", &[&base[..], &[("step", "claim"), ("challenge_id", &challenge), ("mailed_code", digits)]].concat());
        is_page(&with(if mailed == "111111" { "222222" } else { "111111" }), 422);
        is_page(&with(&mailed), 200);

        let (lan, other) = (ward.person("lan", &[]), letter_of("乙"));
        let (secret, _) = enrol(&ward, &lan);
        move_clock(&ward, Duration::seconds(30));
        let base = [("step", "claim"), ("code", other.as_str()), ("birth_date", "1984-07-19"), ("email", lan.email.as_str()), ("password", lan.password.as_str())];
        let needed = sent(&ward, "/residence", &base);
        is_page(&needed, 422);
        assert_eq!(faulty(&needed), ["second_factor"]);
        let factor = code_now(&ward, &secret);
        let done = sent(&ward, "/residence", &[&base[..], &[("second_factor", factor.as_str())]].concat());
        is_page(&done, 200);
        assert_eq!(ward.events("residence.claimed").len(), 2);
        assert_eq!(ward.ask("GET", "/api/v1/audit/events?type=session.begun").by(Role::Auditor).send().json()["items"].as_array().unwrap().len(), 4);
    }
    fn nothing_that_is_sent_to_a_page_breaks_it(ward) {
        let link = invited(&ward, "odd@people.example");
        let odd = ["", " ", "\0", "a\0b", "'; DROP TABLE accounts; --", "\u{202e}x", "🌳", "NaN", "-1", "9999-12-31", "0000-00-00", "challenge_01jd3n8f5teqkrzvq1c0m6h2ax", "梧桐"];
        let long = "x".repeat(3_000);
        let names = ["display_name", "language", "password", "password_again", "email", "code", "birth_date", "mailed_code", "challenge_id", "asked_factor", "second_factor", "step"];
        let events = || ["account.*", "session.*", "password.*", "residence.*", "role.*"].map(|kind| ward.events(kind).len());
        let before = events();
        for path in [link.as_str(), "/invitations/%00", "/invitations/%FF", "/password-resets", "/password-resets/x%2Fy", "/residence", "/residence-registrations", "/residence-registrations/x%2Fy", "/residence?lang=%00&lang=en", "/residence?%FF"] {
            for (round, value) in odd.iter().copied().chain([long.as_str()]).enumerate() {
                let chosen = names.iter().enumerate().filter(|(n, _)| (n + round) % 3 > 0);
                let mut fields: Vec<(&str, &str)> = chosen.map(|(_, name)| (*name, value)).collect();
                if path == link {
                    // Some of these are names; with such a password none of them opens an account.
                    fields.retain(|(name, _)| !name.starts_with("password"));
                    fields.push(("password", "short"));
                }
                let reply = sent(&ward, path, &fields);
                assert!((200..500).contains(&reply.status), "{path} {value:?}: {reply:?}");
                assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{path} {value:?}: {reply:?}");
            }
            let looked = opened(&ward, path);
            assert!(matches!(looked.status, 200 | 404), "{path}: {looked:?}");
        }
        assert_eq!(events(), before);
        is_page(&opened(&ward, &link), 200);
    }
}
