//! Stored views of a server, and `matchwire views`.

use std::{path::Path, process::Output, time::Instant};

use serde_json::{Value, json};

use crate::process::{Server, matchwire};

/// Schedules matches for a tournament, numbered on from `first`.
async fn schedule(server: &Server, first: u32, count: u32) {
    for n in first..first + count {
        let event = json!({
            "specversion": "1.0", "id": "1", "source": "test", "subject": format!("match/m{n:04}"),
            "type": "match.scheduled", "data": {"best_of": 3, "tournament": "cup"},
        });
        let headers = [("content-type", "application/cloudevents+json".to_owned())];
        server.client().post("/events", &headers, event.to_string().into()).await.unwrap();
    }
}

/// How many matches the tournament has.
async fn matches(server: &Server) -> usize {
    let list = server.client().get("/tournaments/cup/matches?limit=1000").await.unwrap();
    list["matches"].as_array().unwrap().len()
}

fn views(data: &Path, arguments: &[&str]) -> Output {
    matchwire().arg("views").args(arguments).arg("--data").arg(data).output().unwrap()
}

/// What `views list --json` tells.
fn listed(data: &Path) -> Vec<Value> {
    let output = views(data, &["list", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    told["views"].as_array().unwrap().clone()
}

/// Waits until a metric of the view has a value.
async fn reaches(server: &Server, metric: &str, value: &str) {
    let line = format!("matchwire_view_{metric}{{view=\"tournaments\"}} {value}\n");
    let begun = Instant::now();
    while !server.text("/metrics").await.contains(&line) {
        assert!(begun.elapsed().as_secs() < 60, "{line} does not come");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_view_is_listed_computed_again_and_dropped_while_the_server_runs() {
    let data = tempfile::tempdir().unwrap();
    assert!(!views(data.path(), &["list"]).status.success(), "there is nothing yet");
    let server = Server::start(data.path(), "127.0.0.1:0");
    schedule(&server, 0, 20).await;
    assert_eq!(matches(&server).await, 20);
    let listed = listed(data.path());
    let view = listed.iter().find(|view| view["name"] == "tournaments").unwrap();
    let told = ["name", "version", "state", "used", "rows"].map(|key| view[key].clone());
    assert_eq!(json!(told), json!(["tournaments", 1, "complete", true, 20]));
    assert_eq!((&view["position"], &view["missing_parts"]), (&json!(20), &json!(0)));
    let text = String::from_utf8(views(data.path(), &["list"]).stdout).unwrap();
    assert!(text.starts_with("VIEW") && text.contains("tournaments  1        complete"), "{text}");
    let files = || {
        let all = std::fs::read_dir(data.path().join("views")).unwrap();
        let names = all.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("tournaments")).count()
    };
    let before = files();
    reaches(&server, "builds_total", "1").await;
    let asked = views(data.path(), &["rebuild", "tournaments"]);
    assert!(asked.status.success(), "{asked:?}");
    // It serves all the while.
    assert_eq!(matches(&server).await, 20);
    reaches(&server, "builds_total", "2").await;
    schedule(&server, 20, 1).await;
    assert_eq!((matches(&server).await, files()), (21, before));
    assert!(views(data.path(), &["drop", "tournaments", "1"]).status.success());
    schedule(&server, 21, 1).await;
    reaches(&server, "builds_total", "3").await;
    assert_eq!(matches(&server).await, 22);
    for wrong in [&["rebuild", "others"][..], &["drop", "tournaments", "7"]] {
        assert!(!views(data.path(), wrong).status.success(), "{wrong:?}");
    }
    reaches(&server, "lag_seconds", "0.0").await;
    assert!(server.terminate().success());
}

#[tokio::test]
async fn a_view_goes_on_after_a_kill_and_comes_again_when_its_files_are_gone_or_damaged() {
    let data = tempfile::tempdir().unwrap();
    let mut scheduled = 0;
    for round in 0..4 {
        let server = Server::start(data.path(), "127.0.0.1:0");
        schedule(&server, scheduled, 10).await;
        scheduled += 10;
        assert_eq!(matches(&server).await, scheduled as usize, "round {round}");
        server.kill();
        let folder = data.path().join("views");
        match round {
            0 => {}
            1 => std::fs::remove_dir_all(&folder).unwrap(),
            _ => {
                let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
                let file = files.filter(|file| file.extension().unwrap_or_default() == "sqlite");
                file.for_each(|file| std::fs::write(file, "no database").unwrap());
                assert!(listed(data.path()).iter().any(|view| view["state"] == "unreadable"));
            }
        }
    }
    let server = Server::start(data.path(), "127.0.0.1:0");
    assert_eq!(matches(&server).await, scheduled as usize);
    assert!(server.terminate().success());
}
