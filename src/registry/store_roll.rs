//! The tables of households and residents.

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{households, residents};
use crate::db::writer::Tx;
use crate::kernel::party::{AccountId, AreaId};
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::import_roll::Roll;
use crate::registry::rules_person::DwellingArea;
use crate::registry::rules_roll::{Household, HouseholdId, Person, Resident, ResidentId, State};

/// Rows of one statement: SQLite binds at most 32,766 values, PostgreSQL 65,535.
const ROWS_AT_ONCE: usize = 500;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = households, treat_none_as_default_value = false)]
pub(super) struct HouseholdRow {
    id: HouseholdId,
    area_id: AreaId,
    code: String,
    dwelling_area_dm2: Option<i64>,
    version: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

impl TryFrom<HouseholdRow> for Household {
    type Error = Fault;

    fn try_from(row: HouseholdRow) -> Result<Self, Fault> {
        let area =
            |dm2| DwellingArea::of_dm2(dm2).ok_or_else(|| Fault::broken("a dwelling area that is none"));
        Ok(Self {
            id: row.id,
            area_id: row.area_id,
            code: row.code,
            dwelling_area: row.dwelling_area_dm2.map(area).transpose()?,
            version: row.version,
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
        })
    }
}

impl From<&Household> for HouseholdRow {
    fn from(household: &Household) -> Self {
        Self {
            id: household.id.clone(),
            area_id: household.area_id.clone(),
            code: household.code.clone(),
            dwelling_area_dm2: household.dwelling_area.map(DwellingArea::dm2),
            version: household.version,
            created_at: household.created_at.naive_utc(),
            updated_at: household.updated_at.naive_utc(),
        }
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = residents, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct ResidentRow {
    id: ResidentId,
    area_id: AreaId,
    household_id: Option<HouseholdId>,
    name: Option<String>,
    birth_date: Option<NaiveDate>,
    is_owner: bool,
    phone: Option<String>,
    email: Option<String>,
    account_id: Option<AccountId>,
    state: String,
    entered_on: NaiveDate,
    left_on: Option<NaiveDate>,
    version: i64,
    created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
}

impl TryFrom<ResidentRow> for Resident {
    type Error = Fault;

    fn try_from(row: ResidentRow) -> Result<Self, Fault> {
        let state = State::named(&row.state)
            .ok_or_else(|| Fault::broken(format!("a resident in the state {}", row.state)))?;
        let person = match (row.household_id, row.name, row.birth_date) {
            (Some(household_id), Some(name), Some(birth_date)) => Some(Person {
                household_id,
                name,
                birth_date,
                is_owner: row.is_owner,
                phone: row.phone,
                email: row.email,
            }),
            (None, None, None) if state == State::Erased => None,
            _ => return Err(Fault::broken("a resident of whom half is there")),
        };
        Ok(Self {
            id: row.id,
            area_id: row.area_id,
            person,
            account_id: row.account_id,
            state,
            entered_on: row.entered_on,
            left_on: row.left_on,
            version: row.version,
            created_at: row.created_at.and_utc(),
            updated_at: row.updated_at.and_utc(),
        })
    }
}

impl From<&Resident> for ResidentRow {
    fn from(resident: &Resident) -> Self {
        let person = resident.person.as_ref();
        Self {
            id: resident.id.clone(),
            area_id: resident.area_id.clone(),
            household_id: person.map(|person| person.household_id.clone()),
            name: person.map(|person| person.name.clone()),
            birth_date: person.map(|person| person.birth_date),
            is_owner: person.is_some_and(|person| person.is_owner),
            phone: person.and_then(|person| person.phone.clone()),
            email: person.and_then(|person| person.email.clone()),
            account_id: resident.account_id.clone(),
            state: resident.state.name().to_owned(),
            entered_on: resident.entered_on,
            left_on: resident.left_on,
            version: resident.version,
            created_at: resident.created_at.naive_utc(),
            updated_at: resident.updated_at.naive_utc(),
        }
    }
}

/// The household of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn household(conn: &mut Conn, id: &HouseholdId) -> Answer<Option<Household>> {
    let row = households::table
        .find(id)
        .select(HouseholdRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Household::try_from).transpose()?)
}

/// The household of that code in a community, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn household_of_code(conn: &mut Conn, area_id: &AreaId, code: &str) -> Answer<Option<Household>> {
    let row = households::table
        .filter(households::area_id.eq(area_id).and(households::code.eq(code)))
        .select(HouseholdRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Household::try_from).transpose()?)
}

/// Adds households.
///
/// # Errors
/// A fault of the database.
pub fn insert_households(tx: &mut Tx<'_>, added: &[Household]) -> Answer<()> {
    let rows: Vec<HouseholdRow> = added.iter().map(HouseholdRow::from).collect();
    for some in rows.chunks(ROWS_AT_ONCE) {
        both!(tx.conn(), c => diesel::insert_into(households::table).values(some).execute(c))?;
    }
    Ok(())
}

