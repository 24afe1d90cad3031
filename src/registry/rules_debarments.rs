//! The rules of debarment: a supplier that may not take part in public purchases, from one day until another, in public. Pure.

use chrono::{Datelike, Days, Months, NaiveDate};

use crate::kernel::clock::Instant;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::kernel::text::Text;
use crate::registry::rules_organisations::{Doing, NAME_LENGTH_MAX};
use crate::registry::rules_text::Form;
use crate::text;

crate::ids! {
    /// A debarment of a supplier.
    DebarmentId "debarment"
}

/// Characters of a reason, in either language.
pub const REASON_LENGTH_MAX: usize = 1_000;

/// For how long a supplier may be debarred.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// Years at least.
    pub years_min: u32,
    /// Years at most.
    pub years_max: u32,
    /// Where that is written.
    pub citation: &'static str,
}

/// One to three years.
pub const TERM: Term = Term {
    years_min: 1,
    years_max: 3,
    citation: "政府采购法 art 77",
};

/// Only suppliers that everyone knows of can be debarred.
pub static NO_PUBLIC_SUPPLIER: Reason = Reason::new(
    Kind::Conflict,
    "debarment_no_public_supplier",
    "只能对已公开的承接主体作出限制",
    "Only a supplier that is public can be debarred",
);
/// The debarment was lifted, or its last day is over.
pub static ENDED: Reason = Reason::new(
    Kind::Conflict,
    "debarment_ended",
    "该限制已解除或已期满",
    "The debarment was lifted or is over",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 2] = [&NO_PUBLIC_SUPPLIER, &ENDED];

/// What a decision to debar says, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The first day.
    pub from: NaiveDate,
    /// The last day, counted in.
    pub until: NaiveDate,
    /// Why, in Chinese. Public.
    pub reason_zh: String,
    /// Why, in English. Public.
    pub reason_en: String,
    /// The number of the document it is written in. Public.
    pub document: String,
}

/// The same as entered.
#[derive(Clone, Debug)]
pub struct Entered {
    /// The first day.
    pub from: String,
    /// The last day.
    pub until: String,
    /// Why, in Chinese.
    pub reason_zh: String,
    /// Why, in English.
    pub reason_en: String,
    /// The document's number.
    pub document: String,
}

/// That a debarment ended before its last day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifting {
    /// The first day on which it does not hold any more.
    pub on: NaiveDate,
    /// Why, in Chinese. Public.
    pub reason_zh: String,
    /// Why, in English. Public.
    pub reason_en: String,
    /// Who lifted it.
    pub by: String,
    /// When, UTC.
    pub at: Instant,
}

/// A debarment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debarment {
    /// Its id.
    pub id: DebarmentId,
    /// Who is debarred.
    pub organisation_id: OrganisationId,
    /// What was decided.
    pub decision: Decision,
    /// Who recorded it.
    pub recorded_by: String,
    /// When, UTC.
    pub recorded_at: Instant,
    /// Whether it ended early.
    pub lifting: Option<Lifting>,
}

impl Debarment {
    /// Whether it holds on a day of the ward.
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        let lifted = self.lifting.as_ref().is_some_and(|lifting| lifting.on <= day);
        (self.decision.from..=self.decision.until).contains(&day) && !lifted
    }
}

/// Whether one of an organisation's debarments, which may overlap, holds on a day of the ward.
pub fn is_debarred(debarments: &[Debarment], on: NaiveDate) -> bool {
    debarments.iter().any(|debarment| debarment.holds_on(on))
}

/// Checks a decision; every fault is listed. The first day lies within [`Term::years_max`] of today, and the period is one of
/// those that [`TERM`] allows.
///
/// # Errors
/// [`crate::web::problem::INVALID`] with the place of every fault.
pub fn decision(entered: &Entered, today: NaiveDate) -> Result<Decision, Refusal> {
    let mut form = Form::new();
    let from = form.day("/from", &entered.from);
    let until = form.day("/until", &entered.until);
    let reason_zh = form.line("/reason_zh", &entered.reason_zh, REASON_LENGTH_MAX);
    let reason_en = form.line("/reason_en", &entered.reason_en, REASON_LENGTH_MAX);
    let document = form.line("/document", &entered.document, NAME_LENGTH_MAX);
    let (years_min, years_max, citation) = (TERM.years_min, TERM.years_max, TERM.citation);
    let far = from.year().abs_diff(today.year()) > years_max;
    if from != NaiveDate::MIN && far {
        form.object(
            "/from",
            text!(
                "与今日相差不得超过 {years_max} 年",
                "must be within {years_max} years of today"
            ),
        );
    }
    let fits = last_day(from, years_min).is_some_and(|shortest| shortest <= until)
        && last_day(from, years_max).is_some_and(|longest| until <= longest);
    if from != NaiveDate::MIN && until != NaiveDate::MIN && !fits {
        form.object(
            "/until",
            text!(
                "期限应为 {years_min} 至 {years_max} 年（{citation}），首尾两日均计入",
                "the period must be {years_min} to {years_max} years ({citation}), both days counted in"
            ),
        );
    }
    form.finish(Decision {
        from,
        until,
        reason_zh,
        reason_en,
        document,
    })
}

/// The last of `years` years that begin on a day.
fn last_day(from: NaiveDate, years: u32) -> Option<NaiveDate> {
    from.checked_add_months(Months::new(years.saturating_mul(12)))?
        .checked_sub_days(Days::new(1))
}

