//! How an upstream is, for those who ask.

use matchwire_domain::timestamp::Timestamp;
use matchwire_gateway::{Phase, Taken, Upstream};
use parking_lot::Mutex;

use crate::{Breaker, Feed, position::Position, wire::Trouble};

/// The longest text of an error that is told.
const MAX_ERROR: usize = 400;

pub(crate) struct Health(Mutex<Upstream>);

impl Health {
    pub(crate) fn new(feed: &Feed) -> Self {
        Self(Mutex::new(Upstream {
            name: feed.name.clone(),
            kind: feed.kind.as_str(),
            url: feed.shown_url(),
            format: feed.format.clone(),
            class: feed.class,
            phase: Phase::Connecting,
            failures: 0,
            failed: 0,
            error: None,
            answered: None,
            cursor: None,
            taken: Taken::default(),
        }))
    }

    pub(crate) fn now(&self) -> Upstream {
        self.0.lock().clone()
    }

    /// It answered; answers whether it had not before.
    pub(crate) fn answered(&self, at: Timestamp) -> bool {
        let mut it = self.0.lock();
        it.answered = Some(at);
        it.error = None;
        std::mem::replace(&mut it.phase, Phase::Connected) != Phase::Connected
    }

    /// This server has too much to do.
    pub(crate) fn held(&self, why: &str) {
        let mut it = self.0.lock();
        it.phase = Phase::Held;
        it.error = Some(clip(why));
    }

    /// It could not be reached or read.
    pub(crate) fn failed(&self, trouble: &Trouble, breaker: &Breaker) {
        let mut it = self.0.lock();
        it.failed += 1;
        it.failures = breaker.failures();
        it.phase = if breaker.is_open() { Phase::Broken } else { Phase::Failing };
        it.error = Some(clip(&trouble.to_string()));
    }

    /// It does well.
    pub(crate) fn recovered(&self) {
        self.0.lock().failures = 0;
    }

    pub(crate) fn took(&self, taken: Taken) {
        self.0.lock().taken += taken;
    }

    pub(crate) fn is_at(&self, position: &Position) {
        let mut it = self.0.lock();
        if it.cursor != position.cursor {
            it.cursor.clone_from(&position.cursor);
        }
    }
}

fn clip(text: &str) -> String {
    text.chars().take(MAX_ERROR).collect()
}
