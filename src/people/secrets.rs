//! Secrets that the service hands out, and the keys it needs for them. Of what is handed out only a hash is stored; the keys
//! are derived from one file of the key directory, so that a backup of the database alone opens nothing.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
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
    fn secrets_are_long_and_distinct() {
        let (one, other) = (mint().unwrap(), mint().unwrap());
        assert_eq!(one.len(), SECRET_LENGTH);
        assert_ne!(*one, *other);
        assert_ne!(hash_of(&one), hash_of(&other));
        assert!(is_equal(b"abc", b"abc") && !is_equal(b"abc", b"abd") && !is_equal(b"abc", b"ab"));
    }
}
