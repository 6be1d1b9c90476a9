//! Everything that was written before the open segment, in order of position: sealed files, segments
//! that wait to be sealed, and holes where something is missing.
//!
//! A stream may have records in several parts. They are looked for from the newest part to the
//! oldest, so that the head of a stream in use is found at once. What is not found in spite of a hole
//! on the way may have been there: that is an error, unless the loss was accepted.

use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};

use matchwire_domain::{chain::Digest, envelope::Recorded, subject::Subject};
use matchwire_log::{
    Error,
    medium::{Floor, Head, Hit, Hits},
};

use crate::{
    sealed::{Entry, Sealed},
    segment::Segment,
};

/// One part of the history.
#[derive(Clone)]
pub(crate) enum Part {
    Sealed(Arc<Sealed>),
    Segment(Arc<Segment>),
    Hole(Arc<Hole>),
}

/// Positions whose groups cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// The first position that is missing.
    pub first: u64,
    /// The last position that is missing.
    pub last: u64,
    /// The file in which they should be.
    pub file: String,
    /// Where in the file.
    pub offset: u64,
    /// What is wrong there.
    pub what: String,
    /// Whether the loss was accepted, so that streams go on behind it.
    pub is_accepted: bool,
}

/// What a part has of a stream.
pub(crate) struct Found {
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    chain: Digest,
    is_sealed: bool,
    entry: Option<Entry>,
}

impl Hole {
    pub(crate) fn error(&self) -> Error {
        let Self { first, last, file, offset, what, .. } = self;
        let what = format!("{what}; the groups {first} to {last} are missing");
        Error::Corrupt { file: file.clone(), offset: *offset, what }
    }
}

impl Part {
    /// Whether streams may have lost something here of which nothing is known.
    pub(crate) fn has_loss(&self) -> bool {
        match self {
            Self::Sealed(sealed) => sealed.is_lossy(),
            Self::Segment(_) => false,
            Self::Hole(_) => true,
        }
    }

    /// The first and the last position that it covers.
    pub(crate) fn range(&self) -> (u64, u64) {
        match self {
            Self::Sealed(sealed) => (sealed.range().first, sealed.range().last),
            Self::Segment(segment) => (segment.first, segment.next - 1),
            Self::Hole(hole) => (hole.first, hole.last),
        }
    }

    pub(crate) fn find(&self, subject: &str) -> Result<Option<Found>, Error> {
        match self {
            Self::Sealed(sealed) => Ok(sealed.entry(subject)?.map(|entry| Found {
                first_seq: entry.first_seq,
                last_seq: entry.last_seq,
                chain: entry.chain,
                is_sealed: entry.is_closed,
                entry: Some(entry),
            })),
            Self::Segment(segment) => Ok(segment.index.stream(subject).map(|stream| Found {
                first_seq: stream.first_seq,
                last_seq: stream.last_seq(),
                chain: stream.chain,
                is_sealed: stream.is_sealed,
                entry: None,
            })),
            Self::Hole(hole) if hole.is_accepted => Ok(None),
            Self::Hole(hole) => Err(hole.error()),
        }
    }

