//! The links that switch mail off with one click (RFC 8058), without signing in: an account and a code that only the holder of
//! the key can make. Such a link can do nothing else, and is good for as long as the key is.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::kernel::id;
use crate::kernel::refusal::Fault;
use crate::web::secret_file;

/// The key's file in the key directory.
const FILE: &str = "unsubscribe.key";

/// A longer token is not looked at.
const TOKEN_LENGTH_MAX: usize = 200;

/// Bytes of the code: enough that nobody guesses one.
const CODE_LENGTH: usize = 16;

/// The key that makes and checks the links.
#[derive(Clone)]
pub struct UnsubscribeKey(Zeroizing<[u8; 32]>);

impl UnsubscribeKey {
    /// The key in a directory, made if there is none. Instances that share the directory share the key.
    ///
    /// # Errors
    /// A fault if it cannot be read or written.
    pub fn open(directory: &Path) -> Result<Self, Fault> {
        let file = directory.join(FILE);
        if !file.exists() {
            let seed = Zeroizing::new(id::random::<32>()?);
            secret_file::write_if_missing(&file, hex::encode(seed.as_slice()).as_bytes())?;
        }
        secret_file::read_seed(&file).map(Self)
    }

    /// The token of an account.
    ///
    /// # Errors
    /// A fault if the key is of a length that HMAC refuses, which it never does.
    pub fn token(&self, account_id: &str) -> Result<String, Fault> {
        let code = self.hmac(account_id)?.finalize().into_bytes();
        let code = code.get(..CODE_LENGTH).unwrap_or_default();
        Ok(format!("{account_id}.{}", BASE64_URL_SAFE_NO_PAD.encode(code)))
    }

    /// The account of a token, if the token is one of ours.
    ///
    /// # Errors
    /// As [`Self::token`].
    pub fn account(&self, token: &str) -> Result<Option<String>, Fault> {
        let Some((account_id, code)) = token.rsplit_once('.').filter(|_| token.len() <= TOKEN_LENGTH_MAX)
        else {
            return Ok(None);
        };
        let Ok(code) = BASE64_URL_SAFE_NO_PAD.decode(code) else {
            return Ok(None);
        };
        // Compares in constant time, whatever part of it is right.
        let good = code.len() == CODE_LENGTH && self.hmac(account_id)?.verify_truncated_left(&code).is_ok();
        Ok(good.then(|| account_id.to_owned()))
    }

    fn hmac(&self, account_id: &str) -> Result<Hmac<Sha256>, Fault> {
        let mut hmac = Hmac::<Sha256>::new_from_slice(self.0.as_slice())
            .map_err(|error| Fault::caused("the key of the unsubscribe links", error))?;
        // What it is for, so that the key can never sign something else.
        hmac.update(b"wardbook unsubscribe news\n");
        hmac.update(account_id.as_bytes());
        Ok(hmac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_holder_of_the_key_makes_a_link() {
        let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let key = UnsubscribeKey::open(ours.path()).unwrap();
        let token = key.token("user_01").unwrap();
        assert_eq!(key.account(&token).unwrap().as_deref(), Some("user_01"));
        let again = UnsubscribeKey::open(ours.path()).unwrap();
        assert_eq!(again.token("user_01").unwrap(), token);
        let other = UnsubscribeKey::open(theirs.path()).unwrap();
        let (_, code) = token.split_once('.').unwrap();
        for bad in [
            other.token("user_01").unwrap(),
            format!("user_02.{code}"),
            format!("user_01.{}", &code[..code.len() - 2]),
            "user_01.".to_owned(),
            "user_01".to_owned(),
            String::new(),
            "a".repeat(10_000),
        ] {
            assert_eq!(key.account(&bad).unwrap(), None, "{bad}");
        }
    }
}
