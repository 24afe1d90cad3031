//! What the buyer does with an award until it is confirmed: each function is one transaction's worth of work, permission first, event last.
//! Until its notice nobody outside learns whom it is about: events before it keep that in their private part.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit;
use crate::audit::entry::Event;
use crate::audit::store_withheld;
use crate::award::desk::{self, Known, days, is_blocked, joined, opening_of, round_of};
use crate::award::rules_awards::{self as rules, Award, AwardId};
use crate::award::rules_endings::LOT_ENDED;
use crate::award::rules_notice::{self, Derived, NoticeDocument, Sources};
use crate::award::rules_results::Place;
use crate::award::{
    acts_seats, rules_deadlines as deadlines, store_awards as store, store_complaints, store_endings,
    store_evaluations, store_scores, tidings,
};
use crate::bids::rules_opening::Outcome as OpeningOutcome;
use crate::bids::{store_openings, store_securities};
use crate::books::rules::{BookId, LotId, State as BookState};
use crate::books::store as books;
use crate::budget::acts::own_organisations;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::duties::rules::Duty;
use crate::duties::store as duties;
use crate::kernel::refusal::{Answer, Fault};
use crate::people::store_grants::organisation_name;
use crate::registry::acts_organisations::capacity;
use crate::statutes::codes::{AWARD_LOSERS_TOLD_OWN_RESULT, TENDER_BID_SECURITY_WINNER_COUNTS_FROM_SIGNING};
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action};
use crate::web::problem::NOT_FOUND;

/// Calls that take withheld entries into the log in one transaction at most.
const RELEASES_MAX: usize = 50;

