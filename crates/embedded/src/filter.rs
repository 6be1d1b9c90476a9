//! Says quickly, and from memory, that a fingerprint is not in a sealed segment.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// Bits for each fingerprint; with the 4 that are set for one, about 1 of 40 look-ups is in vain.
const BITS_PER_ID: usize = 12;
/// How many filters are kept. One has about 0.3% of the size of its segment.
const KEPT: usize = 512;

/// A Bloom filter in blocks of 64 bits, and the first fingerprint of each page.
#[derive(Debug)]
pub(crate) struct Filter {
    blocks: Vec<u64>,
    firsts: Vec<u64>,
}

impl Filter {
    /// A filter for at most `count` fingerprints.
    pub(crate) fn new(count: usize) -> Self {
        Self { blocks: vec![0; (count * BITS_PER_ID).div_ceil(64).max(1)], firsts: Vec::new() }
    }

    /// Adds a page of fingerprints, in order.
    pub(crate) fn add_page(&mut self, fingerprints: impl Iterator<Item = u64>) {
        let mut first = None;
        for fingerprint in fingerprints {
            first = first.or(Some(fingerprint));
            let (block, bits) = self.place(fingerprint);
            if let Some(block) = self.blocks.get_mut(block) {
                *block |= bits;
            }
        }
        self.firsts.extend(first);
    }

    /// Whether the fingerprint may be there.
    pub(crate) fn may_have(&self, fingerprint: u64) -> bool {
        let (block, bits) = self.place(fingerprint);
        self.blocks.get(block).is_some_and(|block| block & bits == bits)
    }

    /// The pages on which the fingerprint would be.
    pub(crate) fn pages(&self, fingerprint: u64) -> std::ops::Range<usize> {
        let start = self.firsts.partition_point(|first| *first < fingerprint);
        let end = self.firsts.partition_point(|first| *first <= fingerprint);
        // Those with the fingerprint itself may begin on the page before.
        start.saturating_sub(1)..end
    }

    fn place(&self, fingerprint: u64) -> (usize, u64) {
        // The upper bits choose the block, the lower ones the bits in it.
        let block = (u128::from(fingerprint) * self.blocks.len() as u128) >> 64;
        let bit = |n: u32| 1_u64 << ((fingerprint >> (6 * n)) & 63);
        (usize::try_from(block).unwrap_or_default(), bit(0) | bit(1) | bit(2) | bit(3))
    }
}

/// The filters of the segments that were asked last.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    kept: HashMap<u64, Arc<Filter>>,
    order: VecDeque<u64>,
}

impl Filters {
    pub(crate) fn get(&self, segment: u64) -> Option<Arc<Filter>> {
        self.kept.get(&segment).cloned()
    }

    /// Keeps a filter, and drops the one that was kept first if there are too many.
    pub(crate) fn put(&mut self, segment: u64, filter: Arc<Filter>) {
        if self.kept.insert(segment, filter).is_none() {
            self.order.push_back(segment);
        }
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.kept.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_all_and_little_else() {
        let hash = |n: u64| {
            n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(29)
                .wrapping_mul(0xbf58_476d_1ce4_e5b9)
        };
        let mut ids: Vec<u64> = (0..20_000).map(hash).collect();
        ids.extend([7; 300]);
        ids.sort_unstable();
        let mut filter = Filter::new(ids.len());
        let pages: Vec<&[u64]> = ids.chunks(100).collect();
        for page in &pages {
            filter.add_page(page.iter().copied());
        }
        for id in &ids {
            assert!(filter.may_have(*id));
            let found: usize =
                filter.pages(*id).map(|page| pages[page].iter().filter(|i| *i == id).count()).sum();
            assert_eq!(found, if *id == 7 { 300 } else { 1 });
        }
        let wrong = (20_000..40_000).filter(|n| filter.may_have(hash(*n))).count();
        assert!(wrong < 20_000 / 25, "{wrong} of 20,000");
    }

    #[test]
    fn keeps_so_many() {
        let mut filters = Filters::default();
        let filter = Arc::new(Filter::new(1));
        (0..600).chain(550..560).for_each(|segment| filters.put(segment, filter.clone()));
        assert_eq!(filters.kept.len(), KEPT);
        assert!(filters.get(0).is_none() && filters.get(599).is_some());
    }
}
