//! The rows of a sealed file that were recorded up to a time, as a source for another one.

use std::sync::Arc;

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::Error;

use crate::sealed::{Id, Opening, Row, Sealed, Streams, Walk};

/// A walk over a file that leaves out what is late. It takes 16 bytes of memory for each stream.
pub(super) struct Before {
    walk: Walk,
    to_time: Timestamp,
    /// The latest recordedtime of rows that are not late.
    pub(super) recorded: Timestamp,
    /// The first group that is late, and its recordedtime.
    pub(super) late_position: u64,
    pub(super) late: Timestamp,
    /// For each stream of the file, what is kept of it.
    kept: Vec<Kept>,
    /// How many streams of the file were passed.
    streams: usize,
}

/// What is kept of a stream.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// Its number among those of which something is kept.
    ordinal: u32,
    /// The last seq that is kept; 0 for none.
    last_seq: u64,
}

impl Before {
    /// Walks over all rows once to find what is late.
    pub(super) fn new(sealed: &Arc<Sealed>, to_time: Timestamp) -> Result<Self, Error> {
        let mut all = sealed.walk()?;
        let mut before = Self {
            walk: sealed.walk()?,
            to_time,
            recorded: Timestamp::default(),
            late_position: u64::MAX,
            late: Timestamp::default(),
            kept: Vec::new(),
            streams: 0,
        };
        let mut ordinal = 0;
        while all.next_stream()?.is_some() {
            let (mut last_seq, mut is_cut) = (0, false);
            while let Some(row) = all.next_row()? {
                if row.recorded <= to_time {
                    last_seq = row.seq;
                    is_cut = !row.kind.is_event() && row.chain.is_none();
                    before.recorded = before.recorded.max(row.recorded);
                    continue;
                }
                if std::mem::take(&mut is_cut) {
                    return Err(trimmed_since(to_time));
                }
                if row.position < before.late_position {
                    (before.late_position, before.late) = (row.position, row.recorded);
                }
            }
            before.kept.push(Kept { ordinal, last_seq });
            ordinal += u32::from(last_seq > 0);
        }
        Ok(before)
    }
}

/// Events around a time were trimmed, so that nobody knows the chain there.
fn trimmed_since(to_time: Timestamp) -> Error {
    let what = format!("what was recorded around {to_time} has been trimmed; choose a later time");
    Error::Unusable { place: "the back-up".into(), what }
}

impl Streams for Before {
    fn next_stream(&mut self) -> Result<Option<Opening>, Error> {
        while let Some(opening) = self.walk.next_stream()? {
            let kept = self.kept.get(self.streams).copied();
            self.streams += 1;
            if kept.is_some_and(|kept| kept.last_seq > 0) {
                return Ok(Some(opening));
            }
        }
        Ok(None)
    }

    fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        // Times do not go back, so everything behind the first late row is late, too.
        let to_time = self.to_time;
        Ok(self.walk.next_row()?.filter(|row| row.recorded <= to_time))
    }

    fn next_id(&mut self) -> Result<Option<Id>, Error> {
        while let Some(id) = self.walk.next_id()? {
            let kept = self.kept.get(usize::try_from(id.ordinal).unwrap_or(usize::MAX));
            if let Some(kept) = kept.filter(|kept| id.seq <= kept.last_seq) {
                return Ok(Some(Id { ordinal: kept.ordinal, ..id }));
            }
        }
        Ok(None)
    }
}
