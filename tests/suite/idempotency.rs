//! A request sent again with the same `Idempotency-Key` gets the same answer and does nothing a second time.

use chrono::Duration;
use serde_json::{Value, json};
use wardbook::app::server::Server;
use wardbook::web::policy::Role;

use crate::harness::{Ask, Reply, Ward, settings_in, start};
use crate::on_both;
use crate::wire::{self, Wire};

fn keyed<'w>(ward: &'w Ward, path: &str, key: &str) -> Ask<'w> {
    ward.ask("POST", path)
        .by(Role::Admin)
        .header("idempotency-key", key)
}

/// Asserts that `again` is `first` given a second time.
fn assert_replayed(first: &Reply, again: &Reply) {
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(
        again.header("idempotent-replayed"),
        Some("true"),
        "{}",
        again.text
    );
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    for name in ["etag", "location", "content-type"] {
        assert_eq!(first.header(name), again.header(name), "{name}");
    }
}

fn areas(ward: &Ward) -> usize {
    ward.get("/api/v1/areas?limit=200").json()["items"]
        .as_array()
        .unwrap()
        .len()
}

on_both! {
    fn every_post_is_done_once_and_answered_alike(ward) {
        let body = json!({"name_zh": "凤城市", "name_en": "Fengcheng", "code": "9901"});
        let add = || keyed(&ward, "/api/v1/areas", "add").json(&body).send();
        let first = add();
        assert_eq!((first.status, first.header("etag")), (201, Some("\"v1\"")), "{}", first.text);
        assert_replayed(&first, &add());
        assert_replayed(&first, &add());
        assert_eq!((areas(&ward), ward.events("area.created").len()), (1, 1));

        let table = "code,parent_code,name_zh\n990101,9901,凤鸣区\n990102,9901,青溪区\n990101001,990101,梧桐街道\n";
        let import = |query: &str| keyed(&ward, &format!("/api/v1/areas/import{query}"), "import").body("text/csv", table).send();
        // A trial does nothing, so there is nothing to be remembered, and the key is still free, for another table too.
        assert_eq!(import("?dry_run=true").status, 200);
        assert_eq!(import("?dry_run=true").header("idempotent-replayed"), None);
        let faulty = keyed(&ward, "/api/v1/areas/import?dry_run=true", "import").body("text/csv", "code,name_zh\n,\n").send();
        assert_eq!(faulty.code(), "invalid", "judged, not refused for its key");
        let first = import("");
        assert_eq!(first.status, 200, "{}", first.text);
        assert_replayed(&first, &import(""));
        // From now on it belongs to what was done.
        assert_eq!(import("?dry_run=true").code(), "idempotency_key_reused");
        assert_eq!((areas(&ward), ward.events("area.created").len()), (4, 4));

        let id_of = |name: &str| {
            let all = ward.get("/api/v1/areas?limit=200").json();
            let found = all["items"].as_array().unwrap().iter().find(|area| area["name_zh"] == name).cloned();
            found.unwrap()["id"].as_str().unwrap().to_owned()
        };
        let (street, there) = (id_of("梧桐街道"), id_of("青溪区"));
        let hang = || keyed(&ward, &format!("/api/v1/areas/{street}/move"), "move").header("if-match", "\"v1\"").json(&json!({"parent_id": there})).send();
        let first = hang();
        assert_eq!((first.status, first.header("etag")), (200, Some("\"v2\"")), "{}", first.text);
        // Without the key it would be stale by now.
        assert_replayed(&first, &hang());
        assert_eq!(ward.events("area.moved").len(), 1);

        let shift = |to: &str, key: &str| keyed(&ward, "/api/v1/dev/clock", key).json(&json!({"now": to})).send();
        let first = shift("2026-03-02T08:00:00Z", "clock");
        assert_eq!(first.status, 200, "{}", first.text);
        assert_replayed(&first, &shift("2026-03-02T08:00:00Z", "clock"));
        assert_eq!(shift("2026-03-02T09:00:00Z", "later").status, 200);
        assert_replayed(&first, &shift("2026-03-02T08:00:00Z", "clock"));
        assert_eq!(ward.get("/api/v1/time").json()["now"], "2026-03-02T09:00:00.000000Z");
        assert_eq!(ward.events("clock.moved").len(), 2);
    }

    fn a_key_belongs_to_one_request(ward) {
        let city = ward.area(None, "凤城市");
        let (here, there) = (ward.area(Some(&city), "凤鸣区"), ward.area(Some(&city), "青溪区"));
        let street = ward.area(Some(&here), "梧桐街道");
        let body = json!({"parent_id": city, "name_zh": "新区", "name_en": "New"});
        assert_eq!(keyed(&ward, "/api/v1/areas", "k").json(&body).send().status, 201);
        let (events, hang) = (ward.events("area.*").len(), format!("/api/v1/areas/{street}/move"));
        let others = [
            keyed(&ward, "/api/v1/areas", "k").json(&json!({"parent_id": city, "name_zh": "新区", "name_en": "Newer"})),
            // The same JSON in other bytes is another body: what was sent is compared, not what was understood.
            keyed(&ward, "/api/v1/areas", "k").body("application/json", serde_json::to_string_pretty(&body).unwrap()),
            keyed(&ward, "/api/v1/areas/import?dry_run=true", "k").body("text/csv", "code,name_zh\n9902,乙\n"),
            keyed(&ward, "/api/v1/areas/import", "k").body("text/csv", "code,name_zh\n9902,乙\n"),
            keyed(&ward, "/api/v1/areas", "k").header("if-match", "\"v1\"").json(&body),
            keyed(&ward, &hang, "k").header("if-match", "\"v1\"").json(&json!({"parent_id": there})),
            keyed(&ward, "/api/v1/dev/clock", "k").json(&json!({"now": "2027-01-01T00:00:00Z"})),
        ];
        for other in others {
            let reply = other.send();
            assert_eq!((reply.status, reply.code().as_str()), (422, "idempotency_key_reused"), "{}", reply.text);
        }
        let move_it = |version: &str| keyed(&ward, &hang, "m").header("if-match", version).json(&json!({"parent_id": there})).send();
        assert_eq!(move_it("\"v1\"").status, 200);
        assert_eq!(move_it("\"v2\"").code(), "idempotency_key_reused");
        assert_eq!(ward.events("area.*").len(), events + 1);
        assert_eq!(ward.events("clock.moved").len(), 0);
    }

    fn the_same_key_of_somebody_else_is_another_key(ward) {
        let now = ward.context().clock.now();
        let token = ward.context().tokens.issue("user_second_admin", &[Role::Admin], Duration::hours(1), now).unwrap();
        let second = |body: &Value| {
            ward.ask("POST", "/api/v1/areas").header("authorization", &format!("Bearer {token}")).header("idempotency-key", "k").json(body).send()
        };
        let (one, two) = (json!({"name_zh": "甲市", "name_en": "A"}), json!({"name_zh": "乙市", "name_en": "B"}));
        let first = keyed(&ward, "/api/v1/areas", "k").json(&one).send();
        assert_eq!(first.status, 201);
        let theirs = second(&one);
        assert_eq!(theirs.code(), "area_name_taken", "not the answer that was meant for somebody else");
        let theirs = second(&two);
        assert_eq!((theirs.status, theirs.header("idempotent-replayed")), (201, None));
        assert_replayed(&theirs, &second(&two));
        assert_replayed(&first, &keyed(&ward, "/api/v1/areas", "k").json(&one).send());
    }

    fn a_refusal_is_not_remembered(ward) {
        let taken = ward.area(None, "凤城市");
        let add = |body: &Value| keyed(&ward, "/api/v1/areas", "k").json(body).send();
        let body = json!({"name_zh": "凤城市", "name_en": "Fengcheng"});
        assert_eq!(add(&body).code(), "area_name_taken");
        assert_eq!(add(&json!({"name_zh": "", "name_en": ""})).code(), "invalid");
        let resident = ward.ask("POST", "/api/v1/areas").by(Role::Resident).header("idempotency-key", "k").json(&body).send();
        assert_eq!(resident.status, 403);
        let renamed = ward.ask("PATCH", &format!("/api/v1/areas/{taken}")).by(Role::Admin).header("if-match", "*").json(&json!({"name_zh": "旧城市"})).send();
        assert_eq!(renamed.status, 200);
        let done = add(&body);
        assert_eq!((done.status, done.header("idempotent-replayed")), (201, None), "{}", done.text);
        assert_replayed(&done, &add(&body));
    }

    fn a_key_has_1_to_255_visible_ascii_characters(ward) {
        let body = json!({"name_zh": "凤城市", "name_en": "Fengcheng"}).to_string();
        let token = format!("Bearer {}", ward.token(Role::Admin));
        let send = |keys: &[&[u8]]| {
            let mut headers: Vec<(&str, &[u8])> = vec![("Authorization", token.as_bytes()), ("Content-Type", b"application/json")];
            headers.extend(keys.iter().map(|key| ("Idempotency-Key", *key)));
            let mut wire = Wire::to(ward.server().address);
            wire.send(&wire::request("POST", "/api/v1/areas", &headers, Some(body.as_bytes())));
            wire.answer(false).unwrap()
        };
        let long = "k".repeat(256);
        for bad in [&[&b""[..]][..], &[b"two words"], &[b"a\tb"], &["钥匙".as_bytes()], &[b"\xff"], &[long.as_bytes()], &[b"a", b"b"], &[b"a", b"a"]] {
            let reply = send(bad);
            assert_eq!((reply.status, reply.code().as_str()), (400, "malformed"), "{bad:?}");
        }
        assert_eq!(areas(&ward), 0);
        let longest = "!~".repeat(127) + "k";
        let first = send(&[longest.as_bytes()]);
        assert_eq!(first.status, 201, "{}", first.text);
        assert_replayed(&first, &send(&[longest.as_bytes()]));
    }

    fn an_answer_is_remembered_for_24_hours(ward) {
        let add = || keyed(&ward, "/api/v1/areas", "k").json(&json!({"name_zh": "凤城市", "name_en": "Fengcheng"})).send();
        let first = add();
        let clock = &ward.context().clock;
        clock.advance(start() + Duration::hours(24));
        assert_replayed(&first, &add());
        clock.advance(start() + Duration::hours(24) + Duration::microseconds(1));
        assert_eq!(add().code(), "area_name_taken", "it is done again, and finds what it did the first time");
        let renamed = ward.ask("PATCH", first.header("location").unwrap()).by(Role::Admin).header("if-match", "*").json(&json!({"name_zh": "旧城市"})).send();
        assert_eq!(renamed.status, 200);
        let anew = add();
        assert_eq!((anew.status, anew.header("idempotent-replayed")), (201, None), "{}", anew.text);
        assert_replayed(&anew, &add());
        assert_ne!(anew.json()["id"], first.json()["id"]);
    }

    fn an_answer_outlives_the_server(ward) {
        let mut ward = ward;
        let add = |ward: &Ward| keyed(ward, "/api/v1/areas", "k").json(&json!({"name_zh": "凤城市", "name_en": "Fengcheng"})).send();
        let first = add(&ward);
        ward.restart(|_| {});
        assert_replayed(&first, &add(&ward));
    }

    fn of_many_at_once_one_is_done(ward) {
        for round in 0..5 {
            let body = json!({"name_zh": format!("市{round}"), "name_en": "City"});
            let replies: Vec<Reply> = std::thread::scope(|scope| {
                let asked: Vec<_> = (0..20)
                    .map(|_| scope.spawn(|| keyed(&ward, "/api/v1/areas", &format!("k{round}")).json(&body).send()))
                    .collect();
                asked.into_iter().map(|one| one.join().unwrap()).collect()
            });
            assert_done_once(&replies);
        }
        assert_eq!((areas(&ward), ward.events("area.created").len()), (5, 5));
    }
}

