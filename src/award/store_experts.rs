//! The table of the pool of experts. Rows are changed, and never deleted.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use crate::award::rules_experts::{Employer, Expert};
use crate::db::conn::Conn;
use crate::db::schema::{accounts, expert_categories, experts, role_grants};
use crate::db::writer::Tx;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::web::policy::Role;

#[derive(Queryable, Selectable)]
#[diesel(table_name = experts)]
struct ExpertRow {
    account_id: AccountId,
    version: i64,
    employers: String,
    unavailable_until: Option<NaiveDate>,
    listed_at: NaiveDateTime,
    changed_at: NaiveDateTime,
    withdrawn_at: Option<NaiveDateTime>,
}

impl ExpertRow {
    fn expert(self, categories: Vec<String>) -> Result<Expert, Fault> {
        let employers: Vec<Employer> = serde_json::from_str(&self.employers)
            .map_err(|error| Fault::caused(format!("the employers of {}", self.account_id), error))?;
        Ok(Expert {
            account_id: self.account_id,
            version: self.version,
            categories,
            employers,
            unavailable_until: self.unavailable_until,
            listed_at: self.listed_at.and_utc(),
            changed_at: self.changed_at.and_utc(),
            withdrawn_at: self.withdrawn_at.map(|at| at.and_utc()),
        })
    }
}

fn with_categories(conn: &mut Conn, rows: Vec<ExpertRow>) -> Answer<Vec<Expert>> {
    let ids: Vec<&AccountId> = rows.iter().map(|row| &row.account_id).collect();
    let found: Vec<(AccountId, String)> = expert_categories::table
        .filter(expert_categories::account_id.eq_any(ids))
        .order((expert_categories::account_id, expert_categories::category))
        .select((expert_categories::account_id, expert_categories::category))
        .load(conn)?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let from = found.partition_point(|(account, _)| *account < row.account_id);
        let of_row = found
            .iter()
            .skip(from)
            .take_while(|(account, _)| *account == row.account_id);
        let categories = of_row.map(|(_, category)| category.clone()).collect();
        all.push(row.expert(categories)?);
    }
    Ok(all)
}

/// What is known of one expert, withdrawn ones included.
///
/// # Errors
/// A fault of the database.
pub fn expert(conn: &mut Conn, account: &AccountId) -> Answer<Option<Expert>> {
    let row: Option<ExpertRow> = experts::table
        .find(account)
        .select(ExpertRow::as_select())
        .first(conn)
        .optional()?;
    Ok(with_categories(conn, row.into_iter().collect())?
        .into_iter()
        .next())
}

/// Up to `max` of the pool beyond an id, of one category or of all; whoever left it is not listed.
///
/// # Errors
/// A fault of the database.
pub fn listed(conn: &mut Conn, category: Option<&str>, after: Option<&str>, max: i64) -> Answer<Vec<Expert>> {
    let mut query = experts::table
        .filter(experts::withdrawn_at.is_null())
        .filter(experts::account_id.gt(after.unwrap_or_default()))
        .order(experts::account_id)
        .limit(max)
        .select(ExpertRow::as_select())
        .into_boxed();
    if let Some(category) = category {
        let of_category = expert_categories::table
            .filter(expert_categories::category.eq(category))
            .select(expert_categories::account_id);
        query = query.filter(experts::account_id.eq_any(of_category));
    }
    let rows: Vec<ExpertRow> = query.load(conn)?;
    with_categories(conn, rows)
}

fn employers_of(expert: &Expert) -> Result<String, Fault> {
    serde_json::to_string(&expert.employers).map_err(|error| Fault::caused("write employers", error))
}

fn set_categories(tx: &mut Tx<'_>, expert: &Expert) -> Answer<()> {
    diesel::delete(expert_categories::table.filter(expert_categories::account_id.eq(&expert.account_id)))
        .execute(tx.conn())?;
    for category in &expert.categories {
        diesel::insert_into(expert_categories::table)
            .values((
                expert_categories::account_id.eq(&expert.account_id),
                expert_categories::category.eq(category),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// Adds an expert.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, expert: &Expert) -> Answer<()> {
    diesel::insert_into(experts::table)
        .values((
            experts::account_id.eq(&expert.account_id),
            experts::version.eq(expert.version),
            experts::employers.eq(employers_of(expert)?),
            experts::unavailable_until.eq(expert.unavailable_until),
            experts::listed_at.eq(expert.listed_at.naive_utc()),
            experts::changed_at.eq(expert.changed_at.naive_utc()),
            experts::withdrawn_at.eq(expert.withdrawn_at.map(|at| at.naive_utc())),
        ))
        .execute(tx.conn())?;
    set_categories(tx, expert)
}

/// Saves an expert as they are now.
///
/// # Errors
/// A fault of the database, or if they are not in the version before.
pub fn update(tx: &mut Tx<'_>, expert: &Expert) -> Answer<()> {
    let before = experts::table
        .find(&expert.account_id)
        .filter(experts::version.eq(expert.version.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            experts::version.eq(expert.version),
            experts::employers.eq(employers_of(expert)?),
            experts::unavailable_until.eq(expert.unavailable_until),
            experts::listed_at.eq(expert.listed_at.naive_utc()),
            experts::changed_at.eq(expert.changed_at.naive_utc()),
            experts::withdrawn_at.eq(expert.withdrawn_at.map(|at| at.naive_utc())),
        ))
        .execute(tx.conn())?;
    if changed != 1 {
        return Err(Fault::broken(format!("{changed} experts changed instead of one")).into());
    }
    set_categories(tx, expert)
}

/// Whether an account is in use and holds the role of an evaluator itself.
///
/// # Errors
/// A fault of the database.
pub fn is_evaluator(conn: &mut Conn, account: &AccountId) -> Answer<bool> {
    let found: Option<AccountId> = role_grants::table
        .inner_join(accounts::table)
        .filter(role_grants::account_id.eq(account))
        .filter(role_grants::role.eq(Role::Evaluator.name()))
        .filter(role_grants::ended_at.is_null())
        .filter(accounts::state.eq("active"))
        .select(role_grants::account_id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Of these accounts those that are in use and hold the role of an evaluator.
///
/// # Errors
/// A fault of the database.
pub fn evaluators(conn: &mut Conn, of: &[AccountId]) -> Answer<BTreeSet<AccountId>> {
    let found: Vec<AccountId> = role_grants::table
        .inner_join(accounts::table)
        .filter(role_grants::account_id.eq_any(of))
        .filter(role_grants::role.eq(Role::Evaluator.name()))
        .filter(role_grants::ended_at.is_null())
        .filter(accounts::state.eq("active"))
        .select(role_grants::account_id)
        .load(conn)?;
    Ok(found.into_iter().collect())
}

/// In which of these organisations these accounts hold a role, a pair for each.
///
/// # Errors
/// A fault of the database.
pub fn acting_for(
    conn: &mut Conn,
    of: &[AccountId],
    organisations: &[OrganisationId],
) -> Answer<BTreeSet<(AccountId, OrganisationId)>> {
    let found: Vec<(AccountId, Option<OrganisationId>)> = role_grants::table
        .filter(role_grants::account_id.eq_any(of))
        .filter(role_grants::organisation_id.eq_any(organisations))
        .filter(role_grants::ended_at.is_null())
        .select((role_grants::account_id, role_grants::organisation_id))
        .load(conn)?;
    Ok(found
        .into_iter()
        .filter_map(|(account, organisation)| organisation.map(|organisation| (account, organisation)))
        .collect())
}
