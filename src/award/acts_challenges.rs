//! What bidders say to the buyer about a result, and what the buyer replies: each function is one transaction's worth of work, permission first,
//! event last. That something was asked or challenged is public, what was said is the parties', the regulator's and the auditors'.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::award::desk::{self, Known, days, has_bid, joined};
use crate::award::rules_awards::{Award, AwardId};
use crate::award::rules_challenges::{
    self as rules, Challenge, ChallengeId, Ground, NO_NOTICE, NOT_A_BIDDER, QUERIES_OPEN_MAX, Query, QueryId,
    Reply, State, TOO_MANY_QUERIES,
};
use crate::award::{rules_deadlines as deadlines, store_awards, store_challenges as store, tidings};
use crate::books::rules::LotId;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::party::{AccountId, OrganisationId};
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::acts_organisations::account;
use crate::statutes::codes::{
    DISPUTES_CHALLENGE_REPLY_WORKING_DAYS_MAX, DISPUTES_ENQUIRY_REPLY_WORKING_DAYS_MAX,
};
use crate::web::actor::Actor;
use crate::web::context::WardCalendar;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

pub(super) fn account_of(actor: &Actor) -> Answer<AccountId> {
    let id = account(actor)?.parse();
    Ok(id.map_err(|error| Fault::caused("an account that files something", error))?)
}

/// The lot, if the actor may say something about it for a bidder.
fn as_bidder(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: Action,
    (lot, supplier): (&LotId, &OrganisationId),
) -> Answer<Known> {
    policy::allow(actor, action, Matter::of_organisation(supplier))?;
    let known = desk::known(tx.conn(), lot)?;
    if has_bid(tx.conn(), lot, supplier)? {
        Ok(known)
    } else {
        Err(NOT_A_BIDDER.refuse().into())
    }
}

/// Asks about a result.
///
/// # Errors
/// In this order: permission; not found; [`NOT_A_BIDDER`]; a question that is none; [`NO_NOTICE`]; [`TOO_MANY_QUERIES`].
pub fn ask(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (lot, supplier): (&LotId, &OrganisationId),
    question: &str,
) -> Answer<(Query, Known)> {
    let known = as_bidder(tx, actor, Action::AskAboutResult, (lot, supplier))?;
    let question = rules::question(question)?;
    let awards = store_awards::of_lot(tx.conn(), lot)?;
    let award = awards.into_iter().rev().find(Award::is_public);
    let award = award.ok_or_else(|| NO_NOTICE.refuse())?;
    if store::open_queries(tx.conn(), lot, supplier)? >= QUERIES_OPEN_MAX {
        return Err(TOO_MANY_QUERIES.refuse().into());
    }
    let query = Query {
        id: QueryId::mint(tx.now()),
        award_id: award.id,
        lot_id: lot.clone(),
        book_id: known.book.id.clone(),
        supplier_id: supplier.clone(),
        asked_by: account_of(actor)?,
        question,
        asked_at: tx.now(),
        reply: None,
    };
    store::insert_query(tx, &query)?;
    let private = json!({ "supplier_id": query.supplier_id, "question": query.question });
    let about = (query.id.as_str(), &query.lot_id);
    record(tx, actor, "query.asked", about, json!({}), private)?;
    tidings::asked(tx, &known, &query)?;
    Ok((query, known))
}

/// Whether the actor may read what was said about a lot: for the buyer, the regulator or as an auditor, or for one of these suppliers.
pub(super) fn may_read(actor: &Actor, known: &Known, suppliers: &[&OrganisationId]) -> bool {
    policy::allows(actor, Action::OpenDisputes, known.matter())
        || suppliers
            .iter()
            .any(|supplier| policy::allows(actor, Action::ReadOwnDisputes, Matter::of_organisation(supplier)))
}