/// Asserts that one of the answers is of the work, and the others are that answer again or say that it is under way.
fn assert_done_once(replies: &[Reply]) {
    let done: Vec<&Reply> = replies
        .iter()
        .filter(|reply| reply.status == 201 && reply.header("idempotent-replayed").is_none())
        .collect();
    assert_eq!(done.len(), 1, "{replies:?}");
    for reply in replies {
        if reply.status == 201 {
            assert_eq!(reply.text, done[0].text);
        } else {
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (409, "idempotency_in_progress"),
                "{}",
                reply.text
            );
            assert_eq!(reply.header("retry-after"), Some("1"));
        }
    }
}

/// Two instances know nothing of what the other is working on; the database decides between them.
#[test]
fn of_many_at_once_on_two_instances_one_is_done() {
    let Some(ward) = Ward::postgres() else { return };
    let other = Server::start(settings_in(&ward.dir, ward.database.as_ref()), start()).unwrap();
    let token = format!("Bearer {}", ward.token(Role::Admin));
    for round in 0..10 {
        let body = json!({"name_zh": format!("市{round}"), "name_en": "City"}).to_string();
        let key = format!("k{round}");
        let headers: [(&str, &[u8]); 3] = [
            ("Authorization", token.as_bytes()),
            ("Content-Type", b"application/json"),
            ("Idempotency-Key", key.as_bytes()),
        ];
        let request = wire::request("POST", "/api/v1/areas", &headers, Some(body.as_bytes()));
        let ask = |address| {
            let mut wire = Wire::to(address);
            wire.send(&request);
            wire.answer(false).unwrap()
        };
        let replies: Vec<Reply> = std::thread::scope(|scope| {
            let asked: Vec<_> = (0..10)
                .flat_map(|_| [ward.server().address, other.address])
                .map(|address| scope.spawn(move || ask(address)))
                .collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_done_once(&replies);
    }
    assert_eq!((areas(&ward), ward.events("area.created").len()), (10, 10));
    other.stop().unwrap();
}
