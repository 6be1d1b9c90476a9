//! What a player has done, the newest first, in pages.

use matchwire_domain::{
    activity::{Activity, Kind},
    timestamp::Timestamp,
};
use matchwire_log::view_store::{Error, Keys, Order, Snapshot};

use super::{ACTIVITIES, keys::Key};

/// How many activities a page has at most.
pub const MAX_PAGE: usize = 50;
/// How many rows are read at once.
const ROWS: usize = 200;
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
    /// Also those of private tournaments.
    pub with_private: bool,
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
    pub next: Option<Vec<u8>>,
}

impl<'a> Feed<'a> {
    /// Those of a player that are wanted.
    pub fn new(snapshot: &'a dyn Snapshot, player: &'a str, filter: &'a Filter) -> Self {
        Self { snapshot, player, filter }
    }

    /// The activities behind what a page gave as `next`; from the newest on without it. A page that finds few
    /// among many ends early, with a `next`.
    pub fn page(&self, after: Option<&[u8]>, limit: usize) -> Result<Page, Error> {
        let own = Key::default().text(self.player).0;
        let mut keys = Keys::prefix(&own);
        if let Some(to) = self.filter.to {
            // The first that is before it.
            let before = Timestamp::from_ms(to.ms().saturating_sub(1));
            keys = keys.after(&Key(own.clone()).latest_first(before).0);
        }
        if let Some(after) = after {
            keys = keys.after(&[own.as_slice(), after].concat());
        }
        let mut page = Page::default();
        let mut looked_at = 0;
        while looked_at < LOOKED_AT {
            let rows = self.snapshot.range(ACTIVITIES, &keys, Order::Ascending, ROWS)?;
            looked_at += rows.len();
            let Some(last) = rows.last() else { return Ok(Page { next: None, ..page }) };
            keys = keys.after(&last.key);
            for row in rows {
                let Ok(activity) = serde_json::from_slice::<Activity>(&row.value) else { continue };
                if self.filter.from.is_some_and(|from| activity.deed.time < from) {
                    return Ok(Page { next: None, ..page });
                }
                if page.activities.len() >= limit.min(MAX_PAGE) {
                    return Ok(page);
                }
                page.next = row.key.get(own.len()..).map(<[u8]>::to_vec);
                if self.filter.wants(&activity) {
                    page.activities.push(activity);
                }
            }
        }
        Ok(page)
    }
}

impl Filter {
    fn wants(&self, activity: &Activity) -> bool {
        self.kind.as_ref().is_none_or(|kind| *kind == activity.kind)
            && self.game.as_ref().is_none_or(|game| *game == activity.deed.game)
            && (self.with_private || !activity.deed.is_private)
    }
}
