//! Dead letters: what is kept of what was refused, and what an operator does with it.

use hyper::body::Bytes;
use matchwire_domain::{
    dead_letter::{Bounds, Origin, STREAM},
    subject::Subject,
};
use matchwire_gateway::{Letter, MAX_BODY_BYTES};
use matchwire_log::{Memory, Options};
use serde_json::{Value, json};

use crate::{
    harness::{Reply, Server, event, own},
    rigged::Rigged,
    setup::Setup,
    vault::Vault,
};

const ACCOUNT: &str = "steam:76561197960265729";

/// An event that names a person and lacks what its schema asks for.
fn broken(id: &str) -> Value {
    event("match/m1/1", id, "player.killed", &json!({"killer": ACCOUNT}))
}

async fn list(server: &Server, query: &str) -> Value {
    server.letters.flush().await;
    let reply = server.get(&format!("/api/v1/dead-letters{query}")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

/// The `seq`s of all letters that are open.
async fn seqs(server: &Server) -> Vec<u64> {
    let list = list(server, "").await;
    list["dead_letters"].as_array().unwrap().iter().map(|it| it["seq"].as_u64().unwrap()).collect()
}

async fn act(server: &Server, method: &str, path: &str) -> Reply {
    server.send(method, &format!("/api/v1/dead-letters/{path}"), &[], Bytes::new()).await
}

/// A metric of dead letters, as it is told.
async fn count(server: &Server, name: &str) -> String {
    server.metric(&format!("matchwire_dead_letters{name}")).await.to_string()
}

async fn ids(server: &Server, subject: &str) -> Vec<Value> {
    let events = server.get(&format!("/api/v1/events?subject={subject}")).await.json();
    events["events"].as_array().unwrap().iter().map(|event| event["id"].clone()).collect()
}

/// An event that is good, as a letter.
fn good(id: &str) -> Letter {
    let body = own("match/m1/1", id, &json!({"n": 1})).to_string();
    let origin = Origin { source: "test".into(), ..Origin::default() };
    Letter::new("http", "schema", "an older version did not know it", origin, body.as_bytes())
}

#[tokio::test]
async fn whatever_has_an_envelope_is_kept_and_shown() {
    let server = Server::start().await;
    let lines = [
        own("match/m1/1", 1, &json!({})).to_string(),
        broken("2").to_string(),
        event("match/m1/1", 3, "match.exploded", &json!({})).to_string(),
        own("match/nowhere/x/y", 4, &json!({})).to_string(),
        "nonsense".into(),
        "[1]".into(),
        r#"{"colour":"red"}"#.into(),
        r#"{"id":7,"type":"x.a"}"#.into(),
    ];
    let reply = server.post_as("application/x-ndjson", lines.join("\n")).await;
    assert_eq!(reply.status, 207);
    let list = list(&server, "").await;
    assert!(list.get("next").is_none());
    let letters = list["dead_letters"].as_array().unwrap();
    let told: Vec<_> = letters
        .iter()
        .map(|it| (it["seq"].as_u64().unwrap(), it["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [(1, "schema"), (2, "unknown_type"), (3, "subject"), (4, "envelope")]);
    assert_eq!(
        letters[0],
        json!({
            "seq": 1, "kept": "2023-11-14T22:13:20.000Z", "reason": "schema", "via": "http",
            "attempts": 1, "body_bytes": lines[1].len(), "source": "test",
            "subject": "match/m1/1", "type": "player.killed", "id": "2",
        })
    );
    assert_eq!((&letters[2]["subject"], &letters[3]["source"]), (&Value::Null, &json!("")));
    let shown = act(&server, "GET", "1").await.json();
    assert_eq!(shown["body"], json!(lines[1]));
    let rejected = &reply.json()["results"][1]["error"]["detail"];
    assert_eq!(&shown["detail"], rejected);
    for (name, value) in [("_open", "4"), ("_total{reason=\"schema\"}", "1"), ("_lost_total", "0")]
    {
        assert_eq!(count(&server, name).await, value, "{name}");
    }
    let bytes: usize = [1, 2, 3, 7].iter().map(|line| lines[*line].len()).sum();
    let status = server.get("/api/v1/status").await.json();
    assert_eq!(status["dead_letters"], json!({"open": 4, "open_bytes": bytes}));
}

#[tokio::test]
async fn lists_go_on_and_choose() {
    let server = Server::start().await;
    let unknown = |id: &str| event("match/m1/1", id, "match.exploded", &json!({}));
    server.post(&[broken("1"), unknown("2"), broken("3"), unknown("4"), broken("5")]).await;
    let page = list(&server, "?limit=2").await;
    assert_eq!((&page["dead_letters"][1]["seq"], &page["next"]), (&json!(2), &json!(2)));
    let page = list(&server, "?limit=2&after=3").await;
    assert_eq!((&page["dead_letters"][1]["seq"], page.get("next")), (&json!(5), None));
    let page = list(&server, "?reason=schema&limit=2").await;
    assert_eq!((&page["dead_letters"][1]["seq"], &page["next"]), (&json!(3), &json!(3)));
    assert_eq!(list(&server, "?source=other").await, json!({"dead_letters": []}));
    for query in ["?limit=0", "?after=x", "?colour=red"] {
        let reply = server.get(&format!("/api/v1/dead-letters{query}")).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, "query"), "{query}");
    }
}

#[tokio::test]
async fn nothing_of_a_body_is_in_the_log_in_clear() {
    let server = Server::start().await;
    let body =
        event("match/m1/1", 1, "player.killed", &json!({"name": "somebody", "killer": ACCOUNT}));
    server.post(&[body]).await;
    server.post(&[own(ACCOUNT, 2, &json!({}))]).await;
    assert_eq!(seqs(&server).await, [1, 2]);
    let subject = Subject::parse(STREAM).unwrap();
    for entry in server.log.read(&subject, 0, 10).unwrap() {
        let stored = String::from_utf8(entry.recorded.stored.to_vec()).unwrap();
        assert!(!stored.contains("somebody") && !stored.contains("76561"), "{stored}");
    }
    let reply = server.get(&format!("/api/v1/events?subject={STREAM}")).await;
    assert_eq!(reply.problem(), "forbidden");
    let reply = server.post(&[own(STREAM, 3, &json!({}))]).await;
    assert_eq!(reply.json()["results"][0]["error"]["code"], "subject");
}

#[tokio::test]
async fn what_is_redriven_is_in_its_stream_once() {
    let server = Server::start().await;
    server.letters.keep(good("a"));
    assert_eq!(seqs(&server).await, [1]);
    let reply = act(&server, "POST", "1/redrive").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json()["results"][0]["status"], "appended");
    assert_eq!(reply.json()["durability"], "memory");
    assert_eq!(act(&server, "POST", "1/redrive").await.problem(), "not_found");
    assert_eq!(act(&server, "GET", "1").await.problem(), "not_found");
    // As after a crash between its append and the closing of its letter.
    server.post(&[own("match/m1/1", "b", &json!({"n": 1}))]).await;
    server.letters.keep(good("b"));
    assert_eq!(seqs(&server).await, [3]);
    let reply = act(&server, "POST", "3/redrive").await;
    assert_eq!(reply.json()["results"][0]["status"], "duplicate");
    assert_eq!(seqs(&server).await, [0; 0]);
    assert_eq!(ids(&server, "match/m1/1").await, ["a", "b"]);
    assert_eq!(count(&server, "_redriven_total").await, "2");
}

#[tokio::test]
async fn what_is_refused_again_stays_with_its_new_reason() {
    let server = Server::start().await;
    let seal = event("match/m1/1", "seal", "stream.sealed", &json!({}));
    let after = own("match/m1/1", "after", &json!({}));
    // Nothing may follow a seal, so neither is taken.
    server.post(&[seal, after]).await;
    server.post(&[broken("1")]).await;
    assert_eq!(seqs(&server).await, [1, 2, 3]);
    let reply = act(&server, "POST", "1/redrive").await;
    assert_eq!(reply.json()["results"][0]["status"], "appended", "{reply:?}");
    let reply = act(&server, "POST", "2/redrive").await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["results"][0]["error"]["code"], "sealed");
    let shown = act(&server, "GET", "2").await.json();
    assert_eq!((&shown["reason"], &shown["attempts"]), (&json!("sealed"), &json!(2)));
    assert!(shown["detail"].as_str().unwrap().contains("sealed at seq 1"), "{shown}");
    assert!(shown["body"].as_str().unwrap().contains("\"after\""), "{shown}");
    // It is not a letter once more.
    assert_eq!(act(&server, "POST", "3/redrive").await.status, 400);
    assert_eq!(seqs(&server).await, [2, 3]);
}

#[tokio::test]
async fn what_is_dropped_is_gone_and_may_come_again() {
    let server = Server::start().await;
    server.post(&[broken("1"), broken("2")]).await;
    assert_eq!(seqs(&server).await, [1, 2]);
    let reply = act(&server, "DELETE", "1").await;
    assert_eq!((reply.status.as_u16(), reply.bytes.len()), (204, 0));
    assert_eq!(act(&server, "DELETE", "1").await.problem(), "not_found");
    assert_eq!(act(&server, "DELETE", "9").await.problem(), "not_found");
    for path in ["x", "0", "-1", "18446744073709551616"] {
        assert_eq!(act(&server, "GET", path).await.problem(), "path", "{path}");
    }
    assert_eq!(seqs(&server).await, [2]);
    server.post(&[broken("1")]).await;
    assert_eq!(seqs(&server).await, [2, 4]);
    let origin = [("origin", "http://evil.example")];
    let reply = server.send("DELETE", "/api/v1/dead-letters/2", &origin, Bytes::new()).await;
    assert_eq!(reply.problem(), "foreign_origin");
}

#[tokio::test]
async fn the_same_a_hundred_thousand_times_is_one_letter() {
    let server = Server::start().await;
    let batch = vec![broken("1"); 1_000];
    for _ in 0..100 {
        assert_eq!(server.post(&batch).await.status, 400);
    }
    assert_eq!(seqs(&server).await, [1]);
    assert_eq!(count(&server, "_repeated_total").await, "99999");
    assert_eq!(count(&server, "_lost_total").await, "0");
}

#[tokio::test]
async fn at_the_bound_new_ones_are_lost_and_told_of() {
    let letters = Bounds { letters: 2, bytes: 1_000 };
    let server = Server::of(Setup { letters, ..Setup::default() }).await;
    server.post(&[broken("1"), broken("2"), broken("3")]).await;
    let reply = server.post(&[broken("4"), own("match/m1/1", 5, &json!({}))]).await;
    assert_eq!(reply.status, 207);
    assert_eq!(seqs(&server).await, [1, 2]);
    assert_eq!(count(&server, "_lost_total").await, "2");
    let health = server.get("/healthz").await.json();
    assert_eq!(health["reasons"][0]["code"], "dead_letters_full", "{health}");
    act(&server, "DELETE", "1").await;
    assert_eq!(server.get("/healthz").await.json()["status"], "ok");
    // In bytes, too.
    let long = event("match/m1/1", "6", "match.exploded", &json!({"long": "x".repeat(900)}));
    server.post(&[long]).await;
    server.post(&[broken("4")]).await;
    assert_eq!(seqs(&server).await, [2, 4]);
    assert_eq!(count(&server, "_lost_total").await, "3");
}

#[tokio::test]
async fn of_a_long_body_the_beginning_is_kept() {
    let server = Server::start().await;
    let long = event("match/m1/1", "1", "match.exploded", &json!({"long": "x".repeat(100_000)}));
    server.post(std::slice::from_ref(&long)).await;
    let letter = &list(&server, "").await["dead_letters"][0];
    assert_eq!(letter["body_bytes"], long.to_string().len());
    assert_eq!((&letter["kept_bytes"], &letter["id"]), (&json!(MAX_BODY_BYTES), &json!("1")));
    let shown = act(&server, "GET", "1").await.json();
    assert_eq!(shown["body"], long.to_string()[..MAX_BODY_BYTES]);
    let reply = act(&server, "POST", "1/redrive").await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (409, "conflict"));
}

