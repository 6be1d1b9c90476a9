//! A person takes a copy of all that is kept, and is forgotten.

use std::{
    io::Read as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper::body::Bytes;
use matchwire_domain::subject::Subject;
use matchwire_gateway::{Exchange as _, Limits};
use matchwire_log::view_store::{Start, ViewStore as _};
use serde_json::{Value, json};

use crate::{
    harness::{Reply, Server, event, soon},
    people::{Signer, claims, hs256, server_with_secret, with},
    setup::{Ids, Setup},
};

/// Asks as the person of an account, or as a stranger.
async fn ask(server: &Server, method: &str, account: Option<&str>, path: &str) -> Reply {
    let token = account.map(|account| {
        let claims = with(&claims(), "sub", json!(account));
        format!("Bearer {}", Signer::secret().sign(&hs256(), &claims))
    });
    let headers: Vec<(&str, &str)> =
        token.iter().map(|token| ("authorization", token.as_str())).collect();
    server.send(method, &format!("/api/v1{path}"), &headers, Bytes::new()).await
}

/// A server on which `steam:1`, who is `p1`, has won a match against `p2`, and lets everybody see it.
async fn server() -> Server {
    played(server_with_secret().await).await
}

async fn played(server: Server) -> Server {
    let team = |name: &str, account: &str| json!({"name": name, "players": [{"player": account}]});
    let teams = [team("Alpha", "steam:1"), team("Bravo", "steam:2")];
    let public = json!({"activity": "public", "statistics": "public"});
    for batch in [
        [
            event("match/m", 1, "match.scheduled", &json!({"game": "cs2", "teams": teams})),
            event("match/m", 2, "series.ended", &json!({"winner": 0})),
        ],
        [
            event("player/p1", 1, "privacy.set", &public),
            event("player/p1", 2, "player.friended", &json!({"player": "p2"})),
        ],
    ] {
        assert_eq!(server.post(&batch).await.status, 200);
    }
    server
}

/// Waits until the copy of a person is made, and gives the answer.
async fn exported(server: &Server, account: &str) -> Value {
    loop {
        let told = ask(server, "GET", Some(account), "/me/export").await.json();
        match told["status"].as_str().unwrap() {
            "running" => tokio::task::yield_now().await,
            _ => return told,
        }
    }
}

#[tokio::test]
async fn a_copy_has_all_that_is_kept_behind_a_link() {
    let server = server().await;
    for (method, path) in [("POST", "/me/export"), ("GET", "/me/export"), ("POST", "/me/erase")] {
        assert_eq!(ask(&server, method, None, path).await.status, 401, "{method} {path}");
        assert_eq!(ask(&server, method, Some("steam:9"), path).await.status, 404);
    }
    let none = ask(&server, "GET", Some("steam:1"), "/me/export").await.json();
    assert_eq!(none, json!({"status": "none"}));
    assert_eq!(ask(&server, "POST", Some("steam:1"), "/me/export").await.status, 202);
    let told = exported(&server, "steam:1").await;
    assert_eq!(told["status"], "ready", "{told}");
    assert_eq!(told["progress"], json!({"activities": 2, "of": 2}));
    let url = told["url"].as_str().unwrap().to_owned();
    let zip = server.get(&url).await;
    assert_eq!((zip.status.as_u16(), zip.header("content-type")), (200, "application/zip"));
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zip.bytes.to_vec())).unwrap();
    let mut read = |name: &str| {
        let mut text = String::new();
        zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let activities = read("activities.ndjson");
    let kinds: Vec<Value> = activities
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["event_type"].clone())
        .collect();
    assert!(kinds.contains(&json!("match_won")) && kinds.len() == 2, "{activities}");
    let person: Value = serde_json::from_str(&read("person.json")).unwrap();
    assert_eq!(
        (&person["account"], &person["friends"]["p2"].is_null()),
        (&json!("steam:1"), &false)
    );
    assert!(read("decisions.ndjson").contains("privacy.set"));
    assert!(read("statistics.ndjson").contains("\"won\":1"));
    assert!(read("summary.html").contains("match_won"));
    // Who has not the link, or has it for another file, gets nothing.
    for bad in [url.replace("signature=", "signature=0"), url.split('?').next().unwrap().to_owned()]
    {
        assert_eq!(server.get(&bad).await.status, 403, "{bad}");
    }
    // An operator sees the same copy.
    let of_player = ask(&server, "GET", None, "/players/p1/export").await.json();
    assert_eq!(of_player["status"], "ready");
    assert_eq!(ask(&server, "POST", Some("steam:1"), "/me/erase").await.status, 200);
    assert_eq!(server.get(&url).await.status, 404, "the file goes with its person");
    server.end().await;
}

