//! Keys shared among witnesses, through the API: recipients, shares, rehearsing, handing in, and what nobody gets.

use std::sync::Barrier;

use age::x25519::Identity;
use serde_json::{Value, json};
use wardbook::books::shares::Sheet;
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::books::{Office, ok};
use crate::cast::{Person, person};
use crate::harness::{Reply, Ward};
use crate::on_both;
use crate::organisations::{refused, sql};
use crate::treasury::{gets, posts};

/// Somebody who witnesses openings, with a key.
pub struct Witness {
    /// The account.
    pub person: Person,
    /// Their key.
    pub identity: Identity,
}

impl Witness {
    /// A witness who has registered their recipient.
    pub fn registered(ward: &Ward) -> Self {
        let witness = Self {
            person: person(ward, &[Grant::of(Role::OpeningWitness)]),
            identity: Identity::generate(),
        };
        let reply = witness.registers(ward, &witness.identity.to_public().to_string());
        assert_eq!(
            (reply.status, &reply.json()["number"]),
            (201, &json!(1)),
            "{}",
            reply.text
        );
        witness
    }

    fn registers(&self, ward: &Ward, recipient: &str) -> Reply {
        posts(
            ward,
            &self.person,
            "/me/witness-keys",
            Some(&json!({"recipient": recipient})),
        )
    }

    /// What was sealed to them with a book.
    pub fn sheet(&self, ward: &Ward, book: &str) -> Sheet {
        let path = format!("/api/v1/contract-books/{book}/share");
        let url = ward.url(&path);
        let token = format!("Bearer {}", self.person.token);
        let mut response = ureq::get(&url).header("authorization", &token).call().unwrap();
        let sealed = response.body_mut().read_to_vec().unwrap();
        let opened = age::decrypt(&self.identity, &sealed).unwrap();
        Sheet::read(std::str::from_utf8(&opened).unwrap()).unwrap()
    }

    /// Hands a share in.
    pub fn hands_in(&self, ward: &Ward, book: &str, share: &str) -> Reply {
        let body = json!({"share": share});
        posts(
            ward,
            &self.person,
            &format!("/contract-books/{book}/shares"),
            Some(&body),
        )
    }

    fn rehearses(&self, ward: &Ward, book: &str, word: &str) -> Reply {
        let body = json!({"word": word});
        posts(
            ward,
            &self.person,
            &format!("/contract-books/{book}/rehearsal"),
            Some(&body),
        )
    }
}

/// A published book of which so many of these witnesses share the key.
pub fn shared_book(
    ward: &Ward,
    (office, mut body): (&Office, Value),
    threshold: usize,
    witnesses: &[&Witness],
) -> Value {
    let ids: Vec<_> = witnesses.iter().map(|one| one.person.id.clone()).collect();
    body["content"]["custody"] = json!({"kind": "shared", "threshold": threshold, "witnesses": ids});
    let id = office.approved(ward, &body);
    ok(&office.publishes(ward, &id))
}

