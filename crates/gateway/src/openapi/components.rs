//! The parts of the OpenAPI document that routes share: schemas of answers, and parameters.

use serde_json::{Value, json};

use super::{imports, players};

/// What a query parameter means, among those that the route takes.
pub(super) fn parameter(name: &str, all: &[&str]) -> Value {
    let (description, schema) = match name {
        "subject" => ("The stream, like match/m1/1", json!({"type": "string"})),
        "topic" => (
            "match/<match>, match/<match>/<map>, a pattern of those, in which * is one segment and ** any number, or tournament/<tournament>/matches",
            json!({"type": "string", "examples": ["match/m1/1", "match/**"]}),
        ),
        "after" => ("The cursor, or seq, after which to start", json!({"type": "string"})),
        "limit" => (
            "How many elements",
            json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}),
        ),
        "first" => imports::first(),
        "seq" => ("The number of the event", json!({"type": "integer", "minimum": 1})),
        "durability" => (
            "What the acknowledgement is to mean: on disk, or queued in memory where the server allows it",
            json!({"enum": ["disk", "memory"]}),
        ),
        "from" => ("The first time that is in", json!({"type": "string", "format": "date-time"})),
        "to" => ("The first time that is out", json!({"type": "string", "format": "date-time"})),
        "reason" => {
            ("Only those with this code", json!({"type": "string", "examples": ["schema"]}))
        }
        "source" => ("Only those of this source", json!({"type": "string"})),
        "game" => ("Only this game", json!({"type": "string", "examples": ["cs2"]})),
        "model" => ("Only this model", json!({"type": "string", "examples": ["mw-gbt-1"]})),
        "wait" => (
            "For how many seconds to wait until there is an event after the cursor; then the list is empty",
            json!({"type": "integer", "minimum": 0, "maximum": 30, "default": 0}),
        ),
        "speed" => (
            "How many times as fast as it was; 0 is at once",
            json!({"type": "number", "minimum": 0, "maximum": 1000, "default": 1}),
        ),
        "max_gap" => (
            "The longest pause, in seconds of the match; a longer one is cut to it. Without it none is cut",
            json!({"type": "number", "minimum": 0, "maximum": 86400}),
        ),
        "by" if all.contains(&"among") => (
            "What the order is by: matches won, or what the rating is at least",
            json!({"enum": ["won", "glicko-2", "openskill"], "default": "won"}),
        ),
        "among" | "system" | "season" | "tournament" | "format" | "around" | "expires"
        | "signature" => players::parameter(name),
        "by" => (
            "Which time decides when an event comes: when it was recorded, or its own, where it has one",
            json!({"enum": ["recorded", "time"], "default": "recorded"}),
        ),
        "type" => {
            ("Only activities of this kind", json!({"type": "string", "examples": ["match_won"]}))
        }
        "at_seq" => ("As of this event", json!({"type": "integer", "minimum": 0})),
        "views" => (
            "Of events, state and prediction those that are wanted, with commas",
            json!({"type": "string", "default": "events,state,prediction"}),
        ),
        _ => ("", json!({})),
    };
    let is_either = all.contains(&"subject") && all.contains(&"topic");
    let is_required = name == "seq" || (matches!(name, "subject" | "topic") && !is_either);
    json!({"name": name, "in": "query", "required": is_required, "description": description, "schema": schema})
}

/// The answer that every route may give instead.
pub(super) fn problem() -> Value {
    json!({
        "description": "A problem, RFC 9457",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    })
}

/// How a person is known.
pub(super) fn token() -> Value {
    json!({
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Signed by the platform around Matchwire, with EdDSA or HS256: sub is the account, exp is required",
    })
}

/// The answer where a person's token is missing or not good.
pub(super) fn unauthorized() -> Value {
    json!({
        "description": "There is no token, or it is not good",
        "headers": {
            "WWW-Authenticate": {
                "description": "Bearer, and error=\"invalid_token\" for one that is not good",
                "schema": {"type": "string"},
            },
        },
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    })
}

