//! What is told of a stored view.

use std::time::Duration;

use crate::view_store::Size;

/// How a stored view is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Status {
    /// Its name.
    pub name: &'static str,
    /// The version of its schema.
    pub version: u32,
    /// Whether it can be read.
    pub is_serving: bool,
    /// Up to which group of the log what serves has seen everything; 0 is nothing.
    pub position: u64,
    /// How many groups of the log come behind that.
    pub lag_groups: u64,
    /// How many events of all streams are in those, if that is known: of what is long ago it is not.
    pub lag_events: Option<u64>,
    /// For how long it has not seen everything; zero if it has.
    pub lag: Duration,
    /// What it takes, as of some seconds ago.
    pub size: Size,
    /// Parts of streams that could not be read, so that the view lacks their events until it is built anew.
    pub passed: u64,
    /// The build beside it, if there is one.
    pub building: Option<Building>,
    /// How many builds were finished since the start.
    pub builds: u64,
    /// How often it did not get on, since the start.
    pub failures: u64,
    /// Why it does not get on now, if it does not.
    pub failure: Option<String>,
}

/// How a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Building {
    /// Up to which group of the log it has seen everything.
    pub position: u64,
    /// The last group that there is.
    pub of: u64,
}
