//! Every check for a moment, on good input that is broken at random from a printed seed. Another
//! seed: `MATCHWIRE_SEED=7 cargo test -p matchwire-fuzz`.

use matchwire_domain::live_match::cs::odds::{Ensemble, Known, Part, Stage, Tree};
use rand::{Rng, SeedableRng, rngs::SmallRng};

/// Broken inputs per check: a second or so in a debug build.
const ROUNDS: usize = 3_000;
/// Bytes that mean something to a parser.
const MARKS: &[u8] = b"\"\\{}[],:/0-9\n\r<> ";

/// Runs a check on good inputs, then on broken ones.
fn smoke(check: fn(&[u8]) -> bool, good: &[Vec<u8>]) {
    let seed = std::env::var("MATCHWIRE_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("MATCHWIRE_SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    for input in good {
        assert!(check(input), "not good: {}", String::from_utf8_lossy(input));
    }
    for _ in 0..ROUNDS {
        let mut input = good[random.random_range(0..good.len())].clone();
        for _ in 0..random.random_range(1..=4) {
            damage(&mut random, &mut input, good);
        }
        check(&input);
    }
}

/// Changes a byte, cuts, doubles, or splices something of another input in.
fn damage(random: &mut SmallRng, input: &mut Vec<u8>, good: &[Vec<u8>]) {
    let place = |random: &mut SmallRng, input: &[u8]| random.random_range(0..=input.len());
    let (a, b) = (place(random, input), place(random, input));
    let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 64));
    match random.random_range(0..5) {
        0 if from < input.len() => input[from] = random.random(),
        1 if from < input.len() => input[from] = MARKS[random.random_range(0..MARKS.len())],
        2 => drop(input.drain(from..to)),
        3 => input.extend_from_within(from..to),
        _ => {
            let other = &good[random.random_range(0..good.len())];
            let start = place(random, other);
            let end = other.len().min(start + 64);
            input.splice(from..to, other[start..end].iter().copied());
        }
    }
}

fn event(kind: &str, more: &str, data: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{kind}","source":"s","subject":"match/m1/1","type":"{kind}"{more},"data":{data}}}"#
    )
}

