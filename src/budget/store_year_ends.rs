//! The table of what becomes of money that is still held at a year's end, and the queries about such money.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::both;
use crate::budget::rules::{BudgetLineId, FundId};
use crate::budget::rules_ledger::{AccountCode, Hold, LedgerAccountId, TransferId};
use crate::budget::rules_movements::{Decision, MovementState};
use crate::budget::rules_year_ends::{YearEnd, YearEndId, YearEndKind};
use crate::budget::store::one;
use crate::budget::store_ledger;
use crate::db::conn::Conn;
use crate::db::schema::{ledger_accounts, ledger_holds, year_ends};
use crate::db::writer::Tx;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Answer, Fault};

#[derive(Queryable, Selectable)]
#[diesel(table_name = year_ends)]
struct YearEndRow {
    id: YearEndId,
    fund_id: FundId,
    fiscal_year: i64,
    hold_id: TransferId,
    line_id: BudgetLineId,
    matter: String,
    kind: String,
    to_line_id: Option<BudgetLineId>,
    amount_fen: i64,
    reason: String,
    state: String,
    proposed_by: String,
    proposed_at: NaiveDateTime,
    decided_by: Option<String>,
    decided_at: Option<NaiveDateTime>,
    decision_reason: Option<String>,
}

impl TryFrom<YearEndRow> for YearEnd {
    type Error = Fault;

    fn try_from(row: YearEndRow) -> Result<Self, Fault> {
        let broken = |what: &str| Fault::broken(format!("{}: its {what} is none", row.id));
        let amount = Money::from_fen(row.amount_fen);
        let decided = row.decided_by.zip(row.decided_at);
        Ok(Self {
            kind: YearEndKind::named(&row.kind).ok_or_else(|| broken("kind"))?,
            state: MovementState::named(&row.state).ok_or_else(|| broken("state"))?,
            amount: amount.map_err(|error| Fault::caused("read an amount at a year's end", error))?,
            id: row.id,
            fund_id: row.fund_id,
            fiscal_year: row.fiscal_year,
            hold_id: row.hold_id,
            line_id: row.line_id,
            matter: row.matter,
            to_line_id: row.to_line_id,
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

/// That of this id, if there is one.
///
/// # Errors
/// A fault of the database.
pub fn year_end(conn: &mut Conn, id: &YearEndId) -> Answer<Option<YearEnd>> {
    let row: Option<YearEndRow> = year_ends::table
        .find(id)
        .select(YearEndRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(YearEnd::try_from).transpose()?)
}

/// Up to `max` of a fund, in a state if one is named, newest first, before an id.
///
/// # Errors
/// A fault of the database.
pub fn page(
    conn: &mut Conn,
    fund: &FundId,
    (state, before): (Option<MovementState>, Option<&str>),
    max: i64,
) -> Answer<Vec<YearEnd>> {
    // Every id of them sorts before a tilde.
    let mut query = year_ends::table
        .filter(year_ends::fund_id.eq(fund))
        .filter(year_ends::id.lt(before.unwrap_or("~").to_owned()))
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(year_ends::state.eq(state.name()));
    }
    let rows: Vec<YearEndRow> = query
        .order(year_ends::id.desc())
        .limit(max)
        .select(YearEndRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(YearEnd::try_from)
        .collect::<Result<_, _>>()?)
}

/// Whether something waits to be decided about a hold.
///
/// # Errors
/// A fault of the database.
pub fn is_proposed(conn: &mut Conn, hold: &TransferId) -> Answer<bool> {
    let found: i64 = year_ends::table
        .filter(year_ends::hold_id.eq(hold))
        .filter(year_ends::state.eq(MovementState::Proposed.name()))
        .count()
        .get_result(conn)?;
    Ok(found > 0)
}

/// The line into which what was held for a matter was carried over last, if it ever was.
///
/// # Errors
/// A fault of the database.
pub fn line_of(conn: &mut Conn, matter: &str) -> Answer<Option<BudgetLineId>> {
    let line: Option<Option<BudgetLineId>> = year_ends::table
        .filter(year_ends::matter.eq(matter))
        .filter(year_ends::kind.eq(YearEndKind::CarryOver.name()))
        .filter(year_ends::state.eq(MovementState::Confirmed.name()))
        .order((year_ends::fiscal_year.desc(), year_ends::id.desc()))
        .select(year_ends::to_line_id)
        .first(conn)
        .optional()?;
    Ok(line.flatten())
}

/// Up to `max` ids of holds of a fund that something is left of, in years before one, oldest first, after an id.
///
/// # Errors
/// A fault of the database.
pub fn undecided(
    conn: &mut Conn,
    (fund, year): (&FundId, i64),
    after: Option<&str>,
    max: i64,
) -> Answer<Vec<(Hold, BudgetLineId, AccountCode)>> {
    let ids: Vec<(TransferId, LedgerAccountId)> = both!(conn, c => ledger_holds::table
        .inner_join(ledger_accounts::table.on(ledger_accounts::id.eq(ledger_holds::account_id)))
        .filter(ledger_accounts::fund_id.eq(fund))
        .filter(ledger_accounts::fiscal_year.lt(year))
        .filter(ledger_holds::remaining_fen.gt(0))
        .filter(ledger_holds::id.gt(after.unwrap_or_default()))
        .order(ledger_holds::id)
        .limit(max)
        .select((ledger_holds::id, ledger_holds::account_id))
        .load(c))?;
    let mut found = Vec::with_capacity(ids.len());
    for (id, account) in ids {
        let broken = || Fault::broken(format!("the hold {id} is not whole"));
        let hold = store_ledger::hold(conn, &id)?.ok_or_else(broken)?;
        let account = store_ledger::account(conn, &account)?.ok_or_else(broken)?;
        found.push((hold, account.line_id.ok_or_else(broken)?, account.code));
    }
    Ok(found)
}

/// Adds one that waits.
///
/// # Errors
/// A fault of the database.
pub fn insert(tx: &mut Tx<'_>, one: &YearEnd) -> Answer<()> {
    diesel::insert_into(year_ends::table)
        .values((
            year_ends::id.eq(&one.id),
            year_ends::fund_id.eq(&one.fund_id),
            year_ends::fiscal_year.eq(one.fiscal_year),
            year_ends::hold_id.eq(&one.hold_id),
            year_ends::line_id.eq(&one.line_id),
            year_ends::matter.eq(&one.matter),
            year_ends::kind.eq(one.kind.name()),
            year_ends::to_line_id.eq(&one.to_line_id),
            year_ends::amount_fen.eq(one.amount.fen()),
            year_ends::reason.eq(&one.reason),
            year_ends::state.eq(one.state.name()),
            year_ends::proposed_by.eq(&one.proposed_by),
            year_ends::proposed_at.eq(one.proposed_at.naive_utc()),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Saves a decided one over the one that waited.
///
/// # Errors
/// A fault of the database, or if it does not wait any more.
pub fn decide(tx: &mut Tx<'_>, decided: &YearEnd) -> Answer<()> {
    let decision = decided.decision.as_ref();
    let waiting = year_ends::table
        .find(&decided.id)
        .filter(year_ends::state.eq(MovementState::Proposed.name()));
    let changed = diesel::update(waiting)
        .set((
            year_ends::state.eq(decided.state.name()),
            year_ends::decided_by.eq(decision.map(|decision| &decision.by)),
            year_ends::decided_at.eq(decision.map(|decision| decision.at.naive_utc())),
            year_ends::decision_reason.eq(decision.and_then(|decision| decision.reason.as_ref())),
        ))
        .execute(tx.conn())?;
    one(changed, "decisions at a year's end")
}
