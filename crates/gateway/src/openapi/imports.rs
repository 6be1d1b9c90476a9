//! The schema of what is told of an import.

use serde_json::{Value, json};

/// How an import stands.
pub(super) fn import() -> Value {
    let (text, count) = (json!({"type": "string"}), json!({"type": "integer", "minimum": 0}));
    let time = json!({"type": "string", "format": "date-time"});
    let told =
        "How many events were announced; those before sure are there, of the others nobody knows";
    let file = json!({"type": "object", "required": ["name", "bytes"], "properties": {"name": text, "bytes": count}});
    json!({
        "type": "object",
        "required": ["import", "status", "content", "events", "told", "sure", "since", "changed"],
        "properties": {
            "import": text,
            "status": {"enum": ["open", "finished", "revoking", "revoked"]},
            "content": {"type": "string", "description": "A hash over all of its events"},
            "events": count,
            "told": {"type": "integer", "minimum": 0, "description": told},
            "sure": count,
            "batches": count,
            "refused": count,
            "by": text,
            "files": {"type": "array", "items": file},
            "since": time,
            "changed": time,
            "revoked": {
                "type": "object",
                "required": ["batches", "voided", "kept"],
                "properties": {
                    "batches": count, "voided": count, "by": text, "reason": text,
                    "kept": {"type": "integer", "minimum": 0, "description": "Events of streams that are sealed, which stay"},
                },
            },
        },
    })
}

/// Which batch of an import it is.
pub(super) fn first() -> (&'static str, Value) {
    let number = json!({"type": "integer", "minimum": 0});
    ("The number of the first event within the import, from 0", number)
}
