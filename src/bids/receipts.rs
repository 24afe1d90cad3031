//! Receipts: what was received, of which bid, and when, as a note that is signed with the key of the log. One key for both, because
//! everybody knows that key, and the log itself names it in its first entry: a key for receipts alone could be shown to one bidder and
//! denied to the next. A receipt cannot be taken for a checkpoint, whose first line is the name of the log.

use sha2::{Digest, Sha256};

use crate::audit::note::Verifier;
use crate::audit::sequencer::Sequencer;
use crate::bids::rules::{Receipt, read_receipt};
use crate::kernel::refusal::Fault;

/// Signs receipts. Clones share the key.
#[derive(Clone)]
pub struct Notary {
    sequencer: Sequencer,
}

impl Notary {
    /// One that signs with the key of the log.
    pub const fn new(sequencer: Sequencer) -> Self {
        Self { sequencer }
    }

    /// The signed receipt of that text.
    ///
    /// # Errors
    /// A fault if no note can carry it.
    pub fn sign(&self, text: &str) -> Result<String, Fault> {
        self.sequencer.sign_text(text)
    }

    /// A digest that stands for another one and by which nothing can be guessed: for bodies that are nobody's business, under whose
    /// digest a request is remembered. The same for as long as the key of the log is.
    ///
    /// # Errors
    /// As [`Self::sign`].
    pub fn blinded(&self, digest: &[u8; 32]) -> Result<[u8; 32], Fault> {
        let signed = self.sign(&format!("wardbook/digest/v1\n{}\n", hex::encode(digest)))?;
        Ok(Sha256::digest(signed.as_bytes()).into())
    }
}

/// Why a receipt proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoReceipt {
    /// It is not signed with that key.
    #[error("the note does not verify: {0}")]
    Unsigned(#[from] crate::audit::note::NoteError),
    /// It is signed, and is something else.
    #[error("the note is signed, but it is no receipt")]
    SomethingElse,
    /// It is a receipt of other bytes.
    #[error("the receipt is of other bytes than these")]
    OtherBytes,
}

/// Checks a receipt with the published key of the log and, where they are at hand, the sealed bytes. Asks no server.
///
/// # Errors
/// Why it proves nothing.
pub fn verify(note: &[u8], key: &Verifier, sealed: Option<&[u8]>) -> Result<Receipt, NoReceipt> {
    let receipt = read_receipt(key.open(note)?).ok_or(NoReceipt::SomethingElse)?;
    let fits = |bytes: &[u8]| {
        crate::bids::rules::hash(bytes) == receipt.sha256
            && i64::try_from(bytes.len()).is_ok_and(|length| length == receipt.bytes)
    };
    match sealed {
        Some(bytes) if !fits(bytes) => Err(NoReceipt::OtherBytes),
        _ => Ok(receipt),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::note::Signer;
    use crate::bids::rules::{Kind, hash, receipt_text};
    use chrono::{TimeZone, Utc};

    #[test]
    fn a_receipt_verifies_for_its_bytes_and_its_key_alone() {
        let signer = |seed| Signer::new("ward.test/audit", &[seed; 32]).unwrap();
        let notary = Notary::new(Sequencer::new(signer(1)));
        let sealed = b"sealed bytes";
        let text = receipt_text(
            Kind::Sealed,
            &"lot_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            &"bid_01jd3n8f5teqkrzvq1c0m6h2ax".parse().unwrap(),
            (&hash(sealed), 12),
            Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap(),
        );
        let note = notary.sign(&text).unwrap();
        let key = signer(1).verifier().clone();
        let receipt = verify(note.as_bytes(), &key, Some(sealed)).unwrap();
        assert_eq!((receipt.kind, receipt.bytes), (Kind::Sealed, 12));
        assert!(verify(note.as_bytes(), &key, None).is_ok());
        assert_eq!(
            verify(note.as_bytes(), &key, Some(b"other bytes!")),
            Err(NoReceipt::OtherBytes)
        );
        assert!(matches!(
            verify(note.as_bytes(), signer(2).verifier(), None),
            Err(NoReceipt::Unsigned(_))
        ));
        let forged = note.replace("\n12\n", "\n13\n");
        assert!(matches!(
            verify(forged.as_bytes(), &key, None),
            Err(NoReceipt::Unsigned(_))
        ));
        // What the same key signs beside is no receipt, and a receipt is no checkpoint.
        let checkpoint = signer(1).sign_checkpoint(3, [0; 32]).unwrap();
        assert_eq!(
            verify(checkpoint.as_bytes(), &key, None),
            Err(NoReceipt::SomethingElse)
        );
        assert!(key.open_checkpoint(note.as_bytes()).is_err());
        assert!(notary.sign("ward.test/audit\n3\nAAAA\n").is_err());
        assert_ne!(
            notary.blinded(&[0; 32]).unwrap(),
            notary.blinded(&[1; 32]).unwrap()
        );
        assert_eq!(
            notary.blinded(&[1; 32]).unwrap(),
            notary.blinded(&[1; 32]).unwrap()
        );
    }
}
