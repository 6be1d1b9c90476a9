//! One topic of one connection: where the reader is in each of its streams.

use std::sync::Arc;

use bytes::Bytes;
use matchwire_domain::subject::Subject;
use matchwire_log::live::{Bell, EventFrame, Events, Follow, Snapshot, States};
use serde_json::Value;

use super::{Batch, Kind, PULL_EVENTS, Place, Refusal, Views, WHOLE_EVERY, compose};
use crate::{
    app::App,
    cursor::Cursor,
    replay::Replay,
    topic::{self, Topic},
};

pub(crate) struct Subscription {
    pub(super) topic: Topic,
    pub(super) views: Views,
    pub(super) parts: Vec<Part>,
    /// Frames that begin the subscription, and are sent first.
    pub(super) first: Vec<(Kind, Bytes)>,
    /// Whether the reader has the whole state, so that changes to it make sense.
    pub(super) has_state: bool,
    /// Changes since the whole state.
    pub(super) changes: u32,
    /// What it is a replay of; nothing if it is live.
    pub(super) replay: Option<Replay>,
}

/// Why a pull cannot go on with what is in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Obstacle {
    /// The stream of this part could not be read.
    Failed(usize),
    /// The next event of this part must be read from the log.
    Older(usize),
}

/// One stream of a topic.
pub(super) struct Part {
    pub(super) follow: Follow,
    pub(super) number: u16,
    /// The last event that was sent.
    pub(super) seq: u64,
    /// The version of the state that was sent.
    pub(super) version: Option<u64>,
    /// The number of the prediction that was sent.
    pub(super) predicted: u64,
    /// Whether the reader has once been up to date.
    pub(super) is_live: bool,
}

impl Subscription {
    pub(crate) fn topic(&self) -> &Topic {
        &self.topic
    }

    pub(crate) fn views(&self) -> Views {
        self.views
    }

    pub(super) fn streams(&self) -> usize {
        self.parts.len()
    }

    /// How far the reader is behind in the worst of the streams in which it had caught up.
    pub(super) fn lag(&self) -> u64 {
        let live = self.parts.iter().filter(|part| part.is_live);
        live.map(|part| part.head().saturating_sub(part.seq)).max().unwrap_or(0)
    }

    /// How many events the reader was not given yet; none if it wants none.
    pub(super) fn behind(&self) -> u64 {
        let parts = self.parts.iter().filter(|_| self.views.events);
        parts.map(|part| part.head().saturating_sub(part.seq)).sum()
    }

    /// Up to where the reader was sent.
    pub(crate) fn sent(&self, app: &App) -> Value {
        self.position(app, |part| part.seq)
    }

    /// Follows streams that are not followed yet, and says how many those are.
    pub(crate) async fn look_for_maps(
        &mut self,
        app: &App,
        bell: &Bell,
        room: usize,
    ) -> Result<usize, Refusal> {
        let before = self.parts.len();
        if before > 0 && !self.topic.is_match() {
            return Ok(0);
        }
        let mut new = self.topic.streams(app.live.log())?;
        // Those that are followed may be hidden by now.
        new.retain(|subject| !self.parts.iter().any(|part| part.subject() == subject));
        if new.len() > room {
            return Err(Refusal::TooMany);
        }
        for subject in &new {
            let follow = app.live.follow(subject, bell).await?;
            self.parts.push(Part::new(follow));
        }
        Ok(new.len())
    }

