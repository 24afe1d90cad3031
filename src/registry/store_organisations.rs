//! The tables of organisations: one row for what an organisation is now, and one for each of its versions.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{accounts, areas, debarments, organisation_versions, organisations, role_grants};
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::rules_credit_code::CreditCode;
use crate::registry::rules_organisations::{
    Organisation, OrganisationKind, Particulars, State, Verification, Version, size_class,
};
use crate::registry::rules_size::{Industry, SizeClass, SizeDeclaration, SizeFacts};
use crate::registry::store::{after_subtree, area, contains, lower};
use crate::web::policy::Role;

#[derive(Queryable, Selectable)]
#[diesel(table_name = organisations)]
struct OrganisationRow {
    id: OrganisationId,
    kind: String,
    registered_by: Option<String>,
    public_at: Option<NaiveDateTime>,
    created_at: NaiveDateTime,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = organisation_versions)]
struct VersionRow {
    organisation_id: OrganisationId,
    version: i64,
    state: String,
    name_zh: String,
    name_en: String,
    credit_code: Option<String>,
    area_id: Option<AreaId>,
    legal_representative: Option<String>,
    contact_name: Option<String>,
    phone: Option<String>,
    mail: Option<String>,
    address: Option<String>,
    member_count: Option<i64>,
    size_class: Option<String>,
    size_derived: Option<bool>,
    size_industry: Option<String>,
    size_employees: Option<i64>,
    size_revenue_fen: Option<i64>,
    size_assets_fen: Option<i64>,
    size_declared_at: Option<NaiveDateTime>,
    size_declared_by: Option<String>,
    verified_by: Option<String>,
    verified_at: Option<NaiveDateTime>,
    evidence: Option<String>,
    note: Option<String>,
    changed_by: String,
    changed_at: NaiveDateTime,
}

fn known<T>(found: Option<T>, what: &str, name: &str) -> Result<T, Fault> {
    found.ok_or_else(|| Fault::broken(format!("an organisation whose {what} is {name}")))
}

fn money(fen: Option<i64>) -> Result<Option<Money>, Fault> {
    fen.map(Money::from_fen)
        .transpose()
        .map_err(|error| Fault::caused("read a company's figures", error))
}

impl VersionRow {
    fn size(&self) -> Result<Option<SizeDeclaration>, Fault> {
        let (Some(industry), Some(class), Some(declared_at), Some(declared_by)) = (
            &self.size_industry,
            &self.size_class,
            self.size_declared_at,
            &self.size_declared_by,
        ) else {
            return Ok(None);
        };
        Ok(Some(SizeDeclaration {
            class: known(SizeClass::named(class), "size", class)?,
            derived: self.size_derived.unwrap_or_default(),
            facts: SizeFacts {
                industry: known(Industry::named(industry), "industry", industry)?,
                employees: self.size_employees,
                revenue: money(self.size_revenue_fen)?,
                assets: money(self.size_assets_fen)?,
            },
            declared_at: declared_at.and_utc(),
            declared_by: declared_by.clone(),
        }))
    }

    fn of(organisation: &Organisation) -> Self {
        let (current, particulars) = (&organisation.current, &organisation.current.particulars);
        let size = particulars.size.as_ref();
        let verification = current.verification.as_ref();
        let fen = |amount: Option<Money>| amount.map(Money::fen);
        Self {
            organisation_id: organisation.id.clone(),
            version: current.version,
            state: current.state.name().to_owned(),
            name_zh: particulars.name_zh.clone(),
            name_en: particulars.name_en.clone(),
            credit_code: particulars.credit_code.as_ref().map(CreditCode::to_string),
            area_id: particulars.area_id.clone(),
            legal_representative: particulars.legal_representative.clone(),
            contact_name: particulars.contact_name.clone(),
            phone: particulars.phone.clone(),
            mail: particulars.mail.clone(),
            address: particulars.address.clone(),
            member_count: particulars.member_count,
            size_class: size_class(organisation.kind, particulars).map(|class| class.name().to_owned()),
            size_derived: size.map(|size| size.derived),
            size_industry: size.map(|size| size.facts.industry.name().to_owned()),
            size_employees: size.and_then(|size| size.facts.employees),
            size_revenue_fen: fen(size.and_then(|size| size.facts.revenue)),
            size_assets_fen: fen(size.and_then(|size| size.facts.assets)),
            size_declared_at: size.map(|size| size.declared_at.naive_utc()),
            size_declared_by: size.map(|size| size.declared_by.clone()),
            verified_by: verification.map(|verification| verification.by.clone()),
            verified_at: verification.map(|verification| verification.at.naive_utc()),
            evidence: verification.map(|verification| verification.evidence.clone()),
            note: current.note.clone(),
            changed_by: current.changed_by.clone(),
            changed_at: current.changed_at.naive_utc(),
        }
    }
}

