//! How an import stands, and what may come next.

use std::collections::BTreeMap;

use super::event::{Batched, Event, Finished, Revoking, Started, Unwound};
use crate::{subject::Subject, timestamp::Timestamp};

/// How an import stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// There is none of that name.
    #[default]
    Unknown,
    /// It takes batches.
    Open,
    /// All of it was told.
    Finished,
    /// It is being taken back.
    Revoking,
    /// It is taken back, and its name is not used again.
    Revoked,
}

impl Status {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Open => "open",
            Self::Finished => "finished",
            Self::Revoking => "revoking",
            Self::Revoked => "revoked",
        }
    }
}

/// Why something cannot come next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is nothing to go on with.
    #[error("there is no such import")]
    Unknown,
    /// It was taken back.
    #[error(
        "the import is revoked, and its name is not used again; to import the same again, give it another name"
    )]
    Revoked,
    /// It is something else.
    #[error(
        "an import of that name with other content was begun before; give this one another name"
    )]
    OtherContent,
    /// It has ended.
    #[error("the import is finished, and takes no more")]
    Finished,
    /// A batch is not where the import is, or beyond its end.
    #[error(
        "a batch of the events {0} to before {1} does not follow: the import has told {2} of {3}"
    )]
    Misplaced(u64, u64, u64, u64),
    /// Not everything was told.
    #[error("the import has told {0} of its {1} events, and is not finished")]
    Unfinished(u64, u64),
}

/// An import as of an event of its stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// What it is, once it was begun.
    pub started: Option<Started>,
    /// How it stands.
    pub status: Status,
    /// When it was begun.
    pub since: Timestamp,
    /// When something was last told of it.
    pub changed: Timestamp,
    /// How many batches were announced.
    pub batches: u64,
    /// The number of the first event of the last batch: of those before it all were told. Of those in it that is
    /// not known.
    pub sure: u64,
    /// The number after the last event that was announced.
    pub told: u64,
    /// How many events the server refused.
    pub refused: u64,
    /// Who takes it back, and why.
    pub revoking: Option<Revoking>,
    /// The `seq` of the last batch that is taken back.
    pub unwound: u64,
    /// Below which number events were counted, when they were taken back.
    pub counted: u64,
    /// How many batches are taken back.
    pub batches_unwound: u64,
    /// How many events are voided.
    pub voided: u64,
    /// How many events could not be, since their streams are sealed.
    pub kept: u64,
    seq: u64,
}

impl State {
    /// The last event that is in the state.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// How many events it has in all.
    pub fn events(&self) -> u64 {
        self.started.as_ref().map_or(0, |started| started.events)
    }

    /// Begins it; nothing is to be told if it was begun before and goes on.
    pub fn start(&self, started: Started) -> Result<Option<Event>, Refused> {
        match (self.status, &self.started) {
            (Status::Revoking | Status::Revoked, _) => Err(Refused::Revoked),
            (_, Some(own)) if own.content != started.content || own.events != started.events => {
                Err(Refused::OtherContent)
            }
            (Status::Unknown, _) => Ok(Some(Event::Started(started))),
            (Status::Open | Status::Finished, _) => Ok(None),
        }
    }

    /// Announces a batch. It may be one that was announced before, and may not leave anything out.
    pub fn batch(
        &self,
        first: u64,
        count: u64,
        streams: BTreeMap<Subject, u64>,
    ) -> Result<Event, Refused> {
        self.check_batch(first, count)?;
        Ok(Event::Batched(Batched { first, count, streams }))
    }

    /// Whether such a batch may come next.
    pub fn check_batch(&self, first: u64, count: u64) -> Result<(), Refused> {
        match self.status {
            Status::Unknown => return Err(Refused::Unknown),
            Status::Revoking | Status::Revoked => return Err(Refused::Revoked),
            Status::Finished => return Err(Refused::Finished),
            Status::Open => {}
        }
        let end = first.saturating_add(count);
        if first > self.told || end > self.events() || count == 0 {
            return Err(Refused::Misplaced(first, end, self.told, self.events()));
        }
        Ok(())
    }

    /// Ends it; nothing is to be told if it has ended.
    pub fn finish(&self, finished: Finished) -> Result<Option<Event>, Refused> {
        match self.status {
            Status::Unknown => Err(Refused::Unknown),
            Status::Revoking | Status::Revoked => Err(Refused::Revoked),
            Status::Finished => Ok(None),
            Status::Open if self.told < self.events() => {
                Err(Refused::Unfinished(self.told, self.events()))
            }
            Status::Open => Ok(Some(Event::Finished(finished))),
        }
    }

    /// Begins to take it back; nothing is to be told if that was begun.
    pub fn revoke(&self, revoking: Revoking) -> Result<Option<Event>, Refused> {
        match self.status {
            Status::Unknown => Err(Refused::Unknown),
            Status::Revoking | Status::Revoked => Ok(None),
            Status::Open | Status::Finished => Ok(Some(Event::Revoking(revoking))),
        }
    }

    /// Takes the event with a `seq` in. What does not fit changes nothing.
    pub fn apply(&mut self, seq: u64, recorded: Timestamp, event: Event) {
        match event {
            Event::Started(started) if self.status == Status::Unknown => {
                self.started = Some(started);
                self.status = Status::Open;
                self.since = recorded;
            }
            Event::Batched(batch) if self.status == Status::Open => {
                self.batches += 1;
                self.sure = batch.first;
                self.told = self.told.max(batch.first.saturating_add(batch.count));
            }
            Event::Finished(finished) if self.status == Status::Open => {
                self.status = Status::Finished;
                self.sure = self.told;
                self.refused = finished.refused;
            }
            Event::Revoking(revoking) if matches!(self.status, Status::Open | Status::Finished) => {
                self.status = Status::Revoking;
                self.revoking = Some(revoking);
            }
            Event::Unwound(Unwound { batch, until, voided, kept }) if batch > self.unwound => {
                self.unwound = batch;
                self.counted = self.counted.max(until);
                self.batches_unwound += 1;
                self.voided = self.voided.saturating_add(voided);
                self.kept = self.kept.saturating_add(kept);
            }
            Event::Revoked if self.status == Status::Revoking => self.status = Status::Revoked,
            _ => {}
        }
        self.pass(seq);
        self.changed = recorded;
    }

    /// Goes past an event that cannot be read.
    pub fn pass(&mut self, seq: u64) {
        self.seq = self.seq.max(seq);
    }
}
