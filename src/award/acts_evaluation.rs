//! The conclusion of a round: what goes in is gathered, the result derived, its bytes kept and hashed into the log; and the residents'
//! appraisal that may go in. Each function is one transaction's worth of work, permission first, event last.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit;
use crate::audit::entry::Event;
use crate::award::acts_appraisal_ballots as ballots;
use crate::award::acts_scores::{self as scoring, Scene, scene, settled};
use crate::award::rules_admission::Verdict;
use crate::award::rules_appraisals::{
    APPRAISAL_CONFIRMED, APPRAISAL_MISSING, APPRAISAL_NOTHING, Appraisal, Appraised, held,
};
use crate::award::rules_endings::Cause;
use crate::award::rules_evaluation::{Meeting, Quorum};
use crate::award::rules_evaluation_derivation::Derivation;
use crate::award::rules_evaluation_deriving::{Subject, derive};
use crate::award::rules_results::{DERIVATION_BYTES_MAX, Evaluation, EvaluationId, Outcome, Place};
use crate::award::rules_scores::{self as rules, BidScores, Facts, SCORING_CONCLUDED, SHEETS_MISSING, Sheet};
use crate::award::{acts_endings, store_evaluations, store_scores as store};
use crate::bids::rules::BidId;
use crate::bids::store_openings;
use crate::books::rules::LotId;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::files;
use crate::files::access::Access;
use crate::files::media::MediaType;
use crate::files::rules::{AttachmentId, Use, Visibility};
use crate::kernel::clock::Instant;
use crate::kernel::local_day::local_date;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::acts_organisations::{account, capacity};
use crate::standards::rules_indicators::Line;
use crate::statutes::codes;
use crate::text;
use crate::web::actor::Actor;
use crate::web::conditional::{Expected, VERSION_MISSING};
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// What minutes are.
const MINUTES: &[MediaType] = &[MediaType::Pdf, MediaType::Png, MediaType::Jpeg, MediaType::Webp];

/// Concludes the round that is on: by the chair, or by the buyer's people where the book has no panel.
///
/// # Errors
/// In this order: permission; not found; those of the panel; a book that was cancelled or is suspended; [`SCORING_CONCLUDED`]; that the examination is not settled; unless too few
/// bids are left, [`SHEETS_MISSING`], [`APPRAISAL_MISSING`] and those of a [ballot](ballots::given); those of a lot's end.
pub fn conclude(tx: &mut Tx<'_>, actor: &Actor, lot: &LotId) -> Answer<Evaluation> {
    policy::allow_at_all(actor, Action::ConcludeEvaluation)?;
    let scene = scene(tx.conn(), lot)?;
    scoring::allow_to_lead(actor, Action::ConcludeEvaluation, &scene)?;
    let now = tx.now();
    scene.known.may_go_on(now)?;
    if scene.is_concluded() {
        return Err(SCORING_CONCLUDED.refuse().into());
    }
    let verdict = settled(tx.conn(), lot, now)?;
    let derivation = derived(tx.conn(), &scene, &verdict)?;
    let evaluation = concluded(&scene, &verdict, &derivation, now)?;
    store_evaluations::insert(tx, &evaluation)?;
    let event = Event {
        kind: "lot.evaluated",
        subject: lot.to_string(),
        data: json!({
            "book_id": evaluation.book_id,
            "round": evaluation.round,
            "outcome": evaluation.outcome.name(),
            "sha256": hex::encode(evaluation.sha256),
        }),
        private: Value::Null,
    };
    audit::store::append(tx, actor, &event)?;
    if evaluation.outcome == Outcome::Unsuccessful {
        let (left, needed) = (verdict.responsive, verdict.responsive_min);
        let reason = Line {
            zh: format!("有效投标 {left} 家，不足 {needed} 家或均未达到要求"),
            en: format!("{left} bids were left of the {needed} that it takes, or none was good enough"),
        };
        let ended = (&scene.known.book, &scene.known.lot);
        acts_endings::unsuccessful(tx, actor, ended, (Cause::TooFewResponsive, reason))?;
    }
    Ok(evaluation)
}

