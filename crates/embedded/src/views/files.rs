//! Names of the files of views, and what is done with files as a whole.

use std::{
    ffi::OsString,
    fmt, fs, io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use matchwire_log::view_store::{Error, Schema};

use super::failed;

const SERVING: &str = "sqlite";
const BUILDING: &str = "building";
/// What `SQLite` puts behind the name of a file for those that belong to it.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The file of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) version: u32,
    /// Which build it is; later ones have greater numbers.
    pub(super) build: u64,
    /// Whether it is not complete yet.
    pub(super) is_building: bool,
}

impl File {
    /// Of a new build that comes after another one: by the clock in microseconds, so that no name is used again, also
    /// if every file was removed in between.
    pub(super) fn next(schema: &Schema, after: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let build = u64::try_from(now.as_micros()).unwrap_or(u64::MAX).max(after.saturating_add(1));
        let name = schema.name().to_owned();
        Self { name, version: schema.version(), build, is_building: true }
    }

    /// The same, once it is complete.
    pub(super) fn finished(&self) -> Self {
        Self { is_building: false, ..self.clone() }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (view, build, ending) = (parts.next()?, parts.next()?, parts.next()?);
        let (name, version) = view.split_once('-')?;
        let file = Self {
            name: name.into(),
            version: version.parse().ok()?,
            build: build.parse().ok()?,
            is_building: ending == BUILDING,
        };
        // Whatever is written otherwise was not written here.
        (file.to_string() == text).then_some(file)
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = if self.is_building { BUILDING } else { SERVING };
        write!(f, "{}-{}.{}.{ending}", self.name, self.version, self.build)
    }
}

/// All files of views in a directory, each view's in the order in which they were begun.
pub(super) fn list(directory: &Path) -> Result<Vec<File>, Error> {
    let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().into_string().ok());
    let names = fs::read_dir(directory)
        .and_then(|entries| entries.filter_map(|it| name(it).transpose()).collect());
    let names: Vec<String> = names.map_err(|error| failed(directory, &error))?;
    let mut files: Vec<File> = names.iter().filter_map(|name| File::parse(name)).collect();
    files.sort_by_key(|file| file.build);
    Ok(files)
}

/// Bytes of a file with what belongs to it.
pub(super) fn bytes(path: &Path) -> io::Result<u64> {
    let mut bytes = fs::metadata(path)?.len();
    for companion in COMPANIONS {
        bytes += fs::metadata(beside(path, companion)).map_or(0, |metadata| metadata.len());
    }
    Ok(bytes)
}

/// Removes a file with what belongs to it, if it is there.
pub(super) fn remove(directory: &Path, file: &File) -> Result<(), Error> {
    let path = directory.join(file.to_string());
    let companions = COMPANIONS.iter().map(|companion| beside(&path, companion));
    for path in [path.clone()].into_iter().chain(companions) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(&path, &error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Gives a file that is complete its name, which lasts from then on.
pub(super) fn finish(directory: &Path, file: &File) -> Result<PathBuf, Error> {
    let to = directory.join(file.finished().to_string());
    fs::rename(directory.join(file.to_string()), &to).map_err(|error| failed(&to, &error))?;
    sync(directory)?;
    Ok(to)
}

/// Lets the names in a directory last.
pub(super) fn sync(directory: &Path) -> Result<(), Error> {
    let synced = fs::File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|error| failed(directory, &error))
}

fn beside(path: &Path, companion: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(companion);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_were_written_here_are_files_of_views() {
        for name in ["tallies-1.1.sqlite", "a_b-12.1795961234567890.building"] {
            assert_eq!(File::parse(name).unwrap().to_string(), name);
        }
        for name in [
            "lock",
            "tallies-1.sqlite",
            "tallies-1.1.sqlite-wal",
            "tallies-01.1.sqlite",
            "tallies-1.+1.sqlite",
            "tallies-1.1.other",
            "tallies-1.1.sqlite.bak",
            "tallies.1.sqlite",
        ] {
            assert_eq!(File::parse(name), None, "{name}");
        }
    }
}
