//! A back-up is made beside a log that is written, sealed and merged.

use std::{sync::Arc, time::Duration};

use matchwire_backup::{Told, follow};
use matchwire_domain::timestamp::Timestamp;
use matchwire_embedded::{Lifecycle, Options, Retention, Rule, Segments, disk::Directory};

use crate::harness::{Data, Place, open, options};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_comes_back_and_goes_on() {
    let (data, place, target) = (Data::new(), Place::new(), Data::new());
    let mut log = data.open(Options { background: true, ..options() });
    log.append(1, 1_000).await;
    let mut backup = place.backup(data.path()).await;
    for round in 1..100 {
        log.fill(1_000 + round * 20, 20).await;
        let done = backup.round(&mut |_| ()).await.unwrap();
        assert_eq!(done.recorded.ms(), 1_000 + round * 20 + 19);
        backup.begin_tidying().await.unwrap();
    }
    backup.round(&mut |_| ()).await.unwrap();
    backup.tidy().await.unwrap();
    drop(backup);
    let expected = log.all();
    let lineage = log.log.lineage().current().to_owned();

    let restored = place.restore(target.path()).await.unwrap();
    assert_eq!(restored.verified.damage, []);
    let streams: usize = expected.values().map(Vec::len).sum();
    assert_eq!(restored.verified.events, streams as u64);
    let position = restored.log.position;
    assert_eq!(position, restored.manifest.next);
    let mut again = target.open(options());
    assert_eq!(again.all(), expected);
    let now = again.log.lineage();
    assert_ne!(now.current(), lineage);
    assert_eq!(now.shared_until(&lineage), Some(position));
    again.fill(100_000, 50).await;
    let expected = again.all();
    drop(again);
    let again = target.open(options());
    assert_eq!(again.all(), expected);

    // The back-up goes on with the restored log, which has everything that it has.
    let mut backup = place.backup(target.path()).await;
    let done = backup.round(&mut |_| ()).await.unwrap();
    assert!(done.copied_bytes < done.bytes / 2, "{done:?}");
    drop(backup);
    let third = Data::new();
    let restored = place.restore(third.path()).await.unwrap();
    assert_eq!(restored.verified.damage, []);
    assert_eq!(open(third.path(), options()).all(), expected);
}

#[tokio::test]
async fn only_what_is_new_is_copied() {
    let (data, place) = (Data::new(), Place::new());
    let mut log = data.open(options());
    log.fill(1_000, 100).await;
    let first = place.backup(data.path()).await.round(&mut |_| ()).await.unwrap();
    assert_eq!(first.copied_bytes, first.bytes);
    let none = place.backup(data.path()).await.round(&mut |_| ()).await.unwrap();
    assert_eq!((none.copied_bytes, none.next), (0, first.next));
    log.append(1, 2_000).await;
    let one = place.backup(data.path()).await.round(&mut |_| ()).await.unwrap();
    assert!((1..1_000).contains(&one.copied_bytes), "{one:?}");
    assert_eq!(one.next, first.next + 1);
}

#[tokio::test]
async fn many_rounds_make_few_objects() {
    let (data, place, target) = (Data::new(), Place::new(), Data::new());
    let mut log = data.open(Options { segment_bytes: 1 << 20, ..options() });
    let mut backup = place.backup(data.path()).await;
    for round in 0..300 {
        log.append(1, 1_000 + round).await;
        let done = backup.round(&mut |_| ()).await.unwrap();
        assert!(done.objects <= 10, "{done:?}");
    }
    assert_eq!(place.objects().len(), backup.manifest().files.len());
    let expected = log.all();
    place.restore(target.path()).await.unwrap();
    assert_eq!(target.open(options()).all(), expected);
}

#[tokio::test]
async fn sealed_files_take_the_place_of_segments() {
    let (data, place, target) = (Data::new(), Place::new(), Data::new());
    let mut log = data.open(options());
    log.fill(1_000, 200).await;
    let expected = log.all();
    let mut backup = place.backup(data.path()).await;
    let before = backup.round(&mut |_| ()).await.unwrap();
    drop(log);
    data.maintain(usize::MAX);
    backup.tidy().await.unwrap();
    let after = backup.round(&mut |_| ()).await.unwrap();
    assert!(after.objects < before.objects / 2, "{before:?} {after:?}");
    assert!(after.bytes < before.bytes / 2, "{before:?} {after:?}");
    let named: Vec<_> = backup.manifest().files.iter().map(|entry| entry.object.clone()).collect();
    assert_eq!(place.objects(), named);
    place.restore(target.path()).await.unwrap();
    assert_eq!(target.open(options()).all(), expected);
}

#[tokio::test]
async fn a_log_that_crashed_goes_on_in_its_back_up() {
    let (data, place, target) = (Data::new(), Place::new(), Data::new());
    for crash in 0..5 {
        // The folder as a crash leaves it: the log was not closed in order.
        let crashed = Data::new();
        let mut log = data.open(options());
        log.fill(1_000 + crash * 1_000, 30).await;
        place.backup(data.path()).await.round(&mut |_| ()).await.unwrap();
        crate::harness::copy(data.path(), crashed.path());
        drop(log);
        std::fs::remove_dir_all(data.path().join("log")).unwrap();
        crate::harness::copy(crashed.path(), data.path());
    }
    let expected = data.open(options()).all();
    place.restore(target.path()).await.unwrap();
    assert_eq!(target.open(options()).all(), expected);
    data.maintain(usize::MAX);
    let mut backup = place.backup(data.path()).await;
    backup.tidy().await.unwrap();
    backup.round(&mut |_| ()).await.unwrap();
    let target = Data::new();
    let restored = place.restore(target.path()).await.unwrap();
    assert_eq!(restored.verified.damage, []);
    assert_eq!(target.open(options()).all(), expected);
}

