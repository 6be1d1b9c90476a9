//! A stream that is sealed takes nothing more, and is read as before.

use serde_json::{Value, json};

use crate::harness::{Server, event, numbered, own};

#[tokio::test]
async fn a_sealed_stream() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    socket.subscribe("match/m1/1", 0.into()).await;
    server.post(&numbered("match/m1/1", 1, 2)).await;
    let seal = event("match/m1/1", "seal", "stream.sealed", &json!({"reason": "checked"}));
    let after = own("match/m1/1", "after", &json!({}));
    // What follows in the same request belongs to the same append, of which nothing is stored.
    let reply = server.post(&[seal.clone(), after.clone()]).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["results"][0]["error"]["code"], "sealed");
    let reply = server.post(&[seal.clone(), own("match/m1/2", 1, &json!({}))]).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["results"][0]["seq"]), (200, &json!(3)));
    let state = server.get("/api/v1/matches/m1/maps/1").await.json();
    assert_eq!((&state["seq"], &state["anomalies"]), (&json!(3), &json!([])));

    let reply = server.post(&[after, own("match/m1/2", 2, &json!({}))]).await;
    assert_eq!(reply.status, 207);
    let body = reply.json();
    let rejected = &body["results"][0];
    assert_eq!((&rejected["status"], &rejected["index"]), (&json!("rejected"), &json!(0)));
    assert_eq!(rejected["error"]["code"], "sealed");
    assert!(rejected["error"]["detail"].as_str().unwrap().contains("seq 3"), "{rejected}");
    assert_eq!(body["results"][1]["status"], "appended");
    // Who repeats what is there gets the answer of the first time.
    let reply = server.post(&[seal]).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["results"][0]["status"]),
        (200, &json!("duplicate"))
    );

    let seqs: Vec<Value> = [
        socket.next_of("event").await,
        socket.next_of("event").await,
        socket.next_of("event").await,
    ]
    .iter()
    .map(|frame| frame["seq"].clone())
    .collect();
    assert_eq!(seqs, [1, 2, 3]);
    let list = server.get("/api/v1/events?subject=match/m1/1").await.json();
    assert_eq!(list["events"][2]["type"], "stream.sealed");
    assert_eq!(server.get("/api/v1/matches/m1/maps/1").await.json(), state);
}
