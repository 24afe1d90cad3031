//! The tables of intention notices. What a version says is written while it is a draft, and never again: triggers on both
//! databases refuse it.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::books::rules_intentions::{Content, Intention, IntentionId, Month, State, Version};
use crate::both;
use crate::budget::store::one;
use crate::db::conn::Conn;
use crate::db::schema::{areas, intention_areas, intention_notices, intention_versions};
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;

#[derive(Queryable, Selectable)]
#[diesel(table_name = intention_notices)]
struct NoticeRow {
    id: IntentionId,
    organisation_id: OrganisationId,
    state: String,
    revision: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
    published_at: Option<NaiveDateTime>,
    withdrawn_at: Option<NaiveDateTime>,
    withdrawal_zh: Option<String>,
    withdrawal_en: Option<String>,
}

impl NoticeRow {
    fn with(self, versions: Vec<Version>) -> Result<Intention, Fault> {
        let state = State::named(&self.state)
            .ok_or_else(|| Fault::broken(format!("an intention notice that is {}", self.state)))?;
        let reason = self.withdrawal_zh.zip(self.withdrawal_en);
        let reason = reason.map(|(zh, en)| Text::made(zh, en));
        let (mut current, mut draft) = (None, None);
        for version in versions {
            match version.published {
                Some(_) => current = Some(version),
                None => draft = Some(version),
            }
        }
        Ok(Intention {
            id: self.id,
            organisation_id: self.organisation_id,
            state,
            revision: self.revision,
            created_at: self.created_at.and_utc(),
            updated_at: self.updated_at.and_utc(),
            published_at: self.published_at.map(|at| at.and_utc()),
            withdrawn: self.withdrawn_at.map(|at| at.and_utc()).zip(reason),
            current,
            draft,
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = intention_versions)]
struct VersionRow {
    notice_id: IntentionId,
    number: i64,
    category: String,
    title_zh: String,
    title_en: String,
    overview_zh: String,
    overview_en: String,
    budget_fen: i64,
    expected_month: String,
    contact: String,
    area_ids: String,
    reason_zh: Option<String>,
    reason_en: Option<String>,
    drafted_by: String,
    drafted_at: NaiveDateTime,
    published_by: Option<String>,
    published_at: Option<NaiveDateTime>,
}

impl TryFrom<VersionRow> for Version {
    type Error = Fault;

    fn try_from(row: VersionRow) -> Result<Self, Fault> {
        let unreadable = |error| Fault::caused("read an intention notice", error);
        let area_ids: Result<Vec<AreaId>, _> = row.area_ids.split(' ').map(str::parse).collect();
        let expected_month: Result<Month, _> = row.expected_month.parse();
        Ok(Self {
            number: row.number,
            content: Content {
                category: row.category,
                area_ids: area_ids.map_err(|error| unreadable(error.to_string()))?,
                title: Text::made(row.title_zh, row.title_en),
                overview: Text::made(row.overview_zh, row.overview_en),
                budget: Money::from_fen(row.budget_fen).map_err(|error| unreadable(error.to_string()))?,
                expected_month: expected_month.map_err(|error| unreadable(error.to_string()))?,
                contact: row.contact,
            },
            reason: row
                .reason_zh
                .zip(row.reason_en)
                .map(|(zh, en)| Text::made(zh, en)),
            drafted_by: row.drafted_by,
            drafted_at: row.drafted_at.and_utc(),
            published: row.published_by.zip(row.published_at.map(|at| at.and_utc())),
        })
    }
}

/// The notice of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn intention(conn: &mut Conn, id: &IntentionId) -> Answer<Option<Intention>> {
    let row: Option<NoticeRow> = intention_notices::table
        .find(id)
        .select(NoticeRow::as_select())
        .first(conn)
        .optional()?;
    let whole = whole(conn, row.into_iter().collect())?;
    Ok(whole.into_iter().next())
}

/// The notices with their last published version and their draft: not with all that they said before.
fn whole(conn: &mut Conn, rows: Vec<NoticeRow>) -> Answer<Vec<Intention>> {
    let ids: Vec<&IntentionId> = rows.iter().map(|row| &row.id).collect();
    let newest: Vec<VersionRow> = intention_versions::table
        .inner_join(intention_notices::table.on(intention_notices::id.eq(intention_versions::notice_id)))
        .filter(intention_versions::notice_id.eq_any(ids))
        .filter(
            intention_versions::number
                .eq(intention_notices::shown)
                .or(intention_versions::published_at.is_null()),
        )
        .select(VersionRow::as_select())
        .load(conn)?;
    let mut versions: Vec<(IntentionId, Version)> = Vec::with_capacity(newest.len());
    for row in newest {
        versions.push((row.notice_id.clone(), row.try_into()?));
    }
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let own = versions.iter().filter(|(id, _)| *id == row.id);
        let own = own.map(|(_, version)| version.clone()).collect();
        found.push(row.with(own)?);
    }
    Ok(found)
}

