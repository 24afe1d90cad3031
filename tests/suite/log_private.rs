//! The private part of an event: who may open it, what it proves, and that it can be erased without hurting the log.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardbook::web::policy::Role;

use crate::harness::{Ward, account};
use crate::log_events::record;
use crate::logbook::{content, disarm, sql, verify_served};
use crate::on_both;

const SECRET: &str = "13800000000";

/// An event as somebody in this role reads it; the same from the list and by its id.
fn read(ward: &Ward, by: Role, id: &str) -> Value {
    let one = ward
        .ask("GET", &format!("/api/v1/audit/events/{id}"))
        .by(by)
        .send();
    assert_eq!(one.status, 200, "{}", one.text);
    let list = ward
        .ask("GET", "/api/v1/audit/events?limit=200")
        .by(by)
        .send()
        .json();
    let listed = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["id"] == json!(id))
        .unwrap();
    assert_eq!(*listed, one.json());
    one.json()
}

/// What the commitment to a text must be, by its published definition.
fn commitment(salt: &Value, text: &Value) -> String {
    let salt = hex::decode(salt.as_str().unwrap()).unwrap();
    assert_eq!(salt.len(), 32);
    hex::encode(
        Sha256::new()
            .chain_update(salt)
            .chain_update(text.as_str().unwrap())
            .finalize(),
    )
}

