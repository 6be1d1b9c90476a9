//! Sources that post JSON, through a real server: tokens, and what a crash leaves.

use matchwire_client::Error;
use serde_json::{Value, json};

use crate::{played, process::Server};

fn gsi(second: u32, step: &str, ct: u16, kills: u16, token: &str) -> Value {
    json!({
        "provider": {"appid": 730, "steamid": "76561197960265729", "timestamp": 1_700_000_000 + second},
        "map": {"name": "de_x", "phase": "live", "team_ct": {"score": ct}, "team_t": {"score": 0}},
        "round": {"phase": step},
        "player": {
            "steamid": "76561197960265729", "name": "alpha", "team": "CT",
            "state": {"health": 100, "money": 800}, "match_stats": {"kills": kills, "deaths": 0},
        },
        "auth": {"token": token},
    })
}

async fn post(server: &Server, path: &str, body: &Value) -> Result<Value, Error> {
    server.client().post(path, &[], body.to_string().into()).await
}

/// Whether a text stands in any file below a folder.
fn is_in_files(folder: &std::path::Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_in_files(&path, text);
        }
        std::fs::read(path).unwrap().windows(text.len()).any(|bytes| bytes == text.as_bytes())
    })
}

#[tokio::test]
async fn a_token_in_the_body_is_asked_for_and_kept_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start_with(data, "127.0.0.1:0", &["--gsi-token", "s3cret-token"]);
    let refused = post(&server, "/sources/gsi/m/1", &gsi(1, "live", 0, 1, "other")).await;
    assert!(refused.unwrap_err().to_string().contains("auth.token"));
    let told = post(&server, "/sources/gsi/m/1", &gsi(1, "live", 0, 1, "s3cret-token")).await;
    assert!(told.unwrap()["appended"].as_u64() > Some(0));
    assert_eq!(played::state(&server.client(), "m", 1).await["players"]["p1"]["kills"], 1);
    assert!(server.terminate().success());
    assert!(is_in_files(data, "de_x") && !is_in_files(data, "s3cret-token"));
}

#[tokio::test]
async fn a_client_goes_on_where_a_crash_left_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let posts =
        [gsi(1, "freezetime", 0, 0, ""), gsi(2, "live", 0, 2, ""), gsi(3, "over", 1, 3, "")];
    let mut server = Server::start(folder.path(), "127.0.0.1:0");
    for body in &posts {
        let told = post(&server, "/sources/gsi/m/auto", body).await.unwrap();
        server.kill();
        server = Server::start(folder.path(), "127.0.0.1:0");
        let again = post(&server, "/sources/gsi/m/auto", body).await.unwrap();
        assert_eq!((&again["appended"], &again["duplicate"]), (&0.into(), &told["appended"]));
    }
    let state = played::state(&server.client(), "m", 1).await;
    assert_eq!(
        (&state["teams"][0]["score"], &state["players"]["p1"]["kills"]),
        (&1.into(), &3.into())
    );
    assert_eq!(state["anomaly_count"], 0);
}

#[tokio::test]
async fn webhooks_with_a_token_in_their_path() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--ingest-token", "matchzy=s3cret-token"];
    let server = Server::start_with(folder.path(), "127.0.0.1:0", &flags);
    let live = json!({"event": "going_live", "matchid": 7, "map_number": 1});
    assert!(post(&server, "/sources/matchzy/m/auto", &live).await.is_err());
    let path = "/sources/matchzy/~s3cret-token/m/auto";
    let told = post(&server, path, &live).await.unwrap();
    assert_eq!(
        (&told["appended"], &told["unknown"]),
        (&2.into(), &0.into()),
        "the map and the match"
    );
    let demo = json!({"event": "demo_upload_ended", "matchid": 7, "map_number": 1});
    assert_eq!(post(&server, path, &demo).await.unwrap()["unknown"], 1);
    assert_eq!(played::state(&server.client(), "m", 2).await["status"], "live");
    assert!(server.terminate().success());
    assert!(!is_in_files(folder.path(), "s3cret-token"));
}

#[tokio::test]
async fn a_series_that_a_plug_in_tells_of() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), "127.0.0.1:0");
    let set = json!({"specversion": "1.0", "id": "1", "source": "organiser", "subject": "match/m",
        "type": "match.scheduled", "data": {"best_of": 3, "teams": [{"name": "Two"}, {"name": "One"}]}});
    let header = [("content-type", "application/cloudevents+json".to_owned())];
    server.client().post("/events", &header, set.to_string().into()).await.unwrap();
    let team = |name: &str| json!({"id": null, "name": name});
    let pause = json!({"event": "game_paused", "matchid": 7, "map_number": 0, "team": null, "pause_type": "technical"});
    let resume = json!({"event": "game_unpaused", "matchid": 7, "map_number": 0, "team": null, "pause_type": "technical"});
    let posts = [
        json!({"event": "series_start", "matchid": 7, "num_maps": 3, "team1": team("One"), "team2": team("Two")}),
        json!({"event": "map_vetoed", "matchid": 7, "team": "team1", "map_name": "de_a"}),
        json!({"event": "map_picked", "matchid": 7, "team": "team2", "map_name": "de_b", "map_number": 0}),
        json!({"event": "side_picked", "matchid": 7, "team": "team1", "map_name": "de_b", "side": "ct", "map_number": 0}),
        json!({"event": "going_live", "matchid": 7, "map_number": 0}),
        pause.clone(),
        resume.clone(),
        pause,
        json!({"event": "series_end", "matchid": 7, "team1_series_score": 2, "team2_series_score": 0,
               "winner": {"side": "ct", "team": "team1"}}),
    ];
    for body in &posts {
        let told = post(&server, "/sources/matchzy/m/auto", body).await.unwrap();
        assert!(told["appended"].as_u64() > Some(0), "{body}: {told}");
        // Whether its answer arrived or not, it is told once.
        server.kill();
        server = Server::start(folder.path(), "127.0.0.1:0");
        let again = post(&server, "/sources/matchzy/m/auto", body).await.unwrap();
        assert_eq!((&again["appended"], &again["duplicate"]), (&0.into(), &told["appended"]));
    }
    assert_eq!(played::state(&server.client(), "m", 1).await["status"], "paused");
    let whole: Value = server.client().get("/matches/m").await.unwrap();
    let veto = json!({"1": {"action": "ban", "team": 1, "map_name": "de_a"},
        "2": {"action": "pick", "team": 0, "map_name": "de_b"},
        "3": {"action": "side", "team": 1, "map_name": "de_b", "side": "CT"}});
    assert_eq!(whole["series"]["veto"], veto);
    let standing = json!({"status": "ended", "teams": [{"name": "Two"}, {"name": "One"}],
        "score": [0, 2], "winner": 1, "odds": [0.0, 1.0]});
    assert_eq!(whole["standing"], standing);
}
