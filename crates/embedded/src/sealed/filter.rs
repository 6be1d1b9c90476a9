//! Says quickly that a key is not in a file: a Bloom filter in blocks of 512 bits.
//!
//! A key sets 8 bits in one block. At 11 bits for each key, about 1 of 130 keys that are not there
//! is taken for one that may be. The payload of its frame is the blocks, of 64 bytes each.

/// Bits for each key.
const BITS_PER_KEY: usize = 11;
const BLOCK_BYTES: usize = 64;

/// The blocks of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter(Vec<u8>);

impl Filter {
    /// An empty filter for at most so many keys.
    pub(super) fn new(keys: usize) -> Self {
        Self(vec![0; (keys * BITS_PER_KEY).div_ceil(BLOCK_BYTES * 8).max(1) * BLOCK_BYTES])
    }

    /// Takes the payload of a frame; nothing if that is no filter.
    pub(super) fn from_payload(payload: Vec<u8>) -> Option<Self> {
        let fits = !payload.is_empty() && payload.len().is_multiple_of(BLOCK_BYTES);
        fits.then_some(Self(payload))
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn add(&mut self, key: u64) {
        let (block, bits) = place(key, self.0.len());
        let (blocks, _) = self.0.as_chunks_mut::<BLOCK_BYTES>();
        let Some(block) = blocks.get_mut(block) else { return };
        for bit in bits {
            if let Some(byte) = block.get_mut(usize::from(bit / 8)) {
                *byte |= 1 << (bit % 8);
            }
        }
    }

    /// Whether the key may be there.
    pub(super) fn may_have(&self, key: u64) -> bool {
        let (block, bits) = place(key, self.0.len());
        let (blocks, _) = self.0.as_chunks::<BLOCK_BYTES>();
        let Some(block) = blocks.get(block) else { return false };
        let is_set = |bit: u16| {
            block.get(usize::from(bit / 8)).is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
        };
        bits.into_iter().all(is_set)
    }
}

/// The block of a key, and its bits there.
fn place(key: u64, bytes: usize) -> (usize, [u16; 8]) {
    let first = mixed(key);
    let second = mixed(first ^ 0x9e37_79b9_7f4a_7c15);
    let block = (u128::from(first) * (bytes / BLOCK_BYTES) as u128) >> 64;
    let bit = |from: u64, n: u32| ((from >> (9 * n)) & 511) as u16;
    let bits = std::array::from_fn(|n| match n {
        7 => bit(first, 0),
        _ => bit(second, u32::try_from(n).unwrap_or_default()),
    });
    (usize::try_from(block).unwrap_or_default(), bits)
}

/// The key of a subject; the same for ever, since it is on disk.
pub(super) fn subject_key(subject: &str) -> u64 {
    // FNV-1a. Whoever finds two subjects with the same key costs us a look into the table.
    subject.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Spreads a number over all bits (the last step of `splitmix64`).
pub(super) fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_all_and_little_else() {
        for key in [|n: u64| n, |n: u64| subject_key(&format!("match/m{n}/1"))] {
            let mut filter = Filter::new(50_000);
            (0..50_000).for_each(|n| filter.add(key(n)));
            assert!((0..50_000).all(|n| filter.may_have(key(n))));
            let wrong = (50_000..150_000).filter(|n| filter.may_have(key(*n))).count();
            assert!(wrong < 1_000, "{wrong} of 100,000");
        }
    }

    /// They are on disk.
    #[test]
    fn keys_stay_the_same() {
        assert_eq!(subject_key("match/m1/1"), 0x2d04_34bf_bb01_56b9);
        assert_eq!(mixed(1), 0x5692_161d_100b_05e5);
    }
}
