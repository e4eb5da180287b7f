//! The Merkle tree over entry hashes (RFC 6962 section 2.1).
//!
//! No node is stored; [`Tree`] keeps one digest a level, and proofs are made from the slice of
//! leaf hashes. An entry hash already is a leaf hash.

use crate::hash::{Digest, Hasher};

/// Returns the leaf hash of `data`: SHA-256(0x00 || data).
#[must_use]
pub fn leaf(data: &[u8]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(&[0]);
    hasher.update(data);
    hasher.finish()
}

/// Returns the hash of an inner node: SHA-256(0x01 || left || right).
#[must_use]
pub fn node(left: &Digest, right: &Digest) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(&[1]);
    hasher.update(left.as_bytes());
    hasher.update(right.as_bytes());
    hasher.finish()
}

/// A tree that grows leaf by leaf, in space logarithmic in its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// The roots of the complete subtrees, the largest first; one a set bit of `size`.
    peaks: Vec<Digest>,
}

impl Tree {
    /// Starts with no leaf.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a leaf hash.
    pub fn push(&mut self, leaf: Digest) {
        let mut top = leaf;
        let mut carry = self.size;
        // two subtrees of one size become one, as in adding 1 to a binary number
        while carry & 1 == 1
            && let Some(left) = self.peaks.pop()
        {
            top = node(&left, &top);
            carry >>= 1;
        }
        self.peaks.push(top);
        self.size += 1;
    }

    /// Returns the number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Returns the root; of no leaves it is SHA-256("").
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            Some(last) => peaks.fold(*last, |right, left| node(left, &right)),
            None => Digest::of(b""),
        }
    }
}

/// Returns the root over `leaves`, given as leaf hashes.
#[must_use]
pub fn root(leaves: &[Digest]) -> Digest {
    let mut tree = Tree::new();
    for leaf in leaves {
        tree.push(*leaf);
    }
    tree.root()
}

/// Returns the audit path of the leaf at `index` in the tree of all `leaves`
/// (RFC 6962 section 2.1.1); `None` where there is no such leaf.
#[must_use]
pub fn inclusion_proof(leaves: &[Digest], index: u64) -> Option<Vec<Digest>> {
    let mut index = usize::try_from(index).ok()?;
    if index >= leaves.len() {
        return None;
    }
    let mut range = leaves;
    let mut path = Vec::new();
    while range.len() > 1 {
        let (left, right) = range.split_at(split(range.len()));
        if index < left.len() {
            path.push(root(right));
            range = left;
        } else {
            path.push(root(left));
            index -= left.len();
            range = right;
        }
    }
    path.reverse();
    Some(path)
}

/// Tells whether `path` proves that `leaf` stands at `index` in the tree of `size` leaves with
/// the given root (RFC 9162 section 2.1.3.2).
#[must_use]
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    path: &[Digest],
    root: &Digest,
) -> bool {
    if index >= size {
        return false;
    }
    let (mut node_index, mut last_index) = (index, size - 1);
    let mut result = *leaf;
    for sibling in path {
        if last_index == 0 {
            return false;
        }
        if node_index & 1 == 1 || node_index == last_index {
            result = node(sibling, &result);
            while node_index & 1 == 0 && node_index != 0 {
                node_index >>= 1;
                last_index >>= 1;
            }
        } else {
            result = node(&result, sibling);
        }
        node_index >>= 1;
        last_index >>= 1;
    }
    last_index == 0 && result == *root
}

/// Returns the proof that the tree of all `leaves` extends that of the first `size`
/// (RFC 6962 section 2.1.2); `None` where `size` is zero or larger than the tree.
#[must_use]
pub fn consistency_proof(leaves: &[Digest], size: u64) -> Option<Vec<Digest>> {
    let mut size = usize::try_from(size).ok()?;
    if size == 0 || size > leaves.len() {
        return None;
    }
    let mut range = leaves;
    let mut path = Vec::new();
    // whether the old tree's root is what the verifier starts from
    let mut known = true;
    while size < range.len() {
        let (left, right) = range.split_at(split(range.len()));
        if size <= left.len() {
            path.push(root(right));
            range = left;
        } else {
            path.push(root(left));
            size -= left.len();
            range = right;
            known = false;
        }
    }
    if !known {
        path.push(root(range));
    }
    path.reverse();
    Some(path)
}

/// A size and a root: the head of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreeHead {
    /// The number of leaves.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

