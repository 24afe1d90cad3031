//! The table of proposals to end contracts before their time.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use crate::contracts::rules::ContractId;
use crate::contracts::rules_terminations::{
    Closed, Entered, Ground, State, Statement, Termination, TerminationId,
};
use crate::db::conn::Conn;
use crate::db::schema::contract_terminations;
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::standards::rules_indicators::Line;

#[derive(Queryable, Selectable)]
#[diesel(table_name = contract_terminations)]
struct TerminationRow {
    id: TerminationId,
    contract_id: ContractId,
    ground: String,
    reason_zh: String,
    reason_en: String,
    effective_on: NaiveDate,
    settlement_fen: i64,
    basis_zh: String,
    basis_en: String,
    statement_until: NaiveDate,
    state: String,
    proposed_by: AccountId,
    proposed_at: NaiveDateTime,
    statement: Option<String>,
    stated_by: Option<AccountId>,
    stated_at: Option<NaiveDateTime>,
    decision_zh: Option<String>,
    decision_en: Option<String>,
    closed_by: Option<AccountId>,
    closed_at: Option<NaiveDateTime>,
    revision: i64,
}

impl TryFrom<TerminationRow> for Termination {
    type Error = Fault;

    fn try_from(row: TerminationRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: {what}", row.id));
        let words = row.decision_zh.zip(row.decision_en);
        Ok(Self {
            entered: Entered {
                ground: Ground::named(&row.ground).ok_or_else(|| broken("its ground is none"))?,
                settlement: Money::from_fen(row.settlement_fen)
                    .map_err(|_| broken("its settlement is none"))?,
                reason: Line {
                    zh: row.reason_zh,
                    en: row.reason_en,
                },
                effective_on: row.effective_on,
                basis: Line {
                    zh: row.basis_zh,
                    en: row.basis_en,
                },
                statement_until: row.statement_until,
            },
            state: State::named(&row.state).ok_or_else(|| broken("its state is none"))?,
            id: row.id,
            contract_id: row.contract_id,
            proposed_by: row.proposed_by,
            proposed_at: row.proposed_at.and_utc(),
            statement: row
                .statement
                .zip(row.stated_by)
                .zip(row.stated_at)
                .map(|((words, by), at)| Statement {
                    words,
                    by,
                    at: at.and_utc(),
                }),
            closed: words
                .zip(row.closed_by)
                .zip(row.closed_at)
                .map(|(((zh, en), by), at)| Closed {
                    words: Line { zh, en },
                    by,
                    at: at.and_utc(),
                }),
            revision: row.revision,
        })
    }
}

/// The termination of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn termination(conn: &mut Conn, id: &TerminationId) -> Answer<Option<Termination>> {
    let row: Option<TerminationRow> = contract_terminations::table
        .find(id)
        .select(TerminationRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Termination::try_from).transpose()?)
}

/// The terminations of a contract that were proposed, the oldest first: there are never more than fifty.
///
/// # Errors
/// A fault of the database.
pub fn of_contract(conn: &mut Conn, contract: &ContractId) -> Answer<Vec<Termination>> {
    let rows: Vec<TerminationRow> = contract_terminations::table
        .filter(contract_terminations::contract_id.eq(contract))
        .order(contract_terminations::id)
        .select(TerminationRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(Termination::try_from)
        .collect::<Result<_, _>>()?)
}

/// The last day of a contract whose end was decided; `None` for one that goes on.
///
/// # Errors
/// A fault of the database.
pub fn decided_on(conn: &mut Conn, contract: &ContractId) -> Answer<Option<NaiveDate>> {
    Ok(contract_terminations::table
        .filter(contract_terminations::contract_id.eq(contract))
        .filter(contract_terminations::state.eq(State::Decided.name()))
        .select(contract_terminations::effective_on)
        .first(conn)
        .optional()?)
}

/// Adds a proposal.
///
/// # Errors
/// A fault of the database, or if another of its contract is pending or decided.
pub fn insert(tx: &mut Tx<'_>, one: &Termination) -> Answer<()> {
    let entered = &one.entered;
    diesel::insert_into(contract_terminations::table)
        .values((
            contract_terminations::id.eq(&one.id),
            contract_terminations::contract_id.eq(&one.contract_id),
            contract_terminations::ground.eq(entered.ground.name()),
            contract_terminations::reason_zh.eq(&entered.reason.zh),
            contract_terminations::reason_en.eq(&entered.reason.en),
            contract_terminations::effective_on.eq(entered.effective_on),
            contract_terminations::settlement_fen.eq(entered.settlement.fen()),
            contract_terminations::basis_zh.eq(&entered.basis.zh),
            contract_terminations::basis_en.eq(&entered.basis.en),
            contract_terminations::statement_until.eq(entered.statement_until),
            contract_terminations::state.eq(one.state.name()),
            contract_terminations::proposed_by.eq(&one.proposed_by),
            contract_terminations::proposed_at.eq(one.proposed_at.naive_utc()),
            contract_terminations::revision.eq(one.revision),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves how far a termination has come over the revision before it.
///
/// # Errors
/// A fault of the database, or if that revision is not there any more.
pub fn advance(tx: &mut Tx<'_>, one: &Termination) -> Answer<()> {
    let statement = one.statement.as_ref();
    let closed = one.closed.as_ref();
    let before = contract_terminations::table
        .find(&one.id)
        .filter(contract_terminations::revision.eq(one.revision.saturating_sub(1)));
    let changed = diesel::update(before)
        .set((
            contract_terminations::state.eq(one.state.name()),
            contract_terminations::statement.eq(statement.map(|one| &one.words)),
            contract_terminations::stated_by.eq(statement.map(|one| &one.by)),
            contract_terminations::stated_at.eq(statement.map(|one| one.at.naive_utc())),
            contract_terminations::decision_zh.eq(closed.map(|one| &one.words.zh)),
            contract_terminations::decision_en.eq(closed.map(|one| &one.words.en)),
            contract_terminations::closed_by.eq(closed.map(|one| &one.by)),
            contract_terminations::closed_at.eq(closed.map(|one| one.at.naive_utc())),
            contract_terminations::revision.eq(one.revision),
        ))
        .execute(tx.conn())?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::broken(format!("{changed} terminations changed instead of one")).into())
    }
}
