//! The Rust client of Matchwire: send, read and follow over HTTP and WebSocket.
//!
//! It speaks the public API and nothing else, so it is also an example of it. Plain `http://`
//! alone: beyond one machine a TLS proxy stands in front of the server.

mod error;

mod http;

mod delivered;
mod follow;

mod chains;

pub use chains::{Broken, Chains, Checked};
pub use delivered::{Delivered, digest};
pub use error::Error;
pub use follow::{Follow, Pace, Told};
pub use http::Client;
