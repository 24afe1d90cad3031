//! The verification of a whole log by somebody who trusts its key and nothing else.
//!
//! Every entry is read, every tile and the root are rebuilt from the entries, and all of it is
//! compared with what the log serves and has signed. This file must never use a hash it has not
//! rebuilt or compared, and never hold more of the log in memory than one bundle, one tile for each
//! level, and 16 bytes for each event id.

use super::{
    note::{Checkpoint, CheckpointError, NOTE_BYTES_MAX, NoteError, Verifier},
    source::{Source, SourceError},
    tile::{Bundle, Resource, Tile, WIDTH_MAX, bundles, decode_entries, decode_hashes},
    tree::{Frontier, Hash, leaf_hash},
    verdict::{Problem, Verdict},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{collections::HashSet, mem};

/// After this many problems a log is broken beyond doubt and the rest is not looked at.
pub const PROBLEMS_MAX: usize = 100;

/// The version of the entries that this verifier understands.
const ENTRY_VERSION: u64 = 1;

/// How much of an id is shown.
const ID_SHOWN_MAX: usize = 100;

/// The number of tile levels above the leaves: 8 levels of 256 hashes hold any size of 64 bits.
const ROWS: usize = 7;

/// The number of tree levels from one row of tiles to the next.
const TILE_HEIGHT: u8 = 8;

/// Verifies the log behind `source` with the key of the log.
///
/// `since` is a signed checkpoint of the same log that was kept from earlier; with it, a log that
/// shrank (ROLLBACK) or rewrote its past (FORK) is found out. An older checkpoint that the key has
/// not signed says nothing about the log, so the answer is then that one cannot tell.
/// `progress(done, total)` is called after every bundle of entries.
pub fn verify_log(
    source: &dyn Source,
    key: &Verifier,
    since: Option<&[u8]>,
    progress: &mut dyn FnMut(u64, u64),
) -> Verdict {
    let since = match since.map(|note| key.open_checkpoint(note)).transpose() {
        Ok(since) => since,
        Err(error) => {
            return Verdict::CannotTell {
                why: format!("the older checkpoint is of no use: {error}"),
            };
        }
    };
    let (head, checkpoint) = match fetch_head(source, key) {
        Ok(head) => head,
        Err(verdict) => return verdict,
    };
    let mut audit = Audit::new(source, &head, since.as_ref());
    let outcome = audit.run(progress);
    let unfinished = outcome.err().map(|stop| stop.reason());
    match unfinished {
        None if audit.problems.is_empty() => Verdict::Holds {
            origin: head.origin.clone(),
            size: head.size,
            root: head.root,
            since: since.map(|it| it.size),
            checkpoint,
        },
        Some(why) if audit.problems.is_empty() => Verdict::CannotTell { why },
        unfinished => Verdict::Broken {
            problems: audit.problems,
            unfinished,
        },
    }
}

/// The checkpoint, read and as it was signed; otherwise the verdict that ends the verification.
fn fetch_head(source: &dyn Source, key: &Verifier) -> Result<(Checkpoint, String), Verdict> {
    let broken = |problem| Verdict::Broken {
        problems: vec![problem],
        unfinished: None,
    };
    let note = source
        .get("checkpoint", NOTE_BYTES_MAX)
        .map_err(|error| match error {
            SourceError::TooLarge => broken(Problem::BadCheckpoint {
                reason: error.to_string(),
            }),
            // Without a checkpoint there is no log to judge: most likely the address is wrong.
            SourceError::Missing | SourceError::Unreachable(_) => Verdict::CannotTell {
                why: format!("the checkpoint could not be read: {error}"),
            },
        })?;
    let head = key.open_checkpoint(&note).map_err(|error| {
        let reason = error.to_string();
        broken(match error {
            CheckpointError::ForeignOrigin(found) => Problem::WrongOrigin {
                expected: key.name().to_owned(),
                found,
            },
            CheckpointError::Note(
                NoteError::WrongSignature(_) | NoteError::NoKnownSignature | NoteError::DuplicateSignature(_),
            ) => Problem::BadSignature { reason },
            _ => Problem::BadCheckpoint { reason },
        })
    })?;
    Ok((head, String::from_utf8_lossy(&note).into_owned()))
}

/// Why the reading ended early.
enum Stop {
    Unreachable { path: String, why: String },
    Lost { path: String },
    Enough,
}

impl Stop {
    fn reason(self) -> String {
        match self {
            Self::Unreachable { path, why } => format!("{path} could not be read: {why}"),
            Self::Lost { path } => format!("without {path} no later hash can be rebuilt"),
            Self::Enough => format!("{PROBLEMS_MAX} problems are enough"),
        }
    }
}

/// A verification under way.
struct Audit<'a> {
    source: &'a dyn Source,
    head: &'a Checkpoint,
    since: Option<&'a Checkpoint>,
    /// The tree over the leaves so far.
    frontier: Frontier,
    /// For each level of tiles above the leaves, the rebuilt hashes of its unfinished tile.
    rows: [Vec<Hash>; ROWS],
    /// The ids of the events so far, as truncated hashes.
    ids: HashSet<[u8; 16]>,
    problems: Vec<Problem>,
}

