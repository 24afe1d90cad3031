//! Mail: queued with an act or not at all, sent once, in the language of its reader, and not a word of it anywhere else.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use serde_json::{Value, json};
use wardbook::audit;
use wardbook::audit::entry::Event;
use wardbook::both;
use wardbook::db::writer::Tx;
use wardbook::kernel::refusal::{Answer, Fault};
use wardbook::kernel::text::Language;
use wardbook::outbox::content::{FollowedHappened, RoleTaken, SignInCode};
use wardbook::outbox::notice::{Notice, Recipient};
use wardbook::outbox::store;
use wardbook::outbox::wording::Both;
use wardbook::web::actor::Actor;
use wardbook::web::policy::Role;

use crate::faults::eventually;
use crate::harness::{Reply, Ward, account};
use crate::on_both;

/// Somebody with an account.
pub fn reader(account: &str, language: Language) -> Recipient {
    let address = format!("{account}@example.org").parse().unwrap();
    Recipient::account(&format!("user_{account}"), address, "Wang Wei", language)
}

/// A code to sign in with.
pub fn code(key: &str, to: Recipient, digits: &str) -> Notice {
    let code = digits.to_owned();
    Notice::new(key, to, SignInCode { code, minutes: 10 })
}

/// Something that has to be acted on.
pub fn duty(key: &str, to: Recipient, organisation: &str) -> Notice {
    let facts = RoleTaken {
        role: Both::new("评审员", "evaluator"),
        organisation: Both::same(organisation),
    };
    Notice::new(key, to, facts)
}

/// Something that is only followed.
pub fn news(key: &str, to: Recipient, what: &str) -> Notice {
    let facts = FollowedHappened {
        what: Both::same(what),
        happened: Both::new("已开标。", "Bids have been opened."),
        path: "/contract-books/book_1".to_owned(),
    };
    Notice::new(key, to, facts)
}

/// An event for acts that are only about mail.
pub fn record(tx: &mut Tx<'_>) -> Answer<()> {
    let event = Event {
        kind: "test.told",
        subject: "test".to_owned(),
        data: Value::Null,
        private: Value::Null,
    };
    audit::store::append(tx, &Actor::system(), &event).map(|_| ())
}

/// An act that tells these things. Says which of them were told for the first time.
pub fn tell(ward: &Ward, notices: &[Notice]) -> Vec<bool> {
    let notices = notices.to_vec();
    let act = move |tx: &mut Tx<'_>| {
        record(tx)?;
        notices.iter().map(|notice| store::enqueue(tx, notice)).collect()
    };
    ward.context().db.write_and_wait(act).unwrap()
}

/// The mails that were written to files, by name.
pub fn files(ward: &Ward) -> BTreeMap<String, String> {
    let Ok(entries) = std::fs::read_dir(ward.dir.path().join("mail")) else {
        return BTreeMap::new();
    };
    entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "eml"))
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

