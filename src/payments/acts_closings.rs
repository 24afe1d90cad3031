//! Closing a period that has nothing to be paid any more, so that what is committed for it goes back to the line. One transaction's worth of work, permission first, event
//! last.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit;
use crate::audit::entry::Event;
use crate::budget::posting;
use crate::contracts::commitments;
use crate::contracts::desk;
use crate::contracts::rules::ContractId;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::kernel::money::{Money, MoneyError};
use crate::kernel::refusal::{Answer, Fault};
use crate::payments::acts_claims::{doing, not_own_claim, told_of_penalties};
use crate::payments::desk_claims::{Statement, not_accepted, statement};
use crate::payments::desk_statements::{Stated, stated};
use crate::payments::rules_certification::{counted, free, set_aside};
use crate::payments::rules_claims::{CONTRACT_SETTLED, Claim, Counted, Kind};
use crate::payments::rules_closings::{Closing, Facts};
use crate::payments::{moves_claims as moves, store_closings as store, tidings_claims as tidings};
use crate::registry::acts_organisations::capacity;
use crate::web::actor::Actor;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action};

/// How a period stands.
fn facts(statement: &Statement) -> Answer<Facts> {
    let number = statement.period.number;
    let result = &statement.derivation.result;
    let own = statement
        .claims
        .iter()
        .filter(|one| one.is_of(Kind::Period, Some(number)));
    let paid = Money::sum(own.filter(|one| one.state.is_paid()).map(Claim::counted));
    let (released, _) = set_aside((&statement.claims, &statement.closings), number)?;
    Ok(Facts {
        is_closed: statement.closings.iter().any(|one| one.period == number),
        is_settled: statement.is_settled,
        fee: statement.fee,
        payable: result.payable.0,
        recovered: result.recovered.0,
        certified: statement.part.before,
        paid: paid.map_err(|error: MoneyError| Fault::caused("what a period was paid", error))?,
        released,
    })
}

/// Closes a period as the buyer's officer. No money leaves the ward with it: what is committed and owed to nobody is free money of the line again, of which nothing is spent
/// without the hands that every payment goes through.
///
/// # Errors
/// In this order: permission; not found; `claim_of_own_organisation`; [`CONTRACT_SETTLED`]; those of [`counted`]; `claim_not_accepted`; those of [`Facts::closes`]; separation of
/// duties; those of the ledger.
pub fn close(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, number): (&ContractId, i64),
    penalties: Option<&[Counted]>,
    calendar: &WardCalendar,
) -> Answer<Stated> {
    policy::allow_at_all(actor, Action::ClosePeriod)?;
    let signed = desk::signed(tx.conn(), id)?;
    policy::allow(actor, Action::ClosePeriod, signed.of_buyer())?;
    not_own_claim(actor, &signed)?;
    if signed.contract.since.terminated_on.is_some() {
        return Err(CONTRACT_SETTLED.refuse().into());
    }
    let own = signed.document.lot.penalties.as_slice();
    let penalties = penalties.map(|said| counted(said, own)).transpose()?;
    let at = (calendar, tx.now());
    let statement = statement(tx.conn(), id, (number, penalties), at)?;
    let Some(accepted) = statement.accepted().cloned() else {
        return Err(not_accepted(&statement.standing).into());
    };
    let left = facts(&statement)?.closes()??;
    let capacity = capacity(actor, Action::ClosePeriod, signed.of_buyer());
    duties::undertake(
        tx,
        actor,
        capacity,
        Duty::Certify,
        accepted.acceptance_id.as_str(),
    )?;
    let committed = commitments::remaining(&moves::committed(tx.conn(), &signed)?)?;
    let retained = commitments::remaining(&moves::retained(tx.conn(), &signed)?)?;
    let free = free(committed, retained, &statement.claims)?;
    let (released, transfers) = moves::release(tx, &signed, left.min(free))?;
    let content = statement.derivation.written()?;
    let closing = Closing {
        contract_id: id.clone(),
        period: number,
        acceptance_id: accepted.acceptance_id,
        recovered: if statement.part.before.is_zero() {
            statement.derivation.result.recovered.0
        } else {
            // It stands with what was certified.
            Money::ZERO
        },
        released,
        penalties: statement.penalties,
        sha256: Sha256::digest(content.as_bytes()).into(),
        done: doing(tx, actor)?,
    };
    store::insert(tx, &closing, &content)?;
    let event = Event {
        kind: "period.closed",
        subject: id.to_string(),
        data: json!({
            "period": number, "acceptance_id": closing.acceptance_id, "recovered": closing.recovered, "released": released,
            "penalties": told_of_penalties(&closing.penalties), "sha256": hex::encode(closing.sha256), "transfers": posting::told(&transfers),
        }),
        private: Value::Null,
    };
    audit::store::append(tx, actor, &event)?;
    tidings::closed(tx, &signed, &closing)?;
    stated(tx.conn(), id, number, at)
}
