//! The same in S3. It runs where `MATCHWIRE_S3_TEST` names a place, `s3://BUCKET/PREFIX`, on a
//! server that the `AWS_*` variables name.

use matchwire_backup::{Backup, Error, Store};
use matchwire_embedded::Options;

use crate::harness::{Data, options, restore};

/// A place of its own for a test.
fn place(name: &str) -> String {
    let place =
        std::env::var("MATCHWIRE_S3_TEST").expect("set MATCHWIRE_S3_TEST=s3://BUCKET/PREFIX");
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    format!("{place}/{name}-{:x}", now.as_nanos())
}

#[tokio::test]
#[ignore = "needs a server, see .ci/run"]
async fn s3_everything_comes_back() {
    let (data, target) = (Data::new(), Data::new());
    let store = Store::create(&place("all")).unwrap();
    let mut log = data.open(options());
    let mut backup = Backup::open(data.path(), store.clone()).await.unwrap();
    for round in 0..10 {
        log.fill(1_000 + round * 100, 40).await;
        backup.round(&mut |_| ()).await.unwrap();
    }
    let expected = log.all();
    drop(log);
    data.maintain(usize::MAX);
    backup.tidy().await.unwrap();
    std::fs::create_dir_all(data.path().join("vault")).unwrap();
    std::fs::write(data.path().join("vault/exchange.ndjson"), "[\"p1\",\"steam:1\"]\n").unwrap();
    backup.round(&mut |_| ()).await.unwrap();
    let restored = restore(&store, target.path(), None).await.unwrap();
    assert_eq!(restored.verified.damage, []);
    assert_eq!(target.open(options()).all(), expected);
    assert!(target.path().join("vault/exchange.ndjson").exists());
    let past = Data::new();
    restore(&store, past.path(), Some(1_520)).await.unwrap();
    assert_eq!(past.open(options()).all(), crate::harness::until(&expected, 1_520));
}

#[tokio::test]
#[ignore = "needs a server, see .ci/run"]
async fn s3_objects_in_parts() {
    let (data, target) = (Data::new(), Data::new());
    let store = Store::create(&place("parts")).unwrap();
    let mut log = data.open(Options { segment_bytes: 64 << 20, ..options() });
    for group in 0..50 {
        log.append(3_000, 1_000 + group).await;
    }
    let mut backup = Backup::open(data.path(), store.clone()).await.unwrap();
    let done = backup.round(&mut |_| ()).await.unwrap();
    assert!(done.bytes > 40 << 20, "{done:?}");
    restore(&store, target.path(), None).await.unwrap();
    assert_eq!(target.open(options()).all(), log.all());
}

#[tokio::test]
#[ignore = "needs a server, see .ci/run"]
async fn s3_one_at_a_time() {
    let data = Data::new();
    let store = Store::create(&place("one")).unwrap();
    let mut log = data.open(options());
    log.fill(1_000, 5).await;
    let mut first = Backup::open(data.path(), store.clone()).await.unwrap();
    first.round(&mut |_| ()).await.unwrap();
    let mut second = Backup::open(data.path(), store.clone()).await.unwrap();
    log.fill(2_000, 5).await;
    first.round(&mut |_| ()).await.unwrap();
    let round = second.round(&mut |_| ()).await;
    assert!(matches!(round, Err(Error::Busy(_))), "{round:?}");
}

#[tokio::test]
#[ignore = "needs a server, see .ci/run"]
async fn s3_pieces_and_what_is_left_of_them() {
    let (data, target) = (Data::new(), Data::new());
    let place = place("pieces");
    let store = Store::create(&place).unwrap();
    let mut log = data.open(Options { segment_bytes: 1 << 20, ..options() });
    for group in 0..20 {
        log.append(1, 1_000 + group).await;
        // Each opens the back-up again, and removes what the one before may have left.
        let mut backup = Backup::open(data.path(), store.clone()).await.unwrap();
        let done = backup.round(&mut |_| ()).await.unwrap();
        assert!(done.objects <= 6, "{done:?}");
    }
    restore(&store, target.path(), None).await.unwrap();
    assert_eq!(target.open(options()).all(), log.all());
}

#[tokio::test]
#[ignore = "needs a server, see .ci/run"]
async fn s3_a_bucket_that_is_not_there() {
    let store = Store::open("s3://matchwire-has-no-such-bucket/x").unwrap();
    let restored = restore(&store, Data::new().path(), None).await;
    let Err(error @ Error::Refused { .. }) = restored else { panic!("{restored:?}") };
    assert!(error.to_string().contains("bucket"), "{error}");
}
