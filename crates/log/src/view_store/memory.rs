//! The store in memory: the reference for the others, and what tests run on.

use std::{
    collections::BTreeMap,
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard, RwLock};

use super::{
    Build, Error, Keys, MAX_KEY_BYTES, MAX_POSITION_BYTES, MAX_VALUE_BYTES, Order, Row, Schema,
    Size, Snapshot, Start, Stored, StoredView, Table, Transaction, ViewStore,
};

/// How long one writer waits for another.
const PATIENCE: Duration = Duration::from_secs(5);

/// Views in memory. Clones share them, so that opening a clone is what opening a directory again is for
/// others. They are bounded by nothing but the machine, and a commit copies the whole view.
#[derive(Clone, Default)]
pub struct MemoryViews(Arc<Mutex<BTreeMap<(String, u32), Versions>>>);

/// What there is of one version of a view.
#[derive(Default)]
struct Versions {
    serving: Option<Arc<Kept>>,
    building: Option<Arc<Kept>>,
}

/// A view.
struct Kept {
    place: String,
    schema: Schema,
    content: RwLock<Arc<Content>>,
    /// Held by whoever writes.
    writer: Mutex<()>,
    /// Whether somebody builds it.
    is_taken: AtomicBool,
    is_gone: AtomicBool,
}

/// What a view is after a commit.
#[derive(Clone, Default)]
struct Content {
    position: Option<String>,
    tables: BTreeMap<&'static str, BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl MemoryViews {
    /// A store without views.
    pub fn new() -> Self {
        Self::default()
    }
}

impl ViewStore for MemoryViews {
    fn list(&self) -> Result<Vec<Stored>, Error> {
        let views = self.0.lock();
        let each = views.iter().flat_map(|((name, version), versions)| {
            let both = [(&versions.serving, false), (&versions.building, true)];
            both.into_iter().filter_map(|(kept, is_building)| {
                let content = kept.as_ref()?.content.read().clone();
                Some(Stored {
                    name: name.clone(),
                    version: *version,
                    is_building,
                    position: content.position.clone(),
                    size: content.size(),
                    failure: None,
                })
            })
        });
        Ok(each.collect())
    }

    fn open(&self, schema: &Schema) -> Result<Option<Arc<dyn StoredView>>, Error> {
        let views = self.0.lock();
        let serving = views.get(&key(schema)).and_then(|versions| versions.serving.clone());
        let Some(serving) = serving else { return Ok(None) };
        serving.check(schema)?;
        Ok(Some(serving))
    }

    fn build(&self, schema: &Schema, start: Start) -> Result<Box<dyn Build>, Error> {
        let mut views = self.0.lock();
        let building = &mut views.entry(key(schema)).or_default().building;
        let kept = building.get_or_insert_with(|| Kept::new(schema));
        if kept.is_taken.load(Ordering::SeqCst) {
            return Err(kept.busy("somebody else builds it"));
        }
        if start == Start::Anew || kept.check(schema).is_err() {
            *kept = Kept::new(schema);
        }
        kept.is_taken.store(true, Ordering::SeqCst);
        Ok(Box::new(Building { store: self.clone(), kept: kept.clone() }))
    }

    fn remove(&self, name: &str, version: u32) -> Result<bool, Error> {
        let mut views = self.0.lock();
        let key = (name.to_owned(), version);
        let Some(Versions { serving, building }) = views.get(&key) else { return Ok(false) };
        if let Some(building) = building
            && building.is_taken.load(Ordering::SeqCst)
        {
            return Err(building.busy("somebody builds it"));
        }
        for kept in serving.iter().chain(building) {
            kept.is_gone.store(true, Ordering::SeqCst);
        }
        Ok(views.remove(&key).is_some())
    }
}

fn key(schema: &Schema) -> (String, u32) {
    (schema.name().to_owned(), schema.version())
}

impl Kept {
    fn new(schema: &Schema) -> Arc<Self> {
        Arc::new(Self {
            place: format!("the view {} {} in memory", schema.name(), schema.version()),
            schema: *schema,
            content: RwLock::default(),
            writer: Mutex::default(),
            is_taken: AtomicBool::default(),
            is_gone: AtomicBool::default(),
        })
    }

    /// That it has the tables of a schema.
    fn check(&self, schema: &Schema) -> Result<(), Error> {
        if self.schema.tables() == schema.tables() {
            return Ok(());
        }
        let what = "its tables are others than this version of the view has".into();
        Err(Error::Damaged { place: self.place.clone(), what })
    }

    fn busy(&self, what: &str) -> Error {
        Error::Busy { place: self.place.clone(), what: what.into() }
    }
}

