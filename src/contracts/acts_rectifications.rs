//! What is done to rectifications: issued by the buyer's officer, acknowledged and reported done by the contractor, decided by another person of the
//! buyer. Each function is one transaction's worth of work, permission first, event last.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::award::desk as awards;
use crate::award::rules_awards::reason as checked;
use crate::contracts::desk::{self, Signed, acting};
use crate::contracts::rules::ContractId;
use crate::contracts::rules_rectifications::{
    self as rules, Cause, Deadline, Entered, RECTIFICATIONS_MAX, Rectification, RectificationId, Round,
    State, TOO_MANY,
};
use crate::contracts::{store_rectifications as store, tidings_changes as tidings};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::files::access::Access;
use crate::files::acts as files;
use crate::files::media::MediaType;
use crate::files::rules::{AttachmentId, Use, Visibility};
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::Answer;
use crate::registry::acts_organisations::capacity;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action};
use crate::web::problem::NOT_FOUND;

/// Types of files that a notice or a report may carry.
const TYPES: &[MediaType] = &[MediaType::Pdf, MediaType::Png, MediaType::Jpeg];

/// What is to be put right, and until when.
#[derive(Clone, Debug)]
pub struct Issuing {
    /// What the notice says.
    pub entered: Entered,
    /// An instant, or a number of working days.
    pub deadline: (Option<Instant>, Option<u32>),
    /// Files that show what is wrong.
    pub attachments: Vec<AttachmentId>,
}

/// A rectification and its contract. Signed contracts and how they are kept are public.
///
/// # Errors
/// Not found; a fault of the database.
pub fn seen(conn: &mut Conn, id: &RectificationId) -> Answer<(Rectification, Signed)> {
    let found = store::rectification(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let signed = desk::signed(conn, &found.contract_id)?;
    Ok((found, signed))
}

/// Until when the contractor's lateness counts: until now, or until a terminated contract's last day is over.
///
/// # Errors
/// A calendar that does not reach so far.
pub fn counted_until(signed: &Signed, calendar: &WardCalendar, now: Instant) -> Answer<Instant> {
    match signed.contract.since.terminated_on {
        Some(last) => Ok(awards::days(calendar).over(last)?.min(now)),
        None => Ok(now),
    }
}

fn due(deadline: Deadline, calendar: &WardCalendar, now: Instant) -> Answer<Instant> {
    match deadline {
        Deadline::At(at) => Ok(at),
        Deadline::WorkingDays(count) => {
            let days = awards::days(calendar);
            Ok(days.over(days.working(days.day(now), count)?)?)
        }
    }
}

/// Issues a notice.
///
/// # Errors
/// In this order: permission; not found; those of [`Signed::may_go_on`]; those of [`rules::entered`]; those of [`rules::deadline`]; a calendar that does
/// not reach so far; [`TOO_MANY`]; separation of duties; those of hanging the files.
pub fn issue(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ContractId,
    issuing: &Issuing,
    calendar: &WardCalendar,
) -> Answer<(Rectification, Signed)> {
    policy::allow_at_all(actor, Action::IssueRectification)?;
    let signed = desk::signed(tx.conn(), id)?;
    desk::allow_for_buyer(actor, Action::IssueRectification, &signed.contract)?;
    let issued = issued(tx, actor, (&signed, Cause::Notice), issuing, calendar)?;
    Ok((issued, signed))
}

/// Issues a notice for a cause, whose act has asked for permission.
pub(super) fn issued(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (signed, cause): (&Signed, Cause),
    issuing: &Issuing,
    calendar: &WardCalendar,
) -> Answer<Rectification> {
    let now = tx.now();
    signed.may_go_on(local_date(now, calendar.zone))?;
    let indicators = signed.indicators(tx.conn())?.indicators;
    let known: Vec<String> = indicators.into_iter().map(|one| one.code).collect();
    let entered = rules::entered(issuing.entered.clone(), &known)?;
    let due_at = due(rules::deadline(issuing.deadline, now)?, calendar, now)?;
    let before = store::count(tx.conn(), &signed.contract.id)?;
    if before >= RECTIFICATIONS_MAX {
        return Err(TOO_MANY.refuse().into());
    }
    let one = Rectification {
        id: RectificationId::mint(now),
        contract_id: signed.contract.id.clone(),
        number: before.saturating_add(1),
        entered,
        cause,
        state: State::Issued,
        issued_by: acting(actor)?,
        issued_at: now,
        acknowledged: None,
        rounds: vec![Round {
            number: 1,
            due_at,
            report: None,
            decided: None,
        }],
        closed_at: None,
        withdrawal: None,
        revision: 1,
    };
    let capacity = capacity(actor, Action::IssueRectification, signed.of_buyer());
    duties::undertake(tx, actor, capacity, Duty::Handle, one.id.as_str())?;
    store::insert(tx, &one)?;
    hang(tx, actor, &one, &issuing.attachments)?;
    let data = json!({
        "cause": cause.name(), "indicators": one.entered.indicators, "matters": one.entered.matters,
        "due_at": rfc3339(due_at),
    });
    let private = json!({ "wrong_zh": one.entered.wrong.zh, "wrong_en": one.entered.wrong.en });
    record(tx, actor, "rectification.issued", &one, (data, private))?;
    tidings::rectification_issued(tx, signed, &one)?;
    Ok(one)
}

fn hang(tx: &mut Tx<'_>, actor: &Actor, one: &Rectification, attachments: &[AttachmentId]) -> Answer<()> {
    for (index, id) in attachments.iter().enumerate() {
        let pointer = format!("/attachment_ids/{index}");
        let to = Use {
            matter_kind: RectificationId::PREFIX,
            matter_id: one.id.as_str(),
            visibility: Visibility::Matter,
            types: TYPES,
            pointer: &pointer,
        };
        files::attach(tx, actor, id, to)?;
    }
    Ok(())
}

fn of_supplier(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&RectificationId, Expected),
) -> Answer<(Rectification, Signed)> {
    policy::allow_at_all(actor, Action::AnswerRectification)?;
    let (before, signed) = seen(tx.conn(), id)?;
    policy::allow(actor, Action::AnswerRectification, signed.of_supplier())?;
    expected.check(before.revision)?;
    Ok((before, signed))
}

