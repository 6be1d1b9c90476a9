//! Deaths, pauses and back-ups, by what the plug-ins tell.

use matchwire_domain::live_match::PauseReason;

use super::*;

/// A person as Get5's events have one; alpha is of the first team, bravo of the second.
fn person(name: &str, side: &str) -> Value {
    let id = if name == "alpha" { 29 } else { 30 };
    json!({"steamid": format!("765611979602657{id}"), "name": name, "side": side, "user_id": 4, "is_bot": false})
}

/// In a round, from 0 on, so many milliseconds after its start: the one kills the other.
fn death(round: u16, time_ms: u32, killer: &Value, victim: &Value) -> Value {
    json!({"event": "player_death", "matchid": "7", "map_number": 0, "round_number": round,
           "round_time": time_ms, "player": victim, "attacker": killer, "assist": null,
           "weapon": {"name": "ak47", "id": 7}, "bomb": false, "headshot": true, "thru_smoke": true,
           "penetrated": 2, "attacker_blind": false, "no_scope": false, "suicide": false,
           "friendly_fire": false})
}

fn of_get5(mut post: Value) -> Value {
    post["matchid"] = "7".into();
    post
}

#[test]
fn a_death_is_a_kill_with_whoever_helped() {
    let mut feed = Feed::default();
    feed.post(&of_get5(going_live()));
    let (alpha, bravo) = (person("alpha", "ct"), person("bravo", "t"));
    let mut post = death(0, 5_000, &alpha, &bravo);
    post["assist"] = json!({"player": {"steamid": "76561197960265731", "name": "carl", "side": "ct"},
                            "friendly_fire": false, "flash_assist": true});
    let told: Vec<_> = feed
        .post(&post)
        .drafts
        .iter()
        .map(|draft| format!("{} {}", draft.tag, draft.data))
        .collect();
    assert_eq!(
        told,
        [
            "round.started {}",
            r#"player.joined {"player":"p30","name":"bravo","side":"T"}"#,
            r#"player.joined {"player":"p29","name":"alpha","side":"CT"}"#,
            r#"player.joined {"player":"p31","name":"carl","side":"CT"}"#,
            r#"player.killed {"killer":"p29","victim":"p30","weapon":"ak47","headshot":true,"penetrated":true,"through_smoke":true}"#,
            r#"player.assisted {"assister":"p31","victim":"p30","flash":true}"#,
        ]
    );
    let state = feed.state(1);
    let tally = state.players["p29"].tally;
    assert_eq!((tally.kills, tally.opening_kills, tally.headshots), (1, 1, 1));
    assert_eq!((state.players["p31"].tally.flash_assists, state.players["p30"].alive), (1, false));
    // The scoreboard at the round's end counts none of it twice.
    feed.post(&of_get5(round_end(1, 0, true, 1)));
    assert_eq!(feed.state(1).players["p29"].tally.kills, 1);
    assert_eq!(feed.post(&post).drafts, []);
}

