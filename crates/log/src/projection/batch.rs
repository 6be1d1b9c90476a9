//! A transaction that is filled until it is large enough, and writes each row once.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::view_store::{
    Error, Keys, MAX_KEY_BYTES, MAX_VALUE_BYTES, Order, Row, Table, Transaction,
};

/// A batch takes nothing more once so many rows are to be changed or so many bytes to be written.
const MAX_ROWS: usize = 100_000;
const MAX_BYTES: usize = 32 << 20;

/// Changes of a view that are committed together. They stay in memory until then: what is changed again and again is written
/// once, and in the order of the keys.
pub(super) struct Batch<'a> {
    transaction: Box<dyn Transaction + 'a>,
    begun: Instant,
    time: Duration,
    changes: BTreeMap<&'static str, (Table, Changes)>,
    rows: usize,
    bytes: usize,
}

/// What rows are to be; nothing if they are to be gone.
type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

impl<'a> Batch<'a> {
    /// Within a transaction. It takes nothing more after some time, either.
    pub(super) fn new(transaction: Box<dyn Transaction + 'a>, time: Duration) -> Self {
        let (begun, changes) = (Instant::now(), BTreeMap::new());
        Self { transaction, begun, time, changes, rows: 0, bytes: 0 }
    }

    /// Whether nothing was changed.
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows >= MAX_ROWS || self.bytes >= MAX_BYTES || self.begun.elapsed() >= self.time
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
        let waiting: BTreeMap<&Vec<u8>, &Option<Vec<u8>>> =
            changes.range::<[u8], _>(bounds).collect();
        // Each of them hides one at the most.
        let stored =
            self.transaction.range(table, keys, order, limit.saturating_add(waiting.len()))?;
        if waiting.is_empty() {
            return Ok(stored);
        }
        let mut rows: Vec<Row> =
            stored.into_iter().filter(|row| !waiting.contains_key(&row.key)).collect();
        rows.extend(
            waiting
                .into_iter()
                .filter_map(|(key, value)| Some(Row { key: key.clone(), value: value.clone()? })),
        );
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::view_store::{MemoryViews, Schema, Start, ViewStore as _};

    const TABLES: [Table; 2] = [Table::new("one"), Table::new("other")];
    const SCHEMA: Schema = Schema::new("batches", 1, &TABLES);

    #[derive(Debug, Clone)]
    enum Call {
        Put(Table, Vec<u8>, u8),
        Delete(Table, Vec<u8>),
        Range(Table, Vec<u8>, Order, usize),
    }

    fn calls() -> impl Strategy<Value = Vec<Call>> {
        let table = || prop::sample::select(&TABLES[..]);
        let key = || prop::collection::vec(0_u8..3, 0..3);
        let order = prop::sample::select(&[Order::Ascending, Order::Descending][..]);
        let call = prop_oneof![
            3 => (table(), key(), 0_u8..3).prop_map(|(table, key, value)| Call::Put(table, key, value)),
            2 => (table(), key()).prop_map(|(table, key)| Call::Delete(table, key)),
            2 => (table(), key(), order, 0_usize..5)
                .prop_map(|(table, key, order, limit)| Call::Range(table, key, order, limit)),
        ];
        prop::collection::vec(call, 0..40)
    }

    /// What a transaction answers, and has at its end.
    fn answers(rows: &mut dyn Transaction, calls: &[Call]) -> Vec<Vec<Row>> {
        let mut answers = Vec::new();
        for call in calls {
            match call {
                Call::Put(table, key, value) => rows.put(*table, key, &[*value]).unwrap(),
                Call::Delete(table, key) => rows.delete(*table, key).unwrap(),
                Call::Range(table, key, order, limit) => {
                    let value = rows.get(*table, key).unwrap();
                    answers.extend(value.map(|value| vec![Row { key: key.clone(), value }]));
                    let keys = Keys::prefix(key);
                    answers.push(rows.range(*table, &keys, *order, *limit).unwrap());
                }
            }
        }
        let all = |table| rows.range(table, &Keys::all(), Order::Ascending, usize::MAX).unwrap();
        answers.extend(TABLES.map(all));
        answers
    }

    proptest! {
        /// A batch shows what the transaction under it would, and stores it.
        #[test]
        fn what_waits_is_seen_and_stored(before in calls(), calls in calls()) {
            let build = MemoryViews::new().build(&SCHEMA, Start::Anew).unwrap();
            let mut rows = build.begin(None).unwrap();
            answers(&mut *rows, &before);
            rows.commit("1").unwrap();
            let mut direct = build.begin(Some("1")).unwrap();
            let expected = answers(&mut *direct, &calls);
            drop(direct);
            let mut batch = Batch::new(build.begin(Some("1")).unwrap(), Duration::MAX);
            prop_assert_eq!(&answers(&mut batch, &calls), &expected);
            Box::new(batch).commit("2").unwrap();
            let mut stored = build.begin(Some("2")).unwrap();
            prop_assert_eq!(&answers(&mut *stored, &[])[..], &expected[expected.len() - TABLES.len()..]);
        }
    }
}
