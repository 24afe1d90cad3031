//! What is done to qualifications: each function is one transaction's worth of work, permission first, event last. What is only
//! claimed is nobody's business yet, and so in the private part of its event.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::kernel::local_day::{end_of_day, local_date};
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::acts_organisations::{account, capacity, known, matter};
use crate::registry::rules_organisations::{self, Doing, Organisation};
use crate::registry::rules_qualifications::{
    self as rules, Licence, NO_SUPPLIER, QUALIFICATIONS_MAX, Qualification, QualificationId, State, TOO_MANY,
};
use crate::registry::store_qualifications as store;
use crate::registry::{rules_reminders, store_organisations, tidings};
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// A decision about a qualification and what it rests on.
#[derive(Clone, Debug)]
pub struct Decide {
    /// Whose qualification.
    pub organisation_id: OrganisationId,
    /// Which one.
    pub id: QualificationId,
    /// Evidence or reason.
    pub grounds: String,
}

/// Claims a qualification for an organisation.
///
/// # Errors
/// Permission; not found; an organisation that is no supplier or closed, or has as many as one may have.
pub fn claim(
    tx: &mut Tx<'_>,
    actor: &Actor,
    organisation_id: &OrganisationId,
    licence: &Licence,
) -> Answer<Qualification> {
    let organisation = allowed(tx, actor, Action::ClaimQualification, organisation_id)?;
    let open = organisation.current.state != rules_organisations::State::Closed;
    if !organisation.kind.may_supply() || !open {
        return Err(NO_SUPPLIER.refuse().into());
    }
    if store::count(tx.conn(), organisation_id)? >= QUALIFICATIONS_MAX {
        return Err(TOO_MANY.refuse().into());
    }
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let id = QualificationId::mint(tx.now());
    let claimed = rules::claim(id, organisation_id.clone(), licence.clone(), doing);
    let capacity = capacity(actor, Action::ClaimQualification, matter(&organisation));
    duties::undertake(tx, actor, capacity, Duty::Register, claimed.id.as_str())?;
    store::insert(tx, &claimed)?;
    audit::store::append(tx, actor, &event("qualification.claimed", &claimed))?;
    Ok(claimed)
}

/// Finds a qualification true.
///
/// # Errors
/// Permission; not found; separation of duties; a wrong state.
pub fn verify(tx: &mut Tx<'_>, actor: &Actor, command: &Decide) -> Answer<Qualification> {
    judge(
        tx,
        actor,
        command,
        State::Verified,
        "/evidence",
        "qualification.verified",
    )
}

/// Finds a qualification not borne out.
///
/// # Errors
/// As [`verify`].
pub fn refuse(tx: &mut Tx<'_>, actor: &Actor, command: &Decide) -> Answer<Qualification> {
    judge(
        tx,
        actor,
        command,
        State::Refused,
        "/reason",
        "qualification.refused",
    )
}

fn judge(
    tx: &mut Tx<'_>,
    actor: &Actor,
    command: &Decide,
    state: State,
    pointer: &str,
    kind: &'static str,
) -> Answer<Qualification> {
    allowed(tx, actor, Action::VerifyQualification, &command.organisation_id)?;
    let before = found(tx, command)?;
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let judged = rules::decide(before, state, pointer, &command.grounds, doing)?;
    let capacity = capacity(actor, Action::VerifyQualification, Matter::default());
    duties::undertake(tx, actor, capacity, Duty::Verify, judged.id.as_str())?;
    store::decide(tx, &judged)?;
    audit::store::append(tx, actor, &event(kind, &judged))?;
    Ok(judged)
}

/// Takes a qualification back.
///
/// # Errors
/// Permission; not found; a wrong state.
pub fn withdraw(tx: &mut Tx<'_>, actor: &Actor, command: &Decide) -> Answer<Qualification> {
    allowed(tx, actor, Action::ClaimQualification, &command.organisation_id)?;
    let before = found(tx, command)?;
    let doing = Doing {
        by: account(actor)?,
        at: tx.now(),
    };
    let withdrawn = rules::decide(before, State::Withdrawn, "/reason", &command.grounds, doing)?;
    store::decide(tx, &withdrawn)?;
    audit::store::append(tx, actor, &event("qualification.withdrawn", &withdrawn))?;
    Ok(withdrawn)
}

