//! The roll's rules: who stands on a community's roll, how they come onto it and leave it, and what is left of them when they are
//! erased. Pure: today's date in the ward's zone arrives as a value. What is personal never appears in a refusal, and is not
//! written out by `{:?}` either.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::Instant;
use crate::kernel::party::{AccountId, AreaId};
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules::{Area, Level};
use crate::registry::rules_person::{self as read, DwellingArea, Form};

crate::ids! {
    /// A dwelling and those who live in it or own it.
    HouseholdId "household"
    /// A person on a community's roll.
    ResidentId "resident"
}

/// The same person is on the roll of this household already.
pub static RESIDENT_KNOWN: Reason = Reason::new(
    Kind::Conflict,
    "resident_known",
    "该户已有姓名、出生日期相同的居民",
    "A resident of this name and date of birth is already in this household",
);
/// The resident has moved away, has died, or was erased.
pub static NOT_ON_ROLL: Reason = Reason::new(
    Kind::Conflict,
    "resident_not_on_roll",
    "该居民已不在名册上",
    "This resident is not on the roll any more",
);
/// There is nobody left to erase.
pub static ALREADY_ERASED: Reason = Reason::new(
    Kind::Conflict,
    "resident_already_erased",
    "该居民的个人信息已删除",
    "This resident is erased already",
);
/// The household has another dwelling area than the one given.
pub static DWELLING_AREA_DIFFERS: Reason = Reason::new(
    Kind::Conflict,
    "dwelling_area_differs",
    "与该户已登记的面积不一致",
    "This household is registered with another dwelling area",
);
/// Another household of the community has the code.
pub static HOUSEHOLD_CODE_TAKEN: Reason = Reason::new(
    Kind::Conflict,
    "household_code_taken",
    "该户号已被使用",
    "Another household has this code",
);
/// A roll has a named maximum.
pub static ROLL_FULL: Reason = Reason::new(
    Kind::Conflict,
    "roll_full",
    "名册人数已达上限",
    "The roll is full",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 6] = [
    &RESIDENT_KNOWN,
    &NOT_ON_ROLL,
    &ALREADY_ERASED,
    &DWELLING_AREA_DIFFERS,
    &HOUSEHOLD_CODE_TAKEN,
    &ROLL_FULL,
];

/// Residents on one community's roll at most.
pub const RESIDENTS_MAX: usize = 50_000;

/// Where a resident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ResidentState)]
pub enum State {
    /// On the roll.
    Active,
    /// Moved away.
    MovedAway,
    /// Died.
    Deceased,
    /// Nothing personal is left of them.
    Erased,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Active, Self::MovedAway, Self::Deceased, Self::Erased];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::MovedAway => "moved_away",
            Self::Deceased => "deceased",
            Self::Erased => "erased",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Why somebody leaves the roll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DepartureReason {
    /// They live elsewhere now.
    MovedAway,
    /// They have died.
    Deceased,
}

/// Why somebody is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErasureReason {
    /// They asked for it (个人信息保护法 art 47).
    OnRequest,
    /// The data was entered without ground, or for the wrong person.
    EnteredInError,
    /// What it was kept for is over, or the time for which it may be kept.
    PurposeEnded,
    /// A court or an authority ordered it.
    Ordered,
}

impl ErasureReason {
    /// The name in the API and in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnRequest => "on_request",
            Self::EnteredInError => "entered_in_error",
            Self::PurposeEnded => "purpose_ended",
            Self::Ordered => "ordered",
        }
    }
}

/// A household.
#[derive(Clone, PartialEq, Eq)]
pub struct Household {
    /// Its id.
    pub id: HouseholdId,
    /// The community.
    pub area_id: AreaId,
    /// Building, unit and room, unique in the community: `3-2-501`.
    pub code: String,
    /// The area of the dwelling, where it is known.
    pub dwelling_area: Option<DwellingArea>,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When it was added, UTC.
    pub created_at: Instant,
    /// When it was last changed, UTC.
    pub updated_at: Instant,
}

impl std::fmt::Debug for Household {
    /// An address is personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Household({} v{})", self.id, self.version)
    }
}

