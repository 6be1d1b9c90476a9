//! Which model predicts when, so that a prediction that was sent stays as it was sent.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// The type of the events in the stream of switches.
pub const MODEL_SWITCHED: &str = "model.switched";
/// The stream of switches, one for all matches; the server alone writes it.
pub const MODELS_STREAM: &str = "admin/models";

/// The data of [`MODEL_SWITCHED`]: from a moment of the log on, another model predicts a game.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSwitched {
    /// The game.
    pub game: String,
    /// The model.
    pub model: String,
    /// Events that are recorded at this moment or later are predicted by it.
    pub from: Timestamp,
}

/// The switches of a log, in its order. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Models(Arc<[ModelSwitched]>);

impl Models {
    /// These switches.
    pub fn new(switches: Vec<ModelSwitched>) -> Self {
        Self(switches.into())
    }

    /// The model of a game for an event that was recorded then; `None` before the first switch.
    pub fn at(&self, game: &str, recorded: Timestamp) -> Option<&str> {
        let of_game = self.0.iter().rev().filter(|switch| switch.game == game);
        of_game.clone().find(|switch| switch.from <= recorded).map(|switch| switch.model.as_str())
    }

    /// The model that predicts a game now.
    pub fn last(&self, game: &str) -> Option<&str> {
        let last = self.0.iter().rev().find(|switch| switch.game == game);
        last.map(|switch| switch.model.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_for_what_is_recorded_after_it() {
        let switch = |game: &str, model: &str, from| ModelSwitched {
            game: game.into(),
            model: model.into(),
            from: Timestamp::from_ms(from),
        };
        let models =
            Models::new(vec![switch("a", "one", 5), switch("b", "x", 6), switch("a", "two", 9)]);
        let at = |recorded| models.at("a", Timestamp::from_ms(recorded));
        assert_eq!(
            [4, 5, 8, 9, 99].map(at),
            [None, Some("one"), Some("one"), Some("two"), Some("two")]
        );
        assert_eq!((models.last("a"), models.last("c")), (Some("two"), None));
    }
}
