//! Upstreams that are asked again and again.

use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

use serde_json::json;

use super::harness::{Fetching, Reply, Upstream, event, reply};

/// Answers pages of three events each, of so many, by the cursor; and a tag for what is at the end.
fn page(total: u64, path: &str, tag: Option<&str>) -> Vec<Reply> {
    let after = path.split_once("after=").map_or(0, |(_, after)| after.parse::<u64>().unwrap());
    let last = (after + 3).min(total);
    let events: Vec<_> = (after + 1..=last).map(event).collect();
    if last < total {
        let body = json!({"events": events, "next": last.to_string()}).to_string();
        return reply("200 OK", "", &body);
    }
    let own = format!("\"{total}\"");
    if tag == Some(&own) {
        return reply("304 Not Modified", "", "");
    }
    let body = json!({"events": events, "next": null}).to_string();
    reply("200 OK", &format!("etag: {own}\r\n"), &body)
}

#[tokio::test]
async fn pages_by_cursor_and_what_has_not_changed_by_its_tag() {
    let total = Arc::new(AtomicU64::new(10));
    let now = total.clone();
    let upstream = Upstream::start(move |request| {
        page(now.load(Ordering::SeqCst), request.path(), request.header("if-none-match"))
    })
    .await;
    let url = format!("url = \"http://{}/x?key=s3cret\"\nevery = \"50ms\"", upstream.authority);
    let mut fetching = Fetching::start(&url);
    assert_eq!(fetching.numbers(10).await, (1..=10).collect::<Vec<_>>());
    let told = fetching.until("nothing is new", |_| upstream.requests().len() > 7).await;
    assert_eq!(told["cursor"], "9", "{told}");
    assert_eq!(
        told["events"],
        json!({"appended": 10, "duplicate": 0, "unknown": 0, "rejected": 0})
    );
    assert!(!told.to_string().contains("s3cret"), "{told}");
    let paths: Vec<_> = upstream.requests().iter().map(|it| it.path().to_owned()).collect();
    let first = ["/x?key=s3cret", "/x?key=s3cret&after=3", "/x?key=s3cret&after=6"];
    assert_eq!(paths[..3], first);
    assert!(paths[4..].iter().all(|path| path == "/x?key=s3cret&after=9"), "{paths:?}");
    // Where it is outlasts the process; one that is killed may be asked for a second's worth again.
    for is_killed in [false, true] {
        if is_killed {
            fetching.kill();
        } else {
            fetching.terminate();
        }
        let before = upstream.requests().len();
        let more = total.fetch_add(4, Ordering::SeqCst) + 4;
        fetching.begin();
        assert_eq!(fetching.numbers(more).await, (1..=more).collect::<Vec<_>>());
        let again = upstream.requests()[before].clone();
        let is_known = again.path().ends_with("after=9") && again.header("if-none-match").is_some();
        assert!(is_known || is_killed, "{again:?}");
    }
}

#[tokio::test]
async fn what_fails_is_tried_again_and_then_left_alone() {
    let step = Arc::new(AtomicU32::new(0));
    let at = step.clone();
    let upstream = Upstream::start(move |request| match at.load(Ordering::SeqCst) {
        0 => reply("500 Oh no", "", "it is broken"),
        1 => reply("200 OK", "", "{\"events\": ["),
        // It ends in the middle, which the length gives away.
        2 => vec![Reply::Send("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n[{".into())],
        3 => vec![Reply::Hang],
        4 => vec![],
        5 => reply("401 Who are you", "", "\u{1b}[2J no key"),
        _ => page(3, request.path(), None),
    })
    .await;
    let url =
        format!("url = \"http://{}/\"\nevery = \"50ms\"\ntimeout = \"200ms\"", upstream.authority);
    let fetching = Fetching::start(&url);
    for (number, said) in [
        "it answered 500: it is broken",
        "it is no JSON: EOF while parsing",
        "error decoding response body",
        "it said nothing for 200ms",
        "error sending request",
        "it answered 401: \u{1b}[2J no key",
    ]
    .into_iter()
    .enumerate()
    {
        step.store(u32::try_from(number).unwrap(), Ordering::SeqCst);
        let is_there = |it: &serde_json::Value| {
            it["error"].as_str().is_some_and(|error| error.contains(said))
                && it["state"] == "broken"
        };
        let told = fetching.until(said, is_there).await;
        assert!(told["failures"].as_u64() >= Some(5), "{told}");
        let health = fetching.server().text("/healthz").await;
        assert!(health.contains("\"degraded\"") && health.contains("the upstream u has failed"));
        let metrics = fetching.server().text("/metrics").await;
        assert!(metrics.contains("matchwire_upstream_breaker_open{upstream=\"u\"} 1"), "{metrics}");
        step.store(6, Ordering::SeqCst);
        let told = fetching.until("it recovers", |it| it["state"] == "connected").await;
        assert_eq!((&told["failures"], &told["error"]), (&json!(0), &json!(null)));
        assert!(fetching.server().text("/healthz").await.contains("\"ok\""));
    }
    // The body that is no JSON is one dead letter, however often it came.
    let letters = fetching.letters(1).await;
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!((&letter["reason"], &letter["attempts"]), (&json!("bad_body"), &json!(3)));
    assert_eq!((&letter["via"], &letter["source"]), (&json!("upstream"), &json!("u")));
    assert_eq!(fetching.numbers(3).await, [1, 2, 3]);
}