impl TryFrom<VersionRow> for Version {
    type Error = Fault;

    fn try_from(row: VersionRow) -> Result<Self, Fault> {
        let size = row.size()?;
        let credit_code = row
            .credit_code
            .map(|code| {
                code.parse()
                    .map_err(|error| Fault::caused("read a credit code", error))
            })
            .transpose()?;
        let verification = match (row.verified_by, row.verified_at) {
            (Some(by), Some(at)) => Some(Verification {
                by,
                at: at.and_utc(),
                evidence: row.evidence.unwrap_or_default(),
            }),
            _ => None,
        };
        Ok(Self {
            version: row.version,
            state: known(State::named(&row.state), "state", &row.state)?,
            particulars: Particulars {
                name_zh: row.name_zh,
                name_en: row.name_en,
                credit_code,
                area_id: row.area_id,
                legal_representative: row.legal_representative,
                contact_name: row.contact_name,
                phone: row.phone,
                mail: row.mail,
                address: row.address,
                member_count: row.member_count,
                size,
            },
            verification,
            note: row.note,
            changed_by: row.changed_by,
            changed_at: row.changed_at.and_utc(),
        })
    }
}

fn assembled((organisation, version): (OrganisationRow, VersionRow)) -> Result<Organisation, Fault> {
    Ok(Organisation {
        kind: known(
            OrganisationKind::named(&organisation.kind),
            "kind",
            &organisation.kind,
        )?,
        id: organisation.id,
        registered_by: organisation.registered_by,
        public_at: organisation.public_at.map(|at| at.and_utc()),
        created_at: organisation.created_at.and_utc(),
        current: version.try_into()?,
    })
}

/// Suppliers with one person in charge that are looked for at most.
const LED_MAX: i64 = 20;

/// The newest version of an organisation's row.
macro_rules! with_current {
    () => {
        organisations::table.inner_join(
            organisation_versions::table.on(organisation_versions::organisation_id
                .eq(organisations::id)
                .and(organisation_versions::version.eq(organisations::version))),
        )
    };
}

/// The organisation of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn organisation(conn: &mut Conn, id: &OrganisationId) -> Answer<Option<Organisation>> {
    let found: Option<(OrganisationRow, VersionRow)> = with_current!()
        .filter(organisations::id.eq(id))
        .select((OrganisationRow::as_select(), VersionRow::as_select()))
        .first(conn)
        .optional()?;
    Ok(found.map(assembled).transpose()?)
}

/// What sort of organisation it is and how far it has come, without its particulars.
///
/// # Errors
/// A fault of the database.
pub fn standing(conn: &mut Conn, id: &OrganisationId) -> Answer<Option<(OrganisationKind, State)>> {
    let row: Option<(String, String)> = organisations::table
        .find(id)
        .select((organisations::kind, organisations::state))
        .first(conn)
        .optional()?;
    let read = |(kind, state): (String, String)| {
        OrganisationKind::named(&kind)
            .zip(State::named(&state))
            .ok_or_else(|| Fault::broken(format!("an organisation that is {kind} and {state}")))
    };
    Ok(row.map(read).transpose()?)
}

