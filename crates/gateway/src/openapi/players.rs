//! The schemas of what is told of players.

use serde_json::{Value, json};

/// Who asks.
pub(super) fn me() -> Value {
    let player =
        json!({"type": "string", "description": "The player id; left out if there is none"});
    json!({"type": "object", "properties": {"player": player}})
}

/// What a player did, once.
pub(super) fn activity() -> Value {
    json!({
        "type": "object",
        "required": ["player", "source_model", "source_id", "event_type", "revision", "time"],
        "properties": {
            "player": {"type": "string"},
            "source_model": {"enum": ["match", "tournament"]},
            "source_id": {"type": "string"},
            "event_type": {"type": "string", "examples": ["match_won"]},
            "revision": {"type": "integer", "minimum": 1, "description": "Odd states something, even takes that back"},
            "time": {"type": "string", "format": "date-time"},
        },
    })
}

/// What is counted of a player.
pub(super) fn statistics() -> Value {
    let count = json!({"type": "integer"});
    json!({
        "type": "object",
        "required": ["player", "played", "won", "lost", "drawn", "streaks"],
        "properties": {
            "player": {"type": "string"},
            "played": count,
            "won": count,
            "lost": count,
            "drawn": count,
            "win_rate": {"type": "number", "minimum": 0, "maximum": 1},
            "streaks": {"type": "object"},
        },
    })
}

/// A place on a leaderboard.
pub(super) fn standing() -> Value {
    json!({
        "type": "object",
        "required": ["place", "won"],
        "properties": {
            "place": {"type": "integer", "minimum": 1},
            "won": {"type": "integer", "minimum": 0},
            "player": {"type": "string", "description": "Left out of whoever is not to be seen"},
        },
    })
}