on_both! {
    fn an_event_opens_to_auditors_and_to_whoever_caused_it_and_to_nobody_else(ward) {
        let by_registrar = record(&ward, Role::Registrar, "note.made", "thing_1", json!({"phone": SECRET}));
        let by_admin = record(&ward, Role::Admin, "note.made", "thing_2", json!({"phone": SECRET}));
        for by in Role::ALL {
            if by == Role::System {
                continue;
            }
            for (id, cause) in [(&by_registrar, Role::Registrar), (&by_admin, Role::Admin)] {
                let event = read(&ward, by, id);
                let opens = by == Role::Auditor || by == cause;
                assert_eq!(event.get("opened").is_some(), opens, "{} reads what {} did", by.name(), cause.name());
                if opens {
                    assert_eq!(event["opened"]["actor"], json!(account(cause)));
                    assert_eq!(event["opened"]["content"], json!(format!("{{\"phone\":\"{SECRET}\"}}")));
                    assert_eq!(event["opened"]["matches"], json!(true));
                } else {
                    let text = event.to_string();
                    assert!(!text.contains(SECRET) && !text.contains(&account(cause)), "{text}");
                }
            }
        }
        // What verifiers get is what the public gets.
        let bundle = String::from_utf8_lossy(&content(&ward, "tile/entries/000.p/3")).into_owned();
        assert!(bundle.contains("thing_1"));
        assert!(!bundle.contains(SECRET) && !bundle.contains("user_"), "{bundle}");
    }

    fn salts_make_the_commitments_checkable_by_anyone(ward) {
        let ids = [json!({"phone": SECRET}), json!("字"), Value::Null].map(|private| record(&ward, Role::Registrar, "note.made", "thing", private));
        let mut seen = Vec::new();
        for id in &ids {
            let event = read(&ward, Role::Auditor, id);
            let (opened, entry) = (&event["opened"], &event["entry"]);
            assert_eq!(commitment(&opened["actor_salt"], &opened["actor"]), entry["actor"].as_str().unwrap());
            assert_eq!(commitment(&opened["salt"], &opened["content"]), entry["commit"].as_str().unwrap());
            seen.extend([&opened["actor_salt"], &opened["salt"], &entry["actor"], &entry["commit"]].map(Value::to_string));
        }
        // No salt is used twice, so nobody can tell which events one person caused, nor which have nothing private.
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 12);
    }

    fn the_events_of_a_person_are_found_by_auditors_and_by_that_person(ward) {
        let id = record(&ward, Role::Registrar, "note.made", "thing", Value::Null);
        let asked = |by: Role, path: &str, of: Role| {
            ward.ask("GET", &format!("/api/v1/audit/{path}?actor={}", account(of))).by(by).send()
        };
        for path in ["events", "export"] {
            for by in Role::ALL {
                if by == Role::System {
                    continue;
                }
                let reply = asked(by, path, Role::Registrar);
                match by {
                    Role::Auditor | Role::Registrar => {
                        assert_eq!(reply.status, 200, "{}", reply.text);
                        assert_eq!(reply.text.matches(&format!("\"id\":\"{id}\",\"index\"")).count(), 1, "{}", reply.text);
                    }
                    Role::Public => assert_eq!((reply.status, reply.code().as_str()), (401, "unauthenticated")),
                    _ => assert_eq!((reply.status, reply.code().as_str()), (403, "forbidden"), "{}", by.name()),
                }
            }
        }
        assert_eq!(asked(Role::Registrar, "events", Role::Auditor).status, 403);
        // Whether there is such a person makes no difference.
        let nobody = |by: Role| ward.ask("GET", "/api/v1/audit/events?actor=user_nobody").by(by).send().status;
        assert_eq!([Role::Public, Role::Admin, Role::Auditor].map(nobody), [401, 403, 200]);
        let system = ward.ask("GET", "/api/v1/audit/events?actor=system").by(Role::Admin).send();
        assert_eq!(system.status, 403);
    }

    fn what_is_private_can_be_erased_and_the_log_still_holds(ward) {
        let erased = record(&ward, Role::Registrar, "note.made", "thing_1", json!({"phone": SECRET}));
        let kept = record(&ward, Role::Registrar, "note.made", "thing_2", json!({"phone": SECRET}));
        let before = read(&ward, Role::Auditor, &erased);
        sql(&ward, &format!(
            "UPDATE audit_private SET actor_salt = NULL, actor_id = NULL, salt = NULL, content = NULL, erased_at = '2026-03-02 01:00:00' \
             WHERE event_id = '{erased}'"
        ));
        let after = read(&ward, Role::Auditor, &erased);
        assert_eq!(after["entry"], before["entry"]);
        assert_eq!(after["opened"], json!({"actor": null, "actor_salt": null, "content": null, "salt": null, "matches": true}));
        // Nobody caused it any more.
        assert_eq!(read(&ward, Role::Registrar, &erased).get("opened"), None);
        let own = ward.ask("GET", &format!("/api/v1/audit/events?actor={}", account(Role::Registrar))).by(Role::Registrar).send();
        assert_eq!(own.json()["items"].as_array().unwrap().len(), 1);
        assert_eq!(own.json()["items"][0]["id"], json!(kept));
        let csv = ward.ask("GET", "/api/v1/audit/export?subject=thing_1").by(Role::Auditor).header("accept", "text/csv").send();
        assert!(csv.text.ends_with(",,\r\n"), "{}", csv.text);
        let (code, said) = verify_served(&ward, None);
        assert_eq!(code, 0, "{said}");
        // Rows may be emptied but not taken away.
        let gone = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| sql(&ward, "DELETE FROM audit_private")));
        assert!(gone.is_err());
    }

    fn what_was_put_in_place_of_the_private_part_is_shown_not_to_match(ward) {
        disarm(&ward);
        for forgery in [
            "content = '{\"phone\":\"13900000000\"}'",
            "actor_id = 'user_somebody'",
            "salt = actor_salt",
            // Without its salt nobody can check it, so it must not pass for checked.
            "content = '{\"phone\":\"13900000000\"}', salt = NULL",
            "actor_id = 'user_somebody', actor_salt = NULL",
        ] {
            let id = record(&ward, Role::Registrar, "note.made", "thing", json!({"phone": SECRET}));
            assert_eq!(read(&ward, Role::Auditor, &id)["opened"]["matches"], json!(true));
            sql(&ward, &format!("UPDATE audit_private SET {forgery} WHERE event_id = '{id}'"));
            assert_eq!(read(&ward, Role::Auditor, &id)["opened"]["matches"], json!(false), "{forgery}");
        }
    }
}
