//! What of a player is told, and to whom.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    harness::{Reply, Server, event},
    people::{Signer, claims, hs256, server_with_secret, with},
};

/// Asks as the person of an account, or as a stranger.
async fn ask(server: &Server, account: Option<&str>, path: &str) -> Reply {
    let token = account.map(|account| {
        let claims = with(&claims(), "sub", json!(account));
        format!("Bearer {}", Signer::secret().sign(&hs256(), &claims))
    });
    let headers: Vec<(&str, &str)> =
        token.iter().map(|token| ("authorization", token.as_str())).collect();
    server.send("GET", &format!("/api/v1{path}"), &headers, hyper::body::Bytes::new()).await
}

/// A match that the first of two players has won, by their accounts.
fn played(id: &str, winner: &str, loser: &str, tournament: Option<&str>) -> [Value; 2] {
    let subject = format!("match/{id}");
    let team = |account: &str| json!({"name": account.replace(':', " "), "players": [{"player": account}]});
    let mut data = json!({"game": "cs2", "teams": [team(winner), team(loser)]});
    if let Some(tournament) = tournament {
        data["tournament"] = tournament.into();
    }
    [
        event(&subject, 1, "match.scheduled", &data),
        event(&subject, 2, "series.ended", &json!({"winner": 0})),
    ]
}

/// A server on which `steam:1`, who is `p1`, has won two matches against `p2`, one of them in a private
/// tournament.
async fn server() -> Server {
    let server = server_with_secret().await;
    let private = event("tournament/secret", 1, "tournament.announced", &json!({"private": true}));
    assert_eq!(server.post(&[private]).await.status, 200);
    for batch in [
        played("m1", "steam:1", "steam:2", None),
        played("m2", "steam:1", "steam:2", Some("secret")),
    ] {
        assert_eq!(server.post(&batch).await.status, 200);
    }
    server
}

