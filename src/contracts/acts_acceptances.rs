//! What is done to accept a period: handed over by the contractor, a certificate drafted by the buyer's officer, signed by an approver who neither handled the
//! contract nor drafted the certificate. Each function is one transaction's worth of work, permission first, event last.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit;
use crate::audit::entry::Event;
use crate::award::desk as awards;
use crate::contracts::acts_periods;
use crate::contracts::desk::{self, Signed as Contracted, acting};
use crate::contracts::desk_acceptances::{Prefilled, Seen, acceptable, demands, prefilled, seen};
use crate::contracts::rules::ContractId;
use crate::contracts::rules_acceptance_findings::{Checked, Entered, checked, is_overtaken, unsettled};
use crate::contracts::rules_acceptances::{
    self as rules, Acceptance, AcceptanceId, Beginning, Begun, Entry, HandOver, Inspecting, NOT_DRAFTED,
    OVERTAKEN, OWN_WORK, Signed,
};
use crate::contracts::rules_acceptances_document::{AcceptanceDocument, FORMAT};
use crate::contracts::rules_periods::{Period, Span};
use crate::contracts::store_acceptances::{self as store, Draft};
use crate::contracts::tidings_acceptances as tidings;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::files::acts as files;
use crate::files::media::MediaType;
use crate::files::rules::{AttachmentId, Use, Visibility};
use crate::kernel::clock::{Instant, rfc3339};
use crate::kernel::local_day::local_date;
use crate::kernel::refusal::Answer;
use crate::registry::acts_organisations::capacity;
use crate::statutes::codes::{
    ACCEPTANCE_INSPECTION_WORKING_DAYS_MAX, ACCEPTANCE_OBJECTION_WORKING_DAYS_MAX,
    PAYMENT_SILENT_INSPECTION_ACCEPTS,
};
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action};

/// What they may be.
const TYPES: &[MediaType] = &[MediaType::Pdf, MediaType::Png, MediaType::Jpeg, MediaType::Webp];

/// Refuses for whoever acts for the contractor, in whatever capacity they would do it.
///
/// # Errors
/// [`OWN_WORK`].
pub(super) fn not_own_work(actor: &Actor, signed: &Contracted) -> Answer<()> {
    let supplier = &signed.contract.supplier_id;
    let mut grants = actor.grants().iter();
    if grants.any(|grant| grant.organisation.as_ref() == Some(supplier)) {
        return Err(OWN_WORK.refuse().into());
    }
    Ok(())
}

/// The time for inspection that begins at an instant: so many working days, the day itself not counted.
///
/// # Errors
/// A rule that is not set; a calendar that does not reach so far.
pub(super) fn inspecting(signed: &Contracted, calendar: &WardCalendar, now: Instant) -> Answer<Inspecting> {
    let days = awards::days(calendar);
    let allowed = signed.profile.rule(ACCEPTANCE_INSPECTION_WORKING_DAYS_MAX)?.0;
    let until = days.working(days.day(now), allowed)?;
    let silent_at = if signed.profile.rule(PAYMENT_SILENT_INSPECTION_ACCEPTS)? {
        Some(days.over(until)?)
    } else {
        None
    };
    Ok(Inspecting { until, silent_at })
}

/// Hangs files on an acceptance, for its parties and auditors.
///
/// # Errors
/// Those of hanging files.
pub(super) fn hang(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &AcceptanceId,
    attachments: &[AttachmentId],
) -> Answer<()> {
    for (index, attachment) in attachments.iter().enumerate() {
        let pointer = format!("/attachment_ids/{index}");
        let to = Use {
            matter_kind: AcceptanceId::PREFIX,
            matter_id: id.as_str(),
            visibility: Visibility::Matter,
            types: TYPES,
            pointer: &pointer,
        };
        files::attach(tx, actor, attachment, to)?;
    }
    Ok(())
}

fn begun(signed: &Contracted, period: &Period, served: Span, now: Instant) -> Begun {
    Begun {
        id: AcceptanceId::mint(now),
        contract_id: signed.contract.id.clone(),
        period: period.number,
        served,
    }
}

