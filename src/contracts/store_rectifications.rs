//! The tables of rectifications and of their rounds.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::contracts::rules::ContractId;
use crate::contracts::rules_rectifications::{
    Cause, Decided, Entered, Rectification, RectificationId, Report, Round, State,
};
use crate::db::conn::Conn;
use crate::db::schema::{rectification_rounds, rectifications};
use crate::db::writer::Tx;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::standards::rules_indicators::Line;

#[derive(Queryable, Selectable)]
#[diesel(table_name = rectifications)]
struct RectificationRow {
    id: RectificationId,
    contract_id: ContractId,
    number: i64,
    wrong_zh: String,
    wrong_en: String,
    matters: String,
    indicators: String,
    cause: String,
    state: String,
    issued_by: AccountId,
    issued_at: NaiveDateTime,
    acknowledged_by: Option<AccountId>,
    acknowledged_at: Option<NaiveDateTime>,
    closed_at: Option<NaiveDateTime>,
    withdrawal_zh: Option<String>,
    withdrawal_en: Option<String>,
    revision: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = rectification_rounds)]
struct RoundRow {
    number: i64,
    due_at: NaiveDateTime,
    report: Option<String>,
    reported_by: Option<AccountId>,
    reported_at: Option<NaiveDateTime>,
    is_accepted: Option<bool>,
    decision_zh: Option<String>,
    decision_en: Option<String>,
    decided_by: Option<AccountId>,
    decided_at: Option<NaiveDateTime>,
}

impl From<RoundRow> for Round {
    fn from(row: RoundRow) -> Self {
        let reported = row.report.zip(row.reported_by).zip(row.reported_at);
        let words = row.decision_zh.zip(row.decision_en);
        let decided = row.is_accepted.zip(words).zip(row.decided_by).zip(row.decided_at);
        Self {
            number: row.number,
            due_at: row.due_at.and_utc(),
            report: reported.map(|((words, by), at)| Report {
                words,
                by,
                at: at.and_utc(),
            }),
            decided: decided.map(|(((is_accepted, (zh, en)), by), at)| Decided {
                is_accepted,
                words: Line { zh, en },
                by,
                at: at.and_utc(),
            }),
        }
    }
}

fn whole(conn: &mut Conn, row: RectificationRow) -> Answer<Rectification> {
    let rounds: Vec<RoundRow> = rectification_rounds::table
        .filter(rectification_rounds::rectification_id.eq(&row.id))
        .order(rectification_rounds::number)
        .select(RoundRow::as_select())
        .load(conn)?;
    let broken = |what: &str| Fault::broken(format!("{}: {what}", row.id));
    let list = |text: &str| {
        let read: Result<Vec<String>, _> = serde_json::from_str(text);
        read.map_err(|_| broken("a list of it is none"))
    };
    Ok(Rectification {
        entered: Entered {
            matters: list(&row.matters)?,
            indicators: list(&row.indicators)?,
            wrong: Line {
                zh: row.wrong_zh.clone(),
                en: row.wrong_en.clone(),
            },
        },
        cause: Cause::named(&row.cause).ok_or_else(|| broken("its cause is none"))?,
        state: State::named(&row.state).ok_or_else(|| broken("its state is none"))?,
        id: row.id,
        contract_id: row.contract_id,
        number: row.number,
        issued_by: row.issued_by,
        issued_at: row.issued_at.and_utc(),
        acknowledged: row
            .acknowledged_by
            .zip(row.acknowledged_at)
            .map(|(by, at)| (by, at.and_utc())),
        rounds: rounds.into_iter().map(Round::from).collect(),
        closed_at: row.closed_at.map(|at| at.and_utc()),
        withdrawal: row
            .withdrawal_zh
            .zip(row.withdrawal_en)
            .map(|(zh, en)| Line { zh, en }),
        revision: row.revision,
    })
}

/// The rectification of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn rectification(conn: &mut Conn, id: &RectificationId) -> Answer<Option<Rectification>> {
    let row: Option<RectificationRow> = rectifications::table
        .find(id)
        .select(RectificationRow::as_select())
        .first(conn)
        .optional()?;
    row.map(|row| whole(conn, row)).transpose()
}

/// How many a contract has.
///
/// # Errors
/// A fault of the database.
pub fn count(conn: &mut Conn, contract: &ContractId) -> Answer<i64> {
    Ok(rectifications::table
        .filter(rectifications::contract_id.eq(contract))
        .count()
        .get_result(conn)?)
}