/// Acknowledges a notice as the contractor.
///
/// # Errors
/// In this order: permission; not found; a stale revision; those of [`rules::acknowledge`].
pub fn acknowledge(
    tx: &mut Tx<'_>,
    actor: &Actor,
    about: (&RectificationId, Expected),
) -> Answer<(Rectification, Signed)> {
    let (before, signed) = of_supplier(tx, actor, about)?;
    let one = rules::acknowledge(before.clone(), (acting(actor)?, tx.now()))?;
    store::advance(tx, &before, &one)?;
    record(
        tx,
        actor,
        "rectification.acknowledged",
        &one,
        (json!({}), Value::Null),
    )?;
    Ok((one, signed))
}

/// Reports as the contractor that it is put right, with what shows that.
///
/// # Errors
/// In this order: permission; not found; a stale revision; those of [`rules::report`]; those of hanging the files.
pub fn report(
    tx: &mut Tx<'_>,
    actor: &Actor,
    about: (&RectificationId, Expected),
    (words, attachments): (&str, &[AttachmentId]),
) -> Answer<(Rectification, Signed)> {
    let (before, signed) = of_supplier(tx, actor, about)?;
    let one = rules::report(before.clone(), words, (acting(actor)?, tx.now()))?;
    store::advance(tx, &before, &one)?;
    hang(tx, actor, &one, attachments)?;
    let private = json!({ "report": words });
    record(tx, actor, "rectification.reported", &one, (json!({}), private))?;
    tidings::rectification_reported(tx, &signed, &one)?;
    Ok((one, signed))
}

/// What the buyer decides about a report.
#[derive(Clone, Debug)]
pub struct Deciding {
    /// Whether it is put right.
    pub is_accepted: bool,
    /// Why, or what is still wrong, in Chinese.
    pub decision_zh: String,
    /// In English.
    pub decision_en: String,
    /// The further deadline of one that is refused.
    pub deadline: (Option<Instant>, Option<u32>),
}

