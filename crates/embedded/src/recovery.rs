//! Opens a directory after whatever happened to it.
//!
//! Each group is synced before the next one is written, and each segment before the next one is
//! made. So a crash can damage only the last group of the last segment, or leave a last segment
//! whose header is not complete. Those are cut off, and [`Recovery`] says how much that was: a group
//! that was not synced was never acknowledged. Every other damage is [`Error::Corrupt`].
//!
//! ```text
//!   what is there                          what is done
//!   … valid, zeros to the end              nothing: the zeros were written ahead
//!   … valid, bad to the end                the bad part is cut off
//!   … valid, bad, valid                    corrupt
//!   … bad, in a segment before the last    corrupt
//!   last segment: bad header, else zeros   the segment is removed
//!   last segment: bad header, more         corrupt
//!   a number missing between segments      corrupt
//! ```
//!
//! What is kept is synced, with the directory, before anybody may read it: after a crash of the
//! process alone it may still be on its way to the disk.

use std::sync::Arc;

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::{Error, medium::Tail};

use crate::{
    catalog::Catalog,
    disk::{Disk, File},
    format::{Home, SEGMENT_HEADER_BYTES, SegmentHeader, VERSION},
    identity,
    index::Index,
    pages::index_name,
    scan::{Rest, Scan, scan, segment_name},
    sealed::{Row, Sealed},
    window::Window,
    writer::{create_segment, error},
};

/// What was found when a directory was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// How many segments there are.
    pub segments: usize,
    /// How many bytes were cut off at the end: a group that was never acknowledged.
    pub cut_bytes: u64,
    /// From which file, and where.
    pub cut_at: Option<(String, u64)>,
    /// How many indexes of sealed segments were missing or damaged, and built again.
    pub rebuilt_indexes: usize,
}

/// The open segment: groups are appended to it, and its index is in memory.
pub(crate) struct Open {
    pub(crate) home: Home,
    pub(crate) file: Arc<dyn File>,
    pub(crate) index: Index,
}

/// A directory that was opened.
pub(crate) struct Opened {
    pub(crate) catalog: Catalog,
    pub(crate) open: Open,
    pub(crate) tail: Tail,
    /// Where the groups of the open segment end.
    pub(crate) end: u64,
    /// The size of its file.
    pub(crate) size: u64,
    pub(crate) report: Recovery,
}

/// Opens a directory, or makes a log in an empty one.
pub(crate) fn recover(disk: &dyn Disk) -> Result<Opened, Error> {
    let mut segments = list(disk)?;
    let log_id = match identity::read(disk)? {
        Some(log_id) => log_id,
        None if segments.is_empty() => identity::create(disk)?,
        None => {
            let what = "it is missing or cannot be read, though there are segments".into();
            return Err(Error::Corrupt { file: identity::NAME.into(), offset: 0, what });
        }
    };
    let home = |segment| Home { log_id, segment };
    let mut report = Recovery::default();
    if let Some(last) = segments.last()
        && remove_unfinished(disk, home(*last), &mut report)?
    {
        segments.pop();
    }
    let Some((last, sealed)) = segments.split_last() else {
        create_segment(disk, home(1), Timestamp::default())?;
        return recover_last(disk, home(1), Catalog::default(), Recovery { segments: 1, ..report });
    };
    report.segments = segments.len();
    let mut catalog = Catalog::default();
    let mut expected = 1;
    for (segment, next) in sealed.iter().zip(segments.iter().skip(1)) {
        check_number(*segment, expected)?;
        let (sealed, rows) = load_sealed(disk, home(*segment), *next, &mut report)?;
        expected = sealed.last_group + 1;
        catalog.add(&Arc::new(sealed), rows).map_err(|what| corrupt(*segment, 0, what))?;
    }
    check_number(*last, expected)?;
    recover_last(disk, home(*last), catalog, report)
}

/// The segments in a directory, in order.
pub(crate) fn list(disk: &dyn Disk) -> Result<Vec<u64>, Error> {
    let number = |name: String| {
        let number = name.strip_suffix(".seg")?.parse().ok()?;
        (segment_name(number) == name).then_some(number)
    };
    let mut segments: Vec<u64> = disk.list()?.into_iter().filter_map(number).collect();
    segments.sort_unstable();
    Ok(segments)
}

/// Reads the header of a segment; nothing if it is damaged.
pub(crate) fn header(
    disk: &dyn Disk,
    file: &Arc<dyn File>,
    home: Home,
) -> Result<Option<SegmentHeader>, Error> {
    let mut window = Window::new(file.clone())?;
    let Some(header) = SegmentHeader::decode(window.get(0, SEGMENT_HEADER_BYTES)?) else {
        return Ok(None);
    };
    if header.version != VERSION {
        let (name, version) = (segment_name(home.segment), header.version);
        let what = format!("{name} has format {version}, and this version reads format {VERSION}");
        return Err(Error::Unusable { place: disk.place(), what });
    }
    if header.home != home {
        let Home { log_id, segment } = header.home;
        let what = format!("it is segment {segment} of log {log_id:016x}");
        return Err(corrupt(home.segment, 0, what));
    }
    Ok(Some(header))
}

