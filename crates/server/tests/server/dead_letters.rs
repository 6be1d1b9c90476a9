//! What was refused outlasts a kill, and an operator sees to it with `matchwire dead-letters`.

use std::{path::Path, process::Output};

use serde_json::{Value, json};

use crate::process::{Server, matchwire};

fn event(id: &str, kind: &str, data: &Value) -> String {
    json!({
        "specversion": "1.0", "id": id, "source": "test", "subject": "match/m/1", "type": kind,
        "data": data,
    })
    .to_string()
}

/// Posts lines of which none is taken.
async fn refused(server: &Server, lines: &[String]) {
    let headers = [("content-type", "application/x-ndjson".to_owned())];
    server.client().post("/events", &headers, lines.join("\n").into()).await.unwrap_err();
}

/// Waits until so many letters are on disk.
async fn kept(server: &Server, count: u64) {
    let name = format!("matchwire_dead_letters_open {count}\n");
    while !server.text("/metrics").await.contains(&name) {}
}

fn command(server: &Server, args: &[&str]) -> Output {
    matchwire().arg("dead-letters").args(args).args(["--server", &server.url()]).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn key(data: &Path) -> std::path::PathBuf {
    data.join("vault/dead-letters.key")
}

/// Neither of two events is taken, since nothing may follow the seal; and one event is no event.
async fn refuse_three(server: &Server) {
    let seal = event("seal", "stream.sealed", &json!({}));
    let before = event("before", "x.test", &json!({"n": 1}));
    refused(server, &[seal, before]).await;
    refused(server, &[event("broken", "round.started", &json!({"no": "round"}))]).await;
    kept(server, 3).await;
}

#[tokio::test]
async fn they_outlast_a_kill_and_are_seen_to() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    refuse_three(&server).await;
    server.kill();
    let server = Server::start(folder.path(), "127.0.0.1:0");

    let table = told(&command(&server, &["list"]));
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(lines[0].starts_with("SEQ  KEPT") && lines[3].starts_with("3    20"), "{table}");
    let list = json_of(&command(&server, &["list", "--reason", "sealed", "--json"]));
    assert_eq!(list["dead_letters"].as_array().unwrap().len(), 2);
    assert_eq!(told(&command(&server, &["list", "--source", "other"])), "no dead letters\n");
    let shown = told(&command(&server, &["show", "3"]));
    assert!(shown.contains("reason    schema") && shown.contains("\"no\":\"round\""), "{shown}");
    let shown = json_of(&command(&server, &["show", "2", "--json"]));
    let body: Value = serde_json::from_str(shown["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["data"], json!({"n": 1}));

    assert_eq!(told(&command(&server, &["redrive", "2"])), "1 dead letter taken, 0 not\n");
    let output = command(&server, &["redrive", "--all"]);
    assert_eq!(told(&output), "1 dead letter taken, 1 not\n");
    let complaint_of_three = complaint(&output);
    assert!(complaint_of_three.contains("dead letter 3: schema: "), "{complaint_of_three}");
    assert!(
        complaint_of_three.contains("1 dead letter could not be taken"),
        "{complaint_of_three}"
    );
    let events = server.client().get("/events?subject=match/m/1").await.unwrap();
    let ids: Vec<_> =
        events["events"].as_array().unwrap().iter().map(|e| e["id"].clone()).collect();
    assert_eq!(ids, ["before", "seal"]);
    assert!(complaint(&command(&server, &["redrive", "2"])).contains("not_found"));

    server.kill();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    let list = json_of(&command(&server, &["list", "--json"]));
    let left = &list["dead_letters"];
    assert_eq!((&left[0]["seq"], &left[0]["attempts"], left.get(1)), (&json!(3), &json!(2), None));
    let dropped = json_of(&command(&server, &["drop", "--all", "--json"]));
    assert_eq!(dropped, json!({"dropped": [3], "failed": []}));
    assert!(server.terminate().success());
    let server = Server::start(folder.path(), "127.0.0.1:0");
    assert_eq!(told(&command(&server, &["list"])), "no dead letters\n");
}

#[tokio::test]
async fn without_the_key_they_can_be_listed_and_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    refuse_three(&server).await;
    std::fs::remove_file(key(folder.path())).unwrap();
    assert!(complaint(&command(&server, &["show", "1"])).contains("the key of dead letter 1 was"));
    assert_eq!(told(&command(&server, &["list"])).lines().count(), 4);
    assert!(complaint(&command(&server, &["redrive", "1"])).contains("key_destroyed"));
    assert_eq!(told(&command(&server, &["drop", "1", "2"])), "2 dead letters dropped, 0 not\n");
    server.kill();
    std::fs::write(key(folder.path()), "rubbish").unwrap();
    let mut serve = matchwire();
    serve.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path());
    assert!(complaint(&serve.output().unwrap()).contains("dead-letters.key must be 64"));
}

#[tokio::test]
async fn they_come_back_with_their_key_from_a_back_up() {
    let folder = tempfile::tempdir().unwrap();
    let [data, place, back] = ["data", "place", "back"].map(|name| folder.path().join(name));
    let server = Server::start(&data, "127.0.0.1:0");
    refuse_three(&server).await;
    let run = |args: [&str; 3], from: &Path, to: &Path| {
        let output = matchwire().args([args[0], args[1]]).arg(from).arg(args[2]).arg(to).output();
        assert!(output.as_ref().unwrap().status.success(), "{output:?}");
    };
    run(["backup", "--data", "--to"], &data, &place);
    server.kill();
    run(["restore", "--from", "--data"], &place, &back);
    let server = Server::start(&back, "127.0.0.1:0");
    assert!(told(&command(&server, &["show", "3"])).contains("\"no\":\"round\""));
}

#[test]
fn what_is_asked_for_must_be_clear() {
    for args in [
        &["redrive"][..],
        &["drop", "1", "--all"],
        &["drop", "x"],
        &["show", "0"],
        &["redrive", "1", "--reason", "schema"],
    ] {
        let output = matchwire().arg("dead-letters").args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
    let nobody = ["list", "--server", "http://127.0.0.1:1"];
    let output = matchwire().arg("dead-letters").args(nobody).output().unwrap();
    assert!(complaint(&output).contains("cannot reach the server"));
}
