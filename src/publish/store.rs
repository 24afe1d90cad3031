//! The tables of what is published: releases, the last one of each process, and how far the log was read. Releases are added and never changed; their sequence
//! has no gap, because each transaction that adds some moves the one row of progress on.

use chrono::NaiveDateTime;
use diesel::dsl::{max, min};
use diesel::prelude::*;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{ocds_processes, ocds_progress, ocds_releases};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};

/// How far publication has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The first place of the log that was not read yet.
    pub next_place: i64,
    /// The sequence of the last release.
    pub last_sequence: i64,
}

/// A release.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = ocds_releases)]
pub struct Row {
    /// Its place among all releases, from 1, without a gap.
    pub sequence: i64,
    /// The id of its process.
    pub ocid: String,
    /// Its number among those of the process, from 1.
    pub number: i64,
    /// Its id.
    pub release_id: String,
    /// The id of the book, or of the notice, that the process is of.
    pub subject_id: String,
    /// Up to which place of the log it shows the process.
    pub places: i64,
    /// When it was made, UTC; later than every release before.
    pub released_at: NaiveDateTime,
    /// Its tags, with a blank between two.
    pub tags: String,
    /// Its bytes.
    pub content: String,
}

/// How far publication has come.
///
/// # Errors
/// A fault of the database.
pub fn progress(conn: &mut Conn) -> Answer<Progress> {
    let row: Option<(i64, i64)> = ocds_progress::table
        .find(1)
        .select((ocds_progress::next_place, ocds_progress::last_sequence))
        .first(conn)
        .optional()?;
    let (next_place, last_sequence) = row.unwrap_or_default();
    Ok(Progress {
        next_place,
        last_sequence,
    })
}

/// Goes on from `before` to `after`. False if somebody else was faster: then nothing of it counts.
///
/// # Errors
/// A fault of the database.
pub fn advance(tx: &mut Tx<'_>, before: Progress, after: Progress) -> Answer<bool> {
    if before == Progress::default() {
        let first = (
            ocds_progress::id.eq(1_i64),
            ocds_progress::next_place.eq(0_i64),
            ocds_progress::last_sequence.eq(0_i64),
        );
        both!(tx.conn(), c => diesel::insert_into(ocds_progress::table)
            .values(first)
            .on_conflict_do_nothing()
            .execute(c))?;
    }
    let stands = ocds_progress::table
        .find(1)
        .filter(ocds_progress::next_place.eq(before.next_place))
        .filter(ocds_progress::last_sequence.eq(before.last_sequence));
    let moved = diesel::update(stands)
        .set((
            ocds_progress::next_place.eq(after.next_place),
            ocds_progress::last_sequence.eq(after.last_sequence),
        ))
        .execute(tx.conn())?;
    Ok(moved == 1)
}

/// Adds a release, which becomes the last one of its process.
///
/// # Errors
/// A fault of the database, or if it is not the next of its process.
pub fn insert(tx: &mut Tx<'_>, row: &Row) -> Answer<()> {
    diesel::insert_into(ocds_releases::table)
        .values(row)
        .execute(tx.conn())?;
    let done = if row.number == 1 {
        diesel::insert_into(ocds_processes::table)
            .values((
                ocds_processes::ocid.eq(&row.ocid),
                ocds_processes::releases.eq(1_i64),
                ocds_processes::last_sequence.eq(row.sequence),
            ))
            .execute(tx.conn())?
    } else {
        let before = ocds_processes::table
            .find(&row.ocid)
            .filter(ocds_processes::releases.eq(row.number.saturating_sub(1)));
        diesel::update(before)
            .set((
                ocds_processes::releases.eq(row.number),
                ocds_processes::last_sequence.eq(row.sequence),
            ))
            .execute(tx.conn())?
    };
    if done == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!(
            "{} is not the next release of its process",
            row.release_id
        ))
        .into())
    }
}

/// The last release of a process.
///
/// # Errors
/// A fault of the database.
pub fn last_of(conn: &mut Conn, ocid: &str) -> Answer<Option<Row>> {
    Ok(ocds_releases::table
        .filter(ocds_releases::ocid.eq(ocid))
        .order(ocds_releases::number.desc())
        .select(Row::as_select())
        .first(conn)
        .optional()?)
}

/// When the release of that sequence was made, UTC; or the last one of all.
///
/// # Errors
/// A fault of the database.
pub fn last_at(conn: &mut Conn) -> Answer<Option<Instant>> {
    let at: Option<NaiveDateTime> = ocds_releases::table
        .select(max(ocds_releases::released_at))
        .first(conn)?;
    Ok(at.map(|at| at.and_utc()))
}

/// Up to `count` releases beyond a sequence.
///
/// # Errors
/// A fault of the database.
pub fn releases(conn: &mut Conn, after: i64, count: i64) -> Answer<Vec<Row>> {
    Ok(ocds_releases::table
        .filter(ocds_releases::sequence.gt(after))
        .order(ocds_releases::sequence)
        .limit(count)
        .select(Row::as_select())
        .load(conn)?)
}

/// The releases of a process in their order.
///
/// # Errors
/// A fault of the database.
pub fn of_process(conn: &mut Conn, ocid: &str, max: i64) -> Answer<Vec<Row>> {
    Ok(ocds_releases::table
        .filter(ocds_releases::ocid.eq(ocid))
        .order(ocds_releases::number)
        .limit(max)
        .select(Row::as_select())
        .load(conn)?)
}

