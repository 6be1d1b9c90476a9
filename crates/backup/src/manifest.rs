//! `log/backup.json`: what belongs to a back-up of a log.

use bytes::Bytes;
use matchwire_domain::timestamp::Timestamp;
use matchwire_embedded::{
    Identity,
    copy::{Copied, Reached, Span},
};
use serde::{Deserialize, Serialize};

use crate::Error;

/// The format of back-ups that is written; earlier ones are read.
const FORMAT: u32 = 1;
/// The name of the object that says what belongs to a back-up.
pub(crate) const NAME: &str = "backup.json";

/// What belongs to a back-up of a log, and up to where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    /// What the log is.
    pub log: Identity,
    /// When this was written.
    pub made: Timestamp,
    /// The position after the last group that it holds.
    pub next: u64,
    /// The latest recordedtime that it holds.
    pub recorded: Timestamp,
    /// The objects, in order of position.
    pub files: Vec<Entry>,
}

/// An object: a part of a file of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name in the folder of the back-up.
    pub object: String,
    /// The file that it is a part of.
    pub file: String,
    /// Which part.
    pub span: Span,
    /// Of its bytes, in hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    /// That of a back-up which holds nothing.
    pub(crate) fn new(log: Identity) -> Self {
        let none = Timestamp::default();
        Self { format: FORMAT, log, made: none, next: 1, recorded: none, files: Vec::new() }
    }

    pub(crate) fn decode(bytes: &[u8], place: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let damaged = |error: serde_json::Error| Error::Damaged {
            object: format!("log/{NAME}"),
            what: error.to_string(),
        };
        let Version { format } = serde_json::from_slice(bytes).map_err(damaged)?;
        if format > FORMAT {
            return Err(Error::Newer { place: place.into(), format, readable: FORMAT });
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }

    pub(crate) fn encode(&self) -> Bytes {
        // It has nothing that JSON cannot say.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// How many bytes its objects have.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|entry| entry.span.bytes()).sum()
    }

    pub(crate) fn reached(&self) -> Reached {
        let last = self.files.last().map(|entry| (entry.file.clone(), entry.span));
        Reached { next: self.next, last }
    }

    /// The groups that each object has for itself. A group that was moved to another file counts
    /// there.
    pub(crate) fn copied(&self) -> Vec<Copied> {
        let starts = self.files.iter().skip(1).map(|entry| entry.span.first);
        let starts = starts.chain([u64::MAX]);
        let own = |(entry, next): (&Entry, u64)| Copied {
            file_name: entry.file.clone(),
            footer: entry.span.footer,
            first: entry.span.first,
            next: entry.span.next.min(next),
        };
        self.files.iter().zip(starts).map(own).collect()
    }

    /// Adds what comes next; gives the objects that are not needed any more by that.
    pub(crate) fn push(&mut self, entry: Entry) -> Vec<String> {
        let is_covered = |old: &Entry| {
            if old.file == entry.file {
                old.span.from >= entry.span.from
            } else {
                old.span.first >= entry.span.first
            }
        };
        let kept = self.files.iter().rposition(|old| !is_covered(old)).map_or(0, |at| at + 1);
        let gone = self.files.split_off(kept.min(self.files.len()));
        self.next = self.next.max(entry.span.next);
        self.recorded = self.recorded.max(entry.span.recorded);
        self.files.push(entry);
        self.gone(gone)
    }

    /// Puts a sealed file in the place of what it covers; gives the objects that are not needed any
    /// more by that.
    pub(crate) fn replace(&mut self, entry: Entry) -> Vec<String> {
        let copied = self.copied();
        let start = copied.iter().position(|part| part.first == entry.span.first);
        let end = copied.iter().position(|part| part.next == entry.span.next);
        let (Some(start), Some(end)) = (start, end) else { return vec![entry.object] };
        let gone = self.files.splice(start..=end, [entry]).collect();
        self.gone(gone)
    }

    /// The names of entries that no other one has.
    fn gone(&self, entries: Vec<Entry>) -> Vec<String> {
        let objects = entries.into_iter().map(|entry| entry.object);
        objects.filter(|object| self.files.iter().all(|kept| kept.object != *object)).collect()
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
