//! What the acts and queries about claims look up: what a period comes to as it stands, and what a claim may be certified for.

use chrono::{Days, NaiveDate};

use crate::award::desk as awards;
use crate::books::rules_documents::AdvanceRecovery;
use crate::contracts::acts_periods;
use crate::contracts::acts_variations::priced;
use crate::contracts::commitments;
use crate::contracts::desk::{self, Signed};
use crate::contracts::desk_acceptances::known;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptance_standing::{Accepted, Standing};
use crate::contracts::rules_acceptances::AcceptanceId;
use crate::contracts::rules_periods::{self, NO_PERIODS, Period, Schedule};
use crate::contracts::rules_source_scores::SourceScore;
use crate::contracts::rules_terminations::{State as TerminationState, Termination};
use crate::contracts::store_terminations;
use crate::db::conn::Conn;
use crate::files::access::Access;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::local_date;
use crate::kernel::money::{Money, MoneyError};
use crate::kernel::refusal::{Answer, Fault, Refusal};
use crate::kernel::weight::Weight;
use crate::payments::rules_certification::{self, Part, had, input, is_settled, set_aside, waiting};
use crate::payments::rules_claims::{
    CONTRACT_SETTLED, Claim, ClaimId, Counted, INTEREST_UNFUNDED, Kind, NO_SUCH_PART, NOT_ACCEPTED,
    NOT_TERMINATED, RETENTION_EARLY,
};
use crate::payments::rules_closings::Closing;
use crate::payments::rules_due::{Term, interest};
use crate::payments::rules_pay::{Derivation, Subject};
use crate::payments::rules_pay_deriving::derive;
use crate::payments::rules_recovery::{self, advanced, taken};
use crate::payments::{moves_claims as moves, store_claims as store, store_closings};
use crate::statutes::codes::{
    PAYMENT_DAYS_MAX, PAYMENT_OVERDUE_INTEREST_PERCENT_PER_DAY, PAYMENT_UNDISPUTED_PART_PAID,
};
use crate::text;
use crate::web::actor::Actor;
use crate::web::context::WardCalendar;
use crate::web::problem::NOT_FOUND;

fn beyond(error: MoneyError) -> Fault {
    Fault::caused("what a claim comes to", error)
}

/// A claim with its contract.
pub struct Seen {
    /// The contract.
    pub signed: Signed,
    /// The claim.
    pub claim: Claim,
}

