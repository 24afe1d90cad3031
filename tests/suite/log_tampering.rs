//! The database changed behind the server's back: what the verifier says, what the check at start says, and what each of
//! them cannot see. Every tampering is done while the service is stopped, after it has signed 300 entries.

use serde_json::json;
use wardbook::web::policy::Role;

use crate::harness::Ward;
use crate::logbook::{checkpoint, disarm, import, key, number, sql, verify_served};
use crate::on_both;

/// What came out when the service was started over a changed log.
struct Outcome {
    /// `wardbook verify log`: exit code and what it said.
    verified: (i32, String),
    /// The same with the checkpoint of 300 entries that somebody kept.
    verified_since: (i32, String),
}

/// Makes a log of 300 entries, stops, runs `statements`, starts again and verifies. `read_only` is why the check at start
/// lets nobody write, in English and in Chinese; none if it has no objection.
fn tampered(ward: &mut Ward, statements: &str, read_only: Option<(&str, &str)>) -> Outcome {
    import(ward, 1, 299);
    let (kept, key) = (checkpoint(ward), key(ward));
    ward.log_must_hold = false;
    ward.server.take().unwrap().stop().unwrap();
    disarm(ward);
    sql(ward, statements);
    ward.restart(|_| {});
    let verify = |since| crate::logbook::verify(&ward.url("/audit"), &key, since);
    let outcome = Outcome {
        verified: verify(None),
        verified_since: verify(Some(&kept)),
    };
    match read_only {
        Some(why) => assert_read_only(ward, why),
        None => {
            ward.area(None, "凤城市");
            assert_eq!(ward.get("/health/ready").status, 200);
        }
    }
    outcome
}

/// It answers, changes nothing, says why in both languages, and signs nothing.
fn assert_read_only(ward: &mut Ward, (en, zh): (&str, &str)) {
    assert_eq!(ward.get("/api/v1/areas").status, 200);
    assert_eq!(ward.get("/api/v1/audit/events").status, 200);
    assert_eq!(ward.get("/audit/checkpoint").status, 200);
    assert_eq!(ward.get("/health/live").status, 200);
    for (language, why) in [("en", en), ("zh-CN", zh)] {
        let write = ward
            .ask("POST", "/api/v1/areas")
            .by(Role::Admin)
            .header("accept-language", language)
            .json(&json!({"name_zh": "凤城市", "name_en": "Fengcheng"}))
            .send();
        let ready = ward
            .ask("GET", "/health/ready")
            .header("accept-language", language)
            .send();
        for reply in [write, ready] {
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (503, "read_only"),
                "{reply:?}"
            );
            let detail = reply.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains(why), "{detail}");
        }
    }
    // An event that waits for its place still waits when the service has ended, and no checkpoint has been added.
    let signed = "SELECT count(*) FROM audit_checkpoints";
    let before = number(ward, signed);
    wait_in_vain(ward);
    ward.server.take().unwrap().stop().unwrap();
    assert_eq!(number(ward, signed), before);
    assert_eq!(
        number(ward, "SELECT count(*) FROM audit_events WHERE leaf_index IS NULL"),
        Some(1)
    );
}

/// Adds an event that has no place yet.
fn wait_in_vain(ward: &Ward) {
    sql(
        ward,
        "INSERT INTO audit_events (id, entry, leaf_hash, kind, subject, at) \
         SELECT 'event_01jd3n8f5teqkrzvq1c0m6h2ax', entry, leaf_hash, kind, subject, at FROM audit_events WHERE leaf_index = 0",
    );
}

fn on<'a>(ward: &Ward, sqlite: &'a str, postgres: &'a str) -> &'a str {
    if ward.database.is_some() { postgres } else { sqlite }
}

#[track_caller]
fn says((code, said): &(i32, String), expected: i32, words: &str) {
    assert_eq!(*code, expected, "{said}");
    assert!(said.contains(words), "{said}");
}

