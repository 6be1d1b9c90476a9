//! What the log must hold and say: the sequencer once more, as simply as can be.

use std::{collections::BTreeMap, sync::Arc};

use matchwire_domain::{chain::Digest, envelope::Recorded, timestamp::Timestamp};
use matchwire_log::{Outcome, Refused, medium::Floor};

use super::supply::{Fact, Tried};

/// What was acknowledged, or seen by a reader, which is as good; and what may have been stored.
pub(super) struct Model {
    streams: Vec<Stream>,
    /// Groups of which nobody knows whether they are stored. At most one of them is.
    maybe: Vec<Staged>,
    /// Whether events may be in an archive.
    archives: bool,
}

#[derive(Default)]
struct Stream {
    events: Vec<Known>,
    ids: BTreeMap<Key, u64>,
    /// Up to which seq it is trimmed, as far as somebody was told.
    floor: u64,
    /// What was recorded before may be trimmed.
    horizon_ms: Option<i64>,
}

/// The end of a stream.
#[derive(Debug, Clone, Copy, Default)]
struct Head {
    seq: u64,
    is_sealed: bool,
}

/// Source and id.
type Key = (Arc<str>, Arc<str>);

/// An event of the log.
pub(super) struct Known {
    pub(super) fact: Fact,
    /// Nothing until somebody was told.
    pub(super) chain: Option<Digest>,
    recorded: Option<Timestamp>,
}

/// What must become of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) seq: u64,
    pub(super) leaf: Digest,
    pub(super) is_new: bool,
    pub(super) differs: bool,
}

/// What a group does: the events that it adds, in order, and the results of each call.
#[derive(Default)]
pub(super) struct Staged {
    pub(super) added: Vec<(usize, Fact)>,
    pub(super) results: Vec<Vec<Result<Vec<Expected>, Refused>>>,
}

impl Model {
    pub(super) fn new(streams: usize, archives: bool) -> Self {
        let streams = (0..streams).map(|_| Stream::default()).collect();
        Self { streams, maybe: Vec::new(), archives }
    }

    /// The last seq of a stream.
    pub(super) fn head(&self, stream: usize) -> u64 {
        self.events(stream).len() as u64
    }

    /// The events of a stream from seq 1 on.
    pub(super) fn events(&self, stream: usize) -> &[Known] {
        self.streams.get(stream).map_or(&[], |stream| &stream.events)
    }

    /// All events.
    pub(super) fn total(&self) -> u64 {
        self.streams.iter().map(|stream| stream.events.len() as u64).sum()
    }

