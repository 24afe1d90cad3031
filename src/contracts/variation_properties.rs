//! Tests of the bounds of variations: worked examples, and properties of random sequences against a small model.

use chrono::{Days, NaiveDate};
use proptest::prelude::*;

use crate::books::rules_documents::{Counting, Outcome, PeriodKind};
use crate::contracts::rules::tests::now;
use crate::contracts::rules_periods::{Period, Schedule, Span, spans as periods_of};
use crate::contracts::rules_triggers::tests::{scores, trigger};
use crate::contracts::rules_variation_bounds::{Facts, Renewal, as_changed, parts, price_now, renewable};
use crate::contracts::rules_variations::tests::{asked, variation};
use crate::contracts::rules_variations::{Entered, Kind, Part, State, Variation, VariationId};
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Stop};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn yuan(text: &str) -> Money {
    text.parse().unwrap()
}

/// Book 4 of the demo ward: a year in months.
fn schedule(price: Money) -> Schedule {
    let spans = periods_of((PeriodKind::Month, 12), day("2026-05-01"), day("2027-04-30")).unwrap();
    let amounts = price.split_evenly(12).unwrap();
    let periods = (1..).zip(spans).zip(amounts);
    Schedule {
        kind: PeriodKind::Month,
        advance: Money::ZERO,
        retention: Money::ZERO,
        periods: periods
            .map(|((number, span), amount)| Period { number, span, amount })
            .collect(),
    }
}

/// A contract that is varied.
struct Case {
    price: Money,
    schedule: Schedule,
    concluded: Vec<Variation>,
    today: NaiveDate,
    until: NaiveDate,
    cap: &'static str,
}

impl Case {
    fn new(price: &str) -> Self {
        Self {
            price: yuan(price),
            schedule: schedule(yuan(price)),
            concluded: Vec::new(),
            today: day("2026-07-15"),
            until: day("2027-04-30"),
            cap: "10",
        }
    }

    fn with<T>(&self, what: impl FnOnce(&Facts<'_>) -> T) -> T {
        let periods = as_changed(&self.schedule, &self.concluded).unwrap();
        what(&Facts {
            price: self.price,
            term: Span {
                first: day("2026-05-01"),
                last: day("2027-04-30"),
            },
            until: self.until,
            kind: self.schedule.kind,
            periods: &periods,
            concluded: &self.concluded,
            cap_percent: self.cap.parse().unwrap(),
            today: self.today,
        })
    }

    fn asks(&self, entered: &Entered) -> Result<Vec<Part>, &'static str> {
        code(self.with(|facts| parts(entered, facts)))
    }

    fn concludes(&mut self, entered: Entered) -> Result<Vec<Part>, &'static str> {
        let parts = self.asks(&entered)?;
        self.concluded.push(Variation {
            id: VariationId::mint(now()),
            state: State::Concluded,
            until_before: self.until,
            parts: parts.clone(),
            entered: entered.clone(),
            ..variation()
        });
        self.until = entered.until.unwrap_or(self.until);
        Ok(parts)
    }

    fn prices(&self) -> Vec<Money> {
        let all = as_changed(&self.schedule, &self.concluded).unwrap();
        all.iter().map(|one| one.price_now).collect()
    }
}

fn code<T>(answer: Answer<T>) -> Result<T, &'static str> {
    answer.map_err(|stop| match stop {
        Stop::Refused(refusal) => refusal.reason.code,
        Stop::Fault(fault) => panic!("{fault:?}"),
    })
}

#[test]
fn a_supplement_is_spread_over_what_has_not_begun_to_the_fen() {
    let mut case = Case::new("826600.00");
    let parts = case.concludes(asked(Kind::Supplement, "82660.00")).unwrap();
    assert_eq!(
        parts.iter().map(|one| one.period).collect::<Vec<_>>(),
        (4..=12).collect::<Vec<_>>()
    );
    assert_eq!(
        (parts[0].amount, parts[8].amount),
        (yuan("9184.44"), yuan("9184.48"))
    );
    let prices = case.prices();
    assert_eq!(
        (prices[2], prices[3], prices[11]),
        (yuan("68883.33"), yuan("78067.77"), yuan("78067.85"))
    );
    assert_eq!(Money::sum(prices).unwrap(), yuan("909260.00"));
    assert_eq!(price_now(case.price, &case.concluded).unwrap(), yuan("909260.00"));
    // The cap is used up to the fen.
    assert_eq!(
        case.asks(&asked(Kind::Supplement, "0.01")),
        Err("variation_over_cap")
    );
    let mut extension = asked(Kind::Extension, "0.01");
    extension.until = Some(day("2027-05-01"));
    assert_eq!(case.asks(&extension), Err("variation_over_cap"));
    case.concludes(asked(Kind::Reduction, "-80000.00")).unwrap();
    assert_eq!(
        case.asks(&asked(Kind::Supplement, "0.01")),
        Err("variation_over_cap"),
        "a reduction makes no room"
    );
    assert_eq!(
        case.asks(&asked(Kind::Supplement, "90000000000000.00")),
        Err("variation_over_cap")
    );
    // What has begun stays as it is.
    let mut late = asked(Kind::Reduction, "-1.00");
    late.from_period = Some(12);
    assert_eq!(case.asks(&late).unwrap().len(), 1);
    late.from_period = Some(13);
    assert_eq!(case.asks(&late), Err("variation_no_period_left"));
    case.today = day("2027-04-01");
    assert_eq!(
        case.asks(&asked(Kind::Reduction, "-1.00")),
        Err("variation_no_period_left")
    );
    case.today = day("2027-05-01");
    assert_eq!(
        case.asks(&asked(Kind::Reduction, "-1.00")),
        Err("contract_term_over")
    );
}

