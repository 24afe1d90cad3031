//! The table of budget movements.

use chrono::NaiveDateTime;
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use crate::both;
use crate::budget::rules::{BudgetLineId, FundId};
use crate::budget::rules_movements::{Decision, Movement, MovementId, MovementKind, MovementState};
use crate::budget::store::one;
use crate::db::conn::Conn;
use crate::db::schema::budget_movements;
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = budget_movements)]
struct MovementRow {
    id: MovementId,
    kind: String,
    fund_id: FundId,
    fiscal_year: i64,
    from_line_id: Option<BudgetLineId>,
    to_line_id: Option<BudgetLineId>,
    amount_fen: i64,
    document: Option<String>,
    reason: String,
    state: String,
    proposed_by: String,
    proposed_at: NaiveDateTime,
    decided_by: Option<String>,
    decided_at: Option<NaiveDateTime>,
    decision_reason: Option<String>,
}

impl TryFrom<MovementRow> for Movement {
    type Error = Fault;

    fn try_from(row: MovementRow) -> Result<Self, Fault> {
        let unknown = |what: &str| Fault::broken(format!("a movement that is {what}"));
        let decided = row.decided_by.zip(row.decided_at);
        Ok(Self {
            kind: MovementKind::named(&row.kind).ok_or_else(|| unknown(&row.kind))?,
            state: MovementState::named(&row.state).ok_or_else(|| unknown(&row.state))?,
            amount: Money::from_fen(row.amount_fen)
                .map_err(|error| Fault::caused("read a movement's amount", error))?,
            id: row.id,
            fund_id: row.fund_id,
            fiscal_year: row.fiscal_year,
            from_line_id: row.from_line_id,
            to_line_id: row.to_line_id,
            document: row.document,
            reason: row.reason,
            proposed_by: row.proposed_by,
            proposed_at: row.proposed_at.and_utc(),
            decision: decided.map(|(by, at)| Decision {
                by,
                at: at.and_utc(),
                reason: row.decision_reason,
            }),
        })
    }
}

/// The movement of that id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn movement(conn: &mut Conn, id: &MovementId) -> Answer<Option<Movement>> {
    let row: Option<MovementRow> = budget_movements::table
        .find(id)
        .select(MovementRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Movement::try_from).transpose()?)
}

/// Whether the fund's appropriation for a year is confirmed, or, with `or_proposed`, waits to be.
///
/// # Errors
/// A fault of the database.
pub fn is_appropriated(conn: &mut Conn, fund: &FundId, year: i64, or_proposed: bool) -> Answer<bool> {
    let states: &[&str] = if or_proposed {
        &["proposed", "confirmed"]
    } else {
        &["confirmed"]
    };
    let first = budget_movements::table
        .filter(budget_movements::fund_id.eq(fund))
        .filter(budget_movements::fiscal_year.eq(year))
        .filter(budget_movements::kind.eq(MovementKind::Appropriation.name()))
        .filter(budget_movements::state.eq_any(states));
    Ok(select(exists(first)).get_result(conn)?)
}

/// Which movements are listed.
#[derive(Clone, Debug, Default)]
pub struct MovementFilter {
    /// In this state.
    pub state: Option<MovementState>,
    /// Of this sort.
    pub kind: Option<MovementKind>,
    /// Of this fiscal year.
    pub fiscal_year: Option<i64>,
    /// The id of the last one on the page before.
    pub before: Option<String>,
}

/// Up to `max` movements of a fund, newest first.
///
/// # Errors
/// A fault of the database.
pub fn movements(conn: &mut Conn, fund: &FundId, filter: &MovementFilter, max: i64) -> Answer<Vec<Movement>> {
    let rows: Vec<MovementRow> = both!(conn, c => {
        let mut query = budget_movements::table
            .filter(budget_movements::fund_id.eq(fund))
            .order(budget_movements::id.desc())
            .limit(max)
            .select(MovementRow::as_select())
            .into_boxed();
        if let Some(state) = filter.state {
            query = query.filter(budget_movements::state.eq(state.name()));
        }
        if let Some(kind) = filter.kind {
            query = query.filter(budget_movements::kind.eq(kind.name()));
        }
        if let Some(year) = filter.fiscal_year {
            query = query.filter(budget_movements::fiscal_year.eq(year));
        }
        if let Some(before) = &filter.before {
            query = query.filter(budget_movements::id.lt(before));
        }
        query.load(c)
    })?;
    Ok(rows
        .into_iter()
        .map(Movement::try_from)
        .collect::<Result<_, _>>()?)
}

/// Adds a movement that waits.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, movement: &Movement) -> Answer<()> {
    diesel::insert_into(budget_movements::table)
        .values((
            budget_movements::id.eq(&movement.id),
            budget_movements::kind.eq(movement.kind.name()),
            budget_movements::fund_id.eq(&movement.fund_id),
            budget_movements::fiscal_year.eq(movement.fiscal_year),
            budget_movements::from_line_id.eq(&movement.from_line_id),
            budget_movements::to_line_id.eq(&movement.to_line_id),
            budget_movements::amount_fen.eq(movement.amount.fen()),
            budget_movements::document.eq(&movement.document),
            budget_movements::reason.eq(&movement.reason),
            budget_movements::state.eq(movement.state.name()),
            budget_movements::proposed_by.eq(&movement.proposed_by),
            budget_movements::proposed_at.eq(movement.proposed_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves a decided movement over the one that waited.
///
/// # Errors
/// A fault of the database, or if it does not wait any more.
pub fn decide(tx: &mut Tx<'_>, movement: &Movement) -> Answer<()> {
    let decision = movement.decision.as_ref();
    let waiting = budget_movements::table
        .find(&movement.id)
        .filter(budget_movements::state.eq(MovementState::Proposed.name()));
    let changed = diesel::update(waiting)
        .set((
            budget_movements::state.eq(movement.state.name()),
            budget_movements::decided_by.eq(decision.map(|decision| &decision.by)),
            budget_movements::decided_at.eq(decision.map(|decision| decision.at.naive_utc())),
            budget_movements::decision_reason.eq(decision.and_then(|decision| decision.reason.as_ref())),
        ))
        .execute(tx.conn())?;
    one(changed, "movements")
}
