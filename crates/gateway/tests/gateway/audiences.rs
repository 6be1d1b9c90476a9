//! An audience that sees events later: what it is told at any moment is what all others were told then.

use std::{sync::Arc, time::Duration};

use hyper::body::Bytes;
use ipnet::IpNet;
use matchwire_domain::subject::Subject;
use matchwire_gateway::{Access, Audience, ROUTES};
use matchwire_log::{Delays, ManualClock};
use rand::Rng;
use serde_json::{Value, json};

use crate::{
    harness::{Events, Reply, Server, Socket, event, numbered, own, soon},
    play,
    setup::Setup,
};

/// Who is in the audience, by a proxy's word.
const FAN: &str = "203.0.113.5";
/// Who is in no audience, and no operator either.
const OTHER: &str = "192.0.2.5";
const AS_FAN: [(&str, &str); 1] = [("x-forwarded-for", FAN)];
const START: i64 = 1_700_000_000_000;
const DELAY_MS: i64 = 90_000;

/// A server whose audience sees matches 90 s later, but for one of them.
async fn server() -> (Server, Arc<ManualClock>) {
    let rule = |(pattern, s): (&str, u64)| (pattern.parse().unwrap(), Duration::from_secs(s));
    let delays = Delays::new([("match/**", 90), ("match/show/**", 0)].map(rule).to_vec());
    let networks: Vec<IpNet> = vec!["203.0.113.0/24".parse().unwrap()];
    let others: IpNet = "192.0.2.0/24".parse().unwrap();
    let access = Access {
        read: [networks.as_slice(), &[others]].concat(),
        ingest: networks.clone(),
        audiences: vec![Audience { name: "fans".into(), networks, delays }],
        proxies: vec!["127.0.0.1/32".parse().unwrap()],
        ..Access::loopback("127.0.0.1:0".parse().unwrap())
    };
    let clock = Arc::new(ManualClock::new(START));
    let server = Server::of(Setup { access, clock: clock.clone(), ..Setup::default() }).await;
    (server, clock)
}

/// What can be read of a match, in every way.
fn paths() -> Vec<String> {
    let map = "/api/v1/matches/m1/maps/1";
    let mut paths: Vec<String> = [
        "/api/v1/matches",
        "/api/v1/matches/m1",
        "/api/v1/matches/m1/stats",
        "/api/v1/matches/m1/maps/2",
        "/api/v1/predictions",
        "/api/v1/tournaments/cup/matches",
        "/api/v1/events?subject=match/m1&limit=1000",
        "/api/v1/events?topic=match/**&limit=1000",
        "/api/v1/events?subject=match/m1/1&limit=1000",
        "/api/v1/events?subject=match/m1/1&limit=7&after=3",
        "/api/v1/events/m1?limit=1000",
        "/api/v1/replay/m1?speed=0&views=events",
    ]
    .map(str::to_owned)
    .to_vec();
    paths.extend(["", "/predictions?limit=1000", "/stats"].map(|rest| format!("{map}{rest}")));
    for seq in [0, 1, 5, 20, 21, 40, 60, 80, 81] {
        paths.push(format!("{map}?at_seq={seq}"));
        paths.push(format!("/api/v1/proof?subject=match/m1/1&seq={}", seq + 1));
    }
    paths
}

/// A reply without what differs from request to request.
fn said(reply: &Reply) -> (u16, String) {
    let mut text = String::from_utf8_lossy(&reply.bytes).into_owned();
    if reply.status.is_client_error() {
        let problem = reply.json();
        text = format!("{} {}", problem["code"], problem["detail"]);
    }
    (reply.status.as_u16(), text)
}

#[tokio::test]
async fn every_way_of_reading_tells_what_it_told_others_then() {
    let (server, clock) = server().await;
    let play = play::random("match/m1/1", 80, play::seed());
    let scheduled =
        event("match/m1", "s", "match.scheduled", &json!({"best_of": 3, "tournament": "cup"}));
    let second = own("match/m1/2", 1, &json!({}));
    let mut batches: Vec<Vec<Value>> = play.chunks(20).map(<[Value]>::to_vec).collect();
    batches.insert(1, vec![scheduled]);
    // A correction comes later as well, to whoever saw what it corrects.
    batches.push(vec![event("match/m1/1", "c", "event.voided", &json!({"seq": 5})), second]);
    let paths = paths();
    let mut before = Vec::new();
    for path in &paths {
        before.push(said(&server.get_for(OTHER, path).await));
    }
    let mut then = vec![before];
    for (at, batch) in (0..).zip(&batches) {
        clock.set(START + at * 10_000);
        assert_eq!(server.post(batch).await.status, 200);
        let mut told = Vec::new();
        for path in &paths {
            told.push(said(&server.get_for(OTHER, path).await));
        }
        then.push(told);
    }
    for (at, pair) in (0..).zip(then.windows(2)) {
        for (early, told) in [(1, &pair[0]), (0, &pair[1])] {
            clock.set(START + at * 10_000 + DELAY_MS - early);
            for (path, told) in paths.iter().zip(told) {
                let heard = said(&server.get_for(FAN, path).await);
                assert_eq!(&heard, told, "{path}, {early} ms before batch {at} is due");
            }
        }
    }
}

