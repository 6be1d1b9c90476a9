//! What readers see of the streams that are in use: their heads, the recent events, and who watches.
//!
//! Only the writer changes it, and only with what is durable. A stream is here for as long as some
//! of its events are among the recent ones, which are bounded in bytes over all streams; the oldest
//! leave first. Of all others the medium knows the head.

mod arrivals;

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use matchwire_domain::{
    envelope::Recorded,
    subject::{Kind, Subject},
    timestamp::Timestamp,
};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use self::arrivals::Arrivals;
pub(crate) use self::arrivals::Stretch;
use crate::{
    append::Entry,
    changes::Changes,
    medium::{Head, Record, Tail},
};

/// What an entry costs in memory beside its stored bytes.
const ENTRY_BYTES: usize = 200;
/// Watchers that nobody listens to any more are looked for when there are at least so many.
const SWEEP_WATCHERS: usize = 64;

/// Consecutive records of one group that came in together.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) subject: Subject,
    pub(crate) received: Instant,
    pub(crate) events: usize,
}

pub(crate) struct Streams {
    state: RwLock<State>,
    watchers: Mutex<Watchers>,
    /// Those who are told of every map that has new events.
    followers: Mutex<Vec<Weak<Changes>>>,
    /// The last group that can be read.
    tip: watch::Sender<u64>,
    /// The last group in which anything was told beside the play of maps.
    beside_play: AtomicU64,
}

struct State {
    streams: foldhash::HashMap<Subject, Stream>,
    /// The recent events in the order in which they came.
    recent: Arrivals,
    recent_bytes: usize,
    limit_bytes: usize,
}

#[derive(Default)]
struct Stream {
    head: Option<Head>,
    /// The last events, without a gap up to the head; at least one.
    recent: VecDeque<Entry>,
}

struct Watchers {
    heads: HashMap<Subject, watch::Sender<u64>>,
    sweep_at: usize,
}

impl Streams {
    /// Of a log that ends there, with room for so many bytes of recent events.
    pub(crate) fn new(tail: Tail, limit_bytes: usize) -> Self {
        let state = State {
            streams: foldhash::HashMap::default(),
            recent: Arrivals::behind(tail),
            recent_bytes: 0,
            limit_bytes,
        };
        let watchers = Watchers { heads: HashMap::new(), sweep_at: SWEEP_WATCHERS };
        Self {
            state: RwLock::new(state),
            watchers: Mutex::new(watchers),
            followers: Mutex::default(),
            tip: watch::Sender::new(tail.position - 1),
            beside_play: AtomicU64::new(tail.position - 1),
        }
    }

    /// The head of a stream that is in use; of another one nothing.
    pub(crate) fn head(&self, subject: &Subject) -> Option<Head> {
        self.state.read().streams.get(subject)?.head
    }