#[test]
fn a_death_by_no_other_hand() {
    let alpha = person("alpha", "ct");
    for (bomb, suicide, attacker, cause) in [
        (true, false, json!(null), "bomb"),
        (true, false, person("bravo", "t"), "bomb"),
        (false, true, alpha.clone(), "suicide"),
        (false, false, alpha.clone(), "suicide"),
        (false, false, json!(null), "world"),
    ] {
        let mut post = death(0, 5_000, &attacker, &alpha);
        (post["bomb"], post["suicide"]) = (bomb.into(), suicide.into());
        let answer = Feed::default().post(&post);
        let last = answer.drafts.last().unwrap();
        assert_eq!(last.data, format!(r#"{{"player":"p29","cause":"{cause}"}}"#));
    }
}

/// Two rounds before half-time and two after it, each with a kill by alpha.
fn over_half_time() -> Vec<Value> {
    let mut posts = vec![of_get5(going_live())];
    for won in 1..=14_u16 {
        let (own, other) = if won <= 12 { ("ct", "t") } else { ("t", "ct") };
        let (alpha, bravo) = (person("alpha", own), person("bravo", other));
        posts.push(json!({"event": "round_start", "matchid": "7", "map_number": 0, "round_number": won - 1}));
        posts.push(death(won - 1, 20_000 + u32::from(won), &alpha, &bravo));
        posts.push(of_get5(round_end(won, 0, true, won)));
    }
    posts
}

#[test]
fn teams_change_sides_with_the_first_death_that_shows_it() {
    let mut feed = Feed::default();
    for post in over_half_time() {
        feed.post(&post);
    }
    let swaps = |feed: &Feed| feed.drafts.iter().filter(|d| d.tag == "sides.swapped").count();
    let whole = feed.state(1);
    assert_eq!(swaps(&feed), 1);
    assert_eq!((whole.rounds[&13].winner, whole.rounds[&13].side), (0, Side::T));
    assert_eq!(
        (whole.players["p29"].tally.kills, whole.players["p29"].tally.opening_kills),
        (14, 14)
    );
    assert_eq!(
        (whole.players["p30"].team, whole.players["p30"].tally.opening_deaths),
        (Some(1), 14)
    );
    assert_eq!(whole.course.anomalies, []);
    // Neighbours change places: a kill after its round's end, or a round's end after the next one's kill.
    for at in 1..over_half_time().len() - 1 {
        let mut posts = over_half_time();
        posts.swap(at, at + 1);
        let mut feed = Feed::default();
        for post in &posts {
            feed.post(post);
        }
        let state = feed.state(1);
        assert_eq!(state.score(), whole.score(), "{at}");
        assert_eq!(state.rounds, whole.rounds, "{at}");
        assert_eq!(state.players["p29"].tally.kills, 14, "{at}");
        assert_eq!(
            (state.players["p29"].side, state.course.anomalies.len()),
            (Some(Side::T), 0),
            "{at}"
        );
    }
}

#[test]
fn a_back_up_takes_play_back_also_over_half_time() {
    let restore = |round: u16| {
        json!({"event": "backup_loaded", "matchid": "7", "map_number": 0,
        "round_number": round, "filename": "backup.cfg"})
    };
    let mut feed = Feed::default();
    for post in over_half_time() {
        feed.post(&post);
    }
    // Ten rounds are played, and the eleventh is about to begin.
    feed.post(&restore(10));
    let state = feed.state(1);
    assert_eq!((state.score(), state.rounds.len(), state.round), (Score { ct: 10, t: 0 }, 10, 11));
    assert_eq!((state.players["p29"].tally.kills, state.players["p29"].side), (10, Some(Side::Ct)));
    feed.post(&death(10, 7_000, &person("bravo", "t"), &person("alpha", "ct")));
    let mut lost = of_get5(round_end(10, 1, false, 10));
    lost["team2"]["players"][0]["stats"]["kills"] = 1.into();
    feed.post(&lost);
    let state = feed.state(1);
    assert_eq!((state.score(), state.rounds[&11].winner), (Score { ct: 10, t: 1 }, 1));
    assert_eq!((state.players["p30"].tally.kills, state.course.anomalies.len()), (1, 0));
    assert_eq!(feed.post(&restore(10)).drafts, [], "it is said again");
    // From the beginning, and without a number, as older versions say it.
    feed.post(&restore(0));
    assert_eq!((feed.state(1).score(), feed.state(1).rounds.len()), (Score::default(), 0));
    let mut old = restore(0);
    old.as_object_mut().unwrap().remove("round_number");
    feed.post(&old);
    feed.post(&of_get5(round_end(3, 1, true, 3)));
    assert_eq!(feed.state(1).score(), Score { ct: 3, t: 1 });
}

fn pause(kind: &str, team: Option<&str>, why: &str) -> Value {
    json!({"event": kind, "matchid": 7, "map_number": 0, "team": team, "pause_type": why})
}

#[test]
fn each_pause_is_told_though_the_words_are_the_same() {
    let mut feed = Feed::default();
    feed.post(&going_live());
    feed.post(&round_end(1, 0, true, 1));
    let (begins, ends) = (
        pause("game_paused", Some("team2"), "tactical"),
        pause("game_unpaused", Some("team2"), "tactical"),
    );
    for _ in 0..3 {
        assert_eq!(feed.post(&begins).drafts[0].data, r#"{"reason":"timeout","side":"T"}"#);
        assert_eq!(feed.post(&begins).drafts, [], "it is sent again");
        let state = feed.state(1);
        assert_eq!(
            (state.course.status, state.course.pause.unwrap().team),
            (Status::Paused, Some(1))
        );
        assert_eq!(feed.post(&ends).drafts[0].tag, "match.resumed");
        assert_eq!(feed.post(&ends).drafts, [], "it is sent again");
        assert_eq!(feed.state(1).course.status, Status::Live);
    }
    for (why, reason) in [
        ("technical", PauseReason::Technical),
        ("admin", PauseReason::Other),
        ("backup", PauseReason::Other),
    ] {
        feed.post(&pause("game_paused", None, why));
        assert_eq!(feed.state(1).course.pause.unwrap().reason, reason);
        feed.post(&pause("game_unpaused", None, why));
    }
    // After the end it is what was said before.
    let mut result = round_end(13, 5, true, 14);
    result["event"] = "map_result".into();
    feed.post(&result);
    let again = feed.post(&begins);
    assert_eq!((again.drafts.len(), again.duplicate), (0, 1));
}

#[test]
fn a_pause_that_is_called_in_a_round_begins_after_it() {
    let mut feed = Feed::default();
    feed.post(&of_get5(going_live()));
    let (alpha, bravo) = (person("alpha", "ct"), person("bravo", "t"));
    let called = pause("game_paused", Some("team1"), "tactical");
    feed.post(&called);
    // The round goes on, and its first kill shows it.
    feed.post(&death(0, 9_000, &alpha, &bravo));
    feed.post(&of_get5(round_end(1, 0, true, 1)));
    feed.post(&pause("pause_began", Some("team1"), "tactical"));
    assert_eq!(feed.state(1).course.status, Status::Paused);
    // Nobody says that it is over; that the round after it is won does.
    feed.post(&of_get5(round_end(2, 0, true, 2)));
    assert_eq!(feed.state(1).course.status, Status::Live);
    let again = feed.post(&called);
    assert_eq!(again.drafts[0].tag, "match.paused", "a new one");
    assert_eq!(feed.post(&pause("pause_began", Some("team1"), "tactical")).duplicate, 1);
}
