//! Hashes of passwords: argon2id (RFC 9106), a few at a time in threads that may block, so that sign-ins can use up neither the
//! memory nor the threads that answer requests. Where there is no hash to compare with, one is computed all the same: the time
//! tells nobody whether there is such an account.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::kernel::id;
use crate::kernel::refusal::{Answer, Fault};
use crate::people::rules_sessions::SIGN_IN_BUSY;
use crate::people::secrets::is_equal;

/// Hashes that may wait for their turn; one more is refused.
const WAITING_MAX: usize = 64;
/// How long one waits for its turn.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Bytes of a salt and of a hash.
const SALT_LENGTH: usize = 16;
const HASH_LENGTH: usize = 32;
/// The most that a stored hash may ask for: 1 GiB, 16 passes, 16 lanes. More would be a way to stop the service.
const COST_MAX: Cost = Cost {
    memory_kib: 1_048_576,
    passes: 16,
    lanes: 16,
};

/// What one hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

/// Computes hashes.
pub struct Hasher {
    cost: Cost,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    computed: Arc<AtomicU64>,
    /// Compared with where there is no hash.
    nobodys: String,
}

impl Hasher {
    /// A hasher at this cost, `at_once` hashes at a time.
    ///
    /// # Errors
    /// A fault if the cost is none that argon2 knows.
    pub fn new(cost: Cost, at_once: usize) -> Result<Self, Fault> {
        argon2(cost)?;
        let nobodys = written(cost, &id::random::<SALT_LENGTH>()?, &id::random::<HASH_LENGTH>()?);
        Ok(Self {
            cost,
            turns: Arc::new(Semaphore::new(at_once.max(1))),
            waiting: AtomicUsize::new(0),
            computed: Arc::default(),
            nobodys,
        })
    }

    /// How many hashes have been computed.
    pub fn computed(&self) -> u64 {
        self.computed.load(Ordering::SeqCst)
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// [`SIGN_IN_BUSY`]; a fault if it cannot be computed.
    pub async fn hash(&self, password: Zeroizing<String>) -> Answer<String> {
        let cost = self.cost;
        self.in_turn(move || hash_now(cost, &password)).await
    }

    /// As [`Self::hash`], for commands: the calling thread computes it.
    ///
    /// # Errors
    /// A fault if it cannot be computed.
    pub fn hash_and_wait(&self, password: &str) -> Result<String, Fault> {
        self.computed.fetch_add(1, Ordering::SeqCst);
        hash_now(self.cost, password)
    }

    /// Whether the password is the one of this hash. Without one it is not, at the same expense.
    ///
    /// # Errors
    /// [`SIGN_IN_BUSY`]; a fault if the stored hash is none.
    pub async fn is_right(&self, password: Zeroizing<String>, stored: Option<String>) -> Answer<bool> {
        let known = stored.is_some();
        let against = stored.unwrap_or_else(|| self.nobodys.clone());
        let same = self.in_turn(move || compare(&password, &against)).await?;
        Ok(same && known)
    }

    /// True if a hash was made at another cost than the present one.
    pub fn is_outdated(&self, stored: &str) -> bool {
        read(stored).is_none_or(|(cost, ..)| cost != self.cost)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Answer<T> {
        let busy = || SIGN_IN_BUSY.refuse().retry_after(2);
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= WAITING_MAX {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            return Err(busy().into());
        }
        let waits = Waits(&self.waiting);
        let turn = tokio::time::timeout(WAIT_MAX, self.turns.clone().acquire_owned()).await;
        drop(waits);
        let turn = turn
            .map_err(|_| busy())?
            .map_err(|error| Fault::caused("wait to compute a hash", error))?;
        let computed = self.computed.clone();
        // The turn goes with the work: whoever hangs up does not make room for another one before this one is done.
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            computed.fetch_add(1, Ordering::SeqCst);
            metrics::counter!("wardbook_password_hashes_total").increment(1);
            work()
        });
        Ok(done
            .await
            .map_err(|error| Fault::caused("computing a hash panicked", error))??)
    }
}

