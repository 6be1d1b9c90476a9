//! When the events of a replay come: as they were recorded, faster or slower.
//!
//! The time that counts is `recordedtime`, at which whoever followed the match was told: it is the same for all streams of a
//! match, never goes back within one, and is there for every event. Of a match that was imported at once it says nothing; there
//! the events' own time can count instead, as far as they have one. The order of a stream is its own in any case.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use matchwire_domain::{
    envelope::{Attributes, Recorded},
    subject::{Kind, Subject},
    timestamp::Timestamp,
};

use super::View;
use crate::Error;

/// The most events that a replay may have, over all its streams.
pub const MAX_REPLAYED: usize = 500_000;
/// How many events are read at once.
const PAGE_EVENTS: usize = 1_000;

/// Which time of its events a replay goes by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum By {
    /// When they were recorded.
    #[default]
    Recorded,
    /// When they happened, as they say. In the order of their stream: one that does not say, or says that it was
    /// earlier, comes with the one before it.
    Time,
}

/// How fast a replay goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// By which time.
    pub by: By,
    /// How many times as fast as it was; 0 is at once.
    pub speed: f64,
    /// A pause in which nothing was recorded is no longer than this, before `speed` counts.
    pub max_gap: Option<Duration>,
}

/// Which events come in a replay, and when.
///
/// It begins with the first event of a map, if there are maps; what was told of the match before is there
/// at once. It ends with the last event that was seen when it was made.
#[derive(Debug, Default)]
pub struct Timetable {
    tracks: HashMap<Subject, Track>,
}

/// The events of a stream.
#[derive(Debug, Default)]
struct Track {
    /// By `seq - 1`, how many milliseconds after the beginning it comes. An event that was lost comes with the next one.
    offsets_ms: Vec<u32>,
}

/// A timetable that is being played.
pub(super) struct Playing {
    timetable: Timetable,
    begun_ms: i64,
    /// The latest time that was asked for: a clock that is set back holds a replay up, and takes nothing back.
    latest_ms: AtomicI64,
}

impl Timetable {
    /// The timetable of streams as they are seen now; `None` if they have more than [`MAX_REPLAYED`] events. Blocks
    /// as [`View::read`] does, and fails as it does where anything of a stream cannot be read.
    pub fn read(view: &View, subjects: &[Subject], pace: Pace) -> Result<Option<Self>, Error> {
        let mut streams = Vec::with_capacity(subjects.len());
        let mut left = MAX_REPLAYED;
        for subject in subjects {
            let Some(times) = times(view, subject, pace.by, left)? else { return Ok(None) };
            left -= times.len();
            streams.push((subject, times));
        }
        let offsets = Offsets::of(&streams, pace);
        let track = |(subject, times): (&Subject, Vec<i64>)| {
            let offsets_ms = times.into_iter().map(|time| offsets.at(time)).collect();
            (subject.clone(), Track { offsets_ms })
        };
        let streams = streams.into_iter().filter(|(_, times)| !times.is_empty());
        Ok(Some(Self { tracks: streams.map(track).collect() }))
    }

    /// The streams in it, each with its last event.
    pub fn ends(&self) -> impl Iterator<Item = (&Subject, u64)> {
        self.tracks.iter().map(|(subject, track)| (subject, track.offsets_ms.len() as u64))
    }

    /// How long after the beginning an event comes: at once for 0, and what is not in it with the last one.
    pub fn offset(&self, subject: &Subject, seq: u64) -> Duration {
        let offsets = self.tracks.get(subject).map_or(&[][..], |track| &track.offsets_ms);
        let known = usize::try_from(seq).unwrap_or(usize::MAX).min(offsets.len());
        let offset = known.checked_sub(1).and_then(|at| offsets.get(at));
        Duration::from_millis(offset.copied().unwrap_or(0).into())
    }
}

/// The time of events before the first one that says its own.
const UNKNOWN: i64 = i64::MIN;

/// When the events of a stream were, by `seq - 1`, none before the one that it follows; `None` if there are more than
/// `limit`.
fn times(view: &View, subject: &Subject, by: By, limit: usize) -> Result<Option<Vec<i64>>, Error> {
    let (mut times, mut last) = (Vec::new(), UNKNOWN);
    loop {
        let page = view.read(subject, times.len() as u64, PAGE_EVENTS)?;
        if page.is_empty() {
            return Ok(Some(times));
        }
        for entry in page {
            let seq = usize::try_from(entry.recorded.seq).unwrap_or(usize::MAX);
            if seq > limit {
                return Ok(None);
            }
            last = time_of(&entry.recorded, by).unwrap_or(last).max(last);
            times.resize(seq, last);
        }
    }
}

