//! What is certified of a claim: what its part of the price comes to by the contract and the facts, of that what is undisputed, without what other claims have
//! had of it, and never more than is committed and free. Pure.

use std::collections::BTreeSet;

use crate::award::rules_evaluation::Yuan;
use crate::books::rules_documents::{BandDocument, LotDocument, PayTableDocument, PenaltyDocument};
use crate::contracts::rules_source_scores::{SourceScore, State as ScoreState};
use crate::kernel::fixed::Rounding;
use crate::kernel::money::{Money, MoneyError};
use crate::kernel::refusal::{Fault, Refusal};
use crate::kernel::text::Text;
use crate::kernel::weight::Weight;
use crate::payments::rules_claim_forms::words;
use crate::payments::rules_claims::{Claim, Counted, Kind, NOTHING_PAYABLE};
use crate::payments::rules_closings::Closing;
use crate::payments::rules_pay::{Band, COUNT_MAX, Input, Penalty, Source, Table};
use crate::registry::rules_text::Form;
use crate::standards::rules_indicators::Line;
use crate::text;

/// Characters of why a penalty was counted so often, at most.
pub const REASON_LENGTH_MAX: usize = 500;

fn beyond(error: MoneyError) -> Fault {
    Fault::caused("what is certified of a claim", error)
}

/// What the officer has counted of the contract's penalties: each at most once, with a reason in both languages. Which facts a penalty counts is in the words of
/// the book alone, so that nobody but a person can say; what the service knows (late days of a rectification, complaints) stands beside for whoever counts.
///
/// # Errors
/// Every fault of the form.
pub fn counted(all: &[Counted], penalties: &[PenaltyDocument]) -> Result<Vec<Counted>, Refusal> {
    let mut form = Form::new();
    let mut seen = BTreeSet::new();
    let mut checked = Vec::new();
    for (index, one) in all.iter().enumerate() {
        let at = |member: &str| format!("/penalties/{index}/{member}");
        let known = usize::try_from(one.penalty).is_ok_and(|number| (1..=penalties.len()).contains(&number));
        if !known {
            form.object(
                &at("penalty"),
                Text::fixed("合同没有该项违约扣款", "is no penalty of the contract"),
            );
        }
        if !seen.insert(one.penalty) {
            form.object(&at("penalty"), Text::fixed("不得重复", "is there already"));
        }
        if !(1..=COUNT_MAX).contains(&one.count) {
            form.object(
                &at("count"),
                text!("应为 1 至 {COUNT_MAX}", "must be 1 to {COUNT_MAX}"),
            );
        }
        checked.push(Counted {
            penalty: one.penalty,
            count: one.count,
            reason: Line {
                zh: form.line(&at("reason_zh"), &one.reason.zh, REASON_LENGTH_MAX),
                en: form.line(&at("reason_en"), &one.reason.en, REASON_LENGTH_MAX),
            },
        });
    }
    checked.sort_by_key(|one| one.penalty);
    form.finish(checked)
}

/// What a period's pay goes in with: its price as it is now, what it takes back of an advance, the scores as they are known, what the contract says of sources without
/// one, its tables, and what was counted of its penalties. `recovery` is `None` where the advance is a part of the price beside those of the periods: taking
/// it back would take it off twice.
pub fn input(
    lot: &LotDocument,
    (fee, recovery): (Money, Option<Money>),
    scores: &[SourceScore],
    penalties: &[Counted],
) -> Input {
    let sources = lot.score_sources.iter().map(|source| {
        let found = scores.iter().find(|one| one.source == source.code);
        Source {
            code: source.code.clone(),
            weight: source.weight,
            score: found.and_then(|one| one.score),
            non_binding: found.is_some_and(|one| one.state == ScoreState::NonBinding),
        }
    });
    let penalties = penalties.iter().filter_map(|one| {
        let index = usize::try_from(one.penalty).ok()?.checked_sub(1)?;
        let penalty = lot.penalties.get(index)?;
        Some(Penalty {
            name: penalty.name_zh.clone(),
            count: one.count,
            amount: penalty.amount.map(Yuan),
            percent: penalty.percent,
        })
    });
    let payment = lot.payment.as_ref();
    Input {
        fee: Yuan(fee),
        without_score: payment.map(|payment| payment.without_score).unwrap_or_default(),
        sources: sources.collect(),
        tables: lot.pay_tables.iter().map(table).collect(),
        penalties: penalties.collect(),
        advance_recovery: recovery.map(Yuan),
    }
}

