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
    let told = ["--model", "--shadow"].map(|flag| {
        [
            (flag, "mw-logit-1", "must be GAME=MODEL"),
            (flag, "chess=mw-logit-1", "known are cs2, football"),
            (flag, "cs2=mw-none-1", "cs2 has mw-gbt-1, mw-logit-1"),
        ]
    });
    for (flag, value, why) in told.into_iter().flatten() {
        let output = matchwire()
            .args(["serve", "--listen", "127.0.0.1:0", flag, value, "--data"])
            .arg(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{said}");
        assert!(said.contains(why) && said.contains(flag), "{said}");
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

/// Rows of the calibration as model and shadow, once there is any and all is counted.
async fn scored(server: &Server) -> Vec<Value> {
    let counted = async {
        loop {
            let answer = server.client().get("/calibration?game=cs2").await.unwrap();
            let rows = answer["calibration"].as_array().unwrap();
            if answer["waiting_maps"] == 0 && !rows.is_empty() {
                break rows.clone();
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), counted).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_in_the_shadow_is_scored_and_never_served() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--shadow", "cs2=mw-logit-1"];
    let server = Server::start_with(folder.path(), "127.0.0.1:0", &flags);
    tell(&server, 1, "round.started", json!({})).await;
    tell(&server, 2, "bomb.planted", json!({})).await;
    tell(&server, 3, "round.ended", json!({"winner": "T", "reason": "bomb_exploded"})).await;
    assert!(predictions(&server).await.iter().all(|made| made["model"] == "mw-gbt-1"));
    let rows = scored(&server).await;
    let names = |row: &Value| (row["model"].clone(), row["shadow"].clone());
    let wanted = [(json!("mw-gbt-1"), json!(false)), (json!("mw-logit-1"), json!(true))];
    assert_eq!(rows.iter().map(names).collect::<Vec<_>>(), wanted);
    assert!(rows.iter().all(|row| row["target"] == "round" && row["predictions"] == 2), "{rows:?}");
    assert_ne!(rows[0]["brier"], rows[1]["brier"]);
    // The command prints it, too.
    let print = |args: &[&str]| {
        let output =
            matchwire().arg("calibration").args(args).args(["--server", &server.url()]).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let table = print(&["--model", "mw-logit-1"]);
    let lines: Vec<Vec<&str>> =
        table.lines().map(|line| line.split("  ").filter(|s| !s.is_empty()).collect()).collect();
    assert_eq!(lines.len(), 2, "{table}");
    let line: Vec<&str> = lines[1].iter().map(|cell| cell.trim()).collect();
    assert_eq!(line[..6], ["cs2", "round", "mw-logit-1", "in the shadow", "2", "1"]);
    let whole: Value = serde_json::from_str(&print(&["--game", "cs2", "--json"])).unwrap();
    assert_eq!(whole["calibration"], Value::from(rows.clone()));
    assert!(server.terminate().success());
    // It is a view: another start comes to the same.
    let server = Server::start_with(folder.path(), "127.0.0.1:0", &flags);
    assert_eq!(scored(&server).await, rows);
}