on_both! { in "test";
    fn a_key_is_shared_two_of_three_rehearsed_and_handed_in(ward) {
        let office = Office::new(&ward);
        // What is missing is listed, and refuses the publication.
        let late = Witness { person: person(&ward, &[Grant::of(Role::OpeningWitness)]), identity: Identity::generate() };
        let (one, two) = (Witness::registered(&ward), Witness::registered(&ward));
        let mut body = office.whole(&ward);
        let custody = |threshold: u32, who: &[&Person]| json!({"kind": "shared", "threshold": threshold, "witnesses": who.iter().map(|one| &one.id).collect::<Vec<_>>()});
        for (wrong, at) in [(custody(3, &[&one.person, &two.person]), "/content/custody/threshold"), (custody(2, &[&one.person, &one.person]), "/content/custody/witnesses/1")] {
            body["content"]["custody"] = wrong;
            let reply = posts(&ward, &office.officer, "/contract-books", Some(&body));
            assert_eq!((reply.status, reply.faults()[0].0.as_str()), (422, at), "{}", reply.text);
        }
        body["content"]["custody"] = custody(2, &[&one.person, &late.person, &office.officer]);
        let draft = office.approved(&ward, &body);
        let readiness = ok(&gets(&ward, &office.officer, &format!("/contract-books/{draft}/readiness")));
        let told: Vec<(&str, &str)> = readiness["items"].as_array().unwrap().iter().map(|item| (item["pointer"].as_str().unwrap(), item["code"].as_str().unwrap())).collect();
        assert_eq!(told, [("/custody/witnesses/1", "missing"), ("/custody/witnesses/2", "unfit")]);
        refused(&office.publishes(&ward, &draft), 409, "book_not_ready");
        for path in ["custody", "canary"] {
            assert_eq!(gets(&ward, &office.officer, &format!("/contract-books/{draft}/{path}")).status, 404, "not before the publication");
        }

        // Recipients: strict, once in the ward, replaced by the next.
        refused(&one.registers(&ward, "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t"), 422, "witness_key_invalid");
        refused(&two.registers(&ward, &one.identity.to_public().to_string()), 409, "witness_key_taken");
        refused(&posts(&ward, &office.officer, "/me/witness-keys", Some(&json!({"recipient": "age1qqqqqqqqqq"}))), 403, "forbidden");
        let again = one.registers(&ward, &one.identity.to_public().to_string());
        assert_eq!((again.status, &again.json()["number"]), (201, &json!(1)));
        let first = Identity::generate();
        assert_eq!(late.registers(&ward, &first.to_public().to_string()).status, 201);
        assert_eq!(late.registers(&ward, &late.identity.to_public().to_string()).json()["number"], 2);
        let keys = ok(&gets(&ward, &late.person, "/me/witness-keys"));
        assert_eq!(keys["items"].as_array().unwrap().iter().map(|key| key["number"].as_i64().unwrap()).collect::<Vec<_>>(), [2, 1]);
        let three = late;

        let book = shared_book(&ward, (&office, body), 2, &[&one, &two, &three]);
        let id = book["id"].as_str().unwrap();
        let path = format!("/contract-books/{id}");
        let shown = ok(&ward.get(&format!("/api/v1{path}/custody")));
        assert_eq!((&shown["kind"], &shown["threshold"], &shown["given"], &shown["recipient"]), (&json!("shared"), &json!(2), &json!(0), &book["recipient"]));
        let event = ward.events("book.published").remove(0)["entry"]["data"]["custody"].take();
        for (share, told) in shown["shares"].as_array().unwrap().iter().zip(event["shares"].as_array().unwrap()) {
            assert_eq!(share["commitment"], told["commitment"]);
        }
        // No row holds the identity, and nobody but a witness gets a share, and only their own.
        assert_eq!(sql(&ward, "UPDATE opening_keys SET made_at = made_at").unwrap(), 0);
        assert_eq!(ward.get(&format!("/api/v1{path}/canary")).status, 200);
        let outsider = Witness::registered(&ward);
        assert_eq!(gets(&ward, &outsider.person, &format!("{path}/share")).status, 404);
        assert_eq!(gets(&ward, &office.approver, &format!("{path}/share")).status, 403);
        let sheets = [&one, &two, &three].map(|witness| witness.sheet(&ward, id));
        assert_eq!(sheets[0].recipient, book["recipient"].as_str().unwrap());
        assert!(sql(&ward, "DELETE FROM key_shares").is_err() && sql(&ward, "UPDATE shared_keys SET threshold = 2").is_err());

        // Rehearsed with the word; a wrong one is refused and recorded. Nothing takes a share before the opening.
        refused(&one.rehearses(&ward, id, &sheets[1].word), 409, "rehearsal_word_wrong");
        refused(&one.rehearses(&ward, id, "nonsense"), 409, "rehearsal_word_wrong");
        refused(&outsider.rehearses(&ward, id, &sheets[0].word), 404, "not_found");
        let rehearsed = ok(&one.rehearses(&ward, id, &sheets[0].word));
        assert!(rehearsed["shares"][0]["rehearsed_at"].is_string() && rehearsed["shares"][1]["rehearsed_at"].is_null(), "{rehearsed}");
        assert_eq!(ok(&one.rehearses(&ward, id, &sheets[0].word)), rehearsed);
        ward.context().clock.advance("2026-04-01T00:59:59.999999Z".parse().unwrap());
        refused(&one.hands_in(&ward, id, &sheets[0].share.to_hex()), 409, "opening_not_yet");
        ward.context().clock.advance("2026-04-01T01:00:00Z".parse().unwrap());
        refused(&two.rehearses(&ward, id, &sheets[1].word), 409, "rehearsal_over");

        // Handed in: one's own, once; wrong ones refused and recorded.
        refused(&one.hands_in(&ward, id, "00"), 422, "opening_share_malformed");
        refused(&one.hands_in(&ward, id, &sheets[1].share.to_hex()), 409, "opening_share_wrong");
        let mut changed = sheets[0].share.to_hex().to_string();
        changed.replace_range(20..22, if &changed[20..22] == "00" { "01" } else { "00" });
        refused(&one.hands_in(&ward, id, &changed), 409, "opening_share_wrong");
        refused(&outsider.hands_in(&ward, id, &sheets[0].share.to_hex()), 404, "not_found");

        // Ten wrong ones of one witness are logged, and then no more are; the right one is heard all the same.
        let wrong: Vec<Reply> = (0..7).map(|_| one.hands_in(&ward, id, "00")).collect();
        let statuses: Vec<u16> = wrong.iter().map(|reply| reply.status).collect();
        assert_eq!(statuses, [422, 422, 422, 422, 422, 429, 429]);
        let last = wrong.last().unwrap();
        assert!(last.text.contains("opening_share_malformed") && last.header("retry-after").is_some(), "{}", last.text);
        let barrier = Barrier::new(2);
        let hand_in = || { barrier.wait(); one.hands_in(&ward, id, &sheets[0].share.to_hex()) };
        let (a, b) = std::thread::scope(|scope| { let other = scope.spawn(hand_in); (hand_in(), other.join().unwrap()) });
        assert_eq!((ok(&a)["given"].as_i64(), ok(&b)["given"].as_i64()), (Some(1), Some(1)));
        assert_eq!(ok(&three.hands_in(&ward, id, &sheets[2].share.to_hex()))["given"], 2);
        assert_eq!(ok(&two.hands_in(&ward, id, &sheets[1].share.to_hex()))["given"], 3);
        assert_eq!(sql(&ward, "UPDATE given_shares SET sealed = NULL WHERE sealed IS NULL").unwrap(), 1, "one more than it takes is not kept");
        assert!(sql(&ward, "UPDATE given_shares SET sealed = X'00' WHERE sealed IS NULL").is_err());
        let reasons: Vec<Value> = ward.events("book.share_refused").iter().map(|event| event["entry"]["data"]["reason"].clone()).collect();
        assert_eq!(reasons, ["rehearsal_word_wrong", "rehearsal_word_wrong", "opening_share_malformed", "opening_share_wrong", "opening_share_wrong", "opening_share_malformed", "opening_share_malformed", "opening_share_malformed", "opening_share_malformed", "opening_share_malformed"]);
        assert_eq!((ward.events("book.share_rehearsed").len(), ward.events("book.share_given").len()), (1, 3));
    }
}

