//! What a player has done, the newest first, in pages.

use std::{fmt, str::FromStr};

use matchwire_domain::{
    activity::{Activity, Kind},
    timestamp::Timestamp,
};
use matchwire_log::view_store::{Error, Keys, MAX_KEY_BYTES, Order, Snapshot};

use super::{ACTIVITIES, activities, keys::Key};

/// How many activities a page has at most.
pub const MAX_PAGE: usize = 50;
/// How many rows are read at once.
const ROWS: usize = 200;
/// How many activities of private tournaments a cursor counts one after the other.
const MAX_PRIVATE: usize = 1_000_000;
/// How many rows a page looks at before it ends early.
const LOOKED_AT: usize = 20_000;

/// Which activities are wanted; everything that is left out means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Of this game.
    pub game: Option<String>,
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Before this.
    pub to: Option<Timestamp>,
}

/// A player's activities.
pub struct Feed<'a> {
    snapshot: &'a dyn Snapshot,
    player: &'a str,
    filter: &'a Filter,
}

/// Some activities, the newest first.
#[derive(Debug, Default)]
pub struct Page {
    /// At most [`MAX_PAGE`].
    pub activities: Vec<Activity>,
    /// From where on there may be more; nothing at the end.
    pub next: Option<Cursor>,
}

/// Where in a feed a reader is. It says nothing of what is of private tournaments, so that everybody may
/// have it: behind how many of those after an activity that is not, or after the beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor {
    after: Vec<u8>,
    behind: usize,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.after.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, ".{}", self.behind)
    }
}

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let (key, behind) = text.split_once('.').ok_or(NoCursor)?;
        let pair = |pair: &[u8; 2]| {
            let digits = std::str::from_utf8(pair).ok().filter(|_| pair.is_ascii())?;
            u8::from_str_radix(digits, 16).ok()
        };
        let (pairs, rest) = key.as_bytes().as_chunks::<2>();
        let after: Option<Vec<u8>> = pairs.iter().map(pair).collect();
        let after = after.filter(|key| rest.is_empty() && key.len() <= MAX_KEY_BYTES / 2);
        let behind = behind.parse().ok().filter(|behind| *behind <= MAX_PRIVATE);
        Ok(Self { after: after.ok_or(NoCursor)?, behind: behind.ok_or(NoCursor)? })
    }
}

/// A text is no cursor of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no cursor of a feed")]
pub struct NoCursor;

impl<'a> Feed<'a> {
    /// Those of a player that are wanted.
    pub fn new(snapshot: &'a dyn Snapshot, player: &'a str, filter: &'a Filter) -> Self {
        Self { snapshot, player, filter }
    }

    /// The activities behind what a page gave as `next`; from the newest on without it. A page that finds few
    /// among many ends early, with a `next`. Those that `hides` says are of a private tournament by now are told as such.
    pub fn page<E: From<Error>>(
        &self,
        after: Option<&Cursor>,
        limit: usize,
        hides: impl Fn(&Activity) -> Result<bool, E>,
    ) -> Result<Page, E> {
        let own = Key::default().text(self.player).0;
        let mut keys = Keys::prefix(&own);
        if let Some(to) = self.filter.to {
            // The first that is before it.
            let before = Timestamp::from_ms(to.ms().saturating_sub(1));
            keys = keys.after(&Key(own.clone()).latest_first(before).0);
        }
        let at = after.cloned().unwrap_or_default();
        if !at.after.is_empty() {
            keys = keys.after(&[own.as_slice(), &at.after].concat());
        }
        let (mut activities, mut passed) = (Vec::new(), Vec::new());
        let (mut looked_at, mut skip) = (0, at.behind);
        while looked_at < LOOKED_AT {
            let rows = self.snapshot.range(ACTIVITIES, &keys, Order::Ascending, ROWS)?;
            let Some(last) = rows.last() else { return Ok(Page { activities, next: None }) };
            keys = keys.after(&last.key);
            let skipped = skip.min(rows.len());
            skip -= skipped;
            looked_at += rows.len() - skipped;
            for row in rows.into_iter().skip(skipped) {
                let Some(mut activity) = activities::read(&row.key, &row.value) else {
                    continue;
                };
                if self.filter.from.is_some_and(|from| activity.deed.time < from) {
                    return Ok(Page { activities, next: None });
                }
                if activities.len() >= limit.min(MAX_PAGE) {
                    return Ok(Page {
                        activities,
                        next: Some(at.behind(passed, own.len(), hides)?),
                    });
                }
                if self.filter.wants(&activity) {
                    activity.deed.is_private |= hides(&activity)?;
                    activities.push(activity.clone());
                }
                passed.push((row.key, activity));
            }
        }
        Ok(Page { activities, next: Some(at.behind(passed, own.len(), hides)?) })
    }
}

impl Cursor {
    /// The cursor behind activities that were passed, by the last of them that is not private.
    fn behind<E>(
        self,
        passed: Vec<(Vec<u8>, Activity)>,
        prefix: usize,
        hides: impl Fn(&Activity) -> Result<bool, E>,
    ) -> Result<Self, E> {
        let count = passed.len();
        for (behind, (key, activity)) in passed.into_iter().rev().enumerate() {
            if !activity.deed.is_private && !hides(&activity)? {
                let after = key.get(prefix..).unwrap_or_default().to_vec();
                return Ok(Self { after, behind });
            }
        }
        Ok(Self { behind: self.behind + count, ..self })
    }
}

impl Filter {
    fn wants(&self, activity: &Activity) -> bool {
        self.kind.as_ref().is_none_or(|kind| *kind == activity.kind)
            && self.game.as_ref().is_none_or(|game| *game == activity.deed.game)
    }
}