impl StoredView for Kept {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        let content = self.content.read().clone();
        Ok(Box::new(Seen { content, schema: self.schema }))
    }

    fn snapshots(&self, count: usize) -> Result<Vec<Box<dyn Snapshot>>, Error> {
        let content = self.content.read().clone();
        let seen = || Box::new(Seen { content: content.clone(), schema: self.schema });
        Ok((0..count.max(1)).map(|_| seen() as Box<dyn Snapshot>).collect())
    }

    fn begin(&self, expected: Option<&str>) -> Result<Box<dyn Transaction + '_>, Error> {
        let Some(guard) = self.writer.try_lock_for(PATIENCE) else {
            return Err(self.busy("another writer does not come to an end"));
        };
        if self.is_gone.load(Ordering::SeqCst) {
            return Err(Error::Gone { place: self.place.clone() });
        }
        let content = (**self.content.read()).clone();
        if content.position.as_deref() != expected {
            return Err(Error::Overtaken {
                view: self.schema.name().into(),
                expected: expected.map(ToOwned::to_owned),
                found: content.position,
            });
        }
        Ok(Box::new(Change { kept: self, content, _guard: guard }))
    }

    fn purge(&self) -> Result<(), Error> {
        Ok(())
    }

    fn size(&self) -> Result<Size, Error> {
        Ok(self.content.read().size())
    }
}

impl Content {
    fn size(&self) -> Size {
        let rows = || self.tables.values().flatten();
        let bytes = rows().map(|(key, value)| (key.len() + value.len()) as u64).sum();
        Size { bytes, rows: rows().count() as u64 }
    }

    fn get(&self, table: Table, key: &[u8]) -> Option<Vec<u8>> {
        self.tables.get(table.name())?.get(key).cloned()
    }

    /// The rows with these keys.
    fn rows(
        &self,
        table: Table,
        keys: &Keys,
    ) -> impl DoubleEndedIterator<Item = (&Vec<u8>, &Vec<u8>)> {
        let rows = self.tables.get(table.name()).zip(keys.bounds());
        rows.into_iter().flat_map(|(rows, bounds)| rows.range::<[u8], _>(bounds))
    }

    fn range(&self, table: Table, keys: &Keys, order: Order, limit: usize) -> Vec<Row> {
        let row =
            |(key, value): (&Vec<u8>, &Vec<u8>)| Row { key: key.clone(), value: value.clone() };
        let rows = self.rows(table, keys);
        match order {
            Order::Ascending => rows.take(limit).map(row).collect(),
            Order::Descending => rows.rev().take(limit).map(row).collect(),
        }
    }
}

struct Seen {
    content: Arc<Content>,
    schema: Schema,
}

impl Snapshot for Seen {
    fn position(&self) -> Result<Option<String>, Error> {
        Ok(self.content.position.clone())
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.schema.assert_has(table);
        Ok(self.content.get(table, key))
    }

    fn range(
        &self,
        table: Table,
        keys: &Keys,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        self.schema.assert_has(table);
        Ok(self.content.range(table, keys, order, limit))
    }

    fn count(&self, table: Table, keys: &Keys) -> Result<u64, Error> {
        self.schema.assert_has(table);
        Ok(self.content.rows(table, keys).count() as u64)
    }
}

struct Change<'a> {
    kept: &'a Kept,
    content: Content,
    _guard: MutexGuard<'a, ()>,
}

impl Transaction for Change<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.kept.schema.assert_has(table);
        Ok(self.content.get(table, key))
    }

    fn range(
        &self,
        table: Table,
        keys: &Keys,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        self.kept.schema.assert_has(table);
        Ok(self.content.range(table, keys, order, limit))
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), Error> {
        self.kept.schema.assert_has(table);
        Error::check_size("key", key.len(), MAX_KEY_BYTES)?;
        Error::check_size("value", value.len(), MAX_VALUE_BYTES)?;
        self.content.tables.entry(table.name()).or_default().insert(key.into(), value.into());
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), Error> {
        self.kept.schema.assert_has(table);
        if let Some(rows) = self.content.tables.get_mut(table.name()) {
            rows.remove(key);
        }
        Ok(())
    }

    fn commit(mut self: Box<Self>, position: &str) -> Result<(), Error> {
        Error::check_size("position", position.len(), MAX_POSITION_BYTES)?;
        self.content.position = Some(position.into());
        *self.kept.content.write() = Arc::new(mem::take(&mut self.content));
        Ok(())
    }
}

/// A view that somebody builds.
struct Building {
    store: MemoryViews,
    kept: Arc<Kept>,
}

impl StoredView for Building {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        self.kept.snapshot()
    }

    fn snapshots(&self, count: usize) -> Result<Vec<Box<dyn Snapshot>>, Error> {
        self.kept.snapshots(count)
    }

    fn begin(&self, expected: Option<&str>) -> Result<Box<dyn Transaction + '_>, Error> {
        self.kept.begin(expected)
    }

    fn purge(&self) -> Result<(), Error> {
        self.kept.purge()
    }

    fn size(&self) -> Result<Size, Error> {
        self.kept.size()
    }
}

impl Build for Building {
    fn finish(self: Box<Self>) -> Result<Arc<dyn StoredView>, Error> {
        let mut views = self.store.0.lock();
        let versions = views.entry(key(&self.kept.schema)).or_default();
        versions.building = None;
        if let Some(before) = versions.serving.replace(self.kept.clone()) {
            before.is_gone.store(true, Ordering::SeqCst);
        }
        Ok(self.kept.clone())
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        self.kept.is_taken.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view_store::conformance::Open;

    fn fresh() -> Open {
        let views = MemoryViews::new();
        Box::new(move || Box::new(views.clone()))
    }

    crate::view_store_conformance_tests!(fresh);
}