#[tokio::test]
async fn a_topic_without_delay_is_seen_at_once() {
    let (server, _clock) = server().await;
    server.post(&numbered("match/show/1", 1, 3)).await;
    server.post(&numbered("match/m1/1", 1, 3)).await;
    let state = server.get_for(FAN, "/api/v1/matches/show/maps/1").await.json();
    assert_eq!(state, server.get("/api/v1/matches/show/maps/1").await.json());
    // What others were told no cache between may tell.
    let list = server.get("/api/v1/matches").await;
    assert_eq!(
        (list.json()["matches"].as_array().unwrap().len(), list.header("cache-control")),
        (2, "private")
    );
    let list = server.get_for(FAN, "/api/v1/matches").await.json();
    assert_eq!(list["matches"].as_array().unwrap().len(), 1);
    let mut socket = Socket::connect_with(server.address, &AS_FAN).await;
    socket.subscribe("match/show/1", json!(0)).await;
    for seq in 1..=3 {
        assert_eq!(socket.next_of("event").await["seq"], seq);
    }
    // A cursor of what is not seen yet is void, as any that lies behind the end.
    socket.subscribe("match/m1/1", json!(2)).await;
    assert_eq!(socket.next_of("reset").await["reason"], "after_head");
    let snapshot = socket.next_of("snapshot").await;
    assert_eq!((&snapshot["seq"], &snapshot["topic"]), (&json!(0), &json!("match/m1/1")));
    server.metric_reaches("matchwire_audience_requests_total{audience=\"fans\"}", 3.0).await;
}

/// What a follower was told of events, as bytes, with their cursors.
async fn next_event(events: &mut Events) -> (Option<String>, String) {
    let sent = events.next_of("event").await;
    (sent.id, sent.data)
}

#[tokio::test]
async fn what_is_streamed_is_what_was_streamed_to_others_and_never_earlier() {
    let (server, clock) = server().await;
    let seed = play::seed();
    let mut rng = play::rng(seed);
    let play = play::random("match/m1/1", 200, seed);
    let subject = Subject::parse("match/m1/1").unwrap();
    for topic in ["match/m1/1", "match/m1"] {
        assert_eq!(
            server.get_for(FAN, &format!("/api/v1/stream?topic={topic}&after=x")).await.status,
            422
        );
    }
    let path = "/api/v1/stream?topic=match/m1/1&after=0";
    let mut others = Events::open_at(&server, path, &[]).await;
    let mut fan = Events::open_at(&server, path, &AS_FAN).await;
    let mut of_match =
        Events::open_at(&server, "/api/v1/stream?topic=match/m1&after=0", &AS_FAN).await;
    let all = "/api/v1/stream?topic=match/**&after=0&views=events";
    let mut of_all = Events::open_at(&server, all, &AS_FAN).await;
    // Of those who follow the same over a WebSocket, the first is no fan.
    let mut other = server.socket().await;
    other.subscribe("match/m1/1", json!(0)).await;
    assert_eq!(other.next_of("state").await["seq"], 0);
    let mut socket = Socket::connect_with(server.address, &AS_FAN).await;
    socket.subscribe("match/m1/1", json!(0)).await;
    let (mut now, mut rest, mut told, mut heard) = (START, &play[..], Vec::new(), 0);
    while heard < play.len() {
        let (batch, after) = rest.split_at(rng.random_range(0..=rest.len().min(12)));
        rest = after;
        if !batch.is_empty() {
            assert_eq!(server.post(batch).await.status, 200);
            for _ in batch {
                told.push(next_event(&mut others).await);
            }
            while other.next_of("event").await["seq"] != told.len() {}
            follows_from(&mut socket, heard as u64, heard as u64).await;
        }
        now += rng.random_range(0..20_000);
        clock.set(now);
        let entries = server.log.read(&subject, 0, 1_000).unwrap();
        let is_due = |time: i64| time + DELAY_MS <= now;
        let due = entries.iter().filter(|entry| is_due(entry.recorded.recorded.ms())).count();
        for told in &told[heard..due] {
            assert_eq!(&next_event(&mut fan).await, told);
            let of_match: Value = serde_json::from_str(&next_event(&mut of_match).await.1).unwrap();
            let told: Value = serde_json::from_str(&told.1).unwrap();
            assert_eq!(of_match["event"], told["event"]);
            let of_all: Value = serde_json::from_str(&next_event(&mut of_all).await.1).unwrap();
            assert_eq!(of_all["event"], told["event"]);
        }
        follows_from(&mut socket, heard as u64, due as u64).await;
        heard = due;
    }
}

