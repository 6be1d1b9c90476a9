//! Rows in memory, by which the view's own code says what should be stored.

use std::collections::BTreeMap;

use matchwire_log::view_store::{Error, Keys, Order, Row, Snapshot, Table, Transaction};

/// How many rows are read at once.
pub(super) const PAGE: usize = 1_000;

/// What can be read of a view, be it by a snapshot or within a transaction.
pub(super) trait Stored {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    fn range(
        &self,
        table: Table,
        keys: &Keys,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Row>, Error>;
}

macro_rules! stored {
    ($of:ident) => {
        impl Stored for dyn $of + '_ {
            fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
                $of::get(self, table, key)
            }

            fn range(
                &self,
                table: Table,
                keys: &Keys,
                order: Order,
                limit: usize,
            ) -> Result<Vec<Row>, Error> {
                $of::range(self, table, keys, order, limit)
            }
        }
    };
}

stored!(Snapshot);
stored!(Transaction);

/// Calls `visit` with all rows of a table that have these keys, a page at a time.
pub(super) fn pages(
    of: &(impl Stored + ?Sized),
    table: Table,
    mut keys: Keys,
    order: Order,
    mut visit: impl FnMut(Vec<Row>) -> Result<(), Error>,
) -> Result<(), Error> {
    loop {
        let page = of.range(table, &keys, order, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        keys = match order {
            Order::Ascending => keys.after(&last.key),
            Order::Descending => keys.before(&last.key),
        };
        visit(page)?;
    }
}

/// Rows by table and key.
pub(super) type Content = BTreeMap<(&'static str, Vec<u8>), Vec<u8>>;

/// Rows that nobody stores.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) rows: Content,
}

impl Transaction for Scratch {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.rows.get(&(table.name(), key.to_vec())).cloned())
    }

    fn range(
        &self,
        table: Table,
        keys: &Keys,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        let name = table.name();
        let from = (name, keys.from().to_vec());
        let is_in = |(of, key): &(&'static str, Vec<u8>)| {
            *of == name && keys.until().is_none_or(|until| key.as_slice() < until)
        };
        let rows = self.rows.range(from..).take_while(|(key, _)| is_in(key));
        let row = |((_, key), value): (&(&'static str, Vec<u8>), &Vec<u8>)| Row {
            key: key.clone(),
            value: value.clone(),
        };
        let mut rows: Vec<Row> = rows.map(row).collect();
        if order == Order::Descending {
            rows.reverse();
        }
        rows.truncate(limit);
        Ok(rows)
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), Error> {
        self.rows.insert((table.name(), key.to_vec()), value.to_vec());
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), Error> {
        self.rows.remove(&(table.name(), key.to_vec()));
        Ok(())
    }

    fn commit(self: Box<Self>, _: &str) -> Result<(), Error> {
        Ok(())
    }
}
