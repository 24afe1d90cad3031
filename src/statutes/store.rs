//! The statutes' table. Rows are added and never changed: triggers on both databases refuse it.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use crate::audit::entry::EventId;
use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::statutes;
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};
use crate::statutes::profile::Profile;
use crate::statutes::rules::{Statute, StatuteId, Stored, sha256};

#[derive(Queryable, Selectable)]
#[diesel(table_name = statutes)]
struct StatuteRow {
    id: StatuteId,
    jurisdiction: String,
    effective_from: NaiveDate,
    revision: i64,
    built_in: bool,
    content: String,
    content_sha256: Vec<u8>,
    event_id: String,
    loaded_at: NaiveDateTime,
}

impl TryFrom<StatuteRow> for Statute {
    type Error = Fault;

    fn try_from(row: StatuteRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("the statute {}: {what}", row.id));
        let hash = sha256(&row.content);
        if row.content_sha256 != hash {
            return Err(broken("its content is not what was hashed"));
        }
        let profile = Profile::stored(&row.content)?;
        if profile.jurisdiction != row.jurisdiction || profile.effective_from != row.effective_from {
            return Err(broken("its content is of another version"));
        }
        let event_id: EventId = row.event_id.parse().map_err(|_| broken("its event has no id"))?;
        Ok(Self {
            id: row.id,
            revision: row.revision,
            built_in: row.built_in,
            sha256: hash,
            event_id,
            loaded_at: row.loaded_at.and_utc(),
            profile,
        })
    }
}

fn one(row: Option<StatuteRow>) -> Answer<Option<Statute>> {
    Ok(row.map(Statute::try_from).transpose()?)
}

/// The statute of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn statute(conn: &mut Conn, id: &StatuteId) -> Answer<Option<Statute>> {
    let row = statutes::table
        .find(id)
        .select(StatuteRow::as_select())
        .first(conn)
        .optional()?;
    one(row)
}

/// The version that applies in a jurisdiction on a local date, its last revision.
///
/// # Errors
/// A fault of the database.
pub fn in_force(conn: &mut Conn, jurisdiction: &str, date: NaiveDate) -> Answer<Option<Statute>> {
    let row = statutes::table
        .filter(statutes::jurisdiction.eq(jurisdiction))
        .filter(statutes::effective_from.le(date))
        .order((statutes::effective_from.desc(), statutes::revision.desc()))
        .select(StatuteRow::as_select())
        .first(conn)
        .optional()?;
    one(row)
}

/// The last revision of the version that begins on that very day.
///
/// # Errors
/// A fault of the database.
pub fn beginning_on(conn: &mut Conn, jurisdiction: &str, date: NaiveDate) -> Answer<Option<Statute>> {
    let found = in_force(conn, jurisdiction, date)?;
    Ok(found.filter(|statute| statute.profile.effective_from == date))
}

/// All revisions of the version that begins on that day, oldest first.
///
/// # Errors
/// A fault of the database, or a hash that is not 32 bytes.
pub fn revisions(conn: &mut Conn, jurisdiction: &str, date: NaiveDate) -> Answer<Vec<Stored>> {
    let rows: Vec<(i64, bool, Vec<u8>)> = statutes::table
        .filter(statutes::jurisdiction.eq(jurisdiction))
        .filter(statutes::effective_from.eq(date))
        .order(statutes::revision)
        .select((statutes::revision, statutes::built_in, statutes::content_sha256))
        .load(conn)?;
    let mut revisions = Vec::new();
    for (revision, built_in, hash) in rows {
        revisions.push(Stored {
            revision,
            built_in,
            sha256: <[u8; 32]>::try_from(hash.as_slice())
                .map_err(|_| Fault::broken("a stored hash is not 32 bytes"))?,
        });
    }
    Ok(revisions)
}

/// Adds a statute; `content` are the bytes whose hash it carries.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, statute: &Statute, content: &str) -> Answer<()> {
    diesel::insert_into(statutes::table)
        .values((
            statutes::id.eq(&statute.id),
            statutes::jurisdiction.eq(&statute.profile.jurisdiction),
            statutes::effective_from.eq(statute.profile.effective_from),
            statutes::revision.eq(statute.revision),
            statutes::built_in.eq(statute.built_in),
            statutes::content.eq(content),
            statutes::content_sha256.eq(statute.sha256.as_slice()),
            statutes::event_id.eq(&statute.event_id),
            statutes::loaded_at.eq(statute.loaded_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Which statutes are listed.
#[derive(Clone, Debug, Default)]
pub struct StatuteFilter {
    /// Of this jurisdiction.
    pub jurisdiction: Option<String>,
    /// Of each jurisdiction only the one that applies on this day.
    pub in_force_on: Option<NaiveDate>,
    /// Jurisdiction, first day and revision of the last one on the page before.
    pub after: Option<(String, NaiveDate, i64)>,
}

/// Up to `max` statutes, by jurisdiction, first day and revision.
///
/// # Errors
/// A fault of the database.
pub fn list(conn: &mut Conn, filter: &StatuteFilter, max: i64) -> Answer<Vec<Statute>> {
    let later = diesel::alias!(statutes as later);
    // A boxed query is of one backend, hence the match; there is no second way to write the filters.
    let rows: Vec<StatuteRow> = both!(conn, c => {
        let mut query = statutes::table.select(StatuteRow::as_select()).limit(max).into_boxed();
        if let Some(jurisdiction) = &filter.jurisdiction {
            query = query.filter(statutes::jurisdiction.eq(jurisdiction));
        }
        if let Some(date) = filter.in_force_on {
            let same_place = later.field(statutes::jurisdiction).eq(statutes::jurisdiction);
            let begun = later.field(statutes::effective_from).le(date);
            let follows = later.field(statutes::effective_from).gt(statutes::effective_from).or(
                later.field(statutes::effective_from).eq(statutes::effective_from)
                    .and(later.field(statutes::revision).gt(statutes::revision)),
            );
            query = query.filter(statutes::effective_from.le(date)).filter(not(exists(
                later.select(later.field(statutes::id)).filter(same_place.and(begun).and(follows)),
            )));
        }
        if let Some((jurisdiction, date, revision)) = &filter.after {
            query = query.filter(
                statutes::jurisdiction.gt(jurisdiction).or(statutes::jurisdiction.eq(jurisdiction).and(
                    statutes::effective_from.gt(date)
                        .or(statutes::effective_from.eq(date).and(statutes::revision.gt(revision))),
                )),
            );
        }
        query.order((statutes::jurisdiction, statutes::effective_from, statutes::revision)).load(c)
    })?;
    Ok(rows
        .into_iter()
        .map(Statute::try_from)
        .collect::<Result<_, _>>()?)
}
