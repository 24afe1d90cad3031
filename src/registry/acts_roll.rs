//! What is done to a community's roll: each function is one transaction's worth of work, permission first, event last. Events say
//! that something was done, to which id and how often; neither their public nor their private part holds anything personal,
//! because auditors open private parts and are not to read the roll.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::local_day::local_date;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::rules::Area;
use crate::registry::rules_person::DwellingArea;
use crate::registry::rules_roll::{
    self as rules, DepartureReason, Details, Entry, ErasureReason, HOUSEHOLD_CODE_TAKEN, Household,
    HouseholdId, Person, RESIDENT_KNOWN, RESIDENTS_MAX, ROLL_FULL, Resident, ResidentId, State,
};
use crate::registry::{store, store_letters, store_roll};
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::{INVALID, NOT_FOUND};

/// Somebody to enter.
#[derive(Clone)]
pub struct EnterResident {
    /// The community.
    pub area_id: AreaId,
    /// Their details.
    pub entry: Entry,
}

/// Other details of a resident; what is `None` stays as it is.
#[derive(Clone)]
pub struct ChangeResident {
    /// Which resident.
    pub id: ResidentId,
    /// Which version of them.
    pub expected: Expected,
    /// The code of another household; it is added if it is not there.
    pub household: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Date of birth.
    pub birth_date: Option<String>,
    /// Whether they own the dwelling.
    pub is_owner: Option<bool>,
    /// Telephone number; `Some(None)` takes it away.
    pub phone: Option<Option<String>>,
    /// Mail address; `Some(None)` takes it away.
    pub email: Option<Option<String>>,
}

/// A resident who leaves.
#[derive(Clone, Debug)]
pub struct DepartResident {
    /// Which resident.
    pub id: ResidentId,
    /// Which version of them.
    pub expected: Expected,
    /// Why.
    pub reason: DepartureReason,
    /// When; today if it is not said.
    pub on: Option<NaiveDate>,
}

/// Another code or dwelling area of a household; what is `None` stays as it is.
#[derive(Clone)]
pub struct ChangeHousehold {
    /// Which household.
    pub id: HouseholdId,
    /// Which version of it.
    pub expected: Expected,
    /// Its code.
    pub code: Option<String>,
    /// Its dwelling area, square metres; `Some(None)` when it is not known after all.
    pub dwelling_area_m2: Option<Option<String>>,
}

/// The community, if the actor may do this with its roll. Whoever may do it with no roll at all is told so; to everybody else a roll
/// that is not theirs is not there.
///
/// # Errors
/// Permission; not found.
pub fn community(conn: &mut Conn, actor: &Actor, action: Action, id: &AreaId) -> Answer<Area> {
    policy::allow_at_all(actor, action)?;
    let area = store::area(conn, id)?
        .filter(rules::has_roll)
        .filter(|area| policy::allows(actor, action, Matter::of_area(&area.path)));
    Ok(area.ok_or_else(|| NOT_FOUND.refuse())?)
}

/// Enters somebody on a community's roll, from today on. Their household is added if it is not there.
///
/// # Errors
/// Permission; not found; every fault of the entry; `dwelling_area_differs`; `resident_known`; `roll_full`.
pub fn enter(tx: &mut Tx<'_>, actor: &Actor, zone: Tz, command: &EnterResident) -> Answer<Resident> {
    let area = community(tx.conn(), actor, Action::ChangeRoll, &command.area_id)?;
    let today = local_date(tx.now(), zone);
    let details = rules::details(&command.entry, today)?;
    let known = store_roll::residents_count(tx.conn(), &area.id)?;
    if usize::try_from(known).unwrap_or(usize::MAX) >= RESIDENTS_MAX {
        return Err(ROLL_FULL.refuse().into());
    }
    let person = in_household(tx, &area.id, details)?;
    if store_roll::is_known(tx.conn(), &person, None)? {
        return Err(RESIDENT_KNOWN.refuse().at("/name").into());
    }
    let resident = rules::enter(ResidentId::mint(tx.now()), area.id, person, today, tx.now());
    store_roll::insert_residents(tx, std::slice::from_ref(&resident))?;
    audit::store::append(tx, actor, &event("resident.entered", &resident, Value::Null))?;
    Ok(resident)
}

