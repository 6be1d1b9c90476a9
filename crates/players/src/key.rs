//! The place of a match among others.

use matchwire_domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// The place of a match in the order of results: by the time at which it ended, and then by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// When it ended.
    pub ended: Timestamp,
    /// Its name.
    #[serde(rename = "match")]
    pub match_id: String,
}
