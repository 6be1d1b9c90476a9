//! What is refused, and how it is said.

use std::fs;

use matchwire_backup::{Error, Store};

use crate::harness::{Data, Place, options};

async fn filled() -> (Data, Place) {
    let (data, place) = (Data::new(), Place::new());
    data.open(options()).append(1, 1_000).await;
    place.backup(data.path()).await.round(&mut |_| ()).await.unwrap();
    (data, place)
}

#[tokio::test]
async fn places() {
    for bad in ["ftp://x/y", "s3://", "s3:///x"] {
        assert!(matches!(Store::open(bad), Err(Error::Place { .. })), "{bad}");
    }
    assert!(matches!(Store::open("/nonexistent/place"), Err(Error::Missing(_))));
    let empty = Place::new();
    let restored = empty.restore(Data::new().path()).await;
    assert!(matches!(restored, Err(Error::Missing(_))), "{restored:?}");
}

#[tokio::test]
async fn a_directory_that_is_not_empty() {
    let (data, place) = filled().await;
    let restored = place.restore(data.path()).await;
    assert!(matches!(restored, Err(Error::Occupied(_))), "{restored:?}");
}

#[tokio::test]
async fn a_newer_format() {
    let (data, place) = filled().await;
    let path = place.folder.path().join("log/backup.json");
    fs::write(&path, r#"{"format":2,"new":[]}"#).unwrap();
    let restored = place.restore(Data::new().path()).await;
    assert!(matches!(restored, Err(Error::Newer { format: 2, .. })), "{restored:?}");
    let opened = place.try_backup(data.path()).await;
    assert!(matches!(opened.err(), Some(Error::Newer { .. })));
}

#[tokio::test]
async fn another_log() {
    let (_data, place) = filled().await;
    let (other, _) = filled().await;
    let opened = place.try_backup(other.path()).await;
    assert!(matches!(opened.err(), Some(Error::Diverged { .. })));
    assert!(matches!(
        place.try_backup(Data::new().path()).await.err(),
        Some(Error::Log(matchwire_log::Error::Unusable { .. }))
    ));
}

#[tokio::test]
async fn an_older_copy_of_the_log() {
    let (data, place, older) = (Data::new(), Place::new(), Data::new());
    let mut log = data.open(options());
    log.append(1, 1_000).await;
    crate::harness::copy(data.path(), older.path());
    log.append(1, 2_000).await;
    place.backup(data.path()).await.round(&mut |_| ()).await.unwrap();
    let round = place.backup(older.path()).await.round(&mut |_| ()).await;
    assert!(matches!(round, Err(Error::Log(matchwire_log::Error::Corrupt { .. }))), "{round:?}");
}

#[tokio::test]
async fn a_second_one_at_the_same_time() {
    let (data, place) = filled().await;
    let first = place.backup(data.path()).await;
    let second = place.try_backup(data.path()).await;
    assert!(matches!(second.err(), Some(Error::Busy(_))));
    drop(first);
    place.backup(data.path()).await;
}