/// Suppliers that everyone knows of and that this person is in charge of, other than this one; at most [`LED_MAX`].
///
/// # Errors
/// A fault of the database.
pub fn led_by(conn: &mut Conn, person: &str, except: &OrganisationId) -> Answer<Vec<OrganisationId>> {
    Ok(with_current!()
        .filter(organisation_versions::legal_representative.eq(person))
        .filter(organisations::public_at.is_not_null())
        .filter(organisations::id.ne(except))
        .order(organisations::id)
        .limit(LED_MAX)
        .select(organisations::id)
        .load(conn)?)
}

/// The supplier that everyone knows of and that has this credit code, other than this one.
///
/// # Errors
/// A fault of the database.
pub fn public_of_code(
    conn: &mut Conn,
    code: &str,
    except: &OrganisationId,
) -> Answer<Option<OrganisationId>> {
    Ok(organisations::table
        .filter(organisations::credit_code.eq(code))
        .filter(organisations::public_at.is_not_null())
        .filter(organisations::id.ne(except))
        .select(organisations::id)
        .first(conn)
        .optional()?)
}

/// Up to `max` versions of an organisation below `before`, newest first.
///
/// # Errors
/// A fault of the database.
pub fn versions(conn: &mut Conn, id: &OrganisationId, before: Option<i64>, max: i64) -> Answer<Vec<Version>> {
    let rows: Vec<VersionRow> = organisation_versions::table
        .filter(organisation_versions::organisation_id.eq(id))
        .filter(organisation_versions::version.lt(before.unwrap_or(i64::MAX)))
        .order(organisation_versions::version.desc())
        .limit(max)
        .select(VersionRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(Version::try_from)
        .collect::<Result<_, _>>()?)
}

/// One version of an organisation.
///
/// # Errors
/// A fault of the database.
pub fn version(conn: &mut Conn, id: &OrganisationId, version: i64) -> Answer<Option<Version>> {
    let row: Option<VersionRow> = organisation_versions::table
        .find((id, version))
        .select(VersionRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Version::try_from).transpose()?)
}

/// True if a public organisation other than `except` has the credit code.
///
/// # Errors
/// A fault of the database.
pub fn credit_code_taken(conn: &mut Conn, code: &CreditCode, except: &OrganisationId) -> Answer<bool> {
    let holders: Vec<OrganisationId> = organisations::table
        .filter(organisations::credit_code.eq(code.as_str()))
        .select(organisations::id)
        .load(conn)?;
    Ok(holders.iter().any(|id| id != except))
}

/// How many registrations of an account nobody but itself and the platform knows of.
///
/// # Errors
/// A fault of the database.
pub fn open_registrations(conn: &mut Conn, account: &str) -> Answer<i64> {
    let open = [State::Registered.name(), State::Refused.name()];
    Ok(organisations::table
        .filter(organisations::registered_by.eq(account))
        .filter(organisations::public_at.is_null())
        .filter(organisations::state.eq_any(open))
        .count()
        .get_result(conn)?)
}

/// The credit code that is held back from others: that of a public organisation.
fn held_code(organisation: &Organisation) -> Option<&str> {
    let code = organisation.current.particulars.credit_code.as_ref();
    code.filter(|_| organisation.public_at.is_some())
        .map(CreditCode::as_str)
}

/// Adds an organisation with its first version.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, organisation: &Organisation) -> Answer<()> {
    let (current, particulars) = (&organisation.current, &organisation.current.particulars);
    diesel::insert_into(organisations::table)
        .values((
            organisations::id.eq(&organisation.id),
            organisations::kind.eq(organisation.kind.name()),
            organisations::name_zh.eq(&particulars.name_zh),
            organisations::name_en.eq(&particulars.name_en),
            organisations::credit_code.eq(held_code(organisation)),
            organisations::area_id.eq(&particulars.area_id),
            organisations::state.eq(current.state.name()),
            organisations::version.eq(current.version),
            organisations::created_at.eq(organisation.created_at.naive_utc()),
            organisations::updated_at.eq(current.changed_at.naive_utc()),
            organisations::registered_by.eq(&organisation.registered_by),
            organisations::public_at.eq(organisation.public_at.map(|at| at.naive_utc())),
        ))
        .execute(tx.conn())?;
    insert_version(tx, organisation)
}

