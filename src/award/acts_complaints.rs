//! Complaints to the regulator: each function is one transaction's worth of work, permission first, event last. What is decided is public, with
//! its reasons; what the parties said is theirs, the regulator's and the auditors'.

use serde_json::{Value, json};

use crate::award::acts_challenges::{
    account_of, may_read, record, reply_due, seen as seen_challenge, winner_of,
};
use crate::award::acts_endings::unsuccessful;
use crate::award::acts_successions::end;
use crate::award::desk::{self, Known, days, joined};
use crate::award::rules_awards::{End, State as AwardState};
use crate::award::rules_challenges::{Challenge, ChallengeId};
use crate::award::rules_complaints::{
    self as rules, Complaint, ComplaintId, Consequence, Entered, Listing, ListingId, Outcome, State,
    Suspension, Window,
};
use crate::award::rules_endings::Cause;
use crate::award::{store_awards, store_complaints as store, store_endings, tidings};
use crate::books::rules::State as BookState;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::rules_text::Form;
use crate::standards::rules_indicators::Line;
use crate::statutes::codes::{
    DISPUTES_COMPLAINT_BEYOND_CHALLENGE_ALLOWED, DISPUTES_COMPLAINT_DECISION_WORKING_DAYS_MAX,
    DISPUTES_COMPLAINT_FILING_WORKING_DAYS_MAX, DISPUTES_SUSPENSION_DAYS_MAX,
    DISPUTES_UNFOUNDED_COMPLAINTS_LISTED, DISPUTES_UNFOUNDED_COMPLAINTS_MONTHS,
};
use crate::text;
use crate::web::actor::Actor;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// When one may complain of a challenge.
///
/// # Errors
/// A rule that is not set; a calendar that does not reach so far.
pub fn window(challenge: &Challenge, known: &Known, calendar: &WardCalendar) -> Answer<Window> {
    let due = reply_due(challenge, known, calendar)?;
    let filing = known.profile.rule(DISPUTES_COMPLAINT_FILING_WORKING_DAYS_MAX)?.0;
    let days = days(calendar);
    Ok(Window {
        reply_due: days.over(due)?,
        until: days.over(days.working(due, filing)?)?,
    })
}

/// Complains to the regulator of a challenge that was not replied to, or not to the challenger's content.
///
/// # Errors
/// In this order: permission; not found; those of [`rules::entered`]; a calendar that does not reach so far; those of [`rules::may_complain`].
pub fn file(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ChallengeId,
    said: &Entered,
    calendar: &WardCalendar,
) -> Answer<(Complaint, Known)> {
    policy::allow_at_all(actor, Action::FileComplaint)?;
    let (challenge, known) = seen_challenge(tx.conn(), actor, id)?;
    let matter = Matter::of_organisation(&challenge.supplier_id);
    policy::allow(actor, Action::FileComplaint, matter)?;
    let may_go_beyond = known.profile.rule(DISPUTES_COMPLAINT_BEYOND_CHALLENGE_ALLOWED)?;
    let content = rules::entered(said, &challenge, may_go_beyond)?;
    let window = window(&challenge, &known, calendar)?;
    let has_before = store::of_challenge(tx.conn(), id)?.is_some();
    rules::may_complain(&challenge, window, has_before, tx.now())?;
    let complaint = Complaint {
        id: ComplaintId::mint(tx.now()),
        challenge_id: challenge.id,
        award_id: challenge.award_id,
        lot_id: challenge.lot_id,
        book_id: challenge.book_id,
        supplier_id: challenge.supplier_id,
        filed_by: account_of(actor)?,
        filed_at: tx.now(),
        content,
        state: State::Filed,
        accepted_at: None,
        refusal: None,
        decision: None,
        closed_at: None,
        revision: 1,
    };
    store::insert(tx, &complaint)?;
    let private = json!({
        "supplier_id": complaint.supplier_id, "grounds": complaint.content.grounds,
        "statement": complaint.content.statement, "further": complaint.content.further,
    });
    told(tx, actor, "complaint.filed", &complaint, (json!({}), private))?;
    tidings::complained(tx, &known, &complaint)?;
    Ok((complaint, known))
}

