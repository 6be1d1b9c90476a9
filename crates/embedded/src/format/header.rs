//! The header of a segment.

use matchwire_domain::timestamp::Timestamp;

use super::{Fields, Home};

pub(crate) const SEGMENT_HEADER_BYTES: usize = 40;
const MAGIC: [u8; 8] = *b"\xF5MWSEG\r\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) home: Home,
    /// The latest recordedtime before the segment.
    pub(crate) recorded: Timestamp,
}

impl SegmentHeader {
    pub(crate) fn new(home: Home, recorded: Timestamp) -> Self {
        Self { home, recorded }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(SEGMENT_HEADER_BYTES);
        body.extend(self.home.version.to_le_bytes());
        body.extend(self.home.log_id.to_le_bytes());
        body.extend(self.home.segment.to_le_bytes());
        body.extend(self.recorded.ms().to_le_bytes());
        let mut out = MAGIC.to_vec();
        out.extend(crc32c::crc32c(&body).to_le_bytes());
        out.extend(body);
        out
    }

    /// Reads a header; nothing if it is damaged.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes.get(..SEGMENT_HEADER_BYTES)?);
        let magic: [u8; 8] = fields.array()?;
        if magic != MAGIC || fields.u32()? != crc32c::crc32c(fields.0) {
            return None;
        }
        let version = fields.u32()?;
        let home = Home { log_id: fields.u64()?, segment: fields.u64()?, version };
        Some(Self { home, recorded: Timestamp::from_ms(fields.i64()?) })
    }
}