fn table(table: &PayTableDocument) -> Table {
    Table {
        source: table.source.clone(),
        bands: table.bands.iter().map(band).collect(),
    }
}

fn band(band: &BandDocument) -> Band {
    Band {
        from: band.from,
        to: band.to,
        base_rate: band.base_rate,
        rate_per_point: band.rate_per_point,
        amount_per_point: Yuan(band.amount_per_point),
        flat_amount: Yuan(band.flat_amount),
        point_step: band.point_step,
    }
}

/// Whether nothing changes a period's pay any more: all of it is accepted, nothing waits for a decision, and no score can change.
pub fn is_settled(scores: &[SourceScore], undisputed: Weight, is_objected: bool) -> bool {
    let is_open = |one: &SourceScore| one.state == ScoreState::Provisional || one.contests_open > 0;
    undisputed == Weight::HUNDRED && !is_objected && !scores.iter().any(is_open)
}

/// A part of the price, and what has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it comes to in all.
    pub payable: Money,
    /// The most that may be paid of it: its price without what went back to the line.
    pub ceiling: Money,
    /// How much of it is undisputed.
    pub undisputed: Weight,
    /// What was certified of it by other claims.
    pub before: Money,
    /// What is committed for the contract, and certified for nobody.
    pub free: Money,
}

impl Part {
    /// What of it may be certified now: the undisputed part, rounded down to the fen, without what was certified before; never below zero, and never more than is free.
    ///
    /// # Errors
    /// A fault of arithmetic.
    pub fn open(&self) -> Result<Money, Fault> {
        let undisputed = self.payable.percent_of(self.undisputed.percent(), Rounding::Down);
        let most = undisputed.map_err(beyond)?.min(self.ceiling);
        let left = most.checked_sub(self.before).map_err(beyond)?;
        Ok(left.min(self.free).max(Money::ZERO))
    }

    /// How much of a claim is certified: what is claimed, or what is open if that is less.
    ///
    /// # Errors
    /// [`NOTHING_PAYABLE`]; a fault of arithmetic.
    pub fn certified(&self, claimed: Money) -> Result<Result<Money, Refusal>, Fault> {
        let amount = self.open()?.min(claimed);
        Ok(if amount.is_zero() {
            Err(NOTHING_PAYABLE.refuse())
        } else {
            Ok(amount)
        })
    }
}

/// Why less is certified than was claimed, which has to be said, and is asked for only then.
///
/// # Errors
/// Every fault of the form.
pub fn less(
    (claimed, certified): (Money, Money),
    (zh, en): (Option<&str>, Option<&str>),
) -> Result<Option<Line>, Refusal> {
    if certified < claimed {
        let said = (zh.unwrap_or_default(), en.unwrap_or_default());
        return words("less", said).map(Some);
    }
    let mut form = Form::new();
    for (pointer, said) in [("/less_zh", zh), ("/less_en", en)] {
        if said.is_some() {
            form.object(
                pointer,
                Text::fixed("未核减时不填写", "is for when less is certified than was claimed"),
            );
        }
    }
    form.finish(None)
}

/// What claims have had of a part of the price, without one of them.
///
/// # Errors
/// A fault of arithmetic.
pub fn had(claims: &[Claim], (kind, period): (Kind, Option<i64>)) -> Result<Money, Fault> {
    let own = claims.iter().filter(|one| one.is_of(kind, period));
    Money::sum(own.map(Claim::counted)).map_err(beyond)
}

