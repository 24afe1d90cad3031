//! What is done about a defect once it was reported: sent to the contractor, acknowledged, fixed, confirmed, reopened, rejected. Each function is one
//! transaction's worth of work, permission first, event last.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::award::desk::{days, joined};
use crate::contracts::desk_defects::{Known, Seen, known, seen};
use crate::contracts::follow_up::FollowUpKey;
use crate::contracts::rules_defect_reports::{DefectReport, DefectReportId, PHOTOS_MAX, only_words, words};
use crate::contracts::rules_defects::{
    Decider, Defect, DefectId, Standing, State, Step, may_reopen, reporter_confirms,
};
use crate::contracts::rules_defects_clock::{clock, heard_until, silent_at};
use crate::contracts::store_defects::{self as store, Round};
use crate::contracts::{store_defect_reports, store_places, tidings_defects};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::files;
use crate::files::media::MediaType;
use crate::files::rules::{AttachmentId, Use, Visibility};
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::rules_text::Form;
use crate::text;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action};
use crate::web::problem::NOT_FOUND;

/// What photos may be.
pub const PHOTO_TYPES: [MediaType; 3] = [MediaType::Jpeg, MediaType::Png, MediaType::Webp];

/// What these acts need to know of the ward.
#[derive(Clone, Copy)]
pub struct Setting<'s> {
    /// Its days.
    pub calendar: &'s WardCalendar,
    /// Makes the links of those without an account.
    pub key: &'s FollowUpKey,
}

/// As whom somebody speaks about a defect.
pub enum Speaker {
    /// As the buyer's officer.
    Officer,
    /// As whoever has reported it.
    Reporter(DefectReport),
}

impl Speaker {
    const fn decider(&self) -> Decider {
        match self {
            Self::Officer => Decider::Officer,
            Self::Reporter(_) => Decider::Reporter,
        }
    }
}

/// Sends a reported defect to the contractor, whose time begins.
pub(super) fn call(
    tx: &mut Tx<'_>,
    actor: &Actor,
    known: &Known,
    defect: Defect,
    setting: Setting<'_>,
) -> Answer<Defect> {
    let defect = defect.stepped(Step::Dispatch)?;
    let defect = run(tx, known, defect, setting)?;
    let data = json!({ "round": defect.round, "due_at": defect.due_at });
    record(tx, actor, "defect.dispatched", &defect, data, Value::Null)?;
    tidings_defects::called(tx, known, &defect)?;
    Ok(defect)
}

/// Begins another round of a defect that was dispatched or reopened, and saves it.
fn run(tx: &mut Tx<'_>, known: &Known, defect: Defect, setting: Setting<'_>) -> Answer<Defect> {
    let place = store_places::place(tx.conn(), &defect.place_id)?;
    let place = place.ok_or_else(|| Fault::broken(format!("{} is nowhere", defect.id)))?;
    let demand = known.demand(&defect.category.code, &place);
    let now = tx.now();
    // What was reopened happens anew; at first it happened when an officer has said so, or else when it was reported.
    let happened = match defect.round {
        0 => defect.occurred_at.unwrap_or(defect.reported_at),
        _ => now,
    };
    let clock = clock(demand, happened, now, days(setting.calendar));
    let defect = Defect {
        round: defect.round.saturating_add(1),
        due_at: clock.due_at,
        ..defect
    };
    store::advance(tx, &defect)?;
    store::call(
        tx,
        &Round {
            defect_id: defect.id.clone(),
            number: defect.round,
            called_at: now.naive_utc(),
            started_at: clock.started_at.naive_utc(),
            due_at: clock.due_at.map(|at| at.naive_utc()),
            remind_at: clock.remind_at.map(|at| at.naive_utc()),
            acknowledged_at: None,
            fixed_at: None,
            note: None,
            reopened_at: None,
            reopened_by: None,
            reason: None,
        },
    )?;
    Ok(defect)
}

/// The present round of a defect.
fn present(conn: &mut Conn, defect: &Defect) -> Answer<Round> {
    let rounds = store::rounds(conn, &[&defect.id])?;
    let present = rounds.into_iter().find(|round| round.number == defect.round);
    Ok(present.ok_or_else(|| Fault::broken(format!("{} has no round", defect.id)))?)
}

/// A defect about which the actor may decide for the buyer.
fn decided(tx: &mut Tx<'_>, actor: &Actor, (id, expected): (&DefectId, Expected)) -> Answer<(Defect, Known)> {
    policy::allow_at_all(actor, Action::DecideDefects)?;
    let now = tx.now();
    let Seen { defect, .. } = seen(tx.conn(), actor, id, now)?;
    let known = known(tx.conn(), &defect.contract_id)?;
    policy::allow(actor, Action::DecideDefects, known.signed.of_buyer())?;
    expected.check(defect.revision)?;
    Ok((defect, known))
}