/// What is personal about a resident: all that erasure takes away.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The household they belong to.
    pub household_id: HouseholdId,
    /// Their name.
    pub name: String,
    /// Their date of birth.
    pub birth_date: NaiveDate,
    /// True if they own the dwelling, alone or with others; its area is counted once for all its owners.
    pub is_owner: bool,
    /// Telephone number.
    pub phone: Option<String>,
    /// Mail address, in lower case.
    pub email: Option<String>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person(…)")
    }
}

/// Somebody on a roll, or who was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resident {
    /// Their id; it stays when they are erased, for whatever counts them.
    pub id: ResidentId,
    /// The community.
    pub area_id: AreaId,
    /// What is personal; none once they are erased.
    pub person: Option<Person>,
    /// The account that has claimed their place.
    pub account_id: Option<AccountId>,
    /// Where they stand.
    pub state: State,
    /// When they came onto the roll.
    pub entered_on: NaiveDate,
    /// When they left it.
    pub left_on: Option<NaiveDate>,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When they were entered, UTC.
    pub created_at: Instant,
    /// When they were last changed, UTC.
    pub updated_at: Instant,
}

/// A person's details as a form holds them.
#[derive(Clone, Default)]
pub struct Entry {
    /// The household's code.
    pub household: String,
    /// The area of its dwelling, square metres.
    pub dwelling_area_m2: Option<String>,
    /// Name.
    pub name: String,
    /// Date of birth.
    pub birth_date: String,
    /// Whether they own the dwelling.
    pub is_owner: bool,
    /// Telephone number.
    pub phone: Option<String>,
    /// Mail address.
    pub email: Option<String>,
}

/// Details that have been read.
#[derive(Clone, PartialEq, Eq)]
pub struct Details {
    /// The household's code.
    pub household: String,
    /// The area of its dwelling.
    pub dwelling_area: Option<DwellingArea>,
    /// Name.
    pub name: String,
    /// Date of birth.
    pub birth_date: NaiveDate,
    /// Whether they own the dwelling.
    pub is_owner: bool,
    /// Telephone number.
    pub phone: Option<String>,
    /// Mail address.
    pub email: Option<String>,
}

impl Details {
    /// The person in a household.
    pub fn person(self, household_id: HouseholdId) -> Person {
        Person {
            household_id,
            name: self.name,
            birth_date: self.birth_date,
            is_owner: self.is_owner,
            phone: self.phone,
            email: self.email,
        }
    }
}

/// Reads an entry.
///
/// # Errors
/// [`crate::web::problem::INVALID`] with every fault, at the names of the members; no value is repeated.
pub fn details(entry: &Entry, today: NaiveDate) -> Result<Details, Refusal> {
    let mut form = Form::default();
    let household = form.field("/household", read::household_code(&entry.household));
    let dwelling_area = entry.dwelling_area_m2.as_deref().map(DwellingArea::read);
    let dwelling_area = form.field("/dwelling_area_m2", dwelling_area.transpose());
    let name = form.field("/name", read::name(&entry.name));
    let birth_date = form.field("/birth_date", read::birth_date(&entry.birth_date, today));
    let phone = form.field("/phone", entry.phone.as_deref().map(read::phone).transpose());
    let email = form.field("/email", entry.email.as_deref().map(read::email).transpose());
    form.end()?;
    match (household, dwelling_area, name, birth_date, phone, email) {
        (Some(household), Some(dwelling_area), Some(name), Some(birth_date), Some(phone), Some(email)) => {
            Ok(Details {
                household,
                dwelling_area,
                name,
                birth_date,
                is_owner: entry.is_owner,
                phone,
                email,
            })
        }
        // Not reached: whatever is missing was objected to.
        _ => Err(crate::web::problem::INVALID.refuse()),
    }
}

/// Only communities have a roll.
pub fn has_roll(area: &Area) -> bool {
    area.level == Level::Community
}