/// The award, if the actor may know of it: everybody from its notice on, the buyer and auditors before.
///
/// # Errors
/// Not found; a fault of the database.
pub fn seen(conn: &mut Conn, actor: &Actor, id: &AwardId) -> Answer<(Award, Known)> {
    let award = store::award(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let known = desk::known(conn, &award.lot_id)?;
    if award.is_public() || policy::allows(actor, Action::OpenAwards, known.matter()) {
        Ok((award, known))
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

/// The awards of a lot that the actor may know of.
///
/// # Errors
/// Not found; a fault of the database.
pub fn of_lot(conn: &mut Conn, actor: &Actor, lot: &LotId) -> Answer<(Vec<Award>, Known)> {
    let known = desk::known(conn, lot)?;
    let mut awards = store::of_lot(conn, lot)?;
    let sees_all = policy::allows(actor, Action::OpenAwards, known.matter());
    awards.retain(|award| sees_all || award.is_public());
    Ok((awards, known))
}

/// The award, if the actor may do this with it for the buyer.
///
/// # Errors
/// Permission; not found.
pub(super) fn found(tx: &mut Tx<'_>, actor: &Actor, action: Action, id: &AwardId) -> Answer<(Award, Known)> {
    policy::allow_at_all(actor, action)?;
    let (award, known) = seen(tx.conn(), actor, id)?;
    policy::allow(actor, action, known.matter())?;
    Ok((award, known))
}

fn undertake(tx: &mut Tx<'_>, actor: &Actor, action: Action, known: &Known, duty: Duty) -> Answer<()> {
    // The lot, not the award: who has proposed one winner does not decide for another, however often it passes on.
    let capacity = capacity(actor, action, known.matter());
    duties::undertake(tx, actor, capacity, duty, known.lot.id.as_str())
}

/// Proposes whoever is next in rank of the last round.
///
/// # Errors
/// In this order: permission; not found; those of [`Known::may_go_on`]; [`LOT_ENDED`]; those of [`rules::proposable`]; a report that is none;
/// separation of duties.
pub fn propose(tx: &mut Tx<'_>, actor: &Actor, lot: &LotId, report: &str) -> Answer<(Award, Known)> {
    policy::allow_at_all(actor, Action::ProposeAward)?;
    let known = desk::known(tx.conn(), lot)?;
    policy::allow(actor, Action::ProposeAward, known.matter())?;
    known.may_go_on(tx.now())?;
    if store_endings::of_lot(tx.conn(), lot)?.is_some() {
        return Err(LOT_ENDED.refuse().into());
    }
    let round = match store_evaluations::last_of_lot(tx.conn(), lot)? {
        Some(round) => Some(desk::as_it_holds(tx.conn(), round)?),
        None => None,
    };
    let before = store::of_lot(tx.conn(), lot)?;
    let ordered_at = store_complaints::ordered_anew(tx.conn(), lot)?;
    let place = rules::proposable(round.as_ref(), &before, ordered_at)?;
    let round = round
        .as_ref()
        .ok_or_else(|| Fault::broken("a proposal from no round"))?;
    if store_scores::round_of(tx.conn(), lot)? > round.round {
        return Err(rules::NEEDS_NEW_ROUND.refuse().into());
    }
    let number = i64::try_from(before.len()).unwrap_or(i64::MAX).saturating_add(1);
    let award = rules::propose(
        AwardId::mint(tx.now()),
        (round, place),
        (number, report),
        tx.now(),
    )?;
    undertake(tx, actor, Action::ProposeAward, &known, Duty::Propose)?;
    store::insert(tx, &award)?;
    record_proposal(tx, actor, &award, None)?;
    tidings::proposed(tx, &known, &award)?;
    Ok((award, known))
}

/// Writes the event of a proposal, which does not say whom it is about; `after` is the award whose winner fell out.
pub(super) fn record_proposal(
    tx: &mut Tx<'_>,
    actor: &Actor,
    award: &Award,
    after: Option<&AwardId>,
) -> Answer<()> {
    let private = json!({
        "bid_id": award.bid_id, "supplier_id": award.supplier_id, "place": award.place, "price": award.price,
        "report": award.report,
    });
    let data = json!({ "evaluation_id": award.evaluation_id, "after": after });
    record(tx, actor, "award.proposed", award, data, private)
}

/// Decides for the proposed award: another person than who has proposed.
///
/// # Errors
/// In this order: permission; not found; a stale revision; those of [`Known::may_go_on`]; a state in which it cannot be; those of
/// [`desk::still_holds`]; those of [`rules::decide`]; separation of duties.
pub fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&AwardId, Expected),
    decision: &str,
) -> Answer<(Award, Known)> {
    let (before, known) = found(tx, actor, Action::DecideAward, id)?;
    expected.check(before.revision)?;
    known.may_go_on(tx.now())?;
    rules::after(before.clone(), rules::Step::Decide)?;
    desk::still_holds(tx.conn(), &before)?;
    let decided = rules::decide(before, decision, tx.now())?;
    undertake(tx, actor, Action::DecideAward, &known, Duty::Confirm)?;
    store::advance(tx, &decided)?;
    let private = json!({ "decision": decided.decided.as_ref().map(|(_, words)| words) });
    record(tx, actor, "award.decided", &decided, json!({}), private)?;
    tidings::decided(tx, &known, &decided)?;
    Ok((decided, known))
}

/// Publishes the notice of a decided award: everybody's result is public from then on, and challenges are taken for their time.
///
/// # Errors
/// In this order: permission; not found; a stale revision; those of [`Known::may_go_on`]; a state in which it cannot be; those of
/// [`desk::still_holds`]; a calendar that does not reach so far.
pub fn notice(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&AwardId, Expected),
    calendar: &WardCalendar,
) -> Answer<(Award, Known)> {
    let (before, known) = found(tx, actor, Action::PublishAwardNotice, id)?;
    expected.check(before.revision)?;
    let now = tx.now();
    known.may_go_on(now)?;
    rules::after(before.clone(), rules::Step::Notice)?;
    desk::still_holds(tx.conn(), &before)?;
    let today = days(calendar).day(now);
    let until = (
        deadlines::notice_until(today, &known.profile, days(calendar))?,
        deadlines::challenges_until(today, &known.profile, days(calendar))?,
    );
    let document = document(tx.conn(), &before, &known, until, now)?;
    let content = serde_json::to_string(&document)
        .map_err(|error| Fault::caused(format!("write the notice of {id}"), error))?;
    let sha256: [u8; 32] = Sha256::digest(content.as_bytes()).into();
    let noticed = rules::notice(before, sha256, now)?;
    store::publish(tx, &noticed, &content)?;
    disclosures(tx, &noticed.lot_id)?;
    let winner_waits = known
        .profile
        .rule(TENDER_BID_SECURITY_WINNER_COUNTS_FROM_SIGNING)?;
    for (_, bidder) in store_openings::opened_suppliers(tx.conn(), &noticed.lot_id)? {
        if bidder != noticed.supplier_id || !winner_waits {
            store_securities::count_return_from(tx, &noticed.lot_id, &bidder, now)?;
        }
    }
    let data = json!({
        "bid_id": noticed.bid_id, "supplier_id": noticed.supplier_id, "price": noticed.price, "place": noticed.place,
        "sha256": hex::encode(sha256), "notice_until": document.notice_until, "challenges_until": document.challenges_until,
    });
    record(tx, actor, "award.noticed", &noticed, data, Value::Null)?;
    tidings::noticed(tx, &known, &noticed, document.challenges_until)?;
    Ok((noticed, known))
}

