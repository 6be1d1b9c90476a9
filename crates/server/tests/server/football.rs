//! A made-up football match in StatsBomb's format, through a real server.

use serde_json::{Value, json};

use crate::{
    played,
    process::{Server, matchwire},
};

fn event(index: u64, kind: &str, team: u64, period: u8, second: u64, more: Value) -> Value {
    let name = if team == 1 { "Reds" } else { "Blues" };
    let mut event = json!({
        "id": format!("event-{index}"), "index": index, "period": period,
        "timestamp": format!("00:{:02}:{:02}.000", second / 60, second % 60),
        "type": {"id": 1, "name": kind}, "team": {"id": team, "name": name},
        "possession": index, "possession_team": {"id": team, "name": name},
    });
    if let (Value::Object(event), Value::Object(more)) = (&mut event, more) {
        event.extend(more);
    }
    event
}

/// 1:0, with a card.
fn feed() -> Vec<Value> {
    let row = |id: u64| json!({"player": {"id": id, "name": format!("Player {id}")}, "jersey_number": id});
    let eleven = |first| json!({"tactics": {"formation": 433, "lineup": (first..first + 11).map(row).collect::<Vec<_>>()}});
    let shot = json!({"player": {"id": 9}, "shot": {
        "statsbomb_xg": 0.5, "outcome": {"name": "Goal"}, "type": {"name": "Open Play"}}});
    let foul = json!({"player": {"id": 22}, "foul_committed": {"card": {"name": "Yellow Card"}}});
    vec![
        event(1, "Starting XI", 1, 1, 0, eleven(1)),
        event(2, "Starting XI", 2, 1, 0, eleven(21)),
        event(3, "Half Start", 1, 1, 0, json!({})),
        event(4, "Pass", 1, 1, 3, json!({})),
        event(5, "Shot", 1, 1, 600, shot),
        event(6, "Foul Committed", 2, 1, 700, foul),
        event(7, "Half End", 1, 1, 2_800, json!({})),
        event(8, "Half Start", 2, 2, 0, json!({})),
        event(9, "Half End", 2, 2, 2_900, json!({})),
    ]
}

#[tokio::test]
async fn a_match_through_send_and_through_posts() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(&data.path().join("data"), "127.0.0.1:0");
    let client = server.client();
    // The match has its name, whether it is compressed or not.
    let file = data.path().join("cup-final.json.zst");
    let feed_json = serde_json::to_vec(&feed()).unwrap();
    std::fs::write(&file, zstd::encode_all(feed_json.as_slice(), 3).unwrap()).unwrap();
    for known in [0, 9] {
        let output = matchwire()
            .args(["send", "--json", "--format", "statsbomb", "--server", &server.url()])
            .arg(&file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let total: Value = serde_json::from_slice(&output.stdout).unwrap();
        let duplicate = total["duplicate"].as_u64().unwrap();
        assert_eq!((duplicate >= known, total["unknown"].clone()), (true, 0.into()), "{total}");
    }
    let sent = played::state(&client, "cup-final", 1).await;
    assert_eq!(sent["game"], "football");
    assert_eq!((&sent["status"], &sent["winner"]), (&"ended".into(), &0.into()));
    assert_eq!(sent["teams"][0]["name"], "Reds");
    assert_eq!((&sent["teams"][0]["score"], &sent["teams"][1]["score"]), (&1.into(), &0.into()));
    assert_eq!(sent["teams"][1]["yellow_cards"], 1);
    assert_eq!(sent["anomalies"], json!([]));
    let scorer = sent["goals"]["1"]["scorer"].as_str().unwrap();
    assert_eq!(sent["players"][scorer]["name"], "Player 9");
    assert!(!scorer.contains("statsbomb"), "people are exchanged: {scorer}");
    let figures = client.get("/matches/cup-final/stats").await.unwrap();
    assert_eq!(figures["stats"]["teams"][0]["goals"], 1);
    assert_eq!(figures["stats"]["players"][scorer]["xg"], 0.5);
    // One by one, but for the starting elevens from the end on.
    let all = feed();
    for event in all[..2].iter().chain(all[2..].iter().rev()) {
        client.post("/sources/statsbomb/reverse/1", &[], event.to_string().into()).await.unwrap();
    }
    let reverse = played::state(&client, "reverse", 1).await;
    for part in ["status", "winner", "clock", "teams", "players", "cards", "periods"] {
        let mut parts = [&sent[part], &reverse[part]].map(Value::clone);
        // Without times, they are those of the log.
        for part in &mut parts {
            strip_times(part);
        }
        assert_eq!(parts[0], parts[1], "{part}");
    }
    // The match is abandoned: an operator says so, and the feed is not needed.
    let abandoned = json!({
        "specversion": "1.0", "id": "1", "source": "operator", "subject": "match/reverse/1",
        "type": "match.abandoned", "data": {"reason": "fog"},
    });
    let headers = [("content-type", "application/cloudevents+json".to_owned())];
    client.post("/events", &headers, abandoned.to_string().into()).await.unwrap();
    let state = played::state(&client, "reverse", 1).await;
    assert_eq!((&state["status"], &state["winner"]), (&"ended".into(), &Value::Null));
    assert_eq!(state["ruling"]["kind"], "abandoned");
}

fn strip_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !matches!(name.as_str(), "time" | "started"));
            fields.values_mut().for_each(strip_times);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_times),
        _ => {}
    }
}
