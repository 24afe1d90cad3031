//! The rules of intention notices (采购意向): what a body plans to buy, public well before the book. A notice is written by one
//! person and published by another; once published it is only ever corrected by a further version with a reason, or withdrawn.
//! Pure.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::rules_planning::{
    Item, OVERVIEW_LENGTH_MAX, TITLE_LENGTH_MAX, lines, passages, reason as read_reason,
};
use crate::kernel::clock::Instant;
use crate::kernel::local_day::local_date;
use crate::kernel::money::Money;
use crate::kernel::party::{AreaId, OrganisationId};
use crate::kernel::refusal::{Answer, Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_organisations::Doing;
use crate::registry::rules_text::Form;
use crate::statutes::codes::PLANNING_INTENTION_NOTICE_DAYS_MIN;
use crate::statutes::profile::Profile;
use crate::text;

crate::ids! {
    /// An intention notice.
    IntentionId "intention"
}

/// Areas of one notice.
pub const AREAS_MAX: usize = 50;
/// Characters of a contact line.
pub const CONTACT_LENGTH_MAX: usize = 200;
/// Versions of one notice.
pub const VERSIONS_MAX: i64 = 50;

/// The notice is not in the state for this.
pub static WRONG_STATE: Reason = Reason::new(
    Kind::Conflict,
    "intention_wrong_state",
    "该采购意向的状态不允许此操作",
    "The intention notice is not in the state for this",
);
/// There is nothing to publish.
pub static NO_DRAFT: Reason = Reason::new(
    Kind::Conflict,
    "intention_no_draft",
    "没有待发布的草稿",
    "There is no draft to publish",
);
/// The month in which the purchase is expected is over.
pub static MONTH_PAST: Reason = Reason::new(
    Kind::Conflict,
    "intention_month_past",
    "预计采购月份已过",
    "The expected month of purchase is over",
);
/// It has been corrected too often.
pub static TOO_MANY_VERSIONS: Reason = Reason::new(
    Kind::Conflict,
    "intention_versions_too_many",
    "该采购意向的版本过多，请撤回并另行发布",
    "The intention notice has too many versions; withdraw it and publish another",
);
/// An area that there is not.
pub static AREA_UNKNOWN: Reason = Reason::new(
    Kind::Invalid,
    "intention_area_unknown",
    "没有该区域",
    "There is no such area",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 5] = [
    &WRONG_STATE,
    &NO_DRAFT,
    &MONTH_PAST,
    &TOO_MANY_VERSIONS,
    &AREA_UNKNOWN,
];

/// How far a notice has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = IntentionState)]
pub enum State {
    /// Nothing of it is public.
    Draft,
    /// Public.
    Published,
    /// Nothing is planned any more; it stays public.
    Withdrawn,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Draft, Self::Published, Self::Withdrawn];
    /// Those that everyone sees.
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

/// A month of a year, written `2026-05`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// The month that a day lies in.
    pub fn of(day: NaiveDate) -> Self {
        Self {
            year: day.year(),
            month: day.month(),
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// Why a text is no month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a month is written like 2026-05")]
pub struct NoMonth;

impl FromStr for Month {
    type Err = NoMonth;

    fn from_str(text: &str) -> Result<Self, NoMonth> {
        crate::registry::rules_text::day_of(&format!("{text}-01"))
            .map(Self::of)
            .ok_or(NoMonth)
    }
}

/// What a version of a notice says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The category of services.
    pub category: String,
    /// Where the service is for, without repetition.
    pub area_ids: Vec<AreaId>,
    /// Its title.
    pub title: Text,
    /// What is needed.
    pub overview: Text,
    /// For how much.
    pub budget: Money,
    /// When it is to be bought.
    pub expected_month: Month,
    /// Whom to ask.
    pub contact: String,
}

/// A notice as it is entered.
#[derive(Clone, Debug)]
pub struct Entered {
    /// The category of services.
    pub category: String,
    /// Where the service is for.
    pub area_ids: Vec<AreaId>,
    /// Its title, in Chinese and English.
    pub title: (String, String),
    /// What is needed, in Chinese and English.
    pub overview: (String, String),
    /// For how much.
    pub budget: Money,
    /// When it is to be bought.
    pub expected_month: String,
    /// Whom to ask.
    pub contact: String,
    /// Why it is corrected, in Chinese and English.
    pub reason: Option<(String, String)>,
}

/// One version of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its number, from 1.
    pub number: i64,
    /// What it says.
    pub content: Content,
    /// Why it takes the place of the one before; none of the first.
    pub reason: Option<Text>,
    /// Who wrote it last.
    pub drafted_by: String,
    /// When.
    pub drafted_at: Instant,
    /// Who published it, and when.
    pub published: Option<(String, Instant)>,
}

/// An intention notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intention {
    /// Its id.
    pub id: IntentionId,
    /// Who plans to buy.
    pub organisation_id: OrganisationId,
    /// How far it has come.
    pub state: State,
    /// Counts the changes, from 1.
    pub revision: i64,
    /// Since when there is a draft of it.
    pub created_at: Instant,
    /// When it was changed last.
    pub updated_at: Instant,
    /// When its first version became public; never moves.
    pub published_at: Option<Instant>,
    /// When it was withdrawn, and why.
    pub withdrawn: Option<(Instant, Text)>,
    /// The last version that was published.
    pub current: Option<Version>,
    /// What is written and not published.
    pub draft: Option<Version>,
}