/// A claim of that id. That there is one, and how much it is, is public.
///
/// # Errors
/// Not found; a fault of the database.
pub fn seen(conn: &mut Conn, id: &ClaimId) -> Answer<Seen> {
    let claim = store::claim(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let signed = desk::signed(conn, &claim.contract_id)?;
    Ok(Seen { signed, claim })
}

/// The schedule of a contract.
///
/// # Errors
/// [`NO_PERIODS`]; a fault of the database.
pub(super) fn schedule(conn: &mut Conn, contract: &ContractId) -> Answer<Schedule> {
    let (_, schedule) = acts_periods::seen(conn, contract)?;
    Ok(schedule.ok_or_else(|| NO_PERIODS.refuse())?)
}

/// The decision that has ended a contract, if it was ended.
///
/// # Errors
/// A fault of the database.
pub(super) fn termination(conn: &mut Conn, contract: &ContractId) -> Answer<Option<Termination>> {
    let mut all = store_terminations::of_contract(conn, contract)?.into_iter();
    Ok(all.find(|one| one.state == TerminationState::Decided))
}

/// What a period is paid now: its price with what variations have changed.
///
/// # Errors
/// Not found; a fault of the database.
pub(super) fn fee(conn: &mut Conn, signed: &Signed, number: i64) -> Answer<Money> {
    let mut all = priced(conn, signed)?.into_iter();
    let found = all.find(|one| one.period.number == number);
    Ok(found.ok_or_else(|| NOT_FOUND.refuse())?.price_now)
}

/// The last day for a payment whose time runs since an instant: after as many days as the book has agreed on, or else the rules have; a holiday gives way to the working day after it, where the calendar of holidays reaches so far: a payment does
/// not wait for next year's.
///
/// # Errors
/// A rule that is not set.
pub(super) fn due_on(signed: &Signed, since: Instant, calendar: &WardCalendar) -> Answer<NaiveDate> {
    let days = awards::days(calendar);
    let agreed = signed.document.lot.payment.as_ref();
    let allowed = match agreed.and_then(|payment| payment.payment_days) {
        Some(days) => days,
        None => signed.profile.rule(PAYMENT_DAYS_MAX)?.0,
    };
    let from = days.day(since);
    let plain = || {
        from.checked_add_days(Days::new(allowed.into()))
            .unwrap_or(NaiveDate::MAX)
    };
    Ok(days.natural(from, allowed).unwrap_or_else(|_| plain()))
}

/// What somebody is told who asks why a period is not paid.
pub(super) fn not_accepted(standing: &Standing) -> Refusal {
    let (zh, en) = match standing {
        Standing::NeverRan => ("合同在该期开始前已解除", "the contract ended before it began"),
        Standing::NotOver => ("该期尚未结束", "it is not over"),
        Standing::NotBegun => ("尚未提交验收", "it was not handed over"),
        Standing::Waiting { .. } => ("等待采购人验收", "the buyer has not decided about it"),
        Standing::Refused => ("验收不合格", "it was refused"),
        Standing::Accepted(_) => (
            "据以核定的验收已失效",
            "the certificate that it rested on has fallen",
        ),
    };
    NOT_ACCEPTED.because(text!("{zh}", "{en}"))
}

/// What a period comes to, as it stands.
pub struct Statement {
    /// The contract.
    pub signed: Signed,
    /// The period.
    pub period: Period,
    /// Its price as it is now.
    pub fee: Money,
    /// Whether it is accepted.
    pub standing: Standing,
    /// What it scores, by source.
    pub scores: Vec<SourceScore>,
    /// What was counted of penalties.
    pub penalties: Vec<Counted>,
    /// How what it comes to follows.
    pub derivation: Derivation,
    /// Whether nothing changes that any more.
    pub is_settled: bool,
    /// What may be certified of it.
    pub part: Part,
    /// The claims of the contract.
    pub claims: Vec<Claim>,
    /// Its periods that were closed.
    pub closings: Vec<Closing>,
}

impl Statement {
    /// That the period is accepted, if it is.
    pub fn accepted(&self) -> Option<&Accepted> {
        match &self.standing {
            Standing::Accepted(accepted) => Some(accepted),
            _ => None,
        }
    }
}

/// What was counted of a period's penalties when it was closed, or certified last.
fn counted_last((claims, closings): (&[Claim], &[Closing]), number: i64) -> Vec<Counted> {
    if let Some(closing) = closings.iter().find(|one| one.period == number) {
        return closing.penalties.clone();
    }
    let own = claims.iter().filter(|one| one.is_of(Kind::Period, Some(number)));
    let last = own
        .filter_map(|one| one.certified.as_ref())
        .max_by_key(|certified| certified.done.at);
    last.map(|certified| certified.penalties.clone())
        .unwrap_or_default()
}

/// What is undisputed of a period that may be paid: nothing before it is accepted, or as long as not all is, where the rules do not have a part of it paid.
fn undisputed(signed: &Signed, standing: &Standing) -> Answer<Weight> {
    let Standing::Accepted(accepted) = standing else {
        return Ok(Weight::default());
    };
    let is_part_paid = signed.profile.rule(PAYMENT_UNDISPUTED_PART_PAID)?;
    Ok(if is_part_paid || accepted.undisputed == Weight::HUNDRED {
        accepted.undisputed
    } else {
        Weight::default()
    })
}

/// What a period comes to as it stands, with the penalties that are given, or as they were counted last.
///
/// # Errors
/// Not found; a rule that is not set; a fault of the database or of arithmetic.
pub fn statement(
    conn: &mut Conn,
    id: &ContractId,
    (number, penalties): (i64, Option<Vec<Counted>>),
    at: (&WardCalendar, Instant),
) -> Answer<Statement> {
    let (_, period) = acts_periods::period(conn, id, number)?;
    let standing = known(conn, id, number, at)?;
    let (signed, scores) = acts_periods::scores(conn, id, number, at)?;
    let fee = fee(conn, &signed, number)?;
    let claims = store::of_contract(conn, id)?;
    let closings = store_closings::of_contract(conn, id)?;
    let before = (claims.as_slice(), closings.as_slice());
    let penalties = penalties.unwrap_or_else(|| counted_last(before, number));
    let recovery = recovery(&signed, before, number)?;
    let subject = Subject {
        contract_id: Some(id.to_string()),
        period: u32::try_from(number).ok(),
    };
    let derivation = derive(
        subject,
        input(&signed.document.lot, (fee, recovery), &scores, &penalties),
    )?;
    let undisputed = undisputed(&signed, &standing)?;
    let is_objected = matches!(&standing, Standing::Accepted(accepted) if accepted.is_objected);
    let (released, _) = set_aside(before, number)?;
    let part = Part {
        payable: derivation.result.payable.0,
        ceiling: fee.checked_sub(released).map_err(beyond)?,
        undisputed,
        before: had(&claims, (Kind::Period, Some(number)))?,
        free: free(conn, &signed, &claims)?,
    };
    Ok(Statement {
        is_settled: is_settled(&scores, undisputed, is_objected),
        period,
        fee,
        standing,
        scores,
        penalties,
        derivation,
        part,
        claims,
        closings,
        signed,
    })
}

/// Whether the book has the periods take the advance back.
pub(super) fn is_recovered(signed: &Signed) -> bool {
    let payment = signed.document.lot.payment.as_ref();
    payment.is_some_and(|payment| payment.advance_recovery == AdvanceRecovery::Spread)
}

/// What a period takes back of the advance; `None` where the book does not have the periods take it back.
fn recovery(
    signed: &Signed,
    (claims, closings): (&[Claim], &[Closing]),
    number: i64,
) -> Answer<Option<Money>> {
    if !is_recovered(signed) {
        return Ok(None);
    }
    let original = rules_periods::schedule(&signed.document)?;
    let periods = original.map_or(0, |original| original.periods.len());
    let mut others = taken(claims, closings);
    others.retain(|(other, _)| *other != number);
    Ok(Some(rules_recovery::recovery(
        advanced(claims)?,
        (number, periods),
        &others,
    )?))
}

/// What is committed for a contract, and certified for nobody. Claims for what was retained are paid from that first.
fn free(conn: &mut Conn, signed: &Signed, claims: &[Claim]) -> Answer<Money> {
    let committed = commitments::remaining(&moves::committed(conn, signed)?)?;
    let retained = commitments::remaining(&moves::retained(conn, signed)?)?;
    Ok(rules_certification::free(committed, retained, claims)?)
}

/// What a claim may be certified for.
pub struct Basis {
    /// By which acceptance the period is accepted.
    pub acceptance_id: Option<AcceptanceId>,
    /// Since when the time for payment runs, UTC.
    pub since: Instant,
    /// What may be certified.
    pub part: Part,
    /// What was taken off the part of the price.
    pub deducted: Money,
    /// What it takes back of an advance.
    pub recovered: Money,
    /// Whether nothing changes it any more.
    pub is_settled: bool,
    /// What was counted of penalties.
    pub penalties: Vec<Counted>,
    /// How what it comes to follows, of a period.
    pub derivation: Option<Derivation>,
}

impl Basis {
    /// Of a part of the price that no score changes.
    fn fixed((payable, free): (Money, Money), before: Money, since: Instant) -> Self {
        Self {
            acceptance_id: None,
            since,
            part: Part {
                payable,
                ceiling: payable,
                undisputed: Weight::HUNDRED,
                before,
                free,
            },
            deducted: Money::ZERO,
            recovered: Money::ZERO,
            is_settled: true,
            penalties: Vec::new(),
            derivation: None,
        }
    }
}

/// What a claim may be certified for now.
///
/// # Errors
/// [`CONTRACT_SETTLED`], of a period or the advance of a contract that was terminated; [`NOT_ACCEPTED`], of a period; [`RETENTION_EARLY`], of what was retained; [`NO_SUCH_PART`]; [`NOT_TERMINATED`]; a rule that is not set; a fault of the database or of
/// arithmetic.
pub fn basis(
    conn: &mut Conn,
    Seen { signed, claim }: &Seen,
    penalties: Option<Vec<Counted>>,
    at: (&WardCalendar, Instant),
) -> Answer<Basis> {
    let contract = &signed.contract.id;
    let is_of_price = matches!(claim.entered.kind, Kind::Period | Kind::Advance);
    if is_of_price && signed.contract.since.terminated_on.is_some() {
        return Err(CONTRACT_SETTLED.refuse().into());
    }
    if let (Kind::Period, Some(number)) = (claim.entered.kind, claim.entered.period) {
        let statement = statement(conn, contract, (number, penalties), at)?;
        let Some(accepted) = statement.accepted().cloned() else {
            return Err(not_accepted(&statement.standing).into());
        };
        return Ok(Basis {
            acceptance_id: Some(accepted.acceptance_id),
            since: accepted.since,
            part: statement.part,
            deducted: statement.derivation.result.deducted.0,
            recovered: statement.derivation.result.recovered.0,
            is_settled: statement.is_settled,
            penalties: statement.penalties,
            derivation: Some(statement.derivation),
        });
    }
    let claims = store::of_contract(conn, contract)?;
    let free = free(conn, signed, &claims)?;
    let before = had(&claims, (claim.entered.kind, None))?;
    match claim.entered.kind {
        Kind::Period => Err(Fault::broken(format!("{} is of no period", claim.id)).into()),
        Kind::Advance => {
            let advance = schedule(conn, contract)?.advance;
            Ok(Basis::fixed((advance, free), before, claim.claimed.at))
        }
        Kind::Retention => retention(conn, (signed, &claims), (before, free), at),
        Kind::Settlement => {
            let ended = termination(conn, contract)?.ok_or_else(|| NOT_TERMINATED.refuse())?;
            let since = ended.closed.map_or(ended.proposed_at, |closed| closed.at);
            // What stays committed of a contract that was ended is its settlement, without what was paid of it.
            Ok(Basis::fixed((free, free), Money::ZERO, since))
        }
        Kind::Interest => {
            let accrued = accrued(conn, (signed, &claims), at)?;
            let available = moves::available(conn, signed)?;
            if available.is_zero() {
                return Err(INTEREST_UNFUNDED.refuse().into());
            }
            Ok(Basis::fixed((accrued, available), before, claim.claimed.at))
        }
    }
}

/// What of the retention may be certified: all of it once each period is accepted; of a contract that was ended, what was kept back until then.
fn retention(
    conn: &mut Conn,
    (signed, claims): (&Signed, &[Claim]),
    (before, free): (Money, Money),
    at: (&WardCalendar, Instant),
) -> Answer<Basis> {
    let contract = &signed.contract.id;
    let schedule = schedule(conn, contract)?;
    if schedule.retention.is_zero() {
        return Err(NO_SUCH_PART.refuse().into());
    }
    let kept = commitments::remaining(&moves::retained(conn, signed)?)?;
    let own = claims.iter().filter(|one| one.entered.kind == Kind::Retention);
    let own: Vec<Claim> = own.cloned().collect();
    let kept = kept.checked_sub(waiting(&own)?).map_err(beyond)?.max(Money::ZERO);
    if let Some(ended) = termination(conn, contract)? {
        let since = ended.closed.map_or(ended.proposed_at, |closed| closed.at);
        return Ok(Basis::fixed((kept, kept), Money::ZERO, since));
    }
    let mut since = None;
    for period in &schedule.periods {
        match known(conn, contract, period.number, at)? {
            Standing::Accepted(accepted) if accepted.undisputed == Weight::HUNDRED => {
                since = since.max(Some(accepted.since));
            }
            _ => {
                let number = period.number;
                let why = text!(
                    "第 {number} 期未全部验收合格",
                    "period {number} is not accepted as a whole"
                );
                return Err(RETENTION_EARLY.because(why).into());
            }
        }
    }
    let since = since.ok_or_else(|| NO_SUCH_PART.refuse())?;
    let there = kept.checked_add(free).map_err(beyond)?;
    Ok(Basis::fixed((schedule.retention, there), before, since))
}

/// Whether the acceptance that a certified claim rests on still stands.
///
/// # Errors
/// [`NOT_ACCEPTED`]; a fault of the database.
pub(super) fn still_accepted(conn: &mut Conn, claim: &Claim, at: (&WardCalendar, Instant)) -> Answer<()> {
    let own = claim
        .certified
        .as_ref()
        .and_then(|certified| certified.acceptance_id.as_ref());
    let (Some(own), Some(number)) = (own, claim.entered.period) else {
        return Ok(());
    };
    let standing = known(conn, &claim.contract_id, number, at)?;
    match &standing {
        Standing::Accepted(accepted) if accepted.acceptance_id == *own => Ok(()),
        _ => Err(not_accepted(&standing).into()),
    }
}

/// How late a claim is, or was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// The last day for payment; `None` before it is known.
    pub due_on: Option<NaiveDate>,
    /// Days late.
    pub days: u32,
    /// Interest for them.
    pub interest: Money,
}

