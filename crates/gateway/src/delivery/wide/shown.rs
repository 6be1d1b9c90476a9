//! What the reader of a wide topic is shown of one of its streams.

use matchwire_domain::subject::Subject;
use matchwire_log::live::{Follow, Snapshot, States};

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
}

impl Shown {
    pub(super) fn new(follow: Follow) -> Self {
        Self { follow, seq: 0, version: None, changes: 0, predicted: 0, moved: 0 }
    }

    /// Takes down that the reader has a snapshot.
    pub(super) fn with(mut self, snapshot: &Snapshot) -> Self {
        self.seq = snapshot.seq;
        self.version = Some(snapshot.version);
        self.predicted = snapshot.predicted;
        self
    }

    /// Takes down that events were sent up to this one.
    pub(super) fn reached(&mut self, seq: u64) {
        self.seq = seq.max(self.seq);
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
        if views.state {
            self.put_state(app, topic, subject, batch);
        }
        if views.prediction {
            self.put_prediction(topic, subject, batch);
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
