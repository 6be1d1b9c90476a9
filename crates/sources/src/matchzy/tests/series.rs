//! The match as a whole, by what the plug-ins tell.

use matchwire_domain::{live_match::Status, series::VetoAction};

use super::*;

/// A best of three: vetoes, sides, and the first map's end; with MatchZy's ids or with Get5's.
fn a_series(id: &Value) -> Vec<Value> {
    let step = |kind: &str, team: Value, name: &str, more: Value| {
        let mut step = json!({"event": kind, "matchid": id, "team": team, "map_name": name});
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        step
    };
    vec![
        json!({"event": "series_start", "matchid": id, "num_maps": 3,
               "team1": {"id": "17", "name": "One", "players": [{"steamid": "76561197960265729", "name": "alpha"}]},
               "team2": {"id": null, "name": "Two", "players": {"76561197960265730": "bravo"}}}),
        step("map_vetoed", json!("team1"), "de_a", json!({})),
        step("map_picked", json!("team2"), "de_b", json!({"map_number": 0})),
        step("side_picked", json!("team1"), "de_b", json!({"side": "t", "map_number": 0})),
        step("map_picked", Value::Null, "de_c", json!({"map_number": 1})),
    ]
}

fn series_end() -> Value {
    json!({"event": "series_end", "matchid": 7, "team1_series_score": 2, "team2_series_score": 1,
           "winner": {"side": "ct", "team": "team1"}, "time_until_restore": 45})
}

#[test]
fn a_series_from_its_veto_to_its_end() {
    for id in [json!(7), json!("7")] {
        let mut feed = Feed::default();
        for post in a_series(&id) {
            assert_eq!(feed.post(&post).unknown, 0, "{post}");
        }
        let state = feed.series();
        let teams = state.teams.as_ref().unwrap();
        assert_eq!((state.best_of, &*state.course.game), (Some(3), "cs2"));
        assert_eq!((teams[0].name.as_str(), teams[0].id.as_deref()), ("One", Some("17")));
        assert_eq!(teams[1].players["p30"].name.as_deref(), Some("bravo"));
        let steps: Vec<_> = state
            .veto
            .values()
            .map(|step| (step.action, step.team, step.map_name.as_str(), step.side.as_deref()))
            .collect();
        assert_eq!(
            steps,
            [
                (VetoAction::Ban, Some(0), "de_a", None),
                (VetoAction::Pick, Some(1), "de_b", None),
                (VetoAction::Side, Some(0), "de_b", Some("T")),
                (VetoAction::Decider, None, "de_c", None),
            ]
        );
        assert_eq!(state.course.status, Status::Scheduled);
        feed.post(&going_live());
        assert_eq!(feed.series().course.status, Status::Live);
        let posts: Vec<Value> = a_map();
        for post in &posts[1..] {
            feed.post(post);
        }
        let state = feed.series();
        assert_eq!((state.maps[&1].winner, state.maps[&1].score), (0, Some([13, 5])));
        assert_eq!(state.maps[&1].map_name.as_deref(), Some("de_b"));
        feed.post(&series_end());
        let told = feed.drafts.len();
        let state = feed.series();
        assert_eq!(
            (state.course.status, state.score, state.course.winner),
            (Status::Ended, Some([2, 1]), Some(0))
        );
        assert_eq!(state.course.anomalies, []);
        // Said again, in any order, it tells nothing.
        for post in a_series(&id).iter().chain(&posts).chain([&series_end()]).rev() {
            feed.post(post);
        }
        assert_eq!(feed.drafts.len(), told);
    }
}

#[test]
fn a_draw_and_a_series_that_is_called_off_have_no_winner() {
    for winner in
        [json!(null), json!({"side": null, "team": null}), json!({"side": "0", "team": "none"})]
    {
        let mut feed = Feed::default();
        let mut end = series_end();
        (end["winner"], end["team1_series_score"]) = (winner, 1.into());
        feed.post(&end);
        let state = feed.series();
        assert_eq!((state.course.status, state.course.winner), (Status::Ended, None));
    }
    // A draw on a map is nobody's map.
    let mut feed = Feed::default();
    let mut result = round_end(12, 12, true, 3);
    result["event"] = "map_result".into();
    feed.post(&result);
    assert!(feed.series().maps.is_empty());
    assert_eq!((feed.state(1).course.status, feed.state(1).course.winner), (Status::Ended, None));
}