/// The debarment, ended on `today` for reasons that both languages give.
///
/// # Errors
/// A fault of the texts; [`ENDED`].
pub fn lift(
    debarment: Debarment,
    reason_zh: &str,
    reason_en: &str,
    today: NaiveDate,
    doing: Doing<'_>,
) -> Result<Debarment, Refusal> {
    let mut form = Form::new();
    let reason_zh = form.line("/reason_zh", reason_zh, REASON_LENGTH_MAX);
    let reason_en = form.line("/reason_en", reason_en, REASON_LENGTH_MAX);
    let (reason_zh, reason_en) = form.finish((reason_zh, reason_en))?;
    if debarment.lifting.is_some() {
        return Err(ENDED.because(Text::fixed("该限制已解除", "it was lifted")));
    }
    if debarment.decision.until < today {
        return Err(ENDED.because(Text::fixed("该限制已期满", "its last day is over")));
    }
    Ok(Debarment {
        lifting: Some(Lifting {
            on: today,
            reason_zh,
            reason_en,
            by: doing.by.to_owned(),
            at: doing.at,
        }),
        ..debarment
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn doing() -> Doing<'static> {
        Doing {
            by: "user_r",
            at: chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
        }
    }

    fn entered(from: &str, until: &str) -> Entered {
        Entered {
            from: from.into(),
            until: until.into(),
            reason_zh: "提供虚假材料".into(),
            reason_en: "False documents".into(),
            document: "凤财罚 2026-3".into(),
        }
    }

    fn debarment(from: &str, until: &str) -> Debarment {
        Debarment {
            id: DebarmentId::mint(doing().at),
            organisation_id: OrganisationId::mint(doing().at),
            decision: decision(&entered(from, until), day("2026-03-02")).unwrap(),
            recorded_by: "user_r".into(),
            recorded_at: doing().at,
            lifting: None,
        }
    }

    #[test]
    fn a_period_is_one_to_three_years_both_days_counted_in() {
        let pointers = |from: &str, until: &str| -> Vec<String> {
            decision(&entered(from, until), day("2026-03-02"))
                .err()
                .map(|refusal| refusal.objections.into_iter().map(|one| one.pointer).collect())
                .unwrap_or_default()
        };
        for (from, until, good) in [
            ("2026-03-02", "2027-03-01", true),
            ("2026-03-02", "2027-02-28", false),
            ("2026-03-02", "2029-03-01", true),
            ("2026-03-02", "2029-03-02", false),
            ("2026-03-02", "2026-03-01", false),
            ("2028-02-29", "2029-02-27", true),
            ("2028-02-29", "2029-02-26", false),
            ("2023-06-01", "2026-05-31", true),
        ] {
            assert_eq!(pointers(from, until).is_empty(), good, "{from} {until}");
        }
        assert_eq!(pointers("2022-06-01", "2023-05-31"), ["/from"]);
        assert_eq!(pointers("2030-01-01", "2030-12-31"), ["/from"]);
        assert_eq!(pointers("soon", "later"), ["/from", "/until"]);
        let mut bad = entered("2026-03-02", "2027-03-01");
        bad.reason_zh = "字".repeat(REASON_LENGTH_MAX + 1);
        bad.reason_en = "=cmd".into();
        bad.document = String::new();
        let refusal = decision(&bad, day("2026-03-02")).unwrap_err();
        let pointers: Vec<_> = refusal.objections.into_iter().map(|one| one.pointer).collect();
        assert_eq!(pointers, ["/reason_zh", "/reason_en", "/document"]);
    }

    #[test]
    fn it_holds_through_its_last_day_and_ends_on_the_day_it_is_lifted() {
        let whole = debarment("2026-03-02", "2027-03-01");
        assert!(!whole.holds_on(day("2026-03-01")) && whole.holds_on(day("2026-03-02")));
        assert!(whole.holds_on(day("2027-03-01")) && !whole.holds_on(day("2027-03-02")));
        let lifted = lift(whole.clone(), "撤销", "Quashed", day("2026-06-01"), doing()).unwrap();
        assert!(lifted.holds_on(day("2026-05-31")) && !lifted.holds_on(day("2026-06-01")));
        assert_eq!(
            lift(lifted.clone(), "撤销", "Quashed", day("2026-07-01"), doing())
                .unwrap_err()
                .reason
                .code,
            "debarment_ended"
        );
        assert!(lift(whole.clone(), "撤销", "Quashed", day("2027-03-01"), doing()).is_ok());
        assert!(lift(whole.clone(), "撤销", "Quashed", day("2027-03-02"), doing()).is_err());
        assert!(lift(whole.clone(), "", "", day("2026-06-01"), doing()).is_err());
        // Overlapping ones count each for itself.
        let other = debarment("2026-05-01", "2028-04-30");
        assert!(is_debarred(&[lifted.clone(), other.clone()], day("2026-06-01")));
        assert!(!is_debarred(&[lifted], day("2026-06-01")) && !is_debarred(&[], day("2026-06-01")));
    }

    proptest! {
        #[test]
        fn lifting_never_prolongs(from in 0_u64..300, length in 364_u64..1_095, lifted in 0_u64..1_500, asked in 0_u64..1_500) {
            let first = day("2026-01-01");
            let plus = |days: u64| first.checked_add_days(Days::new(days)).unwrap();
            let until = plus(from + length);
            let before = debarment(&plus(from).to_string(), &until.to_string());
            if let Ok(after) = lift(before.clone(), "撤销", "Quashed", plus(lifted), doing()) {
                prop_assert!(!after.holds_on(plus(asked)) || before.holds_on(plus(asked)));
                prop_assert!(asked < lifted || !after.holds_on(plus(asked)));
            }
        }
    }
}