impl<'a> Audit<'a> {
    fn new(source: &'a dyn Source, head: &'a Checkpoint, since: Option<&'a Checkpoint>) -> Self {
        Self {
            source,
            head,
            since,
            frontier: Frontier::new(),
            rows: Default::default(),
            ids: HashSet::new(),
            problems: Vec::new(),
        }
    }

    fn run(&mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<(), Stop> {
        let size = self.head.size;
        self.compare_heads()?;
        self.compare_past()?;
        for bundle in bundles(size) {
            let leaves = self.leaves(bundle)?;
            for leaf in leaves {
                self.append(leaf)?;
            }
            progress(self.frontier.size(), size);
        }
        self.compare_right_edge()?;
        let rebuilt = self.frontier.root();
        if rebuilt != self.head.root {
            self.report(Problem::RootMismatch {
                size,
                signed: self.head.root,
                rebuilt,
            })?;
        }
        Ok(())
    }

    /// What two checkpoints say about each other before any entry is read.
    fn compare_heads(&mut self) -> Result<(), Stop> {
        match self.since {
            Some(old) if old.size > self.head.size => self.report(Problem::Rollback {
                old_size: old.size,
                size: self.head.size,
            }),
            Some(old) if old.size == self.head.size && old.root != self.head.root => {
                self.report(fork(old, self.head.root))
            }
            _ => Ok(()),
        }
    }

    /// Compares the tree so far with the older checkpoint, once it has as many leaves.
    fn compare_past(&mut self) -> Result<(), Stop> {
        let Some(old) = self.since.filter(|old| old.size == self.frontier.size()) else {
            return Ok(());
        };
        let root = self.frontier.root();
        // With equal sizes the two checkpoints may have shown the fork already.
        let known = self.problems.iter().any(|it| matches!(it, Problem::Fork { .. }));
        if root != old.root && !known {
            self.report(fork(old, root))?;
        }
        Ok(())
    }

    /// The leaf hashes of one bundle, from its entries if they can be had. Otherwise the tile says
    /// what they are, so that the rest of the log can still be looked at.
    fn leaves(&mut self, bundle: Bundle) -> Result<Vec<Hash>, Stop> {
        let rebuilt = self.read_bundle(bundle)?;
        let tile = Tile::new(0, bundle.index(), bundle.width());
        let stored = match tile {
            Some(tile) => self.read_tile(tile)?,
            None => None,
        };
        match (rebuilt, stored) {
            (Some(rebuilt), None) => Ok(rebuilt),
            (None, Some(stored)) => Ok(stored),
            (None, None) => Err(Stop::Lost {
                path: bundle.to_string(),
            }),
            (Some(rebuilt), Some(stored)) => {
                for (index, (ours, theirs)) in (self.frontier.size()..).zip(rebuilt.iter().zip(&stored)) {
                    if ours != theirs {
                        self.report(Problem::EntryMismatch { index })?;
                    }
                }
                Ok(rebuilt)
            }
        }
    }

    /// Adds a leaf and compares every tile that it completes.
    fn append(&mut self, leaf: Hash) -> Result<(), Stop> {
        let mut completed = Vec::new();
        self.frontier.push(leaf, &mut |level, index, hash| {
            if level % TILE_HEIGHT == 0 {
                completed.push((level / TILE_HEIGHT, index, hash));
            }
        });
        for (level, index, hash) in completed {
            let width = u64::from(WIDTH_MAX);
            let Some(row) = self.rows.get_mut(usize::from(level).saturating_sub(1)) else {
                continue;
            };
            row.push(hash);
            if index % width == width - 1 {
                let rebuilt = mem::take(row);
                self.compare_tile(Tile::new(level, index / width, WIDTH_MAX), &rebuilt)?;
            }
        }
        self.compare_past()
    }

    /// Compares the partial tiles above the leaves, which no further leaf will complete.
    fn compare_right_edge(&mut self) -> Result<(), Stop> {
        let rows = mem::take(&mut self.rows);
        for (level, row) in (1..).zip(&rows).filter(|(_, row)| !row.is_empty()) {
            let index = self.frontier.size() >> (TILE_HEIGHT * level) >> TILE_HEIGHT;
            let width = u16::try_from(row.len()).unwrap_or(WIDTH_MAX);
            self.compare_tile(Tile::new(level, index, width), row)?;
        }
        Ok(())
    }

    fn compare_tile(&mut self, tile: Option<Tile>, rebuilt: &[Hash]) -> Result<(), Stop> {
        let Some(tile) = tile else { return Ok(()) };
        let Some(stored) = self.read_tile(tile)? else {
            return Ok(());
        };
        match stored
            .iter()
            .zip(rebuilt)
            .position(|(theirs, ours)| theirs != ours)
        {
            Some(position) => self.report(Problem::TileMismatch {
                path: tile.to_string(),
                position,
            }),
            None => Ok(()),
        }
    }

    /// The hashes of a tile; `None` if it is missing or malformed, which is then reported.
    fn read_tile(&mut self, tile: Tile) -> Result<Option<Vec<Hash>>, Stop> {
        let Some((found, content)) = self.fetch(Resource::Tile(tile))? else {
            return Ok(None);
        };
        let Some(hashes) = decode_hashes(&content, found.width()) else {
            let reason = format!("the tile does not hold exactly {} hashes", found.width());
            self.report(Problem::BadContent {
                path: found.to_string(),
                reason,
            })?;
            return Ok(None);
        };
        Ok(hashes.get(..usize::from(tile.width())).map(<[Hash]>::to_vec))
    }

    /// The leaf hashes of the entries of a bundle, each of which is checked on the way; `None` if
    /// the bundle is missing or malformed, which is then reported.
    fn read_bundle(&mut self, bundle: Bundle) -> Result<Option<Vec<Hash>>, Stop> {
        let Some((found, content)) = self.fetch(Resource::Bundle(bundle))? else {
            return Ok(None);
        };
        let entries = match decode_entries(&content, found.width()) {
            Ok(entries) => entries,
            Err(error) => {
                let reason = error.to_string();
                self.report(Problem::BadContent {
                    path: found.to_string(),
                    reason,
                })?;
                return Ok(None);
            }
        };
        let mut leaves = Vec::new();
        for (index, entry) in (self.frontier.size()..)
            .zip(entries)
            .take(usize::from(bundle.width()))
        {
            self.check_entry(index, entry)?;
            leaves.push(leaf_hash(entry));
        }
        Ok(Some(leaves))
    }

    /// Gets a tile or bundle, or else the full one that a partial one is the beginning of: a log may
    /// drop a partial tile once it is full (c2sp.org/tlog-tiles, Partial Tiles). Says which it is.
    fn fetch(&mut self, wanted: Resource) -> Result<Option<(Resource, Vec<u8>)>, Stop> {
        for candidate in [wanted, wanted.full()] {
            let path = candidate.to_string();
            match self.source.get(&path, candidate.bytes_max()) {
                Ok(content) => return Ok(Some((candidate, content))),
                Err(SourceError::Missing) => {}
                Err(error @ SourceError::TooLarge) => {
                    self.report(Problem::BadContent {
                        path,
                        reason: error.to_string(),
                    })?;
                    return Ok(None);
                }
                Err(SourceError::Unreachable(why)) => return Err(Stop::Unreachable { path, why }),
            }
            if candidate == wanted.full() {
                break;
            }
        }
        self.report(Problem::Gap {
            path: wanted.to_string(),
        })?;
        Ok(None)
    }

    /// Checks that an entry is an event of version 1 with an id of its own.
    fn check_entry(&mut self, index: u64, entry: &[u8]) -> Result<(), Stop> {
        match event_id(entry) {
            Err(reason) => self.report(Problem::BadEntry { index, reason }),
            Ok(id) => {
                if self.ids.insert(short_hash(&id)) {
                    return Ok(());
                }
                let id = id.chars().take(ID_SHOWN_MAX).collect();
                self.report(Problem::DuplicateId { index, id })
            }
        }
    }

    fn report(&mut self, problem: Problem) -> Result<(), Stop> {
        if self.problems.len() >= PROBLEMS_MAX {
            return Err(Stop::Enough);
        }
        self.problems.push(problem);
        Ok(())
    }
}

fn fork(old: &Checkpoint, root: Hash) -> Problem {
    Problem::Fork {
        old_size: old.size,
        old_root: old.root,
        root,
    }
}

/// The id of an event, or what is wrong with the entry.
fn event_id(entry: &[u8]) -> Result<String, String> {
    let event: Value = serde_json::from_slice(entry).map_err(|error| format!("it is not JSON: {error}"))?;
    if event.get("v").and_then(Value::as_u64) != Some(ENTRY_VERSION) {
        return Err(format!("it is not an event of version {ENTRY_VERSION}"));
    }
    match event.get("id").and_then(Value::as_str) {
        Some(id) if !id.is_empty() => Ok(id.to_owned()),
        _ => Err("it has no id".to_owned()),
    }
}

/// Enough of a hash to tell ids apart: two that collide would cost 2^64 tries to find.
fn short_hash(id: &str) -> [u8; 16] {
    let digest: Hash = Sha256::digest(id).into();
    let mut short = [0; 16];
    short.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{
        note::Signer,
        source::DirSource,
        tile::{encode_entries, tiles},
        tree::fold,
    };
    use std::{cell::Cell, collections::BTreeMap, fs};
    use tempfile::TempDir;

    /// A log as the files it consists of.
    #[derive(Clone)]
    struct Files(BTreeMap<String, Vec<u8>>);

    impl Source for Files {
        fn get(&self, path: &str, limit: usize) -> Result<Vec<u8>, SourceError> {
            let content = self.0.get(path).ok_or(SourceError::Missing)?;
            (content.len() <= limit)
                .then(|| content.clone())
                .ok_or(SourceError::TooLarge)
        }
    }

    /// A source that stops answering after so many requests.
    struct Failing<'a>(&'a Files, Cell<u32>);

