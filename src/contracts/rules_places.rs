//! Served places: the places of a signed contract that have a code put up on them, by which everybody who stands there may report what is wrong.
//! Pure: random bytes arrive as values.

use std::fmt;
use std::str::FromStr;

use crate::books::rules_documents::PLACES_MAX;
use crate::contracts::rules::ContractId;
use crate::kernel::clock::Instant;
use crate::kernel::party::AreaId;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::standards::rules_documents::GradeDocument;
use crate::text;

crate::ids! {
    /// A served place.
    ServedPlaceId "servedplace"
}

/// The place has a code already.
pub static PLACE_IN_USE: Reason = Reason::new(
    Kind::Conflict,
    "served_place_in_use",
    "该地点已有报修码",
    "The place has a code already",
);
/// The place has no code.
pub static PLACE_RETIRED: Reason = Reason::new(
    Kind::Conflict,
    "served_place_retired",
    "该地点的报修码已停用",
    "The code of the place was retired",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 2] = [&PLACE_IN_USE, &PLACE_RETIRED];

/// Crockford's digits: no I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Digits of a code: 50 bits. One tries a hundred requests a second for three thousand years before one of a hundred codes is found.
const DIGITS: usize = 10;

/// The code of a served place: it says where somebody stands, and nothing of who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceCode(String);

impl PlaceCode {
    /// The code made of random bytes.
    pub fn of(random: [u8; 8]) -> Self {
        let number = u64::from_be_bytes(random);
        let digit = |place: usize| {
            let index = usize::try_from((number >> (5 * place)) & 31).ok()?;
            ALPHABET.get(index).copied().map(char::from)
        };
        Self((0..DIGITS).rev().filter_map(digit).collect())
    }

    /// As it is stored, and as links have it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is read from a sign: in two groups.
    pub fn grouped(&self) -> String {
        let (first, second) = self.0.split_at(DIGITS / 2);
        format!("{first}-{second}")
    }

    /// The page behind it.
    pub fn path(&self) -> String {
        format!("/r/{}", self.0)
    }
}

impl fmt::Display for PlaceCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for PlaceCode {
    type Err = ();

    /// Reads a code, in capitals or not, with hyphens and blanks or without. Letters that look like digits are taken for them.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut code = String::new();
        for character in text.trim().chars().filter(|one| !matches!(one, '-' | ' ')) {
            let digit = match character.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let is_known = u8::try_from(digit).is_ok_and(|byte| ALPHABET.contains(&byte));
            if !is_known || code.len() >= DIGITS {
                return Err(());
            }
            code.push(digit);
        }
        if code.len() == DIGITS {
            Ok(Self(code))
        } else {
            Err(())
        }
    }
}

/// How somebody says where something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceRef {
    /// By its code.
    Code(PlaceCode),
    /// By its id, which everybody can look up and which therefore does not show that somebody is there.
    Id(ServedPlaceId),
}

impl FromStr for PlaceRef {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Code),
        }
    }
}

/// A served place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedPlace {
    /// Its id.
    pub id: ServedPlaceId,
    /// Of which contract.
    pub contract_id: ContractId,
    /// Which of the places of the contract's lot, from 1.
    pub number: i64,
    /// Its Chinese name there.
    pub name_zh: String,
    /// Its English name there.
    pub name_en: String,
    /// Which grade of the standard it is, where the standard has grades.
    pub grade: Option<String>,
    /// In which area it lies, if that was said.
    pub area_id: Option<AreaId>,
    /// Its code; `None` once that was retired.
    pub code: Option<PlaceCode>,
    /// Counts the changes, from 1.
    pub revision: i64,
    /// When it was made one, UTC.
    pub made_at: Instant,
    /// When its code was made, renewed or retired last, UTC.
    pub changed_at: Instant,
}

impl ServedPlace {
    /// Its name.
    pub fn name(&self) -> Text {
        Text::made(self.name_zh.clone(), self.name_en.clone())
    }

    /// The same place with another code; the one before leads nowhere any more.
    pub fn coded(self, code: PlaceCode, now: Instant) -> Self {
        Self {
            code: Some(code),
            revision: self.revision.saturating_add(1),
            changed_at: now,
            ..self
        }
    }

    /// The same place with another code in the place of the one it has.
    ///
    /// # Errors
    /// [`PLACE_RETIRED`].
    pub fn renewed(self, code: PlaceCode, now: Instant) -> Result<Self, Refusal> {
        match self.code {
            Some(_) => Ok(self.coded(code, now)),
            None => Err(PLACE_RETIRED.refuse()),
        }
    }

    /// The same place without a code.
    ///
    /// # Errors
    /// [`PLACE_RETIRED`].
    pub fn retired(self, now: Instant) -> Result<Self, Refusal> {
        match self.code {
            Some(_) => Ok(Self {
                code: None,
                revision: self.revision.saturating_add(1),
                changed_at: now,
                ..self
            }),
            None => Err(PLACE_RETIRED.refuse()),
        }
    }
}

/// A place that is to have a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPlace {
    /// Which of the places of the contract's lot, from 1.
    pub number: i64,
    /// Which grade of the standard it is.
    pub grade: Option<String>,
    /// In which area it lies.
    pub area_id: Option<AreaId>,
}

