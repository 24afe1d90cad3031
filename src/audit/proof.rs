//! The proof that one entry is in the log, for keeping and checking offline (c2sp.org/tlog-proof).
//!
//! A proof carries its checkpoint verbatim. Nothing in it may be believed before `Proof::verify`
//! has passed, and its extra data not even then, as nobody has signed that.

use super::{
    note::{Checkpoint, CheckpointError, Verifier, decimal, hash},
    tree::{Hash, Mismatch, leaf_hash, verify_inclusion},
};
use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// The first line of every proof.
pub const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The longest path from a leaf to the root of a tree whose size fits in 64 bits.
pub const HASHES_MAX: usize = 64;

/// A proof as it was handed out. `Display` writes the text, `FromStr` reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Data that nobody has signed; empty if there is none.
    pub extra: Vec<u8>,
    /// The place of the entry in the log, from 0.
    pub index: u64,
    /// The siblings from the leaf up to the root's child.
    pub hashes: Vec<Hash>,
    /// The signed note of the checkpoint, verbatim.
    pub checkpoint: String,
}

/// Why a text is not a proof. The variants are in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
    /// No blank line between proof and checkpoint.
    #[error("no blank line separates proof and checkpoint")]
    NoBlankLine,
    /// The first line is not [`HEADER`].
    #[error("the first line is not {HEADER}")]
    Header,
    /// The extra line holds nothing, or not canonical base64.
    #[error("the extra data is not base64")]
    Extra,
    /// The index line is missing, or not a decimal number without leading zeroes.
    #[error("the index is not a number")]
    Index,
    /// More than [`HASHES_MAX`] hashes.
    #[error("the proof has more hashes than any tree needs")]
    TooManyHashes,
    /// A line that is not a hash in base64; hashes are counted from 1.
    #[error("hash {0} is malformed")]
    Hash(usize),
    /// Nothing follows the blank line.
    #[error("the checkpoint is missing")]
    NoCheckpoint,
}

/// Why a proof does not hold. The variants are in the order of the checks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unproved {
    /// The checkpoint is not one that this key has signed for its log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The entry is not at this place in the tree of the checkpoint.
    #[error(transparent)]
    Inclusion(#[from] Mismatch),
}

impl Proof {
    /// Checks that the log with this key has `entry` at [`Proof::index`], and returns the
    /// checkpoint that says so.
    ///
    /// # Errors
    /// [`Unproved`], in the order of its variants.
    pub fn verify(&self, entry: &[u8], log: &Verifier) -> Result<Checkpoint, Unproved> {
        let checkpoint = log.open_checkpoint(self.checkpoint.as_bytes())?;
        let leaf = leaf_hash(entry);
        verify_inclusion(self.index, checkpoint.size, &leaf, &self.hashes, &checkpoint.root)?;
        Ok(checkpoint)
    }
}

/// Checks the text of a proof in one step; see [`Proof::verify`]. The text may be anything at all.
///
/// # Errors
/// [`VerifyError`], in the order of its variants.
pub fn verify(entry: &[u8], proof: &str, log: &Verifier) -> Result<Checkpoint, VerifyError> {
    Ok(proof.parse::<Proof>()?.verify(entry, log)?)
}

