//! The term of a contract in periods, and what of the price belongs to each: what is inspected, rated, claimed and paid goes by them. They follow
//! from the signed document alone, so that anybody can make them again. Pure.

use chrono::{Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::books::rules_documents::{AdvanceRecovery, PaymentDocument, PeriodKind};
use crate::contracts::rules_document::ContractDocument;
use crate::kernel::money::{Money, MoneyError, Rounding};
use crate::kernel::refusal::{Fault, Kind as ReasonKind, Reason};

/// The contract has no periods: its book names no schedule or no dates.
pub static NO_PERIODS: Reason = Reason::new(
    ReasonKind::Conflict,
    "contract_without_periods",
    "该合同没有分期",
    "The contract has no periods",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 1] = [&NO_PERIODS];

/// The first and the last day of a period, both within it; local dates of the ward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub first: NaiveDate,
    /// The last.
    pub last: NaiveDate,
}

/// A period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its number, from 1.
    pub number: i64,
    /// Its days.
    pub span: Span,
    /// What of the price belongs to it.
    pub amount: Money,
}

/// Whether a period has begun, and whether it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PeriodState)]
pub enum State {
    /// It has not begun.
    Upcoming,
    /// Today is one of its days.
    Running,
    /// Its last day is past, or the contract's is.
    Over,
    /// The contract ended before it began.
    Cancelled,
}

impl State {
    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upcoming => "upcoming",
            Self::Running => "running",
            Self::Over => "over",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Period {
    /// Whether it has begun on a day, and whether it is over.
    pub fn state(&self, today: NaiveDate) -> State {
        if today < self.span.first {
            State::Upcoming
        } else if today <= self.span.last {
            State::Running
        } else {
            State::Over
        }
    }

    /// The same under a contract that was ended, with the last day of that: a period that had begun ends with the contract, and one that had not never runs.
    pub fn state_until(&self, today: NaiveDate, ended_on: Option<NaiveDate>) -> State {
        match ended_on {
            Some(last) if last < self.span.first => State::Cancelled,
            Some(last) if last < today && self.span.first <= today => State::Over,
            _ => self.state(today),
        }
    }
}

/// The periods of a contract, and what of the price belongs to none of them. All of it adds up to the price; without the advance, where the periods take that back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How long a period is.
    pub kind: PeriodKind,
    /// What is paid before the work begins.
    pub advance: Money,
    /// What is kept back until the end.
    pub retention: Money,
    /// The periods, the first one first.
    pub periods: Vec<Period>,
}

impl Schedule {
    /// The period in which a day lies.
    pub fn period_of(&self, day: NaiveDate) -> Option<&Period> {
        self.periods
            .iter()
            .find(|one| one.span.first <= day && day <= one.span.last)
    }

    /// The period of that number.
    pub fn period(&self, number: i64) -> Option<&Period> {
        self.periods.iter().find(|one| one.number == number)
    }
}

/// The schedule of a contract; nothing if its book names no schedule or no dates, or asks for more periods than there are days.
///
/// # Errors
/// A fault of arithmetic, or if the parts do not add up to the price.
pub fn schedule(document: &ContractDocument) -> Result<Option<Schedule>, Fault> {
    let dates = document.service_from.zip(document.service_until);
    let (Some(payment), Some((from, until))) = (&document.lot.payment, dates) else {
        return Ok(None);
    };
    let Some(spans) = spans((payment.period, payment.periods), from, until) else {
        return Ok(None);
    };
    let failed = |error: MoneyError| Fault::caused("the parts of a price", error);
    let amounts = amounts(document.price, payment, spans.len()).map_err(failed)?;
    let beside = match payment.advance_recovery {
        AdvanceRecovery::PartOfPrice => amounts.advance,
        AdvanceRecovery::Spread => Money::ZERO,
    };
    let parts = amounts.periods.iter().copied().chain([beside, amounts.retention]);
    if Money::sum(parts).map_err(failed)? != document.price || amounts.periods.len() != spans.len() {
        return Err(Fault::broken("the parts of a price do not add up to it"));
    }
    let periods = (1..).zip(spans).zip(amounts.periods);
    Ok(Some(Schedule {
        kind: payment.period,
        advance: amounts.advance,
        retention: amounts.retention,
        periods: periods
            .map(|((number, span), amount)| Period { number, span, amount })
            .collect(),
    }))
}

