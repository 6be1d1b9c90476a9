//! Upstreams that send server-sent events.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use serde_json::json;

use super::harness::{Fetching, Reply, Request, Upstream, event, reply};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\r\n";

fn sent(n: u64) -> Reply {
    Reply::Send(format!("event: event\r\nid: c{n}\r\ndata: {}\r\n\r\n", event(n)))
}

fn after(request: &Request) -> u64 {
    request.header("last-event-id").map_or(0, |id| id[1..].parse().unwrap())
}

/// The connection breaks after two events each time, once in the middle of one; at the end it stays.
#[tokio::test]
async fn it_goes_on_behind_the_last_event() {
    let upstream = Upstream::start(|request| {
        let after = after(request);
        let head = Reply::Send(HEAD.into());
        match after {
            8 => vec![head, sent(9), sent(10), Reply::Hang],
            4 => vec![head, sent(5), sent(6), Reply::Send("id: c7\ndata: {\"spec".into())],
            _ => vec![head, Reply::Send(": hello\n\n".into()), sent(after + 1), sent(after + 2)],
        }
    })
    .await;
    let url = format!("url = \"http://{}/\"\nkind = \"sse\"", upstream.authority);
    let mut fetching = Fetching::start(&url);
    assert_eq!(fetching.numbers(10).await, (1..=10).collect::<Vec<_>>());
    let told = fetching.until("it lasts", |it| it["state"] == "connected").await;
    assert_eq!((&told["kind"], &told["cursor"]), (&json!("sse"), &json!("c10")));
    let resumed: Vec<u64> = upstream.requests().iter().map(after).collect();
    assert_eq!(resumed, [0, 2, 4, 6, 8]);
    // Where it is was noted before the process ended.
    fetching.terminate();
    fetching.begin();
    fetching.until("it is asked again", |_| upstream.requests().len() > 5).await;
    assert_eq!(after(&upstream.requests()[5]), 10);
}

#[tokio::test]
async fn one_that_is_silent_is_asked_again() {
    let step = Arc::new(AtomicU32::new(0));
    let at = step.clone();
    let upstream = Upstream::start(move |_| match at.fetch_add(1, Ordering::SeqCst) {
        0 => vec![Reply::Send(HEAD.into()), sent(1), Reply::Hang],
        1 => reply("200 OK", "content-type: text/html\r\n", "<p>log in</p>"),
        2 => vec![Reply::Send(HEAD.into()), Reply::Send("data: {no json\n\n".into()), sent(2)],
        _ => vec![Reply::Send(HEAD.into()), sent(3), Reply::Hang],
    })
    .await;
    let settings = "kind = \"sse\"\nsilence = \"100ms\"\ntimeout = \"2s\"";
    let fetching =
        Fetching::start(&format!("url = \"http://{}/\"\n{settings}", upstream.authority));
    assert_eq!(fetching.numbers(3).await, [1, 2, 3]);
    let letters = fetching.letters(1).await;
    assert_eq!((&letters[0]["reason"], &letters[0]["attempts"]), (&json!("bad_body"), &json!(1)));
    let seq = &letters[0]["seq"];
    let letter = fetching.client().get(&format!("/dead-letters/{seq}")).await.unwrap();
    assert_eq!(letter["body"], "{no json");
}