/// A defect that the actor handles for the contractor.
fn handled(tx: &mut Tx<'_>, actor: &Actor, (id, expected): (&DefectId, Expected)) -> Answer<(Defect, Known)> {
    policy::allow_at_all(actor, Action::HandleDefects)?;
    let now = tx.now();
    let Seen { defect, .. } = seen(tx.conn(), actor, id, now)?;
    let known = known(tx.conn(), &defect.contract_id)?;
    policy::allow(actor, Action::HandleDefects, known.signed.of_supplier())?;
    expected.check(defect.revision)?;
    Ok((defect, known))
}

/// Sends a defect to the contractor, by the buyer's officer.
///
/// # Errors
/// In this order: permission; not found; a stale revision; a state in which it cannot be.
pub fn dispatch(
    tx: &mut Tx<'_>,
    actor: &Actor,
    of: (&DefectId, Expected),
    setting: Setting<'_>,
) -> Answer<Defect> {
    let (defect, known) = decided(tx, actor, of)?;
    call(tx, actor, &known, defect, setting)
}

/// Says that it is no defect, or none of this contract, by the buyer's officer.
///
/// # Errors
/// In this order: permission; not found; a stale revision; a reason that is none; a state in which it cannot be.
pub fn reject(
    tx: &mut Tx<'_>,
    actor: &Actor,
    of: (&DefectId, Expected),
    reason: &str,
    setting: Setting<'_>,
) -> Answer<Defect> {
    let (defect, known) = decided(tx, actor, of)?;
    let reason = only_words("/reason", reason)?;
    let was_called = defect.state.is_called();
    let rejected = Defect {
        reason: Some(reason.clone()),
        ..defect.stepped(Step::Reject)?.closed(tx.now(), Decider::Officer)
    };
    store::advance(tx, &rejected)?;
    record(
        tx,
        actor,
        "defect.rejected",
        &rejected,
        json!({ "reason": reason }),
        Value::Null,
    )?;
    if was_called {
        tidings_defects::called_off(tx, &known, &rejected)?;
    }
    tidings_defects::to_reporters(tx, &rejected, setting)?;
    Ok(rejected)
}

/// Says that the contractor knows of it.
///
/// # Errors
/// In this order: permission; not found; a stale revision; a state in which it cannot be.
pub fn acknowledge(tx: &mut Tx<'_>, actor: &Actor, of: (&DefectId, Expected)) -> Answer<Defect> {
    let (defect, _) = handled(tx, actor, of)?;
    let acknowledged = defect.stepped(Step::Acknowledge)?;
    let round = Round {
        acknowledged_at: Some(tx.now().naive_utc()),
        ..present(tx.conn(), &acknowledged)?
    };
    store::answer(tx, &round)?;
    store::advance(tx, &acknowledged)?;
    let data = json!({ "round": acknowledged.round });
    record(tx, actor, "defect.acknowledged", &acknowledged, data, Value::Null)?;
    Ok(acknowledged)
}

/// Says that it is put right, with photos of it.
///
/// # Errors
/// In this order: permission; not found; a stale revision; a note that is none or no photo; a state in which it cannot be; those of attachments.
pub fn fix(
    tx: &mut Tx<'_>,
    actor: &Actor,
    of: (&DefectId, Expected),
    (note, evidence): (&str, &[AttachmentId]),
    setting: Setting<'_>,
) -> Answer<Defect> {
    let (defect, _) = handled(tx, actor, of)?;
    let mut form = Form::new();
    let note = words(&mut form, "/note", note);
    if !(1..=PHOTOS_MAX).contains(&evidence.len()) {
        form.object(
            "/evidence",
            text!("应附 1 至 {PHOTOS_MAX} 张照片", "has 1 to {PHOTOS_MAX} photos"),
        );
    }
    form.finish(())?;
    let now = tx.now();
    let fixed = Defect {
        silent_at: Some(silent_at(now, days(setting.calendar))),
        ..defect.stepped(Step::Fix)?
    };
    let before = present(tx.conn(), &fixed)?;
    let round = Round {
        acknowledged_at: before.acknowledged_at.or(Some(now.naive_utc())),
        fixed_at: Some(now.naive_utc()),
        note: Some(note.clone()),
        ..before
    };
    for (at, photo) in evidence.iter().enumerate() {
        let to = Use {
            matter_kind: DefectId::PREFIX,
            matter_id: fixed.id.as_str(),
            visibility: Visibility::Public,
            types: &PHOTO_TYPES,
            pointer: &format!("/evidence/{at}"),
        };
        files::acts::attach(tx, actor, photo, to)?;
    }
    store::answer(tx, &round)?;
    store::advance(tx, &fixed)?;
    let data = json!({ "round": fixed.round, "evidence": evidence, "is_late": fixed.due_at.is_some_and(|due| due < now) });
    record(tx, actor, "defect.fixed", &fixed, data, json!({ "note": note }))?;
    tidings_defects::to_reporters(tx, &fixed, setting)?;
    Ok(fixed)
}

