//! What one line says.

use matchwire_domain::{
    live_match::course,
    live_match::cs::{
        BombDefuseStarted, BombDefused, BombDropped, BombPickedUp, BombPlantStarted, BombPlanted,
        Cause, Event, FreezeStarted, Items, Label, MapEnded, MapLoaded, MatchPaused, MatchReloaded,
        MatchRestarting, MatchResumed, MatchStarted, MoneyChanged, PauseReason, PersonName, Player,
        PlayerAssisted, PlayerConnected, PlayerDied, PlayerDisconnected, PlayerEquipped,
        PlayerHurt, PlayerJoined, PlayerKilled, Reason, RoundDrawn, RoundEnded, RoundStarted,
        RulesSet, Score, ScoreReported, TeamNamed, TeamScored, WarmupEnded, WarmupStarted,
    },
    timestamp::Timestamp,
};

use super::{
    line,
    mention::{self, Mention, Place},
};

/// A fact that a line tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// When the line was written.
    pub time: Timestamp,
    /// The fact; people are named by their accounts.
    pub event: Event,
    /// Everyone whom the line names.
    pub mentions: Vec<Mention>,
}

/// Reads a line, with or without its ending. `None` where it tells nothing that we know.
pub fn parse_line(text: &str) -> Option<Parsed> {
    let line = line::split(text)?;
    let (event, mentions) = if line.text.starts_with('"') {
        person(line.text).or_else(|| rule(line.text).map(|event| (event, Vec::new())))?
    } else {
        (world(line.text)?, Vec::new())
    };
    Some(Parsed { time: line.time, event, mentions })
}

/// What the server says of the match.
fn world(text: &str) -> Option<Event> {
    if let Some(rest) = text.strip_prefix("World triggered \"") {
        return world_trigger(rest);
    }
    if let Some(rest) = text.strip_prefix("MatchStatus: ") {
        return match rest.strip_prefix("Score: ") {
            Some(score) => match_status(score),
            None => team_named(rest),
        };
    }
    if let Some(rest) = text.strip_prefix("Team \"") {
        return team(rest);
    }
    if let Some(rest) = text.strip_prefix("Loading map \"").or(text.strip_prefix("Started map \""))
    {
        return Some(MapLoaded { map_name: Label::cut(rest.split_once('"')?.0) }.into());
    }
    if let Some(rest) = text.strip_prefix("Game Over: ") {
        return game_over(rest);
    }
    if let Some(rest) = text.strip_prefix("Match pause is ") {
        return pause(rest);
    }
    if let Some(rest) = text.strip_prefix("server_cvar: ") {
        let (name, value) = rest.strip_prefix('"')?.split_once("\" \"")?;
        return cvar(name, value.strip_suffix('"')?);
    }
    match text {
        "Starting Freeze period" => Some(FreezeStarted {}.into()),
        _ => team_named(text),
    }
}

fn world_trigger(rest: &str) -> Option<Event> {
    let (what, rest) = rest.split_once('"')?;
    let map_name = || {
        let name = rest.strip_prefix(" on \"")?.split_once('"')?.0;
        Some(Label::cut(name))
    };
    if let Some(delay) = what.strip_prefix("Restart_Round_(") {
        let seconds = delay.split_once('_')?.0.parse().ok()?;
        return Some(MatchRestarting { seconds }.into());
    }
    match what {
        "Round_Start" => Some(RoundStarted {}.into()),
        "Match_Start" => Some(MatchStarted { map_name: map_name() }.into()),
        "Match_Reloaded" => Some(MatchReloaded { score: None }.into()),
        "Warmup_Start" => Some(WarmupStarted {}.into()),
        "Warmup_End" => Some(WarmupEnded {}.into()),
        "SFUI_Notice_Round_Draw" => Some(RoundDrawn {}.into()),
        _ => None,
    }
}

