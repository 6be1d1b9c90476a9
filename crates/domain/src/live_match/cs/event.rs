//! What can happen on a map, each with the schema of its data.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::live_match::{
    Label, PersonName, Player, course,
    declare::{bounded, vocabulary},
};

vocabulary! {
    with course::Event;
    /// The server changes to a map: whatever was on it before, counting begins anew.
    "map.loaded" => MapLoaded {
        /// The name of the map, `de_nuke`.
        map_name: Label,
    };
    /// Rules of the match, as far as they are known. MR12 is `max_rounds` 24, MR15 is 30.
    "rules.set" => RulesSet {
        /// Rounds of regulation, both halves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_rounds: Option<u16>,
        /// Rounds of one overtime, both halves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        overtime_max_rounds: Option<u16>,
        /// Whether a draw is played out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        overtime: Option<bool>,
        /// How long a round lasts until the bomb is planted, in seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        round_s: Option<u16>,
        /// How long a planted bomb ticks, in seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bomb_s: Option<u16>,
    };
    /// The team on a side says its name.
    "team.named" => TeamNamed {
        /// The side.
        side: Side,
        /// The name.
        name: Label,
    };
    /// A person takes a place: a side, or none; as player, coach or spectator. Also a new name.
    "player.joined" => PlayerJoined {
        /// Who.
        player: Player,
        /// The name.
        name: PersonName,
        /// The side, left out for none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        side: Option<Side>,
        /// What the person is here; a player if left out.
        #[serde(default, skip_serializing_if = "Role::is_player")]
        role: Role,
    };
    /// A person is on the server, again or for the first time.
    "player.connected" => PlayerConnected {
        /// Who.
        player: Player,
        /// The name.
        name: PersonName,
    };
    /// A person left the server.
    "player.disconnected" => PlayerDisconnected {
        /// Who.
        player: Player,
        /// Why, or how.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Label>,
    };
    /// Warm-up begins: nothing counts until the match starts.
    "warmup.started" => WarmupStarted;
    /// Warm-up ends.
    "warmup.ended" => WarmupEnded;
    /// The match starts, or starts again: all play before is void (warm-up, knife round).
    "match.started" => MatchStarted {
        /// The name of the map, `de_nuke`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        map_name: Option<Label>,
    };
    /// A restart is announced: all play before it is void.
    "match.restarting" => MatchRestarting {
        /// Seconds until it happens.
        seconds: u16,
    };
    /// The match was reloaded from a back-up. Rounds after the restored score are void with their
    /// kills; the score is here, or in the next `score.reported`.
    "match.reloaded" => MatchReloaded {
        /// The restored score, if it is known already.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<Score>,
    };
    /// The server tells the score.
    "score.reported" => ScoreReported {
        /// The score by side.
        score: Score,
    };
    /// The server tells the score of one side. It is used only where a back-up was loaded and
    /// nothing else tells the score.
    "team.scored" => TeamScored {
        /// The side.
        side: Side,
        /// Rounds that the team on it has won.
        score: u16,
    };
    /// Time to buy, before a round.
    "freeze.started" => FreezeStarted;
    /// Players may move: the round's clock runs.
    "round.started" => RoundStarted;
    /// A round was won.
    "round.ended" => RoundEnded {
        /// The side that won.
        winner: Side,
        /// Why, or how.
        reason: Reason,
        /// The score after it, by side, if the feed tells it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<Score>,
    };
    /// Nobody won; the round is played again.
    "round.drawn" => RoundDrawn;
    /// The teams change sides. A feed need not say so where players' sides tell it.
    "sides.swapped" => SidesSwapped;
    /// One player killed another.
    "player.killed" => PlayerKilled {
        /// Who killed.
        killer: Player,
        /// Who was killed or hurt.
        victim: Player,
        /// With what, as the game calls it: `ak47`.
        weapon: Label,
        /// By a headshot.
        #[serde(default, skip_serializing_if = "is_false")]
        headshot: bool,
        /// Through a wall.
        #[serde(default, skip_serializing_if = "is_false")]
        penetrated: bool,
        /// Through smoke.
        #[serde(default, skip_serializing_if = "is_false")]
        through_smoke: bool,
        /// While blinded.
        #[serde(default, skip_serializing_if = "is_false")]
        attacker_blind: bool,
        /// With a scoped weapon, unscoped.
        #[serde(default, skip_serializing_if = "is_false")]
        no_scope: bool,
        /// Where the killer stood, in units of the map.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        killer_at: Option<[i32; 3]>,
        /// Where the victim stood.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        victim_at: Option<[i32; 3]>,
    };
    /// A player died by no other player's hand.
    "player.died" => PlayerDied {
        /// Who.
        player: Player,
        /// By what.
        cause: Cause,
    };
    /// A player helped with a kill that was told just before.
    "player.assisted" => PlayerAssisted {
        /// Who helped.
        assister: Player,
        /// Who was killed or hurt.
        victim: Player,
        /// By blinding the victim.
        #[serde(default, skip_serializing_if = "is_false")]
        flash: bool,
    };
    /// A player was hurt.
    "player.hurt" => PlayerHurt {
        /// Who hurt.
        attacker: Player,
        /// Who was killed or hurt.
        victim: Player,
        /// With what, as the game calls it: `ak47`.
        weapon: Label,
        /// Health taken; it may exceed what was left.
        damage: u16,
        /// Armour taken.
        damage_armor: u16,
        /// Health left, 0 to 100.
        health: u16,
        /// Armour left, 0 to 100.
        armor: u16,
        /// Where: `head`, `chest`.
        hitgroup: Label,
    };
    /// A player has the bomb.
    "bomb.picked_up" => BombPickedUp {
        /// Who.
        player: Player,
    };
    /// The bomb lies on the ground.
    "bomb.dropped" => BombDropped {
        /// Who.
        player: Player,
    };
    /// A player begins to plant.
    "bomb.plant_started" => BombPlantStarted {
        /// Who.
        player: Player,
        /// `A` or `B`, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        site: Option<Label>,
    };
    /// The bomb ticks.
    "bomb.planted" => BombPlanted {
        /// Who, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        player: Option<Player>,
        /// `A` or `B`, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        site: Option<Label>,
    };
    /// A player begins to defuse.
    "bomb.defuse_started" => BombDefuseStarted {
        /// Who.
        player: Player,
        /// With a defuse kit.
        kit: bool,
    };
    /// The bomb is defused.
    "bomb.defused" => BombDefused {
        /// Who, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        player: Option<Player>,
    };
    /// The bomb went off.
    "bomb.exploded" => BombExploded;
    /// A player's money changed.
    "money.changed" => MoneyChanged {
        /// Who.
        player: Player,
        /// What the player has now, in dollars.
        money: u32,
        /// What was bought with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<Label>,
    };
    /// What a player carries out of the buy zone.
    "player.equipped" => PlayerEquipped {
        /// Who.
        player: Player,
        /// As the game calls them: `weapon_ak47`.
        items: Items,
    };
    /// What the game's own scoreboard says of a player, in sums over the map. It sets and does not
    /// count, so told again it changes nothing; what is left out is not known.
    "player.reported" => PlayerReported {
        /// Who.
        player: Player,
        /// Health, 0 to 100; at 0 the player is dead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        health: Option<u16>,
        /// Armour, 0 to 100.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        armor: Option<u16>,
        /// With a helmet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        helmet: Option<bool>,
        /// With a defuse kit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kit: Option<bool>,
        /// What the player has, in dollars.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        money: Option<u32>,
        /// What the player carries is worth, in dollars.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        equipment: Option<u32>,
        /// What the player carries, as the game calls it: `weapon_ak47`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        items: Option<Items>,
        /// Enemies killed on this map.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kills: Option<u16>,
        /// Times died on this map, by anything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deaths: Option<u16>,
        /// Assists on this map, at kills of enemies.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assists: Option<u16>,
        /// Assists by blinding.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        flash_assists: Option<u16>,
        /// Kills with a headshot.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        headshots: Option<u16>,
        /// Kills that avenged a teammate.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trades: Option<u16>,
        /// Teammates killed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team_kills: Option<u16>,
        /// Health taken from enemies.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        damage: Option<u32>,
        /// Health taken from enemies with grenades and fire.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        utility_damage: Option<u32>,
        /// Rounds with the first kill.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opening_kills: Option<u16>,
        /// Rounds in which the player was the first to die.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opening_deaths: Option<u16>,
        /// Rounds with two kills or more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        multi_kills: Option<u16>,
        /// Rounds with five kills or more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        aces: Option<u16>,
        /// Rounds won when left alone against one or more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clutches_won: Option<u16>,
        /// Rounds played.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rounds: Option<u16>,
        /// Rounds with a kill, an assist, survival or a death that was avenged.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kast_rounds: Option<u16>,
        /// Rounds in which the game called the player the most valuable.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mvps: Option<u16>,
    };
    /// The server's own table at the start of a round.
    "round.stats" => RoundStats {
        /// The round that begins.
        round: u16,
        /// The score by side.
        score: Score,
        /// A row for each.
        players: PlayerRows,
    };
    /// The map is over: nothing counts until the next one is loaded.
    "map.ended" => MapEnded {
        /// The score by side.
        score: Score,
        /// The name of the map, `de_nuke`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        map_name: Option<Label>,
    };
}

