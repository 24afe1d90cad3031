//! The pool of experts from which panels are drawn: for which services each is an expert, who employs them, and what stands against drawing
//! one for a certain book. The rules of recusal come from the statutes. Pure.

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::duties::rules::Duty;
use crate::kernel::clock::Instant;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_text::{Form, day_of};
use crate::text;

/// Categories of services of one expert at most.
pub const CATEGORIES_MAX: usize = 20;
/// Employers of one expert at most.
pub const EMPLOYERS_MAX: usize = 20;
/// Experts of the pool that one draw looks at, at most.
pub const EXPERTS_MAX: i64 = 5_000;

/// The account is none that may be in the pool.
pub static EXPERT_UNFIT: Reason = Reason::new(
    Kind::Conflict,
    "expert_unfit",
    "该账户不是在用的评审专家",
    "The account is not in use, or does not hold the role of an evaluator",
);
/// The account is in the pool already.
pub static EXPERT_LISTED: Reason = Reason::new(
    Kind::Conflict,
    "expert_listed",
    "该专家已在专家库中",
    "The expert is in the pool already",
);
/// The expert is not in the pool any more.
pub static EXPERT_WITHDRAWN: Reason = Reason::new(
    Kind::Conflict,
    "expert_withdrawn",
    "该专家已退出专家库",
    "The expert is not in the pool any more",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 3] = [&EXPERT_UNFIT, &EXPERT_LISTED, &EXPERT_WITHDRAWN];

/// Where an expert is employed, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExpertEmployer)]
pub struct Employer {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// Until which day; `null` if they still are.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", example = "2025-06-30")]
    pub until: Option<NaiveDate>,
}

/// Somebody of the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expert {
    /// The account.
    pub account_id: AccountId,
    /// Counts the changes, from 1.
    pub version: i64,
    /// The codes of the categories of services, in their order.
    pub categories: Vec<String>,
    /// Who employs them, or did.
    pub employers: Vec<Employer>,
    /// The last day on which they cannot be drawn; `None` if they can.
    pub unavailable_until: Option<NaiveDate>,
    /// Since when they are in the pool, UTC.
    pub listed_at: Instant,
    /// When what is known of them was changed last, UTC.
    pub changed_at: Instant,
    /// When they left it, UTC.
    pub withdrawn_at: Option<Instant>,
}

/// What is entered of an expert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// The codes of the categories.
    pub categories: Vec<String>,
    /// Employers.
    pub employers: Vec<Employer>,
    /// A day, as it was written.
    pub unavailable_until: Option<String>,
}

/// What was entered, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The codes of the categories, sorted, each once.
    pub categories: Vec<String>,
    /// Employers, sorted, each once.
    pub employers: Vec<Employer>,
    /// The last day on which they cannot be drawn.
    pub unavailable_until: Option<NaiveDate>,
}

/// What was entered, checked: in order, each category and each employer once.
///
/// # Errors
/// [`INVALID`](crate::web::problem::INVALID) with every fault. `known` tells whether there is such a category, `exists` such an organisation.
pub fn checked(
    entered: Entered,
    known: impl Fn(&str) -> bool,
    exists: impl Fn(&OrganisationId) -> bool,
) -> Result<Checked, Refusal> {
    let mut form = Form::new();
    let count = entered.categories.len();
    if !(1..=CATEGORIES_MAX).contains(&count) {
        form.object(
            "/categories",
            text!(
                "应为 1 至 {CATEGORIES_MAX} 项",
                "must be 1 to {CATEGORIES_MAX} of them"
            ),
        );
    }
    for (index, code) in entered.categories.iter().take(CATEGORIES_MAX).enumerate() {
        if !known(code) {
            form.object(
                &format!("/categories/{index}"),
                Text::fixed("没有该服务类别", "is no category of services"),
            );
        }
    }
    if entered.employers.len() > EMPLOYERS_MAX {
        form.object(
            "/employers",
            text!("最多 {EMPLOYERS_MAX} 项", "at most {EMPLOYERS_MAX} of them"),
        );
    }
    for (index, employer) in entered.employers.iter().take(EMPLOYERS_MAX).enumerate() {
        if !exists(&employer.organisation_id) {
            form.object(
                &format!("/employers/{index}/organisation_id"),
                Text::fixed("没有该组织", "is no organisation"),
            );
        }
    }
    let unavailable_until = entered.unavailable_until.as_deref().map(|day| {
        day_of(day).unwrap_or_else(|| {
            form.object(
                "/unavailable_until",
                Text::fixed("应为日期，如 2026-03-01", "must be a date, like 2026-03-01"),
            );
            NaiveDate::MIN
        })
    });
    let mut categories = entered.categories;
    categories.sort();
    categories.dedup();
    let mut employers = entered.employers;
    employers.sort_by(|a, b| (&a.organisation_id, a.until).cmp(&(&b.organisation_id, b.until)));
    employers.dedup();
    form.finish(Checked {
        categories,
        employers,
        unavailable_until,
    })
}