/// Damage in a segment.
pub(crate) fn corrupt(segment: u64, offset: u64, what: impl Into<String>) -> Error {
    Error::Corrupt { file: segment_name(segment), offset, what: what.into() }
}

/// Checks that no segment is missing before this one.
pub(crate) fn check_number(segment: u64, expected: u64) -> Result<(), Error> {
    if segment == expected {
        return Ok(());
    }
    let what = format!("it starts with group {segment}, and the one before ends before {expected}");
    Err(corrupt(segment, 0, what))
}

/// Removes a segment that was being made; it has no groups then.
fn remove_unfinished(disk: &dyn Disk, home: Home, report: &mut Recovery) -> Result<bool, Error> {
    let name = segment_name(home.segment);
    let file = disk.open(&name)?;
    if header(disk, &file, home)?.is_some() {
        return Ok(false);
    }
    let size = file.size()?;
    let rest = scan(file, &SegmentHeader::new(home, Timestamp::default()), &mut |_, _| Ok(()))?;
    if rest.end != SEGMENT_HEADER_BYTES as u64 || rest.rest != Rest::Zeros {
        return Err(corrupt(home.segment, 0, "its header is damaged"));
    }
    tracing::warn!(file = name, bytes = size, "removing a segment whose making was interrupted");
    disk.remove(&name)?;
    disk.sync()?;
    report.cut_bytes = size;
    report.cut_at = Some((name, 0));
    Ok(true)
}

/// Loads the index of a sealed segment, or builds it again. `next` is the segment after it.
fn load_sealed(
    disk: &dyn Disk,
    home: Home,
    next: u64,
    report: &mut Recovery,
) -> Result<(Sealed, Vec<Row>), Error> {
    let segment_bytes = disk.open(&segment_name(home.segment))?.size()?;
    let index = disk.open(&index_name(home.segment));
    let loaded = index.and_then(|file| Sealed::load(&*file, home)).unwrap_or(None);
    if let Some((sealed, rows)) = loaded
        && sealed.last_group + 1 == next
        && sealed.end <= segment_bytes
    {
        return Ok((sealed, rows));
    }
    tracing::warn!(segment = home.segment, "building a missing or damaged index again");
    report.rebuilt_indexes += 1;
    let (sealed, rows) = rebuild_index(disk, home)?;
    if sealed.last_group + 1 != next {
        let (last, first) = (sealed.last_group, next);
        let what = format!("it ends with group {last}, and the next segment starts with {first}");
        return Err(corrupt(home.segment, sealed.end, what));
    }
    Ok((sealed, rows))
}

/// Builds the index file of a sealed segment from its records.
pub(crate) fn rebuild_index(disk: &dyn Disk, home: Home) -> Result<(Sealed, Vec<Row>), Error> {
    let file = disk.open(&segment_name(home.segment))?;
    let header = header(disk, &file, home)?
        .ok_or_else(|| corrupt(home.segment, 0, "its header is damaged"))?;
    let mut index = Index::default();
    let scan = scan(file, &header, &mut |offset, view| index.add(offset, view))?;
    if scan.rest != Rest::Zeros {
        return Err(corrupt(home.segment, scan.end, "a group is damaged"));
    }
    let (sealed, rows, bytes, _) =
        Sealed::encode(home, scan.end, scan.next - 1, scan.recorded, &index);
    let index = disk.create(&index_name(home.segment));
    index.and_then(|index| index.write_at(&bytes, 0)).map_err(error)?;
    Ok((sealed, rows))
}

/// Reads the last segment through, and cuts off what was not finished.
fn recover_last(
    disk: &dyn Disk,
    home: Home,
    catalog: Catalog,
    mut report: Recovery,
) -> Result<Opened, Error> {
    let name = segment_name(home.segment);
    let file = disk.open(&name)?;
    let header = header(disk, &file, home)?
        .ok_or_else(|| corrupt(home.segment, 0, "its header is damaged"))?;
    let mut index = Index::default();
    let Scan { end, next, recorded, rest } = scan(file.clone(), &header, &mut |offset, view| {
        if index.stream(view.subject).is_none() {
            catalog.check(view.subject, view.seq)?;
        }
        index.add(offset, view)
    })?;
    match rest {
        Rest::Zeros => {}
        Rest::Damaged { later: Some(later), .. } => {
            let what = format!("a group is damaged, and a later one at byte {later} is valid");
            return Err(corrupt(home.segment, end, what));
        }
        Rest::Damaged { bytes, later: None } => {
            tracing::warn!(
                file = name,
                offset = end,
                bytes,
                "cutting off a group that was not finished"
            );
            file.set_size(end)?;
            report.cut_bytes += bytes;
            report.cut_at = Some((name, end));
        }
    }
    file.sync()?;
    disk.sync()?;
    let size = file.size()?.max(end);
    let open = Open { home, file, index };
    let tail = Tail { position: next, recorded };
    Ok(Opened { catalog, open, tail, end, size, report })
}