/// Checks places that are to have codes, of a lot that has so many, under a standard with these grades; every fault is listed.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID).
pub fn checked(
    new: &[NewPlace],
    places: usize,
    grades: &[GradeDocument],
    knows_area: impl Fn(&AreaId) -> bool,
) -> Result<(), Refusal> {
    let mut form = Form::new();
    if !(1..=PLACES_MAX).contains(&new.len()) {
        form.object(
            "/places",
            text!("应有 1 至 {PLACES_MAX} 项", "must have 1 to {PLACES_MAX} items"),
        );
    }
    for (at, place) in new.iter().enumerate().take(PLACES_MAX) {
        let is_there = usize::try_from(place.number).is_ok_and(|number| (1..=places).contains(&number));
        if !is_there {
            form.object(
                &format!("/places/{at}/number"),
                text!(
                    "合同标段共有 {places} 个地点",
                    "the lot of the contract has {places} places"
                ),
            );
        }
        if new.iter().take(at).any(|other| other.number == place.number) {
            form.object(
                &format!("/places/{at}/number"),
                Text::fixed("重复", "is there twice"),
            );
        }
        let knows = |code: &str| grades.iter().any(|grade| grade.code == code);
        match &place.grade {
            Some(code) if !knows(code) => form.object(
                &format!("/places/{at}/grade"),
                Text::fixed("标准没有此等级", "the standard has no such grade"),
            ),
            _ => {}
        }
        if place.area_id.as_ref().is_some_and(|area| !knows_area(area)) {
            form.object(
                &format!("/places/{at}/area_id"),
                Text::fixed("没有此区域", "there is no such area"),
            );
        }
    }
    form.finish(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use chrono::{TimeZone, Utc};

    fn now() -> Instant {
        Utc.with_ymd_and_hms(2026, 5, 4, 0, 0, 0).unwrap()
    }

    pub fn place() -> ServedPlace {
        ServedPlace {
            id: ServedPlaceId::mint(now()),
            contract_id: ContractId::mint(now()),
            number: 1,
            name_zh: "公厕".to_owned(),
            name_en: "Toilet".to_owned(),
            grade: None,
            area_id: None,
            code: Some(PlaceCode::of([7; 8])),
            revision: 1,
            made_at: now(),
            changed_at: now(),
        }
    }

    #[test]
    fn a_code_is_read_however_people_write_it() {
        let code = PlaceCode::of([0xff; 8]);
        assert_eq!(
            (code.as_str(), code.grouped().as_str()),
            ("ZZZZZZZZZZ", "ZZZZZ-ZZZZZ")
        );
        let ones: PlaceCode = "oilOI-0L1o1".parse().unwrap();
        assert_eq!(ones.as_str(), "0110101101");
        for wrong in [
            "",
            "ZZZZZ-ZZZZ",
            "ZZZZZ-ZZZZZZ",
            "ZZZZZ-ZZZZU",
            "桂园桂园桂园桂园桂园",
            "ZZZZZ_ZZZZZ",
        ] {
            assert_eq!(wrong.parse::<PlaceCode>(), Err(()), "{wrong}");
        }
        let id = ServedPlaceId::mint(now());
        assert_eq!(id.as_str().parse(), Ok(PlaceRef::Id(id)));
        assert_eq!("zzzzz zzzzz".parse(), Ok(PlaceRef::Code(code)));
    }

    #[test]
    fn a_code_is_renewed_and_retired_once_and_the_place_stays() {
        let other = PlaceCode::of([9; 8]);
        let renewed = place().renewed(other.clone(), now()).unwrap();
        assert_eq!((renewed.code.clone(), renewed.revision), (Some(other.clone()), 2));
        let retired = renewed.retired(now()).unwrap();
        assert_eq!((retired.code.clone(), retired.revision), (None, 3));
        let code = |result: Result<ServedPlace, Refusal>| result.unwrap_err().reason.code;
        assert_eq!(code(retired.clone().retired(now())), "served_place_retired");
        assert_eq!(
            code(retired.clone().renewed(other.clone(), now())),
            "served_place_retired"
        );
        assert_eq!(retired.coded(other, now()).revision, 4);
    }

    #[test]
    fn every_fault_of_new_places_is_told() {
        let new = |number, grade: Option<&str>| NewPlace {
            number,
            grade: grade.map(str::to_owned),
            area_id: None,
        };
        let grades = [GradeDocument {
            code: "class_1".to_owned(),
            name_zh: "一级".to_owned(),
            name_en: "Class 1".to_owned(),
        }];
        let faults = |new: &[NewPlace]| {
            let result = checked(new, 2, &grades, |_| false);
            let objections = result.err().map(|refusal| refusal.objections).unwrap_or_default();
            objections.into_iter().map(|one| one.pointer).collect::<Vec<_>>()
        };
        assert!(faults(&[new(1, None), new(2, Some("class_1"))]).is_empty());
        assert_eq!(faults(&[]), ["/places"]);
        let mut elsewhere = new(2, Some("class_9"));
        elsewhere.area_id = Some(AreaId::mint(now()));
        assert_eq!(
            faults(&[new(0, None), new(3, None), new(3, None), elsewhere]),
            [
                "/places/0/number",
                "/places/1/number",
                "/places/2/number",
                "/places/2/number",
                "/places/3/grade",
                "/places/3/area_id"
            ]
        );
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(random: [u8; 8]) {
            let code = PlaceCode::of(random);
            prop_assert_eq!(code.as_str().len(), DIGITS);
            prop_assert_eq!(code.grouped().to_lowercase().parse(), Ok(code.clone()));
            prop_assert_eq!(code.as_str().parse(), Ok(code));
        }
    }
}
