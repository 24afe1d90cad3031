//! Where votes come in: what seals a ballot's key and its papers, and what signs receipts. A ballot's key is made when it is called, kept encrypted under
//! the key that encrypts the opening keys of books, and destroyed when the ballot is counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use actix_web::web;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::audit::recorded::recorded;
use crate::audit::sequencer::Sequencer;
use crate::audit::store_recorded::Recorded;
use crate::ballots::acts::CALLED;
use crate::ballots::rules::{Ballot, BallotId};
use crate::ballots::rules_slips::{is_letter_vouched, is_vouched};
use crate::ballots::rules_terms::changed;
use crate::ballots::store::Voting;
use crate::ballots::store_letters::Letter;
use crate::books::custody::Custody;
use crate::db::conn::Conn;
use crate::kernel::id;
use crate::kernel::refusal::{Answer, Fault};

/// Bytes of a nonce: enough that those drawn by chance never meet.
const NONCE_LENGTH: usize = 24;

/// What links that wait to be sent are sealed as.
const LINK: &str = "a link to a vote";

/// The key of one ballot.
pub type BallotKey = Zeroizing<[u8; 32]>;

/// Calls that are kept in memory at most, so that each vote need not look them up in the log.
const CALLS_KEPT_MAX: usize = 1_000;

/// Marks handlers that take votes.
pub type AtPolling = web::Data<Polling>;

/// Whether the result of a ballot is still held back. What it is about, and so what it waits for, is known to the floor above.
pub type Holds = fn(&mut Conn, &Ballot) -> Answer<bool>;

/// The state shared by all that take and count votes.
pub struct Polling {
    custody: web::Data<Custody>,
    sequencer: Sequencer,
    holds: Holds,
    /// What the log has of calls. No entry of it ever changes.
    calls: Mutex<BTreeMap<BallotId, Vec<Value>>>,
}

impl Polling {
    /// With what keeps keys, what signs the log, and what tells which results are held back.
    pub const fn new(custody: web::Data<Custody>, sequencer: Sequencer, holds: Holds) -> Self {
        Self {
            custody,
            sequencer,
            holds,
            calls: Mutex::new(BTreeMap::new()),
        }
    }

    /// Whether a ballot is counted and what it comes to is still held back from everybody.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn is_held(&self, conn: &mut Conn, ballot: &Ballot) -> Answer<bool> {
        Ok(ballot.counted_at.is_some() && (self.holds)(conn, ballot)?)
    }

    /// What the signed log has of something.
    ///
    /// # Errors
    /// A fault of the database, or if the stored tree is not whole.
    pub fn recorded(&self, conn: &mut Conn, kind: &str, subject: &str) -> Answer<Vec<Recorded>> {
        recorded(conn, self.sequencer.verifier(), kind, subject)
    }

    /// What of a ballot is not as the log has it of its call, by the names that it has there.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn terms_changed(&self, conn: &mut Conn, ballot: &Ballot) -> Answer<Vec<String>> {
        let known = {
            let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.get(&ballot.id).cloned()
        };
        if let Some(called) = known {
            return Ok(changed(ballot, &called)?);
        }
        let called = self.recorded(conn, CALLED, ballot.id.as_str())?;
        let called: Vec<Value> = called.into_iter().map(|entry| entry.data).collect();
        if called.len() == 1 {
            let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            if calls.len() >= CALLS_KEPT_MAX {
                calls.clear();
            }
            calls.insert(ballot.id.clone(), called.clone());
        }
        Ok(changed(ballot, &called)?)
    }

    /// A fresh key for a ballot, as it is stored.
    ///
    /// # Errors
    /// A fault if the system gives no randomness.
    pub fn make_key(&self, ballot: &BallotId) -> Result<Vec<u8>, Fault> {
        let key = Zeroizing::new(id::random::<32>()?);
        self.custody.keep(&place(ballot), key.as_slice())
    }

    /// The key of a ballot that is not counted.
    ///
    /// # Errors
    /// A fault if it is destroyed, or was not made for this ballot and with our key.
    pub fn key(&self, ballot: &Ballot) -> Result<BallotKey, Fault> {
        let gone = || Fault::broken(format!("the key of {} is destroyed", ballot.id));
        let sealed = ballot.sealed_key.as_ref().ok_or_else(gone)?;
        let opened = self.custody.kept(&place(&ballot.id), sealed)?;
        let key: [u8; 32] = opened
            .as_slice()
            .try_into()
            .map_err(|error| Fault::caused("the key of a ballot", error))?;
        Ok(Zeroizing::new(key))
    }

    /// Whether an entry of a roll is what it was when the roll was frozen, by the key of its ballot.
    ///
    /// # Errors
    /// Those of [`Self::key`].
    pub fn vouches_for(&self, ballot: &Ballot, voter: &Voting) -> Result<bool, Fault> {
        let entry = (&voter.entry(), voter.seal());
        is_vouched(&*self.key(ballot)?, &ballot.id, &ballot.roll_sha256, entry)
    }

    /// Whether a letter is kept as it was printed, by the key of its ballot.
    ///
    /// # Errors
    /// Those of [`Self::key`].
    pub fn vouches_for_letter(&self, ballot: &Ballot, letter: &Letter) -> Result<bool, Fault> {
        let Some((printed, seal)) = letter.sealed() else {
            return Ok(false);
        };
        is_letter_vouched(&*self.key(ballot)?, &ballot.id, (&printed, seal))
    }

    /// A link that lets in whoever has it, as it is stored until it is sent.
    ///
    /// # Errors
    /// A fault if the system gives no randomness.
    pub fn sealed_link(&self, path: &str) -> Result<String, Fault> {
        Ok(BASE64_URL_SAFE_NO_PAD.encode(self.custody.keep(LINK, path.as_bytes())?))
    }

    /// A signed receipt.
    ///
    /// # Errors
    /// A fault if no note can carry it.
    pub fn sign(&self, text: &str) -> Result<String, Fault> {
        self.sequencer.sign_text(text)
    }
}