/// Tells whether `path` proves that the tree of `new` extends that of `old`
/// (RFC 9162 section 2.1.4.2). A tree of no leaves proves nothing.
#[must_use]
pub fn verify_consistency(old: &TreeHead, new: &TreeHead, path: &[Digest]) -> bool {
    if old.size == 0 || old.size > new.size {
        return false;
    }
    if old.size == new.size {
        return path.is_empty() && old.root == new.root;
    }
    let (mut node_index, mut last_index) = (old.size - 1, new.size - 1);
    while node_index & 1 == 1 {
        node_index >>= 1;
        last_index >>= 1;
    }
    // a complete old tree is a node of the new one, and not repeated in the path
    let (start, rest) = if old.size.is_power_of_two() {
        (old.root, path)
    } else {
        match path.split_first() {
            Some((first, rest)) => (*first, rest),
            None => return false,
        }
    };
    let (mut old_root, mut new_root) = (start, start);
    for sibling in rest {
        if last_index == 0 {
            return false;
        }
        if node_index & 1 == 1 || node_index == last_index {
            old_root = node(sibling, &old_root);
            new_root = node(sibling, &new_root);
            while node_index & 1 == 0 && node_index != 0 {
                node_index >>= 1;
                last_index >>= 1;
            }
        } else {
            new_root = node(&new_root, sibling);
        }
        node_index >>= 1;
        last_index >>= 1;
    }
    last_index == 0 && old_root == old.root && new_root == new.root
}

/// Returns the largest power of two below `size`, which is at least 2.
const fn split(size: usize) -> usize {
    1 << (usize::BITS - 1 - (size - 1).leading_zeros())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn leaves(count: u8) -> Vec<Digest> {
        (0..count).map(|number| leaf(&[number])).collect()
    }

    #[test]
    fn every_inclusion_proof_of_small_trees_holds_and_no_other() {
        for size in 1..=33_u8 {
            let leaves = leaves(size);
            let root = root(&leaves);
            for index in 0..u64::from(size) {
                let path = inclusion_proof(&leaves, index).unwrap();
                let leaf = leaves[usize::try_from(index).unwrap()];
                let total = u64::from(size);
                assert!(verify_inclusion(&leaf, index, total, &path, &root));
                assert!(!verify_inclusion(&leaf, index + 1, total, &path, &root));
                assert!(!verify_inclusion(&root, index, total, &path, &Digest::ZERO));
                let longer = [path.as_slice(), &[root]].concat();
                assert!(!verify_inclusion(&leaf, index, total, &longer, &root));
                if let Some((_, shorter)) = path.split_last() {
                    assert!(!verify_inclusion(&leaf, index, total, shorter, &root));
                }
            }
            assert!(inclusion_proof(&leaves, u64::from(size)).is_none());
        }
    }

    #[test]
    fn every_consistency_proof_of_small_trees_holds_and_no_other() {
        for size in 1..=33_u8 {
            let leaves = leaves(size);
            let new = TreeHead {
                size: size.into(),
                root: root(&leaves),
            };
            for old_size in 1..=size {
                let old = TreeHead {
                    size: old_size.into(),
                    root: root(&leaves[..usize::from(old_size)]),
                };
                let path = consistency_proof(&leaves, old.size).unwrap();
                assert!(verify_consistency(&old, &new, &path));
                let other = TreeHead {
                    root: Digest::ZERO,
                    ..old
                };
                assert!(!verify_consistency(&other, &new, &path));
                let longer = [path.as_slice(), &[old.root]].concat();
                assert!(!verify_consistency(&old, &new, &longer));
                if let Some((_, shorter)) = path.split_last() {
                    assert!(!verify_consistency(&old, &new, shorter));
                }
            }
            assert!(consistency_proof(&leaves, 0).is_none());
            assert!(consistency_proof(&leaves, new.size + 1).is_none());
        }
    }

    proptest::proptest! {
        #[test]
        fn proofs_hold_for_the_tree_that_they_were_made_of(
            size in 1_u64..2_000,
            at in 0.0..1.0_f64,
            changed in 0_usize..64,
        ) {
            let leaves: Vec<Digest> = (0..size).map(|number| leaf(&number.to_be_bytes())).collect();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a place in the tree"
            )]
            let index = (at * size as f64) as u64;
            let new = TreeHead { size, root: root(&leaves) };
            let path = inclusion_proof(&leaves, index).unwrap();
            let entry = leaves[usize::try_from(index).unwrap()];
            assert!(verify_inclusion(&entry, index, size, &path, &new.root));
            let old_leaves = &leaves[..=usize::try_from(index).unwrap()];
            let old = TreeHead { size: index + 1, root: root(old_leaves) };
            let steps = consistency_proof(&leaves, old.size).unwrap();
            assert!(verify_consistency(&old, &new, &steps));
            // any other hash at any step, and neither holds
            for (of, path) in [path, steps].into_iter().enumerate() {
                let mut path = path;
                let Some(step) = path.get_mut(changed) else { continue };
                *step = leaf(step.as_bytes());
                let holds = match of {
                    0 => verify_inclusion(&entry, index, size, &path, &new.root),
                    _ => verify_consistency(&old, &new, &path),
                };
                assert!(!holds);
            }
        }
    }
}
