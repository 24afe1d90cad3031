//! Keys that are shared among witnesses: an identity is split once, so many of so many shares give it back and fewer tell nothing, and
//! each share is sealed to one witness's own recipient. Functions of keys and bytes; the identity and its shares live in memory only
//! as long as one of these functions runs.
//!
//! # What is public of a share, and why that tells nothing
//!
//! When a single share is handed in, it has to be told whether it is the one that was sealed, or else a wrong one would only show
//! when nothing opens, and not whose it was. So SHA-256 of every share is published with the book. A share's bytes are uniformly random
//! to whoever has fewer than the threshold of the others, so its hash is that of 74 unknown bytes; and to whoever lacks only one, a guess
//! at the identity gives a guess at the missing share, which the hash confirms no sooner than the published recipient does: 256 bits
//! either way. The hash is salted with book and number, so that no two are ever alike.
//!
//! # Why nobody hands in a share to rehearse
//!
//! Whoever has collected as many shares as it takes can open early, be it the service itself. So a rehearsal is shown with a word: 32
//! random bytes that are sealed in the same file as the share, and of which the service keeps the hash alone. Whoever has the word has
//! opened the file, and the share lies beside it. That the shares give the identity back is tried when it is split, with the very shares
//! that are sealed, on the canary; witnesses who want to see it for themselves combine theirs with `wardbook share rehearse` on a machine
//! of their own.

use age::secrecy::{ExposeSecret, SecretString};
use age::x25519::{Identity, Recipient};
use blahaj::{Share as Points, Sharks};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::books::rules::BookId;
use crate::kernel::id;
use crate::kernel::refusal::Fault;

/// Bytes of a share: its number, and one byte for each of the identity's.
const SHARE_BYTES: usize = 75;
/// Bytes of a word.
const WORD_BYTES: usize = 32;
/// The first line of a share's sheet, and what its hash begins with.
const SHEET_KIND: &str = "wardbook/opening-share/v1";
/// The first line of a canary.
const CANARY_KIND: &str = "wardbook/opening-canary/v1";
/// Bytes of a sheet that is read.
pub const SHEET_BYTES_MAX: usize = 2_048;
/// Bytes of a sealed canary or share that is read.
pub const SEALED_BYTES_MAX: usize = 8_192;

/// A share of an identity.
#[derive(Clone, PartialEq, Eq)]
pub struct Share(Zeroizing<Vec<u8>>);

impl Share {
    /// The share of its form in base 16; `None` if that is not of a share's length, or its number is zero: at zero lies the secret
    /// itself, and no share.
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(hex::decode(text).ok()?);
        Self::from_bytes(bytes)
    }

    /// The share of its bytes, as [`Self::from_hex`].
    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Option<Self> {
        let fits = bytes.len() == SHARE_BYTES && bytes.first().is_some_and(|number| *number != 0);
        fits.then_some(Self(bytes))
    }

    /// As a witness hands it in.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0.as_slice()))
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Which one it is, counted from 1.
    pub fn number(&self) -> u8 {
        self.0.first().copied().unwrap_or_default()
    }

    /// What is published of it.
    pub fn commitment(&self, book: &BookId) -> [u8; 32] {
        Sha256::new()
            .chain_update(SHEET_KIND)
            .chain_update("\n")
            .chain_update(book.as_str())
            .chain_update("\n")
            .chain_update(self.0.as_slice())
            .finalize()
            .into()
    }
}

/// Whether two hashes are the same; takes as long whatever differs.
pub fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.iter()
        .zip(other)
        .fold(0, |differing, (a, b)| differing | (a ^ b))
        == 0
}

/// The hash of a rehearsal's word; `None` for what is no word.
pub fn word_sha256(word: &str) -> Option<[u8; 32]> {
    let mut bytes = Zeroizing::new([0_u8; WORD_BYTES]);
    hex::decode_to_slice(word, bytes.as_mut_slice()).ok()?;
    Some(Sha256::digest(bytes.as_slice()).into())
}

