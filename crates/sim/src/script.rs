//! The script of a series: its steps in order of time.

use matchwire_domain::live_match::cs::Event;

/// One event of a series, and when it happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Milliseconds since the series began.
    pub at_ms: u64,
    /// The number of the map, from 1.
    pub map: u16,
    /// What happens.
    pub event: Event,
}

/// Where the steps are written, one after the other. Time only goes on.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// What was written so far.
    pub(crate) steps: Vec<Step>,
    /// Milliseconds since the series began.
    pub(crate) now_ms: u64,
    /// The number of the map that is played.
    pub(crate) map: u16,
}

impl Script {
    /// Something happens now.
    pub(crate) fn say(&mut self, event: impl Into<Event>) {
        self.steps.push(Step { at_ms: self.now_ms, map: self.map, event: event.into() });
    }

    /// Time passes.
    pub(crate) fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    /// Time passes until a moment, if it is still to come.
    pub(crate) fn wait_until(&mut self, at_ms: u64) {
        self.now_ms = self.now_ms.max(at_ms);
    }
}