/// What is in the files of a copy that is ready, of those that these names are of.
async fn texts<const N: usize>(server: &Server, told: &Value, names: [&str; N]) -> [String; N] {
    let zip = server.get(told["url"].as_str().unwrap()).await;
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zip.bytes.to_vec())).unwrap();
    names.map(|name| {
        let mut text = String::new();
        zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    })
}

#[tokio::test]
async fn a_copy_has_ratings_opponents_and_names() {
    let server = server().await;
    // Names as they are told, and as admission seals them: by `Ids` the text in base64.
    for (id, name, winner) in [("n1", "Zoë", 0), ("n2", "~1.Wm8", 1), ("n3", "~1.Wm8", 0)] {
        let team = |account: &str, name: &str| {
            let player = json!({"player": account, "name": name});
            json!({"name": account.replace(':', " "), "players": [player]})
        };
        let data = json!({"game": "cs2", "teams": [team("steam:1", name), team("steam:2", "<b>")]});
        let subject = format!("match/{id}");
        let joined = json!({"player": "steam:1", "name": "Zed"});
        let mut told = vec![
            event(&subject, 1, "match.scheduled", &data),
            event(&subject, 2, "series.ended", &json!({"winner": winner})),
        ];
        if id == "n3" {
            told.insert(1, event("match/n3/1", 1, "player.joined", &joined));
        }
        for event in &mut told {
            event["time"] = format!("2026-02-0{}T00:00:00Z", &id[1..]).into();
        }
        assert_eq!(server.post(&told).await.status, 200);
    }
    assert_eq!(ask(&server, "POST", Some("steam:1"), "/me/export").await.status, 202);
    let told = exported(&server, "steam:1").await;
    let files = ["person.json", "ratings.ndjson", "versus.ndjson", "summary.html"];
    let [person, ratings, versus, summary] = texts(&server, &told, files).await;
    let of =
        |n: u8| json!({"match": format!("n{n}"), "time": format!("2026-02-0{n}T00:00:00.000Z")});
    let person: Value = serde_json::from_str(&person).unwrap();
    let names = json!([
        {"name": "Zed", "first": of(3), "last": of(3)},
        {"name": "Zo", "first": of(2), "last": of(3)},
        {"name": "Zoë", "first": of(1), "last": of(1)},
    ]);
    assert_eq!(person["names"], names, "{person}");
    assert_eq!(person["names_looked_for_in"], json!({"matches": 4, "is_all": true}));
    let lines = |text: &str| -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let met = json!({"game": "cs2", "against": "MW-26-000002", "won": 3, "lost": 1, "drawn": 0});
    assert_eq!(lines(&versus), [met]);
    let ratings = lines(&ratings);
    let places: Vec<Value> = ratings
        .iter()
        .map(|it| json!([it["game"], it["system"], it["match"], it["is_now"] == true]))
        .collect();
    let place = |of: &str, system: &str| json!(["cs2", system, of, of == "n3"]);
    let all = ["n3", "n2", "n1", "m"].map(|of| ["glicko-2", "openskill"].map(|by| place(of, by)));
    assert_eq!(places, all.concat());
    let now = ask(&server, "GET", Some("steam:1"), "/players/p1/ratings?game=cs2").await.json();
    for told in &ratings[..2] {
        let now = &now["ratings"][told["system"].as_str().unwrap()];
        for key in ["rating", "deviation", "floor", "volatility"] {
            assert_eq!(told[key], now[key], "{key} of {told} and {now}");
        }
    }
    for part in ["Zed, Zo, Zoë", "<td>MW-26-000002</td><td class=\"n\">3</td>", "<td>glicko-2</td>"]
    {
        assert!(summary.contains(part), "{part} in {summary}");
    }
    // Nothing of how others are called.
    assert!(!person.to_string().contains("<b>"));
    server.end().await;
}

