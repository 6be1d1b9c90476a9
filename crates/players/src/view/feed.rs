//! What a player has done, the newest first, in pages.

use std::{collections::VecDeque, fmt, mem, str::FromStr, vec};

use matchwire_domain::{
    activity::{Activity, Deed, Kind},
    timestamp::Timestamp,
};
use matchwire_log::view_store::{Error, Keys, MAX_KEY_BYTES, Order, Row, Snapshot};

use super::{
    ACTIVITIES, activities,
    keys::{Key, read_number},
};
use crate::rights::{DAY_MS, Grain};

/// How many activities a page has at most.
pub const MAX_PAGE: usize = 50;
/// How many rows are read at once.
const ROWS: usize = 200;
/// How many activities a cursor counts from another one.
const MAX_BEHIND: usize = 100_000;
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
    grain: Grain,
    /// How many rows a page looks at before it ends early.
    patience: usize,
}

/// Some activities, the newest first.
#[derive(Debug, Default)]
pub struct Page {
    /// At most [`MAX_PAGE`].
    pub activities: Vec<Activity>,
    /// From where on there may be more; nothing at the end.
    pub next: Option<Cursor>,
}

/// Where in a feed a reader is: behind an activity or, for others than the player, how many that are wanted and of private
/// tournaments further than one that is not, or than the beginning, so that it says nothing of those that are.
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
        let fits = |key: &Vec<u8>| key.is_empty() || time_of(key).is_some();
        let after = after.filter(|key| rest.is_empty() && key.len() <= MAX_KEY_BYTES / 2);
        let after = after.filter(fits);
        let behind = behind.parse().ok().filter(|behind| *behind <= MAX_BEHIND);
        Ok(Self { after: after.ok_or(NoCursor)?, behind: behind.ok_or(NoCursor)? })
    }
}

/// A text is no cursor of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no cursor of a feed")]
pub struct NoCursor;

/// Whether a player has any activity.
pub fn has_activities(snapshot: &dyn Snapshot, player: &str) -> Result<bool, Error> {
    let own = Keys::prefix(&Key::default().text(player).0);
    Ok(!snapshot.range(ACTIVITIES, &own, Order::Ascending, 1)?.is_empty())
}

impl<'a> Feed<'a> {
    /// Those of a player that are wanted. By the day, what is of a private tournament stands where its day begins, behind all
    /// else of that day, so that neither its place nor a filter nor a cursor of anybody's making tells at what time it was.
    pub fn new(
        snapshot: &'a dyn Snapshot,
        player: &'a str,
        filter: &'a Filter,
        grain: Grain,
    ) -> Self {
        Self { snapshot, player, filter, grain, patience: LOOKED_AT }
    }

    /// The activities behind what a page gave as `next`; from the newest on without it. A page that finds few
    /// among many ends early, with a `next`. Those that `hides` says are of a private tournament by now are told as such.
    pub fn page<E: From<Error>>(
        &self,
        after: Option<&Cursor>,
        limit: usize,
        hides: impl Fn(&Activity) -> Result<bool, E>,
    ) -> Result<Page, E> {
        let mut at = after.cloned().unwrap_or_default();
        let mut walk = Walk::new(self, &at);
        let mut counted = 0;
        while counted < at.behind {
            match walk.next(&hides)? {
                None => return Ok(Page::default()),
                Some(Passed::Activity(None, _)) => counted += 1,
                // A cursor of a feed counts no further than to here.
                Some(passed) => {
                    walk.ready.push_front(passed);
                    break;
                }
            }
        }
        at.behind = counted;
        let mut activities = Vec::new();
        while let Some(passed) = walk.next(&hides)? {
            let (key, activity) = match passed {
                Passed::Activity(key, activity) => (key, activity),
                Passed::Day(after) => {
                    let next = Some(Cursor { after, behind: 0 });
                    return Ok(Page { activities, next });
                }
            };
            let is_wanted = self.wants(&activity);
            let is_full = is_wanted && activities.len() >= limit.min(MAX_PAGE);
            if is_full {
                return Ok(Page { activities, next: Some(at) });
            }
            at = match key {
                Some(key) => Cursor { after: key, behind: 0 },
                None => Cursor { behind: at.behind + 1, ..at },
            };
            if is_wanted {
                activities.push(*activity);
            }
            if walk.may_rest() {
                return Ok(Page { activities, next: Some(at) });
            }
        }
        Ok(Page { activities, next: None })
    }

    /// When an activity was, as far as its place in the feed tells.
    fn time(&self, activity: &Activity) -> Timestamp {
        let is_by_day = self.grain == Grain::Day && activity.deed.is_private;
        if is_by_day { day_of(activity.deed.time) } else { activity.deed.time }
    }

    fn wants(&self, activity: &Activity) -> bool {
        let time = self.time(activity);
        self.filter.wants(activity)
            && self.filter.from.is_none_or(|from| time >= from)
            && self.filter.to.is_none_or(|to| time < to)
    }
}

/// What comes next in a feed.
enum Passed {
    /// An activity in its place, with its key behind the player's unless that would tell too much.
    Activity(Option<Vec<u8>>, Box<Activity>),
    /// By the day, that a day begins, and a page has gone far enough; with what is before all keys of the day.
    Day(Vec<u8>),
}

