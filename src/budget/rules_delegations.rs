//! The rules of delegation (费随事转): a duty is handed to a street office or a community together with the authorisation for it
//! and the money, or not at all. What must be there is the statute's to say. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::budget::rules::{BudgetLine, BudgetLineId, REASON_LENGTH_MAX};
use crate::budget::rules_movements::DOCUMENT_LENGTH_MAX;
use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::party::{OrganisationId, OrganisationKind};
use crate::kernel::refusal::{Kind, Objection, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_organisations::Doing;
use crate::registry::rules_text::{Form, day_of};
use crate::text;

crate::ids! {
    /// A delegation.
    DelegationId "delegation"
    /// An assessment of a duty.
    AssessmentId "assessment"
}

/// Characters of a scope.
pub const SCOPE_LENGTH_MAX: usize = 1_000;
/// Characters of a duty's name.
pub const DUTY_LENGTH_MAX: usize = 500;

/// Something that a delegation needs is not there.
pub static INCOMPLETE: Reason = Reason::new(
    Kind::Conflict,
    "delegation_incomplete",
    "事项范围、授权文件和落实的经费齐备后，下放方可生效",
    "A delegation takes effect only with scope, authorisation and money",
);
/// It is not in the state for this.
pub static WRONG_STATE: Reason = Reason::new(
    Kind::Conflict,
    "delegation_wrong_state",
    "该事项下放的状态不允许此操作",
    "The delegation is not in the state for this",
);
/// Duties are handed down: to street offices and communities.
pub static WRONG_RECIPIENT: Reason = Reason::new(
    Kind::Invalid,
    "delegation_wrong_recipient",
    "只能下放给街道办事处或社区，且不得下放给本单位",
    "Duties are delegated to street offices and communities, and not to oneself",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 3] = [&INCOMPLETE, &WRONG_STATE, &WRONG_RECIPIENT];

/// How far a delegation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DelegationState)]
pub enum DelegationState {
    /// It is being written.
    Draft,
    /// The duty is handed on, and the money with it.
    Effective,
    /// The duty is not theirs any more.
    Ended,
    /// It never took effect.
    Discarded,
}

impl DelegationState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Effective, Self::Ended, Self::Discarded];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Effective => "effective",
            Self::Ended => "ended",
            Self::Discarded => "discarded",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What a delegation says; what is not there yet is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Which duty, in both languages.
    pub scope: Option<Text>,
    /// The document that authorises it: number and date.
    pub document: Option<(String, NaiveDate)>,
    /// How much money goes with it.
    pub amount: Option<Money>,
    /// From which of the giver's lines.
    pub from_line_id: Option<BudgetLineId>,
    /// To which of the recipient's lines.
    pub to_line_id: Option<BudgetLineId>,
}

/// The terms as they are entered. `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Clone, Debug, Default)]
pub struct EnteredTerms {
    /// Which duty, in Chinese; with `scope_en` or not at all.
    pub scope_zh: Option<Option<String>>,
    /// Which duty, in English.
    pub scope_en: Option<Option<String>>,
    /// The document's number; with `document_date` or not at all.
    pub document_number: Option<Option<String>>,
    /// The document's date.
    pub document_date: Option<Option<String>>,
    /// How much money.
    pub amount: Option<Option<Money>>,
    /// From which line.
    pub from_line_id: Option<Option<BudgetLineId>>,
    /// To which line.
    pub to_line_id: Option<Option<BudgetLineId>>,
}

/// A delegation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Its id.
    pub id: DelegationId,
    /// Who hands the duty on.
    pub from_organisation_id: OrganisationId,
    /// Who gets it.
    pub to_organisation_id: OrganisationId,
    /// What it says.
    pub terms: Terms,
    /// How far it has come.
    pub state: DelegationState,
    /// Counts the changes, from 1.
    pub version: i64,
    /// Who began it.
    pub drafted_by: String,
    /// When, UTC.
    pub drafted_at: Instant,
    /// Who put it into effect, and when, UTC.
    pub effective: Option<(String, Instant)>,
    /// Who ended or discarded it, and when, UTC.
    pub ended: Option<(String, Instant)>,
    /// Why.
    pub end_reason: Option<String>,
}

