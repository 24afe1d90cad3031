//! The periods of a contract: made in the transaction of the second signature, and looked up ever after.

use chrono::Days;
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::contracts::desk::{self, Signed};
use crate::contracts::rules::{Contract, ContractId};
use crate::contracts::rules_defects::SILENCE_DAYS;
use crate::contracts::rules_document::ContractDocument;
use crate::contracts::rules_periods::{NO_PERIODS, Period, Schedule, schedule};
use crate::contracts::rules_source_scores::{self as scores, Facts, Given, Inspected, SourceScore};
use crate::contracts::{
    acts_ratings, desk_defects, store_contests, store_inspections, store_periods as store,
};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::{end_of_day, local_date, start_of_day};
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Actor;
use crate::web::context::WardCalendar;
use crate::web::problem::NOT_FOUND;

/// Makes the periods of a contract that both parties have just signed; nothing if its book names no schedule or no dates.
///
/// # Errors
/// A fault of the database or of arithmetic, or of bytes that are no contract.
pub(super) fn make(tx: &mut Tx<'_>, actor: &Actor, contract: &Contract) -> Answer<()> {
    let document: ContractDocument = serde_json::from_str(&contract.content)
        .map_err(|error| Fault::caused(format!("read the contract {}", contract.id), error))?;
    let Some(schedule) = schedule(&document)? else {
        return Ok(());
    };
    store::insert(tx, &contract.id, &schedule)?;
    let periods: Vec<Value> = schedule
        .periods
        .iter()
        .map(|one| {
            json!({ "number": one.number, "first_day": one.span.first, "last_day": one.span.last, "amount": one.amount })
        })
        .collect();
    let event = Event {
        kind: "contract.periods_made",
        subject: contract.id.to_string(),
        data: json!({
            "kind": schedule.kind, "advance": schedule.advance, "retention": schedule.retention, "periods": periods,
        }),
        private: Value::Null,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}

/// A signed contract with its schedule, if it has one: with the periods that variations have added, which have no part of the original price.
///
/// # Errors
/// Not found; a fault of the database.
pub fn seen(conn: &mut Conn, id: &ContractId) -> Answer<(Signed, Option<Schedule>)> {
    let signed = desk::signed(conn, id)?;
    let schedule = store::schedule(conn, id)?;
    Ok((signed, schedule))
}

/// A signed contract with its schedule.
///
/// # Errors
/// Not found; [`NO_PERIODS`]; a fault of the database.
pub(super) fn with_periods(conn: &mut Conn, id: &ContractId) -> Answer<(Signed, Schedule)> {
    let (signed, schedule) = seen(conn, id)?;
    Ok((signed, schedule.ok_or_else(|| NO_PERIODS.refuse())?))
}

/// A period of a signed contract.
///
/// # Errors
/// Not found; a fault of the database.
pub fn period(conn: &mut Conn, id: &ContractId, number: i64) -> Answer<(Signed, Period)> {
    let (signed, schedule) = seen(conn, id)?;
    let found = schedule.and_then(|schedule| schedule.period(number).copied());
    Ok((signed, found.ok_or_else(|| NOT_FOUND.refuse())?))
}

/// What a period scores, source by source.
///
/// # Errors
/// Not found; a fault of the database.
pub fn scores(
    conn: &mut Conn,
    id: &ContractId,
    number: i64,
    (calendar, now): (&WardCalendar, Instant),
) -> Answer<(Signed, Vec<SourceScore>)> {
    let (signed, period) = period(conn, id, number)?;
    let today = local_date(now, calendar.zone);
    // A period that runs when the contract ends is over with it.
    let ended = signed.contract.since.terminated_on;
    let contests = store_contests::of_period(conn, id, number)?;
    let mut inspections = Vec::new();
    for short in store_inspections::holding_of_period(conn, id, number)? {
        let own: Vec<_> = contests
            .iter()
            .filter(|one| one.inspection_id == short.id)
            .cloned()
            .collect();
        // Only what was corrected has to be read again.
        let is_corrected = own.iter().any(|one| {
            one.decided
                .as_ref()
                .is_some_and(|decided| decided.corrected.is_some())
        });
        let score = if is_corrected {
            let found = store_inspections::inspection(conn, &short.id)?;
            let found = found.ok_or_else(|| Fault::broken(format!("{} is gone", short.id)))?;
            crate::contracts::rules_contests::tally_that_holds(&found.document, &own)?.score
        } else {
            short.score
        };
        let open = own.iter().filter(|one| one.decided.is_none()).count();
        inspections.push(Inspected {
            source: short.source,
            score,
            contests_open: u32::try_from(open).unwrap_or(u32::MAX),
            is_contestable: today <= short.contest_until,
        });
    }
    let facts = Facts {
        is_over: today > ended.map_or(period.span.last, |last| last.min(period.span.last)),
        inspections,
        rating: acts_ratings::rated(conn, id, number)?,
        response: response(conn, (id, &period), calendar.zone, now)?,
    };
    let found = scores::scores(&signed.document.lot.score_sources, &facts)?;
    Ok((signed, found))
}

/// How soon defects were seen to that were due in a period. A fix in time can be sent back as long as silence has not confirmed it, and counts as late
/// then: the score stays so when that can happen to none of them any more.
fn response(
    conn: &mut Conn,
    (id, period): (&ContractId, &Period),
    zone: Tz,
    now: Instant,
) -> Answer<Option<Given>> {
    let no_such_day = |error| Fault::caused("the days of a period", error);
    let from = start_of_day(period.span.first, zone).map_err(no_such_day)?;
    let until = end_of_day(period.span.last, zone).map_err(no_such_day)?;
    let calls = desk_defects::calls(conn, id, (from, until), now)?;
    let settled_from = until.checked_add_days(Days::new(SILENCE_DAYS.saturating_add(1)));
    Ok(calls.response().map(|score| Given {
        score,
        count: calls.in_time.saturating_add(calls.late),
        is_settled: calls.running == 0 && settled_from.is_some_and(|from| now >= from),
    }))
}