fn document(
    conn: &mut Conn,
    award: &Award,
    known: &Known,
    until: (chrono::NaiveDate, chrono::NaiveDate),
    now: crate::kernel::clock::Instant,
) -> Answer<NoticeDocument> {
    let buyer = organisation_name(conn, &known.book.organisation_id)?;
    let sources = Sources {
        book: &known.book,
        lot_code: &known.lot.code,
        buyer: buyer.ok_or_else(|| Fault::broken("a book whose buyer is not there"))?,
        opening: &opening_of(conn, &award.lot_id)?,
        evaluation: &round_of(conn, award)?,
    };
    Ok(rules_notice::written(award, &sources, until, now)?)
}

/// Ends the secrecy of how a lot's bids were judged: whatever of it was kept out of the log stands in it from now on. Called where the result
/// becomes public, by a notice, by the end of the lot without one, or by the cancellation of its book; a second time it finds nothing. What else
/// becomes public with the result is to be called from here.
///
/// # Errors
/// A fault of the database.
pub fn disclosures(tx: &mut Tx<'_>, lot: &LotId) -> Answer<()> {
    store_scores::disclose(tx, lot)?;
    let known = books::lot(tx.conn(), lot)?;
    let book = known
        .ok_or_else(|| Fault::broken(format!("{lot} is gone")))?
        .book_id;
    if is_last_to_be_told(tx, lot, &book)? {
        acts_seats::disclose(tx, &Actor::system(), &book)?;
    }
    for _ in 0..RELEASES_MAX {
        if store_withheld::release(tx, lot.as_str())? < store_withheld::RELEASED_MAX {
            return Ok(());
        }
    }
    Err(Fault::broken(format!("{lot} has too many entries that were withheld")).into())
}

