//! Every bound of the gateway, with what it is by default.

use std::time::Duration;

/// The bounds of the gateway. What the contract fixes is the default; tests make them smaller.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time, of every kind.
    pub connections: usize,
    /// How many connections are accepted in a second, after a burst of a tenth of that.
    pub accepts: u32,
    /// How long the head of a request may take.
    pub head: Duration,
    /// How long a connection may wait for its next request.
    pub idle: Duration,
    /// How long a body may stand still.
    pub body_idle: Duration,
    /// How long a body may take.
    pub body: Duration,
    /// The largest body, in bytes, as sent and decompressed.
    pub body_bytes: usize,
    /// What is read and thrown away of a body that nobody wants, in bytes.
    pub leftover_bytes: usize,
    /// What all bodies that are being read may have together, in bytes.
    pub bodies_bytes: usize,
    /// Events in one request.
    pub events: usize,
    /// How long a peer may take nothing of what it is sent.
    pub stall: Duration,
    /// Reads at a time that fold a stream as of an event, or walk through many streams.
    pub heavy_reads: usize,
    /// How long a list may look for its elements before it gives what it has.
    pub list: Duration,
    /// How long a read may wait for an event, at most.
    pub poll: Duration,
    /// Replays at a time.
    pub replays: usize,
    /// Subscriptions of one connection.
    pub subscriptions: usize,
    /// Events that a follower who had caught up may be behind before it is cut off.
    pub lag_events: u64,
    /// How many followers at a time may be given what they missed.
    pub catching_up: usize,
    /// The largest frame of a WebSocket client, in bytes.
    pub frame_bytes: usize,
    /// Messages that a WebSocket client may send within ten seconds.
    pub messages: u32,
    /// From heartbeat to heartbeat.
    pub heartbeat: Duration,
    /// From ping to ping.
    pub ping: Duration,
    /// How long a WebSocket client may be silent.
    pub silence: Duration,
    /// How long an erasure waits for the view of players to remove the rows, before it is answered that they are still to go. It is far
    /// more than a view that follows takes, and less than clients and proxies wait for an answer.
    pub purge: Duration,
    /// How long everything may take to end.
    pub drain: Duration,
}

impl Limits {
    /// Whether a WebSocket client that was not heard for so long is taken for gone. It is looked at with
    /// every heartbeat, and would be silent for too long by the next one.
    pub(crate) fn is_gone(&self, unheard: Duration) -> bool {
        unheard + self.heartbeat > self.silence
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_000,
            accepts: 2_000,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            body_idle: Duration::from_secs(10),
            body: Duration::from_secs(30),
            body_bytes: 4 << 20,
            leftover_bytes: 128 << 20,
            bodies_bytes: 256 << 20,
            events: 1_000,
            stall: Duration::from_secs(15),
            heavy_reads: 4,
            list: Duration::from_secs(2),
            poll: Duration::from_secs(30),
            replays: 32,
            subscriptions: 64,
            lag_events: 5_000,
            catching_up: 2,
            frame_bytes: 64 << 10,
            messages: 500,
            heartbeat: Duration::from_secs(5),
            ping: Duration::from_secs(30),
            silence: Duration::from_mins(1),
            purge: Duration::from_secs(10),
            drain: Duration::from_secs(9),
        }
    }
}