/// The term from `from` to `until` in so many periods, without gap or overlap.
///
/// A month, or a quarter, begins on the day of the month on which the service does, or on the last of a shorter month (31 January, 28 February,
/// 31 March), and the last period may be shorter. Calendar months proper were rejected: a service that begins on the 15th would have a first
/// period of half the length at the same price. Where as many months or quarters as the book names do not cover the term, and for `custom`, the
/// term is divided evenly: by months if it is a whole number of them that the number of periods divides, else by days, no two periods differing by
/// more than one.
///
/// `None` if there are fewer days than periods, or no period.
pub fn spans((kind, count): (PeriodKind, u32), from: NaiveDate, until: NaiveDate) -> Option<Vec<Span>> {
    let after = until.checked_add_days(Days::new(1))?;
    let days = u64::try_from(after.signed_duration_since(from).num_days()).ok()?;
    if count == 0 || days < u64::from(count) {
        return None;
    }
    let months = match kind {
        PeriodKind::Month => by_months(1, count, (from, until)),
        PeriodKind::Quarter => by_months(3, count, (from, until)),
        PeriodKind::Custom => None,
    };
    let beginnings = match months.or_else(|| evenly_by_months(count, (from, after))) {
        Some(beginnings) => beginnings,
        None => (0..u64::from(count))
            .map(|part| {
                let offset = days.checked_mul(part)?.checked_div(u64::from(count))?;
                from.checked_add_days(Days::new(offset))
            })
            .collect::<Option<Vec<_>>>()?,
    };
    let ends = beginnings.iter().skip(1).copied().chain([after]);
    beginnings
        .iter()
        .zip(ends)
        .map(|(first, next)| {
            Some(Span {
                first: *first,
                last: next.pred_opt()?,
            })
        })
        .collect()
}

/// Where so many periods of so many months begin; `None` if they do not cover the term, or one of them would lie beyond it.
fn by_months(step: u32, count: u32, (from, until): (NaiveDate, NaiveDate)) -> Option<Vec<NaiveDate>> {
    let at = |part: u32| from.checked_add_months(Months::new(step.checked_mul(part)?));
    let beginnings = (0..count).map(at).collect::<Option<Vec<_>>>()?;
    let covers = beginnings.last().is_some_and(|last| *last <= until) && at(count)? > until;
    covers.then_some(beginnings)
}

/// Where so many periods begin in a term of a whole number of months that they divide.
fn evenly_by_months(count: u32, (from, after): (NaiveDate, NaiveDate)) -> Option<Vec<NaiveDate>> {
    // No shorter month has fewer than 28 days.
    let days = after.signed_duration_since(from).num_days();
    let months_max = u32::try_from(days.checked_div(28)?).ok()?;
    let months =
        (1..=months_max).find(|months| from.checked_add_months(Months::new(*months)) == Some(after))?;
    let step = months.checked_div(count)?;
    if step == 0 || step.checked_mul(count)? != months {
        return None;
    }
    by_months(step, count, (from, after.pred_opt()?))
}

/// What a price is divided into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// What is paid before the work begins.
    pub advance: Money,
    /// What is kept back until the end.
    pub retention: Money,
    /// What belongs to each period.
    pub periods: Vec<Money>,
}