/// The answer to events that are refused for a limit, where some of them might be sent again.
pub(super) fn limited(results: &Value) -> Value {
    let mut limited = results.clone();
    let text =
        |description: &str| json!({"description": description, "schema": {"type": "string"}});
    if let Some(limited) = limited.as_object_mut() {
        let what = "No event was taken, since there are too many: a problem, or results where some were refused otherwise";
        limited.insert("description".into(), what.into());
        let headers = json!({
            "Retry-After": text("Seconds"),
            "RateLimit-Policy": text("The limit, as in \"source\";q=500;w=1: events per second"),
            "RateLimit": text("What is left of it, as in \"source\";r=0;t=2"),
        });
        limited.insert("headers".into(), headers);
    }
    if let Some(content) = limited.get_mut("content").and_then(Value::as_object_mut) {
        let schema = json!({"schema": {"$ref": "#/components/schemas/Problem"}});
        content.insert("application/problem+json".into(), schema);
    }
    limited
}

fn list(of: &str, element: &Value) -> Value {
    json!({
        "type": "object",
        "required": [of],
        "properties": {
            of: {"type": "array", "items": element},
            "next": {"description": "What to give as `after` for more; left out at the end"},
        },
    })
}

pub(super) fn schemas() -> Value {
    let text = json!({"type": "string"});
    let count = json!({"type": "integer", "minimum": 0});
    let object = json!({"type": "object"});
    json!({
        "Problem": problem_schema(),
        "Results": results(),
        "Me": players::me(),
        "Erasure": players::erasure(),
        "Export": players::export(),
        "SourceAnswer": source_answer(),
        "Event": {
            "type": "object",
            "description": "A CloudEvent 1.0 with the attributes that the log gave",
            "required": ["specversion", "id", "source", "subject", "type", "seq", "leaf", "chain", "recordedtime"],
            "properties": {
                "specversion": {"const": "1.0"}, "id": text, "source": text, "subject": text,
                "type": text, "time": text, "data": object, "seq": count,
                "sampledrate": {"type": "integer", "minimum": 1, "maximum": 2_147_483_647, "description": "Of how many events like it this is the one that was kept, itself among them; left out for 1"}, "leaf": text,
                "chain": text, "recordedtime": text,
            },
        },
        "Proof": proof(),
        "Events": list("events", &json!({"$ref": "#/components/schemas/Event"})),
        "DeadLetter": dead_letter(),
        "DeadLetters": list("dead_letters", &json!({"$ref": "#/components/schemas/DeadLetter"})),
        "Import": imports::import(),
        "Imports": list("imports", &json!({"$ref": "#/components/schemas/Import"})),
        "Upstreams": upstreams(),
        "MapState": map_state(),
        "Match": match_whole(),
        "Matches": list("matches", &json!({
            "type": "object",
            "required": ["match", "standing", "maps"],
            "properties": {
                "match": text,
                "series": {"type": "object", "description": "A part of what the match's own stream tells"},
                "standing": standing(),
                "maps": {"type": "object", "description": "By number, a part of each map's state"},
            },
        })),
        "Prediction": prediction(),
        "Activities": list("activities", &players::activity()),
        "Statistics": players::statistics(),
        "Opponents": list("opponents", &players::versus()),
        "Versus": players::versus(),
        "Ratings": players::ratings(),
        "Leaderboard": list("players", &players::standing()),
        "Predictions": list("predictions", &object),
        "Calibration": super::calibration::schema(),
        "Stats": stats(),
        "Status": object,
        "Schemas": list("schemas", &object),
    })
}

/// Why a request failed.
fn problem_schema() -> Value {
    let text = json!({"type": "string"});
    let count = json!({"type": "integer", "minimum": 0});
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "trace_id"],
        "properties": {
            "type": text, "title": text, "status": count, "detail": text, "code": text,
            "trace_id": text,
            "floor": {
                "type": "object",
                "description": "With the code trimmed: the last event that is gone. The stream goes on behind it",
                "required": ["seq", "chain"],
                "properties": {"seq": count, "chain": text},
            },
        },
    })
}