fn derived(conn: &mut Conn, scene: &Scene, verdict: &Verdict) -> Answer<Derivation> {
    let lot = &scene.known.lot.id;
    let book = scene.known.book.content.document();
    let document = scene.known.document()?;
    let opening = store_openings::of_lot(conn, lot)?;
    let opening = opening.ok_or_else(|| Fault::broken(format!("{lot} is judged and was not opened")))?;
    let (mut sheets, mut appraisal) = (Vec::new(), None);
    if !verdict.is_too_few() {
        if !rules::by_panel(book.method, document).is_empty() {
            sheets = all_in(conn, scene, verdict)?;
        }
        if !rules::by_residents(book.method, document).is_empty() {
            appraisal = Some(appraised(conn, scene, verdict)?);
        }
    }
    let seed = rules::draw_seed(&opening.sha256, lot, scene.round);
    let input = rules::input(Facts {
        book,
        lot: document,
        profile: &scene.known.profile,
        verdict,
        sheets: &sheets,
        appraisal: appraisal.as_ref(),
        draw_seed: &seed,
    })?;
    let subject = Subject {
        lot_id: Some(lot.to_string()),
        book_id: Some(scene.known.book.id.to_string()),
        round: u32::try_from(scene.round).ok(),
    };
    let derivation = derive(subject, input).map_err(|faults| {
        let places: Vec<String> = faults.into_iter().map(|fault| fault.pointer).collect();
        Fault::broken(format!("{lot} cannot be evaluated: {}", places.join(", ")))
    })?;
    Ok(derivation)
}

/// The sheets of everybody who sits, in the order in which nobody is known again.
fn all_in(conn: &mut Conn, scene: &Scene, verdict: &Verdict) -> Answer<Vec<Sheet>> {
    let panel = scene.panel.as_ref().ok_or_else(scoring::no_panel)?;
    let sheets = scoring::handed_in(conn, scene, scene.round)?;
    let members = crate::award::rules_panel::sitting(panel).count();
    let (given, needed) = (sheets.len(), members);
    if given < needed {
        return Err(SHEETS_MISSING
            .because(text!(
                "应交 {needed} 份，已交 {given} 份",
                "{given} of {needed} sheets were handed in"
            ))
            .into());
    }
    let method = scene.known.book.content.document().method;
    let criteria = rules::by_panel(method, scene.known.document()?);
    let bids = bids_in(verdict);
    // A bid may have come in again after somebody had handed in a sheet without it.
    if let Some(refusal) = sheets
        .iter()
        .find_map(|sheet| rules::whole(&sheet.scores, &criteria, &bids).err())
    {
        return Err(SHEETS_MISSING.refuse().listing(refusal.objections).into());
    }
    Ok(rules::anonymous(sheets)?)
}

pub(super) fn bids_in(verdict: &Verdict) -> Vec<&BidId> {
    let bids = verdict.bids.iter().filter(|bid| bid.out.is_none());
    bids.map(|bid| &bid.bid_id).collect()
}

/// What the residents gave: a meeting, if its record is confirmed; otherwise their ballot.
fn appraised(conn: &mut Conn, scene: &Scene, verdict: &Verdict) -> Answer<Appraised> {
    let recorded = store::appraisal(conn, &scene.known.lot.id)?;
    let given = match recorded.filter(|one| one.confirmed.is_some()) {
        Some(Appraisal { meeting, points, .. }) => Some(Appraised { meeting, points }),
        None => ballots::given(conn, scene, verdict)?,
    };
    let given = given.ok_or_else(|| APPRAISAL_MISSING.refuse())?;
    let method = scene.known.book.content.document().method;
    let criteria = rules::by_residents(method, scene.known.document()?);
    rules::whole(&given.points, &criteria, &bids_in(verdict))
        .map_err(|refusal| APPRAISAL_MISSING.refuse().listing(refusal.objections))?;
    Ok(given)
}

fn concluded(
    scene: &Scene,
    verdict: &Verdict,
    derivation: &Derivation,
    now: Instant,
) -> Result<Evaluation, Fault> {
    let content = derivation.written()?;
    if content.len() > DERIVATION_BYTES_MAX {
        return Err(Fault::broken("a derivation is larger than is kept"));
    }
    let mut places = Vec::with_capacity(verdict.bids.len());
    for bid in &verdict.bids {
        let mut judged = derivation.result.bids.iter();
        let judged = judged.find(|one| one.bidder == bid.bid_id.as_str());
        let judged = judged.ok_or_else(|| Fault::broken(format!("{} was not judged", bid.bid_id)))?;
        places.push(Place {
            bid_id: bid.bid_id.clone(),
            supplier_id: bid.supplier_id.clone(),
            place: judged.rank.map(i64::from),
            price: bid.price,
        });
    }
    places.sort_by_key(|one| one.place.unwrap_or(i64::MAX));
    let outcome = Outcome::named(&derivation.result.outcome);
    Ok(Evaluation {
        id: EvaluationId::mint(now),
        lot_id: scene.known.lot.id.clone(),
        book_id: scene.known.book.id.clone(),
        round: scene.round,
        outcome: outcome.ok_or_else(|| Fault::broken("a derivation without an outcome"))?,
        concluded_at: now,
        sha256: Sha256::digest(content.as_bytes()).into(),
        content,
        places,
    })
}

