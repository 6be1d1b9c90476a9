//! Posts of clients of the game.

use matchwire_domain::live_match::{
    Status,
    cs::{Phase, Reason, Side, State},
};
use matchwire_sources::{Headers, gsi::Gsi};
use serde_json::Value;

use crate::{
    recording,
    server::{Server, Taken},
};

/// The bodies of the recorded posts, in order.
fn posts() -> Option<Vec<String>> {
    let recording = String::from_utf8(recording("cs-gsi/requests.ndjson")?).unwrap();
    let body = |line: &str| {
        let post: Value = serde_json::from_str(line).unwrap();
        post["body"].as_str().unwrap().to_owned()
    };
    Some(recording.lines().map(body).collect())
}

fn post(server: &mut Server<Gsi>, map: Option<u16>, body: &str) -> Taken {
    server.post(map, &Headers::new(), body.as_bytes())
}

/// Every change of the score that a recording shows, in the simplest way: the map's name, the side
/// that won, and the score after it.
fn rounds_told(posts: &[String]) -> Vec<(String, &'static str, u64, u64)> {
    let mut rounds = Vec::new();
    let mut last = (String::new(), 0, 0);
    for body in posts {
        let post: Value = serde_json::from_str(body).unwrap();
        let map = &post["map"];
        let (Some(name), Some(ct), Some(t)) = (
            map["name"].as_str(),
            map["team_ct"]["score"].as_u64(),
            map["team_t"]["score"].as_u64(),
        ) else {
            continue;
        };
        let swapped = last.1 != last.2 && (ct, t) == (last.2, last.1);
        let before = if last.0 == name { (last.1, last.2) } else { (0, 0) };
        if !swapped && ct + t > before.0 + before.1 {
            rounds.push((name.to_owned(), if ct > before.0 { "CT" } else { "T" }, ct, t));
        }
        last = (name.to_owned(), ct, t);
    }
    rounds
}

/// Every round that a stream tells of.
fn rounds(server: &Server<Gsi>) -> Vec<(String, String, u64, u64)> {
    let mut map = String::new();
    let mut rounds = Vec::new();
    for record in server.streams.values().flatten() {
        let event: Value = serde_json::from_slice(&record.stored).unwrap();
        let data = &event["data"];
        match event["type"].as_str().unwrap() {
            "map.loaded" => map = data["map_name"].as_str().unwrap().into(),
            "round.ended" => rounds.push((
                map.clone(),
                data["winner"].as_str().unwrap().into(),
                data["score"]["ct"].as_u64().unwrap(),
                data["score"]["t"].as_u64().unwrap(),
            )),
            _ => {}
        }
    }
    rounds
}

/// What the last post shows.
fn check(state: &State, posts: &[String]) {
    let shown = |body: &String| serde_json::from_str::<Value>(body).unwrap();
    let last = posts.iter().map(shown).rfind(|post| !post["player"].is_null()).unwrap();
    assert_eq!(state.map_name.as_deref(), last["map"]["name"].as_str());
    assert_eq!(state.course.status, Status::Live);
    assert_eq!((state.phase, state.round), (Phase::Round, 4));
    assert_eq!((state.score().ct, state.score().t), (0, 3));
    assert_eq!(last["map"]["team_t"]["score"], 3);
    let [player] = state.players.values().collect::<Vec<_>>()[..] else { panic!("one player") };
    let (board, own) = (&last["player"]["match_stats"], &last["player"]["state"]);
    assert_eq!(board["kills"], player.tally.kills);
    assert_eq!(board["deaths"], player.tally.deaths);
    assert_eq!(board["assists"], player.tally.assists);
    assert_eq!(board["mvps"], player.mvps.unwrap());
    assert_eq!(own["health"], player.health);
    assert_eq!(own["armor"], player.armor.unwrap());
    assert_eq!(own["helmet"], player.helmet.unwrap());
    assert_eq!(own["money"], player.money.unwrap());
    assert_eq!(own["equip_value"], player.equipment.unwrap());
    assert_eq!(player.side, Some(Side::Ct));
    assert_eq!(state.course.anomalies, []);
}

#[test]
fn posts_of_a_player_in_order() {
    let Some(posts) = posts() else { return };
    for map in [None, Some(1)] {
        let mut server = Server::new(Gsi::default());
        // Posts that do not say who sends them are no client's.
        let nameless = posts.iter().filter(|body| !body.contains("\"provider\"")).count();
        let unknown: usize = posts.iter().map(|body| post(&mut server, map, body).unknown).sum();
        assert_eq!((posts.len(), unknown), (140, nameless));
        let told = rounds_told(&posts).into_iter();
        let told: Vec<_> = told.map(|(map, side, ct, t)| (map, side.to_owned(), ct, t)).collect();
        assert_eq!(told.len(), 3 + 9 + 3);
        assert_eq!(rounds(&server), told);
        let state = server.state(1);
        check(&state, &posts);
        let reasons: Vec<_> = state.rounds.values().map(|round| round.reason).collect();
        // The end of the third was not posted, only the score after it.
        assert_eq!(reasons, [Reason::Elimination, Reason::Elimination, Reason::Other]);
    }
}

