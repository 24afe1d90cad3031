//! Comments on a period by its voters, what an officer decides about them, and the contractor's reply: each function is one transaction's worth of work, permission
//! first, event last. Events name no voter, and hold no words.

use serde_json::{Value, json};

use crate::audit;
use crate::audit::entry::Event;
use crate::ballots::acts_voting::{Found, Shown, found};
use crate::ballots::polling::Polling;
use crate::ballots::rules::{Ballot, BallotId, Kind};
use crate::contracts::acts_inspections::not_own_work;
use crate::contracts::desk::{self, Signed, acting};
use crate::contracts::rules::ContractId;
use crate::contracts::rules_comments::{
    COMMENT_NOT_HERE, COMMENTED, Comment, RatingCommentId, State, Verdict,
};
use crate::contracts::rules_defect_reports::only_words;
use crate::contracts::store_comments as store;
use crate::contracts::tidings_comments as tidings;
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};
use crate::web::problem::NOT_FOUND;

fn contract_of(conn: &mut Conn, ballot: &Ballot) -> Answer<Signed> {
    if ballot.kind != Kind::Rating {
        return Err(COMMENT_NOT_HERE.refuse().into());
    }
    let id: ContractId = ballot
        .matter_id
        .parse()
        .map_err(|_| Fault::broken(format!("{} is about no contract", ballot.id)))?;
    desk::signed(conn, &id)
}

fn append(tx: &mut Tx<'_>, actor: &Actor, kind: &'static str, ballot: &BallotId, data: Value) -> Answer<()> {
    let event = Event {
        kind,
        subject: ballot.to_string(),
        data,
        private: Value::Null,
    };
    audit::store::append(tx, actor, &event)?;
    Ok(())
}

/// Says something of a period, as one of its voters, who show themself as for a vote.
///
/// # Errors
/// In this order: permission; those of [`found`]; [`COMMENT_NOT_HERE`]; those of [`Ballot::takes_votes`]; words that are none; [`COMMENTED`].
pub fn say(
    tx: &mut Tx<'_>,
    actor: &Actor,
    polling: &Polling,
    shown: &Shown,
    words: &str,
) -> Answer<BallotId> {
    let action = match shown {
        Shown::Account(_) => Action::CastOwnVote,
        Shown::Code(_) => Action::CastVote,
    };
    policy::allow(actor, action, Matter::default())?;
    let Found { ballot, voter } = found(tx.conn(), actor, polling, shown)?;
    let signed = contract_of(tx.conn(), &ballot)?;
    ballot.takes_votes(tx.now())?;
    let words = only_words("/words", words)?;
    if !store::note_commenter(tx, &ballot.id, voter.number)? {
        return Err(COMMENTED.refuse().into());
    }
    let comment = Comment {
        // A time in it, or an order, would lead to the entry in the log, and from there to whoever was seen to write just then.
        id: RatingCommentId::by_chance()?,
        ballot_id: ballot.id.clone(),
        contract_id: signed.contract.id.clone(),
        period: ballot.matter_number,
        words,
        decided: None,
        reply: None,
    };
    store::insert(tx, &comment)?;
    // As with a vote, the service tells it, and not the voter.
    append(tx, &Actor::system(), "rating.commented", &ballot.id, json!({}))?;
    tidings::waiting(tx, &signed, &ballot)?;
    Ok(ballot.id)
}

/// The ballot of whoever shows a code, if they may say something of its period now. Whether they have done so is told when they try.
///
/// # Errors
/// In this order: permission; those of [`found`]; [`COMMENT_NOT_HERE`]; those of [`Ballot::takes_votes`].
pub fn may_say(
    conn: &mut Conn,
    actor: &Actor,
    polling: &Polling,
    shown: &Shown,
    now: Instant,
) -> Answer<Ballot> {
    policy::allow(actor, Action::CastVote, Matter::default())?;
    let Found { ballot, .. } = found(conn, actor, polling, shown)?;
    contract_of(conn, &ballot)?;
    ballot.takes_votes(now)?;
    Ok(ballot)
}

fn seen(conn: &mut Conn, id: &RatingCommentId) -> Answer<(Comment, Signed)> {
    let comment = store::comment(conn, id)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let signed = desk::signed(conn, &comment.contract_id)?;
    Ok((comment, signed))
}

/// Releases a comment, or withholds it for a reason.
///
/// # Errors
/// In this order: permission; not found; that whoever decides works for the contractor; those of [`Comment::decided`].
pub fn decide(tx: &mut Tx<'_>, actor: &Actor, id: &RatingCommentId, verdict: Verdict) -> Answer<Comment> {
    policy::allow_at_all(actor, Action::ModerateComment)?;
    let (comment, signed) = seen(tx.conn(), id)?;
    if policy::allow(actor, Action::ModerateComment, signed.of_buyer()).is_err() {
        // What is not public is there for those alone who decide about it.
        return Err(NOT_FOUND.refuse().into());
    }
    not_own_work(actor, &signed)?;
    let comment = comment.decided(verdict, acting(actor)?, tx.now())?;
    store::decide(tx, &comment)?;
    let data = json!({ "comment_id": comment.id, "state": comment.state() });
    append(tx, actor, "rating.comment_decided", &comment.ballot_id, data)?;
    if comment.state() == State::Released {
        let ballot = crate::ballots::acts::seen(tx.conn(), &comment.ballot_id)?;
        tidings::released(tx, &signed, (&ballot, &comment.id))?;
    }
    Ok(comment)
}

/// Replies to a comment for the contractor.
///
/// # Errors
/// In this order: permission; not found, also for what is not public; those of [`Comment::replied`].
pub fn reply(tx: &mut Tx<'_>, actor: &Actor, id: &RatingCommentId, reply: &str) -> Answer<Comment> {
    policy::allow_at_all(actor, Action::ReplyToComment)?;
    let (comment, signed) = seen(tx.conn(), id)?;
    if comment.state() != State::Released {
        return Err(NOT_FOUND.refuse().into());
    }
    policy::allow(actor, Action::ReplyToComment, signed.of_supplier())?;
    let comment = comment.replied(reply, acting(actor)?, tx.now())?;
    store::reply(tx, &comment)?;
    let data = json!({ "comment_id": comment.id });
    append(tx, actor, "rating.comment_replied", &comment.ballot_id, data)?;
    Ok(comment)
}

/// The comments of a ballot that somebody may read, and how many there are that not everybody reads.
#[derive(Debug)]
pub struct Said {
    /// In an order of chance.
    pub comments: Vec<Comment>,
    /// How many wait for a decision.
    pub received: i64,
    /// How many are withheld.
    pub withheld: i64,
}

/// What was said of a period: what is released to everybody, all of it to those who decide and to auditors.
///
/// # Errors
/// Permission; not found; [`COMMENT_NOT_HERE`].
pub fn said(
    conn: &mut Conn,
    actor: &Actor,
    ballot: &BallotId,
    (before, max): (Option<&str>, i64),
) -> Answer<Said> {
    policy::allow(actor, Action::ReadBallots, Matter::default())?;
    let found = crate::ballots::acts::seen(conn, ballot)?;
    let signed = contract_of(conn, &found)?;
    let sees_all = policy::allows(actor, Action::ModerateComment, signed.of_buyer())
        || policy::allows(actor, Action::OpenBallotBox, Matter::default());
    let states: &[State] = if sees_all { &State::ALL } else { &[State::Released] };
    Ok(Said {
        comments: store::of_ballot(conn, ballot, (states, before), max)?,
        received: store::count(conn, ballot, State::Received)?,
        withheld: store::count(conn, ballot, State::Withheld)?,
    })
}
