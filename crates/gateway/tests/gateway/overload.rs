//! More than can be taken: what matters least is given up first, what was acknowledged is there, and
//! once there is less everything is taken again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use hyper::body::Bytes;
use matchwire_gateway::AdmissionSettings;
use matchwire_log::Options;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
    harness::{Reply, Server, event, own, soon},
    rigged::Rigged,
    setup::Setup,
};

const STREAM: &str = "match/m1/1";
/// Calls that the log's queue takes in these tests.
const QUEUE: usize = 40;
/// Events of low priority in a request: all of them are kept or left out.
const IN_ONE: usize = 25;

fn low(id: u32) -> Value {
    own(STREAM, id, &json!({"n": id}))
}

fn normal(id: u32) -> Value {
    event(STREAM, id, "source.gap", &json!({"from": 1, "to": 2}))
}

fn critical(id: u32) -> Value {
    event(STREAM, id, "round.started", &json!({}))
}

async fn held(settings: AdmissionSettings) -> (Arc<Server>, Rigged) {
    let medium = Rigged::new();
    let options = Options { queue_calls: QUEUE, ..Options::default() };
    let admission = settings;
    let boxed = Box::new(medium.clone());
    let setup = Setup { medium: boxed, memory_acks: true, options, admission, ..Setup::default() };
    (Arc::new(Server::of(setup).await), medium)
}

/// Puts events into the log's queue until so many calls are in it.
async fn fill(server: &Server, calls: usize, id: &mut u32) {
    soon(async {
        while server.log.stats().queued_calls < calls {
            *id += 1;
            let body = Bytes::from(critical(*id).to_string());
            let kind = [("content-type", "application/cloudevents+json")];
            let reply = server.send("POST", "/api/v1/events?durability=memory", &kind, body).await;
            assert_eq!(reply.status, 200, "{reply:?}");
        }
    })
    .await;
}

/// Posts events, and goes on: the answer comes when the log is let go.
fn post(server: &Arc<Server>, events: Vec<Value>) -> JoinHandle<Reply> {
    let server = server.clone();
    tokio::spawn(async move { server.post(&events).await })
}

async fn stream(server: &Server) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/api/v1/events?subject={STREAM}&after={after}&limit=1000");
        let page = server.get(&path).await.json();
        all.extend(page["events"].as_array().unwrap().iter().cloned());
        let Some(last) = all.last() else { return all };
        if page["next"].is_null() {
            return all;
        }
        after = last["seq"].as_u64().unwrap();
    }
}

fn status(result: &Value) -> &str {
    result["status"].as_str().unwrap()
}

/// Answers that wait for the log.
struct Waiting {
    sampled: Vec<JoinHandle<Reply>>,
    taken: JoinHandle<Reply>,
    mixed: JoinHandle<Reply>,
    /// Events that were put into the queue beside.
    filled: u32,
}

/// Fills the queue of a log that is held, and sees at each level what is given up.
async fn fill_up(server: &Arc<Server>, lows: &[Value]) -> Waiting {
    let mut filled = 0;
    // A quarter of the queue: low priority is sampled, and the answer waits for what is kept of it.
    fill(server, QUEUE / 4, &mut filled).await;
    let mut sampled = Vec::new();
    for lows in lows.chunks(IN_ONE) {
        let before = server.log.stats().queued_calls;
        let reply = post(server, lows.to_vec());
        soon(async {
            while !reply.is_finished() && server.log.stats().queued_calls == before {
                tokio::task::yield_now().await;
            }
        })
        .await;
        sampled.push(reply);
    }
    let health = server.get("/healthz").await.json();
    assert_eq!(health["reasons"][0]["code"], "overload");
    assert_eq!(server.get("/api/v1/status").await.json()["admission"]["level"], 1);
    // Half of it: low priority is refused, nothing else.
    fill(server, QUEUE / 2, &mut filled).await;
    let refused = server.post(lows).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (429, "overloaded"));
    assert_eq!(refused.header("retry-after"), "2");
    assert_eq!(refused.header("ratelimit"), "\"overload\";r=0;t=2");
    assert!(refused.header("ratelimit-policy").starts_with("\"overload\";q="));
    let taken = post(server, vec![normal(2_000), low(2_001)]);
    soon(async { while server.log.stats().queued_calls < QUEUE / 2 + 1 {} }).await;
    // Three quarters: normal priority, too.
    fill(server, QUEUE * 3 / 4, &mut filled).await;
    assert_eq!(server.post(&[normal(3_000)]).await.status, 429);
    let mixed = post(server, vec![normal(3_001), critical(3_002), low(3_003)]);
    soon(async { while server.log.stats().queued_calls < QUEUE * 3 / 4 + 1 {} }).await;
    assert!(server.metric("matchwire_admission_level").await > 2.5);
    // All of it: nothing.
    fill(server, QUEUE, &mut filled).await;
    let full = server.post(&[critical(4_000)]).await;
    assert_eq!((full.status.as_u16(), full.problem().as_str()), (503, "log_full"));
    Waiting { sampled, taken, mixed, filled }
}

