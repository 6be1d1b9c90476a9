//! What reading logs by hand showed: damage that nobody tells, deaths after a round's end, and who walks
//! through the buy zone later.

use super::*;

fn hurt(victim: &str, damage: u16, health: u16) -> String {
    format!(
        "player.hurt {{\"attacker\":\"a1\",\"victim\":\"{victim}\",\"weapon\":\"usp\",\"damage\":{damage},\
         \"damage_armor\":0,\"health\":{health},\"armor\":0,\"hitgroup\":\"chest\"}}\n"
    )
}

#[test]
fn what_a_fall_took_is_nobodys_damage() {
    // Five points were lost before, by a fall; the next hit is one that was cut to whole points.
    let story = hurt("b1", 30, 65) + &hurt("b1", 13, 51);
    given(LINE_UP)
        .when("round.started")
        .when(&story)
        .then(json!({"players": {"a1": {"damage": 44}, "b1": {"health": 51}}}));
}

#[test]
fn whoever_dies_when_a_round_is_decided_has_not_survived_it() {
    let told = given(LINE_UP).when(
        r#"
        round.started
        bomb.planted {"player":"b1","site":"A"}
        round.ended {"winner":"T","reason":"bomb_exploded","score":{"ct":0,"t":1}}
        "#,
    );
    let told = told.then(json!({"players": {"a1": {"kast_rounds": 1}, "b1": {"kast_rounds": 1}}}));
    let told = told.when(
        r#"
        player.died {"player":"a1","cause":"bomb"}
        player.died {"player":"b1","cause":"bomb"}
        player.killed {"killer":"b2","victim":"a2","weapon":"ak47"}
        "#,
    );
    let then = json!({"players": {
        "a1": {"kast_rounds": 0, "deaths": 1, "rounds": 1}, "b1": {"kast_rounds": 0},
        "a2": {"kast_rounds": 0}, "b2": {"kast_rounds": 1, "kills": 1, "opening_kills": 0},
    }});
    let told = told.then(then);
    // The next round is counted by itself.
    told.when(
        "freeze.started\nround.started\nround.ended {\"winner\":\"T\",\"reason\":\"elimination\"}",
    )
    .then(json!({"players": {"a1": {"kast_rounds": 1, "rounds": 2}, "b2": {"kast_rounds": 2}}}));
}

#[test]
fn what_is_carried_is_what_is_bought_and_not_what_is_found() {
    let carries = |player: &str, item: &str| {
        format!("player.equipped {{\"player\":\"{player}\",\"items\":[\"{item}\"]}}\n")
    };
    let economy = |story: &Story| {
        let round = story.state.rounds.values().last().unwrap();
        round.economy.unwrap().map(|it| it.equipment)
    };
    let wait = "x.second\n".repeat(25);
    let tell = |parts: &[&str]| {
        let mut story = given(LINE_UP);
        for line in parts.concat().lines() {
            if line == "x.second" { story.seq += 1 } else { story.tell(line) }
        }
        story
    };
    let (deagle, rifle, nothing) =
        (carries("a1", "weapon_deagle"), carries("a1", "weapon_ak47"), carries("b1", ""));
    let start = "freeze.started\nround.started\n".to_owned() + &carries("b1", "weapon_glock");
    let end = "round.ended {\"winner\":\"CT\",\"reason\":\"elimination\"}\n";
    assert_eq!(economy(&tell(&[&start, &deagle, &rifle, end])), [2_700, 200], "he went back");
    assert_eq!(economy(&tell(&[&start, &deagle, &wait, &rifle, end])), [700, 200], "he found it");
    assert_eq!(economy(&tell(&[&start, &wait, &rifle, end])), [2_700, 200], "he waited there");
    let dies = r#"player.killed {"killer":"a1","victim":"b1","weapon":"usp"}"#.to_owned() + "\n";
    assert_eq!(
        economy(&tell(&[&start, &rifle, &dies, &nothing, end])),
        [2_700, 200],
        "he died there"
    );
}