/// Saves a changed organisation over the version before it, and its new version beside the old ones.
///
/// # Errors
/// A fault of the database, or if that version is not the newest any more.
pub fn update(tx: &mut Tx<'_>, organisation: &Organisation) -> Answer<()> {
    let (current, particulars) = (&organisation.current, &organisation.current.particulars);
    let before = current.version.saturating_sub(1);
    let changed = diesel::update(
        organisations::table
            .find(&organisation.id)
            .filter(organisations::version.eq(before)),
    )
    .set((
        organisations::name_zh.eq(&particulars.name_zh),
        organisations::name_en.eq(&particulars.name_en),
        organisations::credit_code.eq(held_code(organisation)),
        organisations::area_id.eq(&particulars.area_id),
        organisations::state.eq(current.state.name()),
        organisations::version.eq(current.version),
        organisations::updated_at.eq(current.changed_at.naive_utc()),
        organisations::public_at.eq(organisation.public_at.map(|at| at.naive_utc())),
    ))
    .execute(tx.conn())?;
    if changed != 1 {
        return Err(Fault::broken(format!("{changed} organisations updated instead of one")).into());
    }
    insert_version(tx, organisation)
}

fn insert_version(tx: &mut Tx<'_>, organisation: &Organisation) -> Answer<()> {
    diesel::insert_into(organisation_versions::table)
        .values(VersionRow::of(organisation))
        .execute(tx.conn())?;
    Ok(())
}

/// Lets an account give and take the roles of an organisation, unless it may do so already or there is no such account in use;
/// tells whether it did. Whoever registered an organisation is its first administrator: somebody must be.
///
/// # Errors
/// A fault of the database.
pub fn grant_administration(
    tx: &mut Tx<'_>,
    id: &str,
    account: &str,
    organisation: &OrganisationId,
    granted_by: &str,
) -> Answer<bool> {
    let in_use: Option<String> = accounts::table
        .find(account)
        .filter(accounts::state.eq("active"))
        .select(accounts::id)
        .first(tx.conn())
        .optional()?;
    let held: Vec<String> = role_grants::table
        .filter(role_grants::organisation_id.eq(organisation))
        .filter(role_grants::account_id.eq(account))
        .filter(role_grants::role.eq(Role::OrganisationAdmin.name()))
        .filter(role_grants::ended_at.is_null())
        .select(role_grants::id)
        .load(tx.conn())?;
    if in_use.is_none() || !held.is_empty() {
        return Ok(false);
    }
    let granted_at = tx.now().naive_utc();
    diesel::insert_into(role_grants::table)
        .values((
            role_grants::id.eq(id),
            role_grants::account_id.eq(account),
            role_grants::role.eq(Role::OrganisationAdmin.name()),
            role_grants::organisation_id.eq(organisation),
            role_grants::granted_by.eq(granted_by),
            role_grants::granted_at.eq(granted_at),
        ))
        .execute(tx.conn())?;
    Ok(true)
}

/// In which order organisations are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OrganisationSort)]
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

pub use crate::registry::store::SortKey;

/// Whose list it is: decides whether organisations that are not public are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Nobody in particular.
    Everyone,
    /// An account, which also sees what it registered itself.
    Account(String),
    /// Whoever may open every organisation.
    Platform,
}

