//! The tables of imports: files, and what was found in them. Findings are added and never changed.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{import_findings, imports};
use crate::db::writer::Tx;
use crate::imports::rules::{Counts, Import, ImportId, Kind, State};
use crate::imports::rules_findings::{Finding, Tally};
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = imports)]
struct ImportRow {
    id: ImportId,
    name: String,
    content_sha256: Vec<u8>,
    bytes: i64,
    kind: String,
    state: String,
    releases: i64,
    releases_known: i64,
    releases_added: i64,
    processes_added: i64,
    processes_changed: i64,
    repairs: i64,
    rejections: i64,
    notes: i64,
    findings_kept: i64,
    begun_by: String,
    begun_at: NaiveDateTime,
    moved_at: NaiveDateTime,
    started_at: Option<NaiveDateTime>,
}

impl TryFrom<ImportRow> for Import {
    type Error = Fault;

    fn try_from(row: ImportRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: its {what} is none", row.id));
        Ok(Self {
            sha256: row
                .content_sha256
                .as_slice()
                .try_into()
                .map_err(|_| broken("hash"))?,
            kind: Kind::named(&row.kind).ok_or_else(|| broken("kind"))?,
            state: State::named(&row.state).ok_or_else(|| broken("state"))?,
            counts: Counts {
                releases: row.releases,
                releases_known: row.releases_known,
                releases_added: row.releases_added,
                processes_added: row.processes_added,
                processes_changed: row.processes_changed,
                found: Tally {
                    repairs: row.repairs,
                    rejections: row.rejections,
                    notes: row.notes,
                },
                findings_kept: row.findings_kept,
            },
            id: row.id,
            name: row.name,
            bytes: row.bytes,
            begun_by: row.begun_by,
            begun_at: row.begun_at.and_utc(),
            moved_at: row.moved_at.and_utc(),
            started_at: row.started_at.map(|at| at.and_utc()),
        })
    }
}

/// The import of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn import(conn: &mut Conn, id: &ImportId) -> Answer<Option<Import>> {
    let row: Option<ImportRow> = imports::table
        .find(id)
        .select(ImportRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Import::try_from).transpose()?)
}

/// Up to `max` imports, newest first, before an id.
///
/// # Errors
/// A fault of the database.
pub fn page(conn: &mut Conn, before: Option<&str>, max: i64) -> Answer<Vec<Import>> {
    // Every id of an import sorts before a tilde.
    let rows: Vec<ImportRow> = imports::table
        .filter(imports::id.lt(before.unwrap_or("~").to_owned()))
        .order(imports::id.desc())
        .limit(max)
        .select(ImportRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Import::try_from).collect::<Result<_, _>>()?)
}

/// The last import of the same bytes in that state.
///
/// # Errors
/// A fault of the database.
pub fn of_content(conn: &mut Conn, sha256: &[u8; 32], state: State) -> Answer<Option<Import>> {
    let row: Option<ImportRow> = imports::table
        .filter(imports::content_sha256.eq(sha256.as_slice()))
        .filter(imports::state.eq(state.name()))
        .order(imports::id.desc())
        .select(ImportRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Import::try_from).transpose()?)
}

/// The imports of the same bytes and kind that ended before their file did, or were broken off: at most a thousand of the latest.
///
/// # Errors
/// A fault of the database.
pub fn broken_off(conn: &mut Conn, of: &Import) -> Answer<Vec<ImportId>> {
    Ok(imports::table
        .filter(imports::content_sha256.eq(of.sha256.as_slice()))
        .filter(imports::kind.eq(of.kind.name()))
        .filter(imports::id.ne(&of.id))
        .order(imports::id.desc())
        .limit(1_000)
        .select(imports::id)
        .load(conn)?)
}

/// Whether any import has found one of these of a process.
///
/// # Errors
/// A fault of the database.
pub fn was_told(conn: &mut Conn, codes: &[&str], ocid: &str) -> Answer<bool> {
    let found: Vec<i64> = both!(conn, c => import_findings::table
        .filter(import_findings::code.eq_any(codes))
        .filter(import_findings::ocid.eq(ocid))
        .select(import_findings::number)
        .limit(1)
        .load(c))?;
    Ok(!found.is_empty())
}

/// Adds an import.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, import: &Import) -> Answer<()> {
    let row = ImportRow {
        id: import.id.clone(),
        name: import.name.clone(),
        content_sha256: import.sha256.to_vec(),
        bytes: import.bytes,
        kind: import.kind.name().to_owned(),
        state: import.state.name().to_owned(),
        releases: 0,
        releases_known: 0,
        releases_added: 0,
        processes_added: 0,
        processes_changed: 0,
        repairs: 0,
        rejections: 0,
        notes: 0,
        findings_kept: 0,
        begun_by: import.begun_by.clone(),
        begun_at: import.begun_at.naive_utc(),
        moved_at: import.moved_at.naive_utc(),
        started_at: import.started_at.map(|at| at.naive_utc()),
    };
    diesel::insert_into(imports::table)
        .values(row)
        .execute(tx.conn())?;
    Ok(())
}

