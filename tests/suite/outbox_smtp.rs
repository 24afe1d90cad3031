//! Mail and a real mail server: one that takes it, refuses it, asks to come back, hangs, goes away in the middle, has the wrong
//! certificate or wants a password. Nothing is lost, nothing is sent twice that need not be, and nobody reads it on the way.

use std::collections::BTreeSet;
use std::time::{Duration as Time, Instant as Stopwatch};

use chrono::Duration;
use serde_json::Value;
use wardbook::app::settings::{Secret, SmtpTls};
use wardbook::kernel::text::Language;
use wardbook::outbox::rules::ATTEMPTS_MAX;

use crate::faults::eventually;
use crate::harness::{PostgresDatabase, Ward};
use crate::on_both;
use crate::outbox::{code, duty, news, reader, tell};
use crate::smtp::{MailServer, Mood, PASSWORD, Stage, Taken, Ways};
use wardbook::web::policy::Role;

/// Lets a ward send its mail to this server.
fn served_by(ward: &mut Ward, server: &MailServer) {
    ward.restart(|settings| server.serves(settings));
}

/// The mails in a state, as the administrator sees them.
fn mails(ward: &Ward, state: &str) -> Vec<Value> {
    let reply = ward
        .ask("GET", &format!("/api/v1/admin/mail?state={state}"))
        .by(Role::Admin)
        .send();
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["items"].as_array().unwrap().clone()
}

/// Waits until one mail is in this state after so many attempts, and shows it.
fn one_is(ward: &Ward, state: &str, attempts: i64) -> Value {
    eventually(&format!("a mail to be {state} after {attempts} attempts"), || {
        mails(ward, state)
            .into_iter()
            // While it is on its way it is claimed, and its failure not yet known.
            .find(|mail| {
                mail["attempts"] == attempts
                    && (attempts == 0 || state != "waiting" || !mail["last_failure"].is_null())
            })
    })
}

fn advance(ward: &Ward, by: Duration) {
    let clock = &ward.context().clock;
    assert!(clock.advance(clock.now() + by));
}

fn message_ids(taken: &[Taken]) -> BTreeSet<String> {
    taken.iter().map(|mail| mail.header("Message-ID")).collect()
}