/// Which organisations are listed.
#[derive(Clone, Debug)]
pub struct OrganisationFilter {
    /// For whom.
    pub audience: Audience,
    /// Of this kind.
    pub kind: Option<OrganisationKind>,
    /// At home in this area or one below it.
    pub within: Option<AreaId>,
    /// In this state.
    pub state: Option<State>,
    /// With this text in a name, or with this credit code.
    pub text: Option<String>,
    /// Debarred on that day, or not.
    pub debarred: Option<(bool, NaiveDate)>,
    /// The order.
    pub sort: Sort,
    /// The sort key and id of the last one on the page before.
    pub after: Option<(SortKey, String)>,
}

/// Up to `max` organisations.
///
/// # Errors
/// A fault of the database.
pub fn organisations(conn: &mut Conn, filter: &OrganisationFilter, max: i64) -> Answer<Vec<Organisation>> {
    let within = match &filter.within {
        Some(id) => match area(conn, id)? {
            Some(root) => Some(root.path),
            None => return Ok(Vec::new()),
        },
        None => None,
    };
    let rows: Vec<(OrganisationRow, VersionRow)> = both!(conn, c => {
        let mut query = with_current!()
            .select((OrganisationRow::as_select(), VersionRow::as_select()))
            .limit(max)
            .into_boxed();
        query = match &filter.audience {
            Audience::Everyone => query.filter(organisations::public_at.is_not_null()),
            Audience::Account(id) => {
                query.filter(organisations::public_at.is_not_null().or(organisations::registered_by.eq(id.clone())))
            }
            Audience::Platform => query,
        };
        if let Some(kind) = filter.kind {
            query = query.filter(organisations::kind.eq(kind.name()));
        }
        if let Some(path) = &within {
            let there = areas::table
                .filter(areas::path.ge(path.clone()).and(areas::path.lt(after_subtree(path))))
                .select(areas::id.nullable());
            query = query.filter(organisations::area_id.eq_any(there));
        }
        if let Some(state) = filter.state {
            query = query.filter(organisations::state.eq(state.name()));
        }
        if let Some(text) = &filter.text {
            let pattern = contains(text);
            query = query.filter(
                lower(organisations::name_zh).like(pattern.clone()).escape('\\')
                    .or(lower(organisations::name_en).like(pattern).escape('\\'))
                    .or(organisation_versions::credit_code.eq(text.clone())),
            );
        }
        if let Some((debarred, day)) = filter.debarred {
            let out = debarments::table
                .filter(debarments::from_date.le(day).and(debarments::until_date.ge(day)))
                .filter(debarments::lifted_on.is_null().or(debarments::lifted_on.gt(day)))
                .select(debarments::organisation_id);
            query = if debarred {
                query.filter(organisations::id.eq_any(out))
            } else {
                query.filter(organisations::id.ne_all(out))
            };
        }
        query = match &filter.after {
            Some((SortKey::Name(name), id)) if filter.sort == Sort::Name => {
                query.filter(organisations::name_zh.gt(name).or(organisations::name_zh.eq(name).and(organisations::id.gt(id))))
            }
            Some((SortKey::Name(name), id)) => {
                query.filter(organisations::name_zh.lt(name).or(organisations::name_zh.eq(name).and(organisations::id.lt(id))))
            }
            Some((SortKey::At(at), id)) if filter.sort == Sort::Created => {
                query.filter(organisations::created_at.gt(at).or(organisations::created_at.eq(at).and(organisations::id.gt(id))))
            }
            Some((SortKey::At(at), id)) => {
                query.filter(organisations::created_at.lt(at).or(organisations::created_at.eq(at).and(organisations::id.lt(id))))
            }
            None => query,
        };
        match filter.sort {
            Sort::Name => query.order((organisations::name_zh.asc(), organisations::id.asc())).load(c),
            Sort::NameDown => query.order((organisations::name_zh.desc(), organisations::id.desc())).load(c),
            Sort::Created => query.order((organisations::created_at.asc(), organisations::id.asc())).load(c),
            Sort::CreatedDown => query.order((organisations::created_at.desc(), organisations::id.desc())).load(c),
        }
    })?;
    Ok(rows.into_iter().map(assembled).collect::<Result<_, _>>()?)
}