/// Up to `max` rectifications of a contract with a number below `before`, the newest first.
///
/// # Errors
/// A fault of the database.
pub fn of_contract(
    conn: &mut Conn,
    contract: &ContractId,
    (state, before): (Option<State>, Option<i64>),
    max: i64,
) -> Answer<Vec<Rectification>> {
    let mut query = rectifications::table
        .filter(rectifications::contract_id.eq(contract))
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(rectifications::state.eq(state.name()));
    }
    if let Some(before) = before {
        query = query.filter(rectifications::number.lt(before));
    }
    let rows: Vec<RectificationRow> = query
        .order(rectifications::number.desc())
        .limit(max)
        .select(RectificationRow::as_select())
        .load(conn)?;
    rows.into_iter().map(|row| whole(conn, row)).collect()
}

fn listed(list: &[String]) -> Result<String, Fault> {
    serde_json::to_string(list).map_err(|error| Fault::caused("write a list", error))
}

/// Adds a notice with its first round.
///
/// # Errors
/// A fault of the database, or if the contract has one of that number.
pub fn insert(tx: &mut Tx<'_>, one: &Rectification) -> Answer<()> {
    diesel::insert_into(rectifications::table)
        .values((
            rectifications::id.eq(&one.id),
            rectifications::contract_id.eq(&one.contract_id),
            rectifications::number.eq(one.number),
            rectifications::wrong_zh.eq(&one.entered.wrong.zh),
            rectifications::wrong_en.eq(&one.entered.wrong.en),
            rectifications::matters.eq(listed(&one.entered.matters)?),
            rectifications::indicators.eq(listed(&one.entered.indicators)?),
            rectifications::cause.eq(one.cause.name()),
            rectifications::state.eq(one.state.name()),
            rectifications::issued_by.eq(&one.issued_by),
            rectifications::issued_at.eq(one.issued_at.naive_utc()),
            rectifications::revision.eq(one.revision),
        ))
        .execute(tx.conn())?;
    for round in &one.rounds {
        begin(tx, &one.id, round)?;
    }
    Ok(())
}

fn begin(tx: &mut Tx<'_>, id: &RectificationId, round: &Round) -> Answer<()> {
    diesel::insert_into(rectification_rounds::table)
        .values((
            rectification_rounds::rectification_id.eq(id),
            rectification_rounds::number.eq(round.number),
            rectification_rounds::due_at.eq(round.due_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves how far a rectification has come over the revision before it, with what was reported or decided since `before`.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn advance(tx: &mut Tx<'_>, before: &Rectification, one: &Rectification) -> Answer<()> {
    let (acknowledged_by, acknowledged_at) = one.acknowledged.clone().unzip();
    let (withdrawal_zh, withdrawal_en) = one.withdrawal.as_ref().map(|line| (&line.zh, &line.en)).unzip();
    let found = rectifications::table
        .find(&one.id)
        .filter(rectifications::revision.eq(before.revision));
    let changed = diesel::update(found)
        .set((
            rectifications::state.eq(one.state.name()),
            rectifications::acknowledged_by.eq(acknowledged_by),
            rectifications::acknowledged_at.eq(acknowledged_at.map(|at| at.naive_utc())),
            rectifications::closed_at.eq(one.closed_at.map(|at| at.naive_utc())),
            rectifications::withdrawal_zh.eq(withdrawal_zh),
            rectifications::withdrawal_en.eq(withdrawal_en),
            rectifications::revision.eq(one.revision),
        ))
        .execute(tx.conn())?;
    if changed != 1 {
        return Err(Fault::broken(format!("{changed} rectifications changed instead of one")).into());
    }
    for (index, round) in one.rounds.iter().enumerate() {
        match before.rounds.get(index) {
            None => begin(tx, &one.id, round)?,
            Some(known) if known != round => save(tx, &one.id, round)?,
            Some(_) => {}
        }
    }
    Ok(())
}

fn save(tx: &mut Tx<'_>, id: &RectificationId, round: &Round) -> Answer<()> {
    let report = round.report.as_ref();
    let decided = round.decided.as_ref();
    let changed = diesel::update(rectification_rounds::table.find((id, round.number)))
        .set((
            rectification_rounds::report.eq(report.map(|one| &one.words)),
            rectification_rounds::reported_by.eq(report.map(|one| &one.by)),
            rectification_rounds::reported_at.eq(report.map(|one| one.at.naive_utc())),
            rectification_rounds::is_accepted.eq(decided.map(|one| one.is_accepted)),
            rectification_rounds::decision_zh.eq(decided.map(|one| &one.words.zh)),
            rectification_rounds::decision_en.eq(decided.map(|one| &one.words.en)),
            rectification_rounds::decided_by.eq(decided.map(|one| &one.by)),
            rectification_rounds::decided_at.eq(decided.map(|one| one.at.naive_utc())),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} rounds changed instead of one")).into())
    }
}
