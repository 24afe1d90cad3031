//! The rules of consultation records (需求论证): what a body asked, and whom, before it settled what it needs. A record is written by
//! one person, reviewed by others, and concluded by another; from then on nothing of it changes. Names of people are private to those
//! who may read the record. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::rules_planning::{Item, OVERVIEW_LENGTH_MAX, TITLE_LENGTH_MAX, lines, passages};
use crate::kernel::clock::Instant;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Kind, Objection, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_organisations::Doing;
use crate::registry::rules_text::Form;
use crate::statutes::codes::PLANNING_CONSULTATION_RECORD_REQUIRED;
use crate::statutes::profile::Profile;
use crate::text;

crate::ids! {
    /// A record of consultation.
    ConsultationId "consultation"
}

/// Entries of who was consulted.
pub const CONSULTED_MAX: usize = 30;
/// Reviewers without an account.
pub const OUTSIDERS_MAX: usize = 20;
/// Characters of an opinion, in either language.
pub const OPINION_LENGTH_MAX: usize = 1_000;
/// Characters of who it was, in either language.
pub const WHO_LENGTH_MAX: usize = 200;
/// Characters of a conclusion, in either language.
pub const CONCLUSION_LENGTH_MAX: usize = 2_000;
/// Minutes of one consultation.
pub const MINUTES_MAX: usize = 20;

/// The record is not in the state for this.
pub static WRONG_STATE: Reason = Reason::new(
    Kind::Conflict,
    "consultation_wrong_state",
    "该论证记录的状态不允许此操作",
    "The record of consultation is not in the state for this",
);
/// What was reviewed does not become something else.
pub static REVIEWED: Reason = Reason::new(
    Kind::Conflict,
    "consultation_reviewed",
    "已有评审意见，名称、品目和需求不得再改",
    "It has been reviewed: title, category and need stay as they are",
);
/// Somebody has given their opinion already.
pub static REVIEWED_ALREADY: Reason = Reason::new(
    Kind::Conflict,
    "consultation_reviewed_already",
    "您已提交过评审意见",
    "You have given your opinion already",
);
/// Something that a conclusion needs is not there.
pub static INCOMPLETE: Reason = Reason::new(
    Kind::Conflict,
    "consultation_incomplete",
    "征求意见对象、评审人和会议记录齐备后方可形成结论",
    "A conclusion needs people who were consulted, reviewers and minutes",
);
/// As many minutes hang on it as may.
pub static TOO_MANY_MINUTES: Reason = Reason::new(
    Kind::Conflict,
    "consultation_minutes_too_many",
    "会议记录数量已达上限",
    "As many minutes hang on this as may",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 5] = [
    &WRONG_STATE,
    &REVIEWED,
    &REVIEWED_ALREADY,
    &INCOMPLETE,
    &TOO_MANY_MINUTES,
];

/// How far a record has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConsultationState)]
pub enum State {
    /// It is being written.
    Draft,
    /// It says what came of it, and never changes again.
    Concluded,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Draft, Self::Concluded];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Concluded => "concluded",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// In what way somebody was consulted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConsultedKind)]
pub enum ConsultedKind {
    /// A survey of what the market offers.
    MarketSurvey,
    /// Those whom the service is for.
    Users,
    /// People who know the trade.
    Experts,
}

/// Somebody who was consulted, and what they said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consulted {
    /// In what way.
    pub kind: ConsultedKind,
    /// Who it was, in Chinese.
    #[schema(min_length = 1, max_length = 200, example = "槐荫社区居民代表 12 人")]
    pub who_zh: String,
    /// Who it was, in English.
    #[schema(min_length = 1, max_length = 200, example = "12 representatives of residents")]
    pub who_en: String,
    /// What they said, in Chinese.
    #[schema(min_length = 1, max_length = 1000, example = "建议增加夜间保洁")]
    pub opinion_zh: String,
    /// What they said, in English.
    #[schema(
        min_length = 1,
        max_length = 1000,
        example = "They ask for cleaning at night as well"
    )]
    pub opinion_en: String,
}

