//! The tables of categories and standards.

use chrono::NaiveDateTime;
use diesel::dsl::exists;
use diesel::prelude::*;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{service_categories, standard_versions, standards};
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};
use crate::standards::rules::{Category, CategoryState, Standard, StandardId, State};
use crate::standards::rules_indicators::Line;

#[derive(Queryable, Selectable)]
#[diesel(table_name = service_categories)]
struct CategoryRow {
    code: String,
    name_zh: String,
    name_en: String,
    state: String,
    version: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

impl TryFrom<CategoryRow> for Category {
    type Error = Fault;

    fn try_from(row: CategoryRow) -> Result<Self, Fault> {
        let state = CategoryState::ALL
            .into_iter()
            .find(|state| state.name() == row.state)
            .ok_or_else(|| Fault::broken(format!("a category that is {}", row.state)))?;
        Ok(Self {
            code: row.code,
            name: Line {
                zh: row.name_zh,
                en: row.name_en,
            },
            state,
            version: row.version,
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = standards)]
struct StandardRow {
    id: StandardId,
    category: String,
    code: String,
    jurisdiction: String,
    title_zh: String,
    title_en: String,
    source_zh: String,
    source_en: String,
    version: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

impl From<StandardRow> for Standard {
    fn from(row: StandardRow) -> Self {
        Self {
            id: row.id,
            category: row.category,
            code: row.code,
            jurisdiction: row.jurisdiction,
            title: Line {
                zh: row.title_zh,
                en: row.title_en,
            },
            source: Line {
                zh: row.source_zh,
                en: row.source_en,
            },
            version: row.version,
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
        }
    }
}

/// The category of that code, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn category(conn: &mut Conn, code: &str) -> Answer<Option<Category>> {
    let row: Option<CategoryRow> = service_categories::table
        .find(code)
        .select(CategoryRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Category::try_from).transpose()?)
}

/// Up to `max` categories of one of these states, by code, beyond `after`.
///
/// # Errors
/// A fault of the database.
pub fn categories(
    conn: &mut Conn,
    states: &[CategoryState],
    after: Option<&str>,
    max: i64,
) -> Answer<Vec<Category>> {
    let states: Vec<&str> = states.iter().map(|state| state.name()).collect();
    let rows: Vec<CategoryRow> = service_categories::table
        .filter(service_categories::state.eq_any(states))
        .filter(service_categories::code.gt(after.unwrap_or_default()))
        .order(service_categories::code)
        .limit(max)
        .select(CategoryRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(Category::try_from)
        .collect::<Result<_, _>>()?)
}

/// Adds a category.
///
/// # Errors
/// A fault of the database.
pub fn insert_category(tx: &mut Tx<'_>, category: &Category) -> Answer<()> {
    diesel::insert_into(service_categories::table)
        .values((
            service_categories::code.eq(&category.code),
            service_categories::name_zh.eq(&category.name.zh),
            service_categories::name_en.eq(&category.name.en),
            service_categories::state.eq(category.state.name()),
            service_categories::version.eq(category.version),
            service_categories::created_at.eq(category.created_at.naive_utc()),
            service_categories::updated_at.eq(category.updated_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves a category over the version before it.
///
/// # Errors
/// A fault of the database, or if that version is not there any more.
pub fn update_category(tx: &mut Tx<'_>, category: &Category) -> Answer<()> {
    let before = category.version.saturating_sub(1);
    let changed = diesel::update(
        service_categories::table
            .find(&category.code)
            .filter(service_categories::version.eq(before)),
    )
    .set((
        service_categories::name_zh.eq(&category.name.zh),
        service_categories::name_en.eq(&category.name.en),
        service_categories::state.eq(category.state.name()),
        service_categories::version.eq(category.version),
        service_categories::updated_at.eq(category.updated_at.naive_utc()),
    ))
    .execute(tx.conn())?;
    one(changed, "categories")
}

fn one(changed: usize, what: &str) -> Answer<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} {what} changed instead of one")).into())
    }
}

/// The standard of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn standard(conn: &mut Conn, id: &StandardId) -> Answer<Option<Standard>> {
    let row: Option<StandardRow> = standards::table
        .find(id)
        .select(StandardRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Standard::from))
}

/// The standard of that code, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn standard_of_code(conn: &mut Conn, code: &str) -> Answer<Option<Standard>> {
    let row: Option<StandardRow> = standards::table
        .filter(standards::code.eq(code))
        .select(StandardRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Standard::from))
}

