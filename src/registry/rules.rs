//! The area tree's rules. Pure: an area and a command come in, a new area or a refusal goes out. Areas form a tree of four
//! levels, city → district → street → community, and an area's level follows from where it hangs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::Instant;
pub use crate::kernel::party::AreaId;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::line_fits;
use crate::text;
use crate::web::problem::INVALID;

/// Characters of an area's name, in either language.
pub const NAME_LENGTH_MAX: usize = 100;

/// The area named as parent is not there.
pub static PARENT_UNKNOWN: Reason = Reason::new(
    Kind::Conflict,
    "area_parent_unknown",
    "上级区域不存在",
    "The parent area is not there",
);
/// Nothing hangs under a community, and an area keeps its level when it is moved.
pub static WRONG_LEVEL: Reason = Reason::new(
    Kind::Conflict,
    "area_wrong_level",
    "区域层级不符",
    "The area does not fit under that parent",
);
/// Two areas under one parent never have the same Chinese name.
pub static NAME_TAKEN: Reason = Reason::new(
    Kind::Conflict,
    "area_name_taken",
    "同级已有同名区域",
    "An area of this name is already there",
);
/// A code belongs to one area.
pub static CODE_TAKEN: Reason = Reason::new(
    Kind::Conflict,
    "area_code_taken",
    "区划代码已被使用",
    "Another area has this code",
);

/// The reasons of this slice.
pub static REASONS: [&Reason; 4] = [&PARENT_UNKNOWN, &WRONG_LEVEL, &NAME_TAKEN, &CODE_TAKEN];

/// How deep in the tree an area lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 市
    City,
    /// 区、县
    District,
    /// 街道、镇
    Street,
    /// 社区
    Community,
}

impl Level {
    /// All four, from the root.
    pub const ALL: [Self; 4] = [Self::City, Self::District, Self::Street, Self::Community];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::District => "district",
            Self::Street => "street",
            Self::Community => "community",
        }
    }

    /// The level of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// The level of what hangs under this one.
    pub const fn below(self) -> Option<Self> {
        match self {
            Self::City => Some(Self::District),
            Self::District => Some(Self::Street),
            Self::Street => Some(Self::Community),
            Self::Community => None,
        }
    }

    /// Digits of the statistical division code at this level (统计用区划代码): 4, 6, 9 or 12.
    pub const fn code_length(self) -> usize {
        match self {
            Self::City => 4,
            Self::District => 6,
            Self::Street => 9,
            Self::Community => 12,
        }
    }

    const fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::City => ("市", "city"),
            Self::District => ("区", "district"),
            Self::Street => ("街道", "street"),
            Self::Community => ("社区", "community"),
        }
    }
}

/// An area's names and code, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Designation {
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
    /// Statistical division code, if it has one.
    pub code: Option<String>,
}

/// An area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// Its id.
    pub id: AreaId,
    /// What it hangs under; none for a city.
    pub parent_id: Option<AreaId>,
    /// How deep it lies.
    pub level: Level,
    /// Names and code.
    pub designation: Designation,
    /// Ids from the root to the area itself, each followed by a slash.
    pub path: String,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When it was added, UTC.
    pub created_at: Instant,
    /// When it was last changed, UTC.
    pub updated_at: Instant,
}

/// What the store knows about the place an area is to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Another area under the same parent has the Chinese name.
    pub name_taken: bool,
    /// Another area has the code.
    pub code_taken: bool,
}

/// Checks names and code for an area of `level`: first the names, then the code; every fault is listed.
///
/// # Errors
/// [`INVALID`] with the places `/name_zh`, `/name_en`, `/code`.
pub fn designation(
    level: Level,
    name_zh: &str,
    name_en: &str,
    code: Option<&str>,
) -> Result<Designation, Refusal> {
    let mut objections = Vec::new();
    let mut name = |text: &str, pointer: &str| {
        let trimmed = text.trim();
        if let Err(detail) = line_fits(trimmed, NAME_LENGTH_MAX) {
            objections.extend(INVALID.because(detail).at(pointer).objections);
        }
        trimmed.to_owned()
    };
    let (name_zh, name_en) = (name(name_zh, "/name_zh"), name(name_en, "/name_en"));
    if let Some(code) = code
        && (code.len() != level.code_length() || !code.bytes().all(|digit| digit.is_ascii_digit()))
    {
        let (digits, (zh, en)) = (level.code_length(), level.text());
        let detail = text!(
            "{zh}级区划代码应为 {digits} 位数字",
            "the code of a {en} has {digits} digits"
        );
        objections.extend(INVALID.because(detail).at("/code").objections);
    }
    if objections.is_empty() {
        Ok(Designation {
            name_zh,
            name_en,
            code: code.map(str::to_owned),
        })
    } else {
        Err(INVALID.refuse().listing(objections))
    }
}

