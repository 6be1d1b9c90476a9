//! The files of a vault, as they are read while the server writes them.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::SystemTime,
};

use bytes::Bytes;
use matchwire_vault::{Erasure, LEDGER, PEOPLE};

use super::FILES;
use crate::Error;

/// Number, size and time of a file, if it is there.
pub(super) type Stamp = Option<(u64, u64, SystemTime)>;

pub(super) fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.ino(), metadata.len(), metadata.modified().ok()?))
}

/// What was read.
pub(super) struct Read {
    /// Each file that is there, by its name.
    pub(super) files: Vec<(&'static str, Bytes)>,
    pub(super) next_player: u64,
    /// How many erasures there were before the files were read: those that they know of for sure.
    pub(super) known_erasures: usize,
    /// The erasures after that: all that the files know of.
    pub(super) ledger: Vec<Erasure>,
}

pub(super) fn read(folder: &Path) -> Result<Read, Error> {
    let known_erasures = ledger(folder)?.len();
    let mut files = Vec::new();
    let mut next_player = 1;
    for name in FILES {
        let path = folder.join(name);
        let Some(mut bytes) = whole(&path)? else { continue };
        if name == PEOPLE {
            // Lines are on disk before any event needs them; one that is just being written is not needed yet.
            let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            bytes.truncate(end);
            next_player = matchwire_vault::next_player(&bytes)
                .map_err(|at| damaged(&path, format!("byte {at}: no line of a vault")))?;
        }
        files.push((name, bytes.into()));
    }
    Ok(Read { files, next_player, known_erasures, ledger: ledger(folder)? })
}

fn ledger(folder: &Path) -> Result<Vec<Erasure>, Error> {
    let path = folder.join(LEDGER);
    let bytes = whole(&path)?.unwrap_or_default();
    Erasure::parse_all(&bytes).map_err(|line| damaged(&path, format!("line {line} is no erasure")))
}

fn damaged(path: &Path, what: String) -> Error {
    let error = io::Error::new(io::ErrorKind::InvalidData, what);
    Error::file(format!("cannot copy {}", path.display()))(error)
}

/// All of a file, on disk; nothing if it is not there.
fn whole(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        file.sync_data()?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file(format!("cannot read {}", path.display()))(error)),
    }
}
