//! What the contractor holds against a certificate of acceptance, and what somebody else of the buyer than its drafter and its signer decides of it; and that
//! silence has accepted a period. Each function is one transaction's worth of work, permission first, event last.

use serde_json::{Value, json};

use crate::contracts::acts_acceptances::{hang, inspecting, not_own_work, record};
use crate::contracts::desk::{self, acting};
use crate::contracts::desk_acceptances::{Seen, seen};
use crate::contracts::rules_acceptances::{self as rules, Acceptance, AcceptanceId, Beginning, Begun};
use crate::contracts::{store_acceptances as store, tidings_acceptances as tidings};
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::files::rules::AttachmentId;
use crate::kernel::clock::rfc3339;
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::Answer;
use crate::registry::acts_organisations::capacity;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action};

/// Acceptances of which silence is written down in one transaction.
const AT_ONCE: i64 = 100;

/// Objects to a certificate as the contractor.
///
/// # Errors
/// In this order: permission; not found; a stale revision; those of [`rules::object`]; those of hanging the files.
pub fn object(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&AcceptanceId, Expected),
    (words, attachments): (&str, &[AttachmentId]),
    calendar: &WardCalendar,
) -> Answer<Seen> {
    policy::allow_at_all(actor, Action::ObjectToAcceptance)?;
    let Seen { signed, acceptance } = seen(tx.conn(), id)?;
    policy::allow(actor, Action::ObjectToAcceptance, signed.of_supplier())?;
    expected.check(acceptance.revision)?;
    let now = tx.now();
    let last = store::last(tx.conn(), &acceptance.contract_id, acceptance.period)?;
    let is_last = last.is_some_and(|last| last.id == acceptance.id);
    let by = (acting(actor)?, now, local_date(now, calendar.zone));
    let acceptance = rules::object(acceptance, (words, is_last), by)?;
    store::advance(tx, &acceptance)?;
    hang(tx, actor, id, attachments)?;
    let private = json!({ "objection": acceptance.objection.as_ref().map(|made| &made.words) });
    record(
        tx,
        actor,
        "acceptance.objected",
        &acceptance,
        (json!({}), private),
    )?;
    tidings::objected(tx, &signed, &acceptance)?;
    Ok(Seen { signed, acceptance })
}

/// Decides an objection: an approver who neither drafted nor signed the certificate. If it is upheld the certificate falls, and a further round begins in which what
/// was handed over stays so.
///
/// # Errors
/// In this order: permission; not found; a stale revision; [`rules::OWN_WORK`]; those of [`rules::decide`]; separation of duties; a rule that is not set; a
/// calendar that does not reach so far.
pub fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&AcceptanceId, Expected),
    (is_upheld, words): (bool, (&str, &str)),
    calendar: &WardCalendar,
) -> Answer<Seen> {
    policy::allow_at_all(actor, Action::DecideAcceptanceObjection)?;
    let Seen { signed, acceptance } = seen(tx.conn(), id)?;
    policy::allow(actor, Action::DecideAcceptanceObjection, signed.of_buyer())?;
    expected.check(acceptance.revision)?;
    not_own_work(actor, &signed)?;
    let now = tx.now();
    let by = (acting(actor)?, now);
    let (acceptance, next) = rules::decide(acceptance, (is_upheld, words), by)?;
    let capacity = capacity(actor, Action::DecideAcceptanceObjection, signed.of_buyer());
    duties::undertake(tx, actor, capacity, Duty::DecideContest, id.as_str())?;
    store::advance(tx, &acceptance)?;
    let next = match next {
        Some(round) => {
            let begun = Begun {
                id: AcceptanceId::mint(now),
                contract_id: acceptance.contract_id.clone(),
                period: acceptance.period,
                served: acceptance.served,
            };
            let next = Acceptance {
                inspecting: Some(inspecting(&signed, calendar, now)?),
                ..begun.round(round, Beginning::Objection, now)
            };
            store::insert(tx, &next)?;
            Some(next)
        }
        None => None,
    };
    let data = json!({
        "is_upheld": is_upheld, "decision_zh": words.0, "decision_en": words.1,
        "next_acceptance_id": next.as_ref().map(|next| &next.id),
        "inspect_until": next.as_ref().and_then(|next| next.inspecting).map(|time| time.until),
    });
    let kind = "acceptance.objection_decided";
    record(tx, actor, kind, &acceptance, (data, Value::Null))?;
    tidings::decided(tx, &signed, (&acceptance, next.as_ref()))?;
    Ok(Seen { signed, acceptance })
}

/// Writes down that silence has accepted some periods, and tells both parties. True if there were no more.
///
/// # Errors
/// A fault of the database.
pub fn note_silence(tx: &mut Tx<'_>) -> Answer<bool> {
    let now = tx.now();
    let silent = store::silent(tx.conn(), now, AT_ONCE)?;
    let is_last = i64::try_from(silent.len()).is_ok_and(|count| count < AT_ONCE);
    let mut count = 0_usize;
    for before in silent {
        let Some(acceptance) = rules::noted(before, now) else {
            continue;
        };
        store::advance(tx, &acceptance)?;
        let data = json!({ "accepted_since": acceptance.accepted_since(now).map(rfc3339) });
        let kind = "acceptance.silence_noted";
        record(tx, &Actor::system(), kind, &acceptance, (data, Value::Null))?;
        let signed = desk::signed(tx.conn(), &acceptance.contract_id)?;
        tidings::silent(tx, &signed, &acceptance)?;
        count = count.saturating_add(1);
    }
    if count == 0 {
        tx.nothing_to_change();
    }
    Ok(is_last)
}
