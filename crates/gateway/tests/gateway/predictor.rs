//! A model that fails costs predictions, and nothing else.

use std::time::Duration;

use matchwire_domain::live_match::{Game, Games, cs};
use matchwire_log::live::Patience;
use serde_json::{Value, json};

use crate::{
    harness::{Server, event, soon},
    rope::{LIMIT, Mood, Rope, pulled, set_mood},
    setup::Setup,
};

/// A server that has patience with models, and leaves those that fail alone for so long.
async fn server(rest: Duration, limit: Duration) -> Server {
    let games = Games::new(&[Game::of::<cs::State>(), Game::of::<Rope>()]);
    let patience = Patience { limit, rest, longest_rest: rest };
    Server::of(Setup { games, patience, ..Setup::default() }).await
}

async fn pull(server: &Server, match_id: &str, ids: std::ops::RangeInclusive<u32>) {
    for id in ids {
        let reply = server.post(&[pulled(match_id, id, 0)]).await;
        assert_eq!(reply.json()["results"][0]["status"], "appended", "{reply:?}");
    }
}

async fn state(server: &Server, match_id: &str) -> Value {
    server.get(&format!("/api/v1/matches/{match_id}/maps/1")).await.json()
}

async fn predictions(server: &Server, match_id: &str) -> Vec<Value> {
    let path = format!("/api/v1/matches/{match_id}/maps/1/predictions");
    server.get(&path).await.json()["predictions"].as_array().unwrap().clone()
}

