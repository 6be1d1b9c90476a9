//! The schemas of what is told of players.

use serde_json::{Value, json};

/// Who asks.
pub(super) fn me() -> Value {
    let player =
        json!({"type": "string", "description": "The player id; left out if there is none"});
    json!({"type": "object", "properties": {"player": player}})
}

/// What was destroyed of a person.
pub(super) fn erasure() -> Value {
    let time = json!({"type": "string", "format": "date-time"});
    json!({
        "type": "object",
        "required": ["receipt", "player", "time", "destroyed", "backups_dark_by"],
        "properties": {
            "receipt": {"type": "string", "description": "The number under which the ledger of erasures has it"},
            "player": {"type": "string", "description": "The player id, which says nothing of anybody any more"},
            "time": time,
            "destroyed": {"type": "array", "items": {"type": "string"}},
            "backups_dark_by": {"type": "string", "format": "date-time", "description": "From then on no back-up of the vault that was made before can be read"},
        },
    })
}

/// A copy of what is kept of a person.
pub(super) fn export() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    json!({
        "type": "object",
        "required": ["status", "progress"],
        "properties": {
            "status": {"enum": ["running", "ready", "failed"]},
            "progress": {"type": "object", "properties": {"activities": count, "of": count}},
            "bytes": count,
            "expires": {"type": "string", "format": "date-time"},
            "url": {"type": "string", "description": "A zip, for whoever has this link"},
        },
    })
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