/// Interest for all that was paid late under a contract. What is late and not paid has no interest to claim yet, and interest bears none.
///
/// # Errors
/// A rule that is not set; a fault of the database.
pub(super) fn accrued(
    conn: &mut Conn,
    (signed, claims): (&Signed, &[Claim]),
    at: (&WardCalendar, Instant),
) -> Answer<Money> {
    let mut sum = Money::ZERO;
    for one in claims.iter().filter(|one| one.state.is_paid()) {
        let late = late(conn, (signed, one), at)?;
        // What would be more than an amount can be is the most that it can be.
        sum = sum.checked_add(late.interest).unwrap_or(Money::MAX);
    }
    Ok(sum)
}

/// How late a claim is, or was paid. What was returned or failed is not late: it is claimed anew. Interest bears no interest.
///
/// # Errors
/// A rule that is not set; a fault of the database.
pub fn late(
    conn: &mut Conn,
    (signed, claim): (&Signed, &Claim),
    (calendar, now): (&WardCalendar, Instant),
) -> Answer<Late> {
    let none = |due_on| Late {
        due_on,
        days: 0,
        interest: Money::ZERO,
    };
    let Some(certified) = &claim.certified else {
        return Ok(none(expected(conn, (signed, claim), (calendar, now))?));
    };
    if !claim.state.counts() {
        return Ok(none(Some(certified.due_on)));
    }
    let paid = claim.executed.as_ref().map_or(now, |executed| executed.done.at);
    let term = Term {
        due_on: certified.due_on,
        claimed_on: local_date(claim.claimed.at, calendar.zone),
        until: local_date(paid, calendar.zone),
    };
    let rate = signed.profile.rule(PAYMENT_OVERDUE_INTEREST_PERCENT_PER_DAY)?;
    let bears = claim.entered.kind != Kind::Interest;
    let base = if bears { certified.amount } else { Money::ZERO };
    Ok(Late {
        due_on: Some(certified.due_on),
        days: term.days_late(),
        interest: interest(base, term.days_late(), rate.0),
    })
}

