//! Walks over what is stored: all activities, by player, and what was made of them.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};

use matchwire_domain::activity::{Deed, Kind};
use matchwire_log::view_store::{Error, Keys, Order, Row, Snapshot, Table};
use parking_lot::Mutex;

use super::{
    super::{
        ACTIVITIES, SOURCES, activities,
        keys::{Key, owners_of_activity, read_text, split_text, text_end},
        rows::{DERIVED, owner_of},
    },
    Done, Sight,
    recount::Recount,
    scratch::{Content, PAGE, pages},
    sums::{Sums, Suspects, hash},
};

/// How many rows that cannot be read are kept.
const MAX_UNREADABLE: usize = 10_000;

/// The activities that nobody has taken yet.
pub(super) struct Left {
    keys: Mutex<Option<Keys>>,
    walked: AtomicU64,
}

/// A player whose activities are walked over, if they are to be counted again.
type Current = Option<(Vec<u8>, Option<Recount>)>;

/// What is stored, as sums.
pub(super) struct Walk {
    /// The key of the one player of whom something is wanted.
    pub(super) only: Option<Vec<u8>>,
    /// By match or tournament: the activities that stand.
    pub(super) standing: Sums,
    /// The same: activities less what is noted of them.
    pub(super) listing: Sums,
    /// By player: rows that should be there, less those that are.
    pub(super) derived: Sums,
    /// Keys of activities that cannot be read, or stand where another one should.
    pub(super) unreadable: BTreeSet<Vec<u8>>,
    pub(super) players: u64,
    pub(super) activities: u64,
}

/// The hash of an activity, whichever revision states it.
pub(super) fn standing(player: &str, kind: &Kind, deed: &Deed) -> u64 {
    hash(&(player, kind, deed))
}

impl Left {
    /// All, or those of one player, given by how the player's keys begin.
    pub(super) fn of(only: Option<&[u8]>) -> Self {
        let keys = only.map_or_else(Keys::all, Keys::prefix);
        Self { keys: Mutex::new(Some(keys)), walked: AtomicU64::new(0) }
    }

    /// Takes those of some players: the first rows, and the keys of further ones of the last player.
    fn take(&self, view: &dyn Snapshot) -> Result<Option<(Vec<Row>, Keys)>, Error> {
        let mut left = self.keys.lock();
        let Some(keys) = left.take() else { return Ok(None) };
        let page = view.range(ACTIVITIES, &keys, Order::Descending, PAGE)?;
        let Some(last) = page.last() else { return Ok(None) };
        let player = split_text(&last.key).map_or(last.key.as_slice(), |(player, _)| player);
        let further = Keys::prefix(player).before(&last.key);
        *left = Some(keys.before(player));
        Ok(Some((page, further)))
    }

    /// Nobody takes any more.
    pub(super) fn end(&self) {
        *self.keys.lock() = None;
    }

    /// Adds to how many were walked over, and gives the sum.
    fn walked(&self, count: u64) -> u64 {
        self.walked.fetch_add(count, Ordering::Relaxed) + count
    }
}

impl Walk {
    /// Over everything, or over what is of one player, given by how the player's keys begin.
    pub(super) fn new(only: Option<Vec<u8>>) -> Self {
        Self {
            only,
            standing: Sums::together(),
            listing: Sums::together(),
            derived: Sums::together(),
            unreadable: BTreeSet::new(),
            players: 0,
            activities: 0,
        }
    }

    /// Over the same, for whom sums were left over.
    pub(super) fn again(&self) -> Self {
        let (listing, derived) = (self.listing.suspects(), self.derived.suspects());
        Self {
            standing: Sums::each_of(&Suspects::none()),
            listing: Sums::each_of(&listing),
            derived: Sums::each_of(&derived),
            ..Self::new(self.only.clone())
        }
    }

    /// Adds what another one has seen of the same commit.
    pub(super) fn join(&mut self, other: Self) {
        self.standing.join(other.standing);
        self.listing.join(other.listing);
        self.derived.join(other.derived);
        self.unreadable.extend(other.unreadable);
        self.players += other.players;
        self.activities += other.activities;
    }

    /// Whether all of it is as it should be, as far as it can be told without the log.
    pub(super) fn is_consistent(&self) -> bool {
        self.listing.suspects().is_empty()
            && self.derived.suspects().is_empty()
            && self.unreadable.is_empty()
    }

    /// Walks over everything.
    pub(super) fn run(&mut self, view: &dyn Snapshot, sight: &dyn Sight) -> Result<(), Error> {
        self.activities(view, sight, &Left::of(self.only.as_deref()))?;
        self.listing(view, sight)?;
        DERIVED.into_iter().try_for_each(|table| self.derived(view, sight, table))
    }

    /// Walks over activities until none is left.
    pub(super) fn activities(
        &mut self,
        view: &dyn Snapshot,
        sight: &dyn Sight,
        left: &Left,
    ) -> Result<(), Error> {
        while let Some((page, further)) = left.take(view)? {
            let mut current = None;
            let mut page_of = |page: &[Row]| {
                self.take_page(page, &mut current)?;
                sight.worked(Done::Activities(left.walked(page.len() as u64)))
            };
            page_of(&page)?;
            pages(view, ACTIVITIES, further, Order::Descending, |page| page_of(&page))?;
            self.end_player(current)?;
        }
        Ok(())
    }

