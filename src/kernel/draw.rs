//! Draws by lot that anybody can make again: candidates are frozen as a text, a secret seed is committed to by its hash before its order is used,
//! and they come in the order of SHA-256(seed ‖ candidate). It must never choose a seed itself. Pure.

use sha2::{Digest, Sha256};

/// Bytes of a seed.
pub const SEED_BYTES: usize = 32;

/// The hash of a seed, as the log has it from the draw on.
pub fn commitment(seed: &[u8; SEED_BYTES]) -> [u8; 32] {
    Sha256::digest(seed).into()
}

/// The candidates as they are frozen: each followed by the end of a line, sorted by their bytes, each once.
pub fn frozen<'c>(candidates: impl IntoIterator<Item = &'c str>) -> String {
    let mut all: Vec<&str> = candidates.into_iter().collect();
    all.sort_unstable();
    all.dedup();
    all.iter().map(|one| format!("{one}\n")).collect()
}

/// The hash of the frozen candidates, as the log has it from the draw on.
pub fn candidates_sha256<'c>(candidates: impl IntoIterator<Item = &'c str>) -> [u8; 32] {
    Sha256::digest(frozen(candidates).as_bytes()).into()
}

/// In which order the candidates come: by SHA-256(seed ‖ name), the lowest first, each name once. `name` tells a candidate's.
pub fn order<'c, T>(
    seed: &[u8; SEED_BYTES],
    candidates: &'c [T],
    name: impl Fn(&'c T) -> &'c str,
) -> Vec<&'c T> {
    let mut keyed: Vec<([u8; 32], &str, &T)> = candidates
        .iter()
        .map(|candidate| {
            let own = name(candidate);
            let mut hash = Sha256::new();
            hash.update(seed);
            hash.update(own.as_bytes());
            (hash.finalize().into(), own, candidate)
        })
        .collect();
    keyed.sort_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
    keyed.dedup_by(|one, other| one.1 == other.1);
    keyed.into_iter().map(|(_, _, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_construction_is_the_one_that_is_documented() {
        // `printf '%s' "" | …` of 32 zero bytes, and of the two lines.
        assert_eq!(
            hex::encode(commitment(&[0; 32])),
            "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
        );
        assert_eq!(frozen(["b", "a", "b"]), "a\nb\n");
        let expected: [u8; 32] = Sha256::digest(b"a\nb\n").into();
        assert_eq!(candidates_sha256(["b", "a"]), expected);
    }

    proptest! {
        #[test]
        fn everybody_comes_once_in_whichever_order_they_are_named(seed: [u8; 32], names in prop::collection::vec("[a-z0-9/_]{1,6}", 0..30)) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let reversed: Vec<&str> = names.iter().rev().copied().collect();
            let drawn = order(&seed, &names, |name| name);
            let backwards = order(&seed, &reversed, |name| name);
            prop_assert_eq!(&drawn, &backwards);
            prop_assert_eq!(drawn.iter().map(|name| **name).collect::<BTreeSet<_>>(), names.iter().copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(drawn.len(), names.iter().collect::<BTreeSet<_>>().len());
        }
    }
}
