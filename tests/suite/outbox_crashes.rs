//! Mail and a process that is killed: between the act and the sending, in the middle of a dialogue, and under load. Nothing is
//! lost; what is sent twice is recognisably the same, and no more than was on its way.

use std::collections::BTreeMap;

use chrono::Duration;
use serde_json::json;
use wardbook::app::demo;
use wardbook::app::server::House;
use wardbook::app::settings::{ClockKind, Environment, Settings};
use wardbook::db::writer::Tx;
use wardbook::kernel::clock::rfc3339;
use wardbook::kernel::text::Language;
use wardbook::outbox::notice::Notice;
use wardbook::outbox::store;
use wardbook::web::policy::Role;

use crate::faults::eventually;
use crate::harness::{PostgresDatabase, account};
use crate::on_both_sites;
use crate::outbox::{code, duty, reader, record};
use crate::process::{PUBLIC_URL, Process, Site};
use crate::smtp::{MailServer, Mood, Stage};

/// Mails on their way at the same time, at most.
const ON_THE_WAY: usize = 8;

/// The site's ward, without a server.
fn house(site: &Site) -> House {
    let settings = Settings {
        environment: Environment::Development,
        clock: ClockKind::Simulated,
        public_url: PUBLIC_URL.to_owned(),
        data_dir: site.dir.path().join("data"),
        database_url: site
            .database
            .as_ref()
            .map(PostgresDatabase::url)
            .unwrap_or_default(),
        ..Settings::default()
    };
    House::open(settings, demo::start()).unwrap()
}

/// Queues mail with an act, beside whatever serves the site.
fn tell(site: &Site, notices: Vec<Notice>) {
    let house = house(site);
    let act = move |tx: &mut Tx<'_>| {
        record(tx)?;
        notices
            .iter()
            .try_for_each(|notice| store::enqueue(tx, notice).map(|_| ()))
    };
    house.context.db.write_and_wait(act).unwrap();
    house.close();
}

/// Moves the clock of a served ward.
fn move_clock(site: &Site, server: &Process, by: Duration) {
    let house = house(site);
    let now = house.context.clock.now();
    let token = house
        .context
        .tokens
        .issue(&account(Role::Admin), &[Role::Admin], Duration::hours(24), now)
        .unwrap();
    house.close();
    let reply = ureq::post(server.url("/api/v1/dev/clock"))
        .header("authorization", format!("Bearer {token}"))
        .content_type("application/json")
        .send(json!({ "now": rfc3339(now + by) }).to_string())
        .unwrap();
    assert_eq!(reply.status(), 200);
}

/// How often each mail was taken, by its `Message-ID`.
fn by_id(server: &MailServer) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for mail in server.taken() {
        *counts.entry(mail.header("Message-ID")).or_default() += 1;
    }
    counts
}

fn many(count: usize) -> Vec<Notice> {
    (0..count)
        .map(|n| {
            duty(
                &format!("n{n}"),
                reader(&format!("wang{n}"), Language::English),
                "Secret Office",
            )
        })
        .collect()
}

on_both_sites! {
    fn killed_between_the_act_and_the_sending_it_loses_no_mail(site) {
        let mails = MailServer::start();
        mails.becomes(Mood::Hangs(Stage::Recipient));
        let mut notices = many(20);
        notices.push(code("code", reader("wang", Language::English), "739104"));
        tell(site, notices);
        let mut server = site.start_with(&mails.environment()).ready();
        eventually("some to be on their way", || {
            let asked = mails.lines().iter().filter(|line| line.starts_with("RCPT")).count();
            (asked == ON_THE_WAY).then_some(())
        });
        server.kill();
        assert!(mails.taken().is_empty());

        mails.becomes(Mood::Good);
        let server = site.start_with(&mails.environment()).ready();
        // What nobody had begun to send goes out at once, the rest when the claims of the dead process have run out.
        eventually("the others to arrive", || (by_id(&mails).len() == 21 - ON_THE_WAY).then_some(()));
        move_clock(site, &server, Duration::hours(1));
        mails.takes(21);
        assert!(by_id(&mails).values().all(|count| *count == 1));

        let log = server.log();
        assert!(log.contains("this instance sends the mail now"), "{log}");
        for secret in ["example.org", "wang", "Wang", "739104", "Secret Office"] {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
    }

    fn killed_in_the_middle_of_sending_it_sends_again_only_what_was_on_its_way(site) {
        const MANY: usize = 150;
        let mails = MailServer::start();
        tell(site, many(MANY));
        let mut kills = 0;
        for wanted in [30, 70, 110] {
            let mut server = site.start_with(&mails.environment()).ready();
            move_clock(site, &server, Duration::hours(1));
            eventually("mail to arrive", || (by_id(&mails).len() >= wanted).then_some(()));
            server.kill();
            kills += 1;
        }
        let server = site.start_with(&mails.environment()).ready();
        move_clock(site, &server, Duration::hours(1));
        eventually("every mail to arrive", || (by_id(&mails).len() == MANY).then_some(()));
        let twice = mails.taken().len() - MANY;
        assert!(twice <= kills * ON_THE_WAY, "{twice} sent again");
    }
}
