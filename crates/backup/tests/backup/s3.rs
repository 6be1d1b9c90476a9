//! The same in S3. It runs where `MATCHWIRE_S3_TEST` names a place, `s3://BUCKET/PREFIX`, on a
//! server that the `AWS_*` variables name.

use std::sync::Arc;

use matchwire_backup::{Backup, Error, Safe, Store, Wanted};
use matchwire_domain::timestamp::Timestamp;
use matchwire_embedded::Options;
use matchwire_log::ManualClock;

use crate::harness::{Data, options, restore};

/// A place of its own for a test, and the safe beside it.
fn places(name: &str) -> (Store, Safe) {
    let place = place(name);
    let safe = Safe::create(&Safe::beside(&place).unwrap()).unwrap();
    (Store::create(&place).unwrap(), safe)
}

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
    let (store, safe) = places("all");
    let mut log = data.open(options());
    let mut backup = Backup::open(data.path(), store.clone(), safe.clone()).await.unwrap();
    for round in 0..10 {
        log.fill(1_000 + round * 100, 40).await;
        backup.round(&mut |_| ()).await.unwrap();
    }
    let expected = log.all();
    drop(log);
    data.maintain(usize::MAX);
    backup.tidy().await.unwrap();
    crate::vault::meet(&crate::vault::vault(&data), &["steam:1111"]);
    backup.round(&mut |_| ()).await.unwrap();
    let restored = restore(&store, &safe, target.path(), Wanted::default()).await.unwrap();
    assert_eq!(restored.verified.damage, []);
    assert_eq!(target.open(options()).all(), expected);
    assert_eq!(crate::vault::vault(&target).player_of("steam:1111").as_deref(), Some("p1"));
    let past = Data::new();
    let wanted = Wanted { to_time: Some(Timestamp::from_ms(1_520)), ..Wanted::default() };
    restore(&store, &safe, past.path(), wanted).await.unwrap();
    assert_eq!(past.open(options()).all(), crate::harness::until(&expected, 1_520));
}

#[tokio::test]
#[ignore = "needs a server, see .ci/run"]
async fn s3_objects_in_parts() {
    let (data, target) = (Data::new(), Data::new());
    let (store, safe) = places("parts");
    let mut log = data.open(Options { segment_bytes: 64 << 20, ..options() });
    for group in 0..50 {
        log.append(3_000, 1_000 + group).await;
    }
    let mut backup = Backup::open(data.path(), store.clone(), safe.clone()).await.unwrap();
    let done = backup.round(&mut |_| ()).await.unwrap();
    assert!(done.bytes > 40 << 20, "{done:?}");
    restore(&store, &safe, target.path(), Wanted::default()).await.unwrap();
    assert_eq!(target.open(options()).all(), log.all());
}

#[tokio::test]
#[ignore = "needs a server, see .ci/run"]
async fn s3_one_at_a_time() {
    let data = Data::new();
    let (store, safe) = places("one");
    let mut log = data.open(options());
    log.fill(1_000, 5).await;
    let mut first = Backup::open(data.path(), store.clone(), safe.clone()).await.unwrap();
    first.round(&mut |_| ()).await.unwrap();
    let mut second = Backup::open(data.path(), store.clone(), safe.clone()).await.unwrap();
    log.fill(2_000, 5).await;
    first.round(&mut |_| ()).await.unwrap();
    let round = second.round(&mut |_| ()).await;
    assert!(matches!(round, Err(Error::Busy(_))), "{round:?}");
}

#[tokio::test]
#[ignore = "needs a server, see .ci/run"]
async fn s3_pieces_and_what_is_left_of_them() {
    let (data, target) = (Data::new(), Data::new());
    let (store, safe) = places("pieces");
    let mut log = data.open(Options { segment_bytes: 1 << 20, ..options() });
    for group in 0..20 {
        log.append(1, 1_000 + group).await;
        // Each opens the back-up again, and removes what the one before may have left.
        let mut backup = Backup::open(data.path(), store.clone(), safe.clone()).await.unwrap();
        let done = backup.round(&mut |_| ()).await.unwrap();
        assert!(done.objects <= 6, "{done:?}");
    }
    restore(&store, &safe, target.path(), Wanted::default()).await.unwrap();
    assert_eq!(target.open(options()).all(), log.all());
}

#[tokio::test]
#[ignore = "needs a server, see .ci/run"]
async fn s3_a_bucket_that_is_not_there() {
    let store = Store::open("s3://matchwire-has-no-such-bucket/x").unwrap();
    let safe = Safe::open("s3://matchwire-has-no-such-bucket/x.safe").unwrap();
    let restored = restore(&store, &safe, Data::new().path(), Wanted::default()).await;
    let Err(error @ Error::Refused { .. }) = restored else { panic!("{restored:?}") };
    assert!(error.to_string().contains("bucket"), "{error}");
}

#[tokio::test]
#[ignore = "needs a server, see .ci/run"]
async fn s3_keys_and_the_ledger() {
    let (data, target) = (crate::vault::with_log().await, Data::new());
    let noon = Timestamp::parse("2026-11-26T12:00:00Z").unwrap().ms();
    let clock = Arc::new(ManualClock::new(noon));
    let (store, safe) = places("safe");
    let safe = safe.with_clock(clock.clone());
    let vault = crate::vault::vault(&data);
    crate::vault::meet(&vault, &["steam:1111", "steam:2222"]);
    let mut first = Backup::open(data.path(), store.clone(), safe.clone()).await.unwrap();
    first.round(&mut |_| ()).await.unwrap();
    // Two that do not know of one another add to one ledger, and have one key.
    let (other, _) = places("other");
    let mut second = Backup::open(data.path(), other, safe.clone()).await.unwrap();
    crate::vault::erase(&vault, "p1");
    assert_eq!(second.round(&mut |_| ()).await.unwrap().erasures, 1);
    let wanted = Wanted::default();
    let restored = restore(&store, &safe, target.path(), wanted).await.unwrap();
    assert_eq!((restored.people.erasures, restored.people.erased_again), (Some(1), 1));
    crate::vault::erase(&vault, "p2");
    assert_eq!(first.round(&mut |_| ()).await.unwrap().erasures, 2);
    clock.set(noon + 30 * 24 * 60 * 60 * 1_000);
    second.round(&mut |_| ()).await.unwrap();
    let dark = restore(&store, &safe, Data::new().path(), wanted).await;
    assert!(matches!(dark, Err(Error::Dark { .. })), "{dark:?}");
    // The key itself is gone, so that a clock which is set back does not help.
    clock.set(noon);
    let dark = restore(&store, &safe, Data::new().path(), wanted).await;
    assert!(matches!(dark, Err(Error::Dark { .. })), "{dark:?}");
}
