//! Dead letters: what was refused, kept until somebody has seen to it.
//!
//! They are a stream of the log that only the server writes, [`STREAM`]. [`Event`] is what stands in
//! it, [`State`] folds it to the letters that are open, and decides what may be added. What the body
//! of a letter was is sealed before it comes here; the key is the server's.

mod event;
mod state;

#[cfg(test)]
mod tests;

pub use event::{Closed, Event, Failed, Kept, Origin, Sealed};
pub use state::{Bounds, Open, Refused, State};

/// The subject of the stream.
pub const STREAM: &str = "admin/dead-letters";
/// The source of its events.
pub const SOURCE: &str = "matchwire";
