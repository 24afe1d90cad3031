//! The table of versions of standards. Content is written while a version is a draft, and never again: triggers on both databases
//! refuse it.

use chrono::NaiveDateTime;
use diesel::dsl::max;
use diesel::prelude::*;

use crate::db::conn::Conn;
use crate::db::schema::standard_versions;
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault, Stop};
use crate::standards::rules::{self, StandardId, StandardVersionId, State, Version};
use crate::standards::rules_documents::ContentDocument;
use crate::standards::rules_indicators::Line;

#[derive(Queryable, Selectable)]
#[diesel(table_name = standard_versions)]
struct VersionRow {
    id: StandardVersionId,
    standard_id: StandardId,
    number: i64,
    state: String,
    built_in: bool,
    content: String,
    content_sha256: Vec<u8>,
    revision: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
    published_at: Option<NaiveDateTime>,
    withdrawn_at: Option<NaiveDateTime>,
    withdrawal_zh: Option<String>,
    withdrawal_en: Option<String>,
}

impl TryFrom<VersionRow> for Version {
    type Error = Fault;

    fn try_from(row: VersionRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("the version {}: {what}", row.id));
        let sha256 = rules::sha256(&row.content);
        if row.content_sha256 != sha256 {
            return Err(broken("its content is not what was hashed"));
        }
        let state = State::named(&row.state).ok_or_else(|| broken("its state is none"))?;
        let content = rules::content(&ContentDocument::stored(&row.content)?)
            .map_err(|refusal| Fault::caused("a stored version of a standard", Stop::from(refusal)))?;
        let reason = row.withdrawal_zh.zip(row.withdrawal_en);
        let reason = reason.map(|(zh, en)| Line { zh, en });
        Ok(Self {
            id: row.id,
            standard_id: row.standard_id,
            number: row.number,
            state,
            built_in: row.built_in,
            content,
            sha256,
            revision: row.revision,
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
            published_at: row.published_at.map(|at| at.and_utc()),
            withdrawn: row.withdrawn_at.map(|at| at.and_utc()).zip(reason),
        })
    }
}

fn read(row: Option<VersionRow>) -> Answer<Option<Version>> {
    Ok(row.map(Version::try_from).transpose()?)
}

/// The version of that id, if there is one: what a book keeps.
///
/// # Errors
/// A fault of the database.
pub fn version_of_id(conn: &mut Conn, id: &StandardVersionId) -> Answer<Option<Version>> {
    let row = standard_versions::table
        .find(id)
        .filter(standard_versions::discarded_at.is_null())
        .select(VersionRow::as_select())
        .first(conn)
        .optional()?;
    read(row)
}

/// The version of that number, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn version(conn: &mut Conn, standard: &StandardId, number: i64) -> Answer<Option<Version>> {
    let row = standard_versions::table
        .filter(standard_versions::standard_id.eq(standard))
        .filter(standard_versions::number.eq(number))
        .filter(standard_versions::discarded_at.is_null())
        .select(VersionRow::as_select())
        .first(conn)
        .optional()?;
    read(row)
}

/// The standard's draft, if it has one.
///
/// # Errors
/// A fault of the database.
pub fn draft(conn: &mut Conn, standard: &StandardId) -> Answer<Option<Version>> {
    let row = standard_versions::table
        .filter(standard_versions::standard_id.eq(standard))
        .filter(standard_versions::state.eq(State::Draft.name()))
        .filter(standard_versions::discarded_at.is_null())
        .select(VersionRow::as_select())
        .first(conn)
        .optional()?;
    read(row)
}

/// The newest version that is no draft.
///
/// # Errors
/// A fault of the database.
pub fn newest(conn: &mut Conn, standard: &StandardId) -> Answer<Option<Version>> {
    let row = standard_versions::table
        .filter(standard_versions::standard_id.eq(standard))
        .filter(standard_versions::state.ne(State::Draft.name()))
        .order(standard_versions::number.desc())
        .select(VersionRow::as_select())
        .first(conn)
        .optional()?;
    read(row)
}

/// The highest number that the standard has given; 0 if none.
///
/// # Errors
/// A fault of the database.
pub fn last_number(conn: &mut Conn, standard: &StandardId) -> Answer<i64> {
    let last: Option<i64> = standard_versions::table
        .filter(standard_versions::standard_id.eq(standard))
        .select(max(standard_versions::number))
        .first(conn)?;
    Ok(last.unwrap_or_default())
}

