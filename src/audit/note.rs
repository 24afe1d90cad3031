//! Signed notes (c2sp.org/signed-note) and the checkpoints they carry (c2sp.org/tlog-checkpoint).
//!
//! Only Ed25519 keys (signature type 0x01) are known. This file must never hand out text that no
//! known key has signed, never accept two spellings of the same note part, and never show a seed.

use super::tree::Hash;
use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use std::{collections::HashSet, fmt, str::FromStr};
use thiserror::Error;

/// The longest note that is read, in bytes. The specification wants room for 16 signatures at the
/// least, some of them of nearly 5 kB.
pub const NOTE_BYTES_MAX: usize = 1 << 20;

/// The largest number of signatures on one note.
pub const SIGNATURES_MAX: usize = 100;

/// The signature type of Ed25519 keys in signed notes.
const ED25519: u8 = 0x01;

/// Why a key is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Not of the form `name+keyid+base64`.
    #[error("a verifier key has the form name+keyid+key")]
    Shape,
    /// An empty name, or one with a space, a plus or a control character.
    #[error("the name of a key must not be empty nor hold spaces, plus or control characters")]
    Name,
    /// The key is not canonical base64.
    #[error("the key is not base64")]
    Base64,
    /// The key is of a type other than Ed25519.
    #[error("the key is not an Ed25519 key (type 0x01)")]
    Algorithm,
    /// The bytes are not a usable Ed25519 public key.
    #[error("the key is not a valid Ed25519 public key")]
    Point,
    /// The key id is not the one that follows from name and key, so something was mistyped.
    #[error("the key id does not belong to this name and key")]
    KeyId,
}

/// Why a note is refused. The variants are in the order of the checks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES_MAX`].
    #[error("the note is too long")]
    TooLong,
    /// Not UTF-8.
    #[error("the note is not UTF-8")]
    NotUtf8,
    /// A control character other than newline.
    #[error("the note holds a control character")]
    ControlCharacter,
    /// The text does not end in a newline (when signing).
    #[error("the text does not end in a newline")]
    TextUnended,
    /// No blank line between text and signatures.
    #[error("no blank line separates text and signatures")]
    NoBlankLine,
    /// The last signature line does not end in a newline, or there is none.
    #[error("the signatures do not end in a newline")]
    SignaturesUnended,
    /// More than [`SIGNATURES_MAX`] signatures.
    #[error("the note has too many signatures")]
    TooManySignatures,
    /// A signature line that is not `— name base64`; lines are counted from 1.
    #[error("signature line {0} is malformed")]
    MalformedSignature(usize),
    /// A known key has signed twice.
    #[error("the key {0} has signed twice")]
    DuplicateSignature(String),
    /// The signature of a known key is wrong.
    #[error("the signature of {0} does not verify")]
    WrongSignature(String),
    /// No known key has signed.
    #[error("no signature by a known key")]
    NoKnownSignature,
}

/// A private key that signs notes under a name.
pub struct Signer {
    verifier: Verifier,
    key: SigningKey,
}

impl Signer {
    /// The signer with this name and Ed25519 seed.
    ///
    /// # Errors
    /// [`KeyError::Name`] if the name cannot be a key name.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = Verifier::new(name, key.verifying_key())?;
        Ok(Self { verifier, key })
    }

    /// The name under which it signs.
    #[must_use]
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    /// The public half, to give away.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The note with this text and one signature.
    ///
    /// # Errors
    /// [`NoteError::ControlCharacter`] or [`NoteError::TextUnended`] if no note can carry the text.
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        check_characters(text)?;
        if !text.ends_with('\n') {
            return Err(NoteError::TextUnended);
        }
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        let blob = [&self.verifier.key_id[..], &signature].concat();
        Ok(format!("{text}\n— {} {}\n", self.name(), BASE64.encode(blob)))
    }

    /// The signed checkpoint of a log whose origin is the name of this key.
    ///
    /// # Errors
    /// Those of [`Signer::sign`], which no checkpoint runs into: a key name holds nothing that a
    /// note may not.
    pub fn sign_checkpoint(&self, size: u64, root: Hash) -> Result<String, NoteError> {
        self.sign(
            &Checkpoint {
                origin: self.name().to_owned(),
                size,
                root,
            }
            .to_string(),
        )
    }
}

