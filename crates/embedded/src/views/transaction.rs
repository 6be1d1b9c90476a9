//! A change of a view in `SQLite`: rows, position and the count of rows in one transaction.

use matchwire_log::view_store::{Error, Keys, MAX_POSITION_BYTES, Order, Row, Table, Transaction};
use parking_lot::MutexGuard;
use rusqlite::{Connection, params};

use super::{database, rows::Rows, stored::Database};

pub(super) struct Change<'a> {
    database: &'a Database,
    connection: MutexGuard<'a, Connection>,
    /// Rows that are new, less those that are gone.
    added: i64,
}

impl<'a> Change<'a> {
    /// Begins, and holds the file's lock from then on, so that the position stays what it is.
    pub(super) fn begin(database: &'a Database, expected: Option<&str>) -> Result<Self, Error> {
        let shared = &database.shared;
        let connection = database.writer()?;
        connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| shared.explained(error))?;
        let change = Self { database, connection, added: 0 };
        let standing = database::read_standing(&change.connection);
        let (found, _) = standing.map_err(|error| shared.explained(error))?;
        // Only now nobody else can put another file in its place unseen.
        shared.check()?;
        if found.as_deref() != expected {
            let (view, expected) = (shared.schema.name().into(), expected.map(ToOwned::to_owned));
            return Err(Error::Overtaken { view, expected, found });
        }
        Ok(change)
    }

    fn on(&self, table: Table) -> Rows<'_> {
        self.database.shared.rows(&self.connection, table)
    }
}

impl Transaction for Change<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.database.shared.noted(self.on(table).get(key))
    }

    fn range(
        &self,
        table: Table,
        keys: &Keys,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        self.database.shared.noted(self.on(table).range(keys, order, limit))
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), Error> {
        let is_new = self.database.shared.noted(self.on(table).put(key, value))?;
        self.added += i64::from(is_new);
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), Error> {
        let was_there = self.database.shared.noted(self.on(table).delete(key))?;
        self.added -= i64::from(was_there);
        Ok(())
    }

    fn commit(self: Box<Self>, position: &str) -> Result<(), Error> {
        Error::check_size("position", position.len(), MAX_POSITION_BYTES)?;
        let commit = || {
            let update = "UPDATE view SET position = ?1, rows = rows + ?2";
            self.connection.prepare_cached(update)?.execute(params![position, self.added])?;
            self.connection.prepare_cached("COMMIT")?.execute(())
        };
        commit().map(drop).map_err(|error| self.database.shared.explained(error))
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        // Committed, or given up by SQLite itself after an error.
        if self.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.connection.execute_batch("ROLLBACK") {
            tracing::error!(%error, "a transaction of a view is not rolled back");
        }
    }
}