impl Intention {
    /// The version that is shown: the last one published, or else the draft.
    pub fn shown(&self) -> Option<&Version> {
        self.current.as_ref().or(self.draft.as_ref())
    }
}

/// Checks what was entered.
///
/// # Errors
/// Every fault of it.
pub fn content(entered: &Entered) -> Result<Content, Refusal> {
    let mut form = Form::new();
    let mut area_ids = entered.area_ids.clone();
    area_ids.sort();
    area_ids.dedup();
    if !(1..=AREAS_MAX).contains(&area_ids.len()) || area_ids.len() != entered.area_ids.len() {
        form.object(
            "/area_ids",
            text!(
                "应为 1 至 {AREAS_MAX} 个不同的区域",
                "must name 1 to {AREAS_MAX} different areas"
            ),
        );
    }
    let [title, overview] = [&entered.title, &entered.overview].map(|(zh, en)| (zh.as_str(), en.as_str()));
    let title = lines(&mut form, "title", title, TITLE_LENGTH_MAX);
    let overview = passages(&mut form, "overview", overview, OVERVIEW_LENGTH_MAX);
    if entered.budget <= Money::ZERO {
        form.object("/budget", Text::fixed("金额必须大于零", "must be more than zero"));
    }
    let expected_month = entered.expected_month.parse().unwrap_or_else(|_| {
        form.object(
            "/expected_month",
            Text::fixed("应为月份，如 2026-05", "must be a month, like 2026-05"),
        );
        Month::of(NaiveDate::MIN)
    });
    let contact = form.line("/contact", &entered.contact, CONTACT_LENGTH_MAX);
    form.finish(Content {
        category: entered.category.clone(),
        area_ids,
        title,
        overview,
        budget: entered.budget,
        expected_month,
        contact,
    })
}

/// Begins a notice.
///
/// # Errors
/// Every fault of what was entered.
pub fn draft(
    id: IntentionId,
    organisation_id: OrganisationId,
    entered: &Entered,
    doing: Doing<'_>,
) -> Result<Intention, Refusal> {
    let first = version(1, content(entered)?, None, doing);
    Ok(Intention {
        id,
        organisation_id,
        state: State::Draft,
        revision: 1,
        created_at: doing.at,
        updated_at: doing.at,
        published_at: None,
        withdrawn: None,
        current: None,
        draft: Some(first),
    })
}

fn version(number: i64, content: Content, reason: Option<Text>, doing: Doing<'_>) -> Version {
    Version {
        number,
        content,
        reason,
        drafted_by: doing.by.to_owned(),
        drafted_at: doing.at,
        published: None,
    }
}

/// Writes the draft anew; of a notice that is public, begins a correction or writes it anew.
///
/// # Errors
/// [`WRONG_STATE`] once it is withdrawn; [`TOO_MANY_VERSIONS`]; every fault of what was entered, among them that a correction has
/// no reason.
pub fn rewrite(intention: Intention, entered: &Entered, doing: Doing<'_>) -> Result<Intention, Refusal> {
    if intention.state == State::Withdrawn {
        return Err(WRONG_STATE.refuse());
    }
    let published = intention.current.as_ref().map_or(0, |current| current.number);
    let number = published.saturating_add(1);
    if number > VERSIONS_MAX {
        return Err(TOO_MANY_VERSIONS.refuse());
    }
    let reason = match &entered.reason {
        Some((zh, en)) if published > 0 => Some(read_reason(zh, en)?),
        None if published > 0 => Some(read_reason("", "")?),
        _ => None,
    };
    let draft = version(number, content(entered)?, reason, doing);
    Ok(Intention {
        draft: Some(draft),
        revision: intention.revision.saturating_add(1),
        updated_at: doing.at,
        ..intention
    })
}