/// Each hour has a few requests at most for an upstream whose answer nobody can change but a person.
#[tokio::test]
async fn one_that_is_left_alone_is_not_asked() {
    let upstream = Upstream::start(|_| reply("403 No", "retry-after: 600\r\n", "")).await;
    let url = format!("url = \"http://{}/\"\nevery = \"50ms\"", upstream.authority);
    let fetching = Fetching::start(&url);
    fetching.until("it is left alone", |it| it["state"] == "broken").await;
    assert_eq!(upstream.requests().len(), 1);
    // The end does not wait for it.
    drop(fetching);
}

#[tokio::test]
async fn events_that_are_wrong_are_dead_letters_and_the_others_are_taken() {
    let upstream = Upstream::start(|request| {
        let mut bad = event(2);
        bad["type"] = "no.such".into();
        let events = json!([event(1), bad, 7, {"a": 1}, event(3)]).to_string();
        let tag = request.header("if-none-match").is_some();
        if tag { reply("304 Same", "", "") } else { reply("200 OK", "etag: \"a\"\r\n", &events) }
    })
    .await;
    let url = format!("url = \"http://{}/\"\nevery = \"50ms\"", upstream.authority);
    let fetching = Fetching::start(&url);
    assert_eq!(fetching.numbers(2).await, [1, 3]);
    let told = fetching.until("it is read", |it| it["events"]["rejected"] == 3).await;
    assert_eq!(told["events"]["appended"], 2);
    let letters = fetching.letters(1).await;
    assert_eq!(letters.len(), 1, "what has no envelope is counted alone");
    assert_eq!(
        (&letters[0]["reason"], &letters[0]["via"]),
        (&json!("unknown_type"), &json!("upstream"))
    );
    let seq = &letters[0]["seq"];
    let path = format!("/dead-letters/{seq}/redrive");
    let again = fetching.client().post(&path, &[], "".into()).await.unwrap_err().to_string();
    assert!(again.contains("unknown_type") || again.contains("no.such"), "{again}");
}

/// A body in a source's own format: whole, again and again, as the file grows.
#[tokio::test]
async fn a_log_that_grows() {
    let lines = String::from_utf8(crate::played::log()).unwrap();
    let cuts: Vec<usize> = lines.match_indices('\n').map(|(at, _)| at + 1).collect();
    let cuts: Vec<usize> = cuts.iter().copied().step_by(cuts.len() / 4).skip(1).collect();
    let (text, step) = (lines.clone(), AtomicU32::new(0));
    let upstream = Upstream::start(move |_| {
        let step = step.fetch_add(1, Ordering::SeqCst) as usize / 2;
        reply("200 OK", "", cuts.get(step).map_or(text.as_str(), |cut| &text[..*cut]))
    })
    .await;
    let settings = "format = \"cs-log\"\nmatch = \"m\"\nclass = \"sensor\"\nevery = \"50ms\"";
    let fetching =
        Fetching::start(&format!("url = \"http://{}/\"\n{settings}", upstream.authority));
    fetching.until("all of it is read", |_| upstream.requests().len() > 12).await;
    let fetched = crate::played::state(&fetching.client(), "m", 1).await;
    let folder = tempfile::tempdir().unwrap();
    let server = crate::process::Server::start(folder.path(), "127.0.0.1:0");
    server.client().post("/sources/cs-log/m/auto", &[], lines.into()).await.unwrap();
    let posted = crate::played::state(&server.client(), "m", 1).await;
    assert_eq!(fetched["teams"], posted["teams"]);
    assert_eq!(fetched["status"], "ended");
}
