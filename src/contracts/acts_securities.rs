//! What is done to performance securities: recorded by the supplier, confirmed and given back by the buyer's finance officer. Each function is one
//! transaction's worth of work, permission first, event last.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::award::desk;
use crate::bids::rules_securities::{Lodged, State};
use crate::contracts::acts::{Held, seen};
use crate::contracts::desk::allow_for_buyer;
use crate::contracts::rules::{Contract, ContractId, State as ContractState, VOID};
use crate::contracts::rules_document::security_max;
use crate::contracts::rules_securities::{
    self as rules, NOT_ASKED, PerformanceSecurity, PerformanceSecurityId, SECURITIES_MAX, TOO_MANY,
};
use crate::contracts::store_securities as store;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// Records what was lodged for a contract.
///
/// # Errors
/// In this order: permission; not found; [`VOID`]; [`NOT_ASKED`]; those of [`rules::checked`]; [`TOO_MANY`].
pub fn lodge(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ContractId,
    lodged: Lodged,
    calendar: &WardCalendar,
) -> Answer<PerformanceSecurity> {
    policy::allow_at_all(actor, Action::LodgePerformanceSecurity)?;
    let Held { contract, award } = seen(tx.conn(), actor, id)?;
    let matter = Matter::of_organisation(&contract.supplier_id);
    policy::allow(actor, Action::LodgePerformanceSecurity, matter)?;
    if contract.state(award.state) == ContractState::Void {
        return Err(VOID.refuse().into());
    }
    if contract.security.is_zero() {
        return Err(NOT_ASKED.refuse().into());
    }
    let known = desk::known(tx.conn(), &contract.lot_id)?;
    let amount_max = security_max(contract.price, &known.profile)?;
    let service_until = known.book.content.document().timetable.service_until;
    let today = local_date(tx.now(), calendar.zone);
    let bounds = (contract.security, amount_max);
    let lodged = rules::checked(lodged, bounds, (today, service_until))?;
    if store::of_contract(tx.conn(), id)?.len() >= SECURITIES_MAX {
        return Err(TOO_MANY.refuse().into());
    }
    let security = PerformanceSecurity {
        id: PerformanceSecurityId::mint(tx.now()),
        contract_id: contract.id,
        state: State::Lodged,
        lodged,
        revision: 1,
        recorded_at: tx.now(),
        decided: None,
        returned: None,
    };
    store::insert(tx, &security)?;
    record(tx, actor, "performance_security.lodged", &security, Value::Null)?;
    Ok(security)
}

/// What was lodged for a contract, for its parties and auditors.
///
/// # Errors
/// Not found to everybody else.
pub fn of_contract(conn: &mut Conn, actor: &Actor, id: &ContractId) -> Answer<Vec<PerformanceSecurity>> {
    let Held { contract, .. } = seen(conn, actor, id)?;
    if is_partys(actor, &contract) {
        store::of_contract(conn, id)
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

fn is_partys(actor: &Actor, contract: &Contract) -> bool {
    [&contract.buyer_id, &contract.supplier_id]
        .into_iter()
        .any(|party| policy::allows(actor, Action::OpenContracts, Matter::of_organisation(party)))
}

/// A security that the buyer's finance officer may decide about.
fn kept(tx: &mut Tx<'_>, actor: &Actor, id: &PerformanceSecurityId) -> Answer<PerformanceSecurity> {
    policy::allow_at_all(actor, Action::KeepPerformanceSecurity)?;
    let security = store::security(tx.conn(), id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let found = crate::contracts::store::contract(tx.conn(), &security.contract_id)?;
    let contract = found.ok_or_else(|| Fault::broken(format!("{id} is of no contract")))?;
    let matter = Matter::of_organisation(&contract.buyer_id);
    if policy::allows(actor, Action::KeepPerformanceSecurity, matter) {
        allow_for_buyer(actor, Action::KeepPerformanceSecurity, &contract)?;
        Ok(security)
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

/// Tells whether a security was found.
///
/// # Errors
/// In this order: permission; not found; a stale revision; those of [`rules::decide`].
pub fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&PerformanceSecurityId, Expected),
    (is_there, decision): (bool, &str),
) -> Answer<PerformanceSecurity> {
    let before = kept(tx, actor, id)?;
    expected.check(before.revision)?;
    let decided = rules::decide(before, is_there, decision, tx.now())?;
    store::advance(tx, &decided)?;
    let kind = if is_there {
        "performance_security.confirmed"
    } else {
        "performance_security.not_found"
    };
    record(tx, actor, kind, &decided, json!({ "decision": decision }))?;
    Ok(decided)
}

/// Records that a security went back.
///
/// # Errors
/// In this order: permission; not found; a stale revision; those of [`rules::give_back`].
pub fn give_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&PerformanceSecurityId, Expected),
    (on, reference): (NaiveDate, &str),
    calendar: &WardCalendar,
) -> Answer<PerformanceSecurity> {
    let before = kept(tx, actor, id)?;
    expected.check(before.revision)?;
    let today = local_date(tx.now(), calendar.zone);
    let returned = rules::give_back(before, (on, reference), today)?;
    store::advance(tx, &returned)?;
    let more = json!({ "reference": reference });
    record(tx, actor, "performance_security.returned", &returned, more)?;
    Ok(returned)
}

fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    security: &PerformanceSecurity,
    more: Value,
) -> Answer<()> {
    let lodged = &security.lodged;
    let event = Event {
        kind,
        subject: security.id.to_string(),
        data: json!({ "contract_id": security.contract_id, "revision": security.revision }),
        private: json!({
            "kind": lodged.kind,
            "amount_fen": lodged.amount.fen(),
            "issuer": lodged.issuer,
            "reference": lodged.reference,
            "more": more,
        }),
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
