//! The Merkle tree of the log: hashes, roots, and proofs of inclusion and of consistency.
//!
//! The tree is that of RFC 6962 §2.1, restated in RFC 9162 §2.1, with SHA-256. Everything here is a
//! pure function of its arguments: this file must never read storage, a clock or the network, and a
//! verification must never accept a proof that holds one hash more or less than the sizes require.

use sha2::{Digest, Sha256};
use thiserror::Error;

/// A SHA-256 hash: of a leaf, of an inner node, or of a whole tree.
pub type Hash = [u8; 32];

/// The largest tree a [`Frontier`] can be read back with.
///
/// It leaves room for as many pushes again before a size could overflow, so that `push` needs no
/// way to fail.
pub const SIZE_MAX: u64 = 1 << 62;

/// The hash of a leaf that holds `entry`: SHA-256(0x00 ‖ entry), RFC 9162 §2.1.1.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0x00])
        .chain_update(entry)
        .finalize()
        .into()
}

/// The hash of an inner node: SHA-256(0x01 ‖ left ‖ right), RFC 9162 §2.1.1.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([0x01])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// The root of a tree without leaves: SHA-256 of nothing, RFC 9162 §2.1.1.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The root of a perfect subtree over 2^k hashes; `None` for any other number of them.
#[must_use]
pub fn fold(hashes: &[Hash]) -> Option<Hash> {
    if !hashes.len().is_power_of_two() {
        return None;
    }
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        let (pairs, _) = row.as_chunks::<2>();
        row = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    row.first().copied()
}

/// The right edge of a growing tree: the roots of its perfect subtrees, largest first.
///
/// That is all one needs in order to append leaves and to compute the root, in O(log n) memory.
/// There is exactly one peak for every bit set in the size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

/// Bytes that are not a stored [`Frontier`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FrontierError {
    /// Fewer than eight bytes, so that not even the size can be read.
    #[error("the size of the frontier is cut off")]
    NoSize,
    /// The size is above [`SIZE_MAX`].
    #[error("a frontier of {0} leaves is larger than any log")]
    TooLarge(u64),
    /// The number of hashes is not the number of bits set in the size.
    #[error("the hashes of the frontier do not fit its size of {0} leaves")]
    WrongPeaks(u64),
}

impl Frontier {
    /// The frontier of the empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf and calls `completed(level, index, hash)` for every inner node it completes,
    /// lowest first.
    ///
    /// A node of level k spans 2^k leaves and its index counts the nodes of its level from the left.
    /// The leaf itself (level 0) is not called back: the caller holds its hash already.
    pub fn push(&mut self, leaf: Hash, completed: &mut dyn FnMut(u8, u64, Hash)) {
        let mut hash = leaf;
        let mut level: u8 = 0;
        while (self.size >> level) & 1 == 1
            && let Some(left) = self.peaks.pop()
        {
            hash = node_hash(&left, &hash);
            level += 1;
            completed(level, self.size >> level, hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root of the tree, RFC 9162 §2.1.1.
    #[must_use]
    pub fn root(&self) -> Hash {
        join(&self.peaks).unwrap_or_else(empty_root)
    }

    /// The frontier as bytes: the size in eight bytes, big end first, then the peaks, largest first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        bytes.extend(self.peaks.iter().flatten());
        bytes
    }

    /// Reads what [`Frontier::to_bytes`] wrote, and nothing else.
    ///
    /// # Errors
    /// In this order: [`FrontierError::NoSize`], [`FrontierError::TooLarge`],
    /// [`FrontierError::WrongPeaks`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let (size, rest) = bytes.split_first_chunk::<8>().ok_or(FrontierError::NoSize)?;
        let size = u64::from_be_bytes(*size);
        if size > SIZE_MAX {
            return Err(FrontierError::TooLarge(size));
        }
        let (peaks, tail) = rest.as_chunks::<32>();
        if !tail.is_empty() || u32::try_from(peaks.len()) != Ok(size.count_ones()) {
            return Err(FrontierError::WrongPeaks(size));
        }
        Ok(Self {
            size,
            peaks: peaks.to_vec(),
        })
    }
}

/// Why a proof could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unprovable<E> {
    /// The index is not below the size, or the old size is above the new one.
    #[error("nothing of the kind is in a tree of this size")]
    OutsideTree,
    /// The hash of a complete subtree could not be had.
    #[error("the hash of a node could not be read")]
    Node(E),
}

