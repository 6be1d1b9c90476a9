//! The hash chain of a stream, by which anyone can prove that nothing was lost, changed or moved.
//!
//! `leaf` is the SHA-256 of an event's stored bytes. `chain` is the SHA-256 of the chain before it
//! (32 bytes), the `seq` (8 bytes, big-endian), the `recordedtime` (milliseconds since 1970, 8
//! bytes, big-endian) and the leaf (32 bytes). The chain before the first event is
//! [`Digest::genesis`].

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{subject::Subject, timestamp::Timestamp};

/// The version of the stored format, which starts every chain.
pub const FORMAT: &str = "matchwire/1";

/// A SHA-256, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The chain of a stream without events: SHA-256 of `matchwire/1`, a line feed, the log's id, a
    /// line feed and the subject.
    pub fn genesis(log_id: &str, subject: &Subject) -> Self {
        Self(
            Sha256::new()
                .chain_update(FORMAT)
                .chain_update("\n")
                .chain_update(log_id)
                .chain_update("\n")
                .chain_update(subject.as_str())
                .finalize()
                .into(),
        )
    }

    /// The leaf of an event: SHA-256 of its stored bytes.
    pub fn leaf(stored: &[u8]) -> Self {
        Self(Sha256::digest(stored).into())
    }

    /// The chain after one more event.
    #[must_use]
    pub fn next(self, seq: u64, recorded: Timestamp, leaf: Self) -> Self {
        Self(
            Sha256::new()
                .chain_update(self.0)
                .chain_update(seq.to_be_bytes())
                .chain_update(recorded.ms().to_be_bytes())
                .chain_update(leaf.0)
                .finalize()
                .into(),
        )
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            if let [high, low] = pair {
                *high = HEX.get(usize::from(byte >> 4)).copied().unwrap_or(b'0');
                *low = HEX.get(usize::from(byte & 15)).copied().unwrap_or(b'0');
            }
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed apart from this code, with Python's hashlib.
    #[test]
    fn known_chain() {
        let subject = Subject::parse("match/m1/1").unwrap();
        let genesis = Digest::genesis("0123456789abcdef", &subject);
        let leaf = Digest::leaf(b"{}");
        let chain = genesis.next(1, Timestamp::from_ms(1_000), leaf);
        assert_eq!(
            genesis.to_string(),
            "8f425887d776fd8448b8295446a3feb05e98864f0f5363e563fc14df6ce0819c"
        );
        assert_eq!(
            leaf.to_string(),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
        assert_eq!(
            chain.to_string(),
            "d4d3f135bfa4cb7aa011eeb23206ca99c12b5b2b61d5c5cc8c76ed455c91e1e1"
        );
    }
}
