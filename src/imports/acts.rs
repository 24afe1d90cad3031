//! What is done about imports: a file is begun, its releases are loaded batch by batch, and it ends. Each is one transaction, permission first, event last. What
//! was loaded stays, whatever becomes of the rest; the same release once more changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::budget::imported as spending;
use crate::budget::rules_imported::{Process as Counted, SUM_TOO_LARGE};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::imports::desk_joined::joined;
use crate::imports::rules::{
    Counts, FINDINGS_KEPT_MAX, IMPORT_OVERTAKEN, Import, ImportId, Kind, PROCESS_BYTES_MAX, RELEASES_MAX,
    State,
};
use crate::imports::rules_counted::counted;
use crate::imports::rules_findings::{Code, Finding, Tally};
use crate::imports::rules_merging::Said;
use crate::imports::rules_understood::{said, understood};
use crate::imports::store_processes::{ProcessRow, ReleaseRow};
use crate::imports::{store, store_processes};
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::publish::acts::parsed;
use crate::publish::rules_json::Object;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// A file to read in.
#[derive(Clone, Debug)]
pub struct NewImport {
    /// Its name.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// How many bytes.
    pub bytes: i64,
    /// What sort of file it is.
    pub kind: Kind,
    /// Whether it waits for its turn, to be started later.
    pub waits: bool,
}

/// A release to load.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Of which process.
    pub ocid: String,
    /// Its id.
    pub release_id: String,
    /// SHA-256 of its content.
    pub sha256: [u8; 32],
    /// Its date.
    pub at: Option<Instant>,
    /// What was published, without white space.
    pub content: String,
    /// What is read of it.
    pub release: Object,
    /// What was found in it.
    pub findings: Vec<Finding>,
}

/// What is loaded in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Releases.
    pub releases: Vec<Incoming>,
    /// What was found beside them.
    pub findings: Vec<Finding>,
    /// How many releases of the ward's own processes were passed over.
    pub own_releases: i64,
    /// Those processes. What an earlier import has counted of one is not counted any more.
    pub own: Vec<String>,
}

/// What came of a batch.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// What the import has come to with it.
    pub counts: Counts,
    /// What was found in it.
    pub findings: Vec<Finding>,
}

fn event(kind: &'static str, import: &Import, counts: Counts, more: Value) -> Event {
    let mut data = json!({
        "sha256": hex::encode(import.sha256), "bytes": import.bytes, "kind": import.kind.name(),
        "releases": counts.releases, "releases_known": counts.releases_known, "releases_added": counts.releases_added,
        "processes_added": counts.processes_added, "processes_changed": counts.processes_changed,
        "repairs": counts.found.repairs, "rejections": counts.found.rejections, "notes": counts.found.notes,
    });
    if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
    Event {
        kind,
        subject: import.id.to_string(),
        data,
        private: json!({ "name": import.name }),
    }
}

/// Begins an import; or finds that the same file was read to its end before, and changes nothing. Another run of it that has not ended is broken off.
///
/// # Errors
/// Permission; a fault of the database.
pub fn begin(tx: &mut Tx<'_>, actor: &Actor, new: &NewImport) -> Answer<(Import, bool)> {
    policy::allow(actor, Action::ImportHistory, Matter::default())?;
    if let Some(done) =
        store::of_content(tx.conn(), &new.sha256, State::Done)?.filter(|done| done.kind == new.kind)
    {
        tx.nothing_to_change();
        return Ok((done, false));
    }
    if let Some(other) = store::of_content(tx.conn(), &new.sha256, State::Running)? {
        let now = tx.now();
        store::advance(tx, &other.id, (State::Interrupted, other.counts), now)?;
        audit::store::append(tx, actor, &ended(&other, State::Interrupted, other.counts))?;
    }
    let import = Import {
        id: ImportId::mint(tx.now()),
        name: new.name.clone(),
        sha256: new.sha256,
        bytes: new.bytes,
        kind: new.kind,
        state: State::Running,
        counts: Counts::default(),
        begun_by: actor.id().unwrap_or("system").to_owned(),
        begun_at: tx.now(),
        moved_at: tx.now(),
        started_at: (!new.waits).then(|| tx.now()),
    };
    store::insert(tx, &import)?;
    audit::store::append(
        tx,
        actor,
        &event("import.begun", &import, import.counts, Value::Null),
    )?;
    Ok((import, true))
}

