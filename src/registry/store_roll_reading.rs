//! The roll as its registrar reads it, page by page, and as it is counted.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text as SqlText};
use serde::Serialize;
use utoipa::ToSchema;

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::{households, invitation_letters, residents};
use crate::kernel::clock::Instant;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::Answer;
use crate::registry::rules_person::born_by;
use crate::registry::rules_roll::{Household, HouseholdId, Resident, ResidentId, State};
use crate::registry::rules_roll_statistics::{AGES_FROM, Counts};
use crate::registry::store_roll::{HouseholdRow, ResidentRow};

/// A resident with their household, and until when a letter of theirs is good.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The resident.
    pub resident: Resident,
    /// Their household; none once they are erased.
    pub household: Option<Household>,
    /// Until when the letter that was last printed for them can be used, UTC.
    pub letter_expires_at: Option<Instant>,
}

type Row = (ResidentRow, Option<HouseholdRow>, Option<NaiveDateTime>);

fn listed((resident, household, expires_at): Row) -> Answer<Listed> {
    Ok(Listed {
        resident: resident.try_into()?,
        household: household.map(Household::try_from).transpose()?,
        letter_expires_at: expires_at.map(|at| at.and_utc()),
    })
}

/// In which order residents are listed. No cursor holds what they are sorted by, because that is personal: it holds the id of the
/// last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ResidentSort)]
pub enum Sort {
    /// By the household's code, in the order of Unicode.
    #[serde(rename = "household")]
    Household,
    /// The other way round.
    #[serde(rename = "-household")]
    HouseholdDown,
    /// By name, in the order of Unicode.
    #[serde(rename = "name")]
    Name,
    /// The other way round.
    #[serde(rename = "-name")]
    NameDown,
    /// Whoever was entered first.
    #[serde(rename = "entered")]
    Entered,
    /// Whoever was entered last.
    #[serde(rename = "-entered")]
    EnteredDown,
}

/// Which residents are listed.
#[derive(Clone)]
pub struct ResidentFilter {
    /// Of this community.
    pub area_id: AreaId,
    /// Of this household.
    pub household_id: Option<HouseholdId>,
    /// In this state.
    pub state: State,
    /// With this text in the name or the household's code; Latin letters in either case.
    pub text: Option<String>,
    /// The order.
    pub sort: Sort,
    /// The last resident on the page before.
    pub after: Option<ResidentId>,
}

diesel::define_sql_function! {
    /// Latin letters in lower case, on both databases alike.
    fn lower(text: SqlText) -> SqlText;
}
diesel::define_sql_function! {
    /// The text, or another one where there is none.
    fn coalesce(text: Nullable<SqlText>, otherwise: SqlText) -> SqlText;
}

/// One resident, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn one(conn: &mut Conn, id: &ResidentId) -> Answer<Option<Listed>> {
    let row: Option<Row> = residents::table
        .left_join(households::table)
        .left_join(invitation_letters::table)
        .filter(residents::id.eq(id))
        .select((
            ResidentRow::as_select(),
            Option::<HouseholdRow>::as_select(),
            invitation_letters::expires_at.nullable(),
        ))
        .first(conn)
        .optional()?;
    row.map(listed).transpose()
}

/// Up to `max` residents.
///
/// # Errors
/// A fault of the database.
pub fn residents(conn: &mut Conn, filter: &ResidentFilter, max: i64) -> Answer<Vec<Listed>> {
    let after = match &filter.after {
        Some(id) => Some((id, key(conn, id, filter.sort)?)),
        None => None,
    };
    // A boxed query is of one backend, hence the match.
    let rows: Vec<Row> = both!(conn, c => {
        let code = || coalesce(households::code.nullable(), "");
        let name = || coalesce(residents::name, "");
        let mut query = residents::table
            .left_join(households::table)
            .left_join(invitation_letters::table)
            .filter(residents::area_id.eq(&filter.area_id))
            .filter(residents::state.eq(filter.state.name()))
            .select((ResidentRow::as_select(), Option::<HouseholdRow>::as_select(), invitation_letters::expires_at.nullable()))
            .limit(max)
            .into_boxed();
        if let Some(household_id) = &filter.household_id {
            query = query.filter(residents::household_id.eq(household_id));
        }
        if let Some(text) = &filter.text {
            let pattern = contains(text);
            query = query.filter(
                lower(name()).like(pattern.clone()).escape('\\').or(lower(code()).like(pattern).escape('\\')),
            );
        }
        query = match (filter.sort, after) {
            (Sort::Household, Some((id, key))) => query.filter(code().gt(key.clone()).or(code().eq(key).and(residents::id.gt(id)))),
            (Sort::HouseholdDown, Some((id, key))) => query.filter(code().lt(key.clone()).or(code().eq(key).and(residents::id.lt(id)))),
            (Sort::Name, Some((id, key))) => query.filter(name().gt(key.clone()).or(name().eq(key).and(residents::id.gt(id)))),
            (Sort::NameDown, Some((id, key))) => query.filter(name().lt(key.clone()).or(name().eq(key).and(residents::id.lt(id)))),
            (Sort::Entered, Some((id, _))) => query.filter(residents::id.gt(id)),
            (Sort::EnteredDown, Some((id, _))) => query.filter(residents::id.lt(id)),
            (_, None) => query,
        };
        match filter.sort {
            Sort::Household => query.order((code().asc(), residents::id.asc())).load(c),
            Sort::HouseholdDown => query.order((code().desc(), residents::id.desc())).load(c),
            Sort::Name => query.order((name().asc(), residents::id.asc())).load(c),
            Sort::NameDown => query.order((name().desc(), residents::id.desc())).load(c),
            Sort::Entered => query.order(residents::id.asc()).load(c),
            Sort::EnteredDown => query.order(residents::id.desc()).load(c),
        }
    })?;
    rows.into_iter().map(listed).collect()
}