#[test]
fn what_an_organiser_said_stands() {
    let mut feed = Feed::default();
    let subject = Subject::parse("match/m").unwrap();
    let set = json!({"best_of": 5, "teams": [
        {"name": "Two", "players": [{"player": "p8"}]}, {"name": "The One", "id": "17"}]});
    feed.drafts.push(Draft {
        map: None,
        source: "organiser".into(),
        id: "1".into(),
        sequence: None,
        time: None,
        tag: "match.scheduled",
        data: set.to_string(),
    });
    for post in a_series(&json!(7)).iter().chain(&a_map()) {
        feed.post(post);
    }
    let state = feed.series();
    let teams = state.teams.as_ref().unwrap();
    assert_eq!((state.best_of, teams[1].name.as_str()), (Some(5), "The One"));
    assert_eq!((teams[0].players.len(), teams[1].players.len()), (1, 1));
    assert!(teams[0].players.contains_key("p8") && teams[1].players.contains_key("p29"));
    // The plug-in's first team is the second one here.
    assert_eq!((state.veto[&1].team, state.veto[&2].team), (Some(1), Some(0)));
    assert_eq!((state.maps[&1].winner, state.maps[&1].score), (1, Some([5, 13])));
    assert_eq!(state.course.anomalies.len(), 1, "the length: {:?}", state.course.anomalies);
    drop(subject);
}

#[test]
fn teams_and_scores_as_older_versions_of_get5_have_them() {
    let old = |number: u16, first: u16, second: u16, won: u16| {
        let side = if won == 1 { "ct" } else { "t" };
        json!({"event": "round_end", "matchid": "7", "map_number": 0, "round_number": number,
               "reason": 7, "winner": {"side": side, "team": format!("team{won}")},
               "team1_score": first, "team2_score": second})
    };
    let mut feed = Feed::default();
    feed.post(
        &json!({"event": "series_start", "matchid": "7", "team1_name": "One", "team2_name": "Two"}),
    );
    feed.post(&json!({"event": "going_live", "matchid": "7", "map_number": 0}));
    for post in [old(0, 1, 0, 1), old(1, 1, 1, 2), old(2, 1, 2, 2)] {
        assert_eq!(feed.post(&post).unknown, 0);
    }
    let mut result = old(2, 1, 2, 2);
    result["event"] = "map_result".into();
    feed.post(&result);
    let state = feed.state(1);
    assert_eq!((state.score(), state.course.status), (Score { ct: 1, t: 2 }, Status::Ended));
    assert_eq!(feed.series().teams.unwrap()[1].name, "Two");
    assert_eq!((feed.series().maps[&1].winner, state.course.anomalies.len()), (1, 0));
}

/// MatchZy's posts as they are and not as its schema has them: no side of a team, sides by the game's
/// numbers, the leader of the map as the winner of the round, and rounds numbered by their score.
#[test]
fn sides_that_only_the_scores_tell() {
    let as_it_is = |first: u16, second: u16, first_won: bool| {
        let mut post = round_end(first, second, first_won, first);
        let side = post["winner"]["side"].as_str().unwrap();
        let number = if side == "ct" { "3" } else { "2" };
        post["winner"] =
            json!({"side": number, "team": if first > second { "team1" } else { "team2" }});
        post["round_number"] = (first + second).into();
        for team in ["team1", "team2"] {
            let team = post[team].as_object_mut().unwrap();
            team.remove("side");
            team.remove("starting_side");
        }
        post
    };
    let mut feed = Feed::default();
    feed.post(&going_live());
    let course = [(0, 1, false), (1, 1, true)].into_iter().chain((2..=7).map(|won| (won, 1, true)));
    let course =
        course.chain((2..=5).map(|won| (7, won, false))).chain((8..=13).map(|won| (won, 5, true)));
    for (first, second, first_won) in course {
        let post = as_it_is(first, second, first_won);
        assert_eq!(feed.post(&post).unknown, 0, "{post}");
    }
    let mut result = as_it_is(13, 5, true);
    result["event"] = "map_result".into();
    result["team1"]["players"] = json!([]);
    feed.post(&result);
    let state = feed.state(1);
    assert_eq!(state.score(), Score { ct: 5, t: 13 });
    assert_eq!((state.rounds[&1].winner, state.rounds[&2].winner), (1, 0));
    assert_eq!((state.course.winner, state.teams[0].name.as_deref()), (Some(0), Some("One")));
    assert_eq!(state.players["p29"].team, Some(0));
    assert_eq!(state.course.anomalies, []);
}