#[tokio::test]
async fn without_the_key_only_the_body_is_gone() {
    let vault = Vault::default();
    let server = Server::of(Setup { vault: vault.clone(), ..Setup::default() }).await;
    server.post(&[broken("1")]).await;
    assert_eq!(seqs(&server).await, [1]);
    vault.destroy();
    for (method, path) in [("GET", "1"), ("POST", "1/redrive")] {
        let reply = act(&server, method, path).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (410, "key_destroyed"));
    }
    server.post(&[broken("2")]).await;
    let list = list(&server, "").await;
    assert_eq!(list["dead_letters"].as_array().unwrap().len(), 2);
    assert!(act(&server, "GET", "2").await.json()["body"].as_str().unwrap().contains(ACCOUNT));
    assert_eq!(act(&server, "DELETE", "1").await.status, 204);
    assert_eq!(seqs(&server).await, [2]);
}

#[tokio::test]
async fn they_outlast_a_restart() {
    let (medium, vault) = (Memory::new(), Vault::default());
    let over = async || {
        let (medium, vault) = (Box::new(medium.clone()), vault.clone());
        Server::of(Setup { medium, vault, ..Setup::default() }).await
    };
    let server = over().await;
    server.post(&[broken("1"), broken("2"), broken("3")]).await;
    assert_eq!(seqs(&server).await, [1, 2, 3]);
    act(&server, "DELETE", "1").await;
    act(&server, "POST", "2/redrive").await;
    let before = list(&server, "").await;
    server.end().await;
    let server = over().await;
    assert_eq!(list(&server, "").await, before);
    assert_eq!(before["dead_letters"][0]["attempts"], 2);
    // It is known again.
    server.post(&[broken("2")]).await;
    assert_eq!(seqs(&server).await, [2, 3]);
    assert_eq!(count(&server, "_repeated_total").await, "1");
    assert!(act(&server, "GET", "2").await.json()["body"].as_str().unwrap().contains(ACCOUNT));
}