/// The proof that leaf `index` is in the tree of `size` leaves: PATH of RFC 9162 §2.1.3.1, from the
/// leaf's sibling up to the root's child.
///
/// `node(level, index)` gives the hash of a complete subtree (level 0 is a leaf); it is never asked
/// for one that reaches beyond `size`.
///
/// # Errors
/// [`Unprovable::OutsideTree`] if `index` is not below `size`, else whatever `node` fails with.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    node: &mut dyn FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, Unprovable<E>> {
    if index >= size {
        return Err(Unprovable::OutsideTree);
    }
    let (mut low, mut high) = (0, size);
    let mut path = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            path.push(subtree(middle, high, node)?);
            high = middle;
        } else {
            path.push(subtree(low, middle, node)?);
            low = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of `old` leaves is a prefix of the tree of `new` leaves: PROOF of
/// RFC 9162 §2.1.4.1.
///
/// It is empty when nothing needs proving, that is when `old` is 0 or equal to `new`.
/// `node` is as for [`inclusion_proof`].
///
/// # Errors
/// [`Unprovable::OutsideTree`] if `old` is above `new`, else whatever `node` fails with.
pub fn consistency_proof<E>(
    old: u64,
    new: u64,
    node: &mut dyn FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, Unprovable<E>> {
    if old > new {
        return Err(Unprovable::OutsideTree);
    }
    if old == 0 {
        return Ok(Vec::new());
    }
    let (mut low, mut high) = (0, new);
    let mut path = Vec::new();
    while high != old {
        let middle = low + split(high - low);
        if old <= middle {
            path.push(subtree(middle, high, node)?);
            high = middle;
        } else {
            path.push(subtree(low, middle, node)?);
            low = middle;
        }
    }
    // When the walk never turned right, what remains is the old tree itself, whose root the
    // verifier holds already.
    if low > 0 {
        path.push(subtree(low, high, node)?);
    }
    path.reverse();
    Ok(path)
}

/// Why a proof of inclusion or consistency does not hold. The variants are in the order of the
/// checks, so that the same input always gets the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Mismatch {
    /// The index is not below the size of the tree.
    #[error("the index lies outside the tree")]
    OutsideTree,
    /// The newer tree is smaller than the older one.
    #[error("the newer tree is smaller than the older one")]
    Shrunk,
    /// The proof holds more hashes than these sizes need.
    #[error("the proof is too long")]
    TooLong,
    /// The proof holds fewer hashes than these sizes need.
    #[error("the proof is too short")]
    TooShort,
    /// The hashes do not lead to the root of the older tree.
    #[error("the proof does not lead to the older root")]
    OldRoot,
    /// The hashes do not lead to the root of the (newer) tree.
    #[error("the proof does not lead to the root")]
    Root,
}

/// Checks that the leaf with hash `leaf` is at `index` in the tree of `size` leaves with root
/// `root`, by RFC 9162 §2.1.3.2.
///
/// # Errors
/// In this order: [`Mismatch::OutsideTree`], [`Mismatch::TooLong`], [`Mismatch::TooShort`],
/// [`Mismatch::Root`].
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), Mismatch> {
    if index >= size {
        return Err(Mismatch::OutsideTree);
    }
    let mut walk = Walk {
        node: index,
        last: size - 1,
    };
    let mut hash = *leaf;
    for sibling in proof {
        hash = match walk.climb().ok_or(Mismatch::TooLong)? {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    }
    if walk.last != 0 {
        return Err(Mismatch::TooShort);
    }
    if hash != *root {
        return Err(Mismatch::Root);
    }
    Ok(())
}

/// Checks that the tree of `old` leaves with root `old_root` is a prefix of the tree of `new`
/// leaves with root `new_root`, by RFC 9162 §2.1.4.2.
///
/// Two cases are left open there and decided here: with equal sizes the proof must be empty and the
/// roots equal; from the empty tree the proof must be empty and the old root that of the empty tree.
///
/// # Errors
/// In this order: [`Mismatch::Shrunk`], [`Mismatch::TooLong`], [`Mismatch::TooShort`],
/// [`Mismatch::OldRoot`], [`Mismatch::Root`].
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), Mismatch> {
    if old > new {
        return Err(Mismatch::Shrunk);
    }
    if old == 0 || old == new {
        return verify_trivial(old, new, old_root, new_root, proof);
    }
    // The node that both walks start from: the old root itself if the old tree is perfect,
    // otherwise the first hash of the proof.
    let (start, rest) = if old.is_power_of_two() {
        (old_root, proof)
    } else {
        proof.split_first().ok_or(Mismatch::TooShort)?
    };
    let level = (old - 1).trailing_ones();
    let mut walk = Walk {
        node: (old - 1) >> level,
        last: (new - 1) >> level,
    };
    let (mut old_hash, mut new_hash) = (*start, *start);
    for sibling in rest {
        match walk.climb().ok_or(Mismatch::TooLong)? {
            Side::Left => {
                old_hash = node_hash(sibling, &old_hash);
                new_hash = node_hash(sibling, &new_hash);
            }
            Side::Right => new_hash = node_hash(&new_hash, sibling),
        }
    }
    if walk.last != 0 {
        return Err(Mismatch::TooShort);
    }
    if old_hash != *old_root {
        return Err(Mismatch::OldRoot);
    }
    if new_hash != *new_root {
        return Err(Mismatch::Root);
    }
    Ok(())
}

