//! Older backups, other keys, and the mark that lies beside the keys and not in the database.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use wardbook::app::server::Server;
use wardbook::audit::note::Signer;
use wardbook::audit::verdict::Verdict;
use wardbook::web::policy::Role;

use crate::harness::{Ward, settings_in, start};
use crate::logbook::{checkpoint, import, verify_served};
use crate::on_both;

/// Why nothing may be written, in English; none if it may.
fn read_only(ward: &Ward) -> Option<String> {
    let reply = ward
        .ask("POST", "/api/v1/areas")
        .by(Role::Admin)
        .header("accept-language", "en")
        .json(&json!({"name_zh": "一座新城", "name_en": "A new city"}))
        .send();
    match reply.status {
        201 => None,
        503 => {
            assert_eq!(reply.code(), "read_only");
            assert_eq!(ward.get("/health/ready").status, 503);
            assert_eq!(ward.get("/audit/checkpoint").status, 200);
            Some(reply.json()["detail"].as_str().unwrap().to_owned())
        }
        _ => panic!("{reply:?}"),
    }
}

fn stop(ward: &mut Ward) {
    ward.server.take().unwrap().stop().unwrap();
}

fn mark(ward: &Ward) -> PathBuf {
    ward.dir.path().join("keys/log-mark")
}

/// The signer with the log's own key.
fn signer(ward: &Ward) -> Signer {
    let seed = fs::read_to_string(ward.dir.path().join("keys/log.key")).unwrap();
    let seed: [u8; 32] = hex::decode(seed.trim()).unwrap().try_into().unwrap();
    Signer::new("ward.test/audit", &seed).unwrap()
}

/// What SQLite's database lies in. A connection that closes late leaves what is in the log of changes to whoever opens it next.
const FILES: [&str; 3] = ["wardbook.db", "wardbook.db-wal", "wardbook.db-shm"];

fn files(ward: &Ward) -> Vec<(&'static str, Vec<u8>)> {
    let of = |name| Some((name, fs::read(ward.dir.path().join(name)).ok()?));
    FILES.into_iter().take(2).filter_map(of).collect()
}

