//! Roles given to accounts, and who stands in for whom: the tables.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{accounts, areas, deputations, organisations, role_grants};
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::{AccountId, AreaId, OrganisationId, OrganisationKind};
use crate::kernel::refusal::{Answer, Fault};
use crate::people::rules_roles::{DeputationId, Employer, GrantId, Period};
use crate::web::actor::Grant;
use crate::web::policy::Role;

/// A role given to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenRole {
    /// Its id.
    pub id: GrantId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What that person is called; none once they are erased.
    pub display_name: Option<String>,
    /// The role, and for whom.
    pub grant: Grant,
    /// When it was given, UTC.
    pub granted_at: Instant,
    /// When it was taken, UTC.
    pub ended_at: Option<Instant>,
}

/// A role lent to a deputy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deputation {
    /// Its id.
    pub id: DeputationId,
    /// The grant that is lent.
    pub grant_id: GrantId,
    /// Whose it is.
    pub principal_id: AccountId,
    /// Who stands in.
    pub deputy_id: AccountId,
    /// For when.
    pub period: Period,
    /// When it was revoked, UTC.
    pub revoked_at: Option<Instant>,
    /// The role that is lent, and for whom.
    pub grant: Grant,
}

/// What is known of an organisation as a place where roles are given.
///
/// # Errors
/// A fault of the database.
pub fn employer(conn: &mut Conn, id: &OrganisationId) -> Answer<Option<Employer>> {
    let row: Option<(String, String, Option<AreaId>)> = organisations::table
        .find(id)
        .select((organisations::kind, organisations::state, organisations::area_id))
        .first(conn)
        .optional()?;
    let Some((kind, state, area_id)) = row else {
        return Ok(None);
    };
    let kind = OrganisationKind::named(&kind)
        .ok_or_else(|| Fault::broken(format!("an organisation of kind {kind}")))?;
    Ok(Some(Employer {
        id: id.clone(),
        kind,
        is_verified: state == "verified",
        area_id,
    }))
}

/// What an organisation is called, in Chinese and in English.
///
/// # Errors
/// A fault of the database.
pub fn organisation_name(conn: &mut Conn, id: &OrganisationId) -> Answer<Option<(String, String)>> {
    Ok(organisations::table
        .find(id)
        .select((organisations::name_zh, organisations::name_en))
        .first(conn)
        .optional()?)
}

/// True if the account can be given something: it was invited or is active.
///
/// # Errors
/// A fault of the database.
pub fn account_can_hold(conn: &mut Conn, id: &AccountId) -> Answer<bool> {
    let state: Option<String> = accounts::table
        .find(id)
        .select(accounts::state)
        .first(conn)
        .optional()?;
    Ok(state.is_some_and(|state| state == "invited" || state == "active"))
}

/// The path of an area in the tree, if the area is there.
///
/// # Errors
/// A fault of the database.
pub fn area_path(conn: &mut Conn, id: &AreaId) -> Answer<Option<String>> {
    Ok(areas::table.find(id).select(areas::path).first(conn).optional()?)
}

type GrantColumns = (
    GrantId,
    AccountId,
    Option<String>,
    String,
    Option<OrganisationId>,
    Option<AreaId>,
    NaiveDateTime,
    Option<NaiveDateTime>,
);

fn role_named(name: &str) -> Result<Role, Fault> {
    Role::named(name).ok_or_else(|| Fault::broken(format!("a role named {name}")))
}

fn grant_of(role: &str, organisation: Option<OrganisationId>, area: Option<AreaId>) -> Result<Grant, Fault> {
    Ok(Grant {
        role: role_named(role)?,
        organisation,
        area,
        deputy_of: None,
    })
}

fn given(row: GrantColumns) -> Result<GivenRole, Fault> {
    let (id, account_id, display_name, role, organisation, area, granted_at, ended_at) = row;
    Ok(GivenRole {
        id,
        account_id,
        display_name,
        grant: grant_of(&role, organisation, area)?,
        granted_at: granted_at.and_utc(),
        ended_at: ended_at.map(|at| at.and_utc()),
    })
}

/// Which grants are listed.
#[derive(Clone, Debug, Default)]
pub struct GrantFilter {
    /// Of this account.
    pub account_id: Option<AccountId>,
    /// In this organisation.
    pub organisation_id: Option<OrganisationId>,
    /// Of this role.
    pub role: Option<Role>,
    /// Only those that have not ended.
    pub in_force: bool,
    /// Beyond this id.
    pub after: Option<GrantId>,
}

