//! Sums of hashes, by which two lists are compared that come in different orders and are too long to be held.
//!
//! What one list has is added, what the other has is taken away. Where nothing is left both have had the same, but for one
//! chance in 2⁶⁴. Owners share sums, so that there is a fixed number of them; who is in one that is left over is a suspect,
//! and looked at by itself.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, Hash},
};

use foldhash::quality::FixedState;

/// How many sums there are: 2 MiB.
const SUMS: usize = 1 << 18;
/// Of how many owners sums are kept for each of them, at most: some 100 bytes each.
const MAX_OWNERS: usize = 500_000;

/// The hash of something.
pub(super) fn hash(of: &impl Hash) -> u64 {
    FixedState::default().hash_one(of)
}

fn place(owner: &[u8]) -> usize {
    // Less than the number of sums.
    usize::try_from(hash(&owner) % SUMS as u64).unwrap_or_default()
}

/// Which owners are wanted.
#[derive(Debug, Clone)]
pub(super) struct Suspects(Vec<bool>);

impl Suspects {
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn has(&self, owner: &[u8]) -> bool {
        self.0.get(place(owner)).copied().unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.0.contains(&true)
    }
}

/// Sums by owner.
pub(super) enum Sums {
    /// Of several owners together.
    Together(Vec<u64>),
    /// Of each of the suspects.
    Each(Suspects, BTreeMap<Vec<u8>, u64>),
}

impl Sums {
    pub(super) fn together() -> Self {
        Self::Together(vec![0; SUMS])
    }

    pub(super) fn each_of(suspects: &Suspects) -> Self {
        Self::Each(suspects.clone(), BTreeMap::new())
    }

    /// Whether it matters what an owner has.
    pub(super) fn wants(&self, owner: &[u8]) -> bool {
        match self {
            Self::Together(_) => true,
            Self::Each(suspects, _) => suspects.has(owner),
        }
    }

    /// Adds what an owner has in one list.
    pub(super) fn add(&mut self, owner: &[u8], hash: u64) {
        let sum = match self {
            Self::Together(sums) => sums.get_mut(place(owner)),
            Self::Each(suspects, sums) if suspects.has(owner) => {
                let has_room = sums.len() < MAX_OWNERS || sums.contains_key(owner);
                has_room.then(|| sums.entry(owner.to_vec()).or_default())
            }
            Self::Each(..) => None,
        };
        if let Some(sum) = sum {
            *sum = sum.wrapping_add(hash);
        }
    }

    /// Takes away what an owner has in the other one.
    pub(super) fn take_away(&mut self, owner: &[u8], hash: u64) {
        self.add(owner, hash.wrapping_neg());
    }

    /// Adds all of other sums.
    pub(super) fn join(&mut self, other: Self) {
        if let (Self::Together(own), Self::Together(other)) = (self, other) {
            for (sum, other) in own.iter_mut().zip(other) {
                *sum = sum.wrapping_add(other);
            }
        }
    }

    /// Whose sums are left over.
    pub(super) fn suspects(&self) -> Suspects {
        match self {
            Self::Together(sums) => Suspects(sums.iter().map(|sum| *sum != 0).collect()),
            Self::Each(suspects, _) => suspects.clone(),
        }
    }

    /// The owners whose own sums are left over, in their order; none as long as sums are shared.
    pub(super) fn owners(&self) -> Vec<Vec<u8>> {
        let Self::Each(_, sums) = self else { return Vec::new() };
        let is_left = |(owner, sum): (&Vec<u8>, &u64)| (*sum != 0).then(|| owner.clone());
        sums.iter().filter_map(is_left).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_one_list_alone_is_left() {
        let lists = [["a", "b", "c"], ["c", "x", "a"]];
        let sum = |sums: &mut Sums| {
            lists[0].iter().for_each(|it| sums.add(b"one", hash(it)));
            lists[1].iter().for_each(|it| sums.take_away(b"one", hash(it)));
            sums.add(b"other", 7);
            sums.take_away(b"other", 7);
        };
        let mut together = Sums::together();
        sum(&mut together);
        let suspects = together.suspects();
        assert!(suspects.has(b"one") && !suspects.has(b"other") && !suspects.is_empty());
        let mut each = Sums::each_of(&suspects);
        sum(&mut each);
        assert_eq!(each.owners(), [b"one".to_vec()]);
        let mut halves = Sums::together();
        halves.add(b"one", 3);
        let mut rest = Sums::together();
        rest.take_away(b"one", 3);
        halves.join(rest);
        assert!(halves.suspects().is_empty());
    }
}
