//! What a player did, summed by round and by map.

use serde::Serialize;

/// Declares the counts, so that none is forgotten in a sum.
macro_rules! tally {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty,)+) => {
        /// What a player did; all of it in rounds that count.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
        pub struct Tally {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        impl Tally {
            /// Both together.
            #[must_use]
            pub fn plus(self, other: Self) -> Self {
                Self { $($name: self.$name.saturating_add(other.$name),)+ }
            }

            /// The greater of both in every count.
            #[must_use]
            pub fn at_least(self, other: Self) -> Self {
                Self { $($name: self.$name.max(other.$name),)+ }
            }
        }
    };
}

tally! {
    /// Enemies killed.
    kills: u16,
    /// Times died, by anything.
    deaths: u16,
    /// Assists at kills of enemies, flash assists among them.
    assists: u16,
    /// Assists by blinding.
    flash_assists: u16,
    /// Kills with a headshot.
    headshots: u16,
    /// Kills of an enemy who had killed a teammate within [`super::TRADE_MS`].
    trades: u16,
    /// Deaths that a teammate avenged within [`super::TRADE_MS`].
    traded_deaths: u16,
    /// Teammates killed.
    team_kills: u16,
    /// Health taken from enemies.
    damage: u32,
    /// Health taken from enemies with grenades and fire.
    utility_damage: u32,
    /// First kills of a round.
    opening_kills: u16,
    /// First deaths of a round.
    opening_deaths: u16,
    /// Rounds with two kills or more.
    multi_kills: u16,
    /// Rounds with five kills or more: the other team as a whole, where teams are of five.
    aces: u16,
    /// Rounds in which the player was left alone against one or more.
    clutches: u16,
    /// Those of them that the player's side won.
    clutches_won: u16,
    /// Rounds played to their end, whether alive or not.
    rounds: u16,
    /// Those of them with a kill, an assist, survival or a death that was avenged: the K, A, S and T of
    /// KAST, as HLTV defines it.
    kast_rounds: u16,
}
