//! `POST /api/v1/events` and the route of sources.

use std::io::Write;

use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::harness::{Server, event, numbered, own};

#[tokio::test]
async fn one_event_a_batch_and_lines() {
    let server = Server::start().await;
    let one = own("match/m1/1", "a", &json!({})).to_string();
    let reply = server.post_as("application/cloudevents+json", one).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let body = reply.json();
    assert_eq!(body["durability"], "memory");
    let result = &body["results"][0];
    assert_eq!(
        (&result["id"], &result["subject"], &result["seq"], &result["status"]),
        (&json!("a"), &json!("match/m1/1"), &json!(1), &json!("appended"))
    );
    assert_eq!(result["leaf"].as_str().unwrap().len(), 64);
    assert_eq!(result["chain"].as_str().unwrap().len(), 64);

    let batch = Value::from(vec![
        own("match/m1/1", "b", &json!({})),
        own("match/m2/1", "b", &json!({})),
        own("match/m1/1", "c", &json!({})),
    ]);
    let kind = "application/cloudevents-batch+json; charset=utf-8";
    let reply = server.post_as(kind, batch.to_string()).await;
    let seqs: Vec<_> = results(&reply.json()).iter().map(|r| r["seq"].clone()).collect();
    assert_eq!(seqs, [2, 1, 3]);

    let lines = format!(
        "{}\r\n\n{}\n",
        own("match/m1/1", "d", &json!({})),
        own("match/m1/1", "e", &json!({}))
    );
    let reply = server.post_as("application/x-ndjson", lines).await;
    assert_eq!(results(&reply.json()).len(), 2);
    assert_eq!(
        server.get("/api/v1/events?subject=match/m1/1").await.json()["events"][4]["id"],
        "e"
    );
}

fn results(body: &Value) -> &Vec<Value> {
    body["results"].as_array().unwrap()
}

#[tokio::test]
async fn duplicates_and_those_that_differ() {
    let server = Server::start().await;
    let first = own("match/m1/1", "a", &json!({"v": 1}));
    let reply = server.post(&[first.clone(), first.clone()]).await;
    assert_eq!(reply.status, 200);
    let statuses = |reply: &Value| {
        let of = |r: &Value| (r["status"].as_str().unwrap().to_owned(), r["differs"].clone());
        results(reply).iter().map(of).collect::<Vec<_>>()
    };
    let body = reply.json();
    assert_eq!(
        statuses(&body),
        [("appended".to_owned(), Value::Null), ("duplicate".to_owned(), Value::Null)]
    );
    assert_eq!(body["results"][0]["chain"], body["results"][1]["chain"]);
    let other = own("match/m1/1", "a", &json!({"v": 2}));
    let reply = server.post(&[other]).await;
    assert_eq!(reply.status, 200);
    assert_eq!(statuses(&reply.json()), [("duplicate".to_owned(), json!(true))]);
    let reply = server.get("/api/v1/events?subject=match/m1/1").await;
    assert_eq!(reply.json()["events"].as_array().unwrap().len(), 1);
    assert_eq!(reply.json()["events"][0]["data"], json!({"v": 1}));
}

#[tokio::test]
async fn some_are_taken() {
    let server = Server::start().await;
    let events = [
        own("match/m1/1", "a", &json!({})),
        event("match/m1/1", "b", "no.such.type", &json!({})),
        own("match/m1/1", "c", &json!({})),
    ];
    let reply = server.post(&events).await;
    assert_eq!(reply.status, 207);
    let body = reply.json();
    assert_eq!(body["results"][0]["seq"], 1);
    assert_eq!(body["results"][2]["seq"], 2);
    let rejected = &body["results"][1];
    assert_eq!((&rejected["index"], &rejected["status"]), (&json!(1), &json!("rejected")));
    assert_eq!(rejected["error"]["code"], "unknown_type");
    assert!(server.metric("matchwire_events_rejected_total{source=\"http\"}").await >= 1.0);
    assert!(server.metric("matchwire_events_appended_total{source=\"http\"}").await >= 2.0);
}

