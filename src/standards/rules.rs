//! The catalogue's rules: categories, standards and their versions, and which state follows which. A version is a draft that
//! changes freely until it is published; from then on it is never changed again, only withdrawn from further use, which takes
//! nothing from whoever uses it already. Pure.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Kind, Objection, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::Form;
use crate::standards::rules_documents::{CODE_LENGTH_MAX, ContentDocument, NAME_LENGTH_MAX, TEXT_LENGTH_MAX};
use crate::standards::rules_indicators::{Content, Line};
use crate::statutes::profile::Jurisdiction;
use crate::statutes::wording;
use crate::text;
use crate::web::problem::INVALID;

crate::ids! {
    /// A service standard.
    StandardId "standard"
    /// A version of a service standard, which a book keeps.
    StandardVersionId "standardversion"
}

/// Characters of a standard's title.
pub const TITLE_LENGTH_MAX: usize = 200;
/// Characters of a standard's source.
pub const STANDARD_SOURCE_LENGTH_MAX: usize = 500;
/// Bytes of a stored version at most.
pub const CONTENT_BYTES_MAX: usize = 1_048_576;
/// Versions of one standard at most.
pub const VERSIONS_MAX: i64 = 9_999;

/// A category of that code is there.
pub static CATEGORY_TAKEN: Reason = Reason::new(
    Kind::Conflict,
    "service_category_taken",
    "该代码的服务类别已存在",
    "There is a category of that code",
);
/// There is no such category, or it takes no more standards.
pub static CATEGORY_CLOSED: Reason = Reason::new(
    Kind::Conflict,
    "service_category_closed",
    "服务类别不存在或已停用",
    "There is no such category, or it is retired",
);
/// A standard of that code is there.
pub static STANDARD_TAKEN: Reason = Reason::new(
    Kind::Conflict,
    "standard_taken",
    "该代码的服务标准已存在",
    "There is a standard of that code",
);
/// The version is not in a state in which this can be done.
pub static WRONG_STATE: Reason = Reason::new(
    Kind::Conflict,
    "standard_wrong_state",
    "该版本当前状态不允许此操作",
    "The version's state does not allow this",
);
/// A standard has one draft at a time.
pub static DRAFT_OPEN: Reason = Reason::new(
    Kind::Conflict,
    "standard_draft_open",
    "该标准已有一个草案",
    "The standard has a draft already",
);
/// Nothing can be published that demands nothing.
pub static NO_INDICATORS: Reason = Reason::new(
    Kind::Conflict,
    "standard_without_indicators",
    "没有指标的版本不能发布",
    "A version without indicators cannot be published",
);
/// The standard has as many versions as one may have.
pub static TOO_MANY_VERSIONS: Reason = Reason::new(
    Kind::Conflict,
    "standard_versions_too_many",
    "版本数量已达上限",
    "The standard has as many versions as one may have",
);

/// The reasons of this slice.
pub static REASONS: [&Reason; 7] = [
    &CATEGORY_TAKEN,
    &CATEGORY_CLOSED,
    &STANDARD_TAKEN,
    &WRONG_STATE,
    &DRAFT_OPEN,
    &NO_INDICATORS,
    &TOO_MANY_VERSIONS,
];

/// Whether a category takes new standards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ServiceCategoryState)]
pub enum CategoryState {
    /// It does.
    Active,
    /// It does not any more; the standards that are there stay.
    Retired,
}

impl CategoryState {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Active, Self::Retired];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }
}

/// A category of public services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Its code, which never changes.
    pub code: String,
    /// Its name.
    pub name: Line,
    /// Whether it takes new standards.
    pub state: CategoryState,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When it was added, UTC.
    pub created_at: Instant,
    /// When it was last changed, UTC.
    pub updated_at: Instant,
}

/// A service standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standard {
    /// Its id.
    pub id: StandardId,
    /// The code of its category.
    pub category: String,
    /// Its code, which never changes.
    pub code: String,
    /// Where it holds: `cn`, `cn-31`.
    pub jurisdiction: String,
    /// Its title.
    pub title: Line,
    /// Where its figures come from.
    pub source: Line,
    /// Counts the changes of title and source, from 1.
    pub version: i64,
    /// When it was added, UTC.
    pub created_at: Instant,
    /// When it was last changed, UTC.
    pub updated_at: Instant,
}