/// The person in the household that their details name.
fn in_household(tx: &mut Tx<'_>, area_id: &AreaId, details: Details) -> Answer<Person> {
    let now = tx.now();
    let household = match store_roll::household_of_code(tx.conn(), area_id, &details.household)? {
        Some(known) => {
            if let Some(completed) = rules::complete_household(&known, details.dwelling_area, now)? {
                store_roll::update_household(tx, &completed)?;
            }
            known
        }
        None => {
            let (id, code) = (HouseholdId::mint(now), details.household.clone());
            let added = rules::household(id, area_id.clone(), code, details.dwelling_area, now);
            store_roll::insert_households(tx, std::slice::from_ref(&added))?;
            added
        }
    };
    Ok(details.person(household.id))
}

/// Gives a resident other details. The same ones change nothing and record nothing.
///
/// # Errors
/// Permission; not found; a stale version; `resident_not_on_roll`; every fault of the details; `resident_known`.
pub fn change(tx: &mut Tx<'_>, actor: &Actor, zone: Tz, command: &ChangeResident) -> Answer<Resident> {
    let resident = expected(tx, actor, Action::ChangeRoll, &command.id, command.expected)?;
    let before = rules::on_roll(&resident)?.clone();
    let household = store_roll::household(tx.conn(), &before.household_id)?
        .ok_or_else(|| Fault::broken("a resident without their household"))?;
    let or = |given: &Option<String>, known: &str| given.clone().unwrap_or_else(|| known.to_owned());
    let entry = Entry {
        household: or(&command.household, &household.code),
        dwelling_area_m2: None,
        name: or(&command.name, &before.name),
        birth_date: or(&command.birth_date, &before.birth_date.to_string()),
        is_owner: command.is_owner.unwrap_or(before.is_owner),
        phone: command.phone.clone().unwrap_or_else(|| before.phone.clone()),
        email: command.email.clone().unwrap_or_else(|| before.email.clone()),
    };
    let details = rules::details(&entry, local_date(tx.now(), zone))?;
    let person = in_household(tx, &resident.area_id, details)?;
    let members = changed_members(&before, &person);
    let Some(changed) = rules::change(resident.clone(), person.clone(), tx.now())? else {
        tx.nothing_to_change();
        return Ok(resident);
    };
    if store_roll::is_known(tx.conn(), &person, Some(&changed.id))? {
        return Err(RESIDENT_KNOWN.refuse().at("/name").into());
    }
    store_roll::update_resident(tx, &changed)?;
    let private = json!({ "changed": members });
    audit::store::append(tx, actor, &event("resident.changed", &changed, private))?;
    Ok(changed)
}

/// Which members are other than before; never what they hold.
fn changed_members(before: &Person, after: &Person) -> Vec<&'static str> {
    [
        ("household", before.household_id != after.household_id),
        ("name", before.name != after.name),
        ("birth_date", before.birth_date != after.birth_date),
        ("is_owner", before.is_owner != after.is_owner),
        ("phone", before.phone != after.phone),
        ("email", before.email != after.email),
    ]
    .into_iter()
    .filter(|(_, differs)| *differs)
    .map(|(name, _)| name)
    .collect()
}

/// Takes a resident off the roll: they have moved away or died. Their account, if they have one, is no resident's any more.
///
/// # Errors
/// Permission; not found; a stale version; `resident_not_on_roll`; a day that cannot be.
pub fn depart(tx: &mut Tx<'_>, actor: &Actor, zone: Tz, command: &DepartResident) -> Answer<Resident> {
    let resident = expected(tx, actor, Action::ChangeRoll, &command.id, command.expected)?;
    let today = local_date(tx.now(), zone);
    let on = command.on.unwrap_or(today);
    let gone = rules::depart(resident, command.reason, on, today, tx.now())?;
    store_roll::update_resident(tx, &gone)?;
    store_letters::void(tx, &gone.id)?;
    store_letters::end_grant(tx, actor, &gone)?;
    let private = json!({ "reason": gone.state.name(), "on": on });
    audit::store::append(tx, actor, &event("resident.departed", &gone, private))?;
    Ok(gone)
}