    impl Source for Failing<'_> {
        fn get(&self, path: &str, limit: usize) -> Result<Vec<u8>, SourceError> {
            let left = self.1.get();
            self.1.set(left.saturating_sub(1));
            if left == 0 {
                return Err(SourceError::Unreachable("the line is dead".to_owned()));
            }
            self.0.get(path, limit)
        }
    }

    impl Files {
        /// An honest log of these entries.
        fn of(entries: &[Vec<u8>]) -> Self {
            let mut files = BTreeMap::new();
            let mut frontier = Frontier::new();
            let mut row: Vec<Hash> = entries.iter().map(|it| leaf_hash(it)).collect();
            row.iter()
                .for_each(|leaf| frontier.push(*leaf, &mut |_, _, _| ()));
            let size = frontier.size();
            for (bundle, part) in bundles(size).zip(entries.chunks(256)) {
                let content = encode_entries(part.iter().map(Vec::as_slice)).unwrap();
                files.insert(bundle.to_string(), content);
            }
            for level in 0..8 {
                let parts = row.chunks(256);
                for (tile, part) in tiles(size).filter(|it| it.level() == level).zip(parts) {
                    files.insert(tile.to_string(), part.concat());
                }
                row = row.chunks_exact(256).map(|part| fold(part).unwrap()).collect();
            }
            let checkpoint = signer().sign_checkpoint(size, frontier.root()).unwrap();
            files.insert("checkpoint".to_owned(), checkpoint.into_bytes());
            Self(files)
        }

        /// An honest log of `size` ordinary entries.
        fn honest(size: u64) -> Self {
            Self::of(&entries(size))
        }

        fn checkpoint(&self) -> &[u8] {
            &self.0["checkpoint"]
        }

        /// The same files, of which one has other content.
        fn with(&self, path: &str, content: impl Into<Vec<u8>>) -> Self {
            let mut files = self.clone();
            assert!(
                files.0.insert(path.to_owned(), content.into()).is_some(),
                "{path}"
            );
            files
        }

        fn without(&self, path: &str) -> Self {
            let mut files = self.clone();
            assert!(files.0.remove(path).is_some(), "{path}");
            files
        }

        fn write(&self) -> TempDir {
            let directory = tempfile::tempdir().unwrap();
            for (path, content) in &self.0 {
                let path = directory.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
            directory
        }

        fn verdict(&self) -> Verdict {
            verify_log(self, signer().verifier(), None, &mut |_, _| ())
        }

        fn verdict_since(&self, old: &Files) -> Verdict {
            verify_log(self, signer().verifier(), Some(old.checkpoint()), &mut |_, _| ())
        }

        fn problems(&self) -> Vec<Problem> {
            problems(self.verdict())
        }
    }

    fn signer() -> Signer {
        Signer::new("ward.example/audit", &[7; 32]).unwrap()
    }

    fn entries(size: u64) -> Vec<Vec<u8>> {
        (0..size)
            .map(|index| format!(r#"{{"v":1,"id":"event_{index}"}}"#).into_bytes())
            .collect()
    }

    fn problems(verdict: Verdict) -> Vec<Problem> {
        match verdict {
            Verdict::Broken {
                problems,
                unfinished: None,
            } => problems,
            other => panic!("{other:?}"),
        }
    }

    fn names(problems: &[Problem]) -> Vec<&'static str> {
        problems.iter().map(Problem::name).collect()
    }

    #[test]
    fn an_honest_log_holds_since_any_of_its_checkpoints() {
        for size in [0, 1, 2, 255, 256, 257, 511, 512, 600] {
            let log = Files::honest(size);
            let directory = log.write();
            let source = DirSource::new(directory.path());
            for old in [0, 1, 3, 255, 256, 300, 512, 600]
                .into_iter()
                .filter(|old| *old <= size)
            {
                let since = Files::honest(old);
                let since = Some(since.checkpoint());
                let verdict = verify_log(&source, signer().verifier(), since, &mut |_, _| ());
                let Verdict::Holds {
                    size: read,
                    since,
                    checkpoint,
                    ..
                } = verdict
                else {
                    panic!("{size} since {old}: {verdict}");
                };
                assert_eq!((read, since), (size, Some(old)));
                assert_eq!(checkpoint.as_bytes(), log.checkpoint());
            }
        }
    }

    #[test]
    fn a_log_of_seventy_thousand_entries_holds_until_a_full_upper_tile_is_touched() {
        let log = Files::honest(70_000);
        let directory = log.write();
        let source = DirSource::new(directory.path());
        let since = Files::honest(66_000);
        let since = Some(since.checkpoint());
        let mut steps = Vec::new();
        let mut progress = |done, total| steps.push((done, total));
        let verdict = verify_log(&source, signer().verifier(), since, &mut progress);
        assert_eq!(verdict.exit_code(), 0, "{verdict}");
        assert_eq!((steps.len(), steps.first()), (274, Some(&(256, 70_000))));
        assert_eq!(steps.last(), Some(&(70_000, 70_000)));
        assert!(steps.is_sorted());

        let path = "tile/1/000".to_owned();
        let mut tile = log.0[&path].clone();
        tile[32 * 200] ^= 1;
        fs::write(directory.path().join(&path), tile).unwrap();
        let verdict = verify_log(&source, signer().verifier(), None, &mut |_, _| ());
        assert_eq!(problems(verdict), [Problem::TileMismatch { path, position: 200 }]);
    }

    #[test]
    fn every_flipped_byte_of_a_small_log_is_noticed() {
        let log = Files::honest(5);
        for (path, content) in &log.0 {
            for at in 0..content.len() {
                for bit in [0, 4, 7] {
                    let mut flipped = content.clone();
                    flipped[at] ^= 1 << bit;
                    let verdict = log.with(path, flipped).verdict();
                    assert_eq!(verdict.exit_code(), 1, "{path}, byte {at}: {verdict}");
                }
            }
        }
    }

    #[test]
    fn flipped_bytes_all_over_a_larger_log_are_noticed_where_they_are() {
        let log = Files::honest(600);
        for (path, content) in log.0.iter().filter(|(path, _)| *path != "checkpoint") {
            for at in (0..content.len()).step_by(397) {
                let mut flipped = content.clone();
                flipped[at] ^= 0x10;
                let found = log.with(path, flipped).problems();
                let expected: &[&str] = match path.as_str() {
                    entries if entries.starts_with("tile/entries/") => {
                        &["ENTRY MISMATCH", "BAD CONTENT", "BAD ENTRY", "DUPLICATE ID"]
                    }
                    leaves if leaves.starts_with("tile/0/") => &["ENTRY MISMATCH"],
                    _ => &["TILE MISMATCH"],
                };
                assert!(
                    expected.contains(&found[0].name()),
                    "{path}, byte {at}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn every_missing_part_is_a_gap() {
        let log = Files::honest(600);
        for path in log.0.keys().filter(|path| *path != "checkpoint") {
            let found = log.without(path).problems();
            assert_eq!(found, [Problem::Gap { path: path.clone() }]);
        }
        let verdict = log.without("tile/0/001").without("tile/entries/001").verdict();
        let Verdict::Broken { problems, unfinished } = verdict else {
            panic!("{verdict}")
        };
        assert_eq!(names(&problems), ["GAP", "GAP"]);
        assert!(unfinished.unwrap().contains("tile/entries/001"));
        let verdict = log.without("checkpoint").verdict();
        assert_eq!(verdict.exit_code(), 2, "{verdict}");
    }

    #[test]
    fn a_partial_tile_may_be_dropped_once_it_is_full() {
        let old = Files::honest(300);
        let grown = Files::honest(600);
        let log = grown.with("checkpoint", old.checkpoint());
        // The full tile of level 1 does not exist yet, so its partial one must.
        let partial = "tile/1/000.p/1";
        let mut log = log.without("tile/1/000.p/2");
        log.0.insert(partial.to_owned(), old.0[partial].clone());
        assert_eq!(log.verdict().exit_code(), 0, "{}", log.verdict());
        let spoiled = log.with("tile/0/001", vec![0; 8_192]).problems();
        assert_eq!(names(&spoiled), ["ENTRY MISMATCH"; 44]);
        let short = log.with("tile/0/001", vec![0; 8_160]).problems();
        assert_eq!(names(&short), ["BAD CONTENT"]);
    }

    #[test]
    fn a_rewritten_past_is_a_fork() {
        let mut rewritten = entries(600);
        rewritten[3] = br#"{"v":1,"id":"event_3","data":"another"}"#.to_vec();
        let log = Files::of(&rewritten);
        assert_eq!(log.verdict().exit_code(), 0);
        for old in [4, 5, 256, 300, 512, 600] {
            let found = problems(log.verdict_since(&Files::honest(old)));
            assert_eq!(names(&found), ["FORK"], "since {old}");
        }
        for old in 0..4 {
            assert_eq!(
                log.verdict_since(&Files::honest(old)).exit_code(),
                0,
                "since {old}"
            );
        }
        let false_start = signer().sign_checkpoint(0, [1; 32]).unwrap();
        let old = Files::honest(0).with("checkpoint", false_start);
        assert_eq!(names(&problems(log.verdict_since(&old))), ["FORK"]);
    }

    #[test]
    fn a_smaller_log_is_a_rollback() {
        let found = problems(Files::honest(299).verdict_since(&Files::honest(300)));
        assert_eq!(
            found,
            [Problem::Rollback {
                old_size: 300,
                size: 299
            }]
        );
        let found = problems(Files::honest(0).verdict_since(&Files::honest(1)));
        assert_eq!(names(&found), ["ROLLBACK"]);
    }

    #[test]
    fn tiles_and_root_must_follow_from_the_entries() {
        let log = Files::honest(600);
        let mut tile = log.0["tile/1/000.p/2"].clone();
        tile[40] ^= 1;
        let path = "tile/1/000.p/2".to_owned();
        let found = log.with(&path, tile).problems();
        assert_eq!(found, [Problem::TileMismatch { path, position: 1 }]);

        let checkpoint = signer().sign_checkpoint(600, [9; 32]).unwrap();
        let found = log.with("checkpoint", checkpoint).problems();
        assert_eq!(names(&found), ["ROOT MISMATCH"]);

        let mut altered = entries(600);
        altered[300] = br#"{"v":1,"id":"event_300","data":"altered"}"#.to_vec();
        let altered = Files::of(&altered).0["tile/entries/001"].clone();
        let found = log.with("tile/entries/001", altered).problems();
        assert_eq!(found[0], Problem::EntryMismatch { index: 300 });
        assert_eq!(names(&found[1..]), ["TILE MISMATCH", "ROOT MISMATCH"]);
    }

    #[test]
    fn a_checkpoint_of_somebody_else_is_refused() {
        let log = Files::honest(5);
        let root = [1; 32];
        let namesake = Signer::new("ward.example/audit", &[8; 32]).unwrap();
        let forged = namesake.sign_checkpoint(5, root).unwrap();
        assert_eq!(
            names(&log.with("checkpoint", forged).problems()),
            ["BAD SIGNATURE"]
        );
        let foreign = Checkpoint {
            origin: "log.example".to_owned(),
            size: 5,
            root,
        }
        .to_string();
        let foreign = signer().sign(&foreign).unwrap();
        assert_eq!(
            names(&log.with("checkpoint", foreign).problems()),
            ["WRONG ORIGIN"]
        );
        let empty = signer().sign("ward.example/audit\n").unwrap();
        for bad in [empty.as_str(), "", "<html>", &"x".repeat(NOTE_BYTES_MAX + 1)] {
            assert_eq!(names(&log.with("checkpoint", bad).problems()), ["BAD CHECKPOINT"]);
        }
    }

    #[test]
    fn an_older_checkpoint_that_is_not_the_logs_own_says_nothing() {
        let log = Files::honest(5);
        let old = Signer::new("log.example", &[7; 32]).unwrap();
        let old = log.with("checkpoint", old.sign_checkpoint(3, [1; 32]).unwrap());
        let verdict = log.verdict_since(&old);
        assert_eq!(verdict.exit_code(), 2);
        assert!(verdict.to_string().contains("the older checkpoint"), "{verdict}");
    }

    #[test]
    fn a_source_that_stops_answering_proves_nothing() {
        let log = Files::honest(300);
        let verify = |log: &Files, requests| {
            let source = Failing(log, Cell::new(requests));
            verify_log(&source, signer().verifier(), None, &mut |_, _| ())
        };
        for requests in 0..6 {
            let verdict = verify(&log, requests);
            assert_eq!(verdict.exit_code(), 2, "{requests} requests: {verdict}");
        }
        assert_eq!(verify(&log, 6).exit_code(), 0);
        // What was found before stays found.
        let Verdict::Broken { problems, unfinished } = verify(&log.without("tile/0/000"), 4) else {
            panic!("the gap is forgotten");
        };
        assert_eq!(names(&problems), ["GAP"]);
        assert!(unfinished.unwrap().contains("the line is dead"));
    }

    #[test]
    fn entries_must_be_events_with_ids_of_their_own() {
        let reasons = |bad: &str| {
            let mut entries = entries(5);
            entries[2] = bad.as_bytes().to_vec();
            Files::of(&entries).problems()
        };
        for bad in [
            "",
            "x",
            r#"{"v":1,"id":"a"} x"#,
            "[]",
            r#"{"id":"a"}"#,
            r#"{"v":2,"id":"a"}"#,
            r#"{"v":1.0,"id":"a"}"#,
            r#"{"v":"1","id":"a"}"#,
            r#"{"v":1}"#,
            r#"{"v":1,"id":""}"#,
            r#"{"v":1,"id":7}"#,
        ] {
            let found = reasons(bad);
            assert!(
                matches!(&found[..], [Problem::BadEntry { index: 2, .. }]),
                "{bad}: {found:?}"
            );
        }
        let id = "event_1".to_owned();
        let found = reasons(r#"{"v":1,"id":"event_1","other":true}"#);
        assert_eq!(found, [Problem::DuplicateId { index: 2, id }]);
    }

    #[test]
    fn content_out_of_shape_is_reported_and_the_rest_still_read() {
        let log = Files::honest(600);
        for (path, content) in [
            ("tile/entries/000", vec![0xff; 100]),
            ("tile/entries/002.p/88", vec![0; 88 * 65_537 + 1]),
            ("tile/0/000", vec![0; 8_191]),
            ("tile/0/000", vec![0; 8_193]),
            ("tile/1/000.p/2", vec![]),
        ] {
            let found = log.with(path, content).problems();
            assert_eq!(names(&found), ["BAD CONTENT"], "{path}");
            assert!(found[0].to_string().contains(path));
        }
    }

    #[test]
    fn a_hopeless_log_is_given_up() {
        let log = Files::of(&vec![b"nonsense".to_vec(); 600]);
        let Verdict::Broken { problems, unfinished } = log.verdict() else {
            panic!("nonsense holds");
        };
        assert_eq!(problems.len(), PROBLEMS_MAX);
        assert!(unfinished.unwrap().contains("enough"));
        let huge = signer().sign_checkpoint(u64::MAX, [1; 32]).unwrap();
        let verdict = Files::honest(5).with("checkpoint", huge).verdict();
        assert_eq!(verdict.exit_code(), 1, "{verdict}");
    }
}
