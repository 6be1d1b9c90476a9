//! A person is erased: no byte of what is kept, nor of a copy of the log from before, says who it was.

use std::{
    fs,
    path::Path,
    process::Output,
    sync::Arc,
    time::{Duration, Instant},
};

use matchwire_archive::Parquet;
use matchwire_domain::{
    envelope::{Attributes, Event},
    subject::Subject,
    timestamp::Timestamp,
};
use matchwire_embedded::{Lifecycle, Options, Segments, SqliteViews, disk::Directory};
use matchwire_log::{Append, Clock as _, Log, SystemClock, view_store::ViewStore as _};
use serde_json::{Value, json};

use crate::{
    played,
    process::{Server, matchwire},
};

/// What nobody may find: the account, the name in both games, and what was refused.
const SECRETS: [&str; 4] = ["76561190000000777", "Zyxwvut", "Ringneck Parakeet", "Letterbox"];

fn event(id: &str, subject: &str, kind: &str, data: &Value) -> String {
    json!({
        "specversion": "1.0", "id": id, "source": "test", "subject": subject, "type": kind,
        "time": "2026-01-10T12:00:00Z", "data": data,
    })
    .to_string()
}

fn person(account: &str, name: &str) -> Value {
    json!({"player": account, "name": name})
}

/// A match that the one to be erased has won, a map of it, and a log line with the name.
async fn play(server: &Server, id: &str) {
    let (one, two) = ("steam:76561190000000777", "steam:76561190000000888");
    let teams = json!([
        {"name": "Alpha", "players": [person(one, "Zyxwvut")]},
        {"name": "Bravo", "players": [person(two, "Stays Here")]},
    ]);
    let (own, map) = (format!("match/{id}"), format!("match/{id}/1"));
    let joined = json!({"player": one, "name": "Ringneck Parakeet", "side": "CT"});
    let other = json!({"player": two, "name": "Stays Here", "side": "T"});
    let lines = [
        event("1", &own, "match.scheduled", &json!({"game": "cs2", "best_of": 1, "teams": teams})),
        event("2", &map, "player.joined", &joined),
        event("3", &map, "player.joined", &other),
        event("4", &own, "series.started", &json!({})),
        event("5", &own, "series.ended", &json!({"winner": 0, "score": [1, 0]})),
    ];
    let headers = [("content-type", "application/x-ndjson".to_owned())];
    let sent = server.client().post("/events", &headers, lines.join("\n").into()).await.unwrap();
    let results = sent["results"].as_array().unwrap();
    assert!(results.iter().all(|result| result["status"] == "appended"), "{sent}");
    // The same once more is the same, though names are sealed.
    let again = server.client().post("/events", &headers, lines.join("\n").into()).await.unwrap();
    for result in again["results"].as_array().unwrap() {
        assert!(result["status"] == "duplicate" && result.get("differs").is_none(), "{again}");
    }
    // What is refused stays as a dead letter.
    let refused = event("6", &map, "round.started", &json!({"Letterbox": one}));
    server.client().post("/events", &headers, refused.into()).await.unwrap_err();
    // The last line has no end yet, so the reader remembers it as it came.
    let line = "01/10/2026 - 12:00:00: \"Zyxwvut<3><[U:1:1]><CT>\" say \"Zyxwvut";
    let place = format!("{id}x/1");
    played::post(&server.client(), &place, "t", 0, line.as_bytes()).await.unwrap();
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn found(folder: &Path, text: &str) -> Vec<std::path::PathBuf> {
    let has = |path: &std::path::PathBuf| {
        fs::read(path).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
    };
    files(folder).into_iter().filter(has).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = {
            let entry = entry.unwrap();
            (entry.path(), entry.file_name())
        };
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// Puts all of a log into an archive, but for what it has to hold beside.
async fn put_away(log: &Path, archive: &Path) {
    let directory = Arc::new(Directory::open(log).unwrap());
    let options = Options { segment_bytes: 4_000, background: false, ..Options::default() };
    let medium = Arc::new(Segments::open_with(directory, options, in_archive(archive)).unwrap());
    let handle = Log::open(Box::new(medium.clone()), Arc::new(SystemClock)).unwrap();
    for n in 0..20 {
        // A file that is full is no more the one that is written to.
        let told = event(&n.to_string(), "room/r", "x.test", &json!({"filler": "-".repeat(500)}));
        let attributes = Attributes::parse(&told).unwrap();
        let stored = Event::new(&attributes, attributes.data.unwrap().get()).unwrap();
        let subject = Subject::parse("room/r").unwrap();
        let (events, received) = (vec![stored], Instant::now());
        let append = Append { subject, events, expected_seq: None, received };
        handle.append(vec![append]).await.unwrap();
    }
    drop(handle);
    while medium.maintain().unwrap() {}
    let later = Timestamp::from_ms(SystemClock.now().ms() + 100_000_000);
    while medium.age(later).unwrap() {}
}

fn in_archive(place: &Path) -> Lifecycle {
    let archive = Arc::new(Parquet::open(place.to_str().unwrap()).unwrap());
    let archive_after = Some(Duration::from_hours(1));
    Lifecycle { archive: Some(archive), archive_after, ..Lifecycle::default() }
}

/// All events that a log has, those in its archive, too, as they are stored.
fn told(log: &Path, archive: &Path) -> Vec<String> {
    let directory = Arc::new(Directory::open(log).unwrap());
    let medium = Segments::open_with(directory, Options::default(), in_archive(archive)).unwrap();
    let log = Log::open(Box::new(medium), Arc::new(SystemClock)).unwrap();
    let subjects = log.subjects("", None, 1_000).unwrap();
    let read = |subject: &Subject| log.read(subject, 0, 1_000).unwrap();
    let events = subjects.iter().flat_map(read);
    events.map(|entry| String::from_utf8(entry.recorded.stored.to_vec()).unwrap()).collect()
}

/// The keys of a player in the vault.
fn keys(data: &Path, player: &str) -> Vec<String> {
    let text = fs::read_to_string(data.join("vault/people.ndjson")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let own = lines.filter(|line| line[0] == "key" && line[1] == player);
    own.map(|line| line[3].as_str().unwrap().to_owned()).collect()
}

async fn get(server: &Server, path: &str) -> Value {
    let text = server.text(path).await;
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn verify(data: &Path) -> Output {
    matchwire().args(["log", "verify", "--data"]).arg(data).output().unwrap()
}

#[tokio::test]
async fn no_byte_says_who_it_was_and_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (data, before) = (folder.path().join("data"), folder.path().join("before"));
    let server = Server::start(&data, "127.0.0.1:0");
    play(&server, "m").await;
    let state = get(&server, "/api/v1/matches/m/maps/1").await;
    assert_eq!(state["players"]["p1"]["name"], "Ringneck Parakeet");
    assert_eq!(state["players"]["p1"]["account"], "steam:76561190000000777");
    let whole = get(&server, "/api/v1/matches/m").await.to_string();
    assert!(whole.contains("Zyxwvut"), "{whole}");
    while !server.text("/metrics").await.contains("matchwire_dead_letters_open 1\n") {}
    for secret in SECRETS {
        assert_eq!(found(&data.join("log"), secret), Vec::<std::path::PathBuf>::new(), "{secret}");
    }
    copy(&data.join("log"), &before);
    let (old, archive) = (folder.path().join("old"), folder.path().join("archive"));
    copy(&before, &old);
    put_away(&old, &archive).await;
    let objects = files(&archive);
    assert!(objects.iter().any(|file| file.extension().is_some_and(|it| it == "parquet")));
    let (own, others) = (keys(&data, "p1"), keys(&data, "p2"));
    assert_eq!((own.len(), others.len()), (1, 1));

    let receipt = server.client().post("/players/p1/erase", &[], "".into()).await.unwrap();
    let again = server.client().post("/players/p1/erase", &[], "".into()).await.unwrap();
    assert_eq!((&receipt["player"], &receipt), (&json!("p1"), &again));
    let check = async |server: &Server| {
        for secret in SECRETS.into_iter().chain(own.iter().map(String::as_str)) {
            for folder in [&data, &before, &old, &archive] {
                assert_eq!(found(folder, secret), Vec::<std::path::PathBuf>::new(), "{secret}");
            }
            // An archive is compressed.
            let told = told(&old, &archive);
            assert!(told.len() > 25, "{told:?}");
            assert!(told.iter().all(|event| !event.contains(secret)), "{secret}");
        }
        let state = get(server, "/api/v1/matches/m/maps/1").await;
        assert_eq!(state["players"]["p1"].get("name"), None, "{state}");
        assert_eq!(state["players"]["p1"].get("account"), None);
        assert_eq!(state["players"]["p2"]["name"], "Stays Here");
        assert_eq!(state["players"]["p2"]["account"], "steam:76561190000000888");
        let board = get(server, "/api/v1/leaderboards/cs2").await;
        assert_eq!(board["players"], json!([]), "nobody else has won");
        let letters = get(server, "/api/v1/dead-letters").await;
        assert_eq!(letters["dead_letters"], json!([]));
    };
    check(&server).await;
    // Whoever plays again under the account is somebody new.
    play(&server, "n").await;
    let state = get(&server, "/api/v1/matches/n/maps/1").await;
    assert_eq!(state["players"]["p3"]["name"], "Ringneck Parakeet", "{state}");
    // By the account, as an operator has it.
    let path = "/players/steam:76561190000000777/erase";
    server.client().post(path, &[], "".into()).await.unwrap();
    check(&server).await;
    assert!(server.terminate().success());
    assert!(verify(&data).status.success());
    let server = Server::start(&data, "127.0.0.1:0");
    check(&server).await;
}

#[tokio::test]
async fn an_erasure_that_was_broken_off_is_ended_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data, "127.0.0.1:0");
    play(&server, "m").await;
    let board = get(&server, "/api/v1/leaderboards/cs2").await;
    assert_eq!(board["players"].as_array().unwrap().len(), 1);
    server.kill();
    // The ledger has it, and nothing else was done.
    let line = r#"{"player":"p1","receipt":"00000000000000aa","time":"2026-01-11T00:00:00.000Z"}"#;
    fs::write(data.join("vault/erasures.ndjson"), format!("{line}\n")).unwrap();
    let server = Server::start(&data, "127.0.0.1:0");
    let board = get(&server, "/api/v1/leaderboards/cs2").await;
    assert_eq!(board["players"], json!([]));
    let receipt = server.client().post("/players/p1/erase", &[], "".into()).await.unwrap();
    assert_eq!(receipt["receipt"], "00000000000000aa");
    for secret in SECRETS {
        assert_eq!(found(&data, secret), Vec::<std::path::PathBuf>::new(), "{secret}");
    }
}

#[tokio::test]
async fn a_purge_that_somebody_holds_up_is_done_after_a_restart_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data, "127.0.0.1:0");
    play(&server, "m").await;
    assert_eq!(get(&server, "/api/v1/leaderboards/cs2").await["players"][0]["won"], 1);
    let schema = matchwire_players::view::schema();
    let view = SqliteViews::open(&data.join("views")).unwrap().open(&schema).unwrap().unwrap();
    let reading = view.snapshot().unwrap();
    reading.position().unwrap();
    server.client().post("/players/p1/erase", &[], "".into()).await.unwrap();
    let due = data.join("vault/purge.due");
    assert!(due.exists(), "it was purged while somebody read it");
    server.kill();
    drop((reading, view));
    let server = Server::start(&data, "127.0.0.1:0");
    while due.exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(get(&server, "/api/v1/leaderboards/cs2").await["players"], json!([]));
}
