//! The rules of qualifications: what an organisation claims to be licensed for, what was found of it, and whether it still holds.
//! Whether it has expired follows from the date and is stored nowhere. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::Instant;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_organisations::{Doing, NAME_LENGTH_MAX, NOTE_LENGTH_MAX};
use crate::registry::rules_text::Form;
use crate::text;

crate::ids! {
    /// A qualification of an organisation.
    QualificationId "qualification"
}

/// Characters of a licence's number.
pub const NUMBER_LENGTH_MAX: usize = 60;
/// Characters of a grade.
pub const GRADE_LENGTH_MAX: usize = 40;
/// Qualifications of one organisation that are neither refused nor withdrawn.
pub const QUALIFICATIONS_MAX: i64 = 100;

/// The qualification is not in a state in which this can be done.
pub static WRONG_STATE: Reason = Reason::new(
    Kind::Conflict,
    "qualification_wrong_state",
    "资质当前状态不允许此操作",
    "The qualification's state does not allow this",
);
/// The organisation has as many qualifications as one may have.
pub static TOO_MANY: Reason = Reason::new(
    Kind::Conflict,
    "qualifications_too_many",
    "资质数量已达上限",
    "The organisation has as many qualifications as one may have",
);
/// Only those who may supply have qualifications, as long as they are not closed.
pub static NO_SUPPLIER: Reason = Reason::new(
    Kind::Conflict,
    "organisation_no_supplier",
    "该组织不是承接主体",
    "The organisation is no supplier",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 3] = [&WRONG_STATE, &TOO_MANY, &NO_SUPPLIER];

/// A kind of licence that the wards' services ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownKind {
    /// Its code.
    pub code: &'static str,
    /// Its Chinese name.
    pub name_zh: &'static str,
    /// Its English name.
    pub name_en: &'static str,
}

/// The kinds that have names here; any other code may be used as well, because what a book may ask for is not ours to close.
/// Sources: 城市生活垃圾管理办法 art 17 (sweeping, collection, transport), 保安服务管理条例 art 9, 安全生产许可证条例 art 2;
/// the others are systems of certification or of custom.
pub const KNOWN: &[KnownKind] = &[
    KnownKind {
        code: "city_cleaning",
        name_zh: "从事城市生活垃圾经营性清扫、收集、运输服务许可证",
        name_en: "Licence to sweep, collect and transport municipal waste",
    },
    KnownKind {
        code: "security_service",
        name_zh: "保安服务许可证",
        name_en: "Licence for security services",
    },
    KnownKind {
        code: "property_service",
        name_zh: "物业服务能力证明",
        name_en: "Certificate of property services",
    },
    KnownKind {
        code: "greening",
        name_zh: "园林绿化养护能力证明",
        name_en: "Certificate of greening upkeep",
    },
    KnownKind {
        code: "work_safety",
        name_zh: "安全生产许可证",
        name_en: "Work safety licence",
    },
    KnownKind {
        code: "road_transport",
        name_zh: "道路运输经营许可证",
        name_en: "Road transport licence",
    },
    KnownKind {
        code: "quality_management",
        name_zh: "质量管理体系认证",
        name_en: "Quality management certificate (ISO 9001)",
    },
    KnownKind {
        code: "environmental_management",
        name_zh: "环境管理体系认证",
        name_en: "Environmental management certificate (ISO 14001)",
    },
    KnownKind {
        code: "occupational_safety",
        name_zh: "职业健康安全管理体系认证",
        name_en: "Occupational health and safety certificate (ISO 45001)",
    },
];

/// Whether a text is the code of a kind, known or not.
pub fn is_code(kind: &str) -> bool {
    (2..=40).contains(&kind.len())
        && kind
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// What is known of the kind of that code.
pub fn known_kind(code: &str) -> Option<&'static KnownKind> {
    KNOWN.iter().find(|kind| kind.code == code)
}

/// How far a qualification has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = QualificationState)]
pub enum State {
    /// The organisation says so.
    Claimed,
    /// It was compared with evidence.
    Verified,
    /// The evidence did not bear it out.
    Refused,
    /// The organisation does not say so any more.
    Withdrawn,
}