/// What was acknowledged, by id, and how many of low priority are among it.
async fn acknowledged(waiting: Waiting, lows: &[Value]) -> (BTreeMap<String, Value>, usize) {
    let mut acknowledged = BTreeMap::new();
    for (lows, reply) in lows.chunks(IN_ONE).zip(waiting.sampled) {
        let reply = soon(reply).await.unwrap();
        assert_eq!(reply.status, 200);
        let results = reply.json()["results"].as_array().unwrap().clone();
        for (event, result) in lows.iter().zip(&results) {
            assert_eq!(status(result), status(&results[0]), "a request is kept or left out");
            match status(result) {
                "appended" => {
                    acknowledged.insert(event["id"].to_string(), result["seq"].clone());
                }
                "sampled" => assert_eq!(result["sampledrate"], 4),
                other => panic!("{other}"),
            }
        }
    }
    let kept = acknowledged.len();
    assert!((IN_ONE..=6 * IN_ONE).contains(&kept), "one of four of 200 is kept: {kept}");
    for (reply, statuses) in [
        (waiting.taken, ["appended", "rejected", ""]),
        (waiting.mixed, ["rejected", "appended", "rejected"]),
    ] {
        let reply = soon(reply).await.unwrap();
        assert_eq!(reply.status, 207);
        for (result, expected) in reply.json()["results"].as_array().unwrap().iter().zip(statuses) {
            assert_eq!(status(result), expected);
            if expected == "appended" {
                acknowledged.insert(result["id"].to_string(), result["seq"].clone());
            } else {
                assert_eq!(result["error"]["code"], "overloaded");
            }
        }
    }
    (acknowledged, kept)
}

