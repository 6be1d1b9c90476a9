//! Back-up and restore: the log and the vault of a data directory are copied to a directory or to
//! S3 while the server runs, and become a data directory again.
//!
//! ```text
//!   DATA/log/…0001-…0420.sealed     PLACE/log/…0001-…0420.sealed
//!            …0421.seg                        …0421.seg.000000000000-000000524288
//!                                             …0421.seg.000000524288-000000565248
//!                                             backup.json        what belongs to the back-up
//!   DATA/vault/people.ndjson        PLACE/vault/people.ndjson.2026-11-26-9f86d081884c7d65    sealed
//!                                               backup.json
//!              erasures.ndjson      PLACE.safe/erasures.ndjson        never set back
//!                                             keys/2026-11-26.key    destroyed after 30 days
//! ```
//!
//! An object is never written over while a `backup.json` names it, and `backup.json` is replaced
//! last; so a back-up that is broken off is what it was before. What is copied ([`Backup`]) is never
//! copied again, with two exceptions that keep objects few: small pieces of a segment are copied as
//! one when as much again has come, and once a sealed file holds what was copied from other files,
//! it takes their place.
//!
//! The vault is stored sealed with a key of the day. Keys and the ledger of erasures are in the [`Safe`], which nobody copies: so
//! a copy of the back-up tells of nobody, an old one goes dark, and whoever was erased is erased again by a restore.
//!
//! Which groups are on the disk, and what a log is made of, is left to `matchwire-embedded`; the way to
//! a store is that of `matchwire-store`.

mod error;
mod store;

mod manifest;

mod day;
mod safe;

mod backup;
mod follow;
mod round;
mod tidy;
mod vault;

mod download;
mod restore;

pub use backup::Backup;
pub use day::Day;
pub use error::Error;
pub use follow::{Told, follow};
pub use manifest::{Entry, Manifest};
pub use restore::{People, Restored, Wanted, restore};
pub use round::Round;
pub use safe::Safe;
pub use store::Store;
