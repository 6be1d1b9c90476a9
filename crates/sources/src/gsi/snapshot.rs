//! What a post says, as far as it matters here. What is of a wrong type is missing.

use std::collections::BTreeMap;

use matchwire_domain::live_match::cs::{Score, Side};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The game's number at Steam; other games have posts of the same form.
const APP: u64 = 730;
/// The last second of the year 9999.
const MAX_TIME_S: i64 = 253_402_300_799;
/// How many people of a post are read.
const MAX_PEOPLE: usize = 64;
/// How many items of a person are read.
const MAX_ITEMS: usize = 16;

/// Who sends a post, and when.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Provider {
    /// `steam:7656…`.
    pub(super) account: String,
    /// By the sender's clock, in seconds since 1970.
    pub(super) time_s: i64,
}

/// What a client sees at a moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Snapshot {
    /// Where play stands; `None` in the menu.
    pub(super) play: Option<Play>,
    /// The player who is played or watched.
    pub(super) player: Option<Person>,
    /// Everyone on a side, where a spectator sees them.
    pub(super) everyone: Option<Vec<Person>>,
}

/// Where play stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Play {
    pub(super) map_name: String,
    pub(super) mode: Option<String>,
    pub(super) phase: Phase,
    pub(super) score: Score,
    /// What the teams on the sides are called: CT, T.
    pub(super) names: [Option<String>; 2],
    /// How rounds were won, `ct_win_defuse`, by their numbers.
    pub(super) wins: BTreeMap<u16, String>,
    /// What the round is at, where that is told.
    pub(super) step: Option<Step>,
    pub(super) winner: Option<Side>,
    pub(super) bomb: Option<Bomb>,
    /// Who has to do with the bomb, as an account.
    pub(super) bomber: Option<String>,
    /// What the clock runs for, `timeout_ct`.
    pub(super) clock: Option<String>,
}

/// What the map is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    WarmUp,
    Live,
    Intermission,
    GameOver,
}

/// What a round is at, in order after the round before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Step {
    Over,
    Freeze,
    Live,
}

/// What became of the bomb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Bomb {
    Planted,
    Defused,
    Exploded,
}

/// A person on a side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Person {
    pub(super) account: String,
    pub(super) name: String,
    pub(super) side: Side,
    pub(super) health: Option<u16>,
    pub(super) armor: Option<u16>,
    pub(super) helmet: Option<bool>,
    pub(super) kit: bool,
    pub(super) money: Option<u32>,
    pub(super) equipment: Option<u32>,
    pub(super) items: Option<Vec<String>>,
    pub(super) kills: Option<u16>,
    pub(super) deaths: Option<u16>,
    pub(super) assists: Option<u16>,
    pub(super) mvps: Option<u16>,
}

impl Provider {
    pub(super) fn of(post: &Value) -> Option<Self> {
        let provider = post.get("provider")?;
        if provider.get("appid").and_then(Value::as_u64) != Some(APP) {
            return None;
        }
        let time_s = provider.get("timestamp")?.as_i64()?;
        let account = account(provider.get("steamid")?.as_str()?)?;
        (1..=MAX_TIME_S).contains(&time_s).then_some(Self { account, time_s })
    }
}

impl Snapshot {
    pub(super) fn of(post: &Value) -> Self {
        let player = post.get("player").and_then(|player| {
            let id = player.get("steamid")?.as_str()?;
            Person::of(id, player)
        });
        let everyone = post.get("allplayers").and_then(Value::as_object).map(|all| {
            let people = all.iter().take(MAX_PEOPLE);
            people.filter_map(|(id, person)| Person::of(id, person)).collect()
        });
        Self { play: Play::of(post), player, everyone }
    }

    /// What the post says was before it; `None` if it says nothing of that.
    pub(super) fn before(post: &Value) -> Option<Self> {
        let (previously, added) = (post.get("previously"), post.get("added"));
        if previously.is_none() && added.is_none() {
            return None;
        }
        let mut before = post.clone();
        if let Some(added) = added {
            take_back(&mut before, added, false);
        }
        if let Some(previously) = previously {
            take_back(&mut before, previously, true);
        }
        Some(Self::of(&before))
    }
}

