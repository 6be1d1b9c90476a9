//! A made-up server log, and ways to cut and post it.

use std::fmt::Write as _;

use matchwire_client::{Client, Error};
use serde_json::Value;

/// A map of 24 rounds, with kills, money and tables: some 2,000 lines.
pub(crate) fn log() -> Vec<u8> {
    let mut log = String::new();
    let mut second = 0;
    let mut say = |text: &str| {
        second += 1;
        let (minute, second) = (second / 60 % 60, second % 60);
        writeln!(log, "L 01/02/2026 - 03:{minute:02}:{second:02}: {text}").unwrap();
    };
    say("Loading map \"de_x\"");
    say("server_cvar: \"mp_maxrounds\" \"24\"");
    say("World triggered \"Match_Start\" on \"de_x\"");
    say("Team playing \"CT\": Alpha");
    say("Team playing \"TERRORIST\": Beta ✳");
    let tag = |player: u32, half: u32| {
        let side = if player / 5 == half { "CT" } else { "TERRORIST" };
        format!("\"player {player}<{}><[U:1:{}]><{side}>\"", player + 2, player + 100)
    };
    let (mut first, mut second_team) = (0, 0);
    for round in 0..24_u32 {
        let half = round / 12;
        if round == 12 {
            for player in 0..10 {
                let (from, to) = if player < 5 { ("CT", "TERRORIST") } else { ("TERRORIST", "CT") };
                let tag = tag(player, 0).replace(&format!("<{from}>"), "");
                say(&format!("{tag} switched from team <{from}> to <{to}>"));
            }
        }
        say("Starting Freeze period");
        for player in 0..10 {
            say(&format!(
                "{} money change 800-200 = $600 (tracked) (purchase: weapon_flashbang)",
                tag(player, half)
            ));
            say(&format!("{} left buyzone with [ weapon_ak47 kevlar(100) ]", tag(player, half)));
        }
        say("World triggered \"Round_Start\"");
        // The first team wins two rounds of three.
        let loser = if round % 3 == 2 { 0 } else { 5 };
        for kill in 0..5 {
            let killer = tag((loser + 5 + (kill + round) % 5) % 10, half);
            let victim = tag(loser + kill, half);
            say(&format!(
                "{killer} [1 2 3] attacked {victim} [4 5 6] with \"ak47\" (damage \"110\") (damage_armor \"3\") (health \"0\") (armor \"90\") (hitgroup \"head\")"
            ));
            say(&format!("{killer} [1 2 3] killed {victim} [4 5 6] with \"ak47\" (headshot)"));
        }
        *if loser == 5 { &mut first } else { &mut second_team } += 1;
        let (ct, t) = if half == 0 { (first, second_team) } else { (second_team, first) };
        let (side, notice) = if (loser == 5) == (half == 0) {
            ("CT", "CTs_Win")
        } else {
            ("TERRORIST", "Terrorists_Win")
        };
        say(&format!(
            "Team \"{side}\" triggered \"SFUI_Notice_{notice}\" (CT \"{ct}\") (T \"{t}\")"
        ));
        say("rcon from \"192.0.2.1:1\": command \"status\"");
    }
    say(&format!("Game Over: competitive de_x score {second_team}:{first} after 40 min"));
    log.into_bytes()
}

/// Posts a part of a log with the headers of a server.
pub(crate) async fn post(
    client: &Client,
    to: &str,
    token: &str,
    begin: usize,
    part: &[u8],
) -> Result<Value, Error> {
    let headers = [
        ("x-server-instance-token", token.to_owned()),
        ("x-logbytes-beginoffset", begin.to_string()),
        ("x-logbytes-endoffset", (begin + part.len()).to_string()),
        ("content-type", "text/plain".to_owned()),
    ];
    client.post(&format!("/sources/cs-log/{to}"), &headers, part.to_vec().into()).await
}

/// All events of a stream, as they are delivered.
pub(crate) async fn events(client: &Client, subject: &str) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    loop {
        let after = events.len();
        let page = client
            .get(&format!("/events?subject={subject}&after={after}&limit=1000"))
            .await
            .unwrap();
        let page = page["events"].as_array().unwrap().clone();
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}

/// The state of a map.
pub(crate) async fn state(client: &Client, match_id: &str, map: u16) -> Value {
    client.get(&format!("/matches/{match_id}/maps/{map}")).await.unwrap()
}