/// What was acknowledged is there, once; of what was not, nothing is.
async fn check(server: &Server, acknowledged: &BTreeMap<String, Value>, filled: u32) {
    soon(async { while server.log.stats().queued_calls > 0 {} }).await;
    let all = stream(server).await;
    let there: BTreeMap<String, Value> =
        all.iter().map(|event| (event["id"].to_string(), event["seq"].clone())).collect();
    assert_eq!(there.len(), all.len());
    assert_eq!(there.len(), acknowledged.len() + filled as usize);
    assert!(acknowledged.iter().all(|(id, seq)| there.get(id) == Some(seq)));
    // What is kept says for how many it stands.
    for event in &all {
        let expected = if event["type"] == "x.test" { json!(4) } else { Value::Null };
        assert_eq!(event["sampledrate"], expected, "{event}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_matters_least_is_given_up_first() {
    let (server, medium) = held(Setup::default().admission).await;
    let lows: Vec<Value> = (1_000..1_200).map(low).collect();
    let hold = medium.hold();
    let waiting = fill_up(&server, &lows).await;
    drop(hold);
    let filled = waiting.filled;
    let (acknowledged, kept) = acknowledged(waiting, &lows).await;
    check(&server, &acknowledged, filled).await;
    // Now there is room: what was kept is a duplicate that does not differ, the rest is taken.
    let again = server.post(&lows).await;
    let results = again.json()["results"].as_array().unwrap().clone();
    assert!(results.iter().all(|result| result["differs"].is_null()), "{again:?}");
    let count = |expected: &str| results.iter().filter(|it| status(it) == expected).count();
    assert_eq!((count("duplicate"), count("appended")), (kept, lows.len() - kept));
    let known = results.iter().position(|result| status(result) == "duplicate").unwrap();
    let mut other = lows[known].clone();
    other["data"]["n"] = json!(-1);
    assert_eq!(server.post(&[other]).await.json()["results"][0]["differs"], true);
    assert_eq!(server.get("/healthz").await.json()["status"], "ok");
    assert!(server.metric("matchwire_admission_level").await < 0.5);
    let shed = async |how: &str, priority: &str| {
        let name = "matchwire_events_shed_total";
        let labels = format!("{{priority=\"{priority}\",class=\"sensor\",how=\"{how}\"}}");
        server.metric(&format!("{name}{labels}")).await
    };
    for (how, priority, count) in [
        ("sampled", "low", lows.len() - kept),
        ("refused", "low", lows.len() + 2),
        ("refused", "normal", 2),
        ("refused", "critical", 0),
    ] {
        assert_eq!(shed(how, priority).await.to_string(), count.to_string(), "{how} {priority}");
    }
    // Nothing of it is a dead letter: the sender knows, and sends it again.
    assert_eq!(server.letters.stats().open, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_adapts_to_the_lag_and_recovers() {
    let medium = Rigged::new();
    let target = Duration::from_millis(200);
    let admission = AdmissionSettings { target, sources: Vec::new() };
    let boxed = Box::new(medium.clone());
    let setup = Setup { medium: boxed, admission, memory_acks: true, ..Setup::default() };
    let server = Arc::new(Server::of(setup).await);
    let hold = medium.hold();
    // Far more than can be taken, until something is given up, which is long before the queue is full.
    let mut id = 0;
    let given_up = soon(async {
        loop {
            let lows: Vec<String> = (id..id + 500).map(|id| low(id).to_string()).collect();
            id += 500;
            let kind = [("content-type", "application/x-ndjson")];
            let path = "/api/v1/events?durability=memory";
            let reply = server.send("POST", path, &kind, Bytes::from(lines(&lows))).await;
            if reply.status != 200 || reply.json()["results"][0]["status"] == "sampled" {
                return reply;
            }
        }
    })
    .await;
    assert!(matches!(given_up.status.as_u16(), 200 | 207 | 429), "{given_up:?}");
    assert!(server.log.backlog().percent < 25);
    server.metric_reaches("matchwire_admission_level", 1.0).await;
    server.metric_reaches("matchwire_admission_limit_events_per_second", 1_000.0).await;
    // A kill is taken all the while.
    let kill = post(&server, vec![critical(1)]);
    drop(hold);
    assert_eq!(soon(kill).await.unwrap().status, 200);
    // With less there is no limit, and nothing is given up.
    soon(async { while server.metric("matchwire_admission_level").await > 0.5 {} }).await;
    let limit = "matchwire_admission_limit_events_per_second";
    soon(async { while server.metric(limit).await > 0.5 {} }).await;
    let reply = server.post(&[low(9_000_000)]).await;
    assert_eq!(reply.json()["results"][0]["status"], "appended");
}

fn lines(events: &[String]) -> String {
    events.join("\n")
}

#[tokio::test]
async fn a_source_is_held_to_its_rate() {
    let mut setup = Setup::default();
    setup.admission.sources = vec!["te*=1/20:broadcast".parse().unwrap()];
    let server = Server::of(setup).await;
    let reply = server.post(&(0..10).map(low).collect::<Vec<_>>()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("ratelimit-policy"), "\"source\";q=1;w=1");
    assert!(reply.header("ratelimit").starts_with("\"source\";r=1"), "{reply:?}");
    assert_eq!(reply.header("retry-after"), "");
    // Over it, low priority is sampled at first, then refused; kills are taken much longer.
    let reply = server.post(&(10..400).map(low).collect::<Vec<_>>()).await;
    let body = reply.json();
    let count = |expected: &str| {
        body["results"].as_array().unwrap().iter().filter(|it| status(it) == expected).count()
    };
    assert!((10..40).contains(&count("appended")), "{}", count("appended"));
    assert!(count("sampled") > 20 && count("rejected") > 20);
    assert_eq!(
        (reply.status.as_u16(), body["results"][389]["error"]["code"].as_str().unwrap()),
        (207, "rate_limited")
    );
    assert!(reply.header("retry-after").parse::<u64>().unwrap() >= 10);
    let reply = server.post(&[low(500)]).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (429, "rate_limited"));
    assert!(reply.header("ratelimit").starts_with("\"source\";r=0;t="));
    assert_eq!(server.post(&[critical(501)]).await.status, 200);
    let mut kills = (600..1_000).map(critical).collect::<Vec<_>>();
    let reply = server.post(&kills).await;
    assert_eq!(reply.status, 207);
    let taken = reply.json()["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| status(it) == "appended")
        .count();
    assert!((40..80).contains(&taken), "four bursts, less what is used of them: {taken}");
    // Another source is another matter.
    kills.truncate(1);
    kills[0]["source"] = json!("other");
    assert_eq!(server.post(&kills).await.status, 200);
    assert!(server.metric("matchwire_admission_tokens{source=\"te*\"}").await < 0.0);
    server.end().await;
}
