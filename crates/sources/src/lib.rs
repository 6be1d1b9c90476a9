//! Other systems' formats, turned into Matchwire's events.
//!
//! Everything here is pure: bytes and what was carried from before go in, events and what is
//! carried on come out. Storing either is the caller's business.

pub mod cs_log;
pub mod cs_rows;