/// How far a version has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StandardVersionState)]
pub enum State {
    /// It is being written, and seen by those who keep standards only.
    Draft,
    /// It is public, never changes again, and books may take it.
    Published,
    /// It is public, and no new book may take it; those that have it keep it.
    Withdrawn,
}

impl State {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Draft, Self::Published, Self::Withdrawn];
    /// Those that everyone may see.
    pub const PUBLIC: [Self; 2] = [Self::Published, Self::Withdrawn];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A version of a standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its id, which a book keeps.
    pub id: StandardVersionId,
    /// Of which standard.
    pub standard_id: StandardId,
    /// Counts the versions of the standard, from 1.
    pub number: i64,
    /// How far it has come.
    pub state: State,
    /// True if it came with the program.
    pub built_in: bool,
    /// What it says.
    pub content: Content,
    /// SHA-256 of the stored bytes, as the log has it once it is published.
    pub sha256: [u8; 32],
    /// Counts the changes, from 1.
    pub revision: i64,
    /// When it was begun, UTC.
    pub created_at: Instant,
    /// When it was last changed, UTC.
    pub updated_at: Instant,
    /// When it was published, UTC.
    pub published_at: Option<Instant>,
    /// When it was withdrawn, UTC, and why.
    pub withdrawn: Option<(Instant, Line)>,
}

/// The hash of a version's stored bytes.
pub fn sha256(content: &str) -> [u8; 32] {
    Sha256::digest(content.as_bytes()).into()
}

fn code(form: &mut Form, pointer: &str, code: &str) -> String {
    if let Err(why) = wording::word(code, CODE_LENGTH_MAX) {
        form.object(pointer, why);
    }
    code.to_owned()
}

fn line(form: &mut Form, field: &str, (zh, en): (&str, &str), length_max: usize) -> Line {
    Line {
        zh: form.line(&format!("/{field}_zh"), zh, length_max),
        en: form.line(&format!("/{field}_en"), en, length_max),
    }
}

/// A category to add.
///
/// # Errors
/// [`INVALID`] with every fault.
pub fn category(entered: &str, name: (&str, &str), now: Instant) -> Result<Category, Refusal> {
    let mut form = Form::new();
    let category = Category {
        code: code(&mut form, "/code", entered),
        name: line(&mut form, "name", name, NAME_LENGTH_MAX),
        state: CategoryState::Active,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    form.finish(category)
}

/// The category with another name or state; `None` if that is how it is.
///
/// # Errors
/// [`INVALID`] with every fault.
pub fn change_category(
    before: Category,
    name: (&str, &str),
    state: CategoryState,
    now: Instant,
) -> Result<Option<Category>, Refusal> {
    let mut form = Form::new();
    let name = line(&mut form, "name", name, NAME_LENGTH_MAX);
    let name = form.finish(name)?;
    if name == before.name && state == before.state {
        return Ok(None);
    }
    Ok(Some(Category {
        name,
        state,
        version: before.version.saturating_add(1),
        updated_at: now,
        ..before
    }))
}

/// What is said of a standard.
#[derive(Clone, Copy, Debug)]
pub struct Entered<'a> {
    /// Its code.
    pub code: &'a str,
    /// Where it holds.
    pub jurisdiction: &'a str,
    /// Its title in both languages.
    pub title: (&'a str, &'a str),
    /// Its source in both languages.
    pub source: (&'a str, &'a str),
}

