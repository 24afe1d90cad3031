//! The keys that open bids and that the service keeps. A book's identity is made at its publication and stored encrypted under a key
//! that lies in the key directory and never in the database: a copy of the database alone opens nothing. Whoever has both could open
//! early; that is what keys shared among witnesses are for (`shares.rs`), of which nothing is kept here but the shares that were handed
//! in after the deadline, until the bids are open.

use std::path::Path;

use age::secrecy::ExposeSecret;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::books::rules::BookId;
use crate::books::shares::Share;
use crate::kernel::id;
use crate::kernel::refusal::Fault;
use crate::web::secret_file;

/// Name of the file with the key that identities are encrypted under.
const KEY_FILE: &str = "opening.key";
/// Bytes of a nonce: enough that those drawn by chance never meet.
const NONCE_LENGTH: usize = 24;

/// A fresh opening key of a book.
pub struct OpeningKey {
    /// To whom bids are sealed: `age1…`, public.
    pub recipient: String,
    /// The identity that opens them, encrypted.
    pub sealed: Vec<u8>,
}

/// Who keeps the identities.
pub struct Custody {
    key: Zeroizing<[u8; 32]>,
}

impl Custody {
    /// Reads the key file; makes it at the first start.
    ///
    /// # Errors
    /// A fault if it cannot be read or made.
    pub fn open(directory: &Path) -> Result<Self, Fault> {
        let file = directory.join(KEY_FILE);
        if !file.exists() {
            // If another instance starts at the same moment, the first one's key is everybody's.
            let seed = Zeroizing::new(id::random::<32>()?);
            secret_file::write_if_missing(&file, hex::encode(seed.as_slice()).as_bytes())?;
        }
        Ok(Self {
            key: secret_file::read_seed(&file)?,
        })
    }

    /// A new key for a book.
    ///
    /// # Errors
    /// A fault if the system gives no randomness.
    pub fn make(&self, book: &BookId) -> Result<OpeningKey, Fault> {
        let identity = age::x25519::Identity::generate();
        let secret = identity.to_string();
        let sealed = self.encrypt(book.as_str(), secret.expose_secret().as_bytes())?;
        Ok(OpeningKey {
            recipient: identity.to_public().to_string(),
            sealed,
        })
    }

    /// A share that was handed in, encrypted for the time until as many are there as it takes.
    ///
    /// # Errors
    /// A fault if the system gives no randomness.
    pub fn keep_share(&self, book: &BookId, share: &Share) -> Result<Vec<u8>, Fault> {
        self.encrypt(&of_share(book, share.number()), share.bytes())
    }

    /// The share that was kept under this book and number.
    ///
    /// # Errors
    /// A fault if it was kept with another key, for another book or under another number, or was changed.
    pub fn kept_share(&self, book: &BookId, number: u8, sealed: &[u8]) -> Result<Share, Fault> {
        let bytes = self.decrypt(&of_share(book, number), sealed)?;
        Share::from_bytes(bytes).ok_or_else(|| Fault::broken("what was kept as a share is none"))
    }

    /// The identity of a book, as it was made for it and no other; for its opening, and for nothing before.
    ///
    /// # Errors
    /// A fault if it was made with another key, for another book, or was changed, or does not belong to the recipient.
    pub fn identity(
        &self,
        book: &BookId,
        recipient: &str,
        sealed: &[u8],
    ) -> Result<age::x25519::Identity, Fault> {
        let none = || Fault::broken("what was kept as an opening key is none");
        let opened = self.decrypt(book.as_str(), sealed)?;
        let text = std::str::from_utf8(&opened).map_err(|_| none())?;
        let identity: age::x25519::Identity = text.parse().map_err(|_| none())?;
        if identity.to_public().to_string() == recipient {
            Ok(identity)
        } else {
            Err(Fault::broken("an opening key is not that of its recipient"))
        }
    }

    /// Something else that is kept under the same key, bound to what it is for: `place` is never the id of a book, nor that with a number.
    ///
    /// # Errors
    /// A fault if the system gives no randomness.
    pub fn keep(&self, place: &str, content: &[u8]) -> Result<Vec<u8>, Fault> {
        self.encrypt(place, content)
    }

    /// What was kept for this and nothing else.
    ///
    /// # Errors
    /// A fault if it was kept with another key, for something else, or was changed.
    pub fn kept(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        self.decrypt(place, sealed)
    }

    fn encrypt(&self, place: &str, content: &[u8]) -> Result<Vec<u8>, Fault> {
        let nonce = id::random::<NONCE_LENGTH>()?;
        let content = Payload {
            msg: content,
            aad: place.as_bytes(),
        };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), content);
        let sealed = sealed.map_err(|_| Fault::broken("an opening key could not be encrypted"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn decrypt(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let failed =
            || Fault::broken("an opening key cannot be decrypted; is opening.key the one it was made with?");
        let (nonce, content) = sealed.split_first_chunk::<NONCE_LENGTH>().ok_or_else(failed)?;
        let content = Payload {
            msg: content,
            aad: place.as_bytes(),
        };
        let opened = self.cipher().decrypt(&XNonce::from(*nonce), content);
        Ok(Zeroizing::new(opened.map_err(|_| failed())?))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.key))
    }
}

/// What a kept share is bound to.
fn of_share(book: &BookId, number: u8) -> String {
    format!("{book} {number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::clock::Clock;

    #[test]
    fn a_key_opens_what_was_sealed_to_its_recipient_and_is_good_for_its_book_alone() {
        let directory = tempfile::tempdir().unwrap();
        let custody = Custody::open(directory.path()).unwrap();
        let now = Clock::system().now();
        let (book, other) = (BookId::mint(now), BookId::mint(now));
        let made = custody.make(&book).unwrap();
        assert!(made.recipient.starts_with("age1"));
        let recipient: age::x25519::Recipient = made.recipient.parse().unwrap();
        let bid = age::encrypt(&recipient, b"a bid").unwrap();
        // Another start finds the same key.
        let again = Custody::open(directory.path()).unwrap();
        let identity = again.identity(&book, &made.recipient, &made.sealed).unwrap();
        assert_eq!(age::decrypt(&identity, &bid).unwrap(), b"a bid");
        assert!(custody.identity(&other, &made.recipient, &made.sealed).is_err());
        let second = custody.make(&other).unwrap();
        assert!(
            custody.identity(&other, &made.recipient, &second.sealed).is_err(),
            "not that recipient's"
        );
        let mut broken = made.sealed.clone();
        broken[30] ^= 1;
        assert!(custody.identity(&book, &made.recipient, &broken).is_err());
        assert!(custody.identity(&book, &made.recipient, &[]).is_err());
        let share = Share::from_hex(&format!("02{}", "ab".repeat(74))).unwrap();
        let kept = custody.keep_share(&book, &share).unwrap();
        assert!(custody.kept_share(&book, 2, &kept).unwrap() == share);
        assert!(
            custody.kept_share(&book, 1, &kept).is_err() && custody.kept_share(&other, 2, &kept).is_err()
        );
        let elsewhere = Custody::open(tempfile::tempdir().unwrap().path()).unwrap();
        assert!(elsewhere.identity(&book, &made.recipient, &made.sealed).is_err());
    }
}