fn told(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    complaint: &Complaint,
    (data, private): (Value, Value),
) -> Answer<()> {
    let of = json!({ "award_id": complaint.award_id, "challenge_id": complaint.challenge_id });
    let about = (complaint.id.as_str(), &complaint.lot_id);
    record(tx, actor, kind, about, joined(data, of), private)
}

/// A complaint, and whether the actor may read what the parties said of it.
///
/// # Errors
/// Not found: until it is decided, to everybody but the parties, the regulator and auditors.
pub fn seen(conn: &mut Conn, actor: &Actor, id: &ComplaintId) -> Answer<(Complaint, Known, bool)> {
    let complaint = store::complaint(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let known = desk::known(conn, &complaint.lot_id)?;
    let winner = winner_of(conn, &complaint.award_id)?;
    let is_open = may_read(actor, &known, &[&complaint.supplier_id, &winner]);
    if is_open || complaint.state == State::Decided {
        Ok((complaint, known, is_open))
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

fn before_the_regulator(tx: &mut Tx<'_>, actor: &Actor, id: &ComplaintId) -> Answer<(Complaint, Known)> {
    policy::allow(actor, Action::HandleComplaint, Matter::default())?;
    let (complaint, known, _) = seen(tx.conn(), actor, id)?;
    Ok((complaint, known))
}

/// Takes a complaint up, and suspends the book for so many days if there are any.
///
/// # Errors
/// In this order: permission; not found; days that the rules do not allow; a state in which it cannot be; a calendar that does not reach so far.
pub fn accept(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ComplaintId,
    suspension_days: Option<u32>,
    calendar: &WardCalendar,
) -> Answer<(Complaint, Known)> {
    let (before, mut known) = before_the_regulator(tx, actor, id)?;
    let days_max = known.profile.rule(DISPUTES_SUSPENSION_DAYS_MAX)?.0;
    let mut form = Form::new();
    if suspension_days.is_some_and(|asked| !(1..=days_max).contains(&asked)) {
        form.object(
            "/suspension_days",
            text!(
                "应为 1 至 {days_max} 日（94号令第28条）",
                "must be 1 to {days_max} (94号令 art 28)"
            ),
        );
    }
    form.finish(())?;
    let now = tx.now();
    let accepted = rules::accept(before, now)?;
    store::advance(tx, &accepted)?;
    let mut until = None;
    if let Some(asked) = suspension_days {
        let days = days(calendar);
        let last = days
            .day(now)
            .checked_add_days(chrono::Days::new(u64::from(asked)));
        let last = last.ok_or_else(|| Fault::broken("a suspension beyond all dates"))?;
        let suspension = Suspension {
            complaint_id: accepted.id.clone(),
            book_id: accepted.book_id.clone(),
            from_at: now,
            until_at: days.over(last)?,
            lifted_at: None,
        };
        store::suspend(tx, &suspension)?;
        until = Some(crate::kernel::clock::rfc3339(suspension.until_at));
        known.suspensions.push(suspension);
    }
    let data = json!({ "suspended_until": until });
    told(tx, actor, "complaint.accepted", &accepted, (data, Value::Null))?;
    let words = ("投诉已受理", "a complaint was taken up");
    tidings::complaint_moved(tx, &known, &accepted, words)?;
    Ok((accepted, known))
}

/// Does not take a complaint up.
///
/// # Errors
/// In this order: permission; not found; those of [`rules::refuse`].
pub fn refuse(tx: &mut Tx<'_>, actor: &Actor, id: &ComplaintId, reason: &str) -> Answer<(Complaint, Known)> {
    let (before, known) = before_the_regulator(tx, actor, id)?;
    let refused = rules::refuse(before, reason, tx.now())?;
    store::advance(tx, &refused)?;
    let private = json!({ "reason": refused.refusal });
    told(tx, actor, "complaint.refused", &refused, (json!({}), private))?;
    let words = ("投诉不予受理", "a complaint was not taken up");
    tidings::complaint_moved(tx, &known, &refused, words)?;
    Ok((refused, known))
}

/// Withdraws a complaint; a suspension that runs because of it is over.
///
/// # Errors
/// In this order: permission; not found; those of [`rules::withdraw`].
pub fn withdraw(tx: &mut Tx<'_>, actor: &Actor, id: &ComplaintId) -> Answer<(Complaint, Known)> {
    policy::allow_at_all(actor, Action::FileComplaint)?;
    let (before, known, _) = seen(tx.conn(), actor, id)?;
    let matter = Matter::of_organisation(&before.supplier_id);
    policy::allow(actor, Action::FileComplaint, matter)?;
    let withdrawn = rules::withdraw(before, tx.now())?;
    store::advance(tx, &withdrawn)?;
    let known = lifted_with(tx, known, &withdrawn)?;
    told(
        tx,
        actor,
        "complaint.withdrawn",
        &withdrawn,
        (json!({}), Value::Null),
    )?;
    let words = ("投诉已撤回", "a complaint was withdrawn");
    tidings::complaint_moved(tx, &known, &withdrawn, words)?;
    Ok((withdrawn, known))
}

/// Lifts the suspension that runs because of a complaint.
///
/// # Errors
/// In this order: permission; not found; [`rules::NOT_SUSPENDED`].
pub fn lift(tx: &mut Tx<'_>, actor: &Actor, id: &ComplaintId) -> Answer<(Complaint, Known)> {
    let (complaint, known) = before_the_regulator(tx, actor, id)?;
    let ordered = known.suspensions.iter().find(|one| one.complaint_id == *id);
    let ordered = ordered.cloned().ok_or_else(|| rules::NOT_SUSPENDED.refuse())?;
    let lifted = ordered.lift(tx.now())?;
    store::lift(tx, &lifted)?;
    told(
        tx,
        actor,
        "suspension.lifted",
        &complaint,
        (json!({}), Value::Null),
    )?;
    Ok((complaint, replaced(known, lifted)))
}

fn replaced(mut known: Known, changed: Suspension) -> Known {
    for one in &mut known.suspensions {
        if one.complaint_id == changed.complaint_id {
            one.clone_from(&changed);
        }
    }
    known
}

/// Lifts what a complaint that is closed has suspended, as long as it runs.
fn lifted_with(tx: &mut Tx<'_>, known: Known, complaint: &Complaint) -> Answer<Known> {
    let now = tx.now();
    let mut ordered = known.suspensions.iter();
    let running = ordered.find(|one| one.complaint_id == complaint.id && one.runs_at(now));
    match running.cloned() {
        Some(running) => {
            let lifted = running.lift(now)?;
            store::lift(tx, &lifted)?;
            Ok(replaced(known, lifted))
        }
        None => Ok(known),
    }
}

/// What the regulator decides about a complaint.
#[derive(Clone, Debug)]
pub struct Deciding {
    /// With which outcome.
    pub outcome: Outcome,
    /// What follows.
    pub consequence: Option<Consequence>,
    /// Why, in Chinese.
    pub decision_zh: String,
    /// Why, in English.
    pub decision_en: String,
}

/// Decides about a complaint. What follows is done in the same transaction; a suspension is over; and whose complaints were unfounded too often is
/// listed.
///
/// # Errors
/// In this order: permission; not found; those of [`rules::decide`]; those of the ledger, if the lot comes to nothing.
pub fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: &ComplaintId,
    deciding: &Deciding,
) -> Answer<(Complaint, Known)> {
    let (before, known) = before_the_regulator(tx, actor, id)?;
    let standing = store_awards::standing_of(tx.conn(), &before.lot_id)?;
    let is_signed = standing
        .as_ref()
        .is_some_and(|award| award.state == AwardState::Signed);
    let reason = (deciding.decision_zh.as_str(), deciding.decision_en.as_str());
    let decision = (deciding.outcome, deciding.consequence, reason);
    let decided = rules::decide(before, decision, is_signed, tx.now())?;
    store::advance(tx, &decided)?;
    let known = lifted_with(tx, known, &decided)?;
    let data = json!({
        "outcome": deciding.outcome.name(),
        "consequence": deciding.consequence.map(Consequence::name),
        "supplier_id": decided.supplier_id,
        "decision_zh": decided.decision.as_ref().map(|one| &one.reason.zh),
        "decision_en": decided.decision.as_ref().map(|one| &one.reason.en),
    });
    told(tx, actor, "complaint.decided", &decided, (data, Value::Null))?;
    if let Some(consequence) = deciding.consequence {
        follow(tx, actor, &known, &decided, consequence)?;
    }
    if deciding.outcome == Outcome::RejectedUnfounded {
        list(tx, actor, &known, &decided)?;
    }
    let words = ("投诉已作出处理决定", "a complaint was decided");
    tidings::complaint_moved(tx, &known, &decided, words)?;
    Ok((decided, known))
}

/// Does what follows from a complaint that is upheld.
fn follow(
    tx: &mut Tx<'_>,
    actor: &Actor,
    known: &Known,
    complaint: &Complaint,
    consequence: Consequence,
) -> Answer<()> {
    let reason = complaint.decision.as_ref().map(|one| one.reason.clone());
    let reason: Line = reason.ok_or_else(|| Fault::broken("a consequence of no decision"))?;
    let standing = store_awards::standing_of(tx.conn(), &complaint.lot_id)?;
    let cause = match consequence {
        // What was signed stays.
        Consequence::Compensation => return Ok(()),
        Consequence::AwardCancelled => End::ComplaintUpheld,
        Consequence::Reevaluation => End::Reevaluation,
        Consequence::LotUnsuccessful => End::Dropped,
    };
    // The winner of another award than the challenged one was not complained of.
    let concerns = |award: &crate::award::rules_awards::Award| {
        consequence != Consequence::AwardCancelled || award.id == complaint.award_id
    };
    if let Some(award) = standing.filter(concerns) {
        end(tx, actor, known, award, (cause, reason.clone()))?;
    }
    let has_ended = store_endings::of_lot(tx.conn(), &complaint.lot_id)?.is_some();
    if consequence == Consequence::LotUnsuccessful && !has_ended && known.book.state == BookState::Published {
        let book_and_lot = (&known.book, &known.lot);
        unsuccessful(tx, actor, book_and_lot, (Cause::ComplaintUpheld, reason))?;
    }
    Ok(())
}

/// Lists a supplier whose complaints were unfounded too often.
fn list(tx: &mut Tx<'_>, actor: &Actor, known: &Known, complaint: &Complaint) -> Answer<()> {
    let months = known.profile.rule(DISPUTES_UNFOUNDED_COMPLAINTS_MONTHS)?.0;
    let count = known.profile.rule(DISPUTES_UNFOUNDED_COMPLAINTS_LISTED)?.0;
    let supplier = &complaint.supplier_id;
    let since = rules::counted_from(months, tx.now());
    let unfounded = store::unfounded_since(tx.conn(), supplier, since)?;
    let last = store::listings(tx.conn(), Some(supplier), None, 1)?;
    let listed_since = last.iter().any(|listing| listing.listed_at > since);
    if !rules::is_to_be_listed(unfounded.len(), listed_since, count) {
        return Ok(());
    }
    let listing = Listing {
        id: ListingId::mint(tx.now()),
        supplier_id: supplier.clone(),
        complaints: unfounded,
        months,
        listed_at: tx.now(),
    };
    store::list(tx, &listing)?;
    let data =
        json!({ "supplier_id": listing.supplier_id, "complaints": listing.complaints, "months": months });
    let about = (listing.id.as_str(), &complaint.lot_id);
    record(tx, actor, "complainant.listed", about, data, Value::Null)?;
    tidings::listed(tx, known, &listing)
}

/// The last day on which a complaint is to be decided.
///
/// # Errors
/// A rule that is not set; a calendar that does not reach so far.
pub fn decision_due(
    complaint: &Complaint,
    known: &Known,
    calendar: &WardCalendar,
) -> Answer<chrono::NaiveDate> {
    let allowed = known
        .profile
        .rule(DISPUTES_COMPLAINT_DECISION_WORKING_DAYS_MAX)?
        .0;
    let days = days(calendar);
    Ok(days.working(days.day(complaint.filed_at), allowed)?)
}