    /// What a group of these calls does.
    pub(super) fn stage<'a>(&self, calls: impl IntoIterator<Item = &'a Vec<Tried>>) -> Staged {
        let mut staged = Staged::default();
        let mut heads: Vec<Head> = self.streams.iter().map(Stream::head).collect();
        let mut new: BTreeMap<(usize, Key), Expected> = BTreeMap::new();
        for call in calls {
            let results = call
                .iter()
                .map(|tried| self.stage_append(tried, &mut heads, &mut new, &mut staged.added));
            let results = results.collect();
            staged.results.push(results);
        }
        staged
    }

    fn stage_append(
        &self,
        tried: &Tried,
        heads: &mut [Head],
        new: &mut BTreeMap<(usize, Key), Expected>,
        added: &mut Vec<(usize, Fact)>,
    ) -> Result<Vec<Expected>, Refused> {
        let stream = tried.stream;
        let mut none = Head::default();
        let head = heads.get_mut(stream).unwrap_or(&mut none);
        let is_known = |fact: &Fact| {
            self.find(stream, fact).is_some() || new.contains_key(&(stream, key(fact)))
        };
        if !tried.facts.iter().all(is_known) {
            head.check(tried)?;
        }
        let stage = |fact: &Fact| {
            let durable = self.find(stream, fact);
            if let Some(first) = durable.or_else(|| new.get(&(stream, key(fact))).copied()) {
                let differs = first.leaf != fact.leaf;
                return Expected { is_new: false, differs, ..first };
            }
            *head = Head { seq: head.seq + 1, is_sealed: fact.event.seals };
            let first = Expected { seq: head.seq, leaf: fact.leaf, is_new: true, differs: false };
            new.insert((stream, key(fact)), first);
            added.push((stream, fact.clone()));
            first
        };
        Ok(tried.facts.iter().map(stage).collect())
    }

    /// The event with the identity of another.
    pub(super) fn find(&self, stream: usize, fact: &Fact) -> Option<Expected> {
        let stream = self.streams.get(stream)?;
        let seq = *stream.ids.get(&key(fact))?;
        let known = stream.events.get(usize::try_from(seq).ok()?.checked_sub(1)?)?;
        Some(Expected { seq, leaf: known.fact.leaf, is_new: false, differs: false })
    }

    /// A group is stored, for certain.
    pub(super) fn commit(&mut self, added: Vec<(usize, Fact)>) {
        if !added.is_empty() {
            self.maybe.clear();
        }
        for (stream, fact) in added {
            if let Some(stream) = self.streams.get_mut(stream) {
                stream.ids.insert(key(&fact), stream.events.len() as u64 + 1);
                stream.events.push(Known { fact, chain: None, recorded: None });
            }
        }
    }

    /// A group may be stored, which only the next opening shows.
    pub(super) fn doubt(&mut self, staged: Staged) {
        if !staged.added.is_empty() {
            self.maybe.push(staged);
        }
    }

    /// Compares what an append got with what it must get. The group is committed already.
    pub(super) fn check(
        &mut self,
        stream: usize,
        expected: &Result<Vec<Expected>, Refused>,
        got: &Result<Vec<Outcome>, Refused>,
    ) -> Result<(), String> {
        let (expected, got) = match (expected, got) {
            (Ok(expected), Ok(got)) if expected.len() == got.len() => (expected, got),
            (Err(expected), Err(got)) if expected == got => return Ok(()),
            _ => return Err(format!("{got:?} where {expected:?} belongs")),
        };
        for (expected, outcome) in expected.iter().zip(got) {
            let (got, chain) = match *outcome {
                Outcome::Known { seq } if !expected.is_new && seq == expected.seq => {
                    self.check_absent(stream, seq)?;
                    continue;
                }
                Outcome::Known { seq } => {
                    return Err(format!("seq {seq} is known where {expected:?} belongs"));
                }
                Outcome::Appended { seq, leaf, chain } => {
                    (Expected { seq, leaf, is_new: true, differs: false }, chain)
                }
                Outcome::Duplicate { seq, leaf, chain, differs } => {
                    (Expected { seq, leaf, is_new: false, differs }, chain)
                }
            };
            if got != *expected {
                return Err(format!("{got:?} where {expected:?} belongs"));
            }
            self.chain(stream, got.seq, chain)?;
        }
        Ok(())
    }

    /// Compares an event that was read with the one that must be there.
    pub(super) fn check_read(&mut self, stream: usize, recorded: &Recorded) -> Result<(), String> {
        let seq = recorded.seq;
        let index = usize::try_from(seq).unwrap_or_default().wrapping_sub(1);
        let Some(known) = self.events(stream).get(index) else {
            return Err(format!("an event with seq {seq} that nobody has stored"));
        };
        if recorded.stored != known.fact.event.stored || recorded.leaf != known.fact.leaf {
            return Err(format!("other bytes with seq {seq} than were stored"));
        }
        self.chain(stream, seq, recorded.chain)?;
        let known = self.streams.get_mut(stream).and_then(|stream| stream.events.get_mut(index));
        let before = known.and_then(|known| known.recorded.replace(recorded.recorded));
        if before.is_some_and(|before| before != recorded.recorded) {
            return Err(format!("seq {seq} was recorded at {before:?}, and then at another time"));
        }
        Ok(())
    }

    /// What a stream has recorded before a time may be trimmed from now on.
    pub(super) fn may_trim(&mut self, stream: usize, before_ms: i64) {
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.horizon_ms = stream.horizon_ms.max(Some(before_ms));
        }
    }

    /// A stream is trimmed up to a floor: that must be right, and all of it past its age.
    pub(super) fn trimmed(
        &mut self,
        stream: usize,
        floor: Floor,
        is_damaged: bool,
    ) -> Result<(), String> {
        let Floor { seq, chain } = floor;
        self.check_absent(stream, seq)?;
        self.chain(stream, seq, chain)?;
        let Some(stream) = self.streams.get_mut(stream) else { return Ok(()) };
        let horizon = stream.horizon_ms.map(Timestamp::from_ms);
        let young = stream.events.iter().zip(1..=seq).find(|(known, _)| {
            known.recorded.is_some_and(|recorded| horizon.is_none_or(|horizon| recorded >= horizon))
        });
        if let Some((known, young)) = young {
            let recorded = known.recorded;
            return Err(format!("seq {young} of {recorded:?} is trimmed, as of {horizon:?}"));
        }
        // Damage may hide the part that has more of it.
        if seq < stream.floor && !is_damaged {
            return Err(format!("it is trimmed to {seq}, and was to {}", stream.floor));
        }
        stream.floor = stream.floor.max(seq);
        Ok(())
    }

    /// The event of a seq may be trimmed, or away.
    fn check_absent(&self, stream: usize, seq: u64) -> Result<(), String> {
        let known = self.streams.get(stream);
        let may = known.is_some_and(|stream| stream.horizon_ms.is_some() || self.archives);
        if seq > 0 && seq <= self.head(stream) && may {
            return Ok(());
        }
        Err(format!("seq {seq} is not there, and nothing was to be removed"))
    }

    /// Nothing that was recorded before a time is there any more.
    pub(super) fn is_kept(&self, stream: usize, due_ms: i64) -> Result<(), String> {
        let Some(stream) = self.streams.get(stream) else { return Ok(()) };
        let due = Timestamp::from_ms(due_ms);
        let kept = stream.events.iter().zip(1..).skip(usize::try_from(stream.floor).unwrap_or(0));
        let mut old = kept.filter(|(known, _)| known.recorded.is_some_and(|at| at < due));
        match old.next() {
            Some((_, seq)) => Err(format!("seq {seq} is still there, and was to go at {due}")),
            None => Ok(()),
        }
    }

    /// The chain at a seq, which is the same whoever is told.
    fn chain(&mut self, stream: usize, seq: u64, chain: Digest) -> Result<(), String> {
        let index = usize::try_from(seq).unwrap_or_default().wrapping_sub(1);
        let events = self.streams.get_mut(stream).map(|stream| &mut stream.events);
        let Some(known) = events.and_then(|events| events.get_mut(index)) else {
            return Err(format!("seq {seq}, which there is not"));
        };
        match known.chain.replace(chain) {
            Some(before) if before != chain => {
                Err(format!("the chain {chain} at seq {seq}, where it was {before}"))
            }
            _ => Ok(()),
        }
    }

    /// Takes in what an opened log has beyond what was known, by stream: nothing, or one of the
    /// groups that may be stored, as a whole.
    pub(super) fn resolve(&mut self, beyond: &[Vec<Recorded>]) -> Result<bool, String> {
        let maybe = std::mem::take(&mut self.maybe);
        if beyond.iter().all(Vec::is_empty) {
            return Ok(false);
        }
        let is_it = |staged: &Staged| {
            beyond.iter().enumerate().all(|(stream, found)| {
                let added = staged.added.iter().filter(|(other, _)| *other == stream);
                added.map(|(_, fact)| &fact.event.stored).eq(found.iter().map(|r| &r.stored))
            })
        };
        if let Some(staged) = maybe.into_iter().find(is_it) {
            self.commit(staged.added);
            return Ok(true);
        }
        let counts: Vec<usize> = beyond.iter().map(Vec::len).collect();
        Err(format!(
            "there are more events than were acknowledged, {counts:?} by stream, and they are not \
             one group that may be there"
        ))
    }
}

impl Stream {
    fn head(&self) -> Head {
        let is_sealed = self.events.last().is_some_and(|known| known.fact.event.seals);
        Head { seq: self.events.len() as u64, is_sealed }
    }
}

impl Head {
    /// Whether a stream takes an append that has something new.
    fn check(self, tried: &Tried) -> Result<(), Refused> {
        let Self { seq, is_sealed } = self;
        if is_sealed {
            return Err(Refused::Sealed { seq });
        }
        if let Some(expected) = tried.expected_seq.filter(|expected| *expected != seq) {
            return Err(Refused::Conflict { expected, actual: seq });
        }
        let seals_early = tried.facts.iter().rev().skip(1).any(|fact| fact.event.seals);
        if seals_early { Err(Refused::NotLast) } else { Ok(()) }
    }
}

fn key(fact: &Fact) -> Key {
    (fact.event.source.clone(), fact.event.id.clone())
}
