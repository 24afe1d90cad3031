//! The area tree's table.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text as SqlText};
use serde::Serialize;
use utoipa::ToSchema;

use crate::both;
use crate::db::conn::Conn;
use crate::db::moment::Moment;
use crate::db::schema::areas;
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::rules::{Area, AreaId, Designation, Level, Place};

#[derive(Queryable, Selectable)]
#[diesel(table_name = areas)]
struct AreaRow {
    id: AreaId,
    parent_id: Option<AreaId>,
    level: String,
    code: Option<String>,
    name_zh: String,
    name_en: String,
    path: String,
    version: i64,
    created_at: Moment,
    updated_at: Moment,
}

impl TryFrom<AreaRow> for Area {
    type Error = Fault;

    fn try_from(row: AreaRow) -> Result<Self, Fault> {
        let level = Level::named(&row.level)
            .ok_or_else(|| Fault::broken(format!("an area of level {}", row.level)))?;
        Ok(Self {
            id: row.id,
            parent_id: row.parent_id,
            level,
            designation: Designation {
                name_zh: row.name_zh,
                name_en: row.name_en,
                code: row.code,
            },
            path: row.path,
            version: row.version,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }
}

/// The area of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn area(conn: &mut Conn, id: &AreaId) -> Answer<Option<Area>> {
    let row: Option<AreaRow> =
        both!(conn, c => areas::table.find(id).select(AreaRow::as_select()).first(c)).optional()?;
    Ok(row.map(Area::try_from).transpose()?)
}

/// The areas of those codes.
///
/// # Errors
/// A fault of the database.
pub fn areas_of_codes(conn: &mut Conn, codes: &[&str]) -> Answer<Vec<Area>> {
    let mut found = Vec::new();
    // SQLite binds at most 32,766 values in one statement.
    for some in codes.chunks(1_000) {
        let rows: Vec<AreaRow> = areas::table
            .filter(areas::code.eq_any(some))
            .select(AreaRow::as_select())
            .load(conn)?;
        for row in rows {
            found.push(Area::try_from(row)?);
        }
    }
    Ok(found)
}

/// What is known of the place an area is to take, `except` the area itself.
///
/// # Errors
/// A fault of the database.
pub fn place(
    conn: &mut Conn,
    parent_id: Option<&AreaId>,
    designation: &Designation,
    except: Option<&AreaId>,
) -> Answer<Place> {
    let ids = areas::table.select(areas::id);
    let named = areas::name_zh.eq(&designation.name_zh);
    let named: Vec<AreaId> = match parent_id {
        Some(parent_id) => both!(conn, c => ids.filter(areas::parent_id.eq(parent_id).and(named)).load(c))?,
        None => both!(conn, c => ids.filter(areas::parent_id.is_null().and(named)).load(c))?,
    };
    let coded: Vec<AreaId> = match &designation.code {
        Some(code) => both!(conn, c => ids.filter(areas::code.eq(code)).load(c))?,
        None => Vec::new(),
    };
    let other = |found: &[AreaId]| found.iter().any(|id| Some(id) != except);
    Ok(Place {
        name_taken: other(&named),
        code_taken: other(&coded),
    })
}

/// Adds an area.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, area: &Area) -> Answer<()> {
    let row = diesel::insert_into(areas::table).values((
        areas::id.eq(&area.id),
        areas::parent_id.eq(&area.parent_id),
        areas::level.eq(area.level.name()),
        areas::code.eq(&area.designation.code),
        areas::name_zh.eq(&area.designation.name_zh),
        areas::name_en.eq(&area.designation.name_en),
        areas::path.eq(&area.path),
        areas::version.eq(area.version),
        areas::created_at.eq(Moment::from(area.created_at)),
        areas::updated_at.eq(Moment::from(area.updated_at)),
    ));
    both!(tx.conn(), c => row.execute(c))?;
    Ok(())
}

/// Saves a changed area over the version before it.
///
/// # Errors
/// A fault of the database, or if that version is not there any more.
pub fn update(tx: &mut Tx<'_>, area: &Area) -> Answer<()> {
    let before = area.version.saturating_sub(1);
    let changed = diesel::update(areas::table.find(&area.id).filter(areas::version.eq(before)))
        .set((
            areas::parent_id.eq(&area.parent_id),
            areas::code.eq(&area.designation.code),
            areas::name_zh.eq(&area.designation.name_zh),
            areas::name_en.eq(&area.designation.name_en),
            areas::path.eq(&area.path),
            areas::version.eq(area.version),
            areas::updated_at.eq(Moment::from(area.updated_at)),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} areas updated instead of one")).into())
    }
}

