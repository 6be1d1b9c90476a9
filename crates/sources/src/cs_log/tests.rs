//! Lines and posts as data.

use std::{collections::BTreeMap, fmt::Write as _};

use matchwire_domain::live_match::cs::{Event, Score, Side, State};
use proptest::prelude::*;

use super::*;
use crate::Draft;

const AT: &str = "L 01/02/2026 - 03:04:05: ";

fn fact(text: &str) -> Option<String> {
    parse_line(&format!("{AT}{text}")).map(|p| format!("{} {}", p.event.tag(), p.event.to_json()))
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(fact(text).as_deref(), Some(expected), "{text}");
}

#[test]
fn line_headers() {
    let time = |line: &str| parse_line(line).map(|parsed| parsed.time.to_string());
    let whole = Some("2026-01-02T03:04:05.000Z".to_owned());
    let text = "Starting Freeze period";
    assert_eq!(time(&format!("L 01/02/2026 - 03:04:05: {text}")), whole);
    assert_eq!(time(&format!("01/02/2026 - 03:04:05: {text}\r\n")), whole);
    let fine = Some("2026-01-02T03:04:05.250Z".to_owned());
    assert_eq!(time(&format!("01/02/2026 - 03:04:05.250 - {text}")), fine);
    assert_eq!(time(&format!("L 01/02/2026 - 03:04:05.25: {text}")), fine);
    for bad in
        ["", "L ", "L 13/02/2026 - 03:04:05: ", "L 01/02/2026 - 25:04:05: ", "L 01/02/2026", "é"]
    {
        assert_eq!(time(&format!("{bad}{text}")), None, "{bad}");
    }
}

