//! The schema of the calibration.

use serde_json::{Value, json};

/// How good predictions have been.
pub(super) fn schema() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    let told = |what: &str| json!({"type": "integer", "minimum": 0, "description": what});
    json!({
        "type": "object",
        "required": ["complete", "waiting_maps", "incomplete_maps", "calibration"],
        "properties": {
            "complete": {"type": "boolean", "description": "Whether every map of the log has been counted since the start of the server"},
            "waiting_maps": told("Maps that are still to be counted, the first time or since they changed"),
            "incomplete_maps": told("Maps that could not be read, or on which a model failed"),
            "calibration": {"type": "array", "items": row(&count)},
        },
    })
}

fn row(count: &Value) -> Value {
    let number = |what: &str| json!({"type": "number", "minimum": 0, "description": what});
    let target =
        "Who wins the round, who wins the map, or how the match ends where there are draws";
    let brier = "The mean square of what the probability was away from what came: of the first team for round and map (0.25 for a coin), \
                 summed over win, draw and loss for result";
    let log_loss =
        "The mean of -ln of the probability of what came, which counts as a millionth at least";
    let ece = "By how much the bins' rates differ from what was predicted, each by its count; the mean over what can come";
    json!({
        "type": "object",
        "required": ["game", "model", "target", "shadow", "predictions", "outcomes", "maps", "reliability"],
        "properties": {
            "game": {"type": "string"}, "model": {"type": "string"},
            "target": {"enum": ["round", "map", "result"], "description": target},
            "shadow": {"type": "boolean", "description": "Whether it predicted in the shadow of the model that was served"},
            "predictions": {"type": "integer", "minimum": 0, "description": "Each that was made while its outcome was open counts once"},
            "outcomes": {"type": "integer", "minimum": 0, "description": "How many rounds or maps they were about"},
            "maps": count,
            "brier": number(brier), "log_loss": number(log_loss), "ece": number(ece),
            "reliability": {"type": "array", "items": diagram(count)},
        },
    })
}

fn diagram(count: &Value) -> Value {
    let rate =
        |what: &str| json!({"type": "number", "minimum": 0, "maximum": 1, "description": what});
    json!({
        "type": "object",
        "required": ["outcome", "bins"],
        "properties": {
            "outcome": {"enum": ["first", "draw", "second"], "description": "Whose probability it is: that the first team wins, and where there are draws that nobody or the second does"},
            "bins": {
                "type": "array", "minItems": 10, "maxItems": 10,
                "items": {
                    "type": "object",
                    "required": ["from", "to", "count"],
                    "properties": {
                        "from": rate("The lower edge, which is in"),
                        "to": rate("The upper edge, which is not, but of the last one"),
                        "count": count,
                        "predicted": rate("The mean probability; left out where there is none"),
                        "observed": rate("How often it came so; left out where there is none"),
                    },
                },
            },
        },
    })
}