/// What a candidate is held against.
#[derive(Clone, Copy, Debug)]
pub struct Against<'a> {
    /// The category of the book.
    pub category: &'a str,
    /// The buyer.
    pub buyer: &'a OrganisationId,
    /// Everybody whose bid for any of its lots was opened.
    pub bidders: &'a [OrganisationId],
    /// The day of the draw, a date of the ward.
    pub today: NaiveDate,
    /// For so many years back a tie counts (条例 art 9).
    pub recusal_years: u32,
}

/// What is known of a candidate besides what the pool says.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Whether the account is in use and holds the role of an evaluator.
    pub is_evaluator: bool,
    /// Organisations in which the account holds a role.
    pub organisations: Vec<OrganisationId>,
    /// What the person did on the book.
    pub duties: Vec<Duty>,
}

/// Why somebody of the pool is not drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Left the pool, or is no evaluator any more.
    NotInPool,
    /// Is no expert for the category.
    OtherCategory,
    /// Is not available on the day.
    Unavailable,
    /// Has to do with the buyer.
    TiedToBuyer,
    /// Has to do with a bidder.
    TiedToBidder,
    /// Did something on the book that nobody judges bids beside.
    DidDuty,
}

impl Unfit {
    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotInPool => "not_in_pool",
            Self::OtherCategory => "other_category",
            Self::Unavailable => "unavailable",
            Self::TiedToBuyer => "tied_to_buyer",
            Self::TiedToBidder => "tied_to_bidder",
            Self::DidDuty => "did_duty",
        }
    }
}

/// Whether an employer of then is still one to step back for.
fn counts(employer: &Employer, against: Against<'_>) -> bool {
    let months = against.recusal_years.saturating_mul(12);
    let since = against.today.checked_sub_months(Months::new(months));
    match (employer.until, since) {
        (Some(until), Some(since)) => until >= since,
        _ => true,
    }
}