impl fmt::Debug for Signer {
    /// Shows the public half only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("verifier", &self.verifier)
            .finish_non_exhaustive()
    }
}

/// A public key that verifies notes, written `name+keyid+base64(0x01 ‖ key)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    key_id: [u8; 4],
    key: VerifyingKey,
}

impl Verifier {
    fn new(name: &str, key: VerifyingKey) -> Result<Self, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Name);
        }
        if key.is_weak() {
            return Err(KeyError::Point);
        }
        let digest: Hash = Sha256::new()
            .chain_update(name)
            .chain_update([b'\n', ED25519])
            .chain_update(key.as_bytes())
            .finalize()
            .into();
        let [a, b, c, d, ..] = digest;
        Ok(Self {
            name: name.to_owned(),
            key_id: [a, b, c, d],
            key,
        })
    }

    /// The name of the key, which for a log is its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ key), c2sp.org/signed-note.
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// The text of a note that this key has signed; see [`open`].
    ///
    /// # Errors
    /// Those of [`open`].
    pub fn open<'n>(&self, note: &'n [u8]) -> Result<&'n str, NoteError> {
        open(note, std::slice::from_ref(self))
    }

    /// The checkpoint in a note that this key has signed, of the log that bears the key's name.
    ///
    /// # Errors
    /// In this order: those of [`open`], those of [`Checkpoint::parse`],
    /// [`CheckpointError::ForeignOrigin`].
    pub fn open_checkpoint(&self, note: &[u8]) -> Result<Checkpoint, CheckpointError> {
        let checkpoint = Checkpoint::parse(self.open(note)?)?;
        if checkpoint.origin != self.name {
            return Err(CheckpointError::ForeignOrigin(checkpoint.origin));
        }
        Ok(checkpoint)
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blob = [&[ED25519][..], self.key.as_bytes()].concat();
        write!(
            f,
            "{}+{}+{}",
            self.name,
            hex::encode(self.key_id),
            BASE64.encode(blob)
        )
    }
}

impl FromStr for Verifier {
    type Err = KeyError;

    fn from_str(line: &str) -> Result<Self, KeyError> {
        // Base64 may itself hold a plus, so only the first two separate.
        let (name, rest) = line.split_once('+').ok_or(KeyError::Shape)?;
        let (key_id, blob) = rest.split_once('+').ok_or(KeyError::Shape)?;
        let blob = BASE64.decode(blob).map_err(|_| KeyError::Base64)?;
        let Some((&ED25519, key)) = blob.split_first() else {
            return Err(KeyError::Algorithm);
        };
        let key = key.try_into().map_err(|_| KeyError::Point)?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| KeyError::Point)?;
        let verifier = Self::new(name, key)?;
        if hex::encode(verifier.key_id) != key_id {
            return Err(KeyError::KeyId);
        }
        Ok(verifier)
    }
}

/// The text of a note, final newline included, once at least one of the `known` keys has signed it
/// and no signature by a known key is wrong.
///
/// Signatures by other keys are ignored, as long as their lines are well formed. A known key that
/// signs twice is refused, which the specification leaves open: two signatures by one key never
/// have an honest reason.
///
/// # Errors
/// [`NoteError`], in the order of its variants; signatures are judged line by line.
pub fn open<'n>(note: &'n [u8], known: &[Verifier]) -> Result<&'n str, NoteError> {
    if note.len() > NOTE_BYTES_MAX {
        return Err(NoteError::TooLong);
    }
    let note = std::str::from_utf8(note).map_err(|_| NoteError::NotUtf8)?;
    check_characters(note)?;
    // The text may hold blank lines of its own: the last one separates.
    let end = note.rfind("\n\n").ok_or(NoteError::NoBlankLine)?;
    let (text, signatures) = note.split_at(end + 1);
    let signatures = signatures
        .strip_prefix('\n')
        .and_then(|lines| lines.strip_suffix('\n'))
        .ok_or(NoteError::SignaturesUnended)?;
    let lines = parse_signatures(signatures)?;
    let mut signed = HashSet::new();
    for line in lines {
        let Some((place, key)) = known.iter().enumerate().find(|(_, key)| line.is_by(key)) else {
            continue;
        };
        if !signed.insert(place) {
            return Err(NoteError::DuplicateSignature(key.name.clone()));
        }
        let signature = Signature::from_slice(&line.signature);
        let verified = signature.and_then(|it| key.key.verify_strict(text.as_bytes(), &it));
        verified.map_err(|_| NoteError::WrongSignature(key.name.clone()))?;
    }
    if signed.is_empty() {
        return Err(NoteError::NoKnownSignature);
    }
    Ok(text)
}

