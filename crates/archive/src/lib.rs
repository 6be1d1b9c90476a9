//! Old files of the log as Parquet objects, in a directory or in S3.
//!
//! ```text
//!   4 bytes   group 0              group 1              …   footer
//!   PAR1     │subject│seq│…│event│subject│seq│…│event│     │schema, where each group is,       │PAR1
//!                                                          │its statistics, its CRC32C; log id │
//! ```
//!
//! A group of rows is a row group of Parquet, so it comes back with one request for a range, after one
//! or two for the footer, which is remembered. DuckDB, Polars and ClickHouse read an object as it is.
//!
//! Nothing that comes back is believed: sizes, checksums and every count are compared before a byte is
//! decompressed, and whatever does not fit is [`Corrupt`](matchwire_log::Error::Corrupt). The chain of
//! the rows is left to the caller, as [`Archive`](matchwire_embedded::archive::Archive) says.

mod archive;
mod error;
mod name;

mod schema;

mod encode;
mod out;
mod write;

mod cache;
mod decode;
mod fetch;
mod footer;
mod page;

mod worker;

#[cfg(test)]
mod tests;

pub use archive::Parquet;
pub use error::Error;
pub use schema::{MAX_GROUP_BYTES, MAX_GROUP_ROWS, MAX_GROUPS};
