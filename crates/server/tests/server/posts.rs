//! Logs through a real server: posted whole, in parts, twice, and by `matchwire send`.

use crate::{
    played,
    process::{Server, matchwire},
};

#[tokio::test]
async fn however_a_log_is_posted_the_state_is_the_same() {
    let log = played::log();
    let mut states = Vec::new();
    for size in [log.len(), 50, 4_000] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), "127.0.0.1:0");
        let client = server.client();
        for (i, part) in log.chunks(size).enumerate() {
            let first = played::post(&client, "m/1", "t", i * size, part).await.unwrap();
            let again = played::post(&client, "m/1", "t", i * size, part).await.unwrap();
            assert_eq!(again["appended"], 0);
            assert!(again["duplicate"].as_u64() >= first["appended"].as_u64());
        }
        states.push(played::state(&client, "m", 1).await);
        assert!(server.terminate().success());
    }
    let [whole, rest @ ..] = states.as_slice() else { panic!("no states") };
    assert_eq!(whole["status"], "ended");
    assert_eq!(whole["teams"][0]["score"], 16);
    assert_eq!(whole["teams"][1]["score"], 8);
    assert_eq!(whole["players"]["p1"]["account"], "steam:76561197960265828");
    for state in rest {
        assert_eq!(state.to_string(), whole.to_string());
    }
}

#[tokio::test]
async fn a_post_without_headers_is_known_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    let client = server.client();
    let post = |body: Vec<u8>| client.post("/sources/cs-log/m/auto", &[], body.into());
    let first = post(played::log()).await.unwrap();
    let before = played::state(&client, "m", 1).await;
    let again = post(played::log()).await.unwrap();
    assert_eq!(again["duplicate"], first["appended"]);
    assert_eq!((again["appended"].as_u64(), &again["unknown"]), (Some(0), &first["unknown"]));
    assert_eq!(played::state(&client, "m", 1).await, before);
    let unknown = post(b"\xff\xfe nonsense\n\n".to_vec()).await.unwrap();
    assert_eq!(unknown.to_string(), r#"{"appended":0,"duplicate":0,"unknown":1}"#);
}

#[tokio::test]
async fn send_plays_a_series_and_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), "127.0.0.1:0");
    let files = ["de_a", "de_b", "de_c"].map(|map| {
        let file = folder.path().join(format!("{map}.log"));
        let log = String::from_utf8(played::log()).unwrap().replace("de_x", map);
        if map != "de_b" {
            std::fs::write(&file, log).unwrap();
            return file;
        }
        let file = folder.path().join("de_b.log.zst");
        std::fs::write(&file, zstd::encode_all(log.as_bytes(), 3).unwrap()).unwrap();
        file
    });
    let send = || {
        let mut command = matchwire();
        command.args(["send", "--json", "--match", "m", "--server", &server.url()]).args(&files);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let first = send();
    let again = send();
    assert_eq!(again["appended"], 0);
    assert_eq!(again["duplicate"], first["appended"]);
    for (number, map) in (1..).zip(["de_a", "de_b", "de_c"]) {
        let state = played::state(&server.client(), "m", number).await;
        assert_eq!((&state["map_name"], &state["status"]), (&map.into(), &"ended".into()));
        assert_eq!(state["rounds"].as_object().unwrap().len(), 24);
    }
}