#[test]
fn nothing_is_worth_less_than_nothing() {
    let mut case = Case::new("826600.00");
    let left = "-619950.02";
    assert_eq!(
        case.asks(&asked(Kind::Reduction, left)),
        Err("variation_below_zero")
    );
    assert_eq!(
        case.asks(&asked(Kind::Reduction, "-90000000000000.00")),
        Err("variation_below_zero")
    );
    case.concludes(asked(Kind::Reduction, "-619950.01")).unwrap();
    assert_eq!((case.prices()[3], case.prices()[11]), (Money::ZERO, Money::ZERO));
}

#[test]
fn an_extension_is_a_tenth_of_the_term_and_adds_its_own_period() {
    let mut case = Case::new("826600.00");
    let to = |until: &str, amount: &str| Entered {
        until: Some(day(until)),
        ..asked(Kind::Extension, amount)
    };
    assert_eq!(case.asks(&to("2027-04-30", "0.00")), Err("invalid"));
    assert_eq!(
        case.asks(&to("2027-06-06", "0.00")),
        Err("variation_extended_too_long"),
        "37 days of 365"
    );
    let parts = case.concludes(to("2027-05-20", "40000.01")).unwrap();
    assert_eq!(
        parts,
        [Part {
            period: 13,
            span: Span {
                first: day("2027-05-01"),
                last: day("2027-05-20")
            },
            amount: yuan("40000.01"),
            is_added: true
        }]
    );
    assert_eq!(
        case.asks(&to("2027-06-06", "0.00")),
        Err("variation_extended_too_long")
    );
    let parts = case.concludes(to("2027-06-05", "0.00")).unwrap();
    assert_eq!(
        (parts.len(), parts[0].period, parts[0].span.first),
        (1, 14, day("2027-05-21"))
    );
    assert_eq!(
        case.asks(&to("9999-12-31", "0.00")),
        Err("variation_extended_too_long")
    );
    // A supplement reaches what was added.
    let parts = case.concludes(asked(Kind::Supplement, "11.00")).unwrap();
    assert_eq!((parts.len(), parts[10].period), (11, 14));
    assert_eq!(case.prices()[13], yuan("1.00"));
}

