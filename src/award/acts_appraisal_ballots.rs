//! Residents' ballots about a lot's bids: called once it is settled which bids are in, and taken into the evaluation once they are counted and bind. Each
//! function is one transaction's worth of work, permission first, event last.

use crate::award::acts_evaluation::{appraising, bids_in};
use crate::award::acts_scores::{Scene, handed_in, scene, settled};
use crate::award::desk::goes_on;
use crate::award::rules_admission::Verdict;
use crate::award::rules_appraisal_ballots::{self as rules, BALLOTS_MAX, Standing, Turnout};
use crate::award::rules_appraisals::Appraised;
use crate::award::rules_panel::sitting;
use crate::award::rules_scores::{SCORING_NOTHING, by_panel, by_residents};
use crate::award::store_endings;
use crate::ballots::acts::{self as ballots, Call};
use crate::ballots::polling::Polling;
use crate::ballots::rules::{Ballot, BallotId, Kind, quorum_ballots};
use crate::ballots::rules_asked::{self as call_terms, Asked};
use crate::ballots::rules_questions::NewBallot;
use crate::ballots::store as ballot_store;
use crate::books::rules::LotId;
use crate::books::rules_documents::Method;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::store_organisations;
use crate::standards::rules_indicators::Line;
use crate::statutes::codes;
use crate::web::actor::Actor;
use crate::web::context::WardCalendar;
use crate::web::policy::Action;

/// Calls a ballot about the bids that are in. Whoever is tied to any bidder has no vote, also where that bid is out: its bidder may still gain by who is put
/// out next.
///
/// # Errors
/// In this order: permission; not found; a book that was cancelled or is suspended; [`APPRAISAL_NOTHING`](crate::award::rules_appraisals::APPRAISAL_NOTHING);
/// [`SCORING_CONCLUDED`](crate::award::rules_scores::SCORING_CONCLUDED); that the examination is not settled, or [`SCORING_NOTHING`] if too few bids are left;
/// those of [`rules::next`]; those of [`call_terms::settled`]; [`APPRAISAL_BIDS_TOO_MANY`](rules::APPRAISAL_BIDS_TOO_MANY); those of [`ballots::call`]; those of [`rules::enough`].
pub fn call(
    tx: &mut Tx<'_>,
    actor: &Actor,
    polling: &Polling,
    lot: &LotId,
    (asked, calendar): (&Asked, &WardCalendar),
) -> Answer<Ballot> {
    let (scene, meeting) = appraising(tx, actor, Action::CallBallot, lot)?;
    let now = tx.now();
    let verdict = settled(tx.conn(), lot, now)?;
    if verdict.is_too_few() {
        return Err(SCORING_NOTHING.refuse().into());
    }
    let last = last(tx.conn(), lot)?;
    let last = standing(tx.conn(), last, &verdict)?;
    let number = rules::next(last, meeting.is_some())?;
    let (mut named, mut about) = (Vec::new(), Vec::new());
    for bid in &verdict.bids {
        about.push(bid.supplier_id.clone());
        if bid.out.is_none() {
            named.push((bid.bid_id.clone(), name(tx.conn(), &bid.supplier_id)?));
        }
    }
    let method = scene.known.book.content.document().method;
    let criteria = by_residents(method, scene.known.document()?);
    let new = call_terms::settled(asked, criteria.iter().find_map(|one| one.ballot.as_ref()))?;
    let new = NewBallot {
        questions: rules::questions(named)?,
        scale: if new.scale.is_empty() {
            rules::usual_scale()
        } else {
            new.scale.clone()
        },
        // Bids are held against each other, so each voter says something of each.
        may_abstain: false,
        ..new
    };
    let (title_zh, title_en) = title(&scene);
    let call = Call {
        kind: Kind::Appraisal,
        matter_id: lot.as_str(),
        matter_number: number,
        organisation_id: &scene.known.book.organisation_id,
        title_zh,
        title_en,
        areas: &scene.known.book.content.document().areas,
        about: &about,
        new: &new,
        profile: &scene.known.profile,
        zone: calendar.zone,
    };
    let ballot = ballots::call(tx, actor, polling, &call)?;
    may_decide(&scene, &ballot)?;
    Ok(ballot)
}

fn title(scene: &Scene) -> (String, String) {
    let document = scene.known.book.content.document();
    let code = &scene.known.lot.code;
    let (zh, en) = (&document.title_zh, &document.title_en);
    (
        format!("{zh}：标段 {code} 群众评议"),
        format!("{en}: the bids for lot {code}"),
    )
}

fn name(conn: &mut Conn, supplier: &OrganisationId) -> Answer<Line> {
    let found = store_organisations::organisation(conn, supplier)?;
    let found = found.ok_or_else(|| Fault::broken(format!("the bidder {supplier} is gone")))?;
    let particulars = found.current.particulars;
    Ok(Line {
        zh: particulars.name_zh,
        en: particulars.name_en,
    })
}

