//! A match as a whole: its schedule, and where it stands by its maps.

use serde_json::json;

use crate::harness::{Server, event};

#[tokio::test]
async fn a_match_has_a_schedule_and_a_standing() {
    let server = Server::start().await;
    let teams = json!([
        {"name": "Alpha", "players": [{"player": "steam:1", "name": "One"}]},
        {"name": "Bravo", "id": "b-7"},
    ]);
    let data = json!({"game": "cs2", "best_of": 3, "tournament": "cup", "teams": teams,
        "starts": "2026-11-01T18:00:00+01:00", "server": "s1"});
    let reply = server.post(&[event("match/m1", 1, "match.scheduled", &data)]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let whole = server.get("/api/v1/matches/m1").await.json();
    assert_eq!(
        whole["series"]["teams"][0]["players"],
        json!({"p1": {"account": "steam:1", "name": "One"}})
    );
    assert_eq!(whole["series"]["starts"], "2026-11-01T17:00:00.000Z");
    let standing = json!({"status": "scheduled", "teams": [{"name": "Alpha"}, {"name": "Bravo"}],
        "score": [0, 0], "odds": [0.5, 0.5]});
    assert_eq!((&whole["standing"], &whole["maps"]), (&standing, &json!({})));
    // The first map, on which the teams stand the other way round.
    let map = |id: u32, kind: &str, data| event("match/m1/1", id, kind, &data);
    let named = |id, side, name| map(id, "team.named", json!({"side": side, "name": name}));
    server
        .post(&[
            named(1, "CT", "Bravo"),
            named(2, "T", "Alpha"),
            map(3, "match.started", json!({"map_name": "de_test"})),
            map(4, "map.ended", json!({"score": {"ct": 3, "t": 13}})),
        ])
        .await;
    let whole = server.get("/api/v1/matches/m1").await.json();
    assert_eq!(whole["standing"]["score"], json!([1, 0]));
    assert_eq!(whole["standing"]["odds"], json!([0.75, 0.25]));
    let list = server.get("/api/v1/matches").await.json();
    assert_eq!(list["matches"][0]["standing"], whole["standing"]);
    assert_eq!(list["matches"][0]["series"]["tournament"], "cup");
    assert_eq!(list["matches"][0]["maps"]["1"]["status"], "ended");
    // The other team gives up.
    let forfeit = event("match/m1", 2, "match.forfeited", &json!({"team": 1}));
    server.post(&[forfeit]).await;
    let standing = &server.get("/api/v1/matches/m1").await.json()["standing"];
    assert_eq!((&standing["status"], &standing["winner"]), (&json!("ended"), &json!(0)));
    server.end().await;
}

#[tokio::test]
async fn a_match_without_a_schedule_stands_by_its_maps() {
    let server = Server::start().await;
    let started = event("match/m1/1", 1, "match.started", &json!({}));
    server.post(&[started]).await;
    let whole = server.get("/api/v1/matches/m1").await.json();
    assert_eq!(
        (&whole["series"]["seq"], &whole["series"]["status"]),
        (&json!(0), &json!("scheduled"))
    );
    assert_eq!(whole["standing"], json!({"status": "live", "teams": [{}, {}], "score": [0, 0]}));
    server.end().await;
}