#[test]
fn a_witness_makes_a_key_and_opens_a_share_offline() {
    use wardbook::books::rules::BookId;
    use wardbook::books::{recipients, shares};
    use wardbook::kernel::clock::Clock;
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let wardbook = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_wardbook"))
            .args(arguments)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let made: Vec<_> = ["a", "b"]
        .iter()
        .map(|name| {
            let (code, recipient) = wardbook(&["share", "key", "--output", &at(name)]);
            assert_eq!(code, Some(0));
            recipients::recipient(recipient.trim()).unwrap()
        })
        .collect();
    assert_eq!(
        wardbook(&["share", "key", "--output", &at("a")]).0,
        Some(1),
        "never over a key that is there"
    );
    let book = BookId::mint(Clock::system().now());
    let key = shares::make(&book, 2, &made).unwrap();
    std::fs::write(at("canary"), &key.canary).unwrap();
    for (share, name) in key.shares.iter().zip(["a", "b"]) {
        std::fs::write(at("share"), &share.sealed).unwrap();
        let other = if name == "a" { "b" } else { "a" };
        assert_eq!(
            wardbook(&["share", "open", &at("share"), "--key", &at(other)]),
            (Some(1), String::new())
        );
        let (code, sheet) = wardbook(&["share", "open", &at("share"), "--key", &at(name)]);
        assert_eq!(code, Some(0));
        std::fs::write(at(&format!("{name}.txt")), &sheet).unwrap();
        // Stock age shows the same.
        if let Ok(shown) = std::process::Command::new("age")
            .args(["-d", "-i", &at(name), &at("share")])
            .output()
        {
            assert_eq!(String::from_utf8(shown.stdout).unwrap(), sheet);
        }
    }
    let (code, said) = wardbook(&["share", "rehearse", &at("canary"), &at("a.txt"), &at("b.txt")]);
    assert_eq!((code, said.as_str()), (Some(0), "2 shares open the canary\n"));
    assert_eq!(
        wardbook(&["share", "rehearse", &at("canary"), &at("a.txt"), &at("a.txt")]).0,
        Some(1)
    );
    std::fs::write(at("canary"), "nonsense").unwrap();
    assert_eq!(
        wardbook(&["share", "rehearse", &at("canary"), &at("a.txt"), &at("b.txt")]).0,
        Some(1)
    );
}
