//! `log.json`, which says whose directory it is and in which format.

use matchwire_log::Error;
use serde::{Deserialize, Serialize};

use crate::{disk::Disk, format::VERSION};

pub(crate) const NAME: &str = "log.json";

#[derive(Debug, Serialize, Deserialize)]
struct Identity {
    format: u32,
    id: String,
}

/// Reads the log's id; nothing if there is no file, or one that was never written to its end.
///
/// What is read is synced before it is relied on: the process that wrote it may have been killed
/// before it did that, and segments must not outlast the name of their log.
pub(crate) fn read(disk: &dyn Disk) -> Result<Option<u64>, Error> {
    let file = match disk.open(NAME) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut text = vec![0; usize::try_from(file.size()?.min(4_096)).unwrap_or_default()];
    file.read_at(&mut text, 0)?;
    let Ok(identity) = serde_json::from_slice::<Identity>(&text) else { return Ok(None) };
    if identity.format != VERSION {
        let Identity { format, .. } = identity;
        let what = format!("it has format {format}, and this version reads format {VERSION}");
        return Err(Error::Unusable { place: disk.place(), what });
    }
    file.sync()?;
    disk.sync()?;
    Ok(u64::from_str_radix(&identity.id, 16).ok())
}

/// Draws an id and writes it down.
pub(crate) fn create(disk: &dyn Disk) -> Result<u64, Error> {
    use std::hash::{BuildHasher, RandomState};
    // The standard library's way to random bits.
    let id = RandomState::new().hash_one("log id");
    let identity = Identity { format: VERSION, id: format!("{id:016x}") };
    let text = serde_json::to_vec(&identity).map_err(std::io::Error::from)?;
    let file = disk.create(NAME)?;
    file.write_at(&text, 0)?;
    file.sync()?;
    disk.sync()?;
    Ok(id)
}