async fn set(server: &Server, player: &str, n: u32, tag: &str, data: Value) {
    let event = event(&format!("player/{player}"), n, tag, &data);
    let reply = server.post(&[event]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

fn won(reply: &Reply) -> i64 {
    reply.json()["won"].as_i64().unwrap()
}

#[tokio::test]
async fn nobody_but_the_player_sees_anything_unless_the_player_says_so() {
    let server = server().await;
    let (feed, statistics) = ("/players/p1/activity", "/players/p1/statistics?game=cs2");
    for (account, path) in
        [(None, feed), (None, statistics), (Some("steam:2"), feed), (Some("steam:9"), feed)]
    {
        let reply = ask(&server, account, path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem().as_str()),
            (403, "forbidden"),
            "{account:?}"
        );
        // Whether there is such a player is not told either.
        let nobody = ask(&server, account, &path.replace("p1", "p77")).await;
        let detail = |reply: &Reply| reply.json()["detail"].as_str().unwrap().replace("p77", "p1");
        assert_eq!((nobody.status, detail(&nobody)), (reply.status, detail(&reply)));
    }
    let own = ask(&server, Some("steam:1"), feed).await.json();
    let told: Vec<&str> = own["activities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|activity| activity["event_type"].as_str().unwrap())
        .collect();
    assert_eq!(told.iter().filter(|kind| **kind == "match_won").count(), 2);
    assert_eq!(
        own["activities"][0]["against"].as_array().into_iter().flatten().count() as u64
            + own["activities"][1]["against"].as_array().into_iter().flatten().count() as u64,
        1
    );
    assert_eq!(won(&ask(&server, Some("steam:1"), statistics).await), 2);
    server.end().await;
}

#[tokio::test]
async fn others_see_no_opponent_and_nothing_of_a_private_tournament() {
    let server = server().await;
    set(&server, "p1", 1, "privacy.set", json!({"activity": "public", "statistics": "friends"}))
        .await;
    let shown = ask(&server, None, "/players/p1/activity").await;
    let text = String::from_utf8(shown.bytes.to_vec()).unwrap();
    assert!(!text.contains("p2") && !text.contains("secret") && !text.contains("m2"), "{text}");
    assert!(text.contains("[private tournament]") && text.contains("MW-26-000002"));
    // Over pages of one, cursors tell no more.
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let page = ask(&server, None, &format!("/players/p1/activity?limit=1{after}")).await.json();
        count += page["activities"].as_array().unwrap().len();
        let Some(next) = page["next"].as_str() else { break };
        let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert!(!next.contains(&hex("m2")) && !next.contains(&hex("secret")), "{next}");
        after = format!("&after={next}");
    }
    assert_eq!(count, shown.json()["activities"].as_array().unwrap().len());
    // Friends are those who have named each other; to them private tournaments do not count.
    let statistics = "/players/p1/statistics?game=cs2";
    let last = |reply: &Reply| reply.json()["streaks"].get("last").cloned();
    assert!(last(&ask(&server, Some("steam:1"), statistics).await).is_some());
    set(&server, "p1", 2, "player.friended", json!({"player": "p2"})).await;
    assert_eq!(ask(&server, Some("steam:2"), statistics).await.status, 403);
    set(&server, "p2", 1, "player.friended", json!({"player": "p1"})).await;
    assert_eq!(won(&ask(&server, Some("steam:2"), statistics).await), 1);
    assert!(last(&ask(&server, Some("steam:2"), statistics).await).is_some());
    // Who is not to see matches one by one is not told the last one either.
    set(&server, "p1", 4, "privacy.set", json!({"activity": "owner", "statistics": "friends"}))
        .await;
    assert_eq!(last(&ask(&server, Some("steam:2"), statistics).await), None);
    set(&server, "p1", 3, "player.unfriended", json!({"player": "p2"})).await;
    assert_eq!(ask(&server, Some("steam:2"), statistics).await.status, 403);
    server.end().await;
}

#[tokio::test]
async fn leaderboards_have_places_of_those_who_are_not_shown() {
    let server = server().await;
    for (id, winner, loser) in
        [("m3", "steam:2", "steam:1"), ("m4", "steam:3", "steam:2"), ("m5", "steam:3", "steam:1")]
    {
        server.post(&played(id, winner, loser, None)).await;
    }
    let board = "/leaderboards/cs2";
    let all = ask(&server, None, board).await.json();
    assert_eq!(
        all["players"],
        json!([{"place": 1, "won": 2}, {"place": 2, "won": 1}, {"place": 2, "won": 1}])
    );
    let own = ask(&server, Some("steam:1"), board).await.json();
    assert_eq!(own["players"][1], json!({"place": 2, "won": 1, "player": "p1"}));
    let page = ask(&server, None, &format!("{board}?limit=2")).await.json();
    assert_eq!(page["next"], 2);
    let rest = ask(&server, None, &format!("{board}?limit=2&after=2")).await.json();
    assert_eq!(rest["players"], json!([{"place": 2, "won": 1}]));
    let around = ask(&server, Some("steam:1"), &format!("{board}?around=p1&limit=2")).await.json();
    assert_eq!(around["players"][1]["player"], "p1");
    let public = format!("{board}?around=MW-26-000001&limit=2");
    let public = ask(&server, Some("steam:1"), &public).await.json();
    assert_eq!(public["players"][1]["player"], "MW-26-000001", "as it was asked");
    assert_eq!(ask(&server, None, &format!("{board}?around=p1")).await.status, 403);
    server.end().await;
}

#[tokio::test]
async fn head_to_head_is_for_whom_both_let_see_their_statistics() {
    let server = server().await;
    for (id, winner, loser) in [("m3", "steam:2", "steam:1"), ("m4", "steam:1", "steam:3")] {
        server.post(&played(id, winner, loser, None)).await;
    }
    let (one, all) = ("/players/p1/versus/p2?game=cs2", "/players/p1/versus?game=cs2");
    let own = ask(&server, Some("steam:1"), one).await.json();
    let expected = json!({"player": "p1", "against": "p2", "game": "cs2", "met": 3, "won": 2, "lost": 1, "drawn": 0, "win_rate": 2.0 / 3.0});
    assert_eq!(own, expected);
    let told = |reply: Reply| -> Vec<(String, i64)> {
        let opponents = reply.json()["opponents"].as_array().unwrap().clone();
        let told =
            |it: &Value| (it["against"].as_str().unwrap().into(), it["met"].as_i64().unwrap());
        opponents.iter().map(told).collect()
    };
    let everyone = [("p2".to_owned(), 3), ("p3".to_owned(), 1)];
    assert_eq!(told(ask(&server, Some("steam:1"), all).await), everyone);
    assert_eq!(told(ask(&server, Some("steam:1"), &format!("{all}&limit=1")).await), everyone[..1]);
    // Whom the player has never met, or who is not there.
    let never = ask(&server, Some("steam:1"), "/players/p1/versus/p77?game=cs2").await.json();
    assert_eq!((&never["met"], &never["win_rate"]), (&json!(0), &Value::Null));

    let seen = || async {
        [
            ask(&server, None, one).await.status.as_u16(),
            ask(&server, None, all).await.status.as_u16(),
        ]
    };
    assert_eq!(seen().await, [403, 403]);
    set(&server, "p1", 1, "privacy.set", json!({"statistics": "public"})).await;
    assert_eq!(seen().await, [403, 200]);
    assert_eq!(told(ask(&server, None, all).await), []);
    set(&server, "p2", 1, "privacy.set", json!({"statistics": "public"})).await;
    // What was private does not count for others.
    assert_eq!(told(ask(&server, None, all).await), [("MW-26-000002".to_owned(), 2)]);
    let shown = ask(&server, Some("steam:3"), one).await.json();
    assert_eq!((&shown["met"], &shown["won"]), (&json!(2), &json!(1)));
    server.end().await;
}

#[tokio::test]
async fn ratings_have_nothing_of_a_private_tournament_and_no_match_for_whom_matches_are_hidden() {
    let server = server().await;
    server.post(&played("m3", "steam:2", "steam:1", None)).await;
    let path = "/players/p1/ratings?game=cs2";
    assert_eq!(ask(&server, None, path).await.status, 403);
    let own = ask(&server, Some("steam:1"), &format!("{path}&system=glicko-2")).await.json();
    // Each has won once; the match of the private tournament is none.
    let history = own["history"].as_array().unwrap();
    let matches: Vec<&Value> = history.iter().map(|point| &point["match"]).collect();
    assert_eq!(matches, [&json!("m3"), &json!("m1")]);
    let first = history[1]["rating"].as_f64().unwrap();
    assert!((first - 1662.0).abs() < 1.0, "{first}");
    assert_eq!(own["ratings"]["glicko-2"]["rating"], history[0]["rating"]);
    assert_eq!(own["ratings"].as_object().unwrap().len(), 1);
    assert!(own.get("folding").is_none() && own.get("next").is_none());
    let page =
        ask(&server, Some("steam:1"), &format!("{path}&system=glicko2&limit=1")).await.json();
    assert_eq!(page["history"].as_array().unwrap().len(), 1);
    let next = page["next"].as_str().unwrap();
    let rest = ask(&server, Some("steam:1"), &format!("{path}&system=glicko-2&after={next}")).await;
    assert_eq!(rest.json()["history"], json!([history[1]]));

    set(&server, "p1", 1, "privacy.set", json!({"statistics": "public"})).await;
    let shown = ask(&server, None, &format!("{path}&system=openskill")).await.json();
    // Both matches ended on one day.
    assert_eq!(shown["history"].as_array().unwrap().len(), 1);
    let text = shown.to_string();
    assert!(!text.contains("m1") && !text.contains("m3") && !text.contains("since"), "{text}");
    assert!(shown["history"][0]["time"].as_str().unwrap().ends_with("T00:00:00.000Z"));
    let both = ask(&server, None, path).await.json();
    assert_eq!(both["ratings"].as_object().unwrap().len(), 2);
    assert!(both.get("history").is_none());
    let none = ask(&server, None, "/players/p1/ratings?game=football").await.json();
    assert_eq!(none["ratings"], json!({}));
    server.end().await;
}

#[tokio::test]
async fn leaderboards_by_rating_are_in_the_order_of_what_it_is_at_least() {
    let server = server().await;
    for (id, winner, loser) in [("m3", "steam:1", "steam:3"), ("m4", "steam:3", "steam:2")] {
        server.post(&played(id, winner, loser, None)).await;
    }
    for by in ["glicko-2", "openskill"] {
        let path = format!("/leaderboards/cs2?by={by}");
        let board = ask(&server, Some("steam:1"), &path).await.json();
        let players = board["players"].as_array().unwrap();
        let floors: Vec<f64> = players.iter().map(|it| it["floor"].as_f64().unwrap()).collect();
        assert!(floors.len() == 3 && floors.is_sorted_by(|one, next| one > next), "{board}");
        let places: Vec<&Value> = players.iter().map(|it| &it["place"]).collect();
        assert_eq!(places, [&json!(1), &json!(2), &json!(3)]);
        // The viewer alone is shown, and has not lost.
        assert_eq!(players[0]["player"], "p1");
        assert!(players[1].get("player").is_none() && players[0].get("won").is_none());
        let around =
            ask(&server, Some("steam:1"), &format!("{path}&around=p1&limit=2")).await.json();
        assert_eq!(around["players"], json!(players[..2]));
        let rest = ask(&server, Some("steam:1"), &format!("{path}&after=2")).await.json();
        assert_eq!(rest["players"], json!(players[2..]));
    }
    server.end().await;
}

#[tokio::test]
async fn a_leaderboard_of_friends_has_whom_the_viewer_may_see() {
    let server = server().await;
    // The second wins twice, the third and the fourth once; the fifth is no friend.
    for (id, winner, loser) in [
        ("m3", "steam:2", "steam:5"),
        ("m4", "steam:2", "steam:5"),
        ("m5", "steam:3", "steam:5"),
        ("m6", "steam:4", "steam:5"),
        ("m7", "steam:5", "steam:4"),
    ] {
        server.post(&played(id, winner, loser, None)).await;
    }
    let id = |account: &'static str| {
        let server = &server;
        async move {
            ask(server, Some(account), "/me").await.json()["player"].as_str().unwrap().to_owned()
        }
    };
    let [third, fourth, fifth] = [id("steam:3").await, id("steam:4").await, id("steam:5").await];
    let mut n = 0;
    for friend in ["p2", &third, &fourth, &fifth] {
        n += 1;
        set(&server, "p1", n, "player.friended", json!({"player": friend})).await;
        if friend != fifth {
            set(&server, friend, 1, "player.friended", json!({"player": "p1"})).await;
        }
    }
    set(&server, "p2", 2, "privacy.set", json!({"statistics": "friends"})).await;
    set(&server, &third, 2, "privacy.set", json!({"statistics": "public"})).await;
    set(&server, &fifth, 2, "privacy.set", json!({"statistics": "public"})).await;
    let path = "/leaderboards/cs2?among=friends";
    let stranger = ask(&server, None, path).await;
    assert_eq!(stranger.status, 401);
    let board = ask(&server, Some("steam:1"), path).await.json();
    // The fourth is a friend, and shows nothing. One win of the viewer is of a private tournament.
    let expected = json!([
        {"place": 1, "won": 2, "player": "p2"},
        {"place": 2, "won": 1, "player": "p1"},
        {"place": 2, "won": 1, "player": third},
    ]);
    assert_eq!(board, json!({"players": expected}));
    let page = ask(&server, Some("steam:1"), &format!("{path}&limit=2")).await.json();
    assert_eq!((&page["next"], page["players"].as_array().unwrap().len()), (&json!(2), 2));
    let rest = ask(&server, Some("steam:1"), &format!("{path}&limit=2&after=2")).await.json();
    assert_eq!(rest["players"], json!([expected[2]]));
    let by_rating = ask(&server, Some("steam:1"), &format!("{path}&by=openskill")).await.json();
    assert_eq!(by_rating["players"].as_array().unwrap().len(), 3);
    assert!(by_rating["players"][0]["floor"].is_number());
    // Whom no event has named has neither friends nor a place.
    assert_eq!(ask(&server, Some("steam:99"), path).await.json(), json!({"players": []}));
    server.end().await;
}

