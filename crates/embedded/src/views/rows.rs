//! What is asked of a table, and how a row is stored.

use std::path::Path;

use matchwire_log::view_store::{Error, Keys, MAX_KEY_BYTES, MAX_VALUE_BYTES, Order, Row, Table};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::database::{damaged, explained, table_name};

/// Bytes of the checksum before each value.
const CHECK_BYTES: usize = 4;
/// Greater than every key.
const BEHIND: [u8; MAX_KEY_BYTES + 1] = [u8::MAX; MAX_KEY_BYTES + 1];

/// What is asked of a table, in words.
pub(super) struct Sql {
    pub(super) table: Table,
    get: String,
    ascending: String,
    descending: String,
    count: String,
    insert: String,
    update: String,
    delete: String,
}

impl Sql {
    pub(super) fn of(table: Table) -> Self {
        let name = table_name(table.name());
        let within = "key >= ?1 AND key < ?2";
        let range = format!("SELECT key, value FROM {name} WHERE {within} ORDER BY key");
        Self {
            table,
            get: format!("SELECT value FROM {name} WHERE key = ?1"),
            ascending: format!("{range} ASC LIMIT ?3"),
            descending: format!("{range} DESC LIMIT ?3"),
            count: format!("SELECT count(*) FROM {name} WHERE {within}"),
            insert: format!("INSERT INTO {name} VALUES (?1, ?2) ON CONFLICT DO NOTHING"),
            update: format!("UPDATE {name} SET value = ?2 WHERE key = ?1"),
            delete: format!("DELETE FROM {name} WHERE key = ?1"),
        }
    }
}

/// A table of a file.
pub(super) struct Rows<'a> {
    pub(super) connection: &'a Connection,
    pub(super) path: &'a Path,
    pub(super) sql: &'a Sql,
}

impl Rows<'_> {
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let select = || {
            let mut statement = self.connection.prepare_cached(&self.sql.get)?;
            statement.query_row([key], |row| Ok(row.get_ref(0)?.as_blob()?.to_vec())).optional()
        };
        let stored = select().map_err(|error| explained(self.path, error))?;
        stored.map(|stored| self.value(key, stored)).transpose()
    }

    pub(super) fn range(&self, keys: &Keys, order: Order, limit: usize) -> Result<Vec<Row>, Error> {
        let sql = match order {
            Order::Ascending => &self.sql.ascending,
            Order::Descending => &self.sql.descending,
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let select = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            let until = keys.until().unwrap_or(&BEHIND);
            let rows = statement.query_map(params![keys.from(), until, limit], |row| {
                Ok(Row { key: row.get(0)?, value: row.get(1)? })
            })?;
            rows.collect::<rusqlite::Result<Vec<Row>>>()
        };
        let rows = select().map_err(|error| explained(self.path, error))?;
        let checked = |Row { key, value }| Ok(Row { value: self.value(&key, value)?, key });
        rows.into_iter().map(checked).collect()
    }

    pub(super) fn count(&self, keys: &Keys) -> Result<u64, Error> {
        let select = || {
            let mut statement = self.connection.prepare_cached(&self.sql.count)?;
            let until = keys.until().unwrap_or(&BEHIND);
            statement.query_row(params![keys.from(), until], |row| row.get::<_, i64>(0))
        };
        let count = select().map_err(|error| explained(self.path, error))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Sets a value, and tells whether the key is new.
    pub(super) fn put(&self, key: &[u8], value: &[u8]) -> Result<bool, Error> {
        Error::check_size("key", key.len(), MAX_KEY_BYTES)?;
        Error::check_size("value", value.len(), MAX_VALUE_BYTES)?;
        let check = self.check(key, value).to_le_bytes();
        let stored = [check.as_slice(), value].concat();
        let put = || {
            let mut insert = self.connection.prepare_cached(&self.sql.insert)?;
            if insert.execute(params![key, stored])? == 1 {
                return Ok(true);
            }
            let mut update = self.connection.prepare_cached(&self.sql.update)?;
            update.execute(params![key, stored])?;
            Ok(false)
        };
        put().map_err(|error| explained(self.path, error))
    }

    /// Removes a key, and tells whether it was there.
    pub(super) fn delete(&self, key: &[u8]) -> Result<bool, Error> {
        let delete = || self.connection.prepare_cached(&self.sql.delete)?.execute([key]);
        Ok(delete().map_err(|error| explained(self.path, error))? == 1)
    }

    /// The value in what is stored.
    fn value(&self, key: &[u8], mut stored: Vec<u8>) -> Result<Vec<u8>, Error> {
        let value = stored.split_first_chunk::<CHECK_BYTES>();
        let is_right = |(check, value): (&[u8; 4], &[u8])| {
            u32::from_le_bytes(*check) == self.check(key, value)
        };
        if !value.is_some_and(is_right) {
            let table = self.sql.table.name();
            return Err(damaged(self.path, &format!("a row of {table} has another checksum")));
        }
        stored.drain(..CHECK_BYTES);
        Ok(stored)
    }

    /// The checksum of a row, by which one that came into another place is told, too.
    fn check(&self, key: &[u8], value: &[u8]) -> u32 {
        let table = crc32c::crc32c(self.sql.table.name().as_bytes());
        crc32c::crc32c_append(crc32c::crc32c_append(table, key), value)
    }
}
