//! Two sources tell of one map: the ranking and the switch after silence are events that the server
//! appends, and no fact counts twice.

use std::time::Duration;

use matchwire_gateway::Ranking;
use serde_json::{Value, json};

use crate::{
    harness::{Server, event, soon},
    setup::Setup,
};

const MAP: &str = "match/m1/1";

fn told(source: &str, second: u32, kind: &str, data: &Value) -> Value {
    let mut told = event(MAP, format!("{source}-{second}-{kind}").as_str(), kind, data);
    told["source"] = source.into();
    told["time"] = format!("2026-01-01T00:00:{second:02}Z").into();
    told
}

fn kill(source: &str, second: u32, victim: &str) -> Value {
    let data = json!({"killer": "a", "victim": victim, "weapon": "ak47"});
    told(source, second, "player.killed", &data)
}

async fn types(server: &Server) -> Vec<String> {
    let events = server.get(&format!("/api/v1/events?subject={MAP}&limit=1000")).await.json();
    let events = events["events"].as_array().unwrap().clone();
    events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_silent_source_is_left_for_one_that_is_not() {
    let sources = vec!["sensor".to_owned(), "broadcast".to_owned()];
    let ranking = Ranking { sources, silence: Duration::from_millis(1_500) };
    let server = Server::of(Setup { ranking, ..Setup::default() }).await;
    let kills = async || {
        server.get("/api/v1/matches/m1/maps/1").await.json()["players"]["a"]["kills"].clone()
    };
    server.post(&[told("sensor", 0, "round.started", &json!({})), kill("sensor", 1, "b")]).await;
    server.post(&[kill("broadcast", 3, "b"), kill("broadcast", 4, "c")]).await;
    // The ranking is there as soon as both were heard; what only the other one claims does not count.
    soon(async { while !types(&server).await.contains(&"sources.ranked".into()) {} }).await;
    assert_eq!(kills().await, 1);
    let mut second = 5;
    soon(async {
        while !types(&server).await.contains(&"source.switched".into()) {
            server
                .post(&[told("broadcast", second, "bomb.dropped", &json!({"player": "a"}))])
                .await;
            second = (second + 1).min(59);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    // What the silent one missed counts now, and what both told counts once.
    assert_eq!(kills().await, 2);
    let state = server.get("/api/v1/matches/m1/maps/1").await.json();
    assert_eq!(state["source"], "broadcast");
    let events = server.get(&format!("/api/v1/events?subject={MAP}&limit=1000")).await.json();
    let switched = events["events"].as_array().unwrap().iter();
    let switched = switched.clone().find(|event| event["type"] == "source.switched").unwrap();
    let data = json!({"to": "broadcast", "since": "2026-01-01T00:00:01.000Z", "from": "sensor", "reason": "silence"});
    assert_eq!(switched["data"], data);
    server.end().await;
}

#[tokio::test]
async fn one_source_alone_is_left_alone() {
    let server = Server::start().await;
    server.post(&[kill("cs-log/1", 1, "b"), kill("cs-log/2", 2, "b"), kill("own", 3, "b")]).await;
    // A second match is ranked, so the first one was looked at, too.
    let mut other = [kill("cs-log", 1, "b"), kill("gsi", 2, "b")];
    for event in &mut other {
        event["subject"] = "match/m2/1".into();
    }
    server.post(&other).await;
    soon(async {
        while server.get("/api/v1/events?subject=match/m2/1").await.json()["events"][2].is_null() {}
    })
    .await;
    assert_eq!(types(&server).await.len(), 3);
    assert_eq!(server.get("/api/v1/matches/m1/maps/1").await.json()["players"]["a"]["kills"], 3);
    server.end().await;
}

#[tokio::test]
async fn a_server_posts_for_the_match_that_it_plays() {
    let server = Server::start().await;
    let post = async |path: &str| {
        let text = [("content-type", "text/plain")];
        server.send("POST", &format!("/api/v1/sources/{path}"), &text, "one".into()).await
    };
    assert_eq!(post("cs-log/@s1").await.problem(), "not_found");
    let set = |id: &str, data: &Value| event(&format!("match/{id}"), 1, "match.scheduled", data);
    let first = set("first", &json!({"server": "s1", "starts": "2020-01-01T10:00:00Z"}));
    let second = set("second", &json!({"server": "s1", "starts": "2099-01-01T10:00:00Z"}));
    server.post(&[second, first, set("else", &json!({"server": "s2"}))]).await;
    let answer = post("cs-log/@s1").await.json();
    assert_eq!((&answer["match"], &answer["unknown"]), (&json!("first"), &json!(1)));
    // Behind its end it stays there, since the other one is not due.
    let ended = event("match/first", 2, "series.ended", &json!({"winner": 0}));
    server.post(&[ended]).await;
    assert_eq!(post("cs-log/@s1").await.json()["match"], "first");
    // Another match takes the server over.
    let assigned = event("match/else", 2, "server.assigned", &json!({"server": "s1"}));
    server.post(&[assigned]).await;
    assert_eq!(post("cs-log/@s1").await.json()["match"], "else");
    assert_eq!(post("cs-log/@s2").await.status, 404);
    assert_eq!(post("guarded/@s1").await.status, 401);
    assert_eq!(post("guarded/~s3cret/@s1").await.json()["match"], "else");
    for bad in ["cs-log/s1", "cs-log/@", "cs-log/@a%20b"] {
        assert_eq!(post(bad).await.problem(), "path", "{bad}");
    }
    server.end().await;
}
