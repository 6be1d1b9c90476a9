//! Matchwire's pure core: what an event is, how streams are named and chained, and the folds that
//! turn a stream into state.
//!
//! Nothing here does I/O, reads a clock or draws a random number: time arrives inside events, and
//! `clippy.toml` bans the rest. The same events give the same state, byte for byte, anywhere.

pub mod subject;
pub mod timestamp;

pub mod secret;

pub mod envelope;

pub mod chain;

pub mod timeline;

pub mod live_match;
pub mod series;

pub mod player;
pub mod tournament;

pub mod outcome;

pub mod activity;

pub mod calibration;

pub mod vocabulary;

pub mod dead_letter;

pub mod import;

pub mod merge_patch;