fn put_back(ward: &Ward, files: &[(&'static str, Vec<u8>)]) {
    for name in FILES {
        let _ = fs::remove_file(ward.dir.path().join(name));
    }
    for (name, bytes) in files {
        fs::write(ward.dir.path().join(name), bytes).unwrap();
    }
}

on_both! {
    fn an_older_backup_is_served_but_not_written(ward) {
        let mut ward = ward;
        import(&ward, 1, 20);
        stop(&mut ward);
        // The backup, and what happens after it.
        let kept = ward.database.is_none().then(|| files(&ward));
        let backup = ward.database.as_ref().map(crate::harness::PostgresDatabase::copy);
        ward.restart(|_| {});
        import(&ward, 2, 30);
        let after = checkpoint(&ward);
        stop(&mut ward);

        // The disaster, and the backup in its place.
        let newest = std::mem::replace(&mut ward.database, backup);
        let newest_files = files(&ward);
        if let Some(kept) = &kept {
            put_back(&ward, kept);
        }
        ward.restart(|_| {});
        let why = read_only(&ward).expect("going on would fork the log");
        assert!(why.contains("signed up to 51 entries, but this database has 21") && why.contains("older backup"), "{why}");
        let (code, said) = verify_served(&ward, Some(&after));
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("ROLLBACK"), "{said}");

        // The newest state comes back after all, and everything is as before.
        stop(&mut ward);
        if ward.database.is_some() {
            ward.database = newest;
        } else {
            put_back(&ward, &newest_files);
        }
        ward.restart(|_| {});
        assert_eq!(read_only(&ward), None);
        assert_eq!(verify_served(&ward, Some(&after)).0, 0);
    }

    fn a_lost_database_is_not_quietly_replaced_by_an_empty_one(ward) {
        let mut ward = ward;
        import(&ward, 1, 20);
        stop(&mut ward);
        if ward.database.is_some() {
            ward.database = crate::harness::PostgresDatabase::make();
        } else {
            fs::remove_file(ward.dir.path().join("wardbook.db")).unwrap();
        }
        ward.log_must_hold = false;
        ward.restart(|_| {});
        let reply = ward.ask("POST", "/api/v1/areas").by(Role::Admin).header("accept-language", "en").json(&json!({"name_zh": "城", "name_en": "City"})).send();
        assert_eq!((reply.status, reply.code().as_str()), (503, "read_only"));
        assert!(reply.text.contains("signed up to 21 entries, but this database has 0"), "{}", reply.text);
        assert_eq!(ward.get("/audit/checkpoint").status, 404);
    }

    fn another_key_than_the_logs_is_refused_at_start(ward) {
        let mut ward = ward;
        import(&ward, 1, 5);
        stop(&mut ward);
        let file = ward.dir.path().join("keys/log.key");
        let own = fs::read(&file).unwrap();
        fs::write(&file, hex::encode([7; 32])).unwrap();
        let start_again = |ward: &Ward| Server::start(settings_in(&ward.dir, ward.database.as_ref()), start());
        let fault = start_again(&ward).err().expect("it must not sign with another key").to_string();
        assert!(fault.contains("the log of this database is signed with the key ward.test/audit+"), "{fault}");
        assert!(fault.contains("give this instance the keys of the first one"), "{fault}");
        // Nor with none at all, which makes a fresh one: that is another key too.
        fs::remove_file(&file).unwrap();
        assert!(start_again(&ward).is_err());
        fs::write(&file, own).unwrap();
        ward.restart(|_| {});
        assert_eq!(read_only(&ward), None);
    }

    fn the_mark_follows_the_log_and_must_be_a_part_of_it(ward) {
        let mut ward = ward;
        import(&ward, 1, 5);
        let signed = checkpoint(&ward);
        stop(&mut ward);
        assert_eq!(fs::read_to_string(mark(&ward)).unwrap(), signed);
        fs::remove_file(mark(&ward)).unwrap();
        ward.restart(|_| {});
        assert_eq!(read_only(&ward), None);
        let signed = checkpoint(&ward);
        stop(&mut ward);
        assert_eq!(fs::read_to_string(mark(&ward)).unwrap(), signed);
        // A mark that is behind, as after a crash of the machine, is no reason for alarm, and is brought up.
        let behind = signer(&ward).sign_checkpoint(1, [0; 32]).unwrap();
        fs::write(mark(&ward), behind).unwrap();
        ward.restart(|_| {});
        let why = read_only(&ward).expect("but it must be a prefix");
        assert!(why.contains("the first 1 entries are not those that were signed: the log has been forked"), "{why}");
    }

    fn a_mark_behind_the_log_is_brought_up(ward) {
        let mut ward = ward;
        let first = checkpoint(&ward);
        import(&ward, 1, 5);
        stop(&mut ward);
        fs::write(mark(&ward), &first).unwrap();
        ward.restart(|_| {});
        assert_eq!(read_only(&ward), None);
        let signed = checkpoint(&ward);
        stop(&mut ward);
        assert_eq!(fs::read_to_string(mark(&ward)).unwrap(), signed);
        // Closing a second time, as a command beside the server does, never takes it back.
        let ahead = signer(&ward).sign_checkpoint(1_000, [0; 32]).unwrap();
        fs::write(mark(&ward), &ahead).unwrap();
        ward.restart(|_| {});
        assert!(read_only(&ward).unwrap().contains("signed up to 1000 entries"));
        stop(&mut ward);
        assert_eq!(fs::read_to_string(mark(&ward)).unwrap(), ahead);
    }

    fn a_mark_that_cannot_be_read_stops_writing_and_says_what_to_do(ward) {
        let mut ward = ward;
        import(&ward, 1, 5);
        let signed = checkpoint(&ward);
        let foreign = Signer::new("ward.test/audit", &[7; 32]).unwrap().sign_checkpoint(3, [0; 32]).unwrap();
        for bad in ["", "nonsense", &signed[..signed.len() - 3], &foreign] {
            stop(&mut ward);
            fs::write(mark(&ward), bad).unwrap();
            ward.restart(|_| {});
            let why = read_only(&ward).expect("nobody can tell how far the log once went");
            assert!(why.contains("log-mark") && why.contains("then delete that file"), "{why}");
        }
        stop(&mut ward);
        fs::remove_file(mark(&ward)).unwrap();
        ward.restart(|_| {});
        assert_eq!(read_only(&ward), None);
        assert!(matches!(ward.verdict(), Verdict::Holds { .. }));
    }
}
