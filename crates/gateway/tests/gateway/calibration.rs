//! How good predictions have been, as it is asked for.

use matchwire_domain::live_match::{Game, Games, cs, football};
use serde_json::{Value, json};

use crate::{
    harness::{Server, event, soon},
    rope::{Mood, Rope, pulled, set_mood},
    setup::Setup,
};

/// The rows of a query, once all maps are counted.
async fn rows(server: &Server, query: &str) -> Vec<Value> {
    soon(async {
        loop {
            let body = server.get(&format!("/api/v1/calibration{query}")).await.json();
            if body["complete"] == true && body["waiting_maps"] == 0 {
                break body["calibration"].as_array().unwrap().clone();
            }
        }
    })
    .await
}

/// The row of what was predicted, once it has so many predictions.
async fn row(server: &Server, query: &str, target: &str, predictions: u64) -> Value {
    soon(async {
        loop {
            let rows = rows(server, query).await;
            let is = |row: &&Value| row["target"] == target && row["predictions"] == predictions;
            if let Some(row) = rows.iter().find(is) {
                break row.clone();
            }
        }
    })
    .await
}

/// A map of Counter-Strike of so many rounds, all of them won by the first team.
async fn play(server: &Server, match_id: &str, rounds: u32) {
    let subject = format!("match/{match_id}/1");
    let mut events = Vec::new();
    for round in 0..rounds {
        let won = json!({"winner": "CT", "reason": "elimination"});
        events.push(event(&subject, 2 * round, "round.started", &json!({})));
        events.push(event(&subject, 2 * round + 1, "round.ended", &won));
    }
    let score = json!({"score": {"ct": rounds, "t": 0}});
    events.push(event(&subject, 99, "map.ended", &score));
    assert_eq!(server.post(&events).await.status, 200);
}

#[tokio::test]
async fn predictions_are_scored_against_what_came() {
    let server = Server::start().await;
    assert!(rows(&server, "").await.is_empty());
    play(&server, "m1", 3).await;
    play(&server, "m2", 2).await;
    let round = row(&server, "?game=cs2&model=mw-gbt-1", "round", 5).await;
    assert_eq!((&round["game"], &round["model"]), (&json!("cs2"), &json!("mw-gbt-1")));
    assert_eq!((&round["outcomes"], &round["maps"]), (&json!(5), &json!(2)));
    assert_eq!(round["shadow"], false);
    // Computed once more from what was served.
    let (mut squares, mut logs) = (0.0, 0.0);
    for match_id in ["m1", "m2"] {
        let path = format!("/api/v1/matches/{match_id}/maps/1/predictions");
        let made = server.get(&path).await.json();
        let open = made["predictions"].as_array().unwrap().iter();
        for first in open.map(|made| made["round"][0].as_f64().unwrap()).filter(|p| *p < 1.0) {
            squares += (1.0 - first) * (1.0 - first);
            logs -= first.ln();
        }
    }
    let near = |name: &str, wanted: f64| {
        let told = round[name].as_f64().unwrap();
        assert!((told - wanted).abs() < 1e-6, "{name} is {told} and not {wanted}");
    };
    near("brier", squares / 5.0);
    near("log_loss", logs / 5.0);
    let diagrams = round["reliability"].as_array().unwrap();
    assert_eq!((diagrams.len(), &diagrams[0]["outcome"]), (1, &json!("first")));
    let bins = diagrams[0]["bins"].as_array().unwrap();
    let counts: u64 = bins.iter().map(|bin| bin["count"].as_u64().unwrap()).sum();
    assert_eq!((bins.len(), counts), (10, 5));
    for bin in bins {
        assert_eq!(bin["count"] == 0, bin.get("observed").is_none(), "{bin}");
        assert!(bin.get("observed").is_none_or(|observed| *observed == 1.0));
    }
    let map = row(&server, "", "map", 10).await;
    assert_eq!((&map["outcomes"], &map["maps"]), (&json!(2), &json!(2)));
    let labels = r#"{game="cs2",model="mw-gbt-1",target="round",shadow="false"}"#;
    let scored = server.metric(&format!("matchwire_prediction_scored{labels}")).await;
    assert_eq!(scored.to_string(), "5");
    let brier = server.metric(&format!("matchwire_prediction_brier{labels}")).await;
    assert!((brier - squares / 5.0).abs() < 1e-6);
    assert!(rows(&server, "?game=football").await.is_empty());
    assert!(rows(&server, "?model=mw-logit-1").await.is_empty());
    server.end().await;
}