/// What of the contract's money is certified for somebody and not paid yet.
///
/// # Errors
/// A fault of arithmetic.
pub fn waiting(claims: &[Claim]) -> Result<Money, Fault> {
    Money::sum(claims.iter().map(Claim::waiting)).map_err(beyond)
}

/// What is committed for a contract, and certified for nobody. Claims for what was retained are paid from that first.
///
/// # Errors
/// A fault of arithmetic.
pub fn free(committed: Money, retained: Money, claims: &[Claim]) -> Result<Money, Fault> {
    let (of_retention, others): (Vec<Claim>, Vec<Claim>) = claims
        .iter()
        .cloned()
        .partition(|one| one.entered.kind == Kind::Retention);
    let beyond_retained = waiting(&of_retention)?.checked_sub(retained).map_err(beyond)?;
    let taken = waiting(&others)?.checked_add(beyond_retained.max(Money::ZERO));
    let free = committed.checked_sub(taken.map_err(beyond)?).map_err(beyond)?;
    Ok(free.max(Money::ZERO))
}

/// What went back to the line of a part of the price, and what was kept back with it: whatever has become of the payments since.
///
/// # Errors
/// A fault of arithmetic.
pub fn set_aside((claims, closings): (&[Claim], &[Closing]), period: i64) -> Result<(Money, Money), Fault> {
    let own = || {
        let of_period = claims.iter().filter(|one| one.is_of(Kind::Period, Some(period)));
        of_period.filter_map(|one| one.executed.as_ref())
    };
    let closed = closings.iter().filter(|one| one.period == period);
    let released = own()
        .map(|one| one.released)
        .chain(closed.map(|one| one.released));
    let released = Money::sum(released).map_err(beyond)?;
    let retained = Money::sum(own().map(|one| one.retained)).map_err(beyond)?;
    Ok((released, retained))
}

/// What of the retention is kept back with a period: an even share, of which the last period of the original term takes the rest; nothing with periods that a
/// variation has added.
///
/// # Errors
/// A fault of arithmetic.
pub fn retention_share(retention: Money, periods: usize, number: i64) -> Result<Money, Fault> {
    if periods == 0 || retention.is_zero() {
        return Ok(Money::ZERO);
    }
    let shares = retention.split_evenly(periods).map_err(beyond)?;
    let index = usize::try_from(number)
        .ok()
        .and_then(|number| number.checked_sub(1));
    Ok(index
        .and_then(|index| shares.get(index).copied())
        .unwrap_or(Money::ZERO))
}

