//! Reads a file in, from its first byte to its last: taken apart while it is read, repaired, and loaded batch by batch. Holds one batch at a time and never the
//! file. Runs on a thread that may block.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::db::database::Db;
use crate::imports::acts::{self, Batch, Incoming, Loaded, NewImport};
use crate::imports::rules::{
    BATCH_BYTES_MAX, BATCH_RELEASES_MAX, Counts, Import, ImportId, Kind, State, is_own, kept_name,
};
use crate::imports::rules_findings::{Code, Finding};
use crate::imports::rules_reading::short_id;
use crate::imports::rules_repairs::{Findings, has_too_many, repaired};
use crate::imports::rules_stream::{Bounds, Piece, pieces, unpacked};
use crate::imports::rules_values::instant;
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::publish::rules_json::{Json, Object};
use crate::web::actor::Actor;

/// Who wants to hear how an import goes on.
pub trait Listener {
    /// After each batch: what the import has come to, and what was found in it.
    ///
    /// # Errors
    /// Why it cannot go on: a report that cannot be written.
    fn heard(&mut self, counts: &Counts, findings: &[Finding]) -> Result<(), Fault>;
}

/// Nobody does.
pub struct Nobody;

impl Listener for Nobody {
    fn heard(&mut self, _: &Counts, _: &[Finding]) -> Result<(), Fault> {
        Ok(())
    }
}

/// What a file is: its name, its hash, its length.
///
/// # Errors
/// A fault if it cannot be read.
pub fn described(path: &Path, name: &str) -> Result<NewImport, Fault> {
    let failed = |error: io::Error| Fault::caused(format!("read {name}"), error);
    let mut reader = File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut bytes = 0_i64;
    let mut buffer = vec![0_u8; 256 * 1024];
    loop {
        let length = reader.read(&mut buffer).map_err(failed)?;
        let Some(piece) = buffer.get(..length).filter(|piece| !piece.is_empty()) else {
            break;
        };
        hash.update(piece);
        bytes = bytes.saturating_add(i64::try_from(length).unwrap_or(i64::MAX));
    }
    Ok(NewImport {
        name: kept_name(name),
        sha256: hash.finalize().into(),
        bytes,
        kind: Kind::Ocds,
        waits: false,
    })
}

/// Processes of the ward's own that are told of once in an import, however far apart their releases are.
const OWN_MAX: usize = 100_000;

/// What is read in.
#[derive(Clone, Copy)]
pub struct Source<'s> {
    /// Its import.
    pub id: &'s ImportId,
    /// The file.
    pub path: &'s Path,
    /// What the ids of the ward's own processes begin with, if it publishes any: those are passed over, because they are counted already.
    pub own_prefix: Option<&'s str>,
}

/// Reads a file in whose import was begun.
///
/// # Errors
/// Those of the acts and of the listener. A file that cannot be read to its end is a failed import.
pub fn run(db: &Db, actor: &Actor, source: Source<'_>, listener: &mut dyn Listener) -> Answer<Import> {
    let Source { id, path, own_prefix } = source;
    let mut loading = Loading {
        db,
        actor,
        id,
        listener,
        batch: Batch::default(),
        bytes: 0,
        held: BTreeMap::new(),
        own_prefix,
        own: BTreeSet::new(),
    };
    let done = loading.file(path).and_then(|()| loading.flush());
    let state = if done.is_ok() { State::Done } else { State::Failed };
    let (by, which) = (actor.clone(), id.clone());
    let ended = db.write_and_wait(move |tx| acts::end(tx, &by, &which, state));
    done?;
    ended
}

/// A stop, or an error of the file.
enum Halt {
    Stop(Stop),
    Io(io::Error),
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

struct Loading<'l> {
    db: &'l Db,
    actor: &'l Actor,
    id: &'l ImportId,
    listener: &'l mut dyn Listener,
    batch: Batch,
    bytes: usize,
    /// Of the objects that hold releases and are not read to their end: how many releases were in them, and how many links.
    held: BTreeMap<u64, (u64, u64)>,
    own_prefix: Option<&'l str>,
    /// Processes of the ward's own that were told of.
    own: BTreeSet<String>,
}

