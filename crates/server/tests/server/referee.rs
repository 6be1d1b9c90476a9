//! `matchwire referee` corrects and decides, says what came of it, and refuses what is not there.

use serde_json::{Value, json};

use crate::process::{Server, matchwire};

/// What the command came to: whether it succeeded, and what it said.
fn referee(server: &Server, arguments: &[&str]) -> (bool, String) {
    let url = server.url();
    let output = matchwire().args(["referee", "--server", &url]).args(arguments).output().unwrap();
    let said = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.success(), String::from_utf8(said).unwrap())
}

async fn play(server: &Server) {
    let told = [
        ("match.started", json!({"map_name": "de_test"})),
        ("round.started", json!({})),
        ("player.killed", json!({"killer": "steam:1", "victim": "steam:2", "weapon": "ak47"})),
        ("round.ended", json!({"winner": "CT", "reason": "elimination"})),
    ];
    let event = |(n, (kind, data)): (usize, &(&str, Value))| {
        json!({"specversion": "1.0", "id": n.to_string(), "source": "test",
            "subject": "match/m1/1", "type": kind, "data": data})
    };
    let events: Vec<Value> = told.iter().enumerate().map(event).collect();
    let kind = ("content-type", "application/cloudevents-batch+json".to_owned());
    let body = Value::from(events).to_string();
    server.client().post("/events", &[kind], body.into()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referee_corrects_and_decides() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    play(&server).await;
    let state = async || server.client().get("/matches/m1/maps/1").await.unwrap();
    assert_eq!(state().await["teams"][0]["score"], 1);
    let void = ["void", "match/m1/1", "3", "--reason", "told twice"];
    let (done, said) = referee(&server, &void);
    assert!(done && said.contains("event.voided is event 5"), "{said}");
    assert_eq!(state().await["players"], json!({}));
    // The same command again is the same event.
    let (_, said) = referee(&server, &void);
    assert!(said.contains("event 5 (it was so already)"), "{said}");
    let amend = ["amend", "match/m1/1", "4", "--data", r#"{"winner":"T","reason":"time_ran_out"}"#];
    let (done, said) = referee(&server, &[&amend[..], &["--json", "--by", "anna"]].concat());
    let told: Value = serde_json::from_str(&said).unwrap();
    assert!(done && told["state"]["teams"][1]["score"] == 1, "{said}");
    assert!(referee(&server, &["pause", "match/m1/1", "--side", "T"]).0);
    assert_eq!(state().await["pause"], json!({"reason": "technical", "team": 1}));
    assert!(referee(&server, &["resume", "match/m1/1"]).0);
    let (_, said) = referee(&server, &["forfeit", "match/m1/1", "1", "--how", "no-show"]);
    assert!(said.contains("now ended") && said.contains("team 0 wins; forfeited"), "{said}");
    assert_eq!(state().await["ruling"]["how"], "no_show");
    let (_, said) = referee(&server, &["result", "match/m1/1", "--score", "3:13"]);
    assert!(said.contains("team 0 3, team 1 13; team 1 wins; amended"), "{said}");
    let (_, said) = referee(&server, &["confirm", "match/m1/1"]);
    assert!(said.contains("confirmed"), "{said}");
    let events = server.client().get("/events?subject=match/m1/1&after=5").await.unwrap();
    assert_eq!(events["events"][0]["source"], "referee/anna");
    // What is taken back can be said again, in the same words.
    let (done, said) = referee(&server, &["void", "match/m1/1", "5"]);
    assert!(done && said.contains("event.voided is event 12"), "{said}");
    let (_, said) = referee(&server, &void);
    assert!(said.contains("event 13") && !said.contains("already"), "{said}");
    let (_, said) = referee(&server, &void);
    assert!(said.contains("event 13 (it was so already)"), "{said}");
    // And so can what was amended otherwise since.
    let other = ["amend", "match/m1/1", "4", "--data", r#"{"winner":"CT","reason":"other"}"#];
    assert!(referee(&server, &[&other[..], &["--by", "anna"]].concat()).1.contains("is event 14"));
    let again = [&amend[..], &["--by", "anna"]].concat();
    assert!(referee(&server, &again).1.contains("is event 15"));
    assert!(referee(&server, &again).1.contains("event 15 (it was so already)"));
    for (bad, why) in [
        (&["void", "match/m1/1", "99"][..], "has the events 1 to 15, and no 99"),
        (&["void", "match/none/1", "1"], "404"),
        (&["void", "room/r1", "1"], "must be match/<match>"),
        (&["amend", "match/m1/1", "2", "--data", "[]"], "must be a JSON object"),
        (&["amend", "match/m1/1", "3", "--data", "{}"], "missing field"),
        (&["result", "match/m1/1"], "needs --score or --winner"),
    ] {
        let (done, said) = referee(&server, bad);
        assert!(!done && said.contains(why), "{bad:?}: {said}");
    }
}