#[tokio::test]
async fn an_answer_does_not_wait_for_its_letters() {
    let medium = Rigged::new();
    let server = Server::of(Setup { medium: Box::new(medium.clone()), ..Setup::default() }).await;
    let held = medium.hold();
    assert_eq!(server.post(&[broken("1")]).await.status, 400);
    assert_eq!(server.get("/api/v1/dead-letters").await.json(), json!({"dead_letters": []}));
    drop(held);
    assert_eq!(seqs(&server).await, [1]);
}

#[tokio::test]
async fn when_none_can_be_kept_everything_else_goes_on() {
    let vault = Vault::default();
    let server = Server::of(Setup { vault: vault.clone(), ..Setup::default() }).await;
    vault.fail(true);
    let reply = server.post(&[broken("1"), own("match/m1/1", 1, &json!({}))]).await;
    assert_eq!(reply.status, 207);
    assert_eq!(seqs(&server).await, [0; 0]);
    assert_eq!(count(&server, "_lost_total").await, "1");
    // What was lost is kept when it comes again.
    vault.fail(false);
    server.post(&[broken("1")]).await;
    assert_eq!(seqs(&server).await, [1]);
}

#[tokio::test]
async fn damage_of_their_stream_holds_up_nothing_else() {
    let medium = Rigged::new();
    let vault = Vault::default();
    let over = async || {
        let options = Options { recent_bytes: 0, ..Options::default() };
        let (medium, vault) = (Box::new(medium.clone()), vault.clone());
        Server::of(Setup { medium, options, vault, ..Setup::default() }).await
    };
    let server = over().await;
    server.post(&[broken("1")]).await;
    assert_eq!(seqs(&server).await, [1]);
    server.end().await;
    medium.damage(Some(STREAM));
    let server = over().await;
    let reply = server.post(&[broken("2"), own("match/m1/1", 1, &json!({}))]).await;
    assert_eq!(reply.status, 207);
    assert_eq!(seqs(&server).await, [0; 0]);
    assert_eq!(count(&server, "_lost_total").await, "1");
    // Once it is repaired everything is there again.
    medium.damage(None);
    server.post(&[broken("2")]).await;
    assert_eq!(seqs(&server).await, [1, 2]);
}

#[tokio::test]
async fn other_parts_of_the_server_keep_letters_too() {
    let server = Server::start().await;
    let origin = Origin { source: "feed".into(), ..Origin::default() };
    let letter = Letter {
        attempts: 3,
        ..Letter::new("feed", "unreadable", "no\nsuch field", origin, b"\xffraw")
    };
    server.letters.keep(letter);
    assert_eq!(seqs(&server).await, [1]);
    let shown = act(&server, "GET", "1").await.json();
    assert_eq!((&shown["attempts"], &shown["detail"]), (&json!(3), &json!("no such field")));
    assert_eq!((&shown["is_utf8"], &shown["body"]), (&json!(false), &json!("\u{fffd}raw")));
    assert_eq!(act(&server, "POST", "1/redrive").await.problem(), "conflict");
}
