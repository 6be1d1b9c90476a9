//! The table that a server writes between `JSON_BEGIN{` and `}}JSON_END`.
//!
//! It is JSON in looks only (commas are missing), so it is read line by line.

use matchwire_domain::live_match::cs::{
    Event, Player, PlayerRow, PlayerRows, RoundStats, Score, Side,
};
use serde::{Deserialize, Serialize};

use super::mention;

/// The largest block that is kept; a server's is about 5 KiB.
const MAX_BYTES: usize = 16 * 1_024;

/// A block of which the end has not come yet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Block(String);

/// What a line is to a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Part {
    Begin,
    Inside,
    End,
}

/// Tells a line of a block by its text.
pub(super) fn part(text: &str) -> Option<Part> {
    if text.starts_with("JSON_BEGIN{") {
        return Some(Part::Begin);
    }
    if text.ends_with("}}JSON_END") {
        return Some(Part::End);
    }
    key_value(text).map(|_| Part::Inside)
}

/// Reads `"key" : "value",`.
fn key_value(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.strip_prefix('"')?.split_once('"')?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let value = value.trim_start().strip_prefix(':')?.trim();
    key.bytes().all(plain).then(|| (key, value.trim_end_matches(',').trim_matches('"')))
}

impl Block {
    /// Adds a line's text; answers whether there was room.
    pub(super) fn push(&mut self, text: &str) -> bool {
        let fits = self.0.len() + text.len() < MAX_BYTES;
        if fits {
            self.0.push_str(text);
            self.0.push('\n');
        }
        fits
    }

    /// What the block tells; `None` if it is no table of a round.
    pub(super) fn read(&self) -> Option<Event> {
        let pairs: Vec<(&str, &str)> = self.0.lines().filter_map(key_value).collect();
        let get = |key| pairs.iter().find(|(k, _)| *k == key).map(|(_, value)| *value);
        if get("name") != Some("round_stats") {
            return None;
        }
        let fields: Vec<&str> = get("fields")?.split(',').map(str::trim).collect();
        let score = Score { ct: get("score_ct")?.parse().ok()?, t: get("score_t")?.parse().ok()? };
        let rows = pairs
            .iter()
            .filter(|(key, _)| key.starts_with("player_"))
            .filter_map(|(_, row)| player_row(&fields, row))
            .collect();
        let round = get("round_number")?.parse().ok()?;
        Some(RoundStats { round, score, players: PlayerRows::cut(rows) }.into())
    }
}

/// Reads a row; `None` for one that is no person's.
fn player_row(fields: &[&str], row: &str) -> Option<PlayerRow> {
    let values: Vec<&str> = row.split(',').map(str::trim).collect();
    let get = |name: &str| {
        let column = fields.iter().position(|field| *field == name)?;
        values.get(column).copied()
    };
    let number: u32 = get("accountid")?.parse().ok().filter(|number| *number != 0)?;
    let side = match get("team")? {
        "2" => Some(Side::T),
        "3" => Some(Side::Ct),
        _ => None,
    };
    Some(PlayerRow {
        player: Player::new(&mention::steam(number.into())),
        side,
        money: get("money")?.parse().ok()?,
        kills: get("kills")?.parse().ok()?,
        deaths: get("deaths")?.parse().ok()?,
        assists: get("assists")?.parse().ok()?,
    })
}
