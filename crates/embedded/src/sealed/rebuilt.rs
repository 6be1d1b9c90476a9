//! A source whose ids are taken from its rows, since its own are damaged or of other rows, too.
//!
//! Ids come in order of fingerprint, and there may be more of them than memory should hold. So the
//! rows are read again for them, in as many passes as it takes, each for its share of all
//! fingerprints.

use std::vec;

use matchwire_log::Error;

use super::streams::{Id, Kind, Opening, Row, Streams};

/// How many ids are in memory at once, about.
const PASS_IDS: u64 = 4_000_000;

type Open = Box<dyn Fn() -> Result<Box<dyn Streams>, Error>>;

/// A source that can be opened again, with its ids.
pub(crate) struct Rebuilt {
    open: Open,
    streams: Box<dyn Streams>,
    events: u64,
    next_pass: u64,
    ids: vec::IntoIter<Id>,
}

impl Rebuilt {
    /// Over what `open` opens, which must give the same each time.
    pub(crate) fn new(
        open: impl Fn() -> Result<Box<dyn Streams>, Error> + 'static,
    ) -> Result<Self, Error> {
        let streams = open()?;
        let (open, ids) = (Box::new(open), Vec::new().into_iter());
        Ok(Self { open, streams, events: 0, next_pass: 0, ids })
    }

    /// The ids whose fingerprints are in the share of a pass.
    fn pass(&self, pass: u64, passes: u64) -> Result<Vec<Id>, Error> {
        let mut ids = Vec::new();
        let mut streams = (self.open)()?;
        let mut ordinal = 0;
        while streams.next_stream()?.is_some() {
            while let Some(row) = streams.next_row()? {
                let fingerprint = row.fingerprint;
                let share = (u128::from(fingerprint) * u128::from(passes)) >> 64;
                if share == u128::from(pass) && !matches!(row.kind, Kind::Lost { .. }) {
                    ids.push(Id { fingerprint, ordinal, seq: row.seq });
                }
            }
            ordinal += 1;
        }
        ids.sort_unstable();
        Ok(ids)
    }
}

impl Streams for Rebuilt {
    fn next_stream(&mut self) -> Result<Option<Opening>, Error> {
        self.streams.next_stream()
    }

    fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        let row = self.streams.next_row()?;
        self.events += u64::from(row.is_some_and(|row| !matches!(row.kind, Kind::Lost { .. })));
        Ok(row)
    }

    fn next_id(&mut self) -> Result<Option<Id>, Error> {
        let passes = self.events.div_ceil(PASS_IDS).max(1);
        loop {
            if let Some(id) = self.ids.next() {
                return Ok(Some(id));
            }
            if self.next_pass == passes {
                return Ok(None);
            }
            self.ids = self.pass(self.next_pass, passes)?.into_iter();
            self.next_pass += 1;
        }
    }
}