#[tokio::test]
async fn whoever_waits_waits_until_an_event_is_due() {
    let (server, clock) = server().await;
    let server = Arc::new(server);
    let asking = server.clone();
    let path = "/api/v1/events?subject=match/m1/1&wait=30";
    let asked = tokio::spawn(async move { asking.get_for(FAN, path).await });
    server.metric_reaches("matchwire_connections{kind=\"poll\"}", 1.0).await;
    server.post(&numbered("match/m1/1", 1, 2)).await;
    assert_eq!(server.get(path).await.json()["events"].as_array().unwrap().len(), 2);
    clock.set(START + DELAY_MS - 1);
    assert!(!asked.is_finished());
    clock.set(START + DELAY_MS);
    let reply = soon(asked).await.unwrap().json();
    assert_eq!(reply, server.get("/api/v1/events?subject=match/m1/1").await.json());
}

/// Waits until a socket that was sent the events up to one seq was sent those up to another; none beyond may
/// come.
async fn follows_from(socket: &mut Socket, mut had: u64, seq: u64) {
    while had < seq {
        had = socket.next_of("event").await["seq"].as_u64().unwrap();
    }
    socket.say(&json!({"type": "ping"})).await;
    loop {
        let frame = socket.next().await;
        assert_ne!(frame["type"], "event", "{frame} when {seq} is the last one that is due");
        if frame["type"] == "heartbeat" {
            assert_eq!(frame["heads"]["match/m1/1"], seq);
            return;
        }
    }
}

/// A path with something in the place of its parameters.
fn filled(path: &str) -> String {
    let values = [
        ("{seq}", "1"),
        ("{import}", "i1"),
        ("{match}", "m1"),
        ("{map}", "1"),
        ("{tournament}", "cup"),
        ("{player}", "p1"),
        ("{other}", "p2"),
        ("{game}", "cs2"),
    ];
    values.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value))
}

/// What tells of events before they are due, which a delayed audience is refused.
const REFUSED: &[&str] = &[
    "/metrics",
    "/api/v1/status",
    "/api/v1/calibration",
    "/api/v1/upstreams",
    "/api/v1/players/{player}/activity",
    "/api/v1/players/{player}/statistics",
    "/api/v1/players/{player}/ratings",
    "/api/v1/players/{player}/versus",
    "/api/v1/players/{player}/versus/{other}",
    "/api/v1/leaderboards/{game}",
    "/api/v1/me/export",
    "/api/v1/players/{player}/export",
    "/api/v1/exports/{export}",
    "/api/v1/dead-letters",
    "/api/v1/dead-letters/{seq}",
    "/api/v1/dead-letters/{seq}/redrive",
    "/api/v1/imports",
    "/api/v1/imports/{import}",
];

/// What reads goes over a delayed view, or tells nothing of events.
const DELAYED: &[&str] = &[
    "/api/v1/events",
    "/api/v1/events/{match}",
    "/api/v1/proof",
    "/api/v1/matches",
    "/api/v1/matches/{match}",
    "/api/v1/matches/{match}/maps/{map}",
    "/api/v1/matches/{match}/maps/{map}/predictions",
    "/api/v1/matches/{match}/maps/{map}/stats",
    "/api/v1/matches/{match}/stats",
    "/api/v1/predictions",
    "/api/v1/me",
    "/api/v1/me/erase",
    "/api/v1/tournaments/{tournament}/matches",
    "/api/v1/stream",
    "/api/v1/replay/{match}",
    "/api/v1/ws",
    "/api/v1/schemas",
    "/api/v1/schemas/{type}.json",
    "/api/v1/openapi.json",
    "/healthz",
    "/readyz",
    "/",
    "/console",
    "/console/embed/{match}/{map}",
    "/console/assets/{file}",
];

#[tokio::test]
async fn what_tells_of_events_before_is_refused_and_every_route_is_decided() {
    let (server, _clock) = server().await;
    server.post(&numbered("match/m1/1", 1, 3)).await;
    for route in ROUTES {
        let path = filled(route.path);
        let reply = server.send(&route.method.to_uppercase(), &path, &AS_FAN, Bytes::new()).await;
        let is_refused = reply.status == 403 && reply.problem() == "delayed_audience";
        // A person decides about themselves from everywhere.
        let is_own = route.path == "/api/v1/me/erase";
        let is_read = is_own || (route.method == "get" && !REFUSED.contains(&route.path));
        assert_eq!(is_refused, !is_read, "{} {path}: {reply:?}", route.method);
        assert!(!is_read || DELAYED.contains(&route.path), "{path} is new: is it delayed?");
    }
    // There is no other way to say the same path.
    for path in ["/%6detrics", "/metrics/", "//metrics", "/api/v1/%73tatus", "/api/v1/status/"] {
        assert_eq!(server.get_for(FAN, path).await.problem(), "not_found", "{path}");
    }
    let whole = format!("http://{}/metrics", server.address);
    assert_eq!(server.get_for(FAN, &whole).await.problem(), "delayed_audience");
    assert_eq!(server.send("HEAD", "/metrics", &AS_FAN, Bytes::new()).await.status, 403);
    // Nobody else is kept from anything.
    assert_eq!(server.get("/metrics").await.status, 200);
    let stranger = server.get_for("198.51.100.1", "/api/v1/matches").await;
    assert_eq!((stranger.status.as_u16(), stranger.problem().as_str()), (403, "forbidden"));
    assert_eq!(server.get_for("fan", "/api/v1/matches").await.problem(), "bad_request");
    server.end().await;
}
