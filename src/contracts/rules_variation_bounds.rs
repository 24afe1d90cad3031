//! Within which bounds a contract may be varied, and what a variation does to the price of each period: increases below the law's cap, extensions
//! below the same part of the term, a renewal only as the book has promised it, and no period changed that has begun. Pure.

use chrono::{Months, NaiveDate};
use rust_decimal::Decimal;

use crate::books::rules_documents::{Outcome, PERIODS_MAX, PeriodKind, TriggerDocument};
use crate::contracts::rules_periods::{Period, Schedule, Span};
use crate::contracts::rules_triggers::{Scored, is_renewal_met};
use crate::contracts::rules_variations::{
    BELOW_ZERO, EXTENDED_TOO_LONG, Entered, Kind, NO_PERIOD_LEFT, OVER_CAP, Part, TERM_OVER,
    TOO_MANY_PERIODS, Variation,
};
use crate::kernel::money::{Money, MoneyError, Rounding};
use crate::kernel::refusal::{Answer, Fault, Kind as ReasonKind, Reason, Refusal};
use crate::registry::rules_text::Form;
use crate::text;

/// The book promises no renewal.
pub static RENEWAL_NOT_AGREED: Reason = Reason::new(
    ReasonKind::Conflict,
    "renewal_not_agreed",
    "责任书未约定续签",
    "The contract book does not provide for a renewal",
);
/// The scores on which it depends are not known.
pub static RENEWAL_SCORES_UNKNOWN: Reason = Reason::new(
    ReasonKind::Conflict,
    "renewal_scores_unknown",
    "已结束的服务期尚无确定的考核得分",
    "A period that is over has no settled score",
);
/// The scores are too low for it.
pub static RENEWAL_NOT_MET: Reason = Reason::new(
    ReasonKind::Conflict,
    "renewal_not_met",
    "考核得分未达到续签条件",
    "The scores do not allow a renewal",
);
/// It goes beyond what the book or the law allows.
pub static RENEWAL_TOO_LONG: Reason = Reason::new(
    ReasonKind::Conflict,
    "renewal_too_long",
    "续签后的总期限超出约定或法定上限",
    "The whole term would be longer than agreed, or than lawful",
);
/// It costs more than the original term.
pub static RENEWAL_DEARER: Reason = Reason::new(
    ReasonKind::Conflict,
    "renewal_dearer",
    "续签价格高于原合同同期价格",
    "It costs more than the same time of the original term",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 5] = [
    &RENEWAL_NOT_AGREED,
    &RENEWAL_SCORES_UNKNOWN,
    &RENEWAL_NOT_MET,
    &RENEWAL_TOO_LONG,
    &RENEWAL_DEARER,
];

/// A period as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priced {
    /// The period, with its share of the original price; nothing of it for one that a variation has added.
    pub period: Period,
    /// Its price with what the concluded variations have changed.
    pub price_now: Money,
    /// Whether a variation has added it.
    pub is_added: bool,
}

/// What a proposal is measured by.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'f> {
    /// The original price.
    pub price: Money,
    /// The original term.
    pub term: Span,
    /// The last day as it is now.
    pub until: NaiveDate,
    /// How long a period is.
    pub kind: PeriodKind,
    /// The periods as they are now.
    pub periods: &'f [Priced],
    /// The variations that hold.
    pub concluded: &'f [Variation],
    /// The law's cap, in percent of the original price.
    pub cap_percent: Decimal,
    /// The ward's day.
    pub today: NaiveDate,
}

/// What a renewal is measured by beside.
#[derive(Clone, Copy, Debug)]
pub struct Renewal<'f> {
    /// What the book promises for which scores.
    pub triggers: &'f [TriggerDocument],
    /// The scores of the periods that are over, in their order.
    pub scores: &'f [Scored],
    /// Whole years of the law's longest term.
    pub years_max: u32,
}

