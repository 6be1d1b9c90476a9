//! Bytes that were made on purpose, so that their checksum is right: whatever they say, reading them
//! ends, with rows or with what is wrong, within the memory that a group may take.

use std::hash::{BuildHasher as _, RandomState};

use bytes::Bytes;
use matchwire_domain::{chain::Digest, timestamp::Timestamp};
use matchwire_embedded::archive::{About, Archive as _, Row};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

use crate::{
    Parquet, decode,
    footer::{self, END_BYTES, Footer},
    page,
    schema::Schema,
};

/// An event of a stream.
pub(crate) fn row(seq: u64) -> Row {
    let head = r#"{"specversion":"1.0","source":"test","subject":"match/m1/1","type":"test""#;
    Row {
        subject: "match/m1/1".into(),
        seq,
        position: seq * 3,
        recorded: Timestamp::from_ms(1_767_225_600_000),
        fingerprint: seq ^ 0x9e37_79b9_7f4a_7c15,
        chain: seq.is_multiple_of(8).then(|| Digest::leaf(b"")),
        stored: format!(r#"{head},"id":"e{seq}"}}"#).into(),
    }
}

/// The bytes of an object of two groups, and where its footer begins.
fn object() -> (Bytes, usize) {
    let folder = tempfile::tempdir().unwrap();
    let archive = Parquet::open(folder.path().to_str().unwrap()).unwrap();
    let about = About { name: "x".into(), log_id: "0123456789abcdef".into(), positions: (1, 2) };
    let mut groups = [1..40, 40..90].into_iter().map(|seqs| seqs.map(row).collect());
    archive.write(&about, &mut || Ok(groups.next())).unwrap();
    let bytes = Bytes::from(std::fs::read(folder.path().join("x")).unwrap());
    let length = usize::try_from(footer::length(&bytes).unwrap()).unwrap();
    let from = bytes.len() - END_BYTES - length;
    (bytes, from)
}

fn read(object: &[u8], from: usize) -> Result<Footer, String> {
    let schema = Schema::new().unwrap();
    Footer::read(&object[from..object.len() - END_BYTES], from as u64, &schema)
}

/// Some bytes are something else.
fn change(bytes: &mut [u8], random: &mut SmallRng) {
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..bytes.len());
        bytes[at] = match random.random_range(0..3) {
            0 => random.random(),
            1 => [0, 1, 0x7f, 0x80, 0xff][random.random_range(0..5)],
            _ => bytes[at] ^ 1 << random.random_range(0..8),
        };
    }
}

fn random() -> SmallRng {
    let seed = std::env::var("MATCHWIRE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0) >> 1);
    println!("MATCHWIRE_SEED={seed}");
    SmallRng::seed_from_u64(seed)
}

#[test]
fn groups_with_a_right_checksum() {
    let ((object, from), mut random) = (object(), random());
    let schema = Schema::new().unwrap();
    let group = read(&object, from).unwrap().groups.remove(1);
    let at = usize::try_from(group.from).unwrap();
    let bytes = &object[at..at + usize::try_from(group.bytes()).unwrap()];
    let whole = decode::rows(&bytes.to_vec().into(), &group, &schema).unwrap();
    assert_eq!(whole, (40..90).map(row).collect::<Vec<_>>());
    let mut refused = 0;
    for _ in 0..4_000 {
        let (mut bytes, mut group) = (bytes.to_vec(), group.clone());
        change(&mut bytes, &mut random);
        group.crc32c = crc32c::crc32c(&bytes);
        match decode::rows(&bytes.into(), &group, &schema) {
            Ok(rows) => assert_eq!(rows.len(), 50),
            Err(what) => refused += usize::from(!what.is_empty()),
        }
    }
    assert!(refused > 1_000, "{refused}");
}

#[test]
fn footers_that_say_something_else() {
    let ((object, from), mut random) = (object(), random());
    let good = read(&object, from).unwrap();
    for _ in 0..4_000 {
        let mut bytes = object.to_vec();
        let end = bytes.len() - END_BYTES;
        change(&mut bytes[from..end], &mut random);
        if let Ok(footer) = read(&bytes, from) {
            for group in footer.groups {
                assert!(group.from + group.bytes() <= from as u64, "{group:?}");
            }
        }
    }
    assert_eq!(good.groups.len(), 2);
}

/// A column of pages that each ask for 2 GiB, or for values without end.
#[test]
fn pages_that_ask_for_too_much() {
    let page = |raw: &[u8], values: &[u8]| {
        let head = [&[0x15, 0, 0x15], raw, &[0x15, 0, 0x2c, 0x15], values].concat();
        [&head[..], &[0x15, 0, 0x15, 6, 0x15, 6, 0, 0]].concat()
    };
    let most = [0xfe, 0xff, 0xff, 0xff, 0x0f];
    assert_eq!(page::raw_bytes(&page(&[100], &[6]).repeat(3), 3, 200), Ok(150));
    assert!(page::raw_bytes(&page(&[100], &[6]).repeat(5), 3, 200).is_err());
    assert!(page::raw_bytes(&page(&most, &[6]), 3, 1 << 20).is_err());
    assert!(page::raw_bytes(&page(&[100], &most), 3, 200).is_err());
    assert!(!page::has_schema(&[0x15, 4, 0x19, 0xfc, 0xff, 0xff, 0x0f]));
}
