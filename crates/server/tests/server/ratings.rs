//! `matchwire players ratings`: all of history by a system of one's choice.

use std::path::Path;

use serde_json::{Value, json};

use crate::process::{Server, matchwire};

/// A match that the first of two players has won, at a time.
async fn played(server: &Server, id: &str, minute: u32, winner: &str, loser: &str, more: Value) {
    let event = |n: u32, tag: &str, data: Value| {
        json!({
            "specversion": "1.0", "id": n.to_string(), "source": "test", "subject": format!("match/{id}"),
            "type": tag, "time": format!("2026-05-01T10:{minute:02}:00Z"), "data": data,
        })
    };
    let team = |account: &str| json!({"name": account.replace(':', " "), "players": [{"player": account}]});
    let mut set = json!({"game": "cs2", "teams": [team(winner), team(loser)]});
    set.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    let body =
        json!([event(1, "match.scheduled", set), event(2, "series.ended", json!({"winner": 0}))]);
    let headers = [("content-type", "application/cloudevents-batch+json".to_owned())];
    server.client().post("/events", &headers, body.to_string().into()).await.unwrap();
}

fn ratings(data: &Path, arguments: &[&str]) -> Result<Value, (Option<i32>, String)> {
    let output = matchwire()
        .args(["players", "ratings", "--json", "--data"])
        .arg(data)
        .args(arguments)
        .output()
        .unwrap();
    if !output.status.success() {
        return Err((output.status.code(), String::from_utf8_lossy(&output.stderr).into()));
    }
    Ok(serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test]
async fn history_is_rated_by_any_system_while_the_server_runs() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), "127.0.0.1:0");
    // They come in another order than they ended in.
    for minute in [3, 1, 2] {
        let (id, none) = (format!("m{minute}"), json!({}));
        played(&server, &id, minute, "steam:1", "steam:2", none).await;
    }
    played(&server, "m4", 4, "steam:2", "steam:3", json!({})).await;
    let private = json!({
        "specversion": "1.0", "id": "1", "source": "test", "subject": "tournament/secret",
        "type": "tournament.announced", "data": {"private": true},
    });
    let headers = [("content-type", "application/cloudevents+json".to_owned())];
    server.client().post("/events", &headers, private.to_string().into()).await.unwrap();
    played(&server, "m5", 5, "steam:3", "steam:1", json!({"tournament": "secret"})).await;

    let told = ratings(data.path(), &["--game", "cs2"]).unwrap();
    let systems = told["systems"].as_array().unwrap();
    let names: Vec<&Value> = systems.iter().map(|system| &system["system"]).collect();
    assert_eq!(names, ["glicko-2", "openskill", "elo"]);
    for system in systems {
        assert_eq!((&system["all"]["bouts"], &system["known"]["bouts"]), (&json!(4), &json!(2)));
        assert_eq!(system["ratings"][0]["bouts"], 3, "{system}");
        assert!(system["known"]["log_loss"].as_f64().unwrap() < 0.69, "{system}");
    }
    // What is served are the same numbers.
    let best = systems[0]["ratings"][0]["id"].as_str().unwrap();
    let set = json!({
        "specversion": "1.0", "id": "1", "source": "test", "subject": format!("player/{best}"),
        "type": "privacy.set", "data": {"statistics": "public"},
    });
    server.client().post("/events", &headers, set.to_string().into()).await.unwrap();
    let answer = server.client().get(&format!("/players/{best}/ratings?game=cs2")).await.unwrap();
    for (index, name) in [(0, "glicko-2"), (1, "openskill")] {
        assert_eq!(answer["ratings"][name]["rating"], systems[index]["ratings"][0]["rating"]);
    }
    let tried = ["--game", "cs2", "--system", "elo", "--k", "10", "--top", "1"];
    let told = ratings(data.path(), &tried).unwrap();
    assert_eq!(told["systems"][0]["parameters"], json!({"k": 10.0}));
    assert_eq!(told["systems"][0]["ratings"].as_array().unwrap().len(), 1);
    // A parameter without a system is for those that have it.
    let told = ratings(data.path(), &["--game", "cs2", "--tau", "1.2"]).unwrap();
    assert_eq!(told["systems"].as_array().unwrap().len(), 1);

    let (code, said) = ratings(data.path(), &["--game", "cs2", "--system", "x"]).unwrap_err();
    assert!(code == Some(2) && said.contains("glicko-2, openskill and elo"), "{said}");
    let wrong = ["--game", "cs2", "--system", "elo", "--tau", "1"];
    let (code, said) = ratings(data.path(), &wrong).unwrap_err();
    assert!(code == Some(1) && said.contains("elo has no tau; it has k"), "{said}");
    let text = matchwire()
        .args(["players", "ratings", "--game", "cs2", "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.starts_with("SYSTEM") && text.contains("elo, 3 rated"), "{text}");
}
