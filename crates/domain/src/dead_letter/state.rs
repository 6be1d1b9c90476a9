//! Which letters are open, and whether another one may be.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{Closed, Event, Failed, Kept, Origin, Sealed};
use crate::timestamp::Timestamp;

/// How much may be open at a time.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// So many letters.
    pub letters: usize,
    /// So many bytes of bodies that are kept.
    pub bytes: u64,
}

/// A letter that waits for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The same for the same content from the same origin.
    pub name: String,
    /// Why it was refused the last time.
    pub reason: String,
    /// Where it came in.
    pub via: String,
    /// What it says of itself.
    pub origin: Origin,
    /// Where a post of a source was for: `m1/auto`, or `@server`.
    pub place: Option<String>,
    /// How often it has been tried.
    pub attempts: u32,
    /// The size of the body as it came, in bytes.
    pub body_bytes: u64,
    /// How much of the body is kept, in bytes.
    pub kept_bytes: u64,
    /// When it was kept.
    pub kept: Timestamp,
    /// The `seq` of the event that says how it was refused the last time, if it was tried again.
    pub failed: Option<u64>,
}

impl Open {
    /// Whether the end of the body is missing.
    pub fn is_cut(&self) -> bool {
        self.kept_bytes < self.body_bytes
    }
}

/// Why nothing is added to the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The same letter is open already.
    #[error("the same letter is kept already")]
    Known,
    /// There is no room for another one.
    #[error("as many dead letters are open as may be")]
    Full,
    /// No such letter is open.
    #[error("dead letter {0} is not open")]
    NotOpen(u64),
}

/// The letters that are open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    open: BTreeMap<u64, Open>,
    names: BTreeSet<String>,
    bytes: u64,
    seq: u64,
}

impl State {
    /// The state before the event after `seq`, if no letter before it is open.
    pub fn beginning_after(seq: u64) -> Self {
        Self { seq, ..Self::default() }
    }

    /// The letters that are open, by their `seq`.
    pub fn open(&self) -> &BTreeMap<u64, Open> {
        &self.open
    }

    /// How many bytes of bodies are kept.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The last event that is in the state.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Whether nothing more is kept, however small it is.
    pub fn is_full(&self, bounds: &Bounds) -> bool {
        self.open.len() >= bounds.letters || self.bytes >= bounds.bytes
    }

    /// Decides which of several letters are kept, in one append that follows the state; says from
    /// where on letters are open then.
    pub fn keep(&self, letters: Vec<Kept>, bounds: &Bounds) -> Vec<Result<Event, Refused>> {
        let oldest = self.open.keys().next().map_or(self.seq + 1, |seq| *seq);
        let (mut count, mut bytes) = (self.open.len(), self.bytes);
        let mut new: BTreeSet<String> = BTreeSet::new();
        let decide = |letter: Kept| {
            if self.names.contains(&letter.name) || new.contains(&letter.name) {
                return Err(Refused::Known);
            }
            let size = bytes.saturating_add(letter.kept_bytes);
            if count >= bounds.letters || size > bounds.bytes {
                return Err(Refused::Full);
            }
            new.insert(letter.name.clone());
            (count, bytes) = (count + 1, size);
            Ok(Event::Kept(Kept { oldest, ..letter }))
        };
        letters.into_iter().map(decide).collect()
    }

    /// The event that a letter was refused again.
    pub fn fail(&self, letter: u64, reason: String, sealed: Sealed) -> Result<Event, Refused> {
        if !self.open.contains_key(&letter) {
            return Err(Refused::NotOpen(letter));
        }
        let oldest = self.open.keys().next().map_or(self.seq + 1, |seq| *seq);
        Ok(Event::Failed(Failed { letter, reason, sealed, oldest }))
    }

    /// The event that a letter was taken.
    pub fn redrive(&self, letter: u64) -> Result<Event, Refused> {
        self.close(letter).map(Event::Redriven)
    }

    /// The event that a letter is wanted no more.
    pub fn drop(&self, letter: u64) -> Result<Event, Refused> {
        self.close(letter).map(Event::Dropped)
    }

    fn close(&self, letter: u64) -> Result<Closed, Refused> {
        if !self.open.contains_key(&letter) {
            return Err(Refused::NotOpen(letter));
        }
        let oldest = self.open.keys().find(|seq| **seq != letter);
        Ok(Closed { letter, oldest: oldest.map_or(self.seq + 1, |seq| *seq) })
    }

    /// Takes the event with a `seq` in. What is about a letter that is not open changes nothing.
    pub fn apply(&mut self, seq: u64, recorded: Timestamp, event: Event) {
        match event {
            Event::Kept(letter) => self.insert(seq, recorded, letter),
            Event::Failed(failed) => {
                if let Some(open) = self.open.get_mut(&failed.letter) {
                    open.reason = failed.reason;
                    open.attempts = open.attempts.saturating_add(1);
                    open.failed = Some(seq);
                }
            }
            Event::Redriven(closed) | Event::Dropped(closed) => {
                if let Some(open) = self.open.remove(&closed.letter) {
                    self.names.remove(&open.name);
                    self.bytes -= open.kept_bytes;
                }
            }
        }
        self.pass(seq);
    }

    /// Goes past an event that cannot be read.
    pub fn pass(&mut self, seq: u64) {
        self.seq = self.seq.max(seq);
    }

    fn insert(&mut self, seq: u64, kept: Timestamp, letter: Kept) {
        let Kept { name, reason, via, origin, place, attempts, body_bytes, .. } = letter;
        // Whatever an event says, the sum can be taken back.
        let kept_bytes = letter.kept_bytes.min(u64::from(u32::MAX));
        self.bytes += kept_bytes;
        self.names.insert(name.clone());
        let open = Open {
            name,
            reason,
            via,
            origin,
            place,
            attempts,
            body_bytes,
            kept_bytes,
            kept,
            failed: None,
        };
        if let Some(before) = self.open.insert(seq, open) {
            self.bytes -= before.kept_bytes;
        }
    }
}