/// Saves a changed household over the version before it.
///
/// # Errors
/// A fault of the database, or if that version is not there any more.
pub fn update_household(tx: &mut Tx<'_>, household: &Household) -> Answer<()> {
    let before = household.version.saturating_sub(1);
    let changed = diesel::update(
        households::table
            .find(&household.id)
            .filter(households::version.eq(before)),
    )
    .set((
        households::code.eq(&household.code),
        households::dwelling_area_dm2.eq(household.dwelling_area.map(DwellingArea::dm2)),
        households::version.eq(household.version),
        households::updated_at.eq(household.updated_at.naive_utc()),
    ))
    .execute(tx.conn())?;
    one(changed, "households")
}

/// The resident of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn resident(conn: &mut Conn, id: &ResidentId) -> Answer<Option<Resident>> {
    let row = residents::table
        .find(id)
        .select(ResidentRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Resident::try_from).transpose()?)
}

/// Whether somebody else of this name and date of birth is on the roll of the household.
///
/// # Errors
/// A fault of the database.
pub fn is_known(conn: &mut Conn, person: &Person, except: Option<&ResidentId>) -> Answer<bool> {
    let found: Vec<ResidentId> = residents::table
        .filter(residents::household_id.eq(&person.household_id))
        .filter(residents::state.eq(State::Active.name()))
        .filter(residents::name.eq(&person.name))
        .filter(residents::birth_date.eq(person.birth_date))
        .select(residents::id)
        .load(conn)?;
    Ok(found.iter().any(|id| Some(id) != except))
}

/// How many are on the roll of a community.
///
/// # Errors
/// A fault of the database.
pub fn residents_count(conn: &mut Conn, area_id: &AreaId) -> Answer<i64> {
    Ok(residents::table
        .filter(residents::area_id.eq(area_id))
        .filter(residents::state.eq(State::Active.name()))
        .count()
        .get_result(conn)?)
}

/// The residents of an account: its own person in each community.
///
/// # Errors
/// A fault of the database.
pub fn residents_of_account(conn: &mut Conn, account_id: &AccountId) -> Answer<Vec<Resident>> {
    let rows: Vec<ResidentRow> = residents::table
        .filter(residents::account_id.eq(account_id))
        .order(residents::id)
        .select(ResidentRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(Resident::try_from)
        .collect::<Result<_, _>>()?)
}

/// The whole roll of a community as it stands.
///
/// # Errors
/// A fault of the database.
pub fn roll(conn: &mut Conn, area_id: &AreaId) -> Answer<Roll> {
    let of_households: Vec<HouseholdRow> = households::table
        .filter(households::area_id.eq(area_id))
        .order(households::id)
        .select(HouseholdRow::as_select())
        .load(conn)?;
    let of_residents: Vec<ResidentRow> = residents::table
        .filter(residents::area_id.eq(area_id))
        .filter(residents::state.eq(State::Active.name()))
        .order(residents::id)
        .select(ResidentRow::as_select())
        .load(conn)?;
    Ok(Roll {
        households: of_households
            .into_iter()
            .map(Household::try_from)
            .collect::<Result<_, _>>()?,
        residents: of_residents
            .into_iter()
            .map(Resident::try_from)
            .collect::<Result<_, _>>()?,
    })
}

/// The households of a community by their codes.
///
/// # Errors
/// A fault of the database.
pub fn household_ids(conn: &mut Conn, area_id: &AreaId) -> Answer<HashMap<String, HouseholdId>> {
    let rows: Vec<(String, HouseholdId)> = households::table
        .filter(households::area_id.eq(area_id))
        .select((households::code, households::id))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// Adds residents.
///
/// # Errors
/// A fault of the database.
pub fn insert_residents(tx: &mut Tx<'_>, entered: &[Resident]) -> Answer<()> {
    let rows: Vec<ResidentRow> = entered.iter().map(ResidentRow::from).collect();
    for some in rows.chunks(ROWS_AT_ONCE) {
        both!(tx.conn(), c => diesel::insert_into(residents::table).values(some).execute(c))?;
    }
    Ok(())
}

/// Saves a changed resident over the version before it.
///
/// # Errors
/// A fault of the database, or if that version is not there any more.
pub fn update_resident(tx: &mut Tx<'_>, resident: &Resident) -> Answer<()> {
    let before = resident.version.saturating_sub(1);
    let changed = diesel::update(
        residents::table
            .find(&resident.id)
            .filter(residents::version.eq(before)),
    )
    .set(ResidentRow::from(resident))
    .execute(tx.conn())?;
    one(changed, "residents")
}

fn one(changed: usize, what: &str) -> Answer<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} {what} updated instead of one")).into())
    }
}
