//! What is done at a year's end about money that is still held: one person of the body that keeps the fund proposes that it be carried over or given back, another decides; with
//! that it moves, all of a hold at once. Permission first, event last.

use chrono::Datelike;
use chrono_tz::Tz;
use serde_json::json;

use crate::audit;
use crate::audit::entry::Event;
use crate::budget::acts::{known_line, managed};
use crate::budget::posting;
use crate::budget::rules::{BudgetLine, BudgetLineId, Fund, LINE_UNKNOWN, open_fund, open_line};
use crate::budget::rules_ledger::{
    AccountCode, Hold, LedgerAccount, Order, Transfer, TransferCode, TransferId,
};
use crate::budget::rules_movements::MovementState;
use crate::budget::rules_year_ends::{
    self as rules, NewYearEnd, PROPOSED, Standing, UNDECIDED, YearEnd, YearEndId, YearEndKind,
};
use crate::budget::{store, store_ledger, store_year_ends};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::kernel::clock::Instant;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::acts_organisations::{account, capacity};
use crate::registry::rules_organisations::Doing;
use crate::text;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Which fiscal year it is: the calendar year of the ward's date (预算法 art 18).
pub fn year_of(now: Instant, zone: Tz) -> i64 {
    i64::from(local_date(now, zone).year())
}

/// A hold with its account and line.
struct Found {
    hold: Hold,
    account: LedgerAccount,
    line: BudgetLine,
    to: Option<BudgetLine>,
    is_by_hand: bool,
}

impl Found {
    fn standing(&self, current_year: i64) -> Standing<'_> {
        Standing {
            hold: &self.hold,
            account: &self.account,
            line: &self.line,
            to: self.to.as_ref(),
            is_by_hand: self.is_by_hand,
            current_year,
        }
    }
}

fn found(conn: &mut Conn, hold: &TransferId) -> Answer<Found> {
    let hold = store_ledger::hold(conn, hold)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let broken = || Fault::broken(format!("the hold {} is not whole", hold.id));
    let account = store_ledger::account(conn, &hold.account_id)?.ok_or_else(broken)?;
    let line = account.line_id.as_ref().ok_or_else(broken)?;
    let line = store::line(conn, line)?.ok_or_else(broken)?;
    let is_by_hand = store_ledger::purpose(conn, &hold.matter)?.is_some();
    Ok(Found {
        hold,
        account,
        line,
        to: None,
        is_by_hand,
    })
}

impl Found {
    /// With the line that it is to be held in.
    fn going_to(self, conn: &mut Conn, to: Option<&BudgetLineId>) -> Answer<Self> {
        let Some(to) = to else {
            return Ok(self);
        };
        let to = store::line(conn, to)?.ok_or_else(|| LINE_UNKNOWN.refuse().at("/to_line_id"))?;
        let to = open_line(to).map_err(|refusal| refusal.at("/to_line_id"))?;
        Ok(Self { to: Some(to), ..self })
    }
}

fn matter(fund: &Fund) -> Matter<'_> {
    Matter::of_organisation(&fund.organisation_id)
}

/// Proposes what becomes of a hold whose year is over.
///
/// # Errors
/// In this order: permission; not found; a closed fund; a closed line; those of the rules; [`PROPOSED`]; separation of duties.
pub fn propose(
    tx: &mut Tx<'_>,
    actor: &Actor,
    hold: &TransferId,
    new: &NewYearEnd,
    zone: Tz,
) -> Answer<YearEnd> {
    policy::allow_at_all(actor, Action::ProposeMovement)?;
    let found = found(tx.conn(), hold)?;
    let (_, fund) = known_line(tx.conn(), actor, &found.line.id)?;
    policy::allow(actor, Action::ProposeMovement, matter(&fund))?;
    let fund = open_fund(fund)?;
    let found = found.going_to(tx.conn(), new.to_line_id.as_ref())?;
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let standing = found.standing(year_of(tx.now(), zone));
    let proposed = rules::propose(YearEndId::mint(tx.now()), new, standing, doing)?;
    if store_year_ends::is_proposed(tx.conn(), hold)? {
        return Err(PROPOSED.refuse().into());
    }
    let capacity = capacity(actor, Action::ProposeMovement, matter(&fund));
    duties::undertake(tx, actor, capacity, Duty::Propose, proposed.id.as_str())?;
    store_year_ends::insert(tx, &proposed)?;
    record(tx, actor, "year_end.proposed", &proposed, &[])?;
    Ok(proposed)
}

/// Confirms it as another person; the money moves: what is carried over is held for the same in a line of the next year, what is given back is held for nothing.
///
/// # Errors
/// In this order: permission; not found; a closed fund; a closed line; those of the rules; separation of duties; those of the ledger.
pub fn confirm(tx: &mut Tx<'_>, actor: &Actor, id: &YearEndId, zone: Tz) -> Answer<YearEnd> {
    let (fund, proposed) = seen(tx, actor, Action::ConfirmMovement, id)?;
    let fund = open_fund(fund)?;
    let found = found(tx.conn(), &proposed.hold_id)?.going_to(tx.conn(), proposed.to_line_id.as_ref())?;
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let confirmed = proposed.confirm(found.standing(year_of(tx.now(), zone)), doing)?;
    let capacity = capacity(actor, Action::ConfirmMovement, matter(&fund));
    duties::undertake(tx, actor, capacity, Duty::Confirm, confirmed.id.as_str())?;
    store_year_ends::decide(tx, &confirmed)?;
    let orders = orders(tx, &confirmed, &found)?;
    let transfers = posting::post(tx, orders)?;
    record(tx, actor, "year_end.confirmed", &confirmed, &transfers)?;
    Ok(confirmed)
}