/// Puts old values in the place of new ones, or removes what was new. What was there as a whole and
/// is not told is missing.
fn take_back(value: &mut Value, patch: &Value, restores: bool) {
    let Value::Object(patch) = patch else { return };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Value::Object(fields) = value else { return };
    for (key, old) in patch {
        match old {
            Value::Object(_) => take_back(fields.entry(key).or_insert(Value::Null), old, restores),
            old if restores && !old.is_boolean() => {
                fields.insert(key.clone(), old.clone());
            }
            // A helmet is a yes or no of its own.
            Value::Bool(_) if restores && fields.get(key).is_some_and(Value::is_boolean) => {
                fields.insert(key.clone(), old.clone());
            }
            _ => {
                fields.remove(key);
            }
        }
    }
}

impl Play {
    fn of(post: &Value) -> Option<Self> {
        let map = post.get("map")?;
        let text = |path: &str| post.pointer(path).and_then(Value::as_str);
        let phase = match map.get("phase")?.as_str()? {
            "warmup" => Phase::WarmUp,
            "live" => Phase::Live,
            "intermission" => Phase::Intermission,
            "gameover" => Phase::GameOver,
            _ => return None,
        };
        let count = |path: &str| number(post.pointer(path));
        let score = Score { ct: count("/map/team_ct/score")?, t: count("/map/team_t/score")? };
        let wins = map.get("round_wins").and_then(Value::as_object);
        let win =
            |(number, how): (&String, &Value)| Some((number.parse().ok()?, short(how.as_str()?)));
        Some(Self {
            map_name: short(map.get("name")?.as_str()?),
            mode: text("/map/mode").map(short),
            phase,
            score,
            names: ["/map/team_ct/name", "/map/team_t/name"].map(|path| text(path).map(short)),
            wins: wins.into_iter().flatten().filter_map(win).take(256).collect(),
            step: match text("/round/phase") {
                Some("freezetime") => Some(Step::Freeze),
                Some("live") => Some(Step::Live),
                Some("over") => Some(Step::Over),
                _ => None,
            },
            winner: text("/round/win_team").and_then(side),
            bomb: match text("/round/bomb") {
                Some("planted") => Some(Bomb::Planted),
                Some("defused") => Some(Bomb::Defused),
                Some("exploded") => Some(Bomb::Exploded),
                _ => None,
            },
            bomber: text("/bomb/player").and_then(account),
            clock: text("/phase_countdowns/phase").map(short),
        })
    }
}

impl Person {
    fn of(id: &str, person: &Value) -> Option<Self> {
        let count = |path: &str| number(person.pointer(path));
        let dollars = |path: &str| {
            let value = person.pointer(path)?.as_i64()?;
            Some(u32::try_from(value.max(0)).unwrap_or(u32::MAX))
        };
        let flag = |path: &str| person.pointer(path).and_then(Value::as_bool);
        let items = person.get("weapons").and_then(Value::as_object).map(|weapons| {
            let named = weapons.values().filter_map(|weapon| weapon.get("name")?.as_str());
            let mut items: Vec<String> = named.take(MAX_ITEMS).map(short).collect();
            items.sort_unstable();
            items
        });
        Some(Self {
            account: account(id)?,
            name: short(person.get("name")?.as_str()?),
            side: side(person.get("team")?.as_str()?)?,
            health: count("/state/health"),
            armor: count("/state/armor"),
            helmet: flag("/state/helmet"),
            kit: flag("/state/defusekit").unwrap_or(false),
            money: dollars("/state/money"),
            equipment: dollars("/state/equip_value"),
            items,
            kills: count("/match_stats/kills"),
            deaths: count("/match_stats/deaths"),
            assists: count("/match_stats/assists"),
            mvps: count("/match_stats/mvps"),
        })
    }
}

/// A number from 0 on; the game lets a count of kills go below it.
fn number(value: Option<&Value>) -> Option<u16> {
    value?.as_i64().map(|value| u16::try_from(value.max(0)).unwrap_or(u16::MAX))
}

fn side(text: &str) -> Option<Side> {
    match text {
        "CT" => Some(Side::Ct),
        "T" => Some(Side::T),
        _ => None,
    }
}

/// The account of a 64-bit Steam id.
fn account(id: &str) -> Option<String> {
    let good = (1..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit());
    (good && id.bytes().any(|b| b != b'0')).then(|| format!("steam:{id}"))
}

/// A name is at most 128 characters long.
fn short(text: &str) -> String {
    text.chars().take(128).collect()
}
