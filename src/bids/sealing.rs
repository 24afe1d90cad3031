//! The form of a sealed bid: an age v1 file to the recipient of its book, in binary, its content padded to steps of 64 KiB. Functions of
//! bytes and keys alone; nothing here knows a database, a time or a request.
//!
//! What a ciphertext says about its recipient is nothing: an X25519 stanza has a fresh ephemeral share and a wrapped key, and without the
//! identity it looks the same whoever it is for. So an arriving file is checked for its form, and whether it was sealed to this book
//! shows at the opening. A bidder who wants to be able to reopen their own seals to the book and to a recipient of their own.
//!
//! The header's MAC is made with the file key and cannot hold for two of them, so whoever opens a file by its file key sees what
//! whoever opened it by the identity has seen.

use std::cell::RefCell;
use std::io::Read;

use age::secrecy::ExposeSecret;
use age::{DecryptError, Decryptor, Identity};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use zeroize::Zeroizing;

use crate::books::recipients;
use crate::kernel::refusal::{Kind, Reason, Refusal};
use crate::text;

/// The step to whose multiples a bid is padded, in bytes; also what age encrypts at a time.
pub const STEP_BYTES: usize = 65_536;
/// The longest content of a sealed bid, in bytes.
pub const CONTENT_BYTES_MAX: usize = STEPS_MAX * STEP_BYTES;
/// The longest header that is read, in bytes. One stanza takes about a hundred; age's own parser begins anew with each line, so a header
/// without end would be work without end.
pub const HEADER_BYTES_MAX: usize = 4_096;
/// The longest sealed bid, in bytes.
pub const SEALED_BYTES_MAX: usize = HEADER_BYTES_MAX + NONCE_BYTES + STEPS_MAX * (STEP_BYTES + TAG_BYTES);
/// The longest file that may arrive, in bytes: armor writes 48 bytes on a line of 65.
pub const ARRIVING_BYTES_MAX: usize = SEALED_BYTES_MAX / 48 * 65 + 1_024;
/// To how many recipients one bid may be sealed: the book, and the bidder's own.
pub const RECIPIENTS_MAX: usize = 8;

const STEPS_MAX: usize = 16;
const NONCE_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
/// An ephemeral share in base 64 without padding.
const SHARE_CHARACTERS: usize = 43;
/// A wrapped file key: the key and a tag.
const WRAPPED_BYTES: usize = FILE_KEY_BYTES + TAG_BYTES;
const MAGIC: &[u8] = b"age-encryption.org/v1\n";
const ARMOR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
/// What comes before the MAC, at the header's end.
const HEADER_END: &[u8] = b"\n--- ";
/// The tag of the stanzas that are read.
const X25519: &str = "X25519";
/// How the tags of stanzas end that some programs add for no other purpose than to be skipped.
const GREASE: &str = "-grease";

/// Nothing arrived.
pub static SEALED_EMPTY: Reason = Reason::new(
    Kind::Invalid,
    "sealed_bid_empty",
    "密封投标为空",
    "The sealed bid is empty",
);
/// More than the longest sealed bid.
pub static SEALED_TOO_LARGE: Reason = Reason::new(
    Kind::TooLarge,
    "sealed_bid_too_large",
    "密封投标过大",
    "The sealed bid is too large",
);
/// It begins as armor and does not go on as such.
pub static SEALED_ARMOR_BROKEN: Reason = Reason::new(
    Kind::Invalid,
    "sealed_bid_armor_broken",
    "密封投标的 ASCII 封装已损坏",
    "The armor of the sealed bid is broken",
);
/// It is no age file of the version that is read.
pub static SEALED_NOT_AGE: Reason = Reason::new(
    Kind::Invalid,
    "sealed_bid_not_age",
    "不是 age v1 文件",
    "It is not an age v1 file",
);
/// Its header cannot be read.
pub static SEALED_HEADER_BROKEN: Reason = Reason::new(
    Kind::Invalid,
    "sealed_bid_header_broken",
    "密封投标的文件头已损坏或过长",
    "The header of the sealed bid is broken, or too long",
);
/// It is sealed to what is no X25519 recipient: a passphrase, an SSH key, a plugin.
pub static SEALED_FOREIGN_RECIPIENT: Reason = Reason::new(
    Kind::Invalid,
    "sealed_bid_foreign_recipient",
    "密封投标只能使用 age1… 接收方（X25519），不得使用口令、SSH 密钥或插件",
    "A bid is sealed to age1… recipients (X25519) only, not to a passphrase, an SSH key or a plugin",
);
/// It is sealed to more recipients than a bid may be.
pub static SEALED_RECIPIENTS_TOO_MANY: Reason = Reason::new(
    Kind::Invalid,
    "sealed_bid_recipients_too_many",
    "密封投标的接收方过多",
    "The bid is sealed to too many recipients",
);
/// Its length cannot be that of a whole file.
pub static SEALED_TRUNCATED: Reason = Reason::new(
    Kind::Invalid,
    "sealed_bid_truncated",
    "密封投标不完整",
    "The sealed bid is cut short",
);

