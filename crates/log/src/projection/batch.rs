//! A transaction that is filled until it is large enough, and writes each row once.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::view_store::{
    Error, Keys, MAX_KEY_BYTES, MAX_VALUE_BYTES, Order, Row, Table, Transaction,
};

/// A batch takes nothing more once so many rows are to be changed, so many bytes to be written or so much time
/// has passed.
const MAX_ROWS: usize = 100_000;
const MAX_BYTES: usize = 32 << 20;
const MAX_TIME: Duration = Duration::from_millis(250);

/// Changes of a view that are committed together. They stay in memory until then: what is changed again and again is written
/// once, and in the order of the keys.
pub(super) struct Batch<'a> {
    transaction: Box<dyn Transaction + 'a>,
    begun: Instant,
    changes: BTreeMap<&'static str, (Table, Changes)>,
    rows: usize,
    bytes: usize,
}

/// What rows are to be; nothing if they are to be gone.
type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

impl<'a> Batch<'a> {
    pub(super) fn new(transaction: Box<dyn Transaction + 'a>) -> Self {
        let (begun, changes) = (Instant::now(), BTreeMap::new());
        Self { transaction, begun, changes, rows: 0, bytes: 0 }
    }

    /// Whether nothing was changed.
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows >= MAX_ROWS || self.bytes >= MAX_BYTES || self.begun.elapsed() >= MAX_TIME
    }

    fn of(&self, table: Table) -> Option<&Changes> {
        self.changes.get(table.name()).map(|(_, changes)| changes)
    }

    fn change(&mut self, table: Table, key: &[u8], value: Option<&[u8]>) {
        let (_, changes) = self.changes.entry(table.name()).or_insert((table, Changes::new()));
        let size = |value: Option<&[u8]>| key.len() + value.map_or(0, <[u8]>::len);
        self.bytes += size(value);
        match changes.insert(key.to_vec(), value.map(<[u8]>::to_vec)) {
            Some(before) => self.bytes -= size(before.as_deref()),
            None => self.rows += 1,
        }
    }
}

impl Transaction for Batch<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match self.of(table).and_then(|changes| changes.get(key)) {
            Some(changed) => Ok(changed.clone()),
            None => self.transaction.get(table, key),
        }
    }

    fn range(
        &self,
        table: Table,
        keys: &Keys,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        let Some((changes, bounds)) = self.of(table).zip(keys.bounds()) else {
            return self.transaction.range(table, keys, order, limit);
        };
        let changed: BTreeMap<&Vec<u8>, &Option<Vec<u8>>> = changes.range::<[u8], _>(bounds).collect();
        // Each of them hides one at the most.
        let stored = self.transaction.range(table, keys, order, limit.saturating_add(changed.len()))?;
        if changed.is_empty() {
            return Ok(stored);
        }
        let mut rows: Vec<Row> =
            stored.into_iter().filter(|row| !changed.contains_key(&row.key)).collect();
        rows.extend(changed.into_iter().filter_map(|(key, value)| {
            Some(Row { key: key.clone(), value: value.clone()? })
        }));
        rows.sort_unstable_by(|one, other| match order {
            Order::Ascending => one.key.cmp(&other.key),
            Order::Descending => other.key.cmp(&one.key),
        });
        rows.truncate(limit);
        Ok(rows)
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), Error> {
        Error::check_size("key", key.len(), MAX_KEY_BYTES)?;
        Error::check_size("value", value.len(), MAX_VALUE_BYTES)?;
        self.change(table, key, Some(value));
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), Error> {
        self.change(table, key, None);
        Ok(())
    }

    fn commit(mut self: Box<Self>, position: &str) -> Result<(), Error> {
        for (table, changes) in std::mem::take(&mut self.changes).into_values() {
            for (key, value) in changes {
                match value {
                    Some(value) => self.transaction.put(table, &key, &value)?,
                    None => self.transaction.delete(table, &key)?,
                }
            }
        }
        self.transaction.commit(position)
    }
}