/// Publishes the draft.
///
/// # Errors
/// [`WRONG_STATE`] once the notice is withdrawn; [`NO_DRAFT`]; [`MONTH_PAST`] if it is expected before `today`.
pub fn publish(intention: Intention, today: NaiveDate, doing: Doing<'_>) -> Result<Intention, Refusal> {
    if intention.state == State::Withdrawn {
        return Err(WRONG_STATE.refuse());
    }
    let Some(draft) = intention.draft else {
        return Err(NO_DRAFT.refuse());
    };
    if draft.content.expected_month < Month::of(today) {
        return Err(MONTH_PAST.refuse().at("/expected_month"));
    }
    Ok(Intention {
        state: State::Published,
        published_at: intention.published_at.or(Some(doing.at)),
        current: Some(Version {
            published: Some((doing.by.to_owned(), doing.at)),
            ..draft
        }),
        draft: None,
        revision: intention.revision.saturating_add(1),
        updated_at: doing.at,
        ..intention
    })
}

/// Withdraws a public notice. What is written of a correction stays unpublished.
///
/// # Errors
/// [`WRONG_STATE`]; every fault of the reason.
pub fn withdraw(
    intention: Intention,
    (zh, en): (&str, &str),
    doing: Doing<'_>,
) -> Result<Intention, Refusal> {
    if intention.state != State::Published {
        return Err(WRONG_STATE.refuse());
    }
    let reason = read_reason(zh, en)?;
    Ok(Intention {
        state: State::Withdrawn,
        withdrawn: Some((doing.at, reason)),
        revision: intention.revision.saturating_add(1),
        updated_at: doing.at,
        ..intention
    })
}

