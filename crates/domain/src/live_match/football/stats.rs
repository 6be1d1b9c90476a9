//! What teams and players did, over the maps of a match, of which football has one; with the rates that
//! people compare.
//!
//! All of it is what the state counts, by the definitions that stand there, so that an event that comes
//! again counts once. Rates are per 90 minutes on the pitch, as Opta and StatsBomb give them; without
//! added time, which is no part of the minutes.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Millionths, PlayerState, State, Team, Thousandths};

/// The figures of a match.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    /// Both teams, in their order.
    pub teams: Vec<TeamStats>,
    /// Everyone who was on the pitch or did something, by player id.
    pub players: BTreeMap<String, PlayerStats>,
}

/// What a team did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TeamStats {
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Goals, without a shoot-out's kicks.
    pub goals: u16,
    /// Attempts at goal.
    pub shots: u16,
    /// Of them on target.
    pub shots_on_target: u16,
    /// Expected goals, where given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xg: Option<Millionths>,
    /// Expected goals of a shot, where given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xg_per_shot: Option<Millionths>,
    /// The part of the time in possession.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub possession: Option<Thousandths>,
    /// Cautions.
    pub yellow_cards: u16,
    /// Sendings-off.
    pub red_cards: u16,
}

/// What a player did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlayerStats {
    /// The outside account, for those who may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The index of the team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<usize>,
    /// Minutes on the pitch, without added time.
    pub minutes: u16,
    /// Goals for the own team.
    pub goals: u16,
    /// Goals for the other one.
    pub own_goals: u16,
    /// Last passes before a goal.
    pub assists: u16,
    /// Attempts at goal.
    pub shots: u16,
    /// Of them on target.
    pub shots_on_target: u16,
    /// Expected goals, where given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xg: Option<Millionths>,
    /// Cautions.
    pub yellow_cards: u16,
    /// Sent off.
    pub red_cards: u16,
    /// Goals in 90 minutes; left out for who has played none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goals_per_90: Option<Millionths>,
    /// Attempts in 90 minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shots_per_90: Option<Millionths>,
    /// Expected goals in 90 minutes, where given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xg_per_90: Option<Millionths>,
}

impl Stats {
    /// Of a match as it stands.
    pub fn of(state: &State) -> Self {
        let players = state.players.iter().filter(|(_, player)| player.took_part());
        Self {
            teams: state.teams.iter().map(TeamStats::of).collect(),
            players: players.map(|(id, player)| (id.clone(), PlayerStats::of(player))).collect(),
        }
    }
}

impl PlayerState {
    /// Whether the player was on the pitch or did something.
    pub(super) fn took_part(&self) -> bool {
        self.on_pitch == Some(true)
            || self.minutes > 0
            || self.shots > 0
            || self.yellow_cards + self.red_cards + self.assists + self.own_goals > 0
    }
}

impl TeamStats {
    fn of(team: &Team) -> Self {
        let per_shot = |Millionths(xg)| xg.checked_div(u64::from(team.shots)).map(Millionths);
        Self {
            name: team.name.clone(),
            goals: team.score,
            shots: team.shots,
            shots_on_target: team.shots_on_target,
            xg: team.xg,
            xg_per_shot: team.xg.and_then(per_shot),
            possession: team.possession,
            yellow_cards: team.yellow_cards,
            red_cards: team.red_cards,
        }
    }
}

impl PlayerStats {
    fn of(player: &PlayerState) -> Self {
        let per_90 = |millionths: u64| {
            let minutes = u64::from(player.minutes);
            millionths.saturating_mul(90).checked_div(minutes).map(Millionths)
        };
        let whole = |count: u16| u64::from(count) * 1_000_000;
        Self {
            account: player.account.clone(),
            name: player.name.shown(),
            team: player.team,
            minutes: player.minutes,
            goals: player.goals,
            own_goals: player.own_goals,
            assists: player.assists,
            shots: player.shots,
            shots_on_target: player.shots_on_target,
            xg: player.xg,
            yellow_cards: player.yellow_cards,
            red_cards: player.red_cards,
            goals_per_90: per_90(whole(player.goals)),
            shots_per_90: per_90(whole(player.shots)),
            xg_per_90: player.xg.and_then(|Millionths(xg)| per_90(xg)),
        }
    }
}
