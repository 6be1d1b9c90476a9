//! Frames: the parts of a sealed file, each with a checksum that knows its file and place.

use matchwire_log::Defect;

use super::Range;
use crate::format::Fields;

pub(super) const FRAME_HEADER_BYTES: usize = 24;
pub(super) const MAGIC: [u8; 8] = *b"\xF8MWFRM\r\n";
/// The most that a payload may have once it is decompressed.
const MAX_RAW_BYTES: usize = 64 << 20;
/// The most that a payload may have in the file; a filter of 200 million ids fits.
const MAX_PAYLOAD_BYTES: usize = 256 << 20;

/// The file that a frame belongs to; part of its checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Home {
    pub(super) log_id: u64,
    pub(super) range: Range,
}

/// What a frame has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Block = 1,
    Table = 2,
    Ids = 3,
    IdFilter = 4,
    SubjectFilter = 5,
    Index = 6,
}

/// Where a frame is, with its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) bytes: u32,
}

/// A frame whose checksum is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) part: Part,
    pub(super) raw_bytes: usize,
    pub(super) payload: &'a [u8],
}

impl Home {
    fn crc(self, offset: u64, covered: &[u8]) -> u32 {
        let crc = crc32c::crc32c(&self.log_id.to_le_bytes());
        let crc = crc32c::crc32c_append(crc, &self.range.first.to_le_bytes());
        let crc = crc32c::crc32c_append(crc, &self.range.last.to_le_bytes());
        let crc = crc32c::crc32c_append(crc, &offset.to_le_bytes());
        crc32c::crc32c_append(crc, covered)
    }

    /// Appends a frame that will be at an offset of the file.
    pub(super) fn put(
        self,
        out: &mut Vec<u8>,
        offset: u64,
        part: Part,
        raw_bytes: usize,
        payload: &[u8],
    ) {
        let start = out.len();
        out.extend(MAGIC);
        out.extend([0; 4]);
        out.extend((part as u32).to_le_bytes());
        out.extend(u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend(u32::try_from(raw_bytes).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(payload);
        let crc = self.crc(offset, out.get(start + 12..).unwrap_or_default());
        if let Some(place) = out.get_mut(start + 8..start + 12) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
    }

    /// Reads the frame at the front of bytes from an offset of the file, or says what is wrong.
    pub(super) fn decode(self, bytes: &[u8], offset: u64) -> Result<Frame<'_>, &'static str> {
        let size = Frame::size(bytes).ok_or("there is no frame")?;
        let covered = bytes.get(12..size).ok_or("a frame is cut off")?;
        let mut fields = Fields(bytes.get(8..size).unwrap_or_default());
        if fields.u32() != Some(self.crc(offset, covered)) && !Defect::IgnoreChecksum.is_on() {
            return Err("the checksum of a frame is wrong");
        }
        let part = fields.u32().and_then(Part::of).ok_or("a frame is of no known kind")?;
        let (_, raw) = (fields.u32(), fields.u32().and_then(|raw| usize::try_from(raw).ok()));
        let raw_bytes = raw.filter(|raw| part != Part::Block || *raw <= MAX_RAW_BYTES);
        let raw_bytes = raw_bytes.ok_or("a block is too large")?;
        Ok(Frame { part, raw_bytes, payload: fields.0 })
    }
}

impl Frame<'_> {
    /// How many bytes a frame takes, by its header.
    pub(super) fn size(header: &[u8]) -> Option<usize> {
        let mut fields = Fields(header);
        let magic: [u8; 8] = fields.array()?;
        let (_, _, payload) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let payload = usize::try_from(payload).ok().filter(|bytes| *bytes <= MAX_PAYLOAD_BYTES)?;
        (magic == MAGIC).then_some(FRAME_HEADER_BYTES + payload)
    }
}

impl Part {
    fn of(number: u32) -> Option<Self> {
        use Part::{Block, IdFilter, Ids, Index, SubjectFilter, Table};
        let all = [Block, Table, Ids, IdFilter, SubjectFilter, Index];
        all.into_iter().find(|part| *part as u32 == number)
    }
}
