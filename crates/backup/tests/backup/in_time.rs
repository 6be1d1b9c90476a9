//! Restores to a point in time.

use matchwire_backup::Error;

use crate::harness::{All, Data, Place, options, until};

/// A back-up with sealed files, full segments and pieces; and everything in it.
async fn varied() -> (Place, Data, All) {
    let (data, place) = (Data::new(), Place::new());
    let mut log = data.open(options());
    log.fill(1_000, 40).await;
    // Between these times nothing is recorded.
    log.fill(1_100, 20).await;
    drop(log);
    data.maintain(6);
    let mut log = data.open(options());
    log.fill(1_200, 30).await;
    let mut backup = place.backup(data.path()).await;
    backup.round(&mut |_| ()).await.unwrap();
    log.fill(1_300, 5).await;
    backup.round(&mut |_| ()).await.unwrap();
    let names = place.objects().join(" ");
    assert!(names.contains(".sealed") && names.contains(".seg ") && names.contains(".seg.0"));
    (place, data, log.all())
}

#[tokio::test]
async fn every_boundary() {
    let (place, _data, all) = varied().await;
    let times: std::collections::BTreeSet<i64> =
        all.values().flatten().map(|(_, recorded, _)| *recorded).collect();
    for at_ms in times.iter().flat_map(|at_ms| [*at_ms, *at_ms + 1]) {
        let target = Data::new();
        let restored = place.restore_to(target.path(), Some(at_ms)).await.unwrap();
        assert_eq!(restored.verified.damage, [], "{at_ms}");
        let expected = until(&all, at_ms);
        let events: usize = expected.values().map(Vec::len).sum();
        assert_eq!(restored.verified.events, events as u64, "{at_ms}");
        let last = times.range(..=at_ms).next_back().unwrap();
        assert_eq!(restored.log.recorded.ms(), *last);
        let mut log = target.open(options());
        assert_eq!(log.all(), expected, "{at_ms}");
        // What comes now takes the place of what was cut off; ids of that are new again.
        log.append(3, at_ms + 1).await;
        let expected = log.all();
        drop(log);
        target.maintain(2);
        assert_eq!(target.open(options()).all(), expected, "{at_ms}");
    }
}

#[tokio::test]
async fn before_the_first_event_and_behind_the_last() {
    let (place, _data, all) = varied().await;
    let target = Data::new();
    let early = place.restore_to(target.path(), Some(999)).await;
    assert!(
        matches!(&early, Err(Error::TooEarly { first, .. }) if first.ms() == 1_000),
        "{early:?}"
    );
    // What it has left is in nobody's way.
    let restored = place.restore_to(target.path(), Some(1_000_000)).await.unwrap();
    assert_eq!(restored.log.cut, None);
    assert_eq!(target.open(options()).all(), all);
}

#[tokio::test]
async fn a_back_up_of_what_was_cut_off_is_kept() {
    let (place, data, all) = varied().await;
    let target = Data::new();
    place.restore_to(target.path(), Some(1_150)).await.unwrap();
    let opened = place.try_backup(target.path()).await;
    assert!(matches!(opened.err(), Some(Error::Diverged { .. })));
    // Nor does one that was open when the log went back.
    let older = Data::new();
    let mut backup = place.backup(data.path()).await;
    std::fs::rename(data.path().join("log"), older.path().join("log")).unwrap();
    std::fs::rename(target.path().join("log"), data.path().join("log")).unwrap();
    let round = backup.round(&mut |_| ()).await;
    assert!(matches!(round, Err(Error::Diverged { .. })), "{round:?}");
    drop(backup);
    let whole = Data::new();
    place.restore(whole.path()).await.unwrap();
    assert_eq!(whole.open(options()).all(), all);
}