/// Goes over activities in the order of a feed.
struct Walk<'a> {
    feed: &'a Feed<'a>,
    /// How the keys of the player begin.
    own: Vec<u8>,
    keys: Keys,
    /// What is not private is wanted behind this key.
    after: Vec<u8>,
    rows: vec::IntoIter<Row>,
    /// The day that is gone over.
    day: Option<Timestamp>,
    /// What is of private tournaments on the day that is gone over, if that goes by the day.
    held: Vec<Activity>,
    /// What comes next.
    ready: VecDeque<Passed>,
    looked_at: usize,
}

impl<'a> Walk<'a> {
    fn new(feed: &'a Feed<'a>, at: &Cursor) -> Self {
        let own = Key::default().text(feed.player).0;
        let mut keys = Keys::prefix(&own);
        let times = [feed.filter.to.map(before), time_of(&at.after)];
        if let Some(time) = times.into_iter().flatten().min() {
            // By the day, what was later on the same day may come behind it.
            let time = if feed.grain == Grain::Day { before(next_day(time)) } else { time };
            keys = keys.from_key(&Key(own.clone()).latest_first(time).0);
        }
        let after = if at.after.is_empty() { Vec::new() } else { [&*own, &at.after].concat() };
        let (rows, held, ready) = (Vec::new().into_iter(), Vec::new(), VecDeque::new());
        Self { feed, own, keys, after, rows, day: None, held, ready, looked_at: 0 }
    }

    /// Whether it has gone far enough for a page, and can be gone on with behind any activity. By the day that would tell how many
    /// were before it on its day: then a page ends between two days.
    fn may_rest(&self) -> bool {
        self.feed.grain == Grain::Match && self.looked_at >= self.feed.patience
    }

    /// Comes to the day of a row.
    fn come_to(&mut self, day: Timestamp) {
        if self.feed.grain == Grain::Match || self.day == Some(day) {
            return;
        }
        let is_first = self.day.replace(day).is_none();
        self.release();
        if !is_first && self.looked_at > self.feed.patience {
            self.looked_at = 0;
            let before_all = Key::default().latest_first(before(next_day(day)));
            self.ready.push_back(Passed::Day(before_all.0));
        }
    }

    fn next<E: From<Error>>(
        &mut self,
        hides: &impl Fn(&Activity) -> Result<bool, E>,
    ) -> Result<Option<Passed>, E> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Ok(Some(ready));
            }
            let Some(row) = self.next_row()? else {
                self.release();
                return Ok(self.ready.pop_front());
            };
            self.looked_at += 1;
            let Some(mut activity) = activities::read(&row.key, &row.value) else { continue };
            let day = day_of(activity.deed.time);
            self.come_to(day);
            if self.feed.filter.from.is_some_and(|from| day < day_of(from)) {
                self.keys = Keys::prefix(&[]).before(&[]);
                self.rows = Vec::new().into_iter();
                continue;
            }
            // Whether it is hidden may have to be read in the log, so not of each that is passed over.
            let is_wanted = self.feed.filter.wants(&activity);
            if !is_wanted && !self.may_rest() {
                continue;
            }
            activity.deed.is_private = activity.deed.is_private || hides(&activity)?;
            match (activity.deed.is_private, self.feed.grain) {
                (true, Grain::Day) => self.held.push(activity),
                _ if row.key <= self.after => {}
                _ => {
                    let key = row.key.get(self.own.len()..).map(<[u8]>::to_vec);
                    self.ready.push_back(Passed::Activity(key, Box::new(activity)));
                }
            }
        }
    }

    fn next_row(&mut self) -> Result<Option<Row>, Error> {
        if self.rows.as_slice().is_empty() {
            let (keys, order) = (&self.keys, Order::Ascending);
            let rows = self.feed.snapshot.range(ACTIVITIES, keys, order, ROWS)?;
            if let Some(last) = rows.last() {
                self.keys = self.keys.clone().after(&last.key);
            }
            self.rows = rows.into_iter();
        }
        Ok(self.rows.next())
    }

    /// What was held comes next, in an order that tells nothing of when it was.
    fn release(&mut self) {
        let mut held = mem::take(&mut self.held);
        held.sort_by(|one, other| {
            // By all that is shown of them.
            let of = |it: &Activity| {
                let Deed { game, is_team, by_forfeit, count, .. } = it.deed.clone();
                let what = (it.source_model.as_str(), it.kind.clone(), it.revision);
                (what, game, is_team, by_forfeit, count)
            };
            of(one).cmp(&of(other))
        });
        self.ready.extend(held.into_iter().map(|it| Passed::Activity(None, Box::new(it))));
    }
}

/// The time that a key behind the player's begins with.
fn time_of(key: &[u8]) -> Option<Timestamp> {
    read_number(key).map(|number| Timestamp::from_ms((!number ^ (1 << 63)).cast_signed()))
}

/// The last moment that is before another one.
fn before(time: Timestamp) -> Timestamp {
    Timestamp::from_ms(time.ms().saturating_sub(1))
}

fn day_of(time: Timestamp) -> Timestamp {
    Timestamp::from_ms(time.ms().div_euclid(DAY_MS).saturating_mul(DAY_MS))
}

fn next_day(time: Timestamp) -> Timestamp {
    Timestamp::from_ms(day_of(time).ms().saturating_add(DAY_MS))
}

impl Filter {
    fn wants(&self, activity: &Activity) -> bool {
        self.kind.as_ref().is_none_or(|kind| *kind == activity.kind)
            && self.game.as_ref().is_none_or(|game| *game == activity.deed.game)
    }
}

#[cfg(test)]
mod tests;