/// A query that the actor may read.
///
/// # Errors
/// Permission; not found, to everybody but the parties, the regulator and auditors.
pub fn seen_query(conn: &mut Conn, actor: &Actor, id: &QueryId) -> Answer<(Query, Known)> {
    let query = store::query(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let known = desk::known(conn, &query.lot_id)?;
    if may_read(actor, &known, &[&query.supplier_id]) {
        Ok((query, known))
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

/// Replies to a query.
///
/// # Errors
/// In this order: permission; not found; those of [`rules::reply_to_query`].
pub fn reply_to_query(tx: &mut Tx<'_>, actor: &Actor, id: &QueryId, reply: &str) -> Answer<(Query, Known)> {
    policy::allow_at_all(actor, Action::ReplyToQuery)?;
    let (before, known) = seen_query(tx.conn(), actor, id)?;
    policy::allow(actor, Action::ReplyToQuery, known.matter())?;
    let replied = rules::reply_to_query(before, reply, tx.now())?;
    store::reply_to_query(tx, &replied)?;
    let private = json!({ "reply": replied.reply.as_ref().map(|(_, words)| words) });
    let about = (replied.id.as_str(), &replied.lot_id);
    record(tx, actor, "query.replied", about, json!({}), private)?;
    tidings::query_replied(tx, &known, &replied)?;
    Ok((replied, known))
}

/// When the time to reply to a query is over.
///
/// # Errors
/// A rule that is not set; a calendar that does not reach so far.
pub fn query_due(query: &Query, known: &Known, calendar: &WardCalendar) -> Answer<Instant> {
    let allowed = known.profile.rule(DISPUTES_ENQUIRY_REPLY_WORKING_DAYS_MAX)?.0;
    let days = days(calendar);
    Ok(days.over(days.working(days.day(query.asked_at), allowed)?)?)
}

/// Until when an award may be challenged.
///
/// # Errors
/// A rule that is not set; a calendar that does not reach so far; a fault if it was never noticed.
fn challenges_over(award: &Award, known: &Known, calendar: &WardCalendar) -> Answer<Instant> {
    let noticed = award.notice.as_ref().map(|notice| notice.at);
    let noticed = noticed.ok_or_else(|| Fault::broken(format!("{} has no notice", award.id)))?;
    let days = days(calendar);
    Ok(days.over(deadlines::challenges_until(
        days.day(noticed),
        &known.profile,
        days,
    )?)?)
}

/// Challenges an award.
///
/// # Errors
/// In this order: permission; not found, as long as the award is not public; [`NOT_A_BIDDER`]; grounds that are none; a calendar that does not reach so
/// far; those of [`rules::may_challenge`].
pub fn file(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (award, supplier): (&AwardId, &OrganisationId),
    grounds: &[Ground],
    calendar: &WardCalendar,
) -> Answer<(Challenge, Known)> {
    policy::allow(actor, Action::FileChallenge, Matter::of_organisation(supplier))?;
    let found = store_awards::award(tx.conn(), award)?.filter(Award::is_public);
    let award = found.ok_or_else(|| NOT_FOUND.refuse())?;
    let known = as_bidder(tx, actor, Action::FileChallenge, (&award.lot_id, supplier))?;
    let grounds = rules::grounds(grounds)?;
    let over = challenges_over(&award, &known, calendar)?;
    let before = store::of_award(tx.conn(), &award.id)?;
    let has_before = before.iter().any(|one| one.supplier_id == *supplier);
    rules::may_challenge(&award, over, has_before, tx.now())?;
    let challenge = Challenge {
        id: ChallengeId::mint(tx.now()),
        award_id: award.id,
        lot_id: award.lot_id,
        book_id: award.book_id,
        supplier_id: supplier.clone(),
        filed_by: account_of(actor)?,
        filed_at: tx.now(),
        grounds,
        state: State::Filed,
        reply: None,
        closed_at: None,
        revision: 1,
    };
    store::insert(tx, &challenge)?;
    let data = json!({ "award_id": challenge.award_id, "grounds": challenge.grounds.len() });
    let private = json!({ "supplier_id": challenge.supplier_id, "grounds": challenge.grounds });
    let about = (challenge.id.as_str(), &challenge.lot_id);
    record(tx, actor, "challenge.filed", about, data, private)?;
    tidings::challenged(tx, &known, &challenge)?;
    Ok((challenge, known))
}

/// A challenge that the actor may read: the parties, whoever was to get the contract among them, the regulator and auditors.
///
/// # Errors
/// Not found to everybody else.
pub fn seen(conn: &mut Conn, actor: &Actor, id: &ChallengeId) -> Answer<(Challenge, Known)> {
    let challenge = store::challenge(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let known = desk::known(conn, &challenge.lot_id)?;
    let winner = winner_of(conn, &challenge.award_id)?;
    if may_read(actor, &known, &[&challenge.supplier_id, &winner]) {
        Ok((challenge, known))
    } else {
        Err(NOT_FOUND.refuse().into())
    }
}

pub(super) fn winner_of(conn: &mut Conn, award: &AwardId) -> Answer<OrganisationId> {
    let found = store_awards::award(conn, award)?;
    let found = found.ok_or_else(|| Fault::broken(format!("{award} is gone")))?;
    Ok(found.supplier_id)
}

/// Replies to a challenge for the buyer.
///
/// # Errors
/// In this order: permission; not found; those of [`rules::reply`].
pub fn reply(tx: &mut Tx<'_>, actor: &Actor, id: &ChallengeId, reply: &Reply) -> Answer<(Challenge, Known)> {
    policy::allow_at_all(actor, Action::ReplyToChallenge)?;
    let (before, known) = seen(tx.conn(), actor, id)?;
    policy::allow(actor, Action::ReplyToChallenge, known.matter())?;
    let replied = rules::reply(before, reply, tx.now())?;
    store::close(tx, &replied)?;
    let said = replied.reply.as_ref();
    let data = json!({
        "award_id": replied.award_id,
        "outcome": said.map(|reply| reply.outcome.name()),
        "affects_result": said.map(|reply| reply.affects_result),
    });
    let private = json!({ "reply": said.map(|reply| &reply.words) });
    let about = (replied.id.as_str(), &replied.lot_id);
    record(tx, actor, "challenge.replied", about, data, private)?;
    let winner = winner_of(tx.conn(), &replied.award_id)?;
    tidings::challenge_replied(tx, &known, &replied, &winner)?;
    Ok((replied, known))
}

/// Withdraws a challenge.
///
/// # Errors
/// In this order: permission; not found; those of [`rules::withdraw`].
pub fn withdraw(tx: &mut Tx<'_>, actor: &Actor, id: &ChallengeId) -> Answer<(Challenge, Known)> {
    policy::allow_at_all(actor, Action::FileChallenge)?;
    let (before, known) = seen(tx.conn(), actor, id)?;
    let matter = Matter::of_organisation(&before.supplier_id);
    policy::allow(actor, Action::FileChallenge, matter)?;
    let withdrawn = rules::withdraw(before, tx.now())?;
    store::close(tx, &withdrawn)?;
    let data = json!({ "award_id": withdrawn.award_id });
    let about = (withdrawn.id.as_str(), &withdrawn.lot_id);
    record(tx, actor, "challenge.withdrawn", about, data, Value::Null)?;
    Ok((withdrawn, known))
}

/// When the time to reply to a challenge is over.
///
/// # Errors
/// A rule that is not set; a calendar that does not reach so far.
pub fn reply_due(challenge: &Challenge, known: &Known, calendar: &WardCalendar) -> Answer<chrono::NaiveDate> {
    let allowed = known.profile.rule(DISPUTES_CHALLENGE_REPLY_WORKING_DAYS_MAX)?.0;
    let days = days(calendar);
    Ok(days.working(days.day(challenge.filed_at), allowed)?)
}

pub(super) fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: &'static str,
    (subject, lot): (&str, &LotId),
    data: Value,
    private: Value,
) -> Answer<()> {
    let event = Event {
        kind,
        subject: subject.to_owned(),
        data: joined(data, json!({ "lot_id": lot })),
        private,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}