/// One signature line, `— name base64(key id ‖ signature)`.
struct SignatureLine<'n> {
    name: &'n str,
    key_id: [u8; 4],
    signature: Vec<u8>,
}

impl<'n> SignatureLine<'n> {
    fn parse(line: &'n str) -> Option<Self> {
        let (name, blob) = line.strip_prefix("— ")?.split_once(' ')?;
        let blob = BASE64.decode(blob).ok()?;
        let (key_id, signature) = blob.split_first_chunk::<4>()?;
        (is_key_name(name) && !signature.is_empty()).then(|| Self {
            name,
            key_id: *key_id,
            signature: signature.to_vec(),
        })
    }

    /// Name and id together say which key it is; either alone says nothing.
    fn is_by(&self, key: &Verifier) -> bool {
        self.name == key.name && self.key_id == key.key_id
    }
}

fn parse_signatures(lines: &str) -> Result<Vec<SignatureLine<'_>>, NoteError> {
    if lines.split('\n').count() > SIGNATURES_MAX {
        return Err(NoteError::TooManySignatures);
    }
    lines
        .split('\n')
        .zip(1..)
        .map(|(line, number)| SignatureLine::parse(line).ok_or(NoteError::MalformedSignature(number)))
        .collect()
}

fn check_characters(text: &str) -> Result<(), NoteError> {
    if text.chars().any(|it| it < ' ' && it != '\n') {
        return Err(NoteError::ControlCharacter);
    }
    Ok(())
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|it: char| it.is_whitespace() || it == '+' || it < ' ')
}

/// The head of a log: how many entries it has and the root over them (c2sp.org/tlog-checkpoint).
/// `Display` writes the text of the note: three lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log it is: one line, not empty.
    pub origin: String,
    /// The number of entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

/// Why a checkpoint is refused. The variants are in the order of the checks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// The note around it is refused.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text does not end in a newline.
    #[error("the text does not end in a newline")]
    Unended,
    /// The first line is empty.
    #[error("the origin is empty")]
    Origin,
    /// The second line is not a decimal number without leading zeroes.
    #[error("the tree size is not a number")]
    Size,
    /// The third line is not the base64 of 32 bytes.
    #[error("the root is not a hash in base64")]
    Root,
    /// An extension line is empty.
    #[error("an extension line is empty")]
    Extension,
    /// It is the checkpoint of another log.
    #[error("the checkpoint is of another log: {0:?}")]
    ForeignOrigin(String),
}

impl Checkpoint {
    /// Reads the text of a checkpoint note. Extension lines are passed over.
    ///
    /// # Errors
    /// [`CheckpointError`], in the order of its variants.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text
            .strip_suffix('\n')
            .ok_or(CheckpointError::Unended)?
            .split('\n');
        let origin = lines
            .next()
            .filter(|it| !it.is_empty())
            .ok_or(CheckpointError::Origin)?;
        let size = lines.next().and_then(decimal).ok_or(CheckpointError::Size)?;
        let root = lines.next().and_then(hash).ok_or(CheckpointError::Root)?;
        if lines.any(str::is_empty) {
            return Err(CheckpointError::Extension);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
        })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, BASE64.encode(self.root))
    }
}

/// A decimal number in ASCII digits without leading zeroes.
pub(super) fn decimal(digits: &str) -> Option<u64> {
    let canonical = digits == "0" || !digits.starts_with('0');
    let ascii = digits.bytes().all(|it| it.is_ascii_digit());
    (canonical && ascii).then(|| digits.parse().ok()).flatten()
}

