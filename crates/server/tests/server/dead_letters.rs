//! What was refused outlasts a kill, and an operator sees to it with `matchwire dead-letters`.

use std::{path::Path, process::Output};

use serde_json::{Value, json};

use crate::{
    played,
    process::{Server, matchwire},
};

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

/// A line of a game server's log.
fn line(second: u32, text: &str) -> String {
    format!("L 01/02/2026 - 03:00:{second:02}: {text}\n")
}

async fn post(
    server: &Server,
    path: &str,
    headers: &[(&'static str, String)],
    body: &str,
) -> Value {
    let body = body.to_owned().into();
    server.client().post(&format!("/sources/{path}"), headers, body).await.unwrap()
}

#[tokio::test]
async fn posts_of_a_server_without_a_match_are_read_once_it_has_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    // Two posts of a server's log, which says where they stand in it; the second ends with a round.
    let first =
        line(1, "World triggered \"Match_Start\" on \"de_x\"") + &line(2, "Starting Freeze period");
    let second = line(3, "World triggered \"Round_Start\"")
        + &line(9, "Team \"CT\" triggered \"SFUI_Notice_Target_Saved\" (CT \"1\") (T \"0\")");
    let mut begin = 0;
    for body in [&first, &second] {
        let end = begin + body.len();
        let headers = [
            ("x-server-instance-token", "t".to_owned()),
            ("x-logbytes-beginoffset", begin.to_string()),
            ("x-logbytes-endoffset", end.to_string()),
        ];
        let refused =
            server.client().post("/sources/cs-log/@s1", &headers, body.clone().into()).await;
        assert!(refused.unwrap_err().to_string().contains("kept as a dead letter"));
        begin = end;
    }
    kept(&server, 2).await;
    server.kill();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    assert!(complaint(&command(&server, &["redrive", "--all"])).contains("no match is assigned"));
    let set = json!({"specversion": "1.0", "id": "1", "source": "organiser", "subject": "match/m",
        "type": "match.scheduled", "data": {"server": "s1"}});
    let header = [("content-type", "application/cloudevents+json".to_owned())];
    server.client().post("/events", &header, set.to_string().into()).await.unwrap();
    let shown = told(&command(&server, &["show", "1"]));
    assert!(shown.contains("place     @s1") && shown.contains("x-logbytes-beginoffset"), "{shown}");
    assert_eq!(told(&command(&server, &["redrive", "--all"])), "2 dead letters taken, 0 not\n");
    let state = played::state(&server.client(), "m", 1).await;
    assert_eq!((&state["teams"][0]["score"], &state["anomaly_count"]), (&json!(1), &json!(0)));
    kept(&server, 0).await;
}

#[tokio::test]
async fn what_a_sealed_map_refuses_goes_to_the_next_match_of_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    let header = [("content-type", "application/cloudevents+json".to_owned())];
    let tell = async |id: &str, subject: &str, kind: &str, data: Value| {
        let event = json!({"specversion": "1.0", "id": id, "source": "organiser", "subject": subject,
            "type": kind, "data": data});
        server.client().post("/events", &header, event.to_string().into()).await.unwrap();
    };
    tell("1", "match/m1", "match.scheduled", json!({"server": "s1"})).await;
    tell("2", "match/m1/1", "stream.sealed", json!({})).await;
    let body = line(1, "World triggered \"Match_Start\" on \"de_x\"");
    for _ in 0..2 {
        // Sent again it is no duplicate of what was refused.
        let told = post(&server, "cs-log/@s1", &[], &body).await;
        assert_eq!(
            told,
            json!({"appended": 0, "duplicate": 0, "unknown": 0, "refused": 1, "match": "m1"})
        );
    }
    kept(&server, 1).await;
    assert!(complaint(&command(&server, &["redrive", "1"])).contains("sealed"));
    tell("3", "match/m1", "server.assigned", json!({})).await;
    tell("4", "match/m2", "match.scheduled", json!({"server": "s1"})).await;
    assert_eq!(told(&command(&server, &["redrive", "1"])), "1 dead letter taken, 0 not\n");
    assert_eq!(played::state(&server.client(), "m2", 1).await["map_name"], "de_x");
    // A page of a proxy is no log.
    let told = post(&server, "cs-log/@s1", &[], "<html>bad gateway</html>").await;
    assert_eq!(told["unknown"], 1);
    kept(&server, 1).await;
    assert_eq!(
        json_of(&command(&server, &["list", "--json"]))["dead_letters"][0]["reason"],
        "unreadable"
    );
}