/// The reasons of this file, in the order in which they are checked.
pub static REASONS: [&Reason; 8] = [
    &SEALED_EMPTY,
    &SEALED_TOO_LARGE,
    &SEALED_ARMOR_BROKEN,
    &SEALED_NOT_AGE,
    &SEALED_HEADER_BROKEN,
    &SEALED_FOREIGN_RECIPIENT,
    &SEALED_RECIPIENTS_TOO_MANY,
    &SEALED_TRUNCATED,
];

/// Why a bid cannot be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// What should be the recipient is none.
    #[error("the recipient is not an age X25519 recipient (age1…)")]
    Recipient,
    /// The content is longer than [`CONTENT_BYTES_MAX`].
    #[error("the content is longer than {CONTENT_BYTES_MAX} bytes")]
    TooLong,
    /// The system gave no randomness.
    #[error("the content could not be encrypted")]
    Encryption,
}

/// Why a sealed bid cannot be opened. What the bid then says, or does not, is not judged here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unopenable {
    /// It was not sealed to this key: to another book, or to nobody.
    #[error("it was not sealed to this key")]
    WrongKey,
    /// The header is none, or was changed after sealing.
    #[error("its header is broken")]
    HeaderBroken,
    /// The content was changed or cut short after sealing.
    #[error("its content is broken")]
    ContentBroken,
    /// It is longer than a sealed bid may be.
    #[error("it is too large")]
    TooLarge,
}

impl Unopenable {
    /// The name in records and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WrongKey => "not_to_this_book",
            Self::HeaderBroken => "header_broken",
            Self::ContentBroken => "content_broken",
            Self::TooLarge => "too_large",
        }
    }
}

/// The key of one file: whoever has it can open that file, and no other.
#[derive(Clone, PartialEq, Eq)]
pub struct OneFileKey(Zeroizing<[u8; FILE_KEY_BYTES]>);

impl OneFileKey {
    /// As it is published once its bid is open: 32 digits of base 16, lower case.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0.as_slice())
    }

    /// The key of its published form; `None` if that is not 32 digits of base 16.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut key = Zeroizing::new([0; FILE_KEY_BYTES]);
        hex::decode_to_slice(text, key.as_mut_slice()).ok()?;
        Some(Self(key))
    }

    fn of(key: &FileKey) -> Self {
        Self(Zeroizing::new(*key.expose_secret()))
    }

    fn file_key(&self) -> FileKey {
        FileKey::new(Box::new(*self.0))
    }
}

impl std::fmt::Debug for OneFileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OneFileKey(…)")
    }
}

/// An opened bid.
#[derive(Debug, PartialEq, Eq)]
pub struct Opened {
    /// What it says, without its padding.
    pub content: Vec<u8>,
    /// The key by which anybody can reopen these very bytes.
    pub file_key: OneFileKey,
}

/// Seals a bid to a book. The content is JSON, after which blanks mean nothing: it is padded with blanks to a multiple of
/// [`STEP_BYTES`], so that its length tells little of what it says, and what any program decrypts is still JSON.
///
/// # Errors
/// The recipient is none; the content is too long; no randomness.
pub fn seal(content: &[u8], recipient: &str) -> Result<Vec<u8>, SealError> {
    let recipient = recipients::recipient(recipient).ok_or(SealError::Recipient)?;
    if content.len() > CONTENT_BYTES_MAX {
        return Err(SealError::TooLong);
    }
    let steps = content.len().div_ceil(STEP_BYTES).max(1);
    let mut padded = Zeroizing::new(Vec::with_capacity(steps.saturating_mul(STEP_BYTES)));
    padded.extend_from_slice(content);
    padded.resize(steps.saturating_mul(STEP_BYTES), b' ');
    age::encrypt(&recipient, &padded).map_err(|_| SealError::Encryption)
}

