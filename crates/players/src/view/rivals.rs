//! Head to head: how a player has fared against each other one, by game.

use matchwire_log::view_store::{Error, Keys, Order, Snapshot, Transaction};
use serde::{Deserialize, Serialize};

use super::{
    VERSUS,
    keys::{Key, read_text},
};
use crate::statistics::{Reach, Versus};

/// How many opponents of a player are looked at to find the most frequent ones; of one who has more, those whose ids come
/// first.
pub const MAX_OPPONENTS: usize = 100_000;
/// How many rows are read at once.
const PAGE: usize = 1_000;

/// How a player has fared against another one, as it is stored. What is shown to others never had private
/// tournaments in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Meetings {
    /// Outside of private tournaments.
    open: Versus,
    /// In them.
    #[serde(default, skip_serializing_if = "is_nothing")]
    private: Versus,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_nothing(versus: &Versus) -> bool {
    *versus == Versus::default()
}

impl Meetings {
    fn for_eyes(self, reach: Reach) -> Versus {
        match reach {
            Reach::Own => self.open.with(self.private),
            Reach::Others => self.open,
        }
    }
}

/// Adds what is new between two players.
pub(super) fn count(
    rows: &mut dyn Transaction,
    [player, game, other]: [&str; 3],
    is_private: bool,
    change: Versus,
) -> Result<(), Error> {
    let key = key(player, game).text(other).0;
    let stored = rows.get(VERSUS, &key)?;
    let mut meetings: Meetings =
        stored.and_then(|value| serde_json::from_slice(&value).ok()).unwrap_or_default();
    let part = if is_private { &mut meetings.private } else { &mut meetings.open };
    *part = part.with(change);
    if meetings == Meetings::default() {
        return rows.delete(VERSUS, &key);
    }
    // Numbers are always JSON.
    rows.put(VERSUS, &key, &serde_json::to_vec(&meetings).unwrap_or_default())
}

/// How a player has fared against another one in a game, for whose eyes; nothing where they have never met.
pub fn versus(
    snapshot: &dyn Snapshot,
    player: &str,
    game: &str,
    other: &str,
    reach: Reach,
) -> Result<Versus, Error> {
    let stored = snapshot.get(VERSUS, &key(player, game).text(other).0)?;
    let meetings: Option<Meetings> = stored.and_then(|value| serde_json::from_slice(&value).ok());
    Ok(meetings.unwrap_or_default().for_eyes(reach))
}

/// Whom a player has met in a game, the most often first, and then by id. Looks at [`MAX_OPPONENTS`].
pub fn opponents(
    snapshot: &dyn Snapshot,
    player: &str,
    game: &str,
    reach: Reach,
) -> Result<Vec<(String, Versus)>, Error> {
    let prefix = key(player, game).0;
    let mut keys = Keys::prefix(&prefix);
    let (mut found, mut looked_at) = (Vec::new(), 0);
    while looked_at < MAX_OPPONENTS {
        let page = snapshot.range(VERSUS, &keys, Order::Ascending, PAGE)?;
        let Some(last) = page.last() else { break };
        keys = keys.after(&last.key);
        looked_at += page.len();
        for row in &page {
            let rest = row.key.get(prefix.len()..).unwrap_or_default();
            let meetings = serde_json::from_slice::<Meetings>(&row.value).ok();
            let (Some((other, _)), Some(meetings)) = (read_text(rest), meetings) else { continue };
            let versus = meetings.for_eyes(reach);
            if versus.met() > 0 {
                found.push((other, versus));
            }
        }
    }
    found.sort_by(|(one_id, one), (other_id, other)| {
        other.met().cmp(&one.met()).then_with(|| one_id.cmp(other_id))
    });
    Ok(found)
}

/// Somebody whom a player has met in a game, and how the player has fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Opponent {
    /// The game.
    pub game: String,
    /// The other one.
    #[serde(rename = "against")]
    pub player: String,
    /// Counts, for the player's own eyes.
    #[serde(flatten)]
    pub versus: Versus,
}

/// Tells whom a player has met, by game, until `visit` says that it is enough.
pub fn each_opponent(
    snapshot: &dyn Snapshot,
    player: &str,
    mut visit: impl FnMut(Opponent) -> bool,
) -> Result<(), Error> {
    let prefix = Key::default().text(player).0;
    let mut keys = Keys::prefix(&prefix);
    loop {
        let page = snapshot.range(VERSUS, &keys, Order::Ascending, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        keys = keys.after(&last.key);
        for row in &page {
            let Some((game, rest)) = row.key.get(prefix.len()..).and_then(read_text) else {
                continue;
            };
            let meetings = serde_json::from_slice::<Meetings>(&row.value).ok();
            let (Some((player, _)), Some(meetings)) = (read_text(rest), meetings) else { continue };
            let versus = meetings.for_eyes(Reach::Own);
            if versus.met() > 0 && !visit(Opponent { game, player, versus }) {
                return Ok(());
            }
        }
    }
}

fn key(player: &str, game: &str) -> Key {
    Key::default().text(player).text(game)
}