/// A result as it is shown: with what members of the panel hold against it, and whether whoever asks may know who they are.
pub type Shown = (Evaluation, Vec<(AccountId, String, Instant)>, bool);

/// The result of a lot, of one round or of the last one: for the panel, the buyer's people and auditors; for everybody once it is published. A round stays
/// as it was when another follows it, so that a notice that rests on it can be reckoned again.
///
/// # Errors
/// Not found, whatever it is that is not to be seen.
pub fn visible(conn: &mut Conn, actor: &Actor, lot: &LotId, round: Option<i64>) -> Answer<Shown> {
    policy::allow(actor, Action::ReadEvaluation, Matter::default())?;
    let scene = scene(conn, lot)?;
    let is_insider = scene.is_insider(actor);
    let evaluation = match round {
        Some(round) => of_round(conn, lot, round)?,
        None if is_insider => scene.evaluation,
        None => store::last_disclosed(conn, lot)?,
    };
    let evaluation = evaluation.ok_or_else(|| NOT_FOUND.refuse())?;
    if !is_insider && store::disclosed_at(conn, &evaluation.id)?.is_none() {
        return Err(NOT_FOUND.refuse().into());
    }
    let dissents = store::dissents(conn, &evaluation.id)?;
    Ok((evaluation, dissents, is_insider))
}

fn of_round(conn: &mut Conn, lot: &LotId, round: i64) -> Answer<Option<Evaluation>> {
    let concluded = store_evaluations::of_lot(conn, lot)?;
    Ok(concluded.into_iter().find(|one| one.round == round))
}

/// What is recorded of a meeting.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// On which day it met.
    pub held_on: NaiveDate,
    /// How many could come.
    pub eligible: u32,
    /// How many came.
    pub present: u32,
    /// The minutes: an attachment of one's own that hangs on nothing.
    pub minutes: AttachmentId,
    /// What it gave.
    pub points: Vec<BidScores>,
}

/// Records what a meeting of residents' representatives gave, or corrects the record before it is confirmed.
///
/// # Errors
/// In this order: permission; not found; a book that was cancelled or is suspended; [`APPRAISAL_NOTHING`]; [`SCORING_CONCLUDED`]; that the examination is not settled; a ballot that
/// [stands](ballots::none_stands); another version than the one that is meant; [`APPRAISAL_CONFIRMED`]; a meeting that cannot be, or without its quorum; points that cannot be or are
/// missing; separation of duties; those of the attachment.
pub fn record_appraisal(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (lot, expected, zone): (&LotId, Option<Expected>, Tz),
    given: &Recorded,
) -> Answer<Appraisal> {
    let (scene, before) = appraising(tx, actor, Action::RecordAppraisal, lot)?;
    let now = tx.now();
    let verdict = settled(tx.conn(), lot, now)?;
    if before.is_none() {
        ballots::none_stands(tx.conn(), &scene, &verdict)?;
    }
    match (&before, expected) {
        (Some(_), None) => return Err(VERSION_MISSING.refuse().into()),
        (before, Some(expected)) => expected.check(before.as_ref().map_or(0, |one| one.version))?,
        (None, None) => {}
    }
    if before.as_ref().is_some_and(|one| one.confirmed.is_some()) {
        return Err(APPRAISAL_CONFIRMED.refuse().into());
    }
    let share = scene
        .known
        .profile
        .rule(codes::RESIDENTS_REPRESENTATIVES_QUORUM)?;
    let meeting = Meeting {
        eligible: given.eligible,
        present: given.present,
        quorum: Quorum {
            numerator: share.numerator,
            denominator: share.denominator,
            exceeded: share.exceeded,
        },
    };
    held(meeting, given.held_on, local_date(now, zone))?;
    let method = scene.known.book.content.document().method;
    let criteria = rules::by_residents(method, scene.known.document()?);
    let bids = bids_in(&verdict);
    let points = rules::entered("/points", &given.points, &criteria, &bids)?;
    rules::whole(&points, &criteria, &bids)?;
    undertake(tx, actor, (Action::RecordAppraisal, Duty::Propose), &scene)?;
    if before.as_ref().is_none_or(|one| one.minutes != given.minutes) {
        let to = Use {
            matter_kind: LotId::PREFIX,
            matter_id: lot.as_str(),
            visibility: Visibility::Matter,
            types: MINUTES,
            pointer: "/minutes_id",
        };
        files::acts::attach(tx, actor, &given.minutes, to)?;
    }
    let appraisal = Appraisal {
        lot_id: lot.clone(),
        version: before.map_or(1, |one| one.version.saturating_add(1)),
        held_on: given.held_on,
        meeting,
        minutes: given.minutes.clone(),
        points,
        recorded_by: account(actor)?.parse().map_err(|_| NOT_FOUND.refuse())?,
        recorded_at: now,
        confirmed: None,
    };
    store::save_appraisal(tx, &appraisal)?;
    told(tx, actor, "appraisal.recorded", &scene, &appraisal)?;
    Ok(appraisal)
}