impl State {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Claimed, Self::Verified, Self::Refused, Self::Withdrawn];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Verified => "verified",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What a licence says, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Licence {
    /// Which kind, by its code.
    pub kind: String,
    /// Who issued it.
    pub issuer: String,
    /// Its number.
    pub number: String,
    /// Its grade, if its kind has grades.
    pub grade: Option<String>,
    /// The first day on which it holds.
    pub valid_from: NaiveDate,
    /// The last day on which it holds; none if it has no end.
    pub valid_to: Option<NaiveDate>,
}

/// The same as entered.
#[derive(Clone, Debug)]
pub struct Entered {
    /// Which kind.
    pub kind: String,
    /// Who issued it.
    pub issuer: String,
    /// Its number.
    pub number: String,
    /// Its grade.
    pub grade: Option<String>,
    /// The first day.
    pub valid_from: String,
    /// The last day.
    pub valid_to: Option<String>,
}

/// A qualification of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qualification {
    /// Its id.
    pub id: QualificationId,
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// What the licence says.
    pub licence: Licence,
    /// How far it has come.
    pub state: State,
    /// What was compared, or why it was refused or withdrawn.
    pub note: Option<String>,
    /// Counts the changes, from 1.
    pub version: i64,
    /// Who claimed it.
    pub claimed_by: String,
    /// When, UTC.
    pub claimed_at: Instant,
    /// Who decided last, and when, UTC.
    pub decided: Option<(String, Instant)>,
}

impl Qualification {
    /// Whether its last day lies before `today`, a date of the ward.
    pub fn has_expired(&self, today: NaiveDate) -> bool {
        self.licence.valid_to.is_some_and(|last| last < today)
    }

    /// Whether it counts on a day: verified, begun, and not expired.
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.state == State::Verified && self.licence.valid_from <= day && !self.has_expired(day)
    }
}

/// Checks what a licence says; every fault is listed.
///
/// # Errors
/// [`crate::web::problem::INVALID`] with the place of every fault.
pub fn licence(entered: &Entered) -> Result<Licence, Refusal> {
    let mut form = Form::new();
    if !is_code(&entered.kind) {
        form.object(
            "/kind",
            Text::fixed(
                "应为 2 至 40 个小写字母、数字或下划线",
                "must be 2 to 40 lower-case letters, digits and underscores",
            ),
        );
    }
    let issuer = form.line("/issuer", &entered.issuer, NAME_LENGTH_MAX);
    let number = form.line("/number", &entered.number, NUMBER_LENGTH_MAX);
    let grade = form.optional_line("/grade", entered.grade.as_deref(), GRADE_LENGTH_MAX);
    let valid_from = form.day("/valid_from", &entered.valid_from);
    let valid_to = entered.valid_to.as_deref().map(|day| form.day("/valid_to", day));
    // A date that is no date has been objected to.
    if valid_to.is_some_and(|last| last < valid_from && last != NaiveDate::MIN) {
        form.object(
            "/valid_to",
            Text::fixed("不得早于起始日期", "must not be before the first day"),
        );
    }
    form.finish(Licence {
        kind: entered.kind.clone(),
        issuer,
        number,
        grade,
        valid_from,
        valid_to,
    })
}

/// A claimed qualification.
pub fn claim(
    id: QualificationId,
    organisation_id: OrganisationId,
    licence: Licence,
    doing: Doing<'_>,
) -> Qualification {
    Qualification {
        id,
        organisation_id,
        licence,
        state: State::Claimed,
        note: None,
        version: 1,
        claimed_by: doing.by.to_owned(),
        claimed_at: doing.at,
        decided: None,
    }
}

