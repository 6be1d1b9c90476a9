//! A view in a file of `SQLite`: one connection to write, some to read.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use matchwire_log::view_store::{Error, Schema, Size, Snapshot, StoredView, Table, Transaction};
use parking_lot::{Mutex, MutexGuard};
use rusqlite::Connection;

use super::{
    database::{self, Access, PATIENCE, busy, damaged},
    failed, files,
    pool::Pool,
    rows::{Rows, Sql},
    snapshot::Seen,
    transaction::Change,
};

/// A view in a file.
pub(super) struct Database {
    pub(super) shared: Arc<Shared>,
    writer: Mutex<Connection>,
}

/// What a view shares with its snapshots.
pub(super) struct Shared {
    pub(super) path: PathBuf,
    pub(super) schema: Schema,
    /// Of each table of the schema.
    sql: Vec<Sql>,
    pub(super) pool: Pool,
    /// The damage that was met.
    damage: Mutex<Option<String>>,
}

impl Database {
    /// Opens a file that is there.
    pub(super) fn open(path: &Path, schema: &Schema) -> Result<Self, Error> {
        let connection = database::connect(path, Access::Write)?;
        database::check(&connection, path, schema)?;
        Self::over(connection, path, schema)
    }

    /// Makes a new one.
    pub(super) fn create(path: &Path, schema: &Schema) -> Result<Self, Error> {
        let connection = database::connect(path, Access::Create)?;
        let database = Self::over(connection, path, schema)?;
        database::lay_out(&database.writer.lock(), path, schema)?;
        Ok(database)
    }

    fn over(connection: Connection, path: &Path, schema: &Schema) -> Result<Self, Error> {
        database::set_up_to_write(&connection, path)?;
        let shared = Arc::new(Shared {
            path: path.into(),
            schema: *schema,
            sql: schema.tables().iter().map(|table| Sql::of(*table)).collect(),
            pool: Pool::default(),
            damage: Mutex::default(),
        });
        Ok(Self { shared, writer: Mutex::new(connection) })
    }

    /// The connection that writes, once nobody else has it.
    pub(super) fn writer(&self) -> Result<MutexGuard<'_, Connection>, Error> {
        let held = || busy(&self.shared.path, "another writer does not come to an end");
        self.writer.try_lock_for(PATIENCE).ok_or_else(held)
    }
}

impl StoredView for Database {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        Ok(Box::new(Seen::of(&self.shared)?))
    }

    fn snapshots(&self, count: usize) -> Result<Vec<Box<dyn Snapshot>>, Error> {
        Seen::alike(&self.shared, count)
    }

    fn begin(&self, expected: Option<&str>) -> Result<Box<dyn Transaction + '_>, Error> {
        Ok(Box::new(Change::begin(self, expected)?))
    }

    fn purge(&self) -> Result<(), Error> {
        let writer = self.writer()?;
        self.shared.noted(database::purge(&writer, &self.shared.path))
    }

    fn size(&self) -> Result<Size, Error> {
        self.shared.check()?;
        let path = &self.shared.path;
        let bytes = files::bytes(path).map_err(|error| failed(path, &error))?;
        let seen = Seen::of(&self.shared)?;
        Ok(Size { bytes, rows: seen.rows })
    }
}

impl Shared {
    /// A table by a connection to the file.
    pub(super) fn rows<'a>(&'a self, connection: &'a Connection, table: Table) -> Rows<'a> {
        self.schema.assert_has(table);
        let Some(sql) = self.sql.iter().find(|sql| sql.table == table) else {
            unreachable!("there is one of each table of the schema")
        };
        Rows { connection, path: &self.path, sql }
    }

    /// That no damage was met, and the file is there.
    pub(super) fn check(&self) -> Result<(), Error> {
        if let Some(what) = &*self.damage.lock() {
            return Err(damaged(&self.path, what));
        }
        if self.path.exists() { Ok(()) } else { Err(self.gone()) }
    }

    fn gone(&self) -> Error {
        Error::Gone { place: self.path.display().to_string() }
    }

    /// What an error of `SQLite` means; damage is noted.
    pub(super) fn explained(&self, error: rusqlite::Error) -> Error {
        self.noting(database::explained(&self.path, error))
    }

    /// The same result, whose damage is noted.
    pub(super) fn noted<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| self.noting(error))
    }

    fn noting(&self, error: Error) -> Error {
        // SQLite has other words for that.
        let error = if self.path.exists() { error } else { self.gone() };
        if let Error::Damaged { what, .. } = &error {
            self.damage.lock().get_or_insert_with(|| what.clone());
        }
        error
    }
}
