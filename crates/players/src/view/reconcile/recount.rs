//! What is counted of a player, counted again from the activities that are stored.

use std::{collections::BTreeMap, mem};

use matchwire_domain::{
    activity::{Activity, Kind},
    timestamp::Timestamp,
};
use matchwire_log::view_store::{Error, Keys, Order, Row};

use super::{
    super::{
        ACTIVITIES, activities,
        keys::Key,
        rows::{DERIVED, Rows},
    },
    scratch::{Content, Scratch, Stored, pages},
    sums::hash,
};

/// How many activities are counted at once.
const AT_ONCE: usize = 5_000;

/// Counts the activities of a player from the oldest to the newest, by the view's own code. In memory are those of one moment,
/// some thousand that stand, and what was counted.
pub(super) struct Recount {
    player: String,
    scratch: Scratch,
    /// The activities of one moment, with how often each is stated more than it is taken back. Both have the same time.
    moment: BTreeMap<(String, Kind, u64), (Activity, i64)>,
    at: Option<Timestamp>,
    standing: Vec<Activity>,
}

impl Recount {
    pub(super) fn new(player: &str) -> Self {
        Self {
            player: player.into(),
            scratch: Scratch::default(),
            moment: BTreeMap::new(),
            at: None,
            standing: Vec::new(),
        }
    }

    /// The rows that are made of all activities of a player, as they are stored.
    pub(super) fn of(stored: &(impl Stored + ?Sized), player: &str) -> Result<Content, Error> {
        let mut recount = Self::new(player);
        let own = Keys::prefix(&Key::default().text(player).0);
        pages(stored, ACTIVITIES, own, Order::Descending, |page| {
            let read = |row: &Row| activities::read(&row.key, &row.value);
            page.iter().filter_map(read).try_for_each(|activity| recount.take(activity))
        })?;
        recount.rows()
    }

    /// Takes the next one, which is not older than those before.
    pub(super) fn take(&mut self, activity: Activity) -> Result<(), Error> {
        if self.at != Some(activity.deed.time) {
            self.settle()?;
            self.at = Some(activity.deed.time);
        }
        let sign = if activity.is_reversal() { -1 } else { 1 };
        let key = (activity.source_id.clone(), activity.kind.clone(), hash(&activity.deed));
        self.moment.entry(key).or_insert((activity, 0)).1 += sign;
        Ok(())
    }

    /// The rows, once all were taken.
    pub(super) fn rows(mut self) -> Result<Content, Error> {
        self.settle()?;
        self.count()?;
        let mut rows = self.scratch.rows;
        rows.retain(|(table, _), _| DERIVED.iter().any(|derived| derived.name() == *table));
        Ok(rows)
    }

    fn settle(&mut self) -> Result<(), Error> {
        let stands = mem::take(&mut self.moment).into_values().filter(|(_, times)| *times > 0);
        // It may be a reversal that has come first.
        self.standing.extend(stands.map(|(activity, _)| Activity { revision: 1, ..activity }));
        if self.standing.len() >= AT_ONCE { self.count() } else { Ok(()) }
    }

    fn count(&mut self) -> Result<(), Error> {
        let standing = mem::take(&mut self.standing);
        let standing: Vec<&Activity> = standing.iter().collect();
        Rows::new(&mut self.scratch).count(&self.player, &standing)
    }
}