/// Up to `max` versions of a standard in one of these states, newest first, older than `before`.
///
/// # Errors
/// A fault of the database.
pub fn versions(
    conn: &mut Conn,
    standard: &StandardId,
    states: &[State],
    before: Option<i64>,
    max: i64,
) -> Answer<Vec<Version>> {
    let states: Vec<&str> = states.iter().map(|state| state.name()).collect();
    let rows: Vec<VersionRow> = standard_versions::table
        .filter(standard_versions::standard_id.eq(standard))
        .filter(standard_versions::state.eq_any(states))
        .filter(standard_versions::discarded_at.is_null())
        .filter(standard_versions::number.lt(before.unwrap_or(i64::MAX)))
        .order(standard_versions::number.desc())
        .limit(max)
        .select(VersionRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(Version::try_from)
        .collect::<Result<_, _>>()?)
}

/// Adds a version; `content` are the bytes whose hash it carries.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, version: &Version, content: &str) -> Answer<()> {
    diesel::insert_into(standard_versions::table)
        .values((
            standard_versions::id.eq(&version.id),
            standard_versions::standard_id.eq(&version.standard_id),
            standard_versions::number.eq(version.number),
            standard_versions::state.eq(version.state.name()),
            standard_versions::built_in.eq(version.built_in),
            standard_versions::content.eq(content),
            standard_versions::content_sha256.eq(version.sha256.as_slice()),
            standard_versions::revision.eq(version.revision),
            standard_versions::created_at.eq(version.created_at.naive_utc()),
            standard_versions::updated_at.eq(version.updated_at.naive_utc()),
            standard_versions::published_at.eq(version.published_at.map(|at| at.naive_utc())),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves what a draft says over the revision before it.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn rewrite(tx: &mut Tx<'_>, version: &Version, content: &str) -> Answer<()> {
    let before = version.revision.saturating_sub(1);
    let changed = diesel::update(
        standard_versions::table
            .find(&version.id)
            .filter(standard_versions::revision.eq(before)),
    )
    .set((
        standard_versions::content.eq(content),
        standard_versions::content_sha256.eq(version.sha256.as_slice()),
        standard_versions::revision.eq(version.revision),
        standard_versions::updated_at.eq(version.updated_at.naive_utc()),
    ))
    .execute(tx.conn())?;
    one(changed)
}

/// Saves that a draft was given up. From then on nothing here finds it; its number is not given again.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn discard(tx: &mut Tx<'_>, version: &Version) -> Answer<()> {
    let now = tx.now().naive_utc();
    let row = standard_versions::table
        .find(&version.id)
        .filter(standard_versions::revision.eq(version.revision));
    let changed = diesel::update(row)
        .set(standard_versions::discarded_at.eq(now))
        .execute(tx.conn())?;
    one(changed)
}

/// Saves the state of a version over the revision before it: a draft that was published, or a published one that was withdrawn.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn advance(tx: &mut Tx<'_>, version: &Version) -> Answer<()> {
    let before = version.revision.saturating_sub(1);
    let row = standard_versions::table
        .find(&version.id)
        .filter(standard_versions::revision.eq(before));
    let common = (
        standard_versions::state.eq(version.state.name()),
        standard_versions::revision.eq(version.revision),
        standard_versions::updated_at.eq(version.updated_at.naive_utc()),
    );
    let changed = match &version.withdrawn {
        // When it was published is not written again: that stays as it is, and a trigger would refuse it.
        Some((at, reason)) => diesel::update(row)
            .set((
                common,
                standard_versions::withdrawn_at.eq(at.naive_utc()),
                standard_versions::withdrawal_zh.eq(&reason.zh),
                standard_versions::withdrawal_en.eq(&reason.en),
            ))
            .execute(tx.conn())?,
        None => diesel::update(row)
            .set((
                common,
                standard_versions::published_at.eq(version.published_at.map(|at| at.naive_utc())),
            ))
            .execute(tx.conn())?,
    };
    one(changed)
}

fn one(changed: usize) -> Answer<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} versions changed instead of one")).into())
    }
}
