//! What is done about debarments: each function is one transaction's worth of work, permission first, event last. All of it is
//! public but who recorded it.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::db::writer::Tx;
use crate::kernel::local_day::local_date;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::Answer;
use crate::registry::acts_organisations::{account, known};
use crate::registry::rules_debarments::{self as rules, Debarment, DebarmentId, Entered, NO_PUBLIC_SUPPLIER};
use crate::registry::rules_organisations::Doing;
use crate::registry::store_debarments::{self as store, Debarred, Record};
use crate::registry::{store_organisations, tidings};
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// A debarment to record.
#[derive(Clone, Debug)]
pub struct RecordDebarment {
    /// Who is debarred.
    pub organisation_id: OrganisationId,
    /// What was decided.
    pub entered: Entered,
    /// The ward's time zone, in which its days are counted.
    pub zone: Tz,
}

/// A debarment to lift.
#[derive(Clone, Debug)]
pub struct LiftDebarment {
    /// Which one.
    pub id: DebarmentId,
    /// Why, in Chinese.
    pub reason_zh: String,
    /// Why, in English.
    pub reason_en: String,
    /// The ward's time zone.
    pub zone: Tz,
}

/// Records that a supplier is debarred.
///
/// # Errors
/// Permission; not found; an organisation that is no supplier or not public; those of the rules.
pub fn record(tx: &mut Tx<'_>, actor: &Actor, command: &RecordDebarment) -> Answer<Record> {
    policy::allow(actor, Action::DebarSupplier, Matter::default())?;
    let organisation = known(tx.conn(), actor, &command.organisation_id)?;
    if organisation.public_at.is_none() || !organisation.kind.may_supply() {
        return Err(NO_PUBLIC_SUPPLIER.refuse().at("/organisation_id").into());
    }
    let decision = rules::decision(&command.entered, today(tx, command.zone))?;
    let debarment = Debarment {
        id: DebarmentId::mint(tx.now()),
        organisation_id: organisation.id.clone(),
        decision,
        recorded_by: account(actor)?.to_owned(),
        recorded_at: tx.now(),
        lifting: None,
    };
    store::insert(tx, &debarment)?;
    audit::store::append(tx, actor, &event("debarment.recorded", &debarment))?;
    tidings::debarment(tx, &organisation, &debarment)?;
    let particulars = organisation.current.particulars;
    let of = Debarred {
        name_zh: particulars.name_zh,
        name_en: particulars.name_en,
        credit_code: particulars.credit_code.map(|code| code.to_string()),
    };
    Ok((debarment, of))
}

/// Ends a debarment before its last day.
///
/// # Errors
/// Permission; not found; one that is over; faults of the reasons.
pub fn lift(tx: &mut Tx<'_>, actor: &Actor, command: &LiftDebarment) -> Answer<Record> {
    policy::allow(actor, Action::DebarSupplier, Matter::default())?;
    let (debarment, of) = store::debarment(tx.conn(), &command.id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let today = today(tx, command.zone);
    let lifted = rules::lift(debarment, &command.reason_zh, &command.reason_en, today, doing)?;
    store::lift(tx, &lifted)?;
    audit::store::append(tx, actor, &event("debarment.lifted", &lifted))?;
    if let Some(organisation) = store_organisations::organisation(tx.conn(), &lifted.organisation_id)? {
        tidings::debarment(tx, &organisation, &lifted)?;
    }
    Ok((lifted, of))
}

fn today(tx: &Tx<'_>, zone: Tz) -> NaiveDate {
    local_date(tx.now(), zone)
}

fn event(kind: &'static str, debarment: &Debarment) -> Event {
    let (decision, lifting) = (&debarment.decision, debarment.lifting.as_ref());
    Event {
        kind,
        subject: debarment.id.to_string(),
        data: json!({
            "organisation_id": debarment.organisation_id,
            "from": decision.from,
            "until": decision.until,
            "reason_zh": decision.reason_zh,
            "reason_en": decision.reason_en,
            "document": decision.document,
            "lifted": lifting.map(|lifting| json!({
                "on": lifting.on,
                "reason_zh": lifting.reason_zh,
                "reason_en": lifting.reason_en,
            })),
        }),
        private: Value::Null,
    }
}