/// The link that was sealed, which is opened when it is sent and not before.
///
/// # Errors
/// A fault if it was sealed with another key, or was changed.
pub fn opened_link(custody: &Custody, sealed: &str) -> Result<String, Fault> {
    let none = || Fault::broken("a sealed link is none");
    let sealed = BASE64_URL_SAFE_NO_PAD.decode(sealed).map_err(|_| none())?;
    let opened = custody.kept(LINK, &sealed)?;
    String::from_utf8(opened.to_vec()).map_err(|_| none())
}

fn place(ballot: &BallotId) -> String {
    format!("the key of {ballot}")
}

/// A paper, encrypted under the ballot's key and bound to its tag.
///
/// # Errors
/// A fault if the system gives no randomness.
pub fn sealed(key: &BallotKey, tag: &[u8; 32], paper: &[u8]) -> Result<Vec<u8>, Fault> {
    let nonce = id::random::<NONCE_LENGTH>()?;
    let cipher = XChaCha20Poly1305::new(&Key::from(**key));
    let content = Payload { msg: paper, aad: tag };
    let sealed = cipher.encrypt(&XNonce::from(nonce), content);
    let sealed = sealed.map_err(|_| Fault::broken("a ballot paper could not be encrypted"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// The paper that was sealed under this key and tag; `None` if it was not, or was changed.
pub fn opened(key: &BallotKey, tag: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, content) = sealed.split_first_chunk::<NONCE_LENGTH>()?;
    let cipher = XChaCha20Poly1305::new(&Key::from(**key));
    let content = Payload {
        msg: content,
        aad: tag,
    };
    cipher
        .decrypt(&XNonce::from(*nonce), content)
        .ok()
        .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paper_opens_under_its_key_and_its_tag_alone() {
        let (key, other) = (Zeroizing::new([1; 32]), Zeroizing::new([2; 32]));
        let paper = sealed(&key, &[3; 32], b"a vote").unwrap();
        assert_eq!(opened(&key, &[3; 32], &paper).unwrap().as_slice(), b"a vote");
        assert!(opened(&other, &[3; 32], &paper).is_none() && opened(&key, &[4; 32], &paper).is_none());
        assert!(opened(&key, &[3; 32], &paper[1..]).is_none() && opened(&key, &[3; 32], b"").is_none());
        assert_ne!(sealed(&key, &[3; 32], b"a vote").unwrap(), paper);
    }
}