/// Who will win.
fn prediction() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    let odds = json!({"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}});
    let draw = "Where a draw stands; then it and map sum to 1";
    let stale = "Play has gone on since, and the model could not be asked";
    json!({
        "type": "object",
        "required": ["seq", "model", "map"],
        "properties": {
            "seq": count, "model": {"type": "string"}, "round_no": count, "round": odds, "map": odds,
            "draw": {"type": "number", "minimum": 0, "maximum": 1, "description": draw},
            "stale": {"type": "boolean", "default": false, "description": stale},
        },
    })
}

/// What became of a post of a source.
fn source_answer() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    json!({
        "type": "object",
        "required": ["appended", "duplicate", "unknown"],
        "properties": {
            "appended": count, "duplicate": count, "unknown": count, "refused": count,
            "match": {"type": "string", "description": "The match that the server plays, of a post for a server"},
        },
    })
}

/// How upstreams are.
fn upstreams() -> Value {
    let (text, count) = (json!({"type": "string"}), json!({"type": "integer", "minimum": 0}));
    let state = "connecting before it was reached; held while this server has too much to do; \
                 failing while it is tried again soon; broken while it is left alone";
    let upstream = json!({
        "type": "object",
        "required": ["name", "kind", "url", "format", "class", "state", "failures", "failed", "events"],
        "properties": {
            "name": text,
            "kind": {"enum": ["poll", "sse", "websocket"]},
            "url": {"type": "string", "description": "Without its query, which may be secret"},
            "format": {"type": "string", "description": "cloudevents, or the name of a source"},
            "class": {"enum": ["sensor", "broadcast", "social"]},
            "state": {
                "enum": ["connecting", "connected", "held", "failing", "broken"],
                "description": state,
            },
            "failures": {"type": "integer", "minimum": 0, "description": "One after another"},
            "failed": {"type": "integer", "minimum": 0, "description": "Since the start"},
            "error": text,
            "answered": {"type": "string", "format": "date-time"},
            "cursor": {"type": "string", "description": "Where it is read from next, in its own words"},
            "events": {
                "type": "object",
                "properties": {
                    "appended": count, "duplicate": count, "unknown": count, "rejected": count,
                },
            },
        },
    });
    json!({
        "type": "object",
        "required": ["upstreams"],
        "properties": {"upstreams": {"type": "array", "items": upstream}},
    })
}

/// What each player did.
fn stats() -> Value {
    let stats = "As the game counts them; of Counter-Strike rounds and players by id, with adr, kast, \
                 kpr and headshot_share; of football teams and players by id, with what they did in \
                 90 minutes";
    json!({
        "type": "object",
        "required": ["match", "maps", "stats"],
        "properties": {
            "match": {"type": "string"},
            "maps": {"type": "array", "items": {"type": "integer", "minimum": 1}},
            "stats": {"type": "object", "description": stats},
        },
    })
}

/// A match with all its maps.
fn match_whole() -> Value {
    let series = "What the match's own stream tells: schedule, line-ups, veto, result";
    json!({
        "type": "object",
        "required": ["match", "standing", "series", "maps"],
        "properties": {
            "match": {"type": "string"},
            "series": {"type": "object", "description": series},
            "standing": standing(),
            "maps": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/MapState"}},
        },
    })
}