/// Hands a period over as the contractor: the time for inspection begins.
///
/// # Errors
/// In this order: permission; not found; those of [`rules::acceptable`]; words that are none; those of [`rules::entry`]; a rule that is not set; a calendar
/// that does not reach so far; those of [`rules::handed_over`]; those of hanging the files.
pub fn hand_over(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, number): (&ContractId, i64),
    (words, attachments): (&str, &[AttachmentId]),
    calendar: &WardCalendar,
) -> Answer<Seen> {
    policy::allow_at_all(actor, Action::HandOverPeriod)?;
    let (signed, period) = acts_periods::period(tx.conn(), id, number)?;
    policy::allow(actor, Action::HandOverPeriod, signed.of_supplier())?;
    let now = tx.now();
    let served = acceptable(&signed, &period, (calendar, now))?;
    let words = rules::words("/hand_over", words)?;
    let entry = rules::entry(store::last(tx.conn(), id, number)?, now)?;
    let inspecting = inspecting(&signed, calendar, now)?;
    let done = HandOver {
        words,
        by: acting(actor)?,
        at: now,
    };
    let acceptance = match entry {
        Entry::Open(open) => {
            let acceptance = rules::handed_over(*open, done, inspecting)?;
            store::advance(tx, &acceptance)?;
            acceptance
        }
        Entry::Next(round) => {
            let begun = begun(&signed, &period, served, now).round(round, Beginning::HandOver, now);
            let acceptance = Acceptance {
                hand_over: Some(done),
                inspecting: Some(inspecting),
                ..begun
            };
            store::insert(tx, &acceptance)?;
            acceptance
        }
    };
    hang(tx, actor, &acceptance.id, attachments)?;
    let data = json!({
        "inspect_until": inspecting.until, "silent_at": inspecting.silent_at.map(rfc3339),
    });
    let private = json!({ "hand_over": acceptance.hand_over.as_ref().map(|done| &done.words) });
    record(tx, actor, "acceptance.handed_over", &acceptance, (data, private))?;
    tidings::handed_over(tx, &signed, &acceptance)?;
    Ok(Seen { signed, acceptance })
}

/// Drafts a certificate as the buyer's officer. Where nothing was handed over it begins the round; another draft takes the place of the one before.
///
/// # Errors
/// In this order: permission; not found; [`OWN_WORK`]; those of [`rules::acceptable`]; those of [`rules::may_begin`] and [`rules::entry`]; a rule that is not set; those of
/// [`checked`]; those of [`rules::drafted`]; separation of duties.
pub fn draft(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, number): (&ContractId, i64),
    entered: Entered,
    calendar: &WardCalendar,
) -> Answer<Seen> {
    policy::allow_at_all(actor, Action::DraftAcceptance)?;
    let signed = desk::signed(tx.conn(), id)?;
    policy::allow(actor, Action::DraftAcceptance, signed.of_buyer())?;
    let (signed, period) = acts_periods::period(tx.conn(), id, number)?;
    not_own_work(actor, &signed)?;
    let now = tx.now();
    let served = acceptable(&signed, &period, (calendar, now))?;
    let last = store::last(tx.conn(), id, number)?;
    rules::may_begin(last.as_ref(), now, local_date(now, calendar.zone))?;
    let entry = rules::entry(last, now)?;
    let found = prefilled(tx.conn(), id, number, (calendar, now))?;
    let demands = demands(&signed.profile)?;
    let said = checked(entered, &found.bases, found.rating.clone(), demands)?;
    let acceptance = match entry {
        Entry::Open(open) => {
            let acceptance = rules::drafted(*open)?;
            store::advance(tx, &acceptance)?;
            acceptance
        }
        Entry::Next(round) => {
            let begun = begun(&signed, &period, served, now).round(round, Beginning::Buyer, now);
            let acceptance = Acceptance { drafts: 1, ..begun };
            store::insert(tx, &acceptance)?;
            acceptance
        }
    };
    let capacity = capacity(actor, Action::DraftAcceptance, signed.of_buyer());
    duties::undertake(tx, actor, capacity, Duty::Draft, acceptance.id.as_str())?;
    let served_people = said.served.clone();
    let content = document(&signed, &acceptance, (said, found), now).written()?;
    let draft = Draft {
        acceptance_id: acceptance.id.clone(),
        number: acceptance.drafts,
        sha256: Sha256::digest(content.as_bytes()).into(),
        content,
        drafted_by: acting(actor)?,
        drafted_at: now,
    };
    store::insert_draft(tx, &draft, &served_people)?;
    let data = json!({ "draft": draft.number, "sha256": hex::encode(draft.sha256) });
    record(tx, actor, "acceptance.drafted", &acceptance, (data, Value::Null))?;
    tidings::drafted(tx, &signed, &acceptance)?;
    Ok(Seen { signed, acceptance })
}

