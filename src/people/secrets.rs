//! Secrets that the service hands out, and the keys it needs for them. Of what is handed out only a hash is stored; the keys
//! are derived from one file of the key directory, so that a backup of the database alone opens nothing.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::kernel::id;
use crate::kernel::refusal::Fault;
use crate::web::secret_file;

/// Name of the file that the keys are derived from.
const KEY_FILE: &str = "people.key";
/// Characters of a secret as text: 256 bits in base64url.
pub const SECRET_LENGTH: usize = 43;
/// Bytes of a nonce: enough that those drawn by chance never meet.
const NONCE_LENGTH: usize = 24;
/// Bytes of a device's id.
const DEVICE_ID_LENGTH: usize = 16;

/// A new secret of 256 bits, as text that fits in a link.
///
/// # Errors
/// A fault if the system gives no randomness.
pub fn mint() -> Result<Zeroizing<String>, Fault> {
    let bytes = Zeroizing::new(id::random::<32>()?);
    Ok(Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

/// A new code of six digits.
///
/// # Errors
/// A fault if the system gives no randomness.
pub fn mint_code() -> Result<Zeroizing<String>, Fault> {
    // 2^64 is no multiple of a million, but nearly: no code is likelier than another by more than one in 10^13.
    let number = u64::from_be_bytes(id::random()?) % 1_000_000;
    Ok(Zeroizing::new(format!("{number:06}")))
}

/// What is stored of a secret. It has 256 random bits, so one plain hash is enough.
pub fn hash_of(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Compares without telling by its time where they differ.
pub fn is_equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// The keys of this floor.
pub struct Keys {
    device: Zeroizing<[u8; 32]>,
    codes: Zeroizing<[u8; 32]>,
    sealing: Zeroizing<[u8; 32]>,
}

impl Keys {
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
        let seed = secret_file::read_seed(&file)?;
        Ok(Self {
            device: derived(&seed, "wardbook device token v1")?,
            codes: derived(&seed, "wardbook mailed code v1")?,
            sealing: derived(&seed, "wardbook second factor v1")?,
        })
    }

    /// A token by which a device is known again when this address signs in on it. It lets nobody in: it only keeps guesses that
    /// are made elsewhere from being counted against it.
    ///
    /// # Errors
    /// A fault if the system gives no randomness.
    pub fn device_token(&self, email: &str) -> Result<String, Fault> {
        let device = id::random::<DEVICE_ID_LENGTH>()?;
        let mac = self.device_mac(email, &device)?;
        let token = [device.as_slice(), mac.as_slice()].concat();
        Ok(BASE64_URL_SAFE_NO_PAD.encode(token))
    }

    /// The id of the device that shows this token for this address; none if it is not one of ours for it. The address need not
    /// be anybody's: who asks learns nothing of that.
    ///
    /// # Errors
    /// A fault if the key is unusable.
    pub fn device_of(&self, email: &str, token: &str) -> Result<Option<[u8; DEVICE_ID_LENGTH]>, Fault> {
        let Ok(bytes) = BASE64_URL_SAFE_NO_PAD.decode(token) else {
            return Ok(None);
        };
        let Some((device, mac)) = bytes.split_first_chunk::<DEVICE_ID_LENGTH>() else {
            return Ok(None);
        };
        let expected = self.device_mac(email, device)?;
        Ok(is_equal(mac, &expected).then_some(*device))
    }

    /// What is stored of a code that was sent by mail: it has too few digits for a hash without a key.
    ///
    /// # Errors
    /// A fault if the key is unusable.
    pub fn code_mac(&self, challenge: &str, code: &str) -> Result<[u8; 32], Fault> {
        // A challenge's id has a fixed length.
        mac(&self.codes, &[challenge.as_bytes(), code.as_bytes()])
    }

    /// Encrypts the secret of an account's second factor, or what is kept of an attempt to sign in elsewhere (XChaCha20-Poly1305); it can
    /// be opened for that account, or that attempt, only.
    ///
    /// # Errors
    /// A fault if the system gives no randomness.
    pub fn seal(&self, account: &str, secret: &[u8]) -> Result<Vec<u8>, Fault> {
        let nonce = id::random::<NONCE_LENGTH>()?;
        let content = Payload {
            msg: secret,
            aad: account.as_bytes(),
        };
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), content)
            .map_err(|_| Fault::broken("a secret could not be encrypted"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what [`Self::seal`] made.
    ///
    /// # Errors
    /// A fault if it was made with another key, for another account, or was changed.
    pub fn unseal(&self, account: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let failed =
            || Fault::broken("a secret cannot be decrypted; is people.key the one it was made with?");
        let (nonce, content) = sealed.split_first_chunk::<NONCE_LENGTH>().ok_or_else(failed)?;
        let content = Payload {
            msg: content,
            aad: account.as_bytes(),
        };
        self.cipher()
            .decrypt(&XNonce::from(*nonce), content)
            .map(Zeroizing::new)
            .map_err(|_| failed())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.sealing))
    }

    fn device_mac(&self, email: &str, device: &[u8]) -> Result<[u8; 32], Fault> {
        mac(&self.device, &[device, email.as_bytes()])
    }
}

fn derived(seed: &[u8; 32], label: &str) -> Result<Zeroizing<[u8; 32]>, Fault> {
    mac(seed, &[label.as_bytes()]).map(Zeroizing::new)
}

/// HMAC-SHA-256 over parts of which all but the last have a fixed length.
fn mac(key: &[u8; 32], parts: &[&[u8]]) -> Result<[u8; 32], Fault> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|error| Fault::caused("use a key", error))?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_known_for_one_address_and_by_one_key() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::open(dir.path()).unwrap();
        let token = keys.device_token("a@ward.example").unwrap();
        let again = Keys::open(dir.path()).unwrap();
        let device = again.device_of("a@ward.example", &token).unwrap();
        assert!(device.is_some());
        assert_eq!(keys.device_of("b@ward.example", &token).unwrap(), None);
        for bad in ["", "x", &token[1..], &format!("{token}AA"), "%%%"] {
            assert_eq!(keys.device_of("a@ward.example", bad).unwrap(), None, "{bad}");
        }
        let other = Keys::open(tempfile::tempdir().unwrap().path()).unwrap();
        assert_eq!(other.device_of("a@ward.example", &token).unwrap(), None);
    }

    #[test]
    fn what_is_sealed_opens_for_its_account_and_with_its_key_only() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::open(dir.path()).unwrap();
        let sealed = keys.seal("user_a", b"a secret of twenty b").unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(*keys.unseal("user_a", &sealed).unwrap(), b"a secret of twenty b");
        assert!(keys.unseal("user_b", &sealed).is_err());
        let mut changed = sealed.clone();
        changed[30] ^= 1;
        assert!(keys.unseal("user_a", &changed).is_err() && keys.unseal("user_a", b"short").is_err());
        let other = Keys::open(tempfile::tempdir().unwrap().path()).unwrap();
        assert!(other.unseal("user_a", &sealed).is_err());
        assert_ne!(
            keys.code_mac("challenge_a", "123456").unwrap(),
            keys.code_mac("challenge_b", "123456").unwrap()
        );
        assert_ne!(
            keys.code_mac("challenge_a", "123456").unwrap(),
            other.code_mac("challenge_a", "123456").unwrap()
        );
        assert_eq!(mint_code().unwrap().len(), 6);
    }

    #[test]
    fn secrets_are_long_and_distinct() {
        let (one, other) = (mint().unwrap(), mint().unwrap());
        assert_eq!(one.len(), SECRET_LENGTH);
        assert_ne!(*one, *other);
        assert_ne!(hash_of(&one), hash_of(&other));
        assert!(is_equal(b"abc", b"abc") && !is_equal(b"abc", b"abd") && !is_equal(b"abc", b"ab"));
    }
}