/// Confirms what another person recorded. It does not change any more.
///
/// # Errors
/// In this order: permission; not found; a book that was cancelled or is suspended; [`APPRAISAL_NOTHING`]; [`SCORING_CONCLUDED`]; another version
/// than the one that is meant;
/// [`APPRAISAL_CONFIRMED`]; separation of duties.
pub fn confirm_appraisal(
    tx: &mut Tx<'_>,
    actor: &Actor,
    lot: &LotId,
    expected: Expected,
) -> Answer<Appraisal> {
    let (scene, before) = appraising(tx, actor, Action::ConfirmAppraisal, lot)?;
    let before = before.ok_or_else(|| NOT_FOUND.refuse())?;
    expected.check(before.version)?;
    if before.confirmed.is_some() {
        return Err(APPRAISAL_CONFIRMED.refuse().into());
    }
    undertake(tx, actor, (Action::ConfirmAppraisal, Duty::Confirm), &scene)?;
    let by: AccountId = account(actor)?.parse().map_err(|_| NOT_FOUND.refuse())?;
    let appraisal = Appraisal {
        version: before.version.saturating_add(1),
        confirmed: Some((by, tx.now())),
        ..before
    };
    store::save_appraisal(tx, &appraisal)?;
    told(tx, actor, "appraisal.confirmed", &scene, &appraisal)?;
    Ok(appraisal)
}

/// A lot that residents may appraise now, and the record of a meeting that there may be.
pub(super) fn appraising(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: Action,
    lot: &LotId,
) -> Answer<(Scene, Option<Appraisal>)> {
    policy::allow_at_all(actor, action)?;
    let scene = scene(tx.conn(), lot)?;
    let matter = Matter::of_organisation(&scene.known.book.organisation_id);
    policy::allow(actor, action, matter)?;
    scene.known.may_go_on(tx.now())?;
    let method = scene.known.book.content.document().method;
    if rules::by_residents(method, scene.known.document()?).is_empty() {
        return Err(APPRAISAL_NOTHING.refuse().into());
    }
    if scene.is_concluded() {
        return Err(SCORING_CONCLUDED.refuse().into());
    }
    let before = store::appraisal(tx.conn(), lot)?;
    Ok((scene, before))
}

fn undertake(tx: &mut Tx<'_>, actor: &Actor, (action, duty): (Action, Duty), scene: &Scene) -> Answer<()> {
    let matter = Matter::of_organisation(&scene.known.book.organisation_id);
    let capacity = capacity(actor, action, matter);
    duties::undertake(tx, actor, capacity, duty, scene.known.lot.id.as_str())
}

fn told(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    scene: &Scene,
    appraisal: &Appraisal,
) -> Answer<()> {
    let points = Sheet::written(&appraisal.points)?;
    let event = Event {
        kind,
        subject: appraisal.lot_id.to_string(),
        data: json!({
            "book_id": scene.known.book.id, "held_on": appraisal.held_on.to_string(),
            "eligible": appraisal.meeting.eligible, "present": appraisal.meeting.present,
        }),
        private: json!({"version": appraisal.version, "points_sha256": hex::encode(Sha256::digest(points))}),
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}

/// What the residents gave a lot's bids, for those who may see how they are judged; for everybody once the result is published.
///
/// # Errors
/// Not found, whatever it is that is not to be seen.
pub fn appraisal(conn: &mut Conn, actor: &Actor, lot: &LotId) -> Answer<(Appraisal, bool)> {
    policy::allow(actor, Action::ReadEvaluation, Matter::default())?;
    let scene = scene(conn, lot)?;
    let is_insider = scene.is_insider(actor);
    if !is_insider && store::last_disclosed(conn, lot)?.is_none() {
        return Err(NOT_FOUND.refuse().into());
    }
    let appraisal = store::appraisal(conn, lot)?.ok_or_else(|| NOT_FOUND.refuse())?;
    Ok((appraisal, is_insider))
}

/// Answers for the minutes of meetings that appraised: they name people, and stay with those who may see how bids are judged.
pub struct AppraisalMinutesAccess;

impl Access for AppraisalMinutesAccess {
    fn matter_kind(&self) -> &'static str {
        LotId::PREFIX
    }

    fn may_read(&self, conn: &mut Conn, actor: &Actor, matter_id: &str) -> Answer<bool> {
        let lot: LotId = matter_id
            .parse()
            .map_err(|_| Fault::broken("minutes hang on what is no lot"))?;
        Ok(scene(conn, &lot)?.is_insider(actor))
    }
}