/// Erases a resident: everything personal goes from the roll, the letter from its table, the link to their account, and the private
/// part of every event about them. Their row stays without it, their events stay in the log, and the log still verifies.
///
/// # Errors
/// Permission; not found; a stale version; `resident_already_erased`.
pub fn erase(
    tx: &mut Tx<'_>,
    actor: &Actor,
    zone: Tz,
    id: &ResidentId,
    version: Expected,
    reason: ErasureReason,
) -> Answer<Resident> {
    let resident = expected(tx, actor, Action::EraseResident, id, version)?;
    let erased = rules::erase(resident.clone(), local_date(tx.now(), zone), tx.now())?;
    store_letters::void(tx, id)?;
    // Of one who had left before it has ended, and the account may stand for another resident since.
    if resident.state == State::Active {
        store_letters::end_grant(tx, actor, &resident)?;
    }
    store_roll::update_resident(tx, &erased)?;
    let account = resident.account_id.as_ref().map(|account| account.as_str());
    audit::store::erase_private(tx, id.as_str(), account)?;
    let data = json!({ "area_id": erased.area_id, "reason": reason.name() });
    let told = Event {
        data,
        ..event("resident.erased", &erased, Value::Null)
    };
    audit::store::append(tx, actor, &told)?;
    Ok(erased)
}

/// Gives a household another code or dwelling area. The same ones change nothing and record nothing.
///
/// # Errors
/// Permission; not found; a stale version; every fault; `household_code_taken`.
pub fn change_household(tx: &mut Tx<'_>, actor: &Actor, command: &ChangeHousehold) -> Answer<Household> {
    policy::allow_at_all(actor, Action::ChangeRoll)?;
    let household = store_roll::household(tx.conn(), &command.id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    community(tx.conn(), actor, Action::ChangeRoll, &household.area_id)?;
    command.expected.check(household.version)?;
    let mut form = crate::registry::rules_person::Form::default();
    let code = match &command.code {
        Some(code) => form.field("/code", crate::registry::rules_person::household_code(code)),
        None => Some(household.code.clone()),
    };
    let area = match &command.dwelling_area_m2 {
        Some(Some(area)) => form
            .field("/dwelling_area_m2", DwellingArea::read(area))
            .map(Some),
        Some(None) => Some(None),
        None => Some(household.dwelling_area),
    };
    form.end()?;
    let (Some(code), Some(area)) = (code, area) else {
        return Err(INVALID.refuse().into());
    };
    let taken = store_roll::household_of_code(tx.conn(), &household.area_id, &code)?;
    if taken.is_some_and(|other| other.id != household.id) {
        return Err(HOUSEHOLD_CODE_TAKEN.refuse().at("/code").into());
    }
    let Some(changed) = rules::change_household(household.clone(), code, area, tx.now()) else {
        tx.nothing_to_change();
        return Ok(household);
    };
    store_roll::update_household(tx, &changed)?;
    let told = Event {
        kind: "household.changed",
        subject: changed.id.to_string(),
        data: json!({ "area_id": changed.area_id }),
        private: json!({
            "code": household.code != changed.code,
            "dwelling_area": household.dwelling_area != changed.dwelling_area,
        }),
    };
    audit::store::append(tx, actor, &told)?;
    Ok(changed)
}

/// The resident in the version meant, if the actor may do this with the roll they are on.
fn expected(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: Action,
    id: &ResidentId,
    version: Expected,
) -> Answer<Resident> {
    policy::allow_at_all(actor, action)?;
    let resident = store_roll::resident(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    community(tx.conn(), actor, action, &resident.area_id)?;
    version.check(resident.version)?;
    Ok(resident)
}

/// An event about a resident: which community, and what auditors may know besides.
pub(super) fn event(kind: &'static str, resident: &Resident, private: Value) -> Event {
    Event {
        kind,
        subject: resident.id.to_string(),
        data: json!({ "area_id": resident.area_id }),
        private,
    }
}