const ROOT: (&str, &str) = (
    "the root rebuilt from the stored hashes is not the one that was last signed",
    "由已存散列重建的根与最新检查点不符",
);

on_both! {
    fn a_changed_entry_is_seen_by_the_verifier_though_not_at_start(ward) {
        let mut ward = ward;
        let change = on(
            &ward,
            "UPDATE audit_events SET entry = CAST(replace(CAST(entry AS TEXT), '社区', '小区') AS BLOB) WHERE leaf_index = 7",
            "UPDATE audit_events SET entry = convert_to(replace(convert_from(entry, 'UTF8'), '社区', '小区'), 'UTF8') WHERE leaf_index = 7",
        );
        // The check at start reads hashes, not entries: it would otherwise read the whole log.
        let outcome = tampered(&mut ward, change, None);
        says(&outcome.verified, 1, "ENTRY MISMATCH: entry 7 ");
        says(&outcome.verified_since, 1, "ENTRY MISMATCH: entry 7 ");
    }

    fn a_changed_leaf_hash_is_seen_by_both(ward) {
        let mut ward = ward;
        let change = "UPDATE audit_events SET leaf_hash = (SELECT leaf_hash FROM audit_events WHERE leaf_index = 8) WHERE leaf_index = 7";
        let why = ("the stored hash at level 8, place 0, is not that of the entries below it", "第 8 层第 0 个节点的散列与其下的记录不符");
        let outcome = tampered(&mut ward, change, Some(why));
        says(&outcome.verified, 1, "ENTRY MISMATCH: entry 7 ");
    }

    fn an_entry_changed_with_its_hash_does_not_lead_to_the_signed_root(ward) {
        let mut ward = ward;
        let change = "UPDATE audit_events SET entry = (SELECT entry FROM audit_events WHERE leaf_index = 289), \
                      leaf_hash = (SELECT leaf_hash FROM audit_events WHERE leaf_index = 289) WHERE leaf_index = 290";
        let outcome = tampered(&mut ward, change, Some(ROOT));
        says(&outcome.verified, 1, "ROOT MISMATCH: the 300 entries");
        says(&outcome.verified, 1, "DUPLICATE ID: entry 290");
        says(&outcome.verified_since, 1, "FORK: the first 300 entries");
    }

    fn a_changed_node_is_seen_by_both(ward) {
        let mut ward = ward;
        let change = "UPDATE audit_nodes SET hash = (SELECT leaf_hash FROM audit_events WHERE leaf_index = 0) WHERE level = 8";
        let why = ("the stored hash at level 8, place 0", "第 8 层第 0 个节点");
        let outcome = tampered(&mut ward, change, Some(why));
        says(&outcome.verified, 1, "TILE MISMATCH: tile/1/000.p/1");
    }

    fn a_node_too_many_is_seen_at_start_and_is_in_nobody_elses_way(ward) {
        let mut ward = ward;
        let change = "INSERT INTO audit_nodes (level, node_index, hash) SELECT 8, 1, hash FROM audit_nodes WHERE node_index = 0";
        let why = ("the number of stored hashes is not that of a tree of this size", "已存节点数与日志条目数不符");
        let outcome = tampered(&mut ward, change, Some(why));
        says(&outcome.verified, 0, "HOLDS");
    }

    fn a_deleted_event_is_a_gap(ward) {
        let mut ward = ward;
        let change = "DELETE FROM audit_private WHERE event_id = (SELECT id FROM audit_events WHERE leaf_index = 20); \
                      DELETE FROM audit_events WHERE leaf_index = 20";
        let outcome = tampered(&mut ward, change, Some(("entry 20 of the log is missing", "日志缺少第 20 条")));
        says(&outcome.verified, 1, "GAP: tile/entries/000 is missing");
    }

    fn the_last_event_cannot_be_deleted_either(ward) {
        let mut ward = ward;
        let change = "DELETE FROM audit_private WHERE event_id = (SELECT id FROM audit_events WHERE leaf_index = 299); \
                      DELETE FROM audit_events WHERE leaf_index = 299";
        let outcome = tampered(&mut ward, change, Some(("entry 299 of the log is missing", "日志缺少第 299 条")));
        says(&outcome.verified, 1, "GAP: tile/entries/001.p/44 is missing");
    }

    fn a_changed_checkpoint_is_not_signed(ward) {
        let mut ward = ward;
        let change = "UPDATE audit_checkpoints SET note = replace(note, '\n300\n', '\n299\n')";
        let why = ("the newest checkpoint does not verify", "最新检查点无效");
        let outcome = tampered(&mut ward, change, Some(why));
        says(&outcome.verified, 1, "BAD SIGNATURE");
    }

    fn a_deleted_checkpoint_is_a_rollback_to_whoever_kept_it(ward) {
        let mut ward = ward;
        let change = "DELETE FROM audit_checkpoints WHERE size = 300";
        let why = ("signed up to 300 entries, but this database has 1: it looks like an older backup", "日志曾签署到第 300 条，而数据库只有 1 条");
        let outcome = tampered(&mut ward, change, Some(why));
        // By itself a shorter log holds: that is why one keeps checkpoints.
        says(&outcome.verified, 0, "HOLDS");
        says(&outcome.verified_since, 1, "ROLLBACK: the log has 1 entries, but once signed that it has 300");
    }

    fn a_tree_to_go_on_from_that_was_not_signed_is_seen_at_start(ward) {
        let mut ward = ward;
        let change = "UPDATE audit_checkpoints SET frontier = (SELECT frontier FROM audit_checkpoints WHERE size = 1)";
        let outcome = tampered(&mut ward, change, Some(ROOT));
        // What is served has not been touched.
        says(&outcome.verified, 0, "HOLDS");
    }

    fn a_log_without_its_name_is_seen_at_start(ward) {
        let mut ward = ward;
        let why = ("the log has checkpoints but no name", "日志有检查点却没有名称");
        tampered(&mut ward, "DELETE FROM audit_log", Some(why));
    }

    fn a_log_cut_short_with_its_mark_is_seen_only_by_whoever_kept_a_checkpoint(ward) {
        let mut ward = ward;
        import(&ward, 1, 299);
        let kept = checkpoint(&ward);
        ward.log_must_hold = false;
        ward.server.take().unwrap().stop().unwrap();
        disarm(&ward);
        sql(&ward, "DELETE FROM audit_checkpoints WHERE size > 1; DELETE FROM audit_nodes; \
            DELETE FROM audit_private WHERE event_id IN (SELECT id FROM audit_events WHERE leaf_index > 0); \
            DELETE FROM audit_events WHERE leaf_index > 0");
        std::fs::remove_file(ward.dir.path().join("keys/log-mark")).unwrap();
        ward.restart(|_| {});
        // Nothing inside the machine remembers, and the service goes on to sign a fork.
        ward.area(None, "凤城市");
        says(&verify_served(&ward, None), 0, "HOLDS");
        says(&verify_served(&ward, Some(&kept)), 1, "ROLLBACK");
    }

    fn checkpoints_missing_without_a_mark_are_missed_all_the_same(ward) {
        let mut ward = ward;
        import(&ward, 1, 299);
        ward.settle();
        ward.log_must_hold = false;
        ward.server.take().unwrap().stop().unwrap();
        disarm(&ward);
        std::fs::remove_file(ward.dir.path().join("keys/log-mark")).unwrap();
        sql(&ward, "DELETE FROM audit_checkpoints WHERE size = 300");
        ward.restart(|_| {});
        assert_read_only(&mut ward, ("the number of entries is not that of the newest checkpoint", "日志条目数与最新检查点不符"));
        sql(&ward, "DELETE FROM audit_checkpoints");
        ward.restart(|_| {});
        let reply = ward.post("/api/v1/areas", &json!({"name_zh": "城", "name_en": "City"}));
        assert!(reply.text.contains("the log has 300 entries but no checkpoint") || reply.text.contains("日志有 300 条记录却没有检查点"), "{}", reply.text);
    }

    fn an_older_tree_under_a_running_service_is_not_signed_over(ward) {
        let mut ward = ward;
        for name in ["一", "二", "三", "四"] {
            ward.area(None, name);
            ward.settle();
        }
        let kept = checkpoint(&ward);
        disarm(&ward);
        // Entries 2 to 4 are made to look as if they had never been signed.
        sql(&ward, "DELETE FROM audit_checkpoints WHERE size > 2; UPDATE audit_events SET leaf_index = NULL WHERE leaf_index >= 2");
        until_read_only(&ward, "older backup");
        ward.log_must_hold = false;
        assert_eq!(number(&ward, "SELECT max(size) FROM audit_checkpoints"), Some(2));
        says(&verify_served(&ward, Some(&kept)), 1, "ROLLBACK");
        // The mark has not been taken back, so the check at start sees it too.
        ward.restart(|_| {});
        assert_eq!(ward.get("/health/ready").status, 503);
    }

    fn a_forged_tree_under_a_running_service_is_not_signed_over(ward) {
        let mut ward = ward;
        import(&ward, 1, 4);
        let kept = checkpoint(&ward);
        disarm(&ward);
        sql(&ward, "UPDATE audit_checkpoints SET frontier = (SELECT frontier FROM audit_checkpoints WHERE size = 1)");
        until_read_only(&ward, "the stored tree is not the one that the newest checkpoint signs");
        // Nothing that is served has changed, and nothing was signed.
        assert_eq!(checkpoint_as_it_is(&ward), kept);
        ward.log_must_hold = false;
    }
}

