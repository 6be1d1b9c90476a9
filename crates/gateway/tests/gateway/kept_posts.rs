//! Posts of sources that cannot be used: they are kept with where they were for, and tried again there.

use hyper::body::Bytes;
use matchwire_gateway::{Code, MAX_BODY_BYTES, Problem};
use serde_json::{Value, json};

use crate::harness::{Reply, Server, event};

async fn post(server: &Server, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let path = format!("/api/v1/sources/{path}");
    server.send("POST", &path, headers, Bytes::from(body.to_owned())).await
}

async fn letters(server: &Server) -> Vec<Value> {
    server.letters.flush().await;
    let list = server.get("/api/v1/dead-letters").await.json();
    list["dead_letters"].as_array().unwrap().clone()
}

async fn redrive(server: &Server, seq: u64) -> Reply {
    let path = format!("/api/v1/dead-letters/{seq}/redrive");
    server.send("POST", &path, &[], Bytes::new()).await
}

async fn assign(server: &Server, match_id: &str, name: &str) {
    let set = event(&format!("match/{match_id}"), 1, "match.scheduled", &json!({"server": name}));
    assert_eq!(server.post(&[set]).await.status, 200);
}

#[tokio::test]
async fn a_post_of_a_server_without_a_match_waits_for_one() {
    let server = Server::start().await;
    let reply = post(&server, "cs-log/@s1", &[("x-other", "1")], "one\ntwo").await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (404, "not_found"));
    assert!(reply.json()["detail"].as_str().unwrap().ends_with("kept as a dead letter"));
    // The same again is the same letter; for another server it is another one.
    post(&server, "cs-log/@s1", &[], "one\ntwo").await;
    post(&server, "cs-log/@s2", &[], "one\ntwo").await;
    let kept = letters(&server).await;
    assert_eq!(
        kept[0],
        json!({
            "seq": 1, "kept": "2023-11-14T22:13:20.000Z", "reason": "no_match", "via": "cs-log",
            "attempts": 1, "body_bytes": 7, "source": "cs-log", "place": "@s1",
        })
    );
    assert_eq!((kept.len(), &kept[1]["place"]), (2, &json!("@s2")));
    let again = redrive(&server, 1).await;
    assert_eq!(again.status, 409, "{again:?}");
    let shown = server.get("/api/v1/dead-letters/1").await.json();
    assert_eq!((&shown["attempts"], &shown["body"]), (&json!(2), &json!("one\ntwo")));
    assert!(shown["detail"].as_str().unwrap().starts_with("no match is assigned to the server s1"));
    // To the match that it plays by then.
    assign(&server, "m1", "s1").await;
    let again = redrive(&server, 1).await;
    assert_eq!(again.json(), json!({"appended": 0, "duplicate": 1, "unknown": 2, "match": "m1"}));
    assert_eq!(letters(&server).await.len(), 1);
    assert_eq!(redrive(&server, 1).await.status, 404);
    server.end().await;
}

/// What was fetched and could not be taken stands for the same place, and is tried again there.
#[tokio::test]
async fn a_fetched_post_that_was_given_up_is_tried_again_where_it_was_for() {
    let server = Server::start().await;
    let failed = Problem::new(Code::Internal, "the reader failed");
    server.inlet.keep_post("cs-log", ("m1", "auto"), &failed, 3, &"one\ntwo".into());
    let kept = letters(&server).await;
    assert_eq!((&kept[0]["attempts"], &kept[0]["place"]), (&json!(3), &json!("m1/auto")));
    assert_eq!((&kept[0]["via"], &kept[0]["reason"]), (&json!("cs-log"), &json!("internal")));
    let again = redrive(&server, 1).await;
    assert_eq!((again.status.as_u16(), &again.json()["unknown"]), (200, &json!(2)));
    assert_eq!(letters(&server).await.len(), 0);
    server.end().await;
}

#[tokio::test]
async fn a_post_that_a_sealed_stream_refuses_is_kept_with_what_its_reader_needs() {
    let server = Server::start().await;
    let reply = post(&server, "cs-log/m1/2", &[("x-seal", "yes")], "one").await;
    assert_eq!(reply.json(), json!({"appended": 0, "duplicate": 0, "unknown": 1, "refused": 1}));
    // At another place, or with other headers that the reader looks at, it is another letter.
    post(&server, "cs-log/m1/auto", &[("x-seal", "yes")], "one").await;
    post(&server, "cs-log/m1/auto", &[("x-seal", "no")], "one").await;
    post(&server, "cs-log/m1/auto", &[("x-seal", "no"), ("x-more", "1")], "one").await;
    let kept = letters(&server).await;
    let places: Vec<_> = kept.iter().map(|it| it["place"].as_str().unwrap()).collect();
    assert_eq!(places, ["m1/2", "m1/auto", "m1/auto"]);
    assert_eq!(kept[0]["reason"], "sealed");
    let shown = server.get("/api/v1/dead-letters/1").await.json();
    assert_eq!((&shown["headers"], &shown["body"]), (&json!({"x-seal": "yes"}), &json!("one")));
    // The header goes with it: it is refused again.
    let again = redrive(&server, 1).await;
    assert_eq!((again.status.as_u16(), again.problem().as_str()), (409, "conflict"));
    assert!(again.json()["detail"].as_str().unwrap().contains("sealed"), "{again:?}");
    assert_eq!(letters(&server).await[0]["attempts"], 2);
    server.end().await;
}

#[tokio::test]
async fn what_is_no_post_of_the_source_is_kept_without_its_secret() {
    let server = Server::start().await;
    let reply = post(&server, "cs-log/m1/1", &[], "<html>s3cret</html>").await;
    assert_eq!(reply.json(), json!({"appended": 0, "duplicate": 0, "unknown": 1}));
    let long = format!("<html>{}", "x".repeat(MAX_BODY_BYTES));
    post(&server, "cs-log/m1/1", &[], &long).await;
    // A line that nobody knows in a good post, and whoever may not post, leave nothing.
    post(&server, "cs-log/m1/1", &[], "one").await;
    for path in ["cs-log/m1/1", "cs-log/@s1"] {
        let barred = post(&server, path, &[("x-barred", "1"), ("x-seal", "1")], "<html>").await;
        assert_eq!(barred.problem(), "unauthorized");
    }
    assert_eq!(post(&server, "guarded/m1/1", &[], "<html>").await.problem(), "unauthorized");
    assert_eq!(post(&server, "telex/m1/1", &[], "<html>").await.problem(), "not_found");
    assert_eq!(post(&server, "cs-log/m1/0", &[], "<html>").await.problem(), "path");
    let kept = letters(&server).await;
    let reasons: Vec<_> = kept.iter().map(|it| it["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["unreadable", "unreadable"]);
    let shown = server.get("/api/v1/dead-letters/1").await.json();
    assert_eq!((&shown["body"], shown.get("headers")), (&json!("<html></html>"), None));
    assert_eq!(redrive(&server, 1).await.status, 409);
    // Of one that is too long the end is missing.
    assert_eq!(kept[1]["kept_bytes"], MAX_BODY_BYTES);
    let again = redrive(&server, 2).await;
    assert!(again.json()["detail"].as_str().unwrap().contains("only the first"), "{again:?}");
    server.end().await;
}