/// Starts an import whose turn has come.
///
/// # Errors
/// Permission; [`IMPORT_OVERTAKEN`]; a fault of the database.
pub fn start(tx: &mut Tx<'_>, actor: &Actor, id: &ImportId) -> Answer<()> {
    policy::allow(actor, Action::ImportHistory, Matter::default())?;
    let import = running(tx, id)?;
    let now = tx.now();
    if !store::start(tx, id, now)? {
        return Err(IMPORT_OVERTAKEN.refuse().into());
    }
    audit::store::append(
        tx,
        actor,
        &event("import.started", &import, import.counts, Value::Null),
    )?;
    Ok(())
}

fn ended(import: &Import, state: State, counts: Counts) -> Event {
    event("import.ended", import, counts, json!({ "state": state.name() }))
}

fn running(tx: &mut Tx<'_>, id: &ImportId) -> Answer<Import> {
    let import = store::import(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    if import.state == State::Running {
        Ok(import)
    } else {
        Err(IMPORT_OVERTAKEN.refuse().into())
    }
}

/// Loads a batch: each release that is not known is kept, and the process that it is of is read anew.
///
/// # Errors
/// Permission; [`IMPORT_OVERTAKEN`]; a fault of the database.
pub fn load(tx: &mut Tx<'_>, actor: &Actor, id: &ImportId, batch: &Batch) -> Answer<Loaded> {
    policy::allow(actor, Action::ImportHistory, Matter::default())?;
    let import = running(tx, id)?;
    let mut by_process: BTreeMap<&str, Vec<&Incoming>> = BTreeMap::new();
    for release in &batch.releases {
        by_process.entry(&release.ocid).or_default().push(release);
    }
    let mut findings = batch.findings.clone();
    let mut counts = Counts {
        releases: i64::try_from(batch.releases.len())
            .map_err(|error| Fault::caused("count releases", error))?
            .saturating_add(batch.own_releases),
        ..Counts::default()
    };
    for ocid in &batch.own {
        if store_processes::head(tx.conn(), ocid)?.is_some() {
            fits(spending::clear(tx, std::slice::from_ref(ocid)))?;
        }
    }
    let broken_off = store::broken_off(tx.conn(), &import)?;
    let by = (&import, broken_off.as_slice());
    let mut counted = Vec::new();
    for (ocid, releases) in by_process {
        counted.extend(process(tx, by, (ocid, &releases), (&mut counts, &mut findings))?);
    }
    count(tx, &counted, &mut findings)?;
    counts.found = Tally::of(&findings);
    let room = FINDINGS_KEPT_MAX
        .saturating_sub(import.counts.findings_kept)
        .max(0);
    let kept = findings
        .get(..usize::try_from(room).unwrap_or(usize::MAX))
        .unwrap_or(&findings);
    store::insert_findings(tx, id, import.counts.findings_kept, kept)?;
    counts.findings_kept =
        i64::try_from(kept.len()).map_err(|error| Fault::caused("count findings", error))?;
    let all = import.counts.and(counts);
    let now = tx.now();
    if !store::advance(tx, id, (State::Running, all), now)? {
        return Err(IMPORT_OVERTAKEN.refuse().into());
    }
    audit::store::append(
        tx,
        actor,
        &event("import.batch_loaded", &import, counts, Value::Null),
    )?;
    Ok(Loaded {
        counts: all,
        findings,
    })
}

/// Counts processes in spending. One whose amounts are beyond what a sum of its currency can be is told, and nothing of it is counted.
fn count(tx: &mut Tx<'_>, counted: &[Counted], findings: &mut Vec<Finding>) -> Answer<()> {
    if fits(spending::replace(tx, counted))? {
        return Ok(());
    }
    for process in counted {
        if !fits(spending::replace(tx, std::slice::from_ref(process)))? {
            // What was counted of it before goes, unless taking away what was credited makes the sum too large in turn.
            fits(spending::clear(tx, std::slice::from_ref(&process.ocid)))?;
            findings.push(Finding::at(Code::SumTooLarge, "", "", "").of(&process.ocid, None));
        }
    }
    Ok(())
}

fn fits(done: Answer<()>) -> Answer<bool> {
    match done {
        Ok(()) => Ok(true),
        Err(Stop::Refused(refusal)) if std::ptr::eq(refusal.reason, &raw const SUM_TOO_LARGE) => Ok(false),
        Err(stop) => Err(stop),
    }
}

/// The releases of one process. What an import of the same file has added before it was broken off is told again, so that what is told of a file is whole.
fn process(
    tx: &mut Tx<'_>,
    (import, broken_off): (&Import, &[ImportId]),
    (ocid, releases): (&str, &[&Incoming]),
    (counts, findings): (&mut Counts, &mut Vec<Finding>),
) -> Answer<Option<Counted>> {
    let head = store_processes::head(tx.conn(), ocid)?;
    let known = match &head {
        Some(_) => store_processes::releases(tx.conn(), ocid, RELEASES_MAX)?,
        None => Vec::new(),
    };
    let is_told_again = tell_again((&known, broken_off), releases, findings);
    let added = added(head.as_ref(), &known, releases, (counts, findings));
    if added.is_empty() && !is_told_again {
        return Ok(None);
    }
    let (before, mut bytes) = head.as_ref().map_or((0, 0), |head| (head.releases, head.bytes));
    let mut all = Vec::with_capacity(known.len().saturating_add(added.len()));
    for row in &known {
        all.push(said(&row.release_id, &row.content_sha256, &parsed(&row.content)?));
    }
    for release in &added {
        all.push(Said {
            id: release.release_id.clone(),
            sha256: release.sha256.to_vec(),
            release: release.release.clone(),
        });
        bytes = bytes.saturating_add(length(release)?);
    }
    let (process, mut found) = understood(ocid, all);
    let joined = joined(tx.conn(), import.kind, &process)?;
    let counted = counted(&process, &joined, &mut found);
    findings.extend(found.into_all().into_iter().map(|finding| finding.of(ocid, None)));
    if added.is_empty() {
        return Ok(Some(counted));
    }
    let count =
        before.saturating_add(i64::try_from(added.len()).map_err(|error| Fault::caused("count", error))?);
    let row = store_processes::head_of(&process, (count, bytes), (&import.id, tx.now()));
    store_processes::save_head(tx, &row, before)?;
    let mut number = before;
    for release in added {
        number = number.saturating_add(1);
        let row = ReleaseRow {
            ocid: ocid.to_owned(),
            number,
            release_id: release.release_id.clone(),
            content_sha256: release.sha256.to_vec(),
            dated_at: release.at.map(|at| at.naive_utc()),
            import_id: import.id.clone(),
            content: release.content.clone(),
        };
        store_processes::insert_release(tx, &row)?;
    }
    store_processes::save_parts(tx, &process, before > 0)?;
    let changed = if before == 0 {
        &mut counts.processes_added
    } else {
        &mut counts.processes_changed
    };
    *changed = changed.saturating_add(1);
    counts.releases_added = counts
        .releases_added
        .saturating_add(number.saturating_sub(before));
    Ok(Some(counted))
}

fn length(release: &Incoming) -> Answer<i64> {
    let length = i64::try_from(release.content.len());
    Ok(length.map_err(|error| Fault::caused("measure a release", error))?)
}

/// Tells what was found in releases that an import of the same file has added, as it has told it: together with what they share with those before them. False if there are none.
fn tell_again(
    (known, broken_off): (&[ReleaseRow], &[ImportId]),
    releases: &[&Incoming],
    findings: &mut Vec<Finding>,
) -> bool {
    let mut told: BTreeSet<&[u8]> = BTreeSet::new();
    for release in releases {
        let row = known.iter().find(|row| row.content_sha256 == release.sha256);
        let Some(row) = row.filter(|row| broken_off.contains(&row.import_id)) else {
            continue;
        };
        if !told.insert(&release.sha256) {
            continue;
        }
        findings.extend(release.findings.iter().cloned());
        let before = || known.iter().filter(|other| other.number < row.number);
        let shared =
            |code, found: &str| Finding::at(code, "", found, "").of(&release.ocid, Some(&release.release_id));
        if before().any(|other| other.release_id == row.release_id) {
            findings.push(shared(Code::ReleaseIdReused, &row.release_id));
        }
        if let Some(at) = release.at
            && before().any(|other| other.dated_at == row.dated_at)
        {
            findings.push(shared(Code::SameDate, &crate::kernel::clock::rfc3339(at)));
        }
    }
    !told.is_empty()
}

/// Those of the releases that are new and may be kept.
fn added<'r>(
    head: Option<&ProcessRow>,
    known: &[ReleaseRow],
    releases: &[&'r Incoming],
    (counts, findings): (&mut Counts, &mut Vec<Finding>),
) -> Vec<&'r Incoming> {
    let mut hashes: BTreeSet<&[u8]> = known.iter().map(|row| row.content_sha256.as_slice()).collect();
    let mut ids: BTreeSet<&str> = known.iter().map(|row| row.release_id.as_str()).collect();
    let mut dates: BTreeSet<Instant> = known
        .iter()
        .filter_map(|row| row.dated_at)
        .map(|at| at.and_utc())
        .collect();
    let mut count = head.map_or(0, |head| head.releases);
    let mut bytes = head.map_or(0, |head| head.bytes);
    let mut added = Vec::new();
    for release in releases {
        if !hashes.insert(&release.sha256) {
            counts.releases_known = counts.releases_known.saturating_add(1);
            continue;
        }
        let told =
            |code, found: &str| Finding::at(code, "", found, "").of(&release.ocid, Some(&release.release_id));
        let length = i64::try_from(release.content.len()).unwrap_or(i64::MAX);
        bytes = bytes.saturating_add(length);
        if count >= RELEASES_MAX || bytes > PROCESS_BYTES_MAX {
            bytes = bytes.saturating_sub(length);
            findings.push(told(Code::TooManyReleases, &count.to_string()));
            continue;
        }
        count = count.saturating_add(1);
        findings.extend(release.findings.iter().cloned());
        if !ids.insert(&release.release_id) {
            findings.push(told(Code::ReleaseIdReused, &release.release_id));
        }
        if let Some(at) = release.at
            && !dates.insert(at)
        {
            findings.push(told(Code::SameDate, &crate::kernel::clock::rfc3339(at)));
        }
        added.push(*release);
    }
    added
}

/// Ends an import.
///
/// # Errors
/// Permission; [`IMPORT_OVERTAKEN`]; a fault of the database.
pub fn end(tx: &mut Tx<'_>, actor: &Actor, id: &ImportId, state: State) -> Answer<Import> {
    policy::allow(actor, Action::ImportHistory, Matter::default())?;
    let import = running(tx, id)?;
    let now = tx.now();
    store::advance(tx, id, (state, import.counts), now)?;
    audit::store::append(tx, actor, &ended(&import, state, import.counts))?;
    Ok(Import {
        state,
        moved_at: now,
        ..import
    })
}

/// The import of that id.
///
/// # Errors
/// Permission; not found.
pub fn seen(conn: &mut Conn, actor: &Actor, id: &ImportId) -> Answer<Import> {
    policy::allow(actor, Action::ReadImports, Matter::default())?;
    Ok(store::import(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?)
}