    fn take_page(&mut self, page: &[Row], current: &mut Current) -> Result<(), Error> {
        self.activities += page.len() as u64;
        for row in page {
            let Some((player, source)) = owners_of_activity(&row.key) else {
                self.note_unreadable(&row.key);
                continue;
            };
            if current.as_ref().is_none_or(|(of, _)| of != player) {
                self.end_player(current.take())?;
                let is_wanted = self.derived.wants(player);
                let name = read_text(player).map(|(name, _)| name).unwrap_or_default();
                *current = Some((player.to_vec(), is_wanted.then(|| Recount::new(&name))));
            }
            self.listing.add(source, hash(&row.key.as_slice()));
            let recount = current.as_mut().and_then(|(_, recount)| recount.as_mut());
            if recount.is_some() || self.standing.wants(source) {
                self.take(row, source, recount)?;
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        row: &Row,
        source: &[u8],
        recount: Option<&mut Recount>,
    ) -> Result<(), Error> {
        let read = activities::read(&row.key, &row.value);
        let Some(activity) = read.filter(|it| Key::of_activity(it).0 == row.key) else {
            self.note_unreadable(&row.key);
            return Ok(());
        };
        let stated = standing(&activity.player, &activity.kind, &activity.deed);
        if activity.is_reversal() {
            self.standing.take_away(source, stated);
        } else {
            self.standing.add(source, stated);
        }
        recount.map_or(Ok(()), |recount| recount.take(activity))
    }

    fn note_unreadable(&mut self, key: &[u8]) {
        if self.unreadable.len() < MAX_UNREADABLE {
            self.unreadable.insert(key.to_vec());
        }
    }

    fn end_player(&mut self, player: Current) -> Result<(), Error> {
        let Some((owner, recount)) = player else { return Ok(()) };
        self.players += 1;
        let Some(recount) = recount else { return Ok(()) };
        let rows: Content = recount.rows()?;
        for ((table, key), value) in rows {
            self.derived.add(&owner, hash(&(table, key, value)));
        }
        Ok(())
    }

    /// Walks over what is noted of the activities of each match and tournament.
    pub(super) fn listing(&mut self, view: &dyn Snapshot, sight: &dyn Sight) -> Result<(), Error> {
        pages(view, SOURCES, Keys::all(), Order::Ascending, |page| {
            for row in &page {
                let id = text_end(&row.key)
                    .and_then(|model| Some(model + text_end(row.key.get(model..)?)?));
                let split = id.and_then(|at| row.key.split_at_checked(at));
                let (source, activity) = split.unwrap_or((&row.key, &[]));
                if self.only.as_ref().is_none_or(|player| activity.starts_with(player)) {
                    self.listing.take_away(source, hash(&activity));
                }
            }
            sight.worked(Done::Nothing)?;
            Ok(())
        })
    }

    /// Walks over rows of a table that were made of activities.
    pub(super) fn derived(
        &mut self,
        view: &dyn Snapshot,
        sight: &dyn Sight,
        table: Table,
    ) -> Result<(), Error> {
        pages(view, table, Keys::all(), Order::Ascending, |page| {
            for Row { key, value } in &page {
                let owner = owner_of(table, key);
                if self.only.as_ref().is_none_or(|player| player == owner) {
                    self.derived.take_away(owner, hash(&(table.name(), key, value)));
                }
            }
            sight.worked(Done::Nothing)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use matchwire_log::view_store::{MemoryViews, Start, ViewStore as _};

    use super::*;

    #[test]
    fn every_activity_is_taken_once_and_those_of_a_player_together() {
        let counts = [("a", 2_500), ("b", 1), ("c", 998), ("d", 1_000), ("e", 3), ("f", 1_999)];
        let store = MemoryViews::new();
        let build = store.build(&crate::view::schema(), Start::Anew).unwrap();
        let mut rows = build.begin(None).unwrap();
        for (player, count) in counts {
            for number in 0..count {
                let key = Key::default().text(player).number(number).text("match").text("m");
                rows.put(ACTIVITIES, &key.0, b"").unwrap();
            }
        }
        // Of nobody.
        for key in [b"".as_slice(), b"a", b"b\0\x01", b"c\0\x01odd", b"dd", b"z"] {
            rows.put(ACTIVITIES, key, b"").unwrap();
        }
        rows.commit("1").unwrap();
        let views = build.snapshots(2).unwrap();
        let left = Left::of(None);
        let mut parts: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        let (mut all, mut turn) = (Vec::new(), 0);
        while let Some((page, further)) = left.take(&*views[turn % 2]).unwrap() {
            let further =
                views[turn % 2].range(ACTIVITIES, &further, Order::Descending, usize::MAX);
            for row in page.into_iter().chain(further.unwrap()) {
                let player = split_text(&row.key).map_or(row.key.as_slice(), |(player, _)| player);
                assert_eq!(*parts.entry(player.to_vec()).or_insert(turn), turn);
                all.push(row.key);
            }
            turn += 1;
        }
        assert!(turn > 3, "it is shared");
        let stored = views[0].range(ACTIVITIES, &Keys::all(), Order::Descending, usize::MAX);
        let stored: Vec<_> = stored.unwrap().into_iter().map(|row| row.key).collect();
        assert_eq!(all, stored);
    }
}