/// A reviewer without an account. The name is shown to whoever may read the record, and to nobody else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OutsideReviewer)]
pub struct Outsider {
    /// The person's name.
    #[schema(min_length = 1, max_length = 100, example = "方圆")]
    pub name: String,
    /// In what capacity, in Chinese.
    #[schema(min_length = 1, max_length = 200, example = "环卫专家")]
    pub role_zh: String,
    /// In what capacity, in English.
    #[schema(min_length = 1, max_length = 200, example = "expert in street cleaning")]
    pub role_en: String,
    /// What they think, in Chinese.
    #[schema(min_length = 1, max_length = 1000, example = "需求合理")]
    pub opinion_zh: String,
    /// What they think, in English.
    #[schema(min_length = 1, max_length = 1000, example = "The need is reasonable")]
    pub opinion_en: String,
}

/// What a record says before it is concluded. Has no `Debug`: it names people.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// The category of services.
    pub category: String,
    /// Its title.
    pub title: Text,
    /// What is needed.
    pub need: Text,
    /// Who was consulted.
    pub consulted: Vec<Consulted>,
    /// Reviewers without an account.
    pub outsiders: Vec<Outsider>,
}

/// A record as it is entered.
#[derive(Clone)]
pub struct Entered {
    /// The category of services.
    pub category: String,
    /// Its title, in Chinese and English.
    pub title: (String, String),
    /// What is needed, in Chinese and English.
    pub need: (String, String),
    /// Who was consulted.
    pub consulted: Vec<Consulted>,
    /// Reviewers without an account.
    pub outsiders: Vec<Outsider>,
}