/// Checks the form of an arriving file, binary or armored, without opening it; gives it in binary, as it is stored and hashed.
///
/// # Errors
/// The first of [`REASONS`] that applies.
pub fn arrived(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    if bytes.is_empty() {
        return Err(SEALED_EMPTY.refuse());
    }
    let too_large = || {
        SEALED_TOO_LARGE.because(text!(
            "最多 {SEALED_BYTES_MAX} 字节",
            "at most {SEALED_BYTES_MAX} bytes"
        ))
    };
    if bytes.len() > ARRIVING_BYTES_MAX {
        return Err(too_large());
    }
    let binary = if bytes.starts_with(ARMOR) {
        dearmored(bytes)?
    } else {
        bytes.to_vec()
    };
    if binary.len() > SEALED_BYTES_MAX {
        return Err(too_large());
    }
    if !binary.starts_with(MAGIC) {
        return Err(SEALED_NOT_AGE.refuse());
    }
    let (header, payload) = parts(&binary).ok_or_else(|| SEALED_HEADER_BROKEN.refuse())?;
    stanzas_fit(header)?;
    if !length_fits(payload.len()) {
        return Err(SEALED_TRUNCATED.refuse());
    }
    Ok(binary)
}

fn dearmored(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut binary = Vec::new();
    let limit = u64::try_from(SEALED_BYTES_MAX).unwrap_or(u64::MAX);
    age::armor::ArmoredReader::new(bytes)
        .take(limit.saturating_add(1))
        .read_to_end(&mut binary)
        .map_err(|_| SEALED_ARMOR_BROKEN.refuse())?;
    Ok(binary)
}

/// The header with its last line, and what comes after it; `None` if it does not end within what is read.
fn parts(binary: &[u8]) -> Option<(&[u8], &[u8])> {
    let window = binary.get(..HEADER_BYTES_MAX.min(binary.len()))?;
    let mac = window
        .windows(HEADER_END.len())
        .position(|bytes| bytes == HEADER_END)?
        .checked_add(HEADER_END.len())?;
    let line = window.get(mac..)?.iter().position(|byte| *byte == b'\n')?;
    binary.split_at_checked(mac.checked_add(line)?.checked_add(1)?)
}

/// Age's own parser reads the header, so that what is accepted here is what will be read at the opening.
fn stanzas_fit(header: &[u8]) -> Result<(), Refusal> {
    let broken = || SEALED_HEADER_BROKEN.refuse();
    let witness = Listing(RefCell::new(Vec::new()));
    let nonce = [0; NONCE_BYTES];
    let decryptor = Decryptor::new_buffered(header.chain(nonce.as_slice()));
    let identity: &dyn Identity = &witness;
    let outcome = decryptor
        .map_err(|_| broken())?
        .decrypt(std::iter::once(identity));
    if !matches!(outcome, Err(DecryptError::NoMatchingKeys)) {
        return Err(broken());
    }
    let seen = witness.0.into_inner();
    if seen.contains(&Seen::Foreign) {
        return Err(SEALED_FOREIGN_RECIPIENT.refuse());
    }
    if seen.contains(&Seen::Broken) {
        return Err(broken());
    }
    let recipients = seen.iter().filter(|one| **one == Seen::Fitting).count();
    if recipients == 0 {
        return Err(SEALED_FOREIGN_RECIPIENT.refuse());
    }
    if recipients > RECIPIENTS_MAX {
        return Err(SEALED_RECIPIENTS_TOO_MANY.refuse());
    }
    Ok(())
}

/// Whether what follows a header can be a nonce and whole pieces: each has its content and a tag, only the last may be shorter, and it
/// is empty only if there is nothing else.
fn length_fits(payload: usize) -> bool {
    let Some(pieces) = payload.checked_sub(NONCE_BYTES) else {
        return false;
    };
    let last = pieces % (STEP_BYTES + TAG_BYTES);
    if pieces < STEP_BYTES + TAG_BYTES {
        last >= TAG_BYTES
    } else {
        last == 0 || last > TAG_BYTES
    }
}

/// Opens a sealed bid with the identity of its book.
///
/// # Errors
/// The reason why not.
pub fn open(sealed: &[u8], identity: &age::x25519::Identity) -> Result<Opened, Unopenable> {
    let recording = Recording {
        identity,
        file_key: RefCell::new(None),
    };
    let content = decrypted(sealed, &recording)?;
    let file_key = recording.file_key.into_inner().ok_or(Unopenable::WrongKey)?;
    Ok(Opened { content, file_key })
}