/// Whether a notice was public for long enough before its book: so many days lie between the two local dates (财库〔2020〕10号). A
/// correction does not begin them anew, because `published_at` never moves.
///
/// # Errors
/// A refusal if the profile does not set the rule. The inner one says what is not held.
pub fn lead_time_held(
    published_at: Instant,
    book_published_at: Instant,
    zone: Tz,
    profile: &Profile,
) -> Answer<Result<(), Item>> {
    let days_min = i64::from(profile.rule(PLANNING_INTENTION_NOTICE_DAYS_MIN)?.0);
    let (from, until) = (
        local_date(published_at, zone),
        local_date(book_published_at, zone),
    );
    let days = until.signed_duration_since(from).num_days();
    if days >= days_min {
        return Ok(Ok(()));
    }
    let detail = text!(
        "采购意向于 {from} 公开，距 {until} 只有 {days} 日，应至少 {days_min} 日",
        "the intention notice became public on {from}, {days} days before {until}; at least {days_min} are needed"
    );
    let rule = PLANNING_INTENTION_NOTICE_DAYS_MIN.code();
    Ok(Err(Item::of(profile, rule, "intention_lead_time", detail)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statutes::built_in;
    use chrono::{TimeZone, Utc};

    fn profile() -> Profile {
        let all = built_in::profiles_for("cn").unwrap();
        all.into_iter().next_back().unwrap()
    }

    fn at(day: u32, hour: u32) -> Instant {
        Utc.with_ymd_and_hms(2026, 3, day, hour, 0, 0).unwrap()
    }

    fn entered() -> Entered {
        Entered {
            category: "sanitation".to_owned(),
            area_ids: vec![AreaId::mint(at(1, 0))],
            title: ("道路保洁".to_owned(), "Street sanitation".to_owned()),
            overview: ("甲\n乙".to_owned(), "A\nB".to_owned()),
            budget: Money::from_fen(1).unwrap(),
            expected_month: "2026-05".to_owned(),
            contact: "王 021-1".to_owned(),
            reason: None,
        }
    }

    fn by(name: &str, day: u32) -> Doing<'_> {
        Doing {
            by: name,
            at: at(day, 0),
        }
    }

    fn begun() -> Intention {
        let now = at(1, 0);
        draft(
            IntentionId::mint(now),
            OrganisationId::mint(now),
            &entered(),
            by("a", 1),
        )
        .unwrap()
    }

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 5, 31).unwrap()
    }

    #[test]
    fn a_month_is_four_digits_and_two() {
        assert_eq!("2026-05".parse::<Month>().unwrap().to_string(), "2026-05");
        for wrong in [
            "2026-13",
            "2026-5",
            "26-05",
            "2026-05-01",
            "",
            "2026/05",
            "1899-01",
        ] {
            assert_eq!(wrong.parse::<Month>(), Err(NoMonth), "{wrong}");
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let wrong = Entered {
            area_ids: Vec::new(),
            title: (String::new(), "=x".to_owned()),
            overview: (String::new(), String::new()),
            budget: Money::ZERO,
            expected_month: "soon".to_owned(),
            contact: "\u{200b}".to_owned(),
            ..entered()
        };
        let faults: Vec<String> = content(&wrong)
            .unwrap_err()
            .objections
            .into_iter()
            .map(|fault| fault.pointer)
            .collect();
        let expected = [
            "/area_ids",
            "/title_zh",
            "/title_en",
            "/overview_zh",
            "/overview_en",
            "/budget",
            "/expected_month",
            "/contact",
        ];
        assert_eq!(faults, expected);
        let twice = vec![AreaId::mint(at(1, 0)); 2];
        assert!(
            content(&Entered {
                area_ids: twice,
                ..entered()
            })
            .is_err()
        );
    }

    #[test]
    fn a_correction_has_a_number_and_a_reason_and_leaves_the_first_day() {
        let published = publish(begun(), today(), by("b", 2)).unwrap();
        assert_eq!(published.published_at, Some(at(2, 0)));
        assert_eq!(
            rewrite(published.clone(), &entered(), by("a", 3))
                .unwrap_err()
                .objections
                .len(),
            2
        );
        let reason = Some(("笔误".to_owned(), "A slip".to_owned()));
        let corrected = rewrite(published, &Entered { reason, ..entered() }, by("a", 3)).unwrap();
        assert_eq!(corrected.shown().map(|version| version.number), Some(1));
        let corrected = publish(corrected, today(), by("b", 4)).unwrap();
        assert_eq!(corrected.shown().map(|version| version.number), Some(2));
        assert_eq!((corrected.published_at, corrected.revision), (Some(at(2, 0)), 4));
        assert_eq!(
            publish(corrected.clone(), today(), by("b", 4))
                .unwrap_err()
                .reason
                .code,
            "intention_no_draft"
        );
        let withdrawn = withdraw(corrected, ("不再采购", "No longer planned"), by("b", 5)).unwrap();
        for refused in [
            withdraw(withdrawn.clone(), ("甲", "A"), by("b", 6)),
            publish(withdrawn.clone(), today(), by("b", 6)),
            rewrite(withdrawn, &entered(), by("b", 6)),
            withdraw(begun(), ("甲", "A"), by("b", 6)),
        ] {
            assert_eq!(refused.unwrap_err().reason.code, "intention_wrong_state");
        }
    }

    #[test]
    fn what_was_to_be_bought_last_month_is_not_published() {
        let june = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
        assert_eq!(
            publish(begun(), june, by("b", 2)).unwrap_err().reason.code,
            "intention_month_past"
        );
    }

    #[test]
    fn the_lead_time_counts_local_days_and_is_cited() {
        let zone = chrono_tz::Asia::Shanghai;
        let held = |from: Instant, until: Instant| lead_time_held(from, until, zone, &profile()).unwrap();
        // 1 March 23:59 local time to 31 March 00:00 local time: 30 days on the calendar.
        assert!(held(at(1, 15), at(30, 16)).is_ok());
        // The same instants an hour later and earlier: 29 days.
        let short = held(at(1, 16), at(30, 16)).unwrap_err();
        assert!(held(at(1, 15), at(30, 15)).is_err());
        assert_eq!(short.rule, "planning.intention_notice_days_min");
        assert!(short.detail.zh().contains("只有 29 日") && short.detail.en().contains("29 days"));
        assert!(
            short
                .citations
                .iter()
                .any(|citation| citation.instrument_zh.contains("10号"))
        );
        // A book before its notice.
        assert!(held(at(30, 0), at(1, 0)).is_err());
    }
}
