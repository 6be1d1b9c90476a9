//! Places for objects: a directory, or a prefix in a bucket of S3.
//!
//! A [`Place`] opens either, says in words what stands against it ([`Error`]), and puts objects of any
//! size in bounded memory ([`Parts`]). What objects there are, and what a missing one means, is left to
//! who uses it.

mod error;
mod place;
mod upload;

pub use error::Error;
pub use place::{Place, is_missing};
pub use upload::Parts;