/// Whether what came of all other lots of the book is public, so that nothing of what its panel does is secret any more.
fn is_last_to_be_told(tx: &mut Tx<'_>, lot: &LotId, book: &BookId) -> Answer<bool> {
    let standing = books::standing(tx.conn(), book)?;
    if standing.is_some_and(|(state, _, _)| state == BookState::Cancelled) {
        return Ok(true);
    }
    for other in books::lots_of(tx.conn(), book)? {
        if other.id == *lot || store_endings::of_lot(tx.conn(), &other.id)?.is_some() {
            continue;
        }
        let opening = store_openings::of_lot(tx.conn(), &other.id)?;
        if opening.is_some_and(|one| one.outcome == OpeningOutcome::Unsuccessful) {
            continue;
        }
        let is_told = match store_evaluations::last_of_lot(tx.conn(), &other.id)? {
            Some(evaluation) => store_scores::disclosed_at(tx.conn(), &evaluation.id)?.is_some(),
            None => false,
        };
        if !is_told {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Confirms a noticed award: its standstill is over, and nothing stands against it. The contract can be signed from then on.
///
/// # Errors
/// In this order: permission; not found; a stale revision; those of [`Known::may_go_on`]; a calendar that does not reach so far; those of
/// [`rules::confirm`].
pub fn confirm(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&AwardId, Expected),
    calendar: &WardCalendar,
) -> Answer<(Award, Known)> {
    let (before, known) = found(tx, actor, Action::ConfirmAward, id)?;
    expected.check(before.revision)?;
    let now = tx.now();
    known.may_go_on(now)?;
    rules::after(before.clone(), rules::Step::Confirm)?;
    let noticed_at = before.notice.as_ref().map(|notice| notice.at);
    let noticed_at = noticed_at.ok_or_else(|| Fault::broken(format!("{id} has no notice")))?;
    let last = deadlines::challenges_until(days(calendar).day(noticed_at), &known.profile, days(calendar))?;
    let over = days(calendar).over(last)?;
    let blocked = is_blocked(tx.conn(), &before, &known, now)?;
    let confirmed = rules::confirm(before, (over, blocked), now)?;
    store::advance(tx, &confirmed)?;
    record(tx, actor, "award.confirmed", &confirmed, json!({}), Value::Null)?;
    tidings::confirmed(tx, &known, &confirmed)?;
    Ok((confirmed, known))
}

/// Notes that the contract of a confirmed award is signed by both. A part of the act of signing, which has asked the permission and writes the
/// event.
///
/// # Errors
/// [`rules::WRONG_STATE`]; a fault of the database.
pub fn sign(tx: &mut Tx<'_>, award: Award) -> Answer<Award> {
    let now = tx.now();
    let signed = rules::sign(award, now)?;
    store::advance(tx, &signed)?;
    store_securities::count_return_from(tx, &signed.lot_id, &signed.supplier_id, now)?;
    Ok(signed)
}

/// How the bids of the actor's own suppliers did, since the notice.
///
/// # Errors
/// Permission; not found, as long as there is no notice, and to whoever has no opened bid.
pub fn own_results(conn: &mut Conn, actor: &Actor, lot: &LotId) -> Answer<Vec<(Place, Derived)>> {
    policy::allow_at_all(actor, Action::ReadOwnResult)?;
    let known = desk::known(conn, lot)?;
    let awards = store::of_lot(conn, lot)?;
    let noticed = awards.iter().rev().find(|award| award.is_public());
    let noticed = noticed.ok_or_else(|| NOT_FOUND.refuse())?;
    let tells_losers = known.profile.rule(AWARD_LOSERS_TOLD_OWN_RESULT)?;
    let round = round_of(conn, noticed)?;
    let judged = rules_notice::derived(&round)?;
    let own = own_organisations(actor, Action::ReadOwnResult).unwrap_or_default();
    let mut results = Vec::new();
    for place in round.places {
        let is_told = tells_losers || place.bid_id == noticed.bid_id;
        if !own.contains(&place.supplier_id) || !is_told {
            continue;
        }
        let found = judged.iter().find(|one| one.bidder == place.bid_id).cloned();
        let found = found.ok_or_else(|| Fault::broken(format!("{} was not judged", place.bid_id)))?;
        results.push((place, found));
    }
    if results.is_empty() {
        return Err(NOT_FOUND.refuse().into());
    }
    Ok(results)
}

/// Writes the event of something that happened to an award.
pub(super) fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    award: &Award,
    data: Value,
    private: Value,
) -> Answer<()> {
    let of = json!({ "book_id": award.book_id, "lot_id": award.lot_id, "number": award.number });
    let event = Event {
        kind,
        subject: award.id.to_string(),
        data: joined(data, of),
        private,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
