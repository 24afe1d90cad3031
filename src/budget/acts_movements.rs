//! What is done about budget movements: each function is one transaction's worth of work, permission first, event last. Two
//! people, of the organisation that keeps the fund: one proposes, another confirms, and the money moves with the confirmation.

use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::budget::acts::managed;
use crate::budget::acts_year_ends::year_of;
use crate::budget::posting;
use crate::budget::rules::{self, BudgetLine, BudgetLineId, Fund, FundId};
use crate::budget::rules_ledger::{AccountCode, LedgerAccountId, Order, Transfer};
use crate::budget::rules_movements::{
    self as movements, Known, LINES_DO_NOT_FIT, Movement, MovementId, MovementKind, MovementState,
    NewMovement,
};
use crate::budget::{store, store_ledger, store_movements};
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::Text;
use crate::registry::acts_organisations::{account, capacity};
use crate::registry::rules_organisations::Doing;
use crate::web::actor::Actor;
use crate::web::policy::{Action, Matter};
use crate::web::problem::NOT_FOUND;

/// A movement of a fund, by the ids of both, and what is said about it.
#[derive(Clone, Debug)]
pub struct Decide {
    /// Of which fund.
    pub fund_id: FundId,
    /// Which movement.
    pub id: MovementId,
    /// Why it is refused or taken back.
    pub reason: Option<String>,
    /// The ward's time zone, in which its years begin.
    pub zone: Tz,
}

/// Proposes a movement.
///
/// # Errors
/// Permission; not found; a closed fund or line; those of the rules.
pub fn propose(
    tx: &mut Tx<'_>,
    actor: &Actor,
    fund: &FundId,
    new: &NewMovement,
    zone: Tz,
) -> Answer<Movement> {
    let fund = rules::open_fund(managed(tx, actor, Action::ProposeMovement, fund)?)?;
    let from = line(tx, new.from_line_id.as_ref(), "/from_line_id")?;
    let to = line(tx, new.to_line_id.as_ref(), "/to_line_id")?;
    let known = Known {
        is_appropriated: is_appropriated(tx, &fund, new.kind, new.fiscal_year)?,
        from: from.as_ref(),
        to: to.as_ref(),
        current_year: year_of(tx.now(), zone),
    };
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let id = MovementId::mint(tx.now());
    let movement = movements::propose(id, fund.id.clone(), new, known, doing)?;
    let capacity = capacity(
        actor,
        Action::ProposeMovement,
        Matter::of_organisation(&fund.organisation_id),
    );
    duties::undertake(tx, actor, capacity, Duty::Propose, movement.id.as_str())?;
    store_movements::insert(tx, &movement)?;
    audit::store::append(tx, actor, &event("budget_movement.proposed", &movement, &[]))?;
    Ok(movement)
}

/// Confirms a movement that another person proposed; the money moves.
///
/// # Errors
/// Permission; not found; separation of duties; a closed fund or line; those of the rules; those of the ledger.
pub fn confirm(tx: &mut Tx<'_>, actor: &Actor, command: &Decide) -> Answer<Movement> {
    let (fund, movement) = found(tx, actor, Action::ConfirmMovement, command)?;
    let fund = rules::open_fund(fund)?;
    let confirmed = decided(tx, actor, movement, MovementState::Confirmed, None)?;
    let from = line(tx, confirmed.from_line_id.as_ref(), "/from_line_id")?;
    let to = line(tx, confirmed.to_line_id.as_ref(), "/to_line_id")?;
    let (kind, year) = (confirmed.kind, confirmed.fiscal_year);
    let known = Known {
        is_appropriated: store_movements::is_appropriated(tx.conn(), &fund.id, year, false)?,
        from: from.as_ref(),
        to: to.as_ref(),
        current_year: year_of(tx.now(), command.zone),
    };
    movements::fits(&confirmed, known)?;
    let capacity = capacity(
        actor,
        Action::ConfirmMovement,
        Matter::of_organisation(&fund.organisation_id),
    );
    duties::undertake(tx, actor, capacity, Duty::Confirm, confirmed.id.as_str())?;
    store_movements::decide(tx, &confirmed)?;
    let order = Order {
        id: posting::transfer_of(confirmed.id.as_str())?,
        from: debit(tx, &confirmed)?,
        to: credit(tx, &confirmed)?,
        amount: confirmed.amount,
        code: kind.code(),
        hold: None,
        matter: confirmed.id.to_string(),
    };
    let transfers = posting::post(tx, vec![order])?;
    audit::store::append(
        tx,
        actor,
        &event("budget_movement.confirmed", &confirmed, &transfers),
    )?;
    Ok(confirmed)
}

/// Refuses a movement that another person proposed.
///
/// # Errors
/// Permission; not found; separation of duties; a movement that was decided; a reason that does not fit.
pub fn refuse(tx: &mut Tx<'_>, actor: &Actor, command: &Decide) -> Answer<Movement> {
    let (fund, movement) = found(tx, actor, Action::ConfirmMovement, command)?;
    let reason = command.reason.as_deref();
    let refused = decided(tx, actor, movement, MovementState::Refused, reason)?;
    let capacity = capacity(
        actor,
        Action::ConfirmMovement,
        Matter::of_organisation(&fund.organisation_id),
    );
    duties::undertake(tx, actor, capacity, Duty::Confirm, refused.id.as_str())?;
    store_movements::decide(tx, &refused)?;
    audit::store::append(tx, actor, &event("budget_movement.refused", &refused, &[]))?;
    Ok(refused)
}