/// Why shares do not give the identity back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryError {
    /// Fewer different shares than it takes.
    #[error("it takes more different shares")]
    TooFew,
    /// What they give is not the identity of the recipient.
    #[error("these shares do not give the identity of this recipient")]
    Wrong,
}

/// A share, sealed to its witness.
pub struct SealedShare {
    /// Which one it is, counted from 1.
    pub number: u8,
    /// What is published of it.
    pub commitment: [u8; 32],
    /// SHA-256 of the word that shows that it could be opened.
    pub word_sha256: [u8; 32],
    /// An age file to the witness.
    pub sealed: Vec<u8>,
}

/// An identity that nobody has any more.
pub struct SharedKey {
    /// To whom bids are sealed.
    pub recipient: String,
    /// An age file to that recipient, of which everybody knows what it says.
    pub canary: Vec<u8>,
    /// A share for each witness, in their order.
    pub shares: Vec<SealedShare>,
}

/// Makes an identity for a book, splits it, seals each share to its witness, tries them on a canary, and forgets the identity.
///
/// # Errors
/// A fault if there is no randomness, or the shares do not do what they are for; never for another number of witnesses than 2 to 9.
pub fn make(book: &BookId, threshold: u8, witnesses: &[Recipient]) -> Result<SharedKey, Fault> {
    let count = u8::try_from(witnesses.len()).unwrap_or(u8::MAX);
    if !(2..=9).contains(&count) || !(2..=count).contains(&threshold) {
        return Err(Fault::broken(format!(
            "a key for {threshold} of {count} witnesses"
        )));
    }
    let identity = Identity::generate();
    let recipient = identity.to_public().to_string();
    let canary = age::encrypt(&identity.to_public(), canary_content(book, &recipient).as_bytes())
        .map_err(|error| Fault::caused("seal a canary", error))?;
    let shares = split(&identity.to_string(), threshold, count)?;
    drop(identity);
    let needed = usize::from(threshold);
    for tried in shares.windows(needed) {
        let back = recover(tried, threshold, &recipient)
            .map_err(|error| Fault::caused("an opening key was split", error))?;
        if !opens_canary(&back, book, &recipient, &canary) {
            return Err(Fault::broken("an opening key does not open its canary"));
        }
    }
    let sealed = shares.iter().zip(witnesses).map(|(share, witness)| {
        let word = Zeroizing::new(id::random::<WORD_BYTES>()?);
        let sheet = sheet(book, &recipient, share, &word);
        let sealed =
            age::encrypt(witness, sheet.as_bytes()).map_err(|error| Fault::caused("seal a share", error))?;
        Ok(SealedShare {
            number: share.number(),
            commitment: share.commitment(book),
            word_sha256: Sha256::digest(word.as_slice()).into(),
            sealed,
        })
    });
    let sealed: Vec<SealedShare> = sealed.collect::<Result<_, Fault>>()?;
    Ok(SharedKey {
        recipient,
        canary,
        shares: sealed,
    })
}

/// Splits once: shares of two polynomials for one secret would be worth nothing together.
fn split(secret: &SecretString, threshold: u8, count: u8) -> Result<Vec<Share>, Fault> {
    let dealer = Sharks(threshold).dealer(secret.expose_secret().as_bytes());
    let shares: Vec<Share> = dealer
        .take(usize::from(count))
        .filter_map(|points| Share::from_bytes(Zeroizing::new(Vec::from(&points))))
        .collect();
    // The crate's numbers are to be 1, 2, 3 …: none at zero, none twice.
    if shares.iter().map(Share::number).eq(1..=count) {
        Ok(shares)
    } else {
        Err(Fault::broken(
            "an opening key was split into other shares than were asked for",
        ))
    }
}