/// The terms after what was entered; every fault is listed.
///
/// # Errors
/// [`crate::web::problem::INVALID`].
pub fn terms(before: Terms, entered: &EnteredTerms) -> Result<Terms, Refusal> {
    let mut form = Form::new();
    let known = before.scope.as_ref();
    let scope_zh = merged(&entered.scope_zh, known.map(|text| text.zh().to_owned()));
    let scope_en = merged(&entered.scope_en, known.map(|text| text.en().to_owned()));
    let scope = match (scope_zh, scope_en) {
        (Some(zh), Some(en)) => Some(Text::made(
            form.line("/scope_zh", &zh, SCOPE_LENGTH_MAX),
            form.line("/scope_en", &en, SCOPE_LENGTH_MAX),
        )),
        (None, None) => None,
        (zh, _) => {
            let pointer = if zh.is_some() { "/scope_en" } else { "/scope_zh" };
            form.object(pointer, both_or_neither());
            None
        }
    };
    let number = merged(
        &entered.document_number,
        before.document.as_ref().map(|(number, _)| number.clone()),
    );
    let date = merged(
        &entered.document_date,
        before.document.as_ref().map(|(_, date)| date.to_string()),
    );
    let document = match (number, date) {
        (Some(number), Some(date)) => Some((
            form.line("/document_number", &number, DOCUMENT_LENGTH_MAX),
            form.day("/document_date", &date),
        )),
        (None, None) => None,
        (number, _) => {
            let pointer = if number.is_some() {
                "/document_date"
            } else {
                "/document_number"
            };
            form.object(pointer, both_or_neither());
            None
        }
    };
    let amount = entered.amount.unwrap_or(before.amount);
    if amount.is_some_and(|amount| amount.fen() <= 0) {
        form.object("/amount", Text::fixed("应大于零", "must be more than zero"));
    }
    form.finish(Terms {
        scope,
        document,
        amount,
        from_line_id: merged(&entered.from_line_id, before.from_line_id),
        to_line_id: merged(&entered.to_line_id, before.to_line_id),
    })
}

fn merged<T: Clone>(entered: &Option<Option<T>>, before: Option<T>) -> Option<T> {
    entered.clone().unwrap_or(before)
}

const fn both_or_neither() -> Text {
    Text::fixed("须成对填写或同时留空", "both or neither are needed")
}

/// A delegation that is begun. `recipient` is what sort of body gets the duty.
///
/// # Errors
/// [`WRONG_RECIPIENT`]; those of [`terms`].
pub fn draft(
    id: DelegationId,
    (from, to): (OrganisationId, OrganisationId),
    recipient: OrganisationKind,
    entered: &EnteredTerms,
    doing: Doing<'_>,
) -> Result<Delegation, Refusal> {
    let below = matches!(
        recipient,
        OrganisationKind::StreetOffice | OrganisationKind::Community
    );
    if !below || from == to {
        return Err(WRONG_RECIPIENT.refuse().at("/to_organisation_id"));
    }
    Ok(Delegation {
        id,
        from_organisation_id: from,
        to_organisation_id: to,
        terms: terms(Terms::default(), entered)?,
        state: DelegationState::Draft,
        version: 1,
        drafted_by: doing.by.to_owned(),
        drafted_at: doing.at,
        effective: None,
        ended: None,
        end_reason: None,
    })
}

/// The draft with other terms.
///
/// # Errors
/// [`WRONG_STATE`]; those of [`terms`].
pub fn change(delegation: Delegation, entered: &EnteredTerms) -> Result<Delegation, Refusal> {
    in_state(&delegation, DelegationState::Draft)?;
    Ok(Delegation {
        terms: terms(delegation.terms, entered)?,
        version: delegation.version.saturating_add(1),
        ..delegation
    })
}

/// What a delegation must have before it takes effect, by the statute, and the lines that its terms name.
#[derive(Clone, Copy, Debug)]
pub struct Needed<'a> {
    /// A scope.
    pub scope: bool,
    /// An authorisation.
    pub document: bool,
    /// Money.
    pub funds: bool,
    /// What the statute is called, for the refusal.
    pub citation: &'a str,
    /// The line that the money is taken from.
    pub from: Option<&'a BudgetLine>,
    /// The line that it goes to.
    pub to: Option<&'a BudgetLine>,
}

/// The delegation in effect. Everything that is missing is listed.
///
/// # Errors
/// [`WRONG_STATE`]; [`INCOMPLETE`] with the place of everything that is missing or does not fit.
pub fn put_into_effect(
    delegation: Delegation,
    needed: Needed<'_>,
    doing: Doing<'_>,
) -> Result<Delegation, Refusal> {
    in_state(&delegation, DelegationState::Draft)?;
    let objections = missing(&delegation, needed);
    if !objections.is_empty() {
        return Err(INCOMPLETE.refuse().listing(objections));
    }
    Ok(Delegation {
        state: DelegationState::Effective,
        version: delegation.version.saturating_add(1),
        effective: Some((doing.by.to_owned(), doing.at)),
        ..delegation
    })
}

