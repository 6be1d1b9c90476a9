//! Records and groups, byte for byte: what is written, and what is made of damage.

use matchwire_domain::{chain::Digest, envelope::Recorded, subject::Subject, timestamp::Timestamp};
use matchwire_log::medium::Record;
use proptest::prelude::*;

use super::*;

const HOME: Home = Home { log_id: 0x0123_4567_89ab_cdef, segment: 9, version: 2 };

prop_compose! {
    fn record()(
        seq: u64,
        seals: bool,
        ms in -1_000_i64..4_000_000_000_000,
        fingerprint: u64,
        chain: [u8; 32],
        match_id in "[A-Za-z0-9._~-]{1,64}",
        map in 1_u16..=999,
        stored in proptest::collection::vec(any::<u8>(), 0..600),
    ) -> Record {
        let leaf = Digest::leaf(&stored);
        let recorded = Timestamp::from_ms(ms);
        let chain = Digest(chain);
        Record {
            subject: Subject::match_map(&match_id, map).unwrap(),
            fingerprint,
            seals,
            recorded: Recorded { seq, recorded, leaf, chain, stored: stored.into() },
        }
    }
}

fn encode(number: u64, records: &[Record]) -> Vec<u8> {
    let mut out = vec![1, 2, 3];
    put_group(&mut out, HOME, number, 40, records.iter().map(View::of));
    out
}

proptest! {
    #[test]
    fn a_group_comes_back(records in proptest::collection::vec(record(), 1..9), number: u64) {
        let bytes = encode(number, &records);
        prop_assert_eq!(bytes.len(), group_bytes(&records));
        let group = Group::decode(&bytes, HOME).unwrap();
        let header = GroupHeader::decode(&bytes[..GROUP_HEADER_BYTES], HOME).unwrap();
        prop_assert_eq!(group.header, header);
        prop_assert_eq!((header.number, header.synced, header.size()), (number, 40, bytes.len()));
        prop_assert_eq!(header.count as usize, records.len());
        let views: Vec<_> = group.records().map(Option::unwrap).collect();
        prop_assert_eq!(views.len(), records.len());
        for ((offset, view), record) in views.into_iter().zip(&records) {
            prop_assert_eq!(view, View::of(record));
            prop_assert_eq!(View::decode(&bytes[offset..], 2).unwrap(), view);
            let recorded = view.recorded(&record.subject, view.seq).unwrap();
            prop_assert_eq!(recorded.leaf, record.recorded.leaf);
        }
    }

    #[test]
    fn one_flipped_bit_is_seen(records in proptest::collection::vec(record(), 1..4), at: usize) {
        let mut bytes = encode(3, &records);
        let bit = at % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(Group::decode(&bytes, HOME), None);
    }

    #[test]
    fn a_group_is_valid_at_home_only(records in proptest::collection::vec(record(), 1..4)) {
        let bytes = encode(3, &records);
        prop_assert_eq!(Group::decode(&bytes, Home { segment: 8, ..HOME }), None);
        prop_assert_eq!(Group::decode(&bytes, Home { log_id: 8, ..HOME }), None);
        prop_assert_eq!(Group::decode(&bytes[..bytes.len() - 9], HOME), None);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = (View::decode(&bytes, 1), View::decode(&bytes, 2));
        let _ = SegmentHeader::decode(&bytes);
        for (to, from) in bytes.iter_mut().zip(GROUP_MAGIC) {
            *to = from;
        }
        for version in [1, 2] {
            let _ = Group::decode(&bytes, Home { version, ..HOME });
        }
    }

    #[test]
    fn a_header_comes_back(log_id: u64, segment: u64, ms in 0_i64..4_000_000_000_000, bit in 0_usize..320) {
        let header = SegmentHeader::new(Home::new(log_id, segment), Timestamp::from_ms(ms));
        let mut bytes = header.encode();
        prop_assert_eq!(bytes.len(), SEGMENT_HEADER_BYTES);
        prop_assert_eq!(SegmentHeader::decode(&bytes), Some(header));
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(SegmentHeader::decode(&bytes), None);
    }
}

/// The bytes on disk, as they must stay; computed apart from this code, with Python.
#[test]
fn known_bytes() {
    let stored: std::sync::Arc<[u8]> = b"{}".as_slice().into();
    let record = Record {
        subject: Subject::parse("match/m/1").unwrap(),
        fingerprint: 0x1122_3344_5566_7788,
        seals: true,
        recorded: Recorded {
            seq: 5,
            recorded: Timestamp::from_ms(1_000),
            leaf: Digest::leaf(&stored),
            chain: Digest([0xaa; 32]),
            stored,
        },
    };
    let bytes = encode(7, &[record]);
    let hex = bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let expected = concat!(
        // magic, checksum of the header, of the records, bytes, count, number, synced
        "f64d574752500d0a",
        "611b2180",
        "db53467a",
        "4d000000",
        "01000000",
        "0700000000000000",
        "2800000000000000",
        // checksum, bytes, seq, recordedtime, fingerprint
        "29eb2c37",
        "02000000",
        "0500000000000000",
        "e803000000000000",
        "8877665544332211",
        // chain
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        // flags, subject, stored event, zeros
        "01",
        "09",
        "6d617463682f6d2f31",
        "7b7d",
        "000000",
    );
    assert_eq!(hex, expected);
}