/// Where a match stands, from its own stream and its maps together.
fn standing() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    let odds = json!({"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}});
    let team = json!({"type": "object", "properties": {"name": {"type": "string"}}});
    json!({
        "type": "object",
        "description": "In the order of the match's teams",
        "required": ["status", "teams", "score"],
        "properties": {
            "status": {"enum": ["scheduled", "live", "paused", "ended"]},
            "teams": {"type": "array", "items": team},
            "score": {"type": "array", "items": count, "description": "Maps won"},
            "winner": {"enum": [0, 1]},
            "odds": odds,
        },
    })
}

/// What it takes to compute the hashes of an event again.
fn proof() -> Value {
    let text = json!({"type": "string"});
    let count = json!({"type": "integer", "minimum": 0});
    json!({
        "type": "object",
        "description": "leaf is SHA-256(stored); chain is SHA-256(before.chain, seq, recordedtime_ms, leaf), numbers as 8 bytes, big-endian",
        "required": ["subject", "seq", "log_id", "lineage", "recordedtime", "recordedtime_ms", "stored", "leaf", "chain"],
        "properties": {
            "subject": text, "seq": count, "log_id": text, "lineage": text,
            "recordedtime": text, "recordedtime_ms": {"type": "integer"},
            "stored": {"type": "string", "description": "The exact bytes that are hashed, UTF-8"},
            "leaf": text, "chain": text,
            "before": {
                "type": "object",
                "description": "The event before it; of the first one, seq 0 and the genesis. Left out where that event is lost",
                "required": ["seq", "chain"],
                "properties": {"seq": count, "chain": text},
            },
        },
    })
}

/// Something that was refused; the list leaves `detail` and `body` out.
fn dead_letter() -> Value {
    let text = json!({"type": "string"});
    let count = json!({"type": "integer", "minimum": 0});
    json!({
        "type": "object",
        "description": "Something that was refused and is kept. What it says of itself is there as far as it can be read",
        "required": ["seq", "kept", "reason", "via", "attempts", "body_bytes", "source"],
        "properties": {
            "seq": count,
            "kept": {"type": "string", "format": "date-time"},
            "reason": {"type": "string", "description": "The code with which it was refused the last time"},
            "via": {"type": "string", "description": "Where it came in: http for events over HTTP, else the name of a source"},
            "place": {"type": "string", "description": "Where a post of a source was for: m1/auto, or @server"},
            "headers": {"type": "object", "additionalProperties": text, "description": "The headers of a post that its reader looks at; not in the list"},
            "attempts": count, "body_bytes": count,
            "kept_bytes": {"type": "integer", "minimum": 0, "description": "There if only the beginning of the body is kept"},
            "source": text, "subject": text, "type": text, "id": text,
            "detail": {"type": "string", "description": "Why it was refused, in words; not in the list"},
            "body": {"type": "string", "description": "The body as it came; not in the list"},
            "is_utf8": {"const": false, "description": "There if the body is not UTF-8, and is shown with replacements"},
        },
        "examples": [{
            "seq": 7, "kept": "2026-01-01T00:00:00.000Z", "reason": "schema", "via": "http",
            "attempts": 1, "body_bytes": 108, "source": "feed", "subject": "match/m1/1",
            "type": "round.started", "id": "e1",
            "detail": "data of round.started: unknown field `x`, there are no fields at line 1 column 4; the schema is at /api/v1/schemas/round.started.json",
            "body": "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"feed\",\"subject\":\"match/m1/1\",\"type\":\"round.started\",\"data\":{\"x\":1}}",
        }],
    })
}

/// The answer to events: one result for each.
fn results() -> Value {
    let text = json!({"type": "string"});
    let count = json!({"type": "integer", "minimum": 0});
    json!({
        "type": "object",
        "required": ["durability", "results"],
        "properties": {
            "durability": {"enum": ["memory", "disk", "quorum"]},
            "results": {"type": "array", "items": {
                "type": "object",
                "required": ["status"],
                "properties": {
                    "status": {"enum": ["appended", "duplicate", "accepted", "sampled", "rejected"]},
                    "sampledrate": {"type": "integer", "minimum": 2, "description": "Of what is sampled: one of so many is kept, and this one is not. It need not be sent again"},
                    "id": text, "subject": text, "seq": count,
                    "leaf": {"type": "string", "description": "Left out of a duplicate whose first event is trimmed or archived"},
                    "chain": {"type": "string", "description": "As leaf"},
                    "differs": {"type": "boolean"}, "index": count,
                    "error": {"type": "object", "properties": {"code": text, "detail": text}},
                },
            }},
        },
    })
}

/// The state of a map, as far as the contract fixes it. What is not required belongs to some games.
fn map_state() -> Value {
    let text = json!({"type": "string"});
    let count = json!({"type": "integer", "minimum": 0});
    let object = json!({"type": "object"});
    json!({
        "type": "object",
        "required": ["match", "map", "seq", "status", "game", "teams"],
        "properties": {
            "match": text, "map": count, "seq": count,
            "status": {"enum": ["scheduled", "live", "paused", "ended"]},
            "game": text, "map_name": text, "round": count,
            "teams": {"type": "array", "items": object, "minItems": 2, "maxItems": 2},
            "players": object, "rounds": object,
            "bomb": text,
            "period": text, "clock": object, "goals": object, "disallowed": object,
            "missed_penalties": object, "cards": object, "substitutions": object,
            "shootout": object, "periods": object,
            "prediction": {"$ref": "#/components/schemas/Prediction"},
            "anomalies": {"type": "array", "items": object},
        },
    })
}
