//! Admission under overload: which events are let through to the log when not all can be, and what
//! each source may send.
//!
//! ```text
//!  measured every 25 ms: waits in line ─► controller ─► level, 1 in N ─┐
//!  at each request: how full the log's queue is ───────────────────────┼─► verdict on each event
//!  its source's bucket of tokens ──────────────────────────────────────┘
//! ```
//!
//! What an event is worth its game says, [`Games::priority`]; how much must be given up the
//! controller says, or the log's queue itself. What a level means for whom is a table, [`gate`]. An
//! event that is refused here has not been looked into: only its id, source, subject and type were
//! read.

mod advice;
mod bucket;
mod control;
mod gate;
mod monitor;
mod policy;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use matchwire_domain::live_match::{Games, Priority};
use matchwire_log::Backlog;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

pub use self::{
    advice::Advice,
    policy::{Class, SourceLimit},
};
use self::{
    bucket::{Buckets, Standing},
    control::Decision,
};
pub(crate) use self::{
    control::{Level, MAX_SAMPLE},
    gate::{Gate, Shed, Verdict, refusal},
    monitor::watch,
};
use crate::problem::{Code, Problem};

/// How long an event may wait in line before less is let through, unless it is set otherwise. A
/// quarter of the 100 ms in which an event should be delivered, so that the rest is left for the
/// disk, the fold and the way out.
const TARGET: Duration = Duration::from_millis(25);

/// From so much of the log's queue on, in percent, low priority is sampled, then refused, and then
/// normal priority is: so that what matters finds room even in the moment before the controller
/// knows.
const FULL_PERCENT: [(usize, Level); 3] =
    [(75, Level::CriticalOnly), (50, Level::NoLow), (25, Level::Sampling)];
/// How much is kept of low priority while the queue alone says so.
const FULL_SAMPLE: f64 = 4.0;

/// What can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long an event may wait in line before less is let through.
    pub target: Duration,
    /// What sources may send; the first that covers a source counts, and others may send all that
    /// can be taken.
    pub sources: Vec<SourceLimit>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { target: TARGET, sources: Vec::new() }
    }
}

/// What is let through.
pub(crate) struct Admission {
    target: Duration,
    games: Games,
    decision: Mutex<Decision>,
    has_limits: bool,
    buckets: Mutex<Buckets>,
    /// By priority, from low to critical.
    offered: [AtomicU64; 3],
    /// Requests without anything critical are looked into few at a time while there is too much.
    lane: Semaphore,
}

impl Admission {
    pub(crate) fn new(settings: Settings, games: Games) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            target: settings.target,
            games,
            decision: Mutex::default(),
            has_limits: !settings.sources.is_empty(),
            buckets: Mutex::new(Buckets::new(settings.sources)),
            offered: [const { AtomicU64::new(0) }; 3],
            lane: Semaphore::new((threads / 2).max(1)),
        }
    }

    /// How much is given up now, and of low priority one of how many is kept.
    fn level(&self, backlog: Backlog) -> Decision {
        let decision = *self.decision.lock();
        let full = FULL_PERCENT.iter().find(|(percent, _)| backlog.percent >= *percent);
        match full {
            Some((_, level)) if *level > decision.level => {
                Decision { level: *level, sample: FULL_SAMPLE, ..decision }
            }
            _ => decision,
        }
    }

    /// The gate for the events of one request.
    pub(crate) fn gate(&self, backlog: Backlog) -> Gate<'_> {
        Gate::new(self, self.level(backlog))
    }

    /// What an event of a type is worth.
    pub(crate) fn priority(&self, kind: &str) -> Priority {
        self.games.priority(kind)
    }

    /// A turn for a request without anything critical, while there is too much: what is critical
    /// does not stand behind all of them.
    pub(crate) async fn turn(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.lane.acquire().await.ok()
    }

    /// Whether a post of a source may come in; it is taken or refused as a whole, and as if all of
    /// it were critical, since what its reader remembers must have no gaps.
    pub(crate) fn check_post(&self, source: &str) -> Result<(), Problem> {
        let now = Instant::now();
        let mut buckets = self.buckets.lock();
        let Some((number, _)) = buckets.limit(source) else { return Ok(()) };
        match buckets.standing(number, source, Priority::Critical, now) {
            Standing::Spent => {
                let advice = buckets.advice(number, source, now);
                let detail = format!("source {source:?} is far over its rate; send less");
                Err(Problem { advice, ..Problem::new(Code::RateLimited, detail) })
            }
            Standing::Within | Standing::Sampled(_) => Ok(()),
        }
    }

    /// Whether history may come in: not while anything is given up, since it can wait.
    pub(crate) fn check_history(&self, backlog: Backlog) -> Result<(), Problem> {
        let gate = self.gate(backlog);
        if self.level(backlog).level == Level::Open {
            return Ok(());
        }
        let detail = "more is sent than can be taken, and history can wait; send it again later";
        Err(Problem { advice: gate.advice(true), ..Problem::new(Code::Overloaded, detail) })
    }

    /// Counts what a post brought.
    pub(crate) fn charge_post(&self, source: &str, events: u64) {
        if let Some(offered) = self.offered.last() {
            offered.fetch_add(events, Ordering::Relaxed);
        }
        let mut buckets = self.buckets.lock();
        let Some((number, _)) = buckets.limit(source) else { return };
        #[expect(clippy::cast_precision_loss, reason = "a post has far fewer events than 2^52")]
        buckets.charge(number, source, events as f64, Instant::now());
    }

    /// How it stands, for metrics and for whoever asks.
    pub(crate) fn state(&self, backlog: Backlog) -> State {
        let Decision { level, sample, limit } = self.level(backlog);
        let sample = if level == Level::Sampling { sample } else { 1.0 };
        State { level, sample, limit, tokens: self.buckets.lock().least(Instant::now()) }
    }
}

/// How admission stands.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) level: Level,
    /// One of so many events of low priority is kept, as far as any is.
    pub(crate) sample: f64,
    pub(crate) limit: Option<f64>,
    /// What is left to the source that has the least, by pattern.
    pub(crate) tokens: Vec<(String, f64)>,
}

impl State {
    /// As it is told in `/api/v1/status`.
    pub(crate) fn to_json(&self) -> Value {
        let mut json =
            json!({"level": self.level.number(), "sample": (self.sample * 100.0).round() / 100.0});
        if let (Value::Object(json), Some(limit)) = (&mut json, self.limit) {
            json.insert("limit_events_per_second".into(), limit.round().into());
        }
        json
    }
}