fn events() -> Vec<String> {
    vec![
        event("map.loaded", "", r#"{"map_name":"de_nuke"}"#),
        event("rules.set", "", r#"{"max_rounds":24,"overtime":true}"#),
        event("match.started", r#","time":"2026-01-01T00:00:00Z""#, r#"{"map_name":"de_nuke"}"#),
        event("player.joined", "", r#"{"player":"steam:1","name":"a\"b","side":"CT"}"#),
        event("player.joined", "", r#"{"player":"steam:2","name":"c","side":"T"}"#),
        event("round.started", r#","sequence":"0002""#, "{}"),
        event(
            "player.killed",
            r#","sequence":"0003""#,
            r#"{"killer":"steam:1","victim":"steam:2","weapon":"ak47","headshot":true}"#,
        ),
        event("freeze.started", r#","sequence":"0001""#, "{}"),
        event(
            "round.ended",
            "",
            r#"{"winner":"CT","reason":"elimination","score":{"ct":1,"t":0}}"#,
        ),
        event("match.reloaded", "", r#"{"score":{"ct":0,"t":0}}"#),
        event("map.ended", "", r#"{"score":{"ct":13,"t":65535}}"#),
        event("x.own", r#","traceparent":"00-1-2-01""#, r#"{"a":[1,2.5e3,{"b":null}]}"#),
    ]
}

#[test]
fn envelopes() {
    let good: Vec<_> = events().into_iter().map(String::into_bytes).collect();
    smoke(matchwire_fuzz::envelope, &good);
}

#[test]
fn folds() {
    let forth = events();
    let back: Vec<_> = forth.iter().rev().cloned().collect();
    let good = [forth.join("\n"), back.join("\n")].map(String::into_bytes);
    smoke(matchwire_fuzz::fold, &good);
}

/// Lines as a server writes them; the names are made up.
fn log() -> Vec<&'static str> {
    vec![
        "L 03/01/2026 - 20:00:00: Loading map \"de_nuke\"\n",
        "L 03/01/2026 - 20:00:01: World triggered \"Match_Start\" on \"de_nuke\"\n",
        "03/01/2026 - 20:00:02.125 - \"quick \\\" <fox><2><[U:1:42]><CT>\" [1 -2 3] killed \"dog<3><STEAM_1:0:7><TERRORIST>\" [4 5 6] with \"ak47\" (headshot)\r\n",
        "L 03/01/2026 - 20:00:03: \"dog<3><STEAM_1:0:7><TERRORIST>\" triggered \"Planted_The_Bomb\" at bombsite A\n",
        "L 03/01/2026 - 20:00:04: Team \"CT\" triggered \"SFUI_Notice_CTs_Win\" (CT \"1\") (T \"0\")\n",
        "L 03/01/2026 - 20:00:05: something that nobody knows\n",
        "L 03/01/2026 - 20:00:06: JSON_BEGIN{\n",
        "L 03/01/2026 - 20:00:06: \"name\": \"round_stats\",\n",
        "L 03/01/2026 - 20:00:06: \"round_number\" : \"2\",\n",
        "L 03/01/2026 - 20:00:06: \"score_t\" : \"0\",\n",
        "L 03/01/2026 - 20:00:06: \"score_ct\" : \"1\",\n",
        "L 03/01/2026 - 20:00:06: }}JSON_END\n",
        "L 03/01/2026 - 20:40:00: Game Over: competitive de_nuke score 13:7 after 40 min\n",
    ]
}

#[test]
fn cs_log_lines() {
    let told = [0, 1, 2, 3, 4, 12];
    let good: Vec<_> = told.iter().map(|index| log()[*index].as_bytes().to_vec()).collect();
    smoke(matchwire_fuzz::cs_log_line, &good);
}

#[test]
fn cs_log_feeds() {
    let feed = log().concat();
    let good: Vec<_> = [0, 100, 700]
        .iter()
        .map(|cut: &u16| [&cut.to_be_bytes(), feed.as_bytes()].concat())
        .collect();
    smoke(matchwire_fuzz::cs_log_feed, &good);
}

/// A football match as events of ours.
fn football() -> Vec<String> {
    let at = |ms: u32| format!(r#""clock":{{"period":"first_half","elapsed_ms":{ms}}}"#);
    let told = |kind: &str, data: &str| event(kind, "", &format!("{{{data}}}"));
    vec![
        told("format.told", r#""knockout":true,"home":0,"first_leg":[1,0]"#),
        told(
            "lineup.told",
            r#""team":0,"name":"A","expected_goals":1.7,"players":[{"player":"x:1","starts":true}]"#,
        ),
        told("period.started", r#""period":"first_half""#),
        told("possession.changed", &format!(r#""team":1,{}"#, at(1_000))),
        told(
            "goal.scored",
            &format!(
                r#""team":0,"goal":"g","scorer":"x:1","assist":"x:2","xg":0.3,{}"#,
                at(60_000)
            ),
        ),
        told("goal.assisted", r#""goal":"g","player":"x:3""#),
        told("goal.disallowed", r#""goal":"g","reason":"offside""#),
        told("shot.taken", r#""team":1,"player":"x:4","outcome":"saved","xg":0.1"#),
        told("card.shown", r#""team":1,"player":"x:4","card":"second_yellow""#),
        told("player.substituted", r#""team":0,"off":"x:1","on":"x:5""#),
        told("stoppage.announced", r#""period":"first_half","minutes":65535"#),
        told("period.ended", r#""period":"second_half","elapsed_ms":4294967295,"score":[0,1]"#),
        told("shootout.kicked", r#""team":0,"player":"x:1","scored":true"#),
        told("period.ended", r#""period":"shoot_out","score":[4,3]"#),
        told("match.finished", r#""score":[0,1]"#),
        told("match.abandoned", r#""reason":"fog""#),
    ]
}

#[test]
fn football_folds() {
    let forth = football();
    let back: Vec<_> = forth.iter().rev().cloned().collect();
    let good = [forth.join("\n"), back.join("\n")].map(String::into_bytes);
    smoke(matchwire_fuzz::fold, &good);
}

#[test]
fn statsbomb_posts() {
    let event = |index: u32, kind: &str, more: &str| {
        format!(
            r#"{{"id":"e-{index}","index":{index},"period":1,"timestamp":"00:0{index}:00.250","minute":1,"second":2,"type":{{"id":1,"name":"{kind}"}},"possession":{index},"possession_team":{{"id":1,"name":"A"}},"team":{{"id":{},"name":"B"}},"player":{{"id":7,"name":"C"}}{more}}}"#,
            index % 2 + 1
        )
    };
    let events = [
        event(
            1,
            "Starting XI",
            r#","tactics":{"formation":442,"lineup":[{"player":{"id":7,"name":"C"},"position":{"id":1,"name":"D"},"jersey_number":9}]}"#,
        ),
        event(2, "Half Start", ""),
        event(
            3,
            "Shot",
            r#","shot":{"statsbomb_xg":0.5,"outcome":{"id":97,"name":"Goal"},"type":{"id":1,"name":"Penalty"},"body_part":{"id":1,"name":"Head"}}"#,
        ),
        event(4, "Pass", r#","pass":{"goal_assist":true,"assisted_shot_id":"e-3"}"#),
        event(5, "Foul Committed", r#","foul_committed":{"card":{"id":5,"name":"Red Card"}}"#),
        event(
            6,
            "Substitution",
            r#","substitution":{"outcome":{"name":"Injury"},"replacement":{"id":8,"name":"E"}}"#,
        ),
        event(7, "Own Goal Against", ""),
        event(8, "Half End", ""),
    ];
    let lineup = r#"[{"team_id":1,"team_name":"A","lineup":[{"player_id":7,"player_name":"C","jersey_number":9}]}]"#;
    let good = [events.join("\n"), format!("[{}]", events.join(",")), lineup.to_owned()];
    smoke(matchwire_fuzz::statsbomb, &good.map(String::into_bytes));
}

/// A post of a client of the game.
fn gsi(second: u32, map: &str, more: &str) -> String {
    format!(
        r#"{{"provider":{{"appid":730,"steamid":"76561197960265729","timestamp":17000000{second:02}}},"map":{{"name":"de_x","mode":"competitive",{map}}},"auth":{{"token":"t"}},{more}}}"#
    )
}

#[test]
fn gsi_feeds() {
    let player = r#""player":{"steamid":"76561197960265729","name":"alpha","team":"CT","state":{"health":61,"armor":7,"helmet":true,"money":800,"equip_value":200},"match_stats":{"kills":1,"assists":0,"deaths":-1,"mvps":0},"weapons":{"weapon_0":{"name":"weapon_knife"}}}"#;
    let score = |phase: &str, ct: u8, t: u8| {
        format!(
            r#""phase":"{phase}","team_ct":{{"score":{ct},"name":"One"}},"team_t":{{"score":{t}}},"round_wins":{{"1":"ct_win_time"}}"#
        )
    };
    let feed = [
        gsi(10, &score("warmup", 0, 0), r#""previously":{"player":true}"#),
        gsi(11, &score("live", 0, 0), &format!(r#"{player},"round":{{"phase":"freezetime"}}"#)),
        gsi(
            12,
            &score("live", 0, 0),
            &format!(
                r#"{player},"round":{{"phase":"live","bomb":"planted"}},"added":{{"round":{{"bomb":true}}}}"#
            ),
        ),
        gsi(
            13,
            &score("live", 1, 0),
            r#""round":{"phase":"over","win_team":"CT","bomb":"defused"},"previously":{"map":{"team_ct":{"score":0}},"round":{"phase":"live"}}"#,
        ),
        gsi(
            14,
            &score("gameover", 1, 9),
            r#""allplayers":{"76561197960265730":{"name":"bravo","team":"T"}},"phase_countdowns":{"phase":"paused"}"#,
        ),
    ];
    let back: Vec<_> = feed.iter().rev().cloned().collect();
    smoke(matchwire_fuzz::gsi_posts, &[feed.join("\n"), back.join("\n")].map(String::into_bytes));
}

#[test]
fn matchzy_feeds() {
    let team = |name: &str, side: &str, score: u8, id: u8| {
        format!(
            r#"{{"id":null,"name":"{name}","score":{score},"side":"{side}","players":[{{"steamid":"7656119796026573{id}","name":"{name}","stats":{{"kills":3,"deaths":1,"damage":250,"mvp":1}}}}]}}"#
        )
    };
    let round = |number: u8, side: &str, first: u8, second: u8| {
        let (one, two) = (team("One", "ct", first, 1), team("Two", "t", second, 2));
        format!(
            r#"{{"event":"round_end","matchid":7,"map_number":0,"round_number":{number},"reason":8,"winner":{{"side":"{side}"}},"team1":{one},"team2":{two}}}"#
        )
    };
    let death = r#"{"event":"player_death","matchid":"7","map_number":0,"round_number":3,"round_time":9000,"player":{"steamid":"76561197960265732","name":"Two","side":"t"},"attacker":{"steamid":"76561197960265731","name":"One","side":"ct"},"assist":null,"weapon":{"name":"ak47","id":7},"penetrated":1}"#;
    let feed = [
        r#"{"event":"series_start","matchid":7,"num_maps":3,"team1":{"id":"1","name":"One","players":[]},"team2":{"id":null,"name":"Two"}}"#.to_owned(),
        r#"{"event":"map_vetoed","matchid":7,"map_name":"de_y","team":"team2"}"#.to_owned(),
        r#"{"event":"map_picked","matchid":7,"map_name":"de_x","map_number":0}"#.to_owned(),
        r#"{"event":"side_picked","matchid":7,"map_name":"de_x","team":"team1","side":"ct"}"#.to_owned(),
        r#"{"event":"going_live","matchid":7,"map_number":0}"#.to_owned(),
        round(0, "ct", 1, 0),
        round(2, "t", 1, 2),
        round(1, "t", 1, 1),
        death.to_owned(),
        r#"{"event":"game_paused","matchid":7,"map_number":0,"team":"team1","pause_type":"tactical"}"#.to_owned(),
        r#"{"event":"game_unpaused","matchid":7,"map_number":0,"team":"team1","pause_type":"tactical"}"#.to_owned(),
        death.replace(r#""ct""#, r#""x""#).replace(r#""t""#, r#""ct""#).replace(r#""x""#, r#""t""#),
        r#"{"event":"backup_loaded","matchid":7,"map_number":0,"round_number":2}"#.to_owned(),
        r#"{"event":"bomb_planted","matchid":"7","map_number":0,"round_number":3,"site":"a","player":{"steamid":"76561197960265731","name":"One","side":"ct"}}"#.to_owned(),
        round(2, "ct", 2, 2).replace("round_end", "map_result"),
        r#"{"event":"series_end","matchid":7,"team1_series_score":2,"team2_series_score":1,"winner":{"side":"ct","team":"team1"}}"#.to_owned(),
    ];
    let back: Vec<_> = feed.iter().rev().cloned().collect();
    let good = [feed.join("\n"), back.join("\n")].map(String::into_bytes);
    smoke(matchwire_fuzz::matchzy_posts, &good);
}

#[test]
fn segments() {
    smoke(matchwire_fuzz::segment_bytes, &[matchwire_fuzz::good_segment()]);
    // A bit of the zeros that were written ahead: nothing is lost.
    smoke(matchwire_fuzz::segment_flips, &[vec![], vec![0x10, 0, 3]]);
}

#[test]
fn snapshots_of_rounds() {
    let header = "match_no,round_no,time_left,ct_score,t_score,map,bomb_planted,ct_health,t_health,\
                  ct_money,t_money,ct_players_alive,t_players_alive,ct_weapon_awp,t_weapon_ak47";
    let rows = [
        "1,1,175.0,0,0,de_nuke,0,500,500,4000,4000,5,5,0,0",
        "1,1,60.5,0,0,de_nuke,1,120,300,4000,4000,2,3,0,1",
        "1,2,175,1,0,de_nuke,0,500,500,9000,12000,5,5,1,0",
        "2,1,175,,,de_inferno,,,,,,5,5,,",
    ];
    let whole = format!("{header}\n{}\n", rows.join("\n"));
    let few = "ct_players_alive,t_players_alive\n5,4\n1,0\n";
    smoke(matchwire_fuzz::snapshots, &[whole.into_bytes(), few.into()]);
}

#[test]
fn model_files() {
    let part = |trees: usize| Part {
        bias: 0.25,
        weights: vec![(0, 0.5), (3, -1.0)],
        trees: vec![Tree { features: [1; 7], thresholds: [0.5; 7], leaves: [0.25; 8] }; trees],
    };
    let mut model = Ensemble::default();
    let known = (0..Known::COUNT).filter_map(Known::of_number);
    for (known, stage) in known.zip(Stage::ALL.into_iter().cycle()) {
        model.set(known, stage, part(usize::from(known.number() % 3)));
    }
    smoke(matchwire_fuzz::model_file, &[model.bytes(), Ensemble::default().bytes()]);
}

fn told(subject: &str, kind: &str, data: &str) -> String {
    event(kind, "", data).replace("match/m1/1", subject)
}

#[test]
fn players_activities() {
    let teams = r#"[{"name":"A","id":"a","players":[{"player":"p1"}]},{"name":"B","players":[{"player":"p2"},{"player":"p3"}]}]"#;
    let set = format!(r#"{{"game":"cs2","best_of":1,"tournament":"t1","teams":{teams}}}"#);
    let entrants = r#"[{"team":{"id":"a","players":["p1"]}},{"player":"p2"}]"#;
    let places = r#"{"placements":[{"entrant":{"team":"a"},"place":1},{"entrant":{"player":"p2"},"place":2}]}"#;
    let mut forth = vec![
        told("match/m1", "match.scheduled", &set),
        told("tournament/t1", "tournament.announced", r#"{"season":"s","private":true}"#),
        told("tournament/t1", "tournament.registered", &format!(r#"{{"entrants":{entrants}}}"#)),
        told("match/m1", "series.ended", r#"{"winner":0}"#),
        told("match/m1", "match.forfeited", r#"{"team":0,"how":"no_show"}"#),
        told("match/m1", "result.amended", r#"{"seq":3,"winner":1}"#),
        told("match/m1", "event.voided", r#"{"seq":4}"#),
        told("tournament/t1", "tournament.placed", places),
        told("tournament/t1", "tournament.ended", "{}"),
        told("tournament/t1", "event.voided", r#"{"seq":3}"#),
        told("player/p1", "player.friended", r#"{"player":"p2"}"#),
        told("player/p1", "privacy.set", r#"{"activity":"public"}"#),
        told("player/p1", "event.voided", r#"{"seq":1}"#),
    ];
    forth.extend(events().into_iter().take(7));
    let back: Vec<_> = forth.iter().rev().cloned().collect();
    let good = [forth.join("\n"), back.join("\n")].map(String::into_bytes);
    smoke(matchwire_fuzz::activities, &good);
}

#[test]
fn players_histories() {
    let bracket = [
        r#"{"event_id":9,"tournament_name":"Cup","event_name":"Singles","status":"completed","timestamp":100}"#,
        r#"{"data":[{"user_id":1},{"user_id":2}]}"#,
        r#"{"data":[{"winner_id":1,"loser_id":2,"winner_score":2,"loser_score":-1,"round":1,"dq":true,"state":3},{"winner_id":2,"loser_id":1,"winner_score":2,"loser_score":1,"round":-3,"round_text":"R","phase":"1","wave":"A"}]}"#,
        r#"{"data":[{"user_id":1,"placement":1}]}"#,
    ];
    let table = "match_id,date,team,opponent,result,players\n1,2026-01-02,A,B,W,x;y\n1,2026-01-02T10:00:00Z,B,A,L,z";
    let good = [bracket.join("\n"), table.to_owned()].map(String::into_bytes);
    smoke(matchwire_fuzz::histories, &good);
}