impl Loading<'_> {
    fn file(&mut self, path: &Path) -> Answer<()> {
        let failed = |error: io::Error| Stop::Fault(Fault::caused("read the file that is imported", error));
        let file = File::open(path).map_err(failed)?;
        let reader = unpacked(BufReader::new(file)).map_err(failed)?;
        let mut take = |piece: Piece| self.piece(piece).map_err(Halt::Stop);
        match pieces(reader, Bounds::USUAL, &mut take) {
            Ok(()) => Ok(()),
            Err(Halt::Stop(stop)) => Err(stop),
            Err(Halt::Io(error)) => Err(failed(error)),
        }
    }

    fn piece(&mut self, piece: Piece) -> Answer<()> {
        match piece {
            Piece::Finding(finding) => self.batch.findings.push(finding),
            Piece::Object {
                pointer,
                bytes,
                is_container,
                parent,
                number,
            } => {
                let held = self.held.remove(&number);
                let (releases, links) = held.unwrap_or_default();
                let came = taken_in(&pointer, &bytes, (is_container, releases > 0), &mut self.batch);
                self.pass_over_own();
                if let Some(parent) = parent {
                    let place = self.held.entry(parent).or_default();
                    match came {
                        Came::Release => place.0 = place.0.saturating_add(1),
                        Came::Link => place.1 = place.1.saturating_add(1),
                        Came::Nothing => {}
                    }
                }
                if is_container && links > 0 && releases == 0 {
                    let code = if matches!(came, Came::Release) {
                        Code::LinkedRelease
                    } else {
                        Code::LinkedOnly
                    };
                    let found = format!("{links} ×");
                    self.batch.findings.push(Finding::at(code, &pointer, &found, ""));
                }
                self.bytes = self.bytes.saturating_add(bytes.len());
            }
        }
        let is_full = self.batch.releases.len() >= BATCH_RELEASES_MAX
            || self.bytes >= BATCH_BYTES_MAX
            || self.batch.findings.len() >= 10_000;
        if is_full { self.flush() } else { Ok(()) }
    }

    /// Passes over the last release, if it is of a process of the ward's own.
    fn pass_over_own(&mut self) {
        let last = self.batch.releases.last();
        let Some(ocid) = last
            .filter(|one| is_own(&one.ocid, self.own_prefix))
            .map(|one| one.ocid.clone())
        else {
            return;
        };
        self.batch.releases.pop();
        self.batch.own_releases = self.batch.own_releases.saturating_add(1);
        if self.own.len() < OWN_MAX && !self.own.insert(ocid.clone()) {
            return;
        }
        self.batch
            .findings
            .push(Finding::at(Code::OwnProcess, "", "", "").of(&ocid, None));
        self.batch.own.push(ocid);
    }

    fn flush(&mut self) -> Answer<()> {
        self.bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        if batch.releases.is_empty() && batch.findings.is_empty() && batch.own_releases == 0 {
            return Ok(());
        }
        let (by, id) = (self.actor.clone(), self.id.clone());
        let Loaded { counts, findings } = self
            .db
            .write_and_wait(move |tx| acts::load(tx, &by, &id, &batch))?;
        self.listener.heard(&counts, &findings)?;
        Ok(())
    }
}

/// What an object turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// A release, or a record that stands for one.
    Release,
    /// A link to a release.
    Link,
    /// What stands around releases, or what was not taken.
    Nothing,
}

/// What an object of a file is, taken into a batch if it is a release. `has_releases`: it is a record whose releases were taken.
pub fn taken_in(
    pointer: &str,
    bytes: &[u8],
    (is_container, has_releases): (bool, bool),
    batch: &mut Batch,
) -> Came {
    let lossy = String::from_utf8_lossy(bytes);
    let mut findings = Findings::default();
    let is_lossy = matches!(lossy, std::borrow::Cow::Owned(_));
    let Ok(Json::Object(object)) = Json::parse(&lossy) else {
        batch
            .findings
            .push(Finding::at(Code::NotJson, pointer, &lossy, ""));
        return Came::Nothing;
    };
    // Of a record, what its releases say together.
    let compiled = match object.get("compiledRelease") {
        Some(Json::Object(compiled)) => Some(compiled.clone()),
        _ => None,
    };
    let release = match compiled {
        Some(_) if has_releases => {
            let ocid = object.get("ocid").map(id_of).unwrap_or_default();
            let finding = Finding::at(
                Code::CompiledBeside,
                &format!("{pointer}/compiledRelease"),
                "",
                "",
            );
            batch.findings.push(if ocid.is_empty() {
                finding
            } else {
                finding.of(&ocid, None)
            });
            return Came::Nothing;
        }
        Some(mut compiled) => {
            if compiled.get("ocid").is_none()
                && let Some(ocid) = object.get("ocid")
            {
                compiled.set("ocid", ocid.clone());
            }
            compiled
        }
        None if is_container => return Came::Nothing,
        None if object.get("url").is_some() && object.get("ocid").is_none() => return Came::Link,
        None => object,
    };
    if is_lossy {
        findings.replaced(&release);
    }
    release_of(&release, pointer, findings, batch)
}

fn id_of(value: &Json) -> String {
    match value {
        Json::Text(text) | Json::Number(text) => short_id(text),
        _ => String::new(),
    }
}