/// What of the retention is neither kept back nor paid: no more than that is kept back with a period. Whoever was paid it before, out of what is committed, would else have
/// it kept back once more, and the periods would be short of it.
///
/// # Errors
/// A fault of arithmetic.
pub fn retention_missing(retention: Money, kept: Money, claims: &[Claim]) -> Result<Money, Fault> {
    let own = claims.iter().filter(|one| one.is_of(Kind::Retention, None));
    let paid = Money::sum(own.filter(|one| one.state.is_paid()).map(Claim::counted)).map_err(beyond)?;
    let there = kept.checked_add(paid).map_err(beyond)?;
    let missing = retention.checked_sub(there).map_err(beyond)?;
    Ok(missing.max(Money::ZERO))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::payments::rules_claims::tests::{certified, claim, done, yuan};

    fn part(payable: &str, ceiling: &str, undisputed: &str, before: &str, free: &str) -> Part {
        Part {
            payable: yuan(payable),
            ceiling: yuan(ceiling),
            undisputed: undisputed.parse().unwrap(),
            before: yuan(before),
            free: yuan(free),
        }
    }

    #[test]
    fn the_undisputed_part_is_certified_once_and_never_more_than_is_there() {
        let certified = |part: Part, claimed: &str| {
            let found = part.certified(yuan(claimed)).unwrap();
            found.map_or_else(
                |refusal| refusal.reason.code.to_owned(),
                |amount| amount.to_string(),
            )
        };
        assert_eq!(
            certified(
                part("188868.30", "191550.00", "100", "0.00", "2298600.00"),
                "191550.00"
            ),
            "188868.30"
        );
        assert_eq!(
            certified(
                part("188868.30", "191550.00", "100", "0.00", "2298600.00"),
                "100.00"
            ),
            "100.00"
        );
        // 90 % of 188,868.30 is 169,981.47.
        assert_eq!(
            certified(
                part("188868.30", "191550.00", "90", "0.00", "2298600.00"),
                "191550.00"
            ),
            "169981.47"
        );
        assert_eq!(
            certified(part("0.05", "1.00", "33", "0.00", "1.00"), "1.00"),
            "0.01"
        );
        assert_eq!(
            certified(
                part("188868.30", "191550.00", "100", "188868.29", "2298600.00"),
                "9.00"
            ),
            "0.01"
        );
        assert_eq!(
            certified(
                part("188868.30", "191550.00", "100", "188868.30", "2298600.00"),
                "9.00"
            ),
            "claim_nothing_payable"
        );
        // What was certified before was more than it comes to now.
        assert_eq!(
            certified(
                part("100.00", "191550.00", "100", "188868.30", "2298600.00"),
                "9.00"
            ),
            "claim_nothing_payable"
        );
        // What went back to the line is not there any more.
        assert_eq!(
            certified(
                part("191550.00", "188868.30", "100", "180000.00", "2298600.00"),
                "9000.00"
            ),
            "8868.30"
        );
        assert_eq!(
            certified(part("191550.00", "191550.00", "100", "0.00", "7.00"), "9000.00"),
            "7.00"
        );
    }

    #[test]
    fn less_is_explained_and_nothing_else_is() {
        let (ten, nine) = (yuan("10.00"), yuan("9.00"));
        let places = |result: Result<Option<Line>, Refusal>| -> Vec<String> {
            let objections = result.err().into_iter().flat_map(|refusal| refusal.objections);
            objections.map(|one| one.pointer).collect()
        };
        assert_eq!(places(less((ten, nine), (None, Some("x")))), ["/less_zh"]);
        assert_eq!(places(less((ten, ten), (Some("x"), None))), ["/less_zh"]);
        assert!(
            less((ten, nine), (Some("扣分"), Some("Points")))
                .unwrap()
                .is_some()
        );
        assert!(less((ten, ten), (None, None)).unwrap().is_none());
    }

    #[test]
    fn penalties_are_those_of_the_contract_each_counted_once_with_a_reason() {
        let penalty = |name: &str| -> PenaltyDocument {
            serde_json::from_value(
                json!({"name_zh": name, "name_en": name, "per": "day", "amount": null, "percent": "1"}),
            )
            .unwrap()
        };
        let penalties = [penalty("逾期整改"), penalty("岗位空缺")];
        let count = |penalty: i64, count: u32, zh: &str| Counted {
            penalty,
            count,
            reason: Line {
                zh: zh.to_owned(),
                en: "Because".to_owned(),
            },
        };
        let found = counted(&[count(2, 3, "三天"), count(1, 1, "一天")], &penalties).unwrap();
        assert_eq!(found.iter().map(|one| one.penalty).collect::<Vec<_>>(), [1, 2]);
        let wrong = [
            count(0, 1, "x"),
            count(3, 0, "x"),
            count(2, 10_001, ""),
            count(2, 1, "x"),
        ];
        let refusal = counted(&wrong, &penalties).unwrap_err();
        let places: Vec<String> = refusal.objections.into_iter().map(|one| one.pointer).collect();
        assert_eq!(
            places,
            [
                "/penalties/0/penalty",
                "/penalties/1/penalty",
                "/penalties/1/count",
                "/penalties/2/count",
                "/penalties/2/reason_zh",
                "/penalties/3/penalty"
            ]
        );
    }

    #[test]
    fn what_is_open_or_contested_settles_nothing() {
        let score = |state, contests_open| SourceScore {
            source: "daily".to_owned(),
            state,
            score: None,
            count: 0,
            contests_open,
        };
        let whole = Weight::HUNDRED;
        assert!(is_settled(
            &[score(ScoreState::Settled, 0), score(ScoreState::NoData, 0)],
            whole,
            false
        ));
        assert!(is_settled(&[], whole, false));
        assert!(!is_settled(&[score(ScoreState::Provisional, 0)], whole, false));
        assert!(!is_settled(&[score(ScoreState::NoData, 1)], whole, false));
        assert!(!is_settled(&[], whole, true));
        assert!(!is_settled(&[], "90".parse().unwrap(), false));
    }

    #[test]
    fn claims_that_ended_count_for_nothing_and_what_was_set_aside_stays_so() {
        let one = claim(Kind::Period, Some(1), "10.00")
            .certify(certified("8.00"))
            .unwrap();
        let other = claim(Kind::Period, Some(2), "10.00")
            .certify(certified("5.00"))
            .unwrap();
        let returned = one.clone().send_back(("因", "Because"), done()).unwrap();
        assert_eq!(
            had(&[one.clone(), other.clone(), returned], (Kind::Period, Some(1))).unwrap(),
            yuan("8.00")
        );
        assert_eq!(waiting(&[one.clone(), other.clone()]).unwrap(), yuan("13.00"));
        let paid = one
            .approve(done())
            .unwrap()
            .execute(crate::payments::rules_claims::Executed {
                retained: yuan("0.50"),
                released: yuan("2.00"),
                from_retained: Money::ZERO,
                done: done(),
            });
        let paid = paid.unwrap();
        assert_eq!(waiting(&[paid.clone(), other]).unwrap(), yuan("5.00"));
        let failed = paid.fail(("因", "Because"), done()).unwrap();
        assert_eq!(
            had(std::slice::from_ref(&failed), (Kind::Period, Some(1))).unwrap(),
            Money::ZERO
        );
        assert_eq!(
            set_aside((&[failed], &[]), 1).unwrap(),
            (yuan("2.00"), yuan("0.50"))
        );
    }

    #[test]
    fn the_last_period_takes_what_is_left_of_the_retention() {
        let share = |number| retention_share(yuan("100.00"), 3, number).unwrap().to_string();
        assert_eq!(
            [share(1), share(2), share(3), share(4), share(0)],
            ["33.33", "33.33", "33.34", "0.00", "0.00"]
        );
        assert_eq!(retention_share(yuan("1.00"), 0, 1).unwrap(), Money::ZERO);
    }

    proptest! {
        /// However a part is claimed, all that is certified of it is never more than its undisputed part, nor than its ceiling, nor than is free.
        #[test]
        fn nothing_is_certified_twice(
            payable in 0_i64..1_000_000, ceiling in 0_i64..1_000_000, undisputed in 0_i64..=1_000_000, free in 0_i64..1_000_000,
            claims in proptest::collection::vec(1_i64..1_000_000, 1..20)
        ) {
            let money = |fen| Money::from_fen(fen).unwrap();
            let undisputed = Weight::new(rust_decimal::Decimal::new(undisputed, 4)).unwrap();
            let (mut before, mut left) = (Money::ZERO, money(free));
            for claimed in claims {
                let part = Part { payable: money(payable), ceiling: money(ceiling), undisputed, before, free: left };
                if let Ok(amount) = part.certified(money(claimed)).unwrap() {
                    prop_assert!(amount > Money::ZERO && amount <= money(claimed));
                    before = before.checked_add(amount).unwrap();
                    left = left.checked_sub(amount).unwrap();
                }
            }
            let most = money(payable).percent_of(undisputed.percent(), Rounding::Down).unwrap();
            prop_assert!(before <= most && before <= money(ceiling) && before <= money(free));
            prop_assert!(!left.is_negative());
        }
    }
}