/// Up to `max` grants, oldest first.
///
/// # Errors
/// A fault of the database.
pub fn grants(conn: &mut Conn, filter: &GrantFilter, max: i64) -> Answer<Vec<GivenRole>> {
    let rows: Vec<GrantColumns> = both!(conn, c => {
        let mut query = role_grants::table
            .inner_join(accounts::table)
            .select((
                role_grants::id,
                role_grants::account_id,
                accounts::display_name,
                role_grants::role,
                role_grants::organisation_id,
                role_grants::area_id,
                role_grants::granted_at,
                role_grants::ended_at,
            ))
            .order(role_grants::id)
            .limit(max)
            .into_boxed();
        if let Some(account_id) = &filter.account_id {
            query = query.filter(role_grants::account_id.eq(account_id));
        }
        if let Some(organisation_id) = &filter.organisation_id {
            query = query.filter(role_grants::organisation_id.eq(organisation_id));
        }
        if let Some(role) = filter.role {
            query = query.filter(role_grants::role.eq(role.name()));
        }
        if filter.in_force {
            query = query.filter(role_grants::ended_at.is_null());
        }
        if let Some(after) = &filter.after {
            query = query.filter(role_grants::id.gt(after));
        }
        query.load(c)
    })?;
    Ok(rows.into_iter().map(given).collect::<Result<_, _>>()?)
}

/// One grant.
///
/// # Errors
/// A fault of the database.
pub fn grant(conn: &mut Conn, id: &GrantId) -> Answer<Option<GivenRole>> {
    let row: Option<GrantColumns> = role_grants::table
        .inner_join(accounts::table)
        .filter(role_grants::id.eq(id))
        .select((
            role_grants::id,
            role_grants::account_id,
            accounts::display_name,
            role_grants::role,
            role_grants::organisation_id,
            role_grants::area_id,
            role_grants::granted_at,
            role_grants::ended_at,
        ))
        .first(conn)
        .optional()?;
    Ok(row.map(given).transpose()?)
}

/// Accounts, other than this one, that hold a role of the platform; at most two, which is all that anyone asks about.
///
/// # Errors
/// A fault of the database.
pub fn others_with(conn: &mut Conn, role: Role, except: &AccountId) -> Answer<usize> {
    let held: Vec<AccountId> = role_grants::table
        .inner_join(accounts::table)
        .filter(role_grants::role.eq(role.name()))
        .filter(role_grants::ended_at.is_null())
        .filter(role_grants::account_id.ne(except))
        .filter(accounts::state.eq("active"))
        .select(role_grants::account_id)
        .limit(2)
        .load(conn)?;
    Ok(held.len())
}