/// Every version of a notice that was published, newest first.
///
/// # Errors
/// A fault of the database.
pub fn published_versions(conn: &mut Conn, id: &IntentionId) -> Answer<Vec<Version>> {
    let rows: Vec<VersionRow> = intention_versions::table
        .filter(intention_versions::notice_id.eq(id))
        .filter(intention_versions::published_at.is_not_null())
        .order(intention_versions::number.desc())
        .limit(crate::books::rules_intentions::VERSIONS_MAX)
        .select(VersionRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(Version::try_from)
        .collect::<Result<_, _>>()?)
}

/// Which notices are listed.
#[derive(Clone, Debug, Default)]
pub struct IntentionFilter {
    /// By this organisation.
    pub organisation: Option<OrganisationId>,
    /// Of this category of services.
    pub category: Option<String>,
    /// About this area or one within it.
    pub area: Option<AreaId>,
    /// Expected in this month.
    pub expected_month: Option<Month>,
    /// In this state.
    pub state: Option<State>,
    /// Notices that were never published only of these organisations.
    pub drafts_of: Vec<OrganisationId>,
    /// The id of the last one on the page before.
    pub before: Option<String>,
}

/// Up to `max` notices, newest first.
///
/// # Errors
/// A fault of the database.
pub fn intentions(conn: &mut Conn, filter: &IntentionFilter, max: i64) -> Answer<Vec<Intention>> {
    let within = match &filter.area {
        Some(area) => Some(ids_within(conn, area)?),
        None => None,
    };
    let rows: Vec<NoticeRow> = both!(conn, c => {
        let shown = intention_versions::notice_id
            .eq(intention_notices::id)
            .and(intention_versions::number.eq(intention_notices::shown));
        let mut query = intention_notices::table
            .inner_join(intention_versions::table.on(shown))
            .order(intention_notices::id.desc())
            .limit(max)
            .select(NoticeRow::as_select())
            .into_boxed();
        query = query.filter(
            intention_notices::published_at.is_not_null()
                .or(intention_notices::organisation_id.eq_any(&filter.drafts_of)),
        );
        if let Some(organisation) = &filter.organisation {
            query = query.filter(intention_notices::organisation_id.eq(organisation));
        }
        if let Some(category) = &filter.category {
            query = query.filter(intention_versions::category.eq(category));
        }
        if let Some(month) = filter.expected_month {
            query = query.filter(intention_versions::expected_month.eq(month.to_string()));
        }
        if let Some(state) = filter.state {
            query = query.filter(intention_notices::state.eq(state.name()));
        }
        if let Some((from, until)) = &within {
            let inside = intention_areas::table
                .inner_join(areas::table.on(areas::id.eq(intention_areas::area_id)))
                .filter(areas::path.ge(from))
                .filter(areas::path.lt(until))
                .select(intention_areas::notice_id);
            query = query.filter(intention_notices::id.eq_any(inside));
        }
        if let Some(before) = &filter.before {
            query = query.filter(intention_notices::id.lt(before));
        }
        query.load(c)
    })?;
    whole(conn, rows)
}

/// The range of paths that begin with that of an area: from it on, and before what follows the last of them. An area that there is
/// not has a range that nothing lies in.
///
/// # Errors
/// A fault of the database.
pub fn ids_within(conn: &mut Conn, area: &AreaId) -> Answer<(String, String)> {
    let path: Option<String> = areas::table
        .find(area)
        .select(areas::path)
        .first(conn)
        .optional()?;
    let from = path.unwrap_or_else(|| "~/".to_owned());
    // Every path ends with a slash, and `0` is the character after it.
    let until = format!("{}0", from.trim_end_matches('/'));
    Ok((from, until))
}

/// The areas that an area lies in, the largest first, without itself.
///
/// # Errors
/// A fault of the database.
pub fn ids_above(conn: &mut Conn, area: &AreaId) -> Answer<Vec<AreaId>> {
    let path: Option<String> = areas::table
        .find(area)
        .select(areas::path)
        .first(conn)
        .optional()?;
    let path = path.unwrap_or_default();
    let above = path.split('/').filter(|id| *id != area.as_str());
    Ok(above.filter_map(|id| id.parse().ok()).collect())
}

/// Which of these areas there are.
///
/// # Errors
/// A fault of the database.
pub fn known_areas(conn: &mut Conn, ids: &[AreaId]) -> Answer<Vec<AreaId>> {
    Ok(areas::table
        .filter(areas::id.eq_any(ids))
        .select(areas::id)
        .load(conn)?)
}