/// `CT" triggered "SFUI_Notice_CTs_Win" (CT "1") (T "0")` or `CT" scored "1" with "5" players`.
fn team(rest: &str) -> Option<Event> {
    let (side, rest) = rest.split_once('"')?;
    let side = Place::parse(side)?.side()?;
    if let Some(score) = rest.strip_prefix(" scored \"") {
        return Some(TeamScored { side, score: score.split_once('"')?.0.parse().ok()? }.into());
    }
    let (notice, rest) = rest.strip_prefix(" triggered \"")?.split_once('"')?;
    let reason = match notice.strip_prefix("SFUI_Notice_")? {
        "Round_Draw" => return Some(RoundDrawn {}.into()),
        "CTs_Win" | "Terrorists_Win" => Reason::Elimination,
        "Target_Bombed" => Reason::BombExploded,
        "Bomb_Defused" => Reason::BombDefused,
        "Target_Saved" => Reason::TimeRanOut,
        "All_Hostages_Rescued" => Reason::HostagesRescued,
        "Hostages_Not_Rescued" => Reason::HostagesNotRescued,
        "CTs_Surrender" | "Terrorists_Surrender" => Reason::Surrender,
        _ => Reason::Other,
    };
    let score = || {
        let (ct, rest) = rest.strip_prefix(" (CT \"")?.split_once("\") (T \"")?;
        Some(Score { ct: ct.parse().ok()?, t: rest.strip_suffix("\")")?.parse().ok()? })
    };
    Some(RoundEnded { winner: side, reason, score: score() }.into())
}

/// `0:0 on map "de_nuke" RoundsPlayed: -1`, where -1 is warm-up.
fn match_status(rest: &str) -> Option<Event> {
    let (score, rest) = rest.split_once(' ')?;
    let (_, played) = rest.rsplit_once("RoundsPlayed: ")?;
    if played == "-1" {
        return Some(WarmupStarted {}.into());
    }
    let (ct, t) = score.split_once(':')?;
    let score = Score { ct: ct.parse().ok()?, t: t.parse().ok()? };
    Some(ScoreReported { score }.into())
}

/// `Team playing "CT": name`.
fn team_named(text: &str) -> Option<Event> {
    let (side, name) = text.strip_prefix("Team playing \"")?.split_once("\": ")?;
    let side = Place::parse(side)?.side()?;
    Some(TeamNamed { side, name: Label::cut(name.trim()) }.into())
}

/// `competitive mg_active de_nuke score 6:16 after 50 min`.
fn game_over(rest: &str) -> Option<Event> {
    let (before, after) = rest.rsplit_once(" score ")?;
    let (ct, t) = after.split_once(' ')?.0.split_once(':')?;
    let score = Score { ct: ct.parse().ok()?, t: t.parse().ok()? };
    let map_name = before.rsplit(' ').next().filter(|name| !name.is_empty()).map(Label::cut);
    Some(MapEnded { score, map_name }.into())
}

/// `enabled - TimeOutTs` or `disabled - mp_unpause_match`.
fn pause(rest: &str) -> Option<Event> {
    if rest.starts_with("disabled") {
        return Some(course::Event::from(MatchResumed {}).into());
    }
    let (reason, side) = match rest.strip_prefix("enabled")?.trim_start_matches(" - ") {
        "TimeOutTs" => (PauseReason::Timeout, Some("T")),
        "TimeOutCTs" => (PauseReason::Timeout, Some("CT")),
        "mp_halftime_pausematch" => (PauseReason::HalfTime, None),
        _ => (PauseReason::Technical, None),
    };
    let paused = MatchPaused { reason, side: side.map(Label::cut) };
    Some(course::Event::from(paused).into())
}

/// `"mp_maxrounds" = "24"`, as a starting server lists its rules.
fn rule(text: &str) -> Option<Event> {
    let (name, value) = text.strip_prefix('"')?.split_once("\" = \"")?;
    cvar(name, value.strip_suffix('"')?)
}

