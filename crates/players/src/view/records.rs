//! What is counted of a player, as it is stored: a row for each span of a game, with all its splits. Mostly some of them have the
//! same in them, as those for the player's own eyes and for others; that is stored once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::keys::{Key, read_text, split_text};
use crate::statistics::{Format, Reach, Span, Split, Streaks, Tally};

/// What is counted of a player within a split.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Totals.
    #[serde(flatten)]
    pub tally: Tally,
    /// Streaks.
    pub streaks: Streaks,
}

/// The records of a span.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Records(pub(super) BTreeMap<(Format, Reach), Record>);

/// Records that are the same.
#[derive(Serialize, Deserialize)]
struct Alike {
    of: Vec<(Format, Reach)>,
    tally: Tally,
    streaks: Streaks,
}

impl Records {
    pub(super) fn read(stored: &[u8]) -> Option<Self> {
        let alike: Vec<Alike> = serde_json::from_slice(stored).ok()?;
        let mut records = Self::default();
        for Alike { of, tally, streaks } in alike {
            let record = Record { tally, streaks };
            records.0.extend(of.into_iter().map(|split| (split, record.clone())));
        }
        Some(records)
    }

    pub(super) fn stored(self) -> Vec<u8> {
        let mut all: Vec<Alike> = Vec::new();
        for (split, Record { tally, streaks }) in self.0 {
            match all.iter_mut().find(|it| it.tally == tally && it.streaks == streaks) {
                Some(alike) => alike.of.push(split),
                None => all.push(Alike { of: vec![split], tally, streaks }),
            }
        }
        // Structs of texts and numbers.
        serde_json::to_vec(&all).unwrap_or_default()
    }

    /// How many matches others see that the player has won, by format, where it is any.
    pub(super) fn won(&self) -> BTreeMap<Format, i64> {
        let seen = self.0.iter().filter(|((_, reach), _)| *reach == Reach::Others);
        let won = seen.map(|((format, _), record)| (*format, record.tally.won));
        won.filter(|(_, won)| *won > 0).collect()
    }
}

/// The key of a player's records within a span of a game.
pub(super) fn record_key(player: &str, game: &str, span: &Span) -> Vec<u8> {
    Key::default().text(player).text(game).text(&json(span)).0
}

/// The game and the span that the key of records says.
pub(super) fn read_key(key: &[u8]) -> Option<(String, Span)> {
    let (_, rest) = split_text(key)?;
    let (game, rest) = read_text(rest)?;
    let (span, _) = read_text(rest)?;
    Some((game, serde_json::from_str(&span).ok()?))
}

/// The keys on leaderboards of a player with these records.
pub(super) fn boards_of(key: &[u8], records: &Records) -> Vec<Vec<u8>> {
    let (Some((player, _)), Some((game, span))) = (read_text(key), read_key(key)) else {
        return Vec::new();
    };
    let keys = records.won().into_iter().map(|(format, won)| {
        let (game, span) = (game.clone(), span.clone());
        board_key(&Split { game, span, format, reach: Reach::Others }, won, &player)
    });
    keys.collect()
}

/// The key of a player on a leaderboard.
pub(super) fn board_key(split: &Split, won: i64, player: &str) -> Vec<u8> {
    board_prefix(split).most_first(won).text(player).0
}

/// What the keys of a leaderboard begin with.
pub(super) fn board_prefix(split: &Split) -> Key {
    Key::default().text(&json(split))
}

fn json(value: &impl Serialize) -> String {
    // Structs of texts.
    serde_json::to_string(value).unwrap_or_default()
}