/// How often the model was asked in vain, by how it failed.
async fn failures(server: &Server, how: &str) -> String {
    let labels = format!(r#"{{game="rope",model="rope-1",how="{how}"}}"#);
    server.metric(&format!("matchwire_predictor_failures_total{labels}")).await.to_string()
}

const HOUR: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_millis(10);
const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn events_and_states_flow_on_while_a_model_fails() {
    let server = server(HOUR, MINUTE).await;
    let mut socket = server.socket().await;
    socket.subscribe("match/torn/1", json!(0)).await;
    pull(&server, "torn", 1..=1).await;
    let made = socket.next_of("prediction").await["prediction"].clone();
    assert_eq!((&made["seq"], &made["stale"]), (&json!(1), &Value::Null));
    set_mood("torn", Mood::Panics);
    pull(&server, "torn", 2..=2).await;
    let told = socket.next_of("prediction").await;
    let mut kept = made.clone();
    kept["stale"] = true.into();
    assert_eq!((&told["seq"], &told["prediction"]), (&json!(2), &kept));
    pull(&server, "torn", 3..=20).await;
    for seq in 3..=20 {
        assert_eq!(socket.next_of("event").await["seq"], seq);
    }
    while socket.next_of("state").await["seq"] != 20 {}
    let state = state(&server, "torn").await;
    assert_eq!((&state["seq"], &state["pulls"]), (&json!(20), &json!([3, 0])));
    assert_eq!(state["prediction"], kept);
    assert_eq!(predictions(&server, "torn").await, std::slice::from_ref(&kept));
    assert_eq!(failures(&server, "panic").await, "1", "it is not tried on every event");
    server.end().await;
}

#[tokio::test]
async fn a_model_that_fails_is_told_of_and_others_go_on() {
    let server = server(HOUR, MINUTE).await;
    assert_eq!(server.get("/healthz").await.json()["status"], "ok");
    set_mood("told", Mood::Panics);
    pull(&server, "told", 1..=3).await;
    let state = state(&server, "told").await;
    assert_eq!((&state["seq"], &state["prediction"]), (&json!(3), &Value::Null));
    let health = server.get("/healthz").await.json();
    let reason = &health["reasons"][0];
    assert_eq!((&health["status"], &reason["code"]), (&json!("degraded"), &json!("predictor")));
    assert_eq!((&reason["game"], &reason["model"]), (&json!("rope"), &json!("rope-1")));
    let ready = server.get("/readyz").await;
    assert_eq!((ready.status.as_u16(), ready.json()), (200, json!({"status": "degraded"})));
    let labels = r#"{game="rope",model="rope-1"}"#;
    let open = format!("matchwire_predictor_breaker_open{labels}");
    let skipped = format!("matchwire_predictor_skipped_total{labels}");
    assert_eq!(failures(&server, "panic").await, "1");
    assert_eq!(server.metric(&open).await.to_string(), "1");
    assert!(server.metric(&skipped).await >= 2.0);
    // Another game has a model of its own.
    server.post(&[event("match/other/1", 1, "round.started", &json!({}))]).await;
    let other = server.get("/api/v1/matches/other/maps/1").await.json();
    assert_eq!(
        (&other["prediction"]["seq"], &other["prediction"]["stale"]),
        (&json!(1), &Value::Null)
    );
    server.end().await;
}

#[tokio::test]
async fn a_model_that_answers_again_makes_up_for_what_is_missing() {
    let server = server(SOON, MINUTE).await;
    let mut socket = server.socket().await;
    socket.subscribe("match/mended/1", json!(0)).await;
    pull(&server, "mended", 1..=1).await;
    set_mood("mended", Mood::Panics);
    pull(&server, "mended", 2..=4).await;
    while socket.next_of("prediction").await["prediction"]["stale"] != true {}
    let latest = server.get("/api/v1/matches").await.json();
    assert_eq!(latest["matches"][0]["maps"]["1"]["prediction"]["stale"], true);
    set_mood("mended", Mood::Calm);
    // It needs no other event; but it was tried for this stream as often as it may be, so that another one
    // must find out.
    pull(&server, "healthy", 1..=2).await;
    let is_well = async {
        while server.get("/healthz").await.json()["status"] != "ok" {
            state(&server, "healthy").await;
        }
    };
    soon(is_well).await;
    let told = loop {
        let told = socket.next_of("prediction").await["prediction"].clone();
        if told["stale"].is_null() {
            break told;
        }
    };
    assert_eq!(told["seq"], 4);
    assert_eq!(state(&server, "mended").await["prediction"], told);
    let all = predictions(&server, "mended").await;
    let seqs: Vec<_> = all.iter().map(|made| made["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [1, 2, 3, 4], "as if it had never failed");
    let latest = server.get("/api/v1/matches").await.json();
    let maps =
        latest["matches"].as_array().unwrap().iter().find(|m| m["match"] == "mended").unwrap();
    assert_eq!(maps["maps"]["1"]["prediction"], told);
    server.end().await;
}

#[tokio::test]
async fn a_model_that_takes_too_long_or_raves_has_failed() {
    for (match_id, mood, how) in
        [("late", Mood::Dawdles, "late"), ("raving", Mood::Raves, "invalid")]
    {
        let server = server(HOUR, LIMIT).await;
        pull(&server, match_id, 1..=1).await;
        assert_eq!(state(&server, match_id).await["prediction"]["seq"], 1);
        set_mood(match_id, mood);
        pull(&server, match_id, 2..=5).await;
        let state = state(&server, match_id).await;
        assert_eq!((&state["seq"], &state["prediction"]["stale"]), (&json!(5), &json!(true)));
        assert_eq!(failures(&server, how).await, "1");
        server.end().await;
    }
}

#[tokio::test]
async fn what_is_corrected_while_a_model_fails_keeps_the_last_prediction_as_stale() {
    let server = server(HOUR, MINUTE).await;
    pull(&server, "voided", 1..=2).await;
    let made = state(&server, "voided").await["prediction"].clone();
    set_mood("voided", Mood::Panics);
    let void = event("match/voided/1", 3, "event.voided", &json!({"seq": 1}));
    assert_eq!(server.post(&[void]).await.status, 200);
    let state = state(&server, "voided").await;
    assert_eq!((&state["pulls"], &state["seq"]), (&json!([1, 0]), &json!(3)));
    assert_eq!(
        (&state["prediction"]["map"], &state["prediction"]["stale"]),
        (&made["map"], &json!(true))
    );
    assert_eq!(failures(&server, "panic").await, "1");
    server.end().await;
}

#[tokio::test]
async fn a_map_on_which_a_model_always_fails_leaves_it_to_the_others() {
    let server = server(SOON, MINUTE).await;
    set_mood("poison", Mood::Panics);
    pull(&server, "poison", 1..=1).await;
    pull(&server, "sound", 1..=1).await;
    // Whoever reads it has the model tried, but not for ever.
    let settled = async {
        let (mut same, mut before) = (0, String::new());
        while same < 50 {
            state(&server, "poison").await;
            let sound = state(&server, "sound").await;
            let now = failures(&server, "panic").await;
            let is_well = sound["prediction"]["seq"] == 1 && sound["prediction"]["stale"].is_null();
            same = if is_well && now == before { same + 1 } else { 0 };
            before = now;
        }
        before
    };
    let tried: u32 = soon(settled).await.parse().unwrap();
    assert!((2..=7).contains(&tried), "{tried}");
    assert_eq!(server.get("/healthz").await.json()["status"], "ok");
    server.end().await;
}