/// Why a text does not prove what it should.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// The text is not a proof.
    #[error(transparent)]
    Malformed(#[from] ProofError),
    /// The proof does not hold.
    #[error(transparent)]
    Unproved(#[from] Unproved),
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if !self.extra.is_empty() {
            writeln!(f, "extra {}", BASE64.encode(&self.extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", BASE64.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for Proof {
    type Err = ProofError;

    fn from_str(text: &str) -> Result<Self, ProofError> {
        // None of the lines of the proof itself is empty, so the first empty one ends it.
        let (head, checkpoint) = text.split_once("\n\n").ok_or(ProofError::NoBlankLine)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(ProofError::Header);
        }
        let extra = lines.next_if(|line| line.starts_with("extra "));
        let extra = extra
            .map_or(Some(Vec::new()), parse_extra)
            .ok_or(ProofError::Extra)?;
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal)
            .ok_or(ProofError::Index)?;
        let lines: Vec<&str> = lines.collect();
        if lines.len() > HASHES_MAX {
            return Err(ProofError::TooManyHashes);
        }
        let hashes = lines
            .into_iter()
            .zip(1..)
            .map(|(line, number)| hash(line).ok_or(ProofError::Hash(number)))
            .collect::<Result<_, _>>()?;
        if checkpoint.is_empty() {
            return Err(ProofError::NoCheckpoint);
        }
        Ok(Self {
            extra,
            index,
            hashes,
            checkpoint: checkpoint.to_owned(),
        })
    }
}

/// The extra data, which must not be nothing: without any, the line is left out.
fn parse_extra(line: &str) -> Option<Vec<u8>> {
    let data = BASE64.decode(line.strip_prefix("extra ")?).ok()?;
    (!data.is_empty()).then_some(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{
        note::Signer,
        tree::{Frontier, inclusion_proof},
    };
    use proptest::prelude::*;
    use std::{collections::HashMap, convert::Infallible};

    fn signer() -> Signer {
        Signer::new("ward.example/audit", &[7; 32]).unwrap()
    }

    fn entry(index: u64) -> Vec<u8> {
        format!("entry {index}").into_bytes()
    }

    /// The proof of the entry at `index` in a log of `size` entries.
    fn proof(index: u64, size: u64) -> Proof {
        let (mut frontier, mut nodes) = (Frontier::new(), HashMap::new());
        for at in 0..size {
            let leaf = leaf_hash(&entry(at));
            nodes.insert((0, at), leaf);
            frontier.push(leaf, &mut |level, at, hash| {
                nodes.insert((level, at), hash);
            });
        }
        let mut node = |level, at| Ok::<_, Infallible>(nodes[&(level, at)]);
        Proof {
            extra: Vec::new(),
            index,
            hashes: inclusion_proof(index, size, &mut node).unwrap(),
            checkpoint: signer().sign_checkpoint(size, frontier.root()).unwrap(),
        }
    }

    fn check(text: &str, index: u64) -> Result<u64, VerifyError> {
        verify(&entry(index), text, signer().verifier()).map(|it| it.size)
    }

    #[test]
    fn every_entry_can_be_proved() {
        for size in 1..40 {
            for index in 0..size {
                let text = proof(index, size).to_string();
                assert_eq!(text.parse::<Proof>(), Ok(proof(index, size)));
                assert_eq!(check(&text, index), Ok(size));
            }
        }
    }

    #[test]
    fn the_text_is_that_of_the_specification() {
        let mut proof = proof(1, 2);
        let hash = BASE64.encode(leaf_hash(&entry(0)));
        let note = proof.checkpoint.clone();
        assert_eq!(proof.to_string(), format!("{HEADER}\nindex 1\n{hash}\n\n{note}"));
        proof.extra = b"salt".to_vec();
        let text = format!("{HEADER}\nextra c2FsdA==\nindex 1\n{hash}\n\n{note}");
        assert_eq!(proof.to_string(), text);
        assert_eq!(text.parse::<Proof>(), Ok(proof));
        assert_eq!(check(&text, 1), Ok(2));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let text = proof(5, 11).to_string();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut flipped = text.clone().into_bytes();
                flipped[at] ^= 1 << bit;
                if let Ok(flipped) = String::from_utf8(flipped) {
                    assert!(check(&flipped, 5).is_err(), "{flipped}");
                }
            }
            assert!(text.get(..at).is_none_or(|cut| check(cut, 5).is_err()));
        }
    }

    #[test]
    fn a_proof_holds_for_its_entry_at_its_place_in_its_log_only() {
        let good = proof(5, 11);
        assert_eq!(
            check(&good.to_string(), 4),
            Err(Unproved::from(Mismatch::Root).into())
        );
        for index in (0..14).filter(|index| *index != 5) {
            let moved = Proof {
                index,
                ..good.clone()
            };
            assert!(matches!(
                check(&moved.to_string(), 5),
                Err(VerifyError::Unproved(_))
            ));
        }
        let mut longer = good.clone();
        longer.hashes.push([0; 32]);
        let refusal = Err(Unproved::from(Mismatch::TooLong).into());
        assert_eq!(check(&longer.to_string(), 5), refusal);
        let mut shorter = good.clone();
        shorter.hashes.pop();
        let refusal = Err(Unproved::from(Mismatch::TooShort).into());
        assert_eq!(check(&shorter.to_string(), 5), refusal);
        let checkpoint = proof(5, 12).checkpoint;
        assert!(
            check(
                &Proof {
                    checkpoint,
                    ..good.clone()
                }
                .to_string(),
                5
            )
            .is_err()
        );
        let stranger = Signer::new("ward.example/audit", &[8; 32]).unwrap();
        assert!(good.verify(&entry(5), stranger.verifier()).is_err());
    }

    #[test]
    fn a_text_out_of_shape_is_refused_with_its_reason() {
        let parse = |text: &str| text.parse::<Proof>().map(|it| it.index);
        let hash = BASE64.encode([5; 32]);
        assert_eq!(parse(&format!("{HEADER}\nindex 0\n\nnote")), Ok(0));
        assert_eq!(
            parse(&format!("{HEADER}\nindex 0\n{hash}\n")),
            Err(ProofError::NoBlankLine)
        );
        for bad in ["", "c2sp.org/tlog-proof@v2", " c2sp.org/tlog-proof@v1"] {
            assert_eq!(parse(&format!("{bad}\nindex 0\n\nnote")), Err(ProofError::Header));
        }
        for bad in ["extra ", "extra x", "extra c2FsdA", "extra c2FsdB=="] {
            let text = format!("{HEADER}\n{bad}\nindex 0\n\nnote");
            assert_eq!(parse(&text), Err(ProofError::Extra));
        }
        for bad in [
            "index", "index ", "index 00", "index +1", "index -1", "Index 1", "extra",
        ] {
            let text = format!("{HEADER}\n{bad}\n{hash}\n\nnote");
            assert_eq!(parse(&text), Err(ProofError::Index));
        }
        assert_eq!(parse(&format!("{HEADER}\n\nnote")), Err(ProofError::Index));
        let twice = format!("{HEADER}\nextra AAAA\nextra AAAA\nindex 0\n\nnote");
        assert_eq!(parse(&twice), Err(ProofError::Index));
        let crowded = format!("{HEADER}\nindex 0\n{}\nnote", format!("{hash}\n").repeat(65));
        assert_eq!(parse(&crowded), Err(ProofError::TooManyHashes));
        for bad in ["AAAA", " ", &format!("{hash} "), &hash.replace('=', "")] {
            let text = format!("{HEADER}\nindex 0\n{hash}\n{bad}\n\nnote");
            assert_eq!(parse(&text), Err(ProofError::Hash(2)));
        }
        assert_eq!(
            parse(&format!("{HEADER}\nindex 0\n\n")),
            Err(ProofError::NoCheckpoint)
        );
    }

    proptest! {
        #[test]
        fn a_proof_is_written_and_read_back_the_same(
            extra in any::<Vec<u8>>(),
            index in any::<u64>(),
            hashes in prop::collection::vec(any::<Hash>(), 0..=HASHES_MAX),
            checkpoint in "\\PC{1,40}",
        ) {
            let proof = Proof { extra, index, hashes, checkpoint };
            prop_assert_eq!(proof.to_string().parse::<Proof>(), Ok(proof));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}", tail in "(\\PC{0,20}\n){0,6}") {
            let _ = check(&text, 0);
            let _ = check(&format!("{HEADER}\nindex 0\n{tail}"), 0);
        }
    }
}
