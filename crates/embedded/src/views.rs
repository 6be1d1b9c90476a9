//! Views in `SQLite`: a file for each version of each, in one directory.
//!
//! ```text
//!   tournaments-1.1795961234567890.sqlite      serves version 1
//!   tournaments-2.1795961239000000.building    is to serve version 2: renamed when it is complete
//! ```
//!
//! The number is the build's, later ones being greater: a file that takes the place of another has a name of its own, since
//! `SQLite` finds the write-ahead log of a file by its name, and would take that of the other for its own.
//!
//! A row has a checksum beside its value, so that damage that leaves the file's structure whole is found, too. What `SQLite` is
//! told to do is in [`database`]; why, in `docs/decisions/0026`.

mod build;
mod claims;
mod database;
mod files;
mod pool;
mod rows;
mod snapshot;
mod stored;
#[cfg(test)]
mod tests;
mod transaction;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use matchwire_log::view_store::{Build, Error, Schema, Size, Start, Stored, StoredView, ViewStore};

use self::{build::Building, claims::Claims, database::Access, files::File, stored::Database};

/// How often a directory is looked at again in which files come and go.
const ATTEMPTS: usize = 5;

/// Views in a directory. Several processes may have it open; one of them builds.
pub struct SqliteViews {
    directory: PathBuf,
    claims: Arc<Claims>,
}

impl SqliteViews {
    /// Views in a directory, which is made if it is missing.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        fs::create_dir_all(directory).map_err(|error| failed(directory, &error))?;
        Ok(Self { directory: directory.into(), claims: Claims::new(directory) })
    }

    /// The files of a version, older ones first.
    fn files_of(&self, name: &str, version: u32) -> Result<Vec<File>, Error> {
        let mut files = files::list(&self.directory)?;
        files.retain(|file| file.name == name && file.version == version);
        Ok(files)
    }

    /// What serves a version, and what was left of others: earlier ones, and builds that it has overtaken.
    fn serving(&self, schema: &Schema) -> Result<(Option<File>, Vec<File>), Error> {
        let mut files = self.files_of(schema.name(), schema.version())?;
        let Some(at) = files.iter().rposition(|file| !file.is_building) else {
            return Ok((None, Vec::new()));
        };
        files.truncate(at + 1);
        Ok((files.pop(), files))
    }
}

impl ViewStore for SqliteViews {
    fn list(&self) -> Result<Vec<Stored>, Error> {
        let mut files = files::list(&self.directory)?;
        files.sort_by(|a, b| {
            let key = |file: &File| (file.version, file.is_building, file.build);
            a.name.cmp(&b.name).then(key(a).cmp(&key(b)))
        });
        Ok(files.iter().filter_map(|file| look_at(&self.directory, file)).collect())
    }

    fn open(&self, schema: &Schema) -> Result<Option<Arc<dyn StoredView>>, Error> {
        for _ in 0..ATTEMPTS {
            let (serving, older) = self.serving(schema)?;
            let Some(serving) = serving else { return Ok(None) };
            let path = self.directory.join(serving.to_string());
            let opened = Database::open(&path, schema);
            // Another process may have put a later one in its place in between.
            if opened.is_err() && !path.exists() {
                continue;
            }
            let opened = opened?;
            older.iter().try_for_each(|file| files::remove(&self.directory, file))?;
            return Ok(Some(Arc::new(opened)));
        }
        let what = "its files are replaced all the time".into();
        Err(Error::Busy { place: self.directory.display().to_string(), what })
    }

    fn build(&self, schema: &Schema, start: Start) -> Result<Box<dyn Build>, Error> {
        let claim = self.claims.claim(schema.name(), schema.version())?;
        let (serving, older) = self.serving(schema)?;
        let mut left = self.files_of(schema.name(), schema.version())?;
        let after = serving.as_ref().map_or(0, |file| file.build);
        left.retain(|file| file.is_building && file.build > after);
        let resumed = if start == Start::Resumed { left.pop() } else { None };
        for file in older.iter().chain(&left) {
            files::remove(&self.directory, file)?;
        }
        if let Some(file) = resumed {
            match Building::resume(&self.directory, &file, schema) {
                Ok(database) => return Ok(Box::new(Building::new(database, file, claim))),
                Err(Error::Damaged { place, what }) => {
                    tracing::warn!(%place, %what, "an unfinished view is begun anew");
                    files::remove(&self.directory, &file)?;
                }
                Err(error) => return Err(error),
            }
        }
        let file = File::next(schema, after);
        let database = Building::begin(&self.directory, &file, schema)?;
        Ok(Box::new(Building::new(database, file, claim)))
    }

    fn remove(&self, name: &str, version: u32) -> Result<bool, Error> {
        let _claim = self.claims.claim(name, version)?;
        let files = self.files_of(name, version)?;
        files.iter().try_for_each(|file| files::remove(&self.directory, file))?;
        files::sync(&self.directory)?;
        Ok(!files.is_empty())
    }
}

/// What a file holds; nothing if it has gone in between.
fn look_at(directory: &Path, file: &File) -> Option<Stored> {
    let path = directory.join(file.to_string());
    let bytes = files::bytes(&path).ok()?;
    let mut stored = Stored {
        name: file.name.clone(),
        version: file.version,
        is_building: file.is_building,
        position: None,
        size: Size { bytes, rows: 0 },
        failure: None,
    };
    match database::connect(&path, Access::Read).and_then(|c| database::standing(&c, &path)) {
        Ok((position, rows)) => (stored.position, stored.size.rows) = (position, rows),
        Err(error) => stored.failure = Some(error.to_string()),
    }
    path.exists().then_some(stored)
}

/// That something could not be done with a file or a directory.
fn failed(path: &Path, error: &io::Error) -> Error {
    let place = path.display().to_string();
    if error.kind() == io::ErrorKind::StorageFull {
        return Error::Full { place };
    }
    Error::Failed { place, what: error.to_string() }
}