/// What a resident is sorted by at present. Whoever was renamed between two pages may be seen twice or not at all.
fn key(conn: &mut Conn, id: &ResidentId, sort: Sort) -> Answer<String> {
    let found = one(conn, id)?;
    let person = found
        .as_ref()
        .and_then(|found| found.resident.person.as_ref())
        .map(|person| person.name.clone());
    let household = found
        .as_ref()
        .and_then(|found| found.household.as_ref())
        .map(|household| household.code.clone());
    Ok(match sort {
        Sort::Household | Sort::HouseholdDown => household.unwrap_or_default(),
        Sort::Name | Sort::NameDown => person.unwrap_or_default(),
        Sort::Entered | Sort::EnteredDown => String::new(),
    })
}

/// A LIKE pattern for "has this text in it".
fn contains(text: &str) -> String {
    let escaped = text
        .to_ascii_lowercase()
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!("%{escaped}%")
}

/// How many are on the roll of a community on a day, by what a ballot needs to know of them.
///
/// # Errors
/// A fault of the database.
pub fn counts(conn: &mut Conn, area_id: &AreaId, today: NaiveDate) -> Answer<Counts> {
    let mut counts = Counts {
        residents: in_state(conn, area_id, State::Active)?,
        moved_away: in_state(conn, area_id, State::MovedAway)?,
        deceased: in_state(conn, area_id, State::Deceased)?,
        erased: in_state(conn, area_id, State::Erased)?,
        ..Counts::default()
    };
    for age in AGES_FROM {
        let at_least: i64 = residents::table
            .filter(residents::area_id.eq(area_id))
            .filter(residents::state.eq(State::Active.name()))
            .filter(residents::birth_date.le(born_by(today, age)))
            .count()
            .get_result(conn)?;
        counts.at_least.push(at_least);
    }
    counts.owners = residents::table
        .filter(residents::area_id.eq(area_id))
        .filter(residents::state.eq(State::Active.name()))
        .filter(residents::is_owner.eq(true))
        .count()
        .get_result(conn)?;
    counts.with_account = residents::table
        .filter(residents::area_id.eq(area_id))
        .filter(residents::state.eq(State::Active.name()))
        .filter(residents::account_id.is_not_null())
        .count()
        .get_result(conn)?;
    let lived_in = exists(
        residents::table
            .filter(residents::household_id.eq(households::id.nullable()))
            .filter(residents::state.eq(State::Active.name())),
    );
    counts.households = households::table
        .filter(households::area_id.eq(area_id))
        .filter(lived_in)
        .count()
        .get_result(conn)?;
    counts.households_of_known_area = households::table
        .filter(households::area_id.eq(area_id))
        .filter(households::dwelling_area_dm2.is_not_null())
        .filter(lived_in)
        .count()
        .get_result(conn)?;
    // A sum of whole numbers is a decimal to PostgreSQL, and diesel has no name for that which both databases share.
    let sum: Option<i64> = households::table
        .filter(households::area_id.eq(area_id))
        .filter(lived_in)
        .select(sql::<Nullable<BigInt>>("CAST(SUM(dwelling_area_dm2) AS BIGINT)"))
        .first(conn)?;
    counts.dwelling_area_dm2 = sum.unwrap_or_default();
    Ok(counts)
}

fn in_state(conn: &mut Conn, area_id: &AreaId, state: State) -> Answer<i64> {
    Ok(residents::table
        .filter(residents::area_id.eq(area_id))
        .filter(residents::state.eq(state.name()))
        .count()
        .get_result(conn)?)
}