fn document(
    signed: &Contracted,
    acceptance: &Acceptance,
    (said, found): (Checked, Prefilled),
    now: Instant,
) -> AcceptanceDocument {
    let (reason_zh, reason_en) = said.reason.map(|line| (line.zh, line.en)).unzip();
    let handed_over = acceptance.hand_over.as_ref();
    AcceptanceDocument {
        format: FORMAT.to_owned(),
        acceptance_id: acceptance.id.clone(),
        contract_id: acceptance.contract_id.clone(),
        contract_sha256: hex::encode(signed.contract.sha256),
        standard_version_id: signed.document.lot.standard_version_id.clone(),
        period: acceptance.period,
        first_day: acceptance.served.first,
        last_day: acceptance.served.last,
        round: acceptance.round,
        draft: acceptance.drafts,
        handed_over_at: handed_over.map(|done| rfc3339(done.at)),
        findings: said.findings,
        unsettled: unsettled(&found.scores),
        scores: found.scores,
        score: found.score,
        grade: found.grade,
        opinion: said.opinion,
        conclusion: said.conclusion,
        undisputed_percent: said.undisputed,
        reason_zh,
        reason_en,
        drafted_at: rfc3339(now),
    }
}

/// Signs the last draft for the buyer: an approver who neither handled the contract nor drafted the certificate.
///
/// # Errors
/// In this order: permission; not found; a stale revision; [`OWN_WORK`]; those of [`rules::may_sign`]; [`OVERTAKEN`]; a rule that is not set; a calendar that
/// does not reach so far; separation of duties.
pub fn sign(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&AcceptanceId, Expected),
    sha256: &str,
    calendar: &WardCalendar,
) -> Answer<Seen> {
    policy::allow_at_all(actor, Action::SignAcceptance)?;
    let Seen { signed, acceptance } = seen(tx.conn(), id)?;
    policy::allow(actor, Action::SignAcceptance, signed.of_buyer())?;
    expected.check(acceptance.revision)?;
    not_own_work(actor, &signed)?;
    let now = tx.now();
    let draft = store::draft(tx.conn(), id, acceptance.drafts)?;
    rules::may_sign(
        &acceptance,
        draft.as_ref().map(|draft| &draft.sha256),
        sha256,
        now,
    )?;
    let draft = draft.ok_or_else(|| NOT_DRAFTED.refuse())?;
    let said = AcceptanceDocument::stored(&draft.content)?;
    let (contract, period) = (&acceptance.contract_id, acceptance.period);
    let found = prefilled(tx.conn(), contract, period, (calendar, now))?;
    let handed_over_at = acceptance.hand_over.as_ref().map(|done| rfc3339(done.at));
    if is_overtaken(&said, &found.bases, &found.scores) || said.handed_over_at != handed_over_at {
        return Err(OVERTAKEN.refuse().into());
    }
    let days = awards::days(calendar);
    let allowed = signed.profile.rule(ACCEPTANCE_OBJECTION_WORKING_DAYS_MAX)?.0;
    let signature = Signed {
        conclusion: said.conclusion,
        undisputed: said.undisputed_percent,
        score: said.score,
        grade: said.grade.map(|grade| grade.code),
        sha256: draft.sha256,
        by: acting(actor)?,
        at: now,
        object_until: days.working(days.day(now), allowed)?,
    };
    // Apart from whoever handled the contract on the one, from its drafter and its payer on the other.
    let capacity = capacity(actor, Action::SignAcceptance, signed.of_buyer());
    duties::undertake(tx, actor, capacity, Duty::Accept, id.as_str())?;
    duties::undertake(tx, actor, capacity, Duty::Accept, contract.as_str())?;
    let acceptance = rules::signed(acceptance, signature);
    store::advance(tx, &acceptance)?;
    let data = json!({
        "sha256": hex::encode(draft.sha256), "conclusion": said.conclusion, "undisputed_percent": said.undisputed_percent,
        "score": said.score, "grade": acceptance.signed.as_ref().and_then(|signed| signed.grade.as_ref()),
        "object_until": acceptance.signed.as_ref().map(|signed| signed.object_until),
    });
    record(tx, actor, "acceptance.signed", &acceptance, (data, Value::Null))?;
    tidings::signed(tx, &signed, &acceptance)?;
    Ok(Seen { signed, acceptance })
}

pub(super) fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    one: &Acceptance,
    (data, private): (Value, Value),
) -> Answer<()> {
    let of = json!({ "contract_id": one.contract_id, "period": one.period, "round": one.round });
    let event = Event {
        kind,
        subject: one.id.to_string(),
        data: awards::joined(data, of),
        private,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