/// A price divided as a book says. Advance and retention are rounded down to the fen and never exceed what was agreed; what is left is divided
/// among the periods: evenly, the last one taking the fen that are left over, and for `custom` by their shares, by the largest remainder. An advance that
/// the periods take back is no part beside them: theirs is all but the retention.
///
/// # Errors
/// A fault of arithmetic.
pub fn amounts(price: Money, payment: &PaymentDocument, count: usize) -> Result<Amounts, MoneyError> {
    let advance = price.percent_of(payment.advance_percent.percent(), Rounding::Down)?;
    let retention = price.percent_of(payment.retention_percent.percent(), Rounding::Down)?;
    let rest = match payment.advance_recovery {
        AdvanceRecovery::PartOfPrice => price.checked_sub(advance)?.checked_sub(retention)?,
        AdvanceRecovery::Spread => price.checked_sub(retention)?,
    };
    let shares: Vec<u64> = payment
        .shares
        .iter()
        .map(|share| share.ten_thousandths())
        .collect();
    let by_shares = payment.period == PeriodKind::Custom
        && shares.len() == count
        && shares.iter().any(|share| *share > 0);
    Ok(Amounts {
        advance,
        retention,
        periods: if by_shares {
            rest.split_by_weights(&shares)?
        } else {
            rest.split_evenly(count)?
        },
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::books::rules_documents::WithoutScore;
    use chrono::Datelike;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn payment(period: PeriodKind, periods: u32, parts: [&str; 3], shares: &[&str]) -> PaymentDocument {
        let [advance, of_periods, retention] = parts.map(|part| part.parse().unwrap());
        PaymentDocument {
            advance_percent: advance,
            periods_percent: of_periods,
            retention_percent: retention,
            period,
            periods,
            shares: shares.iter().map(|share| share.parse().unwrap()).collect(),
            advance_recovery: AdvanceRecovery::PartOfPrice,
            without_score: WithoutScore::Redistributed,
            payment_days: None,
        }
    }

    fn shown(kind: PeriodKind, count: u32, from: &str, until: &str) -> Vec<String> {
        spans((kind, count), day(from), day(until))
            .unwrap()
            .iter()
            .map(|span| format!("{}..{}", span.first, span.last))
            .collect()
    }

    #[test]
    fn months_step_by_the_day_on_which_the_service_begins() {
        let year = shown(PeriodKind::Month, 12, "2026-05-01", "2027-04-30");
        assert_eq!(
            (year.len(), &*year[0], &*year[1], &*year[11]),
            (
                12,
                "2026-05-01..2026-05-31",
                "2026-06-01..2026-06-30",
                "2027-04-01..2027-04-30"
            )
        );
        // The end of a month stays the end of a month, and comes back after a shorter one.
        assert_eq!(
            shown(PeriodKind::Month, 3, "2026-01-31", "2026-04-29"),
            [
                "2026-01-31..2026-02-27",
                "2026-02-28..2026-03-30",
                "2026-03-31..2026-04-29"
            ]
        );
        assert_eq!(
            shown(PeriodKind::Month, 2, "2028-01-30", "2028-03-29")[1],
            "2028-02-29..2028-03-29"
        );
        // The last one may be shorter.
        assert_eq!(
            shown(PeriodKind::Quarter, 2, "2026-05-15", "2026-10-31"),
            ["2026-05-15..2026-08-14", "2026-08-15..2026-10-31"]
        );
    }

    #[test]
    fn a_number_that_does_not_fit_divides_the_term_evenly() {
        // Twelve months in four parts, and a term of twenty-four months in twelve.
        assert_eq!(
            shown(PeriodKind::Custom, 4, "2026-05-01", "2027-04-30")[1],
            "2026-08-01..2026-10-31"
        );
        assert_eq!(
            shown(PeriodKind::Month, 12, "2026-05-01", "2028-04-30")[1],
            "2026-07-01..2026-08-31"
        );
        // No whole months: by days.
        assert_eq!(
            shown(PeriodKind::Custom, 3, "2026-05-01", "2026-05-10"),
            [
                "2026-05-01..2026-05-03",
                "2026-05-04..2026-05-06",
                "2026-05-07..2026-05-10"
            ]
        );
        assert_eq!(shown(PeriodKind::Month, 12, "2026-05-01", "2026-05-12").len(), 12);
        assert_eq!(
            spans((PeriodKind::Month, 12), day("2026-05-01"), day("2026-05-11")),
            None
        );
        assert_eq!(
            spans((PeriodKind::Month, 0), day("2026-05-01"), day("2026-05-11")),
            None
        );
        assert_eq!(
            spans((PeriodKind::Month, 1), day("2026-05-02"), day("2026-05-01")),
            None
        );
        assert_eq!(
            spans((PeriodKind::Month, 1), day("2026-05-02"), NaiveDate::MAX),
            None
        );
    }

    #[test]
    fn a_price_is_divided_to_the_fen() {
        let price: Money = "826600.00".parse().unwrap();
        let even = amounts(price, &payment(PeriodKind::Month, 12, ["0", "100", "0"], &[]), 12).unwrap();
        let texts: Vec<String> = even.periods.iter().map(Money::to_string).collect();
        assert_eq!(
            (&*texts[0], &*texts[10], &*texts[11]),
            ("68883.33", "68883.33", "68883.37")
        );
        let agency: Money = "640645.80".parse().unwrap();
        let split = amounts(
            agency,
            &payment(PeriodKind::Quarter, 4, ["30", "65", "5"], &[]),
            4,
        )
        .unwrap();
        assert_eq!(
            (split.advance.to_string(), split.retention.to_string()),
            ("192193.74".to_owned(), "32032.29".to_owned())
        );
        let shares = payment(PeriodKind::Custom, 3, ["0", "100", "0"], &["50", "30", "20"]);
        let split = amounts("1000.01".parse().unwrap(), &shares, 3).unwrap();
        let texts: Vec<String> = split.periods.iter().map(Money::to_string).collect();
        assert_eq!(texts, ["500.01", "300.00", "200.00"]);
        let prepaid = payment(PeriodKind::Custom, 2, ["100", "0", "0"], &["0", "0"]);
        assert_eq!(
            amounts(price, &prepaid, 2).unwrap().periods,
            [Money::ZERO, Money::ZERO]
        );
        // An advance that comes back is no part beside the periods, which are all but the retention.
        let spread = PaymentDocument {
            advance_recovery: AdvanceRecovery::Spread,
            ..payment(PeriodKind::Month, 2, ["30", "95", "5"], &[])
        };
        let split = amounts("1000.01".parse().unwrap(), &spread, 2).unwrap();
        let parts = [split.advance, split.periods[0], split.periods[1], split.retention];
        assert_eq!(
            parts.map(|part| part.to_string()),
            ["300.00", "475.00", "475.01", "50.00"]
        );
    }

    #[test]
    fn a_period_is_upcoming_running_or_over_by_its_days() {
        let period = Period {
            number: 1,
            span: Span {
                first: day("2026-05-01"),
                last: day("2026-05-31"),
            },
            amount: Money::ZERO,
        };
        let states = ["2026-04-30", "2026-05-01", "2026-05-31", "2026-06-01"]
            .map(|text| period.state(day(text)).name());
        assert_eq!(states, ["upcoming", "running", "running", "over"]);
    }

    #[test]
    fn a_period_ends_with_its_contract_or_never_begins() {
        let period = Period {
            number: 2,
            span: Span {
                first: day("2026-05-01"),
                last: day("2026-05-31"),
            },
            amount: Money::ZERO,
        };
        let state = |today: &str, ended: &str| period.state_until(day(today), Some(day(ended))).name();
        // Decided on the 10th, with effect from the end of the 20th.
        assert_eq!(state("2026-05-10", "2026-05-20"), "running");
        assert_eq!(state("2026-05-20", "2026-05-20"), "running");
        assert_eq!(state("2026-05-21", "2026-05-20"), "over");
        assert_eq!(state("2026-05-01", "2026-05-01"), "running");
        assert_eq!(state("2026-04-10", "2026-04-30"), "cancelled");
        assert_eq!(state("2026-07-01", "2026-04-30"), "cancelled");
        assert_eq!(state("2026-04-10", "2026-05-01"), "upcoming");
        assert_eq!(period.state_until(day("2026-05-31"), None).name(), "running");
    }

    fn kinds() -> impl Strategy<Value = PeriodKind> {
        prop::sample::select(vec![PeriodKind::Month, PeriodKind::Quarter, PeriodKind::Custom])
    }

    proptest! {
        #[test]
        fn periods_cover_the_term_without_gap_or_overlap(kind in kinds(), count in 1_u32..=120, from in 0_u64..4000, days in 0_u64..1500) {
            let from = day("2024-01-01") + Days::new(from);
            let until = from + Days::new(days);
            let Some(spans) = spans((kind, count), from, until) else {
                prop_assert!(days + 1 < u64::from(count));
                return Ok(());
            };
            prop_assert_eq!(spans.len(), usize::try_from(count).unwrap());
            prop_assert_eq!(spans[0].first, from);
            prop_assert_eq!(spans.last().unwrap().last, until);
            for span in &spans {
                prop_assert!(span.first <= span.last);
            }
            for pair in spans.windows(2) {
                prop_assert_eq!(pair[0].last.succ_opt().unwrap(), pair[1].first);
            }
        }

        #[test]
        fn whole_months_begin_on_the_day_of_the_month_or_at_its_end(from in 0_u64..4000, count in 1_u32..=36) {
            let from = day("2024-01-01") + Days::new(from);
            let until = (from + Months::new(count)).pred_opt().unwrap();
            let spans = spans((PeriodKind::Month, count), from, until).unwrap();
            for span in spans {
                let next = span.first.succ_opt().unwrap();
                prop_assert!(span.first.day() == from.day() || (span.first.day() < from.day() && next.day() == 1));
            }
        }

        #[test]
        fn the_parts_of_a_price_add_up_to_it(fen in 1_i64..=9_000_000_000_000, kind in kinds(), count in 1_u32..=120, advance in 0_u32..=1_000_000, retention in 0_u32..=1_000_000) {
            let retention = retention.min(1_000_000 - advance);
            let percent = |part: u32| format!("{}.{:04}", part / 10_000, part % 10_000);
            let of_periods = 1_000_000 - advance - retention;
            let shares: Vec<String> = if kind == PeriodKind::Custom {
                let each = of_periods / count;
                (0..count).map(|part| percent(if part == 0 { of_periods - each * (count - 1) } else { each })).collect()
            } else {
                Vec::new()
            };
            let shares: Vec<&str> = shares.iter().map(String::as_str).collect();
            let payment = payment(kind, count, [&percent(advance), &percent(of_periods), &percent(retention)], &shares);
            let price = Money::from_fen(fen).unwrap();
            let parts = amounts(price, &payment, usize::try_from(count).unwrap()).unwrap();
            prop_assert_eq!(Money::sum(parts.periods.iter().copied().chain([parts.advance, parts.retention])).unwrap(), price);
            prop_assert!(parts.periods.iter().all(|part| *part >= Money::ZERO));
        }

        /// Where the periods take the advance back, they and the retention are the price, and the advance is no more than they are.
        #[test]
        fn an_advance_that_comes_back_leaves_the_price_to_the_periods(fen in 0_i64..1_000_000_000_000, advance in 0_u64..=9_000, retention in 0_u64..=1_000, count in 1_u32..=60) {
            let percent = |hundredths: u64| format!("{}.{:02}", hundredths / 100, hundredths % 100);
            let payment = PaymentDocument {
                advance_recovery: AdvanceRecovery::Spread,
                ..payment(PeriodKind::Month, count, [&percent(advance), &percent(10_000 - retention), &percent(retention)], &[])
            };
            let price = Money::from_fen(fen).unwrap();
            let parts = amounts(price, &payment, usize::try_from(count).unwrap()).unwrap();
            let of_periods = Money::sum(parts.periods.iter().copied()).unwrap();
            prop_assert_eq!(of_periods.checked_add(parts.retention).unwrap(), price);
            prop_assert!(parts.advance <= of_periods && parts.advance.split_evenly(parts.periods.len()).unwrap().len() == parts.periods.len());
        }
    }
}
