//! A view that is being built, and how it comes to serve.

use std::{path::Path, sync::Arc};

use matchwire_log::view_store::{Build, Error, Schema, Size, Snapshot, StoredView, Transaction};

use super::{
    claims::Claim,
    database::{busy, explained},
    files,
    files::File,
    stored::Database,
};

pub(super) struct Building {
    database: Database,
    file: File,
    claim: Claim,
}

impl Building {
    pub(super) fn new(database: Database, file: File, claim: Claim) -> Self {
        Self { database, file, claim }
    }

    /// A new file.
    pub(super) fn begin(directory: &Path, file: &File, schema: &Schema) -> Result<Database, Error> {
        Database::create(&directory.join(file.to_string()), schema)
    }

    /// A file that was left.
    pub(super) fn resume(
        directory: &Path,
        file: &File,
        schema: &Schema,
    ) -> Result<Database, Error> {
        Database::open(&directory.join(file.to_string()), schema)
    }
}

impl StoredView for Building {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        self.database.snapshot()
    }

    fn snapshots(&self, count: usize) -> Result<Vec<Box<dyn Snapshot>>, Error> {
        self.database.snapshots(count)
    }

    fn begin(&self, expected: Option<&str>) -> Result<Box<dyn Transaction + '_>, Error> {
        self.database.begin(expected)
    }

    fn purge(&self) -> Result<(), Error> {
        self.database.purge()
    }

    fn size(&self) -> Result<Size, Error> {
        self.database.size()
    }
}

impl Build for Building {
    fn finish(self: Box<Self>) -> Result<Arc<dyn StoredView>, Error> {
        let Self { database, file, claim } = *self;
        let shared = database.shared.clone();
        shared.check()?;
        shared.pool.close_idle();
        // All goes into the file, and it is synced. While anybody else has it open this is refused, so that nobody has it
        // open under a name that it will not have any more.
        let is_alone = "PRAGMA journal_mode = DELETE";
        let mode = database
            .writer()?
            .query_row(is_alone, (), |row| row.get::<_, String>(0))
            .map_err(|error| explained(&shared.path, error))?;
        if mode != "delete" {
            return Err(busy(&shared.path, "somebody reads it while it is being built"));
        }
        let schema = shared.schema;
        drop(database);
        let path = files::finish(claim.directory(), &file)?;
        for other in files::list(claim.directory())? {
            let is_older = other.build < file.build;
            if other.name == file.name && other.version == file.version && is_older {
                files::remove(claim.directory(), &other)?;
            }
        }
        Ok(Arc::new(Database::open(&path, &schema)?))
    }
}
