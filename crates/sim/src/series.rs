//! A best-of-three series, and what the simulation itself knows of it.

use std::collections::BTreeMap;

use matchwire_domain::live_match::cs::{Reason, Side};
use rand::{Rng, SeedableRng, rngs::SmallRng, seq::SliceRandom};

use crate::{
    fight::Stage,
    map::Course,
    roster::{Lobby, Team},
    script::{Script, Step},
};

/// A seed whose series goes over three maps, with an overtime.
pub const DEFAULT_SEED: u64 = 289;

const MAPS: [&str; 7] =
    ["de_ancient", "de_anubis", "de_dust2", "de_inferno", "de_mirage", "de_nuke", "de_train"];
/// Maps that win a series.
const MAPS_TO_WIN: u8 = 2;
/// Between maps.
const BREAK_MS: u64 = 60_000;

/// A series: every step of it, and its result.
#[derive(Debug)]
pub struct Series {
    /// The teams' names, in the order that results have.
    pub teams: [&'static str; 2],
    /// All that happens, in order of time.
    pub steps: Vec<Step>,
    /// The maps that were played.
    pub maps: Vec<MapResult>,
}

/// What the simulation knows of a map.
#[derive(Debug, PartialEq)]
pub struct MapResult {
    /// Its number, from 1.
    pub map: u16,
    /// Its name.
    pub map_name: &'static str,
    /// Rounds won, in the order of teams.
    pub score: [u16; 2],
    /// Every round, in order.
    pub rounds: Vec<RoundResult>,
    /// What each player did, by account.
    pub players: BTreeMap<String, PlayerResult>,
}

/// How a round went.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundResult {
    /// The index of the team that won.
    pub winner: usize,
    /// The side it was on.
    pub side: Side,
    /// How.
    pub reason: Reason,
}

/// What a player did on a map.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlayerResult {
    /// The index of the team.
    pub team: usize,
    /// Enemies killed.
    pub kills: u16,
    /// Times died.
    pub deaths: u16,
    /// Assists, flash assists among them.
    pub assists: u16,
    /// Kills with a headshot.
    pub headshots: u16,
}

impl Series {
    /// Plays the series of a seed: on every 64-bit machine the same one, byte for byte, as long as
    /// `rand` stays at its version.
    pub fn new(seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut lobby = Lobby::new(&mut rng);
        let mut script = Script::default();
        let mut names = MAPS;
        names.shuffle(&mut rng);
        let mut first_ct = if rng.random_bool(0.5) { Team::First } else { Team::Second };
        let (mut maps, mut won) = (Vec::new(), [0, 0]);
        for (map, map_name) in (1..).zip(names) {
            script.map = map;
            let (lobby, script, rng) = (&mut lobby, &mut script, &mut rng);
            let mut stage = Stage { lobby, script, rng, carrier: None };
            let (score, rounds) = Course::new(&mut stage, map_name, first_ct).play();
            let [first, second] = &mut won;
            *if score[Team::First] > score[Team::Second] { first } else { second } += 1;
            let score = score.0;
            maps.push(MapResult { map, map_name, score, rounds, players: results(&stage) });
            if won.contains(&MAPS_TO_WIN) {
                break;
            }
            first_ct = first_ct.other();
            stage.script.wait(BREAK_MS);
        }
        Self { teams: lobby.names.0, steps: script.steps, maps }
    }
}

fn results(stage: &Stage<'_>) -> BTreeMap<String, PlayerResult> {
    let fighters = stage.lobby.fighters.iter();
    fighters
        .map(|fighter| {
            let result = PlayerResult { team: fighter.team.index(), ..fighter.result };
            (fighter.account.to_string(), result)
        })
        .collect()
}