#[test]
fn facts_of_the_world() {
    check(r#"World triggered "Round_Start""#, "round.started {}");
    check(r#"World triggered "Match_Start" on "de_x""#, r#"match.started {"map_name":"de_x"}"#);
    check(r#"World triggered "Restart_Round_(3_seconds)""#, r#"match.restarting {"seconds":3}"#);
    check(r#"World triggered "Match_Reloaded" on "de_x""#, "match.reloaded {}");
    check(
        r#"Team "TERRORIST" triggered "SFUI_Notice_Target_Bombed" (CT "3") (T "4")"#,
        r#"round.ended {"winner":"T","reason":"bomb_exploded","score":{"ct":3,"t":4}}"#,
    );
    check(r#"World triggered "SFUI_Notice_Round_Draw" (CT "1") (T "1")"#, "round.drawn {}");
    check(r#"Team "CT" scored "7" with "5" players"#, r#"team.scored {"side":"CT","score":7}"#);
    check(
        r#"MatchStatus: Score: 3:4 on map "de_x" RoundsPlayed: 7"#,
        r#"score.reported {"score":{"ct":3,"t":4}}"#,
    );
    check(r#"MatchStatus: Score: 0:0 on map "de_x" RoundsPlayed: -1"#, "warmup.started {}");
    check(r#"Team playing "CT": A "B" <C>"#, r#"team.named {"side":"CT","name":"A \"B\" <C>"}"#);
    check(
        "Game Over: competitive mg_active de_x score 6:16 after 50 min",
        r#"map.ended {"score":{"ct":6,"t":16},"map_name":"de_x"}"#,
    );
    check("Match pause is enabled - TimeOutTs", r#"match.paused {"reason":"timeout","side":"T"}"#);
    check(r#"server_cvar: "mp_maxrounds" "24""#, r#"rules.set {"max_rounds":24}"#);
    check(r#""mp_roundtime_defuse" = "1.92""#, r#"rules.set {"round_s":115}"#);
    for unknown in [r#"server_cvar: "mp_maxrounds" "1e99""#, "Game Over: ", "Team \"CT\"", "x", ""]
    {
        assert_eq!(fact(unknown), None, "{unknown}");
    }
}

#[test]
fn facts_of_people() {
    check(
        r#""a<2><STEAM_1:1:7><CT>" [1 -2 3] killed "b<3><[U:1:16]><TERRORIST>" [4 5 6] with "ak47" (headshot penetrated)"#,
        r#"player.killed {"killer":"steam:76561197960265743","victim":"steam:76561197960265744","weapon":"ak47","headshot":true,"penetrated":true,"killer_at":[1,-2,3],"victim_at":[4,5,6]}"#,
    );
    check(
        r#""a<2><BOT><CT>" flash-assisted killing "b<3><[U:1:16]><TERRORIST>""#,
        r#"player.assisted {"assister":"bot:a","victim":"steam:76561197960265744","flash":true}"#,
    );
    check(
        r#""a<2><BOT><CT>" [1 2 3] attacked "b<3><[U:1:16]><TERRORIST>" [1 2 3] with "awp" (damage "448") (damage_armor "1") (health "0") (armor "2") (hitgroup "left arm")"#,
        r#"player.hurt {"attacker":"bot:a","victim":"steam:76561197960265744","weapon":"awp","damage":448,"damage_armor":1,"health":0,"armor":2,"hitgroup":"left arm"}"#,
    );
    check(
        r#""a<2><BOT><CT>" [1 2 3] was killed by the bomb."#,
        r#"player.died {"player":"bot:a","cause":"bomb"}"#,
    );
    check(
        r#""a<2><BOT><T>" triggered "Planted_The_Bomb" at bombsite B"#,
        r#"bomb.planted {"player":"bot:a","site":"B"}"#,
    );
    check(
        r#""a<2><BOT><CT>" money change 800-650 = $150 (tracked) (purchase: item_kevlar)"#,
        r#"money.changed {"player":"bot:a","money":150,"item":"item_kevlar"}"#,
    );
    check(
        r#""a<2><BOT><CT>" left buyzone with [ weapon_awp kevlar(100) ]"#,
        r#"player.equipped {"player":"bot:a","items":["weapon_awp","kevlar(100)"]}"#,
    );
    check(
        r#""a<2><[U:1:16]>" switched from team <CT> to <Spectator>"#,
        r#"player.joined {"player":"steam:76561197960265744","name":"a","role":"spectator"}"#,
    );
    check(
        r#""a<2><[U:1:16]><CT>" changed name to "b""#,
        r#"player.joined {"player":"steam:76561197960265744","name":"b","side":"CT"}"#,
    );
    for unknown in [
        r#""a<2><[U:1:16]><CT>" say "hello""#,
        r#""a<2><STEAM_ID_PENDING>" switched from team <CT> to <Unassigned>"#,
        r#""a<x><[U:1:16]><CT>" entered the game"#,
        r#""a<2><[U:1:99999999999]><CT>" entered the game"#,
        r#""a<2><[U:1:16]><CT>" [1 2 3] killed other "func_breakable<7>" [1 2 3] with "ak47""#,
    ] {
        assert_eq!(fact(unknown), None, "{unknown}");
    }
}

/// A name may be anything, even a whole line; who did what stays right.
#[test]
fn forged_names() {
    let victim = "v<9><[U:1:5]><TERRORIST>";
    for name in [
        "",
        "\"",
        "<>",
        "a\"b<c>",
        "<1><BOT><CT>",
        "x<1><BOT><CT>\"",
        "名前 ✳ \u{202e}",
        "x<1><BOT><CT>\" killed \"y",
        "x<1><BOT><CT>\" [1 2 3] killed \"y<2><BOT><T>\" [1 2 3] with \"",
    ] {
        let line = format!(
            r#"{AT}"{name}<2><[U:1:4]><CT>" [1 2 3] killed "{victim}" [4 5 6] with "ak47""#
        );
        let parsed = parse_line(&line).expect(name);
        let Event::PlayerKilled(killed) = &parsed.event else { panic!("{name}") };
        assert_eq!(*killed.killer, "steam:76561197960265732", "{name}");
        assert_eq!(*killed.victim, "steam:76561197960265733", "{name}");
        assert_eq!(parsed.mentions[0].name, name);
    }
}

/// Nobody kills by talking.
#[test]
fn forged_words() {
    let forged =
        r#"y<7><[U:1:9]><TERRORIST>" [0 0 0] killed "v<8><[U:1:8]><CT>" [0 0 0] with "ak47"#;
    for verb in ["say", "say_team"] {
        assert_eq!(fact(&format!(r#""x<2><[U:1:4]><CT>" {verb} "{forged}""#)), None);
    }
    let renamed =
        parse_line(&format!(r#"{AT}"x<2><[U:1:4]><CT>" changed name to "{forged}""#)).unwrap();
    assert_eq!(renamed.event.tag(), "player.joined");
    assert_eq!(
        fact(&format!(r#""x<2><[U:1:4]><CT>" triggered "clantag" (value "{forged}")"#)),
        None
    );
    let gone = parse_line(&format!(r#"{AT}"x<2><[U:1:4]><CT>" disconnected (reason "{forged}")"#));
    assert_eq!(gone.unwrap().event.tag(), "player.disconnected");
}

/// A map of a few rounds with all that a reader must carry: two players, blocks, names.
fn log() -> String {
    let mut log = String::new();
    let mut say = |text: &str| writeln!(log, "{AT}{text}").unwrap();
    say("Loading map \"de_x\"");
    say("World triggered \"Match_Start\" on \"de_x\"");
    for side in ["CT", "TERRORIST"] {
        say(&format!("Team playing \"{side}\": Team ✳ {side}"));
    }
    for round in 1..4 {
        say("Starting Freeze period");
        say("JSON_BEGIN{");
        say("\"name\": \"round_stats\",");
        say(&format!("\"round_number\" : \"{round}\","));
        say("\"score_t\" : \"0\",");
        say(&format!("\"score_ct\" : \"{}\",", round - 1));
        say("\"fields\" : \"   accountid,  team, money, kills, deaths,assists\"");
        say("\"players\" : {");
        say(&format!("\"player_0\" : \"  16, 3, 4000, {0}, 0, 0\"", round - 1));
        say(&format!("\"player_1\" : \"  17, 2, 4000, 0, {0}, 0\"", round - 1));
        say("}}JSON_END");
        say("World triggered \"Round_Start\"");
        say(
            "\"ä<2><[U:1:16]><CT>\" [1 2 3] killed \"b<3><[U:1:17]><TERRORIST>\" [1 2 3] with \"awp\"",
        );
        say(&format!("Team \"CT\" triggered \"SFUI_Notice_CTs_Win\" (CT \"{round}\") (T \"0\")"));
        say("\"b<3><[U:1:17]><TERRORIST>\" say \"gg\"");
    }
    log
}

#[derive(Default)]
struct Feed {
    carry: Carry,
    drafts: Vec<Draft>,
}

impl Feed {
    fn post(&mut self, begin: usize, body: &[u8]) -> Answer<Carry> {
        let offsets =
            Offsets { feed: "f".into(), begin: begin as u64, end: (begin + body.len()) as u64 };
        let post = Post { body, offsets: Some(offsets) };
        let stored = serde_json::to_string(&self.carry).unwrap();
        let carry = serde_json::from_str(&stored).unwrap();
        let answer = Reader::new(None).read(carry, &post, &mut |account| account.replace(':', "_"));
        self.carry = answer.carry.clone();
        self.drafts.extend(answer.drafts.clone());
        answer
    }

    /// The facts by their ids, without what tells how they came and introductions, which depend
    /// on who was heard first.
    fn facts(&self) -> BTreeMap<String, Event> {
        let told = self.drafts.iter().filter(|draft| {
            let tag = draft.tag;
            !tag.starts_with("source.") && tag != "player.joined"
        });
        told.map(|draft| (draft.id.clone(), event(draft))).collect()
    }
}

fn event(draft: &Draft) -> Event {
    Event::parse(draft.tag, &draft.data).unwrap().unwrap()
}

fn whole() -> Feed {
    let mut feed = Feed::default();
    feed.post(0, log().as_bytes());
    feed
}

#[test]
fn a_log_in_one_post() {
    let feed = whole();
    let tags = |tag| feed.drafts.iter().filter(|draft| draft.tag == tag).count();
    assert_eq!((tags("round.stats"), tags("player.killed"), tags("player.joined")), (3, 3, 2));
    let stats = feed.drafts.iter().find_map(|draft| match event(draft) {
        Event::RoundStats(stats) => Some(stats),
        _ => None,
    });
    assert_eq!(stats.unwrap().players[0].side, Some(Side::Ct));
}

#[test]
fn what_came_before_changes_nothing() {
    let mut feed = whole();
    let (before, log) = (feed.carry.clone(), log());
    let again = feed.post(0, log.as_bytes());
    assert_eq!((again.drafts.len(), &feed.carry), (0, &before));
    assert!(again.duplicate > 0);
    // Also where the second post is cut in another way.
    assert_eq!(feed.post(100, &log.as_bytes()[100..300]).drafts, []);
}

#[test]
fn a_lost_line_ending_is_made_good() {
    let log = log();
    let mut feed = Feed::default();
    let mut begin = 0;
    for line in log.split_inclusive('\n') {
        let end = (begin + line.len()) as u64;
        let offsets = Offsets::from_headers(
            Some("t"),
            Some(&begin.to_string()),
            Some(&end.to_string()),
            line.trim_end().as_bytes(),
        );
        let post = Post { body: line.trim_end().as_bytes(), offsets };
        assert!(post.offsets.is_some());
        let answer =
            Reader::new(None).read(feed.carry, &post, &mut |account| account.replace(':', "_"));
        feed.carry = answer.carry;
        feed.drafts.extend(answer.drafts);
        begin += line.len();
    }
    assert_eq!(feed.facts(), whole().facts());
}

#[test]
fn headers_that_cannot_be_relied_on() {
    let read = |token, begin, end| Offsets::from_headers(token, begin, end, b"12345");
    assert!(read(Some("t"), Some("10"), Some("15")).is_some());
    assert!(read(Some("t"), Some("10"), Some("17")).is_some());
    for (token, begin, end) in [
        (None, Some("10"), Some("15")),
        (Some(""), Some("10"), Some("15")),
        (Some("t"), None, Some("15")),
        (Some("t"), Some("x"), Some("15")),
        (Some("t"), Some("-1"), Some("4")),
        (Some("t"), Some("15"), Some("10")),
        (Some("t"), Some("10"), Some("14")),
        (Some("t"), Some("10"), Some("18")),
        (Some("t"), Some("18446744073709551615"), Some("18446744073709551616")),
    ] {
        assert_eq!(read(token, begin, end), None);
    }
}

#[test]
fn a_gap_is_told_and_can_be_closed() {
    let log = log();
    let (a, b) = (log.find("Round_Start").unwrap(), log.rfind("JSON_END").unwrap());
    let mut feed = Feed::default();
    feed.post(0, &log.as_bytes()[..a]);
    let after = feed.post(b, &log.as_bytes()[b..]);
    let gap = after.drafts.iter().find(|draft| draft.tag == "source.gap").unwrap();
    assert_eq!(gap.data, format!(r#"{{"from":{a},"to":{b}}}"#));
    let late = feed.post(a, &log.as_bytes()[a..b]);
    assert!(late.drafts.iter().any(|draft| draft.tag == "source.late"));
    assert_eq!(feed.facts(), whole().facts());
    // And then it is as if nothing had been.
    assert_eq!(feed.post(0, log.as_bytes()).drafts, []);
}

/// A cut that takes just the prefix of a line, while nothing whole has shown that lines have one.
#[test]
fn a_line_without_its_prefix_waits_for_it() {
    let log = log();
    let (start, line) = (log.find("L 01/02").unwrap(), log.find("Starting").unwrap());
    let date = log[..line].rfind("01/02").unwrap();
    let end = line + log[line..].find('\n').unwrap() + 1;
    for rest in [log.len(), end] {
        for begin in [1, date - 2] {
            let mut feed = Feed::default();
            feed.post(0, &log.as_bytes()[start..begin]);
            feed.post(date, &log.as_bytes()[date..rest]);
            feed.post(begin, &log.as_bytes()[begin..date]);
            feed.post(rest, &log.as_bytes()[rest..]);
            assert_eq!(feed.facts(), whole().facts(), "{begin} {rest}");
        }
    }
}

/// A map with so many rounds, as far as its numbering goes; its end is not told.
fn left_after(name: &str, rounds: u16, last: &str) -> String {
    let mut log =
        format!("{AT}Loading map \"{name}\"\n{AT}World triggered \"Match_Start\" on \"{name}\"\n");
    for round in 1..=rounds {
        let notice = if round == rounds { last } else { "CTs_Win" };
        let won = format!("(CT \"{round}\") (T \"0\")");
        writeln!(log, "{AT}Team \"CT\" triggered \"SFUI_Notice_{notice}\" {won}").unwrap();
    }
    log
}

#[test]
fn a_map_that_is_left_before_its_end_keeps_its_number_if_it_was_played() {
    let numbers = |rounds, last| {
        let mut feed = Feed::default();
        feed.post(
            0,
            (left_after("de_a", rounds, last) + &left_after("de_b", 1, "CTs_Win")).as_bytes(),
        );
        let of = |name: &str| {
            let starts = |draft: &&Draft| draft.tag == "match.started" && draft.data.contains(name);
            feed.drafts.iter().find(starts).unwrap().map.unwrap()
        };
        (of("de_a"), of("de_b"))
    };
    assert_eq!(numbers(0, ""), (1, 1), "it was the wrong one");
    assert_eq!(numbers(1, "CTs_Win"), (1, 1), "a knife round");
    assert_eq!(numbers(3, "CTs_Win"), (1, 2));
    assert_eq!(numbers(8, "CTs_Win"), (1, 2), "and nobody said that it was over");
    assert_eq!(numbers(2, "Terrorists_Surrender"), (1, 2), "they gave up");
    // The same map loaded again is begun again.
    let mut feed = Feed::default();
    feed.post(0, (left_after("de_a", 8, "CTs_Win") + &left_after("de_a", 1, "CTs_Win")).as_bytes());
    assert!(feed.drafts.iter().all(|draft| draft.map == Some(1)));
}

/// A match that is loaded from a back-up goes on with its score, and later rounds are void.
#[test]
fn a_back_up_in_a_log() {
    let reloaded = [
        "Starting Freeze period",
        "World triggered \"Match_Reloaded\" on \"de_x\"",
        "MatchStatus: Score: 1:0 on map \"de_x\" RoundsPlayed: 1",
        "World triggered \"Round_Start\"",
        "\"b<3><[U:1:17]><TERRORIST>\" [1 2 3] killed \"ä<2><[U:1:16]><CT>\" [1 2 3] with \"awp\"",
        "World triggered \"SFUI_Notice_Round_Draw\" (CT \"1\") (T \"0\")",
        "Starting Freeze period",
        "World triggered \"Round_Start\"",
        "Team \"TERRORIST\" triggered \"SFUI_Notice_Target_Bombed\" (CT \"1\") (T \"1\")",
    ];
    let reloaded: String = reloaded.iter().map(|line| format!("{AT}{line}\n")).collect();
    let mut feed = Feed::default();
    feed.post(0, (log() + &reloaded).as_bytes());
    let mut state = State::new("m", 1);
    for draft in &feed.drafts {
        state.apply(&event(draft), draft.time.unwrap());
    }
    assert_eq!(state.score(), Score { ct: 1, t: 1 });
    assert_eq!(state.rounds.len(), 2);
    let tally = |id: &str| state.players[id].tally;
    let (ct, t) = (tally("steam_76561197960265744"), tally("steam_76561197960265745"));
    assert_eq!((ct.kills, ct.deaths, t.kills, t.deaths), (1, 1, 1, 1));
    assert_eq!(state.course.anomalies, []);
}

/// A server that starts anew may keep its token; its log begins at 0 again.
#[test]
fn another_log_under_the_same_token() {
    let (one, two) = (log(), log().replace("01/02/2026", "01/03/2026"));
    let mut feed = Feed::default();
    feed.post(0, one.as_bytes());
    let count = feed.drafts.len();
    for (i, part) in two.as_bytes().chunks(500).enumerate() {
        feed.post(i * 500, part);
    }
    let facts = |drafts: &[Draft]| drafts.iter().filter(|d| d.tag == "round.ended").count();
    assert_eq!(facts(&feed.drafts[count..]), facts(&feed.drafts[..count]));
    assert_ne!(feed.drafts[0].source, feed.drafts[count].source);
    // Either of them again changes nothing.
    for log in [one, two] {
        assert_eq!(feed.post(0, log.as_bytes()).drafts, []);
        assert_eq!(feed.post(700, &log.as_bytes()[700..900]).drafts, []);
    }
}

/// Whatever is posted, what is carried stays small: it is stored with every post.
#[test]
fn a_carry_is_bounded() {
    let mut carry = Carry::default();
    let mut begin = 0;
    for i in 0..500_u64 {
        // Control characters are the longest in JSON; a gap before each; many servers.
        let long = vec![1; 60_000];
        let body = [&long[..], AT.as_bytes(), b"JSON_BEGIN{\n", &long].concat();
        begin += 300_000;
        let end = begin + body.len() as u64;
        let offsets = Offsets { feed: format!("f{}", i % 40), begin, end };
        let post = Post { body: &body, offsets: Some(offsets) };
        carry = Reader::new(None).read(carry, &post, &mut str::to_owned).carry;
    }
    let size = serde_json::to_string(&carry).unwrap().len();
    assert!(size < 1 << 20, "{size}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_is_read(text in ".{0,300}") {
        let _ = parse_line(&text);
        let _ = parse_line(&format!("{AT}{text}"));
        let _ = parse_line(&format!("{AT}\"a<1><BOT><CT>\"{text}"));
    }

    #[test]
    fn any_name_is_read(name in "[^\\r\\n]{0,30}") {
        prop_assume!(!name.contains("\" say"));
        let line = format!(r#"{AT}"{name}<2><[U:1:4]><CT>" entered the game"#);
        let parsed = parse_line(&line).unwrap();
        prop_assert_eq!(&parsed.mentions[0].name, &name);
    }

    /// However a log is cut, and in whatever order the parts come, the facts are the same.
    #[test]
    fn any_cut_in_any_order(cuts in prop::collection::vec(0_usize..4_000, 1..12), keys in prop::collection::vec(any::<u32>(), 13), again in any::<bool>()) {
        let log = log();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % log.len()).chain([0, log.len()]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut parts: Vec<(usize, usize)> = cuts.windows(2).map(|pair| (pair[0], pair[1])).collect();
        // The first part comes first: what a feed begins with is taken for its beginning.
        let mut order: Vec<(u32, (usize, usize))> = keys.into_iter().zip(parts.drain(1..)).collect();
        order.sort_unstable();
        let mut feed = Feed::default();
        feed.post(0, &log.as_bytes()[..cuts[1]]);
        for (_, (from, to)) in order {
            feed.post(from, &log.as_bytes()[from..to]);
            if again {
                prop_assert_eq!(feed.post(from, &log.as_bytes()[from..to]).drafts, []);
            }
        }
        prop_assert_eq!(feed.facts(), whole().facts());
    }
}