/// The level of an area under `parent`.
///
/// # Errors
/// [`WRONG_LEVEL`] under a community.
pub fn level_under(parent: Option<&Area>) -> Result<Level, Refusal> {
    match parent {
        None => Ok(Level::City),
        Some(parent) => parent.level.below().ok_or_else(|| {
            WRONG_LEVEL
                .because(Text::fixed(
                    "社区之下不再设区域",
                    "nothing hangs under a community",
                ))
                .at("/parent_id")
        }),
    }
}

/// A new area under `parent`, or a new city.
///
/// # Errors
/// [`NAME_TAKEN`], then [`CODE_TAKEN`].
pub fn create(
    id: AreaId,
    parent: Option<&Area>,
    level: Level,
    designation: Designation,
    place: Place,
    now: Instant,
) -> Result<Area, Refusal> {
    refuse_taken(place)?;
    let path = format!("{}{id}/", parent.map_or("", |parent| &parent.path));
    let parent_id = parent.map(|parent| parent.id.clone());
    Ok(Area {
        id,
        parent_id,
        level,
        designation,
        path,
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

/// The area under another name or code; `None` if it has them already.
///
/// # Errors
/// [`NAME_TAKEN`], then [`CODE_TAKEN`].
pub fn rename(
    area: Area,
    designation: Designation,
    place: Place,
    now: Instant,
) -> Result<Option<Area>, Refusal> {
    if area.designation == designation {
        return Ok(None);
    }
    refuse_taken(place)?;
    Ok(Some(Area {
        designation,
        version: area.version.saturating_add(1),
        updated_at: now,
        ..area
    }))
}

/// The area under another parent; `None` if it hangs there already. What hangs under it goes along.
///
/// # Errors
/// [`WRONG_LEVEL`] unless the parent is of the level above, which also keeps an area out of its own subtree;
/// [`NAME_TAKEN`].
pub fn move_under(area: Area, parent: &Area, place: Place, now: Instant) -> Result<Option<Area>, Refusal> {
    if area.parent_id.as_ref() == Some(&parent.id) {
        return Ok(None);
    }
    if parent.level.below() != Some(area.level) {
        let ((parent_zh, parent_en), (zh, en)) = (parent.level.text(), area.level.text());
        return Err(WRONG_LEVEL
            .because(text!(
                "{zh}不能移到{parent_zh}之下",
                "a {en} cannot hang under a {parent_en}"
            ))
            .at("/parent_id"));
    }
    refuse_taken(Place {
        code_taken: false,
        ..place
    })?;
    let path = format!("{}{}/", parent.path, area.id);
    Ok(Some(Area {
        parent_id: Some(parent.id.clone()),
        path,
        version: area.version.saturating_add(1),
        updated_at: now,
        ..area
    }))
}

fn refuse_taken(place: Place) -> Result<(), Refusal> {
    if place.name_taken {
        return Err(NAME_TAKEN.refuse().at("/name_zh"));
    }
    if place.code_taken {
        return Err(CODE_TAKEN.refuse().at("/code"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn at(day: u32) -> Instant {
        chrono::Utc.with_ymd_and_hms(2026, 3, day, 0, 0, 0).unwrap()
    }

    fn area(parent: Option<&Area>, name: &str) -> Area {
        let level = level_under(parent).unwrap();
        let designation = designation(level, name, name, None).unwrap();
        create(
            AreaId::mint(at(1)),
            parent,
            level,
            designation,
            Place::default(),
            at(1),
        )
        .unwrap()
    }

    #[test]
    fn levels_follow_from_the_tree_and_end_at_the_community() {
        let city = area(None, "凤城市");
        let district = area(Some(&city), "凤鸣区");
        let street = area(Some(&district), "梧桐街道");
        let community = area(Some(&street), "桂园社区");
        assert_eq!(
            [city.level, district.level, street.level, community.level],
            [Level::City, Level::District, Level::Street, Level::Community]
        );
        assert_eq!(
            community.path,
            format!("{}/{}/{}/{}/", city.id, district.id, street.id, community.id)
        );
        assert_eq!(
            level_under(Some(&community)).unwrap_err().reason.code,
            "area_wrong_level"
        );
    }

    #[test]
    fn names_and_codes_are_checked_and_all_faults_listed() {
        let faults = |zh: &str, en: &str, code| -> Vec<String> {
            designation(Level::Street, zh, en, code)
                .err()
                .map(|refusal| refusal.objections.into_iter().map(|o| o.pointer).collect())
                .unwrap_or_default()
        };
        assert!(faults(" 梧桐街道 ", "Wutong", Some("310101001")).is_empty());
        assert_eq!(
            faults("", "=SUM(A1)", Some("31010100")),
            ["/name_zh", "/name_en", "/code"]
        );
        assert_eq!(
            faults("a\u{200b}b", "a\nb", Some("31010100x")),
            ["/name_zh", "/name_en", "/code"]
        );
        assert_eq!(faults(&"字".repeat(101), &"x".repeat(100), None), ["/name_zh"]);
        assert_eq!(
            designation(Level::City, "  甲 ", "A", None).unwrap().name_zh,
            "甲"
        );
    }

    #[test]
    fn a_taken_name_is_refused_before_a_taken_code() {
        let both = Place {
            name_taken: true,
            code_taken: true,
        };
        let named = designation(Level::City, "甲", "A", None).unwrap();
        let refused = |place| {
            create(
                AreaId::mint(at(1)),
                None,
                Level::City,
                named.clone(),
                place,
                at(1),
            )
            .unwrap_err()
        };
        assert_eq!(refused(both).reason.code, "area_name_taken");
        assert_eq!(
            refused(Place {
                name_taken: false,
                ..both
            })
            .reason
            .code,
            "area_code_taken"
        );
    }

    #[test]
    fn renaming_counts_a_version_and_the_same_name_changes_nothing() {
        let city = area(None, "凤城市");
        let same = city.designation.clone();
        assert_eq!(rename(city.clone(), same, Place::default(), at(2)).unwrap(), None);
        let other = designation(Level::City, "新城市", "New", None).unwrap();
        let renamed = rename(city.clone(), other, Place::default(), at(2))
            .unwrap()
            .unwrap();
        assert_eq!(
            (renamed.version, renamed.updated_at, renamed.created_at),
            (2, at(2), at(1))
        );
        assert_eq!(renamed.path, city.path);
    }

    #[test]
    fn an_area_moves_only_under_the_level_above() {
        let city = area(None, "凤城市");
        let (here, there) = (area(Some(&city), "凤鸣区"), area(Some(&city), "青溪区"));
        let street = area(Some(&here), "梧桐街道");
        assert_eq!(
            move_under(street.clone(), &here, Place::default(), at(2)).unwrap(),
            None
        );
        let moved = move_under(street.clone(), &there, Place::default(), at(2))
            .unwrap()
            .unwrap();
        assert_eq!(moved.path, format!("{}{}/", there.path, street.id));
        assert_eq!((moved.parent_id.as_ref(), moved.version), (Some(&there.id), 2));
        for parent in [&city, &street] {
            let refusal = move_under(street.clone(), parent, Place::default(), at(2)).unwrap_err();
            assert_eq!(refusal.reason.code, "area_wrong_level");
        }
        let taken = Place {
            name_taken: true,
            code_taken: true,
        };
        assert_eq!(
            move_under(street.clone(), &there, taken, at(2))
                .unwrap_err()
                .reason
                .code,
            "area_name_taken"
        );
        // The code stays with the area, so it is not asked about.
        let own = Place {
            name_taken: false,
            code_taken: true,
        };
        assert!(move_under(street, &there, own, at(2)).is_ok());
    }
}
