//! What of a player is told, and to whom.

use std::sync::Arc;

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
    assert!(text.contains("[private tournament]") && text.contains("[player]"));
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
    set(&server, "p1", 2, "player.friended", json!({"player": "p2"})).await;
    assert_eq!(ask(&server, Some("steam:2"), statistics).await.status, 403);
    set(&server, "p2", 1, "player.friended", json!({"player": "p1"})).await;
    assert_eq!(won(&ask(&server, Some("steam:2"), statistics).await), 1);
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
    assert_eq!(ask(&server, None, &format!("{board}?around=p1")).await.status, 403);
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
        "matchwire_players_reconcile_failures_total 1",
        "matchwire_players_reconcile_failed 1",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line} in {text}");
    }
}

#[tokio::test]
async fn rules_and_dashboard_ask_for_metrics_of_players_that_there_are() {
    let server = server().await;
    let text = String::from_utf8(server.get("/metrics").await.bytes.to_vec()).unwrap();
    let files = [
        include_str!("../../../../ops/alerts.yaml"),
        include_str!("../../../../ops/grafana-players.json"),
    ];
    for file in files {
        let words = file.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let of_players = |word: &&str| {
            word.starts_with("matchwire_players_") || word.starts_with("matchwire_view_")
        };
        let names: Vec<&str> = words.filter(of_players).collect();
        assert!(!names.is_empty());
        for name in names {
            let name = name.strip_suffix("_bucket").unwrap_or(name);
            assert!(text.contains(&format!("# TYPE {name} ")), "{name} in {text}");
        }
    }
}