/// True if the standard has a version in one of these states.
///
/// # Errors
/// A fault of the database.
pub fn has_version(conn: &mut Conn, id: &StandardId, states: &[State]) -> Answer<bool> {
    let states: Vec<&str> = states.iter().map(|state| state.name()).collect();
    let found: Option<i64> = standard_versions::table
        .filter(standard_versions::standard_id.eq(id))
        .filter(standard_versions::state.eq_any(states))
        .select(standard_versions::number)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Which standards are listed.
#[derive(Clone, Debug)]
pub struct StandardFilter {
    /// Of this category.
    pub category: Option<String>,
    /// Of this jurisdiction.
    pub jurisdiction: Option<String>,
    /// With a version in one of these states.
    pub states: Vec<State>,
    /// Category and code of the last one on the page before.
    pub after: Option<(String, String)>,
}

/// Up to `max` standards, by category and code.
///
/// # Errors
/// A fault of the database.
pub fn list(conn: &mut Conn, filter: &StandardFilter, max: i64) -> Answer<Vec<Standard>> {
    let states: Vec<&str> = filter.states.iter().map(|state| state.name()).collect();
    // A boxed query is of one backend, hence the match; there is no second way to write the filters.
    let rows: Vec<StandardRow> = both!(conn, c => {
        let versions = standard_versions::table
            .filter(standard_versions::standard_id.eq(standards::id))
            .filter(standard_versions::state.eq_any(states));
        let mut query = standards::table.select(StandardRow::as_select()).filter(exists(versions)).limit(max).into_boxed();
        if let Some(category) = &filter.category {
            query = query.filter(standards::category.eq(category));
        }
        if let Some(jurisdiction) = &filter.jurisdiction {
            query = query.filter(standards::jurisdiction.eq(jurisdiction));
        }
        if let Some((category, code)) = &filter.after {
            query = query.filter(
                standards::category.gt(category).or(standards::category.eq(category).and(standards::code.gt(code))),
            );
        }
        query.order((standards::category, standards::code)).load(c)
    })?;
    Ok(rows.into_iter().map(Standard::from).collect())
}

/// Adds a standard.
///
/// # Errors
/// A fault of the database.
pub fn insert_standard(tx: &mut Tx<'_>, standard: &Standard) -> Answer<()> {
    diesel::insert_into(standards::table)
        .values((
            standards::id.eq(&standard.id),
            standards::category.eq(&standard.category),
            standards::code.eq(&standard.code),
            standards::jurisdiction.eq(&standard.jurisdiction),
            standards::title_zh.eq(&standard.title.zh),
            standards::title_en.eq(&standard.title.en),
            standards::source_zh.eq(&standard.source.zh),
            standards::source_en.eq(&standard.source.en),
            standards::version.eq(standard.version),
            standards::created_at.eq(standard.created_at.naive_utc()),
            standards::updated_at.eq(standard.updated_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves a standard's head over the version before it.
///
/// # Errors
/// A fault of the database, or if that version is not there any more.
pub fn update_standard(tx: &mut Tx<'_>, standard: &Standard) -> Answer<()> {
    let before = standard.version.saturating_sub(1);
    let changed = diesel::update(
        standards::table
            .find(&standard.id)
            .filter(standards::version.eq(before)),
    )
    .set((
        standards::title_zh.eq(&standard.title.zh),
        standards::title_en.eq(&standard.title.en),
        standards::source_zh.eq(&standard.source.zh),
        standards::source_en.eq(&standard.source.en),
        standards::version.eq(standard.version),
        standards::updated_at.eq(standard.updated_at.naive_utc()),
    ))
    .execute(tx.conn())?;
    one(changed, "standards")
}
