//! Another model is a flag and an event: what was predicted before stays as it was sent.

use serde_json::{Value, json};

use crate::process::{Server, matchwire};

async fn tell(server: &Server, id: u32, kind: &str, data: Value) {
    let event = json!({"specversion": "1.0", "id": id.to_string(), "source": "test",
        "subject": "match/m1/1", "type": kind, "data": data});
    let headers = [("content-type", "application/cloudevents+json".to_owned())];
    server.client().post("/events", &headers, event.to_string().into()).await.unwrap();
}

async fn predictions(server: &Server) -> Vec<Value> {
    let answer = server.client().get("/matches/m1/maps/1/predictions").await.unwrap();
    answer["predictions"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_model_predicts_what_comes_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let start = |flags: &[&str]| Server::start_with(folder.path(), "127.0.0.1:0", flags);
    let server = start(&[]);
    tell(&server, 1, "round.started", json!({})).await;
    let first = predictions(&server).await;
    assert_eq!(first[0]["model"], "mw-gbt-1");
    assert!(server.terminate().success());
    let server = start(&["--model", "cs2=mw-logit-1"]);
    tell(&server, 2, "bomb.planted", json!({})).await;
    let second = predictions(&server).await;
    assert_eq!(second[..1], first[..]);
    assert_eq!(second[1]["model"], "mw-logit-1");
    server.kill();
    // Without the flag it is the first one again, and the middle stays.
    let server = start(&[]);
    tell(&server, 3, "round.ended", json!({"winner": "T", "reason": "bomb_exploded"})).await;
    let third = predictions(&server).await;
    assert_eq!(third[..2], second[..]);
    assert_eq!(third[2]["model"], "mw-gbt-1");
}

#[test]
fn a_limit_of_nothing_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let output = matchwire()
        .args(["serve", "--listen", "127.0.0.1:0", "--predict-limit", "0s", "--data"])
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("must be more than 0"), "{said}");
}

#[test]
fn a_model_that_there_is_not_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for (flag, why) in [
        ("mw-logit-1", "must be GAME=MODEL"),
        ("chess=mw-logit-1", "known are cs2, football"),
        ("cs2=mw-none-1", "cs2 has mw-gbt-1, mw-logit-1"),
    ] {
        let output = matchwire()
            .args(["serve", "--listen", "127.0.0.1:0", "--model", flag, "--data"])
            .arg(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(why), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_takes_longer_than_the_limit_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing is done in a nanosecond.
    let flags = ["--predict-limit", "1ns"];
    let server = Server::start_with(folder.path(), "127.0.0.1:0", &flags);
    tell(&server, 1, "round.started", json!({})).await;
    let state = server.client().get("/matches/m1/maps/1").await.unwrap();
    assert_eq!((&state["seq"], &state["prediction"]), (&json!(1), &Value::Null));
    assert!(predictions(&server).await.is_empty());
    assert!(server.terminate().success());
    // What was not predicted is made up for.
    let server = Server::start_with(folder.path(), "127.0.0.1:0", &["--predict-limit", "1h"]);
    assert_eq!(predictions(&server).await[0]["seq"], 1);
}