/// Gives a role.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, id: &GrantId, account_id: &AccountId, grant: &Grant, by: &str) -> Answer<()> {
    let granted_at = tx.now().naive_utc();
    diesel::insert_into(role_grants::table)
        .values((
            role_grants::id.eq(id),
            role_grants::account_id.eq(account_id),
            role_grants::role.eq(grant.role.name()),
            role_grants::organisation_id.eq(&grant.organisation),
            role_grants::area_id.eq(&grant.area),
            role_grants::granted_by.eq(by),
            role_grants::granted_at.eq(granted_at),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Takes a role; tells whether it was there to be taken.
///
/// # Errors
/// A fault of the database.
pub fn end(tx: &mut Tx<'_>, id: &GrantId, by: &str) -> Answer<bool> {
    let ended_at = tx.now().naive_utc();
    let changed = diesel::update(
        role_grants::table
            .find(id)
            .filter(role_grants::ended_at.is_null()),
    )
    .set((role_grants::ended_by.eq(by), role_grants::ended_at.eq(ended_at)))
    .execute(tx.conn())?;
    Ok(changed == 1)
}

type DeputationColumns = (
    DeputationId,
    GrantId,
    AccountId,
    AccountId,
    NaiveDateTime,
    NaiveDateTime,
    Option<NaiveDateTime>,
    String,
    Option<OrganisationId>,
    Option<AreaId>,
);

fn deputation_of(row: DeputationColumns) -> Result<Deputation, Fault> {
    let (id, grant_id, principal_id, deputy_id, from, until, revoked_at, role, organisation, area) = row;
    Ok(Deputation {
        id,
        grant_id,
        principal_id,
        deputy_id,
        period: Period {
            from: from.and_utc(),
            until: until.and_utc(),
        },
        revoked_at: revoked_at.map(|at| at.and_utc()),
        grant: grant_of(&role, organisation, area)?,
    })
}

/// Whose deputations are listed.
#[derive(Clone, Debug, Default)]
pub struct DeputationFilter {
    /// Where this account is principal or deputy.
    pub account_id: Option<AccountId>,
    /// Of roles in this organisation.
    pub organisation_id: Option<OrganisationId>,
    /// Of this grant.
    pub grant_id: Option<GrantId>,
    /// This one.
    pub id: Option<DeputationId>,
    /// Only those that are neither revoked nor over at this instant.
    pub not_over_at: Option<Instant>,
    /// Beyond this id.
    pub after: Option<DeputationId>,
}

/// Up to `max` deputations, oldest first.
///
/// # Errors
/// A fault of the database.
pub fn deputations(conn: &mut Conn, filter: &DeputationFilter, max: i64) -> Answer<Vec<Deputation>> {
    let rows: Vec<DeputationColumns> = both!(conn, c => {
        let mut query = deputations::table
            .inner_join(role_grants::table)
            .select((
                deputations::id,
                deputations::grant_id,
                deputations::principal_id,
                deputations::deputy_id,
                deputations::from_at,
                deputations::until_at,
                deputations::revoked_at,
                role_grants::role,
                role_grants::organisation_id,
                role_grants::area_id,
            ))
            .order(deputations::id)
            .limit(max)
            .into_boxed();
        if let Some(account_id) = &filter.account_id {
            query = query.filter(deputations::principal_id.eq(account_id).or(deputations::deputy_id.eq(account_id)));
        }
        if let Some(organisation_id) = &filter.organisation_id {
            query = query.filter(role_grants::organisation_id.eq(organisation_id));
        }
        if let Some(grant_id) = &filter.grant_id {
            query = query.filter(deputations::grant_id.eq(grant_id));
        }
        if let Some(id) = &filter.id {
            query = query.filter(deputations::id.eq(id));
        }
        if let Some(now) = filter.not_over_at {
            query = query.filter(deputations::revoked_at.is_null().and(deputations::until_at.gt(now.naive_utc())));
        }
        if let Some(after) = &filter.after {
            query = query.filter(deputations::id.gt(after));
        }
        query.load(c)
    })?;
    Ok(rows.into_iter().map(deputation_of).collect::<Result<_, _>>()?)
}

/// Roles that an account holds as a deputy at an instant: not revoked, within their time, of a grant that has not ended and
/// a principal who is still active.
///
/// # Errors
/// A fault of the database.
pub fn lent_to(conn: &mut Conn, account_id: &str, now: Instant) -> Answer<Vec<Grant>> {
    let now = now.naive_utc();
    let rows: Vec<(String, Option<OrganisationId>, Option<AreaId>, String)> = deputations::table
        .inner_join(role_grants::table)
        .inner_join(accounts::table.on(accounts::id.eq(deputations::principal_id)))
        .filter(deputations::deputy_id.eq(account_id))
        .filter(deputations::revoked_at.is_null())
        .filter(deputations::from_at.le(now))
        .filter(deputations::until_at.gt(now))
        .filter(role_grants::ended_at.is_null())
        .filter(accounts::state.eq("active"))
        .order(deputations::id)
        .select((
            role_grants::role,
            role_grants::organisation_id,
            role_grants::area_id,
            deputations::principal_id,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(role, organisation, area, principal)| {
            Ok(grant_of(&role, organisation, area)?.as_deputy_of(&principal))
        })
        .collect()
}

/// Writes a deputation.
///
/// # Errors
/// A fault of the database.
pub fn insert_deputation(tx: &mut Tx<'_>, new: &Deputation) -> Answer<()> {
    let appointed_at = tx.now().naive_utc();
    diesel::insert_into(deputations::table)
        .values((
            deputations::id.eq(&new.id),
            deputations::grant_id.eq(&new.grant_id),
            deputations::principal_id.eq(&new.principal_id),
            deputations::deputy_id.eq(&new.deputy_id),
            deputations::from_at.eq(new.period.from.naive_utc()),
            deputations::until_at.eq(new.period.until.naive_utc()),
            deputations::appointed_at.eq(appointed_at),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Revokes a deputation; tells whether there was something to revoke.
///
/// # Errors
/// A fault of the database.
pub fn revoke_deputation(tx: &mut Tx<'_>, id: &DeputationId, by: &str) -> Answer<bool> {
    let revoked_at = tx.now().naive_utc();
    let changed = diesel::update(
        deputations::table
            .find(id)
            .filter(deputations::revoked_at.is_null()),
    )
    .set((
        deputations::revoked_by.eq(by),
        deputations::revoked_at.eq(revoked_at),
    ))
    .execute(tx.conn())?;
    Ok(changed == 1)
}