/// The qualification in another state: verified or refused if it was claimed, withdrawn if it was claimed or verified.
///
/// # Errors
/// A fault of the text at `pointer`; [`WRONG_STATE`].
pub fn decide(
    qualification: Qualification,
    state: State,
    pointer: &str,
    note: &str,
    doing: Doing<'_>,
) -> Result<Qualification, Refusal> {
    let mut form = Form::new();
    let note = form.line(pointer, note, NOTE_LENGTH_MAX);
    let note = form.finish(note)?;
    let fits = match state {
        State::Verified | State::Refused => qualification.state == State::Claimed,
        State::Withdrawn => matches!(qualification.state, State::Claimed | State::Verified),
        State::Claimed => false,
    };
    if !fits {
        let name = qualification.state.name();
        return Err(WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}")));
    }
    Ok(Qualification {
        state,
        note: Some(note),
        version: qualification.version.saturating_add(1),
        decided: Some((doing.by.to_owned(), doing.at)),
        ..qualification
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entered() -> Entered {
        Entered {
            kind: "city_cleaning".into(),
            issuer: "凤鸣区城市管理局".into(),
            number: "凤环卫字 2026-007".into(),
            grade: None,
            valid_from: "2026-01-01".into(),
            valid_to: Some("2028-12-31".into()),
        }
    }

    fn doing(by: &str) -> Doing<'_> {
        Doing {
            by,
            at: chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
        }
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn claimed() -> Qualification {
        let now = doing("user_a").at;
        claim(
            QualificationId::mint(now),
            OrganisationId::mint(now),
            licence(&entered()).unwrap(),
            doing("user_a"),
        )
    }

    #[test]
    fn every_fault_of_a_licence_is_listed() {
        let pointers = |entered: &Entered| -> Vec<String> {
            licence(entered)
                .err()
                .map(|refusal| refusal.objections.into_iter().map(|one| one.pointer).collect())
                .unwrap_or_default()
        };
        assert!(pointers(&entered()).is_empty());
        let wrong = Entered {
            kind: "City Cleaning".into(),
            issuer: String::new(),
            number: "=1".into(),
            grade: Some("\u{202e}".into()),
            valid_from: "2026-02-30".into(),
            valid_to: Some("soon".into()),
        };
        assert_eq!(
            pointers(&wrong),
            [
                "/kind",
                "/issuer",
                "/number",
                "/grade",
                "/valid_from",
                "/valid_to"
            ]
        );
        let backward = Entered {
            valid_to: Some("2025-12-31".into()),
            ..entered()
        };
        assert_eq!(pointers(&backward), ["/valid_to"]);
    }

    #[test]
    fn a_licence_holds_through_its_last_day() {
        let verified = decide(claimed(), State::Verified, "/evidence", "原件", doing("user_b")).unwrap();
        assert!(!verified.holds_on(day("2025-12-31")) && verified.holds_on(day("2026-01-01")));
        assert!(verified.holds_on(day("2028-12-31")) && !verified.has_expired(day("2028-12-31")));
        assert!(!verified.holds_on(day("2029-01-01")) && verified.has_expired(day("2029-01-01")));
        assert!(!claimed().holds_on(day("2026-06-01")));
    }

    #[test]
    fn what_was_decided_is_not_decided_again() {
        let go = |from: Qualification, state| decide(from, state, "/reason", "x", doing("user_b"));
        let verified = go(claimed(), State::Verified).unwrap();
        let refused = go(claimed(), State::Refused).unwrap();
        let withdrawn = go(verified.clone(), State::Withdrawn).unwrap();
        assert!(go(claimed(), State::Withdrawn).is_ok());
        for (from, state) in [
            (&verified, State::Verified),
            (&verified, State::Refused),
            (&refused, State::Verified),
            (&refused, State::Withdrawn),
            (&withdrawn, State::Verified),
            (&withdrawn, State::Withdrawn),
            (&withdrawn, State::Claimed),
        ] {
            assert_eq!(
                go(from.clone(), state).unwrap_err().reason.code,
                "qualification_wrong_state"
            );
        }
        assert_eq!(
            decide(claimed(), State::Verified, "/evidence", " ", doing("user_b"))
                .unwrap_err()
                .objections[0]
                .pointer,
            "/evidence"
        );
    }

    #[test]
    fn known_kinds_have_codes_of_their_own() {
        let mut codes: Vec<_> = KNOWN.iter().map(|kind| kind.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), KNOWN.len());
        assert!(known_kind("city_cleaning").is_some() && known_kind("tea").is_none());
    }
}
