//! The seam to the file system: a flat directory of files. Everything that the log reads or writes
//! goes through it, so that a test can take the real one away.

mod directory;
#[cfg(any(test, feature = "faults"))]
mod faulty;

use std::{io, sync::Arc};

pub use directory::Directory;
#[cfg(any(test, feature = "faults"))]
pub use faulty::{Fault, Faulty, Flip, Met};

/// A directory of files, without any below it.
///
/// Names and contents are durable only once they are synced, each apart: a created, changed or
/// removed name by [`Disk::sync`], a file's content and size by [`File::sync`].
pub trait Disk: Send + Sync + 'static {
    /// A name for error messages.
    fn place(&self) -> String;

    /// The names of all files, in any order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Opens a file that exists, to read and write.
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>>;

    /// Creates a file, or empties the one that has the name.
    fn create(&self, name: &str) -> io::Result<Arc<dyn File>>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Gives a file another name, and takes that name from the file that had it. Whoever looks
    /// finds the state before or the state after, also behind a crash.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes created, changed and removed names durable.
    fn sync(&self) -> io::Result<()>;
}

/// A file, read and written by position.
pub trait File: Send + Sync + 'static {
    /// Its size in bytes.
    fn size(&self) -> io::Result<u64>;

    /// Fills the buffer from a position, or fails with `UnexpectedEof`.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes everything at a position, growing the file as needed. After an error any part of it
    /// may be written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Cuts the file, or grows it with zeros that take no space.
    fn set_size(&self, bytes: u64) -> io::Result<()>;

    /// Makes content and size durable. After an error nobody knows what is durable, and nothing
    /// that was written before may be relied on.
    fn sync(&self) -> io::Result<()>;
}