/// The release of that id.
///
/// # Errors
/// A fault of the database.
pub fn release(conn: &mut Conn, ocid: &str, id: &str) -> Answer<Option<Row>> {
    Ok(ocds_releases::table
        .filter(ocds_releases::release_id.eq(id))
        .filter(ocds_releases::ocid.eq(ocid))
        .select(Row::as_select())
        .first(conn)
        .optional()?)
}

/// The last sequence before an instant: what comes beyond it was made then or later. 0 if nothing was made before.
///
/// # Errors
/// A fault of the database.
pub fn before(conn: &mut Conn, at: Instant) -> Answer<i64> {
    let first: Option<i64> = ocds_releases::table
        .filter(ocds_releases::released_at.ge(at.naive_utc()))
        .select(min(ocds_releases::sequence))
        .first(conn)?;
    Ok(match first {
        Some(first) => first.saturating_sub(1),
        None => progress(conn)?.last_sequence,
    })
}

/// Up to `count` processes whose last release lies beyond a sequence, by that; or, `backward`, those whose last release lies before it, the nearest first.
///
/// # Errors
/// A fault of the database.
pub fn processes(conn: &mut Conn, from: i64, count: i64, backward: bool) -> Answer<Vec<(String, i64)>> {
    let columns = (ocds_processes::ocid, ocds_processes::last_sequence);
    let query = ocds_processes::table.select(columns).limit(count).into_boxed();
    let query = if backward {
        query
            .filter(ocds_processes::last_sequence.lt(from))
            .order(ocds_processes::last_sequence.desc())
    } else {
        query
            .filter(ocds_processes::last_sequence.gt(from))
            .order(ocds_processes::last_sequence)
    };
    Ok(query.load(conn)?)
}

/// The id of any process, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn any_process(conn: &mut Conn) -> Answer<Option<String>> {
    Ok(ocds_processes::table
        .select(ocds_processes::ocid)
        .first(conn)
        .optional()?)
}

/// The first sequence, how many and when the last was made of the releases from one instant up to another.
///
/// # Errors
/// A fault of the database.
pub fn between(conn: &mut Conn, from: Instant, until: Instant) -> Answer<Option<(i64, i64, Instant)>> {
    let within = ocds_releases::table
        .filter(ocds_releases::released_at.ge(from.naive_utc()))
        .filter(ocds_releases::released_at.lt(until.naive_utc()));
    let (first, last, at): (Option<i64>, Option<i64>, Option<NaiveDateTime>) = within
        .select((
            min(ocds_releases::sequence),
            max(ocds_releases::sequence),
            max(ocds_releases::released_at),
        ))
        .first(conn)?;
    Ok(match (first, last, at) {
        (Some(first), Some(last), Some(at)) => Some((first, last, at.and_utc())),
        _ => None,
    })
}

/// What a list of changes says of a release.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = ocds_releases)]
pub struct Head {
    /// Its place among all releases.
    pub sequence: i64,
    /// The id of its process.
    pub ocid: String,
    /// Its id.
    pub release_id: String,
    /// The id of the book, or of the notice.
    pub subject_id: String,
    /// When it was made, UTC.
    pub released_at: NaiveDateTime,
    /// Its tags, with a blank between two.
    pub tags: String,
}

/// Up to `count` changes beyond a sequence.
///
/// # Errors
/// A fault of the database.
pub fn heads(conn: &mut Conn, after: i64, count: i64) -> Answer<Vec<Head>> {
    Ok(ocds_releases::table
        .filter(ocds_releases::sequence.gt(after))
        .order(ocds_releases::sequence)
        .limit(count)
        .select(Head::as_select())
        .load(conn)?)
}

/// The bytes of the last releases of up to `count` processes beyond one, by the ids of the processes.
///
/// # Errors
/// A fault of the database.
pub fn last_releases(conn: &mut Conn, after: &str, count: i64) -> Answer<Vec<(String, String)>> {
    Ok(ocds_processes::table
        .inner_join(ocds_releases::table.on(ocds_releases::sequence.eq(ocds_processes::last_sequence)))
        .filter(ocds_processes::ocid.gt(after))
        .order(ocds_processes::ocid)
        .limit(count)
        .select((ocds_processes::ocid, ocds_releases::content))
        .load(conn)?)
}

/// Releases that are looked through for a tag: the last ones.
const LOOKED_THROUGH_MAX: i64 = 5_000;

/// Up to `count` of the last releases that have a tag, the newest first.
///
/// # Errors
/// A fault of the database.
pub fn tagged(conn: &mut Conn, tag: &str, count: i64) -> Answer<Vec<Row>> {
    let last = progress(conn)?.last_sequence;
    let has_tag = ocds_releases::tags
        .eq(tag.to_owned())
        .or(ocds_releases::tags.like(format!("{tag} %")))
        .or(ocds_releases::tags.like(format!("% {tag}")))
        .or(ocds_releases::tags.like(format!("% {tag} %")));
    Ok(ocds_releases::table
        .filter(ocds_releases::sequence.gt(last.saturating_sub(LOOKED_THROUGH_MAX)))
        .filter(has_tag)
        .order(ocds_releases::sequence.desc())
        .limit(count)
        .select(Row::as_select())
        .load(conn)?)
}