/// Opens a sealed bid with the key of this one file, as the record of an opening gives it.
///
/// # Errors
/// The reason why not; a key of another file shows as a broken header.
pub fn reopen(sealed: &[u8], file_key: &OneFileKey) -> Result<Vec<u8>, Unopenable> {
    decrypted(sealed, file_key)
}

fn decrypted(sealed: &[u8], identity: &dyn Identity) -> Result<Vec<u8>, Unopenable> {
    if sealed.len() > SEALED_BYTES_MAX {
        return Err(Unopenable::TooLarge);
    }
    let (header, payload) = parts(sealed).ok_or(Unopenable::HeaderBroken)?;
    let decryptor = Decryptor::new_buffered(header.chain(payload)).map_err(|error| match error {
        DecryptError::Io(_) => Unopenable::ContentBroken,
        _ => Unopenable::HeaderBroken,
    })?;
    let mut reader = decryptor
        .decrypt(std::iter::once(identity))
        .map_err(|error| match error {
            DecryptError::NoMatchingKeys => Unopenable::WrongKey,
            _ => Unopenable::HeaderBroken,
        })?;
    let mut content = Vec::with_capacity(payload.len());
    reader
        .read_to_end(&mut content)
        .map_err(|_| Unopenable::ContentBroken)?;
    let end = content.iter().rposition(|byte| !is_blank(*byte));
    content.truncate(end.map_or(0, |last| last.saturating_add(1)));
    Ok(content)
}

/// What JSON calls insignificant. Whoever seals with another program may pad with any of it.
const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// What a stanza turned out to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// A well-formed X25519 stanza.
    Fitting,
    /// One that is not.
    Broken,
    /// To be skipped, as it was meant.
    Grease,
    /// Of another kind.
    Foreign,
}

/// Opens nothing, and keeps what it was shown.
struct Listing(RefCell<Vec<Seen>>);

impl Identity for Listing {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        let share_fits = match stanza.args.as_slice() {
            [share] => share.len() == SHARE_CHARACTERS && decodes(share),
            _ => false,
        };
        let seen = match stanza.tag.as_str() {
            X25519 if share_fits && stanza.body.len() == WRAPPED_BYTES => Seen::Fitting,
            X25519 => Seen::Broken,
            tag if tag.ends_with(GREASE) => Seen::Grease,
            _ => Seen::Foreign,
        };
        self.0.borrow_mut().push(seen);
        None
    }
}

fn decodes(share: &str) -> bool {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(share)
        .is_ok()
}

/// Opens with an identity, and keeps the file key that came of it.
struct Recording<'i> {
    identity: &'i age::x25519::Identity,
    file_key: RefCell<Option<OneFileKey>>,
}

impl Identity for Recording<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        // A file may be sealed to others too, and a stanza of theirs that is broken is none of this book's.
        let unwrapped = self.identity.unwrap_stanza(stanza)?.ok()?;
        *self.file_key.borrow_mut() = Some(OneFileKey::of(&unwrapped));
        Some(Ok(unwrapped))
    }
}

