//! What the reader of a wide topic is shown of one of its streams.

use matchwire_domain::subject::Subject;
use matchwire_log::{
    Error,
    live::{Follow, Snapshot, States},
    sweep::Mark,
};

use crate::{
    app::App,
    delivery::{Batch, Kind, Place, Views, WHOLE_EVERY, compose},
    topic::Topic,
};

/// A stream whose state and predictions the reader is shown.
pub(super) struct Shown {
    follow: Follow,
    /// The last event that was sent.
    seq: u64,
    /// The version of the state that was sent.
    version: Option<u64>,
    /// Changes since the whole state.
    changes: u32,
    /// The number of the prediction that was sent.
    predicted: u64,
    /// When it moved last.
    pub(super) moved: u64,
    /// What the reader had before the first event whose state it was not told.
    owed_since: Option<Since>,
}

/// Where a reader is when a batch begins.
#[derive(Debug, Clone)]
pub(super) struct Since {
    /// Grows from batch to batch.
    pub(super) clock: u64,
    pub(super) mark: Mark,
}

impl Shown {
    pub(super) fn new(follow: Follow) -> Self {
        Self { follow, seq: 0, version: None, changes: 0, predicted: 0, moved: 0, owed_since: None }
    }

    /// Takes down that the reader has a snapshot.
    pub(super) fn with(mut self, snapshot: &Snapshot) -> Self {
        self.seq = snapshot.seq;
        self.version = Some(snapshot.version);
        self.predicted = snapshot.predicted;
        self
    }

    /// Takes down that events were sent up to this one, by a batch that began there.
    pub(super) fn reached(&mut self, seq: u64, since: &Since) {
        if seq > self.seq {
            self.seq = seq;
            self.owed_since.get_or_insert_with(|| since.clone());
        }
    }

    /// Since when the reader lacks the state of events that it has, if it does.
    pub(super) fn owed_since(&self) -> Option<&Since> {
        self.owed_since.as_ref()
    }

    /// Waits until the state is there of all that was sent.
    pub(super) async fn catch_up(&self) -> Result<(), Error> {
        self.follow.snapshot().await.map(|_| ())
    }

    /// Puts what is new into the batch, once the events that it stands for are sent.
    pub(super) fn put(
        &mut self,
        app: &App,
        topic: &Topic,
        subject: &Subject,
        views: Views,
        batch: &mut Batch,
    ) {
        // A state of later events comes with those. What cannot be read has none until it moves again, and what was
        // hidden since is told as it is without events.
        let head = self.follow.head();
        let has_state = head >= self.seq || head == 0 || self.follow.has_failed();
        let is_told = self.owed_since.is_some() && has_state;
        if views.state {
            self.put_state(app, topic, subject, batch);
        }
        if views.prediction {
            self.put_prediction(topic, subject, batch);
        }
        if is_told {
            self.owed_since = None;
        }
    }

    fn put_state(&mut self, app: &App, topic: &Topic, subject: &Subject, batch: &mut Batch) {
        let is_due = self.changes >= WHOLE_EVERY;
        match self.follow.states(self.version.filter(|_| !is_due)) {
            States::Same => {}
            States::Changes(changes) => {
                for change in changes {
                    if change.seq > self.seq {
                        break;
                    }
                    self.version = Some(change.version);
                    self.changes += 1;
                    let head = compose::head("state", topic, subject, change.seq, "patch");
                    let text = compose::frame(&[head.as_bytes(), change.patch(), b"}"]);
                    batch.put(Kind::State, text, Place::Same);
                }
            }
            States::Whole(snapshot) if snapshot.seq > self.seq => {}
            States::Whole(snapshot) => {
                if self.version.is_some() && !is_due {
                    app.meter.conflated();
                }
                (self.version, self.changes) = (Some(snapshot.version), 0);
                let head = compose::head("state", topic, subject, snapshot.seq, "state");
                let text = compose::frame(&[head.as_bytes(), snapshot.text().as_bytes(), b"}"]);
                batch.put(Kind::State, text, Place::Same);
            }
        }
    }

    fn put_prediction(&mut self, topic: &Topic, subject: &Subject, batch: &mut Batch) {
        let new = self.follow.prediction(self.predicted);
        let Some(prediction) = new.filter(|prediction| prediction.seq <= self.seq) else { return };
        self.predicted = prediction.number;
        let head = compose::head("prediction", topic, subject, prediction.seq, "prediction");
        let text = compose::frame(&[head.as_bytes(), prediction.prediction(), b"}"]);
        batch.put(Kind::Prediction, text, Place::Same);
    }
}