/// What stands against drawing somebody for a book, the first that applies in the order of [`Unfit`]; `None` if nothing does.
pub fn unfit(expert: &Expert, standing: &Standing, against: Against<'_>) -> Option<Unfit> {
    if expert.withdrawn_at.is_some() || !standing.is_evaluator {
        return Some(Unfit::NotInPool);
    }
    if !expert.categories.iter().any(|code| code == against.category) {
        return Some(Unfit::OtherCategory);
    }
    if expert
        .unavailable_until
        .is_some_and(|until| against.today <= until)
    {
        return Some(Unfit::Unavailable);
    }
    let employers = expert.employers.iter().filter(|one| counts(one, against));
    let mut tied: Vec<&OrganisationId> = employers.map(|one| &one.organisation_id).collect();
    tied.extend(&standing.organisations);
    if tied.contains(&against.buyer) {
        return Some(Unfit::TiedToBuyer);
    }
    if tied.iter().any(|one| against.bidders.contains(one)) {
        return Some(Unfit::TiedToBidder);
    }
    crate::duties::rules::may_undertake(Duty::Judge, &standing.duties)
        .is_err()
        .then_some(Unfit::DidDuty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeZone, Utc};

    const BUYER: &str = "org_01jd3n8f5teqkrzvq1c0m6h2ax";
    const BIDDER: &str = "org_01jd3n8f5teqkrzvq1c0m6h2ay";
    const OTHER: &str = "org_01jd3n8f5teqkrzvq1c0m6h2az";

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    fn expert() -> Expert {
        let now = Utc.with_ymd_and_hms(2026, 3, 1, 0, 0, 0).unwrap();
        Expert {
            account_id: "user_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            version: 1,
            categories: vec!["greening".to_owned(), "sanitation".to_owned()],
            employers: Vec::new(),
            unavailable_until: None,
            listed_at: now,
            changed_at: now,
            withdrawn_at: None,
        }
    }

    fn standing() -> Standing {
        Standing {
            is_evaluator: true,
            ..Standing::default()
        }
    }

    fn judged(expert: &Expert, standing: &Standing) -> Option<Unfit> {
        let (buyer, bidders) = (BUYER.parse().unwrap(), [BIDDER.parse().unwrap()]);
        let against = Against {
            category: "sanitation",
            buyer: &buyer,
            bidders: &bidders,
            today: day(2026, 4, 1),
            recusal_years: 3,
        };
        unfit(expert, standing, against)
    }

    fn employed(organisation: &str, until: Option<NaiveDate>) -> Expert {
        Expert {
            employers: vec![Employer {
                organisation_id: organisation.parse().unwrap(),
                until,
            }],
            ..expert()
        }
    }

    #[test]
    fn who_fits_is_drawn_and_each_obstacle_has_its_name() {
        assert_eq!(judged(&expert(), &standing()), None);
        assert_eq!(judged(&expert(), &Standing::default()), Some(Unfit::NotInPool));
        let gone = Expert {
            withdrawn_at: Some(expert().listed_at),
            ..expert()
        };
        assert_eq!(judged(&gone, &standing()), Some(Unfit::NotInPool));
        let other = Expert {
            categories: vec!["greening".to_owned()],
            ..expert()
        };
        assert_eq!(judged(&other, &standing()), Some(Unfit::OtherCategory));
        let away = |until| Expert {
            unavailable_until: Some(until),
            ..expert()
        };
        assert_eq!(
            judged(&away(day(2026, 4, 1)), &standing()),
            Some(Unfit::Unavailable)
        );
        assert_eq!(judged(&away(day(2026, 3, 31)), &standing()), None);
    }

    #[test]
    fn ties_count_for_the_years_of_the_statute_whether_employed_or_acting() {
        for (organisation, unfit) in [
            (BUYER, Some(Unfit::TiedToBuyer)),
            (BIDDER, Some(Unfit::TiedToBidder)),
            (OTHER, None),
        ] {
            assert_eq!(judged(&employed(organisation, None), &standing()), unfit);
            let acting = Standing {
                organisations: vec![organisation.parse().unwrap()],
                ..standing()
            };
            assert_eq!(judged(&expert(), &acting), unfit);
            // The day three years ago still counts, the day before does not.
            assert_eq!(
                judged(&employed(organisation, Some(day(2023, 4, 1))), &standing()),
                unfit
            );
            assert_eq!(
                judged(&employed(organisation, Some(day(2023, 3, 31))), &standing()),
                None
            );
        }
    }

    #[test]
    fn who_drafted_reviewed_or_approved_a_book_does_not_judge_its_bids() {
        for duty in [Duty::Draft, Duty::Review, Duty::Approve] {
            let did = Standing {
                duties: vec![duty],
                ..standing()
            };
            assert_eq!(judged(&expert(), &did), Some(Unfit::DidDuty), "{duty:?}");
        }
        let judged_before = Standing {
            duties: vec![Duty::Judge],
            ..standing()
        };
        assert_eq!(judged(&expert(), &judged_before), None);
    }

    #[test]
    fn what_is_entered_is_checked_whole_and_kept_in_order() {
        let entered = |categories: &[&str], until: Option<&str>| Entered {
            categories: categories.iter().map(|one| (*one).to_owned()).collect(),
            employers: vec![Employer {
                organisation_id: OTHER.parse().unwrap(),
                until: None,
            }],
            unavailable_until: until.map(str::to_owned),
        };
        let known = |code: &str| code != "magic";
        let found = checked(
            entered(&["sanitation", "greening", "sanitation"], Some("2026-05-01")),
            known,
            |_| true,
        )
        .unwrap();
        assert_eq!(found.categories, ["greening", "sanitation"]);
        assert_eq!(
            (found.employers.len(), found.unavailable_until),
            (1, Some(day(2026, 5, 1)))
        );
        let refused = checked(entered(&["magic"], Some("soon")), known, |_| false).unwrap_err();
        let places: Vec<&str> = refused.objections.iter().map(|one| &*one.pointer).collect();
        assert_eq!(
            places,
            [
                "/categories/0",
                "/employers/0/organisation_id",
                "/unavailable_until"
            ]
        );
        assert!(checked(entered(&[], None), known, |_| true).is_err());
    }
}
