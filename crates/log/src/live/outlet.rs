//! What a feed has ready for its followers: the last events, changes of state and prediction.
//!
//! It is bounded; a follower that is further behind reads events from the log, and takes the
//! state as a whole.

use std::{collections::VecDeque, sync::Arc};

use matchwire_domain::{live_match::Latest, subject::Subject};

use super::frame::{EventFrame, PredictionFrame, Snapshot, StateFrame};

/// How many events are held ready.
const EVENTS: usize = 1_024;
/// How many bytes of events are held ready; the last event always is.
const EVENT_BYTES: usize = 1 << 20;
/// How many changes of state are held ready.
const STATES: usize = 64;
/// A follower that missed more changes than this takes the whole state instead.
const STATES_AT_ONCE: usize = 8;

/// Events after a seq.
#[derive(Debug)]
pub enum Events {
    /// They follow without a gap; there may be none.
    Ready(Vec<Arc<EventFrame>>),
    /// The next one is no longer at hand and must be read from the log.
    Older,
}

/// What leads from the version of the state that a follower has to the current one.
#[derive(Debug)]
pub enum States {
    /// It is the current one.
    Same,
    /// These changes, in order.
    Changes(Vec<Arc<StateFrame>>),
    /// The whole state; what lies between is left out.
    Whole(Arc<Snapshot>),
}

#[derive(Debug, Default)]
pub(super) struct Outlet {
    pub(super) head: u64,
    pub(super) failed: bool,
    events: VecDeque<Arc<EventFrame>>,
    event_bytes: usize,
    states: VecDeque<Arc<StateFrame>>,
    snapshot: Option<Arc<Snapshot>>,
    prediction: Option<Arc<PredictionFrame>>,
}

impl Outlet {
    /// Forgets everything, for want of followers.
    pub(super) fn clear(&mut self, head: u64) {
        *self = Self { head, ..Self::default() };
    }

    pub(super) fn put_events(&mut self, events: impl IntoIterator<Item = Arc<EventFrame>>) {
        for event in events {
            if self.events.back().is_some_and(|last| last.seq + 1 != event.seq) {
                self.events.clear();
                self.event_bytes = 0;
            }
            self.event_bytes += event.text.len();
            self.events.push_back(event);
            while self.events.len() > EVENTS
                || (self.event_bytes > EVENT_BYTES && self.events.len() > 1)
            {
                let gone = self.events.pop_front();
                self.event_bytes -= gone.map_or(0, |event| event.text.len());
            }
        }
    }

    pub(super) fn put_state(&mut self, snapshot: Arc<Snapshot>, change: Option<Arc<StateFrame>>) {
        self.head = snapshot.seq;
        self.failed = false;
        self.snapshot = Some(snapshot);
        match change {
            Some(change) => self.states.push_back(change),
            None => self.states.clear(),
        }
        if self.states.len() > STATES {
            self.states.pop_front();
        }
    }

    /// Has the last prediction ready. Another `number` is another prediction. Whoever has the events
    /// up to the head may have it.
    pub(super) fn put_prediction(
        &mut self,
        subject: &Subject,
        number: u64,
        latest: Option<&Latest>,
    ) {
        let held = self.prediction.as_ref().map(|held| held.number);
        if held != latest.map(|_| number) {
            let last_seq = self.prediction.as_ref().map_or(0, |held| held.seq);
            let frame = |latest: &Latest| {
                // What a late event has changed, or time, belongs to an event that followers had before.
                let is_next = latest.prediction.seq > last_seq;
                let seq = if is_next { latest.prediction.seq } else { self.head };
                PredictionFrame::new(subject, number, seq, latest)
            };
            self.prediction = latest.map(frame);
        }
    }

    pub(super) fn events(&self, after: u64, limit: usize) -> Events {
        if after >= self.head {
            return Events::Ready(Vec::new());
        }
        let skip = self
            .events
            .front()
            .and_then(|first| usize::try_from((after + 1).checked_sub(first.seq)?).ok());
        match skip.filter(|skip| *skip < self.events.len()) {
            Some(skip) => {
                Events::Ready(self.events.iter().skip(skip).take(limit).cloned().collect())
            }
            None => Events::Older,
        }
    }

    pub(super) fn states(&self, version: Option<u64>) -> States {
        let Some(snapshot) = &self.snapshot else { return States::Same };
        if version == Some(snapshot.version) {
            return States::Same;
        }
        let whole = || States::Whole(snapshot.clone());
        let Some(skip) =
            version.and_then(|had| self.states.iter().position(|state| state.base == had))
        else {
            return whole();
        };
        if self.states.len() - skip > STATES_AT_ONCE {
            return whole();
        }
        States::Changes(self.states.iter().skip(skip).cloned().collect())
    }

    pub(super) fn prediction(&self, had: u64) -> Option<Arc<PredictionFrame>> {
        self.prediction.clone().filter(|prediction| prediction.number != had)
    }
}