/// A release, repaired and taken into a batch.
pub(super) fn release_of(release: &Object, pointer: &str, mut findings: Findings, batch: &mut Batch) -> Came {
    let ocid = release.get("ocid").map(id_of).unwrap_or_default();
    if ocid.is_empty() {
        let known = [
            "awards",
            "contracts",
            "tender",
            "planning",
            "parties",
            "buyer",
            "tag",
        ];
        let is_release = known.iter().any(|name| release.get(name).is_some());
        let code = if is_release {
            Code::OcidMissing
        } else {
            Code::NoRelease
        };
        batch
            .findings
            .push(Finding::at(code, pointer, &release.written(), ""));
        return Came::Nothing;
    }
    let whole = Json::Object(release.clone());
    if has_too_many(&whole) {
        batch
            .findings
            .push(Finding::at(Code::TooMany, pointer, "", "").of(&ocid, None));
        return Came::Nothing;
    }
    let content = whole.written();
    let sha256: [u8; 32] = Sha256::digest(content.as_bytes()).into();
    let mut made = repaired(release, &mut findings);
    made.set("ocid", Json::from(ocid.as_str()));
    let release_id = match made.text("id").map(short_id).filter(|id| !id.is_empty()) {
        Some(id) => id,
        None => {
            let hash = hex::encode(sha256);
            findings.add(Code::ReleaseIdMissing, "/id", "", &hash);
            hash
        }
    };
    let at = made
        .text("date")
        .and_then(|date| instant(date).ok())
        .map(|(at, _)| at);
    if at.is_none() {
        findings.add(Code::ReleaseDateMissing, "/date", "", "");
    }
    let told = findings.into_all().into_iter();
    batch.releases.push(Incoming {
        findings: told.map(|finding| finding.of(&ocid, Some(&release_id))).collect(),
        ocid,
        release_id,
        sha256,
        at,
        content,
        release: made,
    });
    Came::Release
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(text: &[u8], around: (bool, bool)) -> (Came, Batch) {
        let mut batch = Batch::default();
        (taken_in("/0", text, around, &mut batch), batch)
    }

    fn codes(batch: &Batch) -> Vec<&str> {
        let own = batch.releases.iter().flat_map(|release| &release.findings);
        batch
            .findings
            .iter()
            .chain(own)
            .map(|finding| finding.code.name())
            .collect()
    }

    #[test]
    fn what_an_object_is_follows_from_what_it_has() {
        let release = br#"{"ocid":"o","id":"1","date":"2020-01-01T00:00:00Z"}"#;
        assert_eq!(came(release, (false, false)).0, Came::Release);
        assert_eq!(
            came(br#"{"url":"https://x","date":"2020-01-01"}"#, (false, false)).0,
            Came::Link
        );
        assert_eq!(
            came(br#"{"uri":"x","version":"1.1"}"#, (true, true)).0,
            Came::Nothing
        );
        let (what, batch) = came(br#"{"ocid":"o","compiledRelease":{"id":"1"}}"#, (true, false));
        assert_eq!((what, batch.releases[0].ocid.as_str()), (Came::Release, "o"));
        let (what, batch) = came(br#"{"ocid":"o","compiledRelease":{"id":"1"}}"#, (true, true));
        assert_eq!((what, codes(&batch)), (Came::Nothing, vec!["compiled_beside"]));
    }

    #[test]
    fn what_is_no_release_is_told() {
        assert_eq!(
            codes(&came(br#"{"awards":[]}"#, (false, false)).1),
            ["ocid_missing"]
        );
        assert_eq!(codes(&came(br#"{"a":1}"#, (false, false)).1), ["no_release"]);
        assert_eq!(codes(&came(br#"{"ocid":}"#, (false, false)).1), ["not_json"]);
        let (_, batch) = came(b"{\"ocid\":7,\"tag\":\"x\xff\"}", (false, false));
        assert_eq!(batch.releases[0].ocid, "7");
        assert_eq!(
            codes(&batch),
            [
                "not_utf8",
                "id_as_number",
                "array_expected",
                "release_id_missing",
                "release_date_missing"
            ]
        );
        let (_, batch) = came(br#"{"ocid":"o","id":"\ud800"}"#, (false, false));
        assert_eq!(codes(&batch), ["not_json"]);
    }

    #[test]
    fn the_same_release_is_the_same_however_it_is_spaced() {
        let one = came(br#"{"ocid":"o", "id":"1"}"#, (false, false)).1;
        let other = came(b"{\"ocid\":\"o\",\n\"id\":\"1\"}", (false, false)).1;
        assert_eq!(one.releases[0].sha256, other.releases[0].sha256);
    }
}
