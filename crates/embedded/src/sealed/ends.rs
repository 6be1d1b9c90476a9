//! The two ends of a sealed file: what it is, and where to start reading.
//!
//! ```text
//! footer, 128 bytes
//!    0  8  magic
//!    8  4  CRC-32C of what follows
//!   12  4  version of the format, 3
//!   16  8  log id
//!   24  8  first group
//!   32  8  last group
//!   40  8  recordedtime that is reached with the file
//!   48  8  first recordedtime in the file of an event that was not trimmed
//!   56  8  last recordedtime in the file
//!   64  8  how many events, trimmed and archived ones included
//!   72  8  how many streams
//!   80  8  bytes of all stored events that are in the file
//!   88 12  filter of ids: offset (8), bytes (4)
//!  100 12  filter of subjects
//!  112 12  index
//!  124  1  1 if streams are missing in the file that nobody knows of, else 0
//!  125  3  zero
//! ```

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::Error;

use super::{
    Range,
    frame::{Home, Place},
    streams::{Kind, Row},
};
use crate::{
    disk::File,
    format::{Fields, VERSION},
};

pub(super) const HEADER_BYTES: usize = 64;
pub(super) const FOOTER_BYTES: usize = 128;
const HEADER_MAGIC: [u8; 8] = *b"\xF8MWSLD\r\n";
const FOOTER_MAGIC: [u8; 8] = *b"\xF8MWEND\r\n";

/// The oldest version of the format that is read.
const FIRST_VERSION: u32 = 2;

/// What a file has in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sums {
    /// The latest time in or before the file.
    pub(super) recorded: Timestamp,
    /// Of the first event that was not trimmed.
    pub(super) first_recorded: Timestamp,
    pub(super) last_recorded: Timestamp,
    pub(super) events: u64,
    pub(super) streams: u64,
    pub(super) stored_bytes: u64,
}

impl Sums {
    /// Adds a row; `trimmed` is how many of those before were trimmed.
    pub(super) fn add(&mut self, row: &Row<'_>, trimmed: u64) {
        let (is_first, is_first_kept) = (self.events == 0, self.events == trimmed);
        let recorded = row.recorded;
        self.recorded = self.recorded.max(recorded);
        self.last_recorded = if is_first { recorded } else { self.last_recorded.max(recorded) };
        self.events += 1;
        if !matches!(row.kind, Kind::Trimmed { .. }) {
            let first = if is_first_kept { recorded } else { self.first_recorded };
            self.first_recorded = first.min(recorded);
        }
        if row.kind.is_event() {
            self.stored_bytes += row.stored.len() as u64;
        }
    }
}

/// The end of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Footer {
    pub(super) home: Home,
    pub(super) sums: Sums,
    pub(super) id_filter: Place,
    pub(super) subject_filter: Place,
    pub(super) index: Place,
    /// Streams, or parts of them, were lost of which nothing is known.
    pub(super) is_lossy: bool,
}

/// The checksum of the footer of a file, whatever it is; nothing if the file is too small for one.
pub(crate) fn footer_crc(file: &dyn File) -> Result<Option<u32>, Error> {
    let Some(at) = file.size()?.checked_sub(FOOTER_BYTES as u64) else { return Ok(None) };
    let mut bytes = [0; 4];
    file.read_at(&mut bytes, at + 8)?;
    Ok(Some(u32::from_le_bytes(bytes)))
}

/// The header of a file.
pub(super) fn put_header(home: Home, recorded: Timestamp) -> Vec<u8> {
    let mut out = start(HEADER_MAGIC, home);
    out.extend(recorded.ms().to_le_bytes());
    finish(out, HEADER_BYTES)
}

/// Checks a header: the version if it is another one, or what is wrong.
pub(super) fn check_header(bytes: &[u8], home: Home) -> Result<Option<u32>, &'static str> {
    let mut fields = Fields(bytes);
    check_start(&mut fields, HEADER_MAGIC, home)
}

/// The recordedtime that a header says is reached; 1970 if it is damaged.
pub(super) fn recorded(header: &[u8], home: Home) -> Timestamp {
    let is_good = matches!(check_header(header, home), Ok(None));
    let ms = header.get(40..).and_then(|rest| Fields(rest).i64());
    Timestamp::from_ms(ms.filter(|_| is_good).unwrap_or_default())
}

impl Footer {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = start(FOOTER_MAGIC, self.home);
        let sums = self.sums;
        for time in [sums.recorded, sums.first_recorded, sums.last_recorded] {
            out.extend(time.ms().to_le_bytes());
        }
        for number in [sums.events, sums.streams, sums.stored_bytes] {
            out.extend(number.to_le_bytes());
        }
        for place in [self.id_filter, self.subject_filter, self.index] {
            out.extend(place.offset.to_le_bytes());
            out.extend(place.bytes.to_le_bytes());
        }
        out.push(self.is_lossy.into());
        finish(out, FOOTER_BYTES)
    }

    /// Reads a footer, or says what is wrong with it.
    pub(super) fn decode(bytes: &[u8], home: Home) -> Result<Self, &'static str> {
        let mut fields = Fields(bytes);
        if check_start(&mut fields, FOOTER_MAGIC, home)?.is_some() {
            return Err("the footer is of another version than the header");
        }
        Self::fields(&mut fields, home).ok_or("the footer is cut off")
    }

    fn fields(fields: &mut Fields<'_>, home: Home) -> Option<Self> {
        let mut time = || fields.i64().map(Timestamp::from_ms);
        let (recorded, first_recorded, last_recorded) = (time()?, time()?, time()?);
        let (events, streams, stored_bytes) = (fields.u64()?, fields.u64()?, fields.u64()?);
        let mut place = || Some(Place { offset: fields.u64()?, bytes: fields.u32()? });
        let (id_filter, subject_filter, index) = (place()?, place()?, place()?);
        let sums = Sums { recorded, first_recorded, last_recorded, events, streams, stored_bytes };
        let is_lossy = fields.u8()? != 0;
        Some(Self { home, sums, id_filter, subject_filter, index, is_lossy })
    }
}

fn start(magic: [u8; 8], home: Home) -> Vec<u8> {
    let mut out = magic.to_vec();
    out.extend([0; 4]);
    out.extend(VERSION.to_le_bytes());
    out.extend(home.log_id.to_le_bytes());
    out.extend(home.range.first.to_le_bytes());
    out.extend(home.range.last.to_le_bytes());
    out
}

fn finish(mut out: Vec<u8>, bytes: usize) -> Vec<u8> {
    out.resize(bytes, 0);
    let crc = crc32c::crc32c(out.get(12..).unwrap_or_default());
    if let Some(place) = out.get_mut(8..12) {
        place.copy_from_slice(&crc.to_le_bytes());
    }
    out
}

fn check_start(
    fields: &mut Fields<'_>,
    magic: [u8; 8],
    home: Home,
) -> Result<Option<u32>, &'static str> {
    let cut = "it is cut off";
    if fields.array() != Some(magic) || fields.u32() != Some(crc32c::crc32c(fields.0)) {
        return Err("its header or footer is damaged");
    }
    let version = fields.u32().ok_or(cut)?;
    if !(FIRST_VERSION..=VERSION).contains(&version) {
        return Ok(Some(version));
    }
    let mut number = || fields.u64().ok_or(cut);
    let log_id = number()?;
    let range = Range { first: number()?, last: number()? };
    if (Home { log_id, range }) == home { Ok(None) } else { Err("it belongs elsewhere") }
}
