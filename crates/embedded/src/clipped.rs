//! Some positions of a part of the history, as a source.

use std::sync::Arc;

use matchwire_domain::{chain::Digest, timestamp::Timestamp};
use matchwire_log::Error;

use crate::{
    history::Part,
    keeper::arrival,
    sealed::{Id, Kind, Opening, Range, Rebuilt, Row, Streams},
};

/// The rows of a part that are in a range of positions, with their ids.
pub(crate) fn clipped(
    parts: &Arc<Vec<Part>>,
    at: usize,
    range: Range,
) -> Result<Box<dyn Streams>, Error> {
    let parts = parts.clone();
    let open = move || {
        let before = parts.get(..at).unwrap_or_default();
        let streams: Box<dyn Streams> = match parts.get(at) {
            Some(Part::Sealed(sealed)) => Box::new(sealed.walk()?),
            Some(Part::Segment(segment)) => Box::new(arrival(segment, before)?),
            _ => Box::new(Nothing),
        };
        let first = First::default();
        Ok(Box::new(Clipped { streams, range, first, is_first_left: false }) as Box<dyn Streams>)
    };
    Ok(Box::new(Rebuilt::new(open)?))
}

/// A source without streams.
struct Nothing;

impl Streams for Nothing {
    fn next_stream(&mut self) -> Result<Option<Opening>, Error> {
        Ok(None)
    }

    fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        Ok(None)
    }

    fn next_id(&mut self) -> Result<Option<Id>, Error> {
        Ok(None)
    }
}

struct Clipped {
    streams: Box<dyn Streams>,
    range: Range,
    /// The first row of the stream in the range, which was read to know where it starts.
    first: First,
    is_first_left: bool,
}

/// A row that was copied.
#[derive(Default)]
struct First {
    seq: u64,
    position: u64,
    recorded: Timestamp,
    fingerprint: u64,
    kind: Option<Kind>,
    chain: Option<Digest>,
    stored: Vec<u8>,
}

impl Clipped {
    /// Goes to the first row in the range, and gives the chain before it; nothing if there is none.
    fn find_first(&mut self, opening: &Opening) -> Result<Option<Opening>, Error> {
        let (mut before, mut is_anchored) = (Some(opening.before), opening.is_anchored);
        while let Some(row) = self.streams.next_row()? {
            if row.position > self.range.last {
                break;
            }
            if row.position >= self.range.first {
                let before = before.ok_or_else(|| {
                    let what = format!(
                        "{} cannot be cut before seq {}, since what comes before is trimmed",
                        opening.subject, row.seq
                    );
                    Error::Unusable { place: "the copy".into(), what }
                })?;
                let Row { seq, position, recorded, fingerprint, kind, chain, stored } = row;
                let (kind, stored) = (Some(kind), stored.to_vec());
                self.first = First { seq, position, recorded, fingerprint, kind, chain, stored };
                self.is_first_left = true;
                let subject = opening.subject.clone();
                return Ok(Some(Opening { subject, first_seq: seq, before, is_anchored }));
            }
            before = match row.chain {
                Some(chain) => Some(chain),
                None if is_anchored => before,
                None if row.kind.is_event() => {
                    before.map(|it| it.next(row.seq, row.recorded, Digest::leaf(row.stored)))
                }
                None => None,
            };
            is_anchored = false;
        }
        Ok(None)
    }
}

impl Streams for Clipped {
    fn next_stream(&mut self) -> Result<Option<Opening>, Error> {
        self.is_first_left = false;
        while let Some(opening) = self.streams.next_stream()? {
            if let Some(opening) = self.find_first(&opening)? {
                return Ok(Some(opening));
            }
        }
        Ok(None)
    }

    fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        if std::mem::take(&mut self.is_first_left) {
            let First { seq, position, recorded, fingerprint, kind, chain, ref stored } =
                self.first;
            let kind = kind.unwrap_or(Kind::Event);
            return Ok(Some(Row { seq, position, recorded, fingerprint, kind, chain, stored }));
        }
        let row = self.streams.next_row()?;
        Ok(row.filter(|row| row.position <= self.range.last))
    }

    /// They are taken from the rows.
    fn next_id(&mut self) -> Result<Option<Id>, Error> {
        Ok(None)
    }
}
