//! What an acknowledgement means, at the sender's choice.

use hyper::body::Bytes;
use matchwire_log::Options;
use serde_json::{Value, json};

use crate::{
    harness::{Reply, Server, event, numbered, soon},
    rigged::Rigged,
    setup::Setup,
};

async fn post(server: &Server, query: &str, events: &[Value]) -> Reply {
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    let path = format!("/api/v1/events{query}");
    let headers = [("content-type", "application/x-ndjson")];
    server.send("POST", &path, &headers, Bytes::from(lines.join("\n"))).await
}

#[tokio::test]
async fn from_memory_where_the_operator_allows_it() {
    let medium = Rigged::new();
    let setup = Setup { medium: Box::new(medium.clone()), memory_acks: true, ..Setup::default() };
    let server = Server::of(setup).await;
    let held = medium.hold();
    let mut socket = server.socket().await;
    socket.subscribe("match/m1/1", 0.into()).await;
    let mut events = numbered("match/m1/1", 1, 2);
    events.push(event("match/m1/1", 3, "no.such.type", &json!({})));
    let reply = post(&server, "?durability=memory", &events).await;
    assert_eq!(reply.status, 207);
    let body = reply.json();
    assert_eq!(body["durability"], "memory");
    let accepted = |id: &str| json!({"id": id, "subject": "match/m1/1", "status": "accepted"});
    assert_eq!(body["results"][0], accepted("1"));
    assert_eq!(body["results"][1], accepted("2"));
    assert_eq!(body["results"][2]["error"]["code"], "unknown_type");
    // Nobody is told of it before it is on disk.
    assert_eq!(server.log.stats().events, 0);
    socket.say(&json!({"type": "ping"})).await;
    let mut frame = socket.next().await;
    while frame["type"] != "heartbeat" {
        assert_ne!(frame["type"], "event");
        frame = socket.next().await;
    }
    assert_eq!(frame["heads"]["match/m1/1"], 0);
    drop(held);
    assert_eq!(socket.next_of("event").await["seq"], 1);
    assert_eq!(socket.next_of("event").await["seq"], 2);
    // The same ids again are duplicates, by either way.
    let reply = post(&server, "?durability=disk", &numbered("match/m1/1", 1, 2)).await;
    assert_eq!(reply.json()["durability"], "disk");
    assert_eq!(reply.json()["results"][1]["status"], "duplicate");
    assert!(
        server.metric("matchwire_events_accepted_total{source=\"http\"}").await.to_string() == "2"
    );
}

#[tokio::test]
async fn a_full_queue_is_told_at_once() {
    let medium = Rigged::new();
    let options = Options { queue_calls: 2, ..Options::default() };
    let setup =
        Setup { medium: Box::new(medium.clone()), memory_acks: true, options, ..Setup::default() };
    let server = Server::of(setup).await;
    let held = medium.hold();
    // The writer may have taken some already; in the end the queue is full.
    let refused = soon(async {
        for n in 1.. {
            // Nothing else is taken until there is no room at all.
            let round = event("match/m1/1", n, "round.started", &json!({}));
            let reply = post(&server, "?durability=memory", &[round]).await;
            if reply.status != 200 {
                return reply;
            }
        }
        unreachable!()
    });
    let refused = refused.await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (503, "log_full"));
    assert_eq!(refused.header("retry-after"), "1");
    drop(held);
}

#[tokio::test]
async fn what_cannot_be_had_is_refused() {
    let medium = Rigged::new();
    let server = Server::of(Setup { medium: Box::new(medium), ..Setup::default() }).await;
    let events = numbered("match/m1/1", 1, 1);
    let reply = post(&server, "?durability=memory", &events).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (403, "memory_acks_off"));
    for bad in
        ["?durability=quorum", "?durability=", "?durability=disk&durability=disk", "?durable=1"]
    {
        assert_eq!(post(&server, bad, &events).await.problem(), "query", "{bad}");
    }
    assert_eq!(server.log.stats().events, 0);
    assert_eq!(post(&server, "?durability=disk", &events).await.json()["durability"], "disk");
    // A log in memory has nothing better to give, and nothing worse.
    let server = Server::start().await;
    assert_eq!(post(&server, "?durability=disk", &events).await.problem(), "query");
    let body = post(&server, "?durability=memory", &events).await.json();
    assert_eq!((&body["durability"], &body["results"][0]["seq"]), (&json!("memory"), &json!(1)));
}