#[tokio::test]
async fn a_correction_changes_what_was_counted() {
    let server = Server::start().await;
    play(&server, "m1", 1).await;
    let before = row(&server, "", "map", 2).await;
    let amended = event("match/m1/1", 100, "result.amended", &json!({"seq": 3, "winner": 1}));
    server.post(&[amended]).await;
    let after = soon(async {
        loop {
            let after = row(&server, "", "map", 2).await;
            if after != before {
                break after;
            }
        }
    })
    .await;
    assert!(after["brier"].as_f64() > before["brier"].as_f64());
    // Nothing is left of a map that never was.
    let void = (1..=4).map(|seq| {
        let id = 200 + seq;
        event("match/m1/1", id, "event.voided", &json!({"seq": seq}))
    });
    server.post(&void.collect::<Vec<_>>()).await;
    soon(async { while !rows(&server, "").await.is_empty() {} }).await;
    let labels = r#"{game="cs2",model="mw-gbt-1",target="map",shadow="false"}"#;
    let text = server.get("/metrics").await.bytes;
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(!text.contains(&format!("matchwire_prediction_brier{labels}")), "{text}");
    server.end().await;
}

#[tokio::test]
async fn any_game_is_scored_by_its_own_kind_of_outcome() {
    let games = [Game::of::<cs::State>(), Game::of::<football::State>(), Game::of::<Rope>()];
    let server = Server::of(Setup { games: Games::new(&games), ..Setup::default() }).await;
    // The model fails on the last map, and says nothing of it.
    set_mood("scored3", Mood::Panics);
    for match_id in ["scored1", "scored2", "scored3"] {
        server.post(&[1, 2, 3].map(|id| pulled(match_id, id, 0))).await;
    }
    let start = event("match/cup/1", 1, "period.started", &json!({"period": "first_half"}));
    let goal = event("match/cup/1", 2, "goal.scored", &json!({"team": 1}));
    let end = event("match/cup/1", 3, "match.finished", &json!({}));
    server.post(&[start, goal, end]).await;
    // Of three pulls the last one decides.
    let rope = row(&server, "?game=rope", "map", 4).await;
    assert_eq!((&rope["model"], &rope["maps"]), (&json!("rope-1"), &json!(2)));
    let incomplete = server.get("/api/v1/calibration").await.json()["incomplete_maps"].clone();
    assert_eq!(incomplete, 1);
    let result = row(&server, "?game=football", "result", 2).await;
    let outcomes: Vec<_> = result["reliability"].as_array().unwrap().iter().collect();
    assert_eq!(
        outcomes.iter().map(|diagram| &diagram["outcome"]).collect::<Vec<_>>(),
        ["first", "draw", "second"]
    );
    assert!(result["brier"].as_f64().unwrap() < 2.0);
    server.end().await;
}

#[tokio::test]
async fn names_that_nobody_has_are_errors() {
    let server = Server::start().await;
    for (query, known) in [
        ("?game=chess", "known are cs2, football"),
        ("?model=mw-none-1", "known are mw-gbt-1, mw-logit-1, mw-goal-1"),
        ("?game=football&model=mw-gbt-1", "known are mw-goal-1"),
        ("?games=cs2", "known: game, model"),
    ] {
        let reply = server.get(&format!("/api/v1/calibration{query}")).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, "query"), "{query}");
        assert!(reply.json()["detail"].as_str().unwrap().contains(known), "{reply:?}");
    }
    server.end().await;
}