/// Every event of both plug-ins' schemas is understood, or left out for a reason.
#[test]
fn events_that_are_left_out() {
    let player =
        json!({"steamid": "76561197960265729", "name": "alpha", "side": "ct", "is_bot": false});
    for (kind, reason) in LEFT_OUT {
        let post = json!({"event": kind, "matchid": "7", "map_number": 0, "round_number": 3, "player": player,
            "team": "team1", "new_state": "live", "filename": "x", "success": true, "message": "gg"});
        let answer = Feed::default().post(&post);
        assert_eq!((answer.unknown, answer.drafts.len()), (1, 0), "{kind}: {reason}");
    }
    for kind in UNDERSTOOD {
        let mut post = round_end(1, 0, true, 1);
        post.as_object_mut().unwrap().extend(
            json!({
                "event": kind, "team": "team1", "map_name": "de_x", "side": "ct", "num_maps": 3,
                "player": player, "team1_series_score": 1, "team2_series_score": 0,
            })
            .as_object()
            .unwrap()
            .clone(),
        );
        let mut feed = Feed::default();
        feed.post(
            &json!({"event": "map_picked", "matchid": 7, "map_name": "de_x", "map_number": 0}),
        );
        let answer = feed.post(&post);
        assert!(answer.unknown == 0 && !answer.drafts.is_empty(), "{kind}");
    }
    for kind in ["game_state_changed", "preload_match_config"] {
        assert!(!UNDERSTOOD.contains(&kind));
    }
}

/// What becomes facts.
pub(super) const UNDERSTOOD: [&str; 20] = [
    "series_start",
    "series_end",
    "map_picked",
    "map_vetoed",
    "side_picked",
    "knife_won",
    "going_live",
    "backup_loaded",
    "round_start",
    "round_end",
    "map_result",
    "player_death",
    "player_connect",
    "player_disconnect",
    "bomb_planted",
    "bomb_defused",
    "bomb_exploded",
    "game_paused",
    "game_unpaused",
    "pause_began",
];

/// What does not, and why.
const LEFT_OUT: [(&str, &str); 16] = [
    ("demo_upload_ended", "a file of the server's, and nothing of the match"),
    ("demo_finished", "a file of the server's, and nothing of the match"),
    ("preload_match_config", "what the server is about to do"),
    ("match_config_load_fail", "the server's trouble, before there is a match"),
    ("game_state_changed", "each state is told by an event that has more to say"),
    ("team_ready_status_changed", "warm-up, of which nothing counts"),
    ("knife_start", "the knife round counts for nothing; who won it chooses a side, `knife_won`"),
    ("stats_updated", "says only that there is something to ask for"),
    ("round_mvp", "the sums at the round's end have it"),
    ("player_say", "what people write belongs into rooms"),
    ("grenade_thrown", "no event of ours has it"),
    ("hegrenade_detonated", "tells damage without the health that is left; the sums have it"),
    ("molotov_detonated", "tells damage without the health that is left; the sums have it"),
    ("flashbang_detonated", "no event of ours has it"),
    ("smokegrenade_detonated", "no event of ours has it"),
    ("decoygrenade_started", "no event of ours has it"),
];