/// A standard to add to a category.
///
/// # Errors
/// [`INVALID`] with every fault.
pub fn standard(
    id: StandardId,
    category: &str,
    entered: Entered<'_>,
    now: Instant,
) -> Result<Standard, Refusal> {
    let mut form = Form::new();
    if entered.jurisdiction.parse::<Jurisdiction>().is_err() {
        let detail = Text::fixed("应写作 cn 或 cn-31", "must be written like cn or cn-31");
        form.object("/jurisdiction", detail);
    }
    let standard = Standard {
        id,
        category: category.to_owned(),
        code: code(&mut form, "/code", entered.code),
        jurisdiction: entered.jurisdiction.to_owned(),
        title: line(&mut form, "title", entered.title, TITLE_LENGTH_MAX),
        source: line(&mut form, "source", entered.source, STANDARD_SOURCE_LENGTH_MAX),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    form.finish(standard)
}

/// The standard with another title or source; `None` if that is how it is.
///
/// # Errors
/// [`INVALID`] with every fault.
pub fn retitle(
    before: Standard,
    title: (&str, &str),
    source: (&str, &str),
    now: Instant,
) -> Result<Option<Standard>, Refusal> {
    let mut form = Form::new();
    let title = line(&mut form, "title", title, TITLE_LENGTH_MAX);
    let source = line(&mut form, "source", source, STANDARD_SOURCE_LENGTH_MAX);
    let (title, source) = form.finish((title, source))?;
    if title == before.title && source == before.source {
        return Ok(None);
    }
    Ok(Some(Standard {
        title,
        source,
        version: before.version.saturating_add(1),
        updated_at: now,
        ..before
    }))
}

/// What a draft is to say, checked.
///
/// # Errors
/// [`INVALID`] with every fault.
pub fn content(document: &ContentDocument) -> Result<Content, Refusal> {
    Content::checked(document).map_err(|faults: Vec<Objection>| INVALID.refuse().listing(faults))
}

/// A draft, which begins as a copy of `content`; `last` is the highest number that the standard has given.
///
/// # Errors
/// [`TOO_MANY_VERSIONS`].
pub fn draft(
    id: StandardVersionId,
    standard_id: StandardId,
    last: i64,
    content: Content,
    now: Instant,
) -> Result<Version, Refusal> {
    if last >= VERSIONS_MAX {
        return Err(TOO_MANY_VERSIONS.refuse());
    }
    Ok(Version {
        id,
        standard_id,
        number: last.saturating_add(1),
        state: State::Draft,
        built_in: false,
        content,
        // Set when it is written out.
        sha256: [0; 32],
        revision: 1,
        created_at: now,
        updated_at: now,
        published_at: None,
        withdrawn: None,
    })
}

fn in_state(version: &Version, wanted: State) -> Result<(), Refusal> {
    if version.state == wanted {
        return Ok(());
    }
    let name = version.state.name();
    Err(WRONG_STATE.because(text!("当前状态为 {name}", "its state is {name}")))
}

/// The draft with other content; `None` if it says that already.
///
/// # Errors
/// [`WRONG_STATE`] unless it is a draft.
pub fn rewrite(before: Version, content: Content, now: Instant) -> Result<Option<Version>, Refusal> {
    in_state(&before, State::Draft)?;
    // Not the content itself: `4` and `4.0` are the same amount, and yet another text.
    if content.document() == before.content.document() {
        return Ok(None);
    }
    Ok(Some(Version {
        content,
        revision: before.revision.saturating_add(1),
        updated_at: now,
        ..before
    }))
}

/// The draft as it is from now on.
///
/// # Errors
/// [`WRONG_STATE`] unless it is a draft; [`NO_INDICATORS`].
pub fn publish(before: Version, now: Instant) -> Result<Version, Refusal> {
    in_state(&before, State::Draft)?;
    if before.content.indicators.is_empty() {
        return Err(NO_INDICATORS.refuse());
    }
    Ok(Version {
        state: State::Published,
        revision: before.revision.saturating_add(1),
        updated_at: now,
        published_at: Some(now),
        ..before
    })
}

/// Whether a version may be given up.
///
/// # Errors
/// [`WRONG_STATE`] unless it is a draft.
pub fn may_discard(version: &Version) -> Result<(), Refusal> {
    in_state(version, State::Draft)
}

/// The published version, taken from further use.
///
/// # Errors
/// [`WRONG_STATE`] unless it is published; [`INVALID`] for a reason that is none.
pub fn withdraw(before: Version, reason: (&str, &str), now: Instant) -> Result<Version, Refusal> {
    let mut form = Form::new();
    let reason = line(&mut form, "reason", reason, TEXT_LENGTH_MAX);
    let reason = form.finish(reason)?;
    in_state(&before, State::Published)?;
    Ok(Version {
        state: State::Withdrawn,
        revision: before.revision.saturating_add(1),
        updated_at: now,
        withdrawn: Some((now, reason)),
        ..before
    })
}

/// What a standard that came with the program has come to in this ward.
#[derive(Clone, Debug)]
pub enum Standing {
    /// Nobody has it yet.
    Missing,
    /// It is there, and `newest` is its newest version that is no draft.
    There(Box<Option<Version>>),
}

/// Whether what the program brings along is to be added: to a ward that does not have it, or as the next version of one that has
/// an older one of the program's own. Never after a version that somebody here has published.
pub fn built_in_is_due(standing: &Standing, content: &Content) -> bool {
    match standing {
        Standing::Missing => true,
        Standing::There(newest) => newest
            .as_ref()
            .as_ref()
            .is_some_and(|newest| newest.built_in && newest.content != *content),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standards::built_in;

    fn now() -> Instant {
        chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap()
    }

    fn version(content: Content) -> Version {
        draft(
            StandardVersionId::mint(now()),
            StandardId::mint(now()),
            0,
            content,
            now(),
        )
        .unwrap()
    }

    fn some_content() -> Content {
        built_in::catalogue().unwrap().remove(0).content
    }

    #[test]
    fn a_version_goes_one_way_and_only_a_draft_changes() {
        let empty = version(Content::default());
        assert_eq!(
            publish(empty.clone(), now()).unwrap_err().reason.code,
            "standard_without_indicators"
        );
        let written = rewrite(empty, some_content(), now()).unwrap().unwrap();
        assert_eq!(written.revision, 2);
        assert_eq!(rewrite(written.clone(), some_content(), now()).unwrap(), None);
        let published = publish(written.clone(), now()).unwrap();
        let withdrawn = withdraw(published.clone(), ("停用", "no longer used"), now()).unwrap();
        assert_eq!((published.revision, withdrawn.revision), (3, 4));
        assert_eq!(
            withdrawn.content, written.content,
            "whoever uses it keeps what it says"
        );
        let wrong = |refused: Result<Version, Refusal>| {
            assert_eq!(refused.unwrap_err().reason.code, "standard_wrong_state")
        };
        for later in [&published, &withdrawn] {
            wrong(publish(later.clone(), now()));
            wrong(rewrite(later.clone(), Content::default(), now()).map(Option::unwrap));
        }
        for early in [&written, &withdrawn] {
            wrong(withdraw(early.clone(), ("停用", "no longer used"), now()));
        }
        assert_eq!(
            withdraw(published, ("", "x"), now()).unwrap_err().objections[0].pointer,
            "/reason_zh"
        );
        let last = draft(
            StandardVersionId::mint(now()),
            StandardId::mint(now()),
            VERSIONS_MAX,
            Content::default(),
            now(),
        );
        assert_eq!(last.unwrap_err().reason.code, "standard_versions_too_many");
    }

    #[test]
    fn what_the_program_brings_along_never_overrides_a_keeper() {
        let content = some_content();
        let older = version(Content {
            indicators: content.indicators[1..].to_vec(),
            ..content.clone()
        });
        let built_in = |version: Version| Version {
            built_in: true,
            ..version
        };
        let there = |newest: Option<Version>| Standing::There(Box::new(newest));
        assert!(built_in_is_due(&Standing::Missing, &content));
        assert!(built_in_is_due(&there(Some(built_in(older.clone()))), &content));
        assert!(!built_in_is_due(&there(Some(older)), &content), "a keeper's own");
        assert!(
            !built_in_is_due(&there(Some(built_in(version(content.clone())))), &content),
            "it is there"
        );
        assert!(
            !built_in_is_due(&there(None), &content),
            "somebody is writing one under that code"
        );
    }

    #[test]
    fn what_is_entered_is_judged_whole() {
        let refused = category("Big", ("", "=x"), now()).unwrap_err();
        let pointers: Vec<_> = refused
            .objections
            .iter()
            .map(|one| one.pointer.as_str())
            .collect();
        assert_eq!(pointers, ["/code", "/name_zh", "/name_en"]);
        let entered = Entered {
            code: "0",
            jurisdiction: "China",
            title: ("", "x"),
            source: ("x", ""),
        };
        let refused = standard(StandardId::mint(now()), "greening", entered, now()).unwrap_err();
        let pointers: Vec<_> = refused
            .objections
            .iter()
            .map(|one| one.pointer.as_str())
            .collect();
        assert_eq!(pointers, ["/jurisdiction", "/code", "/title_zh", "/source_en"]);
        let known = category("lifts", ("电梯", "Lifts"), now()).unwrap();
        assert_eq!(
            change_category(known.clone(), ("电梯", "Lifts"), CategoryState::Active, now()),
            Ok(None)
        );
        let retired = change_category(known, ("电梯", "Lifts"), CategoryState::Retired, now())
            .unwrap()
            .unwrap();
        assert_eq!((retired.version, retired.state), (2, CategoryState::Retired));
    }
}
