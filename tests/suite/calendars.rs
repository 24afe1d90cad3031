//! Calendars of deadlines: of a book, and of all that somebody follows, at a secret address. That it follows what moves, tells nothing of bids, and that the address stands
//! nowhere.

use serde_json::{Value, json};
use wardbook::kernel::party::OrganisationId;
use wardbook::people::secrets::hash_of;
use wardbook::publish::acts_calendar_links as acts;
use wardbook::publish::rules_calendars::BOOKS_MAX;
use wardbook::web::actor::{Actor, Grant};
use wardbook::web::policy::Role;

use crate::addenda::addendum;
use crate::bids::{Bidder, Tender};
use crate::books::{Office, ok};
use crate::harness::{Person, Reply, Ward};
use crate::on_both;
use crate::organisations::{CODES, refused, sql};
use crate::outbox::lines;
use crate::process::Site;
use crate::treasury::{CATEGORY, made, posts, yuan};

const LINK: &str = "/api/v1/me/calendar-link";

fn asks(ward: &Ward, who: &Person, method: &str, path: &str) -> Reply {
    ward.ask(method, path).in_session(who.access()).send()
}

/// Makes a link, and what of its address comes after the service's own.
fn link(ward: &Ward, who: &Person) -> String {
    let reply = asks(ward, who, "POST", LINK);
    assert_eq!(reply.status, 201, "{}", reply.text);
    let url = reply.json()["url"].as_str().unwrap().to_owned();
    url.strip_prefix("http://ward.test").unwrap().to_owned()
}

fn follows(ward: &Ward, who: &Person, what: &Value) -> Reply {
    ward.ask("POST", "/api/v1/me/follows")
        .in_session(who.access())
        .json(what)
        .send()
}

/// A calendar, without its folds.
fn read(ward: &Ward, path: &str) -> String {
    let reply = ward.get(path);
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    assert_eq!(reply.header("content-type"), Some("text/calendar; charset=utf-8"));
    assert!(
        reply
            .text
            .split("\r\n")
            .all(|line| line.len() <= 75 && !line.contains('\n'))
    );
    reply.text.replace("\r\n ", "")
}

/// The events of a calendar, each by its id.
fn events(calendar: &str) -> Vec<(String, String)> {
    let events = calendar.split("BEGIN:VEVENT\r\n").skip(1);
    let known = events.map(|event| {
        let id = event.strip_prefix("UID:").unwrap().split("\r\n").next().unwrap();
        (id.to_owned(), event.to_owned())
    });
    known.collect()
}

fn one<'e>(events: &'e [(String, String)], id: &str) -> &'e str {
    let mut of_id = events.iter().filter(|(known, _)| known == id);
    let (_, event) = of_id
        .next()
        .unwrap_or_else(|| panic!("{id} is not among {events:?}"));
    assert!(of_id.next().is_none(), "{id} is there twice");
    event
}

