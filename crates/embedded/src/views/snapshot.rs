//! A view in `SQLite` as it was after one commit: a transaction that reads, on a connection of its own.

use std::sync::Arc;

use matchwire_log::view_store::{Error, Keys, Order, Row, Snapshot, Table};
use rusqlite::Connection;

use super::{
    database::{self, busy, explained},
    rows::Rows,
    stored::Shared,
};

/// How often snapshots are taken anew because somebody has committed meanwhile.
const ATTEMPTS: usize = 50;

pub(super) struct Seen {
    shared: Arc<Shared>,
    /// Nothing once it was given back.
    connection: Option<Connection>,
    position: Option<String>,
    pub(super) rows: u64,
}

impl Seen {
    pub(super) fn of(shared: &Arc<Shared>) -> Result<Self, Error> {
        let connection = shared.noted(shared.pool.take(&shared.path))?;
        // The first read decides which commit it is.
        let begun =
            connection.execute_batch("BEGIN").and_then(|()| database::read_standing(&connection));
        match begun {
            Ok((position, rows)) => {
                let (shared, connection) = (shared.clone(), Some(connection));
                Ok(Self { shared, connection, position, rows })
            }
            Err(error) => {
                drop(connection);
                shared.pool.lose();
                Err(shared.explained(error))
            }
        }
    }

    /// Several after the same commit: a connection that watches has seen none from before the first one to behind the last one.
    pub(super) fn alike(
        shared: &Arc<Shared>,
        count: usize,
    ) -> Result<Vec<Box<dyn Snapshot>>, Error> {
        let connection = shared.noted(shared.pool.take(&shared.path))?;
        // Another number whenever somebody else has committed.
        let commits = |connection: &Connection| {
            let commits = connection.pragma_query_value(None, "data_version", |row| row.get(0));
            let commits: Result<i64, _> = commits.map_err(|error| explained(&shared.path, error));
            shared.noted(commits)
        };
        let watched = || {
            let mut before = commits(&connection)?;
            for _ in 0..ATTEMPTS {
                let seen =
                    (0..count.max(1)).map(|_| Self::of(shared)).collect::<Result<Vec<_>, _>>()?;
                let behind = commits(&connection)?;
                if before == behind {
                    return Ok(seen);
                }
                before = behind;
            }
            Ok(vec![Self::of(shared)?])
        };
        let seen: Result<Vec<Self>, Error> = watched();
        if seen.is_ok() {
            shared.pool.put(connection);
        } else {
            drop(connection);
            shared.pool.lose();
        }
        Ok(seen?.into_iter().map(|seen| Box::new(seen) as Box<dyn Snapshot>).collect())
    }

    fn on(&self, table: Table) -> Result<Rows<'_>, Error> {
        let Some(connection) = &self.connection else {
            // It is given back when this is dropped.
            return Err(busy(&self.shared.path, "the snapshot has ended"));
        };
        Ok(self.shared.rows(connection, table))
    }
}

impl Snapshot for Seen {
    fn position(&self) -> Result<Option<String>, Error> {
        Ok(self.position.clone())
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.shared.noted(self.on(table)?.get(key))
    }

    fn range(
        &self,
        table: Table,
        keys: &Keys,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        self.shared.noted(self.on(table)?.range(keys, order, limit))
    }

    fn count(&self, table: Table, keys: &Keys) -> Result<u64, Error> {
        self.shared.noted(self.on(table)?.count(keys))
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if connection.execute_batch("ROLLBACK").is_ok() {
            self.shared.pool.put(connection);
        } else {
            drop(connection);
            self.shared.pool.lose();
        }
    }
}
