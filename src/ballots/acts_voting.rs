//! Voting: who has a vote shows it by an account, by a mailed link or by the code of a letter, and casts it themself. There is no way to vote for somebody
//! else. A vote can be changed until the close; the last one counts.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::audit::store_recorded::Recorded;
use crate::ballots::acts::{append, seen};
use crate::ballots::polling::{self, BallotKey, Polling};
use crate::ballots::rules::{
    ACCOUNT_UNVOUCHED, Ballot, BallotId, CLOSED, CODE_NOT_GOOD, ENTRY_CHANGED, LETTER_CHANGED, NOT_A_VOTER,
    TERMS_CHANGED,
};
use crate::ballots::rules_questions::{Answered, checked_nonce, vote};
use crate::ballots::rules_slips::{
    Drawn, Paper, is_link_code, link_code, own_part, paper, read_paper, receipt_text, voter_tag,
};
use crate::ballots::store::Voting;
use crate::ballots::{store, store_letters, store_papers};
use crate::db::conn::Conn;
use crate::db::writer::Tx;
use crate::kernel::id;
use crate::kernel::party::AccountId;
use crate::kernel::refusal::{Answer, Fault};
use crate::registry::rules_letters::{Presented, plain, presented};
use crate::registry::rules_roll::ResidentId;
use crate::registry::store_roll;
use crate::web::actor::Actor;
use crate::web::policy::{self, Action, Matter};

/// A longer code is not looked at.
const CODE_LENGTH_MAX: usize = 120;

/// What the log has of a place on the roll that was claimed.
const CLAIMED: &str = "residence.claimed";

/// By what somebody shows that they have a vote.
#[derive(Clone)]
pub enum Shown {
    /// By the account that they are signed in with, in this ballot.
    Account(BallotId),
    /// By a code: of a mailed link, of a letter's link, or one that was typed.
    Code(String),
}

/// A vote as somebody gives it.
#[derive(Clone, Copy)]
pub struct Given<'g> {
    /// What they say to each question.
    pub answers: &'g [Answered],
    /// A number of their own, which goes into their slips, and by which a request that is sent again is known.
    pub nonce: Option<&'g str>,
}

/// What somebody holds: the code by which they vote, or their account, and after a space the number of their own, where there is one.
fn held(actor: &Actor, shown: &Shown, nonce: Option<&str>) -> String {
    let held = match shown {
        Shown::Account(_) => actor.id().unwrap_or_default().to_owned(),
        Shown::Code(code) => match presented(code) {
            Some(Presented::Typed(_)) => plain(code.trim()),
            _ => code.trim().to_owned(),
        },
    };
    match nonce {
        Some(nonce) => format!("{held} {nonce}"),
        None => held,
    }
}

/// Somebody who has a vote in a ballot.
pub struct Found {
    /// The ballot.
    pub ballot: Ballot,
    /// The voter.
    pub voter: Voting,
}

/// The token of the link that is mailed to a voter: the ballot, the number and a code.
///
/// # Errors
/// A fault of the key.
pub fn token(key: &BallotKey, ballot: &BallotId, number: i64) -> Result<String, Fault> {
    let code = link_code(key, ballot, number)?;
    Ok(format!(
        "{ballot}.{number}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(code)
    ))
}

fn read_token(text: &str) -> Option<(BallotId, i64, Vec<u8>)> {
    let mut parts = text.split('.');
    let ballot = parts.next()?.parse().ok()?;
    let number = parts.next()?.parse().ok()?;
    let code = BASE64_URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
    parts.next().is_none().then_some((ballot, number, code))
}

/// Whose vote somebody shows.
///
/// # Errors
/// [`CODE_NOT_GOOD`]; [`CLOSED`] for a mailed link after the count, when nothing is left to check it by; not found; [`NOT_A_VOTER`]; [`ACCOUNT_UNVOUCHED`]; [`LETTER_CHANGED`] and
/// [`TERMS_CHANGED`] and [`ENTRY_CHANGED`] before the count.
pub fn found(conn: &mut Conn, actor: &Actor, polling: &Polling, shown: &Shown) -> Answer<Found> {
    let found = match shown {
        Shown::Account(id) => by_account(conn, polling, actor, id)?,
        Shown::Code(code) => by_code(conn, polling, code.trim())?,
    };
    let Found { ballot, voter } = &found;
    // Whoever swaps what choices are called while others vote, and puts it back before the count, is found here.
    if ballot.sealed_key.is_some() && !polling.terms_changed(conn, ballot)?.is_empty() {
        return Err(TERMS_CHANGED.refuse().into());
    }
    if ballot.sealed_key.is_some() && !polling.vouches_for(ballot, voter)? {
        return Err(ENTRY_CHANGED.refuse().into());
    }
    Ok(found)
}