/// Whatever the stanzas are, this is the key; the header's MAC says whether it is.
impl Identity for OneFileKey {
    fn unwrap_stanza(&self, _: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        Some(Ok(self.file_key()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    /// Made by the `age` of a distribution, version 1.1.1.
    const BY_AGE: &[u8] = include_bytes!("../../tests/fixtures/bid_sealed_by_age.age");
    const BY_AGE_ARMORED: &[u8] = include_bytes!("../../tests/fixtures/bid_sealed_by_age.armored.age");
    const KEY: &str = include_str!("../../tests/fixtures/bid_opening.key");

    fn fixture_identity() -> age::x25519::Identity {
        KEY.lines().last().unwrap().parse().unwrap()
    }

    fn code(bytes: &[u8]) -> &'static str {
        arrived(bytes).unwrap_err().reason.code
    }

    fn to(recipients: &[&age::x25519::Recipient], content: &[u8]) -> Vec<u8> {
        let all = recipients
            .iter()
            .copied()
            .map(|one| -> &dyn age::Recipient { one });
        let mut sealed = Vec::new();
        let mut writer = age::Encryptor::with_recipients(all)
            .unwrap()
            .wrap_output(&mut sealed)
            .unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap();
        sealed
    }

    /// The end of the header, and the piece after it.
    fn cut(sealed: &[u8]) -> usize {
        parts(sealed).unwrap().0.len()
    }

    #[test]
    fn what_was_sealed_opens_and_its_file_key_reopens_it_and_nothing_else() {
        let identity = age::x25519::Identity::generate();
        let recipient = identity.to_public().to_string();
        for length in [0, 1, STEP_BYTES - 1, STEP_BYTES, STEP_BYTES + 1] {
            let content = vec![b'x'; length];
            let sealed = seal(&content, &recipient).unwrap();
            assert_eq!(arrived(&sealed).unwrap(), sealed, "{length}");
            let opened = open(&sealed, &identity).unwrap();
            assert_eq!(opened.content, content);
            let key = OneFileKey::from_hex(&opened.file_key.to_hex()).unwrap();
            assert_eq!(reopen(&sealed, &key).unwrap(), content);
            let other = seal(&content, &recipient).unwrap();
            assert_eq!(reopen(&other, &key), Err(Unopenable::HeaderBroken));
        }
        assert_eq!(seal(b"{}", "age1nobody"), Err(SealError::Recipient));
        assert_eq!(
            seal(&vec![0; CONTENT_BYTES_MAX + 1], &recipient),
            Err(SealError::TooLong)
        );
        let largest = seal(&vec![b'x'; CONTENT_BYTES_MAX], &recipient).unwrap();
        assert!(largest.len() <= SEALED_BYTES_MAX && arrived(&largest).is_ok());
        assert!(OneFileKey::from_hex("00").is_none() && OneFileKey::from_hex(&"g".repeat(32)).is_none());
    }

    #[test]
    fn bids_of_one_step_are_of_one_length_but_for_what_age_adds_to_be_skipped() {
        let recipient = age::x25519::Identity::generate().to_public().to_string();
        let payload = |content: &[u8]| {
            let sealed = seal(content, &recipient).unwrap();
            sealed.len() - cut(&sealed)
        };
        assert_eq!(payload(b"{}"), payload(&vec![b'7'; STEP_BYTES]));
        assert!(payload(b"{}") < payload(&vec![b'7'; STEP_BYTES + 1]));
    }

    #[test]
    fn a_file_of_the_distributions_age_is_accepted_and_opened_binary_and_armored() {
        let identity = fixture_identity();
        assert_eq!(arrived(BY_AGE).unwrap(), BY_AGE);
        for file in [BY_AGE, BY_AGE_ARMORED] {
            let opened = open(&arrived(file).unwrap(), &identity).unwrap();
            assert!(opened.content.starts_with(b"{\"lot_id\":") && opened.content.ends_with(b"}"));
        }
    }

    #[test]
    fn what_is_no_sealed_bid_is_refused_with_its_reason() {
        let identity = age::x25519::Identity::generate();
        let recipient = identity.to_public();
        let sealed = seal(b"{}", &recipient.to_string()).unwrap();
        assert_eq!(code(b""), "sealed_bid_empty");
        assert_eq!(code(&vec![0; ARRIVING_BYTES_MAX + 1]), "sealed_bid_too_large");
        assert_eq!(
            code(&[&sealed[..], &vec![0; SEALED_BYTES_MAX]].concat()),
            "sealed_bid_too_large"
        );
        assert_eq!(code(&BY_AGE_ARMORED[..200]), "sealed_bid_armor_broken");
        assert_eq!(code(b"{\"price\": 1}"), "sealed_bid_not_age");
        let later = String::from_utf8_lossy(&BY_AGE[..100]).replace("/v1", "/v2");
        assert_eq!(code(later.as_bytes()), "sealed_bid_not_age");
        assert_eq!(code(&sealed[..cut(&sealed) - 1]), "sealed_bid_header_broken");
        let endless = [MAGIC, "-> X25519 a\n\n".repeat(400).as_bytes(), &sealed].concat();
        assert_eq!(code(&endless), "sealed_bid_header_broken");
        // A share that is shorter than one.
        let text = String::from_utf8_lossy(&BY_AGE[..cut(BY_AGE)]).into_owned();
        let share = text.lines().nth(1).unwrap().to_owned();
        let short = [
            text.replace(&share, &share[..share.len() - 4]).as_bytes(),
            &[0; 32],
        ]
        .concat();
        assert_eq!(code(&short), "sealed_bid_header_broken");
        let foreign = [text.replace("X25519", "ssh-rsa").as_bytes(), &[0; 32]].concat();
        assert_eq!(code(&foreign), "sealed_bid_foreign_recipient");
        let secret = age::secrecy::SecretString::from("seven plane trees".to_owned());
        let mut by_passphrase = Vec::new();
        let mut locked = age::scrypt::Recipient::new(secret);
        locked.set_work_factor(2);
        let passphrase: &dyn age::Recipient = &locked;
        let encryptor = age::Encryptor::with_recipients(std::iter::once(passphrase));
        let mut writer = encryptor.unwrap().wrap_output(&mut by_passphrase).unwrap();
        writer.write_all(b"{}").unwrap();
        writer.finish().unwrap();
        assert_eq!(code(&by_passphrase), "sealed_bid_foreign_recipient");
        let many = to(&[&recipient; RECIPIENTS_MAX + 1], b"{}");
        assert_eq!(code(&many), "sealed_bid_recipients_too_many");
        let end = cut(&sealed);
        for length in [end, end + 15, end + 31, sealed.len() - STEP_BYTES - 1] {
            assert_eq!(code(&sealed[..length]), "sealed_bid_truncated", "{length}");
        }
    }

    #[test]
    fn what_was_changed_or_is_anothers_does_not_open_and_says_why() {
        let (identity, other) = (
            age::x25519::Identity::generate(),
            age::x25519::Identity::generate(),
        );
        let sealed = seal(b"{\"price\":1}", &identity.to_public().to_string()).unwrap();
        assert_eq!(open(&sealed, &other), Err(Unopenable::WrongKey));
        assert_eq!(open(b"nonsense", &identity), Err(Unopenable::HeaderBroken));
        assert_eq!(
            open(&vec![0; SEALED_BYTES_MAX + 1], &identity),
            Err(Unopenable::TooLarge)
        );
        let end = cut(&sealed);
        let mut swapped = seal(b"{\"price\":2}", &identity.to_public().to_string()).unwrap();
        // The header of one bid before the content of another.
        swapped.splice(..cut(&swapped), sealed[..end].iter().copied());
        assert_eq!(open(&swapped, &identity), Err(Unopenable::ContentBroken));
        let mut longer = sealed.clone();
        longer.push(0);
        assert_eq!(open(&longer, &identity), Err(Unopenable::ContentBroken));
        for at in [end - 3, end + 2, end + 40, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(open(&changed, &identity).is_err(), "{at}");
        }
        let opened = open(&sealed, &identity).unwrap();
        assert_eq!(
            reopen(&sealed[..sealed.len() - 1], &opened.file_key),
            Err(Unopenable::ContentBroken)
        );
        // Sealed to the bidder's own key as well: both open it, and with one file key.
        let both = to(&[&other.to_public(), &identity.to_public()], b"{}  \n");
        let both = arrived(&both).unwrap();
        assert_eq!(open(&both, &identity), open(&both, &other));
        assert_eq!(open(&both, &identity).unwrap().content, b"{}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nonsense_is_never_accepted_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let identity = fixture_identity();
            prop_assert!(arrived(&bytes).is_err());
            prop_assert!(open(&bytes, &identity).is_err());
            let with_magic = [MAGIC, &bytes].concat();
            prop_assert!(open(&with_magic, &identity).is_err());
            let _ = arrived(&with_magic);
        }

        #[test]
        fn a_file_with_a_changed_byte_is_refused_or_does_not_open(
            at in 0..BY_AGE.len(), bit in 0..8_u8, keep in 0..=BY_AGE.len(), armored in any::<bool>(),
        ) {
            let identity = fixture_identity();
            let mut changed = if armored { BY_AGE_ARMORED.to_vec() } else { BY_AGE.to_vec() };
            changed[at] ^= 1 << bit;
            for file in [&changed[..], &changed[..keep], &BY_AGE[..keep]] {
                // What arrives whole opens to what was sealed, or not at all: never to anything else.
                if let Ok(binary) = arrived(file)
                    && let Ok(opened) = open(&binary, &identity) {
                    prop_assert_eq!(opened.content, open(BY_AGE, &identity).unwrap().content);
                }
            }
        }

        #[test]
        fn whatever_length_it_has_it_comes_back(length in 0..2_000_usize) {
            let identity = fixture_identity();
            let content = vec![b'1'; length];
            let sealed = seal(&content, &identity.to_public().to_string()).unwrap();
            prop_assert_eq!(open(&arrived(&sealed).unwrap(), &identity).unwrap().content, content);
        }
    }
}
