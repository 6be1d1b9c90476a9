//! What is written comes back as it was.

use matchwire_archive::{MAX_GROUP_BYTES, MAX_GROUP_ROWS};
use matchwire_domain::{chain::Digest, timestamp::Timestamp};
use matchwire_embedded::archive::{Archive as _, Row};
use matchwire_log::Error;
use proptest::prelude::*;

use crate::harness::{Folder, groups, read, round_trip, row, stored, write};

#[test]
fn many_groups() {
    round_trip(&groups(300, 200));
}

#[test]
fn objects_are_listed_by_their_folder() {
    let folder = Folder::new();
    let archive = folder.open();
    assert_eq!(archive.list("log/a/").unwrap(), Vec::<String>::new());
    for name in ["log/a/1.parquet", "log/a/2.parquet", "log/ab/3.parquet", "log/b/4.parquet"] {
        write(&archive, name, &groups(1, 3)).unwrap();
    }
    let mut names = archive.list("log/a/").unwrap();
    names.sort();
    assert_eq!(names, ["log/a/1.parquet", "log/a/2.parquet"]);
    archive.remove("log/a/1.parquet").unwrap();
    assert_eq!(archive.list("log/a/").unwrap(), ["log/a/2.parquet"]);
    for bad in ["", "/", "log", "../", "log//"] {
        assert!(archive.list(bad).is_err(), "{bad}");
    }
}

#[test]
fn no_group() {
    round_trip(&[]);
}

#[test]
fn one_row_and_many() {
    round_trip(&[vec![row("match/m1/1", 1)], groups(1, 20_000).remove(0)]);
}

#[test]
fn all_kinds_of_content() {
    let subject = "match/m1/1";
    let with = |stored: Vec<u8>| Row { stored, ..row(subject, 64) };
    let long = "é".repeat(128);
    let rows = vec![
        with(stored(subject, &long, None, "\u{0}\"\\\n\u{1F600}é")),
        with(stored(subject, "e2", Some("0001-01-01T00:00:00Z"), "")),
        with(stored(subject, "e3", Some("9999-12-31T23:59:59.999Z"), &"x".repeat(1 << 20))),
        // Spaces and escapes that another writer would not make.
        with(br#"{ "specversion":"1.0","id":"\u0041","source":"s","subject":"match/m1/1", "type":"a" }"#.to_vec()),
        Row { seq: u64::MAX, position: u64::MAX, fingerprint: u64::MAX, ..row(subject, 1) },
        Row { seq: 0, position: 0, fingerprint: 0, chain: Some(Digest([0; 32])), ..row(subject, 1) },
        Row { recorded: Timestamp::from_ms(i64::MIN), ..row(subject, 1) },
        Row { recorded: Timestamp::from_ms(i64::MAX), ..row(subject, 1) },
    ];
    let large = with(stored(subject, "large", None, &"y".repeat(5 << 20)));
    let without = Row { chain: None, ..row(subject, 1) };
    round_trip(&[rows.clone(), vec![large], vec![without], rows]);
}

/// More than one part of an upload, of bytes that hardly compress.
#[test]
fn an_object_of_several_parts() {
    let mut seed = 1_u64;
    let mut noise = || {
        let digits = (0..4_000).map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            format!("{seed:016x}")
        });
        digits.collect::<String>()
    };
    let group = |group: u64, text: &str| Row {
        stored: stored("match/m1/1", "e", None, text),
        ..row("match/m1/1", group)
    };
    let groups: Vec<_> =
        (1..15).map(|number| (0..40).map(|_| group(number, &noise())).collect()).collect();
    let folder = Folder::new();
    let object = write(&folder.open(), "large.parquet", &groups).unwrap();
    assert!(object.bytes > 17 << 20, "{object:?}");
    assert_eq!(read(&folder.open(), &object, groups.len()).unwrap(), groups);
    assert_eq!(folder.files(), ["large.parquet"]);
}

#[test]
fn what_no_reader_would_take_is_refused() {
    let folder = Folder::new();
    let archive = folder.open();
    let refused = |groups: &[Vec<Row>]| write(&archive, "x", groups).unwrap_err().to_string();
    let why = |groups: &[Vec<Row>]| match write(&archive, "x", groups).unwrap_err() {
        Error::Io(error) => error.to_string(),
        error => panic!("{error}"),
    };
    assert!(why(&[vec![]]).contains("0 rows"));
    assert!(why(&groups(1, MAX_GROUP_ROWS as u64 + 1)).contains("65537 rows"));
    let huge = stored("match/m1/1", "e", None, &"x".repeat(MAX_GROUP_BYTES));
    let too_large = write(&archive, "x", &[vec![Row { stored: huge, ..row("match/m1/1", 1) }]]);
    assert!(matches!(too_large, Err(Error::TooLarge { .. })), "{too_large:?}");
    let bad = vec![row("match/m1/1", 1), Row { stored: b"{}".to_vec(), ..row("match/m1/1", 2) }];
    let said = refused(&[groups(1, 10).remove(0), bad]);
    assert!(said.starts_with("x is damaged at byte") && said.contains("seq 2 of match/m1/1"));
    for name in ["", "/x", "../x", "x#1"] {
        assert!(write(&archive, name, &groups(1, 1)).is_err(), "{name}");
        assert!(archive.remove(name).is_err(), "{name}");
    }
    assert!(folder.files().is_empty(), "{:?}", folder.files());
}

fn any_row() -> impl Strategy<Value = Row> {
    let numbers = (any::<u64>(), any::<u64>(), any::<u64>(), any::<i64>());
    let texts = ("[a-z]{1,8}", any::<String>(), ".{1,40}", any::<bool>());
    let chain = proptest::option::of(any::<[u8; 32]>());
    (numbers, texts, chain).prop_map(|((seq, position, fingerprint, ms), text, chain)| {
        let (subject, content, id, has_time) = text;
        let subject = format!("match/{subject}/1");
        let recorded = Timestamp::from_ms(ms);
        let time = recorded.to_string();
        let stored = stored(&subject, &id, has_time.then_some(&time), &content);
        let subject = subject.into();
        Row { subject, seq, position, recorded, fingerprint, chain: chain.map(Digest), stored }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_groups(groups in prop::collection::vec(prop::collection::vec(any_row(), 1..40), 0..6)) {
        round_trip(&groups);
    }
}
