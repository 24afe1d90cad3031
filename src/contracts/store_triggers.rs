//! The table of what was decided when a trigger of a contract was due. It is only ever added to.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::contracts::rules::ContractId;
use crate::contracts::rules_rectifications::RectificationId;
use crate::contracts::rules_terminations::TerminationId;
use crate::contracts::rules_triggers::{Course, Decision, Occurrence, TriggerDecisionId};
use crate::db::conn::Conn;
use crate::db::schema::trigger_decisions;
use crate::db::writer::Tx;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::standards::rules_indicators::Line;

#[derive(Queryable, Selectable)]
#[diesel(table_name = trigger_decisions)]
struct DecisionRow {
    id: TriggerDecisionId,
    contract_id: ContractId,
    trigger_number: i64,
    period: i64,
    periods: String,
    reason_zh: Option<String>,
    reason_en: Option<String>,
    rectification_id: Option<RectificationId>,
    termination_id: Option<TerminationId>,
    decided_by: AccountId,
    decided_at: NaiveDateTime,
}

impl TryFrom<DecisionRow> for Decision {
    type Error = Fault;

    fn try_from(row: DecisionRow) -> Result<Self, Fault> {
        let reason = row.reason_zh.zip(row.reason_en).map(|(zh, en)| Line { zh, en });
        let course = match (row.rectification_id, row.termination_id, reason) {
            (Some(id), None, _) => Course::Rectification(id),
            (None, Some(id), _) => Course::Termination(id),
            (None, None, Some(reason)) => Course::NotFollowed(reason),
            _ => return Err(Fault::broken(format!("{}: nothing was decided", row.id))),
        };
        let periods = serde_json::from_str(&row.periods)
            .map_err(|error| Fault::caused(format!("the periods of {}", row.id), error))?;
        Ok(Self {
            id: row.id,
            contract_id: row.contract_id,
            occurrence: Occurrence {
                trigger: row.trigger_number,
                period: row.period,
                periods,
            },
            course,
            decided_by: row.decided_by,
            decided_at: row.decided_at.and_utc(),
        })
    }
}

/// What was decided about a contract's triggers, by trigger and period; there is one for each period of each trigger at most.
///
/// # Errors
/// A fault of the database.
pub fn of_contract(conn: &mut Conn, contract: &ContractId) -> Answer<Vec<Decision>> {
    let rows: Vec<DecisionRow> = trigger_decisions::table
        .filter(trigger_decisions::contract_id.eq(contract))
        .order((trigger_decisions::trigger_number, trigger_decisions::period))
        .select(DecisionRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(Decision::try_from)
        .collect::<Result<_, _>>()?)
}

/// Adds a decision.
///
/// # Errors
/// A fault of the database, or if there is one about the same.
pub fn insert(tx: &mut Tx<'_>, decision: &Decision) -> Answer<()> {
    let (rectification, termination, reason) = match &decision.course {
        Course::Rectification(id) => (Some(id), None, None),
        Course::Termination(id) => (None, Some(id), None),
        Course::NotFollowed(reason) => (None, None, Some(reason)),
    };
    let periods = serde_json::to_string(&decision.occurrence.periods)
        .map_err(|error| Fault::caused("write a list of periods", error))?;
    diesel::insert_into(trigger_decisions::table)
        .values((
            trigger_decisions::id.eq(&decision.id),
            trigger_decisions::contract_id.eq(&decision.contract_id),
            trigger_decisions::trigger_number.eq(decision.occurrence.trigger),
            trigger_decisions::period.eq(decision.occurrence.period),
            trigger_decisions::periods.eq(periods),
            trigger_decisions::is_followed.eq(reason.is_none()),
            trigger_decisions::reason_zh.eq(reason.map(|line| &line.zh)),
            trigger_decisions::reason_en.eq(reason.map(|line| &line.en)),
            trigger_decisions::rectification_id.eq(rectification),
            trigger_decisions::termination_id.eq(termination),
            trigger_decisions::decided_by.eq(&decision.decided_by),
            trigger_decisions::decided_at.eq(decision.decided_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}
