//! What hostile input must never break: each check takes any bytes, and panics if something that
//! the project promises does not hold. It answers whether the input was good enough to get that
//! far, so that a test can see that its good input is.
//!
//! `cargo fuzz` runs them without end (`fuzz_targets/`), and `tests/smoke.rs` for a second, from a
//! seed. The panics of the code that is called count too.

mod cs_log;
mod domain;
mod embedded;
mod odds;
mod players;
mod posts;
mod statsbomb;

pub use cs_log::{cs_log_feed, cs_log_line};
pub use domain::{envelope, fold};
pub use embedded::{good_segment, segment_bytes, segment_flips};
pub use odds::{model_file, snapshots};
pub use players::{activities, histories};
pub use posts::{gsi_posts, matchzy_posts};
pub use statsbomb::statsbomb;
