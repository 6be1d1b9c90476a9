//! The schemas of what is told of players.

use serde_json::{Value, json};

/// Who asks.
pub(super) fn me() -> Value {
    let player =
        json!({"type": "string", "description": "The player id; left out if there is none"});
    let public = json!({"type": "string", "examples": ["MW-26-000042"]});
    json!({"type": "object", "properties": {"player": player, "public_id": public}})
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
            "pending": {"type": "array", "items": {"type": "string"}, "description": "What the server destroys by itself as soon as it can, also after a restart; left out if nothing is left. The same request again tells how it stands"},
            "backups_dark_by": {"type": "string", "format": "date-time", "description": "From then on no back-up of the vault that was made before can be read"},
        },
    })
}

/// A copy of what is kept of a person.
pub(super) fn export() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    json!({
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": {"enum": ["none", "running", "ready", "failed"]},
            "progress": {"type": "object", "properties": {"activities": count, "of": count}},
            "bytes": count,
            "expires": {"type": "string", "format": "date-time"},
            "url": {"type": "string", "description": "A zip, for whoever has this link: summary.html, person.json, activities.ndjson, statistics.ndjson, ratings.ndjson, versus.ndjson and decisions.ndjson"},
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

/// How a player has fared against another one.
pub(super) fn versus() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    json!({
        "type": "object",
        "required": ["against", "met", "won", "lost", "drawn"],
        "properties": {
            "player": {"type": "string", "description": "Left out in a list, which is of one player"},
            "against": {"type": "string"},
            "game": {"type": "string", "description": "Left out in a list, which is of one game"},
            "met": {"type": "integer", "minimum": 0, "description": "Matches against each other that play has decided"},
            "won": count,
            "lost": count,
            "drawn": count,
            "win_rate": {"type": "number", "minimum": 0, "maximum": 1},
        },
    })
}

/// What a player is rated.
pub(super) fn ratings() -> Value {
    let number = json!({"type": "number"});
    let rating = json!({
        "type": "object",
        "required": ["rating", "deviation", "floor"],
        "properties": {
            "rating": number,
            "deviation": number,
            "floor": {"type": "number", "description": "What the rating is at least, by which leaderboards are ordered"},
            "volatility": {"type": "number", "description": "Of Glicko-2"},
            "since": {"type": "string", "format": "date-time", "description": "When the last match ended that was rated, for whom that is to be seen"},
        },
    });
    let point = json!({
        "type": "object",
        "required": ["time", "rating", "deviation"],
        "properties": {
            "time": {"type": "string", "format": "date-time"},
            "match": {"type": "string", "description": "Left out where one point is told of a day"},
            "rating": number,
            "deviation": number,
        },
    });
    json!({
        "type": "object",
        "required": ["player", "game", "ratings"],
        "properties": {
            "player": {"type": "string"},
            "game": {"type": "string"},
            "ratings": {"type": "object", "description": "By system; none before the first match that was rated", "additionalProperties": rating},
            "history": {"type": "array", "items": point, "description": "With a system, the newest first"},
            "next": {"type": "string"},
            "folding": {"const": true, "description": "There while a late or corrected result is being folded in: what came after it is as it was before"},
        },
    })
}

/// A place on a leaderboard.
pub(super) fn standing() -> Value {
    json!({
        "type": "object",
        "required": ["place"],
        "properties": {
            "place": {"type": "integer", "minimum": 1},
            "won": {"type": "integer", "minimum": 0, "description": "By matches won"},
            "floor": {"type": "number", "description": "By a rating: what it is at least"},
            "rating": {"type": "number", "description": "By a rating"},
            "deviation": {"type": "number", "description": "By a rating"},
            "player": {"type": "string", "description": "Left out of whoever is not to be seen"},
        },
    })
}

/// What a query parameter of what is told of players means.
pub(super) fn parameter(name: &str) -> (&'static str, Value) {
    match name {
        "among" => (
            "Among all, or among the friends of the person who asks, by their token",
            json!({"enum": ["all", "friends"], "default": "all"}),
        ),
        "season" => ("Only what counts for this season", json!({"type": "string"})),
        "tournament" => ("Only what was done in this tournament", json!({"type": "string"})),
        "format" => (
            "Alone, in teams, or both",
            json!({"enum": ["solo", "team", "both"], "default": "both"}),
        ),
        "around" => ("The player who is to be in the middle", json!({"type": "string"})),
        "expires" => {
            ("Until when the link is good, in seconds since 1970", json!({"type": "integer"}))
        }
        "signature" => ("What the server has signed the link with", json!({"type": "string"})),
        _ => (
            "With what a player was rated before, by this system",
            json!({"enum": ["glicko-2", "openskill"]}),
        ),
    }
}