fn reckoning(error: MoneyError) -> Fault {
    Fault::caused("reckon a variation", error)
}

/// The periods of a contract as its concluded variations have changed them: the price of each is its share of the original price and whatever they
/// have added to it or taken from it.
///
/// # Errors
/// A fault of arithmetic, or of a part of no period.
pub fn as_changed(schedule: &Schedule, concluded: &[Variation]) -> Result<Vec<Priced>, Fault> {
    let mut all: Vec<Priced> = schedule
        .periods
        .iter()
        .map(|period| Priced {
            period: *period,
            price_now: period.amount,
            is_added: false,
        })
        .collect();
    for part in concluded.iter().flat_map(|one| &one.parts) {
        if part.is_added {
            all.push(Priced {
                period: Period {
                    number: part.period,
                    span: part.span,
                    amount: Money::ZERO,
                },
                price_now: Money::ZERO,
                is_added: true,
            });
        }
        let found = all.iter_mut().find(|one| one.period.number == part.period);
        let found = found.ok_or_else(|| Fault::broken("a variation changes a period that there is not"))?;
        found.price_now = found.price_now.checked_add(part.amount).map_err(reckoning)?;
    }
    Ok(all)
}

/// The price as the concluded variations have changed it.
///
/// # Errors
/// A fault of arithmetic.
pub fn price_now(price: Money, concluded: &[Variation]) -> Result<Money, Fault> {
    let amounts = concluded.iter().map(|one| one.entered.amount);
    Money::sum(amounts.chain([price])).map_err(reckoning)
}

/// Whether a variation stays within its bounds, and what it does to each period.
///
/// # Errors
/// In this order: [`TERM_OVER`]; a last day that is not later than the one before; [`OVER_CAP`]; [`EXTENDED_TOO_LONG`]; [`NO_PERIOD_LEFT`],
/// [`TOO_MANY_PERIODS`]; [`BELOW_ZERO`]; a fault of arithmetic.
pub fn parts(entered: &Entered, facts: &Facts<'_>) -> Answer<Vec<Part>> {
    if facts.today > facts.until {
        return Err(TERM_OVER.refuse().into());
    }
    is_later(entered, facts)?;
    within_cap(entered, facts)?;
    short_enough(entered, facts)?;
    if entered.kind.prolongs() {
        added(entered, facts)
    } else {
        spread(entered, facts)
    }
}

fn is_later(entered: &Entered, facts: &Facts<'_>) -> Result<(), Refusal> {
    let mut form = Form::new();
    let until = facts.until;
    if entered.until.is_some_and(|asked| asked <= until) {
        form.object("/until", text!("应晚于 {until}", "must be later than {until}"));
    }
    form.finish(())
}

/// All increases together, supplements and extensions, are at most the law's part of the original price (政府采购法 art 49). A reduction makes no room:
/// otherwise a contract could be turned into another one by taking away and adding in turns.
fn within_cap(entered: &Entered, facts: &Facts<'_>) -> Answer<()> {
    if !entered.kind.is_capped() {
        return Ok(());
    }
    let cap = facts.price.percent_of(facts.cap_percent, Rounding::Down);
    let cap = cap.map_err(reckoning)?;
    let before = facts.concluded.iter().filter(|one| one.entered.kind.is_capped());
    let before = Money::sum(before.map(|one| one.entered.amount)).map_err(reckoning)?;
    // More than money can be is more than any cap.
    if before.checked_add(entered.amount).is_ok_and(|all| all <= cap) {
        return Ok(());
    }
    let asked = entered.amount;
    Err(OVER_CAP
        .because(text!(
            "上限 {cap} 元，此前已追加 {before} 元，本次 {asked} 元（政府采购法第四十九条）",
            "the cap is {cap} CNY, {before} CNY were added before, and this asks for {asked} CNY (政府采购法 art 49)"
        ))
        .at("/amount")
        .into())
}

fn days(from: NaiveDate, until: NaiveDate) -> i64 {
    until.signed_duration_since(from).num_days()
}

