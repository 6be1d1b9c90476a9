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

#[tokio::test]
async fn statistics_of_a_map_and_of_a_match() {
    let server = Server::start().await;
    for map in [1, 2] {
        let subject = format!("match/m1/{map}");
        let tell = |id: u32, kind: &str, data| event(&subject, id, kind, &data);
        let joined = |id, player: &str, side| {
            tell(id, "player.joined", json!({"player": player, "name": player, "side": side}))
        };
        let killed = json!({"killer": "steam:1", "victim": "steam:2", "weapon": "ak47"});
        let events = [
            joined(1, "steam:1", "CT"),
            joined(2, "steam:2", "T"),
            tell(3, "match.started", json!({})),
            tell(4, "round.started", json!({})),
            tell(5, "player.killed", killed),
            tell(6, "round.ended", json!({"winner": "CT", "reason": "elimination"})),
        ];
        server.post(&events).await;
        // What comes again counts once.
        server.post(&events[4..]).await;
    }
    let one = server.get("/api/v1/matches/m1/maps/2/stats").await.json();
    let player = &one["stats"]["players"]["p1"];
    assert_eq!(
        (&player["kills"], &player["opening_kills"], &player["kast"]),
        (&json!(1), &json!(1), &json!(1.0))
    );
    assert_eq!((&player["account"], &one["maps"]), (&json!("steam:1"), &json!([2])));
    let both = server.get("/api/v1/matches/m1/stats").await.json();
    assert_eq!((&both["stats"]["rounds"], &both["maps"]), (&json!(2), &json!([1, 2])));
    assert_eq!(both["stats"]["players"]["p1"]["kills"], 2);
    for nothing in ["/api/v1/matches/m1/maps/3/stats", "/api/v1/matches/m2/stats"] {
        assert_eq!(server.get(nothing).await.status, 404);
    }
    server.end().await;
}