/// A new household.
pub fn household(
    id: HouseholdId,
    area_id: AreaId,
    code: String,
    dwelling_area: Option<DwellingArea>,
    now: Instant,
) -> Household {
    Household {
        id,
        area_id,
        code,
        dwelling_area,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// The household with another code or area; `None` if it has them already.
pub fn change_household(
    household: Household,
    code: String,
    dwelling_area: Option<DwellingArea>,
    now: Instant,
) -> Option<Household> {
    if household.code == code && household.dwelling_area == dwelling_area {
        return None;
    }
    Some(Household {
        code,
        dwelling_area,
        version: household.version.saturating_add(1),
        updated_at: now,
        ..household
    })
}

/// The household in which somebody is entered, with the dwelling area that the entry brings if none was known; `None` if it is
/// right as it is.
///
/// # Errors
/// [`DWELLING_AREA_DIFFERS`]: an area that is known is changed on purpose, not by entering somebody.
pub fn complete_household(
    household: &Household,
    dwelling_area: Option<DwellingArea>,
    now: Instant,
) -> Result<Option<Household>, Refusal> {
    match (household.dwelling_area, dwelling_area) {
        (Some(known), Some(given)) if known != given => {
            Err(DWELLING_AREA_DIFFERS.refuse().at("/dwelling_area_m2"))
        }
        (None, Some(_)) => Ok(change_household(
            household.clone(),
            household.code.clone(),
            dwelling_area,
            now,
        )),
        _ => Ok(None),
    }
}

/// Somebody new on the roll, from `today` on.
pub fn enter(id: ResidentId, area_id: AreaId, person: Person, today: NaiveDate, now: Instant) -> Resident {
    Resident {
        id,
        area_id,
        person: Some(person),
        account_id: None,
        state: State::Active,
        entered_on: today,
        left_on: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// The resident with other details; `None` if they are the same.
///
/// # Errors
/// [`NOT_ON_ROLL`].
pub fn change(resident: Resident, person: Person, now: Instant) -> Result<Option<Resident>, Refusal> {
    on_roll(&resident)?;
    if resident.person.as_ref() == Some(&person) {
        return Ok(None);
    }
    Ok(Some(Resident {
        person: Some(person),
        ..next(resident, now)
    }))
}

/// The resident after they have left, on a day that is not after `today` nor before they were born.
///
/// # Errors
/// [`NOT_ON_ROLL`]; [`crate::web::problem::INVALID`] for another day.
pub fn depart(
    resident: Resident,
    reason: DepartureReason,
    on: NaiveDate,
    today: NaiveDate,
    now: Instant,
) -> Result<Resident, Refusal> {
    let person = on_roll(&resident)?;
    if on > today || on < person.birth_date {
        let detail = Text::fixed(
            "不得晚于今天，也不得早于出生日期",
            "must not be after today, nor before the date of birth",
        );
        return Err(crate::web::problem::INVALID.because(detail).at("/on"));
    }
    let state = match reason {
        DepartureReason::MovedAway => State::MovedAway,
        DepartureReason::Deceased => State::Deceased,
    };
    Ok(Resident {
        state,
        left_on: Some(on),
        ..next(resident, now)
    })
}

/// What is left of a resident who is erased: that there was one, in which community, from when until when. The date of birth goes
/// too, and no band of it stays: a frozen roll has recorded who was an adult when it was frozen, and counts ids.
///
/// # Errors
/// [`ALREADY_ERASED`].
pub fn erase(resident: Resident, today: NaiveDate, now: Instant) -> Result<Resident, Refusal> {
    if resident.state == State::Erased {
        return Err(ALREADY_ERASED.refuse());
    }
    let left_on = resident.left_on.or(Some(today));
    Ok(Resident {
        person: None,
        account_id: None,
        state: State::Erased,
        left_on,
        ..next(resident, now)
    })
}

/// The resident with an account of theirs.
///
/// # Errors
/// [`NOT_ON_ROLL`].
pub fn link(resident: Resident, account_id: AccountId, now: Instant) -> Result<Resident, Refusal> {
    on_roll(&resident)?;
    Ok(Resident {
        account_id: Some(account_id),
        ..next(resident, now)
    })
}

/// The person, if they are on the roll.
///
/// # Errors
/// [`NOT_ON_ROLL`].
pub fn on_roll(resident: &Resident) -> Result<&Person, Refusal> {
    resident
        .person
        .as_ref()
        .filter(|_| resident.state == State::Active)
        .ok_or_else(|| NOT_ON_ROLL.refuse())
}

fn next(resident: Resident, now: Instant) -> Resident {
    Resident {
        version: resident.version.saturating_add(1),
        updated_at: now,
        ..resident
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn now() -> Instant {
        chrono::Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn entry() -> Entry {
        Entry {
            household: "3-2-501".into(),
            dwelling_area_m2: Some("89.35".into()),
            name: "阿依古丽·买买提".into(),
            birth_date: "1990/1/2".into(),
            is_owner: true,
            phone: Some("138 0013 8000".into()),
            email: Some("Ayi@Example.org".into()),
        }
    }

    fn resident() -> Resident {
        let details = details(&entry(), day("2026-03-02")).unwrap();
        let person = details.person(HouseholdId::mint(now()));
        enter(
            ResidentId::mint(now()),
            AreaId::mint(now()),
            person,
            day("2026-03-02"),
            now(),
        )
    }

    #[test]
    fn every_fault_of_an_entry_is_listed_and_no_value_repeated() {
        let bad = Entry {
            household: String::new(),
            dwelling_area_m2: Some("秘密面积".into()),
            name: "=秘密姓名".into(),
            birth_date: "秘密生日".into(),
            is_owner: false,
            phone: Some("秘密电话".into()),
            email: Some("秘密邮箱".into()),
        };
        let Err(refusal) = details(&bad, day("2026-03-02")) else {
            unreachable!()
        };
        let places: Vec<&str> = refusal
            .objections
            .iter()
            .map(|objection| objection.pointer.as_str())
            .collect();
        assert_eq!(
            places,
            [
                "/household",
                "/dwelling_area_m2",
                "/name",
                "/birth_date",
                "/phone",
                "/email"
            ]
        );
        assert!(!format!("{refusal:?}").contains("秘密"));
    }

    #[test]
    fn nothing_personal_is_written_out_for_debugging() {
        let written = format!("{:?}", resident());
        assert!(
            !written.contains("阿依古丽") && !written.contains("138") && !written.contains("1990"),
            "{written}"
        );
    }

    #[test]
    fn who_has_left_is_neither_changed_nor_sent_away_again_but_can_be_erased() {
        let today = day("2026-03-02");
        let here = resident();
        let same = here.person.clone().unwrap();
        assert_eq!(change(here.clone(), same.clone(), now()).unwrap(), None);
        let renamed = Person {
            name: "古丽".into(),
            ..same.clone()
        };
        assert_eq!(change(here.clone(), renamed, now()).unwrap().unwrap().version, 2);
        for on in ["2026-03-03", "1990-01-01"] {
            let refused = depart(here.clone(), DepartureReason::MovedAway, day(on), today, now());
            assert_eq!(refused.unwrap_err().objections[0].pointer, "/on");
        }
        let gone = depart(here, DepartureReason::Deceased, day("2026-02-27"), today, now()).unwrap();
        assert_eq!(
            (gone.state, gone.left_on, gone.version),
            (State::Deceased, Some(day("2026-02-27")), 2)
        );
        let code = |refusal: Refusal| refusal.reason.code;
        assert_eq!(
            change(gone.clone(), same, now()).map_err(code),
            Err("resident_not_on_roll")
        );
        let again = depart(gone.clone(), DepartureReason::MovedAway, today, today, now());
        assert_eq!(again.map_err(code), Err("resident_not_on_roll"));
        let erased = erase(gone.clone(), today, now()).unwrap();
        assert_eq!(
            (erased.state, erased.person.clone(), erased.left_on),
            (State::Erased, None, gone.left_on)
        );
        assert_eq!(
            erase(erased, today, now()).map_err(code),
            Err("resident_already_erased")
        );
    }

    #[test]
    fn a_known_dwelling_area_is_not_changed_by_entering_somebody() {
        let area = |dm2| DwellingArea::of_dm2(dm2);
        let with = |dwelling_area| {
            household(
                HouseholdId::mint(now()),
                AreaId::mint(now()),
                "1".into(),
                dwelling_area,
                now(),
            )
        };
        assert_eq!(complete_household(&with(area(5)), None, now()).unwrap(), None);
        assert_eq!(complete_household(&with(area(5)), area(5), now()).unwrap(), None);
        assert_eq!(
            complete_household(&with(None), area(5), now())
                .unwrap()
                .unwrap()
                .dwelling_area,
            area(5)
        );
        assert_eq!(
            complete_household(&with(area(5)), area(6), now())
                .unwrap_err()
                .reason
                .code,
            "dwelling_area_differs"
        );
    }
}
