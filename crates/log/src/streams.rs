//! What readers see: the head of every stream, the recent events, and who watches.
//!
//! Only the writer changes it, and only with what is durable. A stream costs some 200 bytes for as
//! long as the log is open; recent events are bounded in bytes over all streams, the oldest leave
//! first.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, HashMap, VecDeque},
    ops::Bound,
    time::Instant,
};

use matchwire_domain::{chain::Digest, subject::Subject};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::{
    append::Entry,
    medium::{Head, Record},
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
}

struct State {
    streams: BTreeMap<Key, Stream>,
    /// The recent events in the order in which they came, as stream and count.
    recent: VecDeque<(Subject, usize)>,
    recent_bytes: usize,
    limit_bytes: usize,
}

struct Stream {
    seq: u64,
    chain: Digest,
    /// The last events, without a gap up to `seq`.
    recent: VecDeque<Entry>,
}

struct Watchers {
    heads: HashMap<Subject, watch::Sender<u64>>,
    sweep_at: usize,
}

/// A subject that can be looked up by text.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key(Subject);

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        self.0.as_str()
    }
}

impl Streams {
    pub(crate) fn new(heads: Vec<Head>, limit_bytes: usize) -> Self {
        let stream = |head: Head| {
            let stream = Stream { seq: head.seq, chain: head.chain, recent: VecDeque::new() };
            (Key(head.subject), stream)
        };
        let state = State {
            streams: heads.into_iter().map(stream).collect(),
            recent: VecDeque::new(),
            recent_bytes: 0,
            limit_bytes,
        };
        let watchers = Watchers { heads: HashMap::new(), sweep_at: SWEEP_WATCHERS };
        Self { state: RwLock::new(state), watchers: Mutex::new(watchers) }
    }

    /// The last seq of a stream and its chain, if it has events.
    pub(crate) fn head(&self, subject: &Subject) -> Option<(u64, Digest)> {
        self.state.read().streams.get(subject.as_str()).map(|stream| (stream.seq, stream.chain))
    }

    /// Subjects that start with `prefix`, in order, after `after`.
    pub(crate) fn subjects(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<Subject> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let state = self.state.read();
        let all = state.streams.range::<str, _>((from, Bound::Unbounded)).map(|(key, _)| &key.0);
        all.take_while(|subject| subject.as_str().starts_with(prefix))
            .take(limit)
            .cloned()
            .collect()
    }

    /// Events after a seq, if the next one is among the recent ones or there is none.
    pub(crate) fn recent(
        &self,
        subject: &Subject,
        after: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Option<Vec<Entry>> {
        let state = self.state.read();
        let Some(stream) = state.streams.get(subject.as_str()) else { return Some(Vec::new()) };
        if after >= stream.seq {
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

    /// Takes over what has become durable, then tells the watchers.
    pub(crate) fn publish(&self, records: Vec<Record>, runs: &[Run], durable: Instant) {
        self.state.write().extend(records, runs, durable);
        let watchers = self.watchers.lock();
        if watchers.heads.is_empty() {
            return;
        }
        let state = self.state.read();
        for run in runs {
            let stream = state.streams.get(run.subject.as_str());
            if let (Some(head), Some(stream)) = (watchers.heads.get(&run.subject), stream) {
                head.send_if_modified(|seq| std::mem::replace(seq, stream.seq) != stream.seq);
            }
        }
    }

    /// The head of a stream, now and as it grows.
    pub(crate) fn watch(&self, subject: &Subject) -> watch::Receiver<u64> {
        let mut watchers = self.watchers.lock();
        if watchers.heads.len() >= watchers.sweep_at {
            watchers.heads.retain(|_, head| head.receiver_count() > 0);
            watchers.sweep_at = SWEEP_WATCHERS.max(2 * watchers.heads.len());
        }
        // Read under the lock of the watchers, so that no head is published in between unseen.
        let seq = self.head(subject).map_or(0, |(seq, _)| seq);
        let head = watchers.heads.entry(subject.clone());
        head.or_insert_with(|| watch::Sender::new(seq)).subscribe()
    }

    /// How many streams are watched, as far as known.
    #[cfg(test)]
    pub(crate) fn watched(&self) -> usize {
        self.watchers.lock().heads.len()
    }
}

impl State {
    fn extend(&mut self, records: Vec<Record>, runs: &[Run], durable: Instant) {
        let mut records = records.into_iter();
        for run in runs {
            let new = || Stream { seq: 0, chain: Digest([0; 32]), recent: VecDeque::new() };
            let stream = self.streams.entry(Key(run.subject.clone())).or_insert_with(new);
            for Record { recorded, .. } in records.by_ref().take(run.events) {
                assert!(recorded.seq == stream.seq + 1, "seqs of a stream are without a gap");
                (stream.seq, stream.chain) = (recorded.seq, recorded.chain);
                self.recent_bytes += recorded.stored.len() + ENTRY_BYTES;
                let (received, durable) = (Some(run.received), Some(durable));
                stream.recent.push_back(Entry { recorded, received, durable });
            }
            self.recent.push_back((run.subject.clone(), run.events));
        }
        self.forget();
    }

    /// Drops the oldest of the recent events until they are within the limit.
    fn forget(&mut self) {
        while self.recent_bytes > self.limit_bytes {
            let Some((subject, events)) = self.recent.front_mut() else { return };
            let Some(stream) = self.streams.get_mut(subject.as_str()) else { return };
            while *events > 0 && self.recent_bytes > self.limit_bytes {
                let Some(entry) = stream.recent.pop_front() else { return };
                self.recent_bytes -= entry.recorded.stored.len() + ENTRY_BYTES;
                *events -= 1;
            }
            if stream.recent.is_empty() {
                stream.recent = VecDeque::new();
            }
            if *events == 0 {
                self.recent.pop_front();
            }
        }
    }
}
