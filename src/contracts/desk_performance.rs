//! How a supplier has performed under its contracts: looked up for everybody, contract by contract and in all.

use chrono::NaiveDate;

use crate::contracts::acts_rectifications::counted_until;
use crate::contracts::desk::{self, Signed};
use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptance_findings::grade;
use crate::contracts::rules_acceptances::served;
use crate::contracts::rules_acceptances_document::GradeDocument;
use crate::contracts::rules_performance::{Figures, mean};
use crate::contracts::rules_rectifications::RECTIFICATIONS_MAX;
use crate::contracts::rules_terminations::{State as TerminationState, Termination};
use crate::contracts::rules_triggers::Scored;
use crate::contracts::store::{self, ContractFilter};
use crate::contracts::{
    acts_triggers, acts_variations, desk_defects, store_acceptances, store_rectifications,
    store_terminations, store_variations,
};
use crate::db::conn::Conn;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::score::Score;
use crate::statutes::codes::ACCEPTANCE_GRADES;
use crate::web::context::WardCalendar;

/// Contracts that are added up at most: the ones signed last.
pub const CONTRACTS_MAX: i64 = 200;
/// Rounds of acceptance of one contract that are counted at most: as many as there can be.
const ROUNDS_MAX: i64 = 6_000;

/// The score of a period that is settled.
pub struct Graded {
    /// The number of the period.
    pub period: i64,
    /// Its score.
    pub score: Score,
    /// The grade of it, by the rules of the contract's book.
    pub grade: Option<GradeDocument>,
}

/// How a contract was performed.
pub struct Performed {
    /// The contract.
    pub signed: Signed,
    /// What is counted of it.
    pub figures: Figures,
    /// The periods whose score is settled, in their order.
    pub periods: Vec<Graded>,
    /// The mean of their scores.
    pub mean: Option<Score>,
    /// How it ended before its time, if it did.
    pub termination: Option<Termination>,
}

/// How a signed contract was performed, with the scores of its periods.
///
/// # Errors
/// Not found; a rule that is not set; a fault of the database or of arithmetic.
pub fn of_contract(conn: &mut Conn, id: &ContractId, at: (&WardCalendar, Instant)) -> Answer<Performed> {
    let (signed, figures) = counted(conn, id, at)?;
    let scores = acts_triggers::scores(conn, &signed, at)?;
    let bands = signed.profile.rule_if_set(ACCEPTANCE_GRADES)?;
    let graded = |one: &Scored| {
        let score = one.score?;
        Some(Graded {
            period: one.period,
            score,
            grade: bands.as_ref().and_then(|bands| grade(bands, score)),
        })
    };
    let mut terminations = store_terminations::of_contract(conn, id)?.into_iter();
    Ok(Performed {
        periods: scores.iter().filter_map(graded).collect(),
        mean: mean(&scores)?,
        termination: terminations.find(|one| one.state == TerminationState::Decided),
        signed,
        figures,
    })
}

/// What is counted of a signed contract.
fn counted(
    conn: &mut Conn,
    id: &ContractId,
    (calendar, now): (&WardCalendar, Instant),
) -> Answer<(Signed, Figures)> {
    let signed = desk::signed(conn, id)?;
    let (contract, today) = (&signed.contract, local_date(now, calendar.zone));
    let price_now = contract.price.checked_add(contract.since.varied);
    let variations = store_variations::of_contract(conn, id)?;
    let is_over = |span: Option<NaiveDate>| span.is_some_and(|last| last < today);
    let periods = acts_variations::priced(conn, &signed)?.into_iter();
    let ended = contract.since.terminated_on;
    let over = periods.filter(|one| is_over(served(one.period.span, ended).map(|days| days.last)));
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let mut figures = Figures {
        contracts: 1,
        price: contract.price,
        price_now: price_now.map_err(|error| Fault::caused("the price of a contract", error))?,
        variations: number(variations.iter().filter(|one| one.is_concluded()).count()),
        periods_over: number(over.count()),
        terminations: u32::from(ended.is_some()),
        ..Figures::default()
    };
    let rounds = store_acceptances::of_contract(conn, id, (None, None), ROUNDS_MAX)?;
    figures.accepts(&rounds, now);
    let until = counted_until(&signed, calendar, now)?;
    let notices = store_rectifications::of_contract(conn, id, (None, None), RECTIFICATIONS_MAX)?;
    let late = notices.into_iter().map(|one| {
        let days = one.late_days(until, calendar.zone);
        (one, days)
    });
    figures.rectifies(&late.collect::<Vec<_>>());
    let from = contract.signed_at.unwrap_or(contract.prepared_at);
    let statistics = desk_defects::statistics(conn, id, (from, now), now)?;
    figures.sees_to(&statistics.states, statistics.calls);
    Ok((signed, figures))
}

/// What is counted of all contracts that a filter names, and whether that is all of them: beyond [`CONTRACTS_MAX`] the ones signed last are added up.
///
/// # Errors
/// A fault of the database or of arithmetic.
pub fn in_all(
    conn: &mut Conn,
    filter: &ContractFilter,
    at: (&WardCalendar, Instant),
) -> Answer<(Figures, bool)> {
    let every = ContractFilter {
        before: None,
        ..filter.clone()
    };
    let contracts = store::signed(conn, &every, CONTRACTS_MAX.saturating_add(1))?;
    let most = usize::try_from(CONTRACTS_MAX).unwrap_or(usize::MAX);
    let is_whole = contracts.len() <= most;
    let mut sum = Figures::default();
    for contract in contracts.iter().take(most) {
        let (_, figures) = counted(conn, &contract.id, at)?;
        let added = sum.with(&figures);
        sum = added.map_err(|error| Fault::caused("the prices of contracts", error))?;
    }
    Ok((sum, is_whole))
}