#[test]
fn each_stage_of_the_maps_that_were_left() {
    let Some(posts) = posts() else { return };
    let mut server = Server::new(Gsi::default());
    for (number, body) in posts.iter().enumerate() {
        post(&mut server, None, body);
        let state = || server.state(1);
        match number {
            2 => assert_eq!(state().phase, Phase::WarmUp),
            9 => assert_eq!(state().players["p1"].health, 58),
            28 => {
                let state = state();
                assert_eq!((state.score().ct, state.score().t), (2, 1));
                assert_eq!(state.players["p1"].tally.kills, 1);
                let reasons: Vec<_> = state.rounds.values().map(|round| round.reason).collect();
                assert_eq!(reasons[..2], [Reason::BombDefused, Reason::BombExploded]);
            }
            93 => assert_eq!(state().course.status, Status::Paused),
            104 => {
                let state = state();
                assert_eq!(state.map_name.as_deref(), Some("de_inferno"));
                assert_eq!((state.score().ct, state.score().t), (3, 6));
                let winners: Vec<_> = state.rounds.values().map(|round| round.winner).collect();
                // 3 and 5 in the first half, and the sixth of the same team after the swap.
                assert_eq!(winners.iter().filter(|team| **team == winners[1]).count(), 6);
                assert_eq!(state.players["p1"].tally.deaths, 2);
                assert_eq!(state.players["p1"].mvps, Some(3));
                assert_eq!(state.course.anomalies, []);
            }
            _ => {}
        }
    }
}

#[test]
fn posts_that_come_again_change_nothing() {
    let Some(posts) = posts() else { return };
    let mut straight = Server::new(Gsi::default());
    for body in &posts {
        post(&mut straight, None, body);
    }
    // Each twice, one after the other; and all of them again, from the first one on.
    let mut twice = Server::new(Gsi::default());
    for body in posts.iter().flat_map(|body| [body, body]).chain(&posts) {
        post(&mut twice, None, body);
    }
    assert_eq!(twice.streams, straight.streams);
    // Each once more after the next two.
    let mut late = Server::new(Gsi::default());
    for (number, body) in posts.iter().enumerate() {
        post(&mut late, None, body);
        if let Some(old) = number.checked_sub(2) {
            assert_eq!(post(&mut late, None, &posts[old]).appended, 0, "{number}");
        }
    }
    assert_eq!(late.streams, straight.streams);
}

#[test]
fn a_post_that_is_lost_costs_no_more_than_itself() {
    let Some(posts) = posts() else { return };
    for every in [2, 3, 5] {
        let mut server = Server::new(Gsi::default());
        let last = posts.len() - 1;
        for (number, body) in posts.iter().enumerate() {
            if number % every != 0 || number == last {
                post(&mut server, None, body);
            }
        }
        let state = server.state(1);
        assert_eq!((state.score().ct, state.score().t), (0, 3), "every {every}th is lost");
        assert_eq!(state.players.values().next().unwrap().tally.deaths, 2);
    }
}

#[test]
fn a_spectator_sees_everyone() {
    let Some(body) = recording("cs-gsi/spectator-allplayers.json") else { return };
    let body = String::from_utf8(body).unwrap();
    let mut server = Server::new(Gsi::default());
    assert_eq!(post(&mut server, None, &body).unknown, 0);
    let shown: Value = serde_json::from_str(&body).unwrap();
    let everyone = shown["allplayers"].as_object().unwrap();
    let state = server.state(1);
    assert_eq!((state.players.len(), state.course.status), (everyone.len(), Status::Live));
    for shown in everyone.values() {
        let is = |name: &&str| shown["name"] == **name;
        let mut people = state.players.values();
        let player = people.find(|player| player.name.as_deref().as_ref().is_some_and(is)).unwrap();
        assert_eq!(shown["state"]["health"], player.health);
        assert_eq!(shown["state"]["armor"], player.armor.unwrap());
        assert_eq!(shown["state"]["health"] != 0, player.alive);
        assert_eq!(shown["match_stats"]["kills"], player.tally.kills);
        assert_eq!(shown["match_stats"]["deaths"], player.tally.deaths);
    }
}
