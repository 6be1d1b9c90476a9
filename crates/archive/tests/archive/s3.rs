//! The same in S3. It runs where `MATCHWIRE_S3_TEST` names a place, `s3://BUCKET/PREFIX`, on a
//! server that the `AWS_*` variables name.

use matchwire_archive::Parquet;
use matchwire_embedded::archive::{Archive as _, Object, Row};
use matchwire_log::Error;

use crate::harness::{groups, read, row, stored, write};

/// A place of its own for a test.
fn place(name: &str) -> String {
    let place =
        std::env::var("MATCHWIRE_S3_TEST").expect("set MATCHWIRE_S3_TEST=s3://BUCKET/PREFIX");
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    format!("{place}/archive-{name}-{:x}", now.as_nanos())
}

#[tokio::test]
#[ignore = "needs a server, see .ci/run"]
async fn s3_everything_comes_back() {
    let place = place("all");
    let groups = groups(700, 50);
    let object = write(&Parquet::open(&place).unwrap(), "a/x.parquet", &groups).unwrap();
    let archive = Parquet::open(&place).unwrap();
    assert_eq!(read(&archive, &object, groups.len()).unwrap(), groups);
    archive.remove("a/x.parquet").unwrap();
    archive.remove("a/x.parquet").unwrap();
    let said = archive.read(&object, 0).unwrap_err().to_string();
    assert!(said.contains("it is missing"), "{said}");
}

#[test]
#[ignore = "needs a server, see .ci/run"]
fn s3_an_object_in_parts() {
    let archive = Parquet::open(&place("parts")).unwrap();
    let noise = |seed: u64| {
        (0..60_000).fold((seed, String::new()), |(seed, text), _| {
            let seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed, text + &format!("{seed:016x}"))
        })
    };
    let group = |seq| {
        let text = noise(seq).1;
        vec![Row { stored: stored("match/m1/1", "e", None, &text), ..row("match/m1/1", seq) }]
    };
    let groups: Vec<_> = (1..50).map(group).collect();
    let object = write(&archive, "x.parquet", &groups).unwrap();
    assert!(object.bytes > 17 << 20, "{object:?}");
    assert_eq!(read(&archive, &object, groups.len()).unwrap(), groups);
}

#[test]
#[ignore = "needs a server, see .ci/run"]
fn s3_objects_of_another_size() {
    let archive = Parquet::open(&place("size")).unwrap();
    let object = write(&archive, "x.parquet", &groups(2, 20)).unwrap();
    for bytes in [0, 4, object.bytes - 1, object.bytes + 1, object.bytes * 100] {
        let other = Object { bytes, ..object.clone() };
        let read = archive.read(&other, 0);
        assert!(matches!(read, Err(Error::Corrupt { .. })), "{bytes}: {read:?}");
    }
    write(&archive, "x.parquet", &groups(3, 20)).unwrap();
    assert!(matches!(archive.read(&object, 0), Err(Error::Corrupt { .. })));
}

#[test]
#[ignore = "needs a server, see .ci/run"]
fn s3_a_bucket_that_is_not_there() {
    let error = Parquet::open("s3://matchwire-has-no-such-bucket/x").unwrap_err();
    assert!(error.to_string().contains("bucket"), "{error}");
}