/// Adds a notice with its first draft.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, intention: &Intention) -> Answer<()> {
    diesel::insert_into(intention_notices::table)
        .values((
            intention_notices::id.eq(&intention.id),
            intention_notices::organisation_id.eq(&intention.organisation_id),
            intention_notices::state.eq(intention.state.name()),
            intention_notices::shown.eq(1_i64),
            intention_notices::revision.eq(intention.revision),
            intention_notices::created_at.eq(intention.created_at.naive_utc()),
            intention_notices::updated_at.eq(intention.updated_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    write_draft(tx, intention)
}

/// Saves a notice over its revision before.
///
/// # Errors
/// A fault of the database, or if another change came first.
pub fn update(tx: &mut Tx<'_>, intention: &Intention) -> Answer<()> {
    let shown = intention.shown().map_or(1, |version| version.number);
    let withdrawn = intention.withdrawn.as_ref();
    let before = intention_notices::table
        .find(&intention.id)
        .filter(intention_notices::revision.eq(intention.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            intention_notices::state.eq(intention.state.name()),
            intention_notices::shown.eq(shown),
            intention_notices::revision.eq(intention.revision),
            intention_notices::updated_at.eq(intention.updated_at.naive_utc()),
            intention_notices::withdrawn_at.eq(withdrawn.map(|(at, _)| at.naive_utc())),
            intention_notices::withdrawal_zh.eq(withdrawn.map(|(_, reason)| reason.zh())),
            intention_notices::withdrawal_en.eq(withdrawn.map(|(_, reason)| reason.en())),
        ))
        .execute(tx.conn())?;
    one(changed, "intention notices")
}

/// Saves that a notice is public for the first time, over its revision before.
///
/// # Errors
/// A fault of the database, or if it was public already.
pub fn publish_first(tx: &mut Tx<'_>, intention: &Intention) -> Answer<()> {
    let before = intention_notices::table
        .find(&intention.id)
        .filter(intention_notices::published_at.is_null())
        .filter(intention_notices::revision.eq(intention.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            intention_notices::state.eq(intention.state.name()),
            intention_notices::published_at.eq(intention.published_at.map(|at| at.naive_utc())),
            intention_notices::revision.eq(intention.revision),
            intention_notices::updated_at.eq(intention.updated_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    one(changed, "intention notices")
}

/// Saves the draft of a notice: over the one that there is, or as a further version.
///
/// # Errors
/// A fault of the database.
pub fn write_draft(tx: &mut Tx<'_>, intention: &Intention) -> Answer<()> {
    let Some(version) = &intention.draft else {
        return Err(Fault::broken("a notice without a draft to write").into());
    };
    let content = &version.content;
    let said = (
        intention_versions::category.eq(&content.category),
        intention_versions::title_zh.eq(content.title.zh()),
        intention_versions::title_en.eq(content.title.en()),
        intention_versions::overview_zh.eq(content.overview.zh()),
        intention_versions::overview_en.eq(content.overview.en()),
        intention_versions::budget_fen.eq(content.budget.fen()),
        intention_versions::expected_month.eq(content.expected_month.to_string()),
        intention_versions::contact.eq(&content.contact),
        intention_versions::area_ids.eq(written(&content.area_ids)),
        intention_versions::reason_zh.eq(version.reason.as_ref().map(Text::zh)),
        intention_versions::reason_en.eq(version.reason.as_ref().map(Text::en)),
        intention_versions::drafted_by.eq(&version.drafted_by),
        intention_versions::drafted_at.eq(version.drafted_at.naive_utc()),
    );
    let key = (&intention.id, version.number);
    let changed = diesel::update(intention_versions::table.find(key))
        .set(said.clone())
        .execute(tx.conn())?;
    if changed == 0 {
        let key = (
            intention_versions::notice_id.eq(&intention.id),
            intention_versions::number.eq(version.number),
        );
        diesel::insert_into(intention_versions::table)
            .values((key, said))
            .execute(tx.conn())?;
    }
    if intention.current.is_none() {
        show_areas(tx, &intention.id, &content.area_ids)?;
    }
    Ok(())
}

fn written(ids: &[AreaId]) -> String {
    let ids: Vec<&str> = ids.iter().map(AreaId::as_str).collect();
    ids.join(" ")
}

/// Saves that the current version is published, and shows its areas.
///
/// # Errors
/// A fault of the database, or if it was published already.
pub fn publish_version(tx: &mut Tx<'_>, intention: &Intention) -> Answer<()> {
    let Some((version, (by, at))) = intention
        .current
        .as_ref()
        .and_then(|version| version.published.as_ref().map(|published| (version, published)))
    else {
        return Err(Fault::broken("a notice without a version to publish").into());
    };
    let draft = intention_versions::table
        .find((&intention.id, version.number))
        .filter(intention_versions::published_at.is_null());
    let changed = diesel::update(draft)
        .set((
            intention_versions::published_by.eq(by),
            intention_versions::published_at.eq(at.naive_utc()),
        ))
        .execute(tx.conn())?;
    one(changed, "versions of intention notices")?;
    show_areas(tx, &intention.id, &version.content.area_ids)
}

fn show_areas(tx: &mut Tx<'_>, id: &IntentionId, ids: &[AreaId]) -> Answer<()> {
    diesel::delete(intention_areas::table.filter(intention_areas::notice_id.eq(id))).execute(tx.conn())?;
    for area in ids {
        diesel::insert_into(intention_areas::table)
            .values((
                intention_areas::notice_id.eq(id),
                intention_areas::area_id.eq(area),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}