#[tokio::test]
async fn who_is_forgotten_is_nobody_and_others_keep_what_they_did() {
    let server = server().await;
    let stands = ask(&server, "GET", None, "/leaderboards/cs2").await.json();
    assert_eq!(stands["players"].as_array().unwrap().len(), 1);
    let lost = "/players/p2/statistics?game=cs2";
    let before = ask(&server, "GET", Some("steam:2"), lost).await.json();
    assert_eq!(before["lost"], 1);
    let receipt = ask(&server, "POST", Some("steam:1"), "/me/erase").await;
    assert_eq!(receipt.status, 200, "{receipt:?}");
    assert_eq!(receipt.json()["player"], "p1");
    // The token is good, and says who nobody is.
    assert_eq!(ask(&server, "GET", Some("steam:1"), "/me").await.json(), json!({}));
    for path in ["/players/p1/activity", "/players/p1/statistics?game=cs2"] {
        assert_eq!(ask(&server, "GET", None, path).await.status, 403, "{path}");
    }
    let stands = ask(&server, "GET", None, "/leaderboards/cs2").await.json();
    assert_eq!(stands["players"], json!([]));
    assert_eq!(ask(&server, "GET", Some("steam:2"), lost).await.json(), before);
    // Again it is the same; what came later is of nobody.
    let again = ask(&server, "POST", None, "/players/p1/erase").await;
    assert_eq!(again.json(), receipt.json());
    let amended = event("match/m", 3, "series.ended", &json!({"winner": 0}));
    assert_eq!(server.post(&[amended]).await.status, 200);
    let stands = ask(&server, "GET", None, "/leaderboards/cs2").await.json();
    assert_eq!(stands["players"], json!([]));
    let metrics = server.get("/metrics").await;
    let metrics = String::from_utf8_lossy(&metrics.bytes).into_owned();
    assert_eq!(metrics.matches("matchwire_people_erasures_total 2").count(), 1);
    server.end().await;
}