    /// Records from a seq on that the part has.
    pub(crate) fn read(
        &self,
        subject: &Subject,
        found: &Found,
        seq: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error> {
        match (self, &found.entry) {
            (Self::Sealed(sealed), Some(entry)) => {
                sealed.read(subject, entry, seq - 1, limit, limit_bytes)
            }
            (Self::Segment(segment), _) => segment.read(subject, seq, limit, limit_bytes),
            _ => Ok(Vec::new()),
        }
    }

    fn lookup(
        &self,
        subject: &str,
        found: &Found,
        fingerprints: &[u64],
        hits: &mut Vec<Hit>,
    ) -> Result<(), Error> {
        let mut hit = |index, seq, check| hits.push(Hit { index, seq, check });
        match (self, &found.entry) {
            (Self::Sealed(sealed), Some(entry)) => {
                sealed.lookup(subject, entry, fingerprints, &mut hit)
            }
            (Self::Segment(segment), _) => {
                for (index, fingerprint) in fingerprints.iter().enumerate() {
                    segment.index.lookup(subject, *fingerprint, |seq| hit(index, seq, None));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Calls `visit` with every stream that it has, and the first seq of each here.
    pub(crate) fn streams(
        &self,
        visit: &mut dyn FnMut(&Subject, u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match self {
            Self::Sealed(sealed) => {
                let mut entries = sealed.entries();
                while let Some((subject, entry)) = entries.next()? {
                    visit(&subject, entry.first_seq)?;
                }
            }
            Self::Segment(segment) => {
                for subject in segment.index.subjects() {
                    let stream = segment.index.stream(subject.as_str());
                    visit(subject, stream.map_or(1, |stream| stream.first_seq))?;
                }
            }
            Self::Hole(_) => {}
        }
        Ok(())
    }

    fn subjects(
        &self,
        prefix: &str,
        after: Option<&str>,
        positions: &RangeInclusive<u64>,
        limit: usize,
    ) -> Result<Vec<Subject>, Error> {
        match self {
            // All of the file's: where the records of a stream are, its blocks alone know.
            Self::Sealed(sealed) => sealed.subjects(prefix, after, limit),
            Self::Segment(segment) => Ok(segment.subjects(prefix, after, positions, limit)),
            Self::Hole(_) => Ok(Vec::new()),
        }
    }

    /// The `seq` that a stream had reached before the group at a position, as far as the part has it.
    fn seq_before(&self, subject: &Subject, found: &Found, position: u64) -> Result<u64, Error> {
        let (first, last) = self.range();
        if position <= first {
            return Ok(found.first_seq - 1);
        }
        if last < position {
            return Ok(found.last_seq);
        }
        match (self, &found.entry) {
            (Self::Sealed(sealed), Some(entry)) => sealed.seq_before(subject, entry, position),
            (Self::Segment(segment), _) => {
                let stream = segment.index.stream(subject.as_str());
                Ok(stream.map_or(0, |stream| segment.seq_before(stream, position)))
            }
            _ => Ok(0),
        }
    }
}

/// What is missing in these parts, accepted losses included.
pub(crate) fn holes(parts: &[Part]) -> Vec<Hole> {
    let hole = |part: &Part| match part {
        Part::Hole(hole) => Some(Hole::clone(hole)),
        _ => None,
    };
    parts.iter().filter_map(hole).collect()
}

/// The last record of a stream in these parts.
pub(crate) fn head(parts: &[Part], subject: &str) -> Result<Option<Head>, Error> {
    for part in parts.iter().rev() {
        if let Some(Found { last_seq, chain, is_sealed, .. }) = part.find(subject)? {
            return Ok(Some(Head { seq: last_seq, chain, is_sealed }));
        }
    }
    Ok(None)
}

/// The chain of the record before a seq of a stream, which must be the last one in these parts;
/// nothing if what comes before it is missing.
pub(crate) fn chain_before(
    parts: &[Part],
    subject: &str,
    seq: u64,
) -> Result<Option<Digest>, Error> {
    let mut is_past_loss = false;
    for part in parts.iter().rev() {
        if matches!(part, Part::Hole(_)) {
            return Ok(None);
        }
        is_past_loss |= part.has_loss();
        match part.find(subject)? {
            Some(found) if found.last_seq + 1 == seq => return Ok(Some(found.chain)),
            Some(_) => break,
            None => {}
        }
    }
    let what = format!("{subject} has seq {seq}, and not what comes before it");
    let error = Error::Corrupt { file: crate::identity::NAME.into(), offset: 0, what };
    if is_past_loss { Ok(None) } else { Err(error) }
}

/// The last event of a stream that was trimmed in these parts, if any was.
pub(crate) fn floor(parts: &[Part], subject: &str) -> Result<Option<Floor>, Error> {
    for part in parts.iter().rev() {
        let Part::Sealed(sealed) = part else { continue };
        if let Some(entry) = sealed.entry(subject)?
            && let Some(floor) = sealed.floor(subject, &entry)?
        {
            return Ok(Some(floor));
        }
    }
    Ok(None)
}

/// The part that has a seq of a stream. `newer` is the first seq that a later part has, if any.
///
/// Where the seq was lost, and the loss was accepted, it is the next one that is there: the answer
/// says which. Nothing if that is in the later part, or the stream ends before.
pub(crate) fn find<'a>(
    parts: &'a [Part],
    subject: &str,
    seq: u64,
    newer: Option<u64>,
) -> Result<Option<(&'a Part, Found, u64)>, Error> {
    let mut newer: Option<(Option<(&Part, Found)>, u64)> = newer.map(|seq| (None, seq));
    let (mut is_past_loss, mut hole) = (false, None);
    for part in parts.iter().rev() {
        match part {
            Part::Hole(missing) if !missing.is_accepted => hole = hole.or(Some(missing)),
            part => is_past_loss |= part.has_loss(),
        }
        if matches!(part, Part::Hole(_)) {
            continue;
        }
        let Some(found) = part.find(subject)? else { continue };
        if seq < found.first_seq {
            let first_seq = found.first_seq;
            newer = Some((Some((part, found)), first_seq));
            continue;
        }
        if seq <= found.last_seq {
            return Ok(Some((part, found, seq)));
        }
        break;
    }
    if let Some(hole) = hole {
        return Err(hole.error());
    }
    match newer {
        Some((_, first_seq)) if !is_past_loss => {
            let what =
                format!("{subject} has seq {first_seq}, and nothing before it from {seq} on");
            Err(Error::Corrupt { file: crate::identity::NAME.into(), offset: 0, what })
        }
        Some((Some((part, found)), first_seq)) => Ok(Some((part, found, first_seq))),
        _ => Ok(None),
    }
}

/// Where fingerprints occur in a stream, beside what is `found` already. `newer` is the first seq that
/// a later part has, if any.
pub(crate) fn lookup(
    parts: &[Part],
    subject: &str,
    mut newer: Option<u64>,
    fingerprints: &[u64],
    mut found: Vec<Hit>,
) -> Result<Hits, Error> {
    let (mut hole, mut hidden) = (None, None);
    for part in parts.iter().rev() {
        if let Part::Hole(missing) = part {
            hole = hole.or((!missing.is_accepted).then_some(missing));
            continue;
        }
        let Some(here) = part.find(subject)? else { continue };
        let hides = newer.is_none_or(|newer| newer > here.last_seq + 1);
        hidden = hidden.or(hole.take().filter(|_| hides));
        part.lookup(subject, &here, fingerprints, &mut found)?;
        newer = Some(here.first_seq);
        if here.first_seq == 1 {
            break;
        }
    }
    let hidden = hidden.or(hole.filter(|_| newer != Some(1)));
    Ok(Hits { found, hidden: hidden.map(|hole| hole.error()) })
}

/// The `seq` that a stream had reached before the group at a position, by these parts. As a stream has
/// no gaps, what a later part begins with says it, too: `later` is the first seq that one has behind
/// these, if any.
pub(crate) fn seq_before(
    parts: &[Part],
    subject: &Subject,
    position: u64,
    mut later: Option<u64>,
) -> Result<u64, Error> {
    for part in parts.iter().rev() {
        let (first, last) = part.range();
        if let (Some(first_seq), true) = (later, last < position) {
            return Ok(first_seq - 1);
        }
        let is_later = position <= first;
        match part {
            Part::Hole(_) if is_later => {}
            part => match part.find(subject.as_str())? {
                Some(found) if is_later => later = Some(found.first_seq),
                Some(found) => return part.seq_before(subject, &found, position),
                None => {}
            },
        }
    }
    Ok(later.map_or(0, |first_seq| first_seq - 1))
}

/// Subjects with a prefix at these positions of these parts, and those of `others`, in order and each
/// once.
pub(crate) fn subjects<'a>(
    parts: impl Iterator<Item = &'a Part>,
    others: Vec<Subject>,
    prefix: &str,
    after: Option<&str>,
    positions: &RangeInclusive<u64>,
    limit: usize,
) -> Result<Vec<Subject>, Error> {
    let name = |subject: Subject| (subject.as_str().to_owned(), subject);
    let mut all: BTreeMap<String, Subject> = others.into_iter().map(name).collect();
    for part in parts {
        all.extend(part.subjects(prefix, after, positions, limit)?.into_iter().map(name));
    }
    Ok(all.into_values().take(limit).collect())
}
