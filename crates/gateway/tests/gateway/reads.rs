//! What can be asked for.

use std::sync::Arc;

use matchwire_domain::{envelope::Recorded, live_match::Games, subject::Subject, timeline::Fold};
use matchwire_gateway::Limits;
use serde_json::{Value, json};

use crate::{
    harness::{Server, event, numbered, own},
    play,
};

#[tokio::test]
async fn a_stream_in_pages() {
    let server = Server::start().await;
    assert_eq!(server.post(&numbered("match/m1/1", 1, 250)).await.status, 200);
    let (mut seqs, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/api/v1/events?subject=match%2Fm1%2F1&after={after}");
        let page = server.get(&path).await.json();
        let events = page["events"].as_array().unwrap();
        assert!(events.len() <= 100);
        seqs.extend(events.iter().map(|event| event["seq"].as_u64().unwrap()));
        let Some(next) = page["next"].as_u64() else { break };
        after = next;
    }
    assert_eq!(seqs, (1..=250).collect::<Vec<_>>());
    let none = server.get("/api/v1/events?subject=room/none").await;
    assert_eq!(none.json(), json!({"events": []}));
}

#[tokio::test]
async fn bad_queries() {
    let server = Server::start().await;
    server.post(&numbered("match/m1/1", 1, 3)).await;
    for path in [
        "/api/v1/events",
        "/api/v1/events?subject=match",
        "/api/v1/events?subject=match/m1/1&limit=0",
        "/api/v1/events?subject=match/m1/1&limit=1001",
        "/api/v1/events?subject=match/m1/1&after=-1",
        "/api/v1/events?subject=match/m1/1&color=red",
        "/api/v1/events/m1?from=yesterday",
        "/api/v1/events/m1?after=7",
        "/api/v1/matches?page=2",
        "/api/v1/matches?after=a%20b",
        "/api/v1/matches/m1/maps/1?at_seq=x",
        "/api/v1/matches/m1/maps/1?at_seq=99999999999999999999",
        "/api/v1/stream",
        "/api/v1/stream?topic=room/r1",
        "/api/v1/stream?topic=match/m1/1&after=soon",
        "/api/v1/stream?topic=match/m1&after=3",
        "/api/v1/stream?topic=match/m1&views=smell",
    ] {
        let reply = server.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, "query"), "{path}");
    }
    for path in ["/api/v1/matches/m1/maps/0", "/api/v1/matches/a%20b", "/api/v1/events/%C3%A9"] {
        assert_eq!(server.get(path).await.problem(), "path", "{path}");
    }
    for path in [
        "/api/v1/matches/m2",
        "/api/v1/matches/m1/maps/2",
        "/api/v1/matches/m1/maps/1?at_seq=4",
        "/api/v1/matches/m2/maps/1/predictions",
        "/api/v1/events/m2",
        "/api/v1/schemas/no.such.json",
        "/console/assets/none.js",
        "/api/v1/audit/m1",
        "/nothing",
    ] {
        assert_eq!(server.get(path).await.problem(), "not_found", "{path}");
    }
}

#[tokio::test]
async fn an_acknowledged_event_is_in_the_next_read() {
    let server = Server::start().await;
    for n in 1..=100 {
        server.post(&numbered("match/m1/1", n, 1)).await;
        assert_eq!(server.get("/api/v1/matches/m1/maps/1").await.json()["seq"], n);
        let list = server.get("/api/v1/matches").await.json();
        assert_eq!(list["matches"][0]["maps"]["1"]["seq"], n);
    }
}

#[tokio::test]
async fn the_state_as_of_every_event_is_that_of_a_fresh_fold() {
    let server = Server::start().await;
    let subject = Subject::parse("match/m1/1").unwrap();
    let events = play::random("match/m1/1", 300, play::seed());
    for batch in events.chunks(50) {
        assert_eq!(server.post(batch).await.status, 200);
        // Folded bit by bit, too.
        server.get("/api/v1/matches/m1/maps/1").await;
    }
    let entries = server.log.read(&subject, 0, 1_000).unwrap();
    let records: Vec<Recorded> = entries.into_iter().map(|entry| entry.recorded).collect();
    for n in 0..=records.len() {
        let mut fold = Fold::of(&Games::default(), &subject, &records[..n]);
        fold.play.reveal(&*server.ids);
        let want = fold.play.to_json();
        let got = server.get(&format!("/api/v1/matches/m1/maps/1?at_seq={n}")).await;
        assert_eq!(String::from_utf8_lossy(&got.bytes), want, "at {n}");
        if n == records.len() {
            let now = server.get("/api/v1/matches/m1/maps/1").await;
            assert_eq!(String::from_utf8_lossy(&now.bytes), want);
        }
    }
}