fn may_decide(scene: &Scene, ballot: &Ballot) -> Answer<()> {
    let turnout = Turnout {
        representatives: scene
            .known
            .profile
            .rule(codes::RESIDENTS_REPRESENTATIVES_QUORUM)?,
        residents: scene.known.profile.rule(codes::RESIDENTS_MEETING_QUORUM)?,
    };
    let decides = scene.known.book.content.document().method == Some(Method::Appraisal);
    let binds_with = quorum_ballots(ballot.electorate, ballot.terms.quorum_percent)?;
    Ok(rules::enough(
        ballot.terms.unit,
        decides,
        (binds_with, ballot.electorate),
        turnout,
    )?)
}

/// The last ballot about a lot that was not taken back.
fn last(conn: &mut Conn, lot: &LotId) -> Answer<Option<Ballot>> {
    let mut last = None;
    for number in 1..=BALLOTS_MAX {
        let found = ballot_store::of_matter(conn, Kind::Appraisal, lot.as_str(), number)?;
        if found.is_none() {
            break;
        }
        last = found;
    }
    Ok(last)
}

fn standing(conn: &mut Conn, last: Option<Ballot>, verdict: &Verdict) -> Answer<Option<(i64, Standing)>> {
    let Some(ballot) = last else { return Ok(None) };
    let standing = match ballot_store::result(conn, &ballot.id)? {
        None => Standing::Running {
            closes_at: ballot.closes_at,
        },
        Some((result, _)) => rules::standing(&result, &bids_in(verdict)),
    };
    Ok(Some((ballot.matter_number, standing)))
}

/// That no ballot about a lot runs or binds, so that a meeting may be recorded.
///
/// # Errors
/// [`APPRAISAL_BY_BALLOT`](rules::APPRAISAL_BY_BALLOT).
pub(super) fn none_stands(conn: &mut Conn, scene: &Scene, verdict: &Verdict) -> Answer<()> {
    let last = last(conn, &scene.known.lot.id)?;
    let standing = standing(conn, last, verdict)?;
    Ok(rules::no_ballot(standing.map(|(_, standing)| standing))?)
}

/// What the last ballot about a lot gives its bids; `None` if there is none.
///
/// # Errors
/// Those of [`rules::counts`].
pub(super) fn given(conn: &mut Conn, scene: &Scene, verdict: &Verdict) -> Answer<Option<Appraised>> {
    let Some(ballot) = last(conn, &scene.known.lot.id)? else {
        return Ok(None);
    };
    let id = ballot.id.clone();
    if let Some((_, standing)) = standing(conn, Some(ballot), verdict)? {
        rules::counts(standing)?;
    }
    let result = ballot_store::result(conn, &id)?;
    let (result, _) = result.ok_or_else(|| Fault::broken(format!("{id} counts and is not counted")))?;
    let book = scene.known.book.content.document();
    let criteria = by_residents(book.method, scene.known.document()?);
    Ok(Some(rules::appraised(
        &result,
        &bids_in(verdict),
        &criteria,
        book.rounding,
    )?))
}

/// Whether what residents say of a lot's bids is held back: as long as the panel has something to score and has not handed in all of it, so that nobody scores
/// by what the residents like. Not after a round was concluded, nor where the lot or its book came to an end without one.
///
/// # Errors
/// A fault of the database.
pub fn is_held(conn: &mut Conn, ballot: &Ballot) -> Answer<bool> {
    if ballot.kind != Kind::Appraisal {
        return Ok(false);
    }
    let lot: LotId = ballot
        .matter_id
        .parse()
        .map_err(|_| Fault::broken(format!("{} is about no lot", ballot.id)))?;
    let scene = scene(conn, &lot)?;
    let book = &scene.known.book;
    if scene.evaluation.is_some() || goes_on(book).is_err() || store_endings::of_lot(conn, &lot)?.is_some() {
        return Ok(false);
    }
    if by_panel(book.content.document().method, scene.known.document()?).is_empty() {
        return Ok(false);
    }
    let members = match &scene.panel {
        Some(panel) if panel.works().is_ok() => Some(sitting(panel).count()),
        _ => None,
    };
    let handed_in = handed_in(conn, &scene, scene.round)?.len();
    Ok(rules::waits(members, handed_in))
}

/// The ballot about a lot that may have closed and not be counted.
///
/// # Errors
/// A fault of the database.
pub fn running(conn: &mut Conn, lot: &LotId) -> Answer<Option<BallotId>> {
    let last = last(conn, lot)?;
    Ok(last
        .filter(|ballot| ballot.sealed_key.is_some())
        .map(|ballot| ballot.id))
}
