//! The outside world: HTTP, WebSocket and server-sent events over the log and its live folds, and
//! the console's files.
//!
//! [`App`] holds what the handlers need, [`serve`] drives it on a listener. What the wire says is
//! in the public contract; what an event means is the domain's, what a source's body means is
//! that [`Source`]'s.

mod app;
mod leftover;
mod limits;
mod reconciled;
mod serve;
mod storage;
mod upstreams;
mod views;

mod access;
mod audience;
mod erase;
mod export;
mod followup;
mod front;
mod people;
mod problem;
mod prometheus;
mod trace;

mod routes;

mod admission;
mod body;
mod imports;
mod ingest;
mod letters;
mod query;
mod reads;

mod cursor;
mod delivery;
mod hub;
mod replay;
mod topic;

mod close;
mod comeback;
mod sse;
mod websocket;

mod metrics;
mod rolling;
mod status;

mod console;
mod openapi;

pub use access::Access;
pub use admission::{Advice, Class, Settings as AdmissionSettings, SourceLimit};
pub use app::{
    Answer, App, Erased, EventName, Exchange, IdForm, Parts, Post, Source, Sources,
    sealed_elsewhere,
};
pub use audience::Audience;
pub use export::Exports;
pub use followup::{Followup, Ranking};
pub use ingest::{Inlet, Taken};
pub use letters::{DeadLetters, Letter, LetterStats, MAX_BODY_BYTES, Posted, Seal};
pub use limits::Limits;
pub use metrics::{MeasuredPlayers, Meter};
pub use openapi::openapi;
pub use people::{Keys, People, Wrong};
pub use problem::{Code, Problem};
pub use reconciled::{ReconcileWatch, Reconciled};
pub use routes::{ROUTES, Route};
pub use serve::serve;
pub use storage::{Damage, Files, Storage, StorageWatch};
pub use upstreams::{Phase, Upstream, UpstreamWatch};
pub use views::Views;