/// A side of the map.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Side {
    /// Counter-terrorists.
    #[serde(rename = "CT")]
    Ct,
    /// Terrorists.
    T,
}

impl Side {
    /// What the game calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ct => "CT",
            Self::T => "T",
        }
    }

    /// The other side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Ct => Self::T,
            Self::T => Self::Ct,
        }
    }
}

/// What a person is in the match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Plays, or will.
    #[default]
    Player,
    /// Belongs to a team and does not play.
    Coach,
    /// Watches.
    Spectator,
}

impl Role {
    /// Whether this is the role that goes without saying.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
    pub fn is_player(&self) -> bool {
        *self == Self::Player
    }
}

/// How a round was won.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The other side is dead.
    Elimination,
    /// The bomb went off.
    BombExploded,
    /// The bomb was defused.
    BombDefused,
    /// Time ran out without a bomb.
    TimeRanOut,
    /// The hostages were rescued.
    HostagesRescued,
    /// The hostages were not rescued in time.
    HostagesNotRescued,
    /// The other team gave up.
    Surrender,
    /// Any other reason.
    Other,
}

/// What killed a player, if no other player did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The player's own hand.
    Suicide,
    /// The bomb.
    Bomb,
    /// The map: a fall, a change of team.
    World,
}

/// Rounds won, by side as the sides are now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// Of the team that is counter-terrorist.
    pub ct: u16,
    /// Of the team that is terrorist.
    pub t: u16,
}