/// What a reviewer with an account said.
#[derive(Clone, PartialEq, Eq)]
pub struct Review {
    /// Who.
    pub account_id: String,
    /// What.
    pub opinion: Text,
    /// When.
    pub at: Instant,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Conclusion {
    /// In words.
    pub said: Text,
    /// On which day.
    pub on: NaiveDate,
    /// Who entered it.
    pub by: String,
    /// When.
    pub at: Instant,
}

/// A record of consultation. Has no `Debug`: it names people.
#[derive(Clone, PartialEq, Eq)]
pub struct Consultation {
    /// Its id.
    pub id: ConsultationId,
    /// Whose need it is.
    pub organisation_id: OrganisationId,
    /// What it says.
    pub content: Content,
    /// What reviewers with an account said, oldest first.
    pub reviews: Vec<Review>,
    /// What came of it.
    pub conclusion: Option<Conclusion>,
    /// Counts the changes, from 1.
    pub revision: i64,
    /// Who began it.
    pub drafted_by: String,
    /// When.
    pub drafted_at: Instant,
    /// When it was changed last.
    pub updated_at: Instant,
}

impl Consultation {
    /// How far it has come.
    pub fn state(&self) -> State {
        if self.conclusion.is_some() {
            State::Concluded
        } else {
            State::Draft
        }
    }
}

/// Checks what was entered.
///
/// # Errors
/// Every fault of it.
pub fn content(entered: &Entered) -> Result<Content, Refusal> {
    let mut form = Form::new();
    let pair = |(zh, en): &'_ (String, String)| (zh.clone(), en.clone());
    let (title, need) = (pair(&entered.title), pair(&entered.need));
    let title = lines(&mut form, "title", (&title.0, &title.1), TITLE_LENGTH_MAX);
    let need = passages(&mut form, "need", (&need.0, &need.1), OVERVIEW_LENGTH_MAX);
    let mut few = |pointer: &str, length: usize, max: usize| {
        if length > max {
            form.object(pointer, text!("最多 {max} 项", "at most {max} items"));
        }
    };
    few("/consulted", entered.consulted.len(), CONSULTED_MAX);
    few("/outsiders", entered.outsiders.len(), OUTSIDERS_MAX);
    let mut consulted = Vec::new();
    for (at, one) in entered.consulted.iter().take(CONSULTED_MAX).enumerate() {
        let at = format!("consulted/{at}");
        let who = lines(
            &mut form,
            &format!("{at}/who"),
            (&one.who_zh, &one.who_en),
            WHO_LENGTH_MAX,
        );
        let said = opinion(&mut form, &at, (&one.opinion_zh, &one.opinion_en));
        consulted.push(Consulted {
            kind: one.kind,
            who_zh: who.zh().to_owned(),
            who_en: who.en().to_owned(),
            opinion_zh: said.zh().to_owned(),
            opinion_en: said.en().to_owned(),
        });
    }
    let mut outsiders = Vec::new();
    for (at, one) in entered.outsiders.iter().take(OUTSIDERS_MAX).enumerate() {
        let at = format!("outsiders/{at}");
        let role = lines(
            &mut form,
            &format!("{at}/role"),
            (&one.role_zh, &one.role_en),
            WHO_LENGTH_MAX,
        );
        let said = opinion(&mut form, &at, (&one.opinion_zh, &one.opinion_en));
        outsiders.push(Outsider {
            name: form.line(&format!("/{at}/name"), &one.name, 100),
            role_zh: role.zh().to_owned(),
            role_en: role.en().to_owned(),
            opinion_zh: said.zh().to_owned(),
            opinion_en: said.en().to_owned(),
        });
    }
    form.finish(Content {
        category: entered.category.clone(),
        title,
        need,
        consulted,
        outsiders,
    })
}

fn opinion(form: &mut Form, at: &str, said: (&str, &str)) -> Text {
    passages(form, &format!("{at}/opinion"), said, OPINION_LENGTH_MAX)
}

/// Begins a record.
///
/// # Errors
/// Every fault of what was entered.
pub fn draft(
    id: ConsultationId,
    organisation_id: OrganisationId,
    entered: &Entered,
    doing: Doing<'_>,
) -> Result<Consultation, Refusal> {
    Ok(Consultation {
        id,
        organisation_id,
        content: content(entered)?,
        reviews: Vec::new(),
        conclusion: None,
        revision: 1,
        drafted_by: doing.by.to_owned(),
        drafted_at: doing.at,
        updated_at: doing.at,
    })
}

/// Writes a record anew. What was reviewed stays as it was.
///
/// # Errors
/// [`WRONG_STATE`] once it is concluded; every fault of what was entered; [`REVIEWED`].
pub fn rewrite(before: Consultation, entered: &Entered, doing: Doing<'_>) -> Result<Consultation, Refusal> {
    let before = open(before)?;
    let content = content(entered)?;
    let known = &before.content;
    let same =
        content.title == known.title && content.category == known.category && content.need == known.need;
    if !same && !before.reviews.is_empty() {
        return Err(REVIEWED.refuse());
    }
    Ok(moved(Consultation { content, ..before }, doing))
}

/// A record that is not concluded.
///
/// # Errors
/// [`WRONG_STATE`].
pub fn open(consultation: Consultation) -> Result<Consultation, Refusal> {
    match consultation.state() {
        State::Draft => Ok(consultation),
        State::Concluded => Err(WRONG_STATE.refuse()),
    }
}

fn moved(consultation: Consultation, doing: Doing<'_>) -> Consultation {
    Consultation {
        revision: consultation.revision.saturating_add(1),
        updated_at: doing.at,
        ..consultation
    }
}

/// Adds what a reviewer with an account says.
///
/// # Errors
/// [`WRONG_STATE`]; [`REVIEWED_ALREADY`]; every fault of the opinion.
pub fn review(before: Consultation, said: (&str, &str), doing: Doing<'_>) -> Result<Consultation, Refusal> {
    let mut reviewed = open(before)?;
    if reviewed
        .reviews
        .iter()
        .any(|review| review.account_id == doing.by)
    {
        return Err(REVIEWED_ALREADY.refuse());
    }
    let mut form = Form::new();
    let opinion = passages(&mut form, "opinion", said, OPINION_LENGTH_MAX);
    reviewed.reviews.push(Review {
        account_id: doing.by.to_owned(),
        opinion: form.finish(opinion)?,
        at: doing.at,
    });
    Ok(moved(reviewed, doing))
}

/// Concludes a record; `minutes` says how many attachments hang on it.
///
/// # Errors
/// [`WRONG_STATE`]; every fault of the conclusion; [`INCOMPLETE`] with everything that is missing.
pub fn conclude(
    before: Consultation,
    said: (&str, &str),
    (concluded_on, today): (&str, NaiveDate),
    minutes: usize,
    doing: Doing<'_>,
) -> Result<Consultation, Refusal> {
    let before = open(before)?;
    let mut form = Form::new();
    let said = passages(&mut form, "conclusion", said, CONCLUSION_LENGTH_MAX);
    let on = form.day("/concluded_on", concluded_on);
    if on > today {
        form.object(
            "/concluded_on",
            text!("不得晚于今日 {today}", "must not be after today, {today}"),
        );
    }
    let (said, on) = form.finish((said, on))?;
    let missing = |is_there: bool, pointer: &str, zh, en| {
        (!is_there).then(|| Objection {
            pointer: pointer.to_owned(),
            code: "missing",
            detail: Text::fixed(zh, en),
        })
    };
    let reviewers = before
        .reviews
        .len()
        .saturating_add(before.content.outsiders.len());
    let missing: Vec<Objection> = [
        missing(
            !before.content.consulted.is_empty(),
            "/consulted",
            "未征求任何人的意见",
            "nobody was consulted",
        ),
        missing(reviewers > 0, "/reviews", "没有评审人", "nobody has reviewed it"),
        missing(minutes > 0, "/minutes", "没有会议记录", "there are no minutes"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !missing.is_empty() {
        return Err(INCOMPLETE.refuse().listing(missing));
    }
    let conclusion = Some(Conclusion {
        said,
        on,
        by: doing.by.to_owned(),
        at: doing.at,
    });
    Ok(moved(Consultation { conclusion, ..before }, doing))
}

/// Whether a service that is for the public has the record that its book needs: a concluded one of the same buyer and category.
///
/// # Errors
/// A refusal if the profile does not set the rule. The inner one says what is missing.
pub fn consultation_held(
    consultation: Option<&Consultation>,
    (buyer, category): (&OrganisationId, &str),
    is_public_service: bool,
    profile: &Profile,
) -> Answer<Result<(), Item>> {
    let needed = is_public_service && profile.rule(PLANNING_CONSULTATION_RECORD_REQUIRED)?;
    let fits = |one: &Consultation| {
        one.state() == State::Concluded && one.organisation_id == *buyer && one.content.category == category
    };
    if !needed || consultation.is_some_and(fits) {
        return Ok(Ok(()));
    }
    let detail = Text::fixed(
        "面向公众的服务，应有本单位同一品目、已形成结论的征求意见记录",
        "a service to the public needs a concluded record of consultation of the same buyer and category",
    );
    let rule = PLANNING_CONSULTATION_RECORD_REQUIRED.code();
    Ok(Err(Item::of(profile, rule, "consultation_missing", detail)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statutes::built_in;
    use chrono::{TimeZone, Utc};

    fn at(day: u32) -> Instant {
        Utc.with_ymd_and_hms(2026, 3, day, 0, 0, 0).unwrap()
    }

    fn by(name: &str) -> Doing<'_> {
        Doing { by: name, at: at(2) }
    }

    fn entered() -> Entered {
        let two = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
        Entered {
            category: "sanitation".to_owned(),
            title: two("保洁需求", "Need of cleaning"),
            need: two("每日", "Daily"),
            consulted: vec![Consulted {
                kind: ConsultedKind::Users,
                who_zh: "居民".to_owned(),
                who_en: "Residents".to_owned(),
                opinion_zh: "好".to_owned(),
                opinion_en: "Good".to_owned(),
            }],
            outsiders: Vec::new(),
        }
    }

    fn begun(entered: &Entered) -> Consultation {
        draft(
            ConsultationId::mint(at(1)),
            OrganisationId::mint(at(1)),
            entered,
            by("a"),
        )
        .ok()
        .unwrap()
    }

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()
    }

    fn concluded(before: Consultation, on: &str, minutes: usize) -> Result<Consultation, Refusal> {
        conclude(before, ("可行", "Feasible"), (on, today()), minutes, by("b"))
    }

    fn places(refused: Result<Consultation, Refusal>) -> Vec<String> {
        let refusal = refused.err().unwrap();
        refusal
            .objections
            .into_iter()
            .map(|fault| fault.pointer)
            .collect()
    }

    #[test]
    fn everything_that_is_missing_is_told_at_once() {
        let nobody = Entered {
            consulted: Vec::new(),
            ..entered()
        };
        assert_eq!(
            places(concluded(begun(&nobody), "2026-03-02", 0)),
            ["/consulted", "/reviews", "/minutes"]
        );
        let reviewed = review(begun(&entered()), ("好", "Good"), by("c")).ok().unwrap();
        assert_eq!(places(concluded(reviewed.clone(), "2026-03-02", 0)), ["/minutes"]);
        assert_eq!(
            places(concluded(reviewed.clone(), "2026-03-03", 1)),
            ["/concluded_on"]
        );
        let done = concluded(reviewed, "2026-03-02", 1).ok().unwrap();
        assert_eq!((done.state(), done.revision), (State::Concluded, 3));
        for again in [
            concluded(done.clone(), "2026-03-02", 1),
            rewrite(done.clone(), &entered(), by("a")),
            review(done, ("好", "Good"), by("d")),
        ] {
            assert_eq!(again.err().unwrap().reason.code, "consultation_wrong_state");
        }
    }

    #[test]
    fn what_was_reviewed_stays() {
        let reviewed = review(begun(&entered()), ("好", "Good"), by("c")).ok().unwrap();
        let twice = review(reviewed.clone(), ("好", "Good"), by("c"));
        assert_eq!(twice.err().unwrap().reason.code, "consultation_reviewed_already");
        let other = Entered {
            need: ("每周".to_owned(), "Weekly".to_owned()),
            ..entered()
        };
        assert_eq!(
            rewrite(reviewed.clone(), &other, by("a"))
                .err()
                .unwrap()
                .reason
                .code,
            "consultation_reviewed"
        );
        let fewer = Entered {
            consulted: Vec::new(),
            ..entered()
        };
        assert!(rewrite(reviewed, &fewer, by("a")).is_ok());
        assert!(rewrite(begun(&entered()), &other, by("a")).is_ok());
    }

    #[test]
    fn faults_name_their_places() {
        let mut wrong = entered();
        wrong.consulted[0].opinion_en = " ".to_owned();
        wrong.title.0 = "\u{202e}".to_owned();
        let faults = content(&wrong).err().unwrap().objections;
        let places: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(places, ["/title_zh", "/consulted/0/opinion_en"]);
    }

    #[test]
    fn a_service_to_the_public_needs_a_record_that_fits() {
        let profile = built_in::profiles_for("cn").unwrap().pop().unwrap();
        let reviewed = review(begun(&entered()), ("好", "Good"), by("c")).ok().unwrap();
        let done = concluded(reviewed.clone(), "2026-03-02", 1).ok().unwrap();
        let buyer = done.organisation_id.clone();
        let held = |one: Option<&Consultation>, category: &str, public: bool| {
            consultation_held(one, (&buyer, category), public, &profile).unwrap()
        };
        assert!(held(Some(&done), "sanitation", true).is_ok() && held(None, "sanitation", false).is_ok());
        assert!(
            held(Some(&reviewed), "sanitation", true).is_err()
                && held(Some(&done), "greening", true).is_err()
        );
        let item = held(None, "sanitation", true).unwrap_err();
        assert!(
            item.citations
                .iter()
                .any(|citation| citation.instrument_zh.contains("22号"))
        );
        let other = OrganisationId::mint(at(3));
        assert!(
            consultation_held(Some(&done), (&other, "sanitation"), true, &profile)
                .unwrap()
                .is_err()
        );
    }
}