fn by_account(conn: &mut Conn, polling: &Polling, actor: &Actor, id: &BallotId) -> Answer<Found> {
    let ballot = seen(conn, id)?;
    let account: Option<AccountId> = actor.id().and_then(|id| id.parse().ok());
    let mut refusal = &NOT_A_VOTER;
    if let Some(account) = account {
        for resident in store_roll::residents_of_account(conn, &account)? {
            let Some(voter) = store::voter_who_is(conn, id, &resident.id)? else {
                continue;
            };
            if is_claimed(conn, polling, (&resident.id, &account))? {
                return Ok(Found { ballot, voter });
            }
            refusal = &ACCOUNT_UNVOUCHED;
        }
    }
    Err(refusal.refuse().into())
}

/// Whether the log has that an account has claimed a place on the roll, and nobody else: whoever writes it into the table alone has no vote by it. A place is claimed once, so
/// that of two claims none vouches for anything.
pub(super) fn is_claimed(
    conn: &mut Conn,
    polling: &Polling,
    (resident, account): (&ResidentId, &AccountId),
) -> Answer<bool> {
    let claims = polling.recorded(conn, CLAIMED, resident.as_str())?;
    let by = |claim: &Recorded| claim.actor_id.as_deref() == Some(account.as_str());
    Ok(claims.len() == 1 && claims.iter().all(by))
}

/// The places on rolls that an account has claimed, as the log has it too.
///
/// # Errors
/// A fault of the database.
pub fn own_places(conn: &mut Conn, polling: &Polling, account: &AccountId) -> Answer<Vec<ResidentId>> {
    let mut own = Vec::new();
    for resident in store_roll::residents_of_account(conn, account)? {
        if is_claimed(conn, polling, (&resident.id, account))? {
            own.push(resident.id);
        }
    }
    Ok(own)
}

fn by_code(conn: &mut Conn, polling: &Polling, code: &str) -> Answer<Found> {
    let not_good = || CODE_NOT_GOOD.refuse().at("/code");
    if code.len() > CODE_LENGTH_MAX {
        return Err(not_good().into());
    }
    let (ballot, number) = if let Some((id, number, code)) = read_token(code) {
        let ballot = store::ballot(conn, &id)?.ok_or_else(not_good)?;
        if ballot.sealed_key.is_none() {
            return Err(CLOSED.refuse().into());
        }
        if !is_link_code(&*polling.key(&ballot)?, &id, number, &code)? {
            return Err(not_good().into());
        }
        (ballot, number)
    } else {
        let code = presented(code).ok_or_else(not_good)?;
        let letter = store_letters::of_code(conn, &code)?.ok_or_else(not_good)?;
        let ballot = seen(conn, &letter.ballot_id)?;
        if ballot.sealed_key.is_some() && !polling.vouches_for_letter(&ballot, &letter)? {
            return Err(LETTER_CHANGED.refuse().at("/code").into());
        }
        (ballot, letter.number)
    };
    let voter = store::voter(conn, &ballot.id, number)?.ok_or_else(not_good)?;
    Ok(Found { ballot, voter })
}

/// A slip as its voter gets it, to keep.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = BallotSlip)]
pub struct SlipView {
    /// The question.
    pub question: String,
    /// The choice, or `abstain`.
    pub choice: String,
    /// The salt, hexadecimal: with it you can make the hash yourself.
    pub salt: String,
    /// The service's part of the salt, hexadecimal: with it and what you hold you can make the salt yourself.
    pub salt_part: String,
    /// The hash by which you find the slip in the box after the close.
    pub sha256: String,
}

/// What somebody who has voted gets. It has no name and no time.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = BallotReceipt, example = json!({
    "ballot_id": "ballot_01jd3n8f5teqkrzvq1c0m6h2ax",
    "own_sha256": "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
    "slips": [{"question": "overall", "choice": "satisfied", "salt": "0707070707070707070707070707070707070707070707070707070707070707",
        "salt_part": "0909090909090909090909090909090909090909090909090909090909090909",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}],
    "receipt": "wardbook/ballot-receipt/v1\nballot_01jd3n8f5teqkrzvq1c0m6h2ax\n9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n\n— ward.example/audit AAAA\n"
}))]
pub struct Receipt {
    /// The ballot.
    pub ballot_id: BallotId,
    /// The hash of what you hold: your code or the id of your account, and after a space your `nonce`, where you gave one.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub own_sha256: String,
    /// A slip for each question.
    #[schema(max_items = 10)]
    pub slips: Vec<SlipView>,
    /// A note that is signed with the key of the log: the ballot, and the hashes of the slips.
    pub receipt: String,
}