/// The last day for the payment of a claim that is not certified yet, where it is known.
fn expected(
    conn: &mut Conn,
    (signed, claim): (&Signed, &Claim),
    (calendar, now): (&WardCalendar, Instant),
) -> Answer<Option<NaiveDate>> {
    let since = match (claim.entered.kind, claim.entered.period) {
        (Kind::Period, Some(number)) => match known(conn, &claim.contract_id, number, (calendar, now))? {
            Standing::Accepted(accepted) => Some(accepted.since),
            _ => None,
        },
        (Kind::Advance, _) => Some(claim.claimed.at),
        _ => None,
    };
    since.map(|since| due_on(signed, since, calendar)).transpose()
}

/// Answers for what was handed in with a claim: it is the parties' and the auditors'.
pub struct ClaimAccess;

impl Access for ClaimAccess {
    fn matter_kind(&self) -> &'static str {
        ClaimId::PREFIX
    }

    fn may_read(&self, conn: &mut Conn, actor: &Actor, matter_id: &str) -> Answer<bool> {
        let Ok(id) = matter_id.parse::<ClaimId>() else {
            return Ok(false);
        };
        let Some(one) = store::claim(conn, &id)? else {
            return Ok(false);
        };
        Ok(desk::signed(conn, &one.contract_id)?.is_insider(actor))
    }
}
