//! The fingerprint by which duplicates are looked up.

use matchwire_domain::subject::Subject;
use sha2::{Digest as _, Sha256};

/// Makes fingerprints of the events of one stream.
///
/// A fingerprint is the first 8 bytes of the SHA-256 of the subject, exclusive-or the first 8 of
/// that of source and id: the length of the source in 8 bytes, big-endian, the source, and the id.
/// It is stored with the record, so it must never change.
///
/// Two identities may share one, by chance once in some billions of events: a match is only ever a
/// reason to compare the records. Nobody can make many identities share one, which is what would
/// slow the look-ups down.
#[derive(Debug, Clone, Copy)]
pub struct Fingerprints {
    stream: u64,
}

impl Fingerprints {
    /// Those of a stream.
    pub fn new(subject: &Subject) -> Self {
        Self { stream: first(Sha256::new().chain_update(subject.as_str())) }
    }

    /// The fingerprint of an event.
    pub fn of(self, source: &str, id: &str) -> u64 {
        self.stream ^ first(identity(source, id))
    }

    /// What tells an identity where its record is not at hand: the second 8 bytes of the SHA-256 of
    /// source and id, of which the fingerprint has the first 8. With it, 128 bits of a hash say
    /// that an event is a duplicate, and nobody can make two identities share those.
    pub fn check(source: &str, id: &str) -> u64 {
        let digest: [u8; 32] = identity(source, id).finalize().into();
        digest.as_chunks::<8>().0.get(1).map_or(0, |second| u64::from_be_bytes(*second))
    }
}

fn identity(source: &str, id: &str) -> Sha256 {
    let hash = Sha256::new().chain_update((source.len() as u64).to_be_bytes());
    hash.chain_update(source).chain_update(id)
}

/// The first 8 bytes of a hash.
fn first(hash: Sha256) -> u64 {
    let digest: [u8; 32] = hash.finalize().into();
    digest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed apart from this code, with Python's hashlib.
    #[test]
    fn known_value() {
        let stream = Fingerprints::new(&Subject::parse("match/m1/1").unwrap());
        assert_eq!(stream.of("s", "e1"), KNOWN);
        assert_ne!(stream.of("se", "1"), KNOWN);
    }

    const KNOWN: u64 = 0x3e43_1c76_d105_4085;

    #[test]
    fn known_check() {
        assert_eq!(Fingerprints::check("s", "e1"), CHECK);
        assert_ne!(Fingerprints::check("se", "1"), CHECK);
    }

    const CHECK: u64 = 0x6c58_682f_b7ec_1151;
}
