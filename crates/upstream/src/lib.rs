//! Upstreams: servers from which events are fetched, by polling over HTTP, as server-sent events, or
//! over a WebSocket.
//!
//! ```text
//!            ┌ poll ──────┐   message    ┌─────────┐   events, posts   ┌───────┐
//!  upstream ─┤ sse        ├─────────────►│ puller  ├──────────────────►│ inlet │─► log
//!            └ websocket ─┘   + cursor   └────┬────┘                   └───────┘
//!                                             └── position ─► its own stream ─► log
//! ```
//!
//! A [`Feed`] says where an upstream is and what it tells. Its puller asks for what comes after a
//! position, hands that to the gateway's [`Inlet`](matchwire_gateway::Inlet), and then writes the new
//! position to a stream of its own in the log. After a crash the last few messages come again, and
//! the log knows their events by their ids.
//!
//! An upstream that fails is tried again, at first soon, and with a [`Breaker`] in between once it has
//! failed often. What must wait waits at the upstream: one message at a time is on its way.

mod settings;

mod items;
mod message;
mod position;

mod breaker;
mod health;

mod poll;
mod socket;
mod sse;
mod wire;

mod puller;
mod upstreams;

pub use breaker::Breaker;
pub use settings::{CLOUDEVENTS, Error, Feed, Kind, Place, Written};
pub use upstreams::Upstreams;