/// The identity that shares give back. More than it takes may be given; the same one twice counts once.
///
/// # Errors
/// Too few; others than those of the recipient's identity.
pub fn recover(shares: &[Share], threshold: u8, recipient: &str) -> Result<Identity, RecoveryError> {
    let mut different: Vec<&Share> = Vec::new();
    for share in shares {
        // The crate takes a number twice, and gives anything at all.
        if !different.iter().any(|known| known.number() == share.number()) {
            different.push(share);
        }
    }
    let needed = different
        .get(..usize::from(threshold))
        .ok_or(RecoveryError::TooFew)?;
    let points: Result<Vec<Points>, _> = needed
        .iter()
        .map(|share| Points::try_from(share.bytes()))
        .collect();
    let points = points.map_err(|_| RecoveryError::Wrong)?;
    let secret = Sharks(threshold)
        .recover(&points)
        .map_err(|_| RecoveryError::TooFew)?;
    let secret = Zeroizing::new(secret);
    let text = std::str::from_utf8(&secret).map_err(|_| RecoveryError::Wrong)?;
    let identity: Identity = text.parse().map_err(|_| RecoveryError::Wrong)?;
    if identity.to_public().to_string() == recipient {
        Ok(identity)
    } else {
        Err(RecoveryError::Wrong)
    }
}

fn canary_content(book: &BookId, recipient: &str) -> String {
    format!("{CANARY_KIND}\n{book}\n{recipient}\n")
}

/// Whether an identity opens a book's canary, and that says what it is known to say.
pub fn opens_canary(identity: &Identity, book: &BookId, recipient: &str, canary: &[u8]) -> bool {
    canary.len() <= SEALED_BYTES_MAX
        && age::decrypt(identity, canary)
            .is_ok_and(|content| content == canary_content(book, recipient).as_bytes())
}

/// What is sealed to a witness: lines that a person can read, because the program that opens it may be any.
fn sheet(book: &BookId, recipient: &str, share: &Share, word: &[u8; WORD_BYTES]) -> Zeroizing<String> {
    let (share, word) = (share.to_hex(), Zeroizing::new(hex::encode(word)));
    Zeroizing::new(format!(
        "{SHEET_KIND}\nbook: {book}\nrecipient: {recipient}\nshare: {}\nword: {}\n",
        share.as_str(),
        word.as_str()
    ))
}

/// What a witness finds in the file that was sealed to them.
pub struct Sheet {
    /// The book.
    pub book: BookId,
    /// To whom its bids are sealed.
    pub recipient: String,
    /// The share: for the opening, and for nothing before.
    pub share: Share,
    /// The word: for the rehearsal.
    pub word: String,
}