/// One player's row in the server's own table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlayerRow {
    /// Who.
    pub player: Player,
    /// On which side, left out for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// In dollars.
    pub money: u32,
    /// Of enemies.
    pub kills: u16,
    /// By anything.
    pub deaths: u16,
    /// At kills of enemies.
    pub assists: u16,
}

bounded! {
    /// What a player carries, at most 64 items.
    Items(Vec<Label>), 64, "maxItems", Vec::len;
    /// The rows of a table, at most 64.
    PlayerRows(Vec<PlayerRow>), 64, "maxItems", Vec::len;
}

impl PlayerReported {
    /// A report of a player that says nothing yet.
    pub fn nothing(player: &str) -> Self {
        Self {
            player: Player::new(player),
            health: None,
            armor: None,
            helmet: None,
            kit: None,
            money: None,
            equipment: None,
            items: None,
            kills: None,
            deaths: None,
            assists: None,
            flash_assists: None,
            headshots: None,
            trades: None,
            team_kills: None,
            damage: None,
            utility_damage: None,
            opening_kills: None,
            opening_deaths: None,
            multi_kills: None,
            aces: None,
            clutches_won: None,
            rounds: None,
            kast_rounds: None,
            mvps: None,
        }
    }
}

impl Items {
    /// The first 64 of some items.
    pub fn cut<'a>(items: impl Iterator<Item = &'a str>) -> Self {
        Self(items.take(64).map(Label::cut).collect())
    }
}

impl PlayerRows {
    /// The first 64 of some rows.
    pub fn cut(mut rows: Vec<PlayerRow>) -> Self {
        rows.truncate(64);
        Self(rows)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Event {
    /// The tags of events in which people's names stand.
    pub const NAMED: &[&str] = &["player.joined", "player.connected"];

    /// The names of people in the event, each with the person.
    pub fn names_mut(&mut self) -> Vec<(&Player, &mut PersonName)> {
        match self {
            Self::PlayerJoined(PlayerJoined { player, name, .. })
            | Self::PlayerConnected(PlayerConnected { player, name }) => vec![(player, name)],
            _ => Vec::new(),
        }
    }

    /// Everyone who is named in the event.
    pub fn players_mut(&mut self) -> Vec<&mut Player> {
        match self {
            Self::PlayerJoined(PlayerJoined { player, .. })
            | Self::PlayerConnected(PlayerConnected { player, .. })
            | Self::PlayerDisconnected(PlayerDisconnected { player, .. })
            | Self::PlayerDied(PlayerDied { player, .. })
            | Self::BombPickedUp(BombPickedUp { player })
            | Self::BombDropped(BombDropped { player })
            | Self::BombPlantStarted(BombPlantStarted { player, .. })
            | Self::BombDefuseStarted(BombDefuseStarted { player, .. })
            | Self::MoneyChanged(MoneyChanged { player, .. })
            | Self::PlayerReported(PlayerReported { player, .. })
            | Self::PlayerEquipped(PlayerEquipped { player, .. }) => vec![player],
            Self::BombPlanted(BombPlanted { player, .. })
            | Self::BombDefused(BombDefused { player }) => player.as_mut().into_iter().collect(),
            Self::PlayerKilled(PlayerKilled { killer, victim, .. }) => vec![killer, victim],
            Self::PlayerAssisted(PlayerAssisted { assister, victim, .. }) => vec![assister, victim],
            Self::PlayerHurt(PlayerHurt { attacker, victim, .. }) => vec![attacker, victim],
            Self::RoundStats(RoundStats { players, .. }) => {
                players.0.iter_mut().map(|row| &mut row.player).collect()
            }
            _ => Vec::new(),
        }
    }
}
