//! Mail: queued with an act or not at all, sent once, in the language of its reader, and not a word of it anywhere else.

use std::collections::BTreeMap;

use serde_json::Value;
use wardbook::audit;
use wardbook::audit::entry::Event;
use wardbook::db::writer::Tx;
use wardbook::kernel::refusal::{Answer, Fault};
use wardbook::kernel::text::Language;
use wardbook::outbox::content::{FollowedHappened, RoleTaken, SignInCode};
use wardbook::outbox::notice::{Notice, Recipient};
use wardbook::outbox::store;
use wardbook::outbox::wording::Both;
use wardbook::web::actor::Actor;

use crate::faults::eventually;
use crate::harness::Ward;
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
}
