//! A list of fixed-size entries in a file, in pages with a checksum each.
//!
//! A page has 4,096 bytes: as many entries as fit, zeros, and at its end the CRC-32C of log id,
//! segment, number of the page in the file (4 bytes) and what is before.

use matchwire_log::Error;

use crate::{disk::File, format::Home};

pub(crate) const PAGE_BYTES: usize = 4_096;
const CRC_BYTES: usize = 4;

/// Where a list of entries of `N` bytes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pages<const N: usize> {
    pub(crate) home: Home,
    /// The number of its first page in the file.
    pub(crate) first: u32,
    /// How many entries it has.
    pub(crate) count: u32,
}

impl<const N: usize> Pages<N> {
    /// How many entries a page has.
    pub(crate) const ENTRIES: usize = (PAGE_BYTES - CRC_BYTES) / N;
    #[expect(clippy::cast_possible_truncation, reason = "a page has 4,096 bytes")]
    const PER_PAGE: u32 = Self::ENTRIES as u32;

    /// How many pages it has.
    pub(crate) fn pages(&self) -> u32 {
        self.count.div_ceil(Self::PER_PAGE)
    }

    /// The page of an entry, and its place there.
    pub(crate) fn place(nth: u32) -> (u32, usize) {
        let place = usize::try_from(nth % Self::PER_PAGE);
        (nth / Self::PER_PAGE, place.unwrap_or_default())
    }

    /// Appends the pages of all entries.
    pub(crate) fn put(&self, out: &mut Vec<u8>, mut entries: impl Iterator<Item = [u8; N]>) {
        for page in 0..self.pages() {
            let start = out.len();
            entries.by_ref().take(Self::ENTRIES).for_each(|entry| out.extend_from_slice(&entry));
            out.resize(start + PAGE_BYTES - CRC_BYTES, 0);
            let crc = self.crc(page, out.get(start..).unwrap_or_default());
            out.extend(crc.to_le_bytes());
        }
    }

    /// Reads the entries of a page, counted from the first one of this list.
    pub(crate) fn read(&self, file: &dyn File, page: u32) -> Result<Vec<[u8; N]>, Error> {
        let mut bytes = vec![0; PAGE_BYTES];
        let offset = u64::from(self.first + page) * PAGE_BYTES as u64;
        let damaged = || Error::Corrupt {
            file: index_name(self.home.segment),
            offset,
            what: "the checksum of a page is wrong".into(),
        };
        file.read_at(&mut bytes, offset).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => damaged(),
            _ => error.into(),
        })?;
        let (content, crc) = bytes.split_last_chunk::<CRC_BYTES>().ok_or_else(damaged)?;
        if self.crc(page, content).to_le_bytes() != *crc {
            return Err(damaged());
        }
        let left = self.count.saturating_sub(page * Self::PER_PAGE).min(Self::PER_PAGE);
        let (entries, _) = content.as_chunks();
        Ok(entries.iter().take(usize::try_from(left).unwrap_or_default()).copied().collect())
    }

    fn crc(&self, page: u32, content: &[u8]) -> u32 {
        crc32c::crc32c_append(self.home.crc(&(self.first + page).to_le_bytes()), content)
    }
}

/// The name of the index file of a segment.
pub(crate) fn index_name(segment: u64) -> String {
    format!("{segment:020}.idx")
}