fn time_of(recorded: &Recorded, by: By) -> Option<i64> {
    let time = match by {
        By::Recorded => recorded.recorded,
        By::Time => {
            let attributes = Attributes::read(&recorded.stored).ok()?;
            Timestamp::parse(attributes.time.as_deref()?).ok()?
        }
    };
    Some(time.ms())
}

/// From the time at which something was recorded to the time at which it comes.
struct Offsets {
    /// The times at which something was recorded, in order, and how long after the beginning that comes.
    times: Vec<i64>,
    offsets_ms: Vec<u32>,
}

impl Offsets {
    fn of(streams: &[(&Subject, Vec<i64>)], pace: Pace) -> Self {
        let firsts = |is_map: bool| {
            let fitting = streams.iter().filter(move |(subject, _)| {
                !is_map || matches!(subject.kind(), Kind::MatchMap(..))
            });
            fitting.filter_map(|(_, times)| times.iter().find(|time| **time > UNKNOWN)).min()
        };
        let begin = firsts(true).or_else(|| firsts(false)).copied().unwrap_or(UNKNOWN + 1);
        let all = streams.iter().flat_map(|(_, times)| times.iter().copied());
        let mut times: Vec<i64> = all.filter(|time| *time >= begin).collect();
        times.sort_unstable();
        times.dedup();
        let longest =
            pace.max_gap.map_or(i64::MAX, |gap| i64::try_from(gap.as_millis()).unwrap_or(i64::MAX));
        let (mut before, mut played_ms) = (begin, 0_i64);
        let offset = |time: &i64| {
            played_ms = played_ms.saturating_add((*time - before).min(longest));
            before = *time;
            scaled(played_ms, pace.speed)
        };
        let offsets_ms = times.iter().map(offset).collect();
        Self { times, offsets_ms }
    }

    fn at(&self, time: i64) -> u32 {
        // What was recorded before the beginning is before the first one.
        let place = self.times.partition_point(|known| *known <= time);
        place.checked_sub(1).and_then(|at| self.offsets_ms.get(at)).copied().unwrap_or(0)
    }
}

/// Milliseconds at a speed, rounded up, so that nothing comes too early; more than 49 days are cut to that.
fn scaled(played_ms: i64, speed: f64) -> u32 {
    if speed <= 0.0 {
        return 0;
    }
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of our time fit")]
    let ms = (played_ms as f64 / speed).ceil().min(f64::from(u32::MAX));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is held to that range, and no time is before the beginning"
    )]
    let ms = ms as u32;
    ms
}

impl Playing {
    /// Begins now, so far into the timetable.
    pub(super) fn begin(timetable: Timetable, now: Timestamp, skipped: Duration) -> Self {
        let skipped_ms = i64::try_from(skipped.as_millis()).unwrap_or(i64::MAX);
        let begun_ms = now.ms().saturating_sub(skipped_ms);
        Self { timetable, begun_ms, latest_ms: AtomicI64::new(now.ms()) }
    }

    /// The last event of a stream whose turn has come.
    pub(super) fn seen(&self, subject: &Subject, now: Timestamp) -> u64 {
        let Some(track) = self.timetable.tracks.get(subject) else { return 0 };
        let latest_ms = self.latest_ms.fetch_max(now.ms(), Ordering::Relaxed).max(now.ms());
        let played_ms = latest_ms.saturating_sub(self.begun_ms);
        track.offsets_ms.partition_point(|offset| i64::from(*offset) <= played_ms) as u64
    }

    /// When the turn of an event comes; `None` if it is not in the timetable.
    pub(super) fn due(&self, subject: &Subject, seq: u64) -> Option<Timestamp> {
        let at = usize::try_from(seq.checked_sub(1)?).ok()?;
        let offset = self.timetable.tracks.get(subject)?.offsets_ms.get(at)?;
        Some(Timestamp::from_ms(self.begun_ms.saturating_add(i64::from(*offset))))
    }
}