#[tokio::test]
async fn compressed_bodies() {
    let server = Server::start().await;
    let lines = |first| {
        let lines: Vec<_> =
            numbered("match/m1/1", first, 50).iter().map(Value::to_string).collect();
        lines.join("\n").into_bytes()
    };
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&lines(0)).unwrap();
    let bodies = [
        ("gzip", gzip.finish().unwrap()),
        ("zstd", zstd::encode_all(&*lines(50), 1).unwrap()),
        ("identity", lines(100)),
    ];
    for (coding, body) in bodies {
        let headers = [("content-type", "application/x-ndjson"), ("content-encoding", coding)];
        let reply = server.send("POST", "/api/v1/events", &headers, body.into()).await;
        assert_eq!(reply.status, 200, "{coding}: {reply:?}");
    }
    let reply = server.get("/api/v1/events?subject=match/m1/1&limit=1000").await;
    assert_eq!(reply.json()["events"].as_array().unwrap().len(), 150);
}

#[tokio::test]
async fn people_are_exchanged_at_admission() {
    let server = Server::start().await;
    let joined = |id, player| {
        let data = json!({"player": player, "name": "A", "side": "CT"});
        event("match/m1/1", id, "player.joined", &data)
    };
    assert_eq!(server.post(&[joined(1, "steam:1"), joined(2, "p-known")]).await.status, 200);
    let events = server.get("/api/v1/events?subject=match/m1/1").await;
    assert_eq!(events.json()["events"][0]["data"]["player"], "p1");
    assert_eq!(events.json()["events"][1]["data"]["player"], "p-known");
    assert!(!String::from_utf8_lossy(&events.bytes).contains("steam:"));
    let state = server.get("/api/v1/matches/m1/maps/1").await.json();
    assert_eq!(state["players"]["p1"]["account"], "steam:1");
    assert!(state["players"]["p-known"]["account"].is_null());
}

#[tokio::test]
async fn sources() {
    let server = Server::start().await;
    let post = async |path: &str, headers: &[(&str, &str)]| {
        server.send("POST", path, headers, Bytes::from("a\nb\n")).await
    };
    let reply = post("/api/v1/sources/cs-log/m1/1", &[("content-type", "text/plain")]).await;
    assert_eq!(reply.json(), json!({"appended": 0, "duplicate": 0, "unknown": 2}));
    let reply = post("/api/v1/sources/cs-log/m1/auto", &[]).await;
    assert_eq!(reply.json()["duplicate"], 1);
    assert_eq!(post("/api/v1/sources/cs-log/m1/0", &[]).await.problem(), "path");
    assert_eq!(post("/api/v1/sources/cs-log/a%20b/1", &[]).await.problem(), "path");
    let reply = post("/api/v1/sources/telex/m1/1", &[]).await;
    assert_eq!(reply.problem(), "not_found");
    assert_eq!(reply.json()["detail"], "there is no such source; known are cs-log, guarded");
    let reply = post("/api/v1/sources/cs-log/m1/1", &[("x-refuse", "1")]).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (409, "conflict"));
}

#[tokio::test]
async fn an_ingest_token_in_the_path() {
    let server = Server::start().await;
    let post = async |path: &str| server.send("POST", path, &[], Bytes::from("a\nb\n")).await;
    let reply = post("/api/v1/sources/guarded/~s3cret/m1/1").await;
    assert_eq!(reply.json(), json!({"appended": 0, "duplicate": 0, "unknown": 2}));
    for path in ["/m1/1", "/~/m1/1", "/~wrong/m1/1", "/~s3cret2/m1/1"] {
        let reply = post(&format!("/api/v1/sources/guarded{path}")).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (401, "unauthorized"));
        assert!(!String::from_utf8_lossy(&reply.bytes).contains("s3cret"), "{path}");
    }
    // One that nobody asks for is not looked at; without ~ it is none.
    assert_eq!(post("/api/v1/sources/cs-log/~any/m1/1").await.json()["unknown"], 2);
    assert_eq!(post("/api/v1/sources/cs-log/any/m1/1").await.problem(), "not_found");
}
