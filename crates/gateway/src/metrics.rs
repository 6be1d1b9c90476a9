//! What is measured: counters and histograms for Prometheus, and the last minute for the console.
//!
//! Labels are bounded: never a match, a player or a key.

mod admission;
mod audience;
mod imports;
mod letters;
mod log;
mod people;
mod players;
mod prediction;
mod upstreams;
mod views;

use std::{
    fmt::Debug,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use matchwire_domain::{live_match::Games, vocabulary};
use matchwire_log::{
    Committed,
    live::{EventFrame, Stage},
};
use prometheus_client::{
    encoding::text,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use serde_json::{Value, json};

pub use self::players::MeasuredPlayers;
use self::{
    admission::AdmissionMeter, audience::AudienceMeter, imports::ImportMeter, letters::LetterMeter,
    log::LogMeter, people::PeopleMeter, players::PlayersMeter, prediction::PredictionMeter,
    upstreams::UpstreamMeter, views::ViewMeter,
};
use crate::{
    app::{App, Strange},
    close::Close,
    delivery::{Kind, Out},
    prometheus,
    rolling::Rolling,
};

/// From receipt to delivery an event should take no longer than this.
const SLO: Duration = Duration::from_millis(100);
/// The stages, in the order of an event's way.
const STAGES: [&str; 5] = ["ingest", "append", "fold", "predict", "send"];

/// One label and its value.
type Label = [(&'static str, &'static str); 1];

/// What became of the events of a request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) received: u64,
    /// Queued, and acknowledged as such.
    pub(crate) accepted: u64,
    pub(crate) appended: u64,
    pub(crate) duplicate: u64,
    pub(crate) rejected: u64,
}

/// Everything that is measured. It is the log's observer and that of the live folds, too.
pub struct Meter {
    registry: Registry,
    counts: [(&'static str, Family<Label, Counter>); 5],
    stages: [(Histogram, Rolling); 5],
    e2e_by_kind: Vec<(&'static str, Histogram)>,
    e2e_all: Rolling,
    batch: Histogram,
    sync: Histogram,
    connections: Family<Label, Gauge>,
    closed: Family<Label, Counter>,
    frames: Family<Label, Counter>,
    events_sent: Counter,
    crowds: Gauge,
    conflated: Counter,
    dropped: Counter,
    slo: Counter,
    began: Gauge<f64, AtomicU64>,
    log: LogMeter,
    requests: Counter,
    pub(crate) imports: ImportMeter,
    pub(crate) letters: LetterMeter,
    pub(crate) admission: AdmissionMeter,
    prediction: PredictionMeter,
    upstreams: UpstreamMeter,
    views: ViewMeter,
    audiences: AudienceMeter,
    pub(crate) people: PeopleMeter,
    pub(crate) players: PlayersMeter,
    replays: Gauge<u64, AtomicU64>,
    lag: Family<Label, Gauge<u64, AtomicU64>>,
}

/// A connection that is open for as long as this lives.
pub(crate) struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// From 50 µs to 26 s.
fn latency() -> Histogram {
    Histogram::new(exponential_buckets(50e-6, 2.0, 20))
}

impl Meter {
    /// Everything at zero.
    pub fn new(games: &Games) -> Arc<Self> {
        let mut registry = Registry::with_prefix("matchwire");
        let counts = ["received", "accepted", "appended", "duplicate", "rejected"].map(|name| {
            let help = format!("Events {name}, by source");
            (name, add(&mut registry, &format!("events_{name}"), &help, Family::default()))
        });
        let (stages, e2e) = latencies(&mut registry);
        let tags = vocabulary::tags(games).chain(["x"]);
        let e2e_by_kind =
            tags.map(|kind| (kind, e2e.get_or_create(&[("type", kind)]).clone())).collect();
        let batch = Histogram::new(exponential_buckets(1.0, 2.0, 14));
        let batch = add(&mut registry, "append_batch_events", "Events in a group", batch);
        let sync = with_seconds(&mut registry, "append_fsync", "The sync of a group", latency());
        let help = "When the server was started";
        let began = with_seconds(&mut registry, "start_timestamp", help, Gauge::default());
        let lag = Family::default();
        let connections: Family<Label, Gauge> =
            gauge(&mut registry, "connections", "Open connections, by kind");
        for kind in ["websocket", "sse", "replay", "poll"] {
            let _ = connections.get_or_create(&[("kind", kind)]);
        }
        let help = "Events not delivered since the client was closed as too slow";
        let dropped = counter(&mut registry, "frames_dropped", help);
        Arc::new(Self {
            counts,
            stages,
            e2e_by_kind,
            e2e_all: Rolling::default(),
            batch,
            sync,
            connections,
            crowds: gauge(&mut registry, "crowds", "Topics and views that connections follow"),
            dropped,
            closed: counter(&mut registry, "connections_closed", "Closed followers, by reason"),
            frames: counter(&mut registry, "frames_sent", "Frames sent, by type"),
            events_sent: Counter::default(),
            conflated: counter(&mut registry, "frames_conflated", "States sent as a whole instead"),
            slo: counter(&mut registry, "slo_violations", "Events delivered later than 100 ms"),
            began,
            log: LogMeter::new(&mut registry),
            requests: counter(&mut registry, "http_requests", "Requests over HTTP, of every kind"),
            imports: ImportMeter::new(&mut registry),
            letters: LetterMeter::new(&mut registry),
            admission: AdmissionMeter::new(&mut registry),
            prediction: PredictionMeter::new(&mut registry),
            upstreams: UpstreamMeter::new(&mut registry),
            views: ViewMeter::new(&mut registry),
            audiences: AudienceMeter::new(&mut registry),
            people: PeopleMeter::new(&mut registry),
            players: PlayersMeter::new(&mut registry),
            replays: gauge(&mut registry, "replays", "Replays that run, over SSE and WebSocket"),
            lag: add(&mut registry, "view_lag_events", "Events that a view is behind", lag),
            registry,
        })
    }

    pub(crate) fn count(&self, source: &'static str, count: Count) {
        let Count { received, accepted, appended, duplicate, rejected } = count;
        let counts = [received, accepted, appended, duplicate, rejected];
        for ((_, family), n) in self.counts.iter().zip(counts) {
            family.get_or_create(&[("source", source)]).inc_by(n);
        }
    }

    /// Somebody asked for something over HTTP.
    pub(crate) fn requested(&self) {
        self.requests.inc();
    }

    pub(crate) fn ingest(&self, took: Duration) {
        self.stage(0, took);
    }

    pub(crate) fn append(&self, took: Duration) {
        self.stage(1, took);
    }

    /// Frames of a type were given to the operating system.
    pub(crate) fn sent(&self, kind: &'static str, count: u64) {
        self.frames.get_or_create(&[("type", kind)]).inc_by(count);
    }

    /// A batch was given to the operating system, for each of so many connections. `is_live` tells that they
    /// had what came before it, so that the time it took is worth measuring; it is that of the last of them.
    pub(crate) fn delivered(&self, batch: &[Out], connections: u64, is_live: bool) {
        if connections == 0 {
            return;
        }
        for kind in Kind::ALL {
            let count = batch.iter().filter(|out| out.kind == kind).count() as u64;
            match kind {
                Kind::Event => {
                    self.events_sent.inc_by(count * connections);
                }
                _ if count > 0 => self.sent(kind.as_str(), count * connections),
                _ => {}
            }
        }
        if is_live {
            let now = Instant::now();
            batch.iter().filter_map(|out| out.event.as_deref()).for_each(|it| self.timed(it, now));
        }
    }

    fn timed(&self, event: &EventFrame, now: Instant) {
        // Only an event that has just happened tells how long things take.
        let Some(ready) = event.ready else { return };
        self.stage(4, now.saturating_duration_since(ready));
        let Some(received) = event.received else { return };
        let took = now.saturating_duration_since(received);
        self.e2e_all.record(took);
        if let Some((_, histogram)) = self.e2e_by_kind.iter().find(|(kind, _)| *kind == event.kind)
        {
            histogram.observe(took.as_secs_f64());
        }
        if took > SLO {
            self.slo.inc();
        }
    }

    pub(crate) fn conflated(&self) {
        self.conflated.inc();
    }

    /// A peer of an audience asked for something.
    pub(crate) fn asked(&self, audience: &str) {
        self.audiences.asked(audience);
    }

    /// Events were not delivered, since their client could not keep up.
    pub(crate) fn dropped(&self, events: u64) {
        self.dropped.inc_by(events);
    }

    pub(crate) fn open(&self, kind: &'static str) -> Open {
        let gauge = self.connections.get_or_create(&[("kind", kind)]).clone();
        gauge.inc();
        Open(gauge)
    }

    pub(crate) fn closed(&self, close: Close) {
        self.closed.get_or_create(&[("reason", close.label())]).inc();
    }

    /// The text for Prometheus.
    pub(crate) fn text(&self, app: &App) -> String {
        let Strange { audiences, public } = &app.strange;
        let delayed = || audiences.iter().flatten();
        let others = delayed().chain(public).map(|app| app.hub.crowds());
        let crowds = app.hub.crowds() + others.sum::<usize>();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of our time fit")]
        self.began.set(app.began.ms() as f64 / 1e3);
        self.crowds.set(i64::try_from(crowds).unwrap_or(i64::MAX));
        self.log.set(&app.log.stats(), &(app.storage)());
        self.letters.set(app.letters.stats());
        self.admission.set(app.admission.state(app.log.backlog()));
        self.prediction.set_breakers(app.live.guard().breakers());
        self.prediction.set_scores(&app.calibration.standing());
        self.upstreams.set(&(app.upstreams)());
        self.players.set(&(app.reconciled)());
        let views = app.views.statuses();
        self.views.set(&views);
        for view in &views {
            let name = [("view", view.name)];
            match view.lag_events {
                Some(events) => drop(self.lag.get_or_create(&name).set(events)),
                None => drop(self.lag.remove(&name)),
            }
        }
        let lag = app.live.lag() + public.as_ref().map_or(0, |app| app.live.lag());
        self.lag.get_or_create(&[("view", "live")]).set(lag);
        if !audiences.is_empty() {
            let lag = delayed().map(|app| app.live.lag()).sum();
            self.lag.get_or_create(&[("view", "delayed")]).set(lag);
        }
        let running = app.limits.replays - app.replays.available_permits();
        self.replays.set(running as u64);
        let events = self.frames.get_or_create(&[("type", "event")]).clone();
        events.inc_by(self.events_sent.get() - events.get());
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        prometheus::from_open_metrics(&out)
    }

    /// The last minute, and the sums, for the console.
    pub(crate) fn status(&self, sources: impl Iterator<Item = &'static str>) -> Value {
        let stages = STAGES.iter().zip(&self.stages);
        let stages: serde_json::Map<_, _> =
            stages.map(|(name, (_, rolling))| ((*name).to_owned(), rolling.summary())).collect();
        let sources: Vec<_> = sources.chain(["http", "redrive", "upstream", "import"]).collect();
        let sum = |family: &Family<Label, Counter>| -> u64 {
            let count = |source: &&'static str| Some(family.get(&[("source", *source)])?.get());
            sources.iter().filter_map(count).sum()
        };
        let events: serde_json::Map<_, _> = self
            .counts
            .iter()
            .map(|(name, family)| ((*name).to_owned(), sum(family).into()))
            .collect();
        let open = |kind| self.connections.get(&[("kind", kind)]).map_or(0, |gauge| gauge.get());
        json!({
            "stages": stages,
            "e2e": self.e2e_all.summary(),
            "events": events,
            "connections": {"websocket": open("websocket"), "sse": open("sse")},
        })
    }

    fn stage(&self, index: usize, took: Duration) {
        if let Some((histogram, rolling)) = self.stages.get(index) {
            histogram.observe(took.as_secs_f64());
            rolling.record(took);
        }
    }
}

impl matchwire_log::Observer for Meter {
    fn committed(&self, group: &Committed) {
        #[expect(clippy::cast_precision_loss, reason = "a group has far fewer events than 2^52")]
        self.batch.observe(group.events as f64);
        self.sync.observe(group.sync.as_secs_f64());
    }
}

impl matchwire_log::live::Observer for Meter {
    fn passed(&self, stage: Stage, took: Duration) {
        match stage {
            Stage::Fold => self.stage(2, took),
            Stage::Predict => self.stage(3, took),
        }
    }
}

type E2e = Family<Label, Histogram, fn() -> Histogram>;

fn latencies(registry: &mut Registry) -> ([(Histogram, Rolling); 5], E2e) {
    let family = || E2e::new_with_constructor(latency);
    let help = "How long a stage of an event took";
    let stages = with_seconds(registry, "stage_latency", help, family());
    let help = "From receipt to delivery, by event type";
    let e2e = with_seconds(registry, "e2e_latency", help, family());
    let of = |stage| (stages.get_or_create(&[("stage", stage)]).clone(), Rolling::default());
    (STAGES.map(of), e2e)
}

trait Metric: prometheus_client::registry::Metric + Clone {}
impl<M: prometheus_client::registry::Metric + Clone> Metric for M {}

fn add<M: Metric>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn counter<M: Metric + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    add(registry, name, help, M::default())
}

fn gauge<M: Metric + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    add(registry, name, help, M::default())
}

fn with_seconds<M: Metric>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
    metric
}