/// As whom the actor speaks about a defect: as a reporter by the link of a report, else as the buyer's officer, else as whoever has reported it.
fn speaker(
    tx: &mut Tx<'_>,
    actor: &Actor,
    defect: &Defect,
    known: &Known,
    link: Option<&DefectReportId>,
) -> Answer<Speaker> {
    if let Some(id) = link {
        let report = store_defect_reports::report(tx.conn(), id)?;
        let own = report.filter(|report| report.defect_id == defect.id);
        return Ok(Speaker::Reporter(own.ok_or_else(|| NOT_FOUND.refuse())?));
    }
    let matter = known.signed.of_buyer();
    if policy::allows(actor, Action::DecideDefects, matter) {
        return Ok(Speaker::Officer);
    }
    if let Some(report) = own_report(tx, actor, defect)? {
        return Ok(Speaker::Reporter(report));
    }
    policy::allow(actor, Action::DecideDefects, matter)?;
    Err(NOT_FOUND.refuse().into())
}

/// The first report of the actor's about a defect.
fn own_report(tx: &mut Tx<'_>, actor: &Actor, defect: &Defect) -> Answer<Option<DefectReport>> {
    let Some(account) = actor.id() else {
        return Ok(None);
    };
    let reports = store_defect_reports::of_defects(tx.conn(), &[&defect.id])?;
    Ok(reports
        .into_iter()
        .find(|report| report.account_id.as_deref() == Some(account)))
}

/// The defect that somebody speaks about, and as whom. A link opens what it is of, whether everybody may see that or not.
fn spoken_of(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, link): (&DefectId, Option<&DefectReportId>),
    expected: Expected,
) -> Answer<(Defect, Known, Speaker)> {
    policy::allow_at_all(actor, Action::FollowDefect)?;
    let now = tx.now();
    let defect = match link {
        Some(_) => store::defect(tx.conn(), id)?
            .ok_or_else(|| NOT_FOUND.refuse())?
            .as_of(now),
        None => seen(tx.conn(), actor, id, now)?.defect,
    };
    let known = known(tx.conn(), &defect.contract_id)?;
    let speaker = speaker(tx, actor, &defect, &known, link)?;
    expected.check(defect.revision)?;
    Ok((defect, known, speaker))
}

/// Who is recorded to have spoken: whoever has an account, else the service on behalf of whoever has the link.
fn recorded(actor: &Actor) -> Actor {
    match actor.id() {
        Some(_) => actor.clone(),
        None => Actor::system(),
    }
}

/// When the present fix was made.
fn fixed_at(conn: &mut Conn, defect: &Defect) -> Answer<Instant> {
    let round = present(conn, defect)?;
    let fixed = round.fixed_at.map(|at| at.and_utc());
    Ok(fixed.ok_or_else(|| Fault::broken(format!("{} was not fixed", defect.id)))?)
}

/// How a reporter stands to a defect that is fixed.
fn standing(
    conn: &mut Conn,
    defect: &Defect,
    speaker: &Speaker,
    setting: Setting<'_>,
) -> Answer<Option<Standing>> {
    let Speaker::Reporter(report) = speaker else {
        return Ok(None);
    };
    let until = heard_until(fixed_at(conn, defect)?, days(setting.calendar));
    Ok(Some(Standing {
        is_first: report.number == 1,
        until,
    }))
}

/// Says that it is put right: by whoever has reported it first, for some days, or by the buyer's officer.
///
/// # Errors
/// In this order: not found; permission; a stale revision; a state in which it cannot be; those of [`reporter_confirms`].
pub fn confirm(
    tx: &mut Tx<'_>,
    actor: &Actor,
    of: (&DefectId, Option<&DefectReportId>),
    expected: Expected,
    setting: Setting<'_>,
) -> Answer<Defect> {
    let (defect, _, speaker) = spoken_of(tx, actor, of, expected)?;
    let now = tx.now();
    let confirmed = defect.clone().stepped(Step::Confirm)?;
    if let Some(standing) = standing(tx.conn(), &defect, &speaker, setting)? {
        reporter_confirms(standing, now)?;
    }
    let by = speaker.decider();
    let confirmed = confirmed.closed(now, by);
    store::advance(tx, &confirmed)?;
    let data = json!({ "round": confirmed.round, "by": by.name() });
    record(
        tx,
        &recorded(actor),
        "defect.confirmed",
        &confirmed,
        data,
        Value::Null,
    )?;
    tidings_defects::to_reporters(tx, &confirmed, setting)?;
    Ok(confirmed)
}