/// Qualifications that are looked at in one transaction by [`remind`].
const REMINDED_AT_ONCE: i64 = 100;

/// Where [`remind`] goes on: the last day and the id of the qualification that it looked at last.
pub type Reminded = (NaiveDate, QualificationId);

/// Tells organisations of qualifications that end soon, each once at every distance. Upkeep: it changes nothing of the ward. Looks at
/// some, beyond `after`, and says where to go on; `None` if there are no more.
///
/// # Errors
/// A fault of the database.
pub fn remind(tx: &mut Tx<'_>, zone: Tz, after: Option<&Reminded>) -> Answer<Option<Reminded>> {
    let today = local_date(tx.now(), zone);
    let after = after.map(|(day, id)| (*day, id));
    let ending = store::ending(
        tx.conn(),
        today,
        rules_reminders::horizon(today),
        after,
        REMINDED_AT_ONCE,
    )?;
    let full = i64::try_from(ending.len()).is_ok_and(|count| count == REMINDED_AT_ONCE);
    let mut last = None;
    for qualification in ending {
        remind_of(tx, zone, today, &qualification)?;
        last = qualification.licence.valid_to.map(|day| (day, qualification.id));
    }
    Ok(last.filter(|_| full))
}

fn remind_of(tx: &mut Tx<'_>, zone: Tz, today: NaiveDate, qualification: &Qualification) -> Answer<()> {
    let Some(reminder) = rules_reminders::due(qualification, today) else {
        return Ok(());
    };
    let verified = [State::Verified];
    let of = &qualification.organisation_id;
    let others = store::qualifications(tx.conn(), of, &verified, None, QUALIFICATIONS_MAX)?;
    let organisation = store_organisations::organisation(tx.conn(), of)?;
    let open = organisation.filter(|found| found.current.state != rules_organisations::State::Closed);
    let Some(organisation) = open.filter(|_| !rules_reminders::is_replaced(qualification, &others)) else {
        return Ok(());
    };
    let useful_until = match qualification.licence.valid_to {
        Some(last) => Some(end_of_day(last, zone).map_err(|error| Fault::caused("a last day", error))?),
        None => None,
    };
    tidings::expiring(tx, &organisation, qualification, reminder, useful_until)
}

fn allowed(tx: &mut Tx<'_>, actor: &Actor, action: Action, id: &OrganisationId) -> Answer<Organisation> {
    policy::allow_at_all(actor, action)?;
    let organisation = known(tx.conn(), actor, id)?;
    policy::allow(actor, action, matter(&organisation))?;
    Ok(organisation)
}

fn found(tx: &mut Tx<'_>, command: &Decide) -> Answer<Qualification> {
    let qualification = store::qualification(tx.conn(), &command.id)?;
    let own = qualification.filter(|found| found.organisation_id == command.organisation_id);
    Ok(own.ok_or_else(|| NOT_FOUND.refuse())?)
}

fn event(kind: &'static str, qualification: &Qualification) -> Event {
    let licence = &qualification.licence;
    let says = json!({
        "kind": licence.kind,
        "issuer": licence.issuer,
        "number": licence.number,
        "grade": licence.grade,
        "valid_from": licence.valid_from,
        "valid_to": licence.valid_to,
    });
    let mut data = json!({
        "organisation_id": qualification.organisation_id,
        "state": qualification.state,
        "version": qualification.version,
    });
    let mut private = json!({ "note": qualification.note });
    let target = if qualification.state == State::Verified {
        &mut data
    } else {
        &mut private
    };
    if let (Value::Object(target), Value::Object(says)) = (target, says) {
        target.extend(says);
    }
    Event {
        kind,
        subject: qualification.id.to_string(),
        data,
        private,
    }
}