    /// Puts what comes next into the batch.
    pub(crate) async fn pull(&mut self, app: &App, batch: &mut Batch) -> Result<(), Refusal> {
        while let Some(obstacle) = self.pull_at_hand(app, batch) {
            match obstacle {
                Obstacle::Failed(index) => {
                    let Some(part) = self.parts.get(index) else { continue };
                    // What it failed of is found out by asking again.
                    part.follow.snapshot().await?;
                }
                Obstacle::Older(index) => {
                    let Some(part) = self.parts.get(index) else { continue };
                    let events = part.follow.older(part.seq).await?;
                    if events.is_empty() {
                        return Ok(());
                    }
                    self.put_events(app, batch, index, events);
                    if batch.is_full() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Puts what comes next into the batch, as far as it is in memory, and tells what is not.
    pub(crate) fn pull_at_hand(&mut self, app: &App, batch: &mut Batch) -> Option<Obstacle> {
        for (kind, text) in std::mem::take(&mut self.first) {
            let place = match kind {
                Kind::Snapshot => self.place(app),
                _ => Place::Same,
            };
            batch.put(kind, text, place);
        }
        for index in 0..self.parts.len() {
            if let Some(obstacle) = self.pull_events(app, batch, index) {
                return Some(obstacle);
            }
            if batch.is_full() {
                return None;
            }
        }
        if self.views.state {
            self.pull_state(app, batch);
        }
        if self.views.prediction {
            self.pull_predictions(batch);
        }
        None
    }

    fn pull_events(&mut self, app: &App, batch: &mut Batch, index: usize) -> Option<Obstacle> {
        loop {
            let part = self.parts.get_mut(index)?;
            if part.follow.has_failed() {
                return Some(Obstacle::Failed(index));
            }
            if !self.views.events {
                part.seq = part.head();
                part.is_live = true;
                return None;
            }
            let events = match part.follow.events(part.seq, PULL_EVENTS) {
                Events::Ready(events) => events,
                Events::Older => return Some(Obstacle::Older(index)),
            };
            if events.is_empty() {
                part.is_live = true;
                return None;
            }
            self.put_events(app, batch, index, events);
            if batch.is_full() {
                return None;
            }
        }
    }

    fn put_events(
        &mut self,
        app: &App,
        batch: &mut Batch,
        index: usize,
        events: Vec<Arc<EventFrame>>,
    ) {
        for event in events {
            let Some(part) = self.parts.get_mut(index) else { return };
            assert!(event.seq > part.seq, "events are delivered in order");
            // Only a loss that was accepted leaves a gap.
            if event.seq > part.seq + 1 {
                let (first, last) = (part.seq + 1, event.seq - 1);
                let detail = format!("{}: seq {first} to {last} are lost", part.subject());
                let members = [("code", Value::from("lost")), ("detail", detail.into())];
                let members = members.map(|(name, value)| (name.to_owned(), value));
                let text = compose::error(&self.topic, members.into_iter().collect());
                batch.put(Kind::Error, text, Place::Same);
            }
            part.seq = event.seq;
            if self.topic.is_match() {
                let subject = part.subject().clone();
                let cursor = self.cursor(app, |part| part.seq).to_string();
                let text = compose::event(&self.topic, &subject, &event, &cursor);
                batch.put_event(event, text, Place::Cursor(cursor));
            } else {
                let text = event.text.clone();
                batch.put_event(event, text, Place::Event);
            }
        }
    }

    fn pull_state(&mut self, app: &App, batch: &mut Batch) {
        if !self.has_state || self.changes >= WHOLE_EVERY {
            self.put_whole(app, batch);
            return;
        }
        for index in 0..self.parts.len() {
            let Some(part) = self.parts.get_mut(index) else { continue };
            match part.follow.states(part.version) {
                States::Same => {}
                States::Changes(changes) => {
                    for change in changes {
                        if change.seq > part.seq {
                            break;
                        }
                        part.version = Some(change.version);
                        self.changes += 1;
                        let text = if self.topic.is_match() {
                            let subject = part.subject();
                            let head =
                                compose::head("state", &self.topic, subject, change.seq, "patch");
                            compose::part_patch(&head, part.number, change.patch())
                        } else {
                            change.text.clone()
                        };
                        batch.put(Kind::State, text, Place::Same);
                    }
                }
                States::Whole(snapshot) if snapshot.seq > part.seq => {}
                // A map that is new to the reader is added to the match that it has.
                States::Whole(snapshot) if self.topic.is_match() && part.version.is_none() => {
                    part.version = Some(snapshot.version);
                    let subject = part.subject();
                    let head = compose::head("state", &self.topic, subject, snapshot.seq, "patch");
                    let text = compose::part_patch(&head, part.number, snapshot.text().as_bytes());
                    batch.put(Kind::State, text, Place::Same);
                }
                States::Whole(_) => {
                    app.meter.conflated();
                    self.put_whole(app, batch);
                    return;
                }
            }
        }
    }

    /// The whole state, once the events that it stands for are sent.
    fn put_whole(&mut self, app: &App, batch: &mut Batch) {
        let mut states: Vec<Arc<Snapshot>> = Vec::new();
        for part in &self.parts {
            match part.follow.states(None) {
                States::Whole(snapshot) if snapshot.seq <= part.seq => states.push(snapshot),
                _ => return,
            }
        }
        let (field, end) = ("state", b"}");
        let text = if self.topic.is_match() {
            let cursor = self.cursor(app, |part| part.seq);
            let head = format!(
                "{{\"type\":\"state\",\"topic\":\"{}\",\"cursor\":\"{cursor}\",\"state\":",
                self.topic.as_str()
            );
            compose::frame(&[head.as_bytes(), &self.match_state(&states), end])
        } else {
            let (Some(part), Some(state)) = (self.parts.first(), states.first()) else { return };
            let head = compose::head("state", &self.topic, part.subject(), state.seq, field);
            compose::frame(&[head.as_bytes(), state.text().as_bytes(), end])
        };
        batch.put(Kind::State, text, Place::Same);
        self.note(&states);
    }

    fn pull_predictions(&mut self, batch: &mut Batch) {
        for part in &mut self.parts {
            let Some(prediction) = part.follow.prediction(part.predicted) else { continue };
            if prediction.seq > part.seq {
                continue;
            }
            part.predicted = prediction.number;
            let text = if self.topic.is_match() {
                let subject = part.subject();
                let head =
                    compose::head("prediction", &self.topic, subject, prediction.seq, "prediction");
                compose::frame(&[head.as_bytes(), prediction.prediction(), b"}"])
            } else {
                prediction.text.clone()
            };
            batch.put(Kind::Prediction, text, Place::Same);
        }
    }

    /// Takes down that the reader has these states.
    pub(super) fn note(&mut self, states: &[Arc<Snapshot>]) {
        for (part, state) in self.parts.iter_mut().zip(states) {
            part.version = Some(state.version);
        }
        self.has_state = true;
        self.changes = 0;
    }

    pub(super) fn match_state(&self, states: &[Arc<Snapshot>]) -> Vec<u8> {
        let parts = self.parts.iter().zip(states);
        let parts = parts.map(|(part, state)| (part.number, state.text()));
        compose::match_state(&self.topic, &parts.collect::<Vec<_>>())
    }

    pub(super) fn cursor(&self, app: &App, seq: impl Fn(&Part) -> u64) -> Cursor {
        let seqs = self.parts.iter().map(|part| (part.number, seq(part))).collect();
        Cursor::now(app, seqs)
    }

    pub(super) fn position(&self, app: &App, seq: impl Fn(&Part) -> u64) -> Value {
        match self.parts.first().filter(|_| !self.topic.is_match()) {
            Some(part) => seq(part).into(),
            None => self.cursor(app, seq).to_string().into(),
        }
    }

    fn place(&self, app: &App) -> Place {
        Place::Cursor(self.cursor(app, |part| part.seq).to_string())
    }
}

impl Part {
    pub(super) fn new(follow: Follow) -> Self {
        let number = topic::number(follow.subject());
        Self { follow, number, seq: 0, version: None, predicted: 0, is_live: false }
    }

    pub(super) fn subject(&self) -> &Subject {
        self.follow.subject()
    }

    pub(super) fn head(&self) -> u64 {
        self.follow.head()
    }
}