/// One that waits, until it does not any more.
struct Waits<'a>(&'a AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn argon2(cost: Cost) -> Result<Argon2<'static>, Fault> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(HASH_LENGTH))
        .map_err(|error| Fault::broken(format!("the cost of hashing passwords: {error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn compute(cost: Cost, password: &str, salt: &[u8]) -> Result<[u8; HASH_LENGTH], Fault> {
    let mut hash = [0; HASH_LENGTH];
    argon2(cost)?
        .hash_password_into(password.as_bytes(), salt, &mut hash)
        .map_err(|error| Fault::broken(format!("hash a password: {error}")))?;
    Ok(hash)
}

fn hash_now(cost: Cost, password: &str) -> Result<String, Fault> {
    let salt = id::random::<SALT_LENGTH>()?;
    Ok(written(cost, &salt, &compute(cost, password, &salt)?))
}

fn compare(password: &str, stored: &str) -> Result<bool, Fault> {
    let (cost, salt, hash) =
        read(stored).ok_or_else(|| Fault::broken("a stored hash of a password is none of argon2id"))?;
    Ok(is_equal(&compute(cost, password, &salt)?, &hash))
}

/// The PHC form, which every implementation of argon2 reads.
fn written(cost: Cost, salt: &[u8], hash: &[u8]) -> String {
    let Cost {
        memory_kib,
        passes,
        lanes,
    } = cost;
    let (salt, hash) = (
        BASE64_STANDARD_NO_PAD.encode(salt),
        BASE64_STANDARD_NO_PAD.encode(hash),
    );
    format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}")
}

fn read(stored: &str) -> Option<(Cost, Vec<u8>, Vec<u8>)> {
    let mut parts = stored.strip_prefix("$argon2id$v=19$")?.split('$');
    let (costs, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
    let mut costs = costs.split(',');
    let mut number = |name: &str, max: u32| {
        let number: u32 = costs.next()?.strip_prefix(name)?.parse().ok()?;
        (number <= max).then_some(number)
    };
    let cost = Cost {
        memory_kib: number("m=", COST_MAX.memory_kib)?,
        passes: number("t=", COST_MAX.passes)?,
        lanes: number("p=", COST_MAX.lanes)?,
    };
    let (salt, hash) = (
        BASE64_STANDARD_NO_PAD.decode(salt).ok()?,
        BASE64_STANDARD_NO_PAD.decode(hash).ok()?,
    );
    (parts.next().is_none() && hash.len() == HASH_LENGTH).then_some((cost, salt, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost {
        memory_kib: 64,
        passes: 1,
        lanes: 1,
    };

    fn now<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(future)
    }

    fn text(password: &str) -> Zeroizing<String> {
        Zeroizing::new(password.to_owned())
    }

    /// RFC 9106 §5.3 has a key and associated data, which passwords here have not; this is the reference implementation's own
    /// vector for argon2id of "password" with the salt "somesalt" at 256 KiB, two passes, one lane.
    #[test]
    fn it_is_the_argon2id_that_others_compute() {
        let cost = Cost {
            memory_kib: 256,
            passes: 2,
            lanes: 1,
        };
        let hash = compute(cost, "password", b"somesalt").unwrap();
        assert_eq!(
            hex::encode(hash),
            "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"
        );
    }

    #[test]
    fn a_password_is_right_or_wrong_and_nobodys_is_wrong_at_the_same_expense() {
        let hasher = Hasher::new(CHEAP, 1).unwrap();
        let stored = now(hasher.hash(text("one"))).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert!(now(hasher.is_right(text("one"), Some(stored.clone()))).unwrap());
        assert!(!now(hasher.is_right(text("two"), Some(stored.clone()))).unwrap());
        let before = hasher.computed();
        assert!(!now(hasher.is_right(text("one"), None)).unwrap());
        assert_eq!(hasher.computed(), before + 1);
        let dearer = Hasher::new(Cost { passes: 2, ..CHEAP }, 1).unwrap();
        assert!(dearer.is_outdated(&stored) && !hasher.is_outdated(&stored));
        assert!(
            now(dearer.is_right(text("one"), Some(stored))).unwrap(),
            "what was stored says at which cost"
        );
    }

    #[test]
    fn what_is_stored_cannot_ask_for_more_than_the_machine_has() {
        let hash = BASE64_STANDARD_NO_PAD.encode([0; HASH_LENGTH]);
        for bad in [
            String::new(),
            "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$".to_owned() + &hash,
            "$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$".to_owned() + &hash,
            "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$eA".to_owned(),
            "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ".to_owned(),
        ] {
            assert!(compare("one", &bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn more_than_can_wait_are_refused() {
        let hasher = Hasher::new(CHEAP, 1).unwrap();
        let turn = hasher.turns.clone().try_acquire_owned().unwrap();
        hasher.waiting.store(WAITING_MAX, Ordering::SeqCst);
        let refused = now(hasher.hash(text("one"))).unwrap_err();
        assert!(refused.to_string().contains("sign_in_busy"), "{refused}");
        drop(turn);
        hasher.waiting.store(0, Ordering::SeqCst);
        assert!(now(hasher.hash(text("one"))).is_ok());
    }
}