#[tokio::test]
async fn what_is_asked_wrongly_is_told() {
    let server = server().await;
    for path in [
        "/players/p1/activity?limit=51",
        "/players/p1/activity?after=x",
        "/players/p1/activity?from=soon",
        "/players/p1/activity?kind=x",
        "/players/p1/statistics",
        "/players/p1/statistics?game=cs2&format=big",
        "/players/p1/statistics?game=cs2&season=a&tournament=b",
        "/players/p1/versus",
        "/players/p1/versus?game=cs2&limit=201",
        "/players/p1/versus/p2",
        "/players/p1/versus/a%20b?game=cs2",
        "/players/p1/ratings",
        "/players/p1/ratings?game=cs2&system=elo",
        "/players/p1/ratings?game=cs2&limit=3",
        "/players/p1/ratings?game=cs2&system=openskill&after=x",
        "/leaderboards/cs2?by=elo",
        "/leaderboards/cs2?by=openskill&season=a",
        "/leaderboards/cs2?among=us",
        "/leaderboards/cs2?among=friends&around=p1",
        "/leaderboards/cs2?limit=0",
        "/leaderboards/cs2?after=1&around=p1",
        "/leaderboards/cs2?after=99999",
    ] {
        let reply = ask(&server, Some("steam:1"), path).await;
        assert_eq!(reply.status, 422, "{path}");
    }
    assert_eq!(ask(&server, Some("steam:1"), "/players/a%20b/activity").await.status, 422);
    let filtered =
        ask(&server, Some("steam:1"), "/players/p1/activity?type=match_won&game=cs2").await.json();
    assert_eq!(filtered["activities"].as_array().unwrap().len(), 2);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_who_submit_the_same_result_make_one_win() {
    let server = Arc::new(server_with_secret().await);
    let [scheduled, _] = played("m1", "steam:1", "steam:2", None);
    assert_eq!(server.post(&[scheduled]).await.status, 200);
    let mut racing = JoinSet::new();
    for n in 0..200 {
        let server = server.clone();
        racing.spawn(async move {
            let result = event("match/m1", 10 + n, "series.ended", &json!({"winner": 0}));
            assert_eq!(server.post(&[result]).await.status, 200);
        });
    }
    while let Some(done) = racing.join_next().await {
        done.unwrap();
    }
    let own = Some("steam:1");
    assert_eq!(won(&ask(&server, own, "/players/p1/statistics?game=cs2").await), 1);
    let feed = ask(&server, own, "/players/p1/activity?type=match_won").await.json();
    assert_eq!(feed["activities"].as_array().unwrap().len(), 1, "{feed}");
}

#[tokio::test]
async fn what_is_made_of_results_is_measured_and_how_comparisons_came_out() {
    let server = server().await;
    let own = ask(&server, Some("steam:1"), "/players/p1/activity").await;
    assert_eq!(own.status, 200);
    let text = String::from_utf8(server.get("/metrics").await.bytes.to_vec()).unwrap();
    for line in [
        "matchwire_players_activities_total{type=\"match_won\"} 2",
        "matchwire_players_activities_total{type=\"match_played\"} 4",
        "matchwire_players_activities_total{type=\"other\"} 0",
        "matchwire_players_activity_seconds_count 8",
        "matchwire_players_feed_seconds_count 1",
        "matchwire_players_reconcile_last_success_timestamp_seconds 1700000000.5",
        "matchwire_players_reconcile_duration_seconds 2.5",
        "matchwire_players_reconcile_players 200",
        "matchwire_players_reconcile_drifted_players 3",
        "matchwire_players_reconcile_sources 50",
        "matchwire_players_reconcile_drifted_sources 2",
        "matchwire_players_reconcile_stray_rows 4",
        "matchwire_players_reconcile_daily 1",
        "matchwire_start_timestamp_seconds 1700000000.0",
        "matchwire_players_reconcile_failures_total 1",
        "matchwire_players_reconcile_failed 1",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line} in {text}");
    }
}

