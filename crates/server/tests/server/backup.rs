//! A server whose disk is lost comes back from its back-up, with the players' accounts.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Output, Stdio},
};

use serde_json::Value;

use crate::{
    played,
    process::{Server, matchwire},
};

fn restore(from: &Path, data: &Path, more: &[&str]) -> Output {
    let mut command = matchwire();
    command.args(["restore", "--json", "--from"]).arg(from).arg("--data").arg(data).args(more);
    command.output().unwrap()
}

#[tokio::test]
async fn everything_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let [data, place, back] = ["data", "place", "back"].map(|name| folder.path().join(name));
    let log = played::log();
    let server = Server::start(&data, "127.0.0.1:0");
    let half = log.len() / 2;
    played::post(&server.client(), "m/1", "t", 0, &log[..half]).await.unwrap();
    let mut follow = matchwire()
        .args(["backup", "--follow", "--every", "10ms", "--json", "--data"])
        .arg(&data)
        .arg("--to")
        .arg(&place)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert!(first["copied_bytes"].as_u64().unwrap() > 0, "{first}");
    played::post(&server.client(), "m/1", "t", half, &log[half..]).await.unwrap();
    let events = played::events(&server.client(), "match/m/1").await;
    let state = played::state(&server.client(), "m", 1).await;
    server.kill();
    let pid = follow.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    lines.for_each(drop);
    assert!(follow.wait().unwrap().success());
    std::fs::remove_dir_all(&data).unwrap();

    let output = restore(&place, &back, &[]);
    assert!(output.status.success(), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_ne!(told["lineage"], told["lineage_before"]);
    assert_eq!(told["left_out_positions"], 0);
    assert_eq!((&told["erasures"], &told["erased_again"]), (&Value::from(0), &Value::from(0)));
    assert!(first["key_day"].is_string() && told["key_day"].is_string(), "{first} {told}");
    let server = Server::start(&back, "127.0.0.1:0");
    assert_eq!(played::events(&server.client(), "match/m/1").await, events);
    assert_eq!(played::state(&server.client(), "m", 1).await, state);

    let output = restore(&place, &back, &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("is not empty"), "{said}");
    let early = folder.path().join("early");
    let output = restore(&place, &early, &["--to-time", "2001-01-01T00:00:00Z"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("nothing was recorded by 2001"), "{said}");

    std::fs::remove_dir_all(folder.path().join("place.safe")).unwrap();
    let dark = folder.path().join("dark");
    let said = String::from_utf8_lossy(&restore(&place, &dark, &[]).stderr).into_owned();
    assert!(said.contains("no safe in") && said.contains("--safe"), "{said}");
    let output = restore(&place, &dark, &["--without-vault"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["key_day"], &told["erasures"]), (&Value::Null, &Value::Null), "{told}");
}