/// Waits until no purge is due.
async fn purged(server: &Server) {
    soon(async {
        while server.ids.is_purge_due() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn rows_are_pending_while_a_build_may_have_them() {
    let setup = Setup::default();
    let store = setup.view_store.clone();
    let server = Server::of(setup).await;
    assert_eq!(server.ids.id_for("steam:1"), "p1");
    let server = played(server).await;
    let stands = ask(&server, "GET", None, "/leaderboards/cs2").await.json();
    assert_eq!(stands["players"].as_array().unwrap().len(), 1);
    let build = store.build(&matchwire_players::view::schema(), Start::Anew).unwrap();
    let receipt = ask(&server, "POST", None, "/players/p1/erase").await.json();
    assert_eq!(receipt["pending"], json!(["rows"]));
    assert!(server.ids.is_purge_due());
    // The server goes on with it once nobody has it.
    drop(build);
    purged(&server).await;
    assert!(!store.list().unwrap().iter().any(|stored| stored.is_building));
    server.end().await;
}

#[tokio::test]
async fn an_erasure_is_answered_while_the_view_does_not_get_on() {
    let is_stuck = Arc::<AtomicBool>::default();
    let limits = Limits { purge: Duration::from_millis(1), ..Limits::default() };
    let setup = Setup { limits, is_stuck: is_stuck.clone(), ..Setup::default() };
    let server = Server::of(setup).await;
    assert_eq!(server.ids.id_for("steam:1"), "p1");
    let server = played(server).await;
    let stands = ask(&server, "GET", None, "/leaderboards/cs2").await.json();
    assert_eq!(stands["players"].as_array().unwrap().len(), 1);
    is_stuck.store(true, Ordering::SeqCst);
    let receipt = ask(&server, "POST", None, "/players/p1/erase").await.json();
    let all = ["account", "public_id", "keys", "rows", "dead_letters", "memory_of_sources"];
    let but_rows: Vec<&str> = all.into_iter().filter(|what| *what != "rows").collect();
    assert_eq!((&receipt["destroyed"], &receipt["pending"]), (&json!(but_rows), &json!(["rows"])));
    assert_eq!(server.ids.player_of("steam:1"), None, "{receipt}");
    // Nobody waits for another one.
    let other = ask(&server, "POST", None, "/players/p2/erase").await.json();
    assert_eq!((&other["player"], &other["pending"]), (&json!("p2"), &json!(["rows"])));
    assert!(server.ids.is_purge_due());
    is_stuck.store(false, Ordering::SeqCst);
    purged(&server).await;
    let stands = ask(&server, "GET", None, "/leaderboards/cs2").await.json();
    assert_eq!(stands["players"], json!([]));
    let again = ask(&server, "POST", None, "/players/p1/erase").await.json();
    assert_eq!((&again["receipt"], &again["destroyed"]), (&receipt["receipt"], &json!(all)));
    assert_eq!(again.get("pending"), None);
    server.end().await;
}

/// As after a restore of a log of before, with a vault that has purged since.
#[tokio::test]
async fn an_erasure_that_the_log_lacks_is_told_at_the_start_and_purged() {
    let (ids, is_stuck) = (Arc::<Ids>::default(), Arc::new(AtomicBool::new(true)));
    assert_eq!(ids.id_for("steam:1"), "p1");
    ids.erase("p1").unwrap();
    ids.purged().unwrap();
    let limits = Limits { purge: Duration::from_millis(1), ..Limits::default() };
    let setup = Setup { ids: ids.clone(), is_stuck: is_stuck.clone(), limits, ..Setup::default() };
    let server = Server::of(setup).await;
    let stream = Subject::parse("player/p1").unwrap();
    soon(async {
        while server.log.head(&stream).unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(ids.is_purge_due(), "until the view has seen it");
    is_stuck.store(false, Ordering::SeqCst);
    purged(&server).await;
    server.end().await;
}

#[tokio::test]
async fn only_the_server_says_that_somebody_is_forgotten() {
    let server = server().await;
    let reply = server.post(&[event("player/p1", 3, "player.erased", &json!({}))]).await;
    assert_eq!(reply.json()["results"][0]["error"]["code"], "reserved");
    for nobody in ["steam:9", "a b"] {
        let path = format!("/players/{}/erase", nobody.replace(' ', "%20"));
        let status = ask(&server, "POST", None, &path).await.status;
        assert!(status.is_client_error(), "{nobody}: {status}");
    }
    server.end().await;
}

#[tokio::test]
async fn whom_nobody_knows_is_not_forgotten_and_nothing_is_destroyed() {
    let server = server().await;
    for nobody in ["p77", "MW-26-999999", "steam:77", "somebody"] {
        for (method, what) in [("POST", "erase"), ("POST", "export"), ("GET", "export")] {
            let path = format!("/players/{nobody}/{what}");
            let reply = ask(&server, method, None, &path).await;
            assert_eq!(reply.status, 404, "{method} {path}");
        }
    }
    assert_eq!(ask(&server, "POST", None, "/players/p77/erase").await.problem(), "not_found");
    // Who has decided something is known, though the exchange has given no such id.
    let own = event("player/own-id", 1, "privacy.set", &json!({"activity": "public"}));
    assert_eq!(server.post(&[own]).await.status, 200);
    assert_eq!(ask(&server, "POST", None, "/players/own-id/erase").await.status, 200);
    server.end().await;
}

#[tokio::test]
async fn a_copy_that_is_asked_for_during_an_erasure_is_gone_after_it() {
    let server = server().await;
    let copies = async {
        for _ in 0..20 {
            ask(&server, "POST", None, "/players/p1/export").await;
        }
    };
    let erased = ask(&server, "POST", Some("steam:1"), "/me/erase");
    let ((), erased) = tokio::join!(copies, erased);
    assert_eq!(erased.status, 200);
    // What is made from then on has nothing of the person.
    let again = ask(&server, "POST", None, "/players/p1/export").await;
    assert_eq!(again.status, 202);
    let told = loop {
        let told = ask(&server, "GET", None, "/players/p1/export").await.json();
        if told["status"] != "running" {
            break told;
        }
        tokio::task::yield_now().await;
    };
    let zip = server.get(told["url"].as_str().unwrap()).await;
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zip.bytes.to_vec())).unwrap();
    let mut person = String::new();
    zip.by_name("person.json").unwrap().read_to_string(&mut person).unwrap();
    assert!(!person.contains("steam:1"), "{person}");
    server.end().await;
}

#[tokio::test]
async fn public_ids_name_nobody_in_events() {
    let server = server().await;
    let team = |player: &str| json!({"name": "A", "players": [{"player": player}]});
    let teams = [team("MW-26-000001"), team("steam:2")];
    for (told, code) in [
        (event("match/n", 1, "match.scheduled", &json!({"game": "cs2", "teams": teams})), "schema"),
        (event("player/p1", 3, "player.friended", &json!({"player": "MW-26-000002"})), "schema"),
        (event("player/MW-26-000001", 1, "privacy.set", &json!({"activity": "owner"})), "subject"),
    ] {
        let reply = server.post(&[told]).await.json();
        let result = &reply["results"][0];
        assert_eq!(
            (&result["status"], &result["error"]["code"]),
            (&json!("rejected"), &json!(code)),
            "{reply}"
        );
        assert!(result["error"]["detail"].as_str().unwrap().contains("is a public id"), "{reply}");
    }
    server.end().await;
}
