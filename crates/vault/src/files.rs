//! Files that are replaced and destroyed so that nothing of the old bytes stays where the file system lets us have a say.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// How many noughts are written at once.
const BLOCK: usize = 64 << 10;

/// Makes a file that others cannot read, or opens it.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Makes the names in a folder durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Puts a file that others cannot read in the place of another one, whole or not at all, and destroys the old one.
pub fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let (path, new) = (folder.join(name), folder.join(format!("{name}.new")));
    remove(&new)?;
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    // Held open over the change of names, so that its bytes can be destroyed after it.
    let old = match OpenOptions::new().write(true).open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        old => Some(old?),
    };
    fs::rename(&new, &path)?;
    sync_folder(folder)?;
    old.map_or(Ok(()), |old| wipe(&old))
}

/// Destroys a file, if it is there.
pub fn destroy(folder: &Path, name: &str) -> io::Result<()> {
    let path = folder.join(name);
    match OpenOptions::new().write(true).open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => wipe(&file?)?,
    }
    remove(&path)?;
    sync_folder(folder)
}

/// All of a file, up to so many bytes; nothing if it is not there.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)) {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes noughts over a file. A disk may keep what it had elsewhere; more than this cannot be asked for.
fn wipe(mut file: &File) -> io::Result<()> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    io::copy(&mut io::repeat(0).take(length), &mut io::BufWriter::with_capacity(BLOCK, file))?;
    file.sync_all()
}
