//! Texts that stand in events, each with a bound that its schema tells too.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::declare::bounded;

bounded! {
    /// A name or other short text, at most 128 characters.
    Label(String), 128, "maxLength", |text| text.chars().count();
    /// A person: a player id, or an account (`steam:…`), which is exchanged at admission.
    Player(String), 128, "maxLength", |text| text.chars().count();
}

impl Label {
    /// A label of the first 128 characters of a text.
    pub fn cut(text: &str) -> Self {
        Self(text.chars().take(128).collect())
    }
}

impl Player {
    /// A player id or account; longer than 128 characters it is cut.
    pub fn new(text: &str) -> Self {
        Self(text.chars().take(128).collect())
    }
}