impl Sheet {
    /// Reads a sheet; `None` for what is none.
    pub fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if text.len() > SHEET_BYTES_MAX || lines.next() != Some(SHEET_KIND) {
            return None;
        }
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(": ");
        let sheet = Self {
            book: field("book")?.parse().ok()?,
            recipient: field("recipient")?.to_owned(),
            share: Share::from_hex(field("share")?)?,
            word: field("word")?.to_owned(),
        };
        word_sha256(&sheet.word)?;
        Some(sheet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::clock::Clock;
    use proptest::prelude::*;

    fn book() -> BookId {
        BookId::mint(Clock::system().now())
    }

    /// A key for so many witnesses, and their sheets.
    fn shared(book: &BookId, threshold: u8, count: usize) -> (SharedKey, Vec<Sheet>) {
        let witnesses: Vec<Identity> = (0..count).map(|_| Identity::generate()).collect();
        let recipients: Vec<Recipient> = witnesses.iter().map(Identity::to_public).collect();
        let key = make(book, threshold, &recipients).unwrap();
        let sheets = key.shares.iter().zip(&witnesses).map(|(share, witness)| {
            let opened = age::decrypt(witness, &share.sealed).unwrap();
            Sheet::read(std::str::from_utf8(&opened).unwrap()).unwrap()
        });
        let sheets = sheets.collect();
        (key, sheets)
    }

    #[test]
    fn so_many_witnesses_as_it_takes_open_and_fewer_do_not() {
        let book = book();
        for (threshold, count) in [(2, 2), (2, 3), (3, 5), (9, 9)] {
            let (key, sheets) = shared(&book, threshold, count);
            let shares: Vec<Share> = sheets.iter().map(|sheet| sheet.share.clone()).collect();
            let identity = recover(&shares, threshold, &key.recipient).unwrap();
            assert!(opens_canary(&identity, &book, &key.recipient, &key.canary));
            let last = shares.get(count - usize::from(threshold)..).unwrap();
            assert!(recover(last, threshold, &key.recipient).is_ok());
            let fewer = shares.get(1..usize::from(threshold)).unwrap();
            assert_eq!(
                recover(fewer, threshold, &key.recipient).err(),
                Some(RecoveryError::TooFew)
            );
            for ((sheet, sealed), number) in sheets.iter().zip(&key.shares).zip(1..) {
                assert_eq!((sealed.number, sheet.share.number()), (number, number));
                assert!(same(&sheet.share.commitment(&book), &sealed.commitment));
                assert_eq!(word_sha256(&sheet.word), Some(sealed.word_sha256));
                assert_eq!((&sheet.book, &sheet.recipient), (&book, &key.recipient));
            }
        }
    }

    #[test]
    fn a_share_at_zero_a_repeated_one_and_a_wrong_one_never_pass_for_an_identity() {
        let book = book();
        let (key, sheets) = shared(&book, 2, 3);
        let shares: Vec<Share> = sheets.iter().map(|sheet| sheet.share.clone()).collect();
        let mut zero = hex::decode(shares[0].to_hex().as_str()).unwrap();
        zero[0] = 0;
        assert!(Share::from_hex(&hex::encode(&zero)).is_none());
        assert!(Share::from_hex("").is_none() && Share::from_hex("0g").is_none());
        assert!(Share::from_hex(&"ab".repeat(SHARE_BYTES - 1)).is_none());
        let twice = [shares[0].clone(), shares[0].clone()];
        assert_eq!(
            recover(&twice, 2, &key.recipient).err(),
            Some(RecoveryError::TooFew)
        );
        // The same number with other bytes is the same share, and the first one counts.
        let mut other = zero.clone();
        other[0] = 1;
        other[5] ^= 1;
        let other = Share::from_hex(&hex::encode(other)).unwrap();
        assert!(!same(&other.commitment(&book), &key.shares[0].commitment));
        assert!(!same(
            &shares[0].commitment(&super::tests::book()),
            &key.shares[0].commitment
        ));
        let wrong = [other.clone(), shares[1].clone(), shares[0].clone()];
        assert_eq!(
            recover(&wrong, 2, &key.recipient).err(),
            Some(RecoveryError::Wrong)
        );
        // Shares of two keys.
        let (second, strangers) = shared(&book, 2, 3);
        let mixed = [shares[0].clone(), strangers[1].share.clone()];
        assert_eq!(
            recover(&mixed, 2, &key.recipient).err(),
            Some(RecoveryError::Wrong)
        );
        let whole: Vec<Share> = strangers.iter().map(|sheet| sheet.share.clone()).collect();
        assert_eq!(
            recover(&whole, 2, &key.recipient).err(),
            Some(RecoveryError::Wrong)
        );
        assert!(recover(&whole, 2, &second.recipient).is_ok());
        let identity = recover(&shares, 2, &key.recipient).unwrap();
        assert!(!opens_canary(&identity, &book, &key.recipient, &second.canary));
    }

    #[test]
    fn there_is_no_key_for_one_witness_or_none() {
        let book = book();
        let witnesses = [Identity::generate().to_public(), Identity::generate().to_public()];
        for (threshold, count) in [(1, 2), (3, 2), (1, 1), (0, 0)] {
            assert!(make(&book, threshold, witnesses.get(..count).unwrap()).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_text_is_taken_for_a_share_or_a_sheet_by_accident(text in "[0-9a-f]{0,200}", lines in "(\\PC|\n){0,200}") {
            if let Some(share) = Share::from_hex(&text) {
                let written = share.to_hex();
                prop_assert_eq!(written.as_str(), text.as_str());
            }
            prop_assert!(Sheet::read(&lines).is_none());
            let headed = format!("{SHEET_KIND}\n{lines}");
            prop_assert!(Sheet::read(&headed).is_none());
            if let Some(hash) = word_sha256(&text) {
                prop_assert!(text.len() == 64 && same(&hash, &hash));
            }
        }
    }
}