on_both! { in "test";
    fn a_calendar_has_the_deadlines_of_what_is_followed(ward) {
        let office = Office::new(&ward);
        let mut body = office.whole(&ward);
        let draft = office.drafts(&ward, &body);
        let (first, _) = office.published(&ward, &body);
        body["content"]["lots"][0]["ceiling"] = yuan("1.00");
        body["content"]["title_en"] = json!("Another; of two, with 'signs'");
        let (second, _) = office.published(&ward, &body);
        let follower = ward.person("follower", &[]);
        let secret = link(&ward, &follower);
        assert_eq!(events(&read(&ward, &secret)), []);

        assert_eq!(follows(&ward, &follower, &json!({"book_id": first})).status, 201);
        let calendar = read(&ward, &secret);
        let of_first = events(&calendar);
        assert_eq!(of_first.len(), 6, "{calendar}");
        assert!(!calendar.contains(&second) && !calendar.contains(&draft) && !calendar.contains(&follower.id) && !calendar.contains("follower"), "{calendar}");
        let bids = one(&of_first, &format!("{first}-bids@wardbook"));
        assert!(bids.contains("DTSTART:20260401T010000Z\r\n") && bids.contains(&format!("URL:http://ward.test/api/v1/contract-books/{first}\r\n")), "{bids}");
        assert!(one(&of_first, &format!("{first}-until@wardbook")).contains("DTSTART;VALUE=DATE:20270430\r\n"));
        // The book's own calendar has just the same events.
        assert_eq!(events(&read(&ward, &format!("/api/v1/contract-books/{first}/calendar"))), of_first);

        // By its category another one comes, and none twice.
        assert_eq!(follows(&ward, &follower, &json!({"category": CATEGORY})).status, 201);
        let both = events(&read(&ward, &format!("{secret}?lang=en")));
        assert_eq!(both.len(), 12);
        assert!(one(&both, &format!("{second}-bids@wardbook")).contains("SUMMARY:Bids until: Another\\; of two\\, with 'signs'\r\n"));
        let zh = ward.ask("GET", &secret).header("accept-language", "zh-CN").send();
        assert!(zh.text.contains("SUMMARY:投标截止：") && !zh.text.contains("Bids until"), "{}", zh.text);
        let en = ward.ask("GET", &secret).header("accept-language", "en").send();
        assert!(en.text.contains("SUMMARY:Bids until: ") && !en.text.contains("投标截止"), "{}", en.text);
        let fr = ward.get(&format!("{secret}?lang=fr"));
        assert_eq!((fr.status, fr.faults()), (400, vec![("?lang".to_owned(), "not_one_of".to_owned())]));
        assert_eq!(ward.get(&format!("{secret}?theme=dark")).status, 400);

        // A copy that is current is not sent again; one of another language is another copy.
        let got = ward.get(&secret);
        let etag = got.header("etag").unwrap().to_owned();
        assert_eq!((got.header("cache-control"), got.header("x-robots-tag")), (Some("private, no-cache"), Some("noindex")));
        let again = |path: &str| ward.ask("GET", path).header("if-none-match", &etag).send();
        assert_eq!((again(&secret).status, again(&secret).text.as_str(), again(&secret).header("etag")), (304, "", Some(etag.as_str())));
        assert_eq!(again(&format!("{secret}?lang=en")).status, 200);
        assert_eq!(ward.ask("HEAD", &secret).send().status, 200);

        // A deadline that moves is the same event with a higher number, changed later.
        ward.context().clock.advance("2026-03-05T01:02:03Z".parse().unwrap());
        let before = ok(&ward.get(&format!("/api/v1/contract-books/{first}")));
        let entered = addendum(&before, |content| {
            content["timetable"]["bid_deadline"] = json!("2026-04-08T01:00:00Z");
            content["timetable"]["opening"] = json!("2026-04-08T01:00:00Z");
        });
        let written = made(&posts(&ward, &office.officer, &format!("/contract-books/{first}/addenda"), Some(&entered)));
        ok(&posts(&ward, &office.approver, &format!("/addenda/{written}/publication"), None));
        assert_eq!(again(&secret).status, 200);
        let moved = events(&read(&ward, &secret));
        let event = one(&moved, &format!("{first}-bids@wardbook"));
        assert!(event.contains("DTSTART:20260408T010000Z\r\n") && event.contains("LAST-MODIFIED:20260305T010203Z\r\n") && event.contains("DTSTAMP:20260305T010203Z\r\n"), "{event}");
        let number = |event: &str| -> i64 { event.split("SEQUENCE:").nth(1).unwrap().split("\r\n").next().unwrap().parse().unwrap() };
        assert!(number(event) > number(bids), "{event} {bids}");

        // What is cancelled is called off, and what is followed no longer is gone.
        let why = json!({"reason_zh": "预算调整", "reason_en": "The budget was cut"});
        ok(&posts(&ward, &office.approver, &format!("/contract-books/{second}/cancellation"), Some(&why)));
        let cancelled = events(&read(&ward, &secret));
        assert!(one(&cancelled, &format!("{second}-bids@wardbook")).contains("STATUS:CANCELLED\r\n"));
        assert!(!one(&cancelled, &format!("{first}-bids@wardbook")).contains("STATUS:"));
        let session = ward.sign_in(&follower.email, &follower.password).json();
        let again = |method: &str, path: &str| ward.ask(method, path).in_session(session["access_token"].as_str().unwrap()).send();
        let own = again("GET", "/api/v1/me/follows").json();
        for follow in own["items"].as_array().unwrap() {
            assert_eq!(again("DELETE", &format!("/api/v1/me/follows/{}", follow["id"].as_str().unwrap())).status, 200);
        }
        assert_eq!(events(&read(&ward, &secret)), []);
    }

    fn a_link_is_made_anew_and_ended_and_its_secret_stands_nowhere(ward) {
        let (one, other) = (ward.person("one", &[]), ward.person("other", &[]));
        assert_eq!(asks(&ward, &one, "GET", LINK).json(), json!({"made_at": null}));
        refused(&asks(&ward, &one, "DELETE", LINK), 404, "not_found");
        let made = asks(&ward, &one, "POST", LINK);
        assert_eq!((made.status, made.header("location")), (201, Some(LINK)));
        let url = made.json()["url"].as_str().unwrap().to_owned();
        let token = url.strip_prefix("http://ward.test/calendars/").unwrap().to_owned();
        assert_eq!(token.len(), 43);
        assert_eq!(asks(&ward, &one, "GET", LINK).json(), json!({"made_at": made.json()["made_at"]}));
        assert_eq!(asks(&ward, &other, "GET", LINK).json(), json!({"made_at": null}));
        let path = |token: &str| format!("/calendars/{token}");
        read(&ward, &path(&token));

        // The same request once more makes no other, and does not show it again.
        let with_key = || ward.ask("POST", LINK).in_session(other.access()).header("idempotency-key", "k").send();
        let (first, again) = (with_key(), with_key());
        let its = first.json()["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        assert_eq!((first.status, again.status, &again.json()["url"]), (201, 201, &Value::Null), "{}", again.text);
        read(&ward, &path(&its));

        // Another one takes its place; whatever is no link is answered alike.
        let newer = link(&ward, &one);
        read(&ward, &newer);
        assert_eq!(asks(&ward, &other, "DELETE", LINK).status, 200);
        let suspended = link(&ward, &other);
        assert_eq!(ward.post(&format!("/api/v1/accounts/{}/suspension", other.id), &json!({})).status, 200);
        let without_id = |reply: &Reply| reply.text.split("request_").next().unwrap_or_default().to_owned();
        let never = ward.get(&path("JbZrLp3J0o4qYc5vKcW2mX8fTq1uHn6sAeRgDkVyBwM"));
        refused(&never, 404, "not_found");
        for gone in [path(&token), path(&its), suspended.clone(), path("x"), path("%2F"), path(&"a".repeat(4_000))] {
            let reply = ward.get(&gone);
            assert_eq!((reply.status, without_id(&reply)), (404, without_id(&never)), "{gone}");
        }
        assert_eq!(ward.post(&format!("/api/v1/accounts/{}/reinstatement", other.id), &json!({})).status, 200);
        read(&ward, &suspended);

        // Only a person in a session makes one; a machine's token would be outlived by it.
        let machine = crate::cast::person(&ward, &[Grant::of(Role::Resident)]);
        refused(&machine.asks(&ward, "POST", LINK).send(), 403, "scope_missing");
        refused(&ward.ask("POST", LINK).by(Role::Admin).send(), 409, "session_needed");
        assert_eq!((ward.get(LINK).status, ward.ask("POST", LINK).send().status, ward.ask("DELETE", LINK).send().status), (401, 401, 401));

        // The log says that links were made and ended, and by which account no more than elsewhere; secrets stand neither there nor in any table.
        assert_eq!((ward.events("calendar_link.made").len(), ward.events("calendar_link.ended").len()), (4, 2));
        let secrets = [token.clone(), its, newer.rsplit('/').next().unwrap().to_owned(), suspended.rsplit('/').next().unwrap().to_owned()];
        let told = [ward.events("calendar_link.made"), ward.events("calendar_link.ended")].concat();
        let told: String = told.iter().map(Value::to_string).collect();
        let answers = lines(&ward, "SELECT body AS line FROM idempotency_keys").concat();
        let entries: Vec<String> = lines(&ward, "SELECT coalesce(content, '') AS line FROM audit_private");
        for secret in &secrets {
            assert!(!told.contains(secret) && !answers.contains(secret) && !entries.concat().contains(secret));
        }
        let hashes = lines(&ward, match ward.house().settings.database_url.as_str() {
            "" => "SELECT lower(hex(secret_sha256)) AS line FROM calendar_links",
            _ => "SELECT encode(secret_sha256, 'hex') AS line FROM calendar_links",
        });
        assert_eq!((hashes.len(), hashes.contains(&hex::encode(hash_of(&secrets[2])))), (2, true));
        assert!(sql(&ward, "UPDATE calendar_links SET made_at = made_at").is_err(), "another secret is another link");
    }

    fn a_calendar_does_not_tell_who_bids(ward) {
        let tender = Tender::new(&ward);
        let book = tender.book["id"].as_str().unwrap().to_owned();
        let jie = Bidder::new(&ward, "洁城公司", CODES[0]);
        let bid = jie.bid(&ward, &tender, "500");
        assert_eq!(jie.submits(&ward, &tender, &bid, None).status, 201);
        let organisation: OrganisationId = jie.id.parse().unwrap();
        let colleague = ward.person("colleague", &[Grant::of(Role::SupplierAgent).in_organisation(organisation)]);
        // Neither to who has sealed it nor to who acts for the same supplier, and a saved search that finds the book is no following of it.
        let account = jie.agent.id.to_string();
        let sealer = ward.context().db.write_and_wait(move |tx| acts::make(tx, &Actor::in_session(account.clone(), "session_x".into(), Vec::new()))).unwrap();
        let saved = ward.ask("POST", "/api/v1/me/saved-searches").in_session(colleague.access()).json(&json!({"name": "环卫", "question": {"category": CATEGORY}})).send();
        assert_eq!(saved.status, 201, "{}", saved.text);
        let paths = [format!("/calendars/{}", sealer.1.as_str()), link(&ward, &colleague)];
        for path in &paths {
            let calendar = read(&ward, path);
            assert!(events(&calendar).is_empty() && !calendar.contains(&book), "{calendar}");
        }
        let empty = read(&ward, &paths[0]);
        assert_eq!(empty, read(&ward, &paths[1]), "nothing of the account is in it");
        assert_eq!(follows(&ward, &colleague, &json!({"book_id": book})).status, 201);
        assert_eq!(events(&read(&ward, &paths[1])).len(), 6);
        assert_eq!(read(&ward, &paths[0]), empty);
    }

    fn a_calendar_has_so_many_books_and_no_more(ward) {
        let office = Office::new(&ward);
        let (oldest, _) = office.published(&ward, &office.whole(&ward));
        let follower = ward.person("follower", &[]);
        let secret = link(&ward, &follower);
        assert_eq!(follows(&ward, &follower, &json!({"book_id": oldest})).status, 201);
        assert_eq!(follows(&ward, &follower, &json!({"category": CATEGORY})).status, 201);
        // As many more of the category as may be in one calendar, each published later.
        let columns = lines(&ward, match ward.house().settings.database_url.as_str() {
            "" => "SELECT name AS line FROM pragma_table_info('books') ORDER BY cid",
            _ => "SELECT column_name::text AS line FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'books' ORDER BY ordinal_position",
        });
        for n in 0..BOOKS_MAX {
            let values: Vec<String> = columns.iter().map(|column| match column.as_str() {
                "id" => format!("'book_{n:026}'"),
                "published_at" => format!("'2026-03-03 00:{:02}:{:02}'", n / 60, n % 60),
                other => other.to_owned(),
            }).collect();
            sql(&ward, &format!("INSERT INTO books ({}) SELECT {} FROM books WHERE id = '{oldest}'", columns.join(", "), values.join(", "))).unwrap();
        }
        let known = events(&read(&ward, &secret));
        assert_eq!(known.len(), 6 * BOOKS_MAX);
        // The one that is followed itself stays; of the others the oldest makes room.
        one(&known, &format!("{oldest}-bids@wardbook"));
        let bids = |n: usize| format!("book_{n:026}-bids@wardbook");
        assert!(known.iter().any(|(id, _)| *id == bids(1)) && known.iter().all(|(id, _)| *id != bids(0)));
    }

    fn whoever_guesses_is_stopped_and_who_knows_is_not_held_up_before(ward) {
        let person = ward.person("one", &[]);
        let secret = link(&ward, &person);
        for _ in 0..120 {
            assert_eq!(ward.get(&secret).status, 200, "what is right does not count");
        }
        let statuses: Vec<u16> = (0..102).map(|n| ward.get(&format!("/calendars/guess{n}")).status).collect();
        assert_eq!(statuses, [vec![404; 100], vec![429; 2]].concat());
        assert_eq!(ward.get(&secret).status, 429, "or a guess that is right would be told from others");
        let now = ward.context().clock.now();
        ward.context().clock.advance(now + chrono::Duration::minutes(16));
        assert_eq!(ward.get(&secret).status, 200);
    }
}

#[test]
fn the_secret_of_an_address_is_not_in_the_log_of_operation() {
    let site = Site::sqlite();
    let server = site
        .start_with(&[("WARDBOOK_LOG_LEVEL", "info,wardbook=trace".to_owned())])
        .ready();
    let secret = "JbZrLp3J0o4qYc5vKcW2mX8fTq1uHn6sAeRgDkVyBwM";
    let asked = ureq::get(server.url(&format!("/calendars/{secret}")))
        .config()
        .http_status_as_error(false)
        .build()
        .call()
        .unwrap();
    assert_eq!(asked.status(), 404);
    server.get("/health/live");
    crate::faults::eventually("the log to have it", || {
        server.log().contains("/calendars/{token}").then_some(())
    });
    assert!(!server.log().contains(secret), "{}", server.log());
}
