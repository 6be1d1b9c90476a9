//! Whether a model is asked: closed it is, open it is left alone, and after a rest it is tried once.

use std::time::{Duration, Instant};

use super::Patience;

/// How a model failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It panicked.
    Panic,
    /// It took longer than the limit.
    Late,
    /// It answered what is no probability.
    Invalid,
}

impl Failure {
    /// Its name, as a label of metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Late => "late",
            Self::Invalid => "invalid",
        }
    }
}

/// How often a model failed since the start, and how often it was not asked for that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Failures {
    /// It panicked.
    pub panic: u64,
    /// It took longer than the limit.
    pub late: u64,
    /// It answered what is no probability.
    pub invalid: u64,
    /// It was left alone.
    pub skipped: u64,
}

/// Keeps a model from being asked while it fails.
#[derive(Debug, Clone, Default)]
pub struct Breaker {
    state: State,
    /// How often it failed.
    pub failures: Failures,
    /// How it failed last.
    pub last: Option<Failure>,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    #[default]
    Closed,
    /// Until then nobody asks.
    Open { until: Instant, rest: Duration },
    /// One call asks, and all others wait for what comes of it.
    Trying { rest: Duration },
}

impl Breaker {
    /// Whether the model is asked as if nothing was.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        matches!(self.state, State::Open { until, .. } if until <= now)
    }

    /// Whether the model may be asked now. If it is to be tried, the caller is the one who tries.
    pub(super) fn admits(&mut self, now: Instant) -> bool {
        match self.state {
            State::Closed => return true,
            State::Open { until, rest } if until <= now => {
                self.state = State::Trying { rest };
                return true;
            }
            State::Open { .. } | State::Trying { .. } => {}
        }
        self.failures.skipped += 1;
        false
    }

    /// The model answered in time. Tells whether that closes the breaker; an answer to a question from
    /// before it opened does not.
    pub(super) fn answered(&mut self) -> bool {
        let was_tried = matches!(self.state, State::Trying { .. });
        if was_tried {
            self.state = State::Closed;
        }
        was_tried
    }

    /// The model failed. Tells whether it was well before.
    pub(super) fn failed(&mut self, failure: Failure, now: Instant, patience: &Patience) -> bool {
        match failure {
            Failure::Panic => self.failures.panic += 1,
            Failure::Late => self.failures.late += 1,
            Failure::Invalid => self.failures.invalid += 1,
        }
        self.last = Some(failure);
        let rest = match self.state {
            State::Closed => patience.rest,
            State::Trying { rest } => (2 * rest).min(patience.longest_rest),
            // It was asked before it was known to fail.
            State::Open { .. } => return false,
        };
        let was_closed = self.is_closed();
        self.state = State::Open { until: now + rest, rest };
        was_closed
    }
}