/// Casts a vote, or changes it. The same answers again by the same means with the same number of one's own are the same request, sent again: they change
/// nothing, and get the same receipt. Without such a number every vote is a new one, with another receipt and an entry in the log: otherwise whoever has seen
/// a voter's code could try out what they have voted, and be told by the receipt, unseen. Nor is it told whether there was a vote before.
///
/// # Errors
/// In this order: permission; those of [`found`]; those of [`Ballot::takes_votes`]; answers that are none, every one listed; a number of one's own that is none.
pub fn cast(
    tx: &mut Tx<'_>,
    actor: &Actor,
    polling: &Polling,
    shown: &Shown,
    given: Given<'_>,
) -> Answer<Receipt> {
    let action = match shown {
        Shown::Account(_) => Action::CastOwnVote,
        Shown::Code(_) => Action::CastVote,
    };
    policy::allow(actor, action, Matter::default())?;
    let Found { ballot, voter } = found(tx.conn(), actor, polling, shown)?;
    ballot.takes_votes(tx.now())?;
    let vote = vote(&ballot.terms, given.answers)?;
    checked_nonce(given.nonce)?;
    let key = polling.key(&ballot)?;
    let tag = voter_tag(&key, &ballot.id, voter.number)?;
    let known = store_papers::paper(tx.conn(), &ballot.id, &tag)?;
    let known = known
        .and_then(|sealed| polling::opened(&key, &tag, &sealed))
        .and_then(|paper| read_paper(&ballot.terms, &paper));
    let mut parts = Vec::with_capacity(vote.len());
    for _ in &vote {
        parts.push(id::random::<32>()?);
    }
    let own = own_part(&ballot.id, &held(actor, shown, given.nonce));
    let paper = paper(&own, &vote, &parts)?;
    let cast = read_paper(&ballot.terms, &paper).ok_or_else(|| Fault::broken("a paper that is none"))?;
    if let Some(known) = known
        && given.nonce.is_some()
        && known.is_same_vote(&cast)
    {
        tx.nothing_to_change();
        return receipt(polling, &ballot.id, &known);
    }
    store_papers::put(tx, &ballot.id, &tag, &polling::sealed(&key, &tag, &paper)?)?;
    if !voter.has_voted {
        store::note_voted(tx, &ballot.id, voter.number)?;
    }
    // The service tells it, and not the voter: who has voted when is nobody's to know, and what they have voted stands nowhere in the log.
    append(
        tx,
        &Actor::system(),
        "ballot.cast",
        &ballot.id,
        json!({ "replaces": voter.has_voted }),
    )?;
    receipt(polling, &ballot.id, &cast)
}

fn receipt(polling: &Polling, ballot: &BallotId, paper: &Paper) -> Answer<Receipt> {
    let hashes: Vec<[u8; 32]> = paper.drawn.iter().map(|one| one.slip.hash(ballot)).collect();
    let view = |(Drawn { slip, part }, hash): (&Drawn, &[u8; 32])| SlipView {
        question: slip.question.clone(),
        choice: slip.choice.clone(),
        salt: hex::encode(slip.salt),
        salt_part: hex::encode(part),
        sha256: hex::encode(hash),
    };
    Ok(Receipt {
        ballot_id: ballot.clone(),
        own_sha256: hex::encode(paper.own),
        slips: paper.drawn.iter().zip(&hashes).map(view).collect(),
        receipt: polling.sign(&receipt_text(ballot, &hashes))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_made_and_nothing_else_is_one() {
        let ballot: BallotId = "ballot_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap();
        let key = zeroize::Zeroizing::new([1; 32]);
        let text = token(&key, &ballot, 17).unwrap();
        let (id, number, code) = read_token(&text).unwrap();
        assert_eq!((id, number), (ballot.clone(), 17));
        assert!(is_link_code(&key, &ballot, 17, &code).unwrap());
        assert!(text.len() <= CODE_LENGTH_MAX);
        for other in [
            "",
            "a.b.c",
            "ballot_01jd3n8f5teqkrzvq1c0m6h2ax.17",
            "ballot_01jd3n8f5teqkrzvq1c0m6h2ax.x.AAAA",
        ] {
            assert!(read_token(other).is_none(), "{other}");
        }
        assert!(read_token(&format!("{text}.x")).is_none());
    }
}