/// The days of all extensions together are at most the same part of the original term: a longer term is more of the same service.
fn short_enough(entered: &Entered, facts: &Facts<'_>) -> Answer<()> {
    let (Kind::Extension, Some(until)) = (entered.kind, entered.until) else {
        return Ok(());
    };
    let extensions = facts
        .concluded
        .iter()
        .filter(|one| one.entered.kind == Kind::Extension);
    let before = extensions.filter_map(|one| Some(days(one.until_before, one.entered.until?)));
    let all = before.fold(days(facts.until, until), i64::saturating_add);
    let term = days(facts.term.first, facts.term.last).saturating_add(1);
    let asked = Decimal::from(all).checked_mul(Decimal::ONE_HUNDRED);
    let allowed = facts.cap_percent.checked_mul(Decimal::from(term));
    if asked
        .zip(allowed)
        .is_some_and(|(asked, allowed)| asked <= allowed)
    {
        return Ok(());
    }
    let percent = facts.cap_percent;
    Err(EXTENDED_TOO_LONG
        .because(text!(
            "原服务期 {term} 日，累计延期 {all} 日，上限为 {percent}%",
            "the term had {term} days, extensions would have {all}, of which {percent} % are allowed"
        ))
        .at("/until")
        .into())
}

/// Evenly over the periods from that one on that have not begun; the last takes the rest.
fn spread(entered: &Entered, facts: &Facts<'_>) -> Answer<Vec<Part>> {
    let from = entered.from_period.unwrap_or_default();
    let left = |one: &&Priced| one.period.number >= from && one.period.span.first > facts.today;
    let periods: Vec<&Priced> = facts.periods.iter().filter(left).collect();
    if periods.is_empty() {
        return Err(NO_PERIOD_LEFT.refuse().at("/from_period").into());
    }
    let amounts = entered.amount.split_evenly(periods.len()).map_err(reckoning)?;
    let mut parts = Vec::with_capacity(periods.len());
    for (priced, amount) in periods.into_iter().zip(amounts) {
        let (number, before) = (priced.period.number, priced.price_now);
        if !before.checked_add(amount).is_ok_and(|after| !after.is_negative()) {
            return Err(BELOW_ZERO
                .because(text!(
                    "第 {number} 期现为 {before} 元，变更 {amount} 元",
                    "period {number} has {before} CNY, and this would change it by {amount} CNY"
                ))
                .at("/amount")
                .into());
        }
        parts.push(Part {
            period: number,
            span: priced.period.span,
            amount,
            is_added: false,
        });
    }
    Ok(parts)
}

/// The periods that are added after the last one, and evenly what of the price belongs to each; the last takes the rest.
fn added(entered: &Entered, facts: &Facts<'_>) -> Answer<Vec<Part>> {
    let until = entered
        .until
        .ok_or_else(|| Fault::broken("what prolongs has no last day"))?;
    let count = u32::try_from(facts.periods.len()).unwrap_or(u32::MAX);
    let room = PERIODS_MAX.saturating_sub(count);
    let spans = spans(facts.kind, (facts.until, until), room);
    let spans = spans.ok_or_else(|| TOO_MANY_PERIODS.refuse().at("/until"))?;
    let last = facts.periods.iter().map(|one| one.period.number).max();
    let amounts = entered.amount.split_evenly(spans.len()).map_err(reckoning)?;
    let numbers = last.unwrap_or_default().saturating_add(1)..;
    let all = numbers.zip(spans).zip(amounts);
    Ok(all
        .map(|((period, span), amount)| Part {
            period,
            span,
            amount,
            is_added: true,
        })
        .collect())
}

