//! What players are rated, how that came to be, and who is rated the highest.

use std::{fmt, str::FromStr};

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::view_store::{Error, Keys, Order, Row, Snapshot};

use super::{
    COURSES, FORGOTTEN, LADDERS, UNFOLDED,
    keys::{Key, read_place},
    ladders::{Ratings, course_key, course_prefix, ladder_key, ladder_prefix},
    standings::{Place, Ranking},
};
use crate::{
    Key as Of,
    rating::{Rating, System},
    rights::Grain,
};

/// How many points a page has at most.
pub const MAX_POINTS: usize = 1_000;
/// How many rows are read at once.
const ROWS: usize = 500;
/// How many rows a page looks at before it ends early.
const LOOKED_AT: usize = 20_000;
/// A day, in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a player is rated, and since which match.
#[derive(Debug, Clone, PartialEq)]
pub struct Rated {
    /// The rating.
    pub rating: Rating,
    /// The last match that was rated.
    pub since: Of,
}

/// Whose rating, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Course<'a> {
    /// The player.
    pub player: &'a str,
    /// The game.
    pub game: &'a str,
    /// The system.
    pub system: System,
}

/// What a rating was after a match, or at the end of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// When the match ended, or the day (UTC) began.
    pub time: Timestamp,
    /// The match, where it may be told.
    pub match_id: Option<String>,
    /// The rating.
    pub rating: Rating,
}

/// Points of a course, the newest first.
#[derive(Debug, Default, PartialEq)]
pub struct Points {
    /// At most [`MAX_POINTS`].
    pub points: Vec<Point>,
    /// From where on there may be more; nothing at the end.
    pub next: Option<Since>,
}

/// Where in a course a reader is: behind a match, or behind a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    time: Timestamp,
    match_id: Option<String>,
}

/// A text is no cursor of a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no cursor of a rating's history")]
pub struct NoSince;

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.time.ms())?;
        self.match_id.iter().try_for_each(|id| write!(f, ".{id}"))
    }
}

impl FromStr for Since {
    type Err = NoSince;

    fn from_str(text: &str) -> Result<Self, NoSince> {
        let (ms, match_id) = match text.split_once('.') {
            Some((ms, match_id)) => (ms, Some(match_id)),
            None => (text, None),
        };
        let ms = ms.parse().map_err(|_| NoSince)?;
        let is_id = |id: &str| (1..=64).contains(&id.len());
        if match_id.is_some_and(|id| !is_id(id)) {
            return Err(NoSince);
        }
        Ok(Self { time: Timestamp::from_ms(ms), match_id: match_id.map(ToOwned::to_owned) })
    }
}

/// A player on a ladder.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The player.
    pub player: String,
    /// What the player is rated.
    pub rating: Rating,
    /// The place: one more than there are whose ratings are more at the least.
    pub place: u64,
}

/// Whether the ratings of a game have all results in them. While a late or corrected one is being folded, those behind it
/// are still the ones of before.
pub fn is_folded(snapshot: &dyn Snapshot, game: &str) -> Result<bool, Error> {
    Ok(snapshot.get(UNFOLDED, &Key::default().text(game).0)?.is_none())
}

/// What a player is rated now; nothing before the first match that was rated.
pub fn rated(snapshot: &dyn Snapshot, course: Course<'_>) -> Result<Option<Rated>, Error> {
    let prefix = course.prefix();
    let row = snapshot.range(COURSES, &Keys::prefix(&prefix), Order::Descending, 1)?.pop();
    Ok(row.and_then(|row| course.read(&row, prefix.len())))
}

impl Course<'_> {
    fn prefix(&self) -> Vec<u8> {
        course_prefix(self.game, self.player)
    }

    fn read(&self, row: &Row, prefix: usize) -> Option<Rated> {
        let since = read_place(row.key.get(prefix..)?)?;
        let ratings: Ratings = serde_json::from_slice(&row.value).ok()?;
        let index = System::SERVED.iter().position(|system| *system == self.system)?;
        Some(Rated { rating: Rating::from_steps(*ratings.get(index)?), since })
    }

    /// What the rating was, the newest first, behind what a page gave as `next`; from the newest on without it. Of a day only the last
    /// is told, without its match, to whom single matches are not.
    pub fn page(
        &self,
        snapshot: &dyn Snapshot,
        grain: Grain,
        after: Option<&Since>,
        limit: usize,
    ) -> Result<Points, Error> {
        let prefix = self.prefix();
        let before = |time: Timestamp, match_id: &str| {
            course_key(self.game, self.player, &Of { ended: time, match_id: match_id.to_owned() })
        };
        let mut keys = Keys::prefix(&prefix);
        if let Some(Since { time, match_id }) = after {
            keys = match grain {
                Grain::Match => keys.before(&before(*time, match_id.as_deref().unwrap_or(""))),
                Grain::Day => keys.before(&before(day(*time), "")),
            };
        }
        let mut page = Points::default();
        let mut looked_at = 0;
        while looked_at < LOOKED_AT {
            let rows = snapshot.range(COURSES, &keys, Order::Descending, ROWS)?;
            let Some(last) = rows.last() else { return Ok(Points { next: None, ..page }) };
            looked_at += rows.len();
            keys = keys.before(&last.key);
            for Rated { rating, since } in
                rows.iter().filter_map(|row| self.read(row, prefix.len()))
            {
                let (time, match_id) = match grain {
                    Grain::Match => (since.ended, Some(since.match_id)),
                    Grain::Day => (day(since.ended), None),
                };
                if grain == Grain::Day && page.points.last().is_some_and(|it| it.time == time) {
                    continue;
                }
                if page.points.len() == limit.min(MAX_POINTS) {
                    return Ok(page);
                }
                page.next = Some(Since { time, match_id: match_id.clone() });
                page.points.push(Point { time, match_id, rating });
            }
        }
        Ok(page)
    }
}

fn day(time: Timestamp) -> Timestamp {
    Timestamp::from_ms(time.ms().div_euclid(DAY_MS).saturating_mul(DAY_MS))
}

fn is_forgotten(snapshot: &dyn Snapshot, player: &str) -> Result<bool, Error> {
    Ok(snapshot.get(FORGOTTEN, &Key::default().text(player).0)?.is_some())
}

/// Those who are rated the highest in a game at the least, at most `limit`.
pub fn ladder(
    snapshot: &dyn Snapshot,
    game: &str,
    system: System,
    from: Place<'_>,
    limit: usize,
) -> Result<Vec<Standing>, Error> {
    let own = match from {
        Place::Around(player) if is_forgotten(snapshot, player)? => return Ok(Vec::new()),
        Place::Around(player) => {
            let Some(own) = rated(snapshot, Course { player, game, system })? else {
                return Ok(Vec::new());
            };
            Some(ladder_key(game, system, own.rating.to_steps(), player))
        }
        Place::Top | Place::Behind(_) => None,
    };
    let ranking = Ranking { table: LADDERS, prefix: ladder_prefix(game, system).0 };
    let ranked = ranking.page(snapshot, from, own.as_deref(), limit)?;
    let standing = |ranked: super::standings::Ranked| {
        let steps: [i64; 3] = serde_json::from_slice(&ranked.value).ok()?;
        let rating = Rating::from_steps(steps);
        Some(Standing { player: ranked.player, rating, place: ranked.place })
    };
    Ok(ranked.into_iter().filter_map(standing).collect())
}
