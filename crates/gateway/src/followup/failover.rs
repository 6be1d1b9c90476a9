//! The automatic switch to another source when the believed one is silent.
//!
//! Every fact that is appended tells here who told it ([`Failover::appended`]); a task looks once a second. When a
//! second ranked source tells of a map, the ranking is appended to its stream (`sources.ranked`), and
//! when the believed one falls silent or a better one is back, the switch (`source.switched`). What
//! that means for the fold is [`matchwire_domain::timeline`]'s business.

mod watch;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use matchwire_domain::{
    envelope::{Attributes, Event},
    live_match::{Label, SourceNames, SourceSwitched, SourcesRanked, course},
    subject::{Kind, Subject},
    timestamp::Timestamp,
};
use matchwire_log::{Append, live::Live};
use parking_lot::Mutex;
use serde_json::Value;

use self::watch::{Switch, Watch};
use crate::app::App;

/// Who appends rankings and switches.
const SOURCE: &str = "matchwire/failover";
/// How often it is looked who is silent.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many maps are watched; beyond, those that were heard of longest ago are forgotten.
const MAX_MAPS: usize = 10_000;
/// After so long a map that nobody tells of is forgotten.
const FORGET_AFTER: Duration = Duration::from_hours(1);

/// Which sources compete, and when one is silent.
#[derive(Debug, Clone)]
pub struct Ranking {
    /// The names, the primary source first; at most 8. `cs-log` is also that of `cs-log/1234`.
    pub sources: Vec<String>,
    /// After so long without a fact a source is silent.
    pub silence: Duration,
}

impl Default for Ranking {
    fn default() -> Self {
        let sources = ["cs-log", "gsi", "matchzy"].map(str::to_owned).to_vec();
        Self { sources, silence: Duration::from_secs(20) }
    }
}

/// Watches the sources of the maps that several tell of.
pub(super) struct Failover {
    ranking: Ranking,
    maps: Mutex<HashMap<Subject, Watched>>,
}

struct Watched {
    watch: Watch,
    /// Whether the stream is known to have the ranking.
    is_ranked: bool,
}

/// Something to append.
enum Step {
    Rank,
    Switch(Switch),
}

impl Failover {
    pub(super) fn new(ranking: Ranking) -> Self {
        Self { ranking, maps: Mutex::default() }
    }

    /// The place of a source in the ranking.
    fn rank(&self, source: &str) -> Option<usize> {
        let is = |name: &String| {
            let rest = source.strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.ranking.sources.iter().position(is)
    }

    /// An event is in the log.
    pub(super) fn appended(&self, event: &Event) {
        if self.rank(&event.source).is_none() {
            return;
        }
        let Ok(attributes) = Attributes::read(&event.stored) else { return };
        if course::Event::TAGS.contains(&&*attributes.kind) {
            return;
        }
        let time = attributes.time.as_deref().and_then(|time| Timestamp::parse(time).ok());
        self.heard(&event.subject, &event.source, time.unwrap_or_default());
    }

    /// A source told of a map, last of that moment of play.
    fn heard(&self, subject: &Subject, source: &str, fact: Timestamp) {
        let (Some(rank), Kind::MatchMap(..)) = (self.rank(source), subject.kind()) else { return };
        let now = Instant::now();
        let mut maps = self.maps.lock();
        if maps.len() >= MAX_MAPS && !maps.contains_key(subject) {
            let oldest = maps.iter().min_by_key(|(_, map)| map.watch.last_heard());
            let oldest = oldest.map(|(subject, _)| subject.clone());
            oldest.map(|subject| maps.remove(&subject));
        }
        let map = maps.entry(subject.clone()).or_insert_with(|| Watched {
            watch: Watch::new(self.ranking.sources.len(), 0),
            is_ranked: false,
        });
        map.watch.hear(rank, fact, now, self.ranking.silence);
    }

    /// Looks once a second, for as long as the server runs.
    pub(super) async fn run(&self, app: &App) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            for (subject, step) in self.steps(Instant::now()) {
                if let Err(error) = self.take(app, &subject, &step).await {
                    tracing::warn!(%subject, %error, "the switch of sources is tried again");
                }
            }
        }
    }

    /// What is to be done now.
    fn steps(&self, now: Instant) -> Vec<(Subject, Step)> {
        let mut maps = self.maps.lock();
        maps.retain(|_, map| {
            let last = map.watch.last_heard();
            last.is_some_and(|last| now.saturating_duration_since(last) < FORGET_AFTER)
        });
        let contested = maps.iter().filter(|(_, map)| map.watch.is_contested());
        let step = |(subject, map): (&Subject, &Watched)| {
            let step = if map.is_ranked {
                Step::Switch(map.watch.judge(now, self.ranking.silence)?)
            } else {
                Step::Rank
            };
            Some((subject.clone(), step))
        };
        contested.filter_map(step).collect()
    }

    async fn take(
        &self,
        app: &App,
        subject: &Subject,
        step: &Step,
    ) -> Result<(), matchwire_log::Error> {
        match step {
            Step::Rank => {
                // After a start the stream tells who was believed before.
                let believed = believed(&app.live, subject).await?;
                if believed.is_none() {
                    self.append(app, subject, "ranked", self.ranked()).await?;
                }
                let rank = believed.and_then(|name| self.rank(&name)).unwrap_or(0);
                if let Some(map) = self.maps.lock().get_mut(subject) {
                    map.is_ranked = true;
                    map.watch.believe(rank);
                }
            }
            Step::Switch(switch) => {
                let id = format!("switched-{}-{}-{}", switch.from, switch.to, switch.since.ms());
                self.append(app, subject, &id, self.switched(switch)).await?;
                let name = |rank: usize| self.ranking.sources.get(rank).map(String::as_str);
                let (from, to) = (name(switch.from), name(switch.to));
                tracing::warn!(%subject, from, to, reason = switch.reason, "another source is believed");
                if let Some(map) = self.maps.lock().get_mut(subject) {
                    map.watch.believe(switch.to);
                }
            }
        }
        Ok(())
    }

    fn ranked(&self) -> course::Event {
        let names = self.ranking.sources.iter().map(String::as_str);
        SourcesRanked { sources: SourceNames::cut(names), window_s: None }.into()
    }

    fn switched(&self, switch: &Switch) -> course::Event {
        let name = |rank: usize| self.ranking.sources.get(rank).map(|name| Label::cut(name));
        SourceSwitched {
            to: name(switch.to).unwrap_or_else(|| Label::cut("")),
            since: switch.since,
            from: name(switch.from),
            reason: Some(Label::cut(switch.reason)),
        }
        .into()
    }

    async fn append(
        &self,
        app: &App,
        subject: &Subject,
        id: &str,
        event: course::Event,
    ) -> Result<(), matchwire_log::Error> {
        let attributes = Attributes::of(id, SOURCE, subject.as_str(), event.tag());
        // What is made here is valid, and a stream that is sealed needs no switch any more.
        let Ok(event) = Event::new(&attributes, &event.to_json()) else { return Ok(()) };
        let (subject, received) = (subject.clone(), Instant::now());
        let append = Append { subject, events: vec![event], expected_seq: None, received };
        app.log.append(vec![append]).await?;
        Ok(())
    }
}

/// The source that is believed about a map, as its state tells.
async fn believed(live: &Live, subject: &Subject) -> Result<Option<String>, matchwire_log::Error> {
    let state = live.state(subject).await?.value();
    Ok(state.get("source").and_then(Value::as_str).map(ToOwned::to_owned))
}
