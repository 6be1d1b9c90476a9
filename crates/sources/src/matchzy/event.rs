//! The parts of which the plug-ins' events are made. What is of a wrong type is missing.

use matchwire_domain::{
    live_match::{
        Label, TeamIndex,
        cs::{PlayerReported, Reason, Side},
    },
    series,
};
use serde_json::Value;

/// How many people of a team are read.
const MAX_PEOPLE: usize = 32;

/// A team as of a moment.
pub(super) struct Team<'a> {
    pub(super) name: Option<&'a str>,
    /// How the platform names it.
    pub(super) id: Option<String>,
    pub(super) side: Option<Side>,
    pub(super) score: Option<u16>,
    people: Option<&'a Value>,
}

/// A person in a match.
pub(super) struct Person<'a> {
    /// `steam:7656…` or `bot:Name`.
    pub(super) account: String,
    pub(super) name: &'a str,
    pub(super) side: Option<Side>,
    stats: Option<&'a Value>,
}

/// Both teams of an event. Older versions of Get5 have `team1_name` in the place of `team1.name`.
pub(super) fn teams(event: &Value) -> [Team<'_>; 2] {
    ["team1", "team2"].map(|key| Team::of(event, key))
}

impl<'a> Team<'a> {
    fn of(event: &'a Value, key: &str) -> Self {
        let team = event.get(key).filter(|team| team.is_object());
        let own = |field: &str| team.and_then(|team| team.get(field));
        let told = |field: &str| own(field).or_else(|| event.get(format!("{key}_{field}")));
        Self {
            name: told("name").and_then(Value::as_str).filter(|name| !name.is_empty()),
            id: own("id").and_then(id),
            side: own("side").and_then(side),
            score: told("score").and_then(number),
            people: own("players"),
        }
    }

    /// Its people: a list, or accounts with their names as a match is configured.
    pub(super) fn people(&self) -> impl Iterator<Item = Person<'a>> {
        let side = self.side;
        let list = self.people.and_then(Value::as_array).into_iter().flatten();
        let listed = list.filter_map(Person::of);
        let table = self.people.and_then(Value::as_object).into_iter().flatten();
        let named = table.filter_map(|(id, name)| {
            let account = account(id, name.as_str()?, false)?;
            Some(Person { account, name: name.as_str()?, side: None, stats: None })
        });
        let people = listed.chain(named).take(MAX_PEOPLE);
        people.map(move |person| Person { side: side.or(person.side), ..person })
    }

    /// The name, as events have it.
    pub(super) fn label(&self) -> Option<Label> {
        self.name.map(Label::cut)
    }

    /// The team without its people.
    pub(super) fn bare(&self) -> Self {
        Self { id: self.id.clone(), people: None, ..*self }
    }

    /// As a match's stream refers to it.
    pub(super) fn reference(&self) -> Option<series::TeamRef> {
        let id = self.id.as_deref().map(Label::cut);
        Some(series::TeamRef { name: Label::cut(self.name?), id })
    }
}

impl<'a> Person<'a> {
    pub(super) fn of(person: &'a Value) -> Option<Self> {
        let name = person.get("name")?.as_str()?;
        let is_bot = person.get("is_bot").and_then(Value::as_bool) == Some(true);
        let account = account(person.get("steamid")?.as_str()?, name, is_bot)?;
        let side = person.get("side").and_then(side);
        Some(Self { account, name, side, stats: person.get("stats") })
    }

    /// What the plug-in's scoreboard says; `None` if it says nothing.
    pub(super) fn report(&self, id: &str) -> Option<PlayerReported> {
        let stats = self.stats?.as_object()?;
        let count = |key: &str| stats.get(key).and_then(number);
        let damage = |key: &str| {
            let damage = stats.get(key).and_then(Value::as_i64)?;
            Some(u32::try_from(damage.max(0)).unwrap_or(u32::MAX))
        };
        // Sums over keys of which each counts rounds of one kind.
        let rounds = |keys: &[&str]| {
            let told = keys.iter().filter_map(|key| count(key));
            told.fold(None, |sum: Option<u16>, one| Some(sum.unwrap_or(0).saturating_add(one)))
        };
        Some(PlayerReported {
            kills: count("kills"),
            deaths: count("deaths"),
            assists: count("assists"),
            flash_assists: count("flash_assists"),
            headshots: count("headshot_kills"),
            trades: count("trade_kills"),
            team_kills: count("team_kills"),
            damage: damage("damage"),
            utility_damage: damage("utility_damage"),
            opening_kills: rounds(&["first_kills_t", "first_kills_ct"]),
            opening_deaths: rounds(&["first_deaths_t", "first_deaths_ct"]),
            multi_kills: rounds(&["2k", "3k", "4k", "5k"]),
            aces: count("5k"),
            clutches_won: rounds(&["1v1", "1v2", "1v3", "1v4", "1v5"]),
            rounds: count("rounds_played"),
            kast_rounds: count("kast"),
            mvps: count("mvp"),
            ..PlayerReported::nothing(id)
        })
    }
}

/// The account of a person by the id that a plug-in has; bots have none.
fn account(id: &str, name: &str, is_bot: bool) -> Option<String> {
    let is_bot = is_bot || id == "0" || id.starts_with("BOT-");
    let digits = (1..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit());
    match (is_bot, digits) {
        (true, _) => Some(format!("bot:{name}")),
        (false, true) => Some(format!("steam:{id}")),
        (false, false) => None,
    }
}

/// The id of a team, text or a number.
fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// A side, by its name or by the number that the game has for it.
pub(super) fn side(value: &Value) -> Option<Side> {
    match (value.as_str(), value.as_i64()) {
        (Some("ct" | "CT" | "3"), _) | (_, Some(3)) => Some(Side::Ct),
        (Some("t" | "T" | "TERRORIST" | "2"), _) | (_, Some(2)) => Some(Side::T),
        _ => None,
    }
}

/// A team of the two; `None` for spectators and for none.
pub(super) fn team(value: &Value) -> Option<TeamIndex> {
    match value.as_str()? {
        "team1" => Some(TeamIndex::First),
        "team2" => Some(TeamIndex::Second),
        _ => None,
    }
}

pub(super) fn number(value: &Value) -> Option<u16> {
    value.as_i64().map(|value| u16::try_from(value.max(0)).unwrap_or(u16::MAX))
}

/// Whether Get5 tells it: its match ids are text, and MatchZy's are numbers.
pub(super) fn is_of_get5(event: &Value) -> bool {
    event.get("matchid").is_some_and(Value::is_string)
}

/// How a round was won. MatchZy has the numbers of the game's own `RoundEndReason`, as
/// CounterStrikeSharp lists them; Get5 has SourceMod's `CSRoundEndReason`, which are one less.
pub(super) fn reason(event: &Value) -> Reason {
    let number = event.get("reason").and_then(Value::as_i64).unwrap_or(-1);
    let number = if is_of_get5(event) { number.saturating_add(1) } else { number };
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
