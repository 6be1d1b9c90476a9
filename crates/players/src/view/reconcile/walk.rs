//! Walks over what is stored: all activities, by player, and what was made of them.

use std::collections::BTreeSet;

use matchwire_domain::activity::{Deed, Kind};
use matchwire_log::view_store::{Error, Keys, Order, Row, Snapshot};

use super::{
    super::{
        ACTIVITIES, SOURCES, activities,
        keys::{Key, owners_of_activity, read_text, text_end},
        rows::{DERIVED, owner_of},
    },
    Done, Sight,
    recount::Recount,
    scratch::{Content, pages},
    sums::{Sums, Suspects, hash},
};

/// How many rows that cannot be read are kept.
const MAX_UNREADABLE: usize = 10_000;

/// What is stored, as sums.
pub(super) struct Walk<'a> {
    view: &'a dyn Snapshot,
    sight: &'a dyn Sight,
    /// The key of the one player of whom something is wanted.
    only: Option<Vec<u8>>,
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

impl<'a> Walk<'a> {
    /// Over everything, or over what is of one player.
    pub(super) fn new(view: &'a dyn Snapshot, sight: &'a dyn Sight, only: Option<&str>) -> Self {
        Self {
            view,
            sight,
            only: only.map(|player| Key::default().text(player).0),
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
            only: self.only.clone(),
            standing: Sums::each_of(&Suspects::none()),
            listing: Sums::each_of(&listing),
            derived: Sums::each_of(&derived),
            ..Self::new(self.view, self.sight, None)
        }
    }

    pub(super) fn view(&self) -> &'a dyn Snapshot {
        self.view
    }

    /// Whether all of it is as it should be, as far as it can be told without the log.
    pub(super) fn is_consistent(&self) -> bool {
        self.listing.suspects().is_empty()
            && self.derived.suspects().is_empty()
            && self.unreadable.is_empty()
    }

    /// Walks.
    pub(super) fn run(&mut self) -> Result<(), Error> {
        self.walk_activities()?;
        self.walk_listing()?;
        self.walk_derived()
    }

    fn walk_activities(&mut self) -> Result<(), Error> {
        let (view, sight) = (self.view, self.sight);
        let keys = self.only.as_ref().map_or_else(Keys::all, |player| Keys::prefix(player));
        let mut current: Option<(Vec<u8>, Option<Recount>)> = None;
        pages(view, ACTIVITIES, keys, Order::Descending, |page| {
            self.activities += page.len() as u64;
            for row in &page {
                let Some((player, source)) = owners_of_activity(&row.key) else {
                    self.note_unreadable(&row.key);
                    continue;
                };
                if current.as_ref().is_none_or(|(of, _)| of != player) {
                    self.end_player(current.take())?;
                    let is_wanted = self.derived.wants(player);
                    let name = read_text(player).map(|(name, _)| name).unwrap_or_default();
                    current = Some((player.to_vec(), is_wanted.then(|| Recount::new(&name))));
                }
                self.listing.add(source, hash(&row.key.as_slice()));
                let recount = current.as_mut().and_then(|(_, recount)| recount.as_mut());
                if recount.is_some() || self.standing.wants(source) {
                    self.take(row, source, recount)?;
                }
            }
            sight.worked(Done::Activities(self.activities))?;
            Ok(())
        })?;
        self.end_player(current)
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

    fn end_player(&mut self, player: Option<(Vec<u8>, Option<Recount>)>) -> Result<(), Error> {
        let Some((owner, recount)) = player else { return Ok(()) };
        self.players += 1;
        let Some(recount) = recount else { return Ok(()) };
        let rows: Content = recount.rows()?;
        for ((table, key), value) in rows {
            self.derived.add(&owner, hash(&(table, key, value)));
        }
        Ok(())
    }

    /// What is noted of the activities of each match and tournament.
    fn walk_listing(&mut self) -> Result<(), Error> {
        let (view, sight) = (self.view, self.sight);
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

    /// The rows that were made of activities.
    fn walk_derived(&mut self) -> Result<(), Error> {
        let (view, sight) = (self.view, self.sight);
        for table in DERIVED {
            pages(view, table, Keys::all(), Order::Ascending, |page| {
                for Row { key, value } in page {
                    let owner = owner_of(table, &key).to_vec();
                    if self.only.as_ref().is_none_or(|player| *player == owner) {
                        self.derived.take_away(&owner, hash(&(table.name(), key, value)));
                    }
                }
                sight.worked(Done::Nothing)?;
                Ok(())
            })?;
        }
        Ok(())
    }
}