#[tokio::test]
async fn matches_in_pages_and_one_by_one() {
    let server = Server::start().await;
    let ids = ["a", "a-b", "a-b-c", "a.b", "a0", "b", "z~1", "~"];
    for id in ids.iter().rev() {
        let events = [
            own(&format!("match/{id}/2"), 1, &json!({})),
            own(&format!("match/{id}/10"), 1, &json!({})),
        ];
        server.post(&events).await;
    }
    server.post(&[own("match/only", 1, &json!({}))]).await;
    let mut want: Vec<&str> = ids.into_iter().chain(["only"]).collect();
    want.sort_unstable();
    for limit in [1, 2, 100] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = server.get(&format!("/api/v1/matches?limit={limit}{after}")).await.json();
            let matches = page["matches"].as_array().unwrap();
            assert!(matches.len() <= limit);
            seen.extend(matches.iter().map(|m| m["match"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(seen, want, "in pages of {limit}");
    }
    let one = server.get("/api/v1/matches/a").await.json();
    assert_eq!(one["match"], "a");
    assert_eq!(one["maps"].as_object().unwrap().keys().collect::<Vec<_>>(), ["2", "10"]);
    assert_eq!(one["maps"]["10"], server.get("/api/v1/matches/a/maps/10").await.json());
    let only = server.get("/api/v1/matches/only").await.json();
    assert_eq!((&only["match"], &only["maps"]), (&json!("only"), &json!({})));
    assert_eq!(only["series"]["seq"], 1);
}

#[tokio::test]
async fn a_match_of_many_maps_waits_for_its_turn() {
    let server = Server::with(Limits { heavy_reads: 0, ..Limits::default() }).await;
    let server = Arc::new(server);
    for map in 1..=9 {
        server.post(&numbered(&format!("match/many/{map}"), 1, 1)).await;
    }
    server.post(&numbered("match/few/1", 1, 1)).await;
    let asking = server.clone();
    let many = tokio::spawn(async move { asking.get("/api/v1/matches/many").await });
    for _ in 0..20 {
        assert_eq!(server.get("/api/v1/matches/few").await.status, 200);
    }
    assert!(!many.is_finished());
    many.abort();
}

#[tokio::test]
async fn events_of_many_maps_by_time() {
    let server = Server::start().await;
    let at = |n: u64| format!("2024-01-01T00:{:02}:{:02}.000Z", n / 60, n % 60);
    for map in 1..=30 {
        let events: Vec<Value> = (0..20)
            .map(|n| {
                let mut event = own(&format!("match/m1/{map}"), n, &json!({}));
                event["time"] = at(n * 30 + map).into();
                event
            })
            .collect();
        assert_eq!(server.post(&events).await.status, 200);
    }
    for (limit, from, count) in [(1, 590, 11), (7, 1, 600), (500, 1, 600)] {
        let (mut times, mut next) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/events/m1?limit={limit}&from={}{next}", at(from));
            let page = server.get(&path).await.json();
            let events = page["events"].as_array().unwrap();
            times.extend(events.iter().map(|event| event["time"].as_str().unwrap().to_owned()));
            let Some(cursor) = page["next"].as_str() else { break };
            next = format!("&after={cursor}");
        }
        assert_eq!(times, (from..from + count).map(at).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn predictions_in_pages_and_the_latest() {
    let server = Server::start().await;
    let events = play::random("match/m1/1", 200, 7);
    server.post(&events).await;
    let (mut seen, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/api/v1/matches/m1/maps/1/predictions?limit=7&after={after}");
        let page = server.get(&path).await.json();
        seen.extend(page["predictions"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_u64() else { break };
        after = next;
    }
    let all = server.get("/api/v1/matches/m1/maps/1/predictions?limit=1000").await.json();
    assert_eq!(Value::from(seen.clone()), all["predictions"]);
    assert!(seen.len() > 20);
    let state = server.get("/api/v1/matches/m1/maps/1").await.json();
    assert_eq!(seen.last().unwrap(), &state["prediction"]);

    server.post(&[event("match/m2/1", 1, "match.started", &json!({}))]).await;
    server.post(&[event("match/m2/1", 2, "round.started", &json!({}))]).await;
    let latest = server.get("/api/v1/predictions").await.json();
    let of_m2 = latest["predictions"].as_array().unwrap().iter().find(|p| p["match"] == "m2");
    let of_m2 = of_m2.unwrap();
    let state = server.get("/api/v1/matches/m2/maps/1").await.json();
    assert_eq!((&of_m2["map"], &of_m2["prediction"]), (&json!(1), &state["prediction"]));
}

#[tokio::test]
async fn events_of_a_match_by_time() {
    let server = Server::start().await;
    let mut events = Vec::new();
    for n in 0..60 {
        let subject = ["match/m1", "match/m1/1", "match/m1/2"][n % 3];
        let mut made = own(subject, n, &json!({"n": n}));
        made["time"] = format!("2026-01-01T00:{n:02}:00Z").into();
        events.push(made);
    }
    server.post(&events).await;
    let mut path =
        "/api/v1/events/m1?from=2026-01-01T00:10:00Z&to=2026-01-01T00:50:00Z&limit=7".to_owned();
    let mut seen = Vec::new();
    let base = path.clone();
    loop {
        let page = server.get(&path).await.json();
        let events = page["events"].as_array().unwrap();
        seen.extend(events.iter().map(|event| event["data"]["n"].as_u64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{base}&after={next}");
    }
    assert_eq!(seen, (10..50).collect::<Vec<_>>());
}
