//! Given, when, then: how a match ended for each of its sides. The rules are those of `docs/players.md`.

use super::*;
use crate::{
    activity::{Deeds, Kind},
    live_match::Play,
};

/// Two teams of two.
const TEAMS: &str = r#"match.scheduled {"game":"cs2","best_of":3,"tournament":"cup","teams":[{"name":"Alpha","id":"a","players":[{"player":"a1"},{"player":"a2"}]},{"name":"Bravo","id":"b","players":[{"player":"b1"},{"player":"b2"}]}]}"#;
/// One against one.
const SOLO: &str = r#"match.scheduled {"teams":[{"name":"A1","players":[{"player":"a1"}]},{"name":"B1","players":[{"player":"b1"}]}]}"#;

/// Folds a line an event, one second after another.
fn tell(play: &mut dyn Play, from_s: i64, story: &str) {
    for (second, line) in (from_s..).zip(story.lines().map(str::trim).filter(|l| !l.is_empty())) {
        let (tag, data) = line.split_once(' ').unwrap_or((line, "{}"));
        play.course_mut().seq += 1;
        play.fold(tag, data, Timestamp::from_ms(second * 1_000)).expect(tag).expect(line);
    }
}

/// A map of Counter-Strike in which `a1` kills both of Bravo; Alpha, which is the map's team 0, wins the only
/// round, and what is told after it.
fn map(number: u16, after: &str) -> Box<dyn Play> {
    let mut map = Games::default().begin("m", number);
    let people = [("a1", "CT"), ("a2", "CT"), ("b1", "T"), ("b2", "T")];
    for (player, side) in people {
        let joined = format!(r#"player.joined {{"player":"{player}","name":"x","side":"{side}"}}"#);
        tell(&mut *map, 100, &joined);
    }
    let story = r#"
        round.started
        player.killed {"killer":"b1","victim":"a2","weapon":"ak47"}
        player.killed {"killer":"a1","victim":"b1","weapon":"ak47"}
        player.killed {"killer":"a1","victim":"b2","weapon":"ak47"}
        round.ended {"winner":"CT","reason":"elimination","score":{"ct":1,"t":0}}
    "#;
    tell(&mut *map, 100, story);
    tell(&mut *map, 200, after);
    map
}

fn outcome(story: &str, maps: &[Box<dyn Play>]) -> Option<Outcome> {
    let games = Games::default();
    let mut series = games.begin_series("m");
    tell(&mut *series, 0, story);
    let maps: Vec<&dyn Play> = maps.iter().map(|map| &**map).collect();
    Outcome::of(&games, series.as_any().downcast_ref().unwrap(), &maps)
}

/// Endings, whether something was played, and what becomes of it for the first of each side.
fn ended(story: &str, maps: &[Box<dyn Play>]) -> String {
    let outcome = outcome(story, maps).expect("it is over");
    let deeds = outcome.deeds();
    let tell = |(side, player): (&Side, &str)| {
        let kinds: Vec<String> = kinds(&deeds, player);
        format!("{:?} {}", side.ending, kinds.join(" "))
    };
    let told: Vec<String> = outcome.sides.iter().zip(["a1", "b1"]).map(tell).collect();
    told.join(" | ")
}

fn kinds(deeds: &Deeds, player: &str) -> Vec<String> {
    let own = deeds.iter().filter(|((who, _), _)| who == player);
    own.map(|((_, kind), deed)| {
        let forfeit = if deed.by_forfeit { "(forfeit)" } else { "" };
        format!("{kind}{forfeit}")
    })
    .collect()
}

#[test]
fn a_match_that_is_open_has_none() {
    for story in [TEAMS, &format!("{TEAMS}\nseries.started"), ""] {
        assert_eq!(outcome(story, &[]), None, "{story}");
    }
    assert_eq!(outcome(&format!("{TEAMS}\nseries.started"), &[map(1, "")]), None);
}

#[test]
fn what_play_decides() {
    let won = format!("{TEAMS}\nseries.ended {{\"winner\":1,\"score\":[1,2]}}");
    let lost = "Lost match_played match_lost | Won match_played match_won";
    assert_eq!(ended(&won, &[]), lost);
    let drawn = format!("{TEAMS}\nseries.ended {{\"score\":[1,1]}}");
    assert_eq!(
        ended(&drawn, &[]),
        "Drawn match_played match_drawn | Drawn match_played match_drawn"
    );
    let outcome = outcome(&won, &[]).unwrap();
    assert_eq!((&*outcome.game, outcome.tournament.as_deref()), ("cs2", Some("cup")));
    assert_eq!(outcome.ended, Timestamp::from_ms(1_000));
    let deed = &outcome.deeds()[&("b2".into(), Kind::MatchWon)];
    assert!(deed.is_team && deed.team.as_deref() == Some("b"), "every member has the team's win");
    assert_eq!(
        (&*deed.against, deed.against_team.as_deref()),
        (&["a1".into(), "a2".into()][..], Some("a"))
    );
}

#[test]
fn what_a_referee_sets_is_as_if_it_was_played() {
    let amended = format!(
        "{TEAMS}\nmatch.forfeited {{\"team\":0}}\nresult.amended {{\"seq\":2,\"score\":[2,0]}}"
    );
    assert_eq!(ended(&amended, &[]), "Won match_played match_won | Lost match_played match_lost");
    let confirmed =
        format!("{TEAMS}\nseries.ended {{\"winner\":0}}\nresult.confirmed {{\"seq\":2}}");
    assert_eq!(ended(&confirmed, &[]), "Won match_played match_won | Lost match_played match_lost");
}

#[test]
fn a_forfeit_is_counted_by_itself() {
    let forfeit = |how: &str, began: &str| {
        ended(&format!("{TEAMS}\n{began}match.forfeited {{\"team\":0,\"how\":\"{how}\"}}"), &[])
    };
    let (lost, won) = ("match_lost(forfeit)", "WonByForfeit match_won(forfeit)");
    assert_eq!(forfeit("gave_up", ""), format!("LostByForfeit {lost} | {won}"));
    assert_eq!(forfeit("disqualified", ""), format!("Disqualified {lost} | {won}"));
    // Who had begun has played, however it ended.
    let (lost, won) =
        ("match_played match_lost(forfeit)", "WonByForfeit match_played match_won(forfeit)");
    assert_eq!(forfeit("gave_up", "series.started\n"), format!("LostByForfeit {lost} | {won}"));
    assert_eq!(forfeit("disqualified", "series.started\n"), format!("Disqualified {lost} | {won}"));
}

#[test]
fn a_no_show_has_played_nothing() {
    let story =
        format!("{TEAMS}\nseries.started\nmatch.forfeited {{\"team\":1,\"how\":\"no_show\"}}");
    let told = "WonByForfeit match_won(forfeit) | NoShow match_lost(forfeit)";
    assert_eq!(ended(&story, &[map(1, "")]), told);
}

#[test]
fn a_bye_and_a_cancelled_match_are_nothing() {
    assert_eq!(ended(&format!("{SOLO}\nbye.given {{\"team\":0}}"), &[]), "Bye  | Bye ");
    let cancelled = format!("{SOLO}\nseries.started\nmatch.cancelled");
    assert_eq!(ended(&cancelled, &[]), "Cancelled  | Cancelled ");
    assert_eq!(outcome(&format!("{cancelled}\n{SOLO}"), &[]), None, "it is set again");
    let played = format!("{SOLO}\nseries.ended {{\"winner\":0}}");
    let annulled = format!("{played}\nmatch.cancelled");
    assert_eq!(ended(&annulled, &[]), "Cancelled  | Cancelled ");
    assert_eq!(
        ended(&format!("{annulled}\nseries.ended {{\"winner\":0}}"), &[]),
        ended(&annulled, &[])
    );
    assert_eq!(outcome(&format!("{annulled}\n{SOLO}"), &[]), None, "it is set again");
    let again = outcome(&format!("{annulled}\n{SOLO}\nseries.ended {{\"winner\":1}}"), &[]);
    assert_eq!(again.unwrap().sides[1].ending, Ending::Won);
    // What was told of its maps and its score goes as well.
    let swept = format!(
        "{TEAMS}\nmap.won {{\"map\":1,\"winner\":0}}\nseries.ended {{\"winner\":0,\"score\":[2,0]}}\nmatch.cancelled"
    );
    assert_eq!(outcome(&format!("{swept}\n{TEAMS}"), &[]), None, "it is set again");
    let forfeited = format!("{SOLO}\nmatch.forfeited {{\"team\":0}}");
    let after = format!("{forfeited}\nmatch.cancelled\nseries.ended {{\"winner\":0}}");
    assert_eq!(ended(&after, &[]), ended(&forfeited, &[]), "what is ruled stands");
}

#[test]
fn an_abandoned_match_was_played_if_it_had_begun() {
    let abandoned = format!("{TEAMS}\nmatch.abandoned");
    assert_eq!(ended(&abandoned, &[]), "Abandoned  | Abandoned ");
    let told = ended(&abandoned, &[map(1, "")]);
    assert_eq!(told, "Abandoned match_played clutch | Abandoned match_played");
}

#[test]
fn what_is_ruled_of_the_only_map_is_ruled_of_the_match() {
    let set = TEAMS.replace("\"best_of\":3", "\"best_of\":1");
    let forfeited = map(1, "match.forfeited {\"team\":0,\"how\":\"disqualified\"}");
    let told = "Disqualified match_played match_lost(forfeit) clutch | WonByForfeit match_played match_won(forfeit)";
    assert_eq!(ended(&set, &[forfeited]), told);
    assert!(ended(&set, &[map(1, "match.abandoned")]).starts_with("Abandoned match_played"));
    // With another map that was played, play has decided.
    let maps = [
        map(1, "map.ended {\"score\":{\"ct\":1,\"t\":0}}"),
        map(2, "match.forfeited {\"team\":1}"),
    ];
    let outcome = outcome(TEAMS, &maps).unwrap();
    assert_eq!(outcome.sides.map(|side| side.ending), [Ending::Won, Ending::Lost]);
    assert_eq!(outcome.ended, Timestamp::from_ms(200_000), "with the last map");
}

#[test]
fn who_plays_is_the_line_up_or_whoever_was_seen() {
    let ended = "map.ended {\"score\":{\"ct\":1,\"t\":0}}";
    let names = |side: &Side| side.members.keys().cloned().collect::<Vec<_>>().join(" ");
    let members = |story: &str| {
        let outcome = outcome(story, &[map(1, ended)]).unwrap();
        (outcome.sides.each_ref().map(names), outcome)
    };
    // Nothing is known of the teams but a name, which is the other one's on the map.
    let (seen, outcome) = members("match.scheduled {\"best_of\":1}");
    assert_eq!(seen, ["a1 a2", "b1 b2"]);
    assert!(outcome.is_team && outcome.sides[0].team.is_none());
    assert_eq!(outcome.sides[0].members["a1"], Feats::from([("clutch".to_owned(), 1)]));
    // A line-up stands, also beside others who were seen; the map has the teams the other way round.
    let set = r#"match.scheduled {"best_of":1,"teams":[{"name":"B","players":[{"player":"b1"},{"player":"b9"}]},{"name":"A"}]}"#;
    assert_eq!(members(set).0, ["b1 b9", "a1 a2"]);
    let changed = format!("{set}\n{}", set.replace("b9", "b8"));
    assert_eq!(members(&changed).0[0], "b1 b8", "the last one that is told");
    // Who is in both is in neither.
    let both = TEAMS.replace("b2", "a2");
    assert_eq!(members(&format!("{both}\nseries.ended {{\"winner\":0}}")).0, ["a1", "b1"]);
    let (_, solo) = members(&format!("{SOLO}\nseries.ended {{\"winner\":0}}"));
    assert!(!solo.is_team && solo.sides[0].team.is_none());
}

#[test]
fn football_has_goals_and_draws() {
    let story = r#"
        format.told {"knockout":false}
        lineup.told {"team":0,"name":"A","players":[{"player":"a1","starts":true},{"player":"a3","starts":false}]}
        lineup.told {"team":1,"name":"B","players":[{"player":"b1","starts":true}]}
        period.started {"period":"first_half"}
        goal.scored {"team":0,"scorer":"a1","clock":{"period":"first_half","elapsed_ms":60000}}
        goal.scored {"team":1,"scorer":"b1","clock":{"period":"first_half","elapsed_ms":90000}}
        match.finished
    "#;
    let games = Games::default();
    let mut map = games.named("football").unwrap().begin(crate::live_match::Course::new("m", 1));
    tell(&mut *map, 0, story);
    let told = "Drawn match_played match_drawn goal | Drawn match_played match_drawn goal";
    assert_eq!(ended("", &[map]), told);
}