/// The files of a folder of this repository, with their texts.
fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| (path.display().to_string(), fs::read_to_string(&path).unwrap());
    entries.filter(|path| path.is_file()).map(read).collect()
}

/// Names of metrics in a text, as their types say them.
fn metrics(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let base = |name| {
        let mut suffixes = ["_bucket", "_sum", "_count"].into_iter();
        suffixes.find_map(|suffix| str::strip_suffix(name, suffix)).unwrap_or(name)
    };
    words.filter(|word| word.starts_with("matchwire_")).map(base).collect()
}

#[tokio::test]
async fn what_is_in_ops_asks_for_metrics_that_there_are() {
    let server = server().await;
    let text = String::from_utf8(server.get("/metrics").await.bytes.to_vec()).unwrap();
    // Those that have a label for what is not here, as an upstream, are documented.
    let documented: String = files("docs/operations").into_iter().map(|(_, text)| text).collect();
    let documented = metrics(&documented);
    let ops = files("ops");
    for (file, name) in
        ops.iter().flat_map(|(file, text)| metrics(text).into_iter().map(move |it| (file, it)))
    {
        let is_exposed = text.contains(&format!("# TYPE {name} "));
        assert!(is_exposed || documented.contains(name), "{name} of {file}");
    }
    let asked: BTreeSet<&str> = ops.iter().flat_map(|(_, text)| metrics(text)).collect();
    for name in ["matchwire_log_full", "matchwire_import_events_told"] {
        assert!(asked.contains(name), "{name} in {asked:?}");
    }
}

#[tokio::test]
async fn streaks_are_those_of_the_order_of_results_however_they_come() {
    let server = server_with_secret().await;
    // Won and lost in turn but for the last three, the newest result first.
    let told: Vec<Value> = (0..9)
        .rev()
        .flat_map(|n| {
            let has_first_won = n >= 6 || n % 2 == 0;
            let mut told = played(&format!("m{n}"), "steam:1", "steam:2", None);
            told[1]["data"]["winner"] = u8::from(!has_first_won).into();
            told.map(|mut event| {
                event["time"] = format!("2026-01-0{}T00:00:00Z", n + 1).into();
                event
            })
        })
        .collect();
    for batch in told.chunks(6) {
        assert_eq!(server.post(batch).await.status, 200);
    }
    let statistics = "/players/p1/statistics?game=cs2";
    let streaks = &ask(&server, Some("steam:1"), statistics).await.json()["streaks"];
    let counts = ["longest_won", "longest_lost", "unbeaten"].map(|name| streaks[name].clone());
    assert_eq!(json!(counts), json!([3, 1, 3]), "{streaks}");
    assert_eq!(streaks["last"]["match"], "m8");
    server.end().await;
}
