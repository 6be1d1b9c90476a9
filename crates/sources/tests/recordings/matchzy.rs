//! The schema of MatchZy's webhooks: every event of it is understood, or left out on purpose.

use matchwire_sources::{Headers, matchzy::MatchZy};
use serde_json::json;

use crate::{recording, server::Server};

/// What tells nothing of the match.
const LEFT_OUT: [&str; 1] = ["demo_upload_ended"];

/// The names of all events: the values that a schema allows for its `event`.
fn names(schema: &str) -> Vec<String> {
    let lines: Vec<&str> = schema.lines().map(str::trim).collect();
    let named = lines.windows(3).filter(|lines| lines[0] == "event:" && lines[1] == "enum:");
    named.map(|lines| lines[2].trim_start_matches("- ").to_owned()).collect()
}

#[test]
fn every_event_of_the_schema() {
    let Some(schema) = recording("webhook-schemas/matchzy-events.yml") else { return };
    let names = names(&String::from_utf8(schema).unwrap());
    assert!(names.len() >= 9, "{names:?}");
    for name in names {
        let team = |name: &str, side: &str, score: u16| json!({"id": "1", "name": name, "series_score": 1, "score": score, "side": side, "players": []});
        let post = json!({
            "event": name, "matchid": 7, "map_number": 0, "round_number": 0, "round_time": 1,
            "reason": 8, "num_maps": 3, "team": "team1", "map_name": "de_x", "side": "ct",
            "team1": team("One", "ct", 1), "team2": team("Two", "t", 0),
            "winner": {"side": "ct", "team": "team1"}, "filename": "x.dem", "success": true,
            "team1_series_score": 2, "team2_series_score": 0, "time_until_restore": 45,
        });
        let mut server = Server::new(MatchZy);
        let taken = server.post(None, &Headers::new(), post.to_string().as_bytes());
        let is_known = taken.appended > 0 && taken.unknown == 0;
        assert_eq!(is_known, !LEFT_OUT.contains(&name.as_str()), "{name}: {taken:?}");
    }
}
