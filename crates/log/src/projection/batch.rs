//! A transaction that is filled until it is large enough.

use std::time::{Duration, Instant};

use crate::view_store::{Error, Keys, Order, Row, Table, Transaction};

/// A batch takes nothing more once so many rows have been changed, so many bytes written or so much time
/// has passed.
const MAX_ROWS: usize = 20_000;
const MAX_BYTES: usize = 8 << 20;
const MAX_TIME: Duration = Duration::from_millis(250);

/// Changes of a view that are committed together.
pub(super) struct Batch<'a> {
    transaction: Box<dyn Transaction + 'a>,
    begun: Instant,
    rows: usize,
    bytes: usize,
}

impl<'a> Batch<'a> {
    pub(super) fn new(transaction: Box<dyn Transaction + 'a>) -> Self {
        Self { transaction, begun: Instant::now(), rows: 0, bytes: 0 }
    }

    /// Whether nothing was changed.
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows >= MAX_ROWS || self.bytes >= MAX_BYTES || self.begun.elapsed() >= MAX_TIME
    }
}

impl Transaction for Batch<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.transaction.get(table, key)
    }

    fn range(
        &self,
        table: Table,
        keys: &Keys,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        self.transaction.range(table, keys, order, limit)
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), Error> {
        (self.rows, self.bytes) = (self.rows + 1, self.bytes + key.len() + value.len());
        self.transaction.put(table, key, value)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), Error> {
        (self.rows, self.bytes) = (self.rows + 1, self.bytes + key.len());
        self.transaction.delete(table, key)
    }

    fn commit(self: Box<Self>, position: &str) -> Result<(), Error> {
        self.transaction.commit(position)
    }
}
