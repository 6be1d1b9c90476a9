//! A game that nobody but its author knows is played over HTTP like those that come with Matchwire.

use matchwire_domain::live_match::{Game, Games, cs};
use serde_json::json;

use crate::{
    harness::{Server, event},
    rope::{Rope, pulled},
    setup::Setup,
};

#[tokio::test]
async fn a_small_game_is_played_like_any_other() {
    let games = Games::new(&[Game::of::<cs::State>(), Game::of::<Rope>()]);
    let server = Server::of(Setup { games, ..Setup::default() }).await;
    let mut socket = server.socket().await;
    socket.subscribe("match/rope/1", json!(0)).await;
    let reply =
        server.post(&[pulled("rope", 1, 0), pulled("rope", 2, 1), pulled("rope", 3, 0)]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let state = server.get("/api/v1/matches/rope/maps/1").await.json();
    assert_eq!((&state["game"], &state["status"]), (&json!("rope"), &json!("live")));
    assert_eq!((&state["pulls"], &state["strongest"]), (&json!([2, 1]), &json!("p1")));
    assert_eq!(state["prediction"]["map"], json!([0.6, 0.4]));
    assert_eq!(socket.next_of("event").await["event"]["type"], "rope.pulled");
    assert_eq!(socket.next_of("prediction").await["prediction"]["model"], "rope-1");
    // What all games have works in it, too.
    let void = event("match/rope/1", 4, "event.voided", &json!({"seq": 2}));
    server.post(&[void, pulled("rope", 5, 0)]).await;
    let state = server.get("/api/v1/matches/rope/maps/1").await.json();
    assert_eq!((&state["pulls"], &state["winner"]), (&json!([3, 0]), &json!(0)));
    assert_eq!(state["status"], "ended");
    let whole = server.get("/api/v1/matches/rope/stats").await.json();
    assert_eq!(whole, json!({"match": "rope", "maps": [1], "stats": {"pulls": 3}}));
    // Its events are checked and described.
    let bad = event("match/rope/1", 6, "rope.pulled", &json!({"team": 2, "player": "steam:1"}));
    assert_eq!(server.post(&[bad]).await.json()["results"][0]["error"]["code"], "schema");
    let schema = server.get("/api/v1/schemas/rope.pulled.json").await.json();
    assert_eq!(schema["required"], json!(["team", "player"]));
    server.end().await;
}

#[tokio::test]
async fn an_event_of_another_game_is_an_anomaly() {
    let games = Games::new(&[Game::of::<cs::State>(), Game::of::<Rope>()]);
    let server = Server::of(Setup { games, ..Setup::default() }).await;
    let round = event("match/rope2/1", 2, "round.started", &json!({}));
    server.post(&[pulled("rope2", 1, 0), round, pulled("rope2", 3, 0)]).await;
    let state = server.get("/api/v1/matches/rope2/maps/1").await.json();
    assert_eq!(state["pulls"], json!([2, 0]));
    assert_eq!(
        (&state["anomalies"][0]["kind"], &state["anomaly_count"]),
        (&json!("wrong_game"), &json!(1))
    );
    server.end().await;
}