/// A rule that we follow, from the variable that sets it.
fn cvar(name: &str, value: &str) -> Option<Event> {
    let number: f64 = value.parse().ok().or(match value {
        "true" => Some(1.0),
        "false" => Some(0.0),
        _ => None,
    })?;
    if !(0.0..=10_000.0).contains(&number) {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    let whole = |number: f64| number.round() as u16;
    let nothing = RulesSet {
        max_rounds: None,
        overtime_max_rounds: None,
        overtime: None,
        round_s: None,
        bomb_s: None,
    };
    let rules = match name {
        "mp_maxrounds" => RulesSet { max_rounds: Some(whole(number)), ..nothing },
        "mp_overtime_maxrounds" => RulesSet { overtime_max_rounds: Some(whole(number)), ..nothing },
        "mp_overtime_enable" => RulesSet { overtime: Some(number > 0.0), ..nothing },
        "mp_roundtime_defuse" => RulesSet { round_s: Some(whole(number * 60.0)), ..nothing },
        "mp_c4timer" => RulesSet { bomb_s: Some(whole(number)), ..nothing },
        _ => return None,
    };
    Some(rules.into())
}

/// What a person did. Where a line can be read in several ways, since somebody's name looks like a
/// part of a line, the reading with the shortest names is taken: a name with another's tag in it
/// is longer than any that the game allows.
fn person(text: &str) -> Option<(Event, Vec<Mention>)> {
    let mut readings = Vec::new();
    for (subject, rest) in mention::candidates(text) {
        if has_free_text(rest) {
            // What follows is the player's own words, which may look like anything.
            readings.extend(spoken(subject, rest));
            break;
        }
        readings.extend(act(&subject, rest));
    }
    readings.into_iter().min_by_key(|(_, people)| {
        people.iter().map(|mention| mention.name.chars().count()).max().unwrap_or(0)
    })
}

/// Whether the rest of a line holds text that a person chose.
fn has_free_text(rest: &str) -> bool {
    [" say \"", " say_team \"", " changed name to \"", " disconnected", " triggered \"clantag\""]
        .iter()
        .any(|verb| rest.starts_with(verb))
}

fn spoken(mut subject: Mention, rest: &str) -> Option<(Event, Vec<Mention>)> {
    let player = Player::new(&subject.account);
    if let Some(name) = rest.strip_prefix(" changed name to \"") {
        let name = name.strip_suffix('"')?;
        subject.name = name.into();
        let joined = joined(&subject, subject.place);
        return Some((joined, vec![subject]));
    }
    if let Some(rest) = rest.strip_prefix(" disconnected") {
        let reason = rest.strip_prefix(" (reason \"").and_then(|rest| rest.strip_suffix("\")"));
        let event = PlayerDisconnected { player, reason: reason.map(Label::cut) };
        return Some((event.into(), vec![subject]));
    }
    None
}

fn joined(subject: &Mention, place: Place) -> Event {
    PlayerJoined {
        player: Player::new(&subject.account),
        name: PersonName::cut(&subject.name),
        side: place.side(),
        role: place.role(),
    }
    .into()
}

fn act(subject: &Mention, rest: &str) -> Option<(Event, Vec<Mention>)> {
    let player = || Player::new(&subject.account);
    let alone = |event: Event| Some((event, vec![subject.clone()]));
    let (at, rest) = position(rest);
    if let Some(rest) = rest.strip_prefix(" killed ") {
        return killed(subject, at, rest);
    }
    if let Some(rest) = rest.strip_prefix(" attacked ") {
        return attacked(subject, rest);
    }
    for (verb, flash) in [(" assisted killing ", false), (" flash-assisted killing ", true)] {
        if let Some(rest) = rest.strip_prefix(verb) {
            return assisted(subject, rest, flash);
        }
    }
    if let Some(rest) = rest.strip_prefix(" triggered \"") {
        return alone(triggered(player(), rest)?);
    }
    if let Some(rest) = rest.strip_prefix(" money change ") {
        return alone(money(player(), rest)?);
    }
    if let Some(rest) = rest.strip_prefix(" left buyzone with [") {
        let items = Items::cut(rest.strip_suffix(']')?.split_whitespace());
        return alone(PlayerEquipped { player: player(), items }.into());
    }
    if let Some(rest) = rest.strip_prefix(" switched from team <") {
        let (_, to) = rest.split_once("> to <")?;
        let place = Place::parse(to.strip_suffix('>')?)?;
        return alone(joined(subject, place));
    }
    if rest.starts_with(" committed suicide with \"") {
        let cause = if rest.ends_with("\"world\"") { Cause::World } else { Cause::Suicide };
        return alone(PlayerDied { player: player(), cause }.into());
    }
    match rest {
        " entered the game" => {
            let name = PersonName::cut(&subject.name);
            alone(PlayerConnected { player: player(), name }.into())
        }
        " was killed by the bomb." => {
            alone(PlayerDied { player: player(), cause: Cause::Bomb }.into())
        }
        _ => None,
    }
}

/// Reads ` [x y z]`, where it is there.
fn position(text: &str) -> (Option<[i32; 3]>, &str) {
    let read = || {
        let (inside, rest) = text.strip_prefix(" [")?.split_once(']')?;
        let mut parts = inside.split(' ').map(|part| part.parse().ok());
        let at = [parts.next()??, parts.next()??, parts.next()??];
        parts.next().is_none().then_some((at, rest))
    };
    read().map_or((None, text), |(at, rest)| (Some(at), rest))
}

/// `"victim" [x y z] with "ak47" (headshot penetrated)`.
fn killed(
    subject: &Mention,
    killer_at: Option<[i32; 3]>,
    rest: &str,
) -> Option<(Event, Vec<Mention>)> {
    mention::candidates(rest).find_map(|(victim, rest)| {
        let (victim_at, rest) = position(rest);
        let (weapon, flags) = rest.strip_prefix(" with \"")?.split_once('"')?;
        let flags = match flags {
            "" => "",
            flags => flags.strip_prefix(" (")?.strip_suffix(')')?,
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_- ".contains(&b);
        if !weapon.bytes().chain(flags.bytes()).all(plain) {
            return None;
        }
        let has = |flag| flags.split(' ').any(|word| word == flag);
        let event = PlayerKilled {
            killer: Player::new(&subject.account),
            victim: Player::new(&victim.account),
            weapon: Label::cut(weapon),
            headshot: has("headshot"),
            penetrated: has("penetrated"),
            through_smoke: has("throughsmoke"),
            attacker_blind: has("attackerblind"),
            no_scope: has("noscope"),
            killer_at,
            victim_at,
        };
        Some((event.into(), vec![subject.clone(), victim]))
    })
}

/// `"victim" [x y z] with "ak47" (damage "27") (damage_armor "3") (health "73") …`.
fn attacked(subject: &Mention, rest: &str) -> Option<(Event, Vec<Mention>)> {
    mention::candidates(rest).find_map(|(victim, rest)| {
        let (_, rest) = position(rest);
        let (weapon, rest) = rest.strip_prefix(" with \"")?.split_once("\" (damage \"")?;
        let (damage, rest) = rest.split_once("\") (damage_armor \"")?;
        let (damage_armor, rest) = rest.split_once("\") (health \"")?;
        let (health, rest) = rest.split_once("\") (armor \"")?;
        let (armor, hitgroup) = rest.split_once("\") (hitgroup \"")?;
        let event = PlayerHurt {
            attacker: Player::new(&subject.account),
            victim: Player::new(&victim.account),
            weapon: Label::cut(weapon),
            damage: damage.parse().ok()?,
            damage_armor: damage_armor.parse().ok()?,
            health: health.parse().ok()?,
            armor: armor.parse().ok()?,
            hitgroup: Label::cut(hitgroup.strip_suffix("\")")?),
        };
        Some((event.into(), vec![subject.clone(), victim]))
    })
}

fn assisted(subject: &Mention, rest: &str, flash: bool) -> Option<(Event, Vec<Mention>)> {
    mention::candidates(rest).find_map(|(victim, rest)| {
        let assister = Player::new(&subject.account);
        let event = PlayerAssisted { assister, victim: Player::new(&victim.account), flash };
        rest.is_empty().then(|| (event.into(), vec![subject.clone(), victim]))
    })
}

/// What a player does with the bomb.
fn triggered(player: Player, rest: &str) -> Option<Event> {
    let (what, rest) = rest.split_once('"')?;
    let site = || rest.strip_prefix(" at bombsite ").map(Label::cut);
    let event = match what {
        "Got_The_Bomb" => BombPickedUp { player }.into(),
        "Dropped_The_Bomb" => BombDropped { player }.into(),
        "Bomb_Begin_Plant" => BombPlantStarted { player, site: site() }.into(),
        "Planted_The_Bomb" => BombPlanted { player: Some(player), site: site() }.into(),
        "Begin_Bomb_Defuse_With_Kit" => BombDefuseStarted { player, kit: true }.into(),
        "Begin_Bomb_Defuse_Without_Kit" => BombDefuseStarted { player, kit: false }.into(),
        "Defused_The_Bomb" => BombDefused { player: Some(player) }.into(),
        _ => return None,
    };
    Some(event)
}

/// `800-650 = $150 (tracked) (purchase: item_kevlar)`.
fn money(player: Player, rest: &str) -> Option<Event> {
    let (_, rest) = rest.split_once(" = $")?;
    let (money, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let item =
        rest.split_once("(purchase: ").and_then(|(_, item)| item.strip_suffix(')')).map(Label::cut);
    Some(MoneyChanged { player, money: money.parse().ok()?, item }.into())
}