/// The days after `before` up to `until` in months or quarters, of which the last may be shorter; in one piece for `custom`. `None` if there are more
/// than `max`.
fn spans(kind: PeriodKind, (before, until): (NaiveDate, NaiveDate), max: u32) -> Option<Vec<Span>> {
    let from = before.succ_opt()?;
    let step: u32 = match kind {
        PeriodKind::Month => 1,
        PeriodKind::Quarter => 3,
        PeriodKind::Custom => {
            return (max > 0).then(|| {
                vec![Span {
                    first: from,
                    last: until,
                }]
            });
        }
    };
    let mut spans = Vec::new();
    let mut first = from;
    for part in 1_u32.. {
        if first > until {
            break;
        }
        if part > max {
            return None;
        }
        let next = from.checked_add_months(Months::new(step.checked_mul(part)?))?;
        spans.push(Span {
            first,
            last: next.pred_opt()?.min(until),
        });
        first = next;
    }
    Some(spans)
}

/// Whether a renewal is what the book has promised: the scores so far allow it, the whole term stays within the book's months and the law's years, and
/// it costs no more than the same time of the original term.
///
/// # Errors
/// In this order: [`RENEWAL_NOT_AGREED`], [`RENEWAL_SCORES_UNKNOWN`], [`RENEWAL_NOT_MET`], [`RENEWAL_TOO_LONG`], [`RENEWAL_DEARER`].
pub fn renewable(entered: &Entered, facts: &Facts<'_>, renewal: Renewal<'_>) -> Result<(), Refusal> {
    let Some(until) = entered.until.filter(|_| entered.kind == Kind::Renewal) else {
        return Ok(());
    };
    let mut promised = renewal
        .triggers
        .iter()
        .filter(|one| one.outcome == Outcome::Renewal);
    let trigger = promised.next().ok_or_else(|| RENEWAL_NOT_AGREED.refuse())?;
    match is_renewal_met(trigger, renewal.scores) {
        None => return Err(RENEWAL_SCORES_UNKNOWN.refuse()),
        Some(false) => return Err(RENEWAL_NOT_MET.refuse()),
        Some(true) => {}
    }
    let agreed = trigger.months_max.unwrap_or_default();
    let lawful = renewal.years_max.saturating_mul(12);
    let months_max = agreed.min(lawful);
    let from = facts.term.first;
    let beyond = from.checked_add_months(Months::new(months_max));
    if beyond.is_some_and(|beyond| until >= beyond) {
        return Err(RENEWAL_TOO_LONG
            .because(text!(
                "自 {from} 起总期限不得超过 {months_max} 个月",
                "from {from} on the whole term is at most {months_max} months"
            ))
            .at("/until"));
    }
    let (new, original) = lengths(facts.until, until, facts.term).ok_or_else(|| RENEWAL_TOO_LONG.refuse())?;
    let asked = i128::from(entered.amount.fen()).checked_mul(i128::from(original));
    let allowed = i128::from(facts.price.fen()).checked_mul(i128::from(new));
    if asked
        .zip(allowed)
        .is_some_and(|(asked, allowed)| asked <= allowed)
    {
        return Ok(());
    }
    Err(RENEWAL_DEARER.refuse().at("/amount"))
}

/// How long the renewed and the original term are: in months if both are whole months, otherwise in days.
fn lengths(before: NaiveDate, until: NaiveDate, term: Span) -> Option<(i64, i64)> {
    let from = before.succ_opt()?;
    let whole = months(from, until).zip(months(term.first, term.last));
    let by_days = || {
        let length = |first, last| days(first, last).saturating_add(1);
        (length(from, until), length(term.first, term.last))
    };
    Some(whole.unwrap_or_else(by_days))
}

/// How many months a term has, if it is a whole number of them.
fn months(first: NaiveDate, last: NaiveDate) -> Option<i64> {
    let after = last.succ_opt()?;
    // No month has fewer than 28 days.
    let most = u32::try_from(days(first, after).checked_div(28)?).ok()?;
    let whole = (1..=most).find(|count| first.checked_add_months(Months::new(*count)) == Some(after))?;
    Some(i64::from(whole))
}