    /// Events after a seq, if the next one is among the recent ones, or the stream is known to have
    /// none.
    pub(crate) fn recent(
        &self,
        subject: &Subject,
        after: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Option<Vec<Entry>> {
        let state = self.state.read();
        let stream = state.streams.get(subject)?;
        if stream.head.is_none_or(|head| after >= head.seq) {
            return Some(Vec::new());
        }
        let first = stream.recent.front()?.recorded.seq;
        let skip = usize::try_from((after + 1).checked_sub(first)?).ok()?;
        let mut bytes = 0;
        let fits = |entry: &&Entry| {
            let more = bytes < limit_bytes;
            bytes += entry.recorded.stored.len();
            more
        };
        Some(stream.recent.iter().skip(skip).take(limit).take_while(fits).cloned().collect())
    }

    /// Takes over what has become durable, drops the oldest of the recent events until they are within
    /// the limit, then tells the watchers.
    pub(crate) fn publish(
        &self,
        position: u64,
        records: &[Record],
        runs: &[Run],
        durable: Instant,
    ) {
        let heads = {
            let mut state = self.state.write();
            let heads = state.extend(position, records, runs, durable);
            state.forget();
            // Under the lock: whoever reads what is new knows of this, too.
            if runs.iter().any(|run| !matches!(run.subject.kind(), Kind::MatchMap(..))) {
                self.beside_play.store(position, Ordering::Release);
            }
            heads
        };
        self.tip.send_replace(position);
        self.followers.lock().retain(|changes| {
            let changes = changes.upgrade();
            let noted = changes.map(|changes| changes.note(runs.iter().map(|run| &run.subject)));
            noted.is_some()
        });
        let watchers = self.watchers.lock();
        if watchers.heads.is_empty() {
            return;
        }
        for (run, seq) in runs.iter().zip(heads) {
            if let Some(head) = watchers.heads.get(&run.subject) {
                head.send_if_modified(|known| {
                    let is_new = *known < seq;
                    *known = seq.max(*known);
                    is_new
                });
            }
        }
    }

    /// The last group that can be read, as it grows.
    pub(crate) fn tip(&self) -> &watch::Sender<u64> {
        &self.tip
    }

    /// The last group in which anything was told beside the play of maps: of a match as a whole, of a tournament, of a
    /// player.
    pub(crate) fn beside_play(&self) -> u64 {
        self.beside_play.load(Ordering::Acquire)
    }

    /// The last group of those recorded by a time that is known to be one of them; nothing if all that
    /// are known were recorded later.
    pub(crate) fn recorded_by(&self, time: Timestamp) -> Option<u64> {
        self.state.read().recent.recorded_by(time)
    }

    /// When the first group behind one was recorded, or one soon after it; nothing if there is none.
    pub(crate) fn recorded_after(&self, position: u64) -> Option<Timestamp> {
        self.state.read().recent.recorded_after(position)
    }

    /// Which streams of those that are wanted have events in the groups after one, up to another, in
    /// order of subject; nothing if not all of those are among the recent ones.
    pub(crate) fn arrived(
        &self,
        after: u64,
        through: u64,
        is_wanted: impl Fn(&Subject) -> bool,
    ) -> Option<Vec<Stretch>> {
        self.state.read().recent.between(after, through, is_wanted)
    }

    /// How many events came in groups after one; nothing if not all of those are among the recent ones.
    pub(crate) fn count_after(&self, position: u64) -> Option<u64> {
        self.state.read().recent.count_after(position)
    }

    /// Notes the maps that have new events, from now on.
    pub(crate) fn changes(&self) -> Arc<Changes> {
        let changes = Arc::new(Changes::default());
        self.followers.lock().push(Arc::downgrade(&changes));
        changes
    }

    /// The head of a stream, as it grows. `known` gives the head now; it is asked under the lock of
    /// the watchers, so that no head is published in between unseen.
    pub(crate) fn watch(
        &self,
        subject: &Subject,
        known: impl FnOnce() -> u64,
    ) -> watch::Receiver<u64> {
        let mut watchers = self.watchers.lock();
        if let Some(head) = watchers.heads.get(subject) {
            return head.subscribe();
        }
        if watchers.heads.len() >= watchers.sweep_at {
            watchers.heads.retain(|_, head| head.receiver_count() > 0);
            watchers.sweep_at = SWEEP_WATCHERS.max(2 * watchers.heads.len());
        }
        let head = watchers.heads.entry(subject.clone()).or_insert(watch::Sender::new(known()));
        head.subscribe()
    }

    /// How many streams are watched, as far as known.
    #[cfg(test)]
    pub(crate) fn watched(&self) -> usize {
        self.watchers.lock().heads.len()
    }
}

impl State {
    /// Adds what is durable, and gives the head after each run.
    fn extend(
        &mut self,
        position: u64,
        records: &[Record],
        runs: &[Run],
        durable: Instant,
    ) -> Vec<u64> {
        if let Some(recorded) = records.iter().map(|record| record.recorded.recorded).max() {
            self.recent.begin(position, recorded);
        }
        let mut records = records.iter();
        let mut heads = Vec::with_capacity(runs.len());
        for run in runs {
            let stream = self.streams.entry(run.subject.clone()).or_default();
            for Record { recorded, seals, .. } in records.by_ref().take(run.events) {
                let Recorded { seq, chain, .. } = *recorded;
                let follows = stream.head.is_none_or(|head| seq == head.seq + 1);
                assert!(follows, "seqs of a stream are without a gap");
                stream.head = Some(Head { seq, chain, is_sealed: *seals });
                self.recent_bytes += recorded.stored.len() + ENTRY_BYTES;
                let (received, durable) = (Some(run.received), Some(durable));
                stream.recent.push_back(Entry { recorded: recorded.clone(), received, durable });
            }
            let head = stream.head.map_or(0, |head| head.seq);
            heads.push(head);
            self.recent.push(&run.subject, head, run.events);
        }
        heads
    }

    fn forget(&mut self) {
        while self.recent_bytes > self.limit_bytes {
            let Some((subject, events)) = self.recent.oldest() else { return };
            let Some(stream) = self.streams.get_mut(subject) else { return };
            while *events > 0 && self.recent_bytes > self.limit_bytes {
                let Some(entry) = stream.recent.pop_front() else { return };
                self.recent_bytes -= entry.recorded.stored.len() + ENTRY_BYTES;
                *events -= 1;
            }
            if stream.recent.is_empty() {
                self.streams.remove(subject);
            }
        }
    }
}
