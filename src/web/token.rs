//! Access tokens: JWT (RFC 7519) signed with Ed25519 (RFC 8037), and nothing but Ed25519: the algorithm is ours to
//! choose, never the token's. Keys live in files of the key directory, so that several instances can share them and a
//! database backup holds none; the newest signs, the older ones still verify.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant as Stopwatch;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::Duration;
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error as JwtError, ErrorKind as JwtErrorKind, new_error};
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::kernel::clock::Instant;
use crate::kernel::id;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::actor::INVALID_TOKEN;
use crate::web::policy::Role;

/// The longest a token may be valid, whoever asks for it.
pub const LIFETIME_MAX: Duration = Duration::hours(24);

/// Verified tokens that are remembered, so that the signature is not computed for every request again.
const REMEMBERED_MAX: usize = 10_000;

/// How often at most the key directory is read again because of an unknown key id.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(500);

/// A longer token is not looked at.
const TOKEN_LENGTH_MAX: usize = 8_192;

/// How far another instance's clock may be ahead.
const SKEW: Duration = Duration::seconds(30);

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    /// The session; a token without one was issued on the machine itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    /// What a token without a session is good for; what one with a session is good for, the database says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    roles: Vec<Role>,
}

/// What a token says, once its signature and time are found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The account.
    pub account: String,
    /// The session; none in a token that was issued on the machine itself.
    pub session: Option<String>,
    /// The roles of a token without a session.
    pub roles: Vec<Role>,
}

/// A public key in a key set (RFC 7517, RFC 8037).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Jwk {
    /// Always `OKP`.
    #[schema(example = "OKP")]
    pub kty: &'static str,
    /// Always `Ed25519`.
    #[schema(example = "Ed25519")]
    pub crv: &'static str,
    /// Always `EdDSA`.
    #[schema(example = "EdDSA")]
    pub alg: &'static str,
    /// Always `sig`.
    #[schema(example = "sig")]
    pub r#use: &'static str,
    /// The key's id, as in the header of tokens.
    #[schema(example = "3f6b1c0de42a9b57")]
    pub kid: String,
    /// The public key, base64url.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    pub x: String,
}

/// The keys that verify tokens at present.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Jwks {
    /// Newest first.
    pub keys: Vec<Jwk>,
}

struct Key {
    kid: String,
    public: [u8; 32],
    seed: Zeroizing<[u8; 32]>,
    file: PathBuf,
    made_at_micros: i64,
}

/// Issues and checks tokens.
pub struct Tokens {
    directory: PathBuf,
    issuer: String,
    /// Newest first; never empty.
    keys: RwLock<Arc<Vec<Key>>>,
    remembered: RwLock<HashMap<[u8; 32], (Claimed, Instant)>>,
    /// None until it was first looked: an instance that starts beside another may have missed the other's first key.
    looked_at: Mutex<Option<Stopwatch>>,
}

impl Tokens {
    /// Opens the key directory and makes the first key if there is none.
    ///
    /// # Errors
    /// A fault if the directory cannot be read or written.
    pub fn open(directory: &Path, issuer: &str, now: Instant) -> Result<Self, Fault> {
        // A second call in one process changes nothing.
        let _ = ED25519_ONLY.install_default();
        let mut keys = read_keys(directory)?;
        if keys.is_empty() {
            keys = vec![make_key(directory, now.timestamp_micros())?];
        }
        Ok(Self {
            directory: directory.to_owned(),
            issuer: issuer.to_owned(),
            keys: RwLock::new(Arc::new(keys)),
            remembered: RwLock::default(),
            looked_at: Mutex::new(None),
        })
    }

    /// A token for `subject` in these roles, without a session: for the operator, who holds the keys anyway.
    ///
    /// # Errors
    /// A fault if the lifetime is not positive or exceeds [`LIFETIME_MAX`], or signing fails.
    pub fn issue(
        &self,
        subject: &str,
        roles: &[Role],
        lifetime: Duration,
        now: Instant,
    ) -> Result<String, Fault> {
        self.sign(subject, None, roles.to_vec(), lifetime, now)
    }

    /// A token of a session, good for whatever the account may do when it is shown.
    ///
    /// # Errors
    /// As [`Self::issue`].
    pub fn issue_in_session(
        &self,
        account: &str,
        session: &str,
        lifetime: Duration,
        now: Instant,
    ) -> Result<String, Fault> {
        self.sign(account, Some(session.to_owned()), Vec::new(), lifetime, now)
    }

