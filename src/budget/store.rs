//! The tables of funds and budget lines.

use chrono::NaiveDateTime;
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use crate::both;
use crate::budget::rules::{BudgetLine, BudgetLineId, Fund, FundId, FundKind, State};
use crate::db::conn::Conn;
use crate::db::schema::{budget_lines, funds, service_categories};
use crate::db::writer::Tx;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = funds)]
struct FundRow {
    id: FundId,
    code: String,
    kind: String,
    organisation_id: OrganisationId,
    name_zh: String,
    name_en: String,
    basis: String,
    state: String,
    version: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

impl TryFrom<FundRow> for Fund {
    type Error = Fault;

    fn try_from(row: FundRow) -> Result<Self, Fault> {
        let kind = FundKind::named(&row.kind);
        Ok(Self {
            kind: kind.ok_or_else(|| Fault::broken(format!("a fund that is {}", row.kind)))?,
            state: state(&row.state)?,
            id: row.id,
            code: row.code,
            organisation_id: row.organisation_id,
            name_zh: row.name_zh,
            name_en: row.name_en,
            basis: row.basis,
            version: row.version,
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = budget_lines)]
struct LineRow {
    id: BudgetLineId,
    fund_id: FundId,
    fiscal_year: i64,
    code: String,
    organisation_id: OrganisationId,
    category: String,
    purpose_zh: String,
    purpose_en: String,
    state: String,
    version: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

impl TryFrom<LineRow> for BudgetLine {
    type Error = Fault;

    fn try_from(row: LineRow) -> Result<Self, Fault> {
        Ok(Self {
            state: state(&row.state)?,
            id: row.id,
            fund_id: row.fund_id,
            fiscal_year: row.fiscal_year,
            code: row.code,
            organisation_id: row.organisation_id,
            category: row.category,
            purpose_zh: row.purpose_zh,
            purpose_en: row.purpose_en,
            version: row.version,
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
        })
    }
}

fn state(name: &str) -> Result<State, Fault> {
    State::named(name).ok_or_else(|| Fault::broken(format!("a fund or line that is {name}")))
}

/// The fund of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn fund(conn: &mut Conn, id: &FundId) -> Answer<Option<Fund>> {
    let row: Option<FundRow> = funds::table
        .find(id)
        .select(FundRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Fund::try_from).transpose()?)
}

/// Which funds are listed.
#[derive(Clone, Debug, Default)]
pub struct FundFilter {
    /// Kept by this organisation.
    pub organisation: Option<OrganisationId>,
    /// In this state.
    pub state: Option<State>,
    /// The code of the last one on the page before.
    pub after: Option<String>,
}

/// Up to `max` funds by code.
///
/// # Errors
/// A fault of the database.
pub fn funds(conn: &mut Conn, filter: &FundFilter, max: i64) -> Answer<Vec<Fund>> {
    let rows: Vec<FundRow> = both!(conn, c => {
        let mut query = funds::table
            .order(funds::code)
            .limit(max)
            .select(FundRow::as_select())
            .into_boxed();
        if let Some(organisation) = &filter.organisation {
            query = query.filter(funds::organisation_id.eq(organisation));
        }
        if let Some(state) = filter.state {
            query = query.filter(funds::state.eq(state.name()));
        }
        if let Some(after) = &filter.after {
            query = query.filter(funds::code.gt(after));
        }
        query.load(c)
    })?;
    Ok(rows.into_iter().map(Fund::try_from).collect::<Result<_, _>>()?)
}

/// Whether there is a fund of that code.
///
/// # Errors
/// A fault of the database.
pub fn fund_code_taken(conn: &mut Conn, code: &str) -> Answer<bool> {
    Ok(select(exists(funds::table.filter(funds::code.eq(code)))).get_result(conn)?)
}

/// Adds a fund.
///
/// # Errors
/// A fault of the database.
pub fn insert_fund(tx: &mut Tx<'_>, fund: &Fund) -> Answer<()> {
    diesel::insert_into(funds::table)
        .values((
            funds::id.eq(&fund.id),
            funds::code.eq(&fund.code),
            funds::kind.eq(fund.kind.name()),
            funds::organisation_id.eq(&fund.organisation_id),
            funds::name_zh.eq(&fund.name_zh),
            funds::name_en.eq(&fund.name_en),
            funds::basis.eq(&fund.basis),
            funds::state.eq(fund.state.name()),
            funds::version.eq(fund.version),
            funds::created_at.eq(fund.created_at.naive_utc()),
            funds::updated_at.eq(fund.updated_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves a fund over its version before.
///
/// # Errors
/// A fault of the database, or if another change came first.
pub fn update_fund(tx: &mut Tx<'_>, fund: &Fund) -> Answer<()> {
    let before = funds::table
        .find(&fund.id)
        .filter(funds::version.eq(fund.version.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            funds::name_zh.eq(&fund.name_zh),
            funds::name_en.eq(&fund.name_en),
            funds::basis.eq(&fund.basis),
            funds::state.eq(fund.state.name()),
            funds::version.eq(fund.version),
            funds::updated_at.eq(fund.updated_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    one(changed, "funds")
}

/// The budget line of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn line(conn: &mut Conn, id: &BudgetLineId) -> Answer<Option<BudgetLine>> {
    let row: Option<LineRow> = budget_lines::table
        .find(id)
        .select(LineRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(BudgetLine::try_from).transpose()?)
}

/// Which budget lines are listed.
#[derive(Clone, Debug, Default)]
pub struct LineFilter {
    /// Of this fund.
    pub fund: Option<FundId>,
    /// Of this fiscal year.
    pub fiscal_year: Option<i64>,
    /// Spent by this organisation.
    pub organisation: Option<OrganisationId>,
    /// Of this category.
    pub category: Option<String>,
    /// In this state.
    pub state: Option<State>,
    /// Of funds or lines of one of these organisations; of all if it is left out.
    pub organisations: Option<Vec<OrganisationId>>,
    /// The id of the last one on the page before.
    pub after: Option<String>,
}

/// Up to `max` budget lines, in the order in which they were made.
///
/// # Errors
/// A fault of the database.
pub fn lines(conn: &mut Conn, filter: &LineFilter, max: i64) -> Answer<Vec<BudgetLine>> {
    let rows: Vec<LineRow> = both!(conn, c => {
        let mut query = budget_lines::table
            .order(budget_lines::id)
            .limit(max)
            .select(LineRow::as_select())
            .into_boxed();
        if let Some(fund) = &filter.fund {
            query = query.filter(budget_lines::fund_id.eq(fund));
        }
        if let Some(year) = filter.fiscal_year {
            query = query.filter(budget_lines::fiscal_year.eq(year));
        }
        if let Some(organisation) = &filter.organisation {
            query = query.filter(budget_lines::organisation_id.eq(organisation));
        }
        if let Some(category) = &filter.category {
            query = query.filter(budget_lines::category.eq(category));
        }
        if let Some(state) = filter.state {
            query = query.filter(budget_lines::state.eq(state.name()));
        }
        if let Some(own) = &filter.organisations {
            let kept = funds::table.filter(funds::organisation_id.eq_any(own)).select(funds::id);
            query = query
                .filter(budget_lines::fund_id.eq_any(kept).or(budget_lines::organisation_id.eq_any(own)));
        }
        if let Some(after) = &filter.after {
            query = query.filter(budget_lines::id.gt(after));
        }
        query.load(c)
    })?;
    Ok(rows
        .into_iter()
        .map(BudgetLine::try_from)
        .collect::<Result<_, _>>()?)
}

/// Whether the fund has a line of that code in that year.
///
/// # Errors
/// A fault of the database.
pub fn line_code_taken(conn: &mut Conn, line: &BudgetLine) -> Answer<bool> {
    let same = budget_lines::table
        .filter(budget_lines::fund_id.eq(&line.fund_id))
        .filter(budget_lines::fiscal_year.eq(line.fiscal_year))
        .filter(budget_lines::code.eq(&line.code));
    Ok(select(exists(same)).get_result(conn)?)
}

/// Whether the catalogue has that category of services, in use. The catalogue stands beside this slice and is not asked through its
/// acts: the one row is read here.
///
/// # Errors
/// A fault of the database.
pub fn category_is_active(conn: &mut Conn, code: &str) -> Answer<bool> {
    let active = service_categories::table
        .find(code)
        .filter(service_categories::state.eq("active"));
    Ok(select(exists(active)).get_result(conn)?)
}

/// Adds a budget line.
///
/// # Errors
/// A fault of the database.
pub fn insert_line(tx: &mut Tx<'_>, line: &BudgetLine) -> Answer<()> {
    diesel::insert_into(budget_lines::table)
        .values((
            budget_lines::id.eq(&line.id),
            budget_lines::fund_id.eq(&line.fund_id),
            budget_lines::fiscal_year.eq(line.fiscal_year),
            budget_lines::code.eq(&line.code),
            budget_lines::organisation_id.eq(&line.organisation_id),
            budget_lines::category.eq(&line.category),
            budget_lines::purpose_zh.eq(&line.purpose_zh),
            budget_lines::purpose_en.eq(&line.purpose_en),
            budget_lines::state.eq(line.state.name()),
            budget_lines::version.eq(line.version),
            budget_lines::created_at.eq(line.created_at.naive_utc()),
            budget_lines::updated_at.eq(line.updated_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves a budget line over its version before.
///
/// # Errors
/// A fault of the database, or if another change came first.
pub fn update_line(tx: &mut Tx<'_>, line: &BudgetLine) -> Answer<()> {
    let before = budget_lines::table
        .find(&line.id)
        .filter(budget_lines::version.eq(line.version.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            budget_lines::purpose_zh.eq(&line.purpose_zh),
            budget_lines::purpose_en.eq(&line.purpose_en),
            budget_lines::state.eq(line.state.name()),
            budget_lines::version.eq(line.version),
            budget_lines::updated_at.eq(line.updated_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    one(changed, "budget lines")
}

/// A guarded change hit exactly the row that it meant.
///
/// # Errors
/// A fault if not.
pub fn one(changed: usize, what: &str) -> Answer<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} {what} changed instead of one")).into())
    }
}
