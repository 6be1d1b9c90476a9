//! The parts of which the plug-ins' events are made. What is of a wrong type is missing.

use matchwire_domain::live_match::cs::{PlayerReported, Reason, Side};
use serde_json::Value;

/// How many people of a team are read.
const MAX_PEOPLE: usize = 32;

/// A team as of a moment.
pub(super) struct Team<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) side: Option<Side>,
    pub(super) score: Option<u16>,
    people: Option<&'a Vec<Value>>,
}

/// A person in a match.
pub(super) struct Person<'a> {
    /// `steam:7656…` or `bot:Name`.
    pub(super) account: String,
    pub(super) name: &'a str,
    pub(super) side: Option<Side>,
    stats: Option<&'a Value>,
}

impl<'a> Team<'a> {
    pub(super) fn of(event: &'a Value, key: &str) -> Option<Self> {
        let team = event.get(key)?.as_object()?;
        Some(Self {
            name: team.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()),
            side: team.get("side").and_then(side),
            score: team.get("score").and_then(number),
            people: team.get("players").and_then(Value::as_array),
        })
    }

    pub(super) fn people(&self) -> impl Iterator<Item = Person<'a>> {
        let people = self.people.into_iter().flatten().take(MAX_PEOPLE);
        let side = self.side;
        people.filter_map(move |person| Some(Person { side, ..Person::of(person)? }))
    }
}

impl<'a> Person<'a> {
    pub(super) fn of(person: &'a Value) -> Option<Self> {
        let name = person.get("name")?.as_str()?;
        let id = person.get("steamid")?.as_str()?;
        let is_bot = person.get("is_bot").and_then(Value::as_bool) == Some(true) || id == "0";
        let digits = (1..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit());
        let account = match (is_bot, digits) {
            (true, _) => format!("bot:{name}"),
            (false, true) => format!("steam:{id}"),
            (false, false) => return None,
        };
        let side = person.get("side").and_then(side);
        Some(Self { account, name, side, stats: person.get("stats") })
    }

    /// What the plug-in's scoreboard says; `None` if it says nothing.
    pub(super) fn report(&self, id: &str) -> Option<PlayerReported> {
        let stats = self.stats?.as_object()?;
        let count = |key: &str| stats.get(key).and_then(number);
        let damage = stats.get("damage").and_then(Value::as_i64);
        Some(PlayerReported {
            kills: count("kills"),
            deaths: count("deaths"),
            assists: count("assists"),
            flash_assists: count("flash_assists"),
            headshots: count("headshot_kills"),
            trades: count("trade_kills"),
            team_kills: count("team_kills"),
            damage: damage.map(|damage| u32::try_from(damage.max(0)).unwrap_or(u32::MAX)),
            mvps: count("mvp"),
            ..PlayerReported::nothing(id)
        })
    }
}

pub(super) fn side(value: &Value) -> Option<Side> {
    match value.as_str()? {
        "ct" | "CT" => Some(Side::Ct),
        "t" | "T" => Some(Side::T),
        _ => None,
    }
}

pub(super) fn number(value: &Value) -> Option<u16> {
    value.as_i64().map(|value| u16::try_from(value.max(0)).unwrap_or(u16::MAX))
}

/// How a round was won. MatchZy has the numbers of the game's own `RoundEndReason`, as
/// CounterStrikeSharp lists them; Get5, whose `matchid` is a text, has SourceMod's `CSRoundEndReason`,
/// which are one less.
pub(super) fn reason(event: &Value) -> Reason {
    let number = event.get("reason").and_then(Value::as_i64).unwrap_or(-1);
    let number = if event.get("matchid").is_some_and(Value::is_string) {
        number.saturating_add(1)
    } else {
        number
    };
    match number {
        1 => Reason::BombExploded,
        7 => Reason::BombDefused,
        8 | 9 => Reason::Elimination,
        11 => Reason::HostagesRescued,
        12 => Reason::TimeRanOut,
        13 => Reason::HostagesNotRescued,
        17 | 18 => Reason::Surrender,
        _ => Reason::Other,
    }
}