fn of_buyer(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&RectificationId, Expected),
) -> Answer<(Rectification, Signed)> {
    policy::allow_at_all(actor, Action::DecideRectification)?;
    let (before, signed) = seen(tx.conn(), id)?;
    desk::allow_for_buyer(actor, Action::DecideRectification, &signed.contract)?;
    expected.check(before.revision)?;
    Ok((before, signed))
}

/// Decides about a report: another person of the buyer than who has issued the notice.
///
/// # Errors
/// In this order: permission; not found; a stale revision; those of [`rules::deadline`], of one that is refused; a calendar that does not reach so
/// far; those of [`rules::decide`]; separation of duties.
pub fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    about: (&RectificationId, Expected),
    deciding: &Deciding,
    calendar: &WardCalendar,
) -> Answer<(Rectification, Signed)> {
    let (before, signed) = of_buyer(tx, actor, about)?;
    let now = tx.now();
    let due_at = if deciding.is_accepted {
        None
    } else {
        Some(due(rules::deadline(deciding.deadline, now)?, calendar, now)?)
    };
    let words = (deciding.decision_zh.as_str(), deciding.decision_en.as_str());
    let one = rules::decide(before.clone(), (words, due_at), (acting(actor)?, now))?;
    let capacity = capacity(actor, Action::DecideRectification, signed.of_buyer());
    duties::undertake(tx, actor, capacity, Duty::Accept, one.id.as_str())?;
    store::advance(tx, &before, &one)?;
    let kind = if deciding.is_accepted {
        "rectification.accepted"
    } else {
        "rectification.refused"
    };
    let until = counted_until(&signed, calendar, now)?;
    let data = json!({ "due_at": due_at.map(rfc3339), "late_days": one.late_days(until, calendar.zone) });
    let private = json!({ "decision_zh": words.0, "decision_en": words.1 });
    record(tx, actor, kind, &one, (data, private))?;
    tidings::rectification_decided(tx, &signed, &one)?;
    Ok((one, signed))
}

/// Takes a notice back.
///
/// # Errors
/// In this order: permission; not found; a stale revision; a reason that is none; a state in which it cannot be; separation of duties.
pub fn withdraw(
    tx: &mut Tx<'_>,
    actor: &Actor,
    about: (&RectificationId, Expected),
    reason: (&str, &str),
) -> Answer<(Rectification, Signed)> {
    let (before, signed) = of_buyer(tx, actor, about)?;
    let reason = checked(reason)?;
    let one = rules::withdraw(before.clone(), reason, tx.now())?;
    // Who issues a notice does not let the contractor off alone.
    let capacity = capacity(actor, Action::DecideRectification, signed.of_buyer());
    duties::undertake(tx, actor, capacity, Duty::Accept, one.id.as_str())?;
    store::advance(tx, &before, &one)?;
    let words = one.withdrawal.as_ref();
    let data = json!({
        "reason_zh": words.map(|line| &line.zh), "reason_en": words.map(|line| &line.en),
    });
    record(tx, actor, "rectification.withdrawn", &one, (data, Value::Null))?;
    tidings::rectification_decided(tx, &signed, &one)?;
    Ok((one, signed))
}

/// Who may read what hangs on a rectification: the parties of its contract, and auditors.
pub struct RectificationAccess;

impl Access for RectificationAccess {
    fn matter_kind(&self) -> &'static str {
        RectificationId::PREFIX
    }

    fn may_read(&self, conn: &mut Conn, actor: &Actor, matter_id: &str) -> Answer<bool> {
        let Ok(id) = matter_id.parse::<RectificationId>() else {
            return Ok(false);
        };
        let Some(one) = store::rectification(conn, &id)? else {
            return Ok(false);
        };
        Ok(desk::signed(conn, &one.contract_id)?.is_insider(actor))
    }
}

fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    one: &Rectification,
    (data, private): (Value, Value),
) -> Answer<()> {
    let of = json!({ "contract_id": one.contract_id, "number": one.number });
    let event = Event {
        kind,
        subject: one.id.to_string(),
        data: awards::joined(data, of),
        private,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
