//! A disk that is full, and one that does not sync.

use std::sync::Arc;

use matchwire_log::{Error, Medium};

use super::{append, call, log, read, subject};
use crate::{Segments, disk::Faulty, verify_on};

#[test]
fn goes_on_once_there_is_space() {
    let disk = Faulty::new(0);
    disk.set_capacity(6_000);
    let log = log(&disk).unwrap();
    let (mut stored, mut refused) = (0, 0);
    for capacity in (6_000..200_000).step_by(171) {
        disk.set_capacity(capacity);
        let ids = [format!("{stored}"), format!("{stored}-2")];
        match call(&log, vec![append("match/a/1", &ids)]) {
            Ok(_) => stored += 1,
            Err(Error::Full) => refused += 1,
            Err(other) => panic!("{other}"),
        }
        assert_eq!(log.head(&subject("match/a/1")).unwrap(), stored * 2);
    }
    assert!(stored > 20 && refused > 20, "{stored} stored, {refused} refused");
    disk.set_capacity(u64::MAX);
    call(&log, vec![append("match/a/1", &["last"])]).unwrap();
    assert_eq!(read(&log, "match/a/1").unwrap().len() as u64, stored * 2 + 1);
    drop(log);
    disk.restart();
    assert_eq!(
        read(&super::log(&disk).unwrap(), "match/a/1").unwrap().len() as u64,
        stored * 2 + 1
    );
    assert_eq!(verify_on(&disk, &mut |_| ()).unwrap().damage, []);
}

/// What a refused append left behind does no harm, whenever the machine crashes after it.
#[test]
fn a_crash_on_a_full_disk_loses_nothing() {
    for capacity in (2_500..12_000).step_by(61) {
        let disk = Faulty::new(capacity);
        disk.set_capacity(capacity);
        let log = log(&disk).unwrap();
        let mut stored = 0;
        while call(&log, vec![append("match/a/1", &[stored.to_string()])]).is_ok() {
            stored += 1;
        }
        drop(log);
        disk.restart();
        disk.set_capacity(u64::MAX);
        let log = super::log(&disk).unwrap();
        let found = read(&log, "match/a/1").unwrap().len();
        assert!(found == stored || found == stored + 1, "{found} of {stored} with {capacity}");
    }
}

#[test]
fn a_failed_sync_stops_the_log() {
    let disk = Faulty::new(0);
    let log = log(&disk).unwrap();
    call(&log, vec![append("match/a/1", &["1"])]).unwrap();
    disk.set_sync_fails(true);
    for id in ["2", "3"] {
        let error = call(&log, vec![append("match/a/1", &[id])]).unwrap_err();
        assert!(matches!(error, Error::Stopped), "{error}");
        // A later sync would succeed, and lie.
        disk.set_sync_fails(false);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let reason = runtime.block_on(log.stopped());
    assert!(reason.contains("the disk does not answer"), "{reason}");
    assert_eq!(log.head(&subject("match/a/1")).unwrap(), 1, "what is not durable is not told");
    drop(log);
    disk.restart();
    // What was not synced may have arrived nevertheless.
    assert!(matches!(read(&super::log(&disk).unwrap(), "match/a/1").unwrap().len(), 1 | 2));
}

/// After a failed sync the system may take for synced what is only in memory. The next process must
/// not serve that, or must bring it to the disk.
#[test]
fn what_is_served_after_a_failed_sync_outlasts_the_power() {
    for seed in 0..64 {
        let disk = Faulty::new(seed);
        let log = log(&disk).unwrap();
        call(&log, vec![append("match/a/1", &["1"])]).unwrap();
        disk.set_sync_fails(true);
        call(&log, vec![append("match/a/1", &["2"])]).unwrap_err();
        drop(log);
        disk.set_sync_fails(false);
        disk.revive();
        let log = super::log(&disk).unwrap();
        let served = read(&log, "match/a/1").unwrap();
        call(&log, vec![append("match/a/1", &["3"])]).unwrap();
        drop(log);
        disk.restart();
        let log = super::log(&disk).unwrap();
        let found = read(&log, "match/a/1").unwrap();
        assert!(found.starts_with(&served) && found.len() == served.len() + 1, "seed {seed}");
    }
}

#[test]
fn a_medium_that_failed_takes_nothing_more() {
    let disk = Faulty::new(0);
    let medium = Segments::open_on(Arc::new(disk.clone()), super::SMALL).unwrap();
    disk.set_sync_fails(true);
    let log_of_one = |medium: Segments| {
        let clock = Arc::new(matchwire_log::ManualClock::new(0));
        matchwire_log::Log::open(Box::new(medium), clock).unwrap()
    };
    let position = medium.tail().position;
    let log = log_of_one(medium);
    call(&log, vec![append("match/a/1", &["1"])]).unwrap_err();
    drop(log);
    disk.set_sync_fails(false);
    let medium = Segments::open_on(Arc::new(disk), super::SMALL).unwrap();
    assert!(medium.tail().position >= position);
}
