//! The connections by which a view is read.

use std::path::Path;

use matchwire_log::view_store::Error;
use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use super::database::{self, Access, PATIENCE, busy};

/// How many may read a view at once; each takes 2 MiB of memory at the most.
const MAX_READERS: usize = 32;

/// Connections to one file.
#[derive(Default)]
pub(super) struct Pool {
    readers: Mutex<Readers>,
    returned: Condvar,
}

#[derive(Default)]
struct Readers {
    idle: Vec<Connection>,
    /// How many there are, idle ones included.
    count: usize,
}

impl Pool {
    /// A connection that nobody else uses. It must be [given back](Self::put), or [lost](Self::lose).
    pub(super) fn take(&self, path: &Path) -> Result<Connection, Error> {
        let mut readers = self.readers.lock();
        loop {
            if let Some(connection) = readers.idle.pop() {
                return Ok(connection);
            }
            if readers.count < MAX_READERS {
                readers.count += 1;
                break;
            }
            if self.returned.wait_for(&mut readers, PATIENCE).timed_out() {
                return Err(busy(path, &format!("{MAX_READERS} others read it")));
            }
        }
        drop(readers);
        database::connect(path, Access::Read).inspect_err(|_| self.lose())
    }

    /// Takes a connection back.
    pub(super) fn put(&self, connection: Connection) {
        self.readers.lock().idle.push(connection);
        self.returned.notify_one();
    }

    /// One that was taken is not used any more.
    pub(super) fn lose(&self) {
        self.readers.lock().count -= 1;
        self.returned.notify_one();
    }

    /// Closes those that nobody uses.
    pub(super) fn close_idle(&self) {
        let mut readers = self.readers.lock();
        readers.count -= readers.idle.len();
        readers.idle.clear();
    }
}