/// Waits until this many mails were written to files.
pub fn written(ward: &Ward, count: usize) -> Vec<String> {
    eventually("mail to be written", || {
        let files = files(ward);
        assert!(files.len() <= count, "{files:#?}");
        (files.len() == count).then(|| files.into_values().collect())
    })
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The lines of a query that names its one column `line`.
pub fn lines(ward: &Ward, query: &str) -> Vec<String> {
    let found = ward.context().db.read_and_wait(|conn| {
        let rows: Vec<Line> = both!(conn, c => sql_query(query).load(c))?;
        Ok(rows.into_iter().map(|row| row.line).collect())
    });
    found.unwrap()
}

/// Mail that stands where none can: what the table's own checks do not see.
pub fn impossible(ward: &Ward) -> Vec<String> {
    let query = "SELECT id || ' is ' || state || ' after ' || attempts || ' attempts' AS line FROM outbox o WHERE \
         (state = 'waiting' AND attempts > 10) OR (state = 'sent' AND attempts = 0) \
         OR (state = 'dead' AND (attempts = 0 OR last_failure IS NULL)) \
         OR (state IN ('held', 'collected') AND category = 'security') \
         OR (state = 'dropped' AND facts IS NOT NULL AND secret) \
         OR (state = 'collected' AND NOT EXISTS (SELECT 1 FROM outbox d WHERE d.id = o.digest_id AND d.kind = 'digest')) \
         OR (ended_at < created_at) OR (name IS NULL AND address IS NOT NULL)";
    lines(ward, query)
}

on_both! {
    fn mail_is_told_with_its_act_or_not_at_all(ward) {
        let db = &ward.context().db;
        let undone: Answer<()> = db.write_and_wait(|tx| {
            record(tx)?;
            store::enqueue(tx, &duty("undone", reader("a", Language::English), "Undone"))?;
            Err(Fault::broken("changed its mind").into())
        });
        assert!(undone.is_err());
        assert_eq!(tell(&ward, &[duty("done", reader("a", Language::English), "Done")]), [true]);
        let mails = written(&ward, 1);
        assert!(mails[0].contains("evaluator of Done"), "{}", mails[0]);
    }

    fn what_is_told_twice_is_sent_once(ward) {
        let notice = duty("same", reader("a", Language::English), "Same");
        assert_eq!(tell(&ward, &[notice.clone(), notice.clone()]), [true, false]);
        written(&ward, 1);
        assert_eq!(tell(&ward, &[notice, duty("other", reader("a", Language::English), "Other")]), [false, true]);
        written(&ward, 2);
    }

    fn each_reader_has_it_in_their_own_language(ward) {
        tell(&ward, &[code("zh", reader("a", Language::Chinese), "111111"), code("en", reader("b", Language::English), "222222")]);
        let mails = written(&ward, 2);
        let of = |address: &str| mails.iter().find(|mail| mail.contains(&format!("<{address}>"))).unwrap();
        assert!(of("b@example.org").contains("Subject: Your code to sign in"));
        assert!(of("b@example.org").contains("222222"));
        assert!(of("a@example.org").contains("Subject: =?utf-8?"));
    }

    fn nothing_is_sent_before_its_time_or_after_it(ward) {
        let clock = ward.context().clock.clone();
        let now = clock.now();
        let hour = chrono::Duration::hours(1);
        let later = duty("later", reader("a", Language::English), "Tuesday").not_before(now + hour);
        let late = duty("late", reader("a", Language::English), "Nothing").not_before(now + hour).useful_until(now + hour);
        tell(&ward, &[later, late, duty("now", reader("a", Language::English), "Now")]);
        assert!(written(&ward, 1)[0].contains("Now"));
        clock.advance(now + hour);
        let mails = written(&ward, 2);
        assert!(mails.iter().all(|mail| !mail.contains("Nothing")));
    }

    fn only_what_may_be_declined_says_how(ward) {
        tell(&ward, &[news("news", reader("a", Language::English), "Book 1"), duty("duty", reader("a", Language::English), "Office")]);
        let mails = written(&ward, 2);
        let (declinable, other): (Vec<&String>, Vec<&String>) = mails.iter().partition(|mail| mail.contains("Book 1"));
        let link = "List-Unsubscribe: <http://ward.test/api/v1/mail/unsubscribe/user_a.";
        assert!(declinable[0].contains(link) && declinable[0].contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"), "{}", declinable[0]);
        assert!(!other[0].contains("nsubscribe"), "{}", other[0]);
    }

    fn a_mail_that_cannot_be_read_holds_up_no_other(ward) {
        let later = ward.context().clock.now() + chrono::Duration::hours(1);
        let notices: Vec<Notice> = (0..10).map(|n| duty(&format!("n{n}"), reader(&format!("r{n}"), Language::English), "Office").not_before(later)).collect();
        tell(&ward, &notices);
        // As another version might have written them.
        let spoil = |tx: &mut Tx<'_>| {
            record(tx)?;
            for (column, value, key) in [("address", "not an address", "n0"), ("facts", "{\"kind\":\"unheard.of\"}", "n1"), ("facts", "nonsense", "n2")] {
                let statement = format!("UPDATE outbox SET {column} = '{value}' WHERE dedup_key = '{key}'");
                both!(tx.conn(), c => sql_query(statement).execute(c))?;
            }
            Ok(())
        };
        ward.context().db.write_and_wait(spoil).unwrap();
        ward.context().clock.advance(later);
        written(&ward, 7);
        let dead = "SELECT dedup_key || ' ' || last_failure AS line FROM outbox WHERE state = 'dead' ORDER BY dedup_key";
        eventually("the others to be given up", || (lines(&ward, dead) == ["n0 unsendable", "n1 unsendable", "n2 unsendable"]).then_some(()));
        let listed = ward.ask("GET", "/api/v1/admin/mail").by(Role::Admin).send();
        assert_eq!(listed.json()["items"].as_array().unwrap().len(), 3, "{}", listed.text);
    }

    fn who_is_erased_is_known_to_no_mail_any_more(ward) {
        let clock = ward.context().clock.clone();
        choose(&ward, Role::Resident, "*", &json!({"duty": "daily", "news": "off"}));
        let to = || person(Role::Resident);
        let later = clock.now() + chrono::Duration::hours(1);
        tell(&ward, &[code("sent", to(), "739104"), duty("held", to(), "Office"), code("waits", to(), "111111").not_before(later), duty("other", reader("b", Language::English), "Office")]);
        written(&ward, 2);
        eventually("one to be held", || (!lines(&ward, "SELECT id AS line FROM outbox WHERE state = 'held'").is_empty()).then_some(()));
        let erase = |tx: &mut Tx<'_>| {
            record(tx)?;
            store::forget_account(tx, &account(Role::Resident))
        };
        ward.context().db.write_and_wait(erase).unwrap();
        clock.advance(later + chrono::Duration::days(2));
        tell(&ward, &[duty("after", reader("b", Language::English), "Office")]);
        written(&ward, 3);
        let known = lines(&ward, "SELECT coalesce(name, '') || coalesce(address, '') || coalesce(facts, '') AS line FROM outbox \
             WHERE account_id = 'user_resident'");
        assert_eq!(known, ["", "", ""]);
        assert_eq!(choices(&ward, Role::Resident).json()["version"], 1);
    }

    fn what_a_mail_said_is_forgotten_and_that_it_was_sent_is_not(ward) {
        let clock = ward.context().clock.clone();
        let told = |ward: &Ward| lines(ward, "SELECT kind || ' ' || CASE WHEN facts IS NULL THEN 'blank' ELSE 'kept' END || ' ' \
             || coalesce(address, 'nobody') || ' ' || coalesce(name, 'nameless') AS line FROM outbox ORDER BY kind");
        let notices = [duty("duty", reader("a", Language::English), "Office"), code("code", reader("b", Language::English), "739104")];
        tell(&ward, &notices);
        written(&ward, 2);
        // The code at once; what may have to be explained, for a month.
        eventually("the mails to be marked", || (told(&ward) == ["role.taken kept a@example.org Wang Wei", "sign_in.code blank b@example.org Wang Wei"]).then_some(()));
        clock.advance(clock.now() + chrono::Duration::days(29));
        tell(&ward, &[duty("later", reader("c", Language::English), "Office")]);
        written(&ward, 3);
        assert_eq!(told(&ward).len(), 3);
        assert!(told(&ward).iter().all(|line| !line.contains("nobody")));
        clock.advance(clock.now() + chrono::Duration::days(2));
        eventually("the first two to be forgotten", || {
            let told = told(&ward);
            let blank = told.iter().filter(|line| line.ends_with("blank nobody nameless")).count();
            (blank == 2).then_some(())
        });
        assert_eq!(tell(&ward, &notices), [false, false], "they are not told again");
        clock.advance(clock.now() + chrono::Duration::days(401));
        eventually("all to be forgotten", || told(&ward).is_empty().then_some(()));
        assert_eq!(tell(&ward, &notices), [true, true]);
        eventually("them to be sent", || (told(&ward).len() == 2 && lines(&ward, "SELECT id AS line FROM outbox WHERE state = 'sent'").len() == 2).then_some(()));
    }
}

