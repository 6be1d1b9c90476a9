//! The matches of a tournament.

use std::{sync::Arc, time::Duration};

use matchwire_gateway::{Access, Audience};
use matchwire_log::{Delays, ManualClock};
use serde_json::{Value, json};

use crate::{
    harness::{Server, event},
    setup::Setup,
};

/// Schedules a match, the `n`th time, for a tournament.
fn scheduled(id: &str, n: u32, tournament: &str) -> Value {
    let data = json!({"best_of": 3, "tournament": tournament});
    event(&format!("match/{id}"), n, "match.scheduled", &data)
}

/// The names of the matches in a list.
fn names(list: &Value) -> Vec<&str> {
    let matches = list["matches"].as_array().unwrap();
    matches.iter().map(|listed| listed["match"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_tournament_lists_its_matches_as_they_are_listed_elsewhere() {
    let server = Server::start().await;
    let path = "/api/v1/tournaments/cup/matches";
    assert_eq!(server.get(path).await.json(), json!({"matches": []}));
    let bare = event("match/bare", 1, "match.scheduled", &json!({"best_of": 1}));
    let all = [scheduled("b", 1, "cup"), scheduled("a", 1, "cup"), scheduled("c", 1, "cup2"), bare];
    assert_eq!(server.post(&all).await.status, 200);
    // What was acknowledged is in the next list.
    let list = server.get(path).await.json();
    assert_eq!(names(&list), ["a", "b"]);
    let forfeit = event("match/a", 2, "match.forfeited", &json!({"team": 1}));
    server.post(&[forfeit, event("match/a/1", 1, "match.started", &json!({}))]).await;
    let list = server.get(path).await.json();
    let elsewhere = server.get("/api/v1/matches").await.json();
    assert_eq!(list["matches"][0], elsewhere["matches"][0]);
    assert_eq!(list["matches"][0]["standing"]["status"], "ended");
    assert_eq!(list["matches"][0]["series"]["tournament"], "cup");
    server.metric_reaches("matchwire_view_position{view=\"tournaments\"}", 2.0).await;
    server.metric_reaches("matchwire_view_serving{view=\"tournaments\"}", 1.0).await;
    server.end().await;
}

#[tokio::test]
async fn a_match_that_is_moved_is_in_the_list_of_its_tournament_alone() {
    let server = Server::start().await;
    server.post(&[scheduled("a", 1, "cup"), scheduled("b", 1, "cup")]).await;
    server.post(&[scheduled("a", 2, "league")]).await;
    let path = |tournament: &str| format!("/api/v1/tournaments/{tournament}/matches");
    assert_eq!(names(&server.get(&path("cup")).await.json()), ["b"]);
    assert_eq!(names(&server.get(&path("league")).await.json()), ["a"]);
    // A correction of the schedule moves it, too.
    let data = json!({"best_of": 3, "tournament": "league"});
    let amended = json!({"seq": 1, "type": "match.scheduled", "data": data});
    let amended = event("match/b", 2, "event.amended", &amended);
    assert_eq!(server.post(&[amended]).await.status, 200);
    assert_eq!(names(&server.get(&path("cup")).await.json()), Vec::<&str>::new());
    assert_eq!(names(&server.get(&path("league")).await.json()), ["a", "b"]);
    server.end().await;
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let server = Server::start().await;
    let ids: Vec<String> = (0..620).map(|n| format!("m{n:03}")).collect();
    // Every third is moved away, so that pages are looked for among more than they have.
    for part in ids.chunks(200) {
        let all: Vec<Value> = part.iter().map(|id| scheduled(id, 1, "cup")).collect();
        assert_eq!(server.post(&all).await.status, 200);
    }
    let moved: Vec<Value> = ids.iter().step_by(3).map(|id| scheduled(id, 2, "league")).collect();
    assert_eq!(server.post(&moved).await.status, 200);
    let (mut listed, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/tournaments/cup/matches?limit=100{after}");
        let page = server.get(&path).await.json();
        listed.extend(names(&page).into_iter().map(ToOwned::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    let stays = |(n, id): (usize, &String)| (n % 3 != 0).then(|| id.clone());
    assert_eq!(listed, ids.iter().enumerate().filter_map(stays).collect::<Vec<_>>());
    for bad in ["?limit=0", "?limit=1001", "?after=a/b", "?other=1"] {
        let reply = server.get(&format!("/api/v1/tournaments/cup/matches{bad}")).await;
        assert_eq!(reply.status, 422, "{bad}");
    }
    assert_eq!(server.get("/api/v1/tournaments/a%20b/matches").await.status, 422);
    server.end().await;
}

#[tokio::test]
async fn a_delayed_audience_learns_of_a_match_and_of_more_matches_when_they_are_due() {
    let rule = ("match/**".parse().unwrap(), Duration::from_secs(90));
    let networks = vec!["203.0.113.0/24".parse().unwrap()];
    let fans = Audience {
        name: "fans".into(),
        networks: networks.clone(),
        delays: Delays::new(vec![rule]),
    };
    let access = Access {
        read: networks,
        audiences: vec![fans],
        proxies: vec!["127.0.0.1/32".parse().unwrap()],
        ..Access::loopback("127.0.0.1:0".parse().unwrap())
    };
    let clock = Arc::new(ManualClock::new(1_000_000));
    let server = Server::of(Setup { access, clock: clock.clone(), ..Setup::default() }).await;
    let path = "/api/v1/tournaments/cup/matches?limit=1";
    server.post(&[scheduled("a", 1, "cup")]).await;
    clock.set(1_050_000);
    server.post(&[scheduled("b", 1, "cup"), scheduled("a", 2, "league")]).await;
    let as_fan = async || server.get_for("203.0.113.5", path).await.json();
    assert_eq!(as_fan().await, json!({"matches": []}));
    clock.set(1_090_000);
    let list = as_fan().await;
    // That there is another one is not told either.
    assert_eq!((names(&list), list.get("next")), (vec!["a"], None));
    clock.set(1_140_000);
    assert_eq!(as_fan().await, server.get(path).await.json());
    assert_eq!(names(&as_fan().await), ["b"]);
    server.end().await;
}