/// Takes a movement back that waits.
///
/// # Errors
/// Permission; not found; a movement that was decided; a reason that does not fit.
pub fn withdraw(tx: &mut Tx<'_>, actor: &Actor, command: &Decide) -> Answer<Movement> {
    let (_, movement) = found(tx, actor, Action::ProposeMovement, command)?;
    let reason = command.reason.as_deref();
    let withdrawn = decided(tx, actor, movement, MovementState::Withdrawn, reason)?;
    store_movements::decide(tx, &withdrawn)?;
    audit::store::append(tx, actor, &event("budget_movement.withdrawn", &withdrawn, &[]))?;
    Ok(withdrawn)
}

fn decided(
    tx: &Tx<'_>,
    actor: &Actor,
    movement: Movement,
    state: MovementState,
    reason: Option<&str>,
) -> Answer<Movement> {
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    Ok(movements::decide(movement, state, reason, doing)?)
}

fn found(tx: &mut Tx<'_>, actor: &Actor, action: Action, command: &Decide) -> Answer<(Fund, Movement)> {
    let fund = managed(tx, actor, action, &command.fund_id)?;
    let movement = store_movements::movement(tx.conn(), &command.id)?;
    let own = movement.filter(|movement| movement.fund_id == fund.id);
    Ok((fund, own.ok_or_else(|| NOT_FOUND.refuse())?))
}

/// Whether there is an appropriation: for another one it counts when it is proposed, for a supplementary one when it is confirmed.
fn is_appropriated(tx: &mut Tx<'_>, fund: &Fund, kind: MovementKind, year: i64) -> Answer<bool> {
    let or_proposed = kind == MovementKind::Appropriation;
    store_movements::is_appropriated(tx.conn(), &fund.id, year, or_proposed)
}

/// A line that a movement names, if it is in use. One that does not exist does not fit either.
fn line(tx: &mut Tx<'_>, id: Option<&BudgetLineId>, pointer: &str) -> Answer<Option<BudgetLine>> {
    let Some(id) = id else { return Ok(None) };
    let line = store::line(tx.conn(), id)?.ok_or_else(|| {
        let why = Text::fixed("没有该预算项", "there is no such line");
        LINES_DO_NOT_FIT.because(why).at(pointer)
    })?;
    Ok(Some(
        rules::open_line(line).map_err(|refusal| refusal.at(pointer))?,
    ))
}

fn debit(tx: &mut Tx<'_>, movement: &Movement) -> Answer<LedgerAccountId> {
    use MovementKind::{Allocation, Appropriation, CarryOver, Return, SupplementaryAppropriation};
    let year = movement.fiscal_year;
    match movement.kind {
        Appropriation | SupplementaryAppropriation => of_year(tx, movement, year, AccountCode::Source),
        Allocation => of_year(tx, movement, year, AccountCode::Unallocated),
        MovementKind::Withdrawal | MovementKind::Transfer | CarryOver | Return => {
            of_line(tx, movement.from_line_id.as_ref(), AccountCode::Available)
        }
    }
}

fn credit(tx: &mut Tx<'_>, movement: &Movement) -> Answer<LedgerAccountId> {
    use MovementKind::{Allocation, Appropriation, CarryOver, Return, SupplementaryAppropriation};
    match movement.kind {
        Appropriation | SupplementaryAppropriation | MovementKind::Withdrawal => {
            of_year(tx, movement, movement.fiscal_year, AccountCode::Unallocated)
        }
        Allocation | MovementKind::Transfer | CarryOver => {
            of_line(tx, movement.to_line_id.as_ref(), AccountCode::Available)
        }
        Return => of_line(tx, movement.from_line_id.as_ref(), AccountCode::Returned),
    }
}

fn of_year(tx: &mut Tx<'_>, movement: &Movement, year: i64, code: AccountCode) -> Answer<LedgerAccountId> {
    Ok(posting::of_year(tx, &movement.fund_id, year, code)?.id)
}

fn of_line(tx: &mut Tx<'_>, line: Option<&BudgetLineId>, code: AccountCode) -> Answer<LedgerAccountId> {
    let line = line.ok_or_else(|| Fault::broken("a movement without the line that its kind needs"))?;
    Ok(store_ledger::account_of_line(tx.conn(), line, code)?.id)
}

/// What came into a fund is a total, and totals are everyone's. What moves within it, and what is only proposed, is for whoever may see
/// the budget; the log commits to it.
fn event(kind: &'static str, movement: &Movement, transfers: &[Transfer]) -> Event {
    let facts = json!({
        "from_line": movement.from_line_id, "to_line": movement.to_line_id, "amount": movement.amount,
        "document": movement.document, "transfers": posting::told(transfers),
    });
    let is_public = movement.kind.is_appropriation() && movement.state == MovementState::Confirmed;
    let (public, private) = if is_public {
        (facts, json!({}))
    } else {
        (json!({}), facts)
    };
    let mut data = json!({
        "fund": movement.fund_id, "kind": movement.kind, "fiscal_year": movement.fiscal_year, "state": movement.state,
    });
    let mut unseen = json!({
        "reason": movement.reason,
        "decision_reason": movement.decision.as_ref().and_then(|decision| decision.reason.clone()),
    });
    for (whole, part) in [(&mut data, public), (&mut unseen, private)] {
        if let (Value::Object(whole), Value::Object(part)) = (whole, part) {
            whole.extend(part);
        }
    }
    Event {
        kind,
        subject: movement.id.to_string(),
        data,
        private: unseen,
    }
}