/// Everything that keeps a draft from taking effect, each with its place.
pub fn missing(delegation: &Delegation, needed: Needed<'_>) -> Vec<Objection> {
    let terms = &delegation.terms;
    let citation = needed.citation;
    let mut objections = Vec::new();
    let mut lacks = |pointer: &str, zh: &str, en: &str| {
        let why = text!("{zh}（{citation}）", "{en} ({citation})");
        objections.extend(INCOMPLETE.because(why).at(pointer).objections);
    };
    if needed.scope && terms.scope.is_none() {
        lacks("/scope_zh", "缺少事项范围", "the scope is missing");
    }
    if needed.document && terms.document.is_none() {
        lacks("/document_number", "缺少授权文件", "the authorisation is missing");
    }
    if needed.funds && terms.amount.is_none() {
        lacks("/amount", "缺少经费", "the money is missing");
    }
    if terms.amount.is_some() {
        let fits = |line: Option<&BudgetLine>, owner: &OrganisationId| {
            line.is_some_and(|line| line.organisation_id == *owner)
        };
        if !fits(needed.from, &delegation.from_organisation_id) {
            lacks(
                "/from_line_id",
                "缺少下放单位的在用预算项",
                "a line in use of the body that hands the duty on is missing",
            );
        }
        if !fits(needed.to, &delegation.to_organisation_id) {
            lacks(
                "/to_line_id",
                "缺少承接单位的在用预算项",
                "a line in use of the body that gets the duty is missing",
            );
        }
        let apart = needed
            .from
            .zip(needed.to)
            .is_some_and(|(from, to)| from.fund_id != to.fund_id || from.fiscal_year != to.fiscal_year);
        if apart {
            lacks(
                "/to_line_id",
                "两个预算项须属于同一专项和年度",
                "both lines must be of one fund and year",
            );
        }
    }
    objections
}

/// The delegation, ended, or a draft discarded. Money that went with it is not taken back by that: what is left goes back by a budget
/// movement, which two people decide.
///
/// # Errors
/// [`WRONG_STATE`]; [`crate::web::problem::INVALID`] for a reason that does not fit.
pub fn end(delegation: Delegation, reason: &str, doing: Doing<'_>) -> Result<Delegation, Refusal> {
    let state = match delegation.state {
        DelegationState::Draft => DelegationState::Discarded,
        DelegationState::Effective => DelegationState::Ended,
        DelegationState::Ended | DelegationState::Discarded => return Err(WRONG_STATE.refuse()),
    };
    let mut form = Form::new();
    let reason = form.line("/reason", reason, REASON_LENGTH_MAX);
    form.finish(Delegation {
        state,
        version: delegation.version.saturating_add(1),
        ended: Some((doing.by.to_owned(), doing.at)),
        end_reason: Some(reason),
        ..delegation
    })
}

fn in_state(delegation: &Delegation, state: DelegationState) -> Result<(), Refusal> {
    if delegation.state == state {
        Ok(())
    } else {
        Err(WRONG_STATE.refuse())
    }
}

/// An assessment of a body on a duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// Its id.
    pub id: AssessmentId,
    /// Who assessed.
    pub by_organisation_id: OrganisationId,
    /// Who was assessed.
    pub of_organisation_id: OrganisationId,
    /// On which duty.
    pub duty: Text,
    /// By which delegation it is theirs.
    pub delegation_id: Option<DelegationId>,
    /// On which day.
    pub assessed_on: NaiveDate,
    /// True if they had got no money for it.
    pub flagged: bool,
    /// The version of the rules that it was judged by.
    pub statute_id: String,
    /// Who recorded it.
    pub recorded_by: String,
    /// When, UTC.
    pub recorded_at: Instant,
}

/// An assessment as it is entered.
#[derive(Clone, Debug)]
pub struct NewAssessment {
    /// Who assesses.
    pub by_organisation_id: OrganisationId,
    /// Who is assessed.
    pub of_organisation_id: OrganisationId,
    /// On which duty, in Chinese.
    pub duty_zh: String,
    /// On which duty, in English.
    pub duty_en: String,
    /// By which delegation it is theirs.
    pub delegation_id: Option<DelegationId>,
    /// On which day.
    pub assessed_on: String,
}