/// The hold ends where it came from, and from there the money goes on: into the next year's line, to be held anew, or back to the treasury.
fn orders(tx: &mut Tx<'_>, confirmed: &YearEnd, found: &Found) -> Answer<Vec<Order>> {
    let Found {
        hold,
        account,
        line,
        to,
        ..
    } = found;
    let free = store_ledger::account_of_line(tx.conn(), &line.id, AccountCode::Available)?.id;
    if hold.origin_account_id != free {
        return Err(Fault::broken(format!("{} did not come from its line's free money", hold.id)).into());
    }
    let order = |id, (from, to), code, (hold, matter): (Option<TransferId>, &str)| Order {
        id,
        from,
        to,
        amount: confirmed.amount,
        code,
        hold,
        matter: matter.to_owned(),
    };
    let own = confirmed.id.as_str();
    let mut orders = vec![order(
        TransferId::mint(tx.now()),
        (hold.account_id.clone(), free.clone()),
        TransferCode::Release,
        (Some(hold.id.clone()), hold.matter.as_str()),
    )];
    let id = posting::transfer_of(own)?;
    match (confirmed.kind, to) {
        (YearEndKind::CarryOver, Some(to)) => {
            let next = store_ledger::account_of_line(tx.conn(), &to.id, AccountCode::Available)?.id;
            let held = store_ledger::account_of_line(tx.conn(), &to.id, account.code)?.id;
            orders.push(order(
                id,
                (free, next.clone()),
                TransferCode::CarryOver,
                (None, own),
            ));
            let again = rules::code(account.code);
            let id = TransferId::mint(tx.now());
            orders.push(order(id, (next, held), again, (None, hold.matter.as_str())));
        }
        (YearEndKind::CarryOver, None) => {
            return Err(Fault::broken(format!("{} is carried over into no line", confirmed.id)).into());
        }
        (YearEndKind::Return, _) => {
            let returned = store_ledger::account_of_line(tx.conn(), &line.id, AccountCode::Returned)?.id;
            orders.push(order(id, (free, returned), TransferCode::Return, (None, own)));
        }
    }
    Ok(orders)
}

/// Refuses it as another person than who proposed it, or takes it back.
///
/// # Errors
/// In this order: permission; not found; those of [`YearEnd::end`]; separation of duties.
pub fn end(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, state): (&YearEndId, MovementState),
    reason: &str,
) -> Answer<YearEnd> {
    let is_refused = state == MovementState::Refused;
    let action = if is_refused {
        Action::ConfirmMovement
    } else {
        Action::ProposeMovement
    };
    let (fund, proposed) = seen(tx, actor, action, id)?;
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let ended = proposed.end(state, reason, doing)?;
    if is_refused {
        let capacity = capacity(actor, action, matter(&fund));
        duties::undertake(tx, actor, capacity, Duty::Confirm, ended.id.as_str())?;
    }
    store_year_ends::decide(tx, &ended)?;
    let kind = if is_refused {
        "year_end.refused"
    } else {
        "year_end.withdrawn"
    };
    record(tx, actor, kind, &ended, &[])?;
    Ok(ended)
}

fn seen(tx: &mut Tx<'_>, actor: &Actor, action: Action, id: &YearEndId) -> Answer<(Fund, YearEnd)> {
    policy::allow_at_all(actor, action)?;
    let one = store_year_ends::year_end(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    known_line(tx.conn(), actor, &one.line_id)?;
    let fund = managed(tx, actor, action, &one.fund_id)?;
    Ok((fund, one))
}

/// Refuses while something is left of one of these holds whose year is over: nothing is paid with it before it is decided what becomes of it.
///
/// # Errors
/// [`UNDECIDED`]; a fault of the database.
pub fn all_decided(conn: &mut Conn, holds: &[Hold], current_year: i64) -> Answer<()> {
    for hold in holds.iter().filter(|hold| !hold.remaining.is_zero()) {
        let account = store_ledger::account(conn, &hold.account_id)?;
        let account = account.ok_or_else(|| Fault::broken(format!("{} is in no account", hold.id)))?;
        let year = account.fiscal_year;
        if year < current_year {
            let left = hold.remaining.grouped();
            let why = text!(
                "{year} 年的 {left} 元尚未决定",
                "{left} CNY of {year} are undecided"
            );
            return Err(UNDECIDED.because(why).into());
        }
    }
    Ok(())
}

fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    one: &YearEnd,
    transfers: &[Transfer],
) -> Answer<()> {
    // What moves within a fund is for whoever may see the budget, as with other movements; the log commits to it.
    let event = Event {
        kind,
        subject: one.id.to_string(),
        data: json!({ "fund": one.fund_id, "fiscal_year": one.fiscal_year, "kind": one.kind, "state": one.state }),
        private: json!({
            "hold": one.hold_id, "line": one.line_id, "to_line": one.to_line_id, "matter": one.matter, "amount": one.amount,
            "reason": one.reason, "decision_reason": one.decision.as_ref().and_then(|decision| decision.reason.clone()),
            "transfers": posting::told(transfers),
        }),
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
