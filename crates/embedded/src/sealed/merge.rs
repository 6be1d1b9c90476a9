//! Seals: merges sources into one new file, reads that back, and only then gives it its name.

use std::sync::{Arc, atomic::AtomicBool};

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::Error;

use super::{
    Blocks, Range, Sealed,
    frame::Home,
    sealed_name,
    streams::{Id, Opening, Streams},
    verify::Depth,
    writer::{Writer, corrupt},
};
use crate::{archive::Object, disk::Disk, writer::error};

/// What is to be sealed, and where.
pub(crate) struct Target<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) log_id: u64,
    pub(crate) range: Range,
    /// The recordedtime that is reached with the range; later ones in the rows count, too.
    pub(crate) recorded: Timestamp,
    /// The level of zstd.
    pub(crate) level: i32,
    pub(crate) cache: Arc<Blocks>,
    /// Whether something is missing in the rows of which nothing is known.
    pub(crate) is_lossy: bool,
    /// The archive's object that has those events that are away.
    pub(crate) object: Option<Object>,
    /// What the file's name ends in until it is complete: `.tmp`, or something before it where
    /// two may write a file of one name at a time.
    pub(crate) suffix: &'static str,
    /// Once it is true, sealing ends with [`Error::Stopped`] at the next block.
    pub(crate) stop: &'a AtomicBool,
}

/// A file that is complete, synced and verified, but does not have its name yet.
pub(crate) struct Prepared {
    sealed: Sealed,
    unnamed: String,
}

impl Prepared {
    pub(crate) fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    /// Gives the file its name; one that had it is replaced.
    pub(crate) fn publish(self, disk: &dyn Disk) -> Result<Sealed, Error> {
        let Self { mut sealed, unnamed } = self;
        let name = sealed_name(sealed.range());
        let renamed = disk.rename(&unnamed, &name).map_err(error);
        renamed.inspect_err(|_| discard(disk, &unnamed))?;
        disk.sync()?;
        sealed.set_name(name);
        Ok(sealed)
    }

    /// It once more, as a part of a history that is tried.
    pub(crate) fn again(&self) -> Sealed {
        Sealed { whole: self.sealed.whole.clone() }
    }

    /// Removes it.
    pub(crate) fn discard(self, disk: &dyn Disk) {
        discard(disk, &self.unnamed);
    }
}

/// Merges sources, in order of position, into a new file, and gives it open. A stream may be in
/// several; its parts must fit together.
///
/// The file is written under another name, synced, read back and verified as a
/// whole, and then renamed; a file that had the name is replaced. The sources are left alone. Before
/// the rename every error leaves no file behind, unless it cannot be removed. Parts that do not fit,
/// and a source whose chain is not that of its rows, are [`Error::Corrupt`]; a full disk is
/// [`Error::Full`], and sealing may be tried again.
///
/// For every stream in the result it takes 8 bytes of memory, for every stream of a source 4, and
/// for every event 1.4; else no more than some blocks, whatever is merged.
pub(crate) fn seal(target: &Target<'_>, inputs: Vec<Box<dyn Streams>>) -> Result<Sealed, Error> {
    prepare(target, inputs)?.publish(target.disk)
}

/// Like [`seal`], all but the rename.
pub(crate) fn prepare(
    target: &Target<'_>,
    inputs: Vec<Box<dyn Streams>>,
) -> Result<Prepared, Error> {
    let unnamed = format!("{}{}", sealed_name(target.range), target.suffix);
    let sealed = write(target, &unnamed, inputs).and_then(|()| read_back(target, &unnamed));
    let sealed = sealed.inspect_err(|_| discard(target.disk, &unnamed))?;
    Ok(Prepared { sealed, unnamed })
}

/// Removes what was begun. If that fails, it is left to the next start.
fn discard(disk: &dyn Disk, name: &str) {
    if let Err(error) = disk.remove(name) {
        tracing::debug!(%error, file = name, "cannot remove a file that was not finished");
    }
}

fn read_back(target: &Target<'_>, name: &str) -> Result<Sealed, Error> {
    let home = Home { log_id: target.log_id, range: target.range };
    let sealed = Sealed::open_as(target.disk, name.into(), home, target.cache.clone())?;
    sealed.verify_until(Depth::Archive, target.stop, &mut |_| ())?;
    Ok(sealed)
}

fn write(target: &Target<'_>, name: &str, inputs: Vec<Box<dyn Streams>>) -> Result<(), Error> {
    let home = Home { log_id: target.log_id, range: target.range };
    let file = target.disk.create(name).map_err(error)?;
    let mut writer = Writer::new(file, home, target.recorded, target.level, target.stop)?;
    writer.is_lossy = target.is_lossy;
    writer.set_object(target.object.clone());
    let mut sources = Vec::with_capacity(inputs.len());
    for mut streams in inputs {
        let head = streams.next_stream()?;
        sources.push(Source { streams, head, ordinals: Vec::new(), id: None });
    }
    while let Some(first) = first(&sources) {
        merge_stream(&mut writer, sources.get_mut(first..).unwrap_or_default())?;
    }
    writer.end_streams()?;
    for source in &mut sources {
        source.next_id(target.range)?;
    }
    let id = |source: &Source| source.id.map(|id| id.fingerprint);
    while let Some(source) =
        sources.iter_mut().filter(|source| source.id.is_some()).min_by_key(|source| id(source))
        && let Some(id) = source.id
    {
        writer.push_id(id)?;
        source.next_id(target.range)?;
    }
    writer.finish()
}

/// A source, with the stream and the id that come next in it.
struct Source {
    streams: Box<dyn Streams>,
    head: Option<Opening>,
    /// The new number of each of its streams.
    ordinals: Vec<u32>,
    id: Option<Id>,
}

impl Source {
    fn next_id(&mut self, range: Range) -> Result<(), Error> {
        self.id = match self.streams.next_id()? {
            None => None,
            Some(id) => {
                let place = usize::try_from(id.ordinal).unwrap_or(usize::MAX);
                let what = || corrupt(range, "an id is of no stream".into());
                let ordinal = *self.ordinals.get(place).ok_or_else(what)?;
                Some(Id { ordinal, ..id })
            }
        };
        Ok(())
    }
}

/// The first source that has the first subject.
fn first(sources: &[Source]) -> Option<usize> {
    let mut found: Option<(usize, &str)> = None;
    for (place, source) in sources.iter().enumerate() {
        if let Some(head) = &source.head
            && found.is_none_or(|(_, least)| *head.subject < *least)
        {
            found = Some((place, &head.subject));
        }
    }
    found.map(|(place, _)| place)
}

/// Writes the next stream of the first source, with its parts in the others.
fn merge_stream(writer: &mut Writer<'_>, sources: &mut [Source]) -> Result<(), Error> {
    let mut subject: Option<(Box<str>, u32)> = None;
    for source in sources {
        let number = match (&subject, &source.head) {
            (None, Some(head)) => {
                let number = writer.open(head.clone())?;
                subject = Some((head.subject.clone(), number));
                number
            }
            (Some((same, number)), Some(head)) if *same == head.subject => {
                writer.go_on(head)?;
                *number
            }
            _ => continue,
        };
        source.ordinals.push(number);
        while let Some(row) = source.streams.next_row()? {
            writer.push(&row)?;
        }
        source.head = source.streams.next_stream()?;
    }
    writer.close()
}
