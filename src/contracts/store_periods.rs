//! The tables of schedules and periods. They are written once, with the second signature.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::books::rules_documents::PeriodKind;
use crate::contracts::rules::ContractId;
use crate::contracts::rules_periods::{Period, Schedule, Span};
use crate::db::conn::Conn;
use crate::db::schema::{contract_periods, contract_schedules};
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};

/// The name in the database.
const fn kind_name(kind: PeriodKind) -> &'static str {
    match kind {
        PeriodKind::Month => "month",
        PeriodKind::Quarter => "quarter",
        PeriodKind::Custom => "custom",
    }
}

fn kind_named(name: &str) -> Option<PeriodKind> {
    let all = [PeriodKind::Month, PeriodKind::Quarter, PeriodKind::Custom];
    all.into_iter().find(|kind| kind_name(*kind) == name)
}

/// The schedule of a contract, if it has one.
///
/// # Errors
/// A fault of the database.
pub fn schedule(conn: &mut Conn, contract: &ContractId) -> Answer<Option<Schedule>> {
    let row: Option<(String, i64, i64)> = contract_schedules::table
        .find(contract)
        .select((
            contract_schedules::kind,
            contract_schedules::advance_fen,
            contract_schedules::retention_fen,
        ))
        .first(conn)
        .optional()?;
    let Some((kind, advance, retention)) = row else {
        return Ok(None);
    };
    let rows: Vec<(i64, NaiveDate, NaiveDate, i64)> = contract_periods::table
        .filter(contract_periods::contract_id.eq(contract))
        .order(contract_periods::number)
        .select((
            contract_periods::number,
            contract_periods::first_day,
            contract_periods::last_day,
            contract_periods::amount_fen,
        ))
        .load(conn)?;
    let broken = |what: &str| Fault::broken(format!("the schedule of {contract}: {what}"));
    let money = |fen: i64| Money::from_fen(fen).map_err(|_| broken("an amount is none"));
    let periods = rows.into_iter().map(|(number, first, last, fen)| {
        Ok(Period {
            number,
            span: Span { first, last },
            amount: money(fen)?,
        })
    });
    Ok(Some(Schedule {
        kind: kind_named(&kind).ok_or_else(|| broken("its kind is none"))?,
        advance: money(advance)?,
        retention: money(retention)?,
        periods: periods.collect::<Result<_, Fault>>()?,
    }))
}

/// Adds the schedule of a contract.
///
/// # Errors
/// A fault of the database, or if it has one.
pub fn insert(tx: &mut Tx<'_>, contract: &ContractId, schedule: &Schedule) -> Answer<()> {
    diesel::insert_into(contract_schedules::table)
        .values((
            contract_schedules::contract_id.eq(contract),
            contract_schedules::kind.eq(kind_name(schedule.kind)),
            contract_schedules::advance_fen.eq(schedule.advance.fen()),
            contract_schedules::retention_fen.eq(schedule.retention.fen()),
        ))
        .execute(tx.conn())?;
    add(tx, contract, &schedule.periods)
}

/// Adds periods to the schedule of a contract.
///
/// # Errors
/// A fault of the database, or if there is one of these.
pub fn add(tx: &mut Tx<'_>, contract: &ContractId, periods: &[Period]) -> Answer<()> {
    for period in periods {
        diesel::insert_into(contract_periods::table)
            .values((
                contract_periods::contract_id.eq(contract),
                contract_periods::number.eq(period.number),
                contract_periods::first_day.eq(period.span.first),
                contract_periods::last_day.eq(period.span.last),
                contract_periods::amount_fen.eq(period.amount.fen()),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}