#[tokio::test]
async fn followed_until_told_to_stop() {
    let (data, place, target) = (Data::new(), Place::new(), Data::new());
    let mut log = data.open(options());
    log.fill(1_000, 10).await;
    let mut backup = place.backup(data.path()).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (seen, mut rounds) = tokio::sync::mpsc::unbounded_channel();
    let following = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        let every = Duration::from_millis(1);
        let mut told = |told: Told<'_>| match told {
            Told::Done(round) => seen.send(round.recorded.ms()).unwrap_or(()),
            Told::Failed(error, _) => panic!("{error}"),
        };
        follow(&mut backup, every, stopped, &mut told).await.unwrap()
    });
    while rounds.recv().await != Some(1_009) {}
    log.fill(2_000, 10).await;
    while rounds.recv().await != Some(2_009) {}
    log.fill(3_000, 10).await;
    stop.send(()).unwrap();
    assert_eq!(following.await.unwrap().recorded.ms(), 3_009);
    place.restore(target.path()).await.unwrap();
    assert_eq!(target.open(options()).all(), log.all());
}

#[tokio::test]
async fn a_store_that_fails_is_tried_again() {
    let (data, place, target) = (Data::new(), Place::new(), Data::new());
    let mut log = data.open(options());
    log.fill(1_000, 10).await;
    let mut backup = place.backup(data.path()).await;
    backup.round(&mut |_| ()).await.unwrap();
    // Nothing can be written where its folder should be.
    let (folder, away) = (place.folder.path().join("log"), place.folder.path().join("away"));
    std::fs::rename(&folder, &away).unwrap();
    std::fs::write(&folder, "").unwrap();
    log.fill(2_000, 10).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (seen, mut told) = tokio::sync::mpsc::unbounded_channel();
    let following = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        let mut told = |told: Told<'_>| {
            let has_failed = matches!(told, Told::Failed(..));
            seen.send(has_failed).unwrap_or(());
        };
        follow(&mut backup, Duration::from_millis(1), stopped, &mut told).await.unwrap()
    });
    assert_eq!(told.recv().await, Some(true));
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&away, &folder).unwrap();
    while told.recv().await != Some(false) {}
    stop.send(()).unwrap();
    following.await.unwrap();
    place.restore(target.path()).await.unwrap();
    assert_eq!(target.open(options()).all(), log.all());
}

#[tokio::test]
async fn a_damaged_sealed_file_takes_nothings_place() {
    let (data, place, target) = (Data::new(), Place::new(), Data::new());
    let mut log = data.open(Options { segment_bytes: 16 << 10, ..options() });
    log.fill(1_000, 60).await;
    let expected = log.all();
    let mut backup = place.backup(data.path()).await;
    let before = backup.round(&mut |_| ()).await.unwrap();
    drop(log);
    data.maintain(1);
    let files = std::fs::read_dir(data.path().join("log")).unwrap();
    let names = files.map(|file| file.unwrap().path());
    let sealed = names.into_iter().find(|path| path.extension().is_some_and(|e| e == "sealed"));
    let mut bytes = std::fs::read(sealed.as_ref().unwrap()).unwrap();
    bytes[200] ^= 1;
    std::fs::write(sealed.unwrap(), bytes).unwrap();
    let tidied = backup.tidy().await;
    assert!(matches!(tidied, Err(matchwire_backup::Error::Log(_))), "{tidied:?}");
    backup.tidy().await.unwrap();
    assert_eq!(backup.round(&mut |_| ()).await.unwrap().objects, before.objects);
    place.restore(target.path()).await.unwrap();
    assert_eq!(target.open(options()).all(), expected);
}

/// What retention removes from the log goes from its back-up as well.
#[tokio::test]
async fn what_is_trimmed_goes_from_the_back_up() {
    let (data, place, target) = (Data::new(), Place::new(), Data::new());
    let mut log = data.open(options());
    log.fill(1_000, 100).await;
    drop(log);
    data.maintain(usize::MAX);
    let mut backup = place.backup(data.path()).await;
    backup.round(&mut |_| ()).await.unwrap();
    backup.tidy().await.unwrap();
    let before = backup.manifest().bytes();

    let rule = Rule { pattern: "match/**".parse().unwrap(), age: Some(Duration::from_secs(1)) };
    let lifecycle = Lifecycle { retention: Retention::new(vec![rule]), ..Lifecycle::default() };
    let disk = Arc::new(Directory::open(&data.path().join("log")).unwrap());
    let segments = Segments::open_with(disk, options(), lifecycle).unwrap();
    let now = Timestamp::from_ms(1_000_000);
    while segments.age(now).unwrap() || segments.maintain().unwrap() {}
    drop(segments);
    for _ in 0..2 {
        backup.round(&mut |_| ()).await.unwrap();
        backup.tidy().await.unwrap();
    }
    assert!(backup.manifest().bytes() < before, "{:?}", backup.manifest());
    let objects = backup.manifest().files.len();
    drop(backup);
    let left = std::fs::read_dir(place.folder.path().join("log")).unwrap().count();
    assert_eq!(left, objects + 1, "what is not needed is removed");

    let restored = place.restore(target.path()).await.unwrap();
    assert_eq!(restored.verified.damage, []);
    assert_eq!((restored.verified.events, restored.verified.trimmed > 250), (0, true));
    let stats = matchwire_embedded::stats(&target.path().join("log")).unwrap();
    assert_eq!(stats.streams, 7);
}