/// The cases of [`verify_consistency`] in which there is nothing to prove.
fn verify_trivial(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), Mismatch> {
    if !proof.is_empty() {
        return Err(Mismatch::TooLong);
    }
    if old == 0 && *old_root != empty_root() {
        return Err(Mismatch::OldRoot);
    }
    if old == new && old_root != new_root {
        return Err(Mismatch::Root);
    }
    Ok(())
}

/// The way from a node up to the root: the indices of the node and of the last node of its level
/// (`fn` and `sn` in RFC 9162).
struct Walk {
    node: u64,
    last: u64,
}

/// On which side of the node its sibling stands.
enum Side {
    Left,
    Right,
}

impl Walk {
    /// Goes up to the parent and says where the sibling was; `None` if this is the root already.
    /// A last node without a sibling is its own parent, so levels without one are passed over.
    fn climb(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let side = if self.node & 1 == 1 {
            Side::Left
        } else if self.node == self.last {
            while self.node != 0 && self.node & 1 == 0 {
                self.up();
            }
            Side::Left
        } else {
            Side::Right
        };
        self.up();
        Some(side)
    }

    fn up(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }
}

/// The largest power of two below `n`, which is at least 2: where RFC 9162 §2.1.1 splits a tree.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The root over the leaves from `low` to before `high`, from the complete subtrees it consists of.
/// `low` must be a multiple of the smallest power of two that is not below `high - low`, which holds
/// for every range that splitting a tree leads to.
fn subtree<E>(
    low: u64,
    high: u64,
    node: &mut dyn FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Hash, Unprovable<E>> {
    let mut peaks = Vec::new();
    let mut at = low;
    for level in (0..64_u8).rev().filter(|level| ((high - low) >> level) & 1 == 1) {
        peaks.push(node(level, at >> level).map_err(Unprovable::Node)?);
        at += 1 << level;
    }
    Ok(join(&peaks).unwrap_or_else(empty_root))
}

/// The root over perfect subtrees of falling size; `None` if there are none.
fn join(peaks: &[Hash]) -> Option<Hash> {
    peaks
        .iter()
        .rev()
        .copied()
        .reduce(|right, left| node_hash(&left, &right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::convert::Infallible;
    use tlog_tiles::tlog as other;

    /// A tree with all its nodes, kept twice: ours, and the one of the independent implementation.
    #[derive(Default)]
    struct Tree {
        nodes: HashMap<(u8, u64), Hash>,
        roots: Vec<Hash>,
        stored: Vec<other::Hash>,
    }

    impl other::HashReader for Tree {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<other::Hash>, tlog_tiles::Error> {
            Ok(indexes
                .iter()
                .map(|i| self.stored[usize::try_from(*i).unwrap()])
                .collect())
        }
    }

    impl Tree {
        fn of(size: u64) -> Self {
            let mut tree = Self::default();
            let mut frontier = Frontier::new();
            tree.roots.push(frontier.root());
            for index in 0..size {
                let leaf = leaf_hash(&index.to_be_bytes());
                tree.nodes.insert((0, index), leaf);
                frontier.push(leaf, &mut |level, at, hash| {
                    assert!(tree.nodes.insert((level, at), hash).is_none());
                });
                tree.roots.push(frontier.root());
                let stored = other::stored_hashes(index, &index.to_be_bytes(), &tree).unwrap();
                tree.stored.extend(stored);
            }
            tree
        }

        fn root(&self, size: u64) -> Hash {
            self.roots[usize::try_from(size).unwrap()]
        }

        fn inclusion(&self, index: u64, size: u64) -> Vec<Hash> {
            inclusion_proof(index, size, &mut |level, at| {
                assert!((at + 1) << level <= size, "asked for an incomplete subtree");
                Ok::<_, Infallible>(self.nodes[&(level, at)])
            })
            .unwrap()
        }

        fn consistency(&self, old: u64, new: u64) -> Vec<Hash> {
            consistency_proof(old, new, &mut |level, at| {
                assert!((at + 1) << level <= new, "asked for an incomplete subtree");
                Ok::<_, Infallible>(self.nodes[&(level, at)])
            })
            .unwrap()
        }
    }

    fn theirs(proof: &[Hash]) -> Vec<other::Hash> {
        proof.iter().copied().map(other::Hash).collect()
    }

    /// The root straight from the recursive definition in RFC 9162 §2.1.1.
    fn defined_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&defined_root(left), &defined_root(right))
            }
        }
    }

    /// Every way of spoiling a proof that a verifier must notice.
    fn spoiled(proof: &[Hash], roots: [Hash; 2]) -> Vec<Vec<Hash>> {
        let mut all = Vec::new();
        for at in 0..=proof.len() {
            for extra in [[7; 32], roots[0], roots[1]] {
                let mut longer = proof.to_vec();
                longer.insert(at, extra);
                all.push(longer);
            }
        }
        for at in 0..proof.len() {
            all.push(proof[..at].to_vec());
            all.push(proof[at + 1..].to_vec());
            for byte in 0..32 {
                let mut flipped = proof.to_vec();
                flipped[at][byte] ^= 1 << (byte % 8);
                all.push(flipped);
            }
        }
        all
    }

    #[test]
    fn hashes_are_those_of_the_rfc_and_of_the_other_implementation() {
        assert_eq!(empty_root(), other::EMPTY_HASH.0);
        for entry in [&b""[..], b"a", &[0; 300]] {
            assert_eq!(leaf_hash(entry), other::record_hash(entry).0);
        }
        let (a, b) = (leaf_hash(b"a"), leaf_hash(b"b"));
        assert_eq!(
            node_hash(&a, &b),
            other::node_hash(other::Hash(a), other::Hash(b)).0
        );
    }

    #[test]
    fn roots_and_proofs_of_all_small_trees_are_those_of_the_other_implementation() {
        let tree = Tree::of(131);
        for size in 0..=131 {
            let root = tree.root(size);
            assert_eq!(root, other::tree_hash(size, &tree).unwrap().0);
            for index in 0..size {
                let proof = tree.inclusion(index, size);
                assert_eq!(theirs(&proof), other::prove_record(size, index, &tree).unwrap());
                let leaf = tree.nodes[&(0, index)];
                assert_eq!(verify_inclusion(index, size, &leaf, &proof, &root), Ok(()));
            }
            for old in 0..=size {
                let proof = tree.consistency(old, size);
                if old > 0 {
                    assert_eq!(theirs(&proof), other::prove_tree(size, old, &tree).unwrap());
                }
                let old_root = tree.root(old);
                assert_eq!(verify_consistency(old, size, &old_root, &root, &proof), Ok(()));
            }
        }
    }

    #[test]
    fn a_tree_of_seventy_thousand_leaves_is_right() {
        let size = 70_000;
        let tree = Tree::of(size);
        assert_eq!(tree.root(size), other::tree_hash(size, &tree).unwrap().0);
        for index in [0, 1, 255, 256, 65_535, 65_536, 69_888, 69_999] {
            let proof = tree.inclusion(index, size);
            assert_eq!(theirs(&proof), other::prove_record(size, index, &tree).unwrap());
            let leaf = tree.nodes[&(0, index)];
            assert_eq!(
                verify_inclusion(index, size, &leaf, &proof, &tree.root(size)),
                Ok(())
            );
        }
        for old in [1, 256, 300, 65_536, 69_999] {
            let proof = tree.consistency(old, size);
            assert_eq!(theirs(&proof), other::prove_tree(size, old, &tree).unwrap());
            let (old_root, root) = (tree.root(old), tree.root(size));
            assert_eq!(verify_consistency(old, size, &old_root, &root, &proof), Ok(()));
        }
    }

    #[test]
    fn a_spoiled_inclusion_proof_is_refused() {
        let tree = Tree::of(40);
        for (index, size) in [(0, 1), (0, 2), (1, 2), (2, 3), (0, 8), (5, 8), (39, 40), (17, 37)] {
            let (leaf, root) = (tree.nodes[&(0, index)], tree.root(size));
            let proof = tree.inclusion(index, size);
            for bad in spoiled(&proof, [root, leaf]) {
                assert!(verify_inclusion(index, size, &leaf, &bad, &root).is_err());
            }
            for other in (0..size + 3).filter(|other| *other != index) {
                assert!(verify_inclusion(other, size, &leaf, &proof, &root).is_err());
            }
            let wrong = [9; 32];
            let refusal = Err(Mismatch::Root);
            assert_eq!(verify_inclusion(index, size, &wrong, &proof, &root), refusal);
            assert_eq!(verify_inclusion(index, size, &leaf, &proof, &wrong), refusal);
        }
        let huge = verify_inclusion(u64::MAX, u64::MAX, &[0; 32], &[], &[0; 32]);
        assert_eq!(huge, Err(Mismatch::OutsideTree));
        assert_eq!(
            verify_inclusion(0, 0, &[0; 32], &[], &[0; 32]),
            Err(Mismatch::OutsideTree)
        );
        let too_long = verify_inclusion(0, 1, &[0; 32], &[[0; 32]], &[0; 32]);
        assert_eq!(too_long, Err(Mismatch::TooLong));
        assert_eq!(
            verify_inclusion(0, 2, &[0; 32], &[], &[0; 32]),
            Err(Mismatch::TooShort)
        );
    }

    #[test]
    fn a_spoiled_consistency_proof_is_refused() {
        let tree = Tree::of(40);
        for (old, new) in [(1, 2), (1, 8), (2, 5), (6, 8), (7, 8), (8, 9), (17, 37), (32, 40)] {
            let (before, after) = (tree.root(old), tree.root(new));
            let proof = tree.consistency(old, new);
            let check = |old, new, before: &Hash, after: &Hash, proof: &[Hash]| {
                verify_consistency(old, new, before, after, proof)
            };
            for bad in spoiled(&proof, [before, after]) {
                assert!(check(old, new, &before, &after, &bad).is_err());
            }
            for other in (0..new + 3).filter(|other| *other != old) {
                assert!(check(other, new, &before, &after, &proof).is_err());
            }
            assert!(check(old, new, &after, &before, &proof).is_err());
            assert!(check(old, new, &[9; 32], &after, &proof).is_err());
            let refusal = Err(Mismatch::Root);
            assert_eq!(check(old, new, &before, &[9; 32], &proof), refusal);
            assert_eq!(check(new, old, &after, &before, &proof), Err(Mismatch::Shrunk));
            assert_eq!(check(old, new, &before, &after, &[]), Err(Mismatch::TooShort));
        }
    }

    #[test]
    fn equal_sizes_and_the_empty_tree_need_no_proof_and_bear_none() {
        let (empty, a, b) = (empty_root(), [1; 32], [2; 32]);
        assert_eq!(verify_consistency(0, 0, &empty, &empty, &[]), Ok(()));
        assert_eq!(verify_consistency(0, 5, &empty, &a, &[]), Ok(()));
        assert_eq!(verify_consistency(5, 5, &a, &a, &[]), Ok(()));
        assert_eq!(verify_consistency(0, 5, &b, &a, &[]), Err(Mismatch::OldRoot));
        assert_eq!(verify_consistency(0, 0, &a, &a, &[]), Err(Mismatch::OldRoot));
        assert_eq!(verify_consistency(0, 0, &empty, &a, &[]), Err(Mismatch::Root));
        assert_eq!(verify_consistency(5, 5, &a, &b, &[]), Err(Mismatch::Root));
        assert_eq!(verify_consistency(0, 5, &empty, &a, &[b]), Err(Mismatch::TooLong));
        assert_eq!(verify_consistency(5, 5, &a, &a, &[b]), Err(Mismatch::TooLong));
    }

    #[test]
    fn what_is_not_in_the_tree_cannot_be_proved() {
        let mut never = |_, _| -> Result<Hash, &str> { Err("unreadable") };
        assert_eq!(inclusion_proof(0, 0, &mut never), Err(Unprovable::OutsideTree));
        assert_eq!(inclusion_proof(5, 5, &mut never), Err(Unprovable::OutsideTree));
        assert_eq!(consistency_proof(6, 5, &mut never), Err(Unprovable::OutsideTree));
        assert_eq!(
            inclusion_proof(1, 5, &mut never),
            Err(Unprovable::Node("unreadable"))
        );
        assert_eq!(
            consistency_proof(4, 5, &mut never),
            Err(Unprovable::Node("unreadable"))
        );
    }

    #[test]
    fn only_a_power_of_two_of_hashes_folds() {
        let leaves: Vec<Hash> = (0..=255).map(|byte| leaf_hash(&[byte])).collect();
        for count in 0..=256 {
            let expected = usize::is_power_of_two(count).then(|| defined_root(&leaves[..count]));
            assert_eq!(fold(&leaves[..count]), expected);
        }
    }

    #[test]
    fn a_frontier_that_was_cut_or_stretched_is_refused() {
        let mut frontier = Frontier::new();
        for byte in 0..7 {
            frontier.push([byte; 32], &mut |_, _, _| ());
        }
        let bytes = frontier.to_bytes();
        for length in 0..bytes.len() {
            assert!(Frontier::from_bytes(&bytes[..length]).is_err());
        }
        assert_eq!(Frontier::from_bytes(&bytes[..7]), Err(FrontierError::NoSize));
        let longer = [bytes, vec![0; 32]].concat();
        assert_eq!(Frontier::from_bytes(&longer), Err(FrontierError::WrongPeaks(7)));
        let huge = u64::MAX.to_be_bytes();
        assert_eq!(
            Frontier::from_bytes(&huge),
            Err(FrontierError::TooLarge(u64::MAX))
        );
    }

    proptest! {
        #[test]
        fn a_frontier_survives_storage_at_any_point(size in 0_u64..600, more in 0_u64..300) {
            let mut straight = Frontier::new();
            let mut leaves = Vec::new();
            for index in 0..size {
                leaves.push(leaf_hash(&index.to_be_bytes()));
                straight.push(leaf_hash(&index.to_be_bytes()), &mut |_, _, _| ());
            }
            let mut stored = Frontier::from_bytes(&straight.to_bytes()).unwrap();
            for index in size..size + more {
                leaves.push(leaf_hash(&index.to_be_bytes()));
                stored.push(leaf_hash(&index.to_be_bytes()), &mut |_, _, _| ());
            }
            prop_assert_eq!(stored.size(), size + more);
            prop_assert_eq!(stored.root(), defined_root(&leaves));
        }

        #[test]
        fn proofs_of_larger_trees_hold_only_for_what_they_prove(
            size in 200_u64..3_000,
            picks in any::<[prop::sample::Index; 2]>(),
        ) {
            let tree = Tree::of(size);
            let index = picks[0].index(usize::try_from(size).unwrap());
            let index = u64::try_from(index).unwrap();
            let root = tree.root(size);
            let proof = tree.inclusion(index, size);
            prop_assert_eq!(theirs(&proof), other::prove_record(size, index, &tree).unwrap());
            let leaf = tree.nodes[&(0, index)];
            prop_assert!(verify_inclusion(index, size, &leaf, &proof, &root).is_ok());
            prop_assert!(verify_inclusion(index ^ 1, size, &leaf, &proof, &root).is_err());

            let old = u64::try_from(picks[1].index(usize::try_from(size).unwrap())).unwrap();
            let proof = tree.consistency(old, size);
            prop_assert!(verify_consistency(old, size, &tree.root(old), &root, &proof).is_ok());
            let forked = verify_consistency(old, size, &tree.root(old + 1), &root, &proof);
            prop_assert!(forked.is_err());
        }

        #[test]
        fn a_made_up_proof_never_holds_and_never_panics(
            old in any::<u64>(),
            new in any::<u64>(),
            hashes in prop::collection::vec(any::<Hash>(), 0..70),
            root in any::<Hash>(),
        ) {
            prop_assert!(verify_inclusion(old, new, &[1; 32], &hashes, &root).is_err());
            if old != 0 && old != new {
                prop_assert!(verify_consistency(old, new, &[1; 32], &root, &hashes).is_err());
            }
        }
    }
}