/// Moves an import that is running on. False if it is not running any more.
///
/// # Errors
/// A fault of the database.
pub fn advance(
    tx: &mut Tx<'_>,
    id: &ImportId,
    (state, counts): (State, Counts),
    now: Instant,
) -> Answer<bool> {
    let running = imports::table
        .filter(imports::id.eq(id))
        .filter(imports::state.eq(State::Running.name()));
    let moved = diesel::update(running)
        .set((
            imports::state.eq(state.name()),
            imports::releases.eq(counts.releases),
            imports::releases_known.eq(counts.releases_known),
            imports::releases_added.eq(counts.releases_added),
            imports::processes_added.eq(counts.processes_added),
            imports::processes_changed.eq(counts.processes_changed),
            imports::repairs.eq(counts.found.repairs),
            imports::rejections.eq(counts.found.rejections),
            imports::notes.eq(counts.found.notes),
            imports::findings_kept.eq(counts.findings_kept),
            imports::moved_at.eq(now.naive_utc()),
        ))
        .execute(tx.conn())?;
    match moved {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Fault::broken(format!("{id} is there twice")).into()),
    }
}

/// Starts an import that has waited for its turn. False if it does not wait any more.
///
/// # Errors
/// A fault of the database.
pub fn start(tx: &mut Tx<'_>, id: &ImportId, now: Instant) -> Answer<bool> {
    let waiting = imports::table
        .filter(imports::id.eq(id))
        .filter(imports::state.eq(State::Running.name()))
        .filter(imports::started_at.is_null());
    let started = diesel::update(waiting)
        .set((
            imports::started_at.eq(now.naive_utc()),
            imports::moved_at.eq(now.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(started == 1)
}

/// Writes down that an import still waits for its turn; upkeep, because it changes nothing of it.
///
/// # Errors
/// A fault of the database.
pub fn still_waits(tx: &mut Tx<'_>, id: &ImportId) -> Answer<()> {
    let now = tx.now().naive_utc();
    let waiting = imports::table
        .filter(imports::id.eq(id))
        .filter(imports::state.eq(State::Running.name()))
        .filter(imports::started_at.is_null());
    diesel::update(waiting)
        .set(imports::moved_at.eq(now))
        .execute(tx.conn())?;
    Ok(())
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = import_findings)]
struct FindingRow {
    import_id: ImportId,
    number: i64,
    code: String,
    ocid: Option<String>,
    release_id: Option<String>,
    pointer: String,
    found: String,
    made: String,
}

/// Rows of one statement.
pub(super) const ROWS_AT_ONCE: usize = 200;

/// Adds findings after those that there are.
///
/// # Errors
/// A fault of the database.
pub fn insert_findings(tx: &mut Tx<'_>, id: &ImportId, after: i64, findings: &[Finding]) -> Answer<()> {
    let mut number = after;
    let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let mut rows = Vec::with_capacity(findings.len());
    for finding in findings {
        number = number.saturating_add(1);
        rows.push(FindingRow {
            import_id: id.clone(),
            number,
            code: finding.code.name().to_owned(),
            ocid: some(&finding.ocid),
            release_id: some(&finding.release_id),
            pointer: finding.pointer.clone(),
            found: finding.found.clone(),
            made: finding.made.clone(),
        });
    }
    for rows in rows.chunks(ROWS_AT_ONCE) {
        both!(tx.conn(), c => diesel::insert_into(import_findings::table).values(rows).execute(c))?;
    }
    Ok(())
}

/// A finding that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its number in its import, from 1.
    pub number: i64,
    /// The name of its code; one that a later version of the program does not know any more keeps its name.
    pub code: String,
    /// Of which process.
    pub ocid: Option<String>,
    /// Of which release.
    pub release_id: Option<String>,
    /// Where.
    pub pointer: String,
    /// What was found.
    pub found: String,
    /// What was made of it.
    pub made: String,
}

/// Up to `max` findings of an import after a number, of a code if one is given.
///
/// # Errors
/// A fault of the database.
pub fn findings(
    conn: &mut Conn,
    id: &ImportId,
    (code, ocid): (Option<&str>, Option<&str>),
    after: i64,
    max: i64,
) -> Answer<Vec<Kept>> {
    let rows: Vec<FindingRow> = both!(conn, c => {
        let mut query = import_findings::table
            .filter(import_findings::import_id.eq(id))
            .filter(import_findings::number.gt(after))
            .order(import_findings::number)
            .limit(max)
            .select(FindingRow::as_select())
            .into_boxed();
        if let Some(code) = code {
            query = query.filter(import_findings::code.eq(code.to_owned()));
        }
        if let Some(ocid) = ocid {
            query = query.filter(import_findings::ocid.eq(ocid.to_owned()));
        }
        query.load(c)
    })?;
    let kept = rows.into_iter().map(|row| Kept {
        number: row.number,
        code: row.code,
        ocid: row.ocid,
        release_id: row.release_id,
        pointer: row.pointer,
        found: row.found,
        made: row.made,
    });
    Ok(kept.collect())
}
