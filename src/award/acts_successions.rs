//! Awards that come to nothing: taken back by the buyer, which gives the place back, or because the winner falls out, and then the next in rank
//! is proposed in the same transaction; if nobody is left, the lot has come to nothing.

use serde_json::{Value, json};

use crate::award::acts_awards::{found, record, record_proposal};
use crate::award::acts_endings::unsuccessful;
use crate::award::desk::{Known, joined, round_of};
use crate::award::rules_awards::{self as rules, AWARDS_MAX, Award, AwardId, End, reason as checked};
use crate::award::rules_endings::Cause;
use crate::award::{desk, store_awards as store, tidings};
use crate::db::writer::Tx;
use crate::kernel::refusal::Answer;
use crate::standards::rules_indicators::Line;
use crate::web::actor::Actor;
use crate::web::conditional::Expected;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

/// What became of an award that ended.
#[derive(Debug)]
pub struct Fallen {
    /// The award, ended.
    pub ended: Award,
    /// Who is proposed in its place; `None` if the place was given back, or nobody is left.
    pub next: Option<Award>,
}

/// Takes an award back, whose place in the ranking is as it was.
///
/// # Errors
/// In this order: permission; not found; a stale revision; a reason that is none; a state in which it cannot be.
pub fn cancel(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&AwardId, Expected),
    reason: (&str, &str),
) -> Answer<(Fallen, Known)> {
    end_by_buyer(tx, actor, (id, expected), (End::Cancelled, reason))
}

/// Puts the winner out.
///
/// # Errors
/// As [`cancel`]; those of the ledger, if nobody is left.
pub fn disqualify(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&AwardId, Expected),
    reason: (&str, &str),
) -> Answer<(Fallen, Known)> {
    end_by_buyer(tx, actor, (id, expected), (End::Disqualified, reason))
}

fn end_by_buyer(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&AwardId, Expected),
    (cause, reason): (End, (&str, &str)),
) -> Answer<(Fallen, Known)> {
    let (before, known) = found(tx, actor, Action::EndAward, id)?;
    expected.check(before.revision)?;
    let reason = checked(reason)?;
    let fallen = end(tx, actor, &known, before, (cause, reason))?;
    Ok((fallen, known))
}

/// The winner withdraws.
///
/// # Errors
/// In this order: permission; not found, to everybody who does not act for the winner and may not know of the award; a stale revision; a reason that
/// is none; a state in which it cannot be; those of the ledger, if nobody is left.
pub fn withdraw(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, expected): (&AwardId, Expected),
    reason: (&str, &str),
) -> Answer<(Fallen, Known)> {
    policy::allow_at_all(actor, Action::WithdrawFromAward)?;
    let before = store::award(tx.conn(), id)?.filter(Award::is_public);
    let before = before.ok_or_else(|| NOT_FOUND.refuse())?;
    let matter = Matter::of_organisation(&before.supplier_id);
    policy::allow(actor, Action::WithdrawFromAward, matter)?;
    expected.check(before.revision)?;
    let reason = checked(reason)?;
    let known = desk::known(tx.conn(), &before.lot_id)?;
    let fallen = end(tx, actor, &known, before, (End::Withdrawn, reason))?;
    Ok((fallen, known))
}

/// Ends an award, and proposes the next in rank if the winner has fallen out; if nobody is left, the lot has come to nothing. A part of an act,
/// which has asked the permission.
///
/// # Errors
/// [`rules::WRONG_STATE`]; those of the ledger.
pub fn end(
    tx: &mut Tx<'_>,
    actor: &Actor,
    known: &Known,
    before: Award,
    (cause, reason): (End, Line),
) -> Answer<Fallen> {
    let ended = rules::end(before, cause, reason.clone(), tx.now())?;
    store::advance(tx, &ended)?;
    let said = json!({ "reason_zh": reason.zh, "reason_en": reason.en });
    let cause_alone = json!({ "cause": cause.name() });
    // Why something ended that nobody knew of is the buyer's own.
    let (data, private) = if ended.is_public() {
        (joined(cause_alone, said), Value::Null)
    } else {
        (cause_alone, said)
    };
    record(tx, actor, "award.ended", &ended, data, private)?;
    tidings::award_ended(tx, known, &ended)?;
    if !cause.passes_on() {
        return Ok(Fallen { ended, next: None });
    }
    let next = pass_on(tx, actor, known, &ended)?;
    if next.is_none() {
        let book_and_lot = (&known.book, &known.lot);
        unsuccessful(tx, actor, book_and_lot, (Cause::NobodyLeft, reason))?;
    }
    Ok(Fallen { ended, next })
}

/// The award of the next in rank, from the same round and by the same report.
fn pass_on(tx: &mut Tx<'_>, actor: &Actor, known: &Known, ended: &Award) -> Answer<Option<Award>> {
    let round = round_of(tx.conn(), ended)?;
    let round = desk::as_it_holds(tx.conn(), round)?;
    let before = store::of_lot(tx.conn(), &ended.lot_id)?;
    let awards = i64::try_from(before.len()).unwrap_or(i64::MAX);
    let Some(place) = rules::next_in_rank(&round, &before).filter(|_| awards < AWARDS_MAX) else {
        return Ok(None);
    };
    let award = rules::propose(
        AwardId::mint(tx.now()),
        (&round, place),
        (awards.saturating_add(1), &ended.report),
        tx.now(),
    )?;
    store::insert(tx, &award)?;
    record_proposal(tx, actor, &award, Some(&ended.id))?;
    tidings::proposed(tx, known, &award)?;
    Ok(Some(award))
}