    fn sign(
        &self,
        subject: &str,
        sid: Option<String>,
        roles: Vec<Role>,
        lifetime: Duration,
        now: Instant,
    ) -> Result<String, Fault> {
        if lifetime <= Duration::zero() || lifetime > LIFETIME_MAX {
            return Err(Fault::broken("a token lives between one second and 24 hours"));
        }
        let keys = self.keys();
        let key = keys
            .first()
            .ok_or_else(|| Fault::broken("there is no token key"))?;
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience(),
            sub: subject.to_owned(),
            iat: now.timestamp(),
            nbf: now.timestamp(),
            exp: (now + lifetime).timestamp(),
            jti: id::mint("token", now),
            sid,
            roles,
        };
        let header = Header {
            kid: Some(key.kid.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ed_der(key.seed.as_slice()))
            .map_err(|error| Fault::caused("sign a token", error))
    }

    /// What a token says.
    ///
    /// # Errors
    /// [`INVALID_TOKEN`], with no word about what is wrong with it.
    pub fn claimed(&self, token: &str, now: Instant) -> Answer<Claimed> {
        if token.len() > TOKEN_LENGTH_MAX {
            return Err(INVALID_TOKEN.refuse().into());
        }
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let known = self
            .remembered
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&digest)
            .cloned();
        if let Some((claimed, until)) = known {
            return if now < until {
                Ok(claimed)
            } else {
                Err(INVALID_TOKEN.refuse().into())
            };
        }
        let claims = self.check(token, now).ok_or_else(|| INVALID_TOKEN.refuse())?;
        let until = chrono::DateTime::from_timestamp(claims.exp, 0).ok_or_else(|| INVALID_TOKEN.refuse())?;
        let claimed = Claimed {
            account: claims.sub,
            session: claims.sid,
            roles: claims.roles,
        };
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(digest, (claimed.clone(), until));
        Ok(claimed)
    }

    fn check(&self, token: &str, now: Instant) -> Option<Claims> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let kid = header.kid?;
        let mut keys = self.keys();
        if !keys.iter().any(|key| key.kid == kid) {
            self.look_for_new_keys();
            keys = self.keys();
        }
        let key = keys.iter().find(|key| key.kid == kid)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[self.audience()]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // Time is checked below, by our own clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims =
            jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_ed_der(&key.public), &validation)
                .ok()?
                .claims;
        let latest = (now + SKEW).timestamp();
        let in_time = claims.nbf <= latest && claims.iat <= latest && now.timestamp() < claims.exp;
        let bounded = claims
            .exp
            .checked_sub(claims.iat)
            .is_some_and(|seconds| seconds <= LIFETIME_MAX.num_seconds());
        // A token is of a session or names its roles, never both and never neither.
        let plausible = !claims.sub.is_empty()
            && claims.sid.is_some() == claims.roles.is_empty()
            && !claims
                .roles
                .iter()
                .any(|role| matches!(role, Role::Public | Role::System));
        (in_time && bounded && plausible).then_some(claims)
    }

    /// The public keys, newest first.
    pub fn jwks(&self) -> Jwks {
        let keys = self
            .keys()
            .iter()
            .map(|key| Jwk {
                kty: "OKP",
                crv: "Ed25519",
                alg: "EdDSA",
                r#use: "sig",
                kid: key.kid.clone(),
                x: BASE64_URL_SAFE_NO_PAD.encode(key.public),
            })
            .collect();
        Jwks { keys }
    }

    /// Makes a new key, which signs from now on; deletes those that no living token can have been signed with.
    /// Returns the new key's id.
    ///
    /// # Errors
    /// A fault if the directory cannot be written.
    pub fn rotate(&self, now: Instant) -> Result<String, Fault> {
        // The directory's keys, because another instance may have made or deleted some. The new one is the newest even if
        // the clock stands still or was put back.
        let keys = read_keys(&self.directory)?;
        let after_newest = keys
            .first()
            .map_or(0, |newest| newest.made_at_micros.saturating_add(1));
        let made = make_key(&self.directory, now.timestamp_micros().max(after_newest))?;
        let dead_before = (now - LIFETIME_MAX - SKEW).timestamp_micros();
        // A key stops signing when the next newer one is made.
        for (newer, older) in keys.iter().zip(keys.iter().skip(1)) {
            if newer.made_at_micros < dead_before {
                match fs::remove_file(&older.file) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(Fault::caused("delete an old token key", error));
                    }
                    _ => {}
                }
            }
        }
        self.reload()?;
        Ok(made.kid)
    }

    /// Another instance may have made a new key. Anyone can invent key ids, so the directory is read only so often.
    fn look_for_new_keys(&self) {
        {
            let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
            if looked_at.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
                return;
            }
            *looked_at = Some(Stopwatch::now());
        }
        if let Err(fault) = self.reload() {
            tracing::warn!(%fault, "the token keys could not be read again");
        }
    }

    /// Reads the key directory again.
    ///
    /// # Errors
    /// A fault if it cannot be read or holds no key.
    pub fn reload(&self) -> Result<(), Fault> {
        let keys = read_keys(&self.directory)?;
        if keys.is_empty() {
            return Err(Fault::broken("the key directory holds no token key"));
        }
        let ids = |keys: &[Key]| keys.iter().map(|key| key.kid.clone()).collect::<Vec<_>>();
        if ids(&keys) == ids(&self.keys()) {
            // Anyone can name a key that nobody has; it must not cost everyone else their remembered tokens.
            return Ok(());
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        // A token of a key that is gone must not live on in memory.
        self.remembered
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        Ok(())
    }

    fn keys(&self) -> Arc<Vec<Key>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn audience(&self) -> String {
        format!("{}/api", self.issuer)
    }
}

