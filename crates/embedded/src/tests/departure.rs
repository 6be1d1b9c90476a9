//! Files leave for an archive while their disk fails.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::{Error, Log, ManualClock, Options as Bounds};
use parking_lot::Mutex;

use super::{SMALL, append, call, subject};
use crate::{
    Lifecycle, Segments,
    archive::{About, Archive, NextGroup, Object, Row},
    disk::{Fault, Faulty},
};

const DAY_MS: i64 = 86_400_000;

/// An archive in memory, which outlasts every crash.
#[derive(Default)]
struct Shelf {
    objects: Mutex<BTreeMap<String, Vec<Vec<Row>>>>,
    /// Takes nothing more.
    is_full: AtomicBool,
}

impl Archive for Shelf {
    fn place(&self) -> String {
        "the shelf".into()
    }

    fn write(&self, about: &About, next: &mut NextGroup<'_>) -> Result<Object, Error> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(Error::Away { place: self.place(), what: "it is full".into() });
        }
        let mut groups = Vec::new();
        while let Some(rows) = next()? {
            groups.push(rows);
        }
        self.objects.lock().insert(about.name.clone(), groups);
        Ok(Object { name: about.name.clone(), bytes: 1 })
    }

    fn read(&self, object: &Object, group: u32) -> Result<Vec<Row>, Error> {
        let objects = self.objects.lock();
        let rows = objects.get(&object.name).and_then(|groups| groups.get(group as usize));
        rows.cloned().ok_or_else(|| panic!("{} is missing", object.name))
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let objects = self.objects.lock();
        Ok(objects.keys().filter(|name| name.starts_with(prefix)).cloned().collect())
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        self.objects.lock().remove(name);
        Ok(())
    }
}

fn open(disk: &Faulty, shelf: &Arc<Shelf>) -> (Log, Arc<Segments>) {
    let lifecycle = Lifecycle {
        archive: Some(shelf.clone()),
        archive_after: Some(Duration::from_hours(1)),
        ..Lifecycle::default()
    };
    let medium = Segments::open_with(Arc::new(disk.clone()), SMALL, lifecycle).unwrap();
    let medium = Arc::new(medium);
    let bounds = Bounds { recent_bytes: 0, ..Bounds::default() };
    let clock = Arc::new(ManualClock::new(0));
    (Log::open_with(Box::new(medium.clone()), clock, bounds).unwrap(), medium)
}

/// A file may have its new name though the sync of that failed: then its object is needed after a
/// crash, and was no leftover before.
#[test]
fn a_sync_that_fails_costs_no_object() {
    let mut syncs = 0;
    loop {
        let (disk, shelf) = (Faulty::new(1), Arc::new(Shelf::default()));
        let (log, medium) = open(&disk, &shelf);
        for event in 0..20 {
            call(&log, vec![append("match/m/1", &[&format!("e{event}")])]).unwrap();
        }
        while medium.maintain().unwrap() {}
        disk.fail_after(Fault::Sync, syncs);
        let later = Timestamp::from_ms(DAY_MS);
        let mut fails = 0;
        for _ in 0..20 {
            if medium.age(later).is_err() {
                fails += 1;
                // What was left is looked through, and nothing comes in its place.
                shelf.is_full.store(true, Ordering::SeqCst);
            }
        }
        drop((log, medium));
        disk.crash_after(0);
        disk.restart();
        shelf.is_full.store(false, Ordering::SeqCst);
        let (log, medium) = open(&disk, &shelf);
        for _ in 0..3 {
            let entries = log.read(&subject("match/m/1"), 0, 100).unwrap();
            assert_eq!(entries.len(), 20, "after {syncs} syncs");
            medium.age(later).unwrap();
        }
        if fails == 0 {
            break;
        }
        syncs += 1;
    }
    assert!(syncs > 3, "{syncs}");
}