/// Hangs everything below `from` below `to` instead; the area itself is saved by [`update`]. Tells how many there were.
///
/// # Errors
/// A fault of the database.
pub fn carry_subtree(tx: &mut Tx<'_>, from: &str, to: &str) -> Answer<usize> {
    let keep = i64::try_from(from.len()).unwrap_or(i64::MAX).saturating_add(1);
    // Ids are ASCII, so bytes and characters count alike. Both databases number characters from 1.
    let carried = match tx.conn() {
        Conn::Sqlite(c) => {
            diesel::sql_query("UPDATE areas SET path = ? || substr(path, ?) WHERE path > ? AND path < ?")
                .bind::<SqlText, _>(to)
                .bind::<BigInt, _>(keep)
                .bind::<SqlText, _>(from)
                .bind::<SqlText, _>(after_subtree(from))
                .execute(c)?
        }
        Conn::Postgres(c) => diesel::sql_query(
            "UPDATE areas SET path = $1 || substr(path, $2::int) WHERE path > $3 AND path < $4",
        )
        .bind::<SqlText, _>(to)
        .bind::<BigInt, _>(keep)
        .bind::<SqlText, _>(from)
        .bind::<SqlText, _>(after_subtree(from))
        .execute(c)?,
    };
    Ok(carried)
}

/// The first path after everything that begins with `path`: `0` is what follows `/`.
pub(super) fn after_subtree(path: &str) -> String {
    format!("{}0", path.trim_end_matches('/'))
}

/// In which order areas are listed: by Chinese name in the order of Unicode, or by age; with `-` the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AreaSort)]
pub enum Sort {
    /// By Chinese name, in the order of Unicode.
    #[serde(rename = "name")]
    Name,
    /// The other way round.
    #[serde(rename = "-name")]
    NameDown,
    /// Oldest first.
    #[serde(rename = "created_at")]
    Created,
    /// Newest first.
    #[serde(rename = "-created_at")]
    CreatedDown,
}

/// Which areas are listed.
#[derive(Clone, Debug)]
pub struct AreaFilter {
    /// Directly under this one.
    pub parent_id: Option<AreaId>,
    /// Under this one at any depth, itself not counted.
    pub within: Option<AreaId>,
    /// Of this level.
    pub level: Option<Level>,
    /// With this text in a name; letters of the Latin alphabet in either case.
    pub text: Option<String>,
    /// The order.
    pub sort: Sort,
    /// The sort key and id of the last area on the page before.
    pub after: Option<(SortKey, String)>,
}

/// What an area is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// A name.
    Name(String),
    /// An instant.
    At(NaiveDateTime),
}

diesel::define_sql_function! {
    /// Latin letters in lower case, on both databases alike: SQLite knows no others, and PostgreSQL's columns are `COLLATE "C"`.
    fn lower(text: SqlText) -> SqlText;
}

/// Up to `max` areas.
///
/// # Errors
/// A fault of the database.
pub fn areas(conn: &mut Conn, filter: &AreaFilter, max: i64) -> Answer<Vec<Area>> {
    let within = match &filter.within {
        Some(id) => match area(conn, id)? {
            Some(root) => Some(root.path),
            None => return Ok(Vec::new()),
        },
        None => None,
    };
    // A boxed query is of one backend, hence the match; there is no second way to write the filters.
    let rows: Vec<AreaRow> = both!(conn, c => {
        let mut query = areas::table.select(AreaRow::as_select()).limit(max).into_boxed();
        if let Some(parent_id) = &filter.parent_id {
            query = query.filter(areas::parent_id.eq(parent_id));
        }
        if let Some(path) = &within {
            query = query.filter(areas::path.gt(path).and(areas::path.lt(after_subtree(path))));
        }
        if let Some(level) = filter.level {
            query = query.filter(areas::level.eq(level.name()));
        }
        if let Some(text) = &filter.text {
            let pattern = contains(text);
            query = query.filter(
                lower(areas::name_zh).like(pattern.clone()).escape('\\').or(lower(areas::name_en).like(pattern).escape('\\')),
            );
        }
        query = match &filter.after {
            Some((SortKey::Name(name), id)) if filter.sort == Sort::Name => {
                query.filter(areas::name_zh.gt(name).or(areas::name_zh.eq(name).and(areas::id.gt(id))))
            }
            Some((SortKey::Name(name), id)) => {
                query.filter(areas::name_zh.lt(name).or(areas::name_zh.eq(name).and(areas::id.lt(id))))
            }
            Some((SortKey::At(at), id)) if filter.sort == Sort::Created => {
                query.filter(areas::created_at.gt(at).or(areas::created_at.eq(at).and(areas::id.gt(id))))
            }
            Some((SortKey::At(at), id)) => {
                query.filter(areas::created_at.lt(at).or(areas::created_at.eq(at).and(areas::id.lt(id))))
            }
            None => query,
        };
        match filter.sort {
            Sort::Name => query.order((areas::name_zh.asc(), areas::id.asc())).load(c),
            Sort::NameDown => query.order((areas::name_zh.desc(), areas::id.desc())).load(c),
            Sort::Created => query.order((areas::created_at.asc(), areas::id.asc())).load(c),
            Sort::CreatedDown => query.order((areas::created_at.desc(), areas::id.desc())).load(c),
        }
    })?;
    Ok(rows.into_iter().map(Area::try_from).collect::<Result<_, _>>()?)
}

/// A LIKE pattern for "has this text in it".
pub(super) fn contains(text: &str) -> String {
    let escaped = text
        .to_ascii_lowercase()
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!("%{escaped}%")
}