/// The duty and the day of an assessment, checked: a day to come is none on which somebody was assessed.
///
/// # Errors
/// [`crate::web::problem::INVALID`].
pub fn assessed(new: &NewAssessment, today: NaiveDate) -> Result<(Text, NaiveDate), Refusal> {
    let mut form = Form::new();
    let zh = form.line("/duty_zh", &new.duty_zh, DUTY_LENGTH_MAX);
    let en = form.line("/duty_en", &new.duty_en, DUTY_LENGTH_MAX);
    let day = form.day("/assessed_on", &new.assessed_on);
    if new.by_organisation_id == new.of_organisation_id {
        form.object(
            "/of_organisation_id",
            Text::fixed("不得考核本单位", "must be another body than assesses"),
        );
    }
    if day_of(&new.assessed_on).is_some() && day > today {
        form.object(
            "/assessed_on",
            Text::fixed("不得晚于今天", "must not be after today"),
        );
    }
    form.finish((Text::made(zh, en), day))
}

/// Whether a body is assessed on a duty that it got no money for: no delegation is named, or one that was not in effect for it on
/// that day, or that came without money.
pub fn is_unfunded(
    delegation: Option<&Delegation>,
    assessment: &NewAssessment,
    effective_on: impl Fn(&Delegation) -> bool,
) -> bool {
    !delegation.is_some_and(|delegation| {
        delegation.to_organisation_id == assessment.of_organisation_id
            && delegation.terms.amount.is_some_and(|amount| amount.fen() > 0)
            && effective_on(delegation)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::rules::State;

    fn at() -> Instant {
        "2026-03-02T00:00:00Z".parse().unwrap()
    }

    fn doing() -> Doing<'static> {
        Doing {
            by: "user_a",
            at: at(),
        }
    }

    fn org(letter: char) -> OrganisationId {
        format!("org_01jd3n8f5teqkrzvq1c0m6h2a{letter}").parse().unwrap()
    }

    fn line(owner: char, year: i64) -> BudgetLine {
        BudgetLine {
            id: BudgetLineId::mint(at()),
            fund_id: "fund_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            fiscal_year: year,
            code: "GRN".to_owned(),
            organisation_id: org(owner),
            category: "greening".to_owned(),
            purpose_zh: "甲".to_owned(),
            purpose_en: "a".to_owned(),
            state: State::Open,
            version: 1,
            created_at: at(),
            updated_at: at(),
        }
    }

    fn entered() -> EnteredTerms {
        EnteredTerms {
            scope_zh: Some(Some("社区绿地养护".to_owned())),
            scope_en: Some(Some("Upkeep of community greens".to_owned())),
            document_number: Some(Some("凤办发〔2026〕8号".to_owned())),
            document_date: Some(Some("2026-02-01".to_owned())),
            amount: Some(Some(Money::from_yuan(96_000).unwrap())),
            from_line_id: None,
            to_line_id: None,
        }
    }

    fn drafted(entered: &EnteredTerms) -> Result<Delegation, Refusal> {
        draft(
            DelegationId::mint(at()),
            (org('x'), org('y')),
            OrganisationKind::Community,
            entered,
            doing(),
        )
    }

    fn needed<'a>(from: Option<&'a BudgetLine>, to: Option<&'a BudgetLine>) -> Needed<'a> {
        Needed {
            scope: true,
            document: true,
            funds: true,
            citation: "费随事转",
            from,
            to,
        }
    }

    fn places(objections: &[Objection]) -> Vec<&str> {
        objections.iter().map(|one| one.pointer.as_str()).collect()
    }

    #[test]
    fn nothing_takes_effect_without_scope_document_and_money() {
        let empty = drafted(&EnteredTerms::default()).unwrap();
        assert_eq!(
            places(&missing(&empty, needed(None, None))),
            ["/scope_zh", "/document_number", "/amount"]
        );
        let (from, to) = (line('x', 2026), line('y', 2026));
        let whole = drafted(&entered()).unwrap();
        assert_eq!(
            places(&missing(&whole, needed(None, None))),
            ["/from_line_id", "/to_line_id"]
        );
        assert_eq!(
            places(&missing(&whole, needed(Some(&to), Some(&from)))),
            ["/from_line_id", "/to_line_id"]
        );
        assert_eq!(
            places(&missing(&whole, needed(Some(&from), Some(&line('y', 2027))))),
            ["/to_line_id"]
        );
        let refused = put_into_effect(empty, needed(None, None), doing()).unwrap_err();
        assert_eq!((refused.reason, refused.objections.len()), (&INCOMPLETE, 3));
        let effective = put_into_effect(whole, needed(Some(&from), Some(&to)), doing()).unwrap();
        assert_eq!(effective.state, DelegationState::Effective);
        assert_eq!(
            put_into_effect(effective.clone(), needed(Some(&from), Some(&to)), doing())
                .unwrap_err()
                .reason,
            &WRONG_STATE
        );
        assert_eq!(
            change(effective.clone(), &entered()).unwrap_err().reason,
            &WRONG_STATE
        );
        let ended = end(effective, "任务完成", doing()).unwrap();
        assert_eq!(ended.state, DelegationState::Ended);
        assert_eq!(end(ended, "再次", doing()).unwrap_err().reason, &WRONG_STATE);
    }

    #[test]
    fn the_statute_says_what_is_needed() {
        let empty = drafted(&EnteredTerms::default()).unwrap();
        let lenient = Needed {
            scope: false,
            document: false,
            funds: false,
            ..needed(None, None)
        };
        assert!(missing(&empty, lenient).is_empty());
        assert_eq!(
            places(&missing(
                &empty,
                Needed {
                    document: true,
                    ..lenient
                }
            )),
            ["/document_number"]
        );
    }

    #[test]
    fn duties_go_down_to_somebody_else() {
        let to = |kind, to| {
            draft(
                DelegationId::mint(at()),
                (org('x'), to),
                kind,
                &entered(),
                doing(),
            )
        };
        assert!(to(OrganisationKind::StreetOffice, org('y')).is_ok());
        for kind in [
            OrganisationKind::Department,
            OrganisationKind::Company,
            OrganisationKind::FinanceBureau,
        ] {
            assert_eq!(to(kind, org('y')).unwrap_err().reason, &WRONG_RECIPIENT);
        }
        assert_eq!(
            to(OrganisationKind::Community, org('x')).unwrap_err().reason,
            &WRONG_RECIPIENT
        );
    }

    #[test]
    fn what_goes_together_is_entered_together() {
        let faults = |change: fn(&mut EnteredTerms)| {
            let mut all = entered();
            change(&mut all);
            drafted(&all)
                .err()
                .map(|one| {
                    one.objections
                        .into_iter()
                        .map(|fault| fault.pointer)
                        .collect::<Vec<_>>()
                })
                .unwrap_or_default()
        };
        assert!(faults(|_| ()).is_empty());
        assert_eq!(faults(|one| one.scope_en = None), ["/scope_en"]);
        assert_eq!(
            faults(|one| one.document_number = Some(None)),
            ["/document_number"]
        );
        assert_eq!(
            faults(|one| {
                one.document_date = Some(Some("2026-02-30".to_owned()));
                one.amount = Some(Some(Money::ZERO));
            }),
            ["/document_date", "/amount"]
        );
        let emptied = change(
            drafted(&entered()).unwrap(),
            &EnteredTerms {
                amount: Some(None),
                ..EnteredTerms::default()
            },
        )
        .unwrap();
        assert_eq!((emptied.terms.amount, emptied.version), (None, 2));
        assert!(emptied.terms.scope.is_some());
    }

    #[test]
    fn an_assessment_without_money_for_the_duty_is_flagged() {
        let new = |of| NewAssessment {
            by_organisation_id: org('x'),
            of_organisation_id: org(of),
            duty_zh: "养护".to_owned(),
            duty_en: "Upkeep".to_owned(),
            delegation_id: None,
            assessed_on: "2026-03-02".to_owned(),
        };
        let delegation = drafted(&entered()).unwrap();
        assert!(is_unfunded(None, &new('y'), |_| true));
        assert!(!is_unfunded(Some(&delegation), &new('y'), |_| true));
        assert!(is_unfunded(Some(&delegation), &new('y'), |_| false));
        assert!(is_unfunded(Some(&delegation), &new('z'), |_| true));
        let unpaid = Delegation {
            terms: Terms {
                amount: None,
                ..delegation.terms.clone()
            },
            ..delegation
        };
        assert!(is_unfunded(Some(&unpaid), &new('y'), |_| true));
        let today = "2026-03-02".parse().unwrap();
        assert!(assessed(&new('y'), today).is_ok());
        let oneself = assessed(&new('x'), today).unwrap_err();
        assert_eq!(oneself.objections[0].pointer, "/of_organisation_id");
        let early = assessed(&new('y'), "2026-03-01".parse().unwrap()).unwrap_err();
        assert_eq!(early.objections[0].pointer, "/assessed_on");
    }
}