/// A hash in canonical base64.
pub(super) fn hash(base64: &str) -> Option<Hash> {
    BASE64.decode(base64).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use signed_note::Verifier as _;

    const NAME: &str = "ward.example/audit";

    fn signer() -> Signer {
        Signer::new(NAME, &[7; 32]).unwrap()
    }

    fn other_signer() -> Signer {
        Signer::new("witness.example/auditor", &[8; 32]).unwrap()
    }

    /// The signature lines of a note.
    fn signatures(note: &str) -> &str {
        note.rsplit_once("\n\n").unwrap().1
    }

    fn malformed(line: &str) -> Result<String, NoteError> {
        let note = format!("{}{line}\n", signer().sign("text\n").unwrap());
        signer().verifier().open(note.as_bytes()).map(str::to_owned)
    }

    #[test]
    fn the_other_implementation_reads_our_notes() {
        let key = signer().verifier().to_string();
        let theirs = signed_note::StandardVerifier::new(&key).unwrap();
        assert_eq!(theirs.key_id().to_be_bytes(), signer().verifier().key_id());
        let known = signed_note::VerifierList::new(vec![Box::new(theirs)]);
        for text in ["one\n", "two\n\nparagraphs\n", "\n", "街道\n"] {
            let note = signer().sign(text).unwrap();
            let read = signed_note::Note::from_bytes(note.as_bytes()).unwrap();
            assert_eq!(read.verify(&known).unwrap().0.len(), 1);
            assert_eq!(read.text(), text.as_bytes());
            assert_eq!(signer().verifier().open(note.as_bytes()), Ok(text));
        }
    }

    #[test]
    fn we_read_the_notes_of_the_other_implementation() {
        let key = SigningKey::from_bytes(&[9; 32]);
        let line = signed_note::new_ed25519_verifier_key("log.example", &key.verifying_key());
        let verifier: Verifier = line.parse().unwrap();
        assert_eq!(verifier.to_string(), line);
        let blob = BASE64.encode([&[ED25519][..], &[9; 32]].concat());
        let id = hex::encode(verifier.key_id());
        let secret = format!("PRIVATE+KEY+log.example+{id}+{blob}");
        let theirs = signed_note::StandardSigner::new(&secret).unwrap();
        let mut note = signed_note::Note::new(b"text\n\nmore\n", &[]).unwrap();
        note.add_sigs(&[&theirs]).unwrap();
        assert_eq!(verifier.open(&note.to_bytes()), Ok("text\n\nmore\n"));
    }

    #[test]
    fn checkpoints_are_read_alike_on_both_sides() {
        let text = Checkpoint {
            origin: NAME.to_owned(),
            size: 70_000,
            root: [5; 32],
        }
        .to_string();
        let theirs = tlog_tiles::Checkpoint::from_bytes(text.as_bytes()).unwrap();
        assert_eq!(
            (theirs.origin(), theirs.size(), theirs.hash().0),
            (NAME, 70_000, [5; 32])
        );
        assert_eq!(theirs.to_bytes(), text.as_bytes());
        let note = signer().sign_checkpoint(70_000, [5; 32]).unwrap();
        let read = signer().verifier().open_checkpoint(note.as_bytes()).unwrap();
        assert_eq!(read.to_string(), text);
    }

    #[test]
    fn every_flipped_bit_of_a_checkpoint_is_noticed() {
        let note = signer().sign_checkpoint(70_000, [5; 32]).unwrap();
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut flipped = note.clone().into_bytes();
                flipped[at] ^= 1 << bit;
                assert!(
                    signer().verifier().open_checkpoint(&flipped).is_err(),
                    "byte {at}"
                );
            }
        }
        for length in 0..note.len() {
            let cut = &note.as_bytes()[..length];
            assert!(
                signer().verifier().open_checkpoint(cut).is_err(),
                "length {length}"
            );
        }
    }

    #[test]
    fn every_flipped_bit_of_a_verifier_key_is_noticed() {
        let line = signer().verifier().to_string();
        assert_eq!(line.parse::<Verifier>().as_ref(), Ok(signer().verifier()));
        for at in 0..line.len() {
            for bit in 0..7 {
                let mut flipped = line.clone().into_bytes();
                flipped[at] ^= 1 << bit;
                let flipped = String::from_utf8(flipped).unwrap();
                assert!(flipped.parse::<Verifier>().is_err(), "{flipped}");
            }
        }
    }

    #[test]
    fn a_key_that_is_none_is_refused_with_its_reason() {
        let parse = |line: &str| line.parse::<Verifier>().unwrap_err();
        let good = signer().verifier().to_string();
        assert_eq!(parse("name"), KeyError::Shape);
        assert_eq!(parse("name+00000000"), KeyError::Shape);
        assert_eq!(parse("name+00000000+!"), KeyError::Base64);
        assert_eq!(parse("name+00000000+"), KeyError::Algorithm);
        assert_eq!(parse("name+00000000+AgAA"), KeyError::Algorithm);
        assert_eq!(parse("name+00000000+AQAA"), KeyError::Point);
        // The neutral element, under which anyone could sign anything.
        let weak = [&[ED25519, 1][..], &[0; 31]].concat();
        assert_eq!(
            parse(&format!("name+00000000+{}", BASE64.encode(weak))),
            KeyError::Point
        );
        assert_eq!(parse(&good.replace(NAME, "a b")), KeyError::Name);
        assert_eq!(parse(&good.replace(NAME, "")), KeyError::Name);
        assert_eq!(parse(&good.replace(NAME, "ward.example/other")), KeyError::KeyId);
        for name in ["", "a b", "a+b", "a\nb", "a\u{3000}b", "a\u{1}b"] {
            assert_eq!(Signer::new(name, &[7; 32]).unwrap_err(), KeyError::Name);
        }
    }

    #[test]
    fn unknown_keys_are_ignored_and_known_ones_are_all_checked() {
        let (ours, theirs) = (signer(), other_signer());
        let note = ours.sign("text\n").unwrap();
        let cosigned = format!("{note}{}", signatures(&theirs.sign("text\n").unwrap()));
        let disagreeing = format!("{note}{}", signatures(&theirs.sign("other\n").unwrap()));
        let both = [ours.verifier().clone(), theirs.verifier().clone()];
        assert_eq!(ours.verifier().open(cosigned.as_bytes()), Ok("text\n"));
        assert_eq!(theirs.verifier().open(cosigned.as_bytes()), Ok("text\n"));
        assert_eq!(open(cosigned.as_bytes(), &both), Ok("text\n"));
        assert_eq!(ours.verifier().open(disagreeing.as_bytes()), Ok("text\n"));
        let refusal = Err(NoteError::WrongSignature(theirs.name().to_owned()));
        assert_eq!(open(disagreeing.as_bytes(), &both), refusal);
        let unknown = theirs.verifier().open(note.as_bytes());
        assert_eq!(unknown, Err(NoteError::NoKnownSignature));
        // Same name, other key.
        let namesake = Signer::new(NAME, &[1; 32]).unwrap();
        let unknown = namesake.verifier().open(note.as_bytes());
        assert_eq!(unknown, Err(NoteError::NoKnownSignature));
        assert_eq!(open(note.as_bytes(), &[]), Err(NoteError::NoKnownSignature));
    }

    #[test]
    fn a_known_key_must_not_sign_twice() {
        let note = signer().sign("text\n").unwrap();
        let twice = format!("{note}{}", signatures(&note));
        let refusal = Err(NoteError::DuplicateSignature(NAME.to_owned()));
        assert_eq!(signer().verifier().open(twice.as_bytes()), refusal);
    }

    #[test]
    fn one_malformed_signature_line_refuses_the_whole_note() {
        let good = "— name AAAAAAA=";
        assert_eq!(malformed(good), Ok("text\n".to_owned()));
        for bad in [
            "— name",
            "— name ",
            "— name AAAAAA==",
            "— name AAAAAAA",
            "— name AAAAAAB=",
            "— na me AAAAAAA=",
            "— name AAAAAAA= ",
            "— na+me AAAAAAA=",
            "—  AAAAAAA=",
            "- name AAAAAAA=",
            "—name AAAAAAA=",
            " — name AAAAAAA=",
            "— na\u{2003}me AAAAAAA=",
        ] {
            assert_eq!(malformed(bad), Err(NoteError::MalformedSignature(2)), "{bad}");
        }
    }

    #[test]
    fn a_note_out_of_shape_is_refused_with_its_reason() {
        let open = |note: &[u8]| signer().verifier().open(note).map(str::to_owned).unwrap_err();
        let note = signer().sign("text\n").unwrap();
        assert_eq!(open(&vec![b'a'; NOTE_BYTES_MAX + 1]), NoteError::TooLong);
        assert_eq!(open(b"\xff\n\n"), NoteError::NotUtf8);
        assert_eq!(
            open(note.replace('t', "\t").as_bytes()),
            NoteError::ControlCharacter
        );
        assert_eq!(
            open(note.replace('\n', "\r\n").as_bytes()),
            NoteError::ControlCharacter
        );
        assert_eq!(open(b""), NoteError::NoBlankLine);
        assert_eq!(
            open(note.replace("\n\n", "\n").as_bytes()),
            NoteError::NoBlankLine
        );
        assert_eq!(open(b"text\n\n"), NoteError::SignaturesUnended);
        assert_eq!(open(note.trim_end().as_bytes()), NoteError::SignaturesUnended);
        let filler = "— name AAAAAAA=\n";
        let crowded = format!("{note}{}", filler.repeat(SIGNATURES_MAX));
        assert_eq!(open(crowded.as_bytes()), NoteError::TooManySignatures);
        let full = format!("{note}{}", filler.repeat(SIGNATURES_MAX - 1));
        assert_eq!(signer().verifier().open(full.as_bytes()), Ok("text\n"));
        assert_eq!(signer().sign("text"), Err(NoteError::TextUnended));
        assert_eq!(signer().sign("te\txt\n"), Err(NoteError::ControlCharacter));
    }

    #[test]
    fn a_checkpoint_out_of_shape_is_refused_with_its_reason() {
        let root = BASE64.encode([5; 32]);
        let parse = |text: String| Checkpoint::parse(&text).map(|it| it.size);
        assert_eq!(parse(format!("log\n7\n{root}\n")), Ok(7));
        assert_eq!(parse(format!("log\n0\n{root}\n")), Ok(0));
        assert_eq!(parse(format!("log\n7\n{root}\nextension\nmore\n")), Ok(7));
        assert_eq!(parse(format!("log\n{}\n{root}\n", u64::MAX)), Ok(u64::MAX));
        assert_eq!(parse(format!("log\n7\n{root}")), Err(CheckpointError::Unended));
        assert_eq!(parse(String::new()), Err(CheckpointError::Unended));
        assert_eq!(parse(format!("\n7\n{root}\n")), Err(CheckpointError::Origin));
        for size in [
            "",
            "07",
            "00",
            "+7",
            "-7",
            " 7",
            "7 ",
            "7x",
            "０",
            "18446744073709551616",
        ] {
            let refused = parse(format!("log\n{size}\n{root}\n"));
            assert_eq!(refused, Err(CheckpointError::Size), "{size}");
        }
        assert_eq!(parse("log\n".to_owned()), Err(CheckpointError::Size));
        assert_eq!(parse("log\n7\n".to_owned()), Err(CheckpointError::Root));
        for bad in [
            "",
            "AAAA",
            &root[..43],
            &root.replace('=', ""),
            &format!("{root} "),
        ] {
            assert_eq!(
                parse(format!("log\n7\n{bad}\n")),
                Err(CheckpointError::Root),
                "{bad}"
            );
        }
        assert_eq!(
            parse(format!("log\n7\n{root}\n\n")),
            Err(CheckpointError::Extension)
        );
    }

    #[test]
    fn a_key_vouches_only_for_the_log_that_bears_its_name() {
        let text = Checkpoint {
            origin: "log.example".to_owned(),
            size: 1,
            root: [5; 32],
        };
        let note = signer().sign(&text.to_string()).unwrap();
        let refused = signer().verifier().open_checkpoint(note.as_bytes());
        assert_eq!(
            refused,
            Err(CheckpointError::ForeignOrigin("log.example".to_owned()))
        );
    }

    #[test]
    fn a_signer_shows_its_seed_to_nobody() {
        let shown = format!("{:?} {:#?}", signer(), signer());
        assert!(!shown.contains("7, 7") && !shown.contains("0707"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_text_a_note_can_carry_comes_back(lines in prop::collection::vec("[^\\x00-\\x1f]{0,20}", 0..8)) {
            let text = lines.join("\n") + "\n";
            let note = signer().sign(&text).unwrap();
            prop_assert_eq!(signer().verifier().open(note.as_bytes()), Ok(text.as_str()));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>(), text in "\\PC{0,80}") {
            prop_assert!(signer().verifier().open(&bytes).is_err());
            prop_assert!(signer().verifier().open(text.as_bytes()).is_err());
            let _ = text.parse::<Verifier>();
            let _ = Checkpoint::parse(&text);
        }
    }
}
