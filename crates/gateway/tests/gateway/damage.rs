//! A log that is damaged: who is told, and what goes on.

use matchwire_gateway::Damage;
use matchwire_log::Options;
use serde_json::{Value, json};

use crate::{
    harness::{Events, Server, numbered},
    rigged::Rigged,
    setup::Setup,
};

/// A server that keeps nothing in memory.
async fn over(medium: &Rigged) -> Server {
    let options = Options { recent_bytes: 0, ..Options::default() };
    Server::of(Setup { medium: Box::new(medium.clone()), options, ..Setup::default() }).await
}

#[tokio::test]
async fn reads_fail_with_the_place_and_others_go_on() {
    let medium = Rigged::new();
    let server = over(&medium).await;
    server.post(&numbered("match/m1/1", 1, 3)).await;
    server.post(&numbered("match/m1/2", 1, 3)).await;
    medium.damage(Some("match/m1/2"));
    for path in [
        "/api/v1/events?subject=match/m1/2",
        "/api/v1/proof?subject=match/m1/2&seq=1",
        "/api/v1/matches/m1/maps/2",
        "/api/v1/matches/m1",
        "/api/v1/stream?topic=match/m1/2",
    ] {
        let reply = server.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (500, "corrupt"), "{path}");
        let detail = reply.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("7.seg") && detail.contains("4096"), "{detail}");
    }
    assert_eq!(server.get("/api/v1/matches/m1/maps/1").await.status, 200);
    let list = server.get("/api/v1/matches").await.json();
    assert_eq!(list["matches"][0]["maps"]["1"]["seq"], 3);
    assert_eq!(list["matches"][0]["maps"]["2"]["error"]["code"], "corrupt");
    let mut socket = server.socket().await;
    socket.say(&json!({"type": "subscribe", "topic": "match/m1/2"})).await;
    let error = socket.next().await;
    assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!("corrupt")));
    assert!(error["detail"].as_str().unwrap().contains("7.seg"));
    socket.subscribe("match/m1/1", 0.into()).await;
    assert_eq!(socket.next_of("event").await["seq"], 1);
}

/// Events of a damaged stream are rejected, and those of others in the same request are taken.
#[tokio::test]
async fn a_batch_is_taken_but_for_the_damaged_stream() {
    let medium = Rigged::new();
    let server = over(&medium).await;
    server.post(&numbered("match/m1/2", 1, 3)).await;
    medium.damage(Some("match/m1/2"));
    let (whole, damaged) = (numbered("match/m1/1", 1, 2), numbered("match/m1/2", 2, 1));
    let batch: Vec<Value> = [&whole[..1], &damaged, &whole[1..]].concat();
    for status in ["appended", "duplicate"] {
        let reply = server.post(&batch).await;
        assert_eq!(reply.status, 207);
        let results = reply.json()["results"].clone();
        assert_eq!(
            (&results[0]["status"], &results[2]["status"]),
            (&json!(status), &json!(status))
        );
        assert_eq!((&results[0]["seq"], &results[2]["seq"]), (&json!(1), &json!(2)));
        assert_eq!(results[1]["error"]["code"], "corrupt");
    }
    // Where nothing else is asked for, it is the server that fails.
    let reply = server.post(&damaged).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (500, "corrupt"));
}

/// Damage that a follower meets later ends that topic with an error, and no other one.
#[tokio::test]
async fn a_follower_is_told() {
    let medium = Rigged::new();
    let server = over(&medium).await;
    server.post(&numbered("match/m1/1", 1, 3)).await;
    server.post(&numbered("match/m1/2", 1, 3)).await;
    let mut socket = server.socket().await;
    for topic in ["match/m1/1", "match/m1/2"] {
        socket.subscribe(topic, 0.into()).await;
        while socket.next_of("event").await["seq"] != 3 {}
    }
    let mut events = Events::open(&server, "topic=match/m1/2&after=0", None).await;
    while !events.next_of("event").await.data.contains("\"seq\":3") {}
    medium.damage(Some("match/m1/2"));
    // Its head is known, so it takes more; but nobody can read it.
    server.post(&numbered("match/m1/2", 4, 1)).await;
    let error = socket.next_of("error").await;
    assert_eq!((&error["code"], &error["topic"]), (&json!("corrupt"), &json!("match/m1/2")));
    let error: Value = serde_json::from_str(&events.next_of("error").await.data).unwrap();
    assert_eq!(error["code"], "corrupt");
    assert!(events.next().await.is_none());
    server.post(&numbered("match/m1/1", 4, 1)).await;
    assert_eq!(socket.next_of("event").await["seq"], 4);
}

#[tokio::test]
async fn what_was_lost_for_good_is_told_as_a_gap() {
    let medium = Rigged::new();
    let server = over(&medium).await;
    server.post(&numbered("match/m1/1", 1, 9)).await;
    medium.lose(4..=6);
    let mut socket = server.socket().await;
    let message =
        json!({"type": "subscribe", "topic": "match/m1/1", "after": 0, "views": ["events"]});
    socket.say(&message).await;
    assert_eq!(socket.next().await["type"], "subscribed");
    let mut told = Vec::new();
    while told.last() != Some(&json!(9)) {
        let frame = socket.next().await;
        match frame["type"].as_str() {
            Some("event") => told.push(frame["seq"].clone()),
            Some("error") => told.push(frame["code"].clone()),
            _ => panic!("{frame}"),
        }
    }
    assert_eq!(Value::from(told), json!([1, 2, 3, "lost", 7, 8, 9]));
    assert_eq!(server.get("/api/v1/matches/m1/maps/1?at_seq=8").await.json()["seq"], 8);
}

#[tokio::test]
async fn health_says_what_an_operator_should_see_to() {
    let place = |offset| Damage { file: "3.seg".into(), offset, what: "it is torn".into() };
    let setup = Setup { damage: vec![place(17), place(99)], ..Setup::default() };
    let clock = setup.clock.clone();
    let server = Server::of(setup).await;
    let health = server.get("/healthz").await;
    assert_eq!(health.status, 200);
    let reason = json!({"code": "corrupt", "file": "3.seg", "offset": 17, "detail": "it is torn"});
    assert_eq!(
        (&health.json()["status"], &health.json()["reasons"][0]),
        (&json!("degraded"), &reason)
    );
    assert!(server.metric("matchwire_log_damaged_places").await.to_string() == "2");

    let server_on_time = Server::start().await;
    assert_eq!(server_on_time.get("/healthz").await.json(), json!({"status": "ok"}));
    assert!(server_on_time.metric("matchwire_log_clock_behind_seconds").await.to_string() == "0");

    server.post(&numbered("match/m1/1", 1, 1)).await;
    clock.set(1_700_000_000_000 - 61_000);
    assert!(server.metric("matchwire_log_clock_behind_seconds").await.to_string() == "61");
    let health = server.get("/healthz").await.json();
    let clock = &health["reasons"][2];
    assert_eq!(clock["code"], "clock_behind");
    assert!(clock["detail"].as_str().unwrap().contains("61 s"), "{clock}");
}