/// What the account of a role has chosen.
fn choices(ward: &Ward, role: Role) -> Reply {
    ward.ask("GET", "/api/v1/me/mail-preferences").by(role).send()
}

/// Chooses something else for the account of a role.
fn choose(ward: &Ward, role: Role, version: &str, body: &Value) -> Reply {
    ward.ask("PUT", "/api/v1/me/mail-preferences")
        .by(role)
        .header("if-match", version)
        .json(body)
        .send()
}

/// The account of a role, as a reader of mail.
fn person(role: Role) -> Recipient {
    let mut to = reader("person", Language::English);
    to.account_id = Some(account(role));
    to
}

/// The link in a mail that switches mail off, as a path.
fn link(mail: &str) -> String {
    let unfolded = mail.replace("\r\n ", " ");
    let line = unfolded
        .lines()
        .find_map(|line| line.strip_prefix("List-Unsubscribe: <"))
        .unwrap();
    line.trim_end_matches('>')
        .strip_prefix("http://ward.test")
        .unwrap()
        .to_owned()
}

on_both! {
    fn people_choose_how_their_own_mail_comes(ward) {
        let usual = choices(&ward, Role::Resident);
        assert_eq!((usual.status, usual.header("etag")), (200, Some("\"v1\"")));
        assert_eq!(usual.json(), json!({"duty": "at_once", "news": "at_once", "language": null, "version": 1}));
        assert_eq!(choices(&ward, Role::Public).code(), "unauthenticated");

        let daily = json!({"duty": "daily", "news": "off", "language": "zh-CN"});
        let changed = choose(&ward, Role::Resident, "\"v1\"", &daily);
        assert_eq!((changed.status, changed.header("etag")), (200, Some("\"v2\"")), "{}", changed.text);
        assert_eq!(choose(&ward, Role::Resident, "\"v1\"", &daily).code(), "version_stale");
        assert_eq!(choose(&ward, Role::Resident, "\"v2\"", &daily).json()["version"], 2, "nothing changes");
        let back = choose(&ward, Role::Resident, "*", &json!({"duty": "at_once", "news": "daily"}));
        assert_eq!(back.json(), json!({"duty": "at_once", "news": "daily", "language": null, "version": 3}));
        assert_eq!(choices(&ward, Role::Auditor).json()["version"], 1, "nobody else's");
        let missing = ward.ask("PUT", "/api/v1/me/mail-preferences").by(Role::Resident).json(&daily).send();
        assert_eq!(missing.code(), "version_missing");
        for bad in [json!({"duty": "off", "news": "off"}), json!({"duty": "daily"}), json!({"duty": "daily", "news": "off", "language": "fr"})] {
            assert_eq!(choose(&ward, Role::Resident, "*", &bad).status, 422, "{bad}");
        }

        let events = ward.events("mail_preferences.changed");
        assert_eq!(events.len(), 2);
        let public = events.iter().map(|event| json!([event["subject"], event["data"]]).to_string()).collect::<String>();
        assert!(!public.contains("user_") && !public.contains("daily"), "{public}");
    }

    fn mail_comes_in_the_language_that_was_chosen(ward) {
        choose(&ward, Role::Resident, "*", &json!({"duty": "at_once", "news": "at_once", "language": "zh-CN"}));
        tell(&ward, &[duty("duty", person(Role::Resident), "Office")]);
        assert!(written(&ward, 1)[0].contains("Subject: =?utf-8?"));
    }

    fn what_is_wanted_daily_comes_in_one_mail_in_the_morning(ward) {
        let clock = ward.context().clock.clone();
        choose(&ward, Role::Resident, "*", &json!({"duty": "daily", "news": "daily"}));
        let to = || person(Role::Resident);
        tell(&ward, &[
            duty("one", to(), "Office One"),
            news("two", to(), "Book Two"),
            code("three", to(), "739104"),
            duty("other", reader("other", Language::English), "Elsewhere"),
        ]);
        // What guards the account does not wait, nor does what others have to act on.
        let at_once = written(&ward, 2);
        assert!(at_once.iter().any(|mail| mail.contains("739104")) && at_once.iter().any(|mail| mail.contains("Elsewhere")));
        let morning = crate::harness::start() + chrono::Duration::days(1);
        clock.advance(morning - chrono::Duration::microseconds(1));
        tell(&ward, &[duty("four", to(), "Office Four")]);
        eventually("all three to be held", || (lines(&ward, "SELECT id AS line FROM outbox WHERE state = 'held'").len() == 3).then_some(()));
        assert_eq!(files(&ward).len(), 2);
        clock.advance(morning);
        let mails = written(&ward, 3);
        let digest = mails.iter().find(|mail| mail.contains("Your day in the ward")).expect("a digest");
        let flat = digest.replace("=\r\n", "");
        for part in ["Office One", "Book Two", "Office Four", "3 March 2026", "(3)"] {
            assert!(flat.contains(part), "{part} in {flat}");
        }
        // It holds news, so it says how to switch them off; and it is not held for the next digest itself.
        assert!(digest.contains("List-Unsubscribe: "));
        assert_eq!(lines(&ward, "SELECT DISTINCT kind AS line FROM outbox WHERE state = 'collected' ORDER BY kind"), ["followed.happened", "role.taken"]);
        clock.advance(morning + chrono::Duration::days(3));
        tell(&ward, &[code("five", to(), "111111")]);
        written(&ward, 4);
    }

    fn one_click_switches_news_off_and_nothing_else(ward) {
        let to = || person(Role::Resident);
        tell(&ward, &[news("one", to(), "Book One")]);
        let path = link(&written(&ward, 1)[0]);
        let later = ward.context().clock.now() + chrono::Duration::hours(1);
        tell(&ward, &[news("waits", to(), "Book Waits").not_before(later)]);

        // Whatever follows links by itself changes nothing.
        for method in ["GET", "HEAD"] {
            let page = ward.ask(method, &path).send();
            assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
        }
        let page = ward.get(&path);
        assert!(page.text.contains("不再接收") && page.text.contains("lang=\"en\"") && page.text.contains("<form method=\"post\">"));
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self'"), "{policy}");
        assert_eq!(choices(&ward, Role::Resident).json()["news"], "at_once");

        // As RFC 8058 has it: no cookie, no token, this very body.
        let done = ward.ask("POST", &path).body("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click").send();
        assert_eq!(done.status, 200, "{}", done.text);
        assert!(done.text.contains("已关闭") && done.text.contains("Switched off"));
        assert_eq!(choices(&ward, Role::Resident).json(), json!({"duty": "at_once", "news": "off", "language": null, "version": 2}));
        assert_eq!(ward.ask("POST", &path).send().status, 200, "a second time");
        assert_eq!(choices(&ward, Role::Resident).json()["version"], 2);
        let events = ward.events("mail_preferences.unsubscribed");
        assert_eq!(events.len(), 1);
        assert!(!json!([events[0]["subject"], events[0]["data"]]).to_string().contains("user_"));

        ward.context().clock.advance(later);
        tell(&ward, &[news("two", to(), "Book Two"), duty("three", to(), "Office"), news("other", reader("other", Language::English), "Book One")]);
        let mails = written(&ward, 3);
        assert!(mails.iter().all(|mail| !mail.contains("Book Two") && !mail.contains("Book Waits")));
        assert_eq!(lines(&ward, "SELECT kind AS line FROM outbox WHERE state = 'dropped'"), ["followed.happened", "followed.happened"]);

        let (account, code) = path.rsplit_once('.').unwrap();
        for bad in [format!("{account}x.{code}"), format!("{account}.{}", &code[1..]), format!("{account}."), account.to_owned()] {
            for method in ["GET", "POST"] {
                assert_eq!(ward.ask(method, &bad).send().code(), "not_found", "{bad}");
            }
        }
    }
}
