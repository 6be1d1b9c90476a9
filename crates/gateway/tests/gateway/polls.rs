//! Reads that wait for an event.

use std::{sync::Arc, time::Duration};

use matchwire_gateway::Limits;
use serde_json::json;

use crate::harness::{Reply, Server, numbered, soon};

const WAITING: &str = "matchwire_connections{kind=\"poll\"}";

/// Asks, and goes on once the server waits.
async fn ask(server: &Arc<Server>, query: &str) -> tokio::task::JoinHandle<Reply> {
    let (asking, path) = (server.clone(), format!("/api/v1/events?subject=match/m1/1&{query}"));
    let asked = tokio::spawn(async move { asking.get(&path).await });
    server.metric_reaches(WAITING, 1.0).await;
    asked
}

fn seqs(reply: &Reply) -> Vec<u64> {
    let events = reply.json()["events"].as_array().unwrap().clone();
    events.iter().map(|event| event["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_read_waits_for_the_next_event() {
    let server = Arc::new(Server::start().await);
    // Also for the first one of a stream.
    let asked = ask(&server, "wait=30").await;
    server.post(&numbered("match/m2/1", 1, 1)).await;
    server.post(&numbered("match/m1/1", 1, 2)).await;
    let reply = soon(asked).await.unwrap();
    assert_eq!((reply.status.as_u16(), seqs(&reply)), (200, vec![1, 2]));
    // From a bare seq, and from any cursor of the match.
    let lineage = server.log.lineage().current().to_owned();
    for (after, seq) in [
        ("2".to_owned(), 3),
        (format!("c1~{lineage}~1-3"), 4),
        (format!("c1~{lineage}~0-9~1-4"), 5),
    ] {
        let asked = ask(&server, &format!("after={after}&wait=30")).await;
        server.post(&numbered("match/m1/1", seq, 1)).await;
        assert_eq!(seqs(&soon(asked).await.unwrap()), [seq], "{after}");
    }
    // What is there is told at once, in pages as without waiting.
    let path = "/api/v1/events?subject=match/m1/1&limit=2&wait=30";
    let page = server.get(path).await;
    assert_eq!((seqs(&page), &page.json()["next"]), (vec![1, 2], &json!(2)));
}

#[tokio::test]
async fn after_so_long_the_list_is_empty_and_so_it_is_at_the_end() {
    let limits = Limits { poll: Duration::from_millis(1), ..Limits::default() };
    let server = Server::with(limits).await;
    let path = "/api/v1/events?subject=match/m1/1&wait=30";
    assert_eq!(server.get(path).await.json(), json!({"events": []}));
    server.end().await;
    let mut server = Server::start().await;
    let stop = server.stop.take();
    let server = Arc::new(server);
    let asked = ask(&server, "wait=30").await;
    let _ = stop.unwrap().send(());
    assert_eq!(soon(asked).await.unwrap().json(), json!({"events": []}));
}

#[tokio::test]
async fn what_is_wrong_is_told_at_once() {
    let server = Server::start().await;
    for bad in ["wait=31", "wait=-1", "wait=1.5", "wait=", "wait=soon", "wait=1&wait=2"] {
        let reply = server.get(&format!("/api/v1/events?subject=match/m1/1&{bad}")).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, "query"), "{bad}");
    }
    let cursor = "c1~0123456789abcdef~1-3";
    let path = format!("/api/v1/events?subject=match/m1/1&after={cursor}&wait=30");
    assert_eq!(server.get(&path).await.problem(), "conflict");
}