/// On SQLite an event takes its place while it is written, so somebody could leave a gap for it to jump over.
#[test]
fn a_gap_in_the_places_is_not_signed_over() {
    let mut ward = Ward::sqlite();
    ward.area(None, "凤城市");
    let kept = checkpoint(&ward);
    let places = "SELECT count(*) FROM audit_events";
    let before = number(&ward, places);
    sql(
        &ward,
        "INSERT INTO audit_events (id, entry, leaf_hash, leaf_index, kind, subject, at) \
         SELECT 'event_01jd3n8f5teqkrzvq1c0m6h2ax', entry, leaf_hash, 7, kind, subject, at FROM audit_events WHERE leaf_index = 0",
    );
    let reply = ward.post("/api/v1/areas", &json!({"name_zh": "城", "name_en": "City"}));
    assert_eq!(reply.status, 500, "{reply:?}");
    assert_eq!(checkpoint_as_it_is(&ward), kept);
    assert_eq!(number(&ward, places), before.map(|before| before + 1));
    ward.log_must_hold = false;
}

/// Writes until the service turns read-only: at the first write on SQLite, on PostgreSQL when the sequencer comes by.
fn until_read_only(ward: &Ward, why: &str) {
    let begun = std::time::Instant::now();
    for n in 0.. {
        let name = format!("城{n}");
        let reply = ward
            .ask("POST", "/api/v1/areas")
            .by(Role::Admin)
            .header("accept-language", "en")
            .json(&json!({"name_zh": name, "name_en": name}))
            .send();
        if reply.status == 503 {
            assert_eq!(reply.code(), "read_only");
            assert!(reply.text.contains(why), "{}", reply.text);
            assert_eq!(ward.get("/health/ready").status, 503);
            return;
        }
        assert!(
            ward.database.is_some(),
            "SQLite signs in the very transaction: {}",
            reply.text
        );
        assert!(begun.elapsed().as_secs() < 60, "nobody notices");
    }
}

fn checkpoint_as_it_is(ward: &Ward) -> String {
    ward.get("/audit/checkpoint").text
}