on_both! {
    fn a_mail_server_gets_each_mail_once_and_whole(ward) {
        let (mut ward, server) = (ward, MailServer::start());
        served_by(&mut ward, &server);
        let many: Vec<_> = (0..30).map(|n| duty(&format!("n{n}"), reader(&format!("r{n}"), Language::English), &format!("Office {n}"))).collect();
        tell(&ward, &many);
        let taken = server.takes(30);
        assert_eq!(message_ids(&taken).len(), 30);
        for mail in &taken {
            assert_eq!(mail.from, "FROM:<ward@ward.example>");
            assert_eq!(mail.to.len(), 1);
            assert!(mail.header("To").ends_with(&format!("<{}>", mail.recipient())), "{mail:?}");
            assert!(mail.header("Content-Type").starts_with("multipart/alternative"));
            assert!(mail.message.contains("Content-Type: text/plain; charset=utf-8") && mail.message.contains("Content-Type: text/html; charset=utf-8"));
            assert!(mail.message.is_ascii());
        }
        eventually("all to be marked", || (mails(&ward, "sent").len() == 30).then_some(()));
        assert!(mails(&ward, "waiting").is_empty());
        // A code is forgotten the moment it is sent.
        tell(&ward, &[code("code", reader("a", Language::English), "739104")]);
        assert!(server.takes(31).last().unwrap().message.contains("739104"));
    }

    fn nobody_can_slip_a_header_or_a_command_into_a_mail(ward) {
        let (mut ward, server) = (ward, MailServer::start());
        served_by(&mut ward, &server);
        let hostile = "x\r\nBcc: evil@example.org\r\n.\r\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<evil@example.org>\r\n\0\u{202e}\u{2028}".repeat(20);
        let mut to = reader("a", Language::Chinese);
        to.name = hostile.clone();
        let other = duty("other", reader("b", Language::English), &format!("\n.\n{hostile}"));
        tell(&ward, &[news("hostile", to, &hostile), other]);
        let taken = server.takes(2);
        for mail in &taken {
            assert_eq!((mail.from.as_str(), mail.to.len()), ("FROM:<ward@ward.example>", 1));
            let known = [
                "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "List-Unsubscribe", "List-Unsubscribe-Post",
                "MIME-Version", "Content-Type",
            ];
            let names: Vec<String> = mail.head().iter().map(|line| line.split(": ").next().unwrap().to_owned()).collect();
            assert!(names.iter().all(|name| known.contains(&name.as_str())), "{names:?}");
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
            assert!(mail.message.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n', '\0'])));
        }
        for line in server.lines() {
            assert!(line.ends_with("\r\n") && !line.contains("evil"), "{line:?}");
        }
    }

    fn a_mail_that_is_refused_is_given_up_at_once_until_an_administrator_queues_it_again(ward) {
        let (mut ward, server) = (ward, MailServer::start());
        served_by(&mut ward, &server);
        server.becomes(Mood::Says(Stage::Recipient, "550 5.1.1 <wang@example.org>: no such user"));
        tell(&ward, &[code("code", reader("wang", Language::English), "739104")]);
        let dead = one_is(&ward, "dead", 1);
        assert_eq!((dead["last_failure"].as_str(), dead["address"].as_str()), (Some("refused"), Some("w***@example.org")));
        assert_eq!(dead["next_at"], Value::Null);
        advance(&ward, Duration::days(2));

        let path = format!("/api/v1/admin/mail/{}/requeue", dead["id"].as_str().unwrap());
        server.becomes(Mood::Good);
        let again = ward.ask("POST", &path).by(Role::Admin).header("idempotency-key", "k").send();
        assert_eq!((again.status, again.json()["state"].as_str(), again.json()["attempts"].as_i64()), (200, Some("waiting"), Some(0)), "{}", again.text);
        let taken = server.takes(1);
        assert_eq!(taken[0].header("Message-ID"), format!("<{}@ward.example>", dead["id"].as_str().unwrap()));
        one_is(&ward, "sent", 1);
        let same = ward.ask("POST", &path).by(Role::Admin).header("idempotency-key", "k").send();
        assert_eq!((same.status, same.text == again.text), (200, true));
        assert_eq!(ward.ask("POST", &path).by(Role::Admin).send().code(), "mail_not_dead");
        let unknown = ward.ask("POST", "/api/v1/admin/mail/mail_01jd3n8f5teqkrzvq1c0m6h2ax/requeue").by(Role::Admin).send();
        assert_eq!(unknown.code(), "not_found");

        let events = ward.events("mail.requeued");
        assert_eq!(events.len(), 1);
        let told = serde_json::to_string(&events).unwrap();
        assert!(told.contains("sign_in.code") && !told.contains("example.org") && !told.contains("739104"), "{told}");
    }

    fn a_server_that_asks_to_come_back_is_asked_less_and_less_often(ward) {
        let (mut ward, server) = (ward, MailServer::start());
        served_by(&mut ward, &server);
        server.becomes(Mood::Says(Stage::Recipient, "451 4.7.1 greylisted, come back later"));
        tell(&ward, &[duty("duty", reader("a", Language::English), "Office")]);
        for (attempt, minutes) in (1..ATTEMPTS_MAX).zip([1, 5, 15, 60, 240, 240, 240, 240, 240]) {
            let waiting = one_is(&ward, "waiting", attempt);
            assert_eq!(waiting["last_failure"], "deferred");
            let due: chrono::DateTime<chrono::Utc> = waiting["next_at"].as_str().unwrap().parse().unwrap();
            assert_eq!((due - ward.context().clock.now()).num_minutes(), minutes);
            advance(&ward, Duration::minutes(minutes));
        }
        let dead = one_is(&ward, "dead", ATTEMPTS_MAX);
        assert_eq!(dead["last_failure"], "deferred");
        assert_eq!(server.connections(), usize::try_from(ATTEMPTS_MAX).unwrap());
        assert!(server.taken().is_empty());
    }

    fn one_deferred_mail_arrives_when_the_server_takes_it(ward) {
        let (mut ward, server) = (ward, MailServer::start());
        served_by(&mut ward, &server);
        server.becomes(Mood::Says(Stage::Taken, "452 4.3.1 disk full"));
        tell(&ward, &[duty("duty", reader("a", Language::English), "Office")]);
        one_is(&ward, "waiting", 1);
        server.becomes(Mood::Good);
        assert!(server.taken().is_empty());
        advance(&ward, Duration::minutes(1));
        server.takes(1);
        one_is(&ward, "sent", 2);
    }

    fn a_server_that_goes_away_loses_nothing(ward) {
        let (mut ward, server) = (ward, MailServer::start());
        served_by(&mut ward, &server);
        for (n, stage) in [(1, Stage::Greeting), (2, Stage::Recipient), (3, Stage::Data)] {
            server.becomes(Mood::Leaves(stage));
            tell(&ward, &[duty(&format!("duty{n}"), reader("a", Language::English), "Office")]);
            let waiting = one_is(&ward, "waiting", 1);
            assert_eq!(waiting["last_failure"], "unreachable", "{stage:?}");
            assert_eq!(server.taken().len(), n - 1, "{stage:?}");
            server.becomes(Mood::Good);
            advance(&ward, Duration::minutes(1));
            server.takes(n);
        }
    }

    /// What SMTP cannot tell apart: whether the server took the mail before it went away. It is sent again, and the two are
    /// recognisably the same.
    fn a_server_that_goes_away_before_it_says_so_gets_the_same_mail_again(ward) {
        let (mut ward, server) = (ward, MailServer::start());
        served_by(&mut ward, &server);
        server.becomes(Mood::Leaves(Stage::Taken));
        tell(&ward, &[duty("duty", reader("a", Language::English), "Office")]);
        one_is(&ward, "waiting", 1);
        server.becomes(Mood::Good);
        advance(&ward, Duration::minutes(1));
        let taken = server.takes(2);
        assert_eq!(message_ids(&taken).len(), 1, "{taken:#?}");
        one_is(&ward, "sent", 2);
    }

    fn a_server_that_hangs_is_left_in_the_end(ward) {
        let (mut ward, server) = (ward, MailServer::start());
        ward.restart(|settings| {
            server.serves(settings);
            settings.smtp_timeout_seconds = 1;
        });
        for (n, stage) in [(1, Stage::Greeting), (2, Stage::Recipient), (3, Stage::Data)] {
            server.becomes(Mood::Hangs(stage));
            tell(&ward, &[duty(&format!("duty{n}"), reader("a", Language::English), "Office")]);
            assert_eq!(one_is(&ward, "waiting", 1)["last_failure"], "timed_out", "{stage:?}");
            server.becomes(Mood::Good);
            advance(&ward, Duration::minutes(1));
            server.takes(n);
        }
    }

    /// A timeout of minutes does not keep the service from going down, and the mail goes out after the next start.
    fn a_server_that_hangs_does_not_hold_up_the_end_of_the_service(ward) {
        let (mut ward, server) = (ward, MailServer::start());
        ward.restart(|settings| {
            server.serves(settings);
            settings.smtp_timeout_seconds = 600;
        });
        server.becomes(Mood::Hangs(Stage::Recipient));
        tell(&ward, &[duty("duty", reader("a", Language::English), "Office")]);
        eventually("the server to be asked", || (server.lines().iter().any(|line| line.starts_with("RCPT"))).then_some(()));
        let begun = Stopwatch::now();
        server.becomes(Mood::Good);
        served_by(&mut ward, &server);
        assert!(begun.elapsed() < Time::from_secs(30), "{:?}", begun.elapsed());
        assert!(server.taken().is_empty());
        // Whoever had it might still be sending: it is nobody's until the claim has run out.
        advance(&ward, Duration::seconds(631));
        server.takes(1);
    }

    fn nothing_goes_to_a_server_that_cannot_prove_who_it_is(ward) {
        let mut ward = ward;
        for tls in [SmtpTls::Starttls, SmtpTls::Tls] {
            let good = MailServer::with(Ways { tls, wants_password: true, ..Ways::default() });
            let named_otherwise = MailServer::with(Ways { tls, wants_password: true, name: "other.example", ..Ways::default() });
            for (server, knows_it) in [(&named_otherwise, true), (&good, false)] {
                ward.restart(|settings| {
                    server.serves(settings);
                    if !knows_it {
                        settings.smtp_ca_file = std::path::PathBuf::new();
                    }
                });
                tell(&ward, &[duty(&format!("{tls:?}-{knows_it}"), reader("a", Language::English), "Office")]);
                let waiting = one_is(&ward, "waiting", 1);
                assert_eq!(waiting["last_failure"], "untrusted", "{tls:?}");
                assert!(server.taken().is_empty() && server.lines().iter().all(|line| line.starts_with("EHLO") || line.starts_with("STARTTLS")), "{:?}", server.lines());
                // Not to be tried again with the next server.
                ward.restart(|_| {});
                advance(&ward, Duration::minutes(1));
                eventually("it to go elsewhere", || mails(&ward, "waiting").is_empty().then_some(()));
            }
            ward.restart(|settings| good.serves(settings));
            tell(&ward, &[duty(&format!("{tls:?}"), reader("a", Language::English), "Office")]);
            let taken = good.takes(1);
            assert!(taken[0].encrypted && taken[0].signed_in, "{taken:?}");
        }
    }

    fn without_the_tls_that_was_promised_there_is_neither_password_nor_mail(ward) {
        let mut ward = ward;
        let server = MailServer::with(Ways { tls: SmtpTls::Starttls, offers_starttls: false, wants_password: true, ..Ways::default() });
        served_by(&mut ward, &server);
        tell(&ward, &[duty("duty", reader("a", Language::English), "Office")]);
        assert_eq!(one_is(&ward, "waiting", 1)["last_failure"], "untrusted");
        assert!(server.taken().is_empty() && server.lines().iter().all(|line| line.starts_with("EHLO")), "{:?}", server.lines());
    }

    fn a_wrong_password_gives_no_mail_up(ward) {
        let mut ward = ward;
        let server = MailServer::with(Ways { tls: SmtpTls::Starttls, wants_password: true, ..Ways::default() });
        ward.restart(|settings| {
            server.serves(settings);
            settings.smtp_password = Secret("wrong".to_owned());
        });
        tell(&ward, &[duty("duty", reader("a", Language::English), "Office")]);
        assert_eq!(one_is(&ward, "waiting", 1)["last_failure"], "sign_in");
        ward.restart(|settings| {
            server.serves(settings);
            settings.smtp_user = String::new();
            settings.smtp_password = Secret::default();
        });
        advance(&ward, Duration::minutes(1));
        assert_eq!(one_is(&ward, "waiting", 2)["last_failure"], "sign_in", "a server that wants one, and none is configured");
        served_by(&mut ward, &server);
        advance(&ward, Duration::minutes(6));
        assert!(server.takes(1)[0].signed_in);
        assert!(server.lines().iter().all(|line| !line.contains(PASSWORD)));
    }

    fn a_sender_who_is_refused_gives_no_mail_up(ward) {
        let (mut ward, server) = (ward, MailServer::start());
        served_by(&mut ward, &server);
        server.becomes(Mood::Says(Stage::Sender, "550 5.7.1 you are nobody"));
        tell(&ward, &[duty("duty", reader("a", Language::English), "Office")]);
        assert_eq!(one_is(&ward, "waiting", 1)["last_failure"], "sign_in");
        server.becomes(Mood::Good);
        advance(&ward, Duration::minutes(1));
        server.takes(1);
    }

    fn an_address_that_the_server_cannot_carry_is_given_up(ward) {
        let (mut ward, server) = (ward, MailServer::start());
        served_by(&mut ward, &server);
        let mut to = reader("a", Language::Chinese);
        to.address = "王伟@example.org".parse().unwrap();
        tell(&ward, &[duty("duty", to, "Office")]);
        assert_eq!(one_is(&ward, "dead", 1)["last_failure"], "unsendable");
        assert!(server.lines().iter().all(|line| !line.starts_with("RCPT")));
    }

    fn the_list_of_mail_is_paged_and_shows_neither_words_nor_addresses(ward) {
        let (mut ward, server) = (ward, MailServer::start());
        served_by(&mut ward, &server);
        server.becomes(Mood::Says(Stage::Recipient, "550 no"));
        let many: Vec<_> = (0..25).map(|n| code(&format!("n{n}"), reader(&format!("wang{n}"), Language::English), "739104")).collect();
        tell(&ward, &many);
        eventually("all to be given up", || (mails(&ward, "dead").len() == 25).then_some(()));
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let reply = ward.ask("GET", &format!("/api/v1/admin/mail?limit=10{cursor}")).by(Role::Admin).send();
            assert!(!reply.text.contains("wang") && !reply.text.contains("739104"), "{}", reply.text);
            let page = reply.json();
            seen.extend(page["items"].as_array().unwrap().iter().map(|mail| mail["id"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 25);
        assert!(seen.is_sorted_by(|newer, older| newer > older));
        assert_eq!(ward.ask("GET", "/api/v1/admin/mail?state=lost").by(Role::Admin).send().status, 400);
        let metrics = ward.get("/metrics").text;
        for name in ["wardbook_mail_waiting", "wardbook_mail_dead", "wardbook_mail_oldest_seconds", "wardbook_mail_failed_total{failure=\"refused\"}"] {
            assert!(metrics.contains(name), "{name}");
        }
    }
}

/// Two instances over one PostgreSQL: one sends, and when it ends the other goes on.
#[test]
fn several_instances_send_each_mail_once() {
    let Some(database) = PostgresDatabase::make() else {
        return;
    };
    let server = MailServer::start();
    let mut one = Ward::with(Some(database), |settings| server.serves(settings));
    let mut settings = one.server().house.as_ref().unwrap().settings.clone();
    settings.listen = "127.0.0.1:0".parse().unwrap();
    let other = wardbook::app::server::Server::start(settings, crate::harness::start()).unwrap();
    let many = |from: usize| -> Vec<_> {
        (from..from + 40)
            .map(|n| {
                duty(
                    &format!("n{n}"),
                    reader(&format!("r{n}"), Language::English),
                    "Office",
                )
            })
            .collect()
    };
    tell(&one, &many(0));
    assert_eq!(message_ids(&server.takes(40)).len(), 40);
    tell(&one, &many(40));
    one.server.take().unwrap().stop().unwrap();
    assert_eq!(message_ids(&server.takes(80)).len(), 80);
    other.stop().unwrap();
    assert_eq!(server.taken().len(), 80);
    one.restart(|_| {});
}
