//! Back-up and restore: the log and the vault of a data directory are copied to a directory or to
//! S3 while the server runs, and become a data directory again.
//!
//! ```text
//!   DATA/log/…0001-…0420.sealed     PLACE/log/…0001-…0420.sealed
//!            …0421.seg                        …0421.seg.000000000000-000000524288
//!                                             …0421.seg.000000524288-000000565248
//!                                             backup.json        what belongs to the back-up
//!   DATA/vault/exchange.ndjson      PLACE/vault/exchange.ndjson.000000001234-9f86d081
//!                                               backup.json
//! ```
//!
//! An object is never written over while a `backup.json` names it, and `backup.json` is replaced
//! last; so a back-up that is broken off is what it was before. What is copied ([`Backup`]) is never
//! copied again, with two exceptions that keep objects few: small pieces of a segment are copied as
//! one when as much again has come, and once a sealed file holds what was copied from other files,
//! it takes their place.
//!
//! Which groups are on the disk, and what a log is made of, is left to `matchwire-embedded`; the way to
//! a store is that of `matchwire-store`.

mod error;
mod store;

mod manifest;

mod backup;
mod follow;
mod round;
mod tidy;
mod vault;

mod download;
mod restore;

pub use backup::Backup;
pub use error::Error;
pub use follow::{Told, follow};
pub use manifest::{Entry, Manifest};
pub use restore::{Restored, restore};
pub use round::Round;
pub use store::Store;