/// Writes down that silence has confirmed a defect, if it has.
///
/// # Errors
/// A fault of the database.
pub fn settle(tx: &mut Tx<'_>, defect: Defect, setting: Setting<'_>) -> Answer<Defect> {
    let stored = defect.state;
    let now = tx.now();
    let settled = defect.as_of(now);
    if settled.state == stored {
        return Ok(settled);
    }
    let settled = Defect {
        revision: settled.revision.saturating_add(1),
        due_at: None,
        ..settled
    };
    store::advance(tx, &settled)?;
    let data = json!({ "round": settled.round, "by": Decider::Silence.name(), "since": settled.closed.map(|closed| closed.at) });
    record(
        tx,
        &Actor::system(),
        "defect.confirmed",
        &settled,
        data,
        Value::Null,
    )?;
    tidings_defects::to_reporters(tx, &settled, setting)?;
    Ok(settled)
}

/// Says that it is not put right: by whoever has reported it, for some days and some times, or by the buyer's officer. The contractor is called anew.
///
/// # Errors
/// In this order: not found; permission; a stale revision; a reason that is none; a state in which it cannot be; those of [`may_reopen`].
pub fn reopen(
    tx: &mut Tx<'_>,
    actor: &Actor,
    of: (&DefectId, Option<&DefectReportId>),
    (expected, reason): (Expected, &str),
    setting: Setting<'_>,
) -> Answer<Defect> {
    let (defect, known, speaker) = spoken_of(tx, actor, of, expected)?;
    let reason = only_words("/reason", reason)?;
    let reopened = defect.clone().stepped(Step::Reopen)?;
    let standing = standing(tx.conn(), &defect, &speaker, setting)?;
    may_reopen(defect.round, standing, tx.now())?;
    let by = speaker.decider();
    let before = Round {
        reopened_at: Some(tx.now().naive_utc()),
        reopened_by: Some(by.name().to_owned()),
        reason: Some(reason.clone()),
        ..present(tx.conn(), &defect)?
    };
    store::answer(tx, &before)?;
    let reopened = run(tx, &known, reopened, setting)?;
    let data = json!({ "round": reopened.round, "by": by.name(), "due_at": reopened.due_at });
    record(
        tx,
        &recorded(actor),
        "defect.reopened",
        &reopened,
        data,
        json!({ "reason": reason }),
    )?;
    tidings_defects::called(tx, &known, &reopened)?;
    Ok(reopened)
}

/// Takes a report back that nobody else has made, before the contractor has begun.
///
/// # Errors
/// In this order: not found; permission; a stale revision; a state in which it cannot be; [`SHARED`](super::rules_defects::SHARED).
pub fn withdraw(
    tx: &mut Tx<'_>,
    actor: &Actor,
    of: (&DefectId, Option<&DefectReportId>),
    expected: Expected,
) -> Answer<Defect> {
    let (defect, known, speaker) = spoken_of(tx, actor, of, expected)?;
    let own = match speaker {
        Speaker::Reporter(report) => Some(report),
        Speaker::Officer => own_report(tx, actor, &defect)?,
    };
    if own.is_none() {
        return Err(policy::FORBIDDEN.refuse().into());
    }
    let was_called = defect.state == State::Dispatched;
    let withdrawn = defect.stepped(Step::Withdraw)?;
    if withdrawn.reports_count > 1 {
        return Err(crate::contracts::rules_defects::SHARED.refuse().into());
    }
    let withdrawn = withdrawn.closed(tx.now(), Decider::Reporter);
    store::advance(tx, &withdrawn)?;
    record(
        tx,
        &recorded(actor),
        "defect.withdrawn",
        &withdrawn,
        json!({}),
        Value::Null,
    )?;
    if was_called {
        tidings_defects::called_off(tx, &known, &withdrawn)?;
    }
    Ok(withdrawn)
}

pub(super) fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    defect: &Defect,
    data: Value,
    private: Value,
) -> Answer<()> {
    let of = json!({ "contract_id": defect.contract_id, "place_id": defect.place_id, "category": defect.category.code });
    let event = Event {
        kind,
        subject: defect.id.to_string(),
        data: joined(data, of),
        private,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