fn make_key(directory: &Path, made_at_micros: i64) -> Result<Key, Fault> {
    let seed = Zeroizing::new(id::random::<32>()?);
    let file = directory.join(format!("token-{made_at_micros:020}.key"));
    crate::web::secret_file::write_new(&file, hex::encode(seed.as_slice()).as_bytes())?;
    Ok(key_of(seed, file, made_at_micros))
}

fn key_of(seed: Zeroizing<[u8; 32]>, file: PathBuf, made_at_micros: i64) -> Key {
    let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
    let digest = Sha256::digest(public);
    let kid = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Key {
        kid,
        public,
        seed,
        file,
        made_at_micros,
    }
}

/// All keys of the directory, newest first.
fn read_keys(directory: &Path) -> Result<Vec<Key>, Fault> {
    let failed = |error: std::io::Error| Fault::caused(format!("read {}", directory.display()), error);
    let mut keys = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let made_at_micros = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_prefix("token-"))
            .and_then(|name| name.strip_suffix(".key"))
            .and_then(|stamp| stamp.parse().ok());
        if let Some(made_at_micros) = made_at_micros {
            keys.push(key_of(
                crate::web::secret_file::read_seed(&path)?,
                path,
                made_at_micros,
            ));
        }
    }
    keys.sort_by_key(|key| std::cmp::Reverse(key.made_at_micros));
    Ok(keys)
}

/// jsonwebtoken's way to bring one's own cryptography: Ed25519 and nothing else, so that no other algorithm exists in
/// this binary for a token to ask for, and neither RSA nor a second implementation of anything has to be built.
static ED25519_ONLY: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| {
        let seed =
            <[u8; 32]>::try_from(key.as_bytes()).map_err(|_| new_error(JwtErrorKind::InvalidEddsaKey))?;
        only_eddsa(*algorithm)?;
        Ok(Box::new(Ed25519Signer(SigningKey::from_bytes(&seed))))
    },
    verifier_factory: |algorithm, key| {
        only_eddsa(*algorithm)?;
        let bytes = <[u8; 32]>::try_from(key.try_get_as_bytes()?)
            .map_err(|_| new_error(JwtErrorKind::InvalidEddsaKey))?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| new_error(JwtErrorKind::InvalidEddsaKey))?;
        Ok(Box::new(Ed25519Verifier(key)))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

fn only_eddsa(algorithm: Algorithm) -> Result<(), JwtError> {
    if algorithm == Algorithm::EdDSA {
        Ok(())
    } else {
        Err(new_error(JwtErrorKind::InvalidAlgorithm))
    }
}

struct Ed25519Signer(SigningKey);

impl Signer<Vec<u8>> for Ed25519Signer {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(self.0.sign(message).to_bytes().to_vec())
    }
}

impl JwtSigner for Ed25519Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct Ed25519Verifier(VerifyingKey);

impl Verifier<Vec<u8>> for Ed25519Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        let signature = Signature::from_slice(signature).map_err(|_| SignatureError::new())?;
        self.0
            .verify_strict(message, &signature)
            .map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for Ed25519Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}