#[test]
fn a_renewal_is_what_the_book_has_promised() {
    let mut case = Case::new("826600.00");
    let to = |until: &str, amount: &str| Entered {
        until: Some(day(until)),
        ..asked(Kind::Renewal, amount)
    };
    let promise = [
        trigger(Outcome::Termination, "60", 1, Counting::Cumulative),
        trigger(Outcome::Renewal, "80", 1, Counting::Cumulative),
    ];
    let allowed = |case: &Case, entered: &Entered, triggers: &[_], all: &[&str], years_max: u32| {
        let scores = scores(all);
        let renewal = Renewal {
            triggers,
            scores: &scores,
            years_max,
        };
        let result = case.with(|facts| renewable(entered, facts, renewal));
        result.map_or_else(|refusal| refusal.reason.code, |()| "ok")
    };
    let year = to("2028-04-30", "826600.00");
    assert_eq!(
        allowed(&case, &year, &promise[..1], &["90"], 3),
        "renewal_not_agreed"
    );
    assert_eq!(allowed(&case, &year, &promise, &[], 3), "renewal_scores_unknown");
    assert_eq!(
        allowed(&case, &year, &promise, &["90", "-"], 3),
        "renewal_scores_unknown"
    );
    assert_eq!(
        allowed(&case, &year, &promise, &["90", "79.99"], 3),
        "renewal_not_met"
    );
    assert_eq!(allowed(&case, &year, &promise, &["90", "80"], 3), "ok");
    assert_eq!(
        allowed(&case, &year, &promise, &["90", "80"], 1),
        "renewal_too_long"
    );
    assert_eq!(
        allowed(&case, &to("2029-04-30", "1.00"), &promise, &["90"], 3),
        "ok",
        "36 months in all"
    );
    assert_eq!(
        allowed(&case, &to("2029-05-01", "1.00"), &promise, &["90"], 5),
        "renewal_too_long"
    );
    assert_eq!(
        allowed(&case, &to("9999-12-31", "1.00"), &promise, &["90"], 1000),
        "renewal_too_long"
    );
    assert_eq!(
        allowed(&case, &to("2028-04-30", "826600.01"), &promise, &["90"], 3),
        "renewal_dearer"
    );
    assert_eq!(
        allowed(&case, &to("2027-10-31", "413300.00"), &promise, &["90"], 3),
        "ok",
        "half a year at half the price"
    );
    assert_eq!(
        allowed(&case, &to("2027-10-31", "413300.01"), &promise, &["90"], 3),
        "renewal_dearer"
    );
    assert_eq!(
        allowed(&case, &to("2027-05-10", "22646.57"), &promise, &["90"], 3),
        "ok",
        "ten days of 365"
    );
    assert_eq!(
        allowed(&case, &to("2027-05-10", "22646.58"), &promise, &["90"], 3),
        "renewal_dearer"
    );
    // It is not measured by the cap, and uses none of it.
    let parts = case.concludes(year).unwrap();
    assert_eq!(
        (parts.len(), parts[0].period, parts[11].span.last),
        (12, 13, day("2028-04-30"))
    );
    assert_eq!(
        (parts[0].amount, parts[11].amount),
        (yuan("68883.33"), yuan("68883.37"))
    );
    case.concludes(asked(Kind::Supplement, "82660.00")).unwrap();
    assert_eq!(
        case.asks(&to("2037-05-01", "1.00")),
        Err("variation_too_many_periods")
    );
}

/// A proposal at random: its kind, its size in fen, its days, and from which period on.
fn proposals() -> impl Strategy<Value = (usize, i64, u64, i64)> {
    (0_usize..3, 0_i64..3_000_000, 1_u64..20, 0_i64..14)
}

proptest! {
    #[test]
    fn whatever_is_asked_for_the_cap_holds_and_no_fen_is_lost(
        fen in 1_000_i64..100_000_000,
        percent in 0_usize..3,
        all in prop::collection::vec(proposals(), 1..25),
    ) {
        let price = Money::from_fen(fen).unwrap();
        let (cap, thousandths) = [("0", 0_u64), ("10", 100), ("12.5", 125)][percent];
        let mut case = Case { price, schedule: schedule(price), cap, ..Case::new("1.00") };
        let cap_fen = match cap { "0" => 0, "10" => fen / 10, _ => fen / 8 };
        let (mut increases, mut extended, mut total) = (0_i64, 0_u64, fen);
        for (kind, size, days, from) in all {
            let kind = [Kind::Supplement, Kind::Reduction, Kind::Extension][kind];
            let amount = match kind { Kind::Reduction => -size - 1, Kind::Supplement => size + 1, _ => size };
            let entered = Entered {
                amount: Money::from_fen(amount).unwrap(),
                from_period: (kind != Kind::Extension).then_some(from),
                until: (kind == Kind::Extension).then(|| case.until + Days::new(days)),
                ..asked(kind, "1.00")
            };
            let before = case.prices();
            let result = case.concludes(entered);
            let over = kind != Kind::Reduction && increases + amount > cap_fen;
            let long = kind == Kind::Extension && (extended + days) * 1_000 > thousandths * 365;
            match result {
                Ok(parts) => {
                    prop_assert!(!over && !long);
                    prop_assert_eq!(Money::sum(parts.iter().map(|one| one.amount)).unwrap().fen(), amount);
                    prop_assert!(parts.iter().all(|one| one.span.first > case.today && one.period >= entered_from(kind, from)));
                    total += amount;
                    if kind != Kind::Reduction { increases += amount; }
                    if kind == Kind::Extension { extended += days; }
                }
                Err(code) => {
                    let expected = if over { "variation_over_cap" } else if long { "variation_extended_too_long" } else { code };
                    prop_assert_eq!(code, expected);
                    prop_assert!(over || long || code == "variation_below_zero" || code == "variation_no_period_left");
                    prop_assert_eq!(before, case.prices());
                }
            }
            let prices = case.prices();
            prop_assert_eq!(Money::sum(prices.iter().copied()).unwrap().fen(), total);
            prop_assert!(prices.iter().all(|price| !price.is_negative()));
            prop_assert!(increases <= cap_fen);
            prop_assert_eq!(price_now(case.price, &case.concluded).unwrap().fen(), total);
        }
    }
}

fn entered_from(kind: Kind, from: i64) -> i64 {
    if kind == Kind::Extension { 13 } else { from }
}
