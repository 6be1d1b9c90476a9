//! An archive in memory that fails now and then. What it has outlasts every crash.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use matchwire_embedded::archive::{About, Archive, NextGroup, Object, Row};
use matchwire_log::Error;
use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::SmallRng};

/// Clones share the objects.
#[derive(Clone)]
pub(super) struct Shelf {
    objects: Arc<Mutex<BTreeMap<String, Vec<Vec<Row>>>>>,
    random: Arc<Mutex<SmallRng>>,
    /// In percent, how often a call fails.
    fails: Arc<AtomicU32>,
}

impl Shelf {
    pub(super) fn new(seed: u64, fails: u32) -> Self {
        Self {
            objects: Arc::default(),
            random: Arc::new(Mutex::new(SmallRng::seed_from_u64(seed))),
            fails: Arc::new(fails.into()),
        }
    }

    /// Sets how often in percent a call fails, and gives how often it was.
    pub(super) fn set_fails(&self, fails: u32) -> u32 {
        self.fails.swap(fails, Ordering::SeqCst)
    }

    /// How many objects there are.
    pub(super) fn objects(&self) -> usize {
        self.objects.lock().len()
    }

    fn may_fail(&self) -> Result<(), Error> {
        let fails = self.fails.load(Ordering::SeqCst);
        if self.random.lock().random_ratio(fails, 100) {
            return Err(Error::Away { place: self.place(), what: "nobody answers".into() });
        }
        Ok(())
    }
}

impl Archive for Shelf {
    fn place(&self) -> String {
        "the shelf".into()
    }

    fn write(&self, about: &About, next: &mut NextGroup<'_>) -> Result<Object, Error> {
        self.may_fail()?;
        let mut groups = Vec::new();
        while let Some(rows) = next()? {
            groups.push(rows);
        }
        let rows = groups.iter().flatten();
        let bytes = rows.map(|row| row.stored.len() as u64).sum();
        self.objects.lock().insert(about.name.clone(), groups);
        // It may be there although nobody was told so.
        self.may_fail()?;
        Ok(Object { name: about.name.clone(), bytes })
    }

    fn read(&self, object: &Object, group: u32) -> Result<Vec<Row>, Error> {
        self.may_fail()?;
        let objects = self.objects.lock();
        let group = usize::try_from(group).unwrap_or(usize::MAX);
        let rows = objects.get(&object.name).and_then(|groups| groups.get(group));
        rows.cloned().ok_or_else(|| Error::Corrupt {
            file: object.name.clone(),
            offset: 0,
            what: "it is missing".into(),
        })
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        self.may_fail()?;
        let objects = self.objects.lock();
        Ok(objects.keys().filter(|name| name.starts_with(prefix)).cloned().collect())
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        self.may_fail()?;
        self.objects.lock().remove(name);
        Ok(())
    }
}
