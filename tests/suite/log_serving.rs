//! What the log serves to verifiers, checked with other people's code; and the program that verifies it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tlog_tiles::{Hash, check_record, check_tree, prove_tree};
use wardbook::audit::note::Verifier;
use wardbook::audit::proof::{Proof, verify as verify_proof};

use crate::harness::Ward;
use crate::logbook::{
    Rebuilt, checkpoint, content, import, key, number, opened, part, sql, verify, verify_served, wardbook,
};
use crate::on_both;

on_both! {
    fn every_size_that_was_ever_signed_stays_checkable_after_the_log_has_grown(ward) {
        let key = key(&ward);
        let mut kept = vec![checkpoint(&ward)];
        for (batch, count) in [(1, 4), (2, 120), (3, 131), (4, 1), (5, 256), (6, 300)] {
            import(&ward, batch, count);
            kept.push(checkpoint(&ward));
        }
        ward.area(None, "凤城市");
        kept.push(checkpoint(&ward));

        let kept: Vec<_> = kept.iter().map(|note| opened(note, &key)).collect();
        // Among them sizes on both sides of a full tile, and exactly one.
        let sizes: Vec<u64> = kept.iter().map(tlog_tiles::Checkpoint::size).collect();
        assert_eq!(sizes, [1, 5, 125, 256, 257, 513, 813, 814]);
        let log = Rebuilt::read(&ward, 814);
        for signed in &kept {
            assert_eq!(signed.origin(), "ward.test/audit");
            assert_eq!(signed.extension(), "");
            // The entries come from the bundles that belonged to that size, fetched only now.
            let then = Rebuilt::read(&ward, signed.size());
            assert!(then.entries == log.entries[..then.entries.len()]);
            assert_eq!(then.root(signed.size()), *signed.hash());
            then.compare_tiles(&ward, signed.size());
            let proof = prove_tree(814, signed.size(), &log).unwrap();
            check_tree(&proof, 814, log.root(814), signed.size(), *signed.hash()).unwrap();
        }
        // No checkpoint was signed in between that the test does not know of, so these are all of them.
        assert_eq!(number(&ward, "SELECT count(*) FROM audit_checkpoints"), Some(8));
    }

    fn what_is_served_says_how_long_it_may_be_kept(ward) {
        import(&ward, 1, 299);
        for path in ["checkpoint", "key"] {
            let part = part(&ward, path);
            assert_eq!((part.kind.as_str(), part.caching.as_str()), ("text/plain; charset=utf-8", "no-cache"), "{path}");
        }
        for (path, bytes) in [("tile/0/000", 256 * 32), ("tile/0/001.p/44", 44 * 32), ("tile/0/000.p/7", 7 * 32), ("tile/1/000.p/1", 32)] {
            let part = part(&ward, path);
            assert_eq!(part.status, 200, "{path}");
            assert_eq!(part.content.len(), bytes, "{path}");
            assert_eq!(part.kind, "application/octet-stream");
            assert_eq!(part.caching, "public, max-age=31536000, immutable");
        }
        let bundle = part(&ward, "tile/entries/001.p/44");
        assert_eq!((bundle.kind.as_str(), bundle.status), ("application/octet-stream", 200));
        assert_eq!(bundle.caching, "public, max-age=31536000, immutable");
        let full = content(&ward, "tile/0/000");
        assert!(full.starts_with(&content(&ward, "tile/0/000.p/7")));
    }

    fn what_the_log_does_not_reach_is_not_there_yet(ward) {
        import(&ward, 1, 299);
        let beyond = [
            "tile/0/001.p/45", "tile/0/001", "tile/0/002", "tile/0/002.p/1", "tile/1/000", "tile/1/000.p/2", "tile/1/001.p/1",
            "tile/2/000.p/1", "tile/63/000.p/1", "tile/entries/001.p/45", "tile/entries/001", "tile/entries/002.p/1",
            "tile/0/x999/999", "tile/0/x018/x446/x744/x073/x709/551", "tile/entries/x018/x446/x744/x073/x709/551.p/1",
        ];
        // Other spellings of what is there, and what no log has.
        let misspelled = [
            "tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/x000/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/07",
            "tile/0/000.p/+7", "tile/0/000.p/", "tile/0/000/", "tile/00/000", "tile/64/000", "tile/-1/000", "tile/data/000",
            "tile/entries", "tile/", "tile/0/..%2f0/000", "tile/0/000.p/7/",
        ];
        for path in beyond.iter().chain(&misspelled) {
            let part = part(&ward, path);
            assert_eq!(part.status, 404, "{path}");
            // Tomorrow it may be there.
            assert_eq!(part.caching, "no-store", "{path}");
            let problem: Value = serde_json::from_slice(&part.content).unwrap();
            assert_eq!(problem["code"], "not_found", "{path}");
        }
        ward.area(None, "凤城市");
        ward.settle();
        assert_eq!(part(&ward, "tile/0/001.p/45").status, 200);
        assert_eq!(part(&ward, "tile/entries/001.p/45").status, 200);
        assert_eq!(part(&ward, "tile/0/001.p/46").status, 404);
    }

    fn the_proof_of_an_event_convinces_our_verifier_and_another_one(ward) {
        import(&ward, 1, 700);
        let (key, note) = (key(&ward), checkpoint(&ward));
        let signed = opened(&note, &key);
        let verifier: Verifier = key.parse().unwrap();
        let log = Rebuilt::read(&ward, signed.size());
        for index in (0..signed.size()).filter(|index| index % 23 == 0 || [255, 256, 257, 511, 512, 700].contains(index)) {
            let entry = &log.entries[usize::try_from(index).unwrap()];
            let event: Value = serde_json::from_slice(entry).unwrap();
            let part = part(&ward, &format!("proof/{}", event["id"].as_str().unwrap()));
            assert_eq!((part.status, part.kind.as_str(), part.caching.as_str()), (200, "text/plain; charset=utf-8", "no-cache"));
            let text = String::from_utf8(part.content).unwrap();

            let proven = verify_proof(entry, &text, &verifier).unwrap();
            assert_eq!((proven.size, proven.root), (signed.size(), signed.hash().0));
            assert!(verify_proof(b"{}", &text, &verifier).is_err());

            let (said_index, mut hashes) = by_hand(&text, &note);
            assert_eq!(said_index, index);
            let holds = |hashes: &Vec<Hash>| check_record(hashes, signed.size(), *signed.hash(), index, log.leaf(index)).is_ok();
            assert!(holds(&hashes), "entry {index}");
            hashes[0].0[31] ^= 1;
            assert!(!holds(&hashes), "entry {index}");
            let mut proof: Proof = text.parse().unwrap();
            proof.index ^= 1;
            assert!(proof.verify(entry, &verifier).is_err());
        }
        assert_eq!(part(&ward, "proof/event_01jd3n8f5teqkrzvq1c0m6h2ax").status, 404);
        assert_eq!(part(&ward, "proof/area_01jd3n8f5teqkrzvq1c0m6h2ax").status, 404);
        assert_eq!(part(&ward, "proof/nonsense").status, 404);
    }

    fn the_program_tells_a_log_that_holds_from_one_that_does_not(ward) {
        import(&ward, 1, 40);
        let (key, first) = (key(&ward), checkpoint(&ward));
        import(&ward, 2, 400);
        let (code, said) = verify_served(&ward, None);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("HOLDS") && said.contains("All 441 entries"), "{said}");
        let (code, said) = verify_served(&ward, Some(&first));
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("The 41 entries of the older checkpoint stand unchanged"), "{said}");

        // An older checkpoint that was tampered with says nothing about the log; nor does one of another log.
        let changed = first.replacen("\n41\n", "\n40\n", 1);
        assert_eq!(verify_served(&ward, Some(&changed)).0, 2);
        let other = Ward::sqlite();
        let (theirs, their_key) = (checkpoint(&other), crate::logbook::key(&other));
        assert_eq!(verify_served(&ward, Some(&theirs)).0, 2);
        // Another key of the same name: whoever serves this log is not who they say they are.
        let (code, said) = verify(&ward.url("/audit"), &their_key, None);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("BAD SIGNATURE"), "{said}");
        // What is no key at all.
        assert_eq!(verify(&ward.url("/audit"), "nonsense", None).0, 2);
        assert_eq!(verify(&ward.url("/audit"), &key.replacen('+', "-", 1), None).0, 2);
        let (code, said) = verify(&ward.url("/nowhere"), &key, None);
        assert_eq!(code, 2, "{said}");
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (code, said) = verify(&format!("http://{nobody}/audit"), &key, None);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("CANNOT TELL"), "{said}");
    }

    fn a_log_that_went_two_ways_is_caught_by_an_older_checkpoint(ward) {
        let mut ward = ward;
        import(&ward, 1, 60);
        let common = checkpoint(&ward);
        ward.server.take().unwrap().stop().unwrap();
        // A second ward with the same keys over a copy of the same data.
        let copy = tempfile::tempdir().unwrap();
        copy_directory(ward.dir.path(), copy.path());
        let fork = Ward::with(ward.database.as_ref().map(crate::harness::PostgresDatabase::copy), |settings| {
            settings.data_dir = copy.path().to_owned();
        });
        ward.restart(|_| {});
        import(&ward, 2, 10);
        import(&fork, 3, 12);
        let (ours, theirs) = (checkpoint(&ward), checkpoint(&fork));
        assert_eq!(key(&ward), key(&fork));
        // Each holds by itself, and with what they have in common.
        assert_eq!(verify_served(&ward, Some(&common)).0, 0);
        assert_eq!(verify_served(&fork, Some(&common)).0, 0);
        // Together they are found out: one way as a fork, the other as a log that has become shorter.
        let (code, said) = verify_served(&fork, Some(&ours));
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("FORK: the first 71 entries") && said.contains("Keep both checkpoints"), "{said}");
        let (code, said) = verify_served(&ward, Some(&theirs));
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("ROLLBACK: the log has 71 entries, but once signed that it has 73"), "{said}");
        import(&ward, 4, 2);
        let (code, said) = verify_served(&ward, Some(&theirs));
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("FORK: the first 73 entries"), "{said}");
    }

    fn the_log_can_be_taken_home_and_checked_there(ward) {
        import(&ward, 1, 300);
        let first = checkpoint(&ward);
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("log");
        let place = directory.to_str().unwrap();
        // Beside the running server.
        export(&ward, place);
        let key = key(&ward);
        assert_eq!(fs::read_to_string(directory.join("key")).unwrap(), format!("{key}\n"));
        assert_eq!(fs::read_to_string(directory.join("checkpoint")).unwrap(), first);
        assert_eq!(verify(place, &key, None).0, 0);
        // Again, into the same directory, when the log has grown: it holds at the new size, and the old parts are still there.
        import(&ward, 2, 300);
        export(&ward, place);
        let (code, said) = verify(place, &key, Some(&first));
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("All 601 entries"), "{said}");
        assert!(directory.join("tile/0/001.p/45").exists());
        // The server went on meanwhile, and the mark with it.
        ward.area(None, "凤城市");

        for (file, at, name) in [
            ("tile/entries/001", 700, "ENTRY MISMATCH"),
            ("tile/0/001", 32 * 9, "ENTRY MISMATCH: entry 265"),
            ("tile/1/000.p/2", 40, "TILE MISMATCH: tile/1/000.p/2"),
            ("checkpoint", 20, "BAD SIGNATURE"),
        ] {
            let path = directory.join(file);
            let sound = fs::read(&path).unwrap();
            let mut flipped = sound.clone();
            flipped[at] ^= 1;
            fs::write(&path, &flipped).unwrap();
            let (code, said) = verify(place, &key, None);
            assert_eq!(code, 1, "{file}: {said}");
            assert!(said.contains(name), "{file}: {said}");
            fs::write(&path, sound).unwrap();
        }
        fs::remove_file(directory.join("tile/entries/000")).unwrap();
        let (code, said) = verify(place, &key, None);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("GAP: tile/entries/000 is missing"), "{said}");
    }

    fn an_event_without_a_place_is_not_proven_yet(ward) {
        let mut ward = ward;
        ward.log_must_hold = false;
        // Read-only, so that nobody gives the event its place.
        let mark = ward.dir.path().join("keys/log-mark");
        ward.server.take().unwrap().stop().unwrap();
        fs::write(mark, "").unwrap();
        ward.restart(|_| {});
        let id = "event_01jd3n8f5teqkrzvq1c0m6h2ax";
        sql(&ward, &format!(
            "INSERT INTO audit_events (id, entry, leaf_hash, kind, subject, at) \
             SELECT '{id}', entry, leaf_hash, kind, subject, at FROM audit_events WHERE leaf_index = 0"
        ));
        let reply = ward.get(&format!("/audit/proof/{id}"));
        assert_eq!((reply.status, reply.code().as_str()), (503, "not_sequenced"));
        assert_eq!(reply.header("retry-after"), Some("1"));
        assert_eq!(ward.get(&format!("/api/v1/audit/events/{id}")).json()["index"], json!(null));
        let listed = ward.get("/api/v1/audit/events").json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    }
}

/// Index and hashes of a proof, read without our own parser.
fn by_hand(proof: &str, checkpoint: &str) -> (u64, Vec<Hash>) {
    let (head, note) = proof.split_once("\n\n").unwrap();
    assert_eq!(note, checkpoint);
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("c2sp.org/tlog-proof@v1"));
    let index = lines
        .next()
        .unwrap()
        .strip_prefix("index ")
        .unwrap()
        .parse()
        .unwrap();
    let hashes = lines.map(|line| Hash::parse_hash(line).unwrap()).collect();
    (index, hashes)
}

/// Runs `wardbook export log`.
fn export(ward: &Ward, directory: &str) {
    let (data, database) = (
        ward.dir.path().to_str().unwrap().to_owned(),
        ward.database.as_ref(),
    );
    let mut arguments = vec!["export", "log", directory, "--data-dir", &data];
    let url = database.map(crate::harness::PostgresDatabase::url);
    if let Some(url) = &url {
        arguments.extend(["--database-url", url]);
    }
    let output = wardbook(ward.dir.path(), &arguments);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
